package web

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/atozbot/atozbot/app"
)

// Portal is the account at the portal. Secrets go in and never come out.
type Portal interface {
	Account(ctx context.Context) (PortalAccount, error)
	// TryLogIn logs in once, looks at the board once, and says what it saw. An
	// *app.PageError or *app.Error says in words why it did not work.
	TryLogIn(ctx context.Context, l PortalLogIn) (Trial, error)
	// SaveLogIn keeps the log-in, encrypted; CodeConflict where secrets cannot be stored,
	// with what to set.
	SaveLogIn(ctx context.Context, l PortalLogIn, by Person) error
}

// PortalAccount is what may be shown of the account.
type PortalAccount struct {
	BaseURL, Username string
	HasPassword       bool
	// FromEnvironment says that the log-in comes from the settings of the process and can
	// only be changed there.
	FromEnvironment bool
}

// PortalLogIn is a log-in at the portal. An empty password stands for the stored one.
type PortalLogIn struct{ BaseURL, Username, Password string }

// Trial is what a log-in that worked has seen.
type Trial struct {
	Jobs int // Free jobs on the board.
	Took time.Duration
}

// settingsPage is the table of contents of the settings.
type settingsPage struct{ Tiles []tile }

// tile leads to one part of the settings.
type tile struct{ Icon, Name, Help, To string }

func (s *Site) settings(v *visit) (*view, error) {
	p := &settingsPage{}
	for _, part := range []struct {
		icon, name string
		there      bool
	}{
		{"person", "portal", s.Portal != nil},
		{"bell", "notifications", s.Channels != nil},
		{"calendar", "calendars", s.Calendars != nil},
		{"key", "tokens", s.Tokens != nil},
		{"download", "backup", s.Backup != nil},
		{"globe", "language", true},
		{"shield", "security", s.SignIns != nil},
		{"book", "audit", s.Audit != nil},
	} {
		if part.there {
			p.Tiles = append(p.Tiles, tile{part.icon, v.voice.say("settings." + part.name + ".title"), v.voice.say("settings." + part.name + ".help"), "/settings/" + part.name})
		}
	}
	p.Tiles = append(p.Tiles, tile{"compass", v.voice.say("welcome.title"), v.voice.say("welcome.help"), "/welcome"})
	return &view{page: "settings", title: v.voice.say("nav.settings"), nav: "settings", data: p}, nil
}

// settingsView is one part of the settings.
func (v *visit) settingsView(part string, data any) *view {
	return &view{page: "settings-" + part, title: v.voice.say("settings." + part + ".title"), nav: "settings", data: data}
}

// portalPage is the account, and what a trial saw.
type portalPage struct {
	Account PortalAccount
	Tried   string
	Wrong   string
	From    string // Where the form stands: "settings" or "welcome".
	Done    bool   // It is known already: testing it is not what comes next.
}

func (s *Site) portalSettings(v *visit) (*view, error) {
	if s.Portal == nil {
		return notBuilt(v), nil
	}
	account, err := s.Portal.Account(v.r.Context())
	if err != nil {
		return nil, err
	}
	return v.settingsView("portal", &portalPage{Account: account, From: "settings"}), nil
}

// tryTimeout is how long a log-in on the spot may take.
const tryTimeout = 25 * time.Second

// tryPortal logs in on the spot and, where it worked and was asked for, keeps the log-in.
func (s *Site) tryPortal(v *visit) (*after, error) {
	if s.Portal == nil {
		return nil, app.Errorf(app.CodeNotFound, "There is no portal in this build.")
	}
	ctx, cancel := context.WithTimeout(v.r.Context(), tryTimeout)
	defer cancel()
	form := v.r.PostForm
	l := PortalLogIn{BaseURL: form.Get("base_url"), Username: form.Get("portal_username"), Password: form.Get("portal_password")}
	account, err := s.Portal.Account(ctx)
	if err != nil {
		return nil, err
	}
	if account.FromEnvironment {
		l = PortalLogIn{BaseURL: account.BaseURL, Username: account.Username}
	}
	p := &portalPage{Account: account, From: form.Get("from")}
	p.Account.BaseURL, p.Account.Username = l.BaseURL, l.Username
	trial, err := s.Portal.TryLogIn(ctx, l)
	if err != nil {
		p.Wrong = s.reason(v, err)
		s.showPortal(v, http.StatusUnprocessableEntity, p)
		return nil, nil
	}
	if form.Get("save") != "" && !account.FromEnvironment {
		if err := s.Portal.SaveLogIn(ctx, l, v.person); err != nil {
			p.Wrong = s.reason(v, err)
			s.showPortal(v, http.StatusUnprocessableEntity, p)
			return nil, nil
		}
		to := "/settings/portal"
		if p.From == "welcome" {
			to = "/welcome"
		}
		return &after{to: to, say: "flash.portalSaved", args: []string{"jobs", v.voice.number(trial.Jobs)}}, nil
	}
	p.Tried = v.voice.say("portal.worked", "count", trial.Jobs, "took", v.voice.took(trial.Took))
	s.showPortal(v, http.StatusOK, p)
	return nil, nil
}

