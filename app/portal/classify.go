package portal

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/atozbot/atozbot/app"
)

// purpose is what a page was asked for, which decides what it can be.
type purpose int

const (
	toLook   purpose = iota // The board.
	toRead                  // A job's details.
	toLogIn                 // The log-in page, or the answer to a log-in.
	toBeTold                // The answer to an act.
)

// finding is what a page was found to be, and what was found on the way.
type finding struct {
	class  app.PageClass
	reason string
	board  *shape // Of a board or an empty board.
}

// classify says what a page is, before anything on it is believed.
//
// The evidence is weighed in this order, and the first that speaks decides:
//
//  1. What no page of the portal can be: 5xx and 429 (an answer without authority,
//     whatever its body shows), an empty body, JSON. A challenge that came with such a
//     status is told all the same, since only a person can mend it.
//  2. A log-in form while no mark of being logged in is there. This goes before the
//     board: a portal that has logged us out may still draw the board's frame, or say
//     that there are no jobs.
//  3. What was asked for, where it fits the profile and shows jobs or details. A row
//     that fits is stronger than any word on the page: a notice of next week's
//     maintenance, or a captcha in the foot's contact form, stands on boards that work.
//  4. A challenge. It goes before the empty board, since "there are no jobs" under a
//     captcha proves nothing.
//  5. The empty board: a row that is shown and says so in the profile's words, no row
//     that could be a job in a shape that is not known, and a mark of being logged in.
//     A heading about maintenance, or a log-in form that is shown, goes before it.
//  6. What the page says in words: gone, maintenance, logged out.
//  7. The rest. Logged in, or with the board's frame, it is a page of the portal that
//     the profile does not describe: changed. Anything else is not of the portal.
//
// Where the evidence is against both, the doubt goes against "no jobs" and against
// "board": a look too many is cheap, a job missed or a login taken for an empty board is not.
func (p *page) classify(want purpose) finding {
	p.answer = want == toBeTold
	if f, decided := p.classifyStatus(want); decided {
		return f
	}
	body := bytes.TrimSpace(p.decodedBody())
	switch {
	case len(body) == 0:
		return p.unfit(want, "the portal answered with an empty page")
	case body[0] == '{' || body[0] == '[':
		return p.unfit(want, "the portal answered with data instead of a page")
	}
	e := p.gather()
	if p.status >= 400 {
		return p.classifyRefusal(want, e)
	}
	return p.classifyPage(want, e)
}

func (p *page) decodedBody() []byte {
	p.decode()
	return p.body
}

func (p *page) unfit(want purpose, reason string) finding {
	if p.isMissing() && (want == toRead || want == toBeTold) {
		return finding{class: app.PageGone, reason: fmt.Sprintf("the portal answered %d for the job", p.status)}
	}
	if p.status >= 400 {
		reason = fmt.Sprintf("the portal answered %d", p.status)
	}
	return finding{class: app.PageUnavailable, reason: reason}
}

func (p *page) isMissing() bool {
	return p.status == http.StatusNotFound || p.status == http.StatusGone
}

// classifyStatus decides what the status alone decides.
func (p *page) classifyStatus(want purpose) (finding, bool) {
	if strings.EqualFold(p.header.Get("Cf-Mitigated"), "challenge") {
		return finding{class: app.PageChallenge, reason: "the portal's guard asks for a person"}, true
	}
	switch s := p.status; {
	case s == http.StatusUnauthorized:
		if want == toLogIn {
			return finding{}, false
		}
		return finding{class: app.PageLoggedOut, reason: "the portal answered 401"}, true
	case s == http.StatusTooManyRequests, s == http.StatusRequestTimeout, s == http.StatusTooEarly, s >= 500, s < 200:
		if what := p.challengeWidget(); what != nil {
			return finding{class: app.PageChallenge, reason: "the portal asks for a person"}, true
		}
		return finding{class: app.PageUnavailable, reason: fmt.Sprintf("the portal answered %d", s)}, true
	case s == http.StatusNoContent, s == http.StatusResetContent, s == http.StatusPartialContent, s >= 300 && s < 400:
		return finding{class: app.PageUnavailable, reason: fmt.Sprintf("the portal answered %d without a page", s)}, true
	case s == 419:
		return finding{class: app.PageUnavailable, reason: "the portal answered 419: the form's token had expired"}, true
	}
	return finding{}, false
}

// evidence is what a page shows about being logged in.
type evidence struct {
	marked    bool  // One of the marks of being logged in.
	canLogOut bool  // A way to log out, which is nearly as good.
	login     *form // A form to log in with, or nil.
	loginSeen bool  // The fields to log in with are there, and shown.
	loginHere bool  // They are there, shown or not.
	password  bool  // Some field for a password is there.
}

