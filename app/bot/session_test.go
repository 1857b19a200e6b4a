package bot_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/bot"
)

func TestASessionGoesFromStartToStop(t *testing.T) {
	inWorld(t, func(w *world) {
		w.want(w.bot.Status().Session.Status == app.SessionStopped, "it is %s before", w.bot.Status().Session.Status)
		s := w.start()
		w.want(s.Status == app.SessionRunning && s.Name == "a session" && s.ID != "", "the session is %+v", s)
		w.want(w.records.session(s.ID).ID == s.ID, "the session is not recorded when Start returns")
		w.pass(10 * time.Second)
		status := w.bot.Status()
		w.want(status.Running() && status.Session.LoginStatus == app.LoginSuccess && status.Session.TotalChecks > 5, "the status is %+v", status)
		w.want(w.bot.Stop(w.t.Context()) == nil, "it does not stop")
		stored := w.records.session(s.ID)
		w.want(stored.Status == app.SessionStopped && !stored.EndedAt.IsZero() && !stored.Interrupted, "stored is %+v", stored)
		w.want(stored.TotalChecks == w.bot.Status().Session.TotalChecks, "checks: stored %d", stored.TotalChecks)
		looks := w.portal.count("look", "")
		w.pass(10 * time.Second)
		w.want(w.portal.count("look", "") == looks, "it looks after the stop")
		for _, kind := range []string{app.EventBotStarting, app.EventBotStarted, app.EventLoginTrying, app.EventLoginSuccess, app.EventBotStopping, app.EventBotStopped} {
			w.want(len(w.records.told(kind)) == 1, "%s was told %d times", kind, len(w.records.told(kind)))
		}
		w.want(w.bot.Stop(w.t.Context()) == nil, "a second stop is an error")
	})
}

func TestAStopCanBeTakenBack(t *testing.T) {
	inWorld(t, func(w *world) {
		ctx := w.t.Context()
		w.records.config.MaxAcceptPerRun = 1
		w.portal.add(telephone("100"))
		s := w.start()
		w.status("100", app.JobAccepted)
		w.want(app.CodeOf(w.bot.Again(ctx, s.ID)) == app.CodeConflict, "one that runs goes on twice")
		w.want(w.bot.Pause(ctx) == nil, "it does not pause")
		w.want(w.bot.Stop(ctx) == nil, "it does not stop")
		w.pass(5 * time.Second)
		w.want(w.bot.Again(ctx, s.ID) == nil, "the stop is not taken back")
		now := w.records.session(s.ID)
		w.want(now.Status == app.SessionPaused && now.EndedAt.IsZero() && now.TotalAccepted == 1, "it is %+v", now)
		w.want(w.bot.Resume(ctx) == nil, "it does not go on")
		w.portal.add(telephone("101").at("2000-02-02", "10:00"))
		w.pass(10 * time.Second)
		w.want(w.portal.count("accept", "101") == 0, "the cap begins anew")

		w.want(w.bot.Stop(ctx) == nil, "it does not stop")
		w.want(app.CodeOf(w.bot.Again(ctx, "another")) == app.CodeConflict, "a session that is not the last goes on")
		w.start()
		w.want(w.bot.Stop(ctx) == nil, "it does not stop")
		w.want(app.CodeOf(w.bot.Again(ctx, s.ID)) == app.CodeConflict, "an earlier session goes on")
	})
}

func TestASecondStartIsAConflict(t *testing.T) {
	inWorld(t, func(w *world) {
		w.start()
		_, err := w.bot.Start(w.t.Context(), "")
		w.want(app.CodeOf(err) == app.CodeConflict, "the error is %v", err)
	})
}

func TestAStartWithoutLogInDataNamesTheSettingAndAsksNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		w.missing = app.Errorf(app.CodeConflict, "ATOZ_USERNAME is not set")
		_, err := w.bot.Start(w.t.Context(), "")
		w.want(app.CodeOf(err) == app.CodeConflict && strings.Contains(err.Error(), "ATOZ_USERNAME"), "the error is %v", err)
		w.pass(5 * time.Second)
		w.want(w.portal.total() == 0, "the portal was asked")
	})
}

