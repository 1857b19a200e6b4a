package store

import (
	"context"
	"database/sql"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/atozbot/atozbot/app"
)

func jobTable() table {
	return table{name: "atozbot_jobs", key: []string{"account_id", "number"}, fixed: []string{"id", "created_ms"}, columns: append(jobColumns(), "language_key", "search")}
}

// jobColumns are those that make up an [app.JobRecord].
func jobColumns() []string {
	return []string{
		"id", "account_id", "session_id", "source", "number", "ref", "language", "appointment_date", "appointment_time",
		"duration_text", "duration_minutes", "submitted_text", "submitted_ms", "job_type", "starts_ms", "ends_ms", "details_url", "board_row",
		"status", "verdict", "rejection_reason", "rule", "needs_user", "seen_ms", "last_seen_ms", "gone_ms", "vanished_ms", "sightings",
		"listed_ms", "decided_ms", "claimed_ms", "posted_ms", "confirmed_ms", "created_ms", "updated_ms", "version",
	}
}

func jobRow(j app.JobRecord) ([]any, error) {
	if j.Row == nil {
		j.Row = []string{}
	}
	board, err := toJSON(j.Row)
	return []any{
		j.ID, j.AccountID, j.SessionID, j.Source, clean(j.Number), clean(j.Ref), clean(j.Language), clean(j.Date), clean(j.Time),
		clean(j.DurationText), j.DurationMinutes, clean(j.SubmittedText), toMS(j.SubmittedAt), clean(j.JobType), toMS(j.StartsAt), toMS(j.EndsAt), clean(j.DetailsURL), board,
		string(j.Status), string(j.Verdict), clean(j.RejectionReason), clean(j.Rule), clean(j.NeedsUser), mustMS(j.SeenAt), mustMS(j.LastSeenAt), toMS(j.GoneAt), toMS(j.VanishedAt), j.Sightings,
		toMS(j.ListedAt), toMS(j.DecidedAt), toMS(j.ClaimedAt), toMS(j.PostedAt), toMS(j.ConfirmedAt), mustMS(j.CreatedAt), mustMS(j.UpdatedAt), j.Version,
		languageKey(j.Language), searchText(j),
	}, err
}

// jobScanner gives what reads rows of jobColumns, one after the other. What it scans into
// is made once: a hundred thousand rows have 36 columns each.
func jobScanner() func(scan func(...any) error) (app.JobRecord, error) {
	var j app.JobRecord
	into := []any{
		&j.ID, &j.AccountID, &j.SessionID, &j.Source, &j.Number, &j.Ref, &j.Language, &j.Date, &j.Time,
		&j.DurationText, &j.DurationMinutes, &j.SubmittedText,
		stamp{&j.SubmittedAt},
		&j.JobType,
		stamp{&j.StartsAt},
		stamp{&j.EndsAt},
		&j.DetailsURL,
		jsonText{&j.Row},
		&j.Status, &j.Verdict, &j.RejectionReason, &j.Rule, &j.NeedsUser,
		stamp{&j.SeenAt},
		stamp{&j.LastSeenAt},
		stamp{&j.GoneAt},
		stamp{&j.VanishedAt},
		&j.Sightings,
		stamp{&j.ListedAt},
		stamp{&j.DecidedAt},
		stamp{&j.ClaimedAt},
		stamp{&j.PostedAt},
		stamp{&j.ConfirmedAt},
		stamp{&j.CreatedAt},
		stamp{&j.UpdatedAt},
		&j.Version,
	}
	return func(scan func(...any) error) (app.JobRecord, error) {
		j.Row = nil // What was handed out stays as it is.
		err := scan(into...)
		return j, err
	}
}

func scanJob(scan func(...any) error) (app.JobRecord, error) { return jobScanner()(scan) }

func selectJobs(rest string) string {
	return "SELECT " + strings.Join(jobColumns(), ", ") + " FROM atozbot_jobs " + rest
}

// PostgreSQL refuses index entries of more than 2.7 kB, so what stands in one is clipped.
const (
	longestKey    = 200
	longestSearch = 1000
)

func languageKey(language string) string { return clipped(fold(language), longestKey) }

// searchText is everything that a search looks in.
func searchText(j app.JobRecord) string {
	return clipped(fold(j.Ref+" "+j.Language+" "+j.JobType+" "+j.RejectionReason), longestSearch)
}

