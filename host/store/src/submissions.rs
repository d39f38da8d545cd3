//! Submissions: accepted in one transaction with every rule that binds their builder.

use std::sync::Arc;

use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};
use thimble_api::error::{ErrorCode, ErrorDetail};
use thimble_api::id::ChallengeName;
use thimble_api::operator::RecordState;
use thimble_api::page::Page;
use thimble_api::submission::{Progress, Queued, QuotaLeft};
use thimble_api::{AccountName, Compute, SubmissionId, TeamName, Timestamp};
use thimble_challenge::Verdict;
use thimble_challenge::challenge::Visibility;
use thimble_challenge::result::{Mode, Published};
use thimble_datasets::Digest;

use crate::challenges::ChallengeRow;
use crate::columns::{self, Columns as _};
use crate::quota;
use crate::tokens::Principal;
use crate::{Actor, Refusal, RefusedOr, Store, StoreError, budgets, capacity, cursor, ending};

/// A submission as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct SubmissionRow {
    /// Its id.
    pub id: SubmissionId,
    /// Key of its challenge.
    pub challenge_id: i64,
    /// Its challenge.
    pub challenge: ChallengeName,
    /// Key of its builder.
    pub account_id: i64,
    /// Its builder.
    pub builder: AccountName,
    /// Key of its team.
    pub team_id: i64,
    /// Its team.
    pub team: TeamName,
    /// Validation or official.
    pub mode: Mode,
    /// Where it stands.
    pub state: RecordState,
    /// When it was accepted.
    pub submitted_at: Timestamp,
    /// When a worker last took it.
    pub started_at: Option<Timestamp>,
    /// When that worker was heard last.
    pub heartbeat_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// When its end was or will be told.
    pub released_at: Option<Timestamp>,
    /// The worker that has or had it.
    pub worker: Option<String>,
    /// Leases so far: the number that fences writes.
    pub attempts: u32,
    /// Leases that ran out.
    pub losses: u32,
    /// How it ended.
    pub verdict: Option<Verdict>,
    /// It was cancelled.
    pub cancelled: bool,
    /// False where the challenge publishes improvements only and this is none.
    pub improved: bool,
    /// Taken off the leaderboard.
    pub withdrawn: bool,
    /// Evaluated again by an operator.
    pub rescoring: bool,
    /// From the manifest.
    pub name: Option<String>,
    /// From the manifest.
    pub version: Option<String>,
    /// The builder's words.
    pub note: String,
    /// Digest of `solution.wasm`.
    pub component: Option<Digest>,
    /// Digest of what was sent.
    pub package: Digest,
    /// Bytes of what was sent.
    pub package_bytes: u64,
    /// An earlier one of the team with the same component.
    pub duplicate_of: Option<SubmissionId>,
    /// Held in the team's budget until it ends.
    pub reserved: Compute,
    /// Taken from the team's budget.
    pub charged: Compute,
    /// How far it has come, in validation.
    pub progress: Option<Progress>,
    /// The artifact with its whole result.
    pub result: Option<Digest>,
    /// What is told of an official run.
    pub published: Option<Arc<Published>>,
    /// Grows with every change.
    pub revision: u64,
    /// Results of its challenge appear on a grid of so many seconds.
    pub release_tick_seconds: u64,
}

/// A submission to make.
#[derive(Debug)]
pub struct NewSubmission<'a> {
    /// To what.
    pub challenge: &'a ChallengeRow,
    /// By whom.
    pub principal: &'a Principal,
    /// Validation or official.
    pub mode: Mode,
    /// The artifact that was sent.
    pub package: Digest,
    /// Its size.
    pub package_bytes: u64,
    /// Digest of `solution.wasm`.
    pub component: Option<Digest>,
    /// From the manifest.
    pub name: Option<String>,
    /// From the manifest.
    pub version: Option<String>,
    /// The builder's words, at most 1,024 bytes.
    pub note: String,
    /// Two requests with the same key are one submission.
    pub idempotency_key: Option<String>,
    /// Run it although the team has submitted the same component before.
    pub again: bool,
}

