package web

import (
	"html/template"
	"time"

	"github.com/atozbot/atozbot/app"
)

// recentShown is how many decisions the Now page shows.
const recentShown = 5

// nowPage answers in five seconds: what the bot does, what comes next, what it did last,
// and how much it may still take.
type nowPage struct {
	Hero     hero
	Asking   []jobLine
	Next     *bookingLine
	Recent   []jobLine
	Limits   []limit
	Controls []button
	Total    totals
	Away     bool // The records cannot be read now.
}

// hero is the one sentence, and the one button that mends it.
type hero struct {
	Tone   string // ok, calm, warn, bad, wait
	Icon   string
	Lead   template.HTML   // "Watching."
	More   []template.HTML // The sentences after it.
	Advice string
	Button *button
}

// button is one thing to press: a form of its own, or a link.
type button struct {
	Label string
	Icon  string
	Post  string // Where it posts to; else Href.
	Href  string
	Kind  string // "primary", "quiet", "danger"
}

// totals are the session's own counters.
type totals struct{ Checks, Accepted, Rejected int64 }

// limit is a cap and what is left of it.
type limit struct {
	Text string
	Used float64 // Of the cap, 0 to 1.
	Full bool
}

// Percent is what is used, of a hundred.
func (l limit) Percent() float64 { return 100 * l.Used }

func (s *Site) now(v *visit) (*view, error) {
	p, err := s.nowPage(v)
	if err != nil {
		return nil, err
	}
	return &view{page: "now", title: v.voice.say("nav.now"), nav: "now", live: true, data: p}, nil
}

// nowLive is the live piece of the Now page alone.
func (s *Site) nowLive(v *visit) (*view, error) {
	p, err := s.nowPage(v)
	if err != nil {
		return nil, err
	}
	v.w.Header().Set("Cache-Control", "no-store")
	return &view{page: "now", piece: "now-live", data: p}, nil
}

func (s *Site) nowPage(v *visit) (*nowPage, error) {
	status := s.Bot.Status(v.r.Context())
	p := &nowPage{
		Controls: controls(v.voice, status),
		Total:    totals{status.Session.TotalChecks, status.Session.TotalAccepted, status.Session.TotalRejected},
	}
	var booked int64
	err := s.readNow(v, p, &booked)
	switch codeOf(err) {
	case "":
	case app.CodeUnavailable:
		p.Away = true // The bot's own state is shown all the same.
	default:
		return nil, err
	}
	p.Hero = s.hero(v.voice, status, booked)
	p.Limits = append(sessionLimit(v.voice, status), p.Limits...)
	return p, nil
}

// readNow fills what comes from the records.
func (s *Site) readNow(v *visit, p *nowPage, booked *int64) error {
	ctx, now := v.r.Context(), s.Now().In(v.voice.zone)
	today := midnight(now)
	page, err := s.Jobs.Jobs(ctx, JobFilter{Own: true, Limit: recentShown})
	if err != nil {
		return err
	}
	p.Recent = v.jobLines(page.Jobs)
	asking, err := s.Jobs.Jobs(ctx, JobFilter{Own: true, Kind: KindAsk, Limit: recentShown})
	if err != nil {
		return err
	}
	p.Asking = v.jobLines(asking.Jobs)
	counts, err := s.Jobs.Counts(ctx, JobFilter{Own: true, Since: today})
	if err != nil {
		return err
	}
	*booked = counts.Accepted
	monday := today.AddDate(0, 0, -(int(today.Weekday())+6)%7)
	bookings, err := s.Jobs.Bookings(ctx, monday, today.AddDate(0, 0, 60))
	if err != nil {
		return err
	}
	p.Next = v.nextBooking(bookings, now)
	c, err := s.Configurations.Configuration(ctx)
	if err != nil {
		return err
	}
	p.Limits = v.limits(c, bookings, today, monday)
	return nil
}

// nextBooking gives the first booking that is not over.
func (v *visit) nextBooking(bookings []app.JobRecord, now time.Time) *bookingLine {
	for _, job := range bookings {
		if job.VanishedAt.IsZero() && job.EndsAt.After(now) {
			line := v.bookingLine(job)
			return &line
		}
	}
	return nil
}

// limits gives the caps of the configuration, with what is used of them.
func (v *visit) limits(c app.Configuration, bookings []app.JobRecord, today, monday time.Time) []limit {
	var day, week int
	var hours float64
	for _, job := range bookings {
		if !job.VanishedAt.IsZero() || job.StartsAt.IsZero() {
			continue
		}
		at := job.StartsAt.In(v.voice.zone)
		if !at.Before(today) && at.Before(today.AddDate(0, 0, 1)) {
			day++
			hours += job.EndsAt.Sub(job.StartsAt).Hours()
		}
		if !at.Before(monday) && at.Before(monday.AddDate(0, 0, 7)) {
			week++
		}
	}
	var all []limit
	if c.MaxPerDay > 0 {
		all = append(all, newLimit(v.voice, "limit.day", float64(day), float64(c.MaxPerDay)))
	}
	if c.MaxPerWeek > 0 {
		all = append(all, newLimit(v.voice, "limit.week", float64(week), float64(c.MaxPerWeek)))
	}
	if c.MaxHoursPerDay > 0 {
		all = append(all, newLimit(v.voice, "limit.hours", hours, c.MaxHoursPerDay))
	}
	return all
}

// sessionLimit gives the cap of the session.
func sessionLimit(v *voice, status BotStatus) []limit {
	if status.Cap <= 0 {
		return nil
	}
	return []limit{newLimit(v, "limit.session", float64(status.Session.TotalAccepted), float64(status.Cap))}
}

func newLimit(v *voice, key string, used, most float64) limit {
	left := max(most-used, 0)
	return limit{
		Text: v.say(key, "left", v.decimal(left), "most", v.decimal(most)),
		Used: min(used/most, 1),
		Full: left == 0,
	}
}

// controls are the buttons in reach of the thumb.
func controls(v *voice, status BotStatus) []button {
	pause := button{Label: v.say("bot.pause"), Icon: "pause", Post: "/bot/pause", Kind: "primary"}
	resume := button{Label: v.say("bot.resume"), Icon: "play", Post: "/bot/resume", Kind: "primary"}
	stop := button{Label: v.say("bot.stop"), Icon: "stop", Post: "/bot/stop", Kind: "quiet"}
	start := button{Label: v.say("bot.start"), Icon: "play", Post: "/bot/start", Kind: "primary"}
	switch status.Session.Status {
	case app.SessionRunning, app.SessionStarting:
		return []button{pause, stop}
	case app.SessionPaused:
		return []button{resume, stop}
	case app.SessionStopping:
		return []button{stop}
	case app.SessionStopped, app.SessionError:
	}
	if len(status.MissingSettings) > 0 {
		return nil
	}
	return []button{start}
}

// midnight gives the beginning of t's day on its clock.
func midnight(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, t.Location())
}
