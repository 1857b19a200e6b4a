package rules

import (
	"cmp"
	"iter"
	"slices"
	"sort"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/rules/wallclock"
)

// BacktestOptions says how a back-test is made.
type BacktestOptions struct {
	// Against is another set of rules to compare with; nil compares with what was done.
	Against *Set
	// Examples is how many changes of each kind are given with their reasons: the newest.
	Examples int
}

// Backtest is the difference that rules would have made to recorded jobs.
type Backtest struct {
	Jobs     int       // Recorded jobs that were decided again.
	From, To time.Time // When the first and the last of them were seen; zero without jobs.

	WouldAccept, DidAccept int
	More, Fewer            int // Would have been accepted and were not; the other way round.
	Unchanged              int // Of the jobs, all that are neither More nor Fewer nor Unknown.
	WouldAsk               int
	WouldReject, DidReject int
	// Lost were tried and somebody else got them, or the portal refused: these rules would
	// have tried them too, and no rules would have won them. They are Unchanged.
	Lost int
	// Unknown cannot be told: the rules need something of the details page that was not
	// recorded, because the rules of that day did not need it.
	Unknown int

	MoreJobs, FewerJobs []Change // Newest first.
	Rules               []RuleCount
}

// Change is a recorded job that would have gone another way.
type Change struct {
	Job     app.JobRecord
	Verdict app.Verdict // Of the rules that are tested.
	Rule    string      // That decided; "" for an acceptance.
	Reason  string
}

// RuleCount says what one rule did in a back-test.
type RuleCount struct {
	Rule     string
	Decided  int // Jobs that were left, asked about or rejected because of it.
	NotHeld  int // Jobs for which it did not hold, whichever rule decided.
	NotKnown int
}

// Recorded makes of a record the job as it was when it was seen: free, and with no more of
// its details than its type.
func Recorded(r app.JobRecord) app.Job {
	var job app.Job
	recordedJob(&r, &job, &app.Details{})
	return job
}

func recordedJob(r *app.JobRecord, j *app.Job, details *app.Details) {
	*j = app.Job{
		Number: r.Number, Ref: r.Ref, Language: r.Language,
		SubmittedText: r.SubmittedText, SubmittedAt: r.SubmittedAt,
		Date: r.Date, DateText: r.Date, Time: r.Time, TimeText: r.Time,
		DurationMinutes: r.DurationMinutes, DurationText: r.DurationText,
		StatusText: "Matched", State: app.StateMatched,
		Row: r.Row, DetailsURL: r.DetailsURL,
	}
	if r.Date == "" && len(r.Row) > 2 {
		j.DateText = r.Row[2]
	}
	if r.Time == "" && len(r.Row) > 3 {
		j.TimeText = r.Row[3]
	}
	if r.JobType != "" {
		*details = app.Details{Type: r.JobType}
		j.Details = details
	} else if j.DetailsURL == "" {
		j.DetailsURL = "not recorded" // There was a page, whether or not its address was kept.
	}
}

// Backtest decides recorded jobs of one account again, as they came: what would have been
// accepted keeps its time busy and counts for the caps of those after it. The records may
// come in any order; an error of theirs ends the test and is returned.
//
// It compares with what was done, or with what other rules would have done. What the
// user's busy calendars held at the time is not recorded and does not count.
func (s *Set) Backtest(records iter.Seq2[app.JobRecord, error], o BacktestOptions) (Backtest, error) {
	t := backtest{options: o, tested: newReplay(s), result: Backtest{Rules: make([]RuleCount, ruleCount)}}
	if o.Against != nil {
		t.against = newReplay(o.Against)
	}
	for i, r := range s.rules {
		t.result.Rules[i].Rule = r.name
	}
	var candidates []*candidate
	for r, err := range records {
		if err != nil {
			return Backtest{}, err
		}
		if c := t.sift(&r); c != nil {
			candidates = append(candidates, c)
		}
	}
	// In the order of the looks, and in one look as the numbers run: always the same.
	slices.SortFunc(candidates, func(a, b *candidate) int {
		return cmp.Or(a.record.SeenAt.Compare(b.record.SeenAt), cmp.Compare(a.record.Number, b.record.Number))
	})
	for _, c := range candidates {
		t.replay(c)
	}
	t.result.Unchanged = t.result.Jobs - t.result.More - t.result.Fewer - t.result.Unknown
	t.result.MoreJobs, t.result.FewerJobs = t.more.newestFirst(), t.fewer.newestFirst()
	return t.result, nil
}

