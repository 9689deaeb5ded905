"""Soft tables: laws of the reparameterization, and the square of hardening and base change."""

from dataclasses import replace

import numpy as np
import pytest
from numerics import evaluate
from refusals import told

from lensgrad import circuits
from lensgrad.cat.names import Param
from lensgrad.cat.reverse import R
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.learn.batching import batch
from lensgrad.learn.circuits.soft import GATES, hardened, relaxed, sigmoid_tables, softmax_gates
from lensgrad.learn.circuits.wiring import random_wiring
from lensgrad.program.compile import program
from lensgrad.program.values import initial
from lensgrad.theories.smooth.array import Real

RNG = np.random.default_rng(0)
WAYS = {"sigmoid": sigmoid_tables(1.0, 2.0), "softmax": softmax_gates(1.0, 2.0)}
WIDE = circuits.lut_network(6, [12, 8], seed=1)
ROWS = np.array([[s >> i & 1 for i in range(6)] for s in range(64)], np.uint8)


def table(way, logits):
    point = way(Param("table", Real(4 * len(logits) if logits.ndim == 2 else len(logits))))
    return program(point)({"table": logits.astype(np.float32)})["output"]


def run(model, values, rows):
    return program(batch(model, len(rows)))({**values, "input": rows})["output"]


def test_a_mixture_of_gates_is_the_mean_of_their_tables():
    logits = RNG.normal(size=(5, GATES))
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    wanted = [[sum(shares[g, f] * (f >> s & 1) for f in range(GATES)) for g in range(5)] for s in range(4)]
    assert np.allclose(table(softmax_gates(), logits), np.ravel(wanted), atol=1e-6)


def test_each_of_the_sixteen_gates_is_its_own_truth_table():
    found = table(softmax_gates(straight=True), 9.0 * np.eye(GATES)).reshape(4, GATES)
    assert found.T.tolist() == [[f >> s & 1 for s in range(4)] for f in range(GATES)]


def test_networks_begin_as_wires_from_the_first_input_of_each_gate():
    for way in (sigmoid_tables(), softmax_gates(spread=0.0)):
        values = initial(relaxed(WIDE, way).params, 0)
        wires = [random_wiring(a, g, 2, 1 + i)[0] for i, (a, g) in enumerate(((6, 12), (12, 8)))]
        assert (run(hardened(WIDE, way), values, ROWS) == ROWS[:, wires[0]][:, wires[1]]).all()


@pytest.mark.parametrize("name", WAYS)
def test_the_square_commutes_the_soft_network_at_vertices_is_the_network_over_bits(name):
    way = WAYS[name]
    values = initial(relaxed(WIDE, way).params, 3)
    bits = run(hardened(WIDE, way), values, ROWS)
    sharp = {n: 100.0 * (v - (v.max(-1, keepdims=True) - 1e-3 if v.ndim == 2 else 0)) for n, v in values.items()}
    assert np.array_equal(bits, run(hardened(WIDE, way), sharp, ROWS))
    soft = run(relaxed(WIDE, way), {n: (500.0 * v).astype(np.float32) for n, v in values.items()}, ROWS.astype(np.float32))
    assert np.array_equal(np.round(soft), bits) and np.abs(soft - bits).max() < 0.2


@pytest.mark.parametrize("name", WAYS)
def test_straight_through_has_the_values_of_the_bits_and_the_derivative_of_the_mean(name):
    way, straight = WAYS[name], replace(WAYS[name], straight=True)
    values = initial(relaxed(WIDE, way).params, 3)
    assert np.array_equal(run(relaxed(WIDE, straight), values, ROWS.astype(np.float32)), run(hardened(WIDE, way), values, ROWS))
    weight = Param("table", Real(8))
    logits, back = values_like(way(weight)), RNG.normal(size=8).astype(np.float32)
    mean, sharp = (evaluate(R(f(weight).arrow), logits, back) for f in (way, straight))
    assert np.array_equal(mean, sharp) and np.abs(mean).min() > 0


def values_like(point):
    return RNG.normal(size=point.params[0].ob[0].shape).astype(np.float32)


def test_votes_are_divided_by_the_temperature():
    voting = circuits.lut_network(6, [8], 2)
    values = initial(relaxed(voting).params, 0)
    one, four = (run(relaxed(voting, temperature=t), values, ROWS.astype(np.float32)) for t in (1.0, 4.0))
    assert np.allclose(one, 4 * four, rtol=1e-6)


def test_refusals():
    assert (
        told(BadValue, lambda: relaxed(WIDE, temperature=0)) == "temperature, which votes are divided by, must be a positive number, got 0"
    )
    assert told(BadValue, lambda: softmax_gates()(Param("t", Real(6)))) == (
        "softmax_gates is for gates of two inputs, with four entries each, and a table has 6: use sigmoid_tables"
    )
    assert told(TypeMismatch, lambda: sigmoid_tables()(Param("t", Real(2, 3)))) == (
        "soft tables stand in the place of one vector, and 't' is f32[2,3]"
    )
