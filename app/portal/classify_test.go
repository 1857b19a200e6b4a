package portal

import (
	"net/http"
	"strings"
	"testing"

	"github.com/atozbot/atozbot/app"
)

func TestEveryPageIsClassifiedBeforeItIsRead(t *testing.T) {
	const row = "48213"
	hidden := func(id string) string {
		return `<div id="` + id + `" class="modal fade" aria-hidden="true"><form method="POST" action="/x"><input type="hidden" name="_token" value="t"><button id="continueButton">Continue</button></form></div>`
	}
	oddRows := strings.ReplaceAll(jobRow(row, "Matched")+jobRow("48214", "Matched"), "table__row", "list__row")
	fewCells := `<tr class="table__row"><td class="table__data">48213/A</td><td class="table__data">15/02/2027</td><td class="table__data">14:30</td></tr>`

	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   app.PageClass // "" for a board or an empty board.
		jobs   int
	}{
		"a board":                             {page200(framed(table(jobRow(row, "Matched")))), "", 1},
		"an empty board":                      {page200(framed(table(noJobs))), "", 0},
		"an empty board in other white space": {page200(framed(table(`<tr><td COLSPAN=8> there  are&nbsp;no <b>interpreter</b> JOBS. </td></tr>`))), "", 0},
		"a board with every dialog's markup":  {page200(framed(table(jobRow(row, "Matched")) + hidden("24HourModal") + hidden("cancelModal"))), "", 1},
		"an empty board with every dialog":    {page200(framed(table(noJobs) + hidden("24HourModal") + hidden("cancelModal"))), "", 0},
		"a board without a mark":              {page200(table(jobRow(row, "Matched"))), "", 1},
		"an empty board with a way out":       {page200(table(noJobs) + `<form method=post action=/logout></form>`), "", 0},
		"a board with a hidden log-in form":   {page200(framed(`<div class="modal" id="login">` + loginForm + `</div>` + table(jobRow(row, "Matched")))), "", 1},
		"an empty board with a hidden one":    {page200(framed(`<div class="modal" id="login">` + loginForm + `</div>` + table(noJobs))), "", 0},
		"a board that speaks of maintenance":  {page200(framed(`<div class="alert">Scheduled maintenance on Sunday</div>` + table(jobRow(row, "Matched")))), "", 1},
		"an empty one that does":              {page200(framed(`<div class="alert">Scheduled maintenance on Sunday</div>` + table(noJobs))), "", 0},
		"a board with a captcha at its foot":  {page200(framed(table(jobRow(row, "Matched")) + `<footer><div class="g-recaptcha"></div></footer>`)), "", 1},
		"an empty one with it":                {page200(framed(table(noJobs) + `<footer><div class="g-recaptcha"></div></footer>`)), "", 0},
		"an empty one with an unseen captcha": {page200(framed(table(noJobs) + `<div class="g-recaptcha" data-size="invisible"></div>`)), "", 0},
		"headings and odd rows among jobs":    {page200(framed(table(`<tr class="table__row"><td class="table__data" colspan="8">Today</td></tr>` + jobRow(row, "Matched") + fewCells + `<tr><th>Ref</th></tr>`))), "", 1},
		"a heading written as a row":          {page200(framed(table(`<tr class="table__row">` + strings.Repeat(`<td class="table__data">Ref</td>`, 8) + `</tr>` + noJobs))), "", 0},

		"the log-in page":                             {page200(loginPage("")), app.PageLoggedOut, 0},
		"the log-in page by a redirect":               {to(302, "/login"), app.PageLoggedOut, 0},
		"the log-in form in the board's frame":        {page200(table("") + loginForm), app.PageLoggedOut, 0},
		"the log-in form under an empty board":        {page200(table(noJobs) + loginForm), app.PageLoggedOut, 0},
		"the log-in form beside jobs, without a mark": {page200(table(jobRow(row, "Matched")) + loginForm), app.PageLoggedOut, 0},
		"a hidden log-in form, without a mark":        {page200(table(noJobs) + `<div hidden>` + loginForm + `</div>`), app.PageLoggedOut, 0},
		"a log-in form on an empty board with a mark": {page200(framed(table(noJobs) + loginForm)), app.PageLoggedOut, 0},
		"a log-in form with a mark in its class":      {page200(`<body class="dashboard">` + loginForm), app.PageLoggedOut, 0},
		"log-in fields in no form":                    {page200(`<input name=email><input name=password type=password>`), app.PageLoggedOut, 0},
		"a log-in form with a 403":                    {status(403, loginPage("")), app.PageLoggedOut, 0},
		"401":                                         {status(401, `{"message":"Unauthenticated."}`), app.PageLoggedOut, 0},
		"a link to log in on an empty board":          {page200(table(noJobs) + `<a href="/login">Log in</a>`), app.PageLoggedOut, 0},
		"a link to log in beside jobs":                {page200(table(jobRow(row, "Matched")) + `<a href="/login">Log in</a>`), app.PageLoggedOut, 0},
		"a session that has expired, in words":        {page200(framed(`<p>Your session has expired.</p>`)), app.PageLoggedOut, 0},
		"an empty row that says so":                   {page200(framed(table(`<tr><td colspan=8>Please log in to see jobs</td></tr>`))), app.PageLoggedOut, 0},
		"a page that leads on to the log-in page":     {page200(`<meta http-equiv="refresh" content="0;url='/login'">`), app.PageLoggedOut, 0},
		"another page at the log-in address":          {to(302, "/login?expired=1"), app.PageLoggedOut, 0},

		"500":                               {status(500, framed(table(jobRow(row, "Matched")))), app.PageUnavailable, 0},
		"503 with an empty board":           {status(503, framed(table(noJobs))), app.PageUnavailable, 0},
		"429":                               {status(429, ""), app.PageUnavailable, 0},
		"419":                               {status(419, "Page Expired"), app.PageUnavailable, 0},
		"403":                               {status(403, "Forbidden"), app.PageUnavailable, 0},
		"404 that is no page of the portal": {status(404, "Not Found"), app.PageUnavailable, 0},
		"204":                               {status(204, ""), app.PageUnavailable, 0},
		"an empty page":                     {page200(" \n "), app.PageUnavailable, 0},
		"data":                              {page200(`{"jobs":[]}`), app.PageUnavailable, 0},
		"a list of data":                    {page200(` [] `), app.PageUnavailable, 0},
		"data in the portal's own shape":    {page200(`{"html":"<section class=\"content__table\">There are no interpreter jobs</section>"}`), app.PageUnavailable, 0},
		"another site's page":               {page200(strangers), app.PageUnavailable, 0},
		"a page of text":                    {page200("It works!"), app.PageUnavailable, 0},
		"maintenance in words":              {page200(`<title>Maintenance</title><h1>We'll be back soon</h1>`), app.PageUnavailable, 0},
		"maintenance in the portal's frame": {page200(framed(`<p>The portal is down for maintenance.</p>`)), app.PageUnavailable, 0},
		"maintenance in the board's table":  {page200(framed(table(`<tr><td colspan=8>Down for maintenance</td></tr>`))), app.PageUnavailable, 0},
		"maintenance over an empty board":   {page200(framed(`<h1>Maintenance</h1>` + table(noJobs))), app.PageUnavailable, 0},
		"a redirect to another site":        {to(302, "https://elsewhere.example.com/"), app.PageUnavailable, 0},
		"a redirect in a circle":            {to(302, "/interpreter-jobs"), app.PageUnavailable, 0},
		"a redirect to nowhere":             {status(302, ""), app.PageUnavailable, 0},
		"not modified":                      {status(304, ""), app.PageUnavailable, 0},

		"logged in, and nothing fits":             {page200(framed(`<h1>News</h1><p>Hello.</p>`)), app.PageChanged, 0},
		"another layout, with a way out":          {page200(`<nav><a href="/bye">Sign out</a></nav><div class="grid"><p>Booking 48213</p></div>`), app.PageChanged, 0},
		"404 with a mark":                         {status(404, framed(`<h1>Not found</h1>`)), app.PageChanged, 0},
		"rows of another class":                   {page200(framed(table(oddRows))), app.PageChanged, 0},
		"rows of another class and an empty one":  {page200(framed(table(oddRows + noJobs))), app.PageChanged, 0},
		"cells of another class":                  {page200(framed(table(strings.ReplaceAll(jobRow(row, "Matched"), "table__data", "cell")))), app.PageChanged, 0},
		"rows with too few cells":                 {page200(framed(table(fewCells + fewCells))), app.PageChanged, 0},
		"no rows at all":                          {page200(framed(table(""))), app.PageChanged, 0},
		"the frame without a table":               {page200(framed(`<section class="content__table"><p>There are no interpreter jobs</p></section>`)), app.PageChanged, 0},
		"a table in another frame":                {page200(framed(strings.ReplaceAll(table(jobRow(row, "Matched")), "content__table", "board"))), app.PageChanged, 0},
		"an empty board that nothing vouches for": {page200(table(noJobs)), app.PageChanged, 0},
		"an empty row that is not shown":          {page200(framed(table(`<tr style="display:none"><td colspan=8>There are no interpreter jobs</td></tr>`))), app.PageChanged, 0},
		"an empty row in a comment":               {page200(framed(table(`<!--` + noJobs + `-->`))), app.PageChanged, 0},
		"an empty row in a template":              {page200(framed(table(`<template>` + noJobs + `</template>`))), app.PageChanged, 0},
		"the words outside of the table":          {page200(framed(`<p>There are no interpreter jobs</p>`)), app.PageChanged, 0},
		"a table still loading":                   {page200(framed(table(`<tr><td colspan=8>Loading…</td></tr>`))), app.PageChanged, 0},
		"a job's details":                         {page200(framed(detailsOf(row, "Telephone interpreting", "Matched"))), app.PageChanged, 0},

		"a captcha":                       {page200(`<h1>One more step</h1><form><div class="g-recaptcha" data-sitekey="k"></div></form>`), app.PageChallenge, 0},
		"a captcha in the portal's frame": {page200(framed(`<div class="h-captcha"></div>`)), app.PageChallenge, 0},
		"a captcha over an empty board":   {page200(framed(table(noJobs) + `<div class="cf-turnstile"></div>`)), app.PageChallenge, 0},
		"a captcha with a 403":            {status(403, `<div class="g-recaptcha"></div>`), app.PageChallenge, 0},
		"a captcha with a 503":            {status(503, `<form id="challenge-form"></form>`), app.PageChallenge, 0},
		"a captcha in the log-in form":    {page200(strings.ReplaceAll(loginPage(""), "<button", `<div class="g-recaptcha"></div><button`)), app.PageChallenge, 0},
		"a guard's challenge, by its header": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("cf-mitigated", "challenge")
			w.WriteHeader(http.StatusForbidden)
		}, app.PageChallenge, 0},
		"a challenge in words":            {page200(`<title>Just a moment...</title><p>Verify you are human by completing the action below.</p>`), app.PageChallenge, 0},
		"a challenge in words with a 403": {status(403, `<h1>Attention required</h1>`), app.PageChallenge, 0},
		"a consent page":                  {page200(framed(`<h1>Consent</h1><form method=post action=/consent><button>I agree</button></form>`)), app.PageChallenge, 0},
		"new terms to agree to":           {page200(framed(`<h2>Our terms have changed</h2><p>Please agree to the terms to go on.</p>`)), app.PageChallenge, 0},
		"a code by mail":                  {page200(`<form method=post><input name="otp"><p>Enter the verification code</p></form>`), app.PageChallenge, 0},
		"a consent page of another host":  {to(302, "https://consent.example.com/?then=portal"), app.PageChallenge, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t).on("GET /interpreter-jobs", c.answer).on("GET /login", page200(loginPage("")))
			s.on("GET /login?expired=1", page200(`<h1>Hello</h1>`))
			board, err := client(t, s).Look(t.Context())
			if got := classOf(t, err); got != c.want {
				t.Fatalf("it was taken for %q (%v), and is %q", got, err, c.want)
			}
			if len(board.Jobs) != c.jobs {
				t.Errorf("%d jobs were read, and there are %d", len(board.Jobs), c.jobs)
			}
		})
	}
}

