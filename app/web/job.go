package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/atozbot/atozbot/app"
)

// jobPage is one job with its why.
type jobPage struct {
	Line     jobLine
	Job      app.JobRecord
	Decision *app.Decision
	Against  []checkLine // The rules that did not hold, or are not known; the one that decided first.
	Held     []checkLine
	Timeline []step
	Claims   []claimLine
	Cells    []cell
	Rules    []link // "Make a rule of this."
	Booked   bool
	Repeats  int64
}

// checkLine is one rule's answer.
type checkLine struct {
	Name, Icon, Answer, Kind string
	Saw, Wanted, Reason      string
	Decided                  bool
}

// step is one moment of a job's life, from when it was seen.
type step struct {
	Name  string
	At    time.Time
	After string  // "140 ms"
	Place float64 // On a line of 100.
}

// claimLine is one act on the portal.
type claimLine struct {
	Act, Outcome, Detail string
	Attempt              int
	At                   time.Time
}

// cell is one cell of the row as it was on the board.
type cell struct{ Name, Text string }

func (s *Site) job(v *visit) (*view, error) {
	trace, err := s.Jobs.Job(v.r.Context(), v.r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	job := trace.Job
	p := &jobPage{
		Line: v.jobLine(job), Job: job, Decision: trace.Decision, Timeline: v.timeline(job),
		Claims: v.claimLines(trace.Claims), Cells: v.cells(job.Row), Rules: v.ruleLinks(job),
		Booked: job.Status == app.JobAccepted && job.VanishedAt.IsZero() && !job.StartsAt.IsZero(),
	}
	if d := trace.Decision; d != nil {
		p.Repeats = d.Repeats
		for _, c := range d.Checks {
			switch line := v.checkLine(c, d.Rule); {
			case c.Held == app.Yes:
				p.Held = append(p.Held, line)
			case line.Decided:
				p.Against = slices.Insert(p.Against, 0, line)
			default:
				p.Against = append(p.Against, line)
			}
		}
	}
	return &view{page: "job", title: job.Ref, nav: "activity", live: true, data: p}, nil
}

func (v *visit) checkLine(c app.Check, decided string) checkLine {
	line := checkLine{
		Name: v.ruleName(c.Rule), Saw: v.voice.retell(c.Saw), Wanted: v.voice.retell(c.Wanted), Reason: v.voice.retell(c.Reason),
		Decided: c.Rule == decided && c.Held != app.Yes,
	}
	if c.Rule == "answer" || c.Rule == "ask" { // They see answers.
		line.Saw = v.voice.retellWord(c.Saw)
	}
	switch c.Held {
	case app.Yes:
		line.Icon, line.Kind, line.Answer = "check", "ok", v.voice.say("check.held")
	case app.No:
		line.Icon, line.Kind, line.Answer = "cross", "bad", v.voice.say("check.not")
	default:
		line.Icon, line.Kind, line.Answer = "question", "wait", v.voice.say("check.unknown")
	}
	return line
}

// ruleName gives a rule's name in words; the name itself where there are none.
func (v *visit) ruleName(rule string) string {
	if key := "rule." + rule; v.voice.knows(key) {
		return v.voice.say(key)
	}
	return strings.ReplaceAll(rule, "_", " ")
}

// timeline gives the moments that happened, in ms from when the job was seen.
func (v *visit) timeline(job app.JobRecord) []step {
	moments := []struct {
		name string
		at   time.Time
	}{
		{"listed", job.ListedAt},
		{"seen", job.SeenAt},
		{"decided", job.DecidedAt},
		{"claimed", job.ClaimedAt},
		{"posted", job.PostedAt},
		{"confirmed", job.ConfirmedAt},
		{"vanished", job.VanishedAt},
		{"gone", job.GoneAt},
	}
	var steps []step
	var longest time.Duration
	for _, m := range moments {
		if m.at.IsZero() {
			continue
		}
		after := m.at.Sub(job.SeenAt)
		if m.name == "confirmed" || m.name == "posted" {
			longest = max(longest, after)
		}
		text := v.voice.took(max(after, -after))
		if after < 0 {
			text = v.voice.say("timeline.before", "n", text)
		}
		steps = append(steps, step{Name: v.voice.say("timeline." + m.name), At: m.at, After: text})
	}
	for i := range steps {
		if after := steps[i].At.Sub(job.SeenAt); longest > 0 && after >= 0 && after <= longest {
			steps[i].Place = 100 * float64(after) / float64(longest)
		} else {
			steps[i].Place = -1
		}
	}
	return steps
}

func (v *visit) claimLines(claims []app.Claim) []claimLine {
	lines := make([]claimLine, len(claims))
	for i, c := range claims {
		outcome := orElse(string(c.Outcome), string(app.OutcomeUnknown))
		lines[i] = claimLine{
			Act: v.voice.say("act." + string(c.Act)), Outcome: v.voice.say("outcome." + outcome),
			Detail: v.voice.retell(c.Detail), Attempt: c.Attempt, At: c.ClaimedAt,
		}
	}
	return lines
}

// cells names the cells of a row as the portal orders them.
func (v *visit) cells(row []string) []cell {
	names := []string{"ref", "submitted", "date", "time", "duration", "language", "status", "actions"}
	all := make([]cell, len(row))
	for i, text := range row {
		all[i] = cell{Text: text}
		if i < len(names) {
			all[i].Name = v.voice.say("cell." + names[i])
		}
	}
	return all
}

// ruleLinks gives the rules that this job could be the reason for. They lead to the
// Rules page with the change made and not saved.
func (v *visit) ruleLinks(job app.JobRecord) []link {
	var all []link
	add := func(key, change, value, shown string) {
		if value != "" {
			all = append(all, link{v.voice.say("makeRule."+key, "value", shown), "/rules?" + url.Values{"change": {change}, "value": {value}}.Encode()})
		}
	}
	accepted := job.Verdict == app.VerdictAccept
	if accepted {
		add("excludeType", "exclude_type", job.JobType, job.JobType)
		add("withoutLanguage", "without_language", job.Language, job.Language)
	} else {
		add("acceptType", "accept_type", job.JobType, job.JobType)
		add("withLanguage", "with_language", job.Language, job.Language)
		add("askType", "ask_type", job.JobType, job.JobType)
	}
	add("dayOff", "day_off", job.Date, v.date(job.Date))
	return all
}

// date gives "Sat 28 Nov" for "2026-11-28"; what is no day stays as it is.
func (v *visit) date(day string) string {
	at, err := time.ParseInLocation(time.DateOnly, day, v.voice.zone)
	if err != nil {
		return day
	}
	return v.voice.date(at)
}

func (s *Site) acceptJob(v *visit) (*after, error) {
	if err := s.Bot.AcceptJob(v.r.Context(), v.r.PathValue("id")); err != nil {
		return nil, err
	}
	return &after{say: "flash.accepting"}, nil
}

func (s *Site) leaveJob(v *visit) (*after, error) {
	if err := s.Bot.LeaveJob(v.r.Context(), v.r.PathValue("id")); err != nil {
		return nil, err
	}
	return &after{say: "flash.leaving", undo: "/jobs/" + url.PathEscape(v.r.PathValue("id")) + "/ask"}, nil
}

func (s *Site) askAgain(v *visit) (*after, error) {
	if err := s.Bot.AskAgain(v.r.Context(), v.r.PathValue("id")); err != nil {
		return nil, err
	}
	return &after{say: "flash.asking"}, nil
}

// jobCalendar gives one booking as a calendar file, to add by hand.
func (s *Site) jobCalendar(v *visit) (*view, error) {
	trace, err := s.Jobs.Job(v.r.Context(), v.r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	job := trace.Job
	if job.Status != app.JobAccepted || job.StartsAt.IsZero() {
		return nil, app.Errorf(app.CodeNotFound, "This job is no booking with a known time.")
	}
	c := ics.NewCalendar()
	c.SetProductId("-//atozbot//booking//EN")
	e := c.AddEvent(job.ID + "@atozbot")
	e.SetDtStampTime(s.Now())
	e.SetStartAt(job.StartsAt)
	e.SetEndAt(job.EndsAt)
	e.SetSummary(strings.TrimSpace(job.Language + " " + job.JobType))
	e.SetDescription(job.Ref)
	if job.DetailsURL != "" {
		e.SetURL(job.DetailsURL)
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/calendar; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="booking-`+url.PathEscape(job.Number)+`.ics"`)
	v.w.WriteHeader(http.StatusOK)
	return nil, c.SerializeTo(v.w, ics.WithNewLineWindows)
}
