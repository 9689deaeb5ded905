"""Votes and encoders as gates, against counting and comparing."""

import numpy as np
import pytest
from refusals import told

import lensgrad as lg
from lensgrad import circuits
from lensgrad.circuits.gates.circuit import Builder
from lensgrad.circuits.gates.encoders import encoder_circuit, raw
from lensgrad.circuits.gates.votes import chained, count, exceeds, vote
from lensgrad.core.errors import BadValue

RNG = np.random.default_rng(0)


def rows(n):
    return np.array([[s >> i & 1 for i in range(n)] for s in range(1 << n)], np.uint8)


@pytest.mark.parametrize("n", range(1, 9))
def test_counting_is_the_number_of_ones(n):
    made = Builder([f"i{k}" for k in range(n)])
    found = count(made, made.literals)
    circuit = made.finish([f"o{k}" for k in range(len(found))], found)
    assert (circuit.run(rows(n)) @ (1 << np.arange(len(found))) == rows(n).sum(1)).all()


def test_comparing_is_comparing_numbers_of_different_lengths():
    made = Builder([f"i{k}" for k in range(7)])
    x = rows(7)
    a, b = x[:, :3] @ [1, 2, 4], x[:, 3:] @ [1, 2, 4, 8]
    for left, right, p, q in ((slice(0, 3), slice(3, 7), a, b), (slice(3, 7), slice(0, 3), b, a)):
        circuit = made.finish(["y"], [exceeds(made, made.literals[left], made.literals[right])])
        assert (circuit.run(x)[:, 0] == (p > q)).all()


@pytest.mark.parametrize(("bits", "classes"), [(2, 2), (6, 2), (6, 3), (12, 4), (10, 5)])
def test_the_first_class_with_the_most_votes_wins(bits, classes):
    x = rows(bits)
    wanted = x.reshape(len(x), classes, -1).sum(2).argmax(1)
    found = vote(bits, classes).run(x)
    assert (found[:, 0] == wanted).all() if classes == 2 else (found == np.eye(classes)[wanted]).all()


def test_what_cannot_vote_is_refused():
    why = "there are two classes or more, and each has equally many bits"
    assert told(BadValue, lambda: vote(7, 2)) == f"7 bits cannot vote for 2 classes: {why}"
    assert told(BadValue, lambda: vote(6.0, 2)) == "the number of bits that vote must be a whole number from 1 to 16777216, got 6.0"
    assert told(BadValue, lambda: vote(4, 1)) == "the number of classes must be a whole number ≥ 2, got 1"


def test_circuits_are_chained_by_name():
    first = circuits.formula(["a", "b"], lambda x: {"and": x["a"] & x["b"], "or": x["a"] | x["b"]})
    second = circuits.formula(["or", "and"], lambda x: {"xor": x["or"] & ~x["and"]})
    assert circuits.equal(chained(first, second), circuits.formula(["a", "b"], lambda x: {"xor": x["a"] ^ x["b"]})).status == "proved"
    assert told(BadValue, lambda: chained(second, second)) == "the second circuit reads 'and', which the first does not give"


def test_an_encoder_as_gates_gives_the_bits_of_the_encoder():
    flowers = lg.data.iris()
    x = np.round(flowers.x.astype(np.float64), 1)
    fitted = lg.data.encoder(x, levels=5)
    gates = encoder_circuit(fitted)
    assert gates.outputs == fitted.names and gates.inputs[:6] == tuple(f"x0[{i}]" for i in range(6))
    assert (gates.run([raw(fitted, row) for row in x]) == fitted.encode(x)).all()


def test_words_are_decoded_and_a_threshold_at_half_a_byte_is_one_wire():
    table = {"color": ["red", "blue", "green", "red", "gray"]}
    fitted = lg.data.encoder(table)
    gates = encoder_circuit(fitted)
    assert (gates.run([raw(fitted, [v]) for v in table["color"]]) == fitted.encode(table)).all()
    pixels = lg.data.encoder(np.arange(256)[:, None], thresholds=[127])
    assert encoder_circuit(pixels).size == 0
    assert encoder_circuit(lg.data.encoder(np.arange(256)[:, None], thresholds=[100])).size > 0
