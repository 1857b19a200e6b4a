package rules

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
)

// Bounds of a configuration's fields. Those of the interval, the session's cap and the
// details in parallel are promised to users; the others keep a slip of the finger from
// becoming a rule, and a decision from becoming slow.
const (
	minInterval, maxInterval = 0.2, 3600.0 // Seconds.
	maxReportInterval        = 31_536_000  // Seconds: a year.
	maxAccept                = 1_000_000
	maxNotice                = 525_600 // Minutes: a year.
	maxMinutes               = 10_080  // Of a duration: a week.
	maxBuffer                = 1440    // Minutes: a day.
	maxParallel              = 4

	maxWords      = 500 // In one list.
	maxWordLength = 200 // Bytes of one entry.
	maxFilter     = 4000
	maxDaysOff    = 2000
)

// Compile checks every field of a configuration and prepares it for deciding. Where
// anything is wrong it returns an *app.Error with [app.CodeInvalid] whose Fields hold
// every wrong field by its JSON name, and what is wrong with it in a sentence.
func Compile(c app.Configuration) (*Set, error) {
	v := validator{fields: map[string]string{}}
	v.numbers(c)
	s := &Set{
		rules:          rules(),
		version:        c.Version,
		zone:           v.zone(c.TimeZone),
		types:          v.filter("job_type_filter", c.JobTypeFilter),
		excluded:       v.phrases("exclude_types", c.ExcludeTypes),
		ask:            v.phrases("ask_types", c.AskTypes),
		wanted:         v.phrases("words_wanted", c.WordsWanted),
		unwanted:       v.phrases("words_unwanted", c.WordsUnwanted),
		minDuration:    c.MinDuration,
		maxDuration:    c.MaxDuration,
		minNotice:      time.Duration(c.MinNoticeMinutes) * time.Minute,
		maxSession:     c.MaxAcceptPerRun,
		maxDay:         c.MaxPerDay,
		maxWeek:        c.MaxPerWeek,
		maxMinutesDay:  int(math.Round(c.MaxHoursPerDay * 60)),
		maxRejected:    c.MaxRejectPerRun,
		avoidOverlap:   c.AvoidOverlap,
		buffers:        buffer{minutes(c.BufferBefore), minutes(c.BufferAfter)},
		typeBuffers:    v.typeBuffers(c.BuffersByType),
		rejectExcluded: c.RejectExcluded,
		preference:     c.Preference,
		expression:     v.expression(c.Expression),
	}
	s.languages = v.languages(c.Languages)
	s.hours = v.hours(c.WeeklyHours)
	s.daysOff = v.daysOff(c.DaysOff)
	if len(v.fields) > 0 {
		return nil, v.err()
	}
	s.boundBuffers()
	s.write(c)
	s.activate()
	return s, nil
}

// activate notes the rules that can do anything but hold.
func (s *Set) activate() {
	idle := map[string]bool{
		RuleJobType:       len(s.types) == 0,
		RuleExcludedType:  len(s.excluded) == 0,
		RuleLanguages:     len(s.languages) == 0,
		RuleWordsWanted:   len(s.wanted) == 0,
		RuleWordsUnwanted: len(s.unwanted) == 0,
		RuleNotice:        s.minNotice == 0,
		RuleWeeklyHours:   !s.hours.set,
		RuleDaysOff:       len(s.daysOff) == 0,
		RuleCapDay:        s.maxDay == 0,
		RuleCapWeek:       s.maxWeek == 0,
		RuleHoursDay:      s.maxMinutesDay == 0,
		RuleExpression:    s.expression == nil,
		RuleAsk:           len(s.ask) == 0 && s.expression == nil,
	}
	for i, r := range s.rules {
		if !idle[r.name] {
			s.active = append(s.active, i)
		}
	}
}

func minutes(n int) time.Duration { return time.Duration(n) * time.Minute }

