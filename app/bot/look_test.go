package bot_test

import (
	"strings"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app"
)

func TestLooksKeepTheIntervalWithinTenPercent(t *testing.T) {
	for _, interval := range []float64{0.2, 1, 30} {
		inWorld(t, func(w *world) {
			w.records.config.CheckIntervalSeconds = interval
			w.portal.latency = 20 * time.Millisecond
			w.start()
			configured := time.Duration(interval * float64(time.Second))
			w.pass(100 * configured)
			looks := w.portal.times("look")
			w.want(len(looks) > 90, "only %d looks in 100 intervals", len(looks))
			spread := map[time.Duration]bool{}
			for i := 1; i < len(looks); i++ {
				between := looks[i].Sub(looks[i-1])
				spread[between] = true
				slack := 20 * time.Millisecond // The log-in before the first.
				w.want(between >= configured*9/10-time.Millisecond && between <= configured*11/10+slack, "%s between two looks", between)
			}
			w.want(len(spread) > 20, "no jitter")
			real := w.bot.Status().RealInterval
			w.want(real > configured*9/10 && real < configured*11/10, "measured %s", real)
		})
	}
}

func TestActsAndConfirmingLooksDoNotCountForTheInterval(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.bare = true
		for _, n := range []string{"100", "101", "102"} {
			w.portal.add(telephone(n).at("2000-02-0"+n[2:3], "10:00"))
		}
		w.portal.set(func() { w.portal.job("100").date = "2000-02-04" })
		w.start()
		w.status("102", app.JobAccepted)
		w.want(w.bot.Status().Session.TotalChecks == 1, "counted %d checks", w.bot.Status().Session.TotalChecks)
		w.want(w.portal.most == 1, "%d requests at once", w.portal.most)
	})
}

func TestAnIntervalThatIsChangedCountsAtOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		w.records.config.CheckIntervalSeconds = 3600
		w.start()
		w.pass(5 * time.Second)
		looks := w.portal.count("look", "")
		w.records.configure(func(c *app.Configuration) { c.CheckIntervalSeconds = 1 })
		w.bot.Notify()
		w.pass(5 * time.Second)
		w.want(w.portal.count("look", "") >= looks+4, "looked %d times", w.portal.count("look", "")-looks)
	})
}

func TestRulesThatAreChangedCountAtTheNextLookOfAnUnchangedBoard(t *testing.T) {
	inWorld(t, func(w *world) {
		w.records.config.Languages = []string{"French"}
		w.portal.add(telephone("100"))
		w.start()
		w.until("left", func() bool { return w.records.job("100").Verdict == app.VerdictLeave })
		w.pass(5 * time.Second)
		w.records.configure(func(c *app.Configuration) { c.Languages = nil })
		took := w.until("accepted", func() bool { return w.records.job("100").Status == app.JobAccepted })
		w.want(took < 1500*time.Millisecond, "it took %s", took)
	})
}

func TestAConfigurationThatCannotBeUsedLeavesTheOldOneInForce(t *testing.T) {
	inWorld(t, func(w *world) {
		w.start()
		w.pass(2 * time.Second)
		w.records.configure(func(c *app.Configuration) { c.TimeZone = "Nowhere/Never" })
		w.portal.add(telephone("100"))
		w.status("100", app.JobAccepted)
		w.want(w.records.logged("cannot be used"), "not logged")
	})
}

