"""Lenses over a Cartesian category: a way forward and a way back (arXiv 2404.00408, section 2.2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lensgrad.cat.build import Block, Formula, Program, build
from lensgrad.cat.reverse import plain, reverse
from lensgrad.cat.structure import category, change
from lensgrad.core.checks import shown
from lensgrad.core.diagram import Composed, Diagram, unlike
from lensgrad.core.drawing import Drawn
from lensgrad.core.errors import NotAReverse, Piece, TypeMismatch, mismatch
from lensgrad.core.sealed import Sealed
from lensgrad.core.ty import Ty, product


@dataclass(frozen=True, slots=True)
class Delta:
    """The nominal marker Δ: changes of an atom. It has the atom's operations and is not the atom."""

    atom: Any

    def __str__(self) -> str:
        return f"Δ{self.atom}"


@dataclass(frozen=True, slots=True)
class Pair:
    """An atom (A, A′) of Lens(C): A flows forward, A′ flows backward."""

    fwd: Ty
    bwd: Ty

    def __str__(self) -> str:
        return f"({self.fwd}, {self.bwd})"


def delta(ob: Ty) -> Ty:
    """ΔA with its markers; I for atoms without changes."""
    return Ty(tuple(Delta(change(a)) for a in ob if change(a) is not None))


def two(ob: Ty) -> Ty:
    """R on objects: A ↦ (A, ΔA), atom by atom."""
    return Ty(tuple(Pair(Ty((a,)), delta(Ty((a,)))) for a in ob))


def silent(ob: Ty) -> Ty:
    """A ↦ (A, I): what flows forward and receives nothing back."""
    return Ty(tuple(Pair(Ty((a,)), Ty()) for a in ob))


def updated(ob: Ty) -> Ty:
    """A ↦ (A, A): what comes back is the next value."""
    return Ty(tuple(Pair(Ty((a,)), Ty((a,))) for a in ob))


def pairs(what: str, ob: Any) -> Ty:
    """An object of Lens(C), which is made of pairs (A, A′)."""
    if not isinstance(ob, Ty) or not all(isinstance(p, Pair) for p in ob):
        told = "is made of pairs (A, A′), as two(A), silent(A) and updated(A) make them"
        raise TypeMismatch(f"the {what} of a lens {told}, got {ob if isinstance(ob, Ty) else shown(ob)}")
    return ob


def typed(arrow: Any) -> str:
    """The type of an arrow for a message, or what there is in its place."""
    return f"{arrow.dom} → {arrow.cod}" if hasattr(arrow, "dom") else shown(arrow)


def natural(ob: Ty) -> bool:
    """Whether each pair is (A, ΔA) or (A, I), so that a lens out of R may start or end here."""
    return all(not len(p.bwd) or p.bwd == delta(p.fwd) for p in ob)


def forward(ob: Ty) -> Ty:
    """The forward object of an object of Lens(C)."""
    return product(p.fwd for p in ob)


def backward(ob: Ty) -> Ty:
    """The backward object, without Δ markers: the type the arrows of C see."""
    return Ty(tuple(a.atom if isinstance(a, Delta) else a for p in ob for a in p.bwd))


