package web_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/atozbot/atozbot/app"
)

// text gives what an element says.
func text(t *testing.T, ctx context.Context, selector string) string {
	t.Helper()
	return ask[string](t, ctx, `document.querySelector(`+quoted(selector)+`)?.textContent.replace(/\s+/g, " ").trim() ?? ""`)
}

func quoted(s string) string { return "`" + s + "`" }

// says waits until an element says something.
func says(t *testing.T, ctx context.Context, selector, want string) {
	t.Helper()
	until(t, ctx, `(document.querySelector(`+quoted(selector)+`)?.textContent ?? "").replace(/\s+/g, " ").includes(`+quoted(want)+`)`)
}

// arrives puts a new job at the head of the list and tells the pages.
func arrives(h *house, id, language string) {
	h.change(func(h *house) {
		job := h.jobs[0]
		job.ID, job.Ref, job.Language, job.SeenAt = id, id+"/A", language, h.now()
		h.jobs = append([]app.JobRecord{job}, h.jobs...)
	})
	h.tell("job_accepted", map[string]any{"job_ref": id + "/A"})
}

func TestNowIsLiveAndMovesNothing(t *testing.T) {
	ctx := browse(t)
	on(t, ctx, phone)
	h := newHouse(t, time.Now)
	h.change(func(h *house) { h.status.LastLook = time.Now().Add(-7 * time.Second) }) // Its age gets a second figure.
	server := serve(t, h, newSite(t, h))
	do(t, ctx, chromedp.Navigate(server.URL+"/"))
	says(t, ctx, ".link-state__text", "Live")
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`window.shifts = []; new PerformanceObserver((list) => { for (const e of list.getEntries()) { window.shifts.push(e.value); window.moved = (window.moved ?? "") + "\n" + e.value + " at " + Math.round(e.startTime) + " ms: " + e.sources.map((s) => (s.node?.outerHTML ?? s.node?.textContent ?? "").slice(0, 90) + JSON.stringify([s.previousRect, s.currentRect].map((r) => [r.x, r.y, r.width, r.height]))).join("\n  "); } }).observe({type: "layout-shift", buffered: true})`))

	arrives(h, "99001", "Klingon")
	says(t, ctx, ".jobs--still .job:first-child", "Klingon")
	says(t, ctx, "#announcer", "Accepted: Klingon")
	if n := ask[int](t, ctx, `document.querySelectorAll(".jobs--still .job").length`); n != 5 {
		t.Errorf("%d decisions are shown, want 5", n)
	}

	h.change(func(h *house) { h.status.Session.Status = app.SessionPaused })
	h.tell("bot_paused", nil)
	says(t, ctx, ".hero__say", "Paused.")
	says(t, ctx, "#announcer", "Paused.")

	h.tell("status_update", map[string]any{"bot_status": map[string]any{"total_checks": 20001, "total_accepted": 4, "total_rejected": 0}})
	says(t, ctx, `live-count[name="checks"]`, "20,001")
	until(t, ctx, `/^\d\d\ss\sago/.test(document.querySelector(".look").textContent)`)

	if shift := ask[float64](t, ctx, `window.shifts.reduce((a, b) => a + b, 0)`); shift > shiftAtMost { // The label of a button changed in its place.
		t.Errorf("the page moved by %v:%s", shift, ask[string](t, ctx, `window.moved`))
	}
}

func TestAFingerOnItsWayGoesWhereItWasGoing(t *testing.T) {
	ctx := browse(t)
	on(t, ctx, phone)
	h := newHouse(t, time.Now)
	server := serve(t, h, newSite(t, h))
	do(t, ctx, chromedp.Navigate(server.URL+"/"))
	says(t, ctx, ".link-state__text", "Live")
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`new MutationObserver(() => { const first = document.querySelector(".jobs--still a"); if (first.textContent.includes("Klingon")) first.click(); }).observe(document.querySelector(".jobs--still"), { subtree: true, childList: true })`))
	arrives(h, "99004", "Klingon")
	until(t, ctx, `location.pathname.startsWith("/jobs/")`)
	if path := ask[string](t, ctx, `location.pathname`); path != "/jobs/0190-0" {
		t.Errorf("it went to %s", path)
	}
}

