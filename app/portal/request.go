package portal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/atozbot/atozbot/app"
)

// request is one thing asked of the portal. Its redirects are followed.
type request struct {
	method  string
	address *url.URL
	body    string // An encoded form; "" for a GET.
	referer *url.URL
	// again tells whether a form may be sent a second time to where the portal points
	// with 307 or 308; nil for never. Any other redirect of a POST is followed by a GET,
	// as in a browser.
	again func(*url.URL) bool
}

// posted gives when the first form was on its way, or zero where none was.
func (t *trip) posted() time.Time {
	if at := t.postedAt.Load(); at != 0 {
		return time.Unix(0, at).UTC()
	}
	return time.Time{}
}

// Bounds of following redirects. Browsers allow twenty. A page that sends us back to
// itself once may want to see the cookie that it has just set; more often is a circle.
const (
	mostRedirects = 10
	mostReturns   = 2
)

// trip is what is known of a request while it is on its way, and for its error.
type trip struct {
	sent      atomic.Bool  // The (first) request can have reached the portal.
	postedAt  atomic.Int64 // When the first form was written, in nanoseconds since 1970.
	firstByte atomic.Int64 // When the newest answer began.
}

func (c *Client) get(ctx context.Context, address, referer *url.URL) (*page, error) {
	return c.ask(ctx, request{method: http.MethodGet, address: address, referer: referer}, &trip{})
}

// ask makes the request, follows its redirects, and gives the page at the end, not
// classified yet. The error is an [app.PageError].
func (c *Client) ask(ctx context.Context, r request, t *trip) (*page, error) {
	site := c.site.Load()
	posted := r.method == http.MethodPost
	var been []string
	for hops := 0; ; hops++ {
		p, err := c.exchange(ctx, r, t)
		if err != nil {
			return nil, err
		}
		p.redirected = hops > 0
		if p.status < 300 || p.status > 399 || p.status == http.StatusNotModified {
			c.upgrade(site, p.url)
			return p, nil
		}
		to, err := c.redirect(site, r, p, t)
		if err != nil {
			return nil, err
		}
		if hops == mostRedirects || count(been, to.String()) == mostReturns {
			return nil, p.fails(app.PageUnavailable, t, "the portal redirects in a circle")
		}
		been = append(been, to.String())
		repeat := p.status == http.StatusTemporaryRedirect || p.status == http.StatusPermanentRedirect
		switch {
		case r.method != http.MethodPost || !repeat:
			if r.method != http.MethodPost && !posted && site.acts(site.path(to)) {
				return nil, p.fails(app.PageUnavailable, t, "the portal redirected a page to an act")
			}
			r = request{method: http.MethodGet, address: to, referer: r.referer}
		case r.again != nil && r.again(to):
			r.address = to
		default:
			return nil, p.fails(app.PageUnavailable, t,
				"the portal asked for the form to be sent again, elsewhere ("+to.Redacted()+"); it was not")
		}
	}
}

func count(addresses []string, address string) int {
	n := 0
	for _, a := range addresses {
		if a == address {
			n++
		}
	}
	return n
}

// redirect reads where a redirect goes, and refuses what leads out of the portal.
func (c *Client) redirect(site *site, r request, p *page, t *trip) (*url.URL, error) {
	location := p.header.Get("Location")
	to := resolve(r.address, "", location)
	switch {
	case location == "" || to == nil:
		return nil, p.fails(app.PageUnavailable, t, fmt.Sprintf("the portal answered %d without saying where to go", p.status))
	case !site.ours(to):
		class := app.PageUnavailable
		if c.profile.words.challengeHeading.in(plain(to.Host+" "+to.Path)) != "" {
			class = app.PageChallenge
		}
		return nil, p.fails(class, t, "the portal redirects to another site ("+to.Host+")")
	case !site.may(r.address, to):
		return nil, p.fails(app.PageUnavailable, t, "the portal redirects from https to http, which is not followed")
	}
	return to, nil
}

