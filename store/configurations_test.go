package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/store"
	"github.com/atozbot/atozbot/store/storetest"
)

func TestAConfigurationIsSavedInVersionsAndTheNewestIsInForce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := noon()
		if _, err := s.Configuration(t.Context(), account); app.CodeOf(err) != app.CodeNotFound {
			t.Errorf("before the first start: %v", err)
		}
		first := app.DefaultConfiguration()
		first.CheckIntervalSeconds, first.WeeklyHours = 0.5, map[string][][2]string{"mon": {{"08:00", "18:00"}}}
		made, err := s.EnsureConfiguration(t.Context(), account, first, "environment", now)
		if err != nil || made.Version != 1 || made.Author != "environment" || !made.IsActive || !made.CreatedAt.Equal(now) {
			t.Fatalf("%+v, %v", made, err)
		}
		other := first
		other.CheckIntervalSeconds = 9
		again, err := s.EnsureConfiguration(t.Context(), account, other, "environment", now.Add(time.Hour))
		if err != nil || !cmp.Equal(made, again) {
			t.Error("a later start changed it:", cmp.Diff(made, again), err)
		}
		edited := again
		edited.MaxAcceptPerRun, edited.Languages = 17, []string{"Polish"}
		saved, err := s.SaveConfiguration(t.Context(), account, edited, "ana", now.Add(time.Minute), event(app.EventConfiguration, now))
		if err != nil || saved.Version != 2 || saved.Author != "ana" || saved.MaxAcceptPerRun != 17 {
			t.Fatalf("%+v, %v", saved, err)
		}
		if active, err := s.Configuration(t.Context(), account); err != nil || !cmp.Equal(saved, active) {
			t.Error("in force is not what was saved:", cmp.Diff(saved, active), err)
		}
		if events, err := s.EventsAfter(t.Context(), 0, 10); err != nil || len(events) != 1 || events[0].Type != app.EventConfiguration {
			t.Errorf("events: %v, %v", events, err)
		}
		if _, err := s.SaveConfiguration(t.Context(), account, edited, "ben", now); app.CodeOf(err) != app.CodeConflict {
			t.Errorf("ben saved over ana: %v", err)
		}
		page, err := s.Configurations(t.Context(), account, store.Window{Limit: 1})
		if err != nil || page.Total != 2 || len(page.Items) != 1 || !page.Items[0].IsActive || page.Next == "" {
			t.Fatalf("%+v, %v", page, err)
		}
		page, err = s.Configurations(t.Context(), account, store.Window{Limit: 1, Cursor: page.Next})
		if err != nil || len(page.Items) != 1 || page.Items[0].Version != 1 || page.Items[0].IsActive || page.Next != "" {
			t.Errorf("%+v, %v", page, err)
		}
	})
}

func TestUndoBringsBackWhatWasInForceBefore(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := noon()
		c, err := s.EnsureConfiguration(t.Context(), account, app.DefaultConfiguration(), "environment", now)
		if err != nil {
			t.Fatal(err)
		}
		save := func(limit int) {
			t.Helper()
			c.MaxAcceptPerRun = limit
			if c, err = s.SaveConfiguration(t.Context(), account, c, "ana", now); err != nil {
				t.Fatal(err)
			}
		}
		undo := func() int {
			t.Helper()
			if c, err = s.UndoConfiguration(t.Context(), account, "ana", now); err != nil {
				t.Fatal(err)
			}
			return c.MaxAcceptPerRun
		}
		save(10)
		save(20)
		got := []int{undo(), undo()}
		save(30)
		got = append(got, undo())
		if want := []int{10, 5, 5}; !slices.Equal(got, want) {
			t.Errorf("undo gave %v, want %v", got, want)
		}
		if _, err := s.UndoConfiguration(t.Context(), account, "ana", now); app.CodeOf(err) != app.CodeConflict {
			t.Errorf("undo of the first version: %v", err)
		}
		if c.Version != 7 {
			t.Errorf("history was rewritten: version %d after seven steps", c.Version)
		}
	})
}
