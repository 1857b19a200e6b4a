package portal

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"
)

// path is an absolute path on the portal, below its base URL.
type path string

func (p *path) set(raw json.RawMessage) error {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return errors.New("must be a path in quotes")
	}
	if err := checkPath(s); err != nil {
		return err
	}
	*p = path(s)
	return nil
}

// checkPath says what is wrong with a path of the portal.
func checkPath(s string) error {
	u, err := url.Parse(strings.ReplaceAll(s, "{id}", "0"))
	switch {
	case err != nil || !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//"):
		return fmt.Errorf("%q must be a path that begins with one /", s)
	case u.Fragment != "" || strings.ContainsAny(s, " \t\r\n\\"):
		return fmt.Errorf("%q holds what no path holds", s)
	}
	return nil
}

func (p *path) String() string { return string(*p) }

// selector is a CSS selector, or several with commas between.
type selector struct {
	text  string
	match cascadia.SelectorGroup
}

func (s *selector) set(raw json.RawMessage) error {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return errors.New("must be a CSS selector in quotes")
	}
	match, err := cascadia.ParseGroup(text)
	if err != nil {
		return fmt.Errorf("%q is no CSS selector: %w", text, err)
	}
	s.text, s.match = text, match
	return nil
}

func (s *selector) String() string { return s.text }

// is tells whether n itself fits.
func (s *selector) is(n *html.Node) bool { return s.match.Match(n) }

// first gives the first element below n that fits, or nil.
func (s *selector) first(n *html.Node) *html.Node { return cascadia.Query(n, s.match) }

// all gives every element below n that fits, in the order of the page.
func (s *selector) all(n *html.Node) []*html.Node { return cascadia.QueryAll(n, s.match) }

// words are phrases of one or more whole words; case, accents, dashes and white space
// make no difference.
type words []phrase

type phrase struct{ written, plain string }

func (w *words) set(raw json.RawMessage) error {
	var list []string
	if err := json.Unmarshal(raw, &list); err != nil || list == nil {
		return errors.New("must be a list of words in quotes")
	}
	phrases := make(words, 0, len(list))
	for _, s := range list {
		p := phrase{s, plain(s)}
		if strings.TrimSpace(p.plain) == "" {
			return fmt.Errorf("%q holds no word", s)
		}
		phrases = append(phrases, p)
	}
	*w = phrases
	return nil
}

func (w *words) String() string {
	list := make([]string, len(*w))
	for i, p := range *w {
		list[i] = p.written
	}
	return strings.Join(list, ", ")
}

// in gives the first of the phrases that stands in text, which is plain (see [plain]),
// or "".
func (w words) in(text string) string {
	for _, p := range w {
		if strings.Contains(text, p.plain) {
			return p.written
		}
	}
	return ""
}

// are tells whether text, which is plain, is one of the phrases and nothing else.
func (w words) are(text string) bool {
	return slices.ContainsFunc(w, func(p phrase) bool { return p.plain == text })
}

// text is looked for as it stands.
type text string

func (t *text) set(raw json.RawMessage) error {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil || strings.TrimSpace(s) == "" {
		return errors.New("must be a text in quotes that is not empty")
	}
	*t = text(s)
	return nil
}

func (t *text) String() string { return string(*t) }

// number is a count from 1 to 1000.
type number int

func (n *number) set(raw json.RawMessage) error {
	var i int
	if err := json.Unmarshal(raw, &i); err != nil || i < 1 || i > 1000 {
		return errors.New("must be a whole number from 1 to 1000")
	}
	*n = number(i)
	return nil
}

func (n *number) String() string { return fmt.Sprint(int(*n)) }

// column is what a cell of the board holds.
type column string

const (
	columnRef       column = "ref"
	columnSubmitted column = "submitted"
	columnDate      column = "date"
	columnTime      column = "time"
	columnDuration  column = "duration"
	columnLanguage  column = "language"
	columnStatus    column = "status"
	columnActions   column = "actions"
	columnOther     column = "" // A cell that is only kept as text.
)

// columns says what the cells of a row hold, in their order.
type columns []column

func (c *columns) set(raw json.RawMessage) error {
	var list []column
	if err := json.Unmarshal(raw, &list); err != nil {
		return errors.New("must be a list of column names")
	}
	known := []column{
		columnRef, columnSubmitted, columnDate, columnTime,
		columnDuration, columnLanguage, columnStatus, columnActions,
	}
	for i, name := range list {
		switch {
		case name == columnOther:
		case !slices.Contains(known, name):
			return fmt.Errorf("%q is no column; columns are %v, and \"\" for any other", name, known)
		case slices.Contains(list[:i], name):
			return fmt.Errorf("%q stands there twice", name)
		}
	}
	for _, name := range known {
		if !slices.Contains(list, name) {
			return fmt.Errorf("%q is missing", name)
		}
	}
	*c = list
	return nil
}

func (c *columns) String() string {
	list := make([]string, len(*c))
	for i, name := range *c {
		list[i] = string(name)
	}
	return strings.Join(list, ", ")
}
