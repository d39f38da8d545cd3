//! A challenge's public data in a guest's own `cargo test`: the rows, orders and rules of the runner, natively.
//!
//! `thimble dataset export CHALLENGE --out DIR` writes the data, [`PublicData::open`] reads it, and
//! [`PublicData::evaluate`] does what the runner does in a validation run. A solution that takes all randomness from
//! [`Rng`](crate::Rng) and does not ask for the fuel that is left ([`fuel_left`](crate::journal::fuel_left)) learns the
//! same parameters as in the sandbox, bit for bit: [`Evaluation::parameters_digest`] is then the `run.parameters_digest`
//! of the validation result. Nothing is metered, and nothing stops a solution that needs too much.
//!
//! ```no_run
//! # use thimble_sdk::{Result, Solution, testing::PublicData};
//! # fn test<MySolution: Solution>() -> Result<()> {
//! let data = PublicData::open("data")?;
//! let evaluation = data.evaluate::<MySolution>()?;
//! assert!(evaluation.accuracy > data.metadata().baseline_accuracy);
//! # Ok(())
//! # }
//! ```

mod digest;
mod export;
mod npy;

use std::path::Path;
use std::sync::Arc;

use crate::{Batch, Error, Fields, Loader, Metadata, Model, Parameters, Predictions, Result, Solution, Tensor, Values};

pub use digest::parameters_digest;

/// The runner refuses predictions beyond this.
const LARGEST_VALUE: f64 = 1e30;

/// The public data of a challenge, all of it in memory.
#[derive(Debug)]
pub struct PublicData {
    challenge: String,
    metadata: Metadata,
    batch_size: usize,
    seed: u64,
    train: Arc<Batch>,
    validation: Arc<Batch>,
    test: Batch,
    test_targets: Fields,
}

/// What a solution of any task predicted.
#[derive(Debug, Clone, PartialEq)]
pub struct Answers {
    /// What training left behind.
    pub parameters: Parameters,
    /// The digest of [`Answers::parameters`], see [`parameters_digest`].
    pub parameters_digest: String,
    /// The predictions of each batch of test rows, in file order.
    pub batches: Vec<Predictions>,
}

/// What a solution made of public data.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// What training left behind.
    pub parameters: Parameters,
    /// The digest of [`Evaluation::parameters`], see [`parameters_digest`].
    pub parameters_digest: String,
    /// The predicted class of each test row, in file order.
    pub predictions: Vec<usize>,
    /// The share of test rows whose predicted class is the true one.
    pub accuracy: f64,
}

impl PublicData {
    /// Reads a directory that `thimble dataset export` wrote.
    ///
    /// # Errors
    /// A file is missing, or is not what `metadata.json` promises: its type, its shape, finite numbers, labels that are
    /// classes.
    pub fn open(directory: impl AsRef<Path>) -> Result<Self> {
        export::open(directory.as_ref())
    }

    /// The challenge's name.
    pub fn challenge(&self) -> &str {
        &self.challenge
    }

    /// What the runner tells a solution.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Rows of a batch, in training and prediction.
    pub fn batch_size(&self) -> usize {
        self.batch_size
    }

    /// The training split from its start, in the runner's order of every epoch.
    pub fn train(&self) -> Loader {
        Loader::from_split(self.train.clone(), self.batch_size).shuffled(self.seed)
    }

    /// The validation split from its start, in file order.
    pub fn validation(&self) -> Loader {
        Loader::from_split(self.validation.clone(), self.batch_size)
    }

