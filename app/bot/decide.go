package bot

import (
	"time"

	"github.com/atozbot/atozbot/app"
)

// Names of what decides beside the rules.
const (
	ruleStatus = "status"
	ruleAnswer = "answer" // The user's answer to "ask".
)

// clockEvery is how long a decision stands on its own: notice and "not in the past"
// depend on the time.
const clockEvery = 20 * time.Second

// firstDoubt is how long a page is believed that says of a job on the board that it is not
// to be had; the next time twice as long.
const firstDoubt = time.Second

// decide makes the decision about a job that is free, or keeps the one made from the
// same facts.
func (r *run) decide(s *seen) {
	now := time.Now()
	if s.basis == r.basisFor(s) && now.Before(s.redecide) {
		return
	}
	if s.details.notFree() && !now.Before(s.redecide) {
		s.details.doubt() // The board still offers it: perhaps its page does again.
		s.job.Details = nil
	}
	d := r.judge(s, now)
	if d.NeedsDetails && r.needDetails(s) {
		d = r.judge(s, time.Now())
	}
	if d.NeedsDetails && !s.details.read() {
		r.undecided(s)
		return
	}
	s.heedsTally = r.rules.HeedsTally(d)
	s.basis = r.basisFor(s)
	s.redecide = now.Add(s.details.standsFor())
	r.adopt(s, d)
}

func (r *run) basisFor(s *seen) basis {
	b := basis{row: s.row, details: s.details.version, rules: r.config.Version, answer: s.answer}
	if s.heedsTally {
		b.tally = r.tally.version
	}
	return b
}

// judge asks the rules, and lets a page that is gone and the user's answer have their say.
func (r *run) judge(s *seen, now time.Time) app.Decision {
	d := r.rules.Decide(s.job, r.tally.now, now)
	s.heedGone(&d)
	heedAnswer(s.answer, &d)
	d.AccountID, d.Number, d.RulesVersion = r.bot.account, s.job.Number, r.config.Version
	if d.DecidedAt.IsZero() {
		d.DecidedAt = now.UTC()
	}
	return d
}

// heedGone leaves a job alone whose page is no longer there, whatever its row says.
func (s *seen) heedGone(d *app.Decision) {
	if s.details.gone == "" {
		return
	}
	const reason = "Its details page says that it is no longer there."
	d.Verdict, d.Rule, d.Reason, d.NeedsDetails = app.VerdictLeave, ruleStatus, reason, false
	d.Checks = append(d.Checks, app.Check{Rule: ruleStatus, Held: app.No, Saw: s.details.gone, Wanted: "matched", Reason: reason})
}

// heedAnswer puts the user's answer in the place of "ask". Every other rule still holds.
func heedAnswer(a Answer, d *app.Decision) {
	switch {
	case a == AnswerLeave && (d.Verdict == app.VerdictAsk || d.Verdict == app.VerdictAccept):
		d.Verdict, d.Rule, d.Reason = app.VerdictLeave, ruleAnswer, "You left it."
	case a == AnswerAccept && d.Verdict == app.VerdictAsk:
		d.Verdict, d.Rule, d.Reason = app.VerdictAccept, "", "You accepted it."
	default:
		return
	}
	d.Checks = append(d.Checks, app.Check{Rule: ruleAnswer, Held: app.Yes, Saw: string(a), Wanted: "your answer", Reason: d.Reason})
}

// undecided notes that the details are still to be read.
func (r *run) undecided(s *seen) {
	s.basis = basis{}
	reason := "Its details could not be read yet: " + s.details.trouble + "."
	if s.recorded && s.record.Status == app.JobMatched && s.record.RejectionReason != reason {
		s.record.RejectionReason = reason
		r.put(s)
	}
}

// adopt takes a decision over, and records it where it says something new.
func (r *run) adopt(s *seen, d app.Decision) {
	before, decided := s.decision, s.decided
	same := decided && before.Verdict == d.Verdict && before.Rule == d.Rule && before.RulesVersion == d.RulesVersion
	if same {
		d.ID, d.DecidedAt, d.Repeats = before.ID, before.DecidedAt, before.Repeats+1
		s.decision = d
		return
	}
	d.ID = app.NewID(time.Now())
	s.decision, s.decided = d, true
	r.step.decision(d)
	rec := &s.record
	news := rec.Verdict != d.Verdict || rec.Rule != d.Rule // Against what was recorded, before a restart too.
	rec.JobType = r.typeOf(s)
	rec.Verdict, rec.Rule = d.Verdict, d.Rule
	rec.StartsAt, rec.EndsAt = d.StartsAt, d.EndsAt
	if rec.Status == app.JobMatched {
		r.setAside(s, d)
		rec.DecidedAt = d.DecidedAt
	}
	r.put(s)
	if news {
		r.tellDecision(s)
	}
}

// setAside writes why a free job is not accepted, as far as the decision says.
func (r *run) setAside(s *seen, d app.Decision) {
	rec := &s.record
	rec.RejectionReason, rec.NeedsUser = d.Reason, ""
	switch d.Verdict {
	case app.VerdictAccept:
		rec.RejectionReason = r.barred()
	case app.VerdictAsk:
		rec.NeedsUser = "Accept it or leave it."
	}
}

// tellDecision tells what becomes of a job that is not acted on.
func (r *run) tellDecision(s *seen) {
	if s.record.Status != app.JobMatched {
		return
	}
	switch s.decision.Verdict {
	case app.VerdictAsk:
		r.tellJob(s, app.EventJobAsk, s.name()+" waits for your answer: "+s.decision.Reason)
	case app.VerdictLeave:
		r.tellJob(s, app.EventJobLeft, "Left "+s.name()+": "+s.decision.Reason)
		r.digest.left++
	case app.VerdictAccept:
		if why := r.barred(); why != "" {
			r.tellJob(s, app.EventJobLeft, s.name()+" fits. "+why)
		}
	}
}

// typeOf is the job's type, where its page was read.
func (r *run) typeOf(s *seen) string {
	if s.details.page != nil {
		return s.details.page.Type
	}
	return s.record.JobType
}
