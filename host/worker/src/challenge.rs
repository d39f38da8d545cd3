//! A challenge and its data, bound once and kept for the next submission.

use std::path::Path;
use std::sync::Arc;

use cap_std::fs::Dir;
use thimble_challenge::LoadedChallenge;
use thimble_challenge::result::Mode;
use thimble_datasets::{Dataset, Digest, OperatorSecret};
use thimble_runtime::BoundData;
use thimble_store::PublishedChallenge;

/// Challenges with their data that are kept open.
const KEPT: usize = 8;

/// Opens the directory of a registered dataset. Given by the program: libraries open no path of the machine.
pub type OpenDirectory = fn(&Path) -> std::io::Result<Dir>;

/// A challenge with data that is bound to it.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) challenge: LoadedChallenge,
    pub(crate) data: BoundData,
}

/// Why a challenge cannot be evaluated: a fault of ours or of the operator, never of a submission.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataError {
    #[error("the challenge has no official data")]
    NoOfficial,
    #[error("dataset {path} cannot be opened: {reason}")]
    Open { path: String, reason: String },
    #[error("dataset {path} cannot be used: {reason}")]
    Bind { path: String, reason: String },
}

/// The challenges that were used last.
#[derive(Debug)]
pub struct Data {
    open: OpenDirectory,
    kept: Vec<(Digest, Mode, Arc<Bound>)>,
}

impl Data {
    /// None yet.
    pub fn new(open: OpenDirectory) -> Self {
        Self { open, kept: Vec::new() }
    }

    /// A challenge with its data for a mode.
    pub(crate) fn bound(&mut self, published: &PublishedChallenge, mode: Mode) -> Result<Arc<Bound>, DataError> {
        let place = self.kept.iter().position(|(digest, of, _)| *digest == published.digest && *of == mode);
        let entry = match place {
            Some(place) => self.kept.remove(place),
            None => (published.digest, mode, Arc::new(self.bind(published, mode)?)),
        };
        let bound = entry.2.clone();
        if self.kept.len() == KEPT {
            self.kept.remove(0);
        }
        self.kept.push(entry);
        Ok(bound)
    }

    fn bind(&self, published: &PublishedChallenge, mode: Mode) -> Result<Bound, DataError> {
        let path = match mode {
            Mode::Validation => &published.public_path,
            Mode::Official => published.official_path.as_ref().ok_or(DataError::NoOfficial)?,
        };
        let shown = || path.display().to_string();
        let open = |reason: String| DataError::Open { path: shown(), reason };
        let bind = |reason: String| DataError::Bind { path: shown(), reason };
        let directory = (self.open)(path).map_err(|error| open(error.to_string()))?;
        let dataset = Arc::new(Dataset::open(&directory).map_err(|error| open(error.to_string()))?);
        let challenge = LoadedChallenge {
            challenge: published.challenge.clone(),
            digest: published.digest,
            statement: published.statement.clone(),
        };
        let data = match mode {
            Mode::Validation => BoundData::validation(&challenge, dataset),
            Mode::Official => {
                let secret = OperatorSecret::read(&directory).map_err(|error| bind(error.to_string()))?;
                BoundData::official(&challenge, dataset, &secret)
            }
        };
        Ok(Bound { challenge, data: data.map_err(|error| bind(error.to_string()))? })
    }
}
