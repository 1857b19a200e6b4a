package store_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/store"
	"github.com/atozbot/atozbot/store/storetest"
)

// filled stores something in every table.
func filled(t *testing.T, s *store.Store) {
	t.Helper()
	run := session(noon())
	run.Paused = true
	jobs := make([]app.JobRecord, 600)
	for i := range jobs {
		jobs[i] = job(i, noon().Add(time.Duration(i)*time.Second))
	}
	r := record(noon(), jobs...)
	c := claim(1, noon())
	c.Reached = true
	r.Session, r.Claims, r.Events = &run, []app.Claim{c}, []app.Event{event(app.EventJobSeen, noon()), event(app.EventJobLeft, noon())}
	r.Decisions = []app.Decision{{ID: app.NewID(noon()), AccountID: account, Number: "1", Verdict: app.VerdictLeave, Checks: []app.Check{{Rule: "languages", Saw: `"quoted" <b>`}}, DecidedAt: noon()}}
	r.Logs = []app.LogEntry{{ID: app.NewID(noon()), Level: "INFO", Message: "été\n", At: noon()}}
	saved(t, s, r)
	if _, err := s.EnsureConfiguration(t.Context(), account, app.DefaultConfiguration(), "settings", noon()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ClosePeriods(t.Context(), account, noon().Add(9*time.Hour), time.UTC); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		s.AddAudit(t.Context(), store.AuditEntry{ID: app.NewID(noon()), At: noon(), What: "bot.start"}),
		s.SaveCalendar(t.Context(), store.Connection{ID: "c", AccountID: account, Enabled: true, CreatedAt: noon(), UpdatedAt: noon()}),
		s.AddUser(t.Context(), store.User{ID: "u", Name: "ana", PasswordHash: "PASSWORDHASH", CreatedAt: noon()}),
		s.AddToken(t.Context(), store.Token{ID: "t", CreatedAt: noon()}, "TOKENHASH"),
		s.SaveSignIn(t.Context(), store.SignIn{TokenHash: "COOKIEHASH", UserID: "u", ExpiresAt: noon()}),
		s.SaveSecret(t.Context(), store.Secret{ID: "c", KeyID: "k", Sealed: []byte("SEALED"), UpdatedAt: noon()}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// shown is what a reader sees of all that a backup holds.
func shown(t *testing.T, s *store.Store) map[string]any {
	t.Helper()
	all := map[string]any{"everything": everything(t, s)}
	note := func(name string, v any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(name, err)
		}
		all[name] = v
	}
	configurations, err := s.Configurations(t.Context(), account, store.Window{})
	note("configurations", configurations, err)
	periods, err := s.Periods(t.Context(), store.Window{})
	note("periods", periods, err)
	logs, err := s.Logs(t.Context(), store.LogFilter{})
	note("logs", logs, err)
	audit, err := s.Audit(t.Context(), store.AuditFilter{})
	note("audit", audit, err)
	calendars, err := s.Calendars(t.Context(), account)
	note("calendars", calendars, err)
	decisions, err := s.Decisions(t.Context(), account, "1")
	note("decisions", decisions, err)
	last, err := s.LatestEventID(t.Context())
	note("last event", last, err)
	counts, err := s.CountJobs(t.Context(), store.JobFilter{})
	note("counts", counts, err)
	return all
}

func TestABackupOfEitherDatabaseRestoresIntoEither(t *testing.T) {
	dsn := map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgres": storetest.Postgres}
	for from := range dsn {
		for into := range dsn {
			t.Run(from+" into "+into, func(t *testing.T) {
				source := storetest.Open(t, dsn[from](t), store.Options{})
				filled(t, source)
				path := filepath.Join(t.TempDir(), "backup")
				rows, err := source.BackupTo(t.Context(), path, noon())
				if err != nil || rows < 600 {
					t.Fatal(rows, err)
				}
				file, err := os.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				defer file.Close()
				target := storetest.Open(t, dsn[into](t), store.Options{})
				saved(t, target, record(noon(), job(9999, noon()))) // What was there goes.
				back, err := target.Restore(t.Context(), file, noon())
				if err != nil || back != rows {
					t.Fatalf("restored %d rows of %d: %v", back, rows, err)
				}
				if diff := cmp.Diff(shown(t, source), shown(t, target)); diff != "" {
					t.Error("restored it differs:\n", diff)
				}
				if has, err := target.HasUsers(t.Context()); err != nil || has {
					t.Errorf("a user came with the backup: %v", err)
				}
				if events := saved(t, target, app.Record{AccountID: account, At: noon(), Events: []app.Event{event(app.EventJobSeen, noon())}}); events[0].ID <= 2 {
					t.Errorf("an id was given twice: %d", events[0].ID)
				}
			})
		}
	}
}

func TestABackupHoldsNoSecretAndNobodyElseCanReadIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		filled(t, s)
		path := filepath.Join(t.TempDir(), "backup")
		if _, err := s.BackupTo(t.Context(), path, noon()); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		plain := unpacked(t, path)
		for _, secret := range []string{"PASSWORDHASH", "TOKENHASH", "COOKIEHASH", "SEALED", "U0VBTEVE"} {
			if strings.Contains(plain, secret) {
				t.Errorf("the backup holds %s", secret)
			}
		}
		if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	})
}

