-- A lease has a length, not an end: whether it has run out is seen by a clock that does not jump (see `lease.rs`).
ALTER TABLE submissions RENAME COLUMN lease_until TO lease_ms;
UPDATE submissions SET lease_ms = max(0, lease_ms - heartbeat_at) WHERE lease_ms IS NOT NULL;
