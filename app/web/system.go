package web

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
)

// Log is the log that the dashboard shows. A database that is away is CodeUnavailable.
type Log interface {
	// Entries gives one page, newest first.
	Entries(ctx context.Context, f LogFilter) (LogPage, error)
}

// LogFilter picks lines of the log. Zero values pick all.
type LogFilter struct {
	Level  string // The least: DEBUG, INFO, WARNING, ERROR.
	Query  string // Looked for in message and component, case aside.
	Cursor string // LogPage.Next of the page before.
	Limit  int
}

// LogPage is one page of the log.
type LogPage struct {
	Entries []app.LogEntry
	Next    string
}

// logShown is how many lines one page of the log shows.
const logShown = 100

// systemPage is what everything stands on, and the log.
type systemPage struct {
	Services  []serviceLine
	Bot       []figure
	Journaled int
	Version   string
	Log       *logPage
}

// serviceLine is a dependency in words.
type serviceLine struct {
	Name, State, Icon, Tone string
	Reason, Advice          string
	LastGood, LastCheck     time.Time
	NextTry                 time.Time
	Retries                 int
}

// logPage is the log, filtered.
type logPage struct {
	Level, Query string
	Levels       []string
	Lines        []logLine
	Older        string
	Self         string
	Away         bool
}

// logLine is one line of the log.
type logLine struct {
	app.LogEntry
	Icon, Tone string
}

func (s *Site) system(v *visit) (*view, error) {
	p := s.systemPage(v)
	var err error
	if p.Log, err = s.logPage(v); err != nil {
		return nil, err
	}
	return &view{page: "system", title: v.voice.say("nav.system"), nav: "system", live: true, data: p}, nil
}

// systemLive is the part of the System page that tells how things stand, alone.
func (s *Site) systemLive(v *visit) (*view, error) {
	v.w.Header().Set("Cache-Control", "no-store")
	return &view{page: "system", piece: "system-live", data: s.systemPage(v)}, nil
}

// systemLog is the lines of the log alone.
func (s *Site) systemLog(v *visit) (*view, error) {
	p, err := s.logPage(v)
	if err != nil {
		return nil, err
	}
	v.w.Header().Set("Cache-Control", "no-store")
	return &view{page: "system", piece: "log-lines", data: p}, nil
}

func (s *Site) systemPage(v *visit) *systemPage {
	snapshot := s.Health.Snapshot()
	p := &systemPage{Journaled: snapshot.Journaled, Version: s.Version, Bot: s.botFigures(v)}
	for _, service := range snapshot.Services {
		p.Services = append(p.Services, v.serviceLine(service))
	}
	return p
}

func (v *visit) serviceLine(s Service) serviceLine {
	line := serviceLine{
		Name: upperFirst(serviceName(v.voice, s.Name)), State: v.voice.say("state." + string(s.State)), Reason: upperFirst(v.voice.retell(s.Reason)), Advice: v.voice.retell(s.Advice),
		LastGood: s.LastGood, LastCheck: s.LastCheck, NextTry: s.NextTry, Retries: s.Retries,
	}
	switch s.State {
	case ServiceHealthy:
		line.Icon, line.Tone = "check", "ok"
	case ServiceStarting:
		line.Icon, line.Tone = "hourglass", "wait"
	case ServiceDegraded:
		line.Icon, line.Tone = "alert", "warn"
	case ServiceOff:
		line.Icon, line.Tone = "minus", "calm"
	default:
		line.Icon, line.Tone = "cross", "bad"
	}
	return line
}

// botFigures tells how the bot looks at the board.
func (s *Site) botFigures(v *visit) []figure {
	status := s.Bot.Status(v.r.Context())
	known := func(d time.Duration) string {
		if d <= 0 {
			return "–"
		}
		return v.voice.took(d)
	}
	all := []figure{
		{v.voice.say("system.wanted"), known(status.Interval), v.voice.say("system.wantedNote")},
		{v.voice.say("system.real"), known(status.RealInterval), v.voice.say("system.realNote")},
		{v.voice.say("system.onBoard"), v.voice.number(status.OnBoard), v.voice.say("system.onBoardNote")},
		{v.voice.say("system.looks"), v.voice.number(status.Session.TotalChecks), v.voice.say("system.looksNote")},
	}
	if status.Session.Running() && !status.Session.StartedAt.IsZero() {
		all = append(all, figure{v.voice.say("system.runs"), v.voice.took(s.Now().Sub(status.Session.StartedAt)), orElse(status.Session.Name, v.voice.moment(status.Session.StartedAt))})
	}
	if status.Holder != "" && status.Holder != status.Replica {
		all = append(all, figure{v.voice.say("system.holder"), status.Holder, v.voice.say("system.holderNote", "replica", status.Replica)})
	}
	return all
}

func levels() []string { return []string{"DEBUG", "INFO", "WARNING", "ERROR"} }

func (s *Site) logPage(v *visit) (*logPage, error) {
	if s.LogEntries == nil {
		return nil, nil
	}
	q := v.r.URL.Query()
	p := &logPage{Level: strings.ToUpper(q.Get("level")), Query: shortened(strings.TrimSpace(q.Get("q")), 200), Levels: levels()}
	if !slices.Contains(levels(), p.Level) {
		p.Level = "INFO"
	}
	at := url.Values{"level": {p.Level}}
	if p.Query != "" {
		at.Set("q", p.Query)
	}
	p.Self = "/system/log?" + at.Encode()
	page, err := s.LogEntries.Entries(v.r.Context(), LogFilter{Level: p.Level, Query: p.Query, Cursor: q.Get("cursor"), Limit: logShown})
	if codeOf(err) == app.CodeUnavailable {
		p.Away = true
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range page.Entries {
		line := logLine{LogEntry: e, Icon: "minus", Tone: "calm"}
		switch e.Level {
		case "ERROR":
			line.Icon, line.Tone = "cross", "bad"
		case "WARNING":
			line.Icon, line.Tone = "alert", "warn"
		}
		p.Lines = append(p.Lines, line)
	}
	if page.Next != "" {
		at.Set("cursor", page.Next)
		p.Older = "/system?" + at.Encode() + "#log"
	}
	return p, nil
}

func (s *Site) checkNow(*visit) (*after, error) {
	s.Health.CheckNow()
	return &after{to: "/system", say: "flash.checking"}, nil
}
