package web

import (
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"sort"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

//go:embed texts/*.json
var textFiles embed.FS

// languageCookie keeps the language that somebody chose over the browser's own.
const languageCookie = "atozbot_language"

// words is one language: every text of the dashboard by its key.
type words struct {
	tag   language.Tag
	code  string // "en"
	name  string // In the language itself: "English".
	right bool   // Written from right to left.
	texts map[string]text
	// phrases retell what is said in English elsewhere; nil in English.
	phrases *phrasebook
	// fallback is asked for keys that this language lacks; nil in English.
	fallback *words
}

// Code is the language's code: "en".
func (w *words) Code() string { return w.code }

// Name is the language's name in itself.
func (w *words) Name() string { return w.name }

// text is a sentence with {places}, in as many plural forms as the language has. A text
// without forms has only plural.Other.
type text map[plural.Form]string

// catalogue is every language, English first.
type catalogue struct {
	all     []*words
	matcher language.Matcher
}

// newCatalogue reads the texts. English is complete; another language falls back on it.
func newCatalogue() (*catalogue, error) {
	files, err := fs.Glob(textFiles, "texts/*.json")
	if err != nil {
		return nil, fmt.Errorf("list the texts: %w", err)
	}
	c := &catalogue{}
	for _, file := range files {
		content, err := textFiles.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", file, err)
		}
		w, err := newWords(strings.TrimSuffix(path.Base(file), ".json"), content)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", file, err)
		}
		c.all = append(c.all, w)
	}
	sort.Slice(c.all, func(i, k int) bool {
		return c.all[i].code == "en" || c.all[k].code != "en" && c.all[i].code < c.all[k].code
	})
	if len(c.all) == 0 || c.all[0].code != "en" {
		return nil, fmt.Errorf("the English texts are missing")
	}
	tags := make([]language.Tag, len(c.all))
	for i, w := range c.all {
		tags[i] = w.tag
		if i > 0 {
			w.fallback = c.all[0]
		}
	}
	c.matcher = language.NewMatcher(tags)
	return c, nil
}

func newWords(code string, content []byte) (*words, error) {
	tag, err := language.Parse(code)
	if err != nil {
		return nil, err
	}
	var tree map[string]any
	if err := json.Unmarshal(content, &tree); err != nil {
		return nil, err
	}
	w := &words{tag: tag, code: code, texts: map[string]text{}}
	if err := w.flatten("", tree); err != nil {
		return nil, err
	}
	if w.phrases, err = newPhrasebook(code); err != nil {
		return nil, err
	}
	w.name = w.say("language.name")
	w.right = w.say("language.direction") == "rtl"
	return w, nil
}

// flatten turns {"now": {"stopped": "…"}} into "now.stopped". An object that holds
// "other" is a text with plural forms.
func (w *words) flatten(prefix string, tree map[string]any) error {
	for key, value := range tree {
		at := prefix + key
		switch value := value.(type) {
		case string:
			w.texts[at] = text{plural.Other: value}
		case map[string]any:
			if _, ok := value["other"].(string); !ok {
				if err := w.flatten(at+".", value); err != nil {
					return err
				}
				continue
			}
			forms := text{}
			for name, form := range value {
				number, known := pluralForm(name)
				sentence, ok := form.(string)
				if !known || !ok {
					return fmt.Errorf("%s.%s is no plural form", at, name)
				}
				forms[number] = sentence
			}
			w.texts[at] = forms
		default:
			return fmt.Errorf("%s is neither a text nor a group of texts", at)
		}
	}
	return nil
}

func pluralForm(name string) (plural.Form, bool) {
	switch name {
	case "zero":
		return plural.Zero, true
	case "one":
		return plural.One, true
	case "two":
		return plural.Two, true
	case "few":
		return plural.Few, true
	case "many":
		return plural.Many, true
	case "other":
		return plural.Other, true
	}
	return plural.Other, false
}

// say gives the text of a key with its places filled: say("now.booked", "count", 2). The
// place "count" also picks the plural form. A key that no language knows is shown as it
// is; a test keeps that from happening.
func (w *words) say(key string, pairs ...any) string {
	out, ok := w.form(key, pairs)
	if !ok {
		return key
	}
	if len(pairs) == 0 {
		return out
	}
	var fill []string
	for i := 0; i+1 < len(pairs); i += 2 {
		fill = append(fill, "{"+fmt.Sprint(pairs[i])+"}", fmt.Sprint(pairs[i+1]))
	}
	return strings.NewReplacer(fill...).Replace(out)
}

// sayHTML is say for texts that carry elements in their places: a value that is
// template.HTML stays as it is, everything else is escaped.
func (w *words) sayHTML(key string, pairs ...any) template.HTML {
	out, ok := w.form(key, pairs)
	if !ok {
		return template.HTML(template.HTMLEscapeString(key))
	}
	out = template.HTMLEscapeString(out)
	var fill []string
	for i := 0; i+1 < len(pairs); i += 2 {
		value, safe := pairs[i+1].(template.HTML)
		if !safe {
			value = template.HTML(template.HTMLEscapeString(fmt.Sprint(pairs[i+1])))
		}
		fill = append(fill, "{"+fmt.Sprint(pairs[i])+"}", string(value))
	}
	return template.HTML(strings.NewReplacer(fill...).Replace(out))
}

// knows tells whether there is a text under the key.
func (w *words) knows(key string) bool {
	_, ok := w.texts[key]
	return ok || w.fallback != nil && w.fallback.knows(key)
}

func (w *words) form(key string, pairs []any) (string, bool) {
	t, ok := w.texts[key]
	if !ok {
		if w.fallback == nil {
			return "", false
		}
		return w.fallback.form(key, pairs)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i] != "count" {
			continue
		}
		if sentence, ok := t[w.plural(pairs[i+1])]; ok {
			return sentence, true
		}
	}
	return t[plural.Other], true
}

// plural picks the form for a whole number.
func (w *words) plural(count any) plural.Form {
	var n int
	switch count := count.(type) {
	case int:
		n = count
	case int64:
		n = int(count)
	default:
		return plural.Other
	}
	return plural.Cardinal.MatchPlural(w.tag, n, 0, 0, 0, 0)
}

// of picks the language of a request: the chosen one, else the browser's.
func (c *catalogue) of(r *http.Request) *words {
	if cookie, err := r.Cookie(languageCookie); err == nil {
		if w := c.named(cookie.Value); w != nil {
			return w
		}
	}
	tags, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil || len(tags) == 0 {
		return c.all[0]
	}
	_, index, _ := c.matcher.Match(tags...)
	return c.all[index]
}

// named gives the language with that code; nil where there is none.
func (c *catalogue) named(code string) *words {
	for _, w := range c.all {
		if w.code == code {
			return w
		}
	}
	return nil
}
