// Package api is the JSON API and its description: what the house did, does and shall
// do, for scripts, for the dashboard's own code and for the predecessor's clients.
//
// It stands at the edge of the way through the house. A request is named, its sender
// recognised, its body read and held against the schema; then one handler asks the room
// that knows the answer, through one of the small interfaces in needs.go. Everything that
// goes wrong leaves as a problem document (RFC 9457), and nothing of our insides with it.
package api
