package web

import (
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
)

// jobLine is a job as a sentence.
type jobLine struct {
	ID, Ref  string
	Kind     string // What became of it: the class and the symbol.
	Icon     string
	Verb     string // "Accepted", "Left alone"
	Language string
	Type     string
	When     string // The appointment: "today 14:30, 45 min".
	Reason   string
	Seen     time.Time
	Asking   bool // Waits for the user.
	Outside  string
}

func (v *visit) jobLines(jobs []app.JobRecord) []jobLine {
	lines := make([]jobLine, len(jobs))
	for i, job := range jobs {
		lines[i] = v.jobLine(job)
	}
	return lines
}

func (v *visit) jobLine(job app.JobRecord) jobLine {
	word := becameOf(job)
	if v.trying(job) {
		word = became{"wait", "hourglass", "trying"}
	}
	line := jobLine{
		ID: job.ID, Ref: job.Ref, Kind: word.kind, Icon: word.icon, Verb: v.voice.say("job." + word.text),
		Language: orElse(job.Language, v.voice.say("job.noLanguage")), Type: job.JobType,
		When: v.appointment(job), Seen: job.SeenAt, Asking: asking(job),
		Reason: v.reasonOf(job),
	}
	if job.Source == app.SourceOutside || job.Source == app.SourceImported {
		line.Outside = v.voice.say("job.source." + job.Source)
	}
	return line
}

// reasonOf gives the sentence that says why: every decision has one.
func (v *visit) reasonOf(job app.JobRecord) string {
	took := func(to time.Time) string { return v.voice.took(to.Sub(job.SeenAt)) }
	switch reason := strings.TrimSpace(job.RejectionReason); {
	case job.Status == app.JobRejected && job.Rule == "excluded_type" && job.JobType != "":
		return v.voice.say("reason.excluded", "type", job.JobType)
	case job.NeedsUser != "":
		return v.voice.retell(job.NeedsUser)
	case reason != "":
		return v.voice.retell(reason)
	case job.Status == app.JobAccepted && !job.ConfirmedAt.IsZero() && job.ConfirmedAt.After(job.SeenAt):
		return v.voice.say("reason.confirmed", "n", took(job.ConfirmedAt))
	case job.Status == app.JobMatched && job.Verdict == app.VerdictAccept:
		return v.voice.say("reason.fits")
	case job.Status == app.JobAccepted || job.Status == app.JobUnknown:
		return v.voice.say("reason.accepted")
	}
	return ""
}

// appointment says when a job is, as far as it was understood.
func (v *visit) appointment(job app.JobRecord) string {
	parts := make([]string, 0, 2)
	switch {
	case !job.StartsAt.IsZero():
		parts = append(parts, v.voice.moment(job.StartsAt))
	case len(job.Row) > 3:
		parts = append(parts, strings.TrimSpace(job.Row[2]+" "+job.Row[3]))
	case job.Date != "":
		parts = append(parts, strings.TrimSpace(job.Date+" "+job.Time))
	}
	if length := v.voice.length(job.DurationMinutes); length != "" {
		parts = append(parts, length)
	} else if job.DurationText != "" {
		parts = append(parts, job.DurationText)
	}
	return strings.Join(parts, ", ")
}

// trying tells whether a job that fits has only just been seen by a bot that acts: its
// acceptance is on the way.
func (v *visit) trying(job app.JobRecord) bool {
	const onTheWay = 10 * time.Second
	return v.acts && job.Status == app.JobMatched && job.Verdict == app.VerdictAccept && job.GoneAt.IsZero() &&
		v.site.Now().Sub(job.SeenAt) < onTheWay
}

// became is what became of a job: its class, its symbol, and the key of its word.
type became struct{ kind, icon, text string }

// becameOf picks the word for a job's status and verdict.
func becameOf(job app.JobRecord) became {
	switch job.Status {
	case app.JobAccepted:
		if !job.VanishedAt.IsZero() {
			return became{"warn", "alert", "vanished"}
		}
		return became{"ok", "check", "accepted"}
	case app.JobRejected:
		return became{"calm", "cross", "rejected"}
	case app.JobLost:
		return became{"warn", "flag", "lost"}
	case app.JobRefused:
		return became{"bad", "alert", "refused"}
	case app.JobFailed:
		return became{"bad", "alert", "failed"}
	case app.JobUnknown:
		return became{"wait", "hourglass", "unknown"}
	case app.JobMatched:
	}
	switch job.Verdict {
	case app.VerdictAsk:
		if asking(job) {
			return became{"ask", "question", "ask"}
		}
		return became{"calm", "minus", "askedGone"}
	case app.VerdictAccept:
		return became{"calm", "eye", "wouldAccept"}
	case app.VerdictReject:
		return became{"calm", "eye", "wouldReject"}
	default:
		return became{"calm", "minus", "left"}
	}
}

// asking tells whether the job waits for the user's answer.
func asking(job app.JobRecord) bool {
	return job.Status == app.JobMatched && job.Verdict == app.VerdictAsk && job.GoneAt.IsZero()
}

// bookingLine is an accepted job in the agenda.
type bookingLine struct {
	ID, Ref, Language, Type string
	Day, Span, Length       string
	StartsAt, EndsAt        time.Time
	Vanished                bool
	Confirmed               bool
	URL                     string
}

func (v *visit) bookingLine(job app.JobRecord) bookingLine {
	return bookingLine{
		ID: job.ID, Ref: job.Ref, Language: orElse(job.Language, v.voice.say("job.noLanguage")), Type: job.JobType,
		Day: v.voice.day(job.StartsAt), Span: v.voice.span(job.StartsAt, job.EndsAt), Length: v.voice.length(job.DurationMinutes),
		StartsAt: job.StartsAt, EndsAt: job.EndsAt, Vanished: !job.VanishedAt.IsZero(),
		Confirmed: !job.ConfirmedAt.IsZero(), URL: job.DetailsURL,
	}
}

// toneName turns a tone into words for those who do not see its colour.
func toneName(tone string) string { return "tone." + tone }

// containsFold tells whether text holds part, case aside.
func containsFold(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}
