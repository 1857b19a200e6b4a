package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/api"
	"github.com/atozbot/atozbot/app/bot"
	"github.com/atozbot/atozbot/app/config"
	"github.com/atozbot/atozbot/app/health"
	"github.com/atozbot/atozbot/app/live"
	"github.com/atozbot/atozbot/app/notify"
	"github.com/atozbot/atozbot/app/portal"
	"github.com/atozbot/atozbot/app/web"
	"github.com/atozbot/atozbot/store"
)

// house is everything that runs, and what it stands on.
type house struct {
	process  Process
	settings config.Settings
	demo     bool
	log      *slog.Logger
	notebook *notebook
	started  time.Time
	address  string

	replica  replica
	account  *account
	busy     *busyBook
	feed     *feed
	channels *channels
	notifier *notify.Notifier
	db       *store.Store
	journal  *store.Journaled // nil where the database is a file of this machine.
	records  records          // The one or the other.
	carrier  *carrier
	deeds    *deeds

	database, redis *health.Keeper
	monitor         *health.Monitor
	rulebook        *rulebook
	desk            *desk
	hub             *live.Hub
	front           *front
	api             *api.Server
	figures         *figures
	site            *web.Site

	through  atomic.Bool // The start is through: the database was there once.
	stopping atomic.Bool
	migrated atomic.Bool  // The tables are there, as far as this process knows.
	written  atomic.Int64 // When a probe last wrote, in ms.
}

// records is what the bot works with: a database of this machine, or PostgreSQL with a
// journal beside it.
type records interface {
	bot.Records
	bot.Wishes
	configurations
	AddAudit(ctx context.Context, e store.AuditEntry) error
	Here(ctx context.Context, r store.Replica) error
	Gone(ctx context.Context, id string) error
	Close() error
}

// open makes everything that listening does not need to wait for: nothing is connected,
// nothing runs.
func (h *house) open(client *portal.Client) error {
	var err error
	if h.replica, err = thisReplica(h.settings.DataDir, h.started); err != nil {
		h.log.Warn("the name of this replica cannot be kept over restarts", "error", err)
	}
	if err := h.openDatabase(); err != nil {
		return err
	}
	if h.carrier, err = openRedis(h.settings, h.replica.id, h.log); err != nil {
		return errors.Join(err, h.records.Close())
	}
	h.deeds = newDeeds(h.records.AddAudit, h.log)
	h.rulebook = &rulebook{source: h.records, account: app.DefaultAccountID, log: h.log, changed: h.newRules}
	safe := openSafe(h.settings, h.db, h.log)
	h.figures = newFigures()
	h.account = newAccount(h.settings, safe, client, h.rulebook, h.figures, h.log.With(partKey, "portal"))
	h.busy = &busyBook{
		db: h.db, safe: safe, account: app.DefaultAccountID, book: h.rulebook, client: addresses{private: h.settings.AllowPrivateAddresses}.client(longestFetch),
		now: time.Now, log: h.log.With(partKey, "calendars"),
	}
	h.feed = &feed{db: h.db, safe: safe, account: app.DefaultAccountID, version: h.process.Build.Version, now: time.Now}
	h.channels = &channels{db: h.db, safe: safe, account: app.DefaultAccountID, now: time.Now, figures: h.figures}
	h.notifier = notify.New(notify.Options{
		Channels: h.channels, Dial: addresses{private: h.settings.AllowPrivateAddresses}.dial, Log: h.log.With(partKey, "notifications"),
	})
	h.channels.test = h.notifier.Test
	if h.journal != nil {
		safe.mirror, h.busy.mirror, h.channels.mirror = h.journal, h.journal, h.journal
	}
	h.database = h.keepDatabase()
	h.redis = keepRedis(h.settings, h.carrier, h.log)
	h.desk = newDesk(h.makeBot, h.settings.BotAutostart, h.log.With(partKey, "bot"))
	h.hub = h.makeHub()
	h.desk.changed, h.account.changed = h.hub.Changed, h.hub.Changed
	h.monitor = health.NewMonitor(health.MonitorOptions{
		Version: h.process.Build.Version, Database: h.database, Redis: h.redis, Ready: h.ready, More: h.more,
		Others: map[string]func() health.Service{
			"bot_process":  func() health.Service { return botStatus(h.desk.bot().Status()) },
			"external_api": func() health.Service { return portalStatus(h.desk.bot().Status()) },
			"websocket":    liveStatus(h.started, h.hub.Listeners, time.Now),
		},
	})
	h.front = newFront(h.monitor, h.log, h.canStore, h.settings.TLSCertFile != "")
	return nil
}

