//! Bearer tokens: who they belong to, what they may do, how long.

use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use thimble_api::account::{NewToken, Scope, TokenRequest, TokenView};
use thimble_api::{AccountName, ErrorCode, Page, TeamName, Timestamp};

use crate::columns::Columns as _;
use crate::secret::{Kind, Presented, Secret};
use crate::{Actor, Refusal, RefusedOr, Result, Store, StoreError, accounts, audit, cursor};

/// `last_used_at` is written once in so many milliseconds.
const USE_STEP_MILLIS: i64 = 60_000;

/// Who asks: what a token that is valid says of its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Key of the account.
    pub account_id: i64,
    /// The account.
    pub account: AccountName,
    /// Key of its team.
    pub team_id: i64,
    /// Its team.
    pub team: TeamName,
    /// What the token may do.
    pub scope: Scope,
    /// Key of the token.
    pub token_id: i64,
    /// The token's public beginning.
    pub token_prefix: String,
    /// When the token ends; none for never.
    pub expires_at: Option<Timestamp>,
}

impl Principal {
    /// As the audit log names it.
    pub fn actor(&self) -> Actor {
        Actor::Account { account: self.account.clone() }
    }
}

impl Store {
    /// Makes a token, and the account and team where there are none of these names.
    ///
    /// # Errors
    ///
    /// The account is disabled or in another team, the end is not after `now`; or the database fails.
    pub async fn create_token(
        &self,
        request: &TokenRequest,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<NewToken, RefusedOr> {
        if let Some(end) = request.expires_at.filter(|end| *end <= now) {
            return Err(Refusal::of_field("expires_at", format!("is {end} and must be later than now, {now}")).into());
        }
        let mut transaction = self.write().await?;
        let (name, team) = (&request.account, request.team.as_ref());
        let account = match accounts::existing(&mut transaction, name, team).await? {
            Some(account) => account,
            None => accounts::create(&mut transaction, name, team, now).await?,
        };
        let kind = (request.scope, request.expires_at);
        let token = insert(&mut transaction, (account.id, name), kind, now).await?;
        let details = [("prefix", token.token.prefix.clone()), ("scope", request.scope.name().to_owned())];
        audit::record(&mut transaction, actor, "token.create", name.as_str(), &details, now).await?;
        transaction.commit().await?;
        Ok(token)
    }

    /// Who has this secret; none where it is no token, one that has ended or was revoked, or one of a disabled account.
    ///
    /// # Errors
    ///
    /// The database fails.
    pub async fn authenticate(&self, secret: &str, now: Timestamp) -> Result<Option<Principal>> {
        let Some(presented) = Presented::parse(Kind::Token, secret) else { return Ok(None) };
        let row = sqlx::query(
            "SELECT t.hash, t.id AS token_id, t.prefix, t.scope, t.expires_at, t.revoked_at, t.last_used_at, \
             a.id AS account_id, a.name AS account, a.disabled_at, a.team_id, m.name AS team \
             FROM tokens t JOIN accounts a ON a.id = t.account_id JOIN teams m ON m.id = a.team_id WHERE t.prefix = ?",
        )
        .bind(presented.prefix)
        .fetch_optional(&self.readers)
        .await?;
        let hash = row.as_ref().map(|row| row.digest("hash")).transpose()?;
        if !presented.matches(hash.as_ref().map(|hash| hash.as_bytes().as_slice())) {
            return Ok(None);
        }
        let Some(row) = row else { return Ok(None) };
        self.seen(&row, now).await
    }

    /// Whom a row of a token and its account stands for, if the token is valid; notes that it was used.
    pub(crate) async fn seen(&self, row: &SqliteRow, now: Timestamp) -> Result<Option<Principal>> {
        let expires_at = row.time_or_null("expires_at")?;
        let ended = expires_at.is_some_and(|end| end <= now);
        if ended || row.time_or_null("revoked_at")?.is_some() || row.time_or_null("disabled_at")?.is_some() {
            return Ok(None);
        }
        let token_id = row.id("token_id")?;
        let minute = now.millis() - now.millis() % USE_STEP_MILLIS;
        if row.time_or_null("last_used_at")?.is_none_or(|last| last.millis() < minute) {
            let noted = sqlx::query("UPDATE tokens SET last_used_at = max(coalesce(last_used_at, 0), ?) WHERE id = ?")
                .bind(minute)
                .bind(token_id)
                .execute(&self.writer)
                .await;
            // A full disk does not lock anyone out.
            if let Err(error) = noted {
                tracing::warn!(%error, "the use of a token could not be noted");
            }
        }
        Ok(Some(Principal {
            account_id: row.id("account_id")?,
            account: row.parsed("account")?,
            team_id: row.id("team_id")?,
            team: row.parsed("team")?,
            scope: scope(row)?,
            token_id,
            token_prefix: row.text("prefix")?,
            expires_at,
        }))
    }

    /// All tokens, newest first.
    ///
    /// # Errors
    ///
    /// `after` or `limit` that no part of the list has; or the database fails.
    pub async fn tokens(&self, after: Option<&str>, limit: Option<u32>) -> Result<Page<TokenView>, RefusedOr> {
        let limit = cursor::limit(limit)?;
        let before = cursor::after::<i64>(after)?.unwrap_or(i64::MAX);
        let rows = sqlx::query(
            "SELECT t.id, t.prefix, a.name AS account, t.scope, t.created_at, t.expires_at, t.revoked_at, t.last_used_at \
             FROM tokens t JOIN accounts a ON a.id = t.account_id WHERE t.id < ? ORDER BY t.id DESC LIMIT ?",
        )
        .bind(before)
        .bind(limit + 1)
        .fetch_all(&self.readers)
        .await?;
        let mut tokens = Vec::with_capacity(rows.len());
        for row in &rows {
            tokens.push((row.id("id")?, view(row)?));
        }
        let page = cursor::page(tokens, limit, |(id, _)| *id);
        Ok(Page { items: page.items.into_iter().map(|(_, token)| token).collect(), next: page.next })
    }

    /// Ends a token and its sessions. False where there is none of this beginning.
    ///
    /// # Errors
    ///
    /// The database fails.
    pub async fn revoke_token(&self, prefix: &str, actor: &Actor, now: Timestamp) -> Result<bool> {
        let mut transaction = self.write().await?;
        let row = sqlx::query(
            "SELECT t.id, t.revoked_at, a.name AS account FROM tokens t JOIN accounts a ON a.id = t.account_id \
             WHERE t.prefix = ?",
        )
        .bind(prefix)
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = row else { return Ok(false) };
        if row.time_or_null("revoked_at")?.is_none() {
            end(&mut transaction, row.id("id")?, now).await?;
            let account: AccountName = row.parsed("account")?;
            let details = [("prefix", prefix.to_owned())];
            audit::record(&mut transaction, actor, "token.revoke", account.as_str(), &details, now).await?;
            transaction.commit().await?;
        }
        Ok(true)
    }

    /// A new secret with the same rights and the same end; the token of `principal` ends, and its sessions with it.
    ///
    /// # Errors
    ///
    /// The token has ended since; or the database fails.
    pub async fn rotate_token(&self, principal: &Principal, now: Timestamp) -> Result<NewToken, RefusedOr> {
        let mut transaction = self.write().await?;
        let valid: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM tokens t JOIN accounts a ON a.id = t.account_id WHERE t.id = ? \
             AND t.revoked_at IS NULL AND a.disabled_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > ?))",
        )
        .bind(principal.token_id)
        .bind(now.millis())
        .fetch_one(&mut *transaction)
        .await?;
        if !valid {
            return Err(Refusal::new(ErrorCode::Unauthorized, "the token has ended: ask for another").into());
        }
        end(&mut transaction, principal.token_id, now).await?;
        let kind = (principal.scope, principal.expires_at);
        let token = insert(&mut transaction, (principal.account_id, &principal.account), kind, now).await?;
        let details = [("from", principal.token_prefix.clone()), ("prefix", token.token.prefix.clone())];
        let (actor, account) = (principal.actor(), principal.account.as_str());
        audit::record(&mut transaction, &actor, "token.rotate", account, &details, now).await?;
        transaction.commit().await?;
        Ok(token)
    }
}

