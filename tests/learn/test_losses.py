"""Losses: values, both cotangents, and stability. Every put is checked by its formula and by differences."""

import math

import numpy as np
import pytest
from numerics import differences, evaluate, reals

from lensgrad.cat.names import Role
from lensgrad.cat.para import lens
from lensgrad.cat.reverse import R
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.trace import trace
from lensgrad.core.ty import I, Ty
from lensgrad.learn import losses
from lensgrad.learn.losses import cross_entropy, half_squared_error, mse, xor
from lensgrad.theories.poly.circuit import Bits, Vector
from lensgrad.theories.poly.semiring import LOGIC
from lensgrad.theories.smooth.array import Array, Int, Real

N = 5
B = Real(N, dtype="float64")
TRUTH, GUESS = reals(0, (N,), (N,))
PROBABILITIES = np.exp(TRUTH) / np.exp(TRUTH).sum()
ALPHA = 1.7


def value(family, truth, guess, dom=B):
    return evaluate(family.at(dom).arrow, truth, guess)[0]


def put(family, truth, guess, alpha=ALPHA, dom=B):
    """(b_t′, b_p′), or b_p′ alone where the label has no changes."""
    return evaluate(lens(family.at(dom)).arrow.put, truth, guess, alpha)


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


@pytest.mark.parametrize("family", [half_squared_error(), mse(), cross_entropy(labels="probabilities")], ids=str)
def test_both_cotangents_agree_with_differences(family):
    given = [PROBABILITIES, GUESS]
    for side, found in enumerate(put(family, *given)):
        numeric = ALPHA * differences(lambda t, p: value(family, t, p), given, side)
        np.testing.assert_allclose(found, numeric, rtol=1e-7, atol=1e-9)


def test_half_squared_error_has_its_corrected_reverse():
    """R = α (b_t − b_p, b_p − b_t), in the order of its inputs; printed swapped in arXiv 2103.01931."""
    assert value(half_squared_error(), TRUTH, GUESS) == pytest.approx(0.5 * ((GUESS - TRUTH) ** 2).sum(), rel=1e-15)
    truth_back, guess_back = put(half_squared_error(), TRUTH, GUESS)
    np.testing.assert_allclose(truth_back, ALPHA * (TRUTH - GUESS), rtol=1e-14)
    np.testing.assert_allclose(guess_back, ALPHA * (GUESS - TRUTH), rtol=1e-14)


def test_mse_is_the_mean_over_one_example():
    assert value(mse(), TRUTH, GUESS) == pytest.approx(((GUESS - TRUTH) ** 2).mean(), rel=1e-15)
    truth_back, guess_back = put(mse(), TRUTH, GUESS)
    np.testing.assert_allclose(guess_back, ALPHA * 2 / N * (GUESS - TRUTH), rtol=1e-14)
    np.testing.assert_allclose(truth_back, -guess_back, rtol=1e-14)


def test_mse_and_half_squared_error_take_any_shape():
    dom = Real(2, 3, dtype="float64")
    t, p = reals(1, (2, 3), (2, 3))
    assert value(mse(), t, p, dom) == pytest.approx(((p - t) ** 2).mean(), rel=1e-14)
    assert value(half_squared_error(), t, p, dom) == pytest.approx(((p - t) ** 2).sum() / 2, rel=1e-14)
    number = Real(dtype="float64")
    assert value(mse(), 3.0, 1.0, number) == 4.0 and put(mse(), 3.0, 1.0, 1.0, number) == (4.0, -4.0)


def test_cross_entropy_has_its_corrected_formula():
    """e = −Σ b_t log softmax(b_p), with gradient softmax(b_p) − b_t; printed otherwise in arXiv 2103.01931."""
    family = cross_entropy(labels="probabilities")
    assert value(family, PROBABILITIES, GUESS) == pytest.approx(-(PROBABILITIES * np.log(softmax(GUESS))).sum(), rel=1e-14)
    truth_back, guess_back = put(family, PROBABILITIES, GUESS)
    np.testing.assert_allclose(truth_back, -ALPHA * np.log(softmax(GUESS)), rtol=1e-13)
    np.testing.assert_allclose(guess_back, ALPHA * (softmax(GUESS) - PROBABILITIES), rtol=1e-12)


def test_cross_entropy_of_labels_that_do_not_sum_to_one():
    weights = np.abs(TRUTH)
    _, guess_back = put(cross_entropy(labels="probabilities"), weights, GUESS)
    np.testing.assert_allclose(guess_back, ALPHA * (weights.sum() * softmax(GUESS) - weights), rtol=1e-12)


@pytest.mark.parametrize("label", range(N))
def test_cross_entropy_of_a_class_number_is_that_of_its_unit_vector(label):
    unit = np.eye(N)[label]
    index, probabilities = cross_entropy(), cross_entropy(labels="probabilities")
    assert value(index, label, GUESS) == value(probabilities, unit, GUESS)
    np.testing.assert_array_equal(put(index, label, GUESS), put(probabilities, unit, GUESS)[1])


