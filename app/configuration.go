package app

import "time"

// Configuration is what the user can change while the bot runs: the predecessor's
// fields and ours. The JSON names are the API's.
type Configuration struct {
	ConfigName string `json:"config_name"`

	CheckIntervalSeconds          float64  `json:"check_interval_seconds"`           // 0.2 to 3600.
	ResultsReportIntervalSeconds  float64  `json:"results_report_interval_seconds"`  // A digest of acceptances every so often.
	RejectedReportIntervalSeconds float64  `json:"rejected_report_interval_seconds"` // And of what was rejected.
	QuickCheckIntervalSeconds     float64  `json:"quick_check_interval_seconds"`
	EnableQuickCheck              bool     `json:"enable_quick_check"`
	EnableResultsReporting        bool     `json:"enable_results_reporting"`
	EnableRejectedReporting       bool     `json:"enable_rejected_reporting"`
	MaxAcceptPerRun               int      `json:"max_accept_per_run"` // 1 to 1,000,000.
	JobTypeFilter                 string   `json:"job_type_filter"`    // Words accepted; several stand with commas between. Empty: all types.
	ExcludeTypes                  []string `json:"exclude_types"`      // Words that win over an accepted type.

	Mode               Mode                   `json:"mode"`
	RejectExcluded     bool                   `json:"reject_excluded"`
	MaxRejectPerRun    int                    `json:"max_reject_per_run"` // 0: no limit.
	Languages          []string               `json:"languages"`          // Empty: all.
	MinNoticeMinutes   int                    `json:"min_notice_minutes"`
	AllowShortNotice   bool                   `json:"allow_short_notice"`
	MinDuration        int                    `json:"min_duration_minutes"` // 0: no limit.
	MaxDuration        int                    `json:"max_duration_minutes"` // 0: no limit.
	BufferBefore       int                    `json:"buffer_before_minutes"`
	BufferAfter        int                    `json:"buffer_after_minutes"`
	BuffersByType      []TypeBuffer           `json:"buffers_by_type"`
	AvoidOverlap       bool                   `json:"avoid_overlap"`
	MaxPerDay          int                    `json:"max_per_day"`           // 0: no limit; by the appointment's day.
	MaxPerWeek         int                    `json:"max_per_week"`          // 0: no limit; weeks begin on Monday.
	MaxHoursPerDay     float64                `json:"max_hours_per_day"`     // 0: no limit.
	WeeklyHours        map[string][][2]string `json:"weekly_hours"`          // {"mon":[["08:00","18:00"]]}; empty: any time. "24:00" ends a day.
	DaysOff            []DayOff               `json:"days_off"`              // Exceptions: holidays, "off until".
	WordsWanted        []string               `json:"words_wanted"`          // One of them must stand in some field; empty: no matter.
	WordsUnwanted      []string               `json:"words_unwanted"`        // None of them may stand in any field.
	AskTypes           []string               `json:"ask_types"`             // Job types shown to the user to decide.
	Expression         string                 `json:"expression"`            // See the rules' documentation; empty: no matter.
	Preference         Preference             `json:"preference"`            // Which of several that exclude each other.
	AcceptLimitPerHour int                    `json:"accept_limit_per_hour"` // The breaker's; 0: off.
	ParallelDetails    int                    `json:"parallel_details"`      // Details pages asked for at once; 1 to 4.
	TimeZone           string                 `json:"time_zone"`

	IsActive  bool      `json:"is_active"`
	Version   int64     `json:"version"`
	Author    string    `json:"author"` // Who saved this version.
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// TypeBuffer is a buffer for jobs whose type holds the words of Type.
type TypeBuffer struct {
	Type   string `json:"type"`
	Before int    `json:"before_minutes"`
	After  int    `json:"after_minutes"`
}

// DayOff is a stretch of days, both ends included, on which nothing is accepted.
type DayOff struct {
	From string `json:"from"` // "2027-12-24"
	To   string `json:"to"`   // "2027-12-27"; the same as From for one day.
	Note string `json:"note"`
}

// Preference is the order in which jobs that exclude each other are taken.
type Preference string

// The preferences.
const (
	PreferListed  Preference = "listed" // As they stand on the board, first listed first.
	PreferLongest Preference = "longest"
	PreferSoonest Preference = "soonest" // The soonest appointment first.
)

// DefaultConfiguration is what is in force out of the box: telephone jobs with all
// required fields, in any language, at any hour to come, that overlap no booking, up to
// the cap, and only watched. The predecessor's report fields keep its defaults.
func DefaultConfiguration() Configuration {
	return Configuration{
		ConfigName:                    "default",
		CheckIntervalSeconds:          2,
		ResultsReportIntervalSeconds:  5,
		RejectedReportIntervalSeconds: 43200,
		QuickCheckIntervalSeconds:     10,
		EnableResultsReporting:        true,
		EnableRejectedReporting:       true,
		MaxAcceptPerRun:               5,
		JobTypeFilter:                 "Telephone interpreting",
		ExcludeTypes:                  []string{"Face-to-Face", "Face to Face", "In-Person", "Onsite"},
		Mode:                          ModeWatch,
		Languages:                     []string{},
		BuffersByType:                 []TypeBuffer{},
		AvoidOverlap:                  true,
		WeeklyHours:                   map[string][][2]string{},
		DaysOff:                       []DayOff{},
		WordsWanted:                   []string{},
		WordsUnwanted:                 []string{},
		AskTypes:                      []string{},
		Preference:                    PreferListed,
		ParallelDetails:               1,
		TimeZone:                      "Europe/London",
		IsActive:                      true,
	}
}
