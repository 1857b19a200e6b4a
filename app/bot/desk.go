package bot

import (
	"context"
	"errors"
	"time"

	"github.com/atozbot/atozbot/app"
)

// errElsewhere says that another replica may run the session that a command is meant for.
var errElsewhere = errors.New("no session runs in this process")

// Start begins a session and returns it. CodeConflict: one runs, here or at another
// replica, or the log-in data are missing (the error names the setting; nothing is asked
// of the portal). CodeUnavailable: the records cannot take it.
func (b *Bot) Start(ctx context.Context, name string) (app.Session, error) {
	var started app.Session
	err := b.ask(ctx, func(answer func(error)) {
		b.startNow(&start{name: name, answer: func(s app.Session, err error) {
			started = s
			answer(err)
		}})
	})
	if err != nil {
		return app.Session{}, err
	}
	b.saved(ctx)
	return started, nil
}

// Again takes a stop back: the session that was stopped last in this process goes on,
// with its counters and its cap. CodeConflict: another one runs, that one is not the last,
// or it ended otherwise.
func (b *Bot) Again(ctx context.Context, sessionID string) error {
	err := b.ask(ctx, func(answer func(error)) {
		last := b.last
		if sessionID == "" || sessionID != b.stopped {
			answer(app.Errorf(app.CodeConflict, "This session cannot go on: it is not the one that was stopped last here. Start a new one"))
			return
		}
		b.startNow(&start{resumed: &last, answer: func(_ app.Session, err error) { answer(err) }})
	})
	if err == nil {
		b.saved(ctx)
	}
	return err
}

// Stop ends the session as stopped, in the middle of a request or not. It is no error
// that none runs. What is left unsettled is settled at the next start.
func (b *Bot) Stop(ctx context.Context) error {
	return b.orWish(ctx, app.WishStop, "", b.ask(ctx, b.stopNow))
}

// ForceReset stops, and forgets what may hang: the log-in, the back-off, a wait that the
// portal asked for, the waiting for another replica. A breaker that waits for a person
// still waits.
func (b *Bot) ForceReset(ctx context.Context) error {
	return b.orWish(ctx, app.WishReset, "", b.ask(ctx, func(answer func(error)) {
		b.loggedIn = false
		b.quiet = time.Time{}
		b.noteQuiet(context.Background(), time.Time{})
		b.duty.pending = false
		b.ledger.hurry()
		b.stopNow(answer)
	}))
}

// Toggle stops a running bot and starts a stopped one, and says whether it runs now.
func (b *Bot) Toggle(ctx context.Context) (running bool, err error) {
	if b.Status().Active() {
		return false, b.Stop(ctx)
	}
	_, err = b.Start(ctx, "")
	return err == nil, err
}

// Pause has the bot look and record, and not act, until [Bot.Resume], over restarts too.
// CodeConflict: it does not run.
func (b *Bot) Pause(ctx context.Context) error {
	return b.orWish(ctx, app.WishPause, "", b.ask(ctx, func(answer func(error)) { answer(b.setPaused(true)) }))
}

// Resume has a paused bot act again. CodeConflict: it does not run.
func (b *Bot) Resume(ctx context.Context) error {
	return b.orWish(ctx, app.WishResume, "", b.ask(ctx, func(answer func(error)) { answer(b.setPaused(false)) }))
}

// Rearm closes the breaker. A session that a challenge has halted goes on.
func (b *Bot) Rearm(ctx context.Context) error {
	return b.orWish(ctx, app.WishRearm, "", b.ask(ctx, func(answer func(error)) { answer(b.rearmNow()) }))
}

// Answer is what a user says about a job that the rules say to ask for.
type Answer string

// The answers.
const (
	AnswerAccept Answer = "accept"
	AnswerLeave  Answer = "leave"
	AnswerNone   Answer = "none" // Takes a leave back: the job waits for an answer as it did.
)

// AnswerAsk takes the user's answer. An acceptance is tried at once, within caps and
// without overlaps; its outcome comes as an event. CodeNotFound: the bot does not know the
// job. CodeConflict: it can no longer be answered, or nothing may be posted now.
func (b *Bot) AnswerAsk(ctx context.Context, number string, given Answer) error {
	wish := app.WishAccept
	switch given {
	case AnswerAccept:
	case AnswerLeave:
		wish = app.WishLeave
	case AnswerNone:
		wish = app.WishAsk
	}
	err := b.ask(ctx, func(answer func(error)) { answer(b.answerNow(number, given)) })
	return b.orWish(ctx, wish, number, err)
}

// Notify says that something outside has changed, so that it is noticed at once and not
// with the next regular glance: the configuration was saved, a wish was left.
func (b *Bot) Notify() {
	signal(b.poked)
}