func TestNowKeepsStillUnderTheKeyboard(t *testing.T) {
	ctx := browse(t)
	on(t, ctx, phone)
	h := newHouse(t, time.Now)
	server := serve(t, h, newSite(t, h))
	do(t, ctx, chromedp.Navigate(server.URL+"/"))
	says(t, ctx, ".link-state__text", "Live")
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelectorAll(".jobs--still a")[1].focus(); scrollTo(0, 120)`))
	before := ask[string](t, ctx, `document.activeElement.getAttribute("href")`)
	top := ask[float64](t, ctx, `scrollY`)
	arrives(h, "99002", "Klingon")
	says(t, ctx, ".jobs--still .job:first-child", "Klingon")
	if after := ask[string](t, ctx, `document.activeElement.getAttribute("href") ?? "nothing"`); after != before {
		t.Errorf("the focus went from %s to %s", before, after)
	}
	if now := ask[float64](t, ctx, `scrollY`); now != top {
		t.Errorf("the page scrolled from %v to %v", top, now)
	}
}

func TestTheBotIsPausedWithoutLeavingThePage(t *testing.T) {
	ctx := browse(t)
	on(t, ctx, phone)
	h := newHouse(t, time.Now)
	server := serve(t, h, newSite(t, h))
	do(t, ctx, chromedp.Navigate(server.URL+"/"), chromedp.Evaluate[chromedp.Void](`window.same = true`))
	says(t, ctx, ".link-state__text", "Live") // Until then a form is an ordinary one.
	press(t, ctx, `.controls form[action="/bot/pause"] button`)
	says(t, ctx, ".hero__say", "Paused.")
	says(t, ctx, "#said", "Paused. Nothing is accepted.")
	press(t, ctx, `#said form button`)
	says(t, ctx, ".hero__say", "Watching.")
	if !ask[bool](t, ctx, `window.same === true`) {
		t.Error("the page was left")
	}
	if got := strings.Join(h.wished(), " "); got != "pause resume" {
		t.Errorf("wished %q", got)
	}
}

func TestAPageThatHearsNothingSaysHowOldItIs(t *testing.T) {
	ctx := browse(t)
	on(t, ctx, phone)
	h := newHouse(t, time.Now)
	s := newSite(t, h)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/events", h.events)
	mux.Handle("/", s)
	server := httptest.NewServer(mux)
	address := server.Listener.Addr().String()
	do(t, ctx, chromedp.Navigate(server.URL+"/"))
	says(t, ctx, ".link-state__text", "Live")

	server.CloseClientConnections()
	server.Listener.Close()
	says(t, ctx, ".stale", "The connection is lost. What you see is from")
	says(t, ctx, "#announcer", "The connection is lost.")
	picture(t, ctx, "now-stale-phone")
	h.change(func(h *house) { h.status.Session.Status = app.SessionStopped })

	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	again := &httptest.Server{Listener: listener, Config: &http.Server{Handler: mux}}
	again.Start()
	t.Cleanup(func() { again.CloseClientConnections(); again.Close() })
	says(t, ctx, ".hero__say", "Stopped.")
	until(t, ctx, `!document.querySelector(".stale")`)
	server.CloseClientConnections()
}

func TestTheWaitingPageTurnsIntoTheRealOne(t *testing.T) {
	ctx := browse(t)
	on(t, ctx, phone)
	h := newHouse(t, time.Now)
	ready := h.health
	h.health.Started = false
	h.health.Services[2].State, h.health.Services[2].Reason, h.health.Services[2].Attempt, h.health.Services[2].Attempts = "starting", "connection refused", 3, 10
	server := serve(t, h, newSite(t, h))
	do(t, ctx, chromedp.Navigate(server.URL+"/activity"))
	says(t, ctx, "main", "Waiting for: database, attempt 3 of 10.")
	picture(t, ctx, "waiting-phone")
	h.change(func(h *house) { h.health.Services[2].Attempt = 4 })
	says(t, ctx, "main", "attempt 4 of 10.")
	h.change(func(h *house) { h.health = ready; h.health.Started = true })
	says(t, ctx, "h1", "Activity")
}

