package bot

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
)

// sign is what the portal shows of a job after an act. Only such a sign settles a claim.
type sign int

const (
	signNone   sign = iota // Nothing that can be relied upon.
	signOurs               // Booked with us.
	signGone               // Somebody else's, or no longer there.
	signFree               // Still to be had.
	signAbsent             // Not on a board that was read to its end.
	signNoForm             // Its page carries no form to reject it any more.
	signNoPage             // Its page is no longer there.
)

// confirm takes in a board newer than what was posted in this round: the one that came as
// the reply, where that has settled everything, or else the one of a look made now. It
// tells whether there is one, and time to go on with it.
func (r *run) confirm() bool {
	free := r.freeBoard
	r.freeBoard = nil
	if !r.postedNow && !r.stale || r.over() || r.halted {
		return false
	}
	r.postedNow = false
	if r.pages > 1 && !r.stale {
		r.askAboutPosted() // One page instead of all those of the board.
	}
	switch {
	case r.over() || r.halted:
		return false
	case r.unconfirmed() || r.stale:
		if !r.lookAgain() {
			return false
		}
	case free != nil:
		r.takeReply(*free)
	default:
		return false
	}
	if time.Now().After(r.pace.next()) {
		r.unfinished = true // The next look is due, and goes on with what is left.
		return false
	}
	return true
}

// lookAgain looks at the board now, between two paced looks.
func (r *run) lookAgain() bool {
	board, err := r.lookLoggedIn()
	switch {
	case err == nil:
		r.take(board)
		return true
	case !r.over() && !r.halted:
		r.troubled(err)
	}
	return false
}

// unconfirmed tells whether anything posted on the newest board is still to be confirmed.
func (r *run) unconfirmed() bool {
	for _, s := range r.openClaims() {
		if c := s.open(); c.try.look == r.look && !c.before {
			return true
		}
	}
	return false
}

// askAboutPosted asks the pages of what was posted on the newest board and may have been
// done, and settles what they show to be done. Of everything else the board tells more: a
// look has to be made then anyway, and what a try gives back can be taken in it.
func (r *run) askAboutPosted() {
	for _, s := range r.openClaims() {
		c := s.open()
		if c.try.look != r.look || c.before {
			continue
		}
		if c.try.gone || c.try.refusal != "" || r.over() || r.halted || !r.doneByPage(s, c) {
			return
		}
	}
}

// doneByPage settles a claim where the job's page shows that its act was done, and tells
// whether it did.
func (r *run) doneByPage(s *seen, c *claim) bool {
	if c.Act == app.ActReject && !c.try.took {
		return false // That a rival took the job meanwhile, its row may tell and its page not.
	}
	page, err := r.askDetails(r.reachable(s))
	if err != nil {
		return false
	}
	found := signOnPage(page, c.Act)
	switch {
	case c.Act == app.ActAccept && found == signOurs:
	case c.Act == app.ActReject && found == signNoForm:
	default:
		return false
	}
	r.weigh(s, c, found)
	return true
}

// openClaims gives the jobs with a claim whose outcome is not known. It is asked for many
// times a job, so it must not go through all that were ever seen.
func (r *run) openClaims() []*seen {
	var open []*seen
	for s := range r.trying {
		if s.open() != nil {
			open = append(open, s)
		} else {
			delete(r.trying, s)
		}
	}
	return open
}

// keep has a job known by its claim.
func (r *run) keep(s *seen, c *claim) {
	s.keep(c)
	r.trying[s] = true
}

// weighReply settles a claim by what came back, where that is itself a page that shows
// the job as it is now. Anything less has to be confirmed.
func (r *run) weighReply(s *seen, c *claim, reply app.Reply, err error) {
	r.countErrors(c)
	switch {
	case err != nil:
	case reply.Board != nil:
		r.welcome()
		r.freeBoard = reply.Board
		for i := range reply.Board.Jobs {
			if j := &reply.Board.Jobs[i]; j.Number == c.Number {
				r.weighFinal(s, c, signOf(j.State))
				return
			}
		}
	case reply.Details != nil && (reply.Details.Number == "" || reply.Details.Number == c.Number):
		r.welcome()
		r.weighFinal(s, c, signOf(reply.Details.State))
	}
}

// weighFinal heeds the signs that nothing can take back; one that the job is still free
// may be older than what was posted.
func (r *run) weighFinal(s *seen, c *claim, found sign) {
	if found == signOurs || found == signGone {
		r.weigh(s, c, found)
	}
}

