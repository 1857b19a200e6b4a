package bot_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/atozbot/atozbot/app"
)

// A stand-in for the portal client, scripted by the tests: jobs with a status, and for
// each request what goes wrong with it.

// fakeJob is one job as the portal has it.
type fakeJob struct {
	number, language, date, time, duration string
	minutes                                int
	kind                                   string // The text under "Interpreter details".
	status                                 string
	offBoard                               bool // Its row is not shown.
	noPage                                 bool // Its details are gone.
	noForm                                 bool // Its row carries no accept form.
	rejected                               bool
	reached, taken                         int // Posts that reached the portal, and that did something.
}

func (j *fakeJob) state() app.JobState {
	switch j.status {
	case "Matched":
		return app.StateMatched
	case "Accepted":
		return app.StateOurs
	case "Filled":
		return app.StateGone
	}
	return app.StateOther
}

// fault is what happens to one request.
type fault struct {
	instead error         // The request fails with this,
	after   bool          // after it has taken effect,
	delay   time.Duration // and after this.
	hang    bool          // It hangs until its context ends.
	linger  time.Duration // Between the effect and the answer.
	reply   *app.Reply    // What an act answers, without effect.
	board   *app.Board    // What a look answers.
	details *app.Details
}

// call is one request that was made.
type call struct {
	kind, number string
	at           time.Time
}

type fakePortal struct {
	mu       sync.Mutex
	jobs     []*fakeJob
	latency  time.Duration
	loggedIn bool
	wrong    bool // The credentials are not taken.
	hideOurs bool // Accepted jobs leave the board.
	bare     bool // Acts answer with nothing that shows the job.
	partial  bool // Boards are not read to their end.
	pages    int  // How many requests a look takes.
	faults   func(kind, number string) *fault
	calls    []call
	last     app.Board
	inFlight int
	most     int // Requests under way at once, at most.
	posted   chan string
	again    []string // Posts for jobs that were ours already.
}

func newFakePortal() *fakePortal {
	return &fakePortal{latency: 10 * time.Millisecond, posted: make(chan string, 1000)}
}

// telephone is a job that fits the rules out of the box.
func telephone(number string) *fakeJob {
	return &fakeJob{
		number: number, language: "Polish", date: "2000-02-01", time: "10:00", duration: "1 hour", minutes: 60,
		kind: "Telephone interpreting", status: "Matched",
	}
}

// at gives a job with another start.
func (j *fakeJob) at(date, clock string) *fakeJob {
	j.date, j.time = date, clock
	return j
}

// of gives a job of another type.
func (j *fakeJob) of(kind string) *fakeJob {
	j.kind = kind
	return j
}

func (p *fakePortal) add(jobs ...*fakeJob) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.jobs = append(p.jobs, jobs...)
}

func (p *fakePortal) remove(number string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.jobs = slices.DeleteFunc(p.jobs, func(j *fakeJob) bool { return j.number == number })
}

// set changes a job, or the portal, between two requests.
func (p *fakePortal) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

// is reads what a fault has set.
func (p *fakePortal) is(flag *bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return *flag
}

// total tells how many requests there were.
func (p *fakePortal) total() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.calls)
}

func (p *fakePortal) job(number string) *fakeJob {
	for _, j := range p.jobs {
		if j.number == number {
			return j
		}
	}
	return nil
}

// count tells how many requests of a kind there were, for one job or for all ("").
func (p *fakePortal) count(kind, number string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, c := range p.calls {
		if c.kind == kind && (number == "" || c.number == number) {
			n++
		}
	}
	return n
}

func (p *fakePortal) times(kind string) []time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	var at []time.Time
	for _, c := range p.calls {
		if c.kind == kind {
			at = append(at, c.at)
		}
	}
	return at
}

func (p *fakePortal) order(kind string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var numbers []string
	for _, c := range p.calls {
		if c.kind == kind {
			numbers = append(numbers, c.number)
		}
	}
	return numbers
}

// request notes a request, takes its time, and tells what goes wrong with it.
func (p *fakePortal) request(ctx context.Context, kind, number string) (*fault, error) {
	p.mu.Lock()
	p.calls = append(p.calls, call{kind, number, time.Now()})
	p.inFlight++
	p.most = max(p.most, p.inFlight)
	var f *fault
	if p.faults != nil {
		f = p.faults(kind, number)
	}
	latency := p.latency
	p.mu.Unlock()
	defer p.set(func() { p.inFlight-- })
	if f == nil {
		f = &fault{}
	}
	if f.hang {
		<-ctx.Done()
		return f, &app.PageError{Class: app.PageUnavailable, Sent: true, Reason: "no answer", Err: ctx.Err()}
	}
	timer := time.NewTimer(latency + f.delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return f, &app.PageError{Class: app.PageUnavailable, Sent: true, Reason: "cut", Err: ctx.Err()}
	}
	if f.instead != nil && !f.after {
		return f, f.instead
	}
	return f, nil
}

func loggedOut() error {
	return &app.PageError{Class: app.PageLoggedOut, Status: 200, Sent: true, Reason: "the log-in page came"}
}

func unavailable(status int) error {
	return &app.PageError{Class: app.PageUnavailable, Status: status, Sent: true, Reason: fmt.Sprintf("the portal answered %d", status)}
}

func changed() error {
	return &app.PageError{Class: app.PageChanged, Status: 200, Sent: true, Reason: "no part of the page is known"}
}

func challenge() error {
	return &app.PageError{Class: app.PageChallenge, Status: 200, Sent: true, Reason: "a CAPTCHA"}
}

func reset() error {
	return &app.PageError{Class: app.PageUnavailable, Sent: true, Reason: "the connection was reset"}
}

