package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
)

// OutsideUpdate is what a bot that runs elsewhere reports, in the predecessor's words.
type OutsideUpdate struct {
	_ struct{} `additionalProperties:"true"`

	Type       string          `json:"type,omitempty" maxLength:"100" doc:"What happened; or update_type." example:"job_accepted"`
	UpdateType string          `json:"update_type,omitempty" maxLength:"100" doc:"The same as type."`
	Data       json.RawMessage `json:"data,omitempty" doc:"What is told about it; at most 64 KiB."`
	SessionID  string          `json:"session_id,omitempty" maxLength:"200" doc:"The outside bot's own name for its session." example:"real-atoz-session-20250930_104428"`
	Timestamp  json.RawMessage `json:"timestamp,omitempty" doc:"When it happened; left aside where it is no RFC 3339 time."`
}

// OutsideAnswer confirms an update.
type OutsideAnswer struct {
	Status string `json:"status" enum:"update_received" example:"update_received"`
	Type   string `json:"type" example:"job_accepted"`
}

type (
	outsideInput  struct{ Body OutsideUpdate }
	outsideOutput struct{ Body OutsideAnswer }
)

// maxOutsideData is how much an update may tell: everything in it goes to everyone who
// watches.
const maxOutsideData = 64 << 10

func (s *Server) outsideRoutes() {
	register(s, operation{
		method: http.MethodPost, path: "/api/bot/realtime-update", id: "realtime-update", tag: tagOutside, scope: ScopeControl,
		summary: "A bot that runs elsewhere reports",
		description: "Stored under its own session, which is marked as coming from outside and never counts among the built-in bot's totals, " +
			"and sent to everyone who watches. The predecessor's bots can go on reporting here.",
		errors: []int{http.StatusServiceUnavailable}, lenient: true,
	}, s.outsideUpdate)
}

func (s *Server) outsideUpdate(ctx context.Context, in *outsideInput) (*outsideOutput, error) {
	u, err := readOutside(in.Body)
	if err != nil {
		return nil, err
	}
	// One at a time: two first reports of one session would otherwise both make it.
	s.outside.Lock()
	defer s.outside.Unlock()
	known, err := s.o.Outside.OutsideSession(ctx, u.sessionName)
	if err != nil {
		return nil, err
	}
	now := s.o.Now().UTC()
	session := u.session(known, now)
	record := app.Record{
		ID:        app.NewID(now),
		AccountID: app.OutsideAccountID,
		At:        now,
		Session:   &session,
		Events: []app.Event{{
			Key:       app.NewID(now),
			Type:      u.eventType(),
			AccountID: app.OutsideAccountID,
			SessionID: session.ID,
			At:        now,
			Data:      u.eventData(),
		}},
	}
	if job, ok := u.job(session, now); ok {
		record.Jobs = []app.JobRecord{job}
	}
	if line := u.complaint(); line != "" {
		record.Logs = []app.LogEntry{{
			ID: app.NewID(now), SessionID: session.ID, Level: "ERROR", Message: line, Component: "outside", At: now,
		}}
	}
	if err := s.o.Outside.Save(ctx, record); err != nil {
		return nil, err
	}
	return &outsideOutput{Body: OutsideAnswer{Status: "update_received", Type: u.kind}}, nil
}

// outsideReport is an update as it was understood.
type outsideReport struct {
	kind        string
	sessionName string
	fields      map[string]any // Of data; what is no object stands under "value".
}

// unnamedOutside is the session of bots that give it no name.
const unnamedOutside = "outside"

func readOutside(in OutsideUpdate) (outsideReport, error) {
	u := outsideReport{kind: orElse(strings.TrimSpace(in.Type), strings.TrimSpace(in.UpdateType)), fields: map[string]any{}}
	wrong := map[string]string{}
	if u.kind == "" {
		wrong["type"] = "expected what happened, here or as update_type"
	}
	if len(in.Data) > maxOutsideData {
		wrong["data"] = "expected at most 64 KiB"
	}
	if len(wrong) > 0 {
		return u, &app.Error{Code: app.CodeInvalid, Message: "The request has fields that cannot be accepted.", Fields: wrong}
	}
	u.read(in.Data)
	u.sessionName = clean(orElse(in.SessionID, orElse(u.word("session_id"), unnamedOutside)))
	if len(u.sessionName) > 200 || u.sessionName == "" {
		u.sessionName = unnamedOutside
	}
	return u, nil
}

