package bot

import (
	"time"

	"github.com/atozbot/atozbot/app"
)

// Bounds of watching what is booked.
const (
	watchEvery = 10 * time.Second // Between two details pages asked for, at least,
	watchLooks = 5                // and as many looks.
)

// watch follows the acceptances whose appointment is still to come, so that one which
// vanishes from the portal is noticed. It costs one page now and then.
type watch struct {
	booked []*seen // Asked for in turn, the first next.
	last   time.Time
	look   int64
}

// add follows a booking.
func (w *watch) add(s *seen) {
	for _, known := range w.booked {
		if known == s {
			return
		}
	}
	w.booked = append(w.booked, s)
}

// watchBookings looks after the bookings: at once after one whose row has gone or
// changed, and after the others in turn.
func (r *run) watchBookings() {
	r.forgetPast()
	for _, s := range r.watch.booked {
		s.onBoard(r)
	}
	s := r.nextToWatch()
	if s == nil || r.over() || r.halted {
		return
	}
	r.watch.last, r.watch.look = time.Now(), r.round
	r.watchOne(s)
}

// onBoard notes what the newest board shows of a booking.
func (s *seen) onBoard(r *run) {
	if s.accept != nil && s.accept.try.look == r.look {
		return // That board is older than the booking.
	}
	state := bookingAbsent
	switch {
	case s.look == r.look && s.double:
		state = bookingUnclear
	case s.look == r.look && s.job.State == app.StateOurs:
		state = bookingShown
	case s.look == r.look:
		state = bookingOther
	case !r.board.Complete:
		state = s.booking
	}
	if state != s.booking {
		// A booking that was shown and is not any more is looked after at once, and so is
		// one whose row says something else.
		s.alarmed = state != bookingShown && (s.booking == bookingShown || state == bookingOther)
		s.booking = state
	}
	if state == bookingShown && !s.record.VanishedAt.IsZero() {
		r.backAgain(s)
	}
}

// booking is where a booking stands on the board.
type booking int

const (
	bookingUnknown booking = iota
	bookingShown           // As ours.
	bookingAbsent
	bookingOther   // Its row says that it is not ours.
	bookingUnclear // Its row cannot be relied upon.
)

// nextToWatch gives the booking whose page is to be asked for now; nil where none is.
func (r *run) nextToWatch() *seen {
	w := &r.watch
	for _, s := range w.booked {
		if s.alarmed && time.Now().After(s.details.after) {
			return s
		}
	}
	if time.Since(w.last) < watchEvery || r.round-w.look < watchLooks {
		return nil
	}
	for i, s := range w.booked {
		if s.booking != bookingShown && s.record.VanishedAt.IsZero() && time.Now().After(s.details.after) {
			w.booked = append(append(w.booked[:i:i], w.booked[i+1:]...), s)
			return s
		}
	}
	return nil
}

// watchOne asks a booking's page whether it is still ours. Only a page that says no is
// believed; one that cannot be read says nothing.
func (r *run) watchOne(s *seen) {
	page, err := r.askDetails(r.reachable(s))
	if err != nil {
		r.unfinished = r.unfinished || s.alarmed
		return
	}
	s.alarmed = false
	switch {
	case page == nil:
		r.vanished(s, "the portal says that it is no longer there")
	case page.State == app.StateGone:
		r.vanished(s, "the portal says: "+page.StatusText)
	case page.State == app.StateMatched:
		r.vanished(s, "the portal offers it again")
	case page.State == app.StateOurs:
		r.checkType(s, page)
		if !s.record.VanishedAt.IsZero() {
			r.backAgain(s)
		}
	}
}

// vanished notes that an acceptance is no longer on the user's list, and tells it.
func (r *run) vanished(s *seen, why string) {
	if !s.record.VanishedAt.IsZero() {
		return
	}
	s.record.VanishedAt = time.Now().UTC()
	s.record.NeedsUser = "It is no longer on your list: " + why + "."
	r.put(s)
	message := "No longer on your list: " + s.name() + " (" + why + ")."
	r.tellJob(s, app.EventJobVanished, message)
	r.note(levelWarning, message)
	r.bot.log.Warn("an acceptance has vanished", "job", s.record.Ref, "why", why)
	r.tally.readAt = time.Time{}
	r.flush()
}

// backAgain notes that a vanished acceptance is ours again.
func (r *run) backAgain(s *seen) {
	s.record.VanishedAt, s.record.NeedsUser = time.Time{}, ""
	r.put(s)
	message := "Back on your list: " + s.name() + "."
	r.tellJob(s, app.EventJobChanged, message)
	r.note(levelInfo, message)
	r.tally.readAt = time.Time{}
}

// checkType opens the breaker where a booking's page now names a type that the user
// excludes, and another than it named when it was accepted.
func (r *run) checkType(s *seen, page *app.Details) {
	if page.Type == "" || page.Type == s.record.JobType || s.typeChecked {
		return
	}
	s.typeChecked = true
	job := s.job
	job.Details = page
	d := r.rules.Decide(job, app.Tally{}, time.Now())
	for _, check := range d.Checks {
		if check.Rule == ruleExcluded && check.Held == app.No {
			r.trip(tripWrong, s.name()+" was accepted as "+s.record.JobType+", and is now shown as "+page.Type+".")
			return
		}
	}
}

// ruleExcluded is the name of the rule about excluded types.
const ruleExcluded = "excluded_type"

// acceptedChanged tells that a booking is shown otherwise than before.
func (r *run) acceptedChanged(s *seen, before app.JobRecord) {
	now := s.record
	if c := s.accept; c != nil && !now.StartsAt.IsZero() && !(now.StartsAt.Equal(c.StartsAt) && now.EndsAt.Equal(c.EndsAt)) {
		r.tally.free(c.Claim)
		c.StartsAt, c.EndsAt = now.StartsAt, now.EndsAt
		r.tally.take(c.Claim)
		c.touch()
		r.step.claim(c.Claim)
	}
	message := "Changed on the portal: " + s.name() + ", was " + when(before) + ", is " + when(now) + "."
	r.tellJob(s, app.EventJobChanged, message)
	r.note(levelWarning, message)
}

func when(j app.JobRecord) string {
	return j.Date + " " + j.Time + " (" + j.DurationText + ")"
}

// forgetPast lets go of bookings whose appointment is over.
func (r *run) forgetPast() {
	now := time.Now()
	kept := r.watch.booked[:0]
	for _, s := range r.watch.booked {
		if s.ours() && (s.record.EndsAt.IsZero() || s.record.EndsAt.After(now)) {
			kept = append(kept, s)
		}
	}
	clear(r.watch.booked[len(kept):])
	r.watch.booked = kept
}
