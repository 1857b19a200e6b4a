package bot_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app"
)

// simulations is a test's flag, not state: how many worlds are lived through.
var simulations = flag.Int("simulations", 12, "worlds that the simulation lives through")

// TestWhateverHappensTheRecordsEqualTheTruth lives through random worlds: jobs come and go,
// rivals take them, requests fail before and after the portal has committed, sessions
// expire, the records are away, the process dies at any point. In the end the records say
// what the portal says, and nothing was done that must not be done.
func TestWhateverHappensTheRecordsEqualTheTruth(t *testing.T) {
	won, could := 0, 0
	for seed := range *simulations {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			inWorld(t, func(w *world) {
				s := &simulation{world: w, random: rand.New(rand.NewPCG(uint64(seed), 7)), faulty: rand.New(rand.NewPCG(uint64(seed), 8))}
				s.live()
				s.settleDown()
				s.check()
				won, could = won+s.won, could+s.could
			})
		})
	}
	t.Logf("%d of %d jobs that could be won were won", won, could)
	if could > 0 && float64(won) < 0.9*float64(could) {
		t.Errorf("only %d of %d jobs that could be won were won", won, could)
	}
}

type simulation struct {
	*world
	random     *rand.Rand // For what happens,
	faulty     *rand.Rand // and for what goes wrong, asked under the portal's lock.
	calm       bool       // Nothing goes wrong any more.
	next       int
	sessions   map[string]bool
	won, could int
}

// chance is true once in n times.
func (s *simulation) chance(n int) bool { return once(s.random, n) }

func once(random *rand.Rand, n int) bool { return random.IntN(n) == 0 }

func (s *simulation) live() {
	s.records.config.CheckIntervalSeconds = 0.5
	s.records.config.RejectExcluded = true
	s.records.config.MaxAcceptPerRun = []int{4, 15, 1000}[s.random.IntN(3)]
	s.records.config.ParallelDetails = 1 + s.random.IntN(3)
	s.portal.hideOurs, s.portal.bare = s.chance(2), s.chance(2)
	s.portal.faults = s.fault
	s.start()
	for range 200 {
		s.happen()
		s.pass(time.Duration(s.random.IntN(1000)) * time.Millisecond)
	}
}

// happen is what happens besides the bot's own doing.
func (s *simulation) happen() {
	if s.chance(2) {
		s.arrive()
	}
	if s.chance(6) {
		s.portal.set(s.rival)
	}
	if s.chance(15) {
		s.portal.set(func() { s.portal.loggedIn = false })
	}
	switch s.random.IntN(40) {
	case 0:
		s.crash()
		_ = s.bot.ResumeOrClose(s.t.Context(), true)
	case 1:
		_ = s.bot.Shutdown(s.t.Context())
		<-s.ended
		s.boot()
		_ = s.bot.ResumeOrClose(s.t.Context(), true)
	case 2:
		_ = s.bot.Stop(s.t.Context())
		_, _ = s.bot.Start(s.t.Context(), "") // Where the records are away it can't.
	case 3:
		s.records.change(func() { s.records.saveFails, s.records.claimFails = errAway, errAway })
	case 4:
		s.records.change(func() { s.records.readFails = errAway })
	case 5, 6, 7, 8:
		s.records.change(func() { s.records.saveFails, s.records.claimFails, s.records.readFails = nil, nil, nil })
	case 9:
		_ = s.bot.Pause(s.t.Context())
		s.pass(time.Second)
		_ = s.bot.Resume(s.t.Context())
	}
}

// arrive lists a job: most fit, some overlap, some are of an excluded type or another.
func (s *simulation) arrive() {
	s.next++
	day := 1 + s.random.IntN(28)
	j := telephone(fmt.Sprint(10_000+s.next)).at(fmt.Sprintf("2000-%02d-%02d", 2+s.random.IntN(6), day), fmt.Sprintf("%02d:00", 8+s.random.IntN(10)))
	switch s.random.IntN(8) {
	case 0:
		j.of("Face-to-Face interpreting")
	case 1:
		j.of("Video interpreting")
	}
	s.portal.add(j)
}

// rival takes a job that is free.
func (s *simulation) rival() {
	for _, j := range s.portal.jobs {
		if j.status == "Matched" && !j.rejected && once(s.faulty, 4) {
			j.status = "Filled"
			j.offBoard = once(s.faulty, 2)
			j.noPage = once(s.faulty, 3)
			return
		}
	}
}