func TestActivityCountsNewJobsAndShowsThemWhenAsked(t *testing.T) {
	ctx := browse(t)
	on(t, ctx, desktop)
	h := newHouse(t, time.Now)
	server := serve(t, h, newSite(t, h))
	do(t, ctx, chromedp.Navigate(server.URL+"/activity"))
	says(t, ctx, ".link-state__text", "Live")
	arrives(h, "99003", "Klingon")
	says(t, ctx, ".fresh", "1 new")
	if first := text(t, ctx, ".job"); strings.Contains(first, "Klingon") {
		t.Error("it moved the list unasked")
	}
	press(t, ctx, ".fresh")
	says(t, ctx, ".job", "Klingon")
	until(t, ctx, `!document.querySelector(".fresh")`)

	do(t, ctx, chromedp.SendKeys(chromedp.ID("q"), "klingon"+kb.Enter))
	until(t, ctx, `location.search.startsWith("?q=klingon") && document.readyState === "complete"`)
	if n := ask[int](t, ctx, `document.querySelectorAll(".job").length`); n != 1 {
		t.Errorf("%d jobs fit, want 1", n)
	}
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`history.back()`))
	until(t, ctx, `location.search === "" && document.querySelectorAll(".job").length > 5`)
}

func TestRulesAreTriedWhileTheyAreWritten(t *testing.T) {
	ctx := browse(t)
	on(t, ctx, desktop)
	h := newHouse(t, time.Now)
	server := serve(t, h, newSite(t, h))
	do(t, ctx, chromedp.Navigate(server.URL+"/rules"))
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.getElementById("f-max_per_day").select()`), chromedp.SendKeys(chromedp.ID("f-max_per_day"), "1"))
	says(t, ctx, "#tried", "would have accepted 4 more and 1 fewer")
	says(t, ctx, "#tried", "1 change, not saved yet:")
	press(t, ctx, `.rules__do .button--primary`)
	says(t, ctx, "#said", "Saved as version 5")
	press(t, ctx, `#said button`)
	says(t, ctx, "#said", "Undone: version 6 is in force.")
}

func TestOfflineTheShellSaysSo(t *testing.T) {
	ctx := browse(t)
	on(t, ctx, phone)
	h := newHouse(t, time.Now)
	server := serve(t, h, newSite(t, h))
	do(t, ctx, chromedp.Navigate(server.URL+"/"))
	until(t, ctx, `navigator.serviceWorker.controller !== null`)
	server.CloseClientConnections()
	server.Close()
	_ = chromedp.Do(ctx, chromedp.Navigate(server.URL+"/bookings"))
	says(t, ctx, "h1", "atozbot cannot be reached.")
	says(t, ctx, ".last h2", "This is from")
	says(t, ctx, ".last", "Watching.")
	picture(t, ctx, "offline-phone")
}

func TestSigningInAndOutInABrowser(t *testing.T) {
	ctx := browse(t)
	on(t, ctx, screen{name: "320", width: 320, height: 640, mobile: true})
	h := newHouse(t, time.Now)
	server := serve(t, h, whole(t, h, withFirstPassword))
	enter := func(text string) {
		t.Helper()
		do(t, ctx, chromedp.SendKeys(chromedp.CSS(`input[name="password"]`), text+kb.Enter))
	}
	do(t, ctx, chromedp.Navigate(server.URL+"/activity?q=pol"))
	says(t, ctx, "h1", "Sign in")
	enter("wrong")
	says(t, ctx, ".wrong", "The name or the password is wrong.")
	picture(t, ctx, "sign-in-phone")
	enter(password)
	says(t, ctx, "h1", "Activity")
	until(t, ctx, `location.search === "?q=pol"`)
	do(t, ctx, chromedp.Navigate(server.URL+"/"))
	says(t, ctx, ".link-state__text", "Live")
	for _, wrong := range ask[[]string](t, ctx, script(t, "page.js")) {
		t.Error(wrong)
	}
	picture(t, ctx, "signed-in-320")
	press(t, ctx, `form[action="/sign-out"] button`)
	says(t, ctx, "h1", "Sign in")
	do(t, ctx, chromedp.Navigate(server.URL+"/"))
	says(t, ctx, "h1", "Sign in")
	if ask[bool](t, ctx, `caches.match("/now/last").then((kept) => kept !== undefined)`) {
		t.Error("what Now showed is still kept in this browser")
	}
}

