"""Where on a way a gradient is lost or grows, and which step of a loop, and which generator in it, makes it so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lensgrad.program.loops import Inside
from lensgrad.program.taps import Numbers, Tapped
from lensgrad.theories.smooth.scan import Scan
from lensgrad.train.faults import Fault, finite, first_bad, no_gradient, not_finite, place


def size(x: Any) -> float:
    """The root of the mean square of an array; 0 for nothing."""
    if x is None or not np.size(x):
        return 0.0
    wide = np.abs(np.asarray(x, np.float64))
    most = float(wide.max())
    return most if most == 0 or not np.isfinite(most) else most * float(np.sqrt(np.mean(np.square(wide / most))))


def path(t: Tapped, at: list[int]) -> Iterator[tuple[int, set[int]]]:
    """The nodes between wires and the loss, in order, each with those of its arguments that lie on the way."""
    need, on = set(t.outs[: len(t.task.cod)]), set(at)
    for number in reversed(range(t.count)):
        if any(w in need for w in t.outputs(number)):
            need.update(t.nodes[number].args)
    for number in range(t.count):
        along = on & set(t.nodes[number].args)
        if along and any(w in need for w in t.outputs(number)):
            on.update(t.outputs(number))
            yield number, along


@dataclass(frozen=True)
class Stop:
    """A node on the way back, with the sizes of what arrives at it and of what leaves it on that way."""

    number: int
    arrives: float
    leaves: float
    along: set[int]

    @property
    def share(self) -> float:
        """How much of what arrives is left."""
        return self.leaves / self.arrives


def stops(numbers: Numbers, at: list[int], seeded: bool = True) -> list[Stop]:
    """The nodes between some wires and the loss at which something arrives that is finite, in the order of the program.

    `seeded` says that the loss sends something back, though what arrives there is not told.
    """
    t, found = numbers.tapped, list[Stop]()
    ends = t.outs[: len(t.task.cod)] if seeded else ()
    for number, along in path(t, at):
        arrives = max((size(numbers.cotangent(w)) for w in t.outputs(number)), default=0.0)
        arrives = 1.0 if arrives == 0 and any(w in ends for w in t.outputs(number)) else arrives
        if 0 < arrives < np.inf:
            found.append(Stop(number, arrives, max((size(numbers.cotangent(a)) for a in along), default=0.0), along))
    return found


def lost(way: Sequence[Stop]) -> Stop | None:
    """Where what comes back shrinks most; the last of equal ones."""
    return min(reversed(way), key=lambda s: s.share, default=None)


# -- in loops ----------------------------------------------------------------------------------------------------------


def stopped(loop: Inside, along: set[int]) -> Fault | None:
    """The step of a loop, counted from its end, and the generator in it, where what comes back is lost on the way to some arguments."""
    at = [i for i, a in enumerate(loop.node.args) if a in along]
    for step in reversed(loop.order):
        numbers = loop.at(step)
        arrives = max((size(numbers.at(w)) for w in range(len(loop.node.args), loop.tapped.inputs)), default=0.0)
        leaves = max((size(numbers.cotangent(i)) for i in range(len(loop.node.args))), default=0.0)
        found = lost(stops(numbers, [*range(len(loop.node.args))] if leaves == 0 else at, False)) if arrives > 0 else None
        if found is not None and found.leaves == 0:
            return within(loop, step, no_gradient(numbers, found.number, found.along))
    return None


def opened(numbers: Numbers, fault: Fault) -> Fault:
    """A fault at a loop as one at the generator in it that makes it so, in the step where it begins; any other as it is."""
    if fault.node is None:
        return fault
    t = numbers.tapped
    ahead = t.through.get(fault.node, fault.node)
    if not isinstance(t.nodes[ahead].op, Scan):
        return fault
    loop, back = Inside(numbers, ahead), fault.node in t.through
    for step in reversed(loop.order) if back else loop.order:
        inner = loop.at(step)
        wires = [inner.tapped.back[i] for i in range(len(loop.node.args)) if i in inner.tapped.back] if back else inner.tapped.outs
        bad = next((w for w in wires if not finite(inner.at(w))), None)
        number = None if bad is None else first_bad(inner, bad)
        if number is not None:
            found = opened(inner, not_finite(inner, number))
            return within(loop, step, replace(found, cause="exploding") if found.cause == "overflow" else found)
    return fault


def growing(numbers: Numbers, number: int) -> tuple[Inside, int, int, float] | None:
    """The step of a loop and the generator in it through which what comes back grows most, and how often."""
    loop, most = Inside(numbers, number), None
    for step in loop.order:
        inner = loop.at(step)
        for s in stops(inner, [*range(loop.op.carries)], False):
            if s.leaves < np.inf and (most is None or s.share > most[3]):
                most = loop, step, s.number, s.share
    return most


def within(loop: Inside, step: int, fault: Fault) -> Fault:
    """A fault in a step of a loop."""
    told = f"{fault.told}; this happens in step {step + 1} of {loop.op.n} of the loop in {place(loop.node)}"
    return replace(fault, told=told, within=fault.within or loop.at(step))


__all__ = ["Stop", "growing", "lost", "opened", "path", "size", "stopped", "stops", "within"]
