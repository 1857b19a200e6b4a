package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/config"
	"github.com/atozbot/atozbot/store"
)

// longestProbe bounds one try to reach a database from a command.
const longestProbe = 5 * time.Second

// Migrate brings the configured database up or down, or says where it stands. It tries
// as often as the server does at its start, and ends at once where waiting mends nothing.
func (p Process) Migrate(ctx context.Context, action string, to *int64) error {
	log := p.log()
	if to != nil && (action == "status" || action == "version") {
		return fmt.Errorf("--to goes with up and down only; %w", ErrMisused)
	}
	if to != nil && *to < 0 {
		return fmt.Errorf("--to is a version from 0 on; %w", ErrMisused)
	}
	s, err := openStore(p.Settings, log)
	if err != nil {
		return err
	}
	defer s.Close()
	var steps []store.Step
	switch action {
	case "status":
		return p.migrationStatus(ctx, s, log)
	case "version":
		return p.migrationVersion(ctx, s, log)
	case "down":
		steps, err = migrateAll(ctx, p.Settings, s, store.Down, target(to), log)
	default:
		steps, err = migrateAll(ctx, p.Settings, s, store.Up, target(to), log)
	}
	for _, step := range steps {
		fmt.Fprintf(p.Stdout, "%s %s in %s\n", action, step.Name, step.Took.Round(time.Millisecond))
	}
	if err != nil {
		return told(err)
	}
	if len(steps) == 0 {
		fmt.Fprintln(p.Stdout, "nothing to do: the database is where it is to be")
	}
	return nil
}

func target(to *int64) int64 {
	if to == nil {
		return store.Latest
	}
	return *to
}

// openStore opens the configured database for a command; nothing is connected yet.
func openStore(s config.Settings, log *slog.Logger) (*store.Store, error) {
	if !s.DatabaseURL.IsSet() {
		if err := prepareFolder(s.DataDir); err != nil {
			return nil, err
		}
	}
	opened, err := store.Open(dsn(s), store.Options{Logger: log})
	if err != nil {
		return nil, config.Mistakes{{Name: "DATABASE_URL", Reason: sentenceOf(err)}}
	}
	return opened, nil
}

// sentenceOf is what may be shown of an error: the sentence of an [app.Error], which
// holds no password, or that the log has more.
func sentenceOf(err error) string {
	if e, ok := errors.AsType[*app.Error](err); ok {
		return e.Message
	}
	return "cannot be used"
}

// told makes of a database's error the line that the command line ends with.
func told(err error) error {
	if app.CodeOf(err) == app.CodeInvalid {
		return fmt.Errorf("%s; %w", sentenceOf(err), ErrMisused)
	}
	trouble := store.Classify(err)
	return fmt.Errorf("%s: %s (%w)", trouble.Reason, trouble.Advice, err)
}

// migrateAll connects and migrates, each as often as set.
func migrateAll(ctx context.Context, s config.Settings, db *store.Store, direction store.Direction, to int64, log *slog.Logger) ([]store.Step, error) {
	if err := connect(ctx, s, db, log); err != nil {
		return nil, err
	}
	var steps []store.Step
	err := repeat(ctx, tries{doing: "migrating the database", attempts: s.DBMigrateAttempts, delay: s.DBMigrateDelay}, log, func() error {
		taken, err := db.Migrate(ctx, direction, to)
		steps = append(steps, taken...)
		return err
	})
	return steps, err
}

// connect waits until the database answers, as often as set.
func connect(ctx context.Context, s config.Settings, db *store.Store, log *slog.Logger) error {
	return repeat(ctx, tries{doing: "waiting for the database", attempts: s.DBConnectAttempts, delay: s.DBConnectDelay}, log, func() error {
		limited, cancel := context.WithTimeout(ctx, longestProbe)
		defer cancel()
		return db.Ping(limited)
	})
}

// tries says how often a command tries one thing.
type tries struct {
	doing    string
	attempts int
	delay    time.Duration
}

// repeat tries until it works, until the attempts are used up, or until an error comes
// that no waiting mends.
func repeat(ctx context.Context, t tries, log *slog.Logger, try func() error) error {
	for attempt := 1; ; attempt++ {
		err := try()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		trouble := store.Classify(err)
		if code := app.CodeOf(err); code == app.CodeInvalid || code == app.CodeConflict || !trouble.Waits {
			return err
		}
		if attempt >= t.attempts {
			return fmt.Errorf("%s: the %d attempts are used up: %w", t.doing, t.attempts, err)
		}
		log.Warn(fmt.Sprintf("%s: attempt %d of %d, %s; next in %s", t.doing, attempt, t.attempts, trouble.Reason, t.delay), "do", trouble.Advice)
		timer := time.NewTimer(t.delay)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

// migrationStatus lists every migration. It is a look and fails only where nothing can
// be seen.
func (p Process) migrationStatus(ctx context.Context, db *store.Store, log *slog.Logger) error {
	if err := connect(ctx, p.Settings, db, log); err != nil {
		return told(err)
	}
	steps, err := db.Status(ctx)
	if err != nil {
		return told(err)
	}
	for _, step := range steps {
		state := "pending"
		if !step.AppliedAt.IsZero() {
			state = "applied " + step.AppliedAt.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(p.Stdout, "%-32s %s\n", step.Name, state)
	}
	return nil
}

func (p Process) migrationVersion(ctx context.Context, db *store.Store, log *slog.Logger) error {
	if err := connect(ctx, p.Settings, db, log); err != nil {
		return told(err)
	}
	version, err := db.Version(ctx)
	if err != nil {
		return told(err)
	}
	fmt.Fprintln(p.Stdout, version)
	return nil
}
