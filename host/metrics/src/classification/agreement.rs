//! Metrics of agreement beyond chance.

use super::counts::Counts;
use super::{Classification, ClassificationInputs, ClassificationTruth, argmax, one_class};
use crate::family::Entry;
use crate::registry::{Direction, Metric, Range, Reads, Unit};
use crate::value::{MetricValue, NO_ROW};

/// What these metrics have in common.
const AGREEMENT: Metric = Metric {
    name: "",
    label: "",
    description: "",
    direction: Direction::HigherIsBetter,
    ranks_by_magnitude: false,
    range: Range::SIGNED_SHARE,
    unit: Unit::None,
    reads: Reads::Class,
    formula: "",
    edge_cases: "",
    undefined_when: "there is no row, or every row is true and predicted to be of the same class",
    reference: "",
};

const NO_CHANCE: &str = "every row is true and predicted to be of the same class, so chance agrees too";

pub(super) const KAPPA: Entry<Classification> = Entry {
    metric: Metric {
        name: "kappa",
        label: "Cohen's kappa",
        description: "Agreement of predicted and true classes beyond what their frequencies alone would give.",
        formula: "(pₒ − pₑ) / (1 − pₑ), pₒ the accuracy, pₑ = Σₖ nₖ·mₖ / n² with nₖ true and mₖ predicted rows of class k",
        edge_cases: "0 if all predictions are of one class",
        reference: "scikit-learn 1.9.1, cohen_kappa_score; where that is NaN (0/0) there is no value",
        ..AGREEMENT
    },
    compute: |inputs, _| {
        Counts::of(inputs).map_or_else(|| MetricValue::Undefined(NO_ROW.into()), |counts| kappa(&counts))
    },
    degenerate: |truth, _| one_class(truth),
};

pub(super) const QWK: Entry<Classification> = Entry {
    metric: Metric {
        name: "qwk",
        label: "Quadratic weighted kappa (QWK)",
        description: "Agreement of predicted and true grades beyond chance, an error weighing the square of its distance.",
        formula: "1 − Σᵢ (ŷᵢ − yᵢ)² / (Σᵢ Σⱼ (ŷᵢ − yⱼ)² / n), classes as the numbers 0, 1, 2, …",
        edge_cases: "0 if all predictions are of one class and the truth is not; grades that no row has keep their place",
        reference: "scikit-learn 1.9.1, cohen_kappa_score(weights='quadratic', labels=range(classes)): without `labels` the grades \
                    0, 1 and 4 would be as far apart as 0, 1 and 2; where that is NaN (0/0) there is no value",
        ..AGREEMENT
    },
    compute: |inputs, _| qwk(inputs),
    degenerate: |truth, _| no_grades(truth).or_else(|| one_class(truth)),
};

pub(super) const MCC: Entry<Classification> = Entry {
    metric: Metric {
        name: "mcc",
        label: "Matthews correlation coefficient (MCC)",
        description: "The correlation of predicted and true classes.",
        formula: "(c·n − Σₖ nₖ·mₖ) / √((n² − Σₖ mₖ²)·(n² − Σₖ nₖ²)), c correct rows, nₖ true and mₖ predicted rows of class k",
        edge_cases: "0 if all rows are, or all are predicted to be, of one class",
        undefined_when: "there is no row",
        reference: "scikit-learn 1.9.1, matthews_corrcoef, with more than two classes R_K of Gorodkin 2004",
        ..AGREEMENT
    },
    compute: |inputs, _| MetricValue::of_mean(Counts::of(inputs).map(|counts| mcc(&counts))),
    degenerate: |truth, _| one_class(truth),
};

/// Sums of products of counts are exact in 128 bits: counts are below 2⁶³.
fn products(a: &[u64], b: &[u64]) -> i128 {
    a.iter().zip(b).map(|(&a, &b)| i128::from(a) * i128::from(b)).sum()
}

fn kappa(counts: &Counts) -> MetricValue {
    let (rows, correct) = (i128::from(counts.rows), i128::from(counts.correct));
    let chance = products(&counts.truth, &counts.predicted);
    if chance == rows * rows {
        return MetricValue::Undefined(NO_CHANCE.into());
    }
    MetricValue::of((correct * rows - chance) as f64 / (rows * rows - chance) as f64)
}

fn mcc(counts: &Counts) -> f64 {
    let rows = i128::from(counts.rows);
    let covariance = i128::from(counts.correct) * rows - products(&counts.truth, &counts.predicted);
    let truth = rows * rows - products(&counts.truth, &counts.truth);
    let predicted = rows * rows - products(&counts.predicted, &counts.predicted);
    if truth == 0 || predicted == 0 {
        return 0.0;
    }
    // The roots one by one: the product may be beyond what a double holds exactly. Rounding may pass 1 by an ulp.
    (covariance as f64 / (libm::sqrt(truth as f64) * libm::sqrt(predicted as f64))).clamp(-1.0, 1.0)
}

/// From moments instead of a table of classes by classes: Σᵢⱼ (ŷᵢ − yⱼ)² = n·Σŷ² + n·Σy² − 2·Σŷ·Σy, exact in
/// 128 bits: each term is at most twice the square of the number of scores, which memory keeps below 2⁶².
fn qwk(inputs: &ClassificationInputs<'_>) -> MetricValue {
    if inputs.truth.labels.is_empty() {
        return MetricValue::Undefined(NO_ROW.into());
    }
    let (mut rows, mut observed) = (0_i128, 0_i128);
    let (mut squares, mut truth, mut predicted) = (0_i128, 0_i128, 0_i128);
    for (scores, label) in inputs.rows() {
        let (y, z) = (label as i128, argmax(scores) as i128);
        rows += 1;
        observed += (z - y) * (z - y);
        squares += y * y + z * z;
        truth += y;
        predicted += z;
    }
    let chance = rows * squares - 2 * truth * predicted;
    if chance == 0 {
        return MetricValue::Undefined(NO_CHANCE.into());
    }
    MetricValue::of((chance - rows * observed) as f64 / chance as f64)
}

fn no_grades(truth: &ClassificationTruth<'_>) -> Option<String> {
    (!truth.ordinal).then(|| "the classes are not declared to be grades in ascending order".into())
}
