package app

import "time"

// Verdict is what is to be done with a job.
type Verdict string

// The verdicts.
const (
	VerdictAccept Verdict = "accept"
	VerdictAsk    Verdict = "ask" // Shown to the user, who accepts it or leaves it.
	VerdictLeave  Verdict = "leave"
	VerdictReject Verdict = "reject"
)

// Held is a rule's answer.
type Held string

// The answers. A rule that is not known never leads to an acceptance.
const (
	Yes     Held = "held"
	No      Held = "did not hold"
	Unknown Held = "not known"
)

// Check is one rule's answer and what it saw.
type Check struct {
	Rule   string `json:"rule"`   // The rule's name: "job_type", "languages", "overlap" …
	Held   Held   `json:"held"`   //
	Saw    string `json:"saw"`    // The value the rule looked at, as text.
	Wanted string `json:"wanted"` // What it wanted, as text.
	Reason string `json:"reason"` // One sentence for people.
}

// Decision is what the rules made of one job, and why.
type Decision struct {
	ID           string    `json:"id"`
	AccountID    string    `json:"account_id"`
	Number       string    `json:"number"` // The job's; decisions hang on the job by account and number.
	RulesVersion int64     `json:"rules_version"`
	Verdict      Verdict   `json:"verdict"`
	Reason       string    `json:"reason"` // The sentence of the check that decided.
	Rule         string    `json:"rule"`   // The rule that decided; "" for an acceptance.
	Checks       []Check   `json:"checks"` // In the order in which they were asked.
	DecidedAt    time.Time `json:"decided_at"`
	Repeats      int64     `json:"repeats"` // How often the same decision was made again; not stored each time.
	// NeedsDetails says that nothing speaks against the job but that the rules cannot be
	// answered without its details page. It is asked for, and Decide is called again.
	NeedsDetails bool `json:"-"`
	// StartsAt and EndsAt are the appointment in UTC; zero where not understood.
	StartsAt time.Time `json:"starts_at"`
	EndsAt   time.Time `json:"ends_at"`
}

// Booking is a stretch of time that is taken, or about to be: an accepted job, a claim
// that is not settled, a job the user booked without us, an entry of a busy calendar.
type Booking struct {
	Number   string // The job's; "" for a calendar's entry.
	Label    string // For people: "48213/A, Polish", "calendar Private: dentist".
	JobType  string // For buffers by job type; may be "".
	StartsAt time.Time
	EndsAt   time.Time
	// Firm is false for an entry of a calendar: it keeps time busy and counts for no cap.
	Firm bool
}

// Tally is what caps are counted from: what this account has already taken.
type Tally struct {
	Session  int // Acceptances and unsettled accept claims of the running session.
	Rejected int // Rejections and unsettled reject claims of the running session.
	// Bookings holds every acceptance, unsettled accept claim and busy entry that can
	// matter for a job to come: those that end after the beginning of this week, or a day
	// before it where a buffer reaches over it. The rules' TallyFrom gives the instant.
	Bookings []Booking
}
