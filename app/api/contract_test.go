package api_test

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/atozbot/atozbot/app"
)

// paths is every operation that users, scripts and the predecessor's clients rely on.
// One that goes missing, or a new one that nobody wrote down here, fails the test.
var paths = []string{
	"GET /api/audit",
	"GET /api/audit/export",
	"GET /api/bot/analytics",
	"GET /api/bot/analytics/periods",
	"GET /api/bot/configuration",
	"PUT /api/bot/configuration",
	"POST /api/bot/configuration/refresh",
	"POST /api/bot/configuration/undo",
	"GET /api/bot/configuration/versions",
	"GET /api/bot/dashboard/metrics",
	"POST /api/bot/force-reset",
	"GET /api/bot/jobs",
	"GET /api/bot/jobs/export",
	"GET /api/bot/jobs/{id}",
	"POST /api/bot/jobs/{id}/accept",
	"POST /api/bot/jobs/{id}/leave",
	"POST /api/bot/pause",
	"POST /api/bot/realtime-update",
	"POST /api/bot/rearm",
	"POST /api/bot/resume",
	"POST /api/bot/rules/backtest",
	"GET /api/bot/sessions",
	"POST /api/bot/start",
	"GET /api/bot/status",
	"POST /api/bot/stop",
	"POST /api/bot/toggle",
	"GET /api/events",
	"GET /api/logs",
	"GET /api/tokens",
	"POST /api/tokens",
	"DELETE /api/tokens/{id}",
	"GET /calendar/{secret}.ics",
	"GET /health",
	"GET /health/detailed",
	"POST /health/force-check",
	"GET /health/live",
	"GET /health/ready",
	"GET /health/service/{name}",
	"GET /metrics",
	"GET /ws",
}

func TestTheDescriptionHasEveryOperation(t *testing.T) {
	d := readDocument(t, newHouse().serve(t))
	if d.OpenAPI != "3.1.0" {
		t.Errorf("the description is of OpenAPI %s, want 3.1.0", d.OpenAPI)
	}
	got := map[string]bool{}
	for _, op := range d.operations() {
		got[op.method+" "+op.path] = true
	}
	for _, want := range paths {
		if !got[want] {
			t.Errorf("%s is missing", want)
		}
		delete(got, want)
	}
	for extra := range got {
		t.Errorf("%s is new: write it down here", extra)
	}
}

func TestEveryOperationIsDescribedInFull(t *testing.T) {
	d := readDocument(t, newHouse().serve(t))
	for _, op := range d.operations() {
		name := op.method + " " + op.path
		if op.Summary == "" || op.Description == "" || op.OperationID == "" || len(op.Tags) == 0 {
			t.Errorf("%s lacks a summary, a description, an id or a tag", name)
		}
		if op.Security == nil {
			t.Errorf("%s does not say who may ask", name)
		}
		good := 0
		for status, r := range op.Responses {
			for kind, body := range r.Content {
				wholeExample(t, d, name+" "+status+" "+kind, kind, body)
			}
			if status < "400" {
				good++
				continue
			}
			problem, isProblem := r.Content["application/problem+json"]
			if !isProblem && (status != "503" || op.path != "/health") {
				t.Errorf("%s: %s is no problem document", name, status)
				continue
			}
			if isProblem && problem.Example == nil {
				t.Errorf("%s: %s has no example", name, status)
			}
		}
		if op.RequestBody != nil {
			for kind, body := range op.RequestBody.Content {
				wholeExample(t, d, name+" takes "+kind, kind, body)
			}
		}
		if good == 0 {
			t.Errorf("%s does not say what it answers", name)
		}
		for _, p := range op.Parameters {
			switch {
			case p.Schema == nil || p.Schema.Type == nil:
				t.Errorf("%s: the parameter %s has no type", name, p.Name)
			case p.Description == "" || p.Example == nil && len(p.Schema.Examples) == 0:
				t.Errorf("%s: the parameter %s has no description or no example", name, p.Name)
			}
		}
	}
	for name, s := range d.Components.Schemas {
		examples(t, d, name, s)
	}
}

