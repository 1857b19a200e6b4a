package daemon

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/store"
)

// slowAudit is an audit log that takes its time, and may be away.
type slowAudit struct {
	mu     sync.Mutex
	away   bool
	stored []string
}

func (a *slowAudit) add(_ context.Context, e store.AuditEntry) error {
	time.Sleep(time.Second)
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.away:
		return app.Errorf(app.CodeUnavailable, "the database is away")
	case e.Subject == "refused":
		return app.Errorf(app.CodeInternal, "the database refused it")
	}
	a.stored = append(a.stored, e.Subject)
	return nil
}

func (a *slowAudit) become(away bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.away = away
}

func (a *slowAudit) holds(t *testing.T, want ...string) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if !slices.Equal(a.stored, want) {
		t.Errorf("the audit log holds %q and not %q", a.stored, want)
	}
}

func TestTheBotWaitsForNoAuditLogAndLosesNoEntry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &slowAudit{away: true}
		d := newDeeds(log.add, slog.New(slog.DiscardHandler))
		ctx, end := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- d.run(ctx) }()
		did := func(refs ...string) {
			began := time.Now()
			for _, ref := range refs {
				data, err := json.Marshal(map[string]string{"job_ref": ref})
				if err != nil {
					t.Fatal(err)
				}
				d.note(app.Record{Events: []app.Event{{Type: app.EventJobAccepted, Data: data}, {Type: app.EventJobSeen, Data: data}}})
			}
			if waited := time.Since(began); waited != 0 {
				t.Errorf("the bot waited %s", waited)
			}
		}
		did("1", "refused", "2")
		time.Sleep(10 * time.Second)
		log.holds(t)
		log.become(false)
		time.Sleep(10 * time.Second)
		log.holds(t, "1", "2")
		did("3")
		end()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		log.holds(t, "1", "2", "3")
	})
}
