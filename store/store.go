package store

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/atozbot/atozbot/app"
)

// Options are what a [Store] is told at [Open]; the zero value is complete.
type Options struct {
	// Logger gets what a user of the log should know; nil: nothing is written.
	Logger *slog.Logger
	// Timeout bounds every single operation but streams, backups and migrations;
	// 0: 5 s. A shorter deadline of the caller's context wins.
	Timeout time.Duration
	// MaxConns bounds the connections to PostgreSQL; 0: 10.
	MaxConns int
	// Tell is called after a commit with the events stored by it, their ids set and
	// growing. Late says that they happened earlier and were carried over just now:
	// whoever was there has been told already, without an id. It must not block. The
	// calls are made one after the other, but those of commits at the same moment can
	// come in another order than their ids; EventsAfter is the order.
	Tell func(events []app.Event, late bool)
	// OnTrouble is called whenever an operation failed because the database cannot be
	// used, so that its keeper learns of it at once. It must not block.
	OnTrouble func(err error)
	// Away says for what reason the database cannot be used now, as far as its keeper
	// knows; "" while it can be. Meanwhile every operation fails at once, so that nobody
	// waits for what is known, and a server that comes up is not knocked at by every part
	// of the program. What the keeper itself does goes on: see [Keeping]. It must not block.
	Away func() (reason string)
	// Dial replaces the dialer to PostgreSQL; for tests.
	Dial pgconn.DialFunc
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Timeout <= 0 {
		o.Timeout = 5 * time.Second
	}
	if o.MaxConns <= 0 {
		o.MaxConns = 10
	}
	if o.Tell == nil {
		o.Tell = func([]app.Event, bool) {}
	}
	if o.OnTrouble == nil {
		o.OnTrouble = func(error) {}
	}
	if o.Away == nil {
		o.Away = func() string { return "" }
	}
	return o
}

// Store is one database. Its methods may be called from any goroutine.
type Store struct {
	options Options
	telling sync.Mutex // Tell is called by one at a time.

	// on is what the store stands on. It changes only where a fallback takes over.
	on atomic.Pointer[base]
}

// base is an opened database.
type base struct {
	dialect dialect
	pools   pools
	path    string // SQLite's file; "" for PostgreSQL.

	preparing sync.Mutex
	prepared  bool // The file is there, and its marker is set.
	marked    bool // The marker is this process's, and goes when it ends cleanly.
	unclean   bool // The marker of another process was found.

	// keepEntries says that every record is also kept as an entry to be carried over.
	keepEntries bool
	// mirrorOnly leaves out of the tables what a mirror does not need.
	mirrorOnly bool
}

func (s *Store) base() *base { return s.on.Load() }

// Open prepares a database given as `postgres://…`, `postgresql://…` or `sqlite:PATH`.
// It connects to nothing and touches no file, so that it can be called before the
// database is up. The error is an [app.Error] with CodeInvalid and holds no password.
func Open(dsn string, o Options) (*Store, error) {
	t, err := parseDSN(dsn)
	if err != nil {
		return nil, err
	}
	s := &Store{options: o.withDefaults()}
	on := &base{dialect: t.dialect, path: t.path}
	s.on.Store(on)
	if t.postgres != nil {
		on.pools = openPostgres(t.postgres, s.options)
		return s, nil
	}
	if on.pools, err = openSQLite(t.path, s.options); err != nil {
		return nil, &app.Error{Code: app.CodeInvalid, Message: "the path after sqlite: cannot be used", Err: err}
	}
	return s, nil
}

// Dialect is "postgres" or "sqlite".
func (s *Store) Dialect() string { return s.base().dialect.name }

// Path is the file of a SQLite database, and "" for PostgreSQL.
func (s *Store) Path() string { return s.base().path }

// Close gives the connections back. A SQLite file is left with an empty write-ahead
// log, and marked as cleanly left.
func (s *Store) Close() error { return s.base().close(s.options.Timeout) }

// keeping marks the contexts of the database's keeper.
type keeping struct{}

// Keeping gives a context whose operations are tried also while the database is known to
// be away: with it the keeper finds out whether it is back, and makes it fit for use.
func Keeping(ctx context.Context) context.Context { return context.WithValue(ctx, keeping{}, true) }

// away is why an operation need not be tried. A file is always there.
func (s *Store) away(ctx context.Context) error {
	if s.base().path != "" || ctx.Value(keeping{}) != nil {
		return nil
	}
	if reason := s.options.Away(); reason != "" {
		return unavailable(reason, nil)
	}
	return nil
}

// unavailable is what callers and users are told of a database that cannot be used.
func unavailable(reason string, cause error) error {
	return &app.Error{
		Code: app.CodeUnavailable, Message: "the database cannot be used now: " + reason, RetryAfter: 2 * time.Second, Err: cause,
	}
}

