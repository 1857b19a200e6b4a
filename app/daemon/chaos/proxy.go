package chaos

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// Mode is what the proxy does with a connection.
type Mode string

// The modes.
const (
	ModePass      Mode = "pass"
	ModeRefuse    Mode = "refuse"     // Nothing listens, and connections that stood are reset.
	ModeBlackhole Mode = "black hole" // Connections are taken, and nothing comes through.
	ModeSlow      Mode = "slow"       // Each packet is late by SlowBy.
	ModeReset     Mode = "reset"      // Every connection is reset with its next packet.
)

// SlowBy is how late a packet comes in ModeSlow.
const SlowBy = 2 * time.Second

// Proxy stands between the program and a server, on a loopback address that stays the
// same while the mode changes.
type Proxy struct {
	address string
	target  string

	mu       sync.Mutex
	mode     Mode
	changed  chan struct{} // Closed, and made anew, when the mode changes.
	listener net.Listener
	open     map[net.Conn]struct{}
	wait     sync.WaitGroup
	closed   bool
}

// NewProxy listens on a free loopback port and passes everything to target ("host:port").
func NewProxy(target string) (*Proxy, error) {
	p := &Proxy{target: target, mode: ModePass, changed: make(chan struct{}), open: map[net.Conn]struct{}{}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p.address = listener.Addr().String()
	p.serve(listener)
	return p, nil
}

// Address is where the proxy listens, "127.0.0.1:port".
func (p *Proxy) Address() string { return p.address }

// Set changes the mode, for connections that stand and for those to come.
func (p *Proxy) Set(mode Mode) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode = mode
	close(p.changed)
	p.changed = make(chan struct{})
	if mode == ModeRefuse {
		if p.listener != nil {
			_ = p.listener.Close()
			p.listener = nil
		}
		for conn := range p.open {
			reset(conn)
		}
		return nil
	}
	if p.listener != nil || p.closed {
		return nil
	}
	listener, err := net.Listen("tcp", p.address)
	if err != nil {
		return err
	}
	p.serve(listener)
	return nil
}

// Redirect passes connections to come to another server.
func (p *Proxy) Redirect(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
	for conn := range p.open {
		reset(conn)
	}
}

// Close ends the proxy and every connection, and waits for them.
func (p *Proxy) Close() {
	p.mu.Lock()
	p.closed = true
	if p.listener != nil {
		_ = p.listener.Close()
		p.listener = nil
	}
	for conn := range p.open {
		reset(conn)
	}
	close(p.changed)
	p.changed = make(chan struct{})
	p.mu.Unlock()
	p.wait.Wait()
}

// serve takes connections from listener; p.mu is held or p is not shared yet.
func (p *Proxy) serve(listener net.Listener) {
	p.listener = listener
	p.wait.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			p.wait.Go(func() { p.carry(conn) })
		}
	})
}

// carry passes one connection in both directions until either end is done.
func (p *Proxy) carry(client net.Conn) {
	if !p.track(client) {
		return
	}
	defer p.untrack(client)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	server, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", target)
	if err != nil {
		reset(client)
		return
	}
	if !p.track(server) {
		return
	}
	defer p.untrack(server)
	var both sync.WaitGroup
	both.Go(func() { p.pump(server, client) })
	both.Go(func() { p.pump(client, server) })
	both.Wait()
}

// pump copies from one end to the other, a read a packet, as the mode has it.
func (p *Proxy) pump(to, from net.Conn) {
	defer reset(to)
	defer reset(from)
	packet := make([]byte, 32<<10)
	for {
		n, err := from.Read(packet)
		if n > 0 && !p.forward(to, packet[:n]) {
			return
		}
		if err != nil {
			return
		}
	}
}

// forward writes one packet, now, late or never; false ends the connection.
func (p *Proxy) forward(to net.Conn, packet []byte) bool {
	for {
		p.mu.Lock()
		mode, changed, closed := p.mode, p.changed, p.closed
		p.mu.Unlock()
		if closed {
			return false
		}
		switch mode {
		case ModePass:
			_, err := to.Write(packet)
			return err == nil
		case ModeSlow:
			timer := time.NewTimer(SlowBy)
			select {
			case <-timer.C:
				_, err := to.Write(packet)
				return err == nil
			case <-changed:
				timer.Stop()
			}
		case ModeBlackhole:
			<-changed // What came in the hole is delivered when it opens, as TCP would.
		case ModeReset, ModeRefuse:
			return false
		}
	}
}

func (p *Proxy) track(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.mode == ModeRefuse {
		reset(conn)
		return false
	}
	p.open[conn] = struct{}{}
	return true
}

func (p *Proxy) untrack(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, conn)
	_ = conn.Close()
}

// reset ends a connection with RST instead of FIN.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	if err := conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return // Nothing can be done about a connection that does not close.
	}
}
