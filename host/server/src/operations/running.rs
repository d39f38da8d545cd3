//! What operators see and do of challenges that run: invitations, budgets, submissions, capacity.

use std::sync::Arc;
use std::time::Duration;

use thimble_api::account::{InviteRequest, NewInvite};
use thimble_api::id::ChallengeName;
use thimble_api::operator::{
    AccountView, BudgetRequest, Capacity, Monitor, SubmissionRecord, TeamBudget, VerdictCount,
};
use thimble_api::page::PageQuery;
use thimble_api::{AccountName, Compute, Page, SubmissionId, TeamName, Timestamp};
use thimble_store::{ChallengeRow, Filter, StoreError, TeamRow};

use crate::auth::Identity;
use crate::cache::Loaded;
use crate::catalog;
use crate::failure::{Failure, Result};
use crate::operations::challenges;
use crate::project;
use crate::ranking;
use crate::service::Service;
use crate::status;

/// Invites someone.
pub(crate) async fn invite(
    service: &Service,
    identity: &Identity,
    challenge: &ChallengeName,
    request: &InviteRequest,
) -> Result<NewInvite> {
    let row = catalog::fresh(service, challenge).await?;
    Ok(service.store.invite(row.id, request, &identity.actor(), Timestamp::now()).await?)
}

/// Ends an invitation that nobody has accepted.
pub(crate) async fn revoke_invite(service: &Service, identity: &Identity, prefix: &str) -> Result<()> {
    let known = service.store.revoke_invite(prefix, &identity.actor(), Timestamp::now()).await?;
    if known { Ok(()) } else { Err(Failure::not_found()) }
}

/// The teams of a challenge, exact.
pub(crate) async fn teams(service: &Service, row: &ChallengeRow) -> Result<Vec<TeamBudget>> {
    let teams = service.store.teams(row.id).await?;
    Ok(teams.into_iter().map(|team| team_budget(service, team)).collect())
}

fn team_budget(service: &Service, TeamRow { team, members, budget }: TeamRow) -> TeamBudget {
    TeamBudget { team, members, budget, cost: service.config.price.of(budget.used) }
}

/// Teams by name, in parts.
pub(crate) async fn team_page(
    service: &Service,
    challenge: &ChallengeName,
    query: &PageQuery,
) -> Result<Page<TeamBudget>> {
    let row = catalog::fresh(service, challenge).await?;
    let (first, limit) = (ranking::first(query.after.as_deref())?, ranking::limit(query.limit)?);
    let all = teams(service, &row).await?;
    let end = first + u64::from(limit);
    let next = (end < all.len() as u64).then(|| end.to_string());
    Ok(Page { items: all.into_iter().skip(first as usize).take(limit as usize).collect(), next })
}

/// Gives a team compute, or takes it away.
pub(crate) async fn set_budget(
    service: &Service,
    identity: &Identity,
    challenge: &ChallengeName,
    team: &TeamName,
    request: BudgetRequest,
) -> Result<TeamBudget> {
    let row = catalog::fresh(service, challenge).await?;
    let team = service.store.set_budget(&row, team, request, &identity.actor(), Timestamp::now()).await?;
    Ok(team_budget(service, team))
}

/// Use of a challenge.
pub(crate) async fn monitor(service: &Service, challenge: &ChallengeName) -> Result<Monitor> {
    let row = catalog::fresh(service, challenge).await?;
    let activity = service.store.activity(row.id, Timestamp::now()).await?;
    let teams = teams(service, &row).await?;
    let used = teams.iter().map(|team| team.budget.used).sum::<Compute>();
    Ok(Monitor {
        challenge: challenges::summary(service, &row).await?,
        days: activity.days,
        teams,
        activity: activity.accounts,
        verdicts: activity.verdicts,
        cost: service.config.price.of(used),
    })
}

/// All submissions to a challenge, newest first, without their results.
pub(crate) async fn records(
    service: &Service,
    challenge: &ChallengeName,
    query: &PageQuery,
) -> Result<Page<SubmissionRecord>> {
    let row = catalog::fresh(service, challenge).await?;
    let filter = Filter { challenge_id: Some(row.id), ..Filter::default() };
    let page = service.store.submissions(filter, query.after.as_deref(), query.limit).await?;
    Ok(Page { items: page.items.iter().map(|row| project::record(row, None)).collect(), next: page.next })
}

