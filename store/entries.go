package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/atozbot/atozbot/app"
)

// The kinds of entries that wait to be carried over.
const (
	entryRecord        = "record"
	entryClaim         = "claim" // A record with one claim that was made here.
	entryConfiguration = "configuration"
	entryAudit         = "audit"
)

// entry is one step that is safe here and has still to be carried over.
type entry struct {
	seq     int64
	id      string
	kind    string
	payload string
	tries   int64
}

// configurationEntry is a version of the configuration as it waits.
type configurationEntry struct {
	AccountID     string
	ID            string
	Author        string
	Configuration app.Configuration
}

// entryID tells the tries of one claim from each other.
func entryID(c app.Claim) string { return c.ID + "/" + strconv.Itoa(c.Attempt) }

// claimRecord is a claim as a step of its own.
func claimRecord(c app.Claim) app.Record {
	return app.Record{ID: entryID(c), AccountID: c.AccountID, At: c.ClaimedAt, Claims: []app.Claim{c}}
}

// keepEntry notes a record, in the transaction that stores it here.
func keepEntry(ctx context.Context, tx *sql.Tx, kind string, r app.Record) error {
	payload, err := toJSON(r)
	if err != nil {
		return err
	}
	return insertEntry(ctx, tx, r.ID, kind, payload, r.At)
}

func keepConfiguration(ctx context.Context, tx *sql.Tx, accountID string, c savedConfiguration) error {
	payload, err := toJSON(configurationEntry{AccountID: accountID, ID: c.id, Author: c.Author, Configuration: c.Configuration})
	if err != nil {
		return err
	}
	return insertEntry(ctx, tx, c.id, entryConfiguration, payload, c.CreatedAt)
}

func keepAudit(ctx context.Context, tx *sql.Tx, e AuditEntry) error {
	payload, err := toJSON(e)
	if err != nil {
		return err
	}
	return insertEntry(ctx, tx, e.ID, entryAudit, payload, e.At)
}

func insertEntry(ctx context.Context, tx *sql.Tx, id, kind, payload string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO atozbot_journal_entries (id, kind, payload, created_ms) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		id, kind, payload, mustMS(at))
	return err
}

// dropEntries does away with what was carried over.
func dropEntries(ctx context.Context, tx *sql.Tx, ids []string) error {
	return inGroups(ids, func(group []any) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM atozbot_journal_entries WHERE id IN `+places(1, len(group)), group...)
		return err
	})
}

// entriesAfter gives the oldest entries that wait, and are not parked, after seq.
func (s *Store) entriesAfter(ctx context.Context, seq int64, limit int) ([]entry, error) {
	var found []entry
	err := s.reading(ctx, "read the journal", func(ctx context.Context, q queryer) error {
		found = nil
		return each(ctx, q, `SELECT seq, id, kind, payload, tries FROM atozbot_journal_entries WHERE parked = '' AND seq > $1 ORDER BY seq LIMIT $2`,
			[]any{seq, limit}, func(rows *sql.Rows) error {
				var e entry
				err := rows.Scan(&e.seq, &e.id, &e.kind, &e.payload, &e.tries)
				found = append(found, e)
				return err
			})
	})
	return found, err
}

// backlog is what waits to be carried over.
type backlog struct {
	waiting, parked int64
	oldest          time.Time
	reason          string // Why the newest parked one is parked.
}

func (s *Store) backlog(ctx context.Context) (backlog, error) {
	var b backlog
	err := s.reading(ctx, "count what waits in the journal", func(ctx context.Context, q queryer) error {
		b = backlog{}
		err := q.QueryRowContext(ctx, `SELECT COUNT(*) FILTER (WHERE parked = ''), COUNT(*) FILTER (WHERE parked <> ''),
			min(created_ms) FILTER (WHERE parked = '') FROM atozbot_journal_entries`).Scan(&b.waiting, &b.parked, stamp{&b.oldest})
		if err != nil || b.parked == 0 {
			return err
		}
		return q.QueryRowContext(ctx, `SELECT parked FROM atozbot_journal_entries WHERE parked <> '' ORDER BY seq DESC LIMIT 1`).Scan(&b.reason)
	})
	return b, err
}

// triesBeforeParking is how often an entry that the database refuses for what it holds
// is tried, before the others go on without it.
const triesBeforeParking = 3

// refusedEntry notes that the database refused an entry for what it holds. It is kept
// for a person to see; the others are not held up by it.
func (s *Store) refusedEntry(ctx context.Context, e entry, why error) (parked bool, err error) {
	parked = e.tries+1 >= triesBeforeParking
	reason := ""
	if parked {
		reason = clean(why.Error())
	}
	err = s.writing(ctx, "note an entry that was refused", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE atozbot_journal_entries SET tries = tries + 1, parked = $2 WHERE id = $1`, e.id, reason)
		return err
	})
	return parked, err
}

// unpark lets every entry that was set aside be tried again, after an update for
// instance, and says how many there are.
func (s *Store) unpark(ctx context.Context) (int64, error) {
	var n int64
	err := s.writing(ctx, "try entries again that were set aside", func(ctx context.Context, tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `UPDATE atozbot_journal_entries SET parked = '', tries = 0 WHERE parked <> ''`)
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	return n, err
}

// carry stores an entry in the database that it was kept for. Carrying it over again
// changes nothing.
func (s *Store) carry(ctx context.Context, e entry) error {
	switch e.kind {
	case entryRecord, entryClaim:
		var r app.Record
		if err := json.Unmarshal([]byte(e.payload), &r); err != nil {
			return fmt.Errorf("entry %s: %w", e.id, err)
		}
		_, err := s.apply(ctx, r, true)
		return err
	case entryConfiguration:
		var c configurationEntry
		if err := json.Unmarshal([]byte(e.payload), &c); err != nil {
			return fmt.Errorf("entry %s: %w", e.id, err)
		}
		return s.carryConfiguration(ctx, c)
	case entryAudit:
		var a AuditEntry
		if err := json.Unmarshal([]byte(e.payload), &a); err != nil {
			return fmt.Errorf("entry %s: %w", e.id, err)
		}
		return s.AddAudit(ctx, a)
	}
	return fmt.Errorf("entry %s is of an unknown kind, %q", e.id, e.kind)
}

// carryConfiguration stores a version that was saved elsewhere as the newest here.
func (s *Store) carryConfiguration(ctx context.Context, in configurationEntry) error {
	at := in.Configuration.CreatedAt
	return s.writing(ctx, "carry a configuration over", func(ctx context.Context, tx *sql.Tx) error {
		if err := s.lockAccount(ctx, tx, in.AccountID, at); err != nil {
			return err
		}
		var there int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM atozbot_configurations WHERE id = $1`, in.ID).Scan(&there); err != nil || there > 0 {
			return err
		}
		var newest int64
		if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM atozbot_configurations WHERE account_id = $1`, in.AccountID).Scan(&newest); err != nil {
			return err
		}
		c := savedConfiguration{Configuration: in.Configuration, id: in.ID}
		return s.addConfiguration(ctx, tx, in.AccountID, &c, newest+1, in.Author, at)
	})
}

// claimOfEntry is the claim that an entry holds.
func claimOfEntry(e entry) (app.Claim, error) {
	var r app.Record
	if err := json.Unmarshal([]byte(e.payload), &r); err != nil {
		return app.Claim{}, fmt.Errorf("entry %s: %w", e.id, err)
	}
	if len(r.Claims) != 1 {
		return app.Claim{}, fmt.Errorf("entry %s holds %d claims", e.id, len(r.Claims))
	}
	return r.Claims[0], nil
}
