// Package live tells everyone who watches what happened.
//
// It stands at the end of the way through the house: after a step is committed, its
// events go out from here to browsers and scripts. The table of events is the truth
// and the [Hub] only reads it: a local commit, a message from another replica over
// Redis, or a look once a second wakes it, and it reads what came after the last event
// it knows. Ids grow in commit order, so nothing is missed and nothing comes twice.
//
// Two things have no id: the snapshot of where the bot stands, and what is told while
// the database is away. The latter goes out at once, and is not told to the same
// listeners again when it reaches the table later.
package live
