package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
)

// triedDays is over how many days a change of the rules is tried.
const triedDays = 14

// rulesPage is the configuration as cards, with what it would have done beside it.
type rulesPage struct {
	C         app.Configuration // As it stands in the form.
	Fields    map[string]string // What is wrong with it, by field.
	Wrong     string            // What is wrong with all of it.
	Draft     bool              // It differs from what is in force, and is not saved.
	From      string            // What made the draft: a preset, a change; in words.
	Changes   []change
	Tried     *tried
	Presets   []link
	Versions  []versionLine
	Languages []languageChoice
	More      string // Languages that were never seen, for the text field.
	Days      []weekday
	DaysOff   []app.DayOff
	Buffers   []app.TypeBuffer
	CanUndo   bool
}

// languageChoice is a language with whether it is accepted.
type languageChoice struct {
	Name string
	On   bool
}

// weekday is the hours of one day, as the form holds them.
type weekday struct {
	Key, Name string
	Ranges    [][2]string
}

// tried is what the rules of the form would have done.
type tried struct {
	Days      int
	Jobs      int
	Accepted  int
	More      []jobLine
	Fewer     []jobLine
	MoreN     int
	FewerN    int
	Took      time.Duration
	Trouble   string
	Unchanged bool
}

// versionLine is a saved version.
type versionLine struct {
	Version int64
	Author  string
	At      time.Time
	What    string
	Active  bool
}

// Preferences are the orders in which jobs that exclude each other can be taken.
func (*rulesPage) Preferences() []app.Preference {
	return []app.Preference{app.PreferListed, app.PreferSoonest, app.PreferLongest}
}

func (s *Site) rules(v *visit) (*view, error) {
	c, err := s.Configurations.Configuration(v.r.Context())
	if err != nil {
		return nil, err
	}
	draft, from := v.draft(c, v.r.URL.Query())
	p, err := s.rulesPage(v, c, draft)
	if err != nil {
		return nil, err
	}
	if p.From = from; p.Draft {
		p.Tried = s.try(v, draft)
	}
	return v.rulesView(p, 0), nil
}

func (v *visit) rulesView(p *rulesPage, status int) *view {
	return &view{page: "rules", title: v.voice.say("nav.rules"), nav: "rules", status: status, data: p}
}

// rulesPage fills the cards from a draft; c is what is in force.
func (s *Site) rulesPage(v *visit, c, draft app.Configuration) (*rulesPage, error) {
	ctx := v.r.Context()
	p := &rulesPage{C: draft, Changes: v.changes(c, draft), Presets: v.presets(), Fields: map[string]string{}}
	p.Draft = len(p.Changes) > 0
	versions, err := s.Configurations.Versions(ctx, 8)
	if err != nil && codeOf(err) != app.CodeUnavailable {
		return nil, err
	}
	p.Versions, p.CanUndo = v.versionLines(versions), len(versions) > 1
	seen, err := s.Jobs.Languages(ctx)
	if err != nil && codeOf(err) != app.CodeUnavailable {
		return nil, err
	}
	p.Languages, p.More = languageChoices(seen, draft.Languages)
	p.Days = v.weekdays(draft.WeeklyHours)
	p.DaysOff = append(append([]app.DayOff{}, draft.DaysOff...), app.DayOff{})
	p.Buffers = append(append([]app.TypeBuffer{}, draft.BuffersByType...), app.TypeBuffer{})
	return p, nil
}

// try asks what the draft would have done; a draft that cannot be tried says why.
func (s *Site) try(v *visit, draft app.Configuration) *tried {
	t := &tried{Days: triedDays}
	if err := s.Configurations.Check(draft); err != nil {
		t.Trouble = v.voice.say("rules.tryInvalid")
		return t
	}
	result, err := s.Configurations.BackTest(v.r.Context(), draft, s.Now().AddDate(0, 0, -triedDays))
	if err != nil {
		t.Trouble = v.voice.say("rules.tryFailed")
		if app.CodeOf(err) == app.CodeInternal {
			s.Log.Error("a back-test failed", "error", err)
		}
		return t
	}
	t.Jobs, t.Accepted, t.MoreN, t.FewerN, t.Took = result.Jobs, result.Accepted, result.More, result.Fewer, result.Took
	t.More, t.Fewer = v.jobLines(result.MoreJobs), v.jobLines(result.FewerJobs)
	t.Unchanged = t.MoreN == 0 && t.FewerN == 0
	return t
}

// read gives what is in force, the draft of the form, and what of it cannot be.
func (s *Site) readRules(v *visit) (c, draft app.Configuration, wrong map[string]string, err error) {
	if c, err = s.Configurations.Configuration(v.r.Context()); err != nil {
		return c, c, nil, err
	}
	draft, wrong = configurationOf(v.r.PostForm, c)
	if len(wrong) > 0 {
		for field, key := range wrong {
			wrong[field] = v.voice.say(key)
		}
		return c, draft, wrong, nil
	}
	err = s.Configurations.Check(draft)
	if e, ok := errors.AsType[*app.Error](err); ok && e.Code == app.CodeInvalid {
		wrong := make(map[string]string, len(e.Fields))
		for field, what := range e.Fields {
			wrong[field] = v.voice.retell(what)
		}
		return c, draft, wrong, nil
	}
	return c, draft, nil, err
}

