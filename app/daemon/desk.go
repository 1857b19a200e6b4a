package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/atozbot/atozbot/app/bot"
)

// desk is where everybody asks for the bot: there is always one, also after one has
// ended in a panic.
type desk struct {
	make      func() *bot.Bot
	current   atomic.Pointer[bot.Bot]
	autostart bool
	ready     chan struct{} // Closed when the records can be asked.
	log       *slog.Logger
	// changed is told that the status may have changed.
	changed func()
}

// restartPause is waited before a bot that ended in a panic is made anew, so that one
// that panics at once does not spin.
const restartPause = time.Second

func newDesk(makeBot func() *bot.Bot, autostart bool, log *slog.Logger) *desk {
	d := &desk{make: makeBot, autostart: autostart, ready: make(chan struct{}), log: log, changed: func() {}}
	d.current.Store(makeBot())
	return d
}

// bot gives the one that works now.
func (d *desk) bot() *bot.Bot { return d.current.Load() }

// run keeps a bot running until it was shut down, or ctx ends.
func (d *desk) run(ctx context.Context) error {
	for {
		b := d.bot()
		err := d.one(ctx, b)
		if err == nil || ctx.Err() != nil {
			return nil //nolint:nilerr // With the context's end, how the bot ended is of no interest.
		}
		d.log.Error("the bot ended by a fault of the program and is started anew; what it had claimed is settled first", "fault", err)
		timer := time.NewTimer(restartPause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
		d.current.Store(d.make())
	}
}

// one runs one bot to its end. The error says that it ended in a panic.
func (d *desk) one(ctx context.Context, b *bot.Bot) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	taken := make(chan struct{})
	go func() {
		defer close(taken)
		d.takeUp(ctx, b)
	}()
	defer func() {
		if fault := recover(); fault != nil {
			d.log.Error("panic in the bot", "fault", fault, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", fault)
		}
		cancel()
		<-taken
	}()
	return b.Run(ctx)
}

// takeUp has the bot resume, begin or close what the last process left, once the records
// can be asked.
func (d *desk) takeUp(ctx context.Context, b *bot.Bot) {
	select {
	case <-ctx.Done():
		return
	case <-d.ready:
	}
	if err := b.ResumeOrClose(ctx, d.autostart); err != nil && ctx.Err() == nil {
		d.log.Info("what the last process left is looked for again", "error", err)
	}
	d.changed()
}

// after tells that the status may have changed, and passes the error on.
func (d *desk) after(err error) error {
	d.changed()
	return err
}

// shutdown ends the bot in order, for as long as ctx lasts.
func (d *desk) shutdown(ctx context.Context) error { return d.bot().Shutdown(ctx) }
