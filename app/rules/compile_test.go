package rules_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/rules"
)

// fields compiles a changed default configuration and gives what is wrong with it.
func fields(t *testing.T, change func(*app.Configuration)) map[string]string {
	t.Helper()
	c := app.DefaultConfiguration()
	change(&c)
	set, err := rules.Compile(c)
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*app.Error](err)
	if !ok || e.Code != app.CodeInvalid || set != nil || len(e.Fields) == 0 {
		t.Fatalf("got %v, %v", set, err)
	}
	return e.Fields
}

func TestOutOfTheBoxCompiles(t *testing.T) {
	c := app.DefaultConfiguration()
	c.Version = 7
	set, err := rules.Compile(c)
	if err != nil {
		t.Fatal(err)
	}
	if set.Version() != 7 || set.Location().String() != "Europe/London" {
		t.Errorf("version %d, zone %s", set.Version(), set.Location())
	}
}

func TestTheEndsOfEveryRange(t *testing.T) {
	for _, c := range []struct {
		field     string
		set       func(*app.Configuration, float64)
		good, bad []float64
	}{
		{"check_interval_seconds", func(c *app.Configuration, n float64) { c.CheckIntervalSeconds = n }, []float64{0.2, 0.5, 3600}, []float64{0.1999, 0, -1, 3600.01, math.NaN(), math.Inf(1)}},
		{"results_report_interval_seconds", func(c *app.Configuration, n float64) { c.ResultsReportIntervalSeconds = n }, []float64{0, 5, 43200}, []float64{-1, 1e9}},
		{"rejected_report_interval_seconds", func(c *app.Configuration, n float64) { c.RejectedReportIntervalSeconds = n }, []float64{0, 43200}, []float64{-1, 1e9}},
		{"quick_check_interval_seconds", func(c *app.Configuration, n float64) { c.QuickCheckIntervalSeconds = n }, []float64{0, 10}, []float64{-1, 1e9}},
		{"max_accept_per_run", func(c *app.Configuration, n float64) { c.MaxAcceptPerRun = int(n) }, []float64{1, 1_000_000}, []float64{0, -1, 1_000_001}},
		{"max_reject_per_run", func(c *app.Configuration, n float64) { c.MaxRejectPerRun = int(n) }, []float64{0, 1_000_000}, []float64{-1, 1_000_001}},
		{"min_notice_minutes", func(c *app.Configuration, n float64) { c.MinNoticeMinutes = int(n) }, []float64{0, 1440, 525600}, []float64{-1, 525601}},
		{"min_duration_minutes", func(c *app.Configuration, n float64) { c.MinDuration = int(n) }, []float64{0, 30, 10080}, []float64{-1, 10081}},
		{"max_duration_minutes", func(c *app.Configuration, n float64) { c.MaxDuration = int(n) }, []float64{0, 30, 10080}, []float64{-1, 10081}},
		{"buffer_before_minutes", func(c *app.Configuration, n float64) { c.BufferBefore = int(n) }, []float64{0, 1440}, []float64{-1, 1441}},
		{"buffer_after_minutes", func(c *app.Configuration, n float64) { c.BufferAfter = int(n) }, []float64{0, 1440}, []float64{-1, 1441}},
		{"max_per_day", func(c *app.Configuration, n float64) { c.MaxPerDay = int(n) }, []float64{0, 1}, []float64{-1}},
		{"max_per_week", func(c *app.Configuration, n float64) { c.MaxPerWeek = int(n) }, []float64{0, 1}, []float64{-1}},
		{"max_hours_per_day", func(c *app.Configuration, n float64) { c.MaxHoursPerDay = n }, []float64{0, 0.5, 24}, []float64{-1, 24.5, math.NaN()}},
		{"accept_limit_per_hour", func(c *app.Configuration, n float64) { c.AcceptLimitPerHour = int(n) }, []float64{0, 1}, []float64{-1}},
		{"parallel_details", func(c *app.Configuration, n float64) { c.ParallelDetails = int(n) }, []float64{1, 4}, []float64{0, 5}},
	} {
		t.Run(c.field, func(t *testing.T) {
			for _, n := range c.good {
				if wrong := fields(t, func(f *app.Configuration) { c.set(f, n) }); wrong != nil {
					t.Errorf("%v was refused: %v", n, wrong)
				}
			}
			for _, n := range c.bad {
				if wrong := fields(t, func(f *app.Configuration) { c.set(f, n) }); len(wrong) != 1 || wrong[c.field] == "" {
					t.Errorf("%v gave %v", n, wrong)
				}
			}
		})
	}
}

