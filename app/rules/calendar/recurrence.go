package calendar

import (
	"strconv"
	"strings"
	"time"

	"github.com/teambition/rrule-go"
)

// Bounds of a rule. The library follows a rule for as long as its calendar reaches, to
// the year 9999, and holds a whole period's times at once: these keep any rule to a few
// milliseconds and a few megabytes.
const (
	maxSteps      = 300_000 // Instances followed, those before the stretch included.
	maxTimesADay  = 96      // BYHOUR × BYMINUTE × BYSECOND.
	maxPositions  = 32      // BYSETPOS.
	maxParts      = 120     // Entries of any other part.
	maxInterval   = 10_000
	maxBarren     = 200 // Rules that match no day up to the year 9999, in one calendar.
	maxFrequently = 10_000
	lastYear      = 9990
	gregorian     = 400 // Years after which dates and weekdays come again.
)

// expand books the instances of a series: those of its events, without the exceptions,
// and those that replace others.
func (d *decoder) expand(s *series) {
	instead := latest(s.instances)
	for _, e := range latestMasters(s.masters) {
		if !e.busy {
			continue
		}
		gone := newExceptions(e.removed)
		for _, i := range instead {
			gone.add(*i.instance)
		}
		occur := func(m moment) {
			if !gone.has(m) {
				d.book(e.label, m, e.length)
			}
		}
		occur(e.start)
		if e.rule != "" {
			if mistake := d.follow(e, occur); mistake != "" {
				d.problem(e.label, "%s", mistake)
			}
		}
		for _, a := range e.added {
			if gone.has(a.start) {
				continue
			}
			l := e.length
			if a.length != nil {
				l = *a.length
			}
			d.book(e.label, a.start, l)
		}
	}
	for _, e := range instead {
		if e.busy {
			d.book(e.label, e.start, e.length)
		}
	}
}

// latestMasters gives the events of a series that hold: where their SEQUENCE differs, a
// later one replaces an earlier one; where it does not, some program gives one UID to
// several events, and all of them hold.
func latestMasters(events []event) []event {
	newest := 0
	for i := range events {
		newest = max(newest, events[i].sequence)
	}
	var hold []event
	for _, e := range events {
		if e.sequence == newest {
			hold = append(hold, e)
		}
	}
	return hold
}

// latest gives for each instance that is replaced the newest that replaces it.
func latest(events []event) []event {
	var hold []event
	at := map[exceptionKey]int{}
	for _, e := range events {
		key := keyOf(*e.instance)
		i, ok := at[key]
		switch {
		case !ok:
			at[key] = len(hold)
			hold = append(hold, e)
		case e.sequence >= hold[i].sequence:
			hold[i] = e
		}
	}
	return hold
}

// exceptionKey says which instance an exception means: an instant, or a day.
type exceptionKey struct {
	at  int64
	day bool
}

func keyOf(m moment) exceptionKey {
	if m.day {
		return exceptionKey{m.wall.Unix(), true}
	}
	first, _ := m.reading()
	return exceptionKey{first.Unix(), false}
}

// exceptions are the instances that do not take place. One given as a day removes none
// that has a time: that would be a guess, and what is guessed free can be double-booked.
type exceptions map[exceptionKey]bool

func newExceptions(removed []moment) exceptions {
	e := make(exceptions, len(removed))
	for _, m := range removed {
		e.add(m)
	}
	return e
}

func (e exceptions) add(m moment) {
	e[keyOf(m)] = true
	if !m.day && m.wall.Hour() == 0 && m.wall.Minute() == 0 && m.wall.Second() == 0 {
		e[exceptionKey{m.wall.Unix(), true}] = true // Midnight means the day, of one without a time.
	}
}

func (e exceptions) has(m moment) bool { return len(e) > 0 && e[keyOf(m)] }

// recurrence is a rule, read.
type recurrence struct {
	options  rrule.ROption
	until    *moment
	interval int
	parts    bool // Whether it has any BY part.
}

// follow calls occur for the instances of an event's rule after its first that can touch
// the stretch. The mistake is a sentence's end; the first instance is busy all the same.
func (d *decoder) follow(e event, occur func(moment)) (mistake string) {
	// A rule comes from outside, and the library has been seen to go beyond its tables for
	// one that makes no sense. That is one event's problem, not the bot's.
	defer func() {
		if recover() != nil {
			mistake = "its repetition could not be understood: " + strconv.Quote(short(e.rule))
		}
	}()
	r, mistake := d.readRule(e)
	if mistake != "" {
		return mistake
	}
	if r.options.Freq > rrule.DAILY {
		return d.followFrequent(e, r, occur)
	}
	// The wall clock's days, with two more on each side for zones and clock changes.
	const margin = 48 * time.Hour
	from := d.options.From.UTC().Add(-margin - time.Duration(e.length.days)*24*time.Hour - e.length.elapsed)
	to := d.options.To.UTC().Add(margin)
	if e.start.wall.After(to) {
		return ""
	}
	if r.parts && d.barren >= maxBarren {
		return "it repeats by a rule, and the calendar has too many rules that match nothing"
	}
	// The rule is followed on the wall clock and not in the zone: its times are the clock's,
	// also in the hour of a change. And it is followed in a late century with the same
	// calendar, so that a rule that matches nothing comes to the last year soon.
	years := (lastYear - to.Year()) / gregorian * gregorian
	r.options.Dtstart = e.start.wall.AddDate(years, 0, 0)
	r.options.Until = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC) // Without one the library stops after 290 years.
	rule, err := rrule.NewRRule(r.options)
	if err != nil {
		return "its repetition could not be understood: " + err.Error()
	}
	next := rule.Iterator()
	for n := 0; ; n++ {
		late, ok := next()
		if !ok {
			if n != r.options.Count || n == 0 {
				d.barren++
			}
			return ""
		}
		if n > maxSteps {
			return "it repeats too often to be followed"
		}
		wall := late.AddDate(-years, 0, 0)
		m := moment{wall: wall, zone: e.start.zone, day: e.start.day}
		if wall.After(to) || r.over(m) {
			return ""
		}
		if wall.Before(from) || wall.Equal(e.start.wall) {
			continue
		}
		occur(m)
	}
}

