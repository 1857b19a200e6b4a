package bot

import (
	"time"

	"github.com/atozbot/atozbot/app"
)

// seen is a job that the bot knows of: on the board, or off it and not yet done with.
type seen struct {
	job    app.Job // As the newest look showed it, with its details once they were read.
	row    row     // What of it matters for a decision.
	record app.JobRecord
	// familiar says that the records were asked what they know of the job; before that,
	// nothing is done about it. recorded says that it has a row there.
	familiar, recorded bool

	look      int64 // The newest board that showed it.
	changed   bool  // That board showed it otherwise than the one before.
	double    bool  // That board showed it twice, and not alike: nothing is certain of it.
	sightings int64 // Not stored yet.

	details details

	decision   app.Decision
	decided    bool
	basis      basis
	heedsTally bool      // What is taken could decide otherwise.
	redecide   time.Time // The decision depends on the clock, and is made anew after this.
	answer     Answer    // The user's, to "ask".
	left       *asked    // What a leave has put aside, while it can be taken back here.

	accept, reject *claim

	booking     booking // Where it stands on the board, once it is booked.
	alarmed     bool    // It was shown as ours and is not any more: its page is asked for at once.
	typeChecked bool
}

// row is what of a job's row a decision can depend on, and what a changed details page
// would show in.
type row struct {
	ref, language, submitted, date, time, duration, status string
	minutes                                                int
}

func rowOf(j *app.Job) row {
	return row{
		ref: j.Ref, language: j.Language, submitted: j.SubmittedText, date: j.DateText, time: j.TimeText,
		duration: j.DurationText, status: j.StatusText, minutes: j.DurationMinutes,
	}
}

// sameJob leaves the submitted cell out: "2 minutes ago" changes by itself.
func (r row) sameJob(o row) bool {
	r.submitted, o.submitted = "", ""
	return r == o
}

// basis is everything that a decision was made from, except for the clock.
type basis struct {
	row     row
	details int64
	rules   int64
	tally   int64 // 0 where the decision does not heed it.
	answer  Answer
}

// matchedNow tells whether the newest news of the job, as far back as the boards from
// valid on reach, shows it as free, without a doubt.
func (s *seen) matchedNow(valid int64) bool {
	return s.look >= valid && s.look > 0 && s.job.State == app.StateMatched && !s.double
}

// claim gives the job's claim for an act; nil where there is none.
func (s *seen) claim(act app.Act) *claim {
	if act == app.ActReject {
		return s.reject
	}
	return s.accept
}

// keep has the job known by its claim.
func (s *seen) keep(c *claim) {
	if c.Act == app.ActReject {
		s.reject = c
	} else {
		s.accept = c
	}
}

// open gives the claim whose outcome is not known; nil where every one is settled.
func (s *seen) open() *claim {
	for _, c := range []*claim{s.accept, s.reject} {
		if c != nil && !c.Settled() {
			return c
		}
	}
	return nil
}

// ours tells whether the job is booked with us, as far as is known.
func (s *seen) ours() bool { return s.recorded && s.record.Status == app.JobAccepted }
