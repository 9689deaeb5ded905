"""Algebraic normal form, parity, sums of products, and kernels that are trees of gates: what they compute over bits and over Z."""

from itertools import product

import numpy as np
import pytest
from numerics import evaluate

from lensgrad.backends.exact import formally_equal
from lensgrad.cat.reverse import R
from lensgrad.core.errors import BadValue
from lensgrad.learn.batching import batch
from lensgrad.learn.circuits import anf, esop, monomials, or_pool2d, over, parity, pseudo_linear, tree_conv2d
from lensgrad.learn.circuits.convolution import fields
from lensgrad.program.compile import program
from lensgrad.theories.poly.semiring import Z2, Z

RNG = np.random.default_rng(0)
MODELS = {
    "anf": lambda s: anf(4, 2, outputs=2, semiring=s),
    "parity": lambda s: parity(5, outputs=3, semiring=s),
    "esop": lambda s: esop(3, 3, outputs=2, semiring=s),
    "tree_conv2d": lambda s: tree_conv2d((3, 4, 2), kernels=2, depth=2, size=2, semiring=s),
    "or_pool2d": lambda s: or_pool2d((4, 5, 3), semiring=s),
}


def answers(model, values, rows):
    return program(batch(model, len(rows)))({**values, "input": rows})["output"]


def random_bits(model, n=30):
    values = {name: RNG.integers(0, 2, p.ob[0].size) for name, p in zip(model.names, model.params, strict=True)}
    return values, RNG.integers(0, 2, (n, model.dom[0].size))


@pytest.mark.parametrize("name", MODELS)
def test_at_bits_a_model_over_z_has_the_bits_of_the_one_over_z2(name):
    values, rows = random_bits(MODELS[name](Z))
    whole, bits = (answers(MODELS[name](s), values, rows) for s in (Z, Z2))
    np.testing.assert_array_equal(whole, bits)
    assert set(np.unique(bits)) == {0, 1}


@pytest.mark.parametrize("make", [lambda s: anf(3, 2, 2, s), lambda s: parity(3, 2, s), lambda s: esop(2, 2, 1, s)])
def test_base_change_to_bits_is_the_model_over_bits(make):
    assert formally_equal(over(make(Z), Z2).arrow, make(Z2).arrow)


def test_an_algebraic_normal_form_adds_its_monomials():
    values, rows = random_bits(anf(4, 3, 2))
    chosen, listed = values["coefficients"].reshape(2, -1), monomials(4, 3)
    assert listed[:7] == [(), (0,), (1,), (2,), (3,), (0, 1), (0, 2)]
    values_of = np.stack([rows[:, list(m)].prod(1) for m in listed], 1)
    np.testing.assert_array_equal(answers(anf(4, 3, 2), values, rows), values_of @ chosen.T % 2)


def test_parity_is_a_product_of_matrices_modulo_2():
    values, rows = random_bits(parity(5, 3))
    np.testing.assert_array_equal(answers(parity(5, 3), values, rows), rows @ values["mask"].reshape(3, 5).T % 2)


def test_a_sum_of_products_of_literals():
    values, rows = random_bits(esop(3, 4))
    mask, negated = (values[n].reshape(3, 4) for n in ("mask", "negated"))
    literals = rows[:, :, None] ^ negated
    np.testing.assert_array_equal(answers(esop(3, 4), values, rows)[:, 0], (literals | 1 - mask).prod(1).sum(1) % 2)


def test_a_kernel_is_one_tree_of_gates_for_all_places():
    model, kernels = tree_conv2d((3, 4, 2), kernels=2, depth=2, size=2, seed=5, semiring=Z2), fields(2, 4, 2, 2, 5)
    values, rows = random_bits(model)
    tables = [values["table0"].reshape(4, 2, 2), values["table1"].reshape(4, 1, 2)]  # entry, gate, kernel
    found = answers(model, values, rows).reshape(-1, 2, 3, 2)
    images = rows.reshape(-1, 3, 4, 2)
    for n, i, j, k in product(range(len(rows)), range(2), range(3), range(2)):
        bits = [images[n, i + a, j + b, c] for a, b, c in (leaf[k] for leaf in kernels)]
        for table in tables:
            half = len(bits) // 2
            bits = [table[2 * bits[g] + bits[g + half], g, k] for g in range(half)]
        assert found[n, i, j, k] == bits[0]


