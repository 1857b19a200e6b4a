package portal

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/atozbot/atozbot/app"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What a messy or hostile portal has been seen, or can be imagined, to answer.

func TestABoardAmongOtherTablesIsTheBoard(t *testing.T) {
	summary := `<section class="content__table"><table><tr><td>Open jobs</td><td>0</td></tr><tr><td>Accepted</td><td>12</td></tr></table></section>`
	total := `<tr><td>Total</td><td>0</td></tr>`
	for name, c := range map[string]struct {
		page string
		jobs int
	}{
		"an empty board under a summary":      {framed(summary + table(noJobs)), 0},
		"an empty board with a total":         {framed(table(noJobs + total)), 0},
		"a board under a summary":             {framed(summary + table(jobRow("48213", "Matched"))), 1},
		"a board in two tables":               {framed(table(jobRow("48213", "Matched")) + table(jobRow("48214", "Matched"))), 2},
		"a board in two bodies":               {framed(table(jobRow("48213", "Matched") + "</tbody><tbody>" + jobRow("48214", "Matched"))), 2},
		"a board in a form of many":           {framed(`<form method="POST" action="/interpreter-jobs/many"><input type="hidden" name="_token" value="x">` + table(jobRow("48213", "Matched")) + `</form>`), 1},
		"a board in a section never closed":   {framed(`<section class="content__table"><div><table><tbody>` + jobRow("48213", "Matched")), 1},
		"a board between two broken comments": {framed(`<!-- <b> -- --!>` + table(jobRow("48213", "Matched")) + `<!--`), 1},
	} {
		s := newStand(t).on("GET /interpreter-jobs", page200(c.page))
		board, err := client(t, s).Look(t.Context())
		if err != nil || len(board.Jobs) != c.jobs {
			t.Errorf("%s: %d jobs, %v", name, len(board.Jobs), err)
			continue
		}
		for _, j := range board.Jobs {
			if j.AcceptForm == nil || len(j.AcceptForm.Fields) != 2 {
				t.Errorf("%s: job %s is accepted with %+v", name, j.Number, j.AcceptForm)
			}
		}
	}
}

func TestALookThatWasSentElsewhereIsNotTheBoard(t *testing.T) {
	s := newStand(t)
	c := client(t, s)
	s.on("GET /interpreter-jobs", to(302, "/dashboard")).on("GET /dashboard", page200(framed(table(noJobs))))
	if _, err := c.Look(t.Context()); classOf(t, err) != app.PageChanged {
		t.Errorf("an empty list on the dashboard gave %v", err)
	}
	s.on("GET /dashboard", page200(framed(table(jobRow("48213", "Accepted")))))
	if board, err := c.Look(t.Context()); err != nil || board.Complete {
		t.Errorf("a list on the dashboard is complete: %v, %v", board.Complete, err)
	}
	s.on("GET /interpreter-jobs", to(301, "/en/interpreter-jobs/")).on("GET /en/interpreter-jobs/", page200(framed(table(noJobs))))
	if board, err := c.Look(t.Context()); err != nil || !board.Complete {
		t.Errorf("the board in another language is complete: %v, %v", board.Complete, err)
	}
}

func TestAPageThatOnlyLeadsOnToTheLogInPageIsLoggedOut(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"by a header": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Refresh", "0; url=/login")
			page200("<p>Wait</p>")(w, r)
		},
		"by a script":        page200(`<script>window.location.href = "/login";</script>`),
		"by a meta element":  page200(`<meta http-equiv="Refresh" content="3; URL=/login?next=/interpreter-jobs"><p>Wait</p>`),
		"by a link":          page200(`<p>Redirecting to <a href="login">the log-in page</a></p>`),
		"with the old frame": page200(table(noJobs) + `<script>location.replace('/login')</script>`),
	} {
		s := newStand(t).on("GET /interpreter-jobs", answer)
		if _, err := client(t, s).Look(t.Context()); classOf(t, err) != app.PageLoggedOut {
			t.Errorf("%s gave %v", name, err)
		}
	}
}

// openEnded answers without a length: where the connection ends, the page does.
func openEnded(t *testing.T, body string) string {
	t.Helper()
	address, _ := rawServer(t, "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n"+body)
	return "http://" + address
}

