package daemon_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app/portal/practice"
	"github.com/atozbot/atozbot/store/storetest"
)

// audited is an entry of the audit log as the API gives it.
type audited struct {
	Kind    string  `json:"kind"`
	Who     string  `json:"who"`
	What    string  `json:"what"`
	Subject *string `json:"subject"`
	After   any     `json:"after"`
	Request *string `json:"request_id"`
}

// post asks the API to do something.
func (r *running) post(t *testing.T, path, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	response, err := r.watch.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if said, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusOK {
		t.Fatalf("%s answers %s: %s", path, response.Status, said)
	}
}

func TestPeopleAndBotAlikeStandInTheAuditLog(t *testing.T) {
	for name, database := range map[string]func(*testing.T) string{
		"SQLite":     func(*testing.T) string { return "" },
		"PostgreSQL": func(t *testing.T) string { return storetest.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			portal := openStand(t, practice.Mixed(5, 30))
			r := boot(t, portal.forBot("DATABASE_URL="+database(t), "ATOZBOT_DATA_DIR="+t.TempDir())...)
			var entries []audited
			find := func(kind, what string) *audited {
				for i := range entries {
					if entries[i].Kind == kind && entries[i].What == what {
						return &entries[i]
					}
				}
				return nil
			}
			until(t, 30*time.Second, "the bot's acceptance is noted", func() bool {
				r.get(t, "/api/audit?limit=1000", &entries)
				return find("bot", "job.accepted") != nil && find("system", "program.start") != nil
			})
			if accepted := find("bot", "job.accepted"); accepted.Subject == nil || *accepted.Subject == "" || accepted.After == nil || accepted.Who != "bot" {
				t.Errorf("the acceptance is noted as %+v", accepted)
			}
			for _, what := range []string{"session.started", "portal.logged-in"} {
				if find("bot", what) == nil {
					t.Errorf("%s is not noted", what)
				}
			}
			r.post(t, "/api/bot/pause", "{}")
			until(t, 10*time.Second, "the person's pause is noted", func() bool {
				r.get(t, "/api/audit?limit=1000", &entries)
				return find("environment", "bot.pause") != nil
			})
			if paused := find("environment", "bot.pause"); paused.Request == nil || *paused.Request == "" {
				t.Errorf("the pause is noted as %+v", paused)
			}
		})
	}
}

func TestBehindAProxyThatIsBelievedTheClientIsNoted(t *testing.T) {
	r := boot(t, "API_PORT=0", "ATOZBOT_API_TOKEN="+token, "ATOZBOT_DATA_DIR="+t.TempDir(), "TRUSTED_PROXIES=127.0.0.1")
	ask := func(forwarded string) *http.Response {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/api/bot/stop", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
		request.Header.Set("X-Forwarded-For", forwarded)
		request.Header.Set("X-Forwarded-Proto", "https")
		response, err := r.watch.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response
	}
	until(t, 30*time.Second, "the program works", func() bool { return ask("203.0.113.9").StatusCode == http.StatusOK })
	if ask("203.0.113.9, 198.51.100.7").Header.Get("Strict-Transport-Security") == "" {
		t.Error("the browser is not told to stay with TLS")
	}
	until(t, 10*time.Second, "the client's address is noted", func() bool {
		var entries []struct{ Address *string }
		r.get(t, "/api/audit", &entries)
		for _, e := range entries {
			if e.Address != nil && *e.Address == "198.51.100.7" { // The nearest that is no proxy of ours.
				return true
			}
		}
		return false
	})
}
