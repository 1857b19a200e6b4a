package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/atozbot/atozbot/app/web"
)

// visitor is a browser without a screen: it keeps cookies, and follows nothing.
type visitor struct {
	tb      testing.TB
	site    http.Handler
	address string // "127.0.0.1:5555"
	host    string
	cookies map[string]string
	headers map[string]string
}

// atThisComputer is somebody at the computer that the dashboard runs on.
func atThisComputer(tb testing.TB, s *web.Site) *visitor {
	return &visitor{tb: tb, site: s, address: "127.0.0.1:5555", host: "127.0.0.1:8000", cookies: map[string]string{}, headers: map[string]string{}}
}

// fromElsewhere is somebody on the network.
func fromElsewhere(tb testing.TB, s *web.Site) *visitor {
	v := atThisComputer(tb, s)
	v.address, v.host = "192.0.2.7:5555", "bot.example:8000"
	return v
}

func (v *visitor) request(method, path string, form url.Values) *http.Request {
	r := httptest.NewRequest(method, "http://"+v.host+path, strings.NewReader(form.Encode()))
	r.RemoteAddr = v.address
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range v.headers {
		r.Header.Set(name, value)
	}
	for name, value := range v.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return r
}

func (v *visitor) send(method, path string, form url.Values) answer {
	v.tb.Helper()
	return v.ask(v.request(method, path, form))
}

// ask sends a request and keeps the cookies that come back.
func (v *visitor) ask(r *http.Request) answer {
	v.tb.Helper()
	w := httptest.NewRecorder()
	v.site.ServeHTTP(w, r)
	header := w.Header()
	for _, line := range header.Values("Set-Cookie") {
		c, err := http.ParseSetCookie(line)
		if err != nil {
			v.tb.Fatal(err)
		}
		if c.MaxAge < 0 {
			delete(v.cookies, c.Name)
		} else {
			v.cookies[c.Name] = c.Value
		}
	}
	text := strings.ReplaceAll(w.Body.String(), "\u00a0", " ") // Between a number and its unit.
	return answer{status: w.Code, to: header.Get("Location"), text: text, header: header}
}

func (v *visitor) get(path string) answer { v.tb.Helper(); return v.send(http.MethodGet, path, nil) }

// post sends a form given as name, value, name, value …
func (v *visitor) post(path string, pairs ...string) answer {
	v.tb.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return v.send(http.MethodPost, path, form)
}

// answer is what came back.
type answer struct {
	status   int
	to, text string
	header   http.Header
}

// is holds an answer against a status, the place it leads to, and what it says.
func (a answer) is(tb testing.TB, status int, to string, says ...string) {
	tb.Helper()
	if a.status != status || a.to != to {
		tb.Fatalf("status %d to %q, want %d to %q\n%s", a.status, a.to, status, to, a.text)
	}
	for _, want := range says {
		if !strings.Contains(a.text, want) {
			tb.Errorf("the page does not say %q:\n%s", want, a.text)
		}
	}
}

// silent holds that an answer does not say something.
func (a answer) silent(tb testing.TB, never ...string) {
	tb.Helper()
	for _, text := range never {
		if strings.Contains(a.text, text) {
			tb.Errorf("the page says %q", text)
		}
	}
}
