package store

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
)

func claimTable() table {
	return table{name: "atozbot_claims", key: []string{"account_id", "number", "act"}, fixed: []string{"id"}, columns: []string{
		"id", "account_id", "session_id", "number", "ref", "act", "epoch", "attempt", "rules_version", "claimed_ms", "posted_ms", "reached",
		"outcome", "outcome_ms", "detail", "starts_ms", "ends_ms", "language", "job_type", "version",
	}}
}

func claimRow(c app.Claim) []any {
	return []any{
		c.ID, c.AccountID, c.SessionID, clean(c.Number), clean(c.Ref), string(c.Act), c.Epoch, c.Attempt, c.RulesVersion, mustMS(c.ClaimedAt), toMS(c.PostedAt), c.Reached,
		string(c.Outcome), toMS(c.OutcomeAt), clean(c.Detail), toMS(c.StartsAt), toMS(c.EndsAt), clean(c.Language), clean(c.JobType), c.Version,
	}
}

func scanClaim(scan func(...any) error) (app.Claim, error) {
	var c app.Claim
	err := scan(
		&c.ID, &c.AccountID, &c.SessionID, &c.Number, &c.Ref, &c.Act, &c.Epoch, &c.Attempt, &c.RulesVersion, stamp{&c.ClaimedAt}, stamp{&c.PostedAt}, &c.Reached,
		&c.Outcome, stamp{&c.OutcomeAt}, &c.Detail, stamp{&c.StartsAt}, stamp{&c.EndsAt}, &c.Language, &c.JobType, &c.Version)
	return c, err
}

func selectClaims(rest string) string {
	return "SELECT " + strings.Join(claimTable().columns, ", ") + " FROM atozbot_claims " + rest
}

// nearby is how far around a claim's appointment bookings are read for its check: longer
// than a week, so that a cap by the week sees all of it whatever the time zone and the
// buffers. What is further away cannot speak against it, and there may be thousands.
const nearby = 9 * 24 * time.Hour

// Claim stores c safely, before anything is posted. In one transaction it locks the
// account, checks that the lease is still c's, asks check with the tally as it is under
// the lock, of which it holds the bookings around c's appointment, and inserts the row.
//
// A claim that is there already under the same ID is returned as it is, without asking
// check: the caller asked twice. With a higher attempt than the stored one it is taken
// again, for another try, under the same checks and with a tally that leaves it out.
//
// CodeConflict: the claim of somebody else exists (it is returned), the lease is lost,
// or check said no (its own error is returned). CodeUnavailable: it could not be stored,
// or nobody knows; then nothing may be posted.
func (s *Store) Claim(ctx context.Context, c app.Claim, check func(app.Tally) error) (app.Claim, error) {
	var result app.Claim
	err := s.writing(ctx, "store a claim", func(ctx context.Context, tx *sql.Tx) (err error) {
		result, err = s.claim(ctx, tx, c, check)
		return err
	})
	return result, err
}

func (s *Store) claim(ctx context.Context, tx *sql.Tx, c app.Claim, check func(app.Tally) error) (app.Claim, error) {
	if err := s.lockAccount(ctx, tx, c.AccountID, c.ClaimedAt); err != nil {
		return app.Claim{}, err
	}
	stored, err := scanClaim(tx.QueryRowContext(ctx, selectClaims(`WHERE account_id = $1 AND number = $2 AND act = $3`),
		c.AccountID, clean(c.Number), string(c.Act)).Scan)
	switch {
	case errors.Is(err, sql.ErrNoRows):
	case err != nil:
		return app.Claim{}, err
	case stored.ID != c.ID || stored.Attempt > c.Attempt:
		return stored, app.Errorf(app.CodeConflict, "There is a claim on this job already.")
	case stored.Attempt == c.Attempt:
		return stored, nil
	case stored.Outcome == app.OutcomeAccepted || stored.Outcome == app.OutcomeRejected:
		return stored, app.Errorf(app.CodeConflict, "This job is already %s.", stored.Outcome)
	case c.Version <= stored.Version:
		return stored, app.Errorf(app.CodeConflict, "The claim on this job has changed meanwhile.")
	}
	epoch, err := epochOf(ctx, tx, c.AccountID)
	if err != nil {
		return app.Claim{}, err
	}
	tally, err := tallyOf(ctx, tx, c.AccountID, c.SessionID, c.StartsAt.Add(-nearby), c.EndsAt.Add(nearby))
	if err != nil {
		return app.Claim{}, err
	}
	tally = leaveOut(tally, c, stored)
	if epoch != c.Epoch { // It was begun under a lease that has changed hands since.
		return app.Claim{}, app.Errorf(app.CodeConflict, "Another replica runs this account now.")
	}
	if err := check(tally); err != nil {
		return app.Claim{}, err
	}
	if err := claimTable().upsert(ctx, tx, [][]any{claimRow(c)}); err != nil {
		return app.Claim{}, err
	}
	if s.base().keepEntries {
		if err := keepEntry(ctx, tx, entryClaim, claimRecord(c)); err != nil {
			return app.Claim{}, err
		}
	}
	return c, nil
}

