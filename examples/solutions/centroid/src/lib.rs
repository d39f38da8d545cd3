//! The nearest class mean, as a linear classifier.
//!
//! ‖x − μ‖² = ‖x‖² − 2 (μ·x − ½‖μ‖²), so the nearest mean has the largest score μ·x − ½‖μ‖²: one matrix product, with the
//! means as weight and −½‖μ‖² as bias.
#![forbid(unsafe_code)]

use thimble_sdk::nn::{Gemm, Linear};
use thimble_sdk::{Batch, Error, Loader, Metadata, Model, Parameters, Predictions, Result, Solution, journal};

/// Takes the means of the training and the validation split together; of the training split alone with the feature
/// `train-only`.
#[derive(Debug)]
pub struct Centroid;

/// The means as a linear layer.
#[derive(Debug)]
pub struct Means(Linear);

impl Solution for Centroid {
    type Model = Means;

    fn solve(train: &mut Loader, val: &mut Loader, metadata: &Metadata) -> Result<Means> {
        let mut sums = Sums::new(metadata.num_classes, metadata.input_dim);
        sums.add(train)?;
        if cfg!(not(feature = "train-only")) {
            sums.add(val)?;
        }
        journal::log(format!("means of {} rows in {} classes", sums.rows(), metadata.num_classes));
        sums.means()
    }
}

impl Model for Means {
    fn parameters(&self) -> Parameters {
        let Self(linear) = self;
        let mut parameters = Parameters::new();
        parameters.push("weight", &[linear.outputs(), linear.inputs()], linear.weight().to_vec());
        parameters.push("bias", &[linear.outputs()], linear.bias().to_vec());
        parameters
    }

    fn from_parameters(mut parameters: Parameters, metadata: &Metadata) -> Result<Self> {
        let (classes, width) = (metadata.num_classes, metadata.input_dim);
        let weight = parameters.take_f32("weight", &[classes, width])?;
        let bias = parameters.take_f32("bias", &[classes])?;
        Ok(Self(Linear::from_parts(width, weight, bias)?))
    }

    fn predict(&self, inputs: &Batch) -> Result<Predictions> {
        let Self(linear) = self;
        let mut scores = vec![0.0; inputs.rows() * linear.outputs()];
        linear.forward(&mut Gemm::new(), inputs.features()?.values, &mut scores)?;
        Ok(Predictions::scores(inputs.rows(), scores))
    }
}

/// Per class, the sum of its rows and their number.
struct Sums {
    width: usize,
    sums: Vec<f64>, // classes × width
    counts: Vec<u32>,
}

impl Sums {
    fn new(classes: usize, width: usize) -> Self {
        Self { width, sums: vec![0.0; classes * width], counts: vec![0; classes] }
    }

    fn add(&mut self, loader: &mut Loader) -> Result<()> {
        let classes = self.counts.len();
        for batch in loader {
            let features = batch.features()?;
            if features.width != self.width {
                return Err(format!("rows of {} values, expected {}", features.width, self.width).into());
            }
            for (row, &label) in features.iter().zip(batch.labels()?) {
                let class = usize::try_from(label)
                    .ok()
                    .filter(|&class| class < classes)
                    .ok_or_else(|| Error::from(format!("label {label}, expected below {classes}")))?;
                self.counts[class] += 1;
                for (sum, &x) in self.sums[class * self.width..][..self.width].iter_mut().zip(row) {
                    *sum += f64::from(x);
                }
            }
        }
        Ok(())
    }

    fn rows(&self) -> u32 {
        self.counts.iter().sum()
    }

    fn means(&self) -> Result<Means> {
        let mut weight = Vec::with_capacity(self.sums.len());
        let mut bias = Vec::with_capacity(self.counts.len());
        for (class, (sums, &count)) in self.sums.chunks_exact(self.width).zip(&self.counts).enumerate() {
            if count == 0 {
                return Err(format!("no row of class {class}").into());
            }
            let mean = sums.iter().map(|sum| sum / f64::from(count));
            bias.push((-0.5 * mean.clone().map(|m| m * m).sum::<f64>()) as f32);
            weight.extend(mean.map(|m| m as f32));
        }
        Ok(Means(Linear::from_parts(self.width, weight, bias)?))
    }
}

