package bot_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/bot"
)

func TestTheCapOfTheSessionIsKeptAndToldOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		w.records.config.MaxAcceptPerRun = 2
		for _, n := range []string{"1", "2", "3", "4"} {
			w.portal.add(telephone("10"+n).at("2000-02-0"+n, "10:00"))
		}
		s := w.start()
		w.status("102", app.JobAccepted)
		w.pass(20 * time.Second)
		w.want(w.portal.count("accept", "") == 2, "posted %d times", w.portal.count("accept", ""))
		w.want(w.bot.Status().CapReached, "not shown")
		w.want(len(w.records.told(app.EventCapReached)) == 1, "told %d times", len(w.records.told(app.EventCapReached)))
		w.want(w.records.job("103").Rule == "cap_session" && w.records.job("103").RejectionReason != "", "the third is %+v", w.records.job("103"))

		w.crash()
		w.portal.set(func() { w.portal.calls = nil })
		w.want(w.bot.ResumeOrClose(w.t.Context(), true) == nil, "it does not resume")
		w.until("running", func() bool { return w.bot.Status().Session.ID == s.ID })
		w.pass(20 * time.Second)
		w.want(w.portal.count("accept", "") == 0, "posted %d times after the restart", w.portal.count("accept", ""))
		w.want(w.bot.Status().CapReached, "not shown after the restart")

		w.records.configure(func(c *app.Configuration) { c.MaxAcceptPerRun = 3 })
		w.status("103", app.JobAccepted)
		w.pass(20 * time.Second)
		w.want(w.portal.count("accept", "") == 1, "posted %d times", w.portal.count("accept", ""))
	})
}

func TestANewSessionHasACapOfItsOwn(t *testing.T) {
	inWorld(t, func(w *world) {
		w.records.config.MaxAcceptPerRun = 1
		w.portal.add(telephone("101"), telephone("102").at("2000-02-02", "10:00"))
		w.start()
		w.status("101", app.JobAccepted)
		w.want(w.bot.Stop(w.t.Context()) == nil, "no stop")
		w.start()
		w.status("102", app.JobAccepted)
	})
}

func TestAPlaceUnderTheCapThatWasLostIsGivenToTheNext(t *testing.T) {
	inWorld(t, func(w *world) {
		w.records.config.MaxAcceptPerRun = 1
		w.portal.bare = true
		w.portal.faults = func(kind, number string) *fault {
			if kind == "accept" && number == "101" {
				w.portal.job("101").status = "Filled"
			}
			return nil
		}
		w.portal.add(telephone("101"), telephone("102").at("2000-02-02", "10:00"))
		w.start()
		w.status("102", app.JobAccepted)
		w.want(w.bot.Status().Session.TotalChecks == 1, "it took another look")
		w.want(w.records.job("101").Status == app.JobLost, "the first is %s", w.records.job("101").Status)
	})
}

func TestTwoJobsInOneLookThatOverlapAreNotBothTaken(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.add(telephone("101").at("2000-02-01", "10:00"), telephone("102").at("2000-02-01", "10:30"), telephone("103").at("2000-02-01", "11:00"))
		w.start()
		w.status("103", app.JobAccepted) // It begins when the first ends.
		w.pass(20 * time.Second)
		w.want(w.portal.count("accept", "102") == 0, "both were taken")
		w.want(w.records.job("102").Rule == "overlap", "the rule is %q", w.records.job("102").Rule)
	})
}

func TestTheSecondOfTwoThatOverlapIsTakenWhereTheFirstIsLost(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.bare, w.portal.hideOurs = true, true
		w.portal.faults = func(kind, number string) *fault {
			if kind == "accept" && number == "101" {
				w.portal.job("101").offBoard, w.portal.job("101").status = true, "Filled"
			}
			return nil
		}
		w.portal.add(telephone("101"), telephone("102"))
		w.start()
		w.status("102", app.JobAccepted)
		w.want(w.bot.Status().Session.TotalChecks == 1, "it took another look")
	})
}

