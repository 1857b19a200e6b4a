package rules

import (
	"strings"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/rules/wallclock"
)

// status wants a job that is free: the row says so, and so does the details page where it
// was read and names a status.
func (s *Set) status(x *subject) answer {
	const wanted = "matched"
	row := x.job.StatusText
	if x.job.Details != nil && x.job.Details.State != "" && x.job.Details.State != app.StateMatched && x.typState != typeForeign {
		d := x.job.Details
		a := answer{held: app.No, saw: d.StatusText, wanted: wanted}
		switch d.State {
		case app.StateOurs:
			a.reason = x.say("It is yours already: its details say ", x.quote(d.StatusText), ".")
		case app.StateGone:
			a.reason = x.say("It is gone: its details say ", x.quote(d.StatusText), ".")
		default:
			a.held = app.Unknown
			a.reason = x.say("Whether it is free is not known: its details say ", x.quote(d.StatusText), ".")
		}
		return a
	}
	a := answer{held: app.No, saw: row, wanted: wanted}
	switch x.job.State {
	case app.StateMatched:
		a.held = app.Yes
		a.reason = x.say("It is free: its status is ", x.quote(row), ".")
	case app.StateOurs:
		a.reason = x.say("It is yours already: its status is ", x.quote(row), ".")
	case app.StateGone:
		a.reason = x.say("It is gone: its status is ", x.quote(row), ".")
	default:
		if !hasWord(row) {
			a.held = app.Unknown
			a.reason = "Whether it is free is not known: the row shows no status."
			break
		}
		a.reason = x.say("It is not free: its status is ", x.quote(row), ".")
	}
	return a
}

// requiredFields wants the predecessor's seven fields to be there, and those that promise
// something (day, time, duration) to be understood. Of "submitted" it is enough that it
// is there: nothing is decided by it.
func (s *Set) requiredFields(x *subject) answer {
	j := x.job
	var missing, unclear []string
	check := func(name string, present, understood bool) {
		switch {
		case !present:
			missing = append(missing, name)
		case !understood:
			unclear = append(unclear, name)
		}
	}
	_, dayOK := wallclock.ParseDay(j.Date)
	minute, timeOK := wallclock.ParseMinute(j.Time)
	timeOK = timeOK && minute < 1440
	check("reference", stated(j.Ref), hasWord(j.Number))
	check("submission time", stated(j.SubmittedText) || !j.SubmittedAt.IsZero(), true)
	check("date", stated(j.DateText) || j.Date != "", dayOK)
	check("time", stated(j.TimeText) || j.Time != "", timeOK)
	check("duration", stated(j.DurationText) || j.DurationMinutes != 0, j.DurationMinutes > 0 && j.DurationMinutes <= maxMinutes)
	check("language", stated(j.Language), true)
	check("status", stated(j.StatusText), true)

	a := answer{wanted: "reference, submission time, date, time, duration, language, status"}
	switch {
	case len(missing) > 0:
		a.held = app.No
		a.saw = x.say("missing: ", strings.Join(missing, ", "))
		a.reason = x.say("The row has no ", enumerate(missing), ".")
	case len(unclear) > 0:
		a.held = app.Unknown
		a.saw = x.say("not understood: ", s.asWritten(x, unclear))
		a.reason = x.say("The ", enumerate(unclear), " could not be understood: ", s.asWritten(x, unclear), ".")
	case !x.appointmentKnown:
		a.held = app.Unknown
		a.saw = x.say(j.Date, " ", j.Time)
		a.reason = x.problem
	default:
		a.held = app.Yes
		a.saw = "all seven"
		a.reason = "Everything that is needed is there and understood."
	}
	return a
}

// asWritten gives the texts of the fields named, as they stood on the board.
func (s *Set) asWritten(x *subject, names []string) string {
	if !x.told {
		return ""
	}
	texts := make([]string, len(names))
	for i, name := range names {
		switch name {
		case "reference":
			texts[i] = x.quote(x.job.Ref)
		case "date":
			texts[i] = x.quote(x.job.DateText)
		case "time":
			texts[i] = x.quote(x.job.TimeText)
		default:
			texts[i] = x.quote(x.job.DurationText)
		}
	}
	return strings.Join(texts, ", ")
}

