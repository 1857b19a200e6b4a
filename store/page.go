package store

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/atozbot/atozbot/app"
)

// Window is the part of a list that is asked for.
type Window struct {
	Limit  int // 1 to 1000; 0: 50.
	Offset int
	Cursor string // [Page].Next of the page before; then Offset is left aside.
}

// Page is a part of a list, newest first. A page asked for by its cursor stays right
// while rows arrive.
type Page[T any] struct {
	Items []T
	Total int64  // Of all that the filter leaves.
	Next  string // The cursor of the next page; "" where this is the last.
}

// limit is how many rows are shown.
func (w Window) limit() int {
	if w.Limit <= 0 {
		return 50
	}
	return min(w.Limit, 1000)
}

// order ends a query whose rows are sorted by a time and the id. One row more than is
// shown tells whether there is another page.
func (w Window) order(by string) string {
	offset := ""
	if w.Cursor == "" && w.Offset > 0 {
		offset = " OFFSET " + strconv.Itoa(w.Offset)
	}
	return " ORDER BY " + by + " DESC, id DESC LIMIT " + strconv.Itoa(w.limit()+1) + offset
}

// where adds the cursor's condition to those of a filter. The error is an [app.Error]
// with CodeInvalid and the field "cursor".
func (w Window) where(c *conditions, by string) (*conditions, error) {
	if c == nil {
		c = &conditions{}
	}
	if w.Cursor == "" {
		return c, nil
	}
	at, id, err := readCursor(w.Cursor)
	if err != nil {
		return nil, err
	}
	return c.and("(" + by + ", id) < (" + c.arg(at) + ", " + c.arg(id) + ")"), nil
}

// cut takes off the row that only told that there is another page, and notes the cursor.
func (p *Page[T]) cut(w Window, key func(T) (int64, string)) {
	if len(p.Items) <= w.limit() {
		return
	}
	p.Items = p.Items[:w.limit()]
	at, id := key(p.Items[len(p.Items)-1])
	p.Next = base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d.%s", at, id))
}

func readCursor(cursor string) (at int64, id string, err error) {
	wrong := &app.Error{
		Code: app.CodeInvalid, Message: "The cursor is not one that a list gave.",
		Fields: map[string]string{"cursor": "not one that a list gave"},
	}
	plain, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return 0, "", wrong
	}
	number, id, found := strings.Cut(string(plain), ".")
	at, err = strconv.ParseInt(number, 10, 64)
	if err != nil || !found || id != clean(id) {
		return 0, "", wrong
	}
	return at, id, nil
}

// conditions are what a WHERE holds, with its arguments. No value ever stands in the text.
type conditions struct {
	terms []string
	args  []any
}

// arg adds a value and gives its place.
func (c *conditions) arg(v any) string {
	c.args = append(c.args, v)
	return "$" + strconv.Itoa(len(c.args))
}

func (c *conditions) and(term string) *conditions {
	c.terms = append(c.terms, term)
	return c
}

// equal asks for a value, where one is given.
func (c *conditions) equal(column, value string) {
	if value != "" {
		c.and(column + " = " + c.arg(clean(value)))
	}
}

// text is the WHERE, or nothing where nothing is asked.
func (c *conditions) text() string {
	if len(c.terms) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.terms, " AND ")
}
