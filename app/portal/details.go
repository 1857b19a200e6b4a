package portal

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/atozbot/atozbot/app"
)

// Details asks for the job's page. The error is an [app.PageError]: with PageGone where
// the portal says that the job is no longer there, by its status or in words, and
// otherwise with what came instead. The page of another job is never taken for this one's.
func (c *Client) Details(ctx context.Context, job app.Job) (app.Details, error) {
	address, err := c.detailsAddress(job)
	if err != nil {
		return app.Details{}, err
	}
	p, err := c.get(ctx, address, c.site.Load().boardAddress())
	if err != nil {
		return app.Details{}, err
	}
	defer p.release()
	f := p.classify(toRead)
	switch f.class {
	case app.PageDetails:
		d, other := p.readDetails(job.Number)
		if other != "" {
			return app.Details{}, p.err(app.PageUnavailable, "the portal showed the details of another job, "+other)
		}
		c.detailsSeen.Store(p.marks())
		return d, nil
	case app.PageBoard, app.PageEmptyBoard:
		return app.Details{}, p.boardInstead(f, job)
	default:
		return app.Details{}, p.err(f.class, f.reason)
	}
}

// detailsAddress checks the link of the job's row: only a page of this portal is asked for.
func (c *Client) detailsAddress(job app.Job) (*url.URL, error) {
	site := c.site.Load()
	u, err := url.Parse(job.DetailsURL)
	reason := ""
	switch {
	case job.DetailsURL == "":
		reason = "the job's row has no link to its details"
	case err != nil || !site.ours(u) && !site.onceOurs(u):
		reason = "the link to the job's details leads to another site"
	case site.acts(site.path(u)):
		reason = "the link to the job's details would act on the job"
	}
	if reason != "" {
		return nil, &app.PageError{Class: app.PageChanged, Reason: reason}
	}
	if site.base.Scheme == "https" {
		u.Scheme = "https"
		u.Host = site.base.Host
	}
	return u, nil
}

// boardInstead says what it means that the board came where a job's details were asked
// for: portals send people there when a job is gone.
func (p *page) boardInstead(f finding, job app.Job) error {
	board := p.readBoard(f.board, p.client.zone.Load())
	listed := slices.ContainsFunc(board.jobs, func(j app.Job) bool { return j.Number == job.Number })
	next, doubt := p.nextPage()
	more := next.absolute != "" || doubt
	switch {
	case listed:
		return p.err(app.PageUnavailable, "the portal showed the board instead of the job's details, with the job on it")
	case board.whole && !more, p.says(p.client.profile.words.gone):
		return p.err(app.PageGone, "the portal showed the board instead of the job's details, and the job is not on it")
	}
	return p.err(app.PageUnavailable, "the portal showed the board instead of the job's details")
}

// labels reads the lines of the details: of the table, and of the older layout.
func (p *page) labels() []app.LabelledText {
	if p.labelsAreRead {
		return p.labelled
	}
	p.labelsAreRead = true
	details := &p.client.profile.details
	for _, table := range topmost(p.parse().root, &details.table, nil) {
		p.readLabelRows(table)
	}
	for _, n := range details.older.all(p.doc.root) {
		label := textOf(n)
		value := n.NextSibling
		for value != nil && (value.Type != html.ElementNode || void(value.DataAtom) || value.DataAtom == atom.Script || value.DataAtom == atom.Style) {
			value = value.NextSibling
		}
		if label == "" || value != nil && details.older.is(value) {
			value = nil
		}
		if label != "" && !p.client.hiddenOn(n) {
			p.labelled = append(p.labelled, app.LabelledText{Label: label, Text: textOf(value)})
		}
	}
	return p.labelled
}

// readLabelRows reads the rows of a details table: a label and its value, or several
// such pairs side by side.
func (p *page) readLabelRows(n *html.Node) {
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		if child.Type != html.ElementNode || concealed(child) {
			continue
		}
		if child.DataAtom != atom.Tr {
			p.readLabelRows(child)
			continue
		}
		var cells []string
		for cell := child.FirstChild; cell != nil; cell = cell.NextSibling {
			if cell.DataAtom == atom.Td || cell.DataAtom == atom.Th {
				cells = append(cells, textOf(cell))
			}
		}
		switch {
		case len(cells) < 2:
		case len(cells)%2 == 0:
			for i := 0; i < len(cells); i += 2 {
				p.addLabel(cells[i], cells[i+1])
			}
		default:
			p.addLabel(cells[0], strings.Join(cells[1:], " "))
		}
	}
}