/// A submission with its whole result.
pub(crate) async fn record(service: &Service, id: SubmissionId) -> Result<SubmissionRecord> {
    let row = service.store.submission(id).await?.ok_or_else(Failure::not_found)?;
    let result = status::result(service, &row).await?;
    Ok(project::record(&row, result))
}

/// What an operator does to a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Rescore,
    Withdraw,
    Reinstate,
    Cancel,
}

/// Does it.
pub(crate) async fn act(
    service: &Service,
    identity: &Identity,
    id: SubmissionId,
    act: Act,
) -> Result<SubmissionRecord> {
    let (actor, now) = (identity.actor(), Timestamp::now());
    let row = match act {
        Act::Rescore => service.store.rescore(id, &actor, now).await?,
        Act::Withdraw => service.store.withdraw(id, true, &actor, now).await?,
        Act::Reinstate => service.store.withdraw(id, false, &actor, now).await?,
        Act::Cancel => service.store.cancel(id, &actor, now).await?,
    };
    service.statuses.forget(id);
    Ok(project::record(&row, None))
}

/// Evaluates every official submission of a challenge again.
pub(crate) async fn rescore_all(service: &Service, identity: &Identity, challenge: &ChallengeName) -> Result<u64> {
    let row = catalog::fresh(service, challenge).await?;
    let queued = service.store.rescore_all(row.id, row.name.as_str(), &identity.actor(), Timestamp::now()).await?;
    service.statuses.clear();
    Ok(queued)
}

/// Lets an account do nothing any more, or again.
pub(crate) async fn set_disabled(
    service: &Service,
    identity: &Identity,
    account: &AccountName,
    disabled: bool,
) -> Result<AccountView> {
    let now = Timestamp::now();
    let view = service.store.set_account_disabled(account, disabled, &identity.actor(), now).await?;
    service.sessions.clear();
    view.ok_or_else(Failure::not_found)
}

/// Workers, the queue, and the room left.
pub(crate) async fn capacity(service: &Service) -> Result<Capacity> {
    Ok(service.store.capacity(Timestamp::now()).await?)
}

/// What the store counts of itself.
#[derive(Debug)]
pub(crate) struct Counted {
    capacity: Capacity,
    verdicts: Vec<VerdictCount>,
}

/// How old those counts may be.
/// A worker that was not heard for so long counts as none.
const HEARD_MILLIS: i64 = 60_000;
const COUNTED: Duration = Duration::from_secs(5);

async fn counted(service: &Service) -> Result<Arc<Counted>> {
    let load = async |_| {
        let capacity = service.store.capacity(Timestamp::now()).await?;
        let verdicts = service.store.verdicts().await?;
        Ok::<_, StoreError>(Loaded { value: Arc::new(Counted { capacity, verdicts }), ttl: COUNTED, weight: 1 })
    };
    Ok(service.counted.get_or_load(&(), load).await?)
}

/// The service's own figures, as Prometheus reads them.
pub(crate) async fn metrics(service: &Service) -> Result<String> {
    let counted = counted(service).await?;
    Ok(service.metrics.text(&counted.capacity, &counted.verdicts))
}

/// Whether requests can be answered: the database and the artifacts can be reached, and a worker is alive.
pub(crate) async fn ready(service: &Service) -> Result<()> {
    if *service.stopping().borrow() {
        return Err(Failure::unavailable("the service is stopping", 5));
    }
    service.store.ready().await.map_err(|error| Failure {
        cause: Some(error.to_string()),
        ..Failure::unavailable("the store cannot be reached", 5)
    })?;
    let heard = Timestamp::now().plus_millis(-HEARD_MILLIS);
    let counted = counted(service).await?;
    let alive = counted.capacity.workers.iter().any(|worker| worker.heartbeat_at >= heard);
    if alive { Ok(()) } else { Err(Failure::unavailable("no worker is alive", 5)) }
}
