package practice

import (
	"math/rand/v2"
	"time"
)

// Stream lets jobs come without end, of every kind in its mix. Their appointments are
// in the two weeks to come, at times that are free as long as there are any.
type Stream struct {
	Every  time.Duration `json:"every"`            // Between one job and the next, in the mean.
	Jitter time.Duration `json:"jitter,omitempty"` // At most so much more or less, evenly.
	Mix    Mix           `json:"mix,omitempty"`    // [UsualMix] where empty.
	// Lasting is how long a job stays free in the mean, if nobody of the portal's
	// accounts takes it; a minute where 0.
	Lasting time.Duration `json:"lasting,omitempty"`
	// Contested is the share of the fitting jobs that a rival takes within seconds, and
	// Snatched of those that a rival takes just before the accept POST.
	Contested float64 `json:"contested,omitempty"`
	Snatched  float64 `json:"snatched,omitempty"`
	// Overlapping is the share of the fitting jobs at a time when another one is.
	Overlapping float64 `json:"overlapping,omitempty"`
}

// Demo is a portal on an ordinary busy day, without end: a new job every few seconds,
// of which rivals take some. The first ones are there at once, a fitting one among them.
// Job numbers come from now, so that a portal started later has others.
func Demo(now time.Time) Scenario {
	return Scenario{
		Name: "demo", Seed: uint64(now.UnixNano()), FirstNumber: demoNumber(now),
		Jobs: []Job{
			// Newest on top: the fitting one is listed last, and seen first.
			{Kind: KindVideo, Type: TypeVideo, Language: "Romanian", Day: 5, Clock: "15:00", Expect: ExpectLeave, RivalAfter: 50 * time.Second},
			{Kind: KindFaceToFace, Type: TypeFaceToFace, Language: "Arabic", Day: 4, Clock: "11:00", Minutes: 60, Expect: ExpectReject, RivalAfter: 70 * time.Second},
			{Kind: KindTelephone, Type: TypeTelephone, Language: "Polish", Day: 3, Clock: "09:30", Minutes: 30, Expect: ExpectAccept, RivalAfter: -1},
			{At: 2 * time.Second, Kind: KindTelephone, Language: "Farsi", Day: 3, Clock: "14:00", Minutes: 45, Expect: ExpectAccept, RivalFirst: true},
		},
		Stream: &Stream{
			Every: 4500 * time.Millisecond, Jitter: 1500 * time.Millisecond, Lasting: 45 * time.Second,
			Contested: 0.15, Snatched: 0.1, Overlapping: 0.06,
			Mix: Mix{
				KindTelephone: 58, KindFaceToFace: 14, KindBoth: 1, KindVideo: 8, KindSign: 4, KindUntyped: 2,
				KindUnreadable: 3, KindUnmatched: 4, KindShortNotice: 3, KindRefused: 2, KindCancelDialog: 1,
			},
		},
		Latency: map[Page]Latency{PageAny: {Mean: 25 * time.Millisecond, Jitter: 15 * time.Millisecond}},
		Session: SessionRules{For: 20 * time.Minute},
		Board: BoardRules{
			PageSize: 50, KeepTaken: 8 * time.Second, AcceptedRows: 60,
			Forget: 10 * time.Minute, Remember: 3000,
		},
		Look: Look{Gzip: true, Dates: "mixed", OldDetails: "mixed"},
	}
}

// demoNumber gives the first job number of a demo that begins now. It grows by four a
// second, faster than a demo lists jobs, so that a number is never given twice.
func demoNumber(now time.Time) int64 {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return max(now.Sub(begin).Milliseconds()/250, 0) + 1_000_000
}

// run lists a job of the stream and plans the next. The lock is held.
func (s *Stream) run(p *Portal, at time.Time, n int64) {
	next := spread(s.Every, s.Jitter, p.scenario.Seed, "stream", n)
	p.timeline.plan(at.Add(next), func(at time.Time) {
		p.schedule(s.draw(p, at, n), at)
		s.run(p, at, n+1)
	})
}

// draw makes the n-th job of the stream.
func (s *Stream) draw(p *Portal, at time.Time, n int64) Job {
	r := dice(p.scenario.Seed, "stream job", n)
	mix := s.Mix
	if len(mix) == 0 {
		mix = UsualMix()
	}
	j := generate(r, mix.draw(r))
	if j.Clock == "" && j.StartsIn == 0 {
		j.Starts = p.freeTime(r, at, j.Minutes, r.Float64() < s.Overlapping)
	}
	lasting := s.Lasting
	if lasting == 0 {
		lasting = time.Minute
	}
	j.RivalAfter = lasting/2 + time.Duration(r.Float64()*float64(lasting))
	if j.Expect == ExpectAccept {
		switch draw := r.Float64(); {
		case draw < s.Snatched:
			j.RivalFirst = true
		case draw < s.Snatched+s.Contested:
			j.RivalAfter = 2*time.Second + time.Duration(r.Float64()*float64(6*time.Second))
		}
	}
	if j.Expect == ExpectIgnore {
		j.WithdrawAfter = j.RivalAfter
	}
	return j
}

// freeTime looks for a time at which nothing is booked, nor free to be booked: in the
// next two weeks, and where they are full in the weeks after. It gives a time that is
// not free where one is wanted, or none is found.
func (p *Portal) freeTime(r *rand.Rand, now time.Time, length int, busyWanted bool) time.Time {
	local := now.In(p.zone)
	var starts time.Time
	for _, weeks := range []int{2, 4, 8, 16, 32} {
		for range 40 {
			at := dayBegins + 15*r.IntN((dayEnds-dayBegins-length)/15+1)
			day := local.Day() + 2 + r.IntN(7*weeks-2)
			starts = time.Date(local.Year(), local.Month(), day, at/60, at%60, 0, 0, p.zone)
			if p.busy(starts, length) == busyWanted {
				return starts
			}
		}
		if busyWanted {
			return starts
		}
	}
	return starts
}

// busy tells whether a job that an account has, or could still take, is at this time.
func (p *Portal) busy(starts time.Time, length int) bool {
	ends := starts.Add(time.Duration(length) * time.Minute)
	for _, j := range p.order {
		if (j.state == stateAccepted || j.state == stateMatched && j.Expect == ExpectAccept) &&
			j.Starts.Before(ends) && starts.Before(j.Starts.Add(time.Duration(j.Minutes)*time.Minute)) {
			return true
		}
	}
	return false
}
