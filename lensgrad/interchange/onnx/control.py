"""Operators that are read rather than computed: constants, shapes, and graphs inside a node."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lensgrad.core.errors import BadCheckpoint
from lensgrad.interchange.onnx.call import Known, Unsupported
from lensgrad.interchange.onnx.fold import LARGEST
from lensgrad.interchange.onnx.scope import Item, Met, Writing, wire_of
from lensgrad.theories.smooth import ops

MOST = 2**27  # entries of an array that holds one number everywhere
KINDS = {"value": None, "value_float": "float32", "value_floats": "float32", "value_int": "int64", "value_ints": "int64"}


def constant(writer: Writing, met: Met) -> list[Item]:
    """Constant: the array of its one attribute."""

    def made() -> Any:
        values = writer.call(met).attributes
        found = [np.asarray(v, KINDS[key]) for key, v in values.items() if key in KINDS]
        if len(found) != 1 or found[0].dtype.kind == "O":
            raise Unsupported(f"{met.what} must have a value of numbers, got {', '.join(values) or 'none'}, which has no meaning here")
        return found[0]

    name = met.scope.stored + met.node.output[0]
    array = writer.source.once(("constant", name), made)
    return [writer.weight(name, array) if writer.source.bare and array.size > 1 else writer.constant(name, array)]


def identity(writer: Writing, met: Met) -> Sequence[Item]:
    """Identity: what it is given."""
    return met.inputs


def dims(met: Met) -> tuple[int, ...]:
    """The shape of the input."""
    value = met.values[0] if met.inputs else None
    if value is None:
        raise BadCheckpoint(f"{met.what} has no input: the file is damaged")
    return value.array.shape if isinstance(value, Known) else tuple(value.atom.shape)


def shape(writer: Writing, met: Met) -> list[Item]:
    """Shape: the sizes of the axes from `start` to `end`."""
    call = writer.call(met)
    return [writer.constant(met.name(), np.array(dims(met)[call.attribute("start", 0) : call.attribute("end")], "int64"))]


def size(writer: Writing, met: Met) -> list[Item]:
    """Size: how many entries there are."""
    return [writer.constant(met.name(), np.asarray(np.prod(dims(met), dtype="int64")))]


def ranged(writer: Writing, met: Met) -> list[Item]:
    """Range: the numbers from a start to a limit, which are known."""
    if not all(isinstance(v, Known) for v in met.inputs):
        told = "and shapes are fixed here: give the input a value by constants={…}"
        raise Unsupported(f"{met.what} has a size that is computed from data, {told}")
    start, limit, step = (v.array.ravel()[0] for v in met.inputs if isinstance(v, Known))
    n = max(0, math.ceil((float(limit) - float(start)) / float(step)))
    if n > LARGEST:
        raise Unsupported(f"{met.what} gives an array of {n:,} numbers, which is refused: {LARGEST:,} are the limit")
    return [writer.constant(met.name(), (start + np.arange(n).astype(start.dtype) * step).astype(start.dtype))]


def constant_of_shape(writer: Writing, met: Met) -> list[Item]:
    """ConstantOfShape: one number everywhere, which takes no memory."""
    call = writer.call(met)
    shape = [int(n) for n in call.constant(0, "the shape").ravel()]
    if min(shape, default=0) < 0 or math.prod(shape) > MOST:
        raise Unsupported(
            f"{met.what} gives an array of shape {shape}, which is refused: sizes are ≥ 0, and {MOST:,} entries are the limit"
        )
    value = call.attribute("value", np.zeros(1, "float32"))
    return [writer.constant(met.name(), np.broadcast_to(value.reshape(-1)[:1].reshape(()), shape))]


def branch(writer: Writing, met: Met) -> Sequence[Item]:
    """If: the branch of a condition that is known; else both, and each entry from the one that holds."""
    graphs = {a.name: a.g for a in met.node.attribute}
    condition = met.values[0]
    if isinstance(condition, Known):
        return inner(writer, met, graphs["then_branch" if condition.array.all() else "else_branch"], [])
    if condition is None:
        raise BadCheckpoint(f"{met.what} has no condition: the file is damaged")
    both = [inner(writer, met, graphs[name], [], f".{name}") for name in ("then_branch", "else_branch")]
    pairs = [(wire_of(a, met.what), wire_of(b, met.what)) for a, b in zip(*both, strict=True)]
    truth = ops.reshape(condition)
    return [ops.select(ops.spread(truth, x.atom.shape, []), x, y) for x, y in pairs]


def inner(writer: Writing, met: Met, graph: Any, inputs: Sequence[Item], round: str = "") -> list[Item]:
    """The results of a graph in a node on its inputs."""
    scope = met.scope.inside(met.node.op_type, met.index, round)
    for v, value in zip(graph.input, inputs, strict=True):
        scope.define(v.name, value)
    writer.graph(graph, scope)
    return [scope.find(v.name, met.what) for v in graph.output]


TABLE: dict[str, Callable[[Writing, Met], Sequence[Item]]] = {
    "Constant": constant,
    "ConstantOfShape": constant_of_shape,
    "Identity": identity,
    "If": branch,
    "Range": ranged,
    "Shape": shape,
    "Size": size,
}
