package practice_test

import (
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"github.com/atozbot/atozbot/app/portal/practice"
)

// demo is a demo under a clock of its own, and a browser that is logged in to it.
func demo(t *testing.T) (*practice.Portal, *browser, *clock) {
	t.Helper()
	c := &clock{now: time.Date(2026, 11, 22, 21, 30, 0, 0, time.UTC)}
	p := practice.New(practice.Demo(c.Now()), practice.Options{Now: c.Now, Wait: c.Wait})
	b := serveHandler(t, p)
	b.logIn()
	return p, b, c
}

func TestTheDemoShowsAFittingJobAtOnce(t *testing.T) {
	p, b, _ := demo(t)
	board := b.get("/interpreter-jobs")
	first := board.rows().Eq(0)
	number, _, _ := strings.Cut(cells(first)[0], "/")
	after := b.submit(board, "form[action='/interpreter-jobs/"+number+"/matched']")
	if p.Counts().Accepted != 1 || cells(after.rows().Eq(0))[6] != "Accepted" {
		t.Errorf("the first row could not be accepted: %q", cells(first))
	}
}

func TestTheDemoGoesOnInBoundedMemory(t *testing.T) {
	p, _, c := demo(t)
	for range 500 { // More than a day, with nobody there.
		_ = c.Wait(t.Context(), 200*time.Second)
		p.Counts()
	}
	truth := p.Truth()
	if len(truth.Jobs) > 3001 || truth.Counts.Listed < 20000 || truth.Counts.Matched > 50 {
		t.Errorf("%d jobs are kept, %+v", len(truth.Jobs), truth.Counts)
	}
}

func TestTheDemoKeepsAcceptingAndLosing(t *testing.T) {
	p, b, c := demo(t)
	for range 400 { // Half an hour.
		_ = c.Wait(t.Context(), 4500*time.Millisecond)
		board := b.get("/interpreter-jobs")
		if board.path == "/login" {
			b.logIn()
			board = b.get("/interpreter-jobs")
		}
		if n := board.rows().Length(); n > 50 {
			t.Fatalf("%d rows on a page", n)
		}
		board.rows().EachWithBreak(func(_ int, row *goquery.Selection) bool {
			text := cells(row)
			number, _, _ := strings.Cut(text[0], "/")
			j, ok := p.JobTruth(parse(t, number))
			if ok && j.State == "matched" && j.Expect == practice.ExpectAccept {
				b.submit(board, "form[action='/interpreter-jobs/"+number+"/matched']")
				return false
			}
			return true
		})
	}
	truth := p.Truth()
	held, overlaps := len(truth.HeldBy(practice.DefaultEmail)), len(truth.Overlaps(practice.DefaultEmail))
	if held < 100 || truth.Counts.Lost < 5 || truth.Counts.Taken < 40 || truth.Counts.Expired == 0 {
		t.Errorf("%d are held, %+v", held, truth.Counts)
	}
	if overlaps == 0 || overlaps > held/4 {
		t.Errorf("%d of %d overlap", overlaps, held)
	}
	wantNothingWrong(t, p)
}

func TestTheDemosAppointmentsAreInTheDaysToCome(t *testing.T) {
	p, b, c := demo(t)
	for range 100 {
		_ = c.Wait(t.Context(), 4500*time.Millisecond)
		b.get("/dashboard")
	}
	kinds := map[practice.Kind]int{}
	for _, j := range p.Truth().Jobs {
		kinds[j.Kind]++
		london := j.Starts.In(time.UTC) // In November the same.
		if in := j.Starts.Sub(j.ListedAt); in < time.Hour || in > 15*24*time.Hour {
			t.Errorf("job %d starts %v after its listing", j.Number, in)
		}
		if j.Kind == practice.KindTelephone && (london.Hour() < 8 || j.Ends().Sub(london.Truncate(24*time.Hour)) > 20*time.Hour) {
			t.Errorf("job %d is from %v to %v", j.Number, london, j.Ends())
		}
	}
	for _, kind := range []practice.Kind{practice.KindTelephone, practice.KindFaceToFace, practice.KindVideo} {
		if kinds[kind] < 3 {
			t.Errorf("of about 100 jobs only %d are %s", kinds[kind], kind)
		}
	}
}

func TestALaterDemoHasOtherJobNumbers(t *testing.T) {
	begin := time.Date(2026, 11, 22, 21, 30, 0, 0, time.UTC)
	c := &clock{now: begin}
	p := practice.New(practice.Demo(begin), practice.Options{Now: c.Now, Wait: c.Wait})
	p.Counts() // It begins.
	for _, after := range []time.Duration{2 * time.Second, time.Minute, time.Hour} {
		_ = c.Wait(t.Context(), after-c.Now().Sub(begin))
		var last int64
		for _, j := range p.Truth().Jobs {
			last = max(last, j.Number)
		}
		if first := practice.Demo(c.Now()).FirstNumber; first <= last {
			t.Errorf("a demo begun after %v has number %d, which one before it had given (up to %d)", after, first, last)
		}
	}
}
