package daemon

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/api"
	"github.com/atozbot/atozbot/app/web"
	"github.com/atozbot/atozbot/store"
)

// webSignIns keeps who may come in.
type webSignIns struct {
	db      *store.Store
	now     func() time.Time
	figures *figures
}

// AnyUser tells whether sign-in is set up.
func (w *webSignIns) AnyUser(ctx context.Context) (bool, error) { return w.db.HasUsers(ctx) }

// User gives a user by name.
func (w *webSignIns) User(ctx context.Context, name string) (web.User, error) {
	u, err := w.db.UserNamed(ctx, name)
	return web.User{Name: u.Name, PasswordHash: u.PasswordHash, CreatedAt: u.CreatedAt}, err
}

// AddFirstUser stores the first user.
func (w *webSignIns) AddFirstUser(ctx context.Context, u web.User) error {
	return w.db.AddFirstUser(ctx, store.User{
		ID: app.NewID(u.CreatedAt), Name: u.Name, PasswordHash: u.PasswordHash, CreatedAt: u.CreatedAt, UpdatedAt: u.CreatedAt,
	})
}

// SetPassword replaces the hash of a user's password.
func (w *webSignIns) SetPassword(ctx context.Context, name, hash string) error {
	u, err := w.db.UserNamed(ctx, name)
	if err != nil {
		return err
	}
	u.PasswordHash = hash
	_, err = w.db.SaveUser(ctx, u, w.now())
	return err
}

// AddSignIn stores a sign-in.
func (w *webSignIns) AddSignIn(ctx context.Context, s web.SignIn) error {
	u, err := w.db.UserNamed(ctx, s.User)
	if err != nil {
		return err
	}
	in, err := storedSignIn(u.ID, s)
	if err != nil {
		return err
	}
	if err := w.db.SaveSignIn(ctx, in); err != nil {
		return err
	}
	return w.db.SignedIn(ctx, u.ID, s.CreatedAt)
}

// storedSignIn is a sign-in as it is stored.
func storedSignIn(userID string, s web.SignIn) (store.SignIn, error) {
	data, err := json.Marshal(s)
	return store.SignIn{TokenHash: s.Key, UserID: userID, Data: data, ExpiresAt: s.ExpiresAt}, err
}

// SignIn gives a sign-in by its key.
func (w *webSignIns) SignIn(ctx context.Context, key string) (web.SignIn, error) {
	in, found, err := w.db.FindSignIn(ctx, key, w.now())
	switch {
	case err != nil:
		return web.SignIn{}, err
	case !found:
		return web.SignIn{}, app.Errorf(app.CodeNotFound, "There is no such sign-in.")
	}
	return signInOf(in)
}

func signInOf(in store.SignIn) (web.SignIn, error) {
	var s web.SignIn
	if err := json.Unmarshal(in.Data, &s); err != nil {
		return web.SignIn{}, &app.Error{Code: app.CodeNotFound, Message: "There is no such sign-in.", Err: err}
	}
	s.Key, s.ExpiresAt = in.TokenHash, in.ExpiresAt
	return s, nil
}

// SeenSignIn notes its use.
func (w *webSignIns) SeenSignIn(ctx context.Context, key string, at, expires time.Time) error {
	in, found, err := w.db.FindSignIn(ctx, key, w.now())
	if err != nil || !found {
		return err
	}
	s, err := signInOf(in)
	if err != nil {
		return err
	}
	s.SeenAt, s.ExpiresAt = at, expires
	if in, err = storedSignIn(in.UserID, s); err != nil {
		return err
	}
	return w.db.SeenSignIn(ctx, in)
}

// SignIns gives those of a user, newest first.
func (w *webSignIns) SignIns(ctx context.Context, user string) ([]web.SignIn, error) {
	u, err := w.db.UserNamed(ctx, user)
	if err != nil {
		return nil, err
	}
	all, err := w.db.SignIns(ctx, u.ID, w.now())
	if err != nil {
		return nil, err
	}
	var shown []web.SignIn
	for _, in := range all {
		if s, err := signInOf(in); err == nil {
			shown = append(shown, s)
		}
	}
	return shown, nil
}

