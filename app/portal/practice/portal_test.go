package practice_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/atozbot/atozbot/app/portal/practice"
)

// inTwoDays is an appointment that is not at short notice.
const inTwoDays = 48 * time.Hour

const acceptForm = "form[action='/interpreter-jobs/7/matched']"

// oneJob is a scenario of one job, number 7, changed as wanted.
func oneJob(change ...func(*practice.Scenario)) practice.Scenario {
	s := practice.Scenario{Jobs: []practice.Job{{Number: 7, StartsIn: inTwoDays, RivalAfter: -1}}}
	for _, c := range change {
		c(&s)
	}
	return s
}

// truthOf gives a job's truth, and fails where there is no such job.
func truthOf(t *testing.T, p *practice.Portal, number int64) practice.JobTruth {
	t.Helper()
	j, ok := p.JobTruth(number)
	if !ok {
		t.Fatalf("the portal knows no job %d", number)
	}
	return j
}

// wantNothingWrong fails where the portal saw a wrong act.
func wantNothingWrong(t *testing.T, p *practice.Portal) {
	t.Helper()
	if truth := p.Truth(); len(truth.Wrong) != 0 {
		t.Errorf("wrong acts: %+v", truth.Wrong)
	}
}

// wantWrong fails where the portal did not see exactly this wrong act.
func wantWrong(t *testing.T, p *practice.Portal, what practice.Wrong) {
	t.Helper()
	if truth := p.Truth(); len(truth.Wrong) != 1 || truth.Wrong[0].What != what {
		t.Errorf("wrong acts: %+v, want one %q", truth.Wrong, what)
	}
}

func TestAJobIsAcceptedFromTheBoard(t *testing.T) {
	p, b := serve(t, oneJob())
	if in := b.logIn(); in.Find(".dashboard").Length() != 1 || in.Find(".header__name").Text() != "Alex Morgan" {
		t.Fatalf("the log-in led to %s:\n%s", in.path, in.body)
	}
	board := b.get("/interpreter-jobs")
	row := board.rows()
	if row.Length() != 1 {
		t.Fatalf("%d jobs on the board:\n%s", row.Length(), board.body)
	}
	if got := cells(row); got[0] != "7/A" || got[5] != "Polish" || got[6] != "Matched" || got[4] != "30 mins" {
		t.Errorf("the row says %q", got)
	}
	after := b.submit(board, acceptForm)
	if got := cells(after.rows())[6]; got != "Accepted" || after.path != "/interpreter-jobs" {
		t.Errorf("after the POST, %s says %q", after.path, got)
	}
	j := truthOf(t, p, 7)
	if j.State != "accepted" || j.Holder != practice.DefaultEmail || len(j.Acts) != 1 || !j.Acts[0].Committed {
		t.Errorf("the truth is %+v", j)
	}
	if j.Acts[0].Fields["_token"] != "…" || j.Acts[0].Fields["lock_version"] == "" || j.Reaction() <= 0 {
		t.Errorf("the act is %+v, %v after listing", j.Acts[0], j.Reaction())
	}
	if c := p.Counts(); c.Accepted != 1 || c.AcceptPosts != 1 || c.Looks != 2 || c.LogIns != 1 {
		t.Errorf("the counts are %+v", c)
	}
	wantNothingWrong(t, p)
}

func TestAJobIsRejectedFromItsDetails(t *testing.T) {
	p, b := serve(t, oneJob(func(s *practice.Scenario) { s.Jobs[0].Type = practice.TypeFaceToFace }))
	b.logIn()
	details := b.get("/interpreter-jobs/7")
	if details.status != http.StatusOK || !strings.Contains(details.Find("table.table--detail").Text(), practice.TypeFaceToFace) {
		t.Fatalf("the details answered %d:\n%s", details.status, details.body)
	}
	after := b.submit(details, "form[action*='matched/reject']:has(.btn--reject)")
	if after.rows().Length() != 0 || after.Find("td[colspan]").Text() != "There are no interpreter jobs" {
		t.Errorf("after the rejection the board says\n%s", after.body)
	}
	if again := b.get("/interpreter-jobs/7"); again.Find("form[action*='matched/reject']").Length() != 0 {
		t.Error("a rejected job can be rejected again")
	}
	j := truthOf(t, p, 7)
	if len(j.Rejected) != 1 || j.Details != 2 || j.State != "matched" {
		t.Errorf("the truth is %+v", j)
	}
	wantNothingWrong(t, p)
}

