// Package wallclock turns what the clock on the wall shows into instants, and says where
// that is not certain. It stands under the rules and their calendars, and knows nothing
// of jobs.
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
// nothing is decided by it.
package wallclock

import (
	"time"
	_ "time/tzdata" // A container without a system has no zones of its own, and no rule works without one.
)

// Reading is what a wall-clock time can mean.
type Reading struct {
	// First and Last are the instants, in UTC, at which the clock shows the time. They
	// are the same on all days but those of a clock change. Where the clock leaves the
	// time out, both are the instant of the change.
	First, Last time.Time
	Kind        Kind
}

// Kind says how often the clock shows a time.
type Kind uint8

// The kinds.
const (
	Once  Kind = iota
	Twice      // The clock is put back.
	Never      // The clock is put forward and leaves the time out.
)

// Read gives the instants at which the clock of zone shows the time that wall shows in
// UTC: wall is a wall-clock time without a zone.
func Read(zone *time.Location, wall time.Time) Reading {
	// Whatever change touches this time lies within a day of it: offsets go from -12 h to
	// +14 h, and no zone has changed twice within two days since 1970.
	before, after := offsetAt(zone, wall.Add(-24*time.Hour)), offsetAt(zone, wall.Add(24*time.Hour))
	early := wall.Add(-before)
	if before == after {
		return Reading{early, early, Once}
	}
	late := wall.Add(-after)
	earlyRight, lateRight := offsetAt(zone, early) == before, offsetAt(zone, late) == after
	switch {
	case earlyRight && lateRight:
		return Reading{early, late, Twice}
	case earlyRight:
		return Reading{early, early, Once}
	case lateRight:
		return Reading{late, late, Once}
	default:
		// The clock jumped over it: read with the old offset it lies after the change.
		change, _ := early.In(zone).ZoneBounds()
		change = change.UTC()
		return Reading{change, change, Never}
	}
}

func offsetAt(zone *time.Location, t time.Time) time.Duration {
	_, seconds := t.In(zone).Zone()
	return time.Duration(seconds) * time.Second
}

// Day is a day of the calendar, counted from 1 January 1970.
type Day int32

// NoDay is no day.
const NoDay Day = -1 << 31

// DayIn gives the day that the calendar in zone shows at t.
func DayIn(zone *time.Location, t time.Time) Day {
	return Day(floorDiv(t.Unix()+int64(offsetAt(zone, t)/time.Second), 86400))
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// Midnight gives the day's beginning on the wall clock, as [Read] takes it.
func (d Day) Midnight() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// At gives the reading of a minute of the day; minutes from 1440 on belong to the days
// after.
func (d Day) At(zone *time.Location, minute int) Reading {
	return Read(zone, d.Midnight().Add(time.Duration(minute)*time.Minute))
}

// Weekday counts from Monday, 0, to Sunday, 6. 1 January 1970 was a Thursday.
func (d Day) Weekday() int { return int(((d+3)%7 + 7) % 7) }

// Monday gives the first day of d's week; weeks begin on Monday (ISO 8601).
func (d Day) Monday() Day { return d - Day(d.Weekday()) }

// String gives the day as "2027-01-31".
func (d Day) String() string { return d.Midnight().Format(time.DateOnly) }

// Start gives the first instant of the day in zone: midnight, or where a clock change
// leaves midnight out, the change.
func (d Day) Start(zone *time.Location) time.Time { return d.At(zone, 0).First }

// ParseDay reads "2027-01-31", and nothing else.
func ParseDay(s string) (Day, bool) {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return NoDay, false
	}
	year, ok1 := digits(s[0:4])
	month, ok2 := digits(s[5:7])
	day, ok3 := digits(s[8:10])
	if !ok1 || !ok2 || !ok3 || year == 0 || month < 1 || month > 12 || day < 1 || day > 31 {
		return NoDay, false
	}
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if t.Day() != day { // 31 April became 1 May.
		return NoDay, false
	}
	return Day(floorDiv(t.Unix(), 86400)), true
}

// ParseMinute reads "14:30" as a minute of the day. "24:00" is 1440: the end of a day.
func ParseMinute(s string) (int, bool) {
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
