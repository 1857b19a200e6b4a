package practice

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// jobState is where a job stands on the portal.
type jobState string

const (
	stateComing    jobState = "coming"    // Not listed yet.
	stateMatched   jobState = "matched"   // Free.
	stateOther     jobState = "other"     // Listed with a status of its own; nobody can take it.
	stateAccepted  jobState = "accepted"  // An account has it.
	stateTaken     jobState = "taken"     // A rival has it.
	stateWithdrawn jobState = "withdrawn" // Off the portal.
)

// Rival is who holds a job that no account of the portal holds.
const Rival = "a rival"

// job is one job and what has become of it.
type job struct {
	Job
	ref    string
	state  jobState
	holder string // An account's email, or Rival.

	listedAt  time.Time
	closedAt  time.Time // When it stopped being free.
	changedAt time.Time // When its state changed last.
	shownAt   time.Time // When a board with it was first served.
	onBoard   bool
	rejected  map[string]time.Time // By whom, and when.

	acts        []Act
	details     int
	detailsAt   time.Time
	postedAt    time.Time // The first accept POST.
	lostTo      bool      // An accept POST came when a rival had it.
	rowCache    []byte    // Its cells up to the status.
	staleBefore *job      // As it was before the newest act, for faults that show the past.
}

// schedule plans the life of a job whose At counts from base, and gives its number. The
// lock is held.
func (p *Portal) schedule(in Job, base time.Time) int64 {
	j := &job{Job: in.withDefaults(), state: stateComing}
	if j.Number == 0 {
		for p.jobs[p.number] != nil {
			p.number++
		}
		j.Number = p.number
		p.number++
	} else if p.jobs[j.Number] != nil {
		return j.Number // A job is known by its number: the first one stays.
	}
	j.ref = strconv.FormatInt(j.Number, 10) + "/" + j.Suffix
	p.jobs[j.Number] = j
	p.order = append(p.order, j)
	p.timeline.plan(base.Add(max(j.At, 0)), func(at time.Time) { p.list(j, at) })
	return j.Number
}

// list puts a job on the board and plans what becomes of it.
func (p *Portal) list(j *job, at time.Time) {
	j.listedAt, j.changedAt = at, at
	j.state = stateMatched
	if j.Status != "" && j.Status != p.scenario.Look.Words.Matched {
		j.state = stateOther
	}
	if j.Starts.IsZero() {
		j.Starts = p.appointment(j, at)
	}
	j.onBoard = true
	p.board = append(p.board, j)
	p.tally.counts.Listed++
	p.tally.counts.Matched += one(j.state == stateMatched)

	if after, wanted := p.rivalAfter(j); wanted && j.state == stateMatched {
		p.timeline.plan(at.Add(after), func(at time.Time) {
			if j.state == stateMatched {
				p.taken(j, at)
			}
		})
	}
	if j.WithdrawAfter > 0 {
		p.timeline.plan(at.Add(j.WithdrawAfter), func(at time.Time) {
			if j.state != stateWithdrawn {
				p.withdrawn(j, at)
			}
		})
	}
	p.forgetOldest()
}

// appointment gives the time of a job that says it in relation to something.
func (p *Portal) appointment(j *job, listed time.Time) time.Time {
	clock, err := time.Parse("15:04", j.Clock)
	switch {
	case j.StartsIn != 0:
		return listed.Add(j.StartsIn).Truncate(time.Minute)
	case j.Clock == "" || err != nil:
		return usualStart(listed.In(p.zone))
	}
	start := p.start.In(p.zone)
	return time.Date(start.Year(), start.Month(), start.Day()+j.Day, clock.Hour(), clock.Minute(), 0, 0, p.zone)
}

// usualStart is the appointment of a job that names none: tomorrow at ten.
func usualStart(at time.Time) time.Time {
	return time.Date(at.Year(), at.Month(), at.Day()+1, 10, 0, 0, 0, at.Location())
}

// rivalAfter tells how long after its listing a rival takes the job, if one does.
func (p *Portal) rivalAfter(j *job) (time.Duration, bool) {
	r := p.scenario.Rivals
	switch {
	case j.RivalAfter > 0:
		return j.RivalAfter, true
	case j.RivalAfter < 0 || r.Share == 0:
		return 0, false
	}
	return spread(r.After, r.Jitter, p.scenario.Seed, "rival after", j.Number),
		chance(p.scenario.Seed, "rival", j.Number) < r.Share
}

// taken gives a free job to a rival.
func (p *Portal) taken(j *job, at time.Time) {
	p.close(j, stateTaken, Rival, at)
	p.leaveBoard(j, at, p.scenario.Board.KeepTaken)
	p.planForgetting(j, at)
}

// accepted gives a free job to an account.
func (p *Portal) accepted(j *job, email string, at time.Time) {
	p.remember(j, email)
	p.close(j, stateAccepted, email, at)
	switch keep := p.scenario.Board.KeepAccepted; {
	case keep < 0:
		p.offBoard(j)
	case keep > 0:
		p.leaveBoard(j, at, keep)
	}
	if most := p.scenario.Board.AcceptedRows; most > 0 {
		p.boundAcceptedRows(email, most)
	}
	p.planForgetting(j, j.Starts.Add(time.Duration(j.Minutes)*time.Minute))
}

