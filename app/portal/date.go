package portal

import (
	"time"
)

// ParseDate reads a day as a British reader does, and gives it as "2027-01-31". It is
// false for whatever could be read in two ways, or is no day that there is: then nobody
// knows, and nothing is guessed.
//
// Understood are, in any case and with stray white space:
//
//	2024-01-15  2024/1/15                      the year first, then month, then day
//	15/01/2024  15-1-2024  15.01.2024          the day first, always
//	15/1/24  15.01.24                          a year of two digits is 20…
//	15 Jan 2024  15th January, 2024  15-Jan-24 the month in letters
//	January 15, 2024                           which puts no number in doubt
//	Mon 15/01/2024  15 January 2024 (Monday)   a weekday, which must be that day's
//	15/01/2024 14:30  2024-01-15T14:30:00Z     a time of day behind it
//
// Not understood are 01/13/2024 (there is no thirteenth month, and a month first is not
// British), 15-01-24 (which of them is the year?), a day without a year, today and
// tomorrow, and stretches of days. A time with a zone of its own is that moment's day in
// the zone given.
func ParseDate(s string, zone *time.Location) (day string, ok bool) {
	var room [mostLexemes]lexeme
	l, ok := lex(s, room[:])
	if !ok {
		return "", false
	}
	d, rest, ok := readDay(l)
	if !ok {
		return "", false
	}
	if len(rest) > 0 {
		at, ok := readMomentAfter(d, rest, zone)
		if !ok {
			return "", false
		}
		d = dayOf(at.In(inZone(zone)))
	}
	return d.String(), true
}

// ParseMoment reads a day with or without a time of day, in the zone given; without one
// it is that day's midnight. A zone written with it goes before. The time is in UTC.
func ParseMoment(s string, zone *time.Location) (at time.Time, ok bool) {
	var room [mostLexemes]lexeme
	l, ok := lex(s, room[:])
	if !ok {
		return time.Time{}, false
	}
	if d, rest, ok := readDay(l); ok {
		if len(rest) == 0 {
			return d.at(clock{}, zone).UTC(), true
		}
		at, ok = readMomentAfter(d, rest, zone)
		return at.UTC(), ok
	}
	// The time of day may stand first: "14:30, 15 Jan 2024".
	c, rest, ok := readClock(l)
	if !ok {
		return time.Time{}, false
	}
	rest = rest.skip(",-")
	if rest.word("on") {
		rest = rest[1:]
	}
	d, rest, ok := readDay(rest)
	if !ok || len(rest) > 0 {
		return time.Time{}, false
	}
	return d.at(c, zone).UTC(), true
}

// civil is a day of the calendar.
type civil struct {
	year  int
	month time.Month
	day   int
}

func dayOf(t time.Time) civil {
	y, m, d := t.Date()
	return civil{y, m, d}
}

func (c civil) String() string {
	var b [10]byte
	put := func(at, n, size int) {
		for i := at + size - 1; i >= at; i-- {
			b[i] = byte('0' + n%10)
			n /= 10
		}
	}
	put(0, c.year, 4)
	put(5, int(c.month), 2)
	put(8, c.day, 2)
	b[4], b[7] = '-', '-'
	return string(b[:])
}

func (c civil) at(t clock, zone *time.Location) time.Time {
	return time.Date(c.year, c.month, c.day, t.hour, t.minute, t.second, 0, inZone(zone))
}

// inZone is UTC where no zone is known.
func inZone(zone *time.Location) *time.Location {
	if zone == nil {
		return time.UTC
	}
	return zone
}

func (c civil) weekday() time.Weekday {
	return time.Date(c.year, c.month, c.day, 12, 0, 0, 0, time.UTC).Weekday()
}

// newCivil is false for a day that there is not, and for a year in which there was no portal.
func newCivil(year, month, day int) (civil, bool) {
	if year < 2000 || year > 2199 || month < 1 || month > 12 || day < 1 || day > 31 {
		return civil{}, false
	}
	c := civil{year, time.Month(month), day}
	t := time.Date(year, c.month, day, 0, 0, 0, 0, time.UTC)
	return c, t.Day() == day
}

// readDay reads a day at the beginning of l.
func readDay(l lexemes) (c civil, rest lexemes, ok bool) {
	weekday, named := time.Weekday(0), false
	if len(l) > 0 && l[0].kind == aWord {
		if weekday, named = weekdayNamed(l[0].text); named {
			l = l[1:].skip(".").skip(",")
		}
	}
	c, rest, ok = readBareDay(l)
	if !ok {
		return civil{}, nil, false
	}
	if !named {
		weekday, rest, named = readWeekdayBehind(rest)
	}
	return c, rest, !named || c.weekday() == weekday
}

// readWeekdayBehind reads ", Monday" or "(Monday)" behind a day.
func readWeekdayBehind(l lexemes) (time.Weekday, lexemes, bool) {
	rest := l.skip(",(")
	if len(rest) == 0 || rest[0].kind != aWord {
		return 0, l, false
	}
	weekday, named := weekdayNamed(rest[0].text)
	if !named {
		return 0, l, false
	}
	return weekday, rest[1:].skip(".").skip(")"), true
}

