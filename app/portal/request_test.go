package portal

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/atozbot/atozbot/app"
)

func failureOf(t *testing.T, err error) *app.PageError {
	t.Helper()
	failure, ok := errors.AsType[*app.PageError](err)
	if !ok {
		t.Fatalf("%v is no page error", err)
	}
	return failure
}

func TestAPageIsReadInItsCharacterSet(t *testing.T) {
	row := strings.Replace(jobRow("48213", "Matched"), "Polish", "Français – “Ελ”", 1)
	french := strings.Replace(jobRow("48213", "Matched"), "Polish", "Français – “x”", 1)
	windows, err := charmap.Windows1252.NewEncoder().String(framed(table(french)))
	if err != nil {
		t.Fatal(err)
	}
	wide := func(e unicode.Endianness, mark unicode.BOMPolicy) string {
		s, err := unicode.UTF16(e, mark).NewEncoder().String(framed(table(row)))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	meta := func(s string) string { return strings.Replace(s, "<head>", `<head><meta charset="windows-1252">`, 1) }
	far := framed(strings.Repeat("<p>far from the beginning</p>", 100) + table(row))

	for name, c := range map[string]struct{ kind, body, want string }{
		"UTF-8, as its header says":            {"text/html; charset=UTF-8", framed(table(row)), "Français – “Ελ”"},
		"UTF-8 that nobody declares":           {"text/html", framed(table(row)), "Français – “Ελ”"},
		"UTF-8 found far from the beginning":   {"text/html", far, "Français – “Ελ”"},
		"UTF-8 with a byte order mark":         {"text/html; charset=windows-1252", "\ufeff" + framed(table(row)), "Français – “Ελ”"},
		"windows-1252 by its header":           {"text/html; charset=windows-1252", windows, "Français – “x”"},
		"windows-1252 called ISO-8859-1":       {"text/html;charset='iso-8859-1'", windows, "Français – “x”"},
		"windows-1252 by its meta element":     {"text/html", meta(windows), "Français – “x”"},
		"windows-1252 that nobody declares":    {"text/html", windows, "Français – “x”"},
		"UTF-16 with a mark":                   {"text/html", wide(unicode.BigEndian, unicode.UseBOM), "Français – “Ελ”"},
		"UTF-16 by its header":                 {"text/html; charset=utf-16le", wide(unicode.LittleEndian, unicode.IgnoreBOM), "Français – “Ελ”"},
		"a header that names no character set": {"text/html; charset=nonsense", framed(table(row)), "Français – “Ελ”"},
		"no header at all":                     {"", framed(table(row)), "Français – “Ελ”"},
		"UTF-8 that its header calls latin":    {"text/html; charset=ISO-8859-1", framed(table(row)), "Français – “Ελ”"},
		"windows-1252 that it calls UTF-8":     {"text/html; charset=utf-8", windows, "Français – “x”"},
		"UTF-8 with a broken letter":           {"text/html; charset=utf-8", strings.Replace(framed(table(row)), "ç", "\xe7", 1), "Fran\ufffdais – “Ελ”"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t).on("GET /interpreter-jobs", func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = []string{c.kind}
				_, _ = io.WriteString(w, c.body)
			})
			board, err := client(t, s).Look(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got := board.Jobs[0].Language; got != c.want {
				t.Errorf("the language reads %q, and should read %q", got, c.want)
			}
		})
	}
}

func TestAPageIsDecompressedHoweverItWasCompressed(t *testing.T) {
	body := framed(table(jobRow("48213", "Matched")))
	pack := func(make func(io.Writer) io.WriteCloser) []byte {
		var b bytes.Buffer
		w := make(&b)
		_, _ = io.WriteString(w, body)
		_ = w.Close()
		return b.Bytes()
	}
	zipped := pack(func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
	for name, c := range map[string]struct {
		encoding string
		body     []byte
		want     app.PageClass
	}{
		"gzip":              {"gzip", zipped, ""},
		"x-gzip":            {"x-gzip", zipped, ""},
		"deflate by zlib":   {"deflate", pack(func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }), ""},
		"deflate, bare":     {"deflate", pack(func(w io.Writer) io.WriteCloser { f, _ := flate.NewWriter(w, 9); return f }), ""},
		"identity":          {"identity", []byte(body), ""},
		"cut off":           {"gzip", zipped[:len(zipped)/2], app.PageUnavailable},
		"not compressed":    {"gzip", []byte(body), app.PageUnavailable},
		"something unasked": {"br", []byte("\x0b\x02\x80"), app.PageUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t).on("GET /interpreter-jobs", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				w.Header().Set("Content-Encoding", c.encoding)
				_, _ = w.Write(c.body)
			})
			board, err := client(t, s).Look(t.Context())
			if got := classOf(t, err); got != c.want {
				t.Fatalf("it gave %q (%v)", got, err)
			}
			if err == nil && (len(board.Jobs) != 1 || board.Bytes != len(body)) {
				t.Errorf("%d jobs in %d bytes", len(board.Jobs), board.Bytes)
			}
		})
	}
}

