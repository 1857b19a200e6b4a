package api_test

import (
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

func TestTheDocsAskNoOtherHostAndHaveNothingInline(t *testing.T) {
	s := newHouse().serve(t)
	page := request(s, "GET", "/docs", "", "Authorization", "")
	body := page.Body.String()
	if page.Code != 200 || !strings.Contains(page.Header().Get("Content-Security-Policy"), "default-src 'none'") || strings.Contains(page.Header().Get("Content-Security-Policy"), "unsafe") {
		t.Fatalf("the page answers %d with the policy %q", page.Code, page.Header().Get("Content-Security-Policy"))
	}
	if strings.Contains(body, "://") || regexp.MustCompile(`<script>|<style|style=|\son\w+=`).MatchString(body) {
		t.Errorf("the page names another host, or has something inline:\n%s", body)
	}
	for _, m := range regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(body, -1) {
		w := request(s, "GET", m[1], "", "Authorization", "", "Accept-Encoding", "")
		if w.Code != 200 || w.Body.Len() == 0 {
			t.Errorf("%s answers %d", m[1], w.Code)
		}
	}
}

// browser finds a browser; "" where there is none.
func browser() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

func TestTheDocsWorkInABrowser(t *testing.T) {
	path := browser()
	if path == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("there is no browser")
		}
		t.Skip("skipped: there is no browser")
	}
	server := httptest.NewServer(newHouse().serve(t))
	defer server.Close()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox)
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	defer cancel()
	var mu sync.Mutex
	var complaints []string
	listen := func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *log.EventEntryAdded:
			complaints = append(complaints, e.Entry.Text)
		case *runtime.EventExceptionThrown:
			complaints = append(complaints, e.ExceptionDetails.Text)
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(e.Request.URL, server.URL) && !strings.HasPrefix(e.Request.URL, "data:") {
				complaints = append(complaints, "asks "+e.Request.URL)
			}
		}
	}
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithListener(listen))
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, time.Minute)
	defer cancel()
	err := chromedp.Do(ctx, chromedp.Navigate(server.URL+"/docs"), chromedp.WaitVisible(".opblock"))
	if err != nil {
		t.Fatal(err)
	}
	operations, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.querySelectorAll(".opblock").length`))
	if err != nil {
		t.Fatal(err)
	}
	if operations != len(paths) {
		t.Errorf("the page shows %d operations, want %d", operations, len(paths))
	}
	mu.Lock()
	defer mu.Unlock()
	if len(complaints) > 0 {
		t.Errorf("the browser complains:\n%s", strings.Join(complaints, "\n"))
	}
}
