package web

import (
	"fmt"
	"slices"
	"time"

	"github.com/atozbot/atozbot/app"
)

// agendaDays is how many days one page of the agenda shows.
const agendaDays = 14

// bookingsPage is the agenda by day.
type bookingsPage struct {
	Days            []agendaDay
	Weeks           []weekHours
	Earlier, Later  string
	Today           string // The link to today; "" where it is shown.
	From, To        time.Time
	Empty           bool
	ConflictsOnPage int
}

// agendaDay is one day with what is booked on it.
type agendaDay struct {
	Title    string
	ID       string // "2027-02-03"
	Today    bool
	Hours    string
	Entries  []agendaEntry
	Bars     []bar
	Hourly   []tick
	DayOff   string
	Describe string // The drawing in words.
}

// agendaEntry is a booking or a busy entry.
type agendaEntry struct {
	bookingLine
	Busy      string   // The label of a calendar's entry; "" for a booking.
	Conflicts []string // With what it overlaps, or stands too close to.
	Gap       string   // "needs 15 min before and 30 min after"
}

// bar is a stretch of the day in the drawing, in hours of a day of 24.
type bar struct {
	Kind    string // booking, buffer, busy, vanished, conflict
	X, Wide float64
}

// tick is an hour on the drawing's edge.
type tick struct {
	X     float64
	Label string
}

// weekHours is what a week holds.
type weekHours struct {
	Title, Hours string
	Wide         float64 // Of the fullest week on the page, of a hundred.
	Bookings     int
}

