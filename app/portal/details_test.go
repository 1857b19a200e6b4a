package portal

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/atozbot/atozbot/app"
)

func readJobDetails(t *testing.T, answer http.HandlerFunc) (app.Details, *stand, error) {
	t.Helper()
	s := newStand(t).on("GET /interpreter-jobs/48213", answer).on("GET /login", page200(loginPage("")))
	d, err := client(t, s).Details(t.Context(), app.Job{Number: "48213", DetailsURL: s.URL + "/interpreter-jobs/48213"})
	return d, s, err
}

func TestDetailsAreReadInBothLayouts(t *testing.T) {
	for name, c := range map[string]struct{ page, kind, status string }{
		"labels and values":          {detailsOf("48213", "Telephone interpreting", "Matched"), "Telephone interpreting", "Matched"},
		"without a reference":        {`<table class="table--detail"><tr><td>Interpreter details</td><td>Telephone interpreting</td></tr><tr><td>Status</td><td>Matched</td></tr></table>`, "Telephone interpreting", "Matched"},
		"in other white space":       {`<table class="x table--detail y"><tbody><tr><th> INTERPRETER&nbsp;<br>details : </th><td><ul><li>Telephone<li>interpreting</ul></td></tr><tr><th>status:</th><td> Matched </td></tr></table>`, "Telephone interpreting", "Matched"},
		"without end tags":           {`<table class="table--detail"><tr><th>Interpreter details<td>Telephone<tr><th>Status<td>Matched</table>`, "Telephone", "Matched"},
		"two pairs in a row":         {`<table class="table--detail"><tr><td>Ref</td><td>48213/A</td><td>Interpreter details</td><td>Telephone</td></tr><tr><td>Date</td><td>x</td><td>Status</td><td>Filled</td></tr></table>`, "Telephone", "Filled"},
		"a value over several cells": {`<table class="table--detail"><tr><th>Interpreter details</th><td>Telephone</td><td>or Face-to-Face</td></tr></table>`, "Telephone or Face-to-Face", ""},
		"a heading over the columns": {`<table class="table--detail"><tr><th colspan=2>Interpreter details</th></tr><tr><th>Interpreter details</th><td>Telephone</td></tr></table>`, "Telephone", ""},
		"the same label twice":       {`<table class="table--detail"><tr><th>Interpreter details</th><td>Telephone</td></tr><tr><th>Interpreter details</th><td>Onsite</td></tr></table>`, "Telephone; Onsite", ""},
		"a label that is longer":     {`<table class="table--detail"><tr><th>Interpreter details of last time</th><td>Onsite</td></tr><tr><th>Payment status</th><td>Paid</td></tr></table>`, "", ""},
		"an empty value":             {`<table class="table--detail"><tr><th>Interpreter details</th><td></td></tr></table>`, "", ""},
		"a value that is not shown":  {`<table class="table--detail"><tr><th>Interpreter details</th><td>Telephone<span hidden>Onsite</span></td></tr></table>`, "Telephone", ""},
		"a table in a value":         {`<table class="table--detail"><tr><th>Interpreter details</th><td><table><tr><td>Status</td><td>Telephone</td></tr></table></td></tr><tr><th>Status</th><td>Matched</td></tr></table>`, "Status Telephone", "Matched"},
		"the older layout":           {`<div><p class="job__detail">Interpreter details:</p><p>Telephone interpreting</p><p class="job__detail">Status</p><p>Matched</p></div>`, "Telephone interpreting", "Matched"},
		"the older one, as a list":   {`<dl><dt class="job__detail">Interpreter details<dd>Telephone<dt class="job__detail">Status<dd>Matched</dl>`, "Telephone", "Matched"},
		"the older one, with breaks": {`<strong class="job__detail"> interpreter  DETAILS </strong> <!-- x --> <br><span>Telephone</span>`, "Telephone", ""},
		"the older one, without one": {`<p class="job__detail">Interpreter details</p><p class="job__detail">Status</p><p>Matched</p>`, "", "Matched"},
	} {
		t.Run(name, func(t *testing.T) {
			d, _, err := readJobDetails(t, page200(framed(c.page)))
			if err != nil {
				t.Fatal(err)
			}
			if d.Type != c.kind || d.StatusText != c.status || d.Number != "48213" {
				t.Errorf("it was read as type %q, status %q of job %q", d.Type, d.StatusText, d.Number)
			}
			if want := DefaultProfile().state(c.status); c.status != "" && d.State != want || c.status == "" && d.State != "" {
				t.Errorf("the state is %q", d.State)
			}
		})
	}
}

