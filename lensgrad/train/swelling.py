"""Numbers that grow from layer to layer, or round a loop, on the way ahead or back, until they are huge or not finite."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import isfinite

import numpy as np

from lensgrad.program.taps import Numbers
from lensgrad.theories.smooth.scan import Scan
from lensgrad.train.fading import TOLD, by_layer, sizes_at
from lensgrad.train.faults import Fault, place
from lensgrad.train.insides import growing, size, stops

GROWN = 1e4  # how often larger than at first the numbers are from which it is said
REMEDY = "use smaller first weights, or layers that normalize"


def around(numbers: Numbers, number: int, told: str) -> Fault:
    """A loop in which what comes back grows: the step where it does most, and the generator in it."""
    node = numbers.tapped.nodes[number]
    steps = node.op.n if isinstance(node.op, Scan) else 1
    told += f" in its {steps} steps: make the weights that go round smaller, or clip the gradient"
    found = growing(numbers, number)
    if found is None:
        return Fault("exploding", place(node), node.op.name, told, number)
    loop, step, k, times = found
    inner = loop.tapped.nodes[k]
    told += f"; most of all in step {step + 1}, {times:.3g} times through {inner.op.name} in {place(inner)}"
    return Fault("exploding", place(inner), inner.op.name, told, k, loop.at(step))


def ahead(numbers: Numbers) -> Fault | None:
    """Layers whose numbers grow from one to the next, or the one loop in which they do; none where one layer alone makes most of it."""
    t = numbers.tapped
    outer = [b for b in t.boxes if len(b.path) == 1 and b.nodes]
    sizes = [largest(numbers, b.outs) for b in outer]
    last = next((k for k, s in enumerate(sizes) if not isfinite(s)), len(sizes))
    first = max(1.0, largest(numbers, [a for b in outer[:1] for a in b.ins]))
    held = [first, *sizes[:last]]
    if not last or held[-1] < GROWN * first:
        return None
    times = [after / max(before, 1e-30) for before, after in pairwise(held)]
    most = max(range(last), key=times.__getitem__)
    loop = next((i for i in outer[most].nodes if isinstance(t.nodes[i].op, Scan)), None)
    alone = times[most] ** 2 > held[-1] / first
    if loop is not None and alone:
        return around(numbers, loop, f"the numbers in {outer[most].name} grow {times[most]:.3g} times")
    if alone:
        return None
    where = sizes_at([b.name for b in outer[:last]], held[1:])
    told = f"the numbers grow from layer to layer: they are about {where}: {REMEDY}"
    return Fault("exploding", outer[most].name, "", told, outer[most].nodes[-1])


def back(numbers: Numbers, at: list[int], name: str, now: float) -> Fault | None:
    """Layers through which what comes back grows, where no single one makes most of it."""
    way = stops(numbers, at)[::-1]
    layers = by_layer(numbers, way) if way else {}
    sizes = [*(ss[0].arrives for ss in layers.values()), now]
    times = [after / before for before, after in pairwise(sizes)]
    if len(layers) < TOLD or max(times) ** 2 > now / sizes[0]:
        return None
    names = [*layers]
    most = max(range(len(names)), key=times.__getitem__)
    stop = max(layers[names[most]], key=lambda s: s.share)
    told = f"the gradient of '{name}' is about {now:.3g}, and grows on its way back through {len(names)} layers"
    told += f": {sizes_at(names, sizes)}"
    node = numbers.tapped.nodes[stop.number]
    return Fault("exploding", place(node), node.op.name, f"{told}: {REMEDY}, or clip the gradient", stop.number)


def largest(numbers: Numbers, wires: Sequence[int]) -> float:
    """The size of the largest of some arrays of floats."""
    found = [numbers.at(w) for w in wires]
    return max((size(x) if np.isfinite(x).all() else float("inf") for x in found if x.dtype.kind == "f"), default=0.0)


__all__ = ["ahead", "around", "back"]
