package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/atozbot/atozbot/app"
)

const (
	requestIDHeader = "X-Request-Id"
	maxBody         = 1 << 20
	bodyTimeout     = 10 * time.Second
)

// call is what is known of one request on its way through.
type call struct {
	id       string
	identity Identity
	route    string // The pattern that matched, for the log and the figures.
	address  string // From where the request came, for the audit log.
}

type callKey struct{}

// callOf gives the call that ctx belongs to; an empty one where it belongs to none.
func callOf(ctx context.Context) *call {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c
	}
	return &call{}
}

// WhoOf gives who sent the request that ctx belongs to.
func WhoOf(ctx context.Context) Identity { return callOf(ctx).identity }

// RequestID gives the id of the request that ctx belongs to; "" where it has none.
func RequestID(ctx context.Context) string { return callOf(ctx).id }

// ids names requests: a word that differs from process to process, and a number.
type ids struct {
	prefix string
	last   atomic.Uint64
}

func newIDs(now time.Time) *ids {
	id := app.NewID(now)
	return &ids{prefix: id[len(id)-8:] + "-"}
}

func (i *ids) next() string {
	return i.prefix + strconv.FormatUint(i.last.Add(1), 36)
}

// of gives the id of r: the one that a proxy in front gave it, where that is harmless in
// a header and in a log.
func (i *ids) of(r *http.Request) string {
	given := r.Header.Get(requestIDHeader)
	if given == "" || len(given) > 64 {
		return i.next()
	}
	if strings.ContainsFunc(given, func(c rune) bool {
		plain := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.'
		return !plain
	}) {
		return i.next()
	}
	return given
}

// recorder notes what was answered. It hands the rest of the writer's abilities on.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap is for [http.ResponseController].
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Secure sets the headers that every page of the server carries, whoever gives it:
// nothing is guessed about its type, nobody frames it, no address leaks to other sites,
// and nothing is loaded that the page does not name itself. A page sets its own
// Content-Security-Policy over this one. hsts is for servers that are reached by TLS
// only.
func Secure(next http.Handler, hsts bool) http.Handler {
	headers := newSecurity()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers.page(w.Header(), hsts || r.TLS != nil)
		next.ServeHTTP(w, r)
	})
}

// security holds the values of headers that many answers share, which saves an
// allocation for each; a handler that wants another value sets a slice of its own.
type security struct {
	nosniff, sameOrigin, deny, nothing, transport, noPermission, noStore []string
}

func newSecurity() security {
	return security{
		nosniff:      []string{"nosniff"},
		sameOrigin:   []string{"same-origin"},
		deny:         []string{"DENY"},
		nothing:      []string{"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"},
		transport:    []string{"max-age=31536000"},
		noPermission: []string{"camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
		noStore:      []string{"no-store"},
	}
}

// page sets the headers of a page.
func (s security) page(h http.Header, tls bool) {
	s.data(h, tls)
	h["X-Frame-Options"] = s.deny
	h["Cross-Origin-Opener-Policy"] = s.sameOrigin
	h["Permissions-Policy"] = s.noPermission
}

// data sets the headers of an answer that is no page: those that are about windows and
// devices say nothing there.
func (s security) data(h http.Header, tls bool) {
	h["X-Content-Type-Options"] = s.nosniff
	h["Referrer-Policy"] = s.sameOrigin
	h["Cross-Origin-Resource-Policy"] = s.sameOrigin
	h["Content-Security-Policy"] = s.nothing
	if tls {
		h["Strict-Transport-Security"] = s.transport
	}
}

// ServeHTTP names the request, recognises its sender where the path asks for that, and
// sees to it that whatever happens inside leaves as a problem.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.vitals(w, r) {
		return
	}
	began := s.o.Now()
	rec := &recorder{ResponseWriter: w}
	c := &call{id: s.ids.of(r), address: addressOf(r)}
	h := w.Header()
	s.headers.data(h, s.o.HSTS || r.TLS != nil)
	h["X-Request-Id"] = []string{c.id}
	h["Cache-Control"] = s.headers.noStore
	r = r.WithContext(context.WithValue(r.Context(), callKey{}, c))

	defer s.finish(rec, r, c, began)
	if s.guarded(path.Clean("/" + r.URL.Path)) {
		identity, err := s.gate.identify(r)
		if err != nil {
			s.refuse(rec, r, err)
			return
		}
		c.identity = identity
	}
	if r.URL.Path != "/" && path.Clean(r.URL.Path) != strings.TrimSuffix(r.URL.Path, "/") {
		writeProblem(rec, notFound())
		return
	}
	s.mux.ServeHTTP(rec, r)
}