func TestWhatAFieldCannotBe(t *testing.T) {
	for _, c := range []struct {
		name, field, want string
		change            func(*app.Configuration)
	}{
		{"no mode", "mode", "watch, live", func(c *app.Configuration) { c.Mode = "" }},
		{"another mode", "mode", "watch, live", func(c *app.Configuration) { c.Mode = "fast" }},
		{"no preference", "preference", "listed, longest, soonest", func(c *app.Configuration) { c.Preference = "" }},
		{"no zone", "time_zone", "no time zone", func(c *app.Configuration) { c.TimeZone = "" }},
		{"the machine's zone", "time_zone", "no time zone", func(c *app.Configuration) { c.TimeZone = "Local" }},
		{"an unknown zone", "time_zone", "Europe/London", func(c *app.Configuration) { c.TimeZone = "Europe/Atlantis" }},
		{"a zone that is a path", "time_zone", "no time zone", func(c *app.Configuration) { c.TimeZone = "../../etc/passwd" }},
		{"a longer name", "config_name", "longer", func(c *app.Configuration) { c.ConfigName = strings.Repeat("x", 201) }},
		{"an excluded type without a word", "exclude_types", "entry 2", func(c *app.Configuration) { c.ExcludeTypes = []string{"Onsite", " - "} }},
		{"a filter without a word", "job_type_filter", "no word", func(c *app.Configuration) { c.JobTypeFilter = "Telephone, ***" }},
		{"a filter without end", "job_type_filter", "longer", func(c *app.Configuration) { c.JobTypeFilter = strings.Repeat("x", 5000) }},
		{"an empty language", "languages", "entry 1", func(c *app.Configuration) { c.Languages = []string{""} }},
		{"too many languages", "languages", "500", func(c *app.Configuration) { c.Languages = make([]string, 501) }},
		{"a word without end", "words_wanted", "longer", func(c *app.Configuration) { c.WordsWanted = []string{strings.Repeat("x", 201)} }},
		{"an unwanted word that is none", "words_unwanted", "no word", func(c *app.Configuration) { c.WordsUnwanted = []string{"!"} }},
		{"an asked type that is none", "ask_types", "no word", func(c *app.Configuration) { c.AskTypes = []string{""} }},
		{"a buffer of no type", "buffers_by_type", "entry 1", func(c *app.Configuration) { c.BuffersByType = []app.TypeBuffer{{}} }},
		{"a buffer below nothing", "buffers_by_type", "before_minutes", func(c *app.Configuration) { c.BuffersByType = []app.TypeBuffer{{Type: "x", Before: -1}} }},
		{"a buffer of days", "buffers_by_type", "after_minutes", func(c *app.Configuration) { c.BuffersByType = []app.TypeBuffer{{Type: "x", After: 1441}} }},
		{"an unknown day", "weekly_hours", `"monday"`, func(c *app.Configuration) { c.WeeklyHours = map[string][][2]string{"monday": nil} }},
		{"a day in capitals", "weekly_hours", `"Mon"`, func(c *app.Configuration) { c.WeeklyHours = map[string][][2]string{"Mon": nil} }},
		{"an hour that is none", "weekly_hours", `mon: "8:00"`, hours("8:00", "18:00")},
		{"an end that is none", "weekly_hours", `"25:00"`, hours("08:00", "25:00")},
		{"an end after the day", "weekly_hours", `"24:01"`, hours("08:00", "24:01")},
		{"a beginning at the end", "weekly_hours", `"24:00" is no time to begin`, hours("24:00", "08:00")},
		{"no time at all", "weekly_hours", "no time at all", hours("08:00", "08:00")},
		{"a day off that is none", "days_off", "entry 1", func(c *app.Configuration) { c.DaysOff = []app.DayOff{{From: "24/12/2027"}} }},
		{"31 April", "days_off", "2027-04-31", func(c *app.Configuration) { c.DaysOff = []app.DayOff{{From: "2027-04-31"}} }},
		{"days off backwards", "days_off", "before it begins", func(c *app.Configuration) { c.DaysOff = []app.DayOff{{From: "2027-12-27", To: "2027-12-24"}} }},
		{"a day off with an end that is none", "days_off", "to \"soon\"", func(c *app.Configuration) { c.DaysOff = []app.DayOff{{From: "2027-12-27", To: "soon"}} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			wrong := fields(t, c.change)
			if len(wrong) != 1 || !strings.Contains(wrong[c.field], c.want) {
				t.Errorf("got %v, want %s with %q", wrong, c.field, c.want)
			}
		})
	}
}