// EndSignIn ends one sign-in.
func (w *webSignIns) EndSignIn(ctx context.Context, key string) error {
	return w.db.DeleteSignIn(ctx, key)
}

// EndSignIns ends all of a user.
func (w *webSignIns) EndSignIns(ctx context.Context, user string) error {
	u, err := w.db.UserNamed(ctx, user)
	if err != nil {
		return err
	}
	_, err = w.db.SignOutEverywhere(ctx, u.ID, "")
	return err
}

// FailedAttempts counts the failed attempts since then.
func (w *webSignIns) FailedAttempts(ctx context.Context, address, account string, since time.Time) (byAddress, byAccount int, err error) {
	a, n, err := w.db.FailedSignIns(ctx, address, account, since)
	return int(a), int(n), err
}

// AddAttempt notes one as failed.
func (w *webSignIns) AddAttempt(ctx context.Context, address, account string, at time.Time) (string, error) {
	id := app.NewID(at)
	w.figures.signIns.add("tried")
	return id, w.db.AddSignInAttempt(ctx, store.SignInAttempt{ID: id, At: at, Address: address, Name: account})
}

// AttemptSucceeded says that it was not.
func (w *webSignIns) AttemptSucceeded(ctx context.Context, id string) error {
	w.figures.signIns.add("succeeded")
	return w.db.SignInSucceeded(ctx, id)
}

// AttemptUnseen says that it counts for its address alone.
func (w *webSignIns) AttemptUnseen(ctx context.Context, id string) error {
	return w.db.SignInUnseen(ctx, id)
}

// apiTokens are the stored bearer tokens.
type apiTokens struct{ db *store.Store }

func apiToken(t store.Token) api.Token {
	return api.Token{
		ID: t.ID, Name: t.Name, Scope: api.Scope(t.Scope), CreatedBy: t.CreatedBy, CreatedAt: t.CreatedAt,
		ExpiresAt: t.ExpiresAt, LastUsedAt: t.LastUsedAt, RevokedAt: t.RevokedAt,
	}
}

// TokenByHash gives the token with this hash.
func (a apiTokens) TokenByHash(ctx context.Context, hash string) (api.Token, error) {
	t, err := a.db.TokenByHash(ctx, hash)
	return apiToken(t), err
}

// Tokens lists them, newest first.
func (a apiTokens) Tokens(ctx context.Context, w api.Window) (api.Page[api.Token], error) {
	page, err := a.db.Tokens(ctx, storeWindow(w))
	return apiPage(page, err, apiToken)
}

// AddToken stores one under the hash of its secret.
func (a apiTokens) AddToken(ctx context.Context, t api.Token, hash string) error {
	return a.db.AddToken(ctx, store.Token{ID: t.ID, Name: t.Name, Scope: string(t.Scope), CreatedBy: t.CreatedBy, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt}, hash)
}

// RevokeToken marks it revoked.
func (a apiTokens) RevokeToken(ctx context.Context, id string, at time.Time) error {
	return a.db.RevokeToken(ctx, id, at)
}

// TokenUsed notes the last use.
func (a apiTokens) TokenUsed(ctx context.Context, id string, at time.Time) error {
	return a.db.TokenUsed(ctx, id, at)
}

// webTokens are the same for the pages.
type webTokens struct {
	db  *store.Store
	now func() time.Time
}

// Tokens lists them, newest first.
func (w webTokens) Tokens(ctx context.Context) ([]web.Token, error) {
	page, err := w.db.Tokens(ctx, store.Window{Limit: 1000})
	shown := make([]web.Token, len(page.Items))
	for i, t := range page.Items {
		shown[i] = web.Token{ID: t.ID, Name: t.Name, Scope: t.Scope, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt, LastUsedAt: t.LastUsedAt, RevokedAt: t.RevokedAt}
	}
	return shown, err
}