// JobFilter picks jobs. Zero values pick all.
type JobFilter struct {
	AccountID string
	SessionID string
	Statuses  []app.JobStatus // One of them.
	Verdicts  []app.Verdict   // One of them.
	Asking    *bool           // Whether the user is still asked: matched, verdict ask, on the board, not answered.
	Language  string          // Case and accents aside.
	Query     string          // Looked for in reference, language, type and reason, case and accents aside.
	// When first seen: from Since on, before Until.
	Since, Until time.Time
	Window
}

// asking holds for a job whose user is still asked.
const asking = `(status = 'matched' AND verdict = 'ask' AND gone_ms IS NULL)`

func (f JobFilter) conditions() *conditions {
	c := &conditions{}
	c.equal("account_id", f.AccountID)
	c.equal("session_id", f.SessionID)
	if f.Language != "" {
		c.and("language_key = " + c.arg(languageKey(f.Language)))
	}
	among(c, "status", f.Statuses)
	among(c, "verdict", f.Verdicts)
	if f.Asking != nil {
		if *f.Asking {
			c.and(asking)
		} else {
			c.and("NOT " + asking)
		}
	}
	if query := fold(clean(f.Query)); query != "" {
		c.and("search LIKE " + c.arg(like(query)) + ` ESCAPE '\'`)
	}
	if !f.Since.IsZero() {
		c.and("seen_ms >= " + c.arg(f.Since.UnixMilli()))
	}
	if !f.Until.IsZero() {
		c.and("seen_ms < " + c.arg(f.Until.UnixMilli()))
	}
	return c
}

func among[T ~string](c *conditions, column string, values []T) {
	if len(values) == 0 {
		return
	}
	places := make([]string, len(values))
	for i, v := range values {
		places[i] = c.arg(clean(string(v)))
	}
	c.and(column + " IN (" + strings.Join(places, ", ") + ")")
}

// ListJobs lists jobs, newest first. Without a filter, and with one by account, status,
// and session or language, the total comes from the roll-ups and costs the same however
// long the list is.
func (s *Store) ListJobs(ctx context.Context, f JobFilter) (Page[app.JobRecord], error) {
	var page Page[app.JobRecord]
	where, err := f.where(f.conditions(), "seen_ms")
	if err != nil {
		return page, err
	}
	err = s.reading(ctx, "list jobs", func(ctx context.Context, q queryer) error {
		page = Page[app.JobRecord]{Items: make([]app.JobRecord, 0, f.limit()+1)}
		var err error
		if page.Total, err = countJobs(ctx, q, f); err != nil || page.Total == 0 {
			return err
		}
		scan := jobScanner()
		err = each(ctx, q, selectJobs(where.text()+f.order("seen_ms")), where.args, func(rows *sql.Rows) error {
			found, err := scan(rows.Scan)
			page.Items = append(page.Items, found)
			return err
		})
		page.cut(f.Window, func(j app.JobRecord) (int64, string) { return mustMS(j.SeenAt), j.ID })
		return err
	})
	return page, err
}

// countJobs counts what a filter leaves, whatever its window.
func countJobs(ctx context.Context, q queryer, f JobFilter) (int64, error) {
	counts, known, err := allTime(ctx, q, f)
	if err != nil {
		return 0, err
	}
	if known {
		return counts.among(f.Statuses), nil
	}
	var total int64
	where := f.conditions()
	err = q.QueryRowContext(ctx, `SELECT COUNT(*) FROM atozbot_jobs`+where.text(), where.args...).Scan(&total)
	return total, err
}

// streamed is how many jobs EachJob reads at a time.
const streamed = 1000

// EachJob calls yield for every job that the filter leaves, newest first, whatever its
// window, in bounded memory. It reads page by page, one page ahead of yield, so it holds
// neither a connection nor a snapshot while yield works. An error of yield ends it and is
// returned as it is.
func (s *Store) EachJob(ctx context.Context, f JobFilter, yield func(app.JobRecord) error) error {
	var reader sync.WaitGroup
	defer reader.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	pages, failed := make(chan []app.JobRecord), make(chan error, 1)
	reader.Go(func() {
		defer close(pages)
		failed <- s.readAhead(ctx, f, pages)
	})
	for page := range pages {
		for _, j := range page {
			if err := yield(j); err != nil {
				return err
			}
		}
	}
	return <-failed
}

