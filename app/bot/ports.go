package bot

import (
	"context"
	"time"

	"github.com/atozbot/atozbot/app"
)

// Portal is the job portal. Its errors are *app.PageError. The bot asks it one thing at
// a time, except for details pages where the user allows several.
type Portal interface {
	// LogIn tries the credentials once; PageLoggedOut says that they were not taken.
	LogIn(ctx context.Context) error
	// Look reads the board; an error says which other page came instead.
	Look(ctx context.Context) (app.Board, error)
	// Details reads a job's page; PageGone says that the job is no longer there.
	Details(ctx context.Context, job app.Job) (app.Details, error)
	// Accept submits the job's accept form. The reply proves nothing.
	Accept(ctx context.Context, job app.Job, allowShortNotice bool) (app.Reply, error)
	// Reject submits the reject form of the job's details.
	Reject(ctx context.Context, job app.Job) (app.Reply, error)
}

// Records is what the bot remembers, whichever database keeps it. No method waits for a
// hung database longer than a claim may take.
type Records interface {
	// Configuration is the active one, from memory.
	Configuration(ctx context.Context, accountID string) (app.Configuration, error)
	// Resumable gives the newest session of the account that a crash or the end of the
	// process interrupted; nil where there is none.
	Resumable(ctx context.Context, accountID string) (*app.Session, error)
	// Unsettled gives the claims whose outcome is not known.
	Unsettled(ctx context.Context, accountID string) ([]app.Claim, error)
	// Jobs gives what is recorded of these numbers.
	Jobs(ctx context.Context, accountID string, numbers []string) (map[string]app.JobRecord, error)
	// Claims gives every claim on these numbers.
	Claims(ctx context.Context, accountID string, numbers []string) ([]app.Claim, error)
	// Watched gives the acceptances that have not vanished and whose appointment is not
	// over at from.
	Watched(ctx context.Context, accountID string, from time.Time) ([]app.JobRecord, error)
	// Tally gives what the account has already taken.
	Tally(ctx context.Context, accountID, sessionID string, from time.Time) (app.Tally, error)
	// Claim stores c safely where check agrees with the tally as it is under the lock, of
	// which it is given the bookings within nine days of c's appointment.
	// CodeConflict: the claim exists (the stored one is returned), the lease is lost, or
	// check said no. CodeUnavailable: it cannot be stored, and nothing may be posted.
	Claim(ctx context.Context, c app.Claim, check func(app.Tally) error) (app.Claim, error)
	// Save stores a step whole or not at all, and the same once or twice.
	Save(ctx context.Context, r app.Record) error
	// MayAct says why nothing may be posted now; nil where it may.
	MayAct(ctx context.Context, accountID string) error

	// Acquire takes the account's lease, or says who holds it.
	Acquire(ctx context.Context, accountID, holder string, now time.Time) (app.Lease, bool, error)
	// Renew prolongs a lease; CodeConflict where it was lost.
	Renew(ctx context.Context, l app.Lease, now time.Time) (app.Lease, error)
	// Release gives a lease back.
	Release(ctx context.Context, l app.Lease) error
}

// Wishes carries what a user asks for at one replica to the one that runs the session.
// A single replica needs none.
type Wishes interface {
	// Wishes gives those that wait.
	Wishes(ctx context.Context, accountID string) ([]app.Wish, error)
	// Wish leaves one for the holder of the lease.
	Wish(ctx context.Context, w app.Wish) error
	// Granted does away with one.
	Granted(ctx context.Context, w app.Wish) error
}
