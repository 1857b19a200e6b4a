package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/store"
)

func TestTheFallbackIsADatabaseThatIsCarriedOverAtTheNextStart(t *testing.T) {
	p := newPlace(t)
	p.proxy.cut()
	j := p.start("a")
	if err := j.Fallback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if j.Dialect() != "sqlite" || !j.JournalState().Fallback {
		t.Fatalf("the fallback is %s", j.Dialect())
	}
	if _, err := j.EnsureConfiguration(t.Context(), account, app.DefaultConfiguration(), "settings", noon()); err != nil {
		t.Fatal(err)
	}
	active, err := j.Configuration(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	active.MaxAcceptPerRun = 42
	if _, err := j.SaveConfiguration(t.Context(), account, active, "ana", noon()); err != nil {
		t.Fatal(err)
	}
	l := p.lease(j, "a")
	c, err := take(t, j, l, 1)
	if err != nil {
		t.Fatal(err)
	}
	r := record(noon(), job(1, noon()))
	run := session(noon())
	c.Outcome, c.Version = app.OutcomeAccepted, 2
	r.Session, r.Claims = &run, []app.Claim{c}
	r.Events = []app.Event{event(app.EventJobAccepted, noon())}
	if err := j.Save(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if all := everything(t, j.Store); len(all.jobs) != 1 || len(all.events) != 1 || all.figures.Jobs != 1 {
		t.Errorf("the fallback shows %+v", all)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}

	next := p.start("a")
	p.up(next)
	there := p.direct()
	if all := everything(t, there); len(all.jobs) != 1 || len(all.events) != 1 || len(all.claims) != 1 || len(all.sessions) != 1 || all.figures.Jobs != 1 {
		t.Errorf("carried over: %+v", all)
	}
	if c, err := there.Configuration(t.Context(), account); err != nil || c.MaxAcceptPerRun != 42 || c.Author != "ana" {
		t.Errorf("the configuration: %+v, %v", c, err)
	}
	if err := next.MayAct(t.Context(), account); err != nil {
		t.Error(err)
	}
}

func TestTheMirrorKnowsWhatDecidingNeeds(t *testing.T) {
	p := newPlace(t)
	j := p.start("a")
	p.up(j)
	there := p.direct()
	saved, err := there.EnsureConfiguration(t.Context(), account, app.DefaultConfiguration(), "settings", noon())
	if err != nil {
		t.Fatal(err)
	}
	booked, old, onBoard := job(1, noon()), job(2, noon().AddDate(0, -2, 0)), job(3, noon())
	booked.Status, old.Status = app.JobAccepted, app.JobAccepted
	run := session(noon())
	r := record(noon(), booked, old, onBoard)
	r.Session, r.Claims = &run, []app.Claim{claim(4, noon())}
	if err := there.Save(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	p.settle(j)
	p.proxy.cut()

	if c, err := j.Configuration(t.Context(), account); err != nil || !cmp.Equal(saved, c) {
		t.Error("configuration:", cmp.Diff(saved, c), err)
	}
	if s, err := j.Resumable(t.Context(), account); err != nil || s == nil || !cmp.Equal(run, *s) {
		t.Errorf("session: %+v, %v", s, err)
	}
	jobs, err := j.Jobs(t.Context(), account, []string{"1", "2", "3"})
	if err != nil || len(jobs) != 2 || !cmp.Equal(booked, jobs["1"]) || !cmp.Equal(onBoard, jobs["3"]) {
		t.Errorf("jobs: %+v, %v", jobs, err)
	}
	tally, err := j.Tally(t.Context(), account, sessionID, noon())
	if err != nil || len(tally.Bookings) != 2 || tally.Session != 1 {
		t.Errorf("tally: %+v, %v", tally, err)
	}
	watched, err := j.Watched(t.Context(), account, noon())
	if err != nil || len(watched) != 1 {
		t.Errorf("watched: %v, %v", numbers(watched), err)
	}
}

func TestAMirrorThatWasNeverToldOfCalendarsIsNotActedOn(t *testing.T) {
	p := newPlace(t)
	j := p.start("a")
	p.up(j)
	for _, c := range []struct {
		name  string
		known bool
	}{{"with what is connected", true}, {"as an earlier version left it", false}} {
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		if !c.known {
			db := raw(t, "sqlite:"+p.journal("a").Path)
			execute(t, db, `DELETE FROM atozbot_meta WHERE name = 'connected'`)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}
		p.proxy.cut()
		j = p.start("a")
		if err := j.MayAct(t.Context(), account); (err == nil) != c.known {
			t.Errorf("%s: it may act: %v", c.name, err)
		}
	}
	p.up(j)
	p.proxy.cut()
	j.Healthy(false)
	if err := j.MayAct(t.Context(), account); err != nil {
		t.Errorf("once it has been told: %v", err)
	}
}

func TestASaveWhosePostgresAnswersTooLateIsStoredOnce(t *testing.T) {
	p := newPlace(t)
	j := p.start("a")
	p.up(j)
	p.proxy.hang()
	r := record(noon(), job(1, noon()))
	r.Events = []app.Event{event(app.EventJobSeen, noon())}
	if err := j.Save(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	j.Healthy(false)
	p.up(j) // What hung arrives late, beside what is carried over.
	if all := everything(t, p.direct()); len(all.jobs) != 1 || len(all.events) != 1 || all.figures.Jobs != 1 {
		t.Errorf("%d jobs, %d events, %d counted", len(all.jobs), len(all.events), all.figures.Jobs)
	}
}

func TestWishesForOthersAreRefusedWhilePostgresIsAway(t *testing.T) {
	p := newPlace(t)
	j := p.start("a")
	w := app.Wish{ID: app.NewID(noon()), AccountID: account, Kind: app.WishPause, At: noon()}
	if err := j.Wish(t.Context(), w); app.CodeOf(err) != app.CodeUnavailable {
		t.Errorf("nobody will ever find it: %v", err)
	}
	if got, err := j.Wishes(t.Context(), account); err != nil || len(got) != 0 {
		t.Error(got, err)
	}
	p.up(j)
	if err := j.Wish(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	if got, err := p.start("b").Wishes(t.Context(), account); err != nil || len(got) != 0 {
		t.Error("before PostgreSQL is known to be there:", got, err)
	}
	if got, err := j.Wishes(t.Context(), account); err != nil || !cmp.Equal([]app.Wish{w}, got) {
		t.Error(got, err)
	}
	if err := j.Granted(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	if got, err := j.Wishes(t.Context(), account); err != nil || len(got) != 0 {
		t.Error(got, err)
	}
}

func TestAReplicaThatHasJustFoundPostgresKnowsWhatOthersDid(t *testing.T) {
	p := newPlace(t)
	old := p.start("old")
	p.up(old)
	run := session(noon())
	r := record(noon())
	r.Session, r.Claims = &run, []app.Claim{claim(1, noon())}
	if err := old.Save(t.Context(), r); err != nil {
		t.Fatal(err)
	}

	// A new container: its journal is empty, and nothing has been mirrored yet.
	fresh := p.start("fresh")
	fresh.Healthy(true)
	if left, err := fresh.Resumable(t.Context(), account); err != nil || left == nil || left.ID != run.ID {
		t.Errorf("the interrupted session: %+v, %v", left, err)
	}
	if open, err := fresh.Unsettled(t.Context(), account); err != nil || len(open) != 1 {
		t.Errorf("unsettled: %v, %v", open, err)
	}

	// One with something to carry over takes the lease only once it knows the rest.
	late := p.start("late")
	if err := late.Save(t.Context(), record(noon(), job(9, noon()))); err != nil {
		t.Fatal(err)
	}
	late.Healthy(true)
	p.lease(late, "late")
	if left, err := late.Resumable(t.Context(), account); err != nil || left == nil || left.ID != run.ID {
		t.Errorf("the interrupted session: %+v, %v", left, err)
	}
	if all := everything(t, p.direct()); len(all.jobs) != 1 {
		t.Errorf("%d jobs were carried over", len(all.jobs))
	}
}

func TestTheMirrorKnowsWhatIsConnected(t *testing.T) {
	p := newPlace(t)
	j := p.start("a")
	p.up(j)
	there := p.direct()
	if _, err := there.EnsureConfiguration(t.Context(), account, app.DefaultConfiguration(), "settings", noon()); err != nil {
		t.Fatal(err)
	}
	calendar := store.Connection{ID: "c", AccountID: account, Name: "private", Kind: "url", Body: "BEGIN:VCALENDAR", Enabled: true, CreatedAt: noon(), UpdatedAt: noon(), Version: 1}
	channel := store.Connection{ID: "n", AccountID: account, Name: "phone", Kind: "ntfy", Body: "{}", Enabled: true, CreatedAt: noon(), UpdatedAt: noon(), Version: 1}
	secret := store.Secret{ID: "portal", KeyID: "k1", Sealed: []byte{1, 2, 3}, UpdatedAt: noon()}
	for _, err := range []error{there.SaveCalendar(t.Context(), calendar), there.SaveChannel(t.Context(), channel), there.SaveSecret(t.Context(), secret)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	p.settle(j)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}

	p.proxy.cut()
	cold := p.start("a") // As after a restart: PostgreSQL was never seen.
	calendars, err := cold.Calendars(t.Context(), account)
	if err != nil || len(calendars) != 1 || !cmp.Equal(calendars[0], calendar) {
		t.Errorf("calendars %+v, %v", calendars, err)
	}
	channels, err := cold.Channels(t.Context(), account)
	if err != nil || len(channels) != 1 || !cmp.Equal(channels[0], channel) {
		t.Errorf("channels %+v, %v", channels, err)
	}
	if found, err := cold.Secret(t.Context(), "portal"); err != nil || !cmp.Equal(found, secret) {
		t.Errorf("the secret %+v, %v", found, err)
	}

	p.up(cold)
	if err := there.ResealSecret(t.Context(), secret, "k2", []byte{4, 5}); err != nil {
		t.Fatal(err)
	}
	if err := there.DeleteCalendar(t.Context(), "c"); err != nil {
		t.Fatal(err)
	}
	p.settle(cold)
	p.proxy.cut()
	cold.Healthy(false)
	if calendars, err := cold.Calendars(t.Context(), account); err != nil || len(calendars) != 0 {
		t.Errorf("what was taken away is still there: %+v, %v", calendars, err)
	}
	if found, err := cold.Secret(t.Context(), "portal"); err != nil || found.KeyID != "k2" {
		t.Errorf("sealed anew: %+v, %v", found, err)
	}
}
