//! Distillation (Hinton, Vinyals, Dean 2015): a small network learns what a large one, trained first in the same run, says of
//! every row, not only which answer is right.
#![forbid(unsafe_code)]

mod loss;

use mlp_training::{Activations, Network, QuantisedNetwork, Recipe, Trainer};
use thimble_sdk::nn::cross_entropy;
use thimble_sdk::{Loader, Metadata, Result, Rng, Solution, journal};

use crate::loss::soft_cross_entropy;

/// Hidden neurons of the teacher. It does not survive training, so no limit binds it.
const TEACHER: usize = 384;
const TEACHER_RECIPE: Recipe = Recipe { epochs: 40, learning_rate: 2e-3, noise: 0.8, validate_every: 10 };

/// Hidden neurons of the student, if the parameter limit lets them; as many as classes, if those are more.
const STUDENT: usize = 48;
const STUDENT_RECIPE: Recipe = Recipe { epochs: 80, learning_rate: 4e-3, noise: 0.5, validate_every: 10 };

/// Divides the scores before the softmax: shows which wrong answers the teacher holds possible.
const TEMPERATURE: f32 = 3.0;
/// Of the teacher's answers in the loss; the labels have the rest.
const SOFT_SHARE: f32 = 0.8;

/// Trains a teacher and then its student.
#[derive(Debug)]
pub struct Distillation;

impl Solution for Distillation {
    type Model = QuantisedNetwork;

    fn solve(train: &mut Loader, val: &mut Loader, metadata: &Metadata) -> Result<QuantisedNetwork> {
        let (width, classes) = (metadata.input_dim, metadata.num_classes);
        let mut rng = Rng::seeded(metadata.seed);
        let hidden = (1..=STUDENT.max(classes))
            .rev()
            .find(|&hidden| QuantisedNetwork::count(&[width, hidden, classes]) <= metadata.param_limit)
            .ok_or_else(|| format!("{} parameters do not allow one hidden neuron", metadata.param_limit))?;
        let mut teacher = Trainer::new(Network::new(&[width, TEACHER, classes], &mut rng));
        teacher.fit(train, val, &TEACHER_RECIPE, &mut rng)?;
        journal::log(format!("teacher: {:.4} on the validation split", teacher.validate(val)?.accuracy()));
        let teacher = teacher.into_network();

        let mut student = Trainer::new(Network::new(&[width, hidden, classes], &mut rng));
        let (mut taught, mut soft) = (Activations::default(), Vec::new());
        student.fit_with(train, val, &STUDENT_RECIPE, &mut rng, |x, batch, scores, gradient| {
            teacher.forward(x, batch.rows(), &mut taught)?;
            soft.resize(scores.len(), 0.0);
            let soft_loss = soft_cross_entropy(scores, taught.scores(), classes, TEMPERATURE, &mut soft)?;
            let hard_loss = cross_entropy(scores, batch.labels()?, classes, gradient)?;
            for (g, soft) in gradient.iter_mut().zip(&soft) {
                *g = SOFT_SHARE * soft + (1.0 - SOFT_SHARE) * *g;
            }
            Ok(SOFT_SHARE * soft_loss + (1.0 - SOFT_SHARE) * hard_loss)
        })?;
        journal::log(format!("student: {:.4} on the validation split", student.validate(val)?.accuracy()));
        QuantisedNetwork::from_network(student.network())
    }
}

thimble_sdk::export!(Distillation);

#[cfg(test)]
mod tests {
    use mlp_training::trial::synthetic;
    use thimble_sdk::Model as _;
    use thimble_sdk::nn::count_correct;

    use super::*;

    const WIDTH: usize = 8;
    const CLASSES: usize = 3;

    fn split(seed: u64, rows: usize) -> Result<Loader> {
        synthetic(WIDTH, CLASSES, rows, seed)
    }

    fn solve(metadata: &Metadata) -> Result<QuantisedNetwork> {
        Distillation::solve(&mut split(1, 90)?.shuffled(1), &mut split(2, 30)?, metadata)
    }

    #[test]
    fn the_student_learns_and_predicts_from_its_parameters_alone() -> Result<()> {
        let metadata = Metadata::classification(WIDTH, CLASSES);
        let student = QuantisedNetwork::from_parameters(solve(&metadata)?.parameters(), &metadata)?;
        let batch = split(3, 30)?.next().ok_or("no batch")?;
        let correct = count_correct(student.predict(&batch)?.get()?, batch.labels()?, CLASSES)?;
        assert!(correct >= 28, "{correct} of 30");
        Ok(())
    }

    #[test]
    fn the_parameter_limit_binds_the_student() -> Result<()> {
        let limited = |param_limit| solve(&Metadata { param_limit, ..Metadata::classification(WIDTH, CLASSES) });
        let one = QuantisedNetwork::count(&[WIDTH, 1, CLASSES]);
        assert_eq!(limited(one)?.parameters().count(), one);
        assert!(limited(one - 1).is_err());
        Ok(())
    }
}
