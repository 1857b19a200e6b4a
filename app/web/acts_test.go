package web_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app"
)

func TestTheBotIsSteeredFromNow(t *testing.T) {
	h := newHouse(t, fixed)
	v := atThisComputer(t, newSite(t, h))
	for _, step := range []struct{ path, says, undo string }{
		{"/bot/pause", "Paused. Nothing is accepted.", `action="/bot/resume"`},
		{"/bot/resume", "Going on.", `action="/bot/pause"`},
		{"/bot/stop", "Stopped.", `action="/bot/again/0190-session"`},
		{"/bot/again/0190-session", "Going on.", `action="/bot/stop"`},
		{"/bot/start", "Started.", `action="/bot/stop"`},
		{"/bot/rearm", "Going on.", ""},
		{"/jobs/0190-2/accept", "It is being accepted.", ""},
		{"/jobs/0190-2/leave", "It is left alone.", `action="/jobs/0190-2/ask"`},
		{"/jobs/0190-2/ask", "It waits for your answer again.", ""},
	} {
		v.post(step.path, "back", "/").is(t, http.StatusSeeOther, "/")
		v.get("/").is(t, http.StatusOK, "", step.says, step.undo)
		v.get("/").silent(t, `class="flash`) // It is said once.
	}
	want := []string{"pause", "resume", "stop", "again 0190-session", "start", "rearm", "accept 0190-2", "leave 0190-2", "ask 0190-2"}
	if got := h.wished(); !slices.Equal(got, want) {
		t.Errorf("wished %v, want %v", got, want)
	}
}

func TestAnActLeadsBackWhereItCameFrom(t *testing.T) {
	v := atThisComputer(t, newSite(t, newHouse(t, fixed)))
	v.post("/bot/pause", "back", "/jobs/0190-2?x=1").is(t, http.StatusSeeOther, "/jobs/0190-2?x=1")
	v.post("/bot/pause", "back", "https://evil.example/").is(t, http.StatusSeeOther, "/")
}

func TestAnActThatCannotBeDoneSaysWhy(t *testing.T) {
	h := newHouse(t, fixed)
	v := atThisComputer(t, newSite(t, h))
	v.post("/rules/undo").is(t, http.StatusSeeOther, "/")
	v.get("/").is(t, http.StatusOK, "", "Not done: There is no version before this one.")
}

func TestActivityKeepsItsFiltersInTheAddress(t *testing.T) {
	v := atThisComputer(t, newSite(t, newHouse(t, fixed)))
	a := v.get("/activity?kind=accepted&q=pol&language=Polish")
	a.is(t, http.StatusOK, "", "48213/A", `value="pol"`, `<option selected>Polish</option>`, `aria-current="true"`,
		`/activity?kind=lost&amp;language=Polish&amp;q=pol`, `/api/bot/jobs/export?format=csv&amp;language=Polish&amp;q=pol&amp;status=accepted`)
	a.silent(t, "Tigrinya</option selected", "48210/A")
	v.get("/activity?kind=nonsense&since=yesterday").is(t, http.StatusOK, "", "48210/A")
	v.get("/activity?q=nothing-like-it").is(t, http.StatusOK, "", "No job fits these filters.")
}

func TestActivityGoesOnByItsCursor(t *testing.T) {
	h := newHouse(t, fixed)
	some := h.jobs[0]
	h.jobs = nil
	for i := range 95 {
		job := some
		job.ID, job.Ref = "job-"+string(rune('a'+i/26))+string(rune('a'+i%26)), "ref"
		h.jobs = append(h.jobs, job)
	}
	v := atThisComputer(t, newSite(t, h))
	first := v.get("/activity?q=ref")
	first.is(t, http.StatusOK, "", `rel="next" href="/activity?cursor=job-bn&amp;q=ref"`)
	if n := strings.Count(first.text, `<li class="job `); n != 40 {
		t.Errorf("%d jobs on the first page, want 40", n)
	}
	last := v.get("/activity?cursor=job-db&q=ref")
	last.is(t, http.StatusOK, "", "Newest")
	last.silent(t, `rel="next"`)
}