// withdrawn takes a job off the portal.
func (p *Portal) withdrawn(j *job, at time.Time) {
	p.close(j, stateWithdrawn, "", at)
	p.offBoard(j)
	p.planForgetting(j, at)
}

// close ends a job's being free, and counts it.
func (p *Portal) close(j *job, state jobState, holder string, at time.Time) {
	counts := &p.tally.counts
	counts.Matched -= one(j.state == stateMatched)
	counts.Accepted += one(state == stateAccepted) - one(j.state == stateAccepted)
	counts.Taken += one(state == stateTaken) - one(j.state == stateTaken)
	counts.Withdrawn += one(state == stateWithdrawn)
	j.state, j.holder, j.changedAt = state, holder, at
	if j.closedAt.IsZero() {
		j.closedAt = at
	}
}

// reject hides a free job from one account. Others go on seeing it.
func (p *Portal) reject(j *job, email string, at time.Time) {
	p.remember(j, email)
	// A map of its own, since the past has the old one.
	j.rejected = maps.Clone(j.rejected)
	if j.rejected == nil {
		j.rejected = map[string]time.Time{}
	}
	j.rejected[email] = at
	j.changedAt = at
	p.tally.counts.Rejected++
	if len(p.scenario.Accounts) == 1 {
		// Nobody is left to show it to. It stays free for rivals, who see other boards.
		p.offBoard(j)
		p.planForgetting(j, at)
	}
}

// remember keeps the job as it was before an act of the account.
func (p *Portal) remember(j *job, email string) {
	before := *j
	before.staleBefore, before.acts = nil, nil
	j.staleBefore = &before
	if old := p.jobs[p.tally.newest[email]]; old != nil && old != j {
		old.staleBefore = nil // Only the newest act's past is ever shown.
	}
	p.tally.newest[email] = j.Number
}

// leaveBoard takes a row off the board after a while.
func (p *Portal) leaveBoard(j *job, at time.Time, after time.Duration) {
	if after <= 0 {
		p.offBoard(j)
		return
	}
	state := j.state
	p.timeline.plan(at.Add(after), func(time.Time) {
		if j.state == state {
			p.offBoard(j)
		}
	})
}

func (p *Portal) offBoard(j *job) {
	if !j.onBoard {
		return
	}
	j.onBoard = false
	if i := slices.Index(p.board, j); i >= 0 {
		p.board = slices.Delete(p.board, i, i+1)
	}
}

// boundAcceptedRows takes the oldest accepted rows of an account off its board where
// there are more than so many.
func (p *Portal) boundAcceptedRows(email string, most int) {
	var rows []*job
	for _, j := range p.board {
		if j.state == stateAccepted && j.holder == email {
			rows = append(rows, j)
		}
	}
	if len(rows) <= most {
		return
	}
	slices.SortStableFunc(rows, func(a, b *job) int { return a.closedAt.Compare(b.closedAt) })
	for _, j := range rows[:len(rows)-most] {
		p.offBoard(j)
	}
}

// planForgetting plans the end of what is kept of a job that nobody can act on after end.
func (p *Portal) planForgetting(j *job, end time.Time) {
	if p.scenario.Board.Forget > 0 {
		p.timeline.plan(end.Add(p.scenario.Board.Forget), func(time.Time) { p.forget(j) })
	}
}

// forgetOldest keeps the number of jobs within what the portal remembers. Those that
// matter least to anybody go first: gone, then never free, then accepted, then free.
func (p *Portal) forgetOldest() {
	most := p.scenario.Board.Remember
	if most <= 0 || len(p.order) <= most {
		return
	}
	worth := map[jobState]int{stateOther: 1, stateAccepted: 2, stateMatched: 3}
	for level := 0; level <= 3; level++ {
		for _, j := range slices.Clone(p.order) {
			if len(p.order) <= most {
				return
			}
			if j.state != stateComing && worth[j.state] == level {
				p.forget(j)
			}
		}
	}
}

func (p *Portal) forget(j *job) {
	p.offBoard(j)
	if p.jobs[j.Number] != j {
		return
	}
	delete(p.jobs, j.Number)
	if i := slices.Index(p.order, j); i >= 0 {
		p.order = slices.Delete(p.order, i, i+1)
	}
	for _, a := range p.faults {
		a.forget(j.Number)
	}
	p.tally.forget(j)
}

// visibleTo tells whether the account's board shows the job.
func (j *job) visibleTo(email string) bool {
	if _, rejected := j.rejected[email]; rejected {
		return false
	}
	return j.onBoard && (j.state != stateAccepted || j.holder == email)
}

// free tells whether the account could take or reject the job now.
func (j *job) free(email string) bool {
	_, rejected := j.rejected[email]
	return j.state == stateMatched && !rejected
}

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}