// vitals answers those who ask every second whether the server is alive, without the
// rest of the way: there is nobody to recognise, nothing to read and nothing that fails.
func (s *Server) vitals(w http.ResponseWriter, r *http.Request) bool {
	if r.URL.Path != "/health" || r.Method != http.MethodGet || s.o.Health.Health == nil {
		return false
	}
	w.Header()["X-Content-Type-Options"] = s.headers.nosniff
	s.o.Health.Health.ServeHTTP(w, r)
	return true
}

// guarded says which paths answer nobody but those who are known.
func (s *Server) guarded(p string) bool {
	if p == "/metrics" {
		return !s.o.MetricsElsewhere
	}
	return p == "/api" || strings.HasPrefix(p, "/api/") || p == "/ws" || strings.HasPrefix(p, "/ws/") || p == "/health/force-check"
}

// refuse answers with err and logs what is behind it.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err, "body")
	s.logProblem(r.Context(), p)
	writeProblem(w, p)
}

// addressOf gives the client's address without its port. Behind a proxy that is believed,
// the daemon has put the client's address there.
func addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// finish turns a panic into a problem, and notes the request in log and figures.
func (s *Server) finish(rec *recorder, r *http.Request, c *call, began time.Time) {
	if v := recover(); v != nil {
		s.panicked(rec, r, c, v)
	}
	took := s.o.Now().Sub(began)
	s.requests.observe(c.route, r.Method, rec.status, took)
	level := slog.LevelDebug
	if rec.status >= 500 && rec.status != http.StatusServiceUnavailable {
		level = slog.LevelError
	}
	if s.o.Log.Enabled(r.Context(), level) {
		s.o.Log.LogAttrs(r.Context(), level, "request",
			slog.String("request_id", c.id), slog.String("method", r.Method), slog.String("path", shown(r.URL.Path)),
			slog.Int("status", rec.status), slog.Duration("took", took), slog.String("who", c.identity.Name))
	}
}

// shown is a path as the log may hold it: a calendar's secret is part of its path.
func shown(p string) string {
	if strings.HasPrefix(p, "/calendar/") {
		return "/calendar/…"
	}
	return p
}

func (s *Server) panicked(rec *recorder, r *http.Request, c *call, v any) {
	if err, ok := v.(error); ok && (errors.Is(err, http.ErrAbortHandler) || r.Context().Err() != nil) {
		panic(http.ErrAbortHandler) // The client is gone, or the handler chose to break off.
	}
	s.o.Log.Error("api: a handler panicked", "request_id", c.id, "method", r.Method, "path", shown(r.URL.Path),
		"panic", fmt.Sprint(v), "stack", string(debug.Stack()))
	if rec.status != 0 {
		panic(http.ErrAbortHandler) // Half an answer is out: only breaking off tells the client.
	}
	writeProblem(rec, newProblem(http.StatusInternalServerError, app.CodeInternal, internalDetail))
}

// logProblem logs the cause of a problem that is not the client's doing.
func (s *Server) logProblem(ctx context.Context, p *problemError) {
	if p.cause == nil || ctx.Err() != nil {
		return
	}
	level := slog.LevelWarn
	if p.Status == http.StatusInternalServerError {
		level = slog.LevelError
	}
	s.o.Log.Log(ctx, level, "api: "+p.Detail, "request_id", callOf(ctx).id, "error", p.cause)
}

func notFound() *problemError {
	return newProblem(http.StatusNotFound, app.CodeNotFound, "There is nothing at this address.")
}

// readBody reads the whole body before the handler runs, so that a body that is too
// large, late or broken is the same problem at every operation.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, *problemError) {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return nil, nil
	}
	tooLarge := newProblem(http.StatusRequestEntityTooLarge, app.CodeInvalid, "The request's body is larger than 1 MiB.")
	if r.ContentLength > maxBody {
		w.Header().Set("Connection", "close")
		return nil, tooLarge
	}
	control := http.NewResponseController(w)
	// A server without deadlines, as in tests, has nothing to set.
	_ = control.SetReadDeadline(time.Now().Add(bodyTimeout))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	_ = control.SetReadDeadline(time.Time{})
	if err == nil {
		return body, nil
	}
	w.Header().Set("Connection", "close")
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, tooLarge
	}
	if late, ok := errors.AsType[net.Error](err); ok && late.Timeout() {
		return nil, newProblem(http.StatusRequestTimeout, app.CodeInvalid, "The request's body did not come in time.")
	}
	return nil, newProblem(http.StatusBadRequest, app.CodeInvalid, "The request's body broke off or is not framed as HTTP asks.")
}

// withBody gives r a body that was read already.
func withBody(r *http.Request, body []byte) *http.Request {
	if body == nil {
		return r
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	return r
}
