//! Challenges: what operators wrote, what is in force, and who may see it.

mod change;
mod list;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use thimble_api::Timestamp;
use thimble_api::account::Scope;
use thimble_api::challenge::Stage;
use thimble_api::draft::Draft;
use thimble_api::id::ChallengeName;
use thimble_challenge::Challenge;
use thimble_challenge::challenge::Visibility;
use thimble_challenge::composite::Anchors;
use thimble_datasets::Digest;

use crate::columns::Columns as _;
use crate::tokens::Principal;
use crate::{Refusal, RefusedOr, Result, Store, StoreError};

/// A challenge as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct ChallengeRow {
    /// Its key.
    pub id: i64,
    /// Its name.
    pub name: ChallengeName,
    /// Where it is in its life.
    pub stage: Stage,
    /// Grows by one with every change of what was written, its publication and its close.
    pub revision: u64,
    /// What was written.
    pub draft: Arc<Draft>,
    /// What is in force; none before it is published.
    pub published: Option<Arc<PublishedChallenge>>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it was published.
    pub published_at: Option<Timestamp>,
    /// When it stops taking submissions, by its rules.
    pub closes_at: Option<Timestamp>,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// Its cover image.
    pub cover: Option<Cover>,
    /// The artifact with its finished page of statistics.
    pub exploration: Option<Digest>,
    /// What costs are measured against since it was closed.
    pub frozen: Option<Anchors>,
    /// The salt of its commitment, since it was closed.
    pub revealed_salt: Option<String>,
}

impl ChallengeRow {
    /// Who may see it: by what is in force, or by the draft before there is any.
    pub fn visibility(&self) -> Visibility {
        self.published.as_ref().map_or(self.draft.visibility, |published| published.challenge.visibility)
    }
}

/// What is in force of a challenge.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishedChallenge {
    /// `challenge.json`, parsed.
    pub challenge: Challenge,
    /// `challenge.json`, its bytes.
    pub json: String,
    /// SHA-256 of those bytes.
    pub digest: Digest,
    /// The description with the table of figures: Markdown.
    pub statement: String,
    /// Directory of the public dataset.
    pub public_path: PathBuf,
    /// Directory of the official dataset.
    pub official_path: Option<PathBuf>,
    /// Rows of the public test split.
    pub validation_rows: u64,
    /// Rows of the official test split; 0 where there is none.
    pub official_rows: u64,
}

/// A cover image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cover {
    /// The artifact.
    pub digest: Digest,
    /// `image/png` or `image/jpeg`.
    pub media_type: String,
}

/// Most challenges whose texts are kept parsed.
const MAX_PARSED: usize = 1_000;

/// What was parsed of challenges, by key: a text with its revision is never another.
#[derive(Debug, Default)]
pub(crate) struct Parsed(Mutex<BTreeMap<i64, (u64, Texts)>>);

/// The parts of a row that are long to read and change with its revision only.
#[derive(Debug, Clone)]
struct Texts {
    draft: Arc<Draft>,
    published: Option<Arc<PublishedChallenge>>,
}

impl Parsed {
    fn get(&self, id: i64, revision: u64) -> Option<Texts> {
        let parsed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        parsed.get(&id).filter(|(of, _)| *of == revision).map(|(_, texts)| texts.clone())
    }

    fn keep(&self, id: i64, revision: u64, texts: Texts) {
        let mut parsed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if parsed.len() >= MAX_PARSED {
            parsed.clear();
        }
        parsed.insert(id, (revision, texts));
    }
}

/// The columns that are short.
macro_rules! select_short {
    ($rest:literal) => {
        concat!(
            "SELECT c.id, c.name, c.stage, c.revision, c.created_at, c.published_at, c.closes_at, c.closed_at, c.cover, \
             c.cover_type, c.exploration, c.frozen, c.salt FROM challenges c ",
            $rest
        )
    };
}
use select_short;

impl Store {
    /// The challenge of this name.
    ///
    /// # Errors
    ///
    /// The database fails.
    pub async fn challenge(&self, name: &ChallengeName) -> Result<Option<ChallengeRow>> {
        let mut connection = self.readers.acquire().await?;
        let query = sqlx::query(select_short!("WHERE c.name = ?")).bind(name.as_str());
        match query.fetch_optional(&mut *connection).await? {
            Some(row) => self.completed(&mut connection, &row).await.map(Some),
            None => Ok(None),
        }
    }

    /// The challenge with this key.
    ///
    /// # Errors
    ///
    /// The database fails.
    pub async fn challenge_by_id(&self, id: i64) -> Result<Option<ChallengeRow>> {
        let mut connection = self.readers.acquire().await?;
        let query = sqlx::query(select_short!("WHERE c.id = ?")).bind(id);
        match query.fetch_optional(&mut *connection).await? {
            Some(row) => self.completed(&mut connection, &row).await.map(Some),
            None => Ok(None),
        }
    }

