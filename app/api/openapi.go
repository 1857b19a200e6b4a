package api

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// operation is one line of the API's table of contents.
type operation struct {
	method, path string
	shownPath    string // In the description, where the mux needs another; else "".
	id           string
	tag          string
	summary      string
	description  string
	scope        Scope // "" where nobody is asked for.
	errors       []int // Beside those that every operation has.
	lenient      bool  // The body may have fields that we don't know.
	created      bool  // Answers 201.
}

// The groups of operations in the description.
const (
	tagBot      = "Bot"
	tagRecords  = "Records"
	tagRules    = "Rules"
	tagFigures  = "Figures"
	tagLive     = "Live"
	tagOutside  = "Outside bots"
	tagAccess   = "Access"
	tagHealth   = "Health"
	tagServices = "Services"
)

const prefix = "#/components/schemas/"

// config is the framework's configuration: JSON only, no pages of its own, since those
// load from other hosts, and our problems.
func (s *Server) config() huma.Config {
	json := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: huma.DefaultJSONFormat.Unmarshal}
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title:       "atozbot",
				Version:     s.o.Version,
				Description: introduction,
				License:     &huma.License{Name: "MIT", Identifier: "MIT"},
			},
			Servers: []*huma.Server{{URL: "/", Description: "This server."}},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry(prefix, schemaName),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"bearer":  {Type: "http", Scheme: "bearer", Description: "A token, with the scope read, control or admin; each includes those before it."},
					"session": {Type: "apiKey", In: "cookie", Name: s.o.SessionCookie, Description: "The dashboard's session, on its own pages only."},
				},
			},
			Tags: []*huma.Tag{
				{Name: tagBot, Description: "Steer the bot and see what it does."},
				{Name: tagRecords, Description: "What was seen and done."},
				{Name: tagRules, Description: "What is accepted, and what would be."},
				{Name: tagFigures, Description: "What is counted from the records."},
				{Name: tagLive, Description: "What happens, as it happens."},
				{Name: tagOutside, Description: "Reports of bots that run elsewhere."},
				{Name: tagAccess, Description: "Tokens, the audit log and the log."},
				{Name: tagHealth, Description: "Whether everything the bot stands on is there."},
				{Name: tagServices, Description: "For other programs."},
			},
		},
		Formats:       map[string]huma.Format{"application/json": json, "json": json},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{problems},
	}
}

const introduction = `Watches the job board of an interpreters' portal, takes the bookings that fit, and says what it did and why.

Times are RFC 3339 in UTC. Everything that goes wrong is an application/problem+json document (RFC 9457).
Lists are bare arrays, newest first; X-Total-Count has the count, and the Link header the next page: its cursor stays right while rows arrive.
While the database is away, lists answer 503 with Retry-After; the bot's status, pausing, stopping and live events go on.`

// schemaName names a type in the description. Our types that go over the wire carry the
// word JSON where a word of the vocabulary has the plain name.
func schemaName(t reflect.Type, hint string) string {
	return strings.TrimSuffix(huma.DefaultSchemaNamer(t, hint), "JSON")
}

// register adds one operation. Errors of its handler leave as problems.
func register[I, O any](s *Server, o operation, handler func(context.Context, *I) (*O, error)) {
	s.note(o)
	place := "body"
	if o.method == http.MethodGet {
		place = "query"
	}
	op := s.huma(o)
	hasBody := false
	if _, ok := reflect.TypeFor[I]().FieldByName("Body"); ok {
		hasBody = true
	}
	s.errors(op, o, hasBody)
	huma.Register(s.api, *op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, in)
		if err != nil {
			p := problemOf(err, place)
			s.logProblem(ctx, p)
			return nil, p
		}
		return out, nil
	})
}

// plain adds an operation that the framework does not serve: streams, files, and the
// handlers of other rooms. op describes what it answers.
func (s *Server) plain(o operation, op *huma.Operation, handler http.HandlerFunc) {
	s.note(o)
	d := s.huma(o)
	d.Parameters = op.Parameters
	d.Responses = op.Responses
	s.errors(d, o, false)
	s.api.OpenAPI().AddOperation(d)
	routes{s}.HandleFunc(o.method+" "+o.path, handler)
}

