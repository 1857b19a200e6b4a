package api_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app/api"
)

// needed is the scope that every operation asks for; "" for those that ask for nobody.
// A new operation without an entry fails the test.
var needed = map[string]api.Scope{
	"GET /api/audit":                      api.ScopeAdmin,
	"GET /api/audit/export":               api.ScopeAdmin,
	"GET /api/bot/analytics":              api.ScopeRead,
	"GET /api/bot/analytics/periods":      api.ScopeRead,
	"GET /api/bot/configuration":          api.ScopeRead,
	"PUT /api/bot/configuration":          api.ScopeControl,
	"POST /api/bot/configuration/refresh": api.ScopeControl,
	"POST /api/bot/configuration/undo":    api.ScopeControl,
	"GET /api/bot/configuration/versions": api.ScopeRead,
	"GET /api/bot/dashboard/metrics":      api.ScopeRead,
	"POST /api/bot/force-reset":           api.ScopeControl,
	"GET /api/bot/jobs":                   api.ScopeRead,
	"GET /api/bot/jobs/export":            api.ScopeRead,
	"GET /api/bot/jobs/{id}":              api.ScopeRead,
	"POST /api/bot/jobs/{id}/accept":      api.ScopeControl,
	"POST /api/bot/jobs/{id}/leave":       api.ScopeControl,
	"POST /api/bot/pause":                 api.ScopeControl,
	"POST /api/bot/realtime-update":       api.ScopeControl,
	"POST /api/bot/rearm":                 api.ScopeControl,
	"POST /api/bot/resume":                api.ScopeControl,
	"POST /api/bot/rules/backtest":        api.ScopeRead,
	"GET /api/bot/sessions":               api.ScopeRead,
	"POST /api/bot/start":                 api.ScopeControl,
	"GET /api/bot/status":                 api.ScopeRead,
	"POST /api/bot/stop":                  api.ScopeControl,
	"POST /api/bot/toggle":                api.ScopeControl,
	"GET /api/events":                     api.ScopeRead,
	"GET /api/logs":                       api.ScopeRead,
	"GET /api/tokens":                     api.ScopeAdmin,
	"POST /api/tokens":                    api.ScopeAdmin,
	"DELETE /api/tokens/{id}":             api.ScopeAdmin,
	"GET /calendar/{secret}.ics":          "",
	"GET /health":                         "",
	"GET /health/detailed":                "",
	"POST /health/force-check":            api.ScopeRead,
	"GET /health/live":                    "",
	"GET /health/ready":                   "",
	"GET /health/service/{name}":          "",
	"GET /metrics":                        api.ScopeRead,
	"GET /ws":                             api.ScopeRead,
}

// somebody is one who sends requests, and what is to become of them.
type somebody struct {
	name    string
	headers []string
	scope   api.Scope // What they may do.
	status  int       // What they get everywhere but where nobody is asked for; 0: as their scope says.
}

// store keeps a token under its secret, as the server does.
func (h *house) store(secret string, t api.Token) {
	sum := sha256.Sum256([]byte(secret))
	h.tokens[hex.EncodeToString(sum[:])] = t
}

