package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/health"
	"github.com/atozbot/atozbot/store"
)

// run runs the house until ctx ends, and ends it in order.
func (h *house) run(ctx context.Context, listener, metrics net.Listener) error {
	server := newServer(h.front, h.log)
	// What runs does not end with the signal: the end has an order of its own.
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	streams, endStreams := context.WithCancel(life)
	defer endStreams()
	group, life := errgroup.WithContext(life)

	served := make(chan error, 1)
	go func() { served <- h.serveOn(server, listener) }()
	// Before the keepers begin: nothing is called healthy that cannot be used yet.
	failed := h.openRooms()
	h.watchOver(group, life, "database keeper", h.database.Run)
	h.watchOver(group, life, "redis keeper", h.redis.Run)
	h.watchOver(group, life, "rulebook", h.rulebook.run)
	h.watchOver(group, streams, "live updates", h.hub.Run)
	group.Go(func() error { return h.desk.run(life) })
	if h.journal != nil {
		h.watchOver(group, life, "journal", h.journal.Run)
	}
	h.watchOver(group, life, "deeds of the bot", h.deeds.run)
	h.watchOver(group, life, "calendars", h.beat(busyBeat, h.busy.refresh))
	h.watchOver(group, life, "notifications", h.notifier.Run)
	h.watchOver(group, life, "digest", h.digest)
	h.watchOver(group, life, "tending", h.beat(tendEvery, h.tend))
	h.watchOver(group, life, "pruning", h.beat(pruneEvery, h.prune))
	h.watchOver(group, life, "notebook", func(ctx context.Context) error { return h.notebook.run(ctx, h.canStore, h.db.AddLogs) })

	if h.api != nil {
		h.watchOver(group, life, "audit log", h.api.Run)
	}
	h.watchOver(group, life, "greeter", h.greet)
	if metrics != nil {
		h.watchOver(group, life, "metrics", func(ctx context.Context) error { return h.serveMetrics(ctx, metrics) })
	}
	if failed == nil {
		select {
		case <-ctx.Done():
			h.log.Info("stopping: no more looks, the act in hand is finished")
		case failed = <-served:
			served <- nil
		}
	}
	h.stop(server, endStreams, end)
	h.within(patienceRest, "a part of the program", func() {
		_ = group.Wait() // What runs here tells its faults itself.
		_ = <-served
	})
	h.within(patienceRest, "the database", h.close)
	if failed != nil && !errors.Is(failed, http.ErrServerClosed) {
		return fmt.Errorf("serving: %w", failed)
	}
	h.log.Info("stopped in order")
	return nil
}

func (h *house) serveOn(server *http.Server, listener net.Listener) error {
	if h.settings.TLSCertFile != "" {
		return server.ServeTLS(listener, h.settings.TLSCertFile, h.settings.TLSKeyFile)
	}
	return server.Serve(listener)
}

// serveMetrics answers /metrics on an address of its own until ctx ends.
func (h *house) serveMetrics(ctx context.Context, listener net.Listener) error {
	mux := http.NewServeMux()
	if h.api != nil {
		mux.Handle("GET /metrics", h.api.Metrics())
	}
	server := newServer(mux, h.log)
	closed := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer closed()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// How long each step of the end may take; together less than the 10 s that are promised.
const (
	patienceAct     = 4 * time.Second
	patienceJournal = time.Second
	patienceStreams = time.Second
	patienceRest    = time.Second
)

// stop ends everything in order: the bot, the streams, the server, the rest.
func (h *house) stop(server *http.Server, endStreams, end context.CancelFunc) {
	h.stopping.Store(true)
	act, cancel := context.WithTimeout(context.Background(), patienceAct)
	defer cancel()
	if err := h.desk.shutdown(act); err != nil {
		h.log.Warn("the bot did not end in time; what it had claimed is settled at the next start", "error", err)
	}
	h.leave()
	endStreams()
	streams, cancelStreams := context.WithTimeout(context.Background(), patienceStreams)
	defer cancelStreams()
	if err := server.Shutdown(streams); err != nil {
		_ = server.Close() // Whoever still reads is cut off.
	}
	end()
}

// within waits for something that should end by itself, and no longer than that: what
// hangs must not hold up the end of the process.
func (h *house) within(patience time.Duration, what string, end func()) {
	done := make(chan struct{})
	go func() { defer close(done); end() }()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		h.log.Warn(what + " did not end in time and is left behind")
	}
}