func (e evidence) loggedIn() bool { return e.marked || e.canLogOut }

func (p *page) gather() evidence {
	profile := p.client.profile
	doc := p.parse()
	e := evidence{marked: profile.login.loggedIn.first(doc.root) != nil}
	e.canLogOut = e.marked || profile.login.logOut.first(doc.root) != nil || p.offersLogOut()
	var loose bool // An email field outside of any form.
	for i := range doc.controls {
		if c := &doc.controls[i]; c.form == nil && profile.login.email.is(c.node) {
			loose = true
		}
	}
	for i := range doc.controls {
		c := &doc.controls[i]
		e.password = e.password || strings.EqualFold(attribute(c.node, "type"), "password")
		if !profile.login.password.is(c.node) {
			continue
		}
		if c.form == nil && loose || c.form != nil && c.form.has(&profile.login.email) != nil {
			e.loginHere = true
			if e.login == nil {
				e.login = c.form
			}
			e.loginSeen = e.loginSeen || !p.client.hiddenOn(c.node)
		}
	}
	return e
}

// classifyRefusal decides on a page that came with a 4xx.
func (p *page) classifyRefusal(want purpose, e evidence) finding {
	switch {
	case e.loginHere && !e.marked:
		return p.loggedOut(e)
	case p.challengeWidget() != nil, p.status == http.StatusForbidden && p.challengeWords():
		return finding{class: app.PageChallenge, reason: "the portal asks for a person"}
	case p.isMissing() && (want == toRead || want == toBeTold):
		return finding{class: app.PageGone, reason: fmt.Sprintf("the portal answered %d for the job", p.status)}
	case (want == toRead || want == toBeTold) && p.says(p.client.profile.words.gone):
		return finding{class: app.PageGone, reason: "the portal says: " + p.sentence(p.client.profile.words.gone)}
	case p.isMissing() && e.marked:
		return finding{class: app.PageChanged, reason: fmt.Sprintf("logged in, the portal answered %d for %s", p.status, p.url.Path)}
	}
	return finding{class: app.PageUnavailable, reason: fmt.Sprintf("the portal answered %d", p.status)}
}

func (p *page) loggedOut(e evidence) finding {
	if e.loginSeen && p.challengeWidget() != nil {
		return finding{class: app.PageChallenge, reason: "the log-in form asks for a person"}
	}
	return finding{class: app.PageLoggedOut, reason: "the log-in form came instead of the page"}
}

// classifyPage decides on a page that came with a 2xx.
func (p *page) classifyPage(want purpose, e evidence) finding {
	profile := p.client.profile
	board := p.shape()
	details := want != toLook && len(p.labels()) > 0
	fits := len(board.rows) > 0 || details
	switch {
	case e.loginHere && !e.marked:
		return p.loggedOut(e)
	case fits && !e.loggedIn() && p.linksToLogin():
		return finding{class: app.PageLoggedOut, reason: "the page offers to log in, and nothing on it says that we are"}
	case details && (want == toRead || len(board.rows) == 0):
		return finding{class: app.PageDetails}
	case len(board.rows) > 0:
		return finding{class: app.PageBoard, board: board}
	case p.challengeWidget() != nil:
		return finding{class: app.PageChallenge, reason: "the portal asks for a person"}
	case e.loginSeen:
		return finding{class: app.PageLoggedOut, reason: "the log-in form came instead of the page"}
	}

	headings := p.headings()
	if profile.words.maintenance.in(headings) != "" {
		return finding{class: app.PageUnavailable, reason: "the portal says: " + p.sentence(profile.words.maintenance)}
	}
	if board.empty && board.strange == 0 && e.loggedIn() && (want != toLook || !p.elsewhere()) {
		return finding{class: app.PageEmptyBoard, board: board}
	}
	return p.classifyWords(want, e, board)
}

