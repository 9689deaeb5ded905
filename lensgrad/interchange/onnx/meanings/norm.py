"""Normalizations: over a batch, over the axes of each example, over channels that are near; and dropout."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from lensgrad.core.graph import Wire
from lensgrad.interchange.onnx import call as c
from lensgrad.interchange.onnx.space import along_axis
from lensgrad.interchange.shapes import spread_to
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array, full

MOST = 1024  # channels that one is normalized over


def epsilon(call: c.Call) -> float:
    """What is added to a variance."""
    return float(call.attribute("epsilon", 1e-5))


def stashed(call: c.Call, x: Wire) -> Wire:
    """x in the dtype that statistics are computed in: float32 for the halves."""
    half = x.atom.dtype in ("float16", "bfloat16")
    return ops.cast(x, "float32") if half and call.attribute("stash_type", 1) == 1 else x


def moments(x: Wire, axes: Sequence[int]) -> tuple[Wire, Wire, Wire]:
    """The mean over axes, which stay, the variance, and x less its mean."""
    mean = ops.mean_over(x, axes, keepdims=True)
    centered = x - spread_to(mean, x.atom.shape)
    return mean, ops.mean_over(centered * centered, axes, keepdims=True), centered


def standardized(x: Wire, axes: Sequence[int], small: float) -> Wire:
    """(x − mean) / √(variance + ε) over axes."""
    _, variance, centered = moments(x, axes)
    return centered / spread_to(ops.sqrt(variance + small), x.atom.shape)


# -- with statistics of a batch ----------------------------------------------------------------------------------------


def batch_normalization(call: c.Call) -> list[Wire]:
    """γ (x − μ) / √(σ² + ε) + β for each channel, with given statistics; in training mode with those of the batch, and the next ones."""
    if not call.attribute("spatial", 1) or (call.version < 7 and not call.attribute("is_test", 0)):
        raise call.refused("normalizes with its batch or entry by entry in a form of before opset 7: convert the file to opset 15")
    x, scale, shift, mean, variance = (call.wire(k) for k in range(5))
    if not call.attribute("training_mode", 0):
        if any(call.outputs[1:]) and call.version < 14:
            raise call.refused("gives the statistics of its batch in a form of before opset 14: convert the file to opset 15")
        return [normalized(call, x, scale, shift, mean, variance)]
    axes = [a for a in range(x.atom.rank) if a != 1]
    own, spread, _ = (ops.flatten(v) if k < 2 else v for k, v in enumerate(moments(x, axes)))
    kept = float(call.attribute("momentum", 0.9))
    following = [old * kept + new * (1 - kept) for old, new in ((mean, own), (variance, spread))]
    return [normalized(call, x, scale, shift, own, spread), *following]


def normalized(call: c.Call, x: Wire, scale: Wire, shift: Wire, mean: Wire, variance: Wire) -> Wire:
    """γ (x − μ) / √(σ² + ε) + β, each of them along the channels."""
    centered = x - along_axis(ops.cast(mean, x.atom.dtype), x)
    by = scale / ops.sqrt(ops.cast(variance, scale.atom.dtype) + epsilon(call))
    return centered * along_axis(ops.cast(by, x.atom.dtype), x) + along_axis(ops.cast(shift, x.atom.dtype), x)


# -- of each example ---------------------------------------------------------------------------------------------------


def instance_normalization(call: c.Call) -> list[Wire]:
    """Each channel of each example standardized, then γ x + β."""
    x, scale, shift = (call.wire(k) for k in range(3))
    return [standardized(x, range(2, x.atom.rank), epsilon(call)) * along_axis(scale, x) + along_axis(shift, x)]


def layer_normalization(call: c.Call) -> list[Wire]:
    """γ (x − mean) / √(variance + ε) + β over the axes from `axis` on; then the mean, and 1 / √(variance + ε)."""
    x, axes = call.wire(0), last_axes(call)
    mean, variance, centered = moments(stashed(call, x), axes)
    inverse = ops.reciprocal(ops.sqrt(variance + epsilon(call)))
    y = affine(call, ops.cast(centered * spread_to(inverse, x.atom.shape), x.atom.dtype))
    return [y, mean, inverse]


def last_axes(call: c.Call) -> range:
    """The axes from `axis` on."""
    rank, first = call.wire(0).atom.rank, int(call.attribute("axis", -1))
    if not -rank <= first < rank:
        raise call.refused(f"must have an axis of {call.wire(0).atom}, got {first}")
    return range(first % rank, rank)


def affine(call: c.Call, y: Wire) -> Wire:
    """γ y + β, spread as NumPy does; β may be missing."""
    scaled = y * spread_to(ops.cast(call.wire(1), y.atom.dtype), y.atom.shape)
    return scaled + spread_to(ops.cast(call.wire(2), y.atom.dtype), y.atom.shape) if call.given(2) else scaled


def rms_normalization(call: c.Call) -> list[Wire]:
    """γ x / √(mean x² + ε) over the axes from `axis` on."""
    x = call.wire(0)
    wide = stashed(call, x)
    square = ops.mean_over(wide * wide, last_axes(call), keepdims=True)
    return [affine(call, ops.cast(wide / spread_to(ops.sqrt(square + epsilon(call)), x.atom.shape), x.atom.dtype))]


def group_normalization(call: c.Call) -> list[Wire]:
    """Groups of channels standardized, then γ x + β, one of each for a channel, or for a group before opset 21."""
    x, scale, shift = (call.wire(k) for k in range(3))
    shape, groups = x.atom.shape, int(call.attribute("num_groups", 1))
    if shape[1] % groups:
        raise call.refused(f"cannot divide {shape[1]} channels into {groups} groups")
    cut = stashed(call, ops.reshape(x, shape[0], groups, shape[1] // groups, *shape[2:]))
    y = ops.cast(ops.reshape(standardized(cut, range(2, cut.atom.rank), epsilon(call)), *shape), x.atom.dtype)
    factor, term = (v if v.atom.size == shape[1] else ops.repeat(v, shape[1] // groups, 0) for v in (scale, shift))
    return [y * along_axis(factor, y) + along_axis(term, y)]


def mean_variance_normalization(call: c.Call) -> list[Wire]:
    """(x − mean) / (standard deviation + 10⁻⁹) over axes."""
    x = call.wire(0)
    axes = sorted(int(a) % x.atom.rank for a in call.attribute("axes") or (0, 2, 3))
    _, variance, centered = moments(x, axes)
    return [centered / spread_to(ops.sqrt(variance) + 1e-9, x.atom.shape)]


def local_response(call: c.Call) -> list[Wire]:
    """x / (bias + α/size · Σ x² over near channels)^β (AlexNet)."""
    x, size = call.wire(0), int(call.attribute("size", 1))
    if not 1 <= size <= MOST:
        raise call.refused(f"must have a size from 1 to {MOST}, got {size}")
    before, n, rest = (size - 1) // 2, x.atom.shape[1], (0,) * (x.atom.rank - 2)
    squares = ops.pad(x * x, (0, before, *rest), (0, size - 1 - before, *rest))
    near = squares[:, 0:n]
    for k in range(1, size):
        near = near + squares[:, k : k + n]
    base = near * (float(call.attribute("alpha", 1e-4)) / size) + float(call.attribute("bias", 1.0))
    return [x / base ** float(call.attribute("beta", 0.75))]


def lp_normalization(call: c.Call) -> list[Wire]:
    """x / ‖x‖ along an axis, in the 1- or the 2-norm; 0 where the norm is 0."""
    x, p = call.wire(0), int(call.attribute("p", 2))
    if p not in (1, 2):
        raise call.refused(f"must have p 1 or 2, got {p}")
    sums = ops.sum_over(ops.absolute(x) if p == 1 else x * x, int(call.attribute("axis", -1)), keepdims=True)
    there = sums > 0.0
    size = ops.select(there, sums, 1.0)
    by = ops.select(there, ops.reciprocal(size if p == 1 else ops.sqrt(size)), 0.0)
    return [x * spread_to(by, x.atom.shape)]


# -- along one axis ----------------------------------------------------------------------------------------------------


def by_axis(call: c.Call, fn: Callable[[Wire, int], Wire]) -> list[Wire]:
    """fn along an axis; before opset 13, of the matrix whose columns are all the axes from this one on."""
    x, old = call.wire(0), call.version < 13
    rank, axis = x.atom.rank, int(call.attribute("axis", 1 if old else -1))
    if not -rank <= axis < rank + old:
        raise call.refused(f"must have an axis of {x.atom}, got {axis}")
    if not old:
        return [fn(x, axis % rank)]
    rows = int(np.prod(x.atom.shape[: axis % rank if axis < 0 else axis], dtype=int))
    return [ops.reshape(fn(ops.reshape(x, rows, -1), 1), *x.atom.shape)]


def shares(x: Wire, axis: int) -> Wire:
    """eˣ / Σ eˣ along an axis, without overflow."""
    return ops.exp(ops.log_softmax(x, axis))


def softmax(call: c.Call) -> list[Wire]:
    """eˣ / Σ eˣ."""
    return by_axis(call, shares)


def log_softmax(call: c.Call) -> list[Wire]:
    """x − ln Σ eˣ."""
    return by_axis(call, ops.log_softmax)


def largest(x: Wire, axis: int) -> Wire:
    """1 at the first largest entry along an axis, and 0 elsewhere."""
    one, last = ops.one_hot(ops.argmax(x, axis), x.atom.shape[axis], x.atom.dtype), x.atom.rank - 1
    return ops.transpose(one, *range(axis), last, *range(axis, last))


def hardmax(call: c.Call) -> list[Wire]:
    """1 at the first largest entry, and 0 elsewhere."""
    return by_axis(call, largest)


def dropout(call: c.Call) -> list[Wire]:
    """x and a mask that is true everywhere: what is dropped in training is not dropped here."""
    x, training = call.wire(0), call.version < 7 and not call.attribute("is_test", 0)
    if call.given(2):
        training = bool(call.constant(2, "a training_mode"))
    if training and not (call.given(1) and call.known(1) and not call.constant(1, "a ratio").any()):
        raise call.refused("drops entries at random, in training mode: export the network for inference, or put lg.dropout in its place")
    return [x, full(True, Array(x.atom.shape, "bool"))]


TABLE: c.Table = {
    "BatchNormalization": batch_normalization,
    "Dropout": dropout,
    "GroupNormalization": group_normalization,
    "Hardmax": hardmax,
    "InstanceNormalization": instance_normalization,
    "LRN": local_response,
    "LayerNormalization": layer_normalization,
    "LogSoftmax": log_softmax,
    "LpNormalization": lp_normalization,
    "MeanVarianceNormalization": mean_variance_normalization,
    "RMSNormalization": rms_normalization,
    "Softmax": softmax,
}