// read takes the data, without what no database takes and without what nobody should see.
func (u *outsideReport) read(data json.RawMessage) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil || v == nil {
		return
	}
	fields, ok := mended(v, 0).(map[string]any)
	if !ok {
		fields = map[string]any{"value": mended(v, 0)}
	}
	u.fields = fields
}

// mended gives v with clean texts and without secrets: a bot that reports its settings
// must not publish its portal's password.
func mended(v any, depth int) any {
	switch v := v.(type) {
	case string:
		return clean(v)
	case []any:
		return each(v, func(item any) any { return mended(item, depth+1) })
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, item := range v {
			if depth < maxDepth && !secretName(name) {
				out[clean(name)] = mended(item, depth+1)
			}
		}
		return out
	default:
		return v
	}
}

func secretName(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"password", "passwd", "secret", "token", "cookie", "authorization", "api_key", "apikey"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// word gives a text of the data; "" where there is none.
func (u outsideReport) word(name string) string {
	s, _ := u.fields[name].(string)
	return s
}

// number gives a count of the data.
func (u outsideReport) number(name string) (int64, bool) {
	given, ok := u.fields[name].(json.Number)
	if !ok {
		return 0, false
	}
	n, err := given.Float64()
	if err != nil || n < 0 || n > 1e12 {
		return 0, false
	}
	return int64(n), true
}

// session gives the outside session after the update.
func (u outsideReport) session(known *app.Session, now time.Time) app.Session {
	var s app.Session
	if known != nil {
		s = *known
	} else {
		s = app.Session{
			ID: outsideID(u.sessionName), AccountID: app.OutsideAccountID, Name: u.sessionName,
			Source: app.SourceOutside, OutsideID: u.sessionName,
			Status: app.SessionRunning, LoginStatus: app.LoginNotStarted,
			StartedAt: now, CreatedAt: now,
		}
	}
	u.move(&s, now)
	u.countUp(&s)
	s.UpdatedAt = now
	s.Version++
	return s
}

// outsideID makes a session's id from its name (a UUID of version 8, RFC 9562), so that
// two replicas that hear of it first at the same moment make the same row.
func outsideID(name string) string {
	sum := sha256.Sum256([]byte("atozbot outside session\x00" + name))
	sum[6] = sum[6]&0x0f | 0x80
	sum[8] = sum[8]&0x3f | 0x80
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// move sets where the session and its log-in stand.
func (u outsideReport) move(s *app.Session, now time.Time) {
	switch u.kind {
	case "starting", "bot_starting":
		u.runs(s, app.SessionStarting)
		s.LoginStatus = app.LoginPending
	case "login_attempting", "login_attempt":
		u.runs(s, app.SessionRunning)
		s.LoginStatus = app.LoginAttempting
	case "login_success", "login_successful":
		u.runs(s, app.SessionRunning)
		s.LoginStatus = app.LoginSuccess
	case "login_failed":
		s.LoginStatus = app.LoginFailed
	case "running", "bot_started", "checking_jobs", "no_jobs", "processing_jobs", "job_processed", "job_accepted", "job_rejected",
		"job_processing_complete", "cycle_complete":
		u.runs(s, app.SessionRunning)
	case "bot_stopped":
		s.Status = app.SessionStopped
	case "bot_error", "error", "max_errors_reached":
		s.Status = app.SessionError
		s.LastError = clean(orElse(u.word("error"), u.word("message")))
	case "database_update":
		u.stated(s)
	}
	over := s.Status == app.SessionStopped || s.Status == app.SessionError
	if over && s.EndedAt.IsZero() {
		s.EndedAt = now
	}
	if !over {
		s.EndedAt = time.Time{}
	}
}

func (u outsideReport) runs(s *app.Session, status app.SessionStatus) {
	s.Status = status
	s.LastError = ""
}

// stated takes the statuses that a database_update names, where they are words of ours.
func (u outsideReport) stated(s *app.Session) {
	switch status := app.SessionStatus(u.word("status")); status {
	case app.SessionRunning, app.SessionStopped, app.SessionError, app.SessionStarting, app.SessionPaused, app.SessionStopping:
		s.Status = status
	}
	switch login := app.LoginStatus(u.word("login_status")); login {
	case app.LoginNotStarted, app.LoginPending, app.LoginAttempting, app.LoginSuccess, app.LoginFailed:
		s.LoginStatus = login
	}
}

// countUp takes the totals that the update names. They are the outside bot's own count:
// nothing is added up here, so an update that comes twice changes nothing.
func (u outsideReport) countUp(s *app.Session) {
	if n, ok := u.number("total_checks"); ok {
		s.TotalChecks = n
	}
	if n, ok := u.number("total_accepted"); ok {
		s.TotalAccepted = n
	}
	if n, ok := u.number("total_rejected"); ok {
		s.TotalRejected = n
	}
}

// job gives the job that the update tells of, where it tells of one that was accepted or
// rejected. It belongs to the account of outside bots, and so never stands among ours.
func (u outsideReport) job(session app.Session, now time.Time) (app.JobRecord, bool) {
	ref := u.shown("job_number")
	if ref == "" {
		ref = u.shown("job_ref")
	}
	if ref == "" || len(ref) > 100 || u.kind != app.EventJobAccepted && u.kind != app.EventJobRejected {
		return app.JobRecord{}, false
	}
	number, _, _ := strings.Cut(ref, "/")
	j := app.JobRecord{
		ID: outsideID("job " + number), AccountID: app.OutsideAccountID, SessionID: session.ID, Source: app.SourceOutside,
		Number: strings.TrimSpace(number), Ref: ref, Language: u.word("language"), JobType: u.word("job_type"), DurationText: u.shown("duration"),
		Status: app.JobAccepted, Verdict: app.VerdictAccept,
		SeenAt: now, LastSeenAt: now, DecidedAt: now, Sightings: 1, CreatedAt: now, UpdatedAt: now, Version: now.UnixMicro(),
	}
	if u.kind == app.EventJobRejected {
		j.Status, j.Verdict = app.JobRejected, app.VerdictReject
		j.RejectionReason = orElse(u.word("reason"), u.word("message"))
	}
	return j, true
}

// shown gives a text or a number of the data as text.
func (u outsideReport) shown(name string) string {
	if n, ok := u.fields[name].(json.Number); ok {
		return n.String()
	}
	return u.word(name)
}

// eventType is the type under which the update goes out: its own, but for the words with
// which this server speaks for itself.
func (u outsideReport) eventType() string {
	switch u.kind {
	case app.EventStatusUpdate, app.EventConfiguration, app.EventConfigRefresh, app.EventBreakerTrip, app.EventBreakerClosed,
		app.EventBoardProblem, app.EventBoardBack, app.EventCapReached, app.EventJobVanished:
		return "outside_update"
	default:
		return clean(u.kind)
	}
}

// eventData is what was sent, marked as coming from outside.
func (u outsideReport) eventData() json.RawMessage {
	data := u.fields
	data["source"] = app.SourceOutside
	data["outside_session"] = u.sessionName
	if u.eventType() == "outside_update" {
		data["type"] = u.kind
	}
	if number := u.shown("job_number"); number != "" && data["job_ref"] == nil && strings.HasPrefix(u.kind, "job_") && u.kind != "job_processed" {
		data["job_ref"] = number // In job_processed it is the job's place in the cycle.
	}
	b, err := json.Marshal(data)
	if err != nil {
		return json.RawMessage(`{"source":"outside"}`)
	}
	return b
}

// complaint is what the log is to say; "" for nothing.
func (u outsideReport) complaint() string {
	switch u.kind {
	case "bot_error", "error", "cycle_error", "max_errors_reached", "login_failed":
		said := clean(orElse(u.word("error"), u.word("message")))
		if said == "" {
			return u.sessionName + ": " + u.kind
		}
		return u.sessionName + ": " + u.kind + ": " + said
	default:
		return ""
	}
}

// clean makes a text one that every database takes and every line can hold: valid UTF-8
// without control characters.
func clean(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "�")))
}
