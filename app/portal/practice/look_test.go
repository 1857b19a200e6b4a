package practice_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html/charset"

	"github.com/atozbot/atozbot/app/portal/practice"
)

// many is a scenario of n jobs, from 100 on, listed one after the other.
func many(n int) practice.Scenario {
	s := practice.Scenario{FirstNumber: 100}
	for range n {
		s.Jobs = append(s.Jobs, practice.Job{Language: "Norwegian (Bokmål)", StartsIn: inTwoDays, Minutes: 90})
	}
	return s
}

func TestAMessyBoardSaysTheSameAsATidyOne(t *testing.T) {
	tidy, messy := many(64), many(64)
	messy.Look = practice.MessyLook()
	messy.Look.Charset = ""
	_, a := serve(t, tidy)
	_, b := serve(t, messy)
	a.logIn()
	b.logIn()
	want, got := a.get("/interpreter-jobs").rows(), b.get("/interpreter-jobs").rows()
	if got.Length() != 64 {
		t.Fatalf("%d rows", got.Length())
	}
	for i := range want.Length() {
		row := got.Eq(i)
		if row.Find("form:has(input[type=hidden i][name=_token]):has(input[type=hidden i][name=lock_version])").Length() != 2 ||
			row.Find("a[href*='interpreter-jobs']").Length() != 1 {
			html, _ := row.Html()
			t.Errorf("row %d lacks a form or its link: %s", i, html)
		}
		// The last cell holds the forms, and the submitted time and the appointment may
		// differ by a minute between two portals.
		w, g := cells(want.Eq(i)), cells(got.Eq(i))
		for _, cell := range []int{0, 4, 5, 6} {
			if w[cell] != g[cell] {
				t.Errorf("row %d, cell %d says %q, want %q", i, cell, g[cell], w[cell])
			}
		}
	}
}

func TestMessyDetailsSayTheSameAsTidyOnes(t *testing.T) {
	s := many(16)
	for i := range s.Jobs {
		s.Jobs[i].Extra = []practice.Label{{Label: "Client", Text: "St Mary’s <School>"}}
	}
	s.Look = practice.MessyLook()
	s.Look.Charset, s.Look.OldDetails = "", ""
	_, b := serve(t, s)
	b.logIn()
	for n := 100; n < 116; n++ {
		values := map[string]string{}
		b.get(fmt.Sprintf("/interpreter-jobs/%d", n)).Find(".table--detail tr").Each(func(_ int, row *goquery.Selection) {
			label := strings.Trim(strings.ReplaceAll(row.Find(".table__label").Text(), "\u00a0", " "), " :\n")
			values[label] = mended(row.Find(".table__data").Text())
		})
		if values["Interpreter details"] != practice.TypeTelephone || values["Status"] != "Matched" || values["Client"] != "St Mary’s <School>" {
			t.Errorf("job %d: %q", n, values)
		}
	}
}

func TestAMessyLogInFormWantsAllOfItsFields(t *testing.T) {
	s := oneJob()
	s.Look = practice.MessyLook()
	p, b := serve(t, s)
	if b.logIn().path != "/dashboard" {
		t.Error("the whole form is not taken")
	}
	other := newBrowser(t, b.base)
	_, fields := other.form(other.get("/login"), "form:has(input[name=password])")
	fields.Del("valid_from")
	fields.Set("email", practice.DefaultEmail)
	fields.Set("password", practice.DefaultPassword)
	if other.post("/login", fields).path != "/login" {
		t.Error("half of the form is taken")
	}
	wantWrong(t, p, practice.WrongFields)
}

func TestEachCellOfARowIsWhereItBelongs(t *testing.T) {
	starts := time.Date(2027, 7, 31, 13, 30, 0, 0, time.UTC) // 14:30 on the wall in summer.
	for dates, want := range map[string]string{"": "2027-07-31", "british": "31/07/2027"} {
		s := practice.Scenario{
			Jobs: []practice.Job{{Number: 7, Suffix: "B", Starts: starts, Minutes: 90, Language: "Urdu"}},
			Look: practice.Look{Dates: dates},
		}
		_, b := serve(t, s)
		b.logIn()
		got := cells(b.get("/interpreter-jobs").rows())
		if got[0] != "7/B" || got[2] != want || got[3] != "14:30" || got[4] != "1 hour 30 minutes" || got[5] != "Urdu" || got[6] != "Matched" {
			t.Errorf("the row says %q", got)
		}
	}
}

