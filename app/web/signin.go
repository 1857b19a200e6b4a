package web

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"github.com/atozbot/atozbot/app"
)

const (
	// attemptWindow is how long a failed sign-in counts against the next one.
	attemptWindow = 15 * time.Minute
	// mostByAddress and mostByAccount are the failed sign-ins in that window after which
	// none is tried. An account's limit is wider, so that a stranger cannot easily keep its
	// owner out.
	mostByAddress = 8
	mostByAccount = 24
	// leastPassword is the least length of a password, in letters (NIST SP 800-63B asks
	// for 8); the most keeps a hash's cost bounded.
	leastPassword, mostPassword = 10, 256
	// longestName bounds what somebody can be called, and what a stranger can have noted.
	longestName = 100
	// firstUser is who signs in with the first password.
	firstUser = "admin"
)

// passwords checks and makes hashes, a few at a time: each takes 64 MB for a moment.
type passwords struct {
	room chan struct{}
	// nobody is a hash that no password fits, so that an unknown name takes as long as a
	// wrong password. It is made when it is first needed: the start must not wait for it.
	nobody func() (string, error)
}

func newPasswords() *passwords {
	return &passwords{
		room:   make(chan struct{}, 2),
		nobody: sync.OnceValues(func() (string, error) { return argon2id.CreateHash(rand.Text(), argon2id.DefaultParams) }),
	}
}

func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	if err := p.enter(ctx); err != nil {
		return "", err
	}
	defer p.leave()
	return argon2id.CreateHash(password, argon2id.DefaultParams)
}

func (p *passwords) fits(ctx context.Context, password, hash string) (bool, error) {
	if err := p.enter(ctx); err != nil {
		return false, err
	}
	defer p.leave()
	if hash == "" {
		var err error
		if hash, err = p.nobody(); err != nil {
			return false, err
		}
	}
	return argon2id.ComparePasswordAndHash(password, hash)
}

func (p *passwords) enter(ctx context.Context) error {
	select {
	case p.room <- struct{}{}:
		return nil
	case <-ctx.Done():
		return &app.Error{Code: app.CodeUnavailable, Message: "Too many people sign in at this moment.", Err: ctx.Err()}
	}
}

func (p *passwords) leave() { <-p.room }

// signInPage is the form, and what was wrong with the one before.
type signInPage struct {
	Name, Next, Wrong string
}

// open wraps pages that anybody may see once the start is through.
func (s *Site) open(serve func(*visit)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if snapshot := s.Health.Snapshot(); !snapshot.Started {
			s.showWaiting(w, r, snapshot)
			return
		}
		if err := r.ParseForm(); err != nil {
			s.showError(w, r, http.StatusBadRequest, "error.form")
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		serve(s.visit(w, r, Person{}))
	})
}

func (s *Site) showSignIn(v *visit, status int, p signInPage) {
	s.show(v, &view{page: "sign-in", title: v.voice.say("signIn.title"), bare: true, status: status, data: p})
}

// signInForm shows the form, and leads on who needs none.
func (s *Site) signInForm(v *visit) {
	next := local(v.r.Form.Get("next"))
	if _, in := s.SignedIn(v.r); in {
		http.Redirect(v.w, v.r, next, http.StatusSeeOther)
		return
	}
	if open, err := s.visitors.open(v.r.Context()); err == nil && open {
		http.Redirect(v.w, v.r, "/", http.StatusSeeOther)
		return
	}
	s.showSignIn(v, 0, signInPage{Name: firstUser, Next: next})
}

