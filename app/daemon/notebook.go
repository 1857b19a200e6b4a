package daemon

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/atozbot/atozbot/app"
)

// notebook keeps the lines of the process's log that people want to see in the dashboard
// until they are stored. What the bot does it records itself, with its steps.
type notebook struct {
	clean   func([]byte) []byte // Hides the secrets of the settings: what is noted is stored and shown.
	mu      sync.Mutex
	entries []app.LogEntry
	missed  int
	written chan struct{}
}

// longestNotebook bounds the memory that lines take while the database is away; the
// oldest go first.
const longestNotebook = 1000

func newNotebook(secrets []string) *notebook {
	return &notebook{clean: newScrubber(io.Discard, secrets).clean, written: make(chan struct{}, 1)}
}

func (n *notebook) add(e app.LogEntry) {
	e.Message = string(n.clean([]byte(e.Message)))
	n.mu.Lock()
	if len(n.entries) >= longestNotebook {
		n.entries = n.entries[1:]
		n.missed++
	}
	n.entries = append(n.entries, e)
	n.mu.Unlock()
	select {
	case n.written <- struct{}{}:
	default:
	}
}

// take gives what is to be stored.
func (n *notebook) take() []app.LogEntry {
	n.mu.Lock()
	defer n.mu.Unlock()
	entries := n.entries
	n.entries = nil
	if n.missed > 0 && len(entries) > 0 {
		lost := entries[0]
		lost.ID, lost.Message = app.NewID(lost.At), fmt.Sprintf("%d lines of the log were not stored while the database was away.", n.missed)
		entries = append([]app.LogEntry{lost}, entries...)
		n.missed = 0
	}
	return entries
}

// putBack keeps what could not be stored.
func (n *notebook) putBack(entries []app.LogEntry) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.entries = append(entries, n.entries...)
	if over := len(n.entries) - longestNotebook; over > 0 {
		n.entries = n.entries[over:]
		n.missed += over
	}
}

// notebookPause collects lines, so that a busy second is one transaction.
const notebookPause = time.Second

// run stores what is written until ctx ends.
func (n *notebook) run(ctx context.Context, usable func() bool, store func(context.Context, []app.LogEntry) error) error {
	timer := time.NewTimer(notebookPause)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		n.flush(ctx, usable, store)
		timer.Reset(notebookPause)
	}
}

func (n *notebook) flush(ctx context.Context, usable func() bool, store func(context.Context, []app.LogEntry) error) {
	if !usable() {
		return
	}
	entries := n.take()
	if len(entries) == 0 {
		return
	}
	if store(ctx, entries) != nil {
		n.putBack(entries) // The keeper says what is wrong with the database.
	}
}

// noting is a log handler that also writes into a notebook.
type noting struct {
	slog.Handler
	notebook *notebook
	part     string
}

// partKey is the attribute that names the part of the program.
const partKey = "part"

// Handle passes the line on and notes it.
func (h noting) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= h.least() {
		h.notebook.add(app.LogEntry{ID: app.NewID(r.Time), Level: levelWord(r.Level), Message: messageOf(r), Component: firstOf(h.part, "program"), At: r.Time.UTC()})
	}
	return h.Handler.Handle(ctx, r)
}

// least is the level from which on a part's lines are noted: the bot and the practice
// portal tell their ordinary business elsewhere.
func (h noting) least() slog.Level {
	if h.part == "bot" || h.part == "practice portal" {
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// Enabled keeps lines for the notebook that the log's own level leaves out.
func (h noting) Enabled(ctx context.Context, level slog.Level) bool {
	return h.Handler.Enabled(ctx, level)
}

// WithAttrs notes which part speaks.
func (h noting) WithAttrs(attributes []slog.Attr) slog.Handler {
	for _, a := range attributes {
		if a.Key == partKey {
			h.part = a.Value.String()
		}
	}
	h.Handler = h.Handler.WithAttrs(attributes)
	return h
}

// WithGroup is there for completeness; the program groups nothing.
func (h noting) WithGroup(name string) slog.Handler {
	h.Handler = h.Handler.WithGroup(name)
	return h
}

// messageOf is the message with its attributes, as people read it.
func messageOf(r slog.Record) string {
	var text strings.Builder
	text.WriteString(r.Message)
	r.Attrs(func(a slog.Attr) bool {
		if a.Key != "stack" {
			fmt.Fprintf(&text, " %s=%v", a.Key, a.Value.Resolve())
		}
		return true
	})
	return text.String()
}

// levelWord is a level in the predecessor's words.
func levelWord(level slog.Level) string {
	switch {
	case level >= slog.LevelError:
		return "ERROR"
	case level >= slog.LevelWarn:
		return "WARNING"
	case level >= slog.LevelInfo:
		return "INFO"
	default:
		return "DEBUG"
	}
}
