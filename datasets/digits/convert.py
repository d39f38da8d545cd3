"""Writes digits.bin from the copy of the images that scikit-learn ships.

    pip install scikit-learn && python convert.py

One record of 65 bytes an image, in the order of scikit-learn: the digit, then 8 rows of 8 pixels of 0 to 16.
"""

from pathlib import Path

import numpy
from sklearn.datasets import load_digits

digits = load_digits()
pixels = digits.images.reshape(len(digits.target), 64)
assert numpy.array_equal(pixels, pixels.astype(numpy.uint8)) and pixels.max() == 16
records = numpy.column_stack([digits.target, pixels]).astype(numpy.uint8)
Path(__file__).with_name("digits.bin").write_bytes(records.tobytes())
