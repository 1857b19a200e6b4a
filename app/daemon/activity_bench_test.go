package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/web"
	"github.com/atozbot/atozbot/store"
	"github.com/atozbot/atozbot/store/storetest"
)

// The page Activity is to open as fast over a long history as over a short one: that many
// jobs, and that much slower at most.
const (
	shortHistory, longHistory = 100, 100_000
	slowerAtMost              = 1.5
)

// BenchmarkActivity opens the page Activity over a long and over a short history, in
// turns, and reports how much slower the long one is. As the page opens, and with the filters
// that are one tap away, a ratio above the bar fails. A search looks through all there is,
// and takes its time; how long is reported.
func BenchmarkActivity(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchmarkActivity(b, storetest.SQLite) })
	b.Run("postgres", func(b *testing.B) { benchmarkActivity(b, storetest.Postgres) })
}

func benchmarkActivity(b *testing.B, dsn func(testing.TB) string) {
	short, long := activityOver(b, dsn(b), shortHistory), activityOver(b, dsn(b), longHistory)
	for _, page := range []struct {
		name, path string
		bar        float64 // 0: none.
	}{
		{"answered", "/activity", slowerAtMost},
		{"a chip", "/activity?kind=accepted", slowerAtMost},
		{"a language", "/activity?language=Polish", slowerAtMost},
		{"a day", "/activity?since=2027-01-31", slowerAtMost},
		{"a search for a word", "/activity?q=polish", 0},
		{"a search for a number", "/activity?q=100042", 0},
		{"a search in vain", "/activity?q=klingon", 0},
	} {
		b.Run(page.name, func(b *testing.B) {
			var few, many []time.Duration
			for b.Loop() {
				for range 40 { // In turns, so that whatever else the machine does hits both.
					few = append(few, answered(b, short, page.path))
					many = append(many, answered(b, long, page.path))
				}
			}
			ratio := float64(quick(many)) / float64(quick(few))
			b.ReportMetric(float64(quick(few).Microseconds())/1000, "ms-of-100")
			b.ReportMetric(float64(quick(many).Microseconds())/1000, "ms-of-100000")
			b.ReportMetric(ratio, "times-slower")
			if page.bar > 0 && ratio > page.bar {
				b.Errorf("%s is %.2f times slower over %d jobs than over %d, want %.1f at most", page.path, ratio, longHistory, shortHistory, page.bar)
			}
		})
	}
}

// quick is the lower quartile: the slower ones tell of what else the machine did.
func quick(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/4]
}

// answered asks for a page and gives how long it took.
func answered(b *testing.B, site http.Handler, path string) time.Duration {
	b.Helper()
	r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "http://localhost:8000"+path, nil)
	r.RemoteAddr = "127.0.0.1:5555"
	w := httptest.NewRecorder()
	began := time.Now()
	site.ServeHTTP(w, r)
	took := time.Since(began)
	if w.Code != http.StatusOK {
		b.Fatalf("%s answers %d: %s", path, w.Code, w.Body)
	}
	return took
}

// activityOver is the dashboard over that many jobs.
func activityOver(b *testing.B, dsn string, n int) http.Handler {
	b.Helper()
	s := storetest.Open(b, dsn, store.Options{})
	now := time.Date(2027, 1, 31, 18, 0, 0, 0, time.UTC)
	record(b, s, now, n)
	book := &rulebook{account: app.DefaultAccountID, log: slog.New(slog.DiscardHandler)}
	book.use(app.DefaultConfiguration())
	site, err := web.New(web.Options{
		Bot: idleBot{}, Health: wellHouse{}, Jobs: webJobs{db: s, account: app.DefaultAccountID},
		Configurations: webConfigurations{versions{db: s, account: app.DefaultAccountID, rulebook: book}},
		Now:            func() time.Time { return now },
	})
	if err != nil {
		b.Fatal(err)
	}
	return site
}

// record stores n jobs, 100 a day, of every kind.
func record(b *testing.B, s *store.Store, now time.Time, n int) {
	b.Helper()
	session := app.Session{
		ID: app.NewID(now), AccountID: app.DefaultAccountID, Name: "bench", Source: app.SourceBuiltIn, Status: app.SessionStopped,
		LoginStatus: app.LoginSuccess, StartedAt: now, EndedAt: now, CreatedAt: now, UpdatedAt: now, Version: 1,
	}
	// A hundred of them fill a page with every filter: what is compared is the history alone.
	languages := []string{"Polish", "Urdu"}
	statuses := []app.JobStatus{app.JobMatched, app.JobAccepted, app.JobMatched, app.JobAccepted, app.JobLost}
	var batch []app.JobRecord
	for i := range n {
		seen := now.Add(-time.Duration(i) * 24 * time.Hour / 100)
		number := fmt.Sprint(100_000 + i)
		starts := seen.Add(48 * time.Hour)
		batch = append(batch, app.JobRecord{
			ID: app.NewID(seen), AccountID: app.DefaultAccountID, SessionID: session.ID, Source: app.SourceBuiltIn,
			Number: number, Ref: number + "/A", Language: languages[i%len(languages)], Date: "2027-02-03", Time: "14:30",
			DurationText: "1 hour 30 minutes", DurationMinutes: 90, SubmittedText: "2027-01-20", SubmittedAt: seen.Add(-time.Hour),
			JobType: "Telephone interpreting", StartsAt: starts, EndsAt: starts.Add(90 * time.Minute), DetailsURL: "https://portal.example/interpreter-jobs/" + number,
			Row:    []string{number + "/A", "2027-01-20", "2027-02-03", "14:30", "1 hour 30 minutes", languages[i%len(languages)], "Matched", ""},
			Status: statuses[i%len(statuses)], Verdict: app.VerdictLeave, Rule: "languages", RejectionReason: "It is none of your languages.",
			SeenAt: seen, LastSeenAt: seen.Add(time.Minute), GoneAt: seen.Add(time.Minute), Sightings: 30, DecidedAt: seen, CreatedAt: seen, UpdatedAt: seen, Version: 1,
		})
		if len(batch) == 2000 || i == n-1 {
			if err := s.Save(b.Context(), app.Record{ID: app.NewID(now), AccountID: app.DefaultAccountID, At: now, Session: &session, Jobs: batch}); err != nil {
				b.Fatal(err)
			}
			batch = nil
		}
	}
}

// idleBot is a bot that does nothing.
type idleBot struct{ web.Bot }

func (idleBot) Status(context.Context) web.BotStatus { return web.BotStatus{} }

// wellHouse is a house in which everything works.
type wellHouse struct{ web.Health }

func (wellHouse) Snapshot() web.HealthSnapshot { return web.HealthSnapshot{Started: true} }
