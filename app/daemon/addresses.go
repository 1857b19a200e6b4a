package daemon

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"github.com/atozbot/atozbot/app"
)

// addresses is the policy for addresses that somebody set in the dashboard: none may lead
// to this machine's neighbours' secrets. It is asked with the address that a connection is
// really made to, after the name was resolved: a name that leads elsewhere the second time
// it is asked for, or an address in an unusual form, gains nothing.
type addresses struct{ private bool }

// errForbiddenAddress is what a person reads.
func errForbiddenAddress(why string) *app.Error {
	return app.Errorf(app.CodeInvalid, "This address leads to %s, which is not allowed here.", why)
}

// check says why an address may not be asked; nil where it may. An address that only
// wraps another one, as translators between IPv4 and IPv6 have them, is judged by both.
func (a addresses) check(ip netip.Addr) error {
	ip = ip.Unmap().WithZone("")
	if inside, ok := wrapped(ip); ok {
		if err := a.check(inside); err != nil {
			return err
		}
	}
	switch {
	case !ip.IsValid() || ip.IsUnspecified() || ip.IsMulticast() || ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return errForbiddenAddress("no single machine")
	case ip.IsLinkLocalUnicast() || in(ip, keptByClouds()):
		return errForbiddenAddress("a machine's own services")
	case a.private:
		return nil
	case ip.IsLoopback():
		return errForbiddenAddress("this computer")
	case ip.IsPrivate() || in(ip, notOnTheInternet()):
		return errForbiddenAddress("a private network")
	}
	return nil
}

func in(ip netip.Addr, networks []string) bool {
	return slices.ContainsFunc(networks, func(text string) bool { return netip.MustParsePrefix(text).Contains(ip) })
}

// keptByClouds are the addresses, beside the link-local ones, at which clouds keep their
// machines' credentials: of Amazon, Google, Azure, Oracle and Alibaba.
func keptByClouds() []string {
	return []string{"fd00:ec2::/32", "fd20:ce::254/128", "168.63.129.16/32", "192.0.0.192/32", "100.100.100.200/32"}
}

// notOnTheInternet are the networks that the standard library does not call private and
// that are none the less not to be reached from everywhere (RFC 6890).
func notOnTheInternet() []string {
	return []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15", "240.0.0.0/4",
		"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2002::/16", "fec0::/10",
	}
}

// wrapped gives the IPv4 address inside an IPv6 one: compatible (RFC 4291), translated
// (RFC 2765, 6052, 8215), 6to4 (RFC 3056) or Teredo (RFC 4380).
func wrapped(ip netip.Addr) (netip.Addr, bool) {
	if !ip.Is6() || ip == netip.IPv6Unspecified() || ip == netip.IPv6Loopback() {
		return netip.Addr{}, false
	}
	b := ip.As16()
	switch {
	case in(ip, []string{"::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48"}):
		return netip.AddrFrom4([4]byte(b[12:16])), true
	case in(ip, []string{"2002::/16"}):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	case in(ip, []string{"2001::/32"}):
		return netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]}), true
	}
	return netip.Addr{}, false
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
			r.Header.Del("Referer") // It would hand the secret in a calendar's address on.
			return nil
		},
	}
}
