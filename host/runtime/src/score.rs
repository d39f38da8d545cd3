//! Score: the challenge's metrics on labels that no guest ever saw.

use std::collections::BTreeMap;

use thimble_challenge::challenge::MetricOptions;
use thimble_challenge::result::{Baseline, Part, Parts, Score};
use thimble_challenge::{Challenge, Fuel};
use thimble_datasets::{Dataset, Split};
use thimble_metrics::MetricValue;
use thimble_scoring::{Options, OutputSchema, Predictions, Truth, TruthError, baseline};

use crate::bind::BoundData;
use crate::stop::PlatformFault;

/// Metrics by name, and the score.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scored {
    pub(crate) metrics: BTreeMap<String, MetricValue>,
    /// The same on the two parts of the test rows; `None` where they are not parted.
    pub(crate) parts: Option<Parts>,
    /// What the naive baseline gets; `None` where there is nothing to fit.
    pub(crate) baseline: Option<Baseline>,
    /// `None` where the ranking metric is undefined.
    pub(crate) score: Option<Score>,
}

/// Computes the ranking metric and every published one. `predictions` are in file order; `fuel` is what they took.
pub(crate) fn score(
    challenge: &Challenge,
    data: &BoundData,
    predictions: &Predictions,
    fuel: Fuel,
) -> Result<Scored, PlatformFault> {
    let dataset = data.dataset();
    let (train, test) = (dataset.split(Split::Train), dataset.split(Split::Test));
    let fault = |error: &dyn std::fmt::Display| PlatformFault::Metric(error.to_string());
    let truth = truth(challenge, dataset).map_err(|error| fault(&error))?;
    let evaluate_on = |truth: &Truth<'_>, predictions: &Predictions| {
        let names = challenge.metrics().map(|metric| metric.name);
        truth.evaluate(challenge.metric_task(), names, predictions).map_err(|error| fault(&error))
    };
    let evaluate = |predictions: &Predictions| evaluate_on(&truth, predictions);
    let metrics = evaluate(predictions)?;
    let part = |rows: &[usize]| {
        let metrics = truth.at(rows, |truth| evaluate_on(truth, &predictions.at(rows)))?;
        Ok::<_, PlatformFault>(Part { rows: rows.len() as u64, metrics })
    };
    let parts = match data.parts(challenge) {
        Some([shown, kept]) => Some(Parts { shown: part(&shown)?, kept: part(&kept)? }),
        None => None,
    };
    let schema = OutputSchema::new(&challenge.task, &challenge.fields, challenge.metrics());
    let baseline = baseline(&challenge.task, &schema, train, test)
        .map(|naive| Ok(Baseline { name: naive.name.to_owned(), metrics: evaluate(&naive.predictions)? }))
        .transpose()?;
    let flops_per_sample = fuel.flops() / test.rows() as f64;
    let metric = metrics.get(&challenge.ranking.metric).and_then(MetricValue::value);
    let score = metric.map(|metric| challenge.score.score(metric, flops_per_sample));
    Ok(Scored { metrics, parts, baseline, score })
}

/// What predictions of the test split are scored against.
pub(crate) fn truth<'a>(challenge: &'a Challenge, dataset: &'a Dataset) -> Result<Truth<'a>, TruthError> {
    let MetricOptions { event_horizon, .. } = challenge.ranking.options;
    let options = Options { metrics: challenge.ranking.options.for_metrics(), event_horizon };
    Truth::new(&challenge.task, dataset.split(Split::Train), dataset.split(Split::Test), options)
}
