package bot

import "time"

// Bounds of the pacing. The interval's come from the configuration.
const (
	jitter       = 0.06 // Of the interval, up and down: a tenth is promised, and a busy machine needs the rest.
	firstBackOff = 250 * time.Millisecond
	lastBackOff  = 10 * time.Second // What the portal asks for itself may be longer.
	smoothing    = 0.2              // Of the measured interval.
)

// pace says when the next look is due: from the start of one to the start of the next,
// never faster than the interval less its jitter, and later while the portal is in trouble.
type pace struct {
	random   func() float64
	interval time.Duration
	factor   float64 // The jitter of the present wait.
	started  time.Time
	real     time.Duration // Smoothed, between the starts of looks.
	failures int
	backOff  time.Time // No look before this.
	quiet    time.Time // The portal's own wish.
}

// begin notes the start of a look.
func (p *pace) begin(now time.Time) {
	if !p.started.IsZero() {
		between := now.Sub(p.started)
		if p.real == 0 {
			p.real = between
		}
		p.real += time.Duration(smoothing * float64(between-p.real))
	}
	p.started = now
	p.factor = 1 - jitter + 2*jitter*p.random()
}

// next gives the time of the next look.
func (p *pace) next() time.Time {
	due := p.started.Add(time.Duration(p.factor * float64(p.interval)))
	return later(due, later(p.backOff, p.quiet))
}

// failed backs off.
func (p *pace) failed(now time.Time) {
	p.failures++
	p.backOff = now.Add(backOffAfter(p.failures, p.random()))
}

// good ends a back-off.
func (p *pace) good() {
	p.failures = 0
	p.backOff = time.Time{}
}

// backOffAfter doubles with every failure in a row, up to its bound, and spreads over
// the upper half, so that many bots do not come back as one.
func backOffAfter(failures int, random float64) time.Duration {
	full := lastBackOff
	if failures < 7 { // 250 ms doubled six times is above the bound already.
		full = min(firstBackOff<<(max(failures, 1)-1), lastBackOff)
	}
	return time.Duration((0.5 + 0.5*random) * float64(full))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
