package bot

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/atozbot/atozbot/app"
)

// Bounds of remembering.
const (
	forgetAfter = 10 * time.Minute // A job off the board, with nothing left to do about it.
	forgetEvery = time.Minute      // Between two rounds of forgetting.
	spreadEvery = 5 * time.Minute  // Between two stores of sightings alone.
)

// sight takes in a board that was looked for: what is there, what is new, what is gone.
func (r *run) sight(board app.Board) {
	r.look++
	r.valid = r.look
	r.here = r.here[:0]
	r.sightRows(board)
}

// sightReply takes in a board that came as a reply. One that is only a part of the board
// adds to what is known, and says nothing of the jobs that are not on it.
func (r *run) sightReply(board app.Board) {
	if board.Complete {
		r.sight(board)
		return
	}
	r.look++
	r.sightRows(board)
}

func (r *run) sightRows(board app.Board) {
	r.board = board
	r.surprises = r.surprises[:0]
	for i := range board.Jobs {
		r.sightRow(&board.Jobs[i], board.SeenAt)
	}
	r.acquaint()
	for _, s := range r.here {
		r.record(s, board.SeenAt)
		if s.double && s.recorded && s.record.Status == app.JobMatched {
			r.needsUser(s, "The board shows its number twice, with different appointments.")
		}
	}
	if board.Complete {
		r.missing(board.SeenAt)
	}
	r.countOurs()
}

// sightRow takes in one row. A row whose number was not understood is known by nothing,
// so nothing can be done about it.
func (r *run) sightRow(j *app.Job, at time.Time) {
	if j.Number == "" {
		r.nameless(j)
		return
	}
	s := r.seen[j.Number]
	if s == nil {
		s = &seen{}
		r.seen[j.Number] = s
	}
	now := rowOf(j)
	if s.look == r.look { // A second row for the same job.
		s.double = s.double || !now.sameJob(s.row)
		return
	}
	if !now.sameJob(s.row) {
		s.details.forget()
	}
	s.freed(j.State)
	if s.job.State == app.StateMatched && j.State == app.StateOurs && s.accept == nil && !s.ours() {
		r.surprises = append(r.surprises, s)
	}
	s.changed = now != s.row || j.DetailsURL != s.job.DetailsURL
	s.row = now
	s.job = *j
	s.job.Details = s.details.page
	if s.look < r.valid || s.look == 0 {
		r.here = append(r.here, s)
	}
	if s.double { // What was written of it then is written anew.
		s.decided, s.basis = false, basis{}
	}
	s.double, s.look = false, r.look
	r.present[s] = true
	s.sightings++
	s.record.LastSeenAt = at
}

// freed notes for settled claims that the job was not free at some time since: if it is
// free again later, it has been given back, and may be claimed again.
func (s *seen) freed(state app.JobState) {
	for _, c := range []*claim{s.accept, s.reject} {
		if c != nil && c.Settled() && state != app.StateMatched {
			c.wasTaken = true
		}
	}
}

// nameless tells once of a row without a number.
func (r *run) nameless(j *app.Job) {
	text := fmt.Sprint(j.Row)
	if r.namelessTold == text {
		return
	}
	r.namelessTold = text
	r.note(levelWarning, "A row of the board has a reference that is not understood, so nothing is done about it: "+text)
}

// acquaint asks the records what they know of the jobs that are new here. Before what
// earlier runs did is there to be read, their answer could be an old one.
func (r *run) acquaint() {
	if !r.restored {
		r.unfinished = true
		return
	}
	var numbers []string
	for _, s := range r.here {
		if !s.familiar {
			numbers = append(numbers, s.job.Number)
		}
	}
	r.acquaintWith(numbers)
}

// acquaintance is what the records know of some jobs.
type acquaintance struct {
	jobs   map[string]app.JobRecord
	claims []app.Claim
}

// acquaintWith makes jobs familiar. Where the records cannot be asked, the jobs stay
// strangers, of which nothing is taken, and are asked for again at the next look.
func (r *run) acquaintWith(numbers []string) bool {
	if len(numbers) == 0 {
		return true
	}
	b := r.bot
	known, err := read(r.looking, b, func(ctx context.Context) (acquaintance, error) {
		jobs, err := b.records.Jobs(ctx, b.account, numbers)
		if err != nil {
			return acquaintance{}, err
		}
		claims, err := b.records.Claims(ctx, b.account, numbers)
		return acquaintance{jobs, claims}, err
	})
	if err != nil {
		r.unfinished = true
		r.recordsAway(err)
		return false
	}
	for _, number := range numbers {
		r.remember(r.seen[number], known.jobs[number])
	}
	for _, c := range known.claims {
		if s := r.seen[c.Number]; s != nil && s.claim(c.Act) == nil {
			released := c.Outcome == app.OutcomeFailed && s.record.Status == app.JobMatched
			r.keep(s, &claim{Claim: c, before: true, released: released})
		}
	}
	return true
}

// remember joins what is recorded of a job with what is seen of it.
func (r *run) remember(s *seen, stored app.JobRecord) {
	s.familiar, s.changed = true, true
	if stored.Number == "" {
		return
	}
	lastSeen := later(stored.LastSeenAt, s.record.LastSeenAt)
	s.record, s.recorded = stored, true
	s.record.LastSeenAt = lastSeen
	if stored.Rule == ruleAnswer && stored.Verdict == app.VerdictLeave {
		s.answer = AnswerLeave
	}
}

