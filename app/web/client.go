package web

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// proxies are the addresses whose word about the client is believed.
type proxies []netip.Prefix

// Client gives the address of whoever sent a request, past the proxies that are believed;
// the zero address where it cannot be told.
func (s *Site) Client(r *http.Request) netip.Addr { return s.proxies.client(r) }

// Secure tells whether the browser speaks TLS, with this server or with a proxy that is
// believed.
func (s *Site) Secure(r *http.Request) bool { return s.proxies.secure(r) }

// client gives the address of whoever sent the request: the nearest one that is no
// trusted proxy. The zero address where it cannot be told.
func (p proxies) client(r *http.Request) netip.Addr {
	at := remote(r)
	if !p.trust(at) {
		return at
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		text := strings.TrimSpace(hops[i])
		if text == "" {
			continue
		}
		hop, err := netip.ParseAddr(text)
		if err != nil {
			return netip.Addr{}
		}
		at = hop.Unmap()
		if !p.trust(at) {
			return at
		}
	}
	return at
}

// secure tells whether the browser speaks TLS, with this server or with a trusted proxy.
func (p proxies) secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	return p.trust(remote(r)) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

// sameMachine tells whether the request surely comes from this computer: over the
// loopback, not handed on by a proxy that nobody vouched for, and asked of a name of the
// loopback, so that a page elsewhere whose name was pointed here gets nothing. No browser
// speaks HTTP/1.0, and a proxy that says nothing of whom it speaks for mostly does.
func (p proxies) sameMachine(r *http.Request) bool {
	if p.trust(remote(r)) {
		// A believed proxy that does not say whom it speaks for may speak for anybody.
		if r.Header.Get("X-Forwarded-For") == "" {
			return false
		}
	} else if forwarded(r) || !r.ProtoAtLeast(1, 1) {
		return false
	}
	return p.client(r).IsLoopback() && loopbackHost(r.Host)
}

func (p proxies) trust(a netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(a) {
			return true
		}
	}
	return false
}

// forwarded tells whether some proxy handed the request on.
func forwarded(r *http.Request) bool {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via"} {
		if r.Header.Get(name) != "" {
			return true
		}
	}
	return false
}

// loopbackHost tells whether a Host header names this computer itself.
func loopbackHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

func remote(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}
