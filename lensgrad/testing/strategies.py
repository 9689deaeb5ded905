"""Hypothesis strategies for random arrows of every category, over either theory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any

from lensgrad.cat.body import Body
from lensgrad.cat.lens import Lens, Pair, backward, forward
from lensgrad.cat.names import Param
from lensgrad.cat.para import Para
from lensgrad.core.diagram import Diagram
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty, product
from lensgrad.testing.extras import hypothesis
from lensgrad.theories.poly import circuit
from lensgrad.theories.poly.semiring import LOGIC, Z2, Semiring, Z, min_plus, modulo, saturating
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, full

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

Step = Callable[["DrawFn", Sequence[Any]], Any]  # a new wire from those there are


@dataclass(frozen=True)
class Theory:
    """Where random arrows come from: some atoms, a constant of each, and steps that make new wires."""

    name: str
    atoms: tuple[Any, ...]
    point: Callable[[DrawFn, Any], Any]
    steps: tuple[Step, ...]


@cache
def below(n: int) -> SearchStrategy[int]:
    """0, …, n−1. Strategies are kept, since making one costs more than drawing from it."""
    return hypothesis().strategies.integers(0, n - 1)


def pick(draw: DrawFn, items: Sequence[Any]) -> Any:
    return items[draw(below(len(items)))]


def unary(*fns: Callable[[Any], Any]) -> Step:
    return lambda draw, wires: pick(draw, fns)(pick(draw, wires))


def binary(*fns: Callable[[Any, Any], Any]) -> Step:
    def step(draw: DrawFn, wires: Sequence[Any]) -> Any:
        x = pick(draw, wires)
        return pick(draw, fns)(x, pick(draw, [w for w in wires if w.atom == x.atom]))

    return step


SCALAR, PAIR = Array((), "float64"), Array((2,), "float64")


def resized(x: Any) -> Any:
    """A pair from a number, a number from a pair."""
    return ops.spread(x, (2,)) if x.atom == SCALAR else x[0]


def smooth_point(draw: DrawFn, atom: Array) -> Any:
    return full(float(draw(below(5)) - 2), atom)


SMOOTH = Theory(
    "Smooth",
    (SCALAR, PAIR),
    smooth_point,
    (
        unary(ops.tanh, ops.exp, ops.sin, lambda x: -x, lambda x: x * 0.5, lambda x: x**3, ops.relu),
        unary(resized, ops.sum_over, ops.flip),
        binary(lambda x, y: x + y, lambda x, y: x * y, lambda x, y: x - y, ops.maximum),
    ),
)


def poly(semiring: Semiring) -> Theory:
    """The theory of polynomial circuits over a semiring."""

    def point(draw: DrawFn, atom: Any) -> Any:
        return atom.constant(pick(draw, semiring.elements if semiring.finite else range(-3, 4)))

    def rewired(x: Any) -> Any:
        return circuit.gather(x, [0, 0]) if x.atom.size == 1 else circuit.total(x)

    steps = (
        binary(lambda x, y: x + y, lambda x, y: x * y),
        binary(lambda x, y: x * y),
        unary(rewired, lambda x: x + 1, lambda x: circuit.gather(x, list(reversed(range(x.atom.size))))),
    )
    return Theory(semiring.name, (circuit.Vector(semiring, 1), circuit.Vector(semiring, 2)), point, steps)


CIRCUITS = poly(Z2)
MONOTONE = poly(LOGIC)
THEORIES = (SMOOTH, CIRCUITS, MONOTONE)
RINGS = tuple(poly(s) for s in (Z, modulo(3), modulo(4), modulo(5), saturating(3), saturating(4), min_plus(8)))


def draw_object(draw: DrawFn, theory: Theory, largest: int = 2) -> Ty:
    """A random object of C."""
    return Ty(tuple(pick(draw, theory.atoms) for _ in range(draw(below(largest + 1)))))


def draw_pairs(draw: DrawFn, theory: Theory) -> Ty:
    """A random object of Lens(C)."""
    return Ty(tuple(Pair(draw_object(draw, theory, 1), draw_object(draw, theory, 1)) for _ in range(draw(below(3)))))


def draw_arrow(draw: DrawFn, theory: Theory, dom: Ty, cod: Ty, size: int = 4) -> Diagram:
    """A random arrow of C: up to `size` random steps, then outputs chosen among the wires of the right type."""

    def body(*wires: Any) -> Any:
        pool = [*wires, *(theory.point(draw, a) for a in theory.atoms)]
        for _ in range(draw(below(size + 1))):
            pool.append(pick(draw, theory.steps)(draw, pool))
        return tuple(pick(draw, [w for w in reversed(pool) if w.atom == a]) for a in cod)

    return trace(body, *(Ty((a,)) for a in dom))


def draw_lens(draw: DrawFn, theory: Theory, dom: Ty, cod: Ty) -> Lens:
    """A random lens: any get and any put."""
    get = draw_arrow(draw, theory, forward(dom), forward(cod), 2)
    return Lens(dom, cod, get, draw_arrow(draw, theory, forward(dom) @ backward(cod), backward(dom), 3))


@dataclass(frozen=True)
class World:
    """A category to draw from: objects, arrows between them, and whether arrows are parametric."""

    name: str
    object: Callable[..., Ty]
    arrow: Callable[..., Any]
    parametric: bool = False


WORLDS = (
    World("C", draw_object, draw_arrow),
    World("Lens(C)", draw_pairs, draw_lens),
    World("Para(C)", draw_object, draw_arrow, True),
    World("Para(Lens(C))", draw_pairs, draw_lens, True),
)


def draw_para(draw: DrawFn, world: World, theory: Theory, params: Sequence[Ty], dom: Ty, cod: Ty, labels: Any) -> Para:
    """A random parametric arrow with these parameters and at most one observable, all with fresh labels."""
    seen = [world.object(draw, theory) for _ in range(draw(below(2)))]
    arrow = world.arrow(draw, theory, product(params) @ dom, cod @ product(seen))
    named = tuple(Param(f"p{next(labels)}", ob) for ob in params)
    return Para(dom, cod, Body(named, arrow, tuple((f"o{next(labels)}", ob) for ob in seen)))


def instances(world: World, theory: Theory, shapes: Sequence[str]) -> SearchStrategy[tuple[Any, ...]]:
    """Random arrows for the types of a law: each letter one object, `P×A→B` with the parameter P."""

    @hypothesis().strategies.composite
    def drawn(draw: DrawFn) -> tuple[Any, ...]:
        known: dict[str, Ty] = {"I": Ty()}
        labels = count()

        def ob(letter: str) -> Ty:
            if letter not in known:
                known[letter] = world.object(draw, theory)
            return known[letter]

        def one(shape: str) -> Any:
            if "→" not in shape:
                return ob(shape)
            *given, dom = shape.split("→")[0].split("×")
            a, b = ob(dom), ob(shape.split("→")[1])
            if not world.parametric:
                return world.arrow(draw, theory, a, b)
            params = [ob(p) for p in given] or [world.object(draw, theory) for _ in range(draw(below(3)))]
            return draw_para(draw, world, theory, params, a, b, labels)

        return tuple(one(shape) for shape in shapes)

    return drawn()