func TestAPageWhoseEndNobodyToldIsBelievedOnlyAsFarAsItGoes(t *testing.T) {
	whole := framed(table(jobRow("48213", "Matched") + jobRow("48214", "Matched")))
	for at := range len(whole) {
		if at%97 != 0 {
			continue
		}
		board, err := testClient(t, openEnded(t, whole[:at])).Look(t.Context())
		switch {
		case err != nil:
			if class := classOf(t, err); class != app.PageUnavailable {
				t.Errorf("cut at %d it is %v", at, err)
			}
		case board.Complete && len(board.Jobs) != 2:
			t.Errorf("cut at %d it is complete with %d jobs", at, len(board.Jobs))
		}
		for _, j := range board.Jobs {
			if j.AcceptForm != nil && len(j.AcceptForm.Fields) != 2 {
				t.Errorf("cut at %d job %s is accepted with %+v", at, j.Number, j.AcceptForm)
			}
		}
	}
	if board, err := testClient(t, openEnded(t, whole)).Look(t.Context()); err != nil || !board.Complete || len(board.Jobs) != 2 {
		t.Errorf("uncut it is %+v, %v", board, err)
	}
}

func TestDetailsThatContradictThemselvesKeepOurHandsOff(t *testing.T) {
	both := `<table class="table--detail"><tr><th>Interpreter details</th><td>Telephone</td></tr><tr><th>Status</th><td>Matched</td></tr><tr><th>Status</th><td>Cancelled</td></tr></table>`
	d, _, err := readJobDetails(t, page200(framed(both)))
	if err != nil || d.State != app.StateGone {
		t.Errorf("%+v, %v", d, err)
	}
	similar := framed(detailsOf("99999", "Telephone", "Matched") + rejectFormOf("99999") + `<h2>Similar jobs</h2>` + acceptFormOf("48213"))
	if _, _, err := readJobDetails(t, page200(similar)); classOf(t, err) != app.PageUnavailable {
		t.Errorf("another job's details that offer this job gave %v", err)
	}
	heading := framed(`<h1>Job 99999/A</h1><table class="table--detail"><tr><th>Interpreter details</th><td>Telephone</td></tr></table>`)
	if _, _, err := readJobDetails(t, page200(heading)); classOf(t, err) != app.PageUnavailable {
		t.Errorf("another job's heading gave %v", err)
	}
	customers := framed(`<h1>Job 48213/A on 15/Feb</h1><table class="table--detail"><tr><th>Reference</th><td>7001</td></tr><tr><th>Interpreter details</th><td>Telephone</td></tr></table>`)
	if d, _, err := readJobDetails(t, page200(customers)); err != nil || d.Number != "48213" {
		t.Errorf("a customer's own reference gave %+v, %v", d, err)
	}
}

func TestADoorOfItsOwnIsOpenedAndNeverShown(t *testing.T) {
	s := newStand(t).on("GET /interpreter-jobs", func(w http.ResponseWriter, r *http.Request) {
		if user, password, ok := r.BasicAuth(); !ok || user != "door" || password != "key" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		page200(framed(table(strings.ReplaceAll(jobRow("48213", "Matched"), `href="/`, `href="BASE/`))))(&baseWriter{w, s0(r)}, r)
	})
	c := client(t, s, func(o *Options) { o.BaseURL = strings.Replace(o.BaseURL, "http://", "http://door:key@", 1) })
	board, err := c.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if shown := fmt.Sprintf("%+v %+v", board.Jobs, *board.Jobs[0].AcceptForm); strings.Contains(shown, "key") || board.Jobs[0].DetailsURL == "" {
		t.Errorf("the key is shown: %s", shown)
	}
	s.Close()
	if _, err := c.Look(t.Context()); err == nil || strings.Contains(err.Error(), "key") {
		t.Errorf("the key is shown: %v", err)
	}
}

func s0(r *http.Request) string { return "http://" + r.Host }

