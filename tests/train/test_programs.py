"""What is compiled for a learner: made once, bounded, told apart by identity, and gone with its learner."""

import gc
import weakref
from dataclasses import fields, replace

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.core.errors import BadValue, LensgradError, TypeMismatch
from lensgrad.train.programs import PROGRAMS, Programs


class Owner:
    def __eq__(self, other):
        return True

    __hash__ = None


def test_a_thing_is_made_once_for_each_value_and_key():
    programs, made = Programs(), []
    one, other = Owner(), Owner()
    for owner, key in ((one, 1), (one, 1), (one, 2), (other, 1), (one, 1)):
        programs.get(owner, key, lambda: made.append(0) or object())
    assert len(made) == 3, "equal values do not share"
    assert programs.get(one, 1, object) is programs.get(one, 1, object) is not programs.get(other, 1, object)


def test_of_many_things_those_used_last_are_kept():
    programs, owner = Programs(most=2), Owner()
    for key in "abac":
        programs.get(owner, key, key.upper)
    assert list(programs.of(owner).items()) == [("a", "A"), ("c", "C")]


def test_what_cannot_be_made_leaves_nothing():
    programs, owner = Programs(), Owner()
    with pytest.raises(ZeroDivisionError) as error:
        programs.get(owner, 1, lambda: 1 / 0)
    assert error.value.__context__ is None and not programs.kept.get(id(owner))
    assert programs.get(owner, 1, lambda: 5) == 5


def test_what_is_kept_goes_with_its_value():
    programs, owner = Programs(), Owner()
    there = weakref.ref(programs.get(owner, 1, Owner))
    assert there() is not None
    del owner
    gc.collect()
    assert there() is None and not programs.kept


# -- learners ----------------------------------------------------------------------------------------------------------

X, Y = np.random.default_rng(0).standard_normal((2, 10, 3)).astype("float32")


def learner(**how):
    return lg.supervised(lg.dense(3, 3), lg.mse, lg.sgd(0.1, momentum=0.9), **how)


def test_a_learner_is_plain_data_and_its_programs_go_with_it():
    made = learner()
    run = made.fit((X, Y), progress=False)
    run.predict(X), run.evaluate((X, Y))
    assert set(vars(made)) == {f.name for f in fields(made)}
    kinds = {key[0] for key in PROGRAMS.of(made) if isinstance(key, tuple)}
    assert kinds == {"lens", "step", "predict", "evaluate"}
    where, step = id(made), weakref.ref(made.step(10))
    del made, run
    gc.collect()
    assert where not in PROGRAMS.kept and step() is None


def test_predicting_batches_of_many_sizes_keeps_a_bounded_number_of_programs():
    run = learner().fit((X, Y), progress=False)
    for n in range(1, 80):
        run.predict(np.zeros((n, 3), "float32"))
    assert len(PROGRAMS.of(run.learner)) <= PROGRAMS.most


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"model": 3}, "the model of a learner must be made of layers, such as lg.dense(4, 3), got 3"),
        ({"task": None}, "the task of a learner must be its model between its data and its loss, got None"),
        ({"rate": 0.1}, "the rate of a learner must be lg.rate(…) or another rate, got 0.1"),
        ({"reduction": "median"}, "'median' is no reduction; use one of mean, sum"),
        ({"metrics": ("acc",)}, "'acc' is no metric; use one of "),
        ({"input": ("a\nb",)}, "the name of an input or label is one line of readable text, and 'a\\nb' has the character '\\n'"),
        ({"label": 3}, "the label of a learner must be a name or a tuple of names, got 3"),
        ({"derivative": 3}, "a derivative must be sam(…), newton_cg(…) or extrapolated(…) of lensgrad.lens, got 3"),
        ({"optimizer": {"head/*": lg.sgd(0.1)}}, "no parameter matches 'head/*'"),
    ],
)
def test_a_learner_made_of_another_meets_the_same_checks(change, told):
    with pytest.raises(LensgradError) as error:
        replace(learner(), **change)
    assert str(error.value).startswith(told)


def test_a_second_rate_is_refused_in_a_learner_made_of_another():
    made = lg.supervised(lg.dense(3, 3), lg.mse, lg.adam(0.1))
    with pytest.raises(BadValue):
        replace(made, rate=lg.rate(0.5))
    with pytest.raises(TypeMismatch):
        replace(made, rate=lg.dense(3, 3))


def test_a_learner_and_a_run_are_shown_on_one_short_line():
    made = learner()
    assert repr(made) == "Learner(f32[3] → f32[3], 12 weights, data x, y, optimizer sgd(0.1, momentum=0.9))"
    run = made.fit((X, Y), epochs=2, progress=False)
    last = run.history[-1]["loss"]
    assert repr(run) == f"Run(2 epochs: loss {last:.4g}; {made!r})"
    assert repr(made.fit((X, Y), epochs=0, progress=False)) == f"Run(0 epochs: not trained; {made!r})"
    many = lg.supervised(lg.dense(3, 3), lg.mse, {"weight": lg.adam(0.1), "bias": lg.descent})
    assert repr(many).endswith("optimizer {'weight': adam(0.1), 'bias': descent})") and "0x" not in repr(many)


def test_a_loaded_learner_says_the_names_of_its_optimizers(tmp_path):
    def again(optimizer):
        made = lg.supervised(lg.dense(3, 3), lg.mse, optimizer)
        made.fit((X, Y), epochs=1, progress=False).save(tmp_path / "a.safetensors")
        return repr(lg.load(tmp_path / "a.safetensors"))

    def told(run):
        return run.partition("; ")[2].partition(", optimizer ")[2]

    run = again(lg.adam(0.1))
    assert run.startswith("Run(1 epoch: loss ")
    assert run.endswith("; Learner(f32[3] → f32[3], 12 weights, data x, y, optimizer adam(0.1)))")
    assert told(again(lg.chain(lg.clip_norm(1.0), lg.adam(0.1)))) == "chain(clip_norm(1.0), adam(0.1))))"
    assert told(again({"weight": lg.adam(0.1), "bias": lg.descent})) == "{'weight': adam(0.1), 'bias': descent}))"
    assert told(again({"weight": lg.adam(0.1)})) == "{'weight': adam(0.1)}))"
    assert told(again({})) == "{}))"


def test_an_optimizer_without_a_name_and_many_of_them_are_shown_short():
    def own(*params):
        return lg.descent(*params)

    point = lg.supervised(lg.dense(3, 3), lg.mse, own).frozen()
    assert repr(point).endswith("optimizer a point without a name)")
    pair = lg.supervised(lg.dense(3, 3), lg.mse, {("weight", "bias"): lg.chain(lg.clip_norm(1.0), lg.sgd(0.1))})
    assert repr(pair).endswith("optimizer {('weight', 'bias'): chain(clip_norm(1.0), sgd(0.1))})")
    both = lg.supervised(lg.dense(3, 3), lg.mse, {lg.weights: (lg.sgd(0.1), lg.adam(0.2))})
    assert repr(both).endswith("optimizer (sgd(0.1), adam(0.2)))")
    model = lg.sequential(*[lg.dense(3, 3)] * 5)
    each = lg.supervised(model, lg.mse, {f"weight.{k}": lg.sgd(0.1) for k in range(5)})
    shown = ", ".join(f"'weight.{k}': sgd(0.1)" for k in range(4))
    assert repr(each).endswith(f"optimizer {{{shown}, …}})") and repr(each.frozen()) == repr(each)
