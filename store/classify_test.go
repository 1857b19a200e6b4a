package store_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/store"
	"github.com/atozbot/atozbot/store/storetest"
)

// changed gives the DSN with another user, database or setting.
func changed(t *testing.T, dsn string, change func(u *url.URL, q url.Values)) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	change(u, q)
	u.RawQuery = q.Encode()
	return u.String()
}

// pinged opens a database and says what is wrong with it.
func pinged(t *testing.T, dsn string, o store.Options) store.Trouble {
	t.Helper()
	if o.Timeout == 0 {
		o.Timeout = 2 * time.Second
	}
	s, err := store.Open(dsn, o)
	if err != nil {
		return store.Classify(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return store.Classify(s.Ping(t.Context()))
}

func TestWhatIsWrongWithPostgresIsToldInWords(t *testing.T) {
	dsn := storetest.Postgres(t)
	db := raw(t, dsn)
	role := func(options string) string {
		t.Helper()
		name := "r" + strings.ToLower(strings.ReplaceAll(app.NewID(time.Now()), "-", ""))
		execute(t, db, `CREATE ROLE `+name+` LOGIN `+options)
		t.Cleanup(func() { _, _ = db.ExecContext(context.Background(), `DROP ROLE `+name) })
		return name
	}
	as := func(name string) string {
		return changed(t, dsn, func(u *url.URL, _ url.Values) { u.User = url.User(name) })
	}
	expect := func(name, reason string, waits bool, got store.Trouble) {
		t.Helper()
		if got.Reason != reason || got.Waits != waits || got.Advice == "" {
			t.Errorf("%s: %+v, want %q, waits %v", name, got, reason, waits)
		}
	}
	if got := pinged(t, dsn, store.Options{}); got != (store.Trouble{}) {
		t.Errorf("a good database: %+v", got)
	}
	expect("nobody listens", "connection refused", true, pinged(t, changed(t, dsn, func(u *url.URL, _ url.Values) { u.Host = closedPort(t) }), store.Options{}))
	expect("no such database", "no such database", false, pinged(t, changed(t, dsn, func(u *url.URL, _ url.Values) { u.Path = "/nothing" }), store.Options{}))
	expect("TLS asked for and not there", "TLS failed", false, pinged(t, changed(t, dsn, func(_ *url.URL, q url.Values) { q.Set("sslmode", "require") }), store.Options{}))
	expect("nobody answers", "no answer in time", true, pinged(t, changed(t, dsn, func(u *url.URL, _ url.Values) { u.Host = silentPort(t) }), store.Options{Timeout: 200 * time.Millisecond}))
	expect("hung up", "connection lost", true, pinged(t, changed(t, dsn, func(u *url.URL, _ url.Values) { u.Host = rudePort(t) }), store.Options{}))

	reader := role("")
	execute(t, db, `ALTER ROLE `+reader+` SET default_transaction_read_only = on`)
	expect("read-only", "read-only", true, pinged(t, as(reader), store.Options{}))

	full := role("CONNECTION LIMIT 0")
	expect("too many connections", "too many connections", true, pinged(t, as(full), store.Options{}))

	stranger := role("")
	s := opened(t, as(stranger))
	_, err := s.Migrate(t.Context(), store.Up, store.Latest)
	expect("no rights in the schema", "permission missing", false, store.Classify(err))

	if os.Getenv(storetest.DatabaseURL) != "" {
		execute(t, db, `DROP ROLE IF EXISTS `+storetest.PasswordRole, `CREATE ROLE `+storetest.PasswordRole+` LOGIN PASSWORD 'right'`)
		t.Cleanup(func() { _, _ = db.ExecContext(context.Background(), `DROP ROLE `+storetest.PasswordRole) })
		with := func(password string) string {
			return changed(t, dsn, func(u *url.URL, _ url.Values) { u.User = url.UserPassword(storetest.PasswordRole, password) })
		}
		expect("wrong password", "wrong password", false, pinged(t, with("wrong"), store.Options{}))
	}
	_, err = opened(t, dsn).ListJobs(t.Context(), store.JobFilter{})
	expect("not migrated", "tables missing", true, store.Classify(err))
}

func TestWhatIsWrongWithAFileIsToldInWords(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "text")
	if err := os.WriteFile(file, []byte(strings.Repeat("no database\n", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path, reason string
		waits        bool
	}{
		"a folder":            {folder, "file cannot be opened", false},
		"below a file":        {filepath.Join(file, "x", "y.db"), "file cannot be opened", false},
		"of another kind":     {file, "file is no database", false},
		"of no file system":   {"/proc/nothing/x.db", "file cannot be opened", false},
		"with odd characters": {filepath.Join(folder, "a?b#c%20d e.db"), "", false},
	} {
		got := pinged(t, "sqlite:"+c.path, store.Options{})
		if got.Reason != c.reason || got.Waits != c.waits {
			t.Errorf("%s: %+v, want %q", name, got, c.reason)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "a?b#c%20d e.db")); err != nil {
		t.Errorf("a path with odd characters: %v", err)
	}
}

func TestWhatOnlySomeServersSayIsToldInWords(t *testing.T) {
	for code, reason := range map[string]string{
		"57P03": "starting up", "57P01": "shutting down", "53100": "disk full", "53200": "out of memory", "28000": "log-in not allowed",
		"57014": "no answer in time", "XX000": "error XX000",
	} {
		got := store.Classify(fmt.Errorf("wrapped: %w", &pgconn.PgError{Code: code}))
		if got.Reason != reason || got.Advice == "" {
			t.Errorf("%s: %+v, want %q", code, got, reason)
		}
	}
	got := store.Classify(fmt.Errorf("connect: %w", &net.DNSError{Err: "no such host", Name: "db", IsNotFound: true}))
	if got.Reason != "name not resolved" || !got.Waits {
		t.Errorf("a name without address: %+v", got)
	}
}

func TestAnAddressThatIsNoneIsRefusedAndItsPasswordIsNotRepeated(t *testing.T) {
	for _, dsn := range []string{
		"", "mysql://a", "sqlite:", "sqlite::memory:", "postgres://u:s3cret@h:port/x", "postgres://u:s3cret@[::1/x", "postgres://u:s3cret@h/x?sslmode=maybe",
		"postgres://u:s3cret%zz@h/x", "s3cret",
	} {
		_, err := store.Open(dsn, store.Options{})
		if app.CodeOf(err) != app.CodeInvalid {
			t.Errorf("%q: %v", dsn, err)
		}
		for e := err; e != nil; e = errors.Unwrap(e) {
			if strings.Contains(e.Error(), "s3cret") {
				t.Errorf("the password is in the error: %v", e)
			}
		}
	}
}

func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// silentPort accepts and never says anything.
func silentPort(t *testing.T) string {
	t.Helper()
	return serve(t, func(net.Conn) {})
}

// rudePort hangs up on everyone.
func rudePort(t *testing.T) string {
	t.Helper()
	return serve(t, func(c net.Conn) { _ = c.Close() })
}

func serve(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			handle(c)
		}
	}()
	return l.Addr().String()
}

func TestAFaultOfTheProgramIsNotCalledAnOutage(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		var troubles int
		s := storetest.Open(t, dsn, store.Options{OnTrouble: func(error) { troubles++ }})
		execute(t, raw(t, dsn), `ALTER TABLE atozbot_jobs DROP COLUMN rule`)
		if _, err := s.ListJobs(t.Context(), store.JobFilter{Query: "x", SessionID: "y"}); err != nil {
			t.Fatal(err) // Nothing is found before the column is asked for.
		}
		if _, err := s.Watched(t.Context(), account, noon()); app.CodeOf(err) != app.CodeInternal {
			t.Errorf("%v", err)
		}
		if troubles != 0 {
			t.Errorf("the keeper was told of %d troubles", troubles)
		}
	})
}
