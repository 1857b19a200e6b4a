package portal

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"

	"github.com/atozbot/atozbot/app"
)

// told is what a reply says, for comparing.
type told struct {
	class       app.PageClass
	dialog      string
	shortNotice bool
	refused     string
	board       string // The state of job 48213 on the board that came back, "none" where it is not on it, "" for no board.
	details     app.JobState
}

func toldBy(r app.Reply) told {
	said := told{class: r.Class, dialog: r.Dialog, shortNotice: r.ShortNotice, refused: r.Refused}
	if r.Board != nil {
		said.board = "none"
		for _, j := range r.Board.Jobs {
			if j.Number == "48213" {
				said.board = string(j.State)
			}
		}
	}
	if r.Details != nil {
		said.details = r.Details.State
	}
	return said
}

const continueTo = "/interpreter-jobs/48213/matched/confirm"

// question is the portal's question about short notice, as it stands in a page.
func question(attributes string) string {
	return `<div id="24HourModal" ` + attributes + `><h2>Short notice</h2><p>The appointment is within 24 hours. Continue?</p><form method="POST" action="` + continueTo + `"><input type="hidden" name="_token" value="dialog-token-000"><input type="hidden" name="confirm" value="1"><button type="submit" id="continueButton" name="go" value="on">Continue</button></form></div>`
}

func cancelQuestion(attributes string) string {
	return `<div id="cancelModal" ` + attributes + `><h2>Cancel the booking?</h2><form method="POST" action="/interpreter-jobs/48213/cancel"><input type="hidden" name="_token" value="cancel-token"><button id="cancelButton">Yes</button></form></div>`
}

// acted lets a client look at a board whose page holds templates, accept job 48213 with
// answer, and tells what was sent.
func acted(t *testing.T, templates string, answer, second http.HandlerFunc, allow bool, before ...func(*stand, *Client)) (app.Reply, []string, error) {
	t.Helper()
	s := newStand(t)
	free := framed(table(jobRow("48213", "Matched")) + templates)
	s.on("GET /interpreter-jobs", page200(free)).on("GET /login", page200(loginPage("")))
	s.on("POST /interpreter-jobs/48213/matched", answer).on("POST "+continueTo, second)
	s.on("GET /free", page200(free)).on("GET /ours", page200(framed(table(jobRow("48213", "Accepted"))+templates)))
	s.on("GET /interpreter-jobs/48213/ours", page200(framed(detailsOf("48213", "Telephone", "Accepted")+question(`class="modal fade"`)+cancelQuestion(`class="modal fade"`))))
	s.on("GET /interpreter-jobs/48213", page200(framed(detailsOf("48213", "Telephone", "Matched")+question(`class="modal fade"`)+cancelQuestion(`class="modal fade"`))))
	c := client(t, s)
	board, err := c.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, prepare := range before {
		prepare(s, c)
	}
	reply, err := c.Accept(t.Context(), board.Jobs[0], allow)
	return reply, s.posts(), err
}

