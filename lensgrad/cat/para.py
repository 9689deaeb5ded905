"""Parametric arrows over any category with `assemble`: Para(C), and Para(Lens(C)) (arXiv 2404.00408, sections 2.1, 2.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from lensgrad.cat.body import Body, Observable
from lensgrad.cat.build import Block, Program, build, joined
from lensgrad.cat.elsewhere import ELSEWHERE
from lensgrad.cat.lens import Lens, Pair, silent, two
from lensgrad.cat.names import Param, Role, Together, Where, select, unique
from lensgrad.cat.structure import category, one_category
from lensgrad.core import checks
from lensgrad.core.calls import elsewhere
from lensgrad.core.chain import Pending, Tensor, Then, walk
from lensgrad.core.diagram import Composed, Diagram, Family, at, unlike
from lensgrad.core.errors import BadValue, Piece, TypeMismatch, WireError, caller, listed, mismatch
from lensgrad.core.graph import OnWires
from lensgrad.core.printed import few, printable
from lensgrad.core.trace import called, trace
from lensgrad.core.ty import Ty, product

Points = Sequence[tuple[tuple[int, ...], "Para"]]  # groups of parameters, by position, and the point for each
Ends = tuple[Piece, Piece]  # what errors call the first and the last arrow of a chain
P = TypeVar("P", bound="Para")


class Para(Composed):
    """A parametric arrow (P, f : P ⊗ A → B ⊗ O) : A → B with labelled parameters P and observables O.

    Parameters stand in order of appearance; composing concatenates them, labels included, so composition is
    associative with names. Observables are results beside B that nobody composes with: losses, statistics, taps.
    `>>` and `@` check types at once and keep a pending chain, as diagrams do. A subclass may offer more methods: what is
    composed with one of its arrows is one of them, and equality does not look at classes.
    """

    __slots__ = ("_body", "_pending", "cod", "dom", "ends", "piece")

    def __init__(
        self, dom: Ty, cod: Ty, body: Body | None, pending: Pending | None = None, piece: Piece | None = None, ends: Ends | None = None
    ) -> None:
        self.dom, self.cod = dom, cod
        self.piece = piece or Piece("")
        self.ends = ends or (self.piece, self.piece)
        self._body, self._pending = body, pending
        if body is not None:
            given = body.ob @ dom, cod @ body.seen
            if (body.arrow.dom, body.arrow.cod) != given:
                raise TypeMismatch(f"this parametric arrow must be {given[0]} → {given[1]}, got {body.arrow.dom} → {body.arrow.cod}")

    if not TYPE_CHECKING:

        def __getattr__(self, name):
            raise elsewhere(self, name, ELSEWHERE)

    # -- making ----------------------------------------------------------------------------------------------------
    @classmethod
    def make(cls, params: Iterable[Param], arrow: Any, cod: Ty | None = None, observables: Iterable[tuple[str, Ty]] = ()) -> Self:
        """From parameters and an arrow P ⊗ A → B ⊗ O."""
        params, observables = tuple(params), tuple(observables)
        used, seen = sum(len(p.ob) for p in params), sum(len(ob) for _, ob in observables)
        dom = Ty(arrow.dom.atoms[used:])
        cod = Ty(arrow.cod.atoms[: len(arrow.cod) - seen]) if cod is None else cod
        return cls(dom, cod, Body(params, arrow, observables), piece=Piece("", caller()))

    @classmethod
    def lift(cls, arrow: Any) -> Self:
        """C → Para(C): an arrow without parameters."""
        return cls(arrow.dom, arrow.cod, Body((), arrow), piece=arrow.shown() if isinstance(arrow, Diagram) else arrow.piece)

    @classmethod
    def of(cls, f: Para) -> Self:
        """The same arrow, in this class of parametric arrows."""
        return f if isinstance(f, cls) else cls(f.dom, f.cod, f._body, f._pending, f.piece, f.ends)

    def told(self, name: str, accept: str = "", produce: str = "") -> Self:
        """The same arrow with what errors should say about it; not compared."""
        return type(self)(self.dom, self.cod, self._body, self._pending, Piece(name, caller(), accept, produce))

    # -- looking ---------------------------------------------------------------------------------------------------
    @property
    def body(self) -> Body:
        if self._body is None:
            self._body = _composite(self)
            self._pending = None
        return self._body

    @property
    def params(self) -> tuple[Param, ...]:
        return self.body.params

    @property
    def arrow(self) -> Any:
        return self.body.arrow

    @property
    def observables(self) -> tuple[tuple[str, Ty], ...]:
        return self.body.observables

    @property
    def names(self) -> tuple[str, ...]:
        """The unique names of the parameters, computed from the whole list of labels."""
        return unique([p.label for p in self.params])

    # -- composing -------------------------------------------------------------------------------------------------
    def then(self, *others: Para) -> Self:
        """(P, f) ; (Q, g) = (P ⊗ Q, (p, q, a) ↦ g(q, f(p, a))); P comes first here, as it is read."""
        last = self
        for g in others:
            if last.cod != g.dom:
                raise mismatch(last.ends[1], str(last.cod), g.ends[0], str(g.dom))
            last = g
        return _kind((self, *others))(self.dom, last.cod, None, Then((self, *others)), ends=(self.ends[0], last.ends[1]))

    def tensor(self, *others: Para) -> Self:
        """(P, f) ⊗ (Q, g) = (P ⊗ Q, …) : A ⊗ C → B ⊗ D."""
        parts = (self, *others)
        return _kind(parts)(product(p.dom for p in parts), product(p.cod for p in parts), None, Tensor(parts))

    def __rshift__(self, other: Arrow) -> Self:
        right = _lifted(at(other, self.cod))
        if not isinstance(right, Para):
            raise unlike(self, ">>", other)
        return self.then(right)

    def __rrshift__(self, other: Diagram | Lens) -> Self:
        left = _lifted(other)
        if not isinstance(left, Para):
            raise unlike(other, ">>", self)
        return self.of(left).then(self)

    def __matmul__(self, other: Para | Diagram | Lens | Ty) -> Self:
        right = _lifted(Diagram.id(other) if isinstance(other, Ty) else other)
        if not isinstance(right, Para):
            raise unlike(self, "@", other)
        return self.tensor(right)

    def __rmatmul__(self, other: Diagram | Lens | Ty) -> Self:
        left = _lifted(Diagram.id(other) if isinstance(other, Ty) else other)
        if not isinstance(left, Para):
            raise unlike(other, "@", self)
        return self.of(left).tensor(self)

    def __call__(self, *args: Any) -> Any:
        """Apply to wires inside a traced function, where it has no parameters."""
        if self.params:
            has = f"this parametric arrow has parameters ({listed(self.names)}), so it is composed with >>, not called"
            raise WireError(f"{has}: run.predict(x) gives the numbers of a trained model, lg.evaluate(f, x, values=…) of any")
        return self.arrow(*args)

    # -- changing parameters ---------------------------------------------------------------------------------------
    def scope(self, name: str) -> Self:
        """The same arrow with `name/` before every label."""
        body, name = self.body, checks.path("a scope", name)
        params = tuple(replace(p, label=f"{name}/{p.label}") for p in body.params)
        seen = tuple((f"{name}/{label}", ob) for label, ob in body.observables)
        ends = self.ends[0].scoped(name), self.ends[1].scoped(name)
        return type(self)(self.dom, self.cod, Body(params, body.arrow, seen), piece=self.piece.scoped(name), ends=ends)

    def reparam(self, points: Places) -> Self:
        """The 2-cell: precompose parameters with arrows into them, f^α(q, a) = f(α(q), a).

        `points` says where (a name, a glob, a role, or a tuple of names taken together) and what: a `Para` from I to the
        parameter, whose own parameters take its place, a function of the replaced parameters that gives it, or a tuple of
        such points, one for each place reached. A point that is `joint` takes all places that its pattern reaches as one.
        Entries apply in the order written; f^α^β is the second applied to the result of the first.
        """
        return self._reparameterized(points)[0]

    def made(self, points: Places) -> dict[Where, tuple[Para, ...]]:
        """A reparameterization of this arrow as values only: f.reparam(points) == f.reparam(f.made(points))."""
        return self._reparameterized(points)[1]

    def _reparameterized(self, points: Places) -> tuple[Self, dict[Where, tuple[Para, ...]]]:
        checks.instance("a reparameterization", points, Mapping, "a dict of points by pattern, such as {lg.weights: lg.adam(0.1)}")
        result, ready = self, dict[Where, tuple[Para, ...]]()
        for given, point in points.items():
            where = grouped(given, point)
            groups = select(result.params, where)
            ready[where] = _points(point, where, [[result.params[i] for i in g] for g in groups])
            result = _reparam(result, list(zip(groups, ready[where], strict=True)))
        return result, ready

    def map(self, on_object: Callable[[Ty], Ty], on_arrow: Callable[[Any], Any]) -> Self:
        """Base change along a monoidal functor: Para(F)(P, f) = (FP, Ff); first values Key → P are arrows of C too."""
        body = self.body
        params = tuple(replace(p, ob=on_object(p.ob), init=None if p.init is None else on_arrow(p.init)) for p in body.params)
        seen = tuple((label, on_object(ob)) for label, ob in body.observables)
        whole = Body(params, on_arrow(body.arrow), seen)
        return type(self)(on_object(self.dom), on_object(self.cod), whole, piece=self.piece, ends=self.ends)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Para):
            return NotImplemented
        return (self.dom, self.cod) == (other.dom, other.cod) and self.body == other.body

    def __hash__(self) -> int:
        return hash((self.dom, self.cod, self.body))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.dom, self.cod, self.body, None, self.piece, self.ends)

    def __str__(self) -> str:
        return printable(repr(self))

    def __repr__(self) -> str:
        return f"<parametric arrow {self.dom} → {self.cod} with {few(self.names) or 'no parameters'}>"


Arrow = Diagram | Lens | Para | Family  # whatever composes with >>
# An arrow from I, a function of the replaced parameters that gives one, or several of these; and what is put where.
Point = Arrow | Callable[..., Para] | tuple["Point", ...]
Places = Mapping[str, Point] | Mapping[Role, Point] | Mapping[tuple[str, ...], Point] | Mapping[Where, Point]


@overload
def para(arrow: Diagram | Lens | Para) -> Para: ...
@overload
def para(arrow: Any) -> Any: ...
def para(arrow: Any) -> Any:
    """A plain arrow of C as a parametric one; anything else as it is."""
    return _lifted(arrow)


def _lifted(arrow: Any) -> Any:
    return Para.lift(arrow) if isinstance(arrow, Diagram | Lens) else arrow


def _kind(parts: Iterable[Para]) -> type[Any]:
    """The class of what these make together: the first of those that are furthest from Para."""
    return max((type(f) for f in parts), key=lambda kind: len(kind.__mro__))


def _composite(root: Para) -> Body:
    """(g ∘ f)(q, p, a) = g(q, f(p, a)) for a whole tree of `>>` and `@` at once: `value` is f(p, a), and its a is what came before f."""
    apply, met = Program(), list[tuple[Body, Block, Block]]()

    def value(f: Para, a: Sequence[int]) -> Sequence[int]:
        p = apply.input(f.body.ob)
        b, seen = apply(f.arrow, p, Block(f.dom, tuple(a))).parts(f.cod, f.body.seen)
        met.append((f.body, p, seen))
        return b.wires

    a = apply.input(root.dom)
    b = Block(root.cod, tuple(walk(root, a.wires, _waiting, value)))
    bodies, ps, seen = zip(*met, strict=True)
    arrow = apply.arrow(one_category([body.arrow for body in bodies]), [*ps, a], [b, *seen])
    return Body(_params(bodies), arrow, _observables(bodies))


def _waiting(f: Para) -> Pending | None:
    return f._pending if f._body is None else None  # pyright: ignore[reportPrivateUsage]


def _params(parts: Iterable[Body]) -> tuple[Param, ...]:
    return tuple(p for f in parts for p in f.params)


def _observables(parts: Iterable[Body]) -> tuple[Observable, ...]:
    return tuple(o for f in parts for o in f.observables)


def grouped(where: Where, point: Point) -> Where:
    """Where a point is put: a joint one takes what its pattern reaches as one group."""
    group = type(where) in (Together, tuple)
    return Together(where) if getattr(point, "joint", False) and not group else where


def _points(point: Point, where: Any, replaced: Sequence[list[Param]]) -> tuple[Para, ...]:
    """One point for each group of parameters: the same for all, or as many as there are groups."""
    given: list[Point] = list(point) if isinstance(point, tuple) else [point] * len(replaced)  # pyright: ignore[reportUnknownArgumentType]
    if len(given) != len(replaced):
        told = where.value if isinstance(where, Role) else where
        reached = f"{len(given)} points are given for '{told}', which reaches {len(replaced)}"
        raise TypeMismatch(f"{reached}: give one for each place, or one for all")
    return tuple(_point(p, params) for p, params in zip(given, replaced, strict=True))


def _point(point: Point, replaced: list[Param]) -> Para:
    """The point of a reparameterization, checked against the parameters it replaces."""
    ready = isinstance(point, Para | Diagram | Lens | Family)
    made = para(at(point, Ty()) if ready else called(point, "a reparameterization", replaced) if callable(point) else point)
    wanted, names = product(p.ob for p in replaced), ", ".join(p.label for p in replaced)
    if not isinstance(made, Para):
        given = f"a function: call {getattr(point, '__name__', 'it')}(…) first" if callable(made) else f"{made!r:.60}"
        raise TypeMismatch(f"the reparameterization of {names} must give a parametric arrow I → {wanted}, got {given}")
    if (made.dom, made.cod) != (Ty(), wanted):
        raise TypeMismatch(f"the reparameterization of {names} must be I → {wanted}, got {made.dom} → {made.cod}")
    return made


def _reparam(f: P, points: Points) -> P:
    """f^α(q, a) = f(α(q), a), with α the points at their places and the identity elsewhere."""
    alpha = _Substitution(f.params, points)

    def formula(apply: Program, q: Block, a: Block) -> tuple[Block, ...]:
        p, told = alpha(apply, q)
        b, seen = apply(f.arrow, p, a).parts(f.cod, f.body.seen)
        return b, seen, told

    arrow = build(category(f.arrow), formula, product(point.ob for point in alpha.points), f.dom)
    body = Body(_params(alpha.points), arrow, _observables([f.body, *alpha.points]))
    return type(f)(f.dom, f.cod, body, piece=f.piece, ends=f.ends)


class _Substitution:
    """α : Q → P ⊗ O, given by points for some groups of parameters, each at the place of its first member."""

    def __init__(self, params: Sequence[Param], points: Points) -> None:
        first = {group[0]: (group, point.body) for group, point in points}
        later = {i for group, _ in points for i in group[1:]}
        places = [first.get(i, ((i,), Body((p,), None))) for i, p in enumerate(params) if i not in later]
        self.groups, self.points = [g for g, _ in places], [point for _, point in places]
        self.wanted = [p.ob for p in params]

    def __call__(self, apply: Program, q: Block) -> tuple[Block, Block]:
        """The value of P and the observables at a value of Q."""
        p, told = dict[int, Block](), list[Block]()
        for group, point, own in zip(self.groups, self.points, q.parts(*(point.ob for point in self.points)), strict=True):
            value = own if point.arrow is None else apply(point.arrow, own)
            *pieces, seen = value.parts(*(self.wanted[i] for i in group), point.seen)
            p.update(zip(group, pieces, strict=True))
            told.append(seen)
        return joined(p[i] for i in range(len(p))), joined(told)


PORTS = "a list of parameters or of pairs (name, object)"


def port(given: Any) -> Param:
    """A parameter as it is, or one of its name and object."""
    if isinstance(given, tuple) and len(given) == 2:  # pyright: ignore[reportUnknownArgumentType]
        return Param(*given)  # pyright: ignore[reportUnknownArgumentType]
    return checks.instance("each parameter of an arrow", given, Param, "a parameter or a pair (name, object)")


def parametric(params: Iterable[tuple[str, Ty] | Param], dom: Ty, fn: OnWires) -> Para:
    """A parametric arrow written as a function on wires: fn(p₁, …, pₙ, a), each object grouped."""
    ports = [port(p) for p in checks.listing("the parameters of an arrow", params, PORTS)]
    checks.instance("what a parametric arrow takes", dom, Ty, "an object, such as lg.Real(3)")
    return Para.make(ports, trace(fn, *(p.ob for p in ports), dom) if len(dom) else trace(fn, *(p.ob for p in ports)))


def corner(ob: Ty, label: str, role: Role = Role.DATA) -> Para:
    """η : I → A, the parametric arrow whose parameter is its value; the paper's corner (arXiv 2404.00408, section 4)."""
    checks.instance("what a corner gives", ob, Ty, "an object, such as lg.Real(3)")
    return Para(Ty(), ob, Body((Param(label, ob, role),), Diagram.id(ob)), piece=Piece(label, caller()))