// candidate is a record that the order of things can matter for.
type candidate struct {
	record app.JobRecord
	taken  bool // By what was done.
}

// backtest is one back-test under way.
type backtest struct {
	options         BacktestOptions
	tested, against *replay
	more, fewer     newest
	result          Backtest
}

// sift counts a record, and settles it where nothing that is booked can change what the
// rules make of it: most records are of jobs that never fitted, and need not be kept in
// memory until all are there.
func (t *backtest) sift(r *app.JobRecord) *candidate {
	t.result.Jobs++
	at := decidedAt(r)
	if t.result.From.IsZero() || at.Before(t.result.From) {
		t.result.From = at
	}
	if at.After(t.result.To) {
		t.result.To = at
	}
	taken := r.Status == app.JobAccepted
	if t.against == nil && taken {
		t.result.DidAccept++
	}
	if r.Status == app.JobRejected {
		t.result.DidReject++
	}
	if !taken && t.against == nil && !t.tested.set.expressionCounts() {
		d := t.tested.decide(r, &app.Tally{}, false)
		if d.Verdict != app.VerdictAccept && d.Verdict != app.VerdictReject {
			t.count(&d)
			return nil
		}
	}
	return &candidate{record: *r, taken: taken}
}

// expressionCounts tells whether the expression looks at what is booked: it can then
// want more the more is booked, where every other rule only wants less.
func (s *Set) expressionCounts() bool {
	return s.expression != nil && (s.expression.needsBooked || slices.Contains(s.expression.names, "booked_session"))
}

// replay decides a candidate as of when it came.
func (t *backtest) replay(c *candidate) {
	r := &c.record
	tally := t.tested.tally(r)
	d := t.tested.decide(r, &tally, false)
	taken := c.taken
	if t.against != nil {
		booked := t.against.tally(r)
		other := t.against.decide(r, &booked, false)
		taken = other.Verdict == app.VerdictAccept && !lost(r)
		if taken {
			t.result.DidAccept++
			t.against.book(r, other)
		}
	}
	unknown := t.count(&d)
	switch {
	case d.Verdict == app.VerdictReject:
		t.tested.rejected[r.SessionID]++
	case d.Verdict == app.VerdictAccept && lost(r):
		t.result.Lost++
		return
	case d.Verdict == app.VerdictAccept:
		t.result.WouldAccept++
		if !taken {
			t.result.More++
			t.more.add(t.options.Examples, Change{*r, d.Verdict, d.Rule, "Every rule holds."})
		}
		t.tested.book(r, d)
		return
	}
	if !taken {
		return
	}
	if unknown || d.Verdict == app.VerdictAsk {
		// What was accepted then is taken to be accepted now: by whoever is asked, or by
		// rules that would have read the details.
		t.result.WouldAccept++
		t.tested.book(r, d)
		return
	}
	if t.options.Examples > 0 {
		d = t.tested.decide(r, &tally, true)
	}
	t.result.Fewer++
	t.fewer.add(t.options.Examples, Change{*r, d.Verdict, d.Rule, d.Reason})
}

// count counts a decision, the last of the tested rules, and tells whether its verdict is not known for want of details.
func (t *backtest) count(d *app.Decision) (unknown bool) {
	answers := &t.tested.answers
	switch d.Verdict {
	case app.VerdictAsk:
		t.result.WouldAsk++
	case app.VerdictReject:
		t.result.WouldReject++
	default: // Acceptances count once it is known whether they could be won.
	}
	for i := range answers {
		c := &t.result.Rules[i]
		switch answers[i].held {
		case app.No:
			c.NotHeld++
		case app.Unknown:
			c.NotKnown++
		default:
		}
		if d.Rule == c.Rule {
			c.Decided++
			unknown = answers[i].held == app.Unknown && answers[i].details
		}
	}
	if unknown {
		t.result.Unknown++
	}
	return unknown
}

// lost tells whether a job was tried and not won.
func lost(r *app.JobRecord) bool {
	switch r.Status {
	case app.JobLost, app.JobRefused, app.JobFailed, app.JobUnknown:
		return true
	default:
		return false
	}
}

