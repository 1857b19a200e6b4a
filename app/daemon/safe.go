package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/config"
	"github.com/atozbot/atozbot/app/vault"
	"github.com/atozbot/atozbot/store"
)

// safe keeps secrets in the database, sealed.
type safe struct {
	db *store.Store
	// mirror is asked while the database is away; nil where there is none.
	mirror mirror
	now    func() time.Time
	log    *slog.Logger

	vault *vault.Vault // nil where secrets cannot be stored.
	why   *app.Error   // Why they cannot.
}

// mirror has what is connected at hand while the database is away.
type mirror interface {
	Secret(ctx context.Context, id string) (store.Secret, error)
	Calendars(ctx context.Context, accountID string) ([]store.Connection, error)
	Channels(ctx context.Context, accountID string) ([]store.Connection, error)
}

// keyFile is the key that is made where none is set.
const keyFile = "secret.key"

// openSafe takes the key of the settings, or the one in the data folder. With PostgreSQL
// only the former will do: replicas share the database and not the folder. The key before
// it, and one in the folder, still open what they sealed.
func openSafe(s config.Settings, db *store.Store, log *slog.Logger) *safe {
	x := &safe{db: db, now: time.Now, log: log}
	if !s.SecretKey.IsSet() {
		if s.DatabaseURL.IsPostgres() {
			x.why = app.Errorf(app.CodeConflict, "Secrets cannot be stored or opened: set ATOZBOT_SECRET_KEY, the same for every replica.")
			return x
		}
		if _, err := vault.KeyFile(filepath.Join(s.DataDir, keyFile)); err != nil {
			x.why = &app.Error{Code: app.CodeConflict, Message: "Secrets cannot be stored or opened: the key in the data folder cannot be read or made.", Err: err}
			return x
		}
	}
	keys, err := keysAtHand(s)
	if err != nil {
		log.Error("the key in the data folder cannot be read, and opens nothing", "error", err)
	}
	if x.vault, err = vault.New(keys...); err != nil {
		x.why = &app.Error{Code: app.CodeConflict, Message: "Secrets cannot be stored or opened: there is no key.", Err: err}
	}
	return x
}

// keysAtHand are the keys that there are, the one that seals first. It makes none.
func keysAtHand(s config.Settings) ([]string, error) {
	var keys []string
	if s.SecretKey.IsSet() {
		keys = append(keys, s.SecretKey.Reveal())
	}
	path := filepath.Join(s.DataDir, keyFile)
	_, err := os.Stat(path)
	if err == nil {
		var key string
		if key, err = vault.KeyFile(path); err == nil {
			keys = append(keys, key)
		}
	}
	if s.SecretKeyPrevious.IsSet() {
		keys = append(keys, s.SecretKeyPrevious.Reveal())
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return keys, err
}

// put seals a secret and stores it.
func (x *safe) put(ctx context.Context, id, text string) error {
	return x.seal(id, text, func(s store.Secret) error { return x.db.SaveSecret(ctx, s) })
}

// putFirst is put where there is none yet, and else does nothing.
func (x *safe) putFirst(ctx context.Context, id, text string) error {
	return x.seal(id, text, func(s store.Secret) error { return x.db.AddSecret(ctx, s) })
}

func (x *safe) seal(id, text string, keep func(store.Secret) error) error {
	if x.vault == nil {
		return x.why
	}
	keyID, sealed := x.vault.Seal(id, text)
	return keep(store.Secret{ID: id, KeyID: keyID, Sealed: sealed, UpdatedAt: x.now()})
}

// get gives a secret; CodeNotFound where there is none, and CodeConflict where there is
// one that cannot be opened: it is kept, since the right key may come back.
func (x *safe) get(ctx context.Context, id string) (string, error) {
	found, err := x.db.Secret(ctx, id)
	if app.CodeOf(err) == app.CodeUnavailable && x.mirror != nil {
		found, err = x.mirror.Secret(ctx, id)
	}
	if err != nil {
		return "", err
	}
	if x.vault == nil {
		return "", x.why
	}
	text, err := x.vault.Open(id, found.KeyID, found.Sealed)
	switch {
	case errors.Is(err, vault.ErrUnknownKey):
		return "", &app.Error{Code: app.CodeConflict, Message: "It was sealed with another key than the one that is set: set that one too, as ATOZBOT_SECRET_KEY_PREVIOUS, or enter it anew.", Err: err}
	case err != nil:
		return "", &app.Error{Code: app.CodeConflict, Message: "It is not as it was sealed, and cannot be opened: enter it anew.", Err: err}
	}
	return text, nil
}

// rotation is what became of the secrets that are not under the key in force.
type rotation struct {
	resealed int
	closed   int // Those that no key here opens; they stay as they are.
}

// rotate seals anew what an older key sealed.
func (x *safe) rotate(ctx context.Context) (rotation, error) {
	if x.vault == nil {
		n, err := x.closed(ctx)
		return rotation{closed: n}, err
	}
	var done rotation
	keyID := x.vault.KeyID()
	old, err := x.db.SecretsNotUnder(ctx, keyID)
	if err != nil {
		return done, err
	}
	for _, was := range old {
		text, err := x.vault.Open(was.ID, was.KeyID, was.Sealed)
		if err != nil {
			done.closed++
			continue
		}
		_, sealed := x.vault.Seal(was.ID, text)
		// One that somebody has changed meanwhile is not turned back.
		if err := x.db.ResealSecret(ctx, was, keyID, sealed); err != nil {
			return done, err
		}
		done.resealed++
	}
	return done, nil
}

// closed counts the secrets that no key here opens. It changes nothing.
func (x *safe) closed(ctx context.Context) (int, error) {
	if x.vault == nil {
		all, err := x.db.SecretsNotUnder(ctx, "")
		return len(all), err
	}
	old, err := x.db.SecretsNotUnder(ctx, x.vault.KeyID())
	n := 0
	for _, was := range old {
		if _, err := x.vault.Open(was.ID, was.KeyID, was.Sealed); err != nil {
			n++
		}
	}
	return n, err
}

// keepUp rotates, and tells what a person should know of it.
func (x *safe) keepUp(ctx context.Context) error {
	done, err := x.rotate(ctx)
	if done.resealed > 0 {
		x.log.Info("secrets were sealed anew under the key in force; once this is so on every replica, ATOZBOT_SECRET_KEY_PREVIOUS can be left out", "secrets", done.resealed)
	}
	if done.closed > 0 {
		found, do := x.closedWords(done.closed)
		x.log.Error(found, "do", do)
	}
	return err
}

// closedWords says what is wrong where secrets cannot be opened, that nothing is lost,
// and what to do.
func (x *safe) closedWords(n int) (found, do string) {
	found = fmt.Sprintf("%d stored secrets (the portal's log-in, notifications, calendars) were sealed with another key and cannot be used; they are kept", n)
	if n == 1 {
		found = "1 stored secret (the portal's log-in, a notification or a calendar) was sealed with another key and cannot be used; it is kept"
	}
	if x.vault == nil {
		return found, "Set ATOZBOT_SECRET_KEY to the key that sealed them."
	}
	return found, "Set ATOZBOT_SECRET_KEY back to that key (or bring back " + keyFile + " in the data folder), or set that one as ATOZBOT_SECRET_KEY_PREVIOUS beside the new one."
}
