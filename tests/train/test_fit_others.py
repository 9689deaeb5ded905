"""What is asked for is compared with what is in a checkpoint: what means something else is refused, what may change is said."""

import going_on
import numpy as np
import pytest
from going_on import X, Y, after, fit, learner, press, same

import lensgrad as lg
from lensgrad.core.errors import BadCheckpoint, BadValue, LensgradWarning
from tools import kills

AGAIN = 'give the same, start a new run, or go on all the same with resume="anyway"'


def test_a_checkpoint_of_another_order_or_size_is_refused(tmp_path):
    path = tmp_path / "run.safetensors"
    fit(epochs=1, checkpoint=path)
    more = {"data": (X[:16], Y[:16])}, {"sample_weight": np.ones(24)}
    for told, how in {
        "seed was 0 in the file and is 1 now": {"seed": 1},
        "shuffling was True in the file and is False now": {"shuffle": False},
        "the number of examples was 24 in the file and is 16 now": more[0],
        "the weighting of examples was none in the file and is sample_weight=[1.0, 1.0, 1.0, 1.0,… (2b000011) now": more[1],
        "seed was 0 in the file and is 2 now, shuffling was True in the file and is False now": {"seed": 2, "shuffle": False},
    }.items():
        with pytest.raises(BadCheckpoint) as error:
            fit(checkpoint=path, resume=True, **how)
        assert str(error.value) == f"'{path}' is a checkpoint of another run: {told}; {AGAIN}"


def test_what_may_change_on_purpose_goes_on_and_is_said_once(tmp_path):
    path = tmp_path / "run.safetensors"
    plain = lg.supervised(lg.dense(4, 2, dtype="float64"), lg.mse, lg.sgd(0.1))
    first = fit(epochs=1, checkpoint=path, made=plain)
    for told, how in {
        "batch_size was 8 in the file and is 12 now": {"batch_size": 12},
        "accumulate was 1 in the file and is 2 now": {"accumulate": 2},
        "the optimizer was sgd(0.1) in the file and is sgd(0.2) now": {"made": lg.supervised(plain.model, lg.mse, lg.sgd(0.2))},
    }.items():
        first.save(path)
        with pytest.warns(LensgradWarning) as notes:
            run = fit(checkpoint=path, resume=True, **{"made": plain, **how})
        assert [str(n.message) for n in notes] == [f"going on from '{path}', though {told}"]
        assert notes[0].filename == going_on.__file__  # the caller outside the library
        alone = fit(start=first.values, **{"made": plain, **how, "epochs": 4, "after": first})
        assert len(run.history) == 4 and run.history[1:] == alone.history[1:4]


def test_with_a_bar_the_note_is_said_there(tmp_path, capsys):
    path = tmp_path / "run.safetensors"
    fit(epochs=1, checkpoint=path)
    learner().fit((X, Y), epochs=2, batch_size=12, checkpoint=path, resume=True)
    assert capsys.readouterr().out.splitlines()[0] == f"going on from '{path}', though batch_size was 8 in the file and is 12 now"


def test_within_an_epoch_the_batches_bind(tmp_path):
    path = tmp_path / "run.safetensors"
    run = fit(after(2, press), checkpoint=path)
    assert run.position["batch"] == 2
    with pytest.raises(BadCheckpoint) as error:
        fit(checkpoint=path, resume=True, batch_size=4)
    assert str(error.value) == f"'{path}' is a checkpoint of another run: batch_size was 8 in the file and is 4 now; {AGAIN}"
    for how in ({"batch_size": 4}, {"data": (X[:16], Y[:16])}, {"seed": 1}):
        with pytest.raises(
            BadValue, match=r"^this run stopped within an epoch, and its batches are other ones now: .* in this run and is "
        ):
            run.fit(**{"data": (X, Y), "progress": False, **how})
    with pytest.warns(LensgradWarning, match=r"batch_size was 8 in the file and is 4 now, its last epoch is begun again$"):
        again = fit(checkpoint=path, resume="anyway", batch_size=4)
    alone = fit(start=run.values, batch_size=4)
    assert again.history == alone.history and all(kills.bits(again.values[n]) == kills.bits(v) for n, v in alone.values.items())


def model(activation="tanh", width=5, share=0.3, names=("a", "b"), **how):
    layers = lg.dense(width, activation=activation, name=names[0]), lg.dropout(share, name="drop"), lg.dense(2, name=names[1], **how)
    return lg.sequential(lg.input(4, dtype="float64"), *layers)


OTHERS = {
    '"a" has Tanh in the file and "relu" now': lambda: (model("relu"), lg.mse, lg.adam(0.01)),
    'the dropout rate of "drop" was 0.3 in the file and is 0.9 now': lambda: (model(share=0.9), lg.mse, lg.adam(0.01)),
    "the optimizer was adam(0.01) in the file and is adamw(0.01) now": lambda: (model(), lg.mse, lg.adamw(0.01)),
    "the optimizer was adam(0.01) in the file and is sgd(0.01) now": lambda: (model(), lg.mse, lg.sgd(0.01)),
    "the loss was mse in the file and is huber now": lambda: (model(), lg.huber, lg.adam(0.01)),
}


@pytest.mark.parametrize("told", OTHERS)
def test_a_checkpoint_of_another_learner_is_refused_and_what_differs_is_named(told, tmp_path):
    path = tmp_path / "run.safetensors"
    made, other = lg.supervised(model(), lg.mse, lg.adam(0.01)), lg.supervised(*OTHERS[told]())
    run = fit(epochs=1, checkpoint=path, made=made)
    with pytest.raises(BadCheckpoint) as error:
        fit(checkpoint=path, resume=True, made=other)
    assert str(error.value) == f"'{path}' is a checkpoint of another run: {told}; {AGAIN}"
    with pytest.warns(LensgradWarning) as notes:
        more = fit(checkpoint=path, resume="anyway", made=other)
    assert str(notes[0].message).startswith(f"going on from '{path}', though {told}") and len(more.history) == 4
    assert more.history[0] == run.history[0] and more.learner is other