// signIn checks a name and a password.
func (s *Site) signIn(v *visit) {
	name, next := strings.TrimSpace(v.r.PostForm.Get("username")), local(v.r.PostForm.Get("next"))
	if name = shortened(name, longestName); name == "" {
		name = firstUser
	}
	p := signInPage{Name: name, Next: next}
	if s.SignIns == nil {
		s.showFailure(v.bare(), app.Errorf(app.CodeNotFound, "Nobody can sign in here."))
		return
	}
	if open, err := s.visitors.open(v.r.Context()); err != nil || open {
		if err != nil {
			s.showFailure(v.bare(), err)
			return
		}
		http.Redirect(v.w, v.r, "/", http.StatusSeeOther)
		return
	}
	err := s.checkSignIn(v.r.Context(), name, v.r.PostForm.Get("password"), s.attemptOf(v.r, name))
	switch app.CodeOf(err) {
	case "":
	case app.CodeUnauthorized:
		s.note(v, name, "sign-in refused")
		p.Wrong = v.voice.say("signIn.wrong")
		s.showSignIn(v, http.StatusUnauthorized, p)
		return
	case app.CodeRateLimited:
		p.Wrong = v.voice.say("signIn.tooMany", "minutes", int(attemptWindow/time.Minute))
		v.w.Header().Set("Retry-After", "900")
		s.showSignIn(v, http.StatusTooManyRequests, p)
		return
	default:
		s.showFailure(v.bare(), err)
		return
	}
	if err := s.begin(v, name); err != nil {
		s.showFailure(v.bare(), err)
		return
	}
	s.note(v, name, "signed in")
	http.Redirect(v.w, v.r, next, http.StatusSeeOther)
}

// checkSignIn is nil for the right password, CodeUnauthorized for a wrong one and
// CodeRateLimited, without looking at it, after too many of those.
//
// An attempt is noted before its password is looked at, and counted again with all that
// were noted meanwhile: a hundred at once are no more than a hundred one by one. One that
// was not looked at after all counts for its address alone, so that none can keep an
// account's owner out by sending many at once.
func (s *Site) checkSignIn(ctx context.Context, name, password string, from attempt) error {
	if err := s.mayTry(ctx, from, 0); err != nil {
		return err
	}
	id, err := s.SignIns.AddAttempt(ctx, from.address, from.account, s.Now())
	if err != nil {
		return err
	}
	right, err := s.lookAt(ctx, name, password, from)
	switch {
	case err != nil:
		s.unseen(ctx, id)
		return err
	case !right:
		return app.Errorf(app.CodeUnauthorized, "The name or the password is wrong.")
	}
	return s.SignIns.AttemptSucceeded(ctx, id)
}

// lookAt tells whether the password of an attempt that was noted is the right one. An
// error means that it was not looked at.
func (s *Site) lookAt(ctx context.Context, name, password string, from attempt) (bool, error) {
	if err := s.mayTry(ctx, from, 1); err != nil {
		return false, err
	}
	user, err := s.SignIns.User(ctx, name)
	if err != nil && app.CodeOf(err) != app.CodeNotFound {
		return false, err
	}
	if len(password) > mostPassword {
		password = ""
	}
	right, err := s.passwords.fits(ctx, password, user.PasswordHash)
	return right && user.Name != "", err
}

// unseen says of an attempt that it was not looked at, also where its sender has gone.
func (s *Site) unseen(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := s.SignIns.AttemptUnseen(ctx, id); err != nil {
		s.Log.Warn("an attempt to sign in that was not looked at counts as failed", "error", err)
	}
}

// mayTry is CodeRateLimited after too many failed attempts, of which own are this one.
func (s *Site) mayTry(ctx context.Context, from attempt, own int) error {
	byAddress, byAccount, err := s.SignIns.FailedAttempts(ctx, from.address, from.account, s.Now().Add(-attemptWindow))
	if err != nil {
		return err
	}
	if byAddress-own >= mostByAddress || byAccount-own >= mostByAccount {
		return app.Errorf(app.CodeRateLimited, "Too many failed attempts.")
	}
	return nil
}

