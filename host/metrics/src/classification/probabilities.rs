//! Metrics of the probabilities themselves.

use super::{Classification, ClassificationInputs, no_row, row_sum};
use crate::family::Entry;
use crate::registry::{Direction, Metric, Range, Reads, Unit};
use crate::sum::{mean, sum};
use crate::value::MetricValue;

pub(super) const LOG_LOSS: Entry<Classification> = Entry {
    metric: Metric {
        name: "log_loss",
        label: "Log loss",
        description: "How unlikely the predicted probabilities make the true classes; confident errors cost most.",
        direction: Direction::LowerIsBetter,
        ranks_by_magnitude: false,
        range: Range::NOT_NEGATIVE,
        unit: Unit::Nats,
        reads: Reads::Probabilities,
        formula: "−Σᵢ ln pᵢ / n, pᵢ the probability of row i's true class",
        edge_cases: "p is clipped to [2⁻⁵², 1 − 2⁻⁵²], so that a probability of 0 costs 36.04",
        undefined_when: "there is no row",
        reference: "scikit-learn 1.9.1, log_loss(labels=range(classes)) of doubles; that does not divide a row by its sum, here rows \
                    are divided by theirs before",
    },
    compute: |inputs, _| log_loss(inputs),
    degenerate: |truth, _| no_row(truth),
};

pub(super) const LOSS: Entry<Classification> = Entry {
    metric: Metric {
        name: "loss",
        label: "Loss",
        description: "The log loss, computed by the host from the predictions.",
        reference: "the same as log_loss; the loss that a submission trained with says nothing about another submission",
        ..LOG_LOSS.metric
    },
    ..LOG_LOSS
};

pub(super) const BRIER: Entry<Classification> = Entry {
    metric: Metric {
        name: "brier",
        label: "Brier score",
        description: "The mean squared difference between predicted probabilities and what happened.",
        direction: Direction::LowerIsBetter,
        ranks_by_magnitude: false,
        range: Range { min: Some(0.0), max: Some(2.0) },
        unit: Unit::None,
        reads: Reads::Probabilities,
        formula: "Σᵢ (pᵢ − [yᵢ = positive])² / n with two classes, Σᵢ Σₖ (pᵢₖ − [yᵢ = k])² / n with more",
        edge_cases: "at most 1 with two classes, at most 2 with more",
        undefined_when: "there is no row",
        reference: "scikit-learn 1.9.1, brier_score_loss(scale_by_half='auto')",
    },
    compute: |inputs, _| brier(inputs),
    degenerate: |truth, _| no_row(truth),
};

fn log_loss(inputs: &ClassificationInputs<'_>) -> MetricValue {
    MetricValue::of_mean(mean(inputs.rows().map(|(scores, label)| {
        let share = f64::from(scores[label]) / row_sum(scores);
        -libm::log(share.clamp(f64::EPSILON, 1.0 - f64::EPSILON))
    })))
}

fn brier(inputs: &ClassificationInputs<'_>) -> MetricValue {
    let square = |share: f64, hit: bool| {
        let difference = share - f64::from(u8::from(hit));
        difference * difference
    };
    MetricValue::of_mean(mean(inputs.rows().map(|(scores, label)| {
        let total = row_sum(scores);
        match inputs.truth.binary() {
            Some(positive) => square(f64::from(scores[positive]) / total, label == positive),
            None => sum(scores.iter().enumerate().map(|(k, &score)| square(f64::from(score) / total, k == label))),
        }
    })))
}
