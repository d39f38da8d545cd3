"""Semantic segmentation: scikit-learn over pixels; SciPy for boundaries, checked against MONAI and torchmetrics."""

import numpy as np
import torch
from monai.metrics import compute_average_surface_distance
from scipy import ndimage
from scipy.spatial.distance import directed_hausdorff
from sklearn import metrics
from torchmetrics.functional.segmentation import hausdorff_distance

import regions

LIBRARIES = ["scikit-learn", "scipy", "numpy", "monai", "torchmetrics", "torch"]
NOTES = {
    "iou": "jaccard_score: binary for two classes, micro for more",
    "dice": "f1_score: binary for two classes, macro for more; null where two classes have no foreground",
    "boundary_iou": "SciPy's erosion with the rule of boundary-iou-api, which erodes by OpenCV",
    "hausdorff": "SciPy in doubles; torchmetrics, in singles and on masks padded to squares, agrees to 1e-6 (asserted)",
    "asd": "SciPy in doubles; MONAI, in singles, agrees to 1e-6 (asserted)",
    "masks": "runs: a value, how often it comes, the next value, and so on",
}


def pixel_metrics(true, predicted, classes):
    """Of the pixels that count; a binary metric without a foreground pixel is undefined."""
    if true.size == 0:
        names = ["accuracy", "precision", "recall", "f1", "loss", "iou", "miou", "fwiou", "dice", "pixel_accuracy"]
        return dict.fromkeys([*names, "mean_pixel_accuracy"])
    macro = {"average": "macro", "zero_division": 0}
    if classes == 2:
        empty = not (true == 1).any() and not (predicted == 1).any()
        dice = None if empty else metrics.f1_score(true, predicted, zero_division=0)
        iou = None if empty else metrics.jaccard_score(true, predicted, zero_division=0)
    else:
        dice = metrics.f1_score(true, predicted, **macro)
        iou = metrics.jaccard_score(true, predicted, average="micro")
    return {
        "accuracy": metrics.accuracy_score(true, predicted),
        "precision": metrics.precision_score(true, predicted, **macro),
        "recall": metrics.recall_score(true, predicted, **macro),
        "f1": metrics.f1_score(true, predicted, **macro),
        "loss": None if dice is None else 1 - dice,
        "iou": iou,
        "miou": metrics.jaccard_score(true, predicted, **macro),
        "fwiou": metrics.jaccard_score(true, predicted, average="weighted", zero_division=0),
        "dice": dice,
        "pixel_accuracy": metrics.accuracy_score(true, predicted),
        "mean_pixel_accuracy": metrics.balanced_accuracy_score(true, predicted),
    }


def band(mask, diagonal):
    """The boundary band of Cheng and others, CVPR 2021: the mask less its erosion; beyond the image all is outside."""
    iterations = max(1, int(round(0.02 * diagonal)))
    return mask ^ ndimage.binary_erosion(mask, np.ones((3, 3)), iterations)


def boundary_metrics(one, other):
    """Of a class in an image: a true and a predicted mask, of which one at least has a pixel."""
    diagonal = np.sqrt(one.shape[0] ** 2 + one.shape[1] ** 2)
    bands = band(one, diagonal), band(other, diagonal)
    iou = (bands[0] & bands[1]).sum() / (bands[0] | bands[1]).sum()
    if not one.any() or not other.any():
        return {"boundary_iou": iou, "boundary_f1": 0.0, "hausdorff": diagonal, "asd": diagonal}
    edges = [mask ^ ndimage.binary_erosion(mask) for mask in (one, other)]
    distances = [ndimage.distance_transform_edt(~edges[1])[edges[0]], ndimage.distance_transform_edt(~edges[0])[edges[1]]]
    reach = np.ceil(0.0075 * diagonal)
    recall, precision = ((distance <= reach).mean() for distance in distances)
    points = [np.argwhere(edge) for edge in edges]
    values = {
        "boundary_iou": iou,
        "boundary_f1": 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall),
        "hausdorff": max(directed_hausdorff(*points)[0], directed_hausdorff(*points[::-1])[0]),
        "asd": np.concatenate(distances).mean(),
    }
    singles = [torch.tensor(mask[None, None]) for mask in (other, one)]
    asd = compute_average_surface_distance(*singles, include_background=True, symmetric=True).item()
    assert np.isclose(asd, values["asd"], rtol=1e-6), (asd, values["asd"])
    # Padded to a square: on others, torchmetrics 1.9.0 writes distances to the wrong pixels.
    side = max(one.shape)
    squares = [np.pad(mask, [(0, side - length) for length in mask.shape]) for mask in (other, one)]
    layers = [torch.tensor(np.stack([~mask, mask])[None].astype(np.uint8)) for mask in squares]
    largest = hausdorff_distance(*layers, num_classes=2, include_background=False).item()
    assert np.isclose(largest, values["hausdorff"], rtol=1e-6), (largest, values["hausdorff"])
    return values


