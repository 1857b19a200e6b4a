package daemon_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/config"
	"github.com/atozbot/atozbot/app/daemon"
	"github.com/atozbot/atozbot/app/portal/practice"
	"github.com/atozbot/atozbot/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

const token = "token-of-the-tests"

// diary is a log that a test can wait for.
type diary struct {
	mu      sync.Mutex
	text    bytes.Buffer
	written chan struct{}
}

func newDiary() *diary { return &diary{written: make(chan struct{})} }

// Write adds a line and wakes who waits.
func (d *diary) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	close(d.written)
	d.written = make(chan struct{})
	return d.text.Write(p)
}

// await waits for a line that matches, and gives the match.
func (d *diary) await(t *testing.T, pattern string) []string {
	t.Helper()
	wanted := regexp.MustCompile(pattern)
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	for {
		d.mu.Lock()
		text, written := d.text.String(), d.written
		d.mu.Unlock()
		if found := wanted.FindStringSubmatch(text); found != nil {
			return found
		}
		select {
		case <-written:
		case <-deadline.C:
			t.Fatalf("the log has no %q:\n%s", pattern, text)
		}
	}
}

func (d *diary) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.text.String()
}

// stand is a practice portal on the network.
type stand struct {
	*practice.Portal
	url string
}

func openStand(t *testing.T, s practice.Scenario) *stand {
	t.Helper()
	portal := practice.New(s, practice.Options{})
	server := httptest.NewServer(portal)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = portal.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-done
		server.CloseClientConnections()
		server.Close()
	})
	return &stand{Portal: portal, url: server.URL}
}

// forBot are the settings of a bot that acts on the stand at once.
func (s *stand) forBot(more ...string) []string {
	return append([]string{
		"ATOZ_BASE_URL=" + s.url, "ATOZ_USERNAME=" + practice.DefaultEmail, "ATOZ_PASSWORD=" + practice.DefaultPassword,
		"BOT_MODE=live", "BOT_AUTOSTART=true", "REJECT_EXCLUDED=true", "REFRESH_INTERVAL_SEC=0.2", "MAX_ACCEPT_PER_RUN=1000000",
		"API_PORT=0", "ATOZBOT_API_TOKEN=" + token,
	}, more...)
}

// running is the program, booted as main does.
type running struct {
	url   string
	log   *diary
	end   func() error
	watch *http.Client
}

func boot(t *testing.T, environment ...string) *running {
	t.Helper()
	settings, err := config.Read(nil, environment)
	if err != nil {
		t.Fatal(err)
	}
	r := &running{log: newDiary(), watch: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- daemon.Process{Settings: settings, Build: daemon.BuildOf("test", ""), Stdout: io.Discard, Stderr: r.log}.Serve(ctx)
	}()
	var once sync.Once
	var failed error
	r.end = func() error {
		once.Do(func() {
			cancel()
			r.watch.CloseIdleConnections()
			select {
			case failed = <-ended:
			case <-time.After(12 * time.Second):
				failed = errors.New("it did not end within 12 s")
			}
		})
		return failed
	}
	t.Cleanup(func() {
		if err := r.end(); err != nil {
			t.Errorf("the end: %v", err)
		}
		if t.Failed() {
			t.Logf("the log:\n%s", r.log)
		}
	})
	r.url = r.log.await(t, `listening on (http://127\.0\.0\.1:\d+)`)[1]
	return r
}

// get asks the API and decodes the answer. A program that is still starting is asked again.
func (r *running) get(t *testing.T, path string, into any) {
	t.Helper()
	until(t, 30*time.Second, "the API answers "+path, func() bool { return r.ask(t, path, into) })
}

func (r *running) ask(t *testing.T, path string, into any) bool {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := r.watch.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if response.StatusCode == http.StatusServiceUnavailable {
		return false
	}
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s %v %s", path, response.Status, err, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatalf("GET %s: %v in %s", path, err, body)
	}
	return true
}

// recorded is a job as the API gives it.
type recorded struct {
	Number string        `json:"job_number"`
	Ref    string        `json:"job_ref"`
	Status app.JobStatus `json:"status"`
	Reason string        `json:"rejection_reason"`
}

// records are all jobs that the API gives, by number; a number given twice is a mistake.
func (r *running) records(t *testing.T) map[string]recorded {
	t.Helper()
	all := map[string]recorded{}
	for offset := 0; ; offset += 1000 {
		var page []recorded
		r.get(t, "/api/bot/jobs?limit=1000&offset="+strconv.Itoa(offset), &page)
		for _, j := range page {
			if _, twice := all[j.Number]; twice {
				t.Errorf("job %s is recorded twice", j.Number)
			}
			all[j.Number] = j
		}
		if len(page) < 1000 {
			return all
		}
	}
}

// until asks again and again, in the rhythm of the bot, until it is so.
func until(t *testing.T, patience time.Duration, what string, so func() bool) {
	t.Helper()
	untilNone(t, patience, what, func() []string {
		if so() {
			return nil
		}
		return []string{"it is not so"}
	})
}

// untilNone asks again and again until nothing speaks against it.
func untilNone(t *testing.T, patience time.Duration, what string, against func() []string) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	beat := time.NewTicker(100 * time.Millisecond)
	defer beat.Stop()
	for {
		left := against()
		if len(left) == 0 {
			return
		}
		select {
		case <-beat.C:
		case <-deadline.C:
			t.Fatalf("not within %v: %s\n%s", patience, what, strings.Join(left, "\n"))
		}
	}
}

