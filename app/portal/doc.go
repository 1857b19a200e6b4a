// Package portal speaks with the job portal over HTTP: it logs in, reads the board,
// reads a job's details, and submits the forms that accept or reject a job.
//
// It is the first and the last room on the one way through the house: what the portal
// shows enters here as [app.Job], and what was decided and claimed leaves here as a
// submitted form. Nothing is decided in this package, nothing is kept, and nothing that
// it returns is a proof that a job was won: that is what a look afterwards shows.
//
// # The profile
//
// Every path, selector and word of the portal stands in one data file, profile.json,
// and can be replaced by a file of the user's, part by part (see [LoadProfile]). The
// code knows shapes ("a row", "a dialog") and never a class or a word of the portal.
//
// # Every page is classified before it is read
//
// A page that is not understood is never an empty board. classify.go holds the order in
// which the evidence is weighed, and why.
//
// # What could not be understood
//
// A cell that could not be understood is empty in its field, and stands in Job.Row as it
// was. Dates, times and durations are understood in the forms that can mean only one
// thing to a British reader, and in no others.
package portal
