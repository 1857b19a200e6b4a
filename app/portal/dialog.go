package portal

import (
	"hash/fnv"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/atozbot/atozbot/app"
)

// Portals carry every dialog in every page, not shown, and show one by a class or a
// script when there is something to ask. So a dialog's being there asks nothing. It asks
// where one of these is so:
//
//   - it is marked as shown, and was not so before the act (a banner about cookies is
//     shown on every page);
//   - a script that was not there before names it, and shows it;
//   - it was not there before the act, or not with these words and this form, on the
//     same kind of page; and it is not concealed, or nothing on the answer says that the
//     job is settled.
//
// The last is for portals whose script shows whatever dialog a page holds. An answer
// that shows the job as ours or as gone has no more to ask: what stands there concealed
// is a template for later ("cancel this booking?").

// marks are what a page shows beside what it is about.
type marks struct {
	questions map[string]string // By key, what they look like.
	alerts    map[string]bool   // Their texts, plain.
	scripts   map[uint64]bool   // Those within the page.
}

// seenPage is a page's bytes, for taking its marks only when they are needed.
type seenPage struct {
	url  *url.URL
	body []byte
}

// dialog is a dialog on a page.
type dialog struct {
	node      *html.Node
	id        string
	key       string // The id, and which of those with that id it is.
	named     bool   // The id is the page's, not ours.
	short     bool   // It is the question about short notice.
	shown     bool
	concealed bool
	looks     string
}

// marks takes the page's marks.
func (p *page) marks() *marks {
	m := &marks{questions: make(map[string]string), alerts: make(map[string]bool), scripts: make(map[uint64]bool)}
	for _, d := range p.questions() {
		m.questions[d.key] = d.looks
	}
	for _, a := range p.alerts() {
		m.alerts[plain(a.text)] = true
	}
	for _, s := range elements(p.parse().root, atom.Script) {
		m.scripts[scriptMark(rawText(s))] = true
	}
	return m
}

// before gives the marks of the newest board and the newest details, which is what was
// there before an act.
func (c *Client) before() (board, details *marks) {
	details = c.detailsSeen.Load()
	if seen := c.boardSeen.Load(); seen != nil {
		p := &page{client: c, url: seen.url, status: 200, body: seen.body, decoded: true}
		board = p.marks()
		p.release()
	}
	return board, details
}

// scriptMark is the same for two scripts that differ in numbers alone, such as the job's.
func scriptMark(script string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(withoutDigits(script))) // It never fails.
	return h.Sum64()
}

func withoutDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return -1
		}
		return r
	}, s)
}

// questions finds the dialog elements of the page, whether they ask anything or not. One within another is the same dialog, but the
// question about short notice is always one of its own.
func (p *page) questions() []dialog {
	profile := &p.client.profile.dialog
	root := p.parse().root
	var found []dialog
	shorts := few(profile.shortNotice.all(root))
	for _, n := range shorts {
		found = append(found, p.dialog(n, true))
	}
	for _, n := range few(append(topmost(root, &profile.never, nil), topmost(root, &profile.any, nil)...)) {
		if slices.ContainsFunc(found, func(d dialog) bool { return n == d.node }) {
			continue
		}
		if !slices.ContainsFunc(shorts, func(short *html.Node) bool { return n == short || within(short, n) || within(n, short) }) {
			found = append(found, p.dialog(n, false))
		}
	}
	// Some portals write a dialog into every row, under the same id.
	times := make(map[string]int)
	for i := range found {
		d := &found[i]
		times[d.id]++
		d.key = d.id + "#" + strconv.Itoa(times[d.id])
	}
	return found
}

// few keeps a broken or hostile page, with a thousand times the same dialog or message, from taking
// long: they are compared with each other.
func few(nodes []*html.Node) []*html.Node {
	const most = 200
	return nodes[:min(len(nodes), most)]
}

// within tells whether n stands in other.
func within(n, other *html.Node) bool {
	for p := n.Parent; p != nil; p = p.Parent {
		if p == other {
			return true
		}
	}
	return false
}

