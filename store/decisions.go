package store

import (
	"context"
	"database/sql"
	"strings"

	"github.com/atozbot/atozbot/app"
)

func decisionTable() table {
	return table{name: "atozbot_decisions", key: []string{"id"}, columns: []string{
		"id", "account_id", "number", "rules_version", "verdict", "reason", "rule", "checks", "decided_ms", "repeats", "starts_ms", "ends_ms",
	}}
}

// saveDecisions stores decisions; of one that is stored already only the number of its
// repeats can grow.
func saveDecisions(ctx context.Context, tx *sql.Tx, accountID string, decisions []app.Decision) error {
	byID := make(map[string]int)
	var rows [][]any
	for _, d := range decisions {
		if d.Checks == nil {
			d.Checks = []app.Check{}
		}
		checks, err := toJSON(d.Checks)
		if err != nil {
			return err
		}
		row := []any{
			d.ID, accountID, clean(d.Number), d.RulesVersion, string(d.Verdict), clean(d.Reason), clean(d.Rule), checks,
			mustMS(d.DecidedAt), d.Repeats, toMS(d.StartsAt), toMS(d.EndsAt),
		}
		if i, again := byID[d.ID]; again { // One statement may not meet a row twice.
			rows[i] = row
			continue
		}
		byID[d.ID] = len(rows)
		rows = append(rows, row)
	}
	return decisionTable().write(ctx, tx, rows,
		" ON CONFLICT (id) DO UPDATE SET repeats = excluded.repeats WHERE excluded.repeats > atozbot_decisions.repeats")
}

func decisionsOf(ctx context.Context, q queryer, accountID, number string) ([]app.Decision, error) {
	var found []app.Decision
	query := "SELECT " + strings.Join(decisionTable().columns, ", ") + " FROM atozbot_decisions WHERE account_id = $1 AND number = $2 ORDER BY decided_ms DESC, id DESC"
	err := each(ctx, q, query, []any{accountID, number}, func(rows *sql.Rows) error {
		var d app.Decision
		err := rows.Scan(&d.ID, &d.AccountID, &d.Number, &d.RulesVersion, &d.Verdict, &d.Reason, &d.Rule, jsonText{&d.Checks},
			stamp{&d.DecidedAt}, &d.Repeats, stamp{&d.StartsAt}, stamp{&d.EndsAt})
		found = append(found, d)
		return err
	})
	return found, err
}

// Decisions gives every decision on a job, newest first.
func (s *Store) Decisions(ctx context.Context, accountID, number string) ([]app.Decision, error) {
	var found []app.Decision
	err := s.reading(ctx, "read decisions", func(ctx context.Context, q queryer) (err error) {
		found, err = decisionsOf(ctx, q, accountID, clean(number))
		return err
	})
	return found, err
}
