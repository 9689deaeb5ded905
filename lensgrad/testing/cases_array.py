"""Cases of the generators of Smooth that move, add up, order, read and draw entries."""

from __future__ import annotations

import numpy as np

from lensgrad.core.op import Table
from lensgrad.testing.case import Case
from lensgrad.testing.cases_pointwise import f, i, kink
from lensgrad.testing.samples import between, constant, fractional, normal, spaced, whole
from lensgrad.theories.smooth import array, index, linear, random, reduce
from lensgrad.theories.smooth.array import Array, Key

EINSUMS: list[tuple[str, tuple[Array, ...]]] = [
    ("ij,jk->ik", (f(2, 3), f(3, 4))),
    ("ij,kj->ki", (f(2, 3), f(4, 3))),
    ("ij,j->i", (f(2, 3), f(3))),
    ("i,i->", (f(4), f(4))),
    ("i,j->ji", (f(2), f(3))),
    ("bij,bjk->bik", (f(2, 3, 2), f(2, 2, 4))),
    ("ijk,jl->lki", (f(2, 3, 2), f(3, 2))),
    ("ij->ji", (f(2, 3),)),
    ("ijk->j", (f(2, 3, 2),)),
    ("ij->", (f(2, 3),)),
    ("ij,k->ik", (f(2, 3), f(2))),
    ("ij,kl->l", (f(2, 3), f(2, 1))),
    (",i->i", (f(), f(3))),
    ("ij,jk,kl->il", (f(2, 3), f(3, 2), f(2, 1))),
    ("i,ij,k->j", (f(2), f(2, 3), f(2))),
]

LINEAR: list[Case] = [
    *(
        Case(linear.Spread(s, axes), (a,))
        for s, axes, a in [((3,), (), f()), ((2, 3), (1,), f(3)), ((2, 3, 4), (0, 2), f(2, 4)), ((1, 3), (0,), f(1))]
    ),
    *(Case(linear.Sum(axes), (f(2, 3, 4),)) for axes in ((), (0,), (1,), (0, 2), (0, 1, 2))),
    *(Case(linear.Sum(axes), (a,)) for axes, a in (((), f()), ((0,), f(1)), ((1,), i(2, 3)))),
    *(Case(linear.Transpose(o), (a,)) for o, a in [((), f()), ((1, 0), f(2, 3)), ((1, 2, 0), f(2, 1, 4)), ((3, 1, 0, 2), f(2, 3, 1, 2))]),
    *(Case(linear.Reshape(s), (a,)) for s, a in [((), f(1, 1)), ((1,), f()), ((6,), f(2, 3)), ((3, 1, 4), f(2, 6)), ((2, 2), i(4))]),
    *(
        Case(linear.Slice(a, b, s), (x,))
        for a, b, s, x in [
            ((), (), (), f()),
            ((1,), (3,), (1,), f(5)),
            ((0, 1), (2, 6), (1, 2), f(2, 7)),
            ((1, 0, 2), (4, 1, 2), (3, 1, 1), f(5, 1, 3)),
            ((2,), (9,), (3,), f(10)),
            ((1, 2), (1, 4), (3, 2), f(4, 5)),
        ]
    ),
    *(
        Case(linear.Pad(a, b, c), (x,))
        for a, b, c, x in [
            ((), (), (), f()),
            ((1,), (2,), (0,), f(3)),
            ((0, 1), (0, 1), (0, 0), f(2, 3)),
            ((0, 2), (1, 0), (2, 1), f(2, 3)),
            ((1, 0, 0), (0, 0, 2), (0, 3, 1), f(2, 1, 3)),
            ((1,), (1,), (1,), i(3)),
        ]
    ),
    *(
        Case(linear.Concatenate(axis), dom, variadic=True)
        for axis, dom in [
            (0, (f(2), f(3))),
            (1, (f(2, 1), f(2, 3), f(2, 2))),
            (1, (f(2, 2, 1), f(2, 1, 1))),
            (0, (f(2),)),
            (0, (i(2), i(1))),
        ]
    ),
    *(Case(linear.Flip(axes), (f(2, 3, 2),)) for axes in ((), (1,), (0, 2))),
    *(Case(linear.CumulativeSum(axis, back), (a,)) for axis, a in ((0, f(4)), (1, f(2, 3, 2))) for back in (False, True)),
    Case(linear.CumulativeSum(0), (i(4),)),
    *(Case(linear.Einsum(spec), dom) for spec, dom in EINSUMS),
    *(
        Case(linear.AxisMean(), (a,), together=lambda ys: np.mean(ys, 0), without={"R of batch": SEES, "batch of R": SEES})
        for SEES in ("it is the one generator that sees the other examples",)
        for a in (f(), f(2, 3))
    ),
    *(Case(linear.BatchSize(), (a,), together=lambda ys: np.sum(ys, 0)) for a in (f(), f(2, 3))),
    *(Case(array.Full(v, a)) for v, a in [(1.5, f(2, 3)), (-1.0, f()), (3, i(2)), (True, i(2, dtype="bool")), (float("inf"), f(2))]),
]

