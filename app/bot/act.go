package bot

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/atozbot/atozbot/app"
)

// Bounds of acting.
const (
	triesPerLook     = 2 // Of one job within one paced look.
	firstRetryOfPost = 250 * time.Millisecond
	heldUpFor        = 3 * time.Second         // From the claim to the post, which follow one another: more means that the process stood still.
	restOfDoubt      = 1500 * time.Millisecond // For a portal that may still be at it, before it is asked a second time.
	freshFor         = 2 * time.Second         // That a job was seen free is believed, before its page is asked once more.
)

// work makes of a board what is to be made of it.
func (r *run) work(board app.Board) {
	r.round++
	if r.nothingNew(board) {
		r.countSightings(board)
		r.watchBookings()
		r.refreshTally()
		return
	}
	r.unfinished, r.stirred = false, false
	r.take(board)
	r.act()
}

// take takes in a board that was looked for: what is there, and what it says of claims
// that are open.
func (r *run) take(board app.Board) {
	r.pages = board.Pages
	r.sight(board)
	r.learn()
}

// takeReply does the same with a board that came as a reply.
func (r *run) takeReply(board app.Board) {
	r.sightReply(board)
	r.learn()
}

func (r *run) learn() {
	r.settleByBoard()
	r.askAboutNewest()
	r.flush()
}

// act does what is to be done about the newest board. What was posted shows a newer
// board, in its reply or by another look, and that is worked through too, until nothing
// more is posted or the next look is due.
func (r *run) act() {
	for r.acceptSome() || r.rejectSome() {
		r.flush()
	}
	r.flush()
	r.restTally = r.tally.version // What is learned below may free what was decided against.
	r.askForOutcomes()
	r.watchBookings()
	r.refreshTally()
	r.restUntil = r.untilDoubt(time.Now().Add(clockEvery))
	if time.Since(r.spreadAt) >= spreadEvery {
		r.rememberSightings()
	}
	r.flush()
}

// untilDoubt gives when a page that contradicts the board is to be read anew, where that
// is before the time given: the board itself may never change.
func (r *run) untilDoubt(at time.Time) time.Time {
	for _, s := range r.here {
		if s.matchedNow(r.valid) && s.details.notFree() && s.redecide.Before(at) {
			at = s.redecide
		}
	}
	return at
}

// nothingNew recognises a board that has not changed, while nothing else has either.
func (r *run) nothingNew(board app.Board) bool {
	return board.Unchanged && sameRows(board.Jobs, r.board.Jobs) &&
		!r.stirred && !r.unfinished && r.tally.version == r.restTally && time.Now().Before(r.restUntil)
}

// sameRows tells whether two boards are one decoding: the portal gives the slice of the
// look before where the bytes are the same.
func sameRows(a, b []app.Job) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// countSightings notes that everything is still there.
func (r *run) countSightings(board app.Board) {
	r.board = board
	for _, s := range r.here {
		s.sightings++
		s.record.LastSeenAt = board.SeenAt
	}
}

// acceptSome goes through the free jobs in order of preference, and accepts each as soon
// as it is decided: those that come later cannot exclude it. It tells whether a reply or
// a look has shown a newer board to go on with.
func (r *run) acceptSome() bool {
	order := r.candidates()
	r.rejects = r.rejects[:0]
	for i, s := range order {
		if r.interrupted() || r.stuck(s) {
			break
		}
		r.askAhead(order[i:])
		r.decide(s)
		if s.settledOn(app.VerdictReject) {
			r.rejects = append(r.rejects, s)
			continue
		}
		r.actOn(s)
	}
	r.awaitAsked(order)
	r.flush()
	return r.confirm()
}