/// A submission that was made, or made before under the same key.
#[derive(Debug)]
pub struct Submitted {
    /// As it stands.
    pub row: SubmissionRow,
    /// What is left of the quota.
    pub quota: QuotaLeft,
    /// Nothing new was made.
    pub repeated: bool,
}

/// Which submissions are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this account only.
    pub account_id: Option<i64>,
    /// To this challenge only.
    pub challenge_id: Option<i64>,
    /// In this mode only.
    pub mode: Option<Mode>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT s.*, c.name AS challenge, a.name AS builder, t.name AS team, \
             coalesce(json_extract(c.challenge_json, '$.release.tick_seconds'), 0) AS tick \
             FROM submissions s JOIN challenges c ON c.id = s.challenge_id JOIN accounts a ON a.id = s.account_id \
             JOIN teams t ON t.id = s.team_id ",
            $rest
        )
    };
}

/// The most that a run of `challenge` can be charged: training, and twice the prediction of every test row, since rows
/// are replayed.
pub fn estimate(challenge: &ChallengeRow, mode: Mode) -> Compute {
    let Some(published) = &challenge.published else { return Compute::ZERO };
    let limits = &published.challenge.limits;
    let rows = match mode {
        Mode::Validation => published.validation_rows,
        Mode::Official => published.official_rows,
    };
    let prediction = Compute::from_flops(limits.prediction_flops_per_sample.0).times(rows);
    Compute::from_flops(limits.training_flops.0).plus(prediction.times(2))
}

impl Store {
    /// Accepts a submission, or says which rule is against it. Everything is checked in the transaction that inserts it, and
    /// once this returns, the submission survives a power cut.
    ///
    /// # Errors
    /// The challenge takes no submissions, the account may not see it, the key was used for something else, the same component
    /// was submitted before, a quota or the budget is used up; or the database fails.
    pub async fn submit(&self, new: NewSubmission<'_>, now: Timestamp) -> Result<Submitted, RefusedOr> {
        let mut transaction = self.write().await?;
        let connection = &mut *transaction;
        if let Some(row) = repeated(connection, &new).await? {
            let quota = quota::left(connection, new.challenge, new.principal.account_id, new.mode, now).await?;
            return Ok(Submitted { row, quota, repeated: true });
        }
        check_open(connection, &new, now).await?;
        if !self.has_artifact(&new.package).await? {
            // Removed between its arrival and here, as what an older submission no longer needed.
            let refusal = Refusal::new(ErrorCode::Unavailable, "the package is not kept any more: send it again");
            return Err(Refusal { retry_after_seconds: Some(1), ..refusal }.into());
        }
        let duplicate = earlier(connection, &new).await?;
        if let Some(duplicate) = duplicate.filter(|_| !new.again) {
            return Err(Refusal {
                details: vec![ErrorDetail { field: "duplicate_of".to_owned(), message: duplicate.to_string() }],
                ..Refusal::new(
                    ErrorCode::Conflict,
                    format!(
                        "the team has submitted this component before, as {duplicate}; the same component gives the same \
                         result, so it is not run and not charged again (send `again` to run it all the same)"
                    ),
                )
            }
            .into());
        }
        let quota = quota::left(connection, new.challenge, new.principal.account_id, new.mode, now).await?;
        quota::check(&quota, now)?;
        let reserve = estimate(new.challenge, new.mode);
        budgets::reserve(connection, new.challenge, new.principal.team_id, reserve).await?;
        let id = SubmissionId::fresh();
        insert(connection, id, &new, duplicate, reserve, now).await?;
        let row = row(connection, id).await?.ok_or_else(|| StoreError::corrupt("submission", "it vanished"))?;
        let quota = quota::left(connection, new.challenge, new.principal.account_id, new.mode, now).await?;
        transaction.commit().await?;
        self.submitted.notify_waiters();
        Ok(Submitted { row, quota, repeated: false })
    }

