"""Resize and Upsample: along each axis a linear map between fixed sizes, its matrix a constant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lensgrad.core.graph import Wire
from lensgrad.core.op import Table as Whole
from lensgrad.interchange.dtypes import Numbers
from lensgrad.interchange.onnx import call as c
from lensgrad.interchange.onnx.places import COORDINATES, NEAREST, Axis, cubic, interpolation, triangle
from lensgrad.interchange.onnx.space import text
from lensgrad.theories.smooth import index as _index
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.linear import Einsum

MODES = {"nearest": "nearest", "linear": "linear", "bilinear": "linear", "trilinear": "linear", "cubic": "cubic"}


@dataclass(frozen=True)
class Rule:
    """How places become entries: the kind of interpolation and what the node says of it."""

    mode: str
    places: str
    nearest: str
    coefficient: float
    within: bool
    wide: bool  # whether a shrinking axis is read by a wider kernel
    outside: float


def named(call: c.Call, name: str, default: str, known: Sequence[str]) -> str:
    """An attribute that is one of these words."""
    found = text(call.attribute(name, default)) or default
    if found not in known:
        raise call.refused(f"must have the {name} {', '.join(known)}, got {found}")
    return found


def rule(call: c.Call) -> Rule:
    """What the node says; before opset 11, places are those from the first pixel on."""
    old = call.version < 11
    return Rule(
        MODES[named(call, "mode", "nearest", tuple(MODES))],
        "asymmetric" if old else named(call, "coordinate_transformation_mode", "half_pixel", tuple(COORDINATES)),
        "" if old else named(call, "nearest_mode", "round_prefer_floor", tuple(NEAREST)),
        float(call.attribute("cubic_coeff_a", -0.75)),
        bool(call.attribute("exclude_outside", 0)),
        bool(call.attribute("antialias", 0)),
        float(call.attribute("extrapolation_value", 0.0)),
    )


def resize(call: c.Call) -> list[Wire]:
    """An array with other sizes of its axes, its entries read at places between those that are there."""
    x, how = call.wire(0), rule(call)
    half = x.atom.dtype in ("float16", "bfloat16")
    if not x.atom.floating and how.mode != "nearest":
        raise call.refused(f"interpolates whole numbers, got {x.atom}: use the mode nearest, or cast them to floats")
    y = ops.cast(x, "float32") if half else x
    for place, axis in sizes(call, x.atom.shape).items():
        if axis.before != axis.after or axis.scale != 1 or (axis.start, axis.end) != (0, 1):
            y = resized(call, y, place, axis, how)
    return [ops.cast(y, x.atom.dtype)]


def resized(call: c.Call, x: Wire, place: int, axis: Axis, how: Rule) -> Wire:
    """x with one axis resized."""
    # Nearest entries are found in float32, as onnxruntime finds them: rounded otherwise, places near halves would be others.
    places = COORDINATES[how.places](axis, np.arange(axis.after, dtype=np.float32 if how.mode == "nearest" else np.float64))
    lost = ((places < 0) | (places > axis.before - 1)) & (how.places == "tf_crop_and_resize")
    if how.mode == "nearest" and not lost.any():
        return taken(x, nearest(places, axis, how), place)
    matrix = weights(places, axis, how) * ~lost[:, None]
    y = along(x, call.site.constant(f"{call.name or call.op}/{place}", matrix.astype(x.atom.dtype)), place)
    if not (lost.any() and how.outside):
        return y
    added = call.site.constant(f"{call.name or call.op}/{place}/outside", (lost * how.outside).astype(x.atom.dtype))
    return y + ops.spread(added, y.atom.shape, (place,))


def nearest(places: Numbers, axis: Axis, how: Rule) -> Numbers:
    """The number of the entry that is read at each place."""
    pick = NEAREST[how.nearest or ("ceil" if axis.scale < 1 else "floor")]
    return pick(places).astype(int).clip(0, axis.before - 1)


def weights(places: Numbers, axis: Axis, how: Rule) -> Numbers:
    """The matrix of one axis."""
    if how.mode == "nearest":
        return np.eye(axis.before)[nearest(places, axis, how)]
    kernel, radius = (triangle, 1) if how.mode == "linear" else (cubic(how.coefficient), 2)
    return interpolation(places, axis.before, kernel, radius, min(1.0, axis.scale) if how.wide else 1.0, how.within)


def taken(x: Wire, numbers: Numbers, place: int) -> Wire:
    """The entries with these numbers along an axis; where each is repeated equally often, by repeating."""
    n = x.atom.shape[place]
    times = len(numbers) // n
    if numbers.tolist() == [k for k in range(n) for _ in range(times)]:
        return ops.repeat(x, times, place)
    return ops.take(x, _index.Numbers(Whole(numbers.tolist()))(), place)


def along(x: Wire, matrix: Wire, place: int) -> Wire:
    """A matrix applied along an axis."""
    letters = "abcdefghijklmnopqrstuvwxy"[: x.atom.rank]
    return Einsum(f"Z{letters[place]},{letters}->{letters[:place]}Z{letters[place + 1 :]}")(matrix, x)


# -- sizes -------------------------------------------------------------------------------------------------------------


def sizes(call: c.Call, shape: tuple[int, ...]) -> dict[int, Axis]:
    """What each axis becomes, by its number."""
    axes = [int(a) % len(shape) for a in call.attribute("axes") or range(len(shape))]
    wanted, factors = asked(call)
    told = factors if wanted is None else wanted
    if len(told) != len(axes):
        raise call.refused(f"must have a size or scale for each of {len(axes)} axes, got {len(told)}")
    region = cropped(call, len(axes))
    before = [shape[a] for a in axes]
    if wanted is None:
        after = [int(np.floor(np.float32(s) * np.float32(n))) for s, n in zip(factors, before, strict=True)]
    else:
        after, factors = kept_ratio(call, before, wanted)
    return {a: Axis(n, m, s, *r) for a, n, m, s, r in zip(axes, before, after, factors, region, strict=True)}


def asked(call: c.Call) -> tuple[list[int] | None, list[float]]:
    """The sizes that the node asks for, or None; and the scales."""
    if call.attribute("scales") is not None:
        return None, [float(s) for s in call.attribute("scales")]
    if call.op == "Upsample" or call.version < 11:
        return None, [float(s) for s in call.constant(1, "scales")]
    if call.given(3) and not (call.known(3) and not call.constant(3, "sizes").size):
        return [int(n) for n in call.constant(3, "sizes")], []
    return None, [float(s) for s in call.constant(2, "scales")]


def kept_ratio(call: c.Call, before: list[int], wanted: list[int]) -> tuple[list[int], list[float]]:
    """The sizes and scales of all axes: those asked for, or with one scale for all."""
    factors = [m / n for m, n in zip(wanted, before, strict=True)]
    policy = named(call, "keep_aspect_ratio_policy", "stretch", ("stretch", "not_larger", "not_smaller"))
    if policy == "stretch":
        return wanted, factors
    one = min(factors) if policy == "not_larger" else max(factors)
    return [int(one * n + 0.5) for n in before], [one] * len(before)


def cropped(call: c.Call, n: int) -> list[tuple[float, float]]:
    """The part of each axis that is read, as shares of its length."""
    if text(call.attribute("coordinate_transformation_mode")) != "tf_crop_and_resize":
        return [(0.0, 1.0)] * n
    region = [float(v) for v in call.constant(1, "a region")]
    if len(region) != 2 * n:
        raise call.refused(f"must have a region of {2 * n} numbers, the starts and then the ends, got {len(region)}")
    return list(zip(region[:n], region[n:], strict=True))


def affine_grid(call: c.Call) -> list[Wire]:
    """The places that affine maps (N, d, d + 1) read from, for each pixel of an image: (N, *space, d)."""
    theta, space = call.wire(0), [int(n) for n in call.constant(1, "a size")][2:]
    corners = bool(call.attribute("align_corners", 0))
    lines = [np.linspace(-1, 1, n) if corners else (2 * np.arange(n) + 1) / n - 1 for n in space]
    mesh = np.meshgrid(*lines, indexing="ij")[::-1]
    pixels = np.stack([*mesh, np.ones(space)], -1).reshape(-1, len(space) + 1).astype(theta.atom.dtype)
    grid = ops.einsum("nij,pj->npi", theta, call.site.constant(f"{call.name or call.op}/pixels", pixels))
    return [ops.reshape(grid, theta.atom.shape[0], *space, len(space))]


TABLE: c.Table = {"AffineGrid": affine_grid, "Resize": resize, "Upsample": resize}
