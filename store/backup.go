package store

import (
	"bufio"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
)

// A backup is JSON, a line a row, compressed with gzip: a head, the rows of one table
// after the other, and an end that says how many there were. It holds no secret: neither
// users, tokens and sign-ins nor what is sealed. The addresses of calendars and channels
// are among those.
const (
	backupFormat  = "atozbot backup"
	backupVersion = 1
)

type backupLine struct {
	// Of the head.
	Format  string    `json:"format,omitempty"`
	Version int       `json:"version,omitempty"`
	Schema  int64     `json:"schema,omitempty"`
	MadeAt  time.Time `json:"made_at,omitzero"`
	// Of a row: the columns are named once, in the first row of each table.
	Table   string   `json:"table,omitempty"`
	Columns []string `json:"columns,omitempty"`
	Row     []any    `json:"row,omitempty"`
	// Of the end.
	Rows *int64 `json:"rows,omitempty"`
}

// backedUp lists the tables of a backup, in an order in which they can be restored.
func backedUp() []table {
	return []table{
		{name: "atozbot_accounts", key: []string{"id"}, columns: []string{"id", "name", "revision", "created_ms", "updated_ms"}},
		sessionTable(), jobTable(), claimTable(), decisionTable(), eventTable(), configurationTable(), logTable(), periodTable(),
		{name: "atozbot_rollups", columns: append([]string{"account_id", "source", "grain", "start_ms", "dimension", "value", "uptime_ms"}, countColumns()...)},
		{name: "atozbot_event_counter", key: []string{"id"}, columns: []string{"id", "last_id"}},
		auditTable(), calendars().rows(), channels().rows(),
		{name: "atozbot_imports", columns: []string{"origin", "source_id", "target_id", "imported_ms"}},
	}
}

// isBool names the columns that are BOOLEAN in PostgreSQL and 0 or 1 in SQLite.
func isBool(column string) bool {
	return slices.Contains([]string{"paused", "interrupted", "reached", "enabled"}, column)
}

// Backup writes everything but secrets, as it is at one moment, and says how many rows
// there were. The memory that it needs does not grow with the database.
func (s *Store) Backup(ctx context.Context, to io.Writer, now time.Time) (int64, error) {
	schema, err := s.Version(ctx)
	if err != nil {
		return 0, err
	}
	packed := gzip.NewWriter(to)
	buffered := bufio.NewWriterSize(packed, 64<<10)
	lines := json.NewEncoder(buffered)
	lines.SetEscapeHTML(false)
	if err := lines.Encode(backupLine{Format: backupFormat, Version: backupVersion, Schema: schema, MadeAt: now.UTC()}); err != nil {
		return 0, err
	}
	tx, err := s.base().pools.read.BeginTx(ctx, &sql.TxOptions{Isolation: s.base().dialect.snapshot, ReadOnly: s.base().dialect.snapshot != 0})
	if err != nil {
		return 0, s.failed(ctx, "begin a backup", err)
	}
	defer func() { _ = tx.Rollback() }() // Nothing was changed.
	var total int64
	for _, t := range backedUp() {
		n, err := backUpTable(ctx, tx, t, lines)
		total += n
		if err != nil {
			return total, s.failed(ctx, "back up "+t.name, err)
		}
	}
	return total, errors.Join(lines.Encode(backupLine{Rows: &total}), buffered.Flush(), packed.Close())
}

func backUpTable(ctx context.Context, tx *sql.Tx, t table, lines *json.Encoder) (int64, error) {
	var n int64
	err := each(ctx, tx, "SELECT "+strings.Join(t.columns, ", ")+" FROM "+t.name, nil, func(rows *sql.Rows) error {
		values := make([]any, len(t.columns))
		into := make([]any, len(values))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i, column := range t.columns {
			values[i] = portable(column, values[i])
		}
		line := backupLine{Table: t.name, Row: values}
		if n == 0 {
			line.Columns = t.columns
		}
		n++
		return lines.Encode(line)
	})
	return n, err
}

// portable gives a value as it is written, the same from both databases.
func portable(column string, value any) any {
	switch v := value.(type) {
	case int64:
		if isBool(column) {
			return v != 0
		}
	case []byte:
		return string(v)
	}
	return value
}

// BackupTo writes a backup to a file that is either whole or not there, and that nobody
// else can read.
func (s *Store) BackupTo(ctx context.Context, path string, now time.Time) (rows int64, err error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	rows, err = s.Backup(ctx, file, now)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return rows, err
	}
	return rows, os.Rename(file.Name(), path)
}