func refused() error {
	return &app.PageError{Class: app.PageUnavailable, Reason: "connection refused"}
}

func timedOut() error {
	return &app.PageError{Class: app.PageUnavailable, Sent: true, Reason: "no answer in time", Err: context.DeadlineExceeded}
}

func (p *fakePortal) LogIn(ctx context.Context) error {
	if _, err := p.request(ctx, "login", ""); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wrong {
		return loggedOut()
	}
	p.loggedIn = true
	return nil
}

func (p *fakePortal) Look(ctx context.Context) (app.Board, error) {
	f, err := p.request(ctx, "look", "")
	if err != nil {
		return app.Board{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !p.loggedIn:
		return app.Board{}, loggedOut()
	case f.board != nil:
		return *f.board, nil
	}
	return p.board(), nil
}

// board shows the jobs as they are, and says whether that is as at the look before.
func (p *fakePortal) board() app.Board {
	b := app.Board{Complete: !p.partial, Pages: p.pages, SeenAt: time.Now().UTC()}
	for _, j := range p.jobs {
		if !j.offBoard && !(p.hideOurs && j.status == "Accepted") && !j.rejected {
			b.Jobs = append(b.Jobs, j.row())
		}
	}
	same := slices.EqualFunc(b.Jobs, p.last.Jobs, func(x, y app.Job) bool {
		return slices.Equal(x.Row, y.Row) && (x.AcceptForm == nil) == (y.AcceptForm == nil)
	})
	if same && p.last.Complete == b.Complete {
		b.Jobs, b.Unchanged = p.last.Jobs, true
	}
	p.last = b
	return b
}

func (j *fakeJob) row() app.Job {
	out := app.Job{
		Number: j.number, Ref: j.number + "/A", Language: j.language,
		SubmittedText: "2000-01-01", DateText: j.date, TimeText: j.time, DurationText: j.duration, StatusText: j.status,
		Date: j.date, Time: j.time, DurationMinutes: j.minutes, State: j.state(),
		Row:        []string{j.number + "/A", "2000-01-01", j.date, j.time, j.duration, j.language, j.status, "View"},
		DetailsURL: "https://portal.test/interpreter-jobs/" + j.number,
	}
	if j.status == "Matched" && !j.noForm {
		out.AcceptForm = &app.Form{Method: "POST", Action: "https://portal.test/interpreter-jobs/" + j.number + "/matched"}
	}
	return out
}

func (p *fakePortal) Details(ctx context.Context, job app.Job) (app.Details, error) {
	f, err := p.request(ctx, "details", job.Number)
	if err != nil {
		return app.Details{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	j := p.job(job.Number)
	switch {
	case !p.loggedIn:
		return app.Details{}, loggedOut()
	case f.details != nil:
		return *f.details, nil
	case j == nil, j.noPage:
		return app.Details{}, &app.PageError{Class: app.PageGone, Status: 404, Sent: true, Reason: "the portal answered 404"}
	}
	return j.page(), nil
}

func (j *fakeJob) page() app.Details {
	d := app.Details{Number: j.number, Type: j.kind, StatusText: j.status, State: j.state()}
	if j.status == "Matched" && !j.rejected {
		d.RejectForm = &app.Form{Method: "POST", Action: "https://portal.test/interpreter-jobs/" + j.number + "/matched/reject"}
	}
	return d
}

func (p *fakePortal) Accept(ctx context.Context, job app.Job, _ bool) (app.Reply, error) {
	return p.act(ctx, "accept", job, func(j *fakeJob) { j.status = "Accepted" })
}

func (p *fakePortal) Reject(ctx context.Context, job app.Job) (app.Reply, error) {
	return p.act(ctx, "reject", job, func(j *fakeJob) { j.rejected = true })
}

func (p *fakePortal) act(ctx context.Context, kind string, job app.Job, do func(*fakeJob)) (app.Reply, error) {
	at := time.Now()
	select {
	case p.posted <- kind + " " + job.Number:
	default: // Nobody listens.
	}
	f, err := p.request(ctx, kind, job.Number)
	if err != nil {
		return app.Reply{PostedAt: at}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !p.loggedIn:
		return app.Reply{PostedAt: at}, loggedOut()
	case f.reply != nil:
		f.reply.PostedAt = at
		return *f.reply, nil
	}
	j := p.job(job.Number)
	if j != nil && j.status == "Accepted" {
		p.again = append(p.again, kind+" "+job.Number)
	}
	if j != nil && j.status == "Matched" && !j.rejected {
		do(j)
		j.taken++
	}
	if j != nil {
		j.reached++
	}
	if f.linger > 0 {
		p.mu.Unlock()
		select {
		case <-time.After(f.linger):
		case <-ctx.Done():
		}
		p.mu.Lock()
		if ctx.Err() != nil {
			return app.Reply{PostedAt: at}, &app.PageError{Class: app.PageUnavailable, Sent: true, Reason: "cut", Err: ctx.Err()}
		}
	}
	if f.instead != nil {
		return app.Reply{PostedAt: at}, f.instead
	}
	reply := app.Reply{Class: app.PageBoard, Status: 200, PostedAt: at}
	if !p.bare {
		board := p.board()
		board.Unchanged = false
		reply.Board = &board
	}
	return reply, nil
}

// survive gives the same portal to the next process, and cuts the last one off. What was
// on its way has either arrived or not.
func (p *fakePortal) survive() *fakePortal {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := &fakePortal{
		jobs: p.jobs, latency: p.latency, wrong: p.wrong, hideOurs: p.hideOurs, bare: p.bare, partial: p.partial,
		faults: p.faults, posted: p.posted, again: p.again,
	}
	p.jobs = nil
	p.faults = func(string, string) *fault { return &fault{instead: refused()} }
	return next
}
