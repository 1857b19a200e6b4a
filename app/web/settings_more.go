package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
)

// Calendars are the feed of bookings, and the calendars that keep time busy.
type Calendars interface {
	// FeedPath gives the path of the feed, "/calendar/SECRET.ics"; RenewFeed makes a new
	// one, and the old one holds no longer.
	FeedPath(ctx context.Context) (string, error)
	RenewFeed(ctx context.Context, by Person) error

	BusyCalendars(ctx context.Context) ([]BusyCalendar, error)
	// AddBusyCalendar keeps the address of a calendar, encrypted; CodeInvalid where it is
	// none, or one that must not be asked.
	AddBusyCalendar(ctx context.Context, name, address string, by Person) error
	DeleteBusyCalendar(ctx context.Context, id string, by Person) error
	// ReadBusyCalendar reads it now, and says in words why it could not.
	ReadBusyCalendar(ctx context.Context, id string) error
}

// BusyCalendar is a calendar whose entries keep time busy.
type BusyCalendar struct {
	ID, Name  string
	Entries   int // To come.
	LastRead  time.Time
	LastError string
}

// calendarsPage is the feed and the busy calendars.
type calendarsPage struct {
	Feed string
	Busy []BusyCalendar
}

func (s *Site) calendarSettings(v *visit) (*view, error) {
	if s.Calendars == nil {
		return notBuilt(v), nil
	}
	path, err := s.Calendars.FeedPath(v.r.Context())
	if err != nil {
		return nil, err
	}
	busy, err := s.Calendars.BusyCalendars(v.r.Context())
	if err != nil {
		return nil, err
	}
	scheme := "http://"
	if s.proxies.secure(v.r) {
		scheme = "https://"
	}
	return v.settingsView("calendars", &calendarsPage{Feed: scheme + v.r.Host + path, Busy: busy}), nil
}

func (s *Site) changeCalendars(v *visit) (*after, error) {
	if s.Calendars == nil {
		return nil, app.Errorf(app.CodeNotFound, "There are no calendars in this build.")
	}
	ctx, form := v.r.Context(), v.r.PostForm
	back := "/settings/calendars"
	switch v.r.PathValue("do") {
	case "renew":
		if !s.confirmed(v, "confirm.feed", back+"/renew", back) {
			return nil, nil
		}
		return &after{to: back, say: "flash.feedRenewed"}, s.Calendars.RenewFeed(ctx, v.person)
	case "add":
		return &after{to: back, say: "flash.calendarAdded"}, s.Calendars.AddBusyCalendar(ctx, form.Get("name"), form.Get("address"), v.person)
	case "read":
		return &after{to: back, say: "flash.calendarRead"}, s.Calendars.ReadBusyCalendar(ctx, form.Get("id"))
	case "delete":
		if !s.confirmed(v, "confirm.calendar", back+"/delete", back) {
			return nil, nil
		}
		return &after{to: back, say: "flash.deleted"}, s.Calendars.DeleteBusyCalendar(ctx, form.Get("id"), v.person)
	}
	return nil, app.Errorf(app.CodeNotFound, "There is no such act.")
}

// Tokens are the bearer tokens for scripts.
type Tokens interface {
	Tokens(ctx context.Context) ([]Token, error)
	// AddToken makes a token and gives its secret, which is not kept. A zero expiry is none.
	AddToken(ctx context.Context, name, scope string, expires time.Time, by Person) (secret string, err error)
	RevokeToken(ctx context.Context, id string, by Person) error
}

// Token is a bearer token without its secret.
type Token struct {
	ID, Name, Scope                             string
	CreatedAt, ExpiresAt, LastUsedAt, RevokedAt time.Time
}

// Gone tells whether the token holds no longer.
func (t Token) Gone(now time.Time) bool {
	return !t.RevokedAt.IsZero() || !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt)
}

// tokensPage is the tokens, and the secret of the newest, once.
type tokensPage struct {
	Tokens []Token
	Secret string
	Scopes []string
	Now    time.Time
}

