package health

import (
	"strconv"
	"time"
)

// Phase is where a dependency stands.
type Phase string

// The phases.
const (
	Starting  Phase = "starting"  // It was never there yet, and the attempts are not used up.
	Healthy   Phase = "healthy"   //
	Degraded  Phase = "degraded"  // It works, and not as it was set up.
	Unhealthy Phase = "unhealthy" // It was there and is not, or the attempts are used up. Trying goes on.
)

// Problem is what is wrong, for people. Neither text names a host, an address or a
// password: they are shown to strangers.
type Problem struct {
	Words  string // "connection refused"
	Advice string // The one thing to do: "start the database, or correct DATABASE_URL".
}

// State is what is known of one dependency at a moment. It is never changed after it
// was published.
type State struct {
	Name  string
	Phase Phase
	// Stage is what is being done before the dependency is healthy: "migrating", or "".
	Stage             string
	Attempt, Attempts int  // Of the start: attempt 3 of 10. Zero where nothing is counted.
	UsedUp            bool // The attempts of the start were used up; trying goes on.
	Problem           Problem
	Retries           int       // Failed tries since it was last good.
	LastCheck         time.Time // When the newest try ended; zero before the first.
	LastGood          time.Time // When the newest good try ended; zero where there was none.
	Since             time.Time // When the phase began.
	NextTry           time.Time
}

// Usable tells whether work can be done with the dependency.
func (s *State) Usable() bool { return s.Phase == Healthy || s.Phase == Degraded }

// Check is the state in the form of a check of /health: the phase, and a reason where
// it is not healthy.
func (s *State) Check() string {
	switch s.Phase {
	case Healthy:
		return string(Healthy)
	case Starting:
		text := "starting: attempt " + strconv.Itoa(max(s.Attempt, 1)) + " of " + strconv.Itoa(max(s.Attempts, 1)) + ", "
		switch {
		case s.Problem.Words != "" && s.Stage != "":
			return text + s.Stage + ", " + s.Problem.Words
		case s.Problem.Words != "":
			return text + s.Problem.Words
		case s.Stage != "":
			return text + s.Stage
		default:
			return text + "connecting"
		}
	default:
		reason := s.Problem.Words
		switch {
		case reason == "" && s.Stage != "":
			reason = s.Stage
		case reason == "":
			reason = "not known why"
		}
		if s.UsedUp {
			reason += ", the " + strconv.Itoa(s.Attempts) + " attempts are used up, still trying"
		}
		return string(s.Phase) + ": " + reason
	}
}
