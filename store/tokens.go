package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/atozbot/atozbot/app"
)

// Token is a bearer token without its secret, of which only a hash is stored.
type Token struct {
	ID, Name   string
	Hint       string // The first characters, so that its owner knows it again.
	Scope      string
	CreatedBy  string
	CreatedAt  time.Time
	ExpiresAt  time.Time // Zero: never.
	LastUsedAt time.Time // Zero: not yet.
	RevokedAt  time.Time // Zero: not revoked.
}

const selectTokens = `SELECT id, name, hint, scope, created_by, created_ms, expires_ms, last_used_ms, revoked_ms FROM atozbot_tokens `

func scanToken(scan func(...any) error) (Token, error) {
	var t Token
	err := scan(&t.ID, &t.Name, &t.Hint, &t.Scope, &t.CreatedBy, stamp{&t.CreatedAt}, stamp{&t.ExpiresAt}, stamp{&t.LastUsedAt}, stamp{&t.RevokedAt})
	return t, err
}

// TokenByHash gives the token with this hash, expired and revoked ones too; CodeNotFound.
func (s *Store) TokenByHash(ctx context.Context, hash string) (Token, error) {
	var t Token
	err := s.reading(ctx, "read a token", func(ctx context.Context, q queryer) (err error) {
		t, err = scanToken(q.QueryRowContext(ctx, selectTokens+`WHERE hash = $1`, clean(hash)).Scan)
		return err
	})
	return t, err
}

// Tokens lists them, newest first.
func (s *Store) Tokens(ctx context.Context, w Window) (Page[Token], error) {
	var page Page[Token]
	where, err := w.where(nil, "created_ms")
	if err != nil {
		return page, err
	}
	err = s.reading(ctx, "list tokens", func(ctx context.Context, q queryer) error {
		page = Page[Token]{}
		if err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM atozbot_tokens`).Scan(&page.Total); err != nil {
			return err
		}
		err := each(ctx, q, selectTokens+where.text()+w.order("created_ms"), where.args, func(rows *sql.Rows) error {
			t, err := scanToken(rows.Scan)
			page.Items = append(page.Items, t)
			return err
		})
		page.cut(w, func(t Token) (int64, string) { return mustMS(t.CreatedAt), t.ID })
		return err
	})
	return page, err
}

// AddToken stores a token under the hash of its secret.
func (s *Store) AddToken(ctx context.Context, t Token, hash string) error {
	err := s.writing(ctx, "store a token", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO atozbot_tokens (id, name, hash, hint, scope, created_by, created_ms, expires_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			t.ID, clean(t.Name), clean(hash), clean(t.Hint), clean(t.Scope), clean(t.CreatedBy), mustMS(t.CreatedAt), toMS(t.ExpiresAt))
		if isUnique(err) {
			return app.Errorf(app.CodeConflict, "There is such a token already.")
		}
		return err
	})
	return err
}

// RevokeToken marks it revoked; CodeNotFound. Revoking it again changes nothing.
func (s *Store) RevokeToken(ctx context.Context, id string, at time.Time) error {
	return s.writing(ctx, "revoke a token", func(ctx context.Context, tx *sql.Tx) error {
		return changedOne(tx.ExecContext(ctx, `UPDATE atozbot_tokens SET revoked_ms = coalesce(revoked_ms, $2) WHERE id = $1`, clean(id), at.UnixMilli()))
	})
}

// TokenUsed notes the last use.
func (s *Store) TokenUsed(ctx context.Context, id string, at time.Time) error {
	return s.writing(ctx, "note a token's use", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE atozbot_tokens SET last_used_ms = $2 WHERE id = $1 AND coalesce(last_used_ms, 0) < $2`, clean(id), at.UnixMilli())
		return err
	})
}