// Ping answers nil where the database can be written to now. The error is for
// [Classify].
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	on := s.base()
	if err := on.prepare(); err != nil {
		return err
	}
	var readOnly int
	err := on.pools.write.QueryRowContext(ctx, on.dialect.readOnly).Scan(&readOnly)
	if err != nil && s.another(ctx, err) { // A new connection tells how things are now.
		err = on.pools.write.QueryRowContext(ctx, on.dialect.readOnly).Scan(&readOnly)
	}
	if err != nil {
		return err
	}
	if readOnly != 0 {
		on.pools.reset()
		return pgconn.ErrReadOnlyConnection
	}
	on.pools.widen()
	return nil
}

// Reset makes every connection be opened anew before its next use: after a failover.
func (s *Store) Reset() { s.base().pools.reset() }

// queryer is what a pool and a transaction have in common.
type queryer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// attempts is how often a transaction or a read is begun where the cause passes.
const attempts = 3

// reading runs fn on the connections that only read, again where a dead connection or
// a changed statement was the cause, and where there is no server but one that only
// reads. What fn fills it must fill anew each time.
func (s *Store) reading(ctx context.Context, doing string, fn func(ctx context.Context, q queryer) error) error {
	if err := s.away(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	if err := s.base().prepare(); err != nil {
		return s.failed(ctx, doing, err)
	}
	var err error
	for range attempts {
		if err = fn(ctx, s.base().pools.read); err == nil || !s.another(ctx, err) {
			break
		}
	}
	if lenient := s.base().pools.lenient; err != nil && lenient != nil && reasonOf(err) == "read-only" {
		err = fn(ctx, lenient)
	}
	return s.failed(ctx, doing, err)
}

// writing runs fn in one transaction that is stored whole or not at all. It is begun
// anew where the cause passes and the commit was not asked for yet; after that nobody
// knows, and the caller learns CodeUnavailable.
func (s *Store) writing(ctx context.Context, doing string, fn func(ctx context.Context, tx *sql.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	return s.writingLong(ctx, doing, fn)
}

// writingLong is writing without a bound of its own.
func (s *Store) writingLong(ctx context.Context, doing string, fn func(ctx context.Context, tx *sql.Tx) error) error {
	if err := s.away(ctx); err != nil {
		return err
	}
	if err := s.base().prepare(); err != nil {
		return s.failed(ctx, doing, err)
	}
	var err error
	for range attempts {
		var asked bool
		asked, err = s.once(ctx, fn)
		if err == nil || asked || !s.another(ctx, err) {
			break
		}
	}
	return s.failed(ctx, doing, err)
}

// another tells whether it is worth beginning anew. Where one connection of the pool was
// dead the others are too, as a rule, and are replaced before their next use.
func (s *Store) another(ctx context.Context, err error) bool {
	if isBroken(err) {
		s.base().pools.reset()
	}
	if isFull(err) {
		s.base().pools.narrow()
		return pause(ctx, fullPause)
	}
	if _, fresh := errors.AsType[*pgconn.ConnectError](err); fresh {
		return false // A new connection was tried already: that is how things are now.
	}
	return passes(err) && ctx.Err() == nil
}

// fullPause is how long a server that has no connection left is left alone.
const fullPause = 20 * time.Millisecond

// Stats tells how the connections that write are used.
func (s *Store) Stats() sql.DBStats { return s.base().pools.write.Stats() }

// once runs one transaction, and says whether its commit was asked for.
func (s *Store) once(ctx context.Context, fn func(ctx context.Context, tx *sql.Tx) error) (asked bool, err error) {
	tx, err := s.base().pools.write.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	if err := fn(ctx, tx); err != nil {
		_ = tx.Rollback() // The cause is told; a connection that cannot roll back is dropped.
		return false, err
	}
	return true, tx.Commit()
}

// failed makes of a database's error what callers and users are told, and tells the
// keeper where the database is at fault. An [app.Error] passes as it is, and so does the
// end of the caller's own context.
func (s *Store) failed(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*app.Error](err); ok {
		return e
	}
	if errors.Is(err, context.Canceled) && errors.Is(ctx.Err(), context.Canceled) {
		return err
	}
	if isConstraint(err) {
		return &app.Error{Code: app.CodeInternal, Message: "the database refused what was to be stored", Err: wrapped(doing, err)}
	}
	if errors.Is(err, sql.ErrNoRows) {
		return &app.Error{Code: app.CodeNotFound, Message: "there is no such thing", Err: wrapped(doing, err)}
	}
	if isOurs(err) {
		return &app.Error{Code: app.CodeInternal, Message: "the database was asked something that it does not understand", Err: wrapped(doing, err)}
	}
	trouble := Classify(err)
	if trouble.Reason == "read-only" || trouble.Reason == "shutting down" {
		s.base().pools.reset()
	}
	s.options.OnTrouble(err)
	return unavailable(trouble.Reason, wrapped(doing, err))
}

func wrapped(doing string, err error) error { return &doingError{doing: doing, err: err} }

// doingError says what was being done when the database failed.
type doingError struct {
	doing string
	err   error
}

func (e *doingError) Error() string { return e.doing + ": " + e.err.Error() }
func (e *doingError) Unwrap() error { return e.err }

// tell hands stored events on, after their commit.
func (s *Store) tell(events []app.Event, late bool) {
	if len(events) == 0 {
		return
	}
	s.telling.Lock()
	defer s.telling.Unlock()
	s.options.Tell(events, late)
}
