package daemon

import (
	"context"
	"fmt"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/bot"
	"github.com/atozbot/atozbot/app/health"
	"github.com/atozbot/atozbot/app/web"
	"github.com/atozbot/atozbot/store"
)

// webBot is the bot as the pages see and steer it.
type webBot struct {
	apiBot
	db      *store.Store
	missing func() []string // Settings without which the bot cannot start.
}

// Status gives what is so now, from memory.
func (w webBot) Status(context.Context) web.BotStatus {
	s := w.desk.bot().Status()
	v := web.BotStatus{
		Session: s.Session, Mode: s.Mode, LastLook: s.LastBoard, OnBoard: s.OnBoard, Interval: s.Interval, RealInterval: s.RealInterval,
		Cap: s.Cap, CapReached: s.CapReached, MissingSettings: w.missing(), NotActing: s.Barred, Replica: w.replica, Holder: s.Holder,
	}
	if v.Mode == "" {
		v.Mode = w.rulebook.known().Mode
	}
	if s.Problem != "" {
		v.Problem = &web.Problem{Class: s.Page, Reason: s.Problem, Since: s.ProblemSince, RetryAt: s.BackOffUntil}
	}
	if s.Breaker.Open {
		v.Breaker = &web.Breaker{Reason: s.Breaker.Reason, Since: s.Breaker.At, NeedsYou: s.Breaker.ByUser}
	}
	return v
}

// Start starts a session.
func (w webBot) Start(ctx context.Context, name string) error {
	_, err := w.apiBot.Start(ctx, name)
	return err
}

// Again takes the stop of a session back.
func (w webBot) Again(ctx context.Context, sessionID string) error {
	return w.desk.after(w.desk.bot().Again(ctx, sessionID))
}

// AcceptJob answers "ask" with yes.
func (w webBot) AcceptJob(ctx context.Context, id string) error {
	return w.answer(ctx, id, bot.AnswerAccept)
}

// LeaveJob answers "ask" with no.
func (w webBot) LeaveJob(ctx context.Context, id string) error {
	return w.answer(ctx, id, bot.AnswerLeave)
}

// AskAgain takes LeaveJob back.
func (w webBot) AskAgain(ctx context.Context, id string) error {
	return w.answer(ctx, id, bot.AnswerNone)
}

func (w webBot) answer(ctx context.Context, id string, given bot.Answer) error {
	trace, err := w.db.Job(ctx, id)
	if err != nil {
		return err
	}
	return w.desk.after(w.desk.bot().AnswerAsk(ctx, trace.Job.Number, given))
}

// webJobs are the recorded jobs as the pages ask for them.
type webJobs struct {
	db      *store.Store
	account string
	busy    *busyBook
}

func (w webJobs) filter(f web.JobFilter) store.JobFilter {
	filter := store.JobFilter{
		SessionID: f.SessionID, Language: f.Language, Query: f.Query, Since: f.Since, Until: f.Until,
		Window: store.Window{Limit: f.Limit, Cursor: f.Cursor},
	}
	if f.Own {
		filter.AccountID = w.account
	}
	yes, no := true, false
	switch f.Kind {
	case web.KindAsk:
		filter.Asking = &yes
	case web.KindAccepted:
		filter.Statuses = []app.JobStatus{app.JobAccepted}
	case web.KindLost:
		filter.Statuses = []app.JobStatus{app.JobLost}
	case web.KindLeft:
		filter.Statuses, filter.Asking = []app.JobStatus{app.JobMatched}, &no
	case web.KindRejected:
		filter.Statuses = []app.JobStatus{app.JobRejected}
	case web.KindFailed:
		filter.Statuses = []app.JobStatus{app.JobRefused, app.JobFailed, app.JobUnknown}
	}
	return filter
}

// Jobs gives one page, newest first.
func (w webJobs) Jobs(ctx context.Context, f web.JobFilter) (web.JobPage, error) {
	page, err := w.db.JobsAfter(ctx, w.filter(f))
	return web.JobPage{Jobs: page.Items, Next: page.Next}, err
}

// Counts counts what the filter leaves, by kind.
func (w webJobs) Counts(ctx context.Context, f web.JobFilter) (web.JobCounts, error) {
	f.Kind = web.KindAny
	c, err := w.db.CountJobs(ctx, w.filter(f))
	return web.JobCounts{
		All: c.Jobs, Ask: c.Asking, Accepted: c.Accepted, Lost: c.Lost, Left: c.Matched - c.Asking, Rejected: c.Rejected, Failed: c.Refused + c.Failed + c.Unknown,
	}, err
}

// Job gives one job with its newest decision.
func (w webJobs) Job(ctx context.Context, id string) (web.JobTrace, error) {
	trace, err := w.db.Job(ctx, id)
	if err != nil {
		return web.JobTrace{}, err
	}
	found := web.JobTrace{Job: trace.Job, Claims: trace.Claims}
	if len(trace.Decisions) > 0 {
		found.Decision = &trace.Decisions[0]
	}
	return found, nil
}

// Languages gives the languages seen.
func (w webJobs) Languages(ctx context.Context) ([]string, error) { return w.db.Languages(ctx) }

// Bookings gives accepted jobs whose appointment touches the stretch.
func (w webJobs) Bookings(ctx context.Context, from, to time.Time) ([]app.JobRecord, error) {
	return w.db.Bookings(ctx, w.account, from, to)
}

// Busy gives the entries of busy calendars in the stretch.
func (w webJobs) Busy(_ context.Context, from, to time.Time) ([]app.Booking, error) {
	return w.busy.between(from, to), nil
}

