// Package web is the dashboard: the pages a person looks at, and sign-in.
//
// It stands at the very end of the one way through the house. Nothing is decided here:
// the pages show what the bot does and what the records hold, and hand wishes (pause,
// save these rules, accept this job) to whoever carries them out. What it needs of
// others it declares in small interfaces (see needs.go and the file of each page), and
// daemon hands in the concrete values.
//
// Pages are made on the server and work for reading without JavaScript. What is live on
// them is fetched again as a piece of the same page and laid over it, so every sentence
// is made in one place.
package web
