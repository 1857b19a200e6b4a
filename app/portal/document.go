package portal

import (
	"bytes"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// document is a page as a tree, with its forms.
//
// The tree is built here, and not by html.Parse, for two reasons.
// Speed: the board is read several times a second, and reading it whole takes half of
// what html.Parse takes for its tree alone, with an eighth of the allocations. Forms: a
// portal's rows often hold a form that is opened in a row and closed in another cell;
// html.Parse, right as it is, moves the form out of the row and forgets which fields
// belonged to it, and those are what is submitted.
//
// What the two agree about is held by a test: tables with their implied parts and
// missing end tags, nesting, scripts and comments.
type document struct {
	root     *html.Node
	forms    []*form
	controls []control
	base     string // Of <base href>, or "".
	ended    bool   // The page's end, </body> or </html>, was there.
	cut      bool   // The page ended inside a table.
	// ids of elements to forms with that id, for controls that name theirs.
	labelled map[string]*form

	// For recognising the page when it comes again; see unchanged.go.
	asides []span // Texts outside of tables, forms and headings, scripts, comments.
	tags   []tag  // Of elements whose attributes' values nobody reads.
}

// span is a stretch of the page's bytes.
type span struct {
	start, end int
	until      string // What ends it, and does not stand within it.
}

// form is a form of the page, with the controls that would be submitted with it.
type form struct {
	node     *html.Node
	controls []*control // In the order of the page.
}

// control is a field or a button of a form.
type control struct {
	tag
	form *form // nil for one that stands in no form.
}

// tag is an element and where its start tag stands in the page's bytes.
type tag struct {
	node       *html.Node
	start, end int
}

const (
	// The most elements that stand inside each other. A page that goes deeper is broken or
	// hostile, and is read as if it were flatter: looking for a selector's ancestors would
	// take too long.
	deepest = 100
	// The most elements and texts of a page; a board of a thousand rows has an eighth of
	// it. What comes after them is not read, and the page counts as broken off.
	mostNodes = 500_000
)

// builder makes the tree. It is kept and used again, so that looking at the same board
// costs little memory; what it has built is valid until the next call of build.
type builder struct {
	scan     scanner
	nodes    slab[html.Node]
	stack    []*html.Node
	open     []openForm
	dropping int // Templates that are open: what stands in them is not on the page.
	foreign  int // svg and math elements that are open.
	doc      *document
}

// openForm is a form that is being read. It ends with its end tag, whatever elements end
// before that, as in a browser; unlike in a browser it ends with the table's row that it
// was opened in, or a portal that forgets an end tag would have one job's fields sent
// with another's.
type openForm struct {
	form *form
	row  int // How many elements were open down to that row; 0 outside of one.
}

// build reads a page, which is UTF-8.
func (b *builder) build(page []byte) *document {
	b.nodes.reset()
	b.scan.reset(page)
	b.stack, b.open = b.stack[:0], b.open[:0]
	b.dropping, b.foreign = 0, 0
	b.doc = &document{}
	b.doc.root = b.nodes.next()
	b.doc.root.Type = html.DocumentNode
	b.stack = append(b.stack, b.doc.root)

	for b.scan.next() {
		if b.nodes.handedOut() > mostNodes {
			b.doc.cut, b.doc.ended = true, false
			break
		}
		b.token()
	}
	b.finish()
	return b.doc
}

func (b *builder) token() {
	s := &b.scan
	switch s.kind {
	case html.TextToken:
		if b.dropping == 0 {
			b.noteAside()
			b.addText(s.data)
		}
	case html.CommentToken:
		if raw := s.page[s.start:s.end]; bytes.HasPrefix(raw, []byte("<!--")) && bytes.HasSuffix(raw, []byte("-->")) && len(raw) >= len("<!---->") {
			b.doc.asides = append(b.doc.asides, span{s.start + len("<!--"), s.end - len("-->"), "-->"})
		}
	case html.StartTagToken, html.SelfClosingTagToken:
		if s.tag == atom.Template {
			b.dropping++
		}
		if b.dropping == 0 {
			b.start()
		}
	case html.EndTagToken:
		switch {
		case s.tag == atom.Template:
			b.dropping = max(0, b.dropping-1)
		case b.dropping == 0:
			b.end()
		}
	default: // A doctype says nothing.
	}
}

func (b *builder) finish() {
	for _, n := range b.stack {
		if n.DataAtom == atom.Table {
			b.doc.cut = true
		}
	}
	b.closeTo(1)
	for i := range b.doc.controls {
		c := &b.doc.controls[i]
		if id := attribute(c.node, "form"); id != "" {
			c.form = b.doc.labelled[id]
		}
		if c.form != nil {
			c.form.controls = append(c.form.controls, c)
		}
	}
}

func (b *builder) top() *html.Node { return b.stack[len(b.stack)-1] }

func (b *builder) addText(s string) {
	n := b.nodes.next()
	n.Type, n.Data = html.TextNode, s
	adopt(b.top(), n)
}

// noteAside notes a text that says nothing of jobs, nor of what the page is: it stands
// outside of tables, forms and headings.
func (b *builder) noteAside() {
	until := "<"
	switch b.top().DataAtom {
	case atom.Script:
		until = "</"
	case atom.Style:
		return
	default:
	}
	if len(b.open) > 0 {
		return
	}
	for _, n := range b.stack {
		switch n.DataAtom {
		case atom.Table, atom.Title, atom.H1, atom.H2, atom.Select, atom.Textarea, atom.Button:
			return
		default:
		}
	}
	b.doc.asides = append(b.doc.asides, span{b.scan.start, b.scan.end, until})
}

// adopt hangs child under parent, behind its other children.
func adopt(parent, child *html.Node) {
	child.Parent = parent
	child.PrevSibling = parent.LastChild
	if parent.LastChild == nil {
		parent.FirstChild = child
	} else {
		parent.LastChild.NextSibling = child
	}
	parent.LastChild = child
}

func (b *builder) start() {
	kind, selfClosing := b.scan.tag, b.scan.kind == html.SelfClosingTagToken
	if !b.makeRoom(kind) {
		return
	}
	n := b.nodes.next()
	n.Type, n.DataAtom, n.Data, n.Attr = html.ElementNode, kind, b.scan.name, b.scan.own
	adopt(b.top(), n)

	switch kind {
	case atom.Base:
		if b.doc.base == "" {
			b.doc.base = strings.TrimSpace(attribute(n, "href"))
		}
	case atom.Form:
		b.openForm(n)
		if tabular(n.Parent.DataAtom) {
			return // It holds no cell: its fields are known by where it ends.
		}
	case atom.Input, atom.Button, atom.Select, atom.Textarea:
		c := control{tag: tag{n, b.scan.start, b.scan.end}}
		if len(b.open) > 0 {
			c.form = b.open[len(b.open)-1].form
		}
		b.doc.controls = append(b.doc.controls, c)
	case atom.Meta, atom.Script, atom.Link, atom.Img:
		b.doc.tags = append(b.doc.tags, tag{n, b.scan.start, b.scan.end})
	case atom.Svg, atom.Math:
		b.foreign++
	default:
	}
	if void(kind) || selfClosing && b.foreign > 0 {
		if selfClosing && (kind == atom.Svg || kind == atom.Math) {
			b.foreign--
		}
		return
	}
	if len(b.stack) < deepest {
		b.stack = append(b.stack, n)
	} else if kind == atom.Svg || kind == atom.Math {
		b.foreign--
	}
}

// openForm begins a form. A form within a form is not HTML, and a browser drops the
// inner one; here the inner one is a form of its own, since that is what its author
// meant, and which of them a field belongs to decides what is submitted.
func (b *builder) openForm(n *html.Node) {
	f := &form{node: n}
	b.doc.forms = append(b.doc.forms, f)
	if id := attribute(n, "id"); id != "" {
		if b.doc.labelled == nil {
			b.doc.labelled = make(map[string]*form)
		}
		if _, taken := b.doc.labelled[id]; !taken {
			b.doc.labelled[id] = f
		}
	}
	if len(b.open) > 0 {
		last := b.open[len(b.open)-1].form.node
		if !tabular(last.Parent.DataAtom) && !b.isOpen(last) {
			b.open = b.open[:len(b.open)-1] // Its end tag was forgotten.
		}
	}
	b.open = append(b.open, openForm{f, b.find(atom.Tr, 0) + 1})
}

func (b *builder) isOpen(n *html.Node) bool { return slices.Contains(b.stack, n) }

// makeRoom closes what a start tag ends, and opens what it implies. It is false for a
// tag that makes no element.
func (b *builder) makeRoom(tag atom.Atom) bool {
	switch tag {
	case atom.Html:
		return len(b.stack) == 1
	case atom.Body:
		if i := b.find(atom.Body, 0); i > 0 {
			return false
		}
		if i := b.find(atom.Head, 0); i > 0 {
			b.closeTo(i)
		}
	case atom.Table:
		if tabular(b.top().DataAtom) {
			b.closeTo(b.find(atom.Table, 0)) // A table cannot stand in a table, only in its cells.
		}
	case atom.Tbody, atom.Thead, atom.Tfoot, atom.Caption, atom.Colgroup:
		table := b.find(atom.Table, 0)
		if table < 0 {
			return false
		}
		b.closeTo(table + 1)
	case atom.Tr:
		table := b.find(atom.Table, 0)
		if table < 0 {
			return false
		}
		if section := b.section(table); section > 0 {
			b.closeTo(section + 1)
		} else {
			b.closeTo(table + 1)
			b.imply(atom.Tbody)
		}
	case atom.Td, atom.Th:
		table := b.find(atom.Table, 0)
		if table < 0 {
			return false
		}
		if row := b.find(atom.Tr, atom.Table); row > table {
			b.closeTo(row + 1)
			return true
		}
		if section := b.section(table); section > 0 {
			b.closeTo(section + 1)
		} else {
			b.closeTo(table + 1)
			b.imply(atom.Tbody)
		}
		b.imply(atom.Tr)
	case atom.Li:
		b.closeOpen(atom.Li, atom.Ul, atom.Ol)
	case atom.Dt, atom.Dd:
		b.closeOpen(atom.Dt, atom.Dl)
		b.closeOpen(atom.Dd, atom.Dl)
	case atom.Option, atom.Optgroup:
		b.closeOpen(atom.Option, atom.Select)
	default:
		if tag == atom.Hr || !inline(tag) && !void(tag) {
			b.closeOpen(atom.P)
		}
	}
	return true
}

// section finds the innermost table's tbody, thead or tfoot, or -1.
func (b *builder) section(table int) int {
	for i := len(b.stack) - 1; i > table; i-- {
		switch b.stack[i].DataAtom {
		case atom.Tbody, atom.Thead, atom.Tfoot:
			return i
		default:
		}
	}
	return -1
}

func (b *builder) imply(tag atom.Atom) {
	n := b.nodes.next()
	n.Type, n.DataAtom, n.Data = html.ElementNode, tag, tag.String()
	adopt(b.top(), n)
	if len(b.stack) < deepest {
		b.stack = append(b.stack, n)
	}
}

// find gives the place of the innermost open element tag, not looking out of barrier
// (0 for none), or -1.
func (b *builder) find(tag, barrier atom.Atom) int {
	for i := len(b.stack) - 1; i > 0; i-- {
		a := b.stack[i].DataAtom
		if a == tag {
			return i
		}
		if a == barrier && barrier != 0 {
			return -1
		}
	}
	return -1
}

// closeOpen ends the innermost open element tag, unless it stands outside of a cell or
// of one of the barriers.
func (b *builder) closeOpen(tag atom.Atom, barriers ...atom.Atom) {
	for i := len(b.stack) - 1; i > 0; i-- {
		a := b.stack[i].DataAtom
		if a == tag {
			b.closeTo(i)
			return
		}
		if holds(a) {
			return
		}
		if slices.Contains(barriers, a) {
			return
		}
	}
}

// closeTo ends the open elements from the place depth on, and the forms opened in them.
func (b *builder) closeTo(depth int) {
	if depth < 1 {
		return
	}
	for _, n := range b.stack[min(depth, len(b.stack)):] {
		if n.DataAtom == atom.Svg || n.DataAtom == atom.Math {
			b.foreign--
		}
	}
	b.stack = b.stack[:min(depth, len(b.stack))]
	for len(b.open) > 0 && b.open[len(b.open)-1].row > len(b.stack) {
		b.open = b.open[:len(b.open)-1]
	}
}

func (b *builder) end() {
	tag, name := b.scan.tag, b.scan.name
	switch tag {
	case atom.Html, atom.Body:
		b.doc.ended = true // What comes after it belongs to the page all the same.
		return
	case atom.Form:
		b.endForm()
		return
	case atom.Br:
		b.addText(" ")
		return
	case atom.Table, atom.Tbody, atom.Thead, atom.Tfoot, atom.Tr, atom.Td, atom.Th, atom.Caption:
		barrier := atom.Table
		if tag == atom.Table {
			barrier = 0
		}
		if i := b.find(tag, barrier); i > 0 {
			b.closeTo(i)
		}
		return
	default:
	}
	for i := len(b.stack) - 1; i > 0; i-- {
		n := b.stack[i]
		if n.DataAtom == tag && (tag != 0 || n.Data == name) {
			b.closeTo(i)
			return
		}
		if holds(n.DataAtom) {
			return // An end tag within a cell ends nothing outside of it.
		}
	}
}

func (b *builder) endForm() {
	if len(b.open) == 0 {
		return
	}
	f := b.open[len(b.open)-1].form
	b.open = b.open[:len(b.open)-1]
	for i := len(b.stack) - 1; i > 0; i-- {
		if b.stack[i] == f.node {
			b.closeTo(i)
			return
		}
		if holds(b.stack[i].DataAtom) {
			return
		}
	}
}

// tabular tells the elements of a table that hold nothing but rows and cells.
func tabular(a atom.Atom) bool {
	switch a {
	case atom.Table, atom.Tbody, atom.Thead, atom.Tfoot, atom.Tr:
		return true
	default:
		return false
	}
}

// holds tells the elements that an end tag inside them cannot end from within.
func holds(a atom.Atom) bool {
	switch a {
	case atom.Table, atom.Tbody, atom.Thead, atom.Tfoot, atom.Tr, atom.Td, atom.Th, atom.Caption:
		return true
	default:
		return false
	}
}

// void tells the elements that hold nothing and have no end tag.
func void(a atom.Atom) bool {
	switch a {
	case atom.Area, atom.Base, atom.Br, atom.Col, atom.Embed, atom.Hr, atom.Img, atom.Input,
		atom.Link, atom.Meta, atom.Param, atom.Source, atom.Track, atom.Wbr:
		return true
	default:
		return false
	}
}
