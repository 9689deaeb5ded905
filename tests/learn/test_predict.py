"""Predicting is a functor on definitions; it drops what only training needs."""

import numpy as np
import pytest
from numerics import evaluate

import lensgrad as lg
from lensgrad.cat.names import Param, Role
from lensgrad.cat.para import Para, corner, lens, para, parametric
from lensgrad.core.diagram import Definition, Diagram, Recompute
from lensgrad.core.errors import TypeMismatch
from lensgrad.core.functor import unfold
from lensgrad.core.trace import trace
from lensgrad.core.ty import I, Ty
from lensgrad.learn.batching import batch
from lensgrad.learn.predict import predict
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Key, Real
from lensgrad.theories.smooth.scan import scan

A = Real(3, dtype="float64")
KEY = Ty((Key(),))
DOUBLE, HALF = trace(lambda x: x * 2.0, A), trace(lambda x: x * 0.5, A)
BOX = DOUBLE.define("box", HALF)


def test_a_box_predicts_by_its_other_body():
    assert predict(para(BOX)).arrow == HALF.define("box")
    assert predict(para(DOUBLE.define("plain"))).arrow == DOUBLE.define("plain")
    assert unfold(BOX) == DOUBLE


def test_boxes_with_other_predict_bodies_differ():
    assert DOUBLE.define("box") != BOX and DOUBLE.define("box", HALF) == BOX and hash(BOX) == hash(DOUBLE.define("box", HALF))


def test_both_bodies_have_one_type():
    with pytest.raises(TypeMismatch) as error:
        DOUBLE.define("box", trace(ops.sum_over, A))
    assert str(error.value) == "box must have one type when training and when predicting: f64[3] → f64[] is not f64[3] → f64[3]"


def test_predict_reaches_boxes_in_boxes_in_loops_and_in_recomputation():
    x = np.arange(3.0)
    inside = trace(lambda v: BOX(BOX(v)), A).define("outer")
    assert evaluate(unfold(predict(para(inside)).arrow), x).tolist() == (x / 4).tolist()
    recomputed = Diagram.of(Recompute(BOX), A)
    assert evaluate(unfold(predict(para(recomputed)).arrow), x).tolist() == (x / 2).tolist()
    looped = trace(lambda c, xs: scan(lambda c, row, _: (c + BOX(row), ()), c, xs)[0], A, Real(2, 3, dtype="float64"))
    assert evaluate(predict(para(looped)).arrow, x, np.ones((2, 3))).tolist() == (x + 1).tolist()
    in_both = DOUBLE.define("a", BOX)
    assert evaluate(unfold(predict(para(in_both)).arrow), x).tolist() == (x / 2).tolist()


def test_predict_is_a_functor():
    f = para(Diagram.id(lg.Real(4))) >> lg.dense(3, name="a") >> lg.dropout(0.5, name="b")
    g = para(Diagram.id(lg.Real(3))) >> lg.batch_norm(name="c") >> lg.dense(2, name="d")
    assert predict(f >> g) == predict(f) >> predict(g)
    assert predict(f @ g) == predict(f) @ predict(g)
    assert predict(para(Diagram.id(A))) == para(Diagram.id(A))
    assert predict(predict(f >> g)) == predict(f >> g)


def test_dropout_becomes_the_identity_and_its_key_is_gone():
    model = lg.sequential(lg.input(4), lg.dense(3, name="a"), lg.dropout(0.5, name="b"), lg.dense(2, name="c"))
    still = predict(model)
    assert still.names == ("a/weight", "a/bias", "c/weight", "c/bias") and still.observables == ()
    assert unfold(still.arrow) == unfold((lg.input(4) >> lg.dense(3, name="a") >> lg.dense(2, name="c")).arrow)


def test_keys_are_dropped_through_boxes():
    """The key goes into the block's box, and only an inner box would have read it."""
    block = lg.transformer_block(2, 5, dropout_rate=0.5, name="block")
    model = lg.input(4, 6) >> block
    assert sum(p.role is Role.KEY for p in model.params) == 2
    still = predict(model)
    assert not any(p.role is Role.KEY for p in still.params) and len(still.params) == len(model.params) - 2
    assert unfold(still.arrow) == unfold((lg.input(4, 6) >> lg.transformer_block(2, 5, name="block")).arrow)
    assert [str(n.op) for n in still.arrow.nodes] == ["block"]


