-- The tables that the way from the board to the record needs. Every name begins with
-- atozbot_, so that a database that is shared with another program, or with the
-- predecessor's tables, is neither harmed nor in the way. Times are UTC milliseconds.

-- +goose Up
CREATE TABLE atozbot_schema (
    id             BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    -- The number of the newest migration that a program must know to work with this schema.
    min_compatible BIGINT NOT NULL
);
INSERT INTO atozbot_schema (id, min_compatible) VALUES (1, 1);

CREATE TABLE atozbot_meta (
    name  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE atozbot_accounts (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    -- Grows with every change of the account's jobs, claims or sessions.
    revision   BIGINT NOT NULL DEFAULT 0,
    created_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX atozbot_accounts_name ON atozbot_accounts (name);

CREATE TABLE atozbot_sessions (
    id             TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    account_id     TEXT COLLATE "C" NOT NULL REFERENCES atozbot_accounts (id),
    name           TEXT NOT NULL,
    source         TEXT NOT NULL,
    outside_id     TEXT NOT NULL DEFAULT '',
    status         TEXT NOT NULL,
    login_status   TEXT NOT NULL,
    paused         BOOLEAN NOT NULL,
    interrupted    BOOLEAN NOT NULL,
    last_error     TEXT NOT NULL,
    total_checks   BIGINT NOT NULL,
    total_accepted BIGINT NOT NULL,
    total_rejected BIGINT NOT NULL,
    started_ms     BIGINT NOT NULL,
    ended_ms       BIGINT,
    created_ms     BIGINT NOT NULL,
    updated_ms     BIGINT NOT NULL,
    version        BIGINT NOT NULL
);
CREATE INDEX atozbot_sessions_started ON atozbot_sessions (started_ms, id);
CREATE INDEX atozbot_sessions_account ON atozbot_sessions (account_id, source, started_ms);
CREATE UNIQUE INDEX atozbot_sessions_outside ON atozbot_sessions (outside_id) WHERE outside_id <> '';

CREATE TABLE atozbot_jobs (
    id               TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    account_id       TEXT COLLATE "C" NOT NULL REFERENCES atozbot_accounts (id),
    session_id       TEXT COLLATE "C" NOT NULL,
    source           TEXT COLLATE "C" NOT NULL,
    number           TEXT COLLATE "C" NOT NULL,
    ref              TEXT NOT NULL,
    language         TEXT NOT NULL,
    -- The language without case and accents, for the filter.
    language_key     TEXT COLLATE "C" NOT NULL,
    -- Everything that the search looks in, without case and accents.
    search           TEXT COLLATE "C" NOT NULL,
    appointment_date TEXT NOT NULL,
    appointment_time TEXT NOT NULL,
    duration_text    TEXT NOT NULL,
    duration_minutes BIGINT NOT NULL,
    submitted_text   TEXT NOT NULL,
    submitted_ms     BIGINT,
    job_type         TEXT NOT NULL,
    starts_ms        BIGINT,
    ends_ms          BIGINT,
    details_url      TEXT NOT NULL,
    board_row        TEXT NOT NULL,
    status           TEXT COLLATE "C" NOT NULL,
    verdict          TEXT COLLATE "C" NOT NULL,
    rejection_reason TEXT NOT NULL,
    rule             TEXT NOT NULL,
    needs_user       TEXT NOT NULL,
    seen_ms          BIGINT NOT NULL,
    last_seen_ms     BIGINT NOT NULL,
    gone_ms          BIGINT,
    vanished_ms      BIGINT,
    sightings        BIGINT NOT NULL,
    listed_ms        BIGINT,
    decided_ms       BIGINT,
    claimed_ms       BIGINT,
    posted_ms        BIGINT,
    confirmed_ms     BIGINT,
    created_ms       BIGINT NOT NULL,
    updated_ms       BIGINT NOT NULL,
    version          BIGINT NOT NULL
);
CREATE UNIQUE INDEX atozbot_jobs_number ON atozbot_jobs (account_id, number);
CREATE INDEX atozbot_jobs_seen ON atozbot_jobs (seen_ms, id, search);
CREATE INDEX atozbot_jobs_session ON atozbot_jobs (session_id, seen_ms, id);
CREATE INDEX atozbot_jobs_status ON atozbot_jobs (status, seen_ms, id);
CREATE INDEX atozbot_jobs_language ON atozbot_jobs (language_key, seen_ms, id);
CREATE INDEX atozbot_jobs_booked ON atozbot_jobs (account_id, ends_ms) WHERE status = 'accepted';
CREATE INDEX atozbot_jobs_asking ON atozbot_jobs (status, verdict, seen_ms) WHERE status = 'matched' AND verdict = 'ask' AND gone_ms IS NULL;

CREATE TABLE atozbot_claims (
    id            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    account_id    TEXT COLLATE "C" NOT NULL REFERENCES atozbot_accounts (id),
    session_id    TEXT COLLATE "C" NOT NULL,
    number        TEXT COLLATE "C" NOT NULL,
    ref           TEXT NOT NULL,
    act           TEXT COLLATE "C" NOT NULL,
    epoch         BIGINT NOT NULL,
    attempt       BIGINT NOT NULL,
    rules_version BIGINT NOT NULL,
    claimed_ms    BIGINT NOT NULL,
    posted_ms     BIGINT,
    reached       BOOLEAN NOT NULL,
    outcome       TEXT COLLATE "C" NOT NULL,
    outcome_ms    BIGINT,
    detail        TEXT NOT NULL,
    starts_ms     BIGINT,
    ends_ms       BIGINT,
    language      TEXT NOT NULL,
    job_type      TEXT NOT NULL,
    version       BIGINT NOT NULL
);
-- The heart of it: one row for each account, job and act.
CREATE UNIQUE INDEX atozbot_claims_act ON atozbot_claims (account_id, number, act);
CREATE INDEX atozbot_claims_unsettled ON atozbot_claims (account_id, claimed_ms) WHERE outcome IN ('', 'unknown');
CREATE INDEX atozbot_claims_taken ON atozbot_claims (account_id, ends_ms) WHERE act = 'accept' AND outcome IN ('', 'unknown', 'accepted');
CREATE INDEX atozbot_claims_session ON atozbot_claims (session_id, act, outcome);
CREATE INDEX atozbot_claims_claimed ON atozbot_claims (account_id, claimed_ms);

CREATE TABLE atozbot_decisions (
    id            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    account_id    TEXT COLLATE "C" NOT NULL,
    number        TEXT COLLATE "C" NOT NULL,
    rules_version BIGINT NOT NULL,
    verdict       TEXT NOT NULL,
    reason        TEXT NOT NULL,
    rule          TEXT NOT NULL,
    checks        TEXT NOT NULL,
    decided_ms    BIGINT NOT NULL,
    repeats       BIGINT NOT NULL,
    starts_ms     BIGINT,
    ends_ms       BIGINT
);
CREATE INDEX atozbot_decisions_job ON atozbot_decisions (account_id, number, decided_ms);

CREATE TABLE atozbot_events (
    id         BIGINT NOT NULL PRIMARY KEY,
    key        TEXT COLLATE "C" NOT NULL,
    type       TEXT NOT NULL,
    account_id TEXT COLLATE "C" NOT NULL,
    session_id TEXT COLLATE "C" NOT NULL,
    at_ms      BIGINT NOT NULL,
    data       TEXT NOT NULL
);
CREATE UNIQUE INDEX atozbot_events_key ON atozbot_events (key);
CREATE INDEX atozbot_events_at ON atozbot_events (at_ms);

-- Ids come from this row, whose lock is held until the commit: so they grow in the
-- order of the commits, which a sequence does not promise.
CREATE TABLE atozbot_event_counter (
    id      BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    last_id BIGINT NOT NULL
);
INSERT INTO atozbot_event_counter (id, last_id) VALUES (1, 0);

CREATE TABLE atozbot_configurations (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    account_id TEXT COLLATE "C" NOT NULL REFERENCES atozbot_accounts (id),
    version    BIGINT NOT NULL,
    -- The version whose content an undo brought back; NULL for a version of its own.
    restores   BIGINT,
    name       TEXT NOT NULL,
    author     TEXT NOT NULL,
    body       TEXT NOT NULL,
    created_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX atozbot_configurations_version ON atozbot_configurations (account_id, version);

CREATE TABLE atozbot_log_entries (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    account_id TEXT COLLATE "C" NOT NULL,
    session_id TEXT COLLATE "C" NOT NULL,
    level      TEXT COLLATE "C" NOT NULL,
    message    TEXT NOT NULL,
    component  TEXT NOT NULL,
    at_ms      BIGINT NOT NULL
);
CREATE INDEX atozbot_log_entries_at ON atozbot_log_entries (at_ms, id);

CREATE TABLE atozbot_periods (
    id              TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    account_id      TEXT COLLATE "C" NOT NULL REFERENCES atozbot_accounts (id),
    source          TEXT COLLATE "C" NOT NULL,
    start_ms        BIGINT NOT NULL,
    end_ms          BIGINT NOT NULL,
    jobs            BIGINT NOT NULL,
    accepted        BIGINT NOT NULL,
    rejected        BIGINT NOT NULL,
    acceptance_rate DOUBLE PRECISION NOT NULL,
    common_language TEXT NOT NULL,
    peak_hour       BIGINT,
    uptime_ms       BIGINT NOT NULL,
    created_ms      BIGINT NOT NULL
);
CREATE UNIQUE INDEX atozbot_periods_start ON atozbot_periods (account_id, source, start_ms);

-- Jobs counted by what they are, for each hour, each day and all time (start_ms 0), so
-- that figures cost the same however long the history is.
CREATE TABLE atozbot_rollups (
    account_id TEXT COLLATE "C" NOT NULL,
    source     TEXT COLLATE "C" NOT NULL,
    grain      TEXT COLLATE "C" NOT NULL CHECK (grain IN ('hour', 'day', 'all')),
    start_ms   BIGINT NOT NULL,
    dimension  TEXT COLLATE "C" NOT NULL,
    value      TEXT COLLATE "C" NOT NULL,
    jobs       BIGINT NOT NULL,
    matched    BIGINT NOT NULL,
    accepted   BIGINT NOT NULL,
    rejected   BIGINT NOT NULL,
    lost       BIGINT NOT NULL,
    refused    BIGINT NOT NULL,
    unknown    BIGINT NOT NULL,
    failed     BIGINT NOT NULL,
    fitting    BIGINT NOT NULL,
    tried      BIGINT NOT NULL,
    uptime_ms  BIGINT NOT NULL,
    PRIMARY KEY (account_id, grain, start_ms, dimension, value, source)
);

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
