"""Variational autoencoders (arXiv 1312.6114): an autoencoder with one layer more, and a loss that reads what the layer says beside it."""

from __future__ import annotations

from typing import Any

from lensgrad.cat.names import Param, Role
from lensgrad.core.diagram import Diagram, Family
from lensgrad.core.errors import TypeMismatch
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.learn.layers.dropout import KEY
from lensgrad.learn.layers.parts import layer, one_array, titled
from lensgrad.learn.model import Model
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array


def divergence(mean: Any, log_variance: Any) -> Any:
    """KL(N(μ, σ²) ‖ N(0, 1)) = ½ Σ (μ² + σ² − 1 − log σ²), from log σ² without cancellation near σ = 1 (arXiv 1312.6114, appendix B)."""
    return ops.sum_over(mean * mean + (ops.expm1(log_variance) - log_variance)) * 0.5


def gaussian_sample(name: str = "") -> Family:
    """(μ, log σ²) ↦ (μ + σ ε, KL(N(μ, σ²) ‖ N(0, 1))) : ℝ²ⁿ → ℝⁿ ⊗ ℝ, with ε normal, from the key port `key`.

    The draw is a function of μ, σ and the key, so R passes through it (arXiv 1312.6114, section 2.4). When it predicts it
    gives μ. `lg.beside(decoder)` takes the draw on, and `lg.elbo` reads the other wire.
    """

    what = titled("gaussian_sample", name)

    def build(dom: Ty) -> Model:
        mean, number = halves(what, dom)
        return Model.make([Param("key", KEY, Role.KEY)], trace(draw, KEY, dom), mean @ number, [("key", KEY)])

    return layer("gaussian_sample", name, build, still)


def halves(what: str, dom: Ty) -> tuple[Ty, Ty]:
    """ℝⁿ and ℝ, for ℝ²ⁿ."""
    x = one_array(what, dom)
    if x.rank != 1 or x.shape[0] % 2:
        raise TypeMismatch(
            f"{what} expects one vector with a mean and a log variance for each number it draws, got {x}: its length is even"
        )
    return Ty((Array((x.shape[0] // 2,), x.dtype),)), Ty((x.with_shape(),))


def cut(x: Any) -> tuple[Any, Any]:
    n = x.atom.shape[0] // 2
    return x[:n], x[n:]


def draw(key: Any, x: Any) -> Any:
    """The draw, its divergence, and the next key."""
    now, later = ops.split(key)
    mean, log_variance = cut(x)
    noise = ops.normal(now, mean.atom.shape, mean.atom.dtype)
    return mean + ops.exp(log_variance * 0.5) * noise, divergence(mean, log_variance), later


def still(dom: Ty) -> Diagram:
    """As it predicts: the mean, and the divergence."""

    def body(key: Any, x: Any) -> Any:
        mean, log_variance = cut(x)
        return mean, divergence(mean, log_variance), key

    return trace(body, KEY, dom)
