//! Challenges: written, published, edited, closed.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::de::DeserializeOwned;
use thimble_api::draft::{Draft, Edit, MAX_COVER_BYTES, MAX_EXPLORATION_BYTES, NewDraft};
use thimble_api::id::{ChallengeName, DatasetName};
use thimble_api::operator::DraftView;
use thimble_api::{ErrorCode, Page};
use thimble_challenge::LoadedChallenge;
use thimble_client::{Answer, Client, ClientError, Image, line};

use super::{Common, Listing};
use crate::commands::list::stage_name;
use crate::exit::{Blame as _, ExitStatus, Failure};
use crate::remote::columns::Columns;
use crate::remote::{more, terminal_width};
use crate::{input, output};

/// A draft or an edit in a file: the description alone may have 200 KiB.
const MAX_JSON_BYTES: u64 = 4 << 20;

/// List challenges as they are written: drafts, published and closed.
#[derive(Debug, clap::Args)]
pub(super) struct DraftsOpts {
    #[command(flatten)]
    listing: Listing,
}

impl DraftsOpts {
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        let answer = self.listing.common.client()?.drafts(&self.listing.query())?;
        self.listing.common.show(&answer, |page: &Page<DraftView>| {
            let mut table = Columns::default()
                .text("name", 0)
                .text("stage", 0)
                .numbers("revision", 3)
                .numbers("faults", 1)
                .text("cost at most", 4)
                .text("title", 2);
            for view in &page.items {
                table.row(vec![
                    view.name.to_string(),
                    stage_name(view.stage).to_owned(),
                    view.revision.to_string(),
                    view.faults.len().to_string(),
                    view.cost.to_string(),
                    view.draft.title.clone(),
                ]);
            }
            table.render(terminal_width()) + &more(page.next.as_deref())
        })
    }
}

/// Write a draft: begin it, or replace what was written.
///
/// From a JSON file of a draft (`thimble operate show NAME --draft` prints one), or from a challenge directory, whose data
/// is named by registered datasets. What an option says goes before both.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  thimble operate draft toy --title 'A toy'
  thimble operate draft toy --directory DIR --public-dataset toy --official-dataset toy-2
  thimble operate show toy --draft > draft.json
  thimble operate draft toy --from draft.json")]
pub(super) struct DraftOpts {
    /// Its name, which never changes: 3 to 63 lower-case letters, digits and single hyphens
    name: ChallengeName,
    /// A draft in JSON
    #[arg(long, value_name = "FILE", conflicts_with = "directory")]
    from: Option<PathBuf>,
    /// A challenge directory: challenge.json and statement.md
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// 1 to 82 characters
    #[arg(long)]
    title: Option<String>,
    /// Registered dataset for validation (`thimble operate datasets`)
    #[arg(long, value_name = "NAME")]
    public_dataset: Option<DatasetName>,
    /// Registered dataset for official runs
    #[arg(long, value_name = "NAME")]
    official_dataset: Option<DatasetName>,
    #[command(flatten)]
    common: Common,
}

impl DraftOpts {
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        // Everything that can be wrong here, before anything is begun there.
        let from: Option<Draft> = self.from.as_deref().map(|path| json_file("draft", path)).transpose()?;
        let loaded = self.directory.as_deref().map(input::challenge).transpose()?;
        let client = self.common.client()?;
        let current = self.begun(&client, from.as_ref(), loaded.as_ref())?;
        let mut draft = match (from, loaded) {
            (Some(draft), _) => draft,
            (None, Some(loaded)) => of_directory(loaded, &current.value.draft),
            (None, None) => current.value.draft.clone(),
        };
        if let Some(title) = self.title {
            draft.title = title;
        }
        draft.public_dataset = self.public_dataset.or(draft.public_dataset);
        draft.official_dataset = self.official_dataset.or(draft.official_dataset);
        let answer = if draft == current.value.draft {
            current
        } else {
            client.put_draft(&self.name, &draft, current.value.revision)?
        };
        self.common.show(&answer, text)
    }

    /// The draft as it stands, begun where there is none.
    fn begun(
        &self,
        client: &Client,
        from: Option<&Draft>,
        loaded: Option<&LoadedChallenge>,
    ) -> Result<Answer<DraftView>, Failure> {
        match client.draft(&self.name) {
            Err(ClientError::Refused(refusal)) if refusal.body.code == ErrorCode::NotFound => {}
            answer => return Ok(answer?),
        }
        let written = from.map(|draft| &draft.title).or(loaded.map(|loaded| &loaded.challenge.title));
        let title = self.title.as_ref().or(written).filter(|title| !title.is_empty());
        let title = title.cloned().unwrap_or_else(|| self.name.to_string());
        Ok(client.new_draft(&NewDraft { name: self.name.clone(), title })?)
    }
}