func TestAPageThatIsTooLargeIsToldAndNotRead(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(bytes.Repeat([]byte(" "), 20<<20))
	_ = z.Close()
	for name, answer := range map[string]http.HandlerFunc{
		"as it is": page200(framed(table(jobRow("48213", "Matched")) + strings.Repeat("x", 17<<20))),
		"compressed": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t).on("GET /interpreter-jobs", answer)
			_, err := client(t, s).Look(t.Context())
			if f := failureOf(t, err); f.Class != app.PageUnavailable || f.Reason != "the page is larger than 8192 kB" {
				t.Errorf("it gave %v", err)
			}
		})
	}
}

func TestAnAnswerThatBreaksOffIsNoPage(t *testing.T) {
	whole := framed(table(jobRow("48213", "Matched")))
	for name, raw := range map[string]string{
		"shorter than it says":      fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s", len(whole)+10, whole),
		"in the middle of a chunk":  "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n" + whole,
		"without the last chunk":    fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(whole), whole),
		"in its header":             "HTTP/1.1 200 OK\r\nContent-Ty",
		"before it begins":          "",
		"with something else":       "SSH-2.0-OpenSSH_9.2\r\n",
		"with a header far too big": "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			address, _ := rawServer(t, raw)
			_, err := testClient(t, "http://"+address).Look(t.Context())
			if f := failureOf(t, err); f.Class != app.PageUnavailable || !f.Sent {
				t.Errorf("it gave %+v", f)
			}
		})
	}
}

// rawServer answers every connection's first request with raw, and closes it. The
// requests are given as they came.
func rawServer(t *testing.T, raw string) (address string, requests chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	requests = make(chan string, 100)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			var request []byte
			buffer := make([]byte, 64<<10)
			for !bytes.Contains(request, []byte("\r\n\r\n")) {
				n, err := conn.Read(buffer)
				request = append(request, buffer[:n]...)
				if err != nil {
					break
				}
			}
			requests <- string(request)
			_, _ = io.WriteString(conn, raw)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().String(), requests
}

func TestWhetherARequestCanHaveReachedThePortalIsKnown(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	job := func(base string) app.Job {
		return app.Job{Number: "48213", AcceptForm: &app.Form{Method: "POST", Action: base + "/interpreter-jobs/48213/matched"}}
	}
	resetting, requests := rawServer(t, "")

	for name, c := range map[string]struct {
		base string
		sent bool
	}{
		"a connection that is refused":                        {"http://" + closed.Addr().String(), false},
		"a name that cannot be resolved":                      {"http://portal.invalid", false},
		"a connection that is closed after the form was sent": {"http://" + resetting, true},
	} {
		t.Run(name, func(t *testing.T) {
			reply, err := testClient(t, c.base).Accept(t.Context(), job(c.base), false)
			if f := failureOf(t, err); f.Class != app.PageUnavailable || f.Sent != c.sent || f.Status != 0 {
				t.Errorf("it gave %+v", f)
			}
			if reply.PostedAt.IsZero() == c.sent {
				t.Errorf("posted at %v", reply.PostedAt)
			}
		})
	}
	if n := len(requests); n != 1 {
		t.Errorf("the form was sent %d times", n)
	}

	t.Run("a connection that was kept open, and is closed when the form comes", func(t *testing.T) {
		var posts atomic.Int32
		s := newStand(t)
		s.on("GET /interpreter-jobs", page200(framed(table(jobRow("48213", "Matched")))))
		s.on("POST /interpreter-jobs/48213/matched", func(w http.ResponseWriter, _ *http.Request) {
			posts.Add(1)
			conn, _, _ := w.(http.Hijacker).Hijack()
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
		})
		c := client(t, s)
		board, err := c.Look(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Accept(t.Context(), board.Jobs[0], false)
		if f := failureOf(t, err); !f.Sent || posts.Load() != 1 {
			t.Errorf("sent %v, %d times", f.Sent, posts.Load())
		}
	})

	t.Run("a portal that does not answer", func(t *testing.T) {
		s := newStand(t)
		release := make(chan struct{})
		s.on("POST /interpreter-jobs/48213/matched", func(http.ResponseWriter, *http.Request) { <-release })
		c := client(t, s, func(o *Options) { o.Timeout = 50 * time.Millisecond })
		_, err := c.Accept(t.Context(), job(s.URL), false)
		close(release)
		if f := failureOf(t, err); !f.Sent || f.Reason != "the portal did not answer within 50ms" {
			t.Errorf("it gave %+v", f)
		}
	})

	t.Run("a caller who has stopped waiting", func(t *testing.T) {
		s := newStand(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := client(t, s).Accept(ctx, job(s.URL), false)
		if f := failureOf(t, err); f.Sent || !errors.Is(err, context.Canceled) || len(s.log()) != 0 {
			t.Errorf("it gave %+v", f)
		}
	})
}

func TestTheTimeoutHoldsForTheWholePage(t *testing.T) {
	s := newStand(t)
	release := make(chan struct{})
	s.on("GET /interpreter-jobs", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "<html>")
		_ = http.NewResponseController(w).Flush()
		<-release
	})
	_, err := client(t, s, func(o *Options) { o.Timeout = 50 * time.Millisecond }).Look(t.Context())
	close(release)
	if f := failureOf(t, err); f.Class != app.PageUnavailable || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it gave %+v", f)
	}
}

