package practice

import (
	"bytes"
	"html"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// boardPage shows the account's board, or one page of it. The lock is held.
func (p *Portal) boardPage(v *visit, now time.Time) answer {
	number, _ := strconv.Atoi(v.r.URL.Query().Get("page"))
	number = max(number, 1)
	rows, more := p.boardRows(v, number)
	f := frame{Title: "Interpreter jobs", PageNumber: number}
	if more {
		f.Next = p.pageLink(v, number+1)
	}
	if number > 1 {
		f.Prev = p.pageLink(v, number-1)
	}
	p.rows.Reset()
	p.writeNoJobs(&p.rows, len(rows))
	for _, j := range rows {
		if j.shownAt.IsZero() {
			j.shownAt = now
		}
		if !p.scenario.Look.Loose {
			p.writeRow(&p.rows, j, v)
			continue
		}
		var row bytes.Buffer
		p.writeRow(&row, j, v)
		p.writeLoosely(&p.rows, row.Bytes(), j.Number)
	}
	f.Rows = template.HTML(p.rows.String()) //nolint:gosec // Every text in it was escaped by writeRow.
	if v.session.dialog != 0 {
		if j := p.jobs[v.session.dialog]; j != nil {
			f.Dialog, f.DialogJob, f.DialogLock = dialogShortNotice, j.Number, lockOf(j)
		}
		v.session.dialog = 0
	}
	seen := p.tally.boards[v.session.email]
	if number == 1 {
		at := v.at
		if v.method != http.MethodGet {
			at = now // The board came as the answer to a POST.
		} else {
			p.tally.look(v)
		}
		seen = seen.after(v, at, more)
	} else {
		seen = seen.goesOn(v, more)
	}
	p.tally.boards[v.session.email] = seen
	p.tally.misled[v.session.email] = v.fault.Kind == FaultStale
	return p.render(v, http.StatusOK, "board.html", f)
}

// boardRows gives the jobs on one page of the board, and whether more pages follow.
func (p *Portal) boardRows(v *visit, number int) ([]*job, bool) {
	email, all := v.session.email, p.board
	stale := v.fault.Kind == FaultStale
	if stale {
		all = p.order
	}
	rows := make([]*job, 0, len(all))
	for _, j := range all {
		j = p.asShown(v, j)
		if j.state != stateComing && j.visibleTo(email) {
			rows = append(rows, j)
		}
	}
	if !p.scenario.Board.OldestFirst {
		slices.Reverse(rows)
	}
	size := p.scenario.Board.PageSize
	if size <= 0 {
		return rows, false
	}
	from := min((number-1)*size, len(rows))
	to := min(from+size, len(rows))
	return rows[from:to], to < len(rows)
}

// asShown is the job as the account sees it: as it is, or, where a fault shows the past,
// as it was before the account's newest act.
func (p *Portal) asShown(v *visit, j *job) *job {
	if v.fault.Kind == FaultStale && j.staleBefore != nil && p.tally.newest[v.session.email] == j.Number {
		return j.staleBefore
	}
	return j
}

// pageLink leads to another page of the board.
func (p *Portal) pageLink(v *visit, number int) string {
	link := p.scenario.Board.Path + "?" + url.Values{"page": {strconv.Itoa(number)}}.Encode()
	return p.base(v.r, p.scenario.Look.AbsoluteLinks) + link
}

// writeNoJobs writes the rows that are no jobs: the sentence on an empty board, and
// headings between the jobs on a cluttered one.
func (p *Portal) writeNoJobs(b *bytes.Buffer, jobs int) {
	look := &p.scenario.Look
	if jobs == 0 {
		b.WriteString(`<tr class="table__row"><td class="table__data" colspan="8">`)
		look.writeCell(b, "There are no interpreter jobs", 0, 0)
		b.WriteString("</td></tr>\n")
	} else if look.Clutter {
		b.WriteString(`<tr class="table__row"><td class="table__data" colspan="8">New this week</td></tr>` + "\n" +
			`<tr class="table__row"><td class="table__data">Matched</td><td class="table__data">48213/A</td><td class="table__data">Telephone interpreting</td></tr>` + "\n")
	}
}

// writeRow writes one row of the board. What is the same from look to look is kept.
func (p *Portal) writeRow(b *bytes.Buffer, j *job, v *visit) {
	if j.rowCache == nil {
		var cells bytes.Buffer
		p.writeCells(&cells, j)
		j.rowCache = cells.Bytes()
	}
	b.Write(j.rowCache)

	look := &p.scenario.Look
	status := p.statusText(j, v.session.email)
	if look.Messy && mix(0, "status", j.Number)&1 == 0 || !look.Messy {
		b.WriteString(`<td class="table__data"><span class="status">`)
		look.writeCell(b, status, j.Number, 6)
		b.WriteString(`</span></td>`)
	} else {
		b.WriteString(`<td class="table__data">`)
		look.writeCell(b, status, j.Number, 6)
		b.WriteString(`</td>`)
	}
	b.WriteString(`<td class="table__data table__actions">`)
	p.writeActions(b, j, v)
	b.WriteString("</td></tr>\n")
}

// writeCells writes a row's first cells: everything up to the status.
func (p *Portal) writeCells(b *bytes.Buffer, j *job) {
	look := &p.scenario.Look
	date, clock := p.writtenStart(j)
	texts := [6]string{
		written(j.Written.Ref, j.ref),
		written(j.Written.Submitted, p.writtenDate(j, j.listedAt)+" "+j.listedAt.In(p.zone).Format("15:04")),
		written(j.Written.Date, date),
		written(j.Written.Time, clock),
		written(j.Written.Duration, durationText(j.Minutes)),
		written(j.Written.Language, j.Language),
	}
	b.WriteString(`<tr class="table__row">`)
	for i, text := range texts {
		b.WriteString(`<td class="table__data">`)
		look.writeCell(b, text, j.Number, i)
		b.WriteString(`</td>`)
	}
}

// writeActions writes a row's last cell: the link and the forms.
func (p *Portal) writeActions(b *bytes.Buffer, j *job, v *visit) {
	look := &p.scenario.Look
	absolute := look.AbsoluteLinks && mix(0, "link", j.Number)&1 == 0
	path := p.base(v.r, absolute) + detailsPath(j)
	if !j.NoLink {
		b.WriteString(`<a class="link" href="` + html.EscapeString(path) + `">View</a>`)
	}
	if !j.free(v.session.email) {
		return
	}
	if look.RejectOnBoard {
		b.WriteString(`<form method="POST" action="` + html.EscapeString(path) + `/matched/reject" class="inline">`)
		p.writeHidden(b, j, v, http.MethodDelete)
		b.WriteString(`<button class="btn btn--reject" type="submit">Reject</button></form>`)
	}
	if j.NoAcceptForm {
		return
	}
	action := path + "/matched"
	if look.ActionQuery && mix(0, "query", j.Number)&1 == 0 {
		action += "?from=board&view=list"
	}
	b.WriteString(`<form method="POST" action="` + html.EscapeString(action) + `" class="inline">`)
	p.writeHidden(b, j, v, http.MethodPut)
	if look.namedButton(j.Number) {
		b.WriteString(`<button class="btn btn--accept" type="submit" name="` + fieldButton + `" value="accept">Accept</button></form>`)
		return
	}
	b.WriteString(`<button class="btn btn--accept" type="submit">Accept</button></form>`)
}

// writeHidden writes the hidden fields of a form about a job.
func (p *Portal) writeHidden(b *bytes.Buffer, j *job, v *visit, method string) {
	b.WriteString(`<input type="hidden" name="` + fieldToken + `" value="` + v.session.token + `">`)
	b.WriteString(`<input type="hidden" name="` + fieldMethod + `" value="` + method + `">`)
	b.WriteString(`<input type="hidden" name="` + fieldLock + `" value="` + lockOf(j) + `">`)
}

// statusText is what the account reads as the job's status.
func (p *Portal) statusText(j *job, email string) string {
	words := p.scenario.Look.Words
	switch {
	case j.state == stateAccepted && j.holder == email:
		return words.Accepted
	case j.state == stateAccepted || j.state == stateTaken:
		return words.Taken
	case j.state == stateWithdrawn:
		return "Withdrawn"
	case j.Status != "":
		return j.Status
	}
	return words.Matched
}

// written gives what is written in place of a value, "-" being an empty cell.
func written(instead, value string) string {
	switch instead {
	case "":
		return value
	case "-":
		return ""
	}
	return instead
}

// writtenStart gives the appointment's date and time as the portal writes them.
func (p *Portal) writtenStart(j *job) (date, clock string) {
	return p.writtenDate(j, j.Starts), j.Starts.In(p.zone).Format("15:04")
}

func (p *Portal) writtenDate(j *job, t time.Time) string {
	if p.scenario.Look.british(j.Number) {
		return t.In(p.zone).Format("02/01/2006")
	}
	return t.In(p.zone).Format(time.DateOnly)
}

// durationText writes minutes as the portal does.
func durationText(minutes int) string {
	hours, rest := minutes/60, minutes%60
	text := ""
	switch {
	case hours == 1:
		text = "1 hour"
	case hours > 1:
		text = strconv.Itoa(hours) + " hours"
	}
	switch {
	case rest == 0:
		return text
	case hours == 0:
		return strconv.Itoa(rest) + " mins"
	}
	return text + " " + strconv.Itoa(rest) + " minutes"
}
