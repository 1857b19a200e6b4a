package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/atozbot/atozbot/app"
)

// AuditJSON is one entry of the audit log.
type AuditJSON struct {
	ID        string          `json:"id"`
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

// auditTimeout is the longest that writing the audit log may hold up an answer.
const auditTimeout = 500 * time.Millisecond

// audit notes what the sender of the request did. The deed is done by then, so what
// cannot be stored goes to the log, and the answer is not held up.
func (s *Server) audit(ctx context.Context, e AuditEntry) {
	c := callOf(ctx)
	now := s.o.Now().UTC()
	e.ID, e.At = app.NewID(now), now
	e.Kind, e.Who, e.WhoID = c.identity.Kind, c.identity.Name, c.identity.ID
	e.RequestID, e.Address = c.id, c.address
	s.o.Log.Info("done on request", "what", e.What, "subject", e.Subject, "who", e.Who, "request_id", e.RequestID)
	if s.o.Audit == nil {
		return
	}
	// The client may be gone: what it did is noted all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditTimeout)
	defer cancel()
	if err := s.o.Audit.AddAudit(ctx, e); err != nil {
		s.o.Log.Warn("api: the audit log could not be written", "what", e.What, "request_id", e.RequestID, "error", err)
	}
}

type (
	auditInput struct {
		Who   string `query:"who" maxLength:"200" doc:"Only what somebody of this name did."`
		What  string `query:"what" maxLength:"100" doc:"Only this." example:"configuration.save"`
		Since string `query:"since" maxLength:"40" example:"2027-01-31T08:00:00Z"`
		Until string `query:"until" maxLength:"40"`
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
}

func (s *Server) listAudit(ctx context.Context, in *auditInput) (*auditOutput, error) {
	w, err := in.window()
	if err != nil {
		return nil, err
	}
	since, until, err := stretch(in.Since, in.Until)
	if err != nil {
		return nil, err
	}
	page, err := s.o.Audit.Audit(ctx, AuditFilter{Who: clean(in.Who), What: clean(in.What), Since: since, Until: until, Window: w})
	if err != nil {
		return nil, err
	}
	return &auditOutput{ListHeaders: in.headers(page.Total, page.Next), Body: each(page.Items, auditJSON)}, nil
}
