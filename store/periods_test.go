package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/store"
	"github.com/atozbot/atozbot/store/storetest"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestPeriodsFollowTheWallClock(t *testing.T) {
	cases := map[string]struct {
		zone  string
		at    string
		wants []string // Starts, from the one that at belongs to.
	}{
		"on an ordinary day":              {"Europe/London", "2027-01-15T09:30:00Z", []string{"08:00", "12:00", "16:00", "20:00", "00:00"}},
		"when the clock goes forward":     {"Europe/London", "2027-03-28T00:30:00Z", []string{"00:00", "04:00", "08:00"}},
		"when the clock goes back":        {"Europe/London", "2027-10-31T00:30:00Z", []string{"00:00", "04:00", "08:00"}},
		"in the hour that comes twice":    {"Europe/London", "2027-10-31T01:30:00Z", []string{"00:00", "04:00"}},
		"where midnight is skipped":       {"Africa/Cairo", "2027-04-29T23:30:00Z", []string{"00:00", "04:00"}},
		"in a zone of half an hour":       {"Asia/Kolkata", "2027-01-15T09:30:00Z", []string{"12:00", "16:00"}},
		"in New York, forward":            {"America/New_York", "2027-03-14T06:30:00Z", []string{"00:00", "04:00"}},
		"in New York, back":               {"America/New_York", "2027-11-07T06:30:00Z", []string{"00:00", "04:00"}},
		"where a whole day begins anew":   {"UTC", "2027-12-31T23:59:59Z", []string{"20:00", "00:00"}},
		"at the very first moment of one": {"UTC", "2027-12-31T20:00:00Z", []string{"20:00", "00:00"}},
	}
	for name, c := range cases {
		z := zone(t, c.zone)
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		start := store.PeriodStart(at, z)
		if start.After(at) || !store.PeriodEnd(start, z).After(at) {
			t.Errorf("%s: %s is not in its period, from %s to %s", name, at, start, store.PeriodEnd(start, z))
		}
		var got []string
		for range c.wants {
			got = append(got, start.In(z).Format("15:04"))
			start = store.PeriodEnd(start, z)
		}
		if c.zone == "Africa/Cairo" {
			continue // Its clocks are decided from year to year; only that it holds counts.
		}
		if !slices.Equal(got, c.wants) {
			t.Errorf("%s: %v, want %v", name, got, c.wants)
		}
	}
}

func TestNoPeriodIsMissedWhileTheProgramWasAway(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		london := zone(t, "Europe/London")
		if closed, err := s.ClosePeriods(t.Context(), account, noon(), london); err != nil || len(closed) != 0 {
			t.Fatalf("without any record: %v, %v", closed, err)
		}
		first := job(1, noon())
		first.Status, first.Time = app.JobAccepted, "14:00"
		saved(t, s, record(noon(), first, job(2, noon().Add(time.Minute))))

		// Three weeks later, over the change of the clocks on 28 March.
		back := noon().AddDate(0, 0, 21)
		closed, err := s.ClosePeriods(t.Context(), account, back, london)
		if err != nil {
			t.Fatal(err)
		}
		if len(closed) != 21*6 {
			t.Errorf("%d periods, want %d", len(closed), 21*6)
		}
		for i := 1; i < len(closed); i++ {
			if !closed[i].Start.Equal(closed[i-1].End) {
				t.Errorf("a gap between %s and %s", closed[i-1].End, closed[i].Start)
			}
		}
		if p := closed[0]; p.Jobs != 2 || p.Accepted != 1 || p.AcceptanceRate != 50 || p.MostCommonLanguage != "Polish" || !p.Start.Equal(noon()) {
			t.Errorf("the first is %+v", p)
		}
		if p := closed[1]; p.Jobs != 0 || p.PeakHour != -1 || p.MostCommonLanguage != "" {
			t.Errorf("an empty one is %+v", p)
		}
		if again, err := s.ClosePeriods(t.Context(), account, back, london); err != nil || len(again) != 0 {
			t.Errorf("again: %v, %v", again, err)
		}
		page, err := s.Periods(t.Context(), store.Window{Limit: 3})
		if err != nil || page.Total != 21*6 || len(page.Items) != 3 || !page.Items[0].Start.Equal(closed[len(closed)-1].Start) {
			t.Errorf("listed: %+v, %v", page, err)
		}
	})
}

func TestAPeriodIsCountedAnewWhenRecordsOfItComeLate(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		saved(t, s, record(noon(), job(1, noon())))
		later := noon().Add(9 * time.Hour)
		first, err := s.ClosePeriods(t.Context(), account, later, time.UTC)
		if err != nil || len(first) != 2 {
			t.Fatal(first, err)
		}
		saved(t, s, record(noon(), job(2, noon().Add(time.Hour)))) // Out of a journal.
		if closed, err := s.ClosePeriods(t.Context(), account, later, time.UTC); err != nil || len(closed) != 0 {
			t.Fatal(closed, err)
		}
		page, err := s.Periods(t.Context(), store.Window{})
		if err != nil || len(page.Items) != 2 || page.Items[1].Jobs != 2 || page.Items[1].ID != first[0].ID {
			t.Errorf("%+v, %v", page, err)
		}
	})
}

