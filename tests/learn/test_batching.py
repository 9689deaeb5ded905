"""Batching: one program for n examples, whose gradient is the mean (or sum) of the gradients of each."""

import numpy as np
import pytest
from numerics import evaluate, generators, reals, values_of

import lensgrad as lg
from lensgrad.cat.names import Param, Role
from lensgrad.cat.para import corner, lens, observe, parametric
from lensgrad.cat.reverse import R
from lensgrad.core.errors import BadValue, TypeMismatch, UnknownParameter
from lensgrad.core.ty import Ty
from lensgrad.learn.batching import batch
from lensgrad.learn.losses import half_squared_error
from lensgrad.learn.tasks import supervised_task
from lensgrad.program.compile import compile
from lensgrad.program.values import fold_in, key
from lensgrad.testing.meaning import Stranger
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Key, Real

N = 7
MODEL = lg.dense(3, 5, activation="tanh", name="a", dtype="float64") >> lg.dense(5, 2, name="b", dtype="float64")
TASK = supervised_task(MODEL, half_squared_error("y"))
VALUES = values_of(MODEL)
X, Y = reals(9, (N, 3), (N, 2))


def gradients(task, values, data, reduction=None):
    """The gradient of each weight, for one example or for a batch reduced to one loss."""
    whole = task if reduction is None else batch(task, len(data["x"])) >> reduction
    step = compile(lens(whole) >> lg.rate(1.0), returned=[n for n in whole.names if n not in data])
    return {n: v for n, v in step({**values, **data}).items() if n in values}


SINGLES = [gradients(TASK, VALUES, {"x": x, "y": y}) for x, y in zip(X, Y, strict=True)]


@pytest.mark.parametrize(("reduction", "combine"), [(ops.mean, np.mean), (ops.total, np.sum)], ids=["mean", "sum"])
def test_the_gradient_of_a_batch_is_the_mean_or_sum_of_single_gradients(reduction, combine):
    found = gradients(TASK, VALUES, {"x": X, "y": Y}, reduction)
    assert set(found) == {"a/weight", "a/bias", "b/weight", "b/bias"}
    for name, value in found.items():
        np.testing.assert_allclose(value, combine([s[name] for s in SINGLES], axis=0), rtol=1e-12, atol=1e-14)


def test_the_value_of_a_batch_is_the_stack_of_the_values():
    many = batch(MODEL, N)
    np.testing.assert_allclose(
        evaluate(many.arrow, *VALUES.values(), X), [evaluate(MODEL.arrow, *VALUES.values(), x) for x in X], rtol=1e-14
    )


def test_weights_are_not_batched_and_data_is():
    made = batch(TASK, N)
    assert made.names == TASK.names
    for before, after in zip(TASK.params, made.params, strict=True):
        assert after.ob == (Real(N, *before.ob[0].shape, dtype="float64") if before.role is Role.DATA else before.ob)
    assert (made.dom, made.cod) == (Ty(), Real(N, dtype="float64"))


def test_no_node_of_a_batched_model_stacks_a_weight():
    shapes = [(5, 3), (5,), (2, 5), (2,)]
    made = batch(MODEL, N).arrow
    stacked = {(N, *s) for s in shapes}
    spread = [n for n in generators(made) if n == "Spread"]
    assert len(spread) == 2, "a bias is repeated to be added to N rows, and nothing else is"
    weights_stacked = [n for n in made.nodes for a in n.cod if a.shape in stacked - {(N, 5), (N, 2)}]
    assert weights_stacked == []


def test_the_gradient_of_a_weight_leaves_the_batch_axis_at_once():
    step = compile(lens(batch(TASK, N) >> ops.mean) >> lg.rate(1.0), returned=["a/weight", "b/weight"])
    shapes = [a.shape for n in step.diagram.nodes for a in n.cod if hasattr(a, "shape")]
    assert (N, 5, 3) not in shapes and (N, 2, 5) not in shapes


def test_a_batch_has_no_loop():
    assert generators(batch(MODEL, 5).arrow) == generators(batch(MODEL, 500).arrow)