// Restore puts a backup in the place of what this database holds, whole or not at all,
// and says how many rows there were. Users, tokens, sign-ins and secrets stay as they
// are, and so does the audit log, which is only added to. A SQLite file is copied before.
//
// CodeConflict: a bot runs on this database. CodeInvalid: it is no backup, a damaged one,
// or one of a newer version.
func (s *Store) Restore(ctx context.Context, from io.Reader, now time.Time) (int64, error) {
	packed, err := gzip.NewReader(from)
	if err != nil {
		return 0, badBackup("it is no backup", err)
	}
	lines := json.NewDecoder(bufio.NewReaderSize(packed, 64<<10))
	lines.UseNumber()
	if err := s.checkHead(lines); err != nil {
		return 0, err
	}
	if err := s.backUpBefore(ctx, "restore"); err != nil {
		return 0, err
	}
	var rows int64
	err = s.writingLong(ctx, "restore a backup", func(ctx context.Context, tx *sql.Tx) (err error) {
		if err := noBotRuns(ctx, tx, now); err != nil {
			return err
		}
		if err := s.emptyForRestore(ctx, tx); err != nil {
			return err
		}
		rows, err = restoreRows(ctx, tx, lines)
		return err
	})
	return rows, err
}

func badBackup(what string, err error) *app.Error {
	return &app.Error{Code: app.CodeInvalid, Message: "The file cannot be restored: " + what + ".", Err: err}
}

func (s *Store) checkHead(lines *json.Decoder) error {
	var head backupLine
	if err := lines.Decode(&head); err != nil || head.Format != backupFormat {
		return badBackup("it is no backup", err)
	}
	known, err := s.known()
	if err != nil {
		return err
	}
	if head.Version > backupVersion || head.Schema > known[len(known)-1].Version {
		return badBackup("it was made by a newer version of the program", nil)
	}
	return nil
}

func noBotRuns(ctx context.Context, q queryer, now time.Time) error {
	var held int
	if err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM atozbot_leases WHERE expires_ms > $1`, now.UnixMilli()).Scan(&held); err != nil {
		return err
	}
	if held > 0 {
		return app.Errorf(app.CodeConflict, "A bot runs on this database: stop it first, or wait a moment if it has just ended.")
	}
	return nil
}

// emptyForRestore takes out what a backup brings. Children go before their parents.
func (s *Store) emptyForRestore(ctx context.Context, tx *sql.Tx) error {
	tables := backedUp()
	slices.Reverse(tables)
	for _, t := range tables {
		if t.name == auditTable().name || t.name == "atozbot_event_counter" {
			continue
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM `+t.name); err != nil {
			return err
		}
	}
	return nil
}

// restoredAtOnce is how many rows are gathered before they are written.
const restoredAtOnce = 256

// restoreRows writes every row, and holds the end against their number.
func restoreRows(ctx context.Context, tx *sql.Tx, lines *json.Decoder) (int64, error) {
	known := make(map[string]table)
	for _, t := range backedUp() {
		known[t.name] = t
	}
	var total int64
	var current table
	var batch [][]any
	flush := func() error {
		rows := batch
		batch = nil
		return putRestored(ctx, tx, current, rows)
	}
	for {
		var line backupLine
		if err := lines.Decode(&line); err != nil {
			return total, badBackup("it ends too early, or is damaged", err)
		}
		if line.Rows != nil {
			if *line.Rows != total {
				return total, badBackup(fmt.Sprintf("it says that it has %d rows, and has %d", *line.Rows, total), nil)
			}
			// Only the end of the file holds the sum that says whether all of it is as it was written.
			if err := lines.Decode(&line); !errors.Is(err, io.EOF) {
				return total, badBackup("it does not end where it should, or is damaged", err)
			}
			return total, flush()
		}
		if line.Table != current.name || len(batch) >= restoredAtOnce {
			if err := flush(); err != nil {
				return total, err
			}
		}
		if line.Table != current.name {
			next, ok := known[line.Table]
			if !ok || !subset(line.Columns, next.columns) {
				return total, badBackup("it has a table or column that this version does not know", nil)
			}
			current = table{name: next.name, key: next.key, columns: line.Columns}
		}
		row, err := restoredRow(current, line.Row)
		if err != nil {
			return total, err
		}
		batch = append(batch, row)
		total++
	}
}

func subset(some, all []string) bool {
	for _, s := range some {
		if !slices.Contains(all, s) {
			return false
		}
	}
	return len(some) > 0
}

// restoredRow gives a row's values as the database takes them.
func restoredRow(t table, values []any) ([]any, error) {
	if len(values) != len(t.columns) {
		return nil, badBackup("a row of "+t.name+" has too many values, or too few", nil)
	}
	row := make([]any, len(values))
	for i, value := range values {
		switch v := value.(type) {
		case json.Number:
			whole, err := v.Int64()
			if err == nil && t.columns[i] != "acceptance_rate" {
				row[i] = whole
				continue
			}
			if row[i], err = v.Float64(); err != nil {
				return nil, badBackup("a number of "+t.name+" is none", err)
			}
		case string:
			row[i] = clean(v)
		case bool, nil:
			row[i] = v
		default:
			return nil, badBackup("a value of "+t.name+" is of a kind that no column has", nil)
		}
	}
	return row, nil
}

func putRestored(ctx context.Context, tx *sql.Tx, t table, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	if t.name == "atozbot_event_counter" { // It never goes back: ids are not given twice.
		return t.write(ctx, tx, rows, ` ON CONFLICT (id) DO UPDATE SET last_id = excluded.last_id WHERE excluded.last_id > atozbot_event_counter.last_id`)
	}
	return t.add(ctx, tx, rows)
}
