"""The functions on wires from which others are written; most are also families of arrows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from lensgrad.core.diagram import Diagram, Family
from lensgrad.core.graph import OnWires, Operand, Wire
from lensgrad.core.op import Op
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.theories.smooth import index as _index
from lensgrad.theories.smooth import linear as _linear
from lensgrad.theories.smooth import pointwise as _p
from lensgrad.theories.smooth import reduce as _reduce
from lensgrad.theories.smooth import special as _special
from lensgrad.theories.smooth.operators import common, kept, mean_over, over, reshape, sum_over, transpose


class Function(Family):
    """A family of arrows that give one wire: `exp`, `mean`."""

    @overload
    def __call__(self) -> Family: ...
    @overload
    def __call__(self, first: Wire, /, *rest: Wire) -> Wire: ...
    def __call__(self, *args: Wire) -> Family | Wire:
        return super().__call__(*args)


def family(name: str, op: Op) -> Function:
    """A generator as a family: it meets its type in `f >> tanh` or in `tanh(wire)`."""
    return Function(name, lambda dom: Diagram.of(op, dom), type(op).__doc__)


def written(name: str, fn: OnWires, doc: str = "") -> Function:
    """A function on wires as a family, shown as one box."""
    return Function(name, lambda dom: trace(fn, *(Ty((a,)) for a in dom)).define(name), doc or fn.__doc__)


def traced(name: str, fn: OnWires, doc: str) -> Function:
    """A function on wires as a family, shown as what it is made of."""
    return Function(name, lambda dom: trace(fn, *(Ty((a,)) for a in dom)), doc)


exp, log, log1p, expm1 = (family(o.name.lower(), o) for o in (_p.Exp(), _p.Log(), _p.Log1p(), _p.Expm1()))
tanh, sigmoid, sin, cos = family("tanh", _p.Tanh()), family("sigmoid", _p.Logistic()), family("sin", _p.Sin()), family("cos", _p.Cos())
atan, asinh, round = (family(o.name.lower(), o) for o in (_p.Atan(), _p.Asinh(), _p.Round()))
erf, erfc, sqrt, rsqrt = (family(o.name.lower(), o) for o in (_p.Erf(), _special.Erfc(), _p.Sqrt(), _p.Rsqrt()))
sign = family("sign", _p.Sign())
absolute, floor, stop_gradient = family("abs", _p.Abs()), family("floor", _p.Floor()), family("stop_gradient", _p.StopGradient())
argsort = family("argsort", _reduce.ArgSort())
axis_mean, batch_size = family("axis_mean", _linear.AxisMean()), family("batch_size", _linear.BatchSize())

# -- pointwise with two or three arguments -----------------------------------------------------------------------------


def maximum(x: Operand, y: Operand) -> Wire:
    """max(x, y); at ties both get half of the cotangent."""
    return _p.Maximum()(*common(x, y))


def minimum(x: Operand, y: Operand) -> Wire:
    """min(x, y); at ties both get half of the cotangent."""
    return _p.Minimum()(*common(x, y))


def equal(x: Operand, y: Operand) -> Wire:
    """x = y, entry by entry."""
    return _p.Compare("==")(*common(x, y))


def select(condition: Wire, x: Operand, y: Operand) -> Wire:
    """x where the condition holds, else y; nothing flows back into the branch not taken.

    Both branches are computed and differentiated, so an infinite derivative of the one not taken meets a 0 on its way back and
    gives NaN: `select(x > 0, sqrt(x), 0.0)` has the derivative NaN at 0. Choose the argument first: `sqrt(select(x > 0, x, 1.0))`
    inside the select.
    """
    return _p.Select()(condition, *common(x, y))


def clamp(x: Wire, low: float, high: float) -> Wire:
    """min(max(x, low), high)."""
    return _p.Clamp(float(low), float(high))(x)


def cast(x: Wire, dtype: str) -> Wire:
    """The same values in another dtype."""
    return x if x.atom.dtype == dtype else _linear.Cast(dtype)(x)


def atan2(y: Operand, x: Operand) -> Wire:
    """The angle of the point (x, y), in (−π, π]."""
    return _p.Atan2()(*common(y, x))


relu = written("relu", lambda x: select(x > 0.0, x, 0.0), "max(x, 0) : A → A, entry by entry; its derivative at 0 is 0.")

# -- shapes ------------------------------------------------------------------------------------------------------------


def spread(x: Wire, shape: Sequence[int], axes: Sequence[int] | None = None) -> Wire:
    """Repeat x over `shape`, its axes placed at `axes` (the last ones when not given). Where x has an axis of length 1 it is repeated."""
    shape = tuple(shape)
    if axes is None and 0 < x.atom.rank <= len(shape):
        placed = list(zip(range(len(shape) - x.atom.rank, len(shape)), x.atom.shape, strict=True))
        axes = [a for a, n in placed if n == shape[a] or n != 1]
        x = reshape(x, *(n for a, n in placed if a in axes))
    axes = tuple(range(len(shape) - x.atom.rank, len(shape))) if axes is None else tuple(axes)
    return x if x.atom.shape == shape else _linear.Spread(shape, axes)(x)


total = traced("total", sum_over, "The sum of all entries : A → ℝ.")
mean = traced("mean", mean_over, "The mean of all entries : A → ℝ.")
flatten = traced(
    "flatten", lambda x: reshape(x, -1), "Any shape → one axis, row-major. It is a layer as it is: `lg.flatten` and `lg.flatten()` are one."
)


def concatenate(xs: Sequence[Wire], axis: int = 0) -> Wire:
    """Join along an axis."""
    return _linear.Concatenate(axis)(*xs)


def stack(xs: Sequence[Wire], axis: int = 0) -> Wire:
    """Join along a new axis."""
    shape = xs[0].atom.shape
    return concatenate([reshape(x, *shape[:axis], 1, *shape[axis:]) for x in xs], axis)


def pad(x: Wire, low: Sequence[int], high: Sequence[int]) -> Wire:
    """Zeros before and after each axis."""
    return _linear.Pad(tuple(low), tuple(high), (0,) * x.atom.rank)(x)


def flip(x: Wire, axes: int | Sequence[int] | None = None) -> Wire:
    """Reverse the order along axes."""
    return _linear.Flip(over(x, axes))(x)


def cumsum(x: Wire, axis: int = 0) -> Wire:
    """Running sums."""
    return _linear.CumulativeSum(over(x, axis)[0])(x)


# -- reductions, order, indices ----------------------------------------------------------------------------------------


def logsumexp(x: Wire, axes: int | Sequence[int] | None = None, keepdims: bool = False) -> Wire:
    """ln Σ eˣ over axes (all of them for None), without overflow; with `keepdims` they stay, of length 1."""
    found = over(x, axes)
    return kept(x, _reduce.LogSumExp(found)(x), found, keepdims)


def argmax(x: Wire, axis: int = -1, keepdims: bool = False) -> Wire:
    """Where the first largest entry is; with `keepdims` the axis stays, of length 1, as `take_along` wants it."""
    found = over(x, axis)
    return kept(x, _reduce.ArgMax(found[0])(x), found, keepdims)


def argmin(x: Wire, axis: int = -1, keepdims: bool = False) -> Wire:
    """Where the first smallest entry is; with `keepdims` the axis stays, of length 1."""
    return argmax(-x, axis, keepdims)


def log_softmax(x: Wire, axis: int = -1) -> Wire:
    """x − ln Σ eˣ along an axis."""
    return _reduce.LogSoftmax(over(x, axis)[0])(x)


softmax = written("softmax", lambda x: _p.Exp()(log_softmax(x)), "eˣ / Σ eˣ along the last axis : A → A, without overflow.")


def take(x: Wire, index: Wire, axis: int = 0) -> Wire:
    """Rows of x by integer wires, or entries along another axis: x[:, index] for axis 1. Indices outside are clipped."""
    place = over(x, axis)[0]
    if not place:
        return _index.Take(0)(x, index)
    taken = _index.Take(0)(_index.rotated(x, place, 0), index)
    k = index.atom.rank
    return transpose(taken, *range(k, k + place), *range(k), *range(k + place, taken.atom.rank))


def take_along(x: Wire, index: Wire, axis: int = -1) -> Wire:
    """The entry of each line along an axis that stands at its index : the other axes of both are equal.

    Negative indices count from the end; others outside are clipped.
    """
    last, place = x.atom.rank - 1, over(x, axis)[0]
    n = x.atom.shape[place]
    wrapped = select(index < 0, index + n, index) if index.atom.dtype == "int32" else index
    if place == last:
        return _index.Take(last)(x, wrapped)
    lines = (_index.rotated(v, place, last) for v in (x, wrapped))
    return _index.rotated(_index.Take(last)(*lines), last, place)


def sort(x: Wire) -> Wire:
    """The last axis in increasing order; the gradient follows each entry."""
    return _index.Take(x.atom.rank - 1)(x, argsort(x))


def one_hot(index: Wire, n: int, dtype: str = "float32") -> Wire:
    """k ↦ e_k."""
    return _index.OneHot(n, dtype)(index)


def scatter_add(rows: int, index: Wire, values: Wire) -> Wire:
    """Add rows into zeros by number."""
    return _index.ScatterAdd(rows)(index, values)
