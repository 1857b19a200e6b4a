package practice_test

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"go.uber.org/goleak"

	"github.com/atozbot/atozbot/app/portal/practice"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// browser drives a portal as a person with a browser would: it keeps cookies, follows
// redirects, and submits forms with all of their fields.
type browser struct {
	t      *testing.T
	base   string
	client *http.Client
}

// page is what the browser shows.
type page struct {
	*goquery.Document
	status int
	path   string
	header http.Header
	body   string
}

// serve puts a portal on the network for the length of the test.
func serve(t *testing.T, s practice.Scenario) (*practice.Portal, *browser) {
	t.Helper()
	p := practice.New(s, practice.Options{})
	server := httptest.NewServer(p)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the portal ended with %v", err)
		}
		server.CloseClientConnections()
		server.Close()
	})
	return p, newBrowser(t, server.URL)
}

// serveHandler puts a portal on the network whose time passes only with its requests.
func serveHandler(t *testing.T, h http.Handler) *browser {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return newBrowser(t, server.URL)
}

func newBrowser(t *testing.T, base string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &browser{t: t, base: base, client: &http.Client{Jar: jar, Transport: transport, Timeout: 5 * time.Second}}
}

// try asks for a page and gives the error where there is none.
func (b *browser) try(method, target string, form url.Values) (*page, error) {
	b.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = b.base + target
	}
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, target, body)
	if err != nil {
		b.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := b.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(string(text)))
	if err != nil {
		b.t.Fatal(err)
	}
	return &page{doc, answer.StatusCode, answer.Request.URL.RequestURI(), answer.Header, string(text)}, nil
}

func (b *browser) get(path string) *page {
	b.t.Helper()
	p, err := b.try(http.MethodGet, path, nil)
	if err != nil {
		b.t.Fatalf("GET %s: %v", path, err)
	}
	return p
}

func (b *browser) post(path string, form url.Values) *page {
	b.t.Helper()
	p, err := b.try(http.MethodPost, path, form)
	if err != nil {
		b.t.Fatalf("POST %s: %v", path, err)
	}
	return p
}

// form gives where a form leads and the fields that it sends.
func (b *browser) form(p *page, selector string) (string, url.Values) {
	b.t.Helper()
	form := p.Find(selector)
	if form.Length() != 1 {
		b.t.Fatalf("%d forms %s on %s:\n%s", form.Length(), selector, p.path, p.body)
	}
	fields := url.Values{}
	form.Find("input[name], button[name]").Each(func(_ int, input *goquery.Selection) {
		if kind, _ := input.Attr("type"); kind != "checkbox" {
			fields.Set(input.AttrOr("name", ""), input.AttrOr("value", ""))
		}
	})
	return form.AttrOr("action", ""), fields
}

// submit sends a form as it stands.
func (b *browser) submit(p *page, selector string) *page {
	b.t.Helper()
	action, fields := b.form(p, selector)
	return b.post(action, fields)
}

// submitFields sends other fields than a form has.
func (b *browser) submitFields(p *page, selector string, fields url.Values) *page {
	b.t.Helper()
	action, _ := b.form(p, selector)
	return b.post(action, fields)
}

// parse reads a number.
func parse(t *testing.T, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// logIn logs in with the data of the usual account.
func (b *browser) logIn() *page {
	b.t.Helper()
	return b.logInWith(practice.DefaultEmail, practice.DefaultPassword)
}

func (b *browser) logInWith(email, password string) *page {
	b.t.Helper()
	action, fields := b.form(b.get("/login"), "form:has(input[name=password])")
	fields.Set("email", email)
	fields.Set("password", password)
	return b.post(action, fields)
}

// rows gives the board's rows that are jobs.
func (p *page) rows() *goquery.Selection {
	return p.Find("section.content__table table tbody tr.table__row").FilterFunction(func(_ int, row *goquery.Selection) bool {
		return row.Find("td.table__data").Length() >= 8
	})
}

// cells gives a row's texts with the white space mended.
func cells(row *goquery.Selection) []string {
	return row.Find("td.table__data").Map(func(_ int, cell *goquery.Selection) string {
		return mended(cell.Text())
	})
}

func mended(text string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(text, "\u00a0", " ")), " ")
}