func TestRetryAfterIsSecondsOrADate(t *testing.T) {
	now := time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		retry, date string
		want        time.Duration
	}{
		"seconds":                          {"17", "", 17 * time.Second},
		"nought":                           {"0", "", 0},
		"fewer than nought":                {"-3", "", 0},
		"a fraction":                       {"1.5", "", 1500 * time.Millisecond},
		"white space":                      {" 17 ", "", 17 * time.Second},
		"far too many":                     {"99999999999999999999", "", 24 * time.Hour},
		"words":                            {"soon", "", 0},
		"no number":                        {"NaN", "", 0},
		"a date":                           {"Sun, 31 Jan 2027 12:00:40 GMT", "", 40 * time.Second},
		"a date that is past":              {"Sun, 31 Jan 2027 11:00:00 GMT", "", 0},
		"a date by the portal's own clock": {"Sun, 31 Jan 2027 14:00:40 GMT", "Sun, 31 Jan 2027 14:00:00 GMT", 40 * time.Second},
		"a date in another form":           {"Sunday, 31-Jan-27 12:00:40 GMT", "", 40 * time.Second},
		"none":                             {"", "", 0},
	} {
		h := http.Header{}
		h.Set("Retry-After", c.retry)
		h.Set("Date", c.date)
		if got := retryAfter(h, now); got != c.want {
			t.Errorf("%s: %q is %s, and should be %s", name, c.retry, got, c.want)
		}
	}
	for _, code := range []int{429, 503, 403} {
		s := newStand(t).on("GET /interpreter-jobs", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "17")
			w.WriteHeader(code)
		})
		_, err := client(t, s).Look(t.Context())
		if f := failureOf(t, err); f.RetryAfter != 17*time.Second || f.Status != code {
			t.Errorf("%d gave %+v", code, f)
		}
	}
}

func TestRedirectsAreFollowedWithinThePortalAlone(t *testing.T) {
	board := page200(framed(table(jobRow("48213", "Matched"))))
	elsewhere := newStand(t).on("GET /interpreter-jobs", board)
	for name, c := range map[string]struct {
		location string
		want     app.PageClass
	}{
		"to a path":                   {"/board", ""},
		"to a relative path":          {"board", ""},
		"to an absolute address":      {"BASE/board", ""},
		"without a scheme":            {"//HOST/board", ""},
		"to another port of the host": {elsewhere.URL + "/interpreter-jobs", app.PageUnavailable},
		"to another host":             {strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1) + "/interpreter-jobs", app.PageUnavailable},
		"to another scheme":           {"ftp://HOST/board", app.PageUnavailable},
		"to a file":                   {"file:///etc/passwd", app.PageUnavailable},
		"to an act":                   {"/interpreter-jobs/48213/matched", app.PageUnavailable},
		"to nothing":                  {"", app.PageUnavailable},
		"to what is no address":       {"http://[::1", app.PageUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t).on("GET /board", board).on("GET /interpreter-jobs/48213/matched", board)
			where := strings.NewReplacer("BASE", s.URL, "HOST", strings.TrimPrefix(s.URL, "http://")).Replace(c.location)
			s.on("GET /interpreter-jobs", func(w http.ResponseWriter, r *http.Request) {
				http.SetCookie(w, &http.Cookie{Name: "session", Value: "secret", Path: "/"})
				to(302, where)(w, r)
			})
			_, err := client(t, s).Look(t.Context())
			if got := classOf(t, err); got != c.want {
				t.Errorf("it gave %q (%v)", got, err)
			}
			if asked := elsewhere.log(); len(asked) != 0 {
				t.Errorf("another site was asked for %q", asked)
			}
		})
	}
}

