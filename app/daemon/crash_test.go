package daemon_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app/portal/practice"
	"github.com/atozbot/atozbot/store/storetest"
)

// binary builds the program, once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "atozbot-test-*")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "atozbot")
	build := exec.Command("go", "build", "-o", path, ".")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// launched is the real program, as a process of its own.
type launched struct {
	*running
	process *exec.Cmd
	ended   chan error
}

// launch starts the program and waits until it answers.
func launch(t *testing.T, environment []string) *launched {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	l := &launched{running: &running{log: newDiary(), watch: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}}, ended: make(chan error, 1)}
	l.process = exec.Command(path, "serve")
	l.process.Env, l.process.Stderr = environment, l.log
	if err := l.process.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { l.ended <- l.process.Wait() }()
	t.Cleanup(func() { l.kill(); l.watch.CloseIdleConnections() })
	l.url = l.log.await(t, `listening on (http://127\.0\.0\.1:\d+)`)[1]
	return l
}

// kill ends the process as a power cut would.
func (l *launched) kill() {
	_ = l.process.Process.Kill()
	<-l.ended
	l.ended <- nil
}

// stop ends it in order, and gives its exit status.
func (l *launched) stop(t *testing.T) int {
	t.Helper()
	if err := l.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-l.ended:
		l.ended <- nil
	case <-time.After(12 * time.Second):
		t.Fatal("it did not end within 12 s")
	}
	return l.process.ProcessState.ExitCode()
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}

func TestTenCrashesLoseNothingAndDoubleNothing(t *testing.T) {
	if testing.Short() && os.Getenv("CI") == "" {
		t.Skip("skipped: the program is not killed ten times in a short run")
	}
	for name, settings := range map[string]func(t *testing.T) []string{
		"SQLite": func(*testing.T) []string { return nil },
		"PostgreSQL": func(t *testing.T) []string {
			return []string{"DATABASE_URL=" + storetest.Postgres(t), "REDIS_URL=" + storetest.Redis(t)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			chance := rand.New(rand.NewPCG(seed, 1))
			portal := openStand(t, practice.Blend{Seed: seed, Jobs: 200, Every: 80 * time.Millisecond}.Scenario())
			environment := portal.forBot(append(settings(t), "ATOZBOT_DATA_DIR="+t.TempDir(), "API_PORT="+freePort(t))...)
			for range 10 {
				l := launch(t, environment)
				moment := time.NewTimer(time.Duration(chance.Int64N(int64(1500 * time.Millisecond))))
				<-moment.C
				l.kill()
			}
			l := launch(t, environment)
			until(t, 60*time.Second, "every job has come and the bot has done with it", func() bool { return settled(portal.Portal) })
			untilNone(t, 20*time.Second, "the records are what really went on", func() []string {
				return compare(portal.Truth(), l.records(t))
			})
			var sessions []struct {
				Status string
				ID     string
			}
			l.get(t, "/api/bot/sessions", &sessions)
			if len(sessions) != 1 || sessions[0].Status != "running" {
				t.Errorf("the crashes left the sessions %v, want one that was resumed", sessions)
			}
			t.Logf("%d booked, %d rejected, sessions %v", portal.Counts().Accepted, portal.Counts().Rejected, sessions)
			if code := l.stop(t); code != 0 {
				t.Errorf("exit status %d", code)
			}
			if t.Failed() {
				t.Logf("the log:\n%s", l.log)
			}
		})
	}
}

func TestTheFirstAnswerComesAtOnceWhateverIsDown(t *testing.T) {
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	program := exec.Command(path, "serve")
	program.Env = []string{"API_PORT=" + port, "ATOZBOT_DATA_DIR=" + t.TempDir(), "DATABASE_URL=postgres://u:p@127.0.0.1:1/d", "REDIS_URL=redis://127.0.0.1:1"}
	began := time.Now()
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = program.Process.Kill(); _ = program.Wait() }()
	beat := time.NewTicker(time.Millisecond)
	defer beat.Stop()
	for {
		response, err := http.Get("http://127.0.0.1:" + port + "/health")
		if err == nil {
			_ = response.Body.Close()
			break
		}
		if time.Since(began) > 10*time.Second {
			t.Fatal(err)
		}
		<-beat.C
	}
	t.Logf("first answer after %v", time.Since(began)) // The bar is 100 ms on a machine that does nothing else.
}

func TestAnyNumberOfMigrationsMayRunAtOnce(t *testing.T) {
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	for name, dsn := range map[string]func(testing.TB) string{"SQLite": storetest.SQLite, "PostgreSQL": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			environment := []string{"DATABASE_URL=" + dsn(t)}
			var all sync.WaitGroup
			outputs := make([]string, 4)
			for i := range outputs {
				all.Go(func() {
					migrate := exec.Command(path, "migrate")
					migrate.Env = environment
					out, err := migrate.CombinedOutput()
					if err != nil {
						t.Errorf("migrate: %v\n%s", err, out)
					}
					outputs[i] = string(out)
				})
			}
			all.Wait()
			worked := 0
			for _, out := range outputs {
				if strings.Contains(out, "up 00001_core") {
					worked++
				}
			}
			if worked != 1 {
				t.Errorf("%d of them worked:\n%s", worked, strings.Join(outputs, "\n---\n"))
			}
		})
	}
}
