//! Accounts, tokens, invitations.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{AccountName, ChallengeName, TeamName};
use crate::{Compute, Timestamp};

/// What a token may do. An operator may do everything a builder may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Submit, and see what those invited see.
    Builder,
    /// Run challenges.
    Operator,
}

impl Scope {
    /// The name used in every file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Builder => "builder",
            Self::Operator => "operator",
        }
    }
}

/// Who a token belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Whoami {
    /// The account.
    pub account: AccountName,
    /// Its team.
    pub team: TeamName,
    /// What this token may do.
    pub scope: Scope,
    /// When the token ends; null for never.
    pub expires_at: Option<Timestamp>,
}

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenView {
    /// Public part of the token: what it begins with.
    pub prefix: String,
    /// Whose.
    pub account: AccountName,
    /// What it may do.
    pub scope: Scope,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends; null for never.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// The last use, to within a minute.
    pub last_used_at: Option<Timestamp>,
}

/// A token that was just made. The secret is shown this once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewToken {
    /// The bearer token.
    pub secret: String,
    /// The rest.
    pub token: TokenView,
}

/// Asks for an account (where there is none of that name) and a token for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// Whose.
    pub account: AccountName,
    /// Its team, for a new account; the account's own name otherwise.
    #[serde(default)]
    pub team: Option<TeamName>,
    /// What it may do.
    pub scope: Scope,
    /// When it ends; null for never.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// Invites someone to a challenge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteRequest {
    /// For whom, as the operator remembers it: a name or an address, 1 to 200 characters. Nothing is sent.
    pub label: String,
    /// Compute that the team of whoever accepts gets, once a team; the challenge's default otherwise.
    #[serde(default)]
    pub budget: Option<Compute>,
    /// When the code ends; 14 days from now otherwise.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// An invitation that was just made. The code is shown this once, and works once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewInvite {
    /// What to hand to the person invited: `thimble login --invite` and the page `/join` take it.
    pub code: String,
    /// The rest.
    pub invite: InviteView,
}

/// An invitation, without its code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InviteView {
    /// What the code begins with.
    pub prefix: String,
    /// To what.
    pub challenge: ChallengeName,
    /// For whom.
    pub label: String,
    /// Compute that comes with it.
    pub budget: Option<Compute>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Who accepted it.
    pub accepted_by: Option<AccountName>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Accepts an invitation: with a bearer token for that account, without one for a new account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinRequest {
    /// The code.
    pub code: String,
    /// Name of the new account; not with a bearer token.
    #[serde(default)]
    pub account: Option<AccountName>,
    /// Its team: a new one; the account's own name otherwise.
    #[serde(default)]
    pub team: Option<TeamName>,
}

/// An accepted invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Joined {
    /// To what.
    pub challenge: ChallengeName,
    /// The new account's token; null where the account existed.
    pub token: Option<NewToken>,
}
