package daemon

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/api"
	"github.com/atozbot/atozbot/app/web"
	"github.com/atozbot/atozbot/store"
)

// webSignIns keeps who may come in.
type webSignIns struct {
	db  *store.Store
	now func() time.Time

	mu sync.Mutex
	// from is where each account's newest failed try came from: a success clears those.
	from map[string]string
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
	if err := w.save(ctx, u.ID, s); err != nil {
		return err
	}
	return w.db.SignedIn(ctx, u.ID, s.CreatedAt)
}

func (w *webSignIns) save(ctx context.Context, userID string, s web.SignIn) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return w.db.SaveSignIn(ctx, store.SignIn{TokenHash: s.Key, UserID: userID, Data: data, ExpiresAt: s.ExpiresAt})
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
	return w.save(ctx, in.UserID, s)
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

// The two sorts of keys that failed attempts are counted by.
const (
	addressKey = "address:"
	accountKey = "account:"
)

// FailedAttempts counts the failed attempts since then; the highest of the counts.
func (w *webSignIns) FailedAttempts(ctx context.Context, keys []string, since time.Time) (int, error) {
	most := int64(0)
	for _, key := range keys {
		var address, account string
		if name, ok := strings.CutPrefix(key, accountKey); ok {
			account, address = name, w.lastFrom(name)
		} else {
			address = strings.TrimPrefix(key, addressKey)
		}
		byAddress, byName, err := w.db.FailedSignIns(ctx, address, account, since)
		if err != nil {
			return 0, err
		}
		if account == "" {
			most = max(most, byAddress)
		} else {
			most = max(most, byName)
		}
	}
	return int(most), nil
}

// AddFailedAttempt notes one.
func (w *webSignIns) AddFailedAttempt(ctx context.Context, keys []string, at time.Time) error {
	attempt := store.SignInAttempt{ID: app.NewID(at), At: at}
	for _, key := range keys {
		if name, ok := strings.CutPrefix(key, accountKey); ok {
			attempt.Name = name
		} else {
			attempt.Address = strings.TrimPrefix(key, addressKey)
		}
	}
	w.mu.Lock()
	if len(w.from) > 1000 { // Somebody tries names; who forgets them only counts more strictly.
		clear(w.from)
	}
	w.from[attempt.Name] = attempt.Address
	w.mu.Unlock()
	return w.db.AddSignInAttempt(ctx, attempt)
}

func (w *webSignIns) lastFrom(account string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.from[account]
}

// ClearAttempts forgets those of a key after a success.
func (w *webSignIns) ClearAttempts(ctx context.Context, key string) error {
	name, ok := strings.CutPrefix(key, accountKey)
	if !ok {
		return nil
	}
	address := w.lastFrom(name)
	if address == "" {
		return nil
	}
	at := w.now()
	return w.db.AddSignInAttempt(ctx, store.SignInAttempt{ID: app.NewID(at), At: at, Name: name, Address: address, Success: true})
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

// apiAudit is the log of who did what.
type apiAudit struct{ db *store.Store }

// AddAudit appends an entry.
func (a apiAudit) AddAudit(ctx context.Context, e api.AuditEntry) error {
	return a.db.AddAudit(ctx, store.AuditEntry(e))
}

// Audit lists it, newest first.
func (a apiAudit) Audit(ctx context.Context, f api.AuditFilter) (api.Page[api.AuditEntry], error) {
	page, err := a.db.Audit(ctx, store.AuditFilter{Who: f.Who, What: f.What, Since: f.Since, Until: f.Until, Window: storeWindow(f.Window)})
	return apiPage(page, err, func(e store.AuditEntry) api.AuditEntry { return api.AuditEntry(e) })
}

// webAudit is the same for the pages.
type webAudit struct{ db *store.Store }

// Note adds one line.
func (w webAudit) Note(ctx context.Context, e web.AuditEntry) error {
	kind, who, found := strings.Cut(e.Who, " ")
	if !found || kind != "user" && kind != "token" {
		kind, who = "user", e.Who
	}
	return w.db.AddAudit(ctx, store.AuditEntry{
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
