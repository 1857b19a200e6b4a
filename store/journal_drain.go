package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/atozbot/atozbot/app"
)

// The pace of carrying over.
const (
	drainedAtOnce = 50
	// firstDrainPause is waited after the first entry that PostgreSQL did not take, and
	// doubled up to longestDrainPause.
	firstDrainPause   = 100 * time.Millisecond
	longestDrainPause = 2 * time.Second
	// carryPatience is how long PostgreSQL may take for one entry: it may be slow, and
	// nobody waits.
	carryPatience = 5 * time.Second
	idlePause     = time.Second
)

// Run carries over what waits whenever PostgreSQL is there, keeps the mirror fresh, and
// looks after the journal's file, until ctx ends.
func (j *Journaled) Run(ctx context.Context) error {
	backOff := firstDrainPause
	var mirrorDue time.Time
	for ctx.Err() == nil {
		if err := j.step(ctx, &mirrorDue); err != nil {
			j.log.Debug("the journal goes on later", "error", err)
			pause(ctx, backOff)
			backOff = min(2*backOff, longestDrainPause)
			continue
		}
		backOff = firstDrainPause
		j.idle(ctx)
	}
	return nil
}

// idle waits for something to do.
func (j *Journaled) idle(ctx context.Context) {
	timer := time.NewTimer(idlePause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-j.wake:
	case <-timer.C:
	}
}

// step does what is to be done now.
func (j *Journaled) step(ctx context.Context, mirrorDue *time.Time) error {
	j.mu.Lock()
	healthy, fallback, changed := j.healthy, j.mode == modeFallback, j.changed
	j.mu.Unlock()
	if err := j.ready(ctx); err != nil {
		return errors.Join(err, j.recordWithout(ctx, healthy))
	}
	broken := j.mend(ctx)
	if !healthy || fallback {
		return broken
	}
	if err := j.Drain(ctx); err != nil || broken != nil {
		return errors.Join(err, broken)
	}
	if now := time.Now(); changed || now.After(*mirrorDue) {
		j.mu.Lock()
		j.changed = false
		j.mu.Unlock()
		if err := j.refreshMirror(ctx); err != nil {
			return err
		}
		*mirrorDue = now.Add(mirrorEvery)
		return j.journal.Tend(ctx)
	}
	return nil
}

// recordWithout lets records go to PostgreSQL although there is no journal: nothing is
// acted on then, but nothing is left unrecorded either.
func (j *Journaled) recordWithout(ctx context.Context, healthy bool) error {
	if !healthy || j.current() != modeDraining {
		return nil
	}
	if err := j.quickAgain(ctx); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.mode == modeDraining {
		j.mode = modeDirect
	}
	return nil
}

// mend tries a journal again that could not be written to.
func (j *Journaled) mend(ctx context.Context) error {
	j.mu.Lock()
	broken, acked := j.broken, len(j.acked)
	j.mu.Unlock()
	if broken == nil && acked == 0 {
		return nil
	}
	return j.writeJournal(ctx, "try the journal again", func(ctx context.Context, tx *sql.Tx) error {
		return putMeta(ctx, tx, "tried_ms", j.o.Now().UnixMilli())
	})
}

// Drain carries over what waits, oldest first, and returns when nothing does, or at the
// first failure. Whatever was carried over and not yet dropped is carried over again by
// the next call, which changes nothing. Where nothing waits any more, everything goes to
// PostgreSQL at once again.
func (j *Journaled) Drain(ctx context.Context) error {
	if err := j.ready(ctx); err != nil {
		return err
	}
	j.draining.Lock()
	defer j.draining.Unlock()
	switch j.current() {
	case modeFallback:
		return nil
	case modeDirect: // A save whose caller has left may have left something behind.
		_, err := j.carryAll(ctx)
		return err
	case modeAway, modeDraining:
	}
	for {
		carried, err := j.carryAll(ctx)
		if err != nil {
			return err
		}
		if carried == 0 {
			break
		}
	}
	if err := j.quickAgain(ctx); err != nil {
		return err
	}
	j.mu.Lock()
	back := j.mode != modeDirect && j.mode != modeFallback && j.healthy
	if back {
		j.mode = modeDirect
	}
	j.mu.Unlock()
	if back {
		j.log.Info("PostgreSQL takes records at once")
		// What was kept between the last look and now.
		_, err := j.carryAll(ctx)
		return err
	}
	return nil
}

