"""Networks of lookup tables: written once over Z, the same function over bits, whole numbers and reals."""

import numpy as np
import pytest
from numerics import evaluate

import lensgrad as lg
from lensgrad.backends.exact import formally_equal
from lensgrad.core.errors import BadValue
from lensgrad.learn.batching import batch
from lensgrad.learn.circuits import lut_layer, lut_network, over, soften, votes
from lensgrad.learn.circuits.wiring import random_wiring
from lensgrad.program.compile import program
from lensgrad.program.values import initial
from lensgrad.theories.poly.semiring import Z2, Z, modulo


def looked_up(table, rows, columns, gates, k):
    """Gate by gate in NumPy: entry s of gate g, where the first of its inputs is the highest bit of s."""
    table = np.asarray(table).reshape(1 << k, gates)
    numbers = sum(rows[:, list(c)] << (k - 1 - j) for j, c in enumerate(columns))
    return np.take_along_axis(table, numbers, 0)


@pytest.mark.parametrize("k", [1, 2, 3, 6])
def test_a_gate_looks_its_inputs_up(k):
    rng, gates = np.random.default_rng(k), 5
    layer = lut_layer(7, gates, k, seed=k, semiring=Z2)
    table, rows = rng.integers(0, 2, gates << k, np.uint8), rng.integers(0, 2, (40, 7), np.uint8)
    found = program(batch(layer, 40))({"table": table, "input": rows})["output"]
    np.testing.assert_array_equal(found, looked_up(table, rows, random_wiring(7, gates, k, k), gates, k))


def test_the_network_over_z_is_the_one_over_bits_after_base_change():
    whole, bits = (lut_network(3, [3, 2], seed=4, semiring=s) for s in (Z, Z2))
    assert formally_equal(over(whole, Z2).arrow, bits.arrow)
    assert [p.ob for p in over(whole, Z2).params] == [p.ob for p in bits.params]


def test_bits_whole_numbers_and_reals_agree_where_weights_are_bits():
    model = lut_network(9, [20, 12], classes=3, seed=1)
    soft, rows = soften(model), np.random.default_rng(0).integers(0, 2, (64, 9))
    values = initial(soft.params, seed=5)
    assert all(set(np.unique(v)) == {0.0, 1.0} for v in values.values())
    reals, wholes = (program(batch(m, 64))({**values, "input": rows})["output"] for m in (soft, model))
    bits = program(batch(over(lut_network(9, [20, 12], seed=1), Z2), 64))({**values, "input": rows})["output"]
    np.testing.assert_array_equal(reals, wholes)
    np.testing.assert_array_equal(wholes, bits.reshape(64, 3, 4).sum(-1))
    others = initial(over(model, modulo(99)).params, seed=5)
    assert all(others[n].tolist() == v.tolist() for n, v in values.items())


def test_a_model_kept_whole_has_the_numbers_of_its_generators():
    network, rows = lut_network(9, [20, 12], classes=3, seed=1), np.random.default_rng(0).random((16, 9), np.float32)
    learners = [lg.supervised(soften(network, whole=w), lg.cross_entropy, lg.descent, 0.1) for w in (True, False)]
    runs = [learner.fit((rows, np.arange(16) % 3), epochs=3, batch_size=8, progress=False) for learner in learners]
    for name, table in runs[0].weights.items():
        np.testing.assert_allclose(table, runs[1].weights[name], atol=1e-6)


def test_a_hundred_thousand_gates_are_a_few_nodes():
    assert len(lut_network(1000, [50_000, 50_000], 10).arrow.nodes) < 40


def test_wiring_is_balanced_and_reads_different_wires():
    columns = random_wiring(10, 100, 3, seed=0)
    counts = np.bincount(np.concatenate(columns), minlength=10)
    assert counts.min() >= 27 and counts.max() <= 35
    assert all(len(set(row)) == 3 for row in zip(*columns, strict=True))
    assert random_wiring(10, 100, 3, seed=1) != columns


def test_given_wiring_is_used():
    layer = lut_layer(3, 2, wiring=[[2, 0], [1, 1]], semiring=Z2)
    assert evaluate(layer.arrow, [0, 0, 1, 0, 0, 0, 0, 1], [0, 1, 1]).tolist() == [0, 1]
    assert evaluate(layer.arrow, [0, 0, 0, 0, 1, 0, 0, 0], [0, 1, 1]).tolist() == [1, 0]


def test_votes_count_the_bits_of_each_class():
    assert evaluate(votes(6, 2).arrow, [1, 0, 1, 0, 0, 1]).tolist() == [2, 1]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: lut_layer(0, 2), "inputs of a layer of gates must be a whole number from 1 to 1000000, got 0"),
        (
            lambda: lut_layer(2, 2, k=9),
            "a gate can have at most 8 inputs, since its truth table has 2^8 rows, got 9: use more layers of smaller gates",
        ),
        (lambda: lut_layer(2, 2, wiring=[[0, 1]]), "the wiring of 2 gates gives each 2 of the wires 0..1, and 1 gates are wired"),
        (lambda: lut_layer(2, 1, wiring=[[0, 2]]), "the wiring of 1 gates gives each 2 of the wires 0..1, and a gate reads [0, 2]"),
        (lambda: lut_network(2, []), "a network of lookup tables must have one layer or more, as in layers=[64, 64], got []"),
        (lambda: lut_network(3, 5), "layers of a network of lookup tables must be a list of sizes, as in layers=[64, 64], got 5"),
        (lambda: lut_layer(2, 2, wiring=[[0, 1], [0, 1.7]]), "a gate of a wiring must read 2 whole numbers of inputs, got [0, 1.7]"),
        (lambda: lut_layer(2, 2, wiring=[[0, 1], 1]), "a gate of a wiring must read 2 whole numbers of inputs, got 1"),
        (lambda: lut_layer(2, 2, wiring=3), "wiring must be a list with a row of 2 input numbers for each gate, got 3"),
        (lambda: votes(0, 2), "the number of bits that vote must be a whole number from 1 to 1000000, got 0"),
        (lambda: votes(4.0, 2), "the number of bits that vote must be a whole number from 1 to 1000000, got 4.0"),
        (lambda: votes(5, 2), "5 bits cannot vote for 2 classes: give each class equally many, so a multiple of 2 gates"),
        (lambda: votes(4, 2, Z2), "Z2 cannot count 2 votes for a class: count over Z, or in a semiring of more elements"),
    ],
)
def test_what_is_no_network_is_refused(make, told):
    with pytest.raises(BadValue) as error:
        make()
    assert str(error.value) == told


def test_a_softened_network_learns_through_the_same_learner():
    rows = np.array([[a, b] for a in (0, 1) for b in (0, 1)] * 4)
    learner = lg.supervised(soften(lut_network(2, [8], 2)), lg.cross_entropy, lg.adam(0.05), metrics=["accuracy"])
    run = learner.fit((rows, rows[:, 0] ^ rows[:, 1]), epochs=60, batch_size=16, progress=False)
    assert run.history[-1]["accuracy"] == 1.0
