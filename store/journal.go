package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/atozbot/atozbot/app"
)

// JournalOptions are what a [Journaled] is told; Path, Replica and Main's own options
// aside, the zero value is complete.
type JournalOptions struct {
	// Path is the journal's SQLite file, in the data folder.
	Path string
	// Replica is this process to the others that share the database: the id that it
	// calls [Store.Here] with and holds leases under.
	Replica string
	// First is the configuration in force where nothing else is known: PostgreSQL was
	// never there.
	First app.Configuration
	// Patience is how long a claim or a save waits for PostgreSQL; 0: 250 ms.
	Patience time.Duration
	// Now replaces the clock; for tests.
	Now func() time.Time
}

// The bounds of the journal.
const (
	defaultPatience = 250 * time.Millisecond
	// leaseMargin is how long before the end of a lease acting stops where other replicas
	// are about: an act that was begun in time ends in time.
	leaseMargin = 2 * time.Second
	// seenWithin is how long a replica that ended without a word is reckoned with. Those
	// that live tell so every few seconds.
	seenWithin = 10 * time.Minute
	// mirrorEvery is how often the mirror is refreshed while PostgreSQL is healthy.
	mirrorEvery = 15 * time.Second
	// mendEvery is how often a broken journal is tried again.
	mendEvery = time.Second
)

// mode is where the records are kept at the moment.
type mode int

const (
	// modeAway: PostgreSQL is not there, or was not yet. Everything goes to the journal.
	modeAway mode = iota
	// modeDraining: PostgreSQL is there, and earlier entries still wait.
	modeDraining
	// modeDirect: nothing waits. Everything goes to the journal and to PostgreSQL at once.
	modeDirect
	// modeFallback: the SQLite file is the database until the next start.
	modeFallback
)

// Journaled is the records on a PostgreSQL that may be away. Every step is first stored
// in the journal, a SQLite file on this machine that is synced before an act; then in
// PostgreSQL, where that answers in time. What it does not take in time waits in the
// journal and is carried over in order when it is back. All steps are the same once or
// twice, so an end in between, or half-way through carrying over, does no harm.
//
// The journal also mirrors what deciding needs: the configuration, unsettled claims,
// bookings, the session, the jobs on the board, the lease, and which replicas there are.
//
// The methods that bot.Records names never wait for a hung PostgreSQL longer than the
// patience. The others are those of the PostgreSQL store itself, and fail with
// CodeUnavailable while it is away.
type Journaled struct {
	*Store // PostgreSQL, for everything that is not said anew here.

	there   *Store // The same, by the name that tells it from the journal.
	journal *Store
	o       JournalOptions
	log     *slog.Logger
	wake    chan struct{}

	opening sync.Mutex // Held while the journal's file is made ready.
	opened  bool

	// draining is held while one entry is carried over.
	draining sync.Mutex

	mu       sync.Mutex
	mode     mode
	healthy  bool                // The keeper's word.
	inHand   map[string]struct{} // Entries that a save of this moment carries over itself.
	acked    []string            // Entries that PostgreSQL has, still to be dropped.
	broken   error               // Why the newest write to the journal failed; nil where it did not.
	mirrored time.Time           // When the mirror was last refreshed; zero where there is none.
	others   bool                // Another replica has been about, as far as the mirror knows.
	leases   map[string]app.Lease
	backlog  backlog // As last counted.
	mark     string  // Of what is connected, as the mirror has it; "" where that is not known.
	changed  bool    // The mirror lacks something that has just changed.
}