func TestTheOlderDetailsLayoutHasTheValueInTheNextElement(t *testing.T) {
	_, b := serve(t, oneJob(func(s *practice.Scenario) { s.Look.OldDetails = "all" }))
	b.logIn()
	details := b.get("/interpreter-jobs/7")
	label := details.Find(".job__detail:contains('Interpreter details')")
	if got := label.Next().Text(); got != practice.TypeTelephone || details.Find(".table--detail").Length() != 0 {
		t.Errorf("the type is %q:\n%s", got, details.body)
	}
}

func TestWithinTwentyFourHoursTheQuestionIsPut(t *testing.T) {
	for _, from := range []string{"page", "redirect"} {
		t.Run(from, func(t *testing.T) {
			p, b := serve(t, oneJob(func(s *practice.Scenario) {
				s.Jobs[0].StartsIn = 5 * time.Hour
				s.Board.DialogFrom = from
			}))
			b.logIn()
			asked := b.submit(b.get("/interpreter-jobs"), acceptForm)
			if asked.Find("[id='24HourModal'] form #continueButton").Length() != 1 {
				t.Fatalf("no question on %s:\n%s", asked.path, asked.body)
			}
			if j := truthOf(t, p, 7); j.State != "matched" || j.Acts[0].Result != practice.ResultAsked || j.Acts[0].Committed {
				t.Errorf("before the answer the truth is %+v", j)
			}
			b.submit(asked, "[id='24HourModal'] form")
			if j := truthOf(t, p, 7); j.State != "accepted" || len(j.Acts) != 2 || !j.Acts[1].Committed {
				t.Errorf("after the answer the truth is %+v", j)
			}
			wantNothingWrong(t, p)
		})
	}
}

func TestAnAnswerToAQuestionThatWasNotPutIsWrong(t *testing.T) {
	p, b := serve(t, oneJob())
	b.logIn()
	action, fields := b.form(b.get("/interpreter-jobs"), acceptForm)
	fields.Set("short_notice", "1")
	b.post(action, fields)
	wantWrong(t, p, practice.WrongUnasked)
}

func TestTheCancelDialogIsNotToBeSubmitted(t *testing.T) {
	p, b := serve(t, oneJob(func(s *practice.Scenario) { s.Jobs[0].CancelDialog = true }))
	b.logIn()
	asked := b.submit(b.get("/interpreter-jobs"), acceptForm)
	if asked.Find("#cancelModal form").Length() != 1 || truthOf(t, p, 7).State != "matched" {
		t.Fatalf("no dialog:\n%s", asked.body)
	}
	wantNothingWrong(t, p)
	b.submit(asked, "#cancelModal form")
	wantWrong(t, p, practice.WrongCancel)
}

func TestARefusalCanBeSaidOnTheBoard(t *testing.T) {
	p, b := serve(t, oneJob(func(s *practice.Scenario) { s.Jobs[0].Refusal, s.Board.Refused = "You have reached a limit.", "board" }))
	b.logIn()
	said := b.submit(b.get("/interpreter-jobs"), acceptForm)
	if said.path != "/interpreter-jobs" || !strings.Contains(said.Find(".alert--error").Text(), "reached a limit") || cells(said.rows())[6] != "Matched" {
		t.Errorf("the refusal is at %s\n%s", said.path, said.body)
	}
	wantNothingWrong(t, p)
}

func TestARefusalLeavesTheJobFree(t *testing.T) {
	p, b := serve(t, oneJob(func(s *practice.Scenario) { s.Jobs[0].Refusal = "You have reached a limit." }))
	b.logIn()
	said := b.submit(b.get("/interpreter-jobs"), acceptForm)
	if said.status != http.StatusOK || !strings.Contains(said.body, "cannot accept this job. You have reached a limit.") {
		t.Errorf("the refusal is %d\n%s", said.status, said.body)
	}
	if j := truthOf(t, p, 7); j.State != "matched" || j.Acts[0].Result != practice.ResultRefused {
		t.Errorf("the truth is %+v", j)
	}
	wantNothingWrong(t, p)
}

