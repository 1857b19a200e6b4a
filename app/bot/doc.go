// Package bot is the heart of the house: it looks at the board, has the rules decide,
// claims, acts, confirms and records, for one account.
//
// On the way through the house it stands in the middle. In front of it is the portal,
// behind it are the records; both come in as the small interfaces of this package. What
// it promises:
//
//   - Nothing is posted without a claim that is safely stored.
//   - An outcome is what the portal shows afterwards, never what it answered.
//   - A second try is made only after a look has shown the job still free.
//   - A record that cannot be stored is kept and stored later, in order.
//
// One goroutine, [Bot.Run], owns everything that changes. It never blocks on the portal
// or the records: while one of them is asked, it serves the user's commands, so that a
// stop takes effect in the middle of a request.
package bot
