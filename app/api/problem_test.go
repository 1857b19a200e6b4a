package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/api"
	"github.com/atozbot/atozbot/app/live"
)

// isProblem holds an answer against RFC 9457 and our own promises.
func isProblem(t testing.TB, w *httptest.ResponseRecorder) api.Problem {
	t.Helper()
	if ct := w.Header().Get("Content-Type"); ct != "application/problem+json" {
		t.Fatalf("%d is answered as %q: %s", w.Code, ct, w.Body)
	}
	p := decode[api.Problem](t, w)
	if p.Status != w.Code || p.Title == "" || p.Detail == "" || p.Code == "" || p.RequestID == "" || p.RequestID != w.Header().Get("X-Request-Id") {
		t.Errorf("the problem of a %d is not whole: %s", w.Code, w.Body)
	}
	return p
}

func TestEverythingThatGoesWrongIsAProblem(t *testing.T) {
	long := `{"session_name":"` + strings.Repeat("x", 1<<20) + `"}`
	for _, c := range []struct {
		name, method, target, body string
		headers                    []string
		status                     int
		location                   string
	}{
		{"an unknown address", "GET", "/api/nothing", "", nil, 404, ""},
		{"an address that is not clean", "GET", "/api//bot/status", "", nil, 404, ""},
		{"an address that climbs", "GET", "/api/bot/../bot/status", "", nil, 404, ""},
		{"a wrong method", "DELETE", "/api/bot/status", "", nil, 405, ""},
		{"an invented method", "BREW", "/api/bot/status", "", nil, 405, ""},
		{"a wrong method at a stream", "POST", "/api/events", "", nil, 405, ""},
		{"a wrong method at health", "POST", "/health", "", nil, 405, ""},
		{"a body that is too large", "POST", "/api/bot/start", long, nil, 413, ""},
		{"a body that is too large where none is wanted", "POST", "/api/bot/stop", long, nil, 413, ""},
		{"a body that is no JSON", "POST", "/api/bot/start", `{"session_name":`, nil, 400, "body"},
		{"a body with something after it", "POST", "/api/bot/start", `{} {}`, nil, 400, "body"},
		{"no body where one is needed", "PUT", "/api/bot/configuration", "", nil, 400, ""},
		{"a body of another type", "PUT", "/api/bot/configuration", `a=1`, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "body"},
		{"a body of another kind", "PUT", "/api/bot/configuration", `[]`, nil, 422, "body"},
		{"a text for a number", "PUT", "/api/bot/configuration", `{"max_accept_per_run":"5"}`, nil, 422, "body.max_accept_per_run"},
		{"a number out of range", "PUT", "/api/bot/configuration", `{"max_accept_per_run":0}`, nil, 422, "body.max_accept_per_run"},
		{"a number that no variable holds", "PUT", "/api/bot/configuration", `{"max_accept_per_run":1e400}`, nil, 422, "body.max_accept_per_run"},
		{"a fraction for a whole number", "PUT", "/api/bot/configuration", `{"max_accept_per_run":5.5}`, nil, 422, "body.max_accept_per_run"},
		{"null for a number", "PUT", "/api/bot/configuration", `{"max_accept_per_run":null}`, nil, 422, "body.max_accept_per_run"},
		{"null for a list", "PUT", "/api/bot/configuration", `{"languages":null}`, nil, 422, "body.languages"},
		{"null in a list", "PUT", "/api/bot/configuration", `{"languages":[null]}`, nil, 422, "body.languages[0]"},
		{"an unknown field", "PUT", "/api/bot/configuration", `{"max_accept":5}`, nil, 422, "body.max_accept"},
		{"a field in other letters", "PUT", "/api/bot/configuration", `{"MODE":"live"}`, nil, 422, "body.MODE"},
		{"a field twice", "PUT", "/api/bot/configuration", `{"mode":"watch","mode":"live"}`, nil, 422, "body.mode"},
		{"a word that is none of them", "PUT", "/api/bot/configuration", `{"mode":"wild"}`, nil, 422, "body.mode"},
		{"a weekday that is none", "PUT", "/api/bot/configuration", `{"weekly_hours":{"monday":[]}}`, nil, 422, "body.weekly_hours.monday"},
		{"hours with one end", "PUT", "/api/bot/configuration", `{"weekly_hours":{"mon":[["08:00"]]}}`, nil, 422, "body.weekly_hours.mon[0]"},
		{"an unknown field further in", "PUT", "/api/bot/configuration", `{"days_off":[{"from":"2027-01-01","to":"2027-01-01","why":"x"}]}`, nil, 422, "body.days_off[0].why"},
		{"a field that is missing further in", "PUT", "/api/bot/configuration", `{"days_off":[{"from":"2027-01-01"}]}`, nil, 422, "body.days_off[0].to"},
		{"a control character", "PUT", "/api/bot/configuration", `{"languages":["Pol\u0000ish"]}`, nil, 422, "body.languages[0]"},
		{"what the rules refuse", "PUT", "/api/bot/configuration", `{"time_zone":"Europe/Nowhere"}`, nil, 422, "body.time_zone"},
		{"a version that is no longer in force", "PUT", "/api/bot/configuration", `{"mode":"live"}`, []string{"If-Match", `"99"`}, 409, ""},
		{"a limit of 0", "GET", "/api/bot/jobs?limit=0", "", nil, 422, "query.limit"},
		{"a limit of 1001", "GET", "/api/bot/jobs?limit=1001", "", nil, 422, "query.limit"},
		{"a limit in words", "GET", "/api/bot/sessions?limit=many", "", nil, 422, "query.limit"},
		{"a negative offset", "GET", "/api/bot/jobs?offset=-1", "", nil, 422, "query.offset"},
		{"a cursor that is none", "GET", "/api/bot/jobs?cursor=xyz", "", nil, 422, "query.cursor"},
		{"a cursor and an offset", "GET", "/api/bot/jobs?cursor=1&offset=1", "", nil, 422, "query.offset"},
		{"a status that is none", "GET", "/api/bot/jobs?status=won", "", nil, 422, "query.status"},
		{"a time that is none", "GET", "/api/bot/jobs?since=yesterday", "", nil, 422, "query.since"},
		{"hours that are none", "GET", "/api/bot/analytics?hours=0", "", nil, 422, "query.hours"},
		{"a job that is not there", "GET", "/api/bot/jobs/48213", "", nil, 404, ""},
		{"an id that is none", "GET", "/api/bot/jobs/%00", "", nil, 422, "path.id"},
		{"an event's id that is none", "GET", "/api/events?after=x", "", nil, 422, "query.after"},
		{"no WebSocket", "GET", "/ws", "", nil, 426, ""},
		{"a WebSocket of another version", "GET", "/ws", "", []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "8"}, 400, ""},
		{"an update without a type", "POST", "/api/bot/realtime-update", `{"data":{}}`, nil, 422, "body.type"},
		{"an update that tells too much", "POST", "/api/bot/realtime-update", `{"type":"x","data":"` + strings.Repeat("x", 70_000) + `"}`, nil, 422, "body.data"},
		{"a token that ended already", "POST", "/api/tokens", `{"name":"n","scope":"read","expires_at":"2020-01-01T00:00:00Z"}`, nil, 422, "body.expires_at"},
		{"a token without a scope", "POST", "/api/tokens", `{"name":"n"}`, nil, 422, "body.scope"},
		{"a token that is not there", "DELETE", "/api/tokens/none", "", nil, 404, ""},
		{"a calendar that is not there", "GET", "/calendar/guessed.ics", "", nil, 404, ""},
		{"a dependency that is not there", "GET", "/health/service/none", "", nil, 404, ""},
		{"a file of the docs that is not there", "GET", "/docs/nothing.js", "", nil, 404, ""},
		{"rules for a back-test that are refused", "POST", "/api/bot/rules/backtest", `{"rules":{"max_accept_per_run":0}}`, nil, 422, "body.rules.max_accept_per_run"},
		{"a back-test from no time", "POST", "/api/bot/rules/backtest", `{"since":"30x"}`, nil, 422, "body.since"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := request(newHouse().serve(t), c.method, c.target, c.body, c.headers...)
			if w.Code != c.status {
				t.Fatalf("answers %d %s, want %d", w.Code, w.Body, c.status)
			}
			p := isProblem(t, w)
			if c.location != "" && !located(p, c.location) {
				t.Errorf("names %+v, want %s", p.Errors, c.location)
			}
			if c.status == 405 && !strings.Contains(w.Header().Get("Allow"), "T") {
				t.Errorf("does not say what is allowed: %q", w.Header().Get("Allow"))
			}
		})
	}
}

