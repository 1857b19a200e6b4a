package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
)

// Analytics are the figures of the last hours: the predecessor's and ours.
type Analytics struct {
	PeriodHours          int              `json:"period_hours" example:"24"`
	TotalJobsProcessed   int64            `json:"total_jobs_processed" doc:"Jobs first seen in the period." example:"212"`
	JobsAccepted         int64            `json:"jobs_accepted" example:"9"`
	JobsRejected         int64            `json:"jobs_rejected" example:"4"`
	AcceptanceRate       float64          `json:"acceptance_rate" doc:"Accepted of all, in percent." example:"4.25"`
	MostCommonLanguage   *string          `json:"most_common_language" example:"Polish"`
	PeakHour             *int             `json:"peak_hour" minimum:"0" maximum:"23" doc:"The appointment hour with most jobs." example:"14"`
	LanguageDistribution map[string]int64 `json:"language_distribution" doc:"Jobs by language." example:"{\"Polish\":120,\"Urdu\":92}"`
	HourlyDistribution   map[string]int64 `json:"hourly_distribution" doc:"Jobs by appointment hour, 0 to 23." example:"{\"9\":14,\"14\":31}"`

	JobsMatched         int64            `json:"jobs_matched" doc:"Seen and not acted on." example:"180"`
	JobsLost            int64            `json:"jobs_lost" doc:"Tried, and somebody else has them." example:"12"`
	JobsRefused         int64            `json:"jobs_refused" example:"1"`
	JobsFailed          int64            `json:"jobs_failed" example:"0"`
	JobsUnknown         int64            `json:"jobs_unknown" example:"0"`
	DayParts            map[string]int64 `json:"day_parts" doc:"Jobs by the appointment's part of the day: morning 6 to 12, afternoon 12 to 17, evening 17 to 22, night else." example:"{\"morning\":80,\"afternoon\":92,\"evening\":30,\"night\":10}"`
	AcceptancesPerHour  float64          `json:"acceptances_per_hour" example:"0.38"`
	Funnel              Funnel           `json:"funnel" doc:"From seen to won."`
	MedianReactionMS    *float64         `json:"median_reaction_ms" doc:"From seen to posted, in the middle; null where nothing was posted." example:"92.5"`
	LanguagesOfAccepted map[string]int64 `json:"languages_of_accepted" example:"{\"Polish\":9}"`
}

// Funnel says how many jobs came how far.
type Funnel struct {
	Seen    int64 `json:"seen" example:"212"`
	Fitting int64 `json:"fitting" doc:"The rules said accept." example:"22"`
	Tried   int64 `json:"tried" example:"22"`
	Won     int64 `json:"won" example:"9"`
}

// Period is one 4-hour period on the wall clock.
type Period struct {
	ID                 string    `json:"id" example:"0199a3c4-58d1-7a6b-9f01-2b8c4d5e6f70"`
	PeriodStart        time.Time `json:"period_start" example:"2027-01-31T08:00:00Z"`
	PeriodEnd          time.Time `json:"period_end" example:"2027-01-31T12:00:00Z"`
	TotalJobsProcessed int64     `json:"total_jobs_processed" example:"38"`
	JobsAccepted       int64     `json:"jobs_accepted" example:"2"`
	JobsRejected       int64     `json:"jobs_rejected" example:"0"`
	AcceptanceRate     float64   `json:"acceptance_rate" doc:"In percent." example:"5.26"`
	MostCommonLanguage *string   `json:"most_common_language" example:"Polish"`
	PeakHour           *int      `json:"peak_hour" example:"10"`
	BotUptimeSeconds   int64     `json:"bot_uptime_seconds" example:"14400"`
	CreatedAt          time.Time `json:"created_at" example:"2027-01-31T12:00:00Z"`
}