func TestAPortalThatSpeaksHTTP2IsSpokenWith(t *testing.T) {
	var posts atomic.Int32
	secure := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("it came by %s", r.Proto)
		}
		if r.Method == http.MethodPost {
			posts.Add(1)
			panic(http.ErrAbortHandler) // The stream is reset after the form has come.
		}
		page200(framed(table(jobRow("48213", "Matched"))))(w, r)
	}))
	secure.EnableHTTP2 = true
	secure.StartTLS()
	defer secure.Close()
	c, err := New(Options{BaseURL: secure.URL, RootCAs: secure.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	board, err := c.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Accept(t.Context(), board.Jobs[0], false)
	if f := failureOf(t, err); !f.Sent || posts.Load() != 1 {
		t.Errorf("%+v, sent %d times", f, posts.Load())
	}
}

// A server that has closed a connection kept open makes the next form fail; it must not
// be sent twice, and a form that surely never left may be.
func TestAFormIsNeverSentTwiceOverAConnectionThatWasClosed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var posts atomic.Int32
	var handlers sync.WaitGroup
	handlers.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			handlers.Go(func() {
				defer conn.Close()
				requests := bufio.NewReader(conn)
				for {
					r, err := http.ReadRequest(requests)
					if err != nil {
						return
					}
					if r.Method == http.MethodPost {
						posts.Add(1)
						return // Closed without a word, as a server does that has just given up waiting.
					}
					body := framed(table(jobRow("48213", "Matched")))
					fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
				}
			})
		}
	})
	defer handlers.Wait()
	defer l.Close()
	c := testClient(t, "http://"+l.Addr().String())
	defer c.Close()
	for range 5 {
		board, err := c.Look(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Accept(t.Context(), board.Jobs[0], false)
		if f := failureOf(t, err); !f.Sent {
			t.Errorf("%+v", f)
		}
	}
	if posts.Load() != 5 {
		t.Errorf("5 forms were sent %d times", posts.Load())
	}
}

func TestDetailsMayBeAskedForInParallel(t *testing.T) {
	s := newStand(t)
	for i := range 8 {
		number := fmt.Sprint(48000 + i)
		s.on("GET /interpreter-jobs/"+number, page200(framed(detailsOf(number, "Kind "+number, "Matched")+rejectFormOf(number))))
	}
	s.on("GET /interpreter-jobs", page200(framed(table(jobRow("48000", "Matched")))))
	c := client(t, s)
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			number := fmt.Sprint(48000 + i%8)
			d, err := c.Details(t.Context(), app.Job{Number: number, DetailsURL: s.URL + "/interpreter-jobs/" + number})
			if err != nil || d.Type != "Kind "+number || d.RejectForm == nil || !strings.Contains(d.RejectForm.Action, number) {
				t.Errorf("%+v, %v", d, err)
			}
			if i%8 == 0 {
				if _, err := c.Look(t.Context()); err != nil {
					t.Error(err)
				}
				c.SetZone(time.UTC)
			}
		})
	}
	all.Wait()
}

// What was handed out is the caller's: later looks do not change it, though the memory
// of the tree is used again.
func TestWhatWasHandedOutStaysAsItWas(t *testing.T) {
	s := newStand(t)
	var body string
	s.on("GET /interpreter-jobs", func(w http.ResponseWriter, r *http.Request) { page200(body)(w, r) })
	c := client(t, s)
	body = boardOf(20, firstToken)
	first, err := c.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before := fmt.Sprintf("%+v", first.Jobs) + encode(first.Jobs[7].AcceptForm.Fields)
	for i := range 5 {
		body = strings.ReplaceAll(boardOf(20+i, secondToken), "Polish", "Klingon")
		if _, err := c.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if after := fmt.Sprintf("%+v", first.Jobs) + encode(first.Jobs[7].AcceptForm.Fields); after != before {
		t.Error("the jobs of the first look have changed")
	}
}

// A look that fails half-way must not make the next one take old forms for new.
func TestTokensStayFreshOverLooksThatFail(t *testing.T) {
	s := newStand(t)
	token, broken := firstToken, false
	s.on("GET /interpreter-jobs", func(w http.ResponseWriter, r *http.Request) {
		page200(strings.Replace(boardOf(2, token), "</section>", `</section><a rel="next" href="?page=2">`, 1))(w, r)
	})
	s.on("GET /interpreter-jobs?page=2", func(w http.ResponseWriter, r *http.Request) {
		if broken {
			page200(loginPage(""))(w, r)
			return
		}
		page200(framed(table(jobRow("51000", "Matched"))))(w, r)
	})
	c := client(t, s)
	for _, step := range []struct {
		token  string
		broken bool
	}{{firstToken, false}, {secondToken, false}, {firstToken, true}, {firstToken, false}, {secondToken, true}, {firstToken, false}, {firstToken, false}} {
		token, broken = step.token, step.broken
		board, err := c.Look(t.Context())
		if broken != (err != nil) {
			t.Fatal(err)
		}
		if err != nil {
			continue
		}
		if len(board.Jobs) != 3 || board.Jobs[0].AcceptForm.Fields[0].Value != token {
			t.Errorf("%d jobs, and the first would be accepted with %s", len(board.Jobs), board.Jobs[0].AcceptForm.Fields[0].Value)
		}
	}
}
