package practice

import (
	"fmt"
	"slices"
	"time"
)

// Page is what a request is for.
type Page string

// The pages. [PageAny] stands for each of them.
const (
	PageAny       Page = ""
	PageLogin     Page = "login"     // The log-in form.
	PageLogIn     Page = "log_in"    // Its POST.
	PageDashboard Page = "dashboard" //
	PageBoard     Page = "board"     //
	PageDetails   Page = "details"   //
	PageAccept    Page = "accept"    // The POST of the accept form.
	PageContinue  Page = "continue"  // The POST that answers the 24-hour question with yes.
	PageReject    Page = "reject"    // The POST of the reject form.
	PageCancel    Page = "cancel"    // The POST of the dialog that must never be submitted.
	PageLogout    Page = "logout"    //
	PageOther     Page = "other"     // Anything else.
)

// FaultKind is what goes wrong.
type FaultKind string

// The kinds of faults. Those before the commit change nothing on the portal; those
// after it answer badly to a request that did its work.
const (
	// Before the commit.
	FaultError        FaultKind = "error"         // 500, or Status.
	FaultReset        FaultKind = "reset"         // The connection is reset.
	FaultHang         FaultKind = "hang"          // No answer, until the client leaves or Delay is over.
	FaultRateLimited  FaultKind = "rate_limited"  // 429 with RetryAfter.
	FaultMaintenance  FaultKind = "maintenance"   // 503, with RetryAfter where it is set.
	FaultExpiredToken FaultKind = "expired_token" // 419.
	FaultChallenge    FaultKind = "challenge"     // "Checking your browser", 403 or Status.
	FaultCaptcha      FaultKind = "captcha"       // A CAPTCHA on a page of the portal, with 200.
	FaultConsent      FaultKind = "consent"       // A page of terms to consent to, with 200.
	FaultForeign      FaultKind = "foreign"       // Another site's HTML, with 200.
	FaultChanged      FaultKind = "changed"       // Logged in, and in a layout that nobody knows.
	FaultNoTable      FaultKind = "no_table"      // The board's page without its table: the header alone.
	FaultEmptyBody    FaultKind = "empty_body"    // 200 and nothing.
	FaultGarbage      FaultKind = "garbage"       // 200 and bytes that are no page.
	FaultHuge         FaultKind = "huge"          // 200 and a page without end (64 MiB).
	FaultRedirectLoop FaultKind = "redirect_loop" // A redirect to itself.
	FaultOffSite      FaultKind = "off_site"      // A redirect to Target, another site.
	FaultWrongJob     FaultKind = "wrong_job"     // The details of another job.
	FaultLoggedOut    FaultKind = "logged_out"    // The session is gone: the log-in page.
	FaultGuestPage    FaultKind = "guest_page"    // The log-in form at the page's own address, with 200.
	FaultGuestBoard   FaultKind = "guest_board"   // The frame of an empty board beside the log-in form, with 200. The session lives.
	FaultRival        FaultKind = "rival"         // A rival is faster by a moment. The rest goes on as usual.
	FaultRefuse       FaultKind = "refuse"        // The portal says no.
	FaultCancelDialog FaultKind = "cancel_dialog" // The dialog that must never be submitted.
	FaultStale        FaultKind = "stale"         // The page as it was before the account's newest act.
	FaultSlow         FaultKind = "slow"          // Delay, and then as usual.
	FaultClose        FaultKind = "close"         // As usual, and the connection is closed after it.

	// After the commit.
	FaultErrorAfter   FaultKind = "error_after"   // 500, or Status.
	FaultResetAfter   FaultKind = "reset_after"   //
	FaultHangAfter    FaultKind = "hang_after"    //
	FaultForeignAfter FaultKind = "foreign_after" //
	FaultTruncated    FaultKind = "truncated"     // The connection ends in the middle of the body.
	FaultTrickle      FaultKind = "trickle"       // The body comes in pieces, over Delay.
)

var faultKinds = []FaultKind{
	FaultError, FaultReset, FaultHang, FaultRateLimited, FaultMaintenance, FaultExpiredToken,
	FaultChallenge, FaultCaptcha, FaultConsent, FaultForeign, FaultChanged, FaultNoTable, FaultEmptyBody,
	FaultGarbage, FaultHuge, FaultRedirectLoop, FaultOffSite, FaultWrongJob, FaultLoggedOut,
	FaultGuestPage, FaultGuestBoard, FaultRival, FaultRefuse, FaultCancelDialog, FaultStale, FaultSlow, FaultClose,
	FaultErrorAfter, FaultResetAfter, FaultHangAfter, FaultForeignAfter, FaultTruncated, FaultTrickle,
}