    /// A submission.
    ///
    /// # Errors
    /// The database fails.
    pub async fn submission(&self, id: SubmissionId) -> Result<Option<SubmissionRow>, StoreError> {
        let mut connection = self.readers.acquire().await?;
        row(&mut connection, id).await
    }

    /// Submissions, newest first.
    ///
    /// # Errors
    /// `after` is none of ours; or the database fails.
    pub async fn submissions(
        &self,
        filter: Filter,
        after: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Page<SubmissionRow>, RefusedOr> {
        let limit = cursor::limit(limit)?;
        let after: Option<SubmissionId> = cursor::after(after)?;
        let rows = sqlx::query(select!(
            "WHERE (?1 IS NULL OR s.account_id = ?1) AND (?2 IS NULL OR s.challenge_id = ?2) \
             AND (?3 IS NULL OR s.mode = ?3) AND (?4 IS NULL OR s.id < ?4) ORDER BY s.id DESC LIMIT ?5"
        ))
        .bind(filter.account_id)
        .bind(filter.challenge_id)
        .bind(filter.mode.map(mode_name))
        .bind(after.map(|id| id.as_bytes().to_vec()))
        .bind(i64::from(limit) + 1)
        .fetch_all(&self.readers)
        .await?;
        let items = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(cursor::page(items, limit, |row| row.id))
    }

    /// Where a queued submission stands in the queue.
    ///
    /// # Errors
    /// The database fails.
    pub async fn place(&self, row: &SubmissionRow, now: Timestamp) -> Result<Queued, StoreError> {
        let mut connection = self.readers.acquire().await?;
        capacity::place(&mut connection, row, now).await
    }

    /// What is left of a quota.
    ///
    /// # Errors
    /// The database fails.
    pub async fn quota(
        &self,
        challenge: &ChallengeRow,
        account_id: i64,
        mode: Mode,
        now: Timestamp,
    ) -> Result<QuotaLeft, StoreError> {
        let mut connection = self.readers.acquire().await?;
        quota::left(&mut connection, challenge, account_id, mode, now).await
    }

    /// Ends a submission: at once while it is queued, within seconds while it runs. An official run that has ended and
    /// is not released yet stays as it is, and its builder sees that at the release.
    ///
    /// # Errors
    /// There is none of this id, or it has ended; or the database fails.
    pub async fn cancel(&self, id: SubmissionId, actor: &Actor, now: Timestamp) -> Result<SubmissionRow, RefusedOr> {
        let mut transaction = self.write().await?;
        let before = row(&mut transaction, id).await?.ok_or_else(Refusal::not_found)?;
        match before.state {
            RecordState::Queued => {
                ending::end_without(&mut transaction, &before, Compute::ZERO, ending::Without::CancelledQueued, now)
                    .await?;
            }
            RecordState::Running => {
                sqlx::query("UPDATE submissions SET cancel_requested = 1, revision = revision + 1 WHERE id = ?")
                    .bind(id.as_bytes().as_slice())
                    .execute(&mut *transaction)
                    .await?;
            }
            // Until its release it looks alive, and is answered as if it were: a refusal would tell that it has ended.
            RecordState::Finished if before.mode == Mode::Official && before.released_at.is_some_and(|at| at > now) => {
            }
            RecordState::Finished => {
                return Err(Refusal::new(ErrorCode::Conflict, "it has ended: there is nothing to cancel").into());
            }
        }
        if actor.to_string() != before.builder.as_str() {
            crate::audit::record(&mut transaction, actor, "submission.cancel", &id.to_string(), &[], now).await?;
        }
        let after = row(&mut transaction, id).await?.ok_or_else(Refusal::not_found)?;
        transaction.commit().await?;
        Ok(after)
    }
}

/// The submission that was made under the same key.
async fn repeated(
    connection: &mut SqliteConnection,
    new: &NewSubmission<'_>,
) -> Result<Option<SubmissionRow>, RefusedOr> {
    let Some(key) = &new.idempotency_key else { return Ok(None) };
    let found = sqlx::query(select!("WHERE s.account_id = ? AND s.challenge_id = ? AND s.idempotency_key = ?"))
        .bind(new.principal.account_id)
        .bind(new.challenge.id)
        .bind(key)
        .fetch_optional(connection)
        .await?;
    let Some(row) = found.as_ref().map(read).transpose()? else { return Ok(None) };
    if row.package != new.package || row.mode != new.mode {
        let message = format!("this idempotency key was used for another submission, {}: take a new key", row.id);
        return Err(Refusal::new(ErrorCode::Conflict, message).into());
    }
    Ok(Some(row))
}

/// The challenge takes submissions, and this account's.
async fn check_open(
    connection: &mut SqliteConnection,
    new: &NewSubmission<'_>,
    now: Timestamp,
) -> Result<(), RefusedOr> {
    let conflict = |message: &str| Err(Refusal::new(ErrorCode::Conflict, message).into());
    // As it is in this transaction: the row that was handed in may be older.
    let stage: Option<String> = sqlx::query_scalar("SELECT stage FROM challenges WHERE id = ?")
        .bind(new.challenge.id)
        .fetch_optional(&mut *connection)
        .await?;
    if stage.as_deref() != Some("published") || new.challenge.published.is_none() {
        return conflict("the challenge takes no submissions: it is closed, or not published yet");
    }
    if let Some(closes_at) = new.challenge.closes_at.filter(|closes_at| *closes_at <= now) {
        return conflict(&format!("the challenge takes no submissions since {closes_at}"));
    }
    let official = new.challenge.published.as_ref().is_some_and(|published| published.official_path.is_some());
    if new.mode == Mode::Official && !official {
        return conflict("the challenge has no official data yet: submit in validation");
    }
    let public = new.challenge.visibility() == Visibility::Public;
    let member: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM members WHERE challenge_id = ? AND account_id = ?)")
            .bind(new.challenge.id)
            .bind(new.principal.account_id)
            .fetch_one(connection)
            .await?;
    if public || member || new.principal.scope == thimble_api::account::Scope::Operator {
        return Ok(());
    }
    Err(Refusal::not_found().into())
}