// write prepares what every trace says the rules wanted.
func (s *Set) write(c app.Configuration) {
	s.typesWanted = writePhrases(s.types, "any type")
	s.excludedWanted = writePhrases(s.excluded, "nothing excluded")
	if len(s.excluded) > 0 {
		s.excludedWanted = "none of " + s.excludedWanted
	}
	s.languagesWanted = "any language"
	if len(c.Languages) > 0 {
		s.languagesWanted = strings.Join(c.Languages, ", ")
	}
	s.wantedWanted = writePhrases(s.wanted, "any words")
	s.unwantedWanted = "any words"
	if len(s.unwanted) > 0 {
		s.unwantedWanted = "none of " + writePhrases(s.unwanted, "")
	}
	switch {
	case s.minDuration > 0 && s.maxDuration > 0:
		s.durationWanted = writeMinutes(s.minDuration) + " to " + writeMinutes(s.maxDuration)
	case s.minDuration > 0:
		s.durationWanted = writeMinutes(s.minDuration) + " at least"
	case s.maxDuration > 0:
		s.durationWanted = writeMinutes(s.maxDuration) + " at most"
	default:
		s.durationWanted = "any duration"
	}
	s.noticeWanted = "any notice"
	if s.minNotice > 0 {
		s.noticeWanted = writeMinutes(int(s.minNotice/time.Minute)) + " at least"
	}
	s.hoursWanted = "any time"
	if s.hours.set {
		s.hoursWanted = s.hours.write()
	}
	s.daysWanted = "any day"
	if len(s.daysOff) > 0 {
		s.daysWanted = "no day off"
	}
	s.overlapWanted = "free time"
	if s.mostBuffers != (buffer{}) {
		s.overlapWanted = "free time, and the buffers around it"
	}
	if !s.avoidOverlap {
		s.overlapWanted = "time that no busy calendar holds"
	}
}

func writePhrases(phrases []phrase, none string) string {
	if len(phrases) == 0 {
		return none
	}
	words := make([]string, len(phrases))
	for i, p := range phrases {
		words[i] = p.written
	}
	return strings.Join(words, ", ")
}

// writeMinutes writes a number of minutes as people do: "1 hour 30 minutes".
func writeMinutes(n int) string {
	if n < 0 {
		return "-" + writeMinutes(-n)
	}
	days, hours, rest := n/1440, n/60, n%60
	if n%1440 == 0 && days > 1 {
		return strconv.Itoa(days) + " days"
	}
	switch {
	case hours == 0:
		return plural(rest, "minute")
	case rest == 0:
		return plural(hours, "hour")
	default:
		return plural(hours, "hour") + " " + plural(rest, "minute")
	}
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return strconv.Itoa(n) + " " + word + "s"
}

// validator collects what is wrong with a configuration.
type validator struct{ fields map[string]string }

func (v *validator) wrong(field, format string, args ...any) {
	if v.fields[field] == "" { // The first mistake of a field is the one to mend first.
		v.fields[field] = fmt.Sprintf(format, args...)
	}
}

func (v *validator) err() error {
	message := "1 field of the configuration is wrong"
	if len(v.fields) > 1 {
		message = strconv.Itoa(len(v.fields)) + " fields of the configuration are wrong"
	}
	return &app.Error{Code: app.CodeInvalid, Message: message, Fields: v.fields}
}

func (v *validator) numbers(c app.Configuration) {
	if len(c.ConfigName) > maxWordLength {
		v.wrong("config_name", "longer than %d characters", maxWordLength)
	}
	v.float("check_interval_seconds", c.CheckIntervalSeconds, minInterval, maxInterval)
	v.float("results_report_interval_seconds", c.ResultsReportIntervalSeconds, 0, maxReportInterval)
	v.float("rejected_report_interval_seconds", c.RejectedReportIntervalSeconds, 0, maxReportInterval)
	v.float("quick_check_interval_seconds", c.QuickCheckIntervalSeconds, 0, maxReportInterval)
	v.int("max_accept_per_run", c.MaxAcceptPerRun, 1, maxAccept)
	v.int("max_reject_per_run", c.MaxRejectPerRun, 0, maxAccept)
	v.int("min_notice_minutes", c.MinNoticeMinutes, 0, maxNotice)
	v.int("min_duration_minutes", c.MinDuration, 0, maxMinutes)
	v.int("max_duration_minutes", c.MaxDuration, 0, maxMinutes)
	if c.MaxDuration > 0 && c.MinDuration > c.MaxDuration {
		v.wrong("min_duration_minutes", "%d is more than max_duration_minutes, which is %d", c.MinDuration, c.MaxDuration)
		v.wrong("max_duration_minutes", "%d is less than min_duration_minutes, which is %d", c.MaxDuration, c.MinDuration)
	}
	v.int("buffer_before_minutes", c.BufferBefore, 0, maxBuffer)
	v.int("buffer_after_minutes", c.BufferAfter, 0, maxBuffer)
	v.int("max_per_day", c.MaxPerDay, 0, maxAccept)
	v.int("max_per_week", c.MaxPerWeek, 0, maxAccept)
	v.float("max_hours_per_day", c.MaxHoursPerDay, 0, 24)
	v.int("accept_limit_per_hour", c.AcceptLimitPerHour, 0, maxAccept)
	v.int("parallel_details", c.ParallelDetails, 1, maxParallel)
	if c.Mode != app.ModeWatch && c.Mode != app.ModeLive {
		v.wrong("mode", "%q is none of watch, live", c.Mode)
	}
	switch c.Preference {
	case app.PreferListed, app.PreferLongest, app.PreferSoonest:
	default:
		v.wrong("preference", "%q is none of listed, longest, soonest", c.Preference)
	}
}

