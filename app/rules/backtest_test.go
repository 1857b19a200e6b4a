package rules_test

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/rules"
)

// recorded makes a record of the usual job: seen n minutes after nine on 10 January, to
// take place n hours after ten on the 14th.
func recorded(n int, change func(*app.JobRecord)) app.JobRecord {
	seen := time.Date(2027, 1, 10, 9, n, 0, 0, time.UTC)
	start := time.Date(2027, 1, 14, 10+n, 0, 0, 0, time.UTC)
	number := fmt.Sprint(100 + n)
	r := app.JobRecord{
		ID: number, Number: number, Ref: number + "/A", Language: "Polish", SessionID: "s",
		Date: start.Format(time.DateOnly), Time: start.Format("15:04"), DurationMinutes: 60, DurationText: "1 hour", SubmittedText: "today",
		JobType: "Telephone interpreting", StartsAt: start, EndsAt: start.Add(time.Hour), Status: app.JobMatched, SeenAt: seen, DecidedAt: seen,
	}
	if change != nil {
		change(&r)
	}
	return r
}

func accepted(r *app.JobRecord)   { r.Status = app.JobAccepted }
func lost(r *app.JobRecord)       { r.Status = app.JobLost }
func video(r *app.JobRecord)      { r.JobType = "Video interpreting" }
func notRead(r *app.JobRecord)    { r.JobType = "" }
func onsite(r *app.JobRecord)     { r.JobType = "Onsite" }
func moved(r *app.JobRecord)      { r.Time = "10:30" }
func unreadable(r *app.JobRecord) { r.Date, r.StartsAt, r.EndsAt = "", time.Time{}, time.Time{} }

func changesOf(changes []rules.Change) string {
	s := ""
	for _, c := range changes {
		s += c.Job.Number + " " + c.Rule + "; "
	}
	return s
}

