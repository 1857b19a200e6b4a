package web

import (
	"context"
	"time"

	"github.com/atozbot/atozbot/app"
)

// Bot is the bot of the account as the pages see and steer it. Status answers from
// memory; the others within a second, whatever the portal and the database do. Errors
// that a person may read are *app.Error: CodeConflict where the wish contradicts what is
// so (log-in data missing, a bot running).
type Bot interface {
	Status(ctx context.Context) BotStatus
	Start(ctx context.Context, sessionName string) error
	Again(ctx context.Context, sessionID string) error // Takes the stop of this session back.
	Stop(ctx context.Context) error
	Pause(ctx context.Context) error
	Resume(ctx context.Context) error
	Rearm(ctx context.Context) error // Closes the breaker, and goes on after a challenge.
	AcceptJob(ctx context.Context, jobID string) error
	LeaveJob(ctx context.Context, jobID string) error
	AskAgain(ctx context.Context, jobID string) error // Takes LeaveJob back.
}

// BotStatus is what the bot does at this moment.
type BotStatus struct {
	Session app.Session // Zero where none was ever started.
	Mode    app.Mode
	// LastLook is when the newest look at the board ended well; zero where there was none.
	LastLook time.Time
	// OnBoard is how many free jobs the last look showed.
	OnBoard int
	// Interval is the wanted one from look to look, RealInterval the mean of the last
	// looks; zero where not known.
	Interval, RealInterval time.Duration
	Cap                    int  // Acceptances allowed in one session.
	CapReached             bool //
	// Problem is set while the portal shows no board.
	Problem *Problem
	// Breaker is set while the breaker is open: the bot looks and records, and does not act.
	Breaker *Breaker
	// MissingSettings names what is not set and without which the bot cannot start.
	MissingSettings []string
	// NotActing says in words why nothing may be accepted now although the bot runs live
	// (journal broken, disk full, lease about to be lost); "" where it may.
	NotActing string
	Replica   string // This process.
	Holder    string // The replica that runs the session; "" where none does.
}

// Problem is a portal that shows no board.
type Problem struct {
	Class   app.PageClass
	Reason  string // In words: "the portal answered 503".
	Since   time.Time
	RetryAt time.Time // Zero where nothing is tried before the user does something.
}

// Breaker says why the bot stopped acting by itself.
type Breaker struct {
	Reason   string
	Since    time.Time
	NeedsYou bool // False where the next good page closes it.
}

// Health is what the monitor knows. It never waits for a dependency.
type Health interface {
	Snapshot() HealthSnapshot
	// CheckNow asks every dependency anew, without waiting for the answers.
	CheckNow()
}

// HealthSnapshot is the state of everything the bot stands on.
type HealthSnapshot struct {
	// Started is false until the first time everything essential was there. Until then
	// every page is the waiting page.
	Started  bool
	Fallback string // Why the records go to the fallback database until the next start; "" where they don't.
	Services []Service
	// Journaled is how many steps wait in the journal to be carried over.
	Journaled int
}

// Service is one dependency: "database", "redis", "portal", "session", "journal",
// "notifications", "backup", "websocket".
type Service struct {
	Name              string
	State             ServiceState
	Reason            string // In words; "" where all is well.
	Advice            string // What to do; "" where nothing.
	Essential         bool   // Whether the start waits for it.
	Attempt, Attempts int    // Of the start's tries: "attempt 3 of 10". Zero where there is nothing to try.
	Retries           int    // Tries since it was last good.
	LastCheck         time.Time
	LastGood          time.Time
	NextTry           time.Time
}

// ServiceState is where a dependency stands.
type ServiceState string

// The states of a dependency.
const (
	ServiceHealthy   ServiceState = "healthy"
	ServiceStarting  ServiceState = "starting"
	ServiceDegraded  ServiceState = "degraded"
	ServiceUnhealthy ServiceState = "unhealthy"
	ServiceOff       ServiceState = "off" // Not set up, and not missed.
)

