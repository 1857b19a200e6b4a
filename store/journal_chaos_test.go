package store_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/store"
)

// Whatever PostgreSQL does meanwhile, and however often the process ends: what Save and
// Claim have confirmed is there in the end, once.
func TestWhatIsConfirmedIsThereOnceWhateverPostgresDoes(t *testing.T) {
	p := newPlace(t)
	j := p.start("a")
	p.up(j)
	lease := p.lease(j, "a")

	var mu sync.Mutex
	savedJobs, claimedJobs := make(map[string]app.JobStatus), make(map[string]string)
	life := func(j *store.Journaled, round int) {
		ctx, end := context.WithTimeout(t.Context(), 700*time.Millisecond)
		defer end()
		var all sync.WaitGroup
		all.Go(func() { _ = j.Run(ctx) })
		all.Go(func() { // The keeper and the network.
			random := rand.New(rand.NewPCG(uint64(round), 1))
			for ctx.Err() == nil {
				switch random.IntN(4) {
				case 0:
					p.proxy.cut()
				case 1:
					p.proxy.hang()
				default:
					p.proxy.pass()
				}
				probe, done := context.WithTimeout(ctx, 50*time.Millisecond)
				j.Healthy(j.Ping(probe) == nil)
				done()
				timer := time.NewTimer(time.Duration(20+random.IntN(60)) * time.Millisecond)
				select {
				case <-ctx.Done():
				case <-timer.C:
				}
				timer.Stop()
			}
		})
		for worker := range 3 {
			all.Go(func() {
				for n := 0; ctx.Err() == nil; n++ {
					number := round*1000 + worker*100 + n
					c := claim(number, noon())
					c.Epoch = lease.Epoch
					if _, err := j.Claim(ctx, c, yes); err != nil {
						continue
					}
					mu.Lock()
					claimedJobs[c.Number] = c.ID
					mu.Unlock()
					row := job(number, noon().Add(time.Duration(number)*time.Second))
					for _, status := range []app.JobStatus{app.JobMatched, app.JobAccepted} {
						row.Status, row.Version = status, row.Version+1
						c.Version++
						r := record(noon(), row)
						r.Claims, r.Events = []app.Claim{c}, []app.Event{event(app.EventJobSeen, noon())}
						if j.Save(ctx, r) == nil {
							mu.Lock()
							savedJobs[row.Number] = status
							mu.Unlock()
						}
					}
				}
			})
		}
		all.Wait()
	}
	for round := 0; round < 5 || len(claimedJobs) < 20 && round < 50; round++ {
		life(j, round)
		j = p.start("a") // The one before is never closed.
	}
	p.up(j)

	there := p.direct()
	var numbers []string
	for number := range claimedJobs {
		numbers = append(numbers, number)
	}
	if len(numbers) < 20 {
		t.Fatalf("only %d claims were made", len(numbers))
	}
	claims, err := there.Claims(t.Context(), account, numbers)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range claims {
		if claimedJobs[c.Number] != c.ID {
			t.Errorf("job %s has another claim", c.Number)
		}
	}
	if len(claims) != len(numbers) {
		t.Errorf("%d claims of %d are there", len(claims), len(numbers))
	}
	jobs, err := there.Jobs(t.Context(), account, numbers)
	if err != nil {
		t.Fatal(err)
	}
	for number, status := range savedJobs {
		// A save that was not confirmed can have been stored all the same.
		if got := jobs[number].Status; got != status && got != app.JobAccepted {
			t.Errorf("job %s is %q, confirmed as %q", number, got, status)
		}
	}
	events, err := there.EventsAfter(t.Context(), 0, 100_000)
	if err != nil {
		t.Fatal(err)
	}
	keys := make(map[string]bool)
	var last int64
	for _, e := range events {
		if keys[e.Key] || e.ID <= last {
			t.Errorf("event %d, %s, is out of order or there twice", e.ID, e.Key)
		}
		keys[e.Key], last = true, e.ID
	}
	counts, err := there.CountJobs(t.Context(), store.JobFilter{})
	if err != nil || counts.Jobs != int64(len(jobs)) {
		t.Errorf("%d jobs are counted, %d are there, %v", counts.Jobs, len(jobs), err)
	}
	t.Logf("%d claims, %d jobs, %d events", len(claims), len(jobs), len(events))
}

func TestTheAuditLogIsWrittenThroughAnOutage(t *testing.T) {
	p := newPlace(t)
	j := p.start("a")
	p.up(j)
	add := func(what string) {
		t.Helper()
		if err := j.AddAudit(t.Context(), store.AuditEntry{At: noon(), What: what}); err != nil {
			t.Fatal(err)
		}
	}
	add("before")
	p.proxy.cut()
	add("meanwhile")
	j.Healthy(false)
	p.up(j)
	page, err := p.direct().Audit(t.Context(), store.AuditFilter{})
	if err != nil || page.Total != 2 {
		t.Errorf("%+v, %v", page, err)
	}
}