func TestJobsAreTakenInTheOrderOfPreference(t *testing.T) {
	for preference, first := range map[app.Preference]string{
		app.PreferListed: "101", app.PreferLongest: "102", app.PreferSoonest: "103",
	} {
		t.Run(string(preference), func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.records.config.Preference = preference
				long := telephone("102").at("2000-02-03", "08:00")
				long.minutes, long.duration = 480, "8 hours"
				w.portal.add(telephone("101").at("2000-02-02", "10:00"), long, telephone("103").at("2000-02-01", "10:00"))
				w.start()
				w.until("all taken", func() bool { return w.portal.count("accept", "") == 3 })
				w.want(w.portal.order("accept")[0] == first, "the order is %v", w.portal.order("accept"))
				// The first is posted before anything is asked about the others.
				w.want(slices.Index(w.portal.order("details"), first) == 0, "the details were read in the order %v", w.portal.order("details"))
				second := w.portal.times("details")[1]
				w.want(w.portal.times("accept")[0].Before(second), "it waited for others' details")
			})
		})
	}
}

func TestABusyCalendarThatChangesCountsWithoutAChangedBoard(t *testing.T) {
	inWorld(t, func(w *world) {
		busy := app.Booking{
			Label: "dentist", StartsAt: time.Date(2000, 2, 1, 9, 0, 0, 0, time.UTC), EndsAt: time.Date(2000, 2, 1, 12, 0, 0, 0, time.UTC),
		}
		w.records.busy = []app.Booking{busy}
		w.portal.add(telephone("100"))
		w.start()
		w.until("left", func() bool { return w.records.job("100").Rule == "overlap" })
		w.records.change(func() { w.records.busy = nil })
		took := w.until("accepted", func() bool { return w.records.job("100").Status == app.JobAccepted })
		w.want(took < 8*time.Second, "it took %s", took)
	})
}

func TestABookingMadeElsewhereInTheMeantimeIsHeededUnderTheClaim(t *testing.T) {
	inWorld(t, func(w *world) {
		w.start()
		w.pass(time.Second)
		w.records.change(func() {
			w.records.busy = []app.Booking{{
				Label: "dentist", StartsAt: time.Date(2000, 2, 1, 9, 0, 0, 0, time.UTC), EndsAt: time.Date(2000, 2, 1, 12, 0, 0, 0, time.UTC),
			}}
		})
		w.portal.add(telephone("100"))
		w.pass(10 * time.Second)
		w.want(w.portal.count("accept", "") == 0, "taken against the calendar")
	})
}

func TestAJobToAskForWaitsForTheAnswer(t *testing.T) {
	inWorld(t, func(w *world) {
		w.records.config.AskTypes = []string{"Telephone"}
		w.records.config.CheckIntervalSeconds = 60
		w.portal.add(telephone("100"), telephone("101").at("2000-02-02", "10:00"))
		w.start()
		w.until("asked", func() bool { return len(w.records.told(app.EventJobAsk)) == 2 })
		w.want(w.records.job("100").Verdict == app.VerdictAsk && w.records.job("100").NeedsUser != "", "it is %+v", w.records.job("100"))
		w.want(w.bot.AnswerAsk(w.t.Context(), "100", bot.AnswerAccept) == nil, "the answer is not taken")
		took := w.until("accepted", func() bool { return w.records.job("100").Status == app.JobAccepted })
		w.want(took < time.Second, "it took %s", took)
		w.want(w.bot.AnswerAsk(w.t.Context(), "101", bot.AnswerLeave) == nil, "the answer is not taken")
		w.want(w.records.job("101").Verdict == app.VerdictLeave, "it is %+v", w.records.job("101"))
		w.want(app.CodeOf(w.bot.AnswerAsk(w.t.Context(), "100", bot.AnswerAccept)) == app.CodeConflict, "a second answer is taken")
		w.want(app.CodeOf(w.bot.AnswerAsk(w.t.Context(), "999", bot.AnswerAccept)) == app.CodeNotFound, "an unknown job is taken")

		w.crash()
		w.want(w.bot.ResumeOrClose(w.t.Context(), true) == nil, "it does not resume")
		w.pass(3 * time.Minute)
		w.want(w.records.job("101").Verdict == app.VerdictLeave && w.portal.count("accept", "101") == 0, "the answer was forgotten: %+v", w.records.job("101"))
	})
}

