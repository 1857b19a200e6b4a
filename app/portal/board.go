package portal

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/atozbot/atozbot/app"
)

// shape is what the board's table looks like, before anything in it is read.
type shape struct {
	bodies []*html.Node
	rows   []row
	// strange counts rows with more than half of a job's cells that are not what the
	// profile describes; lost counts those of them that have all the cells.
	strange, lost int
	concealed     int    // Rows that would be jobs, and are not shown.
	empty         bool   // A row that is shown says that there are no jobs.
	says          string // What a row across all columns says instead.
}

// row is a row of the board that has a job's cells.
type row struct {
	node  *html.Node
	cells []*html.Node
}

// shape finds the board's rows.
func (p *page) shape() *shape {
	s := &shape{}
	profile := p.client.profile
	s.bodies = topmost(p.parse().root, &profile.board.body, nil)
	s.rows = make([]row, 0, 16)
	for _, body := range s.bodies {
		p.scanRows(s, body)
	}
	return s
}

// topmost gives the elements below n that fit, but none within another of them: the
// board's rows may hold tables of their own.
func topmost(n *html.Node, s *selector, found []*html.Node) []*html.Node {
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		switch {
		case child.Type != html.ElementNode:
		case s.is(child):
			found = append(found, child)
		default:
			found = topmost(child, s, found)
		}
	}
	return found
}

func (p *page) scanRows(s *shape, n *html.Node) {
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		switch {
		case child.Type != html.ElementNode:
		case p.client.profile.board.row.is(child):
			cells := p.cells(child)
			switch {
			case len(cells) < int(p.client.profile.board.leastCells), spans(child):
				p.oddRow(s, child)
			case concealed(child):
				s.concealed++
			default:
				s.rows = append(s.rows, row{child, cells})
			}
		case child.DataAtom == atom.Tr:
			p.oddRow(s, child)
		default:
			p.scanRows(s, child)
		}
	}
}

// cells gives the row's own cells: of a table's row its children, and of any other
// element what fits below it.
func (p *page) cells(n *html.Node) []*html.Node {
	cell := &p.client.profile.board.cell
	if n.DataAtom != atom.Tr {
		return topmost(n, cell, nil)
	}
	cells := make([]*html.Node, 0, 8)
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		if child.Type == html.ElementNode && cell.is(child) {
			cells = append(cells, child)
		}
	}
	return cells
}

// spans tells whether a cell of the row goes over several columns, as no job's does.
func spans(row *html.Node) bool {
	for child := row.FirstChild; child != nil; child = child.NextSibling {
		if child.Type == html.ElementNode && len(child.Attr) > 0 {
			if span := strings.TrimSpace(attribute(child, "colspan")); span != "" && span != "1" {
				return true
			}
		}
	}
	return false
}

// oddRow notes a row that is no job's: a heading, one that speaks across the columns, or
// one that could be a job in a shape that is not known. One that is not shown says nothing.
func (p *page) oddRow(s *shape, n *html.Node) {
	if concealed(n) || p.client.profile.dialog.concealed.is(n) {
		return
	}
	cells := 0
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		if child.DataAtom == atom.Td {
			cells++
		}
	}
	said := textOf(n)
	switch {
	case p.client.profile.board.empty.in(plain(said)) != "":
		s.empty = true
	case spans(n):
		if s.says == "" {
			s.says = said
		}
	case 2*cells > int(p.client.profile.board.leastCells) && strings.ContainsAny(said, "0123456789"):
		s.strange++
		if cells >= int(p.client.profile.board.leastCells) {
			s.lost++
		}
	}
}

// decoded is what one page of the board holds.
type decoded struct {
	jobs    []app.Job
	origins []origin // Where the fields of the jobs' forms stand on the page.
	whole   bool     // Every row that could be a job was read.
}

// origin is the control that a field of a job's form came from.
type origin struct {
	job, field int
	tag        tag
}

// boardReader reads a board's rows.
type boardReader struct {
	page    *page
	zone    *time.Location
	profile *Profile
	text    mender
	starts  []int
	inRow   map[*html.Node]int // The rows, to their places.
	forms   [][]*form          // Those that stand in each row.
	outside map[string]*form   // Those outside of all rows, by the number of the job they accept.
	states  map[string]app.JobState
	out     decoded
}

