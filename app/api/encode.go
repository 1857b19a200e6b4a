package api

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/atozbot/atozbot/app"
)

// appendJobs encodes a list of jobs. Lists of a hundred jobs are what phones ask for all
// day, and encoding/json would spend ten times as long on them.
func appendJobs(b []byte, jobs []app.JobRecord) []byte {
	b = append(b, '[')
	for i := range jobs {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJob(b, &jobs[i])
	}
	return append(b, ']')
}

// appendJob encodes one job exactly as encoding/json would encode its JobJSON.
func appendJob(b []byte, j *app.JobRecord) []byte {
	b = append(b, `{"id":`...)
	b = appendText(b, j.ID)
	b = append(b, `,"session_id":`...)
	b = appendTextOrNull(b, j.SessionID)
	b = append(b, `,"job_ref":`...)
	b = appendText(b, j.Ref)
	b = append(b, `,"job_number":`...)
	b = appendText(b, j.Number)
	b = append(b, `,"language":`...)
	b = appendText(b, j.Language)
	b = append(b, `,"appointment_date":`...)
	b = appendTextOrNull(b, j.Date)
	b = append(b, `,"appointment_time":`...)
	b = appendTextOrNull(b, j.Time)
	b = append(b, `,"duration":`...)
	b = appendText(b, j.DurationText)
	b = append(b, `,"duration_minutes":`...)
	if j.DurationMinutes == 0 {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendInt(b, int64(j.DurationMinutes), 10)
	}
	b = append(b, `,"submitted_at":`...)
	b = appendMoment(b, j.SubmittedAt)
	b = append(b, `,"status":`...)
	b = appendText(b, string(j.Status))
	b = append(b, `,"verdict":`...)
	b = appendText(b, string(orElse(j.Verdict, app.VerdictLeave)))
	b = append(b, `,"job_type":`...)
	b = appendTextOrNull(b, j.JobType)
	b = append(b, `,"rejection_reason":`...)
	b = appendTextOrNull(b, j.RejectionReason)
	b = append(b, `,"rule":`...)
	b = appendTextOrNull(b, j.Rule)
	b = append(b, `,"needs_user":`...)
	b = appendTextOrNull(b, j.NeedsUser)
	b = append(b, `,"starts_at":`...)
	b = appendMoment(b, j.StartsAt)
	b = append(b, `,"ends_at":`...)
	b = appendMoment(b, j.EndsAt)
	b = append(b, `,"details_url":`...)
	b = appendTextOrNull(b, j.DetailsURL)
	b = append(b, `,"scraped_at":`...)
	b = appendMoment(b, j.SeenAt)
	b = append(b, `,"last_seen_at":`...)
	b = appendMoment(b, j.LastSeenAt)
	b = append(b, `,"gone_at":`...)
	b = appendMoment(b, j.GoneAt)
	b = append(b, `,"vanished_at":`...)
	b = appendMoment(b, j.VanishedAt)
	b = append(b, `,"sightings":`...)
	b = strconv.AppendInt(b, j.Sightings, 10)
	b = append(b, `,"source":`...)
	b = appendText(b, orElse(j.Source, app.SourceBuiltIn))
	b = append(b, `,"created_at":`...)
	b = appendMoment(b, j.CreatedAt)
	b = append(b, `,"updated_at":`...)
	b = appendMoment(b, j.UpdatedAt)
	return append(b, '}')
}

// appendStatus encodes the bot's status exactly as encoding/json would.
func appendStatus(b []byte, s *BotStatus) []byte {
	b = append(b, `{"is_running":`...)
	b = strconv.AppendBool(b, s.IsRunning)
	b = append(b, `,"session_id":`...)
	b = appendTextPointer(b, s.SessionID)
	b = append(b, `,"session_name":`...)
	b = appendTextPointer(b, s.SessionName)
	b = append(b, `,"start_time":`...)
	b = appendMomentPointer(b, s.StartTime)
	b = append(b, `,"status":`...)
	b = appendText(b, string(s.Status))
	b = append(b, `,"login_status":`...)
	b = appendText(b, string(s.LoginStatus))
	b = append(b, `,"total_checks":`...)
	b = strconv.AppendInt(b, s.TotalChecks, 10)
	b = append(b, `,"total_accepted":`...)
	b = strconv.AppendInt(b, s.TotalAccepted, 10)
	b = append(b, `,"total_rejected":`...)
	b = strconv.AppendInt(b, s.TotalRejected, 10)
	b = append(b, `,"mode":`...)
	b = appendText(b, string(s.Mode))
	b = append(b, `,"cap_reached":`...)
	b = strconv.AppendBool(b, s.CapReached)
	b = append(b, `,"last_look":`...)
	b = appendMomentPointer(b, s.LastLook)
	b = append(b, `,"last_error":`...)
	b = appendTextPointer(b, s.LastError)
	b = append(b, `,"replica":`...)
	b = appendText(b, s.Replica)
	b = append(b, `,"holder":`...)
	b = appendTextPointer(b, s.Holder)
	b = append(b, `,"is_holder":`...)
	b = strconv.AppendBool(b, s.IsHolder)
	return append(b, '}')
}

func appendTextPointer(b []byte, s *string) []byte {
	if s == nil {
		return append(b, "null"...)
	}
	return appendText(b, *s)
}

func appendMomentPointer(b []byte, t *time.Time) []byte {
	if t == nil {
		return append(b, "null"...)
	}
	return appendMoment(b, *t)
}

func appendMoment(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, time.RFC3339Nano)
	return append(b, '"')
}

func appendTextOrNull(b []byte, s string) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	return appendText(b, s)
}

const hexDigits = "0123456789abcdef"

// appendText encodes a JSON string as encoding/json does without HTML escaping: control
// characters and U+2028 and U+2029 escaped, invalid UTF-8 replaced.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' {
				i++
				continue
			}
			b = append(b, s[start:i]...)
			b = appendEscaped(b, c)
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			b = append(b, s[start:i]...)
			b = append(b, `\ufffd`...)
		case r == '\u2028' || r == '\u2029':
			b = append(b, s[start:i]...)
			b = append(b, `\u202`...)
			b = append(b, hexDigits[r&0xf])
		default:
			i += size
			continue
		}
		i += size
		start = i
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

func appendEscaped(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\b':
		return append(b, `\b`...)
	case '\f':
		return append(b, `\f`...)
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	case '\t':
		return append(b, `\t`...)
	default:
		return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
	}
}