    /// The test rows, inputs only, in file order. The runner hands them out in another.
    pub fn test_batches(&self) -> impl Iterator<Item = Batch> + '_ {
        (0..self.test.rows()).step_by(self.batch_size).map(|start| {
            let end = self.test.rows().min(start + self.batch_size);
            self.test.gather(&(start..end).collect::<Vec<_>>())
        })
    }

    /// The targets of the test rows, in file order.
    pub fn test_targets(&self) -> &Fields {
        &self.test_targets
    }

    /// Trains, carries the parameters over and predicts every test row: what the runner does in validation, for any task.
    ///
    /// # Errors
    /// What the solution returns, more parameters than the limit, or predictions of another form than
    /// [`Metadata::outputs`], or that are no numbers within ±1e30.
    pub fn answer<S: Solution>(&self) -> Result<Answers> {
        let parameters = S::solve(&mut self.train(), &mut self.validation(), &self.metadata)?.parameters();
        let (count, limit) = (parameters.count(), self.metadata.param_limit);
        if count > limit {
            return Err(format!("{count} parameters are over the limit of {limit}").into());
        }
        let parameters_digest = parameters_digest(&parameters)?;
        let model = S::Model::from_parameters(parameters.clone(), &self.metadata)?;
        let mut batches = Vec::new();
        for batch in self.test_batches() {
            let predictions = model.predict(&batch)?;
            check_outputs(&predictions, batch.rows(), &self.metadata)?;
            batches.push(predictions);
        }
        Ok(Answers { parameters, parameters_digest, batches })
    }

    /// [`PublicData::answer`] for a classification, and its accuracy.
    ///
    /// # Errors
    /// As [`PublicData::answer`]; the task is no classification.
    pub fn evaluate<S: Solution>(&self) -> Result<Evaluation> {
        let labels = self.test_targets.get("label")?.get::<i64>()?;
        let Answers { parameters, parameters_digest, batches } = self.answer::<S>()?;
        let mut predictions = Vec::with_capacity(labels.len());
        for scores in &batches {
            predictions.extend(scores.get::<f32>()?.chunks_exact(self.metadata.num_classes.max(1)).map(largest));
        }
        let correct = predictions.iter().zip(labels).filter(|&(&class, &label)| class as i64 == label).count();
        let accuracy = correct as f64 / predictions.len() as f64;
        Ok(Evaluation { parameters, parameters_digest, predictions, accuracy })
    }
}

/// What the runner asks of every task's predictions: names, types, shapes and finite numbers.
fn check_outputs(predictions: &Predictions, rows: usize, metadata: &Metadata) -> Result<()> {
    let (outputs, tensors) = (&metadata.outputs, predictions.as_slice());
    if outputs.len() != tensors.len() {
        return Err(format!("predict must return {} tensors, not {}", outputs.len(), tensors.len()).into());
    }
    let mut items = 0;
    for (field, tensor) in outputs.iter().zip(tensors) {
        let first = if field.ragged { items } else { rows };
        let expected: Vec<usize> = std::iter::once(first).chain(field.shape.iter().copied()).collect();
        if tensor.name != field.name || tensor.shape != expected || tensor.values.dtype() != field.dtype {
            let Tensor { name, shape, values } = tensor;
            return Err(format!(
                "predict must return `{}`, {} of shape {expected:?}, not `{name}`, {} of shape {shape:?}",
                field.name,
                field.dtype,
                values.dtype()
            )
            .into());
        }
        tensor.check_rows(first)?;
        check_numbers(tensor)?;
        if let ("counts", Ok(counts)) = (tensor.name.as_str(), tensor.get::<i32>()) {
            items = counts.iter().map(|&count| usize::try_from(count).unwrap_or(0)).sum();
        }
    }
    Ok(())
}

fn check_numbers(tensor: &Tensor) -> Result<()> {
    let found = match &tensor.values {
        // The single nearest to the limit is above it as a double.
        Values::F32(values) => {
            let wrong = |value: &&f32| value.is_nan() || value.abs() > LARGEST_VALUE as f32;
            values.iter().find(wrong).map(|&value| f64::from(value))
        }
        Values::F64(values) => values.iter().copied().find(|value| value.is_nan() || value.abs() > LARGEST_VALUE),
        _ => None,
    };
    match found {
        Some(value) => {
            Err(Error::from(format!("a value of `{}` is {value}; it must be a number within ±1e30", tensor.name)))
        }
        None => Ok(()),
    }
}

