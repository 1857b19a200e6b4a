package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const apiToken = "chaos-token"

// Program is the binary, run as a user runs it, and watched.
type Program struct {
	binary, dir string
	port        int
	env         []string
	process     *process
	client      *http.Client

	mu      sync.Mutex
	answers []Answer
	watch   sync.WaitGroup
	stop    context.CancelFunc
}

// Answer is one answer of /health, or the lack of one.
type Answer struct {
	At       time.Time
	Took     time.Duration
	Code     int // HTTP status; 0 where nothing answered.
	Status   string
	Database string
	Redis    string
}

// NewProgram prepares the binary with a data folder below dir and these settings beside
// those of the harness.
func NewProgram(binary, dir string, settings ...string) (*Program, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	p := &Program{binary: binary, dir: dir, port: port, client: &http.Client{
		Timeout:   2 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: 8, Proxy: nil},
	}}
	p.env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir,
		"API_PORT=" + strconv.Itoa(port), "ATOZBOT_DATA_DIR=" + filepath.Join(dir, "data"),
		"ATOZBOT_API_TOKEN=" + apiToken, "ATOZBOT_SECRET_KEY=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		"LOG_LEVEL=debug",
	}, settings...)
	return p, nil
}

// Start starts the program and begins to watch /health. It gives the time from the
// start of the process to its first answer.
func (p *Program) Start(ctx context.Context) (time.Duration, error) {
	if err := p.Launch(); err != nil {
		return 0, err
	}
	wait, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	started := p.process.at
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for {
		if response, err := p.client.Get(p.url("/health/live")); err == nil {
			_ = response.Body.Close()
			return time.Since(started), nil
		}
		if p.process.ended() {
			return 0, fmt.Errorf("the program ended: %w\n%s", p.process.err, p.LogTail(2000))
		}
		select {
		case <-wait.Done():
			return 0, fmt.Errorf("no answer within 10 s\n%s", p.LogTail(2000))
		case <-poll.C:
		}
	}
}

// Launch starts the program without waiting for an answer.
func (p *Program) Launch() error {
	cmd := exec.Command(p.binary, "serve")
	cmd.Dir = p.dir
	cmd.Env = p.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	started, err := startProcess(cmd, filepath.Join(p.dir, "log"))
	if err != nil {
		return err
	}
	p.process = started
	return nil
}

// Watch asks /health every 20 ms until ctx ends or Unwatch is called.
func (p *Program) Watch(ctx context.Context) {
	ctx, p.stop = context.WithCancel(ctx)
	p.watch.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			answer := p.ask(ctx)
			if ctx.Err() != nil {
				return
			}
			p.mu.Lock()
			p.answers = append(p.answers, answer)
			p.mu.Unlock()
		}
	})
}

// Unwatch ends the watching.
func (p *Program) Unwatch() {
	if p.stop != nil {
		p.stop()
		p.watch.Wait()
	}
}

func (p *Program) ask(ctx context.Context) Answer {
	answer := Answer{At: time.Now()}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url("/health"), nil)
	if err != nil {
		return answer
	}
	response, err := p.client.Do(request)
	if err != nil {
		return answer
	}
	defer response.Body.Close()
	var body struct {
		Status string
		Checks struct{ Database, Redis string }
	}
	if err := json.NewDecoder(response.Body).Decode(&body); err != nil {
		return answer
	}
	answer.Took = time.Since(answer.At)
	answer.Code, answer.Status, answer.Database, answer.Redis = response.StatusCode, body.Status, body.Checks.Database, body.Checks.Redis
	return answer
}

// Answers gives what /health said between two moments, by when it was asked.
func (p *Program) Answers(from, to time.Time) []Answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Answer
	for _, a := range p.answers {
		if !a.At.Before(from) && !a.At.After(to) {
			out = append(out, a)
		}
	}
	return out
}

// AwaitStatus waits until /health has the status, and gives when that was asked first.
func (p *Program) AwaitStatus(ctx context.Context, status string) (time.Time, error) {
	var at time.Time
	err := until(ctx, func() error {
		answer := p.ask(ctx)
		if answer.Status != status {
			return fmt.Errorf("/health says %q (database %q, redis %q)", answer.Status, answer.Database, answer.Redis)
		}
		at = answer.At
		return nil
	})
	return at, err
}

// Get decodes the JSON answer to a GET with the token.
func (p *Program) Get(ctx context.Context, path string, into any) error {
	return p.do(ctx, http.MethodGet, path, "", into)
}

// Post sends a body with the token and decodes the JSON answer.
func (p *Program) Post(ctx context.Context, path, body string, into any) error {
	return p.do(ctx, http.MethodPost, path, body, into)
}

func (p *Program) do(ctx context.Context, method, path, body string, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, p.url(path), strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+apiToken)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := p.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, text)
	}
	return json.Unmarshal(text, into)
}

func (p *Program) url(path string) string {
	return fmt.Sprintf("http://127.0.0.1:%d%s", p.port, path)
}

// Terminate sends SIGTERM and gives how long the end took; the exit status must be 0.
func (p *Program) Terminate() (time.Duration, error) {
	began := time.Now()
	if err := p.process.end(syscall.SIGTERM); err != nil {
		return 0, err
	}
	return time.Since(began), p.process.err
}

// Kill ends the program at once, as a power cut would.
func (p *Program) Kill() error { return p.process.killGroup() }

// LogTail gives the last n bytes of the program's log.
func (p *Program) LogTail(n int) string {
	text, err := os.ReadFile(filepath.Join(p.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-n):])
}