func TestWhatIsNoBoardIsToldAndNeverNoJobs(t *testing.T) {
	tests := []struct {
		name string
		err  error
		page app.PageClass
	}{
		{"a 503", unavailable(503), app.PageUnavailable},
		{"a time-out", timedOut(), app.PageUnavailable},
		{"a changed page", changed(), app.PageChanged},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.portal.add(telephone("100").of("Video"))
				w.start()
				w.pass(3 * time.Second)
				w.portal.set(func() {
					w.portal.faults = func(kind, _ string) *fault {
						if kind == "look" {
							return &fault{instead: test.err}
						}
						return nil
					}
				})
				w.until("told", func() bool { return len(w.records.told(app.EventBoardProblem)) == 1 })
				w.pass(2 * time.Minute)
				w.want(len(w.records.told(app.EventBoardProblem)) == 1, "told %d times", len(w.records.told(app.EventBoardProblem)))
				status := w.bot.Status()
				w.want(status.Page == test.page && status.Problem != "" && status.LastError != "" && status.Running(), "the status is %+v", status)
				w.want(w.records.job("100").GoneAt.IsZero(), "its jobs are noted as gone")
				looks := w.portal.times("look")
				last := looks[len(looks)-1].Sub(looks[len(looks)-2])
				w.want(last > 4*time.Second && last <= 10*time.Second+100*time.Millisecond+5*time.Second, "it backs off by %s", last)
				w.want(!status.BackOffUntil.IsZero(), "the back-off is not shown")
				w.portal.set(func() { w.portal.faults = nil })
				took := w.until("back", func() bool { return len(w.records.told(app.EventBoardBack)) == 1 })
				w.want(took <= 10*time.Second+200*time.Millisecond, "back after %s", took)
				w.pass(5 * time.Second)
				status = w.bot.Status()
				w.want(status.Problem == "" && status.LastError == "" && !status.Breaker.Open && status.BackOffUntil.IsZero(), "the status is %+v", status)
			})
		})
	}
}

func TestRetryAfterIsObeyedEvenWhereItIsLong(t *testing.T) {
	inWorld(t, func(w *world) {
		w.start()
		w.pass(3 * time.Second)
		asked := false
		w.portal.set(func() {
			w.portal.faults = func(kind, _ string) *fault {
				if kind == "look" && !asked {
					asked = true
					return &fault{instead: &app.PageError{Class: app.PageUnavailable, Status: 429, RetryAfter: 90 * time.Second, Sent: true, Reason: "429"}}
				}
				return nil
			}
		})
		w.until("asked", func() bool { return w.portal.is(&asked) })
		calls := w.portal.total()
		w.pass(85 * time.Second)
		w.want(w.portal.total() == calls, "asked %d times in between", w.portal.total()-calls)
		w.pass(8 * time.Second)
		w.want(w.portal.total() > calls, "not asked afterwards")
	})
}

func TestRetryAfterOfADetailsPageQuietsEverything(t *testing.T) {
	inWorld(t, func(w *world) {
		limited := false
		w.portal.faults = func(kind, _ string) *fault {
			if kind == "details" && !limited {
				limited = true
				return &fault{instead: &app.PageError{Class: app.PageUnavailable, Status: 429, RetryAfter: 30 * time.Second, Sent: true, Reason: "429"}}
			}
			return nil
		}
		w.portal.add(telephone("100"), telephone("101").at("2000-02-02", "10:00"))
		w.start()
		w.until("limited", func() bool { return w.portal.is(&limited) })
		calls := w.portal.total()
		w.pass(28 * time.Second)
		w.want(w.portal.total() == calls, "asked %d times", w.portal.total()-calls)
		w.status("101", app.JobAccepted)
		w.status("100", app.JobAccepted)
	})
}

func TestAnExpiredSessionLogsInAndLooksAtOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		w.records.config.CheckIntervalSeconds = 10
		w.start()
		w.pass(35 * time.Second)
		w.portal.set(func() { w.portal.loggedIn = false })
		w.portal.add(telephone("100"))
		w.status("100", app.JobAccepted)
		j := w.records.job("100")
		w.want(w.portal.count("login", "") == 2, "logged in %d times", w.portal.count("login", ""))
		looks := w.portal.times("look")
		w.want(j.SeenAt.Sub(looks[len(looks)-2]) < 100*time.Millisecond, "it waited")
		w.want(len(w.records.told(app.EventBoardProblem)) == 0, "an expired session is no problem")
	})
}

