// Package migrations holds the schema, step by step, once for each database, inside the
// binary. It stands under [github.com/atozbot/atozbot/store], which applies it; nothing
// else in the house knows what a table is called.
//
// The two folders have equal numbers and names, and equal tables and columns; only the
// types differ. A step that a program of before could not work with sets
// atozbot_schema.min_compatible to its own number, and such a program then refuses to
// start on the schema.
package migrations

import (
	"embed"
	"io/fs"
)

//go:embed postgres/*.sql sqlite/*.sql
var files embed.FS

// For gives the steps for one database, "postgres" or "sqlite", at the root of a file
// system of their own, which is where goose looks.
func For(dialect string) (fs.FS, error) {
	return fs.Sub(files, dialect)
}
