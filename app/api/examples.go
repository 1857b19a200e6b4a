package api

import (
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atozbot/atozbot/app"
)

// examples gives every body of the description one whole example. Where nobody wrote one
// it is put together from the examples of its fields.
func (s *Server) examples() {
	e := exampler{registry: s.api.OpenAPI().Components.Schemas, written: writtenExamples()}
	for _, item := range s.api.OpenAPI().Paths {
		for _, op := range []*huma.Operation{item.Get, item.Put, item.Post, item.Delete} {
			if op == nil {
				continue
			}
			if op.RequestBody != nil {
				e.fill(op.RequestBody.Content)
			}
			for _, answer := range op.Responses {
				e.fill(answer.Content)
			}
		}
	}
}

// exampler puts examples together.
type exampler struct {
	registry huma.Registry
	written  map[string]any // By the schema's name.
}

// writtenExamples are for what has so many fields, or such free ones, that an example of
// all of them would teach nobody.
func writtenExamples() map[string]any {
	c := app.DefaultConfiguration()
	c.IsActive, c.Version, c.Author = true, 7, "admin"
	c.CreatedAt = time.Date(2027, 1, 31, 10, 15, 2, 0, time.UTC)
	c.UpdatedAt = c.CreatedAt
	change := map[string]any{"mode": "live", "languages": []string{"Polish"}, "weekly_hours": map[string]any{"mon": [][2]string{{"08:00", "18:00"}}}}
	return map[string]any{
		"Configuration":      shownConfiguration(c),
		"ConfigurationPatch": change,
		"BacktestInputBody":  map[string]any{"rules": change, "since": "30d"},
		"OutsideUpdate": map[string]any{
			"type": "job_accepted", "session_id": "real-atoz-session-20250930_104428",
			"data": map[string]any{"job_number": "48213/A", "language": "Polish", "job_type": "Telephone interpreting", "duration": "1 hour"},
		},
	}
}

// fill sets the examples that are missing.
func (e exampler) fill(content map[string]*huma.MediaType) {
	for kind, body := range content {
		if strings.HasSuffix(kind, "json") && body.Example == nil && body.Schema != nil {
			body.Example = e.of(body.Schema)
		}
	}
}

// of gives an example of a schema.
func (e exampler) of(schema *huma.Schema) any {
	for schema.Ref != "" {
		if written, ok := e.written[strings.TrimPrefix(schema.Ref, prefix)]; ok {
			return written
		}
		schema = e.registry.SchemaFromRef(schema.Ref)
	}
	switch {
	case len(schema.Examples) > 0:
		return schema.Examples[0]
	case schema.Default != nil:
		return schema.Default
	case len(schema.Enum) > 0:
		return schema.Enum[0]
	case schema.Type == huma.TypeObject:
		return e.object(schema)
	case schema.Type == huma.TypeArray && schema.Items != nil:
		return []any{e.of(schema.Items)}
	case schema.Nullable:
		return nil
	default:
		return plainExample(schema)
	}
}

func (e exampler) object(schema *huma.Schema) any {
	fields := make(map[string]any, len(schema.Properties))
	for name, field := range schema.Properties {
		fields[name] = e.of(field)
	}
	if one, ok := schema.AdditionalProperties.(*huma.Schema); ok {
		fields["database"] = e.of(one) // The one map of ours without an example holds services.
	}
	return fields
}

// plainExample is for fields that speak for themselves.
func plainExample(schema *huma.Schema) any {
	switch schema.Type {
	case huma.TypeBoolean:
		return false
	case huma.TypeInteger, huma.TypeNumber:
		if schema.Minimum != nil {
			return *schema.Minimum
		}
		return 0
	}
	switch schema.Format {
	case "date-time":
		return "2027-01-31T10:15:02Z"
	case "date":
		return "2027-01-31"
	default:
		return ""
	}
}
