package daemon

import (
	"context"
	"strconv"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/api"
	"github.com/atozbot/atozbot/app/bot"
	"github.com/atozbot/atozbot/store"
)

// apiBot is the bot as the API asks for it.
type apiBot struct {
	desk     *desk
	replica  string
	rulebook *rulebook
}

// Status gives what is so now, from memory.
func (a apiBot) Status() api.BotStatus {
	s := a.desk.bot().Status()
	v := api.BotStatus{
		IsRunning: s.Running(), Status: s.Session.Status, LoginStatus: s.Session.LoginStatus,
		SessionID: textOrNil(s.Session.ID), SessionName: textOrNil(s.Session.Name), StartTime: timeOrNil(s.Session.StartedAt),
		TotalChecks: s.Session.TotalChecks, TotalAccepted: s.Session.TotalAccepted, TotalRejected: s.Session.TotalRejected,
		Mode: s.Mode, CapReached: s.CapReached, LastLook: timeOrNil(s.LastLook), LastError: textOrNil(firstOf(s.LastError, s.Problem, s.Barred)),
		Replica: a.replica, Holder: textOrNil(s.Holder), IsHolder: s.IsHolder,
	}
	if v.Mode == "" {
		v.Mode = a.rulebook.known().Mode
	}
	return v
}

// Start starts a session.
func (a apiBot) Start(ctx context.Context, name string) (app.Session, error) {
	session, err := a.desk.bot().Start(ctx, name)
	return session, a.desk.after(err)
}

// Stop stops the session.
func (a apiBot) Stop(ctx context.Context) error { return a.desk.after(a.desk.bot().Stop(ctx)) }

// Toggle stops what runs, and starts what does not.
func (a apiBot) Toggle(ctx context.Context) error {
	_, err := a.desk.bot().Toggle(ctx)
	return a.desk.after(err)
}

// ForceReset stops, and clears what hangs.
func (a apiBot) ForceReset(ctx context.Context) error {
	return a.desk.after(a.desk.bot().ForceReset(ctx))
}

// Pause has the bot look and not act.
func (a apiBot) Pause(ctx context.Context) error { return a.desk.after(a.desk.bot().Pause(ctx)) }

// Resume has a paused bot act again.
func (a apiBot) Resume(ctx context.Context) error { return a.desk.after(a.desk.bot().Resume(ctx)) }

// Rearm closes the breaker.
func (a apiBot) Rearm(ctx context.Context) error { return a.desk.after(a.desk.bot().Rearm(ctx)) }

// Answer takes the user's answer to a job.
func (a apiBot) Answer(ctx context.Context, number string, accept bool) error {
	answer := bot.AnswerLeave
	if accept {
		answer = bot.AnswerAccept
	}
	return a.desk.after(a.desk.bot().AnswerAsk(ctx, number, answer))
}

func textOrNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func timeOrNil(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	at = at.UTC()
	return &at
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// apiRecords are the records as the API asks for them.
type apiRecords struct {
	*store.Store
	account  string
	rulebook *rulebook
	now      func() time.Time
}

func storeWindow(w api.Window) store.Window {
	return store.Window{Limit: w.Limit, Offset: w.Offset, Cursor: w.Cursor}
}

func apiPage[T, U any](page store.Page[T], err error, change func(T) U) (api.Page[U], error) {
	if err != nil {
		return api.Page[U]{}, err
	}
	items := make([]U, len(page.Items))
	for i, item := range page.Items {
		items[i] = change(item)
	}
	return api.Page[U]{Items: items, Total: page.Total, Next: page.Next}, nil
}

func same[T any](item T) T { return item }

// Sessions lists the sessions.
func (a apiRecords) Sessions(ctx context.Context, f api.SessionFilter) (api.Page[app.Session], error) {
	page, err := a.ListSessions(ctx, storeWindow(f.Window))
	return apiPage(page, err, same)
}

func storeJobFilter(f api.JobFilter) store.JobFilter {
	filter := store.JobFilter{
		AccountID: f.AccountID, SessionID: f.SessionID, Language: f.Language, Query: f.Query, Since: f.Since, Until: f.Until,
		Window: storeWindow(f.Window),
	}
	if f.Status != "" {
		filter.Statuses = []app.JobStatus{f.Status}
	}
	return filter
}

// Jobs lists jobs.
func (a apiRecords) Jobs(ctx context.Context, f api.JobFilter) (api.Page[app.JobRecord], error) {
	page, err := a.ListJobs(ctx, storeJobFilter(f))
	return apiPage(page, err, same)
}

// Job gives one job with its newest decision.
func (a apiRecords) Job(ctx context.Context, id string) (api.JobTrace, error) {
	trace, err := a.Store.Job(ctx, id)
	if err != nil {
		return api.JobTrace{}, err
	}
	found := api.JobTrace{Job: trace.Job, Claims: trace.Claims}
	if len(trace.Decisions) > 0 {
		found.Decision = &trace.Decisions[0]
	}
	return found, nil
}

// EachJob gives every job that the filter leaves.
func (a apiRecords) EachJob(ctx context.Context, f api.JobFilter, yield func(app.JobRecord) error) error {
	return a.Store.EachJob(ctx, storeJobFilter(f), yield)
}

// Logs lists lines of the log.
func (a apiRecords) Logs(ctx context.Context, f api.LogFilter) (api.Page[app.LogEntry], error) {
	page, err := a.Store.Logs(ctx, store.LogFilter{
		SessionID: f.SessionID, Level: f.Level, Component: f.Component, Query: f.Query, Since: f.Since, Until: f.Until, Window: storeWindow(f.Window),
	})
	return apiPage(page, err, same)
}

// Analytics counts the last hours.
func (a apiRecords) Analytics(ctx context.Context, hours int) (api.Analytics, error) {
	now := a.now()
	figures, err := a.Store.Analytics(ctx, store.Span{From: now.Add(-time.Duration(hours) * time.Hour), To: now})
	if err != nil {
		return api.Analytics{}, err
	}
	return analyticsOf(figures, hours), nil
}

func analyticsOf(f store.Figures, hours int) api.Analytics {
	v := api.Analytics{
		PeriodHours: hours, TotalJobsProcessed: f.Jobs, JobsAccepted: f.Accepted, JobsRejected: f.Rejected,
		AcceptanceRate: f.AcceptanceRate(), MostCommonLanguage: textOrNil(f.MostCommonLanguage()),
		LanguageDistribution: map[string]int64{}, HourlyDistribution: map[string]int64{}, LanguagesOfAccepted: map[string]int64{},
		JobsMatched: f.Matched, JobsLost: f.Lost, JobsRefused: f.Refused, JobsFailed: f.Failed, JobsUnknown: f.Unknown,
		DayParts:         map[string]int64{"morning": 0, "afternoon": 0, "evening": 0, "night": 0},
		Funnel:           api.Funnel{Seen: f.Jobs, Fitting: f.Fitting, Tried: f.Tried, Won: f.Accepted},
		MedianReactionMS: medianReaction(f.Reactions),
	}
	if peak := f.PeakHour(); peak >= 0 {
		v.PeakHour = &peak
	}
	for _, language := range f.Languages {
		v.LanguageDistribution[language.Value] = language.Jobs
		if language.Accepted > 0 {
			v.LanguagesOfAccepted[language.Value] = language.Accepted
		}
	}
	for hour, counts := range f.Hours {
		if counts.Jobs > 0 {
			v.HourlyDistribution[strconv.Itoa(hour)] = counts.Jobs
		}
		v.DayParts[dayPart(hour)] += counts.Jobs
	}
	if hours > 0 {
		v.AcceptancesPerHour = float64(f.Accepted) / float64(hours)
	}
	return v
}

// medianReaction is the bound of the class in which the middle one of the tried jobs
// stands; nil where nothing was tried, or where it lies above all bounds.
func medianReaction(classes []store.Named) *float64 {
	var all, sum int64
	for _, class := range classes {
		all += class.Jobs
	}
	for _, class := range classes {
		sum += class.Jobs
		if 2*sum < all || all == 0 {
			continue
		}
		if bound, err := strconv.ParseFloat(class.Value, 64); err == nil {
			return &bound
		}
		return nil
	}
	return nil
}

// dayPart is the predecessor's division of the day.
func dayPart(hour int) string {
	switch {
	case hour >= 6 && hour < 12:
		return "morning"
	case hour >= 12 && hour < 17:
		return "afternoon"
	case hour >= 17 && hour < 22:
		return "evening"
	default:
		return "night"
	}
}

// Periods lists the 4-hour periods, the one that runs among them.
func (a apiRecords) Periods(ctx context.Context, w api.Window) (api.Page[api.Period], error) {
	open, err := a.OpenPeriods(ctx, a.account, a.now(), a.rulebook.zone())
	if err != nil {
		return api.Page[api.Period]{}, err
	}
	page, err := a.Store.Periods(ctx, storeWindow(w), open...)
	return apiPage(page, err, func(p store.Period) api.Period {
		v := api.Period{
			ID: p.ID, PeriodStart: p.Start.UTC(), PeriodEnd: p.End.UTC(), TotalJobsProcessed: p.Jobs, JobsAccepted: p.Accepted, JobsRejected: p.Rejected,
			AcceptanceRate: p.AcceptanceRate, MostCommonLanguage: textOrNil(p.MostCommonLanguage), BotUptimeSeconds: int64(p.Uptime.Seconds()), CreatedAt: p.CreatedAt.UTC(),
		}
		if p.PeakHour >= 0 {
			v.PeakHour = &p.PeakHour
		}
		return v
	})
}

// Metrics are the figures of the dashboard's head.
func (a apiRecords) Metrics(ctx context.Context) (api.DashboardMetrics, error) {
	m, err := a.DashboardMetrics(ctx, a.now(), a.rulebook.zone())
	if err != nil {
		return api.DashboardMetrics{}, err
	}
	return api.DashboardMetrics{
		ActiveSessions: m.ActiveSessions, TotalJobsToday: m.JobsToday, AcceptanceRateToday: m.AcceptanceRateToday,
		MostActiveLanguage: textOrNil(m.MostActiveLanguage), BotUptimeHours: m.BotUptime.Hours(), LastActivity: timeOrNil(m.LastActivity),
	}, nil
}
