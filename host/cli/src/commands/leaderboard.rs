//! `thimble leaderboard`

use thimble_api::id::ChallengeName;
use thimble_api::leaderboard::LeaderboardQuery;

use crate::exit::{ExitStatus, Failure};
use crate::remote::{ENVIRONMENT, PageOpts, ServiceOpts, board, print_text, show, terminal_width};

/// Show a challenge's leaderboard, and its frontier of accuracy against compute.
///
/// The best result of each builder, with the figures that were published. The table leaves columns out where the terminal
/// is narrow; piped, it has all of them.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{ENVIRONMENT}"))]
pub(crate) struct Opts {
    /// Challenge, as the service calls it
    challenge: ChallengeName,
    /// As it was at this version
    #[arg(long, value_name = "N")]
    version: Option<u64>,
    #[command(flatten)]
    page: PageOpts,
    /// Print the service's answer, as JSON
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print the whole board, as CSV
    #[arg(long, conflicts_with_all = ["after", "limit"])]
    csv: bool,
    #[command(flatten)]
    service: ServiceOpts,
}

const EXAMPLES: &str = "\
Examples:
  thimble leaderboard imagenet-pareto-500k
  thimble leaderboard imagenet-pareto-500k --csv > board.csv";

impl Opts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        let client = self.service.client()?;
        if self.csv {
            print_text(&client.leaderboard_csv(&self.challenge, self.version)?)?;
            return Ok(ExitStatus::Success);
        }
        let query = LeaderboardQuery { version: self.version, after: self.page.after(), limit: self.page.limit() };
        let width = terminal_width();
        show(&client.leaderboard(&self.challenge, &query)?, self.json, |own| board::text(own, width))
    }
}
