"""The loss of variational autoencoders (arXiv 1312.6114): what a reconstruction costs, and what its code costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from lensgrad.cat.names import Param, Role
from lensgrad.cat.para import Para
from lensgrad.core.checks import number, one_of
from lensgrad.core.errors import BadValue, TypeMismatch, listed
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.learn.losses.classes import logistic_entropy
from lensgrad.learn.losses.kind import Kind
from lensgrad.learn.losses.parts import Formula, Loss
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array

LIKELIHOODS: dict[str, Formula] = {
    "bernoulli": lambda x, logits: ops.sum_over(logistic_entropy(x, logits)),
    "gaussian": lambda x, mean: ops.sum_over((mean - x) * (mean - x)) * 0.5,
}
KINDS = {"bernoulli": Kind("other", "share"), "gaussian": Kind()}


def elbo(label: str = "x", metrics: Sequence[str] = (), likelihood: str = "bernoulli", weight: float = 1.0) -> Loss:
    """−log p(x | z) + weight · KL : B ⊗ ℝ → ℝ, the negative evidence lower bound of one draw (arXiv 1312.6114, equation 3).

    The second wire is the divergence that `lg.gaussian_sample` gives. "bernoulli" takes logits and x in [0, 1]; "gaussian" takes means
    of variance 1 and leaves out log √2π for each number. Both sum over the entries of x, so that the two terms are in one
    unit, nats. A weight above 1 prefers codes whose numbers do not depend on one another (β-VAE). Observed: `loss`,
    `reconstruction` and `divergence`. When evaluated z is the mean, so the bound is that of no draw: see `lg.gaussian_sample`.
    """
    one_of("elbo's likelihood", likelihood, LIKELIHOODS)
    size = number("elbo's weight of the divergence", weight, 0)

    def make(label: str, metrics: Sequence[str]) -> Callable[[Ty], Para]:
        if metrics:
            raise BadValue(f"elbo has no metrics beside what it observes, got {listed(list(metrics))}")
        return at(label, LIKELIHOODS[likelihood], float(size), KINDS[likelihood])

    return Loss("elbo", label, metrics, make)


def at(label: str, cost: Formula, weight: float, about: Kind) -> Callable[[Ty], Para]:
    def build(dom: Ty) -> Para:
        if len(dom) != 2 or not all(isinstance(a, Array) and a.floating for a in dom) or dom[1].shape:
            raise TypeMismatch(
                f"elbo reads a reconstruction and beside it the divergence of its code, and the model gives {dom}: "
                "use lg.gaussian_sample() and then lg.beside(decoder)"
            )
        shown = Ty(dom.atoms[:1])

        def body(truth: Any, rebuilt: Any, divergence: Any) -> Any:
            lost = cost(truth, rebuilt)
            value = lost + divergence * weight
            return value, value, lost, divergence

        one = Ty(dom.atoms[1:])
        seen = [(n, one) for n in ("loss", "reconstruction", "divergence")]
        return Para.make(
            [Param(label, shown, Role.DATA, about=replace(about, name="elbo"))], trace(body, shown, *(Ty((a,)) for a in dom)), one, seen
        ).told("elbo")

    return build