// begin signs the browser in.
func (s *Site) begin(v *visit, name string) error {
	secret, now := rand.Text()+rand.Text(), s.Now()
	in := SignIn{
		Key: keyOf(secret), User: name, Address: s.proxies.client(v.r).String(), Agent: shortened(v.r.UserAgent(), 200),
		CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(signInLasts),
	}
	if err := s.SignIns.AddSignIn(v.r.Context(), in); err != nil {
		return err
	}
	s.setSession(v.w, v.r, secret, signInLasts)
	return nil
}

// signOut ends this browser's sign-in.
func (s *Site) signOut(v *visit) (*after, error) {
	if cookie, err := v.r.Cookie(sessionCookie); err == nil && s.SignIns != nil {
		key := keyOf(cookie.Value)
		if err := s.SignIns.EndSignIn(v.r.Context(), key); err != nil && app.CodeOf(err) != app.CodeNotFound {
			return nil, err
		}
		s.visitors.forget(key)
	}
	s.note(v, v.person.Name, "signed out")
	s.setSession(v.w, v.r, "", -time.Second)
	v.w.Header().Set("Clear-Site-Data", `"storage"`)
	return &after{to: "/sign-in"}, nil
}

// signOutEverywhere ends every sign-in of this user.
func (s *Site) signOutEverywhere(v *visit) (*after, error) {
	if s.SignIns == nil || v.person.Name == "" {
		return nil, app.Errorf(app.CodeConflict, "Nobody is signed in.")
	}
	if err := s.SignIns.EndSignIns(v.r.Context(), v.person.Name); err != nil {
		return nil, err
	}
	s.visitors.forgetAll(v.person.Name)
	s.note(v, v.person.Name, "signed out everywhere")
	s.setSession(v.w, v.r, "", -time.Second)
	v.w.Header().Set("Clear-Site-Data", `"storage"`)
	return &after{to: "/sign-in"}, nil
}

// attempt is what failed attempts are counted by.
type attempt struct{ address, account string }

func (s *Site) attemptOf(r *http.Request, name string) attempt {
	at := s.proxies.client(r)
	text := at.String()
	if at.Is6() { // A household has a whole network of them.
		if network, err := at.Prefix(64); err == nil {
			text = network.String()
		}
	}
	return attempt{address: text, account: strings.ToLower(name)}
}

// setUpPage is the form for the first password.
type setUpPage struct {
	Name, To, Wrong string
	Least           int
}

// SetUpPath gives the path of the link with which the first user is made, or "" where
// there is one already. It is good once, and for this process only.
func (s *Site) SetUpPath(ctx context.Context) (string, error) {
	open, err := s.visitors.open(ctx)
	if err != nil || !open || s.SignIns == nil {
		return "", err
	}
	return "/set-up/" + s.visitors.setUp, nil
}

// maySetUp tells whether the request may make the first user: with the link, or from
// this computer.
func (s *Site) maySetUp(v *visit) bool {
	if s.SignIns == nil {
		return false
	}
	secret := v.r.PathValue("secret")
	if secret == "" {
		return s.proxies.sameMachine(v.r)
	}
	return subtle.ConstantTimeCompare([]byte(secret), []byte(s.visitors.setUp)) == 1
}

func (s *Site) setUpForm(v *visit) {
	if !s.readyForSetUp(v) {
		return
	}
	s.showSetUp(v, 0, setUpPage{Name: firstUser})
}

func (s *Site) showSetUp(v *visit, status int, p setUpPage) {
	p.To, p.Least = v.r.URL.Path, leastPassword
	s.show(v, &view{page: "set-up", title: v.voice.say("setUp.title"), bare: true, status: status, data: p})
}

// readyForSetUp answers where there is a user already, or where the link is not the one.
func (s *Site) readyForSetUp(v *visit) bool {
	open, err := s.visitors.open(v.r.Context())
	switch {
	case err != nil:
		s.showFailure(v.bare(), err)
	case !open:
		http.Redirect(v.w, v.r, "/sign-in", http.StatusSeeOther)
	case !s.maySetUp(v):
		s.showError(v.w, v.r, http.StatusForbidden, "error.setUpLink")
	default:
		return true
	}
	return false
}