func TestAJobSaysWhy(t *testing.T) {
	v := atThisComputer(t, newSite(t, newHouse(t, fixed)))
	a := v.get("/jobs/0190-1")
	a.is(t, http.StatusOK, "", "Left alone:", "Face-to-Face is excluded.", "Excluded types", "did not hold", "this decided", "4 ms", "The row as it was on the board", "View Accept",
		"/rules?change=accept_type&amp;value=Face-to-Face")
	v.get("/jobs/0190-0").is(t, http.StatusOK, "", "Accepted:", "11 ms", "141 ms", "/jobs/0190-0/booking.ics", "https://portal.example/interpreter-jobs/48213")
	v.get("/jobs/none").is(t, http.StatusNotFound, "", "There is no such page.")
}

func TestABookingGoesIntoTheCalendar(t *testing.T) {
	v := atThisComputer(t, newSite(t, newHouse(t, fixed)))
	a := v.get("/jobs/0190-0/booking.ics")
	a.is(t, http.StatusOK, "", "BEGIN:VEVENT\r\n", "DTSTART:20270203T170000Z", "DTEND:20270203T174500Z", "SUMMARY:Polish Telephone interpreting")
	if got := a.header.Get("Content-Type"); got != "text/calendar; charset=utf-8" {
		t.Errorf("Content-Type is %q", got)
	}
	v.get("/jobs/0190-1/booking.ics").is(t, http.StatusNotFound, "")
}

func TestBookingsShowConflictsAndGoneOnes(t *testing.T) {
	h := newHouse(t, fixed)
	h.versions[0].BufferAfter = 20
	h.busy = []app.Booking{{Label: "calendar Private: dentist", StartsAt: h.jobs[0].EndsAt.Add(20 * time.Minute), EndsAt: h.jobs[0].EndsAt.Add(80 * time.Minute)}}
	for i := range h.jobs {
		if h.jobs[i].ID == "0190-5" {
			h.jobs[i].VanishedAt = morning
		}
	}
	a := atThisComputer(t, newSite(t, h)).get("/bookings")
	a.is(t, http.StatusOK, "", "Wednesday, 3 February 2027", "17:00–17:45", "Overlaps Polish 17:30.", "Too close to calendar Private: dentist.", "20 min after", "no longer on your list at the portal", "1 h 15 min", "Confirmed by the portal")
}

// saved are the fields of the Rules form that a test does not care for.
var saved = []string{
	"version", "4", "mode", "live", "max_accept_per_run", "5", "job_type_filter", "Telephone interpreting", "exclude_types", "Face-to-Face, Face to Face, In-Person, Onsite",
	"languages_any", "1", "avoid_overlap", "1", "max_per_day", "3", "max_per_week", "12", "check_interval_seconds", "2", "preference", "listed", "parallel_details", "1", "time_zone", "Europe/London",
	"results_report_interval_seconds", "5", "rejected_report_interval_seconds", "43200", "enable_results_reporting", "1", "enable_rejected_reporting", "1",
} // Read only.

func form(pairs ...string) []string { return append(slices.Clone(saved), pairs...) }

// put replaces one field of a form.
func put(form []string, name, value string) []string {
	form = slices.Clone(form)
	for i := 0; i+1 < len(form); i += 2 {
		if form[i] == name {
			form[i+1] = value
			return form
		}
	}
	return append(form, name, value)
}