def test_anyway_takes_the_values_that_fit_and_says_which_begin_anew(tmp_path):
    path = tmp_path / "run.safetensors"
    made, other = (lg.supervised(model(), lg.mse, how) for how in (lg.sgd(0.01), lg.momentum(0.9)))
    run = fit(epochs=1, checkpoint=path, made=made)
    with pytest.warns(LensgradWarning, match=r"a/weight.velocity, a/bias.velocity, b/weight.velocity, b/bias.velocity begin anew$"):
        more = fit(epochs=1, checkpoint=path, resume="anyway", made=other)
    assert all((more.values[n] == v).all() for n, v in run.weights.items()) and not more.values["a/bias.velocity"].any()


@pytest.mark.parametrize("wrong", [1, None, "yes", "Anyway"])
def test_resume_is_one_of_three(wrong, tmp_path):
    with pytest.raises(BadValue) as error:
        fit(checkpoint=tmp_path / "a", resume=wrong)
    assert str(error.value) == f"resume must be True, False or 'anyway', got {wrong!r}"


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    path = tmp_path / "run.safetensors"
    fit(epochs=1, checkpoint=path)
    with pytest.raises(BadCheckpoint) as error:
        learner(3).fit((X, Y[:, [0, 1, 1]]), progress=False, checkpoint=path, resume=True)
    assert str(error.value).startswith(f"'{path}' is a checkpoint of another learner: ")
    assert "'weight.1' is f64[2,5] in the file and f64[3,5] here, " in str(error.value)


# -- other contents ----------------------------------------------------------------------------------------------------

OTHER = "the data is not what it was: as many examples, and other numbers, names or order"


def changed(at):
    """The inputs with one number changed by the least that there is."""
    x = X.copy()
    x[at] = np.nextafter(x[at], 9)
    return x, Y


CONTENTS = {
    "a number of the first example": lambda: changed((0, 0)),
    "a number of the last example": lambda: changed((-1, -1)),
    "a label": lambda: (X, np.where(np.arange(48).reshape(24, 2) == 30, 0.5, Y)),
    "another order": lambda: (X[::-1], Y[::-1]),
    "another dtype": lambda: (X.astype(np.float32), Y),
}


@pytest.mark.parametrize("what", CONTENTS)
def test_data_of_the_same_size_and_other_contents_is_refused(what, tmp_path):
    path, data = tmp_path / "run.safetensors", CONTENTS[what]()
    run = fit(epochs=1, checkpoint=path)
    with pytest.raises(BadCheckpoint) as error:
        fit(data, checkpoint=path, resume=True)
    assert str(error.value) == f"'{path}' is a checkpoint of another run: {OTHER}; {AGAIN}"
    with pytest.warns(LensgradWarning) as notes:
        more = fit(data, checkpoint=path, resume="anyway")
    assert [str(n.message) for n in notes] == [f"going on from '{path}', though {OTHER}"]
    assert len(more.history) == 4 and more.history[0] == run.history[0]


def test_the_same_data_in_another_form_goes_on(tmp_path):
    """Lists, views, a dict and data whose batches are changed hold the same arrays."""
    path, twice = tmp_path / "run.safetensors", np.repeat(X, 2, 0)[::2]
    whole = fit()
    for data in ((X.tolist(), Y.tolist()), (twice, np.asfortranarray(Y)), {"y": Y, "x": X}, lg.data.transform((X, Y), lambda b, _: b)):
        fit(epochs=1, checkpoint=path)
        same(fit(data, checkpoint=path, resume=True), whole)


def test_within_an_epoch_a_run_goes_on_with_the_same_data(tmp_path):
    run = fit(after(2, press))
    told = f"this run stopped within an epoch, and its batches are other ones now: {OTHER}; give the same, or start a new run"
    with pytest.raises(BadValue) as error:
        run.fit(changed((3, 1)), progress=False)
    assert str(error.value) == told


def test_a_run_that_had_ended_trains_on_other_data():
    assert len(fit(epochs=1).fit(changed((0, 0)), epochs=1, progress=False).history) == 2


def test_what_the_classes_are_called_is_of_the_contents(tmp_path):
    """The same numbers that mean something else."""
    path = tmp_path / "run.safetensors"
    made = lg.supervised(lg.dense(4, 2, dtype="float64"), lg.cross_entropy, lg.sgd(0.1))
    data = [lg.data.Dataset(X, np.arange(24) % 2, classes=names) for names in (("a", "b"), ("b", "a"))]
    fit(data[0], epochs=1, made=made, checkpoint=path)
    with pytest.raises(BadCheckpoint) as error:
        fit(data[1], made=made, checkpoint=path, resume=True)
    assert str(error.value) == f"'{path}' is a checkpoint of another run: {OTHER}; {AGAIN}"


def test_of_a_stream_nothing_is_compared(tmp_path):
    """Nobody knows the rows of an iterator before they come, nor all of a checkpoint of before."""
    path = tmp_path / "run.safetensors"
    stream = lg.data.IteratorSource(lambda: [(X[k : k + 8], Y[k : k + 8]) for k in range(0, 24, 8)])
    fit(stream, epochs=1, checkpoint=path)
    assert lg.load(path).position["contents"] is None
    assert len(fit(changed((0, 0)), checkpoint=path, resume=True).history) == 4