func TestBacktestTellsTheDifferenceToWhatWasDone(t *testing.T) {
	type difference struct {
		Would, Did, More, Fewer, Unchanged, Ask, Reject, Lost, Unknown int
		MoreJobs, FewerJobs                                            string
	}
	both := func(changes ...func(*app.JobRecord)) func(*app.JobRecord) {
		return func(r *app.JobRecord) {
			for _, c := range changes {
				c(r)
			}
		}
	}
	for _, c := range []struct {
		name    string
		change  func(*app.Configuration)
		records []app.JobRecord
		want    difference
	}{
		{"nothing recorded", nil, nil, difference{}},
		{"accepted, and would be again", nil, []app.JobRecord{recorded(0, accepted)}, difference{Would: 1, Did: 1, Unchanged: 1}},
		{"left alone, and would be accepted", nil, []app.JobRecord{recorded(0, nil), recorded(1, nil)}, difference{Would: 2, More: 2, MoreJobs: "101 ; 100 ; "}},
		{"accepted, and would be left alone", nil, []app.JobRecord{recorded(0, both(accepted, video))}, difference{Did: 1, Fewer: 1, FewerJobs: "100 job_type; "}},
		{"left alone, and would be", nil, []app.JobRecord{recorded(0, video), recorded(1, unreadable)}, difference{Unchanged: 2}},
		{"lost, and would be tried", nil, []app.JobRecord{recorded(0, lost)}, difference{Lost: 1, Unchanged: 1}},
		{"what is lost keeps no time busy", nil, []app.JobRecord{recorded(0, lost), recorded(1, func(r *app.JobRecord) { r.Date, r.Time = "2027-01-14", "10:30" })}, difference{Lost: 1, Unchanged: 1, Would: 1, More: 1, MoreJobs: "101 ; "}},
		{"two that overlap: the first", nil, []app.JobRecord{recorded(0, nil), recorded(1, moved)}, difference{Would: 1, More: 1, Unchanged: 1, MoreJobs: "100 ; "}},
		{"one accepted keeps its time from one that would be", nil, []app.JobRecord{recorded(0, accepted), recorded(1, moved)}, difference{Would: 1, Did: 1, Unchanged: 2}},
		{"one that would be left frees its time", func(c *app.Configuration) { c.MinDuration = 60 }, []app.JobRecord{recorded(0, both(accepted, func(r *app.JobRecord) { r.DurationMinutes = 45 })), recorded(1, moved)}, difference{Would: 1, Did: 1, More: 1, Fewer: 1, MoreJobs: "101 ; ", FewerJobs: "100 duration; "}},
		{"the session's cap", func(c *app.Configuration) { c.MaxAcceptPerRun = 2 }, []app.JobRecord{recorded(0, nil), recorded(1, nil), recorded(2, nil)}, difference{Would: 2, More: 2, Unchanged: 1, MoreJobs: "101 ; 100 ; "}},
		{"the cap of another session", func(c *app.Configuration) { c.MaxAcceptPerRun = 1 }, []app.JobRecord{recorded(0, nil), recorded(1, func(r *app.JobRecord) { r.SessionID = "t" })}, difference{Would: 2, More: 2, MoreJobs: "101 ; 100 ; "}},
		{"the day's cap", func(c *app.Configuration) { c.MaxPerDay = 1 }, []app.JobRecord{recorded(0, accepted), recorded(1, accepted)}, difference{Would: 1, Did: 2, Fewer: 1, Unchanged: 1, FewerJobs: "101 cap_day; "}},
		{"details never read", nil, []app.JobRecord{recorded(0, notRead)}, difference{Unknown: 1}},
		{"details never read, and not needed", func(c *app.Configuration) { c.Languages = []string{"Urdu"} }, []app.JobRecord{recorded(0, notRead)}, difference{Unchanged: 1}},
		{"accepted, and words of the details would be needed", func(c *app.Configuration) { c.WordsUnwanted = []string{"prison"} }, []app.JobRecord{recorded(0, accepted)}, difference{Would: 1, Did: 1, Unknown: 1}},
		{"asked about", func(c *app.Configuration) { c.AskTypes = []string{"video"} }, []app.JobRecord{recorded(0, video), recorded(1, both(accepted, video))}, difference{Would: 1, Did: 1, Ask: 2, Unchanged: 2}},
		{"rejected", func(c *app.Configuration) { c.RejectExcluded, c.MaxRejectPerRun = true, 1 }, []app.JobRecord{recorded(0, onsite), recorded(1, onsite)}, difference{Reject: 1, Unchanged: 2}},
		{"too late when it was seen", nil, []app.JobRecord{recorded(0, func(r *app.JobRecord) { r.SeenAt = r.EndsAt })}, difference{Unchanged: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := compile(t, c.change)
			var first rules.Backtest
			for _, order := range [][]app.JobRecord{c.records, backwards(c.records)} {
				b, err := set.Backtest(each(order), rules.BacktestOptions{Examples: 10})
				if err != nil {
					t.Fatal(err)
				}
				got := difference{b.WouldAccept, b.DidAccept, b.More, b.Fewer, b.Unchanged, b.WouldAsk, b.WouldReject, b.Lost, b.Unknown, changesOf(b.MoreJobs), changesOf(b.FewerJobs)}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Error(diff)
				}
				if b.Jobs != len(c.records) || b.WouldAccept != b.DidAccept+b.More-b.Fewer {
					t.Errorf("the sums do not agree: %+v", b)
				}
				if first.Rules == nil {
					first = b
				} else if diff := cmp.Diff(first, b); diff != "" {
					t.Errorf("newest first gives another result: %s", diff)
				}
			}
		})
	}
}

func backwards(records []app.JobRecord) []app.JobRecord {
	reversed := slices.Clone(records)
	slices.Reverse(reversed)
	return reversed
}

func TestBacktestAgainstOtherRules(t *testing.T) {
	telephone := compile(t, nil)
	both := compile(t, func(c *app.Configuration) { c.JobTypeFilter = "Telephone interpreting, Video interpreting" })
	records := []app.JobRecord{recorded(0, nil), recorded(2, video), recorded(4, onsite), recorded(6, accepted)}
	b, err := both.Backtest(each(records), rules.BacktestOptions{Against: telephone, Examples: 10})
	if err != nil {
		t.Fatal(err)
	}
	if b.WouldAccept != 3 || b.DidAccept != 2 || b.More != 1 || b.Fewer != 0 || changesOf(b.MoreJobs) != "102 ; " {
		t.Errorf("wider: %+v", b)
	}
	b, err = telephone.Backtest(each(records), rules.BacktestOptions{Against: both, Examples: 10})
	if err != nil {
		t.Fatal(err)
	}
	if b.WouldAccept != 2 || b.DidAccept != 3 || b.More != 0 || b.Fewer != 1 || changesOf(b.FewerJobs) != "102 job_type; " {
		t.Errorf("narrower: %+v", b)
	}
	if b, err = both.Backtest(each(records), rules.BacktestOptions{Against: both}); err != nil || b.More+b.Fewer != 0 {
		t.Errorf("the same rules differ from themselves: %+v %v", b, err)
	}
}