// record keeps the job's row in step with the board. Jobs that were never seen as
// matched are not recorded.
func (r *run) record(s *seen, at time.Time) {
	if !s.familiar {
		return
	}
	if !s.recorded {
		if s.job.State == app.StateMatched {
			r.firstSight(s, at)
		}
		return
	}
	if s.changed && s.shown() && r.describe(s) || !s.record.GoneAt.IsZero() {
		s.record.GoneAt = time.Time{}
		r.put(s)
	}
}

// shown tells whether the row speaks of a job that is free or ours. One that somebody
// else has may show anything, and what was known of it stays.
func (s *seen) shown() bool {
	return s.job.State == app.StateMatched || s.job.State == app.StateOurs
}

// firstSight makes the row of a job that was not known before.
func (r *run) firstSight(s *seen, at time.Time) {
	s.recorded = true
	s.record = app.JobRecord{
		ID:         app.NewID(at),
		AccountID:  r.bot.account,
		SessionID:  r.session.ID,
		Source:     app.SourceBuiltIn,
		Number:     s.job.Number,
		Status:     app.JobMatched,
		SeenAt:     at,
		LastSeenAt: at,
		ListedAt:   r.listedAt(s.job, at),
		CreatedAt:  time.Now().UTC(),
	}
	r.describe(s)
	r.put(s)
	r.tellJob(s, app.EventJobSeen, "Seen: "+s.name()+".")
}

// listedAt is when the portal listed the job, where it says so by the minute: a
// submitted cell without a time is its midnight.
func (r *run) listedAt(j app.Job, seenAt time.Time) time.Time {
	local := j.SubmittedAt.In(r.rules.Location())
	if j.SubmittedAt.IsZero() || j.SubmittedAt.After(seenAt) || local.Hour()+local.Minute()+local.Second() == 0 {
		return time.Time{}
	}
	return j.SubmittedAt
}

// describe writes the job as it is shown into its record, and tells whether that
// changed it.
func (r *run) describe(s *seen) bool {
	j, rec := &s.job, &s.record
	before := *rec
	rec.Ref, rec.Language = j.Ref, j.Language
	rec.Date, rec.Time = j.Date, j.Time
	rec.DurationText, rec.DurationMinutes = j.DurationText, j.DurationMinutes
	if rec.SubmittedText == "" { // Later it may read "2 hours ago".
		rec.SubmittedText, rec.SubmittedAt = j.SubmittedText, j.SubmittedAt
	}
	rec.DetailsURL = j.DetailsURL
	rec.StartsAt, rec.EndsAt, _ = r.rules.ResolveAppointment(*j)
	changed := rec.Ref != before.Ref || rec.Language != before.Language || rec.Date != before.Date || rec.Time != before.Time ||
		rec.DurationText != before.DurationText || rec.DetailsURL != before.DetailsURL ||
		!rec.StartsAt.Equal(before.StartsAt) || !rec.EndsAt.Equal(before.EndsAt) || before.Row == nil
	if changed {
		rec.Row = j.Row
	}
	if changed && s.ours() && before.Row != nil {
		r.acceptedChanged(s, before)
	}
	return changed
}

// missing notes which jobs a complete board no longer shows.
func (r *run) missing(at time.Time) {
	for s := range r.present {
		if s.look != r.look {
			r.left(s, at)
		}
	}
	if at.Sub(r.forgotAt) >= forgetEvery && r.bot.ledger.waiting() == 0 {
		r.forgotAt = at
		maps.DeleteFunc(r.seen, func(_ string, s *seen) bool {
			return !r.present[s] && s.idle() && at.Sub(s.record.LastSeenAt) > forgetAfter
		})
	}
}

// left notes that a job is off the board.
func (r *run) left(s *seen, at time.Time) {
	delete(r.present, s)
	s.freed(app.StateGone)
	if s.open() == nil && !s.ours() {
		s.details.forget() // Offered again, it may be another.
	}
	if !s.recorded {
		return
	}
	s.record.GoneAt = at
	if s.record.Status == app.JobMatched && s.decided && s.decision.Verdict == app.VerdictAccept {
		s.record.RejectionReason = "It was gone before it could be accepted."
		if why := r.barred(); why != "" {
			s.record.RejectionReason = why
		}
	}
	if s.record.Status == app.JobMatched {
		s.record.NeedsUser = ""
	}
	r.put(s)
}

// idle tells whether nothing is left to do about a job that is off the board.
func (s *seen) idle() bool { return s.open() == nil && !s.ours() }

// put has the job's row stored with the step at hand.
func (r *run) put(s *seen) {
	now := time.Now().UTC()
	s.record.Sightings += s.sightings
	s.sightings = 0
	s.record.UpdatedAt = now
	s.record.Version = nextVersion(s.record.Version, now)
	r.step.job(s.record)
}

// rememberSightings stores when jobs were last seen and how often. It is done now and
// then only: that a job is still there is no news.
func (r *run) rememberSightings() {
	r.spreadAt = time.Now()
	for _, s := range r.seen {
		if s.recorded && s.sightings > 0 {
			r.put(s)
		}
	}
}

// name is how a job is called in a sentence.
func (s *seen) name() string {
	ref := s.record.Ref
	if ref == "" {
		ref = s.record.Number
	}
	if s.record.Language == "" {
		return ref
	}
	return ref + ", " + s.record.Language
}

// tellJob tells everyone watching of a job.
func (r *run) tellJob(s *seen, kind, message string) {
	r.step.tell(r.session.ID, kind, jobEventOf(s.record, message))
}
