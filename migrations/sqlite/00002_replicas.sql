-- What several processes need of each other, and what waits to be carried over.

-- +goose Up
CREATE TABLE atozbot_leases (
    account_id TEXT NOT NULL PRIMARY KEY,
    holder     TEXT NOT NULL,
    -- Grows each time the lease changes hands, and fences who had it before.
    epoch      INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE atozbot_replicas (
    id         TEXT NOT NULL PRIMARY KEY,
    started_ms INTEGER NOT NULL,
    seen_ms    INTEGER NOT NULL,
    version    TEXT NOT NULL
) STRICT;

-- What a user asked of the bot at a replica that does not run it.
CREATE TABLE atozbot_wishes (
    id         TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL,
    kind       TEXT NOT NULL,
    number     TEXT NOT NULL,
    made_ms    INTEGER NOT NULL
) STRICT;
CREATE INDEX atozbot_wishes_waiting ON atozbot_wishes (account_id, made_ms, id);

-- The journal: what is safe on this machine and not yet in the shared database.
CREATE TABLE atozbot_journal_entries (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT NOT NULL,
    kind       TEXT NOT NULL,
    payload    TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    tries      INTEGER NOT NULL DEFAULT 0,
    -- Why it cannot be carried over, where waiting does not mend it; it is kept.
    parked     TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX atozbot_journal_entries_id ON atozbot_journal_entries (id);

-- +goose Down
DROP TABLE atozbot_journal_entries;
DROP TABLE atozbot_wishes;
DROP TABLE atozbot_replicas;
DROP TABLE atozbot_leases;
