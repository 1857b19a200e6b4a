package bot

import (
	"fmt"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
)

// tripKind is why the breaker is open.
type tripKind string

const (
	tripNone      tripKind = ""
	tripLayout    tripKind = "layout"    // A page fits the profile no more. Closes by itself.
	tripErrors    tripKind = "errors"    // Act after act came to nothing. Closes by itself.
	tripRefusals  tripKind = "refusals"  // Act after act was refused. Closes by itself.
	tripChallenge tripKind = "challenge" // The portal asks for a person.
	tripWrong     tripKind = "wrong_act" // An act turned out wrong.
	tripLimit     tripKind = "limit"     // More acceptances in an hour than the user thinks usual.
)

// mostInARow is how many acts may fail, or be refused, one after the other.
const mostInARow = 5

// breaker keeps the bot from acting where acting does no good, or harm. Open, the bot
// looks and records. It outlives sessions.
type breaker struct {
	kind     tripKind
	reason   string
	at       time.Time
	errors   int // In a row.
	refusals int // In a row.
	wins     []time.Time
}

func (b *breaker) tripped() bool { return b.kind != tripNone }

// waits tells whether only a person may close it.
func (b *breaker) waits() bool {
	return b.kind == tripChallenge || b.kind == tripWrong || b.kind == tripLimit
}

// open opens it, unless it is open for a weightier reason.
func (b *breaker) open(kind tripKind, reason string) bool {
	if b.waits() || b.kind == kind {
		return false
	}
	b.kind, b.reason, b.at = kind, reason, time.Now().UTC()
	b.errors, b.refusals = 0, 0
	return true
}

func (b *breaker) close() {
	b.kind, b.reason, b.at = tripNone, "", time.Time{}
	b.errors, b.refusals = 0, 0
}

// kept is what a session's row keeps of a breaker that waits for a person.
func (b *breaker) kept() string {
	if !b.waits() {
		return ""
	}
	return string(b.kind) + ": " + b.reason
}

// restore opens it as an earlier process left it.
func (b *breaker) restore(kept string) {
	kind, reason, ok := strings.Cut(kept, ": ")
	if ok && kind != "" {
		b.open(tripKind(kind), reason)
	}
}

// won counts an acceptance.
func (b *breaker) won(at time.Time) {
	b.errors, b.refusals = 0, 0
	b.wonAt(at)
}

func (b *breaker) wonAt(at time.Time) { b.wins = append(b.wins, at) }

// winsSince counts the acceptances after t, and forgets the others.
func (b *breaker) winsSince(t time.Time) int {
	kept := b.wins[:0]
	for _, w := range b.wins {
		if w.After(t) {
			kept = append(kept, w)
		}
	}
	b.wins = kept
	return len(kept)
}

// trip opens the breaker and tells it.
func (r *run) trip(kind tripKind, reason string) {
	b := &r.bot.breaker
	if !b.open(kind, reason) {
		return
	}
	message := "The breaker has opened: " + reason + " The bot looks and records, and does not act, "
	if b.waits() {
		message += "until you close the breaker."
	} else {
		message += "until the portal's pages are right again."
	}
	r.session.Tripped = b.kept()
	r.stirred = true
	e := r.botEvent(message)
	e.Kind, e.Error = string(kind), reason
	r.step.tell(r.session.ID, app.EventBreakerTrip, e)
	r.note(levelWarning, message)
	r.saveSession()
	r.flush()
	r.bot.log.Warn("the breaker has opened", "kind", kind, "reason", reason)
	r.bot.publish()
}

// fits closes a breaker that waits for nothing but a page that fits the profile.
func (r *run) fits() {
	b := &r.bot.breaker
	if !b.tripped() || b.waits() {
		return
	}
	b.close()
	r.breakerClosed("The breaker has closed: the portal's pages are right again.")
}

func (r *run) breakerClosed(message string) {
	r.session.Tripped = ""
	r.stirred = true
	r.tellBot(app.EventBreakerClosed, message)
	r.note(levelInfo, message)
	r.saveSession()
	r.flush()
	r.bot.publish()
}

// rearm closes the breaker because a person says so, and has a session that a challenge
// halted go on.
func (b *Bot) rearm() {
	was := b.breaker.kind
	b.breaker.close()
	if was == tripLimit {
		b.breaker.wins = nil // The user knows of them; the hour begins anew.
	}
	r := b.run
	switch {
	case r == nil:
		b.publish()
		return
	case was != tripNone:
		r.breakerClosed("The breaker was closed by the user.")
	}
	if r.halted && was == tripChallenge {
		r.goOn()
	}
}

// countErrors counts tries that came to nothing, one after the other.
func (r *run) countErrors(c *claim) {
	b := &r.bot.breaker
	if c.try.took || c.try.refusal != "" {
		b.errors = 0
		return
	}
	b.errors++
	if b.errors >= mostInARow {
		r.trip(tripErrors, fmt.Sprintf("%d acts in a row failed, the last one with: %s.", b.errors, c.try.reason))
	}
}

// countRefusal counts refusals, one after the other.
func (r *run) countRefusal(s *seen) {
	b := &r.bot.breaker
	b.refusals++
	if b.refusals >= mostInARow {
		r.trip(tripRefusals, fmt.Sprintf("%d acts in a row were refused, the last one for %s.", b.refusals, s.name()))
	}
}

// tooMany opens the breaker where one more acceptance within an hour would be more than
// the user thinks usual. Tries whose outcome is not known count.
func (r *run) tooMany() bool {
	limit := r.config.AcceptLimitPerHour
	if limit <= 0 {
		return false
	}
	count := r.bot.breaker.winsSince(time.Now().Add(-time.Hour))
	for _, s := range r.openClaims() {
		if c := s.open(); c.Act == app.ActAccept && !c.free {
			count++
		}
	}
	if count < limit {
		return false
	}
	r.trip(tripLimit, fmt.Sprintf("%d jobs were accepted within an hour, which is your limit.", count))
	return true
}
