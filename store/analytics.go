package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strconv"
	"time"

	"github.com/atozbot/atozbot/app"
)

// Span is a stretch of time of one account, from From on and before To.
type Span struct {
	AccountID string // "": all accounts but that of outside bots.
	From, To  time.Time
}

// Named is one value of a dimension and what was counted for it.
type Named struct {
	Value string
	Counts
}

// Figures are what is counted of the jobs first seen in a span: those of the built-in
// bot and those brought over from a predecessor, never those that outside bots report.
type Figures struct {
	Counts

	Languages []Named    // Most jobs first.
	Hours     [24]Counts // By the hour of the appointment's start, on the portal's clock.
	Rules     []Named    // Jobs left alone, by the rule that kept them; most first.
	Types     []Named    // By the job's type, where it was asked for; most first.
	// Reactions holds the tried ones by the time from seen to posted: Value is the upper
	// bound of a class in ms, "" for those above the last. The quickest are first.
	Reactions []Named

	Uptime time.Duration // For which a session ran.
}

// AcceptanceRate is accepted / all × 100, as the predecessor counted it; 0 without jobs.
func (c Counts) AcceptanceRate() float64 {
	if c.Jobs == 0 {
		return 0
	}
	return float64(c.Accepted) / float64(c.Jobs) * 100
}

// MostCommonLanguage is "" without jobs.
func (f Figures) MostCommonLanguage() string {
	for _, l := range f.Languages {
		if l.Value != "" {
			return l.Value
		}
	}
	return ""
}

// PeakHour is the appointment hour with most jobs, the earliest of equals; -1 where no
// appointment is known.
func (f Figures) PeakHour() int {
	peak := -1
	for hour, c := range f.Hours {
		if c.Jobs > 0 && (peak < 0 || c.Jobs > f.Hours[peak].Jobs) {
			peak = hour
		}
	}
	return peak
}

// Analytics counts a span. It reads the roll-ups by day and by hour, and rows only for
// the part of an hour at each end, so its cost does not grow with the history.
func (s *Store) Analytics(ctx context.Context, span Span) (Figures, error) {
	var figures Figures
	err := s.reading(ctx, "count jobs", func(ctx context.Context, q queryer) (err error) {
		figures, err = figuresOf(ctx, q, span)
		return err
	})
	return figures, err
}

// sums are cells, summed by dimension and value.
type sums map[[2]string]amount

func (s sums) plus(dimension, value string, a amount) {
	key := [2]string{dimension, value}
	sum := s[key]
	sum.counts.plus(a.counts, 1)
	sum.uptimeMS += a.uptimeMS
	s[key] = sum
}

func figuresOf(ctx context.Context, q queryer, span Span) (Figures, error) {
	from, to := span.From.UnixMilli(), span.To.UnixMilli()
	summed := make(sums)
	if from >= to {
		return summed.figures(), nil
	}
	// Whole hours inside, and inside of them whole days.
	firstHour, lastHour := up(from, hourMS), down(to, hourMS)
	if firstHour > lastHour { // All within one hour.
		if err := addEdge(ctx, q, summed, span.AccountID, from, to); err != nil {
			return Figures{}, err
		}
		return summed.figures(), nil
	}
	firstDay, lastDay := up(firstHour, dayMS), down(lastHour, dayMS)
	if firstDay > lastDay { // No whole day in it.
		firstDay, lastDay = lastHour, lastHour
	}
	for _, part := range []struct {
		grain    string
		from, to int64
	}{{grainHour, firstHour, firstDay}, {grainDay, firstDay, lastDay}, {grainHour, lastDay, lastHour}} {
		if err := addRollups(ctx, q, summed, span.AccountID, part.grain, part.from, part.to); err != nil {
			return Figures{}, err
		}
	}
	for _, edge := range [][2]int64{{from, firstHour}, {lastHour, to}} {
		if err := addEdge(ctx, q, summed, span.AccountID, edge[0], edge[1]); err != nil {
			return Figures{}, err
		}
	}
	return summed.figures(), nil
}

func down(ms, step int64) int64 { return ms - (ms%step+step)%step }
func up(ms, step int64) int64   { return down(ms+step-1, step) }

// counted asks for one account, or for all but that of outside bots, and leaves out
// what outside bots report. The tables are joined to the accounts, so that the rows of
// each account are found by their key.
func counted(c *conditions, accountID string) *conditions {
	c.equal("a.id", accountID)
	if accountID == "" {
		c.and("a.id <> " + c.arg(app.OutsideAccountID))
	}
	return c.and("r.source <> '" + app.SourceOutside + "'")
}

func addRollups(ctx context.Context, q queryer, into sums, accountID, grain string, from, to int64) error {
	if from >= to {
		return nil
	}
	c := counted((&conditions{}).and("r.account_id = a.id"), accountID)
	c.and("r.grain = " + c.arg(grain)).and("r.start_ms >= " + c.arg(from)).and("r.start_ms < " + c.arg(to))
	query := "SELECT r.dimension, r.value, CAST(sum(r.uptime_ms) AS BIGINT), " + sumOfCounts() +
		" FROM atozbot_accounts a CROSS JOIN atozbot_rollups r" + c.text() + " GROUP BY r.dimension, r.value"
	return each(ctx, q, query, c.args, func(rows *sql.Rows) error {
		var dimension, value string
		var sum amount
		if err := rows.Scan(append([]any{&dimension, &value, &sum.uptimeMS}, places64(sum.counts.fields())...)...); err != nil {
			return err
		}
		into.plus(dimension, value, sum)
		return nil
	})
}