// note keeps what the route has to know before the handler runs.
func (s *Server) note(o operation) {
	s.scopes[o.method+" "+o.path] = o.scope
	s.lenient[o.method+" "+o.path] = o.lenient
}

// huma gives the framework's form of o.
func (s *Server) huma(o operation) *huma.Operation {
	op := &huma.Operation{
		OperationID:     o.id,
		Method:          o.method,
		Path:            orElse(o.shownPath, o.path),
		Summary:         o.summary,
		Description:     o.description,
		Tags:            []string{o.tag},
		Responses:       map[string]*huma.Response{},
		MaxBodyBytes:    maxBody + 1, // The route has read it before, up to maxBody.
		BodyReadTimeout: -1,
	}
	if o.created {
		op.DefaultStatus = http.StatusCreated
	}
	if answer := s.bodies[o.method+" "+o.path]; answer != nil {
		op.Responses["200"] = answer
	}
	if o.scope == "" {
		op.Security = []map[string][]string{}
		return op
	}
	op.Security = []map[string][]string{{"bearer": {string(o.scope)}}, {"session": {}}}
	op.Extensions = map[string]any{"x-scope": string(o.scope)}
	return op
}

// errors describes the problems that o can answer with.
func (s *Server) errors(op *huma.Operation, o operation, hasBody bool) {
	statuses := append([]int{http.StatusInternalServerError}, o.errors...)
	if o.scope != "" {
		statuses = append(statuses, http.StatusUnauthorized, http.StatusForbidden)
	}
	if hasBody {
		statuses = append(statuses, http.StatusBadRequest, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge,
			http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity)
	}
	schema := s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	for _, status := range statuses {
		r := &huma.Response{
			Description: http.StatusText(status),
			Content: map[string]*huma.MediaType{problemType: {
				Schema:  schema,
				Example: exampleProblem(status),
			}},
		}
		if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
			r.Headers = map[string]*huma.Param{"Retry-After": {
				Description: "Seconds after which to try again.",
				Schema:      &huma.Schema{Type: "integer", Examples: []any{2}},
			}}
		}
		op.Responses[strconv.Itoa(status)] = r
	}
}

func exampleProblem(status int) any {
	p := newProblem(status, codeOf(status), frameworkDetail(&huma.ErrorModel{Status: status})).Problem
	switch status {
	case http.StatusUnauthorized:
		p.Detail = "Sign in, or send a bearer token."
	case http.StatusForbidden:
		p.Detail = "This needs the scope control."
	case http.StatusNotFound:
		p.Detail = "There is no such job."
	case http.StatusConflict:
		p.Detail = "A session is running already."
	case http.StatusServiceUnavailable:
		p.Detail = "The database is away; it is being tried again."
	case http.StatusUnprocessableEntity:
		p.Errors = []ProblemField{{Message: "expected number >= 1", Location: "body.max_accept_per_run"}}
	}
	p.RequestID = "5f3c9a1e-1b"
	return p
}

// describe freezes the description: it is made once, when all operations are there.
func (s *Server) describe() {
	// The framework registers the model of its own problems although no operation has it.
	delete(s.api.OpenAPI().Components.Schemas.Map(), "ErrorModel")
	delete(s.api.OpenAPI().Components.Schemas.Map(), "ErrorDetail")
	s.examples()
	document, err := json.Marshal(s.api.OpenAPI())
	if err != nil {
		panic("api: the description cannot be written: " + err.Error())
	}
	s.mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, r *http.Request) {
		callOf(r.Context()).route = "/openapi.json"
		h := w.Header()
		h.Set("Content-Type", jsonType)
		h.Set("Content-Length", strconv.Itoa(len(document)))
		_, _ = w.Write(document)
	})
}

// ref gives the schema of a type of ours, by reference.
func ref[T any](s *Server) *huma.Schema {
	return s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[T](), true, reflect.TypeFor[T]().Name())
}
