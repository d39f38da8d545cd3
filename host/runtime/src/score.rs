//! Score: the challenge's metrics on labels that no guest ever saw.

use std::collections::BTreeMap;

use thimble_challenge::result::Score;
use thimble_challenge::{Challenge, Fuel, challenge::Task};
use thimble_datasets::{ColumnValues, Dataset, Split};
use thimble_metrics::{ClassificationInputs, MetricValue, evaluate};

use crate::stop::PlatformFault;

/// Metrics by name, and the score.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scored {
    pub(crate) metrics: BTreeMap<String, MetricValue>,
    /// `None` where the ranking metric is undefined.
    pub(crate) score: Option<Score>,
}

/// Computes the ranking metric and every published one. `scores` are in file order; `fuel` is what they took.
pub(crate) fn score(
    challenge: &Challenge,
    dataset: &Dataset,
    scores: &[f32],
    fuel: Fuel,
) -> Result<Scored, PlatformFault> {
    let Task::Classification { target, classes, .. } = &challenge.task;
    let column = dataset.split(Split::Test).column(target);
    let Some(ColumnValues::S64(labels)) = column.map(|column| column.values) else {
        return Err(PlatformFault::Dataset(format!("the test split has no labels `{target}`")));
    };
    let inputs = ClassificationInputs { scores, classes: *classes, labels };
    let ranking = &challenge.ranking;
    let mut metrics = BTreeMap::new();
    for name in std::iter::once(&ranking.metric).chain(&ranking.also_published) {
        let value = evaluate(name, &inputs).map_err(|error| PlatformFault::Metric(error.to_string()))?;
        metrics.insert(name.clone(), value);
    }
    let flops_per_sample = fuel.flops() / labels.len() as f64;
    let metric = metrics.get(&ranking.metric).and_then(MetricValue::value);
    let score = metric.map(|metric| challenge.score.score(metric, flops_per_sample));
    Ok(Scored { metrics, score })
}
