//! What the service remembers: accounts, challenges, submissions, the queue, budgets and the audit log in SQLite; artifacts by digest.
