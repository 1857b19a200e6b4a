package practice

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Log-in data of the account that a scenario has when it names none.
const (
	DefaultEmail    = "interpreter@example.org"
	DefaultPassword = "practice"
)

// Scenario is everything that happens on a practice portal, as data. The zero value is
// a portal with one account, no jobs and good manners. It can be read from JSON with
// [Load]; durations are then written as "1.5s".
type Scenario struct {
	Name string `json:"name,omitempty"`
	// Seed decides everything that is left to chance.
	Seed uint64 `json:"seed,omitempty"`
	// Accounts may log in; one of [DefaultEmail] and [DefaultPassword] where empty.
	Accounts []Account `json:"accounts,omitempty"`
	// TimeZone is the portal's; Europe/London where empty.
	TimeZone string `json:"time_zone,omitempty"`
	// FirstNumber is given to the first job that has none of its own; 48213 where 0.
	FirstNumber int64 `json:"first_number,omitempty"`

	// Prefix stands before every path of the portal, "/agency" for one that shares its
	// host with others.
	Prefix string `json:"prefix,omitempty"`

	Jobs    []Job            `json:"jobs,omitempty"`
	Stream  *Stream          `json:"stream,omitempty"` // Jobs without end; nil for none.
	Rivals  Rivals           `json:"rivals"`
	Session SessionRules     `json:"session"`
	Latency map[Page]Latency `json:"latency,omitempty"` // By page; "" is every page not named.
	Faults  []Fault          `json:"faults,omitempty"`
	Guests  GuestRules       `json:"guests"`
	Board   BoardRules       `json:"board"`
	Look    Look             `json:"look"`
}

// Account is one interpreter's log-in.
type Account struct {
	Email    string `json:"email"`
	Password string `json:"password"`
	Name     string `json:"name,omitempty"` // As shown in the header.
}

// Job is one job as the scenario has it. The zero value of a field means what is usual:
// a matched telephone job in Polish, tomorrow at ten, for half an hour.
type Job struct {
	Number int64         `json:"number,omitempty"` // 0: the next free one.
	Suffix string        `json:"suffix,omitempty"` // After the slash of the reference; "A" where empty.
	At     time.Duration `json:"at,omitempty"`     // When it is listed, from the start (from now, for a job that is added).

	Language string `json:"language,omitempty"`
	// Type stands under "Interpreter details". [NoType] leaves it empty.
	Type     string        `json:"type,omitempty"`
	Starts   time.Time     `json:"starts,omitzero"`     // The appointment.
	Minutes  int           `json:"minutes,omitempty"`   // How long it takes.
	StartsIn time.Duration `json:"starts_in,omitempty"` // Where Starts is zero: so long after it is listed.
	// Where Starts and StartsIn are zero: on the Day-th day after the portal's start, at
	// Clock ("14:30") in its zone.
	Day     int     `json:"day,omitempty"`
	Clock   string  `json:"clock,omitempty"`
	Written Written `json:"written,omitzero"` // What the board shows in place of the values above.
	Status  string  `json:"status,omitempty"` // "Matched" where empty. Another one can't be accepted.
	Extra   []Label `json:"extra,omitempty"`  // Further lines of the details page.
	Expect  Expect  `json:"expect,omitempty"` // What the rules out of the box make of it; for tests.
	Kind    Kind    `json:"kind,omitempty"`   // What sort of job a generator made of it.

	// RivalAfter is when a rival takes it, after it was listed; 0: as Rivals says;
	// below 0: never.
	RivalAfter time.Duration `json:"rival_after,omitempty"`
	// RivalFirst lets a rival take it just before the first accept POST is looked at.
	RivalFirst bool `json:"rival_first,omitempty"`
	// WithdrawAfter takes it off the portal so long after it was listed, whoever has it; 0: never.
	WithdrawAfter time.Duration `json:"withdraw_after,omitempty"`

	// ShortNotice says whether an accept POST is answered with the 24-hour question.
	ShortNotice Asked `json:"short_notice,omitempty"`
	// CancelDialog answers an accept POST with the dialog that must never be submitted.
	CancelDialog bool `json:"cancel_dialog,omitempty"`
	// Refusal is the portal's no to an accept POST, in its words; "" for none.
	Refusal string `json:"refusal,omitempty"`

	NoAcceptForm bool `json:"no_accept_form,omitempty"` // The row carries none, though matched.
	NoRejectForm bool `json:"no_reject_form,omitempty"`
	NoLink       bool `json:"no_link,omitempty"`
}