func TestDurationsAreWrittenAsThePortalDoes(t *testing.T) {
	s := practice.Scenario{Board: practice.BoardRules{OldestFirst: true}}
	want := map[int]string{15: "15 mins", 60: "1 hour", 90: "1 hour 30 minutes", 120: "2 hours", 150: "2 hours 30 minutes"}
	minutes := []int{15, 60, 90, 120, 150}
	for _, m := range minutes {
		s.Jobs = append(s.Jobs, practice.Job{Minutes: m})
	}
	_, b := serve(t, s)
	b.logIn()
	rows := b.get("/interpreter-jobs").rows()
	for i, m := range minutes {
		if got := cells(rows.Eq(i))[4]; got != want[m] {
			t.Errorf("%d minutes are written %q, want %q", m, got, want[m])
		}
	}
}

func TestWhatNobodyCanUnderstandIsWrittenAsItIs(t *testing.T) {
	_, b := serve(t, practice.Scenario{Jobs: []practice.Job{{
		Number:  7,
		Written: practice.Written{Ref: " 7 / A ", Submitted: "-", Date: "tbc", Time: "25:61", Duration: "as needed", Language: "-"},
	}}})
	b.logIn()
	got := cells(b.get("/interpreter-jobs").rows())
	if want := []string{"7 / A", "", "tbc", "25:61", "as needed", ""}; !slices.Equal(got[:6], want) {
		t.Errorf("the row says %q, want %q", got[:6], want)
	}
}

func TestTheBoardGoesOnOnMorePages(t *testing.T) {
	for _, absolute := range []bool{false, true} {
		s := many(23)
		s.Board.PageSize = 10
		s.Look.AbsoluteLinks = absolute
		_, b := serve(t, s)
		b.logIn()
		var refs []string
		path := "/interpreter-jobs"
		pages := 0
		for ; path != ""; pages++ {
			p := b.get(path)
			p.rows().Each(func(_ int, row *goquery.Selection) { refs = append(refs, cells(row)[0]) })
			path = p.Find("a[rel=next]").AttrOr("href", "")
			if absolute && path != "" && !strings.HasPrefix(path, "http://") {
				t.Errorf("the link %s is not absolute", path)
			}
		}
		if pages != 3 || len(refs) != 23 || refs[0] != "122/A" || refs[22] != "100/A" {
			t.Errorf("%d pages: %q", pages, refs)
		}
		if beyond := b.get("/interpreter-jobs?page=9"); beyond.rows().Length() != 0 || beyond.Find("td[colspan]").Length() != 1 {
			t.Error("a page beyond the last is not empty")
		}
	}
}

func TestLinksAndFormsCanBeAbsolute(t *testing.T) {
	s := many(20)
	s.Look.AbsoluteLinks = true
	_, b := serve(t, s)
	b.logIn()
	absolute := 0
	board := b.get("/interpreter-jobs")
	board.rows().Each(func(_ int, row *goquery.Selection) {
		href := row.Find("a[href*='interpreter-jobs']").AttrOr("href", "")
		if strings.HasPrefix(href, b.base) {
			absolute++
		}
		if got := b.get(href); got.status != http.StatusOK || got.Find(".table--detail").Length() != 1 {
			t.Errorf("%s answers %d", href, got.status)
		}
	})
	if absolute == 0 || absolute == 20 {
		t.Errorf("%d of 20 links are absolute", absolute)
	}
	after := b.submit(board, "form[action$='/interpreter-jobs/100/matched']")
	if after.path != "/interpreter-jobs" {
		t.Errorf("the POST led to %s", after.path)
	}
}

func TestARejectFormOnTheBoardIsNotTheAcceptForm(t *testing.T) {
	s := oneJob()
	s.Look = practice.Look{RejectOnBoard: true, ActionQuery: true}
	p, b := serve(t, s)
	b.logIn()
	row := b.get("/interpreter-jobs").rows()
	if row.Find("form").Length() != 2 || !strings.HasSuffix(row.Find("form").First().AttrOr("action", ""), "/matched/reject") {
		html, _ := row.Html()
		t.Errorf("the row is %s", html)
	}
	b.submit(b.get("/interpreter-jobs"), "form[action$='/matched/reject']")
	if j := truthOf(t, p, 7); len(j.Rejected) != 1 {
		t.Errorf("the truth is %+v", j)
	}
}

