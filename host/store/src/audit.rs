//! What was done, by whom: written in the transaction that does it, never changed. The database refuses changes itself.

use std::collections::BTreeMap;

use sqlx::SqliteConnection;
use thimble_api::operator::AuditEntry;
use thimble_api::{Page, Timestamp};

use crate::columns::{self, Columns as _};
use crate::{Actor, RefusedOr, Result, Store, cursor};

/// Adds an entry. `details` never hold a secret.
pub(crate) async fn record(
    connection: &mut SqliteConnection,
    actor: &Actor,
    action: &str,
    subject: &str,
    details: &[(&str, String)],
    now: Timestamp,
) -> Result<()> {
    let details: BTreeMap<&str, &str> = details.iter().map(|(name, value)| (*name, value.as_str())).collect();
    sqlx::query("INSERT INTO audit (at, actor, action, subject, details) VALUES (?, ?, ?, ?, ?)")
        .bind(now.millis())
        .bind(actor.to_string())
        .bind(action)
        .bind(subject)
        .bind(columns::stored_json("details", &details)?)
        .execute(connection)
        .await?;
    Ok(())
}

impl Store {
    /// What was done, newest first.
    ///
    /// # Errors
    ///
    /// `after` or `limit` that no part of the list has; or the database fails.
    pub async fn audit_log(&self, after: Option<&str>, limit: Option<u32>) -> Result<Page<AuditEntry>, RefusedOr> {
        let limit = cursor::limit(limit)?;
        let before = cursor::after::<i64>(after)?.unwrap_or(i64::MAX);
        let rows = sqlx::query(
            "SELECT sequence, at, actor, action, subject, details FROM audit WHERE sequence < ? \
             ORDER BY sequence DESC LIMIT ?",
        )
        .bind(before)
        .bind(limit + 1)
        .fetch_all(&self.readers)
        .await?;
        let mut entries = Vec::with_capacity(rows.len());
        for row in &rows {
            entries.push(AuditEntry {
                sequence: row.whole("sequence")?,
                at: row.time("at")?,
                actor: row.text("actor")?,
                action: row.text("action")?,
                subject: row.text("subject")?,
                details: row.json("details")?,
            });
        }
        Ok(cursor::page(entries, limit, |entry| entry.sequence))
    }
}
