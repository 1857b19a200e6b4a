package bot_test

import (
	"testing"
	"time"

	"github.com/atozbot/atozbot/app"
)

func TestAJobThatFitsIsAcceptedOnceAndRecorded(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.add(telephone("100"))
		s := w.start()
		w.status("100", app.JobAccepted)
		w.pass(30 * time.Second)
		w.want(w.portal.count("accept", "100") == 1, "posted %d times", w.portal.count("accept", "100"))
		w.want(w.records.session(s.ID).TotalAccepted == 1, "the session counts %d", w.records.session(s.ID).TotalAccepted)
		w.want(len(w.records.told(app.EventJobAccepted)) == 1, "told %d times", len(w.records.told(app.EventJobAccepted)))
		c := w.records.claimOf("100", app.ActAccept)
		w.want(c.Outcome == app.OutcomeAccepted && c.Attempt == 1 && c.Reached, "the claim is %+v", c)
		j := w.records.job("100")
		w.want(j.RejectionReason == "" && j.JobType == "Telephone interpreting" && j.Verdict == app.VerdictAccept, "the record is %+v", j)
		for _, at := range []time.Time{j.SeenAt, j.DecidedAt, j.ClaimedAt, j.PostedAt, j.ConfirmedAt} {
			w.want(!at.IsZero(), "the time line has a gap: %+v", j)
		}
		w.want(!j.PostedAt.Before(j.ClaimedAt) && !j.ClaimedAt.Before(j.SeenAt) && !j.ConfirmedAt.Before(j.PostedAt), "the time line is out of order: %+v", j)
	})
}

func TestThePostIsMadeTwoRequestsAfterTheLook(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.latency = 10 * time.Millisecond
		w.records.config.CheckIntervalSeconds = 0.2
		w.start()
		w.pass(3 * time.Second)
		w.portal.add(telephone("100"))
		w.status("100", app.JobAccepted)
		j := w.records.job("100")
		w.want(j.PostedAt.Sub(j.SeenAt) <= 25*time.Millisecond, "from seen to posted it took %s", j.PostedAt.Sub(j.SeenAt))
	})
}