// over tells whether m comes after the rule's UNTIL.
func (r *recurrence) over(m moment) bool {
	if r.until == nil {
		return false
	}
	u := *r.until
	switch {
	case u.day: // The whole of that day is within, for an event with times too.
		return !m.wall.Before(u.wall.AddDate(0, 0, 1))
	case m.day:
		return m.wall.After(u.wall)
	default:
		first, _ := m.reading()
		_, last := u.reading()
		return first.After(last)
	}
}

// readRule reads an RRULE (section 3.3.10).
func (d *decoder) readRule(e event) (recurrence, string) {
	r := recurrence{interval: 1}
	var rest []string
	for part := range strings.SplitSeq(strings.ToUpper(e.rule), ";") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok && name == "" {
			continue
		}
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		limit := maxParts
		switch name {
		case "UNTIL":
			m, mistake := d.readMoment(value, "")
			if mistake != "" {
				return r, "the end of its repetition " + mistake
			}
			if !strings.HasSuffix(value, "Z") {
				m.zone = e.start.zone
			}
			r.until = &m
			continue
		case "INTERVAL":
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 || n > maxInterval {
				return r, "its repetition could not be understood: " + strconv.Quote(short(e.rule))
			}
			r.interval = n
		case "COUNT":
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 {
				return r, "its repetition could not be understood: " + strconv.Quote(short(e.rule))
			}
		case "FREQ", "WKST":
		case "BYEASTER": // The library knows it and nobody writes it.
			return r, "its repetition could not be understood: " + strconv.Quote(short(e.rule))
		case "BYSETPOS":
			limit = maxPositions
			r.parts = true
		default:
			r.parts = true
		}
		if strings.Count(value, ",") >= limit {
			return r, "its repetition has too many parts to be followed"
		}
		rest = append(rest, name+"="+value)
	}
	options, err := rrule.StrToROption(strings.Join(rest, ";"))
	if err != nil {
		return r, "its repetition could not be understood: " + strconv.Quote(short(e.rule))
	}
	if max(len(options.Byhour), 1)*max(len(options.Byminute), 1)*max(len(options.Bysecond), 1) > maxTimesADay {
		return r, "its repetition has too many parts to be followed"
	}
	// The library takes the tenth Friday of a month and then looks for it behind its tables.
	for i := range options.Byweekday {
		n := options.Byweekday[i].N()
		if most := 5; (options.Freq == rrule.MONTHLY || len(options.Bymonth) > 0) && (n > most || n < -most) {
			return r, "its repetition could not be understood: " + strconv.Quote(short(e.rule))
		}
	}
	r.options = *options
	return r, ""
}

// followFrequent follows a rule by hours, minutes or seconds. The library can look for
// the next instance of one for ever, so plain ones are counted here, and others are not
// understood.
func (d *decoder) followFrequent(e event, r recurrence, occur func(moment)) (mistake string) {
	if r.parts {
		return "it repeats by hours or less, in a way that is not understood"
	}
	step := time.Duration(r.interval) * time.Hour
	switch r.options.Freq {
	case rrule.MINUTELY:
		step = time.Duration(r.interval) * time.Minute
	case rrule.SECONDLY:
		step = time.Duration(r.interval) * time.Second
	default:
	}
	start, _ := e.start.reading()
	at := func(n int64) moment {
		return moment{wall: start.Add(time.Duration(n) * step), zone: zone{location: time.UTC}}
	}
	reach := time.Duration(e.length.days)*25*time.Hour + e.length.elapsed
	first := int64(1)
	if back := d.options.From.Add(-reach).Sub(start); back > 0 {
		first = max(first, int64(back/step))
	}
	ahead := d.options.To.Sub(start)
	if ahead < 0 {
		return ""
	}
	last := int64(ahead / step)
	if r.options.Count > 0 {
		last = min(last, int64(r.options.Count)-1)
	}
	for last >= first && r.over(at(last)) && last-first < maxFrequently {
		last--
	}
	if last-first >= maxFrequently {
		if r.until != nil {
			_, until := r.until.reading()
			last = min(last, int64(until.Add(24*time.Hour).Sub(start)/step))
		}
		if last < first {
			return ""
		}
		d.book(e.label, at(first), length{elapsed: time.Duration(last-first)*step + reach})
		return "it repeats too often to be followed: all of its time is busy"
	}
	for n := first; n <= last; n++ {
		occur(at(n))
	}
	return ""
}
