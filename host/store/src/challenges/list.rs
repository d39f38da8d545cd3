//! Lists of challenges, and the search in them.

use std::fmt;
use std::str::FromStr;

use thimble_api::account::Scope;
use thimble_api::draft::Draft;
use thimble_api::id::ChallengeName;
use thimble_api::{ErrorCode, Page, Timestamp};

use super::{ChallengeRow, select_short};
use crate::columns;
use crate::tokens::Principal;
use crate::{Refusal, RefusedOr, Result, Store, cursor};

/// The longest search, in bytes.
const MAX_SEARCH: usize = 200;

/// A place in the list: newest first, then by name. It holds nothing that is not shown.
struct Place {
    millis: i64,
    name: ChallengeName,
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (millis, name) = text.split_once('.').ok_or(())?;
        Ok(Self { millis: millis.parse().map_err(drop)?, name: name.parse().map_err(drop)? })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.millis, self.name)
    }
}

impl Store {
    /// The challenges that `viewer` may see, newest first; drafts for operators who ask for them. Each word of `q` stands in
    /// the title, the summary or the keywords, in capitals or not.
    ///
    /// # Errors
    ///
    /// `after` or `limit` that no part of the list has, a `q` that is too long; or the database fails.
    pub async fn challenges(
        &self,
        viewer: Option<&Principal>,
        include_drafts: bool,
        q: Option<&str>,
        after: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Page<ChallengeRow>, RefusedOr> {
        let limit = cursor::limit(limit)?;
        let after: Option<Place> = cursor::after(after)?;
        let words = words(q.unwrap_or_default())?;
        let operator = viewer.is_some_and(|viewer| viewer.scope == Scope::Operator);
        let mut connection = self.readers.acquire().await?;
        let rows = sqlx::query(select_short!(
            "WHERE (c.stage <> 'draft' OR ?1) \
             AND (c.private = 0 OR ?2 OR EXISTS (SELECT 1 FROM members m WHERE m.challenge_id = c.id AND m.account_id = ?3)) \
             AND NOT EXISTS (SELECT 1 FROM json_each(?4) word WHERE instr(c.search, word.value) = 0) \
             AND (coalesce(c.published_at, c.created_at) < ?5 \
             OR (coalesce(c.published_at, c.created_at) = ?5 AND c.name > ?6)) \
             ORDER BY coalesce(c.published_at, c.created_at) DESC, c.name LIMIT ?7"
        ))
        .bind(operator && include_drafts)
        .bind(operator)
        .bind(viewer.map(|viewer| viewer.account_id))
        .bind(columns::stored_json("words", &words)?)
        .bind(after.as_ref().map_or(i64::MAX, |place| place.millis))
        .bind(after.as_ref().map_or("", |place| place.name.as_str()))
        .bind(limit + 1)
        .fetch_all(&mut *connection)
        .await?;
        let mut challenges = Vec::with_capacity(rows.len());
        for row in &rows {
            challenges.push(self.completed(&mut connection, row).await?);
        }
        let place = |row: &ChallengeRow| Place {
            millis: row.published_at.unwrap_or(row.created_at).millis(),
            name: row.name.clone(),
        };
        Ok(cursor::page(challenges, limit, place))
    }

    /// Challenges that take submissions though their time is over: those to close.
    ///
    /// # Errors
    ///
    /// The database fails.
    pub async fn due(&self, now: Timestamp) -> Result<Vec<ChallengeRow>> {
        let mut connection = self.readers.acquire().await?;
        let rows = sqlx::query(select_short!("WHERE c.stage = 'published' AND c.closes_at <= ? ORDER BY c.closes_at"))
            .bind(now.millis())
            .fetch_all(&mut *connection)
            .await?;
        let mut challenges = Vec::with_capacity(rows.len());
        for row in &rows {
            challenges.push(self.completed(&mut connection, row).await?);
        }
        Ok(challenges)
    }
}

fn words(q: &str) -> Result<Vec<String>, Refusal> {
    if q.len() > MAX_SEARCH {
        let message = format!("q has {} bytes and may have {MAX_SEARCH}", q.len());
        return Err(Refusal::new(ErrorCode::BadRequest, message));
    }
    Ok(q.to_lowercase().split_whitespace().map(str::to_owned).collect())
}

/// What is searched.
pub(super) fn searched(draft: &Draft) -> String {
    let mut text = format!("{}\n{}", draft.title, draft.summary);
    for keyword in &draft.keywords {
        text.push('\n');
        text.push_str(keyword);
    }
    text.to_lowercase()
}