func TestOutcomes(t *testing.T) {
	tests := []struct {
		name    string
		arrange func(w *world, first *bool)
		want    app.JobStatus
		posts   int
	}{
		{"a rival is quicker", func(w *world, _ *bool) {
			w.portal.faults = func(kind, number string) *fault {
				if kind == "accept" {
					w.portal.job(number).status = "Filled"
				}
				return nil
			}
		}, app.JobLost, 1},
		{"a rival is quicker and the job leaves the board", func(w *world, _ *bool) {
			w.portal.faults = func(kind, number string) *fault {
				if kind == "accept" {
					w.portal.job(number).status, w.portal.job(number).offBoard = "Filled", true
				}
				return nil
			}
		}, app.JobLost, 1},
		{"the job is withdrawn with its page", func(w *world, _ *bool) {
			w.portal.faults = func(kind, number string) *fault {
				if kind == "accept" {
					w.portal.job(number).offBoard, w.portal.job(number).noPage = true, true
				}
				return nil
			}
		}, app.JobLost, 1},
		{"a 500 after the portal has committed", func(w *world, _ *bool) {
			w.portal.faults = onAccept(fault{instead: unavailable(500), after: true})
		}, app.JobAccepted, 1},
		{"a reset after the portal has committed", func(w *world, _ *bool) {
			w.portal.faults = onAccept(fault{instead: reset(), after: true})
		}, app.JobAccepted, 1},
		{"a time-out after the portal has committed", func(w *world, _ *bool) {
			w.portal.faults = onAccept(fault{instead: timedOut(), after: true, delay: 5 * time.Second})
		}, app.JobAccepted, 1},
		{"a 500 before the portal has committed", func(w *world, first *bool) {
			w.portal.faults = onFirstAccept(first, fault{instead: unavailable(500)})
		}, app.JobAccepted, 2},
		{"an expired form token", func(w *world, first *bool) {
			w.portal.faults = onFirstAccept(first, fault{instead: unavailable(419)})
		}, app.JobAccepted, 2},
		{"a reset before the portal has committed", func(w *world, first *bool) {
			w.portal.faults = onFirstAccept(first, fault{instead: reset()})
		}, app.JobAccepted, 2},
		{"a time-out before the portal has committed", func(w *world, first *bool) {
			w.portal.faults = onFirstAccept(first, fault{instead: timedOut(), delay: 5 * time.Second})
		}, app.JobAccepted, 2},
		{"a connection refused", func(w *world, first *bool) {
			w.portal.faults = onFirstAccept(first, fault{instead: refused()})
		}, app.JobAccepted, 2},
		{"an answer that looks fine and did nothing", func(w *world, first *bool) {
			w.portal.faults = onFirstAccept(first, fault{reply: &app.Reply{Class: app.PageLoggedIn, Status: 200}})
		}, app.JobAccepted, 2},
		{"an answer that looks fine, and the commit a second later", func(w *world, first *bool) {
			w.records.config.CheckIntervalSeconds = 0.2
			w.portal.faults = func(kind, number string) *fault {
				if kind != "accept" || *first {
					return nil
				}
				*first = true
				j := w.portal.job(number)
				time.AfterFunc(time.Second, func() { w.portal.set(func() { j.status = "Accepted" }) })
				return &fault{reply: &app.Reply{Class: app.PageLoggedIn, Status: 200}}
			}
		}, app.JobAccepted, 1},
		{"the session expires at the post", func(w *world, first *bool) {
			w.portal.faults = func(kind, _ string) *fault {
				if kind == "accept" && !*first {
					*first = true
					w.portal.loggedIn = false
				}
				return nil
			}
		}, app.JobAccepted, 2},
		{"never reached and gone", func(w *world, _ *bool) {
			w.portal.faults = func(kind, number string) *fault {
				if kind == "accept" {
					w.portal.job(number).status = "Filled"
					return &fault{instead: refused()}
				}
				return nil
			}
		}, app.JobFailed, 1},
		{"the portal says no", func(w *world, _ *bool) {
			w.portal.faults = onAccept(fault{reply: &app.Reply{Class: app.PageLoggedIn, Status: 200, Refused: "You are not allowed to take this job"}})
		}, app.JobRefused, 1},
		{"a dialog that is not answered", func(w *world, _ *bool) {
			w.portal.faults = onAccept(fault{reply: &app.Reply{Class: app.PageBoard, Status: 200, Dialog: "cancelModal"}})
		}, app.JobRefused, 1},
		{"a status that nobody knows, and a page that does not tell", func(w *world, _ *bool) {
			w.portal.faults = func(kind, number string) *fault {
				if kind == "accept" {
					w.portal.job(number).status = "Provisional"
				}
				return nil
			}
		}, app.JobUnknown, 1},
		{"gone from the board, and its page is away", func(w *world, _ *bool) {
			w.portal.hideOurs = true
			posted := false
			w.portal.faults = func(kind, number string) *fault {
				posted = posted || kind == "accept"
				if kind == "details" && posted {
					return &fault{instead: unavailable(503)}
				}
				return nil
			}
		}, app.JobUnknown, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.portal.bare = true
				w.portal.add(telephone("100"))
				test.arrange(w, new(bool))
				w.start()
				w.status("100", test.want)
				w.pass(20 * time.Second)
				w.want(w.records.job("100").Status == test.want, "it became %s", w.records.job("100").Status)
				w.want(w.portal.count("accept", "100") == test.posts, "posted %d times, wanted %d", w.portal.count("accept", "100"), test.posts)
				c := w.records.claimOf("100", app.ActAccept)
				w.want(c.Attempt == test.posts, "the claim counts %d attempts", c.Attempt)
			})
		})
	}
}

func TestNothingIsPostedWithTheFormsOfASessionThatHasEnded(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.bare = true
		first := false
		w.portal.faults = func(kind, _ string) *fault {
			if kind == "accept" && !first {
				first = true
				w.portal.loggedIn = false
			}
			return nil
		}
		w.portal.add(telephone("100"), telephone("101").at("2000-02-02", "10:00"), telephone("102").at("2000-02-03", "10:00"))
		w.start()
		for _, number := range []string{"100", "101", "102"} {
			w.status(number, app.JobAccepted)
		}
		w.want(w.portal.count("accept", "") == 4, "posted %d times", w.portal.count("accept", ""))
	})
}

func onAccept(f fault) func(kind, number string) *fault {
	return func(kind, _ string) *fault {
		if kind == "accept" {
			return &f
		}
		return nil
	}
}

func onFirstAccept(first *bool, f fault) func(kind, number string) *fault {
	return func(kind, _ string) *fault {
		if kind == "accept" && !*first {
			*first = true
			return &f
		}
		return nil
	}
}

