"""An ONNX graph while it is written: nodes as records, constants by name, and values with the operators of Python."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np

from lensgrad.interchange.dtypes import Numbers

Sizes = tuple[int, ...]
Dims = tuple[int | str, ...]


@dataclass(frozen=True)
class Info:
    """A named input or output: its dtype, and its shape with a text for each axis that the file leaves open."""

    name: str
    dtype: str
    shape: Dims

    @property
    def sizes(self) -> Sizes:
        """The axes that the file says the size of."""
        return tuple(n for n in self.shape if isinstance(n, int))


@dataclass(frozen=True)
class Node:
    """One operator: what it reads and gives by name, its attributes, and the body of a loop."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    body: Body | None = None


@dataclass(frozen=True)
class Body:
    """A graph inside a node, which also reads what is outside it."""

    inputs: tuple[Info, ...]
    outputs: tuple[Info, ...]
    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class Net:
    """A whole graph: its constants and weights by name, and its nodes in order."""

    inputs: tuple[Info, ...]
    outputs: tuple[Info, ...]
    nodes: tuple[Node, ...]
    constants: Mapping[str, Numbers]
    halves: frozenset[str] = frozenset()  # constants of float32 that are of bfloat16 in the file


@dataclass
class Scope:
    """The nodes of one graph, and the results that are there already."""

    nodes: list[Node] = field(default_factory=list[Node])
    seen: dict[Any, list[Value]] = field(default_factory=dict[Any, Any])


class Sheet:
    """A graph under construction. Equal nodes are written once, equal constants too; loops have scopes of their own."""

    def __init__(self, taken: Sequence[str] = ()) -> None:
        self.taken = set(taken)
        self.constants: dict[str, Numbers] = {}
        self.scopes = [Scope()]
        self.origin: tuple[str, ...] = ()
        self._known: dict[tuple[Any, ...], str] = {}
        self._count = 0

    def fresh(self, kind: str) -> str:
        """A name that nothing else has."""
        self._count += 1
        name = f"{kind}{self._count}"
        return self.fresh(kind) if name in self.taken else name

    def constant(self, value: Any, dtype: str) -> Value:
        """An array that the file holds."""
        array: Numbers = np.asarray(value, dtype)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._known:
            self._known[key] = self.fresh("c")
            self.constants[self._known[key]] = array
        return Value(self, self._known[key], dtype, array.shape)

    def sizes(self, *numbers: int) -> Value:
        """Whole numbers as an operator reads shapes and axes."""
        return self.constant(numbers, "int64")

    def add(self, kind: str, inputs: Sequence[Value], dtype: str, shape: Sequence[int], **attributes: Any) -> Value:
        """The one result of a node."""
        return self.adds(kind, inputs, [(dtype, tuple(shape))], **attributes)[0]

    def adds(
        self, kind: str, inputs: Sequence[Value], results: Sequence[tuple[str, Sizes]], body: Body | None = None, **attributes: Any
    ) -> list[Value]:
        """The results of a node, with their dtypes and shapes."""
        names = tuple(v.name for v in inputs)
        key = (kind, names, tuple(results), repr(sorted(attributes.items()))) if body is None else object()
        for scope in self.scopes:
            if key in scope.seen:
                return scope.seen[key]
        outs = tuple(self.fresh("v") for _ in results)
        name = "/".join((*self.origin, f"{kind}_{outs[0]}"))
        self.scopes[-1].nodes.append(Node(kind, name, names, outs, attributes, body))
        made = [Value(self, out, dtype, shape) for out, (dtype, shape) in zip(outs, results, strict=True)]
        self.scopes[-1].seen[key] = made
        return made

    def called(self, value: Value, name: str) -> None:
        """Give a value the name of an output."""
        self.scopes[-1].nodes.append(Node("Identity", f"{name}/Identity", (value.name,), (name,)))

    def body(self, inputs: Sequence[tuple[str, Sizes]], write: Callable[[list[Value]], Sequence[Value]]) -> Body:
        """A graph inside this one, written on its inputs."""
        self.scopes.append(Scope())
        given = [Value(self, self.fresh("a"), dtype, shape) for dtype, shape in inputs]
        outs = [v.copied() for v in write(given)]
        scope = self.scopes.pop()
        return Body(tuple(v.info for v in given), tuple(v.info for v in outs), tuple(scope.nodes))


