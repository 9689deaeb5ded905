"""Resizing in ONNX: values as the reference and the runtime have them, derivatives as differences have them."""

from typing import Any

import numpy as np
import pytest
from onnx_nodes import agrees, floats, node, reference, refusal, runtime, smooth

from lensgrad.interchange.onnx.meanings.resize import TABLE

PLACES = ["half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric"]
MODES: list[dict[str, Any]] = [{"mode": "linear"}, {"mode": "cubic", "cubic_coeff_a": -0.5}, {"mode": "cubic", "exclude_outside": 1}]
NONE = np.array([], np.float32)


@pytest.mark.parametrize("shape", [(1, 2, 9, 11), (1, 2, 3, 2), (1, 2, 4, 5)])
@pytest.mark.parametrize("places", PLACES)
def test_interpolation_at_all_places(places, shape):
    (x,) = floats(0, (1, 2, 5, 4))
    sizes = np.array(shape, np.int64)
    for more in MODES:
        made = node("Resize", "x0,,,x3", coordinate_transformation_mode=places, **more)
        agrees(TABLE, made, x, sizes, known=("x3",), oracle=reference)
    smooth(TABLE, node("Resize", "x0,,,x3", mode="cubic", coordinate_transformation_mode=places), x, sizes, known=("x3",))


@pytest.mark.parametrize("nearest", ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])
@pytest.mark.parametrize("places", PLACES)
def test_nearest_entries(places, nearest):
    (x,) = floats(1, (1, 2, 5, 4))
    whole = places in ("align_corners", "half_pixel_symmetric")  # where the runtime has its own ways with fractions
    for scales in ([1, 1, 2, 3], [1, 1, 1, 0.5]) if whole else ([1, 1, 2, 3], [1, 1, 1.7, 0.5], [1, 2, 0.6, 1.25]):
        made = node("Resize", "x0,,x2", mode="nearest", coordinate_transformation_mode=places, nearest_mode=nearest)
        agrees(TABLE, made, x, np.array(scales, np.float32), known=("x2",), oracle=runtime, version=19)


@pytest.mark.parametrize("mode", ["linear", "cubic"])
def test_shrinking_by_a_wider_kernel(mode):
    (x,) = floats(2, (1, 1, 9, 8))
    scales = np.array([1, 1, 0.45, 0.6], np.float32)
    agrees(TABLE, node("Resize", "x0,,x2", mode=mode, antialias=1), x, scales, known=("x2",), oracle=reference)
    agrees(TABLE, node("Resize", "x0,,x2", mode=mode, antialias=1, exclude_outside=1), x, scales, known=("x2",), oracle=reference)


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
def test_parts_of_an_image(mode):
    (x,) = floats(3, (1, 1, 6, 5))
    region, sizes = np.array([0, 0, 0.31, -0.2, 1, 1, 0.8, 1.1], np.float32), np.array([1, 1, 4, 7])
    made = node("Resize", "x0,x1,,x3", mode=mode, coordinate_transformation_mode="tf_crop_and_resize", extrapolation_value=7.0)
    agrees(TABLE, made, x, region, sizes, known=("x1", "x3"), oracle=reference)


def test_some_axes_and_one_scale_for_all():
    (x,) = floats(4, (2, 3, 4, 6))
    for policy in ("not_larger", "not_smaller", "stretch"):
        made = node("Resize", "x0,,,x3", mode="linear", axes=[2, 3], keep_aspect_ratio_policy=policy)
        agrees(TABLE, made, x, np.array([7, 8]), known=("x3",), oracle=reference)


def test_old_forms():
    (x,) = floats(5, (1, 1, 4, 5))
    for scales in ([1, 1, 2, 3], [1, 1, 0.6, 0.5]):
        factors = np.array(scales, np.float32)
        for mode in ("nearest", "linear"):
            agrees(TABLE, node("Resize", "x0,x1", mode=mode), x, factors, known=("x1",), oracle=runtime, version=10)
    agrees(TABLE, node("Upsample", "x0,x1", mode="linear"), x, np.array([1, 1, 2, 3], np.float32), known=("x1",), oracle=runtime, version=9)
    agrees(TABLE, node("Upsample", 1, scales=[1.0, 1.0, 2.0, 3.0]), x, oracle=runtime, version=7)


def test_other_dtypes():
    x = np.arange(12, dtype=np.uint8).reshape(1, 1, 3, 4)
    agrees(TABLE, node("Resize", "x0,,x2"), x, np.array([1, 1, 2, 1.5], np.float32), known=("x2",), oracle=reference)
    half = x.astype(np.float16)
    agrees(TABLE, node("Resize", "x0,,x2", mode="linear"), half, np.array([1, 1, 2, 2], np.float32), known=("x2",), oracle=reference)


@pytest.mark.parametrize("corners", [0, 1])
def test_grids_of_affine_maps(corners):
    for theta, size in zip(floats(6, (2, 2, 3), (2, 3, 4)), ([2, 3, 4, 5], [2, 3, 3, 4, 2]), strict=True):
        agrees(TABLE, node("AffineGrid", 2, align_corners=corners), theta, np.array(size), known=("x1",), oracle=reference)


def test_what_is_refused():
    (x,) = floats(7, (1, 1, 4, 4))
    sizes = np.array([1, 1, 8, 8])
    told = "Resize 'here' must have the mode nearest, linear, bilinear, trilinear, cubic, got area"
    assert refusal(TABLE, node("Resize", "x0,,,x3", mode="area"), x, sizes, known=("x3",)) == told
    told = "Resize 'here' must have a size or scale for each of 4 axes, got 2"
    assert refusal(TABLE, node("Resize", "x0,,,x3"), x, sizes[:2], known=("x3",)) == told
    told = "Resize 'here' interpolates whole numbers, got i32[1,1,4,4]: use the mode nearest, or cast them to floats"
    assert refusal(TABLE, node("Resize", "x0,,,x3", mode="linear"), x.astype(np.int32), sizes, known=("x3",)) == told
    told = "Resize 'here' must have a region of 8 numbers, the starts and then the ends, got 0"
    made = node("Resize", "x0,x1,,x3", coordinate_transformation_mode="tf_crop_and_resize")
    assert refusal(TABLE, made, x, NONE, sizes, known=("x1", "x3")) == told
    told = "Resize 'here' has sizes that is computed from data, and shapes are fixed here: give the input a value by constants={…}"
    assert refusal(TABLE, node("Resize", "x0,,,x3"), x, sizes) == told
