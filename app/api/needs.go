package api

import (
	"context"
	"net/http"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/live"
)

// Bot is the bot of the account. Status answers from memory; the others return within a
// second whatever the portal and the database do. Their errors are *app.Error:
// CodeConflict where the wish contradicts what is so.
type Bot interface {
	Status() BotStatus
	// Start starts a session; name may be "". CodeConflict where one runs, or where the
	// log-in data are missing: then the message names the setting.
	Start(ctx context.Context, name string) (app.Session, error)
	Stop(ctx context.Context) error       // No error where nothing runs.
	Toggle(ctx context.Context) error     // Stops what runs, starts what doesn't.
	ForceReset(ctx context.Context) error // Stops, and clears what hangs.
	Pause(ctx context.Context) error      // CodeConflict where nothing runs.
	Resume(ctx context.Context) error     // CodeConflict where nothing runs.
	Rearm(ctx context.Context) error      // Closes the breaker.
	// Answer is the user's answer to a job with verdict ask, by the job's number.
	// CodeConflict where the job does not wait for an answer.
	Answer(ctx context.Context, number string, accept bool) error
}

// Sessions are the recorded bot sessions, newest first.
type Sessions interface {
	Sessions(ctx context.Context, f SessionFilter) (Page[app.Session], error)
}

// SessionFilter picks sessions.
type SessionFilter struct{ Window }

// Jobs are the recorded jobs, newest first.
type Jobs interface {
	Jobs(ctx context.Context, f JobFilter) (Page[app.JobRecord], error)
	// Revision grows with every change of the jobs: what was read at one revision is still
	// so at the same. It costs much less than reading a page.
	Revision(ctx context.Context) (int64, error)
	// Job gives one job with all that is known of it; CodeNotFound.
	Job(ctx context.Context, id string) (JobTrace, error)
	// EachJob calls yield for every job that the filter leaves, newest first, whatever
	// its Window, in bounded memory. An error of yield ends it and is returned.
	EachJob(ctx context.Context, f JobFilter, yield func(app.JobRecord) error) error
}

// JobFilter picks jobs. Zero values pick all.
type JobFilter struct {
	AccountID    string // "": of any account.
	SessionID    string
	Status       app.JobStatus
	Language     string    // Case aside.
	Query        string    // Looked for in reference, language, type and reason, case aside.
	Since, Until time.Time // When first seen: from Since on, before Until.
	Window
}

// JobTrace is one job with its decision and its claims.
type JobTrace struct {
	Job      app.JobRecord
	Decision *app.Decision // nil where none is recorded.
	Claims   []app.Claim
}

// Window is the part of a list that is asked for.
type Window struct {
	Limit  int // 1 to 1000.
	Offset int
	Cursor string // Page.Next of the page before; "" for the first. Then Offset is 0.
}

// Page is a part of a list. A cursor that is none of ours is *app.Error CodeInvalid with
// the field "cursor".
type Page[T any] struct {
	Items []T
	Total int64  // Of all that the filter leaves.
	Next  string // The cursor of the next page; "" where this is the last.
}

// Configurations are the versions of the configuration.
type Configurations interface {
	Active(ctx context.Context) (app.Configuration, error)
	// Save stores c as a new version in force and tells it. CodeConflict where the active
	// version is no longer c.Version.
	Save(ctx context.Context, c app.Configuration, by string) (app.Configuration, error)
	Versions(ctx context.Context, w Window) (Page[app.Configuration], error)
	// Undo brings the version before the active one back, as a new version.
	// CodeConflict where there is none.
	Undo(ctx context.Context, by string) (app.Configuration, error)
	// Refresh re-reads it now, here and in the bot.
	Refresh(ctx context.Context) (app.Configuration, error)
}

// Figures are what is counted from the records.
type Figures interface {
	Analytics(ctx context.Context, hours int) (Analytics, error)
	Periods(ctx context.Context, w Window) (Page[Period], error)
	Metrics(ctx context.Context) (DashboardMetrics, error)
}

// Backtest says what rules would have done with the jobs recorded.
type Backtest interface {
	Backtest(ctx context.Context, rules app.Configuration, since time.Time) (BacktestResult, error)
}

