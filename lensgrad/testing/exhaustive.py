"""Circuits over finite semirings: every value is tried, and everything is exact."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np

from lensgrad.core.ty import Ty
from lensgrad.testing.calculus import Rules
from lensgrad.testing.case import Arrays, Facts, replaced
from lensgrad.testing.report import Broken, Skip
from lensgrad.testing.samples import carried
from lensgrad.theories.poly import circuit as z
from lensgrad.theories.poly.semiring import Semiring

LIMIT = 4096  # values tried at most

# Each generator on tuples of numbers, by the semiring's own tables.
TABLES: dict[type[Any], Callable[..., tuple[int, ...]]] = {
    z.Constant: lambda s, op: op.values.entries,
    z.Add: lambda s, op, x, y: tuple(map(s.add, x, y)),
    z.Mul: lambda s, op, x, y: tuple(map(s.mul, x, y)),
    z.Gather: lambda s, op, x: tuple(x[i] for i in op.table.entries),
    z.Scatter: lambda s, op, x: tuple(total(s, (v for i, v in zip(op.table.entries, x, strict=True) if i == j)) for j in range(op.size)),
}


def total(s: Semiring, values: Any) -> int:
    """Σ in a semiring."""
    result = s.zero
    for v in values:
        result = s.add(result, v)
    return result


def finite(facts: Facts) -> Semiring:
    """The semiring of a circuit; skip anything else."""
    atoms = [*facts.case.dom, *facts.f.cod]
    if not all(isinstance(a, z.Vector) for a in atoms):
        raise Skip("for circuits over a finite semiring")
    return atoms[0].semiring


def everything(ob: Ty) -> Iterator[Arrays]:
    """All values of an object."""
    size = int(np.prod([a.semiring.size**a.size for a in ob], dtype=np.int64))
    if size > LIMIT:
        raise Skip(f"{size} values are too many to try all")
    groups = [product(a.semiring.elements, repeat=a.size) for a in ob]
    for values in product(*groups):
        yield [carried(a, v) for a, v in zip(ob, values, strict=True)]


def by_tables(facts: Facts, _: Rules) -> str:
    """The meaning in NumPy is that of the semiring's own tables, on all inputs."""
    semiring = finite(facts)
    table, count = TABLES.get(type(facts.case.op)), 0
    if table is None:
        raise Skip("its meaning is not given by tables")
    for xs in everything(Ty(facts.case.dom)):
        wanted = table(semiring, facts.case.op, *(tuple(map(int, x)) for x in xs))
        exactly(f"at {xs}", facts.run(*xs), [np.array(wanted)])
        count += 1
    return f"all {count} inputs"


def exactly(where: str, found: Arrays, wanted: Arrays) -> None:
    if len(found) != len(wanted) or not all(np.array_equal(a, b) for a, b in zip(found, wanted, strict=True)):
        raise Broken(f"{where}: found {found}, wanted {wanted}")


def additive(facts: Facts, rules: Rules) -> str:
    """R(x, v + w) = R(x, v) + R(x, w), R(x, c v) = c R(x, v) and R(x, 0) = 0, for all x, v, w and c."""
    s = finite(facts)
    add, mul = np.frompyfunc(s.add, 2, 1), np.frompyfunc(s.mul, 2, 1)
    changes = facts.f.cod
    for xs in everything(Ty(facts.case.dom)):
        pulled = {key(v): rules.pull(xs, v) for v in everything(changes)}
        exactly("R(x, 0)", pulled[key([np.full(a.size, s.zero) for a in changes])], [np.full(a.size, s.zero) for a in facts.case.dom])
        for v, w in product(everything(changes), repeat=2):
            both = [add(a, b) for a, b in zip(v, w, strict=True)]
            exactly("R(x, v + w)", pulled[key(both)], [add(a, b) for a, b in zip(pulled[key(v)], pulled[key(w)], strict=True)])
        for c, v in product(s.elements, everything(changes)):
            exactly("R(x, cv)", pulled[key([mul(c, a) for a in v])], [mul(c, a) for a in pulled[key(v)]])
    return "on all values"


def key(xs: Arrays) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(map(int, x)) for x in xs)


def by_differences(facts: Facts, rules: Rules) -> str:
    """⟨R(x, v), e⟩ = ⟨v, f(x + e) − f(x)⟩ for all x, v and units e: exact for what is affine in each argument."""
    s = finite(facts)
    if s.negative is None or s.size != 2:
        raise Skip("differences need negatives")
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
