package store

import (
	"context"
	"database/sql"
	"strconv"
	"time"

	"github.com/atozbot/atozbot/app"
)

// The kinds of entries that wait to be carried over.
const (
	entryRecord        = "record"
	entryClaim         = "claim" // A record with one claim that was made here.
	entryConfiguration = "configuration"
)

// entry is one step that is safe here and has still to be carried over.
type entry struct {
	seq       int64
	id        string
	kind      string
	payload   string
	createdAt time.Time
	tries     int64
}

// entryID tells the tries of one claim from each other.
func entryID(c app.Claim) string { return c.ID + "/" + strconv.Itoa(c.Attempt) }

// keepEntry notes a record, in the transaction that stores it here.
func (s *Store) keepEntry(ctx context.Context, tx *sql.Tx, kind string, r app.Record) error {
	id := r.ID
	if id == "" {
		id = app.NewID(r.At)
	}
	payload, err := toJSON(r)
	if err != nil {
		return err
	}
	return insertEntry(ctx, tx, id, kind, payload, r.At)
}

// configurationEntry is a version of the configuration as it waits.
type configurationEntry struct {
	AccountID     string
	ID            string
	Author        string
	Configuration app.Configuration
}

func (s *Store) keepConfiguration(ctx context.Context, tx *sql.Tx, accountID string, c savedConfiguration) error {
	payload, err := toJSON(configurationEntry{AccountID: accountID, ID: c.id, Author: c.Author, Configuration: c.Configuration})
	if err != nil {
		return err
	}
	return insertEntry(ctx, tx, c.id, entryConfiguration, payload, c.CreatedAt)
}

func insertEntry(ctx context.Context, tx *sql.Tx, id, kind, payload string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO atozbot_journal_entries (id, kind, payload, created_ms) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		id, kind, payload, mustMS(at))
	return err
}
