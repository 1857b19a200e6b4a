package rules_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/rules"
)

// chance makes the jobs, rules and bookings of the property tests. The same seed makes the
// same, so a failure names all that is needed to see it again.
type chance struct{ *rand.Rand }

func newChance(seed uint64) chance { return chance{rand.New(rand.NewPCG(seed, 48213))} }

func (r chance) of(words ...string) string { return words[r.IntN(len(words))] }

func (r chance) often() bool { return r.IntN(10) > 0 }

// job makes a job that mostly fits: of the week after now, now and then with a part that is
// missing, not understood, or not wanted.
func (r chance) job(n int) app.Job {
	j := baseJob()
	j.Number = fmt.Sprint(10000 + n)
	j.Ref = j.Number + "/A"
	j.Details = &app.Details{Number: j.Number, Type: "Telephone interpreting"}
	j.Date = fmt.Sprintf("2027-01-%02d", 11+r.IntN(7))
	j.Time = fmt.Sprintf("%02d:%02d", 7+r.IntN(12), 15*r.IntN(4))
	j.DurationMinutes = 15 * (1 + r.IntN(8))
	if r.often() {
		return j
	}
	switch r.IntN(12) {
	case 0:
		j.Date = r.of("", "2027-02-30", "soon", "2027-01-01", "2027-03-28", "2027-10-31")
	case 1:
		j.Time = r.of("", "25:00", "noon", "24:00", "01:30")
	case 2:
		j.DurationMinutes = r.IntN(3) - 1
	case 3:
		j.Language = r.of("", "-", "TBC", "Urdu")
	case 4:
		j.Details.Type = r.of("", "Video interpreting", "Face-to-Face", "Telephone interpreting, Onsite", " ")
	case 5:
		j.Details = nil
	case 6:
		j.State, j.StatusText = app.JobState(r.of("other", "gone", "ours", "")), r.of("Filled", "", "Pending")
	case 7:
		j.Details.State = app.JobState(r.of("other", "gone", "ours", "matched"))
	case 8:
		j.SubmittedText = ""
	case 9:
		j.Ref, j.Number = r.of("", "x"), ""
	case 10:
		j.Details.Number = "99999"
	case 11:
		j.Details, j.DetailsURL = nil, ""
	}
	return j
}

func (r chance) configuration() app.Configuration {
	c := app.DefaultConfiguration()
	c.MaxAcceptPerRun = 1 + r.IntN(40)
	c.BufferBefore, c.BufferAfter = 5*r.IntN(7), 5*r.IntN(7)
	c.RejectExcluded = r.IntN(2) == 0
	c.TimeZone = r.of("Europe/London", "America/New_York", "Asia/Kathmandu")
	if r.IntN(3) == 0 {
		c.MaxPerDay, c.MaxPerWeek, c.MaxHoursPerDay = r.IntN(6), r.IntN(20), float64(r.IntN(8))
	}
	if r.IntN(3) == 0 {
		c.BuffersByType = []app.TypeBuffer{{Type: "Telephone", Before: 10 * r.IntN(5), After: 10 * r.IntN(5)}, {Type: "interpreting", Before: 20, After: 0}}
	}
	if r.IntN(3) == 0 {
		everything(&c)
		c.WordsWanted, c.Languages = nil, nil
	}
	return c
}

func (r chance) calendarEntries(n int) []app.Booking {
	entries := make([]app.Booking, r.IntN(n+1))
	for i := range entries {
		start := time.Date(2027, 1, 11+r.IntN(7), r.IntN(24), 15*r.IntN(4), 0, 0, time.UTC)
		entries[i] = app.Booking{Label: fmt.Sprint("calendar x: ", i), StartsAt: start, EndsAt: start.Add(time.Duration(1+r.IntN(180)) * time.Minute)}
	}
	return entries
}

// The rules that must be known for an acceptance: all of them.
func TestNeverAnAcceptanceWithARuleThatIsNotKnown(t *testing.T) {
	now := time.Date(2027, 1, 10, 9, 0, 0, 0, time.UTC)
	verdicts := map[app.Verdict]int{}
	for seed := range uint64(3000) {
		r := newChance(seed)
		set, err := rules.Compile(r.configuration())
		if err != nil {
			t.Fatal(seed, err)
		}
		tally := app.Tally{Session: r.IntN(3), Bookings: r.calendarEntries(5)}
		for n := range 10 {
			job := r.job(n)
			d := set.Decide(job, tally, now)
			verdicts[d.Verdict]++
			for _, c := range d.Checks {
				if c.Held != app.Yes && (d.Verdict == app.VerdictAccept || d.Verdict == app.VerdictAsk && c.Rule != rules.RuleAsk) {
					t.Fatalf("seed %d: %s though %s is %s: %+v", seed, d.Verdict, c.Rule, c.Held, job)
				}
			}
			if d.Verdict == app.VerdictAccept {
				start, end, ok := set.ResolveAppointment(job)
				if !ok || !start.After(now) || !d.StartsAt.Equal(start) || !d.EndsAt.Equal(end) || job.Details == nil {
					t.Fatalf("seed %d: accepted without an appointment to come: %+v", seed, job)
				}
			}
			if d.Verdict == app.VerdictReject && (job.State != app.StateMatched || job.Details == nil || job.Details.Number != "" && job.Details.Number != job.Number) {
				t.Fatalf("seed %d: rejected what is not free or not read: %+v", seed, job)
			}
		}
	}
	for _, v := range []app.Verdict{app.VerdictAccept, app.VerdictAsk, app.VerdictLeave, app.VerdictReject} {
		if verdicts[v] == 0 && v != app.VerdictAsk {
			t.Errorf("no job of the test got %s: it shows nothing", v)
		}
	}
	t.Log(verdicts)
}

