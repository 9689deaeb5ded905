"""Models over Z as models elsewhere: over another semiring, or over the reals, where they learn; and back to bits."""

from __future__ import annotations

from math import inf
from typing import Any

from lensgrad.cat.lens import Lens, Pair
from lensgrad.cat.para import Para, para
from lensgrad.cat.reverse import R
from lensgrad.core.diagram import Diagram, flatten
from lensgrad.core.errors import BadValue
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.theories import bridges
from lensgrad.theories.poly.circuit import Vector
from lensgrad.theories.poly.semiring import Z2, Semiring


def over(model: Para, semiring: Semiring) -> Para:
    """A model over Z as one over another semiring, by base change: same names, same wiring, first values with it."""
    return model.map(lambda ob: bridges.over(ob, semiring), lambda f: bridges.base_change(f, semiring))


def soften(model: Para, dtype: str = "float32", temperature: float = 1.0, whole: bool = True) -> Para:
    """A model over Z as the same polynomial on real numbers; where its weights are 0 or 1 it computes what the circuit does.

    Its results are divided by a temperature, which makes logits of votes: with many gates a class, one of about their square root.
    The model is one generator, a `bridges.Image`, which NumPy's backend runs as native code where there is a compiler; with whole=False it
    is made of the generators of Smooth, with the same numbers.
    """
    if not isinstance(temperature, int | float) or not 0 < temperature < inf:
        raise BadValue(f"votes are divided by a temperature above 0, got {temperature!r}")

    def image(f: Diagram) -> Diagram:
        return bridges.smooth(f, dtype, whole and all(isinstance(a, Vector) for a in f.dom))  # first values are drawn from keys

    soft = model.map(lambda ob: bridges.real(ob, dtype), image)
    return soft if temperature == 1 else soft >> para(trace(lambda *votes: tuple(v * (1.0 / temperature) for v in votes), soft.cod))


def lift(f: Diagram) -> Lens:
    """The lens over bits of a circuit over Z : (Z2ᵃ, Zᵃ) → (Z2ᵇ, Zᵇ), whose get is f over Z2 and whose put is R over Z at the same bits.

    So a circuit runs on bits and learns from whole numbers, in which no two requests cancel. On circuits that give bits at bits,
    lift(f ; g) = lift(f) ; lift(g), since the bits between are the same in both.
    """
    bits = bridges.base_change(f, Z2)
    into = bridges.include(bits.dom)
    dom, cod = (paired(ob) for ob in (f.dom, f.cod))
    back = R(f)

    def put(*wires: Any) -> Any:
        n = len(f.dom)
        return back(*flatten([into(*wires[:n])]), *wires[n:])

    return Lens(dom, cod, bits, trace(put, *(Ty((a,)) for a in bits.dom @ f.cod)), "lift")


def paired(ob: Ty) -> Ty:
    """(Z2ⁿ, Zⁿ), vector by vector."""
    return Ty(tuple(Pair(Ty((bit,)), Ty((a,))) for bit, a in zip(bridges.base(ob), ob, strict=True)))
