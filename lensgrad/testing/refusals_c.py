"""Programs that differ in one thing from those that take a pass of the C backend: that thing decides whether they take it.

A pass that takes one of those that it must leave alone, or leaves one that it must take, is wrong before anything runs.
"""

# What bodies are given are wires of any kind, and a lambda cannot say so.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lensgrad.backends.native import softmax, squares
from lensgrad.learn.layers.attention import HIDDEN, softened
from lensgrad.testing.passes_c import Pass, Sizes
from lensgrad.testing.programs_c import NEAR, arrow, drawn
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.conv import Convolve, Window
from lensgrad.theories.smooth.index import Iota
from lensgrad.theories.smooth.linear import Einsum, Sum
from lensgrad.theories.smooth.pointwise import Compare
from lensgrad.theories.smooth.reduce import AMax

Shape = tuple[int, ...]


def case(
    name: str, phrase: str, often: int, body: Callable[..., Any], *shapes: Shape, sizes: Sizes | None = None, held: Shape = ()
) -> Pass:
    """A program that says a phrase so often, or not at all."""
    f = arrow(body, *shapes)
    return Pass(name, f, [drawn(f)], sizes or {}, phrase, often, held)


# -- products ---------------------------------------------------------------------------------------------------------------


def of(name: str, phrase: str, often: int, word: str, left: Shape, right: Shape, held: Shape = (), sizes: Sizes = NEAR) -> Pass:
    def body(x: Any, y: Any) -> Any:
        return Einsum(word)(x, y) * 0.5

    return case(name, phrase, often, body, left, right, sizes=sizes, held=held)


def blocked() -> list[Pass]:
    """Blocks, which want a long sum, both sides across, and enough rows and columns."""
    block = "block_f32(block"
    return [
        of("a shorter sum than two blocks", block, 0, "kr,kc->rc", (63, 31), (63, 75)),
        of("a sum of two blocks", block, 1, "kr,kc->rc", (64, 31), (64, 75)),
        of("a block whose rows are summed", block, 0, "rk,kc->rc", (31, 70), (70, 75)),
        of("a block of every other row", block, 0, "krj,kc->jrc", (70, 31, 2), (70, 75)),
        of("panels whose columns are summed", block, 0, "kr,ck->rc", (70, 31), (75, 70)),
        of("a block and panels that are ready", block, 0, "kr,kc->rc", (70, 31), (70, 75), (1,)),
        of("a block of the least columns", block, 1, "kr,kc->rc", (70, 31), (70, 64)),
        of("a block of fewer columns", block, 0, "kr,kc->rc", (70, 31), (70, 63)),
        of("a block of the least rows", block, 1, "kr,kc->rc", (70, 24), (70, 75)),
        of("a block of fewer rows", block, 0, "kr,kc->rc", (70, 23), (70, 75)),
    ]


def ready() -> list[Pass]:
    """Blocks of panels that are ready, of which the left side is not copied."""
    part = "float part["
    return [
        of("panels that are not ready", part, 0, "bi,oi->bo", (31, 100), (75, 100)),
        of("panels that are ready, and a left side across", part, 0, "ib,oi->bo", (100, 31), (75, 100), (1,)),
        of("ready panels of a longer sum than one has", part, 1, "bi,oi->bo", (31, 41), (75, 41), (1,)),
        of("ready panels of a sum that one has", part, 0, "bi,oi->bo", (31, 40), (75, 40), (1,)),
        of("ready panels of the least columns", part, 1, "bi,oi->bo", (31, 100), (64, 100), (1,)),
        of("ready panels of fewer columns", part, 0, "bi,oi->bo", (31, 100), (63, 100), (1,)),
        of("ready panels that meet the least rows", part, 1, "bi,oi->bo", (24, 100), (75, 100), (1,)),
        of("ready panels that meet fewer rows", part, 0, "bi,oi->bo", (23, 100), (75, 100), (1,)),
    ]


