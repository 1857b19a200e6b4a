package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/store"
	"github.com/atozbot/atozbot/store/storetest"
)

func TestAStepIsReadBackAsItWasStored(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := noon()
		j, c, run := job(1, now), claim(1, now), session(now)
		j.GoneAt, j.VanishedAt, j.ClaimedAt, j.PostedAt, j.ConfirmedAt = now.Add(1e9), now.Add(2e9), now.Add(3e9), now.Add(4e9), now.Add(5e9)
		j.NeedsUser = "Answer the portal's question."
		c.PostedAt, c.Reached, c.Outcome, c.OutcomeAt, c.Detail, c.Epoch = now.Add(1e9), true, app.OutcomeUnknown, now.Add(2e9), "not known yet", 5
		run.Paused, run.Interrupted, run.EndedAt = true, true, now.Add(time.Hour)
		d := app.Decision{
			ID: app.NewID(now), AccountID: account, Number: "1", RulesVersion: 3, Verdict: app.VerdictLeave, Reason: "No.", Rule: "languages",
			Checks: []app.Check{{Rule: "languages", Held: app.No, Saw: "Polish", Wanted: "French", Reason: "No."}}, DecidedAt: now, Repeats: 2, StartsAt: j.StartsAt, EndsAt: j.EndsAt,
		}
		e := event(app.EventJobSeen, now)
		l := app.LogEntry{ID: app.NewID(now), SessionID: run.ID, Level: "INFO", Message: "Seen.", Component: "bot", At: now}
		told := saved(t, s, app.Record{ID: app.NewID(now), AccountID: account, At: now, Session: &run, Jobs: []app.JobRecord{j}, Decisions: []app.Decision{d}, Claims: []app.Claim{c}, Events: []app.Event{e}, Logs: []app.LogEntry{l}})

		trace, err := s.Job(t.Context(), j.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(store.JobTrace{Job: j, Decisions: []app.Decision{d}, Claims: []app.Claim{c}}, trace); diff != "" {
			t.Error("the job differs (-stored +read):\n", diff)
		}
		if got, err := s.JobByNumber(t.Context(), account, "1"); err != nil || got.Job.ID != j.ID {
			t.Errorf("by number: %v, %v", got.Job.ID, err)
		}
		if got, err := s.Session(t.Context(), run.ID); err != nil || !cmp.Equal(run, got) {
			t.Error("the session differs:", cmp.Diff(run, got), err)
		}
		e.ID = 1
		events, err := s.EventsAfter(t.Context(), 0, 10)
		if err != nil || !cmp.Equal([]app.Event{e}, events) {
			t.Error("the events differ:", cmp.Diff([]app.Event{e}, events), err)
		}
		if !cmp.Equal([]app.Event{e}, told) {
			t.Error("what was told differs:", cmp.Diff([]app.Event{e}, told))
		}
		logs, err := s.Logs(t.Context(), store.LogFilter{Query: "SEEN", Level: "info"})
		if err != nil || !cmp.Equal([]app.LogEntry{l}, logs.Items) {
			t.Error("the log differs:", cmp.Diff([]app.LogEntry{l}, logs.Items), err)
		}
	})
}

func TestAStepAppliedTwiceOrLateChangesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := noon()
		first, second := job(1, now), job(1, now)
		second.ID, second.Version, second.Status, second.UpdatedAt = first.ID, 2, app.JobAccepted, now.Add(time.Minute)
		early := record(now, first)
		early.Events = []app.Event{event(app.EventJobSeen, now)}
		late := record(now.Add(time.Minute), second)
		late.Events = []app.Event{event(app.EventJobAccepted, now)}

		saved(t, s, early)
		saved(t, s, late)
		before := everything(t, s)
		for _, again := range []app.Record{early, late, early} {
			if told := saved(t, s, again); len(told) != 0 {
				t.Errorf("events told again: %v", told)
			}
		}
		if diff := cmp.Diff(before, everything(t, s)); diff != "" {
			t.Error("applied again it differs:\n", diff)
		}
		if before.jobs[0].Status != app.JobAccepted {
			t.Errorf("the older version won: %v", before.jobs[0].Status)
		}
	})
}

// state is what a reader sees of the records.
type state struct {
	jobs     []app.JobRecord
	sessions []app.Session
	events   []app.Event
	figures  store.Figures
	claims   []app.Claim
}

