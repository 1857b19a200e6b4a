package practice_test

import (
	"context"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"github.com/atozbot/atozbot/app/portal/practice"
)

// clock is a time that passes only when somebody waits.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Wait(_ context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return nil
}

// careful is the least that a careful client does: it knows what is expected of each
// job, acts on nothing that a look does not show as free, and looks again after each act.
type careful struct {
	*browser
	clock  *clock
	expect map[string]practice.Expect
	tried  map[string]int
}

// ask asks for a page until it is none that a fault has made, or gives up after some tries.
func (c *careful) ask(path string, wanted func(*page) bool) *page {
	for range 20 {
		p, err := c.try(http.MethodGet, path, nil)
		if err != nil {
			continue
		}
		c.obey(p)
		if p.Find("input[name=password]").Length() > 0 {
			c.logInAgain()
			continue
		}
		if wanted(p) {
			return p
		}
	}
	return nil
}

// obey waits as long as a page asks for.
func (c *careful) obey(p *page) {
	if seconds, err := strconv.Atoi(p.header.Get("Retry-After")); err == nil {
		_ = c.clock.Wait(c.t.Context(), time.Duration(seconds)*time.Second)
	}
}

func (c *careful) logInAgain() {
	for range 5 {
		p, err := c.try(http.MethodGet, "/login", nil)
		if err != nil || p.Find("input[name=password]").Length() == 0 {
			return
		}
		action, fields := c.form(p, "form:has(input[name=password])")
		fields.Set("email", practice.DefaultEmail)
		fields.Set("password", practice.DefaultPassword)
		if in, err := c.try(http.MethodPost, action, fields); err == nil && in.Find(".dashboard").Length() == 1 {
			return
		}
	}
}

// offer is a free job on the board, with the fields of its accept form.
type offer struct {
	number string
	fields url.Values
}

// look reads the whole board, and gives the free jobs as they stand there.
func (c *careful) look() []offer {
	var free []offer
	for path := "/interpreter-jobs"; path != ""; {
		p := c.ask(path, func(p *page) bool {
			return p.Find("section.content__table table tbody").Length() == 1 && strings.HasSuffix(strings.TrimSpace(p.body), "</html>")
		})
		if p == nil {
			return free
		}
		p.rows().Each(func(_ int, row *goquery.Selection) {
			if text := cells(row); text[6] == "Matched" {
				number, _, _ := strings.Cut(text[0], "/")
				fields := url.Values{}
				form := row.Find("form").FilterFunction(func(_ int, f *goquery.Selection) bool {
					u, err := url.Parse(f.AttrOr("action", ""))
					return err == nil && u.Path == "/interpreter-jobs/"+number+"/matched"
				})
				form.Find("input[name], button[name]").Each(func(_ int, input *goquery.Selection) {
					fields.Set(input.AttrOr("name", ""), input.AttrOr("value", ""))
				})
				free = append(free, offer{number, fields})
			}
		})
		path = p.Find("a[rel=next]").AttrOr("href", "")
	}
	return free
}

// round looks, acts on one free job, and tells whether there was one.
func (c *careful) round() bool {
	for _, o := range c.look() {
		number, fields := o.number, o.fields
		if c.tried[number] > 30 {
			continue
		}
		switch c.expect[number] {
		case practice.ExpectAccept:
			c.act("/interpreter-jobs/"+number+"/matched", fields)
		case practice.ExpectReject:
			details := c.ask("/interpreter-jobs/"+number, func(p *page) bool {
				return strings.Contains(p.Find("h1").Text(), number) || strings.Contains(p.body, "no longer available") || p.status == http.StatusNotFound
			})
			if details == nil || details.Find("form[action*='"+number+"/matched/reject']").Length() == 0 {
				continue
			}
			action, fields := c.form(details, "form[action*='/matched/reject']")
			c.act(action, fields)
		default:
			continue
		}
		c.tried[number]++
		return true
	}
	return false
}

func (c *careful) act(action string, fields url.Values) {
	if p, err := c.try(http.MethodPost, action, fields); err == nil {
		c.obey(p)
	}
}

// run lets a careful client work through a scenario, and gives the truth at its end.
func run(t *testing.T, s practice.Scenario) practice.Truth {
	t.Helper()
	time0 := &clock{now: time.Date(2027, 3, 1, 9, 0, 0, 0, time.UTC)}
	p := practice.New(s, practice.Options{Now: time0.Now, Wait: time0.Wait})
	c := &careful{browser: serveHandler(t, p), clock: time0, expect: map[string]practice.Expect{}, tried: map[string]int{}}
	for _, j := range s.Jobs {
		c.expect[strconv.FormatInt(j.Number, 10)] = j.Expect
	}
	for rounds := 0; ; rounds++ {
		if !c.round() {
			if p.Counts().Coming == 0 {
				break
			}
			_ = time0.Wait(t.Context(), 50*time.Millisecond)
		}
		if rounds > 100*len(s.Jobs) {
			t.Fatal("the run does not end")
		}
	}
	return p.Truth()
}

