-- Who may come in, what was done, and what is connected.

-- +goose Up
CREATE TABLE atozbot_users (
    id            TEXT NOT NULL PRIMARY KEY,
    name          TEXT NOT NULL,
    -- The name without case, by which it is known.
    name_key      TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    settings      TEXT NOT NULL,
    created_ms    INTEGER NOT NULL,
    updated_ms    INTEGER NOT NULL,
    last_sign_in_ms INTEGER,
    version       INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX atozbot_users_name ON atozbot_users (name_key);

CREATE TABLE atozbot_sign_ins (
    -- The hash of the cookie's value: who reads the table cannot sign in with it.
    token_hash TEXT NOT NULL PRIMARY KEY,
    user_id    TEXT NOT NULL,
    data       BLOB NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX atozbot_sign_ins_user ON atozbot_sign_ins (user_id);
CREATE INDEX atozbot_sign_ins_expires ON atozbot_sign_ins (expires_ms);

CREATE TABLE atozbot_sign_in_attempts (
    id      TEXT NOT NULL PRIMARY KEY,
    address TEXT NOT NULL,
    name    TEXT NOT NULL,
    at_ms   INTEGER NOT NULL,
    success INTEGER NOT NULL
) STRICT;
CREATE INDEX atozbot_sign_in_attempts_address ON atozbot_sign_in_attempts (address, at_ms);
CREATE INDEX atozbot_sign_in_attempts_name ON atozbot_sign_in_attempts (name, at_ms);
CREATE INDEX atozbot_sign_in_attempts_at ON atozbot_sign_in_attempts (at_ms);

CREATE TABLE atozbot_tokens (
    id           TEXT NOT NULL PRIMARY KEY,
    name         TEXT NOT NULL,
    hash         TEXT NOT NULL,
    -- The first characters, so that its owner knows it again.
    hint         TEXT NOT NULL,
    scope        TEXT NOT NULL,
    created_by   TEXT NOT NULL,
    created_ms   INTEGER NOT NULL,
    expires_ms   INTEGER,
    last_used_ms INTEGER,
    revoked_ms   INTEGER
) STRICT;
CREATE UNIQUE INDEX atozbot_tokens_hash ON atozbot_tokens (hash);

CREATE TABLE atozbot_audit (
    id          TEXT NOT NULL PRIMARY KEY,
    at_ms       INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    who         TEXT NOT NULL,
    who_id      TEXT NOT NULL,
    what        TEXT NOT NULL,
    subject     TEXT NOT NULL,
    before_json TEXT NOT NULL,
    after_json  TEXT NOT NULL,
    request_id  TEXT NOT NULL,
    address     TEXT NOT NULL
) STRICT;
CREATE INDEX atozbot_audit_at ON atozbot_audit (at_ms, id);

-- +goose StatementBegin
CREATE TRIGGER atozbot_audit_no_update BEFORE UPDATE ON atozbot_audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log can only be added to');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER atozbot_audit_no_delete BEFORE DELETE ON atozbot_audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log can only be added to');
END;
-- +goose StatementEnd

-- Sealed outside: the database never sees what is in them.
CREATE TABLE atozbot_secrets (
    id         TEXT NOT NULL PRIMARY KEY,
    key_id     TEXT NOT NULL,
    sealed     BLOB NOT NULL,
    updated_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE atozbot_calendars (
    id          TEXT NOT NULL PRIMARY KEY,
    account_id  TEXT NOT NULL,
    name        TEXT NOT NULL,
    -- Its address, if it has one, is a secret under the calendar's id.
    kind        TEXT NOT NULL,
    body        TEXT NOT NULL,
    enabled     INTEGER NOT NULL,
    fetched_ms  INTEGER,
    last_error  TEXT NOT NULL,
    created_ms  INTEGER NOT NULL,
    updated_ms  INTEGER NOT NULL,
    version     INTEGER NOT NULL
) STRICT;
CREATE INDEX atozbot_calendars_account ON atozbot_calendars (account_id);

CREATE TABLE atozbot_channels (
    id           TEXT NOT NULL PRIMARY KEY,
    account_id   TEXT NOT NULL,
    name         TEXT NOT NULL,
    -- Its address is a secret under the channel's id.
    kind         TEXT NOT NULL,
    settings     TEXT NOT NULL,
    enabled      INTEGER NOT NULL,
    last_sent_ms INTEGER,
    last_error   TEXT NOT NULL,
    created_ms   INTEGER NOT NULL,
    updated_ms   INTEGER NOT NULL,
    version      INTEGER NOT NULL
) STRICT;
CREATE INDEX atozbot_channels_account ON atozbot_channels (account_id);

-- Which row of a predecessor's database became which of ours.
CREATE TABLE atozbot_imports (
    origin      TEXT NOT NULL,
    source_id   TEXT NOT NULL,
    target_id   TEXT NOT NULL,
    imported_ms INTEGER NOT NULL,
    PRIMARY KEY (origin, source_id)
) STRICT;

-- +goose Down
DROP TABLE atozbot_imports;
DROP TABLE atozbot_channels;
DROP TABLE atozbot_calendars;
DROP TABLE atozbot_secrets;
DROP TABLE atozbot_audit;
DROP TABLE atozbot_tokens;
DROP TABLE atozbot_sign_in_attempts;
DROP TABLE atozbot_sign_ins;
DROP TABLE atozbot_users;
