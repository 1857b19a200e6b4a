package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/atozbot/atozbot/app"
)

// Save stores a step, and the same once or twice. It is safe when Save returns: in
// PostgreSQL, or in the journal until PostgreSQL has it. Events that only reached the
// journal are told at once, without an id.
//
// CodeUnavailable: neither took it. CodeInternal: PostgreSQL refuses it for what it holds.
func (j *Journaled) Save(ctx context.Context, r app.Record) error {
	r = completed(r)
	if j.current() == modeFallback {
		return j.there.Save(ctx, r)
	}
	release := j.takeInHand(r.ID)
	defer release()
	kept := j.keep(ctx, entryRecord, r)
	if kept != nil && ctx.Err() != nil {
		return kept
	}
	if j.current() == modeDirect {
		err := j.within(ctx, func(ctx context.Context) error {
			_, err := j.there.Apply(ctx, r)
			return err
		})
		switch {
		case err == nil:
			j.ack(r.ID)
			return nil
		case ctx.Err() != nil:
			// The caller has left. What is in the journal is carried over without it.
		case app.CodeOf(err) == app.CodeUnavailable:
			j.ill(err)
		default:
			// Nobody would take it later either; the caller decides.
			return errors.Join(err, j.forget(ctx, r.ID))
		}
	}
	if kept != nil {
		return kept
	}
	j.tellUnnumbered(r.Events)
	j.poke()
	return nil
}

// tellUnnumbered tells events that have no id yet.
func (j *Journaled) tellUnnumbered(events []app.Event) {
	j.there.tell(append([]app.Event(nil), events...), false)
}

// within runs fn against PostgreSQL, no longer than the patience.
func (j *Journaled) within(ctx context.Context, fn func(ctx context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, j.o.Patience)
	defer cancel()
	err := fn(bounded)
	if err != nil && ctx.Err() == nil && bounded.Err() != nil && app.CodeOf(err) == app.CodeInternal {
		// However the driver put it, it was the time that was over.
		return &app.Error{Code: app.CodeUnavailable, Message: "the database cannot be used now: no answer in time", Err: err}
	}
	return err
}

// takeInHand keeps the drainer from carrying an entry over while its own save does.
func (j *Journaled) takeInHand(id string) (release func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.inHand[id] = struct{}{}
	return func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		delete(j.inHand, id)
	}
}

// ack notes that PostgreSQL has an entry. It is dropped with the next write to the
// journal: until then it is carried over once more at worst, which changes nothing.
func (j *Journaled) ack(id string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.acked = append(j.acked, id)
}

// keep stores a step in the journal, synced.
func (j *Journaled) keep(ctx context.Context, kind string, r app.Record) error {
	return j.writeJournal(ctx, "keep a step in the journal", func(ctx context.Context, tx *sql.Tx) error {
		if err := keepEntry(ctx, tx, kind, r); err != nil {
			return err
		}
		_, err := j.journal.applyIn(ctx, tx, r)
		return err
	})
}