// webConfigurations is the configuration as the pages change it.
type webConfigurations struct{ versions versions }

func nameOf(by web.Person) string {
	if by.Name == "" {
		return "this computer"
	}
	return by.Name
}

// Configuration gives the one in force.
func (w webConfigurations) Configuration(ctx context.Context) (app.Configuration, error) {
	return w.versions.Active(ctx)
}

// Check says whether it can be.
func (w webConfigurations) Check(c app.Configuration) error { return checkConfiguration(c) }

// Save stores it as the next version.
func (w webConfigurations) Save(ctx context.Context, c app.Configuration, by web.Person) (app.Configuration, error) {
	return w.versions.Save(ctx, c, nameOf(by))
}

// Undo goes back to the version before.
func (w webConfigurations) Undo(ctx context.Context, by web.Person) (app.Configuration, error) {
	return w.versions.Undo(ctx, nameOf(by))
}

// Versions gives the newest versions.
func (w webConfigurations) Versions(ctx context.Context, limit int) ([]app.Configuration, error) {
	page, err := w.versions.db.Configurations(ctx, w.versions.account, store.Window{Limit: limit})
	return page.Items, err
}

// pageExamples is how many changed jobs the page of the rules shows.
const pageExamples = 50

// BackTest says what the rules would have done.
func (w webConfigurations) BackTest(ctx context.Context, c app.Configuration, since time.Time) (web.BackTest, error) {
	began := time.Now()
	b, err := w.versions.backtest(ctx, c, since, pageExamples)
	if err != nil {
		return web.BackTest{}, err
	}
	shown := web.BackTest{Jobs: b.Jobs, Accepted: b.WouldAccept, More: b.More, Fewer: b.Fewer, Took: time.Since(began)}
	for _, change := range b.MoreJobs {
		shown.MoreJobs = append(shown.MoreJobs, change.Job)
	}
	for _, change := range b.FewerJobs {
		shown.FewerJobs = append(shown.FewerJobs, change.Job)
	}
	return shown, nil
}

// webHealth is what the monitor knows, as the pages show it.
type webHealth struct {
	monitor         *health.Monitor
	database, redis *health.Keeper
	desk            *desk
	journal         *store.Journaled // nil where there is none.
	waiting         func() int       // Steps in the journal.
	started         func() bool
	check           func()
}

// Snapshot gives the state of everything the bot stands on.
func (w webHealth) Snapshot() web.HealthSnapshot {
	database := w.database.State()
	v := web.HealthSnapshot{Started: w.started(), Journaled: w.waiting()}
	if database.Phase == health.Degraded {
		v.Fallback = database.Problem.Words
	}
	status := w.desk.bot().Status()
	v.Services = []web.Service{keptService(database, true), keptService(w.redis.State(), false), portalService(status), sessionService(status)}
	if w.journal != nil {
		v.Services = append(v.Services, journalService(w.journal.JournalState()))
	}
	v.Services = append(v.Services, web.Service{Name: "websocket", State: web.ServiceHealthy})
	return v
}

// journalService is the journal as the pages show it.
func journalService(s store.JournalState) web.Service {
	v := web.Service{Name: "journal", State: web.ServiceHealthy, LastGood: s.Mirrored}
	switch {
	case s.Broken.Reason != "":
		v.State, v.Reason, v.Advice = web.ServiceUnhealthy, s.Broken.Reason, s.Broken.Advice
	case s.Parked > 0:
		v.State, v.Reason = web.ServiceDegraded, fmt.Sprintf("%d steps were refused by the database and are kept: %s", s.Parked, s.Reason)
	case s.Waiting > 0:
		v.State, v.Reason = web.ServiceDegraded, fmt.Sprintf("%d steps wait to be carried over", s.Waiting)
	}
	return v
}

// CheckNow asks every dependency anew, without waiting for the answers.
func (w webHealth) CheckNow() { w.check() }

func keptService(s *health.State, essential bool) web.Service {
	v := web.Service{
		Name: s.Name, State: web.ServiceState(s.Phase), Reason: s.Problem.Words, Advice: s.Problem.Advice, Essential: essential,
		Attempt: s.Attempt, Attempts: s.Attempts, Retries: s.Retries, LastCheck: s.LastCheck, LastGood: s.LastGood, NextTry: s.NextTry,
	}
	if v.Reason == "" && s.Phase != health.Healthy {
		v.Reason = s.Stage
	}
	return v
}

func portalService(s bot.Status) web.Service {
	v := web.Service{Name: "portal", State: web.ServiceOff, LastCheck: s.LastLook, LastGood: s.LastBoard, NextTry: s.BackOffUntil}
	switch portalStatus(s).Status {
	case health.StatusHealthy:
		v.State = web.ServiceHealthy
	case health.StatusUnhealthy:
		v.State, v.Reason = web.ServiceUnhealthy, s.Problem
	case health.StatusConnecting:
		v.State = web.ServiceStarting
	}
	return v
}

func sessionService(s bot.Status) web.Service {
	v := web.Service{Name: "session", State: web.ServiceOff, LastCheck: s.LastLook, LastGood: s.LastBoard}
	switch s.Session.Status {
	case app.SessionRunning, app.SessionPaused:
		v.State = web.ServiceHealthy
		if s.Barred != "" || s.RecordsError != "" {
			v.State, v.Reason = web.ServiceDegraded, firstOf(s.Barred, s.RecordsError)
		}
	case app.SessionStarting:
		v.State = web.ServiceStarting
	case app.SessionError:
		v.State, v.Reason = web.ServiceUnhealthy, s.LastError
	}
	return v
}
