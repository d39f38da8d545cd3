//! The official projection: what a builder may see of an official run, and nothing else.

use std::collections::BTreeMap;

use thimble_metrics::MetricValue;

use super::{Comparable, Outcome, Phase, Published};
use crate::challenge::Challenge;
use crate::round;
use crate::verdict::Verdict;

/// Stands for the reason of an undefined metric, which would speak of private data.
const UNDEFINED: &str = "not defined on the official data";

impl Published {
    /// Projects a result. Every figure is either the builder's own (declared parameters, component size, a refusal
    /// before any data was touched) or rounded by the challenge's release rule; score and gCO2e are computed from the
    /// rounded figures, so they carry nothing beyond them.
    ///
    /// Where the test rows are parted, its metrics are those of the part that is shown.
    pub fn of(result: &Comparable, challenge: &Challenge) -> Self {
        let shown = result.parts.as_ref().map_or(&result.metrics, |parts| &parts.shown.metrics);
        Self::with_metrics(result, challenge, shown)
    }

    /// The same with the metrics of the part that is kept until the challenge closes; none where there are no parts.
    pub fn at_close(result: &Comparable, challenge: &Challenge) -> Option<Self> {
        let parts = result.parts.as_ref()?;
        Some(Self::with_metrics(result, challenge, &parts.kept.metrics))
    }

    fn with_metrics(result: &Comparable, challenge: &Challenge, metrics: &BTreeMap<String, MetricValue>) -> Self {
        let outcome = match result.verdict {
            Verdict::Scored => Outcome::Scored,
            Verdict::OverParameterLimit => Outcome::OverParameterLimit,
            _ => Outcome::Failed,
        };
        let published = Self {
            outcome,
            failure: None,
            metrics: Default::default(),
            score: None,
            parameters: None,
            flops_per_sample: None,
            gco2e_per_sample: None,
            component_bytes: result.submission.as_ref().map(|submission| submission.component_bytes),
            transductive: None,
            practice: challenge.practice,
        };
        match outcome {
            Outcome::Scored => published.with_figures(result, challenge, metrics),
            Outcome::OverParameterLimit => Self {
                score: Some(0.0),
                parameters: result.parameters.as_ref().and_then(|parameters| parameters.declared),
                ..published
            },
            Outcome::Failed => {
                let touched_no_data = |phase| matches!(phase, Phase::Admit | Phase::Compile);
                let failure = result.failure.clone().filter(|failure| touched_no_data(failure.phase));
                Self { failure: failure.filter(|_| result.verdict == Verdict::Rejected), ..published }
            }
        }
    }

    fn with_figures(self, result: &Comparable, challenge: &Challenge, metrics: &BTreeMap<String, MetricValue>) -> Self {
        let release = &challenge.release;
        let metrics = challenge
            .metrics()
            .filter_map(|metric| {
                let value = match metrics.get(metric.name)? {
                    MetricValue::Value(value) => MetricValue::Value(release.round(metric, *value)),
                    MetricValue::Undefined(_) => MetricValue::Undefined(UNDEFINED.to_owned()),
                };
                Some((metric.name.to_owned(), value))
            })
            .collect::<BTreeMap<_, _>>();
        let ranking = metrics.get(&challenge.ranking.metric).and_then(MetricValue::value);
        let flops = result.compute.flops_per_sample.map(|flops| round::significant(flops, release.flops_digits));
        Self {
            score: ranking.zip(flops).map(|(metric, flops)| challenge.score.score(metric, flops).value),
            metrics,
            parameters: result.parameters.as_ref().and_then(|parameters| parameters.declared),
            flops_per_sample: flops,
            gco2e_per_sample: flops.map(|flops| challenge.carbon.grams(flops)),
            transductive: result.independence.as_ref().map(|independence| independence.transductive),
            ..self
        }
    }
}