// Unsettled gives the claims whose outcome is not known, oldest first.
func (s *Store) Unsettled(ctx context.Context, accountID string) ([]app.Claim, error) {
	var found []app.Claim
	err := s.reading(ctx, "list unsettled claims", func(ctx context.Context, q queryer) (err error) {
		found, err = someClaims(ctx, q, `WHERE account_id = $1 AND outcome IN ('', 'unknown') ORDER BY claimed_ms, id`, accountID)
		return err
	})
	return found, err
}

// Claims gives every claim on these numbers, oldest first.
func (s *Store) Claims(ctx context.Context, accountID string, numbers []string) ([]app.Claim, error) {
	var found []app.Claim
	err := s.reading(ctx, "read claims by number", func(ctx context.Context, q queryer) (err error) {
		found, err = claimsOf(ctx, q, accountID, numbers)
		return err
	})
	return found, err
}

func claimsOf(ctx context.Context, q queryer, accountID string, numbers []string) ([]app.Claim, error) {
	var found []app.Claim
	err := inGroups(numbers, func(group []any) error {
		some, err := someClaims(ctx, q, `WHERE account_id = $1 AND number IN `+places(2, len(group))+` ORDER BY claimed_ms, id`,
			append([]any{accountID}, group...)...)
		found = append(found, some...)
		return err
	})
	return found, err
}

func someClaims(ctx context.Context, q queryer, where string, args ...any) ([]app.Claim, error) {
	var found []app.Claim
	err := each(ctx, q, selectClaims(where), args, func(rows *sql.Rows) error {
		c, err := scanClaim(rows.Scan)
		found = append(found, c)
		return err
	})
	return found, err
}

// Tally gives what the account has already taken: the acceptances and rejections of one
// session, and every booking that ends after from. An acceptance that has vanished from
// the portal since still counts: whether its time is free again, only the user knows.
func (s *Store) Tally(ctx context.Context, accountID, sessionID string, from time.Time) (app.Tally, error) {
	var tally app.Tally
	err := s.reading(ctx, "count what is taken", func(ctx context.Context, q queryer) (err error) {
		tally, err = tallyOf(ctx, q, accountID, sessionID, from, time.UnixMilli(math.MaxInt64))
		return err
	})
	return tally, err
}

// tallyOf counts what a session has taken, and gives the account's bookings that end
// after from and begin before until. What takes a place under a cap is told by an index
// alone.
func tallyOf(ctx context.Context, q queryer, accountID, sessionID string, from, until time.Time) (tally app.Tally, err error) {
	err = q.QueryRowContext(ctx, `SELECT
		(SELECT COUNT(*) FROM atozbot_claims WHERE session_id = $1 AND act = 'accept' AND outcome IN ('', 'unknown', 'accepted')),
		(SELECT COUNT(*) FROM atozbot_claims WHERE session_id = $1 AND act = 'reject' AND outcome IN ('', 'unknown', 'rejected'))`,
		sessionID).Scan(&tally.Session, &tally.Rejected)
	if err != nil {
		return tally, err
	}
	// A claim is stored before the job's row says so, and is known where that row is not.
	taken := make(map[string]bool)
	err = each(ctx, q, `SELECT number, ref, language, job_type, starts_ms, ends_ms, 1 AS sort FROM atozbot_jobs
			WHERE account_id = $1 AND status = 'accepted' AND ends_ms > $2 AND starts_ms < $3
		UNION ALL SELECT number, ref, language, job_type, starts_ms, ends_ms, 2 FROM atozbot_claims
			WHERE account_id = $1 AND act = 'accept' AND outcome IN ('', 'unknown', 'accepted') AND ends_ms > $2 AND starts_ms < $3
		ORDER BY 7, 5, 1`, []any{accountID, from.UnixMilli(), until.UnixMilli()}, func(rows *sql.Rows) error {
		b := app.Booking{Firm: true}
		var ref, language string
		var sort int
		if err := rows.Scan(&b.Number, &ref, &language, &b.JobType, stamp{&b.StartsAt}, stamp{&b.EndsAt}, &sort); err != nil {
			return err
		}
		if !taken[b.Number] {
			taken[b.Number] = true
			b.Label = label(ref, language)
			tally.Bookings = append(tally.Bookings, b)
		}
		return nil
	})
	return tally, err
}

// leaveOut takes c's job out of a tally, with the claim of it that is stored already (the
// zero value where there is none): tried again, it must not stand in its own way.
func leaveOut(tally app.Tally, c, stored app.Claim) app.Tally {
	if stored.SessionID == c.SessionID && stored.TakesPlace() {
		if c.Act == app.ActReject {
			tally.Rejected--
		} else {
			tally.Session--
		}
	}
	number := clean(c.Number)
	tally.Bookings = slices.DeleteFunc(tally.Bookings, func(b app.Booking) bool { return b.Number == number })
	return tally
}

// epochOf gives the epoch of the account's lease; 0 where it never had one.
func epochOf(ctx context.Context, q queryer, accountID string) (epoch int64, err error) {
	err = q.QueryRowContext(ctx, `SELECT coalesce(max(epoch), 0) FROM atozbot_leases WHERE account_id = $1`, accountID).Scan(&epoch)
	return epoch, err
}

func label(ref, language string) string {
	if language == "" {
		return ref
	}
	return ref + ", " + language
}
