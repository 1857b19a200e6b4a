package calendar

import (
	"strconv"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/atozbot/atozbot/app"
)

// ownUID ends the UID of every event that [Encode] makes. Where the user's calendar shows
// our feed again, the records are what counts, not their echo.
const ownUID = "@atozbot"

// event is one event, understood.
type event struct {
	label    string
	busy     bool
	start    moment
	length   length
	sequence int
	rule     string // RRULE, "" where it happens once.
	added    []addition
	removed  []moment
	instance *moment // RECURRENCE-ID: the instance of the series that this one replaces.
}

// addition is an RDATE: a further instance, with a length of its own where it is a period.
type addition struct {
	start  moment
	length *length
}

// series is an event with its exceptions: all that have one UID.
type series struct {
	masters   []event
	instances []event
}

// moment is a point in time as a calendar writes it.
type moment struct {
	wall time.Time // As the wall clock shows it, in UTC's clothes.
	zone zone
	day  bool // A whole day, without a time.
}

// length is how long an event lasts.
type length struct {
	days    int // On the calendar: a day of 23 or 25 hours is one.
	elapsed time.Duration
	// short is elapsed counted from the last reading of a beginning that is not certain.
	short time.Duration
}

// addEvent understands an event and puts it to its series.
func (d *decoder) addEvent(c component) {
	d.busy.Events++
	uid := c.value("UID")
	if strings.HasSuffix(uid, ownUID) {
		return
	}
	name := label(c)
	if c.broken != "" {
		d.problem(name, "its %s could not be read", c.broken)
		return
	}
	e := event{label: name, busy: isBusy(c), rule: c.value("RRULE")}
	e.sequence, _ = strconv.Atoi(c.value("SEQUENCE"))
	start := c.first("DTSTART")
	if start == nil {
		if e.busy {
			d.problem(name, "it has no beginning")
		}
		return
	}
	var mistake string
	if e.start, mistake = d.moment(start); mistake != "" {
		d.problem(name, "its beginning %s", mistake)
		return
	}
	if e.length, mistake = d.lengthOf(c, e.start); mistake != "" {
		d.problem(name, "%s", mistake)
		return
	}
	if len(c.properties["EXRULE"]) > 0 || len(c.properties["RRULE"]) > 1 {
		// Both are of the past (appendix A.1). Without them more is busy, not less.
		d.problem(name, "it has rules that are not understood, and may be busier or less busy than is known")
	}
	d.additions(&e, c)
	for _, p := range c.properties["EXDATE"] {
		e.removed = append(e.removed, d.moments(name, p)...)
	}
	if p := c.first("RECURRENCE-ID"); p != nil {
		m, mistake := d.moment(p)
		if mistake != "" {
			d.problem(name, "the instance that it replaces %s", mistake)
			// It may be busy in both places.
		} else {
			e.instance = &m
			if strings.EqualFold(parameter(p, "RANGE"), "THISANDFUTURE") {
				d.problem(name, "it changes all later instances, which is not understood; the old times stay busy beside the new one")
			}
		}
		e.rule = ""
	}
	if uid == "" { // Nothing else can belong to it.
		uid = "\x00" + strconv.Itoa(d.busy.Events)
	}
	s := d.series[uid]
	if s == nil {
		s = &series{}
		d.series[uid] = s
		d.order = append(d.order, uid)
	}
	if e.instance != nil {
		s.instances = append(s.instances, e)
	} else {
		s.masters = append(s.masters, e)
	}
}

// isBusy tells whether an event takes time.
func isBusy(c component) bool {
	if strings.EqualFold(c.value("STATUS"), "CANCELLED") || strings.EqualFold(c.value("TRANSP"), "TRANSPARENT") {
		return false
	}
	// Outlook says it here, and not always in TRANSP as well ([MS-OXCICAL] 2.1.3.1.1.20.31).
	switch strings.ToUpper(c.value("X-MICROSOFT-CDO-BUSYSTATUS")) {
	case "FREE", "WORKINGELSEWHERE":
		return false
	}
	return true
}

