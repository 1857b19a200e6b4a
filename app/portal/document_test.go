package portal

import (
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"

	"github.com/atozbot/atozbot/app"
)

func build(page string) *document { return new(builder).build([]byte(page)) }

// outline writes the tree as its elements and texts, to be compared.
func outline(n *html.Node) string {
	var s strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			switch c.Type {
			case html.ElementNode:
				s.WriteString("<" + c.Data)
				for _, key := range slices.Sorted(attributeNames(c)) {
					s.WriteString(" " + strings.ToLower(key) + "=" + attribute(c, key))
				}
				s.WriteString(">")
				walk(c)
				s.WriteString("</" + c.Data + ">")
			case html.TextNode:
				if text := mend(c.Data); text != "" {
					s.WriteString(text)
				}
			default:
			}
		}
	}
	walk(n)
	return s.String()
}

func attributeNames(n *html.Node) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, a := range n.Attr {
			if !yield(a.Key) {
				return
			}
		}
	}
}

func TestTheTreeIsTheOneThatABrowserMakes(t *testing.T) {
	for name, page := range map[string]string{
		"a plain table":             `<table><tbody><tr><td>a</td><td>b</td></tr></tbody></table>`,
		"implied body and row":      `<table><tr><td>a</td></tr><td>b</td></table>`,
		"missing end tags":          `<table><tbody><tr><td>a<td>b<tr><td>c<td>d</table><p>after`,
		"sections after each other": `<table><thead><tr><th>x<tbody><tr><td>a<tfoot><tr><td>f</table>`,
		"a table in a cell":         `<table><tr><td>a<table><tr><td>in<td>ner</table>b<td>c</table>`,
		"an unclosed element in it": `<table><tr><td><div><span>a<td>b</table>`,
		"stray end tags":            `<section><table><tr><td>a</section></div></td><td>b</td></tr></table></section>`,
		"comments and case":         `<TABLE><!-- <tr><td>no --><TR><TD Class="A">a<!-- - -->b</TD></TR></TABLE>`,
		"scripts that hold markup":  `<div><script>var s = "<table><tr><td>no</td></tr></table>";</script>a</div>`,
		"styles and textareas":      `<style>p > a {}</style><textarea><b>no</b></textarea><p>a`,
		"attributes in any form":    `<a HREF=/x class='c d' data-x="1 &amp; 2" disabled>a</a>`,
		"a doubled attribute":       `<a class=first class=second>a</a>`,
		"paragraphs without ends":   `<p>a<p>b<div>c</div>`,
		"lists without ends":        `<ul><li>a<li>b<ul><li>c</ul><li>d</ul><dl><dt>t<dd>d<dt>u<dd>e</dl>`,
		"selects":                   `<select name=s><option value=1>a<option selected>b</select>`,
		"void elements":             `<p>a<br>b<br/>c<img src=x><hr>d<input name=x>e`,
		"a drawing":                 `<svg viewBox="0 0 1 1"><path d="M0"/><g><use href="#a"/></g></svg><p>a</p>`,
		"entities":                  `<p>a&nbsp;b &lt;c&gt; &eacute; &#49;&#x32;</p>`,
		"a body after the head":     `<html><head><title>t</title></head><body class=x><p>a</p></body></html>`,
		"text after the end":        `<html><body><p>a</p></body></html><p>b</p>`,
		"a form around a table":     `<form action=/x><table><tr><td><input name=a></table></form>`,
	} {
		t.Run(name, func(t *testing.T) {
			parsed, err := html.Parse(strings.NewReader(page))
			if err != nil {
				t.Fatal(err)
			}
			// Where a page leaves them out, html.Parse adds them.
			frame := strings.NewReplacer("<html>", "", "<head></head>", "", "<head>", "", "</head>", "", "<body>", "", "<body class=x>", "", "</body>", "", "</html>", "")
			want := frame.Replace(outline(parsed))
			if got := frame.Replace(outline(build(page).root)); got != want {
				t.Errorf("%s\nmakes   %s\nand not %s", page, got, want)
			}
		})
	}
}

