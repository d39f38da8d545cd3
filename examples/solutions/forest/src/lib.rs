//! A random forest (Breiman 2001), grown by smartcore and predicted from tensors.
//!
//! A tree reads a dozen features of a row, and compares where a network multiplies: a forest is cheap under the meter.
#![forbid(unsafe_code)]

mod grow;
mod nodes;

use thimble_sdk::{Batch, Loader, Metadata, Model, Parameters, Predictions, Result, Solution, journal};

use crate::nodes::Nodes;

/// Trees that are grown, if the parameter limit lets them. Every tree after the first few costs as much as those and brings
/// less.
const TREES: u16 = 16;

/// What fewer trees may cost: the first trees are enough if they lose at most this many standard errors of the validation
/// accuracy against the best number of trees.
const STANDARD_ERRORS: f64 = 1.0;

/// Grows a forest on the training split and keeps as many trees as the validation split asks for.
#[derive(Debug)]
pub struct RandomForest;

/// Trees that vote.
#[derive(Debug, Clone, PartialEq)]
pub struct Forest {
    classes: usize,
    width: usize,
    nodes: Nodes,
}

impl Solution for RandomForest {
    type Model = Forest;

    fn solve(train: &mut Loader, val: &mut Loader, metadata: &Metadata) -> Result<Forest> {
        let mut forest = Forest {
            classes: metadata.num_classes,
            width: metadata.input_dim,
            nodes: grow::grow(train, metadata, TREES)?,
        };
        let grown = forest.nodes.trees();
        forest.nodes.fit(metadata.param_limit)?;
        let accuracies = forest.accuracies(val)?;
        for (trees, &accuracy) in (1..).zip(&accuracies) {
            journal::record("val accuracy", trees, accuracy);
        }
        let trees = frugal(&accuracies, val.samples());
        forest.nodes.keep(trees);
        journal::log(format!("{trees} of {grown} trees, {} nodes", forest.nodes.len()));
        Ok(forest)
    }
}

/// The smallest number of trees whose accuracy, measured on `rows` rows, is within the allowance of the best.
fn frugal(accuracies: &[f64], rows: u64) -> usize {
    let best = accuracies.iter().copied().fold(0.0, f64::max);
    let error = (best * (1.0 - best) / rows.max(1) as f64).sqrt();
    accuracies.iter().position(|&accuracy| accuracy >= best - STANDARD_ERRORS * error).map_or(1, |index| index + 1)
}

impl Forest {
    /// The accuracy on `split` of the first tree, of the first two, and so on.
    fn accuracies(&self, split: &mut Loader) -> Result<Vec<f64>> {
        let (mut rows, mut correct) = (0_usize, vec![0_usize; self.nodes.trees()]);
        let mut votes = vec![0.0_f32; self.classes];
        for batch in split {
            let features = batch.features()?;
            self.check_width(features.width)?;
            for (row, &label) in features.iter().zip(batch.labels()?) {
                votes.fill(0.0);
                for (tree, correct) in correct.iter_mut().enumerate() {
                    votes[self.nodes.class(tree, row)] += 1.0;
                    *correct += usize::from(thimble_sdk::nn::argmax(&votes).map(|best| best as i64) == Some(label));
                }
                rows += 1;
            }
        }
        Ok(correct.iter().map(|&correct| correct as f64 / rows.max(1) as f64).collect())
    }

    fn check_width(&self, width: usize) -> Result<()> {
        if width == self.width {
            Ok(())
        } else {
            Err(format!("rows of {width} values, expected {}", self.width).into())
        }
    }
}

impl Model for Forest {
    fn parameters(&self) -> Parameters {
        self.nodes.parameters()
    }

    fn from_parameters(parameters: Parameters, metadata: &Metadata) -> Result<Self> {
        let (classes, width) = (metadata.num_classes, metadata.input_dim);
        Ok(Self { classes, width, nodes: Nodes::from_parameters(parameters, width, classes)? })
    }

    /// The votes of every class. Of two classes with as many, the first wins, as smartcore has it.
    fn predict(&self, inputs: &Batch) -> Result<Predictions> {
        let features = inputs.features()?;
        self.check_width(features.width)?;
        let mut votes = vec![0.0_f32; inputs.rows() * self.classes];
        for (row, votes) in features.iter().zip(votes.chunks_exact_mut(self.classes)) {
            for tree in 0..self.nodes.trees() {
                votes[self.nodes.class(tree, row)] += 1.0;
            }
        }
        Ok(Predictions::scores(inputs.rows(), votes))
    }
}

thimble_sdk::export!(RandomForest);

#[cfg(test)]
mod tests {
    use thimble_sdk::{Rng, Tensor};

    use super::*;

    const WIDTH: usize = 6;

    /// Four classes: the quadrants of the first two features. No linear classifier of those alone tells them apart pairwise
    /// by one threshold.
    fn split(seed: u64, rows: usize) -> Result<Loader> {
        let mut rng = Rng::seeded(seed);
        let features: Vec<f32> = (0..rows * WIDTH).map(|_| rng.normal()).collect();
        let quadrant = |row: &[f32]| i64::from(row[0] > 0.0) * 2 + i64::from(row[1] > 0.0);
        let labels: Vec<i64> = features.chunks_exact(WIDTH).map(quadrant).collect();
        let features = Tensor::new("features", &[rows, WIDTH], features);
        Loader::from_rows(vec![features], vec![Tensor::new("label", &[rows], labels)], 50)
    }

    fn metadata(param_limit: u64) -> Metadata {
        Metadata { param_limit, ..Metadata::classification(WIDTH, 4) }
    }

    fn solve(param_limit: u64) -> Result<Forest> {
        RandomForest::solve(&mut split(1, 400)?, &mut split(2, 200)?, &metadata(param_limit))
    }

    #[test]
    fn learns_and_predicts_from_its_parameters_alone() -> Result<()> {
        let forest = Forest::from_parameters(solve(u64::MAX)?.parameters(), &metadata(u64::MAX))?;
        let batch = split(3, 50)?.next().ok_or("no batch")?;
        let scores = forest.predict(&batch)?;
        let correct = thimble_sdk::nn::count_correct(scores.get()?, batch.labels()?, 4)?;
        assert!(correct >= 46, "{correct} of 50");
        Ok(())
    }

    #[test]
    fn as_many_trees_as_the_limit_allows() -> Result<()> {
        let forest = solve(300)?;
        assert!(forest.parameters().count() <= 300 && forest.nodes.trees() >= 1);
        assert!(solve(4).is_err());
        Ok(())
    }

    #[test]
    fn the_fewest_trees_within_the_allowance_are_taken() {
        // The standard error of 0.9 over 900 rows is 0.01.
        assert_eq!(frugal(&[0.5, 0.889, 0.891, 0.9, 0.899], 900), 3);
    }
}
