"""Normalizations, as modules in eval mode have them: batch norm reads its statistics and writes none."""

from __future__ import annotations

from typing import Any

from lensgrad.core.graph import Wire
from lensgrad.interchange.torch.meanings.call import Out, Table, refused
from lensgrad.theories.smooth import ops


def around(x: Wire, axes: tuple[int, ...], epsilon: float) -> tuple[Wire, Wire, Wire]:
    """(x − mean) / √(variance + ε) over axes, with the mean and the divisor's reciprocal; the axes stay, of length 1."""
    mean = ops.mean_over(x, axes, True)
    away = x - ops.spread(mean, x.atom.shape)
    scale = ops.rsqrt(ops.mean_over(away * away, axes, True) + float(epsilon))
    return away * ops.spread(scale, x.atom.shape), mean, scale


def scaled(x: Wire, weight: Wire | None, bias: Wire | None, axes: tuple[int, ...]) -> Wire:
    """γ x + β along some axes; both may be missing."""
    y = x if weight is None else x * ops.spread(weight, x.atom.shape, axes)
    return y if bias is None else y + ops.spread(bias, x.atom.shape, axes)


def shaped(out: Out, *found: Wire) -> tuple[Wire, ...]:
    """Results in the shapes that PyTorch gives them; some operators give empty ones for statistics that nobody reads."""
    return tuple(ops.reshape(y, *a.shape) if y.atom.size == a.size else y for y, a in zip(found, out.atoms, strict=True))


def layer_norm(out: Out, x: Wire, shape: Any, weight: Wire | None, bias: Wire | None, epsilon: float = 1e-5) -> tuple[Wire, ...]:
    axes = tuple(range(x.atom.rank - len(shape), x.atom.rank))
    y, mean, scale = around(x, axes, epsilon)
    return shaped(out, scaled(y, weight, bias, axes), mean, scale)


def group_norm(
    out: Out, x: Wire, weight: Wire | None, bias: Wire | None, n: int, channels: int, rest: int, groups: int, epsilon: float
) -> tuple[Wire, ...]:
    shape = x.atom.shape
    y, mean, scale = around(ops.reshape(x, n, groups, channels // groups * rest), (2,), epsilon)
    return shaped(out, scaled(ops.reshape(y, *shape), weight, bias, (1,)), mean, scale)


def batch_norm(
    out: Out, x: Wire, weight: Wire | None, bias: Wire | None, mean: Wire, variance: Wire, momentum: float, epsilon: float
) -> tuple[Wire, ...]:
    """With the statistics that training left."""
    away = x - ops.spread(mean, x.atom.shape, (1,))
    y = away * ops.spread(ops.rsqrt(variance + float(epsilon)), x.atom.shape, (1,))
    return (scaled(y, weight, bias, (1,)), mean, variance)


def own_norm(out: Out, x: Wire, weight: Wire | None, bias: Wire | None, training: Any, *rest: Any) -> tuple[Wire, ...]:
    """With the statistics of what is given: instance norm, in which each channel of each example has its own."""
    if not isinstance(training, bool) or len(rest) != 2:
        raise refused("batch norm that writes its statistics has no meaning: a module is taken as it predicts")
    axes = tuple(a for a in range(x.atom.rank) if a != 1)
    y, mean, scale = around(x, axes, rest[1])
    return shaped(out, scaled(y, weight, bias, (1,)), mean, scale)


TABLE: Table = {
    "native_layer_norm": layer_norm,
    "native_group_norm": group_norm,
    "_native_batch_norm_legit_no_training": batch_norm,
    "_native_batch_norm_legit": own_norm,
}
