package live_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/live"
)

// table is the events of a database that can go away.
type table struct {
	mu     sync.Mutex
	events []app.Event
	away   bool
	reads  int
}

var errAway = errors.New("the database is away")

func (t *table) EventsAfter(_ context.Context, id int64, limit int) ([]app.Event, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reads++
	if t.away {
		return nil, errAway
	}
	var found []app.Event
	for _, e := range t.events {
		if e.ID > id && len(found) < limit {
			found = append(found, e)
		}
	}
	return found, nil
}

func (t *table) LatestEventID(context.Context) (int64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.away {
		return 0, errAway
	}
	if len(t.events) == 0 {
		return 0, nil
	}
	return t.events[len(t.events)-1].ID, nil
}

// commit stores an event under key and gives its id.
func (t *table) commit(key string) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	id := int64(len(t.events) + 1)
	t.events = append(t.events, event(key, id))
	return id
}

func (t *table) goAway(away bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.away = away
}

func event(key string, id int64) app.Event {
	return app.Event{ID: id, Key: key, Type: app.EventJobSeen, At: time.Unix(1_800_000_000, 0), Data: json.RawMessage(`{"key":` + strconv.Quote(key) + `}`)}
}

// run runs a hub until the test or stop ends it.
func run(t *testing.T, o live.Options) (hub *live.Hub, stop func()) {
	t.Helper()
	hub = live.New(o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = hub.Run(ctx)
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	t.Cleanup(stop)
	return hub, stop
}

func listen(t *testing.T, hub *live.Hub, after int64) *live.Listener {
	t.Helper()
	l, err := hub.Listen(after)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// keys reads from l until there is nothing more for a while, and gives the keys of the
// events, with their ids where they have one: "a#1".
func keys(t *testing.T, l *live.Listener) []string {
	t.Helper()
	got := []string{}
	for {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		messages, err := l.Next(ctx)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			return got
		}
		if err != nil {
			t.Fatalf("the listener ended with %v, after %v", err, got)
		}
		for _, m := range messages {
			if m.Silent || m.Type == app.EventStatusUpdate {
				continue
			}
			got = append(got, label(t, m))
		}
	}
}

func label(t *testing.T, m *live.Message) string {
	t.Helper()
	var envelope struct {
		Type      string
		Timestamp string
		ID        *int64
		Data      struct{ Key string }
	}
	if err := json.Unmarshal(m.Envelope, &envelope); err != nil {
		t.Fatalf("the envelope %s is no JSON: %v", m.Envelope, err)
	}
	if envelope.ID == nil {
		return envelope.Data.Key
	}
	return fmt.Sprintf("%s#%d", envelope.Data.Key, *envelope.ID)
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s got %v, want %v", what, got, want)
	}
}

func TestEveryoneIsToldWhatIsCommitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &table{}
		db.commit("before")
		hub, stop := run(t, live.Options{Store: db})
		synctest.Wait()
		one, two := listen(t, hub, live.FromNow), listen(t, hub, live.FromNow)
		db.commit("a")
		db.commit("b")
		hub.Committed()
		same(t, "the first listener", keys(t, one), "a#2", "b#3")
		same(t, "the second listener", keys(t, two), "a#2", "b#3")
		stop()
	})
}

func TestACommitThatNobodyTellsOfIsFoundWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &table{}
		hub, stop := run(t, live.Options{Store: db})
		synctest.Wait()
		l := listen(t, hub, live.FromNow)
		began := time.Now()
		db.commit("a")
		for {
			messages, err := l.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if messages[len(messages)-1].ID == 1 {
				break
			}
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("it took %v, want a second at most", took)
		}
		stop()
	})
}

func TestResumingLeavesNoGapAndGivesNothingTwice(t *testing.T) {
	for _, c := range []struct {
		name string
		ring int
	}{
		{"out of memory", 64},
		{"out of the table, where memory has forgotten", 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db := &table{}
				hub, stop := run(t, live.Options{Store: db, Ring: c.ring})
				synctest.Wait()
				var want []string
				for i := 1; i <= 20; i++ {
					id := db.commit("e" + strconv.Itoa(i))
					if id > 5 {
						want = append(want, fmt.Sprintf("e%d#%d", i, id))
					}
				}
				hub.Committed()
				synctest.Wait()
				same(t, "resuming after 5", keys(t, listen(t, hub, 5)), want...)
				same(t, "resuming after the last", keys(t, listen(t, hub, 20)))
				stop()
			})
		})
	}
}

func TestResumingOverARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &table{}
		_, stop := run(t, live.Options{Store: db})
		synctest.Wait()
		db.commit("a")
		stop()
		db.commit("b")
		hub, stop := run(t, live.Options{Store: db})
		l := listen(t, hub, 0) // Before the new hub knows anything.
		db.commit("c")
		same(t, "resuming after the restart", keys(t, l), "a#1", "b#2", "c#3")
		stop()
	})
}

func TestWhatIsToldWithoutTheDatabaseComesAtOnceAndOnlyOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &table{}
		hub, stop := run(t, live.Options{Store: db})
		synctest.Wait()
		there := listen(t, hub, live.FromNow)
		db.goAway(true)
		hub.Tell(event("x", 0), event("y", 0))
		same(t, "who was there, during the outage", keys(t, there), "x", "y")

		later := listen(t, hub, live.FromNow)
		resumed := listen(t, hub, 0)
		hub.Tell(event("z", 0))
		same(t, "who came during the outage", keys(t, later), "z")
		same(t, "who resumed during the outage", keys(t, resumed), "z")

		db.goAway(false)
		for _, key := range []string{"x", "y", "z", "new"} {
			db.commit(key)
		}
		hub.Committed()
		same(t, "who was there, after the outage", keys(t, there), "z", "new#4")
		same(t, "who came during the outage, after it", keys(t, later), "x#1", "y#2", "new#4")
		same(t, "who resumed during the outage, after it", keys(t, resumed), "x#1", "y#2", "new#4")
		same(t, "who comes after it and wants all", keys(t, listen(t, hub, 0)), "x#1", "y#2", "z#3", "new#4")
		if there.LastID() != 4 {
			t.Errorf("who was there resumes after %d, want 4", there.LastID())
		}
		stop()
	})
}

func TestADatabaseThatIsAwayAtStartIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &table{away: true}
		db.commit("old")
		hub, stop := run(t, live.Options{Store: db})
		l, resumed := listen(t, hub, live.FromNow), listen(t, hub, 0)
		hub.Tell(event("x", 0))
		same(t, "who listens from now on", keys(t, l), "x")
		db.goAway(false)
		same(t, "who resumes", keys(t, resumed), "x", "old#1")
		db.commit("x")
		db.commit("new")
		same(t, "who listens from now on, later", keys(t, l), "new#3")
		same(t, "who resumed, later", keys(t, resumed), "new#3")
		stop()
	})
}

func TestAnIDOfAnotherDatabaseIsPutRight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &table{}
		hub, stop := run(t, live.Options{Store: db})
		synctest.Wait()
		l := listen(t, hub, 9999)
		same(t, "who resumes after an id that never was", keys(t, l))
		db.commit("a")
		same(t, "the same", keys(t, l), "a#1")
		stop()
	})
}

func TestASlowListenerIsLetGoAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &table{}
		hub, stop := run(t, live.Options{Store: db, Ring: 4})
		synctest.Wait()
		l := listen(t, hub, live.FromNow)
		same(t, "at first", keys(t, l))
		for i := range 10 {
			db.commit("e" + strconv.Itoa(i))
		}
		hub.Committed()
		synctest.Wait()
		if _, err := l.Next(t.Context()); !errors.Is(err, live.ErrSlow) {
			t.Fatalf("Next gives %v, want ErrSlow", err)
		}
		if hub.Dropped() != 1 {
			t.Errorf("%d were let go, want 1", hub.Dropped())
		}
		if got := keys(t, listen(t, hub, l.LastID())); len(got) != 10 {
			t.Errorf("who comes back gets %v, want all ten", got)
		}
		stop()
	})
}

func TestTheSnapshotComesFirstAndOnEveryChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		status := `{"status":"stopped"}`
		hub, stop := run(t, live.Options{
			Store:   &table{},
			Status:  func() json.RawMessage { mu.Lock(); defer mu.Unlock(); return json.RawMessage(status) },
			Metrics: func(context.Context) (json.RawMessage, error) { return json.RawMessage(`{"total_jobs_today":4}`), nil },
		})
		time.Sleep(5 * time.Second) // Within the bubble's own time: the figures are there.
		l := listen(t, hub, live.FromNow)
		first := snapshot(t, l)
		if first.Data.BotStatus.Status != "stopped" || first.Data.DashboardMetrics.TotalJobsToday != 4 || first.ID != nil {
			t.Errorf("the snapshot on connecting is %+v", first)
		}
		mu.Lock()
		status = `{"status":"running"}`
		mu.Unlock()
		hub.Changed()
		if next := snapshot(t, l); next.Data.BotStatus.Status != "running" {
			t.Errorf("the snapshot after the change is %+v", next)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if messages, err := l.Next(ctx); err == nil {
			t.Errorf("nothing changed, and %s came", messages[0].Envelope)
		}
		stop()
	})
}