func TestRulesAreTriedSavedAndUndone(t *testing.T) {
	h := newHouse(t, fixed)
	v := atThisComputer(t, newSite(t, h))
	change := put(form("hours_mon_from", "08:00", "hours_mon_to", "18:00", "hours_sun_from", "20:00", "hours_sun_to", "00:00", "off_from", "2027-03-01", "off_to", "2027-03-07", "off_note", "holiday",
		"buffer_type", "Video", "buffer_type_before", "10", "buffer_type_after", ""), "max_per_day", "2")
	v.post("/rules/try", change...).is(t, http.StatusOK, "", "accepted 4 more and 1 fewer", "4 changes, not saved yet:", "Weekly hours", "38 ms")
	if len(h.versions) != 1 {
		t.Fatal("trying saved it")
	}
	v.post("/rules", change...).is(t, http.StatusSeeOther, "/rules")
	v.get("/rules").is(t, http.StatusOK, "", "Saved as version 5", `action="/rules/undo"`, `value="08:00"`, `value="2027-03-07"`)
	c := h.versions[0]
	if c.MaxPerDay != 2 || c.WeeklyHours["mon"][0] != [2]string{"08:00", "18:00"} || c.WeeklyHours["sun"][0][1] != "24:00" ||
		!slices.Equal(c.DaysOff, []app.DayOff{{From: "2027-03-01", To: "2027-03-07", Note: "holiday"}}) || !slices.Equal(c.BuffersByType, []app.TypeBuffer{{Type: "Video", Before: 10}}) {
		t.Errorf("saved %+v", c)
	}
	v.post("/rules/undo").is(t, http.StatusSeeOther, "/rules")
	v.get("/rules").is(t, http.StatusOK, "", "Undone: version 6 is in force.")
	if h.versions[0].MaxPerDay != 3 {
		t.Errorf("undone to %+v", h.versions[0])
	}
}

func TestASaveWithoutChangesChangesNothing(t *testing.T) {
	h := newHouse(t, fixed)
	v := atThisComputer(t, newSite(t, h))
	before := h.versions[0]
	v.post("/rules", saved...).is(t, http.StatusSeeOther, "/rules")
	after := h.versions[0]
	after.Version, after.Author, after.CreatedAt = before.Version, before.Author, before.CreatedAt
	a := v.post("/rules/try", put(form(), "version", "5")...)
	a.is(t, http.StatusOK, "")
	a.silent(t, "not saved yet")
	if after.JobTypeFilter != before.JobTypeFilter || !slices.Equal(after.ExcludeTypes, before.ExcludeTypes) || len(after.Languages) != 0 {
		t.Errorf("saved %+v, was %+v", after, before)
	}
}

func TestWrongFieldsAreNamedAtTheirPlace(t *testing.T) {
	h := newHouse(t, fixed)
	v := atThisComputer(t, newSite(t, h))
	v.post("/rules", put(form(), "max_per_day", "many")...).is(t, http.StatusUnprocessableEntity, "", "1 field is to be mended", "A whole number, please.", `id="w-max_per_day"`, `aria-invalid="true"`)
	v.post("/rules", put(form(), "max_accept_per_run", "0")...).is(t, http.StatusUnprocessableEntity, "", "must be 1 to 1,000,000")
	v.post("/rules", form("hours_mon_from", "08:00", "hours_mon_to", "")...).is(t, http.StatusUnprocessableEntity, "", "A stretch needs a beginning and an end.")
	if len(h.versions) != 1 {
		t.Error("it was saved all the same")
	}
}

func TestRulesThatSomebodyElseSavedAreNotOverwritten(t *testing.T) {
	h := newHouse(t, fixed)
	v := atThisComputer(t, newSite(t, h))
	v.post("/rules", append(put(form(), "version", "3"), "back", "/rules")...).is(t, http.StatusSeeOther, "/rules")
	v.get("/rules").is(t, http.StatusOK, "", "The rules were saved by somebody else since.")
}

