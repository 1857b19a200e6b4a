package bot

import (
	"context"
	"fmt"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/rules"
)

// lookOnce is one paced look, with everything that follows from it.
func (r *run) lookOnce() {
	r.pace.begin(time.Now())
	r.refreshConfiguration()
	r.restore()
	board, err := r.lookLoggedIn()
	switch {
	case r.over() || r.halted:
	case err != nil:
		r.troubled(err)
	default:
		r.session.TotalChecks++
		r.fits()
		r.work(board)
	}
	r.report()
	r.saveChecks()
	r.flush()
}

// lookLoggedIn looks at the board, logging in where that is needed. A session that has
// expired costs one log-in, and the look is made again at once.
func (r *run) lookLoggedIn() (app.Board, error) {
	if !r.bot.loggedIn {
		if err := r.logIn(); err != nil {
			return app.Board{}, err
		}
	}
	board, err := r.ask()
	if p := instead(err); p != nil && p.Class == app.PageLoggedOut && !r.over() {
		if !r.loggedOut(p) {
			return app.Board{}, err
		}
		r.note(levelInfo, "The portal's session had expired: logging in again.")
		if err := r.logIn(); err != nil {
			return app.Board{}, err
		}
		board, err = r.ask()
		if p := instead(err); p != nil && p.Class == app.PageLoggedOut && !r.over() {
			r.loggedOut(p)
		}
	}
	return board, err
}

// ask asks for the board once.
func (r *run) ask() (app.Board, error) {
	if err := r.waitsForPortal(); err != nil {
		return app.Board{}, err
	}
	b := r.bot
	board, err := await(r.looking, b, b.portal.Look)
	if err != nil {
		return app.Board{}, err
	}
	r.fine(board)
	return board, nil
}

// fine notes that a board was seen: whatever was wrong with the portal is over.
func (r *run) fine(board app.Board) {
	now := time.Now()
	r.welcome()
	r.stale = false
	r.pace.good()
	r.page = app.PageBoard
	if len(board.Jobs) == 0 {
		r.page = app.PageEmptyBoard
	}
	if r.session.LoginStatus != app.LoginSuccess {
		r.setLogin(app.LoginSuccess, app.EventLoginSuccess, "Still logged in at the portal.")
	}
	if r.problem != "" {
		message := fmt.Sprintf("The board is back after %s.", now.Sub(r.since).Round(100*time.Millisecond))
		r.problem = ""
		r.session.LastError = ""
		r.tellBot(app.EventBoardBack, message)
		r.note(levelInfo, message)
		r.saveSession()
	}
}

// troubled notes that there was no board, tells it once, and backs off.
func (r *run) troubled(err error) {
	now := time.Now()
	class, reason := app.PageUnavailable, err.Error()
	if p := instead(err); p != nil {
		class, reason = p.Class, p.Reason
	}
	r.obey(err)
	r.pace.failed(now)
	if class == app.PageChallenge {
		r.challenge(reason)
		return
	}
	if r.problem == "" || r.page != class {
		r.tellProblem(class, reason)
	}
	r.sawInstead(class, reason)
	if class == app.PageChanged {
		r.trip(tripLayout, reason)
	}
}

// sawInstead notes what came instead of the board, for the status.
func (r *run) sawInstead(class app.PageClass, reason string) {
	if r.problem == "" {
		r.since = time.Now()
	}
	r.page, r.problem = class, reason
}

// tellProblem tells what came instead of the board. It is never "no jobs".
func (r *run) tellProblem(class app.PageClass, reason string) {
	message := "No board could be read: " + string(class) + ", " + reason + "."
	r.page = class
	r.session.LastError = message
	e := r.botEvent(message)
	e.Error = reason
	r.step.tell(r.session.ID, app.EventBoardProblem, e)
	r.note(levelWarning, message)
	r.bot.log.Warn("no board could be read", "page", class, "reason", reason)
	r.saveSession()
	r.flush()
}

// refreshConfiguration takes over what was saved since the last look.
func (r *run) refreshConfiguration() {
	b := r.bot
	c, err := read(r.looking, b, func(ctx context.Context) (app.Configuration, error) {
		return b.records.Configuration(ctx, b.account)
	})
	if err == nil {
		r.useConfiguration(c)
	}
	if r.rules == nil && !r.over() {
		r.useConfiguration(app.DefaultConfiguration()) // Watches only, until the user's can be read.
	}
}

// useConfiguration puts a configuration in force. One that does not compile leaves the
// old one in force.
func (r *run) useConfiguration(c app.Configuration) {
	if r.rules != nil && c.Version == r.config.Version {
		return
	}
	set, err := rules.Compile(c)
	if err != nil {
		if r.badVersion != c.Version {
			r.badVersion = c.Version
			r.note(levelError, "The configuration cannot be used, so the one before stays in force: "+err.Error())
			r.bot.log.Error("the configuration cannot be used", "version", c.Version, "error", err)
		}
		return
	}
	r.config, r.rules = c, set
	r.pace.interval = time.Duration(c.CheckIntervalSeconds * float64(time.Second))
	r.stirred = true
}

// saveChecks stores the count of looks, once a second at most while nothing else happens.
func (r *run) saveChecks() {
	if time.Since(r.savedAt) >= time.Second && r.bot.ledger.waiting() < actUpTo {
		r.saveSession()
	}
}
