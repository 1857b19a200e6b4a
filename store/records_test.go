package store_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/store"
)

const account = app.DefaultAccountID

// noon is a moment that the tests begin at.
func noon() time.Time { return time.Date(2027, 3, 10, 12, 0, 0, 0, time.UTC) }

// job is a job with every field set, so that a column that is mixed up is noticed.
func job(number int, seen time.Time) app.JobRecord {
	starts := seen.Add(48 * time.Hour).Truncate(time.Hour)
	return app.JobRecord{
		ID: app.NewID(seen), AccountID: account, SessionID: sessionID, Source: app.SourceBuiltIn,
		Number: fmt.Sprint(number), Ref: fmt.Sprintf("%d/A", number), Language: "Polish",
		Date: starts.Format(time.DateOnly), Time: starts.Format("15:04"), DurationText: "1 hour", DurationMinutes: 60,
		SubmittedText: "10/03/2027", SubmittedAt: seen.Add(-time.Hour), JobType: "Telephone interpreting",
		StartsAt: starts, EndsAt: starts.Add(time.Hour), DetailsURL: "https://portal.example/interpreter-jobs/" + fmt.Sprint(number),
		Row: []string{fmt.Sprintf("%d/A", number), "10/03/2027", "été"}, Status: app.JobMatched, Verdict: app.VerdictLeave,
		RejectionReason: "It is watched only.", Rule: "languages", NeedsUser: "", SeenAt: seen, LastSeenAt: seen.Add(time.Second),
		Sightings: 3, ListedAt: seen.Add(-time.Minute), DecidedAt: seen.Add(2 * time.Millisecond), CreatedAt: seen, UpdatedAt: seen, Version: 1,
	}
}

const sessionID = "01957c00-0000-7000-8000-00000000000a"

func session(now time.Time) app.Session {
	return app.Session{
		ID: sessionID, AccountID: account, Name: "Morning", Source: app.SourceBuiltIn, Status: app.SessionRunning, LoginStatus: app.LoginSuccess,
		TotalChecks: 7, TotalAccepted: 2, TotalRejected: 1, LastError: "none", StartedAt: now, CreatedAt: now, UpdatedAt: now, Version: 1,
	}
}

func claim(number int, now time.Time) app.Claim {
	starts := now.Add(24 * time.Hour)
	return app.Claim{
		ID: app.NewID(now), AccountID: account, SessionID: sessionID, Number: fmt.Sprint(number), Ref: fmt.Sprintf("%d/A", number),
		Act: app.ActAccept, Attempt: 1, RulesVersion: 4, ClaimedAt: now, StartsAt: starts, EndsAt: starts.Add(time.Hour),
		Language: "Polish", JobType: "Telephone interpreting", Version: 1,
	}
}

func event(kind string, now time.Time) app.Event {
	return app.Event{Key: app.NewID(now), Type: kind, AccountID: account, SessionID: sessionID, At: now, Data: json.RawMessage(`{"job_ref":"1/A"}`)}
}

// record puts jobs into a step.
func record(now time.Time, jobs ...app.JobRecord) app.Record {
	return app.Record{ID: app.NewID(now), AccountID: account, At: now, Jobs: jobs}
}

func saved(t testing.TB, s *store.Store, r app.Record) []app.Event {
	t.Helper()
	events, err := s.Apply(t.Context(), r)
	if err != nil {
		t.Fatal("apply:", err)
	}
	return events
}

func yes(app.Tally) error { return nil }

func claimed(t testing.TB, s *store.Store, c app.Claim) app.Claim {
	t.Helper()
	stored, err := s.Claim(t.Context(), c, yes)
	if err != nil {
		t.Fatal("claim:", err)
	}
	return stored
}
