package app

import "time"

// Wish is what a user asked for at a replica that does not run the account's session.
// It is left where the holder of the lease finds it, and is done away with once granted.
// Granting one twice does no harm.
type Wish struct {
	ID        string
	AccountID string
	Kind      WishKind
	Number    string // The job's, of an answer; else "".
	At        time.Time
}

// WishKind is what is wished for.
type WishKind string

// The wishes.
const (
	WishStop   WishKind = "stop"
	WishReset  WishKind = "force_reset"
	WishPause  WishKind = "pause"
	WishResume WishKind = "resume"
	WishRearm  WishKind = "rearm"
	WishAccept WishKind = "accept" // The answer to "ask" for one job.
	WishLeave  WishKind = "leave"
	WishAsk    WishKind = "ask" // A "leave" taken back.
)
