package bot

import (
	"context"
	"time"
)

// Memory keeps over restarts of the process what the portal must not be asked for again.
type Memory interface {
	// Refused tells how often the portal has refused the log-in data in force; 0 for
	// others. Without it, every start of the process would try them twice more, until the
	// account is locked.
	Refused() int
	// NoteRefused keeps it; 0 forgets.
	NoteRefused(times int)
	// Quiet tells until when the portal wants to be left alone.
	Quiet() time.Time
	// NoteQuiet keeps it; the zero time forgets.
	NoteQuiet(until time.Time)
}

// worthKeeping is the shortest wait that is kept: a process takes about as long to start.
const worthKeeping = time.Second

// recall takes over what was kept. A user who starts the bot has refused log-in data tried
// anew; the portal's wish stands for users too.
func (b *Bot) recall(ctx context.Context, r *run, byUser bool) {
	if b.memory == nil {
		return
	}
	if byUser {
		b.noteRefused(ctx, 0)
	}
	type kept struct {
		refused int
		quiet   time.Time
	}
	k, err := await(ctx, b, func(context.Context) (kept, error) { return kept{b.memory.Refused(), b.memory.Quiet()}, nil })
	if err != nil {
		return
	}
	r.logins.strikes = k.refused
	b.quiet = later(b.quiet, k.quiet)
}

func (b *Bot) noteRefused(ctx context.Context, times int) {
	b.keep(ctx, func(m Memory) { m.NoteRefused(times) })
}

func (b *Bot) noteQuiet(ctx context.Context, until time.Time) {
	b.keep(ctx, func(m Memory) { m.NoteQuiet(until) })
}

func (b *Bot) keep(ctx context.Context, what func(Memory)) {
	if b.memory == nil {
		return
	}
	_, _ = await(ctx, b, func(context.Context) (struct{}, error) {
		what(b.memory)
		return struct{}{}, nil
	})
}

// welcome notes that a page came that only those logged in are shown.
func (r *run) welcome() {
	if r.logins.strikes > 0 {
		r.bot.noteRefused(r.looking, 0)
	}
	r.logins.proved()
}
