package bot

import (
	"context"
	"time"

	"github.com/atozbot/atozbot/app"
)

// Bounds of the renewing.
const (
	shortestRenewal = 200 * time.Millisecond
	longestRenewal  = 5 * time.Second
)

// keepLease renews the lease in a goroutine of its own until the session ends. Losing it
// ends the session here at once. Where the records are away it only tries again: whether
// acting is still right then is what MayAct answers.
func (r *run) keepLease() {
	b, lease := r.bot, *r.lease.Load()
	for {
		left := time.Until(lease.ExpiresAt)
		if !pauseFor(r.acting, min(max(left/3, shortestRenewal), longestRenewal)) {
			return
		}
		renewed, err := b.renew(r.acting, lease)
		switch {
		case r.acting.Err() != nil:
			return
		case err == nil:
			lease = renewed
			// It can have another epoch: one taken while the database was away is made good
			// when it is back, and claims are fenced by the new one.
			r.lease.Store(&renewed)
		case app.CodeOf(err) == app.CodeConflict:
			r.cancelAct(endLeaseLost)
			return
		default:
			b.log.Debug("the lease could not be renewed", "error", err)
		}
	}
}

func (b *Bot) renew(ctx context.Context, lease app.Lease) (app.Lease, error) {
	limited, cancel := context.WithTimeout(ctx, patienceRead)
	defer cancel()
	return b.records.Renew(limited, lease, time.Now())
}

// pauseFor waits, and tells false where ctx ended first.
func pauseFor(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
