package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	sqlite "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// lockRetry is how soon the migration's lock is asked for again.
const lockRetry = 100 * time.Millisecond

// alone runs fn while no other process migrates the same database. It waits for its
// turn for as long as ctx lasts.
func (s *Store) alone(ctx context.Context, fn func(context.Context) error) error {
	lock := s.lockPostgres
	if s.base().path != "" {
		lock = s.lockFile
	}
	unlock, err := lock(ctx)
	if err != nil {
		return fmt.Errorf("wait for the migration of another process: %w", err)
	}
	return errors.Join(fn(ctx), unlock())
}

// lockPostgres takes an advisory lock, one for each schema. The lock is the session's:
// it ends with the connection, so a process that dies leaves none behind.
func (s *Store) lockPostgres(ctx context.Context) (unlock func() error, err error) {
	conn, err := s.base().pools.write.Conn(ctx)
	if err != nil {
		return nil, err
	}
	var schema sql.NullString
	if err := conn.QueryRowContext(ctx, `SELECT current_schema()`).Scan(&schema); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if !schema.Valid {
		return nil, errors.Join(&schemaError{reason: "permission missing", text: "none of the schemas of search_path can be used by this user"}, conn.Close())
	}
	const key = `hashtextextended('atozbot migrations in ' || current_schema(), 0)`
	err = tryUntil(ctx, func() (taken bool, err error) {
		err = conn.QueryRowContext(ctx, `SELECT pg_try_advisory_lock(`+key+`)`).Scan(&taken)
		return taken, err
	})
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.options.Timeout)
		defer cancel()
		_, err := conn.ExecContext(ctx, `SELECT pg_advisory_unlock(`+key+`)`)
		return errors.Join(err, conn.Close())
	}, nil
}

// lockFile takes a lock beside a SQLite file: an exclusive transaction on a file of its
// own, since a lock on the database itself would stand in the migration's own way. It
// works on every system that SQLite works on, and a process that dies leaves none behind.
func (s *Store) lockFile(ctx context.Context) (unlock func() error, err error) {
	path := s.base().path + ".migrating"
	if err := prepareFile(path); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", sqliteURI(path)+"?_txlock=exclusive&_pragma=busy_timeout(0)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	var tx *sql.Tx
	err = tryUntil(ctx, func() (taken bool, err error) {
		tx, err = db.BeginTx(context.WithoutCancel(ctx), nil)
		if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code()&0xff == sqlite3.SQLITE_BUSY {
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return func() error { return errors.Join(tx.Rollback(), db.Close()) }, nil
}

// tryUntil asks again until the answer is yes, an error, or the end of ctx.
func tryUntil(ctx context.Context, try func() (bool, error)) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
		if done, err := try(); err != nil || done {
			return err
		}
		timer.Reset(lockRetry)
	}
}
