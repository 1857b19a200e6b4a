package web_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/web"
)

// office stands in for everything that the settings change.
type office struct {
	now func() time.Time

	mu       sync.Mutex
	account  web.PortalAccount
	channels []web.Channel
	busy     []web.BusyCalendar
	tokens   []web.Token
	feed     int
	entries  []web.AuditEntry
}

func newOffice(now func() time.Time) *office {
	return &office{
		now:      now,
		account:  web.PortalAccount{BaseURL: "https://portal.example", Username: "anna@example.org", HasPassword: true},
		channels: []web.Channel{{ID: "c1", Name: "My phone", Kind: "ntfy", Events: []string{"accepted", "ask"}, On: true, LastSent: now().Add(-time.Hour)}},
		busy:     []web.BusyCalendar{{ID: "b1", Name: "Private", Entries: 7, LastRead: now().Add(-4 * time.Minute)}},
		tokens:   []web.Token{{ID: "t1", Name: "spreadsheet", Scope: "read", CreatedAt: now().AddDate(0, -1, 0), LastUsedAt: now().Add(-2 * time.Hour)}},
		entries:  []web.AuditEntry{{ID: "a1", At: now().Add(-26 * time.Hour), Who: "user admin", What: "configuration saved", Before: `{"max_per_day":0}`, After: `{"max_per_day":3}`, Address: "127.0.0.1"}},
	}
}

func (o *office) Account(context.Context) (web.PortalAccount, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.account, nil
}

func (o *office) TryLogIn(_ context.Context, l web.PortalLogIn) (web.Trial, error) {
	if l.Password == "wrong" {
		return web.Trial{}, &app.PageError{Class: app.PageLoggedOut, Reason: "the portal did not take the name and the password", Sent: true}
	}
	return web.Trial{Jobs: 3, Took: 412 * time.Millisecond}, nil
}

func (o *office) SaveLogIn(_ context.Context, l web.PortalLogIn, _ web.Person) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.account = web.PortalAccount{BaseURL: l.BaseURL, Username: l.Username, HasPassword: true}
	return nil
}

func (o *office) Channels(context.Context) ([]web.Channel, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.channels), nil
}

func (o *office) AddChannel(_ context.Context, c web.Channel, address string, _ web.Person) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if address == "nonsense" {
		return app.Errorf(app.CodeInvalid, "The address is none that notifications can go to.")
	}
	c.ID, c.Kind = fmt.Sprint("c", len(o.channels)+1), "ntfy"
	o.channels = append(o.channels, c)
	return nil
}

func (o *office) SetChannel(_ context.Context, id string, on bool, _ web.Person) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range o.channels {
		if o.channels[i].ID == id {
			o.channels[i].On = on
			return nil
		}
	}
	return app.Errorf(app.CodeNotFound, "There is no such channel.")
}

func (o *office) DeleteChannel(_ context.Context, id string, _ web.Person) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.channels = slices.DeleteFunc(o.channels, func(c web.Channel) bool { return c.ID == id })
	return nil
}

func (o *office) TestChannel(context.Context, string) error { return nil }

func (o *office) FeedPath(context.Context) (string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return fmt.Sprintf("/calendar/SECRET%d.ics", o.feed), nil
}

func (o *office) RenewFeed(context.Context, web.Person) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.feed++
	return nil
}

func (o *office) BusyCalendars(context.Context) ([]web.BusyCalendar, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.busy), nil
}

func (o *office) AddBusyCalendar(_ context.Context, name, _ string, _ web.Person) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.busy = append(o.busy, web.BusyCalendar{ID: fmt.Sprint("b", len(o.busy)+1), Name: name})
	return nil
}

func (o *office) DeleteBusyCalendar(_ context.Context, id string, _ web.Person) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.busy = slices.DeleteFunc(o.busy, func(b web.BusyCalendar) bool { return b.ID == id })
	return nil
}

func (o *office) ReadBusyCalendar(context.Context, string) error { return nil }

func (o *office) Tokens(context.Context) ([]web.Token, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.tokens), nil
}

func (o *office) AddToken(_ context.Context, name, scope string, expires time.Time, _ web.Person) (string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tokens = append(o.tokens, web.Token{ID: fmt.Sprint("t", len(o.tokens)+1), Name: name, Scope: scope, CreatedAt: o.now(), ExpiresAt: expires})
	return "atozbot_SECRET", nil
}

func (o *office) RevokeToken(_ context.Context, id string, _ web.Person) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range o.tokens {
		if o.tokens[i].ID == id {
			o.tokens[i].RevokedAt = o.now()
		}
	}
	return nil
}

func (o *office) LastBackup(context.Context) (time.Time, error) {
	return o.now().Add(-49 * time.Hour), nil
}

func (o *office) WriteBackup(_ context.Context, w io.Writer) error {
	_, err := io.WriteString(w, "everything but secrets")
	return err
}

func (o *office) Note(_ context.Context, e web.AuditEntry) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.entries = append([]web.AuditEntry{e}, o.entries...)
	return nil
}

