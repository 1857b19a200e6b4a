package app

import "time"

// SessionStatus is where a bot session stands.
type SessionStatus string

// The statuses of a session.
const (
	SessionStopped  SessionStatus = "stopped"
	SessionStarting SessionStatus = "starting"
	SessionRunning  SessionStatus = "running"
	SessionPaused   SessionStatus = "paused"
	SessionStopping SessionStatus = "stopping"
	SessionError    SessionStatus = "error"
)

// LoginStatus is where the log-in at the portal stands, in the predecessor's words.
type LoginStatus string

// The statuses of the log-in.
const (
	LoginNotStarted LoginStatus = "not_started"
	LoginPending    LoginStatus = "pending"
	LoginAttempting LoginStatus = "attempting"
	LoginSuccess    LoginStatus = "success"
	LoginFailed     LoginStatus = "failed"
)

// Mode says whether the bot acts on the portal.
type Mode string

// The modes.
const (
	ModeWatch Mode = "watch" // Decides and records; posts nothing.
	ModeLive  Mode = "live"
)

// Session is one run of the bot, from start to stop. It outlives the process: a
// session that a crash or an orderly end of the process interrupted is resumed.
type Session struct {
	ID        string
	AccountID string
	Name      string
	Source    string
	OutsideID string // The name that an outside bot gave; "" for the built-in one.

	Status      SessionStatus
	LoginStatus LoginStatus
	Paused      bool
	// Interrupted says that the process ended while the session ran, and that the user
	// did not stop it: the next start with autostart resumes it.
	Interrupted bool
	LastError   string
	// Tripped says why the breaker waits for a person; "" where it does not. It is kept
	// so that a new start of the process does not act where the old one must not.
	Tripped string

	TotalChecks, TotalAccepted, TotalRejected int64

	StartedAt, EndedAt   time.Time // EndedAt is zero while it runs.
	CreatedAt, UpdatedAt time.Time
	Version              int64
}

// Running is what `is_running` of the API means.
func (s Session) Running() bool {
	return s.Status == SessionRunning || s.Status == SessionPaused
}

// Account is one log-in at one portal.
type Account struct {
	ID   string
	Name string // "default" for the one of the settings.
}

// DefaultAccountID is the key of the account of the settings. It is fixed, so that two
// processes, or a journal and a database that have not met, mean the same account.
const DefaultAccountID = "00000000-0000-7000-8000-000000000001"

// OutsideAccountID is the key of the account of bots that only report to us. What they
// report is kept apart from the account of the settings, and never counted with it.
const OutsideAccountID = "00000000-0000-7000-8000-000000000002"

// Lease says which replica runs an account's session.
type Lease struct {
	AccountID string
	Holder    string // The replica's id.
	Epoch     int64  // Grows each time the lease changes hands; fences late writers.
	ExpiresAt time.Time
}