func TestARefusedJobIsTriedAgainOnlyWhenTheRulesChange(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.bare = true
		refusing := true
		w.portal.faults = func(kind, _ string) *fault {
			if kind == "accept" && refusing {
				return &fault{reply: &app.Reply{Status: 200, Dialog: "24HourModal"}}
			}
			return nil
		}
		w.portal.add(telephone("100"))
		w.start()
		w.status("100", app.JobRefused)
		j := w.records.job("100")
		w.want(j.NeedsUser != "" && j.Verdict == app.VerdictAsk, "the user is not asked: %+v", j)
		w.pass(time.Minute)
		w.want(w.portal.count("accept", "") == 1, "posted %d times", w.portal.count("accept", ""))
		w.portal.set(func() { refusing = false })
		w.records.configure(func(c *app.Configuration) { c.AllowShortNotice = true })
		w.status("100", app.JobAccepted)
		w.want(w.records.claimOf("100", app.ActAccept).Attempt == 2, "attempts: %d", w.records.claimOf("100", app.ActAccept).Attempt)
	})
}

func TestALostJobThatIsGivenBackIsTriedAgain(t *testing.T) {
	inWorld(t, func(w *world) {
		taken := false
		w.portal.faults = func(kind, number string) *fault {
			if kind == "accept" && !taken {
				taken = true
				w.portal.job(number).status = "Filled"
			}
			return nil
		}
		w.portal.add(telephone("100"))
		s := w.start()
		w.status("100", app.JobLost)
		w.pass(5 * time.Second)
		w.portal.set(func() { w.portal.job("100").status = "Matched" })
		w.status("100", app.JobAccepted)
		w.want(w.records.session(s.ID).TotalAccepted == 1, "counted %d", w.records.session(s.ID).TotalAccepted)
	})
}

func TestAJobIsNeverPostedMoreThanTwiceInOneLookNorWithoutPause(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.bare = true
		w.portal.faults = onAccept(fault{instead: unavailable(500)})
		w.portal.add(telephone("100"))
		w.start()
		w.pass(time.Minute)
		posts := w.portal.times("accept")
		w.want(len(posts) > 4, "given up after %d posts", len(posts))
		w.want(len(posts) < 20, "hammered: %d posts in a minute", len(posts))
	})
}

func TestAClaimThatCannotBeStoredMeansNoPost(t *testing.T) {
	inWorld(t, func(w *world) {
		w.records.claimFails = errAway
		w.portal.add(telephone("100"))
		w.start()
		w.pass(20 * time.Second)
		w.want(w.portal.count("accept", "") == 0, "posted without a claim")
		w.want(w.portal.count("look", "") > 10, "it stopped looking")
		w.want(w.bot.Status().RecordsError != "", "not told")
		w.records.change(func() { w.records.claimFails = nil })
		w.status("100", app.JobAccepted)
		w.want(w.bot.Status().RecordsError == "", "still told: %s", w.bot.Status().RecordsError)
	})
}

func TestActsThatAreNotAllowedNowAreMadeLater(t *testing.T) {
	inWorld(t, func(w *world) {
		w.records.mayAct = errAway
		w.portal.add(telephone("100"))
		w.start()
		w.pass(10 * time.Second)
		w.want(w.portal.count("accept", "") == 0, "posted though it was not allowed")
		w.records.change(func() { w.records.mayAct = nil })
		w.status("100", app.JobAccepted)
	})
}

func TestWatchModeDecidesAndRecordsAndPostsNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		w.records.config.Mode = app.ModeWatch
		w.records.config.RejectExcluded = true
		w.portal.add(telephone("100"), telephone("101").of("Onsite"))
		w.start()
		w.until("decided", func() bool { return w.records.job("101").Verdict != "" })
		w.pass(5 * time.Second)
		w.want(w.portal.count("accept", "")+w.portal.count("reject", "") == 0, "posted in watch mode")
		w.want(w.records.job("100").Verdict == app.VerdictAccept && w.records.job("100").RejectionReason != "", "the record is %+v", w.records.job("100"))
		w.want(w.records.job("101").Verdict == app.VerdictReject, "the verdict is %s", w.records.job("101").Verdict)
		w.records.configure(func(c *app.Configuration) { c.Mode = app.ModeLive })
		w.status("100", app.JobAccepted)
		w.status("101", app.JobRejected)
	})
}

func TestAJobWithoutAnAcceptFormIsShownToTheUser(t *testing.T) {
	inWorld(t, func(w *world) {
		j := telephone("100")
		j.noForm = true
		w.portal.add(j)
		w.start()
		w.until("asked", func() bool { return w.records.job("100").NeedsUser != "" })
		w.want(w.portal.count("accept", "") == 0, "posted")
		w.portal.set(func() { j.noForm = false })
		w.status("100", app.JobAccepted)
	})
}

func TestAnAcceptanceOfAnotherJobOpensTheBreaker(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.bare = true
		w.portal.faults = func(kind, _ string) *fault {
			if kind == "accept" {
				w.portal.job("101").status = "Accepted"
				return &fault{reply: &app.Reply{Status: 200}}
			}
			return nil
		}
		w.portal.add(telephone("100"), telephone("101").at("2000-02-02", "10:00").of("Video"))
		w.start()
		w.until("tripped", func() bool { return w.bot.Status().Breaker.Open })
		w.want(w.bot.Status().Breaker.ByUser && w.bot.Status().Breaker.Kind == "wrong_act", "the breaker is %+v", w.bot.Status().Breaker)
	})
}

