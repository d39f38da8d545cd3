//! Compute budgets of teams: held when a submission is accepted, taken when it ends.

use sqlx::{Row as _, SqliteConnection};
use thimble_api::error::ErrorCode;
use thimble_api::leaderboard::BudgetUse;
use thimble_api::operator::BudgetRequest;
use thimble_api::{AccountName, Compute, TeamName, Timestamp};

use crate::challenges::ChallengeRow;
use crate::columns::{Columns as _, stored_compute};
use crate::{Actor, Refusal, RefusedOr, Store, StoreError, audit};

/// A team on a challenge.
#[derive(Debug, Clone, PartialEq)]
pub struct TeamRow {
    /// The team.
    pub team: TeamName,
    /// Its accounts.
    pub members: Vec<AccountName>,
    /// Its budget, exact.
    pub budget: BudgetUse,
}

impl Store {
    /// A team's budget, exact. A team that has not submitted yet has what the challenge gives every team.
    ///
    /// # Errors
    /// The database fails.
    pub async fn budget(&self, challenge: &ChallengeRow, team_id: i64) -> Result<BudgetUse, StoreError> {
        let mut connection = self.readers.acquire().await?;
        Ok(stored(&mut connection, challenge.id, team_id)
            .await?
            .unwrap_or_else(|| budget_use(challenge.draft.rules.team_budget, Compute::ZERO, Compute::ZERO, false)))
    }

    /// A team's budget as its builders may see it: official runs hold what they may use until they are released, and what was used
    /// shows in whole hundredths only. Otherwise a budget told when a run ended, and what it used.
    ///
    /// # Errors
    /// The database fails.
    pub async fn visible_budget(
        &self,
        challenge: &ChallengeRow,
        team_id: i64,
        now: Timestamp,
    ) -> Result<BudgetUse, StoreError> {
        let exact = self.budget(challenge, team_id).await?;
        let row = sqlx::query(
            "SELECT coalesce(sum(charged), 0) AS charged, coalesce(sum(reserved), 0) AS reserved FROM submissions \
             WHERE challenge_id = ? AND team_id = ? AND mode = 'official' AND state = 'finished' AND released_at > ?",
        )
        .bind(challenge.id)
        .bind(team_id)
        .bind(now.millis())
        .fetch_one(&self.readers)
        .await?;
        let used = exact.used.minus(row.compute("charged")?).in_steps_of(exact.granted);
        let reserved = exact.reserved.plus(row.compute("reserved")?);
        Ok(budget_use(exact.granted, used, reserved, exact.revoked))
    }