func TestWrongCredentialsAreTriedTwiceAndThenWaitForTheUser(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.wrong = true
		s := w.start()
		w.until("error", func() bool { return w.bot.Status().Session.Status == app.SessionError })
		w.pass(10 * time.Minute)
		w.want(w.portal.count("login", "") == 2, "tried %d times", w.portal.count("login", ""))
		status := w.bot.Status()
		w.want(status.Session.LoginStatus == app.LoginFailed && strings.Contains(status.LastError, "ATOZ_PASSWORD") && !status.Running(), "the status is %+v", status)
		w.want(status.Page == app.PageLoggedOut, "the page is %q", status.Page)
		w.want(w.records.session(s.ID).Status == app.SessionError && w.records.session(s.ID).LoginStatus == app.LoginFailed, "stored is %+v", w.records.session(s.ID))
		w.want(len(w.records.told(app.EventLoginFailed)) == 2 && len(w.records.told(app.EventBotError)) == 1, "told %d and %d times", len(w.records.told(app.EventLoginFailed)), len(w.records.told(app.EventBotError)))

		w.portal.set(func() { w.portal.wrong = false })
		next := w.start()
		w.until("running", func() bool { return w.bot.Status().Session.LoginStatus == app.LoginSuccess })
		w.want(next.ID != s.ID, "the old session goes on")
	})
}

func TestCredentialsThatWereRefusedAreNotTriedAgainByARestart(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.wrong = true
		w.start()
		w.until("error", func() bool { return w.bot.Status().Session.Status == app.SessionError })
		for range 3 {
			w.crash()
			w.want(w.bot.ResumeOrClose(w.t.Context(), true) == nil, "it does not start")
			w.pass(time.Minute)
			status := w.bot.Status()
			w.want(status.Session.Status == app.SessionError && status.Session.LoginStatus == app.LoginFailed, "after a restart the status is %+v", status)
			w.want(strings.Contains(status.LastError, "ATOZ_PASSWORD") && status.Page == app.PageLoggedOut, "it does not tell why: %+v", status)
		}
		w.want(w.portal.count("login", "") == 0, "tried %d times more", w.portal.count("login", ""))

		w.start()
		w.until("error", func() bool { return w.bot.Status().Session.Status == app.SessionError })
		w.want(w.portal.count("login", "") == 2, "tried %d times for the user who started it", w.portal.count("login", ""))
		w.portal.set(func() { w.portal.wrong = false })
		w.start()
		w.until("running", func() bool { return w.bot.Status().Page == app.PageEmptyBoard })
		w.want(w.memory.refused == 0, "it still remembers %d refusals", w.memory.refused)
	})
}

func TestRetryAfterIsObeyedOverRestarts(t *testing.T) {
	inWorld(t, func(w *world) {
		w.start()
		w.pass(5 * time.Second)
		w.portal.set(func() {
			w.portal.faults = func(string, string) *fault {
				return &fault{instead: &app.PageError{Class: app.PageUnavailable, Status: 429, RetryAfter: time.Minute, Sent: true, Reason: "the portal answered 429"}}
			}
		})
		w.pass(2 * time.Second)
		w.crash()
		w.portal.set(func() { w.portal.faults = nil })
		w.want(w.bot.ResumeOrClose(w.t.Context(), true) == nil, "it does not resume")
		w.pass(50 * time.Second)
		w.want(w.portal.total() == 0, "asked %d times before the portal wanted to be asked", w.portal.total())
		w.until("it looks again", func() bool { return w.portal.count("look", "") > 0 })
	})
}

func TestACrashBetweenTwoTriesLeavesOne(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.wrong = true
		w.memory.refused = 1
		w.want(w.bot.ResumeOrClose(w.t.Context(), true) == nil, "it does not start")
		w.until("error", func() bool { return w.bot.Status().Session.Status == app.SessionError })
		w.pass(time.Minute)
		w.want(w.portal.count("login", "") == 1, "tried %d times more", w.portal.count("login", ""))
	})
}

func TestABoardThatSaysLoggedOutAfterEachLogInMeansWrongCredentials(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.faults = func(kind, _ string) *fault {
			if kind == "look" {
				return &fault{instead: loggedOut()}
			}
			return nil
		}
		w.start()
		w.until("error", func() bool { return w.bot.Status().Session.Status == app.SessionError })
		w.pass(10 * time.Minute)
		w.want(w.portal.count("login", "") == 2, "tried %d times", w.portal.count("login", ""))
	})
}

