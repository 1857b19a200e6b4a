package store_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/store"
	"github.com/atozbot/atozbot/store/storetest"
)

func user(name string) store.User {
	return store.User{ID: app.NewID(noon()), Name: name, PasswordHash: "$argon2id$…", Settings: `{"zone":"Europe/London"}`, CreatedAt: noon(), UpdatedAt: noon()}
}

func TestOnlyOneCanBeTheFirstUser(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		if has, err := s.HasUsers(t.Context()); err != nil || has {
			t.Fatal(has, err)
		}
		var group errgroup.Group
		var won atomic.Int64
		for i := range 8 {
			group.Go(func() error {
				err := s.AddFirstUser(context.Background(), user(fmt.Sprint("user", i)))
				if err == nil {
					won.Add(1)
				} else if app.CodeOf(err) != app.CodeConflict {
					return err
				}
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
		if has, err := s.HasUsers(t.Context()); won.Load() != 1 || err != nil || !has {
			t.Errorf("%d became the first user, %v", won.Load(), err)
		}
	})
}

func TestUsersAreKnownByNameCaseAside(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ana := user("Ana")
		if err := s.AddUser(t.Context(), ana); err != nil {
			t.Fatal(err)
		}
		if err := s.AddUser(t.Context(), user(" ANA ")); app.CodeOf(err) != app.CodeConflict {
			t.Errorf("a second Ana: %v", err)
		}
		ana.Version = 1
		if got, err := s.UserNamed(t.Context(), "aNa"); err != nil || !cmp.Equal(ana, got) {
			t.Error(cmp.Diff(ana, got), err)
		}
		if _, err := s.UserNamed(t.Context(), "ben"); app.CodeOf(err) != app.CodeNotFound {
			t.Errorf("ben: %v", err)
		}
		ana.PasswordHash = "another"
		changed, err := s.SaveUser(t.Context(), ana, noon().Add(time.Hour))
		if err != nil || changed.Version != 2 || changed.PasswordHash != "another" {
			t.Fatal(changed, err)
		}
		if _, err := s.SaveUser(t.Context(), ana, noon()); app.CodeOf(err) != app.CodeConflict {
			t.Errorf("an old copy was saved: %v", err)
		}
		if err := s.SignedIn(t.Context(), ana.ID, noon()); err != nil {
			t.Fatal(err)
		}
		if all, err := s.Users(t.Context()); err != nil || len(all) != 1 || !all[0].LastSignInAt.Equal(noon()) {
			t.Error(all, err)
		}
		in := store.SignIn{TokenHash: "h", UserID: ana.ID, ExpiresAt: noon().Add(time.Hour)}
		if err := s.SaveSignIn(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteUser(t.Context(), ana.ID); err != nil {
			t.Fatal(err)
		}
		if _, found, err := s.FindSignIn(t.Context(), "h", noon()); err != nil || found {
			t.Errorf("a deleted user is still signed in: %v, %v", found, err)
		}
		if err := s.DeleteUser(t.Context(), ana.ID); app.CodeOf(err) != app.CodeNotFound {
			t.Errorf("deleted twice: %v", err)
		}
	})
}

func TestASignInEndsWithItsTimeOrEverywhereAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for i := range 3 {
			in := store.SignIn{TokenHash: fmt.Sprint("h", i), UserID: "ana", Data: []byte{0, 255, 1}, ExpiresAt: noon().Add(time.Duration(i) * time.Hour)}
			if err := s.SaveSignIn(t.Context(), in); err != nil {
				t.Fatal(err)
			}
		}
		got, found, err := s.FindSignIn(t.Context(), "h1", noon())
		want := store.SignIn{TokenHash: "h1", UserID: "ana", Data: []byte{0, 255, 1}, ExpiresAt: noon().Add(time.Hour)}
		if err != nil || !found || !cmp.Equal(want, got) {
			t.Error(cmp.Diff(want, got), found, err)
		}
		if _, found, err := s.FindSignIn(t.Context(), "h0", noon()); err != nil || found {
			t.Errorf("expired: %v, %v", found, err)
		}
		if all, err := s.SignIns(t.Context(), "ana", noon()); err != nil || len(all) != 2 {
			t.Error(all, err)
		}
		if n, err := s.SignOutEverywhere(t.Context(), "ana", "h1"); err != nil || n != 2 {
			t.Errorf("signed out %d, %v", n, err)
		}
		if _, found, err := s.FindSignIn(t.Context(), "h1", noon()); err != nil || !found {
			t.Errorf("this browser was signed out too: %v", err)
		}
		if err := s.PruneSignIns(t.Context(), noon().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if _, found, _ := s.FindSignIn(t.Context(), "h1", noon()); found {
			t.Error("an expired sign-in was kept")
		}
	})
}

