package store

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
)

func orText(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// firstOf gives the first of the times that is one.
func firstOf(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// id is the row's key.
func (r oldRow) id() string { return clipped(r.text("id"), longestKey) }

// text is a column as text; "" for NULL and for what is none.
func (r oldRow) text(column string) string {
	switch v := r[column].(type) {
	case string:
		return strings.TrimSpace(clean(v))
	case json.Number:
		return v.String()
	}
	return ""
}

// number is a column as a whole number, 0 where it is none.
func (r oldRow) number(column string) int64 { return int64(r.fraction(column)) }

// fraction is a column as a number, 0 where it is none.
func (r oldRow) fraction(column string) float64 {
	v, ok := r[column].(json.Number)
	if !ok {
		return 0
	}
	f, err := v.Float64()
	if err != nil || f < -1e15 || f > 1e15 {
		return 0
	}
	return f
}

// time is a column as a moment: with a zone, or meant in UTC; zero where it is none, or
// beyond any calendar.
func (r oldRow) time(column string) time.Time {
	text := r.text(column)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999", time.DateOnly} {
		t, err := time.Parse(layout, text)
		if err == nil && t.Year() >= 1970 && t.Year() <= 9998 {
			return fromMS(t.UnixMilli())
		}
	}
	return time.Time{}
}

// day is a DATE, or the day of a TIMESTAMP; "" where it is neither.
func (r oldRow) day(column string) string {
	text := r.text(column)
	if len(text) < len(time.DateOnly) {
		return ""
	}
	day, err := time.Parse(time.DateOnly, text[:len(time.DateOnly)])
	if err != nil {
		return ""
	}
	return day.Format(time.DateOnly)
}

// clock is a TIME, or the time of a TIMESTAMP; "" where it is neither.
func (r oldRow) clock(column string) string {
	text := r.text(column)
	if _, after, ok := strings.Cut(strings.Replace(text, " ", "T", 1), "T"); ok {
		text = after
	}
	if len(text) < len("15:04") {
		return ""
	}
	at, err := time.Parse("15:04", text[:len("15:04")])
	if err != nil {
		return ""
	}
	return at.Format("15:04")
}

// words is a column that holds several: TEXT[], JSON, or either as text.
func (r oldRow) words(column string) ([]string, bool) {
	value := r[column]
	if text, ok := value.(string); ok {
		var list []any
		switch {
		case json.Unmarshal([]byte(text), &list) == nil:
			value = list
		case strings.HasPrefix(text, "{") && strings.HasSuffix(text, "}"):
			for _, word := range strings.Split(text[1:len(text)-1], ",") {
				list = append(list, strings.Trim(word, `"`))
			}
			value = list
		default:
			for _, word := range strings.Split(text, ",") {
				list = append(list, word)
			}
			value = list
		}
	}
	list, ok := value.([]any)
	words := make([]string, 0, len(list))
	for _, item := range list {
		if word, ok := item.(string); ok && strings.TrimSpace(word) != "" {
			words = append(words, strings.TrimSpace(clean(word)))
		}
	}
	return words, ok
}

// takeConfiguration takes the predecessor's fields into one of ours, within the ranges
// that ours has.
func takeConfiguration(c *app.Configuration, old oldRow) {
	seconds := func(into *float64, column string, least, most float64) {
		if v := old.fraction(column); v > 0 {
			*into = min(max(v, least), most)
		}
	}
	truth := func(into *bool, column string) {
		if v, ok := old[column].(bool); ok {
			*into = v
		}
	}
	seconds(&c.CheckIntervalSeconds, "check_interval_seconds", 0.2, 3600)
	seconds(&c.ResultsReportIntervalSeconds, "results_report_interval_seconds", 1, 1e9)
	seconds(&c.RejectedReportIntervalSeconds, "rejected_report_interval_seconds", 1, 1e9)
	seconds(&c.QuickCheckIntervalSeconds, "quick_check_interval_seconds", 1, 1e9)
	truth(&c.EnableQuickCheck, "enable_quick_check")
	truth(&c.EnableResultsReporting, "enable_results_reporting")
	truth(&c.EnableRejectedReporting, "enable_rejected_reporting")
	if v := old.number("max_accept_per_run"); v > 0 {
		c.MaxAcceptPerRun = int(min(v, 1_000_000))
	}
	if name := old.text("config_name"); name != "" {
		c.ConfigName = name
	}
	if _, ok := old["job_type_filter"].(string); ok {
		c.JobTypeFilter = old.text("job_type_filter")
	}
	if words, ok := old.words("exclude_types"); ok {
		c.ExcludeTypes = words
	}
}
