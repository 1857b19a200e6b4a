package store

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	sqlite "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/atozbot/atozbot/app"
)

// Trouble is what is wrong with a database, in words that hold no host name, address,
// user or password, so that anybody may read them.
type Trouble struct {
	Reason string // "connection refused", "wrong password" …
	Advice string // The one thing to do, as a sentence.
	// Waits says that the trouble can end by itself, without anybody changing a setting,
	// a right or a file: the server is not up yet, is restarting, is full for now. A
	// command that is run by hand ends at once where it is false; a server that runs
	// goes on trying in both cases, since the cause may be mended meanwhile.
	Waits bool
}

// The troubles that are told from each other.
func troubleNamed(reason string) Trouble {
	advice := map[string]Trouble{
		"name not resolved":         {Advice: "Check the host name in DATABASE_URL, and that DNS can be reached.", Waits: true},
		"connection refused":        {Advice: "Start the database, or check the port in DATABASE_URL.", Waits: true},
		"no answer in time":         {Advice: "The database or the network hangs; check both.", Waits: true},
		"connection lost":           {Advice: "The database or the network closed the connection; it is opened anew.", Waits: true},
		"host not reachable":        {Advice: "Check the network between here and the database.", Waits: true},
		"wrong password":            {Advice: "Check user and password in DATABASE_URL.", Waits: false},
		"log-in not allowed":        {Advice: "The server takes no log-in of this user from here; check pg_hba.conf and the user in DATABASE_URL.", Waits: false},
		"no such database":          {Advice: "Create the database that DATABASE_URL names, or mend the name.", Waits: false},
		"TLS failed":                {Advice: "Check sslmode in DATABASE_URL and the server's certificate.", Waits: false},
		"too many connections":      {Advice: "Other programs use all connections; raise max_connections or close some.", Waits: true},
		"read-only":                 {Advice: "The server only reads: a failover is under way, or a replica is addressed.", Waits: true},
		"disk full":                 {Advice: "Make room on the database's disk.", Waits: true},
		"starting up":               {Advice: "The database is starting or recovering; it will be ready by itself.", Waits: true},
		"shutting down":             {Advice: "The database is being stopped or restarted.", Waits: true},
		"out of memory":             {Advice: "The database's machine is short of memory.", Waits: true},
		"permission missing":        {Advice: "Grant the user of DATABASE_URL the right to create and use tables in its schema.", Waits: false},
		"tables missing":            {Advice: "Run `atozbot migrate`.", Waits: true},
		"locked":                    {Advice: "Another process holds the database file for long; find and end it.", Waits: true},
		"file cannot be opened":     {Advice: "Check the path of the database file, and that this user may write there.", Waits: false},
		"file is no database":       {Advice: "The file is not a SQLite database; move it away or name another.", Waits: false},
		"file is damaged":           {Advice: "Restore the file from a backup.", Waits: false},
		"disk error":                {Advice: "The disk with the database file reports errors; check it.", Waits: true},
		"made by a newer version":   {Advice: "Update this program, or point it to another database.", Waits: false},
		"name taken":                {Advice: "Another program has a table of the same name; use a database or a schema of your own.", Waits: false},
		"address not understood":    {Advice: "Mend DATABASE_URL.", Waits: false},
		"the database was closed":   {Advice: "The program is ending.", Waits: false},
		"the request was cancelled": {Advice: "Nothing is wrong with the database.", Waits: true},
	}
	t, ok := advice[reason]
	if !ok {
		t = Trouble{Advice: "See the log for the cause.", Waits: true}
	}
	t.Reason = reason
	return t
}

// Classify says what is wrong where a database gave err. A nil error gives the zero
// Trouble.
func Classify(err error) Trouble {
	if err == nil {
		return Trouble{}
	}
	return troubleNamed(reasonOf(err))
}

// Readable tells whether a database with the trouble of this reason still answers what is
// read.
func Readable(reason string) bool { return reason == "disk full" || reason == "read-only" }

