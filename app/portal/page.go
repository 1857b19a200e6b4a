package portal

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"

	"github.com/atozbot/atozbot/app"
)

// page is an answer of the portal, read to its end.
type page struct {
	client     *Client
	url        *url.URL // After all redirects.
	status     int
	header     http.Header
	redirected bool
	answer     bool // It came back from an act.
	openEnded  bool // Nothing but the connection's end says where the body ends.
	firstByte  time.Time

	body    []byte // Decompressed; UTF-8 after decode.
	decoded bool
	asSent  bool   // The body was UTF-8 as it was sent.
	charset string // The page's own, where it is not UTF-8: its forms are sent in it.

	doc     *document
	builder *builder
	plain   string // The page's own text, plain; see ownText.

	labelled      []app.LabelledText // See labels.
	labelsAreRead bool
}

// fails makes the error that says that this is not the page asked for.
func (p *page) fails(class app.PageClass, t *trip, reason string) *app.PageError {
	e := p.err(class, reason)
	e.Sent = t.sent.Load()
	return e
}

func (p *page) err(class app.PageClass, reason string) *app.PageError {
	return &app.PageError{
		Class:      class,
		Status:     p.status,
		RetryAfter: retryAfter(p.header, p.client.now()),
		Reason:     reason,
		Sent:       true,
	}
}

// decode makes the body UTF-8: from its byte order mark, its header, its meta element,
// or by its looks, in this order. A declaration that the bytes themselves disprove, as a
// proxy's default for every page does, is not believed: nobody writes UTF-8 by accident,
// and nobody writes it without a single letter that is right.
func (p *page) decode() {
	if p.decoded {
		return
	}
	p.decoded = true
	encoded, name, certain := charset.DetermineEncoding(p.body, p.header.Get("Content-Type"))
	letters, broken := lettersIn(p.body)
	switch {
	case name == "windows-1252" && broken == 0 && (letters > 0 || !certain):
		encoded, name = encoding.Nop, "utf-8"
	case name == "utf-8" && broken > 0 && letters == 0:
		encoded, name = charmap.Windows1252, "windows-1252"
	}
	size := len(p.body)
	if name != "utf-8" {
		if converted, err := encoded.NewDecoder().Bytes(p.body); err == nil {
			p.body = converted
		}
		if !strings.HasPrefix(name, "utf-16") {
			p.charset = name
		}
	}
	p.body = bytes.TrimPrefix(p.body, []byte("\ufeff"))
	if !utf8.Valid(p.body) {
		p.body = bytes.ToValidUTF8(p.body, []byte("\ufffd"))
		size = -1
	}
	p.asSent = name == "utf-8" && len(p.body) == size
}

// lettersIn counts the characters of more than one byte in what may be UTF-8, and the
// bytes that belong to none.
func lettersIn(body []byte) (letters, broken int) {
	for i := 0; i < len(body); {
		if body[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(body[i:])
		if r == utf8.RuneError && size == 1 {
			broken++
		} else {
			letters++
		}
		i += size
	}
	return letters, broken
}

// parse builds the page's tree.
func (p *page) parse() *document {
	if p.doc == nil {
		p.decode()
		p.builder = p.client.builders.Get().(*builder)
		p.doc = p.builder.build(p.body)
	}
	return p.doc
}

// release gives the tree's memory back. Nothing that points into it may be used after.
func (p *page) release() {
	if p.builder != nil {
		p.client.builders.Put(p.builder)
		p.builder, p.doc = nil, nil
	}
}

// resolve gives the absolute address of what is written on the page, or nil.
func (p *page) resolve(written string) *url.URL {
	return resolve(p.url, p.doc.base, written)
}

// headings gives the texts of the page's title and main headings, plain.
func (p *page) headings() string {
	var m mender
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		for child := n.FirstChild; child != nil; child = child.NextSibling {
			switch child.DataAtom {
			case atom.Title:
				m.add(rawText(child) + " | ")
			case atom.H1, atom.H2:
				if !unread(child) {
					m.addText(child)
					m.add(" | ")
				}
			case atom.Svg:
			default:
				if child.Type == html.ElementNode && !concealed(child) && (!p.client.profile.dialog.concealed.is(child) || p.client.profile.dialog.shown.is(child)) {
					walk(child)
				}
			}
		}
	}
	walk(p.parse().root)
	return plain(string(m.text))
}

