package daemon_test

import (
	"slices"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app/portal/practice"
)

// report sends what a bot that runs elsewhere has to say.
func (r *running) report(t *testing.T, update string) {
	t.Helper()
	r.post(t, "/api/bot/realtime-update", update)
}

// refs gives the references of a list of jobs, in order.
func (r *running) refs(t *testing.T, query string) []string {
	t.Helper()
	var page []recorded
	r.get(t, "/api/bot/jobs?limit=1000&"+query, &page)
	refs := make([]string, len(page))
	for i, j := range page {
		refs[i] = j.Ref
	}
	slices.Sort(refs)
	return refs
}

func TestWhatOutsideBotsReportStandsApartFromOurOwn(t *testing.T) {
	now := time.Now()
	portal := openStand(t, practice.Scenario{Jobs: []practice.Job{
		{Number: 70001, Language: "Urdu", Type: "Telephone interpreting", Starts: now.Add(72 * time.Hour).Truncate(time.Hour), Minutes: 60},
	}})
	r := boot(t, portal.forBot("ATOZBOT_DATA_DIR="+t.TempDir())...)
	until(t, 20*time.Second, "our own job is booked", func() bool { return len(r.refs(t, "status=accepted")) == 1 })

	const session = "real-atoz-session-20250930_104428"
	r.report(t, `{"type":"job_accepted","data":{"session_id":"`+session+`","job_number":"48213/A","language":"Polish"}}`)
	r.report(t, `{"type":"job_rejected","data":{"session_id":"`+session+`","job_number":48214,"language":"Polish","reason":"excluded"}}`)

	for query, want := range map[string][]string{
		"":                             {"70001/A"},
		"language=urdu":                {"70001/A"},
		"language=polish":              {},
		"outside=true":                 {"48213/A", "48214"},
		"outside=true&status=accepted": {"48213/A"},
	} {
		if got := r.refs(t, query); !slices.Equal(got, want) {
			t.Errorf("jobs?%s gives %v, want %v", query, got, want)
		}
	}
	var sessions []struct{ ID, Source string }
	r.get(t, "/api/bot/sessions", &sessions)
	for _, s := range sessions {
		want := []string{"70001/A"}
		if s.Source == "outside" {
			want = []string{"48213/A", "48214"}
		}
		if got := r.refs(t, "session_id="+s.ID); !slices.Equal(got, want) {
			t.Errorf("the %s session has %v, want %v", s.Source, got, want)
		}
	}
}
