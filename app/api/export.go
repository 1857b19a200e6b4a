package api

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/atozbot/atozbot/app"
)

type (
	exportInput struct {
		Format string `query:"format" enum:"csv,json" default:"csv" doc:"csv: one line a job, with a heading; json: one array." example:"csv"`
		JobFilterInput
	}
	exportOutput struct {
		Body func(huma.Context)
	}
)

func (s *Server) exportRoute() {
	o := operation{
		method: http.MethodGet, path: "/api/bot/jobs/export", id: "export-jobs", tag: tagRecords, scope: ScopeRead,
		summary: "Jobs as a file of any size",
		description: "Streamed, newest first, with the same filters as the list. In CSV, cells that a spreadsheet would take for a formula begin with an apostrophe. " +
			"Where the database goes away midway the stream breaks off, so that half a file is never taken for a whole one.",
		errors: []int{http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}
	s.answers(o, []JobJSON{})
	s.bodies[o.method+" "+o.path].Content["text/csv"] = &huma.MediaType{Schema: &huma.Schema{Type: "string"}}
	register(s, o, s.export)
}

func (s *Server) export(ctx context.Context, in *exportInput) (*exportOutput, error) {
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	return &exportOutput{Body: func(hc huma.Context) {
		r, w := humago.Unwrap(hc)
		x := &exporter{w: w, format: in.Format, timeout: s.o.WriteTimeout}
		err := x.run(ctx, f, s.o.Jobs)
		switch {
		case err == nil:
		case x.started:
			panic(http.ErrAbortHandler) // The client must not take what it has for the whole.
		default:
			s.refuse(w, r, err)
		}
	}}, nil
}

// rowEncoder writes jobs in one format.
type rowEncoder interface {
	head() error
	row(j *app.JobRecord) error
	tail() error
}

// exporter writes an export through one buffer. Until that is full, or the export is
// whole, nothing is answered: a database that is away is a 503 and no broken file.
type exporter struct {
	w       http.ResponseWriter
	format  string
	timeout time.Duration
	started bool
}

// Write sends one part, in its own time.
func (x *exporter) Write(b []byte) (int, error) {
	if !x.started {
		x.started = true
		h := x.w.Header()
		h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
		if x.format == "json" {
			h.Set("Content-Type", jsonType)
		}
		h.Set("Content-Disposition", `attachment; filename="jobs.`+x.format+`"`)
	}
	err := http.NewResponseController(x.w).SetWriteDeadline(time.Now().Add(x.timeout))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	return x.w.Write(b)
}

func (x *exporter) run(ctx context.Context, f JobFilter, jobs Jobs) error {
	out := bufio.NewWriterSize(x, 64<<10)
	var enc rowEncoder = &csvRows{w: csv.NewWriter(out)}
	if x.format == "json" {
		enc = &jsonRows{w: out}
	}
	if err := enc.head(); err != nil {
		return err
	}
	if err := jobs.EachJob(ctx, f, func(j app.JobRecord) error { return enc.row(&j) }); err != nil {
		return err
	}
	if err := enc.tail(); err != nil {
		return err
	}
	return out.Flush()
}

// jsonRows writes one array.
type jsonRows struct {
	w      *bufio.Writer
	buffer []byte
	many   bool
}

func (j *jsonRows) head() error { return j.w.WriteByte('[') }

func (j *jsonRows) row(r *app.JobRecord) error {
	j.buffer = j.buffer[:0]
	if j.many {
		j.buffer = append(j.buffer, ',', '\n')
	}
	j.many = true
	j.buffer = appendJob(j.buffer, r)
	_, err := j.w.Write(j.buffer)
	return err
}

func (j *jsonRows) tail() error {
	_, err := j.w.WriteString("]\n")
	return err
}

// csvRows writes comma-separated values (RFC 4180).
type csvRows struct {
	w     *csv.Writer
	cells []string
}

// exportHeading names the columns, in the order in which row fills them.
const exportHeading = "id,session_id,job_ref,job_number,language,appointment_date,appointment_time,duration,duration_minutes,submitted_at," +
	"status,verdict,job_type,rejection_reason,rule,needs_user,starts_at,ends_at,details_url,scraped_at,last_seen_at,gone_at,vanished_at," +
	"sightings,source,created_at,updated_at"

func (c *csvRows) head() error {
	c.w.UseCRLF = true
	return c.w.Write(strings.Split(exportHeading, ","))
}

func (c *csvRows) row(j *app.JobRecord) error {
	minutes := ""
	if j.DurationMinutes != 0 {
		minutes = strconv.Itoa(j.DurationMinutes)
	}
	c.cells = append(c.cells[:0],
		j.ID, j.SessionID, j.Ref, j.Number, j.Language, j.Date, j.Time, j.DurationText, minutes, stamp(j.SubmittedAt),
		string(j.Status), string(orElse(j.Verdict, app.VerdictLeave)), j.JobType, j.RejectionReason, j.Rule, j.NeedsUser,
		stamp(j.StartsAt), stamp(j.EndsAt), j.DetailsURL, stamp(j.SeenAt), stamp(j.LastSeenAt), stamp(j.GoneAt), stamp(j.VanishedAt),
		strconv.FormatInt(j.Sightings, 10), orElse(j.Source, app.SourceBuiltIn), stamp(j.CreatedAt), stamp(j.UpdatedAt))
	for i, cell := range c.cells {
		c.cells[i] = harmless(cell)
	}
	return c.w.Write(c.cells)
}

func (c *csvRows) tail() error {
	c.w.Flush()
	return c.w.Error()
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// harmless keeps a spreadsheet from taking a cell for a formula: the texts come from a
// portal, and whoever books there could have them run on the reader's machine. The
// characters are those that OWASP names (CSV injection).
func harmless(cell string) string {
	trimmed := strings.TrimLeft(cell, " \u00a0\u3000")
	if trimmed == "" {
		return cell
	}
	switch trimmed[0] {
	case '=', '+', '-', '@', '\t', '\r', '\n':
		return "'" + cell
	}
	for _, wide := range []string{"＝", "＋", "－", "＠"} {
		if strings.HasPrefix(trimmed, wide) {
			return "'" + cell
		}
	}
	return cell
}