// hintLength is how much of a token is kept, so that its owner knows it again.
const hintLength = 8

// AddToken makes a token and gives its secret, which is not kept.
func (w webTokens) AddToken(ctx context.Context, name, scope string, expires time.Time, by web.Person) (string, error) {
	if name == "" || len(name) > longestName {
		return "", &app.Error{Code: app.CodeInvalid, Message: "The token needs a name of at most 100 characters.", Fields: map[string]string{"name": "is missing, or longer than 100 characters"}}
	}
	if !api.Scope(scope).Allows(api.ScopeRead) {
		return "", &app.Error{Code: app.CodeInvalid, Message: "There is no such scope.", Fields: map[string]string{"scope": "must be read, control or admin"}}
	}
	secret := "atozbot_" + rand.Text()
	hash := sha256.Sum256([]byte(secret))
	now := w.now()
	return secret, w.db.AddToken(ctx, store.Token{
		ID: app.NewID(now), Name: name, Hint: secret[:len("atozbot_")+hintLength/2], Scope: scope, CreatedBy: nameOf(by), CreatedAt: now, ExpiresAt: expires,
	}, hex.EncodeToString(hash[:]))
}

// RevokeToken marks it revoked.
func (w webTokens) RevokeToken(ctx context.Context, id string, _ web.Person) error {
	return w.db.RevokeToken(ctx, id, w.now())
}

// apiAudit is the log of who did what. It is written wherever records go, so that what is
// done while PostgreSQL is away is in it too.
type apiAudit struct {
	db      *store.Store
	records records
}

// AddAudit appends an entry.
func (a apiAudit) AddAudit(ctx context.Context, e api.AuditEntry) error {
	return a.records.AddAudit(ctx, store.AuditEntry(e))
}

// Audit lists it, newest first.
func (a apiAudit) Audit(ctx context.Context, f api.AuditFilter) (api.Page[api.AuditEntry], error) {
	page, err := a.db.Audit(ctx, store.AuditFilter{Who: f.Who, What: f.What, Since: f.Since, Until: f.Until, Window: storeWindow(f.Window)})
	return apiPage(page, err, func(e store.AuditEntry) api.AuditEntry { return api.AuditEntry(e) })
}

// webAudit is the same for the pages.
type webAudit struct {
	db      *store.Store
	records records
}

// Note adds one line.
func (w webAudit) Note(ctx context.Context, e web.AuditEntry) error {
	kind, who, found := strings.Cut(e.Who, " ")
	if !found || kind != "user" && kind != "token" {
		kind, who = "user", e.Who
	}
	return w.records.AddAudit(ctx, store.AuditEntry{
		ID: app.NewID(e.At), At: e.At, Kind: kind, Who: who, What: e.What, Subject: e.On, Before: e.Before, After: e.After, Address: e.Address, RequestID: e.RequestID,
	})
}

// Entries gives a page of it, newest first.
func (w webAudit) Entries(ctx context.Context, cursor string, limit int) ([]web.AuditEntry, string, error) {
	page, err := w.db.Audit(ctx, store.AuditFilter{Window: store.Window{Limit: limit, Cursor: cursor}})
	shown := make([]web.AuditEntry, len(page.Items))
	for i, e := range page.Items {
		shown[i] = web.AuditEntry{
			ID: e.ID, At: e.At, Who: e.Kind + " " + e.Who, What: e.What, On: e.Subject, Before: e.Before, After: e.After, Address: e.Address, RequestID: e.RequestID,
		}
	}
	return shown, page.Next, err
}

// webBackup is the backup as the pages offer it.
type webBackup struct {
	db  *store.Store
	now func() time.Time
}

// LastBackup is not kept anywhere: a backup is a file that the user has.
func (w webBackup) LastBackup(context.Context) (time.Time, error) { return time.Time{}, nil }

// WriteBackup writes it, in bounded memory.
func (w webBackup) WriteBackup(ctx context.Context, to io.Writer) error {
	_, err := w.db.Backup(ctx, to, w.now())
	return err
}