// ledger shows the audit log: its method has the name of the log's.
type ledger struct{ *office }

func (l ledger) Entries(context.Context, string, int) ([]web.AuditEntry, string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.entries), "", nil
}

// withOffice adds the settings to a dashboard.
func withOffice(o *office) func(*web.Options) {
	return func(all *web.Options) {
		all.Portal, all.Channels, all.Calendars, all.Tokens, all.Backup, all.Audit = o, o, o, o, o, ledger{o}
	}
}

// attempt is somebody's try to sign in.
type attempt struct {
	address, account string
	at               time.Time
	succeeded        bool
}

// people keep who may come in, in memory.
type people struct {
	mu       sync.Mutex
	users    map[string]web.User
	signIns  map[string]web.SignIn
	attempts []attempt
	away     bool
}

func newPeople() *people {
	return &people{users: map[string]web.User{}, signIns: map[string]web.SignIn{}}
}

func withPeople(p *people) func(*web.Options) {
	return func(all *web.Options) { all.SignIns = p }
}

// enter locks the people; the error says that they cannot be asked.
func (p *people) enter() (func(), error) {
	p.mu.Lock()
	if p.away {
		return p.mu.Unlock, app.Errorf(app.CodeUnavailable, "The database is away.")
	}
	return p.mu.Unlock, nil
}

func (p *people) leave(away bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away = away
}

func (p *people) AnyUser(context.Context) (bool, error) {
	done, err := p.enter()
	defer done()
	return len(p.users) > 0, err
}

func (p *people) User(_ context.Context, name string) (web.User, error) {
	done, err := p.enter()
	defer done()
	u, ok := p.users[name]
	if err == nil && !ok {
		err = app.Errorf(app.CodeNotFound, "There is no such user.")
	}
	return u, err
}

func (p *people) AddFirstUser(_ context.Context, u web.User) error {
	done, err := p.enter()
	defer done()
	if err == nil && len(p.users) > 0 {
		err = app.Errorf(app.CodeConflict, "There is a user already.")
	}
	if err == nil {
		p.users[u.Name] = u
	}
	return err
}

func (p *people) SetPassword(_ context.Context, name, hash string) error {
	done, err := p.enter()
	defer done()
	u := p.users[name]
	u.PasswordHash = hash
	p.users[name] = u
	return err
}

func (p *people) AddSignIn(_ context.Context, s web.SignIn) error {
	done, err := p.enter()
	defer done()
	p.signIns[s.Key] = s
	return err
}

func (p *people) SignIn(_ context.Context, key string) (web.SignIn, error) {
	done, err := p.enter()
	defer done()
	s, ok := p.signIns[key]
	if err == nil && !ok {
		err = app.Errorf(app.CodeNotFound, "There is no such sign-in.")
	}
	return s, err
}

func (p *people) SeenSignIn(_ context.Context, key string, at, expires time.Time) error {
	done, err := p.enter()
	defer done()
	s := p.signIns[key]
	s.SeenAt, s.ExpiresAt = at, expires
	p.signIns[key] = s
	return err
}

func (p *people) SignIns(_ context.Context, user string) ([]web.SignIn, error) {
	done, err := p.enter()
	defer done()
	var all []web.SignIn
	for _, s := range p.signIns {
		if s.User == user {
			all = append(all, s)
		}
	}
	return all, err
}

func (p *people) EndSignIn(_ context.Context, key string) error {
	done, err := p.enter()
	defer done()
	delete(p.signIns, key)
	return err
}

func (p *people) EndSignIns(_ context.Context, user string) error {
	done, err := p.enter()
	defer done()
	for key, s := range p.signIns {
		if s.User == user {
			delete(p.signIns, key)
		}
	}
	return err
}

func (p *people) FailedAttempts(_ context.Context, address, account string, since time.Time) (byAddress, byAccount int, err error) {
	done, err := p.enter()
	defer done()
	for _, a := range p.attempts {
		switch {
		case a.account == account && a.address == address && a.succeeded:
			byAccount = 0
		case !a.succeeded && !a.at.Before(since):
			if a.address == address {
				byAddress++
			}
			if a.account == account {
				byAccount++
			}
		}
	}
	return byAddress, byAccount, err
}

func (p *people) AddAttempt(_ context.Context, address, account string, at time.Time) (string, error) {
	done, err := p.enter()
	defer done()
	p.attempts = append(p.attempts, attempt{address: address, account: account, at: at})
	return strconv.Itoa(len(p.attempts) - 1), err
}

func (p *people) AttemptSucceeded(_ context.Context, id string) error {
	done, err := p.enter()
	defer done()
	at, _ := strconv.Atoi(id)
	p.attempts[at].succeeded = true
	return err
}

func (p *people) AttemptUnseen(_ context.Context, id string) error {
	done, err := p.enter()
	defer done()
	at, _ := strconv.Atoi(id)
	p.attempts[at].account = ""
	return err
}
