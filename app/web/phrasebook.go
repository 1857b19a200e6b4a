package web

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"
)

//go:embed phrases/*.json
var phraseFiles embed.FS

// phrasebook says in one language what the rest of the house says in English: why a job
// was left alone, what the portal answered, what is wrong with the database. Those
// sentences are recorded as they were said, and the API and the log keep them so. Each has
// a form, "It lasts {span}.", with values in its places; the phrasebook knows a sentence
// by its form, and says the same form with the same values in its language.
//
// What it does not know stays as it is: the words of the portal, and of the user.
type phrasebook struct {
	whole map[string]string // Forms without a place.
	words map[string]string // Names of cells, and answers: words that a user's own can be spelt like.
	forms []phrase          // The others, those with most words first: they say most.
}

// phrase is a form with places, and the same in the other language.
type phrase struct {
	words  []string // What stands before, between and after the places: one more than those.
	places []string
	other  string
}

// newPhrasebook reads the phrases of a language; nil where there are none, as for English.
func newPhrasebook(code string) (*phrasebook, error) {
	content, err := phraseFiles.ReadFile("phrases/" + code + ".json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var stored struct{ Words, Phrases map[string]string }
	if err == nil {
		err = json.Unmarshal(content, &stored)
	}
	if err != nil {
		return nil, fmt.Errorf("read the phrases: %w", err)
	}
	b := &phrasebook{whole: map[string]string{}, words: stored.Words}
	place := regexp.MustCompile(`\{\w+\}`)
	for form, other := range stored.Phrases {
		if places := place.FindAllString(form, -1); len(places) > 0 {
			b.forms = append(b.forms, phrase{place.Split(form, -1), places, other})
		} else {
			b.whole[form] = other
		}
	}
	sort.Slice(b.forms, func(i, k int) bool {
		if n, m := b.forms[i].length(), b.forms[k].length(); n != m {
			return n > m
		}
		return b.forms[i].other < b.forms[k].other
	})
	return b, nil
}

func (p phrase) length() int { return len(strings.Join(p.words, "")) }

// match gives the values in the places of a text that has this form.
func (p phrase) match(text string) ([]string, bool) {
	rest, ok := strings.CutPrefix(text, p.words[0])
	if !ok {
		return nil, false
	}
	values := make([]string, len(p.places))
	for i := range p.places {
		word := p.words[i+1]
		at := strings.Index(rest, word)
		if i == len(p.places)-1 {
			at = len(rest) - len(word)
		}
		if at < 1 || !strings.HasPrefix(rest[at:], word) { // A place is never empty.
			return nil, false
		}
		values[i], rest = rest[:at], rest[at+len(word):]
	}
	return values, true
}

// retell says in the voice's language what another room of the house said in English.
func (v *voice) retell(text string) string {
	if v.phrases == nil || text == "" {
		return text
	}
	if other, ok := v.retellWhole(text); ok {
		return other
	}
	for at := 0; ; { // It may be several sentences.
		end := strings.Index(text[at:], ". ")
		if end < 0 {
			return text
		}
		at += end + len(". ")
		if first, ok := v.retellWhole(text[:at-1]); ok {
			return first + " " + v.retell(text[at:])
		}
	}
}

// retellWhole retells a text that is one phrase.
func (v *voice) retellWhole(text string) (string, bool) {
	if other, ok := v.phrases.whole[text]; ok {
		return other, true
	}
	for _, p := range v.phrases.forms {
		if values, ok := p.match(text); ok {
			if other, ok := v.fill(p, values); ok {
				return other, true
			}
		}
	}
	return "", false
}

// fill puts the values into the places of the other language. What is done to a value
// hangs on the name of its place: {span…} is a length of time, {when} an appointment,
// {fields} names cells of a row, {why} and {rest} can be phrases themselves. Everything else
// is a number or somebody's own word. It fails where a length or an appointment is none.
func (v *voice) fill(p phrase, values []string) (string, bool) {
	pairs := make([]string, 0, 2*len(values))
	for i, place := range p.places {
		value, ok := values[i], true
		switch place {
		case "{span}", "{spanLeast}", "{spanMost}":
			value, ok = v.retellSpan(value)
		case "{when}":
			value, ok = v.retellAppointment(value)
		case "{fields}":
			value = v.retellFields(value)
		case "{why}", "{rest}":
			value = v.retell(value)
		}
		if !ok {
			return "", false
		}
		pairs = append(pairs, place, value)
	}
	return strings.NewReplacer(pairs...).Replace(p.other), true
}

// retellSpan reads "1 hour 30 minutes", "2 days" and "5s".
func (v *voice) retellSpan(text string) (string, bool) {
	if d, err := time.ParseDuration(text); err == nil {
		return v.took(d), true
	}
	minutes := 0
	parts := strings.Fields(strings.TrimPrefix(text, "-"))
	for i := 0; i+1 < len(parts); i += 2 {
		n, err := strconv.Atoi(parts[i])
		if err != nil {
			return "", false
		}
		switch strings.TrimSuffix(parts[i+1], "s") {
		case "day":
			return v.say("length.days", "count", n), len(parts) == 2
		case "hour":
			minutes += 60 * n
		case "minute":
			minutes += n
		default:
			return "", false
		}
	}
	if len(parts) == 0 || len(parts)%2 != 0 {
		return "", false
	}
	sign := text[:len(text)-len(strings.TrimPrefix(text, "-"))]
	return sign + orElse(v.length(minutes), v.say("length.minutes", "minutes", 0)), true
}

// retellAppointment reads "Thu 14 Jan 2027, 14:30 to 15:30", on the wall clock on which it
// was told.
func (v *voice) retellAppointment(text string) (string, bool) {
	from, to, found := strings.Cut(text, " to ")
	start, err := time.Parse("Mon 2 Jan 2006, 15:04", from)
	if !found || err != nil {
		return "", false
	}
	clock := to[strings.LastIndex(to, " ")+1:] // Where it is another day, that stands before it: "Fri 00:30".
	if _, err := time.Parse("15:04", clock); err != nil {
		return "", false
	}
	return v.say("day.shortYear", "weekday", v.say("weekday.short."+strconv.Itoa(int(start.Weekday()))), "day", start.Day(),
		"month", v.say("month.short."+strconv.Itoa(int(start.Month()))), "year", start.Year()) + ", " + start.Format("15:04") + "–" + clock, true
}

// retellFields reads "date, time and language".
func (v *voice) retellFields(text string) string {
	names := strings.Split(strings.Replace(text, " and ", ", ", 1), ", ")
	for i, name := range names {
		names[i] = v.retellWord(name)
	}
	return v.list(names)
}

// retellWord retells the name of a cell, or an answer.
func (v *voice) retellWord(word string) string {
	if v.phrases == nil {
		return word
	}
	return orElse(v.phrases.words[word], word)
}
