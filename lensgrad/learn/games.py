"""Generative adversarial networks as one closed parametric arrow I → ℝ (arXiv 2404.00408, section 4).

GAN = (g ; d) ⊗ d : Z × X → L × L with both discriminators tied by copy, so that what comes back to its weights is added. Noise is
drawn from a key wire, which a step writes back; batching gives every example its own.
"""

from __future__ import annotations

from typing import Any

from lensgrad.cat.body import Body
from lensgrad.cat.names import Param, Role
from lensgrad.cat.para import Para, corner, shared
from lensgrad.cat.reverse import reverse
from lensgrad.cat.structure import change
from lensgrad.core.checks import is_a
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.learn.layers.dropout import KEY
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, full

PENALTY = 1e-12  # under the root of ‖∇‖, so that the gradient at 0 is 0 and not infinite


def noise(ob: Ty, label: str = "noise") -> Para:
    """I → Z, normal numbers from the key `label`, whose successor is written back by the step."""

    def draw(key: Any) -> Any:
        now, later = ops.split(key)
        return ops.normal(now, ob[0].shape, ob[0].dtype), later

    return Para.make([Param(label, KEY, Role.KEY)], trace(draw, KEY), ob, [(label, KEY)])


def players(generator: Para, discriminator: Para, penalty: float) -> None:
    """Refuse what cannot play: generator : Z → X and discriminator : X → ℝ, each of one array of floats."""
    for name, f in (("generator", generator), ("discriminator", discriminator)):
        if not is_a(f, Para) or not isinstance(f.arrow, Diagram):
            raise TypeMismatch(f"the {name} must be a model that begins with lg.input(…) or says its input size, got {f!r:.80}")
        if len(f.dom) != 1 or not isinstance(f.dom[0], Array) or not f.dom[0].floating:
            raise TypeMismatch(f"the {name} takes one array of floats, and this one takes {f.dom}")
    if generator.cod != discriminator.dom:
        raise TypeMismatch(f"the generator gives {generator.cod} and the discriminator takes {discriminator.dom}: they must be equal")
    if len(discriminator.cod) != 1 or discriminator.cod[0].size != 1:
        raise TypeMismatch(f"the discriminator gives one score, and this one gives {discriminator.cod}: end it with lg.dense(1)")
    if not is_a(penalty, (int, float)) or not 0 <= penalty < float("inf"):
        raise BadValue(f"gradient_penalty must be a number ≥ 0, got {penalty!r}")


def wasserstein(generator: Para, discriminator: Para, label: str = "x", penalty: float = 0.0) -> Para:
    """d(g(z)) − d(x) − penalty · (‖∇d(x̂)‖ − 1)² : I → ℝ, which the discriminator ascends and the generator descends.

    It is GAN ; dot with the label (1, −1) (arXiv 2404.00408, section 4). x̂ = ε x + (1 − ε) g(z) with ε uniform; the penalty
    reads R[d] and is differentiated again, by R of R (arXiv 1704.00028). It does not move the generator.
    """
    players(generator, discriminator, penalty)
    score = quiet(discriminator)
    joined = noise(generator.dom) @ corner(generator.cod, label) >> (generator @ Diagram.id(generator.cod))
    if not penalty:
        return joined >> shared(score, discriminator) >> payoff(score.cod)
    between = joined >> mixed(generator.cod)
    return between >> shared(score, discriminator, steepness(score)) >> payoff(score.cod, float(penalty))


def payoff(ob: Ty, penalty: float = 0.0) -> Para:
    """⟨(1, −1), (fake, real)⟩, and less so many times a third wire; reported as `distance`, and the whole as `loss`."""

    def body(fake: Any, real: Any, *bent: Any) -> Any:
        gap = ops.reshape(fake, *()) - ops.reshape(real, *())
        value = gap - bent[0] * penalty if bent else gap
        return value, value, gap

    one = Ty((ob[0].with_shape(),))
    arrow = trace(body, ob, ob, *([one] if penalty else []))
    return Para.make((), arrow, one, [("loss", one), ("distance", one)])


def mixed(ob: Ty) -> Para:
    """(fake, real) ↦ (fake, real, ε real + (1 − ε) fake), with ε from the key `between`; nothing comes back from the third."""

    def body(key: Any, fake: Any, real: Any) -> Any:
        now, later = ops.split(key)
        share = ops.spread(ops.uniform(now, (), fake.atom.dtype), fake.atom.shape, ())
        return fake, real, ops.stop_gradient(real * share + fake * (1.0 - share)), later

    return Para.make([Param("between", KEY, Role.KEY)], trace(body, KEY, ob, ob), ob @ ob @ ob, [("between", KEY)])


def steepness(score: Para) -> Para:
    """(‖∇ₓ d(x)‖ − 1)² : X → ℝ, with the parameters of d : X → ℝ."""
    arrow = score.arrow
    used = len(arrow.dom) - len(score.dom)
    slope = reverse(arrow, [i >= used for i in range(len(arrow.dom))], [True])

    def body(*wires: Any) -> Any:
        back = slope(*wires, full(1.0, score.cod[0]))
        away = ops.sqrt(ops.sum_over(back * back) + PENALTY) - 1.0
        return away * away

    return Para.make(score.params, trace(body, *(Ty((a,)) for a in arrow.dom)))


def non_saturating(generator: Para, discriminator: Para, label: str = "x") -> Para:
    """−log(1 − σ(d(g(z)))) − log σ(d(x)) for the discriminator and −log σ(d(g(z))) for the generator : I → ℝ, both descend.

    (arXiv 1406.2661, section 3.) Three discriminators share their weights: one does not send back to the generator, one not
    to the weights. What each side learns is reported as `discriminator` and `generator`.
    """
    players(generator, discriminator, 0.0)
    score, ob = quiet(discriminator), generator.cod
    joined = noise(generator.dom) @ corner(ob, label) >> (generator @ Diagram.id(ob))
    three = trace(lambda fake, real: (ops.stop_gradient(fake), real, fake), ob, ob)
    return joined >> three >> shared(score, discriminator, held(score)) >> sides(score.cod)


def sides(ob: Ty) -> Para:
    """What both sides learn, as one number, and each as an observable."""

    def body(fake: Any, real: Any, fooled: Any) -> Any:
        fake, real, fooled = (ops.reshape(s, *()) for s in (fake, real, fooled))
        judge, forger = softplus(fake) + softplus(-real), softplus(-fooled)
        return judge + forger, judge + forger, judge, forger

    one = Ty((ob[0].with_shape(),))
    return Para.make((), trace(body, ob, ob, ob), one, [("loss", one), ("discriminator", one), ("generator", one)])


def softplus(z: Any) -> Any:
    """log(1 + eᶻ), from its larger part."""
    return ops.maximum(z, 0.0) + ops.log1p(ops.exp(-ops.absolute(z)))


def held(f: Para) -> Para:
    """f with nothing coming back to its parameters."""
    used = len(f.arrow.dom) - len(f.dom)

    def body(*wires: Any) -> Any:
        return f.arrow(*(ops.stop_gradient(w) if i < used and change(w.atom) is not None else w for i, w in enumerate(wires)))

    return Para.make(f.params, trace(body, *(Ty((a,)) for a in f.arrow.dom)), f.cod)


def quiet(f: Para) -> Para:
    """f without its observables: of a discriminator that is used several times, one use writes its states."""
    body = f.body
    arrow = body.arrow.then(Diagram.wiring(body.arrow.cod, range(len(f.cod))))
    return Para(f.dom, f.cod, Body(body.params, arrow), piece=f.piece, ends=f.ends)