func TestTheProfilesDefaultIsWhatIsKnownOfThePortal(t *testing.T) {
	p := DefaultProfile()
	for part, want := range map[string]string{
		"paths.login":         "/login",
		"paths.board":         "/interpreter-jobs",
		"paths.accept":        "/interpreter-jobs/{id}/matched",
		"login.email":         "input[name=email]",
		"login.password":      "input[name=password]",
		"login.logged_in":     ".header__name, .header__user, .user-menu, [data-testid='user-menu'], .dashboard",
		"board.body":          "section.content__table table tbody",
		"board.row":           "tr.table__row",
		"board.cell":          "td.table__data",
		"board.least_cells":   "8",
		"board.empty":         "There are no interpreter jobs",
		"board.details_link":  "a[href*='interpreter-jobs']",
		"details.table":       "table.table--detail",
		"details.older":       ".job__detail",
		"details.type_label":  "Interpreter details",
		"dialog.short_notice": "#24HourModal",
		"dialog.continue":     "#continueButton",
		"reject.action":       "matched/reject",
		"reject.button":       ".btn--reject",
		"status.ours":         "accepted, allocated, assigned, confirmed, booked",
	} {
		found := false
		for _, q := range p.parts() {
			if q.name == part {
				found = true
				if got := q.value.String(); got != want {
					t.Errorf("%s is %q, and should be %q", part, got, want)
				}
			}
		}
		if !found {
			t.Errorf("there is no part %s", part)
		}
	}
}