/// A challenge directory as a draft. What a directory does not say (datasets by their registered names, rules of the service)
/// stays as it was.
fn of_directory(loaded: LoadedChallenge, before: &Draft) -> Draft {
    let challenge = loaded.challenge;
    Draft {
        title: challenge.title,
        summary: challenge.summary,
        keywords: challenge.keywords,
        visibility: challenge.visibility,
        public_dataset: before.public_dataset.clone(),
        official_dataset: before.official_dataset.clone(),
        metric: Some(challenge.ranking.metric),
        also_published: challenge.ranking.also_published,
        metric_options: challenge.ranking.options,
        score: Some(challenge.score),
        tie_breaks: Some(challenge.ranking.tie_breaks),
        description: loaded.statement,
        limits: Some(challenge.limits),
        rows: challenge.rows,
        release: challenge.release,
        quotas: challenge.quotas,
        carbon: challenge.carbon,
        rules: before.rules,
        seed: challenge.seed,
        practice: challenge.practice,
    }
}

/// Show a challenge as it is written, with what publishing would refuse.
#[derive(Debug, clap::Args)]
pub(super) struct ShowOpts {
    /// Challenge
    name: ChallengeName,
    /// Print only the draft, as JSON that `thimble operate draft --from` takes
    #[arg(long, conflicts_with = "json")]
    draft: bool,
    #[command(flatten)]
    common: Common,
}

impl ShowOpts {
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        let answer = self.common.client()?.draft(&self.name)?;
        if self.draft {
            // Not as it came: to be edited, every field stands there.
            output::print(&output::json(&answer.value.draft)?)?;
            return Ok(ExitStatus::Success);
        }
        self.common.show(&answer, text)
    }
}

/// Edit a published challenge: title, summary, keywords, description, visibility, quotas, rules.
///
/// What is measured, and on what, cannot change under the submissions that were made. The file holds the fields that
/// change: {"title": …, "rules": …}.
#[derive(Debug, clap::Args)]
pub(super) struct EditOpts {
    /// Challenge
    name: ChallengeName,
    /// The edit in JSON
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    #[command(flatten)]
    common: Common,
}

impl EditOpts {
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        let edit: Edit = json_file("edit", &self.from)?;
        self.common.show(&self.common.client()?.edit(&self.name, &edit)?, text)
    }
}

/// Set or remove the cover image: JPEG or PNG, at most 25 MiB.
#[derive(Debug, clap::Args)]
pub(super) struct CoverOpts {
    /// Challenge
    name: ChallengeName,
    /// The image
    #[arg(required_unless_present = "remove", conflicts_with = "remove")]
    image: Option<PathBuf>,
    /// Remove it
    #[arg(long)]
    remove: bool,
    #[command(flatten)]
    common: Common,
}

impl CoverOpts {
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        let Some(path) = &self.image else {
            return self.common.show(&self.common.client()?.delete_cover(&self.name)?, text);
        };
        let bytes = input::file("cover", path, MAX_COVER_BYTES as u64)?;
        let kind = Image::of(&bytes)
            .ok_or_else(|| Failure::input(format!("the cover {} is neither JPEG nor PNG", path.display())))?;
        self.common.show(&self.common.client()?.put_cover(&self.name, kind, &bytes)?, text)
    }
}