class Lens(Drawn, Sealed):
    """(get, put) : (A, A′) → (B, B′) with get : A → B and put : A × B′ → A′ in C.

    No lens laws are asked, and no additivity of `put`: learning rates and optimizers are lenses too. A lens made by
    `Lens.of(f)` is an R-image, (f, R[f]); composites of R-images stay one arrow of C, so that R runs once, on the
    finished arrow. Objects are `Ty`s of `Pair`s. Equality is that of get, put, dom and cod. `plan` is how a composite of other
    lenses was wired, which pictures read.
    """

    __slots__ = ("_get", "_plan", "_primal", "_put", "cod", "dom", "piece")

    def __init__(self, dom: Ty, cod: Ty, get: Any, put: Any, name: str = "") -> None:
        self.dom, self.cod, self.piece = pairs("domain", dom), pairs("codomain", cod), Piece(name)
        self._get, self._put = get, put
        self._primal: Diagram | None = None
        self._plan: tuple[Plan, tuple[int, ...]] | None = None
        wanted = (forward(dom), forward(cod)), (forward(dom) @ backward(cod), backward(dom))
        for what, arrow, (a, b) in zip(("get", "put"), (get, put), wanted, strict=True):
            if arrow is not None and (getattr(arrow, "dom", None), getattr(arrow, "cod", None)) != (a, b):
                raise TypeMismatch(f"the {what} of a lens {dom} → {cod} must be {a} → {b}, got {typed(arrow)}")

    @classmethod
    def of(cls, f: Diagram, dom: Ty | None = None, cod: Ty | None = None) -> Lens:
        """R : C → Lens(C), f ↦ (f, R[f]) : (A, ΔA) → (B, ΔB) (arXiv 2404.00408, the functor R).

        With `dom` or `cod` given, atoms may be (A, I) instead: no change comes back into (or out of) them.
        """
        f = plain("a lens (f, R[f])", f)
        lens = cls(two(f.dom) if dom is None else dom, two(f.cod) if cod is None else cod, f, None)
        lens._primal = f
        return lens

    @property
    def get(self) -> Any:
        return self._get

    @property
    def put(self) -> Any:
        if self._put is None and self._primal is not None:
            into, seeded = ([bool(len(p.bwd)) for p in ob for _ in p.fwd] for ob in (self.dom, self.cod))
            self._put = reverse(self._primal, into, seeded)
        return self._put

    @property
    def primal(self) -> Diagram:
        """The arrow f with self = (f, R[f]); an error for lenses that are not made as R-images."""
        if self._primal is None:
            raise NotAReverse(
                f"{self.piece.name or 'this lens'} : {self.dom} → {self.cod} is not the reverse derivative of an arrow: its backward "
                "part is not additive in what comes back, as learning rates and optimizers are; use its get and put instead"
            )
        return self._primal

    @property
    def is_reverse(self) -> bool:
        """Whether this lens is (f, R[f]) by construction."""
        return self._primal is not None

    @property
    def plan(self) -> tuple[Plan, tuple[int, ...]] | None:
        """The lenses that this one was wired from, each with the wires it takes, and the wires that come out; None for one not wired."""
        return self._plan

    # -- structure -------------------------------------------------------------------------------------------------
    @classmethod
    def wiring(cls, dom: Ty, outs: Iterable[int]) -> Lens:
        """Permutations of (A, A′) ⊗ (B, B′) ⊗ … over the free Cartesian category."""
        return cls.assemble(dom, (), tuple(outs))

    @classmethod
    def id(cls, dom: Ty) -> Lens:
        """(1, π₁) : (A, A′) → (A, A′)."""
        return cls.wiring(dom, range(len(dom)))

    @classmethod
    def swap(cls, a: Ty, b: Ty) -> Lens:
        """σ : (A, A′) ⊗ (B, B′) → (B, B′) ⊗ (A, A′)."""
        return cls.wiring(a @ b, [*range(len(a), len(a) + len(b)), *range(len(a))])

    def then(self, *others: Lens) -> Lens:
        """get = f ; g and put(a, c′) = f*(a, g*(f(a), c′))."""
        parts, last = (self, *others), self
        for g in others:
            if last.cod != g.dom:
                raise mismatch(last.piece, str(last.cod), g.piece, str(g.dom))
            last = g
        middle = product(f.dom for f in others)
        if all(f.is_reverse for f in parts) and middle == two(forward(middle)):
            return Lens.of(self.primal.then(*(f.primal for f in others)), self.dom, last.cod)

        def formula(apply: Program, value: Block) -> list[Block]:
            for f in parts:
                value = apply(f, value)
            return [value]

        return build(Lens, formula, self.dom)

    def tensor(self, *others: Lens) -> Lens:
        """Side by side; the backward parts side by side as well."""
        parts = (self, *others)
        if all(f.is_reverse for f in parts):
            whole = self.primal.tensor(*(f.primal for f in others))
            return Lens.of(whole, product(f.dom for f in parts), product(f.cod for f in parts))

        def formula(apply: Program, *values: Block) -> list[Block]:
            return [apply(f, a) for f, a in zip(parts, values, strict=True)]

        return build(Lens, formula, *(f.dom for f in parts))

    def __rshift__(self, other: Any) -> Lens:
        if not isinstance(other, Lens | Composed):
            raise unlike(self, ">>", other)
        return self.then(other) if isinstance(other, Lens) else NotImplemented

    def __matmul__(self, other: Any) -> Lens:
        if not isinstance(other, Lens | Composed):
            raise unlike(self, "@", other)
        return self.tensor(other) if isinstance(other, Lens) else NotImplemented

    @classmethod
    def assemble(cls, dom: Ty, steps: Iterable[tuple[Lens, Sequence[int]]], outs: Sequence[int]) -> Lens:
        """Wire lenses together by number. Lens(C) does not copy: each wire is used once.

        The gets run in order and each once; then the puts run in the opposite order. If all lenses are R-images and
        everything between them carries its changes, the result is the R-image of the assembled arrow.
        """
        plan = list(steps)
        wires = list(dom) + [p for f, _ in plan for p in f.cod]
        _used_once(wires, plan, outs)
        cod = Ty(tuple(wires[o] for o in outs))
        inner = [wires[a] for _, args in plan for a in args if a >= len(dom)]
        images = all(f.is_reverse for f, _ in plan) and natural(dom)
        if images and Ty(tuple(inner)) == two(forward(Ty(tuple(inner)))):
            return cls.of(build(Diagram, _forward([f.primal for f, _ in plan], plan, outs), *ahead(dom)), dom, cod)
        base = category(plan[0][0].get) if plan else Diagram
        get = build(base, _forward([f.get for f, _ in plan], plan, outs), *ahead(dom))
        made = cls(dom, cod, get, build(base, _backward(plan, outs, len(dom)), *ahead(dom), *returning(cod)))
        made._plan = tuple((f, tuple(args)) for f, args in plan), tuple(outs)
        return made

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Lens):
            return NotImplemented
        if (self.dom, self.cod) != (other.dom, other.cod) or self.get != other.get:
            return False
        return (self._primal is not None and other._primal is not None) or self.put == other.put

    def __hash__(self) -> int:
        return hash((self.dom, self.cod, self.get))

    def __repr__(self) -> str:
        return f"<lens {self.piece.name} {self.dom} → {self.cod}>"


