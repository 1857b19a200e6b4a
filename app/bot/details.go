package bot

import (
	"context"
	"fmt"
	"time"

	"github.com/atozbot/atozbot/app"
)

// details is what is known of a job's details page.
type details struct {
	page     *app.Details // nil where it was not read, or has to be read anew.
	gone     string       // Why the job is no longer there, in the portal's words.
	version  int64        // Grows with every reading.
	failures int
	after    time.Time // Not to be asked for before this.
	slow     bool      // The last reading failed by its time limit.
	trouble  string    // Why the last reading failed.
	readAt   time.Time // When the newest page came.
	doubts   int       // How often it was read anew because it contradicted the board.
	coming   future[reading]
}

// reading is a details page, and when it came.
type reading struct {
	page app.Details
	at   time.Time
}

// forget has the page read anew: the job's row is another now.
func (d *details) forget() {
	*d = details{version: d.version + 1, coming: d.coming}
}

// doubt has a page read anew that contradicts the board.
func (d *details) doubt() {
	doubts := d.doubts + 1
	d.forget()
	d.doubts = doubts
}

// lastInLine tells whether the page is one that takes time and gives nothing.
func (d *details) lastInLine() bool { return d.slow || d.failures > 1 }

// notFree tells whether the page said, when it was read, that the job is not to be had.
func (d *details) notFree() bool {
	return d.gone != "" || d.page != nil && d.page.State != "" && d.page.State != app.StateMatched
}

// standsFor is how long a decision made from the page stands. A page that contradicts the
// board is asked for again soon, and then further and further apart.
func (d *details) standsFor() time.Duration {
	if !d.notFree() {
		return clockEvery
	}
	return min(firstDoubt<<min(d.doubts, 10), clockEvery)
}

// read tells whether the page needs no asking for.
func (d *details) read() bool { return d.page != nil || d.gone != "" }

// needDetails reads a job's details for a decision, once for each state of its row. It
// tells whether they are known now. A page that cannot be read is asked for again at a
// later look, further and further apart, and keeps nothing else waiting.
func (r *run) needDetails(s *seen) bool {
	switch {
	case s.details.read():
		return true
	case s.details.coming != nil:
	case time.Now().Before(s.details.after) || r.over():
		r.unfinished = true
		return false
	}
	page, err := r.askDetails(s)
	if err != nil {
		r.unfinished = true
		return false
	}
	s.details.page = page
	s.job.Details = page
	return true
}

// askDetails asks for a job's page and notes what came of it. An expired session costs
// one log-in. That the job is no longer there is an answer, not an error; the page is nil
// then.
func (r *run) askDetails(s *seen) (*app.Details, error) {
	page, err := r.detailsOnce(s)
	if p := instead(err); p != nil && p.Class == app.PageLoggedOut && !r.over() {
		r.bot.loggedIn = false
		if !r.logins.untested && r.logIn() == nil {
			page, err = r.detailsOnce(s)
		}
	}
	d := &s.details
	d.version++
	p := instead(err)
	switch {
	case err == nil:
		r.welcome()
		d.failures, d.slow, d.trouble, d.gone = 0, false, "", ""
		return page, nil
	case p != nil && p.Class == app.PageGone:
		d.failures, d.slow, d.trouble, d.gone = 0, false, "", p.Reason
		return nil, nil
	case r.over():
		return nil, err
	}
	d.failures++
	d.slow = late(err)
	if d.slow {
		r.hungIn = r.round
	}
	d.trouble = err.Error()
	if p != nil {
		d.trouble = p.Reason
	}
	d.after = time.Now().Add(max(backOffAfter(d.failures, r.bot.random()), r.pace.interval/2))
	r.obey(err)
	if p != nil && p.Class == app.PageChallenge {
		r.challenge(p.Reason)
	}
	r.bot.log.Debug("a details page could not be read", "job", s.job.Number, "error", err)
	return nil, err
}

// detailsOnce asks once, or takes the answer that was asked for ahead.
func (r *run) detailsOnce(s *seen) (*app.Details, error) {
	if err := r.waitsForPortal(); err != nil {
		return nil, err
	}
	coming := s.details.coming
	s.details.coming = nil
	if coming == nil {
		coming = r.beginDetails(s)
	}
	answer, err := coming.wait(r.looking, r.bot)
	if err != nil {
		return nil, err
	}
	page := answer.page
	if page.Number != "" && page.Number != s.job.Number {
		return nil, &app.PageError{Class: app.PageChanged, Sent: true, Reason: fmt.Sprintf("the details of job %s came instead", page.Number)}
	}
	s.details.readAt = answer.at
	return &page, nil
}

func (r *run) beginDetails(s *seen) future[reading] {
	b, job := r.bot, s.job
	return begin(r.looking, b, func(ctx context.Context) (reading, error) {
		page, err := b.portal.Details(ctx, job)
		return reading{page, time.Now()}, err
	})
}

// askAhead asks for several details pages at once, where the user allows it, so that the
// second job's page is there when the first is done with. The first one, whose page or
// act comes next, is one of those under way.
func (r *run) askAhead(jobs []*seen) {
	if r.config.ParallelDetails < 2 {
		return
	}
	under := 1
	for _, s := range jobs[1:] {
		if s.details.coming != nil {
			under++
		}
	}
	for i, s := range jobs {
		if i > 0 && under >= r.config.ParallelDetails || r.waitsForPortal() != nil {
			return
		}
		if s.details.coming != nil || !r.wantsDetails(s) {
			continue
		}
		s.details.coming = r.beginDetails(s)
		if i > 0 {
			under++
		}
	}
}

// awaitAsked takes in what was asked for ahead and not needed after all, so that nothing
// of it is under way when the next thing is asked for.
func (r *run) awaitAsked(jobs []*seen) {
	for _, s := range jobs {
		if s.details.coming != nil {
			r.needDetails(s)
		}
	}
}

// wantsDetails tells whether a decision about the job will ask for its page.
func (r *run) wantsDetails(s *seen) bool {
	if s.details.read() || time.Now().Before(s.details.after) || s.basis == r.basisFor(s) {
		return false
	}
	return r.rules.Decide(s.job, r.tally.now, time.Now()).NeedsDetails
}
