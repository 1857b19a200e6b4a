package practice_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atozbot/atozbot/app/portal/practice"
)

// send sends JSON to the back door, and gives the status and the answer.
func send(t *testing.T, b *browser, method, path, body string, header ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, b.base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := b.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func TestTheBackDoorAddsJobsAndFaultsAndTellsTheTruth(t *testing.T) {
	p := practice.New(practice.Scenario{}, practice.Options{})
	b := serveHandler(t, p.Handler())
	b.logIn()

	status, answer := send(t, b, http.MethodPost, "/practice/jobs", `{"number":7,"language":"Urdu","rival_after":"1h","starts_in":"50h"}`)
	if status != http.StatusOK || !strings.Contains(answer, `"number": 7`) {
		t.Fatalf("%d %s", status, answer)
	}
	if got := cells(b.get("/interpreter-jobs").rows())[5]; got != "Urdu" {
		t.Errorf("the board says %q", got)
	}
	if status, _ := send(t, b, http.MethodPost, "/practice/fault", `{"kind":"error","page":"board","count":1,"until":"1h"}`); status != http.StatusOK {
		t.Errorf("the fault was answered with %d", status)
	}
	if got := b.get("/interpreter-jobs").status; got != http.StatusInternalServerError {
		t.Errorf("the board answers %d", got)
	}
	if _, answer := send(t, b, http.MethodGet, "/practice/fault", ""); !strings.Contains(answer, `"hits": 1`) || !strings.Contains(answer, `"until": "1h0m0s"`) {
		t.Errorf("the faults are %s", answer)
	}
	if _, answer := send(t, b, http.MethodPost, "/practice/jobs/7/take", ""); !strings.Contains(answer, "true") {
		t.Errorf("the rival got %s", answer)
	}
	if _, answer := send(t, b, http.MethodPost, "/practice/jobs/7/withdraw", ""); !strings.Contains(answer, "true") {
		t.Errorf("the withdrawal got %s", answer)
	}
	var truth struct {
		Counts practice.Counts
		Jobs   []struct {
			Number     int64
			State      string
			RivalAfter string `json:"rival_after"`
		}
	}
	_, answer = send(t, b, http.MethodGet, "/practice/truth.json?state=withdrawn&number=7", "")
	if err := json.Unmarshal([]byte(answer), &truth); err != nil {
		t.Fatal(err)
	}
	if len(truth.Jobs) != 1 || truth.Jobs[0].State != "withdrawn" || truth.Jobs[0].RivalAfter != "1h0m0s" || truth.Counts.Withdrawn != 1 {
		t.Errorf("the truth is %s", answer)
	}
	if _, answer := send(t, b, http.MethodGet, "/practice/counts.json", ""); !strings.Contains(answer, `"listed": 1`) {
		t.Errorf("the counts are %s", answer)
	}
	if status, _ := send(t, b, http.MethodDelete, "/practice/fault?name=error", ""); status != http.StatusOK || len(p.Truth().Faults) != 0 {
		t.Error("the fault was not cleared")
	}
	send(t, b, http.MethodPost, "/practice/sessions/end", "")
	if got := b.get("/dashboard").path; got != "/login" {
		t.Errorf("the session goes on, at %s", got)
	}
}

func TestTheBackDoorNamesMistakes(t *testing.T) {
	p := practice.New(oneJob(), practice.Options{})
	b := serveHandler(t, p.Handler())
	for _, c := range []struct{ path, body, says string }{
		{"/practice/jobs", `{"colour":"blue"}`, "colour"},
		{"/practice/jobs", `{"rival_after":"soon"}`, "rival_after"},
		{"/practice/jobs", `{"clock":"25:00"}`, "clock"},
		{"/practice/jobs", `{"number":7}`, "already"},
		{"/practice/jobs", `{} {}`, "after the end"},
		{"/practice/jobs", `{`, "EOF"},
		{"/practice/fault", `{"kind":"flood"}`, "flood"},
		{"/practice/jobs/x/take", "", "number"},
	} {
		if status, answer := send(t, b, http.MethodPost, c.path, c.body); status != http.StatusUnprocessableEntity || !strings.Contains(answer, c.says) {
			t.Errorf("%s %s: %d %s", c.path, c.body, status, answer)
		}
	}
	if status, _ := send(t, b, http.MethodPost, "/practice/jobs", "", "Sec-Fetch-Site", "cross-site"); status != http.StatusForbidden {
		t.Errorf("another site's request is answered with %d", status)
	}
}

func TestTheIndexPageCanBeUsedByHand(t *testing.T) {
	p := practice.New(practice.Scenario{}, practice.Options{})
	b := serveHandler(t, p.Handler())
	index := b.get("/")
	for _, says := range []string{practice.DefaultEmail, practice.DefaultPassword, "/practice/truth.json", "reset_after"} {
		if !strings.Contains(index.body, says) {
			t.Errorf("the index page does not say %s", says)
		}
	}
	after := b.submit(index, "form[action='/practice/jobs']")
	if after.path != "/practice/" || p.Counts().Listed != 1 {
		t.Errorf("adding a job led to %s", after.path)
	}
	faults := b.post("/practice/fault", url.Values{"kind": {"error"}, "page": {"board"}, "count": {"2"}, "seconds": {"60"}})
	if !strings.Contains(faults.Find("table").Last().Text(), "error") {
		t.Errorf("the fault is not shown:\n%s", faults.body)
	}
	b.submitFields(faults, "form[action='/practice/fault/clear']", url.Values{})
	if len(p.Truth().Faults) != 0 {
		t.Error("the fault was not cleared")
	}
	for _, wrong := range []url.Values{{"kind": {"error"}, "count": {"x"}}, {"kind": {"error"}, "seconds": {"x"}}} {
		if got := b.post("/practice/fault", wrong).status; got != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d", wrong, got)
		}
	}
	for _, wrong := range []url.Values{{"minutes": {"x"}}, {"starts_in": {"soon"}}} {
		if got := b.post("/practice/jobs", wrong).status; got != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d", wrong, got)
		}
	}
}

