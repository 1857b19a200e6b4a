package daemon

import "context"

// Import brings over a predecessor's database.
func (p Process) Import(context.Context, string) error { return ErrMisused }

// Backup writes everything but secrets to a file.
func (p Process) Backup(context.Context, string) error { return ErrMisused }

// Restore reads a backup into the configured database.
func (p Process) Restore(context.Context, string) error { return ErrMisused }
