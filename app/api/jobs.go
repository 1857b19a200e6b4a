package api

import (
	"context"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atozbot/atozbot/app"
)

// JobJSON is a job of the list: the predecessor's fields and ours. Its fast encoder is
// appendJob, which has to give the same; a test holds the two together.
type JobJSON struct {
	ID              string        `json:"id" example:"0199a3c4-58d1-7a6b-9f01-2b8c4d5e6f70"`
	SessionID       *string       `json:"session_id" doc:"The session that saw it first." example:"0199a3c4-58d1-7a6b-9f01-2b8c4d5e6f71"`
	JobRef          string        `json:"job_ref" doc:"As the portal shows it, white space mended." example:"48213/A"`
	Number          string        `json:"job_number" doc:"By this the job is known: the digits before the slash." example:"48213"`
	Language        string        `json:"language" example:"Polish"`
	AppointmentDate *string       `json:"appointment_date" format:"date" doc:"Null where it was not understood." example:"2027-01-31"`
	AppointmentTime *string       `json:"appointment_time" doc:"On the portal's wall clock; null where it was not understood." example:"14:30"`
	Duration        string        `json:"duration" doc:"As the portal shows it." example:"1 hour 30 minutes"`
	DurationMinutes *int          `json:"duration_minutes" doc:"Null where it was not understood." example:"90"`
	SubmittedAt     *time.Time    `json:"submitted_at" example:"2027-01-20T09:00:00Z"`
	Status          app.JobStatus `json:"status" enum:"matched,accepted,rejected,lost,refused,unknown,failed" example:"accepted"`
	Verdict         app.Verdict   `json:"verdict" enum:"accept,ask,leave,reject" doc:"What the rules said." example:"accept"`
	JobType         *string       `json:"job_type" doc:"Null where it was never asked for." example:"Telephone interpreting"`
	RejectionReason *string       `json:"rejection_reason" doc:"Why it was not accepted; null for an accepted one." example:"Overlaps 48210/A, Polish."`
	Rule            *string       `json:"rule" doc:"The rule that decided; null for an acceptance." example:"overlap"`
	NeedsUser       *string       `json:"needs_user" doc:"What the user has to do about it."`
	StartsAt        *time.Time    `json:"starts_at" doc:"The appointment in UTC." example:"2027-01-31T14:30:00Z"`
	EndsAt          *time.Time    `json:"ends_at" example:"2027-01-31T16:00:00Z"`
	DetailsURL      *string       `json:"details_url" doc:"The job's page on the portal."`
	ScrapedAt       *time.Time    `json:"scraped_at" doc:"When it was first seen." example:"2027-01-20T09:00:02.120Z"`
	LastSeenAt      *time.Time    `json:"last_seen_at"`
	GoneAt          *time.Time    `json:"gone_at" doc:"When it left the board."`
	VanishedAt      *time.Time    `json:"vanished_at" doc:"When the portal no longer showed an acceptance."`
	Sightings       int64         `json:"sightings" doc:"Looks at the board that showed it." example:"3"`
	Source          string        `json:"source" enum:"built-in,outside,imported" example:"built-in"`
	CreatedAt       *time.Time    `json:"created_at"`
	UpdatedAt       *time.Time    `json:"updated_at"`
}

func jobJSON(j app.JobRecord) JobJSON {
	return JobJSON{
		ID:              j.ID,
		SessionID:       text(j.SessionID),
		JobRef:          j.Ref,
		Number:          j.Number,
		Language:        j.Language,
		AppointmentDate: text(j.Date),
		AppointmentTime: text(j.Time),
		Duration:        j.DurationText,
		DurationMinutes: count(j.DurationMinutes),
		SubmittedAt:     moment(j.SubmittedAt),
		Status:          j.Status,
		Verdict:         orElse(j.Verdict, app.VerdictLeave),
		JobType:         text(j.JobType),
		RejectionReason: text(j.RejectionReason),
		Rule:            text(j.Rule),
		NeedsUser:       text(j.NeedsUser),
		StartsAt:        moment(j.StartsAt),
		EndsAt:          moment(j.EndsAt),
		DetailsURL:      text(j.DetailsURL),
		ScrapedAt:       moment(j.SeenAt),
		LastSeenAt:      moment(j.LastSeenAt),
		GoneAt:          moment(j.GoneAt),
		VanishedAt:      moment(j.VanishedAt),
		Sightings:       j.Sightings,
		Source:          orElse(j.Source, app.SourceBuiltIn),
		CreatedAt:       moment(j.CreatedAt),
		UpdatedAt:       moment(j.UpdatedAt),
	}
}

