package app

import (
	"encoding/json"
	"time"
)

// Event is something that happened, as everyone watching is told.
type Event struct {
	// ID grows in commit order and is given by the database at the commit. It is 0 for
	// what is told while the database is away, and for snapshots.
	ID        int64
	Key       string // A UUIDv7: the same event carried over twice is stored once.
	Type      string
	AccountID string
	SessionID string
	At        time.Time
	Data      json.RawMessage
}

// The types of events. Where the predecessor had a word for it, it is the predecessor's.
const (
	EventStatusUpdate  = "status_update"
	EventStatusChange  = "status_change"
	EventBotStarting   = "bot_starting"
	EventBotStarted    = "bot_started"
	EventBotStopping   = "bot_stopping"
	EventBotStopped    = "bot_stopped"
	EventBotPaused     = "bot_paused"
	EventBotResumed    = "bot_resumed"
	EventBotError      = "bot_error"
	EventLoginTrying   = "login_attempting"
	EventLoginSuccess  = "login_success"
	EventLoginFailed   = "login_failed"
	EventJobSeen       = "job_seen"
	EventJobAsk        = "job_ask"
	EventJobLeft       = "job_left"
	EventJobAccepted   = "job_accepted"
	EventJobRejected   = "job_rejected"
	EventJobLost       = "job_lost"
	EventJobRefused    = "job_refused"
	EventJobUnknown    = "job_unknown"
	EventJobFailed     = "job_failed"
	EventJobVanished   = "job_vanished"
	EventJobChanged    = "job_changed"   // An accepted job that the portal now shows otherwise.
	EventBoardProblem  = "board_problem" // The portal shows no board: logged out, unavailable, changed, challenge.
	EventBoardBack     = "board_back"
	EventBreakerTrip   = "breaker_tripped"
	EventBreakerClosed = "breaker_closed"
	EventCapReached    = "cap_reached"
	EventConfiguration = "configuration_updated"
	EventConfigRefresh = "config_refresh_requested"
	EventAnalytics     = "analytics_update"
	EventMetric        = "metric_update"
)

// LogEntry is one line of the log that the dashboard shows.
type LogEntry struct {
	ID        string
	SessionID string // "" where it belongs to none.
	Level     string // DEBUG, INFO, WARNING, ERROR.
	Message   string
	Component string
	At        time.Time
}

// Record is one step of the bot, stored whole or not at all, and the same once or
// twice: every row carries its key and its version. It is what the journal keeps, and
// what is carried over.
type Record struct {
	ID        string // A UUIDv7.
	AccountID string
	At        time.Time
	Session   *Session `json:",omitempty"`
	Jobs      []JobRecord
	Decisions []Decision
	Claims    []Claim
	Events    []Event
	Logs      []LogEntry
}