func TestAJobThatARivalTookIsGone(t *testing.T) {
	for _, way := range []struct {
		gone   string
		status int
		path   string
		says   string
	}{
		{"page", http.StatusOK, "/interpreter-jobs/7", "no longer available"},
		{"404", http.StatusNotFound, "/interpreter-jobs/7", "no longer available"},
		{"410", http.StatusGone, "/interpreter-jobs/7", "no longer available"},
		{"details", http.StatusOK, "/interpreter-jobs/7", "Filled"},
		{"board", http.StatusOK, "/interpreter-jobs", "no longer available"},
	} {
		t.Run(way.gone, func(t *testing.T) {
			p, b := serve(t, oneJob(func(s *practice.Scenario) { s.Board.Gone = way.gone }))
			b.logIn()
			action, fields := b.form(b.get("/interpreter-jobs"), acceptForm)
			if !p.Take(7) || p.Take(7) {
				t.Fatal("the rival could not take the job, or took it twice")
			}
			if gone := b.get("/interpreter-jobs/7"); gone.status != way.status || gone.path != way.path || !strings.Contains(gone.body, way.says) {
				t.Errorf("%d at %s:\n%s", gone.status, gone.path, gone.body)
			}
			b.post(action, fields)
			j := truthOf(t, p, 7)
			if j.State != "taken" || j.Holder != practice.Rival || j.Acts[0].Result != practice.ResultGone {
				t.Errorf("the truth is %+v", j)
			}
			if p.Counts().Lost != 1 {
				t.Error("the race was not counted as lost")
			}
			// The details had shown it: the POST after them was wrong.
			wantWrong(t, p, practice.WrongNotFree)
		})
	}
}

func TestWhatAFaultHasHiddenWasNotSeen(t *testing.T) {
	p, b := serve(t, oneJob(func(s *practice.Scenario) {
		s.Faults = []practice.Fault{{Kind: practice.FaultErrorAfter, Page: practice.PageDetails}}
	}))
	b.logIn()
	action, fields := b.form(b.get("/interpreter-jobs"), acceptForm)
	p.Take(7)
	if failed := b.get("/interpreter-jobs/7"); failed.status != http.StatusInternalServerError {
		t.Fatalf("the answer is %d", failed.status)
	}
	b.post(action, fields)
	wantNothingWrong(t, p)
}

func TestOnlyAllPagesOfABoardHaveShownEveryJob(t *testing.T) {
	for _, all := range []bool{false, true} {
		p, b := serve(t, oneJob(func(s *practice.Scenario) {
			s.Board.PageSize = 1
			s.Jobs = append(s.Jobs, practice.Job{Number: 8, RivalAfter: -1}, practice.Job{Number: 9, RivalAfter: -1})
		}))
		b.logIn()
		action, fields := b.form(b.get("/interpreter-jobs?page=3"), acceptForm)
		p.Take(7)
		b.get("/interpreter-jobs")
		if all {
			b.get("/interpreter-jobs?page=2")
		}
		b.post(action, fields)
		if all {
			wantWrong(t, p, practice.WrongNotFree)
		} else {
			wantNothingWrong(t, p)
		}
	}
}

func TestALostRaceIsNoWrongAct(t *testing.T) {
	p, b := serve(t, oneJob(func(s *practice.Scenario) { s.Jobs[0].RivalFirst = true }))
	b.logIn()
	gone := b.submit(b.get("/interpreter-jobs"), acceptForm)
	if gone.status != http.StatusOK || gone.Find("h1").Text() != "Job no longer available" {
		t.Errorf("the answer is %d\n%s", gone.status, gone.body)
	}
	if j := truthOf(t, p, 7); j.State != "taken" || p.Counts().Lost != 1 {
		t.Errorf("the truth is %+v", j)
	}
	wantNothingWrong(t, p)
}

func TestATakenRowStaysForAWhileAsFilled(t *testing.T) {
	p, b := serve(t, oneJob(func(s *practice.Scenario) { s.Board.KeepTaken = time.Hour }))
	b.logIn()
	p.Take(7)
	row := b.get("/interpreter-jobs").rows()
	if row.Length() != 1 || cells(row)[6] != "Filled" || row.Find("form").Length() != 0 {
		t.Errorf("the row says %q", cells(row))
	}
}

func TestAcceptingTwiceIsWrong(t *testing.T) {
	p, b := serve(t, oneJob())
	b.logIn()
	action, fields := b.form(b.get("/interpreter-jobs"), acceptForm)
	b.post(action, fields)
	again := b.post(action, fields)
	if !strings.Contains(again.Find(".alert--error").Text(), "already") {
		t.Errorf("the second POST was answered\n%s", again.body)
	}
	wantWrong(t, p, practice.WrongTwice)
}

