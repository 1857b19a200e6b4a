package practice_test

import (
	"testing"
	"time"

	"github.com/atozbot/atozbot/app/portal/practice"
)

func TestAJobIsAcceptedFromTheBoard(t *testing.T) {
	p, b := serve(t, practice.Scenario{Jobs: []practice.Job{{Number: 48213, StartsIn: 48 * time.Hour}}})

	if in := b.logIn(); in.Find(".dashboard").Length() != 1 || in.Find(".header__name").Text() != "Alex Morgan" {
		t.Fatalf("the log-in led to %s:\n%s", in.path, in.body)
	}
	board := b.get("/interpreter-jobs")
	row := board.rows()
	if row.Length() != 1 {
		t.Fatalf("%d jobs on the board:\n%s", row.Length(), board.body)
	}
	if got := cells(row); got[0] != "48213/A" || got[5] != "Polish" || got[6] != "Matched" || got[4] != "30 mins" {
		t.Errorf("the row says %q", got)
	}
	after := b.submit(board, "form[action='/interpreter-jobs/48213/matched']")
	if got := cells(after.rows())[6]; got != "Accepted" || after.path != "/interpreter-jobs" {
		t.Errorf("after the POST, %s says %q", after.path, got)
	}
	j, ok := p.JobTruth(48213)
	if !ok || j.State != "accepted" || j.Holder != practice.DefaultEmail || len(j.Acts) != 1 || !j.Acts[0].Committed {
		t.Errorf("the truth is %+v", j)
	}
	if c := p.Counts(); c.Accepted != 1 || c.AcceptPosts != 1 || c.WrongActs != 0 {
		t.Errorf("the counts are %+v", c)
	}
}

func TestAJobIsRejectedFromItsDetails(t *testing.T) {
	p, b := serve(t, practice.Scenario{Jobs: []practice.Job{{Number: 7, Type: practice.TypeFaceToFace}}})
	b.logIn()
	details := b.get("/interpreter-jobs/7")
	if got := details.Find("table.table--detail").Text(); details.status != 200 || got == "" {
		t.Fatalf("the details answered %d:\n%s", details.status, details.body)
	}
	after := b.submit(details, "form[action*='matched/reject']")
	if after.rows().Length() != 0 || after.Find("td[colspan]").Text() != "There are no interpreter jobs" {
		t.Errorf("after the rejection the board says\n%s", after.body)
	}
	if again := b.get("/interpreter-jobs/7"); again.Find("form[action*='matched/reject']").Length() != 0 {
		t.Error("a rejected job can be rejected again")
	}
	if c := p.Counts(); c.Rejected != 1 || c.WrongActs != 0 {
		t.Errorf("the counts are %+v", c)
	}
}
