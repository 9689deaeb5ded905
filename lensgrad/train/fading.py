"""Why a gradient vanishes: one generator lets nothing through, or what comes back fades a little in each of many layers or steps."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from lensgrad.core.printed import counted
from lensgrad.program.loops import Inside
from lensgrad.program.taps import TASK, Numbers
from lensgrad.theories.smooth.linear import Reshape, Spread
from lensgrad.theories.smooth.scan import Scan
from lensgrad.train.faults import Fault, no_gradient, place
from lensgrad.train.insides import Stop, lost, size, stopped, stops

TINY = 1e-12  # the size of a gradient below which it counts as vanished
FAINT = 1e-9  # its share of the largest cotangent on the way, below which it does too
TOLD = 4  # places on the way whose sizes are told
GONE = 1e-12  # the share of what leaves the loss below which it has faded
ROUNDING = 16.0  # how many roundings a sum that is 0 may be away from it
ROUNDED = 4  # the bytes of a number from which a sum that is 0 can be told from one that is small
REMEDY = "use fewer of them, residual connections, layers that normalize, or first weights of another scale"


def faint(numbers: Numbers, at: list[int]) -> bool:
    """Whether next to nothing comes back to some wires, of itself or beside what has left the loss."""
    end = max((size(numbers.cotangent(w)) for w in at), default=0.0)
    return end < TINY or end < FAINT * max((s.arrives for s in stops(numbers, at)), default=0.0)


def vanished(numbers: Numbers, at: list[int]) -> Fault:
    """Where what comes back is lost: the generator from which on it is zero, or the way on which it fades."""
    way = stops(numbers, at)
    found = lost(way)
    if found is None:
        return Fault("solved", "task", "", "the loss sends nothing back: it is at its least for this batch")
    most, end = max(s.arrives for s in way), max((size(numbers.cotangent(w)) for w in at), default=0.0)
    if not alone(found.share, end / most) if found.leaves > 0 else found.arrives < GONE * most:
        return faded(numbers, way[::-1], end)
    loop = isinstance(numbers.tapped.nodes[found.number].op, Scan) and found.leaves == 0
    one = stopped(Inside(numbers, found.number), found.along) if loop else None
    return one or no_gradient(numbers, found.number, found.along, found.share)


def in_rows(numbers: Numbers, name: str, at: list[int]) -> Fault | None:
    """Of a weight with a row for each step of a loop, as `lg.repeat` has: what comes back fades from the last step to the first."""
    t = numbers.tapped
    for wire, i in ((w, i) for w in at for i in range(t.count) if w in t.nodes[i].args):
        op, g, around = t.nodes[i].op, numbers.cotangent(wire), place(t.nodes[i])
        if g is None or not isinstance(op, Scan) or t.nodes[i].args.index(wire) < op.carries + op.shared:
            continue
        sizes = [size(g[k]) for k in (reversed(range(op.n)) if op.backward else range(op.n))]
        if sizes[0] < FAINT * sizes[-1]:
            where = name.rpartition("/")[0] if around == TASK and "/" in name else around
            told = f"the gradient of '{name}' fades in the {op.n} steps of the loop in {where}: it is about"
            told += f" {sizes[-1]:.2g} at the last and {sizes[0]:.2g} at the first: {REMEDY}"
            return Fault("fading", where, op.name, told, i)
    return None


def balanced(numbers: Numbers, name: str, at: list[int]) -> Fault | None:
    """Of a weight that is added everywhere: what comes back from all places adds up to nothing but rounding."""
    t = numbers.tapped
    for wire in at:
        number, g = repeated(numbers, wire), numbers.cotangent(wire)
        back = None if number is None else numbers.cotangent(t.starts[number])
        if number is None or g is None or back is None or g.dtype.itemsize < ROUNDED:
            continue
        axes = getattr(t.nodes[number].op, "axes", ())
        whole = np.sum(np.abs(back), tuple(k for k in range(back.ndim) if k not in axes)).reshape(g.shape)
        if np.any(whole) and np.all(np.abs(g) <= ROUNDING * np.finfo(g.dtype).eps * whole):
            told = f"what comes back to '{name}' from all places adds up to 0, but for rounding: the loss is the same whatever it is"
            told += ", as with a bias in front of a batch normalization, or one of attention's keys"
            return Fault("no effect", place(t.nodes[number]), t.nodes[number].op.name, told, number)
    return None


def repeated(numbers: Numbers, wire: int) -> int | None:
    """The one node that repeats a wire along new axes, as it is or in another shape; None where it is read in another way."""
    t = numbers.tapped
    readers = [i for i in range(t.count) if wire in t.nodes[i].args]
    if len(readers) != 1 or not isinstance(t.nodes[readers[0]].op, Spread | Reshape):
        return None
    return readers[0] if isinstance(t.nodes[readers[0]].op, Spread) else repeated(numbers, t.starts[readers[0]])


def alone(left: float, gone: float) -> bool:
    """Whether one node that leaves so large a share makes most of a loss in all, counted in orders of magnitude."""
    return left * left <= gone


def faded(numbers: Numbers, way: Sequence[Stop], end: float) -> Fault:
    """What comes back becomes smaller in layer after layer: told with its size at some of them, and where it shrinks most."""
    layers = by_layer(numbers, way)
    names, sizes = [*layers], [*(ss[0].arrives for ss in layers.values()), end]
    enough = GONE * max(sizes)
    left = [after / before for before, after in pairwise(sizes)]
    most = min((k for k, share in enumerate(left) if share > 0 or sizes[k] > enough), key=left.__getitem__, default=0)
    here = [s for s in layers[names[most]] if s.leaves > 0 or s.arrives > enough]
    stop = min(here or layers[names[most]], key=lambda s: s.share)
    if alone(left[most], end / max(sizes)):
        return no_gradient(numbers, stop.number, stop.along, stop.share)
    node = numbers.tapped.nodes[stop.number]
    steps = f" in its {node.op.n} steps" if isinstance(node.op, Scan) else ""
    text = f"the gradient fades on its way back through {counted(len(names), 'layer')}: {sizes_at(names, sizes)}, and {end:.2g} at its end"
    text += f"; most of all in {names[most]}, where {left[most]:.2g} of it is left, through {node.op.name}{steps}"
    return Fault("fading", place(node), node.op.name, f"{text}: {REMEDY}", stop.number)


def by_layer(numbers: Numbers, way: Sequence[Stop]) -> dict[str, list[Stop]]:
    """The nodes of layers on the way, by layer: of the outermost ones, or of those in them where there are few."""
    nodes = numbers.tapped.nodes
    paths = [tuple(place(nodes[s.number]).split("/")) for s in way]
    deepest = max(map(len, paths))
    depth = next((d for d in range(1, deepest) if len({p[:d] for p in paths}) > TOLD), deepest)
    found = dict[str, list[Stop]]()
    for s, p in zip(way, paths, strict=True):
        found.setdefault("/".join(p[:depth]), []).append(s)
    return {n: ss for n, ss in found.items() if n != TASK} or found


def sizes_at(names: Sequence[str], sizes: Sequence[float]) -> str:
    """`0.03 at last, 2e-9 at first`: the sizes at some of the layers of a way, its ends among them."""
    some = sorted({k * (len(names) - 1) // (TOLD - 1) for k in range(TOLD)})
    return ", ".join(f"{sizes[k]:.2g} at {names[k]}" for k in some)


__all__ = ["TOLD", "balanced", "by_layer", "faint", "in_rows", "sizes_at", "vanished"]
