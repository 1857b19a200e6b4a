package store_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/store"
)

// place is a PostgreSQL behind a proxy, and a data folder.
type place struct {
	t      *testing.T
	proxy  *proxy
	dsn    string
	folder string

	mu   sync.Mutex
	told []telling
	now  time.Time
}

type telling struct {
	events []app.Event
	late   bool
}

func newPlace(t *testing.T) *place {
	t.Helper()
	p, dsn := newProxy(t)
	return &place{t: t, proxy: p, dsn: dsn, folder: t.TempDir(), now: noon()}
}

func (p *place) clock() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

func (p *place) later(d time.Duration) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = p.now.Add(d)
	return p.now
}

func (p *place) tell(events []app.Event, late bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, telling{events, late})
}

// options are those of a replica in a folder.
func (p *place) journal(replica string) store.JournalOptions {
	return store.JournalOptions{
		Path: filepath.Join(p.folder, replica, "journal.db"), Replica: replica, First: app.DefaultConfiguration(), Now: p.clock, Patience: 400 * time.Millisecond,
	}
}

// start starts a replica, as a process would, with PostgreSQL's state not known yet.
func (p *place) start(replica string) *store.Journaled {
	p.t.Helper()
	main, err := store.Open(p.dsn, store.Options{Tell: p.tell, Timeout: 3 * time.Second})
	if err != nil {
		p.t.Fatal(err)
	}
	j, err := store.NewJournaled(main, p.journal(replica))
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = j.Close() })
	return j
}

// up says that PostgreSQL is there and carries over what waits, as the keeper and Run do.
func (p *place) up(j *store.Journaled) {
	p.t.Helper()
	p.proxy.pass()
	if _, err := j.Migrate(p.t.Context(), store.Up, store.Latest); err != nil {
		p.t.Fatal(err)
	}
	j.Healthy(true)
	p.settle(j)
}

// settle runs the journal until everything is carried over and mirrored.
func (p *place) settle(j *store.Journaled) {
	p.t.Helper()
	ctx, cancel := context.WithCancel(p.t.Context())
	done := make(chan error, 1)
	before := j.JournalState().Mirrored
	p.later(time.Millisecond)
	j.MirrorChanged()
	go func() { done <- j.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			p.t.Error(err)
		}
	}()
	await(p.t, func() bool {
		s := j.JournalState()
		return s.Direct && s.Waiting == 0 && s.Mirrored.After(before)
	})
}

// await polls until something is so.
func await(t *testing.T, so func() bool) {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for !so() {
		select {
		case <-deadline.C:
			t.Fatal("it did not become so in 20 s")
		case <-ticker.C:
		}
	}
}

// direct opens PostgreSQL past the proxy, to see what is there.
func (p *place) direct() *store.Store {
	p.t.Helper()
	s, err := store.Open(changed(p.t, p.dsn, func(u *url.URL, _ url.Values) { u.Host = p.proxy.target }), store.Options{})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = s.Close() })
	return s
}

// lease takes the lease at a replica.
func (p *place) lease(j *store.Journaled, replica string) app.Lease {
	p.t.Helper()
	l, taken, err := j.Acquire(p.t.Context(), account, replica, p.clock())
	if err != nil || !taken {
		p.t.Fatalf("lease: %+v, %v, %v", l, taken, err)
	}
	return l
}

// take claims a job under a lease.
func take(t *testing.T, j *store.Journaled, l app.Lease, number int) (app.Claim, error) {
	t.Helper()
	c := claim(number, noon())
	c.Epoch = l.Epoch
	return j.Claim(t.Context(), c, yes)
}