def test_what_comes_back_to_a_tied_table_is_added_over_places():
    values, rows = random_bits(MODELS["tree_conv2d"](Z))
    model, ones = MODELS["tree_conv2d"](Z), np.ones(12, np.int64)
    back = evaluate(R(model.arrow), *values.values(), rows[0], ones)
    moved = dict(values)
    for k in range(len(values["table1"])):
        moved["table1"] = values["table1"] + np.eye(len(values["table1"]), dtype=int)[k]
        change = answers(model, moved, rows[:1]).sum() - answers(model, values, rows[:1]).sum()
        assert back[1][k] == change, "the last level is linear in its table"


def test_pooling_is_or():
    rows = RNG.integers(0, 2, (10, 60))
    wanted = rows.reshape(-1, 4, 5, 3)[:, :, :4].reshape(-1, 2, 2, 2, 2, 3).max((2, 4)).reshape(-1, 12)
    np.testing.assert_array_equal(answers(or_pool2d((4, 5, 3), semiring=Z2), {}, rows), wanted)


def test_the_pseudo_linear_model_and_its_derivative_by_brute_force():
    model, back = pseudo_linear(6, 2), R(pseudo_linear(6, 2).arrow)

    def plain(p, x):
        return int((p & x).sum() <= p.sum() // 2)

    for _ in range(40):
        p, x = RNG.integers(0, 2, (2, 6))
        assert evaluate(model.arrow, p, x).tolist() == [plain(p, x)]
        for dy in (0, 1):
            found = evaluate(back, p, x, [dy])
            moved = [[plain(p ^ e, x), plain(p, x ^ e)] for e in np.eye(6, dtype=int)]
            assert np.transpose(found).tolist() == [[(v ^ plain(p, x)) & dy for v in row] for row in moved]
    rows = RNG.integers(0, 2, (5, 6))
    assert answers(model, {"mask": p}, rows)[:, 0].tolist() == [plain(p, row) for row in rows]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (
            lambda: anf(196, 4),
            "196 inputs have 60881472 monomials of degree ≤ 4, more than 1000000: use degree 2, fewer inputs, or a lut_network, "
            "which needs no list of monomials",
        ),
        (
            lambda: anf(2000, 1, outputs=600),
            "2000 inputs have 2001 monomials of degree ≤ 1 for each of 600 outputs, 1200600 coefficients, more than 1000000: "
            "use fewer inputs, or a lut_network, which needs no list of monomials",
        ),
        (lambda: anf(3, 4), "the degree of an algebraic normal form of 3 inputs must be a whole number from 0 to 3, got 4"),
        (lambda: parity(0), "inputs of a parity must be a whole number from 1 to 1000000, got 0"),
        (lambda: esop(3, 0), "terms of a sum of products must be a whole number from 1 to 1000000, got 0"),
        (lambda: tree_conv2d((4, 4), 2), "an image of bits must have the shape (height, width, channels), got (4, 4)"),
        (lambda: tree_conv2d(4, 2), "the shape of an image of bits must be (height, width, channels), got 4"),
        (lambda: tree_conv2d((4, 4, 0), 2), "channels of an image of bits must be a whole number from 1 to 1000000, got 0"),
        (lambda: tree_conv2d((4, 4, 1), 2, depth=40), "depth of a tree of gates must be a whole number from 1 to 16, got 40"),
        (
            lambda: anf(30, 25),
            "30 inputs have at least 1050777737 monomials of degree ≤ 25, more than 1000000: use degree 6, fewer inputs, or a lut_network, "
            "which needs no list of monomials",
        ),
        (lambda: or_pool2d((3, 3, 1), size=5), "a square of 5 × 5 does not fit an image of 3 × 3"),
        (lambda: tree_conv2d((2, 4, 1), 2), "a field of 3 × 3 does not fit an image of 2 × 4"),
        (lambda: or_pool2d((2, 2, 1), 0), "size of pooling must be a whole number from 1 to 1000000, got 0"),
        (lambda: pseudo_linear(0, 1), "inputs of the pseudo-linear model must be a whole number from 1 to 1000000, got 0"),
        (lambda: pseudo_linear(4, 0), "the n that the pseudo-linear model divides by must be a whole number from 1 to 1000000, got 0"),
    ],
)
def test_what_is_no_model_is_refused(make, told):
    with pytest.raises(BadValue) as error:
        make()
    assert str(error.value) == told
