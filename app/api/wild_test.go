package api_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/atozbot/atozbot/app/api"
)

// wild makes requests out of the description: right ones with something wrong in them.
type wild struct {
	*rand.Rand
	d *document
}

// junk are values that have broken parsers before.
var junk = []any{
	nil, true, false, 0, -1, 1e308, 9007199254740993, 1.5, "", " ", "null", "0", "-1", "NaN", "💥", "\u0000", "a\nb", "' OR 1=1 --", "../../etc/passwd",
	"%00", "%", "\xff\xfe", "＝1", strings.Repeat("x", 5000),
	[]any{},
	[]any{nil},
	[]any{[]any{[]any{}}},
	map[string]any{},
	map[string]any{"": nil},
	map[string]any{"__proto__": map[string]any{"admin": true}},
	"2027-13-45", "99999-01-01T00:00:00Z", "0000-00-00", "9223372036854775808", "1e9999",
}

func (w wild) pick(items ...string) string { return items[w.IntN(len(items))] }

func (w wild) anything() any { return junk[w.IntN(len(junk))] }

func (w wild) text() string {
	switch v := w.anything().(type) {
	case string:
		return v
	default:
		return fmt.Sprint(v)
	}
}

// value makes a value for s: mostly of its type, sometimes not.
func (w wild) value(s *schema, depth int) any {
	s = w.d.resolve(s)
	if s == nil || depth > 5 || w.IntN(6) == 0 {
		return w.anything()
	}
	switch {
	case len(s.Enum) > 0:
		return s.Enum[w.IntN(len(s.Enum))]
	case s.is("object"):
		object := map[string]any{}
		for name, p := range s.Properties {
			if w.IntN(3) == 0 {
				object[name] = w.value(p, depth+1)
			}
		}
		if w.IntN(8) == 0 {
			object[w.text()] = w.anything()
		}
		return object
	case s.is("array"):
		list := make([]any, w.IntN(4))
		for i := range list {
			list[i] = w.value(s.Items, depth+1)
		}
		return list
	case s.is("boolean"):
		return w.IntN(2) == 0
	case s.is("integer"):
		return w.IntN(2_000_000) - 1000
	case s.is("number"):
		return (w.Float64() - 0.1) * 1e6
	case len(s.Examples) > 0:
		return s.Examples[0]
	default:
		return w.text()
	}
}