// count gives null for 0, which means "not understood".
func count(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}

// JobFilterInput are the filters of the list and of the export.
type JobFilterInput struct {
	SessionID string `query:"session_id" maxLength:"64" pattern:"^[0-9A-Za-z-]*$" doc:"Only jobs that this session saw first." example:"0199a3c4-58d1-7a6b-9f01-2b8c4d5e6f70"`
	Status    string `query:"status" enum:"matched,accepted,rejected,lost,refused,unknown,failed" doc:"Only jobs of this status." example:"accepted"`
	Language  string `query:"language" maxLength:"100" doc:"Only jobs in this language, case aside." example:"Polish"`
	Q         string `query:"q" maxLength:"200" doc:"Only jobs with this in reference, language, type or reason, case aside." example:"court"`
	Since     string `query:"since" maxLength:"40" doc:"Only jobs first seen at or after this time; a day stands for its beginning in UTC." example:"2027-01-31T08:00:00Z"`
	Until     string `query:"until" maxLength:"40" doc:"Only jobs first seen before this time." example:"2027-02-01"`
	Outside   bool   `query:"outside" doc:"The jobs that outside bots reported, instead of the built-in bot's." example:"false"`
}

// account says whose jobs are asked for: those of outside bots never stand among the
// built-in bot's, but where their own session is asked for.
func (in *JobFilterInput) account() string {
	switch {
	case in.Outside:
		return app.OutsideAccountID
	case in.SessionID != "":
		return ""
	default:
		return app.DefaultAccountID
	}
}

func (in *JobFilterInput) filter() (JobFilter, error) {
	since, until, err := stretch(in.Since, in.Until)
	if err != nil {
		return JobFilter{}, err
	}
	return JobFilter{
		AccountID: in.account(),
		SessionID: in.SessionID,
		Status:    app.JobStatus(in.Status),
		Language:  clean(in.Language),
		Query:     clean(in.Q),
		Since:     since,
		Until:     until,
	}, nil
}

type (
	jobsInput struct {
		JobFilterInput
		ListInput
	}
	// jobsOutput is encoded by hand: the framework would spend most of the request on it.
	jobsOutput struct {
		ContentType string `header:"Content-Type" hidden:"true"`
		Length      string `header:"Content-Length" hidden:"true"`
		ListHeaders
		Body []byte
	}
	jobInput struct {
		ID string `path:"id" maxLength:"64" pattern:"^[0-9A-Za-z-]+$" doc:"The job's id." example:"0199a3c4-58d1-7a6b-9f01-2b8c4d5e6f70"`
	}
	jobOutput    struct{ Body JobDetailJSON }
	answerOutput struct{ Body AnswerJSON }
)

// AnswerJSON confirms the user's answer to a job.
type AnswerJSON struct {
	ID     string `json:"id" example:"0199a3c4-58d1-7a6b-9f01-2b8c4d5e6f70"`
	JobRef string `json:"job_ref" example:"48213/A"`
	Answer string `json:"answer" enum:"accept,leave" doc:"What is done now; the job's status says later how it went." example:"accept"`
}

