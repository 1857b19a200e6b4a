package daemon

import (
	"context"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/health"
)

// ready tells whether the bot's work can be done: act and record, be it in the journal.
// The reason is fit for strangers.
func (h *house) ready() (bool, string) {
	state := h.database.State()
	switch {
	case h.stopping.Load():
		return false, "the program is stopping"
	case h.journal == nil && !state.Usable():
		return false, "the database is " + state.Check()
	case h.journal == nil:
		return true, ""
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := h.journal.MayAct(ctx, app.DefaultAccountID); err != nil {
		return false, sentenceOf(err)
	}
	return true, ""
}

// pagesOpen tells whether the dashboard shows its pages, and not what is waited for: the
// database was there once, or the journal knows from earlier what there is to know.
func (h *house) pagesOpen() bool {
	return h.through.Load() || h.journal != nil && !h.journal.JournalState().Mirrored.IsZero()
}

// canStore tells whether the database takes what is written now.
func (h *house) canStore() bool { return h.database.State().Usable() }

// journaled is how many steps wait to be carried over to the database.
func (h *house) journaled() int {
	waiting := h.desk.bot().Status().Unrecorded
	if h.journal != nil {
		waiting += int(h.journal.JournalState().Waiting)
	}
	return waiting
}

// more is what else health shows in detail.
func (h *house) more() map[string]any {
	shown := map[string]any{"waiting": h.journaled()}
	if h.journal != nil {
		s := h.journal.JournalState()
		shown["parked"], shown["direct"], shown["fallback"] = s.Parked, s.Direct, s.Fallback
		shown["oldest"], shown["mirrored"] = stampOrNil(s.Oldest), stampOrNil(s.Mirrored)
		if s.Broken.Reason != "" {
			shown["broken"], shown["advice"] = s.Broken.Reason, s.Broken.Advice
		}
	}
	return map[string]any{"journal": shown}
}

func stampOrNil(at time.Time) any {
	if at.IsZero() {
		return nil
	}
	return at.UTC().Format(time.RFC3339)
}

// fallBack puts SQLite in PostgreSQL's place where the attempts of the start are used up
// and the settings say so. It returns true where it did.
func (h *house) fallBack(*health.State) bool {
	if h.journal == nil || h.settings.DBFallback != "sqlite" {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), choreBounds)
	defer cancel()
	if err := h.journal.Fallback(ctx); err != nil {
		h.log.Error("SQLite cannot take the place of PostgreSQL; PostgreSQL is tried on", "error", err)
		return false
	}
	h.log.Warn("PostgreSQL is not there: records go to SQLite in the data folder until the next start, and are carried over then (DB_FALLBACK=sqlite)")
	h.database.Override(health.Degraded, health.Problem{
		Words:  "running on SQLite in the data folder until the next start, because PostgreSQL was not there",
		Advice: "Bring PostgreSQL back and start the program anew; what was recorded is carried over.",
	})
	return true
}