func located(p api.Problem, location string) bool {
	for _, e := range p.Errors {
		if e.Location == location && e.Message != "" {
			return true
		}
	}
	return false
}

func TestNothingInnerAndNothingSecretLeaves(t *testing.T) {
	var log bytes.Buffer
	h := newHouse()
	o := h.options(h.hub(t))
	o.Log = slog.New(slog.NewJSONHandler(&log, nil))
	s := api.New(o)

	h.breakWith(errors.New("pq: password authentication failed for user atoz with hunter2"))
	for _, path := range []string{"/api/bot/jobs", "/api/bot/sessions", "/api/bot/jobs/export", "/api/bot/configuration", "/api/logs"} {
		w := request(s, "GET", path, "")
		p := isProblem(t, w)
		if w.Code != 500 || strings.Contains(w.Body.String(), "hunter2") {
			t.Errorf("%s answers %d %s", path, w.Code, w.Body)
		}
		if !strings.Contains(log.String(), p.RequestID) || !strings.Contains(log.String(), "hunter2") {
			t.Errorf("the log does not have the cause under the request's id: %s", &log)
		}
		log.Reset()
	}
	h.breakWith(nil)
	h.panics = true
	w := request(s, "GET", "/api/bot/status", "")
	if isProblem(t, w); w.Code != 500 || strings.Contains(w.Body.String(), "hunter2") {
		t.Errorf("a panic answers %d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "panicked") {
		t.Error("the log does not have the panic")
	}
	h.panics = false
	for _, body := range []string{`{"name":"hunter2hunter2`, `{"name":"n","scope":"hunter2"}`, `{"name":"n","scope":["hunter2"]}`, `{"name":{"password":"hunter2"},"scope":"read"}`, `"hunter2"`} {
		if w := request(s, "POST", "/api/tokens", body); w.Code < 400 || strings.Contains(w.Body.String(), "hunter2") {
			t.Errorf("the body %s is answered with %d %s: what was sent must not come back", body, w.Code, w.Body)
		}
	}
}

func TestWhileTheDatabaseIsAway(t *testing.T) {
	h := prepared()
	s := h.serve(t)
	h.goAway(true)
	for _, path := range []string{"/api/bot/jobs", "/api/bot/sessions", "/api/bot/jobs/export", "/api/bot/configuration", "/api/bot/analytics", "/api/bot/dashboard/metrics", "/api/logs", "/api/audit"} {
		w := request(s, "GET", path, "")
		isProblem(t, w)
		if w.Code != 503 || w.Header().Get("Retry-After") != "3" || strings.Contains(w.Body.String(), "10.9.8.7") {
			t.Errorf("%s answers %d, Retry-After %q, %s; want 503 with it", path, w.Code, w.Header().Get("Retry-After"), w.Body)
		}
	}
	for _, c := range [][2]string{{"GET", "/api/bot/status"}, {"POST", "/api/bot/pause"}, {"POST", "/api/bot/stop"}, {"GET", "/health"}, {"GET", "/metrics"}} {
		if w := request(s, c[0], c[1], ""); w.Code != 200 {
			t.Errorf("%s %s answers %d %s, want 200", c[0], c[1], w.Code, w.Body)
		}
	}
}

// brokenBody breaks off in the middle.
type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) {
	return 0, fmt.Errorf("read 10.9.8.7: %w", io.ErrUnexpectedEOF)
}
func (brokenBody) Close() error { return nil }