func TestWhereTheCredentialsHaveBeenRightItIsTroubleOfThePortal(t *testing.T) {
	inWorld(t, func(w *world) {
		w.start()
		w.pass(5 * time.Second)
		w.portal.set(func() {
			w.portal.faults = func(kind, _ string) *fault {
				if kind == "look" {
					return &fault{instead: loggedOut()}
				}
				return nil
			}
		})
		w.pass(5 * time.Minute)
		status := w.bot.Status()
		w.want(status.Running(), "it gave up: %+v", status)
		w.want(status.Page == app.PageLoggedOut && status.LastError != "", "it does not tell: %+v", status)
		w.want(w.portal.count("login", "") < 60, "it hammers: %d log-ins", w.portal.count("login", ""))
		w.portal.set(func() { w.portal.faults = nil })
		took := w.until("looking", func() bool { return w.bot.Status().LastError == "" })
		w.want(took < 11*time.Second, "it took %s", took)
	})
}

func TestAPortalThatIsAwayAtTheLogInIsNoWrongPassword(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.faults = func(kind, _ string) *fault {
			if kind == "login" {
				return &fault{instead: unavailable(502)}
			}
			return nil
		}
		w.start()
		w.pass(5 * time.Minute)
		w.want(w.bot.Status().Running(), "it gave up: %+v", w.bot.Status())
		w.want(w.portal.count("login", "") < 60, "it hammers: %d log-ins", w.portal.count("login", ""))
		w.portal.set(func() { w.portal.faults = nil })
		took := w.until("logged in", func() bool { return w.bot.Status().Session.LoginStatus == app.LoginSuccess })
		w.want(took < 11*time.Second, "it took %s", took)
	})
}

func TestAPortalThatLogsOutAllTheTimeIsNotHammered(t *testing.T) {
	inWorld(t, func(w *world) {
		w.records.config.CheckIntervalSeconds = 0.2
		odd := false
		w.portal.faults = func(kind, _ string) *fault {
			if kind == "look" {
				odd = !odd
				if odd {
					w.portal.loggedIn = false
				}
			}
			return nil
		}
		w.start()
		w.pass(5 * time.Minute)
		w.want(w.portal.count("login", "") <= 201, "%d log-ins in 5 minutes", w.portal.count("login", ""))
		w.want(w.bot.Status().Running(), "it gave up")
	})
}

func TestAChallengeStopsEverythingUntilAPersonComes(t *testing.T) {
	for _, kind := range []string{"login", "look", "details", "accept"} {
		for _, how := range []string{"rearm", "start"} {
			t.Run(kind+", "+how, func(t *testing.T) {
				inWorld(t, func(w *world) {
					w.portal.faults = func(k, _ string) *fault {
						if k == kind {
							return &fault{instead: challenge()}
						}
						return nil
					}
					w.portal.add(telephone("100"))
					s := w.start()
					w.until("error", func() bool { return w.bot.Status().Session.Status == app.SessionError })
					calls := w.portal.total()
					w.pass(10 * time.Minute)
					w.want(w.portal.total() == calls, "it asks on")
					w.want(w.bot.Status().Breaker.ByUser && w.bot.Status().LastError != "", "the status is %+v", w.bot.Status())
					w.want(w.bot.Status().Page == app.PageChallenge, "the page is %q", w.bot.Status().Page)
					w.want(len(w.records.told(app.EventBreakerTrip)) == 1 && len(w.records.told(app.EventBotError)) == 1, "not told")
					w.portal.set(func() { w.portal.faults = nil })
					if how == "rearm" {
						w.want(w.bot.Rearm(w.t.Context()) == nil, "it does not rearm")
					} else {
						w.want(w.start().ID != s.ID, "the old session goes on")
					}
					w.status("100", app.JobAccepted)
				})
			})
		}
	}
}

