package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/atozbot/atozbot/app"
)

// ImportOptions are what [Store.Import] is told.
type ImportOptions struct {
	// From is the predecessor's PostgreSQL, postgres://…
	From string
	// Minutes reads a duration as the portal writes it; nil: none is understood.
	Minutes func(text string) (minutes int, ok bool)
	// Zone is the portal's, in which appointments are meant.
	Zone *time.Location
	Now  time.Time
}

// Imported says what came over. Running an import again brings only what is new.
type Imported struct {
	Sessions, Jobs, Periods, Logs int64 // Rows read.
	NewJobs                       int64 // Jobs that were not here yet; several rows of one reference are one job.
	// Configuration says that the predecessor's active one is in force now.
	Configuration bool
	Notes         []string // What was left aside, and why, as sentences.
}

// importedAtOnce is how many rows one step holds.
const importedAtOnce = 200

// Import brings a predecessor's database over: sessions, jobs, analytics periods, the
// active configuration and the log. It only reads there. Every row keeps its id, so
// running it again, or going on after an end half-way, doubles nothing. What the
// built-in bot has recorded itself is never changed by it: the predecessor called a
// click an acceptance.
//
// CodeInvalid: From is no PostgreSQL address. CodeNotFound: it holds no predecessor's
// tables. CodeUnavailable: one of the two databases cannot be used; see [Classify].
func (s *Store) Import(ctx context.Context, o ImportOptions) (Imported, error) {
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	config, err := pgx.ParseConfig(o.From)
	if err != nil || !strings.HasPrefix(o.From, "postgres") {
		return Imported{}, &app.Error{Code: app.CodeInvalid, Message: "The predecessor's database must be given as postgres://…", Err: scrubbedOrNil(err, o.From)}
	}
	there := stdlib.OpenDB(*config)
	defer there.Close()
	tx, err := there.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return Imported{}, fmt.Errorf("open the predecessor's database: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // Nothing was changed.
	i := &importer{Store: s, o: o, from: tx, origin: originOf(o.From)}
	err = i.all(ctx)
	return i.result, err
}

func scrubbedOrNil(err error, dsn string) error {
	if err == nil {
		return nil
	}
	return scrubbed(err, dsn)
}

// originOf names a database without anything that is secret.
func originOf(dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		return "predecessor"
	}
	return clipped(u.Host+u.Path, longestKey)
}

// importer is one import under way.
type importer struct {
	*Store
	o      ImportOptions
	from   *sql.Tx
	origin string
	result Imported
	any    bool // One of the tables was there.
}

func (i *importer) all(ctx context.Context) error {
	for _, part := range []func(context.Context) error{i.sessions, i.jobs, i.periods, i.configuration, i.logs} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	if !i.any {
		return app.Errorf(app.CodeNotFound, "There are no tables of the predecessor in that database.")
	}
	return nil
}

// oldRow is one row of the predecessor's, whatever its columns' types are.
type oldRow map[string]any

// each calls fn for every row of a table, as JSON, and leaves a missing table aside.
func (i *importer) each(ctx context.Context, name, order string, fn func(oldRow) error) error {
	var there int
	if err := i.from.QueryRowContext(ctx, `SELECT COUNT(*) FROM pg_tables WHERE schemaname = ANY (current_schemas(false)) AND tablename = $1`, name).Scan(&there); err != nil {
		return err
	}
	if there == 0 {
		i.result.Notes = append(i.result.Notes, "There is no table "+name+".")
		return nil
	}
	i.any = true
	return each(ctx, i.from, `SELECT CAST(to_jsonb(t) AS TEXT) FROM `+name+` t ORDER BY `+order, nil, func(rows *sql.Rows) error {
		var text string
		if err := rows.Scan(&text); err != nil {
			return err
		}
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		row := oldRow{}
		if err := decoder.Decode(&row); err != nil {
			return err
		}
		return fn(row)
	})
}

