package bot

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/atozbot/atozbot/app"
)

// Bounds of the ledger.
const (
	patienceOfSave = 5 * time.Second        // For one save, which is meant to take 250 ms at most.
	firstRetry     = 100 * time.Millisecond // After a save that failed; doubled up to lastRetry.
	lastRetry      = 2 * time.Second
	poisonTries    = 5    // Tries of a record that the records refuse, before others go first.
	foldAbove      = 2000 // Records that wait one by one; above, the oldest are folded into one.
	actUpTo        = 500  // With more waiting nothing is posted any more.
)

// ledger stores the bot's steps in order, in a goroutine of its own, so that recording
// never delays an act. A step that cannot be stored is kept and tried again; nothing is
// lost while the process lives.
type ledger struct {
	records Records
	log     *slog.Logger
	wake    chan struct{} // Something was added.
	retry   chan struct{} // Somebody is in a hurry.

	mu      sync.Mutex // Held for moments, never over a save.
	queue   []app.Record
	added   int64 // Steps ever added.
	stored  int64 // Steps ever stored; folded ones count as what they were.
	weights []int64
	change  chan struct{} // Closed and made anew whenever something was stored.
	failing string        // Why the last save failed; "" where it did not.
}

func newLedger(records Records, log *slog.Logger) *ledger {
	return &ledger{records: records, log: log, wake: make(chan struct{}, 1), retry: make(chan struct{}, 1), change: make(chan struct{})}
}

// add puts a step at the end of the queue.
func (l *ledger) add(r app.Record) {
	l.mu.Lock()
	l.queue = append(l.queue, r)
	l.weights = append(l.weights, 1)
	l.added++
	if len(l.queue) > foldAbove {
		l.fold()
	}
	l.mu.Unlock()
	signal(l.wake)
}

// hurry has a save that failed tried again now.
func (l *ledger) hurry() { signal(l.retry) }

// signal leaves a sign in a channel that holds one; two say no more than one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// wait returns when everything added so far is stored, or when ctx ends.
func (l *ledger) wait(ctx context.Context) error {
	l.mu.Lock()
	upTo := l.added
	l.mu.Unlock()
	for {
		l.mu.Lock()
		stored, change := l.stored, l.change
		l.mu.Unlock()
		if stored >= upTo {
			return nil
		}
		select {
		case <-change:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// waiting tells how many steps are not stored yet.
func (l *ledger) waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int(l.added - l.stored)
}

// trouble says why the last save failed; "" where it did not.
func (l *ledger) trouble() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failing
}

// run stores until ctx ends.
func (l *ledger) run(ctx context.Context) {
	for {
		head, ok := l.head()
		if !ok {
			select {
			case <-l.wake:
				continue
			case <-ctx.Done():
				return
			}
		}
		if !l.store(ctx, head) {
			return
		}
	}
}

func (l *ledger) head() (app.Record, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == 0 {
		return app.Record{}, false
	}
	return l.queue[0], true
}

// store tries until the record is stored, has to let others go first, or ctx ends, of
// which it tells the last by false.
func (l *ledger) store(ctx context.Context, head app.Record) bool {
	pause := firstRetry
	for try := 1; ; try++ {
		err := l.save(ctx, head)
		if err == nil {
			l.drop(head)
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		l.failed(err, try)
		if try >= poisonTries && app.CodeOf(err) != app.CodeUnavailable && l.moveBack(head) {
			return true
		}
		if !l.rest(ctx, pause) {
			return false
		}
		pause = min(2*pause, lastRetry)
	}
}

func (l *ledger) save(ctx context.Context, r app.Record) error {
	limited, cancel := context.WithTimeout(ctx, patienceOfSave)
	defer cancel()
	return l.records.Save(limited, r)
}

func (l *ledger) rest(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.retry:
		return true
	case <-ctx.Done():
		return false
	}
}

func (l *ledger) failed(err error, try int) {
	l.mu.Lock()
	l.failing = err.Error()
	waiting := len(l.queue)
	l.mu.Unlock()
	if try == 1 {
		l.log.Warn("a step could not be recorded; it is kept and tried again", "error", err, "waiting", waiting)
	}
}

// drop takes the stored head out of the queue. Folding may have put other steps into it
// in the meantime; then it stays, and is stored once more with what it holds now.
func (l *ledger) drop(head app.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failing = ""
	if len(l.queue) == 0 || l.queue[0].ID != head.ID {
		return
	}
	l.stored += l.weights[0]
	l.queue[0] = app.Record{}
	l.queue = l.queue[1:]
	l.weights = l.weights[1:]
	close(l.change)
	l.change = make(chan struct{})
}

// moveBack lets the others go first, where there are any: a record that is refused for
// what it holds must not keep the rest from being stored. Versions keep the rows right.
func (l *ledger) moveBack(head app.Record) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) < 2 || l.queue[0].ID != head.ID {
		return false
	}
	weight := l.weights[0]
	l.queue = append(l.queue[1:], head)
	l.weights = append(l.weights[1:], weight)
	return true
}

