package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/web"
)

// house stands in for the rest of the house: it answers what the pages ask for from
// memory, and notes what they wish.
type house struct {
	now func() time.Time

	mu       sync.Mutex
	status   web.BotStatus
	health   web.HealthSnapshot
	jobs     []app.JobRecord // Newest first.
	busy     []app.Booking
	away     bool // The records cannot be read.
	wishes   []string
	versions []app.Configuration // Newest first.
	watchers map[chan string]bool
}

// london is the zone of the portal, and of the tests.
func london(tb testing.TB) *time.Location {
	tb.Helper()
	at, err := time.LoadLocation("Europe/London")
	if err != nil {
		tb.Fatal(err)
	}
	return at
}

// newHouse is a house on an ordinary working day.
func newHouse(tb testing.TB, now func() time.Time) *house {
	tb.Helper()
	c := app.DefaultConfiguration()
	c.Mode, c.Version, c.MaxPerDay, c.MaxPerWeek, c.Author = app.ModeLive, 4, 3, 12, "admin"
	c.CreatedAt = now().Add(-26 * time.Hour)
	h := &house{now: now, versions: []app.Configuration{c}, watchers: map[chan string]bool{}}
	h.status = web.BotStatus{
		Session: app.Session{
			ID: "0190-session", Name: "Tuesday", Status: app.SessionRunning, LoginStatus: app.LoginSuccess,
			TotalChecks: 12431, TotalAccepted: 2, TotalRejected: 0, StartedAt: now().Add(-7 * time.Hour),
		},
		Mode: app.ModeLive, LastLook: now().Add(-time.Second), OnBoard: 3, Interval: 2 * time.Second, RealInterval: 2040 * time.Millisecond, Cap: 5,
		Replica: "one", Holder: "one",
	}
	h.health = web.HealthSnapshot{Started: true, Services: services(now())}
	h.jobs = someJobs(now(), london(tb))
	return h
}

func services(now time.Time) []web.Service {
	well := func(name string, essential bool) web.Service {
		return web.Service{Name: name, State: web.ServiceHealthy, Essential: essential, LastCheck: now.Add(-2 * time.Second), LastGood: now.Add(-2 * time.Second)}
	}
	return []web.Service{
		well("portal", false), well("session", false), well("database", true), well("redis", false), well("journal", false),
		{Name: "notifications", State: web.ServiceOff, Advice: "Add one in Settings to hear of bookings."},
		{Name: "backup", State: web.ServiceDegraded, Reason: "the newest backup is 9 days old", Advice: "Make one in Settings.", LastGood: now.Add(-9 * 24 * time.Hour)},
	}
}

// someJobs are jobs of every kind.
func someJobs(now time.Time, zone *time.Location) []app.JobRecord {
	noon := time.Date(now.Year(), now.Month(), now.Day(), 12, 0, 0, 0, zone)
	kinds := []struct {
		language, kind string
		status         app.JobStatus
		verdict        app.Verdict
		reason, rule   string
		at             time.Duration // From noon.
		minutes        int
	}{
		{"Polish", "Telephone interpreting", app.JobAccepted, app.VerdictAccept, "", "", 29 * time.Hour, 45},
		{"Spanish", "Face-to-Face", app.JobMatched, app.VerdictLeave, "Face-to-Face is excluded.", "excluded_type", 50 * time.Hour, 120},
		{"Urdu", "Video interpreting", app.JobMatched, app.VerdictAsk, "The job type is to be shown to you.", "ask", 30 * time.Hour, 60},
		{"Romanian", "Telephone interpreting", app.JobLost, app.VerdictAccept, "Somebody else was 80 ms faster.", "", 33 * time.Hour, 30},
		{"Portuguese (Brazilian)", "Telephone interpreting", app.JobMatched, app.VerdictLeave, "It overlaps 48213/A, Polish, 17:00–17:45.", "overlap", 29*time.Hour + 15*time.Minute, 30},
		{"Polish", "Telephone interpreting", app.JobAccepted, app.VerdictAccept, "", "", 53 * time.Hour, 30},
		{"Tigrinya", "Telephone interpreting", app.JobRefused, app.VerdictAccept, "The portal said: you are already booked at this time.", "", 28 * time.Hour, 60},
		{"Polish", "On-site", app.JobRejected, app.VerdictReject, "On-site is excluded.", "excluded_type", 40 * time.Hour, 60},
		{"Arabic", "Telephone interpreting", app.JobUnknown, app.VerdictAccept, "The portal did not answer after the acceptance was sent.", "", 27 * time.Hour, 30},
		{"Polish", "Telephone interpreting", app.JobAccepted, app.VerdictAccept, "", "", 29*time.Hour + 30*time.Minute, 30},
	}
	jobs := make([]app.JobRecord, len(kinds))
	for i, k := range kinds {
		seen, starts := now.Add(-time.Duration(i*i*4+1)*time.Minute), noon.Add(k.at)
		number := fmt.Sprint(48213 - i)
		j := app.JobRecord{
			ID: fmt.Sprintf("0190-%d", i), SessionID: "0190-session", Source: app.SourceBuiltIn, Number: number, Ref: number + "/A",
			Language: k.language, Date: starts.Format("2006-01-02"), Time: starts.Format("15:04"), DurationText: fmt.Sprintf("%d mins", k.minutes),
			DurationMinutes: k.minutes, JobType: k.kind, StartsAt: starts, EndsAt: starts.Add(time.Duration(k.minutes) * time.Minute),
			DetailsURL: "https://portal.example/interpreter-jobs/" + number, Status: k.status, Verdict: k.verdict, RejectionReason: k.reason, Rule: k.rule,
			Row:    []string{number + "/A", seen.Format("02/01/2006"), starts.Format("02/01/2006"), starts.Format("15:04"), fmt.Sprintf("%d mins", k.minutes), k.language, "Matched", "View Accept"},
			SeenAt: seen, LastSeenAt: now, Sightings: int64(20 + i), DecidedAt: seen.Add(4 * time.Millisecond), CreatedAt: seen, UpdatedAt: seen,
		}
		if k.status != app.JobMatched {
			j.ClaimedAt, j.PostedAt, j.ConfirmedAt = seen.Add(9*time.Millisecond), seen.Add(11*time.Millisecond), seen.Add(141*time.Millisecond)
		}
		jobs[i] = j
	}
	return jobs
}

