package app

import "time"

// Act is what is done on the portal.
type Act string

// The acts.
const (
	ActAccept Act = "accept"
	ActReject Act = "reject"
)

// Outcome is what a look at the portal after an act has shown.
type Outcome string

// The outcomes. A claim without one ("") or with OutcomeUnknown is not settled.
const (
	OutcomeAccepted Outcome = "accepted"
	OutcomeRejected Outcome = "rejected"
	OutcomeLost     Outcome = "lost"    // Somebody else has it, or it is gone.
	OutcomeRefused  Outcome = "refused" // The portal said no, or asked a question that was not answered.
	OutcomeFailed   Outcome = "failed"  // The try never reached the portal, and the job is gone.
	OutcomeUnknown  Outcome = "unknown" // It could not be found out yet, and is asked again.
)

// Claim is the right of one process to act on one job once. There is one row for each
// account, job and act; it is stored before the first POST, and every further try is
// made under it with the next attempt number.
type Claim struct {
	ID        string
	AccountID string
	SessionID string
	Number    string // The job's.
	Ref       string
	Act       Act
	Epoch     int64 // Of the lease under which it was made.
	Attempt   int   // 1 for the first try.

	RulesVersion int64
	ClaimedAt    time.Time
	PostedAt     time.Time // Of the newest attempt; zero while nothing was posted.
	Reached      bool      // Whether any attempt can have reached the portal.

	Outcome   Outcome
	OutcomeAt time.Time
	Detail    string // The outcome's reason in words.

	// Of the appointment, so that overlaps and caps can be counted from claims alone.
	StartsAt, EndsAt time.Time
	Language         string
	JobType          string

	// Version grows with every change of the row; an older one never replaces a newer.
	Version int64
}

// Settled tells whether the claim's outcome is final.
func (c Claim) Settled() bool { return c.Outcome != "" && c.Outcome != OutcomeUnknown }

// TakesPlace tells whether the claim takes a place under the session's cap: what it was
// made for was done, or may have been. A claim that was never made does not.
func (c Claim) TakesPlace() bool {
	return c.ID != "" && (!c.Settled() || c.Outcome == OutcomeAccepted || c.Outcome == OutcomeRejected)
}

// JobStatus is the status of a recorded job, as the API gives it.
type JobStatus string

// The statuses.
const (
	JobMatched  JobStatus = "matched" // Seen, not acted on.
	JobAccepted JobStatus = "accepted"
	JobRejected JobStatus = "rejected"
	JobLost     JobStatus = "lost"
	JobRefused  JobStatus = "refused"
	JobUnknown  JobStatus = "unknown"
	JobFailed   JobStatus = "failed"
)

// JobRecord is a job as it is stored: one row for each account and number, however
// often it was seen.
type JobRecord struct {
	ID        string
	AccountID string
	SessionID string // The bot session that saw it first.
	Source    string // SourceBuiltIn, SourceOutside or SourceImported.

	Number, Ref, Language string
	Date, Time            string // "2027-01-31", "14:30"; "" where not understood.
	DurationText          string
	DurationMinutes       int
	SubmittedText         string
	SubmittedAt           time.Time
	JobType               string // "" where never asked for.
	StartsAt, EndsAt      time.Time
	DetailsURL            string
	Row                   []string // The cells as they were on the board.

	Status          JobStatus
	Verdict         Verdict
	RejectionReason string // Why it was not accepted, in words; "" for an accepted one.
	Rule            string // The rule that decided.
	NeedsUser       string // What the user has to do about it, else "".

	SeenAt     time.Time // First seen on the board ("scraped_at").
	LastSeenAt time.Time
	GoneAt     time.Time // Left the board; zero while it is there.
	VanishedAt time.Time // An acceptance that the portal no longer shows.
	Sightings  int64     // Looks that showed it, counted, not stored one by one.

	// The time line; zero where it did not happen. The API gives milliseconds from SeenAt.
	ListedAt, DecidedAt, ClaimedAt, PostedAt, ConfirmedAt time.Time

	CreatedAt, UpdatedAt time.Time
	Version              int64 // Grows with every change; an older one never replaces a newer.
}

// Where a session or a job comes from.
const (
	SourceBuiltIn  = "built-in"
	SourceOutside  = "outside"  // Reported to realtime-update by another bot.
	SourceImported = "imported" // Brought over from a predecessor's database.
)