func TestGoingLiveIsAskedForInWords(t *testing.T) {
	h := newHouse(t, fixed)
	h.versions[0].Mode = app.ModeWatch
	v := atThisComputer(t, newSite(t, h))
	a := v.post("/rules", form("reject_excluded", "1")...)
	a.is(t, http.StatusOK, "", "Go live?", "acceptance is a promise", "rejected on the portal", `name="confirmed" value="yes"`, `name="max_per_week" value="12"`)
	if h.versions[0].Mode != app.ModeWatch {
		t.Fatal("it went live without an answer")
	}
	v.post("/rules", form("reject_excluded", "1", "confirmed", "yes")...).is(t, http.StatusSeeOther, "/rules")
	if h.versions[0].Mode != app.ModeLive || !h.versions[0].RejectExcluded {
		t.Errorf("saved %+v", h.versions[0])
	}
	v.post("/rules", put(put(form(), "version", "5"), "mode", "watch")...).is(t, http.StatusSeeOther, "/rules")
	v.post("/rules/undo").is(t, http.StatusOK, "", "Go live?") // Undoing may mean going live.
}

func TestAJobMakesARuleWithoutSavingIt(t *testing.T) {
	h := newHouse(t, fixed)
	v := atThisComputer(t, newSite(t, h))
	v.get("/rules?change=exclude_type&value=Video+interpreting").is(t, http.StatusOK, "", "1 change, not saved yet:", "Onsite, Video interpreting", "4 more and 1 fewer")
	v.get("/rules?change=without_language&value=Urdu").is(t, http.StatusOK, "", `value="Polish" checked`)
	v.get("/rules?preset=watch").is(t, http.StatusOK, "", "Watch only.")
	v.get("/rules").is(t, http.StatusOK, "", "Change something")
	if len(h.versions) != 1 {
		t.Error("a link saved something")
	}
}

func TestWithTheRecordsAwayListsSaySoAndTheRestWorks(t *testing.T) {
	h := newHouse(t, fixed)
	h.away = true
	v := atThisComputer(t, whole(t, h))
	for _, path := range []string{"/activity", "/bookings", "/insights", "/jobs/0190-1"} {
		a := v.get(path)
		a.is(t, http.StatusServiceUnavailable, "", "The records cannot be read now.", "Nothing is lost.")
		if a.header.Get("Retry-After") == "" {
			t.Errorf("%s does not say when to try again", path)
		}
	}
	for _, path := range []string{"/", "/rules", "/system", "/settings"} {
		v.get(path).is(t, http.StatusOK, "")
	}
	v.post("/bot/pause").is(t, http.StatusSeeOther, "/")
}

func TestSecretsAreShownOnceOrNever(t *testing.T) {
	v := atThisComputer(t, whole(t, newHouse(t, fixed)))
	v.post("/settings/tokens/add", "name", "script", "scope", "control", "days", "30").is(t, http.StatusOK, "", "atozbot_SECRET", "Copy it now", "Thu 4 Mar")
	v.get("/settings/tokens").silent(t, "atozbot_SECRET")
	v.post("/settings/tokens/revoke", "id", "t1").is(t, http.StatusOK, "", "Revoke this token?")
	v.post("/settings/tokens/revoke", "id", "t1", "confirmed", "yes").is(t, http.StatusSeeOther, "/settings/tokens")
	v.get("/settings/tokens").is(t, http.StatusOK, "", "holds no longer")
	v.post("/settings/portal/try", "base_url", "https://portal.example", "portal_username", "anna", "portal_password", "hunter2", "save", "yes", "from", "settings").is(t, http.StatusSeeOther, "/settings/portal")
	a := v.get("/settings/portal")
	a.is(t, http.StatusOK, "", "It works, and is saved: 3 free jobs")
	a.silent(t, "hunter2")
	a = v.post("/settings/portal/try", "base_url", "https://portal.example", "portal_username", "anna", "portal_password", "wrong", "from", "welcome")
	a.is(t, http.StatusUnprocessableEntity, "", "The portal did not take the name and the password.", "First steps")
	a.silent(t, `value="wrong"`)
}