def _used_once(wires: Sequence[Any], plan: Plan, outs: Sequence[int]) -> None:
    uses = [a for _, args in plan for a in args] + list(outs)
    if sorted(uses) != list(range(len(wires))):
        raise TypeMismatch("lenses can be neither copied nor discarded: every wire between them is used exactly once")


def ahead(ob: Ty) -> list[Ty]:
    """A of each (A, A′)."""
    return [p.fwd for p in ob]


def returning(ob: Ty) -> list[Ty]:
    """A′ of each (A, A′), without Δ markers."""
    return [backward(Ty((p,))) for p in ob]


Plan = Sequence[tuple[Lens, Sequence[int]]]  # lenses in order, and the numbers of the wires that each takes


def _values(apply: Program, arrows: Iterable[Any], plan: Plan, given: Iterable[Block]) -> list[Block]:
    """The forward values of all wires of a plan."""
    values = list(given)
    for arrow, (f, args) in zip(arrows, plan, strict=True):
        values += apply(arrow, *(values[i] for i in args)).parts(*ahead(f.cod))
    return values


def _forward(arrows: Sequence[Any], plan: Plan, outs: Sequence[int]) -> Formula:
    """a ↦ g(f(a)) for a plan."""

    def formula(apply: Program, *a: Block) -> list[Block]:
        values = _values(apply, arrows, plan, a)
        return [values[o] for o in outs]

    return formula


def _backward(plan: Plan, outs: Sequence[int], n: int) -> Formula:
    """(a, c′) ↦ f*(a, g*(f(a), c′)) for a plan of n inputs: all gets in order, then all puts in the opposite order."""

    def formula(apply: Program, *given: Block) -> list[Block]:
        values = _values(apply, [f.get for f, _ in plan], plan, given[:n])
        back, last = dict(zip(outs, given[n:], strict=True)), len(values)
        for f, args in reversed(plan):
            last -= len(f.cod)
            came = [back[last + k] for k in range(len(f.cod))]
            gone = apply(f.put, *(values[i] for i in args), *came)
            back.update(zip(args, gone.parts(*returning(f.dom)), strict=True))
        return [back[i] for i in range(n)]

    return formula
