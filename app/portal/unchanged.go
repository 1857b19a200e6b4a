package portal

import (
	"bytes"
	"net/url"
	"slices"
	"unicode/utf8"

	"golang.org/x/net/html/atom"

	"github.com/atozbot/atozbot/app"
)

// boardPage is a page of the board as it was read, kept to recognise it when it comes again.
//
// A board that has not changed still differs from look to look: its forms carry fresh
// tokens, its head a number for the request, its foot a clock. Where such things stand
// is known from the reading (slots): the values of forms' fields, and what says nothing
// of jobs nor of what the page is. Everything between them is compared byte for byte,
// and the fields are taken from what stands there now. So nothing is decoded, no two
// different boards are taken for one, and a form is never sent with an old token.
type boardPage struct {
	asked       string   // The address that was asked for.
	final       *url.URL // And the one it came from.
	contentType string
	body        []byte
	asSent      bool   // The body is UTF-8 as it was sent: nothing was converted.
	charset     string // What its forms are sent in.

	read  decoded
	next  string
	doubt bool
	slots []slot
}

// slot is a stretch of the page at which something else may stand the next time. job is
// -1 for one that belongs to no job's form.
type slot struct {
	span
	job, field int
}

const (
	longestValue = 4 << 10  // Of what stands in a field.
	longestAside = 64 << 10 // Of a text, a script or a comment.

	// What does not stand in a field as it is written, or means something else than it
	// says: a page with such a value is read anew.
	unlikely = "<>&\r\n\x00"
)

// boardPage keeps what was read of p.
func (p *page) boardPage(asked string, read decoded) *boardPage {
	next, doubt := p.nextPage()
	b := &boardPage{
		asked: asked, final: p.url, contentType: p.header.Get("Content-Type"),
		body: p.body, asSent: p.asSent, charset: p.charset, read: read, next: next.absolute, doubt: doubt,
	}
	b.findSlots(p.doc)
	return b
}

// findSlots finds the page's slots, in its order.
func (b *boardPage) findSlots(doc *document) {
	b.slots = make([]slot, 0, len(b.read.origins)+len(doc.asides)+len(doc.tags))
	taken := make(map[int]bool, len(b.read.origins))
	for _, o := range b.read.origins {
		taken[o.tag.start] = true
		if s, ok := b.attributeSpan(o.tag, "value"); ok && b.read.jobs[o.job].AcceptForm.Fields[o.field].Value == string(b.body[s.start:s.end]) {
			b.slots = append(b.slots, slot{s, o.job, o.field})
		}
	}
	for i := range doc.controls {
		if c := &doc.controls[i]; c.node.DataAtom == atom.Input && !taken[c.start] {
			if s, ok := b.attributeSpan(c.tag, "value"); ok {
				b.slots = append(b.slots, slot{s, -1, 0})
			}
		}
	}
	for _, t := range doc.tags {
		for _, key := range inert(t) {
			if s, ok := b.attributeSpan(t, key); ok {
				b.slots = append(b.slots, slot{s, -1, 0})
			}
		}
	}
	for _, s := range doc.asides {
		b.slots = append(b.slots, slot{s, -1, 0})
	}
	slices.SortFunc(b.slots, func(x, y slot) int { return x.start - y.start })
	kept, end := b.slots[:0], 0
	for _, s := range b.slots {
		if s.start >= end && bytes.HasPrefix(b.body[s.end:], []byte(s.until)) {
			kept, end = append(kept, s), s.end
		}
	}
	b.slots = kept
}

// inert gives the names of those attributes of an element that say nothing of what the
// page is.
func inert(t tag) []string {
	switch t.node.DataAtom {
	case atom.Meta:
		if hasAttribute(t.node, "name") && !hasAttribute(t.node, "http-equiv") {
			return []string{"content"}
		}
		return nil
	case atom.Link:
		if attribute(t.node, "rel") == "stylesheet" {
			return []string{"href", "integrity", "nonce"}
		}
		return nil
	default:
		return []string{"src", "integrity", "nonce"}
	}
}

// attributeSpan finds where the value of an attribute stands in its tag: false where it
// stands there in another way than within quotes and as it is read.
func (b *boardPage) attributeSpan(t tag, key string) (span, bool) {
	raw := b.body[t.start:t.end]
	at := 1 + len(t.node.Data)
	for at < len(raw) {
		at += leading(raw[at:], " \t\r\n\f/")
		name := raw[at : at+until(raw[at:], " \t\r\n\f/>=")]
		at += len(name)
		at += leading(raw[at:], " \t\r\n\f")
		if at >= len(raw) || raw[at] != '=' {
			if len(name) == 0 {
				break
			}
			continue
		}
		at++
		at += leading(raw[at:], " \t\r\n\f")
		if at >= len(raw) {
			break
		}
		quote := raw[at]
		if quote != '"' && quote != '\'' {
			if bytes.EqualFold(name, []byte(key)) {
				break
			}
			at += until(raw[at:], " \t\r\n\f>")
			continue
		}
		at++
		size := bytes.IndexByte(raw[at:], quote)
		if size < 0 {
			break
		}
		if bytes.EqualFold(name, []byte(key)) {
			return span{t.start + at, t.start + at + size, string(quote)}, string(raw[at:at+size]) == attribute(t.node, key)
		}
		at += size + 1
	}
	return span{}, false
}

// leading counts the bytes at the beginning of s that are of a set.
func leading(s []byte, set string) int {
	return len(s) - len(bytes.TrimLeft(s, set))
}

// until counts the bytes at the beginning of s that are not of a set.
func until(s []byte, set string) int {
	if i := bytes.IndexAny(s, set); i >= 0 {
		return i
	}
	return len(s)
}

// again tells whether p is the same page but for what stands in its slots, and gives its
// jobs with the fields of p. asRead says that they are those that were read: not a byte
// differs.
func (b *boardPage) again(p *page) (jobs []app.Job, asRead, ok bool) {
	if b == nil || p.status != 200 || p.header.Get("Content-Type") != b.contentType ||
		p.header.Get("Cf-Mitigated") != "" || p.url.String() != b.final.String() {
		return nil, false, false
	}
	if !b.asSent {
		p.decode()
		if p.charset != b.charset {
			return nil, false, false
		}
	}
	if bytes.Equal(b.body, p.body) {
		return b.read.jobs, true, true
	}
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
		value, ok := s.take(body)
		if !ok {
			return nil, false
		}
		values = append(values, value)
		body, from = body[len(value):], s.end
	}
	return values, bytes.Equal(b.body[from:], body)
}

// take gives what stands at the slot, where that is of the kind that stood there before.
func (s slot) take(body []byte) ([]byte, bool) {
	most := longestAside
	if s.until[0] == '"' || s.until[0] == '\'' {
		most = longestValue
	}
	end := bytes.Index(body[:min(len(body), most)], []byte(s.until))
	if end < 0 {
		return nil, false
	}
	value := body[:end]
	if !utf8.Valid(value) { // It makes the page one in another character set.
		return nil, false
	}
	switch s.until {
	case "<":
	case "</", "-->":
		// A script or a comment that holds the beginning or the end of a comment goes on
		// where it does not seem to.
		if bytes.Contains(value, []byte("<!")) || bytes.Contains(value, []byte("--")) || len(value) > 0 && value[0] == '>' {
			return nil, false
		}
	default:
		if bytes.ContainsAny(value, unlikely) {
			return nil, false
		}
	}
	return value, true
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
