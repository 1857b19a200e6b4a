package wallclock_test

import (
	"testing"
	"time"

	"github.com/atozbot/atozbot/app/rules/wallclock"
)

func zone(tb testing.TB, name string) *time.Location {
	tb.Helper()
	location, err := time.LoadLocation(name)
	if err != nil {
		tb.Fatal(err)
	}
	return location
}

func wall(tb testing.TB, s string) time.Time {
	tb.Helper()
	t, err := time.Parse("2006-01-02 15:04", s)
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

func TestReadingTheClock(t *testing.T) {
	for _, c := range []struct {
		zone, wall  string
		kind        wallclock.Kind
		first, last string // In UTC.
	}{
		{"Europe/London", "2027-01-14 14:30", wallclock.Once, "2027-01-14 14:30", "2027-01-14 14:30"},
		{"Europe/London", "2027-07-14 14:30", wallclock.Once, "2027-07-14 13:30", "2027-07-14 13:30"},
		{"Europe/London", "2027-03-28 00:59", wallclock.Once, "2027-03-28 00:59", "2027-03-28 00:59"},
		{"Europe/London", "2027-03-28 01:00", wallclock.Never, "2027-03-28 01:00", "2027-03-28 01:00"},
		{"Europe/London", "2027-03-28 01:59", wallclock.Never, "2027-03-28 01:00", "2027-03-28 01:00"},
		{"Europe/London", "2027-03-28 02:00", wallclock.Once, "2027-03-28 01:00", "2027-03-28 01:00"},
		{"Europe/London", "2027-10-31 00:59", wallclock.Once, "2027-10-30 23:59", "2027-10-30 23:59"},
		{"Europe/London", "2027-10-31 01:00", wallclock.Twice, "2027-10-31 00:00", "2027-10-31 01:00"},
		{"Europe/London", "2027-10-31 01:59", wallclock.Twice, "2027-10-31 00:59", "2027-10-31 01:59"},
		{"Europe/London", "2027-10-31 02:00", wallclock.Once, "2027-10-31 02:00", "2027-10-31 02:00"},
		{"America/New_York", "2027-03-14 02:30", wallclock.Never, "2027-03-14 07:00", "2027-03-14 07:00"},
		{"America/New_York", "2027-03-14 03:00", wallclock.Once, "2027-03-14 07:00", "2027-03-14 07:00"},
		{"America/New_York", "2027-11-07 01:30", wallclock.Twice, "2027-11-07 05:30", "2027-11-07 06:30"},
		{"America/New_York", "2027-11-07 02:00", wallclock.Once, "2027-11-07 07:00", "2027-11-07 07:00"},
		{"Australia/Lord_Howe", "2027-10-03 02:15", wallclock.Never, "2027-10-02 15:30", "2027-10-02 15:30"}, // Half an hour.
		{"Australia/Lord_Howe", "2027-04-04 01:45", wallclock.Twice, "2027-04-03 14:45", "2027-04-03 15:15"},
		{"America/Sao_Paulo", "2018-11-04 00:00", wallclock.Never, "2018-11-04 03:00", "2018-11-04 03:00"}, // Midnight is left out.
		{"Pacific/Apia", "2011-12-30 12:00", wallclock.Never, "2011-12-30 10:00", "2011-12-30 10:00"},      // A whole day is.
		{"Asia/Kolkata", "2027-01-14 14:30", wallclock.Once, "2027-01-14 09:00", "2027-01-14 09:00"},
		{"UTC", "2027-01-14 14:30", wallclock.Once, "2027-01-14 14:30", "2027-01-14 14:30"},
	} {
		t.Run(c.zone+" "+c.wall, func(t *testing.T) {
			r := wallclock.Read(zone(t, c.zone), wall(t, c.wall))
			if r.Kind != c.kind || !r.First.Equal(wall(t, c.first)) || !r.Last.Equal(wall(t, c.last)) {
				t.Errorf("got %d, %s to %s", r.Kind, r.First.UTC().Format("2006-01-02 15:04"), r.Last.UTC().Format("2006-01-02 15:04"))
			}
		})
	}
}

// Every instant is among the readings of what the clock shows at it: through two years of
// a dozen zones, in steps that fall into every hour.
func TestEveryInstantIsReadBack(t *testing.T) {
	for _, name := range []string{
		"Europe/London", "Europe/Dublin", "America/New_York", "America/St_Johns", "Australia/Lord_Howe", "Australia/Sydney",
		"Asia/Kathmandu", "Africa/Casablanca", "America/Havana", "Asia/Beirut", "Pacific/Chatham", "America/Santiago",
	} {
		location := zone(t, name)
		for at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2028; at = at.Add(17 * time.Minute) {
			local := at.In(location)
			shown := time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), local.Second(), 0, time.UTC)
			r := wallclock.Read(location, shown)
			if r.Kind == wallclock.Never || !r.First.Equal(at) && !r.Last.Equal(at) {
				t.Fatalf("%s: %s is shown as %s, which reads as %+v", name, at, shown, r)
			}
			if (r.Kind == wallclock.Once) != r.First.Equal(r.Last) || r.Last.Before(r.First) {
				t.Fatalf("%s: %s reads as %+v", name, shown, r)
			}
		}
	}
}

