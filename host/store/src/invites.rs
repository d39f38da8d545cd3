//! Invitations: a code that one person accepts once.

use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use thimble_api::account::{InviteRequest, InviteView, JoinRequest, Joined, NewInvite, NewToken, Scope};
use thimble_api::id::ChallengeName;
use thimble_api::{AccountName, Compute, ErrorCode, Page, Timestamp};

use crate::accounts::{self, Account};
use crate::columns::{self, Columns as _};
use crate::secret::{Kind, Presented, Secret};
use crate::tokens::{self, Principal};
use crate::{Actor, Refusal, RefusedOr, Result, Store, audit, challenges, cursor};

/// How long a code lasts where the request does not say, in milliseconds: 14 days.
const LENGTH_MILLIS: i64 = 14 * 24 * 60 * 60 * 1_000;
/// Characters of a label.
const MAX_LABEL: usize = 200;

/// What an invitation that is open gives.
struct Open {
    id: i64,
    challenge_id: i64,
    challenge: ChallengeName,
    budget: Compute,
}

/// Whom a request is from.
enum Guest<'a> {
    /// An account.
    Known(&'a Principal),
    /// Someone who gets an account of this name.
    New(&'a AccountName),
}

impl Store {
    /// Makes an invitation to a challenge.
    ///
    /// # Errors
    ///
    /// A label that is empty or too long, an end that is not after `now`, no such challenge; or the database fails.
    pub async fn invite(
        &self,
        challenge_id: i64,
        request: &InviteRequest,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<NewInvite, RefusedOr> {
        let label = request.label.trim();
        let characters = label.chars().count();
        if !(1..=MAX_LABEL).contains(&characters) || label.chars().any(char::is_control) {
            let message =
                format!("has {characters} characters and must have 1 to {MAX_LABEL}, none of them a control character");
            return Err(Refusal::of_field("label", message).into());
        }
        if let Some(end) = request.expires_at.filter(|end| *end <= now) {
            return Err(Refusal::of_field("expires_at", format!("is {end} and must be later than now, {now}")).into());
        }
        let expires_at = request.expires_at.unwrap_or_else(|| now.plus_millis(LENGTH_MILLIS));
        let mut transaction = self.write().await?;
        let challenge = challenges::name(&mut transaction, challenge_id).await?;
        let secret = Secret::fresh(&mut transaction, Kind::Invite).await?;
        sqlx::query(
            "INSERT INTO invites (prefix, hash, challenge_id, label, budget, created_at, expires_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(secret.prefix())
        .bind(secret.hash().as_slice())
        .bind(challenge_id)
        .bind(label)
        .bind(request.budget.map(columns::stored_compute))
        .bind(now.millis())
        .bind(expires_at.millis())
        .execute(&mut *transaction)
        .await?;
        let invite = InviteView {
            prefix: secret.prefix().to_owned(),
            challenge,
            label: label.to_owned(),
            budget: request.budget,
            created_at: now,
            expires_at,
            accepted_by: None,
            revoked_at: None,
        };
        let details = [("label", invite.label.clone()), ("prefix", invite.prefix.clone())];
        audit::record(&mut transaction, actor, "invite.create", invite.challenge.as_str(), &details, now).await?;
        transaction.commit().await?;
        Ok(NewInvite { code: secret.into_exposed(), invite })
    }

    /// The invitations to a challenge, newest first.
    ///
    /// # Errors
    ///
    /// `after` or `limit` that no part of the list has; or the database fails.
    pub async fn invites(
        &self,
        challenge_id: i64,
        after: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Page<InviteView>, RefusedOr> {
        let limit = cursor::limit(limit)?;
        let before = cursor::after::<i64>(after)?.unwrap_or(i64::MAX);
        let rows = sqlx::query(
            "SELECT i.*, c.name AS challenge, a.name AS account FROM invites i \
             JOIN challenges c ON c.id = i.challenge_id LEFT JOIN accounts a ON a.id = i.accepted_by \
             WHERE i.challenge_id = ? AND i.id < ? ORDER BY i.id DESC LIMIT ?",
        )
        .bind(challenge_id)
        .bind(before)
        .bind(limit + 1)
        .fetch_all(&self.readers)
        .await?;
        let mut invites = Vec::with_capacity(rows.len());
        for row in &rows {
            invites.push((row.id("id")?, view(row)?));
        }
        let page = cursor::page(invites, limit, |(id, _)| *id);
        Ok(Page { items: page.items.into_iter().map(|(_, invite)| invite).collect(), next: page.next })
    }

    /// Ends an invitation that nobody has accepted. False where there is none of this beginning that is still open.
    ///
    /// # Errors
    ///
    /// The database fails.
    pub async fn revoke_invite(&self, prefix: &str, actor: &Actor, now: Timestamp) -> Result<bool> {
        let mut transaction = self.write().await?;
        let challenge: Option<String> = sqlx::query_scalar(
            "UPDATE invites SET revoked_at = ? WHERE prefix = ? AND revoked_at IS NULL AND accepted_by IS NULL \
             RETURNING (SELECT name FROM challenges WHERE id = challenge_id)",
        )
        .bind(now.millis())
        .bind(prefix)
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(challenge) = challenge else { return Ok(false) };
        let details = [("prefix", prefix.to_owned())];
        audit::record(&mut transaction, actor, "invite.revoke", &challenge, &details, now).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Accepts an invitation: with `principal` for that account, else for a new one, which gets a token. Of several who
    /// accept at once, one does. Where it is refused, the invitation stays open.
    ///
    /// # Errors
    ///
    /// No such code, or one that has ended; an account or team that is taken, or is a member already; or the database
    /// fails.
    pub async fn join(
        &self,
        request: &JoinRequest,
        principal: Option<&Principal>,
        now: Timestamp,
    ) -> Result<Joined, RefusedOr> {
        let guest = guest(request, principal)?;
        // Wrong codes never wait for the writer.
        let id = self.invite_of(&request.code).await?.ok_or_else(no_such_code)?;
        let mut transaction = self.write().await?;
        let invite = open(&mut transaction, id, now).await?;
        let (account, name, token) = match guest {
            Guest::Known(principal) => {
                let account = Account { id: principal.account_id, team_id: principal.team_id };
                (account, &principal.account, None)
            }
            Guest::New(name) => {
                let (account, token) = newcomer(&mut transaction, name, request, now).await?;
                (account, name, Some(token))
            }
        };
        admit(&mut transaction, &invite, account, now).await?;
        let mut details = vec![("prefix", request.code.chars().take(12).collect())];
        if let Some(token) = &token {
            details.push(("token", token.token.prefix.clone()));
        }
        let actor = Actor::Account { account: name.clone() };
        audit::record(&mut transaction, &actor, "invite.accept", invite.challenge.as_str(), &details, now).await?;
        transaction.commit().await?;
        Ok(Joined { challenge: invite.challenge, token })
    }

    /// Key of the invitation with this code.
    async fn invite_of(&self, code: &str) -> Result<Option<i64>> {
        let Some(presented) = Presented::parse(Kind::Invite, code) else { return Ok(None) };
        let row = sqlx::query("SELECT id, hash FROM invites WHERE prefix = ?")
            .bind(presented.prefix)
            .fetch_optional(&self.readers)
            .await?;
        let hash = row.as_ref().map(|row| row.digest("hash")).transpose()?;
        if !presented.matches(hash.as_ref().map(|hash| hash.as_bytes().as_slice())) {
            return Ok(None);
        }
        row.map(|row| row.id("id")).transpose()
    }
}

fn no_such_code() -> Refusal {
    Refusal::new(ErrorCode::NotFound, "there is no invitation with this code: copy all of it, `thi_` and 64 digits")
}

fn guest<'a>(request: &'a JoinRequest, principal: Option<&'a Principal>) -> Result<Guest<'a>, Refusal> {
    match (principal, &request.account) {
        (Some(principal), None) if request.team.is_none() => Ok(Guest::Known(principal)),
        (Some(principal), _) => Err(Refusal::of_field(
            "account",
            format!("leave account and team out: the token joins as {}", principal.account),
        )),
        (None, Some(name)) => Ok(Guest::New(name)),
        (None, None) => Err(Refusal::of_field("account", "must name the new account, where no token is sent")),
    }
}

/// The invitation, unless it has ended. Whoever knows the code is told why.
async fn open(connection: &mut SqliteConnection, id: i64, now: Timestamp) -> Result<Open, RefusedOr> {
    let row = sqlx::query(
        "SELECT i.*, c.name AS challenge, json_extract(c.draft, '$.rules.team_budget') AS team_budget \
         FROM invites i JOIN challenges c ON c.id = i.challenge_id WHERE i.id = ?",
    )
    .bind(id)
    .fetch_one(connection)
    .await?;
    let expires_at = row.time("expires_at")?;
    let ended = if row.time_or_null("accepted_at")?.is_some() {
        Some("has been accepted already".to_owned())
    } else if row.time_or_null("revoked_at")?.is_some() {
        Some("was revoked".to_owned())
    } else if expires_at <= now {
        Some(format!("ended at {expires_at}"))
    } else {
        None
    };
    if let Some(reason) = ended {
        let message = format!("the invitation {reason}: ask who runs the challenge for another");
        return Err(Refusal::new(ErrorCode::Conflict, message).into());
    }
    let budget = match row.compute_or_null("budget")? {
        Some(budget) => budget,
        None => row.parsed("team_budget")?,
    };
    Ok(Open { id, challenge_id: row.id("challenge_id")?, challenge: row.parsed("challenge")?, budget })
}

/// Makes the account of someone new, in a new team, and its token.
async fn newcomer(
    connection: &mut SqliteConnection,
    name: &AccountName,
    request: &JoinRequest,
    now: Timestamp,
) -> Result<(Account, NewToken), RefusedOr> {
    let taken =
        |what: &str| RefusedOr::from(Refusal::new(ErrorCode::Conflict, format!("{what} is taken: choose another")));
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM accounts WHERE name = ?)")
        .bind(name.as_str())
        .fetch_one(&mut *connection)
        .await?;
    if exists {
        return Err(taken(&format!("the account name {name}")));
    }
    // A team of others is not joined by naming it: its budget is theirs.
    let team = request.team.as_ref().map_or(name.as_str(), |team| team.as_str());
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM teams WHERE name = ?)")
        .bind(team)
        .fetch_one(&mut *connection)
        .await?;
    if exists {
        return Err(taken(&format!("the team name {team}")));
    }
    let account = accounts::create(connection, name, request.team.as_ref(), now).await?;
    let token = tokens::insert(connection, (account.id, name), (Scope::Builder, None), now).await?;
    Ok((account, token))
}

/// Membership, the team's budget, and the end of the invitation.
async fn admit(
    connection: &mut SqliteConnection,
    invite: &Open,
    account: Account,
    now: Timestamp,
) -> Result<(), RefusedOr> {
    let added = sqlx::query(
        "INSERT INTO members (challenge_id, account_id, joined_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(invite.challenge_id)
    .bind(account.id)
    .bind(now.millis())
    .execute(&mut *connection)
    .await?
    .rows_affected();
    if added == 0 {
        let message = format!("the account is a member of {} already; the invitation stays open", invite.challenge);
        return Err(Refusal::new(ErrorCode::Conflict, message).into());
    }
    // Once a team: a second member brings no second budget.
    sqlx::query("INSERT INTO budgets (challenge_id, team_id, granted) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
        .bind(invite.challenge_id)
        .bind(account.team_id)
        .bind(columns::stored_compute(invite.budget))
        .execute(&mut *connection)
        .await?;
    sqlx::query("UPDATE invites SET accepted_by = ?, accepted_at = ? WHERE id = ?")
        .bind(account.id)
        .bind(now.millis())
        .bind(invite.id)
        .execute(connection)
        .await?;
    Ok(())
}

fn view(row: &SqliteRow) -> Result<InviteView> {
    Ok(InviteView {
        prefix: row.text("prefix")?,
        challenge: row.parsed("challenge")?,
        label: row.text("label")?,
        budget: row.compute_or_null("budget")?,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
        accepted_by: row.parsed_or_null("account")?,
        revoked_at: row.time_or_null("revoked_at")?,
    })
}
