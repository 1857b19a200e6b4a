package calendar

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	ics "github.com/arran4/golang-ical"

	"github.com/atozbot/atozbot/app"
)

// Bounds of a calendar. A person's calendar of twenty years stays far below them.
const (
	maxEvents   = 100_000
	maxBookings = 50_000
	maxProblems = 20
	maxLine     = 1 << 18 // Bytes: an EXDATE of 15,000 days.
	maxLabel    = 80      // Bytes of an event's summary.
)

// Options says what of a calendar is wanted.
type Options struct {
	Name     string         // For the label of its entries: "calendar Private: dentist".
	Zone     *time.Location // The user's: of whole days, and of times without a zone.
	From, To time.Time      // Entries that touch this stretch are given.
}

// Busy is when a calendar says that there is no time.
type Busy struct {
	Bookings []app.Booking // In order; none is firm.
	Events   int           // Read, busy or not.
	// Problems says what could not be read, in sentences for the user. The time of such an
	// event is not known to be busy.
	Problems []string
	// MoreProblems counts those that are not in Problems.
	MoreProblems int
}

// Decode reads a calendar. What is wrong with single events is in the result; an *app.Error
// with [app.CodeInvalid] is returned where nothing can be relied on: the bytes are no
// calendar, end in the middle, or hold too much.
func Decode(data []byte, o Options) (Busy, error) {
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	d := decoder{options: o, series: map[string]*series{}, zones: zones{own: o.Zone, defined: map[string][]time.Duration{}, known: map[string]zone{}}}
	if err := d.read(data); err != nil {
		return Busy{}, err
	}
	// Zones can be defined after the events that name them, so events wait for the end.
	for _, c := range d.freeBusy {
		d.addFreeBusy(c)
	}
	for _, c := range d.events {
		d.addEvent(c)
	}
	for _, uid := range d.order {
		d.expand(d.series[uid])
		if len(d.busy.Bookings) > maxBookings {
			return Busy{}, app.Errorf(app.CodeInvalid, "The calendar has more than %d entries between %s and %s.",
				maxBookings, o.From.Format(time.DateOnly), o.To.Format(time.DateOnly))
		}
	}
	slices.SortStableFunc(d.busy.Bookings, func(a, b app.Booking) int {
		return cmp.Or(a.StartsAt.Compare(b.StartsAt), a.EndsAt.Compare(b.EndsAt), cmp.Compare(a.Label, b.Label))
	})
	return d.busy, nil
}

// decoder is one calendar being read.
type decoder struct {
	options  Options
	zones    zones
	events   []component
	freeBusy []component
	series   map[string]*series
	order    []string // Of the series, as they first came.
	barren   int      // Rules that came to nothing at the end of the calendar's days.
	busy     Busy
}

// component is an event as lines: those that matter, by name.
type component struct {
	properties map[string][]*ics.BaseProperty
	broken     string // The name of a line that matters and could not be read.
}

// first gives the first property of a name, nil where there is none.
func (c component) first(name string) *ics.BaseProperty {
	if p := c.properties[name]; len(p) > 0 {
		return p[0]
	}
	return nil
}

func (c component) value(name string) string {
	if p := c.first(name); p != nil {
		return strings.TrimSpace(p.Value)
	}
	return ""
}

// matters tells whether anything is decided by a property of an event, or shown of it.
// Lines with other names are not even taken apart: they hold attachments and mails.
func matters(name string) bool {
	switch name {
	case "UID", "SUMMARY", "DTSTART", "DTEND", "DURATION", "RRULE", "EXRULE", "RDATE", "EXDATE", "RECURRENCE-ID",
		"STATUS", "TRANSP", "SEQUENCE", "X-MICROSOFT-CDO-BUSYSTATUS", "FREEBUSY":
		return true
	}
	return false
}

