"""Cases of the generators of polynomial circuits: all of them over bits, a few over each other kind of machine arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lensgrad.core.diagram import Definition, Diagram
from lensgrad.core.op import Table
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.testing.case import Case
from lensgrad.theories.bridges import BruteForce, Image, Indicator, Values, real
from lensgrad.theories.poly.circuit import Add, Collect, Constant, Count, Gather, Mul, Repeat, Scatter, Vector, gather, scatter, total
from lensgrad.theories.poly.semiring import LOGIC, Z2, Semiring, Z, min_plus, modulo, saturating
from lensgrad.theories.smooth.array import Array


def bits(s: Semiring) -> Iterator[Case]:
    """Every generator over two elements."""
    yield from (Case(Constant(s, Table(v))) for v in ([], [1], [0, 1, 1]))
    yield from (Case(op, (Vector(s, n, rows),) * 2) for op in (Add(), Mul()) for n, rows in ((1, None), (2, None), (1, 2)))
    yield from (Case(Gather(Table(t)), (Vector(s, n),)) for t, n in (([0], 1), ([2, 0, 0], 3), ([1, 0], 2), ([], 2)))
    yield from (Case(Scatter(Table(t), n), (Vector(s, len(t)),)) for t, n in (([0], 1), ([1, 1, 3], 4), ([2, 0], 3), ([0, 0, 0], 1)))
    yield from (Case(op, (Vector(s, 2, 2),)) for op in (Gather(Table([1, 1, 0])), Scatter(Table([2, 2]), 3), Collect()))
    yield from (Case(Repeat(rows), (Vector(s, 2),)) for rows in (0, 1, 3))
    pair = Ty((Vector(s, 2),))
    yield Case(Definition("box", Diagram.id(pair), trace(lambda x: x.atom.constant(1), pair)), tuple(pair))


def numbers(s: Semiring) -> Iterator[Case]:
    """Every generator over more elements."""
    ops = Gather(Table([1, 1, 0])), Scatter(Table([2, 2]), 3), Repeat(2)
    yield Case(Constant(s, Table([0, 1, 1])))
    yield from (Case(op, (Vector(s, 2),) * 2) for op in (Add(), Mul()))
    yield from (Case(op, (Vector(s, 2),)) for op in ops)
    yield Case(Collect(), (Vector(s, 2, 3),))


def between(s: Semiring) -> Iterator[Case]:
    """From truth values and back to numbers."""
    yield from (Case(Indicator(s), (Array(shape, "bool"),)) for shape in ((3,), (2, 3)))
    yield from (Case(Values(d), (Vector(s, 3, rows),)) for d in ("bool", "float32") for rows in (None, 2))


def counts(s: Semiring) -> Iterator[Case]:
    """Sums over Z of rows."""
    without = {"additive": "it is no polynomial and has no reverse"}
    yield from (Case(Count(s), (Vector(s, n, rows),), without=without) for n, rows in ((2, 3), (1, 1), (3, 0)))


def images() -> Iterator[Case]:
    """Circuits over Z on real numbers: wiring with copies and with gaps, constants, products, and inputs that examples share."""
    wires = Ty((Vector(Z, 3),))

    def mixed(x: Any, y: Any) -> Any:
        left, right = gather(x, [2, 0, 0, 1]), scatter(y, [3, 1, 1], 4)
        return left * right - 2 * scatter(x, [0, 1, 2], 4) + 1, total(y * y)

    for f in (trace(mixed, wires, wires), trace(lambda x: gather(x, [2]), wires), trace(lambda x: x * x * x, wires)):
        yield Case(Image(f, "float64"), tuple(real(f.dom, "float64")))
    many = trace(lambda x: (Collect()(x * Repeat(2)(Collect()(x))), gather(x, [1, 1])), Ty((Vector(Z, 2, 2),)))
    yield Case(Image(many, "float64"), tuple(real(many.dom, "float64")))


def squared(x: Any, y: Any) -> Any:
    """A circuit whose Boolean difference is not its formal derivative."""
    return x * x + x * y


PAIR = [Ty((Vector(Z2, 3),))] * 2
OTHERS = (Z, modulo(3), modulo(4), modulo(256), modulo(2**33), modulo(1009), saturating(3), saturating(99), min_plus(4))
POLY: list[Case] = [
    *(case for s in (Z2, LOGIC) for case in bits(s)),
    *(case for s in OTHERS for case in numbers(s)),
    *(case for s in (Z2, saturating(3), Z) for case in counts(s)),
    *images(),
    *(case for s in (Z2, LOGIC, Z, modulo(3), min_plus(4)) for case in between(s)),
    Case(BruteForce(trace(squared, *PAIR)), tuple(PAIR[0] @ PAIR[1])),
]
