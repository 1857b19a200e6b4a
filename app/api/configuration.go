package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atozbot/atozbot/app"
)

// ConfigurationJSON is the configuration as it is shown.
type ConfigurationJSON app.Configuration

type (
	configurationOutput struct {
		ETag string `header:"ETag" doc:"The version, for If-Match." example:"\"7\""`
		Body ConfigurationJSON
	}
	configurationInput struct {
		IfMatch string `header:"If-Match" maxLength:"40" doc:"Save only where the version in force is still this one: 409 otherwise." example:"\"7\""`
		Body    ConfigurationPatch
	}
	versionsOutput struct {
		ListHeaders
		Body []ConfigurationJSON
	}
)

func (s *Server) configurationRoutes() {
	away := []int{http.StatusServiceUnavailable}
	register(s, operation{
		method: http.MethodGet, path: "/api/bot/configuration", id: "get-configuration", tag: tagRules, scope: ScopeRead,
		summary: "The configuration in force", description: "With its version in the ETag, for If-Match.", errors: away,
	}, s.configuration)
	register(s, operation{
		method: http.MethodPut, path: "/api/bot/configuration", id: "put-configuration", tag: tagRules, scope: ScopeControl,
		summary: "Change the configuration",
		description: "Any subset of the fields; the others stay. It is saved as a new version and in force at the bot's next look. " +
			"What GET gave can be sent back whole: is_active, version, author, created_at and updated_at are read and left aside.",
		errors: []int{http.StatusConflict, http.StatusServiceUnavailable},
	}, s.configure)
	register(s, operation{
		method: http.MethodPost, path: "/api/bot/configuration/refresh", id: "refresh-configuration", tag: tagRules, scope: ScopeControl,
		summary: "Re-read the configuration now", description: "From the database: for who changed it there. Everyone who watches is told.", errors: away,
	}, s.refreshConfiguration)
	register(s, operation{
		method: http.MethodGet, path: "/api/bot/configuration/versions", id: "list-configuration-versions", tag: tagRules, scope: ScopeRead,
		summary: "Versions of the configuration, newest first", description: "Every save is one, with who saved it and when.",
		errors: []int{http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}, s.versions)
	register(s, operation{
		method: http.MethodPost, path: "/api/bot/configuration/undo", id: "undo-configuration", tag: tagRules, scope: ScopeControl,
		summary:     "Undo the last change of the configuration",
		description: "Brings the version before the one in force back, as a new version. 409 where there is none.",
		errors:      []int{http.StatusConflict, http.StatusServiceUnavailable},
	}, s.undoConfiguration)
}

func (s *Server) configuration(ctx context.Context, _ *nothingIn) (*configurationOutput, error) {
	c, err := s.o.Configurations.Active(ctx)
	if err != nil {
		return nil, err
	}
	return configurationAnswer(c), nil
}

// saveTries is how often a change is put on top of what somebody else has just saved,
// where the client did not say which version it means.
const saveTries = 5

func (s *Server) configure(ctx context.Context, in *configurationInput) (*configurationOutput, error) {
	for try := 1; ; try++ {
		before, err := s.o.Configurations.Active(ctx)
		if err != nil {
			return nil, err
		}
		if in.IfMatch != "" && in.IfMatch != "*" && strings.Trim(strings.TrimPrefix(in.IfMatch, "W/"), `"`) != strconv.FormatInt(before.Version, 10) {
			return nil, app.Errorf(app.CodeConflict, "The configuration was changed meanwhile: version %d is in force.", before.Version)
		}
		after := in.Body.apply(before)
		if err := s.o.Check(after); err != nil {
			return nil, err
		}
		saved, err := s.o.Configurations.Save(ctx, after, WhoOf(ctx).Name)
		if app.CodeOf(err) == app.CodeConflict && in.IfMatch == "" && try < saveTries {
			continue
		}
		if err != nil {
			return nil, err
		}
		s.audit(ctx, auditOf("configuration.save", strconv.FormatInt(saved.Version, 10), before, saved))
		return configurationAnswer(saved), nil
	}
}

func (s *Server) refreshConfiguration(ctx context.Context, _ *nothingIn) (*configurationOutput, error) {
	c, err := s.o.Configurations.Refresh(ctx)
	if err != nil {
		return nil, err
	}
	return configurationAnswer(c), nil
}

func (s *Server) versions(ctx context.Context, in *struct{ ListInput }) (*versionsOutput, error) {
	w, err := in.window()
	if err != nil {
		return nil, err
	}
	page, err := s.o.Configurations.Versions(ctx, w)
	if err != nil {
		return nil, err
	}
	return &versionsOutput{ListHeaders: in.headers(page.Total, page.Next), Body: each(page.Items, shownConfiguration)}, nil
}

func (s *Server) undoConfiguration(ctx context.Context, _ *nothingIn) (*configurationOutput, error) {
	c, err := s.o.Configurations.Undo(ctx, WhoOf(ctx).Name)
	if err != nil {
		return nil, err
	}
	s.audit(ctx, auditOf("configuration.undo", strconv.FormatInt(c.Version, 10), nil, c))
	return configurationAnswer(c), nil
}

func configurationAnswer(c app.Configuration) *configurationOutput {
	return &configurationOutput{ETag: `"` + strconv.FormatInt(c.Version, 10) + `"`, Body: shownConfiguration(c)}
}

// shownConfiguration gives lists that are never null, and times in UTC.
func shownConfiguration(c app.Configuration) ConfigurationJSON {
	c.ExcludeTypes = list(c.ExcludeTypes)
	c.Languages = list(c.Languages)
	c.BuffersByType = list(c.BuffersByType)
	c.DaysOff = list(c.DaysOff)
	c.WordsWanted = list(c.WordsWanted)
	c.WordsUnwanted = list(c.WordsUnwanted)
	c.AskTypes = list(c.AskTypes)
	if c.WeeklyHours == nil {
		c.WeeklyHours = map[string][][2]string{}
	}
	c.CreatedAt, c.UpdatedAt = c.CreatedAt.UTC(), c.UpdatedAt.UTC()
	return ConfigurationJSON(c)
}

func list[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

// ConfigurationPatch is any subset of the configuration's fields. What is nil was not
// sent. The ranges here are what the description promises; app/rules has the last word.
type ConfigurationPatch struct {
	ConfigName *string `json:"config_name,omitempty" minLength:"1" maxLength:"100" example:"default"`

	CheckIntervalSeconds          *float64  `json:"check_interval_seconds,omitempty" minimum:"0.2" maximum:"3600" doc:"Seconds from the start of one look at the board to the next." example:"2"`
	ResultsReportIntervalSeconds  *float64  `json:"results_report_interval_seconds,omitempty" minimum:"0" maximum:"31536000" doc:"A digest of acceptances every so often." example:"5"`
	RejectedReportIntervalSeconds *float64  `json:"rejected_report_interval_seconds,omitempty" minimum:"0" maximum:"31536000" example:"43200"`
	QuickCheckIntervalSeconds     *float64  `json:"quick_check_interval_seconds,omitempty" minimum:"0" maximum:"31536000" example:"10"`
	EnableQuickCheck              *bool     `json:"enable_quick_check,omitempty"`
	EnableResultsReporting        *bool     `json:"enable_results_reporting,omitempty"`
	EnableRejectedReporting       *bool     `json:"enable_rejected_reporting,omitempty"`
	MaxAcceptPerRun               *int      `json:"max_accept_per_run,omitempty" minimum:"1" maximum:"1000000" doc:"Acceptances in one session." example:"5"`
	JobTypeFilter                 *string   `json:"job_type_filter,omitempty" maxLength:"1000" doc:"Words of the job types accepted; several stand with commas between; empty for all." example:"Telephone interpreting"`
	ExcludeTypes                  *[]string `json:"exclude_types,omitempty" maxItems:"100" nullable:"false" doc:"Words that win over an accepted type." example:"[\"Face-to-Face\",\"Onsite\"]"`

	Mode               *app.Mode          `json:"mode,omitempty" enum:"watch,live" doc:"Whether the bot acts on the portal."`
	RejectExcluded     *bool              `json:"reject_excluded,omitempty" doc:"Reject excluded job types on the portal; otherwise they are left alone."`
	MaxRejectPerRun    *int               `json:"max_reject_per_run,omitempty" minimum:"0" maximum:"1000000" doc:"0: no limit." example:"10"`
	Languages          *[]string          `json:"languages,omitempty" maxItems:"500" nullable:"false" doc:"Accepted languages, all when empty; case and accents aside." example:"[\"Polish\"]"`
	MinNoticeMinutes   *int               `json:"min_notice_minutes,omitempty" minimum:"0" maximum:"525600" doc:"Least time between now and the appointment." example:"60"`
	AllowShortNotice   *bool              `json:"allow_short_notice,omitempty" doc:"Whether the portal's 24-hour question may be answered with yes."`
	MinDuration        *int               `json:"min_duration_minutes,omitempty" minimum:"0" maximum:"100000" doc:"0: no limit." example:"30"`
	MaxDuration        *int               `json:"max_duration_minutes,omitempty" minimum:"0" maximum:"100000" doc:"0: no limit." example:"120"`
	BufferBefore       *int               `json:"buffer_before_minutes,omitempty" minimum:"0" maximum:"100000" doc:"Kept free before every booking." example:"15"`
	BufferAfter        *int               `json:"buffer_after_minutes,omitempty" minimum:"0" maximum:"100000" doc:"Kept free after every booking." example:"15"`
	BuffersByType      *[]TypeBufferInput `json:"buffers_by_type,omitempty" maxItems:"100" nullable:"false"`
	AvoidOverlap       *bool              `json:"avoid_overlap,omitempty" doc:"Never two bookings at one time."`
	MaxPerDay          *int               `json:"max_per_day,omitempty" minimum:"0" maximum:"1000000" doc:"By the appointment's day; 0: no limit." example:"4"`
	MaxPerWeek         *int               `json:"max_per_week,omitempty" minimum:"0" maximum:"1000000" doc:"Weeks begin on Monday; 0: no limit." example:"20"`
	MaxHoursPerDay     *float64           `json:"max_hours_per_day,omitempty" minimum:"0" maximum:"24" doc:"0: no limit." example:"8"`
	WeeklyHours        *WeeklyHours       `json:"weekly_hours,omitempty"`
	DaysOff            *[]DayOffInput     `json:"days_off,omitempty" maxItems:"1000" nullable:"false"`
	WordsWanted        *[]string          `json:"words_wanted,omitempty" maxItems:"500" nullable:"false" doc:"One of them must stand in some field; empty: no matter."`
	WordsUnwanted      *[]string          `json:"words_unwanted,omitempty" maxItems:"500" nullable:"false" doc:"None of them may stand in any field."`
	AskTypes           *[]string          `json:"ask_types,omitempty" maxItems:"100" nullable:"false" doc:"Job types shown to the user to decide."`
	Expression         *string            `json:"expression,omitempty" maxLength:"10000" doc:"A condition beside the rules; empty: none." example:"duration >= 30"`
	Preference         *app.Preference    `json:"preference,omitempty" enum:"listed,longest,soonest" doc:"Which of several jobs that exclude each other."`
	AcceptLimitPerHour *int               `json:"accept_limit_per_hour,omitempty" minimum:"0" maximum:"1000000" doc:"More acceptances in an hour trip the breaker; 0: off." example:"0"`
	ParallelDetails    *int               `json:"parallel_details,omitempty" minimum:"1" maximum:"4" doc:"Details pages asked for at once." example:"1"`
	TimeZone           *string            `json:"time_zone,omitempty" minLength:"1" maxLength:"100" doc:"Of the portal's times and of today." example:"Europe/London"`

	IsActive  *bool   `json:"is_active,omitempty" readOnly:"true"`
	Version   *int64  `json:"version,omitempty" readOnly:"true"`
	Author    *string `json:"author,omitempty" readOnly:"true"`
	CreatedAt *string `json:"created_at,omitempty" readOnly:"true"`
	UpdatedAt *string `json:"updated_at,omitempty" readOnly:"true"`
}

// TypeBufferInput is a buffer for jobs whose type holds some words.
type TypeBufferInput struct {
	Type   string `json:"type" minLength:"1" maxLength:"200" example:"Video"`
	Before int    `json:"before_minutes" minimum:"0" maximum:"100000" example:"15"`
	After  int    `json:"after_minutes" minimum:"0" maximum:"100000" example:"15"`
}

// DayOffInput is a stretch of days, both ends included, on which nothing is accepted.
type DayOffInput struct {
	From string `json:"from" format:"date" example:"2027-12-24"`
	To   string `json:"to" format:"date" example:"2027-12-27"`
	Note string `json:"note,omitempty" maxLength:"200" example:"Holidays"`
}

// apply gives c with the fields that were sent.
func (p *ConfigurationPatch) apply(c app.Configuration) app.Configuration {
	set(&c.ConfigName, p.ConfigName)
	set(&c.CheckIntervalSeconds, p.CheckIntervalSeconds)
	set(&c.ResultsReportIntervalSeconds, p.ResultsReportIntervalSeconds)
	set(&c.RejectedReportIntervalSeconds, p.RejectedReportIntervalSeconds)
	set(&c.QuickCheckIntervalSeconds, p.QuickCheckIntervalSeconds)
	set(&c.EnableQuickCheck, p.EnableQuickCheck)
	set(&c.EnableResultsReporting, p.EnableResultsReporting)
	set(&c.EnableRejectedReporting, p.EnableRejectedReporting)
	set(&c.MaxAcceptPerRun, p.MaxAcceptPerRun)
	set(&c.JobTypeFilter, p.JobTypeFilter)
	set(&c.ExcludeTypes, p.ExcludeTypes)
	set(&c.Mode, p.Mode)
	set(&c.RejectExcluded, p.RejectExcluded)
	set(&c.MaxRejectPerRun, p.MaxRejectPerRun)
	set(&c.Languages, p.Languages)
	set(&c.MinNoticeMinutes, p.MinNoticeMinutes)
	set(&c.AllowShortNotice, p.AllowShortNotice)
	set(&c.MinDuration, p.MinDuration)
	set(&c.MaxDuration, p.MaxDuration)
	set(&c.BufferBefore, p.BufferBefore)
	set(&c.BufferAfter, p.BufferAfter)
	set(&c.AvoidOverlap, p.AvoidOverlap)
	set(&c.MaxPerDay, p.MaxPerDay)
	set(&c.MaxPerWeek, p.MaxPerWeek)
	set(&c.MaxHoursPerDay, p.MaxHoursPerDay)
	set(&c.WordsWanted, p.WordsWanted)
	set(&c.WordsUnwanted, p.WordsUnwanted)
	set(&c.AskTypes, p.AskTypes)
	set(&c.Expression, p.Expression)
	set(&c.Preference, p.Preference)
	set(&c.AcceptLimitPerHour, p.AcceptLimitPerHour)
	set(&c.ParallelDetails, p.ParallelDetails)
	set(&c.TimeZone, p.TimeZone)
	if p.BuffersByType != nil {
		c.BuffersByType = each(*p.BuffersByType, func(b TypeBufferInput) app.TypeBuffer { return app.TypeBuffer(b) })
	}
	if p.DaysOff != nil {
		c.DaysOff = each(*p.DaysOff, func(d DayOffInput) app.DayOff { return app.DayOff(d) })
	}
	if p.WeeklyHours != nil {
		c.WeeklyHours = *p.WeeklyHours
	}
	return c
}

func set[T any](field *T, sent *T) {
	if sent != nil {
		*field = *sent
	}
}

// WeeklyHours are the hours of each weekday. Its schema is written by hand, since a
// weekday that is misspelt, or a pair with one end, must be refused and not left out.
type WeeklyHours map[string][][2]string

// Schema describes the hours.
func (WeeklyHours) Schema(huma.Registry) *huma.Schema {
	two := 2
	day := &huma.Schema{
		Type: huma.TypeArray,
		Items: &huma.Schema{
			Type: huma.TypeArray, MinItems: &two, MaxItems: &two,
			Items: &huma.Schema{Type: huma.TypeString, Pattern: "^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$", PatternDescription: "a time like 08:30"},
		},
	}
	days := map[string]*huma.Schema{}
	for _, name := range []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} {
		days[name] = day
	}
	return &huma.Schema{
		Type:                 huma.TypeObject,
		Description:          "Hours by weekday; empty: any time. 24:00 ends a day; an end before its beginning is on the day after.",
		Properties:           days,
		AdditionalProperties: false,
		Examples:             []any{map[string]any{"mon": [][2]string{{"08:00", "18:00"}}}},
	}
}
