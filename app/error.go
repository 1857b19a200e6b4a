package app

import (
	"errors"
	"fmt"
	"time"
)

// Code says in one word what went wrong, for machines.
type Code string

// The codes of [Error]. An error without one is an internal error: its text goes to
// the log and never to a client.
const (
	CodeInvalid      Code = "invalid"      // The caller sent what cannot be accepted; Fields names it.
	CodeNotFound     Code = "not_found"    // There is no such thing.
	CodeConflict     Code = "conflict"     // It contradicts what is already so: a claim taken, a bot running.
	CodeUnauthorized Code = "unauthorized" // Nobody is signed in.
	CodeForbidden    Code = "forbidden"    // Somebody is, but may not do this.
	CodeRateLimited  Code = "rate_limited" // Too many tries; RetryAfter says when to come back.
	CodeUnavailable  Code = "unavailable"  // A dependency is away; RetryAfter says when to try again.
	CodeInternal     Code = "internal"     // A fault of ours.
)

// Error is an error with a code for machines and a sentence for people.
type Error struct {
	Code       Code
	Message    string            // A sentence that may be shown to anyone.
	Fields     map[string]string // Field name to what is wrong with it; for CodeInvalid.
	RetryAfter time.Duration     // Zero where nothing is known of it.
	Err        error             // The cause, for the log only; may be nil.
}

// Error gives the sentence and, for the log, the cause.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an [Error] with a formatted sentence and no cause.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// CodeOf gives the code of the first [Error] in err's chain, [CodeInternal] where there
// is none, and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeInternal
}
