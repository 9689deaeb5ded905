"""Searches without gradients: WalkSAT at the weights of a circuit, and at its input."""

from itertools import product

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.core.errors import BadValue
from lensgrad.learn.batching import batch
from lensgrad.lens import corner, lens
from lensgrad.program.compile import compile, program
from lensgrad.theories.poly.semiring import Z2, Z

c = lg.circuits
ROWS = np.array(list(product((0, 1), repeat=3)))
PARITY = ROWS.sum(1) % 2


def planted(variables, clauses, seed):
    """A layer of clauses of three literals each, its truth tables, and an input at which all hold."""
    rng = np.random.default_rng(seed)
    hidden, wires, tables = rng.integers(0, 2, variables), list[list[int]](), list[np.ndarray]()
    while len(wires) < clauses:
        chosen, false_at = rng.choice(variables, 3, replace=False), rng.integers(0, 2, 3)
        if (hidden[chosen] != false_at).any():
            wires.append(chosen.tolist())
            tables.append(np.arange(8) != false_at @ [4, 2, 1])
    return c.lut_layer(variables, clauses, k=3, wiring=wires), {"table": np.array(tables, int).T.reshape(-1)}


def test_a_search_finds_the_tables_of_a_network():
    model = c.lut_network(3, [8, 4, 1], seed=1)
    found = c.search(model, (ROWS, PARITY), steps=300)
    assert found.solved and len(found.history) < 300
    answers = program(batch(c.over(model, Z2), 8))({**found.bits, "input": ROWS})["output"]
    assert answers[:, 0].tolist() == PARITY.tolist()
    assert c.search(model, (ROWS, PARITY), steps=300).history == found.history


def test_a_search_leaves_where_greedy_steps_stay():
    found = c.search(c.anf(3, 3, semiring=Z), (ROWS, PARITY), steps=300)
    assert found.solved and found.bits["coefficients"].tolist() == [0, 1, 1, 1, 0, 0, 0, 0]


def test_a_search_that_ends_too_early_says_so():
    found = c.search(c.parity(3, semiring=Z), (ROWS, 1 - PARITY), steps=20)
    assert not found.solved and len(found.history) == 20


def test_an_input_is_dreamt_that_satisfies_all_clauses():
    layer, tables = planted(30, 110, seed=7)
    found = c.satisfy(layer, tables, steps=2000, seed=1)
    assert found.solved and found.history[0] > 5
    assert program(layer)({**tables, "input": found.bits["x"]})["output"].tolist() == [1] * 110


def test_ascent_at_the_input_dreams_over_bits_as_it_dreams_over_numbers():
    """The corner is what learns (arXiv 2404.00408, example 4.5): an x with x0 + x1 x2 = 1 and x1 + x3 = 1."""
    circuit, listed = c.anf(4, 2, outputs=2), c.monomials(4, 2)
    terms = [[(0,), (1, 2)], [(1,), (3,)]]
    weights = [int(m in row) for row in terms for m in listed]
    rule = lg.chain(c.random_mask(0.5), lg.ascent)
    closed = (lens(corner(lg.Bits(4), "x") >> circuit.freeze() >> lg.xor("y")) >> lg.echo).reparam({"x": rule})
    for seed in range(5):
        step, key = compile(closed), np.array([0, seed], np.uint32)
        values = {"coefficients": weights, "x": np.zeros(4), "y": np.array([1, 1]), "x.mask_key": key}
        for _ in range(100):
            seen = step(values)
            if not seen["loss"].any():
                break
            values |= {n: seen[n] for n in ("x", "x.mask_key")}
        a, b, d, e = map(int, values["x"])
        assert (a ^ b & d, b ^ e) == (1, 1)


def test_a_step_flips_a_bit_that_repairs_a_wrong_example_and_spoils_fewest():
    """Without noise, from any weights: one bit, among those of one wrong example that repair it, one that spoils the fewest others."""
    model, rng = c.anf(3, 2, semiring=Z), np.random.default_rng(3)
    step, bits = compile(c.searching(c.soften(model), 8, noise=0.0)), c.over(model, Z2)
    rows = rng.integers(0, 2, (8, 3))

    def wrong(w, y):
        return program(batch(bits, 8))({"coefficients": w, "input": rows})["output"][:, 0] != y

    for k in range(20):
        w, y = rng.integers(0, 2, 7), rng.integers(0, 2, 8)
        seen = step({"coefficients": w, "walk.key": np.array([0, k], np.uint32), "x": rows, "y": y[:, None]})
        now, changed = wrong(w, y), np.flatnonzero(seen["coefficients"] != w)
        after = [wrong(w ^ e, y) for e in np.eye(7, dtype=int)]
        breaks = [int((a & ~now).sum()) for a in after]
        best = [{i for i in range(7) if not after[i][r]} for r in np.flatnonzero(now)]
        best = [{i for i in some if breaks[i] == min(breaks[j] for j in some)} for some in best if some]
        assert seen["loss"].tolist() == now.astype(int).tolist()
        assert len(changed) == bool(best) and (not best or any(changed[0] in some for some in best))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: c.walk(2), "the noise of walk must be a number from 0 to 1, got 2"),
        (lambda: c.satisfy(c.parity(2, semiring=Z), {"mask": [1, 0]}, y=[1, 1]), "the result of this circuit has 1 bits, and y has 2"),
        (
            lambda: c.search(c.parity(2, semiring=Z), ([[0, 1]], [1]), steps=0),
            "the number of steps of a search must be a whole number ≥ 1, got 0",
        ),
        (lambda: c.search(c.anf(3, 1, semiring=Z), (np.zeros((2, 3)), [2, 0])), "'y' has bits, each 0 or 1, got 2"),
        (lambda: c.search(c.anf(2, 1, semiring=Z), ([[0, 0.5]], [1])), "'x' has bits, each 0 or 1, got 0.5"),
        (lambda: c.search(c.parity(2, semiring=Z), ([["0", "1"]], [1])), "'x' has bits, each 0 or 1, got '0'"),
        (lambda: c.search(c.parity(2, semiring=Z), ([[0, 1]], [1]), start={"mask": [0, 3]}), "'mask' has bits, each 0 or 1, got 3"),
        (
            lambda: c.search(c.parity(2, semiring=Z), ([[0, 1]], [1]), start={"masc": [0, 1]}),
            "start names 'masc', which this model has not; its weights are: mask",
        ),
        (
            lambda: c.search(c.parity(2, semiring=Z), (np.zeros((0, 2)), [])),
            "the pair (x, y) has no rows, so any weights fit it: give one or more",
        ),
        (
            lambda: c.search(c.parity(2, semiring=Z), [[0, 1], [1, 0], [1, 1]]),
            "rows must be given as a pair (x, y) of inputs and labels, got list of 3",
        ),
        (lambda: c.satisfy(c.parity(2, semiring=Z), {"mask": [1, 0]}, y=[2]), "'y' has bits, each 0 or 1, got 2"),
        (
            lambda: c.satisfy(c.parity(2, semiring=Z), {"mask": [1, 0], "y": [1]}),
            "weights names 'y', which this model has not; its weights are: mask",
        ),
    ],
)
def test_what_is_no_search_is_refused(make, told):
    with pytest.raises(BadValue) as error:
        make()
    assert str(error.value) == told