// showPortal shows the form again where it stood.
func (s *Site) showPortal(v *visit, status int, p *portalPage) {
	if p.From == "welcome" {
		shown, err := s.welcomePage(v, p)
		if err != nil {
			s.showFailure(v, err)
			return
		}
		shown.status = status
		s.show(v, shown)
		return
	}
	shown := v.settingsView("portal", p)
	shown.status = status
	s.show(v, shown)
}

// Channels are where notifications go. Addresses go in and never come out.
type Channels interface {
	Channels(ctx context.Context) ([]Channel, error)
	// AddChannel keeps a channel; CodeInvalid where the address is none.
	AddChannel(ctx context.Context, c Channel, address string, by Person) error
	// SetChannel switches a channel on or off.
	SetChannel(ctx context.Context, id string, on bool, by Person) error
	DeleteChannel(ctx context.Context, id string, by Person) error
	// TestChannel sends a test at once, and says in words why it could not.
	TestChannel(ctx context.Context, id string) error
}

// Channel is one place that notifications go to.
type Channel struct {
	ID, Name  string
	Kind      string   // The address's scheme: "telegram", "smtp", "ntfy".
	Events    []string // The names of ChannelEvents that it is told of.
	On        bool
	LastSent  time.Time
	LastError string
}

// ChannelEvents are what a channel can be told of.
func ChannelEvents() []string {
	return []string{"accepted", "ask", "vanished", "problem", "cap", "digest"}
}

// channelsPage is the channels and the form for another.
type channelsPage struct {
	Channels []Channel
	Events   []string
}

func (s *Site) channelSettings(v *visit) (*view, error) {
	if s.Channels == nil {
		return notBuilt(v), nil
	}
	all, err := s.Channels.Channels(v.r.Context())
	if err != nil {
		return nil, err
	}
	return v.settingsView("notifications", &channelsPage{Channels: all, Events: ChannelEvents()}), nil
}

func (s *Site) changeChannels(v *visit) (*after, error) {
	if s.Channels == nil {
		return nil, app.Errorf(app.CodeNotFound, "There are no notifications in this build.")
	}
	ctx, form := v.r.Context(), v.r.PostForm
	id, back := v.r.Form.Get("id"), "/settings/notifications" // Taking it back names it in the address.
	switch v.r.PathValue("do") {
	case "add":
		c := Channel{Name: form.Get("name"), Events: form["events"], On: true}
		return &after{to: back, say: "flash.channelAdded"}, s.Channels.AddChannel(ctx, c, form.Get("address"), v.person)
	case "on":
		return &after{to: back, say: "flash.channelOn", undo: back + "/off?id=" + url.QueryEscape(id)}, s.Channels.SetChannel(ctx, id, true, v.person)
	case "off":
		return &after{to: back, say: "flash.channelOff", undo: back + "/on?id=" + url.QueryEscape(id)}, s.Channels.SetChannel(ctx, id, false, v.person)
	case "test":
		return &after{to: back, say: "flash.channelTested"}, s.Channels.TestChannel(ctx, id)
	case "delete":
		if !s.confirmed(v, "confirm.channel", back+"/delete", back) {
			return nil, nil
		}
		return &after{to: back, say: "flash.deleted"}, s.Channels.DeleteChannel(ctx, id, v.person)
	}
	return nil, app.Errorf(app.CodeNotFound, "There is no such act.")
}

// confirmed asks before what cannot be undone; it is true once the answer was yes.
func (s *Site) confirmed(v *visit, key, post, back string) bool {
	if v.r.PostForm.Get("confirmed") != "" {
		return true
	}
	p := confirmPage{
		Title: v.voice.say(key + ".title"), What: []string{v.voice.say(key + ".what")}, Do: v.voice.say(key + ".do"),
		Post: post, Back: back, Fields: sentOn(v.r.PostForm),
	}
	s.show(v, &view{page: "confirm", title: p.Title, nav: "settings", data: p})
	return false
}
