package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	sqlite "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/atozbot/atozbot/app"
)

// dialect is everything in which the two databases differ, but for the migrations.
type dialect struct {
	name  string // As the folder of its migrations is called.
	goose goose.Dialect
	// tableExists asks whether the current schema has table $1.
	tableExists string
	// readOnly selects 1 where a transaction may not write, else 0.
	readOnly string
	// snapshot is the isolation of a transaction that sees one moment. SQLite knows no other.
	snapshot sql.IsolationLevel
}

const (
	postgresName = "postgres"
	sqliteName   = "sqlite"
)

func postgresDialect() dialect {
	return dialect{
		name:        postgresName,
		goose:       goose.DialectPostgres,
		tableExists: `SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1`,
		readOnly:    `SELECT CASE current_setting('transaction_read_only') WHEN 'on' THEN 1 ELSE 0 END`,
		snapshot:    sql.LevelRepeatableRead,
	}
}

func sqliteDialect() dialect {
	return dialect{
		name:        sqliteName,
		goose:       goose.DialectSQLite3,
		tableExists: `SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = $1`,
		readOnly:    `SELECT 0`,
	}
}

// target is what a DSN means, before anything is connected.
type target struct {
	dialect  dialect
	path     string          // SQLite's file.
	postgres *pgx.ConnConfig // PostgreSQL's addresses and log-in.
}

// parseDSN reads `postgres://…`, `postgresql://…` or `sqlite:PATH`. The error is an
// [app.Error] with CodeInvalid and never holds the DSN, which may hold a password.
func parseDSN(dsn string) (target, error) {
	switch {
	case strings.HasPrefix(dsn, "postgres://"), strings.HasPrefix(dsn, "postgresql://"):
		config, err := pgx.ParseConfig(dsn)
		if err != nil {
			return target{}, &app.Error{Code: app.CodeInvalid, Message: "the PostgreSQL address is not understood", Err: scrubbed(err, dsn)}
		}
		return target{dialect: postgresDialect(), postgres: config}, nil
	case strings.HasPrefix(dsn, "sqlite:"):
		path := strings.TrimPrefix(dsn, "sqlite:")
		if path == "" || strings.HasPrefix(path, ":memory:") {
			return target{}, app.Errorf(app.CodeInvalid, "sqlite: needs the path of a file after it")
		}
		if strings.ContainsRune(path, 0) {
			return target{}, app.Errorf(app.CodeInvalid, "the path after sqlite: holds a zero byte")
		}
		abs, err := filepath.Abs(path)
		if err != nil {
			return target{}, &app.Error{Code: app.CodeInvalid, Message: "the path after sqlite: cannot be resolved", Err: err}
		}
		return target{dialect: sqliteDialect(), path: abs}, nil
	default:
		return target{}, app.Errorf(app.CodeInvalid, "the database must be given as postgres://…, postgresql://… or sqlite:PATH")
	}
}

// scrubbed keeps an error's words unless they hold part of the DSN's log-in.
func scrubbed(err error, dsn string) error {
	text := err.Error()
	if u, parseErr := url.Parse(dsn); parseErr == nil && u.User != nil {
		if password, ok := u.User.Password(); ok && password != "" && strings.Contains(text, password) {
			return errors.New("the words of the cause hold the password and are left out")
		}
		return err
	}
	return errors.New("the words of the cause may hold the password and are left out")
}

// pools are the ways to one database: writing and reading. They are the same for
// PostgreSQL, as long as it can be written to.
type pools struct {
	write, read *sql.DB
	// lenient reads where every server only reads; nil where read takes such a one.
	lenient *sql.DB
	// reset makes every connection that is open now be replaced before its next use.
	reset func()
	// mostConns is how many connections write may have, where the server gives so many.
	mostConns int
}

// narrow makes do with the connections that there are: the server gives no more, and
// whoever needs one waits for another to be done.
func (p pools) narrow() {
	p.write.SetMaxOpenConns(max(1, p.write.Stats().OpenConnections-1))
}

// widen asks for one more, as long as there are fewer than there may be.
func (p pools) widen() {
	if now := p.write.Stats().MaxOpenConnections; now < p.mostConns {
		p.write.SetMaxOpenConns(now + 1)
	}
}

func (p pools) close() error {
	err := p.write.Close()
	if p.read != p.write {
		err = errors.Join(p.read.Close(), err)
	}
	if p.lenient != nil {
		err = errors.Join(p.lenient.Close(), err)
	}
	return err
}

// Bounds of PostgreSQL's connections. An address is asked of DNS anew at least every
// connLifetime, so that a failover that only changes a name's address is followed even
// where the old server stays up.
const (
	connectTimeout = 5 * time.Second
	connLifetime   = 3 * time.Minute
	connIdleTime   = 30 * time.Second
	// A transaction of a process that hangs gives its locks back after this.
	abandonedTransaction = "15s"
)

