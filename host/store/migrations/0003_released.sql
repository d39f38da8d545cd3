-- What a list says of a challenge: released results that count and their builders, read from the index alone (which is why
-- the columns of its condition stand in it too).
CREATE INDEX submissions_shown ON submissions (challenge_id, account_id, released_at, mode, verdict, improved, withdrawn)
    WHERE mode = 'official' AND verdict = 'scored' AND improved = 1 AND withdrawn = 0;