func TestAStopTakesEffectInTheMiddleOfARequest(t *testing.T) {
	for _, kind := range []string{"login", "look", "details", "accept"} {
		t.Run(kind, func(t *testing.T) {
			inWorld(t, func(w *world) {
				hanging := false
				w.portal.faults = func(k, _ string) *fault {
					if k == kind {
						hanging = true
						return &fault{hang: true}
					}
					return nil
				}
				w.portal.add(telephone("100"))
				s := w.start()
				w.until("hanging", func() bool { return w.portal.is(&hanging) })
				began := time.Now()
				w.want(w.bot.Stop(w.t.Context()) == nil, "it does not stop")
				w.want(time.Since(began) < time.Second, "it took %s", time.Since(began))
				w.want(w.records.session(s.ID).Status == app.SessionStopped, "it is %s", w.records.session(s.ID).Status)
				if kind == "accept" {
					w.want(w.records.job("100").Status == app.JobUnknown, "the job is %s", w.records.job("100").Status)
				}
				// What was left is settled at the next start.
				w.portal.set(func() { w.portal.faults = nil })
				w.start()
				w.status("100", app.JobAccepted)
			})
		})
	}
}

func TestAStopWhileTheRecordsHangIsQuick(t *testing.T) {
	inWorld(t, func(w *world) {
		w.start()
		w.pass(3 * time.Second)
		w.records.change(func() { w.records.slow = time.Hour })
		began := time.Now()
		w.want(w.bot.Stop(w.t.Context()) == nil, "it does not stop")
		w.want(time.Since(began) < time.Second, "it took %s", time.Since(began))
		w.want(w.bot.Status().Session.Status == app.SessionStopped, "it is %s", w.bot.Status().Session.Status)
	})
}

func TestAPausedBotLooksAndRecordsAndDoesNotAct(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.start()
		w.pass(2 * time.Second)
		w.want(w.bot.Pause(w.t.Context()) == nil, "it does not pause")
		w.want(w.records.session(s.ID).Paused, "the pause is not recorded when Pause returns")
		w.want(w.bot.Status().Session.Status == app.SessionPaused && w.bot.Status().Running(), "it is %+v", w.bot.Status().Session)
		w.portal.add(telephone("100"))
		w.until("seen", func() bool { return w.records.job("100").Verdict == app.VerdictAccept })
		w.pass(10 * time.Second)
		w.want(w.portal.count("accept", "") == 0, "it acts")
		w.want(strings.Contains(w.records.job("100").RejectionReason, "paused"), "the reason is %q", w.records.job("100").RejectionReason)
		w.want(w.bot.Resume(w.t.Context()) == nil, "it does not resume")
		w.status("100", app.JobAccepted)
	})
}

func TestAPauseOfABotThatDoesNotRunIsAConflict(t *testing.T) {
	inWorld(t, func(w *world) {
		w.want(app.CodeOf(w.bot.Pause(w.t.Context())) == app.CodeConflict, "no conflict")
		w.want(app.CodeOf(w.bot.AnswerAsk(w.t.Context(), "1", bot.AnswerAccept)) == app.CodeConflict, "no conflict")
	})
}

func TestToggleStartsAndStops(t *testing.T) {
	inWorld(t, func(w *world) {
		running, err := w.bot.Toggle(w.t.Context())
		w.want(running && err == nil, "running %v, %v", running, err)
		running, err = w.bot.Toggle(w.t.Context())
		w.want(!running && err == nil, "running %v, %v", running, err)
		w.want(w.bot.ForceReset(w.t.Context()) == nil, "a reset of a stopped bot fails")
	})
}