// request makes one request for op.
func (w wild) request(op *operation) *http.Request {
	target := op.path
	query := url.Values{}
	header := http.Header{}
	for _, p := range op.Parameters {
		value := fmt.Sprint(w.value(p.Schema, 0))
		switch p.In {
		case "path":
			target = strings.ReplaceAll(target, "{"+p.Name+"}", url.PathEscape(value))
		case "query":
			if w.IntN(2) == 0 {
				query.Add(p.Name, value)
			}
		case "header":
			if w.IntN(2) == 0 {
				header.Set(p.Name, strings.Map(printable, value))
			}
		}
	}
	if w.IntN(10) == 0 {
		query.Add(w.text(), w.text())
	}
	raw := query.Encode()
	if w.IntN(10) == 0 {
		raw += w.pick("&", "&%", "&limit=%ff", ";", "&=", "&cursor=%00", "&limit=1&limit=x", "?")
	}
	method := op.method
	if w.IntN(20) == 0 {
		method = w.pick("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "BREW")
	}
	if w.IntN(20) == 0 {
		target += w.pick("/", "//", "/..", "/%2e%2e/", "x", "/x", "%00", ";a=b")
	}
	r := &http.Request{Method: method, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: "example.com", Header: header, RemoteAddr: "192.0.2.1:1234", Body: http.NoBody}
	u, err := url.ParseRequestURI(target)
	if err != nil {
		u = &url.URL{Path: target}
	}
	u.RawQuery = raw
	r.URL = u
	r.RequestURI = u.RequestURI()
	r.Header.Set("Authorization", "Bearer "+environmentToken)
	w.body(r, op)
	return r
}

func printable(c rune) rune {
	if c < ' ' || c > '~' {
		return -1
	}
	return c
}

// body gives r a body, mostly one of the form that op takes.
func (w wild) body(r *http.Request, op *operation) {
	body := ""
	if op.RequestBody != nil {
		b, err := json.Marshal(w.value(op.RequestBody.Content["application/json"].Schema, 0))
		if err == nil {
			body = string(b)
		}
	}
	switch w.IntN(12) {
	case 0:
		body = w.text()
	case 1:
		body = body[:w.IntN(len(body)+1)]
	case 2:
		body = strings.Repeat("[", 1+w.IntN(100_000))
	case 3:
		body = strings.Repeat(`{"a":`, 1+w.IntN(1000))
	case 4:
		body += body
	}
	if body == "" {
		return
	}
	fresh := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Body, r.ContentLength = fresh.Body, fresh.ContentLength
	r.Header.Set("Content-Type", "application/json")
	if w.IntN(10) == 0 {
		r.Header.Set("Content-Type", w.pick("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json; charset=utf-7", "a+b;c", ";", "application/problem+json"))
	}
}

// TestTwentyThousandBadRequests holds every answer to them against what is promised: no
// fault of ours, and nothing refused but with a problem.
func TestTwentyThousandBadRequests(t *testing.T) {
	many := 20_000
	if testing.Short() && os.Getenv("CI") == "" {
		many = 2000
	}
	var s http.Handler = prepared().serve(t)
	d := readDocument(t, s)
	if server := os.Getenv("ATOZBOT_TEST_SERVER"); server != "" {
		s = elsewhere(t, server)
	}
	ops := d.operations()
	w := wild{Rand: rand.New(rand.NewPCG(20, 27)), d: d}
	statuses := map[int]int{}
	for i := range many {
		op := ops[i%len(ops)]
		if op.path == "/api/events" {
			continue // A right one would stream for ever: see FuzzHandler, which breaks off.
		}
		r := w.request(op)
		shown := fmt.Sprintf("request %d: %s %s", i, r.Method, r.RequestURI)
		answer := httptest.NewRecorder()
		s.ServeHTTP(answer, r)
		statuses[answer.Code]++
		if answer.Code == http.StatusNotFound && !api.Serves(r.URL.Path) || r.Method == http.MethodHead && answer.Code < 500 {
			continue // The dashboard answers with a page, and HEAD with no body.
		}
		holds(t, shown, answer)
		if t.Failed() {
			t.Fatalf("%s\n%v", shown, r.Header)
		}
	}
	t.Log(statuses)
	if statuses[422] < many/20 || statuses[200] == 0 {
		t.Errorf("the requests do not try enough: %v", statuses)
	}
}

// holds judges the answer to any request whatever.
func holds(t testing.TB, shown string, w *httptest.ResponseRecorder) {
	t.Helper()
	if w.Code >= 500 {
		t.Errorf("%s answers %d: %s", shown, w.Code, w.Body)
	}
	if w.Code < 400 {
		return
	}
	if w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s answers %d as %q: %s", shown, w.Code, w.Header().Get("Content-Type"), w.Body)
		return
	}
	var p struct {
		Status int
		Title  string
		Detail string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Status != w.Code || p.Title == "" || p.Detail == "" {
		t.Errorf("%s answers %d with no whole problem: %v %s", shown, w.Code, err, w.Body)
	}
}

// elsewhere sends requests on to a server that runs already, whose address and token
// the environment names: so the same requests try the rooms behind the API too.
func elsewhere(t *testing.T, server string) http.Handler {
	t.Helper()
	base, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent := r.Clone(t.Context())
		sent.RequestURI, sent.Host, sent.URL.Scheme, sent.URL.Host = "", "", base.Scheme, base.Host
		sent.Header.Set("Authorization", "Bearer "+os.Getenv("ATOZBOT_API_TOKEN"))
		answer, err := client.Do(sent)
		if err != nil {
			t.Fatalf("%s %s: %v", r.Method, r.URL, err)
		}
		defer func() { _ = answer.Body.Close() }()
		for name, values := range answer.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body)
	})
}
