package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/atozbot/atozbot/app"
)

// Period is one stretch of four hours on the wall clock, with its figures.
type Period struct {
	ID                 string
	AccountID          string
	Source             string
	Start, End         time.Time
	Jobs               int64
	Accepted, Rejected int64
	AcceptanceRate     float64 // In percent.
	MostCommonLanguage string
	PeakHour           int // Of the appointments; -1 where there is none.
	Uptime             time.Duration
	CreatedAt          time.Time
}

func periodTable() table {
	return table{name: "atozbot_periods", key: []string{"account_id", "source", "start_ms"}, fixed: []string{"id", "created_ms"}, columns: []string{
		"id", "account_id", "source", "start_ms", "end_ms", "jobs", "accepted", "rejected", "acceptance_rate", "common_language", "peak_hour", "uptime_ms", "created_ms",
	}}
}

func periodRow(p Period) []any {
	var peak any
	if p.PeakHour >= 0 {
		peak = p.PeakHour
	}
	return []any{
		p.ID, p.AccountID, p.Source, mustMS(p.Start), mustMS(p.End), p.Jobs, p.Accepted, p.Rejected, p.AcceptanceRate, clean(p.MostCommonLanguage),
		peak, p.Uptime.Milliseconds(), mustMS(p.CreatedAt),
	}
}

// PeriodStart is the beginning of the period that at belongs to: 00, 04, 08 … on the
// wall clock of its zone. On a day when the clocks change one period is an hour shorter
// or longer.
func PeriodStart(at time.Time, zone *time.Location) time.Time {
	local := at.In(zone)
	start := time.Date(local.Year(), local.Month(), local.Day(), local.Hour()/4*4, 0, 0, 0, zone)
	if start.After(at) { // The wall clock showed this hour twice, or skipped the start.
		start = start.Add(-time.Hour)
	}
	return start
}

// PeriodEnd is the beginning of the next one.
func PeriodEnd(start time.Time, zone *time.Location) time.Time {
	local := start.In(zone)
	return time.Date(local.Year(), local.Month(), local.Day(), local.Hour()/4*4+4, 0, 0, 0, zone)
}

// lateRecords is for how long after its end a period is counted anew: so long records
// of it can still come out of a journal.
const lateRecords = 48 * time.Hour

// periodsAtOnce bounds what one transaction of ClosePeriods stores, so that nobody waits
// for it for long.
const periodsAtOnce = 60

// ClosePeriods computes and stores every period of the account that is over at now and
// not stored yet, back to the first job or session, also empty ones; so none is missed,
// however long the program was not there. It counts those of the last two days anew,
// since records of them can have come late. It gives those that are new.
func (s *Store) ClosePeriods(ctx context.Context, accountID string, now time.Time, zone *time.Location) ([]Period, error) {
	start, err := s.firstOpenPeriod(ctx, accountID, now, zone)
	if err != nil || start.IsZero() {
		return nil, err
	}
	var closed []Period
	for !PeriodEnd(start, zone).After(now) {
		var added []Period
		var next time.Time
		err := s.writing(ctx, "store the periods", func(ctx context.Context, tx *sql.Tx) (err error) {
			if err := s.lockAccount(ctx, tx, accountID, now); err != nil {
				return err
			}
			added, next, err = closePeriods(ctx, tx, accountID, start, now, zone)
			return err
		})
		if err != nil {
			return closed, err
		}
		closed, start = append(closed, added...), next
	}
	return closed, nil
}

// closePeriods stores some periods from start on, and gives those that are new and where
// to go on.
func closePeriods(ctx context.Context, tx *sql.Tx, accountID string, start, now time.Time, zone *time.Location) (added []Period, next time.Time, err error) {
	stored, err := storedPeriods(ctx, tx, accountID, start)
	if err != nil {
		return nil, start, err
	}
	var rows [][]any
	for end := PeriodEnd(start, zone); len(rows) < periodsAtOnce && !end.After(now); start, end = end, PeriodEnd(end, zone) {
		f, err := figuresOf(ctx, tx, Span{AccountID: accountID, From: start, To: end})
		if err != nil {
			return nil, start, err
		}
		p := Period{
			ID: app.NewID(end), AccountID: accountID, Source: app.SourceBuiltIn, Start: start.UTC(), End: end.UTC(),
			Jobs: f.Jobs, Accepted: f.Accepted, Rejected: f.Rejected, AcceptanceRate: f.AcceptanceRate(),
			MostCommonLanguage: f.MostCommonLanguage(), PeakHour: f.PeakHour(), Uptime: f.Uptime, CreatedAt: now.UTC(),
		}
		if !stored[mustMS(start)] {
			added = append(added, p)
		}
		rows = append(rows, periodRow(p))
	}
	return added, start, periodTable().upsert(ctx, tx, rows)
}

