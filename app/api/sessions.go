package api

import (
	"context"
	"net/http"
	"time"

	"github.com/atozbot/atozbot/app"
)

// SessionJSON is a bot session: the predecessor's fields and ours.
type SessionJSON struct {
	ID            string            `json:"id" example:"0199a3c4-58d1-7a6b-9f01-2b8c4d5e6f70"`
	SessionName   string            `json:"session_name" example:"Monday"`
	StartTime     *time.Time        `json:"start_time" example:"2027-01-31T08:00:00Z"`
	EndTime       *time.Time        `json:"end_time" doc:"Null while it runs." example:"2027-01-31T17:30:00Z"`
	Status        app.SessionStatus `json:"status" enum:"stopped,starting,running,paused,stopping,error" example:"stopped"`
	LoginStatus   app.LoginStatus   `json:"login_status" enum:"not_started,pending,attempting,success,failed" example:"success"`
	TotalChecks   int64             `json:"total_checks" example:"16204"`
	TotalAccepted int64             `json:"total_accepted" example:"4"`
	TotalRejected int64             `json:"total_rejected" example:"1"`
	CreatedAt     *time.Time        `json:"created_at" example:"2027-01-31T08:00:00Z"`
	UpdatedAt     *time.Time        `json:"updated_at" example:"2027-01-31T17:30:00Z"`

	Source    string  `json:"source" enum:"built-in,outside,imported" doc:"outside: reported by a bot that runs elsewhere; imported: brought over from a predecessor's database." example:"built-in"`
	OutsideID *string `json:"outside_id" doc:"The name that an outside bot gave." example:"real-atoz-session-20250930_104428"`
	LastError *string `json:"last_error" doc:"Why it ended, where it ended by itself."`
}

func sessionJSON(s app.Session) SessionJSON {
	return SessionJSON{
		ID:            s.ID,
		SessionName:   s.Name,
		StartTime:     moment(s.StartedAt),
		EndTime:       moment(s.EndedAt),
		Status:        s.Status,
		LoginStatus:   s.LoginStatus,
		TotalChecks:   s.TotalChecks,
		TotalAccepted: s.TotalAccepted,
		TotalRejected: s.TotalRejected,
		CreatedAt:     moment(s.CreatedAt),
		UpdatedAt:     moment(s.UpdatedAt),
		Source:        orElse(s.Source, app.SourceBuiltIn),
		OutsideID:     text(s.OutsideID),
		LastError:     text(s.LastError),
	}
}

type sessionsOutput struct {
	ListHeaders
	Body []SessionJSON
}

func (s *Server) sessionRoutes() {
	register(s, operation{
		method: http.MethodGet, path: "/api/bot/sessions", id: "list-sessions", tag: tagRecords, scope: ScopeRead,
		summary: "Bot sessions, newest first", description: "Those of the built-in bot, of outside bots and of an import; source says which.",
		errors: []int{http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}, s.sessions)
}

func (s *Server) sessions(ctx context.Context, in *struct{ ListInput }) (*sessionsOutput, error) {
	w, err := in.window()
	if err != nil {
		return nil, err
	}
	page, err := s.o.Sessions.Sessions(ctx, SessionFilter{Window: w})
	if err != nil {
		return nil, err
	}
	return &sessionsOutput{ListHeaders: in.headers(page.Total, page.Next), Body: each(page.Items, sessionJSON)}, nil
}

// moment gives a time in UTC, and null for none.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	u := t.UTC()
	return &u
}

// text gives null for the empty text.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func orElse[T comparable](v, other T) T {
	var zero T
	if v == zero {
		return other
	}
	return v
}

// each turns every item, into a list that is never null.
func each[A, B any](items []A, turn func(A) B) []B {
	out := make([]B, len(items))
	for i, item := range items {
		out[i] = turn(item)
	}
	return out
}
