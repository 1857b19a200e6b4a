package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
)

// AuditEntry is one thing that somebody did. Entries can be added and read, and neither
// changed nor deleted: the database itself refuses that.
type AuditEntry struct {
	ID        string
	At        time.Time
	Kind      string // "user", "token", "environment", "bot" or "system".
	Who       string // A name, for people.
	WhoID     string
	What      string // "bot.start", "configuration.save" …
	Subject   string // What it was done to; "" where that is plain.
	Before    string // JSON, or "".
	After     string // JSON, or "".
	RequestID string
	Address   string
}

func auditTable() table {
	return table{name: "atozbot_audit", key: []string{"id"}, columns: []string{
		"id", "at_ms", "kind", "who", "who_id", "what", "subject", "before_json", "after_json", "request_id", "address",
	}}
}

func auditRow(e AuditEntry) []any {
	return []any{
		e.ID, mustMS(e.At), clean(e.Kind), clean(e.Who), clean(e.WhoID), clean(e.What), clean(e.Subject), clean(e.Before), clean(e.After), clean(e.RequestID), clean(e.Address),
	}
}

// AddAudit appends an entry; the same once or twice.
func (s *Store) AddAudit(ctx context.Context, e AuditEntry) error {
	if e.ID == "" {
		e.ID = app.NewID(e.At)
	}
	return s.writing(ctx, "add to the audit log", func(ctx context.Context, tx *sql.Tx) error {
		if s.base().keepEntries {
			if err := keepAudit(ctx, tx, e); err != nil {
				return err
			}
		}
		return auditTable().add(ctx, tx, [][]any{auditRow(e)})
	})
}

// AuditFilter picks entries of the audit log. Zero values pick all.
type AuditFilter struct {
	Who, What    string // A name or an id; a kind of act.
	Since, Until time.Time
	Window
}

func (f AuditFilter) conditions() *conditions {
	c := &conditions{}
	if f.Who != "" {
		who := c.arg(clean(f.Who))
		c.and("(who = " + who + " OR who_id = " + who + ")")
	}
	c.equal("what", f.What)
	if !f.Since.IsZero() {
		c.and("at_ms >= " + c.arg(f.Since.UnixMilli()))
	}
	if !f.Until.IsZero() {
		c.and("at_ms < " + c.arg(f.Until.UnixMilli()))
	}
	return c
}

// Audit lists the audit log, newest first.
func (s *Store) Audit(ctx context.Context, f AuditFilter) (Page[AuditEntry], error) {
	var page Page[AuditEntry]
	where, err := f.where(f.conditions(), "at_ms")
	if err != nil {
		return page, err
	}
	err = s.reading(ctx, "list the audit log", func(ctx context.Context, q queryer) error {
		page = Page[AuditEntry]{}
		all := f.conditions()
		if err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM atozbot_audit`+all.text(), all.args...).Scan(&page.Total); err != nil {
			return err
		}
		err := each(ctx, q, `SELECT `+strings.Join(auditTable().columns, ", ")+` FROM atozbot_audit`+where.text()+f.order("at_ms"), where.args, func(rows *sql.Rows) error {
			var e AuditEntry
			err := rows.Scan(&e.ID, stamp{&e.At}, &e.Kind, &e.Who, &e.WhoID, &e.What, &e.Subject, &e.Before, &e.After, &e.RequestID, &e.Address)
			page.Items = append(page.Items, e)
			return err
		})
		page.cut(f.Window, func(e AuditEntry) (int64, string) { return mustMS(e.At), e.ID })
		return err
	})
	return page, err
}