func everything(t *testing.T, s *store.Store) state {
	t.Helper()
	var all state
	jobs, err := s.ListJobs(t.Context(), store.JobFilter{Window: store.Window{Limit: 1000}})
	if err != nil {
		t.Fatal(err)
	}
	all.jobs = jobs.Items
	sessions, err := s.ListSessions(t.Context(), store.Window{})
	if err != nil {
		t.Fatal(err)
	}
	all.sessions = sessions.Items
	if all.events, err = s.EventsAfter(t.Context(), 0, 1000); err != nil {
		t.Fatal(err)
	}
	if all.figures, err = s.Analytics(t.Context(), store.Span{From: noon().AddDate(0, 0, -30), To: noon().AddDate(0, 0, 30)}); err != nil {
		t.Fatal(err)
	}
	var numbers []string
	for _, j := range all.jobs {
		numbers = append(numbers, j.Number)
	}
	if all.claims, err = s.Claims(t.Context(), account, numbers); err != nil {
		t.Fatal(err)
	}
	return all
}

func (s state) Equal(other state) bool {
	return cmp.Equal(s.jobs, other.jobs) && cmp.Equal(s.sessions, other.sessions) && cmp.Equal(s.events, other.events) &&
		cmp.Equal(s.figures, other.figures) && cmp.Equal(s.claims, other.claims)
}

func TestRowsMadeApartBecomeOneWhicheverComesFirst(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := noon()
		here, there := job(1, now.Add(time.Minute)), job(1, now)
		here.Version, there.Version = 9, 2
		there.Status, there.UpdatedAt, there.RejectionReason, there.ConfirmedAt = app.JobAccepted, now.Add(30*time.Second), "", now.Add(30*time.Second)
		saved(t, s, record(now, here))
		saved(t, s, record(now, there))
		saved(t, s, record(now, there))
		trace, err := s.JobByNumber(t.Context(), account, "1")
		if err != nil {
			t.Fatal(err)
		}
		got := trace.Job
		if got.ID != here.ID || got.Status != app.JobAccepted || !got.SeenAt.Equal(now) || got.Version != 10 {
			t.Errorf("merged to id %s, %s, seen %s, version %d", got.ID, got.Status, got.SeenAt, got.Version)
		}
		page, err := s.ListJobs(t.Context(), store.JobFilter{})
		if err != nil || page.Total != 1 || len(page.Items) != 1 {
			t.Errorf("one job is listed %d times, total %d, %v", len(page.Items), page.Total, err)
		}
	})
}

func TestWhatIsKnownOfAClaimMadeApartIsNotLost(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := noon()
		here, there := claim(1, now), claim(1, now.Add(time.Second))
		there.Outcome, there.OutcomeAt, there.PostedAt, there.Reached, there.Version = app.OutcomeAccepted, now.Add(2e9), now.Add(1e9), true, 3
		r := record(now)
		r.Claims = []app.Claim{here}
		saved(t, s, r)
		r.Claims = []app.Claim{there}
		saved(t, s, r)
		saved(t, s, r)
		got, err := s.Claims(t.Context(), account, []string{"1"})
		if err != nil || len(got) != 1 {
			t.Fatal(got, err)
		}
		if got[0].ID != here.ID || got[0].Outcome != app.OutcomeAccepted || !got[0].Reached || got[0].Version != 4 {
			t.Errorf("merged to %+v", got[0])
		}
	})
}

func TestAReplicaThatStoodStillTakesNoOutcomeBack(t *testing.T) {
	for name, order := range map[string][]int{"it writes last": {0, 1, 2}, "it writes first": {0, 2, 1}} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, s *store.Store) {
				now := noon()
				seen, open := job(1, now), claim(1, now)
				won, ours := seen, open
				won.Version, won.UpdatedAt, won.Status = 2, now.Add(time.Second), app.JobAccepted
				won.ClaimedAt, won.PostedAt, won.ConfirmedAt = now.Add(1e8), now.Add(2e8), now.Add(3e8)
				ours.Version, ours.Outcome, ours.OutcomeAt = 2, app.OutcomeAccepted, now.Add(3e8)
				stale, again := seen, open
				stale.Version, stale.UpdatedAt, stale.Language = 3, now.Add(2*time.Second), "Farsi"
				again.Version, again.Attempt = 3, 2
				records := []app.Record{record(now, seen), record(now, won), record(now, stale)}
				records[0].Claims, records[1].Claims, records[2].Claims = []app.Claim{open}, []app.Claim{ours}, []app.Claim{again}
				for _, i := range order {
					saved(t, s, records[i])
				}

				trace, err := s.Job(t.Context(), seen.ID)
				if err != nil {
					t.Fatal(err)
				}
				if got := trace.Job; got.Status != app.JobAccepted || !got.ConfirmedAt.Equal(won.ConfirmedAt) || got.Language != "Farsi" {
					t.Errorf("the job is %s, confirmed at %v, in %s", got.Status, got.ConfirmedAt, got.Language)
				}
				if got := trace.Claims[0]; got.Outcome != app.OutcomeAccepted {
					t.Errorf("the claim's outcome is %q", got.Outcome)
				}
			})
		})
	}
}

