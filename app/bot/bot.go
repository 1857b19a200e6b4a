package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/atozbot/atozbot/app"
)

// Times that are ours to choose.
const (
	graceOfIO    = 300 * time.Millisecond  // For a cancelled request to come back.
	patienceSave = 300 * time.Millisecond  // Waiting for a save that somebody wants to see at once.
	patienceRow  = 50 * time.Millisecond   // Waiting for a job's row before the post.
	patienceLast = 1500 * time.Millisecond // For the last saves of the process.
	graceOfEnd   = 2 * time.Second         // For Run to return when a shutdown has run out of time.
	patienceRead = 700 * time.Millisecond  // Waiting for the records to answer a question.
	beatOfDuty   = time.Second             // Between two tries to resume or to take over.
	beatOfWishes = 400 * time.Millisecond
)

// errStopped is told to those who wait for a start that a user has stopped.
var errStopped = &app.Error{Code: app.CodeConflict, Message: "The bot was stopped while it started"}

// errEnded is told to those who ask a bot whose [Bot.Run] has returned.
var errEnded = &app.Error{Code: app.CodeUnavailable, Message: "The bot is shutting down"}

// Options are what a [Bot] is built from.
type Options struct {
	AccountID string // The zero value means [app.DefaultAccountID].
	Holder    string // This replica's id, for the lease.
	Portal    Portal
	Records   Records
	Wishes    Wishes // nil where there is one replica only.
	// Credentials says what keeps the bot from logging in: nil, or an error with
	// CodeConflict that names the setting. nil means that nothing does.
	Credentials func() error
	Memory      Memory         // nil where nothing is kept over restarts.
	Random      func() float64 // In [0, 1): for jitter.
	Log         *slog.Logger
}

// Bot runs the sessions of one account, one at a time.
type Bot struct {
	account     string
	holder      string
	portal      Portal
	records     Records
	wishes      Wishes
	credentials func() error
	memory      Memory
	random      func() float64
	log         *slog.Logger

	commands chan func()
	poked    chan struct{}
	ended    chan struct{} // Closed when Run returns.
	tasks    sync.WaitGroup
	ledger   *ledger
	status   atomic.Pointer[Status]

	// Everything below belongs to the goroutine of Run.
	run     *run
	next    *start // A session that begins when the present one has ended.
	duty    duty
	breaker breaker
	last    app.Session // The newest session, running or not.
	stopped string      // The session that a user stopped, where it is the newest: it can go on.
	other   string      // Another replica that holds the lease.
	over    bool

	loggedIn bool      // As far as we know.
	quiet    time.Time // The portal asked not to be asked before this.
}

// New makes a bot. Nothing happens before [Bot.Run].
func New(o Options) *Bot {
	b := &Bot{
		account:     o.AccountID,
		holder:      o.Holder,
		portal:      o.Portal,
		records:     o.Records,
		wishes:      o.Wishes,
		credentials: o.Credentials,
		memory:      o.Memory,
		random:      o.Random,
		log:         o.Log,
		commands:    make(chan func()),
		poked:       make(chan struct{}, 1),
		ended:       make(chan struct{}),
		ledger:      newLedger(o.Records, o.Log),
	}
	if b.account == "" {
		b.account = app.DefaultAccountID
	}
	if b.credentials == nil {
		b.credentials = func() error { return nil }
	}
	b.last.Status = app.SessionStopped
	b.last.LoginStatus = app.LoginNotStarted
	b.publish()
	return b
}

// Run serves commands and works through sessions until [Bot.Shutdown], or until ctx ends,
// which is the same without any patience. It returns when nothing of the bot is left
// running. A panic passes through it, with everything else put away.
func (b *Bot) Run(ctx context.Context) error {
	keeping, stopKeeping := context.WithCancel(context.WithoutCancel(ctx))
	var keeper sync.WaitGroup
	keeper.Go(func() { b.ledger.run(keeping) })
	hard := context.AfterFunc(ctx, b.shutdownNow)
	defer func() {
		hard()
		if b.run != nil { // Only after a panic.
			b.run.cancelAct(endInterrupted)
			b.run.helpers.Wait()
		}
		b.tasks.Wait()
		b.lastSaves()
		stopKeeping()
		keeper.Wait()
		close(b.ended)
	}()
	for !b.over {
		switch {
		case b.run != nil:
			b.work()
		case b.next != nil:
			b.begin()
		default:
			b.idle(ctx)
		}
		b.over = b.over || ctx.Err() != nil
	}
	return nil
}

