package api

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atozbot/atozbot/app"
)

// Problem is how everything that goes wrong is answered (RFC 9457). It holds sentences of
// ours only: no text of an inner error, and no value that the client sent, since that may
// be a password.
type Problem struct {
	Type      string         `json:"type" doc:"Always about:blank: the status and the code say what kind of problem it is." example:"about:blank"`
	Title     string         `json:"title" doc:"The HTTP status in words." example:"Unprocessable Entity"`
	Status    int            `json:"status" doc:"The HTTP status." example:"422" minimum:"400" maximum:"599"`
	Detail    string         `json:"detail" doc:"One sentence about this occurrence." example:"The request has fields that cannot be accepted."`
	Code      app.Code       `json:"code" doc:"The kind of problem in one word, for machines." example:"invalid"`
	RequestID string         `json:"request_id,omitempty" doc:"The request's id, as in the X-Request-Id header and the log."`
	Errors    []ProblemField `json:"errors,omitempty" doc:"What is wrong with which part of the request."`
}

// problemError is a problem on its way out, with what goes into headers and into the log.
type problemError struct {
	Problem
	retryAfter time.Duration
	allow      string
	cause      error
}

// ProblemField is one part of a request that cannot be accepted.
type ProblemField struct {
	Message  string `json:"message" doc:"What is wrong with it." example:"expected number >= 1"`
	Location string `json:"location" doc:"Where it stands: body, query, path or header, and the name." example:"body.max_accept_per_run"`
}

const (
	jsonType    = "application/json"
	problemType = "application/problem+json"
)

// retryAfterDefault is what a client is told where nobody knows better: the keepers try
// again about as often.
const retryAfterDefault = 2 * time.Second

// Error gives the sentence and, for the log, the cause.
func (p *problemError) Error() string {
	if p.cause != nil {
		return p.Detail + ": " + p.cause.Error()
	}
	return p.Detail
}

// Unwrap gives the cause.
func (p *problemError) Unwrap() error { return p.cause }

// GetStatus gives the HTTP status.
func (p *problemError) GetStatus() int { return p.Status }

// ContentType says that a problem is not ordinary JSON.
func (p *problemError) ContentType(string) string { return problemType }