func (v *validator) int(field string, n, least, most int) {
	if n < least || n > most {
		v.wrong(field, "%d is out of range: %d to %d", n, least, most)
	}
}

func (v *validator) float(field string, n, least, most float64) {
	if !(n >= least && n <= most) { // Written so that NaN is out of range too.
		v.wrong(field, "%v is out of range: %v to %v", n, least, most)
	}
}

func (v *validator) zone(name string) *time.Location {
	// LoadLocation takes "" for UTC and "Local" for the machine's zone: neither says where
	// the portal is.
	if name == "" || name == "Local" {
		v.wrong("time_zone", "%q is no time zone; write it as \"Europe/London\"", name)
		return time.UTC
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		v.wrong("time_zone", "%q is no time zone that is known; write it as \"Europe/London\"", name)
		return time.UTC
	}
	return zone
}

// filter reads the predecessor's one text, in which several stand with commas, semicolons
// or line breaks between.
func (v *validator) filter(field, written string) []phrase {
	if len(written) > maxFilter {
		v.wrong(field, "longer than %d characters", maxFilter)
		return nil
	}
	var phrases []phrase
	for part := range strings.FieldsFuncSeq(written, func(r rune) bool { return r == ',' || r == ';' || r == '\n' || r == '\r' }) {
		if strings.TrimSpace(part) == "" {
			continue
		}
		p, ok := foldPhrase(part)
		if !ok {
			v.wrong(field, "%q holds no word", strings.TrimSpace(part))
			return nil
		}
		phrases = append(phrases, p)
	}
	return phrases
}

func (v *validator) phrases(field string, written []string) []phrase {
	if !v.listed(field, written) {
		return nil
	}
	phrases := make([]phrase, 0, len(written))
	for i, w := range written {
		p, ok := foldPhrase(w)
		if !ok {
			v.wrong(field, "entry %d, %q, holds no word", i+1, w)
			return nil
		}
		phrases = append(phrases, p)
	}
	return phrases
}

func (v *validator) listed(field string, written []string) bool {
	if len(written) > maxWords {
		v.wrong(field, "more than %d entries", maxWords)
		return false
	}
	for i, w := range written {
		if len(w) > maxWordLength {
			v.wrong(field, "entry %d is longer than %d characters", i+1, maxWordLength)
			return false
		}
	}
	return true
}

func (v *validator) languages(written []string) map[string]struct{} {
	if !v.listed("languages", written) {
		return nil
	}
	set := make(map[string]struct{}, len(written))
	for i, w := range written {
		if !hasWord(w) {
			v.wrong("languages", "entry %d, %q, is no language", i+1, w)
			return nil
		}
		set[same(w)] = struct{}{}
	}
	return set
}

func (v *validator) typeBuffers(written []app.TypeBuffer) []typeBuffer {
	if len(written) > maxWords {
		v.wrong("buffers_by_type", "more than %d entries", maxWords)
		return nil
	}
	var buffers []typeBuffer
	for i, w := range written {
		p, ok := foldPhrase(w.Type)
		switch {
		case !ok || len(w.Type) > maxWordLength:
			v.wrong("buffers_by_type", "entry %d: type %q holds no word", i+1, w.Type)
		case w.Before < 0 || w.Before > maxBuffer:
			v.wrong("buffers_by_type", "entry %d: before_minutes %d is out of range: 0 to %d", i+1, w.Before, maxBuffer)
		case w.After < 0 || w.After > maxBuffer:
			v.wrong("buffers_by_type", "entry %d: after_minutes %d is out of range: 0 to %d", i+1, w.After, maxBuffer)
		}
		buffers = append(buffers, typeBuffer{p, buffer{minutes(w.Before), minutes(w.After)}})
	}
	return buffers
}

func (v *validator) hours(written map[string][][2]string) weeklyHours {
	hours, mistakes := parseWeeklyHours(written)
	if len(mistakes) > 0 {
		v.wrong("weekly_hours", "%s", strings.Join(mistakes, "; "))
	}
	return hours
}

func (v *validator) daysOff(written []app.DayOff) []dayOff {
	if len(written) > maxDaysOff {
		v.wrong("days_off", "more than %d entries", maxDaysOff)
		return nil
	}
	days, mistakes := parseDaysOff(written)
	if len(mistakes) > 0 {
		v.wrong("days_off", "%s", strings.Join(mistakes, "; "))
	}
	return days
}

func (v *validator) expression(written string) *expression {
	if strings.TrimSpace(written) == "" {
		return nil
	}
	e, err := compileExpression(written)
	if err != nil {
		v.wrong("expression", "%s", err)
		return nil
	}
	return e
}