// fault is what goes wrong with one request.
func (s *simulation) fault(kind, number string) *fault {
	f := &fault{linger: time.Duration(s.faulty.IntN(30)) * time.Millisecond}
	if s.calm {
		return nil
	}
	if j := s.portal.job(number); kind == "accept" && j != nil && j.status == "Matched" && once(s.faulty, 12) {
		j.status = "Filled" // A moment quicker.
	}
	if !once(s.faulty, 10) {
		return f
	}
	f.after = once(s.faulty, 2)
	f.instead = []error{unavailable(500), unavailable(503), reset(), timedOut(), unavailable(419), refused()}[s.faulty.IntN(6)]
	if f.instead == error(nil) || once(s.faulty, 8) {
		f.delay = 2 * time.Second
	}
	p := f.instead.(*app.PageError)
	if !p.Sent || p.Status == 419 {
		f.after = false // Neither can have been taken.
	}
	return f
}

// settleDown lets everything become known.
func (s *simulation) settleDown() {
	s.records.change(func() { s.records.saveFails, s.records.claimFails, s.records.readFails = nil, nil, nil })
	s.portal.set(func() { s.calm = true })
	s.pass(20 * time.Second)
	if !s.bot.Status().Active() {
		s.start()
	}
	s.pass(2 * time.Minute)
	s.want(s.bot.Status().Unrecorded == 0, "%d steps are not recorded", s.bot.Status().Unrecorded)
	s.want(s.bot.Stop(s.t.Context()) == nil, "it does not stop")
}

func (s *simulation) check() {
	s.want(len(s.portal.again) == 0, "posted for jobs that were ours: %v", s.portal.again)
	perSession := map[string]int64{}
	rejected := map[string]int64{}
	var booked []app.JobRecord
	for _, j := range s.portal.jobs {
		rec := s.records.job(j.number)
		s.checkJob(j, rec)
		if rec.Status == app.JobAccepted {
			perSession[s.records.claimOf(j.number, app.ActAccept).SessionID]++
			booked = append(booked, rec)
		}
		if rec.Status == app.JobRejected {
			rejected[s.records.claimOf(j.number, app.ActReject).SessionID]++
		}
	}
	for i, a := range booked {
		for _, b := range booked[:i] {
			s.want(!a.StartsAt.Before(b.EndsAt) || !b.StartsAt.Before(a.EndsAt), "%s and %s overlap", a.Ref, b.Ref)
		}
	}
	for id, session := range s.records.sessions {
		s.want(perSession[id] <= int64(s.records.config.MaxAcceptPerRun), "%d accepted in one session, of %d", perSession[id], s.records.config.MaxAcceptPerRun)
		s.want(session.TotalAccepted == perSession[id], "session %s counts %d accepted, it has %d", id, session.TotalAccepted, perSession[id])
		s.want(session.TotalRejected == rejected[id], "session %s counts %d rejected, it has %d", id, session.TotalRejected, rejected[id])
		s.want(session.Status == app.SessionStopped || session.Status == app.SessionError, "session %s is %s", id, session.Status)
	}
	told := map[string]int{}
	for _, e := range s.records.told(app.EventJobAccepted) {
		var data struct{ Number string }
		_ = json.Unmarshal(e.Data, &data)
		told[data.Number]++
		s.want(told[data.Number] == 1, "%s was told as accepted %d times", data.Number, told[data.Number])
	}
	for _, c := range s.records.claims {
		s.want(c.Settled(), "the claim on %s is not settled: %+v", c.Ref, c)
	}
}

// checkJob holds a job's record against what the portal knows.
func (s *simulation) checkJob(j *fakeJob, rec app.JobRecord) {
	telephone := j.kind == "Telephone interpreting"
	got := rec.Status
	switch {
	case j.status == "Accepted":
		s.want(got == app.JobAccepted, "%s is ours, and recorded as %q: %+v", j.number, got, s.records.claimOf(j.number, app.ActAccept))
		s.want(telephone, "%s was accepted, and is %s", j.number, j.kind)
		s.want(j.taken == 1, "%s was taken %d times", j.number, j.taken)
		s.won, s.could = s.won+1, s.could+1
	case j.rejected:
		s.want(got == app.JobRejected, "%s was rejected, and is recorded as %q", j.number, got)
		s.want(j.kind == "Face-to-Face interpreting", "%s was rejected, and is %s", j.number, j.kind)
	case j.status == "Filled":
		s.want(got != app.JobAccepted && got != app.JobUnknown, "%s is somebody else's, and recorded as %q", j.number, got)
		s.want(j.reached == 0 || got == app.JobLost || got == app.JobRejected, "%s was tried and is somebody else's, and recorded as %q: %+v", j.number, got, s.records.claimOf(j.number, app.ActAccept))
	default:
		s.want(got == app.JobMatched, "%s is free, and recorded as %q", j.number, got)
		if telephone && rec.Verdict == app.VerdictAccept {
			s.could++
			s.t.Logf("not won: %+v", rec)
		}
	}
}
