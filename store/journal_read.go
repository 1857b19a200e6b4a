package store

import (
	"context"
	"time"

	"github.com/atozbot/atozbot/app"
)

// read asks PostgreSQL, no longer than the patience, where nothing waits to be carried
// over to it, and else the journal, which then knows more.
func read[T any](ctx context.Context, j *Journaled, ask func(ctx context.Context, s *Store) (T, error)) (T, error) {
	if j.current() == modeFallback {
		return ask(ctx, j.there)
	}
	broken := j.ready(ctx) // Only what is open says what waits.
	if j.complete() {
		var found T
		err := j.within(ctx, func(ctx context.Context) (err error) {
			found, err = ask(ctx, j.there)
			return err
		})
		if err == nil || app.CodeOf(err) != app.CodeUnavailable {
			return found, err
		}
		if ctx.Err() == nil { // Else the caller's time was over, not PostgreSQL's.
			j.ill(err)
		}
	}
	if broken != nil {
		var none T
		return none, broken
	}
	return ask(ctx, j.journal)
}

// complete tells whether PostgreSQL is there and knows all that this replica knows.
func (j *Journaled) complete() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.mode == modeDirect || j.mode == modeDraining && j.backlog.waiting <= int64(len(j.acked))
}

// Configuration gives the active one. While PostgreSQL is away it is the mirror's, and
// where that knows none, the one that the settings say, as version 0.
func (j *Journaled) Configuration(ctx context.Context, accountID string) (app.Configuration, error) {
	c, err := read(ctx, j, func(ctx context.Context, s *Store) (app.Configuration, error) { return s.Configuration(ctx, accountID) })
	if app.CodeOf(err) == app.CodeNotFound && j.current() != modeDirect {
		first := j.o.First
		first.IsActive = true
		return first, nil
	}
	return c, err
}

// Resumable gives the newest session that was interrupted; see [Store.Resumable].
func (j *Journaled) Resumable(ctx context.Context, accountID string) (*app.Session, error) {
	return read(ctx, j, func(ctx context.Context, s *Store) (*app.Session, error) { return s.Resumable(ctx, accountID) })
}

// Session gives one session; CodeNotFound where there is none.
func (j *Journaled) Session(ctx context.Context, id string) (app.Session, error) {
	return read(ctx, j, func(ctx context.Context, s *Store) (app.Session, error) { return s.Session(ctx, id) })
}

// Unsettled gives the claims whose outcome is not known.
func (j *Journaled) Unsettled(ctx context.Context, accountID string) ([]app.Claim, error) {
	return read(ctx, j, func(ctx context.Context, s *Store) ([]app.Claim, error) { return s.Unsettled(ctx, accountID) })
}

// Jobs gives what is recorded of these numbers, by number.
func (j *Journaled) Jobs(ctx context.Context, accountID string, numbers []string) (map[string]app.JobRecord, error) {
	return read(ctx, j, func(ctx context.Context, s *Store) (map[string]app.JobRecord, error) {
		return s.Jobs(ctx, accountID, numbers)
	})
}

// Claims gives every claim on these numbers.
func (j *Journaled) Claims(ctx context.Context, accountID string, numbers []string) ([]app.Claim, error) {
	return read(ctx, j, func(ctx context.Context, s *Store) ([]app.Claim, error) { return s.Claims(ctx, accountID, numbers) })
}

// Watched gives the acceptances to watch; see [Store.Watched].
func (j *Journaled) Watched(ctx context.Context, accountID string, from time.Time) ([]app.JobRecord, error) {
	return read(ctx, j, func(ctx context.Context, s *Store) ([]app.JobRecord, error) { return s.Watched(ctx, accountID, from) })
}

// Tally gives what the account has already taken.
func (j *Journaled) Tally(ctx context.Context, accountID, sessionID string, from time.Time) (app.Tally, error) {
	return read(ctx, j, func(ctx context.Context, s *Store) (app.Tally, error) {
		return s.Tally(ctx, accountID, sessionID, from)
	})
}

// Wish leaves a wish for the holder of the lease, which only PostgreSQL carries:
// CodeUnavailable while it is away.
func (j *Journaled) Wish(ctx context.Context, w app.Wish) error {
	return j.askThere(ctx, func(ctx context.Context) error { return j.there.Wish(ctx, w) })
}

// Wishes gives those that wait; none while PostgreSQL is away.
func (j *Journaled) Wishes(ctx context.Context, accountID string) ([]app.Wish, error) {
	if j.current() == modeAway {
		return nil, nil
	}
	var found []app.Wish
	err := j.askThere(ctx, func(ctx context.Context) (err error) {
		found, err = j.there.Wishes(ctx, accountID)
		return err
	})
	return found, err
}

// Granted does away with a wish.
func (j *Journaled) Granted(ctx context.Context, w app.Wish) error {
	return j.askThere(ctx, func(ctx context.Context) error { return j.there.Granted(ctx, w) })
}

// askThere asks PostgreSQL alone, no longer than the patience.
func (j *Journaled) askThere(ctx context.Context, ask func(ctx context.Context) error) error {
	switch j.current() {
	case modeFallback:
		return ask(ctx)
	case modeAway:
		return &app.Error{Code: app.CodeUnavailable, Message: "The other replicas cannot be reached while PostgreSQL is away.", RetryAfter: 2 * time.Second}
	case modeDirect, modeDraining:
	}
	err := j.within(ctx, ask)
	if app.CodeOf(err) == app.CodeUnavailable && ctx.Err() == nil {
		j.ill(err)
	}
	return err
}
