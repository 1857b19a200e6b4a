package web_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app/web"
)

const password = "correct horse battery"

// site is a dashboard in which people can sign in, whose clock can be moved.
func signInSite(t *testing.T, change ...func(*web.Options)) (*web.Site, *people, *time.Time) {
	t.Helper()
	now := morning
	clock := func() time.Time { return now }
	p := newPeople()
	return newSite(t, newHouse(t, clock), append([]func(*web.Options){withPeople(p), withOffice(newOffice(clock))}, change...)...), p, &now
}

func TestUntilSignInIsSetUpOnlyThisComputerIsLetIn(t *testing.T) {
	s, _, _ := signInSite(t)
	for _, test := range []struct {
		name, address, host, header string
		status                      int
	}{
		{"this computer", "127.0.0.1:5555", "127.0.0.1:8000", "", http.StatusOK},
		{"this computer over IPv6", "[::1]:5555", "[::1]:8000", "", http.StatusOK},
		{"this computer by its name", "127.0.0.1:5555", "localhost:8000", "", http.StatusOK},
		{"another computer", "192.0.2.7:5555", "192.0.2.1:8000", "", http.StatusForbidden},
		{"another computer that claims the name", "192.0.2.7:5555", "localhost:8000", "", http.StatusForbidden},
		{"another site's name pointed at the loopback", "127.0.0.1:5555", "evil.example:8000", "", http.StatusForbidden},
		{"somebody behind a proxy on this computer", "127.0.0.1:5555", "localhost:8000", "X-Forwarded-For", http.StatusForbidden},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := atThisComputer(t, s)
			v.address, v.host = test.address, test.host
			if test.header != "" {
				v.headers[test.header] = "192.0.2.7"
			}
			a := v.get("/")
			if a.status != test.status {
				t.Fatalf("status %d, want %d", a.status, test.status)
			}
			if test.status != http.StatusOK {
				a.is(t, test.status, "", "Nobody can sign in yet.")
				a.silent(t, "Polish", "Watching")
			}
		})
	}
}

