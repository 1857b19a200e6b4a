package portal

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/atozbot/atozbot/app"
)

// failed makes the error of a request that brought no whole answer.
func (c *Client) failed(ctx context.Context, t *trip, err error) *app.PageError {
	return &app.PageError{
		Class:  app.PageUnavailable,
		Reason: c.failureReason(ctx, err),
		Sent:   t.sent.Load(),
		Err:    err,
	}
}

// failureReason says in words why there is no answer.
func (c *Client) failureReason(ctx context.Context, err error) string {
	var (
		dns         *net.DNSError
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		timeout     net.Error
		unfit       *encodingError
	)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return "the request was broken off"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Sprintf("the portal did not answer within %s", c.timeout)
	case errors.As(err, &dns):
		return "the portal's name could not be resolved"
	case errors.As(err, &certificate):
		return "the portal's certificate cannot be trusted"
	case errors.As(err, &record):
		return "the portal does not speak https at this address"
	case errors.As(err, &unfit):
		return unfit.Error()
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the portal refused the connection"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "the portal cannot be reached by the network"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the portal reset the connection"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the portal's answer broke off"
	case errors.Is(err, io.EOF):
		return "the portal closed the connection without an answer"
	}
	return "the portal could not be asked"
}

// encodingError says that an answer is compressed in a way that was not asked for.
type encodingError struct{ encoding string }

func (e *encodingError) Error() string {
	return fmt.Sprintf("the portal's answer is compressed as %q, which was not asked for", e.encoding)
}

// decompressed undoes the compressions that portals use whether asked or not. The
// transport has undone the one that it asked for.
func decompressed(res *http.Response) (io.Reader, error) {
	switch encoding := strings.ToLower(strings.TrimSpace(res.Header.Get("Content-Encoding"))); encoding {
	case "", "identity":
		return res.Body, nil
	case "gzip", "x-gzip":
		return gzip.NewReader(res.Body)
	case "deflate":
		// Some servers send what zlib wraps, as they should, and some what is in it.
		body := bufio.NewReader(res.Body)
		if head, err := body.Peek(2); err == nil && head[0]&0x0f == 8 && (int(head[0])<<8|int(head[1]))%31 == 0 {
			return zlib.NewReader(body)
		}
		return flate.NewReader(body), nil
	default:
		return nil, &encodingError{encoding}
	}
}

// The longest that the portal is believed when it says how long to stay away.
const longestRetryAfter = 24 * time.Hour

// retryAfter reads Retry-After: seconds, or a date, which is held against the portal's
// own clock where it tells it.
func retryAfter(h http.Header, now time.Time) time.Duration {
	written := strings.TrimSpace(h.Get("Retry-After"))
	if written == "" {
		return 0
	}
	if seconds, err := strconv.ParseFloat(written, 64); err == nil {
		switch {
		case !(seconds > 0):
			return 0
		case seconds >= longestRetryAfter.Seconds():
			return longestRetryAfter
		}
		return time.Duration(seconds * float64(time.Second))
	}
	at, err := http.ParseTime(written)
	if err != nil {
		return 0
	}
	if theirs, err := http.ParseTime(h.Get("Date")); err == nil {
		now = theirs
	}
	return min(max(0, at.Sub(now)), longestRetryAfter)
}