// decidedAt is when the rules were asked about a recorded job.
func decidedAt(r *app.JobRecord) time.Time {
	if r.DecidedAt.After(r.SeenAt) {
		return r.DecidedAt
	}
	return r.SeenAt
}

// replay is what a set of rules has booked so far.
type replay struct {
	set      *Set
	session  map[string]int
	rejected map[string]int
	// bookings are in order of their start. Only a window of them is looked at for a job:
	// those of its week, and those that can reach into it.
	bookings []app.Booking
	longest  time.Duration
	counts   bool // Whether any rule looks at the bookings.
	answers  answers
	folded   map[string]text
	// remembered is fold, made once.
	remembered func(string) text
	// What is decided just now. It is here to be used again: a job and its details are a
	// kilobyte, and there are a hundred thousand.
	subject subject
	job     app.Job
	details app.Details
}

func newReplay(s *Set) *replay {
	counts := s.avoidOverlap || s.maxDay+s.maxWeek+s.maxMinutesDay > 0 || s.expression != nil && s.expression.needsBooked
	p := &replay{set: s, session: map[string]int{}, rejected: map[string]int{}, counts: counts, folded: map[string]text{}}
	p.remembered = p.fold
	for i := range p.answers {
		p.answers[i].held = app.Yes
	}
	return p
}

// decide is Decide of a recorded job, without a trace: what no rule asks for is not asked,
// and no sentence is made unless it is to be told.
func (p *replay) decide(r *app.JobRecord, tally *app.Tally, told bool) app.Decision {
	recordedJob(r, &p.job, &p.details)
	x := &p.subject
	*x = subject{job: &p.job, tally: tally, now: decidedAt(r), told: told, typeOnly: true, fold: p.remembered, appointment: p.set.appointment(&p.job)}
	x.readType()
	for _, i := range p.set.active {
		p.answers[i] = p.set.rules[i].asks(p.set, x)
	}
	return p.set.conclude(x, &p.answers)
}

// fold is fold with a memory: there are few job types, languages and times, and many jobs.
func (p *replay) fold(s string) text {
	t, ok := p.folded[s]
	if !ok {
		t = fold(s)
		if len(p.folded) < 10_000 {
			p.folded[s] = t
		}
	}
	return t
}

// tally gives what matters for a job of what is booked: its week, and what can reach into
// the job with the largest buffers. Where not even its day is known, nothing matters.
func (p *replay) tally(r *app.JobRecord) app.Tally {
	t := app.Tally{Session: p.session[r.SessionID], Rejected: p.rejected[r.SessionID]}
	day, ok := wallclock.ParseDay(r.Date)
	if !ok {
		return t
	}
	const week = 9 * 24 * time.Hour // And two days, for the zone and the buffers.
	midnight := day.Midnight()
	from := p.from(midnight.Add(-week - p.longest))
	to := p.from(midnight.Add(minutes(max(r.DurationMinutes, 0)) + week))
	t.Bookings = p.bookings[from:to]
	return t
}

// from gives the place of the first booking that begins at t or later.
func (p *replay) from(t time.Time) int {
	return sort.Search(len(p.bookings), func(i int) bool { return !p.bookings[i].StartsAt.Before(t) })
}

func (p *replay) book(r *app.JobRecord, d app.Decision) {
	p.session[r.SessionID]++
	start, end := d.StartsAt, d.EndsAt
	if start.IsZero() {
		start, end = r.StartsAt, r.EndsAt
	}
	if start.IsZero() || !p.counts {
		return
	}
	p.longest = max(p.longest, end.Sub(start))
	b := app.Booking{Number: r.Number, Label: r.Ref + ", " + r.Language, JobType: r.JobType, StartsAt: start, EndsAt: end, Firm: true}
	p.bookings = slices.Insert(p.bookings, p.from(start.Add(1)), b)
}

// newest keeps the newest changes.
type newest struct {
	ring []Change
	next int
}

func (n *newest) add(most int, c Change) {
	switch {
	case most <= 0:
	case len(n.ring) < most:
		n.ring = append(n.ring, c)
	default:
		n.ring[n.next] = c
		n.next = (n.next + 1) % most
	}
}

func (n *newest) newestFirst() []Change {
	ordered := append(slices.Clone(n.ring[n.next:]), n.ring[:n.next]...)
	slices.Reverse(ordered)
	return ordered
}
