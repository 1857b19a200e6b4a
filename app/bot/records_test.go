package bot_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/atozbot/atozbot/app"
)

// Records kept in memory, which outlive the bots of a test as a database does.

type fakeRecords struct {
	mu       sync.Mutex
	config   app.Configuration
	sessions map[string]app.Session
	jobs     map[string]app.JobRecord
	claims   map[string]app.Claim // By number and act.
	decided  []app.Decision
	events   []app.Event
	logs     []app.LogEntry
	saves    int
	busy     []app.Booking // Of busy calendars.

	lease     app.Lease
	madeGood  bool // The next renewal gives the lease another epoch.
	leaseTime time.Duration

	saveFails  error // While set, nothing is saved,
	claimFails error // nothing is claimed,
	mayAct     error // nothing may be acted on,
	readFails  error // and nothing can be read.
	slow       time.Duration
	claimTakes time.Duration // And no more than that the first claim does.
	refuse     string        // A language that is not saved.
	wishes     []app.Wish
}

func newFakeRecords() *fakeRecords {
	c := app.DefaultConfiguration()
	c.Version = 1
	c.Mode = app.ModeLive
	c.CheckIntervalSeconds = 1
	return &fakeRecords{
		config: c, sessions: map[string]app.Session{}, jobs: map[string]app.JobRecord{}, claims: map[string]app.Claim{},
		leaseTime: 10 * time.Second,
	}
}

func (r *fakeRecords) pause(ctx context.Context) error {
	r.mu.Lock()
	slow := r.slow
	r.mu.Unlock()
	if slow == 0 {
		return ctx.Err()
	}
	select {
	case <-time.After(slow):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *fakeRecords) change(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

// configure saves a new version of the configuration.
func (r *fakeRecords) configure(f func(*app.Configuration)) {
	r.change(func() {
		f(&r.config)
		r.config.Version++
	})
}

func (r *fakeRecords) job(number string) app.JobRecord {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.jobs[number]
}

func (r *fakeRecords) claimOf(number string, act app.Act) app.Claim {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.claims[number+" "+string(act)]
}

func (r *fakeRecords) saved() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.saves
}

func (r *fakeRecords) session(id string) app.Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sessions[id]
}

// told gives the events of a kind.
func (r *fakeRecords) told(kind string) []app.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []app.Event
	for _, e := range r.events {
		if e.Type == kind {
			found = append(found, e)
		}
	}
	return found
}

func (r *fakeRecords) logged(words string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.logs, func(l app.LogEntry) bool { return strings.Contains(l.Message, words) })
}

func (r *fakeRecords) Configuration(ctx context.Context, _ string) (app.Configuration, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.config, r.readFails
}

func (r *fakeRecords) Resumable(ctx context.Context, account string) (*app.Session, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.readFails != nil {
		return nil, r.readFails
	}
	var newest *app.Session
	for _, s := range r.sessions {
		ended := s.Status == app.SessionStopped || s.Status == app.SessionError
		if (!ended || s.Interrupted) && (newest == nil || s.StartedAt.After(newest.StartedAt)) {
			newest = &s
		}
	}
	return newest, nil
}

func (r *fakeRecords) Unsettled(ctx context.Context, account string) ([]app.Claim, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var open []app.Claim
	for _, c := range r.claims {
		if !c.Settled() {
			open = append(open, c)
		}
	}
	return open, r.readFails
}

func (r *fakeRecords) Jobs(ctx context.Context, account string, numbers []string) (map[string]app.JobRecord, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := map[string]app.JobRecord{}
	for _, n := range numbers {
		if j, ok := r.jobs[n]; ok {
			found[n] = j
		}
	}
	return found, r.readFails
}

func (r *fakeRecords) Claims(ctx context.Context, account string, numbers []string) ([]app.Claim, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []app.Claim
	for _, c := range r.claims {
		if slices.Contains(numbers, c.Number) {
			found = append(found, c)
		}
	}
	return found, r.readFails
}

func (r *fakeRecords) Watched(ctx context.Context, account string, from time.Time) ([]app.JobRecord, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []app.JobRecord
	for _, j := range r.jobs {
		if j.Status == app.JobAccepted && j.VanishedAt.IsZero() && (j.EndsAt.IsZero() || j.EndsAt.After(from)) {
			found = append(found, j)
		}
	}
	return found, r.readFails
}

func (r *fakeRecords) Tally(ctx context.Context, account, session string, from time.Time) (app.Tally, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tally(session), r.readFails
}

func (r *fakeRecords) tally(session string) app.Tally {
	t := app.Tally{Bookings: slices.Clone(r.busy)}
	for _, c := range r.claims {
		open := !c.Settled()
		switch {
		case c.Act == app.ActReject && (open || c.Outcome == app.OutcomeRejected) && c.SessionID == session:
			t.Rejected++
		case c.Act == app.ActAccept && (open || c.Outcome == app.OutcomeAccepted):
			if c.SessionID == session {
				t.Session++
			}
			if r.jobs[c.Number].VanishedAt.IsZero() {
				t.Bookings = append(t.Bookings, app.Booking{
					Number: c.Number, Label: c.Ref, JobType: c.JobType, StartsAt: c.StartsAt, EndsAt: c.EndsAt, Firm: true,
				})
			}
		}
	}
	slices.SortFunc(t.Bookings, func(a, b app.Booking) int { return strings.Compare(a.Number, b.Number) })
	return t
}

