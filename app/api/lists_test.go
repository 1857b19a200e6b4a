package api_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/api"
)

func TestTheNextPagesLeadThroughTheWholeList(t *testing.T) {
	h := newHouse()
	h.addJobs(9) // Twelve with those that are there.
	s := h.serve(t)
	next := regexp.MustCompile(`^<([^>]+)>; rel="next"$`)
	target := "/api/bot/jobs?limit=5&language=polish&q=%34%38&offset=0"
	var ids []string
	for pages := 1; ; pages++ {
		w := request(s, "GET", target, "")
		if w.Code != 200 || w.Header().Get("X-Total-Count") != "12" {
			t.Fatalf("%s answers %d, X-Total-Count %q", target, w.Code, w.Header().Get("X-Total-Count"))
		}
		for _, j := range decode[[]api.JobJSON](t, w) {
			ids = append(ids, j.ID)
		}
		link := w.Header().Get("Link")
		if link == "" {
			if pages != 3 {
				t.Errorf("there were %d pages, want 3", pages)
			}
			break
		}
		m := next.FindStringSubmatch(link)
		if m == nil {
			t.Fatalf("the Link header is %q", link)
		}
		target = m[1]
		u, err := url.Parse(target)
		if err != nil || u.Query().Get("language") != "polish" || u.Query().Get("q") != "48" || u.Query().Has("offset") {
			t.Fatalf("the next page %q has not the same filters", target)
		}
	}
	if len(ids) != 12 {
		t.Errorf("the pages have %d jobs, want 12: %v", len(ids), ids)
	}
	if w := request(s, "GET", "/api/bot/jobs?limit=2&offset=10", ""); len(decode[[]api.JobJSON](t, w)) != 2 {
		t.Errorf("by offset the last two are %s", w.Body)
	}
}

func TestAListIsNeverNull(t *testing.T) {
	h := newHouse()
	h.jobs = nil
	s := h.serve(t)
	for _, path := range []string{"/api/bot/jobs", "/api/bot/sessions", "/api/logs", "/api/audit", "/api/tokens", "/api/bot/jobs/export?format=json"} {
		if w := request(s, "GET", path, ""); strings.TrimSpace(w.Body.String()) != "[]" {
			t.Errorf("%s with nothing in it answers %s", path, w.Body)
		}
	}
}

// awkward is a job that every encoder has to get right.
func awkward() app.JobRecord {
	at := time.Date(2027, 1, 31, 10, 15, 2, 114_500_000, time.FixedZone("", 3600))
	return app.JobRecord{
		ID: "i", AccountID: app.DefaultAccountID, Ref: "1/A \"quoted\" \\ <b>&amp;", Number: "1", Language: "Kurdish \u2028\u2029 \x00\x1f\x7f\b\f\n\r\t \xff\xfe 日本 😀",
		Date: "2027-02-03", DurationText: "=1+1", Status: app.JobLost, SeenAt: at, GoneAt: at.Add(time.Nanosecond), Sightings: 1 << 60,
		RejectionReason: "\xed\xa0\x80", DurationMinutes: -3,
	}
}

func TestTheFastEncoderGivesWhatTheSlowOneGives(t *testing.T) {
	h := newHouse()
	h.jobs = append(h.jobs, awkward(), app.JobRecord{AccountID: app.DefaultAccountID})
	s := h.serve(t)
	list := request(s, "GET", "/api/bot/jobs", "")
	var got, want bytes.Buffer
	if err := json.Compact(&got, list.Body.Bytes()); err != nil {
		t.Fatal(err)
	}
	// The details are encoded by the standard library from the same fields.
	jobs := decode[[]api.JobJSON](t, list)
	enc := json.NewEncoder(&want)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(jobs); err != nil {
		t.Fatal(err)
	}
	// What is no UTF-8 is replaced by both, and only spelt in another way after decoding.
	spelt := strings.ReplaceAll(got.String(), `\ufffd`, "\ufffd")
	if diff := cmp.Diff(strings.TrimSpace(want.String()), spelt); diff != "" {
		t.Errorf("the encoders differ (-standard +ours):\n%s", diff)
	}
	var details api.JobDetailJSON
	w := request(s, "GET", "/api/bot/jobs/i", "")
	if err := json.Unmarshal(w.Body.Bytes(), &details); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(details.JobJSON, jobs[3]); diff != "" {
		t.Errorf("the list and the details differ:\n%s", diff)
	}
	if jobs[3].ScrapedAt.Format(time.RFC3339Nano) != "2027-01-31T09:15:02.1145Z" {
		t.Errorf("the time is %v, want UTC", jobs[3].ScrapedAt)
	}
}