// NoType is the [Job.Type] of a job whose details leave the type empty.
const NoType = "-"

// Written is what the board shows instead of what a job's fields say: for cells that
// nobody can understand. "-" leaves the cell empty.
type Written struct {
	Ref       string `json:"ref,omitempty"`
	Submitted string `json:"submitted,omitempty"`
	Date      string `json:"date,omitempty"`
	Time      string `json:"time,omitempty"`
	Duration  string `json:"duration,omitempty"`
	Language  string `json:"language,omitempty"`
}

// Label is one labelled line of a details page.
type Label struct {
	Label string `json:"label"`
	Text  string `json:"text"`
}

// Asked says when the 24-hour question is put.
type Asked string

// When the 24-hour question is put: by the appointment's time, always, or never.
const (
	AskedByTime Asked = ""
	AskedAlways Asked = "always"
	AskedNever  Asked = "never"
)

// Expect is what the rules out of the box (with rejecting of excluded types switched
// on) are to make of a job on its own: overlaps, caps and races aside.
type Expect string

// What can be expected of a job.
const (
	ExpectNothing Expect = ""        // Not said.
	ExpectAccept  Expect = "accept"  //
	ExpectLeave   Expect = "leave"   // Seen matched, and not for us.
	ExpectReject  Expect = "reject"  // An excluded type.
	ExpectIgnore  Expect = "ignore"  // Never matched: not to be touched, nor recorded.
	ExpectRefused Expect = "refused" // It may be tried, and the portal does not give it.
)

// Rivals are the other interpreters, who see the same jobs.
type Rivals struct {
	Share  float64       `json:"share,omitempty"`  // Of the jobs, how many a rival wants: 0 to 1.
	After  time.Duration `json:"after,omitempty"`  // From listing to taking, in the mean.
	Jitter time.Duration `json:"jitter,omitempty"` // At most so much more or less, evenly.
}

// SessionRules say how long a session and its form token live.
type SessionRules struct {
	Requests int           `json:"requests,omitempty"` // It ends after so many requests; 0: never.
	For      time.Duration `json:"for,omitempty"`      // It ends so long after the log-in; 0: never.
	// TokenFor and TokenPosts make the form token a new one after a time or a number of
	// POSTs; forms that carry the old one are answered with 419. 0: never.
	TokenFor    time.Duration `json:"token_for,omitempty"`
	TokenPosts  int           `json:"token_posts,omitempty"`
	Single      bool          `json:"single,omitempty"`              // A log-in ends the account's other sessions.
	LandsOn     string        `json:"lands_on,omitempty"`            // "dashboard" (the default), "board" or "intended".
	Attempts    int           `json:"attempts,omitempty"`            // So many wrong log-ins lock the account; 0: never.
	Locked      time.Duration `json:"locked,omitempty"`              // For so long; a minute where 0.
	PostExpires bool          `json:"post_expires,omitempty"`        // A POST without a session gets 419, not the log-in page.
	PlainLogin  bool          `json:"redirect_less_login,omitempty"` // A logged-out request gets the log-in page with 200 at its own address.
}

// Latency is how long the portal takes for a page, half of it before anything is
// decided and half after.
type Latency struct {
	Mean   time.Duration `json:"mean"`
	Jitter time.Duration `json:"jitter,omitempty"` // At most so much more or less, evenly.
}

// GuestRules limit clients; who asks for more is answered with 429.
type GuestRules struct {
	PerSecond  float64       `json:"per_second,omitempty"`  // Requests of one client, in the mean; 0: no limit.
	Burst      int           `json:"burst,omitempty"`       // So many may come at once; 1 at least.
	AtOnce     int           `json:"at_once,omitempty"`     // Requests of one client at one time; 0: no limit.
	RetryAfter time.Duration `json:"retry_after,omitempty"` // What a 429 asks for; a second where 0.
}

