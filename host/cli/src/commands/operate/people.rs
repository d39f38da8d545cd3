//! Invitations, teams and their compute, accounts, tokens.

use clap::ValueEnum;
use thimble_api::account::{InviteRequest, InviteView, Scope, TokenRequest, TokenView};
use thimble_api::id::ChallengeName;
use thimble_api::operator::{AccountView, BudgetRequest, TeamBudget};
use thimble_api::{AccountName, Compute, Page, TeamName, Timestamp};
use thimble_client::line;

use super::{Common, Listing};
use crate::exit::{ExitStatus, Failure};
use crate::output;
use crate::remote::columns::Columns;
use crate::remote::submission::time;
use crate::remote::{more, terminal_width};

/// A day in milliseconds.
const DAY: i64 = 86_400_000;

/// List the invitations to a challenge, without their codes.
#[derive(Debug, clap::Args)]
pub(super) struct InvitesOpts {
    /// Challenge
    challenge: ChallengeName,
    #[command(flatten)]
    listing: Listing,
}

impl InvitesOpts {
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        let answer = self.listing.common.client()?.invites(&self.challenge, &self.listing.query())?;
        self.listing.common.show(&answer, |page: &Page<InviteView>| {
            let mut table = Columns::default()
                .text("invitation", 0)
                .text("for", 0)
                .text("state", 1)
                .numbers("budget", 2)
                .text("made", 3);
            for invite in &page.items {
                let state = match (&invite.accepted_by, invite.revoked_at) {
                    (Some(account), _) => format!("accepted by {account}"),
                    (None, Some(at)) => format!("revoked {}", time(at)),
                    (None, None) => format!("open until {}", time(invite.expires_at)),
                };
                table.row(vec![
                    invite.prefix.clone(),
                    invite.label.clone(),
                    state,
                    invite.budget.map(|budget| budget.to_string()).unwrap_or_default(),
                    time(invite.created_at),
                ]);
            }
            table.render(terminal_width()) + &more(page.next.as_deref())
        })
    }
}

/// Invite someone to a challenge; the code is printed this once, and works once.
///
/// Nothing is sent: hand the code to the person, who gives it to `thimble login --invite` or to the page /join.
#[derive(Debug, clap::Args)]
pub(super) struct InviteOpts {
    /// Challenge
    challenge: ChallengeName,
    /// For whom, as you want to remember it: 1 to 200 characters
    #[arg(long, value_name = "TEXT")]
    label: String,
    /// Compute of the team of whoever accepts, for example 200PF [default: the challenge's budget of a team]
    #[arg(long, value_name = "FLOPS")]
    budget: Option<Compute>,
    /// Days after which the code ends
    #[arg(long, value_name = "N", default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=365))]
    days: u32,
    #[command(flatten)]
    common: Common,
}

impl InviteOpts {
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        let expires_at = Some(in_days(self.days));
        let request = InviteRequest { label: self.label, budget: self.budget, expires_at };
        let answer = self.common.client()?.invite(&self.challenge, &request)?;
        self.common.show(&answer, |new| format!("{}\n", line(&new.code)))
    }
}

/// End an invitation that was not accepted.
#[derive(Debug, clap::Args)]
pub(super) struct UninviteOpts {
    /// What the code begins with, as `invites` prints it
    invitation: String,
    #[command(flatten)]
    common: Common,
}

impl UninviteOpts {
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        self.common.client()?.revoke_invite(&self.invitation)?;
        done(&self.common, "revoked")
    }
}

/// List the teams of a challenge with their compute.
#[derive(Debug, clap::Args)]
pub(super) struct TeamsOpts {
    /// Challenge
    challenge: ChallengeName,
    #[command(flatten)]
    listing: Listing,
}

impl TeamsOpts {
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        let answer = self.listing.common.client()?.teams(&self.challenge, &self.listing.query())?;
        self.listing.common.show(&answer, |page: &Page<TeamBudget>| {
            teams(&page.items).render(terminal_width()) + &more(page.next.as_deref())
        })
    }
}

/// Teams with their compute.
pub(super) fn teams(teams: &[TeamBudget]) -> Columns {
    let mut table = Columns::default()
        .text("team", 0)
        .text("used", 3)
        .numbers("granted", 1)
        .numbers("reserved", 4)
        .numbers("left", 0)
        .numbers("cost", 2)
        .text("members", 5);
    for team in teams {
        let budget = &team.budget;
        let left = if budget.revoked { "revoked".to_owned() } else { budget.left.shown() };
        let members: Vec<_> = team.members.iter().map(AccountName::as_str).collect();
        table.row(vec![
            team.team.to_string(),
            bar(budget.used.share_of(budget.granted)),
            budget.granted.shown(),
            budget.reserved.to_string(),
            left,
            team.cost.to_string(),
            members.join(", "),
        ]);
    }
    table
}

/// A share of 0 to 1 in ten characters, and in per cent.
fn bar(share: f64) -> String {
    let full = (share.clamp(0.0, 1.0) * 10.0).round() as usize;
    format!("{}{} {:>3.0} %", "█".repeat(full), "░".repeat(10 - full), share * 100.0)
}

/// Give a team compute on a challenge, more or less than before, or take it away.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  thimble operate budget mine engines 400PF
  thimble operate budget mine engines 400PF --revoke")]
pub(super) struct BudgetOpts {
    /// Challenge
    challenge: ChallengeName,
    /// Team
    team: TeamName,
    /// In all, what was used included: 200PF, 1.5PF, 800TF
    granted: Compute,
    /// No further submission, whatever is left
    #[arg(long)]
    revoke: bool,
    #[command(flatten)]
    common: Common,
}

