"""What `+ - * @`, `x[i]`, `x.sum()` and the like mean on wires of arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from lensgrad.core.checks import flag, is_number, is_whole
from lensgrad.core.errors import TypeMismatch, WireError
from lensgrad.core.graph import Index, Operand, Wire, together
from lensgrad.core.op import Op
from lensgrad.theories.smooth import linear as _linear
from lensgrad.theories.smooth import pointwise as _p
from lensgrad.theories.smooth import reduce as _reduce
from lensgrad.theories.smooth.shape import Shaped, full


def infix(atom: Shaped, name: str, *args: Any) -> Any:
    """An operator of Python on wires of arrays; numbers become constants of the wire's own type."""
    if name in METHODS:
        return METHODS[name](*args)
    if name not in INFIX:
        raise WireError(f"a wire of type {atom} has no operation '{name}'")
    return INFIX[name](*lifted(atom, args))


INFIX: dict[str, Op] = {
    "add": _p.Add(),
    "sub": _p.Sub(),
    "mul": _p.Mul(),
    "div": _p.Div(),
    "neg": _p.Neg(),
    "greater": _p.Compare(">"),
    "less": _p.Compare("<"),
    "greater_equal": _p.Compare(">="),
    "less_equal": _p.Compare("<="),
    "equal": _p.Compare("=="),
    "not_equal": _p.Compare("!="),
    "and": _p.And(),
    "or": _p.Or(),
    "not": _p.Not(),
}


def lifted(atom: Shaped, args: Sequence[Any]) -> list[Wire]:
    """Python numbers as constants of type `atom`; wires and points as they are."""
    return [a if isinstance(a, Wire) or not (isinstance(a, bool) or is_number(a)) else full(a, atom) for a in args]


def common(*args: Operand) -> list[Wire]:
    """Wires with numbers among them, as wires of one type."""
    wires = [a for a in args if isinstance(a, Wire)]
    if not wires:
        raise WireError("at least one argument must be a wire; compute with plain numbers in Python")
    return lifted(wires[0].atom, args)


def power(x: Operand, n: Any) -> Wire:
    """xⁿ for a fixed whole number n, else xʸ for x > 0."""
    return _p.IntegerPower(int(n))(x) if isinstance(x, Wire) and is_whole(n) else _p.Power()(*common(x, n))


def length(x: Wire) -> int:
    """The size of the first axis."""
    if not x.atom.rank:
        raise WireError(f"a wire of type {x.atom} has no length")
    return x.atom.shape[0]


def einsum(spec: str, *xs: Wire) -> Wire:
    """Σ of products in index notation, as `ij,j->i`."""
    return _linear.Einsum(spec)(*xs)


def matmul(x: Wire, y: Wire) -> Wire:
    """x @ y for vectors and matrices."""
    together((x, y), "'@'")
    specs = {(2, 2): "ij,jk->ik", (2, 1): "ij,j->i", (1, 2): "i,ij->j", (1, 1): "i,i->"}
    if (x.atom.rank, y.atom.rank) not in specs:
        raise TypeMismatch(f"'@' expects vectors or matrices, got {x.atom} and {y.atom}: write einsum for more axes")
    return einsum(specs[x.atom.rank, y.atom.rank], x, y)


