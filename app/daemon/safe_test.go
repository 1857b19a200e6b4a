package daemon

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/config"
	"github.com/atozbot/atozbot/store"
	"github.com/atozbot/atozbot/store/storetest"
)

const (
	oldKey = "the-old-key-of-32-characters-0001"
	newKey = "the-new-key-of-32-characters-0002"
)

// onBothDatabases runs a test on each. The settings say which it is; more can be added.
func onBothDatabases(t *testing.T, test func(t *testing.T, db *store.Store, settings func(...string) config.Settings)) {
	t.Helper()
	for name, dsn := range map[string]func(testing.TB) string{"SQLite": storetest.SQLite, "PostgreSQL": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			at := dsn(t)
			folder := t.TempDir()
			test(t, storetest.Open(t, at, store.Options{}), func(more ...string) config.Settings {
				return read(t, append([]string{"DATABASE_URL=" + at, "ATOZBOT_DATA_DIR=" + folder}, more...)...)
			})
		})
	}
}

// opened opens a safe with these settings and takes up what is stored, as a start does.
func opened(t *testing.T, db *store.Store, s config.Settings) (*safe, string) {
	t.Helper()
	var out bytes.Buffer
	x := openSafe(s, db, slog.New(slog.NewTextHandler(&out, nil)))
	if err := x.keepUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	return x, out.String()
}

func holds(t *testing.T, x *safe, id, want string) {
	t.Helper()
	if text, err := x.get(t.Context(), id); err != nil || text != want {
		t.Errorf("%s: %q %v, want %q", id, text, err, want)
	}
}

func TestTheKeyOfSecretsIsChangedWithoutLosingAny(t *testing.T) {
	onBothDatabases(t, func(t *testing.T, db *store.Store, settings func(...string) config.Settings) {
		before, _ := opened(t, db, settings("ATOZBOT_SECRET_KEY="+oldKey))
		for _, id := range []string{"portal", "channel"} {
			if err := before.put(t.Context(), id, "text of "+id); err != nil {
				t.Fatal(err)
			}
		}
		between, said := opened(t, db, settings("ATOZBOT_SECRET_KEY="+newKey, "ATOZBOT_SECRET_KEY_PREVIOUS="+oldKey))
		holds(t, between, "portal", "text of portal")
		if !strings.Contains(said, "sealed anew") || !strings.Contains(said, "secrets=2") {
			t.Errorf("it says %s", said)
		}
		after, said := opened(t, db, settings("ATOZBOT_SECRET_KEY="+newKey))
		holds(t, after, "portal", "text of portal")
		holds(t, after, "channel", "text of channel")
		if said != "" {
			t.Errorf("with nothing left to do it says %s", said)
		}
	})
}

func TestReplicasChangeTheirKeyOneByOne(t *testing.T) {
	onBothDatabases(t, func(t *testing.T, db *store.Store, settings func(...string) config.Settings) {
		first, _ := opened(t, db, settings("ATOZBOT_SECRET_KEY="+oldKey, "ATOZBOT_SECRET_KEY_PREVIOUS="+newKey))
		if err := first.put(t.Context(), "portal", "one"); err != nil {
			t.Fatal(err)
		}
		second, _ := opened(t, db, settings("ATOZBOT_SECRET_KEY="+newKey, "ATOZBOT_SECRET_KEY_PREVIOUS="+oldKey))
		holds(t, first, "portal", "one") // Sealed anew by the second under its nose.
		if err := second.put(t.Context(), "portal", "two"); err != nil {
			t.Fatal(err)
		}
		holds(t, first, "portal", "two")
		if err := first.put(t.Context(), "portal", "three"); err != nil {
			t.Fatal(err)
		}
		holds(t, second, "portal", "three")
		if done, err := second.rotate(t.Context()); err != nil || done.resealed != 1 {
			t.Errorf("what the first sealed last: %+v %v", done, err)
		}
		alone, _ := opened(t, db, settings("ATOZBOT_SECRET_KEY="+newKey))
		holds(t, alone, "portal", "three")
	})
}

