package api

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/danielgtaylor/huma/v2"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/live"
)

const (
	// pingEvery keeps connections alive through proxies, and finds out who is gone.
	pingEvery = 20 * time.Second
	// readLimit is all that a listener may send: it has nothing to say.
	readLimit = 4096
)

func (s *Server) watchRoutes() {
	after := &huma.Param{
		Name: "after", In: "query", Schema: &huma.Schema{Type: "integer", Format: "int64", Minimum: new(float64), Examples: []any{41}},
		Description: "Resume after the event with this id, without a gap.",
	}
	s.plain(operation{
		method: http.MethodGet, path: "/ws", id: "watch-websocket", tag: tagLive, scope: ScopeRead,
		summary: "Events over a WebSocket",
		description: "Each message is {\"type\",\"data\",\"timestamp\",\"id\"}. A status_update comes on connecting and on every change, without an id. " +
			"The ids of the others grow in the order of what happened; what is told while the database is away has none. " +
			"Who is too slow is let go, and resumes with after.",
		errors: []int{http.StatusBadRequest, http.StatusUpgradeRequired, http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}, &huma.Operation{
		Parameters: []*huma.Param{after},
		Responses:  map[string]*huma.Response{"101": {Description: "The WebSocket is open."}},
	}, s.ws)
	s.plain(operation{
		method: http.MethodGet, path: "/api/events", id: "watch-events", tag: tagLive, scope: ScopeRead,
		summary: "Events as a stream (server-sent events)",
		description: "The same as over the WebSocket: id is the event's id, event its type, data the whole envelope. " +
			"It is resumed by the Last-Event-ID header, or by after.",
		errors: []int{http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}, &huma.Operation{
		Parameters: []*huma.Param{after, {
			Name: "Last-Event-ID", In: "header", Schema: &huma.Schema{Type: "string", Examples: []any{"41"}},
			Description: "The id of the last event that was got; browsers send it by themselves.",
		}},
		Responses: map[string]*huma.Response{"200": {
			Description: "The stream.",
			Content: map[string]*huma.MediaType{"text/event-stream": {
				Schema: &huma.Schema{Type: "string", Examples: []any{"id: 41\nevent: job_accepted\ndata: {\"type\":\"job_accepted\",\"data\":{\"job_ref\":\"48213/A\"},\"timestamp\":\"2027-01-31T10:15:02.114Z\",\"id\":41}\n\n"}},
			}},
		}},
	}, s.events)
}

// resumeFrom reads after which event to go on. The header counts before the address: a
// browser that reconnects asks for the same address again, and says in the header how far
// it has come since. A header that is none of ours is left aside, since a browser would
// send it again for ever; a wrong after is refused.
func resumeFrom(r *http.Request) (int64, *problemError) {
	after := live.FromNow
	if given := r.URL.Query().Get("after"); given != "" {
		id, err := strconv.ParseInt(given, 10, 64)
		if err != nil || id < 0 {
			p := newProblem(http.StatusUnprocessableEntity, app.CodeInvalid, "The request has fields that cannot be accepted.")
			p.Errors = []ProblemField{{Message: "expected the id of an event", Location: "query.after"}}
			return 0, p
		}
		after = id
	}
	if id, err := strconv.ParseInt(strings.TrimSpace(r.Header.Get("Last-Event-ID")), 10, 64); err == nil && id >= 0 {
		return id, nil
	}
	return after, nil
}

// listen begins to listen for the sender of r.
func (s *Server) listen(r *http.Request) (*live.Listener, *problemError) {
	after, problem := resumeFrom(r)
	if problem != nil {
		return nil, problem
	}
	l, err := s.o.Watch.Listen(after)
	if err != nil {
		return nil, problemOf(err, "query")
	}
	return l, nil
}

// events streams server-sent events.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	l, problem := s.listen(r)
	if problem != nil {
		writeProblem(w, problem)
		return
	}
	defer l.Close()

	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	stream := &eventStream{w: w, control: http.NewResponseController(w), timeout: s.o.WriteTimeout}
	// The server's deadline for answers would end the stream; each write gets its own.
	if err := stream.write([]byte("retry: 1000\n\n")); err != nil {
		return
	}
	stream.run(r.Context(), l)
}

// ws answers with a WebSocket.
func (s *Server) ws(w http.ResponseWriter, r *http.Request) {
	if problem := upgradeProblem(r); problem != nil {
		if problem.Status == http.StatusUpgradeRequired {
			w.Header().Set("Upgrade", "websocket")
			w.Header().Set("Connection", "Upgrade")
		}
		writeProblem(w, problem)
		return
	}
	// Browsers let any page open a WebSocket, whoever vouches for it.
	if !ownPage(r) {
		writeProblem(w, newProblem(http.StatusForbidden, app.CodeForbidden, "A page of another site sent this."))
		return
	}
	l, problem := s.listen(r)
	if problem != nil {
		writeProblem(w, problem)
		return
	}
	defer l.Close()

	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // Checked above, with a problem for an answer.
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		return // Accept has answered.
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(readLimit)
	ctx, cancel := context.WithCancel(r.Context())
	var reader sync.WaitGroup
	reader.Go(func() {
		defer cancel()
		discard(ctx, conn)
	})
	(&socket{conn: conn, timeout: s.o.WriteTimeout}).run(ctx, l)
	cancel()
	reader.Wait()
}

// discard reads what a listener says, up to the read limit each, and does nothing with
// it: reading is what answers pings and notices the end. The predecessor's page sends
// words of its own.
func discard(ctx context.Context, conn *websocket.Conn) {
	for {
		if _, _, err := conn.Read(ctx); err != nil {
			return
		}
	}
}

// upgradeProblem says what keeps r from becoming a WebSocket; nil where nothing does.
func upgradeProblem(r *http.Request) *problemError {
	if !hasToken(r.Header.Values("Connection"), "upgrade") || !hasToken(r.Header.Values("Upgrade"), "websocket") || r.Method != http.MethodGet {
		return newProblem(http.StatusUpgradeRequired, app.CodeInvalid, "This address speaks WebSocket; /api/events has the same as a plain stream.")
	}
	if r.Header.Get("Sec-WebSocket-Version") != "13" || len(r.Header.Values("Sec-WebSocket-Key")) != 1 || !r.ProtoAtLeast(1, 1) {
		return newProblem(http.StatusBadRequest, app.CodeInvalid, "This is no WebSocket handshake of version 13.")
	}
	return nil
}

func hasToken(values []string, wanted string) bool {
	for _, v := range values {
		for token := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(token), wanted) {
				return true
			}
		}
	}
	return false
}

