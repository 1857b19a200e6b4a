package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/config"
	"github.com/atozbot/atozbot/app/portal"
	"github.com/atozbot/atozbot/app/web"
)

// account is the log-in at the portal: that of the settings, or the one that was entered
// in the dashboard. It is the bot's portal, whichever of them is in force.
type account struct {
	settings config.Settings
	safe     *safe
	rulebook *rulebook
	policy   addresses
	figures  *figures
	log      *slog.Logger
	changed  func() // Told when another log-in is in force.

	inForce atomic.Pointer[logIn]
	tried   atomic.Pointer[stored] // What the newest try to log in used; nil before the first.
}

// logIn is a log-in with the client that uses it.
type logIn struct {
	stored
	client *portal.Client
	zone   atomic.Pointer[string]
}

// stored is what is sealed.
type stored struct {
	BaseURL  string `json:"base_url"`
	Username string `json:"username"`
	Password string `json:"password"`
}

// portalSecret is the id under which the log-in is sealed.
const portalSecret = "portal"

func newAccount(s config.Settings, safe *safe, client *portal.Client, book *rulebook, figures *figures, log *slog.Logger) *account {
	a := &account{settings: s, safe: safe, rulebook: book, policy: addresses{private: s.AllowPrivateAddresses}, figures: figures, log: log, changed: func() {}}
	a.inForce.Store(&logIn{
		stored: stored{BaseURL: string(s.AtozBaseURL), Username: s.AtozUsername, Password: s.AtozPassword.Reveal()}, client: client,
	})
	return a
}

// fromEnvironment tells whether the settings hold a log-in, or a part of one: then it can
// only be changed there.
func (a *account) fromEnvironment() bool {
	return a.settings.AtozUsername != "" || a.settings.AtozPassword.IsSet()
}

// load takes the stored log-in where the settings hold none.
func (a *account) load(ctx context.Context) error {
	if a.fromEnvironment() {
		return nil
	}
	text, err := a.safe.get(ctx, portalSecret)
	switch app.CodeOf(err) {
	case "":
	case app.CodeNotFound:
		return nil
	case app.CodeConflict:
		a.log.Error("the stored log-in of the portal cannot be opened", "error", err)
		return nil
	default:
		return err
	}
	var found stored
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		return err
	}
	if found == a.inForce.Load().stored {
		return nil // Its client may be logged in.
	}
	return a.use(found)
}

// use puts a log-in in force.
func (a *account) use(s stored) error {
	client, err := a.open(s)
	if err != nil {
		return err
	}
	before := a.inForce.Swap(&logIn{stored: s, client: client})
	a.changed()
	return before.client.Close()
}

// open makes a client for a log-in of the dashboard, under its policy of addresses.
func (a *account) open(s stored) (*portal.Client, error) {
	options, err := portalOptions(a.settings)
	if err != nil {
		return nil, err
	}
	options.BaseURL, options.Username, options.Password = s.BaseURL, s.Username, s.Password
	if s.BaseURL != string(a.settings.AtozBaseURL) {
		options.Dial = a.policy.dial // The settings' own address is the operator's.
	}
	return portal.New(options)
}

// missing names what keeps the bot from logging in.
func (a *account) missing() []string {
	in := a.inForce.Load()
	var names []string
	if in.Username == "" {
		names = append(names, "ATOZ_USERNAME")
	}
	if in.Password == "" {
		names = append(names, "ATOZ_PASSWORD")
	}
	return names
}

// credentials is CodeConflict where log-in data are missing, and names the settings.
func (a *account) credentials() error {
	switch names := a.missing(); len(names) {
	case 0:
		return nil
	default:
		return app.Errorf(app.CodeConflict, "The portal's log-in data are missing: set %s, or enter them in the dashboard.", strings.Join(names, " and "))
	}
}

func (a *account) close() error { return a.inForce.Load().client.Close() }

// LogIn tries the log-in in force, once.
func (a *account) LogIn(ctx context.Context) error {
	in := a.inForce.Load()
	a.tried.Store(&in.stored)
	err := in.client.LogIn(ctx)
	a.figures.loggedIn(err)
	return err
}

