package bot_test

import (
	"testing"
	"time"

	"github.com/atozbot/atozbot/app"
)

func TestTheBreakerOpensOnManyErrorsInARowAndClosesByItself(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.bare = true
		w.portal.faults = onAccept(fault{instead: unavailable(500)})
		for _, n := range []string{"1", "2", "3", "4", "5", "6"} {
			w.portal.add(telephone("10"+n).at("2000-02-0"+n, "10:00"))
		}
		w.records.config.MaxAcceptPerRun = 10
		w.start()
		w.until("open", func() bool { return len(w.records.told(app.EventBreakerTrip)) > 0 })
		w.want(w.portal.count("accept", "") == 5, "posted %d times", w.portal.count("accept", ""))
		w.portal.set(func() { w.portal.faults = nil })
		w.status("106", app.JobAccepted)
		w.want(len(w.records.told(app.EventBreakerClosed)) > 0 && !w.bot.Status().Breaker.Open, "not closed")
	})
}

func TestTheBreakerOpensOnManyRefusalsInARow(t *testing.T) {
	inWorld(t, func(w *world) {
		w.records.config.MaxAcceptPerRun = 20
		w.portal.bare = true
		w.portal.faults = onAccept(fault{reply: &app.Reply{Status: 200, Refused: "No."}})
		for _, n := range []string{"1", "2", "3", "4", "5", "6"} {
			w.portal.add(telephone("10"+n).at("2000-02-0"+n, "10:00"))
		}
		w.start()
		w.until("open", func() bool { return len(w.records.told(app.EventBreakerTrip)) > 0 })
	})
}

func TestAChangedLayoutOpensTheBreakerAndTheNextPageThatFitsClosesIt(t *testing.T) {
	inWorld(t, func(w *world) {
		odd := true
		w.portal.faults = func(kind, _ string) *fault {
			if kind == "look" && odd {
				return &fault{instead: changed()}
			}
			return nil
		}
		w.portal.add(telephone("100"))
		w.start()
		w.until("open", func() bool { return w.bot.Status().Breaker.Kind == "layout" })
		w.want(!w.bot.Status().Breaker.ByUser, "it waits for a person")
		w.pass(time.Minute)
		w.want(len(w.records.told(app.EventBreakerTrip)) == 1, "told %d times", len(w.records.told(app.EventBreakerTrip)))
		w.portal.set(func() { odd = false })
		w.status("100", app.JobAccepted)
	})
}

func TestAnUnusualNumberOfAcceptancesWaitsForAPersonOverRestarts(t *testing.T) {
	inWorld(t, func(w *world) {
		w.records.config.AcceptLimitPerHour = 2
		for _, n := range []string{"1", "2", "3"} {
			w.portal.add(telephone("10"+n).at("2000-02-0"+n, "10:00"))
		}
		s := w.start()
		w.until("open", func() bool { return w.bot.Status().Breaker.Kind == "limit" })
		w.pass(20 * time.Second)
		w.want(w.portal.count("accept", "") == 2, "posted %d times", w.portal.count("accept", ""))
		w.want(w.records.session(s.ID).Tripped != "", "not recorded")
		w.want(w.portal.count("look", "") > 15, "it does not look any more")

		w.crash()
		w.want(w.bot.ResumeOrClose(w.t.Context(), true) == nil, "it does not resume")
		w.until("running", func() bool { return w.bot.Status().Running() })
		w.pass(3 * time.Hour)
		w.want(w.portal.count("accept", "") == 0 && w.bot.Status().Breaker.Kind == "limit", "the restart closed it: %+v", w.bot.Status().Breaker)

		w.want(w.bot.Rearm(w.t.Context()) == nil, "it does not rearm")
		w.status("103", app.JobAccepted)
		w.want(w.records.session(s.ID).Tripped == "", "still recorded as open")
	})
}

func TestABookingWhosePageNamesAnExcludedTypeOpensTheBreaker(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.hideOurs = true
		w.portal.add(telephone("100"))
		w.start()
		w.status("100", app.JobAccepted)
		w.portal.set(func() { w.portal.job("100").kind = "Face-to-Face" })
		w.until("open", func() bool { return w.bot.Status().Breaker.Kind == "wrong_act" })
	})
}
