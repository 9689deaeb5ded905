"""Models: which parametric arrows have the verbs of adapters, and what these answer."""

import copy
import pickle

import pytest

import lensgrad as lg
from lensgrad.cat.para import Para, parametric
from lensgrad.core.errors import NoAttribute, TypeMismatch
from lensgrad.lens import I, Model, corner, lens, observe, share, two
from lensgrad.recipes.vision import paper_model

MODEL = lg.sequential(lg.dense(4, 8, "tanh"), lg.dense(3))
PLAIN = parametric([("w", lg.Real(3))], lg.Real(3), lambda w, x: x * w)  # of the category, which knows no adapters
NORM = lg.layer("scale", lambda dom: parametric([lg.weight("w", dom)], dom, lambda w, x: x * w))
ARROW = lg.lens.trace(lambda x: x * 2.0, lg.Real(4))

MODELS = {
    "sequential": MODEL,
    "dense": lg.dense(4, 3),
    "input": lg.input(4),
    "linear": lg.linear(4, 3),
    "a family at its object": lg.input(4) >> lg.dense(3),
    "a layer of one's own": lg.input(4) >> NORM,
    "sequential of one arrow": lg.sequential(ARROW),
    "sequential of one plain arrow": lg.sequential(PLAIN),
    "parametric": lg.lens.parametric([("w", lg.Real(3))], lg.Real(3), lambda w, x: x * w),
    "corner": corner(lg.Real(3), "x"),
    "observe": observe("x", lg.Real(3)),
    "then": MODEL >> PLAIN,
    "after": PLAIN >> lg.dense(3),
    "after an arrow": ARROW >> MODEL,
    "beside": MODEL @ PLAIN,
    "beside a plain one": PLAIN @ MODEL,
    "beside an arrow": ARROW @ MODEL,
    "beside an object": lg.Real(2) @ MODEL,
    "scope": MODEL.scope("net"),
    "told": MODEL.told("net"),
    "reparam": MODEL.reparam({"weight.0": lg.lora(rank=1)}),
    "share": share(MODEL),
    "batch": lg.lens.batch(MODEL, 3),
    "predict": lg.predict(MODEL),
    "upto": lg.upto(MODEL, "dense.0"),
    "mixed precision": lg.mixed_precision(MODEL),
    "a recipe": paper_model(),
    "a circuit": lg.circuits.lut_network(4, [4]),
    "a softened circuit": lg.circuits.soften(lg.circuits.lut_network(4, [4])),
    "a copy": copy.deepcopy(MODEL),
    "a pickle": pickle.loads(pickle.dumps(MODEL)),
    "of a learner": lg.supervised(MODEL, lg.cross_entropy, lg.sgd(0.1)).model,
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_what_is_composed_with_a_model_is_a_model(model):
    assert type(model) is Model
    if any(p.role.value == "weight" for p in model.params):
        still = model.freeze()
        assert type(still) is Model and {p.role.value for p in still.params} >= {"state"}


def test_the_class_is_no_part_of_what_an_arrow_is():
    assert Model.of(PLAIN) == PLAIN and hash(Model.of(PLAIN)) == hash(PLAIN) and type(Model.of(PLAIN)) is Model
    assert Model.of(MODEL) is MODEL
    assert type(PLAIN >> PLAIN) is Para and type(PLAIN.scope("a")) is Para and type(share(PLAIN)) is Para


def test_pieces_of_a_chain_that_waits_are_kept_by_its_class():
    waiting = PLAIN >> PLAIN
    assert Model.of(waiting).names == ("w.0", "w.1") == waiting.names


def test_a_lens_is_no_model_and_says_where_the_verbs_are():
    closed = lens(MODEL)
    assert type(closed) is Para
    for verb in ("freeze", "thaw", "tie", "lora", "ema"):
        with pytest.raises(NoAttribute) as error:
            getattr(closed, verb)
        assert str(error.value) == (
            f"'Para' object has no attribute '{verb}': it is for models, before lens(…); lg.lens.Model.of(f) makes one of another "
            "arrow P × A → B"
        )


def test_a_plain_arrow_in_a_learner_becomes_a_model():
    learner = lg.supervised(PLAIN, lg.mse, lg.sgd(0.1))
    again = type(learner)(PLAIN, learner.task, learner.rate, learner.optimizer)
    assert type(again.model) is Model and again == learner
    with pytest.raises(TypeMismatch, match=r"^the model of a learner must be made of layers, such as lg.dense"):
        type(learner)(3, learner.task, learner.rate, learner.optimizer)


class Own(Model):
    """A class of a user's own."""


def test_a_class_of_a_users_own_is_kept_saved_and_pickled(tmp_path):
    own = Own.of(lg.dense(4, 3))
    assert {type(f) for f in (lg.dense(2, 4) >> own, own >> lg.relu, own @ MODEL, own.freeze("bias"))} == {Own}
    assert type(pickle.loads(pickle.dumps(own))) is Own
    run = lg.supervised(own, lg.mse, lg.sgd(0.1)).fit(([[1.0, 2, 3, 4]], [[1.0, 2, 3]]), epochs=1)
    run.save(tmp_path / "own.safetensors")
    assert lg.load(tmp_path / "own.safetensors").learner.model == own == pickle.loads(pickle.dumps(run)).learner.model


def test_arrows_before_and_after_lens_are_not_composed():
    for made in (
        lambda: corner(two(lg.Real(4)), "x") >> lens(lg.dense(4, 3)),
        lambda: lens(lg.dense(4, 3)) >> observe("h", two(lg.Real(3))),
    ):
        with pytest.raises(TypeMismatch) as error:
            _ = made().names
        told = "an arrow before lens(…) and one after it are composed, and are arrows of two categories"
        assert str(error.value) == f"{told}: lens(corner(…)) is the lens of a corner"
    with pytest.raises(TypeMismatch) as error:
        lg.supervised(lens(lg.dense(4, 3)), lg.mse, lg.adam(0.1))
    assert str(error.value) == "a model is given before lens(…): the learner makes the lens of it, its task and its loss"


def test_many_patterns_freeze_each_weight_once_and_fast():
    deep = lg.sequential(lg.input(4), *[lg.dense(4) for _ in range(200)])
    still = deep.freeze("weight.*", "bias.*", "weight.1*")
    assert {p.role.value for p in still.params} == {"state"}
    assert still == deep.freeze("**") == deep.freeze() and still.thaw(*still.names) == deep


def test_patterns_that_reach_nothing_say_what_would():
    model = lg.sequential(lg.dense(4, 8, name="a"), lg.dense(3, name="b"))
    assert told(model.freeze, "a").endswith("a/weight, a/bias, b/weight, b/bias; did you mean 'a/**'?")
    assert told(lambda: MODEL.lora(rank=1)).endswith("weight.0, bias.0, weight.1, bias.1; did you mean 'weight.*'?")
    task = lg.supervised(MODEL, lg.mse, lg.sgd(0.1)).task
    assert told(task.freeze, "x").startswith("freeze is for weights, and 'x' is data")
    everything = "no parameter of role weight is left to reparameterize; this arrow has: x, weight.0, bias.0, weight.1, bias.1, y"
    assert (
        told(lambda: lg.supervised(MODEL.freeze(), lg.mse, lg.sgd(0.1)))
        == f"{everything}; all that could be are frozen or have an optimizer"
    )


def told(make, *args):
    with pytest.raises(lg.LensgradError) as error:
        make(*args)
    return str(error.value)


def test_a_run_comes_back_with_a_model(tmp_path):
    run = lg.supervised(PLAIN, lg.mse, lg.sgd(0.1)).fit(([[1.0, 2, 3]], [[1.0, 2, 3]]), epochs=1, start={"w": [1.0, 1.0, 1.0]})
    run.save(tmp_path / "run.safetensors")
    found = lg.load(tmp_path / "run.safetensors").learner.model
    assert type(found) is Model and found == PLAIN and found.freeze("w").params[0].role.value == "state"
    assert found.dom != I