func parameter(p *ics.BaseProperty, name string) string {
	if values := p.ICalParameters[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// moment reads a property of one date or date with time (sections 3.3.4 and 3.3.5). The
// mistake is the end of a sentence.
func (d *decoder) moment(p *ics.BaseProperty) (moment, string) {
	return d.readMoment(strings.TrimSpace(p.Value), parameter(p, "TZID"))
}

func (d *decoder) readMoment(value, tzid string) (moment, string) {
	m := moment{zone: zone{location: d.options.Zone}}
	value = strings.ToUpper(value)
	// The value says what it is; its VALUE parameter is wrong as often as it is right.
	if len(value) == 8 {
		wall, err := time.Parse("20060102", value)
		if err != nil {
			return m, "could not be understood: " + strconv.Quote(short(value))
		}
		m.wall, m.day = wall, true
		return m, ""
	}
	plain, utc := strings.CutSuffix(value, "Z")
	layout := "20060102T150405"
	if len(plain) == 13 { // Without seconds: against the rules, and seen.
		layout = "20060102T1504"
	}
	leap := strings.HasSuffix(plain, "60") && len(plain) == 15 // A leap second is allowed.
	if leap {
		plain = plain[:13] + "59"
	}
	wall, err := time.Parse(layout, plain)
	if err != nil {
		return m, "could not be understood: " + strconv.Quote(short(value))
	}
	m.wall = wall
	switch {
	case utc:
		m.zone = zone{location: time.UTC}
	case tzid != "":
		z, ok := d.zones.find(tzid)
		if !ok {
			return m, "is in a time zone that is not known: " + strconv.Quote(short(tzid))
		}
		m.zone = z
	}
	return m, ""
}

// moments reads a property that can hold several.
func (d *decoder) moments(name string, p *ics.BaseProperty) []moment {
	var all []moment
	for value := range strings.SplitSeq(p.Value, ",") {
		m, mistake := d.readMoment(strings.TrimSpace(value), parameter(p, "TZID"))
		if mistake != "" {
			d.problem(name, "a date of its exceptions %s", mistake)
			continue
		}
		all = append(all, m)
	}
	return all
}

// additions reads RDATE: dates, or periods (section 3.8.5.2).
func (d *decoder) additions(e *event, c component) {
	for _, p := range c.properties["RDATE"] {
		for value := range strings.SplitSeq(p.Value, ",") {
			from, to, period := strings.Cut(strings.TrimSpace(value), "/")
			start, mistake := d.readMoment(from, parameter(p, "TZID"))
			if mistake != "" {
				d.problem(e.label, "a further date %s", mistake)
				continue
			}
			a := addition{start: start}
			if period {
				l, mistake := d.periodLength(start, to, parameter(p, "TZID"))
				if mistake != "" {
					d.problem(e.label, "a further date %s", mistake)
					continue
				}
				a.length = &l
			}
			e.added = append(e.added, a)
		}
	}
}

// periodLength reads the second part of a period: its end or its length.
func (d *decoder) periodLength(start moment, written, tzid string) (length, string) {
	if strings.HasPrefix(written, "P") || strings.HasPrefix(written, "+P") {
		l, ok := parseLength(written)
		if !ok {
			return l, "lasts for a time that could not be understood: " + strconv.Quote(short(written))
		}
		return l, ""
	}
	end, mistake := d.readMoment(written, tzid)
	if mistake != "" {
		return length{}, mistake
	}
	return between(start, end)
}

// lengthOf gives how long an event lasts (section 3.6.1): to its end, for its duration, or
// for one day where it has neither and no time.
func (d *decoder) lengthOf(c component, start moment) (length, string) {
	if p := c.first("DTEND"); p != nil {
		end, mistake := d.moment(p)
		if mistake != "" {
			return length{}, "its end " + mistake
		}
		l, mistake := between(start, end)
		if mistake != "" {
			return l, "it " + mistake
		}
		return l, ""
	}
	if written := c.value("DURATION"); written != "" {
		l, ok := parseLength(written)
		if !ok {
			return l, "its duration could not be understood: " + strconv.Quote(short(written))
		}
		return l, ""
	}
	if start.day {
		return length{days: 1}, ""
	}
	return length{}, "" // A reminder: it takes no time.
}

// maxLength is the longest that an event is believed to last: ten years.
const maxLength = 3660 * 24 * time.Hour

func between(start, end moment) (length, string) {
	if start.day && end.day {
		days := int(end.wall.Sub(start.wall) / (24 * time.Hour))
		switch {
		case days < 0 || days > int(maxLength/(24*time.Hour)):
			return length{}, "ends before it begins, or years after"
		case days == 0:
			days = 1 // The end is the first day after; the same day is a common slip.
		}
		return length{days: days}, ""
	}
	startFirst, startLast := start.reading()
	endFirst, endLast := end.reading()
	l := length{elapsed: max(endFirst.Sub(startFirst), endLast.Sub(startLast)), short: endLast.Sub(startLast)}
	if l.elapsed < 0 || l.elapsed > maxLength {
		return length{}, "ends before it begins, or years after"
	}
	return l, ""
}

// reading gives the first and the last instant that a moment can mean.
func (m moment) reading() (first, last time.Time) {
	first, last, _ = m.zone.read(m.wall)
	return first, last
}

// end gives when an event of a length ends that begins at m, at the latest.
func (l length) end(m moment) time.Time {
	if l.days != 0 {
		m.wall = m.wall.AddDate(0, 0, l.days)
	}
	first, last := m.reading()
	if !first.Equal(last) && l.short > 0 {
		return last.Add(l.short)
	}
	return last.Add(l.elapsed)
}

// parseLength reads a duration (section 3.3.6): P1W, P1DT2H, PT30M. Weeks and days are
// those of the calendar, hours and minutes elapse.
func parseLength(s string) (length, bool) {
	var l length
	s = strings.ToUpper(strings.TrimSpace(s))
	s = strings.TrimPrefix(s, "+")
	s, ok := strings.CutPrefix(s, "P")
	if !ok || s == "" {
		return l, false
	}
	inTime := false
	for s != "" {
		if s[0] == 'T' {
			if inTime || len(s) == 1 {
				return l, false
			}
			inTime, s = true, s[1:]
			continue
		}
		i := 0
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		if i == 0 || i > 9 || i == len(s) {
			return l, false
		}
		n, err := strconv.Atoi(s[:i])
		if err != nil {
			return l, false
		}
		switch unit := s[i]; {
		case unit == 'W' && !inTime:
			l.days += 7 * n
		case unit == 'D' && !inTime:
			l.days += n
		case unit == 'H' && inTime:
			l.elapsed += time.Duration(n) * time.Hour
		case unit == 'M' && inTime:
			l.elapsed += time.Duration(n) * time.Minute
		case unit == 'S' && inTime:
			l.elapsed += time.Duration(n) * time.Second
		default:
			return l, false
		}
		s = s[i+1:]
		if l.days > int(maxLength/(24*time.Hour)) || l.elapsed > maxLength || l.elapsed < 0 {
			return l, false
		}
	}
	return l, true
}

// addFreeBusy reads a free-busy list (section 3.6.4): periods in UTC, busy where they do
// not say that they are free.
func (d *decoder) addFreeBusy(c component) {
	d.busy.Events++
	if c.broken != "" {
		d.problem("a list of busy times", "its %s could not be read", c.broken)
	}
	for _, p := range c.properties["FREEBUSY"] {
		if strings.EqualFold(parameter(p, "FBTYPE"), "FREE") {
			continue
		}
		for value := range strings.SplitSeq(p.Value, ",") {
			from, to, _ := strings.Cut(strings.TrimSpace(value), "/")
			start, mistake := d.readMoment(from, parameter(p, "TZID"))
			var l length
			if mistake == "" {
				l, mistake = d.periodLength(start, to, parameter(p, "TZID"))
			}
			if mistake != "" {
				d.problem("a list of busy times", "one %s", mistake)
				continue
			}
			d.book("busy", start, l)
		}
	}
}

// book notes an event that takes time, where it touches the stretch that is wanted.
func (d *decoder) book(name string, start moment, l length) {
	from, _ := start.reading()
	to := l.end(start)
	if !to.After(from) || !to.After(d.options.From) || !from.Before(d.options.To) {
		return
	}
	d.busy.Bookings = append(d.busy.Bookings, app.Booking{
		Label:    "calendar " + d.options.Name + ": " + name,
		StartsAt: from.UTC(), EndsAt: to.UTC(),
	})
}