// NewJournaled puts a journal beside a PostgreSQL store. It touches no file and connects
// to nothing; [Journaled.Run] does. The journal's file is made ready with the first use.
func NewJournaled(main *Store, o JournalOptions) (*Journaled, error) {
	if o.Patience <= 0 {
		o.Patience = defaultPatience
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	journal, err := Open("sqlite:"+o.Path, Options{Logger: main.options.Logger, Timeout: main.options.Timeout})
	if err != nil {
		return nil, err
	}
	journal.base().mirrorOnly = true
	return &Journaled{
		Store: main, there: main, journal: journal, o: o, log: main.options.Logger, wake: make(chan struct{}, 1),
		inHand: make(map[string]struct{}), leases: make(map[string]app.Lease),
	}, nil
}

// Healthy is the keeper's word on PostgreSQL: true once it answers and is migrated, and
// whenever it does so again. It never blocks.
func (j *Journaled) Healthy(healthy bool) {
	j.mu.Lock()
	if j.mode != modeFallback {
		switch {
		case !healthy:
			j.mode = modeAway
		case !j.healthy || j.mode == modeAway:
			j.mode = modeDraining
		}
	}
	j.healthy = healthy
	j.mu.Unlock()
	j.poke()
}

func (j *Journaled) poke() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// MirrorChanged says that something that deciding needs was changed past the journal,
// the configuration for instance: the mirror is refreshed at once. It never blocks.
func (j *Journaled) MirrorChanged() {
	j.mu.Lock()
	j.changed = true
	j.mu.Unlock()
	j.poke()
}

// JournalState is how the journal stands, from memory.
type JournalState struct {
	Waiting int64     // Steps that wait to be carried over.
	Parked  int64     // Steps that PostgreSQL refused for what they hold; kept, and told.
	Oldest  time.Time // Since when the oldest waits; zero where none does.
	Reason  string    // Why the newest parked one was refused.
	Direct  bool      // PostgreSQL takes everything at once.
	// Fallback says that the SQLite file is the database until the next start.
	Fallback bool
	// Mirrored is when the mirror was last refreshed; zero where there is none.
	Mirrored time.Time
	// Broken says why nothing can be written to the journal; the zero value where it can.
	Broken Trouble
	// Path of the file, and the folder that must have room.
	Path, Folder string
}

// JournalState gives how the journal stands. It never waits.
func (j *Journaled) JournalState() JournalState {
	j.mu.Lock()
	defer j.mu.Unlock()
	waiting := max(0, j.backlog.waiting-int64(len(j.acked)))
	s := JournalState{
		Waiting: waiting, Parked: j.backlog.parked, Oldest: j.backlog.oldest, Reason: j.backlog.reason,
		Direct: j.mode == modeDirect, Fallback: j.mode == modeFallback, Mirrored: j.mirrored,
		Broken: Classify(j.broken), Path: j.o.Path, Folder: filepath.Dir(j.o.Path),
	}
	if waiting == 0 {
		s.Oldest = time.Time{}
	}
	return s
}

// ready opens the journal's file, where that is not done yet: it is looked through after
// an unclean end, brought up to date, and asked what it knows. It goes on when the caller
// does not wait for it any more, since whoever comes next needs it too.
func (j *Journaled) ready(ctx context.Context) error {
	j.opening.Lock()
	defer j.opening.Unlock()
	return j.openOnce(ctx)
}

// readyNow is ready for those who never wait for somebody else's opening.
func (j *Journaled) readyNow(ctx context.Context) error {
	if !j.opening.TryLock() {
		return &app.Error{Code: app.CodeUnavailable, Message: "The journal is being opened.", RetryAfter: mendEvery}
	}
	defer j.opening.Unlock()
	return j.openOnce(ctx)
}

// openOnce is called with the lock on opening.
func (j *Journaled) openOnce(ctx context.Context) error {
	if j.opened {
		return nil
	}
	err := j.openJournal(context.WithoutCancel(ctx))
	j.noteJournal(err)
	if err != nil {
		return &app.Error{Code: app.CodeUnavailable, Message: "the journal cannot be used: " + Classify(err).Reason, RetryAfter: mendEvery, Err: err}
	}
	j.opened = true
	return nil
}

func (j *Journaled) openJournal(ctx context.Context) error {
	checked, err := j.journal.CheckAfterCrash(ctx)
	if err != nil {
		return err
	}
	if checked {
		j.log.InfoContext(ctx, "the last process did not end in order; the journal was looked through and is whole")
	}
	if _, err := j.journal.Migrate(ctx, Up, Latest); err != nil {
		return fmt.Errorf("migrate the journal: %w", err)
	}
	if n, err := j.journal.unpark(ctx); err != nil {
		return err
	} else if n > 0 {
		j.log.InfoContext(ctx, "records that PostgreSQL refused are tried again, since this may be a newer version", "records", n)
	}
	if err := j.recount(ctx); err != nil {
		return err
	}
	known, err := j.journal.knownMirror(ctx, j.o.Replica)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.mirrored, j.others, j.mark = known.at, known.others, ""
	for _, l := range known.leases {
		j.leases[l.AccountID] = l
	}
	return nil
}

// recount counts what waits.
func (j *Journaled) recount(ctx context.Context) error {
	b, err := j.journal.backlog(ctx)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.backlog = b
	return nil
}

// noteJournal remembers how the newest write to the journal went.
func (j *Journaled) noteJournal(err error) {
	j.mu.Lock()
	before := j.broken
	j.broken = err
	j.mu.Unlock()
	switch {
	case err != nil && before == nil:
		j.log.Error("the journal cannot be written to: nothing is accepted or rejected until it can", "reason", Classify(err).Reason, "error", err)
	case err == nil && before != nil:
		j.log.Info("the journal can be written to again")
	}
}

// ill notes that PostgreSQL did not answer in time: everything goes straight to the
// journal until the keeper says that it is healthy, or carrying over works again.
func (j *Journaled) ill(err error) {
	j.mu.Lock()
	was := j.mode
	if j.mode == modeDirect || j.mode == modeDraining {
		j.mode = modeAway
	}
	j.mu.Unlock()
	if was == modeDirect {
		j.log.Warn("PostgreSQL did not answer in time; records go to the journal until it does", "reason", Classify(err).Reason)
	}
	j.poke()
}

// current is the mode at this moment.
func (j *Journaled) current() mode {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.mode
}

// Fallback makes the journal's file the database, until the next start: everything that
// this store is asked goes there from now on, what is written is kept to be carried over,
// and PostgreSQL is not asked any more.
func (j *Journaled) Fallback(ctx context.Context) error {
	if err := j.ready(ctx); err != nil {
		return err
	}
	if err := j.journal.Recount(ctx); err != nil {
		return err
	}
	away := j.there.base()
	on := j.journal.base()
	j.mu.Lock()
	on.keepEntries, on.mirrorOnly = true, false
	j.mode = modeFallback
	j.there.on.Store(on)
	j.mu.Unlock()
	return away.pools.close()
}

// Close ends the use of both. What PostgreSQL has is dropped from the journal; what waits
// is carried over with the next start.
func (j *Journaled) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), j.journal.options.Timeout)
	defer cancel()
	var err error
	j.opening.Lock()
	opened := j.opened
	j.opening.Unlock()
	if opened {
		err = j.dropAcked(ctx)
	}
	fallback := j.current() == modeFallback
	closeErr := j.journal.Close()
	if !fallback {
		closeErr = errors.Join(closeErr, j.there.Close())
	}
	return errors.Join(err, closeErr)
}
