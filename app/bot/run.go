package bot

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/rules"
)

// ending is why a run of a session ends.
type ending string

// Error gives the reason; an ending is the cause of the contexts that it cancels.
func (e ending) Error() string { return string(e) }

const (
	endStopped     ending = "the user stopped the bot"
	endInterrupted ending = "the process ends"
	endReplaced    ending = "the user began another session"
	endLeaseLost   ending = "another replica has taken the account's lease"
)

// run is one session at work in this process. All of it belongs to the owner goroutine.
type run struct {
	bot     *Bot
	session app.Session
	lease   atomic.Pointer[app.Lease] // As renewed last; the lease keeper stores it, claims are made under it.

	// looking ends when nothing new may be begun; acting, its parent, when the act in hand
	// must end too.
	looking, acting context.Context
	cancelLook      context.CancelCauseFunc
	cancelAct       context.CancelCauseFunc
	helpers         sync.WaitGroup // The lease keeper and the listener.

	ending  ending
	halted  bool // Waits for a person: a challenge, or credentials that are not taken.
	answers []func(error)

	config   app.Configuration
	rules    *rules.Set
	restored bool // The claims and bookings of earlier runs are known.

	pace    pace
	logins  logins
	board   app.Board     // The newest.
	page    app.PageClass // Of the newest look.
	problem string        // Why the newest look was none; "" where it was one.
	since   time.Time     // Of the problem.
	look    int64         // The number of the newest board.
	valid   int64         // The number of the newest that was looked for, or was whole.
	pages   int           // How many requests the newest look at the board took.
	round   int64         // The number of the newest paced look that was worked through.

	seen     map[string]*seen
	here     []*seen        // Those on the boards from the valid one on, in its order.
	present  map[*seen]bool // Those on the board, as far as the newest board that could tell.
	trying   map[*seen]bool // Those with an open claim, and some whose claim was settled since.
	forgotAt time.Time      // When jobs with nothing left to do about them were last let go of.
	tally    tally
	watch    watch

	step           *step
	stirred        bool      // Something besides the board has changed: decide again.
	unfinished     bool      // The last look left something to do at the next.
	restTally      int64     // The tally that everything was decided by.
	restUntil      time.Time // Until then an unchanged board needs no thought.
	savedAt        time.Time // When the session was last put into a step.
	spreadAt       time.Time // When sightings were last stored.
	capTold        bool
	namelessTold   string
	recordsTrouble string // Why the records could not be asked; "" once they could.
	badVersion     int64  // The version of a configuration that cannot be used.
	digest         digest
	postedNow      bool       // Something was posted in this round.
	freeBoard      *app.Board // The newest that came as a reply.
	hungIn         int64      // The paced look in which a request hung, or a page that cannot be read had its turn.
	stale          bool       // The newest board's forms are not to be submitted any more.
	rejects        []*seen    // To be rejected, on the newest board.
	surprises      []*seen    // Jobs that became ours on the newest board without an act of ours.
	freedNow       bool       // A claim came to nothing since the last one was made.
	urgent         bool       // An answer waits to be acted on.
}

func newRun(b *Bot, s app.Session, lease app.Lease) *run {
	r := &run{
		bot: b, session: s,
		seen: map[string]*seen{}, present: map[*seen]bool{}, trying: map[*seen]bool{},
		step: b.newStep(),
	}
	r.lease.Store(&lease)
	r.acting, r.cancelAct = context.WithCancelCause(context.Background())
	r.looking, r.cancelLook = context.WithCancelCause(r.acting)
	r.pace.random = b.random
	r.logins.proven = s.TotalChecks > 0 // Resumed.
	r.config = app.DefaultConfiguration()
	return r
}

// open tells that the session runs, and sets the helpers to work.
func (r *run) open(s *start) {
	b := r.bot
	previous := r.session.Status
	gap := time.Since(r.session.UpdatedAt)
	r.session.Status = app.SessionRunning
	if r.session.Paused {
		r.session.Status = app.SessionPaused
	}
	r.session.LoginStatus = app.LoginPending
	r.session.Interrupted = false
	r.session.LastError = ""
	r.session.EndedAt = time.Time{}
	if s.byUser && b.breaker.kind == tripChallenge {
		b.breaker.close() // The user has come: that is what it waited for.
	}
	if s.resumed != nil {
		b.breaker.restore(r.session.Tripped)
		r.note(levelWarning, fmt.Sprintf("The session is resumed after a gap of %s, in which nothing was looked at (it was %s).",
			gap.Round(time.Second), previous))
	}
	r.session.Tripped = b.breaker.kept()
	r.tellBot(app.EventBotStarting, "The bot is starting.")
	r.tellBot(app.EventBotStarted, "The bot runs.")
	r.tellBot(app.EventStatusChange, "The bot runs.")
	r.note(levelInfo, "The session "+r.session.Name+" runs.")
	r.saveSession()
	r.flush()
	if s.byUser {
		r.dropWishes()
	}
	r.helpers.Go(r.keepLease)
	r.helpers.Go(r.listen)
}

// drive looks until the session ends.
func (r *run) drive() {
	for r.ending == "" {
		next := r.pace.next()
		switch {
		case r.halted:
			r.serve(time.Time{})
		case r.urgent:
			r.urgent = false
			r.act()
			r.flush()
		case time.Now().Before(next):
			r.serve(next)
		default:
			r.lookOnce()
		}
		r.bot.publish()
	}
}

// serve serves one command, or waits until the time has come, for ever where it is zero.
func (r *run) serve(until time.Time) {
	var due <-chan time.Time
	if !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case c := <-r.bot.commands:
		c()
	case <-due:
	case <-r.looking.Done():
		r.endedFromOutside()
	}
}

