package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/store"
)

// remembered is what a mirror knows.
type remembered struct {
	secrets             map[string]store.Secret
	calendars, channels []store.Connection
}

func (r remembered) Secret(_ context.Context, id string) (store.Secret, error) {
	found, ok := r.secrets[id]
	if !ok {
		return found, app.Errorf(app.CodeNotFound, "There is no such secret.")
	}
	return found, nil
}

func (r remembered) Calendars(context.Context, string) ([]store.Connection, error) {
	return r.calendars, nil
}

func (r remembered) Channels(context.Context, string) ([]store.Connection, error) {
	return r.channels, nil
}

func TestWithoutTheDatabaseTheMirrorSaysWhatIsBusyWhoLogsInAndWhoIsTold(t *testing.T) {
	s := read(t, "DATABASE_URL=postgres://u:p@127.0.0.1:1/d", "ATOZBOT_DATA_DIR="+t.TempDir(), "ATOZBOT_SECRET_KEY="+newKey)
	away, err := store.Open(dsn(s), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer away.Close()
	log := slog.New(slog.DiscardHandler)
	x := openSafe(s, away, log)
	client, err := openPortal(s)
	if err != nil {
		t.Fatal(err)
	}
	book := &rulebook{source: away, account: app.DefaultAccountID, log: log}
	account := newAccount(s, x, client, book, newFigures(), log)
	busy := &busyBook{db: away, safe: x, account: app.DefaultAccountID, book: book, now: time.Now, log: log}
	told := &channels{db: away, safe: x, account: app.DefaultAccountID, now: time.Now, figures: newFigures()}
	if err := busy.takeOver(t.Context()); app.CodeOf(err) != app.CodeUnavailable {
		t.Errorf("with neither of them: %v", err)
	}

	begins := time.Now().UTC().Add(72 * time.Hour).Truncate(time.Hour)
	seal := func(id, text string) store.Secret {
		keyID, sealed := x.vault.Seal(id, text)
		return store.Secret{ID: id, KeyID: keyID, Sealed: sealed}
	}
	known := remembered{
		secrets: map[string]store.Secret{
			portalSecret: seal(portalSecret, `{"base_url":"https://portal.example","username":"anna","password":"hunter2"}`),
			"n":          seal("n", "ntfy://ntfy.sh/topic"),
		},
		calendars: []store.Connection{{ID: "c", Name: "private", Enabled: true, Body: fmt.Sprintf(
			"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:%s\r\nDTEND:%s\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
			begins.Format("20060102T150405Z"), begins.Add(time.Hour).Format("20060102T150405Z"))}},
		channels: []store.Connection{{ID: "n", Name: "phone", Enabled: true, Body: `{"events":["accepted"]}`}},
	}
	x.mirror, busy.mirror, told.mirror = known, known, known
	h := &house{busy: busy, account: account, log: log}
	h.takeUpMirror(t.Context())
	if bookings := busy.bookings(); len(bookings) != 1 || !bookings[0].StartsAt.Equal(begins) {
		t.Errorf("busy is %+v", bookings)
	}
	if err := account.credentials(); err != nil {
		t.Errorf("nobody can log in: %v", err)
	}
	inForce := account.inForce.Load()
	h.takeUpMirror(t.Context())
	if account.inForce.Load() != inForce {
		t.Error("the same log-in is put in force anew, and logged out by that")
	}
	if all, err := told.Channels(t.Context()); err != nil || len(all) != 1 || all[0].Address != "ntfy://ntfy.sh/topic" {
		t.Errorf("told are %+v, %v", all, err)
	}
}
