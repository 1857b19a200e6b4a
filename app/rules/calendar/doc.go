// Package calendar reads the busy calendars of a user, so that nothing is accepted over a
// dentist or another client, and writes the accepted jobs as a calendar of their own.
//
// It stands beside the rules on the way through the house: what [Decode] gives goes into
// the tally that a decision is made with. It fetches nothing; a file's or an address's
// bytes come in.
//
// # What counts as busy
//
// An event is busy unless it says that it is not: TRANSP:TRANSPARENT, STATUS:CANCELLED, or
// Outlook's X-MICROSOFT-CDO-BUSYSTATUS of FREE or WORKINGELSEWHERE. A tentative one is
// busy. Events over whole days are busy for these days in the user's zone. What cannot be
// read is never silently free: it is in [Busy.Problems], for the user to be told, and a
// file that ends in the middle is an error as a whole.
//
// Where a time is not certain, the longest stretch that it can mean is busy: a wall-clock
// time that a clock change brings twice from its first reading to the end of its last,
// one of a zone that nobody knows under every offset that the file gives for it.
//
// The format is that of RFC 5545; the sections named in this package are its.
package calendar