func TestAScenarioIsReadFromJSON(t *testing.T) {
	got, err := practice.Load(strings.NewReader(`{
		"name": "two jobs", "seed": 5,
		"jobs": [{"at": "1.5s", "type": "-", "written": {"date": "tbc"}}, {"number": 8, "day": 3, "clock": "14:30", "rival_after": "2s"}],
		"rivals": {"share": 0.5, "after": "4s", "jitter": "1s"},
		"latency": {"": {"mean": "20ms"}, "board": {"mean": "1s", "jitter": "5ms"}},
		"faults": [{"kind": "hang", "page": "accept", "delay": "3s", "probability": 0.1}],
		"stream": {"every": "4s", "mix": {"telephone": 1}},
		"session": {"for": "10m"}, "guests": {"per_second": 5}, "board": {"page_size": 25, "keep_taken": "3s"}, "look": {"messy": true}
	}`))
	if err != nil {
		t.Fatal(err)
	}
	want := practice.Scenario{
		Name: "two jobs", Seed: 5,
		Jobs: []practice.Job{
			{At: 1500 * time.Millisecond, Type: practice.NoType, Written: practice.Written{Date: "tbc"}},
			{Number: 8, Day: 3, Clock: "14:30", RivalAfter: 2 * time.Second},
		},
		Rivals: practice.Rivals{Share: 0.5, After: 4 * time.Second, Jitter: time.Second},
		Latency: map[practice.Page]practice.Latency{
			practice.PageAny: {Mean: 20 * time.Millisecond}, practice.PageBoard: {Mean: time.Second, Jitter: 5 * time.Millisecond},
		},
		Faults:  []practice.Fault{{Kind: practice.FaultHang, Page: practice.PageAccept, Delay: 3 * time.Second, Probability: 0.1}},
		Stream:  &practice.Stream{Every: 4 * time.Second, Mix: practice.Mix{practice.KindTelephone: 1}},
		Session: practice.SessionRules{For: 10 * time.Minute}, Guests: practice.GuestRules{PerSecond: 5},
		Board: practice.BoardRules{PageSize: 25, KeepTaken: 3 * time.Second}, Look: practice.Look{Messy: true},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestAScenarioThatCannotBeIsNamed(t *testing.T) {
	for body, says := range map[string]string{
		`{"jobs":[{"number":1},{"number":1}]}`: "another",
		`{"jobs":[{"number":-1}]}`:             "below 0",
		`{"time_zone":"Nowhere/Land"}`:         "time_zone",
		`{"board":{"path":"jobs"}}`:            "path",
		`{"rivals":{"share":2}}`:               "share",
		`{"faults":[{"kind":"x"}]}`:            "faults[0]",
		`{"stream":{"every":"0s"}}`:            "stream",
		`{"session":{"for":"long"}}`:           "session: for",
		`{"prefix":"x"}`:                       "prefix",
		`[]`:                                   "Scenario",
	} {
		if _, err := practice.Load(strings.NewReader(body)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestServingTellsWhereItIsAndEndsInOrder(t *testing.T) {
	lines := make(chan string, 100)
	log := slog.New(slog.NewTextHandler(lineWriter(lines), nil))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- practice.Serve(ctx, "127.0.0.1:0", practice.Demo(time.Now()), log) }()

	first := <-lines
	_, address, _ := strings.Cut(first, "The practice portal is at ")
	address, _, _ = strings.Cut(address, ",")
	b := newBrowser(t, address)
	if b.logIn().path != "/dashboard" || b.get("/interpreter-jobs").rows().Length() < 3 || b.get("/practice/").status != http.StatusOK {
		t.Errorf("the portal does not work at %s", address)
	}
	if said := first + <-lines + <-lines; !strings.Contains(said, practice.DefaultPassword) || !strings.Contains(said, "/practice/") {
		t.Errorf("the log says %s", said)
	}
	// A request that hangs does not hold up the end.
	send(t, b, http.MethodPost, "/practice/fault", `{"kind":"hang","page":"board"}`)
	hanging := make(chan error, 1)
	go func() {
		_, err := b.try(http.MethodGet, "/interpreter-jobs", nil)
		hanging <- err
	}()
	for strings.Contains(<-lines, "fault=hang") == false {
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := <-hanging; err == nil {
		t.Error("the hanging request was answered")
	}
}

func TestServingWhereItCannotBeSaysWhy(t *testing.T) {
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	log := slog.New(slog.DiscardHandler)
	if err := practice.Serve(t.Context(), taken.Addr().String(), practice.Scenario{}, log); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("the address is taken, and the error is %v", err)
	}
	if err := practice.Serve(t.Context(), "127.0.0.1:0", practice.Scenario{TimeZone: "x"}, log); err == nil {
		t.Error("a scenario that cannot be was served")
	}
	p := practice.New(practice.Scenario{}, practice.Options{})
	taken.Close()
	if err := p.ServeOn(t.Context(), taken, p); err == nil {
		t.Error("a closed listener was served")
	}
}

// lineWriter gives each line that is written to a channel.
func lineWriter(lines chan<- string) io.Writer { return &splitter{lines: lines} }

type splitter struct {
	mu    sync.Mutex
	lines chan<- string
}

func (s *splitter) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.lines <- string(b):
	default: // Nobody reads so many.
	}
	return len(b), nil
}
