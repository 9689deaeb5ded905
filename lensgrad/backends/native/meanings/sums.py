"""Reductions: sums, products of arrays summed, largest entries and where they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lensgrad.backends.native.flat import TYPES, Call, Flat, Value
from lensgrad.backends.native.integers import Index, flat
from lensgrad.backends.native.nests import Bound, Reduction
from lensgrad.backends.native.scope import Here, Pulled, Scope, Where, Whole, literal
from lensgrad.backends.native.sparse import product
from lensgrad.core.diagram import Diagram
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.theories.smooth.array import Array
from lensgrad.theories.smooth.linear import Sum
from lensgrad.theories.smooth.pointwise import Compare, Exp, Log, Select
from lensgrad.theories.smooth.reduce import AMax, back

LOWEST = {"int32": "(-2147483647 - 1)", "uint32": "0u", "uint8": "0", "bool": "0"}


def put(index: Where, inner: Where, axes: Sequence[int]) -> Where:
    """The index of an argument: `inner` at the axes that are summed, `index` at the others."""
    own, summed, rank = iter(index), iter(inner), len(index) + len(inner)
    return tuple(next(summed) if a in axes else next(own) for a in range(rank))


def total(program: Flat, call: Call) -> Reduction:
    (x,) = program.dom(call)
    axes: tuple[int, ...] = call.op.axes

    def step(scope: Scope, sums: Sequence[str], index: Where, inner: Where) -> None:
        scope.lines.append(f"{sums[0]} += {scope.at(call.args[0], put(index, inner, axes))};")

    return Reduction(tuple(x.shape[a] for a in axes), ((TYPES[x.dtype], "0"),), step)


def largest(program: Flat, call: Call) -> Reduction:
    (x,) = program.dom(call)
    axes: tuple[int, ...] = call.op.axes

    def step(scope: Scope, found: Sequence[str], index: Where, inner: Where) -> None:
        text = scope.at(call.args[0], put(index, inner, axes))
        scope.lines.append(f"{found[0]} = larger({text}, {found[0]});")

    return Reduction(tuple(x.shape[a] for a in axes), ((TYPES[x.dtype], lowest(x)),), step)


def lowest(x: Value) -> str:
    return LOWEST.get(x.dtype) or literal(float("-inf"), x.dtype)


def argmax(program: Flat, call: Call) -> Reduction:
    """The first largest entry; NaN counts as largest, as in NumPy."""
    (x,) = program.dom(call)
    axis: int = call.op.axis

    def step(scope: Scope, found: Sequence[str], index: Where, inner: Where) -> None:
        text = scope.at(call.args[0], put(index, inner, (axis,)))
        best, where = found
        nan = f" || ({text} != {text} && {best} == {best})" if x.dtype in ("float32", "float64") else ""
        scope.lines.append(f"if ({text} > {best} || {where} < 0{nan}) {{ {best} = {text}; {where} = {inner[0]}; }}")

    return Reduction((x.shape[axis],), ((TYPES[x.dtype], lowest(x)), ("int32_t", "-1")), step, lambda found: found[1])


def letters(op: Any, dom: Sequence[Value]) -> tuple[list[str], str, dict[str, int]]:
    """The letters of each argument, of the result, and how long each axis is."""
    inputs, output = op.letters()
    return inputs, output, {s: n for word, a in zip(inputs, dom, strict=True) for s, n in zip(word, a.shape, strict=True)}


def contraction(op: Any, dom: Sequence[Value]) -> Any:
    """Einsum: entry by entry where nothing is summed, else a sum of products."""
    inputs, output, _ = letters(op, dom)
    return Pulled(outer, len(inputs) - 1, again=True) if set("".join(inputs)) <= set(output) else Whole(products)


def outer(here: Here) -> str:
    inputs, output = here.op.letters()
    place = dict(zip(output, here.index, strict=True))
    words = [here.arg(i, tuple(place[s] for s in word)) for i, word in enumerate(inputs)]
    return here.let(" * ".join(words)) if len(words) > 1 else words[0]


def products(_: Flat, __: Call) -> Bound:
    """A sum of products: by tiles where it is large, else entry by entry."""
    return Bound(lambda program, call: product(program, call) or summed_products(program.flat, call))


def summed_products(program: Flat, call: Call) -> Reduction:
    inputs, output, sizes = letters(call.op, program.dom(call))
    summed = [s for s in dict.fromkeys("".join(inputs)) if s not in output]

    def step(scope: Scope, sums: Sequence[str], index: Where, inner: Where) -> None:
        place = dict(zip([*output, *summed], [*index, *inner], strict=True))
        words = [scope.at(a, tuple(place[s] for s in word)) for a, word in zip(call.args, inputs, strict=True)]
        scope.lines.append(f"{sums[0]} += {' * '.join(words)};")

    return Reduction(tuple(sizes[s] for s in summed), ((TYPES[program.dom(call)[0].dtype], "0"),), step)


def log_sum_exp(op: Any, x: Array) -> Diagram:
    """ln Σ eˣ, the largest entry taken out first where it is finite."""
    return trace(lambda w: log_of_sum(w, op.axes)[0], Ty((x,)))


def log_softmax(op: Any, x: Array) -> Diagram:
    def body(w: Any) -> Any:
        _, top, sums = log_of_sum(w, (op.axis,))
        return w - back(top, w, (op.axis,)) - back(Log()(sums), w, (op.axis,))

    return trace(body, Ty((x,)))


def log_of_sum(w: Any, axes: tuple[int, ...]) -> tuple[Any, Any, Any]:
    """ln Σ eˣ, and the two that it is made of: the largest entry, or 0 where that is not finite, and the sum without it."""
    top = AMax(axes)(w)
    zero = top.atom.zero()
    top = Select()(Compare("==")(top - top, zero), top, zero)
    sums = Sum(axes)(Exp()(w - back(top, w, axes)))
    return Log()(sums) + top, top, sums


def place_of(index: Where, shape: Sequence[int]) -> Index:
    return flat(index, shape)
