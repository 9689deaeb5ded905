"""Arrows of the free Cartesian category, as canonical straight-line programs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn, Protocol, TypeVar, overload

from lensgrad.core import checks
from lensgrad.core.chain import Pending, Tensor, Then, walk
from lensgrad.core.drawing import Drawn
from lensgrad.core.errors import Piece, TypeMismatch, mismatch
from lensgrad.core.graph import Generator, Graph, Node, Wire, atom_of, together
from lensgrad.core.op import Op, generator
from lensgrad.core.printed import printable
from lensgrad.core.sealed import Sealed
from lensgrad.core.show import listing
from lensgrad.core.ty import I, Ty, product

T = TypeVar("T", covariant=True)
Form = tuple[tuple[Node, ...], tuple[int, ...]]  # nodes and outputs


class Composed(Drawn, Sealed):
    """What composes with `>>` and `@`, and says so when it meets an operator of numbers."""

    __slots__ = ()

    def __add__(self, other: Any) -> NoReturn:
        fix = "residual(f) is x + f(x), and fork(f, g) >> add() is f(x) + g(x)"
        raise TypeMismatch(f"layers and arrows have no + of their own: write f >> g for one after the other; {fix}")

    def __or__(self, other: Any) -> NoReturn:
        raise TypeMismatch("layers and arrows are put together with >>: write f >> g for one after the other, f @ g for side by side")

    def __getitem__(self, where: Any) -> NoReturn:
        fix = "upto(model, 'hidden') is the part up to a layer, and sequential(*layers[:2]) the first two of a list"
        raise TypeMismatch(f"layers and arrows have no parts by number: {fix}")

    def __iter__(self) -> NoReturn:
        raise TypeMismatch("layers and arrows are no lists, so nothing goes through their parts: .params and .nodes are tuples")

    def __rrshift__(self, other: Any) -> Any:
        raise unlike(other, ">>", self)

    def __rmatmul__(self, other: Any) -> Any:
        raise unlike(other, "@", self)

    __radd__ = __add__
    __ror__ = __or__
    __array_ufunc__ = None  # an array that meets an arrow leaves the answer to the arrow


def unlike(left: Any, sign: str, right: Any) -> TypeMismatch:
    """The error for an operator of arrows that meets something else."""
    strange = left if isinstance(right, Composed) and not isinstance(left, Composed) else right
    fix = ": lg.sequential(f, g) takes plain functions too" if callable(strange) and not isinstance(strange, Composed) else ""
    return TypeMismatch(f"{sign} puts two layers or arrows together, got {checks.shown(left)} {sign} {checks.shown(right)}{fix}")


def answers(right: Any, method: str) -> bool:
    """Whether something else than a number or an array says itself what it is beside an arrow."""
    return hasattr(right, "dom") and hasattr(right, method)


class Follows(Protocol[T]):
    """An arrow of a category over this one, which says itself what it is after a diagram."""

    def __rrshift__(self, other: Diagram, /) -> T: ...


class Beside(Protocol[T]):
    """An arrow of a category over this one, which says itself what it is beside a diagram."""

    def __rmatmul__(self, other: Diagram, /) -> T: ...


class Diagram(Composed):
    """An arrow `dom → cod`, immutable. `==` is equality of arrows of the free Cartesian category.

    `nodes` and `outs` are its canonical form: wires are integers, inputs first, then the outputs of each node in
    order. Identities, copies, discards and swaps have no nodes. `f >> g` composes, `f @ g` is ⊗ (an object in it
    stands for its identity); both check types at once and compute nothing until the form is looked at.
    """

    __slots__ = ("_ends", "_form", "_hash", "_pending", "cod", "dom", "piece")

    def __init__(self, dom: Ty, cod: Ty, form: Form | None, pending: Pending | None = None, piece: Piece | None = None) -> None:
        self.dom = dom
        self.cod = cod
        self.piece = piece or Piece("")
        self._form = form
        self._pending = pending
        self._hash: int | None = None
        self._ends: tuple[Diagram, Diagram] = (self, self)

    # -- structure -------------------------------------------------------------------------------------------------
    @classmethod
    def wiring(cls, dom: Ty, outs: Iterable[int]) -> Diagram:
        """The arrow that sends its inputs, by number, to its outputs: identities, copies, discards, swaps."""
        outs = tuple(outs)
        return cls(dom, Ty(tuple(dom[o] for o in outs)), ((), outs))

    @classmethod
    def id(cls, dom: Ty) -> Diagram:
        """1 : A → A."""
        return cls.wiring(dom, range(len(dom)))

    @classmethod
    def copy(cls, dom: Ty, times: int = 2) -> Diagram:
        """Δ : A → A ⊗ … ⊗ A."""
        return cls.wiring(dom, list(range(len(dom))) * times)

    @classmethod
    def discard(cls, dom: Ty) -> Diagram:
        """! : A → I."""
        return cls.wiring(dom, ())

    @classmethod
    def swap(cls, a: Ty, b: Ty) -> Diagram:
        """σ : A ⊗ B → B ⊗ A."""
        return cls.wiring(a @ b, [*range(len(a), len(a) + len(b)), *range(len(a))])

    @classmethod
    def of(cls, op: Generator, *dom: Ty) -> Diagram:
        """A generator as an arrow, at a given domain."""
        whole = product(dom)
        cod = op.type(*whole)
        node = Node(op, tuple(range(len(whole))), cod)
        outs = tuple(range(len(whole), len(whole) + len(cod)))
        return cls(whole, cod, ((node,), outs) if len(cod) else ((), ()))

    @classmethod
    def assemble(cls, dom: Ty, steps: Iterable[tuple[Diagram, Sequence[int]]], outs: Sequence[int]) -> Diagram:
        """The straight-line program that applies each arrow in turn to wires by number."""
        graph = Graph(dom)
        env = list(range(len(dom)))
        for f, args in steps:
            env.extend(f.run(graph, [env[a] for a in args]))
        return cls.finish(graph, [env[o] for o in outs])

    @classmethod
    def finish(cls, graph: Graph, outs: Sequence[int]) -> Diagram:
        """The canonical arrow of a grown graph with these outputs."""
        cod = Ty(tuple(graph.types[o] for o in outs))
        return cls(graph.dom, cod, graph.canonical(outs))

    # -- composition -----------------------------------------------------------------------------------------------
    def then(self, *others: Diagram) -> Diagram:
        """f ; g ; … : types are checked here, nodes are computed when looked at."""
        last = self
        for g in others:
            if last.cod != g.dom:
                raise mismatch(last._ends[1].shown(), str(last.cod), g._ends[0].shown(), str(g.dom))
            last = g
        made = Diagram(self.dom, last.cod, None, Then((self, *others)))
        made._ends = (self._ends[0], last._ends[1])
        return made

    def tensor(self, *others: Diagram) -> Diagram:
        """f ⊗ g ⊗ … : side by side."""
        parts = (self, *others)
        return Diagram(product(p.dom for p in parts), product(p.cod for p in parts), None, Tensor(parts))

    @overload
    def __rshift__(self, other: Diagram) -> Diagram: ...
    @overload
    def __rshift__(self, other: Family) -> Composed: ...
    @overload
    def __rshift__(self, other: Follows[T]) -> T: ...
    def __rshift__(self, other: Any) -> Any:
        other = at(other, self.cod)
        if isinstance(other, Diagram):
            return self.then(other)
        lifted = getattr(other, "__rrshift__", None)  # the member of a family may live in a category over this one
        if lifted is None or not (isinstance(other, Composed) or answers(other, "__rrshift__")):
            raise unlike(self, ">>", other)
        return lifted(self)

    @overload
    def __matmul__(self, other: Diagram | Ty) -> Diagram: ...
    @overload
    def __matmul__(self, other: Beside[T]) -> T: ...
    def __matmul__(self, other: Any) -> Any:
        other = Diagram.id(other) if isinstance(other, Ty) else other
        if isinstance(other, Diagram):
            return self.tensor(other)
        if isinstance(other, Family) or not answers(other, "__rmatmul__"):
            raise unlike(self, "@", other)
        return NotImplemented

    def __rmatmul__(self, other: Any) -> Diagram:
        if not isinstance(other, Ty):
            raise unlike(other, "@", self)
        return Diagram.id(other).tensor(self)

    def __call__(self, *args: Any) -> Any:
        """Apply to wires inside a traced function; a group of wires may be given as a tuple."""
        graph, wires = together(flatten(args), self.shown().shown)
        given = Ty(tuple(graph.types[w] for w in wires))
        if given != self.dom:
            raise TypeMismatch(f"{self.shown().shown} expects {self.dom}, got {given}")
        outs = graph.wires(self.run(graph, wires))
        return outs[0] if len(outs) == 1 else outs

    # -- the canonical form ----------------------------------------------------------------------------------------
    @property
    def nodes(self) -> tuple[Node, ...]:
        return self.form()[0]

    @property
    def outs(self) -> tuple[int, ...]:
        return self.form()[1]

    def form(self) -> Form:
        """Canonical nodes and outputs; computed once, iteratively, for a whole chain of compositions."""
        if self._form is None:
            graph = Graph(self.dom)
            self._form = graph.canonical(self.run(graph, range(len(self.dom))))
            self._pending = None
        return self._form

    def run(self, graph: Graph, wires: Sequence[int]) -> list[int]:
        """Grow `graph` by this arrow applied to `wires`."""

        def visit(f: Diagram, inputs: list[int]) -> list[int]:
            return graph.inline(*f.form(), inputs)

        def pending(f: Diagram) -> Pending | None:
            return f._pending if f._form is None else None

        return walk(self, wires, pending, visit)

    def named(self, name: str, where: str = "", accept: str = "", produce: str = "") -> Diagram:
        """The same arrow with what errors should say about it; not compared."""
        return Diagram(self.dom, self.cod, self._form, self._pending, Piece(name, where, accept, produce))

    def define(self, name: str, predict: Diagram | None = None) -> Diagram:
        """The same arrow as one named box (a `Definition`), with what stands for it when predicting."""
        return Diagram.of(Definition(name, self, predict), self.dom).named(name)

    def shown(self) -> Piece:
        """What an error calls this arrow: its given name, or its only generator, or its type."""
        if self.piece.name:
            return self.piece
        if self._form is not None and len(self._form[0]) == 1:
            return Piece(self._form[0][0].op.name)
        return Piece(f"({self.dom} → {self.cod})")

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Diagram):
            return NotImplemented
        return self.dom == other.dom and self.outs == other.outs and self.nodes == other.nodes

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash((self.dom, self.outs, self.nodes))
        return self._hash

    def __reduce__(self) -> tuple[Any, ...]:
        return Diagram, (self.dom, self.cod, self.form(), None, self.piece)

    def __str__(self) -> str:
        return printable(listing(self))

    def __repr__(self) -> str:
        return f"<arrow {self.dom} → {self.cod}>"


def boxed(body: Diagram, dom: tuple[Any, ...], what: str) -> Ty:
    """The codomain of a generator that stands for `body`, after checking its inputs."""
    if Ty(dom) != body.dom:
        raise TypeMismatch(f"{what} expects {body.dom}, got {Ty(dom)}")
    return body.cod


@generator
class Definition(Op):
    """A named arrow, transparent to every transformation: pictures show one box, `unfold` shows the body.

    `predict`, of the type of `body`, stands for the box when predicting (dropout ↦ 1); `learn.predict` is that functor.
    """

    label: str
    body: Diagram
    predict: Diagram | None = None

    def __init__(self, *values: Any, **named: Any) -> None:
        super().__init__(*values, **named)
        checks.path("the name of a box", self.label)

    def type(self, *dom: Any) -> Ty:
        other = self.predict
        if other is not None and (other.dom, other.cod) != (self.body.dom, self.body.cod):
            told = f"{other.dom} → {other.cod} is not {self.body.dom} → {self.body.cod}"
            raise TypeMismatch(f"{self.label} must have one type when training and when predicting: {told}")
        return boxed(self.body, dom, self.label)

    @property
    def name(self) -> str:
        return self.label

    def __str__(self) -> str:
        return self.label


@generator
class Recompute(Op):
    """The arrow `body` as one generator that no transformation unfolds before execution.

    Its reverse evaluates the body again instead of keeping its inner wires: gradient checkpointing. It has the
    value and the reverse derivative of `body`, at other costs (arXiv 2404.00408, lens composition read literally).
    """

    body: Diagram

    def type(self, *dom: Any) -> Ty:
        return boxed(self.body, dom, "recompute")

    def reverse_through(self, R: Callable[[Diagram], Diagram]) -> Diagram:
        """A × ΔB → ΔA: R of the body, as one generator that evaluates the body again."""
        pulled = R(self.body)
        return Diagram.of(Recompute(pulled), pulled.dom)

    def __str__(self) -> str:
        return f"Recompute({len(self.body.nodes)} nodes)"


def at(arrow: Any, dom: Any) -> Any:
    """An arrow as it is; a family of arrows at the object `dom`."""
    return arrow.at(dom) if isinstance(arrow, Family) else arrow


class Family(Composed):
    """An arrow that has no type until it meets one: `relu`, `mean`, `dense(10)`. `f >> relu` is `f >> relu.at(f.cod)`.

    Families compose with `>>` into families, so `dense(20) >> relu` is a layer.
    """

    def __init__(self, name: str, build: Callable[[Any], Any], doc: str | None = None) -> None:
        self.name = checks.name("the name of a layer", name, sys.maxsize)  # that of a chain is as long as the chain
        self.build = build
        if doc:
            self.__doc__ = doc

    def at(self, dom: Any) -> Any:
        """The member of the family with this domain."""
        return self.build(dom)

    def __rshift__(self, other: Composed) -> Family:
        if not isinstance(other, Composed) and not hasattr(other, "dom"):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise unlike(self, ">>", other)

        def build(dom: Any) -> Any:
            return self.at(dom) >> other

        return Family(f"{self.name} >> {other!r}", build)

    def __matmul__(self, other: Any) -> Any:
        raise unlike(self, "@", other)

    @overload
    def __call__(self) -> Family: ...
    @overload
    def __call__(self, first: Any, /, *rest: Any) -> Any: ...
    def __call__(self, *args: Any) -> Any:
        """Apply to wires inside a traced function; with nothing to apply it to, the family itself, so that `relu()` is `relu`."""
        if not args:
            return self
        graph, wires = together(on_wires(self.name, args), self.name)
        dom = Ty(tuple(graph.types[w] for w in wires))
        return self.at(dom)(*graph.wires(wires))

    def __repr__(self) -> str:
        return self.name


def on_wires(name: str, args: Sequence[Any]) -> list[Wire]:
    """Grouped wires as one flat list; an error names the whole argument that is none."""
    found = flatten(args)
    for arg in args if not found or not all(isinstance(w, Wire) for w in found) else ():
        if arg is None or (isinstance(arg, list) and not arg) or not all(isinstance(w, Wire) for w in flatten(arg)):
            atom_of(name, arg)
    return found


def flatten(values: Any) -> list[Any]:
    """Grouped wires as one flat list."""
    if isinstance(values, tuple | list):
        return [w for v in values for w in flatten(v)]  # pyright: ignore[reportUnknownVariableType]
    return [] if values is None else [values]


__all__ = ["Composed", "Definition", "Diagram", "Family", "I", "Recompute", "Wire", "at", "flatten"]
