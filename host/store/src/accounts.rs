//! Accounts and their teams. An account has one team for good; a team's accounts share its budgets.

use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use thimble_api::operator::AccountView;
use thimble_api::{AccountName, ErrorCode, Page, TeamName, Timestamp};

use crate::columns::Columns as _;
use crate::{Actor, Refusal, RefusedOr, Result, Store, audit, cursor};

/// Keys of an account.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account {
    pub(crate) id: i64,
    pub(crate) team_id: i64,
}

impl Store {
    /// All accounts by name.
    ///
    /// # Errors
    ///
    /// `after` or `limit` that no part of the list has; or the database fails.
    pub async fn accounts(&self, after: Option<&str>, limit: Option<u32>) -> Result<Page<AccountView>, RefusedOr> {
        let limit = cursor::limit(limit)?;
        let after: Option<AccountName> = cursor::after(after)?;
        let rows = sqlx::query(
            "SELECT a.name, t.name AS team, a.disabled_at, a.created_at FROM accounts a JOIN teams t ON t.id = a.team_id \
             WHERE a.name > ? ORDER BY a.name LIMIT ?",
        )
        .bind(after.as_ref().map_or("", AccountName::as_str))
        .bind(limit + 1)
        .fetch_all(&self.readers)
        .await?;
        let accounts = rows.iter().map(view).collect::<Result<_>>()?;
        Ok(cursor::page(accounts, limit, |account: &AccountView| account.name.clone()))
    }

    /// Takes an account every right, or gives them back. None where there is no such account.
    ///
    /// # Errors
    ///
    /// The database fails.
    pub async fn set_account_disabled(
        &self,
        name: &AccountName,
        disabled: bool,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Option<AccountView>> {
        let mut transaction = self.write().await?;
        let changed = sqlx::query(
            "UPDATE accounts SET disabled_at = CASE WHEN ?1 THEN ?2 END WHERE name = ?3 AND (disabled_at IS NULL) = ?1",
        )
        .bind(disabled)
        .bind(now.millis())
        .bind(name.as_str())
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        if changed > 0 {
            let action = if disabled { "account.disable" } else { "account.enable" };
            audit::record(&mut transaction, actor, action, name.as_str(), &[], now).await?;
        }
        let row = sqlx::query(
            "SELECT a.name, t.name AS team, a.disabled_at, a.created_at FROM accounts a JOIN teams t ON t.id = a.team_id \
             WHERE a.name = ?",
        )
        .bind(name.as_str())
        .fetch_optional(&mut *transaction)
        .await?;
        transaction.commit().await?;
        row.as_ref().map(view).transpose()
    }
}

fn view(row: &SqliteRow) -> Result<AccountView> {
    Ok(AccountView {
        name: row.parsed("name")?,
        team: row.parsed("team")?,
        disabled: row.time_or_null("disabled_at")?.is_some(),
        created_at: row.time("created_at")?,
    })
}

/// The account of this name, in this team where one is named.
pub(crate) async fn existing(
    connection: &mut SqliteConnection,
    name: &AccountName,
    team: Option<&TeamName>,
) -> Result<Option<Account>, RefusedOr> {
    let row = sqlx::query(
        "SELECT a.id, a.team_id, a.disabled_at, t.name AS team FROM accounts a JOIN teams t ON t.id = a.team_id \
         WHERE a.name = ?",
    )
    .bind(name.as_str())
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let its_team: TeamName = row.parsed("team")?;
    if team.is_some_and(|team| *team != its_team) {
        let message = format!("account {name} is in team {its_team} and stays there: leave the team out");
        return Err(Refusal::new(ErrorCode::Conflict, message).into());
    }
    if row.time_or_null("disabled_at")?.is_some() {
        let message = format!("account {name} is disabled: enable it first");
        return Err(Refusal::new(ErrorCode::Conflict, message).into());
    }
    Ok(Some(Account { id: row.id("id")?, team_id: row.id("team_id")? }))
}

/// Makes an account. Its team is `team`, which is made where there is none, or a new one of its own name: nobody comes to
/// share a team's budget by a name that happens to be the same.
pub(crate) async fn create(
    connection: &mut SqliteConnection,
    name: &AccountName,
    team: Option<&TeamName>,
    now: Timestamp,
) -> Result<Account, RefusedOr> {
    let team_name = team.map_or(name.as_str(), TeamName::as_str);
    let found: Option<i64> = sqlx::query_scalar("SELECT id FROM teams WHERE name = ?")
        .bind(team_name)
        .fetch_optional(&mut *connection)
        .await?;
    let team_id = match found {
        Some(_) if team.is_none() => {
            let message = format!("there is a team of the name {name} already: name the account's team");
            return Err(Refusal::new(ErrorCode::Conflict, message).into());
        }
        Some(id) => id,
        None => {
            let team = sqlx::query_scalar("INSERT INTO teams (name) VALUES (?) RETURNING id").bind(team_name);
            team.fetch_one(&mut *connection).await?
        }
    };
    let id = sqlx::query_scalar("INSERT INTO accounts (name, team_id, created_at) VALUES (?, ?, ?) RETURNING id")
        .bind(name.as_str())
        .bind(team_id)
        .bind(now.millis())
        .fetch_one(connection)
        .await?;
    Ok(Account { id, team_id })
}
