package portal

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atozbot/atozbot/app"
)

// jobsOn reads the jobs of a page whose board's table holds the rows.
func jobsOn(t *testing.T, rows string) []app.Job {
	t.Helper()
	s := newStand(t).on("GET /interpreter-jobs", page200(framed(table(rows))))
	board, err := client(t, s).Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range board.Jobs {
		board.Jobs[i] = strip(board.Jobs[i], s.URL)
	}
	return board.Jobs
}

// strip takes the server's address, which differs from test to test, off a job.
func strip(j app.Job, base string) app.Job {
	j.DetailsURL = strings.TrimPrefix(j.DetailsURL, base)
	if j.AcceptForm != nil {
		form := *j.AcceptForm
		form.Action = strings.TrimPrefix(form.Action, base)
		j.AcceptForm = &form
	}
	return j
}

func TestARowIsReadWhole(t *testing.T) {
	plain := app.Job{
		Number: "48213", Ref: "48213/A", Language: "Polish",
		SubmittedText: "14/01/2027 09:15", DateText: "15/07/2027", TimeText: "14:30", DurationText: "1 hour 30 minutes", StatusText: "Matched",
		SubmittedAt: time.Date(2027, 1, 14, 9, 15, 0, 0, time.UTC), Date: "2027-07-15", Time: "14:30", DurationMinutes: 90, State: app.StateMatched,
		Row:        []string{"48213/A", "14/01/2027 09:15", "15/07/2027", "14:30", "1 hour 30 minutes", "Polish", "Matched", "View Accept"},
		DetailsURL: "/interpreter-jobs/48213",
		AcceptForm: &app.Form{Method: "POST", Action: "/interpreter-jobs/48213/matched", Fields: []app.FormField{{Name: "_token", Value: "abcdefghijklmnop"}, {Name: "_method", Value: "PUT"}, {Name: "accept", Value: "yes"}}},
	}
	neat := `<tr class="table__row"><td class="table__data">48213/A</td><td class="table__data">14/01/2027 09:15</td><td class="table__data">15/07/2027</td><td class="table__data">14:30</td><td class="table__data">1 hour 30 minutes</td><td class="table__data">Polish</td><td class="table__data">Matched</td><td class="table__data"><a href="/interpreter-jobs/48213">View</a><form method="POST" action="/interpreter-jobs/48213/matched"><input type="hidden" name="_token" value="abcdefghijklmnop"><input type="hidden" name="_method" value="PUT"><button type="submit" name="accept" value="yes">Accept</button></form></td></tr>`
	for name, row := range map[string]string{
		"as the portal writes it": neat,
		"with white space, line breaks and nested tags": `
		<tr data-id="48213" id="row-48213" class="odd  table__row js-row">
			<td class="table__data table__data--ref">
				<strong> 48213 </strong> / <span>A</span>
			</td>
			<td class="cell table__data">14/01/2027&nbsp;09:15</td>
			<td class="table__data"><!-- the day --> 15/07/2027
			</td>
			<td class="table__data">14<b>:30</b></td>
			<td class="table__data">1 hour<br>30 minutes</td>
			<td class="table__data" data-label="Language">&#80;olish<script>var x = "</td>";</script></td>
			<td class="table__data"><i aria-hidden="true">✓</i><span class="badge status status--matched">
				Matched </span><small hidden>48213</small></td>
			<td class="table__data"><a class="btn" title="x" href='/interpreter-jobs/48213'>View</a>
				<form class="f" ACTION="/interpreter-jobs/48213/matched" METHOD="post"><input value="abcdefghijklmnop" name="_token" type="hidden"><input name=_method type=hidden value=PUT><button name="accept" type="submit" value="yes"><span>Accept</span></button></form></td>
		</tr>`,
		"without end tags":               strings.NewReplacer("</td>", "", "</tr>", "").Replace(neat),
		"with its form around the cells": `<tr class="table__row"><form method="POST" action="/interpreter-jobs/48213/matched"><input type="hidden" name="_token" value="abcdefghijklmnop"><input type="hidden" name="_method" value="PUT"><td class="table__data">48213/A</td><td class="table__data">14/01/2027 09:15</td><td class="table__data">15/07/2027</td><td class="table__data">14:30</td><td class="table__data">1 hour 30 minutes</td><td class="table__data">Polish</td><td class="table__data">Matched</td><td class="table__data"><a href="/interpreter-jobs/48213">View</a> <button type="submit" name="accept" value="yes">Accept</button></td></form></tr>`,
		"with its button named to a form elsewhere": strings.NewReplacer(
			`<form method="POST" action="/interpreter-jobs/48213/matched"><input type="hidden" name="_token" value="abcdefghijklmnop"><input type="hidden" name="_method" value="PUT"><button`, ` <button form="f1"`,
			`</form>`, ``).Replace(neat) + `</tbody></table><form id="f1" method="POST" action="/interpreter-jobs/48213/matched"><input type="hidden" name="_token" value="abcdefghijklmnop"><input type="hidden" name="_method" value="PUT"></form><table><tbody>`,
	} {
		t.Run(name, func(t *testing.T) {
			jobs := jobsOn(t, row)
			if len(jobs) != 1 {
				t.Fatalf("%d jobs were read", len(jobs))
			}
			got, want := jobs[0], plain
			if name == "with its button named to a form elsewhere" {
				// The button stands before its form's fields, and is sent before them.
				want.AcceptForm = &app.Form{Method: "POST", Action: want.AcceptForm.Action, Fields: []app.FormField{{Name: "accept", Value: "yes"}, {Name: "_token", Value: "abcdefghijklmnop"}, {Name: "_method", Value: "PUT"}}}
			}
			if strings.Contains(row, " / ") {
				want.Row = append([]string{"48213 / A"}, want.Row[1:]...)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAReferenceIsMendedAndItsNumberIsDigitsBeforeTheSlash(t *testing.T) {
	for written, want := range map[string]ref{
		"48213/A":      {"48213/A", "48213", true},
		"48213 / A":    {"48213/A", "48213", true},
		"48213/ A":     {"48213/A", "48213", true},
		"48213":        {"48213", "48213", true},
		"48213/":       {"48213/", "48213", true},
		"#48213/A":     {"48213/A", "48213", true},
		"Ref: 48213/A": {"48213/A", "48213", true},
		"48213/A/B":    {"48213/A/B", "48213", true},
		"007/A":        {"007/A", "007", true},
		"JOB-48213/A":  {"JOB-48213/A", "JOB-48213", false},
		"48 213/A":     {"48 213/A", "48 213", false},
		"48213a/A":     {"48213a/A", "48213a", false},
		"-48213/A":     {"-48213/A", "-48213", false},
		"48213.5/A":    {"48213.5/A", "48213.5", false},
		"/A":           {"/A", "", false},
		"A/48213":      {"A/48213", "", false},
		"":             {"", "", false},
		"N/A":          {"N/A", "", false},
	} {
		if got := readRef(written); got != want {
			t.Errorf("%q was read as %+v, and should be %+v", written, got, want)
		}
	}
}

// rowWith is a row with its number, its reference and what stands in its last cell.
func rowWith(ref, actions string) string {
	return `<tr class="table__row"><td class="table__data">` + ref + `</td><td class="table__data">14/01/2027</td><td class="table__data">15/07/2027</td><td class="table__data">14:30</td><td class="table__data">30 mins</td><td class="table__data">Polish</td><td class="table__data">Matched</td><td class="table__data">` + actions + `</td></tr>`
}

func TestOnlyTheFormThatIsExactlyThisJobsAcceptsIt(t *testing.T) {
	form := func(action, inside string) string {
		return `<form method="POST" action="` + action + `"><input type="hidden" name="_token" value="t">` + inside + `</form>`
	}
	accept := form("/interpreter-jobs/48213/matched", `<button name="go" value="1">Accept</button>`)
	for name, c := range map[string]struct {
		actions string
		want    string // Its address and fields, or "" for none.
	}{
		"the form alone":                      {accept, "/interpreter-jobs/48213/matched _token=t&go=1"},
		"a relative address":                  {form("interpreter-jobs/48213/matched", ""), "/interpreter-jobs/48213/matched _token=t"},
		"an absolute address":                 {form("BASE/interpreter-jobs/48213/matched", ""), "/interpreter-jobs/48213/matched _token=t"},
		"an address without its scheme":       {form("//HOST/interpreter-jobs/48213/matched", ""), "/interpreter-jobs/48213/matched _token=t"},
		"an address with dots":                {form("/x/../interpreter-jobs/./48213/matched", ""), "/interpreter-jobs/48213/matched _token=t"},
		"an address with a query":             {form("/interpreter-jobs/48213/matched?from=board", ""), "/interpreter-jobs/48213/matched?from=board _token=t"},
		"an address with white space":         {form(" /interpreter-jobs/48213/mat\nched ", ""), "/interpreter-jobs/48213/matched _token=t"},
		"without a button":                    {form("/interpreter-jobs/48213/matched", ""), "/interpreter-jobs/48213/matched _token=t"},
		"an input as its button":              {form("/interpreter-jobs/48213/matched", `<input type="submit" name="a" value="Accept">`), "/interpreter-jobs/48213/matched _token=t&a=Accept"},
		"behind the form that rejects":        {form("/interpreter-jobs/48213/matched/reject", `<button>Reject</button>`) + accept, "/interpreter-jobs/48213/matched _token=t&go=1"},
		"behind another job's form":           {form("/interpreter-jobs/99999/matched", "") + accept, "/interpreter-jobs/48213/matched _token=t&go=1"},
		"by a button's own address":           {form("/interpreter-jobs/48213/x", `<button formaction="/interpreter-jobs/48213/matched" name="go" value="1">Accept</button>`), "/interpreter-jobs/48213/matched _token=t&go=1"},
		"by its second button":                {form("/interpreter-jobs/48213/matched", `<button name="r" value="1">Reject</button><button name="go" value="1">Accept</button>`), "/interpreter-jobs/48213/matched _token=t&go=1"},
		"by the button that goes there":       {form("/interpreter-jobs/48213/matched", `<button formaction="/interpreter-jobs/48213/x" name="x" value="1">View</button><button name="go" value="1">Accept</button>`), "/interpreter-jobs/48213/matched _token=t&go=1"},
		"none":                                {`<a href="/interpreter-jobs/48213">View</a>`, ""},
		"the form that rejects":               {form("/interpreter-jobs/48213/matched/reject", `<button>Accept</button>`), ""},
		"another job's form":                  {form("/interpreter-jobs/99999/matched", ""), ""},
		"a number that begins the same way":   {form("/interpreter-jobs/482130/matched", ""), ""},
		"a path that begins the same way":     {form("/interpreter-jobs/48213/matched-x", ""), ""},
		"a path below another":                {form("/x/interpreter-jobs/48213/matched", ""), ""},
		"a slash at its end":                  {form("/interpreter-jobs/48213/matched/", ""), ""},
		"other letters":                       {form("/Interpreter-Jobs/48213/Matched", ""), ""},
		"letters written in another way":      {form("/interpreter-jobs/48213/%6Datched", ""), ""},
		"the number in the query":             {form("/interpreter-jobs/matched?id=48213", ""), ""},
		"another site's form":                 {form("https://elsewhere.example.com/interpreter-jobs/48213/matched", ""), ""},
		"another port's form":                 {form("http://127.0.0.1:1/interpreter-jobs/48213/matched", ""), ""},
		"another site's, without its scheme":  {form("//elsewhere.example.com/interpreter-jobs/48213/matched", ""), ""},
		"a script":                            {form("javascript:accept(48213)", ""), ""},
		"a form that is not posted":           {`<form action="/interpreter-jobs/48213/matched"><button>Accept</button></form>`, ""},
		"only buttons that refuse":            {form("/interpreter-jobs/48213/matched", `<button name="r" value="1">Decline</button>`), ""},
		"a button that is disabled":           {form("/interpreter-jobs/48213/matched", `<button disabled>Accept</button>`), ""},
		"a button that goes elsewhere":        {form("/interpreter-jobs/48213/matched", `<button formaction="/interpreter-jobs/48213/matched/reject">Go</button>`), ""},
		"a link that acts":                    {`<a href="/interpreter-jobs/48213/matched">Accept</a>`, ""},
		"a form in a comment":                 {`<!-- ` + accept + ` -->`, ""},
		"a form in a template":                {`<template>` + accept + `</template>`, ""},
		"a form in a script":                  {`<script>"` + accept + `"</script>`, ""},
		"a form of another job around it all": {`<form method=post action="/interpreter-jobs/99999/matched">` + accept + `</form>`, "/interpreter-jobs/48213/matched _token=t&go=1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t)
			actions := strings.NewReplacer("BASE", s.URL, "HOST", strings.TrimPrefix(s.URL, "http://")).Replace(c.actions)
			s.on("GET /interpreter-jobs", page200(framed(table(rowWith("48213/A", actions)+rowWith("99999/A", "")))))
			board, err := client(t, s).Look(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			j, got := strip(board.Jobs[0], s.URL), ""
			if j.AcceptForm != nil {
				got = j.AcceptForm.Action + " " + encode(j.AcceptForm.Fields)
			}
			if got != c.want {
				t.Errorf("the job is accepted by %q, and should be by %q", got, c.want)
			}
			if other := board.Jobs[1].AcceptForm; other != nil {
				t.Errorf("the other job is accepted by a form in this one's row, %s", other.Action)
			}
		})
	}
}

func TestTheLinkToTheDetailsIsThisJobs(t *testing.T) {
	link := func(href string) string { return `<a href="` + href + `">View</a>` }
	for name, c := range map[string]struct{ actions, want string }{
		"its path":                   {link("/interpreter-jobs/48213"), "/interpreter-jobs/48213"},
		"a relative path":            {link("interpreter-jobs/48213"), "/interpreter-jobs/48213"},
		"an absolute address":        {link("BASE/interpreter-jobs/48213"), "/interpreter-jobs/48213"},
		"a longer path":              {link("/interpreter-jobs/48213/details"), "/interpreter-jobs/48213/details"},
		"a query":                    {link("/interpreter-jobs/view?id=48213"), "/interpreter-jobs/view?id=48213"},
		"a path without a number":    {link("/interpreter-jobs/view/abc"), "/interpreter-jobs/view/abc"},
		"a fragment left out":        {link("/interpreter-jobs/48213#top"), "/interpreter-jobs/48213"},
		"the plainest of several":    {link("/interpreter-jobs/48213/notes") + link("/interpreter-jobs/48213") + link("/interpreter-jobs/48213/map"), "/interpreter-jobs/48213"},
		"not another job's":          {link("/interpreter-jobs/99999"), ""},
		"not the board":              {link("/interpreter-jobs"), ""},
		"not one that acts":          {link("/interpreter-jobs/48213/matched") + link("/interpreter-jobs/48213/matched/reject"), ""},
		"not one that cancels":       {link("/interpreter-jobs/48213/cancel"), ""},
		"not another site's":         {link("https://elsewhere.example.com/interpreter-jobs/48213"), ""},
		"not a script":               {link("javascript:void(48213);//interpreter-jobs"), ""},
		"not one sent with a method": {`<a href="/interpreter-jobs/48213/x" data-method="delete">x</a>`, ""},
		"not any link at all":        {link("/help"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t)
			s.on("GET /interpreter-jobs", page200(framed(table(rowWith("48213/A", strings.ReplaceAll(c.actions, "BASE", s.URL))))))
			board, err := client(t, s).Look(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimPrefix(board.Jobs[0].DetailsURL, s.URL); got != c.want {
				t.Errorf("the details are at %q, and should be at %q", got, c.want)
			}
		})
	}
}

func TestAJobWhoseNumberIsNotCertainIsShownAndCannotBeActedUpon(t *testing.T) {
	form := `<form method="POST" action="/interpreter-jobs/48213/matched"></form>`
	for name, c := range map[string]struct{ ref, want string }{
		"letters in its number":   {"JOB-48213/A", "JOB-48213"},
		"a gap in its number":     {"48 213/A", "48 213"},
		"none, but for its link":  {"", "48213"},
		"words, but for its link": {"n/a", "48213"},
	} {
		t.Run(name, func(t *testing.T) {
			jobs := jobsOn(t, rowWith(c.ref, `<a href="/interpreter-jobs/48213">View</a>`+form))
			if len(jobs) != 1 || jobs[0].Number != c.want || jobs[0].AcceptForm != nil {
				t.Errorf("it was read as %+v", jobs)
			}
		})
	}
	t.Run("a row that nothing names is not read, and the board not complete", func(t *testing.T) {
		s := newStand(t).on("GET /interpreter-jobs", page200(framed(table(rowWith("", "")+jobRow("48213", "Matched")))))
		board, err := client(t, s).Look(t.Context())
		if err != nil || len(board.Jobs) != 1 || board.Complete {
			t.Errorf("%d jobs, complete %v, %v", len(board.Jobs), board.Complete, err)
		}
	})
}

func TestWhatIsNotUnderstoodIsEmptyAndStandsInTheRow(t *testing.T) {
	row := `<tr class="table__row"><td class="table__data">48213/A</td><td class="table__data">this morning</td><td class="table__data">01/13/2027</td><td class="table__data">midnight</td><td class="table__data">30</td><td class="table__data"></td><td class="table__data">Unmatched</td><td class="table__data"></td></tr>`
	j := jobsOn(t, row)[0]
	if !j.SubmittedAt.IsZero() || j.Date != "" || j.Time != "" || j.DurationMinutes != 0 || j.Language != "" || j.State != app.StateOther {
		t.Errorf("something was guessed: %+v", j)
	}
	if want := []string{"48213/A", "this morning", "01/13/2027", "midnight", "30", "", "Unmatched", ""}; !cmp.Equal(j.Row, want) {
		t.Errorf("the row was kept as %q", j.Row)
	}
}

func TestTheStatusIsInItsCellOrInTheElementWithinIt(t *testing.T) {
	for cell, want := range map[string]string{
		`Matched`:                             "Matched",
		`<span class="status">Matched</span>`: "Matched",
		`Status: <em class="label status">Matched</em> since Monday`:                     "Matched",
		`<span class="status"></span>Matched`:                                            "Matched",
		`<span class="status" hidden>Accepted</span><span class="status">Matched</span>`: "Matched",
		`<span class="substatus">Accepted</span>`:                                        "Accepted",
	} {
		row := strings.Replace(rowWith("48213/A", ""), `<td class="table__data">Matched</td>`, `<td class="table__data">`+cell+`</td>`, 1)
		if got := jobsOn(t, row)[0].StatusText; got != want {
			t.Errorf("%s has the status %q, and should have %q", cell, got, want)
		}
	}
}

func TestATableInACellIsNoBoardOfItsOwn(t *testing.T) {
	inner := `<table><tbody>` + jobRow("99999", "Matched") + `</tbody></table>`
	jobs := jobsOn(t, strings.Replace(jobRow("48213", "Matched"), "Polish", "Polish "+inner, 1)+jobRow("48214", "Matched"))
	if len(jobs) != 2 || jobs[0].Number != "48213" || jobs[1].Number != "48214" {
		t.Fatalf("%d jobs were read", len(jobs))
	}
	if jobs[0].AcceptForm == nil || !strings.Contains(jobs[0].AcceptForm.Action, "48213") {
		t.Error("the job cannot be accepted, or by another's form")
	}
}

func TestAJobIsReadOnceHoweverOftenItIsShown(t *testing.T) {
	jobs := jobsOn(t, jobRow("48213", "Matched")+jobRow("48214", "Matched")+strings.ReplaceAll(jobRow("48213", "Matched"), "48213/A", "48213 / B"))
	if len(jobs) != 2 {
		t.Fatalf("%d jobs were read", len(jobs))
	}
	for _, order := range [][2]string{{"Matched", "Cancelled"}, {"Cancelled", "Matched"}, {"Accepted", "Matched"}, {"Matched", "Accepted"}} {
		j := jobsOn(t, jobRow("48213", order[0])+jobRow("48213", order[1]))[0]
		if j.State == app.StateMatched {
			t.Errorf("%v was read as matched", order)
		}
	}
}

func TestABoardThatBrokeOffIsNotComplete(t *testing.T) {
	whole := framed(table(jobRow("48213", "Matched") + jobRow("48214", "Matched") + jobRow("48215", "Matched")))
	cut := whole[:strings.LastIndex(whole, `<input type="hidden"`)]
	s := newStand(t).on("GET /interpreter-jobs", page200(cut))
	board, err := client(t, s).Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if board.Complete || len(board.Jobs) != 2 {
		t.Errorf("complete %v, %d jobs; the last one's form may lack fields", board.Complete, len(board.Jobs))
	}
}

func TestManyJobsKeepTheirOwnForms(t *testing.T) {
	var rows strings.Builder
	for i := range 200 {
		rows.WriteString(jobRow(fmt.Sprint(10000+i), "Matched"))
	}
	jobs := jobsOn(t, rows.String())
	for i, j := range jobs {
		number := fmt.Sprint(10000 + i)
		if j.Number != number || j.AcceptForm == nil || j.AcceptForm.Action != "/interpreter-jobs/"+number+"/matched" || j.AcceptForm.Fields[0].Value != "token-of-"+number+"-000" {
			written, _ := json.Marshal(j)
			t.Fatalf("job %d was read as %s", i, written)
		}
	}
	if len(jobs) != 200 {
		t.Errorf("%d jobs were read", len(jobs))
	}
}
