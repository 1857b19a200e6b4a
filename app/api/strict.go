package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atozbot/atozbot/app"
)

// maxDepth is how deep a body may be nested; nothing we take needs more than six.
const maxDepth = 32

// maxWrong bounds how many wrong fields one answer names.
const maxWrong = 100

// strict holds a JSON body against the schema where the framework is more forgiving than
// a configuration on which acceptances hang should be: names must be written exactly,
// stand there once, and null is no number. What is no JSON at all is left to the
// framework.
func (s *Server) strict(method, path string, body []byte) *problemError {
	schema := s.bodySchema(method, path)
	if schema == nil {
		return nil
	}
	c := &strictCheck{registry: s.api.OpenAPI().Components.Schemas, decoder: json.NewDecoder(bytes.NewReader(body))}
	c.decoder.UseNumber()
	switch err := c.value(schema, "body", 0); {
	case errors.Is(err, errTooDeep):
		return newProblem(http.StatusUnprocessableEntity, app.CodeInvalid, "The request's body is nested too deeply.")
	case err == nil && len(c.wrong) > 0:
		p := newProblem(http.StatusUnprocessableEntity, app.CodeInvalid, "The request has fields that cannot be accepted.")
		p.Errors = c.wrong
		return p
	}
	return nil
}

// bodySchema gives the schema of the body that an operation takes; nil where it takes none.
func (s *Server) bodySchema(method, path string) *huma.Schema {
	item := s.api.OpenAPI().Paths[path]
	if item == nil {
		return nil
	}
	op := item.Post
	if method == http.MethodPut {
		op = item.Put
	}
	if op == nil || op.RequestBody == nil || op.RequestBody.Content["application/json"] == nil {
		return nil
	}
	return op.RequestBody.Content["application/json"].Schema
}

var errTooDeep = errors.New("api: nested too deeply")

type strictCheck struct {
	registry huma.Registry
	decoder  *json.Decoder
	wrong    []ProblemField
}

func (c *strictCheck) add(place, message string) {
	if len(c.wrong) < maxWrong {
		c.wrong = append(c.wrong, ProblemField{Message: message, Location: place})
	}
}

// value reads one value. schema is nil where nothing is known of it.
func (c *strictCheck) value(schema *huma.Schema, place string, depth int) error {
	if depth > maxDepth {
		return errTooDeep
	}
	for schema != nil && schema.Ref != "" {
		schema = c.registry.SchemaFromRef(schema.Ref)
	}
	token, err := c.decoder.Token()
	if err != nil {
		return err
	}
	switch v := token.(type) {
	case json.Delim:
		if v == '{' {
			return c.object(schema, place, depth)
		}
		return c.array(schema, place, depth)
	case nil:
		if schema != nil && schema.Type != "" && !schema.Nullable {
			c.add(place, "expected "+schema.Type+", not null")
		}
	case json.Number:
		c.number(schema, place, v)
	case string:
		if hasControl(v) {
			c.add(place, "expected text without control characters")
		}
	}
	return nil
}

// hasControl finds characters that no database column and no line of a log should hold.
// Line breaks and tabs are text.
func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f
	})
}

// number refuses numbers that no variable of ours could hold.
func (c *strictCheck) number(schema *huma.Schema, place string, v json.Number) {
	if _, err := v.Float64(); err != nil {
		c.add(place, "expected a number of ordinary size")
		return
	}
	if schema == nil || schema.Type != huma.TypeInteger {
		return
	}
	if _, err := strconv.ParseInt(v.String(), 10, 64); err != nil {
		c.add(place, "expected integer")
	}
}

func (c *strictCheck) array(schema *huma.Schema, place string, depth int) error {
	var items *huma.Schema
	if schema != nil {
		items = schema.Items
	}
	for i := 0; c.decoder.More(); i++ {
		if err := c.value(items, place+"["+strconv.Itoa(i)+"]", depth+1); err != nil {
			return err
		}
	}
	_, err := c.decoder.Token()
	return err
}

func (c *strictCheck) object(schema *huma.Schema, place string, depth int) error {
	seen := map[string]bool{}
	for c.decoder.More() {
		token, err := c.decoder.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		at := place + "." + shortName(name)
		if seen[name] {
			c.add(at, "this name stands there twice")
		}
		seen[name] = true
		if err := c.value(c.property(schema, name, at), at, depth+1); err != nil {
			return err
		}
	}
	_, err := c.decoder.Token()
	return err
}

// property gives the schema of a property and notes one that must not be there.
func (c *strictCheck) property(schema *huma.Schema, name, at string) *huma.Schema {
	if schema == nil || schema.Type != huma.TypeObject {
		return nil
	}
	if p, ok := schema.Properties[name]; ok {
		return p
	}
	switch more := schema.AdditionalProperties.(type) {
	case *huma.Schema:
		return more
	case bool:
		if !more {
			c.add(at, "unexpected property")
		}
	}
	return nil
}

// shortName keeps a name that somebody invented from filling the answer.
func shortName(name string) string {
	if len(name) <= 64 {
		return name
	}
	return strings.ToValidUTF8(name[:64], "") + "…"
}
