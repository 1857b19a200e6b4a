//go:build unix

package store_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/store"
	"github.com/atozbot/atozbot/store/storetest"
)

// ownServer starts a PostgreSQL that a test may freeze and kill.
func ownServer(t *testing.T) *storetest.PostgresServer {
	t.Helper()
	server, err := storetest.StartPostgres()
	if err != nil {
		storetest.Missing(t, "PostgreSQL: "+err.Error())
	}
	t.Cleanup(server.Stop)
	return server
}

// busy opens as many connections as the pool holds.
func busy(t *testing.T, s *store.Store) {
	t.Helper()
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() { _ = s.Ping(context.Background()) })
	}
	all.Wait()
}

// What waits for a connection that is dead waits for the store's whole time limit. A busy
// machine needs less than half of this one, even for a disk that stalls.
const (
	longLimit = 30 * time.Second
	noWait    = longLimit / 2
)

func TestThePoolHealsByItself(t *testing.T) {
	server := ownServer(t)
	s := storetest.Open(t, server.DSN(), store.Options{Timeout: longLimit})
	works := func(when string) {
		t.Helper()
		began := time.Now()
		if err := s.Save(t.Context(), record(noon(), job(1, noon()))); err != nil {
			t.Errorf("%s: %v", when, err)
		}
		if took := time.Since(began); took > noWait {
			t.Errorf("%s: it took %s", when, took)
		}
	}
	busy(t, s)
	works("at first")

	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	if got := store.Classify(s.Ping(t.Context())); got.Reason != "connection refused" && got.Reason != "connection lost" {
		t.Errorf("killed: %+v", got)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	works("after a restart")

	busy(t, s)
	if err := server.Freeze(); err != nil {
		t.Fatal(err)
	}
	hanging, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	if got := store.Classify(s.Ping(hanging)); got.Reason != "no answer in time" {
		t.Errorf("frozen: %+v", got)
	}
	if took := time.Since(began); took > noWait {
		t.Errorf("a frozen server held its caller for %s", took)
	}
	if err := server.Thaw(); err != nil {
		t.Fatal(err)
	}
	works("after a freeze")

	db := raw(t, server.DSN())
	execute(t, db, `ALTER SYSTEM SET default_transaction_read_only = on`, `SELECT pg_reload_conf()`)
	await(t, func() bool { return store.Classify(s.Ping(t.Context())).Reason == "read-only" })
	if err := s.Save(t.Context(), record(noon(), job(2, noon()))); app.CodeOf(err) != app.CodeUnavailable || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("read-only: %v", err)
	}
	for range 2 { // On a connection of before, and on one that is opened now.
		if page, err := s.ListJobs(t.Context(), store.JobFilter{}); err != nil || page.Total != 1 {
			t.Errorf("read-only, and jobs cannot be listed: %+v, %v", page, err)
		}
		s.Reset()
	}
	if reason := store.Classify(s.Ping(t.Context())).Reason; !store.Readable(reason) {
		t.Errorf("%s: lists are not even tried", reason)
	}
	execute(t, db, `SET default_transaction_read_only = off`, `ALTER SYSTEM RESET default_transaction_read_only`, `SELECT pg_reload_conf()`)
	await(t, func() bool { return s.Ping(t.Context()) == nil })
	works("after a failover")
}

