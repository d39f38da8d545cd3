//! The interface for programs: `/api/v1`, described from its types.

mod accounts;
mod challenges;
mod describe;
mod drafts;
mod process;
mod running;
mod submissions;

use aide::axum::ApiRouter;
use schemars::JsonSchema;
use serde::Deserialize;
use thimble_api::id::ChallengeName;
use thimble_api::{AccountName, SubmissionId, TeamName};

use crate::service::Service;

pub(crate) use describe::described;
pub(crate) use process::{counted, router as process};

/// A challenge in a path.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Named {
    /// Name of the challenge.
    pub(crate) name: ChallengeName,
}

/// A submission in a path.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Identified {
    /// Id of the submission.
    pub(crate) id: SubmissionId,
}

/// A team of a challenge in a path.
#[derive(Debug, Deserialize, JsonSchema)]
struct NamedTeam {
    /// Name of the challenge.
    name: ChallengeName,
    /// Name of the team.
    team: TeamName,
}

/// A figure of a challenge in a path.
#[derive(Debug, Deserialize, JsonSchema)]
struct NamedFigure {
    /// Name of the challenge.
    name: ChallengeName,
    /// A metric's registry name, `flops_per_sample`, `gco2e_per_sample`, `parameters`, `component_bytes` or `score`.
    figure: String,
}

/// An account in a path.
#[derive(Debug, Deserialize, JsonSchema)]
struct NamedAccount {
    /// Name of the account.
    name: AccountName,
}

/// A token or an invitation in a path.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Prefixed {
    /// What it begins with: its public part.
    pub(crate) prefix: String,
}

/// Every route below `/api/v1`.
pub(crate) fn router() -> ApiRouter<Service> {
    ApiRouter::new()
        .merge(challenges::router())
        .merge(submissions::router())
        .merge(accounts::router())
        .merge(drafts::router())
        .merge(running::router())
}
