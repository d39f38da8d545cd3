//! What the native tests of every solution ask, on rows made for them.

use thimble_sdk::nn::count_correct;
use thimble_sdk::{Batch, Loader, Metadata, Model, Result, Rng, Solution, Tensor};

/// Features of a row.
pub const WIDTH: usize = 12;
/// Classes.
pub const CLASSES: usize = 4;

/// The challenge of a trial.
pub fn metadata() -> Metadata {
    Metadata::classification(WIDTH, CLASSES)
}

/// Trains on 200 rows, with 40 to validate on.
///
/// # Errors
/// Those of `solve`.
pub fn solve<S: Solution>(metadata: &Metadata) -> Result<S::Model> {
    let mut train = synthetic(WIDTH, CLASSES, 200, 1)?.shuffled(1);
    S::solve(&mut train, &mut synthetic(WIDTH, CLASSES, 40, 2)?, metadata)
}

/// Trains, carries the parameters over, and counts the right answers among 100 other rows.
///
/// # Errors
/// Those of the solution.
pub fn correct_of_100<S: Solution>() -> Result<usize> {
    let metadata = metadata();
    let model = S::Model::from_parameters(solve::<S>(&metadata)?.parameters(), &metadata)?;
    let mut correct = 0;
    for batch in synthetic(WIDTH, CLASSES, 100, 3)? {
        correct += count_correct(model.predict(&batch)?.get()?, batch.labels()?, CLASSES)?;
    }
    Ok(correct)
}

/// How many rows of 30 get other scores alone than in a batch.
///
/// # Errors
/// Those of the solution.
pub fn differ_alone<S: Solution>() -> Result<usize> {
    let model = solve::<S>(&metadata())?;
    let batch = synthetic(WIDTH, CLASSES, 30, 4)?.next().ok_or("no batch")?;
    let together = model.predict(&batch)?;
    let mut differ = 0;
    for (x, scores) in batch.features()?.iter().zip(together.get::<f32>()?.chunks(CLASSES)) {
        let row = Tensor::new("features", &[1, WIDTH], x.to_vec());
        differ += usize::from(model.predict(&Batch::from_inputs(vec![row])?)?.get::<f32>()? != scores);
    }
    Ok(differ)
}

/// `rows` rows of `width` features, at least as many as classes: class c is normal around 3 in feature c and 0 in all others,
/// with standard deviation ½. In batches of 32, the same for the same seed.
///
/// # Errors
/// There are more classes than features.
pub fn synthetic(width: usize, classes: usize, rows: usize, seed: u64) -> Result<Loader> {
    if classes > width {
        return Err(format!("{classes} classes of {width} features, expected at most as many").into());
    }
    let mut rng = Rng::seeded(seed);
    let mut features: Vec<f32> = (0..rows * width).map(|_| 0.5 * rng.normal()).collect();
    let labels: Vec<i64> = (0..rows).map(|row| (row % classes) as i64).collect();
    for (row, &label) in features.chunks_exact_mut(width).zip(&labels) {
        row[label as usize] += 3.0;
    }
    let features = Tensor::new("features", &[rows, width], features);
    Loader::from_rows(vec![features], vec![Tensor::new("label", &[rows], labels)], 32)
}
