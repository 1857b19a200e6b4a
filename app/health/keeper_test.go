package health_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/atozbot/atozbot/app/health"
)

// dependency is a stand-in for a server: err nil answers, hang never does.
type dependency struct {
	err   atomic.Pointer[error]
	hangs atomic.Bool
	deaf  atomic.Bool // Hangs without even noticing the end of the context.
	asked atomic.Int64
	end   chan struct{}

	mu    sync.Mutex
	times []time.Time
}

func newDependency(err error) *dependency {
	d := &dependency{end: make(chan struct{})}
	d.fail(err)
	return d
}

func (d *dependency) fail(err error) { d.err.Store(&err) }

func (d *dependency) ask(ctx context.Context) error {
	d.asked.Add(1)
	if d.deaf.Load() {
		<-d.end
		return nil
	}
	if d.hangs.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	return *d.err.Load()
}

func (d *dependency) connect(ctx context.Context) error {
	d.mu.Lock()
	d.times = append(d.times, time.Now())
	d.mu.Unlock()
	return d.ask(ctx)
}

// tried gives when it was tried to connect.
func (d *dependency) tried() []time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.times)
}

func (d *dependency) options() health.Options {
	return health.Options{
		Name: "database", Label: "the database",
		Stages: []health.Stage{{Attempts: 10, Delay: 3 * time.Second, Try: d.connect}},
		Probe:  d.ask,
	}
}

// keep runs a keeper to the end of the test.
func keep(t *testing.T, o health.Options) *health.Keeper {
	t.Helper()
	k := health.NewKeeper(o)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = k.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return k
}

var refused error = &health.Known{Err: syscall.ECONNREFUSED, Problem: health.Problem{Words: "connection refused", Advice: "start it"}}

func TestTheStartIsTriedAsOftenAndAsEvenlyAsSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDependency(refused)
		k := keep(t, d.options())
		if got := k.State().Check(); got != "starting: attempt 1 of 10, connecting" {
			t.Errorf("at first: %q", got)
		}
		time.Sleep(7 * time.Second)
		synctest.Wait()
		if got := k.State().Check(); got != "starting: attempt 3 of 10, connection refused" {
			t.Errorf("after 7 s: %q", got)
		}
		time.Sleep(60 * time.Second)
		synctest.Wait()
		if got := k.State().Check(); got != "unhealthy: connection refused, the 10 attempts are used up, still trying" {
			t.Errorf("after a minute: %q", got)
		}
		for i := 1; i < 10; i++ {
			gap := d.tried()[i].Sub(d.tried()[i-1])
			if gap < 2700*time.Millisecond || gap > 3300*time.Millisecond {
				t.Errorf("attempt %d came after %v", i+1, gap)
			}
		}
		tries := len(d.tried())
		time.Sleep(time.Minute)
		synctest.Wait()
		for i := tries; i < len(d.tried()); i++ {
			if gap := d.tried()[i].Sub(d.tried()[i-1]); gap > 5*time.Second {
				t.Errorf("then it was tried after %v", gap)
			}
		}
		d.fail(nil)
		time.Sleep(4 * time.Second)
		synctest.Wait()
		if s := k.State(); s.Check() != "healthy" || s.Retries != 0 || s.LastGood.IsZero() {
			t.Errorf("4 s after the cause is gone: %+v", s)
		}
	})
}

func TestEveryFaultIsSeenWithinTwoSecondsAndEveryRecoveryWithinOneDelay(t *testing.T) {
	faults := map[string]func(*dependency){
		"refused": func(d *dependency) { d.fail(refused) },
		"hangs":   func(d *dependency) { d.hangs.Store(true) },
		"reset":   func(d *dependency) { d.fail(syscall.ECONNRESET) },
	}
	for name, begin := range faults {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDependency(nil)
				k := keep(t, d.options())
				time.Sleep(10*time.Second + 333*time.Millisecond)
				if k.State().Phase != health.Healthy {
					t.Fatal(k.State().Check())
				}
				begin(d)
				time.Sleep(1800 * time.Millisecond)
				synctest.Wait()
				if k.State().Phase != health.Unhealthy {
					t.Errorf("1.8 s after the fault began: %s", k.State().Check())
				}
				time.Sleep(time.Minute)
				d.hangs.Store(false)
				d.fail(nil)
				time.Sleep(4 * time.Second)
				synctest.Wait()
				if k.State().Phase != health.Healthy {
					t.Errorf("4 s after it ended: %s", k.State().Check())
				}
			})
		})
	}
}

func TestAShortFaultIsOverAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDependency(nil)
		k := keep(t, d.options())
		time.Sleep(5 * time.Second)
		d.fail(refused)
		time.Sleep(time.Second)
		d.fail(nil)
		time.Sleep(time.Second)
		synctest.Wait()
		if k.State().Phase != health.Healthy {
			t.Error(k.State().Check())
		}
	})
}

func TestOneDeadConnectionIsNoFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDependency(nil)
		o := d.options()
		var stale atomic.Bool
		o.Probe = func(ctx context.Context) error {
			if stale.Swap(false) {
				return syscall.ECONNRESET
			}
			return d.ask(ctx)
		}
		k := health.NewKeeper(o)
		var unhealthy atomic.Bool
		k.Subscribe(func(s *health.State) { unhealthy.Store(unhealthy.Load() || s.Phase == health.Unhealthy) })
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() { _ = k.Run(ctx) }()
		time.Sleep(2 * time.Second)
		stale.Store(true)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if unhealthy.Load() {
			t.Error("it was called unhealthy")
		}
	})
}

func TestATroubleReportIsLookedIntoAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDependency(nil)
		k := keep(t, d.options())
		time.Sleep(2*time.Second + 10*time.Millisecond)
		d.fail(refused)
		k.Suspect()
		time.Sleep(60 * time.Millisecond)
		synctest.Wait()
		if k.State().Phase != health.Unhealthy {
			t.Error(k.State().Check())
		}
	})
}

func TestACallThatNeverReturnsDoesNotStopTheWatching(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDependency(nil)
		k := keep(t, d.options())
		time.Sleep(2 * time.Second)
		d.deaf.Store(true)
		before := d.asked.Load()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if got := d.asked.Load() - before; got > 4 {
			t.Errorf("%d calls were left hanging", got)
		}
		if s := k.State(); s.Phase != health.Unhealthy || time.Since(s.LastCheck) > 10*time.Second {
			t.Errorf("the keeper is stuck: %+v", s)
		}
		d.deaf.Store(false)
		close(d.end)
		time.Sleep(9 * time.Second)
		synctest.Wait()
		if k.State().Phase != health.Healthy {
			t.Error(k.State().Check())
		}
	})
}

func TestMigratingTakesAsLongAsItNeedsWhileTheServerAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDependency(nil)
		o := d.options()
		migrations := 0
		o.Stages = append(o.Stages, health.Stage{Name: "migrating", Attempts: 5, Delay: 2 * time.Second, Unbounded: true, Try: func(ctx context.Context) error {
			migrations++
			select {
			case <-time.After(90 * time.Second):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}})
		k := keep(t, o)
		time.Sleep(60 * time.Second)
		synctest.Wait()
		if got := k.State().Check(); got != "starting: attempt 1 of 5, migrating" {
			t.Errorf("after a minute: %q", got)
		}
		d.hangs.Store(true) // The server hangs in the middle.
		time.Sleep(3 * time.Second)
		d.hangs.Store(false)
		synctest.Wait()
		if got := k.State().Check(); !strings.HasPrefix(got, "starting: attempt 2 of 5, migrating") {
			t.Errorf("after the server hung: %q", got)
		}
		time.Sleep(100 * time.Second)
		synctest.Wait()
		if k.State().Phase != health.Healthy || migrations < 2 || migrations > 3 {
			t.Errorf("%s after %d migrations", k.State().Check(), migrations)
		}
	})
}