// GetHeaders gives the headers that belong to the problem.
func (p *problemError) GetHeaders() http.Header {
	h := http.Header{}
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(p.retryAfter.Seconds()))))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="atozbot"`)
	}
	if p.allow != "" {
		h.Set("Allow", p.allow)
	}
	return h
}

// newProblem makes a problem with a sentence.
func newProblem(status int, code app.Code, detail string) *problemError {
	p := &problemError{Problem: Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Code: code}}
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		p.retryAfter = retryAfterDefault
	}
	return p
}

// problemOf turns any error into a problem. Only the sentences of an *app.Error and of a
// *problemError are shown; everything else is "a fault of ours" to the client and goes to the
// log. Fields of an *app.Error are located in place: "body" or "query".
func problemOf(err error, place string) *problemError {
	if p, ok := errors.AsType[*problemError](err); ok {
		return p
	}
	e, ok := errors.AsType[*app.Error](err)
	if !ok {
		return problemOfForeign(err)
	}
	p := newProblem(statusOf(e.Code), e.Code, e.Message)
	p.cause = e.Err
	if e.Code == app.CodeInternal {
		p.Detail, p.cause = internalDetail, err
	}
	if e.RetryAfter > 0 {
		p.retryAfter = e.RetryAfter
	}
	for field, message := range e.Fields {
		p.Errors = append(p.Errors, ProblemField{Message: message, Location: place + "." + field})
	}
	sort.Slice(p.Errors, func(i, j int) bool { return p.Errors[i].Location < p.Errors[j].Location })
	return p
}

const internalDetail = "Something went wrong in the server. The log has it under this request's id."

// problemOfForeign is for errors that are not ours.
func problemOfForeign(err error) *problemError {
	var p *problemError
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		p = newProblem(http.StatusServiceUnavailable, app.CodeUnavailable, "The answer took too long and was given up.")
	} else {
		p = newProblem(http.StatusInternalServerError, app.CodeInternal, internalDetail)
	}
	p.cause = err
	return p
}

// statusOf is the one table of codes and HTTP statuses.
func statusOf(code app.Code) int {
	switch code {
	case app.CodeInvalid:
		return http.StatusUnprocessableEntity
	case app.CodeNotFound:
		return http.StatusNotFound
	case app.CodeConflict:
		return http.StatusConflict
	case app.CodeUnauthorized:
		return http.StatusUnauthorized
	case app.CodeForbidden:
		return http.StatusForbidden
	case app.CodeRateLimited:
		return http.StatusTooManyRequests
	case app.CodeUnavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// codeOf is the code of a status that the framework chose.
func codeOf(status int) app.Code {
	switch {
	case status == http.StatusNotFound:
		return app.CodeNotFound
	case status == http.StatusUnauthorized:
		return app.CodeUnauthorized
	case status == http.StatusForbidden:
		return app.CodeForbidden
	case status == http.StatusConflict:
		return app.CodeConflict
	case status == http.StatusTooManyRequests:
		return app.CodeRateLimited
	case status == http.StatusServiceUnavailable:
		return app.CodeUnavailable
	case status >= 500:
		return app.CodeInternal
	default:
		return app.CodeInvalid
	}
}

// writeProblem answers with p, outside of the framework.
func writeProblem(w http.ResponseWriter, p *problemError) {
	for name, values := range p.GetHeaders() {
		w.Header()[name] = values
	}
	shown := p.Problem
	shown.RequestID = w.Header().Get(requestIDHeader)
	body, err := json.Marshal(shown)
	if err != nil {
		body = []byte(`{"type":"about:blank","title":"Internal Server Error","status":500,"detail":"","code":"internal"}`)
	}
	h := w.Header()
	h.Set("Content-Type", problemType)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(p.Status)
	_, _ = w.Write(body)
}

// problems is the transformer that turns what the framework made of an error into a
// problem of ours. The framework's own model would give away the text of any plain error,
// and echo the value that was sent.
func problems(ctx huma.Context, _ string, v any) (any, error) {
	if p, ok := v.(*problemError); ok {
		shown := p.Problem
		shown.RequestID = callOf(ctx.Context()).id
		return shown, nil
	}
	model, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	p := newProblem(model.Status, codeOf(model.Status), frameworkDetail(model)).Problem
	p.RequestID = callOf(ctx.Context()).id
	if model.Status >= 500 {
		return p, nil
	}
	for _, e := range model.Errors {
		if e == nil {
			continue
		}
		p.Errors = append(p.Errors, ProblemField{Message: plainMessage(e), Location: location(e)})
	}
	return p, nil
}

func frameworkDetail(model *huma.ErrorModel) string {
	switch model.Status {
	case http.StatusUnprocessableEntity:
		return "The request has fields that cannot be accepted."
	case http.StatusBadRequest:
		return "The request's body cannot be read as JSON."
	case http.StatusUnsupportedMediaType:
		return "The request's body must be JSON, with the content type application/json."
	case http.StatusRequestEntityTooLarge:
		return "The request's body is larger than 1 MiB."
	case http.StatusRequestTimeout:
		return "The request's body did not come in time."
	case http.StatusNotAcceptable:
		return "The answer is JSON only."
	default:
		return internalDetail
	}
}

// plainMessage keeps messages that come from the schema. Those of the JSON decoder may
// quote what was sent.
func plainMessage(e *huma.ErrorDetail) string {
	if e.Location == "body" && !strings.HasPrefix(e.Message, "expected ") {
		return "not JSON of the expected form"
	}
	if strings.HasPrefix(e.Message, "invalid value") {
		return "invalid value"
	}
	return e.Message
}

// location names the field itself where the framework names the object that lacks it.
func location(e *huma.ErrorDetail) string {
	place := e.Location
	if place == "" {
		place = "body"
	}
	if name, ok := strings.CutPrefix(e.Message, "expected required property "); ok {
		if name, ok = strings.CutSuffix(name, " to be present"); ok {
			return place + "." + name
		}
	}
	return place
}
