package rules

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atozbot/atozbot/app"
)

func fuzzNow() time.Time { return time.Date(2027, 1, 10, 9, 0, 0, 0, time.UTC) }

func fuzzZone(tb testing.TB) *time.Location {
	tb.Helper()
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		tb.Fatal(err)
	}
	return zone
}

func fuzzTally() app.Tally {
	start := time.Date(2027, 1, 14, 16, 0, 0, 0, time.UTC)
	return app.Tally{Session: 1, Bookings: []app.Booking{{Number: "1", Label: "1/A", StartsAt: start, EndsAt: start.Add(time.Hour), Firm: true}}}
}

func fuzzJobs() []app.Job {
	fitting := app.Job{
		Number: "48213", Ref: "48213/A", Language: "Polish", SubmittedText: "today", StatusText: "Matched", State: app.StateMatched,
		Date: "2027-01-14", Time: "14:30", DurationMinutes: 60, DetailsURL: "https://portal.example/1",
		Details: &app.Details{Type: "Telephone interpreting", Labels: []app.LabelledText{{Label: "Location", Text: "Leeds"}}},
	}
	unread := fitting
	unread.Details = nil
	return []app.Job{fitting, unread, {}}
}

// FuzzDecide holds of any row and any details: no panic, every rule answered, never an
// acceptance that a rule speaks against, and the same twice.
func FuzzDecide(f *testing.F) {
	f.Add("48213", "48213/A", "Polish", "2027-01-14", "14:30", 60, "Matched", "matched", "Telephone interpreting", "Notes", "a court", int64(0))
	f.Add("1", "1", "Français", "2027-10-31", "01:30", 90, "Filled", "gone", "Face‑to‑Face", "", "", int64(-86400))
	f.Add("", "", "", "", "", 0, "", "", "", "", "", int64(1<<40))
	f.Add("9", "9/B", "TBC", "9999-12-31", "23:59", 10080, "Matched", "matched", "Video, court", "Location", "prison", int64(-1<<40))
	c := app.DefaultConfiguration()
	c.Languages = []string{"Polish", "Français"}
	c.WordsUnwanted, c.AskTypes, c.RejectExcluded = []string{"prison"}, []string{"Video"}, true
	c.BufferBefore, c.BuffersByType = 10, []app.TypeBuffer{{Type: "court", Before: 30, After: 60}}
	c.WeeklyHours = map[string][][2]string{"thu": {{"08:00", "24:00"}}, "sun": {{"22:00", "06:00"}}}
	c.DaysOff = []app.DayOff{{From: "2027-12-24", To: "2028-01-02"}}
	c.MaxPerDay, c.MaxPerWeek, c.MaxHoursPerDay, c.MinNoticeMinutes = 3, 10, 6, 30
	c.Expression = "has('court') or duration < 120 and detail('Notes') != 'x' or true"
	set, err := Compile(c)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, number, ref, language, date, clock string, minutes int, status, state, typ, label, text string, later int64) {
		job := app.Job{
			Number: number, Ref: ref, Language: language, SubmittedText: text, DateText: date, TimeText: clock, DurationText: label, StatusText: status,
			Date: date, Time: clock, DurationMinutes: minutes, State: app.JobState(state), DetailsURL: label,
			Row:     []string{ref, text, date, clock, label, language, status, "View"},
			Details: &app.Details{Number: number, Type: typ, StatusText: status, State: app.JobState(state), Labels: []app.LabelledText{{Label: label, Text: text}}},
		}
		now := time.Unix(fuzzNow().Unix()+later%(1<<41), 0).UTC()
		for _, details := range []*app.Details{job.Details, nil} {
			job.Details = details
			d := set.Decide(job, fuzzTally(), now)
			names := make([]string, len(d.Checks))
			for i, check := range d.Checks {
				names[i] = check.Rule
				if check.Reason == "" || check.Wanted == "" {
					t.Errorf("%+v says nothing", check)
				}
				if d.Verdict == app.VerdictAccept && check.Held != app.Yes {
					t.Errorf("accepted though %s %s", check.Rule, check.Held)
				}
			}
			if !slices.Equal(names, Rules()) {
				t.Errorf("rules %v", names)
			}
			if d.Verdict == "" || d.Reason == "" || d.NeedsDetails && details != nil {
				t.Errorf("decision %+v", d)
			}
			if again := set.Decide(job, fuzzTally(), now); !cmp.Equal(d, again) {
				t.Error(cmp.Diff(d, again))
			}
			start, end, ok := set.BusyTimes(job)
			if ok && !start.Before(end) {
				t.Errorf("busy from %s to %s", start, end)
			}
		}
	})
}
