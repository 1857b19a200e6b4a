package portal_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/portal"
	"github.com/atozbot/atozbot/app/portal/practice"
)

// practising starts a practice portal and gives a client of it.
func practising(t *testing.T, s practice.Scenario) (*practice.Portal, *portal.Client) {
	t.Helper()
	stage := practice.New(s, practice.Options{})
	server := httptest.NewServer(stage)
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	c, err := portal.New(portal.Options{
		BaseURL: server.URL + s.Prefix, JobsPath: s.Board.Path, Zone: zone, Timeout: 300 * time.Millisecond,
		Username: practice.DefaultEmail, Password: practice.DefaultPassword,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Close()
		server.CloseClientConnections()
		server.Close()
	})
	return stage, c
}

func classOf(t *testing.T, err error) app.PageClass {
	t.Helper()
	if err == nil {
		return ""
	}
	failure, ok := errors.AsType[*app.PageError](err)
	if !ok {
		t.Fatalf("%v is no page error", err)
	}
	return failure.Class
}

// looks are the ways in which the practice portal makes its pages.
func looks() map[string]practice.Look {
	return map[string]practice.Look{
		"tidy":               {},
		"messy":              practice.MessyLook(),
		"older details":      {OldDetails: "all", Dates: "british"},
		"named buttons":      {NamedButton: "all", AcceptOnDetails: true, RejectOnBoard: true, ActionQuery: true},
		"loose and hidden":   {Loose: true, Messy: true, HiddenCancel: true, CharsetInMeta: true, Charset: "windows-1252"},
		"absolute and noisy": {AbsoluteLinks: true, Noise: true, Clutter: true, Gzip: true, LoginFields: true},
	}
}

