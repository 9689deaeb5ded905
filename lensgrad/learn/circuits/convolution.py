"""Trees of gates as convolution kernels: one set of truth tables for all places of an image (arXiv 2411.04732)."""

from __future__ import annotations

from random import Random
from typing import Any

from lensgrad.cat.names import Param
from lensgrad.core.checks import listing, shown, whole
from lensgrad.core.errors import BadValue
from lensgrad.core.trace import trace
from lensgrad.learn import init
from lensgrad.learn.circuits.forms import LARGEST, feasible, given_semiring, multiplied, sizes
from lensgrad.learn.circuits.networks import multiplexed
from lensgrad.learn.model import Model, para, parametric
from lensgrad.theories.poly.circuit import Bits, gather
from lensgrad.theories.poly.semiring import Semiring, Z

DEEPEST = 16  # levels of a tree of gates, which has 2¹⁶ leaves
Shape = tuple[int, int, int]  # height, width, channels; bits stand row by row, the channels of a place together


def tree_conv2d(shape: Shape, kernels: int, depth: int = 3, size: int = 3, stride: int = 1, seed: int = 0, semiring: Semiring = Z) -> Model:
    """At each place of an image, `kernels` trees of two-input gates : S^(h·w·c) → S^(h'·w'·kernels), with h' = (h − size) // stride + 1.

    A tree of depth d reads 2ᵈ random entries of its size × size field, the same at all places; the weight `table{l}` of level l holds
    the truth tables of all trees, entry by entry as in `lut_layer`, and serves all places, so what comes back is added over them.
    """
    semiring, depth, seed = given_semiring(semiring), whole("depth of a tree of gates", depth, 1, DEEPEST), whole("seed", seed)
    kernels, size, stride = sizes("a tree of gates", kernels=kernels, size=size, stride=stride)
    height, width, channels = image(shape)
    fits("field", size, height, width)
    corners = [(i, j) for i in range(0, height - size + 1, stride) for j in range(0, width - size + 1, stride)]
    feasible("a tree of gates", len(corners) * kernels << depth)
    leaves = fields(kernels, 1 << depth, size, channels, seed)
    places = [((i + a) * width + j + b) * channels + c for row in leaves for i, j in corners for a, b, c in row]
    obs = [Bits(kernels << (depth - 1 - level) << 2, semiring) for level in range(depth)]

    def body(*wires: Any) -> Any:
        *tables, x = wires
        x = gather(x, places)
        for table in tables:
            half = x.atom.size // 2
            x = multiplexed(tied(table, kernels, len(corners)), x, (tuple(range(half)), tuple(range(half, 2 * half))))
        return x

    weights = [Param(f"table{level}", ob, init=init.bits(ob)) for level, ob in enumerate(obs)]
    return parametric(weights, Bits(height * width * channels, semiring), body).told("tree_conv2d")


def image(shape: Shape) -> Shape:
    """Height, width and channels, if they are."""
    found = listing("the shape of an image of bits", shape, "(height, width, channels)")
    if len(found) != 3:
        raise BadValue(f"an image of bits must have the shape (height, width, channels), got {shown(shape)}")
    names = ("height", "width", "channels")
    height, width, channels = (whole(f"{name} of an image of bits", n, 1, LARGEST) for name, n in zip(names, found, strict=True))
    feasible("an image of bits", height * width * channels)
    return height, width, channels


def fits(what: str, size: int, height: int, width: int) -> None:
    if size > min(height, width):
        raise BadValue(f"a {what} of {size} × {size} does not fit an image of {height} × {width}")


def fields(kernels: int, leaves: int, size: int, channels: int, seed: int) -> list[list[tuple[int, int, int]]]:
    """For each leaf, what each kernel reads there: a row, a column and a channel of its field, different ones as far as there are."""
    rng, everything = Random(seed), [(a, b, c) for a in range(size) for b in range(size) for c in range(channels)]
    drawn = [(rng.sample(everything, len(everything)) * (leaves // len(everything) + 1))[:leaves] for _ in range(kernels)]
    return [list(row) for row in zip(*drawn, strict=True)]


def tied(table: Any, kernels: int, places: int) -> Any:
    """Truth tables, one for each kernel, repeated at all places: (entry, gate, kernel) ↦ (entry, gate, place, kernel)."""
    groups = table.atom.size // kernels
    return gather(table, [g * kernels + k for g in range(groups) for _ in range(places) for k in range(kernels)])


def or_pool2d(shape: Shape, size: int = 2, semiring: Semiring = Z) -> Model:
    """Whether any bit of a channel is 1, in each of the size × size squares that tile an image, as 1 − Π (1 − x)."""
    semiring, (height, width, channels), (size,) = given_semiring(semiring), image(shape), sizes("pooling", size=size)
    fits("square", size, height, width)
    corners = [(i, j) for i in range(0, height - size + 1, size) for j in range(0, width - size + 1, size)]
    inside = [(a, b) for a in range(size) for b in range(size)]
    places = [((i + a) * width + j + b) * channels + c for a, b in inside for i, j in corners for c in range(channels)]
    pooled = len(corners) * channels

    def body(x: Any) -> Any:
        return 1 - multiplied(1 - gather(x, places), pooled)

    return para(trace(body, Bits(height * width * channels, semiring))).told("or_pool2d")
