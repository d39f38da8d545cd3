//! Sessions of pages: a token was shown once, a cookie stands for it until it ends.

use sha2::{Digest as _, Sha256};
use thimble_api::Timestamp;

use crate::columns::Columns as _;
use crate::secret::{Kind, Presented, Secret};
use crate::tokens::Principal;
use crate::{Result, Store};

/// How long a session lasts, in milliseconds: 12 hours.
const LENGTH_MILLIS: i64 = 12 * 60 * 60 * 1_000;

/// A session that was just opened.
#[derive(Debug, Clone)]
pub struct Session {
    /// What the cookie holds.
    pub secret: Secret,
    /// What every form of the session holds.
    pub csrf: String,
    /// After 12 hours, or with its token.
    pub expires_at: Timestamp,
}

impl Store {
    /// Opens a session with the rights of `principal`'s token, for 12 hours or until the token ends.
    ///
    /// # Errors
    ///
    /// The database fails.
    pub async fn open_session(&self, principal: &Principal, now: Timestamp) -> Result<Session> {
        let last = now.plus_millis(LENGTH_MILLIS);
        let expires_at = principal.expires_at.map_or(last, |end| end.min(last));
        let mut transaction = self.write().await?;
        sqlx::query("DELETE FROM sessions WHERE expires_at <= ?").bind(now.millis()).execute(&mut *transaction).await?;
        let secret = Secret::fresh(&mut transaction, Kind::Session).await?;
        sqlx::query("INSERT INTO sessions (prefix, hash, token_id, created_at, expires_at) VALUES (?, ?, ?, ?, ?)")
            .bind(secret.prefix())
            .bind(secret.hash().as_slice())
            .bind(principal.token_id)
            .bind(now.millis())
            .bind(expires_at.millis())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Session { csrf: csrf(secret.expose()), secret, expires_at })
    }

    /// Who has this session, and what its forms hold; none where it or its token has ended.
    ///
    /// # Errors
    ///
    /// The database fails.
    pub async fn session(&self, secret: &str, now: Timestamp) -> Result<Option<(Principal, String)>> {
        let Some(presented) = Presented::parse(Kind::Session, secret) else { return Ok(None) };
        let row = sqlx::query(
            "SELECT s.hash, s.expires_at AS session_end, t.id AS token_id, t.prefix, t.scope, t.expires_at, t.revoked_at, \
             t.last_used_at, a.id AS account_id, a.name AS account, a.disabled_at, a.team_id, m.name AS team \
             FROM sessions s JOIN tokens t ON t.id = s.token_id JOIN accounts a ON a.id = t.account_id \
             JOIN teams m ON m.id = a.team_id WHERE s.prefix = ?",
        )
        .bind(presented.prefix)
        .fetch_optional(&self.readers)
        .await?;
        let hash = row.as_ref().map(|row| row.digest("hash")).transpose()?;
        if !presented.matches(hash.as_ref().map(|hash| hash.as_bytes().as_slice())) {
            return Ok(None);
        }
        let Some(row) = row else { return Ok(None) };
        if row.time("session_end")? <= now {
            return Ok(None);
        }
        Ok(self.seen(&row, now).await?.map(|principal| (principal, csrf(secret))))
    }

    /// Ends a session; does nothing where there is none.
    ///
    /// # Errors
    ///
    /// The database fails.
    pub async fn close_session(&self, secret: &str) -> Result<()> {
        let Some(presented) = Presented::parse(Kind::Session, secret) else { return Ok(()) };
        let row = sqlx::query("SELECT hash FROM sessions WHERE prefix = ?")
            .bind(presented.prefix)
            .fetch_optional(&self.readers)
            .await?;
        let hash = row.map(|row| row.digest("hash")).transpose()?;
        if presented.matches(hash.as_ref().map(|hash| hash.as_bytes().as_slice())) {
            sqlx::query("DELETE FROM sessions WHERE prefix = ?").bind(presented.prefix).execute(&self.writer).await?;
        }
        Ok(())
    }
}

/// What the forms of a session hold: known only with its secret, and tells nothing of it.
fn csrf(secret: &str) -> String {
    hex::encode(Sha256::new().chain_update(b"thimble csrf\0").chain_update(secret).finalize())
}
