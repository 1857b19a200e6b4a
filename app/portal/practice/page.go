package practice

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"embed"
	"html/template"
	"net/http"
	"strconv"
	"strings"
)

//go:embed templates
var templates embed.FS

// pages are the templates, read once: they are part of the program, and cannot fail.
var pages = template.Must(template.ParseFS(templates, "templates/*.html"))

// frame is what a page of the portal shows; each template takes what it needs of it.
type frame struct {
	Title, Heading, Text string
	Guest                bool // Nobody is logged in, or it is not said who.
	Bare                 bool // A page of the framework, without the portal's header.

	Name, Email   string
	Token         string
	Flash         string
	Trouble       bool // The flash is a complaint.
	BoardPath     string
	Charset       string
	Noise         string        // Different on every page.
	Clutter       bool          // Other tables and forms than the ones that matter.
	Rows          template.HTML // Of the board.
	Next, Prev    string
	PageNumber    int
	Dialog        dialog
	DialogJob     int64
	DialogLock    string
	Ref           string
	Old           bool // The older layout.
	Lines         []line
	CanReject     bool
	CanAccept     bool
	RejectAsInput bool
	Number        int64
	Lock          string
	Base          string // Before every path: nothing, a prefix, or the host, too.
	HiddenCancel  bool
	MoreFields    bool // Of the log-in form.
}

// line is a labelled line of a details page.
type line struct {
	Label string
	HTML  template.HTML
}

// dialog is a question that the portal puts.
type dialog string

const (
	dialogNone        dialog = ""
	dialogShortNotice dialog = "24HourModal"
	dialogCancel      dialog = "cancelModal"
)

// render makes a page of a template. The lock is held.
func (p *Portal) render(v *visit, status int, name string, f frame) answer {
	f.Charset = p.scenario.Look.charset()
	f.BoardPath = p.scenario.Board.Path
	f.Clutter, f.MoreFields = p.scenario.Look.Clutter, p.scenario.Look.LoginFields
	if p.scenario.Look.Noise {
		f.Noise = strconv.FormatUint(mix(p.scenario.Seed, "noise", p.tally.requests), 36)
	}
	f.Base = p.base(v.r, p.scenario.Look.AbsoluteLinks)
	if s := v.session; s != nil {
		f.Token, f.Email = s.token, s.email
		if !f.Bare {
			f.Flash, f.Trouble = s.flash, s.trouble
			s.flash, s.trouble = "", false
		}
		for _, a := range p.scenario.Accounts {
			if a.Email == s.email {
				f.Name = a.Name
			}
		}
	}
	return answer{status: status, body: execute(name, f)}
}

// rendered is render for those who do not hold the lock.
func (p *Portal) rendered(v *visit, status int, name string, f frame) answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.render(v, status, name, f)
}

// words is a page of the portal that only says something.
func (p *Portal) words(v *visit, status int, heading, text string) answer {
	return p.render(v, status, "words.html", frame{Title: heading, Heading: heading, Text: text})
}

// page is a page without anything of the moment in it.
func page(name string) []byte { return execute(name, frame{}) }

// execute runs a template. One that fails shows that in its place: the templates are
// ours, and the tests go through every one of them.
func execute(name string, f frame) []byte {
	var b bytes.Buffer
	b.Grow(len(f.Rows) + 4096)
	if err := pages.ExecuteTemplate(&b, name, f); err != nil {
		return []byte("The page could not be made: " + err.Error())
	}
	return b.Bytes()
}

// base stands before every path of the portal: its prefix, and where wanted the host, as
// the client called it.
func (p *Portal) base(r *http.Request, absolute bool) string {
	switch {
	case !absolute:
		return p.scenario.Prefix
	case r.TLS != nil:
		return "https://" + r.Host + p.scenario.Prefix
	}
	return "http://" + r.Host + p.scenario.Prefix
}

// locate writes where a redirect leads. A path is the portal's; anything else stays.
func (p *Portal) locate(r *http.Request, to string) string {
	if !strings.HasPrefix(to, "/") {
		return to
	}
	return p.base(r, p.scenario.Look.AbsoluteLinks) + to
}

// wanted is the path and query of a request, without the portal's prefix.
func (p *Portal) wanted(v *visit) string {
	if v.r.URL.RawQuery == "" {
		return v.path
	}
	return v.path + "?" + v.r.URL.RawQuery
}

// write sends an answer in the charset and encoding that the portal has.
func (p *Portal) write(w http.ResponseWriter, r *http.Request, a answer) {
	h := w.Header()
	for name, value := range a.header {
		h.Set(name, value)
	}
	if a.cookie != nil {
		http.SetCookie(w, a.cookie)
	}
	if p.scenario.Look.Noise {
		http.SetCookie(w, &http.Cookie{Name: "XSRF-TOKEN", Value: rand.Text(), Path: "/"})
	}
	if a.location != "" {
		h.Set("Location", p.locate(r, a.location))
		a.body = []byte("<!DOCTYPE html><title>Redirecting</title><p>Redirecting.</p>\n")
	}
	look := &p.scenario.Look
	h.Set("Cache-Control", "no-cache, private")
	if !a.raw {
		a.body = look.encode(a.body)
	}
	h.Set("Content-Type", look.contentType())
	if look.Gzip && len(a.body) > 512 && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		h.Set("Vary", "Accept-Encoding")
		a.body = p.compress(a.body)
	}
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(a.body)
	}
}

// compress packs a body. Writers are big, and kept for the next one.
func (p *Portal) compress(b []byte) []byte {
	out := bytes.NewBuffer(make([]byte, 0, len(b)/4))
	z, kept := p.packers.Get().(*gzip.Writer)
	if !kept {
		z, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // There is such a level.
	}
	z.Reset(out)
	_, _ = z.Write(b)
	_ = z.Close()
	p.packers.Put(z)
	return out.Bytes()
}

// serveStyle sends the style sheet.
func (p *Portal) serveStyle(w http.ResponseWriter) {
	css, _ := templates.ReadFile("templates/portal.css")
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "max-age=3600")
	_, _ = w.Write(css)
}