// DashboardMetrics are the figures of the dashboard's head.
type DashboardMetrics struct {
	ActiveSessions      int64      `json:"active_sessions" example:"1"`
	TotalJobsToday      int64      `json:"total_jobs_today" doc:"Today is the day of the configuration's time zone." example:"41"`
	AcceptanceRateToday float64    `json:"acceptance_rate_today" doc:"In percent." example:"4.9"`
	MostActiveLanguage  *string    `json:"most_active_language" example:"Polish"`
	BotUptimeHours      float64    `json:"bot_uptime_hours" doc:"How long the running session has been running." example:"6.25"`
	LastActivity        *time.Time `json:"last_activity" example:"2027-01-31T10:15:02Z"`
}

// BacktestResult is the difference between what rules would do and what was done.
type BacktestResult struct {
	Since       time.Time        `json:"since"`
	Jobs        int64            `json:"jobs" doc:"How many recorded jobs were looked at." example:"412"`
	Took        float64          `json:"took_ms" example:"38.2"`
	WouldAccept int64            `json:"would_accept" doc:"Jobs that these rules would have accepted." example:"14"`
	DidAccept   int64            `json:"did_accept" doc:"Jobs that were accepted." example:"11"`
	More        []BacktestChange `json:"more" doc:"Would have been accepted, and were not; at most 500 of them."`
	Fewer       []BacktestChange `json:"fewer" doc:"Were accepted, and would not have been; at most 500 of them."`
	MoreCount   int64            `json:"more_count" example:"4"`
	FewerCount  int64            `json:"fewer_count" example:"1"`
}

// BacktestChange is one job that would have gone another way.
type BacktestChange struct {
	ID              string        `json:"id" example:"0199a3c4-58d1-7a6b-9f01-2b8c4d5e6f70"`
	JobRef          string        `json:"job_ref" example:"48213/A"`
	Language        string        `json:"language" example:"Polish"`
	AppointmentDate *string       `json:"appointment_date" example:"2027-01-31"`
	AppointmentTime *string       `json:"appointment_time" example:"14:30"`
	Duration        string        `json:"duration" example:"1 hour"`
	JobType         *string       `json:"job_type"`
	Was             app.JobStatus `json:"was" example:"matched"`
	Verdict         app.Verdict   `json:"verdict" doc:"Of these rules." example:"accept"`
	Rule            *string       `json:"rule" doc:"The rule that would decide."`
	Reason          string        `json:"reason" example:"Urdu is none of your languages."`
}

type (
	analyticsInput struct {
		Hours int `query:"hours" minimum:"1" maximum:"87600" default:"24" doc:"How many hours back." example:"24"`
	}
	analyticsOutput struct{ Body Analytics }
	metricsOutput   struct{ Body DashboardMetrics }
	periodsOutput   struct {
		ListHeaders
		Body []Period
	}
	backtestInput struct {
		Body struct {
			Rules *ConfigurationPatch `json:"rules,omitempty" doc:"The rules to try: any subset of the configuration; the others are as they are in force."`
			Since string              `json:"since,omitempty" maxLength:"40" doc:"From when on: a time, a day, or a stretch back like 30d or 12h; 30d where it is left out." example:"30d"`
			ConfigurationPatch
		}
	}
	backtestOutput struct{ Body BacktestResult }
)

