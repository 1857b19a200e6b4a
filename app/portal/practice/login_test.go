package practice_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app/portal/practice"
)

func TestAnyPageLeadsToTheLogInFormWithoutASession(t *testing.T) {
	_, b := serve(t, oneJob())
	for _, path := range []string{"/", "/dashboard", "/interpreter-jobs", "/interpreter-jobs/7"} {
		p := b.get(path)
		form := p.Find("form:has(input[name=email]):has(input[name=password]):has(button[type=submit])")
		if p.path != "/login" || form.Length() != 1 || form.Find("input[type=hidden][name=_token]").AttrOr("value", "") == "" {
			t.Errorf("%s leads to %s:\n%s", path, p.path, p.body)
		}
		if p.Find(".header__name, .header__user, .user-menu, [data-testid='user-menu'], .dashboard").Length() != 0 {
			t.Errorf("%s looks logged in", path)
		}
	}
}

func TestWrongLogInDataLeadToTheLogInFormAgain(t *testing.T) {
	p, b := serve(t, oneJob())
	again := b.logInWith(practice.DefaultEmail, "wrong")
	if again.path != "/login" || !strings.Contains(again.Find(".alert").Text(), "do not match") {
		t.Errorf("%s:\n%s", again.path, again.body)
	}
	if b.get("/login").Find(".alert").Length() != 0 {
		t.Error("the complaint is said twice")
	}
	if c := p.Counts(); c.LogIns != 1 || c.LogInsRefused != 1 {
		t.Errorf("the counts are %+v", c)
	}
	if in := b.logIn(); in.path != "/dashboard" {
		t.Errorf("the right data lead to %s", in.path)
	}
	if p.SetPassword("nobody@example.org", "") || !p.SetPassword(practice.DefaultEmail, "changed") {
		t.Error("the password of the wrong account was changed, or of the right one not")
	}
	p.EndSessions()
	if again := b.logIn(); again.path != "/login" {
		t.Errorf("the old password leads to %s", again.path)
	}
}

func TestTooManyWrongLogInsLockTheAccount(t *testing.T) {
	p, b := serve(t, oneJob(func(s *practice.Scenario) { s.Session.Attempts = 3 }))
	for range 3 {
		b.logInWith(practice.DefaultEmail, "wrong")
	}
	if again := b.logIn(); again.path != "/login" || !strings.Contains(again.body, "Too many login attempts") {
		t.Errorf("%s:\n%s", again.path, again.body)
	}
	if p.Counts().LockedOut != 1 {
		t.Error("the lock was not counted")
	}
}

func TestALogInGivesANewSessionAndANewToken(t *testing.T) {
	_, b := serve(t, oneJob())
	_, before := b.form(b.get("/login"), "form")
	b.logIn()
	_, after := b.form(b.get("/dashboard"), "form[action='/logout']")
	if before.Get("_token") == after.Get("_token") {
		t.Error("the token is the same")
	}
	if p := b.get("/login"); p.path != "/dashboard" {
		t.Errorf("the log-in form is shown to one who is logged in, at %s", p.path)
	}
	if out := b.post("/logout", after); out.path != "/login" || b.get("/dashboard").path != "/login" {
		t.Error("logging out did not end the session")
	}
}

func TestWhereALogInLeads(t *testing.T) {
	for lands, want := range map[string]string{"dashboard": "/dashboard", "board": "/interpreter-jobs", "intended": "/interpreter-jobs/7"} {
		_, b := serve(t, oneJob(func(s *practice.Scenario) { s.Session.LandsOn = lands }))
		b.get("/interpreter-jobs/7")
		if in := b.logIn(); in.path != want {
			t.Errorf("%s: the log-in led to %s", lands, in.path)
		}
	}
}

