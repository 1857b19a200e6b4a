package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/atozbot/atozbot/app"
)

// Scope is what somebody may do. Each includes those before it.
type Scope string

// The scopes.
const (
	ScopeRead    Scope = "read"    // See everything but tokens and the audit log.
	ScopeControl Scope = "control" // Steer the bot and change the rules.
	ScopeAdmin   Scope = "admin"   // Everything.
)

// rank orders the scopes; 0 is none.
func (s Scope) rank() int {
	switch s {
	case ScopeRead:
		return 1
	case ScopeControl:
		return 2
	case ScopeAdmin:
		return 3
	default:
		return 0
	}
}

// Allows says whether s includes wanted.
func (s Scope) Allows(wanted Scope) bool { return wanted.rank() > 0 && s.rank() >= wanted.rank() }

// Identity is who sends a request.
type Identity struct {
	Kind  string // "user", "token" or "environment".
	ID    string
	Name  string // For people.
	Scope Scope
	// Cookie says that a browser's cookie vouched for it: then the request must come from
	// a page of ours.
	Cookie bool
}

// The kinds of identities.
const (
	KindUser        = "user"
	KindToken       = "token"
	KindEnvironment = "environment"
)

// gate recognises who sends a request.
type gate struct {
	environment [sha256.Size]byte // Of the token of the settings.
	hasToken    bool
	tokens      Tokens        // nil where there are no stored tokens.
	sessions    Authenticator // nil where there is no sign-in.
	now         func() time.Time
	origin      *http.CrossOriginProtection

	mu    sync.Mutex
	known map[string]knownToken // By hash: what a database that is away can't be asked.
}

// knownToken is a stored token that was good the last time the database was asked.
type knownToken struct {
	token Token
	used  time.Time // When its last use was noted.
}

// knownLimit bounds the memory that remembered tokens take.
const knownLimit = 1000

func newGate(o Options) *gate {
	g := &gate{
		tokens:   o.Tokens,
		sessions: o.Authenticator,
		now:      o.Now,
		origin:   http.NewCrossOriginProtection(),
		known:    map[string]knownToken{},
	}
	if o.Token != "" {
		g.environment, g.hasToken = sha256.Sum256([]byte(o.Token)), true
	}
	return g
}

// identify says who sends r. Where there is an Authorization header it alone counts, so
// that a bearer's request never falls back on a cookie.
func (g *gate) identify(r *http.Request) (Identity, error) {
	if header := r.Header.Get("Authorization"); header != "" {
		token, ok := bearer(header)
		if !ok {
			return Identity{}, stranger("The Authorization header must read: Bearer TOKEN.")
		}
		return g.byToken(r.Context(), token)
	}
	if g.sessions == nil {
		return Identity{}, stranger("Sign in, or send a bearer token.")
	}
	who, err := g.sessions.Identify(r)
	if err != nil {
		if app.CodeOf(err) == app.CodeUnavailable {
			return Identity{}, err
		}
		return Identity{}, stranger("Sign in, or send a bearer token.")
	}
	who.Cookie = true
	if err := g.sameOrigin(r); err != nil {
		return Identity{}, err
	}
	return who, nil
}

// sameOrigin refuses what a page of another site sends along with our cookie: changes,
// as the standard library judges them, and also reading.
func (g *gate) sameOrigin(r *http.Request) error {
	if g.origin.Check(r) != nil || !ownPage(r) {
		return app.Errorf(app.CodeForbidden, "A page of another site sent this; a dashboard session counts on our own pages only.")
	}
	return nil
}

// ownPage says whether r comes from a page of ours, or from no page at all. What the
// browser says in Sec-Fetch-Site counts before the names of hosts, since a proxy in front
// may change those.
func ownPage(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return true
	case "":
		origin := r.Header.Get("Origin")
		return origin == "" || sameHost(origin, r.Host)
	default:
		return false
	}
}

// sameHost says whether an Origin header names this host.
func sameHost(origin, host string) bool {
	_, rest, ok := strings.Cut(origin, "://")
	return ok && strings.EqualFold(rest, host)
}

func stranger(sentence string) *app.Error {
	return app.Errorf(app.CodeUnauthorized, "%s", sentence)
}

// bearer takes the token out of an Authorization header.
func bearer(header string) (string, bool) {
	scheme, token, ok := strings.Cut(header, " ")
	token = strings.TrimSpace(token)
	return token, ok && token != "" && strings.EqualFold(scheme, "Bearer")
}

// byToken recognises a bearer token. Digests are compared, in constant time, so that
// neither the comparison nor the look-up tells how much of a guess was right.
func (g *gate) byToken(ctx context.Context, token string) (Identity, error) {
	digest := sha256.Sum256([]byte(token))
	if g.hasToken && subtle.ConstantTimeCompare(digest[:], g.environment[:]) == 1 {
		return Identity{Kind: KindEnvironment, ID: KindEnvironment, Name: "the environment's token", Scope: ScopeAdmin}, nil
	}
	if g.tokens == nil {
		return Identity{}, stranger("This token is not known.")
	}
	return g.byStoredToken(ctx, hex.EncodeToString(digest[:]))
}

func (g *gate) byStoredToken(ctx context.Context, hash string) (Identity, error) {
	token, err := g.tokens.TokenByHash(ctx, hash)
	switch app.CodeOf(err) {
	case "":
		g.remember(ctx, hash, token)
	case app.CodeUnavailable:
		known, ok := g.recall(hash)
		if !ok {
			return Identity{}, err
		}
		token = known
	case app.CodeNotFound:
		g.forget(hash)
		return Identity{}, stranger("This token is not known.")
	default:
		return Identity{}, err
	}
	if !token.RevokedAt.IsZero() {
		return Identity{}, stranger("This token was revoked.")
	}
	if !token.ExpiresAt.IsZero() && !g.now().Before(token.ExpiresAt) {
		return Identity{}, stranger("This token has expired.")
	}
	return Identity{Kind: KindToken, ID: token.ID, Name: token.Name, Scope: token.Scope}, nil
}

// tokenUsedEvery is how often the use of a token is noted at most.
const tokenUsedEvery = time.Minute

// remember keeps a token for the time when the database is away, and notes its use.
func (g *gate) remember(ctx context.Context, hash string, token Token) {
	now := g.now()
	g.mu.Lock()
	known, ok := g.known[hash]
	note := now.Sub(known.used) >= tokenUsedEvery
	if note {
		known.used = now
	}
	known.token = token
	if ok || len(g.known) < knownLimit {
		g.known[hash] = known
	}
	g.mu.Unlock()
	if note && token.RevokedAt.IsZero() {
		// That a use could not be noted must not keep anyone out.
		_ = g.tokens.TokenUsed(ctx, token.ID, now)
	}
}

func (g *gate) recall(hash string) (Token, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	known, ok := g.known[hash]
	return known.token, ok
}

func (g *gate) forget(hash string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.known, hash)
}
