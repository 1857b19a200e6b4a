package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/atozbot/atozbot/app"
)

// connected is what the user has connected: busy calendars, without which an acceptance
// could overlap; channels, over which people are told of one; and secrets, as they are
// sealed, without which nobody logs in.
type connected struct {
	mark      string // Changes with what is connected: a calendar is not read every time.
	calendars []Connection
	channels  []Connection
	secrets   []Secret
}

// readConnected reads it where its mark is not the one that is known.
func (s *Store) readConnected(ctx context.Context, known string) (connected, error) {
	var c connected
	err := s.reading(ctx, "read what is connected", func(ctx context.Context, q queryer) (err error) {
		c = connected{}
		for _, query := range []string{
			`SELECT COUNT(*), coalesce(max(updated_ms), 0), coalesce(max(fetched_ms), 0), '' FROM atozbot_calendars`,
			`SELECT COUNT(*), coalesce(max(updated_ms), 0), 0, '' FROM atozbot_channels`,
			`SELECT COUNT(*), coalesce(max(updated_ms), 0), 0, coalesce(min(key_id), '') || coalesce(max(key_id), '') FROM atozbot_secrets`,
		} {
			var rows, updated, used int64
			var keys string
			if err := q.QueryRowContext(ctx, query).Scan(&rows, &updated, &used, &keys); err != nil {
				return err
			}
			c.mark += fmt.Sprint(rows, " ", updated, " ", used, " ", keys, ";")
		}
		if c.mark == known {
			return nil
		}
		if c.calendars, err = someConnections(ctx, q, calendars(), ""); err != nil {
			return err
		}
		if c.channels, err = someConnections(ctx, q, channels(), ""); err != nil {
			return err
		}
		c.secrets, err = someSecrets(ctx, q, "")
		return err
	})
	return c, err
}

// writeConnected puts it in the place of what a mirror has.
func writeConnected(ctx context.Context, tx *sql.Tx, c connected) error {
	for _, sort := range []struct {
		connections
		rows []Connection
	}{{calendars(), c.calendars}, {channels(), c.channels}} {
		if _, err := tx.ExecContext(ctx, `DELETE FROM `+sort.table); err != nil {
			return err
		}
		for _, row := range sort.rows {
			if row.AccountID == app.OutsideAccountID {
				continue
			}
			if err := sort.connections.rows().upsert(ctx, tx, [][]any{connectionRow(row)}); err != nil {
				return err
			}
		}
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM atozbot_secrets`); err != nil {
		return err
	}
	for _, secret := range c.secrets {
		if err := secretTable().upsert(ctx, tx, [][]any{secretRow(secret)}); err != nil {
			return err
		}
	}
	return putMeta(ctx, tx, metaConnected, c.mark)
}

// Calendars lists the busy calendars of an account; while PostgreSQL is away, as the
// mirror has them.
func (j *Journaled) Calendars(ctx context.Context, accountID string) ([]Connection, error) {
	return read(ctx, j, func(ctx context.Context, s *Store) ([]Connection, error) { return s.Calendars(ctx, accountID) })
}

// Channels lists the notification channels of an account; while PostgreSQL is away, as
// the mirror has them.
func (j *Journaled) Channels(ctx context.Context, accountID string) ([]Connection, error) {
	return read(ctx, j, func(ctx context.Context, s *Store) ([]Connection, error) { return s.Channels(ctx, accountID) })
}

// Secret gives one, as it is sealed; CodeNotFound. While PostgreSQL is away it is the
// mirror's.
func (j *Journaled) Secret(ctx context.Context, id string) (Secret, error) {
	return read(ctx, j, func(ctx context.Context, s *Store) (Secret, error) { return s.Secret(ctx, id) })
}