// enumerate joins words as a sentence does: "date, time and language".
func enumerate(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// stated tells whether a cell says anything: a dash, or words for "nothing yet", do not.
func stated(s string) bool {
	if !hasWord(s) {
		return false
	}
	s = strings.TrimSpace(s)
	if len(s) > 20 || !strings.ContainsRune("nNtTuU", rune(s[0])) { // What is below begins so.
		return true
	}
	for _, nothing := range []string{
		"n/a", "tbc", "tba", "tbd", "none", "unknown", "not known", "not specified", "not stated",
		"to be confirmed", "to be advised", "to be agreed",
	} {
		if strings.EqualFold(s, nothing) {
			return false
		}
	}
	return true
}

// jobType wants the details to hold the words of an accepted type, or of one that the
// user wants to be asked about. Without accepted types every type is.
func (s *Set) jobType(x *subject) answer {
	if len(s.types) == 0 {
		a := answer{held: app.Yes, wanted: s.typesWanted, reason: "Any job type is accepted."}
		if x.typState == typeKnown {
			a.saw = x.job.Details.Type
		}
		return a
	}
	if x.typState != typeKnown {
		return x.noType(s.typesWanted)
	}
	a := answer{held: app.Yes, saw: x.job.Details.Type, wanted: s.typesWanted}
	if p, ok := firstIn(x.typ, s.types); ok {
		a.reason = x.say("Its type holds ", x.quote(p.written), ", one that you accept.")
		return a
	}
	if p, ok := firstIn(x.typ, s.ask); ok {
		a.reason = x.say("Its type holds ", x.quote(p.written), ", one that you are asked about.")
		return a
	}
	a.held = app.No
	a.reason = x.say("Its type ", x.quote(x.job.Details.Type), " is none that you accept.")
	return a
}

// excludedType wants the details to hold no words of an excluded type. It wins over
// jobType: both are asked, and one that does not hold is enough.
func (s *Set) excludedType(x *subject) answer {
	if len(s.excluded) == 0 {
		a := answer{held: app.Yes, wanted: s.excludedWanted, reason: "No job type is excluded."}
		if x.typState == typeKnown {
			a.saw = x.job.Details.Type
		}
		return a
	}
	if x.typState != typeKnown {
		return x.noType(s.excludedWanted)
	}
	a := answer{held: app.Yes, saw: x.job.Details.Type, wanted: s.excludedWanted}
	if p, ok := firstIn(x.typ, s.excluded); ok {
		a.held = app.No
		a.reason = x.say("Its type holds ", x.quote(p.written), ", which you exclude.")
		return a
	}
	a.reason = "Its type is none that you exclude."
	return a
}

// language wants one of the user's languages, as a whole.
func (s *Set) language(x *subject) answer {
	a := answer{held: app.Yes, saw: x.job.Language, wanted: s.languagesWanted}
	if len(s.languages) == 0 {
		a.reason = "Any language is accepted."
		return a
	}
	if !stated(x.job.Language) {
		a.held = app.Unknown
		a.reason = "The row names no language."
		return a
	}
	if _, ok := s.languages[same(x.job.Language)]; !ok {
		a.held = app.No
		a.reason = x.say(x.job.Language, " is none of your languages.")
		return a
	}
	a.reason = x.say(x.job.Language, " is one of your languages.")
	return a
}

// wantedWords wants at least one of the words wanted in any text of the job.
func (s *Set) wantedWords(x *subject) answer {
	a := answer{held: app.Yes, wanted: s.wantedWanted, reason: "No words are asked for."}
	if len(s.wanted) == 0 {
		return a
	}
	for _, p := range s.wanted {
		if x.textHas(p) {
			a.saw = p.written
			a.reason = x.say("It holds ", x.quote(p.written), ".")
			return a
		}
	}
	if x.textsIncomplete(&a) {
		return a
	}
	a.held = app.No
	a.saw = "none of them"
	a.reason = "It holds none of the words that you want."
	return a
}

// unwantedWords wants none of the words unwanted in any text of the job.
func (s *Set) unwantedWords(x *subject) answer {
	a := answer{held: app.Yes, wanted: s.unwantedWanted, reason: "No words are unwanted."}
	if len(s.unwanted) == 0 {
		return a
	}
	for _, p := range s.unwanted {
		if x.textHas(p) {
			a.held = app.No
			a.saw = p.written
			a.reason = x.say("It holds ", x.quote(p.written), ", which you do not want.")
			return a
		}
	}
	if x.textsIncomplete(&a) {
		return a
	}
	a.saw = "none of them"
	a.reason = "It holds none of the words that you do not want."
	return a
}

// textsIncomplete makes a "not known" of a where words can still stand in the details.
func (x *subject) textsIncomplete(a *answer) bool {
	if x.detailsRead() && !x.typeOnly {
		return false
	}
	a.held = app.Unknown
	switch {
	case x.typState == typeNotRead || x.typeOnly:
		a.details = true
		a.reason = "Its words are not known before its details page is read."
	case x.typState == typeNoLink:
		a.reason = "Its words are not known: the row has no link to its details."
	default:
		a.reason = "Its words are not known: the details page that came is another job's."
	}
	return true
}

// duration wants a job that is neither too short nor too long.
func (s *Set) duration(x *subject) answer {
	n := x.job.DurationMinutes
	a := answer{held: app.Yes, saw: x.job.DurationText, wanted: s.durationWanted}
	switch {
	case n <= 0 || n > maxMinutes:
		a.held = app.Unknown
		a.reason = "How long it lasts is not known."
	case s.minDuration > 0 && n < s.minDuration:
		a.held = app.No
		a.reason = x.say("It lasts ", x.minutes(n), ", shorter than the ", x.minutes(s.minDuration), " that you want at least.")
	case s.maxDuration > 0 && n > s.maxDuration:
		a.held = app.No
		a.reason = x.say("It lasts ", x.minutes(n), ", longer than the ", x.minutes(s.maxDuration), " that you want at most.")
	default:
		a.reason = x.say("It lasts ", x.minutes(n), ".")
	}
	return a
}

func (x *subject) minutes(n int) string {
	if !x.told {
		return ""
	}
	return writeMinutes(n)
}
