package bot

import (
	"context"
	"time"

	"github.com/atozbot/atozbot/app"
)

// settle records a claim's outcome, and everything that follows from it.
func (r *run) settle(s *seen, c *claim, outcome app.Outcome, why string) {
	now := time.Now().UTC()
	wasOpen := !c.Settled()
	c.SessionID = r.session.ID // The session that learns of it counts it, in the same record.
	c.Reached = c.mayHaveReached()
	c.Outcome, c.OutcomeAt, c.Detail = outcome, now, why
	c.touch()
	c.wasTaken = !s.matchedNow(r.valid)

	rec := &s.record
	r.ensureRecorded(s, c)
	rec.Status = statusOf(outcome)
	rec.RejectionReason, rec.ConfirmedAt = why, now
	if outcome != app.OutcomeRefused {
		rec.NeedsUser = ""
	}
	s.timeLine(c)
	r.count(s, c, wasOpen)
	r.step.claim(c.Claim)
	r.put(s)
	r.saveSession()
	r.tellOutcome(s, c)
	r.flush()
	r.bot.publish()
}

// count keeps the counters, the tally and the breaker in step with an outcome.
func (r *run) count(s *seen, c *claim, wasOpen bool) {
	b := r.bot
	switch c.Outcome {
	case app.OutcomeAccepted:
		s.record.RejectionReason, s.record.VanishedAt = "", time.Time{}
		r.session.TotalAccepted++
		if !wasOpen {
			r.tally.take(c.Claim)
		}
		b.breaker.won(time.Now())
		r.digest.accepted++
		r.watch.add(s)
		r.tellCap()
	case app.OutcomeRejected:
		r.session.TotalRejected++
		b.breaker.errors = 0
		r.digest.rejected++
	case app.OutcomeRefused:
		r.countRefusal(s)
		fallthrough
	default:
		if wasOpen {
			r.tally.free(c.Claim)
			r.freedNow = true
		}
		r.digest.lost++
	}
}

// ensureRecorded makes a row for a job that is known by its claim alone: the process
// died between the claim and the row.
func (r *run) ensureRecorded(s *seen, c *claim) {
	if s.recorded {
		return
	}
	s.familiar, s.recorded = true, true
	length := c.EndsAt.Sub(c.StartsAt)
	local := c.StartsAt.In(r.rules.Location())
	s.record = app.JobRecord{
		ID: app.NewID(c.ClaimedAt), AccountID: c.AccountID, SessionID: c.SessionID, Source: app.SourceBuiltIn,
		Number: c.Number, Ref: c.Ref, Language: c.Language, JobType: c.JobType,
		StartsAt: c.StartsAt, EndsAt: c.EndsAt, DurationMinutes: int(length / time.Minute),
		Status: app.JobMatched, Verdict: verdictOf(c.Act),
		SeenAt: c.ClaimedAt, LastSeenAt: c.ClaimedAt, DecidedAt: c.ClaimedAt, ClaimedAt: c.ClaimedAt,
		CreatedAt: time.Now().UTC(),
	}
	if !c.StartsAt.IsZero() {
		s.record.Date, s.record.Time = local.Format("2006-01-02"), local.Format("15:04")
	}
	if s.look > 0 {
		r.describe(s)
	}
}

func verdictOf(act app.Act) app.Verdict {
	if act == app.ActReject {
		return app.VerdictReject
	}
	return app.VerdictAccept
}

func statusOf(o app.Outcome) app.JobStatus {
	switch o {
	case app.OutcomeAccepted:
		return app.JobAccepted
	case app.OutcomeRejected:
		return app.JobRejected
	case app.OutcomeLost:
		return app.JobLost
	case app.OutcomeRefused:
		return app.JobRefused
	case app.OutcomeFailed:
		return app.JobFailed
	default:
		return app.JobUnknown
	}
}

// tellOutcome tells everyone watching what became of a try.
func (r *run) tellOutcome(s *seen, c *claim) {
	kind, words := app.EventJobUnknown, "It is not known yet whether it was taken: "
	switch c.Outcome {
	case app.OutcomeAccepted:
		kind, words = app.EventJobAccepted, "Accepted: "
	case app.OutcomeRejected:
		kind, words = app.EventJobRejected, "Rejected: "
	case app.OutcomeLost:
		kind, words = app.EventJobLost, "Lost: "
	case app.OutcomeRefused:
		kind, words = app.EventJobRefused, "Refused: "
	case app.OutcomeFailed:
		kind, words = app.EventJobFailed, "Failed: "
	}
	message := words + s.name() + ". " + c.Detail
	r.tellJob(s, kind, message)
	r.note(levelInfo, message)
	r.bot.log.Info("settled", "act", c.Act, "job", c.Ref, "outcome", c.Outcome, "why", c.Detail, "attempts", c.Attempt)
}

