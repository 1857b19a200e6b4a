package rules

import (
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/rules/wallclock"
)

// answer is what one rule says about one job.
type answer struct {
	held app.Held
	// details says that the rule is not known only because the details page was not read.
	details             bool
	saw, wanted, reason string
}

// answers are those of all rules, in their order.
type answers [ruleCount]answer

// subject is the job that the rules are asked about, with what several of them need.
type subject struct {
	job   *app.Job
	tally *app.Tally
	now   time.Time
	// told is whether somebody will read the answers: without, no sentence is made.
	told bool
	// typeOnly says that of the details only the job type is known: a recorded job.
	typeOnly bool
	// fold is fold, or one that remembers.
	fold func(string) text

	appointment
	typ      text
	typState typeState

	times      string // The appointment as text, made when the first rule tells it.
	texts      []text // Of every field, made when the first rule asks.
	textsReady bool

	expression expressionResult
}

// appointment is when a job takes place, as far as it is known.
type appointment struct {
	appointmentKnown bool
	start, end       time.Time     // UTC.
	day              wallclock.Day // In the zone.
	problem          string        // Why it is not known, as a sentence.
}

// typeState is what is known of the job type.
type typeState uint8

const (
	typeKnown   typeState = iota
	typeNotRead           // The details page was not read yet, and can be.
	typeNoLink            // It cannot be read: the row has no link to it.
	typeEmpty             // It names no type.
	typeForeign           // It is the page of another job.
)

// Decide asks every rule about a job and makes the decision of their answers. It is pure:
// the same job, tally and time give the same decision with the same trace. Its ID and
// AccountID are the caller's to set.
//
// The verdict is
//   - reject, where rejecting is switched on, the job is free, and its details name an
//     excluded type, whatever the other rules say, up to the limit of rejections;
//   - accept, where every rule held;
//   - ask, where every rule held but [RuleAsk];
//   - leave, in every other case. Rule and Reason are then those of the first rule that
//     did not hold, or else of the first that is not known.
func (s *Set) Decide(job app.Job, tally app.Tally, now time.Time) app.Decision {
	x := subject{job: &job, tally: &tally, now: now, told: true, fold: fold}
	x.appointment = s.appointment(x.job)
	x.readType()
	var answers answers
	for i := range s.rules {
		answers[i] = s.rules[i].asks(s, &x)
	}
	d := s.conclude(&x, &answers)
	d.Checks = make([]app.Check, ruleCount)
	for i := range answers {
		a := &answers[i]
		d.Checks[i] = app.Check{Rule: s.rules[i].name, Held: a.held, Saw: a.saw, Wanted: a.wanted, Reason: a.reason}
	}
	return d
}

// HeedsTally tells whether another tally could make another decision of d, which was made
// by this set. One that stands on a rule about the job itself does not.
func (s *Set) HeedsTally(d app.Decision) bool {
	if s.rejectExcluded && s.maxRejected > 0 && d.Checks[atExcludedType].Held != app.Yes {
		return true // There is a place left to reject it, or there may be one later.
	}
	for i := range d.Checks[:atCapSession] {
		if d.Checks[i].Held == app.No {
			return false
		}
	}
	return true
}

// conclude makes the decision of the answers, but for its trace.
func (s *Set) conclude(x *subject, answers *answers) app.Decision {
	d := app.Decision{Number: x.job.Number, RulesVersion: s.version, DecidedAt: x.now}
	if x.appointmentKnown {
		d.StartsAt, d.EndsAt = x.start, x.end
	}
	s.judge(x, &d, answers)
	return d
}

