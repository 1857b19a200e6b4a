package api

import (
	"log/slog"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/atozbot/atozbot/app"
)

// Options are what the API stands on. Bot, Sessions, Jobs, Configurations, Figures,
// Outside and Watch are required; the operations of the others are served where they are
// set.
type Options struct {
	Version string
	Commit  string
	Token   string // The token of the settings, with every right; "" for none.
	HSTS    bool   // Whether the server is reached by TLS only.
	// SessionCookie is the name of the dashboard's cookie, for the description.
	SessionCookie string

	Bot            Bot
	Sessions       Sessions
	Jobs           Jobs
	Configurations Configurations
	Figures        Figures
	Outside        Outside
	Watch          Watch
	// Check says whether a configuration can be in force: *app.Error CodeInvalid names
	// every wrong field.
	Check func(app.Configuration) error

	Authenticator Authenticator
	Tokens        Tokens
	Audit         AuditLog
	Logs          Logs
	Backtest      Backtest
	Calendars     Calendars
	Health        HealthHandlers
	Measured      []Measured
	// MetricsElsewhere says that /metrics has an address of its own: then it is not
	// served here. See [Server.Metrics].
	MetricsElsewhere bool

	// WriteTimeout is the longest that one message to a listener, or one part of an
	// export, may take to leave: a phone in a tunnel is let go and comes back. 10 s where 0.
	WriteTimeout time.Duration

	Now func() time.Time
	Log *slog.Logger
}

const defaultWriteTimeout = 10 * time.Second

// Server is the API. Make it with [New].
type Server struct {
	o        Options
	gate     *gate
	ids      *ids
	mux      *http.ServeMux
	api      huma.API
	requests *requestFigures
	headers  security
	pages    *pages
	ledger   *auditLedger
	outside  sync.Mutex       // Held while a report of an outside bot is stored.
	lenient  map[string]bool  // Patterns whose body may have fields that we don't know.
	scopes   map[string]Scope // By pattern; "" for those that ask for nobody.
	// bodies describes, by pattern, answers that their handlers encode by themselves.
	bodies map[string]*huma.Response
}

// New gives the API, which is the handler of everything that it [Serves]. It panics where a required option
// is missing, since nothing could be served without it.
func New(o Options) *Server {
	s := newServer(o)
	s.describe()
	return s
}

// Metrics is the handler of /metrics for an address of its own, where nobody is asked for.
func (s *Server) Metrics() http.Handler { return s.requests.handler }

// Serves says whether a path is the API's to answer, also one that is written in a
// roundabout way: the standard mux would answer that with a redirect, to anybody.
func Serves(p string) bool {
	p = path.Clean("/" + p)
	for _, own := range []string{"/api", "/ws", "/health", "/metrics", "/openapi.json", "/docs", "/calendar"} {
		if rest, ok := strings.CutPrefix(p, own); ok && (rest == "" || rest[0] == '/') {
			return true
		}
	}
	return false
}

func newServer(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.WriteTimeout <= 0 {
		o.WriteTimeout = defaultWriteTimeout
	}
	if o.SessionCookie == "" {
		o.SessionCookie = "atozbot_session"
	}
	s := &Server{
		o:       o,
		gate:    newGate(o),
		ids:     newIDs(o.Now()),
		mux:     http.NewServeMux(),
		lenient: map[string]bool{},
		scopes:  map[string]Scope{},
		bodies:  map[string]*huma.Response{},
		headers: newSecurity(),
		pages:   newPages(),
		ledger:  newAuditLedger(o),
	}
	s.requests = newRequestFigures(o)
	s.api = huma.NewAPI(s.config(), humago.NewAdapter(routes{s}, ""))
	s.mux.HandleFunc("/", s.nowhere)

	s.botRoutes()
	s.sessionRoutes()
	s.jobRoutes()
	s.configurationRoutes()
	s.figureRoutes()
	s.outsideRoutes()
	s.watchRoutes()
	s.accountRoutes()
	s.healthRoutes()
	s.otherRoutes()
	return s
}

// routes is the mux as the framework sees it: each route checks the scope and reads the
// body before the framework's handler runs.
type routes struct{ s *Server }

// ServeHTTP makes routes a mux to the framework.
func (t routes) ServeHTTP(w http.ResponseWriter, r *http.Request) { t.s.mux.ServeHTTP(w, r) }

// HandleFunc registers one route.
func (t routes) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	s := t.s
	scope := s.scopes[pattern]
	lenient := s.lenient[pattern]
	method, path, _ := strings.Cut(pattern, " ")
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		c := callOf(r.Context())
		c.route = path
		if scope != "" && !c.identity.Scope.Allows(scope) {
			writeProblem(w, forbidden(scope))
			return
		}
		body, problem := readBody(w, r)
		if problem == nil && body != nil && !lenient && isJSON(r) {
			problem = s.strict(method, path, body)
		}
		if problem != nil {
			writeProblem(w, problem)
			return
		}
		handler(w, withBody(r, body))
	})
}

func forbidden(wanted Scope) *problemError {
	return newProblem(http.StatusForbidden, app.CodeForbidden, "This needs the scope "+string(wanted)+".")
}

// nowhere answers what no route matches: another method where the path has one, else
// that there is nothing.
func (s *Server) nowhere(w http.ResponseWriter, r *http.Request) {
	if allowed := s.methods(r); len(allowed) > 0 {
		p := newProblem(http.StatusMethodNotAllowed, app.CodeInvalid, "This address does not take the method "+safeMethod(r.Method)+".")
		p.allow = strings.Join(allowed, ", ")
		writeProblem(w, p)
		return
	}
	writeProblem(w, notFound())
}

// methods gives the methods that r's path takes.
func (s *Server) methods(r *http.Request) []string {
	var allowed []string
	for _, m := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete} {
		probe := &http.Request{Method: m, URL: r.URL, Host: r.Host}
		if _, pattern := s.mux.Handler(probe); pattern != "/" && pattern != "" {
			allowed = append(allowed, m)
		}
	}
	return allowed
}

// safeMethod keeps an invented method out of the answer.
func safeMethod(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodTrace:
		return m
	default:
		return "that was sent"
	}
}

// isJSON says whether the body of r is to be read as JSON, as the framework decides it.
func isJSON(r *http.Request) bool {
	ct, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	ct = strings.TrimSpace(ct)
	return ct == "" || ct == "application/json" || strings.HasSuffix(ct, "+json")
}
