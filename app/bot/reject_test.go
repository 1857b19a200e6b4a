package bot_test

import (
	"slices"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app"
)

func TestAnExcludedJobIsRejectedWhereThatIsOn(t *testing.T) {
	inWorld(t, func(w *world) {
		w.records.config.RejectExcluded = true
		w.portal.add(telephone("100").of("Face-to-Face interpreting"), telephone("101").of("Video interpreting"))
		s := w.start()
		w.status("100", app.JobRejected)
		w.pass(10 * time.Second)
		w.want(w.records.job("101").Status == app.JobMatched, "another type is %s", w.records.job("101").Status)
		w.want(w.portal.count("reject", "") == 1 && w.portal.count("accept", "") == 0, "posts: %v", w.portal.calls)
		w.want(w.records.session(s.ID).TotalRejected == 1, "counted %d", w.records.session(s.ID).TotalRejected)
		w.want(w.records.claimOf("100", app.ActReject).Outcome == app.OutcomeRejected, "the claim is %+v", w.records.claimOf("100", app.ActReject))
	})
}

func TestARejectionIsConfirmedByAPageWithoutTheForm(t *testing.T) {
	inWorld(t, func(w *world) {
		w.records.config.RejectExcluded = true
		w.portal.bare = true
		w.portal.add(telephone("100").of("Onsite"))
		done := false
		w.portal.faults = func(kind, number string) *fault {
			if kind == "reject" {
				done = true
				return &fault{reply: &app.Reply{Status: 200}}
			}
			if kind == "details" && done {
				return &fault{details: &app.Details{Number: number, Type: "Onsite", StatusText: "Matched", State: app.StateMatched}}
			}
			return nil
		}
		w.start()
		w.status("100", app.JobRejected)
		w.want(w.portal.count("reject", "") == 1, "posted %d times", w.portal.count("reject", ""))
	})
}

func TestARejectionThatWasNotTakenIsMadeAgain(t *testing.T) {
	inWorld(t, func(w *world) {
		w.records.config.RejectExcluded = true
		w.portal.bare = true
		failed := false
		w.portal.faults = func(kind, _ string) *fault {
			if kind == "reject" && !failed {
				failed = true
				return &fault{instead: unavailable(419)}
			}
			return nil
		}
		w.portal.add(telephone("100").of("Onsite"))
		w.start()
		w.status("100", app.JobRejected)
		w.want(w.portal.count("reject", "") == 2, "posted %d times", w.portal.count("reject", ""))
	})
}

func TestARejectionThatCameTooLateIsLost(t *testing.T) {
	inWorld(t, func(w *world) {
		w.records.config.RejectExcluded = true
		w.portal.faults = func(kind, number string) *fault {
			if kind == "reject" {
				w.portal.job(number).status, w.portal.job(number).offBoard = "Filled", true
				return &fault{reply: &app.Reply{Class: app.PageGone, Status: 200}}
			}
			return nil
		}
		w.portal.add(telephone("100").of("Onsite"))
		s := w.start()
		w.status("100", app.JobLost)
		w.want(w.records.session(s.ID).TotalRejected == 0, "it is counted")
	})
}

func TestWhatBecameOfARejectionThatFailed(t *testing.T) {
	tried := func(w *world) bool {
		return slices.ContainsFunc(w.portal.calls, func(c call) bool { return c.kind == "reject" })
	}
	for _, c := range []struct {
		name   string
		gone   func(w *world, j *fakeJob) // While the failed try is looked into.
		want   app.JobStatus
		counts int64
		late   bool // The try got no answer in time, and its page showed it free at first.
	}{
		{"its page still had the form, and then it is gone", func(_ *world, j *fakeJob) { j.offBoard = true }, app.JobLost, 0, false},
		{"its page says that somebody has it", func(_ *world, j *fakeJob) { j.offBoard, j.status = true, "Filled" }, app.JobLost, 0, false},
		{"its page has no form any more", func(_ *world, j *fakeJob) { j.offBoard, j.rejected = true, true }, app.JobRejected, 1, false},
		{"its page is gone, as the row is", func(_ *world, j *fakeJob) { j.offBoard, j.noPage = true, true }, app.JobRejected, 1, false},
		{"late, it has worked all the same", func(_ *world, j *fakeJob) { j.offBoard, j.rejected = true, true }, app.JobRejected, 1, true},
		{"late, somebody else was quicker", func(_ *world, j *fakeJob) { j.offBoard, j.noPage = true, true }, app.JobLost, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.records.config.RejectExcluded = true
				pages := 0
				w.portal.faults = func(kind, number string) *fault {
					switch {
					case c.late && kind == "reject":
						return &fault{instead: timedOut()}
					case c.late && kind == "details" && tried(w):
						if pages++; pages == 2 {
							c.gone(w, w.portal.job(number))
						}
					case kind == "reject":
						if j := w.portal.job(number); c.want == app.JobRejected || j.status != "Matched" {
							c.gone(w, j)
						}
						return &fault{instead: unavailable(500)}
					case kind == "details" && tried(w):
						c.gone(w, w.portal.job(number))
					}
					return nil
				}
				w.portal.add(telephone("100").of("Onsite"))
				s := w.start()
				w.status("100", c.want)
				w.want(w.records.session(s.ID).TotalRejected == c.counts, "%d rejections are counted", w.records.session(s.ID).TotalRejected)
				w.want(w.portal.count("reject", "") <= 2, "posted %d times", w.portal.count("reject", ""))
			})
		})
	}
}

