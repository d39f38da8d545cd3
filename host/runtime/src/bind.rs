//! Binding data to a challenge: a [`BoundData`] exists only where the dataset is the one the challenge names.

use std::sync::Arc;

use thimble_challenge::LoadedChallenge;
use thimble_challenge::challenge::{MAX_TEST_ROWS, Task};
use thimble_challenge::result::Mode;
use thimble_datasets::{ColumnValues, Dataset, Digest, OperatorSecret, PUBLIC_DATASETS, Split, SplitTable};

/// The row order of validation runs: anyone can compute it.
const PUBLIC_PERMUTATION_KEY: [u8; 32] = [0; 32];

/// Class scores of all test rows: 1 GiB in f32.
pub const MAX_SCORES: u64 = 1 << 28;

/// A dataset that may be used for a challenge, and how.
#[derive(Debug, Clone)]
pub struct BoundData {
    pub(crate) dataset: Arc<Dataset>,
    pub(crate) mode: Mode,
    pub(crate) permutation_key: [u8; 32],
    /// What a result may say of the data: its digest in validation, the commitment in an official run.
    pub(crate) identity: Digest,
}

/// Data that everyone may validate on. What tells more about a submission than its result asks for this type.
#[derive(Debug, Clone)]
pub struct PublicData(BoundData);

impl PublicData {
    /// Public data for validation.
    ///
    /// # Errors
    /// As [`BoundData::validation`].
    pub fn new(challenge: &LoadedChallenge, dataset: Arc<Dataset>) -> Result<Self, BindError> {
        BoundData::validation(challenge, dataset).map(Self)
    }

    pub(crate) fn bound(&self) -> &BoundData {
        &self.0
    }
}

impl From<PublicData> for BoundData {
    fn from(data: PublicData) -> Self {
        data.0
    }
}

/// Why a dataset may not be used for a challenge.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BindError {
    /// Other public data than the challenge names.
    #[error("the dataset's digest is {value}, but challenge.json names {limit} (datasets.public.digest)")]
    OtherDataset {
        /// The digest in the challenge.
        limit: Digest,
        /// The digest of the data.
        value: Digest,
    },
    /// The challenge has published no commitment.
    #[error(
        "the challenge has no datasets.official_commitment; publish one with `thimble challenge commit` before the first official run"
    )]
    NoCommitment,
    /// Not the data that was committed to.
    #[error("this dataset with this salt is not the one that datasets.official_commitment commits to")]
    OtherCommitment,
    /// Data that anyone can have.
    #[error(
        "dataset {0} is public, so its test labels are known; an official run needs private data, or a challenge marked `practice`"
    )]
    PublicData(Digest),
    /// More test rows than a prediction budget can be given for.
    #[error("the test split has {value} rows, at most {limit} are evaluated")]
    TestRows {
        /// Most rows.
        limit: u64,
        /// Rows of the split.
        value: u64,
    },
    /// More scores than are held in memory.
    #[error("{value} scores (test rows times classes) are over the limit of {limit}")]
    Scores {
        /// Most scores.
        limit: u64,
        /// Test rows times classes.
        value: u64,
    },
    /// The dataset's fields are not those of the task.
    #[error("{split}: {message}")]
    Fields {
        /// Which split.
        split: &'static str,
        /// What the challenge asks for and what is there.
        message: String,
    },
}

impl BoundData {
    /// Public data for validation.
    ///
    /// # Errors
    /// The digest is not the challenge's, or the fields do not fit its task.
    pub fn validation(challenge: &LoadedChallenge, dataset: Arc<Dataset>) -> Result<Self, BindError> {
        let named = challenge.challenge.datasets.public.digest;
        let identity = dataset.digest();
        if identity != named {
            return Err(BindError::OtherDataset { limit: named, value: identity });
        }
        check_fields(challenge, &dataset)?;
        Ok(Self { dataset, mode: Mode::Validation, permutation_key: PUBLIC_PERMUTATION_KEY, identity })
    }

    /// Private data for official runs.
    ///
    /// # Errors
    /// The data is public and the challenge not `practice`, the commitment is missing or another, or the fields do not
    /// fit the challenge's task.
    pub fn official(
        challenge: &LoadedChallenge,
        dataset: Arc<Dataset>,
        secret: &OperatorSecret,
    ) -> Result<Self, BindError> {
        Self::refuse_public(challenge, &dataset)?;
        let digest = dataset.digest();
        let identity = challenge.challenge.datasets.official_commitment.ok_or(BindError::NoCommitment)?;
        if secret.commitment(&digest) != identity {
            return Err(BindError::OtherCommitment);
        }
        check_fields(challenge, &dataset)?;
        Ok(Self { dataset, mode: Mode::Official, permutation_key: secret.permutation_key, identity })
    }

    /// Refuses data that anyone can have, unless the challenge is `practice`.
    ///
    /// # Errors
    /// The data is a published set or the challenge's own public data.
    pub fn refuse_public(challenge: &LoadedChallenge, dataset: &Dataset) -> Result<(), BindError> {
        let digest = dataset.digest();
        let public = digest == challenge.challenge.datasets.public.digest || PUBLIC_DATASETS.contains(&digest);
        if public && !challenge.challenge.practice { Err(BindError::PublicData(digest)) } else { Ok(()) }
    }

    /// The rows.
    pub fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// Validation or official.
    pub fn mode(&self) -> Mode {
        self.mode
    }
}

fn check_fields(challenge: &LoadedChallenge, dataset: &Dataset) -> Result<(), BindError> {
    let Task::Classification { input, input_dim, target, classes } = &challenge.challenge.task;
    let rows = dataset.split(Split::Test).rows() as u64;
    if rows > MAX_TEST_ROWS {
        return Err(BindError::TestRows { limit: MAX_TEST_ROWS, value: rows });
    }
    let scores = rows * u64::from(*classes);
    if scores > MAX_SCORES {
        return Err(BindError::Scores { limit: MAX_SCORES, value: scores });
    }
    for split in Split::ALL {
        let table = dataset.split(split);
        let fault = |message| BindError::Fields { split: split.name(), message };
        check_input(table, input, *input_dim).map_err(fault)?;
        check_target(table, target, *classes).map_err(fault)?;
        if table.rows() == 0 {
            return Err(fault("the split has no rows".to_owned()));
        }
    }
    Ok(())
}

fn check_input(table: &SplitTable, name: &str, dim: u32) -> Result<(), String> {
    let column = table.column(name).ok_or_else(|| format!("the task's input field `{name}` is missing"))?;
    match column.values {
        ColumnValues::F32(_) if column.shape == [dim] => Ok(()),
        ColumnValues::F32(_) => {
            Err(format!("field `{name}` has shape {:?}, the task's input_dim is {dim}", column.shape))
        }
        _ => Err(format!("field `{name}` is not f32")),
    }
}

fn check_target(table: &SplitTable, name: &str, classes: u32) -> Result<(), String> {
    let column = table.column(name).ok_or_else(|| format!("the task's target field `{name}` is missing"))?;
    let ColumnValues::S64(labels) = column.values else {
        return Err(format!("field `{name}` is not s64"));
    };
    if !column.shape.is_empty() {
        return Err(format!("field `{name}` has shape {:?}; a label is one number", column.shape));
    }
    match labels.iter().position(|label| !(0..i64::from(classes)).contains(label)) {
        Some(row) => Err(format!("row {row} of field `{name}` is not a class from 0 to {}", classes - 1)),
        None => Ok(()),
    }
}
