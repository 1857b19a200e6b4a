package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/atozbot/atozbot/app"
)

// LeaseTime is how long a lease lasts that is not renewed. The holder renews it several
// times in this time; after it, another replica can take it.
const LeaseTime = 10 * time.Second

// Acquire takes the account's lease for holder where nobody has it, its time is over, or
// holder itself has it, which fences off whoever used it before. It says whether it was
// taken, and gives the lease as it is then.
func (s *Store) Acquire(ctx context.Context, accountID, holder string, now time.Time) (app.Lease, bool, error) {
	lease := app.Lease{AccountID: accountID}
	var taken bool
	err := s.writing(ctx, "take the lease", func(ctx context.Context, tx *sql.Tx) error {
		row := tx.QueryRowContext(ctx, `INSERT INTO atozbot_leases (account_id, holder, epoch, expires_ms) VALUES ($1, $2, 1, $3)
			ON CONFLICT (account_id) DO UPDATE SET holder = excluded.holder, epoch = atozbot_leases.epoch + 1, expires_ms = excluded.expires_ms
			WHERE atozbot_leases.expires_ms <= $4 OR atozbot_leases.holder = excluded.holder
			RETURNING holder, epoch, expires_ms`, accountID, clean(holder), now.Add(LeaseTime).UnixMilli(), now.UnixMilli())
		err := row.Scan(&lease.Holder, &lease.Epoch, stamp{&lease.ExpiresAt})
		taken = err == nil
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		lease, err = leaseOf(ctx, tx, accountID)
		return err
	})
	return lease, taken && err == nil, err
}

// Renew prolongs a lease; CodeConflict where another has taken it since.
func (s *Store) Renew(ctx context.Context, l app.Lease, now time.Time) (app.Lease, error) {
	err := s.writing(ctx, "renew the lease", func(ctx context.Context, tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `UPDATE atozbot_leases SET expires_ms = $4
			WHERE account_id = $1 AND holder = $2 AND epoch = $3 RETURNING expires_ms`,
			l.AccountID, clean(l.Holder), l.Epoch, now.Add(LeaseTime).UnixMilli()).Scan(stamp{&l.ExpiresAt})
		if errors.Is(err, sql.ErrNoRows) {
			return app.Errorf(app.CodeConflict, "Another replica runs this account now.")
		}
		return err
	})
	return l, err
}

// Release gives a lease back, so that another can take it at once. Where it was lost
// already, nothing happens.
func (s *Store) Release(ctx context.Context, l app.Lease) error {
	return s.writing(ctx, "give the lease back", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE atozbot_leases SET expires_ms = 0 WHERE account_id = $1 AND holder = $2 AND epoch = $3`,
			l.AccountID, clean(l.Holder), l.Epoch)
		return err
	})
}

// Lease gives the account's lease as it stands in the records; CodeNotFound where there
// never was one.
func (s *Store) Lease(ctx context.Context, accountID string) (app.Lease, error) {
	var lease app.Lease
	err := s.reading(ctx, "read the lease", func(ctx context.Context, q queryer) (err error) {
		lease, err = leaseOf(ctx, q, accountID)
		return err
	})
	return lease, err
}

func leaseOf(ctx context.Context, q queryer, accountID string) (app.Lease, error) {
	lease := app.Lease{AccountID: accountID}
	err := q.QueryRowContext(ctx, `SELECT holder, epoch, expires_ms FROM atozbot_leases WHERE account_id = $1`, accountID).
		Scan(&lease.Holder, &lease.Epoch, stamp{&lease.ExpiresAt})
	return lease, err
}

// MayAct says why nothing may be posted now: nil, as long as this database can be used.
func (s *Store) MayAct(context.Context, string) error { return nil }

// Replica is one process that shares the database.
type Replica struct {
	ID        string
	Version   string // Of the program.
	StartedAt time.Time
	SeenAt    time.Time
}

// Here notes that a replica is alive. It is meant to be called every few seconds, and so
// also shows that the database can be written to.
func (s *Store) Here(ctx context.Context, r Replica) error {
	return s.writing(ctx, "note that this replica is alive", func(ctx context.Context, tx *sql.Tx) error {
		return putReplica(ctx, tx, r)
	})
}

func putReplica(ctx context.Context, tx *sql.Tx, r Replica) error {
	t := table{name: "atozbot_replicas", key: []string{"id"}, columns: []string{"id", "started_ms", "seen_ms", "version"}}
	return t.upsert(ctx, tx, [][]any{{clean(r.ID), mustMS(r.StartedAt), mustMS(r.SeenAt), clean(r.Version)}})
}

// Gone notes that a replica ended in order: nobody has to wait for it.
func (s *Store) Gone(ctx context.Context, id string) error {
	return s.writing(ctx, "note that this replica ends", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM atozbot_replicas WHERE id = $1`, clean(id))
		return err
	})
}

// Replicas lists those seen since a time.
func (s *Store) Replicas(ctx context.Context, since time.Time) ([]Replica, error) {
	var found []Replica
	err := s.reading(ctx, "list replicas", func(ctx context.Context, q queryer) (err error) {
		found, err = replicasSince(ctx, q, since)
		return err
	})
	return found, err
}

func replicasSince(ctx context.Context, q queryer, since time.Time) ([]Replica, error) {
	var found []Replica
	err := each(ctx, q, `SELECT id, version, started_ms, seen_ms FROM atozbot_replicas WHERE seen_ms >= $1 ORDER BY id`,
		[]any{since.UnixMilli()}, func(rows *sql.Rows) error {
			var r Replica
			err := rows.Scan(&r.ID, &r.Version, stamp{&r.StartedAt}, stamp{&r.SeenAt})
			found = append(found, r)
			return err
		})
	return found, err
}
