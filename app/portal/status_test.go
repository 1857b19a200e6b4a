package portal

import (
	"testing"

	"github.com/atozbot/atozbot/app"
)

func TestAStatusMeansWhatItsWholeWordsSay(t *testing.T) {
	profile := DefaultProfile()
	for status, want := range map[string]app.JobState{
		"Matched":               app.StateMatched,
		"MATCHED":               app.StateMatched,
		"matched ":              app.StateMatched,
		"Status: Matched":       app.StateMatched,
		"Matched!":              app.StateMatched,
		"Mátched":               app.StateMatched,
		"Unmatched":             app.StateOther,
		"Un-matched":            app.StateOther,
		"Not matched":           app.StateOther,
		"Not yet matched":       app.StateOther,
		"Rematched":             app.StateOther,
		"Mismatched":            app.StateOther,
		"Mis-matched":           app.StateOther,
		"Previously matched":    app.StateOther,
		"Formerly matched":      app.StateOther,
		"Matching":              app.StateOther,
		"Match":                 app.StateOther,
		"To be matched":         app.StateOther,
		"":                      app.StateOther,
		"New":                   app.StateOther,
		"Completed":             app.StateOther,
		"Rejected":              app.StateOther,
		"Accepted":              app.StateOurs,
		"Allocated":             app.StateOurs,
		"Assigned":              app.StateOurs,
		"Assigned to you":       app.StateOurs,
		"Confirmed":             app.StateOurs,
		"Booked":                app.StateOurs,
		"Matched - accepted":    app.StateOurs,
		"Unassigned":            app.StateOther,
		"Not accepted":          app.StateOther,
		"Overbooked":            app.StateOther,
		"Awaiting confirmation": app.StateOther,
		"To be confirmed":       app.StateOther,
		"Pending, not assigned": app.StateOther,
		"Filled":                app.StateGone,
		"Taken":                 app.StateGone,
		"Closed":                app.StateGone,
		"Cancelled":             app.StateGone,
		"Canceled":              app.StateGone,
		"Expired":               app.StateGone,
		"Withdrawn":             app.StateGone,
		"No longer available":   app.StateGone,
		"Matched - Cancelled":   app.StateGone,
		"Accepted (cancelled)":  app.StateGone,
		"Not cancelled":         app.StateOther,
		"Unfilled":              app.StateOther,
		"Not filled":            app.StateOther,

		"Accepted by another interpreter": app.StateGone,
		"Assigned to someone else":        app.StateGone,
		"Booked with somebody else":       app.StateGone,
		"Matched to another interpreter":  app.StateGone,
		"Accepted, others informed":       app.StateOther,
		"Other":                           app.StateOther,
	} {
		if got := profile.state(status); got != want {
			t.Errorf("the status %q means %q, and should mean %q", status, got, want)
		}
	}
}
