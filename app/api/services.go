package api

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// HealthJSON is the answer of /health.
type HealthJSON struct {
	Status    string       `json:"status" enum:"healthy,degraded,starting,unhealthy" example:"healthy"`
	Timestamp string       `json:"timestamp" format:"date-time" example:"2027-01-31T10:15:02Z"`
	Service   string       `json:"service" example:"AtoZ Bot Dashboard API"`
	Version   string       `json:"version" example:"1.0.0"`
	Checks    HealthChecks `json:"checks"`
}

// HealthChecks says how the dependencies are: healthy, or a word and a reason.
type HealthChecks struct {
	_ struct{} `additionalProperties:"true"`

	Database string `json:"database" example:"starting: attempt 3 of 10, connection refused"`
	Redis    string `json:"redis" example:"healthy"`
}

// DetailedHealthJSON is the answer of /health/detailed.
type DetailedHealthJSON struct {
	_ struct{} `additionalProperties:"true"`

	OverallStatus    string                       `json:"overall_status" example:"healthy"`
	Services         map[string]ServiceHealthJSON `json:"services" doc:"database, redis, bot_process, external_api (the portal) and websocket."`
	MonitoringActive bool                         `json:"monitoring_active" example:"true"`
	CheckInterval    float64                      `json:"check_interval" doc:"Seconds." example:"1"`
}

// ServiceHealthJSON is how one dependency is.
type ServiceHealthJSON struct {
	_ struct{} `additionalProperties:"true"`

	Status     string  `json:"status" enum:"healthy,unhealthy,connecting,disconnected,unknown" example:"healthy"`
	LastCheck  *string `json:"last_check" format:"date-time" example:"2027-01-31T10:15:02Z"`
	RetryCount int     `json:"retry_count" example:"0"`
}

// healthRoutes mounts the handlers of app/health and describes them. They are for load
// balancers and people before they have signed in, so nobody is asked for.
func (s *Server) healthRoutes() {
	h := s.o.Health
	s.health(h.Health, operation{
		method: http.MethodGet, path: "/health", id: "health", tag: tagHealth,
		summary:     "Whether everything is well",
		description: "Answered from what the monitor knows, whatever is down. 503 while the database cannot be used: then too with this body.",
	}, ref[HealthJSON](s), http.StatusServiceUnavailable)
	s.health(h.Live, operation{
		method: http.MethodGet, path: "/health/live", id: "health-live", tag: tagHealth, summary: "Whether the process is up",
		description: "200 whatever is down: for those who would restart a process that is dead.",
	}, vital("alive"), 0)
	s.health(h.Ready, operation{
		method: http.MethodGet, path: "/health/ready", id: "health-ready", tag: tagHealth, summary: "Whether it can act and record",
		description: "Be it in the journal. The problem says why not.",
		errors:      []int{http.StatusServiceUnavailable},
	}, vital("ready"), 0)
	s.health(h.Detailed, operation{
		method: http.MethodGet, path: "/health/detailed", id: "health-detailed", tag: tagHealth, summary: "How each dependency is",
		description: "database, redis, bot_process, external_api (the portal) and websocket, with what to do about each.",
	}, ref[DetailedHealthJSON](s), 0)
	s.health(h.Service, operation{
		method: http.MethodGet, path: "/health/service/{name}", id: "health-service", tag: tagHealth, summary: "How one dependency is",
		description: "The same as in /health/detailed.",
		errors:      []int{http.StatusNotFound},
	}, ref[ServiceHealthJSON](s), 0)
	s.health(h.ForceCheck, operation{
		method: http.MethodPost, path: "/health/force-check", id: "health-force-check", tag: tagHealth, scope: ScopeRead,
		summary:     "Check every dependency now",
		description: "Waits for what is found, 2.5 s at most, and answers as /health/detailed does.",
	}, ref[DetailedHealthJSON](s), 0)
}

// vital is the answer of a probe where all is well.
func vital(word string) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeObject, AdditionalProperties: true, Required: []string{"status"},
		Properties: map[string]*huma.Schema{
			"status":    {Type: huma.TypeString, Enum: []any{word}},
			"timestamp": {Type: huma.TypeString, Format: "date-time", Examples: []any{"2027-01-31T10:15:02.114Z"}},
		},
	}
}

