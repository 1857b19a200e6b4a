package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/api"
)

// updates is a run of one of the predecessor's bots, as it reports it.
var updates = []string{
	`{"type":"bot_starting","data":{"session_id":"real-1"}}`,
	`{"type":"starting","data":{},"session_id":"real-1"}`,
	`{"type":"login_attempting","data":{"step":"form"},"session_id":"real-1","timestamp":"2025-09-30T10:44:28.227964"}`,
	`{"update_type":"login_attempt","data":{"session_id":"real-1"}}`,
	`{"type":"login_success","data":{"session_id":"real-1"}}`,
	`{"type":"login_successful","data":{"session_id":"real-1"}}`,
	`{"type":"running","data":{"session_id":"real-1"}}`,
	`{"type":"checking_jobs","data":{"session_id":"real-1","cycle":1,"step":"x","message":"y"}}`,
	`{"type":"no_jobs","data":{"session_id":"real-1"}}`,
	`{"type":"processing_jobs","data":{"session_id":"real-1","cycle":2,"jobs_found":3}}`,
	`{"type":"job_processed","data":{"session_id":"real-1","cycle":2,"job_number":1,"total_jobs":3,"accepted":1,"rejected":0,"skipped":0}}`,
	`{"type":"job_accepted","data":{"session_id":"real-1","job_number":"48001/A","language":"Polish","job_type":"Telephone interpreting","duration":"30 mins","message":"m"}}`,
	`{"type":"job_rejected","data":{"session_id":"real-1","job_number":48002,"language":"Urdu","job_type":"Onsite","reason":"Face-to-Face","message":"m"}}`,
	`{"type":"job_processing_complete","data":{"session_id":"real-1","iteration":2,"accepted":1,"rejected":1,"total_checks":2,"total_accepted":1,"total_rejected":1,"message":"m"}}`,
	`{"type":"cycle_complete","data":{"session_id":"real-1","cycle":2,"stats":{"a":1}}}`,
	`{"type":"cycle_error","data":{"session_id":"real-1","cycle":3,"error":"time-out","consecutive_errors":1}}`,
	`{"type":"database_update","data":{"session_id":"real-1","status":"running","login_status":"success","total_checks":9,"total_accepted":2,"total_rejected":3}}`,
}

