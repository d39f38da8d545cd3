//! The solution on the challenge's public data, natively: the same rows in the same order, and the same bits, as in the
//! sandbox. `data/` is what `thimble dataset export CHALLENGE --out data` writes.

use solution::{Classifier, Starter};
use thimble_sdk::testing::PublicData;
use thimble_sdk::{Batch, Model, Result, Tensor};

#[test]
fn is_better_than_the_baseline_and_within_the_limit() -> Result<()> {
    let data = PublicData::open("data")?;
    let evaluation = data.evaluate::<Starter>()?;
    println!(
        "accuracy {}, {} parameters",
        evaluation.accuracy,
        evaluation.parameters.count()
    );
    // The same as `run.parameters_digest` of a result of `thimble run --out`.
    println!("parameters {}", evaluation.parameters_digest);
    assert!(
        evaluation.accuracy > data.metadata().baseline_accuracy,
        "accuracy {}",
        evaluation.accuracy
    );
    assert!(evaluation.parameters.count() <= data.metadata().param_limit);
    Ok(())
}

/// The runner predicts some rows again, alone and in other batches: an answer that depends on other rows is not ranked.
#[test]
fn a_row_alone_gets_the_scores_that_it_gets_in_a_batch() -> Result<()> {
    let data = PublicData::open("data")?;
    let (classes, width) = (data.metadata().num_classes, data.metadata().input_dim);
    // Any numbers will do.
    let mut parameters = thimble_sdk::Parameters::new();
    let weight: Vec<f32> = (0..classes * width)
        .map(|i| (i % 17) as f32 - 8.0)
        .collect();
    parameters.push("weight", &[classes, width], weight);
    parameters.push("bias", &[classes], vec![0.5_f32; classes]);
    let model = Classifier::from_parameters(parameters, data.metadata())?;

    let batch = data.test_batches().next().ok_or("there are no test rows")?;
    let together = model.predict(&batch)?;
    let row = batch
        .features()?
        .iter()
        .next()
        .ok_or("the batch is empty")?
        .to_vec();
    let row = Tensor::new(data.metadata().inputs[0].name.clone(), &[1, width], row);
    let alone = model.predict(&Batch::from_inputs(vec![row])?)?;
    assert_eq!(alone.get::<f32>()?, &together.get::<f32>()?[..classes]);
    Ok(())
}