def dotted() -> list[Pass]:
    """Dot products of a few rows with a matrix that stays, whose rows are summed."""
    dots = "dots_f32(rows"
    return [
        of("one row", dots, 1, "bi,oi->bo", (1, 190), (45, 190), (1,)),
        of("more than a few rows", dots, 0, "bi,oi->bo", (4, 70), (45, 70), (1,)),
        of("few rows of a matrix that changes", dots, 0, "bi,oi->bo", (3, 70), (45, 70)),
        of("few rows of a matrix whose columns are summed", dots, 0, "bi,io->bo", (3, 70), (70, 45), (1,)),
        of("few rows of several matrices", dots, 0, "bi,goi->bgo", (3, 70), (3, 45, 70), (1,)),
        of("few rows and sums of two axes", dots, 0, "bij,oji->bo", (3, 7, 10), (45, 10, 7), (1,)),
        of("few rows, each of one matrix", dots, 0, "gbi,gi->gb", (3, 45, 70), (3, 70), (1,)),
        of("few rows that lie across", dots, 0, "ib,oi->bo", (70, 3), (45, 70), (1,)),
        of("few rows, the matrix first", dots, 1, "oi,bi->bo", (45, 70), (3, 70), (0,)),
        turned(),
    ]


def turned() -> Pass:
    """Few rows of a matrix that is a turned view."""

    def body(x: Any, w: Any) -> Any:
        return Einsum("bi,oi->bo")(x, ops.transpose(w)) * 0.5

    return case("few rows of a turned matrix", "dots_f32(rows", 0, body, (3, 70), (70, 45), held=(1,))


# -- squares ----------------------------------------------------------------------------------------------------------------


