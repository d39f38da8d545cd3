//! `thimble operate …`: what operators do over HTTP, one file for each part of it.

mod drafts;
mod people;
mod runs;
mod watch;

use thimble_api::page::PageQuery;
use thimble_client::{Answer, Client};

use crate::exit::{ExitStatus, Failure};
use crate::remote::{self, ENVIRONMENT, PageOpts, ServiceOpts};

/// Run challenges on a service: drafts, invitations, budgets, submissions, accounts.
///
/// Needs a token with the scope `operator` (`thimble token create NAME --scope operator --data DIR` on the service's
/// machine). Every act is in the audit log.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{ENVIRONMENT}"))]
pub(crate) struct Opts {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  # From a challenge directory to an open challenge
  thimble operate draft mine --directory mine --public-dataset toy --official-dataset toy-2
  thimble operate cover mine cover.png
  thimble operate publish mine

  # A builder, with 200 PFLOP for the team
  thimble operate invite mine --label 'Ada, vision team' --budget 200PF";

#[derive(Debug, clap::Subcommand)]
enum Command {
    Drafts(drafts::DraftsOpts),
    Draft(drafts::DraftOpts),
    Show(drafts::ShowOpts),
    Edit(drafts::EditOpts),
    Cover(drafts::CoverOpts),
    Exploration(drafts::ExplorationOpts),
    Publish(drafts::PublishOpts),
    Close(drafts::CloseOpts),
    Invites(people::InvitesOpts),
    Invite(people::InviteOpts),
    Uninvite(people::UninviteOpts),
    Teams(people::TeamsOpts),
    Budget(people::BudgetOpts),
    Accounts(people::AccountsOpts),
    Disable(people::DisableOpts),
    Enable(people::EnableOpts),
    Tokens(people::TokensOpts),
    IssueToken(people::IssueTokenOpts),
    RevokeToken(people::RevokeTokenOpts),
    Submissions(runs::SubmissionsOpts),
    Submission(runs::SubmissionOpts),
    Rescore(runs::RescoreOpts),
    Withdraw(runs::WithdrawOpts),
    Reinstate(runs::ReinstateOpts),
    Cancel(runs::CancelOpts),
    Monitor(watch::MonitorOpts),
    Capacity(watch::CapacityOpts),
    Audit(watch::AuditOpts),
    Datasets(watch::DatasetsOpts),
}

/// What every one of them takes.
#[derive(Debug, clap::Args)]
struct Common {
    #[command(flatten)]
    service: ServiceOpts,
    /// Print the service's answer, as JSON
    #[arg(long)]
    json: bool,
}

/// What those take that list.
#[derive(Debug, clap::Args)]
struct Listing {
    #[command(flatten)]
    page: PageOpts,
    #[command(flatten)]
    common: Common,
}

impl Common {
    fn client(&self) -> Result<Client, Failure> {
        self.service.client()
    }

    fn show<T>(&self, answer: &Answer<T>, text: impl FnOnce(&T) -> String) -> Result<ExitStatus, Failure> {
        remote::show(answer, self.json, text)
    }
}

impl Listing {
    fn query(&self) -> PageQuery {
        self.page.query()
    }
}

impl Opts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        match self.command {
            Command::Drafts(opts) => opts.run(),
            Command::Draft(opts) => opts.run(),
            Command::Show(opts) => opts.run(),
            Command::Edit(opts) => opts.run(),
            Command::Cover(opts) => opts.run(),
            Command::Exploration(opts) => opts.run(),
            Command::Publish(opts) => opts.run(),
            Command::Close(opts) => opts.run(),
            Command::Invites(opts) => opts.run(),
            Command::Invite(opts) => opts.run(),
            Command::Uninvite(opts) => opts.run(),
            Command::Teams(opts) => opts.run(),
            Command::Budget(opts) => opts.run(),
            Command::Accounts(opts) => opts.run(),
            Command::Disable(opts) => opts.run(),
            Command::Enable(opts) => opts.run(),
            Command::Tokens(opts) => opts.run(),
            Command::IssueToken(opts) => opts.run(),
            Command::RevokeToken(opts) => opts.run(),
            Command::Submissions(opts) => opts.run(),
            Command::Submission(opts) => opts.run(),
            Command::Rescore(opts) => opts.run(),
            Command::Withdraw(opts) => opts.run(),
            Command::Reinstate(opts) => opts.run(),
            Command::Cancel(opts) => opts.run(),
            Command::Monitor(opts) => opts.run(),
            Command::Capacity(opts) => opts.run(),
            Command::Audit(opts) => opts.run(),
            Command::Datasets(opts) => opts.run(),
        }
    }
}
