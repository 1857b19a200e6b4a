package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/api"
	"github.com/atozbot/atozbot/app/live"
)

// environmentToken is the token of the settings in these tests.
const environmentToken = "the-environments-own-token"

// house is everything the API stands on, in memory, so that the tests of the API are
// about the API. The rooms themselves are put behind it by the tests of the daemon.
type house struct {
	mu       sync.Mutex
	now      time.Time
	status   api.BotStatus
	starts   error // What Start answers.
	sessions []app.Session
	jobs     []app.JobRecord
	config   []app.Configuration // Newest last.
	events   []app.Event
	tokens   map[string]api.Token // By hash.
	audit    []api.AuditEntry
	logs     []app.LogEntry
	answers  map[string]bool
	away     bool  // The database cannot be reached.
	broken   error // What every list answers instead, where set.
	revision int64 // Of the jobs.
	panics   bool  // The bot's status panics.
	cookies  map[string]api.Identity
}

func newHouse() *house {
	now := time.Date(2027, 1, 31, 10, 15, 2, 114e6, time.UTC)
	c := app.DefaultConfiguration()
	c.Version, c.Author, c.CreatedAt, c.UpdatedAt = 1, "the settings", now, now
	h := &house{
		now:     now,
		status:  api.BotStatus{Status: app.SessionStopped, LoginStatus: app.LoginNotStarted, Mode: app.ModeWatch, Replica: "test"},
		config:  []app.Configuration{c},
		tokens:  map[string]api.Token{},
		answers: map[string]bool{},
		cookies: map[string]api.Identity{},
	}
	h.addJobs(3)
	return h
}

// addJobs records n more jobs.
func (h *house) addJobs(n int) {
	for range n {
		i := len(h.jobs) + 1
		seen := h.now.Add(-time.Duration(i) * time.Minute)
		h.jobs = append(h.jobs, app.JobRecord{
			ID: fmt.Sprintf("0199a3c4-58d1-7a6b-9f01-%012d", i), AccountID: app.DefaultAccountID,
			SessionID: "0199a3c4-58d1-7a6b-9f01-2b8c4d5e6f71", Source: app.SourceBuiltIn,
			Number: strconv.Itoa(48000 + i), Ref: strconv.Itoa(48000+i) + "/A", Language: "Polish",
			Date: "2027-02-03", Time: "14:30", DurationText: "1 hour 30 minutes", DurationMinutes: 90,
			SubmittedText: "2027-01-20", SubmittedAt: seen.Add(-time.Hour), JobType: "Telephone interpreting",
			StartsAt: seen.Add(48 * time.Hour), EndsAt: seen.Add(49 * time.Hour), DetailsURL: "https://portal.example/interpreter-jobs/1",
			Row: []string{"48001/A", "2027-01-20"}, Status: app.JobMatched, Verdict: app.VerdictAsk, Rule: "ask",
			RejectionReason: "You are to decide about video jobs.", NeedsUser: "Accept it or leave it.",
			SeenAt: seen, LastSeenAt: seen, DecidedAt: seen.Add(1200 * time.Microsecond), Sightings: 3, CreatedAt: seen, UpdatedAt: seen, Version: 1,
		})
	}
}

var errAway = &app.Error{
	Code: app.CodeUnavailable, Message: "The database is away.", RetryAfter: 3 * time.Second,
	Err: fmt.Errorf("dial tcp 10.9.8.7:5432: password=hunter2 refused"),
}

func (h *house) goAway(away bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.away = away
}

func (h *house) breakWith(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.broken = err
}

// table answers how the database is.
func (h *house) table() error {
	if h.broken != nil {
		return h.broken
	}
	if h.away {
		return errAway
	}
	return nil
}

// window cuts a page out of items. Its cursor is the number of items before it.
func window[T any](items []T, w api.Window) (api.Page[T], error) {
	from := w.Offset
	if w.Cursor != "" {
		n, err := strconv.Atoi(w.Cursor)
		if err != nil || n < 0 {
			return api.Page[T]{}, &app.Error{Code: app.CodeInvalid, Message: "This cursor is none of ours.", Fields: map[string]string{"cursor": "is none of ours"}}
		}
		from = n
	}
	from = min(from, len(items))
	to := min(from+w.Limit, len(items))
	page := api.Page[T]{Items: items[from:to], Total: int64(len(items))}
	if to < len(items) {
		page.Next = strconv.Itoa(to)
	}
	return page, nil
}

