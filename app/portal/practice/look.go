package practice

import (
	"bytes"
	"html"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Look is how the portal's pages are made: as tidy or as messy as real ones. The zero
// value is tidy. None of it changes what a page says.
type Look struct {
	Messy           bool   `json:"messy,omitempty"`             // Stray white space, no-break spaces and nested tags in the cells, status in an element or bare.
	Clutter         bool   `json:"clutter,omitempty"`           // Other tables and forms beside the ones that matter.
	Noise           bool   `json:"noise,omitempty"`             // Something in the header is different on every page.
	Dates           string `json:"dates,omitempty"`             // "iso" (the default), "british", or "mixed".
	AbsoluteLinks   bool   `json:"absolute_links,omitempty"`    // Links, forms and redirects carry the host.
	Charset         string `json:"charset,omitempty"`           // "utf-8" (the default) or "windows-1252".
	CharsetInMeta   bool   `json:"charset_in_meta,omitempty"`   // The charset stands in the page alone, not in the header.
	Gzip            bool   `json:"gzip,omitempty"`              // For clients that take it.
	OldDetails      string `json:"old_details,omitempty"`       // "" for the new layout, "all" for the older one, "mixed".
	RejectOnBoard   bool   `json:"reject_on_board,omitempty"`   // A form in the row, before the accept form, that rejects.
	NamedButton     string `json:"named_button,omitempty"`      // Whether accept buttons have a name that must be sent: "" no, "all", "mixed".
	AcceptOnDetails bool   `json:"accept_on_details,omitempty"` // The details page carries an accept form, too.
	HiddenCancel    bool   `json:"hidden_cancel,omitempty"`     // The details of an accepted job carry a closed #cancelModal.
	ActionQuery     bool   `json:"action_query,omitempty"`      // The accept form's action has a query.
	Loose           bool   `json:"loose,omitempty"`             // Tags in capitals, without quotes or ends, with more classes, as browsers take them.
	LoginFields     bool   `json:"login_fields,omitempty"`      // The log-in form has another hidden field that must be sent.
	Words           Words  `json:"words,omitzero"`
}

// Words are the texts of the statuses.
type Words struct {
	Matched  string `json:"matched,omitempty"`
	Accepted string `json:"accepted,omitempty"`
	Taken    string `json:"taken,omitempty"`
}

func (w Words) withDefaults() Words {
	if w.Matched == "" {
		w.Matched = "Matched"
	}
	if w.Accepted == "" {
		w.Accepted = "Accepted"
	}
	if w.Taken == "" {
		w.Taken = "Filled"
	}
	return w
}

// MessyLook is everything at once that a page can have without saying anything else.
func MessyLook() Look {
	return Look{
		Messy: true, Clutter: true, Noise: true, Dates: "mixed", AbsoluteLinks: true,
		Charset: "windows-1252", Gzip: true, OldDetails: "mixed", RejectOnBoard: true,
		NamedButton: "mixed", HiddenCancel: true, ActionQuery: true,
		Loose: true, LoginFields: true,
	}
}

// mixed tells for one job what "all" and "mixed" mean.
func mixed(how, what string, number int64) bool {
	return how == "all" || how == "mixed" && mix(0, what, number)&1 == 1
}

func (l *Look) namedButton(number int64) bool { return mixed(l.NamedButton, "button", number) }
func (l *Look) oldDetails(number int64) bool  { return mixed(l.OldDetails, "layout", number) }
func (l *Look) british(number int64) bool {
	return l.Dates == "british" || mixed(l.Dates, "date", number)
}

func (l *Look) charset() string {
	if strings.EqualFold(l.Charset, "windows-1252") {
		return "windows-1252"
	}
	return "utf-8"
}

func (l *Look) contentType() string {
	if l.CharsetInMeta {
		return "text/html"
	}
	return "text/html; charset=" + l.charset()
}

// encode puts a page into the portal's charset. What it has no byte for becomes a
// character reference, as browsers read it.
func (l *Look) encode(page []byte) []byte {
	if l.charset() == "utf-8" {
		return page
	}
	out := make([]byte, 0, len(page))
	for len(page) > 0 {
		plain := 0
		for plain < len(page) && page[plain] < utf8.RuneSelf {
			plain++
		}
		out = append(out, page[:plain]...)
		if page = page[plain:]; len(page) == 0 {
			break
		}
		r, size := utf8.DecodeRune(page)
		page = page[size:]
		if b := windows1252(r); b != 0 {
			out = append(out, b)
			continue
		}
		out = append(out, '&', '#')
		out = strconv.AppendInt(out, int64(r), 10)
		out = append(out, ';')
	}
	return out
}

// windows1252 gives the byte of a character above ASCII, 0 where there is none.
func windows1252(r rune) byte {
	if r >= 0xa0 && r <= 0xff {
		return byte(r)
	}
	const high = "€\x00‚ƒ„…†‡ˆ‰Š‹Œ\x00Ž\x00\x00‘’“”•–—˜™š›œ\x00žŸ"
	b := byte(0x80)
	for _, c := range high {
		if c == r {
			return b
		}
		b++
	}
	return 0
}

// writeCell writes a cell's text, in one of many ways that read the same. Which one is
// drawn from the job and the cell, so that a row stays as it is from look to look.
func (l *Look) writeCell(b *bytes.Buffer, text string, number int64, cell int) {
	if !l.Messy {
		b.WriteString(html.EscapeString(text))
		return
	}
	draw := mix(0, "cell", number*16+int64(cell))
	words := strings.Split(text, " ")
	between := " "
	switch draw % 8 {
	case 0:
		b.WriteString("\n\t\t\t")
	case 1:
		between = "&nbsp;"
		b.WriteString("&nbsp; ")
	case 2:
		between = "\n                "
	case 3:
		b.WriteString("<!-- " + html.EscapeString(text) + "x -->")
	case 4:
		between = "\u00a0 "
	}
	nested := draw>>8&3 == 0
	for i, w := range words {
		if i > 0 {
			b.WriteString(between)
		}
		if nested && i == 0 {
			b.WriteString(`<span class="text"><b>` + html.EscapeString(w) + `</b></span>`)
			continue
		}
		b.WriteString(html.EscapeString(w))
	}
	if draw>>16&1 == 0 {
		b.WriteString("\r\n   &nbsp;\n")
	}
}

// looseTags are ways to write the same tags that browsers take as well: pairs of a tag
// and what is written for it.
func looseTags() []*strings.Replacer {
	return []*strings.Replacer{
		strings.NewReplacer(),
		strings.NewReplacer(
			`<tr class="table__row">`, "<TR CLASS=table__row>", `<td class="table__data">`, "<TD\n CLASS='table__data'>",
			"</td>", "</TD >", `type="hidden" name="`, `TYPE=HIDDEN value-of="" NAME="`,
		),
		strings.NewReplacer("</td>", "", "</tr>", "", `type="hidden"`, "type='hidden'"),
		strings.NewReplacer(
			`<tr class="table__row">`, `<tr data-row=1 class="striped table__row&#32;table__row--new"  >`,
			`<td class="table__data">`, `<td data-label="x > y" class=" cell	table__data ">`,
			`<form method="POST" action="/`, `<form class=js-form action="&#47;`, ` class="inline">`, ` method=post class="inline">`,
		),
	}
}

// writeLoosely writes a row in one of the loose ways, always the same for a job.
func (p *Portal) writeLoosely(b *bytes.Buffer, row []byte, number int64) {
	_, _ = p.loose[mix(0, "loose", number)%uint64(len(p.loose))].WriteString(b, string(row))
}