func TestAJobWithAnotherStatusCannotBeAccepted(t *testing.T) {
	p, b := serve(t, oneJob(func(s *practice.Scenario) { s.Jobs[0].Status = "Unmatched" }))
	b.logIn()
	board := b.get("/interpreter-jobs")
	if board.rows().Find("form").Length() != 0 || cells(board.rows())[6] != "Unmatched" {
		t.Errorf("the row is %s", board.body)
	}
	details := b.get("/interpreter-jobs/7")
	if details.Find("form[action*=matched]").Length() != 0 {
		t.Error("the details offer to act")
	}
	_, fields := b.form(board, "form[action='/logout']")
	fields.Set("_method", "PUT")
	b.post("/interpreter-jobs/7/matched", fields)
	if j := truthOf(t, p, 7); j.State != "other" || j.Acts[0].Result != practice.ResultMalformed {
		t.Errorf("the truth is %+v", j)
	}
	wantWrong(t, p, practice.WrongFields)
}

func TestAFormWithoutAllOfItsFieldsIsRefused(t *testing.T) {
	for _, missing := range []string{"_method", "lock_version", "response"} {
		t.Run(missing, func(t *testing.T) {
			p, b := serve(t, oneJob(func(s *practice.Scenario) { s.Look.NamedButton = "all" }))
			b.logIn()
			action, fields := b.form(b.get("/interpreter-jobs"), acceptForm)
			fields.Del(missing)
			if said := b.post(action, fields); said.status != http.StatusUnprocessableEntity {
				t.Errorf("the answer is %d", said.status)
			}
			if truthOf(t, p, 7).State != "matched" {
				t.Error("the job was accepted")
			}
			wantWrong(t, p, practice.WrongFields)
		})
	}
}

func TestTheAcceptPageTakesPostsAlone(t *testing.T) {
	p, b := serve(t, oneJob())
	b.logIn()
	if said := b.get("/interpreter-jobs/7/matched"); said.status != http.StatusMethodNotAllowed {
		t.Errorf("the answer is %d", said.status)
	}
	wantWrong(t, p, practice.WrongMethod)
}

func TestASecondPostWithoutALookIsNoted(t *testing.T) {
	p, b := serve(t, oneJob(func(s *practice.Scenario) {
		s.Faults = []practice.Fault{{Kind: practice.FaultError, Page: practice.PageAccept, Count: 1}}
	}))
	b.logIn()
	action, fields := b.form(b.get("/interpreter-jobs"), acceptForm)
	if said := b.post(action, fields); said.status != http.StatusInternalServerError {
		t.Fatalf("the first answer is %d", said.status)
	}
	b.post(action, fields)
	wantWrong(t, p, practice.WrongBlind)
	if truthOf(t, p, 7).State != "accepted" {
		t.Error("the second POST was not taken")
	}
}

func TestAnAcceptedJobCanVanish(t *testing.T) {
	p, b := serve(t, oneJob())
	b.logIn()
	b.submit(b.get("/interpreter-jobs"), acceptForm)
	if !p.Withdraw(7) || p.Withdraw(7) {
		t.Fatal("the job could not be withdrawn, or twice")
	}
	if b.get("/interpreter-jobs").rows().Length() != 0 {
		t.Error("it is on the board still")
	}
	if gone := b.get("/interpreter-jobs/7"); !strings.Contains(gone.body, "no longer available") {
		t.Errorf("the details say\n%s", gone.body)
	}
	if c := p.Counts(); c.Accepted != 0 || c.Withdrawn != 1 {
		t.Errorf("the counts are %+v", c)
	}
}

func TestOneInterpretersBookingIsGoneForTheOther(t *testing.T) {
	s := oneJob()
	s.Accounts = []practice.Account{{Email: "a@example.org", Password: "1"}, {Email: "b@example.org", Password: "2"}}
	s.Board.Gone = "details"
	p, a := serve(t, s)
	b := newBrowser(t, a.base)
	a.logInWith("a@example.org", "1")
	b.logInWith("b@example.org", "2")
	b.submit(b.get("/interpreter-jobs/7"), "form[action*='matched/reject']")
	if b.get("/interpreter-jobs").rows().Length() != 0 || a.get("/interpreter-jobs").rows().Length() != 1 {
		t.Error("a rejection must hide the job from the one who rejected it, and from nobody else")
	}
	a.submit(a.get("/interpreter-jobs"), acceptForm)
	if truthOf(t, p, 7).Holder != "a@example.org" {
		t.Error("the other one could not accept it")
	}
	if seen := b.get("/interpreter-jobs/7").body; !strings.Contains(seen, "Filled") {
		t.Errorf("the other one reads\n%s", seen)
	}
}

func TestJobsComeAndGoByTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := practice.New(practice.Scenario{Jobs: []practice.Job{
			{Number: 1, RivalAfter: 3 * time.Second},
			{Number: 2, At: time.Second, WithdrawAfter: 5 * time.Second, RivalAfter: -1},
		}}, practice.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- p.Start(ctx) }()

		begin := time.Now()
		for _, moment := range []struct {
			after time.Duration
			want  practice.Counts
		}{
			{0, practice.Counts{Listed: 1, Matched: 1, Coming: 1}},
			{time.Second, practice.Counts{Listed: 2, Matched: 2}},
			{3 * time.Second, practice.Counts{Listed: 2, Matched: 1, Taken: 1}},
			{6 * time.Second, practice.Counts{Listed: 2, Taken: 1, Withdrawn: 1}},
		} {
			got, err := p.Until(ctx, func(c practice.Counts) bool { return c == moment.want })
			if err != nil {
				t.Fatal(err)
			}
			if at := time.Since(begin); at != moment.after {
				t.Errorf("%+v after %v, want after %v", got, at, moment.after)
			}
		}
		number := p.AddJob(practice.Job{At: 2 * time.Second})
		if number != 48213 {
			t.Errorf("the added job has number %d", number)
		}
		j, err := p.UntilJob(ctx, number, func(j practice.JobTruth) bool { return j.State == "matched" })
		if err != nil || j.ListedAt.Sub(begin) != 8*time.Second {
			t.Errorf("it was listed %v after the start: %v", j.ListedAt.Sub(begin), err)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestWaitingEndsWithItsContext(t *testing.T) {
	p := practice.New(practice.Scenario{}, practice.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Until(ctx, func(practice.Counts) bool { return false }); err == nil {
		t.Error("no error")
	}
}

func TestOldJobsAreForgottenAndBookingsLast(t *testing.T) {
	s := oneJob()
	s.Board.Remember = 20
	p, b := serve(t, s)
	b.logIn()
	b.submit(b.get("/interpreter-jobs"), acceptForm)
	for range 200 {
		p.Take(p.AddJob(practice.Job{}))
	}
	truth := p.Truth()
	if len(truth.Jobs) > 21 || truth.Counts.Listed != 201 || truth.Counts.Coming != 0 {
		t.Errorf("%d jobs are kept, %+v", len(truth.Jobs), truth.Counts)
	}
	if _, kept := truth.Job(7); !kept {
		t.Error("the booking was forgotten before jobs that are gone")
	}
}

func TestTheTruthCanBeAskedForWhatMatters(t *testing.T) {
	at := time.Now().Add(inTwoDays).Truncate(time.Minute)
	s := practice.Scenario{Jobs: []practice.Job{
		{Number: 1, Starts: at, Minutes: 60}, {Number: 2, Starts: at.Add(30 * time.Minute)}, {Number: 3, Starts: at.Add(time.Hour)},
	}}
	p, b := serve(t, s)
	b.logIn()
	for _, form := range []string{"1", "2", "3"} {
		b.submit(b.get("/interpreter-jobs"), "form[action='/interpreter-jobs/"+form+"/matched']")
	}
	truth := p.Truth()
	if held := truth.HeldBy(practice.DefaultEmail); len(held) != 3 {
		t.Errorf("%d jobs are held", len(held))
	}
	// 1 and 2 overlap; 2 ends when 3 begins, and 1 does, too.
	if pairs := truth.Overlaps(practice.DefaultEmail); len(pairs) != 1 || pairs[0][0].Number != 1 || pairs[0][1].Number != 2 {
		t.Errorf("the overlaps are %+v", pairs)
	}
	if got := truth.Mistakes(practice.DefaultEmail); len(got) != 0 {
		t.Errorf("mistakes where nothing was expected: %+v", got)
	}
	if truth.Traffic.Reaction.Count != 3 || truth.Traffic.AtOnce != 1 || truth.Traffic.Pages[practice.PageAccept] != 3 {
		t.Errorf("the traffic is %+v", truth.Traffic)
	}
	if _, known := truth.Job(99); known {
		t.Error("the truth knows a job that there never was")
	}
}

func TestWhatWasMissedAndWhatWasAMistakeIsTold(t *testing.T) {
	job := func(n int64, expect practice.Expect, day int, clock string) practice.Job {
		return practice.Job{Number: n, Expect: expect, Day: day, Clock: clock, RivalAfter: -1}
	}
	now := time.Now()
	p := practice.New(practice.Scenario{Jobs: []practice.Job{
		job(1, practice.ExpectAccept, 3, "10:00"), job(2, practice.ExpectAccept, 3, "10:15"), job(3, practice.ExpectAccept, 4, "10:00"),
		job(4, practice.ExpectLeave, 5, "10:00"), job(5, practice.ExpectAccept, 6, "10:00"), job(6, practice.ExpectAccept, 7, "10:00"),
	}}, practice.Options{Now: func() time.Time { return now }})
	b := serveHandler(t, p)
	b.logIn()
	for _, n := range []string{"1", "4"} {
		b.submit(b.get("/interpreter-jobs"), "form[action='/interpreter-jobs/"+n+"/matched']")
	}
	p.Take(5) // After no time.
	now = now.Add(10 * time.Second)
	p.Take(6)
	truth := p.Truth()
	won, missed := truth.Missed(practice.DefaultEmail, 5*time.Second)
	if won != 1 || len(missed) != 2 || missed[0].Number != 3 || missed[1].Number != 6 {
		t.Errorf("won %d, missed %+v", won, missed)
	}
	if mistakes := truth.Mistakes(practice.DefaultEmail); len(mistakes) != 1 || mistakes[0].Number != 4 {
		t.Errorf("mistakes: %+v", mistakes)
	}
}

func TestRequestsAtOnceAreCounted(t *testing.T) {
	s := oneJob()
	s.Latency = map[practice.Page]practice.Latency{practice.PageDetails: {Mean: 200 * time.Millisecond}}
	p, b := serve(t, s)
	b.logIn()
	errs := make(chan error, 3)
	for range 3 {
		go func() {
			_, err := b.try(http.MethodGet, "/interpreter-jobs/7", nil)
			errs <- err
		}()
	}
	for range 3 {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	if got := p.Truth().Traffic.AtOnce; got != 3 {
		t.Errorf("%d at once", got)
	}
}

func TestARequestThatItsClientGaveUpIsNotCountedAsAtOnce(t *testing.T) {
	s := oneJob()
	s.Faults = []practice.Fault{{Kind: practice.FaultHang, Page: practice.PageDetails}}
	p, b := serve(t, s)
	b.logIn()
	b.client.Timeout = 50 * time.Millisecond
	if _, err := b.try(http.MethodGet, "/interpreter-jobs/7", nil); err == nil {
		t.Fatal("the details came")
	}
	b.client.Timeout = 5 * time.Second
	b.get("/interpreter-jobs")
	if got := p.Truth().Traffic.AtOnce; got != 1 {
		t.Errorf("%d at once", got)
	}
}

func TestAPostDoesItsWorkThoughNobodyWaits(t *testing.T) {
	s := oneJob()
	s.Latency = map[practice.Page]practice.Latency{practice.PageAccept: {Mean: time.Minute}}
	p, b := serve(t, s)
	b.logIn()
	action, fields := b.form(b.get("/interpreter-jobs"), acceptForm)
	b.client.Timeout = 50 * time.Millisecond
	if _, err := b.try(http.MethodPost, action, fields); err == nil {
		t.Fatal("the answer came")
	}
	j, err := p.UntilJob(t.Context(), 7, func(j practice.JobTruth) bool { return j.State == "accepted" })
	if err != nil || len(j.Acts) != 1 {
		t.Errorf("the truth is %+v: %v", j, err)
	}
}

func TestUnknownPagesAreNotFound(t *testing.T) {
	_, b := serve(t, oneJob())
	b.logIn()
	for _, path := range []string{"/nothing", "/interpreter-jobs/0", "/interpreter-jobs/x", "/interpreter-jobs/99", "/interpreter-jobs/7/other", "/interpreter-jobs/7/matched/rejected"} {
		if got := b.get(path).status; got != http.StatusNotFound {
			t.Errorf("%s answers %d", path, got)
		}
	}
	if root := b.get("/"); root.path != "/dashboard" {
		t.Errorf("the root leads to %s", root.path)
	}
	if css := b.get("/assets/portal.css"); css.header.Get("Content-Type") != "text/css; charset=utf-8" {
		t.Error("the style sheet is none")
	}
	_, fields := b.form(b.get("/dashboard"), "form[action='/logout']")
	if said := b.post("/interpreter-jobs/99/matched", url.Values{"_token": fields["_token"]}); said.status != http.StatusNotFound {
		t.Errorf("a POST for a job that there never was answers %d", said.status)
	}
}