func TestTheSameInputAlwaysGivesTheSameTrace(t *testing.T) {
	now := time.Date(2027, 1, 10, 9, 0, 0, 0, time.UTC)
	for seed := range uint64(500) {
		r := newChance(seed)
		c := r.configuration()
		job, tally := r.job(1), app.Tally{Session: 1, Bookings: r.calendarEntries(20)}
		set, err := rules.Compile(c)
		if err != nil {
			t.Fatal(seed, err)
		}
		first := set.Decide(job, tally, now)
		// Another Set of the same rules, and the bookings listed in another order.
		again, err := rules.Compile(c)
		if err != nil {
			t.Fatal(seed, err)
		}
		shuffled := tally
		shuffled.Bookings = slices.Clone(tally.Bookings)
		r.Shuffle(len(shuffled.Bookings), func(i, k int) {
			shuffled.Bookings[i], shuffled.Bookings[k] = shuffled.Bookings[k], shuffled.Bookings[i]
		})
		if diff := cmp.Diff(first, again.Decide(job, shuffled, now)); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
	}
}

// A look shows many jobs at once, and all are decided with the tally of that moment. The
// check under the claim keeps those apart that exclude each other, in whatever order they
// are taken.
func TestNeverTwoAcceptancesThatOverlapWhateverTheOrder(t *testing.T) {
	now := time.Date(2027, 1, 10, 9, 0, 0, 0, time.UTC)
	taken := 0
	for seed := range uint64(400) {
		r := newChance(seed)
		c := r.configuration()
		set, err := rules.Compile(c)
		if err != nil {
			t.Fatal(seed, err)
		}
		entries := r.calendarEntries(3)
		tally := app.Tally{Bookings: entries}
		jobs := make([]app.Job, 60)
		for n := range jobs {
			jobs[n] = r.job(n)
		}
		r.Shuffle(len(jobs), func(i, k int) { jobs[i], jobs[k] = jobs[k], jobs[i] })
		var accepted []app.Booking
		for _, job := range jobs {
			d := set.Decide(job, app.Tally{Bookings: entries}, now) // As of the look: nothing taken yet.
			if d.Verdict != app.VerdictAccept {
				continue
			}
			claim := app.Claim{Number: job.Number, Ref: job.Ref, Act: app.ActAccept, Attempt: 1, StartsAt: d.StartsAt, EndsAt: d.EndsAt, JobType: job.Details.Type}
			if set.Recheck(claim, tally, now) != nil {
				continue
			}
			b := app.Booking{Number: job.Number, JobType: claim.JobType, StartsAt: claim.StartsAt, EndsAt: claim.EndsAt, Firm: true}
			accepted = append(accepted, b)
			tally.Bookings = append(slices.Clip(tally.Bookings), b)
			tally.Session++
		}
		taken += len(accepted)
		holdApart(t, seed, c, accepted, entries)
	}
	if taken < 1000 {
		t.Errorf("only %d jobs were accepted: the test shows little", taken)
	}
}

