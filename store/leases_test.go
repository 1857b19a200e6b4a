package store_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/store"
	"github.com/atozbot/atozbot/store/storetest"
)

func TestALeaseHasOneHolderUntilItsTimeIsOver(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := noon()
		var group errgroup.Group
		var taken atomic.Int64
		for i := range 8 {
			group.Go(func() error {
				_, ok, err := s.Acquire(context.Background(), account, fmt.Sprint("replica ", i), now)
				if ok {
					taken.Add(1)
				}
				return err
			})
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
		if taken.Load() != 1 {
			t.Fatalf("%d replicas have the lease", taken.Load())
		}
		held, err := s.Lease(t.Context(), account)
		if err != nil || held.Epoch != 1 || !held.ExpiresAt.Equal(now.Add(store.LeaseTime)) {
			t.Fatal(held, err)
		}
		seen, ok, err := s.Acquire(t.Context(), account, "late", now.Add(store.LeaseTime-time.Millisecond))
		if err != nil || ok || !cmp.Equal(held, seen) {
			t.Error("taken too early:", seen, ok, err)
		}
		renewed, err := s.Renew(t.Context(), held, now.Add(5*time.Second))
		if err != nil || !renewed.ExpiresAt.Equal(now.Add(5*time.Second+store.LeaseTime)) || renewed.Epoch != held.Epoch {
			t.Error("renewed:", renewed, err)
		}
		next, ok, err := s.Acquire(t.Context(), account, "late", renewed.ExpiresAt)
		if err != nil || !ok || next.Epoch != 2 {
			t.Error("taken after its time:", next, ok, err)
		}
		if _, err := s.Renew(t.Context(), held, now); app.CodeOf(err) != app.CodeConflict {
			t.Errorf("a lost lease was renewed: %v", err)
		}
		if err := s.Release(t.Context(), held); err != nil {
			t.Error(err)
		}
		if still, err := s.Lease(t.Context(), account); err != nil || !cmp.Equal(next, still) {
			t.Error("somebody else's lease was given back:", still, err)
		}
		if err := s.Release(t.Context(), next); err != nil {
			t.Error(err)
		}
		if again, ok, err := s.Acquire(t.Context(), account, "third", now); err != nil || !ok || again.Epoch != 3 {
			t.Error("a lease given back cannot be taken:", again, ok, err)
		}
		if again, ok, err := s.Acquire(t.Context(), account, "third", now); err != nil || !ok || again.Epoch != 4 {
			t.Error("the holder cannot take it again:", again, ok, err)
		}
	})
}

func TestReplicasAreKnownUntilTheyEnd(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := noon()
		a := store.Replica{ID: "a", Version: "1.0", StartedAt: now, SeenAt: now.Add(time.Minute)}
		b := store.Replica{ID: "b", Version: "1.0", StartedAt: now, SeenAt: now}
		for _, r := range []store.Replica{{ID: "a", Version: "1.0", StartedAt: now, SeenAt: now}, b, a} {
			if err := s.Here(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := s.Replicas(t.Context(), now); err != nil || !cmp.Equal([]store.Replica{a, b}, got) {
			t.Error(cmp.Diff([]store.Replica{a, b}, got), err)
		}
		if got, err := s.Replicas(t.Context(), now.Add(time.Second)); err != nil || !cmp.Equal([]store.Replica{a}, got) {
			t.Error(cmp.Diff([]store.Replica{a}, got), err)
		}
		if err := s.Gone(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Replicas(t.Context(), now); err != nil || !cmp.Equal([]store.Replica{b}, got) {
			t.Error(cmp.Diff([]store.Replica{b}, got), err)
		}
	})
}

func TestAWishWaitsUntilItIsGranted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		stop := app.Wish{ID: app.NewID(noon()), AccountID: account, Kind: app.WishStop, At: noon()}
		answer := app.Wish{ID: app.NewID(noon()), AccountID: account, Kind: app.WishAccept, Number: "7", At: noon().Add(time.Second)}
		for _, w := range []app.Wish{answer, stop, stop} {
			if err := s.Wish(t.Context(), w); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := s.Wishes(t.Context(), account); err != nil || !cmp.Equal([]app.Wish{stop, answer}, got) {
			t.Error(cmp.Diff([]app.Wish{stop, answer}, got), err)
		}
		for range 2 {
			if err := s.Granted(t.Context(), stop); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := s.Wishes(t.Context(), account); err != nil || !cmp.Equal([]app.Wish{answer}, got) {
			t.Error(cmp.Diff([]app.Wish{answer}, got), err)
		}
	})
}