thimble_sdk::export!(Centroid);

#[cfg(test)]
mod tests {
    use thimble_sdk::testing::PublicData;

    use thimble_sdk::Tensor;

    use super::*;

    /// `cargo xtask examples` writes it.
    const PUBLIC_DATA: &str =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../../target/datasets/export/imagenet-pareto-500k");

    /// Golden: the statement's data (Frontier-CS) evaluated by its original evaluator.
    #[test]
    fn public_data_has_the_accuracy_of_the_original() -> Result<()> {
        let evaluation = PublicData::open(PUBLIC_DATA)?.evaluate::<Centroid>()?;
        let correct = if cfg!(feature = "train-only") { 1004.0 } else { 1014.0 };
        assert_eq!(evaluation.accuracy, correct / 1024.0);
        assert_eq!(evaluation.parameters.count(), 49_280);
        Ok(())
    }

    fn split(rows: &[f32], labels: &[i64]) -> Result<Loader> {
        let n = labels.len();
        let features = Tensor::new("features", &[n, 2], rows.to_vec());
        Loader::from_rows(vec![features], vec![Tensor::new("label", &[n], labels.to_vec())], 2)
    }

    #[test]
    fn weight_is_the_mean_and_bias_minus_half_its_square() -> Result<()> {
        let mut train = split(&[1.0, 0.0, 3.0, 0.0, 0.0, 8.0], &[0, 0, 1])?;
        let mut val = split(&[5.0, 0.0, 0.0, 4.0], &[0, 1])?;
        let Means(linear) = Centroid::solve(&mut train, &mut val, &Metadata::classification(2, 2))?;
        let (of_0, of_1) = if cfg!(feature = "train-only") { (2.0, 8.0) } else { (3.0, 6.0) };
        assert_eq!(linear.weight(), [of_0, 0.0, 0.0, of_1]);
        assert_eq!(linear.bias(), [-0.5 * of_0 * of_0, -0.5 * of_1 * of_1]);
        Ok(())
    }

    #[test]
    fn predicts_the_nearest_mean_from_its_parameters_alone() -> Result<()> {
        let metadata = Metadata::classification(2, 2);
        let mut train = split(&[0.0, 0.0, 10.0, 10.0], &[0, 1])?;
        let mut val = split(&[1.0, 1.0, 11.0, 11.0], &[0, 1])?;
        let parameters = Centroid::solve(&mut train, &mut val, &metadata)?.parameters();
        assert_eq!(parameters.count(), 2 * 2 + 2);
        let model = Means::from_parameters(parameters, &metadata)?;
        let rows = Tensor::new("features", &[3, 2], vec![-1.0_f32, 0.0, 5.0, 5.0, 9.0, 8.0]);
        let scores = model.predict(&Batch::from_inputs(vec![rows])?)?;
        assert_eq!(scores.shape(), [3, 2]);
        assert!(scores.get::<f32>()?.chunks(2).map(|row| row[1] > row[0]).eq([false, false, true]));
        Ok(())
    }

    #[test]
    fn data_that_does_not_fit_is_an_error() -> Result<()> {
        let solve = |labels: &[i64], width| {
            let mut train = split(&[0.0, 0.0, 1.0, 1.0], labels)?;
            Centroid::solve(&mut train, &mut Loader::empty(), &Metadata::classification(width, 2))
        };
        assert!(solve(&[0, 1], 2).is_ok());
        let text = |result: Result<Means>| result.map(|_| ()).map_err(|error| error.to_string());
        assert_eq!(text(solve(&[0, 2], 2)), Err("label 2, expected below 2".to_owned()));
        assert_eq!(text(solve(&[0, 0], 2)), Err("no row of class 1".to_owned()));
        assert_eq!(text(solve(&[0, 1], 3)), Err("rows of 2 values, expected 3".to_owned()));
        Ok(())
    }
}
