//! `thimble whoami`

use thimble_api::account::Whoami;
use thimble_client::Server;

use crate::exit::{ExitStatus, Failure};
use crate::remote::submission::time;
use crate::remote::{ENVIRONMENT, ServiceOpts, show};

/// Say who asks: service, account, team, and what the token may do.
#[derive(Debug, clap::Args)]
#[command(after_help = ENVIRONMENT)]
pub(crate) struct Opts {
    #[command(flatten)]
    service: ServiceOpts,
    /// Print the service's answer, as JSON
    #[arg(long)]
    json: bool,
}

impl Opts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        let client = self.service.client()?;
        show(&client.whoami()?, self.json, |who| text(client.server(), who))
    }
}

pub(super) fn text(server: &Server, who: &Whoami) -> String {
    let ends = who.expires_at.map_or("never".to_owned(), time);
    format!(
        "service     {server}\naccount     {}\nteam        {}\nscope       {}\ntoken ends  {ends}\n",
        who.account,
        who.team,
        who.scope.name()
    )
}
