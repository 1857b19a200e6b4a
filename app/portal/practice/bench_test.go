package practice_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app/portal/practice"
)

// recorded is a transport that needs no network.
type recorded struct{ http.Handler }

func (h recorded) RoundTrip(r *http.Request) (*http.Response, error) {
	r.RemoteAddr = "192.0.2.1:1234"
	if r.Body == nil {
		r.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	answer := w.Result()
	answer.Request = r
	return answer, nil
}

// BenchmarkBoard is what one look costs the portal.
func BenchmarkBoard(b *testing.B) {
	for name, c := range map[string]struct {
		jobs int
		look practice.Look
	}{
		"50 rows":                   {50, practice.Look{}},
		"50 messy rows":             {50, practice.MessyLook()},
		"a page of 50 of 10,000":    {10000, practice.Look{}},
		"an empty board":            {0, practice.Look{}},
		"50 messy rows, compressed": {50, practice.Look{Messy: true, Gzip: true}},
	} {
		b.Run(name, func(b *testing.B) {
			s := practice.Scenario{Look: c.look, Board: practice.BoardRules{PageSize: 50}}
			for range c.jobs {
				s.Jobs = append(s.Jobs, practice.Job{StartsIn: inTwoDays})
			}
			p := practice.New(s, practice.Options{})
			jar, err := cookiejar.New(nil)
			if err != nil {
				b.Fatal(err)
			}
			client := &http.Client{Jar: jar, Transport: recorded{p}}
			login, err := client.Get("http://portal.example/login")
			if err != nil {
				b.Fatal(err)
			}
			text := new(strings.Builder)
			if err := login.Write(text); err != nil {
				b.Fatal(err)
			}
			_, token, _ := strings.Cut(text.String(), `name="_token" value="`)
			token, _, _ = strings.Cut(token, `"`)
			if _, err := client.PostForm("http://portal.example/login", url.Values{
				"_token": {token}, "email": {practice.DefaultEmail}, "password": {practice.DefaultPassword}, "valid_from": {"1"},
			}); err != nil {
				b.Fatal(err)
			}
			r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://portal.example/interpreter-jobs", nil)
			if err != nil {
				b.Fatal(err)
			}
			for _, cookie := range jar.Cookies(r.URL) {
				r.AddCookie(cookie)
			}
			r.Header.Set("Accept-Encoding", "gzip")
			b.ReportAllocs()
			for b.Loop() {
				w := httptest.NewRecorder()
				p.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Fatal(w.Code)
				}
			}
		})
	}
}

// BenchmarkTenThousandJobs is what a long run costs the portal beside its requests: to
// make the scenario, to let every job come and go, and to tell the truth.
func BenchmarkTenThousandJobs(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		now := time.Date(2027, 3, 1, 9, 0, 0, 0, time.UTC)
		p := practice.New(practice.Mixed(1, 10000), practice.Options{Now: func() time.Time { return now }})
		p.Counts()
		for p.Counts().Coming > 0 {
			now = now.Add(time.Second)
		}
		if got := len(p.Truth().Jobs); got != 10000 {
			b.Fatal(got)
		}
	}
}
