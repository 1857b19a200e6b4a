package daemon

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/atozbot/atozbot/app"
)

// configurations is what the rulebook reads of the records.
type configurations interface {
	Configuration(ctx context.Context, accountID string) (app.Configuration, error)
	ConfigurationVersion(ctx context.Context, accountID string) (int64, error)
}

// rulebook is the configuration in force, from memory: nobody who decides waits for a
// database. What another process saved is noticed within half a second.
type rulebook struct {
	source  configurations
	account string
	log     *slog.Logger
	// changed is told of every new version.
	changed func(app.Configuration)

	reading sync.Mutex
	current atomic.Pointer[app.Configuration]
}

const rulebookBeat = 500 * time.Millisecond

// Configuration gives the one in force; from the records where none was read yet.
func (r *rulebook) Configuration(ctx context.Context, _ string) (app.Configuration, error) {
	if c := r.current.Load(); c != nil {
		return *c, nil
	}
	return r.refresh(ctx)
}

// known gives the one in force, or the default where none was read yet.
func (r *rulebook) known() app.Configuration {
	if c := r.current.Load(); c != nil {
		return *c
	}
	return app.DefaultConfiguration()
}

// zone is the time zone of the portal's times and of "today".
func (r *rulebook) zone() *time.Location {
	zone, err := time.LoadLocation(r.known().TimeZone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// use puts a version in force, unless a newer one is already.
func (r *rulebook) use(c app.Configuration) {
	for {
		before := r.current.Load()
		if before != nil && before.Version >= c.Version {
			return
		}
		if r.current.CompareAndSwap(before, &c) {
			if r.changed != nil {
				r.changed(c)
			}
			return
		}
	}
}

// refresh reads it now.
func (r *rulebook) refresh(ctx context.Context) (app.Configuration, error) {
	r.reading.Lock()
	defer r.reading.Unlock()
	c, err := r.source.Configuration(ctx, r.account)
	if err != nil {
		return app.Configuration{}, err
	}
	r.use(c)
	return r.known(), nil
}

// run looks for new versions until ctx ends.
func (r *rulebook) run(ctx context.Context) error {
	timer := time.NewTimer(rulebookBeat)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		if err := r.look(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, context.DeadlineExceeded) {
			r.log.Debug("the configuration cannot be read", "error", err)
		}
		timer.Reset(rulebookBeat)
	}
}

func (r *rulebook) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	version, err := r.source.ConfigurationVersion(ctx, r.account)
	if err != nil {
		return err
	}
	if c := r.current.Load(); c != nil && c.Version >= version {
		return nil
	}
	_, err = r.refresh(ctx)
	return err
}
