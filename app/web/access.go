package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/atozbot/atozbot/app"
)

const (
	// sessionCookie carries the secret of a sign-in.
	sessionCookie = "atozbot_session"
	// signInLasts is how long a sign-in is good after it was last used.
	signInLasts = 30 * 24 * time.Hour
	// freshFor is how long a sign-in seen before is believed without asking the records:
	// the longest that "sign out everywhere" takes to reach another replica.
	freshFor = 5 * time.Second
	// mostKept bounds what is kept of visitors in memory.
	mostKept = 10_000
)

// SignIns keeps who may come in. The passwords' hashes and the cookies' are all that is
// stored of either. A database that is away is CodeUnavailable.
type SignIns interface {
	// AnyUser tells whether sign-in is set up.
	AnyUser(ctx context.Context) (bool, error)
	// User gives a user by name, case aside; CodeNotFound.
	User(ctx context.Context, name string) (User, error)
	// AddFirstUser stores the first user; CodeConflict where there is one already.
	AddFirstUser(ctx context.Context, u User) error
	// SetPassword replaces the hash of a user's password.
	SetPassword(ctx context.Context, name, hash string) error

	// AddSignIn stores a sign-in, SignIn gives it by its key (CodeNotFound), SeenSignIn
	// notes its use, and SignIns gives those of a user, newest first.
	AddSignIn(ctx context.Context, s SignIn) error
	SignIn(ctx context.Context, key string) (SignIn, error)
	SeenSignIn(ctx context.Context, key string, at, expires time.Time) error
	SignIns(ctx context.Context, user string) ([]SignIn, error)
	// EndSignIn ends one sign-in, EndSignIns all of a user.
	EndSignIn(ctx context.Context, key string) error
	EndSignIns(ctx context.Context, user string) error

	// FailedAttempts counts the failed attempts since then, over all replicas: those from
	// an address, and those on an account, of which such before its newest success from
	// this address do not count.
	FailedAttempts(ctx context.Context, address, account string, since time.Time) (byAddress, byAccount int, err error)
	// AddAttempt notes an attempt as failed and gives its id; AttemptSucceeded says
	// afterwards that it was not, AttemptUnseen that its password was not looked at: from
	// then on it counts for its address alone.
	AddAttempt(ctx context.Context, address, account string, at time.Time) (id string, err error)
	AttemptSucceeded(ctx context.Context, id string) error
	AttemptUnseen(ctx context.Context, id string) error
}

// User is somebody who can sign in.
type User struct {
	Name         string
	PasswordHash string // Argon2id, in the usual encoding.
	CreatedAt    time.Time
}

// SignIn is one browser that is signed in.
type SignIn struct {
	Key       string // The SHA-256 of the cookie's secret, in hex.
	User      string
	Address   string // Of the client when it signed in.
	Agent     string // What the browser called itself.
	CreatedAt time.Time
	SeenAt    time.Time
	ExpiresAt time.Time
}

// visitors knows who was let in. What it remembers, it remembers so that those who were
// signed in stay so while the database is away.
type visitors struct {
	records SignIns                             // nil where nobody can sign in.
	first   func(context.Context) (bool, error) // Makes the first user where its password was set beforehand.
	clock   func() time.Time
	setUp   string // The secret of the set-up link of this process.

	mu      sync.Mutex
	anyUser bool // Once true, for ever.
	seen    map[string]seenSignIn
	locals  map[string]time.Time // Sessions of this computer, given before sign-in is set up.
}

type seenSignIn struct {
	SignIn
	askedAt time.Time
}

func newVisitors(records SignIns, first func(context.Context) (bool, error), clock func() time.Time, setUp string) *visitors {
	return &visitors{records: records, first: first, clock: clock, setUp: setUp, seen: map[string]seenSignIn{}, locals: map[string]time.Time{}}
}

// open tells whether nobody can sign in yet.
func (v *visitors) open(ctx context.Context) (bool, error) {
	v.mu.Lock()
	known := v.anyUser
	v.mu.Unlock()
	if known {
		return false, nil
	}
	if v.records == nil {
		return true, nil
	}
	is, err := v.records.AnyUser(ctx)
	if err == nil && !is {
		is, err = v.first(ctx)
	}
	if err != nil {
		return false, err
	}
	if is {
		v.close()
	}
	return !is, nil
}

// close makes everybody sign in from now on.
func (v *visitors) close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.anyUser = true
	clear(v.locals)
}

