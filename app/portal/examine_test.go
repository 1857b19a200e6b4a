package portal

import (
	"net/http"
	"strings"
	"testing"

	"github.com/atozbot/atozbot/app"
)

func examined(t *testing.T, board string, details string) (Examination, *stand) {
	t.Helper()
	s := newStand(t)
	in := false
	s.on("GET /login", func(w http.ResponseWriter, r *http.Request) {
		if in {
			to(302, "/interpreter-jobs")(w, r)
			return
		}
		page200(loginPage(""))(w, r)
	})
	s.on("POST /login", func(w http.ResponseWriter, r *http.Request) {
		in = true
		to(302, "/interpreter-jobs")(w, r)
	})
	s.on("GET /interpreter-jobs", page200(board)).on("GET /interpreter-jobs/48213", page200(details))
	return client(t, s).Examine(t.Context()), s
}

func partNamed(t *testing.T, x Examination, name string) Part {
	t.Helper()
	for _, p := range x.Parts {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("there is no part %s", name)
	return Part{}
}

func TestTheDoctorIsToldOfEveryPartWhetherItWasFound(t *testing.T) {
	x, s := examined(t,
		framed(table(jobRow("48213", "Matched"))+`<a rel="next" href="?page=2">Next</a>`),
		framed(detailsOf("48213", "Telephone", "Matched")+rejectFormOf("48213")))
	if x.LogIn != nil || x.Board != nil || x.Details != nil || x.Jobs != 1 || !x.WithDetails {
		t.Errorf("%+v", x)
	}
	for _, p := range x.Parts {
		if p.Missing() || p.Advice() != "" {
			t.Errorf("%s was missed", p.Name)
		}
		if strings.HasPrefix(p.Name, "dialog.") && p.Seen {
			t.Errorf("%s was seen without an act", p.Name)
		}
	}
	for _, name := range []string{"paths.accept", "login.email", "login.logged_in", "board.row", "board.cell", "board.next", "board.details_link", "details.table", "details.type_label", "reject.action", "reject.button", "status.matched"} {
		if p := partNamed(t, x, name); !p.Seen || p.Found == 0 {
			t.Errorf("%s was not found: %+v", name, p)
		}
	}
	for _, asked := range s.log() {
		if strings.HasPrefix(asked, "POST /interpreter-jobs") {
			t.Errorf("the doctor acted: %s", asked)
		}
	}
}

func TestTheDoctorIsToldWhatHasChanged(t *testing.T) {
	for name, c := range map[string]struct {
		board, details string
		missing        []string
		class          app.PageClass // Of the board.
	}{
		"the rows": {
			framed(table(strings.ReplaceAll(jobRow("48213", "Matched"), "table__row", "row"))), "",
			[]string{"board.row", "board.details_link"},
			app.PageChanged,
		},
		"the forms": {
			framed(table(strings.ReplaceAll(jobRow("48213", "Matched"), "/matched", "/take"))), framed(detailsOf("48213", "Telephone", "Matched") + rejectFormOf("48213")),
			[]string{"paths.accept"},
			"",
		},
		"the details": {
			framed(table(jobRow("48213", "Matched"))), framed(strings.Replace(detailsOf("48213", "Telephone", "Matched"), "Interpreter details", "Kind", 1)),
			[]string{"details.type_label", "reject.action", "reject.button"},
			"",
		},
		"nothing, with no job to look at": {framed(table(noJobs)), "", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			x, _ := examined(t, c.board, c.details)
			if got := classOf(t, x.Board); got != c.class {
				t.Errorf("the board gave %q", got)
			}
			for _, want := range c.missing {
				p := partNamed(t, x, want)
				if name == "the rows" && want == "board.details_link" {
					if p.Missing() {
						t.Errorf("%s was not found, and is there", want)
					}
					continue
				}
				if !p.Missing() || !strings.Contains(p.Advice(), want) {
					t.Errorf("%s was not missed: %+v", want, p)
				}
			}
			if len(c.missing) == 0 {
				for _, p := range x.Parts {
					if p.Missing() {
						t.Errorf("%s was missed", p.Name)
					}
				}
			}
		})
	}
}

func TestTheDoctorIsToldThatNobodyIsAtHome(t *testing.T) {
	s := newStand(t).on("GET /login", status(503, ""))
	x := client(t, s).Examine(t.Context())
	if classOf(t, x.LogIn) != app.PageUnavailable || classOf(t, x.Board) != app.PageUnavailable {
		t.Errorf("%+v", x)
	}
	for _, p := range x.Parts {
		if p.Missing() {
			t.Errorf("%s was missed on a page that was not there", p.Name)
		}
	}
}
