package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"slices"
	"strconv"
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
		p, err := periodOf(ctx, tx, accountID, start, end, now)
		if err != nil {
			return nil, start, err
		}
		if !stored[mustMS(start)] {
			added = append(added, p)
		}
		rows = append(rows, periodRow(p))
	}
	return added, start, periodTable().upsert(ctx, tx, rows)
}

// periodOf counts what was recorded of a period up to now.
func periodOf(ctx context.Context, q queryer, accountID string, start, end, now time.Time) (Period, error) {
	f, err := figuresOf(ctx, q, Span{AccountID: accountID, From: start, To: end})
	return Period{
		ID: periodID(accountID, start), AccountID: accountID, Source: app.SourceBuiltIn, Start: start.UTC(), End: end.UTC(),
		Jobs: f.Jobs, Accepted: f.Accepted, Rejected: f.Rejected, AcceptanceRate: f.AcceptanceRate(),
		MostCommonLanguage: f.MostCommonLanguage(), PeakHour: f.PeakHour(), Uptime: f.Uptime, CreatedAt: now.UTC(),
	}, err
}

// periodID is the same before and after a period is stored, whoever stores it (a UUID of
// version 8, RFC 9562).
func periodID(accountID string, start time.Time) string {
	sum := sha256.Sum256([]byte("atozbot period\x00" + accountID + "\x00" + strconv.FormatInt(start.UnixMilli(), 10)))
	sum[6] = sum[6]&0x0f | 0x80
	sum[8] = sum[8]&0x3f | 0x80
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// openAtOnce bounds how many periods that are still to be stored are counted for a list.
const openAtOnce = 6

// OpenPeriods counts the periods that are not stored yet, newest first: the one that
// runs, and those that ended a moment ago. There is none where nothing was ever recorded.
func (s *Store) OpenPeriods(ctx context.Context, accountID string, now time.Time, zone *time.Location) ([]Period, error) {
	first, err := s.firstOpenPeriod(ctx, accountID, now, zone)
	if err != nil || first.IsZero() {
		return nil, err
	}
	var open []Period
	err = s.reading(ctx, "count the open periods", func(ctx context.Context, q queryer) error {
		open = nil
		stored, err := storedPeriods(ctx, q, accountID, first)
		if err != nil {
			return err
		}
		for start := PeriodStart(now, zone); len(open) < openAtOnce && !start.Before(first) && !stored[mustMS(start)]; start = PeriodStart(start.Add(-time.Millisecond), zone) {
			p, err := periodOf(ctx, q, accountID, start, PeriodEnd(start, zone), now)
			if err != nil {
				return err
			}
			open = append(open, p)
		}
		return nil
	})
	return open, err
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

// Periods lists the stored periods of every account, newest first, after those that are
// given as open.
func (s *Store) Periods(ctx context.Context, w Window, open ...Period) (Page[Period], error) {
	var page Page[Period]
	where, err := w.where(nil, "start_ms")
	if err != nil {
		return page, err
	}
	shown, err := w.among(open)
	if err != nil {
		return page, err
	}
	rows := w
	rows.Offset = max(0, w.Offset-len(open))
	err = s.reading(ctx, "list periods", func(ctx context.Context, q queryer) error {
		page = Page[Period]{Items: slices.Clone(shown)}
		if err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM atozbot_periods`).Scan(&page.Total); err != nil {
			return err
		}
		page.Total += int64(len(open))
		err := each(ctx, q, `SELECT id, account_id, source, start_ms, end_ms, jobs, accepted, rejected, acceptance_rate, common_language, peak_hour, uptime_ms, created_ms
			FROM atozbot_periods`+where.text()+rows.order("start_ms"), where.args, func(rows *sql.Rows) error {
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

// among gives those of the open periods that belong into the window or after it.
func (w Window) among(open []Period) ([]Period, error) {
	if w.Cursor == "" {
		return open[min(w.Offset, len(open)):], nil
	}
	at, _, err := readCursor(w.Cursor)
	if err != nil {
		return nil, err
	}
	after := slices.IndexFunc(open, func(p Period) bool { return mustMS(p.Start) < at })
	if after < 0 {
		return nil, nil
	}
	return open[after:], nil
}
