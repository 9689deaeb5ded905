"""Losses of ONNX, with weights, ignored class numbers and all reductions."""

import numpy as np
import pytest
from onnx_nodes import agrees, floats, node, reference, refusal, smooth

from lensgrad.interchange.onnx.meanings.losses import TABLE

SHAPES = [(4, 3), (2, 3, 4), (2, 3, 2, 2, 3)]


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("ignored", [None, 1, -3, 7])
@pytest.mark.parametrize("shape", SHAPES)
def test_losses_are_those_of_the_reference(shape, ignored, reduction):
    x, weight = floats(0, shape, (3,))
    target = np.random.default_rng(1).integers(0, 3, (shape[0], *shape[2:]))
    target.flat[1] = target.flat[1] if ignored is None else ignored
    how = {"reduction": reduction} | ({} if ignored is None else {"ignore_index": ignored})
    for op, outputs in (("NegativeLogLikelihoodLoss", 1), ("SoftmaxCrossEntropyLoss", 2)):
        agrees(TABLE, node(op, 3, outputs, **how), x, target, np.abs(weight), oracle=reference)
        agrees(TABLE, node(op, 2, outputs, **how), x, target, oracle=reference)


def test_derivatives_of_losses():
    x, weight = floats(2, (2, 3, 4), (3,))
    target = np.random.default_rng(1).integers(0, 3, (2, 4))
    smooth(TABLE, node("SoftmaxCrossEntropyLoss", 3, 2, ignore_index=1), x, target, np.abs(weight))


def test_what_is_refused():
    (x,) = floats(3, (2, 3, 4))
    target = np.zeros((2, 3), np.int64)
    told = "NegativeLogLikelihoodLoss 'here' needs class numbers of shape [2, 4] for f32[2,3,4], got i32[2,3]"
    assert refusal(TABLE, node("NegativeLogLikelihoodLoss", 2), x, target) == told
    told = "SoftmaxCrossEntropyLoss 'here' must have the reduction none, sum or mean, got median"
    assert refusal(TABLE, node("SoftmaxCrossEntropyLoss", 2, reduction="median"), x, np.zeros((2, 4), np.int64)) == told
