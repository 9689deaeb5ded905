"""What `+ - * @`, `x[i]`, `x.sum()` and the like mean on wires of arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeGuard

from lensgrad.core import checks
from lensgrad.core.checks import flag, is_number, is_whole
from lensgrad.core.errors import TypeMismatch, WireError
from lensgrad.core.graph import Index, Operand, Wire, atom_of
from lensgrad.core.op import Op
from lensgrad.theories.smooth import linear as _linear
from lensgrad.theories.smooth import pointwise as _p
from lensgrad.theories.smooth import reduce as _reduce
from lensgrad.theories.smooth.shape import Shaped, array, arrays, full, sizes


def infix(atom: Shaped, name: str, *args: Any) -> Any:
    """An operator of Python on wires of arrays; numbers become constants of the wire's own type."""
    if name in METHODS:
        return METHODS[name](*args)
    if name not in INFIX:
        raise WireError(f"a wire of type {atom} has no operation '{name}'{ELSEWHERE.get(name, '')}")
    wires = constants(atom, args)
    try:
        return INFIX[name](*wires)
    except WireError:
        for w in wires:
            atom_of(SIGNS[name], w)  # the sign that was written says more than the generator that it means
        raise


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


SIGNS = {
    "add": "'+'", "sub": "'-'", "mul": "'*'", "div": "'/'", "neg": "'-'", "and": "'&'", "or": "'|'", "not": "'~'",
    "greater": "'>'", "less": "'<'", "greater_equal": "'>='", "less_equal": "'<='", "equal": "'=='", "not_equal": "'!='",
}  # fmt: skip
ELSEWHERE = {"floordiv": ": write lg.ops.floor(x / y)", "mod": ": write lg.ops.remainder(x, y)"}


def lifted(atom: Shaped, args: Sequence[Any]) -> list[Wire]:
    """Python numbers as constants of type `atom`; wires and points as they are."""
    checks.instance("the type of constants", atom, Shaped, "an array's, such as a wire's .atom")
    if not isinstance(args, tuple | list):
        args = checks.listing("what becomes constants", args, "a list of numbers and wires")
    return constants(atom, args)


def constants(atom: Shaped, args: Sequence[Any]) -> list[Wire]:
    """The same, of what was checked before."""
    return [a if isinstance(a, Wire) or not (isinstance(a, bool) or is_number(a)) else full(a, atom) for a in args]


def common(*args: Operand) -> list[Wire]:
    """Wires with numbers among them, as wires of one type."""
    wires = [a for a in args if isinstance(a, Wire)]
    if not wires:
        raise WireError("at least one argument must be a wire; compute with plain numbers in Python")
    return lifted(wires[0].atom, args)


def pair(what: str, x: Operand, y: Operand) -> list[Wire]:
    """Two wires of one type, of which one may be given as a number."""
    arrays(what, *(w.atom for w in (x, y) if isinstance(w, Wire)))
    wires = common(x, y)
    for argument, w in zip("xy", wires, strict=True):
        atom_of(what, w, argument)
    return wires


MOST = 2**31 - 1  # the largest fixed power, which all backends read


def power(x: Operand, n: Any) -> Wire:
    """xⁿ for a fixed whole number n, else xʸ for x > 0."""
    if isinstance(x, Wire) and is_whole(n):
        return _p.IntegerPower(checks.whole("a fixed power of a wire", n, -MOST, MOST))(x)
    return _p.Power()(*pair("'**'", x, n))


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
    array("'@'", x)
    array("'@'", y)
    specs = {(2, 2): "ij,jk->ik", (2, 1): "ij,j->i", (1, 2): "i,ij->j", (1, 1): "i,i->"}
    if (x.atom.rank, y.atom.rank) not in specs:
        raise TypeMismatch(f"'@' expects vectors or matrices, got {x.atom} and {y.atom}: write einsum for more axes")
    return einsum(specs[x.atom.rank, y.atom.rank], x, y)


