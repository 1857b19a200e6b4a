// Package store is where the truth is kept: accounts, sessions, jobs, claims,
// decisions, events and what else is to outlive the process, in PostgreSQL or in
// SQLite, with one SQL text for both.
//
// On the one way through the house it stands twice: the claim is stored here before
// anything is posted to the portal, and the outcome, the roll-ups and the events are
// stored here, in one transaction, when a look has shown what came of it. Only after
// that commit is anybody told.
//
// [Store] is one database. [Journaled] is a PostgreSQL together with a local SQLite, the
// journal, that keeps the bot working, and its records safe, while PostgreSQL is away.
//
// Every name of a table begins with atozbot_, so that a database shared with another
// program, or with the predecessor's tables, is neither harmed nor in the way. Times are
// UTC milliseconds, keys are UUIDs as text, and what differs between the two databases
// stands in dialect.go and in the two folders of migrations.
//
// Errors are [app.Error] where a caller can do something about them: CodeNotFound,
// CodeConflict, CodeInvalid, and CodeUnavailable where the database cannot be used now,
// which [Classify] explains. Nothing that a database says reaches the sentence of an
// error; it stays in the cause, for the log.
package store
