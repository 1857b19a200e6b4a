package health

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
)

// Explain says in words what an error of the network or the disk means. What it does
// not know it calls a failure and no more: an error's own text may name hosts.
func Explain(err error) Problem {
	if known, ok := errors.AsType[*Known](err); ok {
		return known.Problem
	}
	for _, known := range []struct {
		err     error
		problem Problem
	}{
		{syscall.ECONNREFUSED, Problem{"connection refused", "Start the server, or correct its address and port."}},
		{syscall.ECONNRESET, Problem{"connection reset", "Look into the server's log: it closes connections."}},
		{syscall.EPIPE, Problem{"connection closed", "Look into the server's log: it closes connections."}},
		{syscall.EHOSTUNREACH, Problem{"no route to the host", "Check the network between here and the server."}},
		{syscall.ENETUNREACH, Problem{"network unreachable", "Check the network of this machine."}},
		{syscall.ENOSPC, Problem{"disk full", "Make room on the disk of the data folder."}},
		{syscall.EDQUOT, Problem{"disk full", "Make room on the disk of the data folder."}},
		{syscall.EROFS, Problem{"read-only file system", "Make the data folder writable."}},
		{syscall.EMFILE, Problem{"too many open files", "Raise the limit of open files."}},
		{os.ErrPermission, Problem{"permission denied", "Let the program read and write its data folder."}},
	} {
		if errors.Is(err, known.err) {
			return known.problem
		}
	}
	if name, ok := errors.AsType[*net.DNSError](err); ok && !name.IsTimeout {
		return Problem{"name not resolved", "Check the host's name in the address, and the name server."}
	}
	if isTLS(err) {
		return Problem{"TLS failed", "Check the server's certificate and the TLS options of the address."}
	}
	if timeout, ok := errors.AsType[net.Error](err); errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || ok && timeout.Timeout() {
		return Problem{"no answer in time", "See whether the server hangs, or the network drops packets."}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return Problem{"connection closed", "Look into the server's log: it closes connections."}
	}
	return Problem{"failed", "The log has the error."}
}

// Known is an error whose words are already known to be fit for strangers.
type Known struct {
	Problem
	Err error
}

// Error gives the words and, for the log, the cause.
func (k *Known) Error() string {
	if k.Err != nil {
		return k.Words + ": " + k.Err.Error()
	}
	return k.Words
}

// Unwrap gives the cause.
func (k *Known) Unwrap() error { return k.Err }

func isTLS(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.AlertError](err); ok {
		return true
	}
	// Drivers refuse a server without TLS with a plain error.
	return err != nil && (strings.Contains(err.Error(), "tls error") || strings.Contains(err.Error(), "refused TLS connection"))
}