func TestWhatCameBackFromAnAcceptance(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   told
	}{
		"the board, with the job as ours":     {to(302, "/ours"), told{class: app.PageBoard, board: "ours"}},
		"the board, with the job as it was":   {to(302, "/free"), told{class: app.PageBoard, board: "matched"}},
		"the board on the spot":               {page200(framed(table(jobRow("48214", "Matched")))), told{class: app.PageBoard, board: "none"}},
		"an empty board":                      {page200(framed(table(noJobs))), told{class: app.PageEmptyBoard, board: "none"}},
		"the job's details":                   {to(303, "/interpreter-jobs/48213/ours"), told{class: app.PageDetails, details: app.StateOurs}},
		"a page of its own":                   {page200(framed("<h1>Thank you</h1><p>The job is yours.</p>")), told{class: app.PageLoggedIn}},
		"another job's details":               {page200(framed(detailsOf("99999", "x", "Accepted"))), told{class: app.PageLoggedIn}},
		"gone, in words":                      {page200(framed("<h1>Sorry</h1><p>This job is no longer available.</p>")), told{class: app.PageGone}},
		"gone, by its status":                 {status(410, ""), told{class: app.PageGone}},
		"gone, in a message on the board":     {page200(framed(`<div class="alert alert-danger">Sorry, this job has already been taken.</div>` + table(jobRow("48214", "Matched")))), told{class: app.PageBoard, board: "none"}},
		"no, in a message on the board":       {page200(framed(`<div class="alert alert-danger">You cannot accept this job.</div>` + table(jobRow("48213", "Matched")))), told{class: app.PageBoard, board: "matched", refused: "You cannot accept this job."}},
		"no, in words that nobody foresaw":    {page200(framed(`<div class="flash flash--error">Your papers are out of date</div>` + table(jobRow("48213", "Matched")))), told{class: app.PageBoard, board: "matched", refused: "Your papers are out of date"}},
		"no, in a message of another kind":    {page200(framed(`<p role="alert">You are not eligible for this job</p>` + table(jobRow("48213", "Matched")))), told{class: app.PageBoard, board: "matched", refused: "You are not eligible for this job"}},
		"no, on a page of its own":            {page200(framed(`<h1>Sorry</h1><p>You cannot accept this job, since it clashes with another.</p>`)), told{class: app.PageLoggedIn, refused: "You cannot accept this job, since it clashes with another."}},
		"no, with a 403":                      {status(403, framed(`<p>You are not allowed to do this.</p>`)), told{class: app.PageLoggedIn, refused: "You are not allowed to do this."}},
		"no, with a 422":                      {status(422, framed(`<div class="alert-danger alert">You already have a booking then</div>`)), told{class: app.PageLoggedIn, refused: "You already have a booking then"}},
		"no, with a 403 in words of its own":  {status(403, framed(`<p>Your vetting has lapsed.</p>`)), told{class: app.PageLoggedIn, refused: "the portal answered 403"}},
		"no, with a 409 in words of its own":  {status(409, "<h1>Conflict</h1>"), told{class: app.PageLoggedIn, refused: "the portal answered 409"}},
		"no, with a 422 as data":              {status(422, `{"error":"vetting"}`), told{class: app.PageLoggedIn, refused: "the portal answered 422"}},
		"no, since something is missing":      {page200(framed(`<h1>Sorry</h1><p>This booking requires vetting.</p>`)), told{class: app.PageLoggedIn, refused: "This booking requires vetting."}},
		"a message that is hidden":            {page200(framed(`<div class="alert alert-danger" hidden>You cannot accept this job.</div>` + table(jobRow("48213", "Matched")))), told{class: app.PageBoard, board: "matched"}},
		"a message that all is well":          {page200(framed(`<div class="alert alert-success">Job accepted.</div>` + table(jobRow("48213", "Accepted")))), told{class: app.PageBoard, board: "ours"}},
		"a message that something went wrong": {page200(framed(`<div class="alert alert-danger">Something went wrong. Please try again.</div>` + table(jobRow("48213", "Matched")))), told{class: app.PageBoard, board: "matched"}},
		"details of a job that says no":       {page200(framed(`<div class="alert-danger alert">Not permitted</div>` + detailsOf("48213", "Not allowed to drive", "Matched"))), told{class: app.PageDetails, details: app.StateMatched, refused: "Not permitted"}},
	} {
		t.Run(name, func(t *testing.T) {
			reply, posts, err := acted(t, "", c.answer, nil, true)
			if err != nil {
				t.Fatal(err)
			}
			if got := toldBy(reply); got != c.want {
				t.Errorf("it was read as  %+v\nand should be as %+v", got, c.want)
			}
			if len(posts) != 1 || posts[0] != "POST /interpreter-jobs/48213/matched _token=token-of-48213-000&accept=1" {
				t.Errorf("it sent %q", posts)
			}
			if reply.PostedAt.IsZero() || reply.Status == 0 {
				t.Errorf("posted at %v, status %d", reply.PostedAt, reply.Status)
			}
		})
	}
}

