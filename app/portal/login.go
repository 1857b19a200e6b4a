package portal

import (
	"context"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/html/atom"

	"github.com/atozbot/atozbot/app"
)

// LogIn makes one attempt to log in. nil means that the portal has taken us in, or had
// us in already. The error is an [app.PageError]; with PageLoggedOut the credentials were
// not taken, and trying them again may lock the account. They are sent to the portal
// alone, by POST, and never from a page that came by https to one that does not.
func (c *Client) LogIn(ctx context.Context) error {
	p, err := c.get(ctx, c.site.Load().loginAddress(), nil)
	if err != nil {
		return err
	}
	form, err := c.loginForm(ctx, p)
	p.release()
	if err != nil || form == nil {
		return err
	}
	if p, err = c.submit(ctx, *form, p.url, sameAddress(form.Action), &trip{}); err != nil {
		return err
	}
	defer p.release()
	return c.loginAnswer(ctx, p)
}

// loginForm finds the form to log in with, filled in. Both results are nil where we are
// logged in already.
func (c *Client) loginForm(ctx context.Context, p *page) (*app.Form, error) {
	f := p.classify(toLogIn)
	switch f.class {
	case app.PageLoggedIn, app.PageBoard, app.PageEmptyBoard, app.PageDetails:
		return nil, nil
	case app.PageLoggedOut:
		form, reason := p.fillLogin()
		if form == nil {
			return nil, p.err(app.PageChanged, reason)
		}
		return form, nil
	case app.PageUnavailable, app.PageChanged:
		if p.redirected && !c.site.Load().isLogin(p.url) && (p.saysNothing() || p.ledAstray()) {
			return nil, c.askBoard(ctx, p) // Sent on from the log-in page, as those are who are logged in.
		}
	default:
	}
	return nil, p.err(f.class, f.reason)
}

// fillLogin fills the log-in form in. Of several, one that asks for a single password
// is the one to log in with: to sign up, it is asked for twice.
func (p *page) fillLogin() (*app.Form, string) {
	login := &p.client.profile.login
	var best *form
	for _, f := range p.doc.forms {
		if f.has(&login.email) == nil || f.has(&login.password) == nil {
			continue
		}
		if best == nil || passwords(best) > passwords(f) {
			best = f
		}
	}
	if best == nil {
		return nil, "the log-in page has no form with the fields that the profile names"
	}
	var by *control
	for _, c := range best.buttons() {
		if login.submit.is(c.node) {
			by = c
			break
		}
	}
	to, ok := p.link(best.action(by))
	switch {
	case !ok:
		return nil, "the log-in form would send the password to another site"
	case best.method(by) != http.MethodPost:
		return nil, "the log-in form would show the password in an address"
	}
	fields, on := best.fill(by)
	filled := 0
	for i, c := range on {
		switch {
		case login.email.is(c.node):
			fields[i].Value = p.client.username
			filled |= 1
		case login.password.is(c.node):
			fields[i].Value = p.client.password
			filled |= 2
		}
	}
	if filled != 3 {
		return nil, "the log-in form's fields cannot be filled in"
	}
	return p.formTo(to, fields), ""
}

func passwords(f *form) int {
	n := 0
	for _, c := range f.controls {
		if c.node.DataAtom == atom.Input && strings.EqualFold(attribute(c.node, "type"), "password") {
			n++
		}
	}
	return n
}

// loginAnswer says what came of the attempt.
func (c *Client) loginAnswer(ctx context.Context, p *page) error {
	f := p.classify(toLogIn)
	switch f.class {
	case app.PageLoggedIn, app.PageBoard, app.PageEmptyBoard, app.PageDetails:
		return nil
	case app.PageLoggedOut:
		return p.notTaken()
	case app.PageUnavailable, app.PageChanged:
		if p.status == http.StatusUnauthorized || p.status == http.StatusUnprocessableEntity {
			return p.notTaken()
		}
		if p.saysNothing() || p.ledAstray() {
			return c.askBoard(ctx, p)
		}
	default:
	}
	return p.err(f.class, f.reason)
}

// ledAstray tells of a page that the portal sent us on to and that is missing or broken:
// it says nothing of the log-in, and the credentials are not sent again for it.
func (p *page) ledAstray() bool {
	return p.redirected && p.status >= 400 && p.status != http.StatusTooManyRequests && p.header.Get("Retry-After") == ""
}

// saysNothing tells of a page that came well enough, and says neither that we are logged
// in nor that we are not, nor that the portal is away: data, an empty answer, a page
// that the profile does not know.
func (p *page) saysNothing() bool {
	return p.status < 300 && !p.says(p.client.profile.words.maintenance)
}

// askBoard settles whether we are logged in where the answer to a log-in did not.
func (c *Client) askBoard(ctx context.Context, from *page) error {
	p, err := c.get(ctx, c.site.Load().boardAddress(), from.url)
	if err != nil {
		return err
	}
	defer p.release()
	f := p.classify(toLook)
	switch f.class {
	case app.PageBoard, app.PageEmptyBoard, app.PageChanged:
		return nil
	case app.PageLoggedOut:
		return p.notTaken()
	default:
		return p.err(f.class, f.reason)
	}
}

// notTaken says why the log-in form came back: the credentials are wrong, or there were
// too many attempts, which says nothing about them.
func (p *page) notTaken() error {
	if throttled := p.client.profile.login.throttled; p.parse() != nil && throttled.in(plain(strings.Join(p.lines(), " | "))) != "" {
		said := p.sentence(throttled)
		e := p.err(app.PageUnavailable, "the portal says: "+said)
		if e.RetryAfter == 0 {
			e.RetryAfter = waitIn(said)
		}
		return e
	}
	reason := "the portal did not take the user name and password"
	for _, a := range p.alerts() {
		if a.bad {
			reason += ": " + shorten(a.text)
			break
		}
	}
	return p.err(app.PageLoggedOut, reason)
}

// waitIn reads "Please try again in 57 seconds." A wait that is not told is a minute, as
// long as such counters usually run.
func waitIn(s string) time.Duration {
	match := regexp.MustCompile(`(\d{1,5})\s*(second|sec|minute|min)`).FindStringSubmatch(strings.ToLower(s))
	if match == nil {
		return time.Minute
	}
	n, err := strconv.Atoi(match[1])
	if err != nil {
		return time.Minute
	}
	unit := time.Second
	if strings.HasPrefix(match[2], "min") {
		unit = time.Minute
	}
	return min(time.Duration(n)*unit, longestRetryAfter)
}