// tryRules shows what the form's rules would have done, and saves nothing.
func (s *Site) tryRules(v *visit) (*after, error) {
	c, draft, wrong, err := s.readRules(v)
	if err != nil {
		return nil, err
	}
	p, err := s.rulesPage(v, c, draft)
	if err != nil {
		return nil, err
	}
	if p.Fields = wrong; len(wrong) == 0 {
		p.Tried = s.try(v, draft)
	} else {
		p.Tried = &tried{Days: triedDays, Trouble: v.voice.say("rules.tryInvalid")}
	}
	s.show(v, v.rulesView(p, 0))
	return nil, nil
}

// confirmPage asks before what cannot be taken back.
type confirmPage struct {
	Title   string
	What    []string
	Do      string // The label of the button.
	Post    string
	Back    string
	Fields  []field
	Changes []change
}

// field is a field of a form that is sent on.
type field struct{ Name, Value string }

// saveRules saves the form's rules, after a question where they begin to act.
func (s *Site) saveRules(v *visit) (*after, error) {
	c, draft, wrong, err := s.readRules(v)
	if err != nil {
		return nil, err
	}
	if len(wrong) > 0 {
		p, err := s.rulesPage(v, c, draft)
		if err != nil {
			return nil, err
		}
		p.Fields, p.Wrong = wrong, v.voice.say("rules.wrong", "count", len(wrong))
		s.show(v, v.rulesView(p, http.StatusUnprocessableEntity))
		return nil, nil
	}
	if what := v.irreversible(c, draft); len(what) > 0 && v.r.PostForm.Get("confirmed") == "" {
		s.show(v, v.confirmRules(c, draft, what))
		return nil, nil
	}
	saved, err := s.Configurations.Save(v.r.Context(), draft, v.person)
	if err != nil {
		return nil, err
	}
	return &after{to: "/rules", say: "flash.saved", args: []string{"version", v.voice.number(saved.Version)}, undo: "/rules/undo"}, nil
}

// irreversible says what a change begins that cannot be undone once it happened.
func (v *visit) irreversible(c, draft app.Configuration) []string {
	var what []string
	if draft.Mode == app.ModeLive && c.Mode != app.ModeLive {
		what = append(what, v.voice.say("confirm.live", "count", draft.MaxAcceptPerRun))
	}
	if draft.Mode == app.ModeLive && draft.RejectExcluded && (!c.RejectExcluded || c.Mode != app.ModeLive) {
		what = append(what, v.voice.say("confirm.reject", "types", orElse(v.voice.list(draft.ExcludeTypes), v.voice.say("rules.none"))))
	}
	return what
}

func (v *visit) confirmRules(c, draft app.Configuration, what []string) *view {
	p := confirmPage{
		Title: v.voice.say("confirm.liveTitle"), What: what, Do: v.voice.say("confirm.liveDo"),
		Post: "/rules", Back: "/rules", Changes: v.changes(c, draft), Fields: sentOn(v.r.PostForm),
	}
	return &view{page: "confirm", title: p.Title, nav: "rules", data: p}
}

// sentOn gives the fields of a form, to be sent once more with a yes.
func sentOn(form url.Values) []field {
	fields := []field{{"confirmed", "yes"}}
	for name, values := range form {
		if name == "confirmed" || name == "back" {
			continue
		}
		for _, value := range values {
			fields = append(fields, field{name, value})
		}
	}
	return fields
}

func (s *Site) undoRules(v *visit) (*after, error) {
	before, err := s.Configurations.Configuration(v.r.Context())
	if err != nil {
		return nil, err
	}
	versions, err := s.Configurations.Versions(v.r.Context(), 2)
	if err != nil {
		return nil, err
	}
	if len(versions) > 1 && v.r.PostForm.Get("confirmed") == "" {
		if what := v.irreversible(before, versions[1]); len(what) > 0 { // Going back may mean going live.
			shown := v.confirmRules(before, versions[1], what)
			p := shown.data.(confirmPage)
			p.Post = "/rules/undo"
			shown.data = p
			s.show(v, shown)
			return nil, nil
		}
	}
	c, err := s.Configurations.Undo(v.r.Context(), v.person)
	if err != nil {
		return nil, err
	}
	return &after{to: "/rules", say: "flash.undone", args: []string{"version", v.voice.number(c.Version)}, undo: "/rules/undo"}, nil
}

func (v *visit) versionLines(versions []app.Configuration) []versionLine {
	lines := make([]versionLine, len(versions))
	for i, c := range versions {
		lines[i] = versionLine{Version: c.Version, Author: orElse(c.Author, v.voice.say("rules.thisComputer")), At: c.CreatedAt, Active: i == 0}
		if i+1 < len(versions) {
			var names []string
			for _, change := range v.changes(versions[i+1], c) {
				names = append(names, change.Name)
			}
			lines[i].What = strings.Join(names, ", ")
		}
	}
	return lines
}
