"""A six-generator theory with no mathematics in it: enough to test diagrams by themselves."""

from dataclasses import dataclass
from typing import Any

from lensgrad.core.errors import TypeMismatch
from lensgrad.core.op import Op, generator
from lensgrad.core.ty import Ty


@dataclass(frozen=True)
class Atom:
    label: str

    def infix(self, name: str, *args: Any) -> Any:
        return {"add": Join(), "mul": Fuse()}[name](*args)

    def __str__(self) -> str:
        return self.label


A, B = Ty((Atom("a"),)), Ty((Atom("b"),))


class ToA(Op):
    """Whatever comes in, one A comes out."""

    def type(self, *dom: Any) -> Ty:
        return A


@generator
class Join(ToA):
    pass


@generator
class Fuse(ToA):
    pass


@generator
class Step(ToA):
    size: Any = 1


@generator
class Point(ToA):
    value: Any = 0

    def type(self, *dom: Any) -> Ty:
        if dom:
            raise TypeMismatch("a point has no input")
        return A


@generator
class Halves(Op):
    """A → A × B: a generator with two outputs."""

    def type(self, *dom: Any) -> Ty:
        return A @ B


@generator
class Sink(Op):
    """A → I."""

    def type(self, *dom: Any) -> Ty:
        return Ty()
