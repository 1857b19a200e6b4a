package daemon_test

import (
	"net/http"
	"testing"
)

func TestARoundaboutWayIntoTheAPILeadsNowhere(t *testing.T) {
	r := boot(t, "ATOZBOT_DATA_DIR="+t.TempDir(), "API_PORT=0", "ATOZBOT_API_TOKEN="+token)
	straight := &http.Client{
		Transport:     r.watch.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	for _, way := range []string{"/api//bot/status", "//api/bot/status", "/rules/../api/bot/status", "/api/bot/./status"} {
		for bearer, status := range map[string]int{"": http.StatusUnauthorized, token: http.StatusNotFound} {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+way, nil)
			if err != nil {
				t.Fatal(err)
			}
			if bearer != "" {
				request.Header.Set("Authorization", "Bearer "+bearer)
			}
			answer, err := straight.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			_ = answer.Body.Close()
			if answer.StatusCode != status || answer.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s with the token %q answers %s, want %d and a problem", way, bearer, answer.Status, status)
			}
		}
	}
}
