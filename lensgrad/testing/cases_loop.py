"""Cases of the generators of Smooth with windows, loops and bodies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lensgrad.core.diagram import Definition, Diagram, Recompute
from lensgrad.core.graph import OnWires, Wire
from lensgrad.core.op import Op
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.testing.case import Case
from lensgrad.testing.cases_pointwise import f, i
from lensgrad.testing.samples import normal, spaced, whole
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Key
from lensgrad.theories.smooth.conv import Convolve, Window, WindowArgMax
from lensgrad.theories.smooth.random import FoldIn
from lensgrad.theories.smooth.scan import Scan


def convolutions(window: Window, image: tuple[int, ...], size: tuple[int, ...], n: int, inner: int, outer: int) -> list[Case]:
    """The convolution and both of its adjoints, for `inner` and `outer` channels a group."""
    atoms = {
        "x": f(n, *image, inner * window.groups),
        "k": f(*size, inner, outer * window.groups),
        "y": f(n, *window.out(image, size), outer * window.groups),
    }
    ops = [Convolve(slot, window, image, size) for slot in "yxk"]
    return [Case(op, tuple(atoms[s] for s in op.args())) for op in ops]


WINDOWS: list[Case] = [
    *convolutions(Window((1,), (1,), ((0, 0),)), (4,), (2,), 2, 1, 1),
    *convolutions(Window((2,), (2,), ((1, 2),), 2), (5,), (2,), 1, 2, 1),
    *convolutions(Window((1,), (1,), ((1, 0),), 3), (4,), (3,), 2, 1, 2),
    *convolutions(Window((1, 2), (1, 1), ((0, 1), (1, 1))), (3, 4), (2, 2), 1, 2, 2),
    *convolutions(Window((2, 1), (1, 2), ((1, 1), (0, 2)), 2), (4, 3), (3, 2), 1, 1, 1),
    *convolutions(Window((1, 1, 2), (1, 2, 1), ((0, 0), (1, 1), (0, 0)), 2), (2, 3, 3), (1, 2, 2), 1, 1, 1),
    *(
        Case(WindowArgMax(window, size), (a,), (v,))
        for window, size, a in [
            (Window((1,), (1,), ((0, 0),)), (2,), f(2, 5, 1)),
            (Window((2, 1), (1, 1), ((1, 0), (0, 1))), (2, 2), f(1, 4, 3, 2)),
            (Window((1, 1), (2, 1), ((0, 0), (1, 1))), (2, 2), f(2, 4, 2, 1)),
            (Window((2,), (1,), ((1, 1),)), (3,), i(1, 6, 2)),
        ]
        for v in (spaced(-100.0), whole(-2, 0), normal)
    ),
]


def arrow(fn: OnWires, *atoms: Any) -> Diagram:
    return trace(fn, *(Ty((a,)) for a in atoms))


def recurrent(h: Wire, w: Wire, u: Wire, x: Wire) -> tuple[Wire, Wire]:
    """Two contractions with shared matrices, whose cotangents are contracted once after the loop."""
    new = ops.tanh(w @ h + u @ x)
    return new, new * new


def tokens(c: Wire, table: Wire, word: Wire) -> tuple[Wire, Wire]:
    """A shared table read by a stacked index, whose cotangent is summed in a carry."""
    return c * 0.5 + ops.take(table, word), ops.sin(c)


def counted(count: Wire, c: Wire, x: Wire) -> tuple[Wire, Wire, Wire]:
    """A carry without changes beside one with."""
    return count + 1, c + ops.cast(count, "float64") * x, c * x


def chained(a: Wire, b: Wire, x: Wire) -> tuple[Wire, Wire]:
    """An input that reaches the first carry at the second step only."""
    return ops.sin(b), b + x


def drawn(c: Wire, key: Wire, x: Wire) -> tuple[Wire, Wire]:
    """A draw from a shared key."""
    return c + x * ops.uniform(key, (), "float64"), c


RNN = arrow(recurrent, f(2), f(2, 2), f(2, 3), f(3))
BODIES: list[tuple[Diagram, int, int, int, tuple[Any, ...]]] = [
    (RNN, 3, 1, 2, (f(2), f(2, 2), f(2, 3), f(3, 3))),
    (arrow(lambda c, x: (c * x, c + x), f(2), f(2)), 3, 1, 0, (f(2), f(3, 2))),
    (arrow(lambda c, a: ops.sin(c * a), f(), f()), 4, 1, 1, (f(), f())),
    (arrow(tokens, f(2), f(4, 2), i()), 3, 1, 1, (f(2), f(4, 2), i(3))),
    (arrow(lambda w, x: w @ x, f(2, 3), f(3)), 2, 0, 1, (f(2, 3), f(2, 3))),
    (arrow(counted, i(), f(), f()), 3, 2, 0, (i(), f(), f(3))),
    (arrow(chained, f(), f(), f()), 3, 2, 0, (f(), f(), f(3))),
    (arrow(lambda c, x: c + x, f(1), f(1)), 1, 1, 0, (f(1), f(1, 1))),
    (arrow(lambda w, x: ops.einsum("ij->ji", w) @ x, f(2, 3), f(2)), 2, 0, 1, (f(2, 3), f(2, 2))),
    (arrow(lambda c, s, x: (c * x, s), f(), f(), f()), 2, 1, 1, (f(), f(), f(2))),
    (arrow(lambda a, c, x: (ops.sin(a), c * x, a * 2.0), f(2), f(2), f(2)), 3, 2, 0, (f(2), f(2), f(3, 2))),
    (arrow(lambda c, w, x: (w @ ops.tanh(w @ c) + x, ops.sin(w)), f(2), f(2, 2), f(2)), 3, 1, 1, (f(2), f(2, 2), f(3, 2))),
    (arrow(lambda key, n: FoldIn()(key, n), Key(), i()), 3, 1, 0, (Key(), i(3))),
]
DRAWN = arrow(drawn, f(), Key(), f())
BOXED_DRAW = arrow(lambda c, k, x: arrow(drawn, f(), Key(), f()).define("noise")(c, k, x), f(), Key(), f())
MANY_KEYS = arrow(lambda c, keys: c * ops.uniform(keys, (2,), "float64"), f(2, 2), Key((2,)))
KEYS = arrow(lambda c, key: c + ops.uniform(key, (2,), "float64"), f(2), Key())

LOOPS: list[Case] = [
    *(Case(Scan(body, n, c, s, back), dom) for body, n, c, s, dom in BODIES for back in (False, True)),
    Case(Scan(DRAWN, 2, 1, 1), (f(), Key(), f(2))),
    Case(Scan(BOXED_DRAW, 2, 1, 1), (f(), Key(), f(2))),
    Case(Scan(KEYS, 3, 1, 0), (f(2), Key((3,)))),
    Case(Scan(MANY_KEYS, 3, 1, 0), (f(2, 2), Key((3, 2)))),
]


def curved(x: Wire, y: Wire) -> tuple[Wire, Wire]:
    return ops.softmax(x * y) + ops.exp(x), y


def boxes(name: str) -> tuple[Callable[[Diagram], Op], ...]:
    """What an arrow is put into: a box that is computed again, and one with a name."""
    return Recompute, lambda body: Definition(name, body)


BODY = arrow(curved, f(3), f(3))
NOISE = arrow(lambda x, key: x * ops.uniform(key, (2,), "float64"), f(2), Key())
BOXES: list[Case] = [
    *(Case(make(BODY), (f(3), f(3))) for make in boxes("curved")),
    *(Case(make(arrow(ops.argsort, f(4))), (f(4),)) for make in boxes("order")),
    Case(Definition("noise", NOISE, arrow(lambda x, _: x, f(2), Key())), (f(2), Key())),
    *(Case(make(NOISE), (f(2), Key())) for make in boxes("noise")),
    Case(Recompute(arrow(lambda x, n: x * ops.cast(n, "float64"), f(2), i(2))), (f(2), i(2))),
]
