package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/atozbot/atozbot/app"
)

func eventTable() table {
	return table{name: "atozbot_events", key: []string{"id"}, columns: []string{"id", "key", "type", "account_id", "session_id", "at_ms", "data"}}
}

// saveEvents stores the events that are not stored yet, and gives them with their ids.
// The counter's row stays locked until the commit, so ids grow in the order of commits,
// and whoever has read id n will never find a smaller one that is new. An event that was
// stored already leaves a gap in the ids.
func (s *Store) saveEvents(ctx context.Context, tx *sql.Tx, events []app.Event) ([]app.Event, error) {
	events = eachKeyOnce(events)
	if len(events) == 0 {
		return nil, nil
	}
	var last int64
	if err := tx.QueryRowContext(ctx, `UPDATE atozbot_event_counter SET last_id = last_id + $1 WHERE id = 1 RETURNING last_id`, len(events)).Scan(&last); err != nil {
		return nil, err
	}
	rows := make([][]any, len(events))
	for i := range events {
		e := &events[i]
		e.ID = last - int64(len(events)-1-i)
		rows[i] = []any{e.ID, e.Key, clean(e.Type), e.AccountID, e.SessionID, mustMS(e.At), clean(string(validJSON(e.Data)))}
	}
	fresh, err := eventTable().addFresh(ctx, tx, rows)
	if err != nil {
		return nil, err
	}
	var stored []app.Event
	for _, e := range events {
		if fresh[e.ID] {
			stored = append(stored, e)
		}
	}
	return stored, nil
}

// eachKeyOnce gives copies of the events, without those whose key came before.
func eachKeyOnce(events []app.Event) []app.Event {
	var once []app.Event
	seen := make(map[string]bool, len(events))
	for _, e := range events {
		e.Key = clean(e.Key)
		if !seen[e.Key] {
			seen[e.Key] = true
			once = append(once, e)
		}
	}
	return once
}

// validJSON keeps what is no JSON from breaking what it is put into.
func validJSON(data json.RawMessage) json.RawMessage {
	if len(data) == 0 || !json.Valid(data) {
		return json.RawMessage("{}")
	}
	return data
}

// EventsAfter gives at most limit events with an id greater than id, the least first.
func (s *Store) EventsAfter(ctx context.Context, id int64, limit int) ([]app.Event, error) {
	var found []app.Event
	err := s.reading(ctx, "read events", func(ctx context.Context, q queryer) error {
		found = nil
		return each(ctx, q, `SELECT id, key, type, account_id, session_id, at_ms, data FROM atozbot_events WHERE id > $1 ORDER BY id LIMIT $2`,
			[]any{id, limit}, func(rows *sql.Rows) error {
				var e app.Event
				var data string
				err := rows.Scan(&e.ID, &e.Key, &e.Type, &e.AccountID, &e.SessionID, stamp{&e.At}, &data)
				e.Data = json.RawMessage(data)
				found = append(found, e)
				return err
			})
	})
	return found, err
}

// LatestEventID gives the greatest id that was given; 0 where none was yet. It stays when
// events are done away with for their age.
func (s *Store) LatestEventID(ctx context.Context) (int64, error) {
	var last int64
	err := s.reading(ctx, "read the newest event's id", func(ctx context.Context, q queryer) error {
		return q.QueryRowContext(ctx, `SELECT last_id FROM atozbot_event_counter WHERE id = 1`).Scan(&last)
	})
	return last, err
}

// prunedAtOnce bounds what one transaction of Prune does away with, so that nobody waits
// for it for long.
const prunedAtOnce = 5000

// Prune does away with events, log lines and sign-in attempts from before a time, and
// says how many rows went. What the user earned (jobs, decisions, claims, sessions,
// roll-ups, the audit log) is kept for good.
func (s *Store) Prune(ctx context.Context, before time.Time) (int64, error) {
	var gone int64
	for _, statement := range []string{
		`DELETE FROM atozbot_events WHERE id IN (SELECT id FROM atozbot_events WHERE at_ms < $1 ORDER BY at_ms LIMIT $2)`,
		`DELETE FROM atozbot_log_entries WHERE id IN (SELECT id FROM atozbot_log_entries WHERE at_ms < $1 ORDER BY at_ms LIMIT $2)`,
		`DELETE FROM atozbot_sign_in_attempts WHERE id IN (SELECT id FROM atozbot_sign_in_attempts WHERE at_ms < $1 ORDER BY at_ms LIMIT $2)`,
	} {
		for {
			var n int64
			err := s.writing(ctx, "do away with old rows", func(ctx context.Context, tx *sql.Tx) error {
				result, err := tx.ExecContext(ctx, statement, before.UnixMilli(), prunedAtOnce)
				if err != nil {
					return err
				}
				n, err = result.RowsAffected()
				return err
			})
			gone += n
			if err != nil {
				return gone, err
			}
			if n < prunedAtOnce {
				break
			}
		}
	}
	return gone, nil
}
