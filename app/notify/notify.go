// Package notify tells people who are not looking at the dashboard what happened: over
// services that shoutrrr knows (ntfy, Telegram, e-mail and many more), as far as it can be
// seen where their connections go.
//
// It stands at the end of the way through the house, beside the live updates: after a
// step is stored, its events come here, and those that a channel wants go out. A channel
// that cannot be reached holds up nobody.
package notify

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"

	"github.com/atozbot/atozbot/app"
)

// Kind is what a channel can be told of.
type Kind string

// The kinds.
const (
	Accepted Kind = "accepted"
	Ask      Kind = "ask"
	Vanished Kind = "vanished" // An acceptance that the portal no longer shows, or shows otherwise.
	Problem  Kind = "problem"  // The bot needs a person.
	Cap      Kind = "cap"
	Digest   Kind = "digest" // Once a day: what was done.
)

// KindOf gives the kind of an event; "" for one that nobody is told of.
func KindOf(event string) Kind {
	switch event {
	case app.EventJobAccepted:
		return Accepted
	case app.EventJobAsk:
		return Ask
	case app.EventJobVanished, app.EventJobChanged:
		return Vanished
	case app.EventBotError, app.EventBreakerTrip, app.EventLoginFailed:
		return Problem
	case app.EventCapReached:
		return Cap
	}
	return ""
}

// Channel is one place that notifications go to.
type Channel struct {
	ID      string
	Name    string
	Kinds   []Kind
	Address string // As shoutrrr writes it: "ntfy://ntfy.sh/topic". It may hold a secret.
}

// Channels are where the channels are kept.
type Channels interface {
	// Channels gives those that are switched on.
	Channels(ctx context.Context) ([]Channel, error)
	// Sent notes how the newest sending went; problem is "" where it went well, and holds
	// no secret.
	Sent(ctx context.Context, id, problem string, at time.Time) error
}

// Options are what a [Notifier] needs.
type Options struct {
	Channels Channels
	// Dial makes every connection, so that a policy of addresses can stand in between:
	// CodeInvalid where it forbids one. nil is the ordinary way.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Dashboard is where the details are found; "" leaves it out.
	Dashboard string
	Log       *slog.Logger
	Now       func() time.Time
	// Send replaces the sending; for tests.
	Send func(ctx context.Context, address, title, message string) error
}

// Notifier sends what channels want to know.
type Notifier struct {
	o      Options
	queue  chan app.Event
	missed atomic.Int64
}

const (
	// longestQueue is how many events wait; more than that nobody would read.
	longestQueue = 256
	// sendTries and firstRetry bound how long one notification is tried: a phone that gets
	// a job of ten minutes ago is not helped.
	sendTries  = 4
	firstRetry = 2 * time.Second
	longestTry = 15 * time.Second
)

// New makes a notifier. It sends nothing before [Notifier.Run].
func New(o Options) *Notifier {
	n := &Notifier{o: o, queue: make(chan app.Event, longestQueue)}
	if n.o.Send == nil {
		n.o.Send = n.send
	}
	if n.o.Now == nil {
		n.o.Now = time.Now
	}
	return n
}

// Tell takes events that were stored just now. It never blocks.
func (n *Notifier) Tell(events ...app.Event) {
	for _, e := range events {
		if KindOf(e.Type) == "" {
			continue
		}
		select {
		case n.queue <- e:
		default:
			n.missed.Add(1)
		}
	}
}

// Run sends until ctx ends.
func (n *Notifier) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-n.queue:
			if missed := n.missed.Swap(0); missed > 0 {
				n.o.Log.Warn("notifications came faster than they could be sent", "left_out", missed)
			}
			n.tell(ctx, KindOf(e.Type), titleOf(e), n.messageOf(e))
		}
	}
}

// TellAll sends a message of a kind to every channel that wants it.
func (n *Notifier) TellAll(ctx context.Context, kind Kind, title, message string) {
	n.tell(ctx, kind, title, message)
}