func (s *Site) tokenSettings(v *visit) (*view, error) { return s.tokensView(v, "") }

func (s *Site) tokensView(v *visit, secret string) (*view, error) {
	if s.Tokens == nil {
		return notBuilt(v), nil
	}
	all, err := s.Tokens.Tokens(v.r.Context())
	if err != nil {
		return nil, err
	}
	return v.settingsView("tokens", &tokensPage{Tokens: all, Secret: secret, Scopes: []string{"read", "control", "admin"}, Now: s.Now()}), nil
}

func (s *Site) changeTokens(v *visit) (*after, error) {
	if s.Tokens == nil {
		return nil, app.Errorf(app.CodeNotFound, "There are no tokens in this build.")
	}
	ctx, form := v.r.Context(), v.r.PostForm
	back := "/settings/tokens"
	switch v.r.PathValue("do") {
	case "add":
		var expires time.Time
		if days, err := strconv.Atoi(form.Get("days")); err == nil && days > 0 && days <= 3660 {
			expires = s.Now().AddDate(0, 0, days)
		}
		secret, err := s.Tokens.AddToken(ctx, strings.TrimSpace(form.Get("name")), form.Get("scope"), expires, v.person)
		if err != nil {
			return nil, err
		}
		s.done(v, s.deedOf(v))
		shown, err := s.tokensView(v, secret)
		if err != nil {
			return nil, err
		}
		v.w.Header().Set("Cache-Control", "no-store")
		s.show(v, shown)
		return nil, nil
	case "revoke":
		if !s.confirmed(v, "confirm.token", back+"/revoke", back) {
			return nil, nil
		}
		return &after{to: back, say: "flash.tokenRevoked"}, s.Tokens.RevokeToken(ctx, form.Get("id"), v.person)
	}
	return nil, app.Errorf(app.CodeNotFound, "There is no such act.")
}

// Backup makes one file of everything but secrets.
type Backup interface {
	// LastBackup is when the newest was made; zero where none was.
	LastBackup(ctx context.Context) (time.Time, error)
	// WriteBackup writes it, in bounded memory.
	WriteBackup(ctx context.Context, w io.Writer) error
}

// backupPage says when the newest backup was made.
type backupPage struct{ Last time.Time }

func (s *Site) backupSettings(v *visit) (*view, error) {
	if s.Backup == nil {
		return notBuilt(v), nil
	}
	last, err := s.Backup.LastBackup(v.r.Context())
	if err != nil {
		return nil, err
	}
	return v.settingsView("backup", &backupPage{Last: last}), nil
}

// downloadBackup sends the backup as it is made.
func (s *Site) downloadBackup(v *visit) (*after, error) {
	if s.Backup == nil {
		return nil, app.Errorf(app.CodeNotFound, "There is no backup in this build.")
	}
	h := v.w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", `attachment; filename="atozbot-`+s.Now().UTC().Format("20060102-1504")+`.backup"`)
	h.Set("Cache-Control", "no-store")
	_ = http.NewResponseController(v.w).SetWriteDeadline(time.Time{}) // However large it is.
	started := &startedWriter{w: v.w}
	err := s.Backup.WriteBackup(v.r.Context(), started)
	switch {
	case err == nil:
		s.note(v, v.person.Name, "backup downloaded")
	case started.any: // Half a file must not look like a whole one: the connection is broken off.
		s.Log.Error("the backup broke off", "error", err)
		panic(http.ErrAbortHandler)
	default:
		h.Del("Content-Disposition")
		return nil, err
	}
	return nil, nil
}

// startedWriter knows whether anything was written.
type startedWriter struct {
	w   io.Writer
	any bool
}

func (s *startedWriter) Write(b []byte) (int, error) {
	s.any = true
	return s.w.Write(b)
}

// languagePage is the languages of the dashboard and the zone of the times.
type languagePage struct {
	Current string
	Zone    string
	Version int64
}

