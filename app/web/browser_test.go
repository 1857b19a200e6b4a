package web_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// screen is a device that a page is looked at on.
type screen struct {
	name          string
	width, height int64
	mobile        bool
	dark          bool
	more          bool // Asks for more contrast.
}

var ( // Read only.
	phone   = screen{name: "phone", width: 390, height: 844, mobile: true}
	desktop = screen{name: "desktop", width: 1280, height: 800}
)

func (s screen) inTheDark() screen {
	s.dark = true
	s.name += "-dark"
	return s
}

// chromium finds the browser. Without one the test is skipped, and said to be; in CI it
// fails.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "chrome"} {
		if name == "" {
			continue
		}
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("no Chromium is installed: the browser tests must run in CI")
	}
	t.Skip("skipped: no Chromium is installed")
	return ""
}

// shared is the browser of all tests: starting one takes longer than most of them.
type shared struct {
	once sync.Once
	ctx  context.Context
	stop func()
	err  error
}

var browser shared

func TestMain(m *testing.M) {
	status := m.Run()
	if browser.stop != nil {
		browser.stop()
	}
	os.Exit(status)
}

func (s *shared) start(path string) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("lang", "en-GB"), chromedp.Flag("hide-scrollbars", true))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, leave := chromedp.NewContext(ctx)
	s.ctx, s.stop = ctx, func() { leave(); stop() }
	s.err = chromedp.Do(ctx)
}

// browse opens a page that shares nothing with those of other tests, with a time limit
// for all that is done in it.
func browse(t *testing.T) context.Context {
	t.Helper()
	path := chromium(t)
	browser.once.Do(func() { browser.start(path) })
	if browser.err != nil {
		t.Fatal(browser.err)
	}
	ctx, cancel := chromedp.NewContext(browser.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	context.AfterFunc(t.Context(), cancel) // Before the servers of the test end: they wait for its stream.
	ctx, cancel = context.WithTimeout(ctx, 160*time.Second)
	t.Cleanup(cancel)
	do(t, ctx)
	return ctx
}

// press clicks on an element as soon as it can be: the page may just be changing.
func press(t *testing.T, ctx context.Context, selector string) {
	t.Helper()
	eventually(t, ctx, "press "+selector, func(ctx context.Context) error {
		brief, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		return chromedp.Do(brief, chromedp.Click(chromedp.CSS(selector)))
	})
}

// eventually tries something until it goes well.
func eventually(t *testing.T, ctx context.Context, what string, try func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		err := try(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: %v", what, err)
		case <-again.C:
		}
	}
}

// do runs steps in the browser.
func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// ask runs an expression in the page.
func ask[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	answer, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return answer
}

// until waits until an expression holds in the page, whatever the page is by then.
func until(t *testing.T, ctx context.Context, expression string) {
	t.Helper()
	eventually(t, ctx, "it never became so: "+expression, func(ctx context.Context) error {
		holds, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`Promise.resolve(`+expression+`).then(Boolean)`, chromedp.EvalAwaitPromise))
		if err == nil && !holds {
			err = errors.New("it is not so")
		}
		return err
	})
}

// on shows the pages that follow on a screen.
func on(t *testing.T, ctx context.Context, s screen) {
	t.Helper()
	scheme, contrast := "light", "no-preference"
	if s.dark {
		scheme = "dark"
	}
	if s.more {
		contrast = "more"
	}
	var options []chromedp.EmulateViewportOption
	if s.mobile {
		options = append(options, chromedp.EmulateScale(2), chromedp.EmulateMobile, chromedp.EmulateTouch)
	}
	do(t, ctx, chromedp.EmulateViewport(s.width, s.height, options...))
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, //nolint:misspell // The standard spells it so.
		{Name: "prefers-contrast", Value: contrast},
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// picture keeps a picture of the page in the directory named by ATOZBOT_PICTURES.
func picture(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	folder := os.Getenv("ATOZBOT_PICTURES")
	if folder == "" {
		return
	}
	shot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), shot, 0o644); err != nil {
		t.Fatal(err)
	}
}
