package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/atozbot/atozbot/app"
)

func configurationTable() table {
	return table{name: "atozbot_configurations", key: []string{"id"}, columns: []string{
		"id", "account_id", "version", "restores", "name", "author", "body", "created_ms",
	}}
}

const selectConfigurations = `SELECT id, version, coalesce(restores, 0), body, author, created_ms FROM atozbot_configurations `

// savedConfiguration is one version with what does not belong to its content.
type savedConfiguration struct {
	app.Configuration
	id       string
	restores int64 // The version that it brought back; 0 for one of its own.
}

// origin is the version whose content this is.
func (c savedConfiguration) origin() int64 {
	if c.restores > 0 {
		return c.restores
	}
	return c.Version
}

func scanConfiguration(scan func(...any) error) (savedConfiguration, error) {
	// What an older version did not know yet has its default.
	c := savedConfiguration{Configuration: app.DefaultConfiguration()}
	var version int64
	var author string
	var created time.Time
	err := scan(&c.id, &version, &c.restores, jsonText{&c.Configuration}, &author, stamp{&created})
	c.Version, c.Author, c.CreatedAt, c.UpdatedAt, c.IsActive = version, author, created, created, false
	return c, err
}

// Configuration gives the active version; CodeNotFound before the first start.
func (s *Store) Configuration(ctx context.Context, accountID string) (app.Configuration, error) {
	var active savedConfiguration
	err := s.reading(ctx, "read the configuration", func(ctx context.Context, q queryer) (err error) {
		active, err = activeConfiguration(ctx, q, accountID)
		return err
	})
	return active.Configuration, err
}

func activeConfiguration(ctx context.Context, q queryer, accountID string) (savedConfiguration, error) {
	c, err := scanConfiguration(q.QueryRowContext(ctx, selectConfigurations+`WHERE account_id = $1 ORDER BY version DESC LIMIT 1`, accountID).Scan)
	c.IsActive = true
	return c, err
}

