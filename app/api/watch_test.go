package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/api"
	"github.com/atozbot/atozbot/app/live"
)

// open serves h over the network, as browsers reach it, with the deadlines of a server
// that streams must outlive.
func open(t *testing.T, h *house) (*httptest.Server, *live.Hub) {
	t.Helper()
	hub := h.hub(t)
	server := httptest.NewUnstartedServer(api.New(h.options(hub)))
	server.Config.WriteTimeout = 300 * time.Millisecond
	server.Start()
	t.Cleanup(server.Close)
	return server, hub
}

// commit stores an event and tells the hub.
func (h *house) commit(hub *live.Hub, kind string) {
	h.mu.Lock()
	h.events = append(h.events, app.Event{
		ID: int64(len(h.events) + 1), Key: strconv.Itoa(len(h.events)), Type: kind, At: h.now, Data: json.RawMessage(`{"job_ref":"48213/A"}`),
	})
	h.mu.Unlock()
	hub.Committed()
}

// envelope is what listeners get.
type envelope struct {
	Type      string
	Data      map[string]any
	Timestamp time.Time
	ID        *int64
}

// dial opens a WebSocket and gives a function that reads the next envelope.
func dial(t *testing.T, server *httptest.Server, query string, headers ...string) func() envelope {
	t.Helper()
	header := http.Header{"Authorization": {"Bearer " + environmentToken}}
	for i := 0; i+1 < len(headers); i += 2 {
		header.Set(headers[i], headers[i+1])
	}
	conn, _, err := websocket.Dial(t.Context(), server.URL+"/ws"+query, &websocket.DialOptions{HTTPHeader: header}) //nolint:bodyclose // The library says that nobody needs to close it.
	if err != nil {
		t.Fatal(err)
	}
	conn.SetReadLimit(1 << 20)
	t.Cleanup(func() { _ = conn.CloseNow() })
	return func() envelope {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, b, err := conn.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var e envelope
		if err := json.Unmarshal(b, &e); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		return e
	}
}

func TestAWebSocketTellsWhatHappensAndResumes(t *testing.T) {
	h := newHouse()
	server, hub := open(t, h)
	next := dial(t, server, "")
	first := next()
	if first.Type != "status_update" || first.ID != nil || first.Data["bot_status"] == nil || first.Timestamp.IsZero() {
		t.Errorf("the first message is %+v, want a snapshot without an id", first)
	}
	h.commit(hub, app.EventJobAccepted)
	if e := next(); e.Type != app.EventJobAccepted || e.ID == nil || *e.ID != 1 || e.Data["job_ref"] != "48213/A" {
		t.Errorf("got %+v, want the acceptance", e)
	}
	h.commit(hub, app.EventJobLost)
	h.commit(hub, app.EventBotStopped)
	resumed := dial(t, server, "?after=1")
	resumed()
	if e := resumed(); *e.ID != 2 {
		t.Errorf("resuming after 1 gives %+v", e)
	}
	if e := resumed(); *e.ID != 3 {
		t.Errorf("and then %+v", e)
	}
}

func TestAWebSocketOfAnotherSiteIsRefused(t *testing.T) {
	h := newHouse()
	h.cookies["good"] = api.Identity{Kind: api.KindUser, Name: "admin", Scope: api.ScopeAdmin}
	server, _ := open(t, h)
	cookie, bearer := []string{"Cookie", "atozbot_session=good"}, []string{"Authorization", "Bearer " + environmentToken}
	for _, c := range []struct {
		who          []string
		origin, site string
		status       int
	}{
		{cookie, server.URL, "", 101},
		{cookie, server.URL, "same-origin", 101},
		{cookie, "https://behind.a.proxy.example", "same-origin", 101},
		{cookie, "https://evil.example", "", 403},
		{cookie, "https://evil.example", "cross-site", 403},
		{cookie, "null", "", 403},
		{bearer, "", "", 101},
		{bearer, server.URL, "", 101},
		{bearer, "https://evil.example", "", 403},
	} {
		header := http.Header{c.who[0]: {c.who[1]}}
		if c.origin != "" {
			header.Set("Origin", c.origin)
		}
		if c.site != "" {
			header.Set("Sec-Fetch-Site", c.site)
		}
		conn, answer, err := websocket.Dial(t.Context(), server.URL+"/ws", &websocket.DialOptions{HTTPHeader: header}) //nolint:bodyclose // The library says that nobody needs to close it.
		if err == nil {
			_ = conn.CloseNow()
		}
		if answer == nil || answer.StatusCode != c.status {
			t.Errorf("%+v: %v %v, want %d", c, answer, err, c.status)
		}
	}
}

