package store_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/store"
	"github.com/atozbot/atozbot/store/storetest"
)

// predecessor makes the tables as one of its two scripts did, with rows of every kind.
func predecessor(t *testing.T, dsn, day, clock, excluded, list string) {
	t.Helper()
	execute(t, raw(t, dsn),
		`CREATE TABLE bot_sessions (id UUID PRIMARY KEY, session_name VARCHAR(255), start_time TIMESTAMPTZ, end_time TIMESTAMPTZ, status VARCHAR(50), login_status VARCHAR(50),
			total_checks INTEGER, total_accepted INTEGER, total_rejected INTEGER, created_at TIMESTAMPTZ, updated_at TIMESTAMPTZ)`,
		`CREATE TABLE job_records (id UUID PRIMARY KEY, session_id UUID REFERENCES bot_sessions (id) ON DELETE CASCADE, job_ref VARCHAR(100), language VARCHAR(100),
			appointment_date `+day+`, appointment_time `+clock+`, duration VARCHAR(50), submitted_at TIMESTAMPTZ, status VARCHAR(50), job_type VARCHAR(100),
			rejection_reason TEXT, scraped_at TIMESTAMPTZ, created_at TIMESTAMPTZ)`,
		`CREATE TABLE analytics_periods (id UUID PRIMARY KEY, period_start TIMESTAMPTZ, period_end TIMESTAMPTZ, total_jobs_processed INTEGER, jobs_accepted INTEGER,
			jobs_rejected INTEGER, acceptance_rate NUMERIC(5,2), most_common_language VARCHAR(100), peak_hour INTEGER, bot_uptime_seconds INTEGER, created_at TIMESTAMPTZ)`,
		`CREATE TABLE bot_configurations (id UUID PRIMARY KEY, config_name VARCHAR(255) UNIQUE, check_interval_seconds NUMERIC, results_report_interval_seconds INTEGER,
			rejected_report_interval_seconds INTEGER, quick_check_interval_seconds INTEGER, enable_quick_check BOOLEAN, enable_results_reporting BOOLEAN,
			enable_rejected_reporting BOOLEAN, max_accept_per_run INTEGER, job_type_filter VARCHAR(255), exclude_types `+list+`, is_active BOOLEAN,
			created_at TIMESTAMPTZ, updated_at TIMESTAMPTZ)`,
		`CREATE TABLE system_logs (id UUID PRIMARY KEY, session_id UUID, log_level VARCHAR(20), message TEXT, component VARCHAR(100), created_at TIMESTAMPTZ)`,
		`CREATE VIEW dashboard_metrics AS SELECT s.id, COUNT(j.id) AS jobs FROM bot_sessions s LEFT JOIN job_records j ON j.session_id = s.id GROUP BY s.id`,

		`INSERT INTO bot_sessions VALUES
			('00000000-0000-4000-8000-000000000001', 'Morning', '2025-09-30 10:00+01', NULL, 'running', 'success', 100, 2, 1, '2025-09-30 10:00+01', '2025-09-30 12:00+01'),
			('00000000-0000-4000-8000-000000000002', NULL, NULL, '2025-09-29 12:00+00', 'error', NULL, NULL, NULL, NULL, '2025-09-29 10:00+00', NULL)`,
		`INSERT INTO job_records VALUES
			('10000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000001', '48213/A', 'Polish', '2025-10-07', `+at(clock, "14:30")+`, '1 hour', '2025-09-30 09:00+00', 'matched', 'Telephone interpreting', NULL, '2025-09-30 10:05+00', '2025-09-30 10:05+00'),
			('10000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000001', '48213 / A', 'Polish', '2025-10-07', `+at(clock, "14:30")+`, '1 hour', '2025-09-30 09:00+00', 'accepted', 'Telephone interpreting', NULL, '2025-09-30 10:06+00', '2025-09-30 10:06+00'),
			('10000000-0000-4000-8000-000000000003', NULL, '48214/B', 'Română', NULL, NULL, 'weekend', NULL, 'rejected', 'Face-to-Face', 'excluded', '2025-09-30 10:07+00', '2025-09-30 10:07+00'),
			('10000000-0000-4000-8000-000000000004', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2025-09-30 10:08+00'),
			('10000000-0000-4000-8000-000000000005', NULL, '500/C', 'Arabic', '2025-10-08', `+at(clock, "09:00")+`, '30 mins', NULL, 'failed', NULL, NULL, '2025-09-30 10:09+00', '2025-09-30 10:09+00')`,
		`INSERT INTO analytics_periods VALUES ('20000000-0000-4000-8000-000000000001', '2025-09-30 08:00+00', '2025-09-30 12:00+00', 5, 1, 1, 20.00, 'Polish', 14, 3600, '2025-09-30 12:00+00')`,
		`INSERT INTO bot_configurations VALUES
			('30000000-0000-4000-8000-000000000001', 'old', 60, 5, 43200, 10, false, true, true, 1, 'Video', NULL, false, '2025-09-01 00:00+00', '2025-09-01 00:00+00'),
			('30000000-0000-4000-8000-000000000002', 'mine', 0.05, 5, 43200, 10, true, true, false, 7, 'Telephone interpreting', `+excluded+`, true, '2025-09-01 00:00+00', '2025-09-02 00:00+00')`,
		`INSERT INTO system_logs VALUES ('40000000-0000-4000-8000-000000000001', NULL, 'WARNING', 'Something.', 'bot', '2025-09-30 10:00+00')`,
	)
}