ROUNDS = {"finite differences": "the result is rounded", "second order": "the result is rounded"}
CASTS: list[Case] = [
    Case(linear.Cast("float64"), (f(2, 3),)),
    Case(linear.Cast("float32"), (f(2, 3),), without={**ROUNDS, "linear": "the cotangent is rounded"}),
    Case(linear.Cast("float64"), (Array((4,), "float32"),), without={**ROUNDS, "linear": "the gradient is rounded"}),
    Case(linear.Cast("int32"), (f(5),), (fractional,), kinks=(kink([1.5, 2.0, 3.0, 4.0, 5.0], (), [0.0] * 5),)),
    *(Case(linear.Cast("int32"), (f(5),), (lambda _, a, v=v: np.full(5, v),)) for v in (-1e30, 3e9, np.inf, -np.inf, np.nan)),
    *(Case(linear.Cast(d), (f(6),), (between(-300, 5e9),)) for d in ("uint8", "uint32")),
    *(Case(linear.Cast("float64"), (i(4, dtype=d),)) for d in ("int32", "uint8", "uint32", "bool")),
    *(Case(linear.Cast(d), (i(4),), (whole(-3, 3),)) for d in ("uint8", "uint32", "bool", "float32", "bfloat16", "float16")),
    Case(linear.Cast("bool"), (f(4),), (whole(0, 2),)),
]

EVEN = kink([[1.0, 3.0], [3.0, 0.0], [2.0, 1.0]], [6.0, 4.0], [[0.0, 4.0], [6.0, 0.0], [0.0, 0.0]])
SHARED = kink([[3.0, 3.0], [3.0, 0.0], [3.0, 3.0]], [6.0, 4.0], [[2.0, 2.0], [2.0, 0.0], [2.0, 2.0]])

DIFFERENCES: tuple[str, ...] = ("jax.vjp", "finite differences", "linear", "second order", "R of batch", "batch of R")
INFINITE: dict[str, str] = {part: "entries are infinite, where there are no derivatives" for part in DIFFERENCES}

REDUCE: list[Case] = [
    *(Case(reduce.AMax(axes), (f(2, 3, 2),), (spaced(),)) for axes in ((), (1,), (0, 2), (0, 1, 2))),
    Case(reduce.AMax((0,)), (f(3, 2),), (spaced(),), (EVEN, SHARED)),
    Case(reduce.AMax((0,)), (i(3, 2),)),
    *(Case(reduce.LogSoftmax(axis), (f(2, 3, 2),), (v,)) for axis in (0, 1, 2) for v in (normal, between(-30, 30))),
    *(Case(reduce.LogSumExp(axes), (f(2, 3, 2),), (v,)) for axes in ((), (1,), (0, 2), (0, 1, 2)) for v in (normal, between(-30, 30))),
    Case(reduce.LogSumExp((1,)), (f(2, 3),), (between(800, 900),)),
    Case(reduce.LogSumExp((1,)), (f(2, 2),), (constant([[np.inf, 0.0], [-np.inf, 1.0]]),), without=INFINITE),
    Case(reduce.LogSoftmax(0), (f(2, 2),), (constant([[-np.inf, 1.0], [2.0, -np.inf]]),), without=INFINITE),
    *(Case(reduce.ArgMax(axis), (a,), (v,)) for axis, a in ((0, f(4)), (1, f(2, 5, 2)), (0, i(6))) for v in (spaced(), whole(0, 2))),
    Case(reduce.ArgMax(1), (f(4, 9),), (normal,)),
    *(Case(reduce.ArgSort(), (a,), (v,)) for a in (f(5), f(2, 4), i(2, 1, 5)) for v in (spaced(), whole(0, 3))),
]

ANY = whole(-1, 6)  # some outside of every axis
INDEX: list[Case] = [
    *(
        Case(index.Take(lead), (x, at), (normal, ANY))
        for lead, x, at in [
            (0, f(4, 3), i(5)),
            (0, f(4), i()),
            (0, f(4, 2, 1), i(2, 3)),
            (1, f(2, 4, 3), i(2, 3)),
            (1, f(2, 4), i(2)),
            (2, f(2, 1, 4), i(2, 1, 3)),
        ]
    ),
    Case(index.Take(0), (f(300), i(4, dtype="uint8")), (normal, whole(0, 256))),
    Case(index.Take(0), (f(300), i(4)), (normal, whole(-100, 400))),
    Case(index.Take(0), (f(4), i(4, dtype="uint8")), (normal, whole(0, 256))),
    Case(index.Take(0), (f(4), i(4, dtype="uint32")), (normal, whole(0, 2**32))),
    *(
        Case(index.ScatterAdd(rows, lead), (at, y), (ANY, normal))
        for rows, lead, at, y in [
            (4, 0, i(5), f(5, 3)),
            (4, 0, i(), f()),
            (3, 0, i(2, 3), f(2, 3, 2)),
            (4, 1, i(2, 3), f(2, 3, 2)),
            (4, 1, i(2), f(2)),
            (2, 2, i(2, 1, 3), f(2, 1, 3)),
        ]
    ),
    Case(index.ScatterAdd(300), (i(4, dtype="uint8"), f(4)), (whole(0, 256), normal)),
    *(Case(index.OneHot(4, d), (at,), (ANY,)) for d in ("float64", "float32") for at in (i(), i(2, 3))),
    Case(index.OneHot(300, "float64"), (i(3, dtype="uint8"),), (whole(0, 256),)),
    *(Case(index.Iota(n)) for n in (1, 4)),
    *(Case(index.Numbers(Table(t))) for t in ([], [3, -1, 3], [2, 4, 6])),
]

RANDOM: list[Case] = [
    *(Case(random.FoldIn(), (k, d), ()) for k, d in [(Key(), i()), (Key(), i(3)), (Key((2,)), i(2)), (Key((2,)), i(2, 3))]),
    *(Case(random.KeySpread(3, axis), (k,)) for axis, k in [(0, Key()), (0, Key((2,))), (1, Key((2,))), (1, Key((2, 4)))]),
    *(Case(random.KeyTranspose(o), (k,)) for o, k in [((), Key()), ((1, 0), Key((2, 3))), ((1, 2, 0), Key((2, 3, 1)))]),
    *(Case(random.RandomBits(s), (k,)) for s in ((), (3,), (2, 2)) for k in (Key(), Key((2,)), Key((2, 3)))),
]
