package store

import (
	"context"
	"time"

	"github.com/atozbot/atozbot/app"
)

// read asks PostgreSQL, no longer than the patience, where nothing waits to be carried
// over to it, and else the journal, which then knows more.
func read[T any](ctx context.Context, j *Journaled, ask func(ctx context.Context, s *Store) (T, error)) (T, error) {
	switch j.current() {
	case modeFallback:
		return ask(ctx, j.there)
	case modeDirect:
		var found T
		err := j.within(ctx, func(ctx context.Context) (err error) {
			found, err = ask(ctx, j.there)
			return err
		})
		if err == nil || app.CodeOf(err) != app.CodeUnavailable {
			return found, err
		}
		j.ill(err)
	case modeAway, modeDraining:
	}
	if err := j.ready(ctx); err != nil {
		var none T
		return none, err
	}
	return ask(ctx, j.journal)
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

// Wish leaves a wish for the holder of the lease: here, where PostgreSQL is away, for
// this replica to find.
func (j *Journaled) Wish(ctx context.Context, w app.Wish) error {
	_, err := read(ctx, j, func(ctx context.Context, s *Store) (struct{}, error) { return struct{}{}, s.Wish(ctx, w) })
	return err
}

// Wishes gives those that wait, here or in PostgreSQL.
func (j *Journaled) Wishes(ctx context.Context, accountID string) ([]app.Wish, error) {
	return read(ctx, j, func(ctx context.Context, s *Store) ([]app.Wish, error) { return s.Wishes(ctx, accountID) })
}

// Granted does away with a wish, wherever it waited.
func (j *Journaled) Granted(ctx context.Context, w app.Wish) error {
	_, err := read(ctx, j, func(ctx context.Context, s *Store) (struct{}, error) { return struct{}{}, s.Granted(ctx, w) })
	return err
}
