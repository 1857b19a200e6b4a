package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/store"
	"github.com/atozbot/atozbot/store/storetest"
)

// board stores ten jobs of which no two are alike.
func board(t *testing.T, s *store.Store) {
	t.Helper()
	languages := []string{"Polish", "Română", "Arabic", "Français", "polish"}
	statuses := []app.JobStatus{app.JobMatched, app.JobAccepted, app.JobLost}
	jobs := make([]app.JobRecord, 10)
	for i := range jobs {
		j := job(i, noon().Add(time.Duration(i)*time.Minute))
		j.Language, j.Status = languages[i%len(languages)], statuses[i%len(statuses)]
		if i%2 == 1 {
			j.SessionID = "odd"
		}
		if i == 3 {
			j.Verdict, j.RejectionReason = app.VerdictAsk, `It is 100% "odd_", \ and so on.`
		}
		jobs[i] = j
	}
	saved(t, s, record(noon(), jobs...))
}

func numbers(jobs []app.JobRecord) []string {
	var list []string
	for _, j := range jobs {
		list = append(list, j.Number)
	}
	return list
}

func TestJobsAreFiltered(t *testing.T) {
	yes, no := true, false
	cases := map[string]struct {
		filter store.JobFilter
		want   []string
	}{
		"not at all":                     {store.JobFilter{}, []string{"9", "8", "7", "6", "5", "4", "3", "2", "1", "0"}},
		"by session":                     {store.JobFilter{SessionID: "odd"}, []string{"9", "7", "5", "3", "1"}},
		"by status":                      {store.JobFilter{Statuses: []app.JobStatus{app.JobAccepted}}, []string{"7", "4", "1"}},
		"by two statuses":                {store.JobFilter{Statuses: []app.JobStatus{app.JobAccepted, app.JobLost}}, []string{"8", "7", "5", "4", "2", "1"}},
		"by a status that is not there":  {store.JobFilter{Statuses: []app.JobStatus{"none"}}, nil},
		"by verdict":                     {store.JobFilter{Verdicts: []app.Verdict{app.VerdictAsk}}, []string{"3"}},
		"by what is asked":               {store.JobFilter{Asking: &yes}, []string{"3"}},
		"by what is not asked":           {store.JobFilter{Asking: &no, Statuses: []app.JobStatus{app.JobMatched}}, []string{"9", "6", "0"}},
		"by language, case aside":        {store.JobFilter{Language: "POLISH"}, []string{"9", "5", "4", "0"}},
		"by language, accents aside":     {store.JobFilter{Language: "romana"}, []string{"6", "1"}},
		"by reference":                   {store.JobFilter{Query: "7/a"}, []string{"7"}},
		"by words of the language":       {store.JobFilter{Query: "FRANÇ"}, []string{"8", "3"}},
		"by words without their accents": {store.JobFilter{Query: "franc"}, []string{"8", "3"}},
		"by type":                        {store.JobFilter{Query: "telephone  INTER", Statuses: []app.JobStatus{app.JobLost}}, []string{"8", "5", "2"}},
		"by reason with wild cards":      {store.JobFilter{Query: `100% "odd_", \`}, []string{"3"}},
		"by a wild card that is none":    {store.JobFilter{Query: `1__%`}, nil},
		"by an injection":                {store.JobFilter{Query: `' OR '1'='1`, Language: `x' --`}, nil},
		"from a moment on":               {store.JobFilter{Since: noon().Add(8 * time.Minute)}, []string{"9", "8"}},
		"before a moment":                {store.JobFilter{Until: noon().Add(2 * time.Minute)}, []string{"1", "0"}},
		"by all at once": {store.JobFilter{
			AccountID: account, SessionID: "odd", Statuses: []app.JobStatus{app.JobAccepted}, Language: "polish",
			Query: "telephone", Since: noon(), Until: noon().Add(time.Hour),
		}, nil},
		"by another account": {store.JobFilter{AccountID: "another"}, nil},
	}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		board(t, s)
		for name, c := range cases {
			page, err := s.ListJobs(t.Context(), c.filter)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if got := numbers(page.Items); !slices.Equal(got, c.want) || page.Total != int64(len(c.want)) || page.Next != "" {
				t.Errorf("%s: %v of %d, want %v", name, got, page.Total, c.want)
			}
			var streamed []app.JobRecord
			if err := s.EachJob(t.Context(), c.filter, func(j app.JobRecord) error { streamed = append(streamed, j); return nil }); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if got := numbers(streamed); !slices.Equal(got, c.want) {
				t.Errorf("%s, streamed: %v, want %v", name, got, c.want)
			}
		}
	})
}

