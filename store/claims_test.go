package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/store"
	"github.com/atozbot/atozbot/store/storetest"
)

func TestOfManyWhoClaimOneJobOneGetsIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var group errgroup.Group
		var won atomic.Int64
		for range 8 {
			group.Go(func() error {
				c := claim(1, noon())
				stored, err := s.Claim(context.Background(), c, yes)
				switch {
				case err == nil && stored.ID == c.ID:
					won.Add(1)
				case app.CodeOf(err) != app.CodeConflict || stored.ID == "" || stored.ID == c.ID:
					return fmt.Errorf("%+v: %w", stored, err)
				}
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
		if won.Load() != 1 {
			t.Errorf("%d got the claim", won.Load())
		}
	})
}

func TestTwoClaimsThatCannotBothBeAreNeverBothStored(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var group errgroup.Group
		var won atomic.Int64
		full := app.Errorf(app.CodeConflict, "It overlaps.")
		for i := range 12 {
			group.Go(func() error {
				c := claim(i, noon()) // All at the same hour.
				_, err := s.Claim(context.Background(), c, func(tally app.Tally) error {
					if len(tally.Bookings) > 0 || tally.Session > 0 {
						return full
					}
					return nil
				})
				if err == nil {
					won.Add(1)
				} else if !errors.Is(err, full) {
					return err
				}
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
		if won.Load() != 1 {
			t.Errorf("%d of 12 overlapping claims were stored", won.Load())
		}
	})
}

func TestAClaimAskedForTwiceIsTheSame(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c := claimed(t, s, claim(1, noon()))
		again, err := s.Claim(t.Context(), c, func(app.Tally) error { t.Error("checked again"); return nil })
		if err != nil || !cmp.Equal(c, again) {
			t.Error(cmp.Diff(c, again), err)
		}
	})
}

func TestAClaimUnderALostLeaseIsRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := noon()
		mine, _, err := s.Acquire(t.Context(), account, "a", now)
		if err != nil {
			t.Fatal(err)
		}
		c := claim(1, now)
		c.Epoch = mine.Epoch
		claimed(t, s, c)

		theirs, taken, err := s.Acquire(t.Context(), account, "b", now.Add(store.LeaseTime))
		if err != nil || !taken || theirs.Epoch <= mine.Epoch {
			t.Fatal(theirs, taken, err)
		}
		late := claim(2, now)
		late.Epoch = mine.Epoch
		if _, err := s.Claim(t.Context(), late, yes); app.CodeOf(err) != app.CodeConflict {
			t.Errorf("a claim under the old lease: %v", err)
		}
		late.Epoch = theirs.Epoch
		claimed(t, s, late)
	})
}

func TestAClaimIsTakenAgainForAnotherTry(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c := claimed(t, s, claim(1, noon()))
		second := c
		second.Attempt, second.Version, second.PostedAt = 2, 2, noon().Add(time.Second)
		_, err := s.Claim(t.Context(), second, func(tally app.Tally) error {
			if len(tally.Bookings) != 0 || tally.Session != 0 {
				t.Errorf("the claim stands in its own way: %+v", tally)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if stored, err := s.Claim(t.Context(), c, yes); app.CodeOf(err) != app.CodeConflict || stored.Attempt != 2 {
			t.Errorf("the first try again: %+v, %v", stored, err)
		}
		settled := second
		settled.Outcome, settled.Version = app.OutcomeAccepted, 3
		r := record(noon())
		r.Claims = []app.Claim{settled}
		saved(t, s, r)
		third := settled
		third.Attempt, third.Version = 3, 4
		if _, err := s.Claim(t.Context(), third, yes); app.CodeOf(err) != app.CodeConflict {
			t.Errorf("a try after the acceptance: %v", err)
		}
	})
}

func TestTheTallyHoldsAllThatIsTakenOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := noon()
		outcome := func(number int, o app.Outcome) app.Claim {
			c := claim(number, now)
			c.Outcome = o
			return c
		}
		other := outcome(5, app.OutcomeAccepted)
		other.SessionID = "another"
		old := outcome(6, app.OutcomeAccepted)
		old.StartsAt, old.EndsAt = now.Add(-50*time.Hour), now.Add(-49*time.Hour)
		reject := outcome(7, app.OutcomeRejected)
		reject.Act = app.ActReject
		r := record(now)
		r.Claims = []app.Claim{outcome(1, app.OutcomeAccepted), outcome(2, ""), outcome(3, app.OutcomeLost), outcome(4, app.OutcomeUnknown), other, old, reject}
		done, vanished, lost := job(1, now), job(8, now), job(9, now)
		done.Status, vanished.Status, vanished.VanishedAt, lost.Status = app.JobAccepted, app.JobAccepted, now, app.JobLost
		r.Jobs = []app.JobRecord{done, vanished, lost}
		saved(t, s, r)

		tally, err := s.Tally(t.Context(), account, sessionID, now.Add(-24*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if tally.Session != 4 || tally.Rejected != 1 {
			t.Errorf("session %d, rejected %d; want 4 (1, 2, 4, 6) and 1", tally.Session, tally.Rejected)
		}
		got := make(map[string]int)
		for _, b := range tally.Bookings {
			got[b.Number]++
			if !b.Firm || b.StartsAt.IsZero() || b.Label == "" {
				t.Errorf("booking %+v", b)
			}
		}
		if diff := cmp.Diff(map[string]int{"1": 1, "2": 1, "4": 1, "5": 1, "8": 1}, got); diff != "" {
			t.Error("bookings differ:\n", diff)
		}
		unsettled, err := s.Unsettled(t.Context(), account)
		var open []string
		for _, c := range unsettled {
			open = append(open, c.Number)
		}
		if slices.Sort(open); err != nil || !slices.Equal(open, []string{"2", "4"}) {
			t.Errorf("unsettled: %v, %v", open, err)
		}
	})
}

func TestAClaimThatIsCutOffIsNotStored(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := s.Claim(ctx, claim(1, noon()), func(app.Tally) error { cancel(); return nil })
		if err == nil {
			t.Fatal("the claim was stored")
		}
		if found, err := s.Claims(t.Context(), account, []string{"1"}); err != nil || len(found) != 0 {
			t.Errorf("found %v, %v", found, err)
		}
	})
}
