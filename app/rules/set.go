package rules

import (
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/rules/wallclock"
)

// The rules' names, as they stand in the trace.
const (
	RuleStatus         = "status"
	RuleRequiredFields = "required_fields"
	RuleJobType        = "job_type"
	RuleExcludedType   = "excluded_type"
	RuleLanguages      = "languages"
	RuleWordsWanted    = "words_wanted"
	RuleWordsUnwanted  = "words_unwanted"
	RuleDuration       = "duration"
	RuleNotice         = "notice"
	RuleNotPast        = "not_past"
	RuleWeeklyHours    = "weekly_hours"
	RuleDaysOff        = "days_off"
	RuleCapSession     = "cap_session"
	RuleCapDay         = "cap_day"
	RuleCapWeek        = "cap_week"
	RuleHoursDay       = "hours_day"
	RuleOverlap        = "overlap"
	RuleExpression     = "expression"
	RuleAsk            = "ask"
)

// rule is one rule: its name and its question. asks is a method expression, so that the
// table below is all there is to know about the order.
type rule struct {
	name string
	asks func(*Set, *subject) answer
}

// ruleCount is how many rules there are; the compiler holds it equal to the table.
const ruleCount = 19

// rules gives the rules in the order in which they are asked. It is a function, not a
// variable, because nothing may change it.
func rules() [ruleCount]rule {
	return [ruleCount]rule{
		{RuleStatus, (*Set).status},
		{RuleRequiredFields, (*Set).requiredFields},
		{RuleJobType, (*Set).jobType},
		{RuleExcludedType, (*Set).excludedType},
		{RuleLanguages, (*Set).language},
		{RuleWordsWanted, (*Set).wantedWords},
		{RuleWordsUnwanted, (*Set).unwantedWords},
		{RuleDuration, (*Set).duration},
		{RuleNotice, (*Set).notice},
		{RuleNotPast, (*Set).notPast},
		{RuleWeeklyHours, (*Set).withinHours},
		{RuleDaysOff, (*Set).notDayOff},
		{RuleCapSession, (*Set).capSession},
		{RuleCapDay, (*Set).capDay},
		{RuleCapWeek, (*Set).capWeek},
		{RuleHoursDay, (*Set).hoursDay},
		{RuleOverlap, (*Set).overlap},
		{RuleExpression, (*Set).expressionHolds},
		{RuleAsk, (*Set).needNotAsk},
	}
}

// Positions of the rules that the verdict treats in a way of their own.
const (
	atStatus       = 0
	atExcludedType = 3
	atCapSession   = 12 // From here on rules ask what is taken.
	atAsk          = 18
)

// Rules gives the rules' names in the order in which they are asked.
func Rules() []string {
	names := make([]string, 0, ruleCount)
	for _, r := range rules() {
		names = append(names, r.name)
	}
	return names
}

// Set is a configuration made ready for deciding. It is never changed after [Compile],
// so any number of goroutines may use it at once.
type Set struct {
	rules   [ruleCount]rule
	active  []int // The rules that the configuration leaves anything to ask; the others always hold.
	version int64
	zone    *time.Location

	types, excluded, ask []phrase
	typesWanted          string
	excludedWanted       string
	languages            map[string]struct{}
	languagesWanted      string
	wanted, unwanted     []phrase
	wantedWanted         string
	unwantedWanted       string

	minDuration, maxDuration int // Minutes.
	durationWanted           string
	minNotice                time.Duration
	noticeWanted             string

	hours       weeklyHours
	hoursWanted string
	daysOff     []dayOff
	daysWanted  string

	maxSession, maxDay, maxWeek int
	maxMinutesDay               int
	maxRejected                 int

	avoidOverlap  bool
	buffers       buffer
	typeBuffers   []typeBuffer
	leastBuffers  buffer
	mostBuffers   buffer
	overlapWanted string

	rejectExcluded bool
	preference     app.Preference
	expression     *expression
}

// Location is the zone of the portal's times and of "today".
func (s *Set) Location() *time.Location { return s.zone }

// Version is the configuration's.
func (s *Set) Version() int64 { return s.version }

// TallyFrom gives the instant from which on bookings matter at now: everything that ends
// after it has to be in the [app.Tally], or a cap by day or week is counted short. It is
// the beginning of the week, a day earlier for a buffer that reaches over it.
func (s *Set) TallyFrom(now time.Time) time.Time {
	return wallclock.DayIn(s.zone, now).Monday().Start(s.zone).Add(-24 * time.Hour)
}
