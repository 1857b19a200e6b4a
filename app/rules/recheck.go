package rules

import (
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/rules/wallclock"
)

// Recheck asks again, under the claim and with the tally as it is there, what another
// claim can have changed since the decision: the caps, the overlap with its buffers, and
// that the appointment has not begun. It gives nil, or an *app.Error with
// [app.CodeConflict] and the reason as its sentence.
//
// What the tally holds of the same job is the claim itself, tried again, and speaks
// neither against it nor for it. A claim to accept whose appointment is not known is
// refused: nothing could be said of what it overlaps.
func (s *Set) Recheck(claim app.Claim, tally app.Tally, now time.Time) error {
	if claim.Act == app.ActReject {
		return s.recheckReject(claim, tally)
	}
	if claim.StartsAt.IsZero() || claim.EndsAt.Before(claim.StartsAt) {
		return app.Errorf(app.CodeConflict, "When it takes place is not known, so nothing can be said of what it overlaps.")
	}
	// The checks of the decision are asked once more, about a job made of the claim.
	day := wallclock.DayIn(s.zone, claim.StartsAt)
	x := subject{
		job: &app.Job{
			Number: claim.Number, Ref: claim.Ref, Language: claim.Language,
			DurationMinutes: int(claim.EndsAt.Sub(claim.StartsAt) / time.Minute),
			Details:         &app.Details{Type: claim.JobType},
		},
		tally: &tally, now: now, told: true, fold: fold,
		appointment: appointment{appointmentKnown: true, start: claim.StartsAt, end: claim.EndsAt, day: day},
	}
	x.readType()
	for _, check := range []func(*Set, *subject) answer{
		(*Set).notPast, (*Set).capSession, (*Set).capDay, (*Set).capWeek, (*Set).hoursDay, (*Set).overlap,
	} {
		if a := check(s, &x); a.held != app.Yes {
			return app.Errorf(app.CodeConflict, "%s", a.reason)
		}
	}
	return nil
}

func (s *Set) recheckReject(claim app.Claim, tally app.Tally) error {
	if !s.rejectExcluded {
		return app.Errorf(app.CodeConflict, "Rejecting is switched off.")
	}
	// A second attempt takes no second place.
	if n := tally.Rejected; claim.Attempt <= 1 && s.maxRejected > 0 && n >= s.maxRejected {
		return app.Errorf(app.CodeConflict, "The limit of rejections in this session is reached: %d of %d.", n, s.maxRejected)
	}
	return nil
}