func TestAnAnswerThatIsNoPageOfThePortalIsAnErrorThatSaysTheFormWasSent(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   app.PageClass
	}{
		"419":                           {status(419, "<h1>Page Expired</h1>"), app.PageUnavailable},
		"500":                           {status(500, framed(table(jobRow("48213", "Accepted")))), app.PageUnavailable},
		"403 without a reason":          {status(403, "Forbidden"), app.PageUnavailable},
		"422, and to be tried again":    {status(422, framed("<p>Something went wrong. Please try again.</p>")), app.PageUnavailable},
		"data":                          {page200(`{"success":true}`), app.PageUnavailable},
		"nothing":                       {status(204, ""), app.PageUnavailable},
		"another site's page":           {page200(strangers), app.PageUnavailable},
		"a redirect to another site":    {to(302, "https://elsewhere.example.com/"), app.PageUnavailable},
		"a redirect in a circle":        {to(303, "/circle"), app.PageUnavailable},
		"the log-in page":               {to(302, "/login"), app.PageLoggedOut},
		"a captcha":                     {page200(`<div class="g-recaptcha"></div>`), app.PageChallenge},
		"a wish for it elsewhere":       {to(307, "/interpreter-jobs/48213/accept"), app.PageUnavailable},
		"a wish for it for another job": {to(307, "/interpreter-jobs/99999/matched"), app.PageUnavailable},
		"a wish for it at another site": {to(308, "https://elsewhere.example.com/interpreter-jobs/48213/matched"), app.PageUnavailable},
		"a wish for a rejection":        {to(307, "/interpreter-jobs/48213/matched/reject"), app.PageUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			reply, posts, err := acted(t, "", c.answer, nil, true, func(s *stand, _ *Client) { s.on("GET /circle", to(302, "/circle")) })
			f := failureOf(t, err)
			if f.Class != c.want || !f.Sent || reply.PostedAt.IsZero() {
				t.Errorf("it gave %+v, posted at %v", f, reply.PostedAt)
			}
			if len(posts) != 1 {
				t.Errorf("it sent %q", posts)
			}
		})
	}
}

func TestAFormIsSentAgainOnlyToItsOwnAddress(t *testing.T) {
	times := 0
	reply, posts, err := acted(t, "", func(w http.ResponseWriter, r *http.Request) {
		if times++; times == 1 {
			to(307, "/interpreter-jobs/48213/matched?node=2")(w, r)
			return
		}
		to(302, "/ours")(w, r)
	}, nil, false)
	if err != nil || reply.Board == nil || len(posts) != 2 || posts[1] != "POST /interpreter-jobs/48213/matched?node=2 _token=token-of-48213-000&accept=1" {
		t.Errorf("%+v, %q, %v", reply, posts, err)
	}
}

