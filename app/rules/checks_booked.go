package rules

import (
	"strconv"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/rules/wallclock"
)

// buffer is the time kept free around a booking.
type buffer struct{ before, after time.Duration }

func (b buffer) atLeast(o buffer) buffer {
	return buffer{max(b.before, o.before), max(b.after, o.after)}
}

// typeBuffer is the buffer of jobs whose type holds a phrase.
type typeBuffer struct {
	phrase
	buffer
}

// boundBuffers prepares the least and the most that a job of unknown type can need.
func (s *Set) boundBuffers() {
	s.leastBuffers, s.mostBuffers = s.buffers, s.buffers
	for _, t := range s.typeBuffers {
		s.mostBuffers = s.mostBuffers.atLeast(t.buffer)
		s.leastBuffers.before = min(s.leastBuffers.before, t.before)
		s.leastBuffers.after = min(s.leastBuffers.after, t.after)
	}
}

// buffersOf gives the buffers of a job type. Where several phrases stand in it, the
// larger of their buffers count; where none does, the general ones.
func (s *Set) buffersOf(typ text) buffer {
	var b buffer
	found := false
	for _, t := range s.typeBuffers {
		if typ.has(t.phrase) {
			b = b.atLeast(t.buffer)
			found = true
		}
	}
	if !found {
		return s.buffers
	}
	return b
}

// booked counts the firm bookings that begin from one day up to another, and their
// minutes, but for the job's own.
func (s *Set) booked(x *subject, from, to wallclock.Day) (count, minutes int) {
	return countBooked(x.tally.Bookings, x.job.Number, from.Start(s.zone), to.Start(s.zone))
}

func countBooked(bookings []app.Booking, except string, from, to time.Time) (count, minutes int) {
	for i := range bookings {
		b := &bookings[i]
		if b.Firm && !b.StartsAt.Before(from) && b.StartsAt.Before(to) && !own(b, except) {
			count++
			if d := b.EndsAt.Sub(b.StartsAt); d > 0 {
				minutes += int(d / time.Minute)
			}
		}
	}
	return count, minutes
}

// own tells whether a booking is the job's itself: a claim that is tried again.
func own(b *app.Booking, number string) bool { return number != "" && b.Number == number }

// taken gives how many of the session's places are taken by others than the job.
func taken(tally *app.Tally, number string) int {
	if tally.Session == 0 {
		return 0
	}
	for i := range tally.Bookings {
		if b := &tally.Bookings[i]; b.Firm && own(b, number) {
			return tally.Session - 1
		}
	}
	return tally.Session
}

// capSession wants a place left in the session.
func (s *Set) capSession(x *subject) answer {
	return x.limit(taken(x.tally, x.job.Number), s.maxSession, " accepted in this session")
}

// capDay wants a place left on the appointment's day.
func (s *Set) capDay(x *subject) answer {
	if s.maxDay == 0 {
		return answer{held: app.Yes, wanted: "any number a day", reason: "No number a day is set."}
	}
	if x.day == wallclock.NoDay {
		return x.unknownTime(x.most(s.maxDay))
	}
	n, _ := s.booked(x, x.day, x.day+1)
	return x.limit(n, s.maxDay, " booked on that day")
}

// capWeek wants a place left in the appointment's week, Monday to Sunday.
func (s *Set) capWeek(x *subject) answer {
	if s.maxWeek == 0 {
		return answer{held: app.Yes, wanted: "any number a week", reason: "No number a week is set."}
	}
	if x.day == wallclock.NoDay {
		return x.unknownTime(x.most(s.maxWeek))
	}
	monday := x.day.Monday()
	n, _ := s.booked(x, monday, monday+7)
	return x.limit(n, s.maxWeek, " booked in that week")
}

func (x *subject) most(n int) string {
	if !x.told {
		return ""
	}
	return strconv.Itoa(n) + " at most"
}

// limit answers for a cap of which n are taken.
func (x *subject) limit(n, most int, what string) answer {
	a := answer{held: app.Yes}
	if n >= most {
		a.held = app.No
	}
	if !x.told {
		return a
	}
	count, limit := strconv.Itoa(n), strconv.Itoa(most)
	a.saw, a.wanted = count+what, "fewer than "+limit
	if a.held == app.No {
		a.reason = "The limit is reached: " + count + " of " + limit + what + "."
	} else {
		a.reason = count + " of " + limit + what + "."
	}
	return a
}

