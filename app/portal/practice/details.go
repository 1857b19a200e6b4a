package practice

import (
	"bytes"
	"html/template"
	"net/http"
)

// The job types as the portal writes them.
const (
	TypeTelephone  = "Telephone interpreting"
	TypeFaceToFace = "Face-to-Face interpreting"
	TypeVideo      = "Video interpreting"
	TypeSign       = "British Sign Language interpreting"
)

// detailsPage shows one job. The lock is held.
func (p *Portal) detailsPage(v *visit) answer {
	j := p.jobs[v.number]
	if j == nil || j.state == stateComing {
		return p.words(v, http.StatusNotFound, "Not found", "This job does not exist.")
	}
	j.details++
	if j.detailsAt.IsZero() {
		j.detailsAt = v.at
	}
	of := detailsOf{v.session.email, j.Number}
	p.tally.details[of] = p.tally.details[of].after(v, v.at, false)
	if before := p.asShown(v, j); before != j {
		p.tally.misled[v.session.email] = true
		j = before
	}
	if (j.state == stateTaken || j.state == stateWithdrawn ||
		j.state == stateAccepted && j.holder != v.session.email) && p.scenario.Board.Gone != "details" {
		return p.gonePage(v, j)
	}
	return p.render(v, http.StatusOK, "details.html", p.detailsFrame(v, j))
}

// detailsFrame is what the details page shows of a job.
func (p *Portal) detailsFrame(v *visit, j *job) frame {
	date, clock := p.writtenStart(j)
	email := v.session.email
	f := frame{
		Title: "Job " + j.ref, Ref: j.ref, Number: j.Number, Lock: lockOf(j),
		Old:           p.scenario.Look.oldDetails(j.Number),
		CanReject:     j.free(email) && !j.NoRejectForm,
		CanAccept:     j.free(email) && p.scenario.Look.AcceptOnDetails && !j.NoAcceptForm,
		RejectAsInput: mix(0, "reject", j.Number)&1 == 0,
		HiddenCancel:  p.scenario.Look.HiddenCancel && j.state == stateAccepted,
	}
	for i, l := range append([]Label{
		{"Reference", written(j.Written.Ref, j.ref)},
		{"Language", written(j.Written.Language, j.Language)},
		{"Appointment date", written(j.Written.Date, date)},
		{"Appointment time", written(j.Written.Time, clock)},
		{"Duration", written(j.Written.Duration, durationText(j.Minutes))},
		{p.label("Interpreter details", j.Number), j.Type},
		{p.label("Status", j.Number), p.statusText(j, email)},
	}, j.Extra...) {
		var value bytes.Buffer
		p.scenario.Look.writeCell(&value, l.Text, j.Number, i)
		f.Lines = append(f.Lines, line{l.Label, template.HTML(value.String())}) //nolint:gosec // writeCell escapes.
	}
	return f
}

// label writes a label in one of the ways that mean the same.
func (p *Portal) label(text string, number int64) string {
	if !p.scenario.Look.Messy {
		return text
	}
	switch mix(0, "label", number) % 4 {
	case 0:
		return text + ":"
	case 1:
		return "  " + text + " :\n"
	case 2:
		return "\u00a0" + text
	}
	return text
}

// gonePage says that a job is no longer there, in the way that the portal has.
func (p *Portal) gonePage(v *visit, j *job) answer {
	status := http.StatusOK
	switch p.scenario.Board.Gone {
	case "404":
		status = http.StatusNotFound
	case "410":
		status = http.StatusGone
	case "board":
		v.session.flash, v.session.trouble = "Job "+j.ref+" is no longer available.", true
		return redirect(p.scenario.Board.Path)
	}
	return p.words(v, status, "Job no longer available", "Sorry, this job is no longer available.")
}

// dialogPage puts a question about a job that was to be accepted.
func (p *Portal) dialogPage(v *visit, j *job, which dialog) answer {
	f := frame{Title: "Job " + j.ref, Dialog: which, DialogJob: j.Number, DialogLock: lockOf(j), Ref: j.ref}
	return p.render(v, http.StatusOK, "dialog.html", f)
}

// dashboardPage is where a log-in leads.
func (p *Portal) dashboardPage(v *visit) answer {
	return p.render(v, http.StatusOK, "dashboard.html", frame{Title: "Dashboard"})
}
