package vault_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/atozbot/atozbot/app/vault"
)

func open(t *testing.T, keys ...string) *vault.Vault {
	t.Helper()
	v, err := vault.New(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestWhatWasSealedIsOpenedAndNothingElseIs(t *testing.T) {
	v := open(t, "a key")
	keyID, sealed := v.Seal("portal", "hunter2")
	if bytes.Contains(sealed, []byte("hunter2")) {
		t.Error("the secret stands in the clear")
	}
	if text, err := v.Open("portal", keyID, sealed); err != nil || text != "hunter2" {
		t.Errorf("%q %v", text, err)
	}
	if _, again := v.Seal("portal", "hunter2"); bytes.Equal(sealed, again) {
		t.Error("sealing twice gives the same bytes")
	}
	if _, err := v.Open("calendar", keyID, sealed); !errors.Is(err, vault.ErrDamaged) {
		t.Errorf("in the place of another secret: %v", err)
	}
	sealed[len(sealed)-1] ^= 1
	if _, err := v.Open("portal", keyID, sealed); !errors.Is(err, vault.ErrDamaged) {
		t.Errorf("changed: %v", err)
	}
	if _, err := v.Open("portal", keyID, nil); !errors.Is(err, vault.ErrDamaged) {
		t.Errorf("empty: %v", err)
	}
}

func TestKeysCanBeChanged(t *testing.T) {
	before := open(t, "the old key")
	keyID, sealed := before.Seal("portal", "hunter2")
	if _, err := open(t, "the new key").Open("portal", keyID, sealed); !errors.Is(err, vault.ErrUnknownKey) {
		t.Errorf("without the old key: %v", err)
	}
	after := open(t, "the new key", "the old key")
	if text, err := after.Open("portal", keyID, sealed); err != nil || text != "hunter2" {
		t.Errorf("%q %v", text, err)
	}
	if newID, _ := after.Seal("portal", "hunter2"); newID == keyID || newID != after.KeyID() {
		t.Error("the old key still seals")
	}
}

func TestNoKeyIsNoVault(t *testing.T) {
	for _, keys := range [][]string{nil, {""}, {"a", ""}} {
		if _, err := vault.New(keys...); err == nil {
			t.Errorf("%q made a vault", keys)
		}
	}
}

func TestTheKeyFileIsMadeOnceAndForItsOwnerAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret.key")
	keys := make([]string, 8)
	var all sync.WaitGroup
	for i := range keys {
		all.Go(func() {
			key, err := vault.KeyFile(path)
			if err != nil {
				t.Error(err)
			}
			keys[i] = key
		})
	}
	all.Wait()
	for _, key := range keys {
		if key != keys[0] || len(key) != 64 {
			t.Errorf("keys %q", keys)
			break
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if err := os.WriteFile(path, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := vault.KeyFile(path); err == nil {
		t.Error("an empty file is a key")
	}
}
