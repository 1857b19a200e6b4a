package web

import (
	"context"
	"time"
)

// Audit is the log of who did what. It is only ever added to.
type Audit interface {
	// Note adds one line.
	Note(ctx context.Context, e AuditEntry) error
	// Entries gives a page of it, newest first. The cursor is that of the page before.
	Entries(ctx context.Context, cursor string, limit int) (entries []AuditEntry, next string, err error)
}

// AuditEntry is one line of the audit log.
type AuditEntry struct {
	ID            string
	At            time.Time
	Who           string // "user admin", "token backup", "bot", "system".
	What          string // "signed in", "configuration saved".
	On            string // What it was done to; may be "".
	Before, After string // May be "".
	Address       string // Of the client; "" where there is none.
	RequestID     string
}

// note tells the audit log what a person did here. What it cannot keep goes to the
// program's log: a missing line must not keep anybody from signing out.
func (s *Site) note(v *visit, name, what string) { s.noteEntry(v, name, AuditEntry{What: what}) }

// noteEntry fills in who did it, when and from where. The deed is done by then: that its
// sender has gone must not keep it out of the log.
func (s *Site) noteEntry(v *visit, name string, e AuditEntry) {
	if s.Audit == nil {
		return
	}
	e.Who = "user " + name
	if name == "" {
		e.Who = "this computer"
	}
	e.At, e.RequestID = s.Now(), v.w.Header().Get(requestID)
	if at := s.proxies.client(v.r); at.IsValid() {
		e.Address = at.String()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(v.r.Context()), patience)
	defer cancel()
	if err := s.Audit.Note(ctx, e); err != nil {
		s.Log.Warn("the audit log could not be written", "what", e.What, "who", e.Who, "error", err)
	}
}