// ownText gives what the page itself says, plain: its title and its visible text without
// what stands on every page, at its head, foot and side. In an answer to an act, a
// dialog's words are no part of it: "before you continue" is a question there, and no
// challenge.
func (p *page) ownText() string {
	if p.plain != "" {
		return p.plain
	}
	var m mender
	concealing := &p.client.profile.dialog.concealed
	shown := &p.client.profile.dialog.shown
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		for child := n.FirstChild; child != nil; child = child.NextSibling {
			switch {
			case child.Type == html.TextNode:
				m.add(child.Data)
			case child.Type != html.ElementNode:
			case child.DataAtom == atom.Head:
				walk(child)
			case child.DataAtom == atom.Title && child.Parent.DataAtom != atom.Svg:
				m.add(rawText(child) + " | ")
			case unread(child), child.DataAtom == atom.Nav, child.DataAtom == atom.Footer, child.DataAtom == atom.Aside:
			case concealing.is(child) && !shown.is(child):
			case p.answer && p.client.asks(child):
			default:
				if !inline(child.DataAtom) {
					m.space()
				}
				walk(child)
				if !inline(child.DataAtom) {
					m.space()
				}
			}
		}
	}
	walk(p.parse().root)
	p.plain = plain(string(m.text))
	return p.plain
}

// sentence finds the words on the page and gives what the portal says there: the line
// that holds them, and of several the longest, which says most.
func (p *page) sentence(w words) string {
	said := ""
	for _, line := range p.lines() {
		if len(line) > len(said) && w.in(plain(line)) != "" {
			said = line
		}
	}
	if said == "" {
		return w.in(p.ownText()) // They go over a line's end.
	}
	return shorten(said)
}

// lines gives the page's visible text, a line for every stretch that the layout sets off.
func (p *page) lines() []string {
	var lines []string
	var m mender
	end := func() {
		if len(m.text) > m.start {
			lines = append(lines, string(m.text[m.start:]))
		}
		m.begin()
	}
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		for child := n.FirstChild; child != nil; child = child.NextSibling {
			switch {
			case child.Type == html.TextNode:
				m.add(child.Data)
			case child.Type != html.ElementNode || unread(child):
			case inline(child.DataAtom):
				walk(child)
			case p.answer && p.client.asks(child):
				end()
			default:
				end()
				walk(child)
				end()
			}
		}
	}
	walk(p.parse().root)
	end()
	return lines
}

// hiddenOn tells whether n, or what it stands in, is not shown.
func (c *Client) hiddenOn(n *html.Node) bool {
	for ; n != nil && n.Type == html.ElementNode; n = n.Parent {
		if concealed(n) || c.profile.dialog.concealed.is(n) && !c.profile.dialog.shown.is(n) {
			return true
		}
	}
	return false
}

// asks tells whether n is a dialog.
func (c *Client) asks(n *html.Node) bool {
	d := &c.profile.dialog
	return d.shortNotice.is(n) || d.never.is(n) || d.any.is(n)
}

// leadsTo tells whether the page sends its reader on by a header or a meta element, and where.
func (p *page) leadsTo() *url.URL {
	if _, to, there := strings.Cut(p.header.Get("Refresh"), "="); there {
		return p.resolve(strings.Trim(to, " '\""))
	}
	for _, n := range elements(p.parse().root, atom.Meta) {
		if !strings.EqualFold(attribute(n, "http-equiv"), "refresh") {
			continue
		}
		_, to, _ := strings.Cut(attribute(n, "content"), "=")
		if to = strings.Trim(to, " '\""); to != "" {
			return p.resolve(to)
		}
	}
	return nil
}
