"""Normalizations of ONNX: values as the runtime and the reference have them, derivatives as differences have them."""

import numpy as np
import pytest
from onnx_nodes import agrees, floats, means, node, reference, refusal, runtime, smooth

from lensgrad.interchange.onnx.meanings.norm import TABLE

CHANNELS = floats(0, (2, 4, 3, 5), (4,), (4,), (4,))
VARIANCE = np.array([0.5, 1.0, 2.0, 0.1], np.float32)


def test_batches_are_normalized_by_what_is_given_or_by_themselves():
    agrees(TABLE, node("BatchNormalization", 5, epsilon=1e-3), *CHANNELS, VARIANCE, oracle=runtime, version=15)
    agrees(TABLE, node("BatchNormalization", 5), *CHANNELS, VARIANCE, oracle=runtime, version=9)
    training = node("BatchNormalization", 5, outputs=3, training_mode=1, momentum=0.8)
    agrees(TABLE, training, *CHANNELS, VARIANCE, oracle=reference, version=15)
    smooth(TABLE, training, *CHANNELS, VARIANCE)


def test_examples_are_normalized():
    x, scale, shift, _ = CHANNELS
    agrees(TABLE, node("InstanceNormalization", 3), x, scale, shift, oracle=runtime, version=22)
    agrees(TABLE, node("MeanVarianceNormalization", 1), x, oracle=runtime, version=13)
    agrees(TABLE, node("MeanVarianceNormalization", 1, axes=[1, -1]), x, oracle=reference)
    agrees(TABLE, node("GroupNormalization", 3, num_groups=2), x, scale, shift, oracle=runtime, version=21)
    agrees(TABLE, node("GroupNormalization", 3, num_groups=2), x, scale[:2], shift[:2], oracle=runtime, version=18)
    smooth(TABLE, node("GroupNormalization", 3, num_groups=2), x, scale, shift)


@pytest.mark.parametrize("axis", [-1, 1, 2])
def test_layers_are_normalized(axis):
    x = CHANNELS[0]
    scale, shift = floats(1, x.shape[axis:], x.shape[axis:])
    made = node("LayerNormalization", 3, outputs=3, axis=axis, epsilon=1e-2)
    agrees(TABLE, made, x, scale, shift, oracle=runtime)
    agrees(TABLE, node("RMSNormalization", 2, axis=axis), x, scale, oracle=reference)
    smooth(TABLE, made, x, scale, shift)
    smooth(TABLE, node("RMSNormalization", 2, axis=axis), x, scale)


def test_halves_are_normalized_in_float32():
    x, scale = CHANNELS[0].astype(np.float16) * np.float16(300), np.ones(5, np.float16)
    for op in ("LayerNormalization", "RMSNormalization"):
        found, wanted = (means(TABLE, node(op, 2), a, b)[0] for a, b in ((x, scale), (x.astype("float32"), scale.astype("float32"))))
        assert found.dtype == np.float16
        np.testing.assert_array_equal(found, wanted.astype(np.float16))


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_near_channels(size):
    (x,) = floats(2, (4, 4, 2, 3))
    made = node("LRN", 1, size=size, alpha=0.3, beta=0.6, bias=1.5)
    agrees(TABLE, made, x, oracle=runtime if size % 2 else reference, version=13)
    smooth(TABLE, made, x)


@pytest.mark.parametrize(("p", "axis"), [(1, 0), (2, 1), (2, -1)])
def test_norms_become_one(p, axis):
    (x,) = floats(3, (3, 4))
    agrees(TABLE, node("LpNormalization", 1, p=p, axis=axis), x, oracle=runtime, version=22)
    zero = np.zeros((2, 2), np.float32)
    assert not means(TABLE, node("LpNormalization", 1, p=p, axis=axis), zero)[0].any()


@pytest.mark.parametrize("version", [11, 13])
@pytest.mark.parametrize("op", ["Softmax", "LogSoftmax", "Hardmax"])
def test_shares_along_an_axis(op, version):
    (x,) = floats(4, (3, 4, 5))
    for axis in (0, 1, 2, -1, -2):
        agrees(TABLE, node(op, 1, axis=axis), x, oracle=runtime, version=version)
    agrees(TABLE, node(op, 1), x, oracle=runtime, version=version)


def test_dropout_drops_nothing():
    x = CHANNELS[0]
    for made, xs, known in [
        (node("Dropout", 1, outputs=2), (x,), ()),
        (node("Dropout", 3, outputs=2), (x, np.float32(0.5), np.array(False)), ("x2",)),
        (node("Dropout", 3, outputs=2), (x, np.float32(0.0), np.array(True)), ("x1", "x2")),
    ]:
        y, mask = means(TABLE, made, *xs, known=known)
        assert (y == x).all() and mask.all()


def test_what_is_refused():
    x = CHANNELS[0]
    told = "Dropout 'here' drops entries at random, in training mode: export the network for inference, or put lg.dropout in its place"
    assert refusal(TABLE, node("Dropout", 3), x, np.float32(0.5), np.array(True), known=("x1", "x2")) == told
    assert refusal(TABLE, node("Dropout", 1), x, version=6) == told
    told = "BatchNormalization 'here' normalizes with its batch or entry by entry in a form of before opset 7: convert the file to opset 15"
    assert refusal(TABLE, node("BatchNormalization", 5), *CHANNELS, VARIANCE, version=6) == told
    told = "BatchNormalization 'here' gives the statistics of its batch in a form of before opset 14: convert the file to opset 15"
    assert refusal(TABLE, node("BatchNormalization", 5, outputs=5), *CHANNELS, VARIANCE, version=9) == told
    told = "GroupNormalization 'here' cannot divide 4 channels into 3 groups"
    assert refusal(TABLE, node("GroupNormalization", 3, num_groups=3), *CHANNELS[:3]) == told
    assert refusal(TABLE, node("LpNormalization", 1, p=3), x) == "LpNormalization 'here' must have p 1 or 2, got 3"
    assert refusal(TABLE, node("Softmax", 1, axis=4), x) == "Softmax 'here' must have an axis of f32[2,4,3,5], got 4"
    assert refusal(TABLE, node("RMSNormalization", 2, axis=4), x, x) == "RMSNormalization 'here' must have an axis of f32[2,4,3,5], got 4"
