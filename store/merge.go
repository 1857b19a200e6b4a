package store

import (
	"slices"
	"time"

	"github.com/atozbot/atozbot/app"
)

// newer tells whether a row of version a, changed at aAt, replaces one of version b. Two
// processes that could not talk to each other can have made the same version; then the
// later change is the newer.
func newer(a int64, aAt time.Time, b int64, bAt time.Time) bool {
	return a > b || a == b && mustMS(aAt) > mustMS(bAt)
}

// mergeJob gives what is to be stored of a job, and whether that is a change. The
// outcome is the same in whichever order, and however often, rows come.
func mergeJob(stored, in app.JobRecord) (app.JobRecord, bool) {
	if stored.ID == in.ID {
		if !newer(in.Version, in.UpdatedAt, stored.Version, stored.UpdatedAt) {
			aware := unaware(in, stored)
			if aware {
				takeOutcome(&stored, in)
			}
			return stored, aware
		}
		in.CreatedAt = stored.CreatedAt
		if unaware(stored, in) {
			takeOutcome(&in, stored)
		}
		return in, true
	}
	// Two processes met the same job apart: one row stays, with the earlier sighting and
	// the stronger outcome.
	merged := stored
	if mustMS(in.UpdatedAt) > mustMS(stored.UpdatedAt) {
		merged = in
	}
	if strength(stored.Status) > strength(merged.Status) {
		takeOutcome(&merged, stored)
	} else if strength(in.Status) > strength(merged.Status) {
		takeOutcome(&merged, in)
	}
	first := stored
	if mustMS(in.SeenAt) < mustMS(stored.SeenAt) {
		first = in
	}
	merged.SeenAt, merged.SessionID = first.SeenAt, first.SessionID
	merged.ID, merged.Source, merged.CreatedAt = stored.ID, stored.Source, stored.CreatedAt
	merged.LastSeenAt = later(stored.LastSeenAt, in.LastSeenAt)
	merged.UpdatedAt = later(stored.UpdatedAt, in.UpdatedAt)
	merged.Sightings = max(stored.Sightings, in.Sightings)
	merged.Version = stored.Version
	if sameJob(merged, stored) {
		return stored, false
	}
	merged.Version = max(stored.Version, in.Version) + 1
	return merged, true
}

// unaware tells whether a newer row was written by one who does not know of an act on
// the job that an older one tells of: a replica that stood still, and wrote on after
// another had taken the account over. What it saw is news; what became of the job is not
// its to say.
func unaware(older, newer app.JobRecord) bool {
	return newer.Status == app.JobMatched && older.Status != app.JobMatched &&
		(newer.ConfirmedAt.IsZero() && !older.ConfirmedAt.IsZero() || newer.ClaimedAt.IsZero() && !older.ClaimedAt.IsZero())
}

// strength orders what is known of a job: what the portal showed counts more than what
// was only tried, and that more than what was only seen.
func strength(s app.JobStatus) int {
	order := []app.JobStatus{app.JobMatched, app.JobFailed, app.JobUnknown, app.JobRefused, app.JobLost, app.JobRejected, app.JobAccepted}
	return slices.Index(order, s)
}

// takeOutcome takes from one row what says how it ended.
func takeOutcome(into *app.JobRecord, from app.JobRecord) {
	into.Status, into.Verdict, into.RejectionReason, into.Rule, into.NeedsUser = from.Status, from.Verdict, from.RejectionReason, from.Rule, from.NeedsUser
	into.VanishedAt = from.VanishedAt
	into.DecidedAt, into.ClaimedAt, into.PostedAt, into.ConfirmedAt = from.DecidedAt, from.ClaimedAt, from.PostedAt, from.ConfirmedAt
}

// sameJob compares what is stored of two rows.
func sameJob(a, b app.JobRecord) bool {
	rowA, errA := jobRow(a)
	rowB, errB := jobRow(b)
	return errA == nil && errB == nil && slices.Equal(rowA, rowB)
}

// mergeClaim gives what is to be stored of a claim, and whether that is a change. Of two
// claims that were made apart, the stored one keeps the right to act, and what is known
// of the other's outcome is not lost.
func mergeClaim(stored, in app.Claim) (app.Claim, bool) {
	if stored.ID == in.ID {
		// What the portal has shown as ours is not made open again by one who had not looked.
		switch ours := in.Outcome == app.OutcomeAccepted; {
		case ours == (stored.Outcome == app.OutcomeAccepted):
		case ours:
			return in, true
		default:
			return stored, false
		}
		if in.Version > stored.Version || in.Version == stored.Version && mustMS(in.OutcomeAt) > mustMS(stored.OutcomeAt) {
			return in, true
		}
		return stored, false
	}
	merged := stored
	merged.Attempt = max(stored.Attempt, in.Attempt)
	merged.PostedAt = later(stored.PostedAt, in.PostedAt)
	merged.Reached = stored.Reached || in.Reached
	if outcomeStrength(in.Outcome) > outcomeStrength(stored.Outcome) {
		merged.Outcome, merged.OutcomeAt, merged.Detail = in.Outcome, in.OutcomeAt, in.Detail
	}
	if slices.Equal(claimRow(merged), claimRow(stored)) {
		return stored, false
	}
	merged.Version = max(stored.Version, in.Version) + 1
	return merged, true
}

func outcomeStrength(o app.Outcome) int {
	order := []app.Outcome{"", app.OutcomeUnknown, app.OutcomeFailed, app.OutcomeRefused, app.OutcomeLost, app.OutcomeRejected, app.OutcomeAccepted}
	return slices.Index(order, o)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