type statusUpdate struct {
	Type string
	ID   *int64
	Data struct {
		Timestamp        time.Time
		BotStatus        struct{ Status string } `json:"bot_status"`
		DashboardMetrics struct {
			TotalJobsToday int64 `json:"total_jobs_today"`
		} `json:"dashboard_metrics"`
	}
}

func snapshot(t *testing.T, l *live.Listener) statusUpdate {
	t.Helper()
	messages, err := l.Next(t.Context())
	if err != nil || len(messages) != 1 || messages[0].Type != app.EventStatusUpdate {
		t.Fatalf("got %v, %v; want a snapshot", messages, err)
	}
	var s statusUpdate
	if err := json.Unmarshal(messages[0].Envelope, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestListenersAreLetGoWhenTheServerStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, stop := run(t, live.Options{Store: &table{}})
		l := listen(t, hub, live.FromNow)
		same(t, "at first", keys(t, l))
		stop()
		if _, err := l.Next(t.Context()); !errors.Is(err, live.ErrClosed) {
			t.Errorf("Next gives %v, want ErrClosed", err)
		}
	})
}

func TestTooManyListenersAreRefused(t *testing.T) {
	hub := live.New(live.Options{Store: &table{}, MaxListeners: 1})
	l, err := hub.Listen(live.FromNow)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hub.Listen(live.FromNow); app.CodeOf(err) != app.CodeUnavailable {
		t.Errorf("a second listener gets %v, want unavailable", err)
	}
	l.Close()
	if _, err := hub.Listen(live.FromNow); err != nil {
		t.Errorf("after one has left, a second listener gets %v", err)
	}
}

func TestDataThatAreNoJSONBreakNobodysStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, stop := run(t, live.Options{Store: &table{}})
		synctest.Wait()
		l := listen(t, hub, live.FromNow)
		hub.Tell(app.Event{Key: "k", Type: "a\n\"b", Data: json.RawMessage("{\n\"key\": \"ok\"\r\n}")}, app.Event{Key: "l", Type: "x", Data: json.RawMessage("{")})
		same(t, "the listener", keys(t, l), "ok", "")
		stop()
	})
}

func TestWhatWasToldOnceIsNotToldAgainByAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &table{}
		hub, stop := run(t, live.Options{Store: db})
		synctest.Wait()
		l := listen(t, hub, live.FromNow)
		db.commit("stored")
		hub.Committed()
		synctest.Wait()
		hub.Tell(event("stored", 0)) // As a replica does whose own write seemed to fail.
		hub.Tell(event("x", 0))
		hub.Tell(event("x", 0))
		same(t, "the listener", keys(t, l), "stored#1", "x")
		stop()
	})
}

func TestTheFiguresAreThereAsSoonAsTheDatabaseIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &table{away: true}
		hub, stop := run(t, live.Options{
			Store: db,
			Metrics: func(context.Context) (json.RawMessage, error) {
				if _, err := db.LatestEventID(t.Context()); err != nil {
					return nil, err
				}
				return json.RawMessage(`{"total_jobs_today":4}`), nil
			},
		})
		time.Sleep(2500 * time.Millisecond) // The bubble's own time, between two tries.
		db.goAway(false)
		hub.Committed()
		time.Sleep(400 * time.Millisecond)
		if first := snapshot(t, listen(t, hub, live.FromNow)); first.Data.DashboardMetrics.TotalJobsToday != 4 {
			t.Errorf("the snapshot on connecting is %+v", first)
		}
		stop()
	})
}

func TestTheFirstWhoListensFindsTheFiguresToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := live.New(live.Options{
			Store:   &table{},
			Metrics: func(context.Context) (json.RawMessage, error) { return json.RawMessage(`{"total_jobs_today":4}`), nil },
		})
		if first := snapshot(t, listen(t, hub, live.FromNow)); first.Data.DashboardMetrics.TotalJobsToday != 4 {
			t.Errorf("the snapshot on connecting is %+v", first)
		}
		hung := live.New(live.Options{
			Store:   &table{},
			Metrics: func(ctx context.Context) (json.RawMessage, error) { <-ctx.Done(); return nil, ctx.Err() },
		})
		began := time.Now()
		for range 100 {
			snapshot(t, listen(t, hung, live.FromNow))
		}
		if waited := time.Since(began); waited > time.Second {
			t.Errorf("a database that hangs holds up the snapshot for %v", waited)
		}
	})
}
