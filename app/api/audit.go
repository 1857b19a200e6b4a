package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/atozbot/atozbot/app"
)

// AuditJSON is one entry of the audit log.
type AuditJSON struct {
	ID        string          `json:"id" example:"0199a3c4-58d1-7a6b-9f01-2b8c4d5e6f70"`
	At        *time.Time      `json:"at" example:"2027-01-31T10:15:02Z"`
	Kind      string          `json:"kind" enum:"user,token,environment,bot,system" doc:"What kind of somebody it was." example:"user"`
	Who       string          `json:"who" example:"admin"`
	WhoID     *string         `json:"who_id"`
	What      string          `json:"what" example:"configuration.save"`
	Subject   *string         `json:"subject" doc:"What it was done to." example:"7"`
	Before    json.RawMessage `json:"before" doc:"As it was; null where that says nothing."`
	After     json.RawMessage `json:"after" doc:"As it is since."`
	RequestID *string         `json:"request_id"`
	Address   *string         `json:"address" doc:"From where the request came."`
}

func auditJSON(e AuditEntry) AuditJSON {
	return AuditJSON{
		ID: e.ID, At: moment(e.At), Kind: e.Kind, Who: e.Who, WhoID: text(e.WhoID), What: e.What, Subject: text(e.Subject),
		Before: rawOrNull(e.Before), After: rawOrNull(e.After), RequestID: text(e.RequestID), Address: text(e.Address),
	}
}

func rawOrNull(s string) json.RawMessage {
	if s == "" || !json.Valid([]byte(s)) {
		return json.RawMessage("null")
	}
	return json.RawMessage(s)
}

// auditOf makes an entry of what was done, before who did it is known.
func auditOf(what, subject string, before, after any) AuditEntry {
	return AuditEntry{What: what, Subject: subject, Before: asJSON(before), After: asJSON(after)}
}