func TestAJobThatIsTakenWhileItWaitsToBeTriedAgainIsLost(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.bare = true
		w.portal.faults = func(kind, _ string) *fault {
			if kind == "accept" {
				w.records.change(func() { w.records.mayAct = errAway })
				return &fault{instead: unavailable(500)}
			}
			return nil
		}
		w.portal.add(telephone("100"))
		w.start()
		w.status("100", app.JobUnknown)
		w.pass(5 * time.Second)
		w.portal.set(func() { w.portal.job("100").status, w.portal.job("100").offBoard = "Filled", true })
		w.status("100", app.JobLost)
	})
}

func TestNothingIsPostedForAJobThatAReplyHasShownTaken(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.faults = func(kind, number string) *fault {
			if kind == "accept" && number == "101" {
				w.portal.job("102").status = "Filled"
			}
			return nil
		}
		w.portal.add(telephone("101"), telephone("102").at("2000-02-02", "10:00"), telephone("103").at("2000-02-03", "10:00"))
		w.start()
		w.status("103", app.JobAccepted)
		w.want(w.portal.count("accept", "102") == 0, "posted")
	})
}

// paused has jobs decided and not acted on, so that an act follows from the next look alone.
func (w *world) paused(jobs ...*fakeJob) {
	w.portal.add(jobs...)
	w.start()
	w.want(w.bot.Pause(w.t.Context()) == nil, "it does not pause")
	for _, j := range jobs {
		w.until(j.number+" is decided", func() bool { return w.records.job(j.number).Verdict == app.VerdictAccept })
	}
}

func TestAJobTakenByARivalWhileAnotherActHangsIsNotPostedAny(t *testing.T) {
	for _, interval := range []float64{0.2, 30} {
		inWorld(t, func(w *world) {
			w.records.config.CheckIntervalSeconds = interval
			w.portal.faults = func(kind, number string) *fault {
				if kind != "accept" || number != "100" {
					return nil
				}
				w.portal.job("200").status = "Filled"
				return &fault{instead: timedOut(), after: true, delay: 5 * time.Second}
			}
			w.paused(telephone("100"), telephone("200").at("2000-02-02", "10:00"))
			w.want(w.bot.Resume(w.t.Context()) == nil, "it does not resume")
			w.status("100", app.JobAccepted)
			w.pass(time.Minute)
			w.want(w.portal.count("accept", "100") == 1, "posted %d times for the one that hung", w.portal.count("accept", "100"))
			w.want(w.portal.count("accept", "200") == 0, "posted for a job that a rival had taken five seconds before, at an interval of %v s", interval)
		})
	}
}

func TestAJobThatWasSeenFreeLongAgoIsLookedAtBeforeThePost(t *testing.T) {
	inWorld(t, func(w *world) {
		job := telephone("100")
		row := job.row()
		w.portal.faults = func(kind, _ string) *fault {
			if kind != "look" {
				return nil
			}
			// The later pages of the board took their time.
			return &fault{board: &app.Board{Jobs: []app.Job{row}, SeenAt: time.Now().Add(-5 * time.Second)}}
		}
		w.paused(job)
		w.pass(3 * time.Second)
		w.portal.set(func() { job.status = "Filled" })
		w.want(w.bot.Resume(w.t.Context()) == nil, "it does not resume")
		w.pass(10 * time.Second)
		w.want(w.portal.count("accept", "100") == 0, "posted for a job that its own page showed as taken")
		w.portal.set(func() { job.status = "Matched" })
		w.until("it is tried", func() bool { return w.portal.count("accept", "100") == 1 })
	})
}

func TestAJobThatIsTakenWhileItsClaimIsStoredIsNotPosted(t *testing.T) {
	for name, c := range map[string]struct {
		taken bool
		posts int
		want  app.JobStatus
	}{
		"taken":      {true, 0, app.JobMatched},
		"still free": {false, 1, app.JobAccepted},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.records.claimTakes = 5 * time.Second
				j := telephone("100")
				w.portal.add(j)
				w.start()
				w.pass(2 * time.Second)
				if c.taken {
					w.portal.set(func() { j.status = "Filled" })
				}
				w.pass(20 * time.Second)
				w.want(w.portal.count("accept", "") == c.posts, "posted %d times", w.portal.count("accept", ""))
				w.want(w.records.job("100").Status == c.want, "it is %+v", w.records.job("100"))
			})
		})
	}
}
