package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/web"
)

// morning is a Tuesday, 10:24 in London.
var morning = time.Date(2027, 2, 2, 10, 24, 0, 0, time.UTC)

func fixed() time.Time { return morning }

// get asks for a page as somebody at this computer.
func get(tb testing.TB, s *web.Site, path string, change ...func(*http.Request)) answer {
	tb.Helper()
	v := atThisComputer(tb, s)
	r := v.request(http.MethodGet, path, nil)
	for _, c := range change {
		c(r)
	}
	return v.ask(r)
}

func TestNowSaysWhatTheBotDoesInOneSentence(t *testing.T) {
	since := morning.Add(-4 * time.Minute)
	for _, test := range []struct {
		name string
		is   func(*web.BotStatus)
		want []string
	}{
		{"watching live", func(*web.BotStatus) {}, []string{"Watching.", "Last look", "1 s ago", "3 booked today."}},
		{"practice", func(s *web.BotStatus) { s.Mode = app.ModeWatch }, []string{"Practice.", "Nothing is accepted."}},
		{"paused", func(s *web.BotStatus) { s.Session.Status = app.SessionPaused }, []string{"Paused.", `action="/bot/resume"`}},
		{"stopped", func(s *web.BotStatus) { s.Session.Status = app.SessionStopped }, []string{"Stopped.", `action="/bot/start"`}},
		{"no session ever", func(s *web.BotStatus) { s.Session = app.Session{} }, []string{"Stopped.", `action="/bot/start"`}},
		{"logged out", func(s *web.BotStatus) {
			s.Problem = &web.Problem{Class: app.PageLoggedOut, Since: since, Reason: "the log-in page came again"}
		}, []string{"Not working: the portal logged us out <live-age>", "4 min ago", "Log in again"}},
		{"portal away", func(s *web.BotStatus) {
			s.Problem = &web.Problem{Class: app.PageUnavailable, Since: since, Reason: "the portal answered 503"}
		}, []string{"The portal does not answer.", "The portal answered 503."}},
		{"challenge", func(s *web.BotStatus) { s.Problem = &web.Problem{Class: app.PageChallenge, Since: since} }, []string{"wants to see a person", `action="/bot/rearm"`}},
		{"breaker", func(s *web.BotStatus) {
			s.Breaker = &web.Breaker{Reason: "the page changed", Since: since, NeedsYou: true}
		}, []string{"Looking only.", "The page changed.", "Accept jobs again"}},
		{"cap", func(s *web.BotStatus) { s.CapReached = true }, []string{"The limit is reached: 5 bookings", `href="/rules#caps"`}},
		{"log-in missing", func(s *web.BotStatus) {
			s.Session, s.MissingSettings = app.Session{}, []string{"ATOZ_USERNAME", "ATOZ_PASSWORD"}
		}, []string{"Not set up yet.", "ATOZ_USERNAME and ATOZ_PASSWORD", `href="/welcome"`}},
		{"not looking although nothing is said", func(s *web.BotStatus) { s.LastLook = since }, []string{"Not working", "4 min ago"}},
		{"error", func(s *web.BotStatus) {
			s.Session.Status, s.Session.LastError = app.SessionError, "the portal did not take the log-in."
		}, []string{"Not working: the portal did not take the log-in.", "Start again"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHouse(t, fixed)
			test.is(&h.status)
			page := get(t, newSite(t, h), "/").text
			for _, want := range test.want {
				if !strings.Contains(page, want) {
					t.Errorf("the page does not say %q", want)
				}
			}
		})
	}
}

func TestNowGoesOnWithoutTheRecords(t *testing.T) {
	h := newHouse(t, fixed)
	h.away = true
	answer := get(t, newSite(t, h), "/")
	if page := answer.text; answer.status != http.StatusOK || !strings.Contains(page, "Watching.") || !strings.Contains(page, "The records cannot be read now") {
		t.Errorf("status %d, page:\n%s", answer.status, page)
	}
}

func TestUntilTheStartIsThroughEveryPageSaysWhatIsAwaited(t *testing.T) {
	h := newHouse(t, fixed)
	h.health = web.HealthSnapshot{Services: []web.Service{{Name: "database", Essential: true, State: web.ServiceStarting, Reason: "connection refused", Attempt: 3, Attempts: 10}}}
	answer := get(t, newSite(t, h), "/activity")
	page := answer.text
	if answer.status != http.StatusServiceUnavailable || answer.header.Get("Retry-After") == "" {
		t.Errorf("status %d, Retry-After %q", answer.status, answer.header.Get("Retry-After"))
	}
	for _, want := range []string{"Waiting for: database, attempt 3 of 10.", "Connection refused", `http-equiv="refresh"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not hold %q", want)
		}
	}
}