// hoursDay wants the hours of the appointment's day to stay within their limit. An
// appointment over midnight counts for the day on which it begins.
func (s *Set) hoursDay(x *subject) answer {
	if s.maxMinutesDay == 0 {
		return answer{held: app.Yes, wanted: "any hours a day", reason: "No hours a day are set."}
	}
	a := answer{held: app.Yes}
	if x.told {
		a.wanted = writeMinutes(s.maxMinutesDay) + " a day at most"
	}
	if !x.appointmentKnown {
		return x.unknownTime(a.wanted)
	}
	_, booked := s.booked(x, x.day, x.day+1)
	sum := booked + x.job.DurationMinutes
	if sum > s.maxMinutesDay {
		a.held = app.No
		a.reason = x.say("That day would have ", x.minutes(sum), "; you want ", x.minutes(s.maxMinutesDay), " at most.")
	} else {
		a.reason = x.say("That day would have ", x.minutes(sum), ".")
	}
	a.saw = x.say(x.minutes(sum), " with this job")
	return a
}

// overlap wants the time free, with the buffers.
//
// Between two bookings the gap has to be the larger of what the earlier one needs after
// it and what the later one needs before it; one that ends when the next begins overlaps
// nothing. An entry of a busy calendar has no buffers of its own: the job's stand around
// it. avoid_overlap switched off lets bookings overlap each other, and still keeps the
// calendars: they are the user's own word on when there is no time, and are taken away
// where they are set.
func (s *Set) overlap(x *subject) answer {
	if !x.appointmentKnown {
		return x.unknownTime(s.overlapWanted)
	}
	a := answer{held: app.Yes, saw: x.when(s.zone), wanted: s.overlapWanted}
	least, most := s.jobBuffers(x)
	b := s.conflict(x.tally.Bookings, x.job.Number, x.start, x.end, most)
	if b == nil {
		a.reason = "The time is free."
		return a
	}
	if least != most {
		// Of unknown type: certain only where the least buffers collide too.
		if sure := s.conflict(x.tally.Bookings, x.job.Number, x.start, x.end, least); sure != nil {
			b = sure
		} else {
			a = x.noType(s.overlapWanted)
			a.reason = x.say("Whether its buffers touch ", s.label(b), " depends on its type. ", a.reason)
			return a
		}
	}
	a.held = app.No
	if x.told {
		a.reason = s.collision(b, x.start, x.end)
	}
	return a
}

// jobBuffers gives the least and the most that the job can need.
func (s *Set) jobBuffers(x *subject) (least, most buffer) {
	if len(s.typeBuffers) == 0 {
		return s.buffers, s.buffers
	}
	if x.typState != typeKnown {
		return s.leastBuffers, s.mostBuffers
	}
	b := s.buffersOf(x.typ)
	return b, b
}

// conflict gives the earliest booking that a job from start to end, with its buffers,
// collides with, and nil where there is none. The order of the bookings is no matter.
func (s *Set) conflict(bookings []app.Booking, number string, start, end time.Time, need buffer) *app.Booking {
	// Most are far away: told without looking at their type.
	until := end.Add(max(need.after, s.mostBuffers.before))
	since := start.Add(-max(need.before, s.mostBuffers.after))
	var found *app.Booking
	for i := range bookings {
		b := &bookings[i]
		if !b.StartsAt.Before(until) || !b.EndsAt.After(since) {
			continue
		}
		if b.StartsAt.IsZero() || own(b, number) || b.Firm && !s.avoidOverlap {
			continue
		}
		if s.collides(b, start, end, need) && (found == nil || earlier(b, found)) {
			found = b
		}
	}
	return found
}

func (s *Set) collides(b *app.Booking, start, end time.Time, need buffer) bool {
	var theirs buffer
	switch {
	case !b.Firm:
	case len(s.typeBuffers) == 0:
		theirs = s.buffers
	case !hasWord(b.JobType):
		theirs = s.mostBuffers // Booked, and its type was never read: the careful reading.
	default:
		theirs = s.buffersOf(fold(b.JobType))
	}
	jobFirst := b.StartsAt.Sub(end) >= max(need.after, theirs.before)
	jobLast := start.Sub(b.EndsAt) >= max(need.before, theirs.after)
	return !jobFirst && !jobLast
}

// earlier orders bookings, so that the trace does not depend on how they were listed.
func earlier(a, b *app.Booking) bool {
	if !a.StartsAt.Equal(b.StartsAt) {
		return a.StartsAt.Before(b.StartsAt)
	}
	if a.Number != b.Number {
		return a.Number < b.Number
	}
	return a.Label < b.Label
}

func (s *Set) label(b *app.Booking) string {
	label := b.Label
	if label == "" {
		label = b.Number
	}
	if label == "" {
		label = "a busy calendar"
	}
	return label + " (" + writeTimes(b.StartsAt, b.EndsAt, s.zone) + ")"
}

// collision says in a sentence what a job from start to end collides with.
func (s *Set) collision(b *app.Booking, start, end time.Time) string {
	if start.Before(b.EndsAt) && b.StartsAt.Before(end) {
		return "It overlaps " + s.label(b) + "."
	}
	return "It comes too close to " + s.label(b) + ": the buffer between them would not be free."
}
