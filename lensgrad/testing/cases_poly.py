"""Cases of the generators of polynomial circuits, over both semirings."""

from __future__ import annotations

from lensgrad.core.op import Table
from lensgrad.testing.case import Case
from lensgrad.theories.poly.circuit import Add, Constant, Gather, Mul, Scatter, Vector
from lensgrad.theories.poly.semiring import LOGIC, Z2

POLY: list[Case] = [
    case
    for s in (Z2, LOGIC)
    for case in (
        *(Case(Constant(s, Table(v))) for v in ([], [1], [0, 1, 1])),
        *(Case(op, (Vector(s, n),) * 2) for op in (Add(), Mul()) for n in (1, 2)),
        *(Case(Gather(Table(t)), (Vector(s, n),)) for t, n in (([0], 1), ([2, 0, 0], 3), ([1, 0], 2), ([], 2))),
        *(Case(Scatter(Table(t), n), (Vector(s, len(t)),)) for t, n in (([0], 1), ([1, 1, 3], 4), ([2, 0], 3), ([0, 0, 0], 1))),
    )
]
