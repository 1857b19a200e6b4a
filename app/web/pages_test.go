package web_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/atozbot/atozbot/app/web"
)

// pages are all pages, by name.
var pages = []struct{ name, path string }{ // Read only.
	{"now", "/"},
	{"bookings", "/bookings"},
	{"activity", "/activity"},
	{"activity-empty", "/activity?q=nothing-like-it"},
	{"job", "/jobs/0190-1"},
	{"booking", "/jobs/0190-0"},
	{"rules", "/rules?preset=careful"},
	{"insights", "/insights"},
	{"system", "/system"},
	{"settings", "/settings"},
	{"settings-portal", "/settings/portal"},
	{"settings-notifications", "/settings/notifications"},
	{"settings-calendars", "/settings/calendars"},
	{"settings-tokens", "/settings/tokens"},
	{"settings-backup", "/settings/backup"},
	{"settings-language", "/settings/language"},
	{"settings-security", "/settings/security"},
	{"settings-audit", "/settings/audit"},
	{"welcome", "/welcome"},
	{"set-up", "/set-up"},
	{"offline", "/offline"},
}

// whole is a dashboard with everything.
func whole(tb testing.TB, h *house, change ...func(*web.Options)) *web.Site {
	tb.Helper()
	return newSite(tb, h, append([]func(*web.Options){withOffice(newOffice(h.now)), withPeople(newPeople())}, change...)...)
}

// key is a text whose key was not found: it is shown as it is.
var key = regexp.MustCompile(`>\s*[a-z]+(\.[a-zA-Z_]+)+\s*<`)

// browserTexts are handed to the modules with their places.
var browserTexts = regexp.MustCompile(` data-texts="[^"]*"`)

func TestEveryPageIsWhole(t *testing.T) {
	s := whole(t, newHouse(t, fixed))
	for _, language := range []string{"en", "de"} {
		for _, page := range pages {
			t.Run(language+" "+page.name, func(t *testing.T) {
				answer := get(t, s, page.path, func(r *http.Request) { r.Header.Set("Accept-Language", language) })
				text := answer.text
				if answer.status != http.StatusOK {
					t.Fatalf("status %d:\n%s", answer.status, text)
				}
				if n := strings.Count(text, "<h1"); n != 1 {
					t.Errorf("%d headings of the first order, want 1", n)
				}
				for _, want := range []string{`<html lang="` + language + `" dir="ltr">`, `<main id="main"`, "</html>"} {
					if !strings.Contains(text, want) {
						t.Errorf("the page does not hold %s", want)
					}
				}
				if found := key.FindString(text); found != "" {
					t.Errorf("a text is missing: %s", found)
				}
				text = browserTexts.ReplaceAllString(text, "")
				for _, never := range []string{" style=", "<style", "onclick=", "javascript:", "{count}", "ZgotmplZ", "<no value>"} {
					if strings.Contains(text, never) {
						t.Errorf("the page holds %q", never)
					}
				}
			})
		}
	}
}

func TestPagesCarryTheHeadersThatKeepThemSafe(t *testing.T) {
	answer := get(t, whole(t, newHouse(t, fixed)), "/")
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
		"Cross-Origin-Opener-Policy": "same-origin", "Cache-Control": "no-cache",
	} {
		if got := answer.header.Get(name); !strings.Contains(got, want) {
			t.Errorf("%s is %q, want %q in it", name, got, want)
		}
	}
	if strings.Contains(answer.header.Get("Content-Security-Policy"), "unsafe") {
		t.Error("the policy allows what is unsafe")
	}
}

func TestAssetsAreKeptForEverUnderTheirHash(t *testing.T) {
	s := whole(t, newHouse(t, fixed))
	page := get(t, s, "/").text
	path := regexp.MustCompile(`/static/[0-9a-f]+/app\.css`).FindString(page)
	answer := get(t, s, path, func(r *http.Request) { r.Header.Set("Accept-Encoding", "gzip, br") })
	if got := answer.header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
		t.Errorf("Cache-Control is %q", got)
	}
	if got := answer.header.Get("Content-Encoding"); got != "gzip" {
		t.Errorf("Content-Encoding is %q", got)
	}
	other := get(t, s, "/static/000000000000/app.css")
	if got := other.header.Get("Cache-Control"); other.status != http.StatusOK || got != "no-store" {
		t.Errorf("under another hash: status %d, Cache-Control %q", other.status, got)
	}
}

// TestTheShellIsWhole holds that the service worker keeps every module that pages load.
func TestTheShellIsWhole(t *testing.T) {
	worker := get(t, whole(t, newHouse(t, fixed)), "/service-worker.js").text
	modules, err := filepath.Glob("../../static/js/*.js")
	if err != nil || len(modules) == 0 {
		t.Fatal("no modules", err)
	}
	for _, module := range modules {
		name := "js/" + filepath.Base(module)
		if name != "js/service-worker.js" && !strings.Contains(worker, "/"+name+`"`) {
			t.Errorf("the service worker does not keep %s", name)
		}
	}
}

// TestEveryTextIsKnown holds that no template and no page asks for a text that is not there.
func TestEveryTextIsKnown(t *testing.T) {
	known := readTexts(t, "en")
	asked := regexp.MustCompile(`\b(?:t|th) "([a-zA-Z_.]+)"|\bsay(?:HTML)?\("([a-zA-Z_.]+)"`)
	for _, pattern := range []string{"templates/*.html", "*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range asked.FindAllStringSubmatch(string(content), -1) {
				name := found[1] + found[2]
				if _, ok := known[name]; !ok && !strings.HasSuffix(name, ".") {
					t.Errorf("%s asks for the text %q, which is not there", file, name)
				}
			}
		}
	}
}