// at is a time of the appointment as the column's type takes it.
func at(clock, hour string) string {
	if clock == "TIME" {
		return "'" + hour + "'"
	}
	return "'2025-10-07 " + hour + "'"
}

func minutes(text string) (int, bool) {
	known := map[string]int{"1 hour": 60, "30 mins": 30}
	m, ok := known[text]
	return m, ok
}

func TestAPredecessorsDatabaseComesOverOnceHoweverOften(t *testing.T) {
	scripts := map[string][4]string{
		"with dates, times and arrays":    {"DATE", "TIME", `'{"Face-to-Face","In Person"}'`, "TEXT[]"},
		"with time stamps and JSON":       {"TIMESTAMP", "TIMESTAMP", `'["Face-to-Face","In Person"]'`, "JSON"},
		"with time stamps in zones, text": {"TIMESTAMPTZ", "TIMESTAMP", `'["Face-to-Face", "In Person"]'`, "TEXT"},
	}
	for name, script := range scripts {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, s *store.Store) {
				from := storetest.Postgres(t)
				predecessor(t, from, script[0], script[1], script[2], script[3])
				comesOver(t, s, from)
			})
		})
	}
	t.Run("into its own database", func(t *testing.T) {
		dsn := storetest.Postgres(t)
		predecessor(t, dsn, "DATE", "TIME", `'{"Face-to-Face","In Person"}'`, "TEXT[]")
		comesOver(t, storetest.Open(t, dsn, store.Options{}), dsn)
	})
}