func (n *Notifier) tell(ctx context.Context, kind Kind, title, message string) {
	channels, err := n.o.Channels.Channels(ctx)
	if err != nil {
		n.o.Log.Warn("a notification could not be sent: its channels cannot be read", "error", err)
		return
	}
	for _, c := range channels {
		if !slices.Contains(c.Kinds, kind) {
			continue
		}
		problem := ""
		if err := n.persist(ctx, c, title, message); err != nil {
			problem = Words(err)
			n.o.Log.Warn("a notification could not be sent", "channel", c.Name, "reason", problem)
		}
		if err := n.o.Channels.Sent(ctx, c.ID, problem, n.o.Now()); err != nil {
			n.o.Log.Debug("how a notification went could not be noted", "channel", c.Name, "error", err)
		}
	}
}

// persist tries a few times, with growing pauses.
func (n *Notifier) persist(ctx context.Context, c Channel, title, message string) error {
	pause := firstRetry
	for try := 1; ; try++ {
		err := n.try(ctx, c.Address, title, message)
		if err == nil || try >= sendTries || ctx.Err() != nil || app.CodeOf(err) == app.CodeInvalid {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return err
		case <-timer.C:
		}
		pause *= 2
	}
}

// Test sends a test to one channel at once. The error's sentence may be shown.
func (n *Notifier) Test(ctx context.Context, c Channel) error {
	if err := n.try(ctx, c.Address, "atozbot", "This is a test. Notifications reach you here."); err != nil {
		return &app.Error{Code: app.CodeUnavailable, Message: Words(err), Err: err}
	}
	return nil
}

func (n *Notifier) try(ctx context.Context, address, title, message string) error {
	ctx, cancel := context.WithTimeout(ctx, longestTry)
	defer cancel()
	return n.o.Send(ctx, address, title, message)
}

// told is what is read of an event.
type told struct {
	JobRef          string `json:"job_ref"`
	Language        string `json:"language"`
	AppointmentDate string `json:"appointment_date"`
	AppointmentTime string `json:"appointment_time"`
	Duration        string `json:"duration"`
	Reason          string `json:"reason"`
	NeedsUser       string `json:"needs_user"`
	Message         string `json:"message"`
	Error           string `json:"error"`
}

func titleOf(e app.Event) string {
	switch e.Type {
	case app.EventJobAccepted:
		return "Booked"
	case app.EventJobAsk:
		return "A job waits for your answer"
	case app.EventJobVanished:
		return "A booking is no longer on your list"
	case app.EventJobChanged:
		return "A booking has changed"
	case app.EventCapReached:
		return "The limit is reached"
	default:
		return "The bot needs you"
	}
}

// messageOf is an event in a few words.
func (n *Notifier) messageOf(e app.Event) string {
	var t told
	if json.Unmarshal(e.Data, &t) != nil {
		t = told{}
	}
	var parts []string
	if t.JobRef != "" {
		job := []string{t.JobRef, t.Language, strings.TrimSpace(t.AppointmentDate + " " + t.AppointmentTime), t.Duration}
		parts = append(parts, strings.Join(slices.DeleteFunc(job, func(s string) bool { return s == "" }), ", "))
	}
	if KindOf(e.Type) != Accepted {
		if why := cmp.Or(t.NeedsUser, t.Message, t.Reason, t.Error); why != "" {
			parts = append(parts, why)
		}
	}
	if n.o.Dashboard != "" {
		parts = append(parts, n.o.Dashboard)
	}
	if len(parts) == 0 {
		return titleOf(e)
	}
	return strings.Join(parts, "\n")
}

// statusCode is the status of HTTP in an error's text.
func statusCode() *regexp.Regexp { return regexp.MustCompile(`\b([45]\d\d)\b`) }

// Words says why a sending failed, without anything that the error may hold: services
// repeat the address, and its secret, in theirs.
func Words(err error) string {
	if e, ok := errors.AsType[*app.Error](err); ok {
		return e.Message
	}
	if name, ok := errors.AsType[*net.DNSError](err); ok && !name.IsTimeout {
		return "The service's name cannot be resolved."
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, router.ErrServiceTimeout) {
		return "The service does not answer."
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "The service's certificate cannot be trusted."
	}
	if connect, ok := errors.AsType[*net.OpError](err); ok && connect.Op == "dial" {
		return "The service cannot be reached."
	}
	if code := statusCode().FindString(err.Error()); code != "" {
		return "The service refuses the message with status " + code + "; check the address."
	}
	return "The service does not take the message; check the address."
}