func TestAPortalThatMovesToHTTPSIsFollowedAndNeverLeftAgain(t *testing.T) {
	secure := httptest.NewUnstartedServer(nil)
	var back bool
	secure.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if back {
			http.Redirect(w, r, "http://"+r.Host+"/interpreter-jobs", http.StatusFound)
			return
		}
		page200(framed(table(jobRow("48213", "Matched"))))(w, r)
	})
	secure.StartTLS()
	defer secure.Close()
	plain := newStand(t).on("GET /interpreter-jobs", to(301, secure.URL+"/interpreter-jobs"))
	c := client(t, plain, func(o *Options) {
		o.RootCAs = secure.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	})
	for range 2 {
		board, err := c.Look(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if action := board.Jobs[0].AcceptForm.Action; !strings.HasPrefix(action, secure.URL) {
			t.Errorf("the form goes to %s", action)
		}
	}
	if asked := plain.log(); len(asked) != 1 {
		t.Errorf("http was asked %d times", len(asked))
	}
	back = true
	_, err := c.Look(t.Context())
	if f := failureOf(t, err); f.Class != app.PageUnavailable || len(plain.log()) != 0 {
		t.Errorf("it gave %+v", f)
	}
}

func TestACertificateThatCannotBeTrustedIsToldAndNotTrusted(t *testing.T) {
	secure := httptest.NewUnstartedServer(page200(framed(table(noJobs))))
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	_, err := testClient(t, secure.URL).Look(t.Context())
	if f := failureOf(t, err); f.Sent || f.Reason != "the portal's certificate cannot be trusted" {
		t.Errorf("it gave %+v", f)
	}
}

func TestThePortalMayStandBelowAPath(t *testing.T) {
	row := strings.ReplaceAll(jobRow("48213", "Matched"), `"/interpreter-jobs`, `"/portal/interpreter-jobs`)
	s := newStand(t).on("GET /portal/interpreter-jobs", page200(framed(table(row+jobRow("48214", "Matched"))))).
		on("GET /portal/interpreter-jobs/48213", page200(framed(detailsOf("48213", "Telephone", "Matched"))))
	c := client(t, s, func(o *Options) { o.BaseURL += "/portal/" })
	board, err := c.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if f := board.Jobs[0].AcceptForm; f == nil || f.Action != s.URL+"/portal/interpreter-jobs/48213/matched" {
		t.Errorf("the form below the path is %+v", f)
	}
	if f := board.Jobs[1].AcceptForm; f == nil || f.Action != s.URL+"/interpreter-jobs/48214/matched" {
		t.Errorf("the form written without the path is %+v", f)
	}
	if _, err := c.Details(t.Context(), board.Jobs[0]); err != nil {
		t.Error(err)
	}
}

func TestTheBoardMayBeMoved(t *testing.T) {
	row := strings.ReplaceAll(jobRow("48213", "Matched"), `"/interpreter-jobs`, `"/v2/interpreter-jobs`)
	s := newStand(t).on("GET /v2/interpreter-jobs?view=all", page200(framed(table(row+jobRow("48214", "Matched")))))
	c := client(t, s, func(o *Options) { o.JobsPath = "/v2/interpreter-jobs?view=all" })
	board, err := c.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"/v2/interpreter-jobs/48213/matched", "/interpreter-jobs/48214/matched"} {
		if f := board.Jobs[i].AcceptForm; f == nil || f.Action != s.URL+want {
			t.Errorf("the form is %+v, and should go to %s", f, want)
		}
	}
}

