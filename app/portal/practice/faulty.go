package practice

import (
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// serveBadlyBefore answers requests that a fault befalls before anything is decided. It
// tells whether the request is over.
func (p *Portal) serveBadlyBefore(w http.ResponseWriter, v *visit) bool {
	if v.denied != "" {
		p.noteUndone(v, ResultDenied)
		p.write(w, v.r, p.tooMany(v, v.wait, false))
		return true
	}
	f := v.fault
	var a answer
	switch f.Kind {
	case FaultSlow:
		return p.pause(v, f.Delay) != nil && v.method == http.MethodGet
	case FaultReset:
		p.noteUndone(v, ResultFault)
		p.reset(w, v)
		return true
	case FaultHang:
		p.noteUndone(v, ResultFault)
		p.hang(w, v)
		return true
	case FaultHuge:
		p.noteUndone(v, ResultFault)
		p.serveHuge(w, v)
		return true
	case FaultError:
		a = p.failure(v)
	case FaultRateLimited:
		a = p.tooMany(v, f.RetryAfter, f.RetryDate)
	case FaultMaintenance:
		a = p.maintenance(v)
	case FaultChallenge:
		a = answer{status: orStatus(f.Status, http.StatusForbidden), body: page("challenge.html")}
	case FaultCaptcha:
		a = answer{status: orStatus(f.Status, http.StatusOK), body: page("captcha.html")}
	case FaultConsent:
		a = answer{status: orStatus(f.Status, http.StatusOK), body: page("consent.html")}
	case FaultForeign:
		a = answer{status: orStatus(f.Status, http.StatusOK), body: page("foreign.html")}
	case FaultChanged:
		a = answer{status: orStatus(f.Status, http.StatusOK), body: page("changed.html")}
	case FaultNoTable:
		a = p.rendered(v, http.StatusOK, "notable.html", frame{Title: "Interpreter jobs"})
	case FaultGuestBoard:
		a = p.rendered(v, http.StatusOK, "guestboard.html", frame{Title: "Interpreter jobs", Guest: true})
	case FaultEmptyBody:
		a = answer{status: orStatus(f.Status, http.StatusOK)}
	case FaultGarbage:
		a = answer{status: orStatus(f.Status, http.StatusOK), body: garbage(p.scenario.Seed), raw: true}
	case FaultRedirectLoop:
		a = redirect(p.wanted(v))
	case FaultOffSite:
		a = redirect(f.Target)
	case FaultWrongJob:
		a = p.anotherJob(v)
	default:
		return false
	}
	p.noteUndone(v, ResultFault)
	p.finish(v)
	p.write(w, v.r, a)
	return true
}

// serveBadlyAfter answers requests that did their work, and whose answer a fault
// befalls. It tells whether the request is over.
func (p *Portal) serveBadlyAfter(w http.ResponseWriter, v *visit, a answer) bool {
	switch f := v.fault; f.Kind {
	case FaultErrorAfter:
		a = p.failure(v)
	case FaultForeignAfter:
		a = answer{status: orStatus(f.Status, http.StatusOK), body: page("foreign.html")}
	case FaultResetAfter:
		p.reset(w, v)
		return true
	case FaultHangAfter:
		p.hang(w, v)
		return true
	case FaultTruncated:
		p.serveTruncated(w, v, a)
		return true
	case FaultTrickle:
		p.serveTrickle(w, v, a)
		return true
	case FaultClose:
		w.Header().Set("Connection", "close")
		return false
	default:
		return false
	}
	p.finish(v)
	p.write(w, v.r, a)
	return true
}

// noteUndone notes a POST about a job that reached the portal and changed nothing.
func (p *Portal) noteUndone(v *visit, result Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.advance()
	p.log.Info("the practice portal answered badly", "page", string(v.page), "job", v.number, "fault", v.fault.Name)
	j := p.jobs[v.number]
	if j == nil || v.page != PageAccept && v.page != PageContinue && v.page != PageReject && v.page != PageCancel {
		return
	}
	act := Act{At: v.at, turn: v.turn, DecidedAt: now, Page: v.page, Fields: fieldsOf(v.form), Fault: v.fault.Name, Result: result}
	if v.session != nil {
		act.Session, act.Account = v.session.name, v.session.email
	}
	p.noteAct(j, act)
}

// reset ends the connection with a reset, so that the client sees neither an answer nor
// an orderly end.
func (p *Portal) reset(w http.ResponseWriter, v *visit) {
	p.abandon(v)
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2, and recorders: the nearest that they have.
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// hang answers nothing until the client leaves, the fault's delay is over or the portal
// ends; then the connection is closed.
func (p *Portal) hang(w http.ResponseWriter, v *visit) {
	p.abandon(v)
	delay := v.fault.Delay
	if delay == 0 {
		delay = time.Hour
	}
	_ = p.pause(v, delay)
	p.reset(w, v)
}

// serveHuge sends a page without end.
func (p *Portal) serveHuge(w http.ResponseWriter, v *visit) {
	p.abandon(v)
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	piece := []byte(strings.Repeat("<p>There is more to come.</p>\n", 2048))
	for sent := 0; sent < 64<<20 && v.r.Context().Err() == nil && p.life.Err() == nil; sent += len(piece) {
		if _, err := w.Write(piece); err != nil {
			return
		}
	}
}

// serveTruncated promises the whole body and sends the half.
func (p *Portal) serveTruncated(w http.ResponseWriter, v *visit, a answer) {
	p.abandon(v)
	if a.location != "" {
		p.reset(w, v)
		return
	}
	if a.cookie != nil {
		http.SetCookie(w, a.cookie)
	}
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body[:len(a.body)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// serveTrickle sends the body in pieces, over the fault's delay.
func (p *Portal) serveTrickle(w http.ResponseWriter, v *visit, a answer) {
	p.abandon(v)
	const pieces = 20
	if a.cookie != nil {
		http.SetCookie(w, a.cookie)
	}
	if a.location != "" {
		w.Header().Set("Location", p.locate(v.r, a.location))
	}
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	w.WriteHeader(a.status)
	size := len(a.body)/pieces + 1
	for body := a.body; len(body) > 0; {
		n := min(size, len(body))
		if _, err := w.Write(body[:n]); err != nil {
			return
		}
		_ = http.NewResponseController(w).Flush()
		body = body[n:]
		if p.pause(v, v.fault.Delay/pieces) != nil {
			return
		}
	}
}

// failure is the page of a server error.
func (p *Portal) failure(v *visit) answer {
	status := orStatus(v.fault.Status, http.StatusInternalServerError)
	return p.rendered(v, status, "words.html", frame{
		Title: "Server Error", Bare: true, Guest: true, Heading: strconv.Itoa(status), Text: "Server Error",
	})
}

// maintenance is the page of a portal that is being worked on.
func (p *Portal) maintenance(v *visit) answer {
	a := p.rendered(v, orStatus(v.fault.Status, http.StatusServiceUnavailable), "words.html", frame{
		Title: "Be right back", Bare: true, Guest: true, Heading: "Be right back.",
		Text: "We are carrying out scheduled maintenance.",
	})
	p.retryAfter(&a, v, v.fault.RetryAfter, v.fault.RetryDate)
	return a
}

// tooMany is the page for a client that asks too often.
func (p *Portal) tooMany(v *visit, after time.Duration, asDate bool) answer {
	a := p.rendered(v, http.StatusTooManyRequests, "words.html", frame{
		Title: "Too Many Requests", Bare: true, Guest: true, Heading: "429", Text: "Too Many Requests",
	})
	p.retryAfter(&a, v, after, asDate)
	return a
}

// retryAfter sets the header, and remembers what it asked this client for.
func (p *Portal) retryAfter(a *answer, v *visit, after time.Duration, asDate bool) {
	if after <= 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	until := p.advance().Add(after)
	seconds := int64((after + time.Second - 1) / time.Second)
	a.header = map[string]string{"Retry-After": strconv.FormatInt(seconds, 10)}
	if asDate {
		a.header["Retry-After"] = until.UTC().Format(http.TimeFormat)
	}
	p.tally.askedToWait(v.counted.who, until)
}

// anotherJob is the details page of a job that was not asked for.
func (p *Portal) anotherJob(v *visit) answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.advance()
	if v.session == nil || v.session.email == "" {
		return p.sendToLogin(v, now)
	}
	other := &job{Job: Job{Number: v.number + 1, Type: TypeTelephone, Starts: usualStart(now.In(p.zone))}.withDefaults(), state: stateMatched}
	for _, j := range p.board {
		if j.Number != v.number && j.state == stateMatched {
			other = j
			break
		}
	}
	if other.ref == "" {
		other.ref = strconv.FormatInt(other.Number, 10) + "/A"
	}
	return p.render(v, http.StatusOK, "details.html", p.detailsFrame(v, other))
}

// garbage is a body that is no page in any charset.
func garbage(seed uint64) []byte {
	b := make([]byte, 2048)
	r := dice(seed, "garbage", 0)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func orStatus(status, usual int) int {
	if status != 0 {
		return status
	}
	return usual
}
