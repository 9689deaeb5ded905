"""The functions on wires from which others are written; most are also families of arrows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import signature
from typing import Any, overload

from lensgrad.core import checks
from lensgrad.core.checks import is_a
from lensgrad.core.diagram import Diagram, Family
from lensgrad.core.errors import BadValue, TypeMismatch, WireError
from lensgrad.core.graph import OnWires, Operand, Wire, atom_of
from lensgrad.core.op import Op
from lensgrad.core.trace import taken, trace
from lensgrad.core.ty import Ty
from lensgrad.theories.smooth import index as _index
from lensgrad.theories.smooth import linear as _linear
from lensgrad.theories.smooth import pointwise as _p
from lensgrad.theories.smooth import reduce as _reduce
from lensgrad.theories.smooth import special as _special
from lensgrad.theories.smooth.operators import along, kept, mean_over, over, pair, reshape, sum_over, transpose
from lensgrad.theories.smooth.shape import array, kind


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
    checks.instance(f"the generator of {checks.shown(name)}", op, Op, "an object of a class marked @generator")
    return Function(name, lambda dom: Diagram.of(op, dom), type(op).__doc__)


def written(name: str, fn: OnWires, doc: str = "") -> Function:
    """A function on wires as a family, shown as one box."""
    return Function(name, lambda dom: traced_at(name, fn, dom).define(name), described(name, fn, doc))


def traced(name: str, fn: OnWires, doc: str) -> Function:
    """A function on wires as a family, shown as what it is made of."""
    return Function(name, lambda dom: traced_at(name, fn, dom), described(name, fn, doc))


def described(name: str, fn: Callable[..., Any], doc: str) -> str | None:
    """What is said about a family of a function on wires, after checking what it is made of."""
    checks.function(f"what {checks.shown(name)} is made of", fn, "a function on wires")
    return checks.instance(f"what is said about {checks.shown(name)}", doc, str, "text") or fn.__doc__


def traced_at(name: str, fn: Callable[..., Any], dom: Ty) -> Diagram:
    """A function on wires at an object, refused by the name of its family where it takes another number of wires."""
    try:
        return trace(fn, *(Ty((a,)) for a in dom))
    except WireError:
        if taken(fn, len(dom)):
            raise
        n = len(signature(fn).parameters)
        raise TypeMismatch(f"{name} takes {n} wire{'s' * (n != 1)}, got {dom}") from None


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
    return _p.Maximum()(*pair("maximum", x, y))


def minimum(x: Operand, y: Operand) -> Wire:
    """min(x, y); at ties both get half of the cotangent."""
    return _p.Minimum()(*pair("minimum", x, y))


def equal(x: Operand, y: Operand) -> Wire:
    """x = y, entry by entry."""
    return _p.Compare("==")(*pair("equal", x, y))


def select(condition: Wire, x: Operand, y: Operand) -> Wire:
    """x where the condition holds, else y; nothing flows back into the branch not taken.

    Both branches are computed and differentiated, so an infinite derivative of the one not taken meets a 0 on its way back and
    gives NaN: `select(x > 0, sqrt(x), 0.0)` has the derivative NaN at 0. Choose the argument first: `sqrt(select(x > 0, x, 1.0))`
    inside the select.
    """
    atom_of("select", condition, "condition")
    return _p.Select()(condition, *pair("select", x, y))


def clamp(x: Wire, low: float, high: float) -> Wire:
    """min(max(x, low), high)."""
    array("clamp", x)
    least, most = checks.bound("the low end of clamp", low), checks.bound("the high end of clamp", high)
    if least > most:
        raise BadValue(f"clamp must have its low end first, got {least:g} and {most:g}")
    return _p.Clamp(float(least), float(most))(x)


def cast(x: Wire, dtype: str) -> Wire:
    """The same values in another dtype."""
    held = array("cast", x).dtype
    return x if is_a(dtype, str) and dtype == held else _linear.Cast(kind("the dtype of cast", dtype))(x)


def atan2(y: Operand, x: Operand) -> Wire:
    """The angle of the point (x, y), in (−π, π]."""
    return _p.Atan2()(*pair("atan2", y, x))


relu = written("relu", lambda x: select(x > 0.0, x, 0.0), "max(x, 0) : A → A, entry by entry; its derivative at 0 is 0.")

# -- shapes ------------------------------------------------------------------------------------------------------------


def spread(x: Wire, shape: Sequence[int], axes: Sequence[int] | None = None) -> Wire:
    """Repeat x over `shape`, its axes placed at `axes` (the last ones when not given). Where x has an axis of length 1 it is repeated."""
    atom, wanted = array("spread", x), checks.wholes("the shape of spread", shape)
    if axes is None and 0 < atom.rank <= len(wanted):
        placed = list(zip(range(len(wanted) - atom.rank, len(wanted)), atom.shape, strict=True))
        axes = [a for a, n in placed if n == wanted[a] or n != 1]
        x = reshape(x, *(n for a, n in placed if a in axes))
    found = range(len(wanted) - x.atom.rank, len(wanted)) if axes is None else checks.listing("the axes of spread", axes, "a list of axes")
    places = tuple(found) if axes is None else tuple(checks.axis("spread", a, len(wanted), wanted) for a in found)
    return x if x.atom.shape == wanted else _linear.Spread(wanted, places)(x)


total = traced("total", sum_over, "The sum of all entries : A → ℝ.")
mean = traced("mean", mean_over, "The mean of all entries : A → ℝ.")
flatten = traced(
    "flatten", lambda x: reshape(x, -1), "Any shape → one axis, row-major. It is a layer as it is: `lg.flatten` and `lg.flatten()` are one."
)


def concatenate(xs: Sequence[Wire], axis: int = 0) -> Wire:
    """Join along an axis."""
    wires = several("concatenate", xs)
    return _linear.Concatenate(along(wires[0], axis, "concatenate"))(*wires)


def stack(xs: Sequence[Wire], axis: int = 0) -> Wire:
    """Join along a new axis."""
    wires = several("stack", xs)
    first = array("stack", wires[0])
    if any(array("stack", x) != first for x in wires):
        raise TypeMismatch(f"stack expects arrays of one type, got {' and '.join(str(x.atom) for x in wires)}")
    place, shape = checks.axis("stack", axis, first.rank + 1, f"the results of {first}"), first.shape
    return concatenate([reshape(x, *shape[:place], 1, *shape[place:]) for x in wires], place)


def several(what: str, xs: Any) -> list[Any]:
    """Wires in a list, at least one."""
    wires = checks.listing(f"what {what} joins", xs, "a list of wires")
    if not wires:
        raise BadValue(f"{what} joins at least one array, got {checks.shown(xs)}")
    return wires


def pad(x: Wire, low: Sequence[int], high: Sequence[int]) -> Wire:
    """Zeros before and after each axis."""
    rank = array("pad", x).rank
    before, after = checks.wholes("the low side of pad", low, n=rank), checks.wholes("the high side of pad", high, n=rank)
    return _linear.Pad(before, after, (0,) * rank)(x)


def flip(x: Wire, axes: int | Sequence[int] | None = None) -> Wire:
    """Reverse the order along axes."""
    return _linear.Flip(over(x, axes, "flip"))(x)


def cumsum(x: Wire, axis: int = 0) -> Wire:
    """Running sums."""
    return _linear.CumulativeSum(along(x, axis, "cumsum"))(x)


# -- reductions, order, indices ----------------------------------------------------------------------------------------


def logsumexp(x: Wire, axes: int | Sequence[int] | None = None, keepdims: bool = False) -> Wire:
    """ln Σ eˣ over axes (all of them for None), without overflow; with `keepdims` they stay, of length 1."""
    found = over(x, axes, "logsumexp")
    return kept(x, _reduce.LogSumExp(found)(x), found, keepdims)


def argmax(x: Wire, axis: int = -1, keepdims: bool = False) -> Wire:
    """Where the first largest entry is; with `keepdims` the axis stays, of length 1, as `take_along` wants it."""
    place = along(x, axis, "argmax")
    return kept(x, _reduce.ArgMax(place)(x), (place,), keepdims)


def argmin(x: Wire, axis: int = -1, keepdims: bool = False) -> Wire:
    """Where the first smallest entry is; with `keepdims` the axis stays, of length 1."""
    place = along(x, axis, "argmin")
    return argmax(-x, place, keepdims)


def log_softmax(x: Wire, axis: int = -1) -> Wire:
    """x − ln Σ eˣ along an axis."""
    return _reduce.LogSoftmax(along(x, axis, "log_softmax"))(x)


softmax = written("softmax", lambda x: _p.Exp()(log_softmax(x)), "eˣ / Σ eˣ along the last axis : A → A, without overflow.")


def take(x: Wire, index: Wire, axis: int = 0) -> Wire:
    """Rows of x by integer wires, or entries along another axis: x[:, index] for axis 1. Indices outside are clipped."""
    place = along(x, axis, "take")
    _index.integers("take", atom_of("take", index, "index"))
    if not place:
        return _index.Take(0)(x, index)
    taken = _index.Take(0)(_index.rotated(x, place, 0), index)
    k = index.atom.rank
    return transpose(taken, *range(k, k + place), *range(k), *range(k + place, taken.atom.rank))


def take_along(x: Wire, index: Wire, axis: int = -1) -> Wire:
    """The entry of each line along an axis that stands at its index : the other axes of both are equal.

    Negative indices count from the end; others outside are clipped.
    """
    last, place = array("take_along", x).rank - 1, along(x, axis, "take_along")
    places, n = atom_of("take_along", index, "index"), x.atom.shape[place]
    _index.integers("take_along", places)
    if places.rank != x.atom.rank:
        raise TypeMismatch(f"take_along expects an index of as many axes as {x.atom}, got {places}: reshape it, or use take")
    wrapped = select(index < 0, index + n, index) if index.atom.dtype == "int32" else index
    if place == last:
        return _index.Take(last)(x, wrapped)
    lines = (_index.rotated(v, place, last) for v in (x, wrapped))
    return _index.rotated(_index.Take(last)(*lines), last, place)


def sort(x: Wire) -> Wire:
    """The last axis in increasing order; the gradient follows each entry."""
    return _index.Take(along(x, -1, "sort"))(x, argsort(x))


def one_hot(index: Wire, n: int, dtype: str = "float32") -> Wire:
    """k ↦ e_k."""
    atom_of("one_hot", index)
    return _index.OneHot(checks.whole("the number of classes of one_hot", n), kind("the dtype of one_hot", dtype))(index)


def scatter_add(rows: int, index: Wire, values: Wire) -> Wire:
    """Add rows into zeros by number."""
    places, _ = atom_of("scatter_add", index, "index"), atom_of("scatter_add", values, "values")
    _index.integers("scatter_add", places)
    return _index.ScatterAdd(checks.whole("the rows of scatter_add", rows))(index, values)