// firstOpenPeriod is where ClosePeriods begins; the zero time where nothing was ever
// recorded.
func (s *Store) firstOpenPeriod(ctx context.Context, accountID string, now time.Time, zone *time.Location) (time.Time, error) {
	var first time.Time
	err := s.reading(ctx, "find the first open period", func(ctx context.Context, q queryer) error {
		first = time.Time{}
		var firstStart, lastEnd, job, session time.Time
		err := q.QueryRowContext(ctx, `SELECT min(start_ms), max(end_ms) FROM atozbot_periods WHERE account_id = $1 AND source = '`+app.SourceBuiltIn+`'`, accountID).
			Scan(stamp{&firstStart}, stamp{&lastEnd})
		if err != nil {
			return err
		}
		if !lastEnd.IsZero() {
			first = PeriodStart(later(firstStart, earlier(lastEnd, now.Add(-lateRecords))), zone)
			return nil
		}
		err = q.QueryRowContext(ctx, `SELECT min(start_ms) FROM atozbot_rollups WHERE account_id = $1 AND grain = 'hour' AND dimension = 'all' AND source <> '`+app.SourceOutside+`'`, accountID).Scan(stamp{&job})
		if err != nil {
			return err
		}
		err = q.QueryRowContext(ctx, `SELECT min(started_ms) FROM atozbot_sessions WHERE account_id = $1 AND source = '`+app.SourceBuiltIn+`'`, accountID).Scan(stamp{&session})
		if err != nil {
			return err
		}
		switch {
		case job.IsZero() && session.IsZero():
		case job.IsZero():
			first = PeriodStart(session, zone)
		case session.IsZero():
			first = PeriodStart(job, zone)
		default:
			first = PeriodStart(earlier(job, session), zone)
		}
		return nil
	})
	return first, err
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func storedPeriods(ctx context.Context, q queryer, accountID string, from time.Time) (map[int64]bool, error) {
	stored := make(map[int64]bool)
	err := each(ctx, q, `SELECT start_ms FROM atozbot_periods WHERE account_id = $1 AND source = '`+app.SourceBuiltIn+`' AND start_ms >= $2`,
		[]any{accountID, from.UnixMilli()}, func(rows *sql.Rows) error {
			var start int64
			err := rows.Scan(&start)
			stored[start] = true
			return err
		})
	return stored, err
}

// Periods lists the stored periods of every account, newest first.
func (s *Store) Periods(ctx context.Context, w Window) (Page[Period], error) {
	var page Page[Period]
	where, err := w.where(nil, "start_ms")
	if err != nil {
		return page, err
	}
	err = s.reading(ctx, "list periods", func(ctx context.Context, q queryer) error {
		page = Page[Period]{}
		if err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM atozbot_periods`).Scan(&page.Total); err != nil {
			return err
		}
		err := each(ctx, q, `SELECT id, account_id, source, start_ms, end_ms, jobs, accepted, rejected, acceptance_rate, common_language, peak_hour, uptime_ms, created_ms
			FROM atozbot_periods`+where.text()+w.order("start_ms"), where.args, func(rows *sql.Rows) error {
			p := Period{PeakHour: -1}
			var peak sql.NullInt64
			var uptime int64
			err := rows.Scan(&p.ID, &p.AccountID, &p.Source, stamp{&p.Start}, stamp{&p.End}, &p.Jobs, &p.Accepted, &p.Rejected, &p.AcceptanceRate,
				&p.MostCommonLanguage, &peak, &uptime, stamp{&p.CreatedAt})
			if peak.Valid {
				p.PeakHour = int(peak.Int64)
			}
			p.Uptime = time.Duration(uptime) * time.Millisecond
			page.Items = append(page.Items, p)
			return err
		})
		page.cut(w, func(p Period) (int64, string) { return mustMS(p.Start), p.ID })
		return err
	})
	return page, err
}
