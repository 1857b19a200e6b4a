package rules_test

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/rules"
)

func compile(tb testing.TB, change func(*app.Configuration)) *rules.Set {
	tb.Helper()
	c := app.DefaultConfiguration()
	if change != nil {
		change(&c)
	}
	set, err := rules.Compile(c)
	if err != nil {
		tb.Fatal(err)
	}
	return set
}

// everything switches every rule on.
func everything(c *app.Configuration) {
	c.Languages = []string{"Polish", "Français", "Farsi"}
	c.WordsWanted = []string{"court", "telephone"}
	c.WordsUnwanted = []string{"prison"}
	c.MinDuration, c.MaxDuration, c.MinNoticeMinutes = 15, 240, 60
	c.BufferBefore, c.BufferAfter = 10, 10
	c.BuffersByType = []app.TypeBuffer{{Type: "court", Before: 30, After: 30}}
	c.MaxPerDay, c.MaxPerWeek, c.MaxHoursPerDay = 6, 25, 8
	for _, day := range []string{"mon", "tue", "wed", "thu", "fri"} {
		c.WeeklyHours[day] = [][2]string{{"08:00", "18:00"}}
	}
	c.DaysOff = []app.DayOff{{From: "2027-12-24", To: "2028-01-02"}}
	c.AskTypes = []string{"Video"}
	c.Expression = `duration <= 120 or weekday in ["sat", "sun"]`
}

func someBookings(n int) []app.Booking {
	bookings := make([]app.Booking, n)
	start := time.Date(2027, 1, 11, 8, 0, 0, 0, time.UTC)
	for i := range bookings {
		bookings[i] = app.Booking{Number: fmt.Sprint(i), Label: "x", JobType: "Telephone interpreting", StartsAt: start, EndsAt: start.Add(30 * time.Minute), Firm: true}
		start = start.Add(5 * time.Hour)
	}
	return bookings
}

func BenchmarkDecide(b *testing.B) {
	now := time.Date(2027, 1, 10, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name   string
		change func(*app.Configuration)
		tally  app.Tally
	}{
		{"out of the box", nil, app.Tally{}},
		{"every rule, 100 bookings", everything, app.Tally{Bookings: someBookings(100)}},
	} {
		b.Run(c.name, func(b *testing.B) {
			set, job := compile(b, c.change), baseJob()
			b.ReportAllocs()
			for b.Loop() {
				set.Decide(job, c.tally, now)
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	c := app.DefaultConfiguration()
	everything(&c)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := rules.Compile(c); err != nil {
			b.Fatal(err)
		}
	}
}

// recordedJobs makes n jobs as a year of work leaves them, newest first as the store gives
// them.
func recordedJobs(n int) []app.JobRecord {
	r := rand.New(rand.NewPCG(1, 2))
	types := []string{"Telephone interpreting", "Telephone interpreting", "Video interpreting", "Face-to-Face", "Onsite", ""}
	languages := []string{"Polish", "Romanian", "Arabic", "Farsi", "Urdu", "Français"}
	jobs := make([]app.JobRecord, n)
	seen := time.Date(2027, 12, 31, 12, 0, 0, 0, time.UTC)
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		panic(err)
	}
	for i := range jobs {
		seen = seen.Add(-365 * 24 * time.Hour / time.Duration(n))
		start := seen.Add(time.Duration(r.IntN(14*24*60)) * time.Minute).Truncate(15 * time.Minute)
		minutes := 15 * (1 + r.IntN(8))
		wall := start.In(london)
		number := fmt.Sprint(100000 + n - i)
		jobs[i] = app.JobRecord{
			ID: number, SessionID: fmt.Sprint(i / 2000), Number: number, Ref: number + "/A", Language: languages[r.IntN(len(languages))],
			Date: wall.Format("2006-01-02"), Time: wall.Format("15:04"), DurationMinutes: minutes, DurationText: fmt.Sprint(minutes, " mins"),
			SubmittedText: "today", JobType: types[r.IntN(len(types))], StartsAt: start, EndsAt: start.Add(time.Duration(minutes) * time.Minute),
			Status: app.JobMatched, SeenAt: seen, DecidedAt: seen.Add(time.Millisecond),
		}
		switch {
		case jobs[i].JobType == "Telephone interpreting" && r.IntN(20) == 0:
			jobs[i].Status = app.JobAccepted
		case r.IntN(50) == 0:
			jobs[i].Status = app.JobLost
		}
	}
	return jobs
}

func each(jobs []app.JobRecord) iter.Seq2[app.JobRecord, error] {
	return func(yield func(app.JobRecord, error) bool) {
		for _, j := range jobs {
			if !yield(j, nil) {
				return
			}
		}
	}
}

// BenchmarkBacktest replays 100,000 jobs an iteration.
func BenchmarkBacktest(b *testing.B) {
	jobs := recordedJobs(100_000)
	for _, c := range []struct {
		name   string
		change func(*app.Configuration)
	}{
		{"out of the box", func(c *app.Configuration) { c.MaxAcceptPerRun = 1000 }},
		{"every rule", func(c *app.Configuration) { everything(c); c.MaxAcceptPerRun = 1000 }},
	} {
		b.Run(c.name, func(b *testing.B) {
			set := compile(b, c.change)
			b.ReportAllocs()
			for b.Loop() {
				result, err := set.Backtest(each(jobs), rules.BacktestOptions{Examples: 500})
				if err != nil || result.Jobs != len(jobs) {
					b.Fatal(result, err)
				}
			}
		})
	}
}
