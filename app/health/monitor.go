package health

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// ServiceName is the service's name in `/health`, as the predecessor had it.
const ServiceName = "AtoZ Bot Dashboard API"

// Status is a service's state in the words of `/health/detailed`.
type Status string

// The statuses.
const (
	StatusHealthy      Status = "healthy"
	StatusUnhealthy    Status = "unhealthy"
	StatusConnecting   Status = "connecting"
	StatusDisconnected Status = "disconnected"
	StatusUnknown      Status = "unknown"
)

// Service is one service of `/health/detailed`. Reason and Advice name no host, address
// or password.
type Service struct {
	Status    Status
	Reason    string
	Advice    string
	LastCheck time.Time
	LastGood  time.Time
	Since     time.Time
	Retries   int
	// Attempt of Attempts is set while the start is counted.
	Attempt, Attempts int
	NextTry           time.Time
	// More is shown beside the rest; its values are fit for strangers.
	More map[string]any
}

// Service puts a keeper's state into the words of `/health/detailed`.
func (s *State) Service() Service {
	v := Service{
		Reason: s.Problem.Words, Advice: s.Problem.Advice, LastCheck: s.LastCheck, LastGood: s.LastGood,
		Since: s.Since, Retries: s.Retries, Attempt: s.Attempt, Attempts: s.Attempts, NextTry: s.NextTry,
	}
	switch s.Phase {
	case Healthy:
		v.Status = StatusHealthy
	case Starting:
		v.Status = StatusConnecting
	default:
		v.Status = StatusUnhealthy
	}
	if s.Phase != Healthy {
		v.More = map[string]any{"detail": s.Check()}
	}
	return v
}

// MonitorOptions are what a [Monitor] needs. Everything it asks must answer from memory.
type MonitorOptions struct {
	Version  string
	Database *Keeper
	Redis    *Keeper
	// Others are the services that no keeper keeps: bot_process, external_api, websocket.
	Others map[string]func() Service
	// Ready tells whether the process can do its work: act and record, be it in the
	// journal. The reason is for strangers.
	Ready func() (ok bool, reason string)
	// More is what else `/health/detailed` shows: how much waits in the journal.
	More func() map[string]any
	Now  func() time.Time
}

// Monitor answers the health endpoints from what the keepers know.
type Monitor struct {
	o      MonitorOptions
	cached atomic.Pointer[answer]
	// Values of headers that are the same in every answer, made once.
	jsonType, noStore, retryAfter []string
}

// answer is a rendered `/health` but for its time.
type answer struct {
	database, redis *State
	status          int
	head, tail      []byte
}

// NewMonitor makes a monitor.
func NewMonitor(o MonitorOptions) *Monitor {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Monitor{o: o, jsonType: []string{"application/json"}, noStore: []string{"no-store"}, retryAfter: []string{"2"}}
}

// Overall is the status of `/health` and the HTTP status that goes with it.
func (m *Monitor) Overall() (string, int) {
	return overall(m.o.Database.State(), m.o.Redis.State())
}

func overall(database, redis *State) (string, int) {
	switch {
	case !database.Usable():
		return string(database.Phase), http.StatusServiceUnavailable
	case database.Phase == Degraded || redis.Phase != Healthy:
		return string(Degraded), http.StatusOK
	default:
		return string(Healthy), http.StatusOK
	}
}

// Health is GET /health.
func (m *Monitor) Health(w http.ResponseWriter, r *http.Request) {
	if !reading(w, r) {
		return
	}
	a := m.answer()
	var room [512]byte
	body := append(room[:0], a.head...)
	body = m.o.Now().UTC().AppendFormat(body, "2006-01-02T15:04:05.000000Z07:00")
	body = append(body, a.tail...)
	header := w.Header()
	header["Content-Type"], header["Cache-Control"] = m.jsonType, m.noStore
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	if a.status != http.StatusOK {
		header["Retry-After"] = m.retryAfter
	}
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // A client that went away needs no answer.
	}
}

// answer renders `/health` anew only where something changed since the last time.
func (m *Monitor) answer() *answer {
	database, redis := m.o.Database.State(), m.o.Redis.State()
	if a := m.cached.Load(); a != nil && a.database == database && a.redis == redis {
		return a
	}
	word, status := overall(database, redis)
	a := &answer{database: database, redis: redis, status: status}
	a.head = append(appendText([]byte(`{"status":`), word), `,"timestamp":"`...)
	a.tail = appendText([]byte(`","service":`), ServiceName)
	a.tail = appendText(append(a.tail, `,"version":`...), m.o.Version)
	a.tail = appendText(append(a.tail, `,"checks":{"database":`...), database.Check())
	a.tail = appendText(append(a.tail, `,"redis":`...), redis.Check())
	a.tail = append(a.tail, "}}\n"...)
	m.cached.Store(a)
	return a
}