/// The team's first submission of the same component to the same challenge in the same mode, unless it never had a result.
async fn earlier(
    connection: &mut SqliteConnection,
    new: &NewSubmission<'_>,
) -> Result<Option<SubmissionId>, StoreError> {
    let Some(component) = new.component else { return Ok(None) };
    let id: Option<Vec<u8>> = sqlx::query_scalar(
        "SELECT id FROM submissions WHERE challenge_id = ? AND team_id = ? AND mode = ? AND component = ? \
         AND cancelled = 0 AND (verdict IS NULL OR verdict <> 'platform_fault') ORDER BY id LIMIT 1",
    )
    .bind(new.challenge.id)
    .bind(new.principal.team_id)
    .bind(mode_name(new.mode))
    .bind(component.as_bytes().as_slice())
    .fetch_optional(connection)
    .await?;
    id.map(|id| columns::submission_id(&id)).transpose()
}

async fn insert(
    connection: &mut SqliteConnection,
    id: SubmissionId,
    new: &NewSubmission<'_>,
    duplicate: Option<SubmissionId>,
    reserve: Compute,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO submissions (id, challenge_id, account_id, team_id, mode, state, submitted_at, name, version, note, \
         component, package, package_bytes, duplicate_of, idempotency_key, concurrency, reserved) \
         VALUES (?, ?, ?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(id.as_bytes().as_slice())
    .bind(new.challenge.id)
    .bind(new.principal.account_id)
    .bind(new.principal.team_id)
    .bind(mode_name(new.mode))
    .bind(now.millis())
    .bind(&new.name)
    .bind(&new.version)
    .bind(&new.note)
    .bind(new.component.map(|digest| digest.as_bytes().to_vec()))
    .bind(new.package.as_bytes().as_slice())
    .bind(columns::stored_whole(new.package_bytes))
    .bind(duplicate.map(|id| id.as_bytes().to_vec()))
    .bind(&new.idempotency_key)
    .bind(i64::from(new.challenge.draft.rules.concurrency.max(1)))
    .bind(columns::stored_compute(reserve))
    .execute(connection)
    .await?;
    Ok(())
}

/// A submission, inside a transaction or not.
pub(crate) async fn row(
    connection: &mut SqliteConnection,
    id: SubmissionId,
) -> Result<Option<SubmissionRow>, StoreError> {
    let found =
        sqlx::query(select!("WHERE s.id = ?")).bind(id.as_bytes().as_slice()).fetch_optional(connection).await?;
    found.as_ref().map(read).transpose()
}

/// How a mode stands in the database.
pub(crate) const fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Validation => "validation",
        Mode::Official => "official",
    }
}