func (h *house) wish(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wishes = append(h.wishes, text)
}

func (h *house) wished() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.wishes)
}

// change changes what is so.
func (h *house) change(how func(*house)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	how(h)
}

func (h *house) Status(context.Context) web.BotStatus {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.status
}

func (h *house) become(s app.SessionStatus, text string) error {
	h.wish(text)
	h.change(func(h *house) { h.status.Session.Status = s })
	h.tell("status_change", map[string]any{"status": s})
	return nil
}

func (h *house) Start(context.Context, string) error { return h.become(app.SessionRunning, "start") }
func (h *house) Stop(context.Context) error          { return h.become(app.SessionStopped, "stop") }
func (h *house) Again(_ context.Context, id string) error {
	return h.become(app.SessionRunning, "again "+id)
}
func (h *house) Pause(context.Context) error  { return h.become(app.SessionPaused, "pause") }
func (h *house) Resume(context.Context) error { return h.become(app.SessionRunning, "resume") }
func (h *house) Rearm(context.Context) error  { h.wish("rearm"); return nil }

func (h *house) AcceptJob(_ context.Context, id string) error { h.wish("accept " + id); return nil }
func (h *house) LeaveJob(_ context.Context, id string) error  { h.wish("leave " + id); return nil }
func (h *house) AskAgain(_ context.Context, id string) error  { h.wish("ask " + id); return nil }

func (h *house) Snapshot() web.HealthSnapshot {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.health
}

func (h *house) CheckNow() { h.wish("check") }

// read gives the jobs, or says that they cannot be read.
func (h *house) read() ([]app.JobRecord, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.away {
		return nil, app.Errorf(app.CodeUnavailable, "The database is away.")
	}
	return slices.Clone(h.jobs), nil
}

func (h *house) Jobs(_ context.Context, f web.JobFilter) (web.JobPage, error) {
	jobs, err := h.read()
	if err != nil {
		return web.JobPage{}, err
	}
	jobs = slices.DeleteFunc(jobs, func(j app.JobRecord) bool { return !fits(j, f) || f.Cursor != "" && j.ID <= f.Cursor })
	page := web.JobPage{Jobs: jobs}
	if f.Limit > 0 && len(jobs) > f.Limit {
		page.Jobs, page.Next = jobs[:f.Limit], jobs[f.Limit-1].ID
	}
	return page, nil
}

func fits(j app.JobRecord, f web.JobFilter) bool {
	text := strings.ToLower(j.Ref + " " + j.Language + " " + j.JobType + " " + j.RejectionReason)
	return (f.Kind == web.KindAny || kindOf(j) == f.Kind) && (f.Language == "" || j.Language == f.Language) &&
		strings.Contains(text, strings.ToLower(f.Query)) && !j.SeenAt.Before(f.Since) && (f.Until.IsZero() || j.SeenAt.Before(f.Until))
}

func kindOf(j app.JobRecord) web.JobKind {
	switch j.Status {
	case app.JobAccepted:
		return web.KindAccepted
	case app.JobLost:
		return web.KindLost
	case app.JobRejected:
		return web.KindRejected
	case app.JobMatched:
		if j.Verdict == app.VerdictAsk && j.GoneAt.IsZero() {
			return web.KindAsk
		}
		return web.KindLeft
	default:
		return web.KindFailed
	}
}