func TestAJobShowsEveryRuleAndItsTimeLine(t *testing.T) {
	h := newHouse()
	seen := h.now
	h.jobs[0].ListedAt, h.jobs[0].SeenAt = seen.Add(-96*time.Millisecond), seen
	h.jobs[0].DecidedAt, h.jobs[0].PostedAt, h.jobs[0].ConfirmedAt = seen.Add(1200*time.Microsecond), seen.Add(5*time.Millisecond), seen.Add(time.Second)
	w := request(h.serve(t), "GET", "/api/bot/jobs/"+h.jobs[0].ID, "")
	got := decode[map[string]any](t, w)
	want := map[string]any{
		"seen_at": "2027-01-31T10:15:02.114Z", "listed_ms": -96.0, "seen_ms": 0.0, "decided_ms": 1.2, "claimed_ms": nil, "posted_ms": 5.0, "confirmed_ms": 1000.0,
	}
	if diff := cmp.Diff(want, got["timeline"]); diff != "" {
		t.Errorf("the time line differs (-want +got):\n%s", diff)
	}
	decision, _ := got["decision"].(map[string]any)
	rules, _ := decision["rules"].([]any)
	rule, _ := rules[0].(map[string]any)
	if rule["rule"] != "job_type" || rule["held"] != "held" || rule["saw"] != "Telephone interpreting" {
		t.Errorf("the rules are %v", rules)
	}
}

func TestAnAnswerToAskIsTakenOnce(t *testing.T) {
	h := newHouse()
	s := h.serve(t)
	target := "/api/bot/jobs/" + h.jobs[0].ID + "/accept"
	if w := request(s, "POST", target, ""); w.Code != 200 || !h.answers[h.jobs[0].Number] {
		t.Errorf("the answer gets %d %s", w.Code, w.Body)
	}
	if w := request(s, "POST", target, ""); w.Code != http.StatusConflict {
		t.Errorf("a second answer gets %d, want 409", w.Code)
	}
}

func TestTheExportIsSafeInASpreadsheet(t *testing.T) {
	h := newHouse()
	h.jobs = []app.JobRecord{awkward()}
	for _, formula := range []string{"=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\t=1", "  =1", "\u00a0=1", "＝1", "\n=1"} {
		h.jobs = append(h.jobs, app.JobRecord{ID: "x", AccountID: app.DefaultAccountID, Language: formula})
	}
	w := request(h.serve(t), "GET", "/api/bot/jobs/export?format=csv", "")
	rows, err := csv.NewReader(w.Body).ReadAll()
	if err != nil || w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Disposition"), `attachment; filename="jobs.csv"`) {
		t.Fatalf("%d %v %v", w.Code, w.Header(), err)
	}
	if len(rows) != len(h.jobs)+1 || len(rows[0]) != len(rows[1]) || rows[0][2] != "job_ref" || rows[1][7] != "'=1+1" {
		t.Errorf("the file is %q", rows)
	}
	for _, row := range rows[2:] {
		if !strings.HasPrefix(row[4], "'") {
			t.Errorf("%q would be taken for a formula", row[4])
		}
	}
}

