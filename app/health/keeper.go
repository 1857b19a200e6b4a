package health

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// The pace of watching. A fault is seen one interval and one time-out after it began at
// the latest: 1.7 s, which leaves a busy machine 0.3 s of the 2 s that are promised.
const (
	defaultEvery   = 500 * time.Millisecond
	defaultTimeout = 1200 * time.Millisecond
	// leastGap keeps a stream of trouble reports from becoming a stream of probes.
	leastGap = 50 * time.Millisecond
	// firstBackOff is the first pause after a dependency that was healthy failed.
	firstBackOff = 100 * time.Millisecond
	// longestPause bounds every pause once the attempts are used up, jitter included:
	// trying goes on at least every 5 s.
	longestPause = 4600 * time.Millisecond
	// The least and the most that one try of a stage may take.
	leastTry, longestTry = time.Second, 5 * time.Second
	// maximumHung is how many calls that do not return are left behind, before no
	// further one is made.
	maximumHung = 4
	// jitter is the share by which a delay differs from the one set: less than the 10 %
	// that are promised, since timers are late at times.
	jitter = 0.07
)

// Stage is one step on the way to a healthy dependency: connecting, then migrating.
type Stage struct {
	Name     string // What is being done, "migrating"; "" for connecting.
	Attempts int    // How often it is tried at the start, before the dependency is called unhealthy.
	Delay    time.Duration
	Try      func(context.Context) error
	// Unbounded stages may take as long as they need while the probe is answered. Others
	// are cut off after the delay, 1 s at least and 5 s at most.
	Unbounded bool
}

// Options are what a [Keeper] needs.
type Options struct {
	Name   string // "database"
	Label  string // For the log: "the database".
	Stages []Stage
	// Probe asks one light question. It may hang: it is then left behind.
	Probe func(context.Context) error
	// Explain puts an error into words that may be shown to anyone.
	Explain func(error) Problem
	// UsedUp is called once, where the attempts of a stage are used up at the start. It
	// may take over: where it returns true, trying ends for good.
	UsedUp func(*State) bool

	Log *slog.Logger
	// Random gives a number from 0 to 1; nil for a real one.
	Random func() float64
	Every  time.Duration // From one probe to the next; 500 ms where 0.
	// Timeout is how long a probe may take; 1.2 s where 0.
	Timeout time.Duration
}

// Keeper connects to one dependency and watches it for as long as the process lives.
type Keeper struct {
	o     Options
	state atomic.Pointer[State]

	suspect chan struct{} // Somebody had trouble: look now.
	force   chan struct{} // Somebody wants to know: look now, also while waiting to retry.

	hung    atomic.Int32
	running sync.WaitGroup

	mu          sync.Mutex
	changed     chan struct{} // Closed with every new state.
	subscribers []func(*State)
	overridden  bool
}

