"""Keypoints: pycocotools for OKS, scikit-learn and NumPy for the rest."""

import numpy as np
from pycocotools.cocoeval import COCOeval
from sklearn.metrics import accuracy_score, f1_score, mean_absolute_error, mean_squared_error, precision_score, recall_score

import coco

LIBRARIES = ["numpy", "pycocotools", "scikit-learn"]
NOTES = {
    "oks": "the mean of COCOeval.computeOks over instances that have a visible point",
    "pck": "NumPy: no library pools it over points with the longer side of a box",
    "precision": "scikit-learn on a line for each claim and each visible point; recall and f1 alike",
}
SHARES = {"pck": 0.2, "pck@0.05": 0.05, "pck@0.10": 0.1, "pck@0.20": 0.2, "pck@0.30": 0.3, "pck@0.50": 0.5}
COCO_SIGMAS = [0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089, 0.089]


def extent(truth, row, visible):
    """Width and height of an instance."""
    if truth["boxes"] is not None:
        return (truth["boxes"][row, 2:] - truth["boxes"][row, :2]).astype(np.float64)
    if visible.sum() >= 2:
        sides = np.ptp(truth["places"][row][visible].astype(np.float64), axis=0)
        if sides.max() > 0:
            return sides
    return np.array(truth["size"][::-1], np.float64)