// settled tells whether nothing more can happen: every job has come, and none is free
// that the bot would want.
func settled(portal *practice.Portal) bool {
	truth := portal.Truth()
	if truth.Counts.Coming > 0 {
		return false
	}
	for _, j := range truth.Jobs {
		if j.State == "matched" && j.Expect == practice.ExpectReject && len(j.Rejected) == 0 {
			return false
		}
	}
	return true
}

// compare holds the records to what really went on.
func compare(truth practice.Truth, records map[string]recorded) []string {
	var wrong []string
	for _, j := range truth.Jobs {
		number := strconv.FormatInt(j.Number, 10)
		got, known := records[number]
		accepts, committed := 0, 0
		for _, act := range j.Acts {
			if act.Page == practice.PageAccept {
				accepts++
				if act.Committed {
					committed++
				}
			}
		}
		ours := j.Holder == practice.DefaultEmail
		rejected := len(j.Rejected) > 0
		switch {
		case ours != (got.Status == app.JobAccepted):
			wrong = append(wrong, fmt.Sprintf("job %s: held by %q, recorded as %q (%s)", number, j.Holder, got.Status, got.Reason))
		case rejected != (got.Status == app.JobRejected) && (rejected || j.State == "matched"):
			// Off the board counts as rejected: who took it off cannot be seen from outside.
			wrong = append(wrong, fmt.Sprintf("job %s: rejected by %v, recorded as %q (%s)", number, j.Rejected, got.Status, got.Reason))
		case accepts > 0 && j.Expect != practice.ExpectAccept && !ours && got.Status == app.JobMatched:
			wrong = append(wrong, fmt.Sprintf("job %s: tried, recorded as %q; %s %s, acts %+v", number, got.Status, j.Kind, j.State, j.Acts))
		case accepts > 0 && j.Kind != practice.KindTelephone && j.Kind != practice.KindRefused && j.Kind != practice.KindCancelDialog && j.Kind != practice.KindShortNotice:
			wrong = append(wrong, fmt.Sprintf("job %s of kind %s was tried", number, j.Kind))
		case committed > 1:
			wrong = append(wrong, fmt.Sprintf("job %s was accepted %d times", number, committed))
		case got.Status == app.JobUnknown || got.Status == "" && known:
			wrong = append(wrong, fmt.Sprintf("job %s is recorded as %q", number, got.Status))
		}
		delete(records, number)
	}
	for number := range records {
		wrong = append(wrong, "job "+number+" is recorded and never was")
	}
	for _, w := range truth.Wrong {
		wrong = append(wrong, fmt.Sprintf("wrong act: %s on %s, job %d: %s", w.What, w.Page, w.Job, w.Detail))
	}
	for _, pair := range truth.Overlaps(practice.DefaultEmail) {
		wrong = append(wrong, fmt.Sprintf("jobs %d and %d overlap and are both held", pair[0].Number, pair[1].Number))
	}
	return wrong
}

// missed are the fitting jobs, free for long enough, that nobody but we could have had.
func missed(truth practice.Truth) (missed, fitting int) {
	for _, j := range truth.Jobs {
		if j.Expect != practice.ExpectAccept || j.RivalFirst {
			continue
		}
		fitting++
		if j.Holder == "" && j.State == "matched" && j.PostedAt.IsZero() {
			missed++
		}
	}
	return missed, fitting
}

func TestEveryJobThatFitsIsBookedOnceAndRecordedAsItWas(t *testing.T) {
	for name, settings := range map[string]func(t *testing.T) []string{
		"SQLite and the in-memory Redis": func(*testing.T) []string { return nil },
		"PostgreSQL and Redis": func(t *testing.T) []string {
			return []string{"DATABASE_URL=" + storetest.Postgres(t), "REDIS_URL=" + storetest.Redis(t)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			services := settings(t)
			leaked := goleak.IgnoreCurrent()
			t.Cleanup(func() { goleak.VerifyNone(t, leaked) })
			portal := openStand(t, practice.Mixed(7, 200))
			r := boot(t, portal.forBot(append(services, "ATOZBOT_DATA_DIR="+t.TempDir())...)...)
			until(t, 60*time.Second, "every job has come and the bot has done with it", func() bool { return settled(portal.Portal) })
			// Those at the time of another one stay; the rest is tried, however busy the machine is.
			untilNone(t, 60*time.Second, "every fitting job was tried", func() []string {
				if left, fitting := missed(portal.Truth()); left > fitting/10 {
					return []string{fmt.Sprintf("%d of %d fitting jobs were never tried", left, fitting)}
				}
				return nil
			})
			untilNone(t, 20*time.Second, "the records are what really went on", func() []string {
				return compare(portal.Truth(), r.records(t))
			})
			truth := portal.Truth()
			_, fitting := missed(truth)
			t.Logf("%d jobs, %d fitting, %d booked, %d rejected", len(truth.Jobs), fitting, truth.Counts.Accepted, truth.Counts.Rejected)
			if truth.Counts.Accepted < fitting/2 || truth.Counts.Rejected == 0 {
				t.Errorf("%d of %d fitting jobs were booked, %d rejected", truth.Counts.Accepted, fitting, truth.Counts.Rejected)
			}
			if err := r.end(); err != nil {
				t.Errorf("the end: %v", err)
			}
		})
	}
}
