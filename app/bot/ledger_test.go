package bot_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app"
)

func TestWhatCannotBeRecordedIsKeptAndRecordedLaterInOrder(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.start()
		w.pass(3 * time.Second)
		w.records.change(func() { w.records.saveFails = errAway })
		w.portal.add(telephone("100"), telephone("101").at("2000-02-02", "10:00").of("Video"))
		w.until("accepted at the portal", func() bool { return w.portal.job("100").status == "Accepted" })
		w.pass(10 * time.Minute)
		status := w.bot.Status()
		w.want(status.Unrecorded > 0 && status.RecordsError != "" && status.Session.TotalAccepted == 1, "the status is %+v", status)
		w.records.change(func() { w.records.saveFails = nil })
		took := w.until("recorded", func() bool { return w.bot.Status().Unrecorded == 0 })
		w.want(took < 5*time.Second, "it took %s", took)
		w.want(w.records.job("100").Status == app.JobAccepted && w.records.job("101").Verdict == app.VerdictLeave, "the jobs are %+v", w.records.jobs)
		w.want(w.records.session(s.ID).TotalAccepted == 1, "the session is %+v", w.records.session(s.ID))
		w.want(w.bot.Status().RecordsError == "", "still told")
		kinds := ""
		for _, e := range w.records.events {
			if e.Type == app.EventJobSeen || e.Type == app.EventJobAccepted {
				kinds += e.Type + " "
			}
		}
		w.want(kinds == "job_seen job_seen job_accepted ", "the order is %s", kinds)
	})
}

func TestALongOutageOfTheRecordsIsBoundedAndLosesNoJob(t *testing.T) {
	inWorld(t, func(w *world) {
		w.records.config.Languages = []string{"French"}
		w.start()
		w.pass(3 * time.Second)
		w.records.change(func() { w.records.saveFails = errAway })
		for i := range 3000 {
			w.portal.add(telephone(fmt.Sprint(1000 + i)))
			w.pass(time.Second)
			w.portal.remove(fmt.Sprint(1000 + i - 3))
		}
		w.records.change(func() { w.records.saveFails = nil })
		w.until("recorded", func() bool { return w.bot.Status().Unrecorded == 0 })
		w.want(len(w.records.jobs) >= 2990, "%d jobs recorded", len(w.records.jobs))
		w.want(len(w.records.told(app.EventJobSeen)) >= 2990, "%d told", len(w.records.told(app.EventJobSeen)))
	})
}

func TestARecordThatIsRefusedForWhatItHoldsDoesNotStopTheOthers(t *testing.T) {
	inWorld(t, func(w *world) {
		w.start()
		w.pass(3 * time.Second)
		w.records.change(func() { w.records.refuse = "Klingon" })
		odd := telephone("100")
		odd.language = "Klingon"
		w.portal.add(odd)
		w.pass(2 * time.Second)
		w.portal.add(telephone("101").at("2000-02-02", "10:00"))
		w.status("101", app.JobAccepted)
		w.records.change(func() { w.records.refuse = "" })
		w.status("100", app.JobAccepted)
	})
}