// writeJournal writes to the journal, and drops what PostgreSQL has along with it. It is
// done within the journal's own bound, whether the caller still waits or not: then it is
// certain what is in the file.
func (j *Journaled) writeJournal(ctx context.Context, doing string, fn func(ctx context.Context, tx *sql.Tx) error) error {
	ctx = context.WithoutCancel(ctx)
	if err := j.ready(ctx); err != nil {
		return err
	}
	j.mu.Lock()
	acked := j.acked
	j.acked = nil
	j.mu.Unlock()
	var count backlog
	err := j.journal.writing(ctx, doing, func(ctx context.Context, tx *sql.Tx) error {
		if err := dropEntries(ctx, tx, acked); err != nil {
			return err
		}
		if err := fn(ctx, tx); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT COUNT(*), min(created_ms) FROM atozbot_journal_entries WHERE parked = ''`).Scan(&count.waiting, stamp{&count.oldest})
	})
	j.mu.Lock()
	if err != nil {
		j.acked = append(j.acked, acked...)
	} else {
		j.backlog.waiting, j.backlog.oldest = count.waiting, count.oldest
	}
	j.mu.Unlock()
	if err == nil || app.CodeOf(err) == app.CodeUnavailable { // Else the rules said no, not the disk.
		j.noteJournal(err)
	}
	return err
}

// dropAcked drops what PostgreSQL has.
func (j *Journaled) dropAcked(ctx context.Context) error {
	j.mu.Lock()
	none := len(j.acked) == 0
	j.mu.Unlock()
	if none {
		return nil
	}
	return j.writeJournal(ctx, "drop what was carried over", func(context.Context, *sql.Tx) error { return nil })
}

// forget takes an entry back that nobody wants.
func (j *Journaled) forget(ctx context.Context, id string) error {
	j.ack(id)
	return j.dropAcked(context.WithoutCancel(ctx))
}

// Claim stores c safely, as [Store.Claim] says: in the journal, synced, under the lease
// and the tally as the mirror knows them; then in PostgreSQL, where it is healthy, under
// those that are true for every replica. A claim that somebody else has there wins. Where
// PostgreSQL does not answer within the patience the journal's claim counts, if
// [Journaled.MayAct] allows that.
func (j *Journaled) Claim(ctx context.Context, c app.Claim, check func(app.Tally) error) (app.Claim, error) {
	if j.current() == modeFallback {
		if err := j.MayAct(ctx, c.AccountID); err != nil {
			return app.Claim{}, err
		}
		return j.there.Claim(ctx, c, check)
	}
	if err := j.MayAct(ctx, c.AccountID); err != nil {
		return app.Claim{}, err
	}
	entry := entryID(c)
	release := j.takeInHand(entry)
	defer release()
	before, err := j.journalClaimOn(ctx, c)
	if err != nil {
		return app.Claim{}, err
	}
	stored, err := j.claimInJournal(ctx, c, check)
	if err != nil || j.current() == modeAway {
		return stored, err
	}
	var there app.Claim
	err = j.within(ctx, func(ctx context.Context) (err error) {
		there, err = j.there.Claim(ctx, c, check)
		return err
	})
	switch {
	case err == nil:
		j.ack(entry)
		return there, nil
	case app.CodeOf(err) != app.CodeUnavailable:
		// Canceled by the caller, refused by the rules, or somebody else's: not ours.
		keep := before
		if there.ID != "" {
			keep = &there
		}
		j.unclaim(ctx, c, keep)
		return there, err
	}
	j.ill(err)
	if mayNot := j.MayAct(ctx, c.AccountID); mayNot != nil {
		j.unclaim(ctx, c, before)
		return app.Claim{}, mayNot
	}
	return stored, nil
}

// journalClaimOn gives the journal's claim on the same job and act; nil where there is none.
func (j *Journaled) journalClaimOn(ctx context.Context, c app.Claim) (*app.Claim, error) {
	if err := j.ready(ctx); err != nil {
		return nil, err
	}
	known, err := j.journal.Claims(ctx, c.AccountID, []string{c.Number})
	if err != nil {
		return nil, err
	}
	for _, k := range known {
		if k.Act == c.Act {
			return &k, nil
		}
	}
	return nil, nil
}

// claimInJournal stores a claim in the journal under the mirror's lease and tally.
func (j *Journaled) claimInJournal(ctx context.Context, c app.Claim, check func(app.Tally) error) (app.Claim, error) {
	var stored app.Claim
	err := j.writeJournal(ctx, "keep a claim in the journal", func(ctx context.Context, tx *sql.Tx) (err error) {
		if stored, err = j.journal.claim(ctx, tx, c, check); err != nil {
			return err
		}
		return keepEntry(ctx, tx, entryClaim, claimRecord(stored))
	})
	return stored, err
}

// unclaim takes a claim back out of the journal, and puts what is true in its place.
func (j *Journaled) unclaim(ctx context.Context, c app.Claim, keep *app.Claim) {
	err := j.writeJournal(context.WithoutCancel(ctx), "take a claim back", func(ctx context.Context, tx *sql.Tx) error {
		if err := dropEntries(ctx, tx, []string{entryID(c)}); err != nil {
			return err
		}
		return replaceClaim(ctx, tx, c, keep)
	})
	if err != nil {
		j.log.Error("a claim that does not count could not be taken back; it is looked up on the portal", "job", c.Number, "error", err)
	}
}

// replaceClaim puts a claim in the place of the one on the same job and act.
func replaceClaim(ctx context.Context, tx *sql.Tx, c app.Claim, by *app.Claim) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM atozbot_claims WHERE account_id = $1 AND number = $2 AND act = $3`,
		c.AccountID, clean(c.Number), string(c.Act)); err != nil {
		return err
	}
	if by == nil {
		return nil
	}
	return claimTable().upsert(ctx, tx, [][]any{claimRow(*by)})
}

// MayAct says why nothing may be posted now; nil where it may. It never waits.
//
// It may while the journal can be written to and PostgreSQL is there. While that is away
// it may where the mirror knows what is booked and this replica is alone; and where
// others are about, until shortly before one of them can take the lease, since two
// journals cannot exclude each other.
func (j *Journaled) MayAct(ctx context.Context, accountID string) error {
	if err := j.readyNow(ctx); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken != nil {
		return &app.Error{
			Code: app.CodeUnavailable, Message: "Nothing is accepted or rejected, since the journal cannot be written to: " + Classify(j.broken).Reason + ".",
			RetryAfter: mendEvery, Err: j.broken,
		}
	}
	switch {
	case j.mode == modeDirect, j.mode == modeDraining:
		return nil
	case j.mode == modeAway && j.mirrored.IsZero():
		return app.Errorf(app.CodeUnavailable, "Nothing is accepted or rejected, since PostgreSQL is away and what is booked is not known here yet.")
	case !j.others:
		return nil
	case j.mode == modeFallback:
		return app.Errorf(app.CodeUnavailable, "Nothing is accepted or rejected, since PostgreSQL is away and other replicas have been about.")
	}
	lease := j.leases[accountID]
	if lease.Holder == j.o.Replica && j.o.Now().Before(lease.ExpiresAt.Add(-leaseMargin)) {
		return nil
	}
	return app.Errorf(app.CodeUnavailable, "Nothing is accepted or rejected, since PostgreSQL is away and another replica may have taken over.")
}

// AddAudit appends an entry to the audit log: to PostgreSQL's where that is there, and
// else to the journal, from which it is carried over.
func (j *Journaled) AddAudit(ctx context.Context, e AuditEntry) error {
	if e.ID == "" {
		e.ID = app.NewID(e.At)
	}
	switch j.current() {
	case modeFallback:
		return j.there.AddAudit(ctx, e)
	case modeDirect:
		err := j.within(ctx, func(ctx context.Context) error { return j.there.AddAudit(ctx, e) })
		switch {
		case err == nil || app.CodeOf(err) != app.CodeUnavailable:
			return err
		case ctx.Err() == nil:
			j.ill(err)
		default:
			// The caller's time was over, not PostgreSQL's: the journal takes it.
		}
	case modeAway, modeDraining:
	}
	err := j.writeJournal(ctx, "keep an entry of the audit log", func(ctx context.Context, tx *sql.Tx) error { return keepAudit(ctx, tx, e) })
	j.poke()
	return err
}

// pause waits, and tells false where ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
