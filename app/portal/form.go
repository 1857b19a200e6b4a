package portal

import (
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"

	"github.com/atozbot/atozbot/app"
)

// submits tells whether c is a button that submits its form.
func (c *control) submits() bool {
	switch c.node.DataAtom {
	case atom.Button:
		switch strings.ToLower(attribute(c.node, "type")) {
		case "button", "reset", "menu":
			return false
		}
		return true
	case atom.Input:
		switch strings.ToLower(attribute(c.node, "type")) {
		case "submit", "image":
			return true
		}
	default:
	}
	return false
}

// label is what stands on a button and what it is named for, for telling an acceptance's
// button from one that refuses.
func (c *control) label() string {
	return plain(textOf(c.node) + " " + attribute(c.node, "value") + " " + attribute(c.node, "name") + " " + attribute(c.node, "id"))
}

// action is where the form goes when it is submitted by the button (nil for none), as it
// is written: a button's own formaction goes before the form's.
func (f *form) action(by *control) string {
	if by != nil {
		if own := attribute(by.node, "formaction"); own != "" {
			return own
		}
	}
	return attribute(f.node, "action")
}

// method is "POST", "GET", or "DIALOG" for a form that goes nowhere.
func (f *form) method(by *control) string {
	written := attribute(f.node, "method")
	if by != nil {
		if own := attribute(by.node, "formmethod"); own != "" {
			written = own
		}
	}
	switch strings.ToLower(strings.TrimSpace(written)) {
	case "post":
		return "POST"
	case "dialog":
		return "DIALOG"
	}
	return "GET" // As in a browser, whatever else is written there.
}

// buttons gives the form's submit buttons that can be used, in the order of the page.
func (f *form) buttons() []*control {
	var found []*control
	for _, c := range f.controls {
		if c.submits() && !disabled(c.node) {
			found = append(found, c)
		}
	}
	return found
}

// has tells whether a control of the form fits the selector.
func (f *form) has(s *selector) *control {
	for _, c := range f.controls {
		if s.is(c.node) {
			return c
		}
	}
	return nil
}

// disabled tells whether a control does not count: a browser sends nothing of it.
func disabled(n *html.Node) bool {
	if hasAttribute(n, "disabled") {
		return true
	}
	for p := n.Parent; p != nil; p = p.Parent {
		if p.DataAtom == atom.Fieldset && hasAttribute(p, "disabled") {
			return true
		}
	}
	return false
}

// fill makes what a browser would send on a click on the button (nil: submitted by no
// button): every field with a name that counts, in the order of the page, and of the
// buttons that one alone. on gives a field's control for each field.
func (f *form) fill(by *control) (fields []app.FormField, on []*control) {
	fields = make([]app.FormField, 0, len(f.controls))
	add := func(c *control, name, value string) {
		fields = append(fields, app.FormField{Name: name, Value: value})
		on = append(on, c)
	}
	for _, c := range f.controls {
		name := attribute(c.node, "name")
		if disabled(c.node) {
			continue
		}
		if c.submits() {
			if c == by {
				f.press(c, name, add)
			}
			continue
		}
		if name == "" {
			continue
		}
		switch c.node.DataAtom {
		case atom.Input:
			switch strings.ToLower(attribute(c.node, "type")) {
			case "button", "reset", "file":
			case "checkbox", "radio":
				if !hasAttribute(c.node, "checked") {
					continue
				}
				value := "on"
				if hasAttribute(c.node, "value") {
					value = attribute(c.node, "value")
				}
				add(c, name, value)
			default:
				add(c, name, attribute(c.node, "value"))
			}
		case atom.Textarea:
			add(c, name, strings.TrimPrefix(rawText(c.node), "\n"))
		case atom.Select:
			for _, value := range chosen(c.node) {
				add(c, name, value)
			}
		default: // A button of the form's that does not submit it.
		}
	}
	return fields, on
}

// press adds what the button itself sends. A picture sends the place of the click.
func (f *form) press(c *control, name string, add func(c *control, name, value string)) {
	if c.node.DataAtom == atom.Input && strings.EqualFold(attribute(c.node, "type"), "image") {
		if name != "" {
			name += "."
		}
		add(c, name+"x", "1")
		add(c, name+"y", "1")
		return
	}
	if name != "" {
		add(c, name, attribute(c.node, "value"))
	}
}

// chosen gives the values of a select's chosen options; of a list that shows one, the
// first is chosen where none is marked.
func chosen(n *html.Node) []string {
	var first *html.Node
	var marked []string
	several := hasAttribute(n, "multiple")
	for _, option := range elements(n, atom.Option) {
		if hasAttribute(option, "disabled") {
			continue
		}
		if first == nil {
			first = option
		}
		if hasAttribute(option, "selected") {
			marked = append(marked, optionValue(option))
		}
	}
	switch {
	case several:
		return marked
	case len(marked) > 0:
		return marked[len(marked)-1:]
	case first != nil:
		return []string{optionValue(first)}
	}
	return nil
}

func optionValue(n *html.Node) string {
	if hasAttribute(n, "value") {
		return attribute(n, "value")
	}
	return mend(rawText(n))
}

func elements(n *html.Node, tag atom.Atom) []*html.Node {
	var found []*html.Node
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		if child.DataAtom == tag && child.Type == html.ElementNode {
			found = append(found, child)
		}
		found = append(found, elements(child, tag)...)
	}
	return found
}

// rawText gives the text below n as it is written.
func rawText(n *html.Node) string {
	if n.FirstChild != nil && n.FirstChild == n.LastChild && n.FirstChild.Type == html.TextNode {
		return n.FirstChild.Data
	}
	var s strings.Builder
	var write func(*html.Node)
	write = func(n *html.Node) {
		for child := n.FirstChild; child != nil; child = child.NextSibling {
			if child.Type == html.TextNode {
				s.WriteString(child.Data)
			}
			write(child)
		}
	}
	write(n)
	return s.String()
}

// formTo gives a form of the page that is ready to be submitted.
func (p *page) formTo(to link, fields []app.FormField) *app.Form {
	return &app.Form{Method: http.MethodPost, Action: to.absolute, Fields: fields, Charset: p.charset}
}

// inCharset gives a form's fields in the character set in which they are to be sent. What
// that has no sign for is written as HTML does.
func inCharset(form app.Form) []app.FormField {
	known, _ := charset.Lookup(form.Charset)
	if form.Charset == "" || known == nil {
		return form.Fields
	}
	encoder := encoding.HTMLEscapeUnsupported(known.NewEncoder())
	encoded := func(text string) string {
		if out, err := encoder.String(text); err == nil {
			return out
		}
		return text
	}
	fields := make([]app.FormField, len(form.Fields))
	for i, f := range form.Fields {
		fields[i] = app.FormField{Name: encoded(f.Name), Value: encoded(f.Value)}
	}
	return fields
}

// encode writes fields as a form is sent: line breaks are always two characters.
func encode(fields []app.FormField) string {
	var s strings.Builder
	lines := strings.NewReplacer("\r\n", "\r\n", "\r", "\r\n", "\n", "\r\n")
	for i, f := range fields {
		if i > 0 {
			s.WriteByte('&')
		}
		s.WriteString(url.QueryEscape(lines.Replace(f.Name)))
		s.WriteByte('=')
		s.WriteString(url.QueryEscape(lines.Replace(f.Value)))
	}
	return s.String()
}
