package daemon

import (
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/api"
)

// counter counts what happens, by the value of one label. Every value is there from the
// beginning, at 0: a rate over a counter that appears with its first event misses that
// event, and a label must not grow with what a portal or a stranger says.
type counter struct {
	name, help, label string
	values            []string

	mu     sync.Mutex
	counts []uint64
}

func newCounter(name, help, label string, values ...string) *counter {
	return &counter{name: name, help: help, label: label, values: values, counts: make([]uint64, len(values))}
}

// add counts one of a known value.
func (c *counter) add(value string) {
	if at := slices.Index(c.values, value); at >= 0 {
		c.mu.Lock()
		c.counts[at]++
		c.mu.Unlock()
	}
}

func (c *counter) measure() []api.Measurement {
	c.mu.Lock()
	defer c.mu.Unlock()
	figures := make([]api.Measurement, len(c.values))
	for i, value := range c.values {
		figures[i] = api.Measurement{Name: c.name, Help: c.help, Kind: api.Counter, Labels: map[string]string{c.label: value}, Value: float64(c.counts[i])}
	}
	return figures
}

// distribution tells how long something takes.
type distribution struct {
	name, help string
	bounds     []float64 // In seconds.

	mu     sync.Mutex
	counts []uint64 // By bound, each counted in those above it too.
	count  uint64
	sum    float64
}

func newDistribution(name, help string, bounds ...float64) *distribution {
	return &distribution{name: name, help: help, bounds: bounds, counts: make([]uint64, len(bounds))}
}

func (d *distribution) observe(took time.Duration) {
	seconds := took.Seconds()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.count++
	d.sum += seconds
	for i, bound := range d.bounds {
		if seconds <= bound {
			d.counts[i]++
		}
	}
}

func (d *distribution) measure() api.Measurement {
	d.mu.Lock()
	defer d.mu.Unlock()
	buckets := make(map[float64]uint64, len(d.bounds))
	for i, bound := range d.bounds {
		buckets[bound] = d.counts[i]
	}
	return api.Measurement{Name: d.name, Help: d.help, Kind: api.Histogram, Buckets: buckets, Count: d.count, Sum: d.sum}
}

// figures are what this process has counted since it began. The rooms in which things
// happen hand them in.
type figures struct {
	looks         *counter
	logIns        *counter
	outcomes      *counter
	trips         *counter
	notifications *counter
	signIns       *counter
	lookTook      *distribution
	actTook       *distribution
	reaction      *distribution
}

// otherPage stands for every page that is none of the portal's known ones.
const otherPage = "other"

func newFigures() *figures {
	return &figures{
		looks: newCounter("atozbot_looks_total", "Looks at the board, by the page that came.", "page",
			"board", "empty_board", "logged_out", "unavailable", "changed", "challenge", otherPage),
		logIns: newCounter("atozbot_portal_logins_total", "Log-ins tried at the portal, by whether they were taken.", "result", "taken", "failed"),
		outcomes: newCounter("atozbot_job_outcomes_total", "What became of jobs that were acted upon; lost ones are races that another won.", "outcome",
			string(app.JobAccepted), string(app.JobRejected), string(app.JobLost), string(app.JobRefused), string(app.JobUnknown), string(app.JobFailed), "vanished"),
		trips:         newCounter("atozbot_breaker_trips_total", "How often the breaker opened or closed.", "to", "open", "closed"),
		notifications: newCounter("atozbot_notifications_total", "Notifications, by whether the service took them.", "result", "sent", "failed"),
		signIns:       newCounter("atozbot_sign_ins_total", "Sign-ins to the dashboard: those tried, and those whose password was right.", "step", "tried", "succeeded"),
		lookTook: newDistribution("atozbot_look_duration_seconds", "How long looks at the board took, failed ones too.",
			.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10),
		actTook: newDistribution("atozbot_act_duration_seconds", "How long the portal took to answer an acceptance or a rejection.",
			.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10),
		reaction: newDistribution("atozbot_reaction_seconds", "From the look that showed a job to the moment its acceptance was sent.",
			.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10),
	}
}

// looked counts a look at the board.
func (f *figures) looked(board app.Board, err error, took time.Duration) {
	f.lookTook.observe(took)
	page := otherPage
	if wrong, ok := errors.AsType[*app.PageError](err); ok {
		page = pageLabel(wrong.Class)
	} else if err == nil {
		page = "board"
		if len(board.Jobs) == 0 {
			page = "empty_board"
		}
	}
	f.looks.add(page)
}

func pageLabel(class app.PageClass) string {
	switch class {
	case app.PageLoggedOut:
		return "logged_out"
	case app.PageUnavailable, app.PageChanged, app.PageChallenge:
		return string(class)
	default:
		return otherPage
	}
}

// loggedIn counts a log-in at the portal.
func (f *figures) loggedIn(err error) { f.logIns.add(resultOf(err, "taken")) }

func resultOf(err error, well string) string {
	if err != nil {
		return "failed"
	}
	return well
}

// recorded counts what a step of the bot has recorded.
func (f *figures) recorded(r app.Record) {
	for _, e := range r.Events {
		switch e.Type {
		case app.EventJobAccepted, app.EventJobRejected, app.EventJobLost, app.EventJobRefused, app.EventJobUnknown, app.EventJobFailed, app.EventJobVanished:
			f.outcomes.add(e.Type[len("job_"):])
			f.reacted(r, e)
		case app.EventBreakerTrip:
			f.trips.add("open")
		case app.EventBreakerClosed:
			f.trips.add("closed")
		}
	}
}

// reacted notes how quickly a job was tried, once it is known whether that was quick
// enough.
func (f *figures) reacted(r app.Record, e app.Event) {
	if e.Type != app.EventJobAccepted && e.Type != app.EventJobLost {
		return
	}
	var job struct{ ID string }
	if json.Unmarshal(e.Data, &job) != nil {
		return
	}
	for _, j := range r.Jobs {
		if j.ID == job.ID && !j.PostedAt.IsZero() && j.PostedAt.After(j.SeenAt) {
			f.reaction.observe(j.PostedAt.Sub(j.SeenAt))
		}
	}
}

// measure gives all of them.
func (f *figures) measure() []api.Measurement {
	var all []api.Measurement
	for _, c := range []*counter{f.looks, f.logIns, f.outcomes, f.trips, f.notifications, f.signIns} {
		all = append(all, c.measure()...)
	}
	return append(all, f.lookTook.measure(), f.actTook.measure(), f.reaction.measure())
}
