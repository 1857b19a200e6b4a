// Package rules decides what is to be done with a job, and says why.
//
// It stands second on the way through the house: the portal shows a job, [Set.Decide]
// makes a decision of it, and under the claim [Set.Recheck] asks again what another
// claim can have changed in the meantime. Everything here is pure: the clock and what is
// already booked come in as arguments, the same input gives the same decision with the
// same trace, and nothing is fetched or stored.
//
// # How a job is decided
//
// Every rule is asked, always, in the order of [Rules], and answers "held", "did not
// hold" or "not known". A job is accepted where every rule held. One that did not hold
// leaves the job alone; one that is not known leaves it alone and shows it: what cannot
// be read is never taken. Where the only answers missing stand on the details page, the
// decision says so (NeedsDetails) and is made again once the page was read; no page is
// asked for that cannot change the verdict.
//
// # Words
//
// Words (job types, words wanted and unwanted) are found as whole words, with case,
// white space, accents and dashes aside: "Face-to-Face", "face to face" and "FaceToFace"
// are one, "Unmatched" does not hold "matched". Other punctuation parts words: in
// "Telephone. Interpreting by video" nobody finds "Telephone interpreting". Languages
// are compared as a whole after the same folding and never by a part of them: "Mandarin"
// is not "Chinese (Mandarin)", because a near miss would be a promise in a language that
// the interpreter may not speak.
//
// # Time
//
// An appointment is wall-clock time in the configured zone; its duration is elapsed
// time, as a telephone call is. A wall-clock time that the clock change leaves out, or
// that it brings twice, is not known: no guess is right about it. See package wallclock.
package rules
