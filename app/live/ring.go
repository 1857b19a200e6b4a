package live

import "sort"

// entry is one message in the order in which this process told it.
type entry struct {
	seq     int64 // Grows by one with every entry of this process.
	told    int64 // The sequence at which the same event was told without an id; 0 where it was not.
	message *Message
}

// ring holds the newest entries, so that those who join, resume or lag a little need
// not ask the database.
type ring struct {
	entries []entry
	head    int64 // The sequence of the newest entry; 0 while there is none.
	// floorID is such that every event with a greater id, as far as the hub has read, is
	// in the ring.
	floorID int64
}

func newRing(size int) *ring { return &ring{entries: make([]entry, size)} }

// add appends m and forgets the oldest entry when the ring is full.
func (r *ring) add(m *Message, told int64) int64 {
	r.head++
	slot := &r.entries[r.head%int64(len(r.entries))]
	if slot.message != nil && slot.message.ID > r.floorID {
		r.floorID = slot.message.ID
	}
	*slot = entry{seq: r.head, told: told, message: m}
	return r.head
}

// oldest is the sequence of the oldest entry that is still held.
func (r *ring) oldest() int64 {
	return max(1, r.head-int64(len(r.entries))+1)
}

// holds says whether no entry after seq was forgotten.
func (r *ring) holds(seq int64) bool { return seq+1 >= r.oldest() }

// after calls yield for every entry after seq, oldest first.
func (r *ring) after(seq int64, yield func(entry)) {
	for s := max(seq+1, r.oldest()); s <= r.head; s++ {
		yield(r.entries[s%int64(len(r.entries))])
	}
}

// toldKeys remembers at which sequence events were told without an id, by their key.
// It holds a bounded number: an outage that tells more than that forgets the oldest.
type toldKeys struct {
	at    map[string]int64
	order []string
	limit int
}

func newToldKeys(limit int) *toldKeys {
	return &toldKeys{at: map[string]int64{}, limit: limit}
}

func (t *toldKeys) has(key string) bool {
	_, ok := t.at[key]
	return ok
}

func (t *toldKeys) put(key string, seq int64) {
	if key == "" {
		return
	}
	if len(t.order) >= t.limit {
		// A tenth at a time, so that the slice is not moved for every key.
		gone := max(1, t.limit/10)
		for _, k := range t.order[:gone] {
			delete(t.at, k)
		}
		t.order = append([]string(nil), t.order[gone:]...)
	}
	t.at[key] = seq
	t.order = append(t.order, key)
}

// seq gives the sequence at which key was told; 0 where it was not.
func (t *toldKeys) seq(key string) int64 { return t.at[key] }

// recentKeys remembers which events reached this process with an id, so that what
// another replica tells late, without one, is not told again.
type recentKeys struct {
	keys map[string]struct{}
	ring []string
	next int
}

func newRecentKeys(size int) *recentKeys {
	return &recentKeys{keys: make(map[string]struct{}, size), ring: make([]string, size)}
}

func (r *recentKeys) put(key string) {
	if key == "" {
		return
	}
	delete(r.keys, r.ring[r.next])
	r.ring[r.next] = key
	r.keys[key] = struct{}{}
	r.next = (r.next + 1) % len(r.ring)
}

func (r *recentKeys) has(key string) bool {
	_, ok := r.keys[key]
	return ok
}

// sortByID puts events read from the table into the order of their ids, which a store
// gives anyway: the hub depends on it too much to take it on trust.
func sortByID[T any](events []T, id func(T) int64) {
	less := func(i, j int) bool { return id(events[i]) < id(events[j]) }
	if !sort.SliceIsSorted(events, less) {
		sort.Slice(events, less)
	}
}