func TestADetailsPageThatHangsKeepsNothingElseWaitingForLong(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.faults = func(kind, number string) *fault {
			if kind == "details" && number == "100" {
				return &fault{instead: timedOut(), delay: 5 * time.Second}
			}
			return nil
		}
		w.portal.add(telephone("100"), telephone("101").at("2000-02-02", "10:00"))
		w.start()
		w.status("101", app.JobAccepted)
		w.pass(time.Minute)
		w.want(w.portal.count("details", "100") < 12, "asked %d times", w.portal.count("details", "100"))
		w.want(strings.Contains(w.records.job("100").RejectionReason, "details"), "the reason is %q", w.records.job("100").RejectionReason)
		w.portal.set(func() { w.portal.faults = nil })
		w.status("100", app.JobAccepted)
	})
}

func TestDetailsAreReadOnceAndAgainWhenTheRowChanges(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.add(telephone("100").of("Video"), telephone("101").of("Video"))
		w.start()
		w.pass(2 * time.Minute)
		w.want(w.portal.count("details", "") == 2, "asked %d times", w.portal.count("details", ""))
		w.portal.set(func() { w.portal.job("100").time, w.portal.job("100").kind = "12:00", "Telephone interpreting" })
		w.status("100", app.JobAccepted)
		w.want(w.portal.count("details", "101") == 1, "the other was asked for again")
	})
}

func TestDetailsAreNotAskedForWhereTheRulesNeedNone(t *testing.T) {
	inWorld(t, func(w *world) {
		w.records.config.Languages = []string{"French"}
		w.portal.add(telephone("100"))
		w.start()
		w.pass(10 * time.Second)
		w.want(w.portal.count("details", "") == 0, "asked %d times", w.portal.count("details", ""))
	})
}

func TestDetailsAreAskedForTogetherWhereTheUserAllowsIt(t *testing.T) {
	inWorld(t, func(w *world) {
		w.records.config.ParallelDetails = 3
		w.records.config.MaxAcceptPerRun = 20
		w.portal.latency = 100 * time.Millisecond
		for _, n := range []string{"1", "2", "3", "4", "5", "6"} {
			w.portal.add(telephone("10"+n).at("2000-02-0"+n, "10:00"))
		}
		w.start()
		w.status("106", app.JobAccepted)
		w.want(w.portal.most == 3, "%d requests at once", w.portal.most)
		w.want(w.portal.count("details", "") == 6, "asked %d times", w.portal.count("details", ""))
	})
}

func TestAnUnchangedBoardCostsNoThought(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.add(telephone("100").of("Video"))
		w.start()
		w.pass(time.Minute)
		w.want(len(w.records.decided) == 1, "%d decisions stored", len(w.records.decided))
		w.want(len(w.records.told(app.EventJobLeft)) == 1, "left was told %d times", len(w.records.told(app.EventJobLeft)))
		w.want(w.bot.Stop(w.t.Context()) == nil, "no stop")
		w.want(w.records.job("100").Sightings > 50, "%d sightings", w.records.job("100").Sightings)
	})
}

func TestRowsNeverSeenAsMatchedAreNotRecorded(t *testing.T) {
	inWorld(t, func(w *world) {
		taken := telephone("100")
		taken.status = "Filled"
		mine := telephone("101")
		mine.status = "Accepted"
		w.portal.add(taken, mine)
		w.start()
		w.pass(5 * time.Second)
		w.want(len(w.records.jobs) == 0, "recorded: %v", w.records.jobs)
	})
}

func TestAJobThatIsOursWithoutUsKeepsItsTimeBusy(t *testing.T) {
	inWorld(t, func(w *world) {
		mine := telephone("100")
		mine.status = "Accepted"
		w.portal.add(mine, telephone("101"))
		w.start()
		w.until("left", func() bool { return w.records.job("101").Rule == "overlap" })
		w.want(w.portal.count("accept", "") == 0, "posted")
	})
}

func TestAJobSeenAgainIsOneRecord(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.add(telephone("100").of("Video"))
		w.start()
		w.pass(3 * time.Second)
		first := w.records.job("100")
		w.portal.set(func() { w.portal.job("100").offBoard = true })
		w.until("gone", func() bool { return !w.records.job("100").GoneAt.IsZero() })
		w.want(w.records.job("100").Status == app.JobMatched, "it is %s", w.records.job("100").Status)
		w.pass(time.Hour) // Long enough to be forgotten.
		w.portal.set(func() { w.portal.job("100").offBoard = false })
		w.until("back", func() bool { return w.records.job("100").GoneAt.IsZero() })
		again := w.records.job("100")
		w.want(again.ID == first.ID && again.SeenAt.Equal(first.SeenAt), "it is another record: %+v, %+v", first, again)
		w.want(len(w.records.told(app.EventJobSeen)) == 1, "seen was told %d times", len(w.records.told(app.EventJobSeen)))
	})
}