fn largest(scores: &[f32]) -> usize {
    crate::nn::argmax(scores).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    use super::export::tests::{directory, metadata};

    /// The mean of each class in one dimension.
    struct NearestMean;

    struct Means(Vec<f32>);

    impl Solution for NearestMean {
        type Model = Means;

        fn solve(train: &mut Loader, val: &mut Loader, metadata: &Metadata) -> Result<Means> {
            assert_eq!((train.samples(), val.samples()), (metadata.train_samples, metadata.val_samples));
            let mut sums = vec![(0.0, 0.0); metadata.num_classes];
            for batch in train {
                for (&x, &label) in batch.features()?.values.iter().zip(batch.labels()?) {
                    let (sum, count) = &mut sums[label as usize];
                    *sum += x;
                    *count += 1.0;
                }
            }
            Ok(Means(sums.iter().map(|(sum, count)| sum / count).collect()))
        }
    }

    impl Model for Means {
        fn parameters(&self) -> Parameters {
            let mut parameters = Parameters::new();
            parameters.push("means", &[self.0.len()], self.0.clone());
            parameters
        }

        fn from_parameters(mut parameters: Parameters, metadata: &Metadata) -> Result<Self> {
            Ok(Self(parameters.take_f32("means", &[metadata.num_classes])?))
        }

        fn predict(&self, inputs: &Batch) -> Result<Predictions> {
            let rows = inputs.features()?.values.iter();
            let scores: Vec<f32> = rows.flat_map(|x| self.0.iter().map(move |mean| -(x - mean).abs())).collect();
            Ok(Predictions::scores(inputs.rows(), scores))
        }
    }

    #[test]
    fn a_solution_is_scored_from_its_parameters_alone() -> Result<()> {
        let directory = directory();
        let data = PublicData::open(directory.path())?;
        let evaluation = data.evaluate::<NearestMean>()?;
        // Training rows 0, 1, 10 and 11 of the classes 0, 0, 1 and 1; test rows 2, 4 and 9 of the classes 0, 1 and 1.
        assert_eq!(evaluation.parameters.as_slice()[0].get::<f32>()?, [0.5, 10.5]);
        assert_eq!(evaluation.predictions, [0, 0, 1]);
        assert_eq!(evaluation.accuracy, 2.0 / 3.0);
        assert_eq!(evaluation.parameters_digest, parameters_digest(&evaluation.parameters)?);
        Ok(())
    }

    #[test]
    fn parameters_at_the_limit_ok_and_one_more_err() -> Result<()> {
        let directory = directory();
        let evaluate = |limit: &str| {
            let text = metadata().replace("\"param_limit\": 2,", &format!("\"param_limit\": {limit},"));
            std::fs::write(directory.path().join("metadata.json"), text).expect("the file is written");
            PublicData::open(directory.path())?.evaluate::<NearestMean>()
        };
        assert!(evaluate("2").is_ok());
        let error = evaluate("1").map_err(|error| error.to_string());
        assert_eq!(error, Err("2 parameters are over the limit of 1".to_owned()));
        Ok(())
    }

    fn scores(shape: &[usize], values: &[f32]) -> Predictions {
        Tensor::new("scores", shape, values.to_vec()).into()
    }

    fn check(predictions: &Predictions) -> Result<(), String> {
        check_outputs(predictions, 2, &Metadata::classification(1, 2)).map_err(|error| error.to_string())
    }

    #[test]
    fn the_class_is_the_largest_score_and_the_first_of_equals() {
        assert_eq!([0.0, 2.0, 2.0, -1.0, -3.0, -2.0].chunks(3).map(largest).collect::<Vec<_>>(), [1, 0]);
        assert_eq!(largest(&[-0.0, 0.0]), 0);
    }

    #[test]
    fn predictions_that_the_runner_refuses_are_errors() {
        let good = [0.0, 1e30, -1e30, 1.0];
        assert_eq!(check(&scores(&[2, 2], &good)), Ok(()));
        for wrong in [scores(&[4], &good), scores(&[1, 4], &good), Tensor::new("logits", &[2, 2], good.to_vec()).into()]
        {
            assert!(
                check(&wrong).is_err_and(|text| text.starts_with("predict must return `scores`, f32 of shape [2, 2]"))
            );
        }
        assert!(check(&scores(&[2, 2], &good[..3])).is_err());
        assert!(check(&Tensor::new("scores", &[2, 2], vec![0.0_f64; 4]).into()).is_err());
        assert!(check(&Vec::new().into()).is_err_and(|text| text == "predict must return 1 tensors, not 0"));
        for wrong in [f32::NAN, f32::INFINITY, 1.000_001e30] {
            assert!(check(&scores(&[2, 2], &[0.0, 0.0, 0.0, wrong])).is_err(), "{wrong}");
        }
    }
}
