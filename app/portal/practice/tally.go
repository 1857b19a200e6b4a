package practice

import (
	"maps"
	"math"
	"slices"
	"time"
)

// The most that is kept of what grows with every request.
const (
	mostWrongActs = 1000
	mostMeasured  = 20000
	mostSuspects  = 1000
	mostClients   = 50
)

// tally counts what the portal sees.
type tally struct {
	counts    Counts
	requests  int64
	pages     map[Page]int
	clients   map[string]bool
	wrongs    []WrongAct
	struck    map[string]int // How often faults did, by name.
	forgotten int

	flying   map[string][]*arrival // Requests not answered yet, by client.
	suspects []*arrival            // Those that came while another one of their client was flying.
	atOnce   int                   // Of those that are settled.

	waits     map[string]time.Time // What a Retry-After asked a client for.
	boards    map[string]sight     // The account's newest board, by email.
	looks     map[string]time.Time // When it was asked for; boards that came as answers to a POST aside.
	details   map[detailsOf]sight
	misled    map[string]bool  // Accounts whose newest look showed the past.
	newest    map[string]int64 // The job of the account's newest act that changed something.
	intervals measured
	reactions measured
}

// sight is a look at the portal: when it was asked for, and as which request.
type sight struct {
	at   time.Time
	turn int64
	sure time.Time // Of the newest that no fault befell: its client saw all of it.
	part bool      // It is the first of several pages, and the others are still to be asked for.
	hurt bool      // A fault befell a page of it.
}

// after gives the sight that comes after this one, with a visit's answer; more says that
// it goes on at other pages.
func (s sight) after(v *visit, at time.Time, more bool) sight {
	next := sight{at: at, turn: v.turn, sure: at, part: more, hurt: v.fault.spoils()}
	if more || next.hurt {
		next.sure = s.sure
	}
	return next
}

// goesOn is what a sight becomes with another of its pages. What it shows is sure once the
// last one was there.
func (s sight) goesOn(v *visit, more bool) sight {
	s.hurt = s.hurt || v.fault.spoils()
	if s.part && !more {
		s.part = false
		if !s.hurt {
			s.sure = s.at
		}
	}
	return s
}

// detailsOf names an account's look at a job's details.
type detailsOf struct {
	email  string
	number int64
}

// arrival is one request, for counting how many of a client's there are at once.
type arrival struct {
	who       string
	others    []*arrival
	done      bool
	abandoned bool // Its client may have gone on without it.
}

func newTally() tally {
	return tally{
		pages: map[Page]int{}, clients: map[string]bool{}, struck: map[string]int{},
		flying: map[string][]*arrival{}, waits: map[string]time.Time{}, boards: map[string]sight{},
		looks: map[string]time.Time{}, details: map[detailsOf]sight{}, misled: map[string]bool{}, newest: map[string]int64{},
	}
}

// arrive counts a request.
func (t *tally) arrive(v *visit, who string) *arrival {
	t.requests++
	t.counts.Requests++
	t.pages[v.page]++
	if agent := v.r.UserAgent(); !t.clients[agent] && len(t.clients) < mostClients {
		t.clients[agent] = true
	}
	if until, asked := t.waits[who]; asked {
		if v.at.Before(until) {
			t.wrong(WrongAct{
				At: v.at, What: WrongTooSoon, Page: v.page, Job: v.number, Session: v.sessionName(),
				Detail: until.Sub(v.at).String() + " before the end of a Retry-After",
			})
		} else {
			delete(t.waits, who)
		}
	}
	v.turn = t.requests
	a := &arrival{who: who}
	others := slices.DeleteFunc(t.flying[who], func(o *arrival) bool { return o.done })
	if len(others) > 0 {
		a.others = slices.Clone(others)
		t.suspects = append(t.suspects, a)
		if len(t.suspects) >= mostSuspects {
			t.settleSuspects()
		}
	}
	if len(t.flying) > 4*mostSessions {
		clear(t.flying)
	}
	t.flying[who] = append(others, a)
	t.atOnce = max(t.atOnce, 1)
	return a
}

