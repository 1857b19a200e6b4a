package rules

import (
	"math"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/rules/wallclock"
)

// appointment reads when a job takes place, and why that is not known where it is not.
// A wall-clock time that a clock change leaves out or brings twice is not known.
func (s *Set) appointment(job *app.Job) appointment {
	day, ok := wallclock.ParseDay(job.Date)
	if !ok {
		return appointment{day: wallclock.NoDay, problem: "When it takes place is not known: its date could not be understood."}
	}
	a := appointment{day: day}
	minute, ok := wallclock.ParseMinute(job.Time)
	if !ok || minute == 1440 {
		a.problem = "When it takes place is not known: its time could not be understood."
		return a
	}
	if job.DurationMinutes <= 0 || job.DurationMinutes > maxMinutes {
		a.problem = "When it ends is not known: its duration could not be understood."
		return a
	}
	r := day.At(s.zone, minute)
	switch r.Kind {
	case wallclock.Twice:
		a.problem = "When it takes place is not known: the clock is put back that day and shows " + job.Time + " twice."
	case wallclock.Never:
		a.problem = "When it takes place is not known: the clock is put forward that day and leaves out " + job.Time + "."
	default:
		a.appointmentKnown = true
		a.start, a.end = r.First, r.First.Add(minutes(job.DurationMinutes))
	}
	return a
}

// ResolveAppointment gives the appointment in UTC. ok is false where the day, the time or
// the duration is not understood, and where the wall-clock time exists twice or never.
func (s *Set) ResolveAppointment(job app.Job) (start, end time.Time, ok bool) {
	a := s.appointment(&job)
	return a.start, a.end, a.appointmentKnown
}

// BusyTimes gives the time that a job which is already booked may take: the appointment
// where it is known, and otherwise the longest stretch that it can mean (both readings of
// a time shown twice; up to the end of the day where its duration is not understood; the
// whole day where its time is not). ok is false where not even the day is known. Nothing
// is promised to anybody in time that may be taken.
func (s *Set) BusyTimes(job app.Job) (start, end time.Time, ok bool) {
	a := s.appointment(&job)
	if a.appointmentKnown {
		return a.start, a.end, true
	}
	if a.day == wallclock.NoDay {
		return time.Time{}, time.Time{}, false
	}
	dayEnd := (a.day + 1).Start(s.zone)
	minute, timeKnown := wallclock.ParseMinute(job.Time)
	if !timeKnown || minute == 1440 {
		return a.day.Start(s.zone), dayEnd, true
	}
	r := a.day.At(s.zone, minute)
	start = r.First
	if r.Kind == wallclock.Never {
		start = start.Add(-time.Hour) // Whichever of the two hours around the change was meant.
	}
	if job.DurationMinutes <= 0 || job.DurationMinutes > maxMinutes {
		return start, dayEnd, true
	}
	end = r.Last.Add(minutes(job.DurationMinutes))
	if r.Kind == wallclock.Never {
		end = end.Add(time.Hour)
	}
	return start, end, true
}

// when writes an appointment on the wall clock of the zone.
func (x *subject) when(zone *time.Location) string {
	if !x.told {
		return ""
	}
	if !x.appointmentKnown {
		return x.job.DateText + " " + x.job.TimeText
	}
	if x.times == "" {
		x.times = writeTimes(x.start, x.end, zone)
	}
	return x.times
}

// writeTimes writes "Thu 14 Jan 2027, 14:30 to 15:30".
func writeTimes(from, to time.Time, zone *time.Location) string {
	var b [64]byte
	out := from.In(zone).AppendFormat(b[:0], "Mon 2 Jan 2006, 15:04")
	out = append(out, " to "...)
	layout := "15:04"
	if wallclock.DayIn(zone, from) != wallclock.DayIn(zone, to) {
		layout = "Mon 15:04"
	}
	return string(to.In(zone).AppendFormat(out, layout))
}

// unknownTime is the answer of a rule about a time that is not known.
func (x *subject) unknownTime(wanted string) answer {
	return answer{held: app.Unknown, saw: x.when(nil), wanted: wanted, reason: x.problem}
}

// notice wants enough time between now and the appointment. It says nothing about the
// portal's 24-hour question: a job within 24 hours is tried like any other, and if the
// portal asks, allow_short_notice tells whether the answer may be yes.
func (s *Set) notice(x *subject) answer {
	if s.minNotice == 0 {
		return answer{held: app.Yes, wanted: s.noticeWanted, reason: "Any notice is enough."}
	}
	if !x.appointmentKnown {
		return x.unknownTime(s.noticeWanted)
	}
	left := x.start.Sub(x.now)
	a := answer{held: app.Yes, saw: x.minutes(wholeMinutes(left)), wanted: s.noticeWanted}
	if left < s.minNotice {
		a.held = app.No
		if left <= 0 {
			a.reason = "It has begun already."
			return a
		}
		a.reason = x.say("It begins in ", a.saw, "; you want ", x.minutes(wholeMinutes(s.minNotice)), " at least.")
		return a
	}
	a.reason = x.say("It begins in ", a.saw, ".")
	return a
}

// wholeMinutes rounds down.
func wholeMinutes(d time.Duration) int { return int(math.Floor(d.Minutes())) }

// notPast wants an appointment that has not begun.
func (s *Set) notPast(x *subject) answer {
	const wanted = "an appointment to come"
	if !x.appointmentKnown {
		return x.unknownTime(wanted)
	}
	a := answer{held: app.Yes, saw: x.when(s.zone), wanted: wanted, reason: "It is still to come."}
	if !x.start.After(x.now) {
		a.held = app.No
		a.reason = "It has begun already, or is over."
	}
	return a
}

// withinHours wants the whole appointment within the weekly hours.
func (s *Set) withinHours(x *subject) answer {
	if !s.hours.set {
		return answer{held: app.Yes, wanted: s.hoursWanted, reason: "Any hour is accepted."}
	}
	if !x.appointmentKnown {
		return x.unknownTime(s.hoursWanted)
	}
	a := answer{held: app.Yes, saw: x.when(s.zone), wanted: s.hoursWanted, reason: "It lies within your hours."}
	if !s.hours.fits(s.zone, x.start, x.end) {
		a.held = app.No
		a.reason = x.say("It does not lie within your hours: ", a.saw, ".")
	}
	return a
}

// notDayOff wants no day that the appointment touches to be a day off. The first moment
// of a day that it ends at does not touch that day.
func (s *Set) notDayOff(x *subject) answer {
	if len(s.daysOff) == 0 {
		return answer{held: app.Yes, wanted: s.daysWanted, reason: "No days off are set."}
	}
	a := answer{held: app.Yes, wanted: s.daysWanted, reason: "It touches no day off."}
	if x.day == wallclock.NoDay {
		return x.unknownTime(s.daysWanted)
	}
	last := x.day
	if x.appointmentKnown {
		last = wallclock.DayIn(s.zone, x.end.Add(-1))
	}
	for _, off := range s.daysOff {
		if off.from <= last && x.day <= off.to {
			a.held = app.No
			if x.told {
				a.saw = off.String()
				a.reason = "You are off: " + a.saw + "."
			}
			return a
		}
	}
	if !x.appointmentKnown {
		return x.unknownTime(s.daysWanted) // How many days it touches is not known.
	}
	if x.told {
		a.saw = x.day.String()
	}
	return a
}