// addEdge counts rows of a part of an hour, and its share of the hour's uptime.
func addEdge(ctx context.Context, q queryer, into sums, accountID string, from, to int64) error {
	if from >= to {
		return nil
	}
	c := counted(&conditions{}, accountID)
	c.and("r.seen_ms >= " + c.arg(from)).and("r.seen_ms < " + c.arg(to))
	query := `SELECT r.language, r.appointment_time, r.job_type, r.rule, r.status, r.verdict, r.seen_ms, r.posted_ms
		FROM atozbot_jobs r JOIN atozbot_accounts a ON r.account_id = a.id` + c.text()
	err := each(ctx, q, query, c.args, func(rows *sql.Rows) error {
		var j app.JobRecord
		if err := rows.Scan(&j.Language, &j.Time, &j.JobType, &j.Rule, &j.Status, &j.Verdict, stamp{&j.SeenAt}, stamp{&j.PostedAt}); err != nil {
			return err
		}
		f := factsOf(j)
		for dimension, value := range f.values {
			into.plus(dimension, value, amount{counts: f.counts})
		}
		return nil
	})
	if err != nil {
		return err
	}
	hour := make(sums)
	if err := addRollups(ctx, q, hour, accountID, grainHour, down(from, hourMS), up(to, hourMS)); err != nil {
		return err
	}
	share := hour[[2]string{dimensionAll, ""}].uptimeMS * (to - from) / hourMS
	into.plus(dimensionAll, "", amount{uptimeMS: min(share, to-from)})
	return nil
}

func (s sums) figures() Figures {
	var f Figures
	for key, a := range s {
		dimension, value := key[0], key[1]
		if dimension == dimensionAll {
			f.Counts, f.Uptime = a.counts, time.Duration(a.uptimeMS)*time.Millisecond
			continue
		}
		if a.counts.Jobs <= 0 {
			continue
		}
		named := Named{Value: value, Counts: a.counts}
		switch dimension {
		case dimensionLanguage:
			f.Languages = append(f.Languages, named)
		case dimensionRule:
			f.Rules = append(f.Rules, named)
		case dimensionType:
			f.Types = append(f.Types, named)
		case dimensionReaction:
			f.Reactions = append(f.Reactions, named)
		case dimensionHour:
			if hour, err := strconv.Atoi(value); err == nil && hour >= 0 && hour < 24 {
				f.Hours[hour] = a.counts
			}
		}
	}
	for _, list := range [][]Named{f.Languages, f.Rules, f.Types} {
		slices.SortFunc(list, func(a, b Named) int { return cmp.Or(-cmp.Compare(a.Jobs, b.Jobs), cmp.Compare(a.Value, b.Value)) })
	}
	slices.SortFunc(f.Reactions, func(a, b Named) int { return cmp.Compare(a.Value, b.Value) })
	for i := range f.Reactions {
		f.Reactions[i].Value = reactionBound(f.Reactions[i].Value)
	}
	return f
}

// reactionBound is the bound of a class as people read it.
func reactionBound(class string) string {
	bound, err := strconv.Atoi(class)
	if err != nil {
		return ""
	}
	return strconv.Itoa(bound)
}

// Metrics are the dashboard's figures at a glance.
type Metrics struct {
	ActiveSessions      int64 // Built-in ones that run or are paused.
	JobsToday           int64
	AcceptanceRateToday float64 // In percent.
	MostActiveLanguage  string  // Of today, else of the last 30 days; "" without jobs.
	// BotUptime is how long the running session has run; 0 where none does.
	BotUptime    time.Duration
	LastActivity time.Time // Of a session or a job; zero where there was none.
}

// DashboardMetrics counts what the dashboard shows at a glance. "Today" begins at
// midnight in zone.
func (s *Store) DashboardMetrics(ctx context.Context, now time.Time, zone *time.Location) (Metrics, error) {
	local := now.In(zone)
	midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, zone)
	tomorrow := time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, zone)
	var m Metrics
	err := s.reading(ctx, "count what the dashboard shows", func(ctx context.Context, q queryer) error {
		m = Metrics{}
		today, err := figuresOf(ctx, q, Span{From: midnight, To: tomorrow})
		if err != nil {
			return err
		}
		m.JobsToday, m.AcceptanceRateToday, m.MostActiveLanguage = today.Jobs, today.AcceptanceRate(), today.MostCommonLanguage()
		if m.MostActiveLanguage == "" {
			month, err := figuresOf(ctx, q, Span{From: midnight.AddDate(0, 0, -30), To: midnight})
			if err != nil {
				return err
			}
			m.MostActiveLanguage = month.MostCommonLanguage()
		}
		var started time.Time
		err = q.QueryRowContext(ctx, `SELECT COUNT(*), CAST(min(started_ms) AS BIGINT) FROM atozbot_sessions
			WHERE status IN ('running', 'paused') AND source = '`+app.SourceBuiltIn+`'`).Scan(&m.ActiveSessions, stamp{&started})
		if err != nil {
			return err
		}
		if !started.IsZero() {
			m.BotUptime = max(0, now.Sub(started))
		}
		var session, job time.Time
		if err := q.QueryRowContext(ctx, `SELECT CAST(max(updated_ms) AS BIGINT) FROM atozbot_sessions`).Scan(stamp{&session}); err != nil {
			return err
		}
		if err := q.QueryRowContext(ctx, `SELECT CAST(max(seen_ms) AS BIGINT) FROM atozbot_jobs`).Scan(stamp{&job}); err != nil {
			return err
		}
		m.LastActivity = later(session, job)
		return nil
	})
	return m, err
}