func TestADialogsBeingThereAsksNothingAndOnlyShortNoticeIsEverAnswered(t *testing.T) {
	hidden, shown := `class="modal fade" aria-hidden="true"`, `class="modal fade show" style="display: block"`
	free := table(jobRow("48213", "Matched"))
	ours := table(jobRow("48213", "Accepted"))
	script := `<script>$('#24HourModal').modal('show')</script>`
	seenDetails := func(_ *stand, c *Client) {
		_, err := c.Details(t.Context(), app.Job{Number: "48213", DetailsURL: c.site.Load().base.String() + "/interpreter-jobs/48213"})
		if err != nil {
			t.Fatal(err)
		}
	}
	const asked, answered, nothing = "24HourModal", "answered", ""

	for name, c := range map[string]struct {
		templates, answer string
		want              string // What is asked, or answered.
		before            func(*stand, *Client)
	}{
		"alone on a page":                       {"", framed(question("")), answered, nil},
		"alone on a page, with a modal's class": {"", framed(question(`class="modal"`)), answered, nil},
		"without the portal's frame":            {"", marker + question(``), answered, nil},
		"over the board":                        {"", framed(free + question(``)), answered, nil},
		"over the board, shown":                 {"", framed(free + question(shown)), answered, nil},
		"over the board, not there before":      {"", framed(free + question(hidden)), answered, nil},
		"shown where it stood concealed before": {question(hidden) + cancelQuestion(hidden), framed(free + question(shown) + cancelQuestion(hidden)), answered, nil},
		"shown by a script":                     {question(hidden) + cancelQuestion(hidden), framed(free + question(hidden) + cancelQuestion(hidden) + script), answered, nil},
		"with a status of its own":              {"", "", answered, nil},
		"in a dialog element":                   {"", framed(free + `<dialog open>` + question("") + `</dialog>`), answered, nil},
		"filled in where it stood empty before": {strings.Replace(question(hidden), continueTo, "", 1), framed(free + question(hidden)), answered, nil},
		"its button named to a form elsewhere":  {"", framed(free + `<form id="f" method="POST" action="` + continueTo + `"><input type="hidden" name="_token" value="dialog-token-000"><input type="hidden" name="confirm" value="1"></form><div id="24HourModal"><button form="f" id="continueButton" name="go" value="on">Continue</button></div>`), answered, nil},

		"concealed as it was before":               {question(hidden) + cancelQuestion(hidden), framed(free + question(hidden) + cancelQuestion(hidden)), nothing, nil},
		"concealed, with the script as before":     {question(hidden) + script, framed(free + question(hidden) + script), nothing, nil},
		"concealed, beside a job that is ours":     {"", framed(ours + question(hidden) + cancelQuestion(hidden)), nothing, nil},
		"not marked, beside a job that is ours":    {"", framed(ours + question("")), nothing, nil},
		"concealed on the details of ours":         {"", framed(detailsOf("48213", "Telephone", "Accepted") + question(hidden) + cancelQuestion(hidden)), nothing, nil},
		"concealed on a page that says it is ours": {"", framed("<h1>Job accepted</h1>" + question(hidden) + cancelQuestion(hidden)), nothing, nil},
		"concealed on details, as it was before":   {"", framed(detailsOf("48213", "Telephone", "Matched") + question(`class="modal fade"`) + cancelQuestion(`class="modal fade"`)), nothing, seenDetails},
		"in a template":                            {"", framed(free + `<template>` + question(shown) + `</template>`), nothing, nil},
		"in a comment":                             {"", framed(free + `<!--` + question(shown) + `-->`), nothing, nil},
		"in a script":                              {"", framed(free + `<script>var x = '` + question(shown) + `'</script>`), nothing, nil},
		"a banner that is always shown":            {`<div class="modal show" id="cookies">Cookies</div>`, framed(free + `<div class="modal show" id="cookies">Cookies</div>`), nothing, nil},

		"for another job":                {"", framed(strings.ReplaceAll(question(""), "48213", "99999")), asked, nil},
		"for another site":               {"", framed(strings.Replace(question(""), `action="`, `action="https://elsewhere.example.com`, 1)), asked, nil},
		"with a form that is not posted": {"", framed(strings.Replace(question(""), "POST", "GET", 1)), asked, nil},
		"with a form that rejects":       {"", framed(strings.Replace(question(""), continueTo, "/interpreter-jobs/48213/matched/reject", 1)), asked, nil},
		"with a form that cancels":       {"", framed(strings.Replace(question(""), continueTo, "/interpreter-jobs/48213/cancel", 1)), asked, nil},
		"without a button to go on":      {"", framed(strings.Replace(question(""), `id="continueButton"`, "", 1)), asked, nil},
		"with its button in no form":     {"", framed(`<div id="24HourModal"><button id="continueButton">Continue</button></div>`), asked, nil},

		"another question":                            {"", framed(cancelQuestion("")), "cancelModal", nil},
		"another question, with a modal's class":      {"", framed(cancelQuestion(`class="modal"`)), "cancelModal", nil},
		"another question, shown":                     {cancelQuestion(hidden), framed(free + cancelQuestion(shown)), "cancelModal", nil},
		"another question, shown over this one":       {question(hidden) + cancelQuestion(hidden), framed(free + question(hidden) + cancelQuestion(shown)), "cancelModal", nil},
		"another, with this one's button":             {"", framed(strings.Replace(cancelQuestion(shown), "cancelButton", "continueButton", 1)), "cancelModal", nil},
		"another, with this one's button and address": {"", framed(strings.Replace(question(shown), "24HourModal", "termsModal", 1)), "termsModal", nil},
		"on every row, of which this job's is shown":  {strings.ReplaceAll(question(hidden), "48213", "99999") + question(hidden), framed(free + strings.ReplaceAll(question(hidden), "48213", "99999") + question(shown)), answered, nil},
		"a script that waits for a click":             {question(hidden), framed(free + question(hidden) + `<script>$('.x').click(() => $('#24HourModal').modal('show'))</script>`), nothing, nil},
		"another question, on a bare page":            {"", cancelQuestion(""), "cancelModal", nil},
		"in words that mean other things elsewhere":   {"", framed(strings.Replace(question(""), "Continue?", "Before you continue, please note that a job that has been taken and is no longer available is under maintenance, and that you must accept our terms.", 1)), answered, nil},
		"a question without a name":                   {"", framed(`<div class="modal show"><form method=post action=/x><button>Yes</button></form></div>`), "dialog", nil},
	} {
		for _, allow := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				var prepare []func(*stand, *Client)
				if c.before != nil {
					prepare = append(prepare, c.before)
				}
				answer := page200(c.answer)
				if c.answer == "" {
					answer = status(409, framed(question("")))
				}
				reply, posts, err := acted(t, c.templates, answer, to(302, "/ours"), allow, prepare...)
				if err != nil {
					t.Fatal(err)
				}
				if c.want == answered && allow {
					if len(posts) != 2 || !strings.HasPrefix(posts[1], "POST "+continueTo+" ") || !strings.Contains(posts[1], "_token=dialog-token-000&confirm=1") || !strings.Contains(posts[1], "go=on") {
						t.Errorf("it sent %q", posts)
					}
					if reply.Dialog != "" || !reply.ShortNotice || reply.Board == nil {
						t.Errorf("it was read as %+v", toldBy(reply))
					}
					return
				}
				want := c.want
				if want == answered {
					want = asked
				}
				if reply.Dialog != want || reply.ShortNotice || len(posts) != 1 {
					t.Errorf("allowed %v: it was read as %+v, and sent %q; what is asked is %q", allow, toldBy(reply), posts, want)
				}
			})
		}
	}
}

