package practice

import "time"

// Stream lets jobs come without end.
type Stream struct {
	Every  time.Duration `json:"every"`            // Between one job and the next, in the mean.
	Jitter time.Duration `json:"jitter,omitempty"` // At most so much more or less, evenly.
}

// streaming is a stream that runs.
type streaming struct {
	portal *Portal
	stream Stream
}

func newStreaming(p *Portal, s Stream, now time.Time) *streaming {
	return &streaming{portal: p, stream: s}
}