func (p *page) dialog(n *html.Node, short bool) dialog {
	profile := &p.client.profile.dialog
	d := dialog{node: n, id: attribute(n, "id"), short: short}
	d.named = true
	if d.id == "" {
		if named := firstWithID(n); named != nil {
			d.id = attribute(named, "id")
		} else {
			d.id, d.named = "dialog", false
		}
	}
	d.shown = profile.shown.is(n) && !concealed(n)
	d.concealed = !d.shown && (profile.concealed.is(n) || concealed(n))
	if up := n.Parent; !d.concealed && p.client.hiddenOn(up) {
		d.shown, d.concealed = false, true
	}
	looks := []string{"plain", plain(withoutDigits(textOf(n)))}
	switch {
	case d.shown:
		looks[0] = "shown"
	case d.concealed:
		looks[0] = "concealed"
	}
	for _, f := range p.doc.forms {
		if within(f.node, n) {
			looks = append(looks, withoutDigits(attribute(f.node, "action")))
		}
	}
	d.looks = strings.Join(looks, "|")
	return d
}

func firstWithID(n *html.Node) *html.Node {
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		if child.Type == html.ElementNode && attribute(child, "id") != "" && child.DataAtom != atom.Button && child.DataAtom != atom.Input {
			return child
		}
		if found := firstWithID(child); found != nil {
			return found
		}
	}
	return nil
}

// settlement is what an answer shows of the job: whether there is anything left to ask.
type settlement int

const (
	open    settlement = iota // The job is as free as before, or nothing is known of it.
	closed                    // Some words say that it is settled, or it is not listed any more.
	settled                   // Its row or its details say that it is ours, or gone.
)

// asked gives those of an answer that ask something, the ones that are shown first.
func (p *page) asked(job settlement, before ...*marks) []dialog {
	var shown, others []dialog
	for _, d := range p.questions() {
		stood, same := stoodBefore(d, before)
		switch {
		case d.shown && !same, job == open && d.named && p.opened(d.id, before):
			d.shown = true
			shown = append(shown, d)
		case same, job == settled, job == closed && d.concealed:
		case d.concealed && stood && !d.short:
			// Its words may follow what the page is about; only its form would tell.
		default:
			others = append(others, d)
		}
	}
	return append(shown, others...)
}

// stoodBefore tells whether the dialog stood on a page before, and whether it looked the
// same there.
func stoodBefore(d dialog, before []*marks) (stood, same bool) {
	for _, m := range before {
		if m == nil {
			continue
		}
		looks, ok := m.questions[d.key]
		stood, same = stood || ok, same || ok && looks == d.looks
	}
	return stood, same
}

// opened tells whether a script that was not there before shows the dialog; not one that
// only waits for a click to do so.
func (p *page) opened(id string, before []*marks) bool {
	for _, n := range elements(p.parse().root, atom.Script) {
		script := rawText(n)
		if !strings.Contains(script, id) || strings.Contains(script, "click") ||
			!strings.Contains(script, "show") && !strings.Contains(script, "open") {
			continue
		}
		known := false
		for _, m := range before {
			known = known || m != nil && m.scripts[scriptMark(script)]
		}
		if !known {
			return true
		}
	}
	return false
}

// continueForm makes the form of the question about short notice ready, or gives nil
// where it has none that is surely this job's.
func (p *page) continueForm(d dialog, number string) *app.Form {
	profile := p.client.profile
	node := profile.dialog.proceed.first(d.node)
	if node == nil {
		return nil
	}
	f, by := p.formOf(node)
	if f == nil {
		return nil
	}
	to, ok := p.link(f.action(by))
	if !ok || f.method(by) != "POST" || strings.Contains(to.path, string(profile.reject.action)) {
		return nil
	}
	if _, another := about(to.path, to.query, number); another || profile.accept.neverBy.in(plain(to.path)) != "" {
		return nil
	}
	fields, _ := f.fill(by)
	return p.formTo(to, fields)
}

// formOf gives the form that an element belongs to, and the element as a control where
// it is a button that submits.
func (p *page) formOf(n *html.Node) (f *form, by *control) {
	for i := range p.doc.controls {
		if c := &p.doc.controls[i]; c.node == n {
			if c.submits() {
				return c.form, c
			}
			return c.form, nil
		}
	}
	for _, f := range p.doc.forms {
		if within(n, f.node) {
			return f, nil
		}
	}
	return nil, nil
}

// alert is a message on a page.
type alert struct {
	text string
	bad  bool // It is marked as an error.
}

// alerts finds the messages that the page shows.
func (p *page) alerts() []alert {
	profile := &p.client.profile.alerts
	var found []alert
	for _, n := range few(topmost(p.parse().root, &profile.any, nil)) {
		if p.client.hiddenOn(n) {
			continue
		}
		if text := textOf(n); text != "" {
			found = append(found, alert{text, profile.err.is(n) || profile.err.first(n) != nil})
		}
	}
	return found
}
