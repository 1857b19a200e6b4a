package web

import (
	"bytes"
	"compress/gzip"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:embed templates/*.html
var templateFiles embed.FS

// views turns a page's data into HTML, in the language and on the clock of whoever asks.
type views struct {
	assets    *assets
	catalogue *catalogue
	clock     func() time.Time
	shared    *template.Template // The layout and the parts ("_….html"), never executed.

	mu     sync.Mutex
	voiced map[string]*spoken // By language and zone.
	zones  map[string]*time.Location

	writers sync.Pool // Of *gzip.Writer: each takes 800 kB to make.
}

// spoken is the templates with the functions of one voice.
type spoken struct {
	voice *voice
	pages map[string]*template.Template
}

// frame is what the layout shows around a page.
type frame struct {
	Title   string
	Nav     string // The page's place in the navigation.
	Path    string // Where forms come back to.
	Live    bool   // Whether the page listens to the stream.
	Bare    bool   // Neither navigation nor stream: sign-in, waiting, offline.
	Demo    bool
	Version string
	Person  Person
	Said    *said
	Notices []notice
	Words   *words
	Data    any
}

// notice is a line at the top of every page.
type notice struct {
	Tone string // "warn" or "bad".
	Text string
}

func newViews(a *assets, clock func() time.Time) (*views, error) {
	c, err := newCatalogue()
	if err != nil {
		return nil, err
	}
	v := &views{
		assets: a, catalogue: c, clock: clock,
		voiced: map[string]*spoken{},
		zones:  map[string]*time.Location{"UTC": time.UTC},
	}
	v.writers.New = func() any { return gzip.NewWriter(io.Discard) }
	stand := v.functions(newVoice(c.all[0], time.UTC, clock)) // They only stand for the real ones.
	if v.shared, err = template.New("").Funcs(stand).ParseFS(templateFiles, "templates/_*.html"); err != nil {
		return nil, fmt.Errorf("parse the layout: %w", err)
	}
	return v, nil
}

// functions are what templates call; those that speak do it in the given voice.
func (v *views) functions(s *voice) template.FuncMap {
	return template.FuncMap{
		"t": s.say, "retell": s.retell, "known": s.knows, "th": s.sayHTML,
		"clock": s.clock, "exact": s.exact, "day": s.day, "date": s.date, "longDate": s.longDate,
		"moment": s.moment, "span": s.span, "ago": s.ago, "age": s.age, "countdown": s.countdown,
		"length": s.length, "took": s.took, "number": s.number, "decimal": s.decimal, "percent": s.percent,
		"list": s.list, "counter": s.counter, "lang": func() string { return s.code }, "zone": func() string { return s.zone.String() },
		"upperFirst": upperFirst,
		"right":      func() bool { return s.right }, "iso": iso,
		"asset": v.assets.at, "icon": v.icon, "logo": v.logo, "tone": toneName,
		"join": strings.Join, "dict": dict, "languages": func() []*words { return v.catalogue.all },
		"texts": func() string { return browserTexts(s.words) },
	}
}

// voice gives the voice for a request: its language, and the zone of the configuration.
func (v *views) voice(r *http.Request, zone string) *spoken {
	w := v.catalogue.of(r)
	v.mu.Lock()
	defer v.mu.Unlock()
	at := v.zone(zone)
	key := w.code + " " + at.String()
	if s, ok := v.voiced[key]; ok {
		return s
	}
	s := &spoken{voice: newVoice(w, at, v.clock), pages: map[string]*template.Template{}}
	v.voiced[key] = s
	return s
}

// zone gives a time zone by its name; UTC where the machine does not know it. The caller
// holds the lock.
func (v *views) zone(name string) *time.Location {
	if at, ok := v.zones[name]; ok {
		return at
	}
	at, err := time.LoadLocation(name)
	if err != nil || name == "" {
		return time.UTC
	}
	v.zones[name] = at
	return at
}

// page gives a page's template in a voice, read when it is first shown: the start must not
// wait for all of them.
func (v *views) page(s *spoken, name string) (*template.Template, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if t, ok := s.pages[name]; ok {
		return t, nil
	}
	t, err := v.shared.Clone() // html/template gives no copies of a template that was executed.
	if err != nil {
		return nil, fmt.Errorf("copy the layout: %w", err)
	}
	if t, err = t.Funcs(v.functions(s.voice)).ParseFS(templateFiles, "templates/"+name+".html"); err != nil {
		return nil, fmt.Errorf("parse the template %q: %w", name, err)
	}
	s.pages[name] = t
	return t, nil
}

// render writes a whole page, or the named piece of it, compressed where the client
// takes it. Nothing is written where the template fails.
func (v *views) render(w http.ResponseWriter, r *http.Request, s *spoken, page, piece string, status int, data any) error {
	t, err := v.page(s, page)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := t.ExecuteTemplate(&out, piece, data); err != nil {
		return fmt.Errorf("show %s: %w", page, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", s.voice.code)
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-cache, private")
	}
	h.Add("Vary", "Accept-Encoding, Accept-Language, Cookie")
	v.write(w, r, status, out.Bytes())
	return nil
}

// write writes body as gzip where the client takes it and it is worth it.
func (v *views) write(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	const worth = 1400 // Bytes: less goes in one packet anyway.
	if len(body) < worth || !acceptsGzip(r) {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(status)
		_, _ = w.Write(body) // A client that went away is nobody's loss.
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	w.WriteHeader(status)
	z := v.writers.Get().(*gzip.Writer)
	z.Reset(w)
	_, _ = z.Write(body)
	_ = z.Close()
	v.writers.Put(z)
}

// icon draws a symbol into the page. It is an ornament: what it says stands beside it.
func (v *views) icon(name string) (template.HTML, error) {
	drawing, ok := v.assets.icons[name]
	if !ok {
		return "", fmt.Errorf("there is no symbol %q", name)
	}
	return template.HTML(`<svg class="icon" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" focusable="false">` +
		strings.TrimSpace(drawing) + `</svg>`), nil
}

// logo draws the program's own picture into the page, size pixels wide: a file of its own
// would be one more thing to wait for before the first paint. The name stands beside it.
func (v *views) logo(size int) (template.HTML, error) {
	_, drawing, found := strings.Cut(string(v.assets.files["icons/icon.svg"].plain), "<svg ")
	if !found {
		return "", errors.New("icons/icon.svg is not a drawing")
	}
	return template.HTML(fmt.Sprintf(`<svg class="logo" width="%d" height="%[1]d" aria-hidden="true" focusable="false" %s`, size, strings.TrimSpace(drawing))), nil
}

// dict makes a map for a shared part that needs several values.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict needs pairs")
	}
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		key, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict needs names")
		}
		m[key] = pairs[i+1]
	}
	return m, nil
}

// iso gives a time as <time datetime> wants it.
func iso(t time.Time) string { return t.UTC().Format(time.RFC3339) }