func TestAUseThatIsNotedLateBringsNoSignInBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		in := store.SignIn{TokenHash: "hash", UserID: "u", Data: []byte("{}"), ExpiresAt: noon().Add(time.Hour)}
		if err := s.SaveSignIn(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		in.ExpiresAt = noon().Add(2 * time.Hour)
		if err := s.SeenSignIn(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		if got, found, err := s.FindSignIn(t.Context(), "hash", noon().Add(90*time.Minute)); err != nil || !found || !got.ExpiresAt.Equal(in.ExpiresAt) {
			t.Errorf("%+v %v %v", got, found, err)
		}
		if _, err := s.SignOutEverywhere(t.Context(), "u", ""); err != nil {
			t.Fatal(err)
		}
		if err := s.SeenSignIn(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		if _, found, err := s.FindSignIn(t.Context(), "hash", noon()); err != nil || found {
			t.Errorf("who signed out everywhere is in again (%v)", err)
		}
	})
}

func TestFailedSignInsAreCountedByAddressAndByName(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		try := func(address, name string, minute int, success bool) {
			t.Helper()
			at := noon().Add(time.Duration(minute) * time.Minute)
			if err := s.AddSignInAttempt(t.Context(), store.SignInAttempt{ID: app.NewID(at), Address: address, Name: name, At: at, Success: success}); err != nil {
				t.Fatal(err)
			}
		}
		try("10.0.0.1", "ana", 0, false)
		try("10.0.0.1", "Ana ", 5, false)
		try("10.0.0.1", "ana", 6, true)
		try("10.0.0.1", "ANA", 7, false)
		try("10.0.0.2", "ana", 8, false)
		byAddress, byName, err := s.FailedSignIns(t.Context(), "10.0.0.1", "ana", noon().Add(time.Minute))
		if err != nil || byAddress != 2 || byName != 2 {
			t.Errorf("by address %d, by name %d, %v", byAddress, byName, err)
		}
		// One that was noted as failed before it was looked at, and was right.
		at := noon().Add(9 * time.Minute)
		id := app.NewID(at)
		if err := s.AddSignInAttempt(t.Context(), store.SignInAttempt{ID: id, Address: "10.0.0.1", Name: "ana", At: at}); err != nil {
			t.Fatal(err)
		}
		if err := s.SignInSucceeded(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if byAddress, byName, err = s.FailedSignIns(t.Context(), "10.0.0.1", "ana", noon().Add(time.Minute)); err != nil || byAddress != 2 || byName != 0 {
			t.Errorf("after a success: by address %d, by name %d, %v", byAddress, byName, err)
		}
		if err := s.SignInSucceeded(t.Context(), "none"); app.CodeOf(err) != app.CodeNotFound {
			t.Errorf("of a try that is none: %v", err)
		}
		// One that nobody looked at counts for its address alone.
		at = noon().Add(10 * time.Minute)
		id = app.NewID(at)
		if err := s.AddSignInAttempt(t.Context(), store.SignInAttempt{ID: id, Address: "10.0.0.1", Name: "ana", At: at}); err != nil {
			t.Fatal(err)
		}
		if err := s.SignInUnseen(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if byAddress, byName, err = s.FailedSignIns(t.Context(), "10.0.0.1", "ana", noon().Add(time.Minute)); err != nil || byAddress != 3 || byName != 0 {
			t.Errorf("after one that was not looked at: by address %d, by name %d, %v", byAddress, byName, err)
		}
		if err := s.SignInUnseen(t.Context(), "none"); app.CodeOf(err) != app.CodeNotFound {
			t.Errorf("of a try that is none: %v", err)
		}
	})
}