func TestTextsThatADatabaseRefusesAreMendedAndNothingIsLost(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		j := job(1, noon())
		j.Ref, j.RejectionReason, j.Row = "1\x00/A", "broken \xff\xfe text", []string{"\x00", "\xc3\x28"}
		r := record(noon(), j)
		r.Events = []app.Event{{Type: app.EventJobSeen, Data: []byte("no JSON\x00")}}
		r.Logs = []app.LogEntry{{Level: "INFO", Message: "\x00\xff", At: noon()}}
		saved(t, s, r)
		trace, err := s.Job(t.Context(), j.ID)
		if err != nil || trace.Job.Ref != "1/A" || len(trace.Job.Row) != 2 {
			t.Errorf("%q, %q, %v", trace.Job.Ref, trace.Job.Row, err)
		}
	})
}

func TestRollUpsAlwaysEqualTheRows(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		random := rand.New(rand.NewPCG(1, 2))
		languages := []string{"Polish", "polish", "Romanian", "Kurdish (Sorani)", ""}
		statuses := []app.JobStatus{app.JobMatched, app.JobAccepted, app.JobRejected, app.JobLost, app.JobRefused, app.JobUnknown, app.JobFailed}
		begin := noon().AddDate(0, 0, -4)
		current := make(map[string]app.JobRecord)
		for range 60 {
			var jobs []app.JobRecord
			for range random.IntN(12) {
				number := random.IntN(80)
				j, known := current[fmt.Sprint(number)]
				if !known {
					j = job(number, begin.Add(time.Duration(random.Int64N(int64(5*24*time.Hour)))).Truncate(time.Millisecond))
					j.Version = 0
				}
				j.Version++
				j.Language, j.Status = languages[random.IntN(len(languages))], statuses[random.IntN(len(statuses))]
				j.Time = []string{"", "08:30", "14:00", "23:59"}[random.IntN(4)]
				j.Verdict = []app.Verdict{app.VerdictAccept, app.VerdictLeave, app.VerdictAsk}[random.IntN(3)]
				if random.IntN(2) == 0 {
					j.PostedAt = j.SeenAt.Add(time.Duration(random.IntN(8000)) * time.Millisecond)
				}
				current[j.Number] = j
				jobs = append(jobs, j)
			}
			saved(t, s, record(noon(), jobs...))
		}
		for range 40 {
			from := begin.Add(time.Duration(random.Int64N(int64(5 * 24 * time.Hour))))
			to := from.Add(time.Duration(random.Int64N(int64(4 * 24 * time.Hour)))).Truncate(time.Millisecond)
			from = from.Truncate(time.Millisecond)
			got, err := s.Analytics(t.Context(), store.Span{From: from, To: to})
			if err != nil {
				t.Fatal(err)
			}
			want := countedByHand(current, from, to)
			if got.Counts != want.Counts || got.Hours != want.Hours {
				t.Fatalf("from %s to %s: %+v, want %+v", from, to, got.Counts, want.Counts)
			}
			if diff := cmp.Diff(byName(want.Languages), byName(got.Languages)); diff != "" {
				t.Fatalf("from %s to %s languages differ:\n%s", from, to, diff)
			}
		}
		counts, err := s.CountJobs(t.Context(), store.JobFilter{})
		if all := countedByHand(current, begin.AddDate(-1, 0, 0), begin.AddDate(1, 0, 0)).Counts; err != nil ||
			counts.Jobs != all.Jobs || counts.Accepted != all.Accepted || counts.Failed != all.Failed {
			t.Errorf("all time: %+v, want %+v, %v", counts.Counts, all, err)
		}
	})
}

func byName(list []store.Named) map[string]store.Counts {
	m := make(map[string]store.Counts)
	for _, n := range list {
		m[n.Value] = n.Counts
	}
	return m
}