func TestASessionEndsByItsRules(t *testing.T) {
	t.Run("after so many requests", func(t *testing.T) {
		p, b := serve(t, oneJob(func(s *practice.Scenario) { s.Session.Requests = 4 }))
		b.logIn() // And the dashboard, the first request of the session.
		for range 3 {
			if got := b.get("/interpreter-jobs").path; got != "/interpreter-jobs" {
				t.Fatalf("too early: %s", got)
			}
		}
		if got := b.get("/interpreter-jobs").path; got != "/login" || p.Counts().Expired != 1 {
			t.Errorf("the fifth request led to %s", got)
		}
		if b.logIn().path != "/dashboard" {
			t.Error("no new log-in")
		}
	})
	t.Run("in the middle of an act, which then does nothing", func(t *testing.T) {
		p, b := serve(t, oneJob())
		b.logIn()
		action, fields := b.form(b.get("/interpreter-jobs"), acceptForm)
		p.EndSessions()
		if got := b.post(action, fields); got.path != "/login" {
			t.Errorf("the POST led to %s", got.path)
		}
		if j := truthOf(t, p, 7); j.State != "matched" || j.Acts[0].Result != practice.ResultLoggedOut {
			t.Errorf("the truth is %+v", j)
		}
	})
	t.Run("in the middle of an act, which then has expired", func(t *testing.T) {
		p, b := serve(t, oneJob(func(s *practice.Scenario) { s.Session.PostExpires = true }))
		b.logIn()
		action, fields := b.form(b.get("/interpreter-jobs"), acceptForm)
		p.EndSessions()
		if got := b.post(action, fields).status; got != 419 || truthOf(t, p, 7).State != "matched" {
			t.Errorf("the POST is answered with %d", got)
		}
	})
	t.Run("when the account logs in elsewhere", func(t *testing.T) {
		_, b := serve(t, oneJob(func(s *practice.Scenario) { s.Session.Single = true }))
		b.logIn()
		other := newBrowser(t, b.base)
		other.logIn()
		if b.get("/dashboard").path != "/login" || other.get("/dashboard").path != "/dashboard" {
			t.Error("both sessions live, or neither")
		}
	})
	t.Run("after a time", func(t *testing.T) {
		now := time.Now()
		p := practice.New(practice.Scenario{Session: practice.SessionRules{For: time.Minute}}, practice.Options{Now: func() time.Time { return now }})
		b := serveHandler(t, p)
		b.logIn()
		now = now.Add(time.Minute)
		if got := b.get("/dashboard").path; got != "/login" {
			t.Errorf("after a minute: %s", got)
		}
	})
}

func TestAnOldFormTokenIsExpiredAndNoMistake(t *testing.T) {
	p, b := serve(t, oneJob(func(s *practice.Scenario) {
		s.Session.TokenPosts = 1
		s.Jobs = append(s.Jobs, practice.Job{Number: 8, StartsIn: inTwoDays})
	}))
	b.logIn()
	old, fields := b.form(b.get("/interpreter-jobs"), acceptForm)
	b.submit(b.get("/interpreter-jobs"), "form[action='/interpreter-jobs/8/matched']")
	b.get("/dashboard")
	said := b.post(old, fields)
	if said.status != 419 || !strings.Contains(said.body, "Page Expired") {
		t.Errorf("the answer is %d:\n%s", said.status, said.body)
	}
	wantNothingWrong(t, p)
	b.submit(b.get("/interpreter-jobs"), acceptForm)
	if truthOf(t, p, 7).State != "accepted" {
		t.Error("the new token is not taken")
	}
}

func TestAnInventedFormTokenIsAMistake(t *testing.T) {
	p, b := serve(t, oneJob())
	b.logIn()
	action, fields := b.form(b.get("/interpreter-jobs"), acceptForm)
	fields.Set("_token", "invented")
	if said := b.post(action, fields); said.status != 419 {
		t.Errorf("the answer is %d", said.status)
	}
	wantWrong(t, p, practice.WrongToken)
	if said := b.post("/login", fields); said.status != 419 {
		t.Errorf("the log-in answers %d", said.status)
	}
}

func TestALoggedOutBoardCanComeAtItsOwnAddress(t *testing.T) {
	_, b := serve(t, oneJob(func(s *practice.Scenario) { s.Session.PlainLogin = true }))
	p := b.get("/interpreter-jobs")
	if p.path != "/interpreter-jobs" || p.status != http.StatusOK || p.Find("input[name=password]").Length() != 1 || p.Find("table").Length() != 0 {
		t.Errorf("%d at %s:\n%s", p.status, p.path, p.body)
	}
}

func TestClientsThatTakeNoCookiesDoNotFillTheMemory(t *testing.T) {
	_, b := serve(t, oneJob())
	b.logIn()
	stranger := newBrowser(t, b.base)
	stranger.client.Jar = nil
	for range 4200 {
		stranger.get("/login")
	}
	if got := b.get("/dashboard").path; got != "/dashboard" {
		t.Error("strangers pushed out the session of one who is logged in")
	}
}
