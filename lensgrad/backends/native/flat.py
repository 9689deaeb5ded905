"""A diagram as one list of nodes on numbered values, loops included: what every pass of this backend reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

from lensgrad.backends.numpy import NUMPY
from lensgrad.backends.table import Hole, Meanings
from lensgrad.core.diagram import Diagram, Recompute
from lensgrad.core.errors import NoRule
from lensgrad.core.functor import unfold
from lensgrad.core.graph import Generator, Node
from lensgrad.theories.smooth.array import Array, Key

TYPES = {"float32": "float", "float64": "double", "int32": "int32_t", "uint32": "uint32_t", "uint8": "uint8_t", "bool": "uint8_t"}
BYTES = {"float32": 4, "float64": 8, "int32": 4, "uint32": 4, "uint8": 1, "bool": 1}
ENTRIES = 2**31  # what no array of a program reaches, so that places are numbers of 32 bits


@dataclass(frozen=True, slots=True)
class Value:
    """What a wire carries: an array, a key as two words along a last axis."""

    shape: tuple[int, ...]
    dtype: str
    path: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def bytes(self) -> int:
        return self.size * BYTES[self.dtype]


@dataclass(frozen=True, slots=True)
class Call:
    """A generator applied to values. `inner` is the body of a loop, on values of the same numbering."""

    op: Any
    args: tuple[int, ...]
    outs: tuple[int, ...]
    path: tuple[str, ...] = ()
    inner: Inner | None = None


@dataclass(frozen=True, slots=True)
class Inner:
    """The body of a loop: the values that stand for its inputs, its nodes, and what it gives."""

    inputs: tuple[int, ...]
    calls: tuple[Call, ...]
    outputs: tuple[int, ...]


@dataclass
class Flat:
    """A program in the making: values, the calls that compute them, in order, and which are given and returned."""

    table: Meanings
    values: list[Value] = field(default_factory=list[Value])
    calls: list[Call] = field(default_factory=list[Call])
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()
    special: dict[int, Any] = field(default_factory=dict[int, Any])  # meanings of single calls, by what they give
    near: set[int] = field(default_factory=set[int])  # values that are to have arrays though they are only moved

    def new(self, atom: Any, path: tuple[str, ...] = ()) -> int:
        self.values.append(value(atom, path))
        return len(self.values) - 1

    def hidden(self, path: tuple[str, ...]) -> int:
        """The array in which a loop keeps what its steps need; it says itself how large that is."""
        self.values.append(Value((0,), "uint8", path))
        return len(self.values) - 1

    def dom(self, call: Call) -> tuple[Value, ...]:
        return tuple(self.values[a] for a in call.args)


def value(atom: Any, path: tuple[str, ...] = ()) -> Value:
    """The array of an atom; an error where C has none for it here."""
    if isinstance(atom, Key):
        return Value((*atom.shape, 2), "uint32", path)
    if not isinstance(atom, Array) or atom.dtype not in TYPES:
        raise NoRule(f"{atom} has no meaning in the native backend: the NumPy backend has it")
    if atom.size >= ENTRIES:
        raise NoRule(f"{atom} is too large for the native backend, which counts entries in 32 bits: the NumPy backend has it")
    return Value(atom.shape, atom.dtype, path)


def flattened(f: Diagram, table: Meanings) -> Flat:
    """`f` with definitions, composite generators and bodies that are computed again written out."""
    flat = Flat(table)
    flat.inputs = tuple(flat.new(a) for a in f.dom)
    flat.outputs = tuple(written(flat, unfold(f), flat.inputs, flat.calls, {}))
    return flat


Memo = dict[tuple[Generator, tuple[int, ...]], tuple[int, ...]]
Expand = Callable[..., Diagram]  # a composite generator, on the types of its arguments, as others


@dataclass(frozen=True)
class Composite:
    """The meaning of a generator that others say: `arrow(op, *dom)` is the arrow it stands for."""

    arrow: Expand

    def __call__(self, op: Any, *dom: Any) -> Diagram:
        return self.arrow(op, *dom)


@dataclass(frozen=True)
class Chosen:
    """A meaning that depends on the types: `meaning(op, dom)` is one of the others."""

    meaning: Callable[[Any, Sequence[Value]], Any]

    def __call__(self, op: Any, dom: Sequence[Value]) -> Any:
        return self.meaning(op, dom)


def written(flat: Flat, f: Diagram, wires: Sequence[int], calls: list[Call], memo: Memo) -> list[int]:
    """The values of the outputs of `f` on `wires`, its nodes appended to `calls`."""
    env, types = list(wires), list(f.dom)
    for node in f.nodes:
        args = tuple(env[a] for a in node.args)
        env.extend(placed(flat, node, args, [types[a] for a in node.args], calls, memo))
        types.extend(node.cod)
    return [env[o] for o in f.outs]


def placed(flat: Flat, node: Node, args: tuple[int, ...], dom: list[Any], calls: list[Call], memo: Memo) -> Sequence[int]:
    """The values that a node gives: those of an equal one, of what it is composed of, or new ones."""
    found = memo.get((node.op, args))
    if found is not None:
        return found
    op: Any = node.op
    if isinstance(op, Recompute):  # nothing that was computed outside stands in for what is computed again
        return written(flat, unfold(op.body), args, calls, {})
    meaning = line(flat.table, op)
    meaning = meaning(op, [flat.values[a] for a in args]) if isinstance(meaning, Chosen) else meaning
    if isinstance(meaning, Composite):
        outs = tuple(written(flat, unfold(meaning(op, *dom)), args, calls, memo))
    else:
        outs = tuple(flat.new(a, node.origin) for a in node.cod)
        body = getattr(op, "body", None)
        inner = looped(flat, unfold(body), node.origin) if isinstance(body, Diagram) else None
        calls.append(Call(op, args, (*outs, *([flat.hidden(node.origin)] if inner else [])), node.origin, inner))
    memo[op, args] = outs
    return outs


def looped(flat: Flat, body: Diagram, path: tuple[str, ...]) -> Inner:
    """The body of a loop, on new values."""
    inputs = tuple(flat.new(a, path) for a in body.dom)
    calls: list[Call] = []
    outputs = tuple(written(flat, body, inputs, calls, {}))
    return Inner(inputs, tuple(calls), outputs)


def line(table: Meanings, op: Any) -> Any:
    """What a generator means; an error that names it and where it has a meaning, for a gap."""
    found: Any = table.lines.get(op.__class__)
    if found is None or isinstance(found, Hole):
        why = f" ({found.reason})" if isinstance(found, Hole) else ""
        way = "the NumPy backend has it" if op.__class__ in NUMPY.lines else "backend(…).in_c({…}) gives it one"
        raise NoRule(f"{op.name} has no meaning in the native backend{why}: {way}")
    return found
