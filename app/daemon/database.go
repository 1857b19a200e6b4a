package daemon

import (
	"errors"
	"path/filepath"

	"github.com/atozbot/atozbot/app/config"
	"github.com/atozbot/atozbot/app/health"
	"github.com/atozbot/atozbot/store"
)

// dsn is the address of the configured database: SQLite in the data folder where none is set.
func dsn(s config.Settings) string {
	if s.DatabaseURL.IsSet() {
		return s.DatabaseURL.Reveal()
	}
	return "sqlite:" + filepath.Join(s.DataDir, "atozbot.db")
}

// explainDatabase puts a database's error into words for strangers.
func explainDatabase(err error) health.Problem {
	if known, ok := errors.AsType[*health.Known](err); ok {
		return known.Problem
	}
	trouble := store.Classify(err)
	return health.Problem{Words: trouble.Reason, Advice: trouble.Advice}
}
