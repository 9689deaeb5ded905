"""Shapes of every kind in C: one entry, odd sizes, none at all, sizes that no vector divides; and the arithmetic of indices."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from native_check import differing, divided_always, in_c, in_numpy, once

from lensgrad.backends.native.assemble import assembled
from lensgrad.backends.native.integers import Atom, Index, flat, of, reshaped, strides, total, unflat
from lensgrad.cat.reverse import R
from lensgrad.core.diagram import Diagram
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.theories.smooth import index, linear, ops, reduce
from lensgrad.theories.smooth import pointwise as p
from lensgrad.theories.smooth.array import Array
from lensgrad.theories.smooth.conv import Convolve, Window, WindowArgMax
from lensgrad.theories.smooth.scan import scan

SIZES = st.sampled_from([1, 2, 3, 5, 8, 17, 64, 67, 130])
SHAPES = st.lists(SIZES, min_size=1, max_size=3).filter(lambda s: np.prod(s) <= 20_000).map(tuple)


def arrow(op, *shapes):
    return Diagram.of(op, Ty(tuple(Array(s, "float32") for s in shapes)))


def everything(shape):
    """Generators of every kind on an array of this shape, and what they are composed to."""
    rank, last = len(shape), len(shape) - 1
    alone = [linear.Sum((a,)) for a in range(rank)] + [reduce.AMax((a,)) for a in range(rank)] + [reduce.ArgMax(a) for a in range(rank)]
    alone += [linear.CumulativeSum(a, b) for a in range(rank) for b in (False, True)] + [reduce.LogSoftmax(a) for a in range(rank)]
    alone += [
        linear.Sum(tuple(range(rank))),
        linear.Flip((last,)),
        linear.Transpose(tuple(reversed(range(rank)))),
        reduce.ArgSort(),
        p.Exp(),
    ]
    mixed = trace(lambda x, y: chained(x, y, last), *(Ty((Array(shape, "float32"),)),) * 2)
    return Diagram.tensor(*(arrow(op, shape) for op in alone), mixed)


def chained(x, y, last):
    """Values that several read, moved and reduced in between."""
    z = ops.tanh(x) * y
    top = reduce.back(ops.amax(z, (last,)), z, (last,))
    w = linear.Pad((0,) * last + (1,), (0,) * last + (2,), (0,) * (last + 1))(z - top)
    return ops.sum_over(ops.exp(z - top), (last,)), linear.Flip((last,))(w), ops.concatenate([z, w], last) * 2.0, ops.reshape(z, (-1,))


def normal(f, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(a.shape).astype(a.dtype) if a.floating else rng.integers(-2, 9, a.shape).astype(a.dtype) for a in f.dom]


def agree(f, fuse=True, threads=1):
    xs = normal(f)
    assert differing(in_c(f, xs, fuse, threads), in_numpy(f, xs), [1e-5] * len(f.cod)) == []


@settings(max_examples=8)
@given(SHAPES, st.booleans())
def test_arrays_of_any_shape(shape, fuse):
    agree(everything(shape), fuse)


@settings(max_examples=10)
@given(st.data())
def test_windows_of_any_kind(data):
    draw = data.draw
    rank, groups = draw(st.integers(1, 3)), draw(st.sampled_from([1, 1, 2, 3]))
    size = tuple(draw(st.integers(1, 3)) for _ in range(rank))
    pads = tuple((draw(st.integers(0, k - 1)), draw(st.integers(0, k - 1))) for k in size)
    window = Window(tuple(draw(st.integers(1, 3)) for _ in size), tuple(draw(st.integers(1, 2)) for _ in size), pads, groups)
    image = tuple((k - 1) * d + draw(st.integers(1, 9)) for k, d in zip(size, window.dilation, strict=True))
    n, inner, outer = (draw(st.sampled_from([1, 2, 3, 5, 16])) for _ in range(3))
    shapes = {"x": (n, *image, inner * groups), "k": (*size, inner, outer * groups), "y": (n, *window.out(image, size), outer * groups)}
    slots = [Convolve(slot, window, image, size) for slot in "yxk"]
    pool = Window(window.stride, window.dilation, ((0, 0),) * rank)
    agree(Diagram.tensor(*(arrow(c, *(shapes[s] for s in c.args())) for c in slots), arrow(WindowArgMax(pool, size), shapes["x"])))


@settings(max_examples=6)
@given(SIZES, SIZES, st.sampled_from([1, 2, 7]), st.booleans())
def test_loops_of_any_length(rows, width, n, backward):
    x, w = Ty((Array((n, rows), "float32"),)), Ty((Array((width, rows), "float32"),))
    carry = Ty((Array((width,), "float32"),))

    def inner(c, x, s):
        return c * 0.5 + x * s, c

    def body(c, x, w):
        new = ops.tanh(c * 0.5 + w @ x)
        last, seen = scan(inner, ops.sum_over(x, (0,)), new, ops.sum_over(c, (0,)), not backward)
        return new, (new, c + 1.0, seen, last)

    def whole(c, x, w):
        last, ys = scan(body, c, x, w, backward)
        return last, *ys, scan(lambda c, x, _: (c + x, c), ops.sum_over(x, (0,)), x, backward=not backward)[0]

    f = trace(whole, carry, x, w)
    agree(f)
    agree(R(f), threads=2)


@settings(max_examples=6)
@given(st.integers(0, 2), SIZES, st.sampled_from([1, 2, 40]), st.sampled_from([(), (1,), (3,), (17,)]), st.booleans())
def test_rows_by_number(lead, rows, many, rest, two):
    common = (2, 3)[:lead]
    numbers, values = Array((*common, many), "int32"), Array((*common, many, *rest), "float32")
    table = Array((*common, rows, *rest), "float32")
    taken, added = Diagram.of(index.Take(lead), Ty((table, numbers))), Diagram.of(index.ScatterAdd(rows, lead), Ty((numbers, values)))
    agree(taken.tensor(added), threads=1 + two)


def test_two_threads_give_what_one_does(monkeypatch):
    divided_always(monkeypatch)
    f = everything((5, 67)).tensor(Diagram.of(index.ScatterAdd(9), Ty((Array((40,), "int32"), Array((40, 3), "float32")))))
    xs = normal(f)
    for one, two in zip(in_c(f, xs, threads=1), in_c(f, xs, threads=2), strict=True):
        assert np.array_equal(one, two)


@pytest.mark.parametrize("rest", [(), (3,), (17,)], ids=str)
def test_no_thread_clears_rows_that_another_one_adds_to(rest, monkeypatch):
    divided_always(monkeypatch)
    f = Diagram.of(index.ScatterAdd(200), Ty((Array((40,), "int32"), Array((40, *rest), "float32"))))
    text = assembled(f, once(f)).text.split("part_0(")[1]
    assert "r0 = first(200, id, of);" in text and ">= first(200, id, of)" in text and "stretch(" not in text


def test_arrays_without_entries():
    f = trace(
        lambda x: (ops.exp(x), ops.sum_over(x, (1,)), ops.sum_over(x, (0,)), ops.concatenate([x, x], 0), ops.argsort(x)),
        Ty((Array((3, 0), "float32"),)),
    )
    agree(f)
    agree(trace(lambda x: (ops.exp(x), ops.sum_over(x, (0,)), ops.reshape(x, (2, 0))), Ty((Array((0, 2), "float32"),))))


ATOMS = [Atom("a", 3), Atom("b", 4), Atom("c", 5), Atom("d", 1), Atom("e", 12)]
INDICES = st.builds(
    lambda k, cs: Index(k) + total(0, list(zip(ATOMS, cs, strict=True))),
    st.integers(0, 9),
    st.lists(st.integers(0, 14), min_size=5, max_size=5),
)


def value(i, at):
    """What C computes."""
    return eval(str(i).replace("/", "//"), {}, at)


@st.composite
def places(draw):
    return {a.name: draw(st.integers(0, a.size - 1)) for a in ATOMS}


@settings(max_examples=200)
@given(INDICES, INDICES, st.integers(-3, 3), places())
def test_sums_of_indices(i, j, n, at):
    assert value(i + j, at) == value(i, at) + value(j, at) and value(i * n, at) == value(i, at) * n
    assert value(i - j, at) == value(i, at) - value(j, at)
    assert i.bounds[0] <= value(i, at) <= i.bounds[1]


@settings(max_examples=300)
@given(INDICES, st.integers(1, 30), st.integers(1, 7), places())
def test_quotients_and_remainders_of_indices(i, n, m, at):
    first, rest = i.divided(n)
    assert (value(first, at), value(rest, at)) == divmod(value(i, at), n)
    assert first.bounds[0] >= 0 and rest.bounds[0] >= 0 and value(first, at) <= first.bounds[1] and value(rest, at) <= rest.bounds[1]
    assert value(first * n + rest, at) == value(i, at)
    deeper, left = first.divided(m)
    assert (value(deeper, at), value(left, at)) == divmod(value(first, at), m)


@settings(max_examples=100)
@given(st.lists(st.sampled_from([1, 2, 3, 4, 6]), min_size=1, max_size=4).map(tuple), st.data())
def test_an_index_is_a_place_and_back(shape, data):
    variables = tuple(of(Atom(f"i{k}", n)) for k, n in enumerate(shape))
    at = {f"i{k}": data.draw(st.integers(0, n - 1)) for k, n in enumerate(shape)}
    place = flat(variables, shape)
    assert value(place, at) == sum(at[f"i{k}"] * s for k, s in enumerate(strides(shape)))
    assert [value(i, at) for i in unflat(place, shape)] == [at[f"i{k}"] for k in range(len(shape))]
    new = data.draw(st.sampled_from([s for s in ((int(np.prod(shape)),), (1, *shape), tuple(reversed(shape)), (*shape, 1))]))
    assert value(flat(reshaped(variables, shape, new), new), at) == value(place, at)
