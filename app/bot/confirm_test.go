package bot_test

import (
	"testing"
	"time"

	"github.com/atozbot/atozbot/app"
)

func TestAnAnswerWithoutTheJobIsConfirmedByALook(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.bare = true
		w.records.config.CheckIntervalSeconds = 60
		w.portal.add(telephone("100"))
		w.start()
		w.status("100", app.JobAccepted)
		w.want(w.portal.count("look", "") == 2, "looked %d times", w.portal.count("look", ""))
	})
}

func TestWhereALookTakesSeveralRequestsAPageConfirms(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.bare, w.portal.pages = true, 3
		w.records.config.CheckIntervalSeconds = 60
		w.portal.add(telephone("100"))
		w.start()
		w.status("100", app.JobAccepted)
		w.want(w.portal.count("look", "") == 1, "looked %d times", w.portal.count("look", ""))
		w.want(w.portal.count("details", "100") == 2, "asked for the details %d times", w.portal.count("details", "100"))
	})
}

func TestAnAcceptedJobThatLeavesTheBoardIsConfirmedByItsPage(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.hideOurs = true
		w.portal.add(telephone("100"))
		w.start()
		w.status("100", app.JobAccepted)
		w.want(w.portal.count("details", "100") == 2, "asked for the details %d times", w.portal.count("details", "100"))
	})
}

func TestAnUnknownOutcomeIsAskedAgainUntilItIsKnown(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.bare, w.portal.hideOurs = true, true
		away := true
		posted := false
		w.portal.faults = func(kind, number string) *fault {
			posted = posted || kind == "accept"
			if kind == "details" && posted && away {
				return &fault{instead: unavailable(503)}
			}
			return nil
		}
		w.portal.add(telephone("100"))
		s := w.start()
		w.status("100", app.JobUnknown)
		w.want(w.records.claimOf("100", app.ActAccept).Outcome == app.OutcomeUnknown, "the claim is settled")
		w.pass(time.Minute)
		asked := w.portal.count("details", "100")
		w.want(asked > 4 && asked < 40, "its page was asked for %d times in a minute", asked)
		w.portal.set(func() { away = false })
		w.status("100", app.JobAccepted)
		w.want(w.records.session(s.ID).TotalAccepted == 1, "not counted")
		w.want(w.portal.count("accept", "100") == 1, "posted %d times", w.portal.count("accept", "100"))
		w.want(len(w.records.told(app.EventJobUnknown)) == 1, "unknown was told %d times", len(w.records.told(app.EventJobUnknown)))
	})
}

func TestAJobThoughtLostThatTurnsOutToBeOursIsCorrected(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.bare = true
		w.portal.faults = func(kind, number string) *fault {
			if kind == "accept" {
				w.portal.job(number).status = "Filled"
			}
			return nil
		}
		w.portal.add(telephone("100"))
		s := w.start()
		w.status("100", app.JobLost)
		w.portal.set(func() { w.portal.job("100").status = "Accepted" })
		w.status("100", app.JobAccepted)
		w.want(w.records.session(s.ID).TotalAccepted == 1, "counted %d", w.records.session(s.ID).TotalAccepted)
	})
}

func TestABoardThatLagsBehindAGoneJobIsNotBelieved(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.faults = func(kind, number string) *fault {
			if kind == "accept" {
				w.portal.job(number).noPage = true // The board still shows it as free.
				return &fault{reply: &app.Reply{Class: app.PageGone, Status: 200}}
			}
			return nil
		}
		w.portal.add(telephone("100"))
		w.start()
		w.status("100", app.JobLost)
		w.pass(time.Minute)
		w.want(w.portal.count("accept", "") == 1, "posted %d times", w.portal.count("accept", ""))
	})
}

// The page of a lost job would free its place as well, and nothing would be left of the
// round to take another in.
func TestWhereALookTakesSeveralRequestsAPlaceThatIsFreedIsTakenInThatRound(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.pages = 3
		w.records.config.CheckIntervalSeconds = 60
		w.portal.faults = func(kind, number string) *fault {
			if kind == "accept" && number == "100" {
				w.portal.job("100").status = "Filled"
				return &fault{reply: &app.Reply{Class: app.PageGone, Status: 200}}
			}
			return nil
		}
		w.portal.add(telephone("100"), telephone("101"))
		w.start()
		w.status("100", app.JobLost)
		w.pass(5 * time.Second)
		w.want(w.records.job("101").Status == app.JobAccepted, "the one at the same time is %s", w.records.job("101").Status)
	})
}

// Its old address can be gone because it is ours now.
func TestAPageThatIsGoneIsNotBelievedBeforeTheRow(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.bare, w.portal.pages = true, 3
		w.portal.faults = func(kind, number string) *fault {
			if kind == "accept" {
				w.portal.job(number).noPage = true
			}
			return nil
		}
		w.portal.add(telephone("100"))
		w.start()
		w.status("100", app.JobAccepted)
		w.want(len(w.records.told(app.EventJobLost)) == 0, "it was told to be lost")
	})
}

// The board does not change any more, and the outcome comes after everything was decided.
func TestWhatALateOutcomeFreesIsTakenAtTheNextLook(t *testing.T) {
	inWorld(t, func(w *world) {
		tried, pages := false, 0
		w.portal.faults = func(kind, number string) *fault {
			switch j := w.portal.job("100"); {
			case kind == "accept" && number == "100":
				tried = true
				j.status, j.offBoard = "Filled", true
				return &fault{instead: reset()}
			case kind == "details" && number == "100" && tried:
				if pages++; pages == 1 {
					return &fault{instead: unavailable(500)}
				}
			}
			return nil
		}
		w.portal.add(telephone("100"), telephone("101"))
		w.start()
		w.status("100", app.JobLost)
		took := w.until("taken", func() bool { return w.records.job("101").Status == app.JobAccepted })
		w.want(took <= 2*time.Second, "it took %s", took)
	})
}
