package daemon

import "context"

// Import brings over a predecessor's database.
func (p Process) Import(context.Context, string) error { return ErrMisused }

// Backup writes everything but secrets to a file.
func (p Process) Backup(context.Context, string) error { return ErrMisused }

// Restore reads a backup into the configured database.
func (p Process) Restore(context.Context, string) error { return ErrMisused }

// Doctor checks everything.
func (p Process) Doctor(context.Context, bool) error { return ErrMisused }

// Backtest says what rules would have done.
func (p Process) Backtest(context.Context, string, string) error { return ErrMisused }
