//go:build chaos

package chaos

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// What the program promises.
const (
	toldWithin    = 2 * time.Second  // A fault stands in /health.
	healthyWithin = time.Second      // Beyond one retry delay, once the cause is gone.
	endsWithin    = 10 * time.Second // After SIGTERM.
	leaseRenewal  = 4 * time.Second  // A third of a lease, and a little.
)

// room is what the harness's own asking takes beyond that; in CI, whose machine may do other
// things as well, a promise is not to be missed by more than two seconds.
func room() time.Duration {
	if os.Getenv("CI") != "" {
		return 2 * time.Second
	}
	return 500 * time.Millisecond
}

// TestEveryFault runs the table of faults against the real binary. ATOZBOT_CHAOS=short
// takes the rows that stand for the rest; ATOZBOT_CHAOS_ROW=words takes those whose name
// holds the words; ATOZBOT_CHAOS_TABLE=file is where the Markdown table goes.
func TestEveryFault(t *testing.T) {
	ctx := t.Context()
	dir := serverDir(t)
	binary := buildBinary(t)
	stage, err := OpenServers(ctx, dir)
	if err != nil {
		t.Fatalf("in this test nothing is skipped: %v", err)
	}
	t.Cleanup(stage.CloseServers)

	var table strings.Builder
	table.WriteString("| fault | first answer | `/health` meanwhile | told after | slowest `/health` (p99) | healthy again after | jobs that came meanwhile, won while it lasted | records |\n")
	table.WriteString("| --- | ---: | --- | ---: | ---: | ---: | ---: | --- |\n")
	for _, fault := range Faults() {
		if os.Getenv("ATOZBOT_CHAOS") == "short" && !fault.Short || !strings.Contains(fault.Name, os.Getenv("ATOZBOT_CHAOS_ROW")) {
			continue
		}
		t.Run(strings.ReplaceAll(fault.Name, " ", "_"), func(t *testing.T) {
			row := run(t, stage, binary, fault)
			table.WriteString(row.markdown())
			t.Log(row.markdown())
		})
	}
	if file := os.Getenv("ATOZBOT_CHAOS_TABLE"); file != "" {
		if err := os.WriteFile(file, []byte(table.String()), 0o644); err != nil {
			t.Error(err)
		}
	}
	fmt.Println(table.String())
}

// figures is what one row of the table shows.
type figures struct {
	fault             Fault
	firstAnswer       time.Duration
	said              string
	told, p99, healed time.Duration
	came, wonDuring   int
	records           string
}

func (f figures) markdown() string {
	told := "at once"
	if !f.fault.AtStart {
		told = milliseconds(f.told)
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %d of %d | %s |\n", f.fault.Name, milliseconds(f.firstAnswer),
		f.said, told, milliseconds(f.p99), milliseconds(f.healed), f.wonDuring, f.came, f.records)
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}

func run(t *testing.T, stage *Stage, binary string, fault Fault) figures {
	ctx, cancel := context.WithTimeout(t.Context(), fault.Lasts+2*time.Minute)
	defer cancel()
	dir := t.TempDir()
	if err := stage.Set(ctx, binary, dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the end of the program's log:\n%s", stage.Program.LogTail(6000))
		}
		stage.Strike()
	})
	row := figures{fault: fault, records: "equal"}

	var before []int64
	if !fault.AtStart {
		row.firstAnswer = start(t, ctx, stage)
		before = prove(t, ctx, stage)
	}

	if err := fault.Break(ctx, stage); err != nil {
		t.Fatalf("breaking: %v", err)
	}
	broken := time.Now()
	if fault.AtStart {
		row.firstAnswer = start(t, ctx, stage)
	}
	during := bringJobs(t, ctx, stage, fault)
	for _, number := range during {
		if stage.Won(number) {
			row.wonDuring++
		}
	}
	row.came = len(during)

	mended := time.Now()
	if err := fault.Mend(ctx, stage); err != nil {
		t.Fatalf("mending: %v", err)
	}
	up := time.Now()
	healthy, err := stage.Program.AwaitStatus(ctx, "healthy")
	if err != nil {
		t.Fatalf("not healthy again: %v", err)
	}
	row.healed = max(0, healthy.Sub(up))

	after := stage.AddJob()
	if err := stage.AwaitWon(ctx, append(append(before, during...), after)...); err != nil {
		t.Errorf("jobs that stayed free were not won in the end: %v", err)
	}
	settle, done := context.WithTimeout(ctx, 30*time.Second)
	defer done()
	if err := stage.AwaitSettled(settle); err != nil {
		row.records = "DIFFER"
		t.Errorf("records are not the portal's truth: %v", err)
	}
	outliveLease(t, ctx, stage, fault)
	stage.Program.Unwatch()
	judge(t, stage, &row, broken, mended)

	took, err := stage.Program.Terminate()
	if err != nil {
		t.Errorf("exit status after SIGTERM: %v", err)
	}
	if took > endsWithin {
		t.Errorf("the end took %v, want at most %v", took, endsWithin)
	}
	return row
}

