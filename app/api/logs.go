package api

import (
	"context"
	"net/http"
	"time"

	"github.com/atozbot/atozbot/app"
)

// LogJSON is one line of the log.
type LogJSON struct {
	ID        string     `json:"id" example:"0199a3c4-58d1-7a6b-9f01-2b8c4d5e6f70"`
	SessionID *string    `json:"session_id" doc:"Null where it belongs to none."`
	LogLevel  string     `json:"log_level" enum:"DEBUG,INFO,WARNING,ERROR" example:"INFO"`
	Message   string     `json:"message" example:"Logged in."`
	Component string     `json:"component" example:"bot"`
	CreatedAt *time.Time `json:"created_at" example:"2027-01-31T10:15:02Z"`
}

func logJSON(e app.LogEntry) LogJSON {
	return LogJSON{
		ID: e.ID, SessionID: text(e.SessionID), LogLevel: e.Level, Message: e.Message, Component: e.Component, CreatedAt: moment(e.At),
	}
}

type (
	logsInput struct {
		SessionID string `query:"session_id" maxLength:"64" pattern:"^[0-9A-Za-z-]*$" doc:"Only lines of this session." example:"0199a3c4-58d1-7a6b-9f01-2b8c4d5e6f70"`
		Level     string `query:"level" enum:"DEBUG,INFO,WARNING,ERROR" doc:"Only lines of this level." example:"ERROR"`
		Component string `query:"component" maxLength:"100" doc:"Only lines of this part." example:"bot"`
		Q         string `query:"q" maxLength:"200" doc:"Only lines with this in them, case aside." example:"portal"`
		Since     string `query:"since" maxLength:"40" doc:"Only lines written at or after this time; a day stands for its beginning in UTC." example:"2027-01-31T08:00:00Z"`
		Until     string `query:"until" maxLength:"40" doc:"Only lines written before this time." example:"2027-02-01"`
		ListInput
	}
	logsOutput struct {
		ListHeaders
		Body []LogJSON
	}
)

func (s *Server) logRoutes() {
	register(s, operation{
		method: http.MethodGet, path: "/api/logs", id: "list-logs", tag: tagAccess, scope: ScopeRead,
		summary: "The log, newest first", description: "What the program wrote, without its debugging lines. No secret stands in it.", errors: []int{http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}, s.logs)
}

func (s *Server) logs(ctx context.Context, in *logsInput) (*logsOutput, error) {
	w, err := in.window()
	if err != nil {
		return nil, err
	}
	since, until, err := stretch(in.Since, in.Until)
	if err != nil {
		return nil, err
	}
	page, err := s.o.Logs.Logs(ctx, LogFilter{
		SessionID: in.SessionID, Level: in.Level, Component: clean(in.Component), Query: clean(in.Q), Since: since, Until: until, Window: w,
	})
	if err != nil {
		return nil, err
	}
	return &logsOutput{ListHeaders: in.headers(page.Total, page.Next), Body: each(page.Items, logJSON)}, nil
}

// accountRoutes are the operations of those who look after the server.
func (s *Server) accountRoutes() {
	if s.o.Logs != nil {
		s.logRoutes()
	}
	if s.o.Audit != nil {
		s.auditRoutes()
	}
	if s.o.Tokens != nil {
		s.tokenRoutes()
	}
}
