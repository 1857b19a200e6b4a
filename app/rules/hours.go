package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/rules/wallclock"
)

// span is a stretch of one weekday in minutes from its midnight. Its end is above 1440
// where it goes on into the next day.
type span struct{ from, to int }

// weeklyHours holds the hours of each weekday, Monday first. The zero value means any
// time.
type weeklyHours struct {
	set  bool
	days [7][]span
}

// weekdayKeys are the names of the days in a configuration, Monday first.
func weekdayKeys() [7]string { return [7]string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} }

// weekdayNames are the names of the days for people, Monday first.
func weekdayNames() [7]string {
	return [7]string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
}

// maxSpansADay bounds what a decision costs.
const maxSpansADay = 48

// parseWeeklyHours reads hours and names the first mistake of each day.
func parseWeeklyHours(hours map[string][][2]string) (weeklyHours, []string) {
	w := weeklyHours{set: len(hours) > 0}
	var mistakes []string
	keys := weekdayKeys()
	names := make([]string, 0, len(hours))
	for name := range hours {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		i := slices.Index(keys[:], name)
		if i < 0 {
			mistakes = append(mistakes, fmt.Sprintf("there is no day %q; the days are %s", name, strings.Join(keys[:], ", ")))
			continue
		}
		spans, mistake := parseSpans(hours[name])
		if mistake != "" {
			mistakes = append(mistakes, name+": "+mistake)
			continue
		}
		w.days[i] = spans
	}
	return w, mistakes
}

func parseSpans(written [][2]string) ([]span, string) {
	if len(written) > maxSpansADay {
		return nil, fmt.Sprintf("more than %d spans", maxSpansADay)
	}
	var spans []span
	for _, w := range written {
		from, ok := wallclock.ParseMinute(w[0])
		if !ok || from == 1440 {
			return nil, fmt.Sprintf("%q is no time to begin at; write it as \"08:00\", from \"00:00\" to \"23:59\"", w[0])
		}
		to, ok := wallclock.ParseMinute(w[1])
		if !ok {
			return nil, fmt.Sprintf("%q is no time to end at; write it as \"18:00\", up to \"24:00\"", w[1])
		}
		if to == from {
			return nil, fmt.Sprintf("from %s to %s is no time at all; the whole day is \"00:00\" to \"24:00\"", w[0], w[1])
		}
		if to < from {
			to += 1440 // Over midnight: "22:00" to "06:00" ends the next morning.
		}
		spans = append(spans, span{from, to})
	}
	slices.SortFunc(spans, func(a, b span) int {
		if a.from != b.from {
			return a.from - b.from
		}
		return a.to - b.to
	})
	return join(spans), ""
}

// join makes one span of those that touch or overlap; they are in order.
func join(spans []span) []span {
	var joined []span
	for _, sp := range spans {
		if n := len(joined); n > 0 && sp.from <= joined[n-1].to {
			joined[n-1].to = max(joined[n-1].to, sp.to)
			continue
		}
		joined = append(joined, sp)
	}
	return joined
}

// fits tells whether all of from up to to lies within the hours. Spans that touch or
// overlap join, also across midnight: "18:00" to "24:00" and the next day's "00:00" to
// "06:00" are one night.
//
// At a clock change the hours are those that the clock on the wall shows: a span whose
// beginning the clock shows twice begins at the second, one whose end it shows twice ends
// at the first, so that what fits, fits however the user meant it.
func (w *weeklyHours) fits(zone *time.Location, from, to time.Time) bool {
	reached := from
	// The day before can reach in over midnight.
	day := wallclock.DayIn(zone, from) - 1
	last := wallclock.DayIn(zone, to)
	for ; day <= last; day++ {
		for _, sp := range w.days[day.Weekday()] {
			opens := day.At(zone, sp.from).Last
			if opens.After(reached) {
				continue
			}
			if closes := day.At(zone, sp.to).First; closes.After(reached) {
				reached = closes
				if !reached.Before(to) {
					return true
				}
			}
		}
	}
	return false
}

// write gives the hours as a person would: "Monday 08:00 to 18:00, Tuesday not at all".
func (w *weeklyHours) write() string {
	var b strings.Builder
	names := weekdayNames()
	for first := 0; first < 7; {
		last := first
		for last+1 < 7 && slices.Equal(w.days[last+1], w.days[first]) {
			last++
		}
		if len(w.days[first]) > 0 {
			if b.Len() > 0 {
				b.WriteString("; ")
			}
			b.WriteString(names[first])
			if last > first {
				b.WriteString(" to " + names[last])
			}
			for i, sp := range w.days[first] {
				if i > 0 {
					b.WriteString(" and")
				}
				b.WriteString(" " + writeMinute(sp.from) + " to " + writeMinute(sp.to))
				if sp.to > 1440 {
					b.WriteString(" (the next day)")
				}
			}
		}
		first = last + 1
	}
	if b.Len() == 0 {
		return "no hour of any day"
	}
	return b.String()
}

func writeMinute(m int) string {
	if m > 1440 {
		m -= 1440
	}
	return fmt.Sprintf("%02d:%02d", m/60, m%60)
}

// dayOff is a stretch of days, both ends included.
type dayOff struct {
	from, to wallclock.Day
	note     string
}

func (d dayOff) String() string {
	s := d.from.String()
	if d.to != d.from {
		s += " to " + d.to.String()
	}
	if d.note != "" {
		s += " (" + d.note + ")"
	}
	return s
}

func parseDaysOff(written []app.DayOff) ([]dayOff, []string) {
	var days []dayOff
	var mistakes []string
	for i, w := range written {
		from, ok := wallclock.ParseDay(w.From)
		if !ok {
			mistakes = append(mistakes, fmt.Sprintf("entry %d: from %q is no day; write it as \"2027-12-24\"", i+1, w.From))
			continue
		}
		to := from
		if w.To != "" {
			if to, ok = wallclock.ParseDay(w.To); !ok {
				mistakes = append(mistakes, fmt.Sprintf("entry %d: to %q is no day; write it as \"2027-12-27\"", i+1, w.To))
				continue
			}
		}
		if to < from {
			mistakes = append(mistakes, fmt.Sprintf("entry %d: it ends on %s, before it begins on %s", i+1, w.To, w.From))
			continue
		}
		if len(w.Note) > maxWordLength {
			mistakes = append(mistakes, fmt.Sprintf("entry %d: the note is longer than %d characters", i+1, maxWordLength))
			continue
		}
		days = append(days, dayOff{from, to, w.Note})
	}
	slices.SortStableFunc(days, func(a, b dayOff) int { return int(a.from) - int(b.from) })
	return days, mistakes
}
