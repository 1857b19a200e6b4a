package practice

import (
	"container/heap"
	"time"
)

// event is something that will happen by itself.
type event struct {
	at     time.Time
	turn   int // Of events at one moment, the one that was planned first comes first.
	happen func(at time.Time)
}

// timeline holds what will happen, the soonest first.
type timeline struct {
	events events
	turn   int
}

// plan adds an event.
func (t *timeline) plan(at time.Time, happen func(at time.Time)) {
	t.turn++
	heap.Push(&t.events, event{at: at, turn: t.turn, happen: happen})
}

// next tells when something happens next, if anything does.
func (t *timeline) next() (time.Time, bool) {
	if len(t.events) == 0 {
		return time.Time{}, false
	}
	return t.events[0].at, true
}

// due takes out the first event that is not after now.
func (t *timeline) due(now time.Time) (event, bool) {
	if len(t.events) == 0 || t.events[0].at.After(now) {
		return event{}, false
	}
	return heap.Pop(&t.events).(event), true
}

// events is a heap by time and turn.
type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, k int) bool {
	if e[i].at.Equal(e[k].at) {
		return e[i].turn < e[k].turn
	}
	return e[i].at.Before(e[k].at)
}
func (e events) Swap(i, k int) { e[i], e[k] = e[k], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	old := *e
	last := old[len(old)-1]
	old[len(old)-1] = event{}
	*e = old[:len(old)-1]
	return last
}