// settleSuspects finds out which requests really were under way at one time: those that
// their client had given up don't count.
func (t *tally) settleSuspects() {
	t.atOnce = max(t.atOnce, t.suspected())
	t.suspects = slices.DeleteFunc(t.suspects, func(a *arrival) bool {
		return a.done && !slices.ContainsFunc(a.others, func(o *arrival) bool { return !o.done })
	})
	if len(t.suspects) >= mostSuspects {
		t.suspects = t.suspects[:0]
	}
}

// suspected gives the most requests at once among those not settled for good.
func (t *tally) suspected() int {
	most := 0
	for _, a := range t.suspects {
		if a.abandoned {
			continue
		}
		n := 1
		for _, o := range a.others {
			if o.done && !o.abandoned {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// wrong notes a wrong act. All are counted; the first ones are kept.
func (t *tally) wrong(w WrongAct) {
	t.counts.WrongActs++
	if len(t.wrongs) < mostWrongActs {
		t.wrongs = append(t.wrongs, w)
	}
}

// act counts a POST about a job.
func (t *tally) act(a Act) {
	switch a.Page {
	case PageAccept, PageContinue:
		t.counts.AcceptPosts++
	case PageReject:
		t.counts.RejectPosts++
	}
}

// look counts a board served from its first page.
func (t *tally) look(v *visit) {
	t.counts.Looks++
	if last, before := t.looks[v.session.email]; before {
		t.intervals.add(v.at.Sub(last))
	}
	t.looks[v.session.email] = v.at
}

// lookAt tells when the account last saw how the job stands.
func (t *tally) lookAt(email string, j *job) sight {
	board, details := t.boards[email], t.details[detailsOf{email, j.Number}]
	if details.turn > board.turn {
		return details
	}
	return board
}

// sureOf tells when the account last surely saw how the job stands.
func (t *tally) sureOf(email string, j *job) time.Time {
	board, details := t.boards[email].sure, t.details[detailsOf{email, j.Number}].sure
	if details.After(board) {
		return details
	}
	return board
}

// askedToWait notes what a Retry-After asked a client for.
func (t *tally) askedToWait(who string, until time.Time) {
	if len(t.waits) > mostSessions {
		clear(t.waits)
	}
	t.waits[who] = until
}

// forget drops what is kept of a job.
func (t *tally) forget(j *job) {
	t.forgotten++
	for email := range t.boards {
		delete(t.details, detailsOf{email, j.Number})
	}
}

// traffic sums up.
func (t *tally) traffic() TrafficTruth {
	return TrafficTruth{
		Pages: maps.Clone(t.pages), AtOnce: max(t.atOnce, t.suspected()),
		Interval: t.intervals.spread(), Reaction: t.reactions.spread(),
		Clients: slices.Sorted(maps.Keys(t.clients)),
	}
}

// measured are the newest measurements of something.
type measured struct {
	newest []time.Duration
	next   int
	count  int
	sum    time.Duration
}

func (m *measured) add(d time.Duration) {
	m.count++
	m.sum += d
	if len(m.newest) < mostMeasured {
		m.newest = append(m.newest, d)
		return
	}
	m.newest[m.next] = d
	m.next = (m.next + 1) % mostMeasured
}

// Spread says how measurements are spread. Count and Mean are of all, the rest is of
// the newest 20,000.
type Spread struct {
	Count  int           `json:"count"`
	Mean   time.Duration `json:"mean"`
	Min    time.Duration `json:"min"`
	Median time.Duration `json:"median"`
	P90    time.Duration `json:"p90"`
	P99    time.Duration `json:"p99"`
	Max    time.Duration `json:"max"`
}

func (m *measured) spread() Spread {
	if m.count == 0 {
		return Spread{}
	}
	sorted := slices.Sorted(slices.Values(m.newest))
	at := func(part float64) time.Duration { // The nearest rank.
		return sorted[max(int(math.Ceil(part*float64(len(sorted))))-1, 0)]
	}
	return Spread{
		Count: m.count, Mean: m.sum / time.Duration(m.count),
		Min: sorted[0], Median: at(0.5), P90: at(0.9), P99: at(0.99), Max: sorted[len(sorted)-1],
	}
}
