"""One node of an ONNX graph where it is met: what its inputs are, and what it says of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lensgrad.core.errors import LensgradError, TypeMismatch
from lensgrad.core.graph import Wire
from lensgrad.interchange.dtypes import Numbers
from lensgrad.interchange.imported import Site


class Unsupported(TypeMismatch):
    """Something that has no meaning here, with the node that needs it."""


@dataclass(frozen=True)
class Known:
    """A value that the file itself gives: its array, and the wire that it becomes where one is needed."""

    array: Numbers
    wire: Callable[[], Wire]


Value = Wire | Known | None  # None where an optional input is left out


@dataclass(frozen=True)
class Call:
    """A node: its operator, its attributes as Python values (tensors as arrays), and its inputs."""

    op: str
    name: str  # of the node, as messages call it
    version: int  # of the operator set
    attributes: Mapping[str, Any]
    inputs: tuple[Value, ...]
    outputs: tuple[str, ...]  # the names of the results; "" where one is left out
    site: Site

    def given(self, k: int) -> bool:
        """Whether the node has input k."""
        return k < len(self.inputs) and self.inputs[k] is not None

    def wire(self, k: int) -> Wire:
        """Input k as a wire; what the file knows becomes a weight or a constant."""
        value = self.inputs[k] if k < len(self.inputs) else None
        if value is None:
            raise self.refused(f"needs its input {k}")
        return value.wire() if isinstance(value, Known) else value

    def wires(self) -> list[Wire]:
        """All inputs that are given, as wires."""
        return [self.wire(k) for k in range(len(self.inputs)) if self.given(k)]

    def known(self, k: int) -> bool:
        """Whether the file itself gives input k."""
        return k < len(self.inputs) and isinstance(self.inputs[k], Known)

    def constant(self, k: int, what: str) -> Numbers:
        """Input k as an array that the file gives; `what` is what it says, such as "the shape"."""
        value = self.inputs[k] if k < len(self.inputs) else None
        if not isinstance(value, Known):
            raise self.refused(
                f"has {what} that is computed from data, and shapes are fixed here: give the input a value by constants={{…}}"
            )
        return value.array

    def attribute(self, name: str, default: Any = None) -> Any:
        """An attribute, or what it is where the node does not say."""
        return self.attributes.get(name, default)

    def refused(self, why: str) -> LensgradError:
        """The error for what has no meaning here: `Resize 'up/resize': cubic interpolation has no meaning here`."""
        return Unsupported(f"{self.op}{f' {self.name!r}' if self.name else ''} {why}")


Meaning = Callable[[Call], Sequence[Wire | Known]]  # the results in order, as many as are asked for or more
Table = dict[str, Meaning]
