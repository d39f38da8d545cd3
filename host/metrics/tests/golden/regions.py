"""Random regions of images."""

import numpy as np
from scipy import ndimage


def blob(rng, size):
    """An ellipse, a rectangle, a few dots or one pixel; never empty."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    row, column = rng.uniform(0, size[0]), rng.uniform(0, size[1])
    height, width = rng.uniform(0.5, size[0] / 2), rng.uniform(0.5, size[1] / 2)
    kind = rng.integers(0, 5)
    if kind <= 1:
        mask = ((rows - row) / height) ** 2 + ((columns - column) / width) ** 2 <= 1
    elif kind <= 3:
        mask = (abs(rows - row) <= height) & (abs(columns - column) <= width)
    else:
        mask = rng.random(size) < 0.04
    mask[min(int(row), size[0] - 1), min(int(column), size[1] - 1)] = True
    return mask.astype(np.uint8)


def disturbed(rng, mask, share):
    """The mask, moved, grown or shrunk by a pixel, with some pixels of its rim flipped; never empty."""
    changed = mask.astype(bool)
    if share > 0:
        changed = np.roll(changed, rng.integers(-1, 2, 2), (0, 1))
        rim = ndimage.binary_dilation(changed) & ~ndimage.binary_erosion(changed)
        changed = changed ^ (rim & (rng.random(mask.shape) < share))
    return (changed if changed.any() else mask).astype(np.uint8)


def runs(array):
    """Flat: a value, how often it comes, the next value, and so on."""
    flat = np.asarray(array, np.uint8).ravel()
    starts = np.flatnonzero(np.concatenate([[True], flat[1:] != flat[:-1]])) if flat.size else np.array([], int)
    lengths = np.diff(np.append(starts, flat.size))
    return np.stack([flat[starts], lengths], axis=1).ravel().tolist()
