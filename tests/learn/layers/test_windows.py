"""Windows beyond the image, norms over several axes, a GRU that resets first: against their definitions, one entry at a time."""

import itertools
import math

import numpy as np
import pytest
from layer_checks import at, inputs, outputs, real

import lensgrad as lg
from lensgrad.core.errors import TypeMismatch


def count(n, size, stride, padding, dilation, ceil):
    """How many windows there are: the last one of `ceil` begins in the image or the padding before it."""
    room = n + 2 * padding - dilation * (size - 1) - 1
    found = (math.ceil if ceil else math.floor)(room / stride) + 1
    return found - (ceil and (found - 1) * stride >= n + padding)


def pooled(x, size, stride, padding, dilation, ceil, reduce):
    """One channel, window by window: reduce(the entries in the image, how many are in the image or its own padding)."""
    counts = [count(n, size, stride, padding, dilation, ceil) for n in x.shape]
    out = np.empty(counts)
    for at_ in np.ndindex(*counts):
        taps = list(itertools.product(*([p * stride - padding + j * dilation for j in range(size)] for p in at_)))
        inside = [x[t] for t in taps if all(0 <= i < n for i, n in zip(t, x.shape, strict=True))]
        near = sum(all(i < n + padding for i, n in zip(t, x.shape, strict=True)) for t in taps)
        out[at_] = reduce(inside, near)
    return out


@pytest.mark.parametrize("ceil", [False, True])
@pytest.mark.parametrize(("size", "stride", "padding", "dilation"), [(3, 2, 1, 1), (2, 3, 1, 1), (2, 1, 1, 2), (2, 3, 0, 2), (3, 2, 0, 1)])
def test_pools(size, stride, padding, dilation, ceil):
    x = np.random.default_rng(0).normal(size=(6, 7))
    how = {"dilation": dilation, "ceil_mode": ceil}
    mean = {True: lambda inside, near: sum(inside) / near, False: lambda inside, near: sum(inside) / len(inside)}
    for layer, reduce in [
        (lg.max_pool2d(size, stride, padding, **how), lambda inside, near: max(inside)),
        (lg.average_pool2d(size, stride, padding, **how), mean[True]),
        (lg.average_pool2d(size, stride, padding, count_include_pad=False, **how), mean[False]),
    ]:
        found = outputs(at(layer, real(6, 7, 1)), [x[..., None]])[0][..., 0]
        np.testing.assert_allclose(found, pooled(x, size, stride, padding, dilation, ceil, reduce), atol=1e-14)


def test_a_window_of_padding_only_is_refused():
    with pytest.raises(TypeMismatch, match="a window would be all padding"):
        at(lg.max_pool1d(2, padding=2), real(5, 1))


@pytest.mark.parametrize("extra", [0, 1, 2, 3])
def test_a_transposed_convolution_with_wide_output(extra):
    """Each input adds its kernel into the output; stride 2, dilation 4, so output_padding may be 0 to 3."""
    f = at(lg.conv_transpose(1, 2, stride=2, dilation=4, output_padding=extra, padding=1, axes=1), real(3, 1))
    k, b, x = values = inputs(f)
    full = np.zeros(2 * 2 + 4 + 1 + 8)
    for t, j in itertools.product(range(3), range(2)):
        full[2 * t + 4 * j] += x[t, 0] * k[j, 0, 0]
    wanted = full[1 : 1 + 2 * 2 - 2 + 4 + 1 + extra] + b
    np.testing.assert_allclose(outputs(f, values)[0][:, 0], wanted, atol=1e-14)


@pytest.mark.parametrize("axes", [-1, 0, (0, 2), (-2, -1), (0, 1, 2)])
def test_norms_over_axes(axes):
    f, over = at(lg.layer_norm(axes=axes), real(2, 3, 4)), tuple(a % 3 for a in np.atleast_1d(axes))
    scale, shift, x = values = inputs(f)
    shape = [n if a in over else 1 for a, n in enumerate(x.shape)]
    away = x - x.mean(over, keepdims=True)
    wanted = away / np.sqrt(x.var(over, keepdims=True) + 1e-5) * scale.reshape(shape) + shift.reshape(shape)
    np.testing.assert_allclose(outputs(f, values)[0], wanted, rtol=1e-12)
    f = at(lg.rms_norm(axes=axes), real(2, 3, 4))
    scale, x = values = inputs(f)
    wanted = x / np.sqrt((x * x).mean(over, keepdims=True) + 1e-5) * scale.reshape(shape)
    np.testing.assert_allclose(outputs(f, values)[0], wanted, rtol=1e-12)


def test_a_gru_that_resets_first():
    f = at(lg.gru(2, reset_after=False), real(4, 3))
    w, u, b, xs = values = inputs(f)
    h, found = np.zeros(2), []
    for x in xs:
        r, z = (1 / (1 + np.exp(-(w @ x + b + u @ h)[k : k + 2])) for k in (0, 2))
        new = np.tanh((w @ x + b)[4:] + u[4:] @ (r * h))
        h = (1 - z) * new + z * h
        found.append(h)
    np.testing.assert_allclose(outputs(f, values)[0], found, rtol=1e-12)
    assert f.names == ("input/weight", "state/weight", "bias")
