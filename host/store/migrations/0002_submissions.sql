-- Submissions, the queue they wait in, what they are charged to, and what was published of them.

-- Compute of a team on a challenge, in FLOPs.
CREATE TABLE budgets (
    challenge_id INTEGER NOT NULL REFERENCES challenges (id),
    team_id      INTEGER NOT NULL REFERENCES teams (id),
    granted      INTEGER NOT NULL CHECK (granted >= 0),
    revoked      INTEGER NOT NULL DEFAULT 0 CHECK (revoked IN (0, 1)),
    used         INTEGER NOT NULL DEFAULT 0 CHECK (used >= 0),
    reserved     INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    PRIMARY KEY (challenge_id, team_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE submissions (
    id               BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    challenge_id     INTEGER NOT NULL REFERENCES challenges (id),
    account_id       INTEGER NOT NULL REFERENCES accounts (id),
    team_id          INTEGER NOT NULL REFERENCES teams (id),
    mode             TEXT NOT NULL CHECK (mode IN ('validation', 'official')),
    state            TEXT NOT NULL CHECK (state IN ('queued', 'running', 'finished')),
    submitted_at     INTEGER NOT NULL,
    name             TEXT,
    version          TEXT,
    note             TEXT NOT NULL,
    component        BLOB CHECK (length(component) = 32),
    package          BLOB NOT NULL CHECK (length(package) = 32),
    package_bytes    INTEGER NOT NULL,
    duplicate_of     BLOB REFERENCES submissions (id),
    idempotency_key  TEXT,
    -- Submissions of the same builder that may run beside it.
    concurrency      INTEGER NOT NULL CHECK (concurrency >= 1),
    -- It counts against the quota of submissions.
    counted          INTEGER NOT NULL DEFAULT 1 CHECK (counted IN (0, 1)),
    -- It failed and was counted as a failure instead.
    forgiven         INTEGER NOT NULL DEFAULT 0 CHECK (forgiven IN (0, 1)),
    -- FLOPs held in the team's budget until it ends, and taken from it then.
    reserved         INTEGER NOT NULL CHECK (reserved >= 0),
    charged          INTEGER NOT NULL DEFAULT 0 CHECK (charged >= 0),
    -- Evaluated again by an operator: charged to nobody.
    rescoring        INTEGER NOT NULL DEFAULT 0 CHECK (rescoring IN (0, 1)),
    -- Every lease has the number of its own; who writes with another has lost the submission.
    attempts         INTEGER NOT NULL DEFAULT 0,
    -- Leases that ran out.
    losses           INTEGER NOT NULL DEFAULT 0,
    worker           TEXT,
    lease_until      INTEGER,
    started_at       INTEGER,
    heartbeat_at     INTEGER,
    cancel_requested INTEGER NOT NULL DEFAULT 0 CHECK (cancel_requested IN (0, 1)),
    progress         TEXT,
    finished_at      INTEGER,
    released_at      INTEGER,
    verdict          TEXT,
    cancelled        INTEGER NOT NULL DEFAULT 0 CHECK (cancelled IN (0, 1)),
    improved         INTEGER NOT NULL DEFAULT 1 CHECK (improved IN (0, 1)),
    withdrawn        INTEGER NOT NULL DEFAULT 0 CHECK (withdrawn IN (0, 1)),
    result           BLOB CHECK (length(result) = 32),
    published        TEXT,
    -- Grows with every change.
    revision         INTEGER NOT NULL DEFAULT 1,
    CHECK (state <> 'running' OR (worker IS NOT NULL AND lease_until IS NOT NULL)),
    CHECK (state <> 'finished' OR finished_at IS NOT NULL)
) STRICT;

CREATE UNIQUE INDEX submissions_by_key ON submissions (account_id, challenge_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX submissions_queued ON submissions (mode, submitted_at, id) WHERE state = 'queued';
CREATE INDEX submissions_running ON submissions (account_id, challenge_id) WHERE state = 'running';
CREATE INDEX submissions_by_account ON submissions (account_id, id);
CREATE INDEX submissions_by_challenge ON submissions (challenge_id, id);
CREATE INDEX submissions_by_quota ON submissions (account_id, challenge_id, mode, submitted_at);
CREATE INDEX submissions_by_component ON submissions (challenge_id, team_id, mode, component);
CREATE INDEX submissions_by_package ON submissions (package);
CREATE INDEX submissions_by_end ON submissions (finished_at) WHERE state = 'finished';

-- What a leaderboard is replayed from: one row a change. A later row of the same submission replaces an earlier one.
CREATE TABLE publications (
    seq           INTEGER PRIMARY KEY AUTOINCREMENT,
    challenge_id  INTEGER NOT NULL REFERENCES challenges (id),
    submission_id BLOB NOT NULL REFERENCES submissions (id),
    released_at   INTEGER NOT NULL,
    published     TEXT NOT NULL,
    withdrawn     INTEGER NOT NULL CHECK (withdrawn IN (0, 1))
) STRICT;

CREATE INDEX publications_by_challenge ON publications (challenge_id, seq);
CREATE INDEX publications_by_submission ON publications (submission_id);

CREATE TRIGGER publications_are_not_changed BEFORE UPDATE ON publications
BEGIN
    SELECT RAISE(ABORT, 'publications are append-only');
END;

CREATE TRIGGER publications_are_not_removed BEFORE DELETE ON publications
BEGIN
    SELECT RAISE(ABORT, 'publications are append-only');
END;

CREATE TABLE workers (
    name          TEXT PRIMARY KEY NOT NULL,
    heartbeat_at  INTEGER NOT NULL,
    -- Not heard for so long, it is gone.
    lease_ms      INTEGER NOT NULL,
    submission_id BLOB
) STRICT, WITHOUT ROWID;