// health mounts one handler. Its answer with the status also, where that is not 0, has
// the same form as the good one.
func (s *Server) health(handler http.Handler, o operation, schema *huma.Schema, also int) {
	if handler == nil {
		return
	}
	content := map[string]*huma.MediaType{"application/json": {Schema: schema}}
	op := &huma.Operation{Responses: map[string]*huma.Response{"200": {Description: "As it is.", Content: content}}}
	if also != 0 {
		op.Responses["503"] = &huma.Response{Description: "Not usable now.", Content: content}
	}
	if strings.Contains(o.path, "{name}") {
		op.Parameters = []*huma.Param{{Name: "name", In: "path", Required: true, Schema: &huma.Schema{
			Type: "string", Examples: []any{"database"},
		}, Description: "database, redis, bot_process, external_api or websocket."}}
	}
	s.plain(o, op, func(w http.ResponseWriter, r *http.Request) {
		guard := &problemGuard{ResponseWriter: w}
		handler.ServeHTTP(guard, r)
		guard.finish()
	})
}

// problemGuard turns what a foreign handler refuses into a problem of ours, with a code
// and the request's id. Other answers in JSON pass as they are, whatever their status.
type problemGuard struct {
	http.ResponseWriter
	refused int // The status that is answered with a problem instead; 0 for none.
	body    []byte
}

// WriteHeader holds back what is refused.
func (g *problemGuard) WriteHeader(status int) {
	if ct := g.Header().Get("Content-Type"); status >= 400 && ct != jsonType {
		g.refused = status
		return
	}
	g.ResponseWriter.WriteHeader(status)
}

// Write keeps the text of what is held back.
func (g *problemGuard) Write(b []byte) (int, error) {
	if g.refused != 0 {
		g.body = append(g.body, b...)
		return len(b), nil
	}
	return g.ResponseWriter.Write(b)
}

// Unwrap is for [http.ResponseController].
func (g *problemGuard) Unwrap() http.ResponseWriter { return g.ResponseWriter }

// finish answers with a problem where something was held back. The sentence of a problem
// is kept; that of a plain text is not, since nobody wrote it for strangers.
func (g *problemGuard) finish() {
	if g.refused == 0 {
		return
	}
	p := newProblem(g.refused, codeOf(g.refused), "This cannot be answered.")
	if g.refused == http.StatusNotFound {
		p.Detail = notFound().Detail
	}
	var said struct{ Detail string }
	if g.Header().Get("Content-Type") == problemType && json.Unmarshal(g.body, &said) == nil && said.Detail != "" {
		p.Detail = said.Detail
	}
	if after := g.Header().Get("Retry-After"); after != "" {
		p.retryAfter = 0
	}
	g.Header().Del("Content-Length")
	writeProblem(g.ResponseWriter, p)
}

// otherRoutes are the files for other programs.
func (s *Server) otherRoutes() {
	if s.o.Calendars != nil {
		s.plain(operation{
			method: http.MethodGet, path: "/calendar/{file}", shownPath: "/calendar/{secret}.ics", id: "calendar", tag: tagServices,
			summary:     "The accepted jobs as a calendar",
			description: "Whoever knows the feed's secret reads the feed.",
			errors:      []int{http.StatusNotFound, http.StatusServiceUnavailable},
		}, &huma.Operation{
			Parameters: []*huma.Param{{
				Name: "secret", In: "path", Required: true, Schema: &huma.Schema{Type: "string", Examples: []any{"k2vq7xw3t5"}},
				Description: "The feed's secret, as the page Settings shows it.",
			}},
			Responses: map[string]*huma.Response{"200": {
				Description: "The calendar.",
				Content:     map[string]*huma.MediaType{"text/calendar": {Schema: &huma.Schema{Type: "string", Examples: []any{"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n"}}}},
			}},
		}, s.calendar)
	}
	if !s.o.MetricsElsewhere {
		s.plain(operation{
			method: http.MethodGet, path: "/metrics", id: "metrics", tag: tagServices, scope: ScopeRead,
			summary:     "Figures for Prometheus",
			description: "Looks, outcomes, latency, journal, dependencies, requests and listeners. Served on METRICS_ADDR instead, without a token, where that is set.",
		}, &huma.Operation{Responses: map[string]*huma.Response{"200": {
			Description: "The figures.",
			Content:     map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: "string", Examples: []any{"atozbot_build_info{version=\"1.0.0\"} 1\n"}}}},
		}}}, s.requests.handler.ServeHTTP)
	}
	s.docsRoutes()
}

// calendar gives a feed. The secret is long and random, so its look-up is no oracle.
func (s *Server) calendar(w http.ResponseWriter, r *http.Request) {
	secret, ok := strings.CutSuffix(r.PathValue("file"), ".ics")
	if !ok || secret == "" || len(secret) > 128 {
		writeProblem(w, notFound())
		return
	}
	feed, err := s.o.Calendars.Feed(r.Context(), secret)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/calendar; charset=utf-8")
	h.Set("Cache-Control", "private, max-age=60")
	_, _ = w.Write(feed)
}
