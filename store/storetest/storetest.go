// Package storetest gives tests a real database: a fresh SQLite file, or a fresh schema
// on a real PostgreSQL. It stands beside the way through the house: the tests of every
// room that needs records use it.
//
// PostgreSQL is the one that ATOZBOT_TEST_DATABASE_URL names, or one that [Main] starts
// for the test process from the machine's own installation. Where there is neither, the
// tests that need it say "skipped", and where CI=true they fail: silence would be a lie.
package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // The driver that makes and drops the schemas.

	"github.com/atozbot/atozbot/store"
)

// DatabaseURL is the environment variable that names a PostgreSQL for tests. Its user
// must be allowed to create schemas.
const DatabaseURL = "ATOZBOT_TEST_DATABASE_URL"

// PasswordRole is the name of a role that needs a password on a server of [StartPostgres],
// if a test makes it. Every other role is let in without.
const PasswordRole = "secured"

// Main runs a package's tests with a PostgreSQL to use, and returns the exit status:
//
//	func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }
func Main(m *testing.M) int {
	if os.Getenv(DatabaseURL) != "" {
		return m.Run()
	}
	server, err := StartPostgres()
	if err != nil {
		fmt.Fprintln(os.Stderr, "storetest: no PostgreSQL:", err)
		return m.Run()
	}
	defer server.Stop()
	if err := os.Setenv(DatabaseURL, server.DSN()); err != nil {
		fmt.Fprintln(os.Stderr, "storetest:", err)
		return 1
	}
	return m.Run()
}

// Each runs a test once on SQLite and once on PostgreSQL, with an empty, migrated store.
func Each(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Run("sqlite", func(t *testing.T) { test(t, Open(t, SQLite(t), store.Options{})) })
	t.Run("postgres", func(t *testing.T) { test(t, Open(t, Postgres(t), store.Options{})) })
}

// EachDSN runs a test once with the DSN of an empty SQLite file, which is not there yet,
// and once with that of an empty schema.
func EachDSN(t *testing.T, test func(t *testing.T, dsn string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, Postgres(t)) })
}

// Open opens a store, migrates it, and closes it at the end of the test.
func Open(tb testing.TB, dsn string, o store.Options) *store.Store {
	tb.Helper()
	s, err := store.Open(dsn, o)
	if err != nil {
		tb.Fatal("open the store:", err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error("close the store:", err)
		}
	})
	if _, err := s.Migrate(tb.Context(), store.Up, store.Latest); err != nil {
		tb.Fatal("migrate the store:", err)
	}
	return s
}

// SQLite gives the DSN of a file that is not there yet, in a folder of the test's own.
func SQLite(tb testing.TB) string {
	return "sqlite:" + filepath.Join(tb.TempDir(), "test.db")
}

// Postgres gives the DSN of an empty schema of the test's own, dropped at its end. It
// skips the test where there is no PostgreSQL, and fails it where CI=true.
func Postgres(tb testing.TB) string {
	tb.Helper()
	base := os.Getenv(DatabaseURL)
	if base == "" {
		Missing(tb, "PostgreSQL: set "+DatabaseURL+", or install it and call storetest.Main from TestMain")
	}
	schema := "test_" + strings.ToLower(rand.Text())
	execute(tb, base, `CREATE SCHEMA `+schema)
	tb.Cleanup(func() { execute(tb, base, `DROP SCHEMA `+schema+` CASCADE`) })

	u, err := url.Parse(base)
	if err != nil {
		tb.Fatal("the URL of the PostgreSQL for tests is not understood")
	}
	query := u.Query()
	query.Set("search_path", schema)
	u.RawQuery = query.Encode()
	return u.String()
}

// Missing skips a test that lacks a service, and fails it where CI=true.
func Missing(tb testing.TB, what string) {
	tb.Helper()
	if os.Getenv("CI") == "true" {
		tb.Fatalf("missing, and needed in CI: %s", what)
	}
	tb.Skipf("skipped: missing %s", what)
}

func execute(tb testing.TB, dsn, statement string) {
	tb.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		tb.Fatal("open the PostgreSQL for tests:", err)
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if _, err := db.ExecContext(ctx, statement); err != nil {
		tb.Fatalf("%s: %v", statement, err)
	}
}
