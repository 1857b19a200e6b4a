package store

import (
	"context"
	"database/sql"
	"time"
)

// Connection is something outside that the user has connected: a busy calendar, or a
// channel that notifications go to. Its address, if it has one, is a secret under its id.
type Connection struct {
	ID        string
	AccountID string
	Name      string
	Kind      string // As its user calls it: "file", "url"; "email", "webpush" …
	Body      string // A calendar's content, or a channel's settings as JSON.
	Enabled   bool
	UsedAt    time.Time // When it was last fetched or sent to; zero: not yet.
	LastError string    // Why that failed; "" where it did not.
	CreatedAt time.Time
	UpdatedAt time.Time
	Version   int64
}

// connections is the table of one sort of them.
type connections struct{ table, body, used, doing string }

func calendars() connections {
	return connections{"atozbot_calendars", "body", "fetched_ms", "calendar"}
}

func channels() connections {
	return connections{"atozbot_channels", "settings", "last_sent_ms", "channel"}
}

func (c connections) rows() table {
	return table{name: c.table, key: []string{"id"}, fixed: []string{"account_id", "created_ms"}, columns: []string{
		"id", "account_id", "name", "kind", c.body, "enabled", c.used, "last_error", "created_ms", "updated_ms", "version",
	}}
}

// Calendars lists the busy calendars of an account.
func (s *Store) Calendars(ctx context.Context, accountID string) ([]Connection, error) {
	return s.connected(ctx, calendars(), accountID)
}

// SaveCalendar stores one, new or changed.
func (s *Store) SaveCalendar(ctx context.Context, c Connection) error {
	return s.connect(ctx, calendars(), c)
}

// CalendarFetched notes how the newest fetch went; body is what it brought, and "" leaves
// what is there.
func (s *Store) CalendarFetched(ctx context.Context, id, body, lastError string, at time.Time) error {
	return s.writing(ctx, "note a calendar's fetch", func(ctx context.Context, tx *sql.Tx) error {
		return changedOne(tx.ExecContext(ctx, `UPDATE atozbot_calendars SET fetched_ms = $2, last_error = $3,
			body = CASE WHEN CAST($4 AS TEXT) = '' THEN body ELSE CAST($4 AS TEXT) END WHERE id = $1`, id, at.UnixMilli(), clean(lastError), clean(body)))
	})
}

// DeleteCalendar does away with one and its secret; CodeNotFound.
func (s *Store) DeleteCalendar(ctx context.Context, id string) error {
	return s.disconnect(ctx, calendars(), id)
}

// Channels lists the notification channels of an account.
func (s *Store) Channels(ctx context.Context, accountID string) ([]Connection, error) {
	return s.connected(ctx, channels(), accountID)
}

// SaveChannel stores one, new or changed.
func (s *Store) SaveChannel(ctx context.Context, c Connection) error {
	return s.connect(ctx, channels(), c)
}

// ChannelSent notes how the newest sending went.
func (s *Store) ChannelSent(ctx context.Context, id, lastError string, at time.Time) error {
	return s.writing(ctx, "note a notification", func(ctx context.Context, tx *sql.Tx) error {
		return changedOne(tx.ExecContext(ctx, `UPDATE atozbot_channels SET last_sent_ms = $2, last_error = $3 WHERE id = $1`, id, at.UnixMilli(), clean(lastError)))
	})
}

// DeleteChannel does away with one and its secret; CodeNotFound.
func (s *Store) DeleteChannel(ctx context.Context, id string) error {
	return s.disconnect(ctx, channels(), id)
}

func (s *Store) connected(ctx context.Context, sort connections, accountID string) ([]Connection, error) {
	var found []Connection
	err := s.reading(ctx, "list each "+sort.doing, func(ctx context.Context, q queryer) (err error) {
		found, err = someConnections(ctx, q, sort, ` WHERE account_id = $1`, accountID)
		return err
	})
	return found, err
}

// someConnections reads those of one sort that the condition leaves.
func someConnections(ctx context.Context, q queryer, sort connections, where string, args ...any) ([]Connection, error) {
	var found []Connection
	query := `SELECT id, account_id, name, kind, ` + sort.body + `, enabled, ` + sort.used + `, last_error, created_ms, updated_ms, version FROM ` + sort.table + where + ` ORDER BY created_ms, id`
	err := each(ctx, q, query, args, func(rows *sql.Rows) error {
		var c Connection
		err := rows.Scan(&c.ID, &c.AccountID, &c.Name, &c.Kind, &c.Body, &c.Enabled, stamp{&c.UsedAt}, &c.LastError, stamp{&c.CreatedAt}, stamp{&c.UpdatedAt}, &c.Version)
		found = append(found, c)
		return err
	})
	return found, err
}

func connectionRow(c Connection) []any {
	return []any{
		c.ID, c.AccountID, clean(c.Name), clean(c.Kind), clean(c.Body), c.Enabled, toMS(c.UsedAt), clean(c.LastError), mustMS(c.CreatedAt), mustMS(c.UpdatedAt), c.Version,
	}
}

func (s *Store) connect(ctx context.Context, sort connections, c Connection) error {
	return s.writing(ctx, "store a "+sort.doing, func(ctx context.Context, tx *sql.Tx) error {
		return sort.rows().upsert(ctx, tx, [][]any{connectionRow(c)})
	})
}

func (s *Store) disconnect(ctx context.Context, sort connections, id string) error {
	return s.writing(ctx, "delete a "+sort.doing, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM atozbot_secrets WHERE id = $1`, clean(id)); err != nil {
			return err
		}
		return changedOne(tx.ExecContext(ctx, `DELETE FROM `+sort.table+` WHERE id = $1`, clean(id)))
	})
}
