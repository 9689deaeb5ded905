"""The guard names the step, the value, the generator and the layer where a number first left the finite ones."""

import numpy as np
import pytest
from numerics import reals

import lensgrad as lg
from lensgrad.core.trace import trace
from lensgrad.theories.smooth import ops
from lensgrad.train.guard import NotFinite

X, Y = (v.astype("float32") for v in reals(0, (10, 4), (10, 2)))
ADVICE = "use a smaller learning rate, or scale the data"


def boxed(name, fn):
    return trace(fn, lg.Real(3)).define(name)


def stopped(box, data=(X, Y), optimizer=lg.descent, rate=0.1, **how):
    model = lg.dense(4, 3, name="enc", use_bias=False, **how.pop("enc", {})) >> box >> lg.dense(3, 2, name="head")
    with pytest.raises(NotFinite) as error:
        lg.supervised(model, lg.half_squared_error, optimizer, rate).fit(data, progress=False, **{"batch_size": 5, "shuffle": False, **how})
    text, _, call = str(error.value).rpartition("; ")
    assert call == f"lg.why(learner, error.values, error.batch, {error.value.name!r}) says more"
    return text


def test_the_line_that_the_message_ends_with_says_why():
    model = lg.dense(4, 3, name="enc", use_bias=False) >> boxed("logarithm", ops.log) >> lg.dense(3, 2, name="head")
    learner = lg.supervised(model, lg.half_squared_error, lg.descent, 0.1)
    with pytest.raises(NotFinite) as raised:
        learner.fit((X, Y), progress=False, batch_size=5)
    error = raised.value
    call = str(error).rpartition("; ")[2].removesuffix(" says more")
    found = eval(call, {"lg": lg, "learner": learner, "error": error})
    assert (found.cause, found.place, found.generator) == ("log", "logarithm", "Log")


def test_the_way_forward():
    told = "'loss' is not finite after step 1 of epoch 1: Log : f32[5,3] in logarithm gave NaN from finite numbers; "
    assert stopped(boxed("logarithm", ops.log)) == told + ADVICE


def test_the_way_back():
    """√ has an infinite slope at 0, where the weights start; the loss is finite."""
    told = "'enc/weight' is not finite after step 1 of epoch 1: Div : f32[10,3] in the way back through root gave an infinite number "
    found = stopped(boxed("root", ops.sqrt), enc={"weights": lg.zeros}, batch_size=10)
    assert found == told + "from finite numbers; " + ADVICE


def test_an_infinite_derivative_behind_a_select_is_explained():
    """0 times the derivative of the branch not taken: what to do is said, and doing it trains."""
    rooted = boxed("root", lambda x: ops.select(x > 0.0, ops.sqrt(x), 0.0))
    rule = "both sides of a select are differentiated, and 0 times an infinite derivative is NaN"
    fix = f" ({rule}: choose the argument before the function, as in sqrt(select(x > 0, x, 1))); "
    told = "'enc/weight' is not finite after step 1 of epoch 1: Div : f32[10,3] in the way back through root gave NaN "
    assert stopped(rooted, enc={"weights": lg.zeros}, batch_size=10) == told + "from finite numbers" + fix + ADVICE
    safe = boxed("root", lambda x: ops.select(x > 0.0, ops.sqrt(ops.select(x > 0.0, x, 1.0)), 0.0))
    model = lg.dense(4, 3, name="enc", use_bias=False, weights=lg.zeros) >> safe >> lg.dense(3, 2, name="head")
    assert np.isfinite(lg.supervised(model, lg.half_squared_error, lg.descent, 0.1).fit((X, Y), progress=False).history[-1]["loss"])


def test_a_step_that_spoils_the_weights_is_named_and_not_the_next_one():
    found = stopped(boxed("root", ops.sqrt), enc={"weights": lg.zeros}, batch_size=2)
    assert found.startswith("'enc/weight' is not finite after step 1 of epoch 1: Div : f32[2,3] in the way back through root ")


def test_divergence_names_the_step():
    found = stopped(boxed("same", lambda x: x), rate=1e30, epochs=9)
    assert found.startswith("'loss' is not finite after step 2 of epoch 1: ") and found.endswith(ADVICE)


def test_infinite_constants_are_meant():
    """A mask of −∞ before a softmax is no fault: what is named is what made NaN of finite numbers."""

    def attended(x):
        shown = ops.select(x > -100.0, x, float("-inf"))
        return ops.log(ops.softmax(shown) - 2.0)

    told = "'loss' is not finite after step 1 of epoch 1: Log : f32[5,3] in attended gave NaN from finite numbers; "
    assert stopped(boxed("attended", attended)) == told + ADVICE
    found = stopped(boxed("shifted", lambda x: x + float("inf")))
    assert found.startswith("'loss' is not finite after step 1 of epoch 1: Add : f32[5,3] in shifted gave an infinite number ")


def test_data_of_a_source_is_met_in_the_loop():
    bad = X.copy()
    bad[3, 1] = np.inf
    parts = [{"x": X, "y": Y}, {"x": bad, "y": Y}]
    told = "'loss' is not finite after step 2 of epoch 1: 'x' holds a number that is not finite"
    assert stopped(boxed("same", lambda x: x), parts) == told


def test_a_run_without_guard_goes_on():
    made = lg.supervised(lg.dense(4, 2), lg.half_squared_error, lg.descent, 1e30)
    run = made.fit((X, Y), epochs=5, batch_size=5, guard=False, progress=False)
    assert len(run.history) == 5 and not np.isfinite(run.history[-1]["loss"])
