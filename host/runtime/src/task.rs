//! What a guest is told about the challenge.

use thimble_challenge::Challenge;
use thimble_challenge::challenge::{ScoreRule, Task};
use thimble_datasets::{Dataset, Split};

use crate::contract::{Dtype, Field, Kind, Metadata};

/// Everything in a `metadata` record, ready to be lent.
#[derive(Debug, Clone)]
pub(crate) struct Description {
    input: String,
    input_shape: [u32; 1],
    target: String,
    pub(crate) classes: u32,
    param_limit: u64,
    baseline: f64,
    samples: [u64; 3],
    seed: u64,
}

impl Description {
    pub(crate) fn new(challenge: &Challenge, dataset: &Dataset) -> Self {
        let Task::Classification { input, input_dim, target, classes } = &challenge.task;
        let rows = |split| dataset.split(split).rows() as u64;
        Self {
            input: input.clone(),
            input_shape: [*input_dim],
            target: target.clone(),
            classes: *classes,
            param_limit: challenge.limits.parameters.0,
            baseline: match &challenge.score {
                ScoreRule::LinearAboveBaseline { baseline } => *baseline,
                ScoreRule::Metric => 0.0,
                ScoreRule::Composite(composite) => composite.floor,
            },
            samples: [rows(Split::Train), rows(Split::Validation), rows(Split::Test)],
            seed: challenge.seed,
        }
    }

    pub(crate) fn inputs(&self) -> [Field<'_>; 1] {
        [Field { name: &self.input, dtype: Dtype::F32, shape: &self.input_shape }]
    }

    pub(crate) fn targets(&self) -> [Field<'_>; 1] {
        [Field { name: &self.target, dtype: Dtype::S64, shape: &[] }]
    }

    pub(crate) fn metadata<'a>(&'a self, inputs: &'a [Field<'a>], targets: &'a [Field<'a>]) -> Metadata<'a> {
        let [train_samples, val_samples, test_samples] = self.samples;
        Metadata {
            kind: Kind::Classification,
            inputs,
            targets,
            num_classes: self.classes,
            input_dim: self.input_shape[0],
            param_limit: self.param_limit,
            baseline_accuracy: self.baseline,
            train_samples,
            val_samples,
            test_samples,
            // The same word on every target: the comparable result must not depend on it.
            device: "cpu",
            seed: self.seed,
        }
    }

    /// Bytes of the record, for the meter.
    pub(crate) fn bytes(&self) -> u64 {
        let numbers = 4 + 4 + 8 + 8 + 3 * 8 + 8;
        numbers + (self.input.len() + self.target.len() + "cpu".len() + 4) as u64
    }
}