func (p *page) addLabel(label, value string) {
	if label != "" {
		p.labelled = append(p.labelled, app.LabelledText{Label: label, Text: value})
	}
}

// readDetails reads a page that is a job's details. other is the number of the job that
// it is about, where that is not the one asked for.
func (p *page) readDetails(number string) (d app.Details, other string) {
	profile := p.client.profile
	d.Labels = slices.Clone(p.labels())
	var types []string
	for _, l := range d.Labels {
		switch label := plain(l.Label); {
		case profile.details.typeLabel.are(label):
			// An excluded type anywhere among them wins, so nothing is left out.
			if l.Text != "" && !slices.Contains(types, l.Text) {
				types = append(types, l.Text)
			}
		case profile.details.statusLabel.are(label):
			if state := profile.state(l.Text); l.Text != "" && caution(state) > caution(d.State) {
				d.StatusText, d.State = l.Text, state
			}
		}
	}
	d.Type = strings.Join(types, "; ")
	rejects := p.readActs(&d, number)
	own := d.AcceptForm != nil || d.RejectForm != nil
	if other = p.otherJob(number, rejects, own); other != "" {
		return app.Details{}, other
	}
	if named, _ := about(p.client.site.Load().path(p.url), p.url.RawQuery, number); named || own || p.shownNumber() == number {
		d.Number = number
	}
	return d, ""
}

// otherJob gives the number of the job that a details page is about, where that is not
// number: by its own line about its reference or its heading; or else, unless it has a
// form for the job itself (own), by its form to reject a job, which only a job's own
// page has, or its address.
func (p *page) otherJob(number, rejects string, own bool) string {
	if !isNumber(number) {
		return ""
	}
	shown := p.shownNumber()
	path := p.client.site.Load().path(p.url)
	switch _, another := about(path, p.url.RawQuery, number); {
	case shown == number:
		return ""
	case shown != "":
		return shown
	case own:
		return ""
	case rejects != "":
		return rejects
	case another:
		return numbersIn(path, p.url.RawQuery)[0]
	}
	return ""
}

// shownNumber gives the number of the job that the page says it is about, or "". A
// reference without a slash is a job's only where its label says so: it may be the
// customer's own.
func (p *page) shownNumber() string {
	for _, l := range p.labels() {
		label := plain(l.Label)
		if !p.client.profile.details.refLabels.are(label) {
			continue
		}
		if r := readRef(l.Text); r.certain && (strings.Contains(l.Text, "/") || strings.Contains(label, " job ")) {
			return r.number
		}
	}
	for _, n := range elements(p.parse().root, atom.H1) {
		if unread(n) {
			continue
		}
		for _, word := range strings.Fields(textOf(n)) {
			if r := readRef(word); r.certain && len(r.number) >= 4 && strings.Contains(word, "/") && !strings.ContainsAny(r.shown[len(r.number):], "0123456789") {
				return r.number
			}
		}
	}
	return ""
}

// readActs takes the forms by which this job is accepted or rejected, and tells the
// number of another job that could be rejected here.
func (p *page) readActs(d *app.Details, number string) (rejects string) {
	for _, f := range p.doc.forms {
		if d.AcceptForm == nil {
			d.AcceptForm, _ = p.acceptForm(f, number)
		}
		ready, other := p.rejectForm(f, number)
		if d.RejectForm == nil {
			d.RejectForm = ready
		}
		if rejects == "" {
			rejects = other
		}
	}
	return rejects
}

// rejectForm makes the form ready that rejects the job, or gives nil where f does not;
// then other is the number of the job that it does reject, if any.
func (p *page) rejectForm(f *form, number string) (ready *app.Form, other string) {
	reject := &p.client.profile.reject
	try := func(by *control) *app.Form {
		to, ok := p.link(f.action(by))
		if !ok || !strings.Contains(to.path, string(reject.action)) || f.method(by) != "POST" {
			return nil
		}
		if _, another := about(to.path, to.query, number); another {
			other = numbersIn(to.path, to.query)[0]
			return nil
		}
		fields, _ := f.fill(by)
		return p.formTo(to, fields)
	}
	buttons := f.buttons()
	for _, c := range buttons { // The one that the profile names goes before the others.
		if reject.button.is(c.node) {
			if ready = try(c); ready != nil {
				return ready, ""
			}
		}
	}
	for _, c := range buttons {
		if reject.neverBy.in(c.label()) == "" {
			if ready = try(c); ready != nil {
				return ready, ""
			}
		}
	}
	if !slices.ContainsFunc(f.controls, (*control).submits) {
		ready = try(nil)
	}
	return ready, other
}
