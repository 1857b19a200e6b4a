package store

import (
	"context"
	"database/sql"
	"time"
)

// Secret is something that was sealed before it came here: the store cannot read it.
type Secret struct {
	ID        string // What it belongs to: "portal", a channel's or a calendar's id.
	KeyID     string // Of the key that it was sealed with.
	Sealed    []byte
	UpdatedAt time.Time
}

// Secret gives one; CodeNotFound.
func (s *Store) Secret(ctx context.Context, id string) (Secret, error) {
	var found Secret
	err := s.reading(ctx, "read a secret", func(ctx context.Context, q queryer) error {
		found = Secret{ID: id}
		return q.QueryRowContext(ctx, `SELECT key_id, sealed, updated_ms FROM atozbot_secrets WHERE id = $1`, clean(id)).
			Scan(&found.KeyID, &found.Sealed, stamp{&found.UpdatedAt})
	})
	return found, err
}

// SaveSecret stores one in the place of what was there.
func (s *Store) SaveSecret(ctx context.Context, in Secret) error {
	return s.writing(ctx, "store a secret", func(ctx context.Context, tx *sql.Tx) error {
		t := table{name: "atozbot_secrets", key: []string{"id"}, columns: []string{"id", "key_id", "sealed", "updated_ms"}}
		return t.upsert(ctx, tx, [][]any{{clean(in.ID), clean(in.KeyID), notNil(in.Sealed), mustMS(in.UpdatedAt)}})
	})
}

// DeleteSecret does away with one, where it is there.
func (s *Store) DeleteSecret(ctx context.Context, id string) error {
	return s.writing(ctx, "delete a secret", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM atozbot_secrets WHERE id = $1`, clean(id))
		return err
	})
}

// SecretsNotUnder lists those that were sealed with another key: those that a rotation
// has still to seal anew.
func (s *Store) SecretsNotUnder(ctx context.Context, keyID string) ([]Secret, error) {
	var found []Secret
	err := s.reading(ctx, "list secrets", func(ctx context.Context, q queryer) error {
		found = nil
		return each(ctx, q, `SELECT id, key_id, sealed, updated_ms FROM atozbot_secrets WHERE key_id <> $1 ORDER BY id`, []any{clean(keyID)}, func(rows *sql.Rows) error {
			var x Secret
			err := rows.Scan(&x.ID, &x.KeyID, &x.Sealed, stamp{&x.UpdatedAt})
			found = append(found, x)
			return err
		})
	})
	return found, err
}