func (h *house) Status() api.BotStatus {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.panics {
		panic("the password is hunter2")
	}
	return h.status
}

func (h *house) Start(_ context.Context, name string) (app.Session, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.starts != nil {
		return app.Session{}, h.starts
	}
	if h.status.IsRunning {
		return app.Session{}, app.Errorf(app.CodeConflict, "A session is running already.")
	}
	s := app.Session{
		ID: "0199a3c4-58d1-7a6b-9f01-2b8c4d5e6f72", AccountID: app.DefaultAccountID, Name: name, Source: app.SourceBuiltIn,
		Status: app.SessionStarting, LoginStatus: app.LoginPending, StartedAt: h.now, CreatedAt: h.now, UpdatedAt: h.now,
	}
	h.sessions = append([]app.Session{s}, h.sessions...)
	h.status.IsRunning, h.status.Status, h.status.SessionID, h.status.SessionName = true, app.SessionRunning, &s.ID, &name
	return s, nil
}

func (h *house) set(running bool, status app.SessionStatus) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status.IsRunning, h.status.Status = running, status
	return nil
}

func (h *house) Stop(context.Context) error       { return h.set(false, app.SessionStopped) }
func (h *house) ForceReset(context.Context) error { return h.set(false, app.SessionStopped) }
func (h *house) Rearm(context.Context) error      { return nil }

func (h *house) Toggle(ctx context.Context) error {
	if h.Status().IsRunning {
		return h.Stop(ctx)
	}
	_, err := h.Start(ctx, "")
	return err
}

func (h *house) Pause(context.Context) error {
	if !h.Status().IsRunning {
		return app.Errorf(app.CodeConflict, "No session is running.")
	}
	return h.set(true, app.SessionPaused)
}

func (h *house) Resume(context.Context) error {
	if !h.Status().IsRunning {
		return app.Errorf(app.CodeConflict, "No session is running.")
	}
	return h.set(true, app.SessionRunning)
}

func (h *house) Answer(_ context.Context, number string, accept bool) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.answers[number]; ok {
		return app.Errorf(app.CodeConflict, "Job %s does not wait for an answer.", number)
	}
	h.answers[number] = accept
	return nil
}

func (h *house) Sessions(_ context.Context, f api.SessionFilter) (api.Page[app.Session], error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.table(); err != nil {
		return api.Page[app.Session]{}, err
	}
	return window(h.sessions, f.Window)
}

func (h *house) filtered(f api.JobFilter) []app.JobRecord {
	var found []app.JobRecord
	for _, j := range h.jobs {
		if f.AccountID != "" && j.AccountID != f.AccountID || f.Status != "" && j.Status != f.Status || f.Language != "" && !strings.EqualFold(f.Language, j.Language) ||
			f.SessionID != "" && j.SessionID != f.SessionID || !f.Since.IsZero() && j.SeenAt.Before(f.Since) || !f.Until.IsZero() && !j.SeenAt.Before(f.Until) ||
			!strings.Contains(strings.ToLower(j.Ref+j.Language), strings.ToLower(f.Query)) {
			continue
		}
		found = append(found, j)
	}
	return found
}

func (h *house) Jobs(_ context.Context, f api.JobFilter) (api.Page[app.JobRecord], error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.table(); err != nil {
		return api.Page[app.JobRecord]{}, err
	}
	return window(h.filtered(f), f.Window)
}

func (h *house) Revision(context.Context) (int64, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.revision, h.table()
}

func (h *house) Job(_ context.Context, id string) (api.JobTrace, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.table(); err != nil {
		return api.JobTrace{}, err
	}
	for _, j := range h.jobs {
		if j.ID == id {
			return api.JobTrace{Job: j, Decision: &app.Decision{
				Verdict: j.Verdict, Rule: j.Rule, Reason: j.RejectionReason, RulesVersion: 1, DecidedAt: j.DecidedAt,
				Checks: []app.Check{{Rule: "job_type", Held: app.Yes, Saw: j.JobType, Wanted: "Telephone interpreting", Reason: "It is one of those accepted."}},
			}, Claims: []app.Claim{{ID: "c", Act: app.ActAccept, Attempt: 1, ClaimedAt: j.SeenAt}}}, nil
		}
	}
	return api.JobTrace{}, app.Errorf(app.CodeNotFound, "There is no such job.")
}

