package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/migrations"
)

// Direction is which way a migration goes.
type Direction string

// The directions.
const (
	Up   Direction = "up"
	Down Direction = "down"
)

// Latest is the target of [Store.Migrate] that means: all the way up, or one step down.
const Latest int64 = -1

// versionTable is where goose keeps what was applied.
const versionTable = "atozbot_migrations"

// Step is one migration.
type Step struct {
	Version   int64
	Name      string    // "00001_core"
	AppliedAt time.Time // Zero where it is pending.
	Took      time.Duration
}

// schemaError is a fault of the schema or the file that no retry mends.
type schemaError struct {
	reason string // As [Classify] names it.
	text   string
}

func (e *schemaError) Error() string { return e.text }

// Migrate brings the schema up or down to version to, or with [Latest] all the way up
// or one step down, and returns the steps that it took, none where there was nothing to
// do. Any number of processes may call it at the same moment: one works, the others
// wait and find it done.
//
// A SQLite file that holds anything is copied before, to a file beside it with the time
// in its name. A schema that needs a newer program is refused; [Classify] calls that
// "made by a newer version".
func (s *Store) Migrate(ctx context.Context, direction Direction, to int64) ([]Step, error) {
	if err := s.Ping(ctx); err != nil { // Dead connections of the pool are replaced by it.
		return nil, err
	}
	if err := s.checkTarget(to); err != nil {
		return nil, err
	}
	if err := s.checkCompatible(ctx); err != nil {
		return nil, err
	}
	due, err := s.due(ctx, direction, to)
	if err != nil || !due {
		return nil, err
	}
	var steps []Step
	err = s.alone(ctx, func(ctx context.Context) error {
		// Another process may have done it while this one waited.
		if err := s.checkCompatible(ctx); err != nil {
			return err
		}
		due, err := s.due(ctx, direction, to)
		if err != nil || !due {
			return err
		}
		if err := s.backUpBefore(ctx, string(direction)); err != nil {
			return err
		}
		steps, err = s.migrate(ctx, direction, to)
		return err
	})
	return steps, err
}

// checkTarget refuses a version that is not there.
func (s *Store) checkTarget(to int64) error {
	if to == Latest || to == 0 {
		return nil
	}
	known, err := s.known()
	if err != nil {
		return err
	}
	for _, step := range known {
		if step.Version == to {
			return nil
		}
	}
	return app.Errorf(app.CodeInvalid, "there is no migration %d; the newest is %d", to, known[len(known)-1].Version)
}

// due tells whether there is anything to do.
func (s *Store) due(ctx context.Context, direction Direction, to int64) (bool, error) {
	version, err := s.Version(ctx)
	if err != nil {
		return false, err
	}
	switch {
	case direction == Down && to == Latest:
		return version > 0, nil
	case direction == Down:
		return version > to, nil
	case to == Latest:
		known, err := s.known()
		return err == nil && version < known[len(known)-1].Version, err
	default:
		return version < to, nil
	}
}

// migrate runs goose, under the lock.
func (s *Store) migrate(ctx context.Context, direction Direction, to int64) ([]Step, error) {
	files, err := migrations.For(s.base().dialect.name)
	if err != nil {
		return nil, err
	}
	provider, err := goose.NewProvider(s.base().dialect.goose, s.base().pools.write, files,
		goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true), goose.WithSlog(s.options.Logger))
	if err != nil {
		return nil, err
	}
	var results []*goose.MigrationResult
	switch {
	case direction == Up && to == Latest:
		results, err = provider.Up(ctx)
	case direction == Up:
		results, err = provider.UpTo(ctx, to)
	case to == Latest:
		var result *goose.MigrationResult
		if result, err = provider.Down(ctx); result != nil {
			results = append(results, result)
		}
	default:
		results, err = provider.DownTo(ctx, to)
	}
	if partial, ok := errors.AsType[*goose.PartialError](err); ok {
		results = partial.Applied
		err = fmt.Errorf("migration %s: %w", stepName(partial.Failed.Source.Path), partial.Err)
	}
	steps := make([]Step, len(results))
	for i, r := range results {
		steps[i] = Step{Version: r.Source.Version, Name: stepName(r.Source.Path), Took: r.Duration}
	}
	return steps, err
}

