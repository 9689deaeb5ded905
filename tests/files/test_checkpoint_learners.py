"""Checkpoints of other learners, what cannot be saved, and rates and optimizers as values."""

from pathlib import Path

import numpy as np
import pytest
from saved_runs import LEARNERS, hidden, refused, same

import lensgrad as lg
from lensgrad.cat.para import lens
from lensgrad.core.errors import BadCheckpoint, BadValue, TypeMismatch, UnknownParameter
from lensgrad.core.op import Op, generator
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.files import checkpoint
from lensgrad.files.checkpoint import load_into
from lensgrad.learn.tasks import closed_lens, frozen
from lensgrad.recipes import iris_model
from lensgrad.theories.smooth.array import Real

# -- another model, and what cannot be saved ---------------------------------------------------------------------------


def test_a_checkpoint_of_another_model_names_what_differs(path, run):
    run.save(path)
    model = lg.dense(4, 10, activation="sigmoid", name="hidden") >> lg.dense(10, 3, name="output", use_bias=False)
    other = lg.supervised(model >> lg.dense(3, 3, name="top", use_bias=False), lg.half_squared_error, lg.descent, 0.1)
    with pytest.raises(BadCheckpoint) as error:
        load_into(path, other)
    assert str(error.value) == (
        f"'{path}' is a checkpoint of another learner: 'hidden/weight' is f32[20,4] in the file and f32[10,4] here, 'hidden/bias' is "
        "f32[20] in the file and f32[10] here, 'output/weight' is f32[3,20] in the file and f32[3,10] here, 'top/weight' is missing in "
        "the file and f32[3,3] here, 'hidden/weight.velocity' is f32[20,4] in the file and missing here, 'hidden/bias.velocity' is "
        "f32[20] in the file and missing here, 'output/weight.velocity' is f32[3,20] in the file and missing here, "
        "'output/bias.velocity' is f32[3] in the file and missing here, 'output/bias' is f32[3] in the file and missing here"
    )


def test_a_checkpoint_of_the_same_model_is_read_into_it(path, run):
    run.save(path)
    same(load_into(path, hidden(lg.momentum(0.5))).values, run.values)


def test_values_of_another_learner_are_not_saved(path, run):
    with pytest.raises(UnknownParameter):
        checkpoint.save(path, run.learner, {n: v for n, v in run.values.items() if n != "output/bias"})
    with pytest.raises(TypeMismatch):
        checkpoint.save(path, run.learner, {**run.values, "output/bias": np.zeros(4)})
    with pytest.raises(BadCheckpoint) as error:
        checkpoint.save(path, run.learner, {**run.values, "extra": np.zeros(2, np.complex128)})
    assert str(error.value).startswith("'extra' cannot be written: 'complex128' is no dtype here")
    assert not path.exists()


def test_two_values_of_one_name_in_the_file_are_refused(path, run):
    with pytest.raises(BadCheckpoint) as error:
        checkpoint.save(path, run.learner, {**run.values, "__metadata__": np.zeros(2)})
    assert str(error.value) == "two parameters would both be called '__metadata__' in the file: rename '__metadata__'"


def test_a_position_that_is_no_plain_value_is_refused(path, run):
    with pytest.raises(BadCheckpoint) as error:
        checkpoint.save(path, run.learner, run.values, position={"generator": np.int64(3)})
    assert str(error.value) == "a checkpoint holds arrows and plain values, and cannot hold np.int64(3), which is of type int64"


@generator
class Twice(Op):
    """2x : A → A."""

    def type(self, *dom):
        return Ty(dom)

    def adjoint(self, *dom):
        return self

    def batch(self, n, flags, x):
        return self(x)


def test_a_generator_of_ones_own_is_given_when_saving_and_when_loading(path):
    model = iris_model("linear") >> trace(lambda x: Twice()(x), Real(3))
    learner = lg.supervised(model, lg.mse, lg.descent, 0.1)
    values = learner.initial()
    with pytest.raises(BadCheckpoint, match=r"^the generator Twice is not one of lensgrad's, and a file holds no code"):
        checkpoint.save(path, learner, values)
    own = {"my.Twice": Twice}
    checkpoint.save(path, learner, values, generators=own)
    assert lg.load(path, generators=own).learner.lens(3) == learner.lens(3)
    assert refused(path) == (
        f"'{path}' cannot be read: 'my.Twice' is unknown here: upgrade lensgrad if a newer one wrote this, or give the class as "
        "generators={'my.Twice': …}"
    )


# -- rate and optimizer as values --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LEARNERS)
@pytest.mark.parametrize("n", [None, 3])
def test_a_learner_without_functions_composes_to_the_same_lens(name, n):
    x = LEARNERS[name]()
    still = closed_lens(x.task, *frozen(x.task, x.rate, x.optimizer), n, x.reduction)
    assert still == closed_lens(x.task, x.rate, x.optimizer, n, x.reduction)
    assert still.names == x.lens(n).names and [p.init for p in still.params] == [p.init for p in x.lens(n).params]


def test_an_optimizer_of_data_keeps_to_one_example(path):
    learner = hidden({lg.weights: lg.descent, "x": lg.ascent})
    with pytest.raises(UnknownParameter):
        checkpoint.save(path, learner, learner.initial())
    checkpoint.save(path, learner, {**learner.initial(), "x": np.ones(4, np.float32)})
    found = lg.load(path)
    assert found.learner.lens() == learner.lens()
    with pytest.raises(TypeMismatch, match=r"^the reparameterization of x must be I → \(f32\[2,4\], Δf32\[2,4\]\), got I → "):
        found.learner.lens(2)


def test_points_are_one_for_each_place_or_one_for_all():
    f = lens(iris_model())
    points = tuple(lg.descent(p) for p in f.params)
    assert f.reparam({lg.weights: points}) == f.reparam({lg.weights: lg.descent})
    assert f.made({lg.weights: lg.descent}) == {lg.weights: points}
    with pytest.raises(TypeMismatch) as error:
        f.reparam({"hidden/*": points})
    assert str(error.value) == "4 points are given for 'hidden/*', which reaches 2: give one for each place, or one for all"


def test_a_bad_checkpoint_is_a_bad_value_too():
    assert issubclass(BadCheckpoint, ValueError) and issubclass(BadCheckpoint, lg.LensgradError) and not issubclass(BadCheckpoint, BadValue)
    assert Path(checkpoint.__file__).name == "checkpoint.py"


def test_a_recipe_is_of_the_classes_and_not_of_their_names():
    """Two classes of one name are two recipes, and what is no class is refused before it is looked up."""

    @generator
    class Thrice(Twice):
        """Another class under the same name in files."""

    model = iris_model("linear") >> trace(lambda x: Twice()(x), Real(3))
    learner = lg.supervised(model, lg.mse, lg.descent, 0.1)
    assert learner.recipe({"my.Twice": Twice}).digest
    with pytest.raises(BadCheckpoint, match=r"^the generator Twice is not one of lensgrad's"):
        learner.recipe({"my.Twice": Thrice})
    with pytest.raises(BadCheckpoint, match=r"^generators={'my.Twice': …} must give a new name to a class"):
        learner.recipe({"my.Twice": []})
