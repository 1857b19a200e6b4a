package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/portal"
	"github.com/atozbot/atozbot/store"
)

// Backup writes everything but secrets to a file that is whole or not there.
func (p Process) Backup(ctx context.Context, file string) error {
	log := p.log()
	db, err := openStore(p.Settings, log)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := connect(ctx, p.Settings, db, log); err != nil {
		return told(err)
	}
	rows, err := db.BackupTo(ctx, file, time.Now())
	if err != nil {
		return moved("backup", file, err)
	}
	fmt.Fprintf(p.Stdout, "%d rows written to %s\n", rows, file)
	return nil
}

// Restore puts a backup in the place of what the configured database holds.
func (p Process) Restore(ctx context.Context, file string) error {
	log := p.log()
	backup, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("%w; %w", err, ErrMisused)
	}
	defer backup.Close()
	db, err := openStore(p.Settings, log)
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := migrateAll(ctx, p.Settings, db, store.Up, store.Latest, log); err != nil {
		return told(err)
	}
	rows, err := db.Restore(ctx, backup, time.Now())
	if err != nil {
		return moved("restore", file, err)
	}
	fmt.Fprintf(p.Stdout, "%d rows read from %s\n", rows, file)
	return nil
}

// moved makes of an error the line that the command line ends with: a file that cannot be
// used is told with its path, a database as always.
func moved(doing, file string, err error) error {
	if path, ok := errors.AsType[*os.PathError](err); ok {
		return fmt.Errorf("%s: %s: %w", doing, file, path.Err)
	}
	if e, ok := errors.AsType[*app.Error](err); ok && e.Code != app.CodeUnavailable {
		return fmt.Errorf("%s: %s", file, e.Message)
	}
	return told(err)
}

// Import brings over a predecessor's database, once, however often it is run.
func (p Process) Import(ctx context.Context, from string) error {
	log := p.log()
	if !strings.HasPrefix(from, "postgres://") && !strings.HasPrefix(from, "postgresql://") {
		return fmt.Errorf("--from must be postgres://… or postgresql://…; %w", ErrMisused)
	}
	db, err := openStore(p.Settings, log)
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := migrateAll(ctx, p.Settings, db, store.Up, store.Latest, log); err != nil {
		return told(err)
	}
	zone, err := time.LoadLocation(app.DefaultConfiguration().TimeZone)
	if err != nil {
		zone = time.UTC
	}
	now := time.Now()
	if err := db.EnsureAccount(ctx, now); err != nil {
		return told(err)
	}
	came, err := db.Import(ctx, store.ImportOptions{From: from, Minutes: portal.ParseDuration, Zone: zone, Now: now})
	switch code := app.CodeOf(err); {
	case code == app.CodeInvalid:
		return fmt.Errorf("--from: %s; %w", sentenceOf(err), ErrMisused)
	case code == app.CodeNotFound:
		return errors.New(sentenceOf(err))
	case err != nil:
		return told(err)
	}
	fmt.Fprintf(p.Stdout, "read: %d sessions, %d jobs (%d new), %d analytics periods, %d log lines\n", came.Sessions, came.Jobs, came.NewJobs, came.Periods, came.Logs)
	if came.Configuration {
		fmt.Fprintln(p.Stdout, "the predecessor's configuration is in force")
	}
	for _, note := range came.Notes {
		fmt.Fprintln(p.Stdout, note)
	}
	return nil
}
