//! Metrics of the order of scores: within a row, and of a class among the rows.

use super::{Classification, ClassificationInputs, ClassificationTruth, absent_class, no_row, one_class};
use crate::family::Entry;
use crate::registry::{Direction, Metric, Range, Reads, Unit};
use crate::sum::{Sum, mean};
use crate::value::{MetricValue, NO_ROW};

pub(super) const TOP3: Entry<Classification> = Entry {
    metric: Metric {
        name: "top3",
        label: "Top-3 accuracy",
        description: "The share of rows whose true class has one of the three largest scores.",
        direction: Direction::HigherIsBetter,
        ranks_by_magnitude: false,
        range: Range::SHARE,
        unit: Unit::Share,
        reads: Reads::ScoreOrder,
        formula: "|{i : fewer than k classes come before yᵢ}| / n, k = 3",
        edge_cases: "of equal scores the higher class comes first; 1 with at most k classes",
        undefined_when: "there is no row",
        reference: "scikit-learn 1.9.1, top_k_accuracy_score(k=3, labels=range(classes)) with its rule for equal scores",
    },
    compute: |inputs, _| top(inputs, 3),
    degenerate: |truth, _| no_row(truth).or_else(|| few_classes(truth, 3)),
};

pub(super) const TOP5: Entry<Classification> = Entry {
    metric: Metric {
        name: "top5",
        label: "Top-5 accuracy",
        description: "The share of rows whose true class has one of the five largest scores.",
        formula: "|{i : fewer than k classes come before yᵢ}| / n, k = 5",
        reference: "scikit-learn 1.9.1, top_k_accuracy_score(k=5, labels=range(classes)) with its rule for equal scores",
        ..TOP3.metric
    },
    compute: |inputs, _| top(inputs, 5),
    degenerate: |truth, _| no_row(truth).or_else(|| few_classes(truth, 5)),
};

pub(super) const AUC_ROC: Entry<Classification> = Entry {
    metric: Metric {
        name: "auc_roc",
        label: "AUC-ROC",
        description: "The probability that a row of a class gets a larger score for it than a row of another class.",
        direction: Direction::HigherIsBetter,
        ranks_by_magnitude: false,
        range: Range::SHARE,
        unit: Unit::None,
        reads: Reads::Probabilities,
        formula: "(|{pairs : pᵢ > pⱼ}| + ½·|{pairs : pᵢ = pⱼ}|) / |pairs|, pairs (i, j) with yᵢ of the class and yⱼ not",
        edge_cases: "two classes: of the positive class; more: the plain mean of each class against the rest; scores are compared \
                     as they are given, not divided by their row's sum, so that equal ones stay equal",
        undefined_when: "there is no row, or a class has none",
        reference: "scikit-learn 1.9.1, roc_auc_score(multi_class='ovr', average='macro')",
    },
    compute: |inputs, _| over_classes(inputs, |auc| auc),
    degenerate: |truth, _| absent_class(truth),
};

pub(super) const AUC: Entry<Classification> = Entry {
    metric: Metric {
        name: "auc",
        label: "AUC",
        description: "The area under the ROC curve: how well scores tell a class's rows from others at every threshold.",
        reference: "the same as auc_roc",
        ..AUC_ROC.metric
    },
    ..AUC_ROC
};

pub(super) const GINI: Entry<Classification> = Entry {
    metric: Metric {
        name: "gini",
        label: "Gini coefficient",
        description: "How much more often a row of a class gets the larger score than the smaller one.",
        range: Range::SIGNED_SHARE,
        formula: "2·AUC − 1",
        reference: "2·roc_auc_score − 1 of scikit-learn 1.9.1 (Somers' D), not the Gini index of a distribution",
        ..AUC_ROC.metric
    },
    compute: |inputs, _| over_classes(inputs, |auc| 2.0 * auc - 1.0),
    degenerate: |truth, _| absent_class(truth),
};

pub(super) const NORMALIZED_GINI: Entry<Classification> = Entry {
    metric: Metric {
        name: "normalized_gini",
        label: "Normalized Gini",
        description: "The Gini coefficient of the Lorenz curve of the scores, as a part of a perfect model's.",
        formula: "G(y, p) / G(y, y), G(y, p) = Σᵣ (Σ_{s ≤ r} y₍ₛ₎ / Σ y − r / n) / n over rows by falling p, y 1 for the class and \
                  0 for others",
        edge_cases: "two classes: of the positive class; more: the plain mean of each class against the rest; rows of equal scores \
                     share their mean y, so that their order does not count; for a class against the rest it equals gini",
        reference: "the Lorenz sums in numpy 2.4.6; with equal scores in the order of the rows, as is common, the value would depend \
                    on that order",
        ..GINI.metric
    },
    ..GINI
};