func TestWhilePostgresIsThereEverythingIsThereAtOnce(t *testing.T) {
	p := newPlace(t)
	j := p.start("a")
	p.up(j)
	l := p.lease(j, "a")
	c, err := take(t, j, l, 1)
	if err != nil {
		t.Fatal(err)
	}
	r := record(noon(), job(1, noon()))
	r.Events = []app.Event{event(app.EventJobSeen, noon())}
	if err := j.Save(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	there := p.direct()
	if got, err := there.Claims(t.Context(), account, []string{"1"}); err != nil || len(got) != 1 || got[0].ID != c.ID {
		t.Errorf("the claim is not there: %v, %v", got, err)
	}
	if s := j.JournalState(); s.Waiting != 0 || !s.Direct || s.Mirrored.IsZero() {
		t.Errorf("%+v", s)
	}
	if len(p.told) != 1 || p.told[0].late || p.told[0].events[0].ID != 1 {
		t.Errorf("told %+v", p.told)
	}
}

func TestAnOutageIsWorkedThroughAndCarriedOverInOrder(t *testing.T) {
	for name, fail := range map[string]func(*proxy){"gone": (*proxy).cut, "hung": (*proxy).hang} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			j := p.start("a")
			p.up(j)
			l := p.lease(j, "a")
			fail(p.proxy)

			var jobs []app.JobRecord
			var afterTheFirst time.Duration
			for i := range 20 {
				began := time.Now()
				c, err := take(t, j, l, i)
				if err != nil {
					t.Fatal(err)
				}
				if i > 0 {
					afterTheFirst += time.Since(began)
				}
				job := job(i, noon().Add(time.Duration(i)*time.Second))
				job.Status, job.StartsAt, job.EndsAt = app.JobAccepted, c.StartsAt, c.EndsAt
				jobs = append(jobs, job)
				c.Outcome, c.Version = app.OutcomeAccepted, 2
				r := record(noon(), job)
				r.Claims = []app.Claim{c}
				r.Events = []app.Event{event(app.EventJobAccepted, noon())}
				if err := j.Save(t.Context(), r); err != nil {
					t.Fatal(err)
				}
			}
			if afterTheFirst > 19*200*time.Millisecond {
				t.Errorf("19 claims after the first took %s: each waited for PostgreSQL", afterTheFirst)
			}
			if got := len(p.told); got != 20 || p.told[0].events[0].ID != 0 {
				t.Errorf("told %d times, first %+v", got, p.told[0])
			}
			tally, err := j.Tally(t.Context(), account, sessionID, noon())
			if err != nil || tally.Session != 20 || len(tally.Bookings) != 20 {
				t.Errorf("the journal knows %d bookings, %v", len(tally.Bookings), err)
			}
			if s := j.JournalState(); s.Waiting != 40 || s.Direct || !s.Oldest.Equal(noon()) {
				t.Errorf("%+v", s)
			}
			if err := j.MayAct(t.Context(), account); err != nil {
				t.Error("a replica alone stopped:", err)
			}
			j.Healthy(false)
			p.up(j)

			there := p.direct()
			all := everything(t, there)
			if len(all.jobs) != 20 || len(all.claims) != 20 || len(all.events) != 20 || all.figures.Accepted != 20 {
				t.Errorf("%d jobs, %d claims, %d events, %d counted", len(all.jobs), len(all.claims), len(all.events), all.figures.Accepted)
			}
			for i, j := range all.jobs {
				if diff := cmp.Diff(jobs[19-i], j); diff != "" {
					t.Error(diff)
				}
			}
			for i, e := range all.events {
				if e.ID != int64(i+1) {
					t.Errorf("event %d has id %d", i, e.ID)
				}
			}
			var late int
			for _, told := range p.told {
				if told.late {
					late += len(told.events)
				}
			}
			if late != 20 {
				t.Errorf("%d events were told late", late)
			}
			if renewed, err := j.Renew(t.Context(), l, p.clock()); err != nil || renewed.Epoch != l.Epoch {
				t.Errorf("the lease afterwards: %+v, %v", renewed, err)
			}
		})
	}
}

