package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
)

// patience is how long a page waits for the records before it shows itself without them.
const patience = 2 * time.Second

// maxForm is the most that a form may carry.
const maxForm = 256 << 10

// visit is one request for a page by somebody who was let in.
type visit struct {
	site   *Site
	w      http.ResponseWriter
	r      *http.Request
	person Person
	*spoken
	acts    bool // The configuration lets the bot act.
	outside bool // Somebody who was not let in: no navigation, no notices.
}

// view is what a page handler hands back to be shown.
type view struct {
	page   string // The template's file.
	piece  string // A part of it alone, without the layout; "" for the whole page.
	title  string // In the language of the visit.
	nav    string
	live   bool
	bare   bool
	status int // 0 is 200.
	data   any
}

// after is where an act leads: a page and what is said on it.
type after struct {
	to   string // "" is where the form came from.
	say  string // The key of what is said.
	args []string
	undo string // Where a POST takes it back; "" where it cannot be.
	tone string // "" is well.
}

// page lets only those in who may come, and shows what the handler hands back.
func (s *Site) page(show func(*visit) (*view, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		v, ok := s.letIn(w, r.WithContext(ctx))
		if !ok {
			return
		}
		shown, err := show(v)
		if err != nil {
			s.showFailure(v, err)
			return
		}
		if shown != nil {
			s.show(v, shown)
		}
	})
}

// act lets only those in who may come, does what the form asks for, and leads on to a
// page that says what was done.
func (s *Site) act(do func(*visit) (*after, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		v, ok := s.letIn(w, r)
		if !ok {
			return
		}
		if err := r.ParseForm(); err != nil {
			s.showError(w, r, http.StatusBadRequest, "error.form")
			return
		}
		about := s.deedOf(v)
		next, err := do(v)
		switch {
		case err != nil:
			next = s.failed(v, err)
		case next != nil:
			s.done(v, about)
		}
		if next == nil {
			return // It was answered already.
		}
		if next.say != "" {
			setFlash(w, r, s.proxies.secure(r), flash{Say: next.say, Args: next.args, Undo: next.undo, Tone: next.tone})
		}
		to := next.to
		if to == "" {
			to = local(r.PostForm.Get("back"))
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
	})
}

// failed turns an error into what the user is told: the sentence where it has one, and
// that something went wrong, with the rest in the log, where it has none.
func (s *Site) failed(v *visit, err error) *after {
	if e, ok := errors.AsType[*app.Error](err); ok && e.Code != app.CodeInternal {
		return &after{say: "flash.failed", args: []string{"reason", v.voice.retell(e.Message)}, tone: "bad"}
	}
	if codeOf(err) == app.CodeUnavailable {
		return &after{say: "flash.away", tone: "bad"}
	}
	s.Log.Error("an act of the dashboard failed", "path", v.r.URL.Path, "request", v.w.Header().Get(requestID), "error", err)
	return &after{say: "flash.internal", tone: "bad"}
}

// visit makes the visit of somebody who was let in.
func (s *Site) visit(w http.ResponseWriter, r *http.Request, p Person) *visit {
	v := &visit{site: s, w: w, r: r, person: p}
	zone := "UTC"
	if c, err := s.Configurations.Configuration(r.Context()); err == nil {
		zone, v.acts = c.TimeZone, c.Mode == app.ModeLive
	}
	v.spoken = s.views.voice(r, zone)
	return v
}

// show writes a view.
func (s *Site) show(v *visit, shown *view) {
	status := shown.status
	if status == 0 {
		status = http.StatusOK
	}
	data, piece := shown.data, shown.piece
	if piece == "" {
		piece = "layout"
		data = &frame{
			Title: shown.title, Nav: shown.nav, Path: v.r.URL.RequestURI(), Live: shown.live, Bare: shown.bare || v.outside,
			Demo: s.Demo, Version: s.Version, Person: v.person, Words: v.voice.words,
			Said: v.said(takeFlash(v.w, v.r)), Notices: s.notices(v, shown.bare), Data: shown.data,
		}
	}
	if err := s.views.render(v.w, v.r, v.spoken, shown.page, piece, status, data); err != nil {
		s.Log.Error("a page could not be made", "path", v.r.URL.Path, "request", v.w.Header().Get(requestID), "error", err)
		http.Error(v.w, "This page could not be made. The log says why.", http.StatusInternalServerError)
	}
}

// notices are what every page must say: that nothing is real, or that the records are
// kept elsewhere for now.
func (s *Site) notices(v *visit, bare bool) []notice {
	var all []notice
	if v.outside || bare {
		return nil
	}
	snapshot := s.Health.Snapshot()
	if snapshot.Fallback != "" {
		all = append(all, notice{Tone: "warn", Text: v.voice.say("notice.fallback", "reason", v.voice.retell(snapshot.Fallback))})
	}
	for _, service := range snapshot.Services {
		if service.Name == "database" && snapshot.Started && service.State == ServiceUnhealthy {
			all = append(all, notice{Tone: "warn", Text: v.voice.say("notice.database", "count", snapshot.Journaled)})
		}
	}
	return all
}

// showFailure shows the page for an error of a page handler.
func (s *Site) showFailure(v *visit, err error) {
	code := codeOf(err)
	if code == app.CodeInternal {
		s.Log.Error("a page failed", "path", v.r.URL.Path, "request", v.w.Header().Get(requestID), "error", err)
	}
	if code == app.CodeUnavailable {
		v.w.Header().Set("Retry-After", "2")
	}
	s.show(v, errorView(v, statusOf(code), "error."+string(code)))
}

// showError shows an error to somebody of whom nothing is known.
func (s *Site) showError(w http.ResponseWriter, r *http.Request, status int, key string) {
	v := s.visit(w, r, Person{}).bare()
	s.show(v, errorView(v, status, key))
}

// errorPage is what an error page says.
type errorPage struct {
	What, Safe, Todo string // What happened, what is safe, what to do.
	Status           int
	Again            bool // Trying again may help.
}

func errorView(v *visit, status int, key string) *view {
	if !v.voice.knows(key + ".what") {
		key = "error.internal"
	}
	return &view{
		page: "error", status: status, title: v.voice.say(key + ".what"),
		data: errorPage{
			What: v.voice.say(key + ".what"), Safe: v.voice.say(key + ".safe"), Todo: v.voice.say(key + ".todo"),
			Status: status, Again: status >= http.StatusInternalServerError,
		},
	}
}

func (s *Site) notFound(v *visit) (*view, error) {
	return errorView(v, http.StatusNotFound, "error.not_found"), nil
}

// codeOf is app.CodeOf, where patience that ended is a database that is away: it hangs.
func codeOf(err error) app.Code {
	if code := app.CodeOf(err); code != app.CodeInternal || !errors.Is(err, context.DeadlineExceeded) {
		return code
	}
	return app.CodeUnavailable
}

// statusOf maps a code to a status of HTTP.
func statusOf(code app.Code) int {
	switch code {
	case app.CodeInvalid:
		return http.StatusUnprocessableEntity
	case app.CodeNotFound:
		return http.StatusNotFound
	case app.CodeConflict:
		return http.StatusConflict
	case app.CodeUnauthorized:
		return http.StatusUnauthorized
	case app.CodeForbidden:
		return http.StatusForbidden
	case app.CodeRateLimited:
		return http.StatusTooManyRequests
	case app.CodeUnavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// local gives a path of this server to lead on to, and "/" for everything else: a form
// must not lead to another site.
func local(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(to, "/") ||
		strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n") {
		return "/"
	}
	return to
}
