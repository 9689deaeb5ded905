"""Why plain reverse derivative ascent does what it does: the tangent kernel over Z2, and three statements that follow from it."""

from itertools import product

import numpy as np
import pytest
from numerics import evaluate

import lensgrad as lg
from lensgrad.backends import numpy as backend
from lensgrad.cat.reverse import reverse
from lensgrad.learn.circuits import anf, last_bit, lookup, monomials, parity
from lensgrad.program.compile import compile
from lensgrad.theories.smooth.batch import batch

RNG = np.random.default_rng(0)
MODELS = {"lookup": lookup(3), "anf": anf(3, 3), "anf of degree 2": anf(3, 2), "parity": parity(3)}
ROWS = np.array(list(product((0, 1), repeat=3)), np.uint8)


def sensitized(model, x):
    """φ(x): which parameters change the result at x, from R; for a model that is affine in them it does not depend on them."""
    back = reverse(model.arrow, [True, False], [True])
    return evaluate(back, np.zeros(model.params[0].ob[0].size), x, [1])


def predictions(model, weights):
    return np.array([evaluate(model.arrow, weights, x)[0] for x in ROWS])


@pytest.mark.parametrize("name", MODELS)
def test_a_step_changes_every_prediction_by_the_tangent_kernel(name):
    """T1: f′(x′) = f(x′) + e K(x, x′) with K(x, x′) = ⟨φ(x), φ(x′)⟩ modulo 2; so x itself is repaired iff |φ(x)| is odd."""
    model, features = MODELS[name], np.array([sensitized(MODELS[name], x) for x in ROWS])
    (label,) = model.names
    step = compile(lg.supervised(model, lg.xor, lg.ascent, lg.echo).lens())
    for k, x in enumerate(ROWS):
        weights, y = RNG.integers(0, 2, model.params[0].ob[0].size, np.uint8), RNG.integers(0, 2)
        before = predictions(model, weights)
        after = predictions(model, step({label: weights, "x": x, "y": [y]})[label])
        error = before[k] ^ y
        assert (before ^ after).tolist() == (error * (features @ features[k]) % 2).tolist()
        assert (after[k] == y) == (not error or features[k].sum() % 2 == 1)


def test_a_table_has_the_identity_as_kernel_and_a_normal_form_repairs_only_the_zero_row():
    """T2: the basis decides everything. |φ(x)| is 1 for a table and 2^(ones in x) for all monomials, which is odd at x = 0 only."""
    tables, forms = (np.array([sensitized(m, x) for x in ROWS], int) for m in (lookup(3), anf(3, 3)))
    assert (tables @ tables.T).tolist() == np.eye(8, dtype=int).tolist()
    assert forms.sum(1).tolist() == (2 ** ROWS.sum(1)).tolist()
    step = compile(lg.supervised(anf(3, 3), lg.xor, lg.ascent, lg.echo).lens())
    for k, x in enumerate(ROWS):
        weights = RNG.integers(0, 2, 8, np.uint8)
        wrong = predictions(anf(3, 3), weights)[k] ^ 1
        after = predictions(anf(3, 3), step({"coefficients": weights, "x": x, "y": [wrong]})["coefficients"])
        assert (after[k] == wrong) == (k == 0)


def one_pass(model, optimizer, rows, truth):
    """The weights after one step on each row: one column of labels a row, and weights of its own for each of many functions at once."""
    closed, (label,) = lg.supervised(model, lg.xor, optimizer, lg.echo).lens(), model.names
    put, _ = batch(closed.arrow.put, len(truth), [name != "x" for name in closed.names])
    step, where = backend.function(put), closed.names.index(label)
    place = sum(len(p.ob[0].bwd) for p in closed.params[:where])  # those before it give something back
    weights = np.zeros((len(truth), model.params[0].ob[0].size), np.uint8)
    for k, x in rows:
        values = {"x": np.array(x, np.uint8), label: weights, "y": truth[:, k : k + 1]}
        weights = step(*(values[name] for name in closed.names))[place]
    return weights


def functions(bits):
    """All functions of so many bits, one row of values each."""
    n = 1 << bits
    return (np.arange(1 << n)[:, None] >> np.arange(n) & 1).astype(np.uint8)


def test_with_the_top_monomial_alone_one_pass_in_order_of_weight_is_exact():
    """T3: it is the Möbius transform, on all 256 functions of three bits."""
    truth, order = functions(3), np.argsort(ROWS.sum(1), kind="stable")
    found = one_pass(anf(3, 3), lg.chain(last_bit, lg.ascent), [(k, ROWS[k]) for k in order], truth)
    below = np.array([[all(not row[i] or i in m for i in range(3)) for row in ROWS] for m in monomials(3, 3)])
    np.testing.assert_array_equal(found, truth @ below.T % 2)
    features = np.array([sensitized(anf(3, 3), x) for x in ROWS])
    np.testing.assert_array_equal(found @ features.T % 2, truth)


def test_one_pass_of_a_table_learns_all_65536_functions_of_four_bits():
    truth = functions(4)
    np.testing.assert_array_equal(one_pass(lookup(4), lg.ascent, enumerate(product((0, 1), repeat=4)), truth), truth)
