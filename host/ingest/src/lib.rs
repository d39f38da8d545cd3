//! Data as operators have it, checked and turned into a dataset.
//!
//! [`ingest`] reads an [`Input`] (a directory, or one file of it) as the data of a [`Task`], checks all of it, decides which
//! split each row goes to ([`SplitRule`]), and writes a dataset with [`thimble_datasets::DatasetWriter`]. It reads twice: first
//! what classes, categories, groups and times there are, then the rows, which pass through memory a few at a time. What is
//! wrong is told all at once, each [`Finding`] with its file, its row and what to do. `docs/ingestion.md` describes the formats.
//!
//! Inputs are hostile until they are read: every size is compared with its limit ([`limits`]) before anything is allocated for
//! it, no link is followed, and no name in a file leads out of the directory.

mod boxes;
mod columns;
mod finding;
mod images;
mod input;
mod instances;
mod keys;
mod listing;
mod masks;
mod names;
mod options;
mod pairs;
mod picture;
mod points;
mod problem;
mod progress;
mod rows;
mod series;
mod sink;
mod split;
mod table;
mod texts;
mod whole;
mod wording;

pub mod limits;

use cap_std::fs::Dir;
use thimble_datasets::{Digest, Field, MetadatasetError, TaskKind, WriteError};

pub use finding::{At, Finding, Findings, Place};
pub use input::Input;
pub use options::{Channels, Options, Shares, SharesError, Size, SplitRule, Task};
pub use problem::Problem;
pub use progress::{Progress, Silent, Stage};
pub use whole::{Array, Reading, read};
pub use wording::{Hint, Quoted, SizeRemedy};

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// The data is wrong; its display has a line for each error.
    #[error("{0}")]
    Findings(Findings),
    /// An option does not fit the task or another option.
    #[error("--{option}: {reason}")]
    Option {
        /// Its name.
        option: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// What would be written is no dataset.
    #[error(transparent)]
    Metadataset(#[from] MetadatasetError),
    /// The dataset cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// What was written, or would have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The dataset's name.
    pub name: String,
    /// The task, with the classes that were found.
    pub task: TaskKind,
    /// The fields.
    pub fields: Vec<Field>,
    /// Rows of train, validation and test.
    pub rows: [u64; 3],
    /// What may be meant so; without errors.
    pub findings: Findings,
    /// The digest of what was written; none of a dry run.
    pub digest: Option<Digest>,
}

/// Checks the input and writes it as a dataset into `out`, which holds none yet; without `out`, checks only.
///
/// The same input and options give the same bytes on every machine.
///
/// # Errors
/// The options do not go together, something in the input must be put right, or the dataset cannot be written. `out` then
/// holds no dataset.
pub fn ingest(
    input: &Input,
    options: &Options,
    out: Option<&Dir>,
    progress: &mut dyn Progress,
) -> Result<Outcome, IngestError> {
    options.check()?;
    let mut work = Work { input, options, out, progress, findings: Findings::default() };
    match options.task {
        Task::TabularClassification | Task::TabularRegression | Task::TimeToEvent => table::ingest(&mut work),
        Task::TimeSeriesForecasting => series::ingest(&mut work),
        Task::TextClassification => texts::ingest(&mut work),
        Task::ImageClassification => images::ingest(&mut work),
        Task::ObjectDetection => boxes::ingest(&mut work),
        Task::SemanticSegmentation => masks::ingest(&mut work),
        Task::InstanceSegmentation => instances::ingest(&mut work),
        Task::KeypointDetection => points::ingest(&mut work),
    }
}

/// What every task's ingestion works with.
struct Work<'a> {
    input: &'a Input,
    options: &'a Options,
    out: Option<&'a Dir>,
    progress: &'a mut dyn Progress,
    findings: Findings,
}

impl Work<'_> {
    /// Goes on only if nothing must be put right.
    fn clean(&mut self) -> Result<(), IngestError> {
        match self.findings.is_clean() {
            true => Ok(()),
            false => Err(self.failed()),
        }
    }

    fn failed(&mut self) -> IngestError {
        IngestError::Findings(std::mem::take(&mut self.findings))
    }
}