func TestATokenIsFoundByItsHashUntilItIsRevoked(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		token := store.Token{ID: app.NewID(noon()), Name: "script", Hint: "atz_1234", Scope: "read", CreatedBy: "ana", CreatedAt: noon(), ExpiresAt: noon().Add(time.Hour)}
		if err := s.AddToken(t.Context(), token, "hash"); err != nil {
			t.Fatal(err)
		}
		other := token
		other.ID = app.NewID(noon())
		if err := s.AddToken(t.Context(), other, "hash"); app.CodeOf(err) != app.CodeConflict {
			t.Errorf("the same token twice: %v", err)
		}
		if got, err := s.TokenByHash(t.Context(), "hash"); err != nil || !cmp.Equal(token, got) {
			t.Error(cmp.Diff(token, got), err)
		}
		for _, minute := range []int{5, 3} { // A use that is told late does not go back.
			if err := s.TokenUsed(t.Context(), token.ID, noon().Add(time.Duration(minute)*time.Minute)); err != nil {
				t.Fatal(err)
			}
		}
		for _, hour := range []int{1, 2} {
			if err := s.RevokeToken(t.Context(), token.ID, noon().Add(time.Duration(hour)*time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		token.LastUsedAt, token.RevokedAt = noon().Add(5*time.Minute), noon().Add(time.Hour)
		page, err := s.Tokens(t.Context(), store.Window{})
		if err != nil || page.Total != 1 || !cmp.Equal([]store.Token{token}, page.Items) {
			t.Error(cmp.Diff([]store.Token{token}, page.Items), err)
		}
		if err := s.RevokeToken(t.Context(), "none", noon()); app.CodeOf(err) != app.CodeNotFound {
			t.Errorf("revoke what is not there: %v", err)
		}
		if _, err := s.TokenByHash(t.Context(), "none"); app.CodeOf(err) != app.CodeNotFound {
			t.Errorf("a token that is not there: %v", err)
		}
	})
}

func TestTheAuditLogCanOnlyBeAddedTo(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		s := storetest.Open(t, dsn, store.Options{})
		entry := store.AuditEntry{
			ID: app.NewID(noon()), At: noon(), Kind: "user", Who: "ana", WhoID: "1", What: "bot.start", Subject: "session", Before: `{}`, After: `{"a":1}`, RequestID: "r", Address: "10.0.0.1",
		}
		second := entry
		second.ID, second.At, second.What = app.NewID(noon()), noon().Add(time.Minute), "bot.stop"
		for _, e := range []store.AuditEntry{entry, second, entry} {
			if err := s.AddAudit(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		page, err := s.Audit(t.Context(), store.AuditFilter{Who: "ana", Since: noon()})
		if err != nil || page.Total != 2 || !cmp.Equal([]store.AuditEntry{second, entry}, page.Items) {
			t.Error(cmp.Diff([]store.AuditEntry{second, entry}, page.Items), err)
		}
		if page, err := s.Audit(t.Context(), store.AuditFilter{What: "bot.stop", Until: noon().Add(time.Second)}); err != nil || page.Total != 0 {
			t.Error(page, err)
		}
		db := raw(t, dsn)
		for _, statement := range []string{`UPDATE atozbot_audit SET who = 'nobody'`, `DELETE FROM atozbot_audit`} {
			if _, err := db.ExecContext(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "can only be added to") {
				t.Errorf("%s: %v", statement, err)
			}
		}
	})
}

func TestSecretsStayAsTheyWereSealed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		secret := store.Secret{ID: "portal", KeyID: "k1", Sealed: []byte{0, 1, 2, 255}, UpdatedAt: noon()}
		if err := s.SaveSecret(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Secret(t.Context(), "portal"); err != nil || !cmp.Equal(secret, got) {
			t.Error(cmp.Diff(secret, got), err)
		}
		if old, err := s.SecretsNotUnder(t.Context(), "k2"); err != nil || !cmp.Equal([]store.Secret{secret}, old) {
			t.Error(old, err)
		}
		secret.KeyID = "k2"
		if err := s.SaveSecret(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
		if old, err := s.SecretsNotUnder(t.Context(), "k2"); err != nil || len(old) != 0 {
			t.Error(old, err)
		}
		if err := s.DeleteSecret(t.Context(), "portal"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Secret(t.Context(), "portal"); app.CodeOf(err) != app.CodeNotFound {
			t.Error(err)
		}
	})
}

func TestCalendarsAndChannelsGoWithTheirSecrets(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c := store.Connection{ID: "c1", AccountID: account, Name: "Private", Kind: "url", Body: "BEGIN:VCALENDAR", Enabled: true, CreatedAt: noon(), UpdatedAt: noon(), Version: 1}
		if err := s.SaveCalendar(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if err := s.SaveSecret(t.Context(), store.Secret{ID: "c1", KeyID: "k", Sealed: []byte("x"), UpdatedAt: noon()}); err != nil {
			t.Fatal(err)
		}
		if err := s.CalendarFetched(t.Context(), "c1", "", "no answer", noon().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		c.UsedAt, c.LastError = noon().Add(time.Hour), "no answer"
		if got, err := s.Calendars(t.Context(), account); err != nil || !cmp.Equal([]store.Connection{c}, got) {
			t.Error(cmp.Diff([]store.Connection{c}, got), err)
		}
		if err := s.CalendarFetched(t.Context(), "c1", "BEGIN:VCALENDAR 2", "", noon().Add(2*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Calendars(t.Context(), account); err != nil || got[0].Body != "BEGIN:VCALENDAR 2" || got[0].LastError != "" {
			t.Error(got, err)
		}
		if err := s.DeleteCalendar(t.Context(), "c1"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Secret(t.Context(), "c1"); app.CodeOf(err) != app.CodeNotFound {
			t.Errorf("its address was kept: %v", err)
		}
		ch := store.Connection{ID: "n1", AccountID: account, Name: "Phone", Kind: "webpush", Body: `{"on":["job_accepted"]}`, CreatedAt: noon(), UpdatedAt: noon(), Version: 1}
		if err := s.SaveChannel(t.Context(), ch); err != nil {
			t.Fatal(err)
		}
		if err := s.ChannelSent(t.Context(), "n1", "", noon()); err != nil {
			t.Fatal(err)
		}
		ch.UsedAt = noon()
		if got, err := s.Channels(t.Context(), account); err != nil || !cmp.Equal([]store.Connection{ch}, got) {
			t.Error(cmp.Diff([]store.Connection{ch}, got), err)
		}
		if err := s.DeleteChannel(t.Context(), "n1"); err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteChannel(t.Context(), "n1"); app.CodeOf(err) != app.CodeNotFound {
			t.Error(err)
		}
	})
}