def expected(true, predicted, classes, ignore):
    counts = np.full(true.shape, True) if ignore is None else true != ignore
    values = pixel_metrics(true[counts], predicted[counts], classes)
    found = []
    for image in range(len(true)):
        for label in range(1, classes):
            one = (true[image] == label) & counts[image]
            other = (predicted[image] == label) & counts[image]
            if label != ignore and (one.any() or other.any()):
                found.append(boundary_metrics(one, other))
            elif label == ignore and other.any():
                found.append(boundary_metrics(one, other))
    for name in ["boundary_iou", "boundary_f1", "hausdorff", "asd"]:
        values[name] = np.mean([value[name] for value in found]) if found else None
    return values


def case(rng, index):
    size = (int(rng.integers(1, 24)), int(rng.integers(1, 32)))
    if index % 8 == 7:
        size = (int(rng.integers(80, 110)), int(rng.integers(100, 130)))
    classes, ignore = int(rng.integers(2, 5)), (None, None, 255, 0, 1)[index % 5]
    images = 1 if index % 8 == 7 else int(rng.integers(1, 5))
    true, predicted = np.zeros((2, images, *size), np.uint8)
    for image in range(images):
        for _ in range(int(rng.integers(0, 4))):
            label, mask = int(rng.integers(0, classes)), regions.blob(rng, size)
            true[image][mask > 0] = label
            if rng.random() < 0.85:
                label = label if rng.random() < 0.9 else int(rng.integers(0, classes))
                predicted[image][regions.disturbed(rng, mask, rng.choice([0.0, 0.1, 0.5])) > 0] = label
        if ignore == 255:
            true[image][regions.blob(rng, size) > 0] = ignore
    return true, predicted, classes, ignore


def edges():
    """Of a name, true and predicted masks, classes and the label to ignore."""
    empty = np.zeros((1, 5, 7), np.uint8)
    pixel, corner, full, square = (empty.copy() for _ in range(4))
    pixel[0, 2, 3], corner[0, 0, 0], full[:], square[0, 1:4, 2:6] = 1, 1, 1, 1
    yield "identical", square, square, 2, None
    yield "one pixel each", pixel, corner, 2, None
    yield "one pixel and all", pixel, full, 2, None
    yield "all and none", full, empty, 2, None
    yield "none and one pixel", empty, corner, 2, None
    yield "no foreground", empty, empty, 2, None
    yield "no foreground of three classes", empty, empty, 3, None
    yield "nothing counts", np.full_like(empty, 9), square, 2, 9
    yield "all but a pixel is ignored", np.where(square, 1, 9).astype(np.uint8), full, 2, 9
    yield "a class is predicted that the truth lacks", square, 2 * square, 3, None
    yield "one column", square[:, :, 2:3], pixel[:, :, 3:4], 2, None
    yield "one row", square[:, 2:3], pixel[:, 2:3], 2, None
    # The diagonals are 25 and 125: 0.02 of them is a half, and rounds to even.
    for height, width in [(7, 24), (35, 120)]:
        one, other = np.zeros((2, 1, height, width), np.uint8)
        one[:, 1:-1, 3:18], other[:, :-2, 2:18] = 1, 1
        yield f"diagonal {int(np.hypot(height, width))}", one, other, 2, None


def cases(rng):
    given = list(edges()) + [(f"random {index}", *case(rng, index)) for index in range(56)]
    for name, true, predicted, classes, ignore in given:
        truth = {"size": list(true.shape[1:]), "masks": regions.runs(true), "classes": classes, "ignore": ignore}
        yield name, {"truth": truth, "masks": regions.runs(predicted)}, expected(true, predicted, classes, ignore)
