-- The bookings around an appointment are told by the index alone, whatever else is booked.

-- +goose Up
DROP INDEX atozbot_jobs_booked;
CREATE INDEX atozbot_jobs_booked ON atozbot_jobs (account_id, ends_ms, starts_ms) WHERE status = 'accepted';
DROP INDEX atozbot_claims_taken;
CREATE INDEX atozbot_claims_taken ON atozbot_claims (account_id, ends_ms, starts_ms) WHERE act = 'accept' AND outcome IN ('', 'unknown', 'accepted');

-- +goose Down
DROP INDEX atozbot_claims_taken;
CREATE INDEX atozbot_claims_taken ON atozbot_claims (account_id, ends_ms) WHERE act = 'accept' AND outcome IN ('', 'unknown', 'accepted');
DROP INDEX atozbot_jobs_booked;
CREATE INDEX atozbot_jobs_booked ON atozbot_jobs (account_id, ends_ms) WHERE status = 'accepted';
