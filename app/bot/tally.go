package bot

import (
	"context"
	"slices"
	"time"

	"github.com/atozbot/atozbot/app"
)

// tallyEvery is how often the records are asked what is taken, while nothing of ours
// changes it: busy calendars do, and other sessions.
const tallyEvery = 5 * time.Second

// tally is what the account has taken, as far as this process knows: what the records
// say, what was claimed and settled since, and what the board shows to be ours though no
// act of ours booked it.
type tally struct {
	now     app.Tally // All of it: for deciding.
	stored  app.Tally // The records', kept in step with our own claims.
	others  []app.Booking
	version int64 // Grows with every change.
	readAt  time.Time
}

// changed has everything decided anew that a tally counts for.
func (t *tally) changed() {
	t.now = t.stored
	t.now.Bookings = withOthers(t.stored.Bookings, t.others)
	t.version++
}

// withOthers adds bookings that are not among the first, of which there may be thousands.
func withOthers(bookings, others []app.Booking) []app.Booking {
	if len(others) == 0 {
		return bookings
	}
	known := make(map[string]bool, len(others))
	for i := range others {
		known[others[i].Number] = false
	}
	for i := range bookings {
		if _, among := known[bookings[i].Number]; among {
			known[bookings[i].Number] = true
		}
	}
	all := slices.Clip(bookings)
	for _, o := range others {
		if !known[o.Number] {
			all = append(all, o)
		}
	}
	return all
}

// replace takes over what the records say, and counts a change only where there is one.
func (t *tally) replace(stored app.Tally) {
	same := stored.Session == t.stored.Session && stored.Rejected == t.stored.Rejected &&
		slices.EqualFunc(stored.Bookings, t.stored.Bookings, equalBookings)
	t.stored = stored
	if !same {
		t.changed()
	}
}

func equalBookings(a, b app.Booking) bool {
	return a.Number == b.Number && a.Label == b.Label && a.JobType == b.JobType && a.Firm == b.Firm &&
		a.StartsAt.Equal(b.StartsAt) && a.EndsAt.Equal(b.EndsAt)
}

// adopt counts an earlier session's open claim for this one. Its time is booked already.
func (t *tally) adopt(c app.Claim) {
	if c.Act == app.ActReject {
		t.stored.Rejected++
	} else {
		t.stored.Session++
	}
	t.changed()
}

// take counts a claim that was made.
func (t *tally) take(c app.Claim) {
	if c.Act == app.ActAccept {
		// Nothing but this appends to the stored ones, so whoever holds them keeps what they saw.
		t.stored.Bookings = append(t.stored.Bookings, app.Booking{
			Number: c.Number, Label: c.Ref, JobType: c.JobType, StartsAt: c.StartsAt, EndsAt: c.EndsAt, Firm: true,
		})
	}
	t.adopt(c)
}

// free counts a claim no longer: it came to nothing.
func (t *tally) free(c app.Claim) {
	if c.Act == app.ActReject {
		t.stored.Rejected = max(t.stored.Rejected-1, 0)
	} else {
		t.stored.Session = max(t.stored.Session-1, 0)
		t.stored.Bookings = slices.DeleteFunc(slices.Clone(t.stored.Bookings), func(b app.Booking) bool { return b.Number == c.Number && b.Firm })
	}
	t.changed()
}

// countOurs counts the rows that are ours though no act of ours booked them.
func (r *run) countOurs() {
	var others []app.Booking
	for _, s := range r.here {
		if s.job.State != app.StateOurs {
			continue
		}
		start, end, ok := r.rules.BusyTimes(s.job)
		if ok {
			others = append(others, app.Booking{Number: s.job.Number, Label: s.name(), JobType: s.record.JobType, StartsAt: start, EndsAt: end, Firm: true})
		}
	}
	if !slices.EqualFunc(others, r.tally.others, equalBookings) {
		r.tally.others = others
		r.tally.changed()
	}
}

// refreshTally asks the records again now and then, when nothing waits to be done. While
// something of ours is not stored yet, their answer would be older than what is known
// here.
func (r *run) refreshTally() {
	if time.Since(r.tally.readAt) >= tallyEvery && r.bot.savedWithin(r.looking, patienceRow) {
		r.readTally()
	}
}

func (r *run) readTally() bool {
	b := r.bot
	from := r.rules.TallyFrom(time.Now())
	stored, err := read(r.looking, b, func(ctx context.Context) (app.Tally, error) {
		return b.records.Tally(ctx, b.account, r.session.ID, from)
	})
	if err != nil {
		r.recordsAway(err)
		return false
	}
	r.recordsBack()
	r.tally.readAt = time.Now()
	before := r.tally.version
	r.tally.replace(stored)
	r.stirred = r.stirred || r.tally.version != before
	r.tellCap()
	return true
}

// capReached tells whether the session has accepted all that it may. A claim whose
// outcome is not known takes a place too, but may give it back.
func (r *run) capReached() bool {
	open := 0
	for _, s := range r.openClaims() {
		if c := s.accept; c != nil && !c.Settled() && c.SessionID == r.session.ID {
			open++
		}
	}
	return r.tally.now.Session-open >= r.config.MaxAcceptPerRun
}

// tellCap tells once that the cap is reached, and again when it was raised and is
// reached anew.
func (r *run) tellCap() {
	reached := r.capReached()
	if reached && !r.capTold {
		message := "The limit of this session is reached: nothing more is accepted until it is raised or a new session begins."
		r.tellBot(app.EventCapReached, message)
		r.note(levelInfo, message)
	}
	r.capTold = reached
}