func TestAFailoverToAnotherAddressIsFollowed(t *testing.T) {
	first, second := ownServer(t), ownServer(t)
	u, err := url.Parse(first.DSN())
	if err != nil {
		t.Fatal(err)
	}
	u.Host = first.Addr() + "," + second.Addr()
	storetest.Open(t, second.DSN(), store.Options{})
	s := storetest.Open(t, u.String(), store.Options{Timeout: 2 * time.Second})
	saved(t, s, record(noon(), job(1, noon())))
	db := raw(t, first.DSN())
	execute(t, db, `ALTER SYSTEM SET default_transaction_read_only = on`, `SELECT pg_reload_conf()`) // It is a replica now.
	moved, err := store.Open(second.DSN(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer moved.Close()
	// A server learns of its new settings a moment after it was told to read them, and takes
	// what is saved until then itself. The same step again changes nothing there.
	await(t, func() bool {
		if s.Save(t.Context(), record(noon(), job(2, noon()))) != nil {
			return false
		}
		page, err := moved.ListJobs(t.Context(), store.JobFilter{})
		return err == nil && len(page.Items) == 1 && page.Items[0].Number == "2"
	})
}

func TestAFrozenPostgresHoldsUpNeitherClaimsNorTheEnd(t *testing.T) {
	server := ownServer(t)
	main, err := store.Open(server.DSN(), store.Options{Timeout: longLimit})
	if err != nil {
		t.Fatal(err)
	}
	j, err := store.NewJournaled(main, store.JournalOptions{Path: filepath.Join(t.TempDir(), "journal.db"), Replica: "a", Now: noon})
	if err != nil {
		t.Fatal(err)
	}
	p := &place{t: t, proxy: &proxy{}, now: noon()}
	p.proxy.cond = sync.NewCond(&p.proxy.mu)
	p.up(j)
	l := p.lease(j, "a")
	if err := server.Freeze(); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		began := time.Now()
		if _, err := take(t, j, l, i); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > noWait {
			t.Errorf("claim %d took %s", i, took)
		}
	}
	began := time.Now()
	if err := j.Close(); err != nil {
		t.Logf("closing said: %v", err)
	}
	if took := time.Since(began); took > noWait {
		t.Errorf("closing took %s", took)
	}
}

func TestConnectionsThatOthersTookAreDoneWithout(t *testing.T) {
	dsn := storetest.Postgres(t)
	db := raw(t, dsn)
	name := "few" + strings.ToLower(strings.ReplaceAll(app.NewID(time.Now()), "-", ""))
	execute(t, db, `CREATE ROLE `+name+` LOGIN SUPERUSER`)
	t.Cleanup(func() {
		_, _ = db.ExecContext(context.Background(), `DROP OWNED BY `+name)
		_, _ = db.ExecContext(context.Background(), `DROP ROLE `+name)
	})
	storetest.Open(t, dsn, store.Options{})
	execute(t, db, `ALTER ROLE `+name+` NOSUPERUSER CONNECTION LIMIT 2`, `GRANT ALL ON SCHEMA `+column[string](t, db, `SELECT current_schema()::text`)[0]+` TO `+name,
		`GRANT ALL ON ALL TABLES IN SCHEMA `+column[string](t, db, `SELECT current_schema()::text`)[0]+` TO `+name)
	few := opened(t, changed(t, dsn, func(u *url.URL, _ url.Values) { u.User = url.User(name) }))
	if err := few.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	failed := make(chan error, 100)
	for i := range 10 {
		all.Go(func() {
			for k := range 10 {
				if err := few.Save(context.Background(), record(noon(), job(i*10+k, noon()))); err != nil {
					failed <- err
				}
			}
		})
	}
	all.Wait()
	if n := len(failed); n > 0 {
		t.Errorf("%d of 100 failed, the first: %v", n, <-failed)
	}
}

func TestASQLiteFileIsLookedThroughAfterAnUncleanEnd(t *testing.T) {
	dsn := storetest.SQLite(t)
	path := strings.TrimPrefix(dsn, "sqlite:")
	clean, err := store.Open(dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	migrated(t, clean, store.Up, store.Latest)
	saved(t, clean, record(noon(), job(1, noon())))
	if checked, err := clean.CheckAfterCrash(t.Context()); err != nil || checked {
		t.Errorf("a new file was looked through: %v, %v", checked, err)
	}
	if err := clean.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path + "-wal"); err == nil && info.Size() > 0 {
		t.Errorf("a write-ahead log of %d bytes was left", info.Size())
	}

	crashed := opened(t, dsn)
	if checked, err := crashed.CheckAfterCrash(t.Context()); err != nil || checked {
		t.Errorf("after a clean end: %v, %v", checked, err)
	}
	next := opened(t, dsn) // The one before was never closed.
	if checked, err := next.CheckAfterCrash(t.Context()); err != nil || !checked {
		t.Errorf("after a crash: %v, %v", checked, err)
	}
	if checked, err := next.CheckAfterCrash(t.Context()); err != nil || checked {
		t.Errorf("looked through twice: %v, %v", checked, err)
	}
	if err := next.Close(); err != nil {
		t.Fatal(err)
	}
	_ = crashed.Close()
}

func TestADamagedFileIsToldAsSuch(t *testing.T) {
	dsn := storetest.SQLite(t)
	path := strings.TrimPrefix(dsn, "sqlite:")
	s, err := store.Open(dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	migrated(t, s, store.Up, store.Latest)
	var jobs []app.JobRecord
	for i := range 300 {
		jobs = append(jobs, job(i, noon()))
	}
	saved(t, s, record(noon(), jobs...))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(content) / 3; i < len(content)/2; i++ {
		content[i] = 0xa5
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".in-use", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	damaged := opened(t, dsn)
	checked, err := damaged.CheckAfterCrash(t.Context())
	if got := store.Classify(err); !checked || got.Reason != "file is damaged" || got.Waits {
		t.Errorf("%v, %+v, %v", checked, got, err)
	}
	_ = damaged.Close()
	if _, err := os.Stat(path + ".in-use"); err != nil {
		t.Errorf("the next start will not look it through again: %v", err)
	}
}

func TestTheWriteAheadLogIsKeptSmall(t *testing.T) {
	dsn := storetest.SQLite(t)
	s := storetest.Open(t, dsn, store.Options{})
	reader, err := raw(t, dsn).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reader.ExecContext(t.Context(), `SELECT COUNT(*) FROM atozbot_jobs`); err != nil { // Holds the log back.
		t.Fatal(err)
	}
	for i := range 30 {
		var jobs []app.JobRecord
		for k := range 200 {
			j := job(i*200+k, noon())
			j.RejectionReason = strings.Repeat(fmt.Sprint(k), 500)
			jobs = append(jobs, j)
		}
		saved(t, s, record(noon(), jobs...))
	}
	wal := strings.TrimPrefix(dsn, "sqlite:") + "-wal"
	if err := reader.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := s.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(wal); err != nil || info.Size() > 8<<20 {
		t.Errorf("the log has %d bytes, %v", info.Size(), err)
	}
}