func TestABodyThatBreaksOffIsNoFaultOfOurs(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/api/bot/start", brokenBody{})
	r.ContentLength = 100
	r.Header.Set("Authorization", "Bearer "+environmentToken)
	w := httptest.NewRecorder()
	newHouse().serve(t).ServeHTTP(w, r)
	if isProblem(t, w); w.Code != http.StatusBadRequest {
		t.Errorf("answers %d %s, want 400", w.Code, w.Body)
	}
}

func TestARequestsIDIsKeptWhereItIsHarmless(t *testing.T) {
	s := newHouse().serve(t)
	for given, kept := range map[string]bool{"abc-123_x.y": true, "a b": false, "a\"b": false, strings.Repeat("a", 65): false, "": false} {
		if got := request(s, "GET", "/api/bot/status", "", "X-Request-Id", given).Header().Get("X-Request-Id"); (got == given) != kept || got == "" {
			t.Errorf("the id %q becomes %q", given, got)
		}
	}
}

func TestTheSendersIdentityReachesTheRooms(t *testing.T) {
	h := newHouse()
	seen := make(chan api.Identity, 1)
	o := h.options(h.hub(t))
	o.Sessions = sessionsFunc(func(ctx context.Context) { seen <- api.WhoOf(ctx) })
	request(api.New(o), "GET", "/api/bot/sessions", "")
	if who := <-seen; who.Kind != api.KindEnvironment || who.Scope != api.ScopeAdmin {
		t.Errorf("the room sees %+v", who)
	}
}

type sessionsFunc func(ctx context.Context)

func (f sessionsFunc) Sessions(ctx context.Context, _ api.SessionFilter) (api.Page[app.Session], error) {
	f(ctx)
	return api.Page[app.Session]{}, nil
}

func TestWhatIsDoneWhileTheDatabaseIsAwayReachesTheAuditLogLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := prepared()
		s := api.New(h.options(live.New(live.Options{Store: h})))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = s.Run(ctx) }()
		h.goAway(true)
		for _, wish := range []string{"pause", "resume", "stop"} {
			if w := request(s, "POST", "/api/bot/"+wish, ""); w.Code != 200 {
				t.Errorf("%s answers %d", wish, w.Code)
			}
		}
		time.Sleep(3 * time.Second) // Within the bubble's own time.
		h.goAway(false)
		time.Sleep(3 * time.Second)
		request(s, "POST", "/api/bot/rearm", "")
		cancel()
		<-done
		var got []string
		for _, e := range h.audit {
			got = append([]string{e.What}, got...)
		}
		if want := "bot.pause bot.resume bot.stop bot.rearm"; strings.Join(got, " ") != want {
			t.Errorf("the audit log has %v, want %s", got, want)
		}
	})
}