// classifyWords decides on a page on which nothing fits, by what it says and where it is.
func (p *page) classifyWords(want purpose, e evidence, board *shape) finding {
	profile := p.client.profile
	to := p.leadsTo()
	switch {
	case (want == toRead || want == toBeTold) && p.says(profile.words.gone):
		return finding{class: app.PageGone, reason: "the portal says: " + p.sentence(profile.words.gone)}
	case want == toBeTold && (profile.dialog.shortNotice.first(p.doc.root) != nil || profile.dialog.never.first(p.doc.root) != nil):
		return finding{class: app.PageLoggedIn} // A dialog of the portal's, whatever is around it.
	case (want != toLogIn || !e.loggedIn()) && p.challengeWords():
		return finding{class: app.PageChallenge, reason: "the portal asks for a person: " + p.sentence(profile.words.challenge)}
	case (p.openEnded || p.doc.cut) && !p.doc.ended:
		return finding{class: app.PageUnavailable, reason: "the page broke off"}
	case board.strange > 0 && e.loggedIn():
		return finding{class: app.PageChanged, reason: fmt.Sprintf("the board has %d rows, and none is what the profile describes", board.strange)}
	case p.says(profile.words.loggedOut):
		return finding{class: app.PageLoggedOut, reason: "the portal says: " + p.sentence(profile.words.loggedOut)}
	case p.says(profile.words.maintenance):
		return finding{class: app.PageUnavailable, reason: "the portal says: " + p.sentence(profile.words.maintenance)}
	case !e.loggedIn() && p.client.site.Load().isLogin(p.url) && (want != toLogIn || e.password):
		return finding{class: app.PageLoggedOut, reason: "the portal sent us to the log-in page"}
	case !e.loggedIn() && (to != nil && p.client.site.Load().isLogin(to) || p.scriptsToLogin()):
		return finding{class: app.PageLoggedOut, reason: "the page leads on to the log-in page"}
	case !e.loggedIn() && p.linksToLogin():
		return finding{class: app.PageLoggedOut, reason: "the page offers to log in, and nothing on it says that we are"}
	case e.loggedIn() && want != toLook && want != toRead:
		return finding{class: app.PageLoggedIn}
	case e.loggedIn(), len(board.bodies) > 0, profile.board.chrome.first(p.doc.root) != nil:
		return finding{class: app.PageChanged, reason: p.whatChanged(want, e, board)}
	}
	return finding{class: app.PageUnavailable, reason: "the answer is no page of the portal"}
}

// whatChanged says for people what is not as the profile has it.
func (p *page) whatChanged(want purpose, e evidence, board *shape) string {
	switch {
	case want == toRead:
		return "logged in, and no part of the page is what the profile describes as a job's details"
	case board.empty && p.elsewhere():
		return "the portal sent us from the board to " + p.url.Path + ", where there are no jobs"
	case board.empty && !e.loggedIn():
		return "the board says that it is empty, and nothing on the page says that we are logged in"
	case board.strange > 0:
		return fmt.Sprintf("the board has %d rows, and none is what the profile describes", board.strange)
	case board.says != "":
		return "the board shows no job, and says: " + shorten(board.says)
	case len(board.bodies) > 0:
		return "the board has no row, and does not say that it is empty"
	}
	return "logged in, and no part of the page is what the profile describes as the board"
}

// says tells whether one of the words stands in what the page itself says.
func (p *page) says(w words) bool { return w.in(p.ownText()) != "" }

// challengeWidget gives something that only a person can answer, where the page shows it.
func (p *page) challengeWidget() *html.Node {
	challenge := &p.client.profile.challenge
	for _, n := range challenge.widget.all(p.parse().root) {
		seen := !p.client.hiddenOn(n)
		for up := n; seen && up != nil && up.Type == html.ElementNode; up = up.Parent {
			seen = !challenge.unseen.is(up)
		}
		if seen {
			return n
		}
	}
	return nil
}

// challengeWords tells whether the page asks for a person in words.
func (p *page) challengeWords() bool {
	profile := p.client.profile
	return p.says(profile.words.challenge) || profile.words.challengeHeading.in(p.headings()) != ""
}

// elsewhere tells whether the portal has sent us from the board to a page that does not
// even have its name: what is listed there may be another list.
func (p *page) elsewhere() bool {
	board := p.client.site.Load().board
	name := board[strings.LastIndexByte(strings.TrimSuffix(board, "/"), '/')+1:]
	return p.redirected && !strings.Contains(p.url.Path, strings.TrimSuffix(name, "/"))
}

// scriptsToLogin tells whether a script on the page does nothing but lead on to the
// log-in page, as far as that can be told without running it.
func (p *page) scriptsToLogin() bool {
	login := p.client.site.Load().login
	for _, n := range elements(p.parse().root, atom.Script) {
		if script := rawText(n); len(script) < 500 && strings.Contains(script, "location") && strings.Contains(script, login) {
			return true
		}
	}
	return false
}

// offersLogOut tells whether a link or a button on the page says that it logs out.
func (p *page) offersLogOut() bool {
	for _, tag := range []atom.Atom{atom.A, atom.Button} {
		for _, n := range elements(p.parse().root, tag) {
			if p.client.profile.login.logOutWords.are(plain(textOf(n))) {
				return true
			}
		}
	}
	return false
}

// linksToLogin tells whether a link on the page goes to the log-in page.
func (p *page) linksToLogin() bool {
	site := p.client.site.Load()
	for _, n := range elements(p.parse().root, atom.A) {
		if href := attribute(n, "href"); strings.Contains(href, strings.TrimPrefix(site.login, "/")) {
			if u := p.resolve(href); u != nil && site.isLogin(u) {
				return true
			}
		}
	}
	return false
}
