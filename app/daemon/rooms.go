package daemon

import (
	"net/http"
	"net/netip"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/api"
	"github.com/atozbot/atozbot/app/web"
)

// openRooms builds the API and the dashboard and lets requests through to them.
func (h *house) openRooms() error {
	settled := versions{db: h.db, account: app.DefaultAccountID, rulebook: h.rulebook, now: time.Now, log: h.log, changed: h.mirrorChanged}
	shown := apiBot{desk: h.desk, replica: h.replica.id, rulebook: h.rulebook}
	site, err := web.New(web.Options{
		Version: h.process.Build.Version, Demo: h.demo,
		Bot: webBot{apiBot: shown, db: h.db, missing: h.account.missing},
		Health: webHealth{
			monitor: h.monitor, database: h.database, redis: h.redis, desk: h.desk, journal: h.journal, waiting: h.journaled, started: h.pagesOpen, check: h.checkNow,
		},
		Jobs:           webJobs{db: h.db, account: app.DefaultAccountID, busy: h.busy},
		Portal:         webPortal{h.account},
		Channels:       webChannels{h.channels},
		Calendars:      webCalendars{feed: h.feed, busy: h.busy},
		Configurations: webConfigurations{settled},
		Insights:       webInsights{db: h.db, account: app.DefaultAccountID},
		LogEntries:     webLog{h.db},
		SignIns:        &webSignIns{db: h.db, now: time.Now, figures: h.figures},
		Tokens:         webTokens{db: h.db, now: time.Now},
		Audit:          webAudit{db: h.db, records: h.records},
		Backup:         webBackup{db: h.db, now: time.Now},
		FirstPassword:  h.settings.AdminPassword.Reveal(),
		TrustedProxies: h.settings.TrustedProxies,
		Log:            h.log.With(partKey, "dashboard"),
	})
	if err != nil {
		return err
	}
	h.site = site
	records := h.apiRecords()
	h.api = api.New(api.Options{
		Version: h.process.Build.Version, Commit: h.process.Build.Commit, Token: h.settings.APIToken.Reveal(), HSTS: h.settings.TLSCertFile != "",
		Bot: shown, Sessions: records, Jobs: records, Configurations: settled, Figures: records, Outside: h.db, Watch: h.hub,
		Check: checkConfiguration, Authenticator: signedIn{site}, Logs: records, Backtest: settled,
		Tokens: apiTokens{h.db}, Audit: apiAudit{db: h.db, records: h.records}, Calendars: h.feed,
		Health: api.HealthHandlers{
			Health: http.HandlerFunc(h.monitor.Health), Live: http.HandlerFunc(h.monitor.Live), Ready: http.HandlerFunc(h.monitor.Ready),
			Detailed: http.HandlerFunc(h.monitor.Detailed), Service: http.HandlerFunc(h.monitor.Service), ForceCheck: http.HandlerFunc(h.monitor.ForceCheck),
		},
		Measured:         []api.Measured{h},
		MetricsElsewhere: h.settings.MetricsAddr != "",
		Log:              h.log.With(partKey, "api"),
	})
	machines, pages := h.behindProxies(h.api), h.api.Counted("pages", site)
	h.front.open(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if api.Serves(r.URL.Path) {
			machines.ServeHTTP(w, r)
			return
		}
		pages.ServeHTTP(w, r)
	}))
	return nil
}

// behindProxies gives a handler requests with the address of who sent them, where a proxy
// that is believed stands in front, and says that TLS is spoken where it is spoken there.
func (h *house) behindProxies(next http.Handler) http.Handler {
	if len(h.settings.TrustedProxies) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h.site.Secure(r) {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		if at := h.site.Client(r); at.IsValid() {
			known := *r
			known.RemoteAddr = netip.AddrPortFrom(at, 0).String()
			r = &known
		}
		next.ServeHTTP(w, r)
	})
}

// mirrorChanged has the journal's mirror follow what was saved past it.
func (h *house) mirrorChanged() {
	if h.journal != nil {
		h.journal.MirrorChanged()
	}
}

// checkNow asks every dependency anew without waiting for the answers.
func (h *house) checkNow() {
	h.database.Suspect()
	h.redis.Suspect()
}

// signedIn lets the API know whom the dashboard knows.
type signedIn struct{ site *web.Site }

// Identify gives who the request's cookie belongs to.
func (s signedIn) Identify(r *http.Request) (api.Identity, error) {
	person, ok := s.site.SignedIn(r)
	if !ok {
		return api.Identity{}, app.Errorf(app.CodeUnauthorized, "Nobody is signed in.")
	}
	name := person.Name
	if person.Local {
		name = "this computer"
	}
	return api.Identity{Kind: api.KindUser, ID: name, Name: name, Scope: api.ScopeAdmin}, nil
}
