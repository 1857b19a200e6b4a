package bot

import (
	"encoding/json"
	"time"

	"github.com/atozbot/atozbot/app"
)

// The levels of the dashboard's log, in the predecessor's words.
const (
	levelInfo    = "INFO"
	levelWarning = "WARNING"
	levelError   = "ERROR"
)

// component is who speaks, in the dashboard's log.
const component = "bot"

// step gathers what is to be stored whole or not at all.
type step struct {
	record app.Record
	jobs   map[string]int // Where a job stands in record.Jobs.
}

func (b *Bot) newStep() *step {
	return &step{record: app.Record{AccountID: b.account}}
}

// enqueue has a step stored. An empty one is nothing.
func (b *Bot) enqueue(p *step) {
	r := &p.record
	if r.Session == nil && len(r.Jobs)+len(r.Decisions)+len(r.Claims)+len(r.Events)+len(r.Logs) == 0 {
		return
	}
	r.At = time.Now().UTC()
	r.ID = app.NewID(r.At)
	b.ledger.add(*r)
}

func (p *step) session(s app.Session) { p.record.Session = &s }

// job puts in a job's row; of one job, the last one put in counts.
func (p *step) job(j app.JobRecord) {
	if i, ok := p.jobs[j.Number]; ok {
		p.record.Jobs[i] = j
		return
	}
	if p.jobs == nil {
		p.jobs = map[string]int{}
	}
	p.jobs[j.Number] = len(p.record.Jobs)
	p.record.Jobs = append(p.record.Jobs, j)
}

func (p *step) claim(c app.Claim) { p.record.Claims = append(p.record.Claims, c) }

func (p *step) decision(d app.Decision) { p.record.Decisions = append(p.record.Decisions, d) }

// tell adds an event for everyone watching.
func (p *step) tell(sessionID, kind string, data any) {
	now := time.Now().UTC()
	raw, err := json.Marshal(data)
	if err != nil { // The types of this package always marshal; a missing event must not stop an act.
		raw = []byte("{}")
	}
	p.record.Events = append(p.record.Events, app.Event{
		Key: app.NewID(now), Type: kind, AccountID: p.record.AccountID, SessionID: sessionID, At: now, Data: raw,
	})
}

// log adds a line to the dashboard's log.
func (p *step) log(sessionID, level, message string) {
	now := time.Now().UTC()
	p.record.Logs = append(p.record.Logs, app.LogEntry{
		ID: app.NewID(now), SessionID: sessionID, Level: level, Message: message, Component: component, At: now,
	})
}

// botEvent is what is told of the bot and its session. The names are the predecessor's
// where it had one.
type botEvent struct {
	SessionID   string            `json:"session_id,omitempty"`
	SessionName string            `json:"session_name,omitempty"`
	Status      app.SessionStatus `json:"status,omitempty"`
	BotStatus   app.SessionStatus `json:"bot_status,omitempty"`
	LoginStatus app.LoginStatus   `json:"login_status,omitempty"`
	Step        string            `json:"step,omitempty"`
	Page        app.PageClass     `json:"page,omitempty"`
	Kind        string            `json:"kind,omitempty"`
	Error       string            `json:"error,omitempty"`
	Message     string            `json:"message"`

	TotalChecks   int64 `json:"total_checks"`
	TotalAccepted int64 `json:"total_accepted"`
	TotalRejected int64 `json:"total_rejected"`
}

// jobEvent is what is told of a job, with the predecessor's names beside ours.
type jobEvent struct {
	ID              string        `json:"id"`
	SessionID       string        `json:"session_id"`
	Number          string        `json:"number"`
	JobNumber       string        `json:"job_number"` // The predecessor's name for it.
	JobRef          string        `json:"job_ref"`
	Language        string        `json:"language"`
	JobType         string        `json:"job_type"`
	AppointmentDate string        `json:"appointment_date"`
	AppointmentTime string        `json:"appointment_time"`
	Duration        string        `json:"duration"`
	StartsAt        *time.Time    `json:"starts_at,omitempty"`
	EndsAt          *time.Time    `json:"ends_at,omitempty"`
	Status          app.JobStatus `json:"status"`
	Verdict         app.Verdict   `json:"verdict,omitempty"`
	Rule            string        `json:"rule,omitempty"`
	Reason          string        `json:"reason"`
	RejectionReason string        `json:"rejection_reason"`
	NeedsUser       string        `json:"needs_user,omitempty"`
	VanishedAt      *time.Time    `json:"vanished_at,omitempty"`
	Message         string        `json:"message"`
}

func jobEventOf(j app.JobRecord, message string) jobEvent {
	return jobEvent{
		ID: j.ID, SessionID: j.SessionID, Number: j.Number, JobNumber: j.Number, JobRef: j.Ref,
		Language: j.Language, JobType: j.JobType,
		AppointmentDate: j.Date, AppointmentTime: j.Time, Duration: j.DurationText,
		StartsAt: known(j.StartsAt), EndsAt: known(j.EndsAt),
		Status: j.Status, Verdict: j.Verdict, Rule: j.Rule,
		Reason: j.RejectionReason, RejectionReason: j.RejectionReason, NeedsUser: j.NeedsUser,
		VanishedAt: known(j.VanishedAt), Message: message,
	}
}

// known gives nil for a time that is not known.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
