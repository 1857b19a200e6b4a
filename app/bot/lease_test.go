package bot_test

import (
	"strings"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/bot"
)

// another gives a second replica on the same portal and records.
func (w *world) another() *world {
	other := &world{t: w.t, portal: w.portal, records: w.records, holder: "there", shared: w.shared}
	other.boot()
	return other
}

func TestASecondReplicaDoesNotStartWhereOneRuns(t *testing.T) {
	inWorld(t, func(w *world) {
		other := w.another()
		defer other.down()
		w.start()
		w.pass(time.Minute) // The lease is renewed all the while.
		_, err := other.bot.Start(w.t.Context(), "")
		w.want(app.CodeOf(err) == app.CodeConflict && strings.Contains(err.Error(), "here"), "the error is %v", err)
		w.want(w.bot.Stop(w.t.Context()) == nil, "no stop")
		w.pass(time.Second)
		_, err = other.bot.Start(w.t.Context(), "")
		w.want(err == nil, "the lease was not given back: %v", err)
	})
}

func TestAReplicaStandsByAndTakesOver(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.start()
		other := w.another()
		defer other.down()
		_ = other.bot.ResumeOrClose(w.t.Context(), true)
		w.pass(30 * time.Second)
		status := other.bot.Status()
		w.want(!status.Running() && status.StandingBy && status.Other == "here", "the status is %+v", status)
		w.down() // In order: the session is given back as interrupted.
		took := w.until("taken over", func() bool { return other.bot.Status().Running() })
		w.want(took < 3*time.Second, "it took %s", took)
		w.want(other.bot.Status().Session.ID == s.ID, "another session")
		w.portal.add(telephone("100"))
		w.status("100", app.JobAccepted)
	})
}

func TestAReplicaThatStandsByDoesNotStartWhatTheUserStopped(t *testing.T) {
	inWorld(t, func(w *world) {
		w.start()
		other := w.another()
		defer other.down()
		_ = other.bot.ResumeOrClose(w.t.Context(), true)
		w.pass(5 * time.Second)
		w.want(w.bot.Stop(w.t.Context()) == nil, "no stop")
		w.pass(2 * time.Minute)
		w.want(!other.bot.Status().Running(), "it runs")
	})
}

func TestAReplicaThatLosesItsLeaseStopsActingAtOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.start()
		w.pass(5 * time.Second)
		w.records.change(func() {
			w.records.lease.Epoch++
			w.records.lease.Holder = "there"
		})
		w.until("stopped", func() bool { return !w.bot.Status().Running() })
		w.portal.add(telephone("100"))
		looks := w.portal.count("look", "")
		w.pass(20 * time.Second)
		w.want(w.portal.count("accept", "") == 0 && w.portal.count("look", "") == looks, "it goes on")
		w.want(w.records.session(s.ID).Status == app.SessionRunning, "it wrote into the other's session: %s", w.records.session(s.ID).Status)
	})
}

func TestALeaseThatCannotBeRenewedForAWhileIsNoReasonToStop(t *testing.T) {
	inWorld(t, func(w *world) {
		w.start()
		w.pass(5 * time.Second)
		w.records.change(func() { w.records.readFails = errAway })
		w.pass(time.Minute)
		w.want(w.bot.Status().Running(), "it stopped")
		w.records.change(func() { w.records.readFails = nil })
		w.portal.add(telephone("100"))
		w.status("100", app.JobAccepted)
	})
}

func TestALeaseThatIsRenewedUnderAnotherEpochIsTheOneToClaimUnder(t *testing.T) {
	inWorld(t, func(w *world) {
		w.start()
		w.records.change(func() { w.records.madeGood = true })
		w.pass(15 * time.Second)
		w.records.change(func() { w.want(!w.records.madeGood, "it was not renewed") })
		w.portal.add(telephone("100"))
		w.status("100", app.JobAccepted)
	})
}

func TestWishesAtAnotherReplicaReachTheHolder(t *testing.T) {
	inWorld(t, func(w *world) {
		w.down()
		w.shared = true
		w.boot()
		w.records.config.AskTypes = []string{"Telephone"}
		w.portal.add(telephone("100"), telephone("101").at("2000-02-02", "10:00"))
		s := w.start()
		other := w.another()
		defer other.down()
		ctx := w.t.Context()
		w.until("asked", func() bool { return len(w.records.told(app.EventJobAsk)) == 2 })

		w.want(other.bot.AnswerAsk(ctx, "100", bot.AnswerAccept) == nil, "no answer")
		w.status("100", app.JobAccepted)
		w.want(other.bot.AnswerAsk(ctx, "101", bot.AnswerLeave) == nil, "no answer")
		w.until("left", func() bool { return w.records.job("101").Verdict == app.VerdictLeave })
		w.want(other.bot.Pause(ctx) == nil, "no pause")
		took := w.until("paused", func() bool { return w.records.session(s.ID).Paused })
		w.want(took < time.Second, "it took %s", took)
		w.want(other.bot.Resume(ctx) == nil, "no resume")
		w.until("resumed", func() bool { return !w.records.session(s.ID).Paused })
		w.want(other.bot.Stop(ctx) == nil, "no stop")
		took = w.until("stopped", func() bool { return w.records.session(s.ID).Status == app.SessionStopped })
		w.want(took < time.Second, "it took %s", took)
		w.want(len(w.records.wishes) == 0, "wishes are left: %v", w.records.wishes)
		w.want(app.CodeOf(other.bot.Pause(ctx)) == app.CodeConflict, "a pause where nothing runs is no conflict")
		w.want(len(w.records.wishes) == 0, "a wish is left for nobody: %v", w.records.wishes)
	})
}

func TestASecondTryIsNotMadeUnderALeaseThatHasChangedHands(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.bare = true
		w.portal.faults = func(kind, _ string) *fault {
			if kind != "accept" {
				return nil
			}
			w.records.mu.Lock()
			defer w.records.mu.Unlock()
			w.records.lease.Holder, w.records.lease.Epoch = "elsewhere", w.records.lease.Epoch+1
			return &fault{instead: reset()}
		}
		w.portal.add(telephone("100"))
		w.start()
		w.pass(time.Minute)
		w.want(w.portal.count("accept", "100") == 1, "posted %d times", w.portal.count("accept", "100"))
	})
}