// NewKeeper makes a keeper that has not begun yet.
func NewKeeper(o Options) *Keeper {
	if o.Every <= 0 {
		o.Every = defaultEvery
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Explain == nil {
		o.Explain = Explain
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Label == "" {
		o.Label = o.Name
	}
	k := &Keeper{
		o:       o,
		suspect: make(chan struct{}, 1),
		force:   make(chan struct{}, 1),
		changed: make(chan struct{}),
	}
	first := &State{Name: o.Name, Phase: Starting, Since: time.Now()}
	if len(o.Stages) > 0 {
		first.Stage, first.Attempt, first.Attempts = o.Stages[0].Name, 1, o.Stages[0].Attempts
	}
	k.state.Store(first)
	return k
}

// State gives what is known now. It must not be changed.
func (k *Keeper) State() *State { return k.state.Load() }

// Subscribe has f called with every new state, in order, from the keeper's goroutine;
// f must not block. It is called before the keeper runs.
func (k *Keeper) Subscribe(f func(*State)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.subscribers = append(k.subscribers, f)
}

// Suspect says that somebody had trouble with the dependency: it is probed at once. It
// never blocks.
func (k *Keeper) Suspect() { poke(k.suspect) }

// Check looks now and waits for what is found, or for the context.
func (k *Keeper) Check(ctx context.Context) *State {
	asked := time.Now()
	k.mu.Lock()
	over := k.overridden
	k.mu.Unlock()
	if over {
		return k.State()
	}
	poke(k.force)
	return k.Await(ctx, func(s *State) bool { return s.LastCheck.After(asked) })
}

// Await waits for a state that fits, or for the context, and gives the newest state.
func (k *Keeper) Await(ctx context.Context, fits func(*State) bool) *State {
	for {
		k.mu.Lock()
		changed := k.changed
		k.mu.Unlock()
		s := k.State()
		if fits(s) {
			return s
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return k.State()
		}
	}
}

// Override publishes a state that somebody else knows, and ends the keeper's own: the
// fallback that runs in the database's place until the next start.
func (k *Keeper) Override(phase Phase, problem Problem) {
	k.mu.Lock()
	k.overridden = true
	k.mu.Unlock()
	now := time.Now()
	k.store(State{Name: k.o.Name, Phase: phase, Problem: problem, LastCheck: now, LastGood: now, Since: now, Retries: k.State().Retries})
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// publish stores a new state and tells it, unless the keeper's states no longer count.
func (k *Keeper) publish(change func(*State)) {
	k.mu.Lock()
	over := k.overridden
	k.mu.Unlock()
	if over {
		return
	}
	next := *k.State()
	before := next.Phase
	change(&next)
	if next.Phase != before {
		next.Since = time.Now()
	}
	k.store(next)
}

func (k *Keeper) store(next State) {
	k.state.Store(&next)
	k.mu.Lock()
	close(k.changed)
	k.changed = make(chan struct{})
	subscribers := k.subscribers
	k.mu.Unlock()
	for _, tell := range subscribers {
		tell(&next)
	}
}

// Run keeps the dependency until ctx ends. Calls that hang are waited for a moment only.
func (k *Keeper) Run(ctx context.Context) error {
	defer k.leave()
	for first := true; ctx.Err() == nil; first = false {
		if !k.bringUp(ctx, first) {
			return nil
		}
		k.good(first)
		k.watch(ctx)
	}
	return nil
}

// leave waits for the calls that were left behind: all have lost their context, and a
// driver that does not even notice that must not hold up the end of the process.
func (k *Keeper) leave() {
	done := make(chan struct{})
	go func() { k.running.Wait(); close(done) }()
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}

// bringUp takes every stage in turn. It returns false where ctx ended or somebody took over.
func (k *Keeper) bringUp(ctx context.Context, first bool) bool {
	for _, stage := range k.o.Stages {
		if !k.take(ctx, stage, first) {
			return false
		}
	}
	return true
}

// take tries one stage until it is done.
func (k *Keeper) take(ctx context.Context, stage Stage, first bool) bool {
	counting := first
	pause := firstBackOff
	for attempt := 1; ; attempt++ {
		k.publish(func(s *State) {
			s.Stage = stage.Name
			if counting {
				s.Attempt, s.Attempts = attempt, stage.Attempts
			}
		})
		began := time.Now()
		err := k.try(ctx, stage)
		if ctx.Err() != nil {
			return false
		}
		if err == nil {
			k.publish(func(s *State) { s.LastCheck, s.Problem = time.Now(), Problem{} })
			return true
		}
		usedUp := counting && attempt >= stage.Attempts
		delay := stage.Delay
		if !counting || usedUp {
			delay = min(pause, longestPause, max(stage.Delay, 2*firstBackOff))
			pause = min(2*pause, longestPause)
		}
		wait := k.spread(delay)
		if left := time.Until(began.Add(wait)); left > 0 {
			wait = left
		} else {
			wait = min(wait, leastGap)
		}
		k.bad(err, stage, counting, usedUp, attempt, wait)
		if usedUp {
			counting = false
			if k.o.UsedUp != nil && k.o.UsedUp(k.State()) {
				return false
			}
		}
		if !k.pause(ctx, wait) {
			return false
		}
	}
}

// try makes one try of a stage.
func (k *Keeper) try(ctx context.Context, stage Stage) error {
	if !stage.Unbounded {
		return k.call(ctx, min(max(stage.Delay, leastTry), longestTry), stage.Try)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if k.hung.Load() >= maximumHung {
		return errHung
	}
	done := make(chan error, 1)
	k.hung.Add(1)
	k.running.Go(func() {
		defer k.hung.Add(-1)
		done <- k.guard(ctx, stage.Try)
	})
	timer := time.NewTimer(k.o.Every)
	defer timer.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
		if err := k.call(ctx, k.o.Timeout, k.o.Probe); err != nil && ctx.Err() == nil {
			// It may have ended well in the meantime.
			select {
			case err := <-done:
				return err
			default:
			}
			cancel(err)
			return err
		}
		timer.Reset(k.o.Every)
	}
}

// watch probes until a probe fails or ctx ends.
func (k *Keeper) watch(ctx context.Context) {
	for {
		timer := time.NewTimer(k.o.Every)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		case <-k.suspect:
			timer.Stop()
			if !k.pause(ctx, leastGap) {
				return
			}
		case <-k.force:
			timer.Stop()
		}
		if err := k.probe(ctx); err != nil {
			if ctx.Err() == nil {
				k.lost(err)
			}
			return
		}
		k.publish(func(s *State) {
			s.LastCheck = time.Now()
			s.LastGood = s.LastCheck
		})
	}
}

// probe asks twice where the first answer is a quick no: a pool may hold a connection
// that died while the dependency itself is well.
func (k *Keeper) probe(ctx context.Context) error {
	began := time.Now()
	err := k.call(ctx, k.o.Timeout, k.o.Probe)
	if err == nil {
		return nil
	}
	if left := k.o.Timeout - time.Since(began); left > k.o.Timeout/2 {
		return k.call(ctx, left, k.o.Probe)
	}
	return err
}

// errHung says that calls made earlier have not come back.
var errHung = fmt.Errorf("earlier calls still hang: %w", context.DeadlineExceeded)

// call makes one call with a deadline that holds even where the call ignores it.
func (k *Keeper) call(ctx context.Context, timeout time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if k.hung.Load() >= maximumHung {
		<-ctx.Done()
		return errHung
	}
	done := make(chan error, 1)
	k.hung.Add(1)
	k.running.Go(func() {
		defer k.hung.Add(-1)
		done <- k.guard(ctx, f)
	})
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		// Its answer to the deadline is mostly on its way, and says more.
		timer := time.NewTimer(leastGap)
		defer timer.Stop()
		select {
		case err := <-done:
			if err != nil && !errors.Is(err, context.Canceled) {
				return err
			}
		case <-timer.C:
		}
		return ctx.Err()
	}
}

// guard makes an error of a panic: a driver's fault must not end the process.
func (k *Keeper) guard(ctx context.Context, f func(context.Context) error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			k.o.Log.Error("a check of "+k.o.Label+" panicked", "fault", fault, "stack", string(debug.Stack()))
			err = &Known{Problem: Problem{Words: "a fault of the program", Advice: "Report the error in the log."}, Err: fmt.Errorf("panic: %v", fault)}
		}
	}()
	return f(ctx)
}

