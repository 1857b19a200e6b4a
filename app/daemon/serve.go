package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/config"
	"github.com/atozbot/atozbot/app/portal"
	"github.com/atozbot/atozbot/app/portal/practice"
	"github.com/atozbot/atozbot/store"
)

// Serve runs everything until ctx ends: nil after an orderly end.
func (p Process) Serve(ctx context.Context) error {
	return p.serve(ctx, p.Settings, false)
}

// demoFolder is the demo's own, inside the data folder. It begins anew each time, since
// its portal does too.
const demoFolder = "demo"

// ServeDemo runs everything on the practice portal in the process. Nothing that is set
// for real use is touched.
func (p Process) ServeDemo(ctx context.Context) error {
	folder := filepath.Join(p.Settings.DataDir, demoFolder)
	if err := prepareFolder(p.Settings.DataDir); err != nil {
		return err
	}
	if err := os.RemoveAll(folder); err != nil {
		return fmt.Errorf("begin the demo anew: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("find a place for the practice portal: %w", err)
	}
	settings := p.Settings.ForDemo(folder, "http://"+listener.Addr().String(), practice.DefaultEmail, practice.DefaultPassword)
	stand := practice.New(practice.Demo(time.Now()), practice.Options{Log: p.log().With(partKey, "practice portal")})

	// The portal ends after the bot, so that an act in hand is answered.
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- stand.ServeOn(life, listener, stand.Handler()) }()
	err = p.serve(ctx, settings, true)
	end()
	return errors.Join(err, <-ended)
}

// serve checks what must be right before anything starts, listens, and hands over to
// the house.
func (p Process) serve(ctx context.Context, s config.Settings, demo bool) error {
	pages := newNotebook(s.SecretValues())
	log := slog.New(noting{Handler: p.log().Handler(), notebook: pages})
	if err := prepareFolder(s.DataDir); err != nil {
		return err
	}
	client, err := openPortal(s)
	if err != nil {
		return err
	}
	h := &house{process: p, settings: s, demo: demo, log: log, notebook: pages, started: time.Now()}
	if err := h.open(client); err != nil {
		return err
	}
	listener, err := listen(ctx, s)
	if err != nil {
		h.close()
		return err
	}
	h.address = addressOf(listener, s)
	var metrics net.Listener
	if s.MetricsAddr != "" {
		if metrics, err = (&net.ListenConfig{}).Listen(ctx, "tcp", string(s.MetricsAddr)); err != nil {
			h.close()
			return errors.Join(fmt.Errorf("cannot listen for metrics: %w; check METRICS_ADDR", err), listener.Close())
		}
	}
	log.Info("listening on "+h.address, "version", p.Build.Version, "commit", p.Build.Commit)
	for _, warning := range p.Warnings {
		log.Warn(warning)
	}
	logSettings(log, s)
	if metrics != nil {
		log.Info("metrics at http://" + metrics.Addr().String() + "/metrics")
	}
	return h.run(ctx, listener, metrics)
}

// portalOptions are the options of a portal's client that the settings say. A profile that
// cannot be used is told by the setting's name.
func portalOptions(s config.Settings) (portal.Options, error) {
	profile := portal.DefaultProfile()
	if s.PortalProfile != "" {
		loaded, err := portal.LoadProfile(s.PortalProfile)
		if err != nil {
			return portal.Options{}, config.Mistakes{{Name: "PORTAL_PROFILE", Reason: err.Error()}}
		}
		profile = loaded
	}
	options := portal.Options{
		BaseURL: string(s.AtozBaseURL), Username: s.AtozUsername, Password: s.AtozPassword.Reveal(), Profile: profile,
		UserAgent: string(s.PortalUserAgent), Timeout: s.PortalTimeout,
	}
	if s.SourceOf("ATOZ_INTERPRETER_JOBS_PATH") != config.FromDefault {
		options.JobsPath = string(s.JobsPath) // Where it is not set, the profile says it.
	}
	return options, nil
}

// openPortal makes the portal's client. It asks nothing yet; mistakes are told by the
// settings' names.
func openPortal(s config.Settings) (*portal.Client, error) {
	options, err := portalOptions(s)
	if err != nil {
		return nil, err
	}
	client, err := portal.New(options)
	if wrong, ok := errors.AsType[*app.Error](err); ok && len(wrong.Fields) > 0 {
		var mistakes config.Mistakes
		for name, reason := range wrong.Fields {
			mistakes = append(mistakes, config.Mistake{Name: name, Reason: reason})
		}
		return nil, mistakes
	}
	return client, err
}

// listen takes the port. It is the first thing that happens, before any file or
// dependency is touched.
func listen(ctx context.Context, s config.Settings) (net.Listener, error) {
	address := net.JoinHostPort(string(s.APIHost), strconv.Itoa(s.APIPort))
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	switch {
	case err == nil:
		return listener, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("cannot listen on %s: another program has this port; end it, or set API_PORT to another one (0 picks a free one)", address)
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("cannot listen on %s: this user may not; set API_PORT to 1024 or above", address)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("cannot listen on %s: this machine has no such address; correct API_HOST", address)
	default:
		return nil, fmt.Errorf("cannot listen on %s: %w; check API_HOST and API_PORT", address, err)
	}
}

// addressOf is where the dashboard is opened.
func addressOf(listener net.Listener, s config.Settings) string {
	scheme := "http"
	if s.TLSCertFile != "" {
		scheme = "https"
	}
	return scheme + "://" + listener.Addr().String()
}

// openAt is an address as a browser on this machine opens it: one that listens on every
// address is none to go to.
func openAt(address string) string {
	for _, every := range []string{"[::]", "0.0.0.0"} {
		address = strings.Replace(address, "://"+every+":", "://localhost:", 1)
	}
	return address
}

// newServer is the HTTP server with limits for clients that are slow or say too much.
// Streams lift the deadline of writing for themselves.
func newServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// openDatabase opens the configured database; nothing is connected yet.
func (h *house) openDatabase() error {
	options := store.Options{Logger: h.log.With(partKey, "database"), Tell: h.tell, OnTrouble: h.trouble, Away: h.away}
	db, err := store.Open(dsn(h.settings), options)
	if err != nil {
		return config.Mistakes{{Name: "DATABASE_URL", Reason: sentenceOf(err)}}
	}
	h.db, h.records = db, db
	if !h.settings.DatabaseURL.IsPostgres() {
		return nil
	}
	h.journal, err = store.NewJournaled(db, store.JournalOptions{
		Path: filepath.Join(h.settings.DataDir, "journal.db"), Replica: h.replica.id, First: h.settings.FirstConfiguration(),
	})
	if err != nil {
		return errors.Join(fmt.Errorf("prepare the journal: %w", err), db.Close())
	}
	h.records = h.journal
	return nil
}