def reshape(x: Wire, *shape: int) -> Wire:
    """The same entries, row-major, in another shape, given by sizes or as one list; one -1 is computed."""
    atom, wanted = array("reshape", x), sizes(shape)
    if any(type(n) is not int or n < -1 for n in wanted) or wanted.count(-1) > 1:
        raise TypeMismatch(f"reshape must be to whole numbers ≥ 0, with -1 at most once for what is left, got {checks.shown(shape)}")
    if -1 in wanted:
        rest = -math.prod(wanted)
        wanted = tuple(atom.size // rest if n == -1 and rest else n for n in wanted)
    return x if atom.shape == wanted else _linear.Reshape(wanted)(x)


def transpose(x: Wire, *order: int) -> Wire:
    """Permute the axes, in an order given by numbers or as one list; reverse them when none is given."""
    atom, given = array("transpose", x), sizes(order)
    if not order:
        return _linear.Transpose(tuple(reversed(range(atom.rank))))(x)
    places = [a % atom.rank for a in given if type(a) is int and -atom.rank <= a < atom.rank]
    if sorted(places) != list(range(atom.rank)) or len(given) != atom.rank:
        wanted = f"an order of its axes, such as {tuple(reversed(range(atom.rank)))}"
        raise TypeMismatch(f"transpose by {checks.shown(order)} does not fit {atom}: give {wanted}")
    return _linear.Transpose(tuple(places))(x)


def over(x: Wire, axes: int | Sequence[int] | None, what: str = "over") -> tuple[int, ...]:
    """Axes as increasing non-negative numbers; all of them for None. `what` begins the error for others."""
    atom = array(what, x)
    return checks.axes(what, axes, atom.rank, atom)


def along(x: Wire, axis: int, what: str) -> int:
    """One axis as a non-negative number."""
    atom = array(what, x)
    return checks.axis(what, axis, atom.rank, atom)


def kept(x: Wire, y: Wire, axes: Sequence[int], keepdims: bool) -> Wire:
    """What x was reduced to over axes; with `keepdims` those axes are there, of length 1, so that `spread(y, x.shape)` repeats y over x."""
    if not flag("keepdims", keepdims):
        return y
    return reshape(y, *(1 if a in axes else n for a, n in enumerate(x.atom.shape)))


def sum_over(x: Wire, axes: int | Sequence[int] | None = None, keepdims: bool = False) -> Wire:
    """Sum over axes (all of them for None); with `keepdims` they stay, of length 1."""
    found = over(x, axes, "sum_over")
    return kept(x, _linear.Sum(found)(x) if found else x, found, keepdims)


def mean_over(x: Wire, axes: int | Sequence[int] | None = None, keepdims: bool = False) -> Wire:
    """Mean over axes (all of them for None); with `keepdims` they stay, of length 1."""
    found = over(x, axes, "mean_over")
    _reduce.filled("a mean", x.atom, found)
    return kept(x, sum_over(x, found) * (1.0 / math.prod(x.atom.shape[a] for a in found)) if found else x, found, keepdims)


def amax(x: Wire, axes: int | Sequence[int] | None = None, keepdims: bool = False) -> Wire:
    """Largest entry over axes (all of them for None); ties share the cotangent. With `keepdims` the axes stay, of length 1."""
    found = over(x, axes, "amax")
    return kept(x, _reduce.AMax(found)(x), found, keepdims)


def amin(x: Wire, axes: int | Sequence[int] | None = None, keepdims: bool = False) -> Wire:
    """Smallest entry over axes (all of them for None); ties share the cotangent. With `keepdims` the axes stay, of length 1."""
    found = over(x, axes, "amin")
    return -amax(-x, found, keepdims)


def fixed(item: Any) -> bool:
    """Whether something is a fixed number, or a slice of fixed numbers that goes forward."""
    if not is_slice(item):
        return is_whole(item)
    if is_whole(item.step) and item.step < 1:
        raise WireError("a slice of a wire goes forward; use flip to reverse an axis")
    return all(n is None or is_whole(n) for n in (item.start, item.stop, item.step))


def is_slice(item: Any) -> TypeGuard[slice[Any, Any, Any]]:
    """Whether something is a slice, of whatever."""
    return isinstance(item, slice)


def getitem(x: Wire, index: Index) -> Wire:
    """x[i], x[a:b:c] and tuples of them, with fixed numbers; `take` reads by integer wires."""
    items = index if isinstance(index, tuple) else (index,)
    shape = array("getitem", x).shape
    if len(items) > len(shape) or not all(map(fixed, items)):
        told = f"a wire of type {x.atom} must be indexed by whole numbers and slices, got {checks.shown(index)}"
        raise WireError(f"{told}; use take for indices on wires")
    bounds: list[tuple[int, int, int]] = []
    kept: list[int] = []
    for item, n in zip(items, shape, strict=False):
        if isinstance(item, slice):
            start, stop, step = item.indices(n)
            bounds.append((start, max(start, stop), step))
            kept.append(-(-(max(start, stop) - start) // step))
        else:
            item = int(item)
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