func TestRejectingComesAfterAccepting(t *testing.T) {
	inWorld(t, func(w *world) {
		w.records.config.RejectExcluded = true
		w.portal.add(telephone("101").of("Onsite"), telephone("102").of("Onsite"), telephone("103"))
		w.start()
		w.status("102", app.JobRejected)
		w.status("101", app.JobRejected)
		w.want(w.portal.times("accept")[0].Before(w.portal.times("reject")[0]), "a rejection came first")
		w.want(w.bot.Status().Session.TotalChecks == 1, "it took more than a look")
	})
}

func TestTheBoardTellsThatARivalTookWhatARejectionFailedFor(t *testing.T) {
	inWorld(t, func(w *world) {
		w.records.config.RejectExcluded = true
		w.portal.pages = 3
		w.portal.faults = func(kind, number string) *fault {
			if kind == "reject" {
				w.portal.job(number).status, w.portal.job(number).noPage = "Filled", true
				return &fault{instead: unavailable(500)}
			}
			return nil
		}
		w.portal.add(telephone("100").of("Onsite"))
		w.start()
		w.status("100", app.JobLost)
	})
}

// A failed rejection is to be made again, and the look that confirms an acceptance before
// it shows that somebody else has the job. That look lasts until the next one is due.
func TestNothingIsRejectedThatANewerBoardShowsTaken(t *testing.T) {
	inWorld(t, func(w *world) {
		w.records.config.RejectExcluded, w.records.config.CheckIntervalSeconds = true, 0.2
		w.portal.bare = true
		w.portal.add(telephone("101").of("Onsite"))
		tried, accepted := false, false
		w.portal.faults = func(kind, _ string) *fault {
			switch {
			case kind == "reject":
				tried = true
				return &fault{instead: unavailable(500)}
			case kind == "accept":
				accepted = true
			case kind == "look" && accepted:
				w.portal.job("101").status, w.portal.job("101").offBoard = "Filled", true
				return &fault{delay: time.Second}
			case kind == "look" && tried && len(w.portal.jobs) == 1:
				w.portal.jobs = append(w.portal.jobs, telephone("102"))
				return &fault{delay: time.Second}
			}
			return nil
		}
		w.start()
		w.status("102", app.JobAccepted)
		w.pass(10 * time.Second)
		w.want(w.portal.count("reject", "") == 1, "posted %d times", w.portal.count("reject", ""))
		w.want(w.records.job("101").Status == app.JobLost, "it is %s", w.records.job("101").Status)
	})
}

// The answer is the board's first page, which the job is not on.
func TestWhatASettledJobWasDecidedByStays(t *testing.T) {
	inWorld(t, func(w *world) {
		w.records.config.RejectExcluded, w.records.config.CheckIntervalSeconds = true, 60
		w.portal.pages = 3
		w.portal.faults = func(kind, number string) *fault {
			switch j := w.portal.job("100"); {
			case kind == "reject":
				j.rejected = true
				return &fault{reply: &app.Reply{Class: app.PageBoard, Status: 200, Board: &app.Board{Jobs: []app.Job{w.portal.job("101").row()}}}}
			case kind == "details" && j.rejected:
				return &fault{details: &app.Details{Number: number, Type: "Onsite", StatusText: "Rejected", State: app.StateOther}}
			}
			return nil
		}
		w.portal.add(telephone("100").of("Onsite"), telephone("101").of("Video interpreting"))
		w.start()
		w.status("100", app.JobRejected)
		w.pass(5 * time.Second)
		w.want(w.records.job("100").Verdict == app.VerdictReject, "its verdict has become %s", w.records.job("100").Verdict)
	})
}