// readAhead hands over page after page, until there is no other or ctx ends.
// A panic becomes an error: nobody above its goroutine could catch it.
func (s *Store) readAhead(ctx context.Context, f JobFilter, pages chan<- []app.JobRecord) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			s.options.Logger.ErrorContext(ctx, "panic while jobs were streamed", "fault", fault, "stack", string(debug.Stack()))
			err = &app.Error{Code: app.CodeInternal, Message: "a fault of the program; the log has more", Err: fmt.Errorf("panic: %v", fault)}
		}
	}()
	f.Window = Window{Limit: streamed}
	for {
		page, err := s.JobsAfter(ctx, f)
		if err != nil {
			return err
		}
		select {
		case pages <- page.Items:
		case <-ctx.Done():
			return ctx.Err()
		}
		if page.Next == "" {
			return nil
		}
		f.Cursor = page.Next
	}
}

// JobsAfter is ListJobs without the total, which can cost more than the page itself.
func (s *Store) JobsAfter(ctx context.Context, f JobFilter) (Page[app.JobRecord], error) {
	var page Page[app.JobRecord]
	where, err := f.where(f.conditions(), "seen_ms")
	if err != nil {
		return page, err
	}
	err = s.reading(ctx, "stream jobs", func(ctx context.Context, q queryer) error {
		page = Page[app.JobRecord]{Items: make([]app.JobRecord, 0, f.limit()+1)}
		scan := jobScanner()
		err := each(ctx, q, selectJobs(where.text()+f.order("seen_ms")), where.args, func(rows *sql.Rows) error {
			found, err := scan(rows.Scan)
			page.Items = append(page.Items, found)
			return err
		})
		page.cut(f.Window, func(j app.JobRecord) (int64, string) { return mustMS(j.SeenAt), j.ID })
		return err
	})
	return page, err
}

// JobTrace is one job with all that is known of it.
type JobTrace struct {
	Job       app.JobRecord
	Decisions []app.Decision // Newest first.
	Claims    []app.Claim
}

// Job gives one job by its id; CodeNotFound where there is none.
func (s *Store) Job(ctx context.Context, id string) (JobTrace, error) {
	return s.jobTrace(ctx, `WHERE id = $1`, clean(id))
}

// JobByNumber gives one job by its number; CodeNotFound where there is none.
func (s *Store) JobByNumber(ctx context.Context, accountID, number string) (JobTrace, error) {
	return s.jobTrace(ctx, `WHERE account_id = $1 AND number = $2`, accountID, clean(number))
}

func (s *Store) jobTrace(ctx context.Context, where string, args ...any) (JobTrace, error) {
	var trace JobTrace
	err := s.reading(ctx, "read a job", func(ctx context.Context, q queryer) (err error) {
		trace = JobTrace{}
		if trace.Job, err = scanJob(q.QueryRowContext(ctx, selectJobs(where), args...).Scan); err != nil {
			return err
		}
		if trace.Decisions, err = decisionsOf(ctx, q, trace.Job.AccountID, trace.Job.Number); err != nil {
			return err
		}
		trace.Claims, err = claimsOf(ctx, q, trace.Job.AccountID, []string{trace.Job.Number})
		return err
	})
	return trace, err
}

// Jobs gives what is recorded of these numbers, by number.
func (s *Store) Jobs(ctx context.Context, accountID string, numbers []string) (map[string]app.JobRecord, error) {
	var found map[string]app.JobRecord
	err := s.reading(ctx, "read jobs by number", func(ctx context.Context, q queryer) (err error) {
		found, err = jobsOf(ctx, q, accountID, numbers)
		return err
	})
	return found, err
}

func jobsOf(ctx context.Context, q queryer, accountID string, numbers []string) (map[string]app.JobRecord, error) {
	found := make(map[string]app.JobRecord, len(numbers))
	err := inGroups(numbers, func(group []any) error {
		query := selectJobs(`WHERE account_id = $1 AND number IN ` + places(2, len(group)))
		scan := jobScanner()
		return each(ctx, q, query, append([]any{accountID}, group...), func(rows *sql.Rows) error {
			j, err := scan(rows.Scan)
			found[j.Number] = j
			return err
		})
	})
	return found, err
}

