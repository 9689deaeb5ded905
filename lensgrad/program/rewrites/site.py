"""Where rules meet a program: a graph that grows node by node, each node simplified as it is put down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from lensgrad.core.graph import Generator, Graph
from lensgrad.core.op import Op
from lensgrad.core.ty import Ty
from lensgrad.theories.smooth.shape import Full, full

T = TypeVar("T", bound=Op)
At = Callable[["Site", Any, tuple[int, ...]], Sequence[int] | None]


@dataclass(frozen=True)
class Law:
    """An equation used from left to right: `at(site, op, args)` gives the wires that stand for op(args), or nothing.

    `heads` are the classes of generators that its left side ends in; the first line of the function's docstring is the equation.
    """

    name: str
    heads: tuple[type[Op], ...]
    at: At

    @property
    def equation(self) -> str:
        return (self.at.__doc__ or "").strip().splitlines()[0]


def by_head(laws: Sequence[Law]) -> Mapping[type[Op], tuple[At, ...]]:
    """The laws for each class of generators, in order."""
    heads = dict.fromkeys(head for law in laws for head in law.heads)
    return {head: tuple(law.at for law in laws if head in law.heads) for head in heads}


class Site:
    """A graph under construction, and how often the program before it reads what each wire stands for."""

    def __init__(self, dom: Ty, laws: Mapping[type[Any], tuple[At, ...]]) -> None:
        self.graph, self.laws, self.reads = Graph(dom), laws, Counter[int]()

    def apply(self, op: Generator, *args: int) -> Sequence[int]:
        """The wires of op(args), by the first law that fits."""
        for at in self.laws.get(type(op), ()):
            found = at(self, op, args)
            if found is not None:
                return found
        return self.graph.apply(op, args)

    def one(self, op: Generator, *args: int) -> int:
        """The wire of a generator with one output."""
        return self.apply(op, *args)[0]

    def constant(self, value: float | int | bool, atom: Any) -> int:
        """A number everywhere."""
        return self.graph.inline(*_closed(value, atom), ())[0]

    def type(self, wire: int) -> Any:
        return self.graph.types[wire]

    def made(self, wire: int, kind: type[T]) -> tuple[T, tuple[int, ...]] | None:
        """The generator and the arguments that a wire comes from, if that is of this class."""
        index = self.graph.owner[wire]
        if index < 0:
            return None
        node = self.graph.nodes[index]
        return (node.op, node.args) if isinstance(node.op, kind) else None

    def value(self, wire: int) -> float | int | bool | None:
        """The number that a wire is everywhere, where that is written down."""
        found = self.made(wire, Full)
        return None if found is None else found[0].value

    def alone(self, wire: int) -> bool:
        """Whether only one place of the program before reads this wire."""
        return self.reads[wire] <= 1


def _closed(value: float | int | bool, atom: Any) -> tuple[Any, Any]:
    wire = full(value, atom)
    return wire.graph.canonical([wire.index])


__all__ = ["At", "Law", "Site", "by_head"]
