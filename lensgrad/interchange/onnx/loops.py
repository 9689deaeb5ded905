"""Loops: unrolled where the number of rounds is known, and one `Scan` of a body where there are many, or where the file says scan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lensgrad.cat.names import Role
from lensgrad.core.diagram import flatten
from lensgrad.core.graph import Wire
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.interchange.imported import Site
from lensgrad.interchange.onnx.call import Known, Unsupported
from lensgrad.interchange.onnx.control import inner
from lensgrad.interchange.onnx.scope import Held, Item, Met, Scope, Writing, single, wire_of
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import full
from lensgrad.theories.smooth.index import Iota, rotated
from lensgrad.theories.smooth.scan import scan as scanned

FIXED = "and shapes are fixed here: give the input a value by constants={…}"
MOST = 1000  # rounds that are unrolled


# -- rounds one after the other ----------------------------------------------------------------------------------------


def loop(writer: Writing, met: Met) -> Sequence[Item]:
    """Loop: so many rounds, as long as a condition holds; carries, and the results of the rounds stacked."""
    rounds, condition, *carries = [*met.inputs, None, None][: max(2, len(met.inputs))]
    if any(v is not None and not isinstance(v, Known) for v in (rounds, condition)):
        raise Unsupported(f"{met.what} has a number of rounds that is computed from data, {FIXED}")
    n = int(rounds.array.ravel()[0]) if isinstance(rounds, Known) else MOST + 1
    if n > MOST and isinstance(rounds, Known):
        return long(writer, met, n, carries)
    return short(writer, met, n, not isinstance(condition, Known) or bool(condition.array.all()), carries)


def body_of(met: Met) -> Any:
    """The graph in a loop."""
    return {a.name: a.g for a in met.node.attribute}["body"]


def short(writer: Writing, met: Met, n: int, going: bool, carries: list[Item]) -> list[Item]:
    """The rounds of a loop one after the other."""
    body, rows = body_of(met), list[list[Item]]()
    scans = len(body.output) - 1 - len(carries)
    while going and len(rows) < n:
        t = len(rows)
        if t == MOST:
            raise Unsupported(f"{met.what} does not end within {MOST} rounds, and more are not unrolled")
        given = [writer.constant(f"{met.name()}.{t}", np.array(v)) for v in (t, True)]
        held, *outs = inner(writer, met, body, [*given, *carries], f".{t}")
        going, carries = holds(met, held), outs[: len(carries)]
        rows.append(outs[len(carries) :])
    if scans and not rows:
        raise Unsupported(f"{met.what} has no rounds to stack, which has no meaning here")
    return [*carries, *(stacked(writer, met, len(carries) + k, [row[k] for row in rows]) for k in range(scans))]


def holds(met: Met, condition: Item) -> bool:
    """Whether a loop goes on."""
    if not isinstance(condition, Known):
        raise Unsupported(f"{met.what} ends by a condition that is computed from data, which has no meaning here: rounds are fixed")
    return bool(condition.array.all())


def stacked(writer: Writing, met: Met, k: int, values: list[Item]) -> Item:
    """The results of rounds along a new first axis."""
    known = [v.array for v in values if isinstance(v, Known) and not (isinstance(v, Held) and v.trained)]
    if len(known) == len(values):
        return writer.constant(met.name(k), np.stack(known))
    return ops.stack([wire_of(v, met.what) for v in values])


# -- rounds as one generator -------------------------------------------------------------------------------------------


@dataclass
class Passed:
    """What the body of a loop reads from outside: wires of the formula around it by name, and what they are inside."""

    outside: dict[str, Wire] = field(default_factory=dict[str, Wire])
    inside: dict[str, Wire] = field(default_factory=dict[str, Wire])

    def wire(self, name: str, outer: Callable[[], Wire]) -> Wire:
        """The wire inside; a constant of its type in the first writing, which learns what is read."""
        if name not in self.outside:
            self.outside[name] = outer()
        return self.inside[name] if name in self.inside else stand_in(self.outside[name].atom)


def stand_in(atom: Any) -> Wire:
    """Any closed wire of a type."""
    return full(False if atom.dtype == "bool" else 0, atom)


@dataclass
class Inside(Scope):
    """The scope of a body that is traced by itself: what is outside comes in as shared inputs."""

    passed: Passed = field(default_factory=Passed)

    def beyond(self, name: str, what: str) -> Item:
        value = single(super().beyond(name, what), what)
        if isinstance(value, Known):
            trained = isinstance(value, Held) and value.trained
            return Held(value.array, lambda: self.passed.wire(name, value.wire), trained)
        return None if value is None else self.passed.wire(name, lambda: value)


Arranged = Callable[[list[Wire], list[Wire]], list[Item]]  # the inputs of a body from carries and rows


def stepped(writer: Writing, met: Met, carries: list[Wire], rows: list[Wire], arranged: Arranged) -> tuple[list[Wire], list[Wire]]:
    """A body run along the first axis of rows: the last carries, and its other results stacked."""
    body, k = body_of(met), len(carries)

    def write(site: Site, passed: Passed, c: list[Wire], x: list[Wire]) -> list[Wire]:
        path = f"{met.scope.path}{met.node.op_type}.{met.index}/"
        scope = Inside(path, met.scope.versions, met.scope, stored=path, passed=passed)
        for v, value in zip(body.input, arranged(c, x), strict=True):
            scope.define(v.name, value)
        writer.at(site).graph(body, scope)
        outs = [scope.find(v.name, met.what) for v in body.output]
        if met.node.op_type == "Loop" and not holds(met, outs.pop(0)):
            raise Unsupported(f"{met.what} ends before its last round, which has no meaning here")
        return [wire_of(v, met.what) for v in outs]

    first, passed = Site(), Passed()
    objects = [Ty((w.atom,)) for w in carries] + [Ty((w.atom.with_shape(*w.atom.shape[1:]),)) for w in rows]

    def alone(*ws: Wire) -> tuple[Wire, ...]:
        return tuple(write(first, passed, [*ws[:k]], [*ws[k:]]))

    trace(alone, *objects)
    kept = [(writer.site.weight if a.role is Role.WEIGHT else writer.site.constant)(a.label, a.array) for a in first.asked.values()]

    def step(c: Any, x: Any, shared: Any) -> tuple[tuple[Wire, ...], tuple[Wire, ...]]:
        s = flatten([shared])
        within = Passed(dict(passed.outside), dict(zip(passed.outside, s[len(kept) :], strict=True)))
        found = write(Site(s[: len(kept)]), within, flatten([c]), flatten([x]))
        return tuple(found[:k]), tuple(found[k:])

    final, ys = scanned(step, tuple(carries), tuple(rows), (*kept, *passed.outside.values()))
    return flatten([final]), flatten([ys])


def long(writer: Writing, met: Met, n: int, carries: list[Item]) -> list[Item]:
    """A loop of many rounds, whose carries keep their types."""
    going = writer.constant(met.name(), np.array(True))
    final, ys = stepped(writer, met, [wire_of(v, met.what) for v in carries], [Iota(n)()], lambda c, x: [x[0], going, *c])
    return [*final, *ys]


def scan(writer: Writing, met: Met) -> list[Item]:
    """Scan: a body along axes of arrays."""
    call = writer.call(met)
    if call.version < 9:
        raise call.refused("of an operator set before 9 has no meaning here: convert the file to a newer one")
    wires, n = call.wires(), int(call.attribute("num_scan_inputs"))
    carries, given = wires[: len(wires) - n], wires[len(wires) - n :]
    axes, backward = call.attribute("scan_input_axes", [0] * n), call.attribute("scan_input_directions", [0] * n)
    rows = [turned(moved(x, axes[k], 0), backward[k]) for k, x in enumerate(given)]
    final, ys = stepped(writer, met, carries, rows, lambda c, x: [*c, *x])
    outs, back = call.attribute("scan_output_axes", [0] * len(ys)), call.attribute("scan_output_directions", [0] * len(ys))
    return [*final, *(moved(turned(y, back[k]), 0, outs[k]) for k, y in enumerate(ys))]


def moved(x: Wire, source: int, target: int) -> Wire:
    """One axis at another place."""
    rank = x.atom.rank
    return x if source % rank == target % rank else rotated(x, source % rank, target % rank)


def turned(x: Wire, backward: int) -> Wire:
    """The first axis backward where that is 1."""
    return ops.flip(x, 0) if backward else x


TABLE: dict[str, Callable[[Writing, Met], Sequence[Item]]] = {"Loop": loop, "Scan": scan}