func TestATrustedProxyIsBelievedAboutItsClient(t *testing.T) {
	s, _, _ := signInSite(t, func(o *web.Options) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")} })
	v := atThisComputer(t, s)
	v.headers["X-Forwarded-For"] = "192.0.2.7"
	v.get("/").is(t, http.StatusForbidden, "")
	v.headers["X-Forwarded-Proto"] = "https"
	if got := v.get("/").header.Get("Strict-Transport-Security"); got == "" {
		t.Error("no HSTS although the proxy speaks TLS")
	}
}

func TestTheApiKnowsThisComputerByItsCookieAlone(t *testing.T) {
	s, _, _ := signInSite(t)
	v := atThisComputer(t, s)
	if _, ok := s.SignedIn(v.request(http.MethodGet, "/api/events", nil)); ok {
		t.Fatal("somebody without a cookie is known")
	}
	v.get("/")
	who, ok := s.SignedIn(v.request(http.MethodGet, "/api/events", nil))
	if !ok || !who.Local {
		t.Fatalf("who opened a page at this computer is not known: %v %v", who, ok)
	}
	v.address = "192.0.2.7:5555"
	if _, ok := s.SignedIn(v.request(http.MethodGet, "/api/events", nil)); ok {
		t.Error("the cookie of this computer holds elsewhere")
	}
}

func TestTheSetUpLinkMakesTheFirstUserOnce(t *testing.T) {
	s, _, _ := signInSite(t)
	path, err := s.SetUpPath(context.Background())
	if err != nil || !strings.HasPrefix(path, "/set-up/") {
		t.Fatalf("%q, %v", path, err)
	}
	v := fromElsewhere(t, s)
	v.get("/set-up").is(t, http.StatusForbidden, "")
	v.get("/set-up/guessed").is(t, http.StatusForbidden, "", "This set-up link does not hold.")
	v.get(path).is(t, http.StatusOK, "", "Choose the password", "At least 10 letters")
	v.post(path, "username", "anna", "password", "short", "again", "short").is(t, http.StatusUnprocessableEntity, "", "The password is too short")
	v.post(path, "username", "anna", "password", password, "again", password+"!").is(t, http.StatusUnprocessableEntity, "", "are not the same")
	v.post(path, "username", "anna", "password", password, "again", password).is(t, http.StatusSeeOther, "/welcome")
	v.get("/").is(t, http.StatusOK, "", "Watching.", "Sign out")

	other := fromElsewhere(t, s)
	other.get(path).is(t, http.StatusSeeOther, "/sign-in")
	other.post(path, "username", "eve", "password", password, "again", password).is(t, http.StatusSeeOther, "/sign-in")
	atThisComputer(t, s).get("/").is(t, http.StatusSeeOther, "/sign-in")
	if path, _ := s.SetUpPath(context.Background()); path != "" {
		t.Errorf("the set-up link is still %q", path)
	}
}

func TestTheCookieOfThisComputerEndsWhenSignInIsSetUp(t *testing.T) {
	s, _, _ := signInSite(t)
	v := atThisComputer(t, s)
	v.get("/").is(t, http.StatusOK, "")
	other := atThisComputer(t, s)
	other.post("/set-up", "username", "anna", "password", password, "again", password).is(t, http.StatusSeeOther, "/welcome")
	v.get("/").is(t, http.StatusSeeOther, "/sign-in")
	if _, ok := s.SignedIn(v.request(http.MethodGet, "/api/events", nil)); ok {
		t.Error("the cookie from before still holds")
	}
}

// signedIn is somebody who signed in from elsewhere.
func signedIn(t *testing.T, s *web.Site) *visitor {
	t.Helper()
	v := fromElsewhere(t, s)
	v.post("/sign-in", "username", "admin", "password", password).is(t, http.StatusSeeOther, "/")
	return v
}

func withFirstPassword(o *web.Options) { o.FirstPassword = password }

func TestSigningInAndOut(t *testing.T) {
	s, _, _ := signInSite(t, withFirstPassword)
	v := fromElsewhere(t, s)
	v.get("/activity?q=polish").is(t, http.StatusSeeOther, "/sign-in?next=%2Factivity%3Fq%3Dpolish")
	v.get("/sign-in?next=/activity%3Fq%3Dpolish").is(t, http.StatusOK, "", `name="next" value="/activity?q=polish"`)
	v.post("/sign-in", "username", "admin", "password", "wrong").is(t, http.StatusUnauthorized, "", "The name or the password is wrong.")
	v.post("/sign-in", "username", "nobody", "password", password).is(t, http.StatusUnauthorized, "", "The name or the password is wrong.")
	a := v.post("/sign-in", "username", "admin", "password", password, "next", "/activity?q=polish")
	a.is(t, http.StatusSeeOther, "/activity?q=polish")
	if cookie := a.header.Get("Set-Cookie"); !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Lax") {
		t.Errorf("the cookie is %q", cookie)
	}
	v.get("/activity?q=polish").is(t, http.StatusOK, "")
	copied := fromElsewhere(t, s)
	copied.cookies["atozbot_session"] = v.cookies["atozbot_session"]
	v.post("/sign-out").is(t, http.StatusSeeOther, "/sign-in")
	v.get("/").is(t, http.StatusSeeOther, "/sign-in")
	copied.get("/").is(t, http.StatusSeeOther, "/sign-in")
}

func TestSignInNeverLeadsToAnotherSite(t *testing.T) {
	s, _, _ := signInSite(t, withFirstPassword)
	for _, next := range []string{"https://evil.example/", "//evil.example/", `/\evil.example`, "javascript:alert(1)", "http:/evil", "/%0d%0aLocation:/x\r\n"} {
		v := fromElsewhere(t, s)
		v.post("/sign-in", "username", "admin", "password", password, "next", next).is(t, http.StatusSeeOther, "/")
	}
}

func TestTooManyWrongPasswordsCloseTheDoorForAWhile(t *testing.T) {
	s, _, now := signInSite(t, withFirstPassword)
	v := fromElsewhere(t, s)
	for range 8 {
		v.post("/sign-in", "username", "admin", "password", "wrong").is(t, http.StatusUnauthorized, "")
	}
	a := v.post("/sign-in", "username", "admin", "password", password)
	a.is(t, http.StatusTooManyRequests, "", "Too many failed attempts.")
	if a.header.Get("Retry-After") == "" {
		t.Error("nothing says when to come back")
	}
	elsewhere := fromElsewhere(t, s)
	elsewhere.address = "192.0.2.8:1"
	elsewhere.post("/sign-in", "username", "admin", "password", password).is(t, http.StatusSeeOther, "/")
	*now = now.Add(16 * time.Minute)
	v.post("/sign-in", "username", "admin", "password", password).is(t, http.StatusSeeOther, "/")
}

func TestAnAccountIsClosedWhereverTheAttemptsComeFrom(t *testing.T) {
	s, p, _ := signInSite(t, withFirstPassword)
	signedIn(t, s)
	for i := range 24 {
		if _, err := p.AddAttempt(context.Background(), "192.0.2."+strconv.Itoa(100+i), "admin", morning); err != nil {
			t.Fatal(err)
		}
	}
	fromElsewhere(t, s).post("/sign-in", "username", "ADMIN", "password", password).is(t, http.StatusTooManyRequests, "")
}