def convolved(
    name: str, often: int, kernel: Shape = (3, 3), window: Window | None = None, inner: int = 64, outer: int = 64, n: int = 3,
    image: Shape = (9, 8), slot: str = "y", sizes: Sizes | None = None,
) -> Pass:  # fmt: skip
    win = window or Window((1, 1), (1, 1), ((1, 2), (2, 1)), 1)
    op = Convolve(slot, win, image, kernel)
    shapes = {"x": (n, *image, inner), "k": (*kernel, inner // win.groups, outer), "y": (n, *win.out(image, kernel), outer)}

    def body(a: Any, b: Any) -> Any:
        return op(a, b) * 0.5

    return case(name, "int squares =", often, body, *(shapes[s] for s in op.args()), sizes=sizes)


def squared() -> list[Pass]:
    """Squares, which want kernels of 3 × 3 in steps of one, channels in whole panels, and enough of all."""
    around, narrow = ((1, 2), (2, 1)), Window((1, 1), (1, 1), ((0, 0), (2, 1)), 1)
    return [
        convolved("a kernel of 3 × 2", 0, (3, 2)),
        convolved("a kernel of 2 × 3", 0, (2, 3)),
        convolved("steps of two", 0, window=Window((2, 1), (1, 1), around, 1), image=(24, 16)),
        convolved("a kernel with gaps", 0, window=Window((1, 1), (1, 2), around, 1), image=(24, 16)),
        convolved("groups of channels", 0, window=Window((1, 1), (1, 1), around, 2), inner=128, outer=128),
        convolved("channels that are no whole panel", 0, inner=48),
        convolved("results that are no whole panel", 0, outer=48),
        convolved("the most channels", 1, sizes={(squares, "MOST"): 64 * 64}),
        convolved("more channels than that", 0, sizes={(squares, "MOST"): 64 * 64 - 1}),
        convolved("just enough pixels", 1, window=narrow, inner=96, outer=32, image=(12, 2), slot="k"),
        convolved("just too few", 0, window=Window((1, 1), (1, 1), ((0, 1), (0, 0)), 1), inner=32, outer=32, n=1, image=(6, 11), slot="x"),
    ]


# -- softmax ----------------------------------------------------------------------------------------------------------------

WHOLE = (3, 1, 37, 37)


def over(x: Any, axes: Shape = (0, 1, 2)) -> Any:
    """One number a row for all of the row."""
    return ops.spread(x, WHOLE, axes)


def highest(x: Any, axis: int = 3) -> Any:
    return AMax((axis,))(x)


def total(x: Any, axis: int = 3) -> Any:
    return Sum((axis,))(x)


def finite(top: Any) -> Any:
    return ops.select(ops.equal(top - top, 0.0), top, 0.0)


def shares(x: Any, top: Any) -> Any:
    """e^(x − top − ln Σ e^(x − top))."""
    lower = x - over(top)
    return ops.exp(lower - over(ops.log(total(ops.exp(lower)))))


def logs(x: Any) -> Any:
    lower = x - over(finite(highest(x)))
    return lower - over(ops.log(total(ops.exp(lower))))


def summed(x: Any, sums: Callable[[Any, Any], Any]) -> Any:
    """The same with something else in place of ln Σ e^(x − top)."""
    lower = x - over(finite(highest(x)))
    return ops.exp(lower - sums(x, lower))


def topped(top: Callable[[Any, Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """The same with something else in place of the largest entries, of x, of another array, and largest entries of x."""
    return lambda x, y: shares(x, top(x, y, highest(x)))


def soft() -> list[Pass]:
    """What is a softmax along the last axis, and what is almost one."""
    bodies: dict[str, tuple[int, Callable[[Any, Any], Any]]] = {
        "a softmax, written out": (1, lambda x, y: shares(x, finite(highest(x)))),
        "a softmax whose logarithm is asked for": (0, lambda x, y: (ops.exp(logs(x)), logs(x))),
        "a softmax whose logarithm is read again": (0, lambda x, y: ops.exp(logs(x)) * logs(x)),
        "powers over a sum of logarithms": (0, lambda x, y: summed(x, lambda x, low: over(total(ops.exp(low))))),
        "powers over the logarithm of other sums": (0, lambda x, y: summed(x, lambda x, low: over(ops.log(total(low * low))))),
        "powers over the sum of other powers": (0, lambda x, y: summed(x, lambda x, low: over(ops.log(total(ops.exp(x)))))),
        "powers over no sum": (0, lambda x, y: summed(x, lambda x, low: over(ops.log(highest(ops.exp(low)))))),
        "sums of columns": (0, lambda x, y: summed(x, lambda x, low: over(ops.log(total(ops.exp(low), 2)), (0, 1, 3)))),
        "sums of columns, for rows": (0, lambda x, y: summed(x, lambda x, low: over(ops.log(total(ops.exp(low), 2))))),
        "sums of rows, for columns": (0, lambda x, y: summed(x, lambda x, low: over(ops.log(total(ops.exp(low))), (0, 1, 3)))),
        "nothing taken from what is summed": (0, lambda x, y: ops.exp(x * 1.5 - over(ops.log(total(ops.exp(x * 1.5)))))),
        "the largest entry of another array": (0, topped(lambda x, y, top: finite(highest(y)))),
        "the largest entry of a column": (0, topped(lambda x, y, top: finite(highest(x, 2)))),
        "the largest entry, finite or not": (0, topped(lambda x, y, top: top)),
        "the sum of a row": (0, topped(lambda x, y, top: finite(total(x)))),
        "0 where the largest entry is finite": (0, topped(lambda x, y, top: ops.select(ops.equal(top - top, 0.0), 0.0, top))),
        "1 where the largest entry is not finite": (0, topped(lambda x, y, top: ops.select(ops.equal(top - top, 0.0), top, 1.0))),
        "0 where the largest entry is": (0, topped(lambda x, y, top: ops.select(ops.equal(top - top, 1.0), top, 0.0))),
        "0 where another one is larger": (0, topped(lambda x, y, top: ops.select(top - highest(y) >= 0.0, top, 0.0))),
        "0 where another one is not the same": (0, topped(lambda x, y, top: ops.select(ops.equal(top - highest(y), 0.0), top, 0.0))),
        "0 where it is not the other one": (0, topped(lambda x, y, top: ops.select(ops.equal(highest(y) - top, 0.0), top, 0.0))),
        "0 where it is not 0": (0, topped(lambda x, y, top: ops.select(ops.equal(top, 0.0), top, 0.0))),
        "0 where it is not above itself": (0, topped(lambda x, y, top: ops.select(top - top >= 0.0, top, 0.0))),
    }
    found = [case(name, "power = exp_", often, body, WHOLE, WHOLE) for name, (often, body) in bodies.items()]
    longest = [case("the longest row", "power = exp_", 1, softened, WHOLE, sizes={(softmax, "LONGEST"): 37})]
    return [*found, *longest, case("a longer row", "power = exp_", 0, softened, WHOLE, sizes={(softmax, "LONGEST"): 36})]


# -- causal masks -----------------------------------------------------------------------------------------------------------


def mask(rows: int = 37, columns: int = 37, relation: str = ">=", turned: bool = False) -> Any:
    """A mask by the numbers of rows and columns, or of columns and rows."""
    sides = [ops.spread(Iota(n)(), (rows, columns), (k,)) for k, n in enumerate((rows, columns))]
    return Compare(relation)(*(sides[::-1] if turned else sides))


def masked(x: Any, which: Any, axes: Shape = (2, 3), hidden: Any = HIDDEN) -> Any:
    return ops.select(ops.spread(which, x.atom.shape, axes), x, hidden)


def hiding() -> list[Pass]:
    """Masks that are causal, and others."""
    at = (37,)
    bodies: dict[str, tuple[int, Callable[..., Any], Sequence[Shape]]] = {
        "columns not behind rows": (1, lambda x: masked(x, mask(relation="<=", turned=True)), [WHOLE]),
        "rows before columns": (0, lambda x: masked(x, mask(relation="<")), [WHOLE]),
        "rows behind columns": (0, lambda x: masked(x, mask(relation=">")), [WHOLE]),
        "rows not behind columns": (0, lambda x: masked(x, mask(relation="<=")), [WHOLE]),
        "columns not before rows": (0, lambda x: masked(x, mask(turned=True)), [WHOLE]),
        "columns before rows": (0, lambda x: masked(x, mask(relation="<", turned=True)), [WHOLE]),
        "rows with numbers that are given": (0, lambda x, r: masked(x, given(r) >= columns()), [WHOLE, at]),
        "the diagonal alone": (0, lambda x: masked(x, mask(relation="==")), [WHOLE]),
        "rows of another axis": (0, lambda x: masked(x, mask(3, 37), (0, 3)), [WHOLE]),
        "columns of another axis": (0, lambda x: masked(x, mask(3, 37), (0, 2)), [WHOLE]),
        "rows with numbers of their own": (0, lambda x, r: masked(x, against(r, 0)), [WHOLE, at]),
        "columns with numbers of their own": (0, lambda x, c: masked(x, against(c, 1)), [WHOLE, at]),
        "a mask of its own": (0, lambda x, m: ops.select(m > 0.0, x, HIDDEN), [WHOLE, WHOLE]),
        "what is hidden by an array": (0, lambda x, y: masked(x, mask(), hidden=y), [WHOLE, WHOLE]),
        "what is seen by a number": (0, lambda x: ops.select(ops.spread(mask(), WHOLE, (2, 3)), HIDDEN, x), [WHOLE]),
        "one row": (0, lambda x: ops.select(Iota(37)() >= Iota(37)(), x, HIDDEN), [at]),
        "no mask": (0, lambda x: x * 0.5, [WHOLE]),
    }
    return [
        case(f"softmax that hides by {name}", "for (int k = seen;", often, lambda *xs, b=body: softened(b(*xs)), *shapes)
        for name, (often, body, shapes) in bodies.items()
    ]


def given(numbers: Any) -> Any:
    """Whole numbers of rows, which are given."""
    return ops.spread(ops.cast(numbers, "int32"), (37, 37), (0,))


def columns() -> Any:
    return ops.spread(Iota(37)(), (37, 37), (1,))


def against(numbers: Any, side: int) -> Any:
    """A mask of which one side is numbers that are given."""
    counted = ops.cast(ops.spread(Iota(37)(), (37, 37), (1 - side,)), "float32")
    given = ops.spread(numbers, (37, 37), (side,))
    return given >= counted if side == 0 else counted >= given


# -- products with masks ----------------------------------------------------------------------------------------------------


def lower(x: Any, hidden: Any = 0.0, **how: Any) -> Any:
    """A matrix with zeros behind its diagonal."""
    return masked(x, mask(*x.atom.shape, **how), (0, 1), hidden)


def times(word: str) -> Callable[[Any, Any], Any]:
    return lambda a, b: Einsum(word)(a, b)


def cuts() -> list[Pass]:
    """Products of which a causal mask hides half, and others."""
    down, whole, wide = times("ts,sd->td"), times("td,sd->ts"), (24, 16)
    square, one = (24, 24), (24, 24)
    bodies: dict[str, tuple[int, Callable[..., Any], Sequence[Shape]]] = {
        "zeros behind the diagonal": (1, lambda s, v: down(lower(s), v), [square, wide]),
        "zeros, times a number": (1, lambda s, v: down(lower(s) * 0.5, v), [square, wide]),
        "zeros, a number times": (1, lambda s, v: down(0.5 * lower(s), v), [square, wide]),
        "zeros, times an array": (0, lambda s, v, y: down(lower(s) * y, v), [square, wide, square]),
        "zeros plus a number": (0, lambda s, v: down(lower(s) + 0.5, v), [square, wide]),
        "ones behind the diagonal": (0, lambda s, v: down(lower(s, 1.0), v), [square, wide]),
        "an array behind the diagonal": (0, lambda s, v, y: down(lower(s, y), v), [square, wide, square]),
        "zeros before the diagonal": (0, lambda s, v: down(lower(s, relation="<="), v), [square, wide]),
        "zeros where it is seen": (0, lambda s, v: down(ops.select(mask(24, 24), 0.0, s), v), [square, wide]),
        "no zeros": (0, lambda s, v: down(s, v), [square, wide]),
        "a causal softmax": (1, lambda s, v: down(softened(lower(s, HIDDEN)), v), [square, wide]),
        "a softmax of all": (0, lambda s, v: down(softened(s), v), [square, wide]),
        "zeros before the diagonal, turned": (1, lambda s, v: times("ts,td->sd")(lower(s), v), [square, wide]),
        "zeros on the left of what is turned": (1, lambda s, v: times("sd,ts->td")(v, lower(s)), [square, wide]),
        "zeros on the right": (0, lambda s, v: times("dt,ts->ds")(v, lower(s)), [square, wide[::-1]]),
        "zeros on the right of what lies across": (0, lambda s, v: times("td,ts->ds")(v, lower(s)), [square, wide]),
        "zeros of a matrix that is longer": (0, lambda s, v: down(lower(s), v), [(24, 30), (30, 16)]),
        "zeros in each of two": (0, lambda s, v: times("kts,ksd->td")(masked(s, mask(24, 24), (1, 2)), v), [(2, 24, 24), (2, 24, 16)]),
        "scores that a mask hides": (1, lambda q, k: lower(whole(q, k), HIDDEN), [wide, wide]),
        "scores times a number that a mask hides": (1, lambda q, k: lower(whole(q, k) * 0.5, HIDDEN), [wide, wide]),
        "scores times an array": (0, lambda q, k, y: lower(whole(q, k) * y, HIDDEN), [wide, wide, square]),
        "scores plus a number": (0, lambda q, k: lower(whole(q, k) + 0.5, HIDDEN), [wide, wide]),
        "scores that are asked for": (0, lambda q, k: twice(whole(q, k), lambda s: (lower(s, HIDDEN), s)), [wide, wide]),
        "scores that are read again": (0, lambda q, k: twice(whole(q, k), lambda s: lower(s, HIDDEN) + s * 0.5), [wide, wide]),
        "scores that are seen behind the diagonal": (0, lambda q, k: ops.select(mask(24, 24), HIDDEN, whole(q, k)), [wide, wide]),
        "scores on both sides of a mask": (0, lambda q, k: twice(whole(q, k), lambda s: ops.select(mask(24, 24), s, s * 0.5)), [wide] * 2),
        "scores that are a mask": (0, lambda q, k, y: ops.select(whole(q, k) >= 0.0, y, 0.0), [wide, wide, square]),
        "scores that another mask hides": (0, lambda q, k: lower(whole(q, k), HIDDEN, relation=">"), [wide, wide]),
        "scores that a mask hides turned": (0, lambda q, k: lower(times("td,sd->st")(q, k), HIDDEN, turned=True), [wide, wide]),
        "scores of more columns than rows": (1, lambda q, k: lower(times("td,sd->ts")(q, k), HIDDEN), [(24, 24), (30, 24)]),
        "scores that zeros meet": (1, lambda q, k, s: lower(s) * whole(q, k), [wide, wide, one]),
        "scores that zeros meet and a number": (0, lambda q, k, s: twice(whole(q, k), lambda p: lower(s) * p + p * 0.5), [wide, wide, one]),
        "scores that zeros are added to": (0, lambda q, k, s: whole(q, k) + lower(s), [wide, wide, one]),
        "scores that no zeros meet": (0, lambda q, k, s: s * 0.5 * whole(q, k), [wide, wide, one]),
    }
    return [case(name, "const int lower =", often, body, *shapes) for name, (often, body, shapes) in bodies.items()]


def twice(x: Any, body: Callable[[Any], Any]) -> Any:
    """A value that is read by several."""
    return body(x)


def refusals() -> list[Pass]:
    """All of them."""
    return [*blocked(), *ready(), *dotted(), *squared(), *soft(), *hiding(), *cuts()]


__all__ = ["refusals"]
