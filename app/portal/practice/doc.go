// Package practice is the practice portal: a stand-in for the interpreters' portal,
// with every page that the real one is known to have. It stands outside the house, at
// the far end of the way through it: package portal reads from it and posts to it as it
// would to the real one, and knows no difference. Nothing but the demo, the command
// practice-portal and the tests comes in here.
//
// A [Scenario] says what happens, as data: which jobs come when, which of them rivals
// take, when the session ends, how slow each page is and which [Fault] befalls it. What
// is left to chance is drawn from the scenario's seed and the number of the job, so the
// same scenario goes the same way however the requests fall.
//
// A [Portal] also keeps the ground truth: what was listed when, who has it now, and
// every request that tried to change it, whether or not it was answered. [Portal.Truth]
// gives it to tests, [Portal.Control] over HTTP to people and other programs.
//
// Nothing here runs by itself: time passes when somebody asks, up to the moment of the
// question. [Portal.Start] adds the one goroutine that lets time pass without questions.
package practice
