"""Object detection: pycocotools for what COCO defines, torchvision for IoU and GIoU of pairs."""

import numpy as np
import torch
from torchvision.ops import box_iou, generalized_box_iou

import coco

LIBRARIES = ["numpy", "pycocotools", "torch", "torchvision"]
NOTES = {
    "map": "null where COCO gives -1: no object in the truth; map_50, map_75, mar_1 and mar_10 alike",
    "map_per_class": "the least of eval['precision'] averaged by class",
    "iou": "torchvision's values of pairs that NumPy matches; giou alike",
    "accuracy": "of COCO's matches at IoU 0.5 with no limit of detections; loss alike",
}
SIDE = 64


def random_boxes(rng, number, step):
    """Boxes whose corners are multiples of `step`, so that equal and touching ones occur."""
    places = np.sort(rng.integers(0, SIDE / step, (number, 2, 2)), axis=1) * step
    places[:, 1] += step
    return places.reshape(-1, 4)


def near(rng, corners, spread, step):
    """Boxes that are off by some steps, but keep an area."""
    moved = corners + np.round(rng.normal(0, spread, corners.shape) / step) * step
    moved[:, 2:] = np.maximum(moved[:, 2:], moved[:, :2] + step)
    return moved


def case(rng, images, classes, most, step, spread, found, ties):
    counts = rng.integers(0, most + 1, images)
    total = int(counts.sum())
    corners = random_boxes(rng, total, step)
    labels = rng.integers(0, classes, total)
    predicted, given_counts, given_labels = [], [], []
    for image in range(images):
        start = int(counts[:image].sum())
        own = slice(start, start + int(counts[image]))
        kept = rng.random(counts[image]) < found
        extra = int(rng.integers(0, most + 1))
        parts = [near(rng, corners[own][kept], spread, step), random_boxes(rng, extra, step)]
        wrong = rng.random(kept.sum()) < 0.15
        classes_of = np.where(wrong, rng.integers(0, classes, kept.sum()), labels[own][kept])
        order = rng.permutation(int(kept.sum()) + extra)
        predicted.append(np.concatenate(parts)[order])
        given_labels.append(np.concatenate([classes_of, rng.integers(0, classes, extra)])[order])
        given_counts.append(len(order))
    scores = rng.random(sum(given_counts)).astype(np.float32)
    if ties:
        scores = (np.ceil(scores * 4) / 4).astype(np.float32)
    return inputs(counts, corners, labels, classes, given_counts, np.concatenate(predicted), np.concatenate(given_labels), scores)


def inputs(counts, corners, labels, classes, given_counts, given_corners, given_labels, scores):
    def boxes(array):
        return np.asarray(array, np.float32).reshape(-1, 4)

    return {
        "truth": {"counts": list(counts), "boxes": boxes(corners), "labels": list(labels), "classes": classes},
        "counts": list(given_counts),
        "boxes": boxes(given_corners),
        "labels": list(given_labels),
        "scores": np.asarray(scores, np.float32),
    }


def mean_overlap(given, threshold, measure, unmatched):
    """Always the pair that overlaps most, within an image and class; what is left counts `unmatched`."""
    truth = given["truth"]
    kept = given["scores"].astype(np.float64) >= threshold
    total, number = 0.0, 0
    owners, givers = coco.images_of(truth["counts"]), coco.images_of(given["counts"])
    for image in range(len(truth["counts"])):
        for label in range(truth["classes"]):
            own = np.flatnonzero((owners == image) & (np.array(truth["labels"], int) == label))
            of_class = (givers == image) & (np.array(given["labels"], int) == label) & kept
            found = np.flatnonzero(of_class)
            found = found[np.argsort(-given["scores"][found], kind="stable")]
            one = torch.tensor(given["boxes"][found], dtype=torch.float64)
            other = torch.tensor(truth["boxes"][own], dtype=torch.float64)
            overlaps, values = box_iou(one, other).numpy(), measure(one, other).numpy()
            pairs = 0
            for place in np.argsort(-overlaps, axis=None, kind="stable"):
                row, column = np.unravel_index(place, overlaps.shape)
                if overlaps[row, column] > 0:
                    total += values[row, column]
                    pairs += 1
                    overlaps[row, :] = overlaps[:, column] = 0
            alone = len(own) + len(found) - 2 * pairs
            total += alone * unmatched
            number += pairs + alone
    return None if number == 0 else total / number


