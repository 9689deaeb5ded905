"""Augmentations of one example as layers: each draws from its own key in training, and does nothing when predicting.

They run inside the step; batching gives every example its own draw. Images are (height, width, channels). Mixing examples
with one another is no arrow on one example: `lg.data.mixup` does it on batches.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lensgrad.cat.names import Param, Role
from lensgrad.cat.para import Para
from lensgrad.core import checks
from lensgrad.core.diagram import Diagram, Family
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.graph import Wire
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.learn.layers.dropout import KEY
from lensgrad.learn.layers.parts import layer, one_array, one_whole, ranked, titled, whole
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.index import Iota
from lensgrad.theories.smooth.pointwise import And

IMAGE = ("height", "width", "channels")

Check = Callable[[Ty], Any]
Change = Callable[[Wire, Wire], Wire]  # of key and example


def flip(axis: int = 1, name: str = "") -> Family:
    """Reversed along an axis with probability ½ : A → A. Axis 1 of an image swaps left and right, axis 0 top and bottom."""

    what = titled("flip", name)
    along = checks.whole(f"the axis of {what}", axis)

    def check(dom: Ty) -> None:
        x = one_array(what, dom)
        if along >= x.rank:
            raise BadValue(f"{what} along axis {along} does not fit {x}: axes are whole numbers from 0 to {x.rank - 1}")

    def flipped(key: Any, x: Any) -> Any:
        turn = ops.uniform(key, ()) < 0.5
        return ops.select(ops.spread(turn, x.atom.shape, ()), ops.flip(x, along), x)

    return augmentation("flip", name, check, flipped)


def noise(std: float, name: str = "") -> Family:
    """x + ε : A → A with ε normal of mean 0 and this standard deviation, drawn for every entry."""
    what = titled("noise", name)
    by = float(checks.number(f"the standard deviation of {what}", std, 0))

    def noisy(key: Any, x: Any) -> Any:
        return x + ops.normal(key, x.atom.shape, x.atom.dtype) * by

    return augmentation("noise", name, lambda dom: one_array(what, dom), noisy)


def shift(pixels: int, name: str = "") -> Family:
    """An image moved by at most so many pixels up or down and left or right, zeros moving in : A → A."""
    what = titled("shift", name)
    by = one_whole(what, pixels=pixels)

    def shifted(key: Any, x: Any) -> Any:
        height, width, _ = x.atom.shape
        return window(key, padded(x, by), height, width)

    return augmentation("shift", name, lambda dom: ranked(what, dom, IMAGE), shifted)


def crop(height: int, width: int, padding: int = 0, name: str = "") -> Family:
    """A window at a random place : ℝ^(h,w,c) → ℝ^(height,width,c), after `padding` zeros on every side; the middle when predicting."""
    what = titled("crop", name)
    rows, columns = whole(what, height=height, width=width)
    by = one_whole(what, least=0, padding=padding)

    def check(dom: Ty) -> None:
        x = ranked(what, dom, IMAGE)
        if rows > x.shape[0] + 2 * by or columns > x.shape[1] + 2 * by:
            raise TypeMismatch(f"{what}({rows}, {columns}, padding={by}) is larger than its image {x}: add padding")

    def middle(x: Any) -> Any:
        top, left = (x.atom.shape[0] + 2 * by - rows) // 2, (x.atom.shape[1] + 2 * by - columns) // 2
        return padded(x, by)[top : top + rows, left : left + columns]

    return augmentation("crop", name, check, lambda k, x: window(k, padded(x, by), rows, columns), middle)


def cutout(size: int, name: str = "") -> Family:
    """An image with a square of `size` × `size` zeros around a random pixel, cut off at the edges : A → A (arXiv 1708.04552)."""
    what = titled("cutout", name)
    wide = one_whole(what, size=size)

    def cut(key: Any, x: Any) -> Any:
        spans = [near(k, n, wide) for k, n in zip(ops.split(key), x.atom.shape[:2], strict=True)]
        rows, columns = (ops.spread(s, x.atom.shape, (axis,)) for axis, s in enumerate(spans))
        return ops.select(And()(rows, columns), 0.0, x)

    return augmentation("cutout", name, lambda dom: ranked(what, dom, IMAGE), cut)


def augmentation(kind: str, name: str, check: Check, change: Change, predict: Callable[[Wire], Wire] | None = None) -> Family:
    """A layer with the parameter `key`, whose successor the step writes back; `predict` (the identity) stands for it when predicting."""

    def train(key: Wire, x: Wire) -> tuple[Wire, Wire]:
        now, later = ops.split(key)
        return change(now, x), later

    def build(dom: Ty) -> Para:
        check(dom)
        arrow = trace(train, KEY, dom)
        return Para.make([Param("key", KEY, Role.KEY)], arrow, Ty(arrow.cod.atoms[:1]), [("key", KEY)])

    def still(dom: Ty) -> Diagram:
        return trace(lambda key, x: (x if predict is None else predict(x), key), KEY, dom)

    return layer(kind, name, build, still)


def padded(x: Any, by: int) -> Any:
    """An image with zeros on every side."""
    return ops.pad(x, (by, by, 0), (by, by, 0)) if by else x


def window(key: Any, x: Any, height: int, width: int) -> Any:
    """The part of an image at a random place."""
    rooms = (x.atom.shape[0] - height, x.atom.shape[1] - width)
    top, left = (below(k, room + 1) for k, room in zip(ops.split(key), rooms, strict=True))
    rows = ops.take(x, count_from(top, height))
    return ops.transpose(ops.take(ops.transpose(rows, 1, 0, 2), count_from(left, width)), 1, 0, 2)


def below(key: Any, n: int) -> Any:
    """A whole number from 0 to n − 1 : Key → I32."""
    return ops.cast(ops.uniform(key, ()) * float(n), "int32")


def count_from(start: Any, n: int) -> Any:
    """start, start + 1, … : I32 → I32ⁿ."""
    return Iota(n)() + ops.spread(start, (n,), ())


def near(key: Any, n: int, size: int) -> Any:
    """Which of n places lie in a span of `size` around a random one : Key → Boolⁿ."""
    places, first = Iota(n)(), ops.spread(below(key, n) - size // 2, (n,), ())
    return And()(places >= first, places < first + size)