func TestTheSameBoardIsTheSameBytesWithoutNoise(t *testing.T) {
	for _, noise := range []bool{false, true} {
		s := many(5)
		s.Look = practice.Look{Messy: true, Noise: noise}
		_, b := serve(t, s)
		b.logIn()
		first, again := b.get("/interpreter-jobs").body, b.get("/interpreter-jobs").body
		if (first != again) != noise {
			t.Errorf("noise %v: the bytes differ: %v", noise, first != again)
		}
	}
}

func TestThePortalCanSpeakWindows1252(t *testing.T) {
	for _, meta := range []bool{false, true} {
		s := practice.Scenario{Jobs: []practice.Job{{Number: 7, Language: "Bokmål – Māori"}}, Look: practice.Look{Charset: "windows-1252", CharsetInMeta: meta}}
		_, b := serve(t, s)
		b.logIn()
		p := b.get("/interpreter-jobs")
		if !strings.Contains(p.body, "Bokm\xe5l \x96 M&#257;ori") {
			t.Errorf("the bytes are not in the charset:\n%s", p.body)
		}
		if got := p.header.Get("Content-Type"); strings.Contains(got, "windows-1252") == meta {
			t.Errorf("Content-Type is %q", got)
		}
		decoded, err := charset.NewReader(strings.NewReader(p.body), p.header.Get("Content-Type"))
		if err != nil {
			t.Fatal(err)
		}
		doc, err := goquery.NewDocumentFromReader(decoded)
		if err != nil {
			t.Fatal(err)
		}
		if got := cells(doc.Find("tbody tr"))[5]; got != "Bokmål – Māori" {
			t.Errorf("the language is %q", got)
		}
	}
}

func TestPagesAreCompressedForThoseWhoTakeIt(t *testing.T) {
	s := many(20)
	s.Look.Gzip = true
	_, b := serve(t, s)
	b.logIn()
	b.client.Transport.(*http.Transport).DisableCompression = true
	plain := b.get("/interpreter-jobs")
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, b.base+"/interpreter-jobs", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	answer, err := b.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	packed, _ := io.ReadAll(answer.Body)
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil || string(text) != plain.body || len(packed) >= len(text) || answer.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("%d bytes packed, %d unpacked, %d plain: %v", len(packed), len(text), len(plain.body), err)
	}
}

func TestTheDetailsCanCarryMoreFormsThanTheOneToReject(t *testing.T) {
	s := oneJob()
	s.Look = practice.Look{AcceptOnDetails: true, HiddenCancel: true, Clutter: true}
	s.Board.AfterAct = "details"
	p, b := serve(t, s)
	b.logIn()
	after := b.submit(b.get("/interpreter-jobs/7"), acceptForm)
	if after.path != "/interpreter-jobs/7" || truthOf(t, p, 7).State != "accepted" {
		t.Errorf("the POST led to %s", after.path)
	}
	if after.Find("#cancelModal[hidden] form").Length() != 1 || after.Find("form[action*=matched]").Length() != 0 {
		t.Errorf("the details of the booking are\n%s", after.body)
	}
	wantNothingWrong(t, p)
}

func TestAnActCanBeAnsweredWithTheBoardItself(t *testing.T) {
	s := oneJob()
	s.Board.AfterAct = "page"
	p, b := serve(t, s)
	b.logIn()
	after := b.submit(b.get("/interpreter-jobs"), acceptForm)
	if after.path != "/interpreter-jobs/7/matched" || cells(after.rows())[6] != "Accepted" {
		t.Errorf("the answer at %s is\n%s", after.path, after.body)
	}
	wantNothingWrong(t, p)
}