def test_batch_norm_keeps_the_states_it_predicts_with():
    model = lg.input(3) >> lg.batch_norm(name="n")
    still = predict(model)
    assert still.params == model.params and still.observables == ()
    scale, shift, mean, variance, x = np.random.default_rng(0).uniform(0.5, 2, (5, 3)).astype(np.float32)
    found = evaluate(unfold(still.arrow), scale, shift, mean, variance, x)
    np.testing.assert_allclose(found, (x - mean) / np.sqrt(variance + 1e-5) * scale + shift, rtol=1e-5)


def test_a_state_that_only_counts_is_dropped():
    n = lg.Real()
    counted = Para.make([Param("count", n, Role.STATE)], trace(lambda c, x: (x, c + 1.0), n, A), A, [("count", n)])
    assert predict(counted) == para(Diagram.id(A))


def test_weights_and_data_stay_even_if_nothing_reads_them():
    spare = parametric([Param("w", A), Param("d", A, Role.DATA), Param("s", A, Role.STATE)], A, lambda w, d, s, x: x)
    assert predict(spare).names == ("w", "d")


def test_what_is_reported_stays():
    task = corner(lg.Real(4), "x") >> lg.dense(3) >> lg.dropout(0.5) >> lg.cross_entropy("y", metrics=["accuracy"])
    assert [label for label, _ in predict(task).observables] == ["loss", "accuracy"]
    assert predict(task).names == ("x", "weight", "bias", "y")


def test_names_stay_when_others_of_the_same_label_go():
    """Two parameters called s: only the second one is needed, and it keeps the name it had."""
    kept = parametric([Param("s", A, Role.STATE)], A, lambda s, x: x + s)
    gone = parametric([Param("s", A, Role.STATE)], A, lambda s, x: x)
    model = gone >> kept
    assert model.names == ("s.0", "s.1") and predict(model).names == ("s.1",)


def test_batching_keeps_both_bodies():
    assert predict(batch(para(BOX), 4)) == batch(predict(para(BOX)), 4)
    model = lg.input(3) >> lg.batch_norm(name="n") >> lg.dropout(0.5, name="d")
    assert predict(batch(model, 4)) == batch(predict(model), 4)


def test_bodies_that_examples_reach_differently_are_levelled():
    """Training reads the batch, predicting a constant: both give a batch."""
    fixed = trace(lambda x: A[0].zero(), A)
    many = batch(para(DOUBLE.define("box", fixed)), 2)
    (op,) = {n.op for n in many.arrow.nodes if isinstance(n.op, Definition)}
    assert op.body.cod == op.predict.cod == Real(2, 3, dtype="float64")
    many = batch(para(fixed.define("box", DOUBLE)), 2)
    assert evaluate(unfold(predict(many).arrow), np.ones((2, 3))).tolist() == [[2.0] * 3] * 2
    assert evaluate(unfold(many.arrow), np.ones((2, 3))).tolist() == [[0.0] * 3] * 2


def test_predict_is_for_models():
    closed = lens(corner(A, "x") >> lg.mse("y"))
    for wrong in (closed, 3, lg.relu):
        with pytest.raises(TypeMismatch) as error:
            predict(wrong)
        assert str(error.value) == f"predict expects a model or a task, before lens(…), got {wrong!r:.80}"
    assert closed.dom == I


def test_a_run_predicts_and_evaluates_by_the_predicting_arrow():
    model = lg.sequential(lg.input(4), lg.dropout(0.9, name="d"), lg.dense(2, name="a"))
    learner = lg.supervised(model, lg.mse, lg.descent, rate=0.01)
    x, y = np.ones((6, 4), np.float32), np.zeros((6, 2), np.float32)
    run = learner.fit((x, y), epochs=1, batch_size=3, progress=False)
    wanted = x @ run.values["a/weight"].T + run.values["a/bias"]
    np.testing.assert_allclose(run.predict(x), wanted, rtol=1e-5, atol=1e-6)
    assert run.evaluate((x, y)) == {"loss": pytest.approx(float((wanted**2).mean()), rel=1e-5)}
