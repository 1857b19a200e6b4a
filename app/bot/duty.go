package bot

import (
	"context"
	"errors"
	"time"

	"github.com/atozbot/atozbot/app"
)

// duty is what a start of the process has to do with the session that the last one
// left: resume it, close it, or stand by while another replica runs it.
type duty struct {
	pending   bool
	autostart bool
	standing  bool // Another replica held the lease: only an interrupted session is taken over.
	next      time.Time
	told      string // The last reason for waiting that was logged.
}

func (d *duty) waits() bool { return d.pending }

// ResumeOrClose is called once at the start of the process, when the records can be
// asked. With autostart it resumes the session that a crash or an orderly end
// interrupted, or begins one; without, it closes a crashed one as an error and leaves the
// rest. Where the records are away or another replica holds the lease it goes on trying
// by itself. The error is the first try's, for the log.
func (b *Bot) ResumeOrClose(ctx context.Context, autostart bool) error {
	return b.ask(ctx, func(answer func(error)) {
		b.duty = duty{pending: true, autostart: autostart}
		answer(b.resumeOrClose())
	})
}

// resumeOrClose makes one try.
func (b *Bot) resumeOrClose() error {
	b.duty.next = time.Now().Add(beatOfDuty)
	done, err := b.takeUp()
	if err != nil {
		b.duty.wait(b, "the records cannot be asked what the last process left", "error", err)
	}
	if done {
		b.duty.pending = false
	}
	b.publish()
	return err
}

// wait says once why the duty is not done yet.
func (d *duty) wait(b *Bot, why string, more ...any) {
	if d.told != why {
		d.told = why
		b.log.Info("waiting before a session is taken up: "+why, more...)
	}
}

// takeUp tells whether the duty is done.
func (b *Bot) takeUp() (done bool, err error) {
	if !b.savedWithin(context.Background(), patienceSave) {
		return false, notReady(errors.New("what an earlier session did is still to be recorded"))
	}
	left, err := read(context.Background(), b, func(ctx context.Context) (*app.Session, error) {
		return b.records.Resumable(ctx, b.account)
	})
	switch {
	case err != nil:
		return false, err
	case b.run != nil || b.next != nil: // A user was quicker.
		return true, nil
	case !b.duty.concerns(left):
		return !b.duty.standing, nil
	}
	lease, ok, err := b.acquire(context.Background())
	switch {
	case err != nil:
		return false, err
	case b.next != nil:
		return true, nil
	case !ok:
		b.duty.standing = true
		b.duty.wait(b, "another replica holds the account's lease", "holder", lease.Holder)
		return false, nil
	}
	b.takeUpUnder(lease, left)
	return true, nil
}

// concerns tells whether there is anything to do about the session that was left.
func (d duty) concerns(left *app.Session) bool {
	if left == nil {
		return d.autostart && !d.standing
	}
	return d.autostart || !left.Interrupted
}

// takeUpUnder does what is to be done, holding the lease.
func (b *Bot) takeUpUnder(lease app.Lease, left *app.Session) {
	missing := b.credentials()
	switch {
	case left != nil && b.duty.autostart && missing == nil:
		b.log.Info("a session that was interrupted is resumed", "session", left.ID, "name", left.Name,
			"gap", time.Since(left.UpdatedAt).Round(time.Millisecond))
		b.next = &start{resumed: left, lease: &lease, answer: b.logStart}
	case left != nil:
		if !left.Interrupted {
			b.closeCrashed(*left)
		}
		b.release(lease)
	case missing == nil:
		b.next = &start{lease: &lease, answer: b.logStart}
	default:
		b.release(lease)
	}
	if b.duty.autostart && missing != nil {
		b.log.Warn("no session is started: log-in data are missing", "error", missing)
	}
}

// logStart is told how a start ended that no user waits for.
func (b *Bot) logStart(s app.Session, err error) {
	if err == nil {
		b.log.Info("the bot runs", "session", s.ID, "name", s.Name)
		return
	}
	if errors.Is(err, errStopped) { // As a user wished.
		b.log.Info("the bot was stopped while it started")
		return
	}
	b.log.Warn("the bot could not be started, and is tried again", "error", err)
	b.duty.pending = !b.over
	b.duty.next = time.Now().Add(beatOfDuty)
}

// closeCrashed closes, as an error, a session under which the process died and that
// nothing resumes.
func (b *Bot) closeCrashed(left app.Session) {
	left.Status = app.SessionError
	left.LastError = "The process ended without warning while the session ran."
	left.EndedAt = left.UpdatedAt
	touch(&left)
	p := b.newStep()
	p.session(left)
	p.tell(left.ID, app.EventBotError, botEvent{SessionID: left.ID, Status: left.Status, Message: left.LastError})
	p.log(left.ID, levelWarning, "The session "+left.Name+" is closed. "+left.LastError)
	b.enqueue(p)
	b.log.Warn("a session that a crash interrupted is closed", "session", left.ID, "name", left.Name)
	if b.last.ID == "" {
		b.last = left
	}
}

// acquire takes the account's lease, or learns who holds it.
func (b *Bot) acquire(ctx context.Context) (app.Lease, bool, error) {
	type answer struct {
		lease app.Lease
		ok    bool
	}
	a, err := read(ctx, b, func(ctx context.Context) (answer, error) {
		lease, ok, err := b.records.Acquire(ctx, b.account, b.holder, time.Now())
		return answer{lease, ok}, err
	})
	b.other = ""
	if err == nil && !a.ok {
		b.other = a.lease.Holder
	}
	return a.lease, a.ok, err
}

// release gives the lease back, so that another replica need not wait until it expires.
func (b *Bot) release(lease app.Lease) {
	_, err := read(context.Background(), b, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, b.records.Release(ctx, lease)
	})
	if err != nil {
		b.log.Warn("the lease could not be given back; it expires by itself", "error", err)
	}
}