func signOf(state app.JobState) sign {
	switch state {
	case app.StateOurs:
		return signOurs
	case app.StateGone:
		return signGone
	case app.StateMatched:
		return signFree
	default:
		return signNone
	}
}

// settleByBoard settles claims by what the newest board shows of their jobs.
func (r *run) settleByBoard() {
	for _, s := range r.openClaims() {
		c := s.open()
		if c.try.look >= r.look && !c.before {
			continue // The board is older than the try.
		}
		c.free = c.free && s.matchedNow(r.valid)
		r.weigh(s, c, r.signOnBoard(s, c))
	}
	for _, s := range r.here {
		r.heedLateWin(s)
	}
	r.heedSurprises()
}

func (r *run) signOnBoard(s *seen, c *claim) sign {
	switch {
	case s.look != r.look && r.board.Complete:
		return signAbsent
	case s.look != r.look, s.double:
		return signNone
	case s.job.State == app.StateMatched && c.Act == app.ActReject:
		return signNone // Whether it was rejected, its page tells.
	default:
		return signOf(s.job.State)
	}
}

// heedLateWin corrects a claim that was thought to have come to nothing, where the job
// turns out to be ours.
func (r *run) heedLateWin(s *seen) {
	c := s.accept
	if s.job.State == app.StateOurs && !s.double && c != nil && c.Settled() && c.Outcome != app.OutcomeAccepted && c.Reached {
		r.settle(s, c, app.OutcomeAccepted, "It turned out to be yours after all.")
	}
}

// heedSurprises looks for an act that turned out wrong: a job became ours that was not
// to be accepted, while one that was to be did not.
func (r *run) heedSurprises() {
	if len(r.surprises) == 0 {
		return
	}
	for _, s := range r.seen {
		c := s.accept
		if c != nil && c.try.look == r.look-1 && c.Outcome != app.OutcomeAccepted {
			r.trip(tripWrong, r.surprises[0].name()+" became yours when "+s.name()+" was to be accepted.")
			return
		}
	}
}

// askAboutNewest asks, right after a confirming look, for the pages of those jobs that
// the look did not tell of: what they give back may be taken by others in this look.
func (r *run) askAboutNewest() {
	for _, s := range r.openClaims() {
		if c := s.open(); c.try.look == r.look-1 && !c.free && c.asked == 0 && c.try.look > 0 {
			r.askForOutcome(s, c)
		}
	}
}

// askForOutcomes asks for the pages of jobs whose outcome the board does not tell: all
// those never asked for, and of the others one that is due.
func (r *run) askForOutcomes() {
	again := false
	for _, s := range r.openClaims() {
		c := s.open()
		due := c.asked == 0 || !again && time.Now().After(c.askAfter)
		if due && !c.free && !r.over() && !r.halted {
			again = again || c.asked > 0
			r.askForOutcome(s, c)
		}
		if c = s.open(); c != nil {
			r.unfinished = true
			r.tellUnknown(s, c)
		}
	}
}

// askForOutcome asks a job's page for the outcome of its claim.
func (r *run) askForOutcome(s *seen, c *claim) {
	if r.over() || r.halted {
		return
	}
	c.asked++
	c.askAfter = time.Now().Add(min(r.pace.interval<<min(c.asked, 10), lastBackOff))
	page, err := r.askDetails(r.reachable(s))
	if err != nil {
		return
	}
	if page != nil && c.Act == app.ActReject {
		s.details.page, s.job.Details = page, page // Its form is the newest.
	}
	r.weigh(s, c, signOnPage(page, c.Act))
}

// reachable gives a job that can be asked for: one that was never seen in this run is
// known from its record.
func (r *run) reachable(s *seen) *seen {
	if s.job.Number == "" {
		s.job = jobOf(s.record)
	}
	if s.job.Number == "" {
		if c := s.open(); c != nil {
			s.job = app.Job{Number: c.Number, Ref: c.Ref, Language: c.Language}
		}
	}
	return s
}

// jobOf gives of a recorded job what its page is asked for with.
func jobOf(rec app.JobRecord) app.Job {
	return app.Job{
		Number: rec.Number, Ref: rec.Ref, Language: rec.Language, Date: rec.Date, Time: rec.Time,
		DurationText: rec.DurationText, DurationMinutes: rec.DurationMinutes, DetailsURL: rec.DetailsURL, Row: rec.Row,
	}
}

