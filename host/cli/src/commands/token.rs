//! `thimble token create|list|revoke`

use std::path::PathBuf;

use thimble_api::account::{Scope, TokenRequest, TokenView};
use thimble_api::{AccountName, TeamName, Timestamp};
use thimble_store::Actor;

use crate::exit::{ExitStatus, Failure};
use crate::{output, service};

/// Make, list and revoke bearer tokens in a data directory, beside the service or before it first runs.
#[derive(Debug, clap::Args)]
pub(crate) struct Opts {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Create(CreateOpts),
    List(ListOpts),
    Revoke(RevokeOpts),
}

/// Make a token, and the account where there is none of the name; the secret is printed this once.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  thimble token create ada --scope operator --data /var/lib/thimble
  thimble token create bob --data /var/lib/thimble --days 90 | thimble login --server http://127.0.0.1:8080")]
struct CreateOpts {
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
    /// Data directory
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum ScopeArg {
    /// Submit
    #[default]
    Builder,
    /// Run challenges
    Operator,
}

/// List tokens without their secrets.
#[derive(Debug, clap::Args)]
struct ListOpts {
    /// Data directory
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// End a token; within a second for a service that runs.
#[derive(Debug, clap::Args)]
struct RevokeOpts {
    /// What the token begins with, as `list` shows it
    prefix: String,
    /// Data directory
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

impl Opts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        service::runtime()?.block_on(async {
            match self.command {
                Command::Create(opts) => opts.run().await,
                Command::List(opts) => opts.run().await,
                Command::Revoke(opts) => opts.run().await,
            }
        })
    }
}

impl CreateOpts {
    async fn run(self) -> Result<ExitStatus, Failure> {
        let store = service::open(&self.data).await?;
        let now = Timestamp::now();
        let request = TokenRequest {
            account: self.account,
            team: self.team,
            scope: match self.scope {
                ScopeArg::Builder => Scope::Builder,
                ScopeArg::Operator => Scope::Operator,
            },
            expires_at: self.days.map(|days| now.plus_millis(i64::from(days) * 86_400_000)),
        };
        let made = store.create_token(&request, &Actor::Local, now).await.map_err(service::refused)?;
        output::print(&format!("{}\n", made.secret))?;
        store.disconnect().await;
        Ok(ExitStatus::Success)
    }
}

impl ListOpts {
    async fn run(self) -> Result<ExitStatus, Failure> {
        let store = service::open(&self.data).await?;
        let mut tokens: Vec<TokenView> = Vec::new();
        let mut after = None;
        loop {
            let page = store.tokens(after.as_deref(), None).await.map_err(service::refused)?;
            tokens.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        store.disconnect().await;
        if self.json {
            output::print(&output::json(&tokens)?)?;
            return Ok(ExitStatus::Success);
        }
        let mut text = format!("{:<14}{:<24}{:<10}{:<26}{}\n", "prefix", "account", "scope", "made", "state");
        for token in tokens {
            let state = match (token.revoked_at, token.expires_at) {
                (Some(at), _) => format!("revoked {at}"),
                (None, Some(at)) => format!("until {at}"),
                (None, None) => "no end".to_owned(),
            };
            let made = token.created_at.to_string();
            text += &format!(
                "{:<14}{:<24}{:<10}{made:<26}{state}\n",
                token.prefix,
                token.account.as_str(),
                token.scope.name()
            );
        }
        output::print(&text)?;
        Ok(ExitStatus::Success)
    }
}

impl RevokeOpts {
    async fn run(self) -> Result<ExitStatus, Failure> {
        let store = service::open(&self.data).await?;
        let revoked = store.revoke_token(&self.prefix, &Actor::Local, Timestamp::now()).await;
        let revoked = revoked.map_err(service::failed)?;
        store.disconnect().await;
        if revoked { Ok(ExitStatus::Success) } else { Err(Failure::input("no token that is valid begins like this")) }
    }
}
