package practice

import (
	"fmt"
	"time"
)

// Blend is a scenario of many mixed jobs, in figures. The zero value of a field means
// what [Mixed] has.
type Blend struct {
	Seed  uint64
	Jobs  int
	Every time.Duration // Between one job and the next, in the mean; 20 ms where 0.
	Mix   Mix           // [UsualMix] where nil.
	// Overlapping is the share of the fitting jobs that are at the time of one before; 0.06
	// where 0, none below 0.
	Overlapping float64
	// Contested is the share of the fitting jobs that a rival takes after a while, between
	// Soonest and Latest; 0.3, 1.5 s and 6 s where 0; none below 0.
	Contested       float64
	Soonest, Latest time.Duration
	// Snatched is the share of the fitting jobs that a rival takes just before the accept
	// POST is looked at; 0.02 where 0, none below 0.
	Snatched float64
	// Lasting is how long jobs that don't fit stay on the board; 4 s where 0.
	Lasting time.Duration
}

// Mixed is a scenario of n mixed jobs, one every 20 ms: of every kind, with rivals, and
// with appointments that mostly do not overlap. It is the same for the same arguments.
func Mixed(seed uint64, n int) Scenario { return Blend{Seed: seed, Jobs: n}.Scenario() }

// Scenario makes the scenario. What it holds can be changed before a portal is made of it.
func (b Blend) Scenario() Scenario {
	b = b.withDefaults()
	s := Scenario{
		Name: fmt.Sprintf("%d mixed jobs, seed %d", b.Jobs, b.Seed), Seed: b.Seed, FirstNumber: 50000,
		Board: BoardRules{PageSize: 50, KeepTaken: time.Second, KeepAccepted: 10 * time.Second},
	}
	r := dice(b.Seed, "mixed", 0)
	// The day after tomorrow is more than 24 hours away whatever the hour.
	book := diary{day: 3}
	var at time.Duration
	var last Job
	for i := range b.Jobs {
		j := generate(r, b.Mix.draw(r))
		j.Number, j.At = s.FirstNumber+int64(i), at
		at += time.Duration(r.Float64() * 2 * float64(b.Every))
		switch {
		case j.Clock != "" || j.StartsIn != 0:
		case j.Expect == ExpectAccept && last.Clock != "" && r.Float64() < b.Overlapping:
			j.Day, j.Clock = last.Day, last.Clock
		default:
			j.Day, j.Clock = book.next(r, j.Minutes)
		}
		b.rivals(&j, r.Float64(), r.Float64())
		if j.Expect == ExpectAccept {
			last = j
		}
		s.Jobs = append(s.Jobs, j)
	}
	s.FirstNumber += int64(b.Jobs)
	return s
}

func (b Blend) withDefaults() Blend {
	if b.Every == 0 {
		b.Every = 20 * time.Millisecond
	}
	if b.Mix == nil {
		b.Mix = UsualMix()
	}
	if b.Overlapping == 0 {
		b.Overlapping = 0.06
	}
	if b.Contested == 0 {
		b.Contested = 0.3
	}
	if b.Soonest == 0 {
		b.Soonest = 1500 * time.Millisecond
	}
	if b.Latest == 0 {
		b.Latest = max(6*time.Second, b.Soonest)
	}
	if b.Snatched == 0 {
		b.Snatched = 0.02
	}
	if b.Lasting == 0 {
		b.Lasting = 4 * time.Second
	}
	return b
}

// rivals decides from two draws whether and when a rival takes the job.
func (b Blend) rivals(j *Job, which, when float64) {
	switch {
	case j.Expect == ExpectIgnore:
		j.WithdrawAfter = b.Lasting
	case j.Expect == ExpectReject:
		// Rejected or not, somebody takes it in the end.
		j.RivalAfter = b.Lasting + time.Duration(when*float64(b.Lasting))
	case j.Expect != ExpectAccept:
		j.RivalAfter = b.Lasting/2 + time.Duration(when*float64(b.Lasting))
	case which < b.Snatched:
		j.RivalFirst, j.RivalAfter = true, -1
	case which < b.Snatched+b.Contested:
		j.RivalAfter = b.Soonest + time.Duration(when*float64(b.Latest-b.Soonest))
	default:
		j.RivalAfter = -1
	}
}

// EveryFault gives every fault that a client gets over by itself, each with this
// probability on each page that it makes sense on. Those that hang do so for a while
// only. Challenges are not among them: they wait for a person.
func EveryFault(probability float64, hang time.Duration) []Fault {
	var faults []Fault
	add := func(f Fault, pages ...Page) {
		for _, page := range pages {
			f.Name = string(f.Kind) + " on " + string(page)
			f.Page, f.Probability = page, probability
			faults = append(faults, f)
		}
	}
	acts := []Page{PageAccept, PageReject}
	all := []Page{PageBoard, PageDetails, PageAccept, PageReject}
	// Of several faults the first strikes, so what matters most comes first.
	add(Fault{Kind: FaultHangAfter, Delay: hang}, acts...)
	for _, kind := range []FaultKind{FaultResetAfter, FaultErrorAfter, FaultForeignAfter, FaultTruncated, FaultExpiredToken, FaultRival} {
		add(Fault{Kind: kind}, acts...)
	}
	add(Fault{Kind: FaultHang, Delay: hang}, all...)
	for _, kind := range []FaultKind{FaultError, FaultReset, FaultEmptyBody, FaultForeign, FaultLoggedOut, FaultClose} {
		add(Fault{Kind: kind}, all...)
	}
	for _, kind := range []FaultKind{FaultGarbage, FaultTruncated, FaultGuestPage} {
		add(Fault{Kind: kind}, PageBoard, PageDetails)
	}
	add(Fault{Kind: FaultError, Status: 502}, PageLogIn)
	add(Fault{Kind: FaultGuestBoard}, PageBoard)
	add(Fault{Kind: FaultSlow, Delay: hang / 2}, all...)
	add(Fault{Kind: FaultTrickle, Delay: hang / 2}, PageBoard, PageDetails)
	add(Fault{Kind: FaultRateLimited, RetryAfter: time.Second}, PageBoard)
	add(Fault{Kind: FaultMaintenance}, PageBoard, PageAccept)
	add(Fault{Kind: FaultWrongJob}, PageDetails)
	add(Fault{Kind: FaultChanged}, PageBoard, PageDetails)
	return faults
}