def test_results_and_observables_that_no_example_reaches():
    model = parametric([("w", Real(2))], Real(2), lambda w, x: w * 2.0) >> observe("seen", Real(2))
    made = batch(model, 3)
    assert (made.cod, made.observables) == (Real(3, 2), (("seen", Real(2)),))
    result, seen = evaluate(made.arrow, [1, 2], np.zeros((3, 2)))
    assert result.tolist() == [[2, 4]] * 3 and seen.tolist() == [2, 4]


def test_other_parameters_may_be_batched_by_name():
    many = batch(lg.linear(2, 2), 3, over=["weight"])
    assert [p.ob for p in many.params] == [Real(3, 2, 2)]
    w, x = reals(3, (3, 2, 2), (3, 2))
    np.testing.assert_allclose(evaluate(many.arrow, w, x), np.einsum("nij,nj->ni", w, x), rtol=1e-6)
    with pytest.raises(UnknownParameter) as error:
        batch(lg.linear(2, 2), 3, over=["bias"])
    assert str(error.value) == "no parameter matches 'bias'; use a name of this arrow, or a pattern of some: weight"


# -- keys --------------------------------------------------------------------------------------------------------------

WIDE = Real(64, dtype="float64")


def dropout(probability):
    """x times a mask drawn from a key port, scaled to keep the mean; written as a user would write it."""

    def mask(k, x):
        kept = ops.uniform(k, x.atom.shape, x.atom.dtype) > probability
        return ops.cast(kept, x.atom.dtype) * x * (1.0 / (1.0 - probability))

    return parametric([Param("key", Ty((Key(),)), Role.KEY)], WIDE, mask)


def test_a_masked_key_gives_each_example_its_own_mask():
    many = batch(dropout(0.5), 6)
    assert [p.ob for p in many.params] == [Ty((Key(),))], "the key itself stays one"
    masks = evaluate(many.arrow, key(3), np.ones((6, 64)))
    assert set(np.unique(masks)) == {0.0, 2.0}
    assert len({m.tobytes() for m in masks}) == 6
    agreement = [(masks[i] == masks[j]).mean() for i in range(6) for j in range(i)]
    assert min(agreement) > 0.2 and max(agreement) < 0.8
    np.testing.assert_array_equal(masks, evaluate(many.arrow, key(3), np.ones((6, 64))))
    assert (masks != evaluate(many.arrow, key(4), np.ones((6, 64)))).any()


def test_example_i_draws_from_its_key_folded_with_i():
    masks = evaluate(batch(dropout(0.5), 6).arrow, key(3), np.ones((6, 64)))
    for i in range(6):
        np.testing.assert_array_equal(masks[i], evaluate(dropout(0.5).arrow, fold_in(key(3), i), np.ones(64)))


def test_the_gradient_uses_the_mask_of_the_way_forward():
    back = R(batch(dropout(0.25), 4).arrow)
    ones = np.ones((4, 64))
    np.testing.assert_array_equal(evaluate(back, key(1), ones, ones), evaluate(batch(dropout(0.25), 4).arrow, key(1), ones))


def test_a_learner_trains_through_a_masked_key():
    model = lg.dense(3, 64, name="a", dtype="float64") >> dropout(0.5) >> lg.dense(64, 2, name="b", dtype="float64")
    learner = lg.supervised(model, lg.mse, lg.descent, rate=0.01)
    run = learner.fit((X, Y), epochs=2, batch_size=4, progress=False)
    assert run.values["key"].dtype == np.uint32 and run.history[1]["loss"] > 0


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, -1, 2.0, True, None])
def test_a_batch_has_a_whole_number_of_examples(n):
    with pytest.raises(BadValue) as error:
        batch(MODEL, n)
    assert str(error.value) == f"a batch must have a whole number of examples ≥ 1, got {n}"


def test_atoms_of_another_theory_are_not_batched():
    with pytest.raises(TypeMismatch) as error:
        batch(corner(Ty((Stranger(),)), "x"), 4)
    assert str(error.value) == "batching is for arrays, keys and circuits, and this arrow expects stranger: use batch_size=None"