// ConfigurationVersion gives the number of the active version, which costs less than
// reading it; 0 before the first start.
func (s *Store) ConfigurationVersion(ctx context.Context, accountID string) (int64, error) {
	var version int64
	err := s.reading(ctx, "read the configuration's version", func(ctx context.Context, q queryer) error {
		return q.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM atozbot_configurations WHERE account_id = $1`, accountID).Scan(&version)
	})
	return version, err
}

// EnsureConfiguration stores first as version 1 where the account has none, and gives
// the active one.
func (s *Store) EnsureConfiguration(ctx context.Context, accountID string, first app.Configuration, author string, now time.Time) (app.Configuration, error) {
	var active savedConfiguration
	err := s.writing(ctx, "store the first configuration", func(ctx context.Context, tx *sql.Tx) error {
		if err := s.lockAccount(ctx, tx, accountID, now); err != nil {
			return err
		}
		var err error
		if active, err = activeConfiguration(ctx, tx, accountID); !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		active = savedConfiguration{Configuration: first, id: app.NewID(now)}
		return s.addConfiguration(ctx, tx, accountID, &active, 1, author, now)
	})
	return active.Configuration, err
}

// SaveConfiguration stores c as a new version that is in force at once, together with
// events, and gives it as it is stored. CodeConflict where the active version is no
// longer c.Version: somebody else saved meanwhile.
func (s *Store) SaveConfiguration(ctx context.Context, accountID string, c app.Configuration, author string, now time.Time, events ...app.Event) (app.Configuration, error) {
	return s.changeConfiguration(ctx, accountID, author, now, events, func(ctx context.Context, tx *sql.Tx, active savedConfiguration) (savedConfiguration, error) {
		if c.Version != active.Version {
			return savedConfiguration{}, app.Errorf(app.CodeConflict, "Somebody else has saved version %d meanwhile; yours began from version %d.", active.Version, c.Version)
		}
		return savedConfiguration{Configuration: c}, nil
	})
}

// UndoConfiguration brings back what was in force before the active version, as a new
// version. Asked again it goes back further. CodeConflict where there is nothing before.
func (s *Store) UndoConfiguration(ctx context.Context, accountID, author string, now time.Time, events ...app.Event) (app.Configuration, error) {
	return s.changeConfiguration(ctx, accountID, author, now, events, func(ctx context.Context, tx *sql.Tx, active savedConfiguration) (savedConfiguration, error) {
		before, err := scanConfiguration(tx.QueryRowContext(ctx, selectConfigurations+
			`WHERE account_id = $1 AND version = $2`, accountID, active.origin()-1).Scan)
		if errors.Is(err, sql.ErrNoRows) {
			return before, app.Errorf(app.CodeConflict, "There is no version before this one.")
		}
		before.restores = before.origin()
		return before, err
	})
}

// changeConfiguration stores what next makes of the active version, as the version after it.
func (s *Store) changeConfiguration(ctx context.Context, accountID, author string, now time.Time, events []app.Event,
	next func(ctx context.Context, tx *sql.Tx, active savedConfiguration) (savedConfiguration, error),
) (app.Configuration, error) {
	events = completed(app.Record{AccountID: accountID, At: now, Events: events}).Events
	var saved savedConfiguration
	var told []app.Event
	id := app.NewID(now)
	err := s.writing(ctx, "store the configuration", func(ctx context.Context, tx *sql.Tx) error {
		if err := s.lockAccount(ctx, tx, accountID, now); err != nil {
			return err
		}
		active, err := activeConfiguration(ctx, tx, accountID)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if saved, err = next(ctx, tx, active); err != nil {
			return err
		}
		saved.id = id
		if err := s.addConfiguration(ctx, tx, accountID, &saved, active.Version+1, author, now); err != nil {
			return err
		}
		// What the program began with is not kept: only what a person saved is carried over.
		if s.base().keepEntries {
			if err := keepConfiguration(ctx, tx, accountID, saved); err != nil {
				return err
			}
		}
		told, err = s.saveEvents(ctx, tx, events)
		return err
	})
	if err != nil {
		return app.Configuration{}, err
	}
	s.tell(told, false)
	return saved.Configuration, nil
}

// addConfiguration writes one version, and completes it with what it is stored as.
func (s *Store) addConfiguration(ctx context.Context, tx *sql.Tx, accountID string, c *savedConfiguration, version int64, author string, now time.Time) error {
	c.Version, c.Author, c.IsActive = version, author, true
	c.CreatedAt, c.UpdatedAt = fromMS(now.UnixMilli()), fromMS(now.UnixMilli())
	body, err := toJSON(c.Configuration)
	if err != nil {
		return fmt.Errorf("the configuration as JSON: %w", err)
	}
	var restores any
	if c.restores > 0 {
		restores = c.restores
	}
	row := []any{c.id, accountID, version, restores, clean(c.ConfigName), clean(author), body, now.UnixMilli()}
	return configurationTable().add(ctx, tx, [][]any{row})
}

// Configurations lists the versions, newest first.
func (s *Store) Configurations(ctx context.Context, accountID string, w Window) (Page[app.Configuration], error) {
	var page Page[app.Configuration]
	c := &conditions{}
	where := c.and("account_id = " + c.arg(accountID))
	if w.Cursor != "" {
		before, _, err := readCursor(w.Cursor)
		if err != nil {
			return page, err
		}
		c.and("version < " + c.arg(before))
	}
	err := s.reading(ctx, "list configurations", func(ctx context.Context, q queryer) error {
		page = Page[app.Configuration]{}
		var newest int64
		if err := q.QueryRowContext(ctx, `SELECT COUNT(*), coalesce(max(version), 0) FROM atozbot_configurations WHERE account_id = $1`, accountID).
			Scan(&page.Total, &newest); err != nil {
			return err
		}
		err := each(ctx, q, selectConfigurations+where.text()+w.order("version"), where.args, func(rows *sql.Rows) error {
			c, err := scanConfiguration(rows.Scan)
			c.IsActive = c.Version == newest
			page.Items = append(page.Items, c.Configuration)
			return err
		})
		page.cut(w, func(c app.Configuration) (int64, string) { return c.Version, "" })
		return err
	})
	return page, err
}
