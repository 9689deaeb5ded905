"""Softmax row by row: its numbers are read once, and those that a causal mask hides are not looked at one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lensgrad.backends.native.flat import TYPES, Call, Flat
from lensgrad.backends.native.integers import Atom, Index, of
from lensgrad.backends.native.meanings.sweeps import Entry, Swept, loops
from lensgrad.backends.native.nests import axes
from lensgrad.backends.native.pooling import Makers, origin, variables
from lensgrad.backends.native.printer import NOTE, PARALLEL, nested
from lensgrad.backends.native.scope import SHORT, Scope, Where, Whole, literal
from lensgrad.theories.smooth.array import Full
from lensgrad.theories.smooth.index import Iota
from lensgrad.theories.smooth.linear import Sum
from lensgrad.theories.smooth.pointwise import Compare, Exp, Log, Select, Sub
from lensgrad.theories.smooth.reduce import AMax

LONGEST = 4096  # entries of a row, which lies on the stack meanwhile
STEP = 16  # entries by which what a row sees is rounded up: whole vectors on every machine
LARGEST = {"f32": "0x1.fffffep127f", "f64": "0x1.fffffffffffffp1023"}


@dataclass
class Graph:
    """A program, and who makes and who reads what."""

    program: Flat

    def __post_init__(self) -> None:
        self.makers: Makers = {o: (c, k) for c in self.program.calls for k, o in enumerate(c.outs)}
        self.readers: dict[int, list[Call]] = {}
        for call in self.program.calls:
            for a in dict.fromkeys(call.args):
                self.readers.setdefault(a, []).append(call)

    def by(self, op: type[Any], wire: int) -> Call | None:
        """The call of this generator that makes a value, if that is how it is made."""
        call = self.makers[wire][0] if wire in self.makers else None
        return call if call is not None and isinstance(call.op, op) else None

    def spread(self, wire: int) -> int:
        """The value of one number a row that another one is spread from; −1 where it is not."""
        index = variables(self.program.values[wire].shape)
        at, place = origin(self.program, self.makers, wire, index)
        return at if place == index[:-1] else -1

    def number(self, wire: int) -> float | None:
        """The number that all entries are, where they are alike."""
        at, _ = origin(self.program, self.makers, wire, variables(self.program.values[wire].shape))
        full = self.by(Full, at)
        return None if full is None else float(full.op.value)


def softened(program: Flat) -> None:
    """Note for each e^(x − top − ln Σ e^(x − top)) along the last axis that it is computed row by row; leave out what it was made of."""
    graph = Graph(program)
    found = {call.outs[0]: x for call in program.calls if (x := softmax_of(graph, call)) is not None}
    if not found:
        return
    for out, x in found.items():
        program.special[out] = rows(causal(graph, x))
    calls = [Call(c.op, (found[c.outs[0]],), c.outs, c.path) if c.outs and c.outs[0] in found else c for c in program.calls]
    program.calls = needed(calls, program.outputs)


def rows(hidden: float | None) -> Whole:
    """Softmax row by row, of numbers that a causal mask makes `hidden`."""
    return Whole(lambda program, call: Softmax(program, call, hidden=hidden))


def needed(calls: Sequence[Call], outputs: Iterable[int]) -> list[Call]:
    """The calls without those whose values nobody reads."""
    read, found = {*outputs}, list[Call]()
    for call in reversed(calls):
        if read.intersection(call.outs):
            read.update(call.args)
            found.append(call)
    return found[::-1]


def softmax_of(graph: Graph, call: Call) -> int | None:
    """What a value is the softmax of along its last axis, where its logarithm is not asked for."""
    program = graph.program
    if not isinstance(call.op, Exp) or call.outs[0] in program.special:
        return None
    log = graph.by(Sub, call.args[0])
    shape = program.values[call.outs[0]].shape
    if log is None or log.outs[0] in program.outputs or len(graph.readers[log.outs[0]]) > 1 or not shape or shape[-1] > LONGEST:
        return None
    lower, total = graph.by(Sub, log.args[0]), graph.by(Log, graph.spread(log.args[1]))
    sums = graph.by(Sum, total.args[0]) if total is not None else None
    powers = graph.by(Exp, sums.args[0]) if sums is not None else None
    if lower is None or sums is None or powers is None or powers.args != lower.outs:
        return None
    x, last = lower.args[0], (len(shape) - 1,)
    top = largest(graph, graph.spread(lower.args[1]))
    alike = top is not None and top.args == (x,) and top.op.axes == sums.op.axes == last
    return x if alike else None


def largest(graph: Graph, wire: int) -> Call | None:
    """The largest entries that a value is where they are finite, 0 elsewhere."""
    chosen = graph.by(Select, wire)
    test = graph.by(Compare, chosen.args[0]) if chosen is not None else None
    rest = graph.by(Sub, test.args[0]) if test is not None else None
    if chosen is None or test is None or rest is None or test.op.relation != "==":
        return None
    found = graph.by(AMax, chosen.args[1])
    zeros = graph.number(chosen.args[2]) == graph.number(test.args[1]) == 0
    return found if zeros and rest.args == (chosen.args[1], chosen.args[1]) else None


def causal(graph: Graph, wire: int) -> float | None:
    """The number that a value is wherever its column is behind its row, where it is masked so."""
    chosen = graph.by(Select, wire)
    return graph.number(chosen.args[2]) if chosen is not None and triangular(graph, chosen.args[0]) else None


def triangular(graph: Graph, mask: int) -> bool:
    """Whether truth values say of the last two axes that the row is not before the column."""
    index = variables(graph.program.values[mask].shape)
    if len(index) < 2 or graph.program.values[mask].dtype != "bool":
        return False
    at, place = origin(graph.program, graph.makers, mask, index)
    test = graph.by(Compare, at)
    if test is None or test.op.relation not in (">=", "<="):
        return False
    sides = [origin(graph.program, graph.makers, a, place) for a in test.args]
    counted = all(graph.by(Iota, wire) for wire, _ in sides)
    rows, columns = (p for _, p in (sides if test.op.relation == ">=" else sides[::-1]))
    return counted and (rows, columns) == ((index[-2],), (index[-1],))


@dataclass(frozen=True, eq=False)
class Softmax(Swept):
    """e^(x − top) over the sum of that, along the last axis; `hidden` is what all entries of x behind the diagonal are, if one is known."""

    hidden: float | None = None

    def body(self, scope: Scope, entry: Entry) -> bool:
        *around, _ = axes(self.cod.shape)
        inside = scope.inside()
        inside.lines += self.row(inside, around, entry)
        outer = loops(around)
        parallel = self.cod.size >= PARALLEL and bool(outer)
        scope.lines += nested(outer, inside.lines, parallel, "")
        return parallel

    def row(self, scope: Scope, around: Sequence[Index], entry: Entry) -> list[str]:
        """The lines for one row: the largest entry, powers and their sum, then shares of it."""
        n, kind, t = self.cod.shape[-1], TYPES[self.cod.dtype], SHORT[self.cod.dtype]
        column = of(Atom("k", n))
        seen, some = self.seen(around)
        inside = scope.inside()
        x = inside.at(self.call.args[0], (*around, column))
        beyond: Where = (*around, column)
        far, most = self.hidden is not None, LARGEST[t]
        last = literal(self.hidden, self.cod.dtype) if self.hidden is not None else ""
        loop = f"for (int k = 0; k < {some}; k++) {{"
        return [
            *seen,
            f"{kind} row[{n}], sum = 0;",
            *[NOTE, loop, *inside.lines, f"row[k] = {x};", "}"],
            f"{kind} top = top_{t}(row, {some});",  # NaN is found by the sum
            *[f"if (seen < {n}) top = larger({last}, top);"] * far,
            # Below an infinite one all finite entries count as nothing.
            f"top = top == -INFINITY ? 0 : top < {most} ? top : {most};",
            *[NOTE, loop, f"const {kind} power = exp_{t}(row[k] - top);", "row[k] = power;", "sum += power;", "}"],
            *[f"const {kind} rest = exp_{t}({last} - top);", f"sum += seen < {n} ? ({n} - seen) * rest : 0;"] * far,
            f"const {kind} by = 1 / sum;",
            *[NOTE, loop, f"{entry(beyond)} = row[k] * by;", "}"],
            *[NOTE, f"for (int k = seen; k < {n}; k++) {entry(beyond)} = rest * by;"] * far,
        ]

    def seen(self, around: Sequence[Index]) -> tuple[list[str], str]:
        """How many entries of a row are looked at one by one."""
        n = self.cod.shape[-1]
        if self.hidden is None:
            return [], str(n)
        far = f"({around[-1]}) / {STEP} * {STEP} + {STEP}"
        return [f"const int far = {far}, seen = far < {n} ? far : {n};" if n % STEP else f"const int seen = {far};"], "seen"


__all__ = ["Graph", "causal", "softened", "triangular"]
