package practice

import (
	"crypto/rand"
	"net"
	"net/http"
	"strconv"
	"time"
)

// cookieName is the session cookie's, in the way of the frameworks that name it after
// the site.
const cookieName = "interpreters_portal_session"

// mostSessions bounds the sessions kept: a client that takes no cookies opens one with
// every request.
const mostSessions = 4096

// session is what the cookie of one client stands for. Without an email it is a
// guest's, which the log-in form needs for its token.
type session struct {
	id    string
	name  string // In the truth, which is shown to people: never the cookie's value.
	email string

	token    string
	tokenAt  time.Time
	posts    int // Since the token was made.
	requests int // Since the log-in.
	since    time.Time
	seenAt   time.Time

	intended string // Where a logged-out request wanted to go.
	flash    string // Said once, on the next page.
	trouble  bool   // The flash is a complaint.
	dialog   int64  // The job whose 24-hour question the next page puts.
}

// visitors are the sessions, and what limits the clients behind them.
type visitors struct {
	sessions map[string]*session
	opened   int
	tokens   tokens
	buckets  map[string]*bucket
	wrong    map[string]int       // Wrong log-ins in a row, by email.
	locked   map[string]time.Time // Until when, by email.
}

func newVisitors() visitors {
	return visitors{
		sessions: map[string]*session{}, buckets: map[string]*bucket{},
		wrong: map[string]int{}, locked: map[string]time.Time{},
	}
}

// find gives the session that the request's cookie names, nil where there is none.
func (v *visitors) find(r *http.Request) *session {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return nil
	}
	return v.sessions[c.Value]
}

// open begins a session of an account, or a guest's where email is empty.
func (v *visitors) open(email string, now time.Time) *session {
	if len(v.sessions) >= mostSessions {
		v.dropOldest()
	}
	v.opened++
	s := &session{
		id: rand.Text(), name: "session " + strconv.Itoa(v.opened), email: email,
		token: v.tokens.issue(), tokenAt: now, since: now, seenAt: now,
	}
	v.sessions[s.id] = s
	return s
}

// dropOldest makes room by ending the guest's session that was idle for longest, or
// anyone's where there is no guest.
func (v *visitors) dropOldest() {
	var oldest *session
	for _, s := range v.sessions {
		if oldest == nil || (s.email == "") != (oldest.email == "") {
			if oldest == nil || s.email == "" {
				oldest = s
			}
		} else if s.seenAt.Before(oldest.seenAt) {
			oldest = s
		}
	}
	v.end(oldest)
}

func (v *visitors) end(s *session) {
	if s != nil {
		delete(v.sessions, s.id)
		delete(v.buckets, s.id)
	}
}

func (v *visitors) endAll() {
	clear(v.sessions)
	clear(v.buckets)
}

// endAccount ends every session of an account but one.
func (v *visitors) endAccount(email string, but *session) {
	for _, s := range v.sessions {
		if s.email == email && s != but {
			v.end(s)
		}
	}
}

// expired tells whether the rules end the session before this request.
func (s *session) expired(rules SessionRules, now time.Time) bool {
	return s.email != "" &&
		(rules.Requests > 0 && s.requests >= rules.Requests || rules.For > 0 && now.Sub(s.since) >= rules.For)
}

// renewToken makes the form token a new one where the rules want it.
func (v *visitors) renewToken(s *session, rules SessionRules, now time.Time) {
	if rules.TokenFor > 0 && now.Sub(s.tokenAt) >= rules.TokenFor || rules.TokenPosts > 0 && s.posts >= rules.TokenPosts {
		s.token, s.tokenAt, s.posts = v.tokens.issue(), now, 0
	}
}

// tokens are the newest form tokens of all sessions, to tell one that was valid once
// from one that is invented: a client whose session ended between two pages rightly
// holds one of the former.
type tokens struct {
	known  map[string]bool
	newest []string
	next   int
}

// issue makes a new token.
func (t *tokens) issue() string {
	token := rand.Text()
	if t.known == nil {
		t.known, t.newest = map[string]bool{}, make([]string, mostSessions)
	}
	delete(t.known, t.newest[t.next])
	t.known[token], t.newest[t.next] = true, token
	t.next = (t.next + 1) % len(t.newest)
	return token
}

// cookie is what the client keeps of the session.
func (s *session) cookie() *http.Cookie {
	return &http.Cookie{Name: cookieName, Value: s.id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// bucket is a client's allowance of requests.
type bucket struct {
	left     float64
	at       time.Time
	atOnce   int
	notUntil time.Time // What a Retry-After asked for.
}

// client names who asks: the session's id, or the address where there is none.
func client(s *session, r *http.Request) string {
	if s != nil {
		return s.id
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// bucket gives the client's allowance.
func (v *visitors) bucket(who string, rules GuestRules, now time.Time) *bucket {
	b := v.buckets[who]
	if b == nil {
		if len(v.buckets) >= 2*mostSessions {
			clear(v.buckets)
		}
		b = &bucket{left: float64(rules.Burst), at: now}
		v.buckets[who] = b
	}
	return b
}

// take takes one request off the allowance, and tells whether there was one left.
func (b *bucket) take(rules GuestRules, now time.Time) bool {
	if rules.PerSecond <= 0 {
		return true
	}
	b.left = min(b.left+now.Sub(b.at).Seconds()*rules.PerSecond, float64(rules.Burst))
	b.at = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}
