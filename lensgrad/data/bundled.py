"""The data that comes with the library."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from lensgrad.core import checks
from lensgrad.core.errors import BadValue, some
from lensgrad.data.arrays import allocated, array

if TYPE_CHECKING:
    from lensgrad.data.preparation import Preparation

Numbers = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Dataset:
    """Examples as arrays with one row each: `x` the features, `y` the labels, and what the columns and classes are called.

    `categories` has the words of each column that became 0/1 features; `preparation` says how the table was read, so that another
    one can be read alike.
    """

    x: Numbers
    y: Numbers
    features: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    preparation: Preparation | None = None

    def __post_init__(self) -> None:
        for which in ("x", "y"):
            object.__setattr__(self, which, array(getattr(self, which), which))
        for which in ("features", "classes"):
            object.__setattr__(self, which, checks.names(f"the {which} of a data set", getattr(self, which)))
        if not self.x.ndim:
            raise BadValue("x of a data set has one row for each example, and this one is a number")

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        """How many examples of what, and not all their numbers."""
        x, y = (f"{a.dtype}[{','.join(map(str, a.shape[1:]))}]" for a in (self.x, self.y))
        classes = f", classes {some(self.classes)}" if self.classes else ""
        return f"<{len(self)} examples: x {x}, y {y}{classes}>"

    def __iter__(self) -> Iterator[Numbers]:
        """`x, y = data`."""
        return iter((self.x, self.y))

    def one_hot(self, dtype: str = "float32") -> Dataset:
        """The same examples with class numbers as unit vectors."""
        return replace(self, y=one_hot(self.y, len(self.classes), dtype))

    def cast(self, dtype: str) -> Dataset:
        """The same examples with floats of another dtype."""
        checks.one_of("the dtype of a cast", dtype, DTYPES)
        return replace(self, x=self.x.astype(dtype), y=self.y.astype(dtype) if self.y.dtype.kind == "f" else self.y)


MOST_CLASSES = 1 << 20  # of one hot rows
DTYPES = ("float32", "float64", "float16", "int32", "uint8", "bool")


def one_hot(labels: Numbers, classes: int, dtype: str = "float32") -> Numbers:
    """Class numbers 0..classes−1 as rows of the identity."""
    labels, dtype = array(labels, "labels"), checks.one_of("the dtype of one_hot", dtype, DTYPES)
    classes = checks.whole("the number of classes", classes, 1, MOST_CLASSES)
    if labels.dtype.kind not in "iub":
        raise BadValue(f"one_hot expects class numbers, which are whole, got an array of {labels.dtype}")
    if labels.size and not 0 <= labels.min() <= labels.max() < classes:
        raise BadValue(f"labels run from {labels.min()} to {labels.max()}, and {classes} classes are numbered 0 to {classes - 1}")
    found = allocated("one-hot rows", (*labels.shape, classes), dtype, "take fewer rows, or keep the class numbers")
    np.put_along_axis(found, labels.astype(np.int64)[..., None], 1, -1)
    return found


def iris() -> Dataset:
    """Fisher's Iris, 150 flowers: 4 measurements in cm, 3 species. The bytes UCI distributes (CC BY 4.0)."""
    import csv

    text = stored("iris.data").decode("utf-8")
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    classes = tuple(dict.fromkeys(row[4] for row in rows))
    x = np.array([[float(v) for v in row[:4]] for row in rows], np.float32)
    y = np.array([classes.index(row[4]) for row in rows], np.int32)
    return Dataset(x, y, ("sepal length", "sepal width", "petal length", "petal width"), classes)


def digits() -> tuple[Dataset, Dataset]:
    """Real handwritten digits, 8 × 8: 1442 images to train on and 355 to test, x : f32[n, 8, 8, 1] in [0, 1], y : i32[n].

    The 1797 images of the UCI optical digits test set (CC BY 4.0). Of each digit, in the order of the file, every fifth
    image is for testing. Arrays are read-only.
    """
    import gzip

    lines = gzip.decompress(stored("digits.csv.gz")).decode("ascii").split()
    table = np.array([line.split(",") for line in lines], np.uint8)
    x = (table[:, :64] / np.float32(16)).astype(np.float32).reshape(-1, 8, 8, 1)
    y = table[:, 64].astype(np.int32)
    nth = np.zeros(len(y), np.int64)
    for digit in range(10):
        nth[y == digit] = np.arange(np.count_nonzero(y == digit))
    parts = (np.flatnonzero(nth % 5 != 4), np.flatnonzero(nth % 5 == 4))
    train, test = (Dataset(readonly(x[rows]), readonly(y[rows]), (), tuple("0123456789")) for rows in parts)
    return train, test


