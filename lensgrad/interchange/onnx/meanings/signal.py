"""Fourier transforms of fixed length: a complex number is a last axis of 2, and the transform a constant matrix."""

from __future__ import annotations

import numpy as np

from lensgrad.core.graph import Wire
from lensgrad.interchange.dtypes import Numbers
from lensgrad.interchange.onnx import call as c
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.linear import Einsum

MOST = 2**26  # entries of a matrix


def dft(call: c.Call) -> list[Wire]:
    """Σ x[n] e^(−2πikn/N) along an axis; the inverse has the other sign, and 1/N."""
    x, inverse, onesided = call.wire(0), bool(call.attribute("inverse", 0)), bool(call.attribute("onesided", 0))
    axis = int(call.attribute("axis", 1))
    if call.version >= 20:
        axis = int(call.constant(2, "an axis").reshape(())) if call.given(2) else -2
    if not -x.atom.rank <= axis < x.atom.rank or axis % x.atom.rank == x.atom.rank - 1 or x.atom.shape[-1] not in (1, 2):
        raise call.refused(f"needs an axis before the last one, which is of size 1 or 2, got axis {axis} of {x.atom}")
    n = x.atom.shape[axis]
    length = int(call.constant(1, "a length").reshape(())) if call.given(1) else 2 * (n - 1) if inverse and onesided else n
    return [transformed(call, x, axis % x.atom.rank, length, inverse, onesided)]


def transformed(call: c.Call, x: Wire, axis: int, length: int, inverse: bool, onesided: bool) -> Wire:
    """The transform of x along an axis."""
    n, parts = int(x.atom.shape[axis]), int(x.atom.shape[-1])
    if 2 * n * parts * length > MOST:
        raise call.refused(f"transforms {length} numbers at once, whose matrix is too large: use shorter frames")
    made = matrix(n, parts, length, inverse, onesided).astype(x.atom.dtype)
    fixed = call.site.constant(f"{call.name or call.op}/{'inverse' if inverse else 'matrix'}", made)
    letters = "abcdefghijklmnopqrstuvw"[: x.atom.rank]
    result = f"{letters[:axis]}X{letters[axis + 1 : -1]}Y"
    return Einsum(f"{letters},{letters[axis]}{letters[-1]}XY->{result}")(x, fixed)


def matrix(n: int, parts: int, length: int, inverse: bool, onesided: bool) -> Numbers:
    """What each real or imaginary part of n numbers gives to each one of their transform: (n, parts, N, parts)."""
    each = np.eye(n)[:, None, :] * np.array([1, 1j])[:parts, None]
    if inverse and onesided:
        return np.fft.irfft(each, length)[..., None]
    found = np.fft.ifft(each, length) if inverse else np.fft.fft(each, length)
    kept = found[..., : length // 2 + 1] if onesided else found
    return np.stack([kept.real, kept.imag], -1)


def stft(call: c.Call) -> list[Wire]:
    """The transform of each frame of a signal (N, length, 1 or 2), its entries times a window: (N, frames, bins, 2)."""
    x, step = call.wire(0), int(call.constant(1, "a step").reshape(()))
    size = int(call.constant(3, "a length").reshape(())) if call.given(3) else None
    width = int(call.wire(2).atom.shape[0]) if call.given(2) else size or int(x.atom.shape[1])
    count = 1 + (int(x.atom.shape[1]) - (size or width)) // step if step > 0 else 0
    if count < 1 or width != (size or width):
        raise call.refused(
            f"needs frames of one length within {x.atom}, got {size or width} numbers, a window of {width} and steps of {step}"
        )
    places = np.arange(count)[:, None] * step + np.arange(width)
    frames = ops.take(x, call.site.constant(f"{call.name or call.op}/frames", places), 1)
    if call.given(2):
        frames = frames * ops.spread(call.wire(2), frames.atom.shape, (2,))
    return [transformed(call, frames, 2, width, False, bool(call.attribute("onesided", 1)))]


TABLE: c.Table = {"DFT": dft, "STFT": stft}