// wholeExample wants a body's example, and that it is one.
func wholeExample(t *testing.T, d *document, name, kind string, body mediaType) {
	t.Helper()
	if !strings.HasSuffix(kind, "json") {
		if body.Schema == nil || len(body.Schema.Examples) == 0 {
			t.Errorf("%s has no example", name)
		}
		return
	}
	if body.Example == nil {
		t.Errorf("%s has no example", name)
		return
	}
	if wrong := d.faults(body.Schema, body.Example, name); len(wrong) > 0 {
		t.Errorf("the example is wrong: %v", wrong)
	}
}

// examples holds every example against the schema that it stands in.
func examples(t *testing.T, d *document, name string, s *schema) {
	for _, e := range s.Examples {
		if wrong := d.faults(s, e, name); len(wrong) > 0 {
			t.Errorf("the example is wrong: %v", wrong)
		}
	}
	for property, p := range s.Properties {
		examples(t, d, name+"."+property, p)
	}
}

// call is a request that an operation takes, and what it answers.
type call struct {
	target, body string
	status       int
}

// calls has for every operation a request that is right.
var calls = map[string]call{
	"GET /api/audit":                      {"/api/audit?limit=5&since=2027-01-01", "", 200},
	"GET /api/audit/export":               {"/api/audit/export?format=json", "", 200},
	"GET /api/bot/analytics":              {"/api/bot/analytics?hours=48", "", 200},
	"GET /api/bot/analytics/periods":      {"/api/bot/analytics/periods", "", 200},
	"GET /api/bot/configuration":          {"/api/bot/configuration", "", 200},
	"PUT /api/bot/configuration":          {"/api/bot/configuration", `{"max_accept_per_run":7,"weekly_hours":{"mon":[["08:00","18:00"]]},"days_off":[{"from":"2027-12-24","to":"2027-12-27"}]}`, 200},
	"POST /api/bot/configuration/refresh": {"/api/bot/configuration/refresh", "", 200},
	"POST /api/bot/configuration/undo":    {"/api/bot/configuration/undo", "", 200},
	"GET /api/bot/configuration/versions": {"/api/bot/configuration/versions?limit=1", "", 200},
	"GET /api/bot/dashboard/metrics":      {"/api/bot/dashboard/metrics", "", 200},
	"POST /api/bot/force-reset":           {"/api/bot/force-reset", "", 200},
	"GET /api/bot/jobs":                   {"/api/bot/jobs?limit=2&status=matched&language=polish&q=48&since=2027-01-01T00:00:00Z", "", 200},
	"GET /api/bot/jobs/export":            {"/api/bot/jobs/export?format=json", "", 200},
	"GET /api/bot/jobs/{id}":              {"/api/bot/jobs/0199a3c4-58d1-7a6b-9f01-000000000001", "", 200},
	"POST /api/bot/jobs/{id}/accept":      {"/api/bot/jobs/0199a3c4-58d1-7a6b-9f01-000000000001/accept", "", 200},
	"POST /api/bot/jobs/{id}/leave":       {"/api/bot/jobs/0199a3c4-58d1-7a6b-9f01-000000000002/leave", "", 200},
	"POST /api/bot/pause":                 {"/api/bot/pause", "", 200},
	"POST /api/bot/realtime-update":       {"/api/bot/realtime-update", `{"type":"job_accepted","data":{"job_number":"1"},"session_id":null,"more":1}`, 200},
	"POST /api/bot/rearm":                 {"/api/bot/rearm", "", 200},
	"POST /api/bot/resume":                {"/api/bot/resume", "", 200},
	"POST /api/bot/rules/backtest":        {"/api/bot/rules/backtest", `{"rules":{"languages":["Urdu"]},"since":"14d"}`, 200},
	"GET /api/bot/sessions":               {"/api/bot/sessions?limit=10&offset=0", "", 200},
	"POST /api/bot/start":                 {"/api/bot/start", `{"session_name":"Monday"}`, 200},
	"GET /api/bot/status":                 {"/api/bot/status", "", 200},
	"POST /api/bot/stop":                  {"/api/bot/stop", "", 200},
	"POST /api/bot/toggle":                {"/api/bot/toggle", "", 200},
	"GET /api/events":                     {"", "", 0}, // A stream: see the tests of watching.
	"GET /api/logs":                       {"/api/logs?level=ERROR", "", 200},
	"GET /api/tokens":                     {"/api/tokens", "", 200},
	"POST /api/tokens":                    {"/api/tokens", `{"name":"phone","scope":"read","expires_at":"2028-01-31T00:00:00Z"}`, 201},
	"DELETE /api/tokens/{id}":             {"/api/tokens/the-token", "", 204},
	"GET /calendar/{secret}.ics":          {"/calendar/the-feeds-secret.ics", "", 200},
	"GET /health":                         {"/health", "", 200},
	"GET /health/detailed":                {"/health/detailed", "", 200},
	"POST /health/force-check":            {"/health/force-check", "", 200},
	"GET /health/live":                    {"/health/live", "", 200},
	"GET /health/ready":                   {"/health/ready", "", 200},
	"GET /health/service/{name}":          {"/health/service/database", "", 200},
	"GET /metrics":                        {"/metrics", "", 200},
	"GET /ws":                             {"/ws", "", 426}, // A WebSocket: see the tests of watching.
}