def reshape(x: Wire, *shape: int) -> Wire:
    """The same entries, row-major, in another shape; one -1 is computed."""
    if -1 in shape:
        rest = -math.prod(shape)
        shape = tuple(x.atom.size // rest if n == -1 and rest else n for n in shape)
    return x if x.atom.shape == shape else _linear.Reshape(shape)(x)


def transpose(x: Wire, *order: int) -> Wire:
    """Permute the axes; reverse them when no order is given."""
    return _linear.Transpose(order or tuple(reversed(range(x.atom.rank))))(x)


def over(x: Wire, axes: int | Sequence[int] | None) -> tuple[int, ...]:
    """Axes as increasing non-negative numbers; all of them for None."""
    if axes is None:
        return tuple(range(x.atom.rank))
    listed = (axes,) if isinstance(axes, int) else tuple(axes)
    return tuple(sorted(a % x.atom.rank if -x.atom.rank <= a < x.atom.rank else a for a in listed))


def kept(x: Wire, y: Wire, axes: Sequence[int], keepdims: bool) -> Wire:
    """What x was reduced to over axes; with `keepdims` those axes are there, of length 1, so that `spread(y, x.shape)` repeats y over x."""
    if not flag("keepdims", keepdims):
        return y
    return reshape(y, *(1 if a in axes else n for a, n in enumerate(x.atom.shape)))


def sum_over(x: Wire, axes: int | Sequence[int] | None = None, keepdims: bool = False) -> Wire:
    """Sum over axes (all of them for None); with `keepdims` they stay, of length 1."""
    found = over(x, axes)
    return kept(x, _linear.Sum(found)(x) if found else x, found, keepdims)


def mean_over(x: Wire, axes: int | Sequence[int] | None = None, keepdims: bool = False) -> Wire:
    """Mean over axes (all of them for None); with `keepdims` they stay, of length 1."""
    found = over(x, axes)
    _reduce.filled("a mean", x.atom, found)
    return kept(x, sum_over(x, found) * (1.0 / math.prod(x.atom.shape[a] for a in found)) if found else x, found, keepdims)


def amax(x: Wire, axes: int | Sequence[int] | None = None, keepdims: bool = False) -> Wire:
    """Largest entry over axes (all of them for None); ties share the cotangent. With `keepdims` the axes stay, of length 1."""
    found = over(x, axes)
    return kept(x, _reduce.AMax(found)(x), found, keepdims)


def amin(x: Wire, axes: int | Sequence[int] | None = None, keepdims: bool = False) -> Wire:
    """Smallest entry over axes (all of them for None); ties share the cotangent. With `keepdims` the axes stay, of length 1."""
    return -amax(-x, axes, keepdims)


def getitem(x: Wire, index: Index) -> Wire:
    """x[i], x[a:b:c] and tuples of them, with fixed numbers; `take` reads by integer wires."""
    items = index if isinstance(index, tuple) else (index,)
    shape = x.atom.shape
    if len(items) > len(shape) or not all(type(i) is int or isinstance(i, slice) for i in items):
        raise WireError(
            f"a wire of type {x.atom} must be indexed by whole numbers and slices, got {index!r}; use take for indices on wires"
        )
    bounds: list[tuple[int, int, int]] = []
    kept: list[int] = []
    for item, n in zip(items, shape, strict=False):
        if isinstance(item, slice):
            start, stop, step = item.indices(n)
            if step < 1:
                raise WireError("a slice of a wire goes forward; use flip to reverse an axis")
            bounds.append((start, max(start, stop), step))
            kept.append(-(-(max(start, stop) - start) // step))
        else:
            if not -n <= item < n:
                raise WireError(f"index {item} is outside an axis of {n} in {x.atom}")
            bounds.append((item % n, item % n + 1, 1))
    bounds += [(0, n, 1) for n in shape[len(items) :]]
    start, stop, step = zip(*bounds, strict=True)
    return reshape(_linear.Slice(start, stop, step)(x), *kept, *shape[len(items) :])


def shape_of(x: Wire) -> tuple[int, ...]:
    return x.atom.shape


def dtype_of(x: Wire) -> str:
    return x.atom.dtype


METHODS: dict[str, Callable[..., Any]] = {  # what a wire offers beside operators
    "abs": _p.Abs(),
    "dtype": dtype_of,
    "getitem": getitem,
    "len": length,
    "matmul": matmul,
    "max": amax,
    "mean": mean_over,
    "min": amin,
    "power": power,
    "reshape": reshape,
    "shape": shape_of,
    "sum": sum_over,
    "transpose": transpose,
}