func (h *house) EachJob(_ context.Context, f api.JobFilter, yield func(app.JobRecord) error) error {
	h.mu.Lock()
	err := h.table()
	jobs := h.filtered(f)
	h.mu.Unlock()
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if err := yield(j); err != nil {
			return err
		}
	}
	return nil
}

func (h *house) Active(context.Context) (app.Configuration, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.table(); err != nil {
		return app.Configuration{}, err
	}
	return h.config[len(h.config)-1], nil
}

func (h *house) Refresh(ctx context.Context) (app.Configuration, error) { return h.Active(ctx) }

func (h *house) saveConfiguration(c app.Configuration, by string) (app.Configuration, error) {
	if err := h.table(); err != nil {
		return c, err
	}
	if active := h.config[len(h.config)-1]; c.Version != active.Version {
		return active, app.Errorf(app.CodeConflict, "The configuration was changed meanwhile.")
	}
	c.Version++
	c.Author, c.UpdatedAt = by, h.now
	h.config = append(h.config, c)
	return c, nil
}

func (h *house) Undo(_ context.Context, by string) (app.Configuration, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.config) < 2 {
		return app.Configuration{}, app.Errorf(app.CodeConflict, "There is nothing to undo.")
	}
	c := h.config[len(h.config)-2]
	c.Version = h.config[len(h.config)-1].Version
	return h.saveConfiguration(c, by)
}

func (h *house) Versions(_ context.Context, w api.Window) (api.Page[app.Configuration], error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.table(); err != nil {
		return api.Page[app.Configuration]{}, err
	}
	newest := slices.Clone(h.config)
	slices.Reverse(newest)
	return window(newest, w)
}

// configurations is the house's configuration: its Save is another than that of records.
type configurations struct{ *house }

func (c configurations) Save(_ context.Context, saved app.Configuration, by string) (app.Configuration, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.saveConfiguration(saved, by)
}

func (h *house) Analytics(_ context.Context, hours int) (api.Analytics, error) {
	if err := h.table(); err != nil {
		return api.Analytics{}, err
	}
	return api.Analytics{PeriodHours: hours, TotalJobsProcessed: 3, LanguageDistribution: map[string]int64{"Polish": 3}, HourlyDistribution: map[string]int64{"14": 3}}, nil
}

func (h *house) Periods(_ context.Context, w api.Window) (api.Page[api.Period], error) {
	if err := h.table(); err != nil {
		return api.Page[api.Period]{}, err
	}
	return window([]api.Period{{ID: "p", PeriodStart: h.now, PeriodEnd: h.now.Add(4 * time.Hour)}}, w)
}

func (h *house) Metrics(context.Context) (api.DashboardMetrics, error) {
	if err := h.table(); err != nil {
		return api.DashboardMetrics{}, err
	}
	return api.DashboardMetrics{TotalJobsToday: 3}, nil
}

func (h *house) Backtest(_ context.Context, _ app.Configuration, since time.Time) (api.BacktestResult, error) {
	if err := h.table(); err != nil {
		return api.BacktestResult{}, err
	}
	return api.BacktestResult{Since: since, Jobs: 3}, nil
}

func (h *house) OutsideSession(_ context.Context, outsideID string) (*app.Session, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.table(); err != nil {
		return nil, err
	}
	for _, s := range h.sessions {
		if s.OutsideID == outsideID {
			return &s, nil
		}
	}
	return nil, nil //nolint:nilnil // The interface says so: nil where there is none yet.
}

func (h *house) Save(_ context.Context, r app.Record) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.table(); err != nil {
		return err
	}
	if r.Session != nil {
		at := slices.IndexFunc(h.sessions, func(s app.Session) bool { return s.ID == r.Session.ID })
		if at < 0 {
			h.sessions = append([]app.Session{*r.Session}, h.sessions...)
		} else {
			h.sessions[at] = *r.Session
		}
	}
	h.jobs = append(h.jobs, r.Jobs...)
	h.revision++
	for _, e := range r.Events {
		e.ID = int64(len(h.events) + 1)
		h.events = append(h.events, e)
	}
	h.logs = append(h.logs, r.Logs...)
	return nil
}

