package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/web"
)

// inOrder holds that a page says things one after the other.
func inOrder(t *testing.T, page string, says ...string) {
	t.Helper()
	for _, text := range says {
		_, rest, found := strings.Cut(page, text)
		if !found {
			t.Fatalf("the page does not say %q, or not there", text)
		}
		page = rest
	}
}

func TestTheWhyBeginsWithWhatSpeaksAgainstTheJob(t *testing.T) {
	s := newSite(t, newHouse(t, fixed))
	inOrder(t, get(t, s, "/jobs/0190-1").text, `id="why"`, "check--decided", "Excluded types", "<details", "3 rules held", "Free on the board", "</details>")
	inOrder(t, get(t, s, "/jobs/0190-0").text, `id="why"`, `<details class="held" open>`, "rules held") // Nothing speaks against it.
}

func TestARejectionNamesTheTypeThatIsExcluded(t *testing.T) {
	h := newHouse(t, fixed)
	h.jobs[7].RejectionReason = "It is no longer offered to you."
	get(t, newSite(t, h), "/activity?kind=rejected").is(t, http.StatusOK, "", "You exclude “On-site”.")
}

func TestAChangeOfTheRulesHasItsUnit(t *testing.T) {
	page := get(t, newSite(t, newHouse(t, fixed)), "/rules?preset=careful").text
	inOrder(t, page, "would have accepted 4 more and 1 fewer", "Careful.", "Least notice", "24 h", "Look every", "30 s")
	inOrder(t, page, `class="rules__do"`, "4 more, 1 fewer in 14 days")
}

func TestBookingsExplainOnlyWhatTheyDraw(t *testing.T) {
	h := newHouse(t, fixed)
	h.jobs = h.jobs[:1]
	s := newSite(t, h)
	get(t, s, "/bookings").silent(t, "key--buffer", "key--busy", "key--conflict")
	h.change(func(h *house) {
		h.versions[0].BufferBefore = 15
		h.busy = []app.Booking{{Label: "Dentist", StartsAt: h.jobs[0].StartsAt, EndsAt: h.jobs[0].EndsAt}}
	})
	get(t, s, "/bookings").is(t, http.StatusOK, "", "key--buffer", "key--conflict", "Overlaps Dentist")
}

func TestTheSystemPageDoesNotContradictItself(t *testing.T) {
	h := newHouse(t, fixed)
	h.health.Services = append(h.health.Services, web.Service{Name: "websocket", State: web.ServiceHealthy})
	page := get(t, newSite(t, h), "/system").text
	_, live, _ := strings.Cut(page, "Live updates")
	line, _, _ := strings.Cut(live, "</li>")
	if !strings.Contains(line, "working") || strings.Contains(line, "Not seen good yet") {
		t.Errorf("it says %s", line)
	}
}