# Near ten thousand neighboring float32 numbers are 1e-3 apart, and the logarithm of the sum is one of them.
@pytest.mark.parametrize(("dtype", "near"), [("float32", 1e-3), ("float64", 1e-11)])
def test_cross_entropy_is_stable_at_logits_of_ten_thousand(dtype, near):
    dom = Real(3, dtype=dtype)
    for logits in ([1e4, -1e4, 0.0], [-1e4, -1e4, -1e4], [1e4, 1e4, 1e4], [1e4, 1e4, -1e4]):
        expected = np.array(logits, np.float64)
        expected = expected - expected.max() - math.log(np.exp(expected - expected.max()).sum())
        for label in range(3):
            assert value(cross_entropy(), label, logits, dom) == pytest.approx(-expected[label], rel=1e-6, abs=near)
            back = put(cross_entropy(), label, logits, 1.0, dom)
            np.testing.assert_allclose(back, np.exp(expected) - np.eye(3)[label], atol=near)
            assert np.isfinite(evaluate(lens(cross_entropy(labels="probabilities").at(dom)).arrow.put, np.eye(3)[label], logits, 1.0)).all()


def test_cross_entropy_wants_an_axis_of_classes():
    for dom in (Real(), Int(3), I):
        with pytest.raises(TypeMismatch) as error:
            cross_entropy().at(dom)
        assert str(error.value) == f"cross_entropy expects logits whose last axis is the classes, got {dom}"
    with pytest.raises(BadValue) as error:
        cross_entropy(labels="onehot")
    assert str(error.value) == "what labels are must be one of index, probabilities, got 'onehot'"


@pytest.mark.parametrize("ob", [Bits(3), Bits(3, LOGIC)], ids=str)
def test_xor_sends_its_cotangent_both_ways(ob):
    """R = (α, α) (arXiv 2101.10488)."""
    made = xor().at(ob)
    assert made.cod == ob and lens(made).arrow.put == Diagram.wiring(ob @ ob @ ob, [2, 2])


def test_xor_counts_the_bits_that_differ():
    assert value(xor(), [0, 1, 1, 0], [0, 0, 1, 1], Bits(4)).tolist() == [0, 1, 0, 1]


def test_the_label_is_a_parameter_of_role_data():
    for family, ob in ((mse("target"), B), (cross_entropy("target"), Int())):
        (port,) = family.at(B).params
        assert (port.label, port.ob, port.role) == ("target", ob, Role.DATA)


def test_the_loss_is_reported_beside_its_result():
    made = half_squared_error().at(B)
    assert made.observables == (("loss", Real(dtype="float64")),)
    loss, reported = evaluate(made.arrow, TRUTH, GUESS)
    assert loss == reported


def test_a_metric_is_reported_and_carries_no_gradient():
    plain, measured = cross_entropy(), cross_entropy(metrics=["accuracy"])
    assert [name for name, _ in measured.at(B).observables] == ["loss", "accuracy"]
    assert lens(measured.at(B)).arrow.put == lens(plain.at(B)).arrow.put


@pytest.mark.parametrize(("label", "expected"), [(0, 0.0), (3, 1.0)])
def test_accuracy_of_class_numbers_and_of_unit_vectors(label, expected):
    guess = [0.1, 0.2, 0.2, 0.9, 0.3]
    assert evaluate(cross_entropy(metrics=["accuracy"]).at(B).arrow, label, guess)[2] == expected
    assert evaluate(mse(metrics=["accuracy"]).at(B).arrow, np.eye(N)[label], guess)[2] == expected


def test_accuracy_of_equal_scores_is_that_of_the_first():
    assert evaluate(cross_entropy(metrics=["accuracy"]).at(B).arrow, 1, [0.0, 1.0, 1.0, 0.0, 0.0])[2] == 1.0
    assert evaluate(cross_entropy(metrics=["accuracy"]).at(B).arrow, 2, [0.0, 1.0, 1.0, 0.0, 0.0])[2] == 0.0


def test_accuracy_has_no_meaning_over_bits():
    with pytest.raises(BadValue) as error:
        xor(metrics=["accuracy"]).at(Bits(2))
    assert str(error.value) == "accuracy is for arrays; over bits the loss itself counts errors"


def test_an_unknown_metric_lists_the_known_ones():
    with pytest.raises(BadValue) as error:
        mse(metrics=["acc"]).at(B)
    assert str(error.value) == "'acc' is no metric; use one of accuracy"


def test_a_loss_of_ones_own_is_one_line():
    absolute = losses.loss("absolute", "y", lambda t, p: losses.squares(p - t) * 2.0)
    assert value(absolute, TRUTH, GUESS) == pytest.approx(2 * ((TRUTH - GUESS) ** 2).sum(), rel=1e-14)
    assert repr(absolute) == "absolute"


def test_the_model_and_its_loss_may_be_differentiated_together_or_apart():
    model = trace(lambda x: x * x, B)
    loss = half_squared_error().at(B)
    x, t = GUESS, TRUTH
    truth_back, x_back = evaluate(lens(model >> loss).arrow.put, t, x, ALPHA)
    guess_back = put(half_squared_error(), t, x * x)
    np.testing.assert_array_equal(truth_back, guess_back[0])
    np.testing.assert_array_equal(x_back, evaluate(R(model), x, guess_back[1]))


def test_atoms_of_labels():
    assert cross_entropy().at(B).params[0].ob == Ty((Array((), "int32"),))
    assert xor().at(Bits(2)).params[0].ob == Ty((Vector(Bits()[0].semiring, 2),))
