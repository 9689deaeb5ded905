"""Counts of reverse derivatives are those of one example after the other, and everything else about a batch follows from them."""

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.backends import numpy as plain
from lensgrad.backends.engine import Native, NumPy
from lensgrad.backends.native.lanes import run
from lensgrad.cat.names import Param, Role
from lensgrad.cat.para import parametric
from lensgrad.cat.reverse import R
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.program.counts import counts, make_break
from lensgrad.theories.poly.circuit import Bits, gather, scatter
from lensgrad.theories.poly.semiring import Z2, Z, saturating
from lensgrad.theories.smooth.batch import batch

LAYERS, WIDTH, INPUTS = 3, 9, 5

WAYS = {"compiled": Native(), "packed": Native(lanes="packed"), "off": NumPy()}


def network(semiring, seed=0, layers=LAYERS):
    """Gates a + p b + q a b on random pairs of the layer before, over any semiring; the last layer is added into two outputs."""
    rng = np.random.default_rng(seed)
    wiring = [rng.integers(0, INPUTS if k == 0 else WIDTH, (2, WIDTH)).tolist() for k in range(layers)]

    def body(*wires):
        *tables, x = wires
        for table, (left, right) in zip(tables, wiring, strict=True):
            a, b = gather(x, left), gather(x, right)
            x = a + table[:WIDTH] * b + table[WIDTH:] * a * b
        return scatter(x, [k % 2 for k in range(WIDTH)], 2)

    return parametric([Param(f"layer{k}", Bits(2 * WIDTH, semiring)) for k in range(layers)], Bits(INPUTS, semiring), body)


def drawn(model, semiring, rows, seed=1):
    rng = np.random.default_rng(seed)
    top = min(semiring.size or 3, 3)
    dtype = plain.host(model.dom[0])[1]
    weights = {n: rng.integers(0, top, p.ob[0].size).astype(dtype) for n, p in zip(model.names, model.params, strict=True)}
    return weights, rng.integers(0, top, (rows, INPUTS)).astype(dtype), rng.integers(0, top, (rows, 2)).astype(dtype)


def one_by_one(model, weights, x, covector):
    """Σ over examples of R[f], as whole numbers."""
    pull = plain.function(R(model.arrow))
    found = [pull(*weights.values(), row, dy)[: len(weights)] for row, dy in zip(x, covector, strict=True)]
    return {name: np.sum([f[k] for f in found], 0, np.int64) for k, name in enumerate(weights)}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("semiring", [Z2, saturating(3), Z], ids=str)
@pytest.mark.parametrize("rows", [1, 67, 130])
def test_counts_are_those_of_each_example(semiring, rows, way, monkeypatch):
    monkeypatch.setattr(run, "LEAST", 0)
    model = network(semiring)
    weights, x, covector = drawn(model, semiring, rows)
    found, wanted = counts(model, weights, x, covector, WAYS[way]), one_by_one(model, weights, x, covector)
    assert {n: v.tolist() for n, v in found.items()} == {n: v.tolist() for n, v in wanted.items()}
    assert all(v.dtype == np.int64 for v in found.values())


@pytest.mark.parametrize("semiring", [Z2, saturating(2), saturating(3), Z], ids=str)
def test_the_gradient_of_a_batch_is_the_image_of_the_counts(semiring):
    model = network(semiring)
    weights, x, covector = drawn(model, semiring, 90)
    many, _ = batch(model.arrow, 90, [False] * LAYERS + [True])
    gradient = plain.function(R(many))(*weights.values(), x, covector)[:LAYERS]
    image = {Z2: lambda c: c & 1, Z: lambda c: c}.get(semiring, lambda c: np.minimum(c, semiring.size - 1))
    for found, total in zip(gradient, counts(model, weights, x, covector).values(), strict=True):
        assert found.tolist() == image(total).tolist()


def test_make_and_break_are_what_flipping_each_bit_does():
    """One layer is multilinear in each bit, which comes into one output: every bit is flipped and every example asked again."""
    model = network(Z2, seed=3, layers=1)
    weights, x, y = drawn(model, Z2, 40)
    call = plain.function(batch(model.arrow, 40, [False, True])[0])
    make, spoil = make_break(model, weights, x, y)
    table, before = weights["layer0"], call(*weights.values(), x)[0] != y
    for k in range(len(table)):
        after = call(table ^ (np.arange(len(table)) == k), x)[0] != y
        assert make["layer0"][k] == (before & ~after).sum()
        assert spoil["layer0"][k] == (~before & after).sum()


def test_make_and_break_of_one_output():
    model = lg.lookup(4)
    rng = np.random.default_rng(0)
    table, x, y = rng.integers(0, 2, 16, np.uint8), rng.integers(0, 2, (60, 4), np.uint8), rng.integers(0, 2, (60, 1), np.uint8)
    make, spoil = make_break(model, {"table": table}, x, y)
    row = x @ [8, 4, 2, 1]
    for k in range(16):
        wrong = table[row[row == k]] != y[row == k, 0]
        assert (make["table"][k], spoil["table"][k]) == (wrong.sum(), (~wrong).sum())


def test_data_parameters_have_a_row_for_each_example():
    model = parametric([Param("w", Bits(3)), Param("mask", Bits(3), Role.DATA)], Bits(3), lambda w, mask, x: w * mask * x)
    rng = np.random.default_rng(0)
    w, mask, x, dy = (rng.integers(0, 2, s, np.uint8) for s in (3, (20, 3), (20, 3), (20, 3)))
    assert counts(model, {"w": w, "mask": mask}, x, dy)["w"].tolist() == (mask & x & dy).sum(0).tolist()


def test_refusals():
    model = lg.lookup(2)
    with pytest.raises(BadValue) as error:
        counts(model, {"table": [0] * 4}, [[0, 1]], [1])
    assert str(error.value) == "counts need a row for each example, got an array of shape (1,)"
    with pytest.raises(TypeMismatch) as mismatch:
        counts(lg.dense(2).at(lg.Real(3)), {}, [[0.0] * 3], [[0.0] * 2])
    assert str(mismatch.value) == "counting is for circuits over a semiring, and this arrow has a wire of type f32[2,3]"