// upgrade remembers that the portal has moved us from http to https, so that no cookie
// goes out in the clear any more.
func (c *Client) upgrade(old *site, to *url.URL) {
	if old.base.Scheme != "http" || to.Scheme != "https" {
		return
	}
	base := *old.base
	base.Scheme, base.Host = to.Scheme, to.Host
	c.site.CompareAndSwap(old, newSite(&base, c.profile, c.jobsPath))
}

// exchange makes one request and reads its answer to the end, within the client's
// time-out.
func (c *Client) exchange(ctx context.Context, r request, t *trip) (*page, error) {
	within, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(within, c.trace(r, t)), r.method, r.address.String(), strings.NewReader(r.body))
	if err != nil {
		return nil, &app.PageError{Class: app.PageUnavailable, Reason: "the portal's address cannot be asked", Err: err, Sent: t.sent.Load()}
	}
	if r.method == http.MethodGet {
		req.Body, req.GetBody, req.ContentLength = http.NoBody, nil, 0
	}
	c.dress(req, r)
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.failed(ctx, t, err)
	}
	defer res.Body.Close()
	p := &page{client: c, url: r.address, status: res.StatusCode, header: res.Header}
	p.openEnded = res.ProtoMajor == 1 && res.ContentLength < 0 && len(res.TransferEncoding) == 0 && !res.Uncompressed
	if p.body, err = c.read(res); err != nil {
		if tooLarge, ok := errors.AsType[*tooLargeError](err); ok {
			return nil, p.fails(app.PageUnavailable, t, tooLarge.Error())
		}
		failure := c.failed(ctx, t, err)
		failure.Status = p.status
		failure.RetryAfter = retryAfter(p.header, c.now())
		return nil, failure
	}
	p.firstByte = time.Unix(0, t.firstByte.Load()).UTC()
	return p, nil
}

// dress sets what every request carries. Origin and Referer are what portals check
// against forged forms.
func (c *Client) dress(req *http.Request, r request) {
	h := req.Header
	h.Set("User-Agent", c.userAgent)
	h.Set("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.1")
	h.Set("Accept-Language", "en-GB,en;q=0.8")
	if r.method == http.MethodPost {
		h.Set("Content-Type", "application/x-www-form-urlencoded")
		h.Set("Origin", r.address.Scheme+"://"+r.address.Host)
	} else {
		h.Set("Cache-Control", "no-cache")
	}
	if c.basic != nil {
		password, _ := c.basic.Password()
		req.SetBasicAuth(c.basic.Username(), password)
	}
	if r.referer != nil {
		from := *r.referer
		from.User, from.Fragment = nil, ""
		h.Set("Referer", from.String())
	}
}

// trace notes when the request was written. Headers are written into a buffer first, so
// this is the earliest moment at which anything can reach the portal; before it, nothing can.
func (c *Client) trace(r request, t *trip) *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		WroteHeaders: func() {
			t.sent.Store(true)
			if r.method == http.MethodPost {
				t.postedAt.CompareAndSwap(0, c.now().UnixNano())
			}
		},
		GotFirstResponseByte: func() { t.firstByte.Store(c.now().UnixNano()) },
	}
}

type tooLargeError struct{ most int64 }

func (e *tooLargeError) Error() string {
	return fmt.Sprintf("the page is larger than %d kB", e.most>>10)
}

// read reads the answer's body to the end, so that its connection can be used again, and
// decompresses it.
func (c *Client) read(res *http.Response) ([]byte, error) {
	body, err := decompressed(res)
	if err != nil {
		return nil, err
	}
	size := res.ContentLength
	if size < 0 || size > c.largest {
		size = 64 << 10
	}
	page := make([]byte, 0, size+512)
	for {
		if len(page) == cap(page) {
			page = append(page, 0)[:len(page)]
		}
		n, err := body.Read(page[len(page):cap(page)])
		page = page[:len(page)+n]
		if int64(len(page)) > c.largest {
			return nil, &tooLargeError{c.largest}
		}
		switch {
		case errors.Is(err, io.EOF):
			return page, nil
		case err != nil:
			return nil, fmt.Errorf("reading the page: %w", err)
		}
	}
}
