-- What a list says of a challenge: released results that count and their builders, read from the index alone.
CREATE INDEX submissions_shown ON submissions (challenge_id, released_at, account_id)
    WHERE mode = 'official' AND verdict = 'scored' AND improved = 1 AND withdrawn = 0;
