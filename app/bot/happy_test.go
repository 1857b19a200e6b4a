package bot_test

import (
	"testing"

	"github.com/atozbot/atozbot/app"
)

func TestAJobThatFitsIsAcceptedOnceAndRecorded(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.add(telephone("100"))
		s := w.start()
		w.status("100", app.JobAccepted)
		w.pass(30e9)
		w.want(w.portal.count("accept", "100") == 1, "posted %d times", w.portal.count("accept", "100"))
		w.want(w.records.session(s.ID).TotalAccepted == 1, "the session counts %d", w.records.session(s.ID).TotalAccepted)
		w.want(len(w.records.told(app.EventJobAccepted)) == 1, "told %d times", len(w.records.told(app.EventJobAccepted)))
		c := w.records.claimOf("100", app.ActAccept)
		w.want(c.Outcome == app.OutcomeAccepted && c.Attempt == 1 && c.Reached, "the claim is %+v", c)
	})
}