// Jobs is the record of everything seen. A database that is away is CodeUnavailable.
type Jobs interface {
	// Jobs gives one page, newest first.
	Jobs(ctx context.Context, f JobFilter) (JobPage, error)
	// Counts counts what the filter leaves, by kind, whatever the filter's own Kind.
	Counts(ctx context.Context, f JobFilter) (JobCounts, error)
	// Job gives one job with all that is known of it; CodeNotFound.
	Job(ctx context.Context, id string) (JobTrace, error)
	// Languages gives the languages seen, for the filter and the rules.
	Languages(ctx context.Context) ([]string, error)
	// Bookings gives accepted jobs (also those that vanished since) whose appointment
	// touches the stretch, by appointment.
	Bookings(ctx context.Context, from, to time.Time) ([]app.JobRecord, error)
	// Busy gives the entries of busy calendars in the stretch.
	Busy(ctx context.Context, from, to time.Time) ([]app.Booking, error)
}

// JobKind is what became of a job, as the chips of the Activity page name it.
type JobKind string

// The kinds. Every job is of exactly one, but for KindAsk, which is part of KindLeft
// once it is gone or answered.
const (
	KindAny      JobKind = ""
	KindAsk      JobKind = "ask"      // Status matched, verdict ask, still on the board, not answered.
	KindAccepted JobKind = "accepted" // Status accepted, vanished since or not.
	KindLost     JobKind = "lost"
	KindLeft     JobKind = "left" // Status matched, and not KindAsk.
	KindRejected JobKind = "rejected"
	KindFailed   JobKind = "failed" // Status refused, failed or unknown.
)

// JobFilter picks jobs. Zero values pick all.
type JobFilter struct {
	Kind         JobKind
	SessionID    string
	Language     string
	Query        string // Looked for in reference, language, type and reason, case aside.
	Since, Until time.Time
	Cursor       string // JobPage.Next of the page before.
	Limit        int
	Own          bool // Without those that outside bots reported.
}

// JobPage is one page of jobs.
type JobPage struct {
	Jobs []app.JobRecord
	Next string // The cursor of the page after; "" where there is none.
}

// JobCounts counts jobs by kind.
type JobCounts struct {
	All, Ask, Accepted, Lost, Left, Rejected, Failed int64
}

// JobTrace is one job with its why.
type JobTrace struct {
	Job      app.JobRecord
	Decision *app.Decision // nil where it came from elsewhere.
	Claims   []app.Claim
}

// Configurations is what the user can change while the bot runs.
type Configurations interface {
	// Configuration gives the active one. While the database is away it is the one in
	// force, from memory.
	Configuration(ctx context.Context) (app.Configuration, error)
	// Check is CodeInvalid with Fields where the configuration cannot be.
	Check(c app.Configuration) error
	// Save stores c as the next version, in force at the next look. c.Version is the
	// version that was edited: CodeConflict where another was saved since.
	Save(ctx context.Context, c app.Configuration, by Person) (app.Configuration, error)
	// Undo goes back to the version before, as a new version.
	Undo(ctx context.Context, by Person) (app.Configuration, error)
	// Versions gives the newest versions, newest first.
	Versions(ctx context.Context, limit int) ([]app.Configuration, error)
	// BackTest says what c would have done with what was recorded since then.
	BackTest(ctx context.Context, c app.Configuration, since time.Time) (BackTest, error)
}

// BackTest is the difference between what was done and what other rules would have done.
type BackTest struct {
	Jobs        int             // How many recorded jobs were decided again.
	Accepted    int             // How many these rules would have accepted.
	More, Fewer int             // Accepted that were not, and the other way round.
	MoreJobs    []app.JobRecord // The newest of them, a few dozen at most.
	FewerJobs   []app.JobRecord
	Took        time.Duration
}

// Person is who did something, for the records: a name, and nothing secret.
type Person struct {
	Name  string // "admin"; "" for whoever sits at this computer before sign-in is set up.
	Local bool   // Let in because nobody can sign in yet and the client is this computer.
}
