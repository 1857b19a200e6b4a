package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/atozbot/atozbot/app"
)

// Apply stores one step whole or not at all: rows, roll-ups and events in one
// transaction. Applying it twice, or after a later one, changes nothing: every row is
// merged by its key and its version. It gives the events that are new, with their ids,
// which the Tell of [Options] has been told as well.
func (s *Store) Apply(ctx context.Context, r app.Record) ([]app.Event, error) {
	return s.apply(ctx, r, false)
}

// Save is [Store.Apply] for those who need no ids.
func (s *Store) Save(ctx context.Context, r app.Record) error {
	_, err := s.Apply(ctx, r)
	return err
}

// apply stores a record; late says that it comes out of a journal.
func (s *Store) apply(ctx context.Context, r app.Record, late bool) ([]app.Event, error) {
	r = completed(r)
	var stored []app.Event
	err := s.writing(ctx, "store a step", func(ctx context.Context, tx *sql.Tx) (err error) {
		if s.base().keepEntries {
			if err := keepEntry(ctx, tx, entryRecord, r); err != nil {
				return err
			}
		}
		stored, err = s.applyIn(ctx, tx, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.tell(stored, late)
	return stored, nil
}

// completed fills in what rows may leave to the record. It is done before the record is
// kept, so that carrying it over twice means the same keys.
func completed(r app.Record) app.Record {
	if r.AccountID == "" {
		r.AccountID = app.DefaultAccountID
	}
	if r.ID == "" {
		r.ID = app.NewID(r.At)
	}
	r.Events = append([]app.Event(nil), r.Events...)
	for i := range r.Events {
		e := &r.Events[i]
		if e.At.IsZero() {
			e.At = r.At
		}
		if e.Key == "" {
			e.Key = app.NewID(e.At)
		}
		if e.AccountID == "" {
			e.AccountID = r.AccountID
		}
		e.Data = validJSON(e.Data)
	}
	r.Logs = append([]app.LogEntry(nil), r.Logs...)
	for i := range r.Logs {
		if r.Logs[i].ID == "" {
			r.Logs[i].ID = app.NewID(r.Logs[i].At)
		}
	}
	return r
}

func (s *Store) applyIn(ctx context.Context, tx *sql.Tx, r app.Record) ([]app.Event, error) {
	at := r.At
	if at.IsZero() {
		at = time.Now()
	}
	counted := newRollup(r.AccountID)
	if r.Session != nil || len(r.Jobs) > 0 || len(r.Claims) > 0 {
		if err := s.lockAccount(ctx, tx, r.AccountID, at); err != nil {
			return nil, err
		}
	}
	if r.Session != nil {
		session := *r.Session
		session.AccountID = r.AccountID
		if err := saveSession(ctx, tx, session, counted); err != nil {
			return nil, err
		}
	}
	if err := saveJobs(ctx, tx, r.AccountID, r.Jobs, counted); err != nil {
		return nil, err
	}
	if err := saveClaims(ctx, tx, r.AccountID, r.Claims); err != nil {
		return nil, err
	}
	if s.base().mirrorOnly {
		return nil, nil
	}
	if err := counted.store(ctx, tx); err != nil {
		return nil, err
	}
	if err := saveDecisions(ctx, tx, r.AccountID, r.Decisions); err != nil {
		return nil, err
	}
	if err := saveLogs(ctx, tx, r.AccountID, r.Logs); err != nil {
		return nil, err
	}
	// Last of all, since its lock is shared by every account.
	return s.saveEvents(ctx, tx, r.Events)
}

// saveJobs merges jobs with what is stored, and counts the differences.
func saveJobs(ctx context.Context, tx *sql.Tx, accountID string, jobs []app.JobRecord, counted *rollup) error {
	if len(jobs) == 0 {
		return nil
	}
	numbers := make([]string, len(jobs))
	for i, j := range jobs {
		numbers[i] = j.Number
	}
	stored, err := jobsOf(ctx, tx, accountID, numbers)
	if err != nil {
		return err
	}
	merged := make(map[string]app.JobRecord)
	var order []string
	for _, in := range jobs {
		in.AccountID, in.Number = accountID, clean(in.Number)
		if in.Source == "" {
			in.Source = app.SourceBuiltIn
		}
		before, known := merged[in.Number]
		if !known {
			before, known = stored[in.Number]
		}
		after, differs := in, true
		if known {
			after, differs = mergeJob(before, in)
		}
		if !differs {
			continue
		}
		if _, again := merged[in.Number]; !again {
			order = append(order, in.Number)
		}
		merged[in.Number] = after
	}
	rows := make([][]any, len(order))
	for i, number := range order {
		if before, known := stored[number]; known {
			counted.addJob(before, -1)
		}
		counted.addJob(merged[number], 1)
		if rows[i], err = jobRow(merged[number]); err != nil {
			return err
		}
	}
	return jobTable().upsert(ctx, tx, rows)
}

// saveClaims merges claims with what is stored.
func saveClaims(ctx context.Context, tx *sql.Tx, accountID string, claims []app.Claim) error {
	if len(claims) == 0 {
		return nil
	}
	type key struct {
		number string
		act    app.Act
	}
	numbers := make([]string, len(claims))
	for i, c := range claims {
		numbers[i] = c.Number
	}
	stored, err := claimsOf(ctx, tx, accountID, numbers)
	if err != nil {
		return err
	}
	current := make(map[key]app.Claim)
	for _, c := range stored {
		current[key{c.Number, c.Act}] = c
	}
	dirty := make(map[key]bool)
	var order []key
	for _, in := range claims {
		in.AccountID, in.Number = accountID, clean(in.Number)
		k := key{in.Number, in.Act}
		after, differs := in, true
		if before, known := current[k]; known {
			after, differs = mergeClaim(before, in)
		}
		if !differs {
			continue
		}
		current[k] = after
		if !dirty[k] {
			dirty[k] = true
			order = append(order, k)
		}
	}
	rows := make([][]any, len(order))
	for i, k := range order {
		rows[i] = claimRow(current[k])
	}
	return claimTable().upsert(ctx, tx, rows)
}