// Look looks at the board, and reads its times in the zone of the configuration in force.
func (a *account) Look(ctx context.Context) (app.Board, error) {
	in := a.inForce.Load()
	name := a.rulebook.known().TimeZone
	if before := in.zone.Load(); before == nil || *before != name {
		in.client.SetZone(a.rulebook.zone())
		in.zone.Store(&name)
	}
	began := time.Now()
	board, err := in.client.Look(ctx)
	a.figures.looked(board, err, time.Since(began))
	return board, err
}

// Details reads a job's page.
func (a *account) Details(ctx context.Context, job app.Job) (app.Details, error) {
	return a.inForce.Load().client.Details(ctx, job)
}

// Accept submits the job's accept form.
func (a *account) Accept(ctx context.Context, job app.Job, allowShortNotice bool) (app.Reply, error) {
	began := time.Now()
	defer func() { a.figures.actTook.observe(time.Since(began)) }()
	return a.inForce.Load().client.Accept(ctx, job, allowShortNotice)
}

// Reject submits the reject form of the job's details.
func (a *account) Reject(ctx context.Context, job app.Job) (app.Reply, error) {
	began := time.Now()
	defer func() { a.figures.actTook.observe(time.Since(began)) }()
	return a.inForce.Load().client.Reject(ctx, job)
}

// webPortal is the account as the dashboard shows and changes it.
type webPortal struct{ account *account }

// Account gives what may be shown.
func (w webPortal) Account(context.Context) (web.PortalAccount, error) {
	in := w.account.inForce.Load()
	return web.PortalAccount{BaseURL: in.BaseURL, Username: in.Username, HasPassword: in.Password != "", FromEnvironment: w.account.fromEnvironment()}, nil
}

// completed fills in the password in force where none was given, for the same place and
// name only: a stored password is never sent anywhere else.
func (w webPortal) completed(l web.PortalLogIn) (stored, error) {
	in := w.account.inForce.Load()
	s := stored{BaseURL: strings.TrimRight(strings.TrimSpace(l.BaseURL), "/"), Username: strings.TrimSpace(l.Username), Password: l.Password}
	if s.BaseURL == "" {
		s.BaseURL = in.BaseURL
	}
	if s.Password == "" && s.BaseURL == in.BaseURL && s.Username == in.Username {
		s.Password = in.Password
	}
	fields := map[string]string{}
	if at, err := url.Parse(s.BaseURL); err != nil || at.Hostname() == "" || at.User != nil || at.Scheme != "https" && at.Scheme != "http" {
		fields["base_url"] = "must be an address that begins with https:// or http://"
	}
	if s.Username == "" {
		fields["portal_username"] = "is missing"
	}
	if s.Password == "" {
		fields["portal_password"] = "is missing"
	}
	if len(fields) > 0 {
		return stored{}, &app.Error{Code: app.CodeInvalid, Message: "The log-in is not complete.", Fields: fields}
	}
	return s, nil
}

// TryLogIn logs in once, looks at the board once, and says what it saw.
func (w webPortal) TryLogIn(ctx context.Context, l web.PortalLogIn) (web.Trial, error) {
	s, err := w.completed(l)
	if err != nil {
		return web.Trial{}, err
	}
	client, err := w.account.open(s)
	if err != nil {
		return web.Trial{}, err
	}
	defer client.Close()
	began := time.Now()
	if err := client.LogIn(ctx); err != nil {
		return web.Trial{}, forbidden(err)
	}
	board, err := client.Look(ctx)
	if err != nil {
		return web.Trial{}, forbidden(err)
	}
	trial := web.Trial{Took: time.Since(began)}
	for _, job := range board.Jobs {
		if job.State == app.StateMatched {
			trial.Jobs++
		}
	}
	return trial, nil
}

// forbidden brings out that the policy of addresses was the cause.
func forbidden(err error) error {
	if e, ok := errors.AsType[*app.Error](err); ok && e.Code == app.CodeInvalid {
		return e
	}
	return err
}

// SaveLogIn seals the log-in and puts it in force.
func (w webPortal) SaveLogIn(ctx context.Context, l web.PortalLogIn, by web.Person) error {
	if w.account.fromEnvironment() {
		return app.Errorf(app.CodeConflict, "The log-in comes from the settings of the program, and can only be changed there.")
	}
	s, err := w.completed(l)
	if err != nil {
		return err
	}
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := w.account.safe.put(ctx, portalSecret, string(text)); err != nil {
		return err
	}
	w.account.log.Info("another log-in of the portal is in force", "by", nameOf(by), "address", s.BaseURL)
	return w.account.use(s)
}
