"""What scikit-learn gives, as the arrays and weights that a learner takes."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np

from lensgrad.core.errors import BadValue
from lensgrad.estimators.scikit import check_sample_weight, compute_sample_weight, validate_data
from lensgrad.theories.smooth.array import Array
from lensgrad.train.learner import Learner

Numbers = np.ndarray[Any, Any]
FLOATS = [np.float64, np.float32]  # what scikit-learn keeps as it is; anything else becomes float64


def plain(n: Any) -> Any:
    """A whole number of NumPy's as one of Python's; anything else as it is, for those who check it."""
    return int(n) if isinstance(n, Integral) else n


def read(estimator: Any, *data: Any, **how: Any) -> Any:
    """X, or X and y, as arrays that scikit-learn has checked."""
    return validate_data(estimator, *data, dtype=FLOATS, **how)


def rows(learner: Learner, x: Numbers) -> Numbers:
    """Rows in the shape and dtype that a model takes."""
    atom = learner.model.dom[0]
    return x.reshape(len(x), *atom.shape).astype(atom.dtype, copy=False)


def labels(learner: Learner, y: Numbers) -> Numbers:
    """Labels in the dtype that a loss takes."""
    atom = learner.examples()["y"]
    return y.astype(atom.dtype) if isinstance(atom, Array) else y


def checked(given: Any, x: Numbers) -> Numbers | None:
    """Weights as one number ≥ 0 for each row, if there are any."""
    return None if given is None else check_sample_weight(given, x, dtype=np.float64, ensure_non_negative=True)


def by_class(how: Any, y: Numbers, numbers: Numbers, given: Numbers | None) -> Numbers | None:
    """The weight of each row's class; balanced ones give every class the same share of all weights."""
    if how is None:
        return None
    if not isinstance(how, str) or how != "balanced":
        return compute_sample_weight(how, y)
    totals = np.bincount(numbers, given)
    return np.divide(1.0, totals, out=np.zeros_like(totals, np.float64), where=totals > 0)[numbers]


def relative(*weights: Numbers | None) -> Numbers | None:
    """The product of weights with mean 1 over the rows that count; None where all count once."""
    given = [w for w in weights if w is not None]
    if not given:
        return None
    found = np.prod(given, axis=0)
    if not found.any():
        raise BadValue("the weights of the examples are all zero, so there is nothing to learn from")
    return found / found[found > 0].mean()


def counted(weight: Numbers | None, x: Numbers, y: Numbers) -> tuple[Numbers, Numbers, Numbers | None]:
    """The rows whose weight is not 0."""
    if weight is None:
        return x, y, None
    return x[weight > 0], y[weight > 0], weight[weight > 0]
