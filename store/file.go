package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// marker is the file that stands beside a SQLite database while a process uses it.
func (b *base) marker() string { return b.path + ".in-use" }

// prepare makes the SQLite file, once, and notes whether the process before left it
// uncleanly. It does nothing for PostgreSQL.
func (b *base) prepare() error {
	if b.path == "" {
		return nil
	}
	b.preparing.Lock()
	defer b.preparing.Unlock()
	if b.prepared {
		return nil
	}
	if err := prepareFile(b.path); err != nil {
		return err
	}
	// Whoever finds the marker does not know whether its maker is dead or at work, so the
	// marker stays until somebody has looked the file through.
	marker, err := os.OpenFile(b.marker(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case err == nil:
		b.marked = true
		if err := marker.Close(); err != nil {
			return err
		}
	case errors.Is(err, fs.ErrExist):
		b.unclean = true
	default:
		return err
	}
	b.prepared = true
	return nil
}

// close gives the connections back. A SQLite file is left with an empty write-ahead log.
func (b *base) close(within time.Duration) error {
	b.preparing.Lock()
	defer b.preparing.Unlock()
	if b.path == "" || !b.prepared {
		return b.pools.close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	err := errors.Join(checkpoint(ctx, b.pools.write), b.pools.close())
	b.prepared = false
	if err != nil || !b.marked {
		return err
	}
	if err := os.Remove(b.marker()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// CheckAfterCrash looks a SQLite file through where the process before did not leave it
// cleanly, and says whether it did so. The error tells that the file is damaged.
// For PostgreSQL, and after a clean end, it does nothing.
func (s *Store) CheckAfterCrash(ctx context.Context) (checked bool, err error) {
	on := s.base()
	if err := on.prepare(); err != nil {
		return false, err
	}
	on.preparing.Lock()
	unclean := on.unclean
	on.preparing.Unlock()
	if !unclean {
		return false, nil
	}
	if err := s.checkIntegrity(ctx); err != nil {
		return true, err
	}
	on.preparing.Lock()
	on.unclean, on.marked = false, true
	on.preparing.Unlock()
	return true, nil
}

// checkIntegrity reads the whole file. A damaged one is a [schemaError] for [Classify].
func (s *Store) checkIntegrity(ctx context.Context) error {
	if s.base().path == "" {
		return nil
	}
	var verdict string
	if err := s.base().pools.read.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return &schemaError{reason: "file is damaged", text: verdict}
	}
	return nil
}

// largeWAL is the size in bytes from which on the write-ahead log is emptied by Tend.
// SQLite does so by itself from 4 MB on, but not while anybody reads.
const largeWAL = 8 << 20

// Tend looks after a SQLite file: it empties a write-ahead log that has grown and keeps
// the planner's statistics fresh. It is cheap where there is nothing to do; once a
// minute is often enough. For PostgreSQL it does nothing.
func (s *Store) Tend(ctx context.Context) error {
	if s.base().path == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	if err := s.base().prepare(); err != nil {
		return s.failed(ctx, "tend the file", err)
	}
	if info, err := os.Stat(s.base().path + "-wal"); err == nil && info.Size() > largeWAL {
		if err := checkpoint(ctx, s.base().pools.write); err != nil {
			return s.failed(ctx, "empty the write-ahead log", err)
		}
	}
	_, err := s.base().pools.write.ExecContext(ctx, `PRAGMA optimize`) //nolint:misspell // SQLite's own word.
	return s.failed(ctx, "tend the file", err)
}

func checkpoint(ctx context.Context, db *sql.DB) error {
	var busy, pages, moved int
	return db.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &pages, &moved)
}

// copyFile writes a consistent copy of the SQLite file to path, which must not be there.
func (s *Store) copyFile(ctx context.Context, path string) error {
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("%s is there already", path)
	}
	// On a connection of its own: those that only read may not, and the one that writes
	// would keep others waiting.
	db, err := sql.Open("sqlite", sqliteURI(s.base().path)+"?_pragma=busy_timeout(5000)")
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `VACUUM INTO $1`, path)
	if err := errors.Join(err, db.Close()); err != nil {
		return errors.Join(err, os.RemoveAll(path))
	}
	return os.Chmod(path, 0o600)
}
