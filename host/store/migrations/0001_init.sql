-- Accounts, challenges and the audit log. Times are milliseconds since 1970, digests 32 bytes, structures JSON.

CREATE TABLE teams (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE accounts (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    team_id INTEGER NOT NULL REFERENCES teams (id),
    created_at INTEGER NOT NULL,
    disabled_at INTEGER
) STRICT;

CREATE INDEX accounts_of_team ON accounts (team_id);

-- A secret is kept as its SHA-256 only. `prefix` is its public beginning, by which it is found.
CREATE TABLE tokens (
    id INTEGER PRIMARY KEY,
    prefix TEXT NOT NULL UNIQUE,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    scope TEXT NOT NULL CHECK (scope IN ('builder', 'operator')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    last_used_at INTEGER
) STRICT;

CREATE INDEX tokens_of_account ON tokens (account_id);

CREATE TABLE sessions (
    id INTEGER PRIMARY KEY,
    prefix TEXT NOT NULL UNIQUE,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    token_id INTEGER NOT NULL REFERENCES tokens (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX sessions_by_end ON sessions (expires_at);
CREATE INDEX sessions_of_token ON sessions (token_id);

CREATE TABLE datasets (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    path TEXT NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    official INTEGER NOT NULL CHECK (official IN (0, 1)),
    metadataset TEXT NOT NULL,
    registered_at INTEGER NOT NULL
) STRICT;

-- What is in force is `challenge_json` with what was resolved when it was published; `draft` is what the operator wrote.
-- `private`, `closes_at` and `search` (title, summary and keywords in lower case) repeat what is in the draft, for queries.
CREATE TABLE challenges (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    stage TEXT NOT NULL CHECK (stage IN ('draft', 'published', 'closed')),
    revision INTEGER NOT NULL,
    draft TEXT NOT NULL,
    private INTEGER NOT NULL CHECK (private IN (0, 1)),
    search TEXT NOT NULL,
    closes_at INTEGER,
    challenge_json TEXT,
    digest BLOB CHECK (length(digest) = 32),
    statement TEXT,
    public_path TEXT,
    official_path TEXT,
    validation_rows INTEGER,
    official_rows INTEGER,
    created_at INTEGER NOT NULL,
    published_at INTEGER,
    closed_at INTEGER,
    cover BLOB CHECK (length(cover) = 32),
    cover_type TEXT,
    exploration BLOB CHECK (length(exploration) = 32),
    frozen TEXT,
    salt TEXT,
    CHECK ((cover IS NULL) = (cover_type IS NULL)),
    CHECK ((stage = 'closed') = (closed_at IS NOT NULL)),
    CHECK ((stage = 'draft') = (published_at IS NULL)),
    CHECK (
        stage = 'draft'
        OR (
            challenge_json IS NOT NULL AND digest IS NOT NULL AND statement IS NOT NULL AND public_path IS NOT NULL
            AND validation_rows IS NOT NULL AND official_rows IS NOT NULL
        )
    )
) STRICT;

CREATE INDEX challenges_newest ON challenges (coalesce(published_at, created_at) DESC, name);

CREATE TABLE members (
    challenge_id INTEGER NOT NULL REFERENCES challenges (id),
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    joined_at INTEGER NOT NULL,
    PRIMARY KEY (challenge_id, account_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX members_of_account ON members (account_id);

CREATE TABLE invites (
    id INTEGER PRIMARY KEY,
    prefix TEXT NOT NULL UNIQUE,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    challenge_id INTEGER NOT NULL REFERENCES challenges (id),
    label TEXT NOT NULL,
    budget INTEGER,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    accepted_by INTEGER REFERENCES accounts (id),
    accepted_at INTEGER,
    revoked_at INTEGER,
    CHECK ((accepted_by IS NULL) = (accepted_at IS NULL))
) STRICT;

CREATE INDEX invites_of_challenge ON invites (challenge_id);

-- Rows are added and nothing else. Nothing is deleted, so `sequence` has no gaps.
CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    details TEXT NOT NULL
) STRICT;

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

-- `INSERT OR REPLACE` deletes without the trigger above.
CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE sequence = NEW.sequence)
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
