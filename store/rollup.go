package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
)

// Counts are numbers of jobs.
type Counts struct {
	Jobs int64 // All of them.

	Matched, Accepted, Rejected, Lost, Refused, Unknown, Failed int64 // By status.

	Fitting int64 // The rules would have taken them, or asked.
	Tried   int64 // An act was posted, or tried.
}

// of is the number of jobs with a status.
func (c Counts) of(status app.JobStatus) int64 {
	if p := c.place(status); p != nil {
		return *p
	}
	return 0
}

// among is the number of jobs with one of the statuses, or of all where none is named.
func (c Counts) among(statuses []app.JobStatus) int64 {
	if len(statuses) == 0 {
		return c.Jobs
	}
	var total int64
	seen := make(map[app.JobStatus]bool)
	for _, status := range statuses {
		if !seen[status] {
			total += c.of(status)
		}
		seen[status] = true
	}
	return total
}

// add counts n jobs with a status; it leaves Jobs as it is.
func (c *Counts) add(status app.JobStatus, n int64) {
	if p := c.place(status); p != nil {
		*p += n
	}
}

func (c *Counts) place(status app.JobStatus) *int64 {
	switch status {
	case app.JobMatched:
		return &c.Matched
	case app.JobAccepted:
		return &c.Accepted
	case app.JobRejected:
		return &c.Rejected
	case app.JobLost:
		return &c.Lost
	case app.JobRefused:
		return &c.Refused
	case app.JobUnknown:
		return &c.Unknown
	case app.JobFailed:
		return &c.Failed
	}
	return nil
}

// plus adds other n times.
func (c *Counts) plus(other Counts, n int64) {
	into, from := c.fields(), other.fields()
	for i := range into {
		*into[i] += n * *from[i]
	}
}

// fields are in the order of countColumns.
func (c *Counts) fields() []*int64 {
	return []*int64{&c.Jobs, &c.Matched, &c.Accepted, &c.Rejected, &c.Lost, &c.Refused, &c.Unknown, &c.Failed, &c.Fitting, &c.Tried}
}

func countColumns() []string {
	return []string{"jobs", "matched", "accepted", "rejected", "lost", "refused", "unknown", "failed", "fitting", "tried"}
}

// sumOfCounts selects the sums of all counts.
func sumOfCounts() string {
	sums := make([]string, len(countColumns()))
	for i, c := range countColumns() {
		sums[i] = "CAST(coalesce(sum(" + c + "), 0) AS BIGINT)"
	}
	return strings.Join(sums, ", ")
}

// The dimensions by which jobs are counted. dimensionAll has one value, "".
const (
	dimensionAll      = "all"
	dimensionLanguage = "language"
	dimensionHour     = "hour"     // Of the appointment's start, "00" to "23".
	dimensionRule     = "rule"     // That kept a job from being accepted.
	dimensionType     = "type"     // The job's type.
	dimensionSession  = "session"  // That saw it first; only for all time.
	dimensionReaction = "reaction" // From seen to posted, the upper bound of a class in ms.
)

// The grains of the roll-ups: the hour and the day, in UTC, in which a job was first
// seen, and all time.
const (
	grainHour = "hour"
	grainDay  = "day"
	grainAll  = "all"

	hourMS int64 = 3_600_000
	dayMS  int64 = 24 * hourMS
)

// facts is what is counted of a job.
type facts struct {
	source string
	seenMS int64
	counts Counts
	values map[string]string // Dimension to value.
}

// factsOf must give the same for the same job whenever it is asked: what it gave before
// is taken back by it when the job changes.
func factsOf(j app.JobRecord) facts {
	f := facts{source: j.Source, seenMS: mustMS(j.SeenAt), counts: Counts{Jobs: 1}, values: map[string]string{dimensionAll: ""}}
	f.counts.add(j.Status, 1)
	if j.Verdict == app.VerdictAccept || j.Verdict == app.VerdictAsk {
		f.counts.Fitting = 1
	}
	if j.Status != app.JobMatched || !j.PostedAt.IsZero() {
		f.counts.Tried = 1
	}
	f.values[dimensionLanguage] = clipped(j.Language, longestKey)
	if len(j.Time) >= 2 {
		f.values[dimensionHour] = clipped(j.Time, 2)
	}
	if j.Rule != "" && j.Status == app.JobMatched {
		f.values[dimensionRule] = clipped(j.Rule, longestKey)
	}
	if j.JobType != "" {
		f.values[dimensionType] = clipped(j.JobType, longestKey)
	}
	if !j.PostedAt.IsZero() && !j.SeenAt.IsZero() {
		f.values[dimensionReaction] = reactionClass(mustMS(j.PostedAt) - f.seenMS)
	}
	return f
}

// reactionClass is the upper bound of the class of a reaction time, in ms, as text that
// sorts; "slower" is above all.
func reactionClass(ms int64) string {
	for _, bound := range []int64{50, 100, 200, 350, 500, 1000, 2000, 5000} {
		if ms <= bound {
			return fmt.Sprintf("%05d", bound)
		}
	}
	return "slower"
}

// cell is one row of the roll-ups.
type cell struct {
	source, grain    string
	startMS          int64
	dimension, value string
}