func appendText(b []byte, text string) []byte {
	quoted, _ := json.Marshal(text) // A string always marshals.
	return append(b, quoted...)
}

// Live is GET /health/live: who answers is alive, whatever is down.
func (m *Monitor) Live(w http.ResponseWriter, r *http.Request) {
	if reading(w, r) {
		m.write(w, map[string]any{"status": "alive", "timestamp": stamp(m.o.Now())})
	}
}

// Ready is GET /health/ready.
func (m *Monitor) Ready(w http.ResponseWriter, r *http.Request) {
	if !reading(w, r) {
		return
	}
	if ok, reason := m.o.Ready(); !ok {
		w.Header()["Retry-After"] = m.retryAfter
		writeProblem(w, http.StatusServiceUnavailable, "Not ready: "+strings.TrimSuffix(reason, ".")+".")
		return
	}
	m.write(w, map[string]any{"status": "ready", "timestamp": stamp(m.o.Now())})
}

// Services gives every service by its name.
func (m *Monitor) Services() map[string]Service {
	services := map[string]Service{"database": m.o.Database.State().Service(), "redis": m.o.Redis.State().Service()}
	for name, ask := range m.o.Others {
		services[name] = ask()
	}
	return services
}

// Detailed is GET /health/detailed.
func (m *Monitor) Detailed(w http.ResponseWriter, r *http.Request) {
	if reading(w, r) {
		m.writeDetailed(w)
	}
}

func (m *Monitor) writeDetailed(w http.ResponseWriter) {
	word, _ := m.Overall()
	services := map[string]any{}
	for name, service := range m.Services() {
		if word == string(Healthy) && service.Status == StatusUnhealthy {
			word = string(Degraded)
		}
		services[name] = service.shown()
	}
	body := map[string]any{
		"overall_status":    word,
		"services":          services,
		"monitoring_active": true,
		"check_interval":    m.o.Database.o.Every.Seconds(),
		"timestamp":         stamp(m.o.Now()),
		"version":           m.o.Version,
	}
	if m.o.More != nil {
		for name, value := range m.o.More() {
			body[name] = value
		}
	}
	m.write(w, body)
}

// Service is GET /health/service/{name}.
func (m *Monitor) Service(w http.ResponseWriter, r *http.Request) {
	if !reading(w, r) {
		return
	}
	name := r.PathValue("name")
	service, ok := m.Services()[name]
	if !ok {
		writeProblem(w, http.StatusNotFound, "There is no service of this name.")
		return
	}
	shown := service.shown()
	shown["name"] = name
	m.write(w, shown)
}

// longestCheck bounds a forced check: two time-outs of a probe.
const longestCheck = 2500 * time.Millisecond

// ForceCheck is POST /health/force-check. Who may ask for it is the caller's matter.
func (m *Monitor) ForceCheck(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		writeProblem(w, http.StatusMethodNotAllowed, "Only POST is answered here.")
		return
	}
	m.Check(r.Context())
	m.writeDetailed(w)
}

// Check looks at every dependency now and waits for what is found, 2.5 s at most.
func (m *Monitor) Check(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, longestCheck)
	defer cancel()
	var both sync.WaitGroup
	both.Go(func() { m.o.Database.Check(ctx) })
	both.Go(func() { m.o.Redis.Check(ctx) })
	both.Wait()
}

// shown is the service as JSON has it.
func (s Service) shown() map[string]any {
	shown := map[string]any{
		"status":      s.Status,
		"last_check":  stamp(s.LastCheck),
		"retry_count": s.Retries,
		"last_good":   stamp(s.LastGood),
	}
	if s.Reason != "" {
		shown["reason"] = s.Reason
	}
	if s.Advice != "" {
		shown["advice"] = s.Advice
	}
	if !s.Since.IsZero() {
		shown["since"] = stamp(s.Since)
	}
	if s.Attempts > 0 {
		shown["attempt"], shown["attempts"] = s.Attempt, s.Attempts
	}
	if !s.NextTry.IsZero() {
		shown["next_try"] = stamp(s.NextTry)
	}
	for name, value := range s.More {
		shown[name] = value
	}
	return shown
}

// stamp is a time as the API writes it, or null where it never was.
func stamp(at time.Time) any {
	if at.IsZero() {
		return nil
	}
	return at.UTC().Format("2006-01-02T15:04:05.000Z07:00")
}

func reading(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	w.Header().Set("Allow", "GET, HEAD")
	writeProblem(w, http.StatusMethodNotAllowed, "Only GET and HEAD are answered here.")
	return false
}

func (m *Monitor) write(w http.ResponseWriter, body any) {
	header := w.Header()
	header["Content-Type"], header["Cache-Control"] = m.jsonType, m.noStore
	_ = json.NewEncoder(w).Encode(body) // A client that went away needs no answer.
}

// writeProblem answers as RFC 9457 has it.
func writeProblem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": detail,
	}) // A client that went away needs no answer.
}