func hours(from, to string) func(*app.Configuration) {
	return func(c *app.Configuration) { c.WeeklyHours = map[string][][2]string{"mon": {{from, to}}} }
}

func TestDurationsThatContradictEachOtherNameBothFields(t *testing.T) {
	wrong := fields(t, func(c *app.Configuration) { c.MinDuration, c.MaxDuration = 60, 30 })
	if len(wrong) != 2 || wrong["min_duration_minutes"] == "" || wrong["max_duration_minutes"] == "" {
		t.Errorf("got %v", wrong)
	}
	if wrong := fields(t, func(c *app.Configuration) { c.MinDuration, c.MaxDuration = 60, 60 }); wrong != nil {
		t.Errorf("got %v", wrong)
	}
}

func TestEveryMistakeIsToldAtOnce(t *testing.T) {
	wrong := fields(t, func(c *app.Configuration) {
		c.CheckIntervalSeconds, c.MaxAcceptPerRun, c.Mode, c.TimeZone, c.Expression = 0, 0, "x", "x", "("
		c.WeeklyHours = map[string][][2]string{"mon": {{"a", "b"}}, "x": nil}
		c.DaysOff, c.Languages = []app.DayOff{{From: "a"}, {From: "b"}}, []string{"?"}
	})
	if len(wrong) != 8 {
		t.Errorf("got %d fields: %v", len(wrong), wrong)
	}
	if w := wrong["weekly_hours"]; !strings.Contains(w, `"a"`) || !strings.Contains(w, `"x"`) {
		t.Errorf("weekly_hours: %s", w)
	}
}

