package calendar

import (
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/rules/wallclock"
)

// FeedOptions says how the calendar of accepted jobs is written.
type FeedOptions struct {
	Name    string // "Interpreting".
	Version string // Of the program, for PRODID.
	// Now stands in for the time of a record that has none, so that the bytes depend on
	// nothing else.
	Now time.Time
}

// Encode writes accepted jobs as a calendar. Each has the same UID for ever and a SEQUENCE
// that grows as its record changes, so that a calendar program changes its entry and makes no
// second one. A job that vanished from the portal stays, as cancelled: an entry that is
// merely left out is kept by some programs. Times are in UTC, which every program reads
// alike. Jobs that are not accepted, and those without a day, are left out.
func Encode(jobs []app.JobRecord, o FeedOptions) []byte {
	c := ics.NewCalendar()
	c.SetProductId("-//atozbot//" + plain(o.Version) + "//EN")
	c.SetCalscale("GREGORIAN")
	c.SetMethod(ics.MethodPublish)
	c.SetName(plain(o.Name))
	c.SetRefreshInterval("PT5M")
	c.SetXPublishedTTL("PT5M")
	for _, j := range inOrder(jobs) {
		addJob(c, j, o.Now)
	}
	return []byte(c.Serialize(ics.WithNewLineWindows)) //nolint:misspell // The library's name for it.
}

func inOrder(jobs []app.JobRecord) []app.JobRecord {
	accepted := make([]app.JobRecord, 0, len(jobs))
	for _, j := range jobs {
		if j.Status == app.JobAccepted {
			accepted = append(accepted, j)
		}
	}
	slices.SortStableFunc(accepted, func(a, b app.JobRecord) int {
		if n := a.StartsAt.Compare(b.StartsAt); n != 0 {
			return n
		}
		return strings.Compare(a.Number, b.Number)
	})
	return accepted
}

func addJob(c *ics.Calendar, j app.JobRecord, now time.Time) {
	day, hasDay := wallclock.ParseDay(j.Date)
	timed := !j.StartsAt.IsZero() && j.EndsAt.After(j.StartsAt)
	if !timed && !hasDay {
		return
	}
	e := c.AddEvent(uid(j))
	changed := firstTime(j.UpdatedAt, j.ConfirmedAt, j.CreatedAt, now).UTC()
	e.SetDtStampTime(changed)
	e.SetModifiedAt(changed)
	if created := firstTime(j.ConfirmedAt, j.CreatedAt); !created.IsZero() {
		e.SetCreatedTime(created.UTC())
	}
	e.SetSequence(sequence(changed))
	if timed {
		e.SetStartAt(j.StartsAt.UTC())
		e.SetEndAt(j.EndsAt.UTC())
	} else {
		e.SetAllDayStartAt(day.Midnight())
		e.SetAllDayEndAt((day + 1).Midnight())
	}
	title := "Job " + plain(j.Ref)
	if j.Language != "" {
		title = plain(j.Language) + " (" + plain(j.Ref) + ")"
	}
	if j.JobType != "" {
		title += ", " + plain(j.JobType)
	}
	if j.VanishedAt.IsZero() {
		e.SetStatus(ics.ObjectStatusConfirmed)
		e.SetTimeTransparency(ics.TransparencyOpaque)
	} else {
		title = "No longer on your list: " + title
		e.SetStatus(ics.ObjectStatusCancelled)
		e.SetTimeTransparency(ics.TransparencyTransparent)
	}
	e.SetSummary(title)
	e.SetDescription(describe(j, timed))
	if address, ok := address(j.DetailsURL); ok {
		e.SetURL(address)
	}
}

// address gives an address of the web that a URL property may hold: its value is no text
// and is not escaped.
func address(s string) (string, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return "", false
	}
	s = u.String()
	return s, !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

// sequence grows with the time of the record's last change. A record's own version does
// too, and is too large for the 31 bits of an INTEGER (section 3.3.8).
func sequence(changed time.Time) int {
	since := changed.Unix() - time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	return int(min(max(since, 0), math.MaxInt32))
}

// uid is the same for a job for ever. An account's key is a UUID and a job's number has
// digits only, as the board gives it; what an import brings is made safe.
func uid(j app.JobRecord) string {
	return "job-" + token(j.Number) + "-" + token(j.AccountID) + ownUID
}

func token(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-':
			return r
		}
		return '-'
	}, s)
}

func describe(j app.JobRecord, timed bool) string {
	lines := []string{"Job " + plain(j.Ref)}
	if j.Language != "" {
		lines = append(lines, "Language: "+plain(j.Language))
	}
	if j.JobType != "" {
		lines = append(lines, "Type: "+plain(j.JobType))
	}
	switch {
	case j.DurationText != "":
		lines = append(lines, "Duration: "+plain(j.DurationText))
	case j.DurationMinutes > 0:
		lines = append(lines, "Duration: "+strconv.Itoa(j.DurationMinutes)+" minutes")
	}
	if !timed {
		lines = append(lines, "When on that day is not known: see the portal.")
	}
	if !j.VanishedAt.IsZero() {
		lines = append(lines, "The portal no longer shows it as yours.")
	}
	return strings.Join(lines, "\n")
}

func firstTime(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// plain makes one line of a text, without characters that no calendar may hold.
func plain(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}