func TestWhatIsInATemplateIsNotOnThePage(t *testing.T) {
	doc := build(`<template><div class="modal"><template>x</template><form action=/no><input name=a></form></div></template><noscript><p>no</p></noscript><p>yes</p>`)
	if len(doc.forms) != 0 || len(doc.controls) != 0 {
		t.Error("a template's form was found")
	}
	if got := textOf(doc.root); got != "yes" {
		t.Errorf("the page reads %q", got)
	}
}

func TestAPageThatIsNestedWithoutEndIsReadFlat(t *testing.T) {
	for _, opening := range []string{"<div>", "<b>", "<table><tr><td>", "<form><div>", "<svg>", "<li>", "<p><span>"} {
		doc := build(strings.Repeat(opening, 100_000) + "x")
		depth := 0
		for n := doc.root; n != nil; n = n.LastChild {
			depth++
		}
		if depth > deepest+8 {
			t.Errorf("%s nested 100,000 times is %d deep", opening, depth)
		}
		cascadia.QueryAll(doc.root, DefaultProfile().board.body.match)
	}
}

// fieldsOf gives what each form of a page would send, by its action.
func fieldsOf(page string) map[string]string {
	sent := make(map[string]string)
	for _, f := range build(page).forms {
		var by *control
		if buttons := f.buttons(); len(buttons) > 0 {
			by = buttons[0]
		}
		fields, _ := f.fill(by)
		sent[f.action(by)] = encode(fields)
	}
	return sent
}

