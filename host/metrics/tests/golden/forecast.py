"""Time series forecasting: scikit-learn over all steps of all rows, sktime for percentages and Theil's U2, numpy for direction."""

import numpy as np
from sklearn import metrics
from sktime.performance_metrics.forecasting import MeanAbsolutePercentageError, MedianAbsolutePercentageError, TheilU2

from regression import pointwise

LIBRARIES = ["scikit-learn", "sktime", "numpy"]
NOTES = {
    "mape": "null if a target is 0, where scikit-learn divides by 2**-52",
    "mdape": "null if a target is 0",
    "rmsle": "of max(ŷ, 0); null if a target is below 0",
    "theil_u2": "the root of two mean squared errors of scikit-learn, the second of the last value repeated; checked against sktime "
    "where the rows are one series of one-step forecasts; null if the second is 0",
    "direction_accuracy": "signs of numpy.diff with the last value before truth and forecast",
}


def cases(rng):
    for index in range(90):
        horizon = [1, 1, 2, 3, 6][index % 5]
        rows = int(rng.integers(1, 13)) + (horizon == 1)
        level = 10.0 ** rng.integers(-1, 4) * (2 if index % 2 else 0)
        walk = level + np.cumsum(rng.normal(size=(rows, horizon + 1)), axis=1)
        targets = walk[:, 1:]
        yield case(f"random {index}", walk[:, 0], targets, targets + rng.normal(size=targets.shape) * rng.choice([0.1, 1]))
    for index in range(10):
        series = 50 + np.cumsum(rng.normal(size=20))
        prediction = series[1:] + rng.normal(size=19) * 0.7
        name, inputs, values = case(f"one series {index}", series[:-1], series[1:, None], prediction[:, None])
        sktime = TheilU2()(series[1:], prediction, y_train=series[:1])
        assert np.isclose(values["theil_u2"], sktime, rtol=1e-12)
        yield name, inputs, values
    yield from edge_cases(rng)


def edge_cases(rng):
    last = np.array([4.0, 7, 5])
    flat = np.repeat(last[:, None], 2, axis=1)
    steps = np.array([[5.0, 5], [6, 8], [5, 4]])
    yield case("perfect", last, steps, steps)
    yield case("the naive forecast", last, steps, flat)
    yield case("nothing changes", last, flat, steps)
    yield case("nothing changes, perfect", last, flat, flat)
    yield case("a target of 0", last, np.array([[5.0, 0], [6, 8], [5, 4]]), steps)
    yield case("0 and predicted 0", last, np.array([[5.0, 0], [6, 8], [5, 4]]), np.array([[5.0, 0], [7, 8], [5, 4]]))
    yield case("all 0", np.zeros(3), np.zeros((3, 2)), np.zeros((3, 2)))
    yield case("targets below 0", last, -steps, steps)
    yield case("predictions below 0", last, steps, -steps)
    yield case("constant targets", last, np.full((3, 2), 5.0), steps)
    yield case("one value", last[:1], steps[:1, :1], steps[1:2, :1])
    yield case("ties of direction", last, np.array([[4.0, 4], [7, 8], [4, 4]]), np.array([[4.0, 5], [7, 7], [4, 4]]))


def case(name, last, targets, predictions):
    inputs = {"horizon": targets.shape[1], "last": last, "targets": targets.ravel(), "predictions": predictions.ravel()}
    return name, inputs, expected(last, targets, predictions)


def expected(last, targets, predictions):
    y, z = targets.ravel(), predictions.ravel()
    naive = metrics.mean_squared_error(y, np.repeat(last, targets.shape[1]))
    zero = (y == 0).any()
    directions = [np.sign(np.diff(values, axis=1, prepend=last[:, None])) for values in (targets, predictions)]
    return {
        **pointwise(y, z, 0.05, 0.0),
        "mape": None if zero else 100 * metrics.mean_absolute_percentage_error(y, z),
        "smape": 100 * MeanAbsolutePercentageError(symmetric=True)(y, z),
        "mdape": None if zero else 100 * MedianAbsolutePercentageError()(y, z),
        "theil_u2": None if naive == 0 else np.sqrt(metrics.mean_squared_error(y, z) / naive),
        "max_error": metrics.max_error(y, z),
        "direction_accuracy": np.mean(directions[0] == directions[1]),
    }
