package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/health"
	"github.com/atozbot/atozbot/app/rules/calendar"
	"github.com/atozbot/atozbot/app/web"
	"github.com/atozbot/atozbot/store"
)

// busyBook is what the user's own calendars keep busy, from memory. A calendar that
// cannot be read keeps busy what it did when it was read last.
type busyBook struct {
	db      *store.Store
	safe    *safe
	mirror  mirror // Asked while the database is away; nil where there is none.
	account string
	book    *rulebook
	client  *http.Client
	now     func() time.Time
	log     *slog.Logger

	updating sync.Mutex
	entries  atomic.Pointer[map[string][]app.Booking] // By the calendar's id.
}

const (
	busyEvery    = 15 * time.Minute
	busyBeat     = 30 * time.Second // How soon what another replica has read or changed counts here.
	busyBack     = 48 * time.Hour
	busyAhead    = 400 * 24 * time.Hour
	largestBusy  = 8 << 20
	longestFetch = 20 * time.Second
)

// bookings gives every entry that is busy.
func (b *busyBook) bookings() []app.Booking {
	entries := b.entries.Load()
	if entries == nil {
		return nil
	}
	var all []app.Booking
	for _, bookings := range *entries {
		all = append(all, bookings...)
	}
	return all
}

// between gives those that touch a stretch, by their beginning.
func (b *busyBook) between(from, to time.Time) []app.Booking {
	touching := slices.DeleteFunc(b.bookings(), func(x app.Booking) bool { return !x.EndsAt.After(from) || !x.StartsAt.Before(to) })
	slices.SortFunc(touching, func(x, y app.Booking) int {
		return cmp.Or(x.StartsAt.Compare(y.StartsAt), cmp.Compare(x.Label, y.Label))
	})
	return touching
}

// addTo puts the busy entries into a tally.
func (b *busyBook) addTo(t app.Tally) app.Tally {
	if busy := b.bookings(); len(busy) > 0 {
		t.Bookings = append(slices.Clone(t.Bookings), busy...)
	}
	return t
}

// refresh reads what is due and takes over what is stored.
func (b *busyBook) refresh(ctx context.Context) error {
	all, err := b.db.Calendars(ctx, b.account)
	if err != nil {
		return err
	}
	var failed error
	for _, c := range all {
		if c.Enabled && c.Kind == "url" && b.now().Sub(c.UsedAt) >= busyEvery {
			failed = errors.Join(failed, b.fetch(ctx, c))
		}
	}
	return errors.Join(failed, b.takeOver(ctx))
}

// takeOver decodes what is stored.
func (b *busyBook) takeOver(ctx context.Context) error {
	b.updating.Lock()
	defer b.updating.Unlock()
	all, err := b.db.Calendars(ctx, b.account)
	if app.CodeOf(err) == app.CodeUnavailable && b.mirror != nil {
		all, err = b.mirror.Calendars(ctx, b.account)
	}
	if err != nil {
		return err
	}
	entries := map[string][]app.Booking{}
	for _, c := range all {
		if !c.Enabled || c.Body == "" {
			continue
		}
		busy, err := b.decode(c.Name, []byte(c.Body))
		if err != nil {
			b.log.Warn("a stored calendar cannot be read", "calendar", c.Name, "error", err)
			continue
		}
		entries[c.ID] = busy.Bookings
	}
	b.entries.Store(&entries)
	return nil
}

func (b *busyBook) decode(name string, body []byte) (calendar.Busy, error) {
	now := b.now()
	return calendar.Decode(body, calendar.Options{Name: name, Zone: b.book.zone(), From: now.Add(-busyBack), To: now.Add(busyAhead)})
}

// fetch reads one calendar from its address and stores what it says. A failure is stored
// too and leaves the entries as they were.
func (b *busyBook) fetch(ctx context.Context, c store.Connection) error {
	address, err := b.safe.get(ctx, c.ID)
	if err != nil {
		return b.db.CalendarFetched(ctx, c.ID, "", sentenceOf(err), b.now())
	}
	body, err := b.download(ctx, address)
	if err != nil {
		return b.db.CalendarFetched(ctx, c.ID, "", wordsOf(err), b.now())
	}
	busy, err := b.decode(c.Name, body)
	if err != nil {
		return b.db.CalendarFetched(ctx, c.ID, "", wordsOf(err), b.now())
	}
	problem := ""
	if len(busy.Problems) > 0 {
		problem = fmt.Sprintf("%d entries could not be read: %s", len(busy.Problems)+busy.MoreProblems, busy.Problems[0])
	}
	return b.db.CalendarFetched(ctx, c.ID, string(body), problem, b.now())
}

