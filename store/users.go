package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
)

// User is somebody who may sign in to the dashboard.
type User struct {
	ID           string
	Name         string
	PasswordHash string // Made by whoever checks it; the store does not look into it.
	Settings     string // JSON of the user's own wishes: language, zone, theme.
	CreatedAt    time.Time
	UpdatedAt    time.Time
	LastSignInAt time.Time // Zero: not yet.
	// Version is the one that was read: a change of an older one is refused.
	Version int64
}

func userTable() table {
	return table{name: "atozbot_users", key: []string{"id"}, fixed: []string{"created_ms"}, columns: []string{
		"id", "name", "name_key", "password_hash", "settings", "created_ms", "updated_ms", "last_sign_in_ms", "version",
	}}
}

func userRow(u User) []any {
	return []any{u.ID, clean(u.Name), nameKey(u.Name), u.PasswordHash, clean(orEmptyJSON(u.Settings)), mustMS(u.CreatedAt), mustMS(u.UpdatedAt), toMS(u.LastSignInAt), u.Version}
}

// nameKey is a name as it is compared: without case and surrounding white space.
func nameKey(name string) string {
	return clipped(strings.ToLower(strings.TrimSpace(name)), longestKey)
}

func orEmptyJSON(s string) string {
	if s == "" {
		return "{}"
	}
	return s
}

const selectUsers = `SELECT id, name, password_hash, settings, created_ms, updated_ms, last_sign_in_ms, version FROM atozbot_users `

func scanUser(scan func(...any) error) (User, error) {
	var u User
	err := scan(&u.ID, &u.Name, &u.PasswordHash, &u.Settings, stamp{&u.CreatedAt}, stamp{&u.UpdatedAt}, stamp{&u.LastSignInAt}, &u.Version)
	return u, err
}

// HasUsers tells whether anybody can sign in yet.
func (s *Store) HasUsers(ctx context.Context) (bool, error) {
	var n int
	err := s.reading(ctx, "count users", func(ctx context.Context, q queryer) error {
		return q.QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT 1 AS one FROM atozbot_users LIMIT 1) AS found`).Scan(&n)
	})
	return n > 0, err
}

// Users lists them by name.
func (s *Store) Users(ctx context.Context) ([]User, error) {
	var found []User
	err := s.reading(ctx, "list users", func(ctx context.Context, q queryer) error {
		found = nil
		return each(ctx, q, selectUsers+`ORDER BY name_key`, nil, func(rows *sql.Rows) error {
			u, err := scanUser(rows.Scan)
			found = append(found, u)
			return err
		})
	})
	return found, err
}

// User gives one by id; CodeNotFound.
func (s *Store) User(ctx context.Context, id string) (User, error) {
	return s.oneUser(ctx, `WHERE id = $1`, clean(id))
}

// UserNamed gives one by name, case aside; CodeNotFound.
func (s *Store) UserNamed(ctx context.Context, name string) (User, error) {
	return s.oneUser(ctx, `WHERE name_key = $1`, nameKey(name))
}

func (s *Store) oneUser(ctx context.Context, where string, arg any) (User, error) {
	var u User
	err := s.reading(ctx, "read a user", func(ctx context.Context, q queryer) (err error) {
		u, err = scanUser(q.QueryRowContext(ctx, selectUsers+where, arg).Scan)
		return err
	})
	return u, err
}

// AddUser adds one; CodeConflict where the name is taken.
func (s *Store) AddUser(ctx context.Context, u User) error {
	return s.addUser(ctx, u, func(context.Context, *sql.Tx) error { return nil })
}

// AddFirstUser adds one where there is none yet; CodeConflict where there is. Of several
// that are added at the same moment one wins.
func (s *Store) AddFirstUser(ctx context.Context, u User) error {
	return s.addUser(ctx, u, func(ctx context.Context, tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM atozbot_users`).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return app.Errorf(app.CodeConflict, "Somebody has been set up already.")
		}
		return nil
	})
}

func (s *Store) addUser(ctx context.Context, u User, allowed func(context.Context, *sql.Tx) error) error {
	u.Version = 1
	return s.writing(ctx, "add a user", func(ctx context.Context, tx *sql.Tx) error {
		// Under a lock that all who add users share, so that the check holds until the commit.
		if err := s.lockAccount(ctx, tx, app.DefaultAccountID, u.CreatedAt); err != nil {
			return err
		}
		if err := allowed(ctx, tx); err != nil {
			return err
		}
		var taken int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM atozbot_users WHERE name_key = $1 OR id = $2`, nameKey(u.Name), u.ID).Scan(&taken); err != nil {
			return err
		}
		if taken > 0 {
			return app.Errorf(app.CodeConflict, "There is a user of this name already.")
		}
		return userTable().add(ctx, tx, [][]any{userRow(u)})
	})
}

// SaveUser changes name, password and settings, and gives the user as stored.
// CodeConflict where the name is taken, or where somebody else changed the user since
// u.Version; CodeNotFound.
func (s *Store) SaveUser(ctx context.Context, u User, now time.Time) (User, error) {
	err := s.writing(ctx, "change a user", func(ctx context.Context, tx *sql.Tx) error {
		if err := s.lockAccount(ctx, tx, app.DefaultAccountID, now); err != nil {
			return err
		}
		stored, err := scanUser(tx.QueryRowContext(ctx, selectUsers+`WHERE id = $1`, u.ID).Scan)
		if err != nil {
			return err
		}
		if stored.Version != u.Version {
			return app.Errorf(app.CodeConflict, "Somebody else has changed this user meanwhile.")
		}
		var taken int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM atozbot_users WHERE name_key = $1 AND id <> $2`, nameKey(u.Name), u.ID).Scan(&taken); err != nil {
			return err
		}
		if taken > 0 {
			return app.Errorf(app.CodeConflict, "There is a user of this name already.")
		}
		stored.Name, stored.PasswordHash, stored.Settings = u.Name, u.PasswordHash, u.Settings
		stored.UpdatedAt, stored.Version = fromMS(now.UnixMilli()), stored.Version+1
		u = stored
		return userTable().upsert(ctx, tx, [][]any{userRow(stored)})
	})
	return u, err
}

// SignedIn notes when a user last signed in.
func (s *Store) SignedIn(ctx context.Context, id string, at time.Time) error {
	return s.writing(ctx, "note a sign-in", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE atozbot_users SET last_sign_in_ms = $2 WHERE id = $1`, id, at.UnixMilli())
		return err
	})
}

// DeleteUser does away with a user and every sign-in of theirs; CodeNotFound.
func (s *Store) DeleteUser(ctx context.Context, id string) error {
	return s.writing(ctx, "delete a user", func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM atozbot_sign_ins WHERE user_id = $1`, id); err != nil {
			return err
		}
		return changedOne(tx.ExecContext(ctx, `DELETE FROM atozbot_users WHERE id = $1`, id))
	})
}

// changedOne makes a change of no row the error of a thing that is not there.
func changedOne(result sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		return sql.ErrNoRows
	}
	return err
}
