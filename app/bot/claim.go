package bot

import (
	"context"
	"time"

	"github.com/atozbot/atozbot/app"
)

// claim is a claim with what this process knows of it besides.
type claim struct {
	app.Claim
	// before says that an earlier run made it, so that whether anything was posted, and
	// what came back, is not known.
	before    bool
	try       try
	securedAt time.Time // When this process stored it, or its newest attempt.
	// free says that a look begun after the newest try has shown the job still free.
	free      bool
	freeLooks int   // Since the newest try.
	freeAt    int64 // The board of the newest of them.
	// wasTaken says that, since the claim was settled, the job was seen not free. If it is
	// free again after that, somebody has given it back.
	wasTaken bool
	released bool      // Settled as not acted on: nothing stands against another try.
	nextTry  time.Time // No further try before this.
	roundOf  int64     // The paced look of the newest tries, and how many there were.
	inRound  int
	asked    int // How often the details were asked for the outcome.
	askAfter time.Time
	told     bool // That the outcome is not known.
}

// try is what came of the newest attempt.
type try struct {
	look     int64  // The newest board when it was made.
	refusal  string // Its words where it said no, or the question it asked.
	dialog   bool
	took     bool // The answer was no error: the act may well have been done.
	declined bool // The portal surely did not take it: it wants a newer form.
	late     bool // No answer came in time: the portal may still be at it.
	gone     bool // The portal said that the job is no longer there.
	reason   string
}

// mayHaveReached tells whether any attempt can have reached the portal.
func (c *claim) mayHaveReached() bool { return c.Reached || c.before }

// posted notes when the newest attempt was on its way.
func (c *claim) posted(at time.Time) {
	c.PostedAt = at.UTC()
	c.touch()
}

// timeLine writes a claim's times into the job's: those of the first try count, since
// that one tells how quick we were.
func (s *seen) timeLine(c *claim) {
	if s.record.ClaimedAt.IsZero() {
		s.record.ClaimedAt = c.ClaimedAt
	}
	if s.record.PostedAt.IsZero() {
		s.record.PostedAt = c.PostedAt
	}
}

// touch gives a changed claim a new version.
func (c *claim) touch() { c.Version = nextVersion(c.Version, time.Now()) }

// secure gives the claim under which the act may be made now: a new one, stored before
// anything is posted, or the one that the job has, with its next attempt. nil: nothing
// may be posted.
func (r *run) secure(s *seen, act app.Act) *claim {
	if err := r.mayAct(); err != nil {
		r.recordsAway(err)
		r.unfinished = true
		return nil
	}
	r.settleFirst()
	if c := s.claim(act); c != nil {
		return r.again(s, c)
	}
	return r.first(s, act)
}

func (r *run) mayAct() error {
	if r.bot.ledger.waiting() > actUpTo {
		return app.Errorf(app.CodeUnavailable, "too much waits to be recorded")
	}
	b := r.bot
	_, err := read(r.looking, b, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, b.records.MayAct(ctx, b.account)
	})
	return err
}

// settleFirst waits a moment for outcomes to be stored, so that a claim that came to
// nothing does not stand in the way of the next.
func (r *run) settleFirst() {
	if !r.freedNow {
		return
	}
	r.freedNow = false
	r.flush()
	r.bot.savedWithin(r.looking, patienceSave)
}

// first makes a job's first claim.
func (r *run) first(s *seen, act app.Act) *claim {
	now := time.Now().UTC()
	wanted := app.Claim{
		ID: app.NewID(now), AccountID: r.bot.account, SessionID: r.session.ID,
		Number: s.job.Number, Ref: s.job.Ref, Act: act, Epoch: r.lease.Load().Epoch, Attempt: 1,
		RulesVersion: r.config.Version, ClaimedAt: now,
		StartsAt: s.decision.StartsAt, EndsAt: s.decision.EndsAt,
		Language: s.job.Language, JobType: r.typeOf(s), Version: 1,
	}
	stored, ok := r.claimed(s, wanted)
	if !ok {
		return nil
	}
	c := &claim{Claim: stored, securedAt: time.Now()}
	r.keep(s, c)
	r.tally.take(stored)
	// The job's row was on its way while the details were read and the claim was made.
	// After a crash it tells more than the claim alone, so it gets a moment.
	r.bot.savedWithin(r.looking, patienceRow)
	return c
}

// claimed has a claim, or its next attempt, stored under the lease, and tells whether
// anything may be posted under it.
func (r *run) claimed(s *seen, wanted app.Claim) (app.Claim, bool) {
	var refused error // By the check; read only where the records have answered.
	b, set, others := r.bot, r.rules, r.tally.others
	stored, err := await(r.looking, b, func(ctx context.Context) (app.Claim, error) {
		return b.records.Claim(ctx, wanted, func(t app.Tally) error {
			t.Bookings = withOthers(t.Bookings, others)
			refused = set.Recheck(wanted, t, time.Now())
			return refused
		})
	})
	switch {
	case err == nil:
		r.recordsBack()
		return stored, true
	case r.over():
	case app.CodeOf(err) != app.CodeConflict:
		r.recordsAway(err)
		r.unfinished = true
	case stored.ID != "" && (stored.ID != wanted.ID || wanted.Attempt > 1):
		r.adoptClaim(s, stored)
	case refused != nil:
		r.outdone(s, refused)
	default:
		b.log.Warn("a claim was refused, and the lease may be lost", "job", s.job.Number, "error", err)
		r.unfinished = true
	}
	return app.Claim{}, false
}

// adoptClaim takes over a claim that was made elsewhere: by an earlier run, or under a
// save that seemed to fail.
func (r *run) adoptClaim(s *seen, stored app.Claim) {
	c := &claim{Claim: stored, before: true}
	c.try.look = r.look
	r.keep(s, c)
	r.unfinished = true
	r.tally.readAt = time.Time{}
}

// outdone leaves a job that another claim excludes.
func (r *run) outdone(s *seen, why error) {
	s.record.RejectionReason = why.Error()
	r.put(s)
	s.basis = basis{}
	r.tally.readAt = time.Time{} // What is taken is not what was known here.
	r.unfinished = true
}

// again makes the next attempt under the claim that the job has. It is stored before the
// post, like the first.
func (r *run) again(s *seen, c *claim) *claim {
	next := c.Claim
	next.Attempt++
	next.Epoch = r.lease.Load().Epoch
	next.RulesVersion = r.config.Version
	next.Outcome, next.OutcomeAt, next.Detail = "", time.Time{}, ""
	next.Reached = c.mayHaveReached()
	reopened := c.Settled()
	if reopened {
		next.SessionID = r.session.ID
	}
	next.StartsAt, next.EndsAt = s.decision.StartsAt, s.decision.EndsAt
	if err := r.rules.Recheck(next, r.tally.now, time.Now()); err != nil {
		r.outdone(s, err)
		return nil
	}
	next.Version = nextVersion(next.Version, time.Now())
	stored, ok := r.claimed(s, next)
	if !ok {
		return nil
	}
	next = stored
	c.Claim = next
	r.keep(s, c)
	c.securedAt = time.Now()
	c.before = false
	c.free, c.freeLooks, c.freeAt = false, 0, 0
	c.wasTaken, c.released, c.told = false, false, false
	c.asked, c.askAfter = 0, time.Time{}
	if reopened {
		r.tally.take(next)
	}
	return c
}
