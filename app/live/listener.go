package live

import (
	"context"
	"time"

	"github.com/atozbot/atozbot/app"
)

// FromNow is the place to listen from for those who resume nothing.
const FromNow int64 = -1

// Listener is one who watches. It belongs to one goroutine.
//
// A listener keeps its own place and fetches: the hub never waits for it and holds no
// queue of its own for it, so a slow one costs the others nothing. What it may lag is
// bounded by the ring of recent messages; who lags more is let go with [ErrSlow].
type Listener struct {
	hub      *Hub
	lastID   int64 // The greatest id it has got, or has no need of; FromNow while nothing is known.
	seq      int64 // What stands in the ring up to here was looked at.
	joined   int64 // The newest entry when it joined.
	behind   bool  // It has to read the table before it can follow the ring.
	snapshot int64 // The snapshot that it has.
}

// Listen begins to listen: after the event with the given id, or from now on with
// [FromNow]. The first message is always the snapshot. *app.Error CodeUnavailable where
// too many listen already. The listener must be closed.
func (h *Hub) Listen(after int64) (*Listener, error) {
	if h.listeners.Add(1) > int64(h.o.MaxListeners) {
		h.listeners.Add(-1)
		return nil, &app.Error{
			Code:       app.CodeUnavailable,
			Message:    "Too many listeners are connected to this server; try again in a moment.",
			RetryAfter: 5 * time.Second,
		}
	}
	h.figure()
	h.refreshSnapshot()
	h.mu.RLock()
	defer h.mu.RUnlock()
	l := &Listener{hub: h, lastID: after, seq: h.ring.head, joined: h.ring.head, behind: true}
	if after < 0 && h.positioned {
		l.lastID, l.behind = h.last, false
	}
	return l, nil
}

// Close ends listening.
func (l *Listener) Close() { l.hub.listeners.Add(-1) }

// TooSlow notes that the listener is let go because what it is told does not leave in
// time. The listener must still be closed.
func (l *Listener) TooSlow() { l.hub.dropped.Add(1) }

// LastID is the id after which this listener would resume; negative while none is known.
func (l *Listener) LastID() int64 { return l.lastID }

// Next waits for the next messages and gives them in order. The error is that of ctx,
// [ErrSlow] or [ErrClosed].
func (l *Listener) Next(ctx context.Context) ([]*Message, error) {
	h := l.hub
	for {
		h.mu.RLock()
		changed := h.changed
		batch, err := l.collect()
		ask := l.behind && h.readable && h.positioned
		h.mu.RUnlock()
		if err != nil {
			h.dropped.Add(1)
			return nil, err
		}
		failed := false
		if ask {
			more, err := l.catchUp(ctx)
			batch = append(batch, more...)
			failed = err != nil
			if !failed && len(batch) == 0 {
				continue // Caught up with nothing to tell: now the ring is to be followed.
			}
		}
		if len(batch) > 0 {
			return batch, nil
		}
		if err := l.await(ctx, changed, failed); err != nil {
			return nil, err
		}
	}
}

// await waits until something changed. After a failed read of the table it also wakes
// by itself, since the hub may not have noticed any failure.
func (l *Listener) await(ctx context.Context, changed <-chan struct{}, failed bool) error {
	var again <-chan time.Time
	if failed {
		timer := time.NewTimer(l.hub.o.Poll)
		defer timer.Stop()
		again = timer.C
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-l.hub.closed:
		return ErrClosed
	case <-changed:
	case <-again:
	}
	return nil
}

// collect takes what memory has for this listener. The caller holds the hub's lock.
func (l *Listener) collect() ([]*Message, error) {
	h := l.hub
	var batch []*Message
	if h.snapshots != l.snapshot {
		l.snapshot = h.snapshots
		batch = append(batch, h.snapshot)
	}
	if !h.ring.holds(l.seq) {
		return nil, ErrSlow
	}
	if l.behind {
		if l.canFollow() {
			return l.follow(batch), nil
		}
		h.ring.after(l.seq, func(e entry) {
			if e.message.ID == 0 {
				batch = append(batch, e.message)
			}
		})
		l.seq = h.ring.head
		return batch, nil
	}
	h.ring.after(l.seq, func(e entry) {
		if m := l.take(e.message, e.told); m != nil {
			batch = append(batch, m)
		}
	})
	l.seq = h.ring.head
	return batch, nil
}

// canFollow says whether the ring has everything after the listener's last id. An id
// that is ahead of the hub may be one that another replica has told, or one of another
// database: then the table has to say.
func (l *Listener) canFollow() bool {
	h := l.hub
	if !h.positioned {
		return false
	}
	if l.lastID < 0 {
		l.lastID = h.start
	}
	return l.lastID >= h.ring.floorID && l.lastID <= h.last
}

// follow joins the ring: everything in it after the listener's last id, and what came
// without an id since it was last looked at. The caller holds the hub's lock.
func (l *Listener) follow(batch []*Message) []*Message {
	h := l.hub
	h.ring.after(0, func(e entry) {
		if e.message.ID == 0 && e.seq <= l.seq {
			return
		}
		if m := l.take(e.message, e.told); m != nil {
			batch = append(batch, m)
		}
	})
	l.seq = h.ring.head
	l.behind = false
	return batch
}

// take gives m as this listener is to get it, or nil where it has it already. told is
// the sequence at which the same event went out without an id.
func (l *Listener) take(m *Message, told int64) *Message {
	if m.ID == 0 {
		return m
	}
	if m.ID <= l.lastID {
		return nil
	}
	l.lastID = m.ID
	if told > l.joined {
		return &Message{ID: m.ID, Type: m.Type, Silent: true}
	}
	return m
}

// catchUp reads one batch from the table, and joins the ring when nothing is left.
func (l *Listener) catchUp(ctx context.Context) ([]*Message, error) {
	h := l.hub
	select {
	case h.readers <- struct{}{}:
		defer func() { <-h.readers }()
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-h.closed:
		return nil, ErrClosed
	}
	ctx, cancel := context.WithTimeout(ctx, h.o.ReadTimeout)
	defer cancel()

	if err := l.comeBack(ctx); err != nil {
		return nil, err
	}
	events, err := h.o.Store.EventsAfter(ctx, l.lastID, readBatch)
	if err != nil {
		return nil, err
	}
	sortByID(events, func(e app.Event) int64 { return e.ID })
	messages := newMessages(events)

	h.mu.RLock()
	defer h.mu.RUnlock()
	var batch []*Message
	for i, e := range events {
		if m := l.take(messages[i], h.told.seq(e.Key)); m != nil {
			batch = append(batch, m)
		}
	}
	if len(events) < readBatch && l.lastID >= h.ring.floorID && h.ring.holds(l.seq) {
		batch = l.follow(batch)
	}
	return batch, nil
}

// comeBack mends the place of a listener whose last id the table does not have: it
// listened to another database, or to this one before it was restored.
func (l *Listener) comeBack(ctx context.Context) error {
	l.hub.mu.RLock()
	ahead := l.lastID > l.hub.last
	l.hub.mu.RUnlock()
	if !ahead {
		return nil
	}
	latest, err := l.hub.o.Store.LatestEventID(ctx)
	if err != nil {
		return err
	}
	l.lastID = min(l.lastID, latest)
	return nil
}
