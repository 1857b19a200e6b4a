package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/atozbot/atozbot/app"
)

func sessionTable() table {
	return table{name: "atozbot_sessions", key: []string{"id"}, fixed: []string{"account_id", "source", "outside_id", "created_ms"}, columns: []string{
		"id", "account_id", "name", "source", "outside_id", "status", "login_status", "paused", "interrupted", "last_error",
		"total_checks", "total_accepted", "total_rejected", "started_ms", "ended_ms", "created_ms", "updated_ms", "version",
	}}
}

func sessionRow(s app.Session) []any {
	return []any{
		s.ID, s.AccountID, clean(s.Name), s.Source, clipped(s.OutsideID, 400), string(s.Status), string(s.LoginStatus), s.Paused, s.Interrupted, clean(s.LastError),
		s.TotalChecks, s.TotalAccepted, s.TotalRejected, mustMS(s.StartedAt), toMS(s.EndedAt), mustMS(s.CreatedAt), mustMS(s.UpdatedAt), s.Version,
	}
}

func scanSession(scan func(...any) error) (app.Session, error) {
	var s app.Session
	err := scan(
		&s.ID, &s.AccountID, &s.Name, &s.Source, &s.OutsideID, &s.Status, &s.LoginStatus, &s.Paused, &s.Interrupted, &s.LastError,
		&s.TotalChecks, &s.TotalAccepted, &s.TotalRejected, stamp{&s.StartedAt}, stamp{&s.EndedAt}, stamp{&s.CreatedAt}, stamp{&s.UpdatedAt}, &s.Version)
	return s, err
}

func selectSessions(rest string) string {
	return "SELECT " + strings.Join(sessionTable().columns, ", ") + " FROM atozbot_sessions " + rest
}

// saveSession stores a session that is newer than the stored one, and counts the time
// that it has run since.
func saveSession(ctx context.Context, tx *sql.Tx, in app.Session, r *rollup) error {
	if in.Source == "" {
		in.Source = app.SourceBuiltIn
	}
	stored, err := scanSession(tx.QueryRowContext(ctx, selectSessions(`WHERE id = $1`), in.ID).Scan)
	switch {
	case errors.Is(err, sql.ErrNoRows):
	case err != nil:
		return err
	case !newer(in.Version, in.UpdatedAt, stored.Version, stored.UpdatedAt):
		return nil
	default:
		r.addUptime(stored, in)
	}
	return sessionTable().upsert(ctx, tx, [][]any{sessionRow(in)})
}

// Session gives one session; CodeNotFound where there is none.
func (s *Store) Session(ctx context.Context, id string) (app.Session, error) {
	return s.oneSession(ctx, "read a session", `WHERE id = $1`, id)
}

// OutsideSession gives the session of the outside bot that calls it outsideID; nil
// where there is none yet.
func (s *Store) OutsideSession(ctx context.Context, outsideID string) (*app.Session, error) {
	return orNil(s.oneSession(ctx, "read an outside session", `WHERE outside_id = $1 AND outside_id <> ''`, clipped(outsideID, 400)))
}

// Resumable gives the newest built-in session of the account that a crash or the end of
// the process interrupted: one that is not stopped in the records, or the newest of
// all where it is marked as interrupted. It is nil where there is none.
func (s *Store) Resumable(ctx context.Context, accountID string) (*app.Session, error) {
	return orNil(s.oneSession(ctx, "find the interrupted session", `WHERE account_id = $1 AND source = '`+app.SourceBuiltIn+`'
		AND (status NOT IN ('stopped', 'error') OR interrupted AND started_ms =
			(SELECT max(started_ms) FROM atozbot_sessions WHERE account_id = $1 AND source = '`+app.SourceBuiltIn+`'))
		ORDER BY started_ms DESC, id DESC LIMIT 1`, accountID))
}

func (s *Store) oneSession(ctx context.Context, doing, where string, args ...any) (app.Session, error) {
	var found app.Session
	err := s.reading(ctx, doing, func(ctx context.Context, q queryer) (err error) {
		found, err = scanSession(q.QueryRowContext(ctx, selectSessions(where), args...).Scan)
		return err
	})
	return found, err
}

// orNil makes "there is none" no error.
func orNil[T any](found T, err error) (*T, error) {
	switch {
	case app.CodeOf(err) == app.CodeNotFound:
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &found, nil
}

// ListSessions lists the sessions of every account and source, newest first.
func (s *Store) ListSessions(ctx context.Context, w Window) (Page[app.Session], error) {
	var page Page[app.Session]
	where, err := w.where(nil, "started_ms")
	if err != nil {
		return page, err
	}
	err = s.reading(ctx, "list sessions", func(ctx context.Context, q queryer) error {
		page = Page[app.Session]{}
		if err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM atozbot_sessions`).Scan(&page.Total); err != nil {
			return err
		}
		err := each(ctx, q, selectSessions(where.text()+w.order("started_ms")), where.args, func(rows *sql.Rows) error {
			found, err := scanSession(rows.Scan)
			page.Items = append(page.Items, found)
			return err
		})
		page.cut(w, func(x app.Session) (int64, string) { return mustMS(x.StartedAt), x.ID })
		return err
	})
	return page, err
}
