package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/api"
)

func TestTheBotIsStartedPausedAndStopped(t *testing.T) {
	h := newHouse()
	s := h.serve(t)

	started := request(s, "POST", "/api/bot/start", `{"session_name":"Monday"}`)
	if started.Code != http.StatusOK || decode[api.SessionJSON](t, started).SessionName != "Monday" {
		t.Fatalf("start answers %d %s, want the session", started.Code, started.Body)
	}
	if again := request(s, "POST", "/api/bot/start", ""); again.Code != http.StatusConflict {
		t.Errorf("a second start answers %d, want 409", again.Code)
	}
	for _, step := range []struct {
		path    string
		status  app.SessionStatus
		running bool
	}{
		{"/api/bot/pause", app.SessionPaused, true},
		{"/api/bot/resume", app.SessionRunning, true},
		{"/api/bot/toggle", app.SessionStopped, false},
		{"/api/bot/toggle", app.SessionRunning, true},
		{"/api/bot/force-reset", app.SessionStopped, false},
		{"/api/bot/stop", app.SessionStopped, false},
	} {
		w := request(s, "POST", step.path, "")
		got := decode[api.BotStateJSON](t, w)
		if w.Code != http.StatusOK || got.Status != step.status || got.Running != step.running {
			t.Errorf("%s answers %d %s, want %s", step.path, w.Code, w.Body, step.status)
		}
	}
	if w := request(s, "POST", "/api/bot/pause", ""); w.Code != http.StatusConflict {
		t.Errorf("pausing what does not run answers %d, want 409", w.Code)
	}
	if len(h.audit) != 7 || h.audit[6].What != "bot.start" || h.audit[6].Who == "" || h.audit[6].RequestID == "" {
		t.Errorf("the audit log has %d entries, the first %+v; want each wish with who and request", len(h.audit), h.audit[len(h.audit)-1])
	}
}

func TestAMissingSettingIsNamedInTheConflict(t *testing.T) {
	h := newHouse()
	h.starts = app.Errorf(app.CodeConflict, "ATOZ_PASSWORD is not set.")
	w := request(h.serve(t), "POST", "/api/bot/start", "{}")
	if w.Code != http.StatusConflict || !strings.Contains(decode[api.Problem](t, w).Detail, "ATOZ_PASSWORD") {
		t.Errorf("start answers %d %s, want 409 that names ATOZ_PASSWORD", w.Code, w.Body)
	}
}

func TestTheStatusIsEncodedAsTheStandardLibraryWould(t *testing.T) {
	h := newHouse()
	s := h.serve(t)
	words, at := "a \"b\" \u2028 <c>\n", h.now
	full := api.BotStatus{
		IsRunning: true, SessionID: &words, SessionName: &words, StartTime: &at, Status: app.SessionPaused, LoginStatus: app.LoginFailed,
		TotalChecks: 1, TotalAccepted: 2, TotalRejected: 3, Mode: app.ModeLive, CapReached: true, LastLook: &at, LastError: &words,
		Replica: words, Holder: &words, IsHolder: true,
	}
	for _, status := range []api.BotStatus{h.status, full} {
		h.status = status
		var want bytes.Buffer
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(status); err != nil {
			t.Fatal(err)
		}
		if got := request(s, "GET", "/api/bot/status", "").Body.String(); got != strings.TrimSpace(want.String()) {
			t.Errorf("the status is\n%s, want\n%s", got, &want)
		}
	}
}