    /// Whether a challenge exists for whoever asks: drafts for operators, private ones for members and operators.
    ///
    /// # Errors
    ///
    /// The database fails.
    pub async fn may_see(&self, challenge: &ChallengeRow, viewer: Option<&Principal>) -> Result<bool> {
        if viewer.is_some_and(|viewer| viewer.scope == Scope::Operator) {
            return Ok(true);
        }
        if challenge.stage == Stage::Draft {
            return Ok(false);
        }
        if challenge.visibility() == Visibility::Public {
            return Ok(true);
        }
        let Some(viewer) = viewer else { return Ok(false) };
        let member =
            sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM members WHERE challenge_id = ? AND account_id = ?)")
                .bind(challenge.id)
                .bind(viewer.account_id)
                .fetch_one(&self.readers);
        Ok(member.await?)
    }

    /// Builders with a released result that counts, and such results: scored, improved, not withdrawn.
    ///
    /// # Errors
    ///
    /// The database fails.
    pub async fn counts(&self, challenge_id: i64, now: Timestamp) -> Result<(u64, u64)> {
        // By the conditions of the index `submissions_shown`, whose columns are all that is read.
        let row = sqlx::query(
            "SELECT count(DISTINCT account_id) AS builders, count(*) AS results FROM submissions WHERE challenge_id = ? \
             AND released_at <= ? AND mode = 'official' AND verdict = 'scored' AND improved = 1 AND withdrawn = 0",
        )
        .bind(challenge_id)
        .bind(now.millis())
        .fetch_one(&self.readers)
        .await?;
        Ok((row.whole("builders")?, row.whole("results")?))
    }

    /// A row with its texts, parsed unless they were before. `connection` sees what is committed only.
    async fn completed(&self, connection: &mut SqliteConnection, row: &SqliteRow) -> Result<ChallengeRow> {
        let (id, revision) = (row.id("id")?, row.whole("revision")?);
        if let Some(texts) = self.parsed.get(id, revision) {
            return read(row, texts);
        }
        // All of it again: it may have changed since.
        let row = sqlx::query("SELECT * FROM challenges WHERE id = ?").bind(id).fetch_one(connection).await?;
        let texts = texts(&row)?;
        self.parsed.keep(id, row.whole("revision")?, texts.clone());
        read(&row, texts)
    }
}

/// A challenge as a transaction sees it. What is not committed is not kept.
async fn in_transaction(connection: &mut SqliteConnection, id: i64) -> Result<ChallengeRow, RefusedOr> {
    let row = sqlx::query("SELECT * FROM challenges WHERE id = ?").bind(id).fetch_optional(connection).await?;
    let row = row.ok_or_else(Refusal::not_found)?;
    Ok(read(&row, texts(&row)?)?)
}

/// The name of a challenge.
pub(crate) async fn name(connection: &mut SqliteConnection, id: i64) -> Result<ChallengeName, RefusedOr> {
    let row = sqlx::query("SELECT name FROM challenges WHERE id = ?").bind(id).fetch_optional(connection).await?;
    Ok(row.ok_or_else(Refusal::not_found)?.parsed("name")?)
}

const fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Draft => "draft",
        Stage::Published => "published",
        Stage::Closed => "closed",
    }
}

fn texts(row: &SqliteRow) -> Result<Texts> {
    let draft = Arc::new(row.json("draft")?);
    let Some(json) = row.text_or_null("challenge_json")? else { return Ok(Texts { draft, published: None }) };
    let digest = row.digest("digest")?;
    if Digest::of(json.as_bytes()) != digest {
        return Err(StoreError::corrupt("challenge_json", format!("it is not the text of {digest}")));
    }
    let published = PublishedChallenge {
        challenge: row.json("challenge_json")?,
        json,
        digest,
        statement: row.text("statement")?,
        public_path: row.text("public_path")?.into(),
        official_path: row.text_or_null("official_path")?.map(PathBuf::from),
        validation_rows: row.whole("validation_rows")?,
        official_rows: row.whole("official_rows")?,
    };
    Ok(Texts { draft, published: Some(Arc::new(published)) })
}

fn read(row: &SqliteRow, texts: Texts) -> Result<ChallengeRow> {
    let stage = row.text("stage")?;
    let stages = [Stage::Draft, Stage::Published, Stage::Closed];
    let found = stages.into_iter().find(|of| stage_name(*of) == stage);
    let cover = match row.digest_or_null("cover")? {
        Some(digest) => Some(Cover { digest, media_type: row.text("cover_type")? }),
        None => None,
    };
    Ok(ChallengeRow {
        id: row.id("id")?,
        name: row.parsed("name")?,
        stage: found.ok_or_else(|| StoreError::corrupt("stage", stage))?,
        revision: row.whole("revision")?,
        draft: texts.draft,
        published: texts.published,
        created_at: row.time("created_at")?,
        published_at: row.time_or_null("published_at")?,
        closes_at: row.time_or_null("closes_at")?,
        closed_at: row.time_or_null("closed_at")?,
        cover,
        exploration: row.digest_or_null("exploration")?,
        frozen: row.json_or_null("frozen")?,
        revealed_salt: row.text_or_null("salt")?,
    })
}
