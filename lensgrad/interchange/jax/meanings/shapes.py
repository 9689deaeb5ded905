"""Primitives that move entries, and products of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_letters

from lensgrad.core.graph import Wire
from lensgrad.interchange.dtypes import carried_dtype
from lensgrad.interchange.jax.step import Step, Table
from lensgrad.theories.smooth import linear, ops
from lensgrad.theories.smooth.array import Array, full


def broadcast(step: Step) -> Wire:
    """Axes to their places in a wider shape, those of size 1 repeated."""
    x, shape, places = step.wire(), tuple(step.params["shape"]), tuple(step.params["broadcast_dimensions"])
    kept = [k for k, n in enumerate(x.atom.shape) if n == shape[places[k]]]
    return ops.spread(ops.reshape(x, *(x.atom.shape[k] for k in kept)), shape, tuple(places[k] for k in kept))


def reshape(step: Step) -> Wire:
    if step.params.get("dimensions") is not None:
        raise step.refused("reads its axes in another order, which has no meaning here")
    return ops.reshape(step.wire(), *step.params["new_sizes"])


def squeeze(step: Step) -> Wire:
    x = step.wire()
    return ops.reshape(x, *(n for a, n in enumerate(x.atom.shape) if a not in step.params["dimensions"]))


def transpose(step: Step) -> Wire:
    return linear.Transpose(tuple(step.params["permutation"]))(step.wire())


def cut(step: Step) -> Wire:
    x = step.wire()
    steps = step.params["strides"] or (1,) * x.atom.rank
    return linear.Slice(tuple(step.params["start_indices"]), tuple(step.params["limit_indices"]), tuple(steps))(x)


def split(step: Step) -> list[Wire]:
    return list(ops.split(step.wire(), tuple(step.params["sizes"]), step.params["axis"]))


def pad(step: Step) -> Wire:
    """Around and between the entries; a negative number takes entries away."""
    return padded(step, step.wire(), step.params["padding_config"])


def padded(step: Step, x: Wire, config: Sequence[Sequence[int]]) -> Wire:
    """An array with the value of a step around it and between its entries, or 0 where it says none."""
    sides = [(int(low), int(high), int(gap)) for low, high, gap in config]
    value = step.wire(1) if len(step.values) > 1 and step.name == "pad" else None
    known = step.known(1) if value is not None else None
    wide = tuple(max(0, low) for low, _, _ in sides), tuple(max(0, high) for _, high, _ in sides), tuple(gap for _, _, gap in sides)
    made = linear.Pad(*wide)(x)
    if value is not None and (known is None or known.item() != 0):
        there = linear.Pad(*wide)(full(1.0, Array(x.atom.shape)))
        made = ops.select(there > 0.5, made, ops.spread(value, made.atom.shape, ()))
    starts = tuple(max(0, -low) for low, _, _ in sides)
    stops = tuple(n - max(0, -high) for n, (_, high, _) in zip(made.atom.shape, sides, strict=True))
    return made if not any(starts) and stops == made.atom.shape else linear.Slice(starts, stops, (1,) * len(starts))(made)


def joined(step: Step) -> Wire:
    return ops.concatenate(step.wires(), step.params["dimension"])


def stacked(step: Step) -> Wire:
    return ops.stack(step.wires(), step.params["axis"])


def product(step: Step) -> Wire:
    """Σ over the contracted axes; shared axes come first in the result, then those of x, then those of y."""
    x, y = step.wires()
    ((left, right), (one, two)) = step.params["dimension_numbers"]
    letters = iter(ascii_letters)
    a, b = ([""] * v.atom.rank for v in (x, y))
    shared: list[str] = []
    for pairs, common in ((zip(one, two, strict=True), True), (zip(left, right, strict=True), False)):
        for i, j in pairs:
            a[i] = b[j] = next(letters)
            shared += [a[i]] * common
    a, b = ([s or next(letters) for s in each] for each in (a, b))
    contracted = {a[i] for i in left}
    out = [*shared, *(s for s in [*a, *b] if s not in shared and s not in contracted)]
    dtype = step.params.get("preferred_element_type")
    made = ops.einsum(f"{''.join(a)},{''.join(b)}->{''.join(out)}", x, y)
    return made if dtype is None else ops.cast(made, carried_dtype("a product", str(dtype)))


TABLE: Table = {
    "broadcast_in_dim": broadcast,
    "reshape": reshape,
    "squeeze": squeeze,
    "expand_dims": reshape,
    "transpose": transpose,
    "slice": cut,
    "split": split,
    "pad": pad,
    "rev": lambda step: ops.flip(step.wire(), tuple(step.params["dimensions"])),
    "concatenate": joined,
    "tile": lambda step: ops.tile(step.wire(), tuple(step.params["reps"])),
    "stack": stacked,
    "dot_general": product,
}