func (s *Server) jobRoutes() {
	list := operation{
		method: http.MethodGet, path: "/api/bot/jobs", id: "list-jobs", tag: tagRecords, scope: ScopeRead,
		summary:     "Jobs, newest first",
		description: "One row for each job, however often it is seen. Jobs never seen as matched are not recorded.",
		errors:      []int{http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}
	s.answers(list, []JobJSON{})
	register(s, list, s.jobs)
	register(s, operation{
		method: http.MethodGet, path: "/api/bot/jobs/{id}", id: "get-job", tag: tagRecords, scope: ScopeRead,
		summary:     "One job, with its decision and its time line",
		description: "Every rule with what it saw and whether it held, each try, and the row as it was on the board.",
		errors:      []int{http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}, s.job)
	exportRoute(s, operation{
		path: "/api/bot/jobs/export", id: "export-jobs", tag: tagRecords, scope: ScopeRead, summary: "Jobs as a file of any size",
	}, []JobJSON{}, s.exportJobs)

	answer := []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusServiceUnavailable}
	register(s, operation{
		method: http.MethodPost, path: "/api/bot/jobs/{id}/accept", id: "accept-job", tag: tagBot, scope: ScopeControl,
		summary: "Accept a job that the rules ask about", errors: answer,
		description: "409 where the job does not wait for an answer any more.",
	}, func(ctx context.Context, in *jobInput) (*answerOutput, error) { return s.answer(ctx, in.ID, true) })
	register(s, operation{
		method: http.MethodPost, path: "/api/bot/jobs/{id}/leave", id: "leave-job", tag: tagBot, scope: ScopeControl,
		summary: "Leave a job that the rules ask about", errors: answer,
		description: "409 where the job does not wait for an answer any more.",
	}, func(ctx context.Context, in *jobInput) (*answerOutput, error) { return s.answer(ctx, in.ID, false) })
}

// answers says of which type the answer of o is, where its handler encodes it by itself.
func (s *Server) answers(o operation, sample any) {
	t := reflect.TypeOf(sample)
	s.bodies[o.method+" "+o.path] = &huma.Response{
		Description: http.StatusText(http.StatusOK),
		Content: map[string]*huma.MediaType{"application/json": {
			Schema: s.api.OpenAPI().Components.Schemas.Schema(t, true, o.id+"-answer"),
		}},
	}
}

func (s *Server) jobs(ctx context.Context, in *jobsInput) (*jobsOutput, error) {
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	if f.Window, err = in.window(); err != nil {
		return nil, err
	}
	page, err := s.page(ctx, f)
	if err != nil {
		return nil, err
	}
	return &jobsOutput{
		ContentType: jsonType,
		Length:      strconv.Itoa(len(page.body)),
		ListHeaders: in.headers(page.total, page.next),
		Body:        page.body,
	}, nil
}

// page gives a page of the list, encoded.
func (s *Server) page(ctx context.Context, f JobFilter) (keptPage, error) {
	// Read before the page: at worst the page is newer than its revision, and is read anew.
	revision, err := s.o.Jobs.Revision(ctx)
	if err != nil {
		return keptPage{}, err
	}
	if page, ok := s.pages.find(f, revision); ok {
		return page, nil
	}
	found, err := s.o.Jobs.Jobs(ctx, f)
	if err != nil {
		return keptPage{}, err
	}
	page := keptPage{
		revision: revision,
		body:     appendJobs(make([]byte, 0, 64+len(found.Items)*900), found.Items),
		total:    found.Total,
		next:     found.Next,
	}
	s.pages.keep(f, page)
	return page, nil
}

func (s *Server) job(ctx context.Context, in *jobInput) (*jobOutput, error) {
	trace, err := s.o.Jobs.Job(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &jobOutput{Body: jobDetailJSON(trace)}, nil
}

func (s *Server) answer(ctx context.Context, id string, accept bool) (*answerOutput, error) {
	trace, err := s.o.Jobs.Job(ctx, id)
	if err != nil {
		return nil, err
	}
	out := AnswerJSON{ID: trace.Job.ID, JobRef: trace.Job.Ref, Answer: "leave"}
	if accept {
		out.Answer = "accept"
	}
	if err := s.o.Bot.Answer(ctx, trace.Job.Number, accept); err != nil {
		return nil, err
	}
	s.audit(ctx, auditOf("job."+out.Answer, trace.Job.Ref, nil, nil))
	return &answerOutput{Body: out}, nil
}