def expected(given, threshold):
    truth = given["truth"]
    images, classes = len(truth["counts"]), truth["classes"]
    owned = coco.dataset(images, classes, coco.boxes(truth["counts"], truth["boxes"], truth["labels"]))
    found = coco.boxes(given["counts"], given["boxes"], given["labels"], given["scores"])
    run = coco.evaluation(owned, coco.dataset(images, classes, found), "bbox")
    stats = coco.summary(run)
    per_class = run.eval["precision"][:, :, :, 0, 2].mean(axis=(0, 1))
    sure = [annotation for annotation in found if annotation["score"] >= threshold]
    ratios = coco.ratios(*coco.matching(owned, coco.dataset(images, classes, sure), "bbox"))

    def of(stat):
        return None if stat == -1 else stat

    return {
        "accuracy": ratios["accuracy"],
        "loss": ratios["loss"],
        "map": of(stats[0]),
        "map_50": of(stats[1]),
        "map_75": of(stats[2]),
        "map_per_class": min((value for value in per_class if value > -1), default=None),
        "mar_1": of(stats[6]),
        "mar_10": of(stats[7]),
        "iou": mean_overlap(given, threshold, box_iou, 0.0),
        "giou": mean_overlap(given, threshold, generalized_box_iou, -1.0),
    }


def edges():
    """What random cases hardly reach."""
    one, far = [[8, 8, 24, 24]], [[40, 40, 48, 48]]
    half = [[8, 8, 24, 16]]
    yield "perfect", inputs([1], one, [0], 1, [1], one, [0], [1.0])
    yield "half an overlap", inputs([1], one, [0], 1, [1], half, [0], [0.9])
    yield "off", inputs([1], one, [0], 1, [1], far, [0], [0.9])
    yield "nothing found", inputs([1], one, [0], 1, [0], [], [], [])
    yield "wrong class", inputs([1], one, [0], 3, [1], one, [2], [0.9])
    yield "nothing at all", inputs([0, 0], [], [], 2, [0, 0], [], [], [])
    yield "no object", inputs([0, 0], [], [], 2, [1, 0], one, [1], [0.9])
    yield "equal scores", inputs([1, 0, 1], one + far, [0, 1], 2, [1, 2, 0], one + far + one, [0, 0, 1], [0.75, 0.75, 0.75])
    # Two objects at one place, and detections between two objects.
    yield "two objects at one place", inputs([2], one + one, [0, 0], 1, [3], one + half + one, [0, 0, 0], [0.5, 0.5, 0.5])
    yield "between two objects", inputs([2], [[8, 8, 16, 16], [12, 8, 20, 16]], [0, 0], 1, [2], [[10, 8, 18, 16]] * 2, [0, 0], [0.6, 0.7])
    # More detections of one class and image than count.
    misses = [[40, 40, 44, 44]] * 99
    yield "more than 100 detections", inputs([1, 1], one + one, [0, 0], 1, [100, 101], misses + one + misses + far + one, [0] * 201, [0.25] * 201)
    # Every score below the threshold.
    yield "low score", inputs([1], one, [0], 1, [1], one, [0], [0.125])


def cases(rng):
    for name, given in edges():
        yield name, given, expected(given, 0.5)
    for index in range(56):
        shape = (int(rng.integers(1, 8)), int(rng.integers(1, 5)), int(rng.integers(1, 7)))
        step, spread = (4.0, 0.25, 1 / 64)[index % 3], rng.choice([0.0, 1.0, 3.0, 8.0])
        given = case(rng, *shape, step, spread, rng.choice([0.5, 0.9, 1.0]), index % 2 == 0)
        threshold = float(rng.choice([0.0, 0.25, 0.5]))
        yield f"random {index}", given | {"score_threshold": threshold}, expected(given, threshold)
