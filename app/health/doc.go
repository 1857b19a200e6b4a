// Package health keeps the dependencies: it connects to them, watches them, brings them
// back, and says how they are.
//
// It stands beside the way through the house. Each dependency has a [Keeper], a
// goroutine that tries for as long as the process lives; the [Monitor] answers the
// health endpoints from what the keepers know, and so never waits for a dependency.
package health
