//! Binding data to a challenge: a [`BoundData`] exists only where the dataset is the one the challenge names.

use std::sync::Arc;

use thimble_challenge::challenge::MAX_TEST_ROWS;
use thimble_challenge::result::Mode;
use thimble_challenge::{Challenge, LoadedChallenge};
use thimble_datasets::{Dataset, Digest, OperatorSecret, PUBLIC_DATASETS, Split, TaskKind};
use thimble_scoring::{EvaluateError, OutputSchema};

use crate::order::TestOrder;
use crate::score::truth;

/// The row order of validation runs: anyone can compute it.
const PUBLIC_PERMUTATION_KEY: [u8; 32] = [0; 32];

/// Bytes of the predictions of all test rows.
pub const MAX_PREDICTION_BYTES: u64 = 1 << 30;

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

    /// Rows of the test split.
    pub fn test_rows(&self) -> u64 {
        self.0.dataset.split(Split::Test).rows() as u64
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
    /// More predictions than are held in memory.
    #[error("the predictions of all test rows have {value} bytes, the limit is {limit}")]
    Predictions {
        /// Most bytes.
        limit: u64,
        /// Test rows times the bytes of one row's predictions.
        value: u64,
    },
    /// A metric tells no submission from another on the test labels.
    #[error(
        "metric `{metric}` says nothing about any submission on the test labels of this data: {reason}; rank by another \
         and do not publish this one, or take other data"
    )]
    Degenerate {
        /// The metric's name.
        metric: &'static str,
        /// What was found in the labels.
        reason: String,
    },
    /// A metric tells no submission from another on one part of the test labels.
    #[error(
        "metric `{metric}` says nothing about any submission on the {rows} test rows that release.shown_share {part}: \
         {reason}; choose another share, another metric or other data"
    )]
    DegeneratePart {
        /// The metric's name.
        metric: &'static str,
        /// `shows` or `keeps`.
        part: &'static str,
        /// Rows of the part.
        rows: usize,
        /// What was found in the labels.
        reason: String,
    },
    /// A metric cannot be computed on the test labels.
    #[error("the metrics of challenge.json cannot be computed on the test labels of this data: {0}")]
    Metrics(#[from] EvaluateError),
    /// The dataset's task is another.
    #[error(
        "the dataset's task is {value}, the challenge's is {limit}; kind, classes and what is declared of them must be equal"
    )]
    Task {
        /// The challenge's.
        limit: Box<TaskKind>,
        /// The dataset's.
        value: Box<TaskKind>,
    },
    /// The dataset's field is another.
    #[error("field `{0}` of dataset.json is not that of challenge.json (type, shape, role and columns must be equal)")]
    OtherField(String),
    /// The dataset does not have a field of the challenge.
    #[error("the challenge's field `{0}` is missing from dataset.json")]
    MissingField(String),
}

impl BoundData {
    /// Public data for validation.
    ///
    /// # Errors
    /// The digest is not the challenge's, the fields do not fit its task, or a metric of the challenge says nothing on the
    /// test labels.
    pub fn validation(challenge: &LoadedChallenge, dataset: Arc<Dataset>) -> Result<Self, BindError> {
        let named = challenge.challenge.datasets.public.digest;
        let identity = dataset.digest();
        if identity != named {
            return Err(BindError::OtherDataset { limit: named, value: identity });
        }
        check_fields(challenge, &dataset)?;
        check_metrics(challenge, &dataset)?;
        Ok(Self { dataset, mode: Mode::Validation, permutation_key: PUBLIC_PERMUTATION_KEY, identity })
    }

    /// Private data for official runs.
    ///
    /// # Errors
    /// The data is public and the challenge not `practice`, the commitment is missing or another, the fields do not fit the
    /// challenge's task, or a metric of the challenge says nothing on the test labels.
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
        check_metrics(challenge, &dataset)?;
        let bound = Self { dataset, mode: Mode::Official, permutation_key: secret.permutation_key, identity };
        bound.check_parts(challenge)?;
        Ok(bound)
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

    /// The test rows that are shown until the challenge closes and those that are kept; none where they are not parted.
    pub(crate) fn parts(&self, challenge: &Challenge) -> Option<[Vec<usize>; 2]> {
        let rows = self.dataset.split(Split::Test).rows();
        let shown = challenge.release.shown_rows(rows).filter(|_| self.mode == Mode::Official)?;
        Some(TestOrder::of_parts(&self.permutation_key).parted(rows, shown))
    }

    /// Every metric tells submissions apart on either part of the test rows.
    fn check_parts(&self, challenge: &LoadedChallenge) -> Result<(), BindError> {
        let challenge = &challenge.challenge;
        let Some(parts) = self.parts(challenge) else { return Ok(()) };
        let truth = truth(challenge, &self.dataset).map_err(EvaluateError::from)?;
        for (part, rows) in ["shows", "keeps"].into_iter().zip(&parts) {
            for metric in challenge.metrics() {
                let found = truth.at(rows, |truth| truth.degenerate(challenge.metric_task(), metric.name))?;
                if let Some(reason) = found {
                    return Err(BindError::DegeneratePart { metric: metric.name, part, rows: rows.len(), reason });
                }
            }
        }
        Ok(())
    }

    /// Rows of the training, validation and test split.
    pub fn rows(&self) -> [u64; 3] {
        Split::ALL.map(|split| self.dataset.split(split).rows() as u64)
    }

    /// The data itself.
    pub fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// Validation or official.
    pub fn mode(&self) -> Mode {
        self.mode
    }
}

fn check_fields(challenge: &LoadedChallenge, dataset: &Dataset) -> Result<(), BindError> {
    let challenge = &challenge.challenge;
    let rows = dataset.split(Split::Test).rows() as u64;
    if rows > MAX_TEST_ROWS {
        return Err(BindError::TestRows { limit: MAX_TEST_ROWS, value: rows });
    }
    let metadataset = dataset.metadataset();
    if metadataset.task != challenge.task {
        let (limit, value) = (Box::new(challenge.task.clone()), Box::new(metadataset.task.clone()));
        return Err(BindError::Task { limit, value });
    }
    for field in &challenge.fields {
        match metadataset.fields.iter().find(|other| other.name == field.name) {
            Some(other) if other == field => {}
            Some(_) => return Err(BindError::OtherField(field.name.clone())),
            None => return Err(BindError::MissingField(field.name.clone())),
        }
    }
    // Objects are counted as they come; what has a fixed size is known before.
    let schema = OutputSchema::new(&challenge.task, &challenge.fields, challenge.metrics());
    let bytes = rows.saturating_mul(if schema.is_ragged() { 0 } else { schema.row_bytes() });
    if bytes > MAX_PREDICTION_BYTES {
        return Err(BindError::Predictions { limit: MAX_PREDICTION_BYTES, value: bytes });
    }
    Ok(())
}

/// Every metric that is computed tells submissions apart on the test labels.
fn check_metrics(challenge: &LoadedChallenge, dataset: &Dataset) -> Result<(), BindError> {
    let challenge = &challenge.challenge;
    let truth = truth(challenge, dataset).map_err(EvaluateError::from)?;
    for metric in challenge.metrics() {
        if let Some(reason) = truth.degenerate(challenge.metric_task(), metric.name)? {
            return Err(BindError::Degenerate { metric: metric.name, reason });
        }
    }
    Ok(())
}