func TestEveryActOnThePracticePortalDoesWhatItShould(t *testing.T) {
	for name, look := range looks() {
		for _, rules := range []practice.BoardRules{
			{},
			{DialogFrom: "redirect", Refused: "board", PageSize: 2, Gone: "410"},
			{AfterAct: "details", Gone: "404", Refused: "board"},
			{AfterAct: "page", Gone: "board", KeepAccepted: -1, Path: "/my/interpreter-jobs"},
			{Gone: "details", KeepTaken: time.Hour},
		} {
			t.Run(fmt.Sprintf("%s, %+v", name, rules), func(t *testing.T) {
				stage, c := practising(t, practice.Scenario{
					Look: look, Board: rules,
					Jobs: []practice.Job{
						{Number: 1001, StartsIn: 50 * time.Hour},
						{Number: 1002, StartsIn: 60 * time.Hour, Type: practice.TypeFaceToFace},
						{Number: 1003, StartsIn: 3 * time.Hour, ShortNotice: practice.AskedAlways},
						{Number: 1004, StartsIn: 4 * time.Hour, ShortNotice: practice.AskedAlways},
						{Number: 1005, StartsIn: 70 * time.Hour, CancelDialog: true},
						{Number: 1006, StartsIn: 80 * time.Hour, Refusal: "It clashes with another."},
						{Number: 1007, StartsIn: 90 * time.Hour, RivalFirst: true},
						{Number: 1008, StartsIn: 99 * time.Hour, Status: "Unmatched"},
					},
				})
				if err := c.LogIn(t.Context()); err != nil {
					t.Fatal(err)
				}
				board, err := c.Look(t.Context())
				if err != nil || len(board.Jobs) != 8 || !board.Complete {
					t.Fatalf("%d jobs, complete %v, %v", len(board.Jobs), board.Complete, err)
				}
				jobs := make(map[string]app.Job)
				for _, j := range board.Jobs {
					if j.Date == "" || j.Time == "" || j.DurationMinutes != 30 || j.Language != "Polish" || j.SubmittedAt.IsZero() || j.DetailsURL == "" || (j.AcceptForm != nil) != (j.Number != "1008") {
						t.Errorf("a job was read as %+v", j)
					}
					d, err := c.Details(t.Context(), j)
					if err != nil || d.Type == "" || (d.RejectForm != nil) != (j.Number != "1008") {
						t.Errorf("its details were read as %+v, %v", d, err)
					}
					j.Details = &d
					jobs[j.Number] = j
				}

				accept := func(number string, allow bool) app.Reply {
					reply, err := c.Accept(t.Context(), jobs[number], allow)
					if err != nil {
						t.Errorf("accepting %s gave %v", number, err)
					}
					return reply
				}
				if r := accept("1001", true); r.Dialog != "" || r.Refused != "" || r.ShortNotice {
					t.Errorf("an acceptance gave %+v", r)
				}
				if r := accept("1003", true); r.Dialog != "" || !r.ShortNotice {
					t.Errorf("short notice that is allowed gave %+v", r)
				}
				if r := accept("1004", false); r.Dialog != "24HourModal" || r.ShortNotice {
					t.Errorf("short notice that is not allowed gave %+v", r)
				}
				if r := accept("1005", true); r.Dialog != "cancelModal" {
					t.Errorf("another question gave %+v", r)
				}
				if r := accept("1006", true); !strings.HasSuffix(r.Refused, "you cannot accept this job. It clashes with another.") {
					t.Errorf("a refusal gave %+v", r)
				}
				if r := accept("1007", true); r.Dialog != "" || r.Refused != "" {
					t.Errorf("a job that a rival took gave %+v", r)
				}
				if r, err := c.Reject(t.Context(), jobs["1002"]); err != nil || r.Refused != "" {
					t.Errorf("a rejection gave %+v, %v", r, err)
				}

				truth := stage.Truth()
				held := make(map[string]string)
				for _, j := range truth.Jobs {
					held[strconv.FormatInt(j.Number, 10)] = j.State
				}
				for number, want := range map[string]string{"1001": "accepted", "1003": "accepted", "1004": "matched", "1005": "matched", "1006": "matched", "1007": "taken", "1008": "other"} {
					if held[number] != want {
						t.Errorf("job %s is %s, and should be %s", number, held[number], want)
					}
				}
				if truth.Counts.Rejected != 1 || len(truth.Wrong) != 0 || truth.Counts.AcceptPosts != 7 { // One of them answers the question about short notice.
					t.Errorf("%d rejected, %d accept posts, wrong acts %+v", truth.Counts.Rejected, truth.Counts.AcceptPosts, truth.Wrong)
				}
				again, err := c.Look(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, j := range again.Jobs {
					if want := map[string]app.JobState{"1001": app.StateOurs, "1003": app.StateOurs, "1004": app.StateMatched, "1007": app.StateGone, "1008": app.StateOther}[j.Number]; want != "" && j.State != want {
						t.Errorf("job %s is shown as %s (%s), and should be %s", j.Number, j.State, j.StatusText, want)
					}
				}
				if _, err := c.Details(t.Context(), jobs["1007"]); rules.Gone != "details" && classOf(t, err) != app.PageGone {
					t.Errorf("the details of a job that is gone gave %v", err)
				}
			})
		}
	}
}

func TestEveryFaultOfThePracticePortalIsKnownForWhatItIs(t *testing.T) {
	for kind, want := range map[practice.FaultKind]app.PageClass{
		practice.FaultError:        app.PageUnavailable,
		practice.FaultReset:        app.PageUnavailable,
		practice.FaultHang:         app.PageUnavailable,
		practice.FaultRateLimited:  app.PageUnavailable,
		practice.FaultMaintenance:  app.PageUnavailable,
		practice.FaultChallenge:    app.PageChallenge,
		practice.FaultCaptcha:      app.PageChallenge,
		practice.FaultConsent:      app.PageChallenge,
		practice.FaultForeign:      app.PageUnavailable,
		practice.FaultChanged:      app.PageChanged,
		practice.FaultNoTable:      app.PageChanged,
		practice.FaultEmptyBody:    app.PageUnavailable,
		practice.FaultGarbage:      app.PageUnavailable,
		practice.FaultHuge:         app.PageUnavailable,
		practice.FaultRedirectLoop: app.PageUnavailable,
		practice.FaultOffSite:      app.PageUnavailable,
		practice.FaultLoggedOut:    app.PageLoggedOut,
		practice.FaultGuestPage:    app.PageLoggedOut,
		practice.FaultGuestBoard:   app.PageLoggedOut,
		practice.FaultSlow:         "",
		practice.FaultClose:        "",
		practice.FaultErrorAfter:   app.PageUnavailable,
		practice.FaultResetAfter:   app.PageUnavailable,
		practice.FaultHangAfter:    app.PageUnavailable,
		practice.FaultForeignAfter: app.PageUnavailable,
		practice.FaultTruncated:    app.PageUnavailable,
		practice.FaultTrickle:      "",
	} {
		for _, jobs := range []int{0, 3} {
			t.Run(fmt.Sprintf("%s on a board of %d", kind, jobs), func(t *testing.T) {
				scenario := practice.Scenario{Faults: []practice.Fault{{Kind: kind, Page: practice.PageBoard, Delay: 20 * time.Millisecond, Target: "http://elsewhere.invalid/"}}}
				if strings.HasPrefix(string(kind), "hang") {
					scenario.Faults[0].Delay = 0
				}
				for range jobs {
					scenario.Jobs = append(scenario.Jobs, practice.Job{})
				}
				_, c := practising(t, scenario)
				if err := c.LogIn(t.Context()); err != nil {
					t.Fatal(err)
				}
				board, err := c.Look(t.Context())
				if got := classOf(t, err); got != want {
					t.Errorf("it gave %q (%v), and is %q", got, err, want)
				}
				if err != nil && len(board.Jobs) != 0 {
					t.Errorf("%d jobs were read all the same", len(board.Jobs))
				}
			})
		}
	}
}

func TestADoctorFindsEveryPartOnThePracticePortal(t *testing.T) {
	for name, look := range looks() {
		t.Run(name, func(t *testing.T) {
			_, c := practising(t, practice.Scenario{Look: look, Jobs: []practice.Job{{}, {}, {}}, Board: practice.BoardRules{PageSize: 2}})
			x := c.Examine(t.Context())
			if x.LogIn != nil || x.Board != nil || x.Details != nil || x.Jobs != 2 {
				t.Errorf("%+v", x)
			}
			for _, p := range x.Parts {
				if p.Missing() {
					t.Errorf("%s was missed", p.Name)
				}
			}
		})
	}
}
