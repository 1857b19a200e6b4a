package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"github.com/atozbot/atozbot/app"
)

// How far the mirror goes back. Bookings are needed for caps by the week, claims for as
// long as their job can come back.
const (
	mirrorBookings = 9 * 24 * time.Hour
	mirrorClaims   = 30 * 24 * time.Hour
	mirrorBoard    = 2 * 24 * time.Hour
	mirrorSessions = 5 // The newest of each account, beside those that run.
	mirrorJobs     = 5000
)

// mirror is what deciding needs, as PostgreSQL has it.
type mirror struct {
	accounts       []string
	configurations map[string]savedConfiguration
	sessions       []app.Session
	jobs           []app.JobRecord
	claims         []app.Claim
	leases         []app.Lease
	replicas       []Replica
	lastEvent      int64
}

// readMirror reads what deciding needs.
func (s *Store) readMirror(ctx context.Context, now time.Time) (mirror, error) {
	var m mirror
	err := s.reading(ctx, "read what deciding needs", func(ctx context.Context, q queryer) error {
		m = mirror{configurations: make(map[string]savedConfiguration)}
		err := each(ctx, q, `SELECT id FROM atozbot_accounts WHERE id <> $1 ORDER BY id`, []any{app.OutsideAccountID}, func(rows *sql.Rows) error {
			var id string
			err := rows.Scan(&id)
			m.accounts = append(m.accounts, id)
			return err
		})
		if err != nil {
			return err
		}
		for _, account := range m.accounts {
			if err := m.readAccount(ctx, q, account, now); err != nil {
				return err
			}
		}
		if m.leases, err = allLeases(ctx, q); err != nil {
			return err
		}
		if m.replicas, err = replicasSince(ctx, q, now.Add(-seenWithin)); err != nil {
			return err
		}
		return q.QueryRowContext(ctx, `SELECT last_id FROM atozbot_event_counter WHERE id = 1`).Scan(&m.lastEvent)
	})
	return m, err
}