func TestACarefulClientGetsWhatItShouldThroughEveryFault(t *testing.T) {
	s := practice.Blend{Seed: 12, Jobs: 120, Contested: -1}.Scenario()
	for i := range s.Jobs {
		s.Jobs[i].Number = int64(50000 + i)
		if s.Jobs[i].Expect != practice.ExpectAccept {
			s.Jobs[i].RivalAfter = time.Hour
		}
	}
	s.Faults = practice.EveryFault(0.05, 100*time.Millisecond)
	s.Session = practice.SessionRules{Requests: 150, TokenPosts: 40}
	s.Board.PageSize = 25
	s.Look = practice.MessyLook()
	s.Look.Charset = ""
	truth := run(t, s)

	for _, w := range truth.Wrong {
		t.Errorf("wrong: %+v", w)
	}
	snatched := 0
	for _, j := range truth.Jobs {
		switch {
		case j.Expect == practice.ExpectAccept && (j.RivalFirst || j.Holder == practice.Rival):
			snatched++
		case j.Expect == practice.ExpectAccept && j.State != "accepted":
			t.Errorf("job %d is %s after %+v", j.Number, j.State, j.Acts)
		case j.Expect == practice.ExpectReject && len(j.Rejected) != 1 && j.Holder != practice.Rival:
			t.Errorf("job %d was not rejected: %+v", j.Number, j.Acts)
		case (j.Expect == practice.ExpectLeave || j.Expect == practice.ExpectIgnore) && len(j.Acts) != 0:
			t.Errorf("job %d was touched", j.Number)
		}
	}
	if won, missed := truth.Missed(practice.DefaultEmail, time.Second); len(missed) != 0 || won < 40 {
		t.Errorf("won %d, missed %+v", won, missed)
	}
	if mistakes := truth.Mistakes(practice.DefaultEmail); len(mistakes) != 0 {
		t.Errorf("mistakes: %+v", mistakes)
	}
	if snatched == 0 || snatched > 40 {
		t.Errorf("rivals were faster at %d jobs", snatched)
	}
	struck := map[practice.FaultKind]int{}
	for _, f := range truth.Faults {
		struck[f.Kind] += f.Hits
	}
	for kind, hits := range struck {
		if hits == 0 {
			t.Errorf("%s never struck", kind)
		}
	}
	if truth.Traffic.AtOnce != 1 {
		t.Errorf("%d requests at once", truth.Traffic.AtOnce)
	}
}

func TestAMixedScenarioIsTheSameForTheSameSeed(t *testing.T) {
	a, b, c := practice.Mixed(5, 500), practice.Mixed(5, 500), practice.Mixed(6, 500)
	if !reflect.DeepEqual(a, b) {
		t.Error("the same seed made two scenarios")
	}
	if reflect.DeepEqual(a.Jobs, c.Jobs) {
		t.Error("two seeds made the same jobs")
	}
	if err := a.Validate(); err != nil {
		t.Error(err)
	}
}

func TestAMixedScenarioHasEveryKindAndFewOverlaps(t *testing.T) {
	s := practice.Mixed(5, 2000)
	kinds := map[practice.Kind]int{}
	at := map[string]int{}
	fitting, overlapping := 0, 0
	for _, j := range s.Jobs {
		kinds[j.Kind]++
		if j.Expect != practice.ExpectAccept {
			continue
		}
		fitting++
		when := strconv.Itoa(j.Day) + " " + j.Clock
		if at[when] > 0 {
			overlapping++
		}
		at[when]++
		if j.Day < 2 {
			t.Errorf("job %d is within a day or two: %s", j.Number, when)
		}
	}
	for kind := range practice.UsualMix() {
		if kinds[kind] == 0 {
			t.Errorf("there is no %s", kind)
		}
	}
	if fitting < 1000 || overlapping < fitting/50 || overlapping > fitting/8 {
		t.Errorf("%d of %d overlap", overlapping, fitting)
	}
}

func TestNoTwoFittingJobsOverlapWhereNoneIsToOverlap(t *testing.T) {
	s := practice.Blend{Seed: 3, Jobs: 250, Overlapping: -1, Contested: -1, Snatched: -1}.Scenario()
	s.Board.KeepAccepted = 0
	truth := run(t, s)
	if got := truth.Overlaps(practice.DefaultEmail); len(got) != 0 {
		t.Errorf("%d overlap, the first are %+v", len(got), got[0])
	}
	if len(truth.HeldBy(practice.DefaultEmail)) < 100 {
		t.Errorf("only %d were taken", len(truth.HeldBy(practice.DefaultEmail)))
	}
}

func TestARunIsTheSameForTheSameSeed(t *testing.T) {
	s := practice.Mixed(9, 150)
	s.Faults = practice.EveryFault(0.03, 100*time.Millisecond)
	s.Latency = map[practice.Page]practice.Latency{practice.PageAny: {Mean: 5 * time.Millisecond, Jitter: 3 * time.Millisecond}}
	a, b := run(t, s), run(t, s)
	if len(a.Jobs) != len(b.Jobs) {
		t.Fatalf("%d and %d jobs", len(a.Jobs), len(b.Jobs))
	}
	for i := range a.Jobs {
		if a.Jobs[i].ListedAt != b.Jobs[i].ListedAt || a.Jobs[i].State != b.Jobs[i].State || a.Jobs[i].Holder != b.Jobs[i].Holder {
			t.Errorf("job %d: %s and %s", a.Jobs[i].Number, a.Jobs[i].State, b.Jobs[i].State)
		}
	}
}