impl BudgetOpts {
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        let request = BudgetRequest { granted: self.granted, revoked: self.revoke };
        let answer = self.common.client()?.set_budget(&self.challenge, &self.team, &request)?;
        self.common.show(&answer, |team| teams(std::slice::from_ref(team)).render(terminal_width()))
    }
}

/// List accounts.
#[derive(Debug, clap::Args)]
pub(super) struct AccountsOpts {
    #[command(flatten)]
    listing: Listing,
}

impl AccountsOpts {
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        let answer = self.listing.common.client()?.accounts(&self.listing.query())?;
        self.listing.common.show(&answer, |page: &Page<AccountView>| {
            accounts(&page.items).render(terminal_width()) + &more(page.next.as_deref())
        })
    }
}

fn accounts(accounts: &[AccountView]) -> Columns {
    let mut table = Columns::default().text("account", 0).text("team", 1).text("state", 0).text("made", 2);
    for account in accounts {
        let state = if account.disabled { "disabled" } else { "" };
        table.row(vec![account.name.to_string(), account.team.to_string(), state.to_owned(), time(account.created_at)]);
    }
    table
}

/// Let an account do nothing any more. Its results stay.
#[derive(Debug, clap::Args)]
pub(super) struct DisableOpts {
    /// Account
    account: AccountName,
    #[command(flatten)]
    common: Common,
}

impl DisableOpts {
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        set_disabled(&self.common, &self.account, true)
    }
}

/// Let a disabled account act again.
#[derive(Debug, clap::Args)]
pub(super) struct EnableOpts {
    /// Account
    account: AccountName,
    #[command(flatten)]
    common: Common,
}

impl EnableOpts {
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        set_disabled(&self.common, &self.account, false)
    }
}

fn set_disabled(common: &Common, account: &AccountName, disabled: bool) -> Result<ExitStatus, Failure> {
    let answer = common.client()?.set_disabled(account, disabled)?;
    common.show(&answer, |account| accounts(std::slice::from_ref(account)).render(terminal_width()))
}

/// List tokens without their secrets.
#[derive(Debug, clap::Args)]
pub(super) struct TokensOpts {
    #[command(flatten)]
    listing: Listing,
}

impl TokensOpts {
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        let answer = self.listing.common.client()?.tokens(&self.listing.query())?;
        self.listing.common.show(&answer, |page: &Page<TokenView>| {
            let mut table = Columns::default()
                .text("token", 0)
                .text("account", 0)
                .text("scope", 1)
                .text("state", 2)
                .text("last used", 3)
                .text("made", 4);
            for token in &page.items {
                let state = match (token.revoked_at, token.expires_at) {
                    (Some(at), _) => format!("revoked {}", time(at)),
                    (None, Some(at)) => format!("ends {}", time(at)),
                    (None, None) => "never ends".to_owned(),
                };
                table.row(vec![
                    token.prefix.clone(),
                    token.account.to_string(),
                    token.scope.name().to_owned(),
                    state,
                    token.last_used_at.map_or("never".to_owned(), time),
                    time(token.created_at),
                ]);
            }
            table.render(terminal_width()) + &more(page.next.as_deref())
        })
    }
}

/// Make a token, and an account where there is none of the name; the secret is printed this once.
#[derive(Debug, clap::Args)]
pub(super) struct IssueTokenOpts {
    /// Account: 3 to 63 lower-case letters, digits and single hyphens
    account: AccountName,
    /// Team of a new account [default: the account's own name]
    #[arg(long)]
    team: Option<TeamName>,
    /// What the token may do
    #[arg(long, value_enum, default_value_t)]
    scope: ScopeArg,
    /// Days after which it ends [default: never]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: Option<u32>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum ScopeArg {
    /// Submit
    #[default]
    Builder,
    /// Run challenges
    Operator,
}

impl IssueTokenOpts {
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        let scope = match self.scope {
            ScopeArg::Builder => Scope::Builder,
            ScopeArg::Operator => Scope::Operator,
        };
        let expires_at = self.days.map(in_days);
        let request = TokenRequest { account: self.account, team: self.team, scope, expires_at };
        let answer = self.common.client()?.new_token(&request)?;
        self.common.show(&answer, |new| format!("{}\n", line(&new.secret)))
    }
}

/// End a token.
#[derive(Debug, clap::Args)]
pub(super) struct RevokeTokenOpts {
    /// What the token begins with, as `tokens` prints it
    token: String,
    #[command(flatten)]
    common: Common,
}

impl RevokeTokenOpts {
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        self.common.client()?.revoke_token(&self.token)?;
        done(&self.common, "revoked")
    }
}

fn in_days(days: u32) -> Timestamp {
    Timestamp::now().plus_millis(i64::from(days) * DAY)
}

/// The service answers nothing: JSON has nothing to print.
fn done(common: &Common, word: &str) -> Result<ExitStatus, Failure> {
    if !common.json {
        output::print(&format!("{word}\n"))?;
    }
    Ok(ExitStatus::Success)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_full_at_its_end_and_never_longer() {
        assert_eq!(bar(0.0), "░░░░░░░░░░   0 %");
        assert_eq!(bar(0.25), "███░░░░░░░  25 %");
        assert_eq!(bar(1.0), "██████████ 100 %");
        assert_eq!(bar(2.0).chars().filter(|c| *c == '█').count(), 10);
        assert!(bar(f64::NAN).starts_with('░'));
    }
}