// prepared is a house in which every one of the calls is right.
func prepared() *house {
	h := newHouse()
	h.status.IsRunning, h.status.Status = true, app.SessionRunning
	older := h.config[0]
	older.Version = 0
	h.config = append([]app.Configuration{older}, h.config...)
	h.tokens["hash"] = apiToken("the-token", "read")
	h.logs = append(h.logs, app.LogEntry{ID: "l", Level: "ERROR", Message: "m", Component: "bot", At: h.now})
	h.sessions = append(h.sessions, app.Session{ID: "s", Status: app.SessionStopped, LoginStatus: app.LoginSuccess, StartedAt: h.now})
	return h
}

func TestEveryOperationAnswersAsItIsDescribed(t *testing.T) {
	d := readDocument(t, newHouse().serve(t))
	for _, op := range d.operations() {
		name := op.method + " " + op.path
		t.Run(name, func(t *testing.T) {
			c, ok := calls[name]
			if !ok {
				t.Fatal("there is no right request for it: write one down")
			}
			if c.status == 0 {
				return
			}
			h := prepared()
			if op.path == "/api/bot/start" {
				h.status.IsRunning = false
			}
			w := request(h.serve(t), op.method, c.target, c.body)
			if w.Code != c.status {
				t.Fatalf("answers %d %s, want %d", w.Code, w.Body, c.status)
			}
			d.described(t, op, w)
		})
	}
}

// described holds an answer against what the description says of it.
func (d *document) described(t testing.TB, op *operation, w *httptest.ResponseRecorder) {
	t.Helper()
	name := op.method + " " + op.path
	if w.Header().Get("X-Request-Id") == "" && op.path != "/health" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%s answers without a request id or without the security headers", name)
	}
	r, ok := op.Responses[itoa(w.Code)]
	if !ok {
		t.Errorf("%s answers %d, which is not described: %s", name, w.Code, w.Body)
		return
	}
	if len(r.Content) == 0 {
		return
	}
	contentType, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";")
	media, ok := r.Content[contentType]
	if !ok {
		t.Errorf("%s answers %d with the type %q, which is not described", name, w.Code, contentType)
		return
	}
	if !strings.HasSuffix(contentType, "json") {
		return
	}
	var body any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Errorf("%s answers %d with no JSON: %v", name, w.Code, err)
		return
	}
	if wrong := d.faults(media.Schema, body, "body"); len(wrong) > 0 {
		t.Errorf("%s answers %d with another form than described:\n%s\n%s", name, w.Code, strings.Join(wrong, "\n"), w.Body)
	}
}

// TestTheDescriptionIsWritten writes the description to a file where one is named, for
// tools that look at it: DESCRIPTION=openapi.json go test -run TheDescriptionIsWritten.
func TestTheDescriptionIsWritten(t *testing.T) {
	name := os.Getenv("DESCRIPTION")
	if name == "" {
		name = filepath.Join(t.TempDir(), "openapi.json")
	}
	w := request(newHouse().serve(t), "GET", "/openapi.json", "")
	if err := os.WriteFile(name, w.Body.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}