// known gives the sign-in of a request's cookie, and whether its end was moved on just
// now. It is CodeUnauthorized where there is none that holds.
func (v *visitors) known(ctx context.Context, r *http.Request) (s SignIn, renewed bool, err error) {
	nobody := app.Errorf(app.CodeUnauthorized, "You are not signed in.")
	cookie, err := r.Cookie(sessionCookie)
	if err != nil || v.records == nil {
		return SignIn{}, false, nobody
	}
	key, now := keyOf(cookie.Value), v.clock()
	v.mu.Lock()
	kept, had := v.seen[key]
	v.mu.Unlock()
	if had && now.Before(kept.ExpiresAt) && now.Sub(kept.askedAt) < freshFor {
		return kept.SignIn, false, nil
	}
	s, err = v.records.SignIn(ctx, key)
	switch code := app.CodeOf(err); {
	case code == app.CodeNotFound:
		v.forget(key)
		return SignIn{}, false, nobody
	case err != nil && had && now.Before(kept.ExpiresAt):
		return kept.SignIn, false, nil // The records are away: who was in stays in.
	case err != nil:
		return SignIn{}, false, err
	case !now.Before(s.ExpiresAt):
		v.forget(key)
		return SignIn{}, false, nobody
	}
	if renewed = now.Sub(s.SeenAt) > time.Minute; renewed {
		s.SeenAt, s.ExpiresAt = now, now.Add(signInLasts)
		if err := v.records.SeenSignIn(ctx, key, s.SeenAt, s.ExpiresAt); err != nil && codeOf(err) != app.CodeUnavailable {
			return SignIn{}, false, err
		}
	}
	v.remember(s, now)
	return s, renewed, nil
}

func (v *visitors) remember(s SignIn, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.seen) >= mostKept {
		clear(v.seen) // They are asked for again.
	}
	v.seen[s.Key] = seenSignIn{SignIn: s, askedAt: now}
}

func (v *visitors) forget(key string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.seen, key)
}

// forgetAll forgets what is remembered of a user.
func (v *visitors) forgetAll(user string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for key, s := range v.seen {
		if strings.EqualFold(s.User, user) { // A name is written in any case when signing in.
			delete(v.seen, key)
		}
	}
}

// isLocal tells whether the request carries a session of this computer.
func (v *visitors) isLocal(r *http.Request) bool {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	_, ok := v.locals[keyOf(cookie.Value)]
	return ok
}

// addLocal makes a session of this computer. It lives as long as the process.
func (v *visitors) addLocal() (secret string) {
	secret = rand.Text()
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.locals) >= mostKept {
		clear(v.locals)
	}
	v.locals[keyOf(secret)] = v.clock()
	return secret
}

// keyOf is what is stored of a cookie's secret.
func keyOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// SignedIn tells who sends a request, by its cookie: for the API and the streams, which
// take a dashboard session beside their tokens. Before sign-in is set up that is whoever
// opened a page on this computer.
func (s *Site) SignedIn(r *http.Request) (Person, bool) {
	if in, _, err := s.visitors.known(r.Context(), r); err == nil {
		return Person{Name: in.User}, true
	}
	if !s.visitors.isLocal(r) || !s.proxies.sameMachine(r) {
		return Person{}, false
	}
	open, err := s.visitors.open(r.Context())
	return Person{Local: true}, err == nil && open
}

// letIn decides who may see a page, and answers everybody else: with the waiting page
// until the start is through, with sign-in once that is set up, and until then with a
// page that says how to set it up. ok is false where it has answered.
func (s *Site) letIn(w http.ResponseWriter, r *http.Request) (v *visit, ok bool) {
	if snapshot := s.Health.Snapshot(); !snapshot.Started {
		s.showWaiting(w, r, snapshot)
		return nil, false
	}
	in, renewed, err := s.visitors.known(r.Context(), r)
	if err == nil {
		if cookie, missing := r.Cookie(sessionCookie); renewed && missing == nil { // It lasts as long as its record.
			s.setSession(w, r, cookie.Value, signInLasts)
		}
		return s.visit(w, r, Person{Name: in.User}), true
	}
	open, openErr := s.visitors.open(r.Context())
	switch {
	case openErr != nil || codeOf(err) == app.CodeUnavailable:
		w.Header().Set("Retry-After", "2")
		s.showError(w, r, http.StatusServiceUnavailable, "error.unavailable")
		return nil, false
	case !open:
		to := "/sign-in"
		if r.Method == http.MethodGet && r.URL.Path != "/" {
			to += "?next=" + url.QueryEscape(r.URL.RequestURI())
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
		return nil, false
	case !s.proxies.sameMachine(r):
		s.showError(w, r, http.StatusForbidden, "error.notSetUp")
		return nil, false
	}
	if !s.visitors.isLocal(r) {
		s.setSession(w, r, s.visitors.addLocal(), 0)
	}
	return s.visit(w, r, Person{Local: true}), true
}

// setSession hands the browser the secret of its session. A lifetime of zero ends with
// the browser.
func (s *Site) setSession(w http.ResponseWriter, r *http.Request, secret string, lasts time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: sessionCookie, Value: secret, Path: "/", MaxAge: int(lasts / time.Second),
		HttpOnly: true, Secure: s.proxies.secure(r), SameSite: http.SameSiteLaxMode,
	})
}
