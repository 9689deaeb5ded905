"""Where the entries of a resized axis are read, and with which weights: each axis is a linear map between fixed sizes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lensgrad.interchange.dtypes import Numbers

Kernel = Callable[[Numbers], Numbers]  # what an entry counts for at a distance


@dataclass(frozen=True)
class Axis:
    """One axis of a resize: its sizes, how much longer it gets, and the part that is read, as shares of its length."""

    before: int
    after: int
    scale: float
    start: float = 0.0
    end: float = 1.0


def half_pixel(a: Axis, y: Numbers) -> Numbers:
    return (y + 0.5) / a.scale - 0.5


def half_pixel_symmetric(a: Axis, y: Numbers) -> Numbers:
    return a.before / 2 * (1 - a.after / (a.scale * a.before)) + half_pixel(a, y)


def pytorch_half_pixel(a: Axis, y: Numbers) -> Numbers:
    return half_pixel(a, y) if a.after > 1 else 0 * y


def half_pixel_of_nearest(a: Axis, y: Numbers) -> Numbers:
    return (y + 0.5) / a.scale


def align_corners(a: Axis, y: Numbers) -> Numbers:
    last = a.scale * a.before - 1
    return y * (a.before - 1) / last if last else 0 * y


def asymmetric(a: Axis, y: Numbers) -> Numbers:
    return y / a.scale


def crop_and_resize(a: Axis, y: Numbers) -> Numbers:
    last, whole = a.scale * a.before - 1, a.before - 1
    inside = y * (a.end - a.start) * whole / last if last else np.full(len(y), (a.end - a.start) * whole / 2)
    return a.start * whole + inside


COORDINATES: dict[str, Callable[[Axis, Numbers], Numbers]] = {  # where an entry of the result is, on the axis before
    "align_corners": align_corners,
    "asymmetric": asymmetric,
    "half_pixel": half_pixel,
    "half_pixel_symmetric": half_pixel_symmetric,
    "pytorch_half_pixel": pytorch_half_pixel,
    "tf_crop_and_resize": crop_and_resize,
    "tf_half_pixel_for_nn": half_pixel_of_nearest,
}


def ceil(x: Numbers) -> Numbers:
    return np.ceil(x)


def floor(x: Numbers) -> Numbers:
    return np.floor(x)


NEAREST: dict[str, Kernel] = {  # the whole number that is read for a place
    "ceil": ceil,
    "floor": floor,
    "round_prefer_ceil": lambda x: np.floor(x + 0.5),
    "round_prefer_floor": lambda x: np.ceil(x - 0.5),
}


def triangle(x: Numbers) -> Numbers:
    """1 − |x|, at least 0: linear interpolation."""
    return np.maximum(1 - np.abs(x), 0.0)


def cubic(a: float) -> Kernel:
    """Keys' cubic convolution with the coefficient a (IEEE Trans. ASSP 29, 1981)."""

    def kernel(x: Numbers) -> Numbers:
        d = np.abs(x)
        near = ((a + 2) * d - (a + 3)) * d * d + 1
        far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
        return np.where(d <= 1, near, np.where(d < 2, far, 0.0))

    return kernel


def interpolation(places: Numbers, n: int, kernel: Kernel, radius: int, stretch: float, within: bool) -> Numbers:
    """The matrix that reads n entries at places between them, with the weights of a kernel that is 0 from its radius on.

    `stretch` ≤ 1 makes the kernel wider. What lies outside counts for the first or the last entry, or for nothing where only
    weights `within` the axis are taken.
    """
    reach = math.ceil(radius / stretch)
    at = np.floor(places).astype(int)[:, None] + np.arange(-reach, reach + 1)
    weights = kernel((at - places[:, None]) * stretch)
    if within:
        weights = np.where((at < 0) | (at >= n), 0.0, weights)
    sums = weights.sum(1, keepdims=True)
    matrix = np.zeros((len(places), n))
    np.add.at(matrix, (np.arange(len(places))[:, None], at.clip(0, n - 1)), weights / np.where(sums == 0, 1.0, sums))
    return matrix
