package app

import "time"

// Job is one row of the board as the portal showed it, with what could be understood
// of it. What was not understood is empty, never guessed, and stands in Row as it was.
type Job struct {
	Number string // The digits before the slash of the reference: by this the job is known.
	Ref    string // The reference as shown, white space mended: "48213/A".

	Language string
	// The other cells as written, white space mended.
	SubmittedText, DateText, TimeText, DurationText, StatusText string

	SubmittedAt     time.Time // UTC; zero where not understood. A date without a time is its midnight in the portal's zone.
	Date            string    // The appointment's day, "2027-01-31", or "".
	Time            string    // The appointment's start on the portal's wall clock, "14:30", or "".
	DurationMinutes int       // 0 where not understood.
	State           JobState  // What StatusText means.

	Row        []string // Every cell as text, white space mended: the row as it was.
	DetailsURL string   // Absolute; "" where the row has no link.
	AcceptForm *Form    // nil where the row carries none.
	Details    *Details // nil until asked for.
}

// JobState is what a status on the portal means.
type JobState string

// The states. StateOther is a status that the profile has no word for: nothing is done
// with such a job.
const (
	StateMatched JobState = "matched" // Free: it can be accepted or rejected.
	StateOurs    JobState = "ours"    // Booked with this account.
	StateGone    JobState = "gone"    // Somebody else has it, or it is withdrawn.
	StateOther   JobState = "other"
)

// Details is what the page of one job says.
type Details struct {
	Number     string // As the page's address or its forms say; "" where they don't.
	Type       string // The text under "Interpreter details"; "" where there is none.
	StatusText string
	State      JobState // "" where the page shows no status.
	Labels     []LabelledText
	AcceptForm *Form // nil where the page carries none.
	RejectForm *Form // nil where the job can no longer be rejected.
}

// LabelledText is one line of the details page.
type LabelledText struct{ Label, Text string }

// Form is a form of the portal, ready to be submitted: every hidden field and the
// submit button's name and value, in the order of the page.
type Form struct {
	Method string // "POST" or "GET".
	Action string // Absolute.
	Fields []FormField
	// Charset is the character set in which the fields are to be sent, that of their page;
	// "" for UTF-8.
	Charset string
}

// FormField is one field of a [Form].
type FormField struct{ Name, Value string }

// Board is one look at the board, over all its pages.
type Board struct {
	Jobs     []Job
	Complete bool // Every page was read: a job that is not here is not on the board.
	// Unchanged says that the bytes were the same as at the look before, but for the tokens
	// in forms; Jobs holds then that look's jobs, not decoded again, with forms as they are
	// now.
	Unchanged bool
	SeenAt    time.Time // When the first byte of the first page came.
	Pages     int       // How many requests the look took.
	Bytes     int       // Of the bodies, after decompression.
}

// PageClass is what a page of the portal is; every page is classified before it is read.
type PageClass string

// The classes. Only PageBoard and PageEmptyBoard say anything about jobs.
const (
	PageBoard       PageClass = "board"
	PageEmptyBoard  PageClass = "empty board"
	PageDetails     PageClass = "details"
	PageLoggedIn    PageClass = "logged in" // A page of the portal, logged in, that is none of the others.
	PageGone        PageClass = "gone"      // A page that says that the job is no longer there.
	PageLoggedOut   PageClass = "logged out"
	PageUnavailable PageClass = "unavailable"
	PageChanged     PageClass = "changed"
	PageChallenge   PageClass = "challenge"
)

// PageError says that the portal answered with another page than the one asked for.
type PageError struct {
	Class      PageClass
	Status     int           // HTTP status; 0 where there was no answer.
	RetryAfter time.Duration // As the portal asked; 0 where it did not.
	Reason     string        // For people: "the portal answered 503", "the login form came instead of the board".
	// Sent tells whether the request can have reached the portal: false only where it
	// surely did not (the connection was refused, the name not resolved).
	Sent bool
	Err  error // The cause, for the log; may be nil.
}

// Error gives the class and the reason.
func (e *PageError) Error() string {
	s := string(e.Class) + ": " + e.Reason
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *PageError) Unwrap() error { return e.Err }

// Reply is what came back when a form was submitted. It proves nothing: the truth is
// what a look afterwards shows.
type Reply struct {
	Class  PageClass
	Status int
	// Dialog is the id of a dialog that asked a question which was not answered
	// ("24HourModal", "cancelModal"); "" where none did.
	Dialog string
	// ShortNotice says that the portal asked its 24-hour question and that it was answered with yes.
	ShortNotice bool
	Refused     string    // The portal's words where it said no, else "".
	PostedAt    time.Time // When the (first) form was on its way.
	Board       *Board    // Where the reply was itself a board: a look for free. Else nil.
	Details     *Details  // Where the reply was the job's details page. Else nil.
}
