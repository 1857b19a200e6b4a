package api_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/api"
)

func (h *house) Logs(_ context.Context, f api.LogFilter) (api.Page[app.LogEntry], error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.table(); err != nil {
		return api.Page[app.LogEntry]{}, err
	}
	return window(h.logs, f.Window)
}

func (h *house) AddAudit(_ context.Context, e api.AuditEntry) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.table(); err != nil {
		return err
	}
	h.audit = append([]api.AuditEntry{e}, h.audit...)
	return nil
}

func (h *house) Audit(_ context.Context, f api.AuditFilter) (api.Page[api.AuditEntry], error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.table(); err != nil {
		return api.Page[api.AuditEntry]{}, err
	}
	return window(h.audit, f.Window)
}

func (h *house) TokenByHash(_ context.Context, hash string) (api.Token, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.table(); err != nil {
		return api.Token{}, err
	}
	t, ok := h.tokens[hash]
	if !ok {
		return t, app.Errorf(app.CodeNotFound, "There is no such token.")
	}
	return t, nil
}

func (h *house) Tokens(_ context.Context, w api.Window) (api.Page[api.Token], error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.table(); err != nil {
		return api.Page[api.Token]{}, err
	}
	var all []api.Token
	for _, t := range h.tokens {
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b api.Token) int { return strings.Compare(b.ID, a.ID) })
	return window(all, w)
}

func (h *house) AddToken(_ context.Context, t api.Token, hash string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.table(); err != nil {
		return err
	}
	h.tokens[hash] = t
	return nil
}

func (h *house) RevokeToken(_ context.Context, id string, at time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.table(); err != nil {
		return err
	}
	for hash, t := range h.tokens {
		if t.ID == id {
			t.RevokedAt = at
			h.tokens[hash] = t
			return nil
		}
	}
	return app.Errorf(app.CodeNotFound, "There is no such token.")
}

func (h *house) TokenUsed(_ context.Context, id string, at time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for hash, t := range h.tokens {
		if t.ID == id {
			t.LastUsedAt = at
			h.tokens[hash] = t
		}
	}
	return nil
}

func (h *house) Identify(r *http.Request) (api.Identity, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c, err := r.Cookie("atozbot_session")
	if err != nil {
		return api.Identity{}, app.Errorf(app.CodeUnauthorized, "Nobody is signed in.")
	}
	who, ok := h.cookies[c.Value]
	if !ok {
		return api.Identity{}, app.Errorf(app.CodeUnauthorized, "Nobody is signed in.")
	}
	return who, nil
}

func (h *house) Feed(_ context.Context, secret string) ([]byte, error) {
	if secret != "the-feeds-secret" {
		return nil, app.Errorf(app.CodeNotFound, "There is no such calendar.")
	}
	return []byte("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"), nil
}
