package live_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/live"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bus connects to the server the way the daemon does: no inner retries that would
// stretch a refusal.
func bus(t *testing.T, addr string) live.Bus {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1, DialTimeout: 200 * time.Millisecond})
	t.Cleanup(func() { _ = client.Close() })
	return live.NewRedis(client, "atozbot:events")
}

// await reads from l until it has got n events, and gives their labels.
func await(t *testing.T, l *live.Listener, n int) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var got []string
	for len(got) < n {
		messages, err := l.Next(ctx)
		if err != nil {
			t.Fatalf("after %v: %v", got, err)
		}
		for _, m := range messages {
			if !m.Silent && m.Type != app.EventStatusUpdate {
				got = append(got, label(t, m))
			}
		}
	}
	return got
}

func TestAnotherReplicaIsToldOverRedis(t *testing.T) {
	server := miniredis.RunT(t)
	db := &table{}
	// Only the bus can be what wakes them: the table is looked at once a minute.
	one, stopOne := run(t, live.Options{Store: db, Bus: bus(t, server.Addr()), From: "one", Poll: time.Minute})
	two, stopTwo := run(t, live.Options{Store: db, Bus: bus(t, server.Addr()), From: "two", Poll: time.Minute})
	defer stopOne()
	defer stopTwo()
	subscribed(t, server, 2)
	at1, at2 := listen(t, one, 0), listen(t, two, 0)
	db.commit("a")
	one.Committed()
	same(t, "the replica that committed", await(t, at1, 1), "a#1")
	same(t, "the other", await(t, at2, 1), "a#1")

	db.goAway(true)
	one.Tell(event("x", 0))
	same(t, "the replica that told", await(t, at1, 1), "x")
	same(t, "the other", await(t, at2, 1), "x")
	db.goAway(false)
	db.commit("x")
	db.commit("b")
	one.Committed()
	same(t, "the replica that told", await(t, at1, 1), "b#3")
	same(t, "the other", await(t, at2, 1), "b#3")
}

// subscribed waits until n are subscribed.
func subscribed(t *testing.T, server *miniredis.Miniredis, n int) {
	t.Helper()
	for range 500 {
		if server.PubSubNumSub("atozbot:events")["atozbot:events"] == n {
			return
		}
		select {
		case <-t.Context().Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Fatalf("%d did not subscribe", n)
}

func TestADeadRedisCostsNothingHere(t *testing.T) {
	server := miniredis.RunT(t)
	addr := server.Addr()
	db := &table{}
	hub, stop := run(t, live.Options{Store: db, Bus: bus(t, addr), From: "one", Poll: 20 * time.Millisecond})
	defer stop()
	subscribed(t, server, 1)
	l := listen(t, hub, 0)
	server.Close()
	db.commit("a")
	hub.Committed()
	same(t, "while Redis is dead", await(t, l, 1), "a#1")

	again := miniredis.NewMiniRedis()
	if err := again.StartAddr(addr); err != nil {
		t.Skipf("skipped: the address is taken: %v", err)
	}
	defer again.Close()
	subscribed(t, again, 1)
	db.commit("b")
	hub.Committed()
	same(t, "when it is back", await(t, l, 1), "b#2")
}

// TestTenThousandEventsOnceAndInOrder has listeners that drop all the time, at two
// replicas of which one is restarted again and again, while Redis dies and comes back.
func TestTenThousandEventsOnceAndInOrder(t *testing.T) {
	const events, watchers, restarts = 10_000, 12, 5
	server := miniredis.RunT(t)
	db := &table{}
	o := live.Options{Store: db, Bus: bus(t, server.Addr()), From: "steady", Ring: 256, Poll: 20 * time.Millisecond}
	steady, stop := run(t, o)
	defer stop()

	replicas := &replicas{hubs: []*live.Hub{steady, steady}}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	failures := make(chan error, watchers)
	for i := range watchers {
		wg.Go(func() {
			if err := watchAll(ctx, replicas, rand.New(rand.NewPCG(1, uint64(i))), events); err != nil {
				failures <- fmt.Errorf("watcher %d: %w", i, err)
			}
		})
	}
	for restart := range restarts {
		o := o
		o.Bus, o.From = bus(t, server.Addr()), "restarted "+strconv.Itoa(restart)
		hub, stop := run(t, o)
		replicas.put(1, hub)
		for i := range events / restarts {
			db.commit("e" + strconv.Itoa(restart*events/restarts+i+1))
			hub.Committed()
			if i == events/restarts/2 {
				server.SetError("LOADING Redis is loading the dataset in memory")
			}
		}
		server.SetError("")
		replicas.put(1, steady)
		stop()
	}
	wg.Wait()
	close(failures)
	for err := range failures {
		t.Error(err)
	}
}

type replicas struct {
	mu   sync.Mutex
	hubs []*live.Hub
}

func (r *replicas) put(i int, hub *live.Hub) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hubs[i] = hub
}

func (r *replicas) any(random *rand.Rand) *live.Hub {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.hubs[random.IntN(len(r.hubs))]
}

// watchAll listens here and there, dropping at random, until it has got every event up
// to the last. It fails at the first that is missing, doubled or out of order.
func watchAll(ctx context.Context, replicas *replicas, random *rand.Rand, last int64) error {
	got := int64(0)
	for got < last {
		l, err := replicas.any(random).Listen(got)
		if err != nil {
			return err
		}
		for range 1 + random.IntN(40) {
			messages, err := l.Next(ctx)
			if ctx.Err() != nil {
				l.Close()
				return fmt.Errorf("got no further than %d", got)
			}
			if err != nil {
				break // Too slow, or the server stopped: come back.
			}
			for _, m := range messages {
				if m.ID == 0 {
					continue
				}
				if m.ID != got+1 {
					l.Close()
					return fmt.Errorf("got %d after %d", m.ID, got)
				}
				got = m.ID
			}
			if got == last {
				break
			}
		}
		l.Close()
	}
	return nil
}

func TestTwoThousandListenersAreToldOfEveryEvent(t *testing.T) {
	const listeners, events = 2000, 50
	db := &table{}
	hub, stop := run(t, live.Options{Store: db, Poll: 20 * time.Millisecond})
	defer stop()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var wg, ready sync.WaitGroup
	wrong := make([]error, listeners)
	for i := range listeners {
		ready.Add(1)
		wg.Go(func() {
			l, err := hub.Listen(0)
			ready.Done()
			if err != nil {
				wrong[i] = err
				return
			}
			defer l.Close()
			for got := int64(0); got < events; {
				messages, err := l.Next(ctx)
				if err != nil {
					wrong[i] = err
					return
				}
				for _, m := range messages {
					if m.ID != 0 && m.ID != got+1 {
						wrong[i] = fmt.Errorf("got %d after %d", m.ID, got)
						return
					}
					got = max(got, m.ID)
				}
			}
		})
	}
	ready.Wait()
	began := time.Now()
	for i := range events {
		db.commit(strconv.Itoa(i))
		hub.Committed()
	}
	wg.Wait()
	t.Logf("%d events to %d listeners in %v", events, listeners, time.Since(began))
	if i := slices.IndexFunc(wrong, func(err error) bool { return err != nil }); i >= 0 {
		t.Errorf("listener %d: %v", i, wrong[i])
	}
}
