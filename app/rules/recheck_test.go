package rules_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atozbot/atozbot/app"
)

func claimOf(act app.Act) app.Claim {
	start := time.Date(2027, 1, 14, 14, 30, 0, 0, time.UTC)
	return app.Claim{Number: "48213", Ref: "48213/A", Act: act, Attempt: 1, StartsAt: start, EndsAt: start.Add(time.Hour), Language: "Polish", JobType: "Telephone interpreting"}
}

// Under the claim only what another claim can have changed is asked again.
func TestRecheckUnderTheClaim(t *testing.T) {
	booking := func(number string, minutesAfter int) app.Booking {
		start := claimOf(app.ActAccept).StartsAt.Add(time.Duration(minutesAfter) * time.Minute)
		return app.Booking{Number: number, Label: number + "/A", JobType: "Telephone interpreting", StartsAt: start, EndsAt: start.Add(time.Hour), Firm: true}
	}
	calendarEntry := booking("", 30)
	calendarEntry.Firm, calendarEntry.Label = false, "calendar Private: dentist"
	for _, c := range []struct {
		name   string
		change func(*app.Configuration)
		claim  app.Claim
		tally  app.Tally
		now    time.Time
		want   string // In the sentence; "" for none.
	}{
		{name: "nothing booked"},
		{name: "one that ends as it begins", tally: app.Tally{Bookings: []app.Booking{booking("1", -60)}}},
		{name: "one at the same time", tally: app.Tally{Bookings: []app.Booking{booking("1", 30)}}, want: "overlaps 1/A"},
		{name: "its own claim, tried again", tally: app.Tally{Session: 5, Bookings: []app.Booking{booking("48213", 0)}}},
		{name: "a calendar's entry", tally: app.Tally{Bookings: []app.Booking{calendarEntry}}, want: "dentist"},
		{name: "a buffer", change: func(c *app.Configuration) { c.BufferAfter = 10 }, tally: app.Tally{Bookings: []app.Booking{booking("1", 65)}}, want: "too close"},
		{name: "the session's cap", tally: app.Tally{Session: 5}, want: "5 of 5"},
		{name: "a place left", tally: app.Tally{Session: 4}},
		{name: "the day's cap", change: func(c *app.Configuration) { c.MaxPerDay = 1 }, tally: app.Tally{Bookings: []app.Booking{booking("1", 120)}}, want: "on that day"},
		{name: "the week's cap", change: func(c *app.Configuration) { c.MaxPerWeek = 1 }, tally: app.Tally{Bookings: []app.Booking{booking("1", -24*60)}}, want: "in that week"},
		{name: "the day's hours", change: func(c *app.Configuration) { c.MaxHoursPerDay = 1.5 }, tally: app.Tally{Bookings: []app.Booking{booking("1", 120)}}, want: "2 hours"},
		{name: "it has begun", now: time.Date(2027, 1, 14, 14, 30, 0, 0, time.UTC), want: "begun"},
		{name: "languages are not asked again", change: func(c *app.Configuration) { c.Languages = []string{"Urdu"} }},
		{name: "no appointment", claim: app.Claim{Number: "1", Act: app.ActAccept}, want: "not known"},
		{name: "rejecting switched off", claim: claimOf(app.ActReject), want: "switched off"},
		{name: "rejecting", claim: claimOf(app.ActReject), change: func(c *app.Configuration) { c.RejectExcluded = true }, tally: app.Tally{Rejected: 1000, Session: 5}},
		{name: "the cap of rejections", claim: claimOf(app.ActReject), change: func(c *app.Configuration) { c.RejectExcluded, c.MaxRejectPerRun = true, 2 }, tally: app.Tally{Rejected: 2}, want: "2 of 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.claim.Number == "" {
				c.claim = claimOf(app.ActAccept)
			}
			if c.now.IsZero() {
				c.now = time.Date(2027, 1, 10, 9, 0, 0, 0, time.UTC)
			}
			err := compile(t, c.change).Recheck(c.claim, c.tally, c.now)
			switch {
			case c.want == "" && err != nil:
				t.Errorf("got %v", err)
			case c.want != "" && (app.CodeOf(err) != app.CodeConflict || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestPreferenceOrdersTheJobsOfALook(t *testing.T) {
	job := func(number, date, clock string, minutes int) app.Job {
		j := baseJob()
		j.Number, j.Date, j.Time, j.DurationMinutes = number, date, clock, minutes
		return j
	}
	jobs := []app.Job{
		job("a", "2027-02-01", "10:00", 30), job("b", "2027-01-20", "10:00", 60), job("c", "", "10:00", 90),
		job("d", "2027-01-20", "10:00", 0), job("e", "2027-01-19", "23:00", 60), job("f", "2027-01-20", "09:00", 60),
		job("g", "2027-03-28", "01:30", 60), // Left out by the clock: not known.
	}
	for preference, want := range map[app.Preference]string{
		app.PreferListed: "abcdefg", app.PreferLongest: "cbefgad", app.PreferSoonest: "efbacdg",
	} {
		t.Run(string(preference), func(t *testing.T) {
			set := compile(t, func(c *app.Configuration) { c.Preference = preference })
			before := numbersOf(jobs)
			got := set.Prefer(jobs)
			if numbersOf(got) != want {
				t.Errorf("got %s, want %s", numbersOf(got), want)
			}
			if numbersOf(jobs) != before {
				t.Errorf("the board's own order became %s", numbersOf(jobs))
			}
			if again := set.Prefer(jobs); !cmp.Equal(got, again) {
				t.Error("the same jobs came in another order")
			}
		})
	}
	if got := compile(t, nil).Prefer(nil); len(got) != 0 {
		t.Errorf("no jobs became %v", got)
	}
}

func numbersOf(jobs []app.Job) string {
	var s strings.Builder
	for _, j := range jobs {
		s.WriteString(j.Number)
	}
	return s.String()
}

func TestTimesThatABookedJobMayTake(t *testing.T) {
	const layout = "2006-01-02 15:04"
	for _, c := range []struct{ name, date, clock, minutes, from, to string }{
		{"known", "2027-07-14", "14:30", "60", "2027-07-14 13:30", "2027-07-14 14:30"},
		{"without a duration: to the end of the day", "2027-07-14", "14:30", "", "2027-07-14 13:30", "2027-07-14 23:00"},
		{"without a time: the whole day", "2027-07-14", "", "60", "2027-07-13 23:00", "2027-07-14 23:00"},
		{"shown twice: both", "2027-10-31", "01:30", "60", "2027-10-31 00:30", "2027-10-31 02:30"},
		{"left out: the hours around", "2027-03-28", "01:30", "60", "2027-03-28 00:00", "2027-03-28 03:00"},
		{"without a day", "", "14:30", "60", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := baseJob()
			j.Date, j.Time, j.DurationMinutes = c.date, c.clock, 0
			if c.minutes != "" {
				j.DurationMinutes = 60
			}
			from, to, ok := compile(t, nil).BusyTimes(j)
			if ok != (c.from != "") {
				t.Fatalf("known: %v", ok)
			}
			if ok && (from.Format(layout) != c.from || to.Format(layout) != c.to) {
				t.Errorf("got %s to %s, want %s to %s", from.Format(layout), to.Format(layout), c.from, c.to)
			}
		})
	}
}

func TestTheTallyReachesBackToTheWeek(t *testing.T) {
	set := compile(t, nil)
	for now, want := range map[string]string{
		"2027-01-14T12:00:00Z": "2027-01-10T00:00:00Z", // Thursday; Monday is the 11th.
		"2027-01-11T00:00:00Z": "2027-01-10T00:00:00Z",
		"2027-01-10T23:59:59Z": "2027-01-03T00:00:00Z",
		"2027-07-11T23:00:00Z": "2027-07-10T23:00:00Z", // Monday has begun in London.
	} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		if got := set.TallyFrom(at).UTC().Format(time.RFC3339); got != want {
			t.Errorf("at %s: %s, want %s", now, got, want)
		}
	}
}