func (i *importer) sessions(ctx context.Context) error {
	return i.each(ctx, "bot_sessions", "created_at, id", func(row oldRow) error {
		started := firstOf(row.time("start_time"), row.time("created_at"), i.o.Now)
		updated := firstOf(row.time("updated_at"), row.time("end_time"), started)
		status := app.SessionStatus(row.text("status"))
		ended := row.time("end_time")
		if status != app.SessionError {
			status = app.SessionStopped // Whatever ran there runs no more.
		}
		if ended.IsZero() {
			ended = later(started, updated)
		}
		session := app.Session{
			ID: row.id(), AccountID: app.DefaultAccountID, Name: row.text("session_name"), Source: app.SourceImported,
			Status: status, LoginStatus: importedLogin(row.text("login_status")),
			TotalChecks: max(0, row.number("total_checks")), TotalAccepted: max(0, row.number("total_accepted")), TotalRejected: max(0, row.number("total_rejected")),
			StartedAt: started, EndedAt: ended, CreatedAt: firstOf(row.time("created_at"), started), UpdatedAt: updated, Version: 1,
		}
		i.result.Sessions++
		return i.Save(ctx, app.Record{AccountID: session.AccountID, At: i.o.Now, Session: &session})
	})
}

// importedLogin is the word for a log-in, where it is one that we have too.
func importedLogin(word string) app.LoginStatus {
	switch login := app.LoginStatus(word); login {
	case app.LoginPending, app.LoginAttempting, app.LoginSuccess, app.LoginFailed:
		return login
	default:
		return app.LoginNotStarted
	}
}

func (i *importer) jobs(ctx context.Context) error {
	var batch []app.JobRecord
	flush := func() error {
		jobs := batch
		batch = nil
		return i.saveImported(ctx, jobs)
	}
	err := i.each(ctx, "job_records", "scraped_at, id", func(row oldRow) error {
		i.result.Jobs++
		batch = append(batch, i.job(row))
		if len(batch) < importedAtOnce {
			return nil
		}
		return flush()
	})
	return errors.Join(err, flush())
}

// job makes one of ours of a row of theirs. Its times are zero where the row has none.
func (i *importer) job(row oldRow) app.JobRecord {
	seen := firstOf(row.time("scraped_at"), row.time("created_at"))
	ref := strings.Join(strings.Fields(row.text("job_ref")), "")
	j := app.JobRecord{
		ID: row.id(), AccountID: app.DefaultAccountID, SessionID: row.text("session_id"), Source: app.SourceImported,
		Number: numberOf(ref, row.id()), Ref: ref, Language: strings.Join(strings.Fields(row.text("language")), " "),
		Date: row.day("appointment_date"), Time: row.clock("appointment_time"), DurationText: row.text("duration"),
		SubmittedText: row.text("submitted_at"), SubmittedAt: row.time("submitted_at"), JobType: row.text("job_type"), RejectionReason: row.text("rejection_reason"),
		SeenAt: seen, LastSeenAt: seen, GoneAt: seen, Sightings: 1, CreatedAt: firstOf(row.time("created_at"), seen), UpdatedAt: seen, Version: 1,
	}
	j.Status, j.Verdict = importedStatus(row.text("status"))
	if i.o.Minutes != nil {
		j.DurationMinutes, _ = i.o.Minutes(j.DurationText)
	}
	if starts, err := time.ParseInLocation("2006-01-02 15:04", j.Date+" "+j.Time, i.o.Zone); err == nil && j.DurationMinutes > 0 {
		j.StartsAt = starts.UTC()
		j.EndsAt = j.StartsAt.Add(time.Duration(j.DurationMinutes) * time.Minute)
	}
	return j
}

// importedStatus is what a status of theirs means here.
func importedStatus(status string) (app.JobStatus, app.Verdict) {
	switch status {
	case "accepted":
		return app.JobAccepted, app.VerdictAccept
	case "rejected":
		return app.JobRejected, app.VerdictReject
	case "failed":
		return app.JobFailed, app.VerdictAccept
	}
	return app.JobMatched, app.VerdictLeave
}

// numberOf is what a job is known by: the digits before the slash of its reference.
func numberOf(ref, id string) string {
	number, _, _ := strings.Cut(ref, "/")
	if number == "" {
		return "import-" + id
	}
	return clipped(number, longestKey)
}

// saveImported stores jobs that the built-in bot has not recorded itself.
func (i *importer) saveImported(ctx context.Context, jobs []app.JobRecord) error {
	if len(jobs) == 0 {
		return nil
	}
	numbers := make([]string, len(jobs))
	for n, j := range jobs {
		numbers[n] = j.Number
	}
	known, err := i.Jobs(ctx, app.DefaultAccountID, numbers)
	if err != nil {
		return err
	}
	var mine []app.JobRecord
	fresh := make(map[string]bool)
	for _, j := range jobs {
		there, ok := known[clean(j.Number)]
		if ok && there.Source != app.SourceImported {
			continue
		}
		if !ok {
			fresh[j.Number] = true
		}
		if j.SeenAt.IsZero() { // It came when it was first imported, however often that is done.
			at := firstOf(there.SeenAt, i.o.Now)
			j.SeenAt, j.LastSeenAt, j.GoneAt, j.CreatedAt, j.UpdatedAt = at, at, at, at, at
		}
		mine = append(mine, j)
	}
	if err := i.Save(ctx, app.Record{AccountID: app.DefaultAccountID, At: i.o.Now, Jobs: mine}); err != nil {
		return err
	}
	i.result.NewJobs += int64(len(fresh))
	return nil
}