func (h *house) Counts(_ context.Context, f web.JobFilter) (web.JobCounts, error) {
	var c web.JobCounts
	f.Kind = web.KindAny
	jobs, err := h.read()
	for _, j := range jobs {
		if !fits(j, f) {
			continue
		}
		c.All++
		switch kindOf(j) {
		case web.KindAsk:
			c.Ask++
		case web.KindAccepted:
			c.Accepted++
		case web.KindLost:
			c.Lost++
		case web.KindLeft:
			c.Left++
		case web.KindRejected:
			c.Rejected++
		default:
			c.Failed++
		}
	}
	return c, err
}

func (h *house) Job(_ context.Context, id string) (web.JobTrace, error) {
	jobs, err := h.read()
	if err != nil {
		return web.JobTrace{}, err
	}
	for _, j := range jobs {
		if j.ID == id {
			return web.JobTrace{Job: j, Decision: decisionOf(j)}, nil
		}
	}
	return web.JobTrace{}, app.Errorf(app.CodeNotFound, "There is no such job.")
}

func decisionOf(j app.JobRecord) *app.Decision {
	d := &app.Decision{RulesVersion: 4, Verdict: j.Verdict, Reason: j.RejectionReason, Rule: j.Rule, DecidedAt: j.DecidedAt, Repeats: 19}
	for _, rule := range []string{"status", "required_fields", "job_type", "excluded_type", "languages", "duration", "notice", "not_past", "weekly_hours", "overlap", "cap_session"} {
		c := app.Check{Rule: rule, Held: app.Yes, Saw: "what was there", Wanted: "what was wanted", Reason: "It is as it should be."}
		if rule == j.Rule {
			c.Held, c.Saw, c.Reason = app.No, j.JobType, j.RejectionReason
		}
		d.Checks = append(d.Checks, c)
		if rule == j.Rule {
			break
		}
	}
	return d
}

func (h *house) Languages(context.Context) ([]string, error) {
	return []string{"Arabic", "Polish", "Portuguese (Brazilian)", "Romanian", "Spanish", "Tigrinya", "Urdu"}, nil
}

func (h *house) Bookings(_ context.Context, from, to time.Time) ([]app.JobRecord, error) {
	jobs, err := h.read()
	jobs = slices.DeleteFunc(jobs, func(j app.JobRecord) bool {
		return j.Status != app.JobAccepted || !j.EndsAt.After(from) || !j.StartsAt.Before(to)
	})
	slices.SortFunc(jobs, func(a, b app.JobRecord) int { return a.StartsAt.Compare(b.StartsAt) })
	return jobs, err
}

func (h *house) Busy(context.Context, time.Time, time.Time) ([]app.Booking, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.busy, nil
}

func (h *house) Configuration(context.Context) (app.Configuration, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.versions[0], nil
}

func (h *house) Check(c app.Configuration) error {
	if c.MaxAcceptPerRun < 1 {
		return &app.Error{Code: app.CodeInvalid, Message: "A field is wrong.", Fields: map[string]string{"max_accept_per_run": "must be 1 to 1,000,000"}}
	}
	return nil
}

func (h *house) Save(_ context.Context, c app.Configuration, by web.Person) (app.Configuration, error) {
	if err := h.Check(c); err != nil {
		return c, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if c.Version != h.versions[0].Version {
		return c, app.Errorf(app.CodeConflict, "The rules were saved by somebody else since.")
	}
	c.Version++
	c.Author, c.CreatedAt = by.Name, h.now()
	h.versions = append([]app.Configuration{c}, h.versions...)
	return c, nil
}

func (h *house) Undo(_ context.Context, by web.Person) (app.Configuration, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.versions) < 2 {
		return app.Configuration{}, app.Errorf(app.CodeConflict, "There is no version before this one.")
	}
	c := h.versions[1]
	c.Version, c.Author, c.CreatedAt = h.versions[0].Version+1, by.Name, h.now()
	h.versions = append([]app.Configuration{c}, h.versions...)
	return c, nil
}

func (h *house) Versions(_ context.Context, limit int) ([]app.Configuration, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.versions[:min(limit, len(h.versions))]), nil
}

func (h *house) BackTest(_ context.Context, c app.Configuration, _ time.Time) (web.BackTest, error) {
	jobs, err := h.read()
	if err != nil {
		return web.BackTest{}, err
	}
	return web.BackTest{Jobs: 312, Accepted: 41, More: 4, Fewer: 1, MoreJobs: jobs[1:5], FewerJobs: jobs[5:6], Took: 38 * time.Millisecond}, nil
}

