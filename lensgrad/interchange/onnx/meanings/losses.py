"""Losses on class numbers: (N, C, d₁, …) and class numbers (N, d₁, …)."""

from __future__ import annotations

from lensgrad.core.graph import Wire
from lensgrad.interchange.onnx import call as c
from lensgrad.interchange.onnx.space import text
from lensgrad.interchange.shapes import spread_to
from lensgrad.theories.smooth import ops


def likelihood_loss(call: c.Call) -> list[Wire]:
    """−w_t x_t for log probabilities x and class numbers t."""
    return [lost(call, call.wire(0))]


def cross_entropy_loss(call: c.Call) -> list[Wire]:
    """−w_t ln softmax(x)_t for logits x and class numbers t, and the log probabilities."""
    logs = ops.log_softmax(call.wire(0), 1)
    return [lost(call, logs), logs]


def lost(call: c.Call, logs: Wire) -> Wire:
    """The weighted −x_t, reduced; what has the class number `ignore_index` counts for nothing."""
    target = call.wire(1)
    n, _, *rest = logs.atom.shape
    if tuple(target.atom.shape) != (n, *rest):
        raise call.refused(f"needs class numbers of shape {[n, *rest]} for {logs.atom}, got {target.atom}")
    ignored, counts = call.attribute("ignore_index"), weights(call, target, logs)
    shown = target if ignored is None else ops.select(ops.equal(target, int(ignored)), 0, target)
    picked = ops.reshape(ops.take_along(logs, ops.reshape(shown, n, 1, *rest), 1), n, *rest)
    return reduced(call, -picked * counts, counts)


def weights(call: c.Call, target: Wire, logs: Wire) -> Wire:
    """What each entry counts for: the weight of its class, or 1, and 0 where it is ignored."""
    ignored, dtype = call.attribute("ignore_index"), logs.atom.dtype
    one = target.atom.with_shape().with_dtype(dtype).one()
    each = ops.take(call.wire(2), target) if call.given(2) else spread_to(one, target.atom.shape)
    return each if ignored is None else ops.select(ops.equal(target, int(ignored)), 0.0, each)


def reduced(call: c.Call, loss: Wire, counts: Wire) -> Wire:
    """The loss of each entry, their sum, or their weighted mean."""
    how = text(call.attribute("reduction", "mean"))
    if how not in ("none", "sum", "mean"):
        raise call.refused(f"must have the reduction none, sum or mean, got {how}")
    if how == "none":
        return loss
    return ops.total(loss) if how == "sum" else ops.total(loss) / ops.total(counts)


TABLE: c.Table = {"NegativeLogLikelihoodLoss": likelihood_loss, "SoftmaxCrossEntropyLoss": cross_entropy_loss}