// leave carries over what waits, as far as that is quick, and says that this replica is
// gone, so that nobody waits for it.
func (h *house) leave() {
	if h.database.State().Phase != health.Healthy {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patienceJournal)
	defer cancel()
	if h.journal != nil {
		if err := h.journal.Drain(ctx); err != nil {
			h.log.Warn("what waits in the journal is carried over with the next start", "error", err)
		}
	}
	if err := h.records.Gone(ctx, h.replica.id); err != nil {
		h.log.Debug("the end of this replica could not be noted", "error", err)
	}
}

// watchOver runs one part of the house and, where it ends by a fault, tells so and runs
// it again.
func (h *house) watchOver(group *errgroup.Group, ctx context.Context, name string, run func(context.Context) error) {
	group.Go(func() error {
		for {
			err := guard(ctx, h.log, name, run)
			if err == nil || ctx.Err() != nil {
				return nil //nolint:nilerr // With the context's end, how the part ended is of no interest.
			}
			h.log.Error("a part of the program ended by a fault and is started anew", "part", name, "fault", err)
			timer := time.NewTimer(restartPause)
			select {
			case <-ctx.Done():
				timer.Stop()
				return nil
			case <-timer.C:
			}
		}
	})
}

// guard makes an error of a panic.
func guard(ctx context.Context, log *slog.Logger, name string, run func(context.Context) error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			log.Error("panic", "part", name, "fault", fault, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", fault)
		}
	}()
	return run(ctx)
}

// sayHowToSignIn prints the set-up link where nobody can sign in yet.
func (h *house) sayHowToSignIn(ctx context.Context) {
	if h.site == nil {
		return
	}
	path, err := h.site.SetUpPath(ctx)
	switch {
	case err != nil:
		h.log.Warn("whether anybody can sign in is not known", "error", err)
	case path != "":
		// Not through the house's own log, which everyone in the dashboard can read.
		h.process.log().Info("nobody can sign in yet; set the password once at " + openAt(h.address) + path)
	}
}

// patienceGreet is how long the bot waits for the database before it begins with the
// journal alone.
const patienceGreet = 2 * time.Second

// greet lets the bot begin once the records can be asked, and says where the dashboard is.
func (h *house) greet(ctx context.Context) error {
	if !h.awaitRecords(ctx) {
		return nil
	}
	if h.journal != nil && !h.canStore() {
		h.takeUpMirror(ctx)
	}
	close(h.desk.ready)
	if !h.settings.BotAutostart {
		h.log.Info("the bot is started from the dashboard; BOT_AUTOSTART=true starts it with the program")
	}
	if !h.database.Await(ctx, (*health.State).Usable).Usable() {
		return nil
	}
	h.through.Store(true)
	h.hub.Committed()
	h.log.Info("ready: open " + openAt(h.address))
	h.noteStart(ctx)
	if h.demo {
		h.log.Info("this is the demo: the portal is a practice one inside this process, and nothing here is real")
	}
	h.sayHowToSignIn(ctx)
	<-ctx.Done()
	return nil
}

// noteStart tells the audit log that the program has begun.
func (h *house) noteStart(ctx context.Context) {
	now := time.Now()
	after, err := json.Marshal(map[string]string{"version": h.process.Build.Version, "commit": h.process.Build.Commit, "replica": h.replica.id})
	if err == nil {
		err = h.records.AddAudit(ctx, store.AuditEntry{ID: app.NewID(now), At: now, Kind: "system", Who: "system", What: "program.start", After: string(after)})
	}
	if err != nil {
		h.log.Warn("the audit log could not be written", "what", "program.start", "error", err)
	}
}

// awaitRecords waits for the database. Where there is a journal, the bot begins without
// it as soon as it is plain that the database is not there.
func (h *house) awaitRecords(ctx context.Context) bool {
	if h.journal == nil {
		return h.database.Await(ctx, (*health.State).Usable).Usable()
	}
	patience, cancel := context.WithTimeout(ctx, patienceGreet)
	defer cancel()
	h.database.Await(patience, func(s *health.State) bool { return s.Usable() || s.Retries > 0 })
	return ctx.Err() == nil
}