func (i *importer) periods(ctx context.Context) error {
	var rows [][]any
	err := i.each(ctx, "analytics_periods", "period_start, id", func(row oldRow) error {
		p := Period{
			ID: row.id(), AccountID: app.DefaultAccountID, Source: app.SourceImported, Start: row.time("period_start"), End: row.time("period_end"),
			Jobs: row.number("total_jobs_processed"), Accepted: row.number("jobs_accepted"), Rejected: row.number("jobs_rejected"),
			AcceptanceRate: row.fraction("acceptance_rate"), MostCommonLanguage: row.text("most_common_language"), PeakHour: -1,
			Uptime: time.Duration(row.number("bot_uptime_seconds")) * time.Second, CreatedAt: firstOf(row.time("created_at"), i.o.Now),
		}
		if hour := row.number("peak_hour"); row["peak_hour"] != nil && hour >= 0 && hour < 24 {
			p.PeakHour = int(hour)
		}
		if p.Start.IsZero() {
			return nil
		}
		i.result.Periods++
		rows = append(rows, periodRow(p))
		return nil
	})
	if err != nil || len(rows) == 0 {
		return err
	}
	return i.writing(ctx, "import periods", func(ctx context.Context, tx *sql.Tx) error {
		if err := i.lockAccount(ctx, tx, app.DefaultAccountID, i.o.Now); err != nil {
			return err
		}
		return periodTable().add(ctx, tx, rows)
	})
}

func (i *importer) logs(ctx context.Context) error {
	var batch []app.LogEntry
	flush := func() error {
		lines := batch
		batch = nil
		if len(lines) == 0 {
			return nil
		}
		return i.Save(ctx, app.Record{AccountID: app.DefaultAccountID, At: i.o.Now, Logs: lines})
	}
	err := i.each(ctx, "system_logs", "created_at, id", func(row oldRow) error {
		i.result.Logs++
		batch = append(batch, app.LogEntry{
			ID: row.id(), SessionID: row.text("session_id"), Level: orText(strings.ToUpper(row.text("log_level")), "INFO"), Message: row.text("message"),
			Component: row.text("component"), At: firstOf(row.time("created_at"), i.o.Now),
		})
		if len(batch) < importedAtOnce {
			return nil
		}
		return flush()
	})
	return errors.Join(err, flush())
}

// configuration brings the predecessor's active one into force, once, and not over one
// that somebody saved here.
func (i *importer) configuration(ctx context.Context) error {
	var old oldRow
	err := i.each(ctx, "bot_configurations", "is_active, updated_at, id", func(row oldRow) error {
		if active, _ := row["is_active"].(bool); active || old == nil {
			old = row
		}
		return nil
	})
	if err != nil || old == nil {
		return err
	}
	first, err := i.firstTime(ctx, old.id())
	if err != nil || !first {
		return err
	}
	c, err := i.Configuration(ctx, app.DefaultAccountID)
	if app.CodeOf(err) == app.CodeNotFound {
		c, err = app.DefaultConfiguration(), nil
		c.Version = 0
	}
	if err != nil {
		return err
	}
	if c.Version > 1 {
		i.result.Notes = append(i.result.Notes, "The predecessor's configuration was left aside, since one has been saved here already.")
		return nil
	}
	takeConfiguration(&c, old)
	if _, err := i.SaveConfiguration(ctx, app.DefaultAccountID, c, "import", i.o.Now); err != nil {
		return err
	}
	i.result.Configuration = true
	return nil
}

// firstTime notes that a row comes over, and tells false where it has before.
func (i *importer) firstTime(ctx context.Context, id string) (bool, error) {
	var n int64
	err := i.writing(ctx, "note what was imported", func(ctx context.Context, tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `INSERT INTO atozbot_imports (origin, source_id, target_id, imported_ms) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
			i.origin, clipped(id, longestKey), app.DefaultAccountID, i.o.Now.UnixMilli())
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	return n > 0, err
}
