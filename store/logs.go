package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
)

func logTable() table {
	return table{name: "atozbot_log_entries", key: []string{"id"}, columns: []string{
		"id", "account_id", "session_id", "level", "message", "component", "at_ms",
	}}
}

func saveLogs(ctx context.Context, q queryer, accountID string, entries []app.LogEntry) error {
	rows := make([][]any, len(entries))
	for i, e := range entries {
		rows[i] = []any{e.ID, accountID, e.SessionID, clean(e.Level), clean(e.Message), clean(e.Component), mustMS(e.At)}
	}
	return logTable().add(ctx, q, rows)
}

// AddLogs adds lines to the log that the dashboard shows.
func (s *Store) AddLogs(ctx context.Context, entries []app.LogEntry) error {
	return s.Save(ctx, app.Record{Logs: entries})
}

// LogFilter picks lines of the log. Zero values pick all.
type LogFilter struct {
	SessionID    string
	Level        string   // DEBUG, INFO, WARNING, ERROR.
	Levels       []string // One of them.
	Component    string
	Query        string // Looked for in the message, case aside for ASCII.
	Since, Until time.Time
	Window
}

func (f LogFilter) conditions() *conditions {
	c := &conditions{}
	c.equal("session_id", f.SessionID)
	c.equal("level", strings.ToUpper(f.Level))
	among(c, "level", f.Levels)
	c.equal("component", f.Component)
	if f.Query != "" {
		c.and("lower(message) LIKE lower(" + c.arg(likeAsIs(clean(f.Query))) + `) ESCAPE '\'`)
	}
	if !f.Since.IsZero() {
		c.and("at_ms >= " + c.arg(f.Since.UnixMilli()))
	}
	if !f.Until.IsZero() {
		c.and("at_ms < " + c.arg(f.Until.UnixMilli()))
	}
	return c
}

// Logs lists lines of the log, newest first.
func (s *Store) Logs(ctx context.Context, f LogFilter) (Page[app.LogEntry], error) {
	var page Page[app.LogEntry]
	where, err := f.where(f.conditions(), "at_ms")
	if err != nil {
		return page, err
	}
	err = s.reading(ctx, "list the log", func(ctx context.Context, q queryer) error {
		page = Page[app.LogEntry]{}
		all := f.conditions()
		if err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM atozbot_log_entries`+all.text(), all.args...).Scan(&page.Total); err != nil {
			return err
		}
		err := each(ctx, q, `SELECT id, session_id, level, message, component, at_ms FROM atozbot_log_entries`+where.text()+f.order("at_ms"), where.args,
			func(rows *sql.Rows) error {
				var e app.LogEntry
				err := rows.Scan(&e.ID, &e.SessionID, &e.Level, &e.Message, &e.Component, stamp{&e.At})
				page.Items = append(page.Items, e)
				return err
			})
		page.cut(f.Window, func(e app.LogEntry) (int64, string) { return mustMS(e.At), e.ID })
		return err
	})
	return page, err
}
