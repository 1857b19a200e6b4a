package practice

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Serve puts a scenario on the network at addr ("127.0.0.1:8900"; port 0 picks a free
// one) with its back door, and tells in the log where it is, who may log in and what
// can be tried. It returns when ctx is done and everything has ended: nil for an
// orderly end, or why it could not be served.
func Serve(ctx context.Context, addr string, s Scenario, log *slog.Logger) error {
	if err := s.Validate(); err != nil {
		return fmt.Errorf("scenario: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", addr, err)
	}
	p := New(s, Options{Log: log})
	address := "http://" + listener.Addr().String()
	log.Info("The practice portal is at " + address + p.scenario.Prefix + ", its board at " + address + p.scenario.Prefix + p.scenario.Board.Path + ".")
	for _, a := range p.scenario.Accounts {
		log.Info("Log in as " + a.Email + " with the password " + a.Password + ". It is no secret: nothing here is real.")
	}
	log.Info("See what really went on, add jobs and make things go wrong at " + address + "/practice/.")
	return p.ServeOn(ctx, listener, p.Handler())
}

// ServeOn serves a handler of the portal (itself, or [Portal.Handler]) on the listener,
// and lets the portal's time pass, until ctx is done. Then it closes the listener, lets
// go of what hangs, and waits for the rest.
func (p *Portal) ServeOn(ctx context.Context, listener net.Listener, h http.Handler) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(p.log.Handler(), slog.LevelDebug)}
	life, end := context.WithCancel(ctx)
	defer end()
	passing := make(chan error, 1)
	go func() { passing <- p.Start(life) }()
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	var failed error
	select {
	case <-ctx.Done():
	case failed = <-served:
		served <- nil
	}
	end()
	_ = <-passing
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if server.Shutdown(grace) != nil {
		_ = server.Close()
	}
	_ = <-served
	if failed != nil && !errors.Is(failed, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", failed)
	}
	return nil
}
