package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// marker is the file that stands beside a SQLite database while a process uses it.
func (s *Store) marker() string { return s.path + ".in-use" }

// prepare makes the SQLite file, once, and notes whether the process before left it
// uncleanly. It does nothing for PostgreSQL.
func (s *Store) prepare() error {
	if s.path == "" {
		return nil
	}
	s.preparing.Lock()
	defer s.preparing.Unlock()
	if s.prepared {
		return nil
	}
	if err := prepareFile(s.path); err != nil {
		return err
	}
	// Whoever finds the marker does not know whether its maker is dead or at work, so the
	// marker stays until somebody has looked the file through.
	marker, err := os.OpenFile(s.marker(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case err == nil:
		s.marked = true
		if err := marker.Close(); err != nil {
			return err
		}
	case errors.Is(err, fs.ErrExist):
		s.unclean = true
	default:
		return err
	}
	s.prepared = true
	return nil
}

// CheckAfterCrash looks a SQLite file through where the process before did not leave it
// cleanly, and says whether it did so. The error tells that the file is damaged.
// For PostgreSQL, and after a clean end, it does nothing.
func (s *Store) CheckAfterCrash(ctx context.Context) (checked bool, err error) {
	if err := s.prepare(); err != nil {
		return false, err
	}
	s.preparing.Lock()
	unclean := s.unclean
	s.preparing.Unlock()
	if !unclean {
		return false, nil
	}
	if err := s.checkIntegrity(ctx); err != nil {
		return true, err
	}
	s.preparing.Lock()
	s.unclean, s.marked = false, true
	s.preparing.Unlock()
	return true, nil
}

// checkIntegrity reads the whole file. A damaged one is a [schemaError] for [Classify].
func (s *Store) checkIntegrity(ctx context.Context) error {
	if s.path == "" {
		return nil
	}
	var verdict string
	if err := s.pools.read.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&verdict); err != nil {
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
	if s.path == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	if err := s.prepare(); err != nil {
		return s.failed(ctx, "tend the file", err)
	}
	if info, err := os.Stat(s.path + "-wal"); err == nil && info.Size() > largeWAL {
		if err := checkpoint(ctx, s.pools.write); err != nil {
			return s.failed(ctx, "empty the write-ahead log", err)
		}
	}
	_, err := s.pools.write.ExecContext(ctx, `PRAGMA optimize`)
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
	db, err := sql.Open("sqlite", sqliteURI(s.path)+"?_pragma=busy_timeout(5000)")
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `VACUUM INTO $1`, path)
	if err := errors.Join(err, db.Close()); err != nil {
		return errors.Join(err, os.RemoveAll(path))
	}
	return os.Chmod(path, 0o600)
}