// everybody puts all kinds of senders into h.
func everybody(h *house) []somebody {
	var all []somebody
	bearer := func(secret string) []string { return []string{"Authorization", "Bearer " + secret} }
	for _, scope := range []api.Scope{api.ScopeRead, api.ScopeControl, api.ScopeAdmin} {
		h.store("secret-of-"+string(scope), apiToken("id-of-"+string(scope), scope))
		all = append(all, somebody{name: "token " + string(scope), headers: bearer("secret-of-" + string(scope)), scope: scope})
	}
	expired := apiToken("expired", api.ScopeAdmin)
	expired.ExpiresAt = h.now.Add(-time.Second)
	h.store("expired-secret", expired)
	revoked := apiToken("revoked", api.ScopeAdmin)
	revoked.RevokedAt = h.now.Add(-time.Second)
	h.store("revoked-secret", revoked)
	h.cookies["good"] = api.Identity{Kind: api.KindUser, ID: "u", Name: "admin", Scope: api.ScopeAdmin}
	cookie := []string{"Authorization", "", "Cookie", "atozbot_session=good"}
	return append(all,
		somebody{name: "nobody", headers: []string{"Authorization", ""}, status: 401},
		somebody{name: "a stranger's token", headers: bearer("guessed"), status: 401},
		somebody{name: "an empty token", headers: []string{"Authorization", "Bearer "}, status: 401},
		somebody{name: "another scheme", headers: []string{"Authorization", "Basic " + environmentToken}, status: 401},
		somebody{name: "an expired token", headers: bearer("expired-secret"), status: 401},
		somebody{name: "a revoked token", headers: bearer("revoked-secret"), status: 401},
		somebody{name: "a bad token beside a good cookie", headers: []string{"Authorization", "Bearer guessed", "Cookie", "atozbot_session=good"}, status: 401},
		somebody{name: "the environment's token", headers: bearer(environmentToken), scope: api.ScopeAdmin},
		somebody{name: "a cookie that is none", headers: []string{"Authorization", "", "Cookie", "atozbot_session=guessed"}, status: 401},
		somebody{name: "the dashboard", headers: append(cookie, "Sec-Fetch-Site", "same-origin", "Origin", "http://example.com"), scope: api.ScopeAdmin},
		somebody{name: "another site's page with our cookie", headers: append(cookie, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"), status: 403},
		somebody{name: "another site of ours with our cookie", headers: append(cookie, "Sec-Fetch-Site", "same-site", "Origin", "https://other.example.com"), status: 403},
		somebody{name: "another site's page in an old browser", headers: append(cookie, "Origin", "https://evil.example"), status: 403},
		somebody{name: "a sandboxed page with our cookie", headers: append(cookie, "Origin", "null"), status: 403},
	)
}

func TestWhoMayDoWhat(t *testing.T) {
	d := readDocument(t, newHouse().serve(t))
	for _, op := range d.operations() {
		name := op.method + " " + op.path
		wanted, ok := needed[name]
		if !ok {
			t.Errorf("%s has no entry in the matrix", name)
			continue
		}
		if api.Scope(op.Scope) != wanted {
			t.Errorf("%s is described with the scope %q, want %q", name, op.Scope, wanted)
		}
		h := prepared()
		people := everybody(h)
		s := h.serve(t)
		for _, who := range people {
			t.Run(name+" by "+who.name, func(t *testing.T) {
				w := ask(s, op, who.headers)
				d.judge(t, op, who, wanted, w)
			})
		}
	}
}

// ask sends a right request, or for a stream one that is refused only after its sender
// was let in: an after that is no id.
func ask(s http.Handler, op *operation, headers []string) *httptest.ResponseRecorder {
	c := calls[op.method+" "+op.path]
	if op.path == "/api/events" {
		c.target = "/api/events?after=none"
	}
	return request(s, op.method, c.target, c.body, headers...)
}

func (d *document) judge(t *testing.T, op *operation, who somebody, wanted api.Scope, w *httptest.ResponseRecorder) {
	t.Helper()
	refused := w.Code == 401 || w.Code == 403
	switch {
	case wanted == "" || who.status == 0 && who.scope.Allows(wanted):
		if refused {
			t.Errorf("is refused with %d %s", w.Code, w.Body)
		}
	case who.status != 0:
		if w.Code != who.status {
			t.Errorf("gets %d, want %d", w.Code, who.status)
		}
	case w.Code != http.StatusForbidden:
		t.Errorf("gets %d, want 403", w.Code)
	}
	if w.Code == 401 && !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Bearer") {
		t.Error("gets 401 without being told how to sign in")
	}
	if refused {
		d.described(t, op, w)
	}
}

func TestWhatIsUnknownIsHiddenFromStrangers(t *testing.T) {
	s := newHouse().serve(t)
	for _, path := range []string{"/api", "/api/", "/api/nothing", "/api/bot/../tokens", "/ws", "/ws/more"} {
		if w := request(s, "GET", path, "", "Authorization", ""); w.Code != http.StatusUnauthorized {
			t.Errorf("a stranger gets %d at %s, want 401", w.Code, path)
		}
	}
}

func TestATokenIsShownOnceAndWorksUntilItIsRevoked(t *testing.T) {
	h := newHouse()
	s := h.serve(t)
	w := request(s, "POST", "/api/tokens", `{"name":"phone","scope":"read"}`)
	made := decode[api.NewTokenJSON](t, w)
	if w.Code != http.StatusCreated || len(made.Token) < 40 {
		t.Fatalf("making a token answers %d %s", w.Code, w.Body)
	}
	as := []string{"Authorization", "Bearer " + made.Token}
	if w := request(s, "GET", "/api/bot/status", "", as...); w.Code != http.StatusOK {
		t.Errorf("the new token gets %d", w.Code)
	}
	if w := request(s, "GET", "/api/tokens", ""); strings.Contains(w.Body.String(), made.Token) || strings.Contains(w.Body.String(), "hash") {
		t.Errorf("the list shows the secret: %s", w.Body)
	}
	for hash, token := range h.tokens {
		if strings.Contains(hash, made.Token) || token.LastUsedAt.IsZero() {
			t.Errorf("the secret is stored, or the last use is not: %s %+v", hash, token)
		}
	}
	for _, e := range h.audit {
		if strings.Contains(e.After, made.Token) {
			t.Errorf("the audit log has the secret: %+v", e)
		}
	}
	if w := request(s, "DELETE", "/api/tokens/"+made.ID, ""); w.Code != http.StatusNoContent {
		t.Errorf("revoking answers %d", w.Code)
	}
	if w := request(s, "GET", "/api/bot/status", "", as...); w.Code != http.StatusUnauthorized {
		t.Errorf("the revoked token gets %d, want 401", w.Code)
	}
}

func TestTokensSeenBeforeWorkWhileTheDatabaseIsAway(t *testing.T) {
	h := newHouse()
	h.store("seen", apiToken("seen", api.ScopeControl))
	h.store("unseen", apiToken("unseen", api.ScopeControl))
	expiring := apiToken("expiring", api.ScopeControl)
	expiring.ExpiresAt = h.now.Add(time.Minute)
	h.store("expiring", expiring)
	s := h.serve(t)
	status := func(secret string) int {
		return request(s, "GET", "/api/bot/status", "", "Authorization", "Bearer "+secret).Code
	}
	if status("seen") != 200 || status("expiring") != 200 {
		t.Fatal("the tokens do not work")
	}
	h.goAway(true)
	h.now = h.now.Add(2 * time.Minute)
	for secret, want := range map[string]int{"seen": 200, "unseen": 503, "expiring": 401, environmentToken: 200} {
		if got := status(secret); got != want {
			t.Errorf("with the database away the token %q gets %d, want %d", secret, got, want)
		}
	}
}