// rejectSome rejects what is to be rejected. It is in no hurry, and comes when there is
// nothing left to accept; one at least has its turn before the next look.
func (r *run) rejectSome() bool {
	for i, s := range r.rejects {
		if !s.matchedNow(r.valid) || s.basis.row != s.row {
			r.unfinished = true
			continue // A newer board than the one it was decided on has come meanwhile.
		}
		if r.interrupted() || i > 0 && time.Now().After(r.pace.next()) {
			r.unfinished = true
			break
		}
		r.actOn(s)
	}
	r.flush()
	return r.confirm()
}

// interrupted tells whether it is no use to go on with this board: nothing may be begun
// any more, a reply has shown a newer one, or its forms have expired.
func (r *run) interrupted() bool { return r.over() || r.halted || r.freeBoard != nil || r.stale }

// settledOn tells whether the job was decided, and how.
func (s *seen) settledOn(v app.Verdict) bool {
	return s.basis != basis{} && s.decision.Verdict == v
}

// stuck tells that it is time for the next look, and that a request of this round has
// hung, or a job whose page cannot be read has had its turn: what hangs must not keep the
// next look waiting for long.
func (r *run) stuck(s *seen) bool {
	if r.hungIn == r.round && time.Now().After(r.pace.next()) {
		r.unfinished = true
		return true
	}
	if s.details.lastInLine() {
		r.hungIn = r.round
	}
	return false
}

// fresh tells whether a job was seen free a moment ago, and looks at its page where it
// was not: others may have taken it while a request hung, or while a later page of the
// board was waited for. The page is the newest news of the job, and decides anew; its
// forms are those to be sent, unless it cost another log-in.
func (r *run) fresh(s *seen, act app.Act) bool {
	if time.Since(later(s.record.LastSeenAt, s.details.readAt)) <= freshFor {
		return true
	}
	verdict := s.decision.Verdict
	page, err := r.askDetails(s)
	if err != nil {
		r.unfinished = true
		return false
	}
	s.details.page, s.job.Details = page, page
	s.redecide = time.Now().Add(clockEvery) // A page that is gone is not asked for a third time.
	r.decide(s)
	if r.stale || s.noForm(act) != "" {
		r.unfinished = true
		return false
	}
	return s.settledOn(verdict)
}

// candidates gives the free jobs that need a thought, the preferred ones first. Those
// whose pages cannot be read, or said that they are not free, come at the end: they must
// not hold up the others.
func (r *run) candidates() []*seen {
	var jobs []app.Job
	now, barred := time.Now(), r.barred()
	for _, s := range r.here {
		if s.familiar && s.matchedNow(r.valid) && (s.wantsAct(barred) || s.basis != r.basisFor(s) || !now.Before(s.redecide)) {
			jobs = append(jobs, s.job)
		}
	}
	if len(jobs) == 0 {
		return nil
	}
	order := make([]*seen, 0, len(jobs))
	for _, j := range r.rules.Prefer(jobs) {
		order = append(order, r.seen[j.Number])
	}
	last := func(s *seen) bool { return s.details.lastInLine() || s.details.notFree() }
	prompt := slices.DeleteFunc(slices.Clone(order), last)
	return append(prompt, slices.DeleteFunc(order, func(s *seen) bool { return !last(s) })...)
}

// wantsAct tells whether the decision made is one that an act follows from, or that an
// act has yet to be given up for. Where acts are barred, it is enough to have said so.
func (s *seen) wantsAct(barred string) bool {
	if s.open() != nil {
		return true
	}
	wanted := s.settledOn(app.VerdictAccept) || s.settledOn(app.VerdictReject)
	return wanted && (barred == "" || s.record.RejectionReason != barred)
}