func (a cell) compare(b cell) int {
	return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.grain, b.grain), cmp.Compare(a.startMS, b.startMS),
		cmp.Compare(a.dimension, b.dimension), cmp.Compare(a.value, b.value))
}

type amount struct {
	counts   Counts
	uptimeMS int64
}

// rollup gathers the changes of one transaction to the roll-ups of one account.
type rollup struct {
	account string
	cells   map[cell]amount
}

func newRollup(account string) *rollup {
	return &rollup{account: account, cells: make(map[cell]amount)}
}

// addJob counts a job n times: 1 for what it is now, -1 for what it was.
func (r *rollup) addJob(j app.JobRecord, n int64) {
	f := factsOf(j)
	for dimension, value := range f.values {
		for _, c := range cellsAt(f.source, f.seenMS, dimension, value) {
			r.add(c, amount{counts: f.counts}, n)
		}
	}
	r.add(cell{f.source, grainAll, 0, dimensionSession, clipped(j.SessionID, longestKey)}, amount{counts: f.counts}, n)
}

func (r *rollup) add(c cell, a amount, n int64) {
	sum := r.cells[c]
	sum.counts.plus(a.counts, n)
	sum.uptimeMS += n * a.uptimeMS
	r.cells[c] = sum
}

func cellsAt(source string, ms int64, dimension, value string) [3]cell {
	return [3]cell{
		{source, grainHour, ms - ms%hourMS, dimension, value},
		{source, grainDay, ms - ms%dayMS, dimension, value},
		{source, grainAll, 0, dimension, value},
	}
}

// longestBeat is the longest time between two states of a running session that is
// counted as running: longer ones are a process that was not there.
const longestBeat = 10 * time.Minute

// addUptime counts the time from one state of a session to the next, where it ran.
func (r *rollup) addUptime(before, after app.Session) {
	beat := after.UpdatedAt.Sub(before.UpdatedAt)
	if !before.Running() || after.Status == app.SessionStarting || beat <= 0 || beat > longestBeat {
		return
	}
	for _, c := range cellsAt(after.Source, mustMS(after.UpdatedAt), dimensionAll, "") {
		r.add(c, amount{uptimeMS: beat.Milliseconds()}, 1)
	}
}

// store adds what was gathered, always in the same order, so that two transactions do
// not wait for each other crosswise.
func (r *rollup) store(ctx context.Context, tx *sql.Tx) error {
	cells := make([]cell, 0, len(r.cells))
	for c, a := range r.cells {
		if a != (amount{}) {
			cells = append(cells, c)
		}
	}
	slices.SortFunc(cells, cell.compare)
	rows := make([][]any, len(cells))
	for i, c := range cells {
		a := r.cells[c]
		row := []any{r.account, c.source, c.grain, c.startMS, c.dimension, c.value, a.uptimeMS}
		for _, n := range a.counts.fields() {
			row = append(row, *n)
		}
		rows[i] = row
	}
	t := table{name: "atozbot_rollups", columns: append(
		[]string{"account_id", "source", "grain", "start_ms", "dimension", "value", "uptime_ms"}, countColumns()...)}
	adding := make([]string, 0, len(countColumns())+1)
	for _, column := range append(countColumns(), "uptime_ms") {
		adding = append(adding, column+" = atozbot_rollups."+column+" + excluded."+column)
	}
	return t.write(ctx, tx, rows, " ON CONFLICT (account_id, grain, start_ms, dimension, value, source) DO UPDATE SET "+strings.Join(adding, ", "))
}

// allTime counts jobs of all time: every one, or those of one session, or of one
// language. It answers false where a filter asks for more than the roll-ups know.
func allTime(ctx context.Context, q queryer, f JobFilter) (counts Counts, known bool, err error) {
	if len(f.Verdicts) > 0 || f.Asking != nil || f.Query != "" || !f.Since.IsZero() || !f.Until.IsZero() || f.SessionID != "" && f.Language != "" {
		return counts, false, nil
	}
	// CROSS, so that SQLite begins with the few accounts and finds their rows by key.
	c := (&conditions{}).and("r.account_id = a.id")
	dimension := dimensionAll
	switch {
	case f.SessionID != "":
		dimension = dimensionSession
		c.and("r.value = " + c.arg(clipped(f.SessionID, longestKey)))
	case f.Language != "":
		dimension = dimensionLanguage
	}
	c.and("r.dimension = " + c.arg(dimension)).and("r.grain = 'all'").and("r.start_ms = 0")
	c.equal("r.account_id", f.AccountID)
	query := "SELECT r.value, " + sumOfCounts() + " FROM atozbot_accounts a CROSS JOIN atozbot_rollups r" + c.text() + " GROUP BY r.value"
	err = each(ctx, q, query, c.args, func(rows *sql.Rows) error {
		var value string
		var some Counts
		if err := rows.Scan(append([]any{&value}, places64(some.fields())...)...); err != nil {
			return err
		}
		if f.Language == "" || languageKey(value) == languageKey(f.Language) {
			counts.plus(some, 1)
		}
		return nil
	})
	return counts, true, err
}

// places64 are targets to scan into.
func places64(fields []*int64) []any {
	targets := make([]any, len(fields))
	for i, f := range fields {
		targets[i] = f
	}
	return targets
}