// spoils tells whether the fault befalls what the portal answers, so that a client may see
// nothing of it, or too late.
func (f Fault) spoils() bool {
	switch f.Kind {
	case FaultSlow, FaultErrorAfter, FaultResetAfter, FaultHangAfter, FaultForeignAfter, FaultTruncated, FaultTrickle:
		return true
	default:
		return false
	}
}

// FaultKinds gives every kind there is.
func FaultKinds() []FaultKind { return slices.Clone(faultKinds) }

// Fault is something that goes wrong with some of the requests. Of several that fit a
// request, the first one set befalls it.
type Fault struct {
	Name string    `json:"name,omitempty"` // By which it is cleared and counted; its kind where empty.
	Kind FaultKind `json:"kind"`
	Page Page      `json:"page,omitempty"` // Only this one; "" for all.
	Job  int64     `json:"job,omitempty"`  // Only this one's pages; 0 for all.

	// Probability of each request that fits; 0 means 1. It is drawn from the seed, the
	// job and how often that job's page was asked for, not from the order of requests.
	Probability float64       `json:"probability,omitempty"`
	Skip        int           `json:"skip,omitempty"`    // So many requests that fit go by first.
	Count       int           `json:"count,omitempty"`   // At most so often; 0: no bound.
	PerJob      int           `json:"per_job,omitempty"` // At most so often for one job; 0: no bound.
	From        time.Duration `json:"from,omitempty"`    // Not before this, from the start.
	Until       time.Duration `json:"until,omitempty"`   // Not after this, from the start; 0: no end.

	Status     int           `json:"status,omitempty"`      // For kinds that answer with a status.
	Delay      time.Duration `json:"delay,omitempty"`       // For slow, hang and trickle.
	RetryAfter time.Duration `json:"retry_after,omitempty"` // For those that carry the header.
	RetryDate  bool          `json:"retry_date,omitempty"`  // The header carries a date, not seconds.
	Target     string        `json:"target,omitempty"`      // For off_site.
}

// Validate says what in the fault cannot be.
func (f Fault) Validate() error {
	switch {
	case !slices.Contains(faultKinds, f.Kind):
		return fmt.Errorf("kind %q: there is no such fault", f.Kind)
	case f.Probability < 0 || f.Probability > 1:
		return fmt.Errorf("probability %v: not between 0 and 1", f.Probability)
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("status %d: not between 200 and 599", f.Status)
	case f.Kind == FaultOffSite && f.Target == "":
		return fmt.Errorf("target: missing")
	}
	return nil
}

// armed is a fault that is set, and what has become of it.
type armed struct {
	Fault
	since   time.Time // What From and Until are counted from.
	fits    int       // Requests that it fitted.
	hits    int
	jobFits map[int64]int
	jobHits map[int64]int
}

// befalls tells whether the fault strikes this request, and counts it.
func (a *armed) befalls(seed uint64, page Page, number int64, now time.Time) bool {
	if a.Page != PageAny && a.Page != page || a.Job != 0 && a.Job != number {
		return false
	}
	age := now.Sub(a.since)
	if age < a.From || a.Until > 0 && age > a.Until {
		return false
	}
	a.fits++
	if number != 0 {
		a.jobFits[number]++
	}
	if a.fits <= a.Skip ||
		a.Count > 0 && a.hits >= a.Count ||
		a.PerJob > 0 && a.jobHits[number] >= a.PerJob {
		return false
	}
	if a.Probability > 0 {
		draw := chance(seed, "fault "+a.Name+string(page), int64(a.fits))
		if number != 0 {
			draw = chance(seed, "fault "+a.Name+string(page), number*64+int64(a.jobFits[number]))
		}
		if draw >= a.Probability {
			return false
		}
	}
	a.hits++
	if number != 0 {
		a.jobHits[number]++
	}
	return true
}

// forget drops what was counted for a job that the portal has forgotten.
func (a *armed) forget(number int64) {
	delete(a.jobFits, number)
	delete(a.jobHits, number)
}

func arm(f Fault, since time.Time) *armed {
	if f.Name == "" {
		f.Name = string(f.Kind)
	}
	return &armed{Fault: f, since: since, jobFits: map[int64]int{}, jobHits: map[int64]int{}}
}