func readBareDay(l lexemes) (c civil, rest lexemes, ok bool) {
	switch {
	case l.number(4, 4):
		return readYearFirst(l)
	case l.number(1, 2):
		return readDayFirst(l)
	case len(l) > 0 && l[0].kind == aWord:
		return readMonthFirst(l)
	}
	return civil{}, nil, false
}

// readYearFirst reads 2024-01-15.
func readYearFirst(l lexemes) (civil, lexemes, bool) {
	if len(l) < 5 || !l[1:].sign("-/.") || !l[2:].number(1, 2) || !l[3:].sign(string(l[1].sign)) || !l[4:].number(1, 2) {
		return civil{}, nil, false
	}
	c, ok := newCivil(l[0].value, l[2].value, l[4].value)
	return c, l[5:], ok
}

// readDayFirst reads 15/01/2024 and 15th of January 2024.
func readDayFirst(l lexemes) (civil, lexemes, bool) {
	day := l[0].value
	l = l[1:]
	if len(l) >= 4 && l.sign("-/.") && l[1:].number(1, 2) && l[2:].sign(string(l[0].sign)) {
		year, ok := readYear(l[3], l[0].sign != '-')
		if !ok {
			return civil{}, nil, false
		}
		c, ok := newCivil(year, l[1].value, day)
		return c, l[4:], ok
	}
	if len(l) > 0 && l[0].text == ordinal(day) && !l[0].apart {
		l = l[1:]
	}
	l = l.skip("-/.,")
	if l.word("of") {
		l = l[1:]
	}
	if len(l) < 2 || l[0].kind != aWord {
		return civil{}, nil, false
	}
	month, named := monthNamed(l[0].text)
	l = l[1:].skip(".").skip(",-/")
	if !named || len(l) == 0 {
		return civil{}, nil, false
	}
	year, ok := readYear(l[0], true)
	if !ok {
		return civil{}, nil, false
	}
	c, ok := newCivil(year, int(month), day)
	return c, l[1:], ok
}

// readMonthFirst reads January 15, 2024. Only with the whole year: "Jan 15 24" has two
// numbers that could be the day.
func readMonthFirst(l lexemes) (civil, lexemes, bool) {
	month, named := monthNamed(l[0].text)
	l = l[1:].skip(".")
	if !named || !l.number(1, 2) {
		return civil{}, nil, false
	}
	day := l[0].value
	l = l[1:]
	if len(l) > 0 && l[0].text == ordinal(day) && !l[0].apart {
		l = l[1:]
	}
	l = l.skip(",")
	if !l.number(4, 4) {
		return civil{}, nil, false
	}
	c, ok := newCivil(l[0].value, int(month), day)
	return c, l[1:], ok
}

// readYear reads a year of four digits, or of two where they can be nothing else.
func readYear(l lexeme, two bool) (int, bool) {
	switch {
	case l.kind != aNumber:
	case len(l.text) == 4:
		return l.value, true
	case len(l.text) == 2 && two:
		return 2000 + l.value, true
	}
	return 0, false
}

// ordinal gives the ending of a day's number: 1st, 2nd, 3rd, 11th.
func ordinal(day int) string {
	if day/10 != 1 {
		switch day % 10 {
		case 1:
			return "st"
		case 2:
			return "nd"
		case 3:
			return "rd"
		}
	}
	return "th"
}

// readMomentAfter reads the time of day behind a day, and a zone behind that. Nothing
// may be left over.
func readMomentAfter(d civil, l lexemes, zone *time.Location) (time.Time, bool) {
	c, rest, ok := readClock(skipToClock(l))
	if ok && len(rest) > 0 {
		zone, ok = readZone(rest)
	}
	if !ok {
		return time.Time{}, false
	}
	return d.at(c, zone), true
}

// skipToClock leaves out what stands between a day and a time: a comma, a dash, "at", or
// the T of ISO 8601.
func skipToClock(l lexemes) lexemes {
	if l.word("at") || l.word("t") && !l[0].apart {
		return l[1:]
	}
	return l.skip(",").skip("-@")
}

// readZone reads Z, UTC, GMT, BST (British Summer Time), +01:00 or +0100, and nothing behind it.
func readZone(l lexemes) (*time.Location, bool) {
	switch {
	case len(l) == 1 && l.word("z", "utc", "gmt"):
		return time.UTC, true
	case len(l) == 1 && l.word("bst"):
		return time.FixedZone("BST", 3600), true
	case !l.sign("+-") || !l[1:].number(2, 4):
		return nil, false
	}
	hours, minutes, rest := l[1].value, 0, l[2:]
	switch len(l[1].text) {
	case 2:
		if len(rest) > 0 {
			if !rest.sign(":") || !rest[1:].number(2, 2) {
				return nil, false
			}
			minutes, rest = rest[1].value, rest[2:]
		}
	case 4:
		hours, minutes = hours/100, hours%100
	default:
		return nil, false
	}
	if len(rest) > 0 || hours > 14 || minutes > 59 {
		return nil, false
	}
	offset := hours*3600 + minutes*60
	if l[0].sign == '-' {
		offset = -offset
	}
	return time.FixedZone("", offset), true
}
