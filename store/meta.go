package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/atozbot/atozbot/app"
)

const (
	// metaMirrored is when the mirror was last refreshed, in UTC milliseconds.
	metaMirrored = "mirrored_ms"
	// metaConnected is the mark of what is connected as the mirror has it; "" where it has
	// never been told.
	metaConnected = "connected"
)

// putMeta stores a single value under a name.
func putMeta(ctx context.Context, q queryer, name string, value any) error {
	t := table{name: "atozbot_meta", key: []string{"name"}, columns: []string{"name", "value"}}
	return t.upsert(ctx, q, [][]any{{name, fmt.Sprint(value)}})
}

// metaOf gives a single value; "" where there is none.
func metaOf(ctx context.Context, q queryer, name string) (string, error) {
	var value string
	err := q.QueryRowContext(ctx, `SELECT value FROM atozbot_meta WHERE name = $1`, name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return value, err
}

// Recount counts every job anew into the roll-ups, which makes good whatever is wrong
// with them. The time that sessions ran is not counted from rows, and stays.
func (s *Store) Recount(ctx context.Context) error {
	return s.writingLong(ctx, "count the jobs anew", func(ctx context.Context, tx *sql.Tx) error {
		zero := ""
		for _, column := range countColumns() {
			zero += ", " + column + " = 0"
		}
		if _, err := tx.ExecContext(ctx, `UPDATE atozbot_rollups SET `+zero[2:]); err != nil {
			return err
		}
		counted := make(map[string]*rollup)
		err := each(ctx, tx, `SELECT account_id, source, session_id, language, appointment_time, job_type, rule, status, verdict, seen_ms, posted_ms FROM atozbot_jobs`, nil,
			func(rows *sql.Rows) error {
				var j app.JobRecord
				err := rows.Scan(&j.AccountID, &j.Source, &j.SessionID, &j.Language, &j.Time, &j.JobType, &j.Rule, &j.Status, &j.Verdict, stamp{&j.SeenAt}, stamp{&j.PostedAt})
				if counted[j.AccountID] == nil {
					counted[j.AccountID] = newRollup(j.AccountID)
				}
				counted[j.AccountID].addJob(j, 1)
				return err
			})
		if err != nil {
			return err
		}
		for _, r := range counted {
			if err := r.store(ctx, tx); err != nil {
				return err
			}
		}
		return putMeta(ctx, tx, "recounted_ms", time.Now().UnixMilli())
	})
}
