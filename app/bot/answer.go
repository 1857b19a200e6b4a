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
