package portal

import (
	"bytes"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/atom"

	"github.com/atozbot/atozbot/app"
)

// boardPage is a page of the board as it was read, kept to recognise it when it comes again.
//
// A board that has not changed still differs from look to look: its forms carry fresh
// tokens. They are the only bytes that may differ. The places where tokens stand are
// known from the reading (slots), everything between them is compared byte for byte,
// and the tokens are taken from where they stand now. So nothing is decoded, no two
// different boards are taken for one, and a form is never sent with an old token.
type boardPage struct {
	asked       string   // The address that was asked for.
	final       *url.URL // And the one it came from.
	contentType string
	body        []byte
	asSent      bool // The body is UTF-8 as it was sent: nothing was converted.

	read  decoded
	next  string
	doubt bool

	slots   []slot
	slotted bool // The slots were looked for.
	tokens  []string
}

// slot is a place of the page's body at which a token stands. job is -1 for one that
// belongs to no job's form.
type slot struct{ start, end, job, field int }

const (
	shortestToken = 12 // What is shorter is no token: it is expected not to change.
	longestToken  = 4096
	mostTokens    = 8 // Different tokens that are looked for all over the page.

	// What does not stand in a token as it is written, or means something else than it
	// says: a page with such a token is read anew.
	unlikely = "<>&\r\n\x00"
)

// boardPage keeps what was read of p.
func (p *page) boardPage(asked string, read decoded) *boardPage {
	next, doubt := p.nextPage()
	b := &boardPage{
		asked: asked, final: p.url, contentType: p.header.Get("Content-Type"),
		body: p.body, asSent: p.asSent, read: read, next: next.absolute, doubt: doubt,
	}
	for i := range p.doc.controls {
		c := &p.doc.controls[i]
		if c.node.DataAtom == atom.Input && strings.EqualFold(attribute(c.node, "type"), "hidden") {
			b.addToken(attribute(c.node, "value"))
		}
	}
	for _, n := range elements(p.doc.root, atom.Meta) {
		if strings.Contains(attribute(n, "name"), "csrf") {
			b.addToken(attribute(n, "content"))
		}
	}
	return b
}

func (b *boardPage) addToken(s string) {
	if len(s) >= shortestToken && len(b.tokens) < mostTokens && !slices.Contains(b.tokens, s) {
		b.tokens = append(b.tokens, strings.Clone(s))
	}
}

// again tells whether p is the same page but for its tokens, and gives its jobs with the
// tokens of p. asRead says that they are those that were read: not even the tokens differ.
func (b *boardPage) again(p *page) (jobs []app.Job, asRead, ok bool) {
	if b == nil || p.status != 200 || p.header.Get("Content-Type") != b.contentType ||
		p.header.Get("Cf-Mitigated") != "" || p.url.String() != b.final.String() {
		return nil, false, false
	}
	if !b.asSent {
		p.decode()
	}
	if bytes.Equal(b.body, p.body) {
		return b.read.jobs, true, true
	}
	b.findSlots()
	values, ok := b.match(p.body)
	if !ok {
		return nil, false, false
	}
	return b.renew(values), false, true
}

// match compares the page with body, and gives what stands in body at every slot.
func (b *boardPage) match(body []byte) (values [][]byte, ok bool) {
	values = make([][]byte, 0, len(b.slots))
	from := 0
	for _, s := range b.slots {
		fixed := b.body[from:s.start]
		if !bytes.HasPrefix(body, fixed) {
			return nil, false
		}
		body = body[len(fixed):]
		end := bytes.IndexByte(body[:min(len(body), longestToken)], b.body[s.end])
		if end < 0 || bytes.ContainsAny(body[:end], unlikely) || !utf8.Valid(body[:end]) {
			return nil, false
		}
		values = append(values, body[:end])
		body, from = body[end:], s.end
	}
	return values, bytes.Equal(b.body[from:], body)
}

// renew gives the jobs with the values of the slots in their forms. The jobs handed out
// before stay as they are.
func (b *boardPage) renew(values [][]byte) []app.Job {
	jobs := slices.Clone(b.read.jobs)
	renewed := -1
	for i, s := range b.slots {
		if s.job < 0 {
			continue
		}
		j := &jobs[s.job]
		if s.job != renewed {
			form := *j.AcceptForm
			form.Fields = slices.Clone(form.Fields)
			j.AcceptForm = &form
			renewed = s.job
		}
		j.AcceptForm.Fields[s.field].Value = string(values[i])
	}
	return jobs
}

// findSlots finds the places of tokens: the values of the jobs' fields, and wherever
// else on the page one of the tokens stands, in a meta element or a script.
func (b *boardPage) findSlots() {
	if b.slotted {
		return
	}
	b.slotted = true
	for _, o := range b.read.origins {
		value := []byte(b.read.jobs[o.job].AcceptForm.Fields[o.field].Value)
		tag := b.body[o.start:o.end]
		if len(value) < shortestToken || bytes.Count(tag, value) != 1 {
			continue
		}
		start := o.start + bytes.Index(tag, value)
		b.slots = append(b.slots, slot{start, start + len(value), o.job, o.field})
	}
	for _, token := range b.tokens {
		value := []byte(token)
		for from := 0; ; {
			i := bytes.Index(b.body[from:], value)
			if i < 0 {
				break
			}
			b.slots = append(b.slots, slot{from + i, from + i + len(value), -1, 0})
			from += i + len(value)
		}
	}
	b.arrangeSlots()
}

// arrangeSlots puts the slots in the page's order. A place found both ways is the job's;
// one that lies across another is none. Where a job holds a token at a place that is not
// known, the page is recognised only if no byte has changed.
func (b *boardPage) arrangeSlots() {
	slices.SortStableFunc(b.slots, func(x, y slot) int {
		if x.start != y.start {
			return x.start - y.start
		}
		return y.job - x.job
	})
	kept, end := b.slots[:0], 0
	for _, s := range b.slots {
		if s.start < end || s.end >= len(b.body) {
			continue
		}
		kept, end = append(kept, s), s.end
	}
	b.slots = kept

	type field struct{ job, field int }
	known := make(map[field]bool, len(b.slots))
	for _, s := range b.slots {
		known[field{s.job, s.field}] = true
	}
	for i, j := range b.read.jobs {
		if j.AcceptForm == nil {
			continue
		}
		stale := b.holdsToken(j.AcceptForm.Action) || b.holdsToken(j.DetailsURL)
		for k, f := range j.AcceptForm.Fields {
			stale = stale || !known[field{i, k}] && b.holdsToken(f.Value)
		}
		if stale {
			b.slots = nil
			return
		}
	}
}

func (b *boardPage) holdsToken(s string) bool {
	return slices.ContainsFunc(b.tokens, func(token string) bool { return strings.Contains(s, token) })
}
