// Package app is the vocabulary of atozbot: what a job, a decision, a claim, an
// outcome, a session and an event are. Everything else in the house speaks in these
// words; this package imports nothing but the standard library.
//
// The one way through the house is: the portal shows a [Job], the rules make a
// [Decision] of it, a [Claim] is stored before anything is posted, the portal is asked
// again for the [Outcome], and an [Event] tells those who watch.
package app
