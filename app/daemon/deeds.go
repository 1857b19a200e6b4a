package daemon

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/store"
)

// botDeeds are the events of the bot that are deeds of its own, or ends of them, in the
// words of the audit log. What people have it do stands there under their names.
func botDeeds() map[string]string {
	return map[string]string{
		app.EventJobAccepted: "job.accepted", app.EventJobRejected: "job.rejected", app.EventJobLost: "job.lost", app.EventJobRefused: "job.refused",
		app.EventJobUnknown: "job.unknown", app.EventJobFailed: "job.failed", app.EventJobVanished: "job.vanished",
		app.EventBotStarted: "session.started", app.EventBotStopped: "session.stopped", app.EventBotError: "session.error",
		app.EventLoginSuccess: "portal.logged-in", app.EventLoginFailed: "portal.log-in-failed",
		app.EventBreakerTrip: "breaker.open", app.EventBreakerClosed: "breaker.closed", app.EventCapReached: "limit.reached",
	}
}

const (
	// patienceAudit is how long one entry may take.
	patienceAudit = 2 * time.Second
	// auditAgain is when it is tried again, where the records could not take it.
	auditAgain = time.Second
	// mostDeeds bounds how many entries wait in memory.
	mostDeeds = 10_000
)

// deeds writes what the bot did to the audit log, in order and beside its work: no claim
// waits for the audit log, and an entry that could not be written is not lost by that.
type deeds struct {
	add  func(ctx context.Context, e store.AuditEntry) error
	log  *slog.Logger
	more chan struct{}

	mu      sync.Mutex
	waiting []store.AuditEntry
}

func newDeeds(add func(context.Context, store.AuditEntry) error, log *slog.Logger) *deeds {
	return &deeds{add: add, log: log, more: make(chan struct{}, 1)}
}

// note takes in what the bot did with a step that is stored. It never waits. An entry has
// the event's key: a step that is stored twice is noted once.
func (d *deeds) note(step app.Record) {
	known := botDeeds()
	for _, e := range step.Events {
		what, deed := known[e.Type]
		if !deed {
			continue
		}
		var about struct {
			JobRef  string `json:"job_ref"`
			Rule    string `json:"rule"`
			Reason  string `json:"reason"`
			Message string `json:"message"`
		}
		if json.Unmarshal(e.Data, &about) != nil {
			continue
		}
		after, err := json.Marshal(map[string]string{"message": about.Message, "rule": about.Rule, "reason": about.Reason})
		if err != nil {
			continue
		}
		d.queue(store.AuditEntry{
			ID: e.Key, At: e.At, Kind: "bot", Who: "bot", WhoID: e.SessionID, What: what, Subject: strings.TrimSpace(about.JobRef), After: string(after),
		})
	}
}

func (d *deeds) queue(e store.AuditEntry) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.waiting) >= mostDeeds {
		d.log.Warn("the audit log cannot be written, and no more can wait", "what", e.What, "subject", e.Subject)
		return
	}
	d.waiting = append(d.waiting, e)
	select {
	case d.more <- struct{}{}:
	default:
	}
}

// first gives the entry that has waited longest.
func (d *deeds) first() (store.AuditEntry, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.waiting) == 0 {
		d.waiting = nil
		return store.AuditEntry{}, false
	}
	return d.waiting[0], true
}

// write writes what waits, and tells false where that is to be tried again.
func (d *deeds) write(ctx context.Context) bool {
	for {
		e, some := d.first()
		if !some {
			return true
		}
		bounded, cancel := context.WithTimeout(ctx, patienceAudit)
		err := d.add(bounded, e)
		over := bounded.Err() != nil
		cancel()
		if err != nil && (over || app.CodeOf(err) == app.CodeUnavailable) {
			return false
		}
		if err != nil {
			d.log.Error("the audit log refused an entry", "what", e.What, "subject", e.Subject, "error", err)
		}
		d.mu.Lock()
		d.waiting = d.waiting[1:]
		d.mu.Unlock()
	}
}

// run writes until ctx ends; then it tries once more.
func (d *deeds) run(ctx context.Context) error {
	for ctx.Err() == nil {
		var again <-chan time.Time
		if !d.write(ctx) {
			again = time.After(auditAgain)
		}
		select {
		case <-ctx.Done():
		case <-d.more:
		case <-again:
		}
	}
	if !d.write(context.WithoutCancel(ctx)) {
		d.log.Warn("the last deeds of the bot could not be written to the audit log")
	}
	return nil
}