func unpacked(t *testing.T, path string) string {
	t.Helper()
	packed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(plain)
}

func packed(t *testing.T, plain string) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &b
}

// flipped gives b with one bit turned.
func flipped(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 1
	return b
}

func TestADamagedBackupIsRefusedAndChangesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		saved(t, s, record(noon(), job(1, noon())))
		var whole bytes.Buffer
		if _, err := s.Backup(t.Context(), &whole, noon()); err != nil {
			t.Fatal(err)
		}
		before := shown(t, s)
		head := `{"format":"atozbot backup","version":1,"schema":1,"made_at":"2027-03-10T12:00:00Z"}` + "\n"
		for name, file := range map[string]io.Reader{
			"empty":                strings.NewReader(""),
			"of another kind":      strings.NewReader(strings.Repeat("no backup ", 100)),
			"other JSON":           packed(t, `{"format":"something else"}`),
			"cut off":              bytes.NewReader(whole.Bytes()[:whole.Len()*2/3]),
			"cut off in its sum":   bytes.NewReader(whole.Bytes()[:whole.Len()-5]),
			"with a wrong sum":     bytes.NewReader(flipped(whole.Bytes(), whole.Len()-8)),
			"twice in one file":    io.MultiReader(bytes.NewReader(whole.Bytes()), bytes.NewReader(whole.Bytes())),
			"with more after it":   io.MultiReader(bytes.NewReader(whole.Bytes()), strings.NewReader("more")),
			"without its end":      packed(t, head),
			"with a row too few":   packed(t, head+`{"rows":1}`),
			"of a newer schema":    packed(t, strings.Replace(head, `"schema":1`, `"schema":999`, 1)+`{"rows":0}`),
			"of a newer format":    packed(t, strings.Replace(head, `"version":1`, `"version":2`, 1)+`{"rows":0}`),
			"with a strange table": packed(t, head+`{"table":"atozbot_users","columns":["id"],"row":["x"]}`+"\n"+`{"rows":1}`),
			"with an injection":    packed(t, head+`{"table":"atozbot_accounts","columns":["id) VALUES ('x'); DROP TABLE atozbot_jobs; --"],"row":["x"]}`+"\n"+`{"rows":1}`),
			"with an odd row":      packed(t, head+`{"table":"atozbot_accounts","columns":["id","name"],"row":["x"]}`+"\n"+`{"rows":1}`),
			"with an odd value":    packed(t, head+`{"table":"atozbot_accounts","columns":["id"],"row":[{"a":1}]}`+"\n"+`{"rows":1}`),
		} {
			if _, err := s.Restore(t.Context(), file, noon()); app.CodeOf(err) != app.CodeInvalid {
				t.Errorf("%s: %v", name, err)
			}
			if diff := cmp.Diff(before, shown(t, s)); diff != "" {
				t.Errorf("%s changed the database:\n%s", name, diff)
			}
		}
	})
}

func TestNothingIsRestoredUnderARunningBot(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var file bytes.Buffer
		if _, err := s.Backup(t.Context(), &file, noon()); err != nil {
			t.Fatal(err)
		}
		lease, _, err := s.Acquire(t.Context(), account, "a", noon())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Restore(t.Context(), bytes.NewReader(file.Bytes()), noon()); app.CodeOf(err) != app.CodeConflict {
			t.Errorf("restored under a running bot: %v", err)
		}
		if err := s.Release(t.Context(), lease); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Restore(t.Context(), bytes.NewReader(file.Bytes()), noon()); err != nil {
			t.Error(err)
		}
	})
}
