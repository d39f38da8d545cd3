//! Leases submissions, evaluates them, writes down how they ended.
