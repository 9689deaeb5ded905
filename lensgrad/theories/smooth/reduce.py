"""Reductions that are not sums, and orderings."""

from __future__ import annotations

from typing import Any

from lensgrad.core.errors import TypeMismatch
from lensgrad.core.graph import Wire
from lensgrad.core.op import Op, Standing, generator
from lensgrad.core.ty import Ty
from lensgrad.theories.smooth.linear import Axes, Cast, Spread, Sum, single, without
from lensgrad.theories.smooth.pointwise import Compare, Exp
from lensgrad.theories.smooth.shape import Shaped, floats


def back(y: Wire, x: Wire, axes: Axes) -> Wire:
    """Spread a reduced array over the shape it was reduced from."""
    return Spread(x.atom.shape, tuple(i for i in range(x.atom.rank) if i not in axes))(y)


def filled(what: str, x: Shaped, axes: Axes) -> list[int]:
    """The shape without these axes, none of which may be of length 0: an empty row has no largest entry."""
    left = without(x, axes, what)
    empty = [a for a in axes if x.shape[a] == 0]
    if empty:
        raise TypeMismatch(f"{what} is over at least one entry, and axis {empty[0]} of {x} has none")
    return left


@generator
class AMax(Op):
    """The largest entry over `axes` : A → B."""

    axes: Axes
    standing = Standing.ALMOST_EVERYWHERE
    kinks = "ties, where the largest entries share equally"

    def type(self, *dom: Any) -> Ty:
        x = single("amax", dom)
        return Ty((x.with_shape(*filled("amax", x, self.axes)),))

    def reverse(self, x: Wire, dy: Wire) -> Wire:
        mask = Cast(x.atom.dtype)(Compare("==")(x, back(self(x), x, self.axes)))
        return mask * back(dy / Sum(self.axes)(mask), x, self.axes)

    def batch(self, n: int, flags: tuple[bool, ...], x: Wire) -> Wire:
        return AMax(tuple(a + 1 for a in self.axes))(x)


@generator
class LogSumExp(Op):
    """ln Σ eˣ over `axes` : A → B, computed after subtracting the largest entry."""

    axes: Axes

    def type(self, *dom: Any) -> Ty:
        x = single("logsumexp", dom)
        floats("logsumexp", x)
        return Ty((x.with_shape(*filled("logsumexp", x, self.axes)),))

    def reverse(self, x: Wire, dy: Wire) -> Wire:
        return Exp()(x - back(self(x), x, self.axes)) * back(dy, x, self.axes)

    def batch(self, n: int, flags: tuple[bool, ...], x: Wire) -> Wire:
        return LogSumExp(tuple(a + 1 for a in self.axes))(x)


@generator
class LogSoftmax(Op):
    """x − ln Σ eˣ along `axis` : A → A. One generator, since the largest entry is taken out before anything is rounded."""

    axis: int

    def type(self, *dom: Any) -> Ty:
        x = single("log-softmax", dom)
        floats("log-softmax", x)
        filled("log-softmax", x, (self.axis,))
        return Ty((x,))

    def reverse(self, x: Wire, dy: Wire) -> Wire:
        return dy - Exp()(self(x)) * back(Sum((self.axis,))(dy), x, (self.axis,))

    def batch(self, n: int, flags: tuple[bool, ...], x: Wire) -> Wire:
        return LogSoftmax(self.axis + 1)(x)


@generator
class ArgMax(Op):
    """Where the first largest entry along `axis` is : A → I32."""

    axis: int

    def type(self, *dom: Any) -> Ty:
        x = single("argmax", dom)
        return Ty((x.with_shape(*filled("argmax", x, (self.axis,))).with_dtype("int32"),))

    def batch(self, n: int, flags: tuple[bool, ...], x: Wire) -> Wire:
        return ArgMax(self.axis + 1)(x)


@generator
class ArgSort(Op):
    """The order that sorts the last axis upwards, equal entries as they stand : A → I32."""

    def type(self, *dom: Any) -> Ty:
        x = single("argsort", dom)
        without(x, (x.rank - 1,), "argsort")
        return Ty((x.with_dtype("int32"),))

    def batch(self, n: int, flags: tuple[bool, ...], x: Wire) -> Wire:
        return self(x)