func (h *house) Figures(context.Context, time.Time, time.Time) (web.Figures, error) {
	if _, err := h.read(); err != nil {
		return web.Figures{}, err
	}
	f := web.Figures{
		All:      web.Tally{Seen: 312, Fitting: 58, Tried: 49, Won: 37, Lost: 9, Refused: 1, Failed: 1, Unknown: 1, Rejected: 12},
		Reaction: 92 * time.Millisecond, Uptime: 151 * time.Hour, Booked: 29 * time.Hour,
	}
	for i, name := range []string{"Polish", "Romanian", "Urdu", "Arabic", "Spanish", "Portuguese (Brazilian)", "Tigrinya"} {
		f.ByLanguage = append(f.ByLanguage, web.Share{Value: name, Tally: web.Tally{Seen: int64(90 / (i + 1)), Won: int64(14 / (i + 1))}})
	}
	for hour := range 24 {
		n := int64(max(0, 30-(hour-13)*(hour-13)))
		f.ByHour = append(f.ByHour, web.Share{Value: fmt.Sprintf("%02d", hour), Tally: web.Tally{Seen: n, Won: n / 6}})
	}
	for i, rule := range []string{"excluded_type", "languages", "overlap", "weekly_hours", "duration"} {
		f.ByRule = append(f.ByRule, web.Share{Value: rule, Tally: web.Tally{Seen: int64(120 / (i + 1))}})
	}
	for i, bound := range []string{"00050", "00100", "00200", "00350", "00500", "slower"} {
		f.ByReaction = append(f.ByReaction, web.Share{Value: bound, Tally: web.Tally{Tried: int64(12 - 2*i), Won: int64(11 - 2*i), Lost: 1}})
	}
	return f, nil
}

func (h *house) Periods(_ context.Context, since, until time.Time) ([]web.Period, error) {
	var all []web.Period
	for at := since; at.Before(until); at = at.Add(4 * time.Hour) {
		n := int64(5 + at.Hour()*2)
		all = append(all, web.Period{From: at, To: at.Add(4 * time.Hour), Tally: web.Tally{Seen: n, Won: n / 7}, Uptime: 4 * time.Hour, Language: "Polish", PeakHour: 14})
	}
	return all, nil
}

func (h *house) Entries(_ context.Context, f web.LogFilter) (web.LogPage, error) {
	if _, err := h.read(); err != nil {
		return web.LogPage{}, err
	}
	lines := []app.LogEntry{
		{ID: "l3", Level: "INFO", Message: "accepted 48213/A, confirmed by the board after 141 ms", Component: "bot", At: h.now().Add(-time.Minute)},
		{ID: "l2", Level: "WARNING", Message: "the portal answered 503, next try in 2 s", Component: "portal", At: h.now().Add(-14 * time.Minute)},
		{ID: "l1", Level: "ERROR", Message: "the notification could not be sent: connection refused", Component: "notifications", At: h.now().Add(-3 * time.Hour)},
	}
	return web.LogPage{Entries: slices.DeleteFunc(lines, func(e app.LogEntry) bool {
		return f.Level == "ERROR" && e.Level != "ERROR" || !strings.Contains(e.Message, f.Query)
	})}, nil
}

// tell sends an event to every page that listens.
func (h *house) tell(kind string, data any) {
	content, _ := json.Marshal(map[string]any{"type": kind, "data": data, "timestamp": h.now().UTC().Format(time.RFC3339Nano)})
	h.mu.Lock()
	defer h.mu.Unlock()
	for w := range h.watchers {
		select {
		case w <- fmt.Sprintf("event: %s\ndata: %s\n\n", kind, content):
		default:
		}
	}
}

// events is the stream of /api/events.
func (h *house) events(w http.ResponseWriter, r *http.Request) {
	told := make(chan string, 64)
	h.change(func(h *house) { h.watchers[told] = true })
	defer h.change(func(h *house) { delete(h.watchers, told) })
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprint(w, ": hello\n\n")
	flush := http.NewResponseController(w)
	_ = flush.Flush()
	for {
		select {
		case <-r.Context().Done():
			return
		case text := <-told:
			fmt.Fprint(w, text)
			_ = flush.Flush()
		}
	}
}

// newSite is the dashboard of a house.
func newSite(tb testing.TB, h *house, change ...func(*web.Options)) *web.Site {
	tb.Helper()
	o := web.Options{Version: "1.2.3", Bot: h, Health: h, Jobs: h, Configurations: h, Insights: h, LogEntries: h, Now: h.now}
	for _, c := range change {
		c(&o)
	}
	s, err := web.New(o)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// serve opens a dashboard on the loopback, with the stream beside it.
func serve(tb testing.TB, h *house, s *web.Site) *httptest.Server {
	tb.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/events", h.events)
	mux.HandleFunc("GET /health/live", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") })
	mux.Handle("/", s)
	server := httptest.NewServer(mux)
	tb.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	return server
}
