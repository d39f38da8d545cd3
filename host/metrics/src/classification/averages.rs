//! Metrics of the predicted class that count each class against the others.

use super::counts::{Rates, averaged, of_counts, ratio};
use super::{Classification, no_negative, no_positive, no_row};
use crate::family::Entry;
use crate::registry::{Direction, Metric, Range, Reads, Unit};
use crate::sum::{mean, sum};

/// What these metrics have in common.
const SHARE: Metric = Metric {
    name: "",
    label: "",
    description: "",
    direction: Direction::HigherIsBetter,
    ranks_by_magnitude: false,
    range: Range::SHARE,
    unit: Unit::Share,
    reads: Reads::Class,
    formula: "",
    edge_cases: "ŷ is the class with the largest score, of equal scores the lowest class",
    undefined_when: "there is no row",
    reference: "",
};

/// What those have in common that average over classes.
const AVERAGED: Metric = Metric {
    edge_cases: "two classes: of the positive class that the owner declared; more: the plain mean over the classes that are \
                 true or predicted in some row; 0/0 counts 0; of equal scores the lowest class is predicted",
    ..SHARE
};

pub(super) const ACCURACY: Entry<Classification> = Entry {
    metric: Metric {
        name: "accuracy",
        label: "Accuracy",
        description: "The share of rows whose predicted class is the true one.",
        formula: "|{i : ŷᵢ = yᵢ}| / n",
        reference: "scikit-learn 1.9.1, accuracy_score; of equal scores the lowest class, as numpy.argmax",
        ..SHARE
    },
    compute: |inputs, _| of_counts(inputs, |counts| ratio(counts.correct, counts.rows)),
    degenerate: |truth, _| no_row(truth),
};

pub(super) const HAMMING: Entry<Classification> = Entry {
    metric: Metric {
        name: "hamming",
        label: "Hamming loss",
        description: "The share of labels that are wrong.",
        direction: Direction::LowerIsBetter,
        formula: "|{i : ŷᵢ ≠ yᵢ}| / n",
        edge_cases: "with one label a row it is 1 − accuracy; of equal scores the lowest class is predicted",
        reference: "scikit-learn 1.9.1, hamming_loss",
        ..SHARE
    },
    compute: |inputs, _| of_counts(inputs, |counts| ratio(counts.rows - counts.correct, counts.rows)),
    degenerate: |truth, _| no_row(truth),
};

pub(super) const PRECISION: Entry<Classification> = Entry {
    metric: Metric {
        name: "precision",
        label: "Precision",
        description: "The share of rows predicted to be of a class that are of it.",
        formula: "TP / (TP + FP)",
        reference: "scikit-learn 1.9.1, precision_score(average='binary' or 'macro', zero_division=0) without `labels`: a class \
                    that neither is true nor predicted in any row would only lower the mean",
        ..AVERAGED
    },
    compute: |inputs, _| averaged(inputs, |class| ratio(class.tp, class.tp + class.fp)),
    degenerate: |truth, _| no_positive(truth),
};

pub(super) const RECALL: Entry<Classification> = Entry {
    metric: Metric {
        name: "recall",
        label: "Recall",
        description: "The share of a class's rows that are predicted to be of it.",
        formula: "TP / (TP + FN)",
        reference: "scikit-learn 1.9.1, recall_score(average='binary' or 'macro', zero_division=0) without `labels`",
        ..AVERAGED
    },
    compute: |inputs, _| averaged(inputs, |class| ratio(class.tp, class.tp + class.fn_)),
    degenerate: |truth, _| no_positive(truth),
};

/// Where plain F1 and its relatives come from.
const F1_REFERENCE: &str = "scikit-learn 1.9.1, f1_score(average='binary' or 'macro', zero_division=0) without `labels`; weighted \
                            and micro averages are metrics of their own, so the plain one is neither";

pub(super) const F1: Entry<Classification> = Entry {
    metric: Metric {
        name: "f1",
        label: "F1 score",
        description: "The harmonic mean of precision and recall.",
        formula: "2·TP / (2·TP + FP + FN)",
        reference: F1_REFERENCE,
        ..AVERAGED
    },
    compute: |inputs, _| averaged(inputs, f1),
    degenerate: |truth, _| no_positive(truth),
};

fn f1(class: Rates) -> f64 {
    ratio(2 * class.tp, 2 * class.tp + class.fp + class.fn_)
}

pub(super) const FBETA_HALF: Entry<Classification> = Entry {
    metric: Metric {
        name: "fbeta_0.5",
        label: "F-beta score (β = 0.5)",
        description: "Precision and recall in one number, precision weighing more.",
        formula: "(1 + β²)·TP / ((1 + β²)·TP + β²·FN + FP), β = 0.5",
        reference: "scikit-learn 1.9.1, fbeta_score(beta=0.5, average='binary' or 'macro', zero_division=0)",
        ..AVERAGED
    },
    // Four times both sides of the fraction, which keeps it in integers.
    compute: |inputs, _| averaged(inputs, |class| ratio(5 * class.tp, 5 * class.tp + class.fn_ + 4 * class.fp)),
    degenerate: |truth, _| no_positive(truth),
};