// backUpBefore copies a SQLite file that holds any of our tables.
func (s *Store) backUpBefore(ctx context.Context, what string) error {
	if s.base().path == "" {
		return nil
	}
	version, err := s.Version(ctx)
	if err != nil || version == 0 {
		return err
	}
	path := fmt.Sprintf("%s.before-%s-from-%d-%s", s.base().path, what, version, time.Now().UTC().Format("20060102T150405.000Z"))
	if err := s.copyFile(ctx, path); err != nil {
		return fmt.Errorf("copy the file before: %w", err)
	}
	s.options.Logger.InfoContext(ctx, "the database file was copied before it is changed", "copy", path)
	return nil
}

// Version is the number of the newest migration applied, 0 for a database without any.
func (s *Store) Version(ctx context.Context) (int64, error) {
	applied, err := s.applied(ctx)
	if err != nil {
		return 0, err
	}
	var newest int64
	for version := range applied {
		newest = max(newest, version)
	}
	return newest, nil
}

// Status lists every migration that this program knows, applied or pending, in order.
func (s *Store) Status(ctx context.Context) ([]Step, error) {
	steps, err := s.known()
	if err != nil {
		return nil, err
	}
	applied, err := s.applied(ctx)
	if err != nil {
		return nil, err
	}
	for i := range steps {
		steps[i].AppliedAt = applied[steps[i].Version]
	}
	return steps, nil
}

// known lists the migrations inside the binary, oldest first.
func (s *Store) known() ([]Step, error) {
	files, err := migrations.For(s.base().dialect.name)
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, err
	}
	steps := make([]Step, 0, len(names))
	for _, name := range names {
		number, _, _ := strings.Cut(name, "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("migration %s: %w", name, err)
		}
		steps = append(steps, Step{Version: version, Name: stepName(name)})
	}
	return steps, nil
}

func stepName(path string) string { return strings.TrimSuffix(filepath.Base(path), ".sql") }

// applied gives the time of each migration that the database has.
func (s *Store) applied(ctx context.Context) (map[int64]time.Time, error) {
	there, err := s.hasTable(ctx, versionTable)
	if err != nil || !there {
		return nil, err
	}
	rows, err := s.base().pools.write.QueryContext(ctx, `SELECT version_id, tstamp FROM `+versionTable+` WHERE is_applied AND version_id > 0`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	applied := make(map[int64]time.Time)
	for rows.Next() {
		var version int64
		var at sql.NullTime
		if err := rows.Scan(&version, &at); err != nil {
			return nil, err
		}
		applied[version] = at.Time
	}
	return applied, rows.Err()
}

func (s *Store) hasTable(ctx context.Context, name string) (bool, error) {
	if err := s.base().prepare(); err != nil {
		return false, err
	}
	var count int
	err := s.base().pools.write.QueryRowContext(ctx, s.base().dialect.tableExists, name).Scan(&count)
	return count > 0, err
}

// checkCompatible refuses a schema that needs a newer program.
func (s *Store) checkCompatible(ctx context.Context) error {
	there, err := s.hasTable(ctx, "atozbot_schema")
	if err != nil || !there {
		return err
	}
	known, err := s.known()
	if err != nil {
		return err
	}
	var needed int64
	err = s.base().pools.write.QueryRowContext(ctx, `SELECT min_compatible FROM atozbot_schema WHERE id = 1`).Scan(&needed)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if newest := known[len(known)-1].Version; needed > newest {
		return &schemaError{reason: "made by a newer version", text: fmt.Sprintf(
			"this database was migrated by a newer version of the program: it needs one that knows migration %d, and this one knows %d; update the program, or name another database",
			needed, newest)}
	}
	return nil
}
