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
		return secretTable().upsert(ctx, tx, [][]any{secretRow(in)})
	})
}

// AddSecret stores one where there is none of its id, and leaves what is there as it is.
func (s *Store) AddSecret(ctx context.Context, in Secret) error {
	return s.writing(ctx, "store a secret", func(ctx context.Context, tx *sql.Tx) error {
		return secretTable().add(ctx, tx, [][]any{secretRow(in)})
	})
}

func secretTable() table {
	return table{name: "atozbot_secrets", key: []string{"id"}, columns: []string{"id", "key_id", "sealed", "updated_ms"}}
}

func secretRow(in Secret) []any {
	return []any{clean(in.ID), clean(in.KeyID), notNil(in.Sealed), mustMS(in.UpdatedAt)}
}

// someSecrets reads those that the condition leaves.
func someSecrets(ctx context.Context, q queryer, where string, args ...any) ([]Secret, error) {
	var found []Secret
	err := each(ctx, q, `SELECT id, key_id, sealed, updated_ms FROM atozbot_secrets`+where+` ORDER BY id`, args, func(rows *sql.Rows) error {
		var x Secret
		err := rows.Scan(&x.ID, &x.KeyID, &x.Sealed, stamp{&x.UpdatedAt})
		found = append(found, x)
		return err
	})
	return found, err
}

// ResealSecret puts another sealing of the same text in the place of the one that was
// read, and changes nothing where that one is no longer there.
func (s *Store) ResealSecret(ctx context.Context, was Secret, keyID string, sealed []byte) error {
	return s.writing(ctx, "seal a secret anew", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE atozbot_secrets SET key_id = $1, sealed = $2 WHERE id = $3 AND key_id = $4 AND sealed = $5`,
			clean(keyID), sealed, clean(was.ID), clean(was.KeyID), was.Sealed)
		return err
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
	err := s.reading(ctx, "list secrets", func(ctx context.Context, q queryer) (err error) {
		found, err = someSecrets(ctx, q, ` WHERE key_id <> $1`, clean(keyID))
		return err
	})
	return found, err
}