func comesOver(t *testing.T, s *store.Store, from string) {
	t.Helper()
	london := zone(t, "Europe/London")
	if _, err := s.EnsureConfiguration(t.Context(), account, app.DefaultConfiguration(), "settings", noon()); err != nil {
		t.Fatal(err)
	}
	mine := job(500, noon()) // Recorded by the built-in bot: the import leaves it alone.
	mine.Status = app.JobLost
	saved(t, s, record(noon(), mine))
	o := store.ImportOptions{From: from, Minutes: minutes, Zone: london, Now: noon()}
	first, err := s.Import(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if want := (store.Imported{Sessions: 2, Jobs: 5, Periods: 1, Logs: 1, NewJobs: 3, Configuration: true}); !cmp.Equal(want, first) {
		t.Error("imported:", cmp.Diff(want, first))
	}
	before := shown(t, s)
	for range 2 {
		o.Now = o.Now.Add(time.Hour)
		again, err := s.Import(t.Context(), o)
		if err != nil || again.NewJobs != 0 || again.Configuration {
			t.Errorf("again: %+v, %v", again, err)
		}
		if diff := cmp.Diff(before, shown(t, s)); diff != "" {
			t.Error("the second time it differs:\n", diff)
		}
	}

	trace, err := s.JobByNumber(t.Context(), account, "48213")
	if err != nil {
		t.Fatal(err)
	}
	j := trace.Job
	starts := time.Date(2025, 10, 7, 13, 30, 0, 0, time.UTC) // 14:30 in British summer.
	if j.Source != app.SourceImported || j.Status != app.JobAccepted || j.Date != "2025-10-07" || j.Time != "14:30" || !j.StartsAt.Equal(starts) ||
		!j.EndsAt.Equal(starts.Add(time.Hour)) || !j.SeenAt.Equal(time.Date(2025, 9, 30, 10, 5, 0, 0, time.UTC)) {
		t.Errorf("%+v", j)
	}
	if odd, err := s.JobByNumber(t.Context(), account, "import-10000000-0000-4000-8000-000000000004"); err != nil || odd.Job.Status != app.JobMatched || odd.Job.SeenAt.IsZero() {
		t.Errorf("a row without anything: %+v, %v", odd.Job, err)
	}
	if kept, err := s.JobByNumber(t.Context(), account, "500"); err != nil || !cmp.Equal(mine, kept.Job) {
		t.Error("what the built-in bot recorded was changed:", cmp.Diff(mine, kept.Job), err)
	}
	run, err := s.Session(t.Context(), "00000000-0000-4000-8000-000000000001")
	if err != nil || run.Status != app.SessionStopped || run.EndedAt.IsZero() || run.TotalChecks != 100 || run.Source != app.SourceImported {
		t.Errorf("%+v, %v", run, err)
	}
	if left, err := s.Resumable(t.Context(), account); err != nil || left != nil {
		t.Errorf("an imported session would be resumed: %+v, %v", left, err)
	}
	c, err := s.Configuration(t.Context(), account)
	if err != nil || c.ConfigName != "mine" || c.CheckIntervalSeconds != 0.2 || c.MaxAcceptPerRun != 7 || c.EnableRejectedReporting || c.Mode != app.ModeWatch ||
		!slices.Equal(c.ExcludeTypes, []string{"Face-to-Face", "In Person"}) || c.Author != "import" {
		t.Errorf("%+v, %v", c, err)
	}
	periods, err := s.Periods(t.Context(), store.Window{})
	if err != nil || len(periods.Items) != 1 || periods.Items[0].PeakHour != 14 || periods.Items[0].AcceptanceRate != 20 || periods.Items[0].Uptime != time.Hour {
		t.Errorf("%+v, %v", periods, err)
	}
}

func TestAnImportDoesNotGoOverAConfigurationThatSomebodySaved(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		from := storetest.Postgres(t)
		predecessor(t, from, "DATE", "TIME", `NULL`, "TEXT[]")
		c, err := s.EnsureConfiguration(t.Context(), account, app.DefaultConfiguration(), "settings", noon())
		if err != nil {
			t.Fatal(err)
		}
		c.MaxAcceptPerRun = 3
		if _, err := s.SaveConfiguration(t.Context(), account, c, "ana", noon()); err != nil {
			t.Fatal(err)
		}
		imported, err := s.Import(t.Context(), store.ImportOptions{From: from, Now: noon()})
		if err != nil || imported.Configuration || len(imported.Notes) != 1 {
			t.Errorf("%+v, %v", imported, err)
		}
		if c, err := s.Configuration(t.Context(), account); err != nil || c.MaxAcceptPerRun != 3 {
			t.Errorf("%+v, %v", c, err)
		}
	})
}

func TestAnImportThatWasCutOffGoesOn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		from := storetest.Postgres(t)
		predecessor(t, from, "DATE", "TIME", `NULL`, "TEXT[]")
		ctx, cancel := context.WithCancel(t.Context())
		o := store.ImportOptions{From: from, Now: noon(), Minutes: func(string) (int, bool) { cancel(); return 0, false }}
		if _, err := s.Import(ctx, o); err == nil {
			t.Fatal("it was not cut off")
		}
		o.Minutes = minutes
		imported, err := s.Import(t.Context(), o)
		if err != nil || imported.NewJobs != 4 {
			t.Errorf("%+v, %v", imported, err)
		}
	})
}

func TestADatabaseWithoutAPredecessorIsToldApart(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		if _, err := s.Import(t.Context(), store.ImportOptions{From: storetest.Postgres(t), Now: noon()}); app.CodeOf(err) != app.CodeNotFound {
			t.Errorf("an empty database: %v", err)
		}
		if _, err := s.Import(t.Context(), store.ImportOptions{From: "mysql://u:s3cret@h/x", Now: noon()}); app.CodeOf(err) != app.CodeInvalid {
			t.Errorf("no PostgreSQL: %v", err)
		}
		_, err := s.Import(t.Context(), store.ImportOptions{From: "postgres://u@" + closedPort(t) + "/x", Now: noon()})
		if store.Classify(err).Reason != "connection refused" {
			t.Errorf("nobody there: %v", err)
		}
	})
}