pub(super) const FBETA_2: Entry<Classification> = Entry {
    metric: Metric {
        name: "fbeta_2",
        label: "F-beta score (β = 2)",
        description: "Precision and recall in one number, recall weighing more.",
        formula: "(1 + β²)·TP / ((1 + β²)·TP + β²·FN + FP), β = 2",
        reference: "scikit-learn 1.9.1, fbeta_score(beta=2, average='binary' or 'macro', zero_division=0)",
        ..AVERAGED
    },
    compute: |inputs, _| averaged(inputs, |class| ratio(5 * class.tp, 5 * class.tp + 4 * class.fn_ + class.fp)),
    degenerate: |truth, _| no_positive(truth),
};

pub(super) const F1_WEIGHTED: Entry<Classification> = Entry {
    metric: Metric {
        name: "f1_weighted",
        label: "F1 weighted",
        description: "The mean F1 of the classes, each weighing as many rows as it has.",
        formula: "Σₖ nₖ·F1ₖ / n, nₖ the true rows of class k",
        edge_cases: "with two classes too it is the mean over both; 0/0 counts 0; of equal scores the lowest class is predicted",
        reference: "scikit-learn 1.9.1, f1_score(average='weighted', zero_division=0)",
        ..SHARE
    },
    compute: |inputs, _| {
        of_counts(inputs, |counts| {
            sum(counts.present().map(|class| counts.truth[class] as f64 * f1(counts.rates(class)))) / counts.rows as f64
        })
    },
    degenerate: |truth, _| no_row(truth),
};

pub(super) const F1_MICRO: Entry<Classification> = Entry {
    metric: Metric {
        name: "f1_micro",
        label: "Micro F1",
        description: "F1 of the counts of all classes together, every prediction weighing the same.",
        formula: "2·ΣTP / (2·ΣTP + ΣFP + ΣFN)",
        edge_cases: "with one label a row every error is one FP and one FN, so it is the accuracy",
        reference: "scikit-learn 1.9.1, f1_score(average='micro')",
        ..SHARE
    },
    compute: |inputs, _| of_counts(inputs, |counts| ratio(counts.correct, counts.rows)),
    degenerate: |truth, _| no_row(truth),
};

pub(super) const JACCARD: Entry<Classification> = Entry {
    metric: Metric {
        name: "jaccard",
        label: "Jaccard score",
        description: "The rows that are of a class and predicted to be, as a share of those that are either.",
        formula: "TP / (TP + FP + FN)",
        reference: "scikit-learn 1.9.1, jaccard_score(average='binary' or 'macro', zero_division=0) without `labels`",
        ..AVERAGED
    },
    compute: |inputs, _| averaged(inputs, |class| ratio(class.tp, class.tp + class.fp + class.fn_)),
    degenerate: |truth, _| no_positive(truth),
};

pub(super) const SPECIFICITY: Entry<Classification> = Entry {
    metric: Metric {
        name: "specificity",
        label: "Specificity (true negative rate)",
        description: "The share of rows that are not of a class that are predicted not to be.",
        formula: "TN / (TN + FP)",
        reference: "scikit-learn 1.9.1, recall_score of the negative class; with more than two classes the plain mean of each class \
                    against the rest, over the same classes as precision: an absent class would add a 1",
        ..AVERAGED
    },
    compute: |inputs, _| averaged(inputs, |class| ratio(class.tn, class.tn + class.fp)),
    degenerate: |truth, _| no_negative(truth),
};

pub(super) const NPV: Entry<Classification> = Entry {
    metric: Metric {
        name: "npv",
        label: "NPV (negative predictive value)",
        description: "The share of rows predicted not to be of a class that are not.",
        formula: "TN / (TN + FN)",
        reference: "scikit-learn 1.9.1, precision_score of the negative class; with more than two classes the plain mean of each \
                    class against the rest, over the same classes as precision",
        ..AVERAGED
    },
    compute: |inputs, _| averaged(inputs, |class| ratio(class.tn, class.tn + class.fn_)),
    degenerate: |truth, _| no_negative(truth),
};

pub(super) const BALANCED_ACCURACY: Entry<Classification> = Entry {
    metric: Metric {
        name: "balanced_accuracy",
        label: "Balanced accuracy",
        description: "The mean recall of the classes, every class weighing the same.",
        formula: "mean over classes k of TPₖ / nₖ, nₖ the true rows of class k",
        edge_cases: "a class of no true row is left out; of equal scores the lowest class is predicted",
        reference: "scikit-learn 1.9.1, balanced_accuracy_score",
        ..SHARE
    },
    compute: |inputs, _| {
        of_counts(inputs, |counts| {
            let recalls = counts.truth.iter().zip(&counts.both).filter(|&(&truth, _)| truth > 0);
            mean(recalls.map(|(&truth, &both)| ratio(both, truth))).unwrap_or(0.0)
        })
    },
    degenerate: |truth, _| no_row(truth),
};
