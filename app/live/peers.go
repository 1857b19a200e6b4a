package live

import (
	"context"
	"encoding/json"
	"time"

	"github.com/atozbot/atozbot/app"
)

// note is what replicas tell each other: that events were committed, or an event that
// could not be.
type note struct {
	From  string     `json:"from"`
	Event *app.Event `json:"event,omitempty"`
}

const (
	publishTimeout  = 2 * time.Second
	resubscribeMin  = 100 * time.Millisecond
	resubscribeMax  = 5 * time.Second
	subscribedWell  = 10 * time.Second
	maxPeerNoteSize = 1 << 20
)

// publishLoop tells the other replicas. What cannot be told is forgotten: they look at
// the table once a second.
func (h *Hub) publishLoop(ctx context.Context) {
	wake, err := json.Marshal(note{From: h.o.From})
	if err != nil {
		return
	}
	for {
		message := wake
		select {
		case <-ctx.Done():
			return
		case <-h.wakePeers:
		case message = <-h.outbox:
		}
		ctx, cancel := context.WithTimeout(ctx, publishTimeout)
		err := h.o.Bus.Publish(ctx, message)
		cancel()
		if err != nil {
			h.o.Log.Debug("live: other replicas could not be told", "error", err)
		}
	}
}

// subscribeLoop listens to the other replicas for as long as the hub runs, and comes
// back with growing pauses when the connection breaks.
func (h *Hub) subscribeLoop(ctx context.Context) {
	pause := resubscribeMin
	for ctx.Err() == nil {
		began := h.o.Now()
		err := h.o.Bus.Subscribe(ctx, h.heard)
		if ctx.Err() != nil {
			return
		}
		h.o.Log.Debug("live: the connection to other replicas broke", "error", err)
		if h.o.Now().Sub(began) > subscribedWell {
			pause = resubscribeMin
		}
		if !wait(ctx, pause) {
			return
		}
		pause = min(2*pause, resubscribeMax)
		poke(h.wakeRead) // Something may have been told while nobody listened.
	}
}

// heard takes one message of the bus.
func (h *Hub) heard(message []byte) {
	if len(message) > maxPeerNoteSize {
		return
	}
	var n note
	if err := json.Unmarshal(message, &n); err != nil || (n.From != "" && n.From == h.o.From) {
		return
	}
	if n.Event != nil {
		h.tell([]app.Event{*n.Event})
		return
	}
	poke(h.wakeRead)
}
