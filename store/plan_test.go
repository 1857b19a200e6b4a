package store

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app"
)

func TestNoPageOfAListIsSortedAnew(t *testing.T) {
	s, err := Open("sqlite:"+filepath.Join(t.TempDir(), "plan.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Migrate(t.Context(), Up, Latest); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2027, 1, 31, 10, 0, 0, 0, time.UTC)
	for name, f := range map[string]JobFilter{
		"all":                   {AccountID: app.DefaultAccountID},
		"of all accounts":       {},
		"from a time on":        {AccountID: app.DefaultAccountID, Since: now},
		"by status":             {AccountID: app.DefaultAccountID, Statuses: []app.JobStatus{app.JobAccepted}},
		"by language":           {AccountID: app.DefaultAccountID, Language: "Polish"},
		"by session":            {AccountID: app.DefaultAccountID, SessionID: "0199a3c4-58d1-7a6b-9f01-2b8c4d5e6f70"},
		"by words":              {AccountID: app.DefaultAccountID, Query: "polish"},
		"those to be asked":     {AccountID: app.DefaultAccountID, Statuses: []app.JobStatus{app.JobMatched}, Asking: ptr(true)},
		"by status, for a time": {AccountID: app.DefaultAccountID, Statuses: []app.JobStatus{app.JobLost}, Since: now, Until: now.Add(time.Hour)},
	} {
		where, err := f.where(f.conditions(), "seen_ms")
		if err != nil {
			t.Fatal(err)
		}
		var plan []string
		err = each(t.Context(), s.base().pools.read, "EXPLAIN QUERY PLAN "+selectJobs(where.text()+f.order("seen_ms")), where.args, func(rows *sql.Rows) error {
			var id, parent, unused int
			var step string
			err := rows.Scan(&id, &parent, &unused, &step)
			plan = append(plan, step)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if steps := strings.Join(plan, "; "); strings.Contains(steps, "TEMP B-TREE") || !strings.Contains(steps, "INDEX") {
			t.Errorf("%s: %s", name, steps)
		}
	}
}

func ptr[T any](v T) *T { return &v }