// A page of its own that says nothing of the job may hold the question as a template
// for later: then the job itself tells.
func TestAQuestionThatMayBeATemplateIsAnsweredOnlyWhereTheJobIsStillFree(t *testing.T) {
	concealed := page200(framed("<h1>Thank you</h1><p>All done.</p>" + question(`class="modal" aria-hidden="true"`)))
	for state, want := range map[string]int{"Matched": 2, "Accepted": 1, "Filled": 1} {
		reply, posts, err := acted(t, "", concealed, to(302, "/ours"), true, func(s *stand, _ *Client) {
			s.on("GET /interpreter-jobs/48213", page200(framed(detailsOf("48213", "Telephone", state))))
		})
		if err != nil || len(posts) != want || reply.ShortNotice != (want == 2) {
			t.Errorf("with the job %s: %+v, %q, %v", state, toldBy(reply), posts, err)
		}
	}
}

func TestTheQuestionIsAnsweredOnce(t *testing.T) {
	reply, posts, err := acted(t, "", page200(framed(question(""))), page200(framed(question(""))), true)
	if err != nil || len(posts) != 2 || reply.Dialog != "24HourModal" || !reply.ShortNotice {
		t.Errorf("%+v, %q, %v", toldBy(reply), posts, err)
	}
	reply, posts, err = acted(t, "", page200(framed(question(""))), page200(framed(cancelQuestion(""))), true)
	if err != nil || len(posts) != 2 || reply.Dialog != "cancelModal" {
		t.Errorf("%+v, %q, %v", toldBy(reply), posts, err)
	}
	_, posts, err = acted(t, "", page200(framed(question(""))), status(500, ""), true)
	if f := failureOf(t, err); !f.Sent || len(posts) != 2 {
		t.Errorf("%+v, %q", f, posts)
	}
}

func TestAMessageThatStoodThereBeforeIsNoAnswer(t *testing.T) {
	banner := `<div class="alert alert-danger">Your profile is not complete.</div>`
	reply, _, err := acted(t, banner, page200(framed(banner+table(jobRow("48213", "Matched")))), nil, false)
	if err != nil || reply.Refused != "" {
		t.Errorf("%+v, %v", toldBy(reply), err)
	}
}

