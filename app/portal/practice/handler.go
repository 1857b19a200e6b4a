package practice

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// The paths, as PORTAL.md has them. The board's can be set; those of a job can't.
const (
	loginPath     = "/login"
	logoutPath    = "/logout"
	dashboardPath = "/dashboard"
	jobsPath      = "/interpreter-jobs"
	stylePath     = "/assets/portal.css"
)

// visit is one request on its way through the portal.
type visit struct {
	r       *http.Request
	path    string // Without the portal's prefix; "" for one that is not under it.
	page    Page
	number  int64      // Of the job that it is about; 0 for none.
	form    url.Values // Of a POST.
	method  string     // With the spoofed one taken into account.
	at      time.Time
	turn    int64         // Which of the portal's requests it is.
	session *session      // Nil for a client without one.
	fault   Fault         // What befalls it; the zero value for nothing.
	denied  string        // Why it is one too many; "" for one that is not.
	wait    time.Duration // What a denied one is told to wait.
	counted *arrival
	latency time.Duration
}

// answer is what goes back.
type answer struct {
	status   int
	location string
	header   map[string]string
	cookie   *http.Cookie
	body     []byte // In UTF-8; the charset is changed on the way out.
	raw      bool   // The body is no HTML of ours, and goes out as it is.
}

// ServeHTTP answers a request to the portal.
func (p *Portal) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "The form could not be read.", http.StatusBadRequest)
		return
	}
	if strings.TrimPrefix(r.URL.Path, p.scenario.Prefix) == stylePath {
		p.serveStyle(w)
		return
	}
	v := p.arrive(r)
	defer p.leave(v)

	if err := p.pause(v, v.latency/2); err != nil && v.method == http.MethodGet {
		return // A POST does its work though nobody waits for the answer, as on a real server.
	}
	if p.serveBadlyBefore(w, v) {
		return
	}
	a := p.act(v)
	if p.serveBadlyAfter(w, v, a) {
		return
	}
	if err := p.pause(v, v.latency-v.latency/2); err != nil {
		return
	}
	p.finish(v)
	p.write(w, r, a)
}

// arrive finds out what a request wants and who asks, and counts it.
func (p *Portal) arrive(r *http.Request) *visit {
	v := &visit{r: r, form: r.PostForm, method: method(r)}
	if path, under := strings.CutPrefix(r.URL.Path, p.scenario.Prefix); under {
		v.path = path
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	v.at = p.advance()
	v.page, v.number = p.route(v)
	v.session = p.visitors.find(r)
	if v.session != nil {
		v.session.seenAt = v.at
	}
	who := client(v.session, r)
	v.counted = p.tally.arrive(v, who)
	v.latency = p.latency(v.page)
	v.denied, v.wait = p.deny(who, v.at)
	if v.denied != "" {
		p.tally.wrong(WrongAct{At: v.at, What: WrongTooFast, Page: v.page, Job: v.number, Session: v.sessionName(), Detail: v.denied})
		return v
	}
	for _, f := range p.faults {
		if f.befalls(p.scenario.Seed, v.page, v.number, v.at) {
			v.fault = f.Fault
			p.tally.struck[f.Name]++
			break
		}
	}
	return v
}

// latency draws how long this request takes.
func (p *Portal) latency(page Page) time.Duration {
	l, set := p.scenario.Latency[page]
	if !set {
		l = p.scenario.Latency[PageAny]
	}
	if l.Mean == 0 && l.Jitter == 0 {
		return 0
	}
	return spread(l.Mean, l.Jitter, p.scenario.Seed, "latency "+string(page), int64(p.tally.pages[page]))
}

// deny tells why a client gets no answer but 429 and how long it is told to wait, and ""
// where it gets an answer.
func (p *Portal) deny(who string, now time.Time) (string, time.Duration) {
	rules := p.scenario.Guests
	b := p.visitors.bucket(who, rules, now)
	b.atOnce++
	switch {
	case now.Before(b.notUntil):
		return "before the time of a Retry-After", b.notUntil.Sub(now)
	case rules.AtOnce > 0 && b.atOnce > rules.AtOnce:
		return "too many at once", rules.RetryAfter
	case !b.take(rules, now):
		b.notUntil = now.Add(rules.RetryAfter)
		return "too many requests", rules.RetryAfter
	}
	return "", 0
}

// leave ends the counting of a request, however it went.
func (p *Portal) leave(v *visit) {
	p.finish(v)
	if v.r.Context().Err() != nil {
		p.abandon(v)
	}
}

// finish counts a request as answered. It comes before the answer's last byte, so that
// a client which asks again at once is not taken for one that asks twice at a time.
func (p *Portal) finish(v *visit) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if v.counted.done {
		return
	}
	v.counted.done = true
	p.tell()
	if b := p.visitors.buckets[v.counted.who]; b != nil && b.atOnce > 0 {
		b.atOnce--
	}
}

// abandon counts a request as one that its client did not wait for.
func (p *Portal) abandon(v *visit) {
	p.finish(v)
	p.mu.Lock()
	defer p.mu.Unlock()
	v.counted.abandoned = true
}

// pause lets time go by for a request. The error says that nobody waits for it any more.
func (p *Portal) pause(v *visit, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	ctx, cancel := context.WithCancel(v.r.Context())
	defer cancel()
	stop := context.AfterFunc(p.life, cancel)
	defer stop()
	_ = p.wait(ctx, d) // Cut short by the portal's end, it is answered at once.
	if err := v.r.Context().Err(); err != nil {
		p.abandon(v)
		return err
	}
	return nil
}

// method is the request's, or the one that a POST says it stands for.
func method(r *http.Request) string {
	if r.Method == http.MethodPost {
		if m := strings.ToUpper(r.PostForm.Get("_method")); m != "" {
			return m
		}
	}
	if r.Method == http.MethodHead {
		return http.MethodGet
	}
	return r.Method
}

// route tells which page a request is for, and which job it is about.
func (p *Portal) route(v *visit) (Page, int64) {
	get := v.method == http.MethodGet
	switch v.path {
	case loginPath:
		if get {
			return PageLogin, 0
		}
		return PageLogIn, 0
	case logoutPath:
		return PageLogout, 0
	case dashboardPath:
		return PageDashboard, 0
	case p.scenario.Board.Path:
		return PageBoard, 0
	}
	rest, ok := strings.CutPrefix(v.path, jobsPath+"/")
	if !ok {
		return PageOther, 0
	}
	digits, act, _ := strings.Cut(rest, "/")
	number, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || number <= 0 {
		return PageOther, 0
	}
	switch act {
	case "":
		return PageDetails, number
	case "matched":
		if v.form.Has(fieldShortNotice) {
			return PageContinue, number
		}
		return PageAccept, number
	case "matched/reject":
		return PageReject, number
	case "cancel":
		return PageCancel, number
	}
	return PageOther, 0
}

func (v *visit) sessionName() string {
	if v.session == nil {
		return ""
	}
	return v.session.name
}