@dataclass(frozen=True)
class Value:
    """An array of the graph, by name. Its shape may have fewer axes than its wire, or axes of size 1: operators spread it as NumPy does."""

    sheet: Sheet = field(repr=False)
    name: str
    dtype: str
    shape: Sizes

    @property
    def info(self) -> Info:
        return Info(self.name, self.dtype, self.shape)

    @property
    def rank(self) -> int:
        return len(self.shape)

    def like(self, number: Value | float) -> Value:
        """A number as a constant of this dtype."""
        return number if isinstance(number, Value) else self.sheet.constant(number, self.dtype)

    def on(self, kind: str, *others: Value | float, dtype: str = "", **attributes: Any) -> Value:
        """An operator entry by entry, on this and others."""
        values = [self, *map(self.like, others)]
        shape = np.broadcast_shapes(*(v.shape for v in values))
        return self.sheet.add(kind, values, dtype or self.dtype, shape, **attributes)

    def __add__(self, other: Number) -> Value:
        return self.on("Add", other)

    def __sub__(self, other: Number) -> Value:
        return self.on("Sub", other)

    def __rsub__(self, other: float) -> Value:
        return self.like(other).on("Sub", self)

    def __mul__(self, other: Number) -> Value:
        return self.on("Mul", other)

    def __truediv__(self, other: Number) -> Value:
        return self.on("Div", other)

    def __rtruediv__(self, other: float) -> Value:
        return self.like(other).on("Div", self)

    def __neg__(self) -> Value:
        return self.on("Neg")

    def __lt__(self, other: Number) -> Value:
        return self.on("Less", other, dtype="bool")

    def __gt__(self, other: Number) -> Value:
        return self.on("Greater", other, dtype="bool")

    def equals(self, other: Number) -> Value:
        return self.on("Equal", other, dtype="bool")

    def chosen(self, yes: Number, no: Number) -> Value:
        """Of a truth value: one of two, entry by entry."""
        known = yes if isinstance(yes, Value) else no if isinstance(no, Value) else self
        a, b = known.like(yes), known.like(no)
        return self.on("Where", a, b, dtype=a.dtype)

    def to(self, dtype: str) -> Value:
        """The same numbers in another dtype."""
        return self if dtype == self.dtype else self.sheet.add("Cast", [self], dtype, self.shape, to=dtype)

    def copied(self) -> Value:
        """The same under a name of its own, as an output needs it."""
        name = self.sheet.fresh("v")
        self.sheet.called(self, name)
        return replace(self, name=name)

    # -- shapes ----------------------------------------------------------------------------------------------------
    def wide(self, shape: Sequence[int]) -> Value:
        """Spread to a whole shape."""
        if self.shape == tuple(shape):
            return self
        return self.sheet.add("Expand", [self, self.sheet.sizes(*shape)], self.dtype, shape)

    def reshaped(self, *shape: int) -> Value:
        """The same entries in another shape."""
        if self.shape == shape:
            return self
        empty = {"allowzero": 1} if 0 in shape else {}
        return self.sheet.add("Reshape", [self, self.sheet.sizes(*shape)], self.dtype, shape, **empty)

    def transposed(self, *order: int) -> Value:
        """With its axes in another order."""
        if order == tuple(range(self.rank)):
            return self
        return self.sheet.add("Transpose", [self], self.dtype, [self.shape[a] for a in order], perm=list(order))

    def sliced(self, start: Sequence[int], stop: Sequence[int], step: Sequence[int]) -> Value:
        """x[start:stop:step] on the axes where that is not all."""
        axes = [a for a in range(self.rank) if (start[a], stop[a], step[a]) != (0, self.shape[a], 1)]
        if not axes:
            return self
        shape = [-(-(b - a) // s) for a, b, s in zip(start, stop, step, strict=True)]
        first, last, by = (self.sheet.sizes(*(part[a] for a in axes)) for part in (start, stop, step))
        return self.sheet.add("Slice", [self, first, last, self.sheet.sizes(*axes), by], self.dtype, shape)

    def padded(self, low: Sequence[int], high: Sequence[int], fill: float = 0) -> Value:
        """With equal entries around."""
        if not any((*low, *high)):
            return self
        shape = [a + n + b for a, n, b in zip(low, self.shape, high, strict=True)]
        return self.sheet.add("Pad", [self, self.sheet.sizes(*low, *high), self.like(fill)], self.dtype, shape)

    def flipped(self, axes: Sequence[int]) -> Value:
        """In reverse order along some axes."""
        axes = [a for a in axes if self.shape[a] > 1]
        if not axes:
            return self
        ends = [self.sheet.sizes(*[n] * len(axes)) for n in (-1, np.iinfo(np.int64).min, -1)]
        return self.sheet.add("Slice", [self, ends[0], ends[1], self.sheet.sizes(*axes), ends[2]], self.dtype, self.shape)

    def reduced(self, kind: str, axes: Sequence[int], keep: bool = False) -> Value:
        """Reduced over some axes, by `ReduceSum` or the like."""
        if not axes:
            return self
        shape = [1 if i in axes else n for i, n in enumerate(self.shape) if keep or i not in axes]
        return self.sheet.add(kind, [self, self.sheet.sizes(*axes)], self.dtype, shape, keepdims=int(keep))

    def joined(self, *others: Value, axis: int) -> Value:
        """Side by side with others along an axis."""
        parts = [self, *others]
        shape = list(self.shape)
        shape[axis] = sum(v.shape[axis] for v in parts)
        return self.sheet.add("Concat", parts, self.dtype, shape, axis=axis)

    def product(self, other: Value) -> Value:
        """The product of matrices along the last two axes."""
        shape = (*np.broadcast_shapes(self.shape[:-2], other.shape[:-2]), self.shape[-2], other.shape[-1])
        return self.sheet.add("MatMul", [self, other], self.dtype, shape)


Number: TypeAlias = Value | float


def counted(sheet: Sheet, n: int) -> Value:
    """0, 1, …, n − 1."""
    ends = [sheet.constant(k, "int64") for k in (0, n, 1)]
    return sheet.add("Range", ends, "int64", (n,))


def size(shape: Sequence[int]) -> int:
    return math.prod(shape)
