package bot

import (
	"context"
	"time"

	"github.com/atozbot/atozbot/app"
)

// Bounds of the logging in.
const (
	mostStrikes  = 2  // Tries with credentials that were not taken: a third could lock the account.
	mostLogins   = 20 // At once; after that one in every loginEvery: a portal that logs us out at every look is not hammered.
	loginEvery   = 1700 * time.Millisecond
	whyStrikes   = "The portal does not take the log-in data. They were tried twice and are not tried again, so that the account is not locked: check ATOZ_USERNAME and ATOZ_PASSWORD, then start the bot."
	whyChallenge = "The portal asks for a person (a CAPTCHA or a consent page). Log in with a browser, answer it, then rearm the bot or start it."
)

// logins counts how often the portal was asked to let us in.
type logins struct {
	strikes  int       // In a row.
	proven   bool      // A page of those logged in has been seen in this session.
	untested bool      // No page of those logged in has been seen since the last log-in.
	spentTo  time.Time // Until then the log-ins made so far use up their rate.
}

// logIn tries once. Credentials that are not taken count; what else goes wrong does not.
func (r *run) logIn() error {
	b := r.bot
	if err := r.waitsForPortal(); err != nil {
		return err
	}
	if r.logins.strikes >= mostStrikes { // Before this session.
		r.strikeOut("the log-in data are those that the portal refused before the bot was started anew")
		return &app.PageError{Class: app.PageLoggedOut, Reason: "the log-in data were refused"}
	}
	if !r.logins.mayTry(time.Now()) {
		return &app.PageError{Class: app.PageLoggedOut, Reason: "the portal logs us out again and again, so logging in waits a little"}
	}
	r.setLogin(app.LoginAttempting, app.EventLoginTrying, "Logging in at the portal.")
	r.logins.spend(time.Now())
	_, err := await(r.looking, b, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, b.portal.LogIn(ctx)
	})
	if r.over() {
		return context.Cause(r.looking)
	}
	return r.loginAnswered(err)
}

// loginAnswered takes in what the portal made of a log-in.
func (r *run) loginAnswered(err error) error {
	p := instead(err)
	switch {
	case err == nil:
		r.bot.loggedIn = true
		r.logins.untested = true
		r.stale = r.valid > 0 // The forms of the newest board belong to the session before.
		r.setLogin(app.LoginSuccess, app.EventLoginSuccess, "Logged in at the portal.")
	case p != nil && p.Class == app.PageLoggedOut:
		r.strike(p.Reason)
	case p != nil && p.Class == app.PageChallenge:
		r.challenge(p.Reason)
	}
	return err
}

// strike counts credentials that were not taken. With the second one it is over.
func (r *run) strike(reason string) {
	r.bot.loggedIn = false
	r.logins.untested = false
	r.logins.strikes++
	if r.logins.strikes < mostStrikes {
		r.setLogin(app.LoginFailed, app.EventLoginFailed, "The portal did not take the log-in data ("+reason+"); they are tried once more.")
	} else {
		r.strikeOut(reason)
	}
	r.bot.noteRefused(r.looking, r.logins.strikes)
}

// strikeOut waits for the user: the log-in data were tried often enough.
func (r *run) strikeOut(reason string) {
	r.sawInstead(app.PageLoggedOut, reason)
	r.setLogin(app.LoginFailed, app.EventLoginFailed, whyStrikes)
	r.halt(whyStrikes, app.LoginFailed)
}

// loggedOut notes that the portal showed its log-in page, and tells whether to log in
// again at once. Right after a log-in that page means that the credentials were not
// taken, whatever the portal made of them at the log-in. Only where they have been right
// before in this session, it is trouble of the portal's own, and the next log-in waits as
// long as any other trouble makes it wait.
func (r *run) loggedOut(p *app.PageError) (atOnce bool) {
	r.bot.loggedIn = false
	if !r.logins.untested {
		return true
	}
	if !r.logins.proven {
		r.strike(p.Reason)
	}
	return false
}

// proved notes that a page came that only those logged in are shown.
func (l *logins) proved() { l.strikes, l.untested, l.proven = 0, false, true }

// mayTry keeps a portal that logs us out all the time from being hammered.
func (l *logins) mayTry(now time.Time) bool {
	return l.spentTo.Sub(now) <= (mostLogins-1)*loginEvery
}

// spend counts a log-in.
func (l *logins) spend(now time.Time) { l.spentTo = later(l.spentTo, now).Add(loginEvery) }

// challenge stops everything: nothing tries to get round it.
func (r *run) challenge(reason string) {
	r.trip(tripChallenge, reason)
	r.bot.loggedIn = false
	r.sawInstead(app.PageChallenge, reason)
	login := r.session.LoginStatus
	if login == app.LoginAttempting {
		login = app.LoginFailed
	}
	r.halt(whyChallenge, login)
}

func (r *run) setLogin(status app.LoginStatus, kind, message string) {
	r.session.LoginStatus = status
	r.tellBot(kind, message)
	r.note(levelFor(status), message)
	r.saveSession()
	r.flush()
	r.bot.publish()
}

func levelFor(status app.LoginStatus) string {
	if status == app.LoginFailed {
		return levelWarning
	}
	return levelInfo
}

// waitsForPortal says that the portal asked not to be asked yet.
func (r *run) waitsForPortal() error {
	wait := time.Until(r.bot.quiet)
	if wait <= 0 {
		return nil
	}
	return &app.PageError{Class: app.PageUnavailable, RetryAfter: wait, Reason: "the portal asked not to be asked for a while"}
}

// obey notes how long the portal asked to be left alone.
func (r *run) obey(err error) {
	if p := instead(err); p != nil && p.RetryAfter > 0 {
		until := time.Now().Add(p.RetryAfter)
		if p.RetryAfter > worthKeeping && until.Sub(r.bot.quiet) > worthKeeping {
			r.bot.noteQuiet(r.looking, until)
		}
		r.bot.quiet = later(r.bot.quiet, until)
		r.pace.quiet = r.bot.quiet
	}
}
