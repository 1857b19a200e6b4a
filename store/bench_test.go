package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
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

// BenchmarkClaim stores claims of appointments an hour apart, alone and after thousands
// of others: what is booked far away must not make a claim slower.
func BenchmarkClaim(b *testing.B) {
	for _, before := range []int{0, 5000} {
		b.Run(fmt.Sprintf("%d before", before), func(b *testing.B) {
			eachBench(b, func(b *testing.B, s *store.Store) {
				n := 0
				next := func() app.Claim {
					n++
					c := claim(n, noon())
					c.StartsAt = noon().Add(time.Duration(n) * time.Hour)
					c.EndsAt = c.StartsAt.Add(time.Hour)
					return c
				}
				var booked []app.Claim
				for range before {
					booked = append(booked, next())
				}
				for some := range slices.Chunk(booked, 500) {
					r := record(noon())
					r.Claims = some
					saved(b, s, r)
				}
				for b.Loop() {
					claimed(b, s, next())
				}
			})
		})
	}
}

func BenchmarkWithAHistoryOf100000(b *testing.B) {
	eachBench(b, func(b *testing.B, s *store.Store) {
		history(b, s, 100_000)
		middle, err := s.ListJobs(b.Context(), store.JobFilter{Until: noon().AddDate(0, 0, -45), Window: store.Window{Limit: 1}})
		if err != nil {
			b.Fatal(err)
		}
		lists := map[string]store.JobFilter{
			"first page":             {AccountID: account, Window: store.Window{Limit: 100}},
			"page in the middle":     {AccountID: account, Window: store.Window{Limit: 100, Cursor: middle.Next}},
			"by status":              {AccountID: account, Statuses: []app.JobStatus{app.JobAccepted}, Window: store.Window{Limit: 100}},
			"by language":            {AccountID: account, Language: "polish", Window: store.Window{Limit: 100}},
			"by session":             {AccountID: account, SessionID: sessionID, Window: store.Window{Limit: 100}},
			"by words found often":   {AccountID: account, Query: "urdu", Window: store.Window{Limit: 100}},
			"by words found nowhere": {AccountID: account, Query: "klingon", Window: store.Window{Limit: 100}},
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
				if err := s.EachJob(b.Context(), store.JobFilter{AccountID: account}, func(app.JobRecord) error { n++; return nil }); err != nil || n != 100_000 {
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
