// Package daemon builds the house and runs it: it opens what the settings name, hands
// each room the small interfaces that it asked for, starts everything in order, watches
// over it, and stops it in order.
//
// It stands around the one way through the house and not on it. Nothing is decided here
// about jobs; what each command of the command line does is written down here.
package daemon
