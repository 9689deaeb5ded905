"""reduce_on_plateau beside a loop written by hand, and resumed."""

import numpy as np
import pytest
from numerics import reals

import lensgrad as lg
from lensgrad.core.errors import LensgradError
from tools import kills

X, Y = reals(0, (24, 4), (24, 2))


def learner(optimizer):
    return lg.supervised(lg.sequential(lg.input(4, dtype="float64"), lg.dense(2)), lg.half_squared_error, optimizer)


def fit(made, **how):
    return made.fit((X, Y), progress=False, **{"batch_size": None, "epochs": 8, "shuffle": False, **how})


def by_hand(values, rule, epochs, rate):
    """Descent on ½ ‖W x + b − y‖², one example after the other, and the rate by the losses of epochs."""
    w, b = (values[n].copy() for n in ("weight", "bias"))
    losses, scale, best, waited = [], 1.0, np.inf, 0
    for _ in range(epochs):
        seen = []
        for x, y in zip(X, Y, strict=True):
            d = w @ x + b - y
            seen.append(0.5 * d @ d)
            w, b = w - rate * scale * np.outer(d, x), b - rate * scale * d
        losses.append(float(np.mean(seen)))
        best, waited = (losses[-1], 0) if losses[-1] < best - rule.rule.min_delta else (best, waited + 1)
        if waited == rule.rule.patience:
            scale, waited = max(scale * rule.factor, rule.floor), 0
    return w, b, losses, scale


RULE = lg.reduce_on_plateau("loss", factor=0.5, patience=2, min_delta=0.3, floor=0.2)


def test_it_is_the_loop_by_hand():
    made = learner(lg.sgd(0.02))
    run = fit(made, callbacks=[RULE])
    w, b, losses, scale = by_hand(made.initial(0), RULE, 8, 0.02)
    assert 0 < scale < 1 and run.values["rate_scale"] == np.float32(scale)
    np.testing.assert_allclose([r["loss"] for r in run.history], losses, rtol=1e-6)
    np.testing.assert_allclose(run.values["weight"], w, rtol=1e-6)
    np.testing.assert_allclose(run.values["bias"], b, rtol=1e-6)


@pytest.mark.parametrize("optimizer", [lg.adamw(0.01), lg.sgd(0.01, momentum=0.9), {lg.weights: lg.rmsprop(0.01)}])
def test_until_it_reduces_a_run_is_the_same_to_the_bit(optimizer):
    made = learner(optimizer)
    plain, run = fit(made), fit(made, callbacks=[lg.reduce_on_plateau("loss", patience=99)])
    assert plain.history == run.history and run.values["rate_scale"] == 1
    assert all(np.array_equal(v, run.values[n]) for n, v in plain.values.items())


def test_a_resumed_run_is_the_one_that_was_not(tmp_path):
    made = learner(lg.adam(0.01))
    whole = fit(made, callbacks=[RULE])
    assert whole.values["rate_scale"] < 1
    fit(made, epochs=3, callbacks=[RULE], checkpoint=tmp_path / "a")
    assert kills.same(whole, fit(made, callbacks=[RULE], checkpoint=tmp_path / "a", resume=True))
    assert kills.same(whole, fit(made, epochs=3, callbacks=[RULE]).fit((X, Y), epochs=5, callbacks=[RULE], progress=False))
    assert fit(made, epochs=3).fit((X, Y), epochs=5, callbacks=[RULE], progress=False).values["rate_scale"] < 1  # begun without a rule
    whole.save(tmp_path / "b")
    assert lg.load(tmp_path / "b").values["rate_scale"] == whole.values["rate_scale"]


@pytest.mark.parametrize(("history", "scale"), [([], 1), ([3, 2, 1], 1), ([1, 1, 1], 0.5), ([1, 1, 1, 0, 0, 0], 0.25), ([1] * 9, 0.2)])
def test_the_scale_is_a_function_of_the_history(history, scale):
    assert RULE.scale([{"loss": float(v)} for v in history]) == scale


@pytest.mark.parametrize(("act", "told"), [
    (lambda: lg.reduce_on_plateau(factor=0), "the factor of reduce_on_plateau is more than 0: to end a run use early_stopping"),
    (lambda: lg.reduce_on_plateau(factor=1),
     "the factor of reduce_on_plateau must be a fraction from 0 up to, but not including, 1, got 1"),
    (lambda: lg.reduce_on_plateau(floor=2), "the floor of reduce_on_plateau must be a number from 0 to 1, got 2"),
    (lambda: lg.reduce_on_plateau(patience=0), "patience must be a whole number ≥ 1, got 0"),
    (lambda: fit(learner(lg.sgd(0.1)), callbacks=[lg.reduce_on_plateau()]),
     "reduce_on_plateau watches 'val_loss', and an epoch reports loss: give validation_data or validation_split"),
])  # fmt: skip
def test_what_is_no_rule_is_refused(act, told):
    with pytest.raises(LensgradError) as error:
        act()
    assert str(error.value) == told
