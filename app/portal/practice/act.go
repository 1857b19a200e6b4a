package practice

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// The names of form fields.
const (
	fieldToken       = "_token"
	fieldMethod      = "_method"
	fieldLock        = "lock_version" // Ties an accept form to its job; a form without it is refused.
	fieldShortNotice = "short_notice" // Says yes to the 24-hour question.
	fieldButton      = "response"     // The accept button's name.
)

// act decides about a request and does what it wants. Everything that changes the
// portal happens here, at one moment.
func (p *Portal) act(v *visit) answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.advance()
	if (v.fault.Kind == FaultLoggedOut || v.fault.Kind == FaultGuestPage) && v.session != nil && v.session.email != "" {
		p.visitors.end(v.session)
		v.session = nil
	}
	// The session may have ended while the request waited.
	if v.session != nil && p.visitors.sessions[v.session.id] != v.session {
		v.session = nil
	}
	if s := v.session; s != nil {
		if s.expired(p.scenario.Session, now) {
			p.tally.counts.Expired++
			p.visitors.end(s)
			v.session = nil
		} else {
			s.requests++
			p.visitors.renewToken(s, p.scenario.Session, now)
		}
	}

	switch v.page {
	case PageLogin:
		return p.loginPage(v, now)
	case PageLogIn:
		return p.logIn(v, now)
	}
	if v.session == nil || v.session.email == "" {
		return p.sendToLogin(v, now)
	}
	switch v.page {
	case PageDashboard:
		return p.dashboardPage(v)
	case PageBoard:
		return p.boardPage(v, now)
	case PageDetails:
		return p.detailsPage(v)
	case PageAccept, PageContinue, PageReject, PageCancel:
		return p.actOnJob(v, now)
	case PageLogout:
		return p.logOut(v, now)
	}
	if v.path == "/" {
		return redirect(dashboardPath)
	}
	return p.words(v, http.StatusNotFound, "Not found", "The page that you asked for does not exist.")
}

// actOnJob takes the POST of a form that is about a job: it is written down whatever
// comes of it.
func (p *Portal) actOnJob(v *visit, now time.Time) answer {
	j := p.jobs[v.number]
	act := Act{
		At: v.at, turn: v.turn, DecidedAt: now, Page: v.page, Session: v.session.name, Account: v.session.email,
		Fields: fieldsOf(v.form), Fault: v.fault.Name,
	}
	a := p.decideAct(v, j, &act, now)
	if j != nil {
		p.noteAct(j, act)
	}
	p.log.Info("the practice portal was asked to act", "page", string(v.page), "job", v.number,
		"result", string(act.Result), "fault", v.fault.Name)
	return a
}

// noteAct writes down a POST about a job.
func (p *Portal) noteAct(j *job, act Act) {
	if act.Page == PageAccept && j.postedAt.IsZero() {
		j.postedAt = act.At
		p.tally.reactions.add(act.At.Sub(j.listedAt))
	}
	j.acts = append(j.acts, act)
	p.tally.act(act)
	p.tell()
}

// decideAct finds out what comes of a POST about a job, and notes it in act.
func (p *Portal) decideAct(v *visit, j *job, act *Act, now time.Time) answer {
	if answered, a := p.checkForm(v, j, act); answered {
		return a
	}
	p.checkManners(v, j)
	v.session.posts++

	if v.page == PageCancel {
		act.Result = ResultCancelled
		p.wrong(v, WrongCancel, "the dialog that must never be submitted was submitted")
		p.withdrawn(j, now)
		return p.back(v, j, "Your cancellation has been received.", false)
	}
	if (v.fault.Kind == FaultRival || j.RivalFirst && v.page != PageReject) && j.state == stateMatched {
		p.taken(j, now)
	}
	if !j.free(v.session.email) {
		return p.notFree(v, j, act)
	}
	if v.page == PageReject {
		act.Result, act.Committed = ResultRejected, true
		p.reject(j, v.session.email, now)
		return p.back(v, j, "Thank you, your response has been received.", false)
	}
	return p.decideAccept(v, j, act, now)
}

// decideAccept finds out what comes of an accept POST for a job that is free.
func (p *Portal) decideAccept(v *visit, j *job, act *Act, now time.Time) answer {
	refusal := j.Refusal
	if v.fault.Kind == FaultRefuse {
		refusal = "Your profile does not meet the requirements of this booking."
	}
	switch {
	case refusal != "":
		act.Result = ResultRefused
		if p.scenario.Board.Refused == "board" {
			v.session.flash, v.session.trouble = "Sorry, you cannot accept this job. "+refusal, true
			return redirect(p.scenario.Board.Path)
		}
		return p.words(v, http.StatusOK, "Unable to accept", "Sorry, you cannot accept this job. "+refusal)
	case j.CancelDialog || v.fault.Kind == FaultCancelDialog:
		act.Result = ResultCancelDialog
		return p.dialogPage(v, j, dialogCancel)
	case v.page == PageAccept && p.asksShortNotice(j, now):
		act.Result = ResultAsked
		if p.scenario.Board.DialogFrom == "redirect" {
			v.session.dialog = j.Number
			return p.redirectAfterAct(j)
		}
		return p.dialogPage(v, j, dialogShortNotice)
	}
	act.Result, act.Committed = ResultAccepted, true
	p.accepted(j, v.session.email, now)
	return p.back(v, j, "Thank you, your response has been received.", false)
}

// asksShortNotice tells whether accepting the job puts the 24-hour question.
func (p *Portal) asksShortNotice(j *job, now time.Time) bool {
	switch j.ShortNotice {
	case AskedAlways:
		return true
	case AskedNever:
		return false
	}
	return j.Starts.Sub(now) < 24*time.Hour
}

