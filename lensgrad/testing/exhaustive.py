"""Circuits over semirings: every value is tried where they are few, random ones elsewhere, and everything is exact."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice, product
from typing import Any

import numpy as np

from lensgrad.core.ty import Ty
from lensgrad.testing.calculus import Rules
from lensgrad.testing.case import Arrays, Facts, replaced
from lensgrad.testing.report import Broken, Skip
from lensgrad.testing.samples import carried, natural
from lensgrad.theories.poly import circuit as z
from lensgrad.theories.poly.semiring import Semiring

LIMIT = 300  # values that are all tried
SOME = 40  # random values tried where there are more

# Each generator on arrays of numbers, by the semiring's own operations. Rows are apart.
Table = Callable[..., Any]  # (semiring, generator, arrays) ↦ the array of its values


def constant(s: Semiring, op: z.Constant) -> Any:
    return op.values.entries


def added(s: Semiring, op: z.Add, x: Any, y: Any) -> Any:
    return np.frompyfunc(s.add, 2, 1)(x, y)


def multiplied(s: Semiring, op: z.Mul, x: Any, y: Any) -> Any:
    return np.frompyfunc(s.mul, 2, 1)(x, y)


def gathered(s: Semiring, op: z.Gather, x: Any) -> Any:
    return np.array([[row[i] for i in op.table.entries] for row in np.atleast_2d(x)])


def scattered(s: Semiring, op: z.Scatter, x: Any) -> Any:
    return np.array([placed(s, op, row) for row in np.atleast_2d(x)])


def repeated(s: Semiring, op: z.Repeat, x: Any) -> Any:
    return np.array([x] * op.rows)


def collected(s: Semiring, op: z.Collect, x: Any) -> Any:
    return np.array([total(s, column) for column in x.T])


def counted(s: Semiring, op: z.Count, x: Any) -> Any:
    return np.array([sum(column) for column in x.T])


TABLES: dict[type[Any], Table] = {
    z.Constant: constant,
    z.Add: added,
    z.Mul: multiplied,
    z.Gather: gathered,
    z.Scatter: scattered,
    z.Repeat: repeated,
    z.Collect: collected,
    z.Count: counted,
}


def placed(s: Semiring, op: Any, row: Any) -> list[int]:
    """Entries added into their places."""
    return [total(s, (v for i, v in zip(op.table.entries, row, strict=True) if i == j)) for j in range(op.size)]


def total(s: Semiring, values: Any) -> int:
    """Σ in a semiring."""
    result = s.zero
    for v in values:
        result = s.add(result, v)
    return result


def ring(facts: Facts) -> Semiring:
    """The semiring of a circuit; skip anything else."""
    atoms = [*facts.case.dom, *facts.f.cod]
    if not all(isinstance(a, z.Vector) for a in atoms):
        raise Skip("for circuits over a semiring")
    return atoms[0].semiring


def everything(ob: Ty, most: int = SOME) -> Iterator[Arrays]:
    """All values of an object where they are few, else the same random ones every time."""
    size = 1
    for a in ob:
        size *= a.semiring.size**a.total if a.semiring.finite else LIMIT + 1
    if size > LIMIT:
        rng = np.random.Generator(np.random.PCG64(0))
        yield from ([natural(rng, a) for a in ob] for _ in range(most))
        return
    for values in product(*(product(a.semiring.elements, repeat=a.total) for a in ob)):
        yield [carried(a, v) for a, v in zip(ob, values, strict=True)]


def by_tables(facts: Facts, _: Rules) -> str:
    """The meaning in NumPy is that of the semiring's own operations, on all inputs."""
    semiring = ring(facts)
    table, count = TABLES.get(type(facts.case.op)), 0
    if table is None:
        raise Skip("its meaning is not given by tables")
    for xs in everything(Ty(facts.case.dom)):
        wanted = table(semiring, facts.case.op, *(x.astype(object) for x in xs))
        exactly(f"at {xs}", facts.run(*xs), [carried(facts.f.cod[0], wanted)])
        count += 1
    return f"{count} inputs"


def exactly(where: str, found: Arrays, wanted: Arrays) -> None:
    if len(found) != len(wanted) or not all(np.array_equal(a, b) for a, b in zip(found, wanted, strict=True)):
        raise Broken(f"{where}: found {found}, wanted {wanted}")


def additive(facts: Facts, rules: Rules) -> str:
    """R(x, v + w) = R(x, v) + R(x, w), R(x, c v) = c R(x, v) and R(x, 0) = 0, for all x, v, w and c, or for some of them."""
    s = ring(facts)
    if not any(map(len, (facts.case.dom, facts.moving))):
        raise Skip("no input has changes")
    add, mul = (object_wise(op) for op in (s.add, s.mul))
    changes, scalars = list(everything(facts.f.cod, 4)), s.elements[:6] if s.finite else [-2, 0, 3]
    for xs in everything(Ty(facts.case.dom), 6):
        exactly("R(x, 0)", rules.pull(xs, zeros(s, facts.f.cod)), zeros(s, Ty(facts.case.dom)))
        pulled = [rules.pull(xs, v) for v in changes]
        for i, j in islice(product(range(len(changes)), repeat=2), 64):
            exactly("R(x, v + w)", rules.pull(xs, add(changes[i], changes[j])), add(pulled[i], pulled[j]))
        for c, i in product(scalars, range(min(len(changes), 8))):
            exactly("R(x, cv)", rules.pull(xs, mul([c] * len(changes[i]), changes[i])), mul([c] * len(pulled[i]), pulled[i]))
    return "on all values, or on some where they are many"


def object_wise(op: Callable[[int, int], int]) -> Callable[[Arrays, Arrays], Arrays]:
    """An operation on whole numbers, array by array."""
    each = np.frompyfunc(lambda a, b: op(int(a), int(b)), 2, 1)
    return lambda xs, ys: [np.asarray(each(x, y)).astype(y.dtype) for x, y in zip(xs, ys, strict=True)]


def zeros(s: Semiring, ob: Ty) -> Arrays:
    return [carried(a, [s.zero] * a.total) for a in ob]


def by_differences(facts: Facts, rules: Rules) -> str:
    """⟨R(x, v), e⟩ = ⟨v, f(x + e) − f(x)⟩ for all x, v and units e: exact for what is affine in each argument."""
    s = ring(facts)
    if s.negative is None or s.size != 2:
        raise Skip("differences need negatives, and are between two values")
    if any(a.rows is not None for a in (*facts.case.dom, *facts.f.cod)):
        raise Skip("for one row")
    for xs, v in product(everything(Ty(facts.case.dom)), everything(facts.f.cod)):
        exactly(f"R at {xs}, {v} against differences", rules.pull(xs, v), [partials(facts, xs, v, i) for i in range(len(xs))])
    return "on all values"


def partials(facts: Facts, xs: Arrays, v: Arrays, place: int) -> Any:
    """⟨v, f(x + e_j) − f(x)⟩ over Z2, for each entry j of one input."""
    return np.array([parity(v, facts.run(*replaced(xs, [place], [flipped(xs[place], j)])), facts.run(*xs)) for j in range(len(xs[place]))])


def flipped(x: Any, j: int) -> Any:
    return x ^ (np.arange(len(x)) == j).astype(x.dtype)


def parity(v: Arrays, ahead: Arrays, behind: Arrays) -> int:
    return int(sum(np.sum(c & (a ^ b)) for c, a, b in zip(v, ahead, behind, strict=True))) % 2
