package practice_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app/portal/practice"
)

// faulty serves one job and one fault, to somebody who has logged in and seen the board.
func faulty(t *testing.T, f practice.Fault) (*practice.Portal, *browser, *page) {
	t.Helper()
	p, b := serve(t, oneJob())
	b.logIn()
	board := b.get("/interpreter-jobs")
	if err := p.SetFault(f); err != nil {
		t.Fatal(err)
	}
	b.client.Timeout = time.Second
	return p, b, board
}

func TestAPageCanComeWrong(t *testing.T) {
	const board = "/interpreter-jobs"
	for _, c := range []struct {
		fault  practice.Fault
		status int
		path   string
		holds  string // A selector that finds something.
		lacks  string // One that finds nothing.
		says   string
	}{
		{practice.Fault{Kind: practice.FaultError}, 500, board, "h1", ".header__name", "Server Error"},
		{practice.Fault{Kind: practice.FaultError, Status: 502}, 502, board, "h1", ".header__name", "502"},
		{practice.Fault{Kind: practice.FaultMaintenance, RetryAfter: time.Second}, 503, board, "h1", ".header__name", "maintenance"},
		{practice.Fault{Kind: practice.FaultRateLimited, RetryAfter: time.Second}, 429, board, "h1", "table", "Too Many Requests"},
		{practice.Fault{Kind: practice.FaultChallenge}, 403, board, "#challenge-form", "table", "Checking your browser"},
		{practice.Fault{Kind: practice.FaultCaptcha}, 200, board, ".g-recaptcha", "table", "not a robot"},
		{practice.Fault{Kind: practice.FaultConsent}, 200, board, "#consent", "table", "consent"},
		{practice.Fault{Kind: practice.FaultForeign}, 200, board, "table", "section", "There are no interpreter jobs"},
		{practice.Fault{Kind: practice.FaultChanged}, 200, board, ".bookings-grid", "table, .header__name", "Sign out"},
		{practice.Fault{Kind: practice.FaultNoTable}, 200, board, ".header__name", "table", "Alex Morgan"},
		{practice.Fault{Kind: practice.FaultEmptyBody}, 200, board, "html", "p", ""},
		{practice.Fault{Kind: practice.FaultGarbage}, 200, board, "html", "table", ""},
		{practice.Fault{Kind: practice.FaultWrongJob}, 200, board, "table.table--detail", "section.content__table", "Telephone"},
		{practice.Fault{Kind: practice.FaultLoggedOut}, 200, "/login", "input[name=password]", ".header__name", "Log in"},
		{practice.Fault{Kind: practice.FaultGuestPage}, 200, board, "input[name=password]", ".header__name", "Log in"},
		{practice.Fault{Kind: practice.FaultGuestBoard}, 200, board, "input[name=password]", ".header__name", "There are no interpreter jobs"},
		{practice.Fault{Kind: practice.FaultSlow, Delay: time.Millisecond}, 200, board, acceptForm, "#none", "7/A"},
		{practice.Fault{Kind: practice.FaultClose}, 200, board, acceptForm, "#none", "7/A"},
		{practice.Fault{Kind: practice.FaultTrickle, Delay: 20 * time.Millisecond}, 200, board, acceptForm, "#none", "7/A"},
		{practice.Fault{Kind: practice.FaultErrorAfter}, 500, board, "h1", "table", "Server Error"},
		{practice.Fault{Kind: practice.FaultForeignAfter}, 200, board, "table", "section", "hotel"},
	} {
		t.Run(string(c.fault.Kind), func(t *testing.T) {
			p, b, _ := faulty(t, c.fault)
			got := b.get(board)
			if got.status != c.status || got.path != c.path || got.Find(c.holds).Length() == 0 || got.Find(c.lacks).Length() != 0 || !strings.Contains(got.body, c.says) {
				t.Errorf("%d at %s:\n%s", got.status, got.path, got.body)
			}
			if c.fault.RetryAfter > 0 && got.header.Get("Retry-After") != "1" {
				t.Errorf("Retry-After is %q", got.header.Get("Retry-After"))
			}
			if p.Truth().Struck[string(c.fault.Kind)] == 0 {
				t.Error("the fault was not counted")
			}
		})
	}
}

