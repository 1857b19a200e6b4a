package practice

import (
	"maps"
	"slices"
	"time"
)

// Truth is what really went on, as one consistent picture.
type Truth struct {
	Scenario  string       `json:"scenario,omitempty"`
	StartedAt time.Time    `json:"started_at,omitzero"` // Zero before the first request.
	Now       time.Time    `json:"now"`
	Counts    Counts       `json:"counts"`
	Jobs      []JobTruth   `json:"jobs"` // As they were listed; those still to come are left out.
	Wrong     []WrongAct   `json:"wrong_acts"`
	Traffic   TrafficTruth `json:"traffic"`
	Faults    []FaultTruth `json:"faults"` // Those that are set.
	// Struck counts how often faults struck, by name, those that were cleared, too.
	Struck map[string]int `json:"struck"`
}

// Counts are the portal's totals since its start, of forgotten jobs, too.
type Counts struct {
	Listed    int `json:"listed"`
	Matched   int `json:"matched"`   // Free now.
	Accepted  int `json:"accepted"`  // Held by accounts of the portal now.
	Rejected  int `json:"rejected"`  //
	Taken     int `json:"taken"`     // By rivals.
	Withdrawn int `json:"withdrawn"` //
	Lost      int `json:"lost"`      // Jobs that an accept POST came too late for.

	AcceptPosts   int `json:"accept_posts"` // That reached the portal, with whatever result.
	RejectPosts   int `json:"reject_posts"`
	WrongActs     int `json:"wrong_acts"`
	Looks         int `json:"looks"` // Boards served, counting the first page of each.
	Requests      int `json:"requests"`
	LogIns        int `json:"log_ins"` // Log-in forms posted.
	LogInsRefused int `json:"log_ins_refused"`
	LockedOut     int `json:"locked_out"`
	Expired       int `json:"expired_sessions"`
	Coming        int `json:"coming"` // Planned, and not listed yet.
}

// JobTruth is one job's.
type JobTruth struct {
	Job
	Ref       string    `json:"ref"`
	State     string    `json:"state"`            // "matched", "other", "accepted", "taken", "withdrawn".
	Holder    string    `json:"holder,omitempty"` // The account that has it, or [Rival].
	Rejected  []string  `json:"rejected_by,omitempty"`
	ListedAt  time.Time `json:"listed_at"`
	ShownAt   time.Time `json:"shown_at,omitzero"`  // When a board with it was first served.
	ClosedAt  time.Time `json:"closed_at,omitzero"` // When it stopped being free; zero while it is.
	ChangedAt time.Time `json:"changed_at"`
	OnBoard   bool      `json:"on_board"`
	Details   int       `json:"details"` // How often they were asked for.
	DetailsAt time.Time `json:"details_at,omitzero"`
	PostedAt  time.Time `json:"posted_at,omitzero"` // When the first accept POST came.
	Acts      []Act     `json:"acts,omitempty"`
}

// Reaction is the time from listing to the first accept POST; 0 where none came.
func (j JobTruth) Reaction() time.Duration {
	if j.PostedAt.IsZero() {
		return 0
	}
	return j.PostedAt.Sub(j.ListedAt)
}

// Ends is the end of the appointment.
func (j JobTruth) Ends() time.Time { return j.Starts.Add(time.Duration(j.Minutes) * time.Minute) }

// Act is one POST about a job that reached the portal.
type Act struct {
	At        time.Time         `json:"at"` // When it came.
	turn      int64             // As which request.
	DecidedAt time.Time         `json:"decided_at"` // When it was decided.
	Page      Page              `json:"page"`
	Session   string            `json:"session,omitempty"` // Its name, not its cookie.
	Account   string            `json:"account,omitempty"`
	Fields    map[string]string `json:"fields,omitempty"` // Without the token's value.
	Committed bool              `json:"committed"`        // Whether it changed the job.
	Result    Result            `json:"result"`
	Fault     string            `json:"fault,omitempty"` // The name of the fault that befell it.
}

// Result is what came of a POST about a job, whatever its sender was told.
type Result string

// The results.
const (
	ResultAccepted     Result = "accepted"
	ResultRejected     Result = "rejected"
	ResultAsked        Result = "asked" // The 24-hour question was put.
	ResultCancelDialog Result = "cancel dialog"
	ResultRefused      Result = "refused"
	ResultGone         Result = "gone"
	ResultAlreadyOurs  Result = "already ours"
	ResultTokenExpired Result = "token expired"
	ResultTokenWrong   Result = "token wrong"
	ResultLoggedOut    Result = "logged out"
	ResultMalformed    Result = "malformed"
	ResultCancelled    Result = "cancelled"
	ResultFault        Result = "fault"  // A fault came before it was looked at.
	ResultDenied       Result = "denied" // The client asks for too much.
)

// Wrong is a sort of act that no careful client makes.
type Wrong string

// The sorts of wrong acts.
const (
	WrongNotFree Wrong = "not free"      // A POST for a job that a look had shown not to be free.
	WrongTwice   Wrong = "twice"         // An accept POST for a job that the account has already.
	WrongBlind   Wrong = "blind"         // A second POST without a look since the first.
	WrongToken   Wrong = "wrong token"   // A form token that there never was.
	WrongFields  Wrong = "fields"        // A form without all of its fields.
	WrongMethod  Wrong = "method"        // Something else than a POST where a form is posted.
	WrongCancel  Wrong = "cancel dialog" // The dialog that must never be submitted was.
	WrongUnasked Wrong = "unasked"       // A yes to the 24-hour question before it was put.
	WrongTooFast Wrong = "too fast"      // More requests than the portal allows its guests.
	WrongTooSoon Wrong = "too soon"      // A request before the time of a Retry-After.
)