func TestTheAuditLogIsExportedWhole(t *testing.T) {
	h := newHouse()
	for range 2500 { // More than one page of it.
		h.audit = append(h.audit, api.AuditEntry{ID: "e", At: h.now, Kind: api.KindUser, Who: "=admin", What: "bot.start", After: `{"a":1}`})
	}
	s := h.serve(t)
	rows, err := csv.NewReader(request(s, "GET", "/api/audit/export", "").Body).ReadAll()
	if err != nil || len(rows) != 2501 || rows[1][3] != "'=admin" || rows[1][8] != `{"a":1}` {
		t.Errorf("as CSV it has %d lines: %v", len(rows), err)
	}
	if got := decode[[]api.AuditJSON](t, request(s, "GET", "/api/audit/export?format=json", "")); len(got) != 2500 || string(got[0].After) != `{"a":1}` {
		t.Errorf("as JSON it has %d entries", len(got))
	}
}

func TestTheExportHasTheFiltersOfTheList(t *testing.T) {
	h := newHouse()
	h.jobs[1].Status = app.JobAccepted
	s := h.serve(t)
	w := request(s, "GET", "/api/bot/jobs/export?format=json&status=accepted", "")
	jobs := decode[[]api.JobJSON](t, w)
	if len(jobs) != 1 || jobs[0].ID != h.jobs[1].ID {
		t.Errorf("the export has %+v", jobs)
	}
}

// countingWriter counts what goes out, and how much is held back at most.
type countingWriter struct {
	httptest.ResponseRecorder
	bytes   int
	largest int
	header  http.Header
}

func (c *countingWriter) Header() http.Header { return c.header }
func (c *countingWriter) WriteHeader(int)     {}
func (c *countingWriter) Write(b []byte) (int, error) {
	c.bytes += len(b)
	c.largest = max(c.largest, len(b))
	return len(b), nil
}

func TestAMillionRowsAreExportedInBoundedMemory(t *testing.T) {
	if testing.Short() && os.Getenv("CI") == "" {
		t.Skip("skipped: a million rows take a while")
	}
	h := newHouse()
	const rows = 1_000_000
	o := h.options(h.hub(t))
	o.Jobs = manyJobs{house: h, rows: rows}
	w := &countingWriter{header: http.Header{}}
	r := httptest.NewRequest(http.MethodGet, "/api/bot/jobs/export", nil)
	r.Header.Set("Authorization", "Bearer "+environmentToken)
	api.New(o).ServeHTTP(w, r)
	if w.bytes < rows*100 || w.largest > 1<<20 {
		t.Errorf("%d bytes went out, %d of them at once; want all, and no more than a part at once", w.bytes, w.largest)
	}
}

func TestAPageIsNeverOlderThanTheRecords(t *testing.T) {
	h := newHouse()
	s := h.serve(t)
	first := request(s, "GET", "/api/bot/jobs?limit=2", "")
	h.jobs[0].Status = app.JobLost
	if same := request(s, "GET", "/api/bot/jobs?limit=2", ""); same.Body.String() != first.Body.String() || same.Header().Get("Link") != first.Header().Get("Link") {
		t.Error("at the same revision the page is read anew")
	}
	if other := request(s, "GET", "/api/bot/jobs?limit=3", ""); len(decode[[]api.JobJSON](t, other)) != 3 {
		t.Error("another page is answered with the same")
	}
	h.revision++
	if fresh := decode[[]api.JobJSON](t, request(s, "GET", "/api/bot/jobs?limit=2", "")); fresh[0].Status != app.JobLost {
		t.Error("after a change the page is still the old one")
	}
	for i := range 200 { // More than is kept.
		request(s, "GET", "/api/bot/jobs?limit="+itoa(i+1), "")
	}
	if again := request(s, "GET", "/api/bot/jobs?limit=2", ""); again.Code != 200 || len(decode[[]api.JobJSON](t, again)) != 2 {
		t.Error("after many other pages it is gone")
	}
}
