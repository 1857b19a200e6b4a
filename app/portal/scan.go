package portal

import (
	"bytes"
	"io"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// scanner takes a page apart into the tokens of HTML, without copying: what it hands out
// are pieces of the page. What is plain on nearly every page is scanned here, some four
// times as fast as by the tokenizer of golang.org/x/net/html; whatever is not (entities in
// attributes, odd comments, scripts that hide their end) is left to that, token by token,
// so that nothing of HTML's odder rules is written twice. A fuzz test holds the two equal.
type scanner struct {
	page []byte
	text string // The same, for handing out pieces of it.
	at   int
	raw  string // The element whose text is read as it is, up to its end tag.

	attrs []html.Attribute // Of all tags so far, one after the other.

	// The token.
	kind       html.TokenType
	start, end int
	name       string // Of a tag, in lower case.
	tag        atom.Atom
	data       string           // Of a text, its entities undone.
	own        []html.Attribute // Of a start tag.
}

// The most attributes of a tag that are compared with each other one by one.
const fewAttributes = 16

// reset begins a page. The memory of the attributes handed out before is used again.
func (s *scanner) reset(page []byte) {
	*s = scanner{page: page, text: string(page), attrs: s.attrs[:0]}
}

// next reads the next token; false at the page's end, or where a tag is cut off.
func (s *scanner) next() bool {
	s.start, s.own, s.data = s.at, nil, ""
	if s.at >= len(s.page) {
		return false
	}
	if s.raw != "" {
		end, entities := s.rawEnd(), s.raw == "title" || s.raw == "textarea"
		s.raw = ""
		if end > s.at {
			s.textTo(end, entities)
			s.data = strings.ReplaceAll(s.data, "\x00", "\ufffd")
			return true
		}
	}
	if s.page[s.at] != '<' || !s.markup(s.at) {
		return s.textTo(s.textEnd(), true)
	}
	switch c := s.page[s.at+1]; {
	case letter(c):
		if end, selfClosing, ok := s.scanTag(s.at+1, true); ok {
			return s.startTag(end, selfClosing)
		}
	case c == '/' && letter(s.page[s.at+2]):
		if end, _, ok := s.scanTag(s.at+2, false); ok {
			s.kind, s.end = html.EndTagToken, end
			s.at = end
			return true
		}
	case c == '!':
		if end := s.commentEnd(); end > 0 {
			s.kind, s.end = html.CommentToken, end
			s.at = end
			return true
		}
	}
	return s.tokenize()
}

// markup tells whether the < at i begins a tag or a comment.
func (s *scanner) markup(i int) bool {
	if i+1 >= len(s.page) {
		return false
	}
	c := s.page[i+1]
	return letter(c) || c == '!' || c == '?' || c == '/' && i+2 < len(s.page)
}

func letter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

// textEnd finds where the text that begins here ends.
func (s *scanner) textEnd() int {
	for i := s.at; ; {
		next := bytes.IndexByte(s.page[i:], '<')
		if next < 0 {
			return len(s.page)
		}
		if i += next; i > s.at && s.markup(i) {
			return i
		}
		i++
	}
}

func (s *scanner) textTo(end int, entities bool) bool {
	s.kind, s.end, s.data = html.TextToken, end, s.text[s.at:end]
	s.at = end
	if strings.IndexByte(s.data, '\r') >= 0 {
		s.data = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s.data)
	}
	if entities && strings.IndexByte(s.data, '&') >= 0 {
		s.data = html.UnescapeString(s.data)
	}
	return true
}

// startTag ends a start tag that was scanned.
func (s *scanner) startTag(end int, selfClosing bool) bool {
	s.kind, s.end = html.StartTagToken, end
	if selfClosing {
		s.kind = html.SelfClosingTagToken
	}
	s.at = end
	if isRaw(s.tag) {
		s.raw = s.name
	}
	return true
}

// isRaw tells the elements whose text is read as it is.
func isRaw(a atom.Atom) bool {
	switch a {
	case atom.Script, atom.Style, atom.Title, atom.Textarea, atom.Noscript, atom.Iframe,
		atom.Noembed, atom.Noframes, atom.Xmp, atom.Plaintext:
		return true
	default:
		return false
	}
}

// rawEnd finds where the text of the raw element ends that begins here.
func (s *scanner) rawEnd() int {
	if s.raw == "plaintext" {
		return len(s.page)
	}
	for i := s.at; ; i++ {
		next := bytes.Index(s.page[i:], []byte("</"))
		if next < 0 {
			return len(s.page)
		}
		i += next
		name := s.page[i+2:]
		if len(name) <= len(s.raw) || !strings.EqualFold(s.text[i+2:i+2+len(s.raw)], s.raw) {
			continue
		}
		if !space(name[len(s.raw)]) && name[len(s.raw)] != '/' && name[len(s.raw)] != '>' {
			continue
		}
		if s.raw == "script" && bytes.Contains(s.page[s.at:i], []byte("<!--")) {
			return s.scriptEnd()
		}
		return i
	}
}

// scriptEnd finds the end of a script that may hide it in a comment.
func (s *scanner) scriptEnd() int {
	z := html.NewTokenizer(io.MultiReader(strings.NewReader("<script>"), strings.NewReader(s.text[s.at:])))
	z.Next()
	if z.Next() != html.TextToken {
		return s.at
	}
	return s.at + len(z.Raw())
}