func TestAcceptedRowsLeaveTheBoardAsTheRulesSay(t *testing.T) {
	t.Run("at once", func(t *testing.T) {
		_, b := serve(t, oneJob(func(s *practice.Scenario) { s.Board.KeepAccepted = -1 }))
		b.logIn()
		if after := b.submit(b.get("/interpreter-jobs"), acceptForm); after.rows().Length() != 0 {
			t.Error("it is on the board still")
		}
		if got := b.get("/interpreter-jobs/7"); !strings.Contains(got.body, "Accepted") {
			t.Errorf("the details say\n%s", got.body)
		}
	})
	t.Run("when there are too many", func(t *testing.T) {
		s := many(5)
		s.Board.AcceptedRows = 2
		_, b := serve(t, s)
		b.logIn()
		var left *page
		for n := 100; n < 105; n++ {
			left = b.submit(b.get("/interpreter-jobs"), fmt.Sprintf("form[action='/interpreter-jobs/%d/matched']", n))
		}
		if rows := left.rows(); rows.Length() != 2 || cells(rows.Eq(0))[0] != "104/A" || cells(rows.Eq(1))[0] != "103/A" {
			t.Errorf("the board shows\n%s", rows.Text())
		}
	})
	t.Run("after a while", func(t *testing.T) {
		now := time.Now()
		s := oneJob()
		s.Board.KeepAccepted = time.Minute
		b := serveHandler(t, practice.New(s, practice.Options{Now: func() time.Time { return now }}))
		b.logIn()
		if after := b.submit(b.get("/interpreter-jobs"), acceptForm); after.rows().Length() != 1 {
			t.Error("it left the board too early")
		}
		now = now.Add(time.Minute)
		if b.get("/interpreter-jobs").rows().Length() != 0 {
			t.Error("it is on the board still")
		}
	})
}

func TestTheBoardCanBeElsewhere(t *testing.T) {
	s := oneJob()
	s.Board.Path = "/en/interpreter-jobs/list"
	p, b := serve(t, s)
	b.logIn()
	after := b.submit(b.get("/en/interpreter-jobs/list"), acceptForm)
	if after.path != "/en/interpreter-jobs/list" || truthOf(t, p, 7).State != "accepted" {
		t.Errorf("the POST led to %s", after.path)
	}
}

func TestThePortalCanStandUnderAPrefix(t *testing.T) {
	for _, absolute := range []bool{false, true} {
		s := many(3)
		s.Prefix, s.Board.PageSize, s.Look.AbsoluteLinks = "/agency", 2, absolute
		s.Session.LandsOn = "intended"
		p, b := serve(t, s)
		if got := b.get("/interpreter-jobs").path; got != "/agency/login" {
			t.Errorf("outside of the prefix: %s", got)
		}
		b.base += "/agency"
		b.get("/interpreter-jobs?page=2")
		action, fields := b.form(b.get("/login"), "form:has(input[name=password])")
		fields.Set("email", practice.DefaultEmail)
		fields.Set("password", practice.DefaultPassword)
		b.base = strings.TrimSuffix(b.base, "/agency")
		second := b.post(action, fields)
		if second.path != "/agency/interpreter-jobs?page=2" {
			t.Fatalf("the log-in led to %s", second.path)
		}
		after := b.submit(second, "form[action$='/agency/interpreter-jobs/100/matched']")
		if after.path != "/agency/interpreter-jobs" || truthOf(t, p, 100).State != "accepted" {
			t.Errorf("the POST led to %s", after.path)
		}
		details := b.get(after.Find("a[href*='/interpreter-jobs/101']").AttrOr("href", ""))
		if got := b.submit(details, "form[action$='/matched/reject']").rows().Length(); got != 2 {
			t.Errorf("after the rejection %d rows", got)
		}
		wantNothingWrong(t, p)
	}
}

func TestARowCanLackItsLinkAndItsForm(t *testing.T) {
	s := oneJob()
	s.Jobs[0].NoLink, s.Jobs[0].NoAcceptForm, s.Jobs[0].NoRejectForm = true, true, true
	_, b := serve(t, s)
	b.logIn()
	if row := b.get("/interpreter-jobs").rows(); row.Find("a, form").Length() != 0 || row.Length() != 1 {
		t.Error("the row has them")
	}
	if b.get("/interpreter-jobs/7").Find("form[action*=matched]").Length() != 0 {
		t.Error("the details have a form")
	}
}