func TestSettingsAreChangedAndTakenBack(t *testing.T) {
	v := atThisComputer(t, whole(t, newHouse(t, fixed)))
	v.post("/settings/notifications/off", "id", "c1").is(t, http.StatusSeeOther, "/settings/notifications")
	v.get("/settings/notifications").is(t, http.StatusOK, "", "Switched off.", `action="/settings/notifications/on?id=c1"`, ">off<")
	v.post("/settings/notifications/on?id=c1", "back", "/").is(t, http.StatusSeeOther, "/settings/notifications")
	v.post("/settings/notifications/test", "id", "c1").is(t, http.StatusSeeOther, "/settings/notifications")
	v.post("/settings/notifications/add", "name", "x", "address", "nonsense", "back", "/settings/notifications").is(t, http.StatusSeeOther, "/settings/notifications")
	v.get("/settings/notifications").is(t, http.StatusOK, "", "Not done: The address is none")
	v.post("/settings/notifications/delete", "id", "c1").is(t, http.StatusOK, "", "Delete this place?", `name="id" value="c1"`)
	v.post("/settings/notifications/delete", "id", "c1", "confirmed", "yes").is(t, http.StatusSeeOther, "/settings/notifications")
	v.get("/settings/notifications").is(t, http.StatusOK, "", "Nobody is told of anything yet.")
	v.post("/settings/calendars/renew", "confirmed", "yes").is(t, http.StatusSeeOther, "/settings/calendars")
	v.get("/settings/calendars").is(t, http.StatusOK, "", "http://127.0.0.1:8000/calendar/SECRET1.ics")
	v.post("/settings/zone", "time_zone", "Mars/Olympus", "back", "/settings/language").is(t, http.StatusSeeOther, "/settings/language")
	v.get("/settings/language").is(t, http.StatusOK, "", "there is no such time zone")
	v.post("/settings/zone", "time_zone", "Europe/Warsaw").is(t, http.StatusSeeOther, "/settings/language")
	v.get("/bookings").is(t, http.StatusOK, "", "18:00–18:45", "Times of Europe/Warsaw.")
	v.post("/settings/language", "language", "de").is(t, http.StatusSeeOther, "/settings/language")
	v.get("/").is(t, http.StatusOK, "", `<html lang="de"`, "Letzter Blick")
	a := v.post("/settings/backup/download")
	a.is(t, http.StatusOK, "", "everything but secrets")
	if got := a.header.Get("Content-Disposition"); got != `attachment; filename="atozbot-20270202-1024.backup"` {
		t.Errorf("Content-Disposition is %q", got)
	}
}

func TestTheFirstStepsLeadToGoingLive(t *testing.T) {
	h := newHouse(t, fixed)
	h.versions[0].Mode = app.ModeWatch
	h.status.Session, h.status.MissingSettings = app.Session{}, []string{"ATOZ_USERNAME"}
	h.jobs = nil
	v := atThisComputer(t, whole(t, h))
	v.get("/welcome").is(t, http.StatusOK, "", "Set a password", "Log in at the portal", "Of 0 jobs seen, none fits")
	h.status.MissingSettings = nil
	v.get("/welcome").is(t, http.StatusOK, "", "Start watching")
	h.jobs = someJobs(morning, london(t))
	v.get("/welcome").is(t, http.StatusOK, "", "These fit the rules as they are:", "Polish")
	v.post("/welcome/live").is(t, http.StatusOK, "", "Go live?", "Read your portal&#39;s terms first")
	v.post("/welcome/live", "confirmed", "yes").is(t, http.StatusSeeOther, "/")
	if h.versions[0].Mode != app.ModeLive {
		t.Error("it is not live")
	}
}

func TestTheFirstStepsSayWhatToSetWhereTheLogInComesFromOutside(t *testing.T) {
	h := newHouse(t, fixed)
	h.status.Session, h.status.MissingSettings = app.Session{}, []string{"ATOZ_USERNAME", "ATOZ_PASSWORD"}
	atThisComputer(t, newSite(t, h)).get("/welcome").is(t, http.StatusOK, "", "Set ATOZ_USERNAME and ATOZ_PASSWORD, and start it again.")
}

