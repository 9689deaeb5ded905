"""Convolution as one trilinear form, so that it is closed under R; and the argmax that max-pooling reads through."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.graph import Wire
from lensgrad.core.op import Op, Standing, generator
from lensgrad.core.ty import Ty
from lensgrad.theories.smooth.array import Array, arrays
from lensgrad.theories.smooth.index import rotated
from lensgrad.theories.smooth.linear import Reshape, lead, single

Sizes = tuple[int, ...]


@dataclass(frozen=True)
class Window:
    """Where a kernel meets the image: one stride, dilation and (low, high) padding per space axis, and channel groups."""

    stride: Sizes
    dilation: Sizes
    padding: tuple[tuple[int, int], ...]
    groups: int = 1

    def out(self, image: Sizes, kernel: Sizes) -> Sizes:
        """The number of positions per space axis."""
        span = [(k - 1) * d + 1 for k, d in zip(kernel, self.dilation, strict=True)]
        room = [n + low + high for n, (low, high) in zip(image, self.padding, strict=True)]
        if any(s > r for s, r in zip(span, room, strict=True)):
            wide = f"a kernel of {kernel} (dilation {self.dilation})"
            raise TypeMismatch(f"{wide} does not fit into an image of {image} padded by {self.padding}")
        return tuple((r - s) // t + 1 for r, s, t in zip(room, span, self.stride, strict=True))


def ceiled(win: Window, image: Sizes, size: Sizes) -> Window:
    """The window with zeros behind the image for a last position that begins in it, or in the padding before it."""
    pads: list[tuple[int, int]] = []
    for n, k, s, d, (low, high) in zip(image, size, win.stride, win.dilation, win.padding, strict=True):
        span = (k - 1) * d + 1
        count = -(-(n + low + high - span) // s) + 1
        count -= (count - 1) * s >= n + low
        pads.append((low, max(high, (count - 1) * s + span - n - low)))
    return Window(win.stride, win.dilation, tuple(pads), win.groups)


@generator
class Convolve(Op):
    """One slot of the form ⟨y, x ∗ k⟩ on image x : (N, *space, C), kernel k : (*size, C/g, O), result y : (N, *out, O).

    `slot` names the gradient taken: "y" is the convolution X × K → Y (a correlation, as everywhere in this field), "x"
    its image adjoint Y × K → X, "k" its kernel adjoint X × Y → K. R of each is made of the other two.
    """

    slot: str
    window: Window
    image: Sizes  # space axes of x
    size: Sizes  # space axes of k

    def args(self) -> str:
        return {"y": "xk", "x": "yk", "k": "xy"}[self.slot]

    def at(self, slot: str) -> Convolve:
        return Convolve(slot, self.window, self.image, self.size)

    def type(self, *dom: Any) -> Ty:
        if self.slot not in "xyk" or len(dom) != 2:
            raise BadValue(f"a convolution has slots x, k and y and two inputs, got slot {self.slot} and {len(dom)} inputs")
        arrays("convolution", *dom)
        given: dict[str, Array] = dict(zip(self.args(), dom, strict=True))
        spaces = {"x": self.image, "k": self.size, "y": self.window.out(self.image, self.size)}
        space = {s: a.shape[: len(self.size)] if s == "k" else a.shape[1:-1] for s, a in given.items()}
        ranks = any(a.rank != len(self.size) + 2 for a in dom)
        if ranks or any(space[s] != spaces[s] for s in given) or len({a.dtype for a in dom}) != 1:
            told = " and ".join(f"{s} = {a}" for s, a in given.items())
            raise TypeMismatch(f"a convolution of images {self.image} with kernels {self.size} does not fit {told}")
        return Ty((dom[0].with_shape(*self._shape(given, spaces[self.slot])),))

    def _shape(self, given: dict[str, Array], space: Sizes) -> Sizes:
        g = self.window.groups
        if self.slot == "k":
            x, y = given["x"].shape, given["y"].shape
            fits, shape = x[0] == y[0] and x[-1] % g == 0 and y[-1] % g == 0, (*space, x[-1] // g, y[-1])
        elif self.slot == "y":
            x, k = given["x"].shape, given["k"].shape
            fits, shape = x[-1] == k[-2] * g and k[-1] % g == 0, (x[0], *space, k[-1])
        else:
            y, k = given["y"].shape, given["k"].shape
            fits, shape = y[-1] == k[-1] and k[-1] % g == 0, (y[0], *space, k[-2] * g)
        if not fits:
            told = " and ".join(f"{s} = {a}" for s, a in given.items())
            raise TypeMismatch(f"the channels do not fit in a convolution with {g} group{'s' * (g > 1)}: {told}")
        return shape

    def reverse(self, a: Wire, b: Wire, dz: Wire) -> tuple[Wire, ...]:
        values = {**dict(zip(self.args(), (a, b), strict=True)), self.slot: dz}
        return tuple(self.at(s)(*(values[t] for t in self.at(s).args())) for s in self.args())

    def batch(self, n: int, flags: tuple[bool, ...], a: Wire, b: Wire) -> Wire:
        batched = dict(zip(self.args(), flags, strict=True))
        values = dict(zip(self.args(), (a, b), strict=True))
        if self.slot == "k" or batched.get("k"):
            return self._batch_kernels(n, {s: v if batched[s] else lead(v, n) for s, v in values.items()})
        moved = [merged(v, 0) if batched[s] else v for s, v in values.items()]
        return split_axis(self(*moved), 0, n)

    def _batch_kernels(self, n: int, values: dict[str, Wire]) -> Wire:
        """A kernel for each example: examples become groups of channels."""
        wide = Window(self.window.stride, self.window.dilation, self.window.padding, self.window.groups * n)
        moved = [self._to_channels(s, v) for s, v in values.items()]
        out = Convolve(self.slot, wide, self.image, self.size)(*moved)
        return rotated(split_axis(out, out.atom.rank - 1, n), out.atom.rank - 1, 0)

    def _to_channels(self, slot: str, v: Wire) -> Wire:
        """Move the leading example axis in front of the last axis and merge the two."""
        return merged(rotated(v, 0, v.atom.rank - 2), v.atom.rank - 2)


def merged(x: Wire, axis: int) -> Wire:
    """Merge `axis` with the next one."""
    shape = x.atom.shape
    return Reshape((*shape[:axis], shape[axis] * shape[axis + 1], *shape[axis + 2 :]))(x)


def split_axis(x: Wire, axis: int, n: int) -> Wire:
    """Split `axis` into n × rest."""
    shape = x.atom.shape
    return Reshape((*shape[:axis], n, shape[axis] // n, *shape[axis + 1 :]))(x)


@generator
class WindowArgMax(Op):
    """Where in the image the first largest entry of each window is : (N, *space, C) → I32 (N, *out, C).

    Positions count the image's space axes in row-major order; padding is never chosen. Max-pooling reads the image at
    these positions, so ties go to the first entry and the gradient goes where the value came from.
    """

    window: Window
    size: Sizes
    standing = Standing.ALMOST_EVERYWHERE
    kinks = "ties, where the first entry in row-major order is chosen"

    def type(self, *dom: Any) -> Ty:
        x = single("max-pool", dom)
        if x.rank != len(self.size) + 2:
            raise TypeMismatch(f"max-pool by {self.size} expects (N, {len(self.size)} space axes, C), got {x}")
        space = self.window.out(x.shape[1:-1], self.size)
        if not all(map(seen, x.shape[1:-1], self.size, space, self.window.stride, self.window.dilation, self.window.padding)):
            raise TypeMismatch(f"max-pool by {self.size} cannot be padded by {self.window.padding}: a window would be all padding")
        return Ty((Array((x.shape[0], *space, x.shape[-1]), "int32"),))

    def batch(self, n: int, flags: tuple[bool, ...], x: Wire) -> Wire:
        return split_axis(self(merged(x, 0)), 0, n)


def seen(image: int, size: int, count: int, stride: int, dilation: int, padding: tuple[int, int]) -> bool:
    """Whether every position along one axis meets an entry of the image."""
    low = padding[0]

    def meets(start: int) -> bool:
        first = max(0, -((start - low) // dilation))  # the first entry of the window that is not in front of the image
        return first < size and start + first * dilation < low + image

    return all(meets(p * stride) for p in range(count))


def positions(shape: Sizes) -> int:
    return math.prod(shape)
