package api

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/atozbot/atozbot/app"
)

// FormatInput is the format of an export.
type FormatInput struct {
	Format string `query:"format" enum:"csv,json" default:"csv" doc:"csv: one line each, with a heading; json: one array." example:"csv"`
}

type (
	exportJobsInput struct {
		FormatInput
		JobFilterInput
	}
	exportAuditInput struct {
		FormatInput
		AuditFilterInput
	}
	exportOutput struct {
		Body func(huma.Context)
	}
)

// aboutExport is said of every export.
const aboutExport = "Streamed, newest first, with the same filters as the list. In CSV, cells that a spreadsheet would take for a formula begin with an apostrophe. " +
	"Where the database goes away midway the stream breaks off, so that half a file is never taken for a whole one."

// exportRoute registers one export. sample is the list that it gives as JSON.
func exportRoute[I any](s *Server, o operation, sample any, handler func(context.Context, *I) (*exportOutput, error)) {
	o.method, o.description = http.MethodGet, aboutExport
	o.errors = []int{http.StatusUnprocessableEntity, http.StatusServiceUnavailable}
	s.answers(o, sample)
	s.bodies[o.method+" "+o.path].Content["text/csv"] = &huma.MediaType{
		Schema: &huma.Schema{Type: "string", Examples: []any{"id,status\r\n0199a3c4-58d1-7a6b-9f01-2b8c4d5e6f70,accepted\r\n"}},
	}
	register(s, o, handler)
}

func (s *Server) exportJobs(ctx context.Context, in *exportJobsInput) (*exportOutput, error) {
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	return export(s, in.Format, jobTable(), func(yield func(app.JobRecord) error) error {
		return s.o.Jobs.EachJob(ctx, f, yield)
	}), nil
}

func (s *Server) exportAudit(ctx context.Context, in *exportAuditInput) (*exportOutput, error) {
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	f.Limit = exportPage
	return export(s, in.Format, auditTable(), func(yield func(AuditEntry) error) error {
		for {
			page, err := s.o.Audit.Audit(ctx, f)
			if err != nil {
				return err
			}
			for _, e := range page.Items {
				if err := yield(e); err != nil {
					return err
				}
			}
			if page.Next == "" {
				return nil
			}
			f.Cursor = page.Next
		}
	}), nil
}

// exportPage is how many entries are read at a time.
const exportPage = 1000

// table says how the rows of an export are written.
type table[T any] struct {
	name    string // Of the file, without its ending.
	heading []string
	cells   func(cells []string, row *T) []string
	json    func(b []byte, row *T) []byte
}

// export writes every row that each yields. Until the buffer is full, or the export is
// whole, nothing is answered: a database that is away is a 503 and no broken file.
func export[T any](s *Server, format string, t table[T], each func(yield func(T) error) error) *exportOutput {
	return &exportOutput{Body: func(hc huma.Context) {
		r, w := humago.Unwrap(hc)
		x := &exporter{w: w, file: t.name + "." + format, format: format, timeout: s.o.WriteTimeout}
		out := bufio.NewWriterSize(x, 64<<10)
		err := writeRows(out, format, t, each)
		if err == nil {
			err = out.Flush()
		}
		switch {
		case err == nil:
		case x.started:
			panic(http.ErrAbortHandler) // The client must not take what it has for the whole.
		default:
			s.refuse(w, r, err)
		}
	}}
}

// exporter answers with the parts of an export, each in its own time.
type exporter struct {
	w            http.ResponseWriter
	file, format string
	timeout      time.Duration
	started      bool
}

// Write sends one part.
func (x *exporter) Write(b []byte) (int, error) {
	if !x.started {
		x.started = true
		h := x.w.Header()
		h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
		if x.format == "json" {
			h.Set("Content-Type", jsonType)
		}
		h.Set("Content-Disposition", `attachment; filename="`+x.file+`"`)
	}
	err := http.NewResponseController(x.w).SetWriteDeadline(time.Now().Add(x.timeout))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	return x.w.Write(b)
}

func writeRows[T any](out *bufio.Writer, format string, t table[T], each func(yield func(T) error) error) error {
	if format == "json" {
		return writeJSON(out, t, each)
	}
	return writeCSV(out, t, each)
}

// writeJSON writes one array.
func writeJSON[T any](out *bufio.Writer, t table[T], each func(yield func(T) error) error) error {
	var buffer []byte
	before := "["
	err := each(func(row T) error {
		buffer = append(buffer[:0], before...)
		before = ",\n"
		buffer = t.json(buffer, &row)
		_, err := out.Write(buffer)
		return err
	})
	if err != nil {
		return err
	}
	end := "]\n"
	if before == "[" {
		end = "[]\n"
	}
	_, err = out.WriteString(end)
	return err
}

// writeCSV writes comma-separated values (RFC 4180).
func writeCSV[T any](out *bufio.Writer, t table[T], each func(yield func(T) error) error) error {
	w := csv.NewWriter(out)
	w.UseCRLF = true
	if err := w.Write(t.heading); err != nil {
		return err
	}
	var cells []string
	err := each(func(row T) error {
		cells = t.cells(cells[:0], &row)
		for i, cell := range cells {
			cells[i] = harmless(cell)
		}
		return w.Write(cells)
	})
	if err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}

// jobTable writes jobs with the fields of the list.
func jobTable() table[app.JobRecord] {
	return table[app.JobRecord]{
		name: "jobs",
		heading: strings.Split("id,session_id,job_ref,job_number,language,appointment_date,appointment_time,duration,duration_minutes,submitted_at,"+
			"status,verdict,job_type,rejection_reason,rule,needs_user,starts_at,ends_at,details_url,scraped_at,last_seen_at,gone_at,vanished_at,"+
			"sightings,source,created_at,updated_at", ","),
		cells: jobCells,
		json:  appendJob,
	}
}

func jobCells(cells []string, j *app.JobRecord) []string {
	minutes := ""
	if j.DurationMinutes != 0 {
		minutes = strconv.Itoa(j.DurationMinutes)
	}
	return append(cells,
		j.ID, j.SessionID, j.Ref, j.Number, j.Language, j.Date, j.Time, j.DurationText, minutes, stamp(j.SubmittedAt),
		string(j.Status), string(orElse(j.Verdict, app.VerdictLeave)), j.JobType, j.RejectionReason, j.Rule, j.NeedsUser,
		stamp(j.StartsAt), stamp(j.EndsAt), j.DetailsURL, stamp(j.SeenAt), stamp(j.LastSeenAt), stamp(j.GoneAt), stamp(j.VanishedAt),
		strconv.FormatInt(j.Sightings, 10), orElse(j.Source, app.SourceBuiltIn), stamp(j.CreatedAt), stamp(j.UpdatedAt))
}

// auditTable writes the audit log with the fields of the list.
func auditTable() table[AuditEntry] {
	return table[AuditEntry]{
		name:    "audit",
		heading: strings.Split("id,at,kind,who,who_id,what,subject,before,after,request_id,address", ","),
		cells: func(cells []string, e *AuditEntry) []string {
			return append(cells, e.ID, stamp(e.At), e.Kind, e.Who, e.WhoID, e.What, e.Subject, e.Before, e.After, e.RequestID, e.Address)
		},
		json: func(b []byte, e *AuditEntry) []byte {
			row, err := json.Marshal(auditJSON(*e))
			if err != nil {
				return append(b, "null"...) // What was stored as JSON is checked before: this is never so.
			}
			return append(b, row...)
		},
	}
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
