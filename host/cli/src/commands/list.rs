//! `thimble list`

use clap::ValueEnum;
use thimble_api::Page;
use thimble_api::challenge::{Better, ChallengeSummary, ChallengesQuery, Stage};
use thimble_api::id::ChallengeName;
use thimble_api::submission::{BuilderSubmission, ListQuery};
use thimble_challenge::result::Mode;

use crate::exit::{ExitStatus, Failure};
use crate::remote::board::arrow;
use crate::remote::columns::Columns;
use crate::remote::submission::{mode_name, state, time};
use crate::remote::{ENVIRONMENT, PageOpts, ServiceOpts, more, show, terminal_width};

/// List your submissions, newest first, or the challenges that you can see.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{ENVIRONMENT}"))]
pub(crate) struct Opts {
    /// List challenges
    #[arg(long, conflicts_with_all = ["challenge", "mode"])]
    challenges: bool,
    /// Submissions to this challenge only
    #[arg(long, value_name = "NAME")]
    challenge: Option<ChallengeName>,
    /// Submissions of this mode only
    #[arg(long, value_enum)]
    mode: Option<ListMode>,
    #[command(flatten)]
    page: PageOpts,
    /// Print the service's answer, as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    service: ServiceOpts,
}

const EXAMPLES: &str = "\
Examples:
  thimble list --challenge imagenet-pareto-500k --mode official
  thimble list --challenges";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ListMode {
    /// On public data
    Validation,
    /// On private data
    Official,
}

impl Opts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        let client = self.service.client()?;
        let (after, limit) = (self.page.after(), self.page.limit());
        if self.challenges {
            let query = ChallengesQuery { q: None, after, limit };
            return show(&client.challenges(&query)?, self.json, challenges);
        }
        let mode = self.mode.map(|mode| match mode {
            ListMode::Validation => Mode::Validation,
            ListMode::Official => Mode::Official,
        });
        let query = ListQuery { challenge: self.challenge, mode, after, limit };
        show(&client.submissions(&query)?, self.json, submissions)
    }
}

fn submissions(page: &Page<BuilderSubmission>) -> String {
    if page.items.is_empty() {
        return "no submissions\n".to_owned();
    }
    let mut table = Columns::default()
        .text("id", 0)
        .text("submitted", 4)
        .text("challenge", 2)
        .text("mode", 3)
        .text("state or score", 0)
        .text("submission", 5)
        .text("note", 6);
    for item in &page.items {
        let name = item.name.as_deref().unwrap_or("(bare component)");
        table.row(vec![
            item.id.to_string(),
            time(item.submitted_at),
            item.challenge.to_string(),
            mode_name(item.run.mode()).to_owned(),
            state(&item.run),
            format!("{name} {}", item.version.as_deref().unwrap_or_default()),
            item.note.chars().take(40).collect(),
        ]);
    }
    table.render(terminal_width()) + &more(page.next.as_deref())
}

fn challenges(page: &Page<ChallengeSummary>) -> String {
    if page.items.is_empty() {
        return "no challenges\n".to_owned();
    }
    let mut table = Columns::default()
        .text("name", 0)
        .text("metric", 2)
        .text("stage", 1)
        .text("closes", 3)
        .numbers("builders", 4)
        .numbers("results", 5)
        .text("title", 6);
    for item in &page.items {
        let better: Better = item.metric.better;
        table.row(vec![
            item.name.to_string(),
            format!("{} {}", item.metric.name, arrow(better)),
            stage_name(item.stage).to_owned(),
            item.closes_at.map(time).unwrap_or_default(),
            item.builders.to_string(),
            item.results.to_string(),
            item.title.clone(),
        ]);
    }
    table.render(terminal_width()) + &more(page.next.as_deref())
}

pub(super) const fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Draft => "draft",
        Stage::Published => "published",
        Stage::Closed => "closed",
    }
}
