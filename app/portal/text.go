package portal

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/text/unicode/norm"
)

// mender collects text and mends its white space as it comes: any run of white space
// (line breaks and non-breaking spaces too) is one space, none stands at either end,
// and what cannot be seen at all is dropped. What it gives is always valid UTF-8 without
// control characters, since it is stored in a database that takes nothing else.
type mender struct {
	text  []byte
	start int  // Where the piece being written begins.
	gap   bool // White space stands before what comes next.
}

// begin starts a new piece behind those already there.
func (m *mender) begin() int {
	m.start, m.gap = len(m.text), false
	return m.start
}

func (m *mender) space() { m.gap = true }

func (m *mender) add(s string) {
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			i++
			switch {
			case c > ' ' && c != 0x7f:
				m.separate()
				m.text = append(m.text, c)
			case c == 0 || c == 0x7f:
			default:
				m.gap = true
			}
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		i += size
		switch {
		case unicode.IsSpace(r) || r == '\u2028' || r == '\u2029':
			m.gap = true
		case invisible(r):
		default:
			m.separate()
			m.text = utf8.AppendRune(m.text, r)
		}
	}
}

func (m *mender) separate() {
	if m.gap && len(m.text) > m.start {
		m.text = append(m.text, ' ')
	}
	m.gap = false
}

// invisible tells characters that a reader does not see and that would keep "48213/A"
// from being the same as "48213/A": the zero-width space, the word joiner, the byte
// order mark, the soft hyphen, the marks of writing direction and the C1 controls.
// Joiners inside words of some scripts (U+200C, U+200D) are text and stay.
func invisible(r rune) bool {
	switch r {
	case '\u200b', '\u2060', '\ufeff', '\u00ad', '\u200e', '\u200f':
		return true
	}
	return unicode.IsControl(r)
}

// mend gives s with its white space mended.
func mend(s string) string {
	if mended(s) {
		return s
	}
	var m mender
	m.add(s)
	return string(m.text)
}

// mended tells whether s is plain ASCII with single spaces inside and none around, as
// nearly every text is, so that it need not be copied.
func mended(s string) bool {
	space := true
	for i := range len(s) {
		c := s[i]
		if c == ' ' {
			if space {
				return false
			}
			space = true
			continue
		}
		if c < ' ' || c >= 0x7f {
			return false
		}
		space = false
	}
	return !space || s == ""
}

// addText writes the text below n as a reader sees it: without what is hidden, with
// white space where the layout breaks the line or begins a new cell, and with none where
// a tag merely stands between two letters.
func (m *mender) addText(n *html.Node) {
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		switch {
		case child.Type == html.TextNode:
			m.add(child.Data)
		case child.Type != html.ElementNode || unread(child):
		case child.DataAtom == atom.Br || child.DataAtom == atom.Hr:
			m.space()
		case inline(child.DataAtom):
			m.addText(child)
		default:
			m.space()
			m.addText(child)
			m.space()
		}
	}
}

// textOf gives the text below n, white space mended.
func textOf(n *html.Node) string {
	if n == nil {
		return ""
	}
	var m mender
	m.addText(n)
	return string(m.text)
}

// inline tells elements that stand within a line; every other begins and ends one.
// An element that HTML does not know is inline, as it is in a browser.
func inline(a atom.Atom) bool {
	switch a {
	case 0, atom.A, atom.Abbr, atom.B, atom.Bdi, atom.Bdo, atom.Big, atom.Cite, atom.Code,
		atom.Data, atom.Del, atom.Dfn, atom.Em, atom.Font, atom.I, atom.Ins, atom.Kbd,
		atom.Label, atom.Mark, atom.Q, atom.S, atom.Samp, atom.Small, atom.Span,
		atom.Strike, atom.Strong, atom.Sub, atom.Sup, atom.Time, atom.Tt, atom.U,
		atom.Var, atom.Wbr, atom.Nobr, atom.Img:
		return true
	default:
		return false
	}
}

// unread tells elements whose text nobody reads: scripts, styles, the choices of a
// select, and what the page itself hides.
func unread(n *html.Node) bool {
	switch n.DataAtom {
	case atom.Script, atom.Style, atom.Template, atom.Noscript, atom.Head, atom.Select,
		atom.Textarea, atom.Svg, atom.Math, atom.Iframe, atom.Object:
		return true
	default:
	}
	if len(n.Attr) == 0 {
		return false
	}
	return attribute(n, "aria-hidden") == "true" || concealed(n)
}

// concealed tells whether n itself says that it is not shown.
func concealed(n *html.Node) bool {
	for _, a := range n.Attr {
		switch a.Key {
		case "hidden":
			return true
		case "style":
			if strings.IndexByte(a.Val, ':') >= 0 {
				style := strings.ToLower(strings.Join(strings.Fields(a.Val), ""))
				if strings.Contains(style, "display:none") || strings.Contains(style, "visibility:hidden") {
					return true
				}
			}
		}
	}
	return false
}

func attribute(n *html.Node, key string) string {
	for i := range n.Attr {
		if n.Attr[i].Key == key {
			return n.Attr[i].Val
		}
	}
	return ""
}

func hasAttribute(n *html.Node, key string) bool {
	for i := range n.Attr {
		if n.Attr[i].Key == key {
			return true
		}
	}
	return false
}

// plain gives the words of s alone, for comparing: lower case, without accents, with one
// space for whatever stands between two words, and a space at either end. Dashes stand
// between words ("Face-to-Face" is "face to face"); an apostrophe stands in one
// ("can't" is "cant").
func plain(s string) string {
	ascii := true
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	if !ascii {
		s = norm.NFKD.String(s)
	}
	out := make([]byte, 1, len(s)+2)
	out[0] = ' '
	for _, r := range s {
		switch {
		case 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
			out = append(out, byte(r))
		case 'A' <= r && r <= 'Z':
			out = append(out, byte(r)+'a'-'A')
		case r == '\'' || r == '\u2019' || r == '\u02bc' || unicode.Is(unicode.Mn, r) || invisible(r):
		case r >= utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			out = utf8.AppendRune(out, unicode.ToLower(r))
		case out[len(out)-1] != ' ':
			out = append(out, ' ')
		}
	}
	if out[len(out)-1] != ' ' {
		out = append(out, ' ')
	}
	return string(out)
}

// shorten cuts s to what fits into one line of a message.
func shorten(s string) string {
	const most = 300
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}