// fold makes one record of the older half: the newest state of every row, and the
// events and log lines. The queue is so long only where the records have been away for
// hours, and then memory has to stay bounded by the rows, not by the looks.
func (l *ledger) fold() {
	n := oneSession(l.queue[:len(l.queue)/2])
	if n < 2 {
		return
	}
	weight := int64(0)
	for _, w := range l.weights[:n] {
		weight += w
	}
	l.queue = append([]app.Record{foldRecords(l.queue[:n])}, l.queue[n:]...)
	l.weights = append([]int64{weight}, l.weights[n:]...)
}

// oneSession tells how many of the first records speak of one session at most, since a
// record holds no more than one.
func oneSession(records []app.Record) int {
	id := ""
	for i, r := range records {
		if r.Session == nil {
			continue
		}
		if id != "" && r.Session.ID != id {
			return i
		}
		id = r.Session.ID
	}
	return len(records)
}

// keptLines bounds what a folded record keeps of events and log lines.
const keptLines = 20_000

func foldRecords(records []app.Record) app.Record {
	last := records[len(records)-1]
	out := app.Record{ID: app.NewID(last.At), AccountID: last.AccountID, At: last.At}
	var jobs newest[app.JobRecord]
	var claims newest[app.Claim]
	for _, r := range records {
		if r.Session != nil {
			out.Session = r.Session
		}
		for _, j := range r.Jobs {
			jobs.put(j.Number, j.Version, j)
		}
		for _, c := range r.Claims {
			claims.put(c.ID, c.Version, c)
		}
		out.Decisions = append(out.Decisions, r.Decisions...)
		out.Events = append(out.Events, r.Events...)
		out.Logs = append(out.Logs, r.Logs...)
	}
	out.Jobs = jobs.values()
	out.Claims = claims.values()
	out.Decisions = tail(out.Decisions, keptLines)
	out.Events = tail(out.Events, keptLines)
	out.Logs = tail(out.Logs, keptLines)
	return out
}

// newest keeps the newest version of each row, in the order in which they came first.
type newest[T any] struct {
	at    map[string]int
	order []version[T]
}

type version[T any] struct {
	number int64
	row    T
}

func (n *newest[T]) put(key string, number int64, row T) {
	if n.at == nil {
		n.at = map[string]int{}
	}
	i, seen := n.at[key]
	if !seen {
		n.at[key] = len(n.order)
		n.order = append(n.order, version[T]{number, row})
		return
	}
	if number >= n.order[i].number {
		n.order[i] = version[T]{number, row}
	}
}

func (n *newest[T]) values() []T {
	rows := make([]T, len(n.order))
	for i, v := range n.order {
		rows[i] = v.row
	}
	return rows
}

func tail[T any](rows []T, keep int) []T {
	return rows[max(0, len(rows)-keep):]
}
