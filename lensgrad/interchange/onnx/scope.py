"""The values of a graph by name, and what all graphs of a file have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from lensgrad.core import checks
from lensgrad.core.checks import clean
from lensgrad.core.errors import BadCheckpoint
from lensgrad.core.graph import Wire
from lensgrad.interchange.dtypes import Numbers
from lensgrad.interchange.imported import Site
from lensgrad.interchange.onnx.call import Call, Known, Unsupported, Value
from lensgrad.interchange.onnx.file import File, home, short
from lensgrad.interchange.onnx.tensors import tensor

ROOM = 2**29  # bytes that are computed while a file is read, beside several times those of the file
FLOATING = (1, 10, 11, 16)  # dtypes of weights, by their numbers in ONNX: float, half, double and bfloat16
MOST = 20_000  # nodes that are written, so that a small file cannot stand for an endless program


@dataclass(frozen=True)
class Held(Known):
    """What the file gives; `trained` where its wire is made of weights."""

    trained: bool = False


@dataclass(frozen=True)
class Several:
    """A sequence of values, whose length is known while the file is read; or an optional one, of length 0 or 1."""

    items: tuple[Value, ...]


Item = Value | Several


@dataclass
class Source:
    """A file that is written as a formula, twice: what was computed for one writing is kept for the other."""

    file: File
    frozen: bool
    kept: dict[Any, Any] = field(default_factory=dict[Any, Any])
    labels: dict[Any, str] = field(default_factory=dict[Any, str])
    taken: set[str] = field(default_factory=set[str])
    functions: dict[tuple[str, str, str], Any] = field(default_factory=dict[tuple[str, str, str], Any])
    left: int = 0  # nodes that may still be written
    room: int = 0  # bytes that may still be computed while the file is read

    def __post_init__(self) -> None:
        self.room = ROOM + 6 * self.file.model.ByteSize()
        self.functions = {(home(f.domain), f.name, f.overload): f for f in self.file.model.functions}

    @cached_property
    def bare(self) -> bool:
        """Whether the file has no initializer that could be trained: then its weights are in nodes that are constants."""
        return not any(len(t.dims) and t.data_type in FLOATING for t in self.file.model.graph.initializer)

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """What is made at a place, in both writings the same."""
        if key not in self.kept:
            self.kept[key] = make()
        return self.kept[key]

    def tensor(self, name: str, proto: Any) -> Any:
        """The array of a tensor with a name of its own."""
        return self.once(("tensor", name), lambda: tensor(self.file, f"'{short(name)}'", proto))

    def begin(self) -> None:
        """Begin to write all of it."""
        self.left = MOST + 10 * len(self.file.model.graph.node)

    def spend(self) -> None:
        """Count a node."""
        self.left -= 1
        if self.left < 0:
            raise BadCheckpoint(f"{self.file.what} has more than {MOST:,} nodes when all of it is unfolded: it is refused")

    def hold(self, arrays: list[Numbers] | None, what: str) -> list[Numbers] | None:
        """Count the memory of what a node computes while the file is read."""
        self.room -= sum(a.nbytes for a in arrays or [])
        if self.room < 0:
            raise Unsupported(
                f"{what} and the nodes before it compute arrays of more than {ROOM:,} bytes while the file is read: it is refused"
            )
        return arrays

    def label(self, name: str, node: tuple[str, int] | None = None) -> str:
        """The name of a parameter for that of a value, or of what one node needs: readable, short enough, and of this value only."""
        if (name, node) not in self.labels:
            plain = "/".join(part[: checks.LONGEST_NAME - 10] for part in clean(name).split("/"))[: checks.LONGEST_PATH - 10] or "value"
            label, k = plain, 1
            while label in self.taken:
                k += 1
                label = f"{plain}_{k}"
            self.labels[name, node] = label
            self.taken.add(label)
        return self.labels[name, node]


@dataclass
class Scope:
    """The values of one graph by name; a graph inside another reads those of the outer one too."""

    path: str  # of the graph inside others and its round in a loop, with / at the end; empty for the whole
    versions: Mapping[str, int]
    outer: Scope | None = None
    values: dict[str, Item] = field(default_factory=dict[str, Item])
    kinds: dict[str, str] = field(default_factory=dict[str, str])  # dtypes of the file, of names whose wires carry them by another
    stored: str = ""  # the path without rounds: what the file stores in a loop is the same in all of them

    @property
    def depth(self) -> int:
        """How many graphs and functions are around this one."""
        return self.path.count("/")

    def closed(self, op: str, index: int, versions: Mapping[str, int]) -> Scope:
        """The scope of a function that a node calls, which reads nothing from outside."""
        part = f"{op.replace('/', '_')}.{index}/"
        return Scope(self.path + part, {**self.versions, **versions}, stored=self.stored + part)

    def inside(self, op: str, index: int, round: str = "") -> Scope:
        """The scope of a graph in a node, which reads what is outside too."""
        return Scope(f"{self.path}{op}.{index}{round}/", self.versions, self, stored=f"{self.stored}{op}.{index}/")

    def define(self, name: str, value: Item) -> None:
        """Give a name its value, once."""
        if name in self.values:
            raise BadCheckpoint(f"the name '{short(name)}' is given to two values of one graph: the file is damaged")
        self.values[name] = value

    def find(self, name: str, what: str) -> Item:
        """The value of a name, which is there before it is read."""
        return self.values[name] if name in self.values else self.beyond(name, what)

    def kind(self, name: str) -> str:
        """The dtype of a name in the file where its wire carries it by another one; else an empty text."""
        return self.kinds.get(name, "") if name in self.values or self.outer is None else self.outer.kind(name)

    def beyond(self, name: str, what: str) -> Item:
        """The value of a name that is not of this graph."""
        if self.outer is not None:
            return self.outer.find(name, what)
        raise BadCheckpoint(f"{what} reads '{short(name)}', which no input and no node before it gives: the file is damaged")


class Writing(Protocol):
    """What writes the nodes of a file at one site, as operators with graphs inside see it."""

    source: Source
    site: Site

    def at(self, site: Site) -> Writing: ...

    def weight(self, name: str, array: Numbers) -> Held: ...

    def constant(self, name: str, array: Numbers) -> Held: ...

    def graph(self, graph: Any, scope: Scope) -> None: ...

    def nodes(self, nodes: Sequence[Any], scope: Scope) -> None: ...

    def call(self, met: Met) -> Call: ...


@dataclass(frozen=True)
class Met:
    """A node where it is met: its number in its graph, the values that it reads, and the scope they are from."""

    node: Any
    index: int
    inputs: tuple[Item, ...]
    scope: Scope

    @property
    def values(self) -> tuple[Value, ...]:
        """The inputs, none of which may be a sequence."""
        return tuple(single(v, self.what) for v in self.inputs)

    @property
    def what(self) -> str:
        """The node as messages call it."""
        return told(self.node)

    @property
    def domain(self) -> str:
        return home(self.node.domain)

    @property
    def operator(self) -> str:
        """The operator, with its domain unless that is the usual one."""
        return f"{self.domain}.{self.node.op_type}" if self.domain else self.node.op_type

    @property
    def place(self) -> tuple[str, int]:
        """Where the node is, in the file and all that is unfolded of it."""
        return self.scope.path, self.index

    def name(self, k: int = 0) -> str:
        """The name of result k, with the path of its graph."""
        return self.scope.path + (self.node.output[k] if k < len(self.node.output) else "")


def told(node: Any) -> str:
    """A node as messages call it: `Conv 'stem/conv'`."""
    return f"{short(node.op_type)} '{short(node.name)}'" if node.name else short(node.op_type)


def single(value: Item, what: str) -> Value:
    """A value that is no sequence."""
    if isinstance(value, Several):
        raise Unsupported(f"{what} takes or gives a sequence, which has no meaning here: values are arrays")
    return value


def wire_of(item: Item, what: str) -> Wire:
    """A value as a wire."""
    value = single(item, what)
    if value is None:
        raise BadCheckpoint(f"{what} needs a value that is left out: the file is damaged")
    return value.wire() if isinstance(value, Known) else value
