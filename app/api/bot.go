package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/atozbot/atozbot/app"
)

// BotStatus is what the bot does at this moment: the predecessor's fields and ours.
type BotStatus struct {
	IsRunning     bool              `json:"is_running" doc:"True while running or paused." example:"true"`
	SessionID     *string           `json:"session_id" doc:"The session that runs, or the last one; null where there was none." example:"0199a3c4-58d1-7a6b-9f01-2b8c4d5e6f70"`
	SessionName   *string           `json:"session_name" example:"Monday"`
	StartTime     *time.Time        `json:"start_time" doc:"When the session began." example:"2027-01-31T08:00:00Z"`
	Status        app.SessionStatus `json:"status" enum:"stopped,starting,running,paused,stopping,error" example:"running"`
	LoginStatus   app.LoginStatus   `json:"login_status" enum:"not_started,pending,attempting,success,failed" example:"success"`
	TotalChecks   int64             `json:"total_checks" doc:"Looks at the board in this session." example:"1204"`
	TotalAccepted int64             `json:"total_accepted" example:"3"`
	TotalRejected int64             `json:"total_rejected" example:"0"`

	Mode       app.Mode   `json:"mode" enum:"watch,live" doc:"Whether the bot acts on the portal." example:"live"`
	CapReached bool       `json:"cap_reached" doc:"The session has accepted as many jobs as it may." example:"false"`
	LastLook   *time.Time `json:"last_look" doc:"When the newest look at the board began, whatever it found." example:"2027-01-31T10:15:02.114Z"`
	LastError  *string    `json:"last_error" doc:"What is wrong now, in words; null where nothing is." example:"the portal answered 503"`
	Replica    string     `json:"replica" doc:"This process." example:"host-1-8b2f"`
	Holder     *string    `json:"holder" doc:"The replica that runs the session; null where none does." example:"host-1-8b2f"`
	IsHolder   bool       `json:"is_holder" doc:"Whether this process runs the session." example:"true"`
}

// StatusJSON gives the bot's status as the API and the live snapshot show it.
func StatusJSON(b Bot) json.RawMessage {
	status := b.Status()
	return appendStatus(make([]byte, 0, 512), &status)
}

// BotStateJSON is the answer to a wish that changes what the bot does.
type BotStateJSON struct {
	Status    app.SessionStatus `json:"status" enum:"stopped,starting,running,paused,stopping,error" doc:"The bot's status now." example:"stopped"`
	Running   bool              `json:"running" doc:"True while running or paused." example:"false"`
	SessionID *string           `json:"session_id" doc:"The session that runs, or the last one." example:"0199a3c4-58d1-7a6b-9f01-2b8c4d5e6f70"`
}

type (
	nothingIn    struct{}
	statusOutput struct {
		ContentType string `header:"Content-Type" hidden:"true"`
		Length      string `header:"Content-Length" hidden:"true"`
		Body        []byte
	}
	stateOutput struct{ Body BotStateJSON }
	startInput  struct {
		Body *struct {
			SessionName string `json:"session_name,omitempty" nullable:"true" maxLength:"200" doc:"A name for the session; one is made where it is left out." example:"Monday"`
		}
	}
	sessionOutput struct{ Body SessionJSON }
)

// botRoutes are the operations that steer the bot.
func (s *Server) botRoutes() {
	status := operation{
		method: http.MethodGet, path: "/api/bot/status", id: "bot-status", tag: tagBot, scope: ScopeRead,
		summary:     "What the bot does now",
		description: "Answered from memory: it works while the database is away.",
	}
	s.answers(status, BotStatus{})
	register(s, status, s.status)
	register(s, operation{
		method: http.MethodPost, path: "/api/bot/start", id: "start-bot", tag: tagBot, scope: ScopeControl,
		summary:     "Start a session",
		description: "409 where a session runs, or where the portal's log-in data are missing: the problem then names the setting.",
		errors:      []int{http.StatusConflict, http.StatusServiceUnavailable},
	}, s.start)

	s.steer("/api/bot/stop", "stop-bot", "Stop the session",
		"Within a second, mid-request or not; what is unsettled then is settled at the next start. 200 also where nothing runs.", Bot.Stop)
	s.steer("/api/bot/toggle", "toggle-bot", "Stop the session, or start one",
		"Stops what runs, and starts a session where none does.", Bot.Toggle)
	s.steer("/api/bot/force-reset", "force-reset-bot", "Stop, and clear what hangs",
		"Stops the session whatever it is doing and clears what is left of it. Claims are kept: what is unsettled is settled at the next start.", Bot.ForceReset)
	s.steer("/api/bot/pause", "pause-bot", "Pause the session",
		"A paused bot looks and records, and does not act; it stays paused over a restart.", Bot.Pause)
	s.steer("/api/bot/resume", "resume-bot", "Resume the session", "Has a paused bot act again.", Bot.Resume)
	s.steer("/api/bot/rearm", "rearm-bot", "Close the breaker",
		"Lets the bot act again after it stopped acting by itself.", Bot.Rearm)
}

// steer registers a wish that has no fields and that answers with the bot's state.
func (s *Server) steer(path, id, summary, description string, wish func(Bot, context.Context) error) {
	register(s, operation{
		method: http.MethodPost, path: path, id: id, tag: tagBot, scope: ScopeControl,
		summary: summary, description: description,
		errors: []int{http.StatusConflict, http.StatusServiceUnavailable},
	}, func(ctx context.Context, _ *nothingIn) (*stateOutput, error) {
		if err := wish(s.o.Bot, ctx); err != nil {
			return nil, err
		}
		s.audit(ctx, auditOf("bot."+path[len("/api/bot/"):], "", nil, nil))
		return &stateOutput{Body: s.state()}, nil
	})
}

func (s *Server) status(context.Context, *nothingIn) (*statusOutput, error) {
	body := StatusJSON(s.o.Bot)
	return &statusOutput{ContentType: jsonType, Length: strconv.Itoa(len(body)), Body: body}, nil
}

func (s *Server) start(ctx context.Context, in *startInput) (*sessionOutput, error) {
	name := ""
	if in.Body != nil {
		name = clean(in.Body.SessionName)
	}
	session, err := s.o.Bot.Start(ctx, name)
	if err != nil {
		return nil, err
	}
	out := sessionJSON(session)
	s.audit(ctx, auditOf("bot.start", session.ID, nil, out))
	return &sessionOutput{Body: out}, nil
}

func (s *Server) state() BotStateJSON {
	st := s.o.Bot.Status()
	return BotStateJSON{Status: st.Status, Running: st.IsRunning, SessionID: st.SessionID}
}