// WrongAct is one of them.
type WrongAct struct {
	At      time.Time `json:"at"`
	What    Wrong     `json:"what"`
	Page    Page      `json:"page"`
	Job     int64     `json:"job,omitempty"`
	Session string    `json:"session,omitempty"`
	Detail  string    `json:"detail"`
}

// TrafficTruth is how the portal was asked.
type TrafficTruth struct {
	Pages map[Page]int `json:"pages"`
	// AtOnce is the most requests of one client at one time. Those that their client
	// did not wait for, or that a fault kept hanging, don't count.
	AtOnce   int      `json:"at_once"`
	Interval Spread   `json:"interval"` // From one board's first page to the next, of one account.
	Reaction Spread   `json:"reaction"` // From a job's listing to its first accept POST.
	Clients  []string `json:"user_agents"`
}

// FaultTruth is what became of a fault.
type FaultTruth struct {
	Fault
	Hits int `json:"hits"`
}

// Job gives one job's truth. It tells whether the portal knows such a job.
func (t Truth) Job(number int64) (JobTruth, bool) {
	for _, j := range t.Jobs {
		if j.Number == number {
			return j, true
		}
	}
	return JobTruth{}, false
}

// HeldBy gives the jobs that the account has.
func (t Truth) HeldBy(email string) []JobTruth {
	var held []JobTruth
	for _, j := range t.Jobs {
		if j.State == string(stateAccepted) && j.Holder == email {
			held = append(held, j)
		}
	}
	return held
}

// Overlaps gives each pair of jobs that the account has and that are at one time.
func (t Truth) Overlaps(email string) [][2]JobTruth {
	held := t.HeldBy(email)
	slices.SortFunc(held, func(a, b JobTruth) int { return a.Starts.Compare(b.Starts) })
	var pairs [][2]JobTruth
	for i, a := range held {
		for _, b := range held[i+1:] {
			if !b.Starts.Before(a.Ends()) {
				break
			}
			pairs = append(pairs, [2]JobTruth{a, b})
		}
	}
	return pairs
}

// Missed gives the jobs that the account should have and has not: those expected to be
// accepted that were free for at least so long, that no rival snatched in the moment of
// the account's POST, and that are not at the time of another one which it has. Won is
// how many it has of those that it should.
func (t Truth) Missed(email string, free time.Duration) (won int, missed []JobTruth) {
	held := t.HeldBy(email)
	for _, j := range t.Jobs {
		closed := j.ClosedAt
		if closed.IsZero() {
			closed = t.Now
		}
		switch {
		case j.Expect != ExpectAccept:
		case j.Holder == email:
			won++
		case closed.Sub(j.ListedAt) < free || j.snatched():
		case slices.ContainsFunc(held, func(h JobTruth) bool { return h.Starts.Before(j.Ends()) && j.Starts.Before(h.Ends()) }):
		default:
			missed = append(missed, j)
		}
	}
	return won, missed
}

// snatched tells whether a rival took the job in the moment of a POST.
func (j JobTruth) snatched() bool {
	return slices.ContainsFunc(j.Acts, func(a Act) bool { return a.Result == ResultGone && a.DecidedAt.Equal(j.ClosedAt) })
}

// Mistakes gives the jobs that the account has accepted or rejected and should not have.
// Jobs of which nothing is expected are left out.
func (t Truth) Mistakes(email string) []JobTruth {
	var mistakes []JobTruth
	for _, j := range t.Jobs {
		accepted := j.Holder == email
		rejected := slices.Contains(j.Rejected, email)
		if j.Expect != ExpectNothing && (accepted && j.Expect != ExpectAccept || rejected && j.Expect != ExpectReject) {
			mistakes = append(mistakes, j)
		}
	}
	return mistakes
}

// Truth gives what really went on up to now.
func (p *Portal) Truth() Truth {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.advance()
	t := Truth{
		Scenario: p.scenario.Name, StartedAt: p.start, Now: now, Counts: p.counts(),
		Jobs: make([]JobTruth, 0, len(p.order)), Wrong: slices.Clone(p.tally.wrongs), Traffic: p.tally.traffic(),
		Struck: maps.Clone(p.tally.struck),
	}
	for _, j := range p.order {
		if j.state != stateComing {
			t.Jobs = append(t.Jobs, j.truth())
		}
	}
	slices.SortStableFunc(t.Jobs, func(a, b JobTruth) int { return a.ListedAt.Compare(b.ListedAt) })
	for _, a := range p.faults {
		t.Faults = append(t.Faults, FaultTruth{Fault: a.Fault, Hits: a.hits})
	}
	return t
}

// JobTruth gives one job's truth, without a picture of everything.
func (p *Portal) JobTruth(number int64) (JobTruth, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advance()
	j := p.jobs[number]
	if j == nil || j.state == stateComing {
		return JobTruth{}, false
	}
	return j.truth(), true
}

// Counts gives the totals up to now.
func (p *Portal) Counts() Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advance()
	return p.counts()
}

func (p *Portal) counts() Counts {
	c := p.tally.counts
	c.Coming = len(p.order) - c.Listed + p.tally.forgotten
	return c
}

func (j *job) truth() JobTruth {
	t := JobTruth{
		Job: j.Job, Ref: j.ref, State: string(j.state), Holder: j.holder,
		ListedAt: j.listedAt, ShownAt: j.shownAt, ClosedAt: j.closedAt, ChangedAt: j.changedAt,
		OnBoard: j.onBoard, Details: j.details, DetailsAt: j.detailsAt, PostedAt: j.postedAt,
		Rejected: slices.Sorted(maps.Keys(j.rejected)), Acts: slices.Clone(j.acts),
	}
	return t
}