// wordsOf says why something of the user's own could not be done, without an address: it
// may hold a secret.
func wordsOf(err error) string {
	if e, ok := errors.AsType[*app.Error](err); ok {
		return e.Message
	}
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	problem := health.Explain(err).Words
	return strings.ToUpper(problem[:1]) + problem[1:] + "."
}

func (b *busyBook) download(ctx context.Context, address string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, longestFetch)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, app.Errorf(app.CodeInvalid, "This is no address.")
	}
	request.Header.Set("Accept", "text/calendar, */*;q=0.1")
	response, err := b.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, app.Errorf(app.CodeUnavailable, "The address answers %s.", response.Status)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, largestBusy+1))
	if err != nil {
		return nil, err
	}
	if len(body) > largestBusy {
		return nil, app.Errorf(app.CodeInvalid, "The calendar is larger than 8 MiB.")
	}
	return body, nil
}

// calendarAddress reads what people copy from their calendar program.
func calendarAddress(text string) (string, error) {
	wrong := &app.Error{Code: app.CodeInvalid, Message: "This is no address of a calendar.", Fields: map[string]string{"address": "must begin with https://, http:// or webcal://"}}
	text = strings.TrimSpace(text)
	if rest, ok := strings.CutPrefix(text, "webcal://"); ok {
		text = "https://" + rest
	}
	at, err := url.Parse(text)
	if err != nil || at.Hostname() == "" || at.Scheme != "https" && at.Scheme != "http" {
		return "", wrong
	}
	return text, nil
}

// list gives the busy calendars as people see them.
func (b *busyBook) list(ctx context.Context) ([]web.BusyCalendar, error) {
	all, err := b.db.Calendars(ctx, b.account)
	if err != nil {
		return nil, err
	}
	entries := b.entries.Load()
	now := b.now()
	shown := make([]web.BusyCalendar, len(all))
	for i, c := range all {
		shown[i] = web.BusyCalendar{ID: c.ID, Name: c.Name, LastRead: c.UsedAt, LastError: c.LastError}
		if entries == nil {
			continue
		}
		for _, booking := range (*entries)[c.ID] {
			if booking.EndsAt.After(now) {
				shown[i].Entries++
			}
		}
	}
	return shown, nil
}

// longestName bounds a name that people read.
const longestName = 100

// add keeps a calendar. Its address is sealed: most of them hold a secret.
func (b *busyBook) add(ctx context.Context, name, address, by string) error {
	address, err := calendarAddress(address)
	if err != nil {
		return err
	}
	if name = strings.TrimSpace(name); name == "" || len(name) > longestName {
		return &app.Error{Code: app.CodeInvalid, Message: "The calendar needs a name.", Fields: map[string]string{"name": "is missing, or longer than 100 characters"}}
	}
	if _, err := b.download(ctx, address); err != nil {
		return &app.Error{Code: app.CodeInvalid, Message: wordsOf(err), Fields: map[string]string{"address": wordsOf(err)}, Err: err}
	}
	now := b.now()
	c := store.Connection{ID: app.NewID(now), AccountID: b.account, Name: name, Kind: "url", Enabled: true, CreatedAt: now, UpdatedAt: now, Version: now.UnixMicro()}
	if err := b.safe.put(ctx, c.ID, address); err != nil {
		return err
	}
	if err := b.db.SaveCalendar(ctx, c); err != nil {
		return err
	}
	b.log.Info("a busy calendar was added", "calendar", name, "by", by)
	return b.read(ctx, c.ID)
}

func (b *busyBook) remove(ctx context.Context, id string) error {
	if err := b.db.DeleteCalendar(ctx, id); err != nil {
		return err
	}
	return b.takeOver(ctx)
}

// read reads one now.
func (b *busyBook) read(ctx context.Context, id string) error {
	all, err := b.db.Calendars(ctx, b.account)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(c store.Connection) bool { return c.ID == id })
	if at < 0 {
		return app.Errorf(app.CodeNotFound, "There is no such calendar.")
	}
	if err := b.fetch(ctx, all[at]); err != nil {
		return err
	}
	if err := b.takeOver(ctx); err != nil {
		return err
	}
	all, err = b.db.Calendars(ctx, b.account)
	if err != nil {
		return err
	}
	for _, c := range all {
		if c.ID == id && c.LastError != "" {
			return app.Errorf(app.CodeUnavailable, "%s", c.LastError)
		}
	}
	return nil
}
