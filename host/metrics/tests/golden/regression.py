"""Tabular regression: scikit-learn, and numpy for the tolerance of accuracy and the bias."""

import numpy as np
from sklearn import metrics

LIBRARIES = ["scikit-learn", "numpy"]
NOTES = {
    "r2": "null for one row, where scikit-learn gives NaN",
    "rmsle": "of max(ŷ, 0); null if a target is below 0",
}


def cases(rng):
    for index in range(60):
        yield case(f"random {index}", *random_rows(rng, index), rng)
    y = rng.normal(10, 4, 15)
    yield case("perfect", y, y, rng)
    yield case("constant bias", np.arange(16.0), np.arange(16.0) + 0.25, rng)
    yield case("constant target and prediction", np.full(8, 2.5), np.full(8, 3.0), rng)
    yield case("constant target, perfect", np.full(8, 2.5), np.full(8, 2.5), rng)
    yield case("constant target", np.full(8, 2.5), 2.5 + np.arange(8.0), rng)
    yield case("all zero", np.zeros(6), np.zeros(6), rng)
    yield case("zero predicted", y, np.zeros(15), rng)
    yield case("one row", y[:1], y[1:2], rng)
    yield case("two rows", y[:2], y[2:4], rng)
    yield case("large offset", 1e6 + y, 1e6 + y + rng.normal(size=15), rng)
    yield case("large and small", np.array([1e-8, 1.0, 1e8, 1e-3]), np.array([2e-8, 1.5, 1.1e8, 1e-3]), rng)
    yield case("at the tolerance", np.array([100.0, 100, 100, 0, -8]), np.array([125.0, 75, 125.1, 0, -10]), rng, 0.25, 0.0)
    yield case("absolute tolerance", np.array([0.0, 0, 1, 1]), np.array([0.5, 0.75, 1.5, 0.25]), rng, 0.0, 0.5)
    yield case("exact match", np.array([1.0, 2, 3]), np.array([1.0, 2.5, 3]), rng, 0.0, 0.0)


def random_rows(rng, index):
    rows = int(rng.integers(2, 50))
    scale = 10.0 ** rng.integers(-2, 5)
    y = [rng.normal(size=rows), rng.gamma(2, size=rows), rng.poisson(3, rows).astype(float)][index % 3] * scale
    prediction = y + rng.normal(size=rows) * scale * rng.choice([0.03, 0.3, 1])
    return y, np.round(prediction, 1) if index % 5 == 0 else prediction


def case(name, y, prediction, rng, relative=None, absolute=0.0):
    relative = float(rng.choice([0.05, 0.2])) if relative is None else relative
    inputs = {"relative_tolerance": relative, "absolute_tolerance": absolute, "targets": y, "predictions": prediction}
    return name, inputs, expected(y, prediction, relative, absolute)


def expected(y, prediction, relative, absolute):
    return {
        **pointwise(y, prediction, relative, absolute),
        "median_ae": metrics.median_absolute_error(y, prediction),
        "explained_variance": metrics.explained_variance_score(y, prediction),
        "mbe": np.mean(prediction - y),
    }


def pointwise(y, prediction, relative, absolute):
    """What regression and forecasts share."""
    mse = metrics.mean_squared_error(y, prediction)
    rmsle = None if (y < 0).any() else metrics.root_mean_squared_log_error(y, np.maximum(prediction, 0))
    return {
        "accuracy": np.mean(np.isclose(prediction, y, rtol=relative, atol=absolute)),
        "loss": mse,
        "mae": metrics.mean_absolute_error(y, prediction),
        "mse": mse,
        "rmse": metrics.root_mean_squared_error(y, prediction),
        "r2": metrics.r2_score(y, prediction),
        "rmsle": rmsle,
    }
