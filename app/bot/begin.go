package bot

import (
	"context"
	"errors"
	"time"

	"github.com/atozbot/atozbot/app"
)

// start is a session that is about to begin.
type start struct {
	name    string
	byUser  bool
	resumed *app.Session // nil for a new one.
	lease   *app.Lease   // nil where it has still to be taken.
	answer  func(app.Session, error)

	stopped error // Why it was given up before it began.
	abort   context.CancelFunc
}

// cancel gives up a start that is under way.
func (s *start) cancel(why error) {
	s.stopped = why
	if s.abort != nil {
		s.abort()
	}
}

// begin turns the start that waits into the session that runs.
func (b *Bot) begin() {
	s := b.next
	ctx, abort := context.WithCancel(context.Background())
	defer abort()
	s.abort = abort
	b.publish()
	r, err := b.prepare(ctx, s)
	b.next = nil
	if err == nil {
		b.run = r
		r.open(s)
	}
	b.publish()
	if err != nil {
		s.answer(app.Session{}, err)
		return
	}
	s.answer(r.session, nil)
}

// prepare takes the lease and makes the session's row.
func (b *Bot) prepare(ctx context.Context, s *start) (*run, error) {
	if s.stopped != nil {
		return nil, s.stopped
	}
	lease, err := b.leaseFor(ctx, s)
	if err != nil {
		return nil, err
	}
	if s.byUser {
		if err := b.tidy(ctx); err != nil {
			b.release(lease)
			return nil, notReady(err)
		}
	}
	if s.stopped != nil {
		b.release(lease)
		return nil, s.stopped
	}
	b.duty.standing = false
	session := b.newSession(s.name)
	if s.resumed != nil {
		session = *s.resumed
	}
	r := newRun(b, session, lease)
	b.recall(ctx, r, s.byUser)
	if s.stopped != nil { // While it was recalled.
		r.cancelAct(endStopped)
		b.release(lease)
		return nil, s.stopped
	}
	return r, nil
}

func (b *Bot) leaseFor(ctx context.Context, s *start) (app.Lease, error) {
	if s.lease != nil {
		return *s.lease, nil
	}
	lease, ok, err := b.acquire(ctx)
	switch {
	case s.stopped != nil:
		return app.Lease{}, s.stopped
	case err != nil:
		return app.Lease{}, notReady(err)
	case !ok:
		return app.Lease{}, app.Errorf(app.CodeConflict, "The bot is already running at the replica %s", lease.Holder)
	}
	return lease, nil
}

func notReady(err error) error {
	return &app.Error{Code: app.CodeUnavailable, Message: "The records are not ready, so the bot cannot start", RetryAfter: time.Second, Err: err}
}

// tidy puts away what the last process left, now that the user has begun anew: nothing
// may be resumed any more.
func (b *Bot) tidy(ctx context.Context) error {
	b.duty.pending = false
	if !b.savedWithin(ctx, patienceSave) {
		return errors.New("what an earlier session did is still to be recorded")
	}
	left, err := read(ctx, b, func(ctx context.Context) (*app.Session, error) {
		return b.records.Resumable(ctx, b.account)
	})
	switch {
	case err != nil:
		return err
	case left == nil:
	case left.Interrupted && left.Status == app.SessionStopped:
		left.Interrupted = false
		touch(left)
		p := b.newStep()
		p.session(*left)
		b.enqueue(p)
	default:
		b.closeCrashed(*left)
	}
	return nil
}

// newSession makes the row of a session that begins.
func (b *Bot) newSession(name string) app.Session {
	now := time.Now().UTC()
	if name == "" {
		name = "Session of " + now.Format("2006-01-02 15:04:05")
	}
	return app.Session{
		ID:          app.NewID(now),
		AccountID:   b.account,
		Name:        name,
		Source:      app.SourceBuiltIn,
		Status:      app.SessionStarting,
		LoginStatus: app.LoginPending,
		StartedAt:   now,
		CreatedAt:   now,
		Tripped:     b.breaker.kept(),
	}
}

// touch gives a changed session a new version. Versions follow the clock, so that of two
// rows made apart the newer wins.
func touch(s *app.Session) {
	now := time.Now().UTC()
	s.UpdatedAt = now
	s.Version = nextVersion(s.Version, now)
}

// nextVersion grows with every change and, as far as clocks agree, with time.
func nextVersion(old int64, now time.Time) int64 { return max(old+1, now.UnixMicro()) }
