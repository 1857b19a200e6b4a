package portal

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
)

// Accept submits the job's accept form, with all its fields. Where the portal asks its
// question about short notice in return, that is answered with yes if allowShortNotice,
// and left alone otherwise; any other question is always left alone. The error is an
// [app.PageError] whose Sent tells whether anything can have reached the portal; the
// reply holds then what is known all the same. Neither proves anything: a look does.
func (c *Client) Accept(ctx context.Context, job app.Job, allowShortNotice bool) (app.Reply, error) {
	site := c.site.Load()
	to, reason := c.formAddress(job.AcceptForm)
	switch {
	case reason != "":
	case site.accepts(site.path(to)) == "" || site.accepts(site.path(to)) != job.Number:
		reason = "the form does not accept this job"
	}
	if reason != "" {
		return app.Reply{}, &app.PageError{Class: app.PageChanged, Reason: reason}
	}
	act := &act{client: c, job: job, kind: app.ActAccept, referer: site.boardAddress()}
	act.same = func(u *url.URL) bool { return site.ours(u) && site.accepts(site.path(u)) == job.Number }
	return act.do(ctx, *job.AcceptForm, allowShortNotice)
}

// Reject submits the form on the job's details page that rejects it. Reply and error are
// as of Accept; no question is ever answered.
func (c *Client) Reject(ctx context.Context, job app.Job) (app.Reply, error) {
	site := c.site.Load()
	var form *app.Form
	if job.Details != nil {
		form = job.Details.RejectForm
	}
	to, reason := c.formAddress(form)
	if reason == "" {
		_, another := about(site.path(to), to.RawQuery, job.Number)
		if another || !strings.Contains(site.path(to), string(c.profile.reject.action)) {
			reason = "the form does not reject this job"
		}
	}
	if reason != "" {
		return app.Reply{}, &app.PageError{Class: app.PageChanged, Reason: reason}
	}
	act := &act{client: c, job: job, kind: app.ActReject, referer: site.boardAddress()}
	if from, err := url.Parse(job.DetailsURL); err == nil && site.ours(from) {
		act.referer = from
	}
	path := site.path(to)
	act.same = func(u *url.URL) bool { return site.ours(u) && site.path(u) == path }
	return act.do(ctx, *form, false)
}

// formAddress checks where a form goes: to this portal, by POST, and never back to http.
func (c *Client) formAddress(form *app.Form) (to *url.URL, reason string) {
	site := c.site.Load()
	if form == nil {
		return nil, "the job has no such form"
	}
	to, err := url.Parse(form.Action)
	switch {
	case err != nil || !site.ours(to):
		return nil, "the form leads to another site"
	case !strings.EqualFold(form.Method, http.MethodPost):
		return nil, "the form is not one that acts"
	}
	return to, ""
}

// act is one act while it is being done.
type act struct {
	client  *Client
	job     app.Job
	kind    app.Act
	referer *url.URL
	// same tells whether an address is the act's own. Only there is a form sent again
	// where the portal asks for that (307 and 308): it has then not taken it yet.
	same func(*url.URL) bool
}

func (a *act) do(ctx context.Context, form app.Form, allowShortNotice bool) (app.Reply, error) {
	c := a.client
	t := &trip{}
	p, err := c.submit(ctx, form, a.referer, a.same, t)
	if err != nil {
		return app.Reply{Class: app.PageUnavailable, PostedAt: t.posted()}, err
	}
	board, details := c.before()
	reply, asked, err := a.read(p, board, details)
	reply.PostedAt = t.posted()
	var yes *app.Form
	sure := false
	if len(asked) > 0 {
		reply.Dialog = asked[0].id
		if a.kind == app.ActAccept && allowShortNotice {
			yes, sure = a.yes(p, asked, reply)
		}
	}
	from := p.url
	p.release()
	if yes == nil || !sure && !a.stillFree(ctx) {
		return reply, err
	}
	return a.confirm(ctx, *yes, from, reply.PostedAt, board, details)
}