func TestAProcessKilledAnywhereLosesAndDoublesNothing(t *testing.T) {
	p := newPlace(t)
	j := p.start("a")
	p.up(j)
	l := p.lease(j, "a")
	p.proxy.cut()
	for i := range 6 {
		if _, err := take(t, j, l, i); err != nil {
			t.Fatal(err)
		}
		r := record(noon(), job(i, noon()))
		r.Events = []app.Event{event(app.EventJobSeen, noon())}
		if err := j.Save(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	// Killed: nothing is closed. Then half-way through carrying over, killed again.
	second := p.start("a")
	if got, err := second.Unsettled(t.Context(), account); err != nil || len(got) != 6 {
		t.Fatalf("the next process knows %d unsettled claims, %v", len(got), err)
	}
	if err := second.MayAct(t.Context(), account); err != nil {
		t.Errorf("a cold start with a mirror does not act: %v", err)
	}
	p.proxy.pass()
	for half := range 4 {
		next := p.start("a")
		next.Healthy(true)
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(half*4)*time.Millisecond)
		_ = next.Drain(ctx)
		cancel()
	}
	last := p.start("a")
	p.up(last)
	all := everything(t, p.direct())
	if len(all.jobs) != 6 || len(all.claims) != 6 || len(all.events) != 6 || all.figures.Jobs != 6 {
		t.Errorf("%d jobs, %d claims, %d events, %d counted", len(all.jobs), len(all.claims), len(all.events), all.figures.Jobs)
	}
}

func TestAColdStartWithoutAMirrorRecordsAndDoesNotAct(t *testing.T) {
	p := newPlace(t)
	p.proxy.cut()
	j := p.start("a")
	l := p.lease(j, "a")
	if c, err := j.Configuration(t.Context(), account); err != nil || c.Version != 0 || !c.IsActive {
		t.Errorf("the configuration: %+v, %v", c, err)
	}
	if _, err := take(t, j, l, 1); app.CodeOf(err) != app.CodeUnavailable {
		t.Errorf("a claim without a mirror: %v", err)
	}
	if err := j.Save(t.Context(), record(noon(), job(1, noon()))); err != nil {
		t.Error(err)
	}
	p.up(j)
	renewed, err := j.Renew(t.Context(), l, p.clock())
	if err != nil || renewed.Epoch != 1 {
		t.Fatalf("the lease is not made good: %+v, %v", renewed, err)
	}
	if _, err := take(t, j, renewed, 1); err != nil {
		t.Error(err)
	}
	if all := everything(t, p.direct()); len(all.jobs) != 1 || len(all.claims) != 1 {
		t.Errorf("%+v", all)
	}
}

func TestWhereOthersAreAboutActingStopsBeforeTheLeaseCanBeTaken(t *testing.T) {
	p := newPlace(t)
	a, b := p.start("a"), p.start("b")
	p.up(a)
	p.up(b)
	here := func(j *store.Journaled, id string) {
		t.Helper()
		if err := j.Here(t.Context(), store.Replica{ID: id, StartedAt: p.clock(), SeenAt: p.clock()}); err != nil {
			t.Fatal(err)
		}
	}
	here(a, "a")
	here(b, "b")
	p.settle(a)
	l := p.lease(a, "a")
	p.proxy.cut()
	if _, err := take(t, a, l, 1); err != nil {
		t.Fatal("under a lease that nobody can take yet:", err)
	}
	p.later(store.LeaseTime - 2*time.Second)
	if err := a.MayAct(t.Context(), account); app.CodeOf(err) != app.CodeUnavailable {
		t.Errorf("acting goes on into the end of the lease: %v", err)
	}
	if _, err := take(t, a, l, 2); app.CodeOf(err) != app.CodeUnavailable {
		t.Errorf("a claim at the end of the lease: %v", err)
	}
	if _, err := a.Renew(t.Context(), l, p.clock()); app.CodeOf(err) != app.CodeUnavailable {
		t.Errorf("a lease is renewed without PostgreSQL: %v", err)
	}
	// At its end nobody is known to hold it, and it cannot be had.
	p.later(2 * time.Second)
	if l, taken, err := a.Acquire(t.Context(), account, "a", p.clock()); taken || app.CodeOf(err) != app.CodeUnavailable || l.Holder != "" {
		t.Errorf("a lease that another may have taken: %+v, %v, %v", l, taken, err)
	}
	// A cold start knows it too.
	again := p.start("a")
	if err := again.MayAct(t.Context(), account); app.CodeOf(err) != app.CodeUnavailable {
		t.Errorf("a cold start acts: %v", err)
	}
	// The other takes over; what was claimed here arrives, and the lease is lost.
	p.later(time.Second)
	p.up(b)
	theirs := p.lease(b, "b")
	if theirs.Epoch <= l.Epoch {
		t.Fatalf("%+v after %+v", theirs, l)
	}
	p.up(a)
	if _, err := a.Renew(t.Context(), l, p.clock()); app.CodeOf(err) != app.CodeConflict {
		t.Errorf("a lost lease is renewed: %v", err)
	}
	if _, err := take(t, a, l, 3); app.CodeOf(err) != app.CodeConflict {
		t.Errorf("a claim under a lost lease: %v", err)
	}
	if got, err := b.Unsettled(t.Context(), account); err != nil || len(got) != 1 {
		t.Errorf("the claim of the outage: %v, %v", got, err)
	}
}

func TestAnImpatientCallerOfTheAuditLogMakesNobodyGoToTheJournal(t *testing.T) {
	p := newPlace(t)
	j := p.start("a")
	p.up(j)
	p.proxy.hang()
	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond) // Less than the patience.
	defer cancel()
	if err := j.AddAudit(soon, store.AuditEntry{At: noon(), Kind: "user", Who: "jo", What: "bot.pause"}); err != nil {
		t.Errorf("the journal does not take it: %v", err)
	}
	if s := j.JournalState(); !s.Direct || s.Waiting != 1 {
		t.Errorf("a caller's time was over, and the journal stands as %+v", s)
	}
	p.proxy.pass()
	p.settle(j)
	if page, err := p.direct().Audit(t.Context(), store.AuditFilter{Who: "jo"}); err != nil || page.Total != 1 {
		t.Errorf("carried over: %+v, %v", page, err)
	}
}