func asJSON(v any) string {
	if v == nil {
		return ""
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

// audit notes what the sender of the request did. The deed is done by then, so writing
// it down must not hold up the answer: what cannot be stored soon waits for [Server.Run].
func (s *Server) audit(ctx context.Context, e AuditEntry) {
	c := callOf(ctx)
	now := s.o.Now().UTC()
	e.ID, e.At = app.NewID(now), now
	e.Kind, e.Who, e.WhoID = c.identity.Kind, c.identity.Name, c.identity.ID
	e.RequestID, e.Address = c.id, c.address
	s.o.Log.Info("done on request", "what", e.What, "subject", e.Subject, "who", e.Who, "request_id", e.RequestID)
	if s.o.Audit != nil {
		s.ledger.add(ctx, e)
	}
}

const (
	// auditSoon is the longest that writing the audit log may hold up an answer.
	auditSoon = 150 * time.Millisecond
	// auditTimeout and auditAgain are for those that wait.
	auditTimeout = 2 * time.Second
	auditAgain   = time.Second
	// auditWaiting bounds how many entries wait in memory while the database is away.
	auditWaiting = 10_000
)

// auditLedger keeps entries in order while the database is away.
type auditLedger struct {
	log     AuditLog
	logger  *slog.Logger
	more    chan struct{}
	mu      sync.Mutex
	waiting []AuditEntry
}

func newAuditLedger(o Options) *auditLedger {
	return &auditLedger{log: o.Audit, logger: o.Log, more: make(chan struct{}, 1)}
}

// add stores e now where that is quickly done and nothing else waits, else later.
func (l *auditLedger) add(ctx context.Context, e AuditEntry) {
	l.mu.Lock()
	first := len(l.waiting) == 0
	l.mu.Unlock()
	if first && l.store(ctx, e, auditSoon) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) >= auditWaiting {
		l.logger.Warn("api: the audit log cannot be written, and no more can wait", "what", e.What, "who", e.Who, "request_id", e.RequestID)
		return
	}
	l.waiting = append(l.waiting, e)
	select {
	case l.more <- struct{}{}:
	default:
	}
}

// store says whether e needs no further care: it is stored, or never can be.
func (l *auditLedger) store(ctx context.Context, e AuditEntry, timeout time.Duration) bool {
	// The client may be gone: what it did is noted all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	err := l.log.AddAudit(ctx, e)
	switch app.CodeOf(err) {
	case "", app.CodeConflict: // A conflict: an earlier try had reached the table.
		return true
	case app.CodeUnavailable:
		return false
	default:
	}
	if ctx.Err() != nil {
		return false
	}
	l.logger.Error("api: the audit log refused an entry", "what", e.What, "who", e.Who, "request_id", e.RequestID, "error", err)
	return true
}

// drain stores what waits, in order, and says whether nothing is left.
func (l *auditLedger) drain(ctx context.Context, timeout time.Duration) bool {
	for {
		l.mu.Lock()
		if len(l.waiting) == 0 {
			l.waiting = nil
			l.mu.Unlock()
			return true
		}
		e := l.waiting[0]
		l.mu.Unlock()
		if !l.store(ctx, e, timeout) {
			return false
		}
		l.mu.Lock()
		l.waiting = l.waiting[1:]
		l.mu.Unlock()
	}
}

// Run stores entries of the audit log that could not be stored at once, until ctx ends;
// then it tries once more. Serving needs no Run, but without it such entries are lost.
func (s *Server) Run(ctx context.Context) error {
	if s.o.Audit == nil {
		<-ctx.Done()
		return nil
	}
	for ctx.Err() == nil {
		var again <-chan time.Time
		var timer *time.Timer
		if !s.ledger.drain(ctx, auditTimeout) {
			timer = time.NewTimer(auditAgain)
			again = timer.C
		}
		select {
		case <-ctx.Done():
		case <-s.ledger.more:
		case <-again:
		}
		if timer != nil {
			timer.Stop()
		}
	}
	s.ledger.drain(ctx, auditTimeout)
	return nil
}

// AuditFilterInput are the filters of the list and of the export.
type AuditFilterInput struct {
	Who   string `query:"who" maxLength:"200" doc:"Only what somebody of this name did." example:"admin"`
	What  string `query:"what" maxLength:"100" doc:"Only this." example:"configuration.save"`
	Since string `query:"since" maxLength:"40" doc:"Only what was done at or after this time; a day stands for its beginning in UTC." example:"2027-01-31T08:00:00Z"`
	Until string `query:"until" maxLength:"40" doc:"Only what was done before this time." example:"2027-02-01"`
}

func (in *AuditFilterInput) filter() (AuditFilter, error) {
	since, until, err := stretch(in.Since, in.Until)
	return AuditFilter{Who: clean(in.Who), What: clean(in.What), Since: since, Until: until}, err
}

type (
	auditInput struct {
		AuditFilterInput
		ListInput
	}
	auditOutput struct {
		ListHeaders
		Body []AuditJSON
	}
)

func (s *Server) auditRoutes() {
	register(s, operation{
		method: http.MethodGet, path: "/api/audit", id: "list-audit", tag: tagAccess, scope: ScopeAdmin,
		summary:     "The audit log, newest first",
		description: "Who did what, and when; people, tokens and the bot alike. Nothing in it can be changed.",
		errors:      []int{http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}, s.listAudit)
	exportRoute(s, operation{
		path: "/api/audit/export", id: "export-audit", tag: tagAccess, scope: ScopeAdmin, summary: "The audit log as a file of any size",
	}, []AuditJSON{}, s.exportAudit)
}

func (s *Server) listAudit(ctx context.Context, in *auditInput) (*auditOutput, error) {
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	if f.Window, err = in.window(); err != nil {
		return nil, err
	}
	page, err := s.o.Audit.Audit(ctx, f)
	if err != nil {
		return nil, err
	}
	return &auditOutput{ListHeaders: in.headers(page.Total, page.Next), Body: each(page.Items, auditJSON)}, nil
}