// sink is where a listener's messages go.
type sink interface {
	send(ctx context.Context, messages []*live.Message) error
	ping(ctx context.Context) error
}

// forward hands messages from l to out until ctx ends, the sink fails, or the hub lets
// the listener go; that error is returned.
func forward(ctx context.Context, l *live.Listener, out sink) error {
	for {
		next, cancel := context.WithTimeout(ctx, pingEvery)
		messages, err := l.Next(next)
		idle := next.Err() != nil && ctx.Err() == nil
		cancel()
		switch {
		case err == nil:
			err = out.send(ctx, messages)
			if late(err) {
				l.TooSlow()
			}
		case idle:
			err = out.ping(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// late says whether err is that something did not leave in time.
func late(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
}

// errTooSlow is the reason that a listener is given, in the words of both transports.
const errTooSlow = "too slow: come back and resume"

type socket struct {
	conn    *websocket.Conn
	timeout time.Duration
}

func (s *socket) run(ctx context.Context, l *live.Listener) {
	err := forward(ctx, l, s)
	switch {
	case errors.Is(err, live.ErrSlow):
		_ = s.conn.Close(websocket.StatusTryAgainLater, errTooSlow)
	case errors.Is(err, live.ErrClosed):
		_ = s.conn.Close(websocket.StatusGoingAway, "the server is stopping")
	}
}

func (s *socket) send(ctx context.Context, messages []*live.Message) error {
	for _, m := range messages {
		if m.Silent {
			continue
		}
		if err := s.sendOne(ctx, m.Envelope); err != nil {
			return err
		}
	}
	return nil
}

func (s *socket) sendOne(ctx context.Context, envelope []byte) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return s.conn.Write(ctx, websocket.MessageText, envelope)
}

func (s *socket) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return s.conn.Ping(ctx)
}
