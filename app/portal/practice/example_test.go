package practice_test

import (
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/atozbot/atozbot/app/portal/practice"
)

// A portal with one job that a rival wants, and an accept POST that is answered with a
// reset after it did its work.
func Example() {
	portal := practice.New(practice.Scenario{
		Seed: 7,
		Jobs: []practice.Job{{Number: 48213, StartsIn: 50 * time.Hour, RivalAfter: 5 * time.Second}},
		Faults: []practice.Fault{
			{Kind: practice.FaultResetAfter, Page: practice.PageAccept, Count: 1},
		},
	}, practice.Options{})
	server := httptest.NewServer(portal)
	defer server.Close()

	// Here the program under test works on server.URL …

	truth := portal.Truth()
	fmt.Println(truth.Counts.Listed, "listed,", truth.Counts.Accepted, "accepted,", len(truth.Wrong), "wrong acts")
	// Output: 1 listed, 0 accepted, 0 wrong acts
}