func (s *Server) figureRoutes() {
	away := []int{http.StatusServiceUnavailable}
	register(s, operation{
		method: http.MethodGet, path: "/api/bot/analytics", id: "analytics", tag: tagFigures, scope: ScopeRead,
		summary: "Figures of the last hours", description: "Counted from the records, without what outside bots report.", errors: append(away, http.StatusUnprocessableEntity),
	}, func(ctx context.Context, in *analyticsInput) (*analyticsOutput, error) {
		a, err := s.o.Figures.Analytics(ctx, in.Hours)
		if err != nil {
			return nil, err
		}
		for _, counts := range []*map[string]int64{&a.LanguageDistribution, &a.HourlyDistribution, &a.DayParts, &a.LanguagesOfAccepted} {
			if *counts == nil {
				*counts = map[string]int64{}
			}
		}
		return &analyticsOutput{Body: a}, nil
	})
	register(s, operation{
		method: http.MethodGet, path: "/api/bot/analytics/periods", id: "list-periods", tag: tagFigures, scope: ScopeRead,
		summary: "Periods of 4 hours, newest first", errors: append(away, http.StatusUnprocessableEntity),
		description: "On the wall clock of the configuration's time zone (00, 04, 08 …), none missed over a restart. The newest is the one that runs, as far as it has come.",
	}, s.periods)
	register(s, operation{
		method: http.MethodGet, path: "/api/bot/dashboard/metrics", id: "dashboard-metrics", tag: tagFigures, scope: ScopeRead,
		summary: "Figures of today", description: "What the head of the dashboard shows; today is the day of the configuration's time zone.", errors: away,
	}, func(ctx context.Context, _ *nothingIn) (*metricsOutput, error) {
		m, err := s.o.Figures.Metrics(ctx)
		if err != nil {
			return nil, err
		}
		return &metricsOutput{Body: m}, nil
	})
	if s.o.Backtest != nil {
		register(s, operation{
			method: http.MethodPost, path: "/api/bot/rules/backtest", id: "backtest", tag: tagRules, scope: ScopeRead,
			summary: "What these rules would have done",
			description: "Rules in, difference to what was done out. The rules stand under rules, or, like in PUT configuration, in the body itself. " +
				"Nothing is saved.",
			errors: away,
		}, s.backtest)
	}
}

func (s *Server) periods(ctx context.Context, in *struct{ ListInput }) (*periodsOutput, error) {
	w, err := in.window()
	if err != nil {
		return nil, err
	}
	page, err := s.o.Figures.Periods(ctx, w)
	if err != nil {
		return nil, err
	}
	return &periodsOutput{ListHeaders: in.headers(page.Total, page.Next), Body: list(page.Items)}, nil
}

func (s *Server) backtest(ctx context.Context, in *backtestInput) (*backtestOutput, error) {
	since, err := s.backTo(in.Body.Since)
	if err != nil {
		return nil, err
	}
	rules, err := s.o.Configurations.Active(ctx)
	if err != nil {
		return nil, err
	}
	rules = in.Body.apply(rules)
	if in.Body.Rules != nil {
		rules = in.Body.Rules.apply(rules)
	}
	if err := s.o.Check(rules); err != nil {
		return nil, err
	}
	result, err := s.o.Backtest.Backtest(ctx, rules, since)
	if err != nil {
		return nil, err
	}
	result.More, result.Fewer = list(result.More), list(result.Fewer)
	return &backtestOutput{Body: result}, nil
}

// backtestDefault is how far back a back-test looks where nobody says.
const backtestDefault = 30 * 24 * time.Hour

// backTo reads the beginning of a stretch that ends now.
func (s *Server) backTo(since string) (time.Time, error) {
	now := s.o.Now().UTC()
	if since == "" {
		return now.Add(-backtestDefault), nil
	}
	if back, ok := daysOrHours(since); ok {
		return now.Add(-back), nil
	}
	if t, ok := instant(since); ok {
		return t, nil
	}
	return time.Time{}, &app.Error{
		Code:    app.CodeInvalid,
		Message: "The request has fields that cannot be accepted.",
		Fields:  map[string]string{"since": "expected a time, a day, or a stretch like 30d or 12h"},
	}
}

// daysOrHours reads "30d" and "12h".
func daysOrHours(s string) (time.Duration, bool) {
	number, isDays := strings.CutSuffix(s, "d")
	unit := 24 * time.Hour
	if !isDays {
		var isHours bool
		if number, isHours = strings.CutSuffix(s, "h"); !isHours {
			return 0, false
		}
		unit = time.Hour
	}
	n, err := strconv.ParseUint(number, 10, 16)
	return time.Duration(n) * unit, err == nil && n > 0
}