// setUp makes the first user, and signs the browser in.
func (s *Site) setUp(v *visit) {
	if !s.readyForSetUp(v) {
		return
	}
	p := setUpPage{Name: strings.TrimSpace(v.r.PostForm.Get("username"))}
	password := v.r.PostForm.Get("password")
	if p.Name == "" {
		p.Name = firstUser
	}
	if wrong := wrongPassword(password, v.r.PostForm.Get("again")); wrong != "" || len(p.Name) > longestName {
		p.Wrong = v.voice.say(orElse(wrong, "setUp.longName"), "least", leastPassword)
		s.showSetUp(v, http.StatusUnprocessableEntity, p)
		return
	}
	ctx := v.r.Context()
	err := s.addFirstUser(ctx, p.Name, password)
	if app.CodeOf(err) == app.CodeConflict {
		http.Redirect(v.w, v.r, "/sign-in", http.StatusSeeOther) // Somebody else was faster.
		return
	}
	if err == nil {
		err = s.begin(v, p.Name)
	}
	if err != nil {
		s.showFailure(v.bare(), err)
		return
	}
	s.note(v, p.Name, "sign-in set up")
	http.Redirect(v.w, v.r, "/welcome", http.StatusSeeOther)
}

func (s *Site) addFirstUser(ctx context.Context, name, password string) error {
	hash, err := s.passwords.hash(ctx, password)
	if err != nil {
		return err
	}
	if err := s.SignIns.AddFirstUser(ctx, User{Name: name, PasswordHash: hash, CreatedAt: s.Now()}); err != nil {
		return err
	}
	s.visitors.close()
	return nil
}

// wrongPassword gives the key of what is wrong with a new password; "" where nothing is.
func wrongPassword(password, again string) string {
	switch {
	case utf8.RuneCountInString(password) < leastPassword:
		return "setUp.short"
	case len(password) > mostPassword:
		return "setUp.long"
	case password != again:
		return "setUp.differ"
	}
	return ""
}

// changePassword replaces the user's password and ends every other sign-in.
func (s *Site) changePassword(v *visit) (*after, error) {
	if s.SignIns == nil || v.person.Name == "" {
		return nil, app.Errorf(app.CodeConflict, "Nobody is signed in.")
	}
	ctx, form := v.r.Context(), v.r.PostForm
	if wrong := wrongPassword(form.Get("password"), form.Get("again")); wrong != "" {
		return nil, app.Errorf(app.CodeInvalid, "%s", v.voice.say(wrong, "least", leastPassword))
	}
	err := s.checkSignIn(ctx, v.person.Name, form.Get("old"), s.attemptOf(v.r, v.person.Name))
	if app.CodeOf(err) == app.CodeUnauthorized {
		return nil, app.Errorf(app.CodeInvalid, "%s", v.voice.say("security.wrongOld"))
	}
	if err != nil {
		return nil, err
	}
	hash, err := s.passwords.hash(ctx, form.Get("password"))
	if err != nil {
		return nil, err
	}
	if err := s.SignIns.SetPassword(ctx, v.person.Name, hash); err != nil {
		return nil, err
	}
	if err := s.SignIns.EndSignIns(ctx, v.person.Name); err != nil {
		return nil, err
	}
	s.visitors.forgetAll(v.person.Name)
	s.note(v, v.person.Name, "password changed")
	return &after{to: "/settings/security", say: "flash.password"}, s.begin(v, v.person.Name)
}

// bare marks a visit of somebody who is not let in: nothing is said of anybody.
func (v *visit) bare() *visit {
	v.person = Person{}
	v.outside = true
	return v
}

// shortened gives text, cut at a whole letter after at most n bytes.
func shortened(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
