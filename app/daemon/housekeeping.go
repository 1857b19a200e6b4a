package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/store"
)

// The rhythm of the work that nobody waits for.
const (
	heartbeat   = time.Second // A replica says that it is there, with the probe of the database.
	tendEvery   = time.Minute // Periods, and the file of SQLite.
	pruneEvery  = time.Hour   // What is not kept for ever.
	eventsKept  = 30 * 24 * time.Hour
	choreBounds = 20 * time.Second
)

// beat runs a chore at once and then in its rhythm, while the database can be used. A
// chore that fails is done the next time.
func (h *house) beat(every time.Duration, chore func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		timer := time.NewTimer(0)
		defer timer.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-timer.C:
			}
			if h.database.State().Usable() {
				bounded, cancel := context.WithTimeout(ctx, choreBounds)
				if err := chore(bounded); err != nil && ctx.Err() == nil {
					h.log.Debug("a chore was left for the next time", "error", err)
				}
				cancel()
			}
			timer.Reset(every)
		}
	}
}

// here says that this replica is alive.
func (h *house) here(ctx context.Context) error {
	now := time.Now()
	h.written.Store(now.UnixMilli())
	return h.records.Here(ctx, store.Replica{ID: h.replica.id, Version: h.process.Build.Version, StartedAt: h.started, SeenAt: now})
}

// tend closes the periods that are over, tells those that are new, and looks after a
// SQLite file.
func (h *house) tend(ctx context.Context) error {
	closed, err := h.db.ClosePeriods(ctx, app.DefaultAccountID, time.Now(), h.rulebook.zone())
	if err != nil {
		return err
	}
	if len(closed) > 0 {
		newest := closed[len(closed)-1]
		data, err := json.Marshal(map[string]any{
			"message": "The figures of a period are there.", "period_start": newest.Start.UTC(), "period_end": newest.End.UTC(),
		})
		if err != nil {
			return err
		}
		now := time.Now()
		event := app.Event{Key: app.NewID(now), Type: app.EventAnalytics, AccountID: app.DefaultAccountID, At: now, Data: data}
		if err := h.db.Save(ctx, app.Record{AccountID: app.DefaultAccountID, At: now, Events: []app.Event{event}}); err != nil {
			return err
		}
	}
	return h.db.Tend(ctx)
}

// prune lets go of what is not kept for ever. Work that was won is never among it. What
// another replica has sealed with an older key since the start is sealed anew with it.
func (h *house) prune(ctx context.Context) error {
	_, err := h.db.Prune(ctx, time.Now().Add(-eventsKept))
	return errors.Join(err, h.db.PruneSignIns(ctx, time.Now()), h.account.safe.keepUp(ctx))
}
