package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/atozbot/atozbot/app"
)

// Acquire takes the account's lease, in PostgreSQL where that is there. Where it is away
// the mirror decides: this replica gets its own lease again, and, where no other replica
// has been about, also one that nobody holds any more or that is not known here. Such a
// lease is made good when PostgreSQL is back, or lost if another has it then.
// CodeUnavailable where nobody is known to have it, and another replica may.
func (j *Journaled) Acquire(ctx context.Context, accountID, holder string, now time.Time) (app.Lease, bool, error) {
	if j.current() == modeFallback {
		return j.there.Acquire(ctx, accountID, holder, now)
	}
	if j.current() == modeDraining {
		// Whoever takes up an account must know what others did to it meanwhile.
		if err := j.catchUp(ctx); err != nil && j.current() != modeAway {
			return app.Lease{}, false, err
		}
	}
	if j.current() != modeAway {
		var lease app.Lease
		var taken bool
		err := j.within(ctx, func(ctx context.Context) (err error) {
			lease, taken, err = j.there.Acquire(ctx, accountID, holder, now)
			return err
		})
		switch {
		case err == nil:
			return lease, taken, j.mirrorLease(ctx, lease)
		case app.CodeOf(err) != app.CodeUnavailable:
			return lease, false, err
		}
		j.ill(err)
	}
	return j.acquireHere(ctx, accountID, holder, now)
}

// catchUpPatience is how long taking a lease waits for what is being carried over.
const catchUpPatience = 3 * time.Second

// catchUp carries over what waits and takes over what others did.
func (j *Journaled) catchUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, catchUpPatience)
	defer cancel()
	if err := j.Drain(ctx); err != nil {
		return &app.Error{Code: app.CodeUnavailable, Message: "Records are still being carried over to PostgreSQL.", RetryAfter: time.Second, Err: err}
	}
	return j.refreshMirror(ctx)
}

func (j *Journaled) acquireHere(ctx context.Context, accountID, holder string, now time.Time) (app.Lease, bool, error) {
	if err := j.ready(ctx); err != nil {
		return app.Lease{}, false, err
	}
	j.mu.Lock()
	lease, known := j.leases[accountID]
	others, path := j.others, j.mirrored
	j.mu.Unlock()
	switch {
	case !known:
		// Epoch 0 is no lease of PostgreSQL's: the first renewal there takes a real one.
		lease = app.Lease{AccountID: accountID, Holder: holder, ExpiresAt: now.Add(LeaseTime)}
	case lease.Holder == holder && (!others || now.Before(lease.ExpiresAt)):
		if !others {
			lease.ExpiresAt = now.Add(LeaseTime)
		}
	case !others && !now.Before(lease.ExpiresAt):
		lease.Holder, lease.ExpiresAt = holder, now.Add(LeaseTime)
	case path.IsZero():
		lease.Holder, lease.ExpiresAt = holder, now.Add(LeaseTime)
	case now.Before(lease.ExpiresAt):
		return lease, false, nil
	default: // Nobody is known to hold it, and another may take it where it can be taken.
		return app.Lease{}, false, app.Errorf(app.CodeUnavailable, "The lease cannot be taken while PostgreSQL is away: another replica may have it.")
	}
	return lease, true, j.mirrorLease(ctx, lease)
}

// Renew prolongs a lease, in PostgreSQL where that is there. Where it is away, the lease
// is prolonged here if no other replica has been about, and otherwise runs out:
// CodeUnavailable. CodeConflict where another replica has taken it. The lease that is
// given can have another epoch than the one before: it is the one to claim under.
func (j *Journaled) Renew(ctx context.Context, l app.Lease, now time.Time) (app.Lease, error) {
	if j.current() == modeFallback {
		return j.there.Renew(ctx, l, now)
	}
	if j.current() != modeAway {
		renewed := l
		err := j.within(ctx, func(ctx context.Context) (err error) {
			renewed, err = j.renewThere(ctx, l, now)
			return err
		})
		switch {
		case err == nil:
			return renewed, j.mirrorLease(ctx, renewed)
		case app.CodeOf(err) != app.CodeUnavailable:
			return l, err
		}
		j.ill(err)
	}
	j.mu.Lock()
	others := j.others
	j.mu.Unlock()
	if others {
		return l, app.Errorf(app.CodeUnavailable, "The lease cannot be renewed while PostgreSQL is away.")
	}
	l.ExpiresAt = now.Add(LeaseTime)
	return l, j.mirrorLease(ctx, l)
}

// renewThere prolongs a lease in PostgreSQL, or makes one good that was taken here while
// PostgreSQL was away: nobody has taken a later one since.
func (j *Journaled) renewThere(ctx context.Context, l app.Lease, now time.Time) (app.Lease, error) {
	renewed, err := j.there.Renew(ctx, l, now)
	if app.CodeOf(err) != app.CodeConflict {
		return renewed, err
	}
	there, leaseErr := j.there.Lease(ctx, l.AccountID)
	switch {
	case app.CodeOf(leaseErr) == app.CodeNotFound:
	case leaseErr != nil:
		return l, leaseErr
	case l.Epoch != 0 && there.Epoch > l.Epoch:
		return l, err // Another has had it since.
	}
	taken, ok, acquireErr := j.there.Acquire(ctx, l.AccountID, l.Holder, now)
	switch {
	case acquireErr != nil:
		return l, acquireErr
	case !ok:
		return l, err
	}
	return taken, nil
}

// Release gives a lease back.
func (j *Journaled) Release(ctx context.Context, l app.Lease) error {
	if j.current() == modeFallback {
		return j.there.Release(ctx, l)
	}
	given := l
	given.ExpiresAt = time.Time{}
	mirrorErr := j.mirrorLease(ctx, given)
	if j.current() == modeAway {
		return mirrorErr // There it ends by itself.
	}
	err := j.within(ctx, func(ctx context.Context) error { return j.there.Release(ctx, l) })
	if err != nil && app.CodeOf(err) == app.CodeUnavailable {
		j.ill(err)
	}
	return err
}

// mirrorLease stores a lease in the journal as it is. It counts for the claims made here.
func (j *Journaled) mirrorLease(ctx context.Context, l app.Lease) error {
	err := j.writeJournal(ctx, "keep the lease in the journal", func(ctx context.Context, tx *sql.Tx) error {
		return putLease(ctx, tx, l)
	})
	j.mu.Lock()
	j.leases[l.AccountID] = l
	j.mu.Unlock()
	if err != nil {
		j.log.Debug("the lease could not be kept in the journal", "error", err)
	}
	return nil // What cannot be written stops acting, by MayAct; not the lease.
}

func putLease(ctx context.Context, tx *sql.Tx, l app.Lease) error {
	t := table{name: "atozbot_leases", key: []string{"account_id"}, columns: []string{"account_id", "holder", "epoch", "expires_ms"}}
	return t.upsert(ctx, tx, [][]any{{l.AccountID, clean(l.Holder), l.Epoch, mustMS(l.ExpiresAt)}})
}

// Here notes in PostgreSQL that this replica is alive, and in the mirror who else is.
func (j *Journaled) Here(ctx context.Context, r Replica) error {
	err := j.there.Here(ctx, r)
	if err != nil || j.current() == modeFallback {
		return err
	}
	known, err := j.there.Replicas(ctx, r.SeenAt.Add(-seenWithin))
	if err != nil {
		return err
	}
	others := false
	for _, k := range known {
		others = others || k.ID != j.o.Replica
	}
	j.mu.Lock()
	changed := others != j.others
	j.others = others
	j.mu.Unlock()
	if changed {
		j.MirrorChanged()
	}
	return nil
}
