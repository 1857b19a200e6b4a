package store_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/atozbot/atozbot/store"
	"github.com/atozbot/atozbot/store/storetest"
)

// raw opens the database beside the store.
func raw(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	driver, name := "pgx", dsn
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		driver, name = "sqlite", "file:"+path+"?_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func execute(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func column[T any](t *testing.T, db *sql.DB, query string, args ...any) []T {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var values []T
	for rows.Next() {
		var v T
		if err := rows.Scan(&v); err != nil {
			t.Fatal(err)
		}
		values = append(values, v)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return values
}

func structure(t *testing.T, db *sql.DB, dsn string) []string {
	t.Helper()
	if strings.HasPrefix(dsn, "sqlite:") {
		return column[string](t, db, `SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema
			WHERE name NOT LIKE 'sqlite_%' AND name <> 'atozbot_migrations' ORDER BY 1`)
	}
	columns := column[string](t, db, `SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || coalesce(column_default, '')
		FROM information_schema.columns WHERE table_schema = current_schema() AND table_name <> 'atozbot_migrations' ORDER BY 1`)
	indexes := column[string](t, db, `SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename <> 'atozbot_migrations' ORDER BY 1`)
	triggers := column[string](t, db, `SELECT tgname::text FROM pg_trigger WHERE NOT tgisinternal AND tgrelid IN
		(SELECT oid FROM pg_class WHERE relnamespace = current_schema()::regnamespace) ORDER BY 1`)
	functions := column[string](t, db, `SELECT proname::text FROM pg_proc WHERE pronamespace = current_schema()::regnamespace ORDER BY 1`)
	return slices.Concat(columns, indexes, triggers, functions)
}

func opened(t *testing.T, dsn string) *store.Store {
	t.Helper()
	s, err := store.Open(dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func migrated(t *testing.T, s *store.Store, direction store.Direction, to int64) []store.Step {
	t.Helper()
	steps, err := s.Migrate(t.Context(), direction, to)
	if err != nil {
		t.Fatalf("migrate %s to %d: %v", direction, to, err)
	}
	return steps
}

func TestManyProcessesMigrateOnce(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		var group errgroup.Group
		taken := make([][]store.Step, 6)
		for i := range taken {
			s := opened(t, dsn) // As many processes: nothing is shared but the database.
			group.Go(func() (err error) {
				taken[i], err = s.Migrate(context.Background(), store.Up, store.Latest)
				return err
			})
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
		status, err := opened(t, dsn).Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var steps int
		for _, s := range taken {
			steps += len(s)
		}
		if steps != len(status) {
			t.Errorf("%d steps were taken in all, want each of the %d once", steps, len(status))
		}
		for _, step := range status {
			if step.AppliedAt.IsZero() {
				t.Errorf("migration %s is still pending", step.Name)
			}
		}
	})
}

func TestDownAndUpAgainLoseNoStructure(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		s, db := opened(t, dsn), raw(t, dsn)
		migrated(t, s, store.Up, store.Latest)
		full := structure(t, db, dsn)
		newest, err := s.Version(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for version := newest - 1; version >= 0; version-- {
			migrated(t, s, store.Down, store.Latest)
			if got, err := s.Version(t.Context()); err != nil || got != version {
				t.Fatalf("after a step down the version is %d (%v), want %d", got, err, version)
			}
		}
		if left := structure(t, db, dsn); len(left) != 0 {
			t.Errorf("after the last step down there is still %q", left)
		}
		if steps := migrated(t, s, store.Down, store.Latest); len(steps) != 0 {
			t.Errorf("a step below nothing took %v", steps)
		}
		migrated(t, s, store.Up, 1)
		migrated(t, s, store.Up, store.Latest)
		if again := structure(t, db, dsn); !slices.Equal(full, again) {
			t.Errorf("structure after down and up:\n%s\nwant:\n%s", strings.Join(again, "\n"), strings.Join(full, "\n"))
		}
		migrated(t, s, store.Down, 0)
		migrated(t, s, store.Up, store.Latest)
	})
}

func TestBothDatabasesHaveTheSameTablesAndColumns(t *testing.T) {
	lite, post := storetest.SQLite(t), storetest.Postgres(t)
	migrated(t, opened(t, lite), store.Up, store.Latest)
	migrated(t, opened(t, post), store.Up, store.Latest)
	got := column[string](t, raw(t, lite), `SELECT m.name || '.' || c.name || ' ' || CASE WHEN c."notnull" = 1 OR c.pk > 0 THEN 'NO' ELSE 'YES' END
		FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name LIKE 'atozbot_%' AND m.name <> 'atozbot_migrations' ORDER BY 1`)
	want := column[string](t, raw(t, post), `SELECT table_name || '.' || column_name || ' ' || is_nullable
		FROM information_schema.columns WHERE table_schema = current_schema() AND table_name <> 'atozbot_migrations' ORDER BY 1`)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("SQLite has\n%s\nPostgreSQL has\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	indexes := `SELECT name FROM sqlite_schema WHERE type = 'index' AND name LIKE 'atozbot_%' ORDER BY 1`
	postIndexes := `SELECT indexname::text FROM pg_indexes WHERE schemaname = current_schema() AND indexname NOT LIKE '%_pkey' ORDER BY 1`
	if got, want := column[string](t, raw(t, lite), indexes), column[string](t, raw(t, post), postIndexes); !slices.Equal(got, want) {
		t.Errorf("SQLite has indexes %q, PostgreSQL has %q", got, want)
	}
}

func TestThePredecessorsTablesAreNeitherHarmedNorInTheWay(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		db := raw(t, dsn)
		if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		tables := []string{"bot_sessions", "job_records", "analytics_periods", "bot_configurations", "system_logs", "sessions", "users", "jobs", "events"}
		for _, name := range tables {
			execute(t, db, `CREATE TABLE `+name+` (id TEXT PRIMARY KEY, kept TEXT)`, `INSERT INTO `+name+` VALUES ('1', 'as it was')`)
		}
		execute(t, db, `CREATE VIEW dashboard_metrics AS SELECT COUNT(*) AS sessions FROM bot_sessions`)

		s := opened(t, dsn)
		migrated(t, s, store.Up, store.Latest)
		migrated(t, s, store.Down, 0)
		migrated(t, s, store.Up, store.Latest)
		for _, name := range tables {
			if got := column[string](t, db, `SELECT kept FROM `+name); !slices.Equal(got, []string{"as it was"}) {
				t.Errorf("%s holds %q", name, got)
			}
		}
		if got := column[int64](t, db, `SELECT sessions FROM dashboard_metrics`); !slices.Equal(got, []int64{1}) {
			t.Errorf("dashboard_metrics shows %v", got)
		}
	})
}