func (r *fakeRecords) Claim(ctx context.Context, c app.Claim, check func(app.Tally) error) (app.Claim, error) {
	if err := r.pause(ctx); err != nil {
		return app.Claim{}, err
	}
	r.mu.Lock()
	takes := r.claimTakes
	r.claimTakes = 0
	r.mu.Unlock()
	<-time.After(takes)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.claimFails != nil {
		return app.Claim{}, r.claimFails
	}
	key := c.Number + " " + string(c.Act)
	if stored, ok := r.claims[key]; ok {
		if stored.ID != c.ID || stored.Attempt >= c.Attempt || stored.Version >= c.Version || stored.Outcome == app.OutcomeAccepted {
			return stored, app.Errorf(app.CodeConflict, "claimed already")
		}
		delete(r.claims, key) // So that its next attempt is not counted beside it.
		defer func() {
			if _, kept := r.claims[key]; !kept {
				r.claims[key] = stored
			}
		}()
	}
	if r.lease.Epoch != c.Epoch {
		return app.Claim{}, app.Errorf(app.CodeConflict, "the lease is lost")
	}
	if err := check(r.tally(c.SessionID)); err != nil {
		return app.Claim{}, err
	}
	r.claims[key] = c
	return c, nil
}

func (r *fakeRecords) Save(ctx context.Context, rec app.Record) error {
	if err := r.pause(ctx); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.saveFails != nil {
		return r.saveFails
	}
	for _, j := range rec.Jobs {
		if r.refuse != "" && j.Language == r.refuse {
			return app.Errorf(app.CodeInternal, "what language is that?")
		}
	}
	r.saves++
	if s := rec.Session; s != nil && s.Version >= r.sessions[s.ID].Version {
		r.sessions[s.ID] = *s
	}
	for _, j := range rec.Jobs {
		if j.Version >= r.jobs[j.Number].Version {
			r.jobs[j.Number] = j
		}
	}
	for _, c := range rec.Claims {
		key := c.Number + " " + string(c.Act)
		if c.Version >= r.claims[key].Version {
			r.claims[key] = c
		}
	}
	r.decided = append(r.decided, rec.Decisions...)
	r.events = append(r.events, rec.Events...)
	r.logs = append(r.logs, rec.Logs...)
	return nil
}

func (r *fakeRecords) MayAct(ctx context.Context, account string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mayAct
}

func (r *fakeRecords) Acquire(ctx context.Context, account, holder string, now time.Time) (app.Lease, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.readFails != nil {
		return app.Lease{}, false, r.readFails
	}
	if r.lease.Holder != "" && r.lease.Holder != holder && r.lease.ExpiresAt.After(now) {
		return r.lease, false, nil
	}
	r.lease = app.Lease{AccountID: account, Holder: holder, Epoch: r.lease.Epoch + 1, ExpiresAt: now.Add(r.leaseTime)}
	return r.lease, true, nil
}

func (r *fakeRecords) Renew(ctx context.Context, l app.Lease, now time.Time) (app.Lease, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.readFails != nil {
		return app.Lease{}, r.readFails
	}
	if r.lease.Epoch != l.Epoch {
		return app.Lease{}, app.Errorf(app.CodeConflict, "the lease is lost")
	}
	if r.madeGood { // As a journal does with a lease taken while the database was away.
		r.madeGood = false
		r.lease.Epoch++
	}
	r.lease.ExpiresAt = now.Add(r.leaseTime)
	return r.lease, nil
}

func (r *fakeRecords) Release(ctx context.Context, l app.Lease) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lease.Epoch == l.Epoch {
		r.lease.Holder = ""
	}
	return nil
}

func (r *fakeRecords) Wishes(ctx context.Context, account string) ([]app.Wish, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.wishes), nil
}

func (r *fakeRecords) Wish(ctx context.Context, w app.Wish) error {
	r.change(func() { r.wishes = append(r.wishes, w) })
	return nil
}

func (r *fakeRecords) Granted(ctx context.Context, w app.Wish) error {
	r.change(func() { r.wishes = slices.DeleteFunc(r.wishes, func(o app.Wish) bool { return o.ID == w.ID }) })
	return nil
}

var errAway = &app.Error{Code: app.CodeUnavailable, Message: "the database is away", Err: errors.New("connection refused")}

// survive gives the same records to the next process, and cuts the last one off, as a
// crash does: nothing that it still does reaches them.
func (r *fakeRecords) survive() *fakeRecords {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := &fakeRecords{
		config: r.config, sessions: r.sessions, jobs: r.jobs, claims: r.claims, decided: r.decided, events: r.events,
		logs: r.logs, saves: r.saves, busy: r.busy, lease: r.lease, leaseTime: r.leaseTime, wishes: r.wishes,
	}
	r.sessions, r.jobs, r.claims = map[string]app.Session{}, map[string]app.JobRecord{}, map[string]app.Claim{}
	r.saveFails, r.claimFails, r.readFails = errAway, errAway, errAway
	return next
}
