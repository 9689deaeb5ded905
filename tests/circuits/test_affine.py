"""Models that are affine in their weights are solved exactly over a field; others, and rows that contradict each other, are refused."""

from itertools import product

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.circuits.learning.affine import by_words, eliminated, solve
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.learn.batching import batch
from lensgrad.learn.circuits import anf, esop, lut_network, monomials, parity
from lensgrad.lens import Param, parametric
from lensgrad.program.compile import program
from lensgrad.theories.poly.circuit import Bits, total
from lensgrad.theories.poly.semiring import LOGIC, Z2, modulo

RNG = np.random.default_rng(0)


def answers(model, weights, x):
    return program(batch(model, len(x)))({**weights, "input": x})["output"]


def polynomial(p):
    """c₀ + c₁ x₀ + c₂ x₀ x₁ + x₁ over Z_p, affine and not linear in its weights."""
    field = modulo(p)

    def body(c, x):
        return c[0] + c[1] * x[0] + c[2] * (x[0] * x[1]) + x[1]

    return parametric([Param("c", Bits(3, field))], Bits(2, field), body)


@pytest.mark.parametrize("p", [2, 3, 5, 10007])
def test_an_affine_model_over_a_field_is_found(p):
    model = polynomial(p)
    truth = {"c": RNG.integers(0, p, 3)}
    x = RNG.integers(0, p, (30, 2))
    assert solve(model, (x, answers(model, truth, x)))["c"].tolist() == truth["c"].tolist()


def test_several_weights_and_results_are_found():
    model = parity(5, 2)
    truth = {"mask": RNG.integers(0, 2, 10)}
    x = RNG.integers(0, 2, (20, 5))
    assert solve(model, (x, answers(model, truth, x)))["mask"].tolist() == truth["mask"].tolist()


def test_parity_is_found_from_few_rows():
    x = RNG.integers(0, 2, (51, 10))
    found = solve(anf(10, 1), (x, x.sum(1) % 2))["coefficients"]
    assert found.tolist() == [0] + [1] * 10


def test_of_many_solutions_that_of_low_degree_is_taken():
    x = np.array([[0, 0, 0], [1, 1, 1]])
    found = solve(anf(3, 3), (x, [0, 1]))["coefficients"]
    assert [m for m, c in zip(monomials(3, 3), found, strict=True) if c] == [(0,)]


def test_elimination_in_words_is_elimination():
    for rows, columns in ((3, 5), (70, 64), (40, 130), (200, 90)):
        matrix, truth = RNG.integers(0, 2, (rows, columns)), RNG.integers(0, 2, columns)
        matrix[:, 1] = matrix[:, 0]
        right = matrix @ truth % 2
        found = by_words(matrix, right)
        assert (matrix @ found % 2 == right).all()
        assert found[1] == 0, "a column that says nothing new is free, so 0"
        found = eliminated(matrix, matrix @ truth % 5, modulo(5))
        assert (matrix @ found % 5 == matrix @ truth % 5).all() and found[1] == 0


def test_rows_that_contradict_each_other_are_named():
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    with pytest.raises(BadValue) as error:
        solve(anf(2, 1), (x, [0, 0, 0, 1]))
    assert str(error.value) == (
        "no weights fit all 4 equations: 1 of them contradict the others, the first that of row 3; use a model of more weights "
        "(a higher degree), or, where labels are noisy, gain"
    )
    with pytest.raises(BadValue):
        solve(polynomial(3), ([[0, 0], [0, 0]], [0, 1]))


def test_whether_a_model_is_affine_is_read_from_its_diagram():
    x, y = list(product((0, 1), repeat=3)), [0] * 8
    for model in (lut_network(3, [2, 1], semiring=Z2), esop(3, 2)):
        with pytest.raises(BadValue) as error:
            solve(model, (x, y))
        assert str(error.value) == (
            "this model is not affine in its weights: R of it with respect to them reads them, so no linear system gives them; "
            "learn it by flips instead, as lifted_flip or gain"
        )
    assert solve(lut_network(3, [1], k=3, semiring=Z2), (x, y))["layer0/table"].tolist() == [0] * 8, "one layer of tables is linear"


@pytest.mark.parametrize(
    ("model", "data", "error", "told"),
    [
        (
            parametric([Param("c", Bits(1, LOGIC))], Bits(1, LOGIC), lambda c, x: c * x), ([[1]], [1]), BadValue,
            "OR/AND is no field, so equations over it cannot be solved by elimination: use modulo(p) with p prime",
        ),
        (
            parametric([Param("c", Bits(1, modulo(4)))], Bits(1, modulo(4)), lambda c, x: c * x), ([[1]], [1]), BadValue,
            "Z4 is no field, so equations over it cannot be solved by elimination: use modulo(p) with p prime",
        ),
        (
            parity(2).freeze(), ([[1, 0]], [1]), BadValue,
            "'mask' is no weight, so it is not solved for: give the model its value first, or thaw it",
        ),
        (parity(2), ([[1, 0]], [1, 1]), BadValue, "1 inputs and 2 labels are no rows: give a label for each input"),
        (
            parity(2), (np.zeros((0, 2)), np.zeros((0, 1))), BadValue,
            "the pair (x, y) has no rows, so any weights fit it: give one or more",
        ),
        (parity(2), [[1, 0]], BadValue, "rows must be given as a pair (x, y) of inputs and labels, got list of 1"),
        (parity(2), {"x": [[1, 0]]}, BadValue, "rows must be given as a pair (x, y) of inputs and labels, got dict"),
        (parity(2), ([[1, 0]], 1), BadValue, "'y' is one number, and a pair (x, y) has a row for each example"),
        (parity(2), ([[2, 0]], [1]), BadValue, "'x' expects elements 0..1 of Z2, got 0 to 2"),
        (
            lg.dense(2, 1), ([[1.0, 0.0]], [1.0]), TypeMismatch,
            "a linear system needs a model of vectors over one field, with weights, got "
            "<parametric arrow f32[2] → f32[1] with weight, bias>",
        ),
    ],
)  # fmt: skip
def test_what_has_no_linear_system_is_refused(model, data, error, told):
    with pytest.raises(error) as found:
        solve(model, data)
    assert str(found.value) == told


def test_a_product_of_weights_is_not_affine():
    two = parametric([Param("a", Bits(2)), Param("b", Bits(2))], Bits(2), lambda a, b, x: total(a * b * x))
    with pytest.raises(BadValue):
        solve(two, ([[0, 1]], [1]))
