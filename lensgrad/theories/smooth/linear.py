"""Linear generators: each names its adjoint, and that is its whole calculus. `Einsum` is linear in every argument."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Self

from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.graph import Wire
from lensgrad.core.op import Op, Standing, generator
from lensgrad.core.ty import Ty
from lensgrad.theories.smooth.shape import FLOATS, SHORT, Batched, Shaped, arrays, full

Axes = tuple[int, ...]


def single(what: str, dom: tuple[Any, ...]) -> Shaped:
    """The only input, which must be an array."""
    if len(dom) != 1:
        raise TypeMismatch(f"{what} expects one array, got {Ty(dom)}")
    arrays(what, *dom)
    return dom[0]


def lead(x: Wire, n: int) -> Wire:
    """A → Aⁿ: n equal entries along a new first axis."""
    return Spread((n, *x.atom.shape), tuple(range(1, x.atom.rank + 1)))(x)


@generator
class Spread(Op):
    """Repeat along new axes : A → B with B.shape[axes[i]] = A.shape[i]. The explicit broadcast; its adjoint is `Sum`."""

    shape: tuple[int, ...]
    axes: Axes

    def type(self, *dom: Any) -> Ty:
        x = single("spread", dom)
        if len(self.axes) != x.rank or tuple(self.shape[a] for a in self.axes) != x.shape or list(self.axes) != sorted(set(self.axes)):
            raise TypeMismatch(f"spread cannot put {x} at axes {self.axes} of shape {self.shape}")
        return Ty((x.with_shape(*self.shape),))

    def adjoint(self, *dom: Any) -> Sum:
        return Sum(tuple(i for i in range(len(self.shape)) if i not in self.axes))

    def batch(self, n: int, flags: tuple[bool, ...], x: Wire) -> Wire:
        return Spread((n, *self.shape), (0, *(a + 1 for a in self.axes)))(x)


@generator
class Sum(Op):
    """Sum over `axes` : A → B. Its adjoint is `Spread`."""

    axes: Axes

    def type(self, *dom: Any) -> Ty:
        x = single("sum", dom)
        return Ty((x.with_shape(*without(x, self.axes, "sum")),))

    def adjoint(self, *dom: Any) -> Spread:
        return Spread(dom[0].shape, tuple(i for i in range(dom[0].rank) if i not in self.axes))

    def batch(self, n: int, flags: tuple[bool, ...], x: Wire) -> Wire:
        return Sum(tuple(a + 1 for a in self.axes))(x)


def without(x: Shaped, axes: Axes, what: str) -> list[int]:
    """The shape of x without these axes."""
    if any(not 0 <= a < x.rank for a in axes) or list(axes) != sorted(set(axes)):
        raise TypeMismatch(f"{what} over axes {axes} does not fit {x}: axes are increasing numbers from 0 to {x.rank - 1}")
    return [n for i, n in enumerate(x.shape) if i not in axes]


@generator
class Transpose(Op):
    """Permute axes : A → B with B.shape[i] = A.shape[order[i]]."""

    order: Axes

    def type(self, *dom: Any) -> Ty:
        x = single("transpose", dom)
        if sorted(self.order) != list(range(x.rank)):
            raise TypeMismatch(f"transpose by {self.order} does not fit {x}")
        return Ty((x.with_shape(*(x.shape[a] for a in self.order)),))

    def adjoint(self, *dom: Any) -> Transpose:
        return Transpose(tuple(self.order.index(i) for i in range(len(self.order))))

    def batch(self, n: int, flags: tuple[bool, ...], x: Wire) -> Wire:
        return Transpose((0, *(a + 1 for a in self.order)))(x)


@generator
class Reshape(Op):
    """The same entries in row-major order under another shape : A → B."""

    shape: tuple[int, ...]

    def type(self, *dom: Any) -> Ty:
        x = single("reshape", dom)
        if math.prod(self.shape) != x.size:
            raise TypeMismatch(f"reshape cannot make {self.shape} ({math.prod(self.shape)} entries) of {x} ({x.size} entries)")
        return Ty((x.with_shape(*self.shape),))

    def adjoint(self, *dom: Any) -> Reshape:
        return Reshape(dom[0].shape)

    def batch(self, n: int, flags: tuple[bool, ...], x: Wire) -> Wire:
        return Reshape((n, *self.shape))(x)


@generator
class Slice(Op):
    """x[start:stop:step] on every axis : A → B. Its adjoint is `Pad`."""

    start: tuple[int, ...]
    stop: tuple[int, ...]
    step: tuple[int, ...]

    def type(self, *dom: Any) -> Ty:
        x = single("slice", dom)
        bounds = list(zip(self.start, self.stop, self.step, strict=True))
        if len(bounds) != x.rank or any(not 0 <= a <= b <= n or s < 1 for (a, b, s), n in zip(bounds, x.shape, strict=True)):
            raise TypeMismatch(f"slice {self.start}:{self.stop}:{self.step} does not fit {x}")
        return Ty((x.with_shape(*(-(-(b - a) // s) for a, b, s in bounds)),))

    def adjoint(self, *dom: Any) -> Pad:
        (y,) = self.type(*dom)
        covered = [max(0, (n - 1) * s + 1) for n, s in zip(y.shape, self.step, strict=True)]
        high = tuple(n - a - c for n, a, c in zip(dom[0].shape, self.start, covered, strict=True))
        return Pad(self.start, high, tuple(s - 1 for s in self.step))

    def batch(self, n: int, flags: tuple[bool, ...], x: Wire) -> Wire:
        return Slice((0, *self.start), (n, *self.stop), (1, *self.step))(x)


@generator
class Pad(Op):
    """Zeros around, and `interior` zeros between, the entries : A → B. Its adjoint is `Slice`."""

    low: tuple[int, ...]
    high: tuple[int, ...]
    interior: tuple[int, ...]

    def type(self, *dom: Any) -> Ty:
        x = single("pad", dom)
        widths = list(zip(self.low, self.high, self.interior, strict=True))
        if len(widths) != x.rank or any(min(w) < 0 for w in widths):
            raise TypeMismatch(f"pad low={self.low} high={self.high} interior={self.interior} does not fit {x}")
        sizes = (a + b + n + max(0, n - 1) * i for n, (a, b, i) in zip(x.shape, widths, strict=True))
        return Ty((x.with_shape(*sizes),))

    def adjoint(self, *dom: Any) -> Slice:
        (y,) = self.type(*dom)
        stop = tuple(n - h for n, h in zip(y.shape, self.high, strict=True))
        return Slice(self.low, stop, tuple(i + 1 for i in self.interior))

    def batch(self, n: int, flags: tuple[bool, ...], x: Wire) -> Wire:
        return Pad((0, *self.low), (0, *self.high), (0, *self.interior))(x)


@generator
class Concatenate(Op):
    """Join along `axis` : A₁ × … × Aₖ → B."""

    axis: int

    def type(self, *dom: Any) -> Ty:
        arrays("concatenate", *dom)
        rest = {(a.dtype, a.rank, a.shape[: self.axis], a.shape[self.axis + 1 :]) for a in dom}
        if len(rest) != 1 or not 0 <= self.axis < dom[0].rank:
            raise TypeMismatch(f"concatenate along axis {self.axis} expects arrays that differ in that axis only, got {Ty(dom)}")
        shape = list(dom[0].shape)
        shape[self.axis] = sum(a.shape[self.axis] for a in dom)
        return Ty((dom[0].with_shape(*shape),))

    def adjoint(self, *dom: Any) -> Callable[[Wire], tuple[Wire, ...]]:
        return lambda dy: tuple(parts(dy, self.axis, [a.shape[self.axis] for a in dom]))

    def batch(self, n: int, flags: tuple[bool, ...], *xs: Wire) -> Wire:
        return Concatenate(self.axis + 1)(*(x if b else lead(x, n) for x, b in zip(xs, flags, strict=True)))


def parts(x: Wire, axis: int, sizes: list[int]) -> list[Wire]:
    """Cut along an axis into pieces of these sizes."""
    pieces: list[Wire] = []
    begin = 0
    for size in sizes:
        start = tuple(begin if i == axis else 0 for i in range(x.atom.rank))
        stop = tuple(begin + size if i == axis else n for i, n in enumerate(x.atom.shape))
        pieces.append(Slice(start, stop, (1,) * x.atom.rank)(x))
        begin += size
    return pieces


@generator
class Flip(Op):
    """Reverse the order along `axes` : A → A."""

    axes: Axes

    def type(self, *dom: Any) -> Ty:
        x = single("flip", dom)
        without(x, self.axes, "flip")
        return Ty((x,))

    def adjoint(self, *dom: Any) -> Self:
        return self

    def batch(self, n: int, flags: tuple[bool, ...], x: Wire) -> Wire:
        return Flip(tuple(a + 1 for a in self.axes))(x)


@generator
class CumulativeSum(Op):
    """Running sums along `axis`, from the end if `backward` : A → A."""

    axis: int
    backward: bool = False

    def type(self, *dom: Any) -> Ty:
        x = single("cumulative sum", dom)
        without(x, (self.axis,), "cumulative sum")
        return Ty((x,))

    def adjoint(self, *dom: Any) -> CumulativeSum:
        return CumulativeSum(self.axis, not self.backward)

    def batch(self, n: int, flags: tuple[bool, ...], x: Wire) -> Wire:
        return CumulativeSum(self.axis + 1, self.backward)(x)


@generator
class Cast(Op):
    """The same values in another dtype : A → B. Between floats it is linear; from or to integers nothing flows back."""

    dtype: str
    standing = Standing.ALMOST_EVERYWHERE
    kinks = "rounding is ignored: the adjoint casts back"

    def type(self, *dom: Any) -> Ty:
        x = single("cast", dom)
        if self.dtype not in SHORT:
            raise BadValue(f"'{self.dtype}' is no dtype here; use one of {', '.join(SHORT)}")
        return Ty((x.with_dtype(self.dtype),))

    def reverse(self, x: Wire, *dy: Wire) -> Wire | None:
        return Cast(x.atom.dtype)(*dy) if dy and x.atom.floating else None

    def batch(self, n: int, flags: tuple[bool, ...], x: Wire) -> Wire:
        return self(x)


@generator
class AxisMean(Op):
    """x : A → A for one example; in a batch, the mean over the batch, one for all. Beside `BatchSize` the only generator that sees it."""

    def type(self, *dom: Any) -> Ty:
        x = single("axis mean", dom)
        if x.dtype not in FLOATS:
            raise TypeMismatch(f"axis mean expects floats, got {x}")
        return Ty((x,))

    def adjoint(self, *dom: Any) -> Self:
        return self

    def batch(self, n: int, flags: tuple[bool, ...], x: Wire) -> Batched:
        return Batched((Sum((0,))(x) * (1.0 / n),), (False,))


@generator
class BatchSize(Op):
    """1 : A → ℝ for one example; in a batch, how many examples there are, once for all."""

    def type(self, *dom: Any) -> Ty:
        x = single("batch size", dom)
        if x.dtype not in FLOATS:
            raise TypeMismatch(f"batch size expects floats, got {x}")
        return Ty((x.with_shape(),))

    def reverse(self, x: Wire, dy: Wire) -> None:
        return None

    def batch(self, n: int, flags: tuple[bool, ...], x: Wire) -> Batched:
        return Batched((full(n, x.atom.with_shape()),), (False,))


@generator
class Einsum(Op):
    """Σ of products, in index notation : A₁ × … × Aₖ → B, as `ij,j->i`. No letter twice in one argument."""

    spec: str

    def letters(self) -> tuple[list[str], str]:
        left, _, right = self.spec.partition("->")
        return left.split(","), right

    def type(self, *dom: Any) -> Ty:
        inputs, output = self.letters()
        if len(inputs) != len(dom) or any(not isinstance(a, Shaped) or len(s) != a.rank for s, a in zip(inputs, dom, strict=False)):
            raise TypeMismatch(f"einsum {self.spec} does not fit {Ty(dom)}")
        if any(len(set(s)) != len(s) for s in [*inputs, output]) or len({a.dtype for a in dom}) != 1:
            raise TypeMismatch(f"einsum {self.spec} expects one dtype and no letter twice in an argument, got {Ty(dom)}")
        sizes: dict[str, int] = {}
        for letters, atom in zip(inputs, dom, strict=True):
            for letter, size in zip(letters, atom.shape, strict=True):
                if sizes.setdefault(letter, size) != size:
                    raise TypeMismatch(f"einsum {self.spec}: axis '{letter}' is {sizes[letter]} and {size} in {Ty(dom)}")
        if not set(output) <= set(sizes):
            raise TypeMismatch(f"einsum {self.spec}: the output has a letter that no argument has")
        return Ty((dom[0].with_shape(*(sizes[s] for s in output)),))

    def reverse(self, *args: Wire) -> tuple[Wire, ...]:
        *xs, dy = args
        return tuple(self._pull(i, xs, dy) for i in range(len(xs)))

    def _pull(self, i: int, xs: list[Wire], dy: Wire) -> Wire:
        """Contract dy with the other arguments; letters of argument i that only it has are spread."""
        inputs, output = self.letters()
        others = [s for j, s in enumerate(inputs) if j != i]
        known = set(output).union(*others)
        kept = "".join(s for s in inputs[i] if s in known)
        dx = Einsum(",".join([output, *others]) + "->" + kept)(dy, *(x for j, x in enumerate(xs) if j != i))
        if kept == inputs[i]:
            return dx
        return Spread(xs[i].atom.shape, tuple(k for k, s in enumerate(inputs[i]) if s in known))(dx)

    def batch(self, n: int, flags: tuple[bool, ...], *xs: Wire) -> Wire:
        inputs, output = self.letters()
        new = next(c for c in "ZYXWVUTSRQPONMLKJIHGFEDCBAzyxwvutsrqponmlkjihgfedcba" if c not in self.spec)
        marked = [new + s if b else s for s, b in zip(inputs, flags, strict=True)]
        return Einsum(",".join(marked) + "->" + new + output)(*xs)
