"""The data that comes with the library."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

import numpy as np

from lensgrad.core.errors import BadValue

Numbers = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Dataset:
    """Examples as arrays with one row each: `x` the features, `y` the labels, and what the columns and classes are called."""

    x: Numbers
    y: Numbers
    features: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.x)

    def __iter__(self) -> Iterator[Numbers]:
        """`x, y = data`."""
        return iter((self.x, self.y))

    def one_hot(self, dtype: str = "float32") -> Dataset:
        """The same examples with class numbers as unit vectors."""
        return replace(self, y=one_hot(self.y, len(self.classes), dtype))

    def cast(self, dtype: str) -> Dataset:
        """The same examples with floats of another dtype."""
        return replace(self, x=self.x.astype(dtype), y=self.y.astype(dtype) if self.y.dtype.kind == "f" else self.y)


def one_hot(labels: Numbers, classes: int, dtype: str = "float32") -> Numbers:
    """Class numbers 0..classes−1 as rows of the identity."""
    labels = np.asarray(labels)
    if labels.size and not 0 <= labels.min() <= labels.max() < classes:
        raise BadValue(f"labels run from {labels.min()} to {labels.max()}, and {classes} classes are numbered 0 to {classes - 1}")
    return np.eye(classes, dtype=dtype)[labels]


def iris() -> Dataset:
    """Fisher's Iris, 150 flowers: 4 measurements in cm, 3 species. The bytes UCI distributes (CC BY 4.0)."""
    text = (files("lensgrad.run.data") / "iris.data").read_text(encoding="utf-8")
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    classes = tuple(dict.fromkeys(row[4] for row in rows))
    x = np.array([[float(v) for v in row[:4]] for row in rows], np.float32)
    y = np.array([classes.index(row[4]) for row in rows], np.int32)
    return Dataset(x, y, ("sepal length", "sepal width", "petal length", "petal width"), classes)
