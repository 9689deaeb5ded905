"""Models over Z as models elsewhere: over another semiring, or over the reals, where they learn; and back to bits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lensgrad.cat.lens import Lens, Pair, backward, forward, silent
from lensgrad.cat.names import Param
from lensgrad.cat.para import Para, para, parametrized
from lensgrad.cat.reverse import reverse
from lensgrad.core.checks import flag, instance, positive
from lensgrad.core.diagram import Diagram, Family, flatten
from lensgrad.core.errors import TypeMismatch
from lensgrad.core.graph import Wire
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.learn.circuits.forms import given_semiring
from lensgrad.learn.model import Model
from lensgrad.theories import bridges
from lensgrad.theories.poly.circuit import Vector
from lensgrad.theories.poly.semiring import Z2, Semiring, Z


def over(model: Para, semiring: Semiring) -> Model:
    """A model over Z as one over another semiring, by base change: same names, same wiring, first values with it."""
    found, semiring = over_z("what is taken over another semiring", model), given_semiring(semiring)
    return found.map(lambda ob: bridges.over(ob, semiring), lambda f: bridges.base_change(f, semiring))


def over_z(what: str, given: Any) -> Model:
    """A model whose wires are all vectors of whole numbers."""
    model = Model.of(parametrized(what, given))
    objects = (*(p.ob for p in model.params), model.dom, model.cod)
    strange = [a for ob in objects for a in ob if not isinstance(a, Vector) or a.semiring != Z]
    if strange:
        told = "must be a model over Z, as circuits.lut_network and anf(…, semiring=Z) give"
        raise TypeMismatch(f"{what} {told}, and this one has a wire of type {strange[0]}")
    return model


def soften(model: Para, dtype: str = "float32", temperature: float = 1.0, whole: bool = True) -> Model:
    """A model over Z as the same polynomial on real numbers; where its weights are 0 or 1 it computes what the circuit does.

    Its results are divided by a temperature, which makes logits of votes: with many gates a class, one of about their square root.
    The model is one generator, a `bridges.Image`, which NumPy's backend runs as native code where there is a compiler; with whole=False it
    is made of the generators of Smooth, with the same numbers.
    """
    found, whole = over_z("what is softened", model), flag("whole", whole)
    temperature = positive("temperature, which votes are divided by,", temperature)

    def image(f: Diagram) -> Diagram:
        circuit = all(isinstance(a, Vector) for a in f.dom)  # and no first value, drawn from a key
        return bridges.smooth(f, dtype, whole) if circuit else bridges.smooth_draw(f, dtype)

    soft = found.map(lambda ob: bridges.real(ob, dtype), image)

    def cooled(*votes: Wire) -> list[Wire]:
        return [v * (1.0 / temperature) for v in votes]

    return soft if temperature == 1 else soft >> para(trace(cooled, soft.cod))


def lift(f: Any) -> Any:
    """The lens over bits of a circuit over Z : (Z2ᵃ, Zᵃ) → (Z2ᵇ, Zᵇ), whose get is f over Z2 and whose put is R over Z at the same bits.

    So a circuit runs on bits and learns from whole numbers, in which no two requests cancel. On circuits that give bits at bits,
    lift(f ; g) = lift(f) ; lift(g), since the bits between are the same in both. A parametric arrow is lifted with its parameters:
    `(lift(batch(task, n)) >> unit).reparam({lg.weights: gain()})` is a closed lens without a real number that a weight would be.
    """
    if isinstance(f, Para):
        return lifted(over_z("what is lifted", f))
    return lens_over_bits(instance("what is lifted", f, Diagram, "a model or an arrow over Z"), len(f.cod))


def lens_over_bits(f: Diagram, seeded: int) -> Lens:
    """The lift of an arrow, where only so many of its results have a way back; the others are observed."""
    bits, n = bridges.base_change(f, Z2), len(f.dom)
    into = bridges.include(bits.dom)
    back = reverse(f, [True] * n, [k < seeded for k in range(len(f.cod))])
    cod = paired(Ty(f.cod.atoms[:seeded])) @ silent(Ty(bits.cod.atoms[seeded:]))

    def put(*wires: Any) -> Any:
        return back(*flatten([into(*wires[:n])]), *wires[n:])

    return Lens(paired(f.dom), cod, bits, trace(put, *(Ty((a,)) for a in bits.dom @ Ty(f.cod.atoms[:seeded]))), "lift")


def lifted(f: Para) -> Para:
    """The lift of a parametric arrow; first values become bits, and observables are observed over Z2."""

    def start(p: Param) -> Any:
        return None if p.init is None else bridges.base_change(p.init, Z2)

    params = [replace(p, ob=paired(p.ob), init=start(p)) for p in f.params]
    seen = [(label, silent(bridges.base(ob))) for label, ob in f.observables]
    return Para.make(params, lens_over_bits(f.arrow, len(f.cod)), paired(f.cod), seen)


def paired(ob: Ty) -> Ty:
    """(Z2ⁿ, Zⁿ), vector by vector."""
    return Ty(tuple(Pair(Ty((bit,)), Ty((a,))) for bit, a in zip(bridges.base(ob), ob, strict=True)))


def ones(ob: Ty) -> Para:
    """The lens (Z2ᵐ, Zᵐ) → I whose put is l ↦ 1."""
    if not all(isinstance(a, Pair) for a in ob) or backward(ob) != Ty(
        tuple(Vector(Z, a.size, a.rows) for a in backward(ob) if isinstance(a, Vector))
    ):
        raise TypeMismatch(f"unit ends a lens to which whole numbers come back, and this one has {ob}: write circuits.lift(…) first")
    values = forward(ob)

    def put(*losses: Wire) -> list[Wire]:
        return [Vector(Z, x.atom.size, x.atom.rows).one() for x in losses]

    back = trace(put, *(Ty((a,)) for a in values))
    return Para.lift(Lens(ob, Ty(), Diagram.discard(values), back, "unit"))


unit = Family("unit", ones)  # l ↦ 1 over the whole numbers, the rate of lifted circuits