    /// Gives a team more or less compute than before, or takes it away. What runs goes on.
    ///
    /// # Errors
    /// There is no such team; or the database fails.
    pub async fn set_budget(
        &self,
        challenge: &ChallengeRow,
        team: &TeamName,
        request: BudgetRequest,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<TeamRow, RefusedOr> {
        let mut transaction = self.write().await?;
        let team_id: Option<i64> = sqlx::query_scalar("SELECT id FROM teams WHERE name = ?")
            .bind(team.as_str())
            .fetch_optional(&mut *transaction)
            .await?;
        let team_id = team_id.ok_or_else(Refusal::not_found)?;
        sqlx::query(
            "INSERT INTO budgets (challenge_id, team_id, granted, revoked) VALUES (?, ?, ?, ?) \
             ON CONFLICT DO UPDATE SET granted = excluded.granted, revoked = excluded.revoked",
        )
        .bind(challenge.id)
        .bind(team_id)
        .bind(stored_compute(request.granted))
        .bind(request.revoked)
        .execute(&mut *transaction)
        .await?;
        let details = [("granted", request.granted.to_string()), ("revoked", request.revoked.to_string())];
        let subject = format!("{}/{team}", challenge.name);
        audit::record(&mut transaction, actor, "budget.set", &subject, &details, now).await?;
        transaction.commit().await?;
        let rows = self.teams(challenge.id).await?;
        rows.into_iter().find(|row| row.team == *team).ok_or_else(|| Refusal::not_found().into())
    }

    /// The teams that have a budget on a challenge, by name.
    ///
    /// # Errors
    /// The database fails.
    pub async fn teams(&self, challenge_id: i64) -> Result<Vec<TeamRow>, StoreError> {
        let mut connection = self.readers.acquire().await?;
        let rows = sqlx::query(
            "SELECT t.id, t.name, b.granted, b.used, b.reserved, b.revoked FROM budgets b JOIN teams t ON t.id = b.team_id \
             WHERE b.challenge_id = ? ORDER BY t.name",
        )
        .bind(challenge_id)
        .fetch_all(&mut *connection)
        .await?;
        let mut teams = Vec::with_capacity(rows.len());
        for row in rows {
            let team_id: i64 = row.try_get("id")?;
            let members = sqlx::query("SELECT name FROM accounts WHERE team_id = ? ORDER BY name")
                .bind(team_id)
                .fetch_all(&mut *connection)
                .await?;
            teams.push(TeamRow {
                team: row.parsed("name")?,
                members: members.iter().map(|member| member.parsed("name")).collect::<Result<_, _>>()?,
                budget: read(&row)?,
            });
        }
        Ok(teams)
    }
}

/// Holds `amount` of the team's budget; a team without one gets the challenge's.
pub(crate) async fn reserve(
    connection: &mut SqliteConnection,
    challenge: &ChallengeRow,
    team_id: i64,
    amount: Compute,
) -> Result<(), RefusedOr> {
    sqlx::query("INSERT INTO budgets (challenge_id, team_id, granted) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
        .bind(challenge.id)
        .bind(team_id)
        .bind(stored_compute(challenge.draft.rules.team_budget))
        .execute(&mut *connection)
        .await?;
    let Some(budget) = stored(connection, challenge.id, team_id).await? else {
        return Err(StoreError::corrupt("budget", "it vanished").into());
    };
    if budget.revoked {
        let message = "the operator has taken this team's compute budget away";
        return Err(Refusal::new(ErrorCode::BudgetExhausted, message).into());
    }
    if budget.left < amount {
        let message = format!(
            "a run may use up to {}, and {} of the team's {} are left ({} held for runs that have not ended); ask the \
             operator for more",
            amount.shown(),
            budget.left.shown(),
            budget.granted.shown(),
            budget.reserved.shown()
        );
        return Err(Refusal::new(ErrorCode::BudgetExhausted, message).into());
    }
    sqlx::query("UPDATE budgets SET reserved = reserved + ? WHERE challenge_id = ? AND team_id = ?")
        .bind(stored_compute(amount))
        .bind(challenge.id)
        .bind(team_id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Gives back what was held and takes what was used.
pub(crate) async fn settle(
    connection: &mut SqliteConnection,
    (challenge_id, team_id): (i64, i64),
    held: Compute,
    used: Compute,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE budgets SET reserved = max(reserved - ?, 0), used = used + ? WHERE challenge_id = ? AND team_id = ?",
    )
    .bind(stored_compute(held))
    .bind(stored_compute(used))
    .bind(challenge_id)
    .bind(team_id)
    .execute(connection)
    .await?;
    Ok(())
}

async fn stored(
    connection: &mut SqliteConnection,
    challenge_id: i64,
    team_id: i64,
) -> Result<Option<BudgetUse>, StoreError> {
    let row =
        sqlx::query("SELECT granted, used, reserved, revoked FROM budgets WHERE challenge_id = ? AND team_id = ?")
            .bind(challenge_id)
            .bind(team_id)
            .fetch_optional(connection)
            .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &sqlx::sqlite::SqliteRow) -> Result<BudgetUse, StoreError> {
    let amount = |column| row.compute(column);
    Ok(budget_use(amount("granted")?, amount("used")?, amount("reserved")?, row.try_get("revoked")?))
}

fn budget_use(granted: Compute, used: Compute, reserved: Compute, revoked: bool) -> BudgetUse {
    let left = if revoked { Compute::ZERO } else { granted.minus(used).minus(reserved) };
    BudgetUse { granted, used, reserved, left, revoked }
}
