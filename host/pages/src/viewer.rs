//! Who looks at a page.

use thimble_api::account::Scope;
use thimble_api::{AccountName, TeamName};

/// Who looks at a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Viewer {
    /// Nobody who is known.
    Anonymous,
    /// The holder of a session.
    SignedIn(SignedIn),
}

/// The holder of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The account.
    pub account: AccountName,
    /// Its team.
    pub team: TeamName,
    /// What the session's token may do.
    pub scope: Scope,
    /// What every form of this session sends back.
    pub csrf: String,
}

impl Viewer {
    /// The session, where there is one.
    pub const fn signed_in(&self) -> Option<&SignedIn> {
        match self {
            Self::Anonymous => None,
            Self::SignedIn(session) => Some(session),
        }
    }

    /// Whether it is an operator.
    pub fn is_operator(&self) -> bool {
        self.signed_in().is_some_and(|session| session.scope == Scope::Operator)
    }

    /// Whether the account is this one.
    pub fn is(&self, account: &AccountName) -> bool {
        self.signed_in().is_some_and(|session| session.account == *account)
    }
}