func TestExpressionErrorsSayWhere(t *testing.T) {
	for _, c := range []struct{ expression, want string }{
		{"duration <", "line 1, column 10: unexpected token EOF"},
		{"languag == 'Polish'", "line 1, column 1: unknown name languag"},
		{"duration > 60 and\n  langage == 'x'", "line 2, column 3: unknown name langage"},
		{"duration > 'an hour'", `line 1, column 10: invalid operation: > (mismatched types int and string)`},
		{"duration", `line 1, column 1: this gives a number; an expression gives true or false, or "accept", "ask" or "leave"`},
		{"language", `line 1, column 1: this gives a text; an expression gives true or false, or "accept", "ask" or "leave"`},
		{"'reject'", `line 1, column 1: "reject" is no verdict; the verdicts are "accept", "ask" and "leave"`},
		{"hour > 9 ? 'accept' : 'maybe'", `line 1, column 23: "maybe" is no verdict; the verdicts are "accept", "ask" and "leave"`},
		{"hour > 9 ? 'accept' : language", `line 1, column 23: this gives a text; an expression gives true or false, or "accept", "ask" or "leave"`},
		{"now() > 1", "line 1, column 1: unknown name now"},
		{"any(1..1000000, # > 5)", "line 1, column 6: ranges are not supported"},
		{"language + language == 'x'", "line 1, column 10: only numbers can be added"},
		{"any([1, 2], any([3], # > 5))", "line 1, column 13: any, all and none cannot stand within each other"},
		{"repeat('a', 1000000000) == ''", "line 1, column 1: unknown name repeat"},
		{"language matches '('", "line 1, column 10: error parsing regexp: missing closing ): `(`"},
		{strings.Repeat("hour > 1 and ", 120) + "true", "line 1, column 985: compilation failed: expression exceeds maximum allowed nodes"},
		{strings.Repeat("x", 4001), "longer than 4000 characters"},
		{"Has('x')", "line 1, column 1: unknown name Has"},
		{"has(1)", "line 1, column 5: cannot use int as argument (type string) to call has "},
	} {
		t.Run(c.expression[:min(len(c.expression), 40)], func(t *testing.T) {
			wrong := fields(t, func(f *app.Configuration) { f.Expression = c.expression })
			if diff := cmp.Diff(map[string]string{"expression": c.want}, wrong); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestExpressionsThatCompile(t *testing.T) {
	for _, e := range []string{
		"true", " \n ", "'ask'", "duration <= 60", "language in ['Polish', 'Urdu']", "not has('prison')",
		"if hour < 9 { 'ask' } else { 'accept' }", "let late = hour >= 18; late ? 'ask' : true", "lower(type) contains 'court'",
		"any(['court', 'police'], has(#))", "language matches '^P.l'", "weekday in ['sat', 'sun'] ? duration >= 60 : true",
		"min(duration, 60) == 60 and abs(hour - 12) < 4", "notice_hours / 24 > 1.5", "detail('Location') startsWith 'Leeds'",
	} {
		if wrong := fields(t, func(c *app.Configuration) { c.Expression = e }); wrong != nil {
			t.Errorf("%s: %v", e, wrong)
		}
	}
}

func TestPresetsCompileAndNeverGoLive(t *testing.T) {
	names := map[string]bool{}
	for _, p := range rules.Presets() {
		names[p.Name] = true
		c := p.Apply(app.DefaultConfiguration())
		if _, err := rules.Compile(c); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
		if c.Mode != app.ModeWatch {
			t.Errorf("%s goes live", p.Name)
		}
		if got, ok := rules.PresetNamed(p.Name); !ok || got.Title != p.Title || p.Summary == "" {
			t.Errorf("%s is not found by its name", p.Name)
		}
	}
	for _, name := range []string{"careful", "balanced", "fast", "watch", "aggressive", "conservative", "monitoring"} {
		if !names[name] {
			t.Errorf("there is no preset %s", name)
		}
	}
	live := app.DefaultConfiguration()
	live.Mode = app.ModeLive
	for _, p := range rules.Presets() {
		watches := p.Name == "watch" || p.Name == "monitoring"
		if got := p.Apply(live).Mode; (got == app.ModeWatch) != watches {
			t.Errorf("%s makes of live %s", p.Name, got)
		}
	}
}

func TestRulesInPlainSentences(t *testing.T) {
	want := []string{
		"Jobs are looked at and decided; nothing is done on the portal.",
		"Job types: “Telephone interpreting”.",
		"Never: “Face-to-Face”, “Face to Face”, “In-Person” or “Onsite”; such jobs are left alone.",
		"Languages: any.",
		"It has not begun yet.",
		"If the portal asks whether a job within 24 hours is meant, the job is left to you.",
		"All times are those of Europe/London.",
		"At most 5 jobs a session.",
		"It overlaps no other booking and no entry of your busy calendars.",
		"Of several that exclude each other, the first on the board is taken.",
		"What cannot be read or understood is shown to you and never accepted.",
	}
	if diff := cmp.Diff(want, rules.Describe(app.DefaultConfiguration())); diff != "" {
		t.Error(diff)
	}
	c := app.DefaultConfiguration()
	everything(&c)
	c.RejectExcluded, c.MaxRejectPerRun, c.Mode, c.Preference = true, 3, app.ModeLive, app.PreferLongest
	c.WeeklyHours["sat"] = [][2]string{{"22:00", "06:00"}}
	want = []string{
		"Jobs that fit are accepted on the portal.",
		"Job types: “Telephone interpreting”.",
		"Never: “Face-to-Face”, “Face to Face”, “In-Person” or “Onsite”; such jobs are rejected on the portal.",
		"At most 3 rejections a session.",
		"Languages: “Polish”, “Français” or “Farsi”.",
		"It has to say “court” or “telephone”.",
		"It must not say “prison”.",
		"It lasts 15 minutes to 4 hours.",
		"It begins in 1 hour or later.",
		"If the portal asks whether a job within 24 hours is meant, the job is left to you.",
		"It lies within your hours: Monday to Friday 08:00 to 18:00; Saturday 22:00 to 06:00 (the next day).",
		"Days off: 2027-12-24 to 2028-01-02.",
		"All times are those of Europe/London.",
		"At most 5 jobs a session, 6 a day, 25 a week and 8 hours of work a day.",
		"It overlaps no other booking and no entry of your busy calendars.",
		"Kept free: 10 minutes before and 10 minutes after each booking.",
		"For “court”: 30 minutes before and 30 minutes after.",
		"Of several that exclude each other, the longest is taken.",
		`Your expression holds: duration <= 120 or weekday in ["sat", "sun"]`,
		"You are asked about “Video”.",
		"What cannot be read or understood is shown to you and never accepted.",
	}
	if diff := cmp.Diff(want, rules.Describe(c)); diff != "" {
		t.Error(diff)
	}
}