// judge makes the verdict of the answers.
func (s *Set) judge(x *subject, d *app.Decision, answers *answers) {
	no, unknown, missing := -1, -1, -1
	for i := range answers {
		switch a := &answers[i]; {
		case a.held == app.No && no < 0 && i != atAsk:
			no = i
		case a.held == app.Unknown && a.details && missing < 0:
			missing = i
		case a.held == app.Unknown && !a.details && unknown < 0:
			unknown = i
		}
	}
	decidedBy := func(v app.Verdict, i int) {
		d.Verdict, d.Rule, d.Reason = v, s.rules[i].name, answers[i].reason
	}

	free := answers[atStatus].held == app.Yes
	canReject := s.rejectExcluded && free && (s.maxRejected == 0 || x.tally.Rejected < s.maxRejected)
	switch {
	case canReject && answers[atExcludedType].held == app.No:
		decidedBy(app.VerdictReject, atExcludedType)
		return
	case no >= 0:
		decidedBy(app.VerdictLeave, no)
	case unknown >= 0:
		decidedBy(app.VerdictLeave, unknown)
	case missing >= 0:
		decidedBy(app.VerdictLeave, missing)
		d.NeedsDetails = true
	case answers[atAsk].held == app.No:
		decidedBy(app.VerdictAsk, atAsk)
	default:
		d.Verdict = app.VerdictAccept
		d.Reason = "Every rule holds."
	}
	// Whether it is to be rejected stands on the details page too.
	if canReject && answers[atExcludedType].details {
		d.NeedsDetails = true
	}
	if s.rejectExcluded && free && !canReject && no == atExcludedType && x.told {
		d.Reason += " It would be rejected, but the limit of rejections in this session is reached."
	}
}

// readType finds the job type, and what is known of it.
func (x *subject) readType() {
	switch d := x.job.Details; {
	case d == nil && x.job.DetailsURL == "":
		x.typState = typeNoLink
	case d == nil:
		x.typState = typeNotRead
	case d.Number != "" && d.Number != x.job.Number:
		x.typState = typeForeign
	case !hasWord(d.Type):
		x.typState = typeEmpty
	default:
		x.typ, x.typState = x.fold(d.Type), typeKnown
	}
}

// noType gives the answer of a rule that needs the job type where it is not known.
func (x *subject) noType(wanted string) answer {
	a := answer{held: app.Unknown, wanted: wanted}
	switch x.typState {
	case typeNotRead:
		a.details = true
		a.reason = "The job type is not known before its details page is read."
	case typeNoLink:
		a.reason = "The job type is not known: the row has no link to its details."
	case typeForeign:
		a.saw = x.job.Details.Type
		a.reason = "The job type is not known: the details page that came is another job's."
	default:
		a.saw = x.job.Details.Type
		a.reason = "The details page names no job type."
	}
	return a
}

// detailsRead tells whether the job's own details page was read.
func (x *subject) detailsRead() bool { return x.typState == typeKnown || x.typState == typeEmpty }

// textHas tells whether any text of the job holds the phrase: the cells of its row but
// the last, whose words are the names of buttons, and the texts of its details page.
func (x *subject) textHas(p phrase) bool {
	if !x.textsReady {
		x.foldTexts()
	}
	for _, t := range x.texts {
		if t.has(p) {
			return true
		}
	}
	return false
}

func (x *subject) foldTexts() {
	x.textsReady = true
	j := x.job
	cells := []string{j.Ref, j.SubmittedText, j.DateText, j.TimeText, j.DurationText, j.Language, j.StatusText}
	for i := range max(len(j.Row)-1, 0) {
		// The cells of a row are those above once more, as a rule.
		if c := j.Row[i]; i >= len(cells) || cells[i] != c {
			cells = append(cells, c)
		}
	}
	if x.detailsRead() {
		cells = append(cells, j.Details.Type)
		for _, l := range j.Details.Labels {
			if l.Text != j.Details.Type {
				cells = append(cells, l.Text)
			}
		}
	}
	x.texts = make([]text, 0, len(cells))
	for _, c := range cells {
		if c != "" {
			x.texts = append(x.texts, x.fold(c))
		}
	}
}

// say puts a sentence together, where somebody will read it.
func (x *subject) say(parts ...string) string {
	if !x.told {
		return ""
	}
	return strings.Join(parts, "")
}

// quote gives a text in quotation marks, shortened where it is long.
func (x *subject) quote(s string) string {
	if !x.told {
		return ""
	}
	const most = 120
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return "“" + s + "”"
}