// spread varies a delay, so that many processes do not knock at the same moment.
func (k *Keeper) spread(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (1 + jitter*(2*k.o.Random()-1)))
}

// pause waits; a forced check ends it early. It returns false where ctx ended.
func (k *Keeper) pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-k.force:
	case <-timer.C:
	}
	return true
}

func (k *Keeper) good(first bool) {
	before := k.State()
	k.publish(func(s *State) {
		s.Phase, s.Stage, s.Problem, s.Retries = Healthy, "", Problem{}, 0
		s.Attempt, s.Attempts, s.UsedUp = 0, 0, false
		s.LastCheck = time.Now()
		s.LastGood, s.NextTry = s.LastCheck, time.Time{}
	})
	switch {
	case first:
		k.o.Log.Info(k.o.Label + " is there")
	default:
		k.o.Log.Info(k.o.Label+" is back", "away", time.Since(before.Since).Round(time.Millisecond))
	}
}

// lost is the way from healthy to unhealthy.
func (k *Keeper) lost(err error) {
	problem := k.o.Explain(err)
	k.publish(func(s *State) {
		s.Phase, s.Problem, s.LastCheck = Unhealthy, problem, time.Now()
		s.Retries++
	})
	k.o.Log.Warn(k.o.Label+" is away: "+problem.Words, "do", problem.Advice, "error", err)
}

// bad notes and tells a try that failed.
func (k *Keeper) bad(err error, stage Stage, counting, usedUp bool, attempt int, wait time.Duration) {
	problem := k.o.Explain(err)
	said := k.State().Problem
	k.publish(func(s *State) {
		s.LastCheck = time.Now()
		s.NextTry = s.LastCheck.Add(wait)
		s.Problem = problem
		s.Retries++
		if usedUp {
			s.Phase, s.UsedUp = Unhealthy, true
		}
	})
	doing := "waiting for " + k.o.Label
	if stage.Name != "" {
		doing = stage.Name + " " + k.o.Label
	}
	switch {
	case usedUp:
		k.o.Log.Error(fmt.Sprintf("%s: attempt %d of %d, %s; the attempts are used up, trying goes on", doing, attempt, stage.Attempts, problem.Words), "do", problem.Advice, "error", err)
	case counting:
		k.o.Log.Warn(fmt.Sprintf("%s: attempt %d of %d, %s; next in %s", doing, attempt, stage.Attempts, problem.Words, wait.Round(10*time.Millisecond)), "do", problem.Advice, "error", err)
	case problem != said:
		// The same reason every few seconds would fill the log through a long night.
		k.o.Log.Warn(doing+": "+problem.Words+"; trying goes on", "do", problem.Advice, "error", err)
	default:
		k.o.Log.Debug(doing+": "+problem.Words+"; trying goes on", "error", err)
	}
}