// yes makes the form ready that answers the question about short notice, or gives nil
// where that is not what is asked. It is not sure where the question stands concealed on
// a page that says nothing of the job: that may be a template for later.
func (a *act) yes(p *page, asked []dialog, reply app.Reply) (form *app.Form, sure bool) {
	if othersShown(asked) {
		return nil, false
	}
	for _, d := range asked {
		if !d.short {
			continue
		}
		if form = p.continueForm(d, a.job.Number); form != nil {
			return form, !d.concealed || d.shown || reply.Board != nil || reply.Details != nil
		}
	}
	return nil, false
}

// stillFree looks whether the job can still be accepted.
func (a *act) stillFree(ctx context.Context) bool {
	c := a.client
	if a.job.DetailsURL != "" {
		d, err := c.Details(ctx, a.job)
		return err == nil && d.State == app.StateMatched
	}
	p, err := c.get(ctx, c.site.Load().boardAddress(), nil)
	if err != nil {
		return false
	}
	defer p.release()
	f := p.classify(toLook)
	return f.class == app.PageBoard && slices.ContainsFunc(p.readBoard(f.board, p.client.zone.Load()).jobs, func(j app.Job) bool {
		return j.Number == a.job.Number && j.State == app.StateMatched
	})
}

// confirm submits the answer to the question about short notice.
func (a *act) confirm(ctx context.Context, yes app.Form, from *url.URL, posted time.Time, before ...*marks) (app.Reply, error) {
	p, err := a.client.submit(ctx, yes, from, sameAddress(yes.Action), &trip{})
	if err != nil {
		if failure, ok := errors.AsType[*app.PageError](err); ok {
			failure.Sent = true // The first form has reached the portal.
		}
		return app.Reply{Class: app.PageUnavailable, PostedAt: posted, ShortNotice: true}, err
	}
	defer p.release()
	reply, asked, err := a.read(p, before...)
	reply.PostedAt, reply.ShortNotice = posted, true
	if len(asked) > 0 {
		reply.Dialog = asked[0].id // It is asked once, and answered once.
	}
	return reply, err
}

func othersShown(asked []dialog) bool {
	for _, d := range asked {
		if d.shown && !d.short {
			return true
		}
	}
	return false
}

// sameAddress tells addresses of the same path on the same host.
func sameAddress(address string) func(*url.URL) bool {
	own, err := url.Parse(address)
	return func(u *url.URL) bool {
		return err == nil && strings.EqualFold(hostname(u), hostname(own)) && u.EscapedPath() == own.EscapedPath() &&
			(u.Scheme == own.Scheme && port(u) == port(own) || u.Scheme == "https" && own.Scheme == "http")
	}
}

// submit sends a form.
func (c *Client) submit(ctx context.Context, form app.Form, referer *url.URL, again func(*url.URL) bool, t *trip) (*page, error) {
	to, err := url.Parse(form.Action)
	if err != nil {
		return nil, &app.PageError{Class: app.PageChanged, Reason: "the form has no address", Err: err}
	}
	return c.ask(ctx, request{
		method: http.MethodPost, address: to, body: encode(inCharset(form)), referer: referer, again: again,
	}, t)
}

// read reads what came back from an act.
func (a *act) read(p *page, before ...*marks) (app.Reply, []dialog, error) {
	f := p.classify(toBeTold)
	reply := app.Reply{Class: f.class, Status: p.status}
	switch f.class {
	case app.PageUnavailable:
		return a.readRefusal(p, reply, f, before)
	case app.PageLoggedOut, app.PageChallenge:
		return reply, nil, p.err(f.class, f.reason)
	case app.PageBoard, app.PageEmptyBoard:
		reply.Board = p.boardOfReply(f.board)
	case app.PageDetails:
		if d, other := p.readDetails(a.job.Number); other == "" {
			reply.Details = &d
		} else {
			reply.Class = app.PageLoggedIn
		}
	default:
	}
	now := a.settlement(p, reply)
	asked := p.asked(now, before...)
	switch {
	case len(asked) == 0:
		reply.Refused = p.refusal(before)
	case now == settled:
		for i := range asked {
			asked[i].short = false // Whatever is asked, yes is no answer to it.
		}
	}
	return reply, asked, nil
}

