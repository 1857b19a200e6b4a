package daemon

import (
	"context"
	"encoding/json"
	"iter"
	"log/slog"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/api"
	"github.com/atozbot/atozbot/app/rules"
	"github.com/atozbot/atozbot/store"
)

// checkConfiguration says whether a configuration can be in force.
func checkConfiguration(c app.Configuration) error {
	_, err := rules.Compile(c)
	return err
}

// versions are the versions of the configuration, as everybody changes them.
type versions struct {
	db       *store.Store
	account  string
	rulebook *rulebook
	now      func() time.Time
	log      *slog.Logger
	changed  func() // Told of every version saved here; may be nil.
}

// Active gives the one in force, from memory.
func (v versions) Active(ctx context.Context) (app.Configuration, error) {
	return v.rulebook.Configuration(ctx, v.account)
}

// Save stores c as a new version in force.
func (v versions) Save(ctx context.Context, c app.Configuration, by string) (app.Configuration, error) {
	saved, err := v.db.SaveConfiguration(ctx, v.account, c, by, v.now(), v.event(app.EventConfiguration, c, "The configuration was saved by "+by+"."))
	return v.inForce(saved, err)
}

// Undo brings back the version before.
func (v versions) Undo(ctx context.Context, by string) (app.Configuration, error) {
	c, err := v.Active(ctx)
	if err != nil {
		return app.Configuration{}, err
	}
	saved, err := v.db.UndoConfiguration(ctx, v.account, by, v.now(), v.event(app.EventConfiguration, c, "The last change of the configuration was undone by "+by+"."))
	return v.inForce(saved, err)
}

func (v versions) inForce(c app.Configuration, err error) (app.Configuration, error) {
	if err != nil {
		return app.Configuration{}, err
	}
	v.rulebook.use(c)
	if v.changed != nil {
		v.changed()
	}
	return c, nil
}

// Versions lists them, newest first.
func (v versions) Versions(ctx context.Context, w api.Window) (api.Page[app.Configuration], error) {
	page, err := v.db.Configurations(ctx, v.account, storeWindow(w))
	return apiPage(page, err, same)
}

// Refresh re-reads it now, and tells so.
func (v versions) Refresh(ctx context.Context) (app.Configuration, error) {
	c, err := v.rulebook.refresh(ctx)
	if err != nil {
		return app.Configuration{}, err
	}
	event := v.event(app.EventConfigRefresh, c, "The configuration was read anew.")
	if err := v.db.Save(ctx, app.Record{AccountID: v.account, At: v.now(), Events: []app.Event{event}}); err != nil {
		v.log.Warn("that the configuration was read anew could not be told", "error", err)
	}
	return c, nil
}

// event is what everyone watching is told, with the predecessor's fields.
func (v versions) event(kind string, c app.Configuration, message string) app.Event {
	data, err := json.Marshal(map[string]any{
		"config_name": c.ConfigName, "check_interval_seconds": c.CheckIntervalSeconds, "max_accept_per_run": c.MaxAcceptPerRun,
		"job_type_filter": c.JobTypeFilter, "mode": c.Mode, "message": message,
	})
	if err != nil { // Only a number that JSON has no word for; it was checked.
		data = json.RawMessage("{}")
	}
	now := v.now()
	return app.Event{Key: app.NewID(now), Type: kind, AccountID: v.account, At: now, Data: data}
}

// examples is how many changed jobs a back-test shows.
const examples = 500

// backtest decides what was recorded since then with other rules.
func (v versions) backtest(ctx context.Context, c app.Configuration, since time.Time, examples int) (rules.Backtest, error) {
	set, err := rules.Compile(c)
	if err != nil {
		return rules.Backtest{}, err
	}
	return set.Backtest(v.recorded(ctx, since), rules.BacktestOptions{Examples: examples})
}

// recorded gives the account's jobs since then.
func (v versions) recorded(ctx context.Context, since time.Time) iter.Seq2[app.JobRecord, error] {
	return func(yield func(app.JobRecord, error) bool) {
		stopped := false
		err := v.db.EachJob(ctx, store.JobFilter{AccountID: v.account, Since: since}, func(j app.JobRecord) error {
			if !yield(j, nil) {
				stopped = true
				return context.Canceled
			}
			return nil
		})
		if err != nil && !stopped {
			yield(app.JobRecord{}, err)
		}
	}
}

// Backtest says it as the API shows it.
func (v versions) Backtest(ctx context.Context, c app.Configuration, since time.Time) (api.BacktestResult, error) {
	began := time.Now()
	b, err := v.backtest(ctx, c, since, examples)
	if err != nil {
		return api.BacktestResult{}, err
	}
	return api.BacktestResult{
		Since: since.UTC(), Jobs: int64(b.Jobs), Took: float64(time.Since(began).Microseconds()) / 1000,
		WouldAccept: int64(b.WouldAccept), DidAccept: int64(b.DidAccept),
		More: apiChanges(b.MoreJobs), Fewer: apiChanges(b.FewerJobs), MoreCount: int64(b.More), FewerCount: int64(b.Fewer),
	}, nil
}

func apiChanges(changes []rules.Change) []api.BacktestChange {
	shown := make([]api.BacktestChange, len(changes))
	for i, c := range changes {
		shown[i] = api.BacktestChange{
			ID: c.Job.ID, JobRef: c.Job.Ref, Language: c.Job.Language, AppointmentDate: textOrNil(c.Job.Date), AppointmentTime: textOrNil(c.Job.Time),
			Duration: c.Job.DurationText, JobType: textOrNil(c.Job.JobType), Was: c.Job.Status, Verdict: c.Verdict, Rule: textOrNil(c.Rule), Reason: c.Reason,
		}
	}
	return shown
}
