# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# (the two sides of a law are lambdas whose arguments are arrows of any category)
"""Axioms as data: each law a name, the arrows it speaks of, and its two sides.

A law of plumbing holds by `==`, in every category; a law of calculus holds after the exact functor of the theory. Tests
and `lensgrad check` put random arrows into all of them. RD.1-RD.7 are those of arXiv 1910.07065, in element form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from lensgrad.cat.lens import Lens, two
from lensgrad.cat.reverse import R, jvp
from lensgrad.cat.structure import changes
from lensgrad.core.diagram import Diagram, flatten
from lensgrad.core.trace import trace
from lensgrad.core.ty import I, Ty, product, split

Wires = list[Any]


class Holds(Enum):
    """How the two sides of a law are compared."""

    BY_SHARING = "=="
    IN_POLYNOMIALS = "exact"


@dataclass(frozen=True)
class Law:
    """`sides(category, *arrows)` gives two parallel arrows; `arrows` are their types, in letters that stand for objects.

    An entry without → is an object: the law receives it as it is.
    """

    name: str
    arrows: tuple[str, ...]
    sides: Callable[..., tuple[Any, Any]]
    holds: Holds = Holds.BY_SHARING


# -- categories, and symmetric monoidal ones ---------------------------------------------------------------------------

CATEGORY = (
    Law("associativity: (f;g);h = f;(g;h)", ("A→B", "B→C", "C→D"), lambda c, f, g, h: ((f >> g) >> h, f >> (g >> h))),
    Law("left unit: 1;f = f", ("A→B",), lambda c, f: (c.id(f.dom) >> f, f)),
    Law("right unit: f;1 = f", ("A→B",), lambda c, f: (f >> c.id(f.cod), f)),
)
TENSOR = (
    Law("⊗ is associative", ("A→B", "C→D", "E→F"), lambda c, f, g, h: ((f @ g) @ h, f @ (g @ h))),
    Law("⊗ has the unit I", ("A→B",), lambda c, f: (c.id(I) @ f @ c.id(I), f)),
    Law("1 ⊗ 1 = 1", ("A", "B"), lambda c, a, b: (c.id(a) @ c.id(b), c.id(a @ b))),
    Law("σ;σ = 1", ("A", "B"), lambda c, a, b: (c.swap(a, b) >> c.swap(b, a), c.id(a @ b))),
    Law(
        "hexagon: σ past A ⊗ B",
        ("A", "B", "C"),
        lambda c, a, b, d: (c.swap(a @ b, d), (c.id(a) @ c.swap(b, d)) >> (c.swap(a, d) @ c.id(b))),
    ),
)
INTERCHANGE = (
    Law(
        "interchange: (f;g)⊗(h;k) = (f⊗h);(g⊗k)",
        ("A→B", "B→C", "D→E", "E→F"),
        lambda c, f, g, h, k: ((f >> g) @ (h >> k), (f @ h) >> (g @ k)),
    ),
    Law(
        "σ is natural",
        ("A→B", "C→D"),
        lambda c, f, g: ((f @ g) >> c.swap(f.cod, g.cod), c.swap(f.dom, g.dom) >> (g @ f)),
    ),
)

# -- Cartesian and left-additive ---------------------------------------------------------------------------------------


def on_wires(fn: Callable[..., Any], *objects: Ty) -> Diagram:
    """`trace`, with every object arriving as a list of wires, however many atoms it has."""

    def flat(*wires: Any) -> Any:
        return fn(*map(list, split(wires, objects)))

    return trace(flat, *(Ty((a,)) for a in product(objects)))


def call(f: Diagram, *groups: Wires) -> Wires:
    """f on wires, its outputs as a list."""
    wires = [w for g in groups for w in g]
    return flatten(f(*wires)) if wires or (len(f.dom) == 0 and len(f.cod)) else []


def add(xs: Wires, ys: Wires) -> Wires:
    return [x + y for x, y in zip(xs, ys, strict=True)]


def zeros(ob: Ty) -> Wires:
    return [a.zero() for a in ob]


def plus(f: Diagram, g: Diagram) -> Diagram:
    """f + g, pointwise in a left-additive category: ⟨f, g⟩ ; +."""
    return on_wires(lambda x: add(call(f, x), call(g, x)), f.dom)


def zero(dom: Ty, cod: Ty) -> Diagram:
    """0 : A → B."""
    return on_wires(lambda x: zeros(cod), dom)


CARTESIAN = (
    Law("copy is associative", ("A",), lambda c, a: (c.copy(a) >> (c.copy(a) @ c.id(a)), c.copy(a) >> (c.id(a) @ c.copy(a)))),
    Law("copy has the unit discard", ("A",), lambda c, a: (c.copy(a) >> (c.discard(a) @ c.id(a)), c.id(a))),
    Law("copy is commutative", ("A",), lambda c, a: (c.copy(a) >> c.swap(a, a), c.copy(a))),
    Law("copy is natural: f;Δ = Δ;(f⊗f)", ("A→B",), lambda c, f: (f >> c.copy(f.cod), c.copy(f.dom) >> (f @ f))),
    Law("discard is natural: f;! = !", ("A→B",), lambda c, f: (f >> c.discard(f.cod), c.discard(f.dom))),
)
ADDITIVE = (
    Law("x;(f+g) = x;f + x;g", ("C→A", "A→B", "A→B"), lambda c, x, f, g: (x >> plus(f, g), plus(x >> f, x >> g))),
    Law("x;0 = 0", ("C→A", "B"), lambda c, x, b: (x >> zero(x.cod, b), zero(x.dom, b))),
    Law("f+g = g+f", ("A→B", "A→B"), lambda c, f, g: (plus(f, g), plus(g, f)), Holds.IN_POLYNOMIALS),
    Law(
        "(f+g)+h = f+(g+h)",
        ("A→B", "A→B", "A→B"),
        lambda c, f, g, h: (plus(plus(f, g), h), plus(f, plus(g, h))),
        Holds.IN_POLYNOMIALS,
    ),
    Law("f+0 = f", ("A→B",), lambda c, f: (plus(f, zero(f.dom, f.cod)), f), Holds.IN_POLYNOMIALS),
    Law(
        "projections are additive",
        ("A", "B"),
        lambda c, a, b: (
            on_wires(lambda x, y, u, v: add(x, u), a, b, a, b),
            plus(on_wires(lambda x, y, u, v: x, a, b, a, b), on_wires(lambda x, y, u, v: u, a, b, a, b)),
        ),
    ),
)

# -- the reverse derivative --------------------------------------------------------------------------------------------


def delta_of(f: Diagram) -> Ty:
    return changes(f.cod)


def rd1(c: Any, f: Diagram, g: Diagram) -> tuple[Diagram, Diagram]:
    return R(plus(f, g)), plus(R(f), R(g))


def rd2(c: Any, f: Diagram) -> tuple[Diagram, Diagram]:
    a, b = f.dom, delta_of(f)
    left = on_wires(lambda x, u, v: call(R(f), x, add(u, v)), a, b, b)
    return left, on_wires(lambda x, u, v: add(call(R(f), x, u), call(R(f), x, v)), a, b, b)


def rd2_zero(c: Any, f: Diagram) -> tuple[Diagram, Diagram]:
    return on_wires(lambda x: call(R(f), x, zeros(delta_of(f))), f.dom), zero(f.dom, changes(f.dom))


def rd3(c: Any, a: Ty, b: Ty) -> tuple[Diagram, Diagram]:
    first = on_wires(lambda x, y: x, a, b)
    return R(first), on_wires(lambda x, y, v: v + zeros(b), a, b, a)


def rd4(c: Any, f: Diagram, g: Diagram) -> tuple[Diagram, Diagram]:
    paired = c.copy(f.dom) >> (f @ g)
    right = on_wires(lambda x, u, v: add(call(R(f), x, u), call(R(g), x, v)), f.dom, delta_of(f), delta_of(g))
    return R(paired), right


def rd5(c: Any, f: Diagram, g: Diagram) -> tuple[Diagram, Diagram]:
    right = on_wires(lambda x, v: call(R(f), x, call(R(g), call(f, x), v)), f.dom, delta_of(g))
    return R(f >> g), right


def rd6(c: Any, f: Diagram) -> tuple[Diagram, Diagram]:
    a, b = f.dom, delta_of(f)
    forward = jvp(R(f))
    left = on_wires(lambda x, u, v: call(forward, x, u, zeros(changes(a)), v), a, b, b)
    return left, on_wires(lambda x, u, v: call(R(f), x, v), a, b, b)


def rd7(c: Any, f: Diagram) -> tuple[Diagram, Diagram]:
    a, v = f.dom, changes(f.dom)
    twice = jvp(jvp(f))
    return twice, on_wires(lambda x, p, q, r: call(twice, x, q, p, r), a, v, v, v)


def structure(image: Callable[[Any, Ty], Any], wanted: Callable[[Any, Ty], Any]) -> Callable[..., tuple[Any, Any]]:
    return lambda c, a: (R(image(c, a)), wanted(c, a))


REVERSE = (
    Law("RD.1: R[f+g] = R[f]+R[g]", ("A→B", "A→B"), rd1, Holds.IN_POLYNOMIALS),
    Law("RD.1: R[0] = 0", ("A", "B"), lambda c, a, b: (R(zero(a, b)), zero(a @ changes(b), changes(a)))),
    Law("RD.2: R[f](a, b+c) = R[f](a,b) + R[f](a,c)", ("A→B",), rd2, Holds.IN_POLYNOMIALS),
    Law("RD.2: R[f](a, 0) = 0", ("A→B",), rd2_zero, Holds.IN_POLYNOMIALS),
    Law("RD.3: R[1] = π₁", ("A",), structure(lambda c, a: c.id(a), lambda c, a: on_wires(lambda x, v: v, a, changes(a)))),
    Law("RD.3: R[π₀] = π₁;ι₀", ("A", "B"), rd3),
    Law("RD.4: R[⟨f,g⟩](a,(b,c)) = R[f](a,b) + R[g](a,c)", ("A→B", "A→C"), rd4, Holds.IN_POLYNOMIALS),
    Law("RD.4: R[!] = 0", ("A",), structure(lambda c, a: c.discard(a), lambda c, a: zero(a, changes(a)))),
    Law(
        "R[Δ](a,(b,c)) = b + c",
        ("A",),
        structure(lambda c, a: c.copy(a), lambda c, a: on_wires(lambda x, u, v: add(u, v), a, changes(a), changes(a))),
    ),
    Law("RD.5: R[f;g](a,c) = R[f](a, R[g](f(a),c))", ("A→B", "B→C"), rd5, Holds.IN_POLYNOMIALS),
    Law("RD.6: D[R[f]]((a,b),(0,c)) = R[f](a,c)", ("A→B",), rd6, Holds.IN_POLYNOMIALS),
    Law("RD.7: D[D[f]]((a,b),(c,d)) = D[D[f]]((a,c),(b,d))", ("A→B",), rd7, Holds.IN_POLYNOMIALS),
)

# -- R as a functor into lenses ----------------------------------------------------------------------------------------


def opaque(f: Diagram) -> Lens:
    """(f, R[f]) as a lens that nobody fuses: composing it uses the formula of lens composition."""
    return Lens(two(f.dom), two(f.cod), f, R(f))


FUNCTOR = (
    Law("R(f;g) = R(f);R(g)", ("A→B", "B→C"), lambda c, f, g: (opaque(f >> g), opaque(f) >> opaque(g)), Holds.IN_POLYNOMIALS),
    Law("R(f⊗g) = R(f)⊗R(g)", ("A→B", "C→D"), lambda c, f, g: (opaque(f @ g), opaque(f) @ opaque(g)), Holds.IN_POLYNOMIALS),
    Law("R(1) = 1", ("A",), lambda c, a: (opaque(Diagram.id(a)), Lens.id(two(a)))),
    Law("a chain of R-images is the R-image of the chain", ("A→B", "B→C"), lambda c, f, g: (Lens.of(f) >> Lens.of(g), opaque(f >> g))),
)