/// Makes a token for an account.
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    (account_id, account): (i64, &AccountName),
    (scope, expires_at): (Scope, Option<Timestamp>),
    now: Timestamp,
) -> Result<NewToken> {
    let secret = Secret::fresh(connection, Kind::Token).await?;
    sqlx::query(
        "INSERT INTO tokens (prefix, hash, account_id, scope, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(secret.prefix())
    .bind(secret.hash().as_slice())
    .bind(account_id)
    .bind(scope.name())
    .bind(now.millis())
    .bind(expires_at.map(Timestamp::millis))
    .execute(connection)
    .await?;
    let token = TokenView {
        prefix: secret.prefix().to_owned(),
        account: account.clone(),
        scope,
        created_at: now,
        expires_at,
        revoked_at: None,
        last_used_at: None,
    };
    Ok(NewToken { secret: secret.into_exposed(), token })
}

async fn end(connection: &mut SqliteConnection, token_id: i64, now: Timestamp) -> Result<()> {
    sqlx::query("UPDATE tokens SET revoked_at = ? WHERE id = ?")
        .bind(now.millis())
        .bind(token_id)
        .execute(&mut *connection)
        .await?;
    sqlx::query("DELETE FROM sessions WHERE token_id = ?").bind(token_id).execute(connection).await?;
    Ok(())
}

fn view(row: &SqliteRow) -> Result<TokenView> {
    Ok(TokenView {
        prefix: row.text("prefix")?,
        account: row.parsed("account")?,
        scope: scope(row)?,
        created_at: row.time("created_at")?,
        expires_at: row.time_or_null("expires_at")?,
        revoked_at: row.time_or_null("revoked_at")?,
        last_used_at: row.time_or_null("last_used_at")?,
    })
}

fn scope(row: &SqliteRow) -> Result<Scope> {
    let name = row.text("scope")?;
    let scope = [Scope::Builder, Scope::Operator].into_iter().find(|scope| scope.name() == name);
    scope.ok_or_else(|| StoreError::corrupt("scope", name))
}