func TestALeaveCanBeTakenBack(t *testing.T) {
	inWorld(t, func(w *world) {
		w.records.config.AskTypes = []string{"Telephone"}
		w.portal.add(telephone("100"))
		w.start()
		w.until("asked", func() bool { return len(w.records.told(app.EventJobAsk)) == 1 })
		w.want(app.CodeOf(w.bot.AnswerAsk(w.t.Context(), "100", bot.AnswerNone)) == app.CodeConflict, "what was not left is taken back")
		before := w.records.job("100")
		for i, wait := range []time.Duration{0, 10 * time.Second} { // Before the next look, and after some.
			w.want(w.bot.AnswerAsk(w.t.Context(), "100", bot.AnswerLeave) == nil, "the answer is not taken")
			w.pass(wait)
			w.want(w.bot.AnswerAsk(w.t.Context(), "100", bot.AnswerNone) == nil, "it is not taken back")
			got := w.records.job("100")
			w.want(got.Verdict == app.VerdictAsk && got.NeedsUser == before.NeedsUser && got.RejectionReason == before.RejectionReason, "it is %+v", got)
			w.pass(10 * time.Second)
			w.want(w.records.job("100").Verdict == app.VerdictAsk, "it is %+v", w.records.job("100"))
			w.want(len(w.records.told(app.EventJobAsk)) == 2+i, "told %d times", len(w.records.told(app.EventJobAsk)))
		}
		w.want(w.bot.AnswerAsk(w.t.Context(), "100", bot.AnswerLeave) == nil, "the answer is not taken")
		w.crash()
		w.want(w.bot.ResumeOrClose(w.t.Context(), true) == nil, "it does not resume")
		w.pass(10 * time.Second)
		w.want(w.bot.AnswerAsk(w.t.Context(), "100", bot.AnswerNone) == nil, "it is not taken back after a restart")
		w.until("asked again", func() bool { return w.records.job("100").Verdict == app.VerdictAsk })
		w.want(w.bot.AnswerAsk(w.t.Context(), "100", bot.AnswerLeave) == nil, "the answer is not taken")
		w.portal.remove("100")
		w.pass(10 * time.Second)
		w.want(app.CodeOf(w.bot.AnswerAsk(w.t.Context(), "100", bot.AnswerNone)) == app.CodeConflict, "a job that is gone is asked for")
		w.want(w.records.job("100").NeedsUser == "", "it is %+v", w.records.job("100"))
		w.portal.add(telephone("100"))
		w.pass(10 * time.Second)
		w.want(w.bot.AnswerAsk(w.t.Context(), "100", bot.AnswerNone) == nil, "it is not taken back")
		w.want(w.bot.AnswerAsk(w.t.Context(), "100", bot.AnswerAccept) == nil, "the answer is not taken")
		w.status("100", app.JobAccepted)
	})
}

func TestAnAnswerIsAConflictWhereNothingIsPosted(t *testing.T) {
	inWorld(t, func(w *world) {
		w.records.config.AskTypes = []string{"Telephone"}
		w.records.config.Mode = app.ModeWatch
		w.portal.add(telephone("100"))
		w.start()
		w.until("asked", func() bool { return len(w.records.told(app.EventJobAsk)) == 1 })
		err := w.bot.AnswerAsk(w.t.Context(), "100", bot.AnswerAccept)
		w.want(app.CodeOf(err) == app.CodeConflict && strings.Contains(err.Error(), "watches"), "the error is %v", err)
		w.portal.remove("100")
		w.pass(2 * time.Second)
		w.want(app.CodeOf(w.bot.AnswerAsk(w.t.Context(), "100", bot.AnswerAccept)) == app.CodeConflict, "a job that is gone is taken")
	})
}

func TestAJobWhosePageIsGoneIsLeft(t *testing.T) {
	inWorld(t, func(w *world) {
		j := telephone("100")
		j.noPage = true
		w.portal.add(j)
		w.start()
		w.until("left", func() bool { return w.records.job("100").Verdict == app.VerdictLeave })
		w.pass(10 * time.Second)
		w.want(w.portal.count("accept", "") == 0, "posted")
	})
}

