"""Operators that are read rather than computed: constants, shapes, and graphs inside a node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lensgrad.core.errors import BadCheckpoint
from lensgrad.interchange.onnx.call import Known, Unsupported, Value
from lensgrad.interchange.onnx.scope import Met, Writing

KINDS = {"value": None, "value_float": "float32", "value_floats": "float32", "value_int": "int64", "value_ints": "int64"}


def constant(writer: Writing, met: Met) -> list[Value]:
    """Constant: the array of its one attribute."""

    def made() -> Any:
        values = writer.call(met.node, met.inputs, met.scope).attributes
        found = [np.asarray(v, KINDS[key]) for key, v in values.items() if key in KINDS]
        if len(found) != 1:
            raise Unsupported(f"{met.what} must have a value of numbers, got {', '.join(values) or 'none'}, which has no meaning here")
        return found[0]

    return [writer.constant(met.name(), writer.source.once(met.place, made))]


def identity(writer: Writing, met: Met) -> Sequence[Value]:
    """Identity: what it is given."""
    return met.inputs


def dims(met: Met) -> tuple[int, ...]:
    """The shape of the input."""
    value = met.inputs[0] if met.inputs else None
    if value is None:
        raise BadCheckpoint(f"{met.what} has no input: the file is damaged")
    return value.array.shape if isinstance(value, Known) else tuple(value.atom.shape)


def shape(writer: Writing, met: Met) -> list[Value]:
    """Shape: the sizes of the axes from `start` to `end`."""
    call = writer.call(met.node, met.inputs, met.scope)
    return [writer.constant(met.name(), np.array(dims(met)[call.attribute("start", 0) : call.attribute("end")], "int64"))]


def size(writer: Writing, met: Met) -> list[Value]:
    """Size: how many entries there are."""
    return [writer.constant(met.name(), np.asarray(np.prod(dims(met), dtype="int64")))]


TABLE: dict[str, Callable[[Writing, Met], Sequence[Value]]] = {
    "Constant": constant,
    "Identity": identity,
    "Shape": shape,
    "Size": size,
}
