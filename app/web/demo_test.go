package web_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"
)

// program is the real program, as a user runs it to try it.
type program struct {
	path, folder string
	command      *exec.Cmd
	address      string
}

// build makes the program.
func build(t *testing.T) *program {
	t.Helper()
	p := &program{path: filepath.Join(t.TempDir(), "atozbot"), folder: t.TempDir()}
	command := exec.Command("go", "build", "-o", p.path, ".")
	command.Dir = "../.."
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return p
}

// start runs the demo on a port, "0" for a free one, and waits until it says where it
// listens.
func (p *program) start(t *testing.T, port string) {
	t.Helper()
	p.command = exec.Command(p.path, "serve", "--demo")
	p.command.Env = append(os.Environ(), "API_PORT="+port, "ATOZBOT_DATA_DIR="+p.folder, "LOG_FORMAT=text")
	out, err := p.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.command.Stdout = p.command.Stderr
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	listening := regexp.MustCompile(`listening on (http://[0-9.:]+)`)
	var said []string
	for lines.Scan() {
		said = append(said, lines.Text())
		if found := listening.FindStringSubmatch(lines.Text()); found != nil {
			p.address = found[1]
			break
		}
	}
	if p.address == "" {
		t.Fatalf("it never listened:\n%s", strings.Join(said, "\n"))
	}
	go func() { // It ends with the program.
		for lines.Scan() {
			continue
		}
	}()
}

// ready waits until the start is through.
func (p *program) ready(t *testing.T, ctx context.Context) {
	t.Helper()
	do(t, ctx, chromedp.Navigate(p.address+"/health/live"))
	until(t, ctx, `fetch("/health/ready").then((answer) => answer.ok)`)
}

// TestTheDemoInABrowser goes through the real program as somebody does who tries it: the
// first accepted job, why it was accepted, pause, stop and start, the rules, and a server
// that dies and comes back under an open page.
func TestTheDemoInABrowser(t *testing.T) {
	p := build(t) // Before the browser's time begins: from nothing it takes a while.
	ctx := browse(t)
	p.start(t, "0")
	t.Cleanup(func() { _ = p.command.Process.Kill() })
	host := strings.TrimPrefix(p.address, "http://")
	on(t, ctx, phone)
	p.ready(t, ctx)
	w := watch(t, ctx)

	do(t, ctx, chromedp.Navigate(p.address+"/"))
	says(t, ctx, ".banner--demo", "Nothing here is real.")
	says(t, ctx, ".hero__say", "Watching.")
	until(t, ctx, `document.querySelector(".jobs--still .job--ok")`)
	picture(t, ctx, "demo-now-phone")

	press(t, ctx, ".jobs--still .job--ok a")
	says(t, ctx, "h1", "Accepted:")
	until(t, ctx, `document.querySelectorAll(".check--ok").length > 5 && document.querySelectorAll(".step").length >= 4`)
	picture(t, ctx, "demo-job-phone")

	do(t, ctx, chromedp.Navigate(p.address+"/activity?kind=accepted"))
	until(t, ctx, `document.querySelectorAll(".job--ok").length > 0 && document.querySelectorAll(".job").length === document.querySelectorAll(".job--ok").length`)

	do(t, ctx, chromedp.Navigate(p.address+"/"))
	says(t, ctx, ".link-state__text", "Live")
	for _, step := range []struct{ press, lead string }{{"/bot/pause", "Paused."}, {"/bot/resume", "Watching."}, {"/bot/stop", "Stopped."}, {"/bot/start", "Watching."}} {
		press(t, ctx, `.controls form[action="`+step.press+`"] button`)
		says(t, ctx, ".hero__say", step.lead)
	}
	press(t, ctx, `.controls form[action="/bot/stop"] button`)
	says(t, ctx, ".hero__say", "Stopped.")
	press(t, ctx, `#said button`) // Taken back.
	says(t, ctx, ".hero__say", "Watching.")

	on(t, ctx, desktop)
	do(t, ctx, chromedp.Navigate(p.address+"/rules"))
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.getElementById("f-max_per_day").select()`), chromedp.SendKeys(chromedp.ID("f-max_per_day"), "1"))
	says(t, ctx, "#tried", "1 change, not saved yet:")
	press(t, ctx, `.rules__do .button--primary`)
	says(t, ctx, "#said", "Saved as version 2")
	press(t, ctx, `#said button`)
	says(t, ctx, "#said", "Undone: version 3 is in force.")
	for _, page := range []string{"/bookings", "/insights", "/system", "/settings", "/welcome"} {
		do(t, ctx, chromedp.Navigate(p.address+page))
		for _, wrong := range ask[[]string](t, ctx, script(t, "page.js")) {
			t.Errorf("%s: %s", page, wrong)
		}
	}
	do(t, ctx, chromedp.Navigate(p.address+"/"))
	says(t, ctx, ".link-state__text", "Live")
	picture(t, ctx, "demo-now-desktop")
	w.calm(t, host)

	if err := p.command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.command.Wait()
	says(t, ctx, ".stale", "The connection is lost.")
	p.start(t, host[strings.LastIndex(host, ":")+1:])
	until(t, ctx, `!document.querySelector(".stale")`)
	says(t, ctx, ".hero__say", "Watching.")
	until(t, ctx, `Number(document.querySelector('live-count[name="checks"]').textContent) < 60`) // It starts afresh each time.

	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.command.Wait(); err != nil {
		t.Errorf("it did not end well: %v", err)
	}
}