func (h *house) EventsAfter(_ context.Context, id int64, limit int) ([]app.Event, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.table(); err != nil {
		return nil, err
	}
	from := int(min(max(id, 0), int64(len(h.events))))
	return slices.Clone(h.events[from:min(from+limit, len(h.events))]), nil
}

func (h *house) LatestEventID(context.Context) (int64, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return int64(len(h.events)), h.table()
}

// check stands in for the rules.
func check(c app.Configuration) error {
	if _, err := time.LoadLocation(c.TimeZone); err != nil {
		return &app.Error{Code: app.CodeInvalid, Message: "The rules have a mistake.", Fields: map[string]string{"time_zone": "is no time zone"}}
	}
	if c.MinDuration > 0 && c.MaxDuration > 0 && c.MinDuration > c.MaxDuration {
		return &app.Error{Code: app.CodeInvalid, Message: "The rules have a mistake.", Fields: map[string]string{"max_duration_minutes": "is less than the minimum"}}
	}
	return nil
}

func jsonHandler(status int, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	})
}

const healthBody = `{"status":"healthy","timestamp":"2027-01-31T10:15:02Z","service":"AtoZ Bot Dashboard API","version":"test","checks":{"database":"healthy","redis":"healthy"}}`

// options puts the API on h.
func (h *house) options(hub api.Watch) api.Options {
	service := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("name") != "database" {
			http.NotFound(w, r)
			return
		}
		jsonHandler(200, `{"status":"healthy","last_check":null,"retry_count":0}`).ServeHTTP(w, r)
	})
	return api.Options{
		Version: "test", Token: environmentToken,
		Bot: h, Sessions: h, Jobs: h, Configurations: configurations{h}, Figures: h, Outside: h, Watch: hub, Check: check,
		Authenticator: h, Tokens: h, Audit: h, Logs: h, Backtest: h, Calendars: h,
		Health: api.HealthHandlers{
			Health: jsonHandler(200, healthBody), Live: jsonHandler(200, `{"status":"alive"}`), Ready: jsonHandler(200, `{"status":"ready"}`),
			Detailed: jsonHandler(200, `{"overall_status":"healthy","services":{"database":{"status":"healthy","last_check":null,"retry_count":0}},"monitoring_active":true,"check_interval":1}`),
			Service:  service, ForceCheck: jsonHandler(200, `{"overall_status":"healthy","services":{"database":{"status":"healthy","last_check":null,"retry_count":0}},"monitoring_active":true,"check_interval":1}`),
		},
		Now: func() time.Time { return h.now },
		Log: slog.New(slog.DiscardHandler),
	}
}

// serve gives the API over h, with a hub that runs until the test ends.
func (h *house) serve(t testing.TB) *api.Server {
	t.Helper()
	return api.New(h.options(h.hub(t)))
}

// hub gives a hub over h's events that runs until the test ends.
func (h *house) hub(t testing.TB) *live.Hub {
	t.Helper()
	hub := live.New(live.Options{Store: h, Status: func() json.RawMessage { return json.RawMessage(`{"status":"stopped"}`) }})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = hub.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return hub
}

// request is one request with the environment's token, and its answer.
func request(handler http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Authorization", "Bearer "+environmentToken)
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
		} else {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

// decode reads an answer's body.
func decode[T any](t testing.TB, w *httptest.ResponseRecorder) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("the answer is no JSON of the expected form: %v\n%s", err, w.Body)
	}
	return v
}

func itoa(n int) string { return strconv.Itoa(n) }

// apiToken is a stored token.
func apiToken(id string, scope api.Scope) api.Token {
	return api.Token{ID: id, Name: "of " + string(scope), Scope: scope, CreatedBy: "admin", CreatedAt: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}
}

// manyJobs has rows jobs that are never all in memory.
type manyJobs struct {
	*house
	rows int
}

func (m manyJobs) EachJob(_ context.Context, _ api.JobFilter, yield func(app.JobRecord) error) error {
	for range m.rows {
		if err := yield(m.jobs[0]); err != nil {
			return err
		}
	}
	return nil
}