// checkForm answers a POST that is none of the portal's forms as it stands.
func (p *Portal) checkForm(v *visit, j *job, act *Act) (bool, answer) {
	token := v.form.Get(fieldToken)
	switch {
	case v.r.Method != http.MethodPost:
		act.Result = ResultMalformed
		p.wrong(v, WrongMethod, v.r.Method+" where a form is posted")
		return true, p.words(v, http.StatusMethodNotAllowed, "Not allowed", "The method is not supported for this page.")
	case v.fault.Kind == FaultExpiredToken:
		act.Result = ResultTokenExpired
		return true, p.tokenExpired(v)
	case token != v.session.token:
		act.Result = ResultTokenExpired
		if !p.visitors.tokens.known[token] {
			act.Result = ResultTokenWrong
			p.wrong(v, WrongToken, "a form token that there never was")
		}
		return true, p.tokenExpired(v)
	case j == nil || j.state == stateComing:
		act.Result = ResultGone
		return true, p.words(v, http.StatusNotFound, "Not found", "This job does not exist.")
	case v.page != PageCancel && !p.formIsWhole(v, j):
		act.Result = ResultMalformed
		p.wrong(v, WrongFields, "a form without all of its fields: "+v.form.Encode())
		return true, p.words(v, http.StatusUnprocessableEntity, "Something is missing", "The form was not complete.")
	}
	return false, answer{}
}

// formIsWhole tells whether a POST carries every field of the form that it came from.
func (p *Portal) formIsWhole(v *visit, j *job) bool {
	spoofed := map[Page]string{PageAccept: http.MethodPut, PageContinue: http.MethodPut, PageReject: http.MethodDelete}
	if v.form.Get(fieldMethod) != spoofed[v.page] || v.form.Get(fieldLock) != lockOf(j) {
		return false
	}
	return v.page != PageAccept || !p.scenario.Look.namedButton(j.Number) || v.form.Has(fieldButton)
}

// lockOf ties a form to its job.
func lockOf(j *job) string { return strconv.FormatUint(mix(0, "lock", j.Number)>>40, 16) }

// checkManners notes what a careful client would not have sent, though the portal
// takes it.
func (p *Portal) checkManners(v *visit, j *job) {
	if v.page == PageCancel {
		return
	}
	look := p.tally.lookAt(v.session.email, j)
	last := lastAct(j, v.session.email, v.page)
	switch {
	case j.state == stateAccepted && j.holder == v.session.email && v.page != PageReject:
		if !p.tally.misled[v.session.email] {
			p.wrong(v, WrongTwice, "a job that this account has already")
		}
	case j.state == stateOther:
		p.wrong(v, WrongNotFree, "a job that was never free: "+j.Status)
	case j.state != stateMatched && j.changedAt.Before(p.tally.sureOf(v.session.email, j)):
		p.wrong(v, WrongNotFree, "a job that a look had shown to be "+string(j.state))
	case last != nil && look.turn < last.turn:
		p.wrong(v, WrongBlind, "a second POST without a look since the first")
	case v.page == PageContinue && !wasAsked(j, v.session.email):
		p.wrong(v, WrongUnasked, "an answer to a question that was not put")
	}
}

// lastAct gives the account's newest POST of this kind about the job, nil for none.
func lastAct(j *job, email string, page Page) *Act {
	for i := len(j.acts) - 1; i >= 0; i-- {
		if j.acts[i].Account == email && j.acts[i].Page == page {
			return &j.acts[i]
		}
	}
	return nil
}

// wasAsked tells whether the 24-hour question was put to the account.
func wasAsked(j *job, email string) bool {
	return slices.ContainsFunc(j.acts, func(a Act) bool { return a.Account == email && a.Result == ResultAsked })
}

// notFree answers a POST about a job that the account can't act on.
func (p *Portal) notFree(v *visit, j *job, act *Act) answer {
	act.Result = ResultGone
	if j.state == stateAccepted && j.holder == v.session.email {
		act.Result = ResultAlreadyOurs
		return p.back(v, j, "You already have this job.", true)
	}
	if j.state == stateTaken && v.page != PageReject && !j.lostTo {
		j.lostTo = true
		p.tally.counts.Lost++
	}
	return p.gonePage(v, j)
}

// back leads to where an act leads, with something said there.
func (p *Portal) back(v *visit, j *job, text string, trouble bool) answer {
	v.session.flash, v.session.trouble = text, trouble
	if p.scenario.Board.AfterAct == "page" {
		return p.boardPage(v, p.last)
	}
	return p.redirectAfterAct(j)
}

func (p *Portal) redirectAfterAct(j *job) answer {
	if p.scenario.Board.AfterAct == "details" {
		return redirect(detailsPath(j))
	}
	return redirect(p.scenario.Board.Path)
}

func redirect(to string) answer { return answer{status: http.StatusFound, location: to} }

func detailsPath(j *job) string { return jobsPath + "/" + strconv.FormatInt(j.Number, 10) }

// fieldsOf gives the form's fields, each with its first value, without the token's value.
func fieldsOf(form url.Values) map[string]string {
	fields := make(map[string]string, len(form))
	for name, values := range form {
		if len(values) > 0 {
			fields[name] = values[0]
		}
	}
	if fields[fieldToken] != "" {
		fields[fieldToken] = "…"
	}
	return fields
}

// wrong notes an act that no careful client makes. The lock is held.
func (p *Portal) wrong(v *visit, what Wrong, detail string) {
	p.tally.wrong(WrongAct{
		At: v.at, What: what, Page: v.page, Job: v.number, Session: v.sessionName(), Detail: detail,
	})
	p.log.Warn("the practice portal saw a wrong act", "what", string(what), "page", string(v.page), "job", v.number, "detail", detail)
}