func TestAWrongKeyLosesNothingAndSaysWhatIsWrong(t *testing.T) {
	onBothDatabases(t, func(t *testing.T, db *store.Store, settings func(...string) config.Settings) {
		ctx := t.Context()
		right, _ := opened(t, db, settings("ATOZBOT_SECRET_KEY="+oldKey))
		path, err := (&feed{db: db, safe: right}).path(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := right.put(ctx, portalSecret, "the log-in"); err != nil {
			t.Fatal(err)
		}

		wrong, said := opened(t, db, settings("ATOZBOT_SECRET_KEY="+newKey))
		for _, part := range []string{"level=ERROR", "2 stored secrets", "they are kept", "ATOZBOT_SECRET_KEY_PREVIOUS"} {
			if !strings.Contains(said, part) {
				t.Errorf("%q is not in %s", part, said)
			}
		}
		if _, err := wrong.get(ctx, portalSecret); app.CodeOf(err) != app.CodeConflict || !strings.Contains(err.Error(), "another key") {
			t.Errorf("%v", err)
		}
		// Who looks at the page of the feed must not replace its secret by that.
		if shown, err := (&feed{db: db, safe: wrong}).path(ctx); app.CodeOf(err) != app.CodeConflict {
			t.Errorf("%q %v", shown, err)
		}
		for _, s := range []config.Settings{settings("ATOZBOT_SECRET_KEY=" + newKey), settings("ATOZBOT_SECRET_KEY=" + oldKey)} {
			d := &doctor{process: Process{Settings: s}}
			d.secrets(ctx, db)
			well := s.SecretKey.Reveal() == oldKey
			if f := d.findings[0]; (f.Status == fine) != well || !well && !strings.Contains(f.Do, "ATOZBOT_SECRET_KEY") {
				t.Errorf("the doctor finds %+v", f)
			}
		}

		again, said := opened(t, db, settings("ATOZBOT_SECRET_KEY="+oldKey))
		holds(t, again, portalSecret, "the log-in")
		if same, err := (&feed{db: db, safe: again}).path(ctx); err != nil || same != path || said != "" {
			t.Errorf("with the right key again: %q %v %q", same, err, said)
		}
	})
}

func TestWithNoKeyOnPostgreSQLWhatIsSealedIsToldAndKept(t *testing.T) {
	at := storetest.Postgres(t)
	db := storetest.Open(t, at, store.Options{})
	folder := t.TempDir()
	first, _ := opened(t, db, read(t, "DATABASE_URL="+at, "ATOZBOT_DATA_DIR="+folder, "ATOZBOT_SECRET_KEY="+oldKey))
	if err := first.put(t.Context(), portalSecret, "the log-in"); err != nil {
		t.Fatal(err)
	}
	bare, said := opened(t, db, read(t, "DATABASE_URL="+at, "ATOZBOT_DATA_DIR="+folder))
	if !strings.Contains(said, "1 stored secret") || !strings.Contains(said, "Set ATOZBOT_SECRET_KEY to the key") {
		t.Errorf("it says %s", said)
	}
	if _, err := bare.get(t.Context(), portalSecret); app.CodeOf(err) != app.CodeConflict {
		t.Errorf("%v", err)
	}
	if _, err := bare.get(t.Context(), "nothing"); app.CodeOf(err) != app.CodeNotFound {
		t.Errorf("%v", err)
	}
}

func TestAKeyInTheFolderGivesWayToOneThatIsSet(t *testing.T) {
	db := storetest.Open(t, storetest.SQLite(t), store.Options{})
	folder := t.TempDir()
	file, _ := opened(t, db, read(t, "ATOZBOT_DATA_DIR="+folder))
	if err := file.put(t.Context(), "x", "text"); err != nil {
		t.Fatal(err)
	}
	opened(t, db, read(t, "ATOZBOT_DATA_DIR="+folder, "ATOZBOT_SECRET_KEY="+newKey))
	if err := os.Remove(filepath.Join(folder, keyFile)); err != nil {
		t.Fatal(err)
	}
	set, _ := opened(t, db, read(t, "ATOZBOT_DATA_DIR="+folder, "ATOZBOT_SECRET_KEY="+newKey))
	holds(t, set, "x", "text")
	// And back again: a new file seals, the key that was set still opens.
	back, _ := opened(t, db, read(t, "ATOZBOT_DATA_DIR="+folder, "ATOZBOT_SECRET_KEY_PREVIOUS="+newKey))
	holds(t, back, "x", "text")
	last, _ := opened(t, db, read(t, "ATOZBOT_DATA_DIR="+folder))
	holds(t, last, "x", "text")
}

func TestSealingAnewTurnsNoChangeBack(t *testing.T) {
	onBothDatabases(t, func(t *testing.T, db *store.Store, settings func(...string) config.Settings) {
		ctx := t.Context()
		before, _ := opened(t, db, settings("ATOZBOT_SECRET_KEY="+oldKey))
		if err := before.put(ctx, "x", "as it was read"); err != nil {
			t.Fatal(err)
		}
		was, err := db.Secret(ctx, "x")
		if err != nil {
			t.Fatal(err)
		}
		if err := before.put(ctx, "x", "as somebody changed it"); err != nil {
			t.Fatal(err)
		}
		later := openSafe(settings("ATOZBOT_SECRET_KEY="+newKey, "ATOZBOT_SECRET_KEY_PREVIOUS="+oldKey), db, slog.New(slog.DiscardHandler))
		keyID, sealed := later.vault.Seal("x", "as it was read")
		if err := db.ResealSecret(ctx, was, keyID, sealed); err != nil {
			t.Fatal(err)
		}
		holds(t, later, "x", "as somebody changed it")
		// Many at once, as replicas do at their start.
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if err := later.keepUp(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		holds(t, later, "x", "as somebody changed it")
	})
}