func TestAJobIsRejectedByItsOwnForm(t *testing.T) {
	for name, c := range map[string]struct{ form, want string }{
		"by its input":               {rejectFormOf("48213"), "/interpreter-jobs/48213/matched/reject _token=reject-token-000&_method=DELETE&go=Reject"},
		"by a button":                {`<form method=post action="/interpreter-jobs/48213/matched/reject"><input type=hidden name=t value=1><button name=b value=2>Reject</button></form>`, "/interpreter-jobs/48213/matched/reject t=1&b=2"},
		"by the button of its class": {`<form method=post action="/interpreter-jobs/48213/matched/reject"><button name=a value=1>Maybe</button><button class="btn--reject" name=b value=2>No</button></form>`, "/interpreter-jobs/48213/matched/reject b=2"},
		"not by one that keeps it":   {`<form method=post action="/interpreter-jobs/48213/matched/reject"><button name=a value=1>Cancel</button><button name=b value=2>Reject</button></form>`, "/interpreter-jobs/48213/matched/reject b=2"},
		"without a number":           {`<form method=post action="/interpreter-jobs/matched/reject"><input type=hidden name=id value=48213></form>`, "/interpreter-jobs/matched/reject id=48213"},
		"beside other forms":         {`<form method=post action="/logout"><button>Log out</button></form><form method=post action="/interpreter-jobs/48213/matched"><button>Accept</button></form>` + rejectFormOf("48213"), "/interpreter-jobs/48213/matched/reject _token=reject-token-000&_method=DELETE&go=Reject"},
		"never another job's":        {rejectFormOf("99999") + acceptFormOf("48213"), ""},
		"never on another site":      {strings.Replace(rejectFormOf("48213"), `action="`, `action="https://elsewhere.example.com`, 1), ""},
		"never without a post":       {strings.Replace(rejectFormOf("48213"), "POST", "GET", 1), ""},
		"not the form that accepts":  {acceptFormOf("48213"), ""},
		"none":                       {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			d, s, err := readJobDetails(t, page200(framed(detailsOf("48213", "Telephone", "Matched")+c.form)))
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if d.RejectForm != nil {
				got = strings.TrimPrefix(d.RejectForm.Action, s.URL) + " " + encode(d.RejectForm.Fields)
			}
			if got != c.want {
				t.Errorf("the job is rejected by %q, and should be by %q", got, c.want)
			}
			if accepts := strings.Contains(c.form, acceptFormOf("48213")) || strings.Contains(name, "other forms"); accepts != (d.AcceptForm != nil) {
				t.Errorf("it can be accepted there: %v", d.AcceptForm != nil)
			}
		})
	}
}

