//! `/operator`: invitations, budgets, submissions, datasets, the audit log, capacity.

use aide::axum::ApiRouter;
use aide::axum::routing::{delete_with, get_with, post_with, put_with};
use axum::extract::State;
use axum::response::NoContent;
use schemars::JsonSchema;
use serde::Serialize;
use thimble_api::Page;
use thimble_api::account::{InviteRequest, InviteView, NewInvite};
use thimble_api::operator::{AuditEntry, BudgetRequest, Capacity, DatasetView, Monitor, SubmissionRecord, TeamBudget};
use thimble_api::page::PageQuery;

use super::describe::named;
use super::{Identified, Named, NamedTeam, Prefixed};
use crate::answer::{Answer, Made};
use crate::auth::Operator;
use crate::catalog;
use crate::extract::{Json, Path, Query};
use crate::failure::Result;
use crate::operations::running::{self, Act};
use crate::service::Service;

pub(super) fn router() -> ApiRouter<Service> {
    let tag = "running";
    ApiRouter::new()
        .api_route(
            "/operator/challenges/{name}/invites",
            get_with(invites, named("listInvites", tag, "Invitations, newest first"))
                .post_with(invite, named("createInvite", tag, "Invite someone")),
        )
        .api_route("/operator/invites/{prefix}", delete_with(end_invite, named("endInvite", tag, "End an invitation")))
        .api_route(
            "/operator/challenges/{name}/teams",
            get_with(teams, named("listTeams", tag, "Teams and budgets, by name")),
        )
        .api_route(
            "/operator/challenges/{name}/teams/{team}/budget",
            put_with(budget, named("setBudget", tag, "Give a team compute, or take it away")),
        )
        .api_route(
            "/operator/challenges/{name}/monitor",
            get_with(monitor, named("getMonitor", tag, "Use of a challenge")),
        )
        .api_route(
            "/operator/challenges/{name}/submissions",
            get_with(records, named("listRecords", tag, "All submissions to a challenge, newest first")),
        )
        .api_route(
            "/operator/challenges/{name}/rescore",
            post_with(rescore_all, named("rescoreChallenge", tag, "Evaluate every official submission again")),
        )
        .api_route(
            "/operator/submissions/{id}",
            get_with(record, named("getRecord", tag, "A submission with its whole result")),
        )
        .api_route(
            "/operator/submissions/{id}/rescore",
            post_with(rescore, named("rescoreSubmission", tag, "Evaluate it again")),
        )
        .api_route(
            "/operator/submissions/{id}/withdraw",
            post_with(withdraw, named("withdrawSubmission", tag, "Take it off the leaderboard")),
        )
        .api_route(
            "/operator/submissions/{id}/reinstate",
            post_with(reinstate, named("reinstateSubmission", tag, "Put it back on the leaderboard")),
        )
        .api_route("/operator/submissions/{id}/cancel", post_with(cancel, named("cancelRecord", tag, "Cancel it")))
        .api_route("/operator/datasets", get_with(datasets, named("listDatasets", tag, "Registered datasets, by name")))
        .api_route("/operator/audit", get_with(audit, named("listAudit", tag, "What was done, newest first")))
        .api_route(
            "/operator/capacity",
            get_with(capacity, named("getCapacity", tag, "Workers, the queue, and the room left")),
        )
}

async fn invites(
    State(service): State<Service>,
    Operator(_): Operator,
    Path(Named { name }): Path<Named>,
    Query(PageQuery { after, limit }): Query<PageQuery>,
) -> Result<Answer<Page<InviteView>>> {
    let row = catalog::fresh(&service, &name).await?;
    Answer::of(&service.store.invites(row.id, after.as_deref(), limit).await?)
}

async fn invite(
    State(service): State<Service>,
    Operator(identity): Operator,
    Path(Named { name }): Path<Named>,
    Json(request): Json<InviteRequest>,
) -> Result<Made<NewInvite, 201>> {
    Made::of(&running::invite(&service, &identity, &name, &request).await?)
}

async fn end_invite(
    State(service): State<Service>,
    Operator(identity): Operator,
    Path(Prefixed { prefix }): Path<Prefixed>,
) -> Result<NoContent> {
    running::revoke_invite(&service, &identity, &prefix).await?;
    Ok(NoContent)
}

async fn teams(
    State(service): State<Service>,
    Operator(_): Operator,
    Path(Named { name }): Path<Named>,
    Query(query): Query<PageQuery>,
) -> Result<Answer<Page<TeamBudget>>> {
    Answer::of(&running::team_page(&service, &name, &query).await?)
}

async fn budget(
    State(service): State<Service>,
    Operator(identity): Operator,
    Path(NamedTeam { name, team }): Path<NamedTeam>,
    Json(request): Json<BudgetRequest>,
) -> Result<Answer<TeamBudget>> {
    Answer::of(&running::set_budget(&service, &identity, &name, &team, request).await?)
}

async fn monitor(
    State(service): State<Service>,
    Operator(_): Operator,
    Path(Named { name }): Path<Named>,
) -> Result<Answer<Monitor>> {
    Answer::of(&running::monitor(&service, &name).await?)
}

async fn records(
    State(service): State<Service>,
    Operator(_): Operator,
    Path(Named { name }): Path<Named>,
    Query(query): Query<PageQuery>,
) -> Result<Answer<Page<SubmissionRecord>>> {
    Answer::of(&running::records(&service, &name, &query).await?)
}

/// How many submissions wait for another evaluation.
#[derive(Debug, Serialize, JsonSchema)]
struct Rescored {
    /// Submissions that were queued again.
    queued: u64,
}

async fn rescore_all(
    State(service): State<Service>,
    Operator(identity): Operator,
    Path(Named { name }): Path<Named>,
) -> Result<Answer<Rescored>> {
    Answer::of(&Rescored { queued: running::rescore_all(&service, &identity, &name).await? })
}

async fn record(
    State(service): State<Service>,
    Operator(_): Operator,
    Path(Identified { id }): Path<Identified>,
) -> Result<Answer<SubmissionRecord>> {
    Answer::of(&running::record(&service, id).await?)
}

macro_rules! act {
    ($name:ident, $act:expr) => {
        async fn $name(
            State(service): State<Service>,
            Operator(identity): Operator,
            Path(Identified { id }): Path<Identified>,
        ) -> Result<Answer<SubmissionRecord>> {
            Answer::of(&running::act(&service, &identity, id, $act).await?)
        }
    };
}
act!(rescore, Act::Rescore);
act!(withdraw, Act::Withdraw);
act!(reinstate, Act::Reinstate);
act!(cancel, Act::Cancel);

async fn datasets(
    State(service): State<Service>,
    Operator(_): Operator,
    Query(PageQuery { after, limit }): Query<PageQuery>,
) -> Result<Answer<Page<DatasetView>>> {
    Answer::of(&service.store.datasets(after.as_deref(), limit).await?)
}

async fn audit(
    State(service): State<Service>,
    Operator(_): Operator,
    Query(PageQuery { after, limit }): Query<PageQuery>,
) -> Result<Answer<Page<AuditEntry>>> {
    Answer::of(&service.store.audit_log(after.as_deref(), limit).await?)
}

async fn capacity(State(service): State<Service>, Operator(_): Operator) -> Result<Answer<Capacity>> {
    Answer::of(&running::capacity(&service).await?)
}
