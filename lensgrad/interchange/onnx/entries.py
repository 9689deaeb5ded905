"""The inputs of an ONNX file: which of them are fixed, which sizes the file leaves open, and what types the others have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lensgrad.core import checks
from lensgrad.core.checks import shown
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.ty import Ty
from lensgrad.interchange.dtypes import Numbers, carried_dtype
from lensgrad.interchange.onnx.call import Unsupported
from lensgrad.interchange.onnx.file import LARGEST, File, short
from lensgrad.interchange.onnx.narrow import WIDER
from lensgrad.interchange.onnx.tensors import dtype_of
from lensgrad.theories.smooth.array import Array

Axes = list[int | str]  # sizes, or the names of those that a file leaves open


class Entries:
    """The inputs of a file."""

    def __init__(self, file: File, sizes: Mapping[str, Any], constants: Mapping[str, Any], batch: bool | None) -> None:
        stored = {t.name for t in file.model.graph.initializer}
        declared = {v.name: v for v in file.model.graph.input if v.name not in stored}
        self.file, self.types = file, {name: v.type for name, v in declared.items()}
        self.axes = {name: axes_of(file, v) for name, v in declared.items()}
        own = {a for axes in self.axes.values() for a in axes or () if isinstance(a, str)}
        self.sizes = {**checks.table("sizes", sizes, [*own, *declared])}
        given = checks.table("constants", constants, [*declared])
        self.fixed = {name: self.constant(name, value) for name, value in given.items()}
        self.names = [name for name in declared if name not in given]
        self.examples = self.batched(batch)

    @property
    def dom(self) -> Ty:
        """The types of the inputs that are data."""
        return Ty(tuple(map(self.atom, self.names)))

    def what(self, name: str) -> str:
        return f"the input '{short(name)}' of {self.file.what}"

    def constant(self, name: str, value: Any) -> Numbers:
        """An array that is given for an input, in the input's dtype; the sizes of its axes are known from here on."""
        what, dtype = f"the constant '{short(name)}'", dtype_of(self.what(name), self.types[name].tensor_type.elem_type)
        array, axes = converted(what, value, dtype), self.axes[name]
        fits(what, axes, array.shape)
        for a, n in zip(axes or [], array.shape, strict=False):
            if isinstance(a, str):
                self.sizes.setdefault(a, n)
        return array

    def batched(self, batch: bool | None) -> bool:
        """Whether there is an axis of examples; it has the size 1 from here on."""
        firsts = {(self.axes[name] or [0])[0] for name in self.names}
        left = {a for a in firsts if isinstance(a, str) and a not in self.sizes}
        shared = left == firsts and (len(firsts) == 1 or firsts == {first_of(name) for name in self.names})
        found = checks.flag("batch", batch) if batch is not None else shared and not any(name in self.sizes for name in self.names)
        if found:
            self.sizes.update(dict.fromkeys(left, 1))
        return found

    def atom(self, name: str) -> Array:
        """The type of an input that is data."""
        what, axes = self.what(name), self.axes[name]
        dtype = carried_dtype(what, dtype_of(what, self.types[name].tensor_type.elem_type).name)
        if name in self.sizes and name not in (axes or ()):
            shape = checks.wholes(f"the shape of {what}", self.sizes[name])
            fits(what, axes, shape)
            return fair(what, Array(shape, dtype))
        if axes is None:
            raise BadValue(f"{what} has no shape in the file: give sizes={{{name!r}: (…)}}")
        return fair(what, Array(tuple(self.size(name, axes, a) for a in axes), dtype))

    def kind(self, name: str) -> str:
        """The dtype of an input where its wire carries it by another one; else an empty text."""
        kind = dtype_of(self.what(name), self.types[name].tensor_type.elem_type).name
        return kind if kind in WIDER else ""

    def size(self, name: str, axes: Axes, a: int | str) -> int:
        """The size of one axis."""
        if isinstance(a, int):
            return a
        if a in self.sizes:
            return checks.whole(f"the size of '{short(a)}'", self.sizes[a])
        advice = f"'{short(a)}': …" if not a.startswith(f"{name}.") else f"'{short(name)}': (…)"
        raise BadValue(f"{self.what(name)} has the shape {shape_text(axes)}, and sizes are fixed here: give sizes={{{advice}}}")


def fair(what: str, atom: Array) -> Array:
    """The type of an input, refused where it is gigantic."""
    if atom.size > LARGEST:
        raise Unsupported(f"{what} is {atom}, which is refused: {LARGEST:,} entries are the limit")
    return atom


def axes_of(file: File, v: Any) -> Axes | None:
    """The axes of an input as the file has them; None where it does not even say how many there are."""
    kind = str(v.type.WhichOneof("value") or "no").removesuffix("_type")
    if kind != "tensor":
        raise Unsupported(f"the input '{short(v.name)}' of {file.what} is of type {kind}, which has no meaning here: inputs are arrays")
    if not v.type.tensor_type.HasField("shape"):
        return None
    return [axis(d, f"{v.name}.{k}") for k, d in enumerate(v.type.tensor_type.shape.dim)]


def axis(dim: Any, name: str) -> int | str:
    """A size, or the name of an open one."""
    if dim.HasField("dim_value") and dim.dim_value >= 0:
        return dim.dim_value
    return dim.dim_param if dim.dim_param not in ("", "?") else name


def first_of(name: str) -> str:
    """What the first axis of an input is called where the file does not name it."""
    return f"{name}.0"


def converted(what: str, value: Any, dtype: np.dtype[Any]) -> Numbers:
    """A value as an array of a dtype that holds it."""
    try:
        array = np.asarray(value)
        held = array.astype(dtype)
        same = held.dtype.kind not in "iub" or bool((held == array).all())
    except (TypeError, ValueError, OverflowError) as wrong:
        raise BadValue(f"{what} must be an array of {dtype}, got {shown(value)}") from wrong
    if not same:
        raise BadValue(f"{what} must be an array of {dtype}, got {shown(value)}")
    return held


def fits(what: str, axes: Axes | None, shape: Sequence[int]) -> None:
    """Refuse a shape that is not the one of the file, where it says one."""
    if axes is not None and (len(axes) != len(shape) or any(a != n for a, n in zip(axes, shape, strict=True) if isinstance(a, int))):
        raise TypeMismatch(f"the shape of {what} must be {shape_text(axes)}, got {shape_text(shape)}")


def shape_text(axes: Sequence[int | str]) -> str:
    return f"[{', '.join(short(str(a)) for a in axes)}]"