func TestAListenerMayTalkButNotTooMuch(t *testing.T) {
	h := newHouse()
	server, hub := open(t, h)
	conn, _, err := websocket.Dial(t.Context(), server.URL+"/ws", &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + environmentToken}}}) //nolint:bodyclose // The library says that nobody needs to close it.
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	if err := conn.Write(t.Context(), websocket.MessageText, []byte("ping")); err != nil {
		t.Fatal(err)
	}
	h.commit(hub, app.EventJobSeen)
	for range 2 {
		if _, _, err := conn.Read(t.Context()); err != nil {
			t.Fatalf("after a word of its own the listener gets %v", err)
		}
	}
	_ = conn.Write(t.Context(), websocket.MessageText, make([]byte, 100_000))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for err == nil {
		_, _, err = conn.Read(ctx)
	}
	if websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
		t.Errorf("a flood ends with %v, want too big", err)
	}
}

// stream reads server-sent events as a browser does.
type stream struct {
	t      *testing.T
	lines  *bufio.Scanner
	lastID string
}

func follow(t *testing.T, server *httptest.Server, query, lastID string) *stream {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/api/events"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+environmentToken)
	if lastID != "" {
		r.Header.Set("Last-Event-ID", lastID)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = answer.Body.Close() })
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("the stream answers %d %s", answer.StatusCode, answer.Header.Get("Content-Type"))
	}
	return &stream{t: t, lines: bufio.NewScanner(answer.Body)}
}

// next gives the next event's name and envelope.
func (s *stream) next() (name string, e envelope) {
	s.t.Helper()
	data := ""
	for s.lines.Scan() {
		field, value, _ := strings.Cut(s.lines.Text(), ": ")
		switch field {
		case "id":
			s.lastID = value
		case "event":
			name = value
		case "data":
			data = value
		case "":
			if data == "" {
				continue
			}
			if err := json.Unmarshal([]byte(data), &e); err != nil {
				s.t.Fatalf("%s: %v", data, err)
			}
			return name, e
		}
	}
	s.t.Fatalf("the stream ended: %v", s.lines.Err())
	return "", e
}

func TestAStreamTellsWhatHappensAndResumes(t *testing.T) {
	h := newHouse()
	server, hub := open(t, h)
	s := follow(t, server, "", "")
	if name, e := s.next(); name != "status_update" || e.ID != nil || s.lastID != "" {
		t.Errorf("the first event is %s %+v %q", name, e, s.lastID)
	}
	h.commit(hub, app.EventJobAccepted)
	if name, e := s.next(); name != "job_accepted" || e.Type != "job_accepted" || *e.ID != 1 || s.lastID != "1" {
		t.Errorf("got %s %+v", name, e)
	}
	h.commit(hub, app.EventJobLost)
	for _, resumed := range []*stream{follow(t, server, "", "1"), follow(t, server, "?after=1", ""), follow(t, server, "?after=0", "1")} {
		resumed.next()
		if _, e := resumed.next(); *e.ID != 2 {
			t.Errorf("resuming gives %+v", e)
		}
	}
	if garbage := follow(t, server, "", "not-an-id"); garbage != nil {
		garbage.next()
	}
}

func TestAStreamOutlivesTheServersDeadline(t *testing.T) {
	h := newHouse()
	server, hub := open(t, h)
	s := follow(t, server, "", "")
	next := dial(t, server, "")
	s.next()
	next()
	for range 4 { // The server's own deadline is less than a third of this.
		timer := time.NewTimer(200 * time.Millisecond)
		<-timer.C
		h.commit(hub, app.EventJobSeen)
		s.next()
		next()
	}
}

func TestASlowListenerOnTheNetworkIsLetGo(t *testing.T) {
	h := newHouse()
	hub := h.hub(t)
	o := h.options(hub)
	o.WriteTimeout = 100 * time.Millisecond
	server := httptest.NewServer(api.New(o))
	t.Cleanup(server.Close)
	follow(t, server, "", "").next()
	dial(t, server, "")()
	big := json.RawMessage(`{"text":"` + strings.Repeat("x", 100_000) + `"}`)
	h.mu.Lock()
	for range 400 { // Nobody reads: the sockets fill.
		h.events = append(h.events, app.Event{ID: int64(len(h.events) + 1), Type: app.EventJobSeen, At: h.now, Data: big})
	}
	h.mu.Unlock()
	hub.Committed()
	for tries := 0; hub.Dropped() < 2; tries++ {
		timer := time.NewTimer(20 * time.Millisecond)
		<-timer.C
		if tries > 1000 {
			t.Fatalf("%d were let go, want both", hub.Dropped())
		}
	}
	last := int64(len(h.events))
	fast := dial(t, server, "?after="+strconv.FormatInt(last-1, 10))
	fast()
	if e := fast(); *e.ID != last {
		t.Errorf("who comes back gets %+v", e)
	}
}