/// Reads a row that [`select!`] selected.
pub(crate) fn read(row: &SqliteRow) -> Result<SubmissionRow, StoreError> {
    let corrupt = |reason: String| StoreError::corrupt("submission", reason);
    let state: String = row.try_get("state")?;
    let mode: String = row.try_get("mode")?;
    let verdict: Option<String> = row.try_get("verdict")?;
    let verdict = match verdict {
        None => None,
        Some(name) => Some(
            Verdict::ALL
                .into_iter()
                .find(|verdict| verdict.name() == name)
                .ok_or_else(|| corrupt(format!("verdict `{name}`")))?,
        ),
    };
    let published: Option<Published> = row.json_or_null("published")?;
    Ok(SubmissionRow {
        id: row.submission_id("id")?,
        challenge_id: row.try_get("challenge_id")?,
        challenge: row.parsed("challenge")?,
        account_id: row.try_get("account_id")?,
        builder: row.parsed("builder")?,
        team_id: row.try_get("team_id")?,
        team: row.parsed("team")?,
        mode: match mode.as_str() {
            "validation" => Mode::Validation,
            "official" => Mode::Official,
            other => return Err(corrupt(format!("mode `{other}`"))),
        },
        state: match state.as_str() {
            "queued" => RecordState::Queued,
            "running" => RecordState::Running,
            "finished" => RecordState::Finished,
            other => return Err(corrupt(format!("state `{other}`"))),
        },
        submitted_at: row.time("submitted_at")?,
        started_at: row.time_or_null("started_at")?,
        heartbeat_at: row.time_or_null("heartbeat_at")?,
        finished_at: row.time_or_null("finished_at")?,
        released_at: row.time_or_null("released_at")?,
        worker: row.try_get("worker")?,
        attempts: row.whole("attempts")?.try_into().map_err(|_| corrupt("attempts".to_owned()))?,
        losses: row.whole("losses")?.try_into().map_err(|_| corrupt("losses".to_owned()))?,
        verdict,
        cancelled: row.try_get("cancelled")?,
        improved: row.try_get("improved")?,
        withdrawn: row.try_get("withdrawn")?,
        rescoring: row.try_get("rescoring")?,
        name: row.try_get("name")?,
        version: row.try_get("version")?,
        note: row.try_get("note")?,
        component: row.digest_or_null("component")?,
        package: row.digest("package")?,
        package_bytes: row.whole("package_bytes")?,
        duplicate_of: row.submission_id_or_null("duplicate_of")?,
        reserved: row.compute("reserved")?,
        charged: row.compute("charged")?,
        progress: row.json_or_null("progress")?,
        result: row.digest_or_null("result")?,
        published: published.map(Arc::new),
        revision: row.whole("revision")?,
        release_tick_seconds: row.whole("tick")?,
    })
}
