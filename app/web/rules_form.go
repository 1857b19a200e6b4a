package web

import (
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/atozbot/atozbot/app"
)

// weekdayKeys are the days as the configuration names them, Monday first.
func weekdayKeys() []string { return []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} }

// formReader reads fields of a form and collects what is wrong with them.
type formReader struct {
	url.Values
	wrong map[string]string // Field to the key of what is wrong.
}

func (f formReader) integer(name string, to *int) {
	text := strings.TrimSpace(f.Get(name))
	if text == "" {
		text = "0"
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		f.wrong[name] = "rules.notWhole"
		return
	}
	*to = n
}

func (f formReader) decimal(name string, to *float64) {
	text := strings.Replace(strings.TrimSpace(f.Get(name)), ",", ".", 1)
	if text == "" {
		text = "0"
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		f.wrong[name] = "rules.notNumber"
		return
	}
	*to = n
}

func (f formReader) tick(name string, to *bool) { *to = f.Get(name) != "" }

func (f formReader) words(name string, to *[]string) { *to = splitWords(f.Get(name)) }

// splitWords splits at commas and line ends.
func splitWords(text string) []string {
	all := []string{}
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == '\n' || r == ';' }) {
		if word = strings.TrimSpace(word); word != "" && !slices.Contains(all, word) {
			all = append(all, word)
		}
	}
	return all
}

// configurationOf reads the form of the Rules page over base, and says by field what
// could not be read. Fields that the form does not carry stay as they are.
func configurationOf(form url.Values, base app.Configuration) (app.Configuration, map[string]string) {
	f := formReader{form, map[string]string{}}
	c := base
	if v, err := strconv.ParseInt(form.Get("version"), 10, 64); err == nil {
		c.Version = v
	}
	c.Mode = app.Mode(form.Get("mode"))
	c.Preference = app.Preference(form.Get("preference"))
	c.JobTypeFilter = strings.Join(splitWords(form.Get("job_type_filter")), ", ")
	c.Expression = strings.TrimSpace(form.Get("expression"))
	c.TimeZone = strings.TrimSpace(form.Get("time_zone"))
	f.words("exclude_types", &c.ExcludeTypes)
	f.words("ask_types", &c.AskTypes)
	f.words("words_wanted", &c.WordsWanted)
	f.words("words_unwanted", &c.WordsUnwanted)
	f.tick("reject_excluded", &c.RejectExcluded)
	f.tick("allow_short_notice", &c.AllowShortNotice)
	f.tick("avoid_overlap", &c.AvoidOverlap)
	f.tick("enable_results_reporting", &c.EnableResultsReporting)
	f.tick("enable_rejected_reporting", &c.EnableRejectedReporting)
	f.integer("max_reject_per_run", &c.MaxRejectPerRun)
	f.integer("min_notice_minutes", &c.MinNoticeMinutes)
	f.integer("min_duration_minutes", &c.MinDuration)
	f.integer("max_duration_minutes", &c.MaxDuration)
	f.integer("buffer_before_minutes", &c.BufferBefore)
	f.integer("buffer_after_minutes", &c.BufferAfter)
	f.integer("max_accept_per_run", &c.MaxAcceptPerRun)
	f.integer("max_per_day", &c.MaxPerDay)
	f.integer("max_per_week", &c.MaxPerWeek)
	f.integer("accept_limit_per_hour", &c.AcceptLimitPerHour)
	f.integer("parallel_details", &c.ParallelDetails)
	f.decimal("max_hours_per_day", &c.MaxHoursPerDay)
	f.decimal("check_interval_seconds", &c.CheckIntervalSeconds)
	f.decimal("results_report_interval_seconds", &c.ResultsReportIntervalSeconds)
	f.decimal("rejected_report_interval_seconds", &c.RejectedReportIntervalSeconds)
	c.Languages = splitWords(strings.Join(append(slices.Clone(form["languages"]), form.Get("languages_more")), ","))
	if form.Get("languages_any") != "" {
		c.Languages = []string{}
	}
	c.WeeklyHours = f.weeklyHours()
	c.DaysOff = f.daysOff()
	c.BuffersByType = f.typeBuffers()
	return c, f.wrong
}

// weeklyHours reads the stretches of each day. Midnight as an end is the day's end: a
// field for a time knows no 24:00.
func (f formReader) weeklyHours() map[string][][2]string {
	hours := map[string][][2]string{}
	for _, day := range weekdayKeys() {
		from, to := f.Values["hours_"+day+"_from"], f.Values["hours_"+day+"_to"]
		for i := range min(len(from), len(to)) {
			a, b := strings.TrimSpace(from[i]), strings.TrimSpace(to[i])
			if a == "" && b == "" {
				continue
			}
			if a == "" || b == "" {
				f.wrong["weekly_hours"] = "rules.halfRange"
				continue
			}
			if b == "00:00" {
				b = "24:00"
			}
			hours[day] = append(hours[day], [2]string{a, b})
		}
	}
	return hours
}

func (f formReader) daysOff() []app.DayOff {
	all := []app.DayOff{}
	from, to, note := f.Values["off_from"], f.Values["off_to"], f.Values["off_note"]
	for i := range min(len(from), len(to), len(note)) {
		off := app.DayOff{From: from[i], To: to[i], Note: strings.TrimSpace(note[i])}
		if off.From == "" && off.To == "" {
			continue
		}
		off.From, off.To = orElse(off.From, off.To), orElse(off.To, off.From)
		all = append(all, off)
	}
	return all
}

func (f formReader) typeBuffers() []app.TypeBuffer {
	all := []app.TypeBuffer{}
	names, before, after := f.Values["buffer_type"], f.Values["buffer_type_before"], f.Values["buffer_type_after"]
	for i := range min(len(names), len(before), len(after)) {
		name := strings.TrimSpace(names[i])
		if name == "" {
			continue
		}
		b, errB := strconv.Atoi(orElse(strings.TrimSpace(before[i]), "0"))
		a, errA := strconv.Atoi(orElse(strings.TrimSpace(after[i]), "0"))
		if errA != nil || errB != nil {
			f.wrong["buffers_by_type"] = "rules.notWhole"
		}
		all = append(all, app.TypeBuffer{Type: name, Before: b, After: a})
	}
	return all
}

// languageChoices gives the languages seen, ticked where accepted, and those accepted
// that were never seen.
func languageChoices(seen, accepted []string) ([]languageChoice, string) {
	var choices []languageChoice
	for _, name := range seen {
		choices = append(choices, languageChoice{name, slices.ContainsFunc(accepted, func(a string) bool { return strings.EqualFold(a, name) })})
	}
	var more []string
	for _, a := range accepted {
		if !slices.ContainsFunc(seen, func(name string) bool { return strings.EqualFold(a, name) }) {
			more = append(more, a)
		}
	}
	return choices, strings.Join(more, ", ")
}

// weekdays gives the hours of each day, with a free stretch to fill in.
func (v *visit) weekdays(hours map[string][][2]string) []weekday {
	var days []weekday
	for i, key := range weekdayKeys() {
		d := weekday{Key: key, Name: v.voice.say("weekday.long." + strconv.Itoa((i+1)%7))}
		for _, r := range hours[key] {
			if r[1] == "24:00" {
				r[1] = "00:00"
			}
			d.Ranges = append(d.Ranges, r)
		}
		for len(d.Ranges) < 2 {
			d.Ranges = append(d.Ranges, [2]string{})
		}
		days = append(days, d)
	}
	return days
}