// readRefusal reads an answer that came with a status of 4xx: a portal may say no, or
// ask its question, with a 403, a 409 or a 422. A 409 and a 422 are a no without any
// words too, and so is a 403 on a page for those logged in; another may be a guard's, who
// knows nothing of the job.
func (a *act) readRefusal(p *page, reply app.Reply, f finding, before []*marks) (app.Reply, []dialog, error) {
	ours := p.status >= 400 && p.status < 500 && p.status != 419 && p.status != http.StatusTooManyRequests
	if !ours {
		return reply, nil, p.err(f.class, f.reason)
	}
	var asked []dialog
	if p.doc != nil {
		asked = p.asked(open, before...)
	}
	if len(asked) == 0 {
		reply.Refused = p.refusalWithStatus(before)
	}
	if len(asked) == 0 && reply.Refused == "" {
		return reply, nil, p.err(f.class, f.reason)
	}
	reply.Class = app.PageLoggedIn
	return reply, asked, nil
}

// boardOfReply reads a board that came as an answer: a look that cost nothing. It is
// complete only where it is the whole board.
func (p *page) boardOfReply(s *shape) *app.Board {
	read := p.readBoard(s, p.client.zone.Load())
	next, doubt := p.nextPage()
	return &app.Board{
		Jobs:     once(read.jobs),
		Complete: read.whole && !doubt && next.absolute == "" && p.client.site.Load().isBoard(p.url) && pageNumber(p.url.RawQuery) < 2,
		SeenAt:   p.firstByte,
		Bytes:    len(p.body),
	}
}

// settlement tells what the answer shows of the job.
func (a *act) settlement(p *page, reply app.Reply) settlement {
	switch {
	case reply.Class == app.PageGone:
		return closed
	case reply.Details != nil:
		return settlementOf(reply.Details.State)
	case reply.Board != nil:
		for _, j := range reply.Board.Jobs {
			if j.Number == a.job.Number {
				return settlementOf(j.State)
			}
		}
		if reply.Board.Complete {
			return closed
		}
		return open
	case p.saysOurs():
		return closed
	}
	return open
}

func settlementOf(state app.JobState) settlement {
	if state == app.StateOurs || state == app.StateGone {
		return settled
	}
	return open
}

// saysOurs tells whether a heading or a message on a page of its own says that the job
// is ours.
func (p *page) saysOurs() bool {
	profile := p.client.profile
	if profile.state(p.headings()) == app.StateOurs {
		return true
	}
	for _, a := range p.alerts() {
		if !a.bad && profile.state(a.text) == app.StateOurs {
			return true
		}
	}
	return false
}

// refusalWithStatus gives the portal's words of a refusal that came with a status of
// 4xx, or says so itself where the status alone is one.
func (p *page) refusalWithStatus(before []*marks) string {
	if p.doc != nil {
		if said := p.refusal(before); said != "" {
			return said
		}
		if p.says(p.client.profile.words.tryAgain) {
			return ""
		}
	}
	switch {
	case p.status == http.StatusConflict, p.status == http.StatusUnprocessableEntity,
		p.status == http.StatusForbidden && p.doc != nil && p.gather().loggedIn():
		return fmt.Sprintf("the portal answered %d", p.status)
	}
	return ""
}

// refusal gives the portal's words where it says no: in a message that was not there
// before the act, or on a page of its own. What only says that something went wrong, or
// that the job is gone, is no refusal: the look afterwards tells which.
func (p *page) refusal(before []*marks) string {
	w := &p.client.profile.words
	for _, a := range p.alerts() {
		said := plain(a.text)
		known := false
		for _, m := range before {
			known = known || m != nil && m.alerts[said]
		}
		switch {
		case known, w.tryAgain.in(said) != "":
		case w.refused.in(said) != "", a.bad && w.gone.in(said) == "":
			return shorten(a.text)
		}
	}
	if len(p.labels()) > 0 || len(p.shape().rows) > 0 || !p.says(w.refused) || p.says(w.tryAgain) {
		return ""
	}
	return p.sentence(w.refused)
}
