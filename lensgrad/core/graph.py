"""A growing diagram and its wires. One constructor shares equal applications, so sharing is never a pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, SupportsFloat, overload

from lensgrad.core.checks import shown
from lensgrad.core.errors import NoRule, TypeMismatch, WireError
from lensgrad.core.ty import Ty

BACK = "way back"  # begins the origin of what R makes: the rest is that of the node it goes back through


class Generator(Protocol):
    """What a graph applies to its wires: `Op` is the base class of all of them."""

    @property
    def name(self) -> str: ...

    def type(self, *dom: Any) -> Ty: ...

    def __call__(self, *args: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class Node:
    """One application of a generator: to the wires `args`, giving wires of type `cod`.

    `origin` is the path of definitions it was unfolded from; pictures and errors read it, equality does not.
    """

    op: Generator
    args: tuple[int, ...]
    cod: Ty
    origin: tuple[str, ...] = field(default=(), compare=False)


class Graph:
    """Wires 0..n-1 are the inputs; each node appends its outputs. Equal (generator, wires) are one node.

    A node that is given no origin has `here`, which who grows the graph sets.
    """

    __slots__ = ("dom", "here", "memo", "nodes", "owner", "starts", "types")

    def __init__(self, dom: Ty) -> None:
        self.dom = dom
        self.types: list[Any] = list(dom.atoms)
        self.nodes: list[Node] = []
        self.starts: list[int] = []
        self.owner: list[int] = [-1] * len(dom)  # of each wire: the number of its node, -1 for an input
        self.memo: dict[tuple[Generator, tuple[int, ...]], int] = {}
        self.here: tuple[str, ...] = ()

    def apply(self, op: Generator, args: tuple[int, ...], cod: Ty | None = None, origin: tuple[str, ...] = ()) -> range:
        """The wires of `op(args)`, new or shared."""
        found = self.memo.get((op, args))
        if found is not None:
            start = self.starts[found]
            return range(start, start + len(self.nodes[found].cod.atoms))
        if cod is None:
            cod = op.type(*(self.types[a] for a in args))
        index, start = len(self.nodes), len(self.types)
        self.memo[op, args] = index
        self.nodes.append(Node(op, args, cod, origin or self.here))
        self.starts.append(start)
        self.types.extend(cod.atoms)
        self.owner.extend([index] * len(cod.atoms))
        return range(start, len(self.types))

    def inline(self, nodes: Sequence[Node], outs: Sequence[int], wires: Sequence[int]) -> list[int]:
        """Substitute `wires` for the inputs of a finished diagram; returns its outputs as wires of this graph."""
        env = list(wires)
        for node in nodes:
            env.extend(self.apply(node.op, tuple([env[a] for a in node.args]), node.cod, node.origin))
        return [env[o] for o in outs]

    def canonical(self, outs: Sequence[int]) -> tuple[tuple[Node, ...], tuple[int, ...]]:
        """What `outs` need, depth first from the outputs, renumbered: equal arrows give equal results."""
        wires = {i: i for i in range(len(self.dom))}
        nodes: list[Node] = []
        fresh = len(self.dom)
        for index in self._needed(outs):
            node, start = self.nodes[index], self.starts[index]
            nodes.append(Node(node.op, tuple([wires[a] for a in node.args]), node.cod, node.origin))
            for wire in range(start, start + len(node.cod.atoms)):
                wires[wire] = fresh
                fresh += 1
        return tuple(nodes), tuple(wires[o] for o in outs)

    def _needed(self, outs: Sequence[int]) -> Iterator[int]:
        """The nodes below `outs`, arguments before users, in depth-first order."""
        owner, done = self.owner, {-1}
        stack = [owner[o] for o in reversed(outs)]
        while stack:
            index = stack[-1]
            waiting = [] if index in done else [owner[a] for a in reversed(self.nodes[index].args) if owner[a] not in done]
            stack.extend(waiting)
            if not waiting:
                stack.pop()
                if index not in done:
                    done.add(index)
                    yield index

    def maker(self, wire: int) -> tuple[Node, int] | None:
        """The node that made a wire, and which of its outputs it is; None for an input."""
        index = self.owner[wire]
        return None if index < 0 else (self.nodes[index], wire - self.starts[index])

    def wires(self, indices: Sequence[int]) -> tuple[Wire, ...]:
        return tuple(Wire(self, i) for i in indices)


COMPARISONS = ("greater", "less", "greater_equal", "less_equal", "equal", "not_equal")
UFUNCS = {  # NumPy's names, and ours
    "add": "add", "subtract": "sub", "multiply": "mul", "divide": "div", "power": "power", "matmul": "matmul",
    **{name: name for name in COMPARISONS},
}  # fmt: skip


class Wire:
    """A value that is not there yet, inside a traced function. Its infix operators are those of its theory."""

    __slots__ = ("graph", "index")

    def __init__(self, graph: Graph, index: int) -> None:
        self.graph = graph
        self.index = index

    @property
    def atom(self) -> Any:
        return self.graph.types[self.index]

    def _infix(self, name: str, *args: Any) -> Any:
        infix = getattr(self.atom, "infix", None)
        if infix is None:
            raise WireError(f"a wire of type {self.atom} has no operation '{name}'")
        return infix(name, *args)

    def __add__(self, other: Operand) -> Wire:
        return self._infix("add", self, other)

    def __radd__(self, other: Operand) -> Wire:
        return self._infix("add", other, self)

    def __sub__(self, other: Operand) -> Wire:
        return self._infix("sub", self, other)

    def __rsub__(self, other: Operand) -> Wire:
        return self._infix("sub", other, self)

    def __mul__(self, other: Operand) -> Wire:
        return self._infix("mul", self, other)

    def __rmul__(self, other: Operand) -> Wire:
        return self._infix("mul", other, self)

    def __truediv__(self, other: Operand) -> Wire:
        return self._infix("div", self, other)

    def __rtruediv__(self, other: Operand) -> Wire:
        return self._infix("div", other, self)

    def __pow__(self, other: Operand) -> Wire:
        return self._infix("power", self, other)

    def __rpow__(self, other: Operand) -> Wire:
        return self._infix("power", other, self)

    def __matmul__(self, other: Operand) -> Wire:
        return self._infix("matmul", self, other)

    def __rmatmul__(self, other: Operand) -> Wire:
        return self._infix("matmul", other, self)

    def __neg__(self) -> Wire:
        return self._infix("neg", self)

    def __abs__(self) -> Wire:
        return self._infix("abs", self)

    def __and__(self, other: Operand) -> Wire:
        return self._infix("and", self, other)

    def __or__(self, other: Operand) -> Wire:
        return self._infix("or", self, other)

    __rand__, __ror__ = __and__, __or__

    def __floordiv__(self, other: Operand) -> Wire:
        return self._infix("floordiv", self, other)

    def __mod__(self, other: Operand) -> Wire:
        return self._infix("mod", self, other)

    __rfloordiv__, __rmod__ = __floordiv__, __mod__

    def __invert__(self) -> Wire:
        return self._infix("not", self)

    def __gt__(self, other: Operand) -> Wire:
        return self._infix("greater", self, other)

    def __lt__(self, other: Operand) -> Wire:
        return self._infix("less", self, other)

    def __ge__(self, other: Operand) -> Wire:
        return self._infix("greater_equal", self, other)

    def __le__(self, other: Operand) -> Wire:
        return self._infix("less_equal", self, other)

    # An equation of wires is a wire of truth values, where `object` promises a truth value: so it is in NumPy and its kin.
    def __eq__(self, other: object) -> Wire:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._infix("equal", self, other)

    def __ne__(self, other: object) -> Wire:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._infix("not_equal", self, other)

    __hash__ = object.__hash__

    def __getitem__(self, index: Index) -> Wire:
        return self._infix("getitem", self, index)

    def __len__(self) -> int:
        return self._infix("len", self)

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of its axes."""
        return self._infix("shape", self)

    @property
    def dtype(self) -> str:
        """The kind of its numbers."""
        return self._infix("dtype", self)

    @property
    def T(self) -> Wire:
        """Its axes in reverse order."""
        return self._infix("transpose", self)

    def sum(self, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Wire:
        """The sum over axes (all of them for None); with `keepdims` they stay, of length 1."""
        return self._infix("sum", self, axis, keepdims)

    def mean(self, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Wire:
        """The mean over axes (all of them for None); with `keepdims` they stay, of length 1."""
        return self._infix("mean", self, axis, keepdims)

    def max(self, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Wire:
        """The largest entry over axes (all of them for None); with `keepdims` they stay, of length 1."""
        return self._infix("max", self, axis, keepdims)

    def min(self, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Wire:
        """The smallest entry over axes (all of them for None); with `keepdims` they stay, of length 1."""
        return self._infix("min", self, axis, keepdims)

    def reshape(self, *shape: int) -> Wire:
        """The same entries, row-major, in another shape; one -1 is computed."""
        return self._infix("reshape", self, *shape)

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **_: Any) -> Any:
        """Numbers of NumPy on the left of an operator; other functions of NumPy have no wires to work on."""
        if method != "__call__" or ufunc.__name__ not in UFUNCS:
            raise self._no_numbers(ufunc)
        return self._infix(UFUNCS[ufunc.__name__], *args)

    def __array_function__(self, function: Any, *_: Any) -> Any:
        raise self._no_numbers(function)

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise WireError(f"this wire ({self.atom}) is no array of NumPy while the function is traced: use lg.ops in place of NumPy")

    def _no_numbers(self, function: Any) -> WireError:
        return WireError(f"NumPy's {function.__name__} works on numbers, and this wire ({self.atom}) has none yet: use lg.ops instead")

    def __float__(self) -> float:
        raise WireError(f"this wire ({self.atom}) has no number while the function is traced: use lg.ops in place of math and NumPy")

    __int__ = __index__ = __float__

    def __bool__(self) -> bool:
        raise WireError(
            f"this wire ({self.atom}) has no value while the function is traced, so `if`, `while`, `and` and `or` cannot "
            "read it; write select(condition, a, b) to choose between two wires"
        )

    def __iter__(self) -> Iterator[Wire]:
        raise WireError(f"this wire ({self.atom}) is one wire, not a group: index it with [i] or slice it to take it apart")

    def __repr__(self) -> str:
        return f"<wire {self.index}: {self.atom}>"


Operand = Wire | SupportsFloat  # what stands beside a wire: another one, or a number of Python or NumPy
Index = int | slice | tuple[int | slice, ...]
Wires = Wire | Sequence["Wires"]  # what a function on wires gives: one, or groups of them


class AnyWires(Protocol):
    """A function on wires, of any number of them and of groups of them."""

    # Two signatures that say one thing: a type checker that infers the arguments of a lambda looks at alternatives with one only,
    # and so finds those of `OnWires` that say what the arguments are.
    @overload
    def __call__(self, first: Any, /, *wires: Any, **named: Any) -> Wires: ...
    @overload
    def __call__(self, *wires: Any, **named: Any) -> Wires: ...


OnWires = (  # a function on wires; in a lambda, arguments are wires
    Callable[[], Wires]
    | Callable[[Wire], Wires]
    | Callable[[Wire, Wire], Wires]
    | Callable[[Wire, Wire, Wire], Wires]
    | Callable[[Wire, Wire, Wire, Wire], Wires]
    | Callable[[Wire, Wire, Wire, Wire, Wire], Wires]
    | AnyWires
)


def apply(op: Generator, args: Sequence[Any]) -> Any:
    """`op` on wires: one wire, or a tuple when the codomain is not one atom."""
    graph, wires = together(args, op)
    outs = graph.wires(graph.apply(op, wires))
    return outs[0] if len(outs) == 1 else outs


def atom_of(op: object, arg: Any, argument: str = "") -> Any:
    """The type of a wire, or an error for anything else; `argument` is what the message calls it where there are several."""
    if isinstance(arg, Wire):
        return arg.atom
    given = f"{op} must be applied to wires of a traced function, got {type(arg).__name__} {shown(arg)}{argument and f' as {argument}'}"
    raise WireError(f"{given}: make it an argument or a parameter, or ask lg.evaluate(…) for numbers")


def together(args: Sequence[Any], op: object = "this arrow") -> tuple[Graph, tuple[int, ...]]:
    """The graph that all these wires belong to, after copying closed ones (points I → A) into it."""
    for arg in args:
        if not isinstance(arg, Wire):
            atom_of(op, arg)
    graphs = {id(a.graph): a.graph for a in args}
    open_graphs = [g for g in graphs.values() if len(g.dom)]
    if len(open_graphs) > 1:
        raise WireError(f"{op} got wires of two different traced functions; pass them through one function's arguments")
    graph = open_graphs[0] if open_graphs else next(iter(graphs.values()), Graph(Ty()))
    return graph, tuple(_imported(graph, a) for a in args)


def _imported(graph: Graph, wire: Wire) -> int:
    if wire.graph is graph:
        return wire.index
    nodes, outs = wire.graph.canonical([wire.index])
    return graph.inline(nodes, outs, ())[0]


def rule_of(op: Generator, name: str, source: str) -> Any:
    """The method `name` of a generator, or an error that names the generator and the transformation."""
    rule = getattr(op, name, None)
    if rule is None:
        raise NoRule(f"{op.name} has no {source}: give class {type(op).__name__} a method `{name}`, or keep it out of the arrow")
    return rule


def same(what: str, *atoms: Any) -> Any:
    """The one atom that all of these are; raises `TypeMismatch` otherwise."""
    if any(a != atoms[0] for a in atoms[1:]):
        raise TypeMismatch(f"{what} expects equal types, got {', '.join(map(str, atoms))}")
    return atoms[0]