// tellUnknown records once that an outcome is not known yet.
func (r *run) tellUnknown(s *seen, c *claim) {
	if c.told {
		return
	}
	c.told = true
	r.ensureRecorded(s, c)
	c.Outcome, c.OutcomeAt = app.OutcomeUnknown, time.Now().UTC()
	c.touch()
	s.record.Status = app.JobUnknown
	s.record.RejectionReason = "It was tried (" + c.try.reason + "), and what came of it is asked again."
	r.step.claim(c.Claim)
	r.put(s)
	r.tellOutcome(s, c)
	r.flush()
}

// leaveUnknown is what becomes of open claims when the session ends: the next start
// settles them.
func (r *run) leaveUnknown() {
	for _, s := range r.openClaims() {
		r.tellUnknown(s, s.open())
	}
}

// giveUp lets go of a try that was not taken and that nobody wants any more: the job is
// still free, and simply was not acted on.
func (r *run) giveUp(s *seen) {
	if c := s.open(); c != nil && c.free {
		r.release(s, c, "The portal did not take the try, and it is no longer wanted. "+s.decision.Reason)
	}
}

// release settles a claim under which nothing was done.
func (r *run) release(s *seen, c *claim, why string) {
	c.Outcome, c.OutcomeAt, c.Detail = app.OutcomeFailed, time.Now().UTC(), why
	c.Reached = c.mayHaveReached()
	c.touch()
	c.released = true
	r.freedNow = true
	r.tally.free(c.Claim)
	s.record.Status = app.JobMatched
	s.record.RejectionReason = why
	r.step.claim(c.Claim)
	r.put(s)
	r.flush()
}

// restore learns what earlier runs left: claims to settle, bookings to watch, what is
// taken. Until that is known, nothing is posted.
func (r *run) restore() {
	if r.restored || r.rules == nil || r.over() {
		return
	}
	b := r.bot
	if !b.savedWithin(r.looking, patienceSave) {
		r.unfinished = true // What an earlier session of this process did is not there to be read yet.
		return
	}
	type past struct {
		open    []app.Claim
		watched []app.JobRecord
	}
	p, err := read(r.looking, b, func(ctx context.Context) (past, error) {
		open, err := b.records.Unsettled(ctx, b.account)
		if err != nil {
			return past{}, err
		}
		watched, err := b.records.Watched(ctx, b.account, time.Now())
		return past{open, watched}, err
	})
	if err != nil {
		r.recordsAway(err)
		return
	}
	var numbers []string
	for _, c := range p.open {
		numbers = append(numbers, c.Number)
		r.stranger(c.Number)
	}
	for _, j := range p.watched {
		numbers = append(numbers, j.Number)
		r.stranger(j.Number)
	}
	if !r.acquaintWith(numbers) || !r.readTally() {
		return
	}
	for _, c := range p.open {
		r.reopen(c)
	}
	for _, j := range p.watched {
		r.watch.add(r.seen[j.Number])
		b.breaker.wonAt(j.ConfirmedAt)
	}
	r.restored, r.stirred = true, true
}

// stranger makes room for a job that is known by its number alone.
func (r *run) stranger(number string) {
	if r.seen[number] == nil {
		r.seen[number] = &seen{}
	}
}

// reopen takes up a claim that an earlier run did not settle. It belongs to this session
// now: this one will learn of its outcome, and has to count it.
func (r *run) reopen(c app.Claim) {
	s := r.seen[c.Number]
	if s.claim(c.Act) == nil {
		r.keep(s, &claim{Claim: c, before: true})
	}
	kept := s.claim(c.Act)
	if kept.SessionID != r.session.ID {
		kept.SessionID = r.session.ID
		kept.touch()
		r.step.claim(kept.Claim)
		r.tally.adopt(kept.Claim)
	}
	kept.told = kept.Outcome == app.OutcomeUnknown
	kept.try.reason = "before the bot was started anew"
	if kept.Detail != "" {
		kept.try.reason = kept.Detail
	}
	r.note(levelInfo, "A try for "+c.Ref+" is still to be settled.")
}

// recordsAway tells once that the records cannot be asked or written. The bot goes on
// looking.
func (r *run) recordsAway(err error) {
	if r.over() {
		return
	}
	if r.recordsTrouble == "" {
		r.bot.log.Warn("the records do not answer, so nothing is posted", "error", err)
	}
	r.recordsTrouble = err.Error()
}

// recordsBack notes that the records answer again.
func (r *run) recordsBack() {
	if r.recordsTrouble != "" {
		r.recordsTrouble = ""
		r.bot.log.Info("the records answer again")
	}
}