// start starts the program and its watch, and gives the time to the first answer.
func start(t *testing.T, ctx context.Context, stage *Stage) time.Duration {
	t.Helper()
	first, err := stage.Program.Start(ctx)
	if err != nil {
		t.Fatal(err)
	}
	stage.Program.Watch(ctx)
	return first
}

// prove brings the program to where it works: healthy, with two jobs won and recorded.
func prove(t *testing.T, ctx context.Context, stage *Stage) []int64 {
	t.Helper()
	if _, err := stage.Program.AwaitStatus(ctx, "healthy"); err != nil {
		t.Fatal(err)
	}
	jobs := []int64{stage.AddJob(), stage.AddJob()}
	if err := stage.AwaitWon(ctx, jobs...); err != nil {
		t.Fatal(err)
	}
	if err := stage.AwaitSettled(ctx); err != nil {
		t.Fatal(err)
	}
	return jobs
}

// bringJobs lists jobs while the fault lasts, and kills and starts the program in the
// middle of it where the row says so.
func bringJobs(t *testing.T, ctx context.Context, stage *Stage, fault Fault) []int64 {
	t.Helper()
	end := time.NewTimer(fault.Lasts)
	defer end.Stop()
	next := time.NewTicker(max(fault.Lasts/6, 50*time.Millisecond))
	defer next.Stop()
	var jobs []int64
	for {
		select {
		case <-ctx.Done():
			t.Fatal(ctx.Err())
		case <-end.C:
			return jobs
		case <-next.C:
			if len(jobs) == 4 {
				continue // The last ones get time to be won.
			}
			jobs = append(jobs, stage.AddJob())
			if fault.Kill && len(jobs) == 2 {
				if err := stage.Program.Kill(); err != nil {
					t.Fatal(err)
				}
				if _, err := stage.Program.Start(ctx); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// outliveLease brings one more job after the lease that was taken without a database has
// been renewed with one.
func outliveLease(t *testing.T, ctx context.Context, stage *Stage, fault Fault) {
	t.Helper()
	if !fault.AtStart {
		return
	}
	renewed := time.NewTimer(leaseRenewal)
	defer renewed.Stop()
	select {
	case <-ctx.Done():
		t.Fatal(ctx.Err())
	case <-renewed.C:
	}
	if err := stage.AwaitWon(ctx, stage.AddJob()); err != nil {
		t.Errorf("a job that came later was not won: %v", err)
	}
}

// judge holds what /health said while the fault lasted against the promise.
func judge(t *testing.T, stage *Stage, row *figures, broken, mended time.Time) {
	t.Helper()
	answers := stage.Program.Answers(broken, mended)
	wrong := "healthy"
	var times []time.Duration
	var lastHealthy time.Time
	said := map[string]int{}
	for _, answer := range answers {
		if answer.Code == 0 {
			continue // The program was not there, or was just being killed.
		}
		times = append(times, answer.Took)
		if answer.Status == wrong {
			lastHealthy = answer.At
		} else {
			said[answer.Status]++
		}
	}
	if len(times) > 0 {
		slices.Sort(times)
		row.p99 = times[len(times)*99/100]
	}
	if !lastHealthy.IsZero() {
		row.told = lastHealthy.Sub(broken)
	}
	var words []string
	for word := range said {
		words = append(words, word)
	}
	slices.Sort(words)
	row.said = strings.Join(words, ", ")
	if limit := toldWithin + room(); row.told > limit {
		t.Errorf("/health still said healthy %v after the fault began, want at most %v", row.told, limit)
	}
	if limit := healthyWithin + RetryDelay + room(); row.healed > limit {
		t.Errorf("healthy %v after the cause was gone, want at most %v", row.healed, limit)
	}
	if row.fault.Lasts > toldWithin && !row.fault.AtStart && row.wonDuring < row.came {
		t.Errorf("%d of %d jobs were won while the fault lasted, want all", row.wonDuring, row.came)
	}
}

// buildBinary builds the program as the image does.
func buildBinary(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "atozbot")
	cmd := exec.Command("go", "build", "-o", binary, "github.com/atozbot/atozbot")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}

// serverDir gives a folder that PostgreSQL's own user can reach too.
func serverDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "atozbot-chaos-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
