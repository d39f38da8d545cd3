"""Classification: scikit-learn."""

import numpy as np
from sklearn import metrics

LIBRARIES = ["scikit-learn", "numpy"]
NOTES = {
    "auc_pr": "average_precision_score of each class, averaged over the classes with a true row: scikit-learn counts 0 for others",
    "auc_roc": "roc_auc_score of each class against the rest, averaged: equal to multi_class='ovr', which refuses rows that sum to "
    "1 only within 0.001; null if a class has no row",
    "kappa": "null where scikit-learn gives NaN",
    "normalized_gini": "Lorenz sums in numpy, rows of equal scores sharing their mean",
    "npv": "precision_score of the negative class, averaged over the classes that are true or predicted",
    "qwk": "null where scikit-learn gives NaN",
    "specificity": "recall_score of the negative class, averaged over the classes that are true or predicted",
}


def cases(rng):
    for index in range(60):
        yield case(f"random {index}", rng, *random_case(rng, index))
    for index in range(24):
        classes = [2, 3, 6, 8][index % 4]
        y, scores = random_rows(rng, classes, 30)
        ties = np.round(scores * 4) + 0.25
        yield case(f"ties {index}", rng, classes, y, ties / ties.sum(axis=1, keepdims=True))
    for classes in [2, 3, 4, 6, 7]:
        yield from edge_cases(rng, classes)


def edge_cases(rng, classes):
    y, scores = random_rows(rng, classes, 12)
    one_hot = np.eye(classes)
    uniform = np.full((12, classes), 1 / classes)
    yield case(f"{classes} classes, perfect", rng, classes, y, one_hot[y])
    yield case(f"{classes} classes, all wrong", rng, classes, y, one_hot[(y + 1) % classes])
    yield case(f"{classes} classes, every score the same", rng, classes, y, uniform)
    yield case(f"{classes} classes, one predicted", rng, classes, y, one_hot[np.full(12, classes - 1)])
    for only in [0, 1]:
        yield case(f"{classes} classes, only {only} is true", rng, classes, np.full(12, only), scores)
        yield case(f"{classes} classes, only {only} and perfect", rng, classes, np.full(12, only), one_hot[np.full(12, only)])
    yield case(f"{classes} classes, one row", rng, classes, y[:1], scores[:1])
    yield case(f"{classes} classes, sums off by up to 0.0009", rng, classes, y, off_by(rng, scores))
    if classes > 2:
        without = np.where(y == classes - 1, 0, y)
        yield case(f"{classes} classes, one never true", rng, classes, without, scores)
        narrow = scores.copy()
        narrow[:, classes - 1] = 0
        yield case(f"{classes} classes, one never true nor predicted", rng, classes, without, narrow / narrow.sum(axis=1, keepdims=True))


def off_by(rng, scores):
    off = scores * rng.uniform(0.9991, 1.0009, (len(scores), 1))
    return off / np.maximum(1, off.max(axis=1, keepdims=True))


def random_rows(rng, classes, rows):
    """Every class at least once if there are rows enough; better than chance."""
    y = rng.permutation(np.concatenate([np.arange(min(classes, rows)), rng.integers(0, classes, max(0, rows - classes))]))
    logits = rng.normal(size=(rows, classes)) * rng.uniform(0.5, 3) + 1.5 * np.eye(classes)[y]
    scores = np.exp(logits - logits.max(axis=1, keepdims=True))
    return y, scores / scores.sum(axis=1, keepdims=True)


def random_case(rng, index):
    classes = [2, 3, 6, 4, 10, 7][index % 6]
    y, scores = random_rows(rng, classes, int(rng.integers(classes + 2, 40)))
    return classes, y, scores


def case(name, rng, classes, y, scores):
    positive = int(rng.integers(0, 2))
    scores = scores.astype(np.float32)
    inputs = {"classes": classes, "positive": positive, "labels": y, "scores": scores.ravel()}
    return name, inputs, expected(classes, positive, y, scores.astype(np.float64))


