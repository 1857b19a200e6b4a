package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/atozbot/atozbot/app"
)

// Accounts lists every account.
func (s *Store) Accounts(ctx context.Context) ([]app.Account, error) {
	var accounts []app.Account
	err := s.reading(ctx, "list accounts", func(ctx context.Context, q queryer) error {
		accounts = nil
		return each(ctx, q, `SELECT id, name FROM atozbot_accounts ORDER BY id`, nil, func(rows *sql.Rows) error {
			var a app.Account
			err := rows.Scan(&a.ID, &a.Name)
			accounts = append(accounts, a)
			return err
		})
	})
	return accounts, err
}

// EnsureAccount makes the account of the settings where it is not there yet. Every
// method that writes does the same; it is for those who only want to read.
func (s *Store) EnsureAccount(ctx context.Context, now time.Time) error {
	return s.writing(ctx, "make the account", func(ctx context.Context, tx *sql.Tx) error {
		return s.lockAccount(ctx, tx, app.DefaultAccountID, now)
	})
}

// Revision grows with every change of the jobs, claims and sessions of any account:
// what was read at one revision is still so at the same. It costs one small read.
func (s *Store) Revision(ctx context.Context) (int64, error) {
	var revision int64
	err := s.reading(ctx, "read the revision", func(ctx context.Context, q queryer) error {
		return q.QueryRowContext(ctx, `SELECT CAST(coalesce(sum(revision), 0) AS BIGINT) FROM atozbot_accounts`).Scan(&revision)
	})
	return revision, err
}

// lockAccount makes everyone else who writes to the account wait until the end of the
// transaction, makes the account where it is not there yet, and counts its revision up.
func (s *Store) lockAccount(ctx context.Context, tx *sql.Tx, id string, now time.Time) error {
	const lock = `UPDATE atozbot_accounts SET revision = revision + 1, updated_ms = $2 WHERE id = $1`
	err := changedOne(tx.ExecContext(ctx, lock, id, now.UnixMilli()))
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO atozbot_accounts (id, name, created_ms, updated_ms) VALUES ($1, $2, $3, $3) ON CONFLICT DO NOTHING`,
		id, accountName(id), now.UnixMilli()); err != nil {
		return err
	}
	return changedOne(tx.ExecContext(ctx, lock, id, now.UnixMilli()))
}

func accountName(id string) string {
	switch id {
	case app.DefaultAccountID:
		return "default"
	case app.OutsideAccountID:
		return "outside"
	}
	return id
}
