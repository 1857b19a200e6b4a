package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

// table is how the rows of one table are written.
type table struct {
	name    string
	columns []string
	key     []string // What a row is known by.
	fixed   []string // Columns that an update leaves as they are, beside the key.
}

// mostParameters bounds the parameters of one statement: SQLite looks each one up among
// all the others.
const mostParameters = 320

// chunks are the numbers of rows written by one statement, the largest first. There are
// few of them, so that PostgreSQL keeps few prepared statements.
func (t table) chunks() []int {
	sizes := []int{1}
	for _, n := range []int{8, 32} {
		if n*len(t.columns) <= mostParameters {
			sizes = append([]int{n}, sizes...)
		}
	}
	return sizes
}

// upsert writes rows, replacing those that are there.
func (t table) upsert(ctx context.Context, q queryer, rows [][]any) error {
	var update []string
	for _, c := range t.columns {
		if !slices.Contains(t.key, c) && !slices.Contains(t.fixed, c) {
			update = append(update, c+" = excluded."+c)
		}
	}
	return t.write(ctx, q, rows, " ON CONFLICT ("+strings.Join(t.key, ", ")+") DO UPDATE SET "+strings.Join(update, ", "))
}

// add writes rows, leaving those that are there as they are.
func (t table) add(ctx context.Context, q queryer, rows [][]any) error {
	return t.write(ctx, q, rows, " ON CONFLICT DO NOTHING")
}

func (t table) write(ctx context.Context, q queryer, rows [][]any, conflict string) error {
	return t.inChunks(rows, conflict, func(query string, args []any) error {
		_, err := q.ExecContext(ctx, query, args...)
		return err
	})
}

// addFresh is add, and gives the ids, which are numbers, of the rows that were not there.
func (t table) addFresh(ctx context.Context, q queryer, rows [][]any) (map[int64]bool, error) {
	fresh := make(map[int64]bool, len(rows))
	err := t.inChunks(rows, " ON CONFLICT DO NOTHING RETURNING id", func(query string, args []any) error {
		return each(ctx, q, query, args, func(rows *sql.Rows) error {
			var id int64
			err := rows.Scan(&id)
			fresh[id] = true
			return err
		})
	})
	return fresh, err
}

// inChunks gives the statements that insert rows.
func (t table) inChunks(rows [][]any, conflict string, run func(query string, args []any) error) error {
	for len(rows) > 0 {
		for _, n := range t.chunks() {
			if n > len(rows) {
				continue
			}
			query := "INSERT INTO " + t.name + " (" + strings.Join(t.columns, ", ") + ") VALUES " +
				tuples(n, len(t.columns)) + conflict
			if err := run(query, slices.Concat(rows[:n]...)); err != nil {
				return fmt.Errorf("write %s: %w", t.name, err)
			}
			rows = rows[n:]
			break
		}
	}
	return nil
}

// tuples gives "($1, $2), ($3, $4)".
func tuples(rows, columns int) string {
	var b strings.Builder
	for row := range rows {
		if row > 0 {
			b.WriteString(", ")
		}
		b.WriteString(places(row*columns+1, columns))
	}
	return b.String()
}

// places gives "($3, $4, $5)".
func places(first, count int) string {
	var b strings.Builder
	b.WriteByte('(')
	for i := range count {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(first + i))
	}
	b.WriteByte(')')
	return b.String()
}

// inGroups calls fn with groups of the values, each of a size that few others have, and
// the last filled up by repeating: for "IN (…)", which both databases have.
func inGroups(values []string, fn func(group []any) error) error {
	const small, large = 8, 256
	values = slices.Clone(values)
	slices.Sort(values)
	values = slices.Compact(values)
	for len(values) > 0 {
		size := small
		if len(values) > small {
			size = large
		}
		n := min(size, len(values))
		group := make([]any, size)
		for i := range group {
			group[i] = clean(values[min(i, n-1)])
		}
		if err := fn(group); err != nil {
			return err
		}
		values = values[n:]
	}
	return nil
}

// each calls fn for every row of a query.
func each(ctx context.Context, q queryer, query string, args []any, fn func(rows *sql.Rows) error) (err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := rows.Close(); err == nil {
			err = closeErr
		}
	}()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// toMS is a time as it is stored: UTC milliseconds, and NULL for the zero time.
func toMS(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

// mustMS is a time for a column that has no NULL.
func mustMS(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// fromMS is a time as it was stored.
func fromMS(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// stamp scans a time: NULL, and 0, are the zero time.
type stamp struct{ at *time.Time }

// Scan implements [sql.Scanner].
func (s stamp) Scan(value any) error {
	switch v := value.(type) {
	case nil:
		*s.at = time.Time{}
	case int64:
		*s.at = time.Time{}
		if v != 0 {
			*s.at = fromMS(v)
		}
	default:
		return fmt.Errorf("a time was stored as %T", value)
	}
	return nil
}

// jsonText scans JSON that is stored as text.
type jsonText struct{ into any }

// Scan implements [sql.Scanner].
func (j jsonText) Scan(value any) error {
	switch v := value.(type) {
	case string:
		return json.Unmarshal([]byte(v), j.into)
	case []byte:
		return json.Unmarshal(v, j.into)
	default:
		return fmt.Errorf("JSON was stored as %T", value)
	}
}

// toJSON is a value as JSON text.
func toJSON(v any) (string, error) {
	b, err := json.Marshal(v)
	return clean(string(b)), err
}

// clean makes a text that both databases take: PostgreSQL knows neither zero bytes nor
// broken UTF-8.
func clean(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "�"), "\x00", "")
}

// clipped is a clean text of at most limit bytes, for columns of an index.
func clipped(s string, limit int) string {
	s = clean(s)
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// fold is a text without case and accents, and with single spaces, the same on both
// databases: what is searched for and what is searched in.
func fold(s string) string {
	s = strings.ToLower(s)
	if !isASCII(s) {
		plain, _, err := transform.String(transform.Chain(norm.NFKD, runes.Remove(runes.In(unicode.Mn)), norm.NFC), s)
		if err == nil {
			s = plain
		}
	}
	return strings.Join(strings.Fields(s), " ")
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// like is a pattern that finds, in what was folded, what contains s; for LIKE with
// ESCAPE '\'.
func like(s string) string { return likeAsIs(fold(s)) }

// likeAsIs is like for what was not folded.
func likeAsIs(s string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s) + "%"
}
