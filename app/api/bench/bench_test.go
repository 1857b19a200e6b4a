// Package bench measures the API beside a bare net/http server that answers a constant
// of the same size: what is between the two is the price of ours. It has no code but
// tests, and so stands apart from the room that it measures, which knows no store.
package bench

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/api"
	"github.com/atozbot/atozbot/app/health"
	"github.com/atozbot/atozbot/app/live"
	"github.com/atozbot/atozbot/store"
	"github.com/atozbot/atozbot/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

const token = "bench"

// jobsInTable is how many jobs the lists are asked from.
const jobsInTable = 100_000

// bars are the least shares of the bare server's throughput that are promised, on SQLite.
var bars = map[string]float64{
	"/health":                 0.8,
	"/api/bot/status":         0.5,
	"/api/bot/jobs?limit=100": 0.1,
}

func BenchmarkSQLite(b *testing.B) {
	measure(b, storetest.Open(b, storetest.SQLite(b), store.Options{}), bars)
}

func BenchmarkPostgreSQL(b *testing.B) {
	measure(b, storetest.Open(b, storetest.Postgres(b), store.Options{}), nil)
}

// measure reports, for each target, requests a second and their share of the bare
// server's. A share below its bar fails.
func measure(b *testing.B, s *store.Store, bars map[string]float64) {
	fill(b, s)
	measureOn(b, s, bars)
}

func measureOn(b *testing.B, s *store.Store, bars map[string]float64) {
	b.Helper()
	ours := httptest.NewServer(serve(b, s))
	defer ours.Close()
	for _, target := range []string{"/health", "/api/bot/status", "/api/bot/jobs?limit=100"} {
		b.Run(target, func(b *testing.B) {
			body := fetch(b, ours.URL+target)
			bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write(body)
			}))
			defer bare.Close()
			var mine, theirs float64
			for b.Loop() {
				// In turns, so that whatever else the machine does hits both.
				for range 4 {
					theirs += throughput(b, bare.Listener.Addr().String(), target, 250*time.Millisecond)
					mine += throughput(b, ours.Listener.Addr().String(), target, 250*time.Millisecond)
				}
			}
			b.ReportMetric(mine/float64(4*b.N), "req/s")
			b.ReportMetric(mine/theirs, "of-bare")
			b.ReportMetric(float64(len(body)), "B/answer")
			if bar := bars[target]; mine/theirs < bar {
				b.Errorf("%s has %.2f of the bare server's throughput, want %.2f", target, mine/theirs, bar)
			}
		})
	}
}

// fetch gives the body of a good answer.
func fetch(b *testing.B, url string) []byte {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url, nil)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		b.Fatalf("%s answers %d: %v %s", url, answer.StatusCode, err, body)
	}
	return body
}

// connections is how many clients ask at one time.
const connections = 8

// throughput asks for target over kept connections for as long as d, and gives how many
// answers came in a second. The client is a lean one, so that what is measured is the server.
func throughput(b *testing.B, addr, target string, d time.Duration) float64 {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), d)
	defer cancel()
	request := []byte("GET " + target + " HTTP/1.1\r\nHost: " + addr + "\r\nAuthorization: Bearer " + token + "\r\n\r\n")
	var answers atomic.Int64
	var wg sync.WaitGroup
	began := time.Now()
	for range connections {
		wg.Go(func() {
			conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
			if err != nil {
				return
			}
			defer func() { _ = conn.Close() }()
			in := bufio.NewReaderSize(conn, 64<<10)
			for ctx.Err() == nil {
				if _, err := conn.Write(request); err != nil {
					return
				}
				answer, err := http.ReadResponse(in, nil)
				if err != nil {
					return
				}
				_, err = io.Copy(io.Discard, answer.Body)
				_ = answer.Body.Close()
				if err != nil || answer.StatusCode != http.StatusOK {
					return
				}
				answers.Add(1)
			}
		})
	}
	wg.Wait()
	return float64(answers.Load()) / time.Since(began).Seconds()
}

