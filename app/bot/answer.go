package bot

import (
	"github.com/atozbot/atozbot/app"
)

// takeAnswer takes the user's answer to a job that waits for it.
func (r *run) takeAnswer(number string, given Answer) error {
	s := r.seen[number]
	switch {
	case s == nil || !s.recorded:
		return app.Errorf(app.CodeNotFound, "The bot does not know this job, or no longer")
	case s.ours():
		return app.Errorf(app.CodeConflict, "The job is yours already")
	case given == AnswerNone:
		return r.askAgain(s)
	case given == AnswerLeave && s.record.NeedsUser != "":
		r.leaveIt(s)
		return nil
	case !s.decided || s.decision.Verdict != app.VerdictAsk && !s.answered():
		return app.Errorf(app.CodeConflict, "The job does not wait for an answer")
	case given == AnswerLeave:
		r.leaveIt(s)
		return nil
	case given != AnswerAccept:
		return app.Errorf(app.CodeInvalid, "The answer is accept or leave")
	}
	return r.acceptIt(s)
}

// answered tells whether the user has answered before: an answer can be changed while the
// job is there.
func (s *seen) answered() bool { return s.answer != "" }

func (r *run) leaveIt(s *seen) {
	if s.answer != AnswerLeave {
		s.left = &asked{s.decision, s.record.Verdict, s.record.Rule, s.record.NeedsUser, s.record.RejectionReason}
	}
	s.answer = AnswerLeave
	r.stirred = true
	s.record.Verdict, s.record.Rule, s.record.NeedsUser = app.VerdictLeave, ruleAnswer, ""
	if s.record.Status == app.JobMatched {
		s.record.RejectionReason = "You left it."
	}
	r.put(s)
	r.tellJob(s, app.EventJobLeft, "You left "+s.name()+".")
	r.flush()
}

// asked is how a job was decided, and what its record said, before the user left it.
type asked struct {
	decision          app.Decision
	verdict           app.Verdict
	rule              string
	needsUser, reason string
}

// askAgain takes a leave back. One that an earlier process took is decided anew at the
// next look.
func (r *run) askAgain(s *seen) error {
	switch {
	case s.answer != AnswerLeave:
		return app.Errorf(app.CodeConflict, "The job was not left")
	case !r.present[s] || s.job.State != app.StateMatched: // There is nothing left to ask about.
		return app.Errorf(app.CodeConflict, "The job is not on the board any more")
	}
	s.answer, s.basis = "", basis{}
	r.stirred = true
	if was := s.left; was != nil {
		s.record.Verdict, s.record.Rule, s.record.NeedsUser, s.record.RejectionReason = was.verdict, was.rule, was.needsUser, was.reason
		s.decision, s.left = was.decision, nil // It can be accepted at once.
		r.put(s)
		r.tellJob(s, app.EventJobAsk, s.name()+" waits for your answer again.")
	}
	r.flush()
	return nil
}

func (r *run) acceptIt(s *seen) error {
	switch why := r.barred(); {
	case !s.matchedNow(r.valid):
		return app.Errorf(app.CodeConflict, "The job is not on the board any more")
	case why != "":
		return app.Errorf(app.CodeConflict, "%s", why)
	case s.open() != nil:
		return app.Errorf(app.CodeConflict, "The job is being tried already")
	}
	s.answer = AnswerAccept
	r.stirred, r.urgent = true, true
	r.note(levelInfo, "You accepted "+s.name()+": it is tried now.")
	return nil
}