// Shutdown ends the process's part: no more looks, the act in hand is finished while ctx
// lasts, the session is saved as interrupted, and [Bot.Run] returns.
func (b *Bot) Shutdown(ctx context.Context) error {
	cut := context.AfterFunc(ctx, b.shutdownNow)
	defer cut()
	select {
	case b.commands <- b.shutdown:
	case <-b.ended:
		return nil
	case <-ctx.Done():
	}
	late := make(chan struct{})
	defer context.AfterFunc(ctx, func() {
		timer := time.NewTimer(graceOfEnd)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-b.ended:
		}
		close(late)
	})()
	select {
	case <-b.ended:
		return nil
	case <-late:
		return ctx.Err()
	}
}

// shutdown stops the looking and leaves the act in hand to finish.
func (b *Bot) shutdown() {
	b.over = true
	if b.run != nil {
		b.run.end(endInterrupted, nil)
	}
	if b.next != nil {
		b.next.cancel(errEnded)
	}
}

// shutdownNow is a shutdown without patience: whatever is under way is cancelled. What
// it leaves unsettled is settled at the next start.
func (b *Bot) shutdownNow() {
	b.do(func() {
		b.over = true
		if b.run != nil {
			b.run.end(endInterrupted, nil)
			b.run.cancelAct(endInterrupted)
		}
		if b.next != nil {
			b.next.cancel(errEnded)
		}
	})
}

// do has the owner goroutine do something, sooner or later.
func (b *Bot) do(f func()) {
	select {
	case b.commands <- f:
	case <-b.ended:
	}
}

// startNow checks what keeps a session from starting, and leaves the rest to the loop.
func (b *Bot) startNow(s *start) {
	halted := b.run != nil && b.run.halted
	switch err := b.credentials(); {
	case b.over:
		s.answer(app.Session{}, errEnded)
	case b.next != nil, b.run != nil && !halted:
		s.answer(app.Session{}, app.Errorf(app.CodeConflict, "The bot is already running"))
	case err != nil:
		s.answer(app.Session{}, err)
	default:
		s.byUser = true
		b.next = s
		if halted {
			b.run.end(endReplaced, nil)
		}
	}
}

func (b *Bot) stopNow(answer func(error)) {
	switch {
	case b.run != nil:
		b.run.end(endStopped, answer)
	case b.next != nil:
		b.next.cancel(errStopped)
		answer(nil)
	default:
		answer(errElsewhere)
	}
}

func (b *Bot) setPaused(paused bool) error {
	if b.run == nil || b.run.halted {
		return errElsewhere
	}
	b.run.pause(paused)
	return nil
}

func (b *Bot) rearmNow() error {
	if b.run == nil && !b.breaker.tripped() {
		return errElsewhere
	}
	b.rearm()
	return nil
}

func (b *Bot) answerNow(number string, given Answer) error {
	if b.run == nil || b.run.halted {
		return errElsewhere
	}
	return b.run.takeAnswer(number, given)
}

// saved waits a moment for what was recorded so far, so that a user who asks next finds
// it. Where the records are away it does not wait for them.
func (b *Bot) saved(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, patienceSave)
	defer cancel()
	_ = b.ledger.wait(limited)
}

// orWish finishes a command: what this process did is waited for, and what only another
// replica can do is left there as a wish.
func (b *Bot) orWish(ctx context.Context, kind app.WishKind, number string, err error) error {
	switch {
	case err == nil:
		b.saved(ctx)
		return nil
	case !errors.Is(err, errElsewhere):
		return err
	}
	holder := b.holderElsewhere(ctx)
	if holder != "" && b.wishes != nil {
		now := time.Now()
		return b.wishes.Wish(ctx, app.Wish{
			ID: app.NewID(now), AccountID: b.account, Kind: kind, Number: number, At: now,
		})
	}
	switch {
	case holder != "":
		return app.Errorf(app.CodeConflict, "The replica %s runs the bot", holder)
	case kind == app.WishStop, kind == app.WishReset, kind == app.WishRearm:
		return nil // It is as wished for already.
	case number != "":
		return app.Errorf(app.CodeConflict, "The bot is not running, so nothing can be answered")
	default:
		return app.Errorf(app.CodeConflict, "The bot is not running")
	}
}

// holderElsewhere names the replica that holds the account's lease; "" where none does.
// It asks the records only where there can be another. It does so on the owner
// goroutine, where no session can begin in the meantime whose lease it would give back.
func (b *Bot) holderElsewhere(ctx context.Context) string {
	var holder string
	err := b.ask(ctx, func(answer func(error)) {
		if b.wishes != nil && b.run == nil && b.next == nil {
			b.peekAtLease()
		}
		holder = b.other
		answer(nil)
	})
	if err != nil {
		return ""
	}
	return holder
}

// peekAtLease finds out who holds the account's lease.
func (b *Bot) peekAtLease() {
	lease, ok, err := b.acquire(context.Background())
	if err != nil || !ok {
		return
	}
	b.release(lease) // Taken only to see that it was free.
}
