package daemon

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/atozbot/atozbot/app/health"
)

// frontOf gives a front without rooms, whose dependencies are still being waited for.
func frontOf() *front {
	keeper := health.NewKeeper(health.Options{Name: "test"})
	monitor := health.NewMonitor(health.MonitorOptions{Version: "test", Database: keeper, Redis: keeper, Ready: func() (bool, string) { return true, "" }})
	return newFront(monitor, slog.New(slog.DiscardHandler), func() bool { return false }, true)
}

func TestWhoComesEarlyWaitsForTheRooms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := frontOf()
		answered := make(chan *httptest.ResponseRecorder)
		go func() {
			w := httptest.NewRecorder()
			f.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/bot/status", nil))
			answered <- w
		}()
		synctest.Wait()
		w := httptest.NewRecorder()
		f.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/health", nil))
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("health answers %d %s without the rooms", w.Code, w.Header().Get("Content-Type"))
		}
		f.open(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the room") }))
		if w := <-answered; w.Code != http.StatusOK || w.Body.String() != "the room" {
			t.Errorf("who came early gets %d %s", w.Code, w.Body)
		}
	})
}

func TestWhereTheRoomsAreNotBuiltEverybodyIsToldToComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := frontOf()
		for path, kind := range map[string]string{"/api/bot/status": "application/problem+json", "/": "text/html; charset=utf-8"} {
			w := httptest.NewRecorder()
			f.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
			if w.Code != http.StatusServiceUnavailable || w.Header().Get("Content-Type") != kind || w.Header().Get("Retry-After") == "" {
				t.Errorf("%s answers %d %v", path, w.Code, w.Header())
			}
		}
		gone, leave := context.WithCancel(t.Context())
		leave()
		w := httptest.NewRecorder()
		began := time.Now()
		f.ServeHTTP(w, httptest.NewRequestWithContext(gone, http.MethodGet, "/", nil))
		if waited := time.Since(began); waited != 0 {
			t.Errorf("for a client that has gone it is waited %s", waited)
		}
	})
}

// answerOf asks the front for one thing.
func answerOf(f *front, path string) *http.Response {
	w := httptest.NewRecorder()
	f.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Result()
}

func TestEveryAnswerOfTheFrontHasItsHeaders(t *testing.T) {
	all := []string{"X-Content-Type-Options", "Content-Security-Policy", "X-Frame-Options", "Referrer-Policy", "Strict-Transport-Security", "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy"}
	synctest.Test(t, func(t *testing.T) {
		f := frontOf()
		for _, path := range []string{"/", "/sign-in", "/api/bot/status", "/ws", "/health/detailed"} {
			answer := answerOf(f, path)
			if answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" {
				t.Errorf("before the rooms are open, %s answers %s", path, answer.Status)
			}
			holdHeaders(t, path, answer, all...)
		}
	})
	f := frontOf()
	for _, path := range []string{"/health", "/health/live", "/health/ready"} {
		holdHeaders(t, path, answerOf(f, path), "X-Content-Type-Options")
	}

	mux := http.NewServeMux()
	mux.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the room") })
	mux.HandleFunc("/broken", func(http.ResponseWriter, *http.Request) { panic("a fault") })
	f.open(mux)
	for _, path := range []string{"/api/", "/api/x/"} { // These have headers of their own, and are not touched.
		if answer := answerOf(f, path); answer.StatusCode != http.StatusOK || len(answer.Header) > 1 {
			t.Errorf("%s answers %s with %v", path, answer.Status, answer.Header)
		}
	}
	answer := answerOf(f, "/broken")
	body, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusInternalServerError || strings.Contains(string(body), "a fault") {
		t.Errorf("a panic answers %s: %s", answer.Status, body)
	}
}

func holdHeaders(t *testing.T, path string, answer *http.Response, names ...string) {
	t.Helper()
	for _, name := range names {
		if answer.Header.Get(name) == "" {
			t.Errorf("%s answers without %s", path, name)
		}
	}
}

func TestWhatIsPrintedSteersNoTerminal(t *testing.T) {
	if got := printable("48213/A \x1b[2J\x1b]0;owned\x07 Łódź\r\nnext\u009b31m"); got != "48213/A \ufffd[2J\ufffd]0;owned\ufffd Łódź\ufffd\nnext\ufffd31m" {
		t.Errorf("%q", got)
	}
}

func TestWhatListensEverywhereIsOpenedHere(t *testing.T) {
	for at, want := range map[string]string{
		"http://[::]:8000": "http://localhost:8000", "https://0.0.0.0:8443": "https://localhost:8443", "http://127.0.0.1:8000": "http://127.0.0.1:8000", "http://192.0.2.7:1": "http://192.0.2.7:1",
	} {
		if got := openAt(at); got != want {
			t.Errorf("%s is opened at %s", at, got)
		}
	}
}
