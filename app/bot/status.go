package bot

import (
	"time"

	"github.com/atozbot/atozbot/app"
)

// Status is what the bot can say of itself at any time, without waiting for anything.
type Status struct {
	// Session is the one that runs, or the last one of this process; its counters are
	// live. Its Status is stopped where there is none.
	Session app.Session
	Mode    app.Mode // "" before a session has read the configuration.
	Cap     int      // Acceptances allowed in the session.

	CapReached bool
	LastLook   time.Time // The start of the newest look.
	LastBoard  time.Time // When a board was seen last.
	NextLook   time.Time
	LastError  string // Why the newest look, or the session, failed; "" where it did not.
	OnBoard    int    // Jobs on the newest board.

	Interval     time.Duration // As configured.
	RealInterval time.Duration // As measured, smoothed.
	Page         app.PageClass // Of the newest look; "" before the first.
	Problem      string        // Why there is no board; "" where there is one.
	ProblemSince time.Time
	BackOffUntil time.Time // Zero where it does not back off.
	LoggedIn     bool

	Breaker BreakerStatus
	Barred  string // Why nothing is posted now; "" where acts are allowed, or nothing runs.

	Holder       string // The replica that runs the session; "" where none does, as far as is known.
	Other        string // Another replica that holds the lease.
	IsHolder     bool   // This one does.
	StandingBy   bool   // It takes over when the other replica's lease expires.
	Unrecorded   int    // Steps that wait to be recorded.
	RecordsError string // Why the records do not take or give what they should.
}

// BreakerStatus is where the breaker stands.
type BreakerStatus struct {
	Open    bool
	Kind    string
	Reason  string
	At      time.Time
	ByUser  bool // It waits for a person.
	Errors  int  // Acts that failed, in a row.
	Refused int  // Acts that were refused, in a row.
}

// Running tells whether the session runs or is paused.
func (s Status) Running() bool { return s.Session.Running() }

// Active tells whether there is a session that a stop would end.
func (s Status) Active() bool {
	return s.Running() || s.Session.Status == app.SessionStarting || s.Session.Status == app.SessionStopping
}

// Status gives what is so now. It never waits and takes no lock.
func (b *Bot) Status() Status {
	s := *b.status.Load()
	s.Unrecorded = b.ledger.waiting()
	if trouble := b.ledger.trouble(); trouble != "" {
		s.RecordsError = trouble
	}
	return s
}

// publish makes the present state what [Bot.Status] gives.
func (b *Bot) publish() {
	s := &Status{
		Session:    b.last,
		LoggedIn:   b.loggedIn,
		Other:      b.other,
		Holder:     b.other,
		StandingBy: b.duty.pending && b.duty.standing,
		Breaker: BreakerStatus{
			Open: b.breaker.tripped(), Kind: string(b.breaker.kind), Reason: b.breaker.reason, At: b.breaker.at,
			ByUser: b.breaker.waits(), Errors: b.breaker.errors, Refused: b.breaker.refusals,
		},
	}
	switch {
	case b.run != nil:
		b.run.describeTo(s)
	case b.next != nil:
		s.Session.Status = app.SessionStarting
	}
	s.LastError = s.Session.LastError
	b.status.Store(s)
}

// describeTo adds what a running session says of itself.
func (r *run) describeTo(s *Status) {
	s.Session = r.session
	if r.ending != "" {
		s.Session.Status = app.SessionStopping
	}
	s.Mode = r.config.Mode
	s.Cap = r.config.MaxAcceptPerRun
	s.CapReached = r.capTold
	s.LastLook, s.NextLook = r.pace.started, r.pace.next()
	s.LastBoard = r.board.SeenAt
	s.OnBoard = len(r.here)
	s.Interval, s.RealInterval = r.pace.interval, r.pace.real
	s.Page, s.Problem, s.ProblemSince = r.page, r.problem, r.since
	s.BackOffUntil = later(r.pace.backOff, r.pace.quiet)
	if !s.BackOffUntil.After(time.Now()) {
		s.BackOffUntil = time.Time{}
	}
	s.Barred = r.barred()
	s.Holder, s.IsHolder, s.Other = r.bot.holder, true, ""
	s.RecordsError = r.recordsTrouble
}
