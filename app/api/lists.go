package api

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atozbot/atozbot/app"
)

// ListInput is what every list takes.
type ListInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"50" doc:"How many at most." example:"50"`
	Offset int    `query:"offset" minimum:"0" maximum:"1000000000" doc:"How many to leave out. Pages by offset shift while rows arrive: follow the Link header instead." example:"50"`
	Cursor string `query:"cursor" maxLength:"512" pattern:"^[!-~]*$" doc:"Where to go on, as the Link header of the page before says. Not together with offset." example:"MTc2OTg2MTcwMjEyMA"`

	path  string
	query string
}

// Resolve keeps the address that was asked for, to build the next page's from it.
func (l *ListInput) Resolve(ctx huma.Context) []error {
	u := ctx.URL()
	l.path, l.query = u.Path, u.RawQuery
	return nil
}

// window gives the part of the list that is asked for.
func (l *ListInput) window() (Window, error) {
	if l.Cursor != "" && l.Offset > 0 {
		return Window{}, &app.Error{
			Code:    app.CodeInvalid,
			Message: "Cursor and offset do not go together.",
			Fields:  map[string]string{"offset": "not together with cursor"},
		}
	}
	return Window{Limit: l.Limit, Offset: l.Offset, Cursor: l.Cursor}, nil
}

// ListHeaders are the headers of every list.
type ListHeaders struct {
	Total string `header:"X-Total-Count" doc:"How many there are of all that the filters leave." example:"1204"`
	Link  string `header:"Link" doc:"The next page, as rel=next; absent on the last." example:"</api/bot/jobs?cursor=MTIz&limit=50>; rel=\"next\""`
}

func (l *ListInput) headers(total int64, next string) ListHeaders {
	h := ListHeaders{Total: strconv.FormatInt(total, 10)}
	if next != "" {
		h.Link = "<" + l.path + "?" + nextQuery(l.query, next) + `>; rel="next"`
	}
	return h
}

// nextQuery is the query of the next page: the same filters, from the cursor on.
func nextQuery(query, cursor string) string {
	var b strings.Builder
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		name, _, _ := strings.Cut(pair, "=")
		if name == "" || name == "cursor" || name == "offset" {
			continue
		}
		// What stands in the address goes into a header: only what needs no quoting there
		// is taken as it is.
		for i := range len(pair) {
			if c := pair[i]; c <= ' ' || c >= 0x7f || c == '<' || c == '>' || c == '"' {
				b.WriteString("%" + strings.ToUpper(strconv.FormatUint(uint64(c)|0x100, 16)[1:]))
			} else {
				b.WriteByte(c)
			}
		}
		b.WriteByte('&')
	}
	b.WriteString("cursor=")
	b.WriteString(url.QueryEscape(cursor))
	return b.String()
}

// stretch reads the ends of a stretch of time. A day stands for its beginning in UTC.
func stretch(since, until string) (from, to time.Time, err error) {
	wrong := map[string]string{}
	from, ok := instant(since)
	if !ok {
		wrong["since"] = "expected a time like 2027-01-31T08:00:00Z, or a day like 2027-01-31"
	}
	to, ok = instant(until)
	if !ok {
		wrong["until"] = "expected a time like 2027-01-31T08:00:00Z, or a day like 2027-01-31"
	}
	if len(wrong) > 0 {
		return from, to, &app.Error{Code: app.CodeInvalid, Message: "The request has fields that cannot be accepted.", Fields: wrong}
	}
	return from, to, nil
}

func instant(s string) (time.Time, bool) {
	if s == "" {
		return time.Time{}, true
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC(), inRange(t)
	}
	// An offset's plus sign is a space to those who forget to escape it.
	if t, err := time.Parse(time.RFC3339, strings.Replace(s, " ", "+", 1)); err == nil {
		return t.UTC(), inRange(t)
	}
	t, err := time.Parse(time.DateOnly, s)
	return t, err == nil && inRange(t)
}

// inRange keeps out years that milliseconds in 64 bits, or a database's calendar, can't hold.
func inRange(t time.Time) bool { return t.Year() >= 1970 && t.Year() <= 9998 }