func TestTheDashboardsFiguresAreOfTodayInTheUsersZone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		kolkata := zone(t, "Asia/Kolkata") // Midnight is at 18:30 UTC.
		now := noon()
		if m, err := s.DashboardMetrics(t.Context(), now, kolkata); err != nil || m != (store.Metrics{}) {
			t.Errorf("without any record: %+v, %v", m, err)
		}
		yesterday := job(1, time.Date(2027, 3, 9, 18, 29, 59, 0, time.UTC))
		today := job(2, time.Date(2027, 3, 9, 18, 30, 0, 0, time.UTC))
		today.Status, today.Language = app.JobAccepted, "Urdu"
		outside := job(3, now)
		outside.Source, outside.Status = app.SourceOutside, app.JobAccepted
		run := session(now.Add(-90 * time.Minute))
		run.UpdatedAt = now
		r := record(now, yesterday, today)
		r.Session = &run
		saved(t, s, r)
		r = record(now, outside)
		r.AccountID = app.OutsideAccountID
		saved(t, s, r)
		m, err := s.DashboardMetrics(t.Context(), now, kolkata)
		want := store.Metrics{ActiveSessions: 1, JobsToday: 1, AcceptanceRateToday: 100, MostActiveLanguage: "Urdu", BotUptime: 90 * time.Minute, LastActivity: now}
		if err != nil || m != want {
			t.Error(cmp.Diff(want, m), err)
		}
	})
}

func TestFiguresNameTheCommonestAndThePeak(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var jobs []app.JobRecord
		for i, hour := range []string{"09:00", "14:15", "14:45", "", "23:30"} {
			j := job(i, noon().Add(time.Duration(i)*time.Second))
			j.Time, j.Language = hour, []string{"Polish", "Urdu", "Urdu", "", ""}[i]
			j.PostedAt = j.SeenAt.Add(time.Duration(i*90) * time.Millisecond)
			jobs = append(jobs, j)
		}
		saved(t, s, record(noon(), jobs...))
		f, err := s.Analytics(t.Context(), store.Span{From: noon(), To: noon().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		if f.MostCommonLanguage() != "Urdu" || f.PeakHour() != 14 || f.Hours[14].Jobs != 2 || f.Hours[23].Jobs != 1 {
			t.Errorf("%q, peak %d, %v", f.MostCommonLanguage(), f.PeakHour(), f.Hours)
		}
		var reactions []string
		for _, r := range f.Reactions {
			reactions = append(reactions, fmt.Sprint(r.Value, ":", r.Jobs))
		}
		if want := []string{"50:1", "100:1", "200:1", "350:1", "500:1"}; !slices.Equal(reactions, want) {
			t.Errorf("reactions %v, want %v", reactions, want)
		}
	})
}

func TestTheRunningPeriodStandsAboveTheStoredOnes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		if open, err := s.OpenPeriods(t.Context(), account, noon(), time.UTC); err != nil || len(open) != 0 {
			t.Fatalf("without any record: %v, %v", open, err)
		}
		saved(t, s, record(noon(), job(1, noon())))
		now := noon().Add(9*time.Hour + time.Minute) // 21:01: 12 and 16 are over.
		saved(t, s, record(now, job(2, now), job(3, now)))
		before, err := s.OpenPeriods(t.Context(), account, now, time.UTC)
		if err != nil || len(before) != 3 || before[0].Jobs != 2 || before[1].Jobs != 0 || before[2].Jobs != 1 {
			t.Fatalf("nothing is stored yet: %+v, %v", before, err)
		}
		if _, err := s.ClosePeriods(t.Context(), account, now, time.UTC); err != nil {
			t.Fatal(err)
		}
		open, err := s.OpenPeriods(t.Context(), account, now, time.UTC)
		if err != nil || len(open) != 1 || !open[0].Start.Equal(noon().Add(8*time.Hour)) || !open[0].End.Equal(noon().Add(12*time.Hour)) || open[0].Jobs != 2 {
			t.Fatalf("open: %+v, %v", open, err)
		}

		all, err := s.Periods(t.Context(), store.Window{}, open...)
		if err != nil || all.Total != 3 || len(all.Items) != 3 {
			t.Fatalf("%+v, %v", all, err)
		}
		for i, p := range all.Items { // The same as before they were stored.
			if p.ID != before[i].ID || p.Jobs != before[i].Jobs || !p.Start.Equal(before[i].Start) {
				t.Errorf("%d: %+v, was %+v", i, p, before[i])
			}
		}
		var byOffset, byCursor []string
		for offset := range 4 {
			page, err := s.Periods(t.Context(), store.Window{Limit: 1, Offset: offset}, open...)
			if err != nil || page.Total != 3 {
				t.Fatal(page, err)
			}
			for _, p := range page.Items {
				byOffset = append(byOffset, p.ID)
			}
		}
		for w := (store.Window{Limit: 2}); ; {
			page, err := s.Periods(t.Context(), w, open...)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range page.Items {
				byCursor = append(byCursor, p.ID)
			}
			if page.Next == "" {
				break
			}
			w.Cursor = page.Next
		}
		want := []string{before[0].ID, before[1].ID, before[2].ID}
		if !slices.Equal(byOffset, want) || !slices.Equal(byCursor, want) {
			t.Errorf("by offset %v, by cursor %v, want %v", byOffset, byCursor, want)
		}
		if page, err := s.Periods(t.Context(), store.Window{Limit: 1}, open...); err != nil || page.Next == "" || len(page.Items) != 1 {
			t.Errorf("%+v, %v", page, err)
		}
	})
}