func TestAPageCanFailToCome(t *testing.T) {
	for _, c := range []struct {
		fault practice.Fault
		is    func(error) bool
	}{
		{practice.Fault{Kind: practice.FaultReset}, isReset},
		{practice.Fault{Kind: practice.FaultHang}, isTimeout},
		{practice.Fault{Kind: practice.FaultHang, Delay: 10 * time.Millisecond}, isReset},
		{practice.Fault{Kind: practice.FaultTruncated}, func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }},
		{practice.Fault{Kind: practice.FaultResetAfter}, isReset},
		{practice.Fault{Kind: practice.FaultHangAfter}, isTimeout},
		{practice.Fault{Kind: practice.FaultRedirectLoop}, func(err error) bool { return strings.Contains(err.Error(), "stopped after 10 redirects") }},
		{practice.Fault{Kind: practice.FaultOffSite, Target: "http://127.0.0.1:1/"}, func(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }},
	} {
		t.Run(string(c.fault.Kind), func(t *testing.T) {
			_, b, _ := faulty(t, c.fault)
			if c.fault.Kind == practice.FaultHang || c.fault.Kind == practice.FaultHangAfter {
				b.client.Timeout = 200 * time.Millisecond // The others come to an end by themselves, however busy the machine is.
			}
			if _, err := b.try(http.MethodGet, "/interpreter-jobs", nil); err == nil || !c.is(err) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

func isReset(err error) bool { return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF) }

func isTimeout(err error) bool {
	n, ok := errors.AsType[net.Error](err)
	return ok && n.Timeout()
}

func TestAHugePageDoesNotEndSoon(t *testing.T) {
	_, b, _ := faulty(t, practice.Fault{Kind: practice.FaultHuge})
	answer, err := b.client.Get(b.base + "/interpreter-jobs")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if n, _ := io.CopyN(io.Discard, answer.Body, 8<<20); n != 8<<20 {
		t.Errorf("only %d bytes came", n)
	}
}

func TestAFaultBeforeTheCommitChangesNothing(t *testing.T) {
	for _, kind := range []practice.FaultKind{
		practice.FaultError, practice.FaultReset, practice.FaultHang, practice.FaultRateLimited, practice.FaultMaintenance,
		practice.FaultExpiredToken, practice.FaultChallenge, practice.FaultCaptcha, practice.FaultForeign, practice.FaultChanged,
		practice.FaultEmptyBody, practice.FaultGarbage, practice.FaultWrongJob, practice.FaultLoggedOut, practice.FaultGuestPage,
		practice.FaultRefuse, practice.FaultCancelDialog,
	} {
		t.Run(string(kind), func(t *testing.T) {
			p, b, board := faulty(t, practice.Fault{Kind: kind, Page: practice.PageAccept, Count: 1})
			b.client.Timeout = 100 * time.Millisecond
			action, fields := b.form(board, acceptForm)
			_, _ = b.try(http.MethodPost, action, fields)
			j := truthOf(t, p, 7)
			if j.State != "matched" || len(j.Acts) != 1 || j.Acts[0].Committed || j.Acts[0].Fault != string(kind) {
				t.Errorf("the truth is %+v", j)
			}
			// After a look it is tried again, and taken.
			b.client.Timeout = 5 * time.Second
			if kind == practice.FaultLoggedOut || kind == practice.FaultGuestPage {
				b.logIn()
			}
			b.submit(b.get("/interpreter-jobs"), acceptForm)
			if j := truthOf(t, p, 7); j.State != "accepted" || len(j.Acts) != 2 {
				t.Errorf("after the second try the truth is %+v", j)
			}
			wantNothingWrong(t, p)
		})
	}
}

func TestAFaultAfterTheCommitHidesWhatWasDone(t *testing.T) {
	for _, kind := range []practice.FaultKind{
		practice.FaultErrorAfter, practice.FaultResetAfter, practice.FaultHangAfter, practice.FaultForeignAfter, practice.FaultTruncated,
	} {
		t.Run(string(kind), func(t *testing.T) {
			p, b, board := faulty(t, practice.Fault{Kind: kind, Page: practice.PageAccept})
			b.client.Timeout = 100 * time.Millisecond
			action, fields := b.form(board, acceptForm)
			_, _ = b.try(http.MethodPost, action, fields)
			if j := truthOf(t, p, 7); j.State != "accepted" || !j.Acts[0].Committed || j.Acts[0].Fault != string(kind) {
				t.Errorf("the truth is %+v", j)
			}
			b.client.Timeout = 5 * time.Second
			if got := cells(b.get("/interpreter-jobs").rows())[6]; got != "Accepted" {
				t.Errorf("the board says %q", got)
			}
			wantNothingWrong(t, p)
		})
	}
}

func TestARivalCanBeFasterByAMoment(t *testing.T) {
	p, b, board := faulty(t, practice.Fault{Kind: practice.FaultRival, Page: practice.PageAccept})
	if got := b.submit(board, acceptForm); !strings.Contains(got.body, "no longer available") {
		t.Errorf("the answer is\n%s", got.body)
	}
	if j := truthOf(t, p, 7); j.State != "taken" || p.Counts().Lost != 1 {
		t.Errorf("the truth is %+v", j)
	}
}

func TestAPageCanShowThePast(t *testing.T) {
	p, b, board := faulty(t, practice.Fault{Kind: practice.FaultStale, Page: practice.PageBoard, Count: 1})
	old := b.submit(board, acceptForm) // The redirect leads to the board.
	if got := cells(old.rows())[6]; got != "Matched" || truthOf(t, p, 7).State != "accepted" {
		t.Errorf("the board says %q", got)
	}
	b.submit(old, acceptForm)
	wantNothingWrong(t, p)
	if got := cells(b.get("/interpreter-jobs").rows())[6]; got != "Accepted" {
		t.Errorf("then the board says %q", got)
	}

	if err := p.SetFault(practice.Fault{Kind: practice.FaultStale, Page: practice.PageDetails}); err != nil {
		t.Fatal(err)
	}
	if got := b.get("/interpreter-jobs/7"); got.Find("form[action*='matched/reject']").Length() != 1 {
		t.Errorf("the details say\n%s", got.body)
	}
}

func TestAFaultStrikesWhereItIsMeantTo(t *testing.T) {
	// Struck is which of the requests 0, 1, 2 … for the details of jobs 7 and 8, in
	// turn, were struck.
	for name, c := range map[string]struct {
		fault  practice.Fault
		struck string
	}{
		"on every request":       {practice.Fault{}, "xxxxxxxx"},
		"on another page":        {practice.Fault{Page: practice.PageBoard}, "........"},
		"on its page":            {practice.Fault{Page: practice.PageDetails}, "xxxxxxxx"},
		"on one job":             {practice.Fault{Job: 8}, ".x.x.x.x"},
		"so often":               {practice.Fault{Count: 3}, "xxx....."},
		"after some":             {practice.Fault{Skip: 2, Count: 3}, "..xxx..."},
		"so often for a job":     {practice.Fault{PerJob: 1}, "xx......"},
		"not yet":                {practice.Fault{From: time.Hour}, "........"},
		"no longer":              {practice.Fault{From: -time.Hour, Until: time.Nanosecond}, "........"},
		"with no other in front": {practice.Fault{Name: "second"}, "xxxxxxxx"},
	} {
		t.Run(name, func(t *testing.T) {
			s := oneJob()
			s.Jobs = append(s.Jobs, practice.Job{Number: 8})
			p, b := serve(t, s)
			b.logIn()
			c.fault.Kind = practice.FaultError
			if err := p.SetFault(c.fault); err != nil {
				t.Fatal(err)
			}
			got := ""
			for range 4 {
				for _, path := range []string{"/interpreter-jobs/7", "/interpreter-jobs/8"} {
					got += map[bool]string{true: "x", false: "."}[b.get(path).status == 500]
				}
			}
			if got != c.struck {
				t.Errorf("struck were %s, want %s", got, c.struck)
			}
		})
	}
}

func TestChanceIsTheSameForTheSameSeed(t *testing.T) {
	run := func(seed uint64) string {
		_, b := serve(t, oneJob(func(s *practice.Scenario) {
			s.Seed = seed
			s.Faults = []practice.Fault{{Kind: practice.FaultError, Page: practice.PageDetails, Probability: 0.5}}
		}))
		b.logIn()
		got := ""
		for range 64 {
			got += map[bool]string{true: "x", false: "."}[b.get("/interpreter-jobs/7").status == 500]
		}
		return got
	}
	first, again, other := run(1), run(1), run(2)
	if first != again || first == other {
		t.Errorf("seed 1: %s and %s; seed 2: %s", first, again, other)
	}
	if n := strings.Count(first, "x"); n < 16 || n > 48 {
		t.Errorf("%d of 64 at a probability of one half", n)
	}
}

func TestFaultsCanBeReplacedAndCleared(t *testing.T) {
	p, b := serve(t, oneJob())
	b.logIn()
	for _, f := range []practice.Fault{
		{Name: "a", Kind: practice.FaultError, Page: practice.PageBoard},
		{Name: "b", Kind: practice.FaultMaintenance, Page: practice.PageBoard},
		{Name: "a", Kind: practice.FaultError, Status: 504, Page: practice.PageBoard},
	} {
		if err := p.SetFault(f); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []int{504, 503, 200} {
		if got := b.get("/interpreter-jobs").status; got != want {
			t.Errorf("the board answers %d, want %d", got, want)
		}
		p.ClearFaults(map[int]string{504: "a", 503: "b", 200: ""}[want])
	}
	_ = p.SetFault(practice.Fault{Kind: practice.FaultError})
	p.ClearFaults()
	if got := p.Truth(); len(got.Faults) != 0 || got.Struck["a"] != 1 {
		t.Errorf("left are %+v; struck were %v", got.Faults, got.Struck)
	}
}

func TestAFaultThatCannotBeIsNotSet(t *testing.T) {
	p := practice.New(practice.Scenario{}, practice.Options{})
	for _, f := range []practice.Fault{
		{}, {Kind: "none"}, {Kind: practice.FaultError, Probability: 2}, {Kind: practice.FaultError, Status: 99}, {Kind: practice.FaultOffSite},
	} {
		if err := p.SetFault(f); err == nil {
			t.Errorf("%+v was set", f)
		}
	}
}

func TestAnImpoliteClientIsToldToWait(t *testing.T) {
	now := time.Now()
	p := practice.New(oneJob(func(s *practice.Scenario) {
		s.Guests = practice.GuestRules{PerSecond: 1, Burst: 3, RetryAfter: 10 * time.Second}
	}), practice.Options{Now: func() time.Time { return now }})
	b := serveHandler(t, p)
	b.logIn() // One as a guest with a session, two with the new one.
	b.get("/dashboard")
	b.get("/dashboard")
	denied := b.get("/dashboard")
	if denied.status != http.StatusTooManyRequests || denied.header.Get("Retry-After") != "10" {
		t.Errorf("the answer is %d, Retry-After %q", denied.status, denied.header.Get("Retry-After"))
	}
	now = now.Add(5 * time.Second)
	if got := b.get("/dashboard").status; got != http.StatusTooManyRequests {
		t.Errorf("too soon after it, the answer is %d", got)
	}
	now = now.Add(5 * time.Second)
	if got := b.get("/dashboard").status; got != http.StatusOK {
		t.Errorf("in good time, the answer is %d", got)
	}
	var kinds []practice.Wrong
	for _, w := range p.Truth().Wrong {
		kinds = append(kinds, w.What)
	}
	want := []practice.Wrong{practice.WrongTooFast, practice.WrongTooSoon, practice.WrongTooFast}
	if len(kinds) != 3 || kinds[0] != want[0] || kinds[1] != want[1] || kinds[2] != want[2] {
		t.Errorf("the wrong acts are %q, want %q", kinds, want)
	}
}

func TestMoreRequestsAtOnceThanAllowedAreDenied(t *testing.T) {
	s := oneJob()
	s.Guests.AtOnce = 1
	s.Latency = map[practice.Page]practice.Latency{practice.PageDetails: {Mean: 200 * time.Millisecond}}
	_, b := serve(t, s)
	b.logIn()
	answers := make(chan int, 2)
	for range 2 {
		go func() {
			got, err := b.try(http.MethodGet, "/interpreter-jobs/7", nil)
			if err != nil {
				answers <- 0
				return
			}
			answers <- got.status
		}()
	}
	if a, c := <-answers, <-answers; a+c != http.StatusOK+http.StatusTooManyRequests {
		t.Errorf("the answers are %d and %d", a, c)
	}
	if got := b.get("/interpreter-jobs/7").status; got != http.StatusOK && got != http.StatusTooManyRequests {
		t.Errorf("alone again, the answer is %d", got)
	}
}

func TestARetryAfterCanBeADate(t *testing.T) {
	p, b, _ := faulty(t, practice.Fault{Kind: practice.FaultMaintenance, RetryAfter: 90 * time.Second, RetryDate: true})
	until, err := http.ParseTime(b.get("/interpreter-jobs").header.Get("Retry-After"))
	if left := time.Until(until); err != nil || left < 60*time.Second || left > 91*time.Second {
		t.Errorf("Retry-After is in %v: %v", left, err)
	}
	b.get("/interpreter-jobs")
	wantWrong(t, p, practice.WrongTooSoon)
}
