-- Who may come in, what was done, and what is connected.

-- +goose Up
CREATE TABLE atozbot_users (
    id            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name          TEXT NOT NULL,
    -- The name without case, by which it is known.
    name_key      TEXT COLLATE "C" NOT NULL,
    password_hash TEXT NOT NULL,
    settings      TEXT NOT NULL,
    created_ms    BIGINT NOT NULL,
    updated_ms    BIGINT NOT NULL,
    last_sign_in_ms BIGINT,
    version       BIGINT NOT NULL
);
CREATE UNIQUE INDEX atozbot_users_name ON atozbot_users (name_key);

CREATE TABLE atozbot_sign_ins (
    -- The hash of the cookie's value: who reads the table cannot sign in with it.
    token_hash TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id    TEXT COLLATE "C" NOT NULL,
    data       BYTEA NOT NULL,
    expires_ms BIGINT NOT NULL
);
CREATE INDEX atozbot_sign_ins_user ON atozbot_sign_ins (user_id);
CREATE INDEX atozbot_sign_ins_expires ON atozbot_sign_ins (expires_ms);

CREATE TABLE atozbot_sign_in_attempts (
    id      TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    address TEXT COLLATE "C" NOT NULL,
    name    TEXT COLLATE "C" NOT NULL,
    at_ms   BIGINT NOT NULL,
    success BOOLEAN NOT NULL
);
CREATE INDEX atozbot_sign_in_attempts_address ON atozbot_sign_in_attempts (address, at_ms);
CREATE INDEX atozbot_sign_in_attempts_name ON atozbot_sign_in_attempts (name, at_ms);
CREATE INDEX atozbot_sign_in_attempts_at ON atozbot_sign_in_attempts (at_ms);

CREATE TABLE atozbot_tokens (
    id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name         TEXT NOT NULL,
    hash         TEXT COLLATE "C" NOT NULL,
    -- The first characters, so that its owner knows it again.
    hint         TEXT NOT NULL,
    scope        TEXT NOT NULL,
    created_by   TEXT NOT NULL,
    created_ms   BIGINT NOT NULL,
    expires_ms   BIGINT,
    last_used_ms BIGINT,
    revoked_ms   BIGINT
);
CREATE UNIQUE INDEX atozbot_tokens_hash ON atozbot_tokens (hash);

CREATE TABLE atozbot_audit (
    id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    at_ms       BIGINT NOT NULL,
    kind        TEXT NOT NULL,
    who         TEXT NOT NULL,
    who_id      TEXT COLLATE "C" NOT NULL,
    what        TEXT COLLATE "C" NOT NULL,
    subject     TEXT NOT NULL,
    before_json TEXT NOT NULL,
    after_json  TEXT NOT NULL,
    request_id  TEXT NOT NULL,
    address     TEXT NOT NULL
);
CREATE INDEX atozbot_audit_at ON atozbot_audit (at_ms, id);

-- +goose StatementBegin
CREATE FUNCTION atozbot_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log can only be added to';
END $$;
-- +goose StatementEnd
CREATE TRIGGER atozbot_audit_no_update BEFORE UPDATE ON atozbot_audit
    FOR EACH ROW EXECUTE FUNCTION atozbot_audit_is_append_only();
CREATE TRIGGER atozbot_audit_no_delete BEFORE DELETE ON atozbot_audit
    FOR EACH ROW EXECUTE FUNCTION atozbot_audit_is_append_only();

-- Sealed outside: the database never sees what is in them.
CREATE TABLE atozbot_secrets (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    key_id     TEXT NOT NULL,
    sealed     BYTEA NOT NULL,
    updated_ms BIGINT NOT NULL
);

CREATE TABLE atozbot_calendars (
    id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    account_id  TEXT COLLATE "C" NOT NULL,
    name        TEXT NOT NULL,
    -- Its address, if it has one, is a secret under the calendar's id.
    kind        TEXT NOT NULL,
    body        TEXT NOT NULL,
    enabled     BOOLEAN NOT NULL,
    fetched_ms  BIGINT,
    last_error  TEXT NOT NULL,
    created_ms  BIGINT NOT NULL,
    updated_ms  BIGINT NOT NULL,
    version     BIGINT NOT NULL
);
CREATE INDEX atozbot_calendars_account ON atozbot_calendars (account_id);

CREATE TABLE atozbot_channels (
    id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    account_id   TEXT COLLATE "C" NOT NULL,
    name         TEXT NOT NULL,
    -- Its address is a secret under the channel's id.
    kind         TEXT NOT NULL,
    settings     TEXT NOT NULL,
    enabled      BOOLEAN NOT NULL,
    last_sent_ms BIGINT,
    last_error   TEXT NOT NULL,
    created_ms   BIGINT NOT NULL,
    updated_ms   BIGINT NOT NULL,
    version      BIGINT NOT NULL
);
CREATE INDEX atozbot_channels_account ON atozbot_channels (account_id);

-- Which row of a predecessor's database became which of ours.
CREATE TABLE atozbot_imports (
    origin      TEXT COLLATE "C" NOT NULL,
    source_id   TEXT COLLATE "C" NOT NULL,
    target_id   TEXT COLLATE "C" NOT NULL,
    imported_ms BIGINT NOT NULL,
    PRIMARY KEY (origin, source_id)
);

-- +goose Down
DROP TABLE atozbot_imports;
DROP TABLE atozbot_channels;
DROP TABLE atozbot_calendars;
DROP TABLE atozbot_secrets;
DROP TABLE atozbot_audit;
DROP FUNCTION atozbot_audit_is_append_only();
DROP TABLE atozbot_tokens;
DROP TABLE atozbot_sign_in_attempts;
DROP TABLE atozbot_sign_ins;
DROP TABLE atozbot_users;