// Legend names what is drawn, as far as it is on the page: bookings always.
func (p *bookingsPage) Legend() []string {
	kinds := []string{"booking"}
	for _, kind := range []string{"buffer", "busy", "conflict", "vanished"} {
		if slices.ContainsFunc(p.Days, func(d agendaDay) bool {
			return slices.ContainsFunc(d.Bars, func(b bar) bool { return b.Kind == kind })
		}) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

func (s *Site) bookings(v *visit) (*view, error) {
	now := s.Now().In(v.voice.zone)
	from := midnight(now)
	if at, err := time.ParseInLocation(time.DateOnly, v.r.URL.Query().Get("from"), v.voice.zone); err == nil {
		from = at
	}
	to := from.AddDate(0, 0, agendaDays)
	monday := from.AddDate(0, 0, -(int(from.Weekday())+6)%7)
	ctx := v.r.Context()
	jobs, err := s.Jobs.Bookings(ctx, monday, to.AddDate(0, 0, 7))
	if err != nil {
		return nil, err
	}
	busy, err := s.Jobs.Busy(ctx, from, to)
	if err != nil {
		return nil, err
	}
	c, err := s.Configurations.Configuration(ctx)
	if err != nil {
		return nil, err
	}
	p := &bookingsPage{
		From: from, To: to.AddDate(0, 0, -1),
		Earlier: "/bookings?from=" + from.AddDate(0, 0, -agendaDays).Format(time.DateOnly),
		Later:   "/bookings?from=" + to.Format(time.DateOnly),
	}
	if !from.Equal(midnight(now)) {
		p.Today = "/bookings"
	}
	a := agenda{visit: v, c: c, jobs: jobs, busy: busy}
	for day := from; day.Before(to); day = day.AddDate(0, 0, 1) {
		shown := a.day(day)
		shown.Today = day.Equal(midnight(now))
		if len(shown.Entries) > 0 || shown.Today || shown.DayOff != "" {
			p.Days = append(p.Days, shown)
		}
		for _, e := range shown.Entries {
			if len(e.Conflicts) > 0 {
				p.ConflictsOnPage++
			}
		}
	}
	p.Weeks = a.weeks(monday, to)
	p.Empty = !slices.ContainsFunc(p.Days, func(d agendaDay) bool { return len(d.Entries) > 0 })
	return &view{page: "bookings", title: v.voice.say("nav.bookings"), nav: "bookings", live: true, data: p}, nil
}

// agenda makes the days out of bookings and busy entries.
type agenda struct {
	*visit
	c    app.Configuration
	jobs []app.JobRecord
	busy []app.Booking
}

// stretch is a booking or a busy entry with the buffers that it asks for.
type stretch struct {
	from, to      time.Time
	before, after time.Duration
	label         string
	vanished      bool
}

func (a agenda) day(day time.Time) agendaDay {
	next := day.AddDate(0, 0, 1)
	d := agendaDay{Title: a.voice.longDate(day), ID: day.Format(time.DateOnly), DayOff: a.dayOff(day)}
	var taken []stretch
	var minutes int
	for _, job := range a.jobs {
		if !job.StartsAt.Before(next) || !job.EndsAt.After(day) {
			continue
		}
		before, after := a.buffers(job.JobType)
		line := a.bookingLine(job)
		d.Entries = append(d.Entries, agendaEntry{bookingLine: line, Gap: a.gap(before, after)})
		taken = append(taken, stretch{job.StartsAt, job.EndsAt, before, after, job.Language + " " + a.voice.clock(job.StartsAt), line.Vanished})
		if !line.Vanished && !job.StartsAt.Before(day) {
			minutes += int(job.EndsAt.Sub(job.StartsAt) / time.Minute)
		}
	}
	for _, b := range a.busy {
		if !b.StartsAt.Before(next) || !b.EndsAt.After(day) {
			continue
		}
		d.Entries = append(d.Entries, agendaEntry{
			bookingLine: bookingLine{Span: a.voice.span(b.StartsAt, b.EndsAt), StartsAt: b.StartsAt, EndsAt: b.EndsAt}, Busy: orElse(b.Label, a.voice.say("bookings.busy")),
		})
		taken = append(taken, stretch{from: b.StartsAt, to: b.EndsAt, label: b.Label})
	}
	for i := range d.Entries {
		d.Entries[i].Conflicts = a.conflicts(taken, i)
	}
	d.Bars, d.Hourly, d.Describe = a.bars(day, next, taken), a.hourly(), a.describe(d.Entries)
	slices.SortStableFunc(d.Entries, func(x, y agendaEntry) int { return x.StartsAt.Compare(y.StartsAt) })
	if minutes > 0 {
		d.Hours = a.voice.length(minutes)
	}
	return d
}

// buffers gives what is kept free around a booking of that type.
func (a agenda) buffers(jobType string) (before, after time.Duration) {
	b, f := a.c.BufferBefore, a.c.BufferAfter
	for _, t := range a.c.BuffersByType {
		if t.Type != "" && containsFold(jobType, t.Type) {
			b, f = t.Before, t.After
			break
		}
	}
	return time.Duration(b) * time.Minute, time.Duration(f) * time.Minute
}

func (a agenda) gap(before, after time.Duration) string {
	if before == 0 && after == 0 {
		return ""
	}
	return a.voice.say("bookings.gap", "before", int(before/time.Minute), "after", int(after/time.Minute))
}

// conflicts gives with what a stretch overlaps, or stands closer to than the larger of
// the earlier one's buffer after and the later one's before.
func (a agenda) conflicts(all []stretch, i int) []string {
	one := all[i]
	if one.vanished {
		return nil
	}
	var with []string
	for k, other := range all {
		if k == i || other.vanished {
			continue
		}
		first, second := one, other
		if other.from.Before(one.from) {
			first, second = other, one
		}
		switch gap := max(first.after, second.before); {
		case first.to.After(second.from):
			with = append(with, a.voice.say("bookings.overlaps", "with", other.label))
		case first.to.Add(gap).After(second.from):
			with = append(with, a.voice.say("bookings.close", "with", other.label))
		}
	}
	return with
}

// bars draws a day of 24 hours, whatever the clock did on it.
func (a agenda) bars(day, next time.Time, all []stretch) []bar {
	whole := next.Sub(day).Hours()
	at := func(t time.Time) float64 {
		return 24 * min(max(t.Sub(day).Hours(), 0), whole) / whole
	}
	var bars []bar
	add := func(kind string, from, to time.Time) {
		if x, end := at(from), at(to); end > x {
			bars = append(bars, bar{kind, x, end - x})
		}
	}
	for i, s := range all {
		kind := "booking"
		switch {
		case s.vanished:
			kind = "vanished"
		case len(a.conflicts(all, i)) > 0:
			kind = "conflict"
		case s.before == 0 && s.after == 0 && i >= len(all)-a.busyIn(day, next):
			kind = "busy"
		}
		if !s.vanished {
			add("buffer", s.from.Add(-s.before), s.from)
			add("buffer", s.to, s.to.Add(s.after))
		}
		add(kind, s.from, s.to)
	}
	return bars
}

// busyIn counts the busy entries of a day: they stand behind the bookings.
func (a agenda) busyIn(day, next time.Time) int {
	n := 0
	for _, b := range a.busy {
		if b.StartsAt.Before(next) && b.EndsAt.After(day) {
			n++
		}
	}
	return n
}

func (a agenda) hourly() []tick {
	var ticks []tick
	for hour := 0; hour <= 24; hour += 6 {
		ticks = append(ticks, tick{X: float64(hour), Label: fmt.Sprintf("%02d", hour)})
	}
	return ticks
}

// describe says in words what the drawing of a day shows.
func (a agenda) describe(entries []agendaEntry) string {
	var spans []string
	for _, e := range entries {
		spans = append(spans, e.Span+" "+orElse(e.Busy, e.Language))
	}
	return a.voice.list(spans)
}

func (a agenda) dayOff(day time.Time) string {
	date := day.Format(time.DateOnly)
	for _, off := range a.c.DaysOff {
		if off.From <= date && date <= off.To {
			return orElse(off.Note, a.voice.say("bookings.dayOff"))
		}
	}
	return ""
}

// weeks sums the hours of every week that the page touches.
func (a agenda) weeks(monday, to time.Time) []weekHours {
	var weeks []weekHours
	var all []int64
	for ; monday.Before(to); monday = monday.AddDate(0, 0, 7) {
		minutes, count := 0, 0
		for _, job := range a.jobs {
			if job.VanishedAt.IsZero() && !job.StartsAt.Before(monday) && job.StartsAt.Before(monday.AddDate(0, 0, 7)) {
				minutes += int(job.EndsAt.Sub(job.StartsAt) / time.Minute)
				count++
			}
		}
		weeks = append(weeks, weekHours{
			Title: a.voice.say("bookings.week", "date", a.voice.date(monday)), Bookings: count,
			Hours: orElse(a.voice.length(minutes), "–"),
		})
		all = append(all, int64(minutes))
	}
	for i, minutes := range all {
		weeks[i].Wide = share(minutes, slices.Max(all))
	}
	return weeks
}