// Watched gives the acceptances of the built-in bot that have not vanished and whose
// appointment is not over at from, or is not known.
func (s *Store) Watched(ctx context.Context, accountID string, from time.Time) ([]app.JobRecord, error) {
	return s.someJobs(ctx, "list acceptances to watch",
		`WHERE account_id = $1 AND status = 'accepted' AND source = '`+app.SourceBuiltIn+`' AND vanished_ms IS NULL AND (ends_ms IS NULL OR ends_ms > $2) ORDER BY seen_ms, id`,
		accountID, from.UnixMilli())
}

// Bookings gives accepted jobs, also those that vanished since, whose appointment
// touches the stretch, by appointment.
func (s *Store) Bookings(ctx context.Context, accountID string, from, to time.Time) ([]app.JobRecord, error) {
	return s.someJobs(ctx, "list bookings",
		`WHERE account_id = $1 AND status = 'accepted' AND ends_ms > $2 AND starts_ms < $3 ORDER BY starts_ms, id`,
		accountID, from.UnixMilli(), to.UnixMilli())
}

func (s *Store) someJobs(ctx context.Context, doing, where string, args ...any) ([]app.JobRecord, error) {
	var found []app.JobRecord
	err := s.reading(ctx, doing, func(ctx context.Context, q queryer) error {
		found = nil
		scan := jobScanner()
		return each(ctx, q, selectJobs(where), args, func(rows *sql.Rows) error {
			j, err := scan(rows.Scan)
			found = append(found, j)
			return err
		})
	})
	return found, err
}

// JobCounts counts jobs by what became of them.
type JobCounts struct {
	Counts
	Asking int64 // Of the matched: the user is still asked.
}

// CountJobs counts what the filter leaves by status, whatever its own statuses and window.
func (s *Store) CountJobs(ctx context.Context, f JobFilter) (JobCounts, error) {
	f.Statuses, f.Asking = nil, nil
	var counts JobCounts
	err := s.reading(ctx, "count jobs", func(ctx context.Context, q queryer) error {
		counts = JobCounts{}
		c := f.conditions().and(asking)
		if err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM atozbot_jobs`+c.text(), c.args...).Scan(&counts.Asking); err != nil {
			return err
		}
		all, known, err := allTime(ctx, q, f)
		if err != nil || known {
			counts.Counts = all
			return err
		}
		counts.Counts, err = countByStatus(ctx, q, f.conditions())
		return err
	})
	return counts, err
}

// countByStatus counts what the conditions leave. It asks for the sums in one row: with
// GROUP BY status SQLite would walk the whole index by status for a single day.
func countByStatus(ctx context.Context, q queryer, c *conditions) (Counts, error) {
	var counts Counts
	sums, targets := []string{"COUNT(*)"}, []any{&counts.Jobs}
	for _, status := range []app.JobStatus{app.JobMatched, app.JobAccepted, app.JobRejected, app.JobLost, app.JobRefused, app.JobUnknown, app.JobFailed} {
		sums = append(sums, `COUNT(*) FILTER (WHERE status = '`+string(status)+`')`)
		targets = append(targets, counts.place(status))
	}
	err := q.QueryRowContext(ctx, `SELECT `+strings.Join(sums, ", ")+` FROM atozbot_jobs`+c.text(), c.args...).Scan(targets...)
	return counts, err
}

// Languages gives the languages of the recorded jobs, in order.
func (s *Store) Languages(ctx context.Context) ([]string, error) {
	var languages []string
	err := s.reading(ctx, "list languages", func(ctx context.Context, q queryer) error {
		languages = nil
		// By account, and CROSS: so the key is used, and no history walked through.
		return each(ctx, q, `SELECT DISTINCT r.value FROM atozbot_accounts a CROSS JOIN atozbot_rollups r
			WHERE r.account_id = a.id AND r.grain = 'all' AND r.start_ms = 0 AND r.dimension = 'language' AND r.jobs > 0 AND r.value <> '' ORDER BY 1`,
			nil, func(rows *sql.Rows) error {
				var language string
				err := rows.Scan(&language)
				languages = append(languages, language)
				return err
			})
	})
	return languages, err
}
