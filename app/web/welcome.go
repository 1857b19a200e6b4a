package web

import "github.com/atozbot/atozbot/app"

// welcomeJobs is how many jobs the guide shows of what would have been taken.
const welcomeJobs = 8

// welcomePage guides through the first start: the log-in, watching, what would have been
// taken, and going live.
type welcomePage struct {
	Portal   *portalPage
	SignedUp bool   // Sign-in is set up, or cannot be.
	LoggedIn bool   // The log-in is known.
	Missing  string // What is not set for it, where it can only be set outside.
	Running  bool
	Seen     int64
	Fitting  []jobLine
	Live     bool
	Version  int64
	Step     int // The first that is to be done, 1 to 5; 6 when all is.
}

func (s *Site) welcome(v *visit) (*view, error) { return s.welcomePage(v, nil) }

func (s *Site) welcomePage(v *visit, tried *portalPage) (*view, error) {
	ctx := v.r.Context()
	status := s.Bot.Status(ctx)
	c, err := s.Configurations.Configuration(ctx)
	if err != nil {
		return nil, err
	}
	counts, err := s.Jobs.Counts(ctx, JobFilter{Own: true})
	if err != nil {
		return nil, err
	}
	p := &welcomePage{
		Portal: tried, SignedUp: !v.person.Local || s.SignIns == nil, LoggedIn: len(status.MissingSettings) == 0,
		Running: status.Session.Running() || status.Session.Status == app.SessionStarting,
		Missing: v.voice.list(status.MissingSettings), Seen: counts.All, Live: c.Mode == app.ModeLive, Version: c.Version,
	}
	if p.Portal == nil && s.Portal != nil {
		account, err := s.Portal.Account(ctx)
		if err != nil {
			return nil, err
		}
		p.Portal = &portalPage{Account: account, From: "welcome", Done: p.LoggedIn}
	}
	page, err := s.Jobs.Jobs(ctx, JobFilter{Own: true, Limit: 200})
	if err != nil {
		return nil, err
	}
	for _, job := range page.Jobs {
		if job.Verdict == app.VerdictAccept && len(p.Fitting) < welcomeJobs {
			p.Fitting = append(p.Fitting, v.jobLine(job))
		}
	}
	p.Step = p.next()
	return &view{page: "welcome", title: v.voice.say("welcome.title"), nav: "settings", live: true, data: p}, nil
}

// next gives the first step that is not done.
func (p *welcomePage) next() int {
	switch {
	case !p.SignedUp:
		return 1
	case !p.LoggedIn:
		return 2
	case !p.Running && p.Seen == 0:
		return 3
	case !p.Live && p.Seen == 0:
		return 4
	case !p.Live:
		return 5
	}
	return 6
}

// goLive goes live after a question in words.
func (s *Site) goLive(v *visit) (*after, error) {
	c, err := s.Configurations.Configuration(v.r.Context())
	if err != nil {
		return nil, err
	}
	draft := c
	draft.Mode = app.ModeLive
	if what := v.irreversible(c, draft); len(what) > 0 && v.r.PostForm.Get("confirmed") == "" {
		shown := v.confirmRules(c, draft, what)
		p := shown.data.(confirmPage)
		p.Post, p.Back = "/welcome/live", "/welcome"
		shown.data = p
		s.show(v, shown)
		return nil, nil
	}
	saved, err := s.Configurations.Save(v.r.Context(), draft, v.person)
	if err != nil {
		return nil, err
	}
	return &after{to: "/", say: "flash.live", args: []string{"version", v.voice.number(saved.Version)}, undo: "/rules/undo"}, nil
}
