-- Lists of one account's jobs, newest first, with what a search looks in.

-- +goose Up
CREATE INDEX atozbot_jobs_account ON atozbot_jobs (account_id, seen_ms, id, search);
CREATE INDEX atozbot_jobs_account_status ON atozbot_jobs (account_id, status, seen_ms, id);
CREATE INDEX atozbot_jobs_account_asking ON atozbot_jobs (account_id, status, verdict, seen_ms, id) WHERE status = 'matched' AND verdict = 'ask' AND gone_ms IS NULL;

-- +goose Down
DROP INDEX atozbot_jobs_account_asking;
DROP INDEX atozbot_jobs_account_status;
DROP INDEX atozbot_jobs_account;