func TestWithoutJavaScriptThePagesAreReadAndTheBotIsSteered(t *testing.T) {
	ctx := browse(t)
	on(t, ctx, phone)
	h := newHouse(t, time.Now)
	server := serve(t, h, whole(t, h))
	if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	read := func() string {
		t.Helper()
		page, err := chromedp.Run(ctx, chromedp.OuterHTML(chromedp.CSS("body")))
		if err != nil {
			t.Fatal(err)
		}
		return page
	}
	do(t, ctx, chromedp.Navigate(server.URL+"/"))
	if page := read(); !strings.Contains(page, "Watching.") || !strings.Contains(page, "Not live") {
		t.Error("Now cannot be read")
	}
	if _, err := chromedp.Run(ctx, chromedp.WaitEvent(page.LoadEventFired, nil, chromedp.Click(chromedp.CSS(`form[action="/bot/pause"] button`)))); err != nil {
		t.Fatal(err)
	}
	if page := read(); !strings.Contains(page, "Paused. Nothing is accepted.") {
		t.Error("the bot was not paused")
	}
	press(t, ctx, `details.more summary`)
	do(t, ctx, chromedp.WaitVisible(chromedp.CSS(`.more__list a[href="/system"]`)))
}

// TestWhatHappenedBeforeTheStreamOpenedIsShown holds that nothing falls in between: what
// happens after a page is made, and before it listens, is told by no event of its own.
func TestWhatHappenedBeforeTheStreamOpenedIsShown(t *testing.T) {
	for _, page := range []struct{ path, shown, want string }{
		{"/", ".jobs--still .job:first-child", "Klingon"},
		{"/activity", ".fresh", "1 new"},
		{"/bookings", ".agenda", "Klingon"},
	} {
		t.Run(page.path, func(t *testing.T) {
			ctx := browse(t)
			on(t, ctx, phone)
			h := newHouse(t, time.Now)
			mux := http.NewServeMux()
			mux.HandleFunc("GET /api/events", func(w http.ResponseWriter, r *http.Request) {
				h.change(func(h *house) {
					job := h.jobs[0]
					job.ID, job.Ref, job.Language, job.SeenAt = "99007", "99007/A", "Klingon", h.now()
					h.jobs = append([]app.JobRecord{job}, h.jobs...)
				})
				w.Header().Set("Content-Type", "text/event-stream")
				fmt.Fprint(w, "event: status_update\ndata: {\"type\":\"status_update\",\"data\":{}}\n\n")
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done()
			})
			mux.Handle("/", newSite(t, h))
			server := httptest.NewServer(mux)
			t.Cleanup(server.Close)
			t.Cleanup(server.CloseClientConnections)
			do(t, ctx, chromedp.Navigate(server.URL+page.path))
			says(t, ctx, page.shown, page.want)
		})
	}
}

func TestAPageIsLiveWithoutAModuleThatDoesNotCome(t *testing.T) {
	ctx := browse(t)
	h := newHouse(t, time.Now)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/events", h.events)
	mux.HandleFunc("GET /static/{version}/js/forms.js", http.NotFound)
	mux.Handle("/", newSite(t, h))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	do(t, ctx, chromedp.Navigate(server.URL+"/"))
	says(t, ctx, ".link-state__text", "Live")
	arrives(h, "99008", "Klingon")
	says(t, ctx, ".jobs--still .job:first-child", "Klingon")
}