// BoardRules say what the board shows.
type BoardRules struct {
	Path     string `json:"path,omitempty"`      // /interpreter-jobs where empty.
	PageSize int    `json:"page_size,omitempty"` // Rows on a page; 0: all on one.
	// KeepTaken leaves a row that a rival took on the board for so long, as "Filled";
	// 0: it is off at once.
	KeepTaken time.Duration `json:"keep_taken,omitempty"`
	// KeepAccepted leaves an accepted row on its interpreter's board for so long; 0: for
	// good; below 0: it is off at once, and only the details still show it.
	KeepAccepted time.Duration `json:"keep_accepted,omitempty"`
	// AcceptedRows bounds how many accepted rows a board shows, the newest; 0: no bound.
	AcceptedRows int  `json:"accepted_rows,omitempty"`
	OldestFirst  bool `json:"oldest_first,omitempty"` // Else the newest job stands on top.
	// Forget drops a job that nobody can act on any more so long after its end, and
	// Remember is the most jobs kept in all; 0: no bound.
	Forget   time.Duration `json:"forget,omitempty"`
	Remember int           `json:"remember,omitempty"`

	// AfterAct is where an accept or a reject leads: "board" (the default, a redirect),
	// "details" (a redirect) or "page" (the board at once, with 200).
	AfterAct string `json:"after_act,omitempty"`
	// Refused is where the portal says no: "page" (the default, a page of its own) or
	// "board" (a redirect there, with a complaint).
	Refused string `json:"refused,omitempty"`
	// Gone is how a job that is no longer there is answered: "page" (the default, words
	// with 200), "404", "410", "details" (its details with the status), or "board" (a
	// redirect there).
	Gone string `json:"gone,omitempty"`
	// DialogFrom is where the 24-hour question stands: "page" (the default, the answer
	// itself) or "redirect" (on the page that the answer leads to).
	DialogFrom string `json:"dialog_from,omitempty"`
}

// withDefaults gives the scenario with every empty field that has a default filled.
func (s Scenario) withDefaults() Scenario {
	s.Accounts = slices.Clone(s.Accounts) // Their passwords can be changed.
	if len(s.Accounts) == 0 {
		s.Accounts = []Account{{Email: DefaultEmail, Password: DefaultPassword, Name: "Alex Morgan"}}
	}
	if s.TimeZone == "" {
		s.TimeZone = "Europe/London"
	}
	if s.FirstNumber == 0 {
		s.FirstNumber = 48213
	}
	if s.Board.Path == "" {
		s.Board.Path = jobsPath
	}
	if s.Session.LandsOn == "" {
		s.Session.LandsOn = "dashboard"
	}
	if s.Session.Locked == 0 {
		s.Session.Locked = time.Minute
	}
	if s.Guests.RetryAfter == 0 {
		s.Guests.RetryAfter = time.Second
	}
	s.Guests.Burst = max(s.Guests.Burst, 1)
	s.Look.Words = s.Look.Words.withDefaults()
	return s
}

// withDefaults gives the job with what is usual in every empty field.
func (j Job) withDefaults() Job {
	if j.Suffix == "" {
		j.Suffix = "A"
	}
	if j.Language == "" {
		j.Language = "Polish"
	}
	switch j.Type {
	case "":
		j.Type = TypeTelephone
	case NoType:
		j.Type = ""
	}
	if j.Minutes == 0 {
		j.Minutes = 30
	}
	return j
}

// Validate names the first thing in the scenario that cannot be.
func (s Scenario) Validate() error {
	if _, err := time.LoadLocation(s.TimeZone); err != nil {
		return fmt.Errorf("time_zone: %w", err)
	}
	if p := s.Board.Path; p != "" && (!strings.HasPrefix(p, "/") || strings.ContainsAny(p, "?# ")) {
		return fmt.Errorf("board.path %q: not a path", p)
	}
	if p := s.Prefix; p != "" && (!strings.HasPrefix(p, "/") || strings.HasSuffix(p, "/") || strings.ContainsAny(p, "?# ")) {
		return fmt.Errorf("prefix %q: not a path, or one that ends in a slash", p)
	}
	if s.Rivals.Share < 0 || s.Rivals.Share > 1 {
		return errors.New("rivals.share: not between 0 and 1")
	}
	numbers := make(map[int64]bool, len(s.Jobs))
	for i, j := range s.Jobs {
		if j.Number < 0 {
			return fmt.Errorf("jobs[%d].number: below 0", i)
		}
		if j.Number > 0 && numbers[j.Number] {
			return fmt.Errorf("jobs[%d].number %d: there is another one", i, j.Number)
		}
		numbers[j.Number] = true
		if _, err := time.Parse("15:04", j.Clock); j.Clock != "" && err != nil {
			return fmt.Errorf("jobs[%d].clock %q: no time of a day", i, j.Clock)
		}
	}
	for i, f := range s.Faults {
		if err := f.Validate(); err != nil {
			return fmt.Errorf("faults[%d]: %w", i, err)
		}
	}
	if s.Stream != nil && s.Stream.Every <= 0 {
		return errors.New("stream.every: must be above 0")
	}
	return nil
}
