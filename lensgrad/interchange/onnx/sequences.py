"""Sequences and optional values, of which all but the arrays in them is known while a file is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate

import numpy as np

from lensgrad.core.errors import BadCheckpoint
from lensgrad.interchange.onnx.call import Known, Unsupported, Value
from lensgrad.interchange.onnx.scope import Item, Met, Several, Writing, single, wire_of
from lensgrad.theories.smooth import ops


def row(met: Met, k: int = 0) -> tuple[Value, ...]:
    """Input k, which is a sequence."""
    found = met.inputs[k] if k < len(met.inputs) else None
    if not isinstance(found, Several):
        raise BadCheckpoint(f"{met.what} must read a sequence, and its input {k} is none: the file is damaged")
    return found.items


def whole(met: Met, k: int, n: int, other: int, most: int = -1) -> int:
    """A position among n that is input k, counted from the end where it is negative, or another one where it is left out."""
    if k >= len(met.inputs) or met.inputs[k] is None:
        return other
    value = met.inputs[k]
    if not isinstance(value, Known):
        raise Unsupported(f"{met.what} has a position that is computed from data, and sequences are fixed here")
    at = int(value.array.ravel()[0])
    if not -n <= at <= n + most:
        raise Unsupported(f"{met.what} must have a position from {-n} to {n + most}, got {at}")
    return at + n if at < 0 else at


def construct(writer: Writing, met: Met) -> list[Item]:
    """SequenceConstruct: all inputs."""
    return [Several(met.values)]


def empty(writer: Writing, met: Met) -> list[Item]:
    """SequenceEmpty: none."""
    return [Several(())]


def insert(writer: Writing, met: Met) -> list[Item]:
    """SequenceInsert: a value before a position, or at the end."""
    items = row(met)
    at = whole(met, 2, len(items), len(items), 0)
    return [Several((*items[:at], single(met.inputs[1], met.what), *items[at:]))]


def erase(writer: Writing, met: Met) -> list[Item]:
    """SequenceErase: without the value at a position, or the last one."""
    items = row(met)
    at = whole(met, 1, len(items), len(items) - 1)
    return [Several((*items[:at], *items[at + 1 :]))]


def at(writer: Writing, met: Met) -> list[Item]:
    """SequenceAt: the value at a position."""
    items = row(met)
    return [items[whole(met, 1, len(items), 0)]]


def length(writer: Writing, met: Met) -> list[Item]:
    """SequenceLength: how many values there are."""
    return [writer.constant(met.name(), np.asarray(len(row(met)), "int64"))]


def split(writer: Writing, met: Met) -> list[Item]:
    """SplitToSequence: parts along an axis, of fixed sizes, or single entries."""
    call, x = writer.call(met), met.values[0]
    shape = x.array.shape if isinstance(x, Known) else wire_of(x, met.what).atom.shape
    axis = call.attribute("axis", 0) % len(shape)
    n = shape[axis]
    given = call.constant(1, "the sizes") if call.given(1) else np.asarray(1)
    each = max(1, int(given.ravel()[0])) if not given.ndim else 0
    sizes = [min(each, n - k) for k in range(0, n, each)] if each else [int(m) for m in given]
    parts = pieces(writer, met, x, axis, sizes)
    if call.given(1) or call.attribute("keepdims", 1):
        return [Several(parts)]
    return [Several(tuple(ops.reshape(w, *(m for a, m in enumerate(shape) if a != axis)) for w in (wire_of(p, met.what) for p in parts)))]


def pieces(writer: Writing, met: Met, x: Value, axis: int, sizes: list[int]) -> tuple[Value, ...]:
    """Parts of these sizes."""
    if not isinstance(x, Known):
        return tuple(ops.split(wire_of(x, met.what), sizes, axis))
    arrays = np.split(x.array, [*accumulate(sizes)][:-1], axis)
    return tuple(writer.constant(f"{met.name()}.{k}", np.asarray(a)) for k, a in enumerate(arrays))


def join(writer: Writing, met: Met) -> list[Item]:
    """ConcatFromSequence: along an axis, or along a new one."""
    items = row(met)
    named = {a.name: a.i for a in met.node.attribute}
    axis, new = named.get("axis", 0), named.get("new_axis", 0)
    if items and all(isinstance(v, Known) for v in items):
        arrays = [v.array for v in items if isinstance(v, Known)]
        return [writer.constant(met.name(), (np.stack if new else np.concatenate)(arrays, axis))]
    return [(ops.stack if new else ops.concatenate)([wire_of(v, met.what) for v in items], axis)]


# -- optional values ---------------------------------------------------------------------------------------------------


def optional(writer: Writing, met: Met) -> list[Item]:
    """Optional: a value that is there, or none."""
    return [Several(met.values[:1]) if met.inputs and not isinstance(met.inputs[0], Several) else Several(())]


def there(writer: Writing, met: Met) -> list[Item]:
    """OptionalHasElement: whether there is one."""
    value = met.inputs[0] if met.inputs else None
    found = len(value.items) > 0 if isinstance(value, Several) else value is not None
    return [writer.constant(met.name(), np.asarray(found))]


def element(writer: Writing, met: Met) -> list[Item]:
    """OptionalGetElement: the value that is there."""
    value = met.inputs[0]
    if not isinstance(value, Several):
        return [value]
    if len(value.items) != 1:
        raise Unsupported(f"{met.what} reads an optional value that is not there")
    return [value.items[0]]


TABLE: dict[str, Callable[[Writing, Met], Sequence[Item]]] = {
    "ConcatFromSequence": join,
    "Optional": optional,
    "OptionalGetElement": element,
    "OptionalHasElement": there,
    "SequenceAt": at,
    "SequenceConstruct": construct,
    "SequenceEmpty": empty,
    "SequenceErase": erase,
    "SequenceInsert": insert,
    "SequenceLength": length,
    "SplitToSequence": split,
}