func TestDays(t *testing.T) {
	day, ok := wallclock.ParseDay("2027-01-14")
	if !ok || day.String() != "2027-01-14" || day.Weekday() != 3 || day.Monday().String() != "2027-01-11" {
		t.Errorf("%v %s, weekday %d, Monday %s", ok, day, day.Weekday(), day.Monday())
	}
	if sunday, _ := wallclock.ParseDay("1969-12-28"); sunday.Weekday() != 6 || sunday.Monday().String() != "1969-12-22" {
		t.Errorf("weekday %d, Monday %s", sunday.Weekday(), sunday.Monday())
	}
	london := zone(t, "Europe/London")
	if got := wallclock.DayIn(london, wall(t, "2027-07-13 23:30")); got.String() != "2027-07-14" {
		t.Errorf("got %s", got)
	}
	if got := wallclock.DayIn(zone(t, "America/New_York"), wall(t, "2027-01-14 04:30")); got.String() != "2027-01-13" {
		t.Errorf("got %s", got)
	}
	if got := day.Start(london); !got.Equal(wall(t, "2027-01-14 00:00")) {
		t.Errorf("got %s", got)
	}
	left, _ := wallclock.ParseDay("2018-11-04")
	if got := left.Start(zone(t, "America/Sao_Paulo")); !got.Equal(wall(t, "2018-11-04 03:00")) {
		t.Errorf("a day without midnight begins at %s", got)
	}
	for _, s := range []string{"", "2027-1-14", "14/01/2027", "2027-02-29", "2027-04-31", "2027-13-01", "2027-00-01", "2027-01-00", "0000-01-01", "2027-01-14 ", "٢٠٢٧-01-14"} {
		if day, ok := wallclock.ParseDay(s); ok || day != wallclock.NoDay {
			t.Errorf("%q is %s", s, day)
		}
	}
	if _, ok := wallclock.ParseDay("2028-02-29"); !ok {
		t.Error("29 February 2028 is a day")
	}
}

func TestMinutesOfADay(t *testing.T) {
	for s, want := range map[string]int{"00:00": 0, "00:01": 1, "14:30": 870, "23:59": 1439, "24:00": 1440} {
		if got, ok := wallclock.ParseMinute(s); !ok || got != want {
			t.Errorf("%s is %d, %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "9:00", "24:01", "25:00", "12:60", "12.30", "12:3", "-1:00", "12:30 "} {
		if got, ok := wallclock.ParseMinute(s); ok {
			t.Errorf("%q is %d", s, got)
		}
	}
}