// holdApart holds accepted jobs against the configuration, each figure counted in the
// plainest way.
func holdApart(t *testing.T, seed uint64, c app.Configuration, accepted, entries []app.Booking) {
	t.Helper()
	zone, err := time.LoadLocation(c.TimeZone)
	if err != nil {
		t.Fatal(err)
	}
	before, after := time.Duration(c.BufferBefore)*time.Minute, time.Duration(c.BufferAfter)*time.Minute
	if len(c.BuffersByType) == 2 { // Both stand in every type that is accepted: the larger count.
		before = time.Duration(max(c.BuffersByType[0].Before, 20)) * time.Minute
		after = time.Duration(c.BuffersByType[0].After) * time.Minute
	}
	gap := max(before, after)
	perDay, perWeek, hours := map[string]int{}, map[string]int{}, map[string]time.Duration{}
	for i, a := range accepted {
		for _, b := range accepted[:i] {
			if a.StartsAt.Before(b.EndsAt.Add(gap)) && b.StartsAt.Before(a.EndsAt.Add(gap)) {
				t.Fatalf("seed %d: %s to %s and %s to %s are not %s apart", seed, a.StartsAt, a.EndsAt, b.StartsAt, b.EndsAt, gap)
			}
		}
		for _, b := range entries {
			if a.StartsAt.Before(b.EndsAt.Add(before)) && b.StartsAt.Before(a.EndsAt.Add(after)) {
				t.Fatalf("seed %d: %s to %s is over the entry %s to %s", seed, a.StartsAt, a.EndsAt, b.StartsAt, b.EndsAt)
			}
		}
		local := a.StartsAt.In(zone)
		day := local.Format(time.DateOnly)
		year, week := local.ISOWeek()
		perDay[day]++
		perWeek[fmt.Sprint(year, week)]++
		hours[day] += a.EndsAt.Sub(a.StartsAt)
		if c.MaxPerDay > 0 && perDay[day] > c.MaxPerDay || c.MaxPerWeek > 0 && perWeek[fmt.Sprint(year, week)] > c.MaxPerWeek ||
			c.MaxHoursPerDay > 0 && hours[day].Hours() > c.MaxHoursPerDay {
			t.Fatalf("seed %d: too much on %s", seed, day)
		}
	}
	if len(accepted) > c.MaxAcceptPerRun {
		t.Fatalf("seed %d: %d accepted, %d allowed", seed, len(accepted), c.MaxAcceptPerRun)
	}
}

// The weekly hours, against the plainest way to say the same: every minute of the
// appointment lies in a span of its day, or in one of the day before that goes on.
func TestWeeklyHoursMinuteByMinute(t *testing.T) {
	days := []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	now := time.Date(2027, 1, 1, 9, 0, 0, 0, time.UTC)
	fitting := 0
	for seed := range uint64(2000) {
		r := newChance(seed)
		c := app.DefaultConfiguration()
		open := map[int]bool{} // By minute of the week, from Monday's midnight.
		for d, name := range days {
			for range r.IntN(3) {
				from, to := 30*r.IntN(48), 30*(1+r.IntN(48))
				if from == to {
					continue
				}
				c.WeeklyHours[name] = append(c.WeeklyHours[name], [2]string{fmt.Sprintf("%02d:%02d", from/60, from%60), fmt.Sprintf("%02d:%02d", to/60, to%60)})
				if to < from {
					to += 1440
				}
				for m := from; m < to; m++ {
					open[(d*1440+m)%(7*1440)] = true
				}
			}
		}
		if len(c.WeeklyHours) == 0 {
			continue
		}
		job := baseJob()
		day := r.IntN(7)
		start := r.IntN(1440)
		job.Date, job.Time = fmt.Sprintf("2027-01-%02d", 11+day), fmt.Sprintf("%02d:%02d", start/60, start%60)
		job.DurationMinutes = 1 + r.IntN(300)
		want := app.Yes
		for m := range job.DurationMinutes {
			if !open[(day*1440+start+m)%(7*1440)] {
				want = app.No
			}
		}
		if want == app.Yes {
			fitting++
		}
		set, err := rules.Compile(c)
		if err != nil {
			t.Fatal(seed, err)
		}
		d := set.Decide(job, app.Tally{}, now)
		i := slices.Index(rules.Rules(), rules.RuleWeeklyHours)
		if d.Checks[i].Held != want {
			t.Fatalf("seed %d: %s %s for %d min in %v: %s, want %s", seed, job.Date, job.Time, job.DurationMinutes, c.WeeklyHours, d.Checks[i].Held, want)
		}
	}
	if fitting < 100 {
		t.Errorf("only %d appointments fit: the test shows little", fitting)
	}
}

// A decision that is said not to heed what is taken stands under every other tally.
func TestADecisionThatHeedsNoTallyStandsUnderEveryOne(t *testing.T) {
	now := time.Date(2027, 1, 10, 9, 0, 0, 0, time.UTC)
	heeding, blind := 0, 0
	for seed := range uint64(2000) {
		r := newChance(seed)
		c := r.configuration()
		c.MaxRejectPerRun = r.IntN(3)
		set, err := rules.Compile(c)
		if err != nil {
			t.Fatal(seed, err)
		}
		tally := func() app.Tally {
			return app.Tally{Session: r.IntN(45), Rejected: r.IntN(4), Bookings: r.calendarEntries(40)}
		}
		for n := range 10 {
			job := r.job(n)
			d := set.Decide(job, tally(), now)
			if set.HeedsTally(d) {
				heeding++
				continue
			}
			blind++
			other := set.Decide(job, tally(), now)
			if d.Verdict != other.Verdict || d.Rule != other.Rule || d.Reason != other.Reason || d.NeedsDetails != other.NeedsDetails {
				t.Fatalf("seed %d: %s (%s) became %s (%s)", seed, d.Verdict, d.Reason, other.Verdict, other.Reason)
			}
		}
	}
	if heeding < 1000 || blind < 1000 {
		t.Errorf("%d heed it, %d do not: the test shows little", heeding, blind)
	}
}