// fill records jobs as the bot does, many at a time.
func fill(b *testing.B, s *store.Store) {
	b.Helper()
	now := time.Date(2027, 1, 31, 10, 0, 0, 0, time.UTC)
	session := app.Session{
		ID: app.NewID(now), AccountID: app.DefaultAccountID, Name: "bench", Source: app.SourceBuiltIn, Status: app.SessionStopped,
		LoginStatus: app.LoginSuccess, StartedAt: now, EndedAt: now, CreatedAt: now, UpdatedAt: now, Version: 1,
	}
	languages := []string{"Polish", "Urdu", "Arabic", "Romanian", "Kurdish (Sorani)"}
	for done := 0; done < jobsInTable; {
		record := app.Record{ID: app.NewID(now), AccountID: app.DefaultAccountID, At: now, Session: &session}
		for range 2000 {
			seen := now.Add(-time.Duration(done) * time.Minute)
			number := strconv.Itoa(100_000 + done)
			record.Jobs = append(record.Jobs, app.JobRecord{
				ID: app.NewID(seen), AccountID: app.DefaultAccountID, SessionID: session.ID, Source: app.SourceBuiltIn,
				Number: number, Ref: number + "/A", Language: languages[done%len(languages)],
				Date: "2027-02-03", Time: "14:30", DurationText: "1 hour 30 minutes", DurationMinutes: 90, SubmittedText: "2027-01-20",
				SubmittedAt: seen.Add(-time.Hour), JobType: "Telephone interpreting", StartsAt: seen.Add(48 * time.Hour), EndsAt: seen.Add(49 * time.Hour),
				DetailsURL: "https://portal.example/interpreter-jobs/" + number, Row: []string{number + "/A", "2027-01-20", "2027-02-03", "14:30", "1 hour 30 minutes", "Polish", "Matched", ""},
				Status: app.JobMatched, Verdict: app.VerdictLeave, Rule: "languages", RejectionReason: "The language is none of those accepted.",
				SeenAt: seen, LastSeenAt: seen.Add(time.Minute), GoneAt: seen.Add(time.Minute), Sightings: 30, DecidedAt: seen, CreatedAt: seen, UpdatedAt: seen, Version: 1,
			})
			done++
		}
		if err := s.Save(b.Context(), record); err != nil {
			b.Fatal(err)
		}
	}
}

// serve gives the API over s.
func serve(b *testing.B, s *store.Store) http.Handler {
	b.Helper()
	keeper := health.NewKeeper(health.Options{Name: "test"})
	keeper.Override(health.Healthy, health.Problem{})
	monitor := health.NewMonitor(health.MonitorOptions{Version: "bench", Database: keeper, Redis: keeper})
	return api.New(api.Options{
		Version: "bench", Token: token, Bot: bot{}, Jobs: jobs{s}, Watch: live.New(live.Options{Store: s}),
		Health: api.HealthHandlers{Health: http.HandlerFunc(monitor.Health)},
	})
}

// bot is one that runs.
type bot struct{ api.Bot }

func (bot) Status() api.BotStatus {
	id, name, holder := "0199a3c4-58d1-7a6b-9f01-2b8c4d5e6f70", "Monday", "host-1-8b2f"
	at := time.Date(2027, 1, 31, 10, 15, 2, 114e6, time.UTC)
	return api.BotStatus{
		IsRunning: true, SessionID: &id, SessionName: &name, StartTime: &at, Status: app.SessionRunning, LoginStatus: app.LoginSuccess,
		TotalChecks: 1204, TotalAccepted: 3, Mode: app.ModeLive, LastLook: &at, Replica: holder, Holder: &holder, IsHolder: true,
	}
}

// jobs are the records as the API asks for them.
type jobs struct{ s *store.Store }

func (j jobs) Jobs(ctx context.Context, f api.JobFilter) (api.Page[app.JobRecord], error) {
	page, err := j.s.ListJobs(ctx, store.JobFilter{AccountID: f.AccountID, Window: store.Window(f.Window)})
	return api.Page[app.JobRecord](page), err
}

func (j jobs) Revision(ctx context.Context) (int64, error) { return j.s.Revision(ctx) }

func (j jobs) Job(context.Context, string) (api.JobTrace, error) { return api.JobTrace{}, nil }

func (j jobs) EachJob(context.Context, api.JobFilter, func(app.JobRecord) error) error { return nil }