func TestBacktestCountsWhatEachRuleDid(t *testing.T) {
	set := compile(t, func(c *app.Configuration) { c.Languages = []string{"Polish"} })
	urdu := func(r *app.JobRecord) { r.Language = "Urdu" }
	b, err := set.Backtest(each([]app.JobRecord{recorded(0, nil), recorded(1, urdu), recorded(2, video), recorded(3, notRead)}), rules.BacktestOptions{})
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]rules.RuleCount{}
	for i, c := range b.Rules {
		if c.Rule != rules.Rules()[i] {
			t.Errorf("rule %d is %s", i, c.Rule)
		}
		counts[c.Rule] = c
	}
	if c := counts[rules.RuleLanguages]; c.Decided != 1 || c.NotHeld != 1 || c.NotKnown != 0 {
		t.Errorf("%+v", c)
	}
	if c := counts[rules.RuleJobType]; c.Decided != 2 || c.NotHeld != 1 || c.NotKnown != 1 {
		t.Errorf("%+v", c)
	}
	if len(b.MoreJobs) != 0 || b.More != 1 {
		t.Errorf("examples that nobody asked for: %+v", b)
	}
	if !b.From.Equal(recorded(0, nil).SeenAt) || !b.To.Equal(recorded(3, nil).SeenAt) {
		t.Errorf("from %s to %s", b.From, b.To)
	}
}

func TestBacktestGivesTheNewestExamples(t *testing.T) {
	records := []app.JobRecord{recorded(0, nil), recorded(1, nil), recorded(2, nil), recorded(3, nil)}
	b, err := compile(t, nil).Backtest(each(records), rules.BacktestOptions{Examples: 2})
	if err != nil || b.More != 4 || changesOf(b.MoreJobs) != "103 ; 102 ; " {
		t.Errorf("%+v %v", b, err)
	}
}

func TestBacktestEndsWithTheRecordsError(t *testing.T) {
	broken := errors.New("the database is away")
	records := iter.Seq2[app.JobRecord, error](func(yield func(app.JobRecord, error) bool) {
		_ = yield(recorded(0, nil), nil) && yield(app.JobRecord{}, broken) && yield(recorded(1, nil), nil)
	})
	if b, err := compile(t, nil).Backtest(records, rules.BacktestOptions{}); !errors.Is(err, broken) || b.Jobs != 0 {
		t.Errorf("%+v %v", b, err)
	}
}

// The window of bookings that a replay looks at must not change what it decides: against
// the same replay over all of them.
func TestBacktestAcceptsWhatDecideAndRecheckWould(t *testing.T) {
	records := recordedJobs(1500)
	slices.Reverse(records)
	for _, change := range []func(*app.Configuration){
		nil,
		func(c *app.Configuration) {
			c.MaxPerWeek, c.MaxHoursPerDay, c.BufferBefore, c.BufferAfter = 12, 5, 45, 90
		},
		func(c *app.Configuration) { c.AvoidOverlap, c.MaxPerDay = false, 3 },
		func(c *app.Configuration) {
			c.Expression = "booked_week < 5 and hours_booked < 3"
			c.TimeZone = "America/New_York"
		},
	} {
		set := compile(t, func(c *app.Configuration) {
			c.MaxAcceptPerRun = 1_000_000
			if change != nil {
				change(c)
			}
		})
		want := 0
		var tally app.Tally
		for _, r := range records {
			d := set.Decide(rules.Recorded(r), tally, r.DecidedAt)
			if d.Verdict != app.VerdictAccept || r.Status == app.JobLost {
				continue
			}
			want++
			tally.Bookings = append(tally.Bookings, app.Booking{Number: r.Number, JobType: r.JobType, StartsAt: d.StartsAt, EndsAt: d.EndsAt, Firm: true})
		}
		for i := range records {
			if records[i].Status == app.JobAccepted { // What was done shall not matter.
				records[i].Status = app.JobMatched
			}
		}
		b, err := set.Backtest(each(records), rules.BacktestOptions{})
		if err != nil || b.WouldAccept != want || want == 0 {
			t.Errorf("%d would be accepted, want %d (%v)", b.WouldAccept, want, err)
		}
	}
}
