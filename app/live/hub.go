package live

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/atozbot/atozbot/app"
)

// Store is what the hub reads of the records.
type Store interface {
	// EventsAfter gives at most limit events with an id greater than id, the least first.
	EventsAfter(ctx context.Context, id int64, limit int) ([]app.Event, error)
	// LatestEventID gives the greatest id; 0 where there is no event yet.
	LatestEventID(ctx context.Context) (int64, error)
}

// Bus carries messages to the other replicas and from them. Losing it loses nothing:
// the table is looked at once a second anyway.
type Bus interface {
	Publish(ctx context.Context, message []byte) error
	// Subscribe calls got with each message until ctx ends or the connection breaks.
	Subscribe(ctx context.Context, got func(message []byte)) error
}

// Options are what a [Hub] needs. Store is required.
type Options struct {
	Store Store
	Bus   Bus    // nil: this process is alone.
	From  string // The replica's id: what comes back from the bus under it is its own.

	// Status gives the bot's status as JSON. It is asked often and must only look at memory.
	Status func() json.RawMessage
	// Metrics gives the dashboard's figures as JSON; it may ask the database.
	Metrics func(ctx context.Context) (json.RawMessage, error)

	Now func() time.Time
	Log *slog.Logger

	Poll         time.Duration // How often the table is looked at without being told to; 1 s where 0.
	ReadTimeout  time.Duration // The longest that one read of the table may take; 2 s where 0.
	Ring         int           // How many recent messages are kept; 8192 where 0.
	MaxListeners int           // 5000 where 0.
}

const (
	defaultPoll         = time.Second
	defaultReadTimeout  = 2 * time.Second
	defaultRing         = 8192
	defaultMaxListeners = 5000
	toldLimit           = 100_000
	recentLimit         = 16_384
	readBatch           = 500
	// statusPause is the least time between two snapshots, so that a bot that looks five
	// times a second does not cost every phone five messages a second and more.
	statusPause = 200 * time.Millisecond
	// metricsEvery is how often the figures are asked for although nothing happened:
	// "today" ends at midnight, and the uptime grows.
	metricsEvery = 10 * time.Second
	// firstFigures is how long the first who listen may wait for the first figures.
	firstFigures = 250 * time.Millisecond
	// catchUpReaders bounds how many listeners read the table at one time, so that a
	// thousand of them coming back do not take every connection of the pool.
	catchUpReaders = 4
)

// Hub tells every listener what happened, in the order of the table. Make it with [New]
// and run it with [Hub.Run]; everything else may be called from any goroutine, before
// and while it runs.
type Hub struct {
	o         Options
	wakeRead  chan struct{}
	wakeState chan struct{}
	wakeFigs  chan struct{}
	wakePeers chan struct{}
	outbox    chan []byte
	readers   chan struct{}
	closed    chan struct{}

	listeners atomic.Int64
	dropped   atomic.Int64

	figuring     sync.Mutex // Held while the first figures are asked for.
	unfigured    time.Time  // When they could not be had; figuring is held for it.
	snapshotting sync.Mutex // Held while a snapshot is made, so that an older one never replaces a newer.

	mu         sync.RWMutex
	ring       *ring
	told       *toldKeys
	recent     *recentKeys
	last       int64 // The greatest id read from the table.
	positioned bool  // Whether last is known.
	start      int64 // last when it became known.
	readable   bool  // Whether the newest read of the table went well.
	changed    chan struct{}
	snapshot   *Message
	snapshots  int64           // Grows with every new snapshot.
	metrics    json.RawMessage // The newest figures; nil while there are none.
	shown      json.RawMessage // The figures in the snapshot.
	status     json.RawMessage // The status in the snapshot.
}

