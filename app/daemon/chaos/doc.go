// Package chaos breaks everything that the program depends on, and watches what it
// does: the real binary, a real PostgreSQL and a real Redis behind a fault proxy, and
// the practice portal with its ground truth. It stands outside the house and is run by
// make chaos; its table of faults and figures stands in the README.
//
// All of it happens on the loopback. Every server is a private one in a temporary
// folder, and ends with the test.
package chaos