def similarity(truth, places, visible):
    """The mean OKS of instances that have a visible point, each evaluated as an image of its own."""
    values = []
    for row in np.flatnonzero(visible.any(axis=1)):
        width, height = extent(truth, row, visible[row])
        area = float(truth["areas"][row]) if truth["areas"] is not None else max(width * height, 1.0)
        marks = np.concatenate([np.where(visible[row][:, None], truth["places"][row], 0), visible[row][:, None] * 2], axis=1)
        own = {"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "area": area}
        own |= {"keypoints": marks.astype(np.float64).ravel().tolist(), "num_keypoints": int(visible[row].sum())}
        marks = np.concatenate([places[row], np.ones((len(places[row]), 1))], axis=1)
        found = {"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "area": area, "score": 1.0}
        found |= {"keypoints": marks.astype(np.float64).ravel().tolist(), "num_keypoints": len(marks)}
        run = COCOeval(coco.dataset(1, 1, [own]), coco.dataset(1, 1, [found]), "keypoints")
        run.params.kpt_oks_sigmas = np.array(truth["sigmas"])
        run._prepare()
        values.append(run.computeOks(1, 1)[0, 0])
    return np.mean(values)


def expected(given):
    truth, places = given["truth"], given["places"].astype(np.float64)
    visible, claimed = truth["visibility"] > 0, given["visibility"] >= 0.5
    values = dict.fromkeys(["precision", "recall", "f1", "loss", "mae", *SHARES, "oks", "mpjpe", "visibility_accuracy"])
    if visible.size:
        values["visibility_accuracy"] = accuracy_score(visible.ravel(), claimed.ravel())
    if not visible.any():
        if claimed.any():
            values |= {"precision": 0.0, "f1": 0.0}
        return values
    true = np.where(visible[..., None], truth["places"], 0).astype(np.float64)
    difference = places - true
    distance = np.sqrt(difference[..., 0] ** 2 + difference[..., 1] ** 2)
    sides = np.array([extent(truth, row, visible[row]).max() for row in range(len(visible))])
    for name, share in SHARES.items():
        values[name] = (distance <= share * sides[:, None])[visible].mean()
    near = distance <= 0.2 * sides[:, None]
    # One line for each claim and each visible point: right where both are one point that is near.
    right = visible & claimed & near
    pairs = [(1, 1)] * int(right.sum()) + [(0, 1)] * int((claimed & ~right).sum()) + [(1, 0)] * int((visible & ~right).sum())
    one, other = np.array(pairs).T
    for name, score in {"precision": precision_score, "recall": recall_score, "f1": f1_score}.items():
        values[name] = score(one, other, zero_division=0)
    scale = np.array(truth["size"][::-1], np.float64)
    values["loss"] = mean_squared_error((true / scale)[visible], (places / scale)[visible])
    values["mae"] = mean_absolute_error(true[visible], places[visible])
    values["mpjpe"] = np.linalg.norm(difference[visible], axis=1).mean()
    values["oks"] = similarity(truth, places, visible)
    return values


def inputs(size, places, visibility, boxes, areas, sigmas, given, claimed):
    places, given = np.asarray(places, np.float32), np.asarray(given, np.float32)
    return {
        "truth": {
            "size": list(size),
            "points": places.shape[1],
            "places": places,
            "visibility": np.asarray(visibility, np.uint8),
            "boxes": None if boxes is None else np.asarray(boxes, np.float32),
            "areas": None if areas is None else np.asarray(areas, np.float64),
            "sigmas": list(sigmas),
        },
        "places": given,
        "visibility": np.asarray(claimed, np.float32),
    }


def case(rng, index):
    height, width = int(rng.integers(20, 200)), int(rng.integers(20, 200))
    rows, points = int(rng.integers(1, 12)), int(rng.integers(1, 8))
    sigmas = COCO_SIGMAS if index % 5 == 0 else [0.05] * points if index % 5 < 3 else rng.uniform(0.02, 0.2, points).tolist()
    points = len(sigmas)
    rows = min(rows, 4) if points == 17 else rows
    # Quarters of pixels, so that points at one place and distances at the very limit occur.
    places = np.round(rng.uniform(0, 1, (rows, points, 2)) * [width, height] * 4) / 4
    spread = rng.choice([0.5, 2.0, 8.0, 30.0])
    given = np.round((places + rng.normal(0, spread, places.shape)) * 4) / 4
    visibility = np.where(rng.random((rows, points)) < rng.choice([0.3, 0.8, 1.0]), rng.integers(1, 3, (rows, points)), 0)
    claimed = np.clip(np.where(visibility > 0, 0.7, 0.3) + rng.normal(0, 0.2, visibility.shape), 0, 1)
    claimed = np.round(claimed * 16) / 16
    boxes = None
    if index % 2:
        corners = np.stack([places.min(axis=1) - 1, places.max(axis=1) + 2], axis=1)
        boxes = corners.reshape(rows, 4)
    areas = rng.uniform(1, width * height, rows) if index % 4 < 2 else None
    return inputs((height, width), places, visibility, boxes, areas, sigmas, given, claimed)


def edges():
    ones = [[[3, 4], [10, 8]]]
    exact = [[[3, 4], [10, 8]]]
    off = [[[5, 4], [10, 11]]]
    sigmas = [0.05, 0.1]
    yield "perfect", inputs((20, 30), ones, [[1, 1]], None, None, sigmas, exact, [[1, 1]])
    yield "at the limit", inputs((20, 30), ones, [[1, 1]], [[0, 0, 10, 5]], None, sigmas, off, [[1, 0.5]])
    # One visible point, none, all at one place.
    yield "one visible point", inputs((20, 30), ones, [[2, 0]], None, None, sigmas, off, [[1, 0]])
    yield "none visible, one claimed", inputs((20, 30), ones, [[0, 0]], None, None, sigmas, off, [[1, 0]])
    yield "none visible, none claimed", inputs((20, 30), ones, [[0, 0]], None, None, sigmas, off, [[0, 0]])
    yield "all at one place", inputs((20, 30), [[[3, 4], [3, 4]]], [[1, 1]], None, None, sigmas, off, [[1, 1]])
    # A box without an area has at least 1.
    yield "box without an area", inputs((20, 30), [[[3, 4], [3, 9]]], [[1, 1]], None, None, sigmas, [[[3, 4], [3.25, 9]]], [[1, 1]])
    # None is claimed; none of an instance of two is visible.
    yield "none claimed", inputs((20, 30), ones, [[1, 1]], None, None, sigmas, exact, [[0, 0.25]])
    yield "an instance without a visible point", inputs((20, 30), ones * 2, [[1, 1], [0, 0]], None, [4.0, 9.0], sigmas, off * 2, [[1, 1], [1, 0]])
    yield "no row", inputs((20, 30), np.zeros((0, 2, 2)), np.zeros((0, 2)), None, None, sigmas, np.zeros((0, 2, 2)), np.zeros((0, 2)))


def cases(rng):
    for name, given in edges():
        yield name, given, expected(given)
    for index in range(56):
        given = case(rng, index)
        yield f"random {index}", given, expected(given)
