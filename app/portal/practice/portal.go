package practice

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // The portal's zone must be known also where the machine has none.
)

// Options are what a portal needs from outside. Each has a default.
type Options struct {
	Now func() time.Time // time.Now where nil.
	// Wait waits for d, or until ctx is done and then gives its error. It serves latency
	// and slow faults; a timer where nil.
	Wait func(ctx context.Context, d time.Duration) error
	Log  *slog.Logger // Of acts and faults; silent where nil.
}

// Portal is a practice portal: an [http.Handler] with the pages, and the truth about
// what went on. It is safe for use by many goroutines.
type Portal struct {
	now      func() time.Time
	wait     func(context.Context, time.Duration) error
	log      *slog.Logger
	scenario Scenario
	zone     *time.Location

	// life ends with the context of Start: everything that hangs is let go.
	life context.Context //nolint:containedctx // It is the portal's own, and no request's.
	end  context.CancelFunc

	packers sync.Pool // Of *gzip.Writer.
	loose   []*strings.Replacer

	mu       sync.Mutex
	begun    bool
	start    time.Time
	last     time.Time // Up to here time has passed.
	timeline timeline
	jobs     map[int64]*job
	order    []*job // Every job known, as listed, for the truth and for forgetting.
	board    []*job // Those that a board may show, as listed.
	number   int64  // Given to the next job that has none.
	visitors visitors
	faults   []*armed
	tally    tally
	rows     bytes.Buffer  // For writing boards into.
	changed  chan struct{} // Closed, and made anew, when something changes.
	kicked   chan struct{} // Tells the goroutine of Start that the next event may be sooner.
}

// New makes a portal of a scenario. Its time begins with the first request, or with
// [Portal.Start]. A scenario that [Scenario.Validate] finds fault with is taken as far
// as it goes: an unknown zone is UTC.
func New(s Scenario, o Options) *Portal {
	s = s.withDefaults()
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Wait == nil {
		o.Wait = waitTimer
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	zone, err := time.LoadLocation(s.TimeZone)
	if err != nil {
		zone = time.UTC
	}
	life, end := context.WithCancel(context.Background())
	return &Portal{
		life: life, end: end,
		now: o.Now, wait: o.Wait, log: o.Log, scenario: s, zone: zone,
		loose:    looseTags(),
		jobs:     map[int64]*job{},
		number:   s.FirstNumber,
		visitors: newVisitors(),
		tally:    newTally(),
		changed:  make(chan struct{}),
		kicked:   make(chan struct{}, 1),
	}
}

// waitTimer is the wait of [Options] by the real clock.
func waitTimer(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Start begins the portal's time and lets it pass without questions until ctx is done;
// then everything that hangs is let go, and Start returns. Requests are answered with
// or without it.
func (p *Portal) Start(ctx context.Context) error {
	defer p.end()
	for {
		p.mu.Lock()
		now := p.advance()
		next, waiting := p.timeline.next()
		p.mu.Unlock()

		pause := time.Hour
		if waiting {
			pause = max(next.Sub(now), 0)
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-p.kicked:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// begin sets the scenario's clock going. The lock is held.
func (p *Portal) begin(now time.Time) {
	p.begun, p.start, p.last = true, now, now
	for _, f := range p.scenario.Faults {
		p.faults = append(p.faults, arm(f, now))
	}
	for _, j := range p.scenario.Jobs {
		p.schedule(j, now)
	}
	if p.scenario.Stream != nil {
		p.scenario.Stream.run(p, now, 0)
	}
}

// advance lets everything happen that is due, and gives the present. The lock is held.
func (p *Portal) advance() time.Time {
	now := p.now()
	if !p.begun {
		p.begin(now)
	}
	if now.Before(p.last) { // The clock was set back: time stands still until it has caught up.
		now = p.last
	}
	happened := false
	for {
		e, due := p.timeline.due(now)
		if !due {
			break
		}
		e.happen(e.at)
		happened = true
	}
	p.last = now
	if happened {
		p.tell()
	}
	return now
}

// tell wakes those who wait for a change. The lock is held.
func (p *Portal) tell() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// kick lets the goroutine of Start look again at what comes next.
func (p *Portal) kick() {
	select {
	case p.kicked <- struct{}{}:
	default:
	}
}

// AddJob adds a job to the running portal, so long from now as its At says, and gives
// its number. Where there is a job of that number already, that one stays as it is.
func (p *Portal) AddJob(j Job) int64 {
	p.mu.Lock()
	now := p.advance()
	number := p.schedule(j, now)
	p.advance()
	p.mu.Unlock()
	p.kick()
	return number
}

// Take lets a rival take a job now. It tells whether the job was free.
func (p *Portal) Take(number int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.advance()
	j := p.jobs[number]
	if j == nil || j.state != stateMatched {
		return false
	}
	p.taken(j, now)
	p.tell()
	return true
}

// Withdraw takes a job off the portal now, whoever has it. It tells whether it was there.
func (p *Portal) Withdraw(number int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.advance()
	j := p.jobs[number]
	if j == nil || j.state == stateComing || j.state == stateWithdrawn {
		return false
	}
	p.withdrawn(j, now)
	p.tell()
	return true
}

// SetFault lets a fault befall requests from now on, after those that are set already.
// One of the same name is replaced. Its From and Until count from now.
func (p *Portal) SetFault(f Fault) error {
	if err := f.Validate(); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	a := arm(f, p.advance())
	for i, old := range p.faults {
		if old.Name == a.Name {
			p.faults[i] = a
			return nil
		}
	}
	p.faults = append(p.faults, a)
	return nil
}

// ClearFaults ends the faults of these names, and all of them where none is given.
func (p *Portal) ClearFaults(names ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advance()
	kept := p.faults[:0]
	for _, a := range p.faults {
		if len(names) > 0 && !slices.Contains(names, a.Name) {
			kept = append(kept, a)
		}
	}
	clear(p.faults[len(kept):])
	p.faults = kept
}

// EndSessions logs everybody out.
func (p *Portal) EndSessions() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advance()
	p.visitors.endAll()
}

// SetPassword changes an account's password; sessions stay. It tells whether there is
// such an account.
func (p *Portal) SetPassword(email, password string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.scenario.Accounts {
		if p.scenario.Accounts[i].Email == email {
			p.scenario.Accounts[i].Password = password
			return true
		}
	}
	return false
}