func TestAProxyThatSaysNothingOfWhomItSpeaksForIsNotThisComputer(t *testing.T) {
	// As nginx asks by default: over the loopback, for the loopback, by HTTP/1.0.
	s, _, _ := signInSite(t)
	for _, path := range []string{"/", "/set-up"} {
		r := atThisComputer(t, s).request(http.MethodGet, path, nil)
		r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.0", 1, 0
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != http.StatusForbidden || len(w.Result().Cookies()) > 0 {
			t.Errorf("%s answers %d with %v", path, w.Code, w.Result().Cookies())
		}
	}
}

func TestABelievedProxyThatNamesNoClientSpeaksForNobodyHere(t *testing.T) {
	s, _, _ := signInSite(t, func(o *web.Options) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")} })
	atThisComputer(t, s).get("/").is(t, http.StatusForbidden, "")
	named := atThisComputer(t, s)
	named.headers["X-Forwarded-For"] = "127.0.0.1"
	named.get("/").is(t, http.StatusOK, "")
	named.headers["X-Forwarded-For"] = "203.0.113.9"
	named.get("/").is(t, http.StatusForbidden, "")
}

func TestAHundredAttemptsAtOnceAreNoMoreThanOneByOne(t *testing.T) {
	s, p, _ := signInSite(t, withFirstPassword)
	fromElsewhere(t, s).get("/sign-in").is(t, http.StatusOK, "")
	var all sync.WaitGroup
	var looked, refused atomic.Int64
	for range 100 {
		all.Go(func() {
			switch a := fromElsewhere(t, s).post("/sign-in", "username", "admin", "password", "wrong"); a.status {
			case http.StatusUnauthorized:
				looked.Add(1)
			case http.StatusTooManyRequests:
				refused.Add(1)
			default:
				t.Errorf("it answers %d", a.status)
			}
		})
	}
	all.Wait()
	if looked.Load() > 8 || looked.Load()+refused.Load() != 100 {
		t.Errorf("%d passwords were looked at, %d were not", looked.Load(), refused.Load())
	}
	if byAddress, _, err := p.FailedAttempts(context.Background(), "192.0.2.7", "admin", morning.Add(-time.Minute)); err != nil || byAddress < 8 {
		t.Errorf("%d failed attempts are noted, %v", byAddress, err)
	}
}

// crowd has its first visitors ask how many attempts failed before any of them is noted.
type crowd struct {
	*people
	asked  atomic.Int64
	toCome sync.WaitGroup
}

const crowdSize = 30

func (c *crowd) FailedAttempts(ctx context.Context, address, account string, since time.Time) (byAddress, byAccount int, err error) {
	byAddress, byAccount, err = c.people.FailedAttempts(ctx, address, account, since)
	if c.asked.Add(1) <= crowdSize {
		c.toCome.Done()
		c.toCome.Wait()
	}
	return byAddress, byAccount, err
}

func TestManyAttemptsAtOnceFromOneAddressKeepNobodyElseOut(t *testing.T) {
	c := &crowd{people: newPeople()}
	c.toCome.Add(crowdSize)
	s, _, _ := signInSite(t, withFirstPassword, func(o *web.Options) { o.SignIns = c })
	fromElsewhere(t, s).get("/sign-in").is(t, http.StatusOK, "")
	var all sync.WaitGroup
	for range crowdSize {
		all.Go(func() { fromElsewhere(t, s).post("/sign-in", "username", "admin", "password", "wrong") })
	}
	all.Wait()
	fromElsewhere(t, s).post("/sign-in", "username", "admin", "password", password).is(t, http.StatusTooManyRequests, "")
	owner := fromElsewhere(t, s)
	owner.address = "192.0.2.8:1"
	owner.post("/sign-in", "username", "admin", "password", password).is(t, http.StatusSeeOther, "/")
}

func TestWhoSignsInOftenIsNotKeptOut(t *testing.T) {
	s, _, _ := signInSite(t, withFirstPassword)
	for range 12 {
		fromElsewhere(t, s).post("/sign-in", "username", "admin", "password", password).is(t, http.StatusSeeOther, "/")
	}
}

func TestANameWithoutEndIsCutOffBeforeItIsNoted(t *testing.T) {
	o := newOffice(newHouse(t, fixed).now)
	s := whole(t, newHouse(t, fixed), withFirstPassword, withOffice(o))
	fromElsewhere(t, s).post("/sign-in", "username", strings.Repeat("x", 100_000), "password", "wrong").is(t, http.StatusUnauthorized, "")
	entries, _, err := ledger{o}.Entries(context.Background(), "", 0)
	if err != nil || len(entries[0].Who) > 200 || entries[0].What != "sign-in refused" {
		t.Errorf("%d bytes are noted as %q, %v", len(entries[0].Who), entries[0].What, err)
	}
}

func TestWhoWasSignedInStaysSoWhileTheDatabaseIsAway(t *testing.T) {
	s, p, now := signInSite(t, withFirstPassword)
	v := signedIn(t, s)
	v.get("/").is(t, http.StatusOK, "")
	p.leave(true)
	*now = now.Add(time.Hour)
	v.get("/").is(t, http.StatusOK, "", "now")
	stranger := fromElsewhere(t, s)
	stranger.cookies["atozbot_session"] = "made up"
	stranger.get("/").is(t, http.StatusServiceUnavailable, "", "The records cannot be read now.")
	stranger.post("/sign-in", "username", "admin", "password", password).is(t, http.StatusServiceUnavailable, "")
	p.leave(false)
	stranger.get("/").is(t, http.StatusSeeOther, "/sign-in")
}

func TestASignInEndsAfterThirtyDaysWithoutUse(t *testing.T) {
	s, _, now := signInSite(t, withFirstPassword)
	v := signedIn(t, s)
	*now = now.Add(20 * 24 * time.Hour)
	a := v.get("/")
	a.is(t, http.StatusOK, "")
	if cookie := a.header.Get("Set-Cookie"); !strings.HasPrefix(cookie, "atozbot_session="+v.cookies["atozbot_session"]) || !strings.Contains(cookie, "Max-Age=2592000;") {
		t.Errorf("the browser forgets the sign-in before the records do: %q", cookie)
	}
	*now = now.Add(20 * 24 * time.Hour)
	v.get("/").is(t, http.StatusOK, "")
	*now = now.Add(31 * 24 * time.Hour)
	v.get("/").is(t, http.StatusSeeOther, "/sign-in")
}

func TestSignOutEverywhereEndsEveryBrowser(t *testing.T) {
	s, _, _ := signInSite(t, withFirstPassword)
	one, two := signedIn(t, s), signedIn(t, s)
	two.get("/").is(t, http.StatusOK, "")
	one.get("/settings/security").is(t, http.StatusOK, "", "this browser", "192.0.2.7")
	one.post("/sign-out/everywhere").is(t, http.StatusSeeOther, "/sign-in")
	two.get("/").is(t, http.StatusSeeOther, "/sign-in")
}

func TestAChangedPasswordEndsEveryOtherBrowser(t *testing.T) {
	s, _, _ := signInSite(t, withFirstPassword)
	one, two := signedIn(t, s), signedIn(t, s)
	fresh := "another horse altogether"
	one.post("/settings/security/password", "old", "wrong one", "password", fresh, "again", fresh, "back", "/settings/security").is(t, http.StatusSeeOther, "/settings/security")
	one.get("/settings/security").is(t, http.StatusOK, "", "Not done: the old password is wrong.")
	one.post("/settings/security/password", "old", password, "password", fresh, "again", fresh).is(t, http.StatusSeeOther, "/settings/security")
	one.get("/settings/security").is(t, http.StatusOK, "", "The password is changed")
	two.get("/").is(t, http.StatusSeeOther, "/sign-in")
	fromElsewhere(t, s).post("/sign-in", "username", "admin", "password", password).is(t, http.StatusUnauthorized, "")
}

func TestAnotherSiteCanSendNothing(t *testing.T) {
	h := newHouse(t, fixed)
	v := atThisComputer(t, newSite(t, h))
	v.headers["Sec-Fetch-Site"], v.headers["Origin"] = "cross-site", "https://evil.example"
	v.post("/bot/stop").is(t, http.StatusForbidden, "", "This was sent from another site.")
	if got := h.wished(); len(got) > 0 {
		t.Errorf("it was done all the same: %v", got)
	}
}

func TestStrangersSeeNothingOfTheHouse(t *testing.T) {
	h := newHouse(t, fixed)
	h.health.Fallback = "connection refused"
	s := newSite(t, h, withPeople(newPeople()), withFirstPassword)
	a := fromElsewhere(t, s).get("/sign-in")
	a.is(t, http.StatusOK, "", "Sign in")
	a.silent(t, "connection refused", "Activity", "1.2.3")
}