func TestAPageThatIsNotTheJobsDetailsIsNotTakenForThem(t *testing.T) {
	without := strings.Replace(detailsOf("48213", "Telephone", "Matched"), "<th>Ref</th><td>48213/A</td>", "<th>Name</th><td>x</td>", 1)
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   app.PageClass
	}{
		"another job's details":            {page200(framed(detailsOf("99999", "Telephone", "Matched"))), app.PageUnavailable},
		"another job's, by its form":       {page200(framed(without + rejectFormOf("99999"))), app.PageUnavailable},
		"another job's, by a redirect":     {to(302, "/interpreter-jobs/99999"), app.PageUnavailable},
		"404":                              {status(404, "Not Found"), app.PageGone},
		"404 in the portal's frame":        {status(404, framed("<h1>Not found</h1>")), app.PageGone},
		"410":                              {status(410, ""), app.PageGone},
		"no longer available, in words":    {page200(framed(`<h1>Job 48213</h1><p>This job is no longer available.</p>`)), app.PageGone},
		"already taken, in words":          {page200(framed(`<div class="alert">Sorry, this job has already been taken by another interpreter</div>`)), app.PageGone},
		"gone, in words with a 403":        {status(403, framed(`<p>This job has been withdrawn.</p>`)), app.PageGone},
		"the board without the job":        {to(302, "/interpreter-jobs"), app.PageGone},
		"the board with the job":           {to(302, "/interpreter-jobs?with=it"), app.PageUnavailable},
		"a page of the board":              {to(302, "/interpreter-jobs?page=1"), app.PageUnavailable},
		"the log-in page":                  {to(302, "/login"), app.PageLoggedOut},
		"a 404 with the log-in page":       {status(404, loginPage("")), app.PageLoggedOut},
		"403":                              {status(403, "Forbidden"), app.PageUnavailable},
		"500":                              {status(500, framed(detailsOf("48213", "Telephone", "Matched"))), app.PageUnavailable},
		"429":                              {status(429, ""), app.PageUnavailable},
		"maintenance in words":             {page200(framed(`<h1>Scheduled maintenance</h1>`)), app.PageUnavailable},
		"data":                             {page200(`{"type":"Telephone interpreting"}`), app.PageUnavailable},
		"nothing":                          {page200(""), app.PageUnavailable},
		"another site's page":              {page200(strangers), app.PageUnavailable},
		"a captcha":                        {page200(`<div class="g-recaptcha"></div>`), app.PageChallenge},
		"logged in, and nothing fits":      {page200(framed("<h1>Job 48213</h1><p>Telephone interpreting</p>")), app.PageChanged},
		"a table without rows":             {page200(framed(`<table class="table--detail"></table>`)), app.PageChanged},
		"details beside a way to log in":   {page200(detailsOf("48213", "Telephone", "Matched") + `<a href="/login">Log in</a>`), app.PageLoggedOut},
		"the log-in form over the details": {page200(detailsOf("48213", "Telephone", "Matched") + loginForm), app.PageLoggedOut},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t).on("GET /interpreter-jobs/48213", c.answer).on("GET /login", page200(loginPage("")))
			s.on("GET /interpreter-jobs", page200(framed(table(jobRow("48214", "Matched")))))
			s.on("GET /interpreter-jobs?with=it", page200(framed(table(jobRow("48213", "Matched")))))
			s.on("GET /interpreter-jobs?page=1", page200(framed(table(jobRow("48214", "Matched"))+`<a rel=next href="?page=2">`)))
			s.on("GET /interpreter-jobs/99999", page200(framed(without)))
			d, err := client(t, s).Details(t.Context(), app.Job{Number: "48213", DetailsURL: s.URL + "/interpreter-jobs/48213"})
			if got := classOf(t, err); got != c.want {
				t.Errorf("it gave %q (%v), and should give %q", got, err, c.want)
			}
			if !cmp.Equal(d, app.Details{}) {
				t.Errorf("with details %+v", d)
			}
		})
	}
}

func TestDetailsAreAskedForAtThisPortalAloneAndNeverByAnAct(t *testing.T) {
	s := newStand(t)
	c := client(t, s)
	for _, address := range []string{"", "https://elsewhere.example.com/interpreter-jobs/48213", "/interpreter-jobs/48213", "://", s.URL + "/interpreter-jobs/48213/matched", s.URL + "/interpreter-jobs/48213/matched/reject"} {
		_, err := c.Details(t.Context(), app.Job{Number: "48213", DetailsURL: address})
		if f := failureOf(t, err); f.Class != app.PageChanged || f.Sent {
			t.Errorf("%q gave %+v", address, f)
		}
	}
	if asked := s.log(); len(asked) != 0 {
		t.Errorf("it asked for %q", asked)
	}
}

func TestDetailsOfOtherJobsOnThePageDoNotMatter(t *testing.T) {
	page := framed(detailsOf("48213", "Telephone", "Matched") + rejectFormOf("48213") + `<h2>Similar jobs</h2>` + acceptFormOf("99999") + rejectFormOf("99998"))
	d, s, err := readJobDetails(t, page200(page))
	if err != nil {
		t.Fatal(err)
	}
	if d.AcceptForm != nil || d.RejectForm == nil || d.RejectForm.Action != s.URL+"/interpreter-jobs/48213/matched/reject" {
		t.Errorf("it was read as %+v", d)
	}
}