// close gives back what open took.
func (h *house) close() {
	for _, err := range []error{h.account.close(), h.carrier.close(), h.records.Close()} {
		if err != nil {
			h.log.Warn("something could not be closed", "error", err)
		}
	}
	h.replica.leave()
}

// makeBot makes a bot on what the house stands on.
func (h *house) makeBot() *bot.Bot {
	return bot.New(bot.Options{
		AccountID: app.DefaultAccountID, Holder: h.replica.id,
		Portal:      h.account,
		Records:     &botRecords{records: h.records, rulebook: h.rulebook, busy: h.busy, figures: h.figures, deeds: h.deeds},
		Wishes:      h.records,
		Credentials: h.account.credentials, Memory: newMemory(h.account), Random: rand.Float64, Log: h.log.With(partKey, "bot"),
	})
}

// botRecords are the records with the configuration and the user's own calendars from
// memory.
type botRecords struct {
	records
	rulebook *rulebook
	busy     *busyBook
	figures  *figures
	deeds    *deeds
}

// Tally gives what the account has already taken, and what its calendars keep busy.
func (r *botRecords) Tally(ctx context.Context, accountID, sessionID string, from time.Time) (app.Tally, error) {
	t, err := r.records.Tally(ctx, accountID, sessionID, from)
	return r.busy.addTo(t), err
}

// Claim stores a claim; its check sees the calendars too.
func (r *botRecords) Claim(ctx context.Context, c app.Claim, check func(app.Tally) error) (app.Claim, error) {
	return r.records.Claim(ctx, c, func(t app.Tally) error { return check(r.busy.addTo(t)) })
}

// Save stores a step, and counts and notes what it says once it is stored.
func (r *botRecords) Save(ctx context.Context, step app.Record) error {
	if err := r.records.Save(ctx, step); err != nil {
		return err
	}
	r.figures.recorded(step)
	r.deeds.note(step)
	return nil
}

// Configuration gives the one in force.
func (r *botRecords) Configuration(ctx context.Context, accountID string) (app.Configuration, error) {
	return r.rulebook.Configuration(ctx, accountID)
}

// newRules is told of every configuration that comes into force.
func (h *house) newRules(c app.Configuration) {
	h.log.Debug("a configuration is in force", "version", c.Version)
	if h.desk != nil {
		h.desk.bot().Notify()
	}
}

// tell passes stored events on. Those that come late were told when they happened.
func (h *house) tell(events []app.Event, late bool) {
	if !late {
		h.notifier.Tell(events...)
	}
	if len(events) > 0 && events[0].ID == 0 && !late {
		h.hub.Tell(events...)
		return
	}
	h.hub.Committed()
}

// trouble is told of every failure of the database that somebody met.
func (h *house) trouble(error) {
	if h.database != nil {
		h.database.Suspect()
	}
}

// away is why nobody but its keeper need ask PostgreSQL. One that has no room left, or
// takes nothing for now, still answers what is read.
func (h *house) away() (reason string) {
	if h.database == nil {
		return ""
	}
	switch s := h.database.State(); {
	case s.Usable() || store.Readable(s.Problem.Words):
		return ""
	case s.Problem.Words != "":
		return s.Problem.Words
	case s.Stage != "":
		return s.Stage
	default:
		return "connecting"
	}
}