func TestAnOrderlyEndFinishesTheActInHandAndTheNextStartGoesOn(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.faults = onAccept(fault{delay: 2 * time.Second})
		w.portal.bare = true
		w.portal.add(telephone("100"), telephone("101").at("2000-02-02", "09:00"))
		s := w.start()
		<-w.portal.posted
		ctx, cancel := context.WithTimeout(w.t.Context(), 8*time.Second)
		defer cancel()
		w.want(w.bot.Shutdown(ctx) == nil, "it does not end")
		<-w.ended
		stored := w.records.session(s.ID)
		w.want(stored.Status == app.SessionStopped && stored.Interrupted, "stored is %+v", stored)
		w.want(w.portal.job("100").status == "Accepted", "the act was cut")
		w.want(w.portal.count("accept", "101") == 0, "another act was begun")

		w.boot()
		w.portal.set(func() { w.portal.faults = nil })
		w.want(w.bot.ResumeOrClose(w.t.Context(), true) == nil, "it does not resume")
		w.status("100", app.JobAccepted)
		w.status("101", app.JobAccepted)
		again := w.records.session(s.ID)
		w.want(again.Status == app.SessionRunning && !again.Interrupted && again.EndedAt.IsZero(), "it is %+v", again)
		w.want(w.bot.Status().Session.ID == s.ID, "another session runs")
		w.until("counted", func() bool { return w.records.session(s.ID).TotalAccepted == 2 })
		w.want(w.portal.count("accept", "100") == 1, "posted again")
		w.want(w.records.logged("gap"), "the gap is not logged")
	})
}

func TestAShutdownIsCutWhenItsTimeIsOver(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.faults = onAccept(fault{hang: true})
		w.portal.add(telephone("100"))
		w.start()
		<-w.portal.posted
		ctx, cancel := context.WithTimeout(w.t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		_ = w.bot.Shutdown(ctx)
		<-w.ended
		w.want(time.Since(began) < 4*time.Second, "it took %s", time.Since(began))
		w.want(w.records.job("100").Status == app.JobUnknown, "the job is %s", w.records.job("100").Status)
	})
}

func TestCommandsAfterTheEndSaySo(t *testing.T) {
	inWorld(t, func(w *world) {
		w.want(w.bot.Shutdown(w.t.Context()) == nil, "it does not end")
		_, err := w.bot.Start(w.t.Context(), "")
		w.want(app.CodeOf(err) == app.CodeUnavailable, "the error is %v", err)
		w.want(w.bot.Shutdown(w.t.Context()) == nil, "a second shutdown fails")
	})
}

func TestWithoutAutostartAnOrderlyEndStaysStopped(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.start()
		w.pass(2 * time.Second)
		w.want(w.bot.Shutdown(w.t.Context()) == nil, "it does not end")
		w.boot()
		w.want(w.bot.ResumeOrClose(w.t.Context(), false) == nil, "it fails")
		w.pass(5 * time.Second)
		w.want(w.records.session(s.ID).Status == app.SessionStopped, "it is %s", w.records.session(s.ID).Status)
		w.want(!w.bot.Status().Running(), "it runs")
	})
}

func TestAPausedSessionIsResumedPaused(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.start()
		w.want(w.bot.Pause(w.t.Context()) == nil, "it does not pause")
		w.want(w.bot.Shutdown(w.t.Context()) == nil, "it does not end")
		w.portal.add(telephone("100"))
		w.boot()
		w.want(w.bot.ResumeOrClose(w.t.Context(), true) == nil, "it fails")
		w.pass(5 * time.Second)
		w.want(w.bot.Status().Session.ID == s.ID && w.bot.Status().Session.Status == app.SessionPaused, "it is %+v", w.bot.Status().Session)
		w.want(w.portal.count("accept", "") == 0, "it acts")
	})
}

func TestAutostartBeginsASessionWhereNoneWasLeft(t *testing.T) {
	inWorld(t, func(w *world) {
		w.want(w.bot.ResumeOrClose(w.t.Context(), true) == nil, "it fails")
		w.until("running", func() bool { return w.bot.Status().Running() })
		w.want(w.bot.Stop(w.t.Context()) == nil, "it does not stop")
		w.pass(20 * time.Second)
		w.want(!w.bot.Status().Running(), "it started again by itself")
	})
}

