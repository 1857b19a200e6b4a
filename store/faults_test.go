package store_test

import (
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/store"
	"github.com/atozbot/atozbot/store/storetest"
)

// proxy stands between a store and PostgreSQL, and can fail in the ways of networks.
type proxy struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	cond  *sync.Cond
	hung  bool
	gone  bool
	conns map[net.Conn]struct{}
	work  sync.WaitGroup
}

// newProxy gives a proxy to a fresh schema, and the DSN that goes through it.
func newProxy(t *testing.T) (*proxy, string) {
	t.Helper()
	dsn := storetest.Postgres(t)
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, target: u.Host, conns: make(map[net.Conn]struct{})}
	p.cond = sync.NewCond(&p.mu)
	p.work.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close()
		p.set(false, true)
		p.work.Wait()
	})
	u.Host = l.Addr().String()
	return p, u.String()
}

// pass lets everything through, and what waited since hang.
func (p *proxy) pass() { p.set(false, false) }

// hang keeps connections open and lets nothing through.
func (p *proxy) hang() { p.set(true, false) }

// cut closes every connection, and every new one at once.
func (p *proxy) cut() { p.set(false, true) }

func (p *proxy) set(hung, gone bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hung, p.gone = hung, gone
	if gone {
		for c := range p.conns {
			_ = c.Close()
		}
	}
	p.cond.Broadcast()
}

func (p *proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.work.Go(func() { p.serve(c) })
	}
}

func (p *proxy) serve(client net.Conn) {
	server, err := net.Dial("tcp", p.target)
	if err != nil || !p.add(client, server) {
		_ = client.Close()
		if server != nil {
			_ = server.Close()
		}
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.copy(server, client) })
	both.Go(func() { p.copy(client, server) })
	both.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, client)
	delete(p.conns, server)
}

func (p *proxy) add(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		return false
	}
	for _, c := range conns {
		p.conns[c] = struct{}{}
	}
	return true
}

// copy passes bytes on while the proxy lets them.
func (p *proxy) copy(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && !p.wait() {
			return
		}
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				p.wait() // A hung network does not pass on the end either.
			}
			return
		}
	}
}

// wait holds while the proxy hangs, and tells false once it is cut.
func (p *proxy) wait() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.hung && !p.gone {
		p.cond.Wait()
	}
	return !p.gone
}

func TestNobodyButTheKeeperKnocksWhileTheDatabaseIsAway(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var knocks, told atomic.Int64
	var work sync.WaitGroup
	work.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			knocks.Add(1)
			_ = conn.Close()
		}
	})
	defer work.Wait()
	defer listener.Close()
	away := true
	s, err := store.Open("postgres://u:p@"+listener.Addr().String()+"/d?sslmode=disable", store.Options{
		Away: func() string {
			if away {
				return "connection lost"
			}
			return ""
		},
		OnTrouble: func(error) { told.Add(1) },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()

	_, err = s.ListSessions(t.Context(), store.Window{})
	if e, ok := errors.AsType[*app.Error](err); !ok || e.Code != app.CodeUnavailable || e.RetryAfter <= 0 {
		t.Errorf("a list gives %v, want unavailable with a time to come back", err)
	}
	if err := s.EnsureAccount(t.Context(), time.Now()); app.CodeOf(err) != app.CodeUnavailable {
		t.Errorf("writing gives %v, want unavailable", err)
	}
	if n := knocks.Load(); n != 0 || told.Load() != 0 {
		t.Errorf("%d connections were tried, and the keeper was told %d times what it knows", n, told.Load())
	}
	away = false
	if err := s.Ping(t.Context()); err == nil {
		t.Error("there is no database, and the ping found one")
	}
	if _, err := s.ListSessions(t.Context(), store.Window{}); app.CodeOf(err) != app.CodeUnavailable {
		t.Errorf("a list gives %v, want unavailable", err)
	}
	// The driver knocks once more each time, to cancel what it began.
	if n := knocks.Load(); n < 2 || n > 4 {
		t.Errorf("a ping and a list knocked %d times, want once each", n)
	}
	away = true
	before := knocks.Load()
	if err := s.EnsureAccount(store.Keeping(t.Context()), time.Now()); app.CodeOf(err) != app.CodeUnavailable {
		t.Errorf("the keeper's writing gives %v, want unavailable", err)
	}
	if knocks.Load() == before {
		t.Error("the keeper did not try")
	}
}