// Outside takes what bots of others report.
type Outside interface {
	// Session gives the session of the outside bot with this name or id; nil where there
	// is none yet.
	OutsideSession(ctx context.Context, outsideID string) (*app.Session, error)
	// Save stores the record and tells its events after the commit.
	Save(ctx context.Context, r app.Record) error
}

// Logs are the lines of the log that the dashboard shows, newest first.
type Logs interface {
	Logs(ctx context.Context, f LogFilter) (Page[app.LogEntry], error)
}

// LogFilter picks lines of the log.
type LogFilter struct {
	SessionID    string
	Level        string // DEBUG, INFO, WARNING, ERROR; "" for all.
	Component    string
	Query        string
	Since, Until time.Time
	Window
}

// Tokens are the stored bearer tokens. Only hashes are stored.
type Tokens interface {
	// TokenByHash gives the token with this SHA-256 in hexadecimal; CodeNotFound.
	TokenByHash(ctx context.Context, hash string) (Token, error)
	Tokens(ctx context.Context, w Window) (Page[Token], error)
	AddToken(ctx context.Context, t Token, hash string) error
	// RevokeToken marks it revoked; CodeNotFound. Revoking it again changes nothing.
	RevokeToken(ctx context.Context, id string, at time.Time) error
	// TokenUsed notes the last use; called at most once a minute for each token.
	TokenUsed(ctx context.Context, id string, at time.Time) error
}

// Token is a stored bearer token without its secret.
type Token struct {
	ID, Name   string
	Scope      Scope
	CreatedBy  string
	CreatedAt  time.Time
	ExpiresAt  time.Time // Zero: never.
	LastUsedAt time.Time // Zero: not yet.
	RevokedAt  time.Time // Zero: not revoked.
}

// Authenticator recognises the dashboard's sessions.
type Authenticator interface {
	// Identify gives who the request's session cookie belongs to. CodeUnauthorized where
	// there is none that is good. Sessions seen before are known without the database.
	Identify(r *http.Request) (Identity, error)
}

// AuditLog is the append-only log of who did what.
type AuditLog interface {
	// AddAudit appends an entry. It must not wait long for the database.
	AddAudit(ctx context.Context, e AuditEntry) error
	Audit(ctx context.Context, f AuditFilter) (Page[AuditEntry], error)
}

// AuditFilter picks entries of the audit log.
type AuditFilter struct {
	Who, What    string
	Since, Until time.Time
	Window
}

// AuditEntry is one thing that somebody did.
type AuditEntry struct {
	ID        string
	At        time.Time
	Kind      string // "user", "token", "environment", "bot" or "system".
	Who       string // A name, for people.
	WhoID     string
	What      string // "bot.start", "configuration.save" …
	Subject   string // What it was done to; "" where that is plain.
	Before    string // JSON, or "".
	After     string // JSON, or "".
	RequestID string
	Address   string
}

// Calendars are the calendar feeds.
type Calendars interface {
	// Feed gives the iCalendar file of the feed with this secret; CodeNotFound.
	Feed(ctx context.Context, secret string) ([]byte, error)
}

// Watch is the hub of live updates.
type Watch interface {
	Listen(after int64) (*live.Listener, error)
	Listeners() int
	Dropped() int64
}

// HealthHandlers are the handlers of the health endpoints. They answer from memory.
type HealthHandlers struct {
	Health     http.Handler // GET /health
	Live       http.Handler // GET /health/live
	Ready      http.Handler // GET /health/ready
	Detailed   http.Handler // GET /health/detailed
	Service    http.Handler // GET /health/service/{name}; the name is the request's path value.
	ForceCheck http.Handler // POST /health/force-check
}

// Measured is a room that has figures for /metrics. It is asked for each scrape and must
// only look at memory.
type Measured interface {
	Measure() []Measurement
}

// Measurement is one figure at the moment it is asked for.
type Measurement struct {
	Name   string // As Prometheus wants it: "atozbot_looks_total".
	Help   string
	Labels map[string]string
	Value  float64
	Kind   MeasurementKind
	// Of a histogram: cumulative counts by upper bound, their number and their sum.
	Buckets map[float64]uint64
	Count   uint64
	Sum     float64
}

// MeasurementKind is what a figure does over time.
type MeasurementKind int

// The kinds of figures.
const (
	Gauge MeasurementKind = iota
	Counter
	Histogram
)
