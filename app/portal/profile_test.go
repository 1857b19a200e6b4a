package portal

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/atozbot/atozbot/app"
)

func profileFile(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "portal.json")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestAProfilesPartsReplaceThoseOfTheBuiltInOne(t *testing.T) {
	p, err := LoadProfile(profileFile(t, `{
		"board": {"row": "tr.job", "empty": ["Nothing for you"]},
		"status": {"ours": ["yours"]}
	}`))
	if err != nil {
		t.Fatal(err)
	}
	if p.Name != "portal.json" || p.board.row.text != "tr.job" || p.board.cell.text != "td.table__data" {
		t.Errorf("%s has rows %q with cells %q", p.Name, p.board.row.text, p.board.cell.text)
	}
	if p.state("Yours") != app.StateOurs || p.state("Accepted") != app.StateOther || p.state("Matched") != app.StateMatched {
		t.Error("the words for a job that is ours were not replaced, or others were")
	}
	s := newStand(t).on("GET /interpreter-jobs", page200(framed(table(strings.ReplaceAll(jobRow("48213", "Matched"), "table__row", "job")))))
	board, err := client(t, s, func(o *Options) { o.Profile = p }).Look(t.Context())
	if err != nil || len(board.Jobs) != 1 {
		t.Errorf("%d jobs, %v", len(board.Jobs), err)
	}
}

func TestTheBuiltInProfileCanBeLoadedAsAFile(t *testing.T) {
	p, err := LoadProfile(profileFile(t, string(DefaultProfileJSON())))
	if err != nil {
		t.Fatal(err)
	}
	for i, part := range DefaultProfile().parts() {
		if got := p.parts()[i].value.String(); got != part.value.String() || got == "" {
			t.Errorf("%s is %q", part.name, got)
		}
	}
}

func TestEveryWrongPartOfAProfileIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		content string
		want    map[string]string // By part, some words of what is told.
	}{
		"no JSON":                {"{\n\"board\": {\n,", map[string]string{"the file": "line 3"}},
		"no object":              {`["board"]`, map[string]string{"the file": "must be an object"}},
		"an unknown section":     {`{"bord": {}}`, map[string]string{"bord": "did you mean board?"}},
		"an unknown part":        {`{"board": {"rows": "tr"}}`, map[string]string{"board.rows": "did you mean board.row?"}},
		"nothing like any part":  {`{"colour": "red"}`, map[string]string{"colour": "there is no such part"}},
		"a section that is none": {`{"board": "tr"}`, map[string]string{"board": "must be an object of parts"}},
		"several at once": {`{"board": {"row": "tr..job", "least_cells": 0, "empty": "none", "columns": ["ref", "date"]}, "paths": {"login": "login", "accept": "/jobs/matched"}, "status": {"ours": ["--"]}}`, map[string]string{
			"board.row": "is no CSS selector", "board.least_cells": "from 1 to 1000", "board.empty": "must be a list of words", "board.columns": "is missing",
			"paths.login": "begins with one /", "paths.accept": "must hold {id} once", "status.ours": "holds no word",
		}},
		"values of another kind": {`{"board": {"row": 1, "least_cells": "8", "columns": null, "empty": null}, "paths": {"board": 1}, "reject": {"action": ""}}`, map[string]string{
			"board.row": "must be a CSS selector", "board.least_cells": "whole number", "board.columns": "is missing", "board.empty": "list of words", "paths.board": "must be a path", "reject.action": "not empty",
		}},
		"paths that lead elsewhere": {`{"paths": {"board": "//elsewhere.example.com", "login": "/log in", "accept": "https://x/{id}"}}`, map[string]string{"paths.board": "one /", "paths.login": "no path holds", "paths.accept": "one /"}},
		"a number where none is":    {`{"paths": {"board": "/jobs/{id}"}}`, map[string]string{"paths.board": "no {id}"}},
		"columns that do not fit":   {`{"board": {"columns": ["ref", "submitted", "date", "time", "duration", "language", "status", "actions", "ref"]}}`, map[string]string{"board.columns": "stands there twice"}},
		"more columns than cells":   {`{"board": {"columns": ["", "ref", "submitted", "date", "time", "duration", "language", "status", "actions"]}}`, map[string]string{"board.least_cells": "must be 9 at least"}},
		"an unknown column":         {`{"board": {"columns": ["number"]}}`, map[string]string{"board.columns": "is no column"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := LoadProfile(profileFile(t, c.content))
			e, ok := errors.AsType[*app.Error](err)
			if !ok || e.Code != app.CodeInvalid {
				t.Fatalf("it gave %v", err)
			}
			if got, want := slices.Sorted(maps.Keys(e.Fields)), slices.Sorted(maps.Keys(c.want)); !slices.Equal(got, want) {
				t.Errorf("it named %q, and wrong are %q", got, want)
			}
			for part, words := range c.want {
				if !strings.Contains(e.Fields[part], words) || !strings.Contains(e.Message, part) {
					t.Errorf("of %s it says %q", part, e.Fields[part])
				}
			}
		})
	}
	for _, missing := range []string{filepath.Join(t.TempDir(), "none.json"), t.TempDir()} {
		_, err := LoadProfile(missing)
		if e, ok := errors.AsType[*app.Error](err); !ok || e.Fields["PORTAL_PROFILE"] == "" {
			t.Errorf("%s gave %v", missing, err)
		}
	}
}

// A portal that is no table can be described too: the profile's selectors decide.
func TestAPortalWithoutTablesCanBeDescribed(t *testing.T) {
	p, err := LoadProfile(profileFile(t, `{"board": {"body": "ul.jobs", "chrome": "ul.jobs", "row": "li.job", "cell": "span.cell", "columns": ["", "ref", "submitted", "date", "time", "duration", "language", "status", "actions"], "least_cells": 9}}`))
	if err != nil {
		t.Fatal(err)
	}
	cells := ""
	for _, cell := range []string{"★", "48213/A", "14/01/2027", "15/02/2027", "14:30", "1 hour", "Polish", "Matched", acceptFormOf("48213")} {
		cells += `<span class="cell">` + cell + `</span>`
	}
	s := newStand(t).on("GET /interpreter-jobs", page200(framed(`<ul class="jobs"><li class="job">`+cells+`</li></ul>`)))
	board, err := client(t, s, func(o *Options) { o.Profile = p }).Look(t.Context())
	if err != nil || len(board.Jobs) != 1 {
		t.Fatalf("%d jobs, %v", len(board.Jobs), err)
	}
	if j := board.Jobs[0]; j.Ref != "48213/A" || j.DurationMinutes != 60 || j.AcceptForm == nil {
		t.Errorf("it was read as %+v", j)
	}
}