func TestAfterAnOutageTheStagesAreTakenAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDependency(nil)
		o := d.options()
		migrations := 0
		o.Stages = append(o.Stages, health.Stage{Name: "migrating", Attempts: 5, Delay: 2 * time.Second, Unbounded: true, Try: func(context.Context) error { migrations++; return nil }})
		k := keep(t, o)
		time.Sleep(time.Second)
		d.fail(refused)
		time.Sleep(5 * time.Second)
		d.fail(nil)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if migrations != 2 || k.State().Phase != health.Healthy {
			t.Errorf("%d migrations, %s", migrations, k.State().Check())
		}
	})
}

func TestTheFallbackTakesOverWhereTheAttemptsAreUsedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDependency(refused)
		o := d.options()
		var k atomic.Pointer[health.Keeper]
		o.UsedUp = func(*health.State) bool {
			k.Load().Override(health.Degraded, health.Problem{Words: "running on SQLite until the next start"})
			return true
		}
		k.Store(keep(t, o))
		time.Sleep(time.Minute)
		d.fail(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := k.Load().State().Check(); got != "degraded: running on SQLite until the next start" || len(d.tried()) != 10 {
			t.Errorf("%q after %d tries", got, len(d.tried()))
		}
		if s := k.Load().Check(t.Context()); s.Phase != health.Degraded {
			t.Error("a forced check undid the fallback")
		}
	})
}

func TestAForcedCheckAnswersWhatIsSoNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDependency(refused)
		o := d.options()
		o.Stages[0].Delay = time.Hour
		k := keep(t, o)
		time.Sleep(time.Second)
		d.fail(nil)
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if s := k.Check(ctx); s.LastCheck.Before(began) {
			t.Error("it was not looked at")
		}
		if s := k.Await(ctx, func(s *health.State) bool { return s.Phase == health.Healthy }); s.Phase != health.Healthy {
			t.Error(s.Check())
		}
	})
}

func TestAPanicInAProbeIsAFaultAndNoEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDependency(nil)
		o := d.options()
		var broken atomic.Bool
		o.Probe = func(ctx context.Context) error {
			if broken.Load() {
				var nothing map[string]int
				nothing["x"] = 1
			}
			return d.ask(ctx)
		}
		k := keep(t, o)
		time.Sleep(time.Second)
		broken.Store(true)
		time.Sleep(2 * time.Second)
		broken.Store(false)
		time.Sleep(4 * time.Second)
		synctest.Wait()
		if k.State().Phase != health.Healthy {
			t.Error(k.State().Check())
		}
	})
}

func TestTheLogTellsEachAttemptAndALongOutageOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDependency(refused)
		o := d.options()
		o.Stages[0].Attempts, o.Stages[0].Delay = 3, time.Second
		var out bytes.Buffer
		o.Log = slog.New(slog.NewTextHandler(&out, nil))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		k := health.NewKeeper(o)
		go func() { defer close(done); _ = k.Run(ctx) }()
		time.Sleep(time.Hour)
		cancel()
		<-done
		for _, want := range []string{"waiting for the database: attempt 1 of 3, connection refused; next in ", "attempt 3 of 3, connection refused; the attempts are used up, trying goes on"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("no %q in\n%s", want, out.String())
			}
		}
		if lines := strings.Count(out.String(), "\n"); lines != 3 {
			t.Errorf("%d lines in an hour", lines)
		}
	})
}

func TestErrorsArePutIntoWordsThatNameNoHost(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("dial tcp 10.1.2.3:5432: %w", syscall.ECONNREFUSED), "connection refused"},
		{context.DeadlineExceeded, "no answer in time"},
		{fmt.Errorf("write /data/x: %w", syscall.ENOSPC), "disk full"},
		{errors.New("secret.example.com said no"), "failed"},
	} {
		if got := health.Explain(c.err); got.Words != c.want || got.Advice == "" {
			t.Errorf("%v: %+v", c.err, got)
		}
	}
}
