//! Use of a challenge, for its operator.

use std::collections::BTreeMap;

use sqlx::Row as _;
use thimble_api::operator::{AccountActivity, DayUse, VerdictCount};
use thimble_api::{Compute, Timestamp};
use thimble_challenge::Verdict;

use crate::columns::Columns as _;
use crate::{DAY_MILLIS, Store, StoreError};

/// Days that are counted.
const DAYS: i64 = 30;

/// What is counted of a challenge's use.
#[derive(Debug, Clone, PartialEq)]
pub struct Activity {
    /// The last 30 days, oldest first.
    pub days: Vec<DayUse>,
    /// Accounts by their last submission, newest first, at most 200.
    pub accounts: Vec<AccountActivity>,
    /// Verdicts of finished official runs.
    pub verdicts: Vec<VerdictCount>,
}

impl Store {
    /// Counts the use of a challenge.
    ///
    /// # Errors
    /// The database fails.
    pub async fn activity(&self, challenge_id: i64, now: Timestamp) -> Result<Activity, StoreError> {
        let mut connection = self.readers.acquire().await?;
        let rows = sqlx::query(
            "SELECT date(submitted_at / 1000, 'unixepoch') AS day, sum(mode = 'official') AS official, \
             sum(mode = 'validation') AS validation, sum(charged) AS charged FROM submissions \
             WHERE challenge_id = ? AND submitted_at > ? GROUP BY day",
        )
        .bind(challenge_id)
        .bind(now.plus_millis(-DAYS * DAY_MILLIS).millis())
        .fetch_all(&mut *connection)
        .await?;
        let mut counted = BTreeMap::new();
        for row in &rows {
            let day: String = row.try_get("day")?;
            counted.insert(
                day.clone(),
                DayUse {
                    day,
                    official: row.whole("official")?,
                    validation: row.whole("validation")?,
                    charged: row.compute("charged")?,
                },
            );
        }
        let days = (0..DAYS)
            .rev()
            .map(|back| {
                let day = now.plus_millis(-back * DAY_MILLIS).day();
                let none = DayUse { day: day.clone(), official: 0, validation: 0, charged: Compute::ZERO };
                counted.remove(&day).unwrap_or(none)
            })
            .collect();
        let rows = sqlx::query(
            "SELECT a.name AS account, t.name AS team, count(*) AS submissions, max(s.submitted_at) AS last_at \
             FROM submissions s JOIN accounts a ON a.id = s.account_id JOIN teams t ON t.id = s.team_id \
             WHERE s.challenge_id = ? GROUP BY s.account_id ORDER BY last_at DESC, a.name LIMIT 200",
        )
        .bind(challenge_id)
        .fetch_all(&mut *connection)
        .await?;
        let accounts = rows
            .iter()
            .map(|row| {
                Ok(AccountActivity {
                    account: row.parsed("account")?,
                    team: row.parsed("team")?,
                    submissions: row.whole("submissions")?,
                    last_at: row.time("last_at")?,
                })
            })
            .collect::<Result<_, StoreError>>()?;
        let rows = sqlx::query(
            "SELECT verdict, count(*) AS count FROM submissions \
             WHERE challenge_id = ? AND mode = 'official' AND state = 'finished' GROUP BY verdict ORDER BY count DESC, verdict",
        )
        .bind(challenge_id)
        .fetch_all(&mut *connection)
        .await?;
        let verdicts = rows.iter().map(verdict_count).collect::<Result<_, StoreError>>()?;
        Ok(Activity { days, accounts, verdicts })
    }

    /// Verdicts of all submissions of the service that have ended.
    ///
    /// # Errors
    /// The database fails.
    pub async fn verdicts(&self) -> Result<Vec<VerdictCount>, StoreError> {
        let rows = sqlx::query(
            "SELECT verdict, count(*) AS count FROM submissions WHERE state = 'finished' GROUP BY verdict ORDER BY verdict",
        )
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(verdict_count).collect()
    }
}

fn verdict_count(row: &sqlx::sqlite::SqliteRow) -> Result<VerdictCount, StoreError> {
    let name: Option<String> = row.try_get("verdict")?;
    let verdict = name.and_then(|name| Verdict::ALL.into_iter().find(|verdict| verdict.name() == name));
    Ok(VerdictCount { verdict, count: row.whole("count")? })
}
