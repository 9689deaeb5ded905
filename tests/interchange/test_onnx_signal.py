"""Fourier transforms of ONNX, of real and of complex numbers, whole and of frames."""

import numpy as np
import pytest
from onnx_nodes import agrees, floats, node, reference, refusal, smooth

from lensgrad.interchange.onnx.meanings.signal import TABLE


@pytest.mark.parametrize("length", [None, 5, 9])
@pytest.mark.parametrize("parts", [1, 2])
def test_transforms_along_an_axis(parts, length):
    (x,) = floats(0, (2, 7, 3, parts))
    known = () if length is None else (np.int64(length),)
    names = "x0,x1,x2" if known else "x0,,x2"
    for axis in (1, -2):
        for how in ({}, {"inverse": 1}, {"onesided": 1}, {"inverse": 1, "onesided": 1}):
            if (parts == 2 and how == {"onesided": 1}) or (parts == 1 and "inverse" in how):
                continue
            made = node("DFT", names, **how)
            agrees(TABLE, made, x, *known, np.int64(axis), known=("x1", "x2")[not known :], oracle=reference)
    made = node("DFT", names.rsplit(",", 1)[0], axis=2)
    agrees(TABLE, made, x, *known, known=("x1",)[not known :], oracle=reference, version=17)
    smooth(TABLE, made, x, *known, known=("x1",)[not known :], version=17)


@pytest.mark.parametrize("onesided", [0, 1])
def test_transforms_of_frames(onesided):
    x, window = floats(1, (2, 20, 1), (8,))
    made = node("STFT", "x0,x1,x2", onesided=onesided)
    agrees(TABLE, made, x, np.int64(3), window, known=("x1",), oracle=reference)
    agrees(TABLE, node("STFT", "x0,x1,,x3", onesided=onesided), x, np.int64(4), np.int64(8), known=("x1", "x3"), oracle=reference)


def test_what_is_refused():
    (x,) = floats(2, (2, 20, 3))
    told = "DFT 'here' needs an axis before the last one, which is of size 1 or 2, got axis -2 of f32[2,20,3]"
    assert refusal(TABLE, node("DFT", 1), x) == told
    told = "DFT 'here' transforms 4000000 numbers at once, whose matrix is too large: use shorter frames"
    assert refusal(TABLE, node("DFT", 2), x[..., :1], np.int64(4000000), known=("x1",)) == told
    told = "STFT 'here' needs frames of one length within f32[2,20,1], got 30 numbers, a window of 30 and steps of 3"
    made = node("STFT", "x0,x1,,x3")
    assert refusal(TABLE, made, x[..., :1], np.int64(3), np.int64(30), known=("x1", "x3")) == told