func TestPagesByCursorStayRightWhileJobsArrive(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		board(t, s)
		f := store.JobFilter{Window: store.Window{Limit: 3}}
		var got []string
		for i := range 4 {
			page, err := s.ListJobs(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			if page.Total != int64(10+i) {
				t.Errorf("page %d: total %d", i, page.Total)
			}
			got = append(got, numbers(page.Items)...)
			f.Cursor = page.Next
			saved(t, s, record(noon(), job(100+i, noon().Add(time.Hour))))
		}
		if want := []string{"9", "8", "7", "6", "5", "4", "3", "2", "1", "0"}; !slices.Equal(got, want) || f.Cursor != "" {
			t.Errorf("%v, want %v, then %q", got, want, f.Cursor)
		}
		page, err := s.ListJobs(t.Context(), store.JobFilter{Window: store.Window{Limit: 3, Offset: 4}})
		if err != nil || !slices.Equal(numbers(page.Items), []string{"9", "8", "7"}) {
			t.Errorf("by offset: %v, %v", numbers(page.Items), err)
		}
	})
}

func TestJobsSeenAtTheSameMomentAreAllListed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var jobs []app.JobRecord
		for i := range 100 {
			jobs = append(jobs, job(i, noon()))
		}
		saved(t, s, record(noon(), jobs...))
		f := store.JobFilter{Window: store.Window{Limit: 7}}
		seen := make(map[string]bool)
		for {
			page, err := s.ListJobs(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			for _, j := range page.Items {
				if seen[j.ID] {
					t.Errorf("job %s is listed twice", j.Number)
				}
				seen[j.ID] = true
			}
			if f.Cursor = page.Next; f.Cursor == "" {
				break
			}
		}
		if len(seen) != 100 {
			t.Errorf("%d of 100 are listed", len(seen))
		}
	})
}

func TestACursorThatNoListGaveIsRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for _, cursor := range []string{"x", "MTIz", "%%%", "AAAA", "MTIzLgA"} {
			_, err := s.ListJobs(t.Context(), store.JobFilter{Window: store.Window{Cursor: cursor}})
			var wrong *app.Error
			if !errors.As(err, &wrong) || wrong.Code != app.CodeInvalid || wrong.Fields["cursor"] == "" {
				t.Errorf("cursor %q: %v", cursor, err)
			}
		}
	})
}

func TestAStreamEndsWithItsReadersError(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		board(t, s)
		enough := errors.New("enough")
		var read int
		err := s.EachJob(t.Context(), store.JobFilter{}, func(app.JobRecord) error {
			read++
			if read == 4 {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) || read != 4 {
			t.Errorf("%d read, %v", read, err)
		}
	})
}

func TestAFaultWhileJobsAreStreamedEndsTheStreamAlone(t *testing.T) {
	s, err := store.Open("postgres://127.0.0.1:1/none", store.Options{Away: func() string { panic("a fault") }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.EachJob(t.Context(), store.JobFilter{}, func(app.JobRecord) error { return nil })
	if app.CodeOf(err) != app.CodeInternal {
		t.Errorf("the stream ends with %v", err)
	}
}

func TestJobsAreCountedByWhatBecameOfThem(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		board(t, s)
		for name, f := range map[string]store.JobFilter{"all": {}, "since ever": {Since: noon().AddDate(-1, 0, 0)}} {
			c, err := s.CountJobs(t.Context(), f)
			if err != nil || c.Jobs != 10 || c.Matched != 4 || c.Accepted != 3 || c.Lost != 3 || c.Asking != 1 {
				t.Errorf("%s: %+v, %v", name, c, err)
			}
		}
		if got, err := s.Languages(t.Context()); err != nil || len(got) != 5 {
			t.Errorf("languages: %q, %v", got, err)
		}
	})
}

func TestAnUnknownJobIsNotFound(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for _, id := range []string{"", "x", "'; DROP TABLE atozbot_jobs; --", "\x00", fmt.Sprintf("%0300d", 1)} {
			if _, err := s.Job(t.Context(), id); app.CodeOf(err) != app.CodeNotFound {
				t.Errorf("job %q: %v", id, err)
			}
		}
	})
}

func TestAcceptancesAreWatchedUntilTheyAreOver(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := noon()
		accepted := func(number int, ends time.Time) app.JobRecord {
			j := job(number, now)
			j.Status, j.StartsAt, j.EndsAt = app.JobAccepted, ends.Add(-time.Hour), ends
			return j
		}
		unknown := accepted(3, now)
		unknown.StartsAt, unknown.EndsAt = time.Time{}, time.Time{}
		vanished := accepted(4, now.Add(time.Hour))
		vanished.VanishedAt = now
		saved(t, s, record(now, accepted(1, now), accepted(2, now.Add(time.Hour)), unknown, vanished, job(5, now)))
		got, err := s.Watched(t.Context(), account, now)
		if err != nil || !slices.Equal(slices.Sorted(slices.Values(numbers(got))), []string{"2", "3"}) {
			t.Errorf("watched: %v, %v", numbers(got), err)
		}
		got, err = s.Bookings(t.Context(), account, now, now.Add(time.Hour))
		if err != nil || !slices.Equal(slices.Sorted(slices.Values(numbers(got))), []string{"2", "4"}) {
			t.Errorf("bookings: %v, %v", numbers(got), err)
		}
	})
}