func TestAClaimThatAnotherMadeWins(t *testing.T) {
	p := newPlace(t)
	a, b := p.start("a"), p.start("b")
	p.up(a)
	p.up(b)
	l := p.lease(a, "a")
	theirs := claim(1, noon())
	theirs.Epoch = l.Epoch
	claimed(t, p.direct(), theirs)

	stored, err := take(t, a, l, 1)
	if app.CodeOf(err) != app.CodeConflict || stored.ID != theirs.ID {
		t.Fatalf("%+v, %v", stored, err)
	}
	p.proxy.cut()
	if got, err := a.Claims(t.Context(), account, []string{"1"}); err != nil || len(got) != 1 || got[0].ID != theirs.ID {
		t.Errorf("the journal has %+v, %v", got, err)
	}

	// Made while PostgreSQL was away, and found there already when it is back.
	mine, err := take(t, a, l, 2)
	if err != nil {
		t.Fatal(err)
	}
	second := claim(2, noon())
	second.Epoch = l.Epoch
	claimed(t, p.direct(), second)
	p.up(a)
	got, err := a.Claims(t.Context(), account, []string{"2"})
	if err != nil || len(got) != 1 || got[0].ID != second.ID || got[0].ID == mine.ID {
		t.Errorf("after carrying over: %+v, %v", got, err)
	}
}

func TestTheRulesSayNoUnderTheJournalToo(t *testing.T) {
	p := newPlace(t)
	j := p.start("a")
	p.up(j)
	l := p.lease(j, "a")
	if _, err := take(t, j, l, 1); err != nil {
		t.Fatal(err)
	}
	full := app.Errorf(app.CodeConflict, "It overlaps.")
	once := func(tally app.Tally) error {
		if len(tally.Bookings) > 0 {
			return full
		}
		return nil
	}
	for _, when := range []func(){func() {}, p.proxy.cut} {
		when()
		c := claim(2, noon())
		c.Epoch = l.Epoch
		if _, err := j.Claim(t.Context(), c, once); !errors.Is(err, full) {
			t.Errorf("an overlapping claim: %v", err)
		}
		if err := j.MayAct(t.Context(), account); err != nil {
			t.Errorf("a no of the rules stopped the journal: %v", err)
		}
	}
	if s := j.JournalState(); s.Waiting != 0 {
		t.Errorf("%d entries wait", s.Waiting)
	}
}

func TestABrokenJournalStopsActingAndNotRecording(t *testing.T) {
	p := newPlace(t)
	if err := os.WriteFile(filepath.Join(p.folder, "a"), []byte("a file where the folder should be"), 0o600); err != nil {
		t.Fatal(err)
	}
	j := p.start("a")
	if _, err := j.Migrate(t.Context(), store.Up, store.Latest); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- j.Run(ctx) }()
	defer func() { cancel(); <-done }()
	j.Healthy(true)
	await(t, func() bool { return j.JournalState().Direct })
	if err := j.Save(t.Context(), record(noon(), job(1, noon()))); err != nil {
		t.Error("nothing is recorded:", err)
	}
	if err := j.MayAct(t.Context(), account); app.CodeOf(err) != app.CodeUnavailable {
		t.Errorf("acting without a journal: %v", err)
	}
	if got := j.JournalState().Broken; got.Reason != "file cannot be opened" {
		t.Errorf("%+v", got)
	}
	if all := everything(t, p.direct()); len(all.jobs) != 1 {
		t.Errorf("recorded %d jobs", len(all.jobs))
	}
	// Mended, it acts again without a restart.
	if err := os.Remove(filepath.Join(p.folder, "a")); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return j.MayAct(t.Context(), account) == nil })
}

func TestARecordThatPostgresRefusesIsSetAsideAndHoldsUpNobody(t *testing.T) {
	p := newPlace(t)
	j := p.start("a")
	p.up(j)
	p.proxy.cut()
	poison := job(1, noon())
	poison.Number = longNumber() // Longer than PostgreSQL takes into an index.
	if err := j.Save(t.Context(), record(noon(), poison)); err != nil {
		t.Fatal(err)
	}
	if err := j.Save(t.Context(), record(noon(), job(2, noon()))); err != nil {
		t.Fatal(err)
	}
	j.Healthy(false)
	p.proxy.pass()
	j.Healthy(true)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- j.Run(ctx) }()
	await(t, func() bool { s := j.JournalState(); return s.Parked == 1 && s.Waiting == 0 && s.Direct })
	cancel()
	<-done
	if s := j.JournalState(); s.Reason == "" {
		t.Errorf("%+v", s)
	}
	if all := everything(t, p.direct()); len(all.jobs) != 1 || all.jobs[0].Number != "2" {
		t.Errorf("%+v", numbers(all.jobs))
	}
}

// longNumber cannot be compressed into a page of an index.
func longNumber() string {
	var s string
	for i := range 4000 {
		s += fmt.Sprintf("%x", (i*7919)^(i*104729))
	}
	return s
}