func TestAFormSendsWhatABrowserWouldSend(t *testing.T) {
	for name, c := range map[string]struct{ page, want string }{
		"hidden fields in their order":       {`<form action=/f><input type=hidden name=b value=2><input type=hidden name=a value=1>`, "b=2&a=1"},
		"the button's name and value":        {`<form action=/f><input type=hidden name=t value=x><button name=go value=1>Go</button>`, "t=x&go=1"},
		"a button without a name":            {`<form action=/f><input name=t value=x><button>Go</button>`, "t=x"},
		"an input as the button":             {`<form action=/f><input type=submit name=go value="Go on">`, "go=Go+on"},
		"a picture as the button":            {`<form action=/f><input type=image name=go>`, "go.x=1&go.y=1"},
		"the first button only":              {`<form action=/f><button name=a value=1>A</button><button name=b value=2>B</button>`, "a=1"},
		"no button that does not submit":     {`<form action=/f><button type=button name=a value=1></button><button type=reset name=r></button><input type=button name=c value=3><input name=t value=x>`, "t=x"},
		"checked boxes only":                 {`<form action=/f><input type=checkbox name=a><input type=checkbox name=b checked><input type=radio name=r value=1><input type=radio name=r value=2 checked>`, "b=on&r=2"},
		"chosen options":                     {`<form action=/f><select name=s><option value=1>a<option value=2 selected>b</select><select name=u><option disabled>x<option>first<option>second</select><select name=v multiple><option selected>1<option selected>2</select>`, "s=2&u=first&v=1&v=2"},
		"a text of many lines":               {`<form action=/f><textarea name=t>` + "\n" + `a &amp; b</textarea>`, "t=a+%26+b"},
		"nothing that is disabled":           {`<form action=/f><input name=a value=1 disabled><fieldset disabled><input name=b value=2></fieldset><input name=c value=3>`, "c=3"},
		"no file":                            {`<form action=/f><input type=file name=a><input name=c value=3>`, "c=3"},
		"empty values":                       {`<form action=/f><input type=hidden name=a><input type=hidden name=b value="">`, "a=&b="},
		"entities undone":                    {`<form action=/f><input type=hidden name=a value="x&quot;&amp;&lt;y&#39;">`, "a=x%22%26%3Cy%27"},
		"attributes in any order and case":   {`<FORM ACTION=/f><INPUT VALUE='1' NAME="a" TYPE=HIDDEN>`, "a=1"},
		"fields named to it from elsewhere":  {`<input name=before value=0 form=x><form id=x action=/f><input name=a value=1></form><p><button form=x name=go value=2>Go</button></p>`, "before=0&a=1&go=2"},
		"no field named to another form":     {`<form id=x action=/f><input name=a value=1><input name=b value=2 form=y></form>`, "a=1"},
		"a form opened between cells":        {`<table><tr><form action=/f><td><input type=hidden name=a value=1></td><td><button name=go value=2>Go</button></td></form></tr></table>`, "a=1&go=2"},
		"a form closed in another cell":      {`<table><tr><td><form action=/f><input type=hidden name=a value=1></td><td><button name=go value=2>Go</button></form></td></tr></table>`, "a=1&go=2"},
		"a form around rows":                 {`<table><form action=/f><tr><td><input name=a value=1></td></tr><tr><td><input name=b value=2></td></tr></form></table>`, "a=1&b=2"},
		"a form that its element leaves":     {`<div><form action=/f></div><input name=a value=1></form>`, "a=1"},
		"a form never closed, ended by row":  {`<table><tr><td><form action=/f><input name=a value=1></td></tr><tr><td><input name=b value=2></td></tr></table>`, "a=1"},
		"a form never closed, then another":  {`<div><form action=/f><input name=a value=1></div><div><form action=/g><input name=b value=2></form></div>`, "a=1"},
		"a form within a form":               {`<form action=/g><input name=x value=0><form action=/f><input name=a value=1></form><input name=y value=0></form>`, "a=1"},
		"its own submission's address first": {`<form action=/g><input name=a value=1><button formaction=/f>Go</button></form>`, "a=1"},
	} {
		t.Run(name, func(t *testing.T) {
			sent := fieldsOf(c.page)
			if got, there := sent["/f"]; !there || got != c.want {
				t.Errorf("%s\nsends %q, and should send %q", c.page, got, c.want)
			}
		})
	}
	if got := fieldsOf(`<form action=/g><input name=x value=0><form action=/f><input name=a value=1></form><input name=y value=0></form>`)["/g"]; got != "x=0&y=0" {
		t.Errorf("the outer form sends %q", got)
	}
}

func TestTextIsMendedAsAReaderSeesIt(t *testing.T) {
	for page, want := range map[string]string{
		"  a \n\t b ":                            "a b",
		"a&nbsp;&nbsp;b":                         "a b",
		"<b>48</b>213<i>/A</i>":                  "48213/A",
		"48213<!-- - -->/A":                      "48213/A",
		"30<br>mins":                             "30 mins",
		"<div>30</div><div>mins</div>":           "30 mins",
		"a<span hidden>b</span>c":                "ac",
		`a<span style="display : none">b</span>`: "a",
		`<i aria-hidden=true>phone</i>Polish`:    "Polish",
		"a<script>b</script><style>c</style>d":   "ad",
		"a&#8203;b&shy;c&#xFEFF;":                "abc",
		"a\x00b\x07c\x7f":                        "ab c",
		"\u202fa\u2003b\u2028c":                  "a b c",
		"Français&nbsp;– Ελληνικά":               "Français – Ελληνικά",
		"<select><option>no</select>x":           "x",
	} {
		if got := textOf(build(page).root); got != want {
			t.Errorf("%q reads %q, and should read %q", page, got, want)
		}
	}
}

func TestFormsAreSentWithoutTheOrderBeingLost(t *testing.T) {
	fields := []app.FormField{{Name: "b", Value: "ä&="}, {Name: "a", Value: ""}, {Name: "b", Value: "2 3"}}
	if got, want := encode(fields), "b=%C3%A4%26%3D&a=&b=2+3"; got != want {
		t.Errorf("sent as %q, and should be as %q", got, want)
	}
}
