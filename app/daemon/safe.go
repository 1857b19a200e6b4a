package daemon

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/config"
	"github.com/atozbot/atozbot/app/vault"
	"github.com/atozbot/atozbot/store"
)

// safe keeps secrets in the database, sealed.
type safe struct {
	db  *store.Store
	now func() time.Time

	vault *vault.Vault // nil where secrets cannot be stored.
	why   *app.Error   // Why they cannot.
}

// keyFile is the key that is made where none is set.
const keyFile = "secret.key"

// openSafe takes the key of the settings, or the one in the data folder. With PostgreSQL
// only the former will do: replicas share the database and not the folder. A key in the
// folder still opens what was sealed before one was set.
func openSafe(s config.Settings, db *store.Store, log *slog.Logger) *safe {
	x := &safe{db: db, now: time.Now}
	path := filepath.Join(s.DataDir, keyFile)
	var keys []string
	if s.SecretKey.IsSet() {
		keys = append(keys, s.SecretKey.Reveal())
	} else if s.DatabaseURL.IsPostgres() {
		x.why = app.Errorf(app.CodeConflict, "Secrets cannot be stored: set ATOZBOT_SECRET_KEY, the same for every replica.")
		return x
	}
	if _, err := os.Stat(path); err == nil || len(keys) == 0 {
		key, err := vault.KeyFile(path)
		switch {
		case err == nil:
			keys = append(keys, key)
		case len(keys) == 0 || !errors.Is(err, fs.ErrNotExist):
			log.Error("the key of secrets cannot be read", "error", err)
		}
	}
	v, err := vault.New(keys...)
	if err != nil {
		x.why = &app.Error{Code: app.CodeConflict, Message: "Secrets cannot be stored: the key in the data folder cannot be read or made.", Err: err}
		return x
	}
	x.vault = v
	return x
}

// put seals a secret and stores it.
func (x *safe) put(ctx context.Context, id, text string) error {
	if x.vault == nil {
		return x.why
	}
	keyID, sealed := x.vault.Seal(id, text)
	return x.db.SaveSecret(ctx, store.Secret{ID: id, KeyID: keyID, Sealed: sealed, UpdatedAt: x.now()})
}

// get gives a secret; CodeNotFound where there is none that can be opened.
func (x *safe) get(ctx context.Context, id string) (string, error) {
	if x.vault == nil {
		return "", app.Errorf(app.CodeNotFound, "There is no such secret.")
	}
	found, err := x.db.Secret(ctx, id)
	if err != nil {
		return "", err
	}
	text, err := x.vault.Open(id, found.KeyID, found.Sealed)
	if err != nil {
		return "", &app.Error{Code: app.CodeNotFound, Message: "The secret was sealed with another key; enter it anew.", Err: err}
	}
	return text, nil
}

// rotate seals anew what an older key sealed.
func (x *safe) rotate(ctx context.Context) error {
	if x.vault == nil {
		return nil
	}
	old, err := x.db.SecretsNotUnder(ctx, x.vault.KeyID())
	if err != nil {
		return err
	}
	for _, secret := range old {
		text, err := x.vault.Open(secret.ID, secret.KeyID, secret.Sealed)
		if err != nil {
			continue // Of a key that is not here; it is told where it is asked for.
		}
		if err := x.put(ctx, secret.ID, text); err != nil {
			return err
		}
	}
	return nil
}

// once makes a text the first time it is asked for.
type once struct {
	mu   sync.Mutex
	text string
}

// get gives the text; make's error is not kept.
func (o *once) get(make func() (string, error)) (string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.text != "" {
		return o.text, nil
	}
	text, err := make()
	if err == nil {
		o.text = text
	}
	return text, err
}

// set replaces it.
func (o *once) set(text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = text
}