// openPostgres prepares the pools; it connects to nothing.
func openPostgres(config *pgx.ConnConfig, o Options) pools {
	config = config.Copy()
	if config.ConnectTimeout == 0 || config.ConnectTimeout > connectTimeout {
		config.ConnectTimeout = connectTimeout
	}
	if o.Dial != nil {
		config.DialFunc = o.Dial
	} else {
		config.DialFunc = keepAliveDialer().DialContext
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "atozbot"
	}
	p := pools{mostConns: o.MaxConns}
	var generation atomic.Int64
	p.reset = func() { generation.Add(1) }
	if config.ValidateConnect == nil {
		p.lenient = poolOf(config, o.MaxConns, &generation)
		// A server that only reads is passed over for the next address.
		config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	p.write = poolOf(config, o.MaxConns, &generation)
	p.read = p.write
	return p
}

// poolOf makes a pool whose connections are replaced when the generation changes.
func poolOf(config *pgx.ConnConfig, most int, generation *atomic.Int64) *sql.DB {
	db := stdlib.OpenDB(*config,
		stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
			c.PgConn().CustomData()["generation"] = generation.Load()
			_, err := c.Exec(ctx, `SET idle_in_transaction_session_timeout = '`+abandonedTransaction+`'`)
			return err
		}),
		stdlib.OptionResetSession(func(_ context.Context, c *pgx.Conn) error {
			if made, _ := c.PgConn().CustomData()["generation"].(int64); made != generation.Load() {
				return driver.ErrBadConn
			}
			return nil
		}),
	)
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	db.SetConnMaxLifetime(connLifetime)
	db.SetConnMaxIdleTime(connIdleTime)
	return db
}

// keepAliveDialer notices within half a minute that nobody is there any more, also on a
// connection on which nothing is said.
func keepAliveDialer() *net.Dialer {
	return &net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3,
	}}
}

// openSQLite prepares one connection that writes and several that only read, which in
// WAL mode never wait for it. synchronous(2) keeps the last commit over a power cut.
func openSQLite(path string, o Options) (pools, error) {
	common := url.Values{"_dqs": {"0"}, "_pragma": {
		"busy_timeout(5000)", "journal_mode(WAL)", "foreign_keys(1)", "synchronous(2)",
		"journal_size_limit(16777216)", "cache_size(-8000)", "temp_store(2)",
	}}
	writing := url.Values{"_txlock": {"immediate"}}
	reading := url.Values{"_txlock": {"deferred"}}
	for key, values := range common {
		writing[key] = values
		reading[key] = append([]string{}, values...)
	}
	reading.Add("_pragma", "query_only(1)")

	write, err := sql.Open("sqlite", sqliteURI(path)+"?"+writing.Encode())
	if err != nil {
		return pools{}, err
	}
	read, err := sql.Open("sqlite", sqliteURI(path)+"?"+reading.Encode())
	if err != nil {
		return pools{}, errors.Join(err, write.Close())
	}
	write.SetMaxOpenConns(1)
	write.SetMaxIdleConns(1)
	readers := max(4, 2*runtime.GOMAXPROCS(0))
	if o.MaxConns > 0 && o.MaxConns < readers {
		readers = o.MaxConns
	}
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	return pools{write: write, read: read, reset: func() {}, mostConns: 1}, nil
}

// sqliteURI names a file so that no character of its path means anything.
func sqliteURI(path string) string {
	return "file:" + strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
}

// prepareFile makes the folder and the file, readable by nobody else, where they are
// not there yet: SQLite's own helpers (-wal, -shm) then take the file's rights.
func prepareFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

// isUnique tells whether err says that a row with such a key is there already.
func isUnique(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == "23505"
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	return false
}

// isConstraint tells whether err says that the data, not the database, is at fault, so
// that the same statement fails again whenever it is tried.
func isConstraint(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return len(e.Code) == 5 && (e.Code[:2] == "22" || e.Code[:2] == "23" || e.Code == "54000")
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		primary := e.Code() & 0xff
		return primary == sqlite3.SQLITE_CONSTRAINT || primary == sqlite3.SQLITE_MISMATCH || primary == sqlite3.SQLITE_TOOBIG
	}
	return false
}

// isFull tells whether the server has no connection left to give.
func isFull(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == "53300"
}

// passes tells whether the same transaction, begun anew at once, can be expected to
// work: the rows were locked crosswise, a column's type changed under a prepared
// statement, or a connection of the pool turned out to be dead.
func passes(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch e.Code {
		case "40001", "40P01", "0A000", "26000", "57P01", "57P02":
			return true
		}
		return false
	}
	if _, ok := errors.AsType[*sqlite.Error](err); ok {
		return false
	}
	return isBroken(err)
}