// actOn does what was decided, where it may be done now.
func (r *run) actOn(s *seen) {
	if s.basis == (basis{}) || r.over() || r.halted { // Not decided.
		return
	}
	act := app.ActAccept
	switch s.decision.Verdict {
	case app.VerdictAccept:
	case app.VerdictReject:
		act = app.ActReject
	default:
		r.giveUp(s)
		return
	}
	if !r.mayTry(s, act) {
		return
	}
	if why := r.barred(); why != "" {
		if r.config.Mode != app.ModeLive {
			r.giveUp(s)
		}
		r.setBarred(s, why)
		return
	}
	if r.waitsForPortal() != nil || !r.bot.loggedIn || r.stale {
		r.unfinished = true // The forms of a session that has ended are not taken: the next look brings others.
		return
	}
	if why := s.noForm(act); why != "" {
		r.needsUser(s, why)
		return
	}
	if act == app.ActAccept && r.tooMany() {
		r.setBarred(s, r.barred())
		return
	}
	if !r.fresh(s, act) {
		return
	}
	c := r.secure(s, act)
	switch {
	case c == nil:
	case r.fresh(s, act): // Still: a claim can take seconds on a busy machine.
		r.post(s, c)
	case c.Attempt > 1:
		r.unfinished = true // What the tries before came to, the next look tells.
	case r.tooLate() != "":
		r.release(s, c, r.tooLate())
	case r.stale:
		r.release(s, c, "The portal's session had ended before anything was posted.")
	case s.details.trouble != "":
		r.release(s, c, "Its details could not be read yet: "+s.details.trouble+".")
	default:
		r.release(s, c, "It took long to note that it was to be tried, and it was no longer free then.")
	}
}

// mayTry tells whether the job's claim, where it has one, leaves room for a try: none
// was settled but to be given back, none is still to be confirmed, and none was refused
// under these rules.
func (r *run) mayTry(s *seen, act app.Act) bool {
	if s.ours() || s.otherOpen(act) {
		return false
	}
	c := s.claim(act)
	switch {
	case c == nil:
		return true
	case !c.Settled():
		wait := time.Now().Before(c.nextTry) || c.triesIn(r.round) >= triesPerLook
		r.unfinished = r.unfinished || wait
		return c.free && !wait
	case c.Outcome == app.OutcomeRefused:
		return c.RulesVersion != r.config.Version
	default:
		return (c.wasTaken || c.released) && c.triesIn(r.round) == 0
	}
}

// otherOpen tells whether the other act's claim is still to be settled.
func (s *seen) otherOpen(act app.Act) bool {
	c := s.open()
	return c != nil && c.Act != act
}

// barred says why nothing is done on the portal now; "" where acts are allowed.
func (r *run) barred() string {
	switch {
	case r.config.Mode != app.ModeLive:
		return "The bot only watches (practice): nothing is accepted or rejected."
	case r.session.Paused:
		return "The bot is paused."
	case r.bot.breaker.tripped():
		return "The breaker is open: " + r.bot.breaker.reason
	case !r.restored:
		return "What was claimed before is not known yet, because the records cannot be read."
	}
	return ""
}

// setBarred writes why a job that fits was not acted on.
func (r *run) setBarred(s *seen, why string) {
	if s.record.Status == app.JobMatched && s.record.RejectionReason != why {
		s.record.RejectionReason = why
		r.put(s)
	}
}

// noForm says why an act cannot be made on the portal; "" where it can. A row without the
// form may have it on the details page.
func (s *seen) noForm(act app.Act) string {
	page := s.details.page
	switch {
	case act == app.ActReject && (page == nil || page.RejectForm == nil):
		return "Its details page carries no form to reject it."
	case act == app.ActReject, s.job.AcceptForm != nil:
		return ""
	case page != nil && page.AcceptForm != nil:
		s.job.AcceptForm = page.AcceptForm
		return ""
	default:
		return "The board carries no form to accept it."
	}
}

// needsUser shows a job to the user: the bot cannot do what is to be done.
func (r *run) needsUser(s *seen, why string) {
	if s.record.NeedsUser == why {
		return
	}
	s.record.NeedsUser, s.record.RejectionReason = why, why
	r.put(s)
	r.tellJob(s, app.EventJobAsk, s.name()+" needs you. "+why)
}