func (m *mirror) readAccount(ctx context.Context, q queryer, account string, now time.Time) error {
	c, err := activeConfiguration(ctx, q, account)
	switch {
	case err == nil:
		m.configurations[account] = c
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	err = each(ctx, q, selectSessions(`WHERE account_id = $1 AND source = '`+app.SourceBuiltIn+`' ORDER BY started_ms DESC, id DESC LIMIT `+strconv.Itoa(mirrorSessions)),
		[]any{account}, func(rows *sql.Rows) error {
			session, err := scanSession(rows.Scan)
			m.sessions = append(m.sessions, session)
			return err
		})
	if err != nil {
		return err
	}
	claims, err := someClaims(ctx, q, `WHERE account_id = $1 AND (outcome IN ('', 'unknown') OR claimed_ms >= $2 OR ends_ms >= $3)`,
		account, now.Add(-mirrorClaims).UnixMilli(), now.Add(-mirrorBookings).UnixMilli())
	if err != nil {
		return err
	}
	m.claims = append(m.claims, claims...)
	return each(ctx, q, selectJobs(`WHERE account_id = $1 AND (status = 'accepted' AND coalesce(ends_ms, last_seen_ms) >= $2 OR seen_ms >= $3 AND gone_ms IS NULL)
		ORDER BY seen_ms DESC, id DESC LIMIT `+strconv.Itoa(mirrorJobs)),
		[]any{account, now.Add(-mirrorBookings).UnixMilli(), now.Add(-mirrorBoard).UnixMilli()}, func(rows *sql.Rows) error {
			job, err := scanJob(rows.Scan)
			m.jobs = append(m.jobs, job)
			return err
		})
}

func allLeases(ctx context.Context, q queryer) ([]app.Lease, error) {
	var found []app.Lease
	err := each(ctx, q, `SELECT account_id, holder, epoch, expires_ms FROM atozbot_leases`, nil, func(rows *sql.Rows) error {
		var l app.Lease
		err := rows.Scan(&l.AccountID, &l.Holder, &l.Epoch, stamp{&l.ExpiresAt})
		found = append(found, l)
		return err
	})
	return found, err
}

// writeMirror stores what another database has, in one transaction. What this one knows
// and has still to tell stays: rows are merged by their versions.
func (s *Store) writeMirror(ctx context.Context, tx *sql.Tx, m mirror, now time.Time) error {
	for _, account := range m.accounts {
		if err := s.lockAccount(ctx, tx, account, now); err != nil {
			return err
		}
		if c, ok := m.configurations[account]; ok {
			if _, err := tx.ExecContext(ctx, `DELETE FROM atozbot_configurations WHERE account_id = $1`, account); err != nil {
				return err
			}
			if err := s.addConfiguration(ctx, tx, account, &c, c.Version, c.Author, c.CreatedAt); err != nil {
				return err
			}
		}
	}
	for _, session := range m.sessions {
		if err := saveSession(ctx, tx, session, newRollup(session.AccountID)); err != nil {
			return err
		}
	}
	for account, jobs := range byAccount(m.jobs, func(j app.JobRecord) string { return j.AccountID }) {
		if err := saveJobs(ctx, tx, account, jobs, newRollup(account)); err != nil {
			return err
		}
	}
	for account, claims := range byAccount(m.claims, func(c app.Claim) string { return c.AccountID }) {
		if err := mirrorClaimsOf(ctx, tx, account, claims); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM atozbot_replicas`); err != nil {
		return err
	}
	for _, r := range m.replicas {
		if err := putReplica(ctx, tx, r); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE atozbot_event_counter SET last_id = $1 WHERE id = 1 AND last_id < $1`, m.lastEvent); err != nil {
		return err
	}
	return putMeta(ctx, tx, metaMirrored, now.UnixMilli())
}

// mirrorClaimsOf takes claims over. One that was made elsewhere stands in the place of
// one of ours: the other database had it first.
func mirrorClaimsOf(ctx context.Context, tx *sql.Tx, account string, claims []app.Claim) error {
	numbers := make([]string, len(claims))
	for i, c := range claims {
		numbers[i] = c.Number
	}
	known, err := claimsOf(ctx, tx, account, numbers)
	if err != nil {
		return err
	}
	ours := make(map[string]string)
	for _, k := range known {
		ours[k.Number+"/"+string(k.Act)] = k.ID
	}
	for _, c := range claims {
		if id, there := ours[c.Number+"/"+string(c.Act)]; there && id != c.ID {
			if err := replaceClaim(ctx, tx, c, &c); err != nil {
				return err
			}
		}
	}
	return saveClaims(ctx, tx, account, claims)
}

func byAccount[T any](rows []T, account func(T) string) map[string][]T {
	groups := make(map[string][]T)
	for _, row := range rows {
		groups[account(row)] = append(groups[account(row)], row)
	}
	return groups
}

// pruneMirror does away with what deciding no longer needs, so that the journal's file
// stays small. Nothing that waits to be carried over stands in these tables alone.
func pruneMirror(ctx context.Context, tx *sql.Tx, now time.Time) error {
	for statement, before := range map[string]time.Time{
		`DELETE FROM atozbot_jobs WHERE last_seen_ms < $1 AND coalesce(ends_ms, last_seen_ms) < $1`:                                  now.Add(-mirrorBookings),
		`DELETE FROM atozbot_claims WHERE claimed_ms < $1 AND coalesce(ends_ms, claimed_ms) < $1 AND outcome NOT IN ('', 'unknown')`: now.Add(-mirrorClaims),
		`DELETE FROM atozbot_sessions WHERE updated_ms < $1`:                                                                         now.Add(-mirrorClaims),
		`DELETE FROM atozbot_decisions WHERE decided_ms < $1`:                                                                        now.Add(-mirrorBoard),
		`DELETE FROM atozbot_events WHERE at_ms < $1`:                                                                                now.Add(-mirrorBoard),
		`DELETE FROM atozbot_log_entries WHERE at_ms < $1`:                                                                           now.Add(-mirrorBoard),
	} {
		if _, err := tx.ExecContext(ctx, statement, before.UnixMilli()); err != nil {
			return err
		}
	}
	return nil
}

// knownMirror is what a mirror says of itself.
type knownMirror struct {
	at     time.Time // When it was last refreshed; zero where it never was, or not with all that it needs.
	others bool      // Another replica had been about then.
	leases []app.Lease
}

func (s *Store) knownMirror(ctx context.Context, replica string) (knownMirror, error) {
	var known knownMirror
	err := s.reading(ctx, "read what the mirror knows", func(ctx context.Context, q queryer) error {
		known = knownMirror{}
		value, err := metaOf(ctx, q, metaMirrored)
		if err != nil {
			return err
		}
		if ms, err := strconv.ParseInt(value, 10, 64); err == nil {
			known.at = fromMS(ms)
		}
		replicas, err := replicasSince(ctx, q, known.at.Add(-seenWithin))
		if err != nil {
			return err
		}
		for _, r := range replicas {
			known.others = known.others || r.ID != replica
		}
		if known.leases, err = allLeases(ctx, q); err != nil {
			return err
		}
		// A mirror of an earlier version does not know the calendars: it would take time
		// that they keep busy for free. To act it is as good as none.
		connected, err := metaOf(ctx, q, metaConnected)
		if connected == "" {
			known.at = time.Time{}
		}
		return err
	})
	return known, err
}

// refreshMirror takes over what PostgreSQL has.
func (j *Journaled) refreshMirror(ctx context.Context) error {
	now := j.o.Now()
	m, err := j.there.readMirror(ctx, now)
	if err != nil {
		j.ill(err)
		return err
	}
	j.mu.Lock()
	mark := j.mark
	j.mu.Unlock()
	outside, err := j.there.readConnected(ctx, mark)
	if err != nil {
		j.ill(err)
		return err
	}
	others := false
	for _, r := range m.replicas {
		others = others || r.ID != j.o.Replica
	}
	err = j.writeJournal(ctx, "refresh the mirror", func(ctx context.Context, tx *sql.Tx) error {
		if err := j.journal.writeMirror(ctx, tx, m, now); err != nil {
			return err
		}
		for _, l := range m.leases {
			if err := mirrorLeaseOf(ctx, tx, l); err != nil {
				return err
			}
		}
		if outside.mark != mark {
			if err := writeConnected(ctx, tx, outside); err != nil {
				return err
			}
		}
		return pruneMirror(ctx, tx, now)
	})
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.mirrored, j.others, j.mark = now, others, outside.mark
	for _, l := range m.leases {
		if known, ok := j.leases[l.AccountID]; !ok || newerLease(l, known) {
			j.leases[l.AccountID] = l
		}
	}
	return nil
}

// newerLease tells whether a lease that was read says more than the one that is known,
// which may have been renewed meanwhile.
func newerLease(read, known app.Lease) bool {
	return read.Epoch > known.Epoch || read.Epoch == known.Epoch && read.ExpiresAt.After(known.ExpiresAt)
}

func mirrorLeaseOf(ctx context.Context, tx *sql.Tx, l app.Lease) error {
	known, err := leaseOf(ctx, tx, l.AccountID)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if err == nil && !newerLease(l, known) {
		return nil
	}
	return putLease(ctx, tx, l)
}
