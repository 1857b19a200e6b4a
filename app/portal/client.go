package portal

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/publicsuffix"

	"github.com/atozbot/atozbot/app"
)

// Options says which portal is spoken with, and how. The names in the comments are those
// of the settings, by which mistakes are reported.
type Options struct {
	BaseURL   string         // ATOZ_BASE_URL; may end in a path.
	JobsPath  string         // ATOZ_INTERPRETER_JOBS_PATH; "" for the profile's.
	Username  string         // ATOZ_USERNAME.
	Password  string         // ATOZ_PASSWORD.
	Profile   *Profile       // PORTAL_PROFILE; nil for the built-in one.
	UserAgent string         // PORTAL_USER_AGENT; "" for "atozbot".
	Timeout   time.Duration  // PORTAL_TIMEOUT, of each request with its body; 0 for 5 s.
	Zone      *time.Location // The portal's time zone; nil for UTC. See SetZone.

	Now func() time.Time // nil for time.Now.
	// Dial makes connections, so that a policy of addresses can stand in between; nil
	// for the ordinary way.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// RootCAs are the authorities that may sign the portal's certificate; nil for the
	// machine's.
	RootCAs *x509.CertPool
	// LargestPage is the most bytes of one page, after decompression; 0 for 8 MiB.
	LargestPage int64
}

const (
	ordinaryTimeout  = 5 * time.Second
	ordinaryPageSize = 8 << 20
)

// Client speaks with the portal as one account. It may be used by several goroutines;
// that the account makes one request at a time is its caller's care.
type Client struct {
	profile            *Profile
	username, password string
	basic              *url.Userinfo // As it stood in the base URL; for a portal behind a door of its own.
	userAgent          string
	timeout            time.Duration
	largest            int64
	now                func() time.Time
	http               *http.Client
	transport          *http.Transport
	jobsPath           string

	site     atomic.Pointer[site]
	zone     atomic.Pointer[time.Location]
	builders sync.Pool

	looking sync.Mutex // Held through a look.
	last    lastLook   // Of the look before, so that an unchanged board is recognised.

	// What the newest pages showed, so that an answer to an act can be told from what
	// stands on every page.
	boardSeen   atomic.Pointer[seenPage]
	detailsSeen atomic.Pointer[marks]
}

// New makes a client. It asks nothing of the portal. The error is an [app.Error] with
// CodeInvalid whose Fields name every setting that is wrong.
func New(o Options) (*Client, error) {
	wrong := make(map[string]string)
	base := checkBase(o.BaseURL, wrong)
	if o.JobsPath != "" {
		if err := checkPath(o.JobsPath); err != nil {
			wrong["ATOZ_INTERPRETER_JOBS_PATH"] = err.Error()
		}
	}
	if o.Timeout < 0 {
		wrong["PORTAL_TIMEOUT"] = "must not be negative"
	}
	if strings.ContainsAny(o.UserAgent, "\r\n\x00") {
		wrong["PORTAL_USER_AGENT"] = "must be one line"
	}
	if len(wrong) > 0 {
		return nil, &app.Error{Code: app.CodeInvalid, Message: "the portal's settings are wrong", Fields: wrong}
	}
	c := &Client{
		profile: o.Profile, username: o.Username, password: o.Password,
		userAgent: o.UserAgent, timeout: o.Timeout, largest: o.LargestPage,
		now: o.Now, jobsPath: o.JobsPath,
	}
	c.fillIn()
	c.basic, base.User = base.User, nil // Sent as a header, so that no address shows it.
	c.builders.New = func() any { return new(builder) }
	c.site.Store(newSite(base, c.profile, c.jobsPath))
	c.SetZone(o.Zone)

	jar, err := cookiejar.New(&cookiejar.Options{PublicSuffixList: publicsuffix.List})
	if err != nil {
		return nil, fmt.Errorf("making the portal's cookie jar: %w", err)
	}
	c.transport = newTransport(o)
	c.http = &http.Client{
		Transport: c.transport,
		Jar:       jar,
		// Redirects are followed in request.go, one by one, each looked at first.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

func (c *Client) fillIn() {
	if c.profile == nil {
		c.profile = DefaultProfile()
	}
	if c.userAgent == "" {
		c.userAgent = "atozbot"
	}
	if c.timeout == 0 {
		c.timeout = ordinaryTimeout
	}
	if c.largest <= 0 {
		c.largest = ordinaryPageSize
	}
	if c.now == nil {
		c.now = time.Now
	}
}

func checkBase(written string, wrong map[string]string) *url.URL {
	u, err := url.Parse(strings.TrimSpace(written))
	switch {
	case err != nil:
		wrong["ATOZ_BASE_URL"] = "is no address"
		return nil
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		wrong["ATOZ_BASE_URL"] = "must be an address like https://portal.example.com"
		return nil
	case u.RawQuery != "" || u.Fragment != "":
		wrong["ATOZ_BASE_URL"] = "must end with its host or a path"
		return nil
	}
	u.RawPath = strings.TrimRight(u.EscapedPath(), "/")
	u.Path = strings.TrimRight(u.Path, "/")
	if u.Path == u.RawPath {
		u.RawPath = ""
	}
	u.Host = strings.ToLower(u.Host)
	return u
}

// newTransport keeps connections open between looks, and enough of them for details
// asked for in parallel. HTTP/2 is used where the portal offers it. Certificates are
// always verified.
func newTransport(o Options) *http.Transport {
	// A policy of addresses judges where a connection is made to, and a proxy would stand in
	// between.
	dial, proxy := o.Dial, func(*http.Request) (*url.URL, error) { return nil, nil }
	if dial == nil {
		dial, proxy = (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext, http.ProxyFromEnvironment
	}
	return &http.Transport{
		Proxy:                  proxy,
		DialContext:            dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs},
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    8,
		IdleConnTimeout:        2 * time.Minute,
		MaxResponseHeaderBytes: 256 << 10,
	}
}

// SetZone changes the time zone in which the portal writes its times, from the next look on.
func (c *Client) SetZone(zone *time.Location) { c.zone.Store(inZone(zone)) }

// Profile gives the profile in use.
func (c *Client) Profile() *Profile { return c.profile }

// Warm keeps a connection ready for an act. There is nothing to do: an act follows a
// look within moments, the look has left its connection open, and a request of its own
// would be one more than the configured rate allows.
func (c *Client) Warm(ctx context.Context) error { return ctx.Err() }

// Close lets go of idle connections. What is on its way is not harmed.
func (c *Client) Close() error {
	c.transport.CloseIdleConnections()
	return nil
}