// readBoard reads the jobs of a page that is a board.
func (p *page) readBoard(s *shape, zone *time.Location) decoded {
	r := &boardReader{page: p, zone: zone, profile: p.client.profile, states: make(map[string]app.JobState)}
	rows := s.rows
	r.out.whole = s.lost == 0 && s.concealed == 0 && !p.elsewhere()
	if p.doc.cut && !p.doc.ended {
		// The page broke off within its table: its last row may lack what nobody can see
		// is missing, such as a form's fields.
		r.out.whole = false
		if n := len(rows); n > 0 {
			rows = rows[:n-1]
		}
	}
	r.out.jobs = make([]app.Job, 0, len(rows))
	r.sortForms(rows)
	for i := range rows {
		r.readRow(i, rows[i])
	}
	return r.out
}

// sortForms finds for every form the row that it stands in.
func (r *boardReader) sortForms(rows []row) {
	r.inRow = make(map[*html.Node]int, len(rows))
	for i := range rows {
		r.inRow[rows[i].node] = i
	}
	r.forms = make([][]*form, len(rows))
	for _, f := range r.page.doc.forms {
		at, within := -1, false
		for n := f.node.Parent; n != nil; n = n.Parent {
			if i, ok := r.inRow[n]; ok {
				at, within = i, true
				break
			}
			within = within || n.DataAtom == atom.Tr
		}
		switch {
		case at >= 0:
			r.forms[at] = append(r.forms[at], f)
		case !within:
			r.addOutside(f)
		}
	}
}

func (r *boardReader) addOutside(f *form) {
	for _, by := range append(f.buttons(), nil) {
		to, ok := r.page.link(f.action(by))
		if !ok {
			continue
		}
		number := r.page.client.site.Load().accepts(to.path)
		if number == "" {
			continue
		}
		if r.outside == nil {
			r.outside = make(map[string]*form)
		}
		if _, taken := r.outside[number]; !taken {
			r.outside[number] = f
		}
		return
	}
}

func (r *boardReader) readRow(at int, row row) {
	r.readCells(row)
	said := string(r.text.text)
	cell := func(c column) string {
		if i := slices.Index(r.profile.board.columns, c); i >= 0 {
			return said[r.starts[2*i]:r.starts[2*i+1]]
		}
		return ""
	}
	if !strings.ContainsAny(said, "0123456789") {
		return // A heading written as a row: a job has a number and a date.
	}
	j := app.Job{
		Language:      cell(columnLanguage),
		SubmittedText: cell(columnSubmitted),
		DateText:      cell(columnDate),
		TimeText:      cell(columnTime),
		DurationText:  cell(columnDuration),
		StatusText:    cell(columnStatus),
	}
	j.Row = make([]string, len(row.cells))
	for i := range row.cells {
		j.Row[i] = said[r.starts[2*i]:r.starts[2*i+1]]
	}
	r.readStatus(&j, row)
	ref := readRef(cell(columnRef))
	j.Number, j.Ref = ref.number, ref.shown
	r.readMoments(&j)
	r.readLink(&j, row)
	if j.Number == "" {
		r.out.whole = false // Something is there, and nothing tells which job it is.
		return
	}
	if ref.certain {
		r.readForm(at, &j)
	}
	r.out.jobs = append(r.out.jobs, j)
}

// readCells writes every cell's text into r.text, and where each begins and ends into
// r.starts.
func (r *boardReader) readCells(row row) {
	r.text.text, r.starts = r.text.text[:0], r.starts[:0]
	for _, cell := range row.cells {
		from := r.text.begin()
		r.text.addText(cell)
		r.starts = append(r.starts, from, len(r.text.text))
	}
}

// readStatus takes the status from the element within its cell, where there is one that
// says something.
func (r *boardReader) readStatus(j *app.Job, row row) {
	i := slices.Index(r.profile.board.columns, columnStatus)
	for _, n := range topmost(row.cells[i], &r.profile.board.status, nil) {
		if s := textOf(n); s != "" && !unread(n) {
			j.StatusText = s
			break
		}
	}
	state, known := r.states[j.StatusText]
	if !known {
		state = r.profile.state(j.StatusText)
		r.states[j.StatusText] = state
	}
	j.State = state
}

// ref is a job's reference as the board shows it.
type ref struct {
	shown   string
	number  string
	certain bool // The number is the job's: digits alone before the slash.
}

// readRef reads a reference such as "48213/A", "48213 / A", "#48213/A" or "Ref: 48213/A".
// One whose number is not digits alone still tells jobs apart, but is not certain: a job
// known by it is shown and never acted upon.
func readRef(s string) ref {
	before, after, slash := strings.Cut(s, "/")
	before, after = strings.TrimSpace(before), strings.TrimSpace(after)
	if _, value, labelled := strings.Cut(before, ":"); labelled {
		before = strings.TrimSpace(value)
	}
	r := ref{shown: before}
	if slash {
		r.shown += "/" + after
	}
	number := strings.TrimSpace(strings.TrimPrefix(before, "#"))
	if isNumber(number) {
		r.number, r.certain = number, true
		r.shown = strings.TrimPrefix(r.shown, "#")
		r.shown = strings.TrimSpace(r.shown)
		return r
	}
	if strings.ContainsAny(number, "0123456789") && utf8.RuneCountInString(number) <= 64 {
		r.number = strings.Join(strings.Fields(number), " ")
	}
	return r
}

