//! `thimble dataset explore`

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use thimble_explore::{Exploration, MAX_NOTEBOOK_BYTES, MinimumCell, Notebook, Options, explore};

use crate::exit::{Blame as _, ExitStatus, Failure};
use crate::target::Target;
use crate::{input, output};

const JSON_FILE: &str = "exploration.json";
const PAGE_FILE: &str = "index.html";
const NOTEBOOK_FILE: &str = "notebook.html";

/// Summarise a dataset without what only a few rows have.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Writes exploration.json and index.html, one page without scripts: counts, histograms and correlations of the training and \
validation splits, and the number of rows of the test split. Counts of fewer rows than the minimum are suppressed, and so \
many others that they cannot be subtracted back; docs/exploration.md has the rules and what they do not promise.

A notebook is rendered to notebook.html without running it, and without scripts. What it shows of the rows stays in it.

Examples:
  thimble dataset explore data --out exploration
  thimble dataset explore data --notebook eda.ipynb --minimum-cell 10 --out exploration --overwrite")]
pub(crate) struct ExploreOpts {
    /// Dataset directory
    directory: PathBuf,
    /// Directory to make
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Your own notebook, to be shown beside the statistics
    #[arg(long, value_name = "FILE.ipynb")]
    notebook: Option<PathBuf>,
    /// Fewest rows that a shown count may stand for, 2 to 1,000
    #[arg(long, value_name = "N", default_value = "5", value_parser = minimum_cell)]
    minimum_cell: MinimumCell,
    /// Replace the exploration that is there
    #[arg(long)]
    overwrite: bool,
    /// Print the statistics as JSON
    #[arg(long)]
    json: bool,
}

fn minimum_cell(text: &str) -> Result<MinimumCell, String> {
    let value = text.parse().map_err(|_| "not a whole number".to_owned())?;
    MinimumCell::new(value).map_err(|error| error.to_string())
}

impl ExploreOpts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        let target = Target::check(&self.out, "an exploration", JSON_FILE, self.overwrite)?;
        // Before the dataset, which takes longer to read.
        let notebook = self.notebook.as_deref().map(read_notebook).transpose()?;
        let (_, dataset) = input::dataset(&self.directory)?;
        let exploration = explore(&dataset, &Options { minimum_cell: self.minimum_cell });
        let mut files = vec![(JSON_FILE, exploration.to_json()), (PAGE_FILE, exploration.to_html())];
        if let Some(notebook) = &notebook {
            files.push((NOTEBOOK_FILE, notebook.to_html(&exploration.name)));
        }
        target.write(&[PAGE_FILE, NOTEBOOK_FILE], |fresh| {
            files.iter().try_for_each(|(name, text)| {
                let cannot = || format!("cannot write {}", self.out.join(name).display());
                fs::write(fresh.join(name), text).with_context(cannot).or_output()
            })
        })?;
        output::print(&if self.json { output::json(&exploration)? } else { self.summary(&exploration, &files) })?;
        Ok(ExitStatus::Success)
    }

    /// Sizes, what was summarised, and the files.
    fn summary(&self, exploration: &Exploration, files: &[(&str, String)]) -> String {
        let mut text = format!("{}, {}\n", exploration.name, exploration.task);
        for split in &exploration.splits {
            text += &format!("{:<11} {} rows\n", split.split, split.rows);
        }
        let titles: Vec<_> = exploration.sections.iter().map(|section| section.title.to_lowercase()).collect();
        text += &format!("{:<11} {}\n", "shown", titles.join(", "));
        text += &format!("{:<11} fewer than {} rows\n", "suppressed", exploration.minimum_cell.get());
        for (name, _) in files {
            text += &format!("{}\n", self.out.join(name).display());
        }
        text
    }
}

fn read_notebook(path: &Path) -> Result<Notebook, Failure> {
    let bytes = input::file("notebook", path, MAX_NOTEBOOK_BYTES)?;
    Notebook::parse(&bytes).with_context(|| path.display().to_string()).or_input()
}
