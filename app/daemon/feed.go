package daemon

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/rules/calendar"
	"github.com/atozbot/atozbot/app/web"
	"github.com/atozbot/atozbot/store"
)

// feed is the accepted jobs as a calendar, for whoever knows its secret.
type feed struct {
	db      *store.Store
	safe    *safe
	account string
	version string
	now     func() time.Time
}

const (
	// feedSecret is the id under which the feed's secret is sealed.
	feedSecret = "calendar feed"
	// feedReaches is how far back the feed goes: calendar programs forget nothing.
	feedReaches = 400 * 24 * time.Hour
)

// path gives the path of the feed; its secret is made the first time.
func (f *feed) path(ctx context.Context) (string, error) {
	secret, err := f.safe.get(ctx, feedSecret)
	if app.CodeOf(err) == app.CodeNotFound {
		if err = f.safe.putFirst(ctx, feedSecret, rand.Text()); err == nil {
			secret, err = f.safe.get(ctx, feedSecret) // Another replica may have been quicker.
		}
	}
	return "/calendar/" + secret + ".ics", err
}

// renew makes a new secret; the old one holds no longer, at any replica.
func (f *feed) renew(ctx context.Context) error { return f.safe.put(ctx, feedSecret, rand.Text()) }

// Feed gives the calendar where the secret is the feed's.
func (f *feed) Feed(ctx context.Context, secret string) ([]byte, error) {
	none := app.Errorf(app.CodeNotFound, "There is no such calendar.")
	known, err := f.safe.get(ctx, feedSecret) // Asked each time: another replica may have renewed it.
	if code := app.CodeOf(err); code == app.CodeNotFound || code == app.CodeConflict {
		return nil, none
	}
	if err != nil {
		return nil, err
	}
	// Digests are compared, so that the time tells nothing of the secret, its length included.
	given, wanted := sha256.Sum256([]byte(secret)), sha256.Sum256([]byte(known))
	if subtle.ConstantTimeCompare(given[:], wanted[:]) != 1 {
		return nil, none
	}
	now := f.now()
	var jobs []app.JobRecord
	filter := store.JobFilter{AccountID: f.account, Statuses: []app.JobStatus{app.JobAccepted}, Since: now.Add(-feedReaches)}
	if err := f.db.EachJob(ctx, filter, func(j app.JobRecord) error {
		jobs = append(jobs, j)
		return nil
	}); err != nil {
		return nil, err
	}
	return calendar.Encode(jobs, calendar.FeedOptions{Name: "Interpreting", Version: f.version, Now: now}), nil
}

// webCalendars are the feed and the busy calendars as the pages show them.
type webCalendars struct {
	feed *feed
	busy *busyBook
}

// FeedPath gives the path of the feed.
func (w webCalendars) FeedPath(ctx context.Context) (string, error) { return w.feed.path(ctx) }

// RenewFeed makes a new one.
func (w webCalendars) RenewFeed(ctx context.Context, _ web.Person) error { return w.feed.renew(ctx) }

// BusyCalendars lists the busy calendars.
func (w webCalendars) BusyCalendars(ctx context.Context) ([]web.BusyCalendar, error) {
	return w.busy.list(ctx)
}

// AddBusyCalendar keeps the address of a calendar, sealed.
func (w webCalendars) AddBusyCalendar(ctx context.Context, name, address string, by web.Person) error {
	return w.busy.add(ctx, name, address, nameOf(by))
}

// DeleteBusyCalendar forgets one.
func (w webCalendars) DeleteBusyCalendar(ctx context.Context, id string, _ web.Person) error {
	return w.busy.remove(ctx, id)
}

// ReadBusyCalendar reads it now, and says in words why it could not.
func (w webCalendars) ReadBusyCalendar(ctx context.Context, id string) error {
	return w.busy.read(ctx, id)
}
