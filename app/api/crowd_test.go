package api_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/api"
)

// pipes is a network inside the process, so that thousands of connections ask for no
// file descriptors.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }

// dial is for [http.Transport].
func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// crowd is everyone who listens in [TestTwoThousandListenToOneServer].
type crowd struct {
	client *http.Client
	events int64
	there  sync.WaitGroup // Until everyone has the snapshot.
}

// hear takes the ids in order until the last one came. next gives the envelopes.
func (c *crowd) hear(next func() ([]byte, error)) error {
	first := sync.OnceFunc(c.there.Done)
	defer first()
	for got := int64(0); got < c.events; {
		message, err := next()
		if err != nil {
			return fmt.Errorf("after %d: %w", got, err)
		}
		first()
		var e envelope
		switch err := json.Unmarshal(message, &e); {
		case err != nil:
			return err
		case e.ID == nil:
		case *e.ID != got+1:
			return fmt.Errorf("got %d after %d", *e.ID, got)
		default:
			got++
		}
	}
	return nil
}

// byWebSocket listens at /ws.
func (c *crowd) byWebSocket(ctx context.Context) error {
	conn, _, err := websocket.Dial(ctx, "http://server/ws", &websocket.DialOptions{ //nolint:bodyclose // The library says that nobody needs to close it.
		HTTPClient: c.client, HTTPHeader: http.Header{"Authorization": {"Bearer " + environmentToken}},
	})
	if err != nil {
		c.there.Done()
		return err
	}
	defer func() { _ = conn.CloseNow() }()
	return c.hear(func() ([]byte, error) {
		_, message, err := conn.Read(ctx)
		return message, err
	})
}

// byStream listens at /api/events.
func (c *crowd) byStream(ctx context.Context) error {
	answer, err := c.ask(ctx)
	if err != nil {
		c.there.Done()
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	lines := bufio.NewScanner(answer.Body)
	return c.hear(func() ([]byte, error) {
		for lines.Scan() {
			if data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: ")); ok {
				return data, nil
			}
		}
		return nil, errors.Join(lines.Err(), errors.New("the stream ended"))
	})
}

func (c *crowd) ask(ctx context.Context) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://server/api/events", nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+environmentToken)
	answer, err := c.client.Do(r)
	if err == nil && answer.StatusCode != http.StatusOK {
		_ = answer.Body.Close()
		err = errors.New(answer.Status)
	}
	return answer, err
}

func TestTwoThousandListenToOneServer(t *testing.T) {
	const listeners, events = 2000, 20
	h := newHouse()
	hub := h.hub(t)
	network := newPipes()
	server := &http.Server{Handler: api.New(h.options(hub)), ReadHeaderTimeout: time.Minute}
	var running sync.WaitGroup
	running.Go(func() { _ = server.Serve(network) })
	defer running.Wait()
	defer func() { _ = server.Close() }()

	c := &crowd{client: &http.Client{Transport: &http.Transport{DialContext: network.dial}}, events: events}
	c.there.Add(listeners)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	wrong := make([]error, listeners)
	var everyone sync.WaitGroup
	for i := range listeners {
		everyone.Go(func() {
			if i%2 == 0 {
				wrong[i] = c.byWebSocket(ctx)
			} else {
				wrong[i] = c.byStream(ctx)
			}
		})
	}
	c.there.Wait()
	if n := hub.Listeners(); n != listeners {
		t.Errorf("%d listen, want %d", n, listeners)
	}
	for range events {
		h.commit(hub, app.EventJobAccepted)
	}
	everyone.Wait()
	if i := slices.IndexFunc(wrong, func(err error) bool { return err != nil }); i >= 0 {
		t.Errorf("listener %d: %v", i, wrong[i])
	}
	if n := hub.Dropped(); n != 0 {
		t.Errorf("%d were let go as too slow", n)
	}
}