ROBOTS = {"a1": 3, "a2": 3, "a3": 2, "a4": 3, "a5": 4, "a6": 2}  # how many values each feature has
MONKS: dict[int, Callable[[Numbers], Numbers]] = {
    1: lambda a: (a[:, 0] == a[:, 1]) | (a[:, 4] == 1),
    2: lambda a: (a == 1).sum(1) == 2,
    3: lambda a: (a[:, 4] == 3) & (a[:, 3] == 1) | (a[:, 4] != 4) & (a[:, 1] != 3),
}


def monk(number: int) -> tuple[Dataset, Dataset]:
    """A MONK's problem: the robots to learn from, and all 432 to be judged by, one 0/1 feature for each value of each of six features.

    The official training rows (UCI, CC BY 4.0): 124, 169 and 122, of which the third problem has 6 with the wrong label. The test
    labels are those of the published rules: 1 is a1 = a2 or a5 = 1; 2 is that exactly two features are 1; 3 is a5 = 3 and a4 = 1, or
    a5 ≠ 4 and a2 ≠ 3. x : f32[n, 17], y : i32[n].
    """
    number = checks.whole("the number of a MONK's problem", number, 1, 3)
    table = np.array([row.split() for row in stored("monks.data").decode("ascii").splitlines()], np.int32)
    chosen = table[table[:, 0] == number]
    robots = np.array(list(product(*(range(1, n + 1) for n in ROBOTS.values()))), np.int32)
    return robots_of(chosen[:, 2:], chosen[:, 1]), robots_of(robots, MONKS[number](robots).astype(np.int32))


def robots_of(values: Numbers, y: Numbers) -> Dataset:
    """Robots with one feature for each value."""
    x = np.concatenate([np.eye(n, dtype=np.float32)[values[:, i] - 1] for i, n in enumerate(ROBOTS.values())], 1)
    names = tuple(f"{a}={v}" for a, n in ROBOTS.items() for v in range(1, n + 1))
    return Dataset(readonly(x), readonly(y), names, ("0", "1"))


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes with features `x`, classes `y` and undirected `edges` (each once, as a pair of node numbers), and which nodes are for what."""

    x: Numbers
    y: Numbers
    edges: Numbers
    train: Numbers
    validation: Numbers
    test: Numbers
    classes: tuple[str, ...] = ()


CORA_CLASSES = (
    "theory", "reinforcement learning", "genetic algorithms", "neural networks", "probabilistic methods", "case based", "rule learning",
)  # fmt: skip


def cora() -> Graph:
    """Cora: 2708 papers, which of 1433 words each has, 5278 citations, 7 subjects, and the split of Planetoid (140 / 500 / 1000 nodes).

    The arrays of arXiv 1603.08861 without its pickles (MIT). x : f32[2708, 1433] of 0 and 1. Arrays are read-only.
    """
    with np.load(io.BytesIO(stored("cora.npz")), allow_pickle=False) as arrays:
        found = {name: arrays[name] for name in arrays.files}
    x = np.zeros(tuple(found["x_shape"]), np.float32)
    x[np.repeat(np.arange(len(x)), np.diff(found["x_indptr"])), found["x_indices"]] = 1
    edges, train, validation, test = (readonly(found[k]) for k in ("edges", "train_idx", "val_idx", "test_idx"))
    return Graph(readonly(x), readonly(found["y"].astype(np.int32)), edges, train, validation, test, CORA_CLASSES)


def stored(name: str) -> bytes:
    """A file that is bundled with the library."""
    from importlib.resources import files

    return (files("lensgrad.data") / name).read_bytes()


def readonly(array: Numbers) -> Numbers:
    """The same array, which nobody can write into."""
    array.setflags(write=False)
    return array