def expected(classes, positive, y, scores):
    predicted = scores.argmax(axis=1)
    shares = scores / scores.sum(axis=1, keepdims=True)
    averaging = {"average": "binary", "pos_label": positive} if classes == 2 else {"average": "macro"}
    averaging["zero_division"] = 0
    auc = over_classes(classes, positive, y, scores, roc_auc)
    log_loss = metrics.log_loss(y, shares, labels=range(classes))
    return {
        "accuracy": metrics.accuracy_score(y, predicted),
        "hamming": metrics.hamming_loss(y, predicted),
        "precision": metrics.precision_score(y, predicted, **averaging),
        "recall": metrics.recall_score(y, predicted, **averaging),
        "f1": metrics.f1_score(y, predicted, **averaging),
        "fbeta_0.5": metrics.fbeta_score(y, predicted, beta=0.5, **averaging),
        "fbeta_2": metrics.fbeta_score(y, predicted, beta=2, **averaging),
        "f1_weighted": metrics.f1_score(y, predicted, average="weighted", zero_division=0),
        "f1_micro": metrics.f1_score(y, predicted, average="micro", zero_division=0),
        "jaccard": metrics.jaccard_score(y, predicted, **averaging),
        "specificity": negatives(classes, positive, y, predicted, metrics.recall_score),
        "npv": negatives(classes, positive, y, predicted, metrics.precision_score),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, predicted),
        "kappa": metrics.cohen_kappa_score(y, predicted),
        "qwk": metrics.cohen_kappa_score(y, predicted, weights="quadratic", labels=range(classes)),
        "mcc": metrics.matthews_corrcoef(y, predicted),
        "top3": top(classes, y, scores, 3),
        "top5": top(classes, y, scores, 5),
        "auc_roc": auc,
        "auc": auc,
        "gini": None if auc is None else 2 * auc - 1,
        "normalized_gini": over_classes(classes, positive, y, scores, normalized_gini),
        "auc_pr": auc_pr(classes, positive, y, scores),
        "log_loss": log_loss,
        "loss": log_loss,
        "brier": brier(classes, positive, y, shares),
    }


def negatives(classes, positive, y, predicted, score):
    if classes == 2:
        return score(y, predicted, pos_label=1 - positive, zero_division=0)
    present = sorted(set(y) | set(predicted))
    return np.mean([score(y == one, predicted == one, pos_label=False, zero_division=0) for one in present])


def top(classes, y, scores, k):
    return metrics.top_k_accuracy_score(y, scores[:, 1] if classes == 2 else scores, k=k, labels=range(classes))


def over_classes(classes, positive, y, scores, score):
    if len(set(y)) < classes:
        return None
    if classes == 2:
        return score(y == positive, scores[:, positive])
    value = np.mean([score(y == one, scores[:, one]) for one in range(classes)])
    if score is roc_auc and np.allclose(1, scores.sum(axis=1)):
        assert np.isclose(value, metrics.roc_auc_score(y, scores, multi_class="ovr", average="macro"), rtol=1e-12)
    return value


def roc_auc(hits, score):
    return metrics.roc_auc_score(hits, score)


def normalized_gini(hits, score):
    return lorenz(hits, score) / lorenz(hits, hits)


def lorenz(hits, score):
    order = np.argsort(-score.astype(float), kind="stable")
    sums = hits[order].astype(float)
    for value in np.unique(score):
        group = score[order] == value
        sums[group] = sums[group].mean()
    rows = len(sums)
    return np.sum(np.cumsum(sums) / sums.sum() - np.arange(1, rows + 1) / rows) / rows


def auc_pr(classes, positive, y, scores):
    def one(k):
        return metrics.average_precision_score(y == k, scores[:, k])

    if classes == 2:
        return one(positive) if positive in y else None
    value = np.mean([one(k) for k in range(classes) if k in y])
    if len(set(y)) == classes:
        assert np.isclose(value, metrics.average_precision_score(np.eye(classes)[y], scores, average="macro"), rtol=1e-12)
    return value


def brier(classes, positive, y, shares):
    if classes == 2:
        return metrics.brier_score_loss(y == positive, shares[:, positive], pos_label=True, labels=[False, True])
    return metrics.brier_score_loss(y, shares, labels=range(classes), scale_by_half="auto")
