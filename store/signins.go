package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// SignIn is one signed-in browser. What stands in it is the business of whoever signs
// people in.
type SignIn struct {
	// TokenHash is the hash of what the cookie holds: who reads the table cannot sign in
	// with it.
	TokenHash string
	UserID    string // "" before anybody has signed in.
	Data      []byte
	ExpiresAt time.Time
}

func signInTable() table {
	return table{name: "atozbot_sign_ins", key: []string{"token_hash"}, columns: []string{"token_hash", "user_id", "data", "expires_ms"}}
}

// FindSignIn gives a sign-in that has not expired at now; found is false where there is
// none, which is no error.
func (s *Store) FindSignIn(ctx context.Context, tokenHash string, now time.Time) (in SignIn, found bool, err error) {
	err = s.reading(ctx, "find a sign-in", func(ctx context.Context, q queryer) error {
		in = SignIn{TokenHash: tokenHash}
		err := q.QueryRowContext(ctx, `SELECT user_id, data, expires_ms FROM atozbot_sign_ins WHERE token_hash = $1 AND expires_ms > $2`,
			clean(tokenHash), now.UnixMilli()).Scan(&in.UserID, &in.Data, stamp{&in.ExpiresAt})
		found = err == nil
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return in, found && err == nil, err
}

// SaveSignIn stores a sign-in, new or changed.
func (s *Store) SaveSignIn(ctx context.Context, in SignIn) error {
	return s.writing(ctx, "store a sign-in", func(ctx context.Context, tx *sql.Tx) error {
		return signInTable().upsert(ctx, tx, [][]any{{clean(in.TokenHash), in.UserID, notNil(in.Data), mustMS(in.ExpiresAt)}})
	})
}

func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// SeenSignIn notes the use of a sign-in that is there. One that was signed out meanwhile
// stays so.
func (s *Store) SeenSignIn(ctx context.Context, in SignIn) error {
	return s.writing(ctx, "note a sign-in's use", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE atozbot_sign_ins SET data = $2, expires_ms = $3 WHERE token_hash = $1`, clean(in.TokenHash), notNil(in.Data), mustMS(in.ExpiresAt))
		return err
	})
}

// DeleteSignIn signs one browser out.
func (s *Store) DeleteSignIn(ctx context.Context, tokenHash string) error {
	return s.writing(ctx, "delete a sign-in", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM atozbot_sign_ins WHERE token_hash = $1`, clean(tokenHash))
		return err
	})
}

// SignOutEverywhere signs every browser of a user out but the one that is to stay ("":
// none), and says how many there were.
func (s *Store) SignOutEverywhere(ctx context.Context, userID, stays string) (int64, error) {
	var n int64
	err := s.writing(ctx, "sign out everywhere", func(ctx context.Context, tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `DELETE FROM atozbot_sign_ins WHERE user_id = $1 AND token_hash <> $2`, userID, clean(stays))
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	return n, err
}

// SignIns gives those of a user that have not expired at now.
func (s *Store) SignIns(ctx context.Context, userID string, now time.Time) ([]SignIn, error) {
	var found []SignIn
	err := s.reading(ctx, "list sign-ins", func(ctx context.Context, q queryer) error {
		found = nil
		return each(ctx, q, `SELECT token_hash, user_id, data, expires_ms FROM atozbot_sign_ins WHERE user_id = $1 AND expires_ms > $2 ORDER BY expires_ms DESC`,
			[]any{userID, now.UnixMilli()}, func(rows *sql.Rows) error {
				var in SignIn
				err := rows.Scan(&in.TokenHash, &in.UserID, &in.Data, stamp{&in.ExpiresAt})
				found = append(found, in)
				return err
			})
	})
	return found, err
}

// PruneSignIns does away with those that have expired at now.
func (s *Store) PruneSignIns(ctx context.Context, now time.Time) error {
	return s.writing(ctx, "do away with expired sign-ins", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM atozbot_sign_ins WHERE expires_ms <= $1`, now.UnixMilli())
		return err
	})
}

// SignInAttempt is somebody's try to sign in.
type SignInAttempt struct {
	ID      string
	Address string // Of the client.
	Name    string // As it was given.
	At      time.Time
	Success bool
}

// AddSignInAttempt notes a try, for every replica to see.
func (s *Store) AddSignInAttempt(ctx context.Context, a SignInAttempt) error {
	return s.writing(ctx, "note a try to sign in", func(ctx context.Context, tx *sql.Tx) error {
		t := table{name: "atozbot_sign_in_attempts", key: []string{"id"}, columns: []string{"id", "address", "name", "at_ms", "success"}}
		return t.add(ctx, tx, [][]any{{a.ID, clipped(a.Address, longestKey), nameKey(a.Name), mustMS(a.At), a.Success}})
	})
}

// SignInSucceeded says of a try that was noted as failed that it was not.
func (s *Store) SignInSucceeded(ctx context.Context, id string) error {
	return s.writing(ctx, "note a sign-in", func(ctx context.Context, tx *sql.Tx) error {
		return changedOne(tx.ExecContext(ctx, `UPDATE atozbot_sign_in_attempts SET success = $2 WHERE id = $1`, clean(id), true))
	})
}

// SignInUnseen says of a try that was noted as failed that nobody looked at it: it counts
// for no name any more, but still for its address.
func (s *Store) SignInUnseen(ctx context.Context, id string) error {
	return s.writing(ctx, "note a try to sign in that was not looked at", func(ctx context.Context, tx *sql.Tx) error {
		return changedOne(tx.ExecContext(ctx, `UPDATE atozbot_sign_in_attempts SET name = $2 WHERE id = $1`, clean(id), ""))
	})
}

// FailedSignIns counts tries that failed since a time: from an address, and for a name.
// Those before the newest success of the name from the same address do not count any
// more for the name.
func (s *Store) FailedSignIns(ctx context.Context, address, name string, since time.Time) (byAddress, byName int64, err error) {
	address, name = clipped(address, longestKey), nameKey(name)
	err = s.reading(ctx, "count failed sign-ins", func(ctx context.Context, q queryer) error {
		err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM atozbot_sign_in_attempts WHERE address = $1 AND at_ms >= $2 AND NOT success`,
			address, since.UnixMilli()).Scan(&byAddress)
		if err != nil {
			return err
		}
		return q.QueryRowContext(ctx, `SELECT COUNT(*) FROM atozbot_sign_in_attempts WHERE name = $1 AND at_ms >= $2 AND NOT success
			AND at_ms > (SELECT coalesce(max(at_ms), 0) FROM atozbot_sign_in_attempts WHERE name = $1 AND address = $3 AND success)`,
			name, since.UnixMilli(), address).Scan(&byName)
	})
	return byAddress, byName, err
}