func TestOnlyAFormOfThisJobIsEverSent(t *testing.T) {
	s := newStand(t)
	c := client(t, s)
	post := func(action string) *app.Form { return &app.Form{Method: "POST", Action: action} }
	for name, job := range map[string]app.Job{
		"no form":              {Number: "48213"},
		"another job's":        {Number: "48213", AcceptForm: post(s.URL + "/interpreter-jobs/99999/matched")},
		"the one that rejects": {Number: "48213", AcceptForm: post(s.URL + "/interpreter-jobs/48213/matched/reject")},
		"another site's":       {Number: "48213", AcceptForm: post("https://elsewhere.example.com/interpreter-jobs/48213/matched")},
		"one not posted":       {Number: "48213", AcceptForm: &app.Form{Method: "GET", Action: s.URL + "/interpreter-jobs/48213/matched"}},
		"no number":            {Number: "", AcceptForm: post(s.URL + "/interpreter-jobs//matched")},
		"a number in letters":  {Number: "x", AcceptForm: post(s.URL + "/interpreter-jobs/x/matched")},
	} {
		_, err := c.Accept(t.Context(), job, true)
		if f := failureOf(t, err); f.Sent || f.Class != app.PageChanged {
			t.Errorf("%s: accepting gave %+v", name, f)
		}
		job.Details = &app.Details{RejectForm: job.AcceptForm}
		if name == "the one that rejects" {
			job.Details.RejectForm = post(s.URL + "/interpreter-jobs/99999/matched/reject")
		}
		_, err = c.Reject(t.Context(), job)
		if f := failureOf(t, err); f.Sent || f.Class != app.PageChanged {
			t.Errorf("%s: rejecting gave %+v", name, f)
		}
	}
	if asked := s.log(); len(asked) != 0 {
		t.Errorf("it sent %q", asked)
	}
}

func TestARejectionSendsTheWholeForm(t *testing.T) {
	s := newStand(t)
	s.on("GET /interpreter-jobs/48213", page200(framed(detailsOf("48213", "Onsite", "Matched")+rejectFormOf("48213"))))
	s.on("POST /interpreter-jobs/48213/matched/reject", to(302, "/interpreter-jobs"))
	s.on("GET /interpreter-jobs", page200(framed(table(noJobs))))
	c := client(t, s)
	job := app.Job{Number: "48213", DetailsURL: s.URL + "/interpreter-jobs/48213"}
	d, err := c.Details(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	job.Details = &d
	reply, err := c.Reject(t.Context(), job)
	if err != nil || reply.Class != app.PageEmptyBoard || !reply.Board.Complete {
		t.Errorf("%+v, %v", reply, err)
	}
	if posts := s.posts(); len(posts) != 1 || posts[0] != "POST /interpreter-jobs/48213/matched/reject _token=reject-token-000&_method=DELETE&go=Reject" {
		t.Errorf("it sent %q", posts)
	}
	if h := s.headers[1]; h.Get("Referer") != job.DetailsURL || h.Get("Origin") != s.URL {
		t.Errorf("it sent %v", h)
	}
}

func TestARejectionAnswersNoQuestion(t *testing.T) {
	s := newStand(t)
	form := &app.Form{Method: "POST", Action: s.URL + "/interpreter-jobs/48213/matched/reject"}
	s.on("POST /interpreter-jobs/48213/matched/reject", page200(framed(question(""))))
	reply, err := client(t, s).Reject(t.Context(), app.Job{Number: "48213", Details: &app.Details{RejectForm: form}})
	if err != nil || reply.Dialog != "24HourModal" || len(s.posts()) != 1 {
		t.Errorf("%+v, %v", reply, err)
	}
}

func TestAFormIsSentInItsPagesCharacterSet(t *testing.T) {
	form := strings.Replace(acceptFormOf("48213"), `<button`, `<input type="hidden" name="note" value="café – é"><button`, 1)
	page, err := charmap.Windows1252.NewEncoder().String(framed(table(strings.Replace(jobRow("48213", "Matched"), acceptFormOf("48213"), form, 1))))
	if err != nil {
		t.Fatal(err)
	}
	s := newStand(t).on("POST /interpreter-jobs/48213/matched", to(302, "/interpreter-jobs"))
	s.on("GET /interpreter-jobs", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=windows-1252")
		_, _ = io.WriteString(w, page)
	})
	c := client(t, s)
	for range 2 { // The second time the board is recognised, and not read.
		board, err := c.Look(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Accept(t.Context(), board.Jobs[0], false); err != nil {
			t.Fatal(err)
		}
	}
	for _, sent := range s.posts() {
		if !strings.Contains(sent, "&note=caf%E9+%96+%E9&") {
			t.Errorf("it sent %s", sent)
		}
	}
}