pub(super) const AUC_PR: Entry<Classification> = Entry {
    metric: Metric {
        name: "auc_pr",
        label: "AUC-PR",
        description: "Average precision: the precision at each threshold, weighing the recall that the threshold adds.",
        formula: "Σₜ (Rₜ − Rₜ₋₁)·Pₜ over thresholds t from the largest score to the smallest, P precision and R recall",
        edge_cases: "two classes: of the positive class; more: the plain mean of each class against the rest; rows of equal scores \
                     are one threshold; a class of no true row is left out; scores are compared as they are given",
        undefined_when: "there is no row, or with two classes none of the positive one",
        reference: "scikit-learn 1.9.1, average_precision_score (steps, not trapezoids) of each class; that counts 0 for a class of \
                    no true row, here such a class is left out of the mean",
        ..AUC_ROC.metric
    },
    compute: |inputs, _| auc_pr(inputs),
    degenerate: |truth, _| one_class(truth),
};

fn few_classes(truth: &ClassificationTruth<'_>, k: u32) -> Option<String> {
    (truth.classes <= k).then(|| format!("there are {} classes, so the true one is always among {k}", truth.classes))
}

fn top(inputs: &ClassificationInputs<'_>, k: usize) -> MetricValue {
    let hit = |(scores, label): (&[f32], usize)| {
        let own = scores[label];
        let before =
            scores.iter().enumerate().filter(|&(class, &score)| score > own || (score == own && class > label));
        before.take(k).count() < k
    };
    let rows = inputs.truth.labels.len();
    if rows == 0 {
        return MetricValue::Undefined(NO_ROW.into());
    }
    MetricValue::of(inputs.rows().filter(|&row| hit(row)).count() as f64 / rows as f64)
}

/// The mean of `of_auc` over the classes, each against the rest; of the positive class if there are two.
fn over_classes(inputs: &ClassificationInputs<'_>, of_auc: impl Fn(f64) -> f64) -> MetricValue {
    if let Some(reason) = absent_class(&inputs.truth) {
        return MetricValue::Undefined(reason);
    }
    let one = |class| of_auc(Ranked::of(inputs, class).auc());
    let value = match inputs.truth.binary() {
        Some(positive) => Some(one(positive)),
        None => mean((0..inputs.truth.classes as usize).map(one)),
    };
    MetricValue::of_mean(value)
}

fn auc_pr(inputs: &ClassificationInputs<'_>) -> MetricValue {
    if inputs.truth.labels.is_empty() {
        return MetricValue::Undefined(NO_ROW.into());
    }
    let one = |class| Ranked::of(inputs, class).average_precision();
    let value = match inputs.truth.binary() {
        Some(positive) => one(positive),
        None => mean((0..inputs.truth.classes as usize).filter_map(one)),
    };
    match value {
        Some(value) => MetricValue::of(value),
        None => MetricValue::Undefined(format!("no row has the positive class, {}", inputs.truth.positive)),
    }
}

/// The rows by rising score of a class. A probability's bits order as it does and leave the sign free, so that the score and
/// whether the row is of the class fit 32 bits, and ten million rows sort in a fraction of a second.
struct Ranked {
    keys: Vec<u32>,
}

impl Ranked {
    fn of(inputs: &ClassificationInputs<'_>, class: usize) -> Self {
        // Adding 0 makes −0 equal to 0.
        let key = |(scores, label): (&[f32], usize)| ((scores[class] + 0.0).to_bits() << 1) | u32::from(label == class);
        let mut keys: Vec<_> = inputs.rows().map(key).collect();
        keys.sort_unstable();
        Self { keys }
    }

    /// Rows of the class and others among those of each score, from the smallest score.
    fn groups(&self) -> impl DoubleEndedIterator<Item = (u64, u64)> + '_ {
        self.keys.chunk_by(|a, b| a >> 1 == b >> 1).map(|group| {
            let others = group.partition_point(|key| key & 1 == 0);
            ((group.len() - others) as u64, others as u64)
        })
    }

    /// Counts pairs, twice so that half a pair is a whole number.
    fn auc(&self) -> f64 {
        let (mut own, mut below, mut won) = (0_u64, 0_u64, 0_u128);
        for (hits, others) in self.groups() {
            won += u128::from(hits) * u128::from(2 * below + others);
            own += hits;
            below += others;
        }
        won as f64 / (2 * u128::from(own) * u128::from(below)) as f64
    }

    /// None of a class of no row.
    fn average_precision(&self) -> Option<f64> {
        let (mut found, mut taken, mut sum) = (0_u64, 0_u64, Sum::default());
        for (hits, others) in self.groups().rev() {
            found += hits;
            taken += hits + others;
            sum.add(hits as f64 * (found as f64 / taken as f64));
        }
        (found > 0).then(|| sum.value() / found as f64)
    }
}
