package api_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"sort"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// document is the OpenAPI description as a client reads it.
type document struct {
	OpenAPI    string
	Paths      map[string]map[string]*operation
	Components struct {
		Schemas         map[string]*schema
		SecuritySchemes map[string]any
	}
}

type operation struct {
	OperationID string
	Summary     string
	Description string
	Tags        []string
	Scope       string `json:"x-scope"`
	Security    []map[string][]string
	Parameters  []parameter
	RequestBody *struct {
		Required bool
		Content  map[string]mediaType
	}
	Responses map[string]response

	method, path string
}

type response struct {
	Description string
	Content     map[string]mediaType
}

type mediaType struct {
	Schema  *schema
	Example any
}

type parameter struct {
	Name, In    string
	Description string
	Required    bool
	Schema      *schema
	Example     any
}

// schema is the part of JSON Schema that the description uses.
type schema struct {
	Ref                  string `json:"$ref"`
	Type                 any
	Format               string
	Properties           map[string]*schema
	Required             []string
	AdditionalProperties any
	Items                *schema
	Enum                 []any
	Minimum, Maximum     *float64
	MinLength, MaxLength *int
	MinItems, MaxItems   *int
	Pattern              string
	Examples             []any
	ReadOnly             bool

	more *schema // Of additional properties, where they have one.
}

func (s *schema) UnmarshalJSON(b []byte) error {
	type plain schema
	if err := json.Unmarshal(b, (*plain)(s)); err != nil {
		return err
	}
	if m, ok := s.AdditionalProperties.(map[string]any); ok {
		raw, err := json.Marshal(m)
		if err != nil {
			return err
		}
		s.more = &schema{}
		return json.Unmarshal(raw, s.more)
	}
	return nil
}

func readDocument(t testing.TB, handler http.Handler) *document {
	t.Helper()
	w := request(handler, "GET", "/openapi.json", "")
	if w.Code != http.StatusOK {
		t.Fatalf("the description answers %d", w.Code)
	}
	d := decode[document](t, w)
	for path, methods := range d.Paths {
		for method, op := range methods {
			op.method, op.path = strings.ToUpper(method), path
		}
	}
	return &d
}

// operations gives all operations in a fixed order.
func (d *document) operations() []*operation {
	var all []*operation
	for _, methods := range d.Paths {
		for _, op := range methods {
			all = append(all, op)
		}
	}
	sort.Slice(all, func(i, j int) bool {
		return all[i].path+all[i].method < all[j].path+all[j].method
	})
	return all
}

func (d *document) resolve(s *schema) *schema {
	for s != nil && s.Ref != "" {
		s = d.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
	}
	return s
}

// types are the types that s allows.
func (s *schema) types() []string {
	switch t := s.Type.(type) {
	case string:
		return []string{t}
	case []any:
		var all []string
		for _, one := range t {
			all = append(all, fmt.Sprint(one))
		}
		return all
	default:
		return nil
	}
}

func (s *schema) is(kind string) bool {
	for _, t := range s.types() {
		if t == kind {
			return true
		}
	}
	return false
}

// faults gives what is wrong with v, held against s. The validator is the test's own, so
// that the framework does not judge itself.
func (d *document) faults(s *schema, v any, at string) []string {
	s = d.resolve(s)
	if s == nil {
		return []string{at + ": there is no schema"}
	}
	var wrong []string
	add := func(format string, args ...any) { wrong = append(wrong, at+": "+fmt.Sprintf(format, args...)) }
	if types := s.types(); len(types) > 0 && !fits(types, v) {
		add("is %T, want %v", v, types)
		return wrong
	}
	if len(s.Enum) > 0 && v != nil {
		found := false
		for _, e := range s.Enum {
			found = found || e == v
		}
		if !found {
			add("%v is none of %v", v, s.Enum)
		}
	}
	switch v := v.(type) {
	case map[string]any:
		for _, name := range s.Required {
			if _, ok := v[name]; !ok {
				add("lacks %s", name)
			}
		}
		for name, item := range v {
			switch {
			case s.Properties[name] != nil:
				wrong = append(wrong, d.faults(s.Properties[name], item, at+"."+name)...)
			case s.more != nil:
				wrong = append(wrong, d.faults(s.more, item, at+"."+name)...)
			case s.AdditionalProperties == false:
				add("has %s, which is not described", name)
			}
		}
	case []any:
		if s.MinItems != nil && len(v) < *s.MinItems || s.MaxItems != nil && len(v) > *s.MaxItems {
			add("has %d items", len(v))
		}
		for i, item := range v {
			if s.Items != nil {
				wrong = append(wrong, d.faults(s.Items, item, fmt.Sprintf("%s[%d]", at, i))...)
			}
		}
	case string:
		wrong = append(wrong, textFaults(s, v, at)...)
	case float64:
		if s.Minimum != nil && v < *s.Minimum || s.Maximum != nil && v > *s.Maximum {
			add("%v is out of range", v)
		}
	}
	return wrong
}

func textFaults(s *schema, v, at string) []string {
	var wrong []string
	add := func(format string, args ...any) { wrong = append(wrong, at+": "+fmt.Sprintf(format, args...)) }
	n := utf8.RuneCountInString(v)
	if s.MinLength != nil && n < *s.MinLength || s.MaxLength != nil && n > *s.MaxLength {
		add("%q has %d characters", v, n)
	}
	if s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(v) {
		add("%q does not match %s", v, s.Pattern)
	}
	switch s.Format {
	case "date-time":
		if parsed, err := time.Parse(time.RFC3339, v); err != nil || parsed.Location() != time.UTC {
			add("%q is no time in UTC", v)
		}
	case "date":
		if _, err := time.Parse(time.DateOnly, v); err != nil {
			add("%q is no day", v)
		}
	}
	return wrong
}

func fits(types []string, v any) bool {
	for _, t := range types {
		switch v := v.(type) {
		case nil:
			if t == "null" {
				return true
			}
		case bool:
			if t == "boolean" {
				return true
			}
		case float64:
			if t == "number" || t == "integer" && v == math.Trunc(v) {
				return true
			}
		case string:
			if t == "string" {
				return true
			}
		case []any:
			if t == "array" {
				return true
			}
		case map[string]any:
			if t == "object" {
				return true
			}
		}
	}
	return false
}