func TestWhatWasReportedCannotBecomeMarkup(t *testing.T) {
	h := newHouse(t, fixed)
	nasty := `<script>alert(1)</script>"'&{{.}}`
	for i := range h.jobs {
		h.jobs[i].Language, h.jobs[i].Ref, h.jobs[i].JobType, h.jobs[i].RejectionReason = nasty, nasty, nasty, nasty
		h.jobs[i].DetailsURL = "javascript:alert(1)"
		h.jobs[i].Row = []string{nasty}
	}
	h.status.Session.LastError, h.status.Session.Status = nasty, app.SessionError
	v := atThisComputer(t, whole(t, h))
	for _, path := range []string{"/", "/activity", "/bookings", "/jobs/0190-0", "/rules?change=exclude_type&value=" + "%3Cscript%3Ealert(1)%3C/script%3E"} {
		a := v.get(path)
		a.is(t, http.StatusOK, "")
		a.silent(t, "<script>alert", `href="javascript:`)
	}
}

func TestEveryDeedIsInTheAuditLog(t *testing.T) {
	h := newHouse(t, fixed)
	o := newOffice(h.now)
	v := atThisComputer(t, whole(t, h, withOffice(o)))
	for _, c := range []struct {
		path string
		form []string
		what string
		on   string
	}{
		{"/bot/pause", nil, "bot.pause", ""},
		{"/bot/resume", nil, "bot.resume", ""},
		{"/settings/zone", []string{"time_zone", "Europe/Paris"}, "configuration.save", ""},
		{"/rules/undo", nil, "configuration.undo", ""},
		{"/settings/notifications/off", []string{"id", "c1"}, "channel.off", "My phone"},
		{"/settings/notifications/delete", []string{"id", "c1", "confirmed", "yes"}, "channel.delete", "My phone"},
		{"/settings/calendars/renew", []string{"confirmed", "yes"}, "calendar.renew", ""},
		{"/settings/calendars/delete", []string{"id", "b1", "confirmed", "yes"}, "calendar.delete", "Private"},
		{"/jobs/0190-0/leave", nil, "job.leave", h.jobs[0].Ref},
		{"/jobs/0190-0/ask", nil, "job.ask", h.jobs[0].Ref},
		{"/bot/again/0190-session", nil, "bot.again", ""},
		{"/settings/tokens/add", []string{"name", "script", "scope", "control"}, "token.create", "script"},
		{"/settings/tokens/revoke", []string{"id", "t1", "confirmed", "yes"}, "token.revoke", "t1"},
		{"/settings/portal/try", []string{"base_url", "https://portal.example", "portal_username", "anna", "portal_password", "hunter2", "save", "yes"}, "portal.save", "anna"},
	} {
		v.post(c.path, c.form...)
		entries, _, err := ledger{o}.Entries(t.Context(), "", 0)
		if err != nil {
			t.Fatal(err)
		}
		e := entries[0]
		if e.What != c.what || e.On != c.on || e.Who != "this computer" || e.Address != "127.0.0.1" || e.RequestID == "" {
			t.Errorf("%s is noted as %+v", c.path, e)
		}
		if strings.HasPrefix(c.what, "configuration.") && (e.Before == e.After || !strings.Contains(e.After, "time_zone")) {
			t.Errorf("%s: before %s, after %s", c.path, e.Before, e.After)
		}
		if text := fmt.Sprint(e); strings.Contains(text, "hunter2") || strings.Contains(text, "SECRET") {
			t.Errorf("a secret is noted: %s", text)
		}
	}
	// A question is no deed, and neither is what failed, nor what changes nothing.
	before, _, _ := ledger{o}.Entries(t.Context(), "", 0)
	v.post("/settings/tokens/revoke", "id", "t1")
	v.post("/settings/notifications/add", "name", "x", "address", "nonsense")
	v.post("/settings/notifications/test", "id", "c2")
	v.post("/settings/calendars/read", "id", "b1")
	if after, _, _ := (ledger{o}).Entries(t.Context(), "", 0); len(after) != len(before) {
		t.Errorf("noted all the same: %+v", after[0])
	}
}