/// Set or remove the page of statistics: what `thimble dataset explore --json` writes, or a notebook (.ipynb).
#[derive(Debug, clap::Args)]
pub(super) struct ExplorationOpts {
    /// Challenge
    name: ChallengeName,
    /// The statistics or the notebook, at most 25 MiB
    #[arg(required_unless_present = "remove", conflicts_with = "remove")]
    file: Option<PathBuf>,
    /// Remove it
    #[arg(long)]
    remove: bool,
    #[command(flatten)]
    common: Common,
}

impl ExplorationOpts {
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        let Some(path) = &self.file else {
            return self.common.show(&self.common.client()?.delete_exploration(&self.name)?, text);
        };
        let bytes = input::file("exploration", path, MAX_EXPLORATION_BYTES as u64)?;
        let notebook = path.extension().is_some_and(|extension| extension == "ipynb");
        self.common.show(&self.common.client()?.put_exploration(&self.name, notebook, &bytes)?, text)
    }
}

/// Open a challenge for submissions, if nothing is wrong with it.
#[derive(Debug, clap::Args)]
pub(super) struct PublishOpts {
    /// Challenge
    name: ChallengeName,
    #[command(flatten)]
    common: Common,
}

impl PublishOpts {
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        self.common.show(&self.common.client()?.publish(&self.name)?, text)
    }
}

/// End a challenge for good: it takes no more submissions, its anchors are frozen, and its salt is revealed.
#[derive(Debug, clap::Args)]
pub(super) struct CloseOpts {
    /// Challenge
    name: ChallengeName,
    #[command(flatten)]
    common: Common,
}

impl CloseOpts {
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        self.common.show(&self.common.client()?.close(&self.name)?, text)
    }
}

/// A draft, and its faults by field.
fn text(view: &DraftView) -> String {
    let yes = |has: bool| if has { "yes" } else { "no" };
    let mut text = format!(
        "challenge     {}\ntitle         {}\nstage         {}\nrevision      {}\ncover         {}\nexploration   {}\ncost at most  \
         {}\n",
        view.name,
        line(&view.draft.title),
        stage_name(view.stage),
        view.revision,
        yes(view.has_cover),
        yes(view.has_exploration),
        view.cost,
    );
    if !view.faults.is_empty() {
        text += &format!("publishing would refuse {}:\n", view.faults.len());
        text.extend(view.faults.iter().map(|fault| format!("  {}: {}\n", line(&fault.field), line(&fault.message))));
    }
    text
}

/// A file of JSON, which has no field that nobody knows.
fn json_file<T: DeserializeOwned>(what: &str, path: &Path) -> Result<T, Failure> {
    let bytes = input::file(what, path, MAX_JSON_BYTES)?;
    serde_json::from_slice(&bytes).with_context(|| format!("the {what} {}", path.display())).or_input()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

    use thimble_challenge::Challenge;
    use thimble_datasets::Digest;

    use super::*;

    /// Every field of a directory's challenge that a draft has; the two that only the service knows stay.
    #[test]
    fn a_directory_becomes_a_draft_and_keeps_what_it_does_not_say() {
        let json = include_bytes!("../../../../../examples/challenges/imagenet-pareto-500k/challenge.json");
        let challenge = Challenge::from_json(json).unwrap();
        let before = Draft {
            title: "before".to_owned(),
            public_dataset: Some("toy".parse().unwrap()),
            rules: thimble_api::challenge::ServiceRules { concurrency: 7, ..Default::default() },
            ..Draft::default()
        };
        let loaded =
            LoadedChallenge { challenge: challenge.clone(), digest: Digest::of(json), statement: "# It".to_owned() };
        let draft = of_directory(loaded, &before);
        assert_eq!(draft.title, challenge.title);
        assert_eq!(draft.description, "# It");
        assert_eq!(draft.metric, Some("accuracy".to_owned()));
        assert_eq!(draft.limits, Some(challenge.limits));
        assert_eq!(draft.score, Some(challenge.score));
        assert_eq!(draft.public_dataset, before.public_dataset);
        assert_eq!(draft.rules, before.rules);
    }
}
