-- The tables that the way from the board to the record needs. Every name begins with
-- atozbot_, so that a database that is shared with another program, or with the
-- predecessor's tables, is neither harmed nor in the way. Times are UTC milliseconds.

-- +goose Up
CREATE TABLE atozbot_schema (
    id             INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    -- The number of the newest migration that a program must know to work with this schema.
    min_compatible INTEGER NOT NULL
) STRICT;
INSERT INTO atozbot_schema (id, min_compatible) VALUES (1, 1);

CREATE TABLE atozbot_meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE atozbot_accounts (
    id         TEXT NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    -- Grows with every change of the account's jobs, claims or sessions.
    revision   INTEGER NOT NULL DEFAULT 0,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX atozbot_accounts_name ON atozbot_accounts (name);

CREATE TABLE atozbot_sessions (
    id             TEXT NOT NULL PRIMARY KEY,
    account_id     TEXT NOT NULL REFERENCES atozbot_accounts (id),
    name           TEXT NOT NULL,
    source         TEXT NOT NULL,
    outside_id     TEXT NOT NULL DEFAULT '',
    status         TEXT NOT NULL,
    login_status   TEXT NOT NULL,
    paused         INTEGER NOT NULL,
    interrupted    INTEGER NOT NULL,
    last_error     TEXT NOT NULL,
    total_checks   INTEGER NOT NULL,
    total_accepted INTEGER NOT NULL,
    total_rejected INTEGER NOT NULL,
    started_ms     INTEGER NOT NULL,
    ended_ms       INTEGER,
    created_ms     INTEGER NOT NULL,
    updated_ms     INTEGER NOT NULL,
    version        INTEGER NOT NULL
) STRICT;
CREATE INDEX atozbot_sessions_started ON atozbot_sessions (started_ms, id);
CREATE INDEX atozbot_sessions_account ON atozbot_sessions (account_id, source, started_ms);
CREATE UNIQUE INDEX atozbot_sessions_outside ON atozbot_sessions (outside_id) WHERE outside_id <> '';

CREATE TABLE atozbot_jobs (
    id               TEXT NOT NULL PRIMARY KEY,
    account_id       TEXT NOT NULL REFERENCES atozbot_accounts (id),
    session_id       TEXT NOT NULL,
    source           TEXT NOT NULL,
    number           TEXT NOT NULL,
    ref              TEXT NOT NULL,
    language         TEXT NOT NULL,
    -- The language without case and accents, for the filter.
    language_key     TEXT NOT NULL,
    -- Everything that the search looks in, without case and accents.
    search           TEXT NOT NULL,
    appointment_date TEXT NOT NULL,
    appointment_time TEXT NOT NULL,
    duration_text    TEXT NOT NULL,
    duration_minutes INTEGER NOT NULL,
    submitted_text   TEXT NOT NULL,
    submitted_ms     INTEGER,
    job_type         TEXT NOT NULL,
    starts_ms        INTEGER,
    ends_ms          INTEGER,
    details_url      TEXT NOT NULL,
    board_row        TEXT NOT NULL,
    status           TEXT NOT NULL,
    verdict          TEXT NOT NULL,
    rejection_reason TEXT NOT NULL,
    rule             TEXT NOT NULL,
    needs_user       TEXT NOT NULL,
    seen_ms          INTEGER NOT NULL,
    last_seen_ms     INTEGER NOT NULL,
    gone_ms          INTEGER,
    vanished_ms      INTEGER,
    sightings        INTEGER NOT NULL,
    listed_ms        INTEGER,
    decided_ms       INTEGER,
    claimed_ms       INTEGER,
    posted_ms        INTEGER,
    confirmed_ms     INTEGER,
    created_ms       INTEGER NOT NULL,
    updated_ms       INTEGER NOT NULL,
    version          INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX atozbot_jobs_number ON atozbot_jobs (account_id, number);
CREATE INDEX atozbot_jobs_seen ON atozbot_jobs (seen_ms, id, search);
CREATE INDEX atozbot_jobs_session ON atozbot_jobs (session_id, seen_ms, id);
CREATE INDEX atozbot_jobs_status ON atozbot_jobs (status, seen_ms, id);
CREATE INDEX atozbot_jobs_language ON atozbot_jobs (language_key, seen_ms, id);
CREATE INDEX atozbot_jobs_booked ON atozbot_jobs (account_id, ends_ms) WHERE status = 'accepted';
CREATE INDEX atozbot_jobs_asking ON atozbot_jobs (status, verdict, seen_ms) WHERE status = 'matched' AND verdict = 'ask' AND gone_ms IS NULL;

CREATE TABLE atozbot_claims (
    id            TEXT NOT NULL PRIMARY KEY,
    account_id    TEXT NOT NULL REFERENCES atozbot_accounts (id),
    session_id    TEXT NOT NULL,
    number        TEXT NOT NULL,
    ref           TEXT NOT NULL,
    act           TEXT NOT NULL,
    epoch         INTEGER NOT NULL,
    attempt       INTEGER NOT NULL,
    rules_version INTEGER NOT NULL,
    claimed_ms    INTEGER NOT NULL,
    posted_ms     INTEGER,
    reached       INTEGER NOT NULL,
    outcome       TEXT NOT NULL,
    outcome_ms    INTEGER,
    detail        TEXT NOT NULL,
    starts_ms     INTEGER,
    ends_ms       INTEGER,
    language      TEXT NOT NULL,
    job_type      TEXT NOT NULL,
    version       INTEGER NOT NULL
) STRICT;
-- The heart of it: one row for each account, job and act.
CREATE UNIQUE INDEX atozbot_claims_act ON atozbot_claims (account_id, number, act);
CREATE INDEX atozbot_claims_unsettled ON atozbot_claims (account_id, claimed_ms) WHERE outcome IN ('', 'unknown');
CREATE INDEX atozbot_claims_taken ON atozbot_claims (account_id, ends_ms) WHERE act = 'accept' AND outcome IN ('', 'unknown', 'accepted');
CREATE INDEX atozbot_claims_session ON atozbot_claims (session_id, act, outcome);
CREATE INDEX atozbot_claims_claimed ON atozbot_claims (account_id, claimed_ms);

CREATE TABLE atozbot_decisions (
    id            TEXT NOT NULL PRIMARY KEY,
    account_id    TEXT NOT NULL,
    number        TEXT NOT NULL,
    rules_version INTEGER NOT NULL,
    verdict       TEXT NOT NULL,
    reason        TEXT NOT NULL,
    rule          TEXT NOT NULL,
    checks        TEXT NOT NULL,
    decided_ms    INTEGER NOT NULL,
    repeats       INTEGER NOT NULL,
    starts_ms     INTEGER,
    ends_ms       INTEGER
) STRICT;
CREATE INDEX atozbot_decisions_job ON atozbot_decisions (account_id, number, decided_ms);

CREATE TABLE atozbot_events (
    id         INTEGER NOT NULL PRIMARY KEY,
    key        TEXT NOT NULL,
    type       TEXT NOT NULL,
    account_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    at_ms      INTEGER NOT NULL,
    data       TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX atozbot_events_key ON atozbot_events (key);
CREATE INDEX atozbot_events_at ON atozbot_events (at_ms);

-- Ids come from this row, whose lock is held until the commit: so they grow in the
-- order of the commits, which a sequence does not promise.
CREATE TABLE atozbot_event_counter (
    id      INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    last_id INTEGER NOT NULL
) STRICT;
INSERT INTO atozbot_event_counter (id, last_id) VALUES (1, 0);

CREATE TABLE atozbot_configurations (
    id         TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES atozbot_accounts (id),
    version    INTEGER NOT NULL,
    -- The version whose content an undo brought back; NULL for a version of its own.
    restores   INTEGER,
    name       TEXT NOT NULL,
    author     TEXT NOT NULL,
    body       TEXT NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX atozbot_configurations_version ON atozbot_configurations (account_id, version);

CREATE TABLE atozbot_log_entries (
    id         TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    level      TEXT NOT NULL,
    message    TEXT NOT NULL,
    component  TEXT NOT NULL,
    at_ms      INTEGER NOT NULL
) STRICT;
CREATE INDEX atozbot_log_entries_at ON atozbot_log_entries (at_ms, id);

CREATE TABLE atozbot_periods (
    id              TEXT NOT NULL PRIMARY KEY,
    account_id      TEXT NOT NULL REFERENCES atozbot_accounts (id),
    source          TEXT NOT NULL,
    start_ms        INTEGER NOT NULL,
    end_ms          INTEGER NOT NULL,
    jobs            INTEGER NOT NULL,
    accepted        INTEGER NOT NULL,
    rejected        INTEGER NOT NULL,
    acceptance_rate REAL NOT NULL,
    common_language TEXT NOT NULL,
    peak_hour       INTEGER,
    uptime_ms       INTEGER NOT NULL,
    created_ms      INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX atozbot_periods_start ON atozbot_periods (account_id, source, start_ms);

-- Jobs counted by what they are, for each hour, each day and all time (start_ms 0), so
-- that figures cost the same however long the history is.
CREATE TABLE atozbot_rollups (
    account_id TEXT NOT NULL,
    source     TEXT NOT NULL,
    grain      TEXT NOT NULL CHECK (grain IN ('hour', 'day', 'all')),
    start_ms   INTEGER NOT NULL,
    dimension  TEXT NOT NULL,
    value      TEXT NOT NULL,
    jobs       INTEGER NOT NULL,
    matched    INTEGER NOT NULL,
    accepted   INTEGER NOT NULL,
    rejected   INTEGER NOT NULL,
    lost       INTEGER NOT NULL,
    refused    INTEGER NOT NULL,
    unknown    INTEGER NOT NULL,
    failed     INTEGER NOT NULL,
    fitting    INTEGER NOT NULL,
    tried      INTEGER NOT NULL,
    uptime_ms  INTEGER NOT NULL,
    PRIMARY KEY (account_id, grain, start_ms, dimension, value, source)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE atozbot_rollups;
DROP TABLE atozbot_periods;
DROP TABLE atozbot_log_entries;
DROP TABLE atozbot_configurations;
DROP TABLE atozbot_event_counter;
DROP TABLE atozbot_events;
DROP TABLE atozbot_decisions;
DROP TABLE atozbot_claims;
DROP TABLE atozbot_jobs;
DROP TABLE atozbot_sessions;
DROP TABLE atozbot_accounts;
DROP TABLE atozbot_meta;
DROP TABLE atozbot_schema;
