"""Normalizations: batch, layer, root mean square, group. Channels or features are the last axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lensgrad.cat.names import Param
from lensgrad.core import checks
from lensgrad.core.calls import in_words
from lensgrad.core.diagram import Diagram, Family
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.graph import Wire
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.learn import init
from lensgrad.learn.layers.parts import FOREIGN, fill, last, layer, one_array, one_whole, state, titled, weight
from lensgrad.learn.model import Model, parametric
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, Real
from lensgrad.theories.smooth.linear import Axes
from lensgrad.theories.smooth.reduce import back

ONES = init.constant(1.0)


def featured(what: str, dom: Ty) -> Array:
    """The only input, with at least one axis, and entries along each."""
    x = one_array(what, dom)
    if not x.rank:
        raise TypeMismatch(f"{what} expects at least one axis of features, got {x}")
    if not x.size:
        raise TypeMismatch(f"{what} has nothing to normalize in {x}: an axis is empty")
    return x


def affine(ob: Ty, use_bias: bool = True) -> list[Param]:
    """γ, starting at 1, and β, starting at 0."""
    return [weight("scale", ob, ONES)] + [weight("bias", ob, init.zeros)] * use_bias


def small(what: str, epsilon: float) -> float:
    return float(checks.number(f"the epsilon of {what}", epsilon, 0))


def standardized(x: Any, axes: Any, epsilon: float) -> Any:
    """(x − mean) / √(variance + ε) over axes, with the biased variance."""
    centered = x - back(ops.mean_over(x, axes), x, axes)
    return centered * back(ops.rsqrt(ops.mean_over(centered * centered, axes) + epsilon), x, axes)


def shortened(x: Any, axes: Any, epsilon: float) -> Any:
    """x / √(mean x² + ε) over axes."""
    return x * back(ops.rsqrt(ops.mean_over(x * x, axes) + epsilon), x, axes)


def scaled(x: Any, *affine: Any, axes: Axes | None = None) -> Any:
    """γ x + β along some axes, the last when not given; β may be missing."""
    places = (x.atom.rank - 1,) if axes is None else axes
    scale, *shift = (ops.spread(v, x.atom.shape, places) for v in affine)
    return x * scale + shift[0] if shift else x * scale


def normalization(
    kind: str, name: str, normal: Callable[[Any, Axes], Any], check: Callable[[Array], None], use_bias: bool, over: Any
) -> Family:
    """γ · normal(x) + β, with γ and β along the axes `over`."""
    what, biased = titled(kind, name), checks.flag("use_bias", use_bias)

    def build(dom: Ty) -> Model:
        x = featured(what, dom)
        check(x)
        axes = chosen(what, over, x)
        ob = Real(*(x.shape[a] for a in axes), dtype=x.dtype)

        def body(*wires: Wire) -> Wire:
            return scaled(normal(wires[-1], axes), *wires[:-1], axes=axes)

        return parametric(affine(ob, biased), dom, body)

    return layer(kind, name, build)


def chosen(what: str, over: Any, x: Array) -> Axes:
    """Axes of x as increasing numbers from 0."""
    given = over if checks.is_group(over) else (over,)
    axes = sorted({checks.whole(f"an axis of {what}", a, -x.rank, x.rank - 1) % x.rank for a in given})
    if not axes:
        raise BadValue(f"{what} expects at least one axis, got none")
    return tuple(axes)


@in_words(FOREIGN)
def layer_norm(epsilon: float = 1e-5, use_bias: bool = True, name: str = "", axes: int | Sequence[int] = -1) -> Family:
    """γ (x − μ) / √(σ² + ε) + β : A → A, μ and σ² over `axes`, the last when not given (arXiv 1607.06450).

    γ and β have the shape of these axes: `layer_norm(axes=(-2, -1))` has one of each for every place in the last two.
    """
    eps = small(titled("layer_norm", name), epsilon)
    return normalization("layer_norm", name, lambda x, over: standardized(x, over, eps), lambda x: None, use_bias, axes)


@in_words(FOREIGN)
def rms_norm(epsilon: float = 1e-5, name: str = "", axes: int | Sequence[int] = -1) -> Family:
    """γ x / √(mean x² + ε) : A → A, the mean over `axes`, the last when not given; γ has their shape (arXiv 1910.07467)."""
    eps = small(titled("rms_norm", name), epsilon)
    return normalization("rms_norm", name, lambda x, over: shortened(x, over, eps), lambda x: None, False, axes)


@in_words(FOREIGN)
def group_norm(groups: int, epsilon: float = 1e-5, name: str = "") -> Family:
    """γ (x − μ) / √(σ² + ε) + β : ℝ^(*space, C) → same, μ and σ² over space and each group of channels (arXiv 1803.08494)."""
    what = titled("group_norm", name)
    parts, eps = one_whole(what, groups=groups), small(what, epsilon)

    def check(x: Array) -> None:
        if x.shape[-1] % parts:
            raise TypeMismatch(f"{what} cannot divide {x.shape[-1]} channels into {parts} groups")

    def normal(x: Any, _: Axes) -> Any:
        *space, c = x.atom.shape
        wide = ops.reshape(x, *space, parts, c // parts)
        axes = (*range(len(space)), len(space) + 1)
        return ops.reshape(standardized(wide, axes, eps), *x.atom.shape)

    return normalization("group_norm", name, normal, check, True, -1)


@in_words(FOREIGN)
def batch_norm(momentum: float = 0.1, epsilon: float = 1e-5, name: str = "") -> Family:
    """γ (x − μ) / √(σ² + ε) + β : ℝ^(*space, C) → same, μ and σ² of each channel over the batch and space (arXiv 1502.03167).

    The states `mean` and `variance` follow μ and the unbiased σ², s ← (1 − momentum) s + momentum · new, and stand for
    them when predicting. Where a channel has one value only (a batch of one without space axes) x − μ is 0, so the
    result is β, and the running variance stays as it is.
    """
    what = titled("batch_norm", name)
    eps, part = small(what, epsilon), float(checks.number(f"the momentum of {what}", momentum, 0, 1))

    def build(dom: Ty) -> Model:
        x = featured(what, dom)
        kept = [state("mean", last(x), init.zeros), state("variance", last(x), ONES)]
        ports = [*affine(last(x)), *kept]

        def body(scale: Any, shift: Any, mean: Any, variance: Any, v: Any) -> Any:
            return normalized(scale, shift, mean, variance, v, part, eps)

        return Model.make(ports, trace(body, *(p.ob for p in ports), dom), dom, [(p.label, p.ob) for p in kept])

    def predict(dom: Ty) -> Diagram:
        vector = last(featured(what, dom))

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
