package web

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/atozbot/atozbot/app"
)

// Options is what the pages need of the rest of the house. Bot, Health, Jobs and
// Configurations must be there; a page whose interface is nil says that it is not part
// of this build.
type Options struct {
	Version string
	Demo    bool // The practice portal runs in this process: nothing on the pages is real.

	Bot            Bot
	Health         Health
	Jobs           Jobs
	Configurations Configurations
	SignIns        SignIns // nil: nobody can sign in, and only this computer is let in.
	Insights       Insights
	LogEntries     Log
	Portal         Portal
	Channels       Channels
	Calendars      Calendars
	Tokens         Tokens
	Backup         Backup
	Audit          Audit // nil: who signs in is noted nowhere.

	// FirstPassword makes the user "admin" where there is no user yet; "" leaves that to
	// the set-up link.
	FirstPassword string

	// TrustedProxies are the addresses whose X-Forwarded-For and -Proto are believed.
	TrustedProxies []netip.Prefix

	Now func() time.Time // The clock; nil is time.Now.
	Log *slog.Logger     // nil is silence.
}

// Site is the dashboard. It is an http.Handler for everything that is neither API nor
// health, and knows who is signed in.
type Site struct {
	Options
	assets    *assets
	views     *views
	proxies   proxies
	visitors  *visitors
	passwords *passwords
	routes    http.Handler
}

// New builds the dashboard. It fails only where its own parts do not fit together: a
// template that does not parse, a text without its translation.
func New(o Options) (*Site, error) {
	if o.Bot == nil || o.Health == nil || o.Jobs == nil || o.Configurations == nil {
		return nil, errors.New("web: bot, health, jobs and configurations are needed")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	a, err := newAssets()
	if err != nil {
		return nil, err
	}
	v, err := newViews(a, o.Now)
	if err != nil {
		return nil, err
	}
	s := &Site{Options: o, assets: a, views: v, proxies: o.TrustedProxies}
	s.passwords = newPasswords()
	s.visitors = newVisitors(o.SignIns, s.makeFirstUser, o.Now, rand.Text())
	s.routes = s.handler()
	return s, nil
}

// makeFirstUser makes the user of the first password, where one was given.
func (s *Site) makeFirstUser(ctx context.Context) (bool, error) {
	if s.FirstPassword == "" {
		return false, nil
	}
	err := s.addFirstUser(ctx, firstUser, s.FirstPassword)
	if app.CodeOf(err) == app.CodeConflict {
		return true, nil // Another replica was faster.
	}
	return err == nil, err
}

// ServeHTTP answers one request.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.routes.ServeHTTP(w, r) }

// handler is the table of contents of the dashboard.
func (s *Site) handler() http.Handler {
	mux := http.NewServeMux()

	// For anyone: nothing of these tells anything.
	mux.Handle("GET /static/{hash}/{file...}", s.assets)
	s.handleFiles(mux)

	mux.Handle("GET /sign-in", s.open(s.signInForm))
	mux.Handle("POST /sign-in", s.open(s.signIn))
	for _, path := range []string{"/set-up", "/set-up/{secret}"} {
		mux.Handle("GET "+path, s.open(s.setUpForm))
		mux.Handle("POST "+path, s.open(s.setUp))
	}
	mux.Handle("POST /sign-out", s.act(s.signOut))
	mux.Handle("POST /sign-out/everywhere", s.act(s.signOutEverywhere))

	// Pages.
	mux.Handle("GET /{$}", s.page(s.now))
	mux.Handle("GET /now/live", s.page(s.nowLive))
	mux.Handle("GET /bookings", s.page(s.bookings))
	mux.Handle("GET /activity", s.page(s.activity))
	mux.Handle("GET /jobs/{id}", s.page(s.job))
	mux.Handle("GET /jobs/{id}/booking.ics", s.page(s.jobCalendar))
	mux.Handle("GET /rules", s.page(s.rules))
	mux.Handle("GET /insights", s.page(s.insights))
	mux.Handle("GET /system", s.page(s.system))
	mux.Handle("GET /system/live", s.page(s.systemLive))
	mux.Handle("GET /system/log", s.page(s.systemLog))
	mux.Handle("POST /system/check", s.act(s.checkNow))
	mux.Handle("GET /settings", s.page(s.settings))
	mux.Handle("GET /settings/portal", s.page(s.portalSettings))
	mux.Handle("GET /settings/notifications", s.page(s.channelSettings))
	mux.Handle("GET /settings/calendars", s.page(s.calendarSettings))
	mux.Handle("GET /settings/tokens", s.page(s.tokenSettings))
	mux.Handle("GET /settings/backup", s.page(s.backupSettings))
	mux.Handle("GET /settings/language", s.page(s.languageSettings))
	mux.Handle("GET /settings/security", s.page(s.securitySettings))
	mux.Handle("GET /settings/audit", s.page(s.auditSettings))
	mux.Handle("GET /welcome", s.page(s.welcome))
	mux.Handle("/", s.page(s.notFound))

	// What the bot is told.
	mux.Handle("POST /bot/start", s.act(s.startBot))
	mux.Handle("POST /bot/stop", s.act(s.stopBot))
	mux.Handle("POST /bot/again/{session}", s.act(s.continueBot))
	mux.Handle("POST /bot/pause", s.act(s.pauseBot))
	mux.Handle("POST /bot/resume", s.act(s.resumeBot))
	mux.Handle("POST /bot/rearm", s.act(s.rearmBot))

	mux.Handle("POST /jobs/{id}/accept", s.act(s.acceptJob))
	mux.Handle("POST /jobs/{id}/leave", s.act(s.leaveJob))
	mux.Handle("POST /jobs/{id}/ask", s.act(s.askAgain))

	mux.Handle("POST /rules", s.act(s.saveRules))
	mux.Handle("POST /rules/try", s.act(s.tryRules))
	mux.Handle("POST /rules/undo", s.act(s.undoRules))

	// What is set.
	mux.Handle("POST /settings/portal/try", s.act(s.tryPortal))
	mux.Handle("POST /settings/notifications/{do}", s.act(s.changeChannels))
	mux.Handle("POST /settings/calendars/{do}", s.act(s.changeCalendars))
	mux.Handle("POST /settings/tokens/{do}", s.act(s.changeTokens))
	mux.Handle("POST /settings/backup/download", s.act(s.downloadBackup))
	mux.Handle("POST /settings/language", s.act(s.setLanguage))
	mux.Handle("POST /settings/zone", s.act(s.setZone))
	mux.Handle("POST /settings/security/password", s.act(s.changePassword))
	mux.Handle("POST /welcome/live", s.act(s.goLive))

	return withHeaders(s.proxies, crossOriginProtection(s, mux))
}
