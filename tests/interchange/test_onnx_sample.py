"""Images read at computed places: values as the runtime and the reference have them, derivatives as differences have them."""

import numpy as np
import pytest
from onnx_nodes import agrees, floats, node, reference, refusal, runtime, smooth

from lensgrad.interchange.onnx.meanings.sample import TABLE

X, GRID, VOLUME, PLACES = floats(0, (2, 3, 5, 4), (2, 3, 6, 2), (1, 2, 3, 4, 5), (1, 2, 3, 2, 3))


@pytest.mark.parametrize("corners", [0, 1])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["linear", "nearest", "cubic"])
def test_grids(mode, padding, corners):
    made = node("GridSample", 2, mode=mode, padding_mode=padding, align_corners=corners)
    agrees(TABLE, made, X, GRID, oracle=runtime, version=20)
    if mode != "cubic":
        agrees(TABLE, made, VOLUME, PLACES, oracle=reference)
    if mode != "nearest":
        smooth(TABLE, made, X, GRID)


def test_grids_of_before_opset_20():
    agrees(TABLE, node("GridSample", 2, mode="bicubic"), X, GRID, oracle=runtime, version=16)
    agrees(TABLE, node("GridSample", 2), X[:, :, :1, :1], GRID, oracle=runtime, version=20)


@pytest.mark.parametrize(("groups", "parts"), [(1, 1), (2, 1), (1, 2)])
def test_deformable_convolutions(groups, parts):
    x, k, b, offset, mask = floats(1, (2, 4, 5, 6), (2, 4 // groups, 2, 3), (2,), (2, 12 * parts, 4, 3), (2, 6 * parts, 4, 3))
    made = node("DeformConv", 5, group=groups, offset_group=parts, strides=[1, 2], pads=[0, 1, 1, 0], dilations=[2, 1])
    agrees(TABLE, made, x, k, offset, b, mask, oracle=runtime, version=22)
    agrees(
        TABLE,
        node("DeformConv", 3, group=groups, offset_group=parts, pads=[0, 0, 0, 0], strides=[1, 2], dilations=[1, 1]),
        x,
        k,
        offset[:, :, :4, :2],
        oracle=runtime,
        version=22,
    )
    smooth(TABLE, made, x, k, offset, b, mask)


@pytest.mark.parametrize("mode", ["avg", "max"])
def test_regions(mode):
    regions = np.array([[0, 0, 3, 4], [1.2, 0.7, 2.9, 3.3], [-1.5, 2, 6, 7]], np.float32)
    batch = np.array([0, 1, 1])
    for places in ("half_pixel", "output_half_pixel"):
        how = {"output_height": 2, "output_width": 3, "sampling_ratio": 2, "spatial_scale": 0.9, "mode": mode}
        made = node("RoiAlign", 3, 1, coordinate_transformation_mode=places, **how)
        agrees(TABLE, made, X, regions, batch, oracle=runtime, version=16)
    smooth(TABLE, made, X, regions, batch)


def test_what_is_refused():
    told = "GridSample 'here' needs a grid (N, *out, 2) for f32[2,3,5,4], got f32[1,2,3,2,3]"
    assert refusal(TABLE, node("GridSample", 2), X, PLACES) == told
    told = "GridSample 'here' must have the mode linear, bilinear, nearest, cubic, bicubic, got area"
    assert refusal(TABLE, node("GridSample", 2, mode="area"), X, GRID) == told
    told = "RoiAlign 'here' reads as many places as a region is large, which has no meaning here: give a sampling_ratio"
    assert refusal(TABLE, node("RoiAlign", 3), X, np.zeros((1, 4), np.float32), np.zeros(1, np.int64)) == told
