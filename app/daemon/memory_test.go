package daemon

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app/config"
)

func TestRefusedLogInDataAreRememberedUntilTheyAreOthers(t *testing.T) {
	folder := t.TempDir()
	account := func(user, password string) memory {
		a := &account{settings: config.Settings{DataDir: folder}, log: slog.New(slog.DiscardHandler)}
		a.inForce.Store(&logIn{stored: stored{BaseURL: "https://portal.example.com", Username: user, Password: password}})
		return newMemory(a)
	}
	wrong := account("jo@example.com", "not this one")
	if wrong.Refused() != 0 {
		t.Error("nothing was refused yet")
	}
	wrong.NoteRefused(1)
	wrong.NoteRefused(2)
	if got := account("jo@example.com", "not this one").Refused(); got != 2 {
		t.Errorf("after a restart %d refusals are remembered", got)
	}
	for name, other := range map[string]memory{
		"another password": account("jo@example.com", "this one"),
		"another name":     account("jane@example.com", "not this one"),
	} {
		if got := other.Refused(); got != 0 {
			t.Errorf("%s counts as refused %d times", name, got)
		}
	}

	path := filepath.Join(folder, refusedFile)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "not this one") || strings.Contains(string(text), "jo@") {
		t.Errorf("the file gives the log-in data away: %s", text)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v, %v", info.Mode(), err)
	}

	wrong.NoteRefused(0)
	if _, err := os.Stat(path); err == nil || wrong.Refused() != 0 {
		t.Error("it is not forgotten")
	}
	if err := os.WriteFile(path, []byte("{broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if wrong.Refused() != 0 {
		t.Error("a file that cannot be read counts")
	}
}

func TestLogInDataThatAreSavedDuringTheLastTryAreNotTheRefusedOnes(t *testing.T) {
	_, account, _, _ := deskOf(t, "ALLOW_PRIVATE_ADDRESSES=true")
	kept := newMemory(account)
	wrong := stored{BaseURL: "http://127.0.0.1:1", Username: "jo@example.com", Password: "not this one"}
	right := wrong
	right.Password = "this one"
	if err := account.use(wrong); err != nil {
		t.Fatal(err)
	}
	if err := account.LogIn(t.Context()); err == nil {
		t.Fatal("a portal that is not there lets in")
	}
	if err := account.use(right); err != nil { // While the answer to the wrong one is on its way.
		t.Fatal(err)
	}
	kept.NoteRefused(2)
	if got := kept.Refused(); got != 0 {
		t.Errorf("what was never tried counts as refused %d times", got)
	}
	if err := account.use(wrong); err != nil {
		t.Fatal(err)
	}
	if got := kept.Refused(); got != 2 {
		t.Errorf("what was tried counts as refused %d times", got)
	}
	files, err := os.ReadDir(account.settings.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasPrefix(file.Name(), "."+refusedFile) {
			t.Errorf("%s was left behind", file.Name())
		}
	}
}

func TestThePortalsWishToBeLeftAloneIsKeptWhileItLasts(t *testing.T) {
	kept := newMemory(&account{settings: config.Settings{DataDir: t.TempDir()}, log: slog.New(slog.DiscardHandler)})
	if got := kept.Quiet(); !got.IsZero() {
		t.Errorf("nothing was wished for, and it is quiet until %s", got)
	}
	for name, c := range map[string]struct {
		wait time.Duration
		kept bool
	}{
		"for an hour":                    {time.Hour, true},
		"until a moment ago":             {-time.Second, false},
		"from a clock that was set back": {30 * 24 * time.Hour, false},
		"no more":                        {0, false},
	} {
		until := time.Now().Add(c.wait)
		if c.wait == 0 {
			kept.NoteQuiet(time.Now().Add(time.Hour))
			until = time.Time{}
		}
		kept.NoteQuiet(until)
		got := kept.Quiet()
		if got.Equal(until) != (c.kept || c.wait == 0) {
			t.Errorf("%s: it is quiet until %s, and was to be until %s", name, got, until)
		}
		if _, err := os.Stat(kept.silent); (err == nil) != c.kept {
			t.Errorf("%s: the file: %v", name, err)
		}
	}
}