func TestAStopWhileTheBotRecallsWhatItKnewIsHeeded(t *testing.T) {
	inWorld(t, func(w *world) {
		asked, answer := make(chan struct{}), make(chan struct{})
		w.memory.asked = func() {
			close(asked)
			<-answer
		}
		w.want(w.bot.ResumeOrClose(w.t.Context(), true) == nil, "it fails")
		<-asked
		w.want(w.bot.Stop(w.t.Context()) == nil, "it does not stop")
		close(answer)
		w.pass(10 * time.Second)
		w.want(!w.bot.Status().Active() && w.portal.total() == 0, "it runs all the same: %s, %d requests", w.bot.Status().Session.Status, w.portal.total())
		lease, ok, err := w.records.Acquire(w.t.Context(), app.DefaultAccountID, "another", time.Now())
		w.want(ok && err == nil, "the lease was not given back: %+v, %v", lease, err)
	})
}

func TestAutostartWithoutLogInDataStartsNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		w.missing = app.Errorf(app.CodeConflict, "ATOZ_PASSWORD is not set")
		_ = w.bot.ResumeOrClose(w.t.Context(), true)
		w.pass(10 * time.Second)
		w.want(!w.bot.Status().Running() && w.portal.total() == 0, "something was started")
	})
}

func TestAutostartWaitsForTheRecords(t *testing.T) {
	inWorld(t, func(w *world) {
		w.records.readFails = errAway
		err := w.bot.ResumeOrClose(w.t.Context(), true)
		w.want(errors.Is(err, errAway), "the error is %v", err)
		w.pass(30 * time.Second)
		w.records.change(func() { w.records.readFails = nil })
		took := w.until("running", func() bool { return w.bot.Status().Running() })
		w.want(took < 2*time.Second, "it took %s", took)
	})
}

// crash ends the bot as a SIGKILL does: nothing more of what it does has any effect.
func (w *world) crash() {
	w.records = w.records.survive()
	w.portal = w.portal.survive()
	w.down()
	w.boot()
}

func TestACrashedSessionIsResumedWithAutostart(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.add(telephone("100"))
		s := w.start()
		w.status("100", app.JobAccepted)
		w.pass(5 * time.Second)
		w.crash()
		w.want(w.records.session(s.ID).Status == app.SessionRunning, "the crash tidied up: %s", w.records.session(s.ID).Status)
		w.pass(time.Minute)
		w.want(w.bot.ResumeOrClose(w.t.Context(), true) == nil, "it fails")
		w.until("running", func() bool { return w.bot.Status().Running() })
		w.want(w.bot.Status().Session.ID == s.ID && w.bot.Status().Session.TotalAccepted == 1, "it is %+v", w.bot.Status().Session)
		w.want(w.records.logged("gap of 1m"), "the gap is not logged")
		w.pass(20 * time.Second)
		w.want(w.portal.count("accept", "100") == 0, "posted again") // By the new process.
	})
}

func TestACrashedSessionIsClosedAsAnErrorWithoutAutostart(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.start()
		w.pass(5 * time.Second)
		w.crash()
		w.want(w.bot.ResumeOrClose(w.t.Context(), false) == nil, "it fails")
		w.until("closed", func() bool { return w.records.session(s.ID).Status == app.SessionError })
		w.want(!w.records.session(s.ID).EndedAt.IsZero() && w.records.session(s.ID).LastError != "", "it is %+v", w.records.session(s.ID))
		w.pass(5 * time.Second)
		w.want(!w.bot.Status().Running(), "it runs")
	})
}

func TestAStartByTheUserPutsAwayWhatACrashLeft(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.start()
		w.pass(5 * time.Second)
		w.crash()
		next := w.start()
		w.want(next.ID != s.ID, "the old session runs")
		w.until("closed", func() bool { return w.records.session(s.ID).Status == app.SessionError })
	})
}

func TestChecksAreStoredOnceASecondAtMost(t *testing.T) {
	inWorld(t, func(w *world) {
		w.records.config.CheckIntervalSeconds = 0.2
		w.portal.add(telephone("100").of("Video"))
		s := w.start()
		w.pass(5 * time.Second)
		before := w.records.saved()
		w.pass(20 * time.Second)
		w.want(w.records.saved()-before <= 21, "%d saves in 20 s", w.records.saved()-before)
		w.want(w.bot.Status().Session.TotalChecks-w.records.session(s.ID).TotalChecks < 10, "the stored count is far behind")
	})
}
