package web

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/message"
	"golang.org/x/text/number"
)

// voice says things to one person: in a language, on the clock of a time zone.
type voice struct {
	*words
	zone    *time.Location
	now     func() time.Time
	printer *message.Printer
}

func newVoice(w *words, zone *time.Location, now func() time.Time) *voice {
	return &voice{words: w, zone: zone, now: now, printer: message.NewPrinter(w.tag)}
}

// clock gives "14:30".
func (v *voice) clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(v.zone).Format("15:04")
}

// exact gives "14:30:05".
func (v *voice) exact(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(v.zone).Format("15:04:05")
}

// day gives "Mon 3 Feb", "today" or "tomorrow".
func (v *voice) day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	switch daysBetween(v.now().In(v.zone), t.In(v.zone)) {
	case 0:
		return v.say("day.today")
	case 1:
		return v.say("day.tomorrow")
	case -1:
		return v.say("day.yesterday")
	}
	return v.date(t)
}

// date gives "Mon 3 Feb", with the year where it is not this one.
func (v *voice) date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	t = t.In(v.zone)
	key := "day.short"
	if t.Year() != v.now().In(v.zone).Year() {
		key = "day.shortYear"
	}
	return v.say(key, "weekday", v.say("weekday.short."+strconv.Itoa(int(t.Weekday()))), "day", t.Day(),
		"month", v.say("month.short."+strconv.Itoa(int(t.Month()))), "year", t.Year())
}

// longDate gives "Monday, 3 February 2027".
func (v *voice) longDate(t time.Time) string {
	t = t.In(v.zone)
	return v.say("day.long", "weekday", v.say("weekday.long."+strconv.Itoa(int(t.Weekday()))), "day", t.Day(),
		"month", v.say("month.long."+strconv.Itoa(int(t.Month()))), "year", t.Year())
}

// moment gives "today 14:30" or "Mon 3 Feb 14:30".
func (v *voice) moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return v.day(t) + " " + v.clock(t)
}

// span gives "14:30–15:15".
func (v *voice) span(from, to time.Time) string {
	if to.IsZero() {
		return v.clock(from)
	}
	return v.clock(from) + "–" + v.clock(to)
}

// ago gives "4 min ago".
func (v *voice) ago(t time.Time) string { return v.since(v.now().Sub(t)) }

func (v *voice) since(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Minute:
		return v.say("ago.seconds", "count", int(d/time.Second))
	case d < time.Hour:
		return v.say("ago.minutes", "count", int(d/time.Minute))
	case d < 48*time.Hour:
		return v.say("ago.hours", "count", int(d/time.Hour))
	}
	return v.say("ago.days", "count", int(d/(24*time.Hour)))
}

// age gives an element that shows how long ago t was, and goes on counting in the
// browser.
func (v *voice) age(t time.Time) template.HTML {
	return template.HTML(fmt.Sprintf(`<live-age><time datetime="%s" title="%s">%s</time></live-age>`,
		t.UTC().Format(time.RFC3339Nano), template.HTMLEscapeString(v.date(t)+" "+v.exact(t)), template.HTMLEscapeString(v.ago(t))))
}

// countdown gives an element that shows how long it is until t, and goes on counting.
func (v *voice) countdown(t time.Time) template.HTML {
	return template.HTML(fmt.Sprintf(`<live-countdown><time datetime="%s">%s</time></live-countdown>`,
		t.UTC().Format(time.RFC3339), template.HTMLEscapeString(v.until(t))))
}

// until gives "in 2 h 10 min", and "now" once it is there.
func (v *voice) until(t time.Time) string {
	d := t.Sub(v.now())
	switch {
	case d <= 0:
		return v.say("until.now")
	case d < time.Hour:
		return v.say("until.minutes", "minutes", int((d+time.Minute-1)/time.Minute))
	case d < 48*time.Hour:
		return v.say("until.hours", "hours", int(d/time.Hour), "minutes", int(d%time.Hour/time.Minute))
	}
	return v.say("until.days", "count", int(d/(24*time.Hour)))
}

// length gives "1 h 30 min" for minutes.
func (v *voice) length(minutes int) string {
	switch {
	case minutes <= 0:
		return ""
	case minutes < 60:
		return v.say("length.minutes", "minutes", minutes)
	case minutes%60 == 0:
		return v.say("length.hours", "hours", minutes/60)
	}
	return v.say("length.both", "hours", minutes/60, "minutes", minutes%60)
}

// took gives a time span as a person measures it: "140 ms", "2.4 s", "3 min".
func (v *voice) took(d time.Duration) string {
	switch {
	case d < time.Second:
		return v.say("took.ms", "n", v.number(d.Milliseconds()))
	case d < time.Minute:
		return v.say("took.s", "n", v.printer.Sprint(number.Decimal(d.Seconds(), number.MaxFractionDigits(1))))
	case d < time.Hour:
		return v.length(int(d / time.Minute))
	case d < 48*time.Hour:
		return v.length(int(d / time.Minute))
	}
	return v.say("length.days", "count", int(d/(24*time.Hour)))
}

// number gives 12,345 as the language writes it.
func (v *voice) number(n any) string { return v.printer.Sprint(number.Decimal(n)) }

// decimal gives 7.5 as the language writes it.
func (v *voice) decimal(f float64) string {
	return v.printer.Sprint(number.Decimal(f, number.MaxFractionDigits(1)))
}

// counter gives an element with a number that the browser keeps up to date.
func (v *voice) counter(name string, n int64) template.HTML {
	return template.HTML(fmt.Sprintf(`<live-count name="%s">%s</live-count>`, template.HTMLEscapeString(name), template.HTMLEscapeString(v.number(n))))
}

// percent gives "37 %" for 0.37; "–" where there is nothing to divide by.
func (v *voice) percent(part, whole int64) string {
	if whole == 0 {
		return "–"
	}
	return v.printer.Sprint(number.Percent(float64(part)/float64(whole), number.MaxFractionDigits(0)))
}

// list gives "Polish, Spanish and Urdu".
func (v *voice) list(words []string) string {
	switch len(words) {
	case 0:
		return ""
	case 1:
		return words[0]
	}
	return v.say("list.and", "first", strings.Join(words[:len(words)-1], ", "), "last", words[len(words)-1])
}

// daysBetween counts midnights from a to b, both in the zone to count in.
func daysBetween(a, b time.Time) int {
	ya, ma, da := a.Date()
	yb, mb, db := b.Date()
	from := time.Date(ya, ma, da, 0, 0, 0, 0, time.UTC)
	to := time.Date(yb, mb, db, 0, 0, 0, 0, time.UTC)
	return int(to.Sub(from) / (24 * time.Hour))
}
