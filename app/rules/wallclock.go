package rules

import "time"

// Wall-clock times and instants.
//
// Twice a year the clock of most zones is changed. In Europe/London (and all of the EU)
// it goes from 01:00 GMT to 02:00 BST on the last Sunday of March and from 02:00 BST to
// 01:00 GMT on the last Sunday of October, both at 01:00 UTC (Summer Time Act 1972,
// section 1, as amended by SI 2002/262; Directive 2000/84/EC). In America/New_York it goes
// from 02:00 to 03:00 on the second Sunday of March and from 02:00 to 01:00 on the first
// Sunday of November (15 U.S.C. § 260a). The dates come from the IANA time zone database,
// never from here.
//
// time.Date picks one of the two readings in such an hour and does not promise which, so
// it is not used for anything that is decided by.

// reading is what a wall-clock time can mean.
type reading struct {
	// first and last are the instants that the clock showed the time at. They are the
	// same on all days but those of a clock change. Where the clock left the time out,
	// both are the instant of the change.
	first, last time.Time
	kind        readingKind
}

type readingKind uint8

const (
	once  readingKind = iota // The clock shows this time once.
	twice                    // It shows it twice: the clock was put back.
	never                    // It leaves it out: the clock was put forward.
)

// readClock gives the instants at which the clock of zone shows the given minute of the
// given day; minutes past 24:00 belong to the days after.
func readClock(zone *time.Location, day civilDay, minute int) reading {
	plain := day.midnightUTC().Add(time.Duration(minute) * time.Minute)
	// Whatever change touches this time lies within a day of it: offsets go from -12 h to
	// +14 h, and no zone has changed twice within two days since 1970.
	before, after := offsetAt(zone, plain.Add(-24*time.Hour)), offsetAt(zone, plain.Add(24*time.Hour))
	early := plain.Add(-before)
	if before == after {
		return reading{early, early, once}
	}
	late := plain.Add(-after)
	earlyRight, lateRight := offsetAt(zone, early) == before, offsetAt(zone, late) == after
	switch {
	case earlyRight && lateRight:
		if late.Before(early) {
			early, late = late, early
		}
		return reading{early, late, twice}
	case earlyRight:
		return reading{early, early, once}
	case lateRight:
		return reading{late, late, once}
	default:
		// The clock jumped over it: read with the old offset it lies after the change.
		change, _ := early.In(zone).ZoneBounds()
		change = change.UTC()
		return reading{change, change, never}
	}
}

func offsetAt(zone *time.Location, t time.Time) time.Duration {
	_, seconds := t.In(zone).Zone()
	return time.Duration(seconds) * time.Second
}

// civilDay is a day of the calendar, counted from 1 January 1970.
type civilDay int32

const noDay civilDay = -1 << 31

func civilDayOf(year int, month time.Month, day int) civilDay {
	return civilDay(floorDiv(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix(), 86400))
}

// civilDayIn gives the day that the calendar in zone shows at t.
func civilDayIn(zone *time.Location, t time.Time) civilDay {
	return civilDay(floorDiv(t.Unix()+int64(offsetAt(zone, t)/time.Second), 86400))
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func (d civilDay) midnightUTC() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// weekday counts from Monday, 0, to Sunday, 6. 1 January 1970 was a Thursday.
func (d civilDay) weekday() int { return int(((d+3)%7 + 7) % 7) }

// monday gives the first day of d's week; weeks begin on Monday (ISO 8601).
func (d civilDay) monday() civilDay { return d - civilDay(d.weekday()) }

func (d civilDay) String() string { return d.midnightUTC().Format("2006-01-02") }

// start gives the first instant of the day in zone: midnight, or where a clock change
// leaves midnight out, the change.
func (d civilDay) start(zone *time.Location) time.Time { return readClock(zone, d, 0).first }

// parseDay reads "2027-01-31", and nothing else.
func parseDay(s string) (civilDay, bool) {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return noDay, false
	}
	year, ok1 := digits(s[0:4])
	month, ok2 := digits(s[5:7])
	day, ok3 := digits(s[8:10])
	if !ok1 || !ok2 || !ok3 || year == 0 || month < 1 || month > 12 || day < 1 || day > 31 {
		return noDay, false
	}
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if t.Day() != day { // 31 April became 1 May.
		return noDay, false
	}
	return civilDay(floorDiv(t.Unix(), 86400)), true
}

// parseMinute reads "14:30" as a minute of the day. "24:00" is 1440: the end of a day.
func parseMinute(s string) (int, bool) {
	if len(s) != 5 || s[2] != ':' {
		return 0, false
	}
	hour, ok1 := digits(s[0:2])
	minute, ok2 := digits(s[3:5])
	if !ok1 || !ok2 || minute > 59 || hour > 24 || hour == 24 && minute != 0 {
		return 0, false
	}
	return hour*60 + minute, true
}

func digits(s string) (n int, ok bool) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, s != ""
}
