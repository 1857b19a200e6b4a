package bot_test

import (
	"testing"
	"time"

	"github.com/atozbot/atozbot/app"
)

func TestAnAcceptanceThatVanishesIsToldAndStaysAccepted(t *testing.T) {
	tests := map[string]func(w *world){
		"withdrawn with its row and page": func(w *world) { w.portal.job("100").offBoard, w.portal.job("100").noPage = true, true },
		"its row says that it is gone":    func(w *world) { w.portal.job("100").status = "Filled" },
		"offered again":                   func(w *world) { w.portal.job("100").status = "Matched" },
		"off the board, its page says so": func(w *world) { w.portal.job("100").offBoard, w.portal.job("100").status = true, "Filled" },
	}
	for name, vanish := range tests {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.portal.add(telephone("100"))
				w.start()
				w.status("100", app.JobAccepted)
				w.pass(5 * time.Second)
				w.portal.set(func() { vanish(w) })
				took := w.until("vanished", func() bool { return !w.records.job("100").VanishedAt.IsZero() })
				w.want(took < 3*time.Second, "it took %s", took)
				w.pass(2 * time.Minute)
				w.want(w.records.job("100").Status == app.JobAccepted, "it is %s", w.records.job("100").Status)
				w.want(len(w.records.told(app.EventJobVanished)) == 1, "told %d times", len(w.records.told(app.EventJobVanished)))
				w.want(w.portal.count("accept", "") == 1, "posted again")
			})
		})
	}
}

func TestAnAcceptanceThatVanishesFromAPortalThatHidesAcceptedJobsIsNoticed(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.hideOurs = true
		w.portal.add(telephone("100"))
		w.start()
		w.status("100", app.JobAccepted)
		w.pass(10 * time.Minute)
		asked := w.portal.count("details", "100")
		w.want(asked > 30 && asked < 70, "its page was asked for %d times in 10 minutes", asked)
		w.want(w.records.job("100").VanishedAt.IsZero(), "it is said to have vanished")
		w.portal.set(func() { w.portal.job("100").noPage = true })
		took := w.until("vanished", func() bool { return !w.records.job("100").VanishedAt.IsZero() })
		w.want(took < 15*time.Second, "it took %s", took)
	})
}

func TestNothingVanishesWhileThePortalIsInTrouble(t *testing.T) {
	troubles := map[string]func(w *world){
		"details unavailable": func(w *world) {
			w.portal.job("100").offBoard = true
			w.portal.faults = func(kind, _ string) *fault {
				if kind == "details" {
					return &fault{instead: unavailable(500)}
				}
				return nil
			}
		},
		"details changed": func(w *world) {
			w.portal.job("100").offBoard = true
			w.portal.faults = func(kind, _ string) *fault {
				if kind == "details" {
					return &fault{instead: changed()}
				}
				return nil
			}
		},
		"a page that says nothing": func(w *world) {
			w.portal.job("100").offBoard = true
			w.portal.job("100").status = "In review"
		},
		"boards that are not read to their end": func(w *world) {
			w.portal.job("100").offBoard = true
			w.portal.partial = true
		},
		"logged out": func(w *world) {
			w.portal.faults = func(kind, _ string) *fault {
				if kind != "login" {
					return &fault{instead: loggedOut()}
				}
				return nil
			}
		},
	}
	for name, trouble := range troubles {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.portal.add(telephone("100"))
				w.start()
				w.status("100", app.JobAccepted)
				w.pass(5 * time.Second)
				w.portal.set(func() { trouble(w) })
				w.pass(5 * time.Minute)
				w.want(w.records.job("100").VanishedAt.IsZero(), "it is said to have vanished")
			})
		})
	}
}

func TestAVanishedAcceptanceThatComesBackIsTold(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.add(telephone("100"))
		w.start()
		w.status("100", app.JobAccepted)
		w.portal.set(func() { w.portal.job("100").status = "Filled" })
		w.until("vanished", func() bool { return !w.records.job("100").VanishedAt.IsZero() })
		w.portal.set(func() { w.portal.job("100").status = "Accepted" })
		w.until("back", func() bool { return w.records.job("100").VanishedAt.IsZero() })
	})
}

func TestAVanishingIsNoticedAfterARestartToo(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.add(telephone("100"))
		w.start()
		w.status("100", app.JobAccepted)
		w.pass(2 * time.Second)
		w.crash()
		w.portal.remove("100")
		w.want(w.bot.ResumeOrClose(w.t.Context(), true) == nil, "it does not resume")
		took := w.until("vanished", func() bool { return !w.records.job("100").VanishedAt.IsZero() })
		w.want(took < 40*time.Second, "it took %s", took)
	})
}

func TestAnAcceptanceThatIsMovedIsToldAndKeepsItsNewTimeBusy(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.add(telephone("100"))
		w.start()
		w.status("100", app.JobAccepted)
		w.portal.set(func() { w.portal.job("100").time = "15:00" })
		w.until("told", func() bool { return len(w.records.told(app.EventJobChanged)) == 1 })
		w.portal.add(telephone("101").at("2000-02-01", "15:30"))
		w.until("left", func() bool { return w.records.job("101").Rule == "overlap" })
		w.portal.add(telephone("102").at("2000-02-01", "10:00"))
		w.status("102", app.JobAccepted)
		w.want(w.records.claimOf("100", app.ActAccept).StartsAt.Hour() == 15, "the claim is %+v", w.records.claimOf("100", app.ActAccept))
	})
}
