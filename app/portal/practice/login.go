package practice

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// sendToLogin answers a request that needs a session and has none.
func (p *Portal) sendToLogin(v *visit, now time.Time) answer {
	if v.page == PageAccept || v.page == PageContinue || v.page == PageReject {
		if j := p.jobs[v.number]; j != nil {
			// It reached the portal, and did nothing: the truth has to show it.
			act := Act{At: v.at, turn: v.turn, DecidedAt: now, Page: v.page, Fields: fieldsOf(v.form), Fault: v.fault.Name, Result: ResultLoggedOut}
			p.noteAct(j, act)
		}
	}
	if v.session == nil {
		v.session = p.visitors.open("", now)
	}
	if v.r.Method == http.MethodPost && p.scenario.Session.PostExpires {
		a := p.tokenExpired(v)
		a.cookie = v.session.cookie()
		return a
	}
	if v.method == http.MethodGet {
		v.session.intended = p.wanted(v)
	}
	if p.scenario.Session.PlainLogin || v.fault.Kind == FaultGuestPage {
		return p.loginPage(v, now)
	}
	a := redirect(loginPath)
	a.cookie = v.session.cookie()
	return a
}

// loginPage shows the log-in form, with the complaint about the last try.
func (p *Portal) loginPage(v *visit, now time.Time) answer {
	if v.session != nil && v.session.email != "" && v.page == PageLogin {
		return redirect(dashboardPath)
	}
	if v.session == nil {
		v.session = p.visitors.open("", now)
	}
	a := p.render(v, http.StatusOK, "login.html", frame{Title: "Log in", Guest: true})
	a.cookie = v.session.cookie()
	return a
}

// logIn takes the log-in form.
func (p *Portal) logIn(v *visit, now time.Time) answer {
	if v.session == nil || v.form.Get(fieldToken) != v.session.token || v.fault.Kind == FaultExpiredToken {
		return p.tokenExpired(v)
	}
	if p.scenario.Look.LoginFields && !v.form.Has("valid_from") {
		p.wrong(v, WrongFields, "a log-in form without all of its fields")
		return p.logInAgain(v, "Something went wrong. Please try again.")
	}
	email := v.form.Get("email")
	p.tally.counts.LogIns++
	if until := p.visitors.locked[email]; now.Before(until) {
		p.tally.counts.LogInsRefused++
		return p.logInAgain(v, "Too many login attempts. Please try again in "+
			strconv.Itoa(int(until.Sub(now).Seconds())+1)+" seconds.")
	}
	known := slices.IndexFunc(p.scenario.Accounts, func(a Account) bool {
		return a.Email == email && a.Password == v.form.Get("password")
	})
	if known < 0 {
		p.tally.counts.LogInsRefused++
		p.visitors.wrong[email]++
		if most := p.scenario.Session.Attempts; most > 0 && p.visitors.wrong[email] >= most {
			p.visitors.locked[email] = now.Add(p.scenario.Session.Locked)
			p.visitors.wrong[email] = 0
			p.tally.counts.LockedOut++
		}
		if len(p.visitors.wrong) > mostSessions { // Somebody tries addresses.
			clear(p.visitors.wrong)
		}
		return p.logInAgain(v, "These credentials do not match our records.")
	}
	delete(p.visitors.wrong, email)
	intended := v.session.intended
	// A session gets a new name and a new token when somebody logs in.
	p.visitors.end(v.session)
	v.session = p.visitors.open(email, now)
	if p.scenario.Session.Single {
		p.visitors.endAccount(email, v.session)
	}
	to := dashboardPath
	switch {
	case p.scenario.Session.LandsOn == "board":
		to = p.scenario.Board.Path
	case p.scenario.Session.LandsOn == "intended" && intended != "":
		to = intended
	}
	a := redirect(to)
	a.cookie = v.session.cookie()
	return a
}

// logInAgain leads back to the log-in form.
func (p *Portal) logInAgain(v *visit, complaint string) answer {
	v.session.flash, v.session.trouble = complaint, true
	return redirect(loginPath)
}

// logOut ends the session.
func (p *Portal) logOut(v *visit, now time.Time) answer {
	if v.r.Method != http.MethodPost || v.form.Get(fieldToken) != v.session.token {
		return p.tokenExpired(v)
	}
	p.visitors.end(v.session)
	v.session = p.visitors.open("", now)
	a := redirect(loginPath)
	a.cookie = v.session.cookie()
	return a
}

// tokenExpired is what a form gets whose token is not the session's.
func (p *Portal) tokenExpired(v *visit) answer {
	return p.render(v, statusPageExpired, "words.html", frame{
		Title: "Page Expired", Guest: true, Bare: true, Heading: "419", Text: "Page Expired",
	})
}

// statusPageExpired is what the usual framework answers to an old form token; it has no
// name in the standard library.
const statusPageExpired = 419