func TestASchemaThatNeedsANewerProgramIsRefused(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		s := opened(t, dsn)
		migrated(t, s, store.Up, store.Latest)
		execute(t, raw(t, dsn), `UPDATE atozbot_schema SET min_compatible = 999`)
		_, err := s.Migrate(t.Context(), store.Up, store.Latest)
		trouble := store.Classify(err)
		if trouble.Reason != "made by a newer version" || trouble.Waits {
			t.Errorf("a schema of the future: %v, %+v", err, trouble)
		}
		if err == nil || !strings.Contains(err.Error(), "update the program") {
			t.Errorf("the error does not say what to do: %v", err)
		}
	})
}

func TestASchemaWithLaterCompatibleStepsIsWorkedWith(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		s := opened(t, dsn)
		migrated(t, s, store.Up, store.Latest)
		execute(t, raw(t, dsn), `INSERT INTO atozbot_migrations (version_id, is_applied) VALUES (999, true)`)
		if steps := migrated(t, s, store.Up, store.Latest); len(steps) != 0 {
			t.Errorf("an older program migrated a newer schema: %v", steps)
		}
		if err := s.Ping(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestATableOfAnotherProgramIsToldAndLeftAlone(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		db := raw(t, dsn)
		execute(t, db, `CREATE TABLE atozbot_jobs (mine TEXT)`, `INSERT INTO atozbot_jobs VALUES ('mine')`)
		if _, err := opened(t, dsn).Migrate(t.Context(), store.Up, store.Latest); err == nil {
			t.Fatal("the migration ran over a table of another program")
		} else if trouble := store.Classify(err); trouble.Reason != "name taken" || trouble.Waits {
			t.Errorf("a name that is taken: %v, %+v", err, trouble)
		}
		if got := column[string](t, db, `SELECT mine FROM atozbot_jobs`); !slices.Equal(got, []string{"mine"}) {
			t.Errorf("the other program's table holds %q", got)
		}
	})
}

func TestASQLiteFileIsCopiedBeforeAMigrationThatHasAnythingToDo(t *testing.T) {
	dsn := storetest.SQLite(t)
	path := strings.TrimPrefix(dsn, "sqlite:")
	copies := func() []string {
		t.Helper()
		found, err := filepath.Glob(path + ".before-*")
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	s := opened(t, dsn)
	migrated(t, s, store.Up, 1)
	if found := copies(); len(found) != 0 {
		t.Errorf("an empty database was copied: %q", found)
	}
	execute(t, raw(t, dsn), `INSERT INTO atozbot_meta VALUES ('kept', 'yes')`)
	migrated(t, s, store.Up, store.Latest)
	migrated(t, s, store.Up, store.Latest)
	found := copies()
	if len(found) != 1 {
		t.Fatalf("copies after one migration and one with nothing to do: %q", found)
	}
	if got := column[string](t, raw(t, "sqlite:"+found[0]), `SELECT value FROM atozbot_meta WHERE name = 'kept'`); !slices.Equal(got, []string{"yes"}) {
		t.Errorf("the copy holds %q", got)
	}
	if info, err := os.Stat(found[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the copy can be read by others: %v, %v", info.Mode(), err)
	}
}

func TestAVersionThatIsNotThereIsRefused(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		if _, err := opened(t, dsn).Migrate(t.Context(), store.Up, 77); err == nil {
			t.Error("migration 77 was taken for known")
		}
	})
}
