"""Normalizations: batch, layer, root mean square, group. Channels or features are the last axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lensgrad.cat.names import Param
from lensgrad.cat.para import Para, parametric
from lensgrad.core.diagram import Diagram, Family
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.learn import init
from lensgrad.learn.layers.parts import fill, last, layer, one_array, state, weight, whole
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array
from lensgrad.theories.smooth.reduce import back

ONES = init.constant(1.0)


def featured(what: str, dom: Ty) -> Array:
    """The only input, with at least one axis."""
    x = one_array(what, dom)
    if not x.rank:
        raise TypeMismatch(f"{what} wants at least one axis of features, got {x}")
    return x


def affine(x: Array, scale: bool = True, use_bias: bool = True) -> list[Param]:
    """γ, starting at 1, and β, starting at 0."""
    return [weight("scale", last(x), ONES)] * scale + [weight("bias", last(x), init.zeros)] * use_bias


def small(what: str, epsilon: float) -> float:
    if not isinstance(epsilon, int | float) or not epsilon >= 0:
        raise BadValue(f"{what} wants an epsilon ≥ 0, got {epsilon!r}")
    return float(epsilon)


def standardized(x: Any, axes: Any, epsilon: float) -> Any:
    """(x − mean) / √(variance + ε) over axes, with the biased variance."""
    centered = x - back(ops.mean_over(x, axes), x, axes)
    return centered * back(ops.rsqrt(ops.mean_over(centered * centered, axes) + epsilon), x, axes)


def scaled(x: Any, *affine: Any) -> Any:
    """γ x + β along the last axis; β may be missing."""
    y = x * fill(affine[0], x)
    return y + fill(affine[1], x) if len(affine) > 1 else y


def normalization(kind: str, name: str, normal: Callable[[Any], Any], check: Callable[[Array], None], use_bias: bool) -> Family:
    """γ · normal(x) + β."""

    def build(dom: Ty) -> Para:
        x = featured(name or kind, dom)
        check(x)
        return parametric(affine(x, use_bias=use_bias), dom, lambda *ws: scaled(normal(ws[-1]), *ws[:-1]))

    return layer(kind, name, build)


def layer_norm(epsilon: float = 1e-5, use_bias: bool = True, name: str = "") -> Family:
    """γ (x − μ) / √(σ² + ε) + β : ℝ^(*s, n) → ℝ^(*s, n), μ and σ² over the last axis (arXiv 1607.06450)."""
    eps = small(name or "layer_norm", epsilon)
    return normalization("layer_norm", name, lambda x: standardized(x, (x.atom.rank - 1,), eps), lambda x: None, use_bias)


def rms_norm(epsilon: float = 1e-5, name: str = "") -> Family:
    """γ x / √(mean x² + ε) : ℝ^(*s, n) → ℝ^(*s, n), the mean over the last axis (arXiv 1910.07467)."""
    eps = small(name or "rms_norm", epsilon)

    def normal(x: Any) -> Any:
        axes = (x.atom.rank - 1,)
        return x * back(ops.rsqrt(ops.mean_over(x * x, axes) + eps), x, axes)

    return normalization("rms_norm", name, normal, lambda x: None, False)


def group_norm(groups: int, epsilon: float = 1e-5, name: str = "") -> Family:
    """γ (x − μ) / √(σ² + ε) + β : ℝ^(*space, C) → same, μ and σ² over space and each group of channels (arXiv 1803.08494)."""
    what = name or "group_norm"
    whole(what, groups=groups)
    eps = small(what, epsilon)

    def check(x: Array) -> None:
        if x.shape[-1] % groups:
            raise TypeMismatch(f"{what} cannot divide {x.shape[-1]} channels into {groups} groups")

    def normal(x: Any) -> Any:
        *space, c = x.atom.shape
        wide = ops.reshape(x, *space, groups, c // groups)
        axes = (*range(len(space)), len(space) + 1)
        return ops.reshape(standardized(wide, axes, eps), *x.atom.shape)

    return normalization("group_norm", name, normal, check, True)


def batch_norm(momentum: float = 0.1, epsilon: float = 1e-5, name: str = "") -> Family:
    """γ (x − μ) / √(σ² + ε) + β : ℝ^(*space, C) → same, μ and σ² of each channel over the batch and space (arXiv 1502.03167).

    The states `mean` and `variance` follow μ and the unbiased σ², s ← (1 − momentum) s + momentum · new, and stand for
    them when predicting. Where a channel has one value only (a batch of one without space axes) x − μ is 0, so the
    result is β, and the running variance stays as it is.
    """
    what, eps = name or "batch_norm", small(name or "batch_norm", epsilon)
    if not isinstance(momentum, int | float) or not 0 <= momentum <= 1:
        raise BadValue(f"{what} wants a momentum from 0 to 1, got {momentum!r}")

    def build(dom: Ty) -> Para:
        x = featured(what, dom)
        kept = [state("mean", last(x), init.zeros), state("variance", last(x), ONES)]
        ports = [*affine(x), *kept]

        def body(scale: Any, shift: Any, mean: Any, variance: Any, v: Any) -> Any:
            return normalized(scale, shift, mean, variance, v, float(momentum), eps)

        return Para.make(ports, trace(body, *(p.ob for p in ports), dom), dom, [(p.label, p.ob) for p in kept])

    def predict(dom: Ty) -> Diagram:
        vector = last(dom[0])

        def body(scale: Any, shift: Any, mean: Any, variance: Any, v: Any) -> Any:
            return scaled((v - fill(mean, v)) * fill(ops.rsqrt(variance + eps), v), scale, shift), mean, variance

        return trace(body, *[vector] * 4, dom)

    return layer("batch_norm", name, build, predict)


def normalized(scale: Any, shift: Any, mean: Any, variance: Any, x: Any, momentum: float, epsilon: float) -> Any:
    """x by the statistics of its batch, and the running statistics after it."""
    space = range(x.atom.rank - 1)
    found = ops.axis_mean(ops.mean_over(x, space))
    centered = x - fill(found, x)
    biased = ops.axis_mean(ops.mean_over(centered * centered, space))
    y = scaled(centered * fill(ops.rsqrt(biased + epsilon), x), scale, shift)
    count = ops.batch_size(x) * float(x.atom.size // x.atom.shape[-1])
    several = count > 1.0
    unbiased = biased * fill_scalar(count / ops.select(several, count - 1.0, 1.0), biased)
    new_variance = ops.select(fill_scalar(several, biased), running(variance, unbiased, momentum), variance)
    return y, running(mean, found, momentum), new_variance


def running(old: Any, new: Any, momentum: float) -> Any:
    return old * (1.0 - momentum) + new * momentum


def fill_scalar(x: Any, like: Any) -> Any:
    """A number at every entry."""
    return ops.spread(x, like.atom.shape, ())
