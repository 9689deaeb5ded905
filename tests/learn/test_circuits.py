"""Boolean circuits learn through the same learner as networks: reverse derivative ascent (arXiv 2101.10488)."""

from itertools import product

import numpy as np
import pytest
from numerics import evaluate

import lensgrad as lg
from lensgrad.cat.para import corner, lens
from lensgrad.cat.reverse import R
from lensgrad.core.errors import BadValue
from lensgrad.core.trace import trace
from lensgrad.learn.circuits import lookup
from lensgrad.program.compile import compile
from lensgrad.theories.poly.circuit import Bits, minterms

PAIRS = np.array(list(product((0, 1), repeat=2)), np.uint8)


def learner(inputs, outputs=1):
    return lg.supervised(lookup(inputs, outputs), lg.xor, lg.ascent, rate=lg.echo)


def one_pass(inputs, x, y, seed=0, **how):
    y = np.asarray(y, np.uint8).reshape(len(x), -1)
    return learner(inputs, y.shape[1]).fit((x, y), batch_size=None, seed=seed, progress=False, **how), y


def test_the_basis_is_one_hot_at_the_number_the_bits_spell():
    basis = trace(minterms, Bits(3))
    for s, bits in enumerate(product((0, 1), repeat=3)):
        assert evaluate(basis, bits).tolist() == [int(i == s) for i in range(8)]


def test_the_reverse_derivative_of_a_table_is_the_basis_times_the_cotangent():
    table = lookup(2, 2)
    back = R(table.arrow)
    for bits in PAIRS:
        found, _ = evaluate(back, [0] * 8, bits, [1, 0])
        assert found.tolist() == [int(i == bits[0] * 2 + bits[1]) for i in range(4)] + [0] * 4


def test_exclusive_or_is_learned_in_one_pass():
    run, y = one_pass(2, PAIRS, [0, 1, 1, 0])
    assert run.values["table"].tolist() == [0, 1, 1, 0]
    np.testing.assert_array_equal(run.predict(PAIRS, batch_size=None), y)
    assert run.evaluate((PAIRS, y), batch_size=None) == {"loss": 0.0}


@pytest.mark.parametrize("number", range(16))
def test_every_function_of_two_bits_is_learned_in_one_pass(number):
    truth = [number >> s & 1 for s in range(4)]
    run, y = one_pass(2, PAIRS, truth, seed=number)
    assert run.values["table"].tolist() == truth
    np.testing.assert_array_equal(run.predict(PAIRS, batch_size=None), y)
    assert run.history[0]["loss"] == sum(truth) / 4, "each example is seen once, with its row still 0"


def test_a_table_with_several_outputs_learns_an_adder():
    x = np.array(list(product((0, 1), repeat=4)), np.uint8)
    sums = [(2 * a + b) + (2 * c + d) for a, b, c, d in x]
    run, y = one_pass(4, x, [[s >> 2 & 1, s >> 1 & 1, s & 1] for s in sums])
    np.testing.assert_array_equal(run.predict(x, batch_size=None), y)


def test_the_last_label_of_an_input_wins():
    run, _ = one_pass(1, np.array([[1], [1], [1]], np.uint8), [1, 0, 1], shuffle=False)
    assert run.values["table"].tolist() == [0, 1]
    run, _ = one_pass(1, np.array([[1], [1]], np.uint8), [1, 0], shuffle=False)
    assert run.values["table"].tolist() == [0, 0]


def test_the_step_is_that_of_reverse_derivative_ascent():
    """θ + R[f](θ, x, y − f(θ, x)) over Z2, for every table, input and label."""
    step = compile(learner(2).lens())
    model, back = lookup(2).arrow, R(lookup(2).arrow)
    for table in product((0, 1), repeat=4):
        for x, y in product(PAIRS, (0, 1)):
            change, _ = evaluate(back, table, x, np.array([y]) ^ evaluate(model, table, x))
            found = step({"table": np.array(table), "x": x, "y": np.array([y])})["table"]
            assert found.tolist() == (np.array(table) ^ change).tolist()


def test_a_circuit_is_composed_by_hand_as_a_network_is():
    task = corner(Bits(2), "x") >> lookup(2) >> lg.xor("y")
    assert (lens(task) >> lg.echo).reparam({lg.weights: lg.ascent}) == learner(2).lens()


def test_its_source_needs_numpy_only():
    assert "lensgrad" not in learner(2).source().replace("written by lensgrad as plain NumPy", "")


def test_a_batch_moves_by_the_sum_of_its_examples():
    y = np.array([[0], [1], [1], [0]], np.uint8)
    run = learner(2).fit((PAIRS, y), batch_size=4, progress=False)
    assert run.values["table"].tolist() == [0, 1, 1, 0]
    assert run.predict(PAIRS).tolist() == y.tolist() and run.history[0]["loss"] == 0.5
    twice = np.concatenate([PAIRS, PAIRS]), np.concatenate([y, y])
    run = learner(2).fit(twice, batch_size=8, progress=False)
    assert run.values["table"].tolist() == [0, 0, 0, 0], "over Z2 two equal requests cancel"


def test_data_over_bits_is_made_of_bits():
    with pytest.raises(BadValue) as error:
        learner(2).fit((PAIRS + 1, PAIRS[:, :1]), batch_size=None, shuffle=False, progress=False)
    assert str(error.value) == "'x' expects elements 0..1 of Z2, got 1 to 2"


SIZES = {
    (0, 1): "inputs of a lookup table must be a whole number from 1 to 20, got 0",
    (21, 1): "inputs of a lookup table must be a whole number from 1 to 20, got 21",
    (2, 0): "outputs of a lookup table must be a whole number from 1 to 1048576, got 0",
    ("3", 1): "inputs of a lookup table must be a whole number from 1 to 20, got '3'",
    (2, 1.0): "outputs of a lookup table must be a whole number from 1 to 1048576, got 1.0",
    (20, 100): ("a lookup table of these sizes has 104857600 bits to learn, and 16777216 are the most: use fewer inputs, terms or outputs"),
}


@pytest.mark.parametrize(("inputs", "outputs"), SIZES)
def test_a_table_has_a_sensible_size(inputs, outputs):
    with pytest.raises(BadValue) as error:
        lookup(inputs, outputs)
    assert str(error.value) == SIZES[inputs, outputs]
