package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/notify"
	"github.com/atozbot/atozbot/app/web"
	"github.com/atozbot/atozbot/store"
)

// channels are where notifications go: kept in the database, their addresses sealed.
type channels struct {
	db      *store.Store
	safe    *safe
	mirror  mirror // Asked while the database is away; nil where there is none.
	account string
	now     func() time.Time
	figures *figures
	// test sends a test to one at once.
	test func(context.Context, notify.Channel) error
}

// wanted is what a channel is told of, as it is stored.
type wanted struct {
	Events []string `json:"events"`
}

func wantedOf(c store.Connection) wanted {
	var w wanted
	if json.Unmarshal([]byte(c.Body), &w) != nil {
		return wanted{}
	}
	return w
}

// Channels gives those that are switched on, with their addresses.
func (c *channels) Channels(ctx context.Context) ([]notify.Channel, error) {
	all, err := c.db.Channels(ctx, c.account)
	if app.CodeOf(err) == app.CodeUnavailable && c.mirror != nil {
		all, err = c.mirror.Channels(ctx, c.account)
	}
	if err != nil {
		return nil, err
	}
	var on []notify.Channel
	for _, kept := range all {
		if !kept.Enabled {
			continue
		}
		open, err := c.open(ctx, kept)
		if code := app.CodeOf(err); code == app.CodeNotFound || code == app.CodeConflict {
			continue // Its address was sealed with another key: a test of the channel says so.
		}
		if err != nil {
			return nil, err
		}
		on = append(on, open)
	}
	return on, nil
}

func (c *channels) open(ctx context.Context, kept store.Connection) (notify.Channel, error) {
	address, err := c.safe.get(ctx, kept.ID)
	if err != nil {
		return notify.Channel{}, err
	}
	open := notify.Channel{ID: kept.ID, Name: kept.Name, Address: address}
	for _, event := range wantedOf(kept).Events {
		open.Kinds = append(open.Kinds, notify.Kind(event))
	}
	return open, nil
}

// Sent notes how the newest sending went.
func (c *channels) Sent(ctx context.Context, id, problem string, at time.Time) error {
	result := "sent"
	if problem != "" {
		result = "failed"
	}
	c.figures.notifications.add(result)
	return c.db.ChannelSent(ctx, id, problem, at)
}

// find gives one as it is kept.
func (c *channels) find(ctx context.Context, id string) (store.Connection, error) {
	all, err := c.db.Channels(ctx, c.account)
	if err != nil {
		return store.Connection{}, err
	}
	at := slices.IndexFunc(all, func(kept store.Connection) bool { return kept.ID == id })
	if at < 0 {
		return store.Connection{}, app.Errorf(app.CodeNotFound, "There is no such channel.")
	}
	return all[at], nil
}

// webChannels are the same as the pages show and change them.
type webChannels struct{ *channels }

// Channels lists all of them.
func (w webChannels) Channels(ctx context.Context) ([]web.Channel, error) {
	all, err := w.db.Channels(ctx, w.account)
	shown := make([]web.Channel, len(all))
	for i, kept := range all {
		shown[i] = web.Channel{
			ID: kept.ID, Name: kept.Name, Kind: kept.Kind, Events: wantedOf(kept).Events, On: kept.Enabled, LastSent: kept.UsedAt, LastError: kept.LastError,
		}
	}
	return shown, err
}

// AddChannel keeps a channel; CodeInvalid where the address is none.
func (w webChannels) AddChannel(ctx context.Context, in web.Channel, address string, _ web.Person) error {
	address = strings.TrimSpace(address)
	kind, err := notify.Check(address)
	if err != nil {
		return err
	}
	name := strings.TrimSpace(in.Name)
	if name == "" {
		name = kind
	}
	if len(name) > longestName {
		return &app.Error{Code: app.CodeInvalid, Message: "The name is too long.", Fields: map[string]string{"name": "is longer than 100 characters"}}
	}
	known := web.ChannelEvents()
	events := slices.DeleteFunc(slices.Clone(in.Events), func(event string) bool { return !slices.Contains(known, event) })
	if len(events) == 0 {
		events = known
	}
	body, err := json.Marshal(wanted{Events: events})
	if err != nil {
		return err
	}
	now := w.now()
	kept := store.Connection{
		ID: app.NewID(now), AccountID: w.account, Name: name, Kind: kind, Body: string(body), Enabled: true, CreatedAt: now, UpdatedAt: now, Version: now.UnixMicro(),
	}
	if err := w.safe.put(ctx, kept.ID, address); err != nil {
		return err
	}
	return w.db.SaveChannel(ctx, kept)
}

// SetChannel switches a channel on or off.
func (w webChannels) SetChannel(ctx context.Context, id string, on bool, _ web.Person) error {
	kept, err := w.find(ctx, id)
	if err != nil {
		return err
	}
	now := w.now()
	kept.Enabled, kept.UpdatedAt, kept.Version = on, now, max(kept.Version+1, now.UnixMicro())
	return w.db.SaveChannel(ctx, kept)
}

// DeleteChannel forgets one and its address.
func (w webChannels) DeleteChannel(ctx context.Context, id string, _ web.Person) error {
	return w.db.DeleteChannel(ctx, id)
}

// TestChannel sends a test at once, and says in words why it could not.
func (w webChannels) TestChannel(ctx context.Context, id string) error {
	kept, err := w.find(ctx, id)
	if err != nil {
		return err
	}
	open, err := w.open(ctx, kept)
	if err != nil {
		return err
	}
	failed := w.test(ctx, open)
	problem := ""
	if failed != nil {
		problem = sentenceOf(failed)
	}
	if err := w.Sent(ctx, id, problem, w.now()); err != nil {
		return err
	}
	return failed
}

// digestHour is when the digest of the day is sent, on the user's clock: after most
// interpreters' work and before their evening.
const digestHour = 19

// untilDigest is the time of the next digest after now.
func untilDigest(now time.Time, zone *time.Location) time.Time {
	local := now.In(zone)
	next := time.Date(local.Year(), local.Month(), local.Day(), digestHour, 0, 0, 0, zone)
	if !next.After(now) {
		next = time.Date(local.Year(), local.Month(), local.Day()+1, digestHour, 0, 0, 0, zone)
	}
	return next
}

// digest sends what was done, once a day, from the replica that runs the session.
func (h *house) digest(ctx context.Context) error {
	for {
		timer := time.NewTimer(time.Until(untilDigest(time.Now(), h.rulebook.zone())))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
		if !h.desk.bot().Status().IsHolder {
			continue
		}
		now := time.Now()
		figures, err := h.db.Analytics(ctx, store.Span{From: now.Add(-24 * time.Hour), To: now})
		if err != nil {
			h.log.Warn("the digest of the day could not be made", "error", err)
			continue
		}
		h.notifier.TellAll(ctx, notify.Digest, "The last 24 hours", digestOf(figures.Counts))
	}
}

func digestOf(c store.Counts) string {
	return fmt.Sprintf("%d jobs seen, %d booked, %d lost to others, %d rejected, %d left alone.", c.Jobs, c.Accepted, c.Lost, c.Rejected, c.Matched)
}