func TestAJobGoneFromAnIncompleteBoardIsNotGone(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.add(telephone("100").of("Video"), telephone("101").of("Video"))
		w.start()
		w.pass(3 * time.Second)
		w.portal.set(func() { w.portal.partial, w.portal.job("100").offBoard = true, true })
		w.pass(10 * time.Second)
		w.want(w.records.job("100").GoneAt.IsZero(), "it is noted as gone")
	})
}

func TestAJobGoneBeforeItCouldBeAcceptedSaysSo(t *testing.T) {
	inWorld(t, func(w *world) {
		w.records.claimFails = errAway
		w.portal.add(telephone("100"))
		w.start()
		w.until("decided", func() bool { return w.records.job("100").Verdict == app.VerdictAccept })
		w.portal.remove("100")
		w.until("gone", func() bool { return !w.records.job("100").GoneAt.IsZero() })
		j := w.records.job("100")
		w.want(j.Status == app.JobMatched && strings.Contains(j.RejectionReason, "gone before"), "it is %+v", j)
	})
}

func TestOneNumberShownTwiceUnlikeIsNotTaken(t *testing.T) {
	inWorld(t, func(w *world) {
		twin := telephone("100").at("2000-02-03", "12:00")
		w.portal.add(telephone("100"), twin)
		w.start()
		w.pass(5 * time.Second)
		w.want(w.portal.count("accept", "") == 0, "posted")
		j := w.records.job("100")
		w.want(j.NeedsUser != "" && len(w.records.told(app.EventJobAsk)) == 1, "the user is told %d times, and sees %+v", len(w.records.told(app.EventJobAsk)), j)
		w.portal.set(func() { w.portal.jobs = w.portal.jobs[:1] })
		w.status("100", app.JobAccepted)
	})
}

func TestManyPagesThatHangDoNotHoldUpAJobThatComesLater(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.faults = func(kind, number string) *fault {
			if kind == "details" && strings.HasPrefix(number, "1") {
				return &fault{instead: timedOut(), delay: 5 * time.Second}
			}
			return nil
		}
		for _, n := range []string{"0", "1", "2", "3", "4", "5", "6", "7"} {
			w.portal.add(telephone("10" + n))
		}
		w.start()
		w.pass(2 * time.Minute)
		w.portal.add(telephone("200"))
		took := w.until("accepted", func() bool { return w.records.job("200").Status == app.JobAccepted })
		w.want(took < 12*time.Second, "it took %s", took)
	})
}

func TestAJobThatIsOfferedAgainHasItsPageReadAgain(t *testing.T) {
	inWorld(t, func(w *world) {
		w.portal.add(telephone("100").of("Video"))
		w.start()
		w.pass(3 * time.Second)
		w.portal.set(func() { w.portal.job("100").offBoard = true })
		w.pass(3 * time.Second)
		w.portal.set(func() { w.portal.job("100").offBoard, w.portal.job("100").kind = false, "Telephone interpreting" })
		w.status("100", app.JobAccepted)
	})
}

func TestASecondSessionInOneProcessIsLoggedInAlready(t *testing.T) {
	inWorld(t, func(w *world) {
		w.start()
		w.pass(2 * time.Second)
		w.want(w.bot.Stop(w.t.Context()) == nil, "no stop")
		w.start()
		w.until("logged in", func() bool { return w.bot.Status().Session.LoginStatus == app.LoginSuccess })
		w.want(w.portal.count("login", "") == 1, "logged in %d times", w.portal.count("login", ""))
		w.want(len(w.records.told(app.EventLoginSuccess)) == 2, "told %d times", len(w.records.told(app.EventLoginSuccess)))
	})
}