// endedFromOutside takes over the ending that a helper cancelled the contexts with.
func (r *run) endedFromOutside() {
	if why, ok := errors.AsType[ending](context.Cause(r.looking)); ok {
		r.end(why, nil)
	}
}

// end has the session end. A stop by the user counts for more than the end of the
// process; answer is told when it has ended.
func (r *run) end(why ending, answer func(error)) {
	if answer != nil {
		r.answers = append(r.answers, answer)
	}
	if r.ending != "" && !(r.ending == endInterrupted && why == endStopped) {
		return
	}
	first := r.ending == ""
	r.ending = why
	r.cancelLook(why)
	if why != endInterrupted {
		r.cancelAct(why)
	}
	if first && why != endReplaced {
		r.tellBot(app.EventBotStopping, "The bot is stopping: "+string(why)+".")
	}
	r.bot.publish()
}

// over tells whether nothing new may be begun.
func (r *run) over() bool { return r.looking.Err() != nil }

// close records how the session ended and gives everything back.
func (r *run) close() {
	r.cancelAct(r.ending)
	r.helpers.Wait()
	if r.ending == endLeaseLost {
		r.leaveToOther()
	} else {
		r.leaveUnknown()
		r.rememberSightings()
		r.endSession()
		r.flush()
	}
	r.bot.last, r.bot.stopped = r.session, ""
	if r.ending == endStopped { // One that another replica has taken goes on there, and not from here.
		r.bot.stopped = r.session.ID
	}
}

// leaveToOther ends a session that goes on at another replica: its rows are the other's
// now. Where sessions start by themselves, this process stands by.
func (r *run) leaveToOther() {
	b := r.bot
	b.log.Warn("the session goes on at another replica", "session", r.session.ID)
	r.session.Status = app.SessionStopped
	b.duty = duty{pending: b.duty.autostart, autostart: b.duty.autostart, standing: true, next: time.Now().Add(beatOfDuty)}
}

func (r *run) endSession() {
	now := time.Now().UTC()
	switch {
	case r.halted && r.ending != endStopped:
		return // It has ended as an error already.
	case r.ending == endInterrupted:
		r.session.Interrupted = true
	}
	r.session.Status = app.SessionStopped
	r.session.EndedAt = now
	r.tellBot(app.EventBotStopped, "The bot has stopped: "+string(r.ending)+".")
	r.tellBot(app.EventStatusChange, "The bot has stopped.")
	r.note(levelInfo, "The session has ended: "+string(r.ending)+".")
	r.saveSession()
}

// answer tells those who waited for the end.
func (r *run) answer() {
	for _, a := range r.answers {
		a(nil)
	}
	r.answers = nil
}

// pause stops the acting, or lets it go on.
func (r *run) pause(paused bool) {
	if r.session.Paused == paused || r.ending != "" {
		return
	}
	r.session.Paused = paused
	r.session.Status = app.SessionRunning
	kind, message := app.EventBotResumed, "The bot acts again."
	if paused {
		r.session.Status = app.SessionPaused
		kind, message = app.EventBotPaused, "The bot is paused: it looks and records, and does not act."
	}
	r.stirred = true
	p := r.bot.newStep()
	touch(&r.session)
	p.session(r.session)
	p.tell(r.session.ID, kind, r.botEvent(message))
	p.tell(r.session.ID, app.EventStatusChange, r.botEvent(message))
	p.log(r.session.ID, levelInfo, message)
	r.bot.enqueue(p)
	r.bot.publish()
}

// halt stops looking and acting until a person has come.
func (r *run) halt(why string, login app.LoginStatus) {
	if r.halted || r.ending != "" {
		return
	}
	r.halted = true
	r.session.Status = app.SessionError
	r.session.LastError = why
	r.session.LoginStatus = login
	r.session.EndedAt = time.Now().UTC()
	r.bot.log.Error("the bot needs a person", "why", why)
	e := r.botEvent(why)
	e.Error = why
	r.step.tell(r.session.ID, app.EventBotError, e)
	r.step.tell(r.session.ID, app.EventStatusChange, r.botEvent(why))
	r.note(levelError, why)
	r.saveSession()
	r.flush()
	r.bot.publish()
}

// goOn ends a halt.
func (r *run) goOn() {
	r.halted = false
	r.session.Status = app.SessionRunning
	if r.session.Paused {
		r.session.Status = app.SessionPaused
	}
	r.session.LastError = ""
	r.session.EndedAt = time.Time{}
	r.logins.strikes = 0
	r.bot.noteRefused(r.looking, 0)
	r.pace.good()
	r.tellBot(app.EventStatusChange, "The bot goes on.")
	r.saveSession()
	r.flush()
}

// saveSession puts the session's row into the step at hand.
func (r *run) saveSession() {
	touch(&r.session)
	r.savedAt = r.session.UpdatedAt
	r.step.session(r.session)
}

// flush has the step at hand stored and begins the next.
func (r *run) flush() {
	r.bot.enqueue(r.step)
	r.step = r.bot.newStep()
}

// note adds a line to the dashboard's log.
func (r *run) note(level, message string) { r.step.log(r.session.ID, level, message) }

// tellBot tells everyone watching of the bot itself.
func (r *run) tellBot(kind, message string) { r.step.tell(r.session.ID, kind, r.botEvent(message)) }

func (r *run) botEvent(message string) botEvent {
	return botEvent{
		SessionID: r.session.ID, SessionName: r.session.Name,
		Status: r.session.Status, BotStatus: r.session.Status, LoginStatus: r.session.LoginStatus,
		Page: r.page, Message: message,
		TotalChecks: r.session.TotalChecks, TotalAccepted: r.session.TotalAccepted, TotalRejected: r.session.TotalRejected,
	}
}