// readMoments reads what the job's cells say about time.
func (r *boardReader) readMoments(j *app.Job) {
	j.SubmittedAt, _ = ParseMoment(j.SubmittedText, r.zone)
	j.Date, _ = ParseDate(j.DateText, r.zone)
	j.DurationMinutes, _ = ParseDuration(j.DurationText)
	j.Time = appointmentTime(j.TimeText, j.Date, j.DurationMinutes)
}

// readLink takes the link to the job's details: of those in the last cell, or else in
// the row, that which is most plainly this job's. One that names another job, or acts,
// is none. Where the reference gives no number, the link does, for telling jobs apart.
func (r *boardReader) readLink(j *app.Job, row row) {
	best, least := link{}, -1
	look := func(n *html.Node) {
		for _, a := range elements(n, atom.A) {
			to, ok := r.page.link(attribute(a, "href"))
			if !ok {
				continue
			}
			rank := r.rank(a, to, j.Number)
			if rank > surely && !r.profile.board.detailsLink.is(a) {
				continue
			}
			if rank >= surely && (least < 0 || rank < least) {
				best, least = to, rank
			}
		}
	}
	look(row.cells[len(row.cells)-1])
	if least < 0 {
		look(row.node)
	}
	if least < 0 {
		return
	}
	j.DetailsURL = best.absolute
	if j.Number == "" {
		if numbers := numbersIn(best.path, best.query); len(numbers) == 1 {
			j.Number = numbers[0]
		}
	}
}

// surely is the rank of a link below the board, with the job's number and nothing else:
// where the board was moved, its jobs' pages may have been moved with it.
const surely = 0

// rank says how plainly a link leads to the details of the job, least being best, or -1
// where it does not.
func (r *boardReader) rank(a *html.Node, to link, number string) int {
	site := r.page.client.site.Load()
	if site.acts(to.path) {
		return -1
	}
	if rest, ok := strings.CutPrefix(to.path, strings.TrimSuffix(site.board, "/")+"/"); ok && rest == number && number != "" {
		return surely
	}
	named, other := about(to.path, to.query, number)
	method := attribute(a, "data-method")
	switch {
	case other && number != "" && isNumber(number):
		return -1
	case !named && samePath(to.path, site.board):
		return -1
	case method != "" && !strings.EqualFold(method, "get"):
		return -1
	case r.profile.board.next.is(a):
		return -1
	case r.profile.accept.neverBy.in(plain(textOf(a)+" "+to.path)) != "":
		return -1
	case named:
		return 1 + strings.Count(to.path, "/")
	}
	return 1000
}

// readForm takes the form that accepts the job: one in its row, or outside of every row,
// whose path is exactly that for this job.
func (r *boardReader) readForm(at int, j *app.Job) {
	candidates := r.forms[at]
	if f := r.outside[j.Number]; f != nil {
		candidates = append(slices.Clip(candidates), f)
	}
	for _, f := range candidates {
		ready, on := r.page.acceptForm(f, j.Number)
		if ready == nil {
			continue
		}
		j.AcceptForm = ready
		for i, c := range on {
			r.out.origins = append(r.out.origins, origin{job: len(r.out.jobs), field: i, tag: c.tag})
		}
		return
	}
}

// acceptForm makes the form ready that accepts the job, or gives nil where f does not.
// A button whose words refuse is never pressed; a form whose buttons are all such, or
// disabled, is none.
func (p *page) acceptForm(f *form, number string) (*app.Form, []*control) {
	site := p.client.site.Load()
	try := func(by *control) (*app.Form, []*control) {
		to, ok := p.link(f.action(by))
		if !ok || site.accepts(to.path) != number || f.method(by) != "POST" {
			return nil, nil
		}
		fields, on := f.fill(by)
		return p.formTo(to, fields), on
	}
	hasButton := false
	for _, c := range f.controls {
		if !c.submits() {
			continue
		}
		hasButton = true
		if disabled(c.node) || p.client.profile.accept.neverBy.in(c.label()) != "" {
			continue
		}
		if ready, on := try(c); ready != nil {
			return ready, on
		}
	}
	if hasButton {
		return nil, nil
	}
	return try(nil)
}