func reasonOf(err error) string {
	if e, ok := errors.AsType[*schemaError](err); ok {
		return e.reason
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return postgresReason(e)
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return sqliteReason(e)
	}
	if errors.Is(err, pgconn.ErrReadOnlyConnection) {
		return "read-only"
	}
	if e, ok := errors.AsType[*app.Error](err); ok && e.Code == app.CodeInvalid {
		return "address not understood"
	}
	return networkReason(err)
}

func postgresReason(e *pgconn.PgError) string {
	switch e.Code {
	case "28P01":
		return "wrong password"
	case "28000":
		return "log-in not allowed"
	case "3D000":
		return "no such database"
	case "53300":
		return "too many connections"
	case "57P03":
		return "starting up"
	case "57P01", "57P02", "57P04":
		return "shutting down"
	case "25006":
		return "read-only"
	case "53100":
		return "disk full"
	case "53200":
		return "out of memory"
	case "42501":
		return "permission missing"
	case "42P01", "3F000":
		return "tables missing"
	case "42P07", "42710":
		return "name taken"
	case "57014", "55P03", "25P03":
		return "no answer in time"
	}
	return "error " + e.Code
}

func sqliteReason(e *sqlite.Error) string {
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return "locked"
	case sqlite3.SQLITE_FULL:
		return "disk full"
	case sqlite3.SQLITE_CANTOPEN:
		return "file cannot be opened"
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
		return "file cannot be opened"
	case sqlite3.SQLITE_NOTADB:
		return "file is no database"
	case sqlite3.SQLITE_CORRUPT:
		return "file is damaged"
	case sqlite3.SQLITE_IOERR:
		return "disk error"
	case sqlite3.SQLITE_NOMEM:
		return "out of memory"
	case sqlite3.SQLITE_INTERRUPT:
		return "no answer in time"
	}
	// SQLite has one code for every fault of a statement.
	switch text := e.Error(); {
	case strings.Contains(text, "no such table"):
		return "tables missing"
	case strings.Contains(text, "already exists"):
		return "name taken"
	}
	return "error of the database file"
}

func networkReason(err error) string {
	_, dns := errors.AsType[*net.DNSError](err)
	switch {
	case isTLS(err):
		return "TLS failed"
	case dns && !errors.Is(err, context.DeadlineExceeded):
		return "name not resolved"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "host not reachable"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "disk full"
	case isTimeout(err):
		return "no answer in time"
	case errors.Is(err, context.Canceled):
		return "the request was cancelled"
	case isBroken(err):
		return "connection lost"
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission), isPath(err):
		return "file cannot be opened"
	case strings.Contains(err.Error(), "sql: database is closed"):
		return "the database was closed"
	}
	return "unexpected error"
}

func isPath(err error) bool {
	_, ok := errors.AsType[*fs.PathError](err)
	return ok
}

func isTLS(err error) bool {
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.AlertError](err); ok {
		return true
	}
	// pgconn has no type for a server that was asked for TLS and has none.
	return strings.Contains(err.Error(), "server refused TLS connection")
}

func isTimeout(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return true
	}
	if e, ok := errors.AsType[net.Error](err); ok {
		return e.Timeout()
	}
	return pgconn.Timeout(err)
}

// isBroken tells whether the connection, and not the statement, is at fault.
func isBroken(err error) bool {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, driver.ErrBadConn) ||
		errors.Is(err, sql.ErrConnDone) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNABORTED) {
		return true
	}
	return pgconn.SafeToRetry(err) && !isTimeout(err)
}

// isOurs tells whether a fault of the program, not the database or the way to it, is at
// the bottom of err: a statement that is none, or a value that cannot be read.
func isOurs(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return strings.HasPrefix(e.Code, "42") && reasonOf(err) == "error "+e.Code
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return false
	}
	reason := reasonOf(err)
	return reason == "unexpected error" || reason == "error of the database file"
}
