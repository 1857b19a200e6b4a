package store

import (
	"context"
	"database/sql"

	"github.com/atozbot/atozbot/app"
)

// Wish leaves a wish for the holder of the account's lease.
func (s *Store) Wish(ctx context.Context, w app.Wish) error {
	return s.writing(ctx, "leave a wish", func(ctx context.Context, tx *sql.Tx) error {
		t := table{name: "atozbot_wishes", key: []string{"id"}, columns: []string{"id", "account_id", "kind", "number", "made_ms"}}
		return t.add(ctx, tx, [][]any{{w.ID, w.AccountID, clean(string(w.Kind)), clean(w.Number), mustMS(w.At)}})
	})
}

// Wishes gives those that wait, oldest first.
func (s *Store) Wishes(ctx context.Context, accountID string) ([]app.Wish, error) {
	var found []app.Wish
	err := s.reading(ctx, "list wishes", func(ctx context.Context, q queryer) error {
		found = nil
		return each(ctx, q, `SELECT id, account_id, kind, number, made_ms FROM atozbot_wishes WHERE account_id = $1 ORDER BY made_ms, id`,
			[]any{accountID}, func(rows *sql.Rows) error {
				var w app.Wish
				err := rows.Scan(&w.ID, &w.AccountID, &w.Kind, &w.Number, stamp{&w.At})
				found = append(found, w)
				return err
			})
	})
	return found, err
}

// Granted does away with a wish.
func (s *Store) Granted(ctx context.Context, w app.Wish) error {
	return s.writing(ctx, "do away with a wish", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM atozbot_wishes WHERE id = $1`, w.ID)
		return err
	})
}