func TestJobsPagesMayBeMovedWithTheBoard(t *testing.T) {
	for _, path := range []string{"/jobs", "/my/interpreter-jobs", "/jobs/"} {
		moved := strings.TrimSuffix(path, "/")
		row := strings.ReplaceAll(jobRow("48213", "Matched"), `"/interpreter-jobs`, `"`+moved)
		row = strings.Replace(row, "<a ", `<a href="`+moved+`/48213/edit">Edit</a><a `, 1)
		s := newStand(t).on("GET "+path, page200(framed(table(row)))).on("GET "+moved+"/48213", page200(framed(detailsOf("48213", "Telephone interpreting", "Matched"))))
		c := client(t, s, func(o *Options) { o.JobsPath = path })
		board, err := c.Look(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if details, err := c.Details(t.Context(), board.Jobs[0]); err != nil || details.Type != "Telephone interpreting" {
			t.Errorf("with the board at %s the details are %+v (%v)", path, details, err)
		}
		if board.Jobs[0].AcceptForm == nil {
			t.Errorf("with the board at %s the job has no form", path)
		}
	}
}

func TestABaseOnThePageMovesItsRelativeAddresses(t *testing.T) {
	row := strings.ReplaceAll(jobRow("48213", "Matched"), `"/interpreter-jobs/`, `"`)
	for base, want := range map[string]bool{"/interpreter-jobs/": true, "https://elsewhere.example.com/interpreter-jobs/": false} {
		s := newStand(t).on("GET /interpreter-jobs", page200(strings.Replace(framed(table(row)), "<head>", `<head><base href="`+base+`">`, 1)))
		board, err := client(t, s).Look(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := board.Jobs[0].AcceptForm != nil; got != want {
			t.Errorf("with the base %s the job can be accepted: %v", base, got)
		}
	}
}

func TestARequestSaysWhoAsks(t *testing.T) {
	s := newStand(t).on("GET /interpreter-jobs", page200(framed(table(noJobs))))
	c := client(t, s, func(o *Options) { o.UserAgent = "atozbot/1.2.3" })
	for range 2 {
		if _, err := c.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	h := s.headers[1]
	if h.Get("User-Agent") != "atozbot/1.2.3" || !strings.Contains(h.Get("Accept-Encoding"), "gzip") || h.Get("Cookie") != "" {
		t.Errorf("it asked with %v", h)
	}
}

func TestALookIsDatedByItsFirstByte(t *testing.T) {
	now := time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)
	s := newStand(t).on("GET /interpreter-jobs", page200(framed(table(noJobs))))
	board, err := client(t, s, func(o *Options) { o.Now = func() time.Time { return now } }).Look(t.Context())
	if err != nil || !board.SeenAt.Equal(now) || board.Bytes == 0 || !board.Complete {
		t.Errorf("%+v, %v", board, err)
	}
}

func TestEveryWrongSettingIsNamed(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{BaseURL: ""}, "ATOZ_BASE_URL"},
		{Options{BaseURL: "portal.example.com"}, "ATOZ_BASE_URL"},
		{Options{BaseURL: "ftp://portal.example.com"}, "ATOZ_BASE_URL"},
		{Options{BaseURL: "https://portal.example.com/?a=b"}, "ATOZ_BASE_URL"},
		{Options{BaseURL: "https://portal.example.com", JobsPath: "interpreter-jobs"}, "ATOZ_INTERPRETER_JOBS_PATH"},
		{Options{BaseURL: "https://portal.example.com", JobsPath: "//elsewhere"}, "ATOZ_INTERPRETER_JOBS_PATH"},
		{Options{BaseURL: "https://portal.example.com", Timeout: -1}, "PORTAL_TIMEOUT"},
		{Options{BaseURL: "https://portal.example.com", UserAgent: "a\r\nb: c"}, "PORTAL_USER_AGENT"},
	} {
		_, err := New(c.o)
		e, ok := errors.AsType[*app.Error](err)
		if !ok || e.Code != app.CodeInvalid || e.Fields[c.want] == "" || len(e.Fields) != 1 {
			t.Errorf("%+v gave %v", c.o, err)
		}
	}
}

func TestARedirectInACircleIsNotRunRoundInAndOneToAPageItselfIsFollowed(t *testing.T) {
	s := newStand(t).on("GET /interpreter-jobs", to(302, "/a")).on("GET /a", to(302, "/b")).on("GET /b", to(302, "/a"))
	_, err := client(t, s).Look(t.Context())
	if f := failureOf(t, err); f.Reason != "the portal redirects in a circle" {
		t.Errorf("it gave %v", err)
	}
	if asked := s.log(); len(asked) > 6 {
		t.Errorf("it asked %q", asked)
	}

	s.on("GET /interpreter-jobs", func(w http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie("seen"); err != nil {
			http.SetCookie(w, &http.Cookie{Name: "seen", Value: "1", Path: "/"})
			to(302, "/interpreter-jobs")(w, r)
			return
		}
		page200(framed(table(jobRow("48213", "Matched"))))(w, r)
	})
	board, err := client(t, s).Look(t.Context())
	if err != nil || len(board.Jobs) != 1 {
		t.Errorf("a page that wants to see its cookie gave %v", err)
	}
}
