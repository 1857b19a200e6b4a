package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/store"
	"github.com/atozbot/atozbot/store/storetest"
)

// eachBench runs a benchmark on both databases.
func eachBench(b *testing.B, run func(b *testing.B, s *store.Store)) {
	b.Run("sqlite", func(b *testing.B) { run(b, storetest.Open(b, storetest.SQLite(b), store.Options{})) })
	b.Run("postgres", func(b *testing.B) { run(b, storetest.Open(b, storetest.Postgres(b), store.Options{})) })
}

// history stores n jobs over the 90 days before noon.
func history(b *testing.B, s *store.Store, n int) {
	b.Helper()
	languages := []string{"Polish", "Romanian", "Arabic", "Urdu", "Kurdish (Sorani)", "Portuguese", "Farsi", "Pashto", "Turkish", "Tigrinya"}
	statuses := []app.JobStatus{app.JobMatched, app.JobMatched, app.JobMatched, app.JobAccepted, app.JobLost, app.JobRejected}
	step := 90 * 24 * time.Hour / time.Duration(n)
	var batch []app.JobRecord
	for i := range n {
		j := job(i, noon().Add(-time.Duration(n-i)*step))
		j.Language, j.Status = languages[i%len(languages)], statuses[i%len(statuses)]
		j.Time = fmt.Sprintf("%02d:30", 8+i%10)
		batch = append(batch, j)
		if len(batch) == 500 || i == n-1 {
			saved(b, s, record(noon(), batch...))
			batch = nil
		}
	}
}

func BenchmarkApply(b *testing.B) {
	eachBench(b, func(b *testing.B, s *store.Store) {
		n := 0
		for b.Loop() {
			n++
			j := job(n, noon())
			r := record(noon(), j)
			r.Events = []app.Event{event(app.EventJobSeen, noon())}
			r.Decisions = []app.Decision{{ID: app.NewID(noon()), AccountID: account, Number: j.Number, DecidedAt: noon()}}
			saved(b, s, r)
		}
	})
}

func BenchmarkClaim(b *testing.B) {
	eachBench(b, func(b *testing.B, s *store.Store) {
		n := 0
		for b.Loop() {
			n++
			c := claim(n, noon())
			c.EndsAt = noon().AddDate(0, -1, 0) // So that the tally does not grow with the benchmark.
			claimed(b, s, c)
		}
	})
}

func BenchmarkWithAHistoryOf100000(b *testing.B) {
	eachBench(b, func(b *testing.B, s *store.Store) {
		history(b, s, 100_000)
		middle, err := s.ListJobs(b.Context(), store.JobFilter{Until: noon().AddDate(0, 0, -45), Window: store.Window{Limit: 1}})
		if err != nil {
			b.Fatal(err)
		}
		lists := map[string]store.JobFilter{
			"first page":             {Window: store.Window{Limit: 100}},
			"page in the middle":     {Window: store.Window{Limit: 100, Cursor: middle.Next}},
			"by status":              {Statuses: []app.JobStatus{app.JobAccepted}, Window: store.Window{Limit: 100}},
			"by language":            {Language: "polish", Window: store.Window{Limit: 100}},
			"by session":             {SessionID: sessionID, Window: store.Window{Limit: 100}},
			"by words found often":   {Query: "urdu", Window: store.Window{Limit: 100}},
			"by words found nowhere": {Query: "klingon", Window: store.Window{Limit: 100}},
		}
		for name, f := range lists {
			b.Run("list/"+strings.ReplaceAll(name, " ", "-"), func(b *testing.B) {
				for b.Loop() {
					if _, err := s.ListJobs(b.Context(), f); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		for _, hours := range []int{1, 24, 24 * 7, 24 * 90} {
			b.Run(fmt.Sprintf("analytics/%dh", hours), func(b *testing.B) {
				for b.Loop() {
					if _, err := s.Analytics(b.Context(), store.Span{From: noon().Add(-time.Duration(hours) * time.Hour).Add(17 * time.Minute), To: noon()}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		b.Run("metrics", func(b *testing.B) {
			for b.Loop() {
				if _, err := s.DashboardMetrics(b.Context(), noon(), time.UTC); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("counts", func(b *testing.B) {
			for b.Loop() {
				if _, err := s.CountJobs(b.Context(), store.JobFilter{}); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("revision", func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Revision(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("stream all", func(b *testing.B) {
			for b.Loop() {
				n := 0
				if err := s.EachJob(b.Context(), store.JobFilter{}, func(app.JobRecord) error { n++; return nil }); err != nil || n != 100_000 {
					b.Fatal(n, err)
				}
			}
		})
	})
}

func BenchmarkJournaled(b *testing.B) {
	main, err := store.Open(storetest.Postgres(b), store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	j, err := store.NewJournaled(main, store.JournalOptions{Path: filepath.Join(b.TempDir(), "journal.db"), Replica: "a", Now: noon})
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close()
	if _, err := j.Migrate(b.Context(), store.Up, store.Latest); err != nil {
		b.Fatal(err)
	}
	j.Healthy(true)
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- j.Run(ctx) }()
	for j.JournalState().Mirrored.IsZero() {
		runtime.Gosched()
	}
	cancel()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	lease, _, err := j.Acquire(b.Context(), account, "a", noon())
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	work := func(b *testing.B) {
		for b.Loop() {
			n++
			c := claim(n, noon())
			c.Epoch, c.EndsAt = lease.Epoch, noon().AddDate(0, -1, 0)
			if _, err := j.Claim(b.Context(), c, yes); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("claim with PostgreSQL", work)
	j.Healthy(false)
	b.Run("claim without", work)
}