func (s *Site) languageSettings(v *visit) (*view, error) {
	c, err := s.Configurations.Configuration(v.r.Context())
	if err != nil {
		return nil, err
	}
	return v.settingsView("language", &languagePage{Current: v.voice.code, Zone: c.TimeZone, Version: c.Version}), nil
}

// setLanguage keeps the language in this browser.
func (s *Site) setLanguage(v *visit) (*after, error) {
	w := s.views.catalogue.named(v.r.PostForm.Get("language"))
	if w == nil {
		return nil, app.Errorf(app.CodeInvalid, "There is no such language.")
	}
	http.SetCookie(v.w, &http.Cookie{
		Name: languageCookie, Value: w.code, Path: "/", MaxAge: int(365 * 24 * time.Hour / time.Second),
		HttpOnly: true, Secure: s.proxies.secure(v.r), SameSite: http.SameSiteLaxMode,
	})
	return &after{to: "/settings/language", say: "flash.language"}, nil
}

// setZone saves the zone as a new version of the configuration.
func (s *Site) setZone(v *visit) (*after, error) {
	c, err := s.Configurations.Configuration(v.r.Context())
	if err != nil {
		return nil, err
	}
	c.TimeZone = strings.TrimSpace(v.r.PostForm.Get("time_zone"))
	if _, err := time.LoadLocation(c.TimeZone); err != nil || c.TimeZone == "" || c.TimeZone == "Local" {
		return nil, app.Errorf(app.CodeInvalid, "%s", v.voice.say("language.noZone"))
	}
	saved, err := s.Configurations.Save(v.r.Context(), c, v.person)
	if err != nil {
		return nil, err
	}
	return &after{to: "/settings/language", say: "flash.saved", args: []string{"version", v.voice.number(saved.Version)}, undo: "/rules/undo"}, nil
}

// securityPage is who is signed in where, and the password.
type securityPage struct {
	Name    string
	SignIns []signInLine
	Local   bool
	Least   int
}

// signInLine is one browser that is signed in.
type signInLine struct {
	SignIn
	This bool
}

func (s *Site) securitySettings(v *visit) (*view, error) {
	if s.SignIns == nil {
		return notBuilt(v), nil
	}
	p := &securityPage{Name: v.person.Name, Local: v.person.Local, Least: leastPassword}
	if v.person.Name != "" {
		all, err := s.SignIns.SignIns(v.r.Context(), v.person.Name)
		if err != nil {
			return nil, err
		}
		this := ""
		if cookie, err := v.r.Cookie(sessionCookie); err == nil {
			this = keyOf(cookie.Value)
		}
		for _, in := range all {
			if in.ExpiresAt.After(s.Now()) {
				p.SignIns = append(p.SignIns, signInLine{in, in.Key == this})
			}
		}
	}
	return v.settingsView("security", p), nil
}

// auditPage is the audit log.
type auditPage struct {
	Entries []AuditEntry
	Older   string
}

// auditShown is how many lines one page of the audit log shows.
const auditShown = 100

func (s *Site) auditSettings(v *visit) (*view, error) {
	if s.Audit == nil {
		return notBuilt(v), nil
	}
	entries, next, err := s.Audit.Entries(v.r.Context(), v.r.URL.Query().Get("cursor"), auditShown)
	if err != nil {
		return nil, err
	}
	p := &auditPage{Entries: entries}
	if next != "" {
		p.Older = "/settings/audit?" + url.Values{"cursor": {next}}.Encode()
	}
	return v.settingsView("audit", p), nil
}

// reason says in words why something did not work, as far as people may read it.
func (s *Site) reason(v *visit, err error) string {
	if e, ok := errors.AsType[*app.PageError](err); ok {
		return upperFirst(v.voice.retell(e.Reason)) + "."
	}
	if e, ok := errors.AsType[*app.Error](err); ok && e.Code != app.CodeInternal {
		return v.voice.retell(e.Message)
	}
	s.Log.Error("a trial of the portal failed", "error", err)
	return v.voice.say("error.internal.what")
}