// post makes the act, under a claim that is stored.
func (r *run) post(s *seen, c *claim) {
	if why := r.tooLate(); why != "" {
		r.release(s, c, why)
		return
	}
	c.try = try{look: r.look}
	c.count(r.round)
	r.freeBoard = nil // One that came before this post shows nothing of it.
	r.postedNow = true
	if time.Since(c.securedAt) > heldUpFor {
		c.before = true // The lease can have changed hands since, and another may have acted under the claim.
		c.try.reason = "the program was held up before it could be posted"
		return
	}
	started := time.Now()
	reply, err := r.submit(s, c.Act)
	c.posted(later(started, reply.PostedAt))
	c.heed(reply, err)
	if c.try.late {
		r.hungIn = r.round
	}
	s.timeLine(c)
	r.bot.log.Info("posted", "act", c.Act, "job", c.Ref, "attempt", c.Attempt, "came_back", c.try.reason,
		"after_seen", c.PostedAt.Sub(s.record.SeenAt).Round(time.Millisecond))
	r.heedTrouble(reply, err)
	r.weighReply(s, c, reply, err)
	r.flush()
}

// tooLate says why a claim that was just stored is not acted under: while it was, the
// bot was stopped, paused or tripped.
func (r *run) tooLate() string {
	if r.over() {
		return "The bot was stopped before anything was posted."
	}
	return r.barred()
}

// heedTrouble does what the portal wants besides the act: to be left alone, to be logged
// in to, to see a person.
func (r *run) heedTrouble(reply app.Reply, err error) {
	r.obey(err)
	class := reply.Class
	if p := instead(err); p != nil {
		class = p.Class
	}
	switch class {
	case app.PageChallenge:
		r.challenge("it came as the answer to an act")
	case app.PageLoggedOut:
		r.bot.loggedIn = false
	}
}

// submit submits the form. A post under way is finished when the process ends in order,
// and cut when the user stops the bot.
func (r *run) submit(s *seen, act app.Act) (app.Reply, error) {
	if err := r.waitsForPortal(); err != nil {
		return app.Reply{}, err
	}
	b, job, shortNotice := r.bot, s.job, r.config.AllowShortNotice
	return await(r.acting, b, func(ctx context.Context) (app.Reply, error) {
		if act == app.ActReject {
			return b.portal.Reject(ctx, job)
		}
		return b.portal.Accept(ctx, job, shortNotice)
	})
}

// statusExpired is what portals answer to a form whose token has expired: nothing of it
// was taken.
const statusExpired = 419

// heed notes what came back. It proves nothing; it tells what a job that is still free
// afterwards means.
func (c *claim) heed(reply app.Reply, err error) {
	t := &c.try
	p := instead(err)
	switch {
	case err == nil:
		c.Reached = true
		t.took = true
		t.reason = "an answer"
	case p != nil:
		c.Reached = c.Reached || p.Sent
		t.reason = p.Reason
	default: // Cut by ourselves: it may have been on its way.
		c.Reached = true
		t.reason = err.Error()
	}
	switch {
	case reply.Dialog != "":
		t.dialog, t.took = true, false
		t.refusal = fmt.Sprintf("the portal asked a question (%s) that is not answered for you", reply.Dialog)
	case reply.Refused != "":
		t.took = false
		t.refusal = "the portal said: " + reply.Refused
	}
	if t.refusal != "" {
		t.reason = t.refusal
	}
	t.declined = p != nil && p.Status == statusExpired
	t.gone = reply.Class == app.PageGone || p != nil && p.Class == app.PageGone
	t.late = late(err)
	c.Detail = t.reason
}

// count notes a try in a round of acting.
func (c *claim) count(round int64) {
	if c.roundOf != round {
		c.roundOf, c.inRound = round, 0
	}
	c.inRound++
}

// triesIn tells how often it was tried in a round of acting.
func (c *claim) triesIn(round int64) int {
	if c.roundOf != round {
		return 0
	}
	return c.inRound
}
