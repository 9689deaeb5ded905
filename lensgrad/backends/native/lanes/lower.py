"""Lowering: a circuit that works row by row becomes instructions on single elements, without a Python step for each of them.

A wire becomes the numbers of its elements, so that wiring (gather, scatter of one source) is renaming and makes no
instruction. A product that one sum reads is computed with it: `out = a × b + c` is one instruction over any semiring.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lensgrad.backends import numpy as numpy_backend
from lensgrad.backends.native.lanes.fuse import ADD, IN, MUL, OUT, PUT, SUM, arranged
from lensgrad.core.diagram import Diagram
from lensgrad.core.graph import Node
from lensgrad.core.op import Table
from lensgrad.core.ty import Ty
from lensgrad.theories.poly import circuit as z
from lensgrad.theories.poly.semiring import Z2, Semiring

Numbers = np.ndarray[Any, Any]
CHAIN = 16  # sources of a sum that are added one after the other; of more, pairs are added first
IDEMPOTENT = ("Z2", "OR/AND")  # where x × x = x


@dataclass(frozen=True)
class Program:
    """Instructions (dst, a, b, c) and their kinds. Operands below `shared` are numbers that all rows share, others elements.

    There are `elements` operands in all. The shared numbers are `constants`, then the inputs without rows, one after the
    other. `sums` says where the sums of each output without rows begin, None for one with rows; there are `total` sums.
    """

    kinds: Numbers
    code: Numbers
    shared: int
    elements: int
    constants: Numbers
    sums: tuple[int | None, ...]
    total: int


def lowered(body: Diagram, semiring: Semiring) -> Program:
    """The program of a body whose inputs without rows are only repeated, and whose outputs have rows or are sums of them."""
    made = Lowering(body, semiring)
    for node in body.nodes:
        made.node(node)
    return made.finished()


class Lowering:
    """The instructions so far, and the numbers of the elements of each wire."""

    def __init__(self, body: Diagram, semiring: Semiring) -> None:
        self.body, self.semiring = body, semiring
        self.known = known(body)
        values = [np.ravel(v).astype(np.int64) for v in self.known.values()]
        self.constants = np.unique(np.concatenate([np.array([semiring.zero, semiring.one], np.int64), *values]))
        self.zero, self.one = np.searchsorted(self.constants, [semiring.zero, semiring.one]).tolist()
        self.fresh = len(self.constants)
        self.steps: list[tuple[int, Numbers]] = []
        self.sums: dict[int, int] = {}
        self.total = 0
        self.wires: list[Any] = [None] * len(body.dom)
        for wire, atom in enumerate(body.dom):
            if atom.rows is None:
                self.wires[wire] = self.numbers(atom.size)
        self.shared = self.fresh
        rowed = [w for w, atom in enumerate(body.dom) if atom.rows is not None]
        for k, wire in enumerate(rowed):
            size = body.dom[wire].size
            self.wires[wire] = self.emit(IN, np.full(size, k), np.arange(size))

    def numbers(self, n: int) -> Numbers:
        self.fresh += n
        return np.arange(self.fresh - n, self.fresh, dtype=np.int32)

    def emit(self, kind: int, a: Numbers, b: Any = 0, c: Any = 0, dst: Numbers | None = None) -> Numbers:
        """One instruction for each entry; returns the elements that they define."""
        made = np.empty((len(a), 4), np.int32)
        made[:, 0] = self.numbers(len(a)) if dst is None else dst
        made[:, 1], made[:, 2], made[:, 3] = a, b, c
        self.steps.append((kind, made))
        return made[:, 0]

    def node(self, node: Node) -> None:
        args = [self.wires[a] for a in node.args]
        here = len(self.wires)
        if here in self.known:
            self.wires.append(np.searchsorted(self.constants, np.ravel(self.known[here])).astype(np.int32))
        elif isinstance(node.op, z.Collect | z.Count):
            self.wires.append(None)
            self.sums[here] = self.total
            todo = np.flatnonzero(args[0] != self.zero)
            self.emit(SUM, self.slots(args[0][todo]), dst=self.total + todo)
            self.total += len(args[0])
        else:
            self.wires.append(RULES[type(node.op)](self, node.op, *args))

    def add(self, x: Numbers, y: Numbers) -> Numbers:
        """x + y; nothing where one is 0, or where x is y modulo 2."""
        out = np.where(x == self.zero, y, x)
        todo = (x != self.zero) & (y != self.zero)
        if self.semiring == Z2:
            out, todo = np.where(todo & (x == y), self.zero, out), todo & (x != y)
        both = todo & (x < self.shared) & (y < self.shared)
        x = self.put(x, both)
        out[todo] = self.emit(ADD, x[todo], c=y[todo])
        return out.astype(np.int32)

    def mul(self, x: Numbers, y: Numbers) -> Numbers:
        """x × y; nothing where one is 0 or 1, or where x is y and x × x = x."""
        out = np.where(x == self.one, y, np.where((x == self.zero) | (y == self.zero), self.zero, x))
        todo = ~np.isin(x, (self.zero, self.one)) & ~np.isin(y, (self.zero, self.one))
        if self.semiring.name in IDEMPOTENT:
            todo &= x != y
        x = self.put(x, todo & (x < self.shared) & (y < self.shared))
        out[todo] = self.emit(MUL, x[todo], y[todo])
        return out.astype(np.int32)

    def put(self, x: Numbers, where: Numbers) -> Numbers:
        """x with the shared numbers at these places in elements of their own."""
        if where.any():
            x = x.copy()
            x[where] = self.emit(PUT, x[where])
        return x

    def slots(self, x: Numbers) -> Numbers:
        return self.put(x, x < self.shared)

    def scatter(self, op: z.Scatter, x: Numbers) -> Numbers:
        """Renaming where a place has one source, sums where it has more."""
        places = table(op.table)
        order = np.argsort(places, kind="stable")
        x, places = x[order], places[order]
        while True:
            rank = ranks(places)
            if rank.max(initial=0) < CHAIN:
                break
            second = rank % 2 == 1
            x = x.copy()
            x[np.flatnonzero(second) - 1] = self.add(x[np.flatnonzero(second) - 1], x[second])
            x, places = x[~second], places[~second]
        out = np.full(op.size, self.zero, np.int32)
        for k in range(int(rank.max(initial=-1)) + 1):
            here = rank == k
            out[places[here]] = x[here] if k == 0 else self.add(out[places[here]], x[here])
        return out

    def finished(self) -> Program:
        rowed = [w for w in self.body.outs if w not in self.sums]
        for k, wire in enumerate(rowed):
            x = self.slots(self.wires[wire])
            self.emit(OUT, x, np.arange(len(x)), dst=np.full(len(x), k))
        kinds, code, elements = arranged(self.steps, self.shared, self.fresh)
        sums = tuple(self.sums.get(w) for w in self.body.outs)
        return Program(kinds, code, self.shared, elements, self.constants, sums, self.total)


Rule = Callable[[Lowering, Any, Numbers], Numbers] | Callable[[Lowering, Any, Numbers, Numbers], Numbers]
RULES: dict[type[Any], Rule] = {
    z.Add: lambda made, op, x, y: made.add(x, y),
    z.Mul: lambda made, op, x, y: made.mul(x, y),
    z.Gather: lambda made, op, x: x[table(op.table)],
    z.Scatter: Lowering.scatter,
    z.Repeat: lambda made, op, x: x,
}


def known(body: Diagram) -> dict[int, Numbers]:
    """The wires that no input reaches, with their values."""
    values: dict[int, Numbers] = {}
    types: list[Any] = list(body.dom)
    for node in body.nodes:
        if all(a in values for a in node.args) and node.cod[0].rows is None:
            call = numpy_backend.function(Diagram.of(node.op, Ty(tuple(types[a] for a in node.args))))
            values[len(types)] = call(*(values[a] for a in node.args))[0]
        types += list(node.cod)
    return values


def table(t: Table) -> Numbers:
    return np.frombuffer(t.raw, "<i4")


def ranks(places: Numbers) -> Numbers:
    """Of each entry of a sorted array, how many equal ones stand before it."""
    starts = np.flatnonzero(np.diff(places, prepend=-1))
    return np.arange(len(places)) - np.repeat(starts, np.diff(starts, append=len(places)))