func TestAnOutsideBotsRunIsStoredApart(t *testing.T) {
	h := newHouse()
	s := h.serve(t)
	for _, u := range updates {
		w := request(s, "POST", "/api/bot/realtime-update", u)
		var sent struct {
			Type       string
			UpdateType string `json:"update_type"`
		}
		if err := json.Unmarshal([]byte(u), &sent); err != nil {
			t.Fatal(err)
		}
		got := decode[api.OutsideAnswer](t, w)
		if w.Code != 200 || got.Status != "update_received" || got.Type != sent.Type+sent.UpdateType {
			t.Fatalf("%s answers %d %s", u, w.Code, w.Body)
		}
	}
	if len(h.sessions) != 1 {
		t.Fatalf("there are %d sessions, want one: %+v", len(h.sessions), h.sessions)
	}
	got := decode[[]api.SessionJSON](t, request(s, "GET", "/api/bot/sessions", ""))[0]
	if got.Source != app.SourceOutside || *got.OutsideID != "real-1" || got.Status != app.SessionRunning || got.LoginStatus != app.LoginSuccess ||
		got.TotalChecks != 9 || got.TotalAccepted != 2 || got.TotalRejected != 3 || got.EndTime != nil {
		t.Errorf("the session is %+v", got)
	}
	if h.sessions[0].AccountID != app.OutsideAccountID {
		t.Errorf("the session belongs to the account %s", h.sessions[0].AccountID)
	}
	if st := h.Status(); st.TotalAccepted != 0 || st.TotalChecks != 0 {
		t.Errorf("the built-in bot's totals have become %+v", st)
	}
	if len(h.events) != len(updates) {
		t.Errorf("%d events are stored, want one for each update", len(h.events))
	}
	for _, e := range h.events {
		if !strings.Contains(string(e.Data), `"source":"outside"`) {
			t.Errorf("the event %s does not say that it comes from outside: %s", e.Type, e.Data)
		}
	}
	var reported []string
	for _, j := range h.jobs {
		if j.Source == app.SourceOutside {
			reported = append(reported, j.AccountID+" "+j.Number+" "+j.Ref+" "+string(j.Status)+" "+j.RejectionReason)
		}
	}
	want := app.OutsideAccountID + " 48001 48001/A accepted , " + app.OutsideAccountID + " 48002 48002 rejected Face-to-Face"
	if strings.Join(reported, ", ") != want {
		t.Errorf("the jobs are %v, want %s", reported, want)
	}
	if w := request(s, "GET", "/api/bot/jobs", ""); w.Header().Get("X-Total-Count") != "3" {
		t.Errorf("the list has %s jobs, want the built-in bot's three", w.Header().Get("X-Total-Count"))
	}
	if w := request(s, "GET", "/api/bot/jobs?outside=true", ""); w.Header().Get("X-Total-Count") != "2" {
		t.Errorf("the outside bots' list has %s jobs, want two", w.Header().Get("X-Total-Count"))
	}
	if len(h.logs) != 1 || !strings.Contains(h.logs[0].Message, "time-out") {
		t.Errorf("the log has %+v, want the error", h.logs)
	}
	request(s, "POST", "/api/bot/realtime-update", `{"type":"bot_error","data":{"session_id":"real-1","error":"broke"}}`)
	if h.sessions[0].Status != app.SessionError || h.sessions[0].LastError != "broke" || h.sessions[0].EndedAt.IsZero() {
		t.Errorf("after an error the session is %+v", h.sessions[0])
	}
	request(s, "POST", "/api/bot/realtime-update", `{"type":"bot_stopped","data":{"session_id":"real-1"}}`)
	if h.sessions[0].Status != app.SessionStopped {
		t.Errorf("after the stop the session is %+v", h.sessions[0])
	}
}

func TestAnOutsideUpdateIsToldToEveryoneWhoWatches(t *testing.T) {
	h := newHouse()
	server, hub := open(t, h)
	next := dial(t, server, "")
	next()
	handler := api.New(h.options(hub))
	request(handler, "POST", "/api/bot/realtime-update", updates[11])
	hub.Committed()
	e := next()
	if e.Type != "job_accepted" || e.Data["source"] != "outside" || e.Data["outside_session"] != "real-1" || e.Data["job_number"] != "48001/A" || e.Data["job_ref"] != "48001/A" || e.ID == nil {
		t.Errorf("those who watch are told %+v", e)
	}
}

func TestAnOutsideBotCannotSpeakForTheServer(t *testing.T) {
	h := newHouse()
	s := h.serve(t)
	request(s, "POST", "/api/bot/realtime-update", `{"type":"status_update","data":{"bot_status":{"is_running":true}}}`)
	if got := h.events[0]; got.Type != "outside_update" || !strings.Contains(string(got.Data), `"type":"status_update"`) {
		t.Errorf("a forged snapshot goes out as %s %s", got.Type, got.Data)
	}
	request(s, "POST", "/api/bot/realtime-update", `{"type":"x","data":{"Portal_Password":"hunter2","deep":[{"api_token":"hunter2"}],"nul":"a\u0000b"}}`)
	if data := string(h.events[1].Data); strings.Contains(data, "hunter2") || strings.Contains(data, `\u0000`) {
		t.Errorf("a secret, or what no database takes, goes out: %s", data)
	}
	for body, want := range map[string]string{`{"type":"x"}`: "", `{"type":"x","data":null}`: "", `{"type":"x","data":[1,"a"]}`: `"value":[1,"a"]`, `{"type":"x","data":"t"}`: `"value":"t"`} {
		h.events = nil
		if w := request(s, "POST", "/api/bot/realtime-update", body); w.Code != 200 || !strings.Contains(string(h.events[0].Data), want) {
			t.Errorf("%s answers %d, and %s goes out", body, w.Code, h.events[0].Data)
		}
	}
}
