"""In which order the axes of arrays lie, where that is not row-major: as convolutions of few channels read and write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lensgrad.backends.native.nests import Group, Nest, Program, view
from lensgrad.backends.native.places import EXAMPLES, Layout, laid_out
from lensgrad.theories.smooth.conv import WindowArgMax

FEW = 16  # channels; more of them lie side by side, where others than convolutions by planes find them as vectors


def layouts(program: Program, groups: Sequence[Group]) -> dict[int, Layout]:
    """Layouts other than row-major, of values inside; a kernel that would find no array in one has it row-major."""
    outside = {*program.inputs, *program.outputs}
    outside.update(w for g in groups for n in g.nests if hasattr(n.kind, "row_major") for w in asked_in_rows(program, n))
    planes, beside = (chosen(program, groups, outside, only) for only in (False, True))
    sided = [w for w in beside if w in planes and program.flat.values[w].shape[0] % EXAMPLES == 0 and together(program, groups, w)]
    found = {w: Layout(order) for w, order in planes.items()} | {w: Layout(planes[w], True) for w in sided}
    return {w: layout for w, layout in found.items() if readable(program, groups, w, layout)}


def chosen(program: Program, groups: Sequence[Group], outside: set[int], beside: bool) -> dict[int, tuple[int, ...]]:
    """Values with channels before space: those that convolutions by planes ask for, or only those with examples beside each other."""
    values, found = program.flat.values, dict[int, tuple[int, ...]]()
    for group in groups:
        wires = [w for n in group.nests for w in (*asked(n.kind, beside), *windows(program, n, found))]
        shapes = {values[w].shape for w in wires}
        wires += [o for o in group.outs if values[o].shape in shapes]
        found |= {w: channels_first(values[w].shape) for w in wires if w not in outside and values[w].shape[-1] <= FEW}
    return found


def asked_in_rows(program: Program, nest: Nest) -> list[int]:
    """The values that a kernel wants row-major."""
    return [*nest.kind.row_major, *(w for w, _ in program.loads(nest))]


def asked(kind: Any, beside: bool) -> Sequence[int]:
    """The values that a kernel wants with channels before space."""
    return getattr(kind, "layouts", ()) if not beside or getattr(kind, "beside", False) else ()


def windows(program: Program, nest: Nest, found: Mapping[int, Any]) -> tuple[int, ...]:
    """What a search for the largest entries of windows writes, where it reads such a value."""
    search = nest.call is not None and isinstance(nest.call.op, WindowArgMax)
    return nest.outs if search and any(w in found for w, _ in program.loads(nest)) else ()


def channels_first(shape: Sequence[int]) -> tuple[int, ...]:
    """The order of axes with the last one behind the first."""
    return (0, len(shape) - 1, *range(1, len(shape) - 1)) if len(shape) >= 3 else tuple(range(len(shape)))


def together(program: Program, groups: Sequence[Group], wire: int) -> bool:
    """Whether all who write or read a value do so entry by entry, or take some examples at a time."""
    for group in groups:
        entries = all(n.kind is None or getattr(n.kind, "beside", False) for n in group.nests)
        if not entries and any(wire in n.outs or any(w == wire for w, _ in program.loads(n)) for n in group.nests):
            return False
    return True


def readable(program: Program, groups: Sequence[Group], wire: int, layout: Layout) -> bool:
    """Whether all kernels that read an array at fixed steps can do so in a layout."""
    place = laid_out(program.flat, wire, "", layout)
    for nest in (n for g in groups for n in g.nests if n.call is not None and not (n.kind is None or program.joins(n))):
        if getattr(nest.kind, "beside", False):
            continue
        for arg in nest.call.args if nest.call else ():
            rows = view(program.flat, program.makers, program.kept, arg)
            if rows is None or rows.wire != wire:
                continue
            if view(program.flat, program.makers, program.kept, arg, lambda _, index: place.offset(index)) is None:
                return False
    return True