// makeHub makes the hub of live updates.
func (h *house) makeHub() *live.Hub {
	shown := apiBot{desk: h.desk, replica: h.replica.id, rulebook: h.rulebook}
	records := h.apiRecords()
	return live.New(live.Options{
		Store: h.db, Bus: live.NewRedis(h.carrier.client, "atozbot:events"), From: h.replica.id,
		Status: func() json.RawMessage { return api.StatusJSON(shown) },
		Metrics: func(ctx context.Context) (json.RawMessage, error) {
			metrics, err := records.Metrics(ctx)
			if err != nil {
				return nil, err
			}
			return json.Marshal(metrics)
		},
		Log: h.log.With(partKey, "live"),
	})
}

func (h *house) apiRecords() apiRecords {
	return apiRecords{Store: h.db, account: app.DefaultAccountID, rulebook: h.rulebook, now: time.Now}
}

// keepDatabase makes the database's keeper: connect, then migrate.
func (h *house) keepDatabase() *health.Keeper {
	s := h.settings
	keeper := health.NewKeeper(health.Options{
		Name: "database", Label: "the database", Log: h.log.With(partKey, "database"), UsedUp: h.fallBack,
		Stages: []health.Stage{
			{Attempts: s.DBConnectAttempts, Delay: s.DBConnectDelay, Try: h.connectDatabase},
			{Name: "migrating", Attempts: s.DBMigrateAttempts, Delay: s.DBMigrateDelay, Try: h.prepareDatabase, Unbounded: true},
		},
		Probe: h.probeDatabase, Explain: explainDatabase,
	})
	if h.journal != nil {
		keeper.Subscribe(func(s *health.State) { h.journal.Healthy(s.Phase == health.Healthy) })
	}
	return keeper
}

// connectDatabase sees whether the database takes questions and, once there are tables,
// also what is written.
func (h *house) connectDatabase(ctx context.Context) error {
	ctx = store.Keeping(ctx)
	if err := h.db.Ping(ctx); err != nil || !h.migrated.Load() {
		return err
	}
	return h.here(ctx)
}

// probeDatabase is the same, with a write once a second: a full disk answers questions as
// if nothing were wrong.
func (h *house) probeDatabase(ctx context.Context) error {
	if time.Since(time.UnixMilli(h.written.Load())) < heartbeat {
		return h.db.Ping(ctx)
	}
	return h.connectDatabase(ctx)
}

// prepareDatabase makes a database that answers one that can be worked with.
func (h *house) prepareDatabase(ctx context.Context) error {
	ctx = store.Keeping(ctx)
	checked, err := h.db.CheckAfterCrash(ctx)
	if err != nil {
		return err
	}
	if checked {
		h.log.Info("the last process did not end in order; the database file was looked through and is whole")
	}
	steps, err := h.db.Migrate(ctx, store.Up, store.Latest)
	for _, step := range steps {
		h.log.Info("migration applied", "name", step.Name, "took", step.Took.Round(time.Millisecond))
	}
	if err != nil {
		return err
	}
	now := time.Now()
	if err := h.db.EnsureAccount(ctx, now); err != nil {
		return err
	}
	c, err := h.db.EnsureConfiguration(ctx, app.DefaultAccountID, h.settings.FirstConfiguration(), "settings", now)
	if err != nil {
		return err
	}
	h.rulebook.use(c)
	h.migrated.Store(true)
	return h.takeUp(ctx)
}

// takeUpMirror takes over what the mirror holds, where the bot begins without the
// database: what calendars keep busy, and the log-in.
func (h *house) takeUpMirror(ctx context.Context) {
	for _, take := range []func(context.Context) error{h.busy.takeOver, h.account.load} {
		if err := take(ctx); err != nil {
			h.log.Warn("what the journal knows of calendars and the log-in cannot be taken up", "error", err)
		}
	}
}

// takeUp takes over what the database holds for this process: secrets, calendars, the
// log-in. Only a database that is away is worth another try; what else is wrong is told
// and must not keep the program from working.
func (h *house) takeUp(ctx context.Context) error {
	for _, take := range []func(context.Context) error{h.account.safe.keepUp, h.busy.takeOver, h.account.load} {
		switch err := take(ctx); {
		case app.CodeOf(err) == app.CodeUnavailable:
			return err
		case err != nil:
			h.log.Error("what is stored in the database cannot be taken up", "error", err)
		}
	}
	return nil
}