// lastSaves waits for what is not yet stored. What the records do not take in this time
// is lost with the process, except for claims: those were stored before the act.
func (b *Bot) lastSaves() {
	ctx, cancel := context.WithTimeout(context.Background(), patienceLast)
	defer cancel()
	if b.ledger.wait(ctx) != nil {
		b.log.Error("the process ends before everything was recorded", "waiting", b.ledger.waiting())
	}
}

// idle waits for a command, or for the next try of a duty.
func (b *Bot) idle(ctx context.Context) {
	var due <-chan time.Time
	if b.duty.waits() {
		timer := time.NewTimer(time.Until(b.duty.next))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-ctx.Done():
	case c := <-b.commands:
		c()
	case <-due:
		b.resumeOrClose()
	}
}

// work drives the session until it has ended, and gives its lease back only when its last
// state had a moment to be stored: another replica may take it up at once.
func (b *Bot) work() {
	r := b.run
	r.drive()
	r.close()
	b.run = nil
	b.publish()
	r.answer()
	if r.ending != endLeaseLost {
		b.savedWithin(context.Background(), patienceSave)
		b.release(*r.lease.Load())
	}
}

// ask has the owner goroutine do something and waits until it is answered, which may be
// later than f returns.
func (b *Bot) ask(ctx context.Context, f func(answer func(error))) error {
	answered := make(chan error, 1)
	command := func() { f(func(err error) { answered <- err }) }
	select {
	case b.commands <- command:
	case <-b.ended:
		return errEnded
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-answered:
		return err
	case <-b.ended:
		select {
		case err := <-answered:
			return err
		default:
			return errEnded
		}
	case <-ctx.Done():
		return ctx.Err()
	}
}

// await asks the portal or the records in a goroutine of its own, and serves commands
// until the answer is there. A request that does not come back soon after its context
// has ended is left behind; Run waits for it before it returns.
func await[T any](ctx context.Context, b *Bot, ask func(context.Context) (T, error)) (T, error) {
	future := begin(ctx, b, ask)
	return future.wait(ctx, b)
}

// future is an answer that is still to come.
type future[T any] chan result[T]

type result[T any] struct {
	value T
	err   error
}

// begin asks in a goroutine of its own.
func begin[T any](ctx context.Context, b *Bot, ask func(context.Context) (T, error)) future[T] {
	f := make(future[T], 1)
	b.tasks.Go(func() {
		var r result[T]
		defer func() {
			if p := recover(); p != nil {
				b.log.Error("a request ended in a panic", "panic", p, "stack", string(debug.Stack()))
				r.err = fmt.Errorf("panic: %v", p)
			}
			f <- r
		}()
		r.value, r.err = ask(ctx)
	})
	return f
}

// wait serves commands until the answer is there.
func (f future[T]) wait(ctx context.Context, b *Bot) (T, error) {
	done := ctx.Done()
	var grace <-chan time.Time
	for {
		select {
		case r := <-f:
			return r.value, r.err
		case c := <-b.commands:
			c()
		case <-done:
			done = nil
			timer := time.NewTimer(graceOfIO)
			defer timer.Stop()
			grace = timer.C
		case <-grace:
			var none T
			return none, context.Cause(ctx)
		}
	}
}

// read asks the records a question, for as long as one may wait for an answer.
func read[T any](ctx context.Context, b *Bot, ask func(context.Context) (T, error)) (T, error) {
	limited, cancel := context.WithTimeout(ctx, patienceRead)
	defer cancel()
	return await(limited, b, ask)
}

// savedWithin waits for everything recorded so far to be stored, and tells whether it is.
func (b *Bot) savedWithin(ctx context.Context, patience time.Duration) bool {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := await(limited, b, func(ctx context.Context) (struct{}, error) { return struct{}{}, b.ledger.wait(ctx) })
	return err == nil
}

// instead gives the page that came instead of the one asked for; nil for other errors.
func instead(err error) *app.PageError {
	if p, ok := errors.AsType[*app.PageError](err); ok {
		return p
	}
	return nil
}