func countedByHand(jobs map[string]app.JobRecord, from, to time.Time) store.Figures {
	var f store.Figures
	languages := make(map[string]store.Counts)
	for _, j := range jobs {
		if j.SeenAt.Before(from) || !j.SeenAt.Before(to) {
			continue
		}
		var one store.Counts
		one.Jobs = 1
		switch j.Status {
		case app.JobMatched:
			one.Matched = 1
		case app.JobAccepted:
			one.Accepted = 1
		case app.JobRejected:
			one.Rejected = 1
		case app.JobLost:
			one.Lost = 1
		case app.JobRefused:
			one.Refused = 1
		case app.JobUnknown:
			one.Unknown = 1
		case app.JobFailed:
			one.Failed = 1
		}
		if j.Verdict != app.VerdictLeave {
			one.Fitting = 1
		}
		if j.Status != app.JobMatched || !j.PostedAt.IsZero() {
			one.Tried = 1
		}
		plus := func(c *store.Counts) {
			c.Jobs, c.Matched, c.Accepted, c.Rejected, c.Lost = c.Jobs+one.Jobs, c.Matched+one.Matched, c.Accepted+one.Accepted, c.Rejected+one.Rejected, c.Lost+one.Lost
			c.Refused, c.Unknown, c.Failed, c.Fitting, c.Tried = c.Refused+one.Refused, c.Unknown+one.Unknown, c.Failed+one.Failed, c.Fitting+one.Fitting, c.Tried+one.Tried
		}
		plus(&f.Counts)
		l := languages[j.Language]
		plus(&l)
		languages[j.Language] = l
		var hour int
		if n, _ := fmt.Sscanf(j.Time, "%d:", &hour); n == 1 {
			plus(&f.Hours[hour])
		}
	}
	for name, c := range languages {
		f.Languages = append(f.Languages, store.Named{Value: name, Counts: c})
	}
	return f
}

func TestEventIDsGrowInTheOrderOfCommitsAndEachEventIsStoredOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const writers, each = 8, 25
		var group errgroup.Group
		for w := range writers {
			group.Go(func() error {
				for range each {
					r := record(noon())
					r.AccountID = fmt.Sprintf("00000000-0000-7000-8000-0000000000%02d", 10+w)
					e := event(app.EventJobSeen, noon())
					e.AccountID = r.AccountID
					r.Events = []app.Event{e, e}
					if _, err := s.Apply(context.Background(), r); err != nil {
						return err
					}
				}
				return nil
			})
		}
		// Whoever follows the table by the last id it saw misses nothing.
		var seen []int64
		follow := func() {
			var last int64
			if len(seen) > 0 {
				last = seen[len(seen)-1]
			}
			events, err := s.EventsAfter(t.Context(), last, 1000)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range events {
				seen = append(seen, e.ID)
			}
		}
		done := make(chan error, 1)
		go func() { done <- group.Wait() }()
		for running := true; running; {
			select {
			case err := <-done:
				if err != nil {
					t.Fatal(err)
				}
				running = false
			default:
			}
			follow()
		}
		if len(seen) != writers*each || !slices.IsSorted(seen) || len(slices.Compact(slices.Clone(seen))) != len(seen) {
			t.Errorf("a follower saw %d events of %d", len(seen), writers*each)
		}
		if last, err := s.LatestEventID(t.Context()); err != nil || last != seen[len(seen)-1] {
			t.Errorf("the newest id is %d, %v", last, err)
		}
	})
}

func TestEventsAreToldAfterTheyAreStored(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		var told []app.Event
		s := storetest.Open(t, dsn, store.Options{Tell: func(events []app.Event, late bool) { told = append(told, events...) }})
		r := record(noon())
		r.Events = []app.Event{event(app.EventJobSeen, noon()), event(app.EventJobAccepted, noon())}
		saved(t, s, r)
		stored, err := s.EventsAfter(t.Context(), 0, 10)
		if err != nil || !cmp.Equal(stored, told) {
			t.Error("told and stored differ:", cmp.Diff(stored, told), err)
		}
	})
}

func TestTheTimeASessionRanIsCounted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := noon()
		run := session(now)
		beat := func(after time.Duration, status app.SessionStatus) {
			run.Version, run.UpdatedAt, run.Status = run.Version+1, now.Add(after), status
			r := record(run.UpdatedAt)
			r.Session = &run
			saved(t, s, r)
			saved(t, s, r)
		}
		beat(0, app.SessionRunning)
		beat(60*time.Second, app.SessionRunning)
		beat(90*time.Second, app.SessionPaused)
		beat(time.Hour, app.SessionStarting) // After a crash: the gap does not count.
		beat(time.Hour+time.Second, app.SessionRunning)
		beat(time.Hour+11*time.Second, app.SessionStopped)
		beat(time.Hour+60*time.Second, app.SessionStopped)
		f, err := s.Analytics(t.Context(), store.Span{From: now.Add(-time.Hour), To: now.Add(5 * time.Hour)})
		if want := 100 * time.Second; err != nil || f.Uptime != want {
			t.Errorf("ran for %s, want %s, %v", f.Uptime, want, err)
		}
	})
}