// signOnPage reads a sign from a details page; nil is a page that is gone.
func signOnPage(page *app.Details, act app.Act) sign {
	switch {
	case page == nil && act == app.ActReject:
		return signNoPage
	case page == nil:
		return signGone
	}
	found := signOf(page.State)
	if act == app.ActReject {
		switch {
		case found == signOurs, found == signGone:
			return found
		case page.RejectForm == nil:
			return signNoForm
		default:
			return signFree
		}
	}
	if found == signNone && page.AcceptForm != nil {
		return signFree
	}
	return found
}

// weigh settles a claim by a sign, or notes that the job is still free.
func (r *run) weigh(s *seen, c *claim, found sign) {
	switch {
	case found == signFree:
		r.stillFree(s, c)
	case c.Act == app.ActReject:
		r.weighReject(s, c, found)
	case found == signOurs:
		r.settle(s, c, app.OutcomeAccepted, "The portal shows it as yours.")
	case found == signGone && c.mayHaveReached():
		r.settle(s, c, app.OutcomeLost, "Somebody else has it, or it was withdrawn.")
	case found == signGone:
		r.settle(s, c, app.OutcomeFailed, "The try never reached the portal ("+c.try.reason+"), and it is gone.")
	}
}

// weighReject settles a claim to reject. That the job is off the board, or that its page
// has no form any more, is a rejection. Where the try was answered with an error, somebody
// else may as well have taken the job: then its page is asked before absence is believed,
// and what shows that the try did not do it counts. A try without an answer in time may
// still have done it after a page has shown the job free.
func (r *run) weighReject(s *seen, c *claim, found sign) {
	failed := !c.try.took
	switch {
	case found == signOurs:
		r.settle(s, c, app.OutcomeRefused, "It is yours, though it was to be rejected.")
		r.trip(tripWrong, s.name()+" is yours, though it was to be rejected.")
	case found == signNone:
	case c.try.gone, c.try.declined, failed && found == signGone:
		r.settle(s, c, app.OutcomeLost, "Somebody else had it, or it was withdrawn, before it could be rejected.")
	case failed && c.freeLooks > 0 && (!c.try.late || found == signNoPage):
		r.settle(s, c, app.OutcomeLost, "The try was not taken, since it was still offered to you afterwards; now it is gone.")
	case failed && found == signAbsent && (c.asked == 0 || c.freeLooks > 0) && c.mayHaveReached(): // Its page tells.
	case c.mayHaveReached():
		r.settle(s, c, app.OutcomeRejected, "It is no longer offered to you.")
	default:
		r.settle(s, c, app.OutcomeFailed, "The try never reached the portal ("+c.try.reason+"), and it is gone.")
	}
}

// stillFree is what a job means that is free after a try: refused, where the portal said
// no or asked something; else not taken, and to be tried again. Where the answer looked
// like a success, or none came in time, the portal may still be at it: then one look is
// not enough.
func (r *run) stillFree(s *seen, c *claim) {
	if c.try.refusal != "" {
		r.refused(s, c)
		return
	}
	if c.try.gone && c.asked == 0 {
		return // The board may be behind what the portal said: the job's page tells.
	}
	if c.freeAt == r.look {
		return
	}
	c.freeAt = r.look
	c.freeLooks++
	if c.freeLooks < 2 && (c.try.took || c.try.late) {
		r.unfinished = true
		return
	}
	if !c.free {
		c.free = true
		c.nextTry = time.Now().Add(retryAfter(c.Attempt))
		if c.try.took || c.try.late {
			c.nextTry = later(c.nextTry, time.Now().Add(restOfDoubt))
		}
		r.unfinished = true
	}
}

// retryAfter is the pause before the next attempt: none before the second, since others
// are after the job too.
func retryAfter(attempt int) time.Duration {
	if attempt < 2 {
		return 0
	}
	return min(firstRetryOfPost<<min(attempt-2, 10), lastBackOff)
}

// refused settles a claim that the portal did not want. It is not tried again until the
// rules change.
func (r *run) refused(s *seen, c *claim) {
	why := "It was refused: " + strings.TrimRight(c.try.refusal, ".") + "." // The portal's own words may end in one.
	if c.try.dialog {
		s.record.Verdict = app.VerdictAsk
		s.record.NeedsUser = "The portal asks something before it gives you this job. Answer it there, or leave it."
	}
	r.settle(s, c, app.OutcomeRefused, why)
}

// late tells whether a request ended by its time limit, so that the portal may still be
// working at it.
func late(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	timed, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && timed.Timeout()
}