// New makes a hub. It reads nothing before [Hub.Run].
func New(o Options) *Hub {
	if o.Poll <= 0 {
		o.Poll = defaultPoll
	}
	if o.ReadTimeout <= 0 {
		o.ReadTimeout = defaultReadTimeout
	}
	if o.Ring <= 0 {
		o.Ring = defaultRing
	}
	if o.MaxListeners <= 0 {
		o.MaxListeners = defaultMaxListeners
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	h := &Hub{
		o:         o,
		wakeRead:  make(chan struct{}, 1),
		wakeState: make(chan struct{}, 1),
		wakeFigs:  make(chan struct{}, 1),
		wakePeers: make(chan struct{}, 1),
		outbox:    make(chan []byte, 256),
		readers:   make(chan struct{}, catchUpReaders),
		closed:    make(chan struct{}),
		ring:      newRing(o.Ring),
		told:      newToldKeys(toldLimit),
		recent:    newRecentKeys(recentLimit),
		changed:   make(chan struct{}),
	}
	h.refreshSnapshot()
	return h
}

// Run reads and tells until ctx ends; then every listener is let go. It returns when
// all that it started has ended. It is to be called once.
func (h *Hub) Run(ctx context.Context) error {
	defer close(h.closed)
	var wg sync.WaitGroup
	wg.Go(func() { h.readLoop(ctx) })
	wg.Go(func() { h.statusLoop(ctx) })
	if h.o.Metrics != nil {
		wg.Go(func() { h.metricsLoop(ctx) })
	}
	if h.o.Bus != nil {
		wg.Go(func() { h.publishLoop(ctx) })
		wg.Go(func() { h.subscribeLoop(ctx) })
	}
	wg.Wait()
	return nil
}

// Committed says that this process committed events: they are read and told at once,
// here and at the other replicas.
func (h *Hub) Committed() {
	poke(h.wakeRead)
	poke(h.wakePeers)
}

// Tell tells events that could not be stored in the database yet, at once and without an
// id. When they reach the table later under the same key, those who were told are not
// told again.
func (h *Hub) Tell(events ...app.Event) {
	fresh := h.tell(slices.Clone(events))
	if h.o.Bus == nil {
		return
	}
	for _, e := range fresh {
		if b, err := json.Marshal(note{From: h.o.From, Event: &e}); err == nil {
			select {
			case h.outbox <- b:
			default: // The bus is away and the queue is full: the others read the table later.
			}
		}
	}
}

// Changed says that the bot's status may have changed.
func (h *Hub) Changed() { poke(h.wakeState) }

// Listeners gives how many are listening now.
func (h *Hub) Listeners() int { return int(h.listeners.Load()) }

// Dropped gives how many listeners were let go because they were too slow.
func (h *Hub) Dropped() int64 { return h.dropped.Load() }

// LastID gives the id of the newest event that was told; 0 where none was.
func (h *Hub) LastID() int64 {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.last
}

// Snapshot gives the newest snapshot, as a listener gets it.
func (h *Hub) Snapshot() *Message {
	h.refreshSnapshot()
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.snapshot
}

// poke wakes a loop that waits for c; one that is awake already looks once more.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// readLoop reads the table whenever it is woken, and once every Poll.
func (h *Hub) readLoop(ctx context.Context) {
	for {
		h.readAll(ctx)
		timer := time.NewTimer(h.o.Poll)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-h.wakeRead:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// readAll reads until nothing is left, and tells what it read.
func (h *Hub) readAll(ctx context.Context) {
	for ctx.Err() == nil {
		more, err := h.readOnce(ctx)
		h.setReadable(ctx, err)
		if err != nil || !more {
			return
		}
	}
}

// readOnce reads one batch; more says that there may be another.
func (h *Hub) readOnce(ctx context.Context) (more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, h.o.ReadTimeout)
	defer cancel()

	h.mu.RLock()
	positioned, last := h.positioned, h.last
	h.mu.RUnlock()
	if !positioned {
		last, err = h.o.Store.LatestEventID(ctx)
		if err != nil {
			return false, err
		}
		h.mu.Lock()
		h.positioned, h.last, h.start, h.ring.floorID = true, last, last, last
		h.announce()
		h.mu.Unlock()
		poke(h.wakeFigs) // The database is there: now there are figures.
	}

	events, err := h.o.Store.EventsAfter(ctx, last, readBatch)
	if err != nil {
		return false, err
	}
	if len(events) == 0 {
		return false, nil
	}
	sortByID(events, func(e app.Event) int64 { return e.ID })
	messages := newMessages(events) // Before the lock: nobody waits for it.
	h.mu.Lock()
	for i, e := range events {
		h.ring.add(messages[i], h.told.seq(e.Key))
		h.recent.put(e.Key)
		h.last = e.ID
	}
	h.announce()
	h.mu.Unlock()
	poke(h.wakeState)
	poke(h.wakeFigs)
	return len(events) >= readBatch, nil
}

// setReadable notes how the newest read went. Listeners that wait for the table are
// woken when it is back.
func (h *Hub) setReadable(ctx context.Context, err error) {
	readable := err == nil
	h.mu.Lock()
	was := h.readable
	h.readable = readable
	if readable && !was {
		h.announce()
	}
	h.mu.Unlock()
	if was && !readable && ctx.Err() == nil {
		h.o.Log.Warn("live: the events cannot be read; new ones go out without an id", "error", err)
	}
}

// tell appends events without an id and gives those that were new.
func (h *Hub) tell(events []app.Event) []app.Event {
	fresh := make([]app.Event, 0, len(events))
	for i := range events {
		events[i].ID = 0
	}
	messages := newMessages(events)
	h.mu.Lock()
	for i, e := range events {
		if e.Key != "" && (h.told.has(e.Key) || h.recent.has(e.Key)) {
			continue
		}
		seq := h.ring.add(messages[i], 0)
		h.told.put(e.Key, seq)
		fresh = append(fresh, e)
	}
	if len(fresh) > 0 {
		h.announce()
	}
	h.mu.Unlock()
	if len(fresh) > 0 {
		poke(h.wakeState)
	}
	return fresh
}

// announce wakes every listener. The caller holds the lock.
func (h *Hub) announce() {
	close(h.changed)
	h.changed = make(chan struct{})
}

// statusLoop makes a new snapshot when the bot's status changed, and never more often
// than every statusPause.
func (h *Hub) statusLoop(ctx context.Context) {
	for {
		h.refreshSnapshot()
		if !wait(ctx, statusPause) {
			return
		}
		timer := time.NewTimer(h.o.Poll)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-h.wakeState:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// refreshSnapshot makes a new snapshot where status or figures differ from the last.
func (h *Hub) refreshSnapshot() {
	h.snapshotting.Lock()
	defer h.snapshotting.Unlock()
	status := json.RawMessage("{}")
	if h.o.Status != nil {
		status = h.o.Status()
	}
	now := h.o.Now()

	h.mu.Lock()
	defer h.mu.Unlock()
	figures := h.metrics
	if figures == nil {
		figures = json.RawMessage("null")
	}
	if h.snapshot != nil && bytes.Equal(status, h.status) && bytes.Equal(figures, h.shown) {
		return
	}
	h.status = status
	data := make([]byte, 0, len(status)+len(figures)+96)
	data = append(data, `{"timestamp":"`...)
	data = now.UTC().AppendFormat(data, timestampLayout)
	data = append(data, `","bot_status":`...)
	data = append(data, status...)
	data = append(data, `,"dashboard_metrics":`...)
	data = append(data, figures...)
	data = append(data, '}')
	h.snapshot = &Message{
		Type:     app.EventStatusUpdate,
		Envelope: envelope(app.EventStatusUpdate, data, now, 0),
	}
	h.shown = figures
	h.snapshots++
	h.announce()
}

// metricsLoop keeps the figures of the snapshot fresh: after events, and now and then.
// A database that hangs holds up the figures and nothing else.
func (h *Hub) metricsLoop(ctx context.Context) {
	for {
		pause := metricsEvery
		if !h.refreshMetrics(ctx) {
			pause = h.o.Poll // Those who come meanwhile get none.
		} else if !wait(ctx, h.o.Poll) {
			return
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-h.wakeFigs:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// figure sees to it that who listens now finds figures in the snapshot, also in the first
// moments of a server, where they can be had.
func (h *Hub) figure() {
	if h.o.Metrics == nil || h.figured() {
		return
	}
	h.figuring.Lock()
	defer h.figuring.Unlock()
	if h.figured() || time.Since(h.unfigured) < h.o.Poll {
		return // Whoever came before has them, or has just found that they cannot be had.
	}
	ctx, cancel := context.WithTimeout(context.Background(), firstFigures)
	defer cancel()
	if !h.refreshMetrics(ctx) {
		h.unfigured = time.Now()
	}
}

func (h *Hub) figured() bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.metrics != nil
}

// refreshMetrics says whether the figures could be had.
func (h *Hub) refreshMetrics(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, h.o.ReadTimeout)
	defer cancel()
	figures, err := h.o.Metrics(ctx)
	if err != nil {
		return false // Those of before stay: they are better than none, and the page says how old they are.
	}
	h.mu.Lock()
	h.metrics = figures
	h.mu.Unlock()
	poke(h.wakeState)
	return true
}

// wait waits for d; false where ctx ended first.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// ErrSlow is what a listener gets that could not keep up. It may come back and resume.
var ErrSlow = errors.New("live: the listener was too slow")

// ErrClosed is what a listener gets when the hub has ended.
var ErrClosed = errors.New("live: the server is stopping")
