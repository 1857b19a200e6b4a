package portal

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app"
)

// stand is a real server that stands in for the portal, answering as a test wants.
type stand struct {
	*httptest.Server
	mu      sync.Mutex
	answers map[string]http.HandlerFunc // By "METHOD /path".
	asked   []string                    // "METHOD /path?query body", in order.
	headers []http.Header
}

func newStand(t *testing.T) *stand {
	t.Helper()
	s := &stand{answers: make(map[string]http.HandlerFunc)}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

func (s *stand) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.asked = append(s.asked, strings.TrimSpace(r.Method+" "+r.URL.RequestURI()+" "+string(body)))
	s.headers = append(s.headers, r.Header.Clone())
	answer := s.answers[r.Method+" "+r.URL.RequestURI()]
	if answer == nil {
		answer = s.answers[r.Method+" "+r.URL.Path]
	}
	s.mu.Unlock()
	if answer == nil {
		http.NotFound(w, r)
		return
	}
	answer(w, r)
}

func (s *stand) on(what string, answer http.HandlerFunc) *stand {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[what] = answer
	return s
}

// log gives what was asked so far, and forgets it.
func (s *stand) log() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked = nil
	return asked
}

// posts gives the forms that were sent.
func (s *stand) posts() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var posts []string
	for _, asked := range s.asked {
		if strings.HasPrefix(asked, "POST ") {
			posts = append(posts, asked)
		}
	}
	return posts
}

// html answers with a page.
func page200(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, body)
	}
}

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

func to(code int, location string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", location)
		w.WriteHeader(code)
	}
}

// The pieces of the portal's pages.
const (
	marker    = `<header><div class="header__user"><span class="header__name">Ms Example</span></div></header>`
	loginForm = `<form method="POST" action="/login"><input type="hidden" name="_token" value="login-token-0001"><input type="email" name="email"><input type="password" name="password"><input type="checkbox" name="remember"><button type="submit">Log in</button></form>`
	noJobs    = `<tr class="table__row"><td class="table__data" colspan="8">There are no interpreter jobs</td></tr>`
	strangers = `<html><body><h1>Welcome to the hotel's network</h1><p>Please buy a ticket.</p></body></html>`
)

func framed(content string) string {
	return `<!DOCTYPE html><html><head><title>Portal</title></head><body>` + marker + `<main>` + content + `</main><footer><a href="/terms">Terms</a></footer></body></html>`
}

func loginPage(content string) string {
	return `<!DOCTYPE html><html><head><title>Log in</title></head><body><main>` + content + loginForm + `</main></body></html>`
}

func table(rows string) string {
	return `<section class="content__table"><h1>Interpreter jobs</h1><table><thead><tr><th>Ref</th></tr></thead><tbody>` + rows + `</tbody></table></section>`
}

// jobRow is a row as the portal writes it.
func jobRow(number, status string) string {
	return fmt.Sprintf(`<tr class="table__row">
<td class="table__data">%[1]s/A</td><td class="table__data">14/01/2027 09:15</td><td class="table__data">15/02/2027</td><td class="table__data">14:30</td>
<td class="table__data">30 mins</td><td class="table__data">Polish</td><td class="table__data"><span class="status">%[2]s</span></td>
<td class="table__data"><a href="/interpreter-jobs/%[1]s">View</a>%[3]s</td></tr>`, number, status, acceptFormOf(number))
}

func acceptFormOf(number string) string {
	return fmt.Sprintf(`<form method="POST" action="/interpreter-jobs/%s/matched"><input type="hidden" name="_token" value="token-of-%s-000"><button type="submit" name="accept" value="1">Accept</button></form>`, number, number)
}

func detailsOf(number, kind, status string) string {
	return fmt.Sprintf(`<h1>Job</h1><table class="table table--detail"><tr><th>Ref</th><td>%[1]s/A</td></tr><tr><td>Interpreter details:</td><td>%[2]s</td></tr><tr><td>Status</td><td>%[3]s</td></tr></table>`, number, kind, status)
}

func rejectFormOf(number string) string {
	return fmt.Sprintf(`<form method="POST" action="/interpreter-jobs/%s/matched/reject"><input type="hidden" name="_token" value="reject-token-000"><input type="hidden" name="_method" value="DELETE"><input type="submit" class="btn btn--reject" name="go" value="Reject"></form>`, number)
}

func client(t *testing.T, s *stand, change ...func(*Options)) *Client {
	t.Helper()
	o := Options{BaseURL: s.URL, Username: "interpreter@example.com", Password: "a secret & more", UserAgent: "atozbot/test", Zone: london(t), Timeout: 5 * time.Second}
	for _, c := range change {
		c(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// classOf gives an error's page class, or "" for none.
func classOf(t *testing.T, err error) app.PageClass {
	t.Helper()
	if err == nil {
		return ""
	}
	failure, ok := errors.AsType[*app.PageError](err)
	if !ok {
		t.Fatalf("%v is no page error", err)
	}
	if failure.Reason == "" {
		t.Errorf("%s has no reason", failure.Class)
	}
	return failure.Class
}