def observe(label: str, ob: Ty) -> Para:
    """A → A with the observable `label` equal to its value."""
    checks.instance("what is observed", ob, Ty, "an object, such as lg.Real(3)")
    return Para(ob, ob, Body((), Diagram.copy(ob), ((label, ob),)), piece=Piece(label))


def parametrized(what: str, f: Any) -> Para:
    """A parametric arrow, or a plain one as such; an error for a family, which has no type yet, and for anything else."""
    found = para(f)
    if isinstance(found, Family):
        raise TypeMismatch(f"{found.name} has no type before it meets one: begin with lg.input(…), or give it its object with .at(…)")
    return checks.instance(what, found, Para, "a model, or another parametric arrow")


def share(f: P, times: int = 2) -> P:
    """f ⊗ … ⊗ f with one set of parameters: reparameterized along copy, whose reverse is +."""
    copies = checks.whole("the number of copies that share", times, 1)
    if copies > 2**20:
        raise BadValue(f"{checks.shown(times)} copies that share are more than a program can write out: 2^20 at most")
    given: Any = parametrized("what is shared", f)
    return shared(*[given] * copies)


def shared(first: P, *others: P) -> P:
    """f₁ ⊗ … ⊗ fₙ of arrows with the same parameters, with one set of these."""
    strange = [f for f in others if [p.ob for p in f.params] != [p.ob for p in first.params]]
    if strange:
        raise TypeMismatch(f"arrows share parameters of the same types in the same order, got {first!r} and {strange[0]!r}")
    n, times = len(first.params), 1 + len(others)
    groups = [tuple(i + k * n for k in range(times)) for i in range(n)]
    tied = [Para.make((p,), Diagram.copy(p.ob, times)) for p in first.params]
    return _reparam(first.tensor(*others), list(zip(groups, tied, strict=True)))


def lens(f: Para) -> Para:
    """Para(R) : Para(C) → Para(Lens(C)) (arXiv 2404.00408, equation 8).

    Every parameter A becomes (A, ΔA); observables become (O, I), which nothing flows back into.
    """
    f = parametrized("what lens takes", f)
    body = f.body
    params = tuple(replace(p, ob=two(p.ob)) for p in body.params)
    seen = tuple((label, silent(ob)) for label, ob in body.observables)
    dom, cod = two(f.dom), two(f.cod)
    arrow = Lens.of(body.arrow, product(p.ob for p in params) @ dom, cod @ product(ob for _, ob in seen))
    return Para(dom, cod, Body(params, arrow, seen), piece=f.piece, ends=f.ends)


__all__ = ["Pair", "Para", "Param", "Role", "corner", "lens", "observe", "para", "parametric", "parametrized", "share", "shared"]
