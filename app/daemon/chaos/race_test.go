//go:build chaos

package chaos

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app/portal/practice"
)

// TestTheRace lets the real binary, on SQLite, compete for thousands of mixed jobs with
// rivals and every fault of the portal's, and holds what it did against the truth.
// ATOZBOT_RACE_JOBS is how many (10,000), ATOZBOT_RACE_EVERY how far apart they come in
// the mean (60 ms, so that ten thousand take ten minutes).
func TestTheRace(t *testing.T) {
	jobs := 10_000
	if n, err := strconv.Atoi(os.Getenv("ATOZBOT_RACE_JOBS")); err == nil {
		jobs = n
	} else if os.Getenv("ATOZBOT_CHAOS") == "short" {
		jobs = 500
	}
	every := 60 * time.Millisecond
	if text := os.Getenv("ATOZBOT_RACE_EVERY"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatal(err)
		}
		every = d
	}
	scenario := practice.Blend{Seed: 7, Jobs: jobs, Every: every}.Scenario()
	scenario.Faults = practice.EveryFault(0.002, time.Second)
	scenario.Look = practice.MessyLook()
	portal, program := compete(t, scenario, "PORTAL_TIMEOUT=500ms", "REJECT_EXCLUDED=true")

	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(jobs)*every*2+2*time.Minute)
	defer cancel()
	if _, err := portal.Until(ctx, func(c practice.Counts) bool { return c.Listed >= jobs && c.Coming == 0 }); err != nil {
		t.Fatal(err)
	}
	quiet := time.NewTimer(12 * time.Second) // The newest jobs' rivals and claims come to an end.
	defer quiet.Stop()
	<-quiet.C

	truth := portal.Truth()
	won, missed := truth.Missed(practice.DefaultEmail, 2*time.Second)
	share := 100 * float64(won) / float64(max(1, won+len(missed)))
	differences := compare(t, ctx, program, truth)
	fmt.Printf("%d jobs, %d accept POSTs, %d reject POSTs, %d faults struck: %d won, %d missed (%.2f %% of the winnable), %d mistakes, %d wrong acts, %d overlaps, %d differences to the records\n",
		len(truth.Jobs), truth.Counts.AcceptPosts, truth.Counts.RejectPosts, struck(truth), won, len(missed), share,
		len(truth.Mistakes(practice.DefaultEmail)), len(truth.Wrong), len(truth.Overlaps(practice.DefaultEmail)), differences)
	if share < 99.5 {
		t.Errorf("%.2f %% of the winnable jobs were won, want 99.5 %%", share)
	}
	for _, job := range missed {
		t.Logf("missed: %s", asRecorded(t, ctx, program, job))
	}
	for _, mistake := range truth.Mistakes(practice.DefaultEmail) {
		t.Errorf("a wrong act on job %d: %+v", mistake.Number, mistake)
	}
	for _, pair := range truth.Overlaps(practice.DefaultEmail) {
		t.Errorf("two bookings at one time: %d and %d", pair[0].Number, pair[1].Number)
	}
	for _, wrong := range truth.Wrong {
		if wrong.What != practice.WrongTooFast {
			t.Errorf("no careful client does this: %+v", wrong)
		}
	}
}

// TestTheReaction measures from listing to accept POST, at an interval of 200 ms and 10
// ms of latency, and prints what was measured; nothing is asserted of the time.
func TestTheReaction(t *testing.T) {
	const jobs = 300
	scenario := practice.Blend{Seed: 3, Jobs: jobs, Every: 400 * time.Millisecond, Contested: -1, Snatched: -1, Overlapping: -1}.Scenario()
	scenario.Latency = map[practice.Page]practice.Latency{"": {Mean: 10 * time.Millisecond}}
	portal, _ := compete(t, scenario)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if _, err := portal.Until(ctx, func(c practice.Counts) bool { return c.Listed >= jobs }); err != nil {
		t.Fatal(err)
	}
	reaction := portal.Truth().Traffic.Reaction
	fmt.Printf("from listing to accept POST: %+v\n", reaction)
}

// compete starts the program on a portal of the scenario.
func compete(t *testing.T, scenario practice.Scenario, settings ...string) (*practice.Portal, *Program) {
	t.Helper()
	portal := practice.New(scenario, practice.Options{})
	site := httptest.NewServer(portal)
	program, err := NewProgram(buildBinary(t), t.TempDir(), append([]string{
		"ATOZ_BASE_URL=" + site.URL, "ATOZ_USERNAME=" + practice.DefaultEmail, "ATOZ_PASSWORD=" + practice.DefaultPassword,
		"BOT_MODE=live", "BOT_AUTOSTART=true", "REFRESH_INTERVAL_SEC=0.2", "MAX_ACCEPT_PER_RUN=1000000", "LOG_LEVEL=info",
	}, settings...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the end of the program's log:\n%s", program.LogTail(6000))
		}
		_ = program.Kill()
		site.CloseClientConnections()
		site.Close()
	})
	if _, err := program.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return portal, program
}

// asRecorded tells of a job what the portal knows, and what the program recorded.
func asRecorded(t *testing.T, ctx context.Context, program *Program, job practice.JobTruth) string {
	t.Helper()
	var found []map[string]any
	if err := program.Get(ctx, fmt.Sprintf("/api/bot/jobs?q=%d", job.Number), &found); err != nil {
		t.Fatal(err)
	}
	closed := "still free"
	if !job.ClosedAt.IsZero() {
		closed = "closed after " + job.ClosedAt.Sub(job.ListedAt).String()
	}
	truth := fmt.Sprintf("%s %s, listed %s, shown after %s, %s, details read %d times, acts %+v", job.Ref, job.State,
		job.ListedAt.Format(time.StampMilli), job.ShownAt.Sub(job.ListedAt), closed, job.Details, job.Acts)
	if len(found) == 0 {
		return truth + "; nothing is recorded"
	}
	j := found[0]
	return fmt.Sprintf("%s; recorded as %v, %v (%v): %v", truth, j["status"], j["verdict"], j["rule"], j["rejection_reason"])
}

// compare counts the jobs whose record is not what the portal says.
func compare(t *testing.T, ctx context.Context, program *Program, truth practice.Truth) int {
	t.Helper()
	recorded := map[string]string{}
	for offset := 0; ; offset += 1000 {
		var page []struct {
			Number string `json:"job_number"`
			Status string
		}
		if err := program.Get(ctx, fmt.Sprintf("/api/bot/jobs?limit=1000&offset=%d", offset), &page); err != nil {
			t.Fatal(err)
		}
		for _, job := range page {
			recorded[job.Number] = job.Status
		}
		if len(page) < 1000 {
			break
		}
	}
	differences := 0
	for _, job := range truth.Jobs {
		status := recorded[strconv.FormatInt(job.Number, 10)]
		held := job.Holder == practice.DefaultEmail
		rejected := len(job.Rejected) > 0
		if held != (status == "accepted") || rejected != (status == "rejected") {
			differences++
			t.Errorf("job %d is recorded as %q; held: %v, rejected: %v, acts: %+v", job.Number, status, held, rejected, job.Acts)
		}
	}
	return differences
}

func struck(truth practice.Truth) int {
	total := 0
	for _, times := range truth.Struck {
		total += times
	}
	return total
}