// commentEnd finds the end of a plain comment that begins here, or gives 0.
func (s *scanner) commentEnd() int {
	rest := s.page[s.at:]
	if !bytes.HasPrefix(rest, []byte("<!--")) {
		return 0
	}
	inside := rest[len("<!--"):]
	end := bytes.Index(inside, []byte("-->"))
	if end < 0 || inside[0] == '>' || inside[0] == '-' || bytes.Contains(inside[:end], []byte("--!")) {
		return 0
	}
	return s.at + len("<!--") + end + len("-->")
}

// scanTag scans the tag whose name begins at i. It is false where something in it is not
// plain.
func (s *scanner) scanTag(i int, keep bool) (end int, selfClosing, ok bool) {
	from := i
	for i < len(s.page) && !ends(s.page[i], false) {
		i++
	}
	if s.name, ok = s.lower(from, i); !ok {
		return 0, false, false
	}
	s.tag = atom.Lookup(s.page[from:i])
	if s.tag == 0 {
		s.tag = atom.Lookup([]byte(s.name))
	}
	first := len(s.attrs)
	unquoted := false // The last attribute's value was, and ends here.
	for {
		i = s.skipSpace(i)
		if i >= len(s.page) {
			return 0, false, false
		}
		switch s.page[i] {
		case '>':
			s.own = s.attrs[first:len(s.attrs):len(s.attrs)]
			return i + 1, s.page[i-1] == '/' && !unquoted, true
		case '/':
			i, unquoted = i+1, false
			continue
		}
		key := i
		for i < len(s.page) && (!ends(s.page[i], true) || i == key && s.page[i] == '=') {
			i++
		}
		name, plain := s.lower(key, i)
		if !plain {
			return 0, false, false
		}
		var value string
		if i, value, unquoted, plain = s.scanValue(i); !plain {
			return 0, false, false
		}
		if keep {
			if len(s.attrs)-first == fewAttributes {
				return 0, false, false
			}
			s.keep(first, name, value)
		}
	}
}

// scanValue scans the value of an attribute whose key ends at i, if it has one.
func (s *scanner) scanValue(i int) (end int, value string, unquoted, ok bool) {
	after := s.skipSpace(i)
	if after >= len(s.page) || s.page[after] != '=' {
		return after, "", false, after < len(s.page)
	}
	i = s.skipSpace(after + 1)
	if i >= len(s.page) {
		return 0, "", false, false
	}
	from := i
	switch quote := s.page[i]; quote {
	case '>':
		return i, "", false, true
	case '"', '\'':
		from++
		size := strings.IndexByte(s.text[from:], quote)
		if size < 0 {
			return 0, "", false, false
		}
		value, i = s.text[from:from+size], from+size+1
	default:
		for i < len(s.page) && !space(s.page[i]) && s.page[i] != '>' {
			i++
		}
		value, unquoted = s.text[from:i], true
	}
	return i, value, unquoted, strings.IndexByte(value, '&') < 0 && strings.IndexByte(value, '\r') < 0 && strings.IndexByte(value, 0) < 0
}

// keep adds an attribute to the tag's, unless it has one of that name.
func (s *scanner) keep(first int, key, value string) {
	for i := first; i < len(s.attrs); i++ {
		if s.attrs[i].Key == key {
			return
		}
	}
	s.attrs = append(s.attrs, html.Attribute{Key: key, Val: value})
}

func space(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f' }

// ends tells the bytes that end a tag's name, or a key.
func ends(c byte, key bool) bool {
	return space(c) || c == '/' || c == '>' || key && c == '='
}

func (s *scanner) skipSpace(i int) int {
	for i < len(s.page) && space(s.page[i]) {
		i++
	}
	return i
}

// lower gives a stretch of the page in lower case, as HTML knows it. It is false where
// that is not plain.
func (s *scanner) lower(from, to int) (string, bool) {
	for i := from; i < to; i++ {
		switch c := s.page[i]; {
		case c == 0:
			return "", false
		case 'A' <= c && c <= 'Z':
			b := bytes.Clone(s.page[from:to])
			for j, c := range b {
				if 'A' <= c && c <= 'Z' {
					b[j] = c + 'a' - 'A'
				}
			}
			return string(b), bytes.IndexByte(b, 0) < 0
		}
	}
	return s.text[from:to], true
}

// tokenize reads the token that begins here with the tokenizer of x/net.
func (s *scanner) tokenize() bool {
	s.own = nil
	z := html.NewTokenizer(strings.NewReader(s.text[s.at:]))
	s.kind = z.Next()
	if s.kind == html.ErrorToken {
		s.at = len(s.page)
		return false
	}
	s.end = s.at + len(z.Raw())
	s.at = s.end
	switch s.kind {
	case html.TextToken:
		s.data = string(z.Text())
	case html.StartTagToken, html.SelfClosingTagToken, html.EndTagToken:
		name, more := z.TagName()
		s.name, s.tag = string(name), atom.Lookup(name)
		first := len(s.attrs)
		for more {
			var key, value []byte
			key, value, more = z.TagAttr()
			s.attrs = append(s.attrs, html.Attribute{Key: string(key), Val: string(value)})
		}
		if s.kind != html.EndTagToken {
			s.own = s.attrs[first:len(s.attrs):len(s.attrs)]
			if isRaw(s.tag) {
				s.raw = s.name
			}
		}
	default:
	}
	return true
}
