//go:build !unix

package storetest

import (
	"errors"
	"testing"
)

// PostgresServer is not started on this system: set ATOZBOT_TEST_DATABASE_URL.
type PostgresServer struct{}

// StartPostgres always fails.
func StartPostgres() (*PostgresServer, error) {
	return nil, errors.New("no server is started on this system")
}

// DSN is never asked for.
func (*PostgresServer) DSN() string { return "" }

// Stop does nothing.
func (*PostgresServer) Stop() {}

// Redis skips the test.
func Redis(tb testing.TB) string {
	tb.Helper()
	Missing(tb, "Redis: no server is started on this system")
	return ""
}
