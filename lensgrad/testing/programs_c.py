"""Programs that go through the passes of the C backend, each with sizes so small that little work meets every loop, edge and rest."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lensgrad.backends.native import blocks, products, square_sums, squares, triangles
from lensgrad.cat.reverse import R
from lensgrad.core.diagram import Diagram
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.learn.layers.attention import HIDDEN, softened
from lensgrad.testing.passes_c import Pass, Picking, Sizes
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array
from lensgrad.theories.smooth.conv import Convolve, Window
from lensgrad.theories.smooth.index import Iota
from lensgrad.theories.smooth.linear import Einsum


def arrow(body: Callable[..., Any], *shapes: tuple[int, ...], dtype: str = "float32") -> Diagram:
    return trace(body, *(Ty((Array(s, dtype),)) for s in shapes))


def drawn(f: Diagram, seed: int = 0) -> list[Any]:
    numbers: Any = np.random.default_rng(seed)
    return [numbers.normal(size=a.shape).astype(a.dtype) for a in f.dom]


def spoiled(f: Diagram, value: float, *places: tuple[int, tuple[Any, ...]]) -> list[Any]:
    """Inputs of an arrow with one value at some places."""
    xs = drawn(f)
    for k, place in places:
        xs[k][place] = value
    return xs


def convolution(slot: str, sizes: Sizes) -> Pass:
    """A form of a convolution of images that are no whole number of squares."""
    window, image = Window((1, 1), (1, 1), ((1, 2), (2, 1)), 1), (9, 8)
    inner, outer = (96, 64) if slot == "x" else (64, 96)
    shapes = {"x": (3, *image, inner), "k": (3, 3, inner, outer), "y": (3, *window.out(image, (3, 3)), outer)}
    op = Convolve(slot, window, image, (3, 3))

    def body(a: Any, b: Any) -> Any:
        return op(a, b) * 0.5

    f = arrow(body, *(shapes[s] for s in op.args()))
    return Pass(f"squares in {slot}", f, [drawn(f)], sizes, "int squares =")


def part() -> Pass:
    """A convolution of a part of an image into fewer channels, by squares that one thread alone has room for."""
    op = Convolve("y", Window((1, 1), (1, 1), ((0, 0), (0, 0)), 1), (10, 9), (3, 3))

    def body(x: Any, k: Any) -> Any:
        return op(x[:, 2:12], k)

    f = arrow(body, (3, 13, 9, 64), (3, 3, 64, 32), dtype="float64")
    return Pass("squares in a part", f, [drawn(f)], {(squares, "SLOTS"): 1, (squares, "SOME"): 6}, "int squares =")


def whole() -> Pass:
    """The gradient of a kernel from as many squares as are taken at a time."""
    op = Convolve("k", Window((1, 1), (1, 1), ((1, 1), (1, 1)), 1), (12, 16), (3, 3))
    f = arrow(op, *[(1, 12, 16, 32)] * 2)
    return Pass("squares in k, all at a time", f, [drawn(f)], SUMS, "int squares =")


def scores() -> Pass:
    """Products of which a mask hides whole tiles, one that begins where the rows of another one end among them."""

    def body(q: Any, k: Any) -> Any:
        x = Einsum("td,sd->ts")(q, k)
        at = Iota(26)()
        return ops.select(ops.spread(at, (26, 26), (0,)) >= ops.spread(at, (26, 26), (1,)), x, HIDDEN)

    f = arrow(body, *[(26, 16)] * 2)
    return Pass("hidden scores", f, [drawn(f)], phrase="const int lower =")


def met() -> Pass:
    """Products that meet zeros, which make no number of one that is infinite."""

    def body(q: Any, k: Any, s: Any) -> Any:
        at = Iota(20)()
        past = ops.spread(at, (20, 20), (0,)) >= ops.spread(at, (20, 20), (1,))
        return ops.select(ops.spread(past, (2, 20, 20), (1, 2)), s, 0.0) * Einsum("btd,bsd->bts")(q, k)

    f = arrow(body, *[(2, 20, 16)] * 2, (2, 20, 20))
    last = spoiled(f, 3e38, (1, (1, slice(8, 20), 15)))
    last[0][1, 0, 15] = 4
    far = spoiled(f, 3e38, (0, (1, 0, 0)))
    far[1][1, :, 0] = 4.0 * (np.arange(20) > 7)
    return Pass("scores hidden by zeros", f, [drawn(f), far, last, spoiled(f, np.nan, (0, (1, 0, 0)))], phrase="&& small_f32(", often=2)


def product(
    name: str, word: str, shapes: Sequence[tuple[int, ...]], phrase: str, sizes: Sizes | None = None, held: tuple[int, ...] = ()
) -> Pass:
    def body(x: Any, y: Any) -> Any:
        return Einsum(word)(x, y) * 0.5

    f = arrow(body, *shapes)
    return Pass(name, f, [drawn(f)], sizes or {}, phrase, held=held)


def panels_of_a_part() -> Pass:
    def body(x: Any, w: Any) -> Any:
        return Einsum("bi,oi->bo")(x, w[7:64]) * 0.5

    f = arrow(body, (28, 60), (70, 60))
    return Pass("panels of a part", f, [drawn(f)], phrase="gate[48]", held=(1,))


def seen(scores: Any) -> Any:
    """Scores, those of later steps hidden."""
    shape = scores.atom.shape
    at = Iota(shape[-1])()
    past = ops.spread(at, shape[-2:], (0,)) >= ops.spread(at, shape[-2:], (1,))
    return ops.select(ops.spread(past, shape, (len(shape) - 2, len(shape) - 1)), scores, HIDDEN)


def attention(steps: int, heads: int, width: int) -> Diagram:
    """One causal head after the other, as a layer has them, for two examples."""

    def body(q: Any, k: Any, v: Any) -> Any:
        scores = ops.einsum("Ztgrd,Zsgd->Zgrts", q, k) * (1.0 / math.sqrt(width))
        return ops.einsum("Zgrts,Zsgd->Ztgrd", softened(seen(scores)), v)

    return arrow(body, (2, steps, heads, 1, width), *[(2, steps, heads, width)] * 2)


def attentive(name: str, f: Diagram, often: int, sizes: Sizes | None = None) -> Pass:
    """Attention, also where something is not finite, and where hidden steps count as much as seen ones, or are all that counts."""
    place = (1, 11, 0, ..., 3)
    ways = [drawn(f), *(spoiled(f, value, (k, place)) for k in range(len(f.dom)) for value in (np.nan, 3e38))]
    steps = f.dom[0].shape[1]
    if len(f.cod) > 1:  # a gradient, which so large numbers as below leave to chance
        ways.append(spoiled(f, 3e38, (3, (1, 0, 0, ..., 0))))
    else:
        ways += [queried(f, ...), queried(f, (1, 0)), queried(f, (1, steps - 2))]
    return Pass(name, f, ways, sizes or {}, "const int lower =", often)


def queried(f: Diagram, place: Any) -> list[Any]:
    """Inputs of attention where at some places no step counts that is seen."""
    xs = drawn(f)
    xs[0][place][..., 0], xs[1][..., 0] = 1e17, -1e17
    return xs


def rows_of_softmax(name: str, causal: bool) -> Pass:
    def body(x: Any) -> Any:
        return softened(seen(x * 0.5) if causal else x * 0.5)

    f = arrow(body, (3, 1, 37, 37))
    ways = [spoiled(f, v, (0, (0, 0, 18, 12)), (0, (1, 0, 18)), (0, (2,))) for v in (np.nan, np.inf, -np.inf, -4e30, 3e38)]
    return Pass(name, f, [drawn(f), *ways], phrase="for (int k = seen;" if causal else "power = exp_")


def one_row() -> Pass:
    """A softmax that there is nothing to divide of."""
    f = arrow(softened, (37,))
    return Pass("softmax of one row", f, [drawn(f)], phrase="power = exp_")


def picking(size: int | None, small: int = 3) -> Picking:
    """A step on large and small rows."""
    lead = () if size is None else (size,)

    def body(w: Any, y: Any, x: Any, z: Any) -> Any:
        return w * 0.5 + (x if size is None else x.sum((0,))), x * 2.0, y * 2.0, z * 2.0

    f = arrow(body, (80,), *((*lead, n) for n in (small, 80, small + 2)))
    rng = np.random.default_rng(7)
    arrays = [np.asarray(rng.normal(size=(14, *s)), "float32") for s in ((small,), (80,), (small + 2,))]
    ways = ((8, "ooo"), (8, "..."), (2, ".o."), (2, "o.."), (2, "..o"))
    return Picking(f"rows of {size or 'an example'}, {small} wide", f, [[np.zeros(80, "float32"), *arrays]], ways=ways, size=size)


SQUARES: Sizes = {(squares, "SLOTS"): 2, (squares, "SOME"): 18, (squares, "TOGETHER"): 48, (squares, "PART"): 64, (squares, "STRETCH"): 24}
SUMS: Sizes = {(square_sums, "SLOTS"): 2, (square_sums, "SOME"): 12, (square_sums, "ROWS"): 24, (square_sums, "COLUMNS"): 64}
NEAR: Sizes = {(blocks, "DEEP"): {"float32": 32}, (blocks, "HALF"): 40, (blocks, "ROWS"): 24, (blocks, "ACROSS"): 128}
LONG: Sizes = {(triangles, "CLOSE"): 16, (products, "CLOSE"): 16}


def programs() -> list[Pass]:
    """All of them."""
    ahead = attention(19, 2, 23)  # the last step but one is the last one of a tile
    return [
        convolution("y", SQUARES),
        convolution("x", {**SQUARES, (squares, "SOME"): 6, (squares, "PART"): 96}),
        convolution("k", SUMS),
        part(),
        whole(),
        scores(),
        met(),
        product("dots", "bi,oi->bo", [(3, 70), (45, 70)], "dots_f32(rows", held=(1,)),
        product("dots of whole vectors", "bi,oi->bo", [(2, 96), (45, 96)], "dots_f32(rows", held=(1,)),
        product("panels by columns", "bi,oi->bo", [(29, 61), (61, 61)], "gate[48]", held=(1,)),
        product("panels by rows", "bi,io->bo", [(27, 60), (60, 63)], "gate[48]", held=(1,)),
        panels_of_a_part(),
        product("panels of every other number", "bij,oij->jbo", [(26, 30, 2), (33, 30, 2)], "pack_f32(panel"),
        product("ready panels", "bi,oi->bo", [(31, 100), (75, 100)], "float part[", NEAR, (1,)),
        product("panels where rows lie across", "ib,oi->bo", [(100, 31), (75, 100)], "gate[48]", NEAR, (1,)),
        product("blocks", "zkr,zkc->zrc", [(2, 70, 31), (2, 70, 75)], "block_f32(block", NEAR),
        product("blocks of one matrix", "kr,kc->rc", [(70, 31), (70, 81)], "block_f32(block", NEAR),
        product("blocks of two sums", "kjr,jkc->rc", [(3, 70, 31), (70, 3, 75)], "block_f32(block", NEAR),
        product("whole blocks", "kr,kc->rc", [(64, 48), (64, 96)], "block_f32(block", NEAR),
        product("whole blocks of ready panels", "bi,oi->bo", [(48, 80), (96, 80)], "float part[", NEAR, (1,)),
        rows_of_softmax("softmax", False),
        rows_of_softmax("causal softmax", True),
        one_row(),
        attentive("attention", ahead, 2),
        attentive("attention and back", R(ahead), 3),
        attentive("attention of many steps", R(ahead), 2, LONG),
        picking(None),
        picking(4),
        picking(4, 90),  # all of them read where they lie
        picking(1),
        picking(2, 1),
    ]


__all__ = ["programs"]