// read takes the file apart into events and zones. The library reads a line; the walk is
// ours, because one line that it does not like is no reason to lose the calendar.
func (d *decoder) read(data []byte) error {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	var open []string
	var c component
	calendars := 0
	tzid := ""
	for line := range unfold(data) {
		name := lineName(line)
		switch name {
		case "BEGIN":
			what := lineValue(line)
			if len(open) == 0 && what != "VCALENDAR" {
				return notACalendar()
			}
			if len(open) > 8 {
				return app.Errorf(app.CodeInvalid, "The calendar is not in order: too much stands within each other.")
			}
			open = append(open, what)
			switch {
			case what == "VCALENDAR":
				calendars++
			case len(open) == 2:
				c = component{properties: map[string][]*ics.BaseProperty{}}
				tzid = ""
			}
			continue
		case "END":
			what := lineValue(line)
			if len(open) == 0 || open[len(open)-1] != what {
				return app.Errorf(app.CodeInvalid, "The calendar is not in order: %s ends where it did not begin.", short(what))
			}
			open = open[:len(open)-1]
			if len(open) == 1 {
				if err := d.keep(what, c); err != nil {
					return err
				}
			}
			continue
		}
		switch {
		case len(open) == 0:
			if len(bytes.TrimSpace(line)) > 0 {
				return notACalendar()
			}
		case len(open) == 1: // Of the calendar itself: nothing is needed.
		case open[1] == "VTIMEZONE":
			tzid = d.zones.define(tzid, name, line)
		case len(open) == 2 && matters(name):
			c.add(name, line)
		}
	}
	switch {
	case calendars == 0:
		return notACalendar()
	case len(open) > 0:
		return app.Errorf(app.CodeInvalid, "The calendar ends in the middle: what is missing could be busy.")
	}
	return nil
}

func notACalendar() error {
	return app.Errorf(app.CodeInvalid, "This is no calendar: it does not begin with BEGIN:VCALENDAR.")
}

func (d *decoder) keep(what string, c component) error {
	switch what {
	case "VEVENT":
		d.events = append(d.events, c)
	case "VFREEBUSY":
		d.freeBusy = append(d.freeBusy, c)
	default:
		return nil
	}
	if len(d.events)+len(d.freeBusy) > maxEvents {
		return app.Errorf(app.CodeInvalid, "The calendar has more than %d events.", maxEvents)
	}
	return nil
}

func (c *component) add(name string, line []byte) {
	var p *ics.BaseProperty
	if len(line) <= maxLine {
		p, _ = ics.ParseProperty(ics.ContentLine(line))
	}
	if p == nil {
		if name != "SUMMARY" && c.broken == "" {
			c.broken = name
		}
		return
	}
	parameters := make(map[string][]string, len(p.ICalParameters))
	for key, values := range p.ICalParameters {
		parameters[strings.ToUpper(key)] = values
	}
	p.ICalParameters = parameters
	c.properties[name] = append(c.properties[name], p)
}

// unfold gives the lines of a file, with those joined that were folded (section 3.1). Line
// ends of every system are taken.
func unfold(data []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		var line []byte
		folded := false
		for len(data) > 0 {
			var next []byte
			next, data = cutLine(data)
			if len(next) > 0 && (next[0] == ' ' || next[0] == '\t') && line != nil {
				if !folded {
					line = bytes.Clone(line)
					folded = true
				}
				line = append(line, next[1:]...)
				continue
			}
			if line != nil && !yield(line) {
				return
			}
			line, folded = next, false
			if len(next) == 0 {
				line = nil
			}
		}
		if line != nil {
			yield(line)
		}
	}
}

func cutLine(data []byte) (line, rest []byte) {
	i := bytes.IndexAny(data, "\r\n")
	if i < 0 {
		return data, nil
	}
	line, rest = data[:i], data[i+1:]
	if data[i] == '\r' && len(rest) > 0 && rest[0] == '\n' {
		rest = rest[1:]
	}
	return line, rest
}

// lineName gives the name of a line's property, in capitals.
func lineName(line []byte) string {
	i := bytes.IndexAny(line, ":;")
	if i < 0 || i > 40 {
		return ""
	}
	return strings.ToUpper(string(bytes.TrimSpace(line[:i])))
}

// lineValue gives what stands after the colon, in capitals: of BEGIN and END.
func lineValue(line []byte) string {
	_, value, _ := bytes.Cut(line, []byte(":"))
	return strings.ToUpper(string(bytes.TrimSpace(value)))
}

// problem notes what could not be read.
func (d *decoder) problem(label, format string, args ...any) {
	if len(d.busy.Problems) >= maxProblems {
		d.busy.MoreProblems++
		return
	}
	d.busy.Problems = append(d.busy.Problems, label+": "+fmt.Sprintf(format, args...))
}

// label names an event for people.
func label(c component) string {
	s := short(c.value("SUMMARY"))
	if s == "" {
		return "an event without a title"
	}
	return s
}

// short makes one printable line of a text.
func short(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "�")), " ")
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
	if len(s) <= maxLabel {
		return s
	}
	s = s[:maxLabel]
	for len(s) > 0 && !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + "…"
}
