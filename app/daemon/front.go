package daemon

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/atozbot/atozbot/app/api"
	"github.com/atozbot/atozbot/app/health"
)

// front answers from the first millisecond on: health by itself, and everything else
// through the rooms, once they are built.
type front struct {
	monitor *health.Monitor
	log     *slog.Logger
	usable  func() bool // Whether the database can be used, as far as its keeper knows.
	rooms   atomic.Pointer[http.Handler]
	opened  chan struct{} // Closed once there are rooms.
	// starting answers where there are no rooms yet.
	starting http.Handler
	// nosniff is a header's value, made once: some answers are asked for all day.
	nosniff []string
}

func newFront(monitor *health.Monitor, log *slog.Logger, usable func() bool, hsts bool) *front {
	return &front{
		monitor: monitor, log: log, usable: usable, opened: make(chan struct{}), nosniff: []string{"nosniff"},
		starting: api.Secure(http.HandlerFunc(sayStarting), hsts),
	}
}

// patienceRooms is how long a request of the first moments waits for the rooms, which
// are built in a fraction of it: nobody has to come back who only came early.
const patienceRooms = 2 * time.Second

// hurry is how long a request may wait while the database is known to be away: long
// enough for the journal, and short enough for people and load balancers.
const hurry = 1500 * time.Millisecond

// hurries tells whether a request must not wait for a database that is known to be away.
// Streams only look at memory and go on.
func (f *front) hurries(r *http.Request) bool {
	return !f.usable() && r.URL.Path != "/ws" && r.URL.Path != "/api/events"
}

// open lets requests through to the rooms. It is called once.
func (f *front) open(rooms http.Handler) {
	f.rooms.Store(&rooms)
	close(f.opened)
}

// await gives the rooms, and waits for them a moment; nil where they are not there then.
func (f *front) await(ctx context.Context) *http.Handler {
	if rooms := f.rooms.Load(); rooms != nil {
		return rooms
	}
	timer := time.NewTimer(patienceRooms)
	defer timer.Stop()
	select {
	case <-f.opened:
	case <-timer.C:
	case <-ctx.Done():
	}
	return f.rooms.Load()
}

// fault tells of a panic in a room, and answers where nothing was answered yet: the
// server would only close the connection.
func (f *front) fault(w http.ResponseWriter, r *http.Request) {
	fault := recover()
	if fault == nil {
		return
	}
	if fault == http.ErrAbortHandler { //nolint:errorlint // It is thrown as it is, and means to cut the connection.
		panic(fault)
	}
	f.log.Error("panic while a request was answered", "method", r.Method, "path", r.URL.Path, "fault", fault, "stack", string(debug.Stack()))
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(http.StatusInternalServerError)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"type": "about:blank", "title": "Internal Server Error", "status": http.StatusInternalServerError, "detail": "A fault of the program; the log has more.",
	}) // A client that went away needs no answer.
}

// ServeHTTP answers one request.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// The three that load balancers ask all day do not go through the API's chain.
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		var vital http.HandlerFunc
		switch r.URL.Path {
		case "/health":
			vital = f.monitor.Health
		case "/health/live":
			vital = f.monitor.Live
		case "/health/ready":
			vital = f.monitor.Ready
		}
		if vital != nil {
			w.Header()["X-Content-Type-Options"] = f.nosniff
			vital(w, r)
			return
		}
	}
	defer f.fault(w, r)
	rooms := f.await(r.Context())
	if rooms == nil {
		f.starting.ServeHTTP(w, r)
		return
	}
	if f.hurries(r) {
		ctx, cancel := context.WithTimeout(r.Context(), hurry)
		defer cancel()
		r = r.WithContext(ctx)
	}
	(*rooms).ServeHTTP(w, r)
}

// sayStarting answers where there are no rooms yet.
func sayStarting(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Retry-After", "1")
	w.Header().Set("Cache-Control", "no-store")
	if at := r.URL.Path; strings.HasPrefix(at, "/api") || strings.HasPrefix(at, "/health") || at == "/ws" {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusServiceUnavailable)
		_ = json.NewEncoder(w).Encode(map[string]any{
			"type": "about:blank", "title": "Service Unavailable", "status": http.StatusServiceUnavailable, "detail": "The program is starting.",
		}) // A client that went away needs no answer.
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Refresh", "1")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = w.Write([]byte("<!doctype html><html lang=en><title>atozbot</title><p>Starting. This page turns into the real one by itself.</p>\n"))
}