// quickAgain asks whether PostgreSQL answers within the patience: one that is too slow
// for a claim is not waited for by every claim.
func (j *Journaled) quickAgain(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, j.o.Patience)
	defer cancel()
	return j.there.Ping(bounded)
}

// carryAll goes through what waits, once, and says how many entries it carried over.
func (j *Journaled) carryAll(ctx context.Context) (int, error) {
	var carried int
	var after int64
	for {
		entries, err := j.journal.entriesAfter(ctx, after, drainedAtOnce)
		if err != nil {
			return carried, err
		}
		done, err := j.carryEntries(ctx, entries)
		carried += done
		if err != nil || len(entries) < drainedAtOnce {
			return carried, err
		}
		after = entries[len(entries)-1].seq
	}
}

func (j *Journaled) carryEntries(ctx context.Context, entries []entry) (int, error) {
	var carried int
	var failed error
	for _, e := range entries {
		if j.leftAlone(e.id) {
			continue
		}
		if failed = j.carryOver(ctx, e); failed != nil {
			break
		}
		carried++
	}
	// What cannot be dropped, since the disk is full for instance, is left alone from now
	// on and dropped later.
	if err := j.dropAcked(ctx); err != nil {
		j.log.Debug("what was carried over cannot be dropped yet", "error", err)
	}
	return carried, failed
}

// leftAlone tells whether an entry is being carried over by its own save, or was.
func (j *Journaled) leftAlone(id string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, ok := j.inHand[id]; ok {
		return true
	}
	for _, acked := range j.acked {
		if acked == id {
			return true
		}
	}
	return false
}

// carryOver carries one entry over. One that PostgreSQL refuses for what it holds is set
// aside after some tries, told, and does not hold up the others.
func (j *Journaled) carryOver(ctx context.Context, e entry) error {
	bounded, cancel := context.WithTimeout(ctx, carryPatience)
	defer cancel()
	err := j.there.carry(bounded, e)
	switch {
	case err == nil:
		if e.kind == entryClaim {
			j.adoptClaims(ctx, e)
		}
		j.ack(e.id)
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case app.CodeOf(err) == app.CodeUnavailable:
		j.ill(err)
		return err
	}
	parked, noteErr := j.journal.refusedEntry(ctx, e, err)
	if parked {
		j.log.Error("a record was refused by PostgreSQL; it is kept in the journal and set aside", "entry", e.id, "kind", e.kind, "error", err)
	}
	return errors.Join(noteErr, j.recount(ctx))
}

// adoptClaims takes claims that others made of the same jobs into the mirror: of two that
// were made apart, the one that PostgreSQL had first keeps the right to act.
func (j *Journaled) adoptClaims(ctx context.Context, e entry) {
	c, err := claimOfEntry(e)
	if err != nil {
		return
	}
	there, err := j.there.Claims(ctx, c.AccountID, []string{c.Number})
	if err != nil {
		return // The next refresh of the mirror finds it.
	}
	for _, t := range there {
		if t.Act != c.Act || t.ID == c.ID {
			continue
		}
		j.log.Warn("a claim that was made here while PostgreSQL was away had been made elsewhere too", "job", c.Number, "act", c.Act)
		err := j.writeJournal(ctx, "take over a claim", func(ctx context.Context, tx *sql.Tx) error { return replaceClaim(ctx, tx, c, &t) })
		if err != nil {
			j.log.Warn("a claim could not be taken over into the mirror", "job", c.Number, "error", err)
		}
	}
}