func TestAPageThatComesBackWhileTheBoardOffersTheJobIsReadAgain(t *testing.T) {
	inWorld(t, func(w *world) {
		j := telephone("100")
		j.noPage = true
		w.portal.add(j)
		w.start()
		w.until("left", func() bool { return w.records.job("100").Verdict == app.VerdictLeave })
		w.pass(2 * time.Minute)
		w.want(w.portal.count("details", "") < 14, "asked %d times", w.portal.count("details", ""))
		w.portal.set(func() { j.noPage = false })
		took := w.until("accepted", func() bool { return w.records.job("100").Status == app.JobAccepted })
		w.want(took < 22*time.Second, "it took %s", took)
	})
}

func TestAPageThatContradictsTheBoardForAMomentCostsNoJob(t *testing.T) {
	for name, details := range map[string]fault{
		"it is missing":          {instead: &app.PageError{Class: app.PageGone, Status: 404, Sent: true, Reason: "the portal answered 404"}},
		"it says that it is not": {details: &app.Details{Number: "100", Type: "Telephone interpreting", StatusText: "Filled", State: app.StateGone}},
	} {
		for _, interval := range []float64{0.2, 1, 2} {
			t.Run(fmt.Sprintf("%s, every %v s", name, interval), func(t *testing.T) {
				inWorld(t, func(w *world) {
					w.records.config.CheckIntervalSeconds = interval
					asked := 0
					w.portal.faults = func(kind, _ string) *fault {
						if kind != "details" || asked == 2 {
							return nil
						}
						asked++
						return &details
					}
					w.portal.add(telephone("100"))
					w.start()
					took := w.until("accepted", func() bool { return w.records.job("100").Status == app.JobAccepted })
					// After one second, and two more, each at the next look.
					most := 3*time.Second + time.Duration(2.5*interval*float64(time.Second))
					w.want(took < most, "it took %s, want %s at most", took, most)
				})
			})
		}
	}
}

func TestADecisionIsToldOnceOverRestarts(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.add(telephone("100").of("Video"))
		w.start()
		w.until("left", func() bool { return len(w.records.told(app.EventJobLeft)) == 1 })
		w.crash()
		w.want(w.bot.ResumeOrClose(w.t.Context(), true) == nil, "it does not resume")
		w.pass(10 * time.Second)
		w.want(len(w.records.told(app.EventJobLeft)) == 1, "told %d times", len(w.records.told(app.EventJobLeft)))
	})
}

func TestAJobComesTooCloseWhileItIsWatched(t *testing.T) {
	inWorld(t, func(w *world) {
		w.records.config.MinNoticeMinutes = 60
		w.records.config.Mode = app.ModeWatch
		w.portal.add(telephone("100").at("2000-01-01", "01:05"))
		w.start()
		w.until("wanted", func() bool { return w.records.job("100").Verdict == app.VerdictAccept })
		w.pass(6 * time.Minute)
		w.want(w.records.job("100").Rule == "notice", "the rule is %q", w.records.job("100").Rule)
	})
}

func TestATryThatWasNotTakenIsLetGoWhenItIsNoLongerWanted(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.bare = true
		w.portal.faults = onAccept(fault{instead: unavailable(500)})
		w.portal.add(telephone("100"))
		w.start()
		w.until("tried", func() bool { return w.portal.count("accept", "") > 1 })
		w.records.configure(func(c *app.Configuration) { c.Mode = app.ModeWatch })
		w.until("let go", func() bool { return w.records.claimOf("100", app.ActAccept).Settled() })
		w.want(w.records.job("100").Status == app.JobMatched, "it is %s", w.records.job("100").Status)
		posts := w.portal.count("accept", "")
		w.pass(time.Minute)
		w.want(w.portal.count("accept", "") == posts, "tried in watch mode")

		w.crash()
		w.portal.set(func() { w.portal.faults = nil })
		w.records.configure(func(c *app.Configuration) { c.Mode = app.ModeLive })
		w.want(w.bot.ResumeOrClose(w.t.Context(), true) == nil, "it does not resume")
		w.status("100", app.JobAccepted)
	})
}
