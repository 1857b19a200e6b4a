package daemon

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"github.com/atozbot/atozbot/app"
)

// addresses is the policy for addresses that somebody set in the dashboard: none may lead
// to this machine's neighbours' secrets. It is asked with the address that a connection is
// really made to, after the name was resolved.
type addresses struct{ private bool }

// errForbiddenAddress is what a person reads.
func errForbiddenAddress(why string) *app.Error {
	return app.Errorf(app.CodeInvalid, "This address leads to %s, which is not allowed here.", why)
}

// check says why an address may not be asked; nil where it may.
func (a addresses) check(ip netip.Addr) error {
	ip = ip.Unmap()
	switch {
	case !ip.IsValid() || ip.IsUnspecified() || ip.IsMulticast() || ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return errForbiddenAddress("no single machine")
	case ip.IsLinkLocalUnicast() || ip == netip.MustParseAddr("fd00:ec2::254") || ip == netip.MustParseAddr("100.100.100.200"):
		// Where clouds keep their machines' credentials.
		return errForbiddenAddress("a machine's own services")
	case a.private:
		return nil
	case ip.IsLoopback():
		return errForbiddenAddress("this computer")
	case ip.IsPrivate() || inner(ip):
		return errForbiddenAddress("a private network")
	}
	return nil
}

// inner holds for networks that are not on the internet and that the standard library
// does not call private (RFC 6890).
func inner(ip netip.Addr) bool {
	for _, text := range []string{"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15", "240.0.0.0/4", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/23"} {
		if netip.MustParsePrefix(text).Contains(ip) {
			return true
		}
	}
	return false
}

// dial connects where the policy allows it.
func (a addresses) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: func(_, resolved string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(resolved)
		if err != nil {
			return fmt.Errorf("the address %q: %w", resolved, err)
		}
		return a.check(at.Addr())
	}}
	return dialer.DialContext(ctx, network, address)
}

// client is an HTTP client under the policy, for what users set. It follows few
// redirects, each under the policy too, and no proxy stands between.
func (a addresses) client(timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			DialContext: a.dial, TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: timeout,
			MaxIdleConns: 10, IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) >= 5 || r.URL.Scheme != "http" && r.URL.Scheme != "https" {
				return http.ErrUseLastResponse
			}
			return nil
		},
	}
}
