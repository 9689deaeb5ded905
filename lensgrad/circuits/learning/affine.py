"""Exact solutions of models that are affine in their weights over a field Z_p, by Gaussian elimination.

Whether a model is affine is read from its diagram: R[f] with respect to the weights must not read them. Then f(θ, x) = f(0, x) + A(x) θ
with A made of R, and every example is a row of linear equations.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lensgrad.backends import numpy as backend
from lensgrad.cat.names import Role
from lensgrad.cat.para import Para, parametrized
from lensgrad.cat.reverse import reverse
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.functor import unfold
from lensgrad.core.ty import Ty
from lensgrad.data.arrays import array as array_of
from lensgrad.program.values import Values, array
from lensgrad.theories.poly.circuit import Vector
from lensgrad.theories.poly.semiring import Semiring
from lensgrad.theories.smooth.batch import batch_all

Numbers = np.ndarray[Any, Any]


def solve(model: Para, data: Any) -> Values:
    """Weights θ with f(θ, x) = y for all rows (x, y), over Z_p with p prime, exactly.

    Where there are several, the weights that come later in the model are 0 wherever they may be: of an algebraic normal form, those of
    high degree. Raises `BadValue` for a model that is not affine in its weights, and for rows that no weights fit.
    """
    model = parametrized("the model to solve", model)
    still = [name for name, p in zip(model.names, model.params, strict=True) if p.role is not Role.WEIGHT]
    if still:
        raise BadValue(f"'{still[0]}' is no weight, so it is not solved for: give the model its value first, or thaw it")
    field = field_of(model)
    arrow, ports = unfold(model.arrow), [p.ob for p in model.params]
    n, (x, y) = len(ports), pair(data)
    back = reverse(arrow, [i < n for i in range(len(arrow.dom))], [True])
    if affine(back, n) is False:
        raise BadValue(
            "this model is not affine in its weights: R of it with respect to them reads them, so no linear system gives them; "
            "learn it by flips instead, as lifted_flip or gain"
        )
    x, y = rows(model.dom, "x", x), rows(model.cod, "y", y)
    matrix, start = equations(arrow, back, ports, x, field)
    found = eliminated(matrix, difference(y, start, field).reshape(-1), field)
    ends = np.cumsum([0, *(p[0].size for p in ports)])
    return {name: found[a:b] for name, a, b in zip(model.names, ends[:-1], ends[1:], strict=True)}


def field_of(model: Para) -> Semiring:
    """The field that a model is over: all its wires are vectors over one Z_p."""
    objects = [*(p.ob for p in model.params), model.dom, model.cod]
    atoms = [a for ob in objects for a in ob]
    rings = {a.semiring if isinstance(a, Vector) else a for a in atoms}
    one = next(iter(rings))
    if len(rings) > 1 or not isinstance(one, Semiring) or any(len(ob) != 1 for ob in objects) or not model.params:
        raise TypeMismatch(f"a linear system needs a model of vectors over one field, with weights, got {model!r}")
    if one.rule != "mod" or not prime(one.size):
        raise BadValue(f"{one} is no field, so equations over it cannot be solved by elimination: use modulo(p) with p prime")
    return one


def prime(n: int) -> bool:
    return 2 <= n < 2**31 and all(n % d for d in range(2, int(n**0.5) + 1))


def affine(back: Diagram, weights: int) -> bool:
    """Whether R with respect to the weights, its first inputs, reads none of them."""
    used = {a for node in back.nodes for a in node.args} | set(back.outs)
    return used.isdisjoint(range(weights))


def pair(data: Any) -> tuple[Numbers, Numbers]:
    """Inputs and labels, one row or more of each, and as many of one as of the other."""
    parts = several(data)
    if parts is None or len(parts) != 2:
        told = "" if parts is None else f" of {len(parts)}"
        raise BadValue(f"rows must be given as a pair (x, y) of inputs and labels, got {type(data).__name__}{told}")
    x, y = array_of(parts[0], "x"), array_of(parts[1], "y")
    if not x.ndim or not y.ndim:
        raise BadValue(f"'{'y' if x.ndim else 'x'}' is one number, and a pair (x, y) has a row for each example")
    if len(x) != len(y):
        raise BadValue(f"{len(x)} inputs and {len(y)} labels are no rows: give a label for each input")
    if not len(x):
        raise BadValue("the pair (x, y) has no rows, so any weights fit it: give one or more")
    return x, y


def several(data: Any) -> list[Any] | None:
    """What is in a tuple or a list, None of anything else."""
    return [*data] if isinstance(data, tuple | list) else None


def rows(ob: Ty, name: str, given: Any) -> Numbers:
    """Rows of elements, checked."""
    table = np.asarray(given)
    table = table[:, None] if table.ndim == 1 and ob[0].size == 1 else table
    return array(name, ob[0].stacked(len(table)), table)


def equations(arrow: Diagram, back: Diagram, ports: list[Ty], x: Numbers, field: Semiring) -> tuple[Numbers, Numbers]:
    """A as one row for each result of each example, and f(0, x)."""
    n, outs = len(x), arrow.cod[0].size
    zeros = [np.zeros(p[0].size, x.dtype) for p in ports]
    data = [i >= len(ports) for i in range(len(arrow.dom))]
    (start,) = backend.function(batch_all(arrow, n, data))(*zeros, x)
    pull, whole = backend.function(batch_all(back, n, [*data, True])), list[Numbers]()
    for k in range(outs):
        unit = np.zeros((n, outs), x.dtype)
        unit[:, k] = 1
        whole.append(np.concatenate(pull(*zeros, x, unit), 1))
    return np.stack(whole, 1).reshape(n * outs, -1), start


def difference(y: Numbers, start: Numbers, field: Semiring) -> Numbers:
    """y − f(0, x)."""
    return (y.astype(np.int64) - start.astype(np.int64)) % field.size


# -- elimination -------------------------------------------------------------------------------------------------------


def eliminated(matrix: Numbers, right: Numbers, field: Semiring) -> Numbers:
    """A solution of A θ = b with free unknowns 0: pivots are found column by column, from the left."""
    if field.size == 2:
        return by_words(matrix, right)
    left, p = np.concatenate([matrix, right[:, None]], 1).astype(np.int64), field.size
    origin, pivots = np.arange(len(left)), list[int]()
    for column in range(left.shape[1] - 1):
        below = np.flatnonzero(left[len(pivots) :, column])
        if not len(below):
            continue
        k, other = len(pivots), len(pivots) + below[0]
        left[[k, other]], origin[[k, other]] = left[[other, k]], origin[[other, k]]
        left[k] = left[k] * pow(int(left[k, column]), -1, p) % p
        factors = left[:, column].copy()
        factors[k] = 0
        left = (left - factors[:, None] * left[k]) % p
        pivots.append(column)
    return solution(left[:, -1], pivots, origin, matrix.shape[1])


def by_words(matrix: Numbers, right: Numbers) -> Numbers:
    """The same over Z2, 64 columns a word."""
    size = matrix.shape[1]
    table = np.zeros((len(matrix), (size // 64 + 1) * 64), np.uint8)
    table[:, :size], table[:, size] = matrix, right
    left = np.packbits(table, axis=1, bitorder="little").view("<u8")
    origin, pivots = np.arange(len(left)), list[int]()
    for column in range(size):
        bits = left[:, column // 64] >> np.uint64(column % 64) & np.uint64(1)
        below = np.flatnonzero(bits[len(pivots) :])
        if not len(below):
            continue
        k, other = len(pivots), len(pivots) + below[0]
        left[[k, other]], origin[[k, other]], bits[[k, other]] = left[[other, k]], origin[[other, k]], bits[[other, k]]
        bits[k] = 0
        left[bits.astype(bool)] ^= left[k]
        pivots.append(column)
    last = left[:, size // 64] >> np.uint64(size % 64) & np.uint64(1)
    return solution(last.astype(np.uint8), pivots, origin, size)


def solution(right: Numbers, pivots: list[int], origin: Numbers, size: int) -> Numbers:
    """The unknowns of a reduced system; an error where a row says 0 = 1."""
    wrong = np.flatnonzero(right[len(pivots) :])
    if len(wrong):
        raise BadValue(
            f"no weights fit all {len(right)} equations: {len(wrong)} of them contradict the others, the first that of row "
            f"{origin[len(pivots) + wrong[0]]}; use a model of more weights (a higher degree), or, where labels are noisy, gain"
        )
    found = np.zeros(size, right.dtype)
    found[pivots] = right[: len(pivots)]
    return found
