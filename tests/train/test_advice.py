"""The first ten minutes: what newcomers write works, or is answered by one sentence that says what to write."""

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.core.errors import BadValue, LensgradError, NoAttribute, TypeMismatch, WireError

IRIS = lg.data.iris()
X, Y = IRIS.x, IRIS.y
ROWS = np.eye(3, dtype="float32")[Y]


def learner(loss=lg.cross_entropy, optimizer=None, last=3, **how):
    model = lg.sequential(lg.input(4), lg.dense(8, activation="relu"), lg.dense(last, **how))
    return lg.supervised(model, loss, optimizer or lg.adam(0.01))


def fit(made, *data, **how):
    return made.fit(*data, progress=False, **how)


def same(a, b):
    assert a.history == b.history and all(v.tobytes() == b.values[n].tobytes() for n, v in a.values.items())


# -- what works --------------------------------------------------------------------------------------------------------


def test_inputs_and_labels_may_come_one_after_the_other():
    made = learner()
    same(fit(made, X, Y), fit(made, (X, Y)))
    same(fit(made, {"x": X}, Y), fit(made, (X, Y)))
    same(fit(made, {"x": X}, {"y": Y}), fit(made, (X, Y)))
    same(fit(fit(made, X, Y), X, Y), fit(made, X, Y, epochs=2))


@pytest.mark.parametrize(("name", "optimizer"), [("adam", lg.adam(0.001)), ("SGD", lg.sgd(0.01)), ("rmsprop", lg.rmsprop(0.001))])
def test_an_optimizer_may_be_given_by_its_name(name, optimizer):
    same(fit(learner(optimizer=name), X, Y), fit(learner(optimizer=optimizer), X, Y))
    same(fit(learner(optimizer={lg.weights: name}), X, Y), fit(learner(optimizer=optimizer), X, Y))


@pytest.mark.parametrize(("name", "loss", "labels"), [
    ("mse", lg.mse, ROWS), ("Mean_Squared_Error", lg.mse, ROWS), ("mae", lg.l1, ROWS), ("cross_entropy", lg.cross_entropy, Y),
    ("sparse_categorical_crossentropy", lg.cross_entropy, Y), ("bce", lg.binary_cross_entropy, ROWS), ("huber", lg.huber, ROWS),
])  # fmt: skip
def test_a_loss_may_be_given_by_its_name(name, loss, labels):
    same(fit(learner(name), X, labels), fit(learner(loss), X, labels))


# -- what is answered --------------------------------------------------------------------------------------------------

FIT = "lg.supervised(model, loss, optimizer).fit(data)"
NOT_TRAINED = "a learner is not trained yet and has no values: run = learner.fit(data), then"
NO_VALUES = f"a model has no values of its own: train it with run = {FIT}, and ask the run for"
LOST = [
    (learner, "predict", f"'Learner' object has no attribute 'predict': {NOT_TRAINED} run.predict(x)"),
    (learner, "evaluate", f"'Learner' object has no attribute 'evaluate': {NOT_TRAINED} run.evaluate(data)"),
    (learner, "save", f"'Learner' object has no attribute 'save': {NOT_TRAINED} run.save(path)"),
    (learner, "weights",
     f"'Learner' object has no attribute 'weights': {NOT_TRAINED} run.weights; first values are learner.initial(seed)"),
    (learner, "compile",
     "'Learner' object has no attribute 'compile': a learner has its loss and optimizer already: train it with run = learner.fit(data)"),
    (lambda: learner().model, "fit",
     f"'Model' object has no attribute 'fit': a model is trained with a loss and an optimizer, as {FIT}"),
    (lambda: learner().model, "predict", f"'Model' object has no attribute 'predict': {NO_VALUES} run.predict(x)"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "name", "told"), LOST, ids=[f"{told[1:8]}-{name}" for _, name, told in LOST])
def test_what_is_looked_for_at_the_wrong_place_is_answered_with_the_right_one(make, name, told):
    with pytest.raises(NoAttribute) as error:
        getattr(make(), name)
    assert str(error.value) == told and isinstance(error.value, AttributeError)
    assert not hasattr(make(), name)


@pytest.mark.parametrize("make", [learner, lambda: learner().model], ids=["learner", "model"])
def test_what_nobody_has_is_an_ordinary_attribute_error(make):
    with pytest.raises(AttributeError) as error:
        _ = make().nothing
    assert not isinstance(error.value, LensgradError) and str(error.value).endswith("object has no attribute 'nothing'")


CALLS = [
    (lambda: fit(learner(), (X, Y), epoch=3), TypeMismatch, "fit takes no 'epoch': did you mean 'epochs'?"),
    (lambda: fit(learner(), (X, Y), verbose=0), TypeMismatch,
     "fit takes no 'verbose': progress=False shows nothing, progress=True a bar or lines"),
    (lambda: fit(learner(), x=X, y=Y), TypeMismatch, "fit takes no 'x': data and labels come first and without names: fit(x, y)"),
    (lambda: fit(learner()), TypeMismatch, "fit(data, labels, epochs=…, …) needs 'data' too: give it"),
    (lambda: learner().fit(X, Y, 3), TypeMismatch, "fit(data, labels, epochs=…, …): too many positional arguments"),
    (lambda: fit(learner(), (X, Y), after=3), TypeMismatch, "after must be a run to go on from, got 3"),
    (lambda: fit(learner(), (X, Y), guard=3), BadValue, "guard must be True or False, got 3"),
    (lambda: lg.supervised(learner().model, lg.mse, lg.adam(0.1), lr=3), TypeMismatch,
     "supervised takes no 'lr': the learning rate belongs to the optimizer, as in lg.adam(0.001)"),
    (lambda: learner(optimizer=lg.adam), TypeMismatch, "lg.adam makes an optimizer and is none itself: call it, as in lg.adam(0.001)"),
    (lambda: learner(optimizer=lg.sgd), TypeMismatch, "lg.sgd makes an optimizer and is none itself: call it, as in lg.sgd(0.01)"),
    (lambda: learner(optimizer=3), TypeMismatch, "an optimizer must be one such as lg.adam(1e-3), a name, or a dict by pattern, got 3"),
    (lambda: learner(3), TypeMismatch, "a loss must be a function such as lg.mse, or what it gives, got 3"),
    (lambda: lg.supervised(learner().model, lg.mse, lg.adam(0.1), input=[3]), BadValue, "a name in input must be text, got 3"),
    (lambda: lg.supervised(learner().model, lg.mse, lg.adam(0.1), input=3), BadValue, "input must be text, got 3"),
    (lambda: lg.supervised(learner().model, lg.mse, lg.adam(0.1), label=["y"]), BadValue, "label must be text, got ['y']"),
    (lambda: fit(learner(), X, np.array(["a", "b", "c"])[Y]), BadValue,
     "'y' holds text, such as 'a', and a model reads numbers: number the classes with names, y = np.unique(y, return_inverse=True)"),
    (lambda: fit(learner(), X.astype(str), Y), BadValue,
     "'x' holds text, such as '5.1', and a model reads numbers: lg.data.table(frame, target=…) makes numbers of columns of text"),
    (lambda: fit(learner(), X.astype(object), Y), BadValue,
     "'x' holds Python objects in the place of numbers: convert it with x.astype(np.float32)"),
    (lambda: fit(learner(), X.astype(complex), Y), BadValue,
     "'x' holds complex numbers, and a model reads real ones: give x.real and x.imag side by side"),
    (lambda: fit(learner(), X, ROWS), TypeMismatch,
     "'y' has labels of shape (3,), and the loss takes i32[] for each example: give class numbers, np.argmax(y, -1), or the loss "
     "lg.cross_entropy('y', labels='probabilities'), which takes rows"),
    (lambda: fit(learner(lg.cross_entropy("y", labels="probabilities")), X, Y), TypeMismatch,
     "'y' has labels of shape (), and the loss takes f32[3] for each example: give one-hot rows, lg.data.one_hot(y, 3), or the loss "
     "lg.cross_entropy, which takes class numbers"),
    (lambda: fit(learner(lg.mse), X, Y), TypeMismatch,
     "'y' has labels of shape (), and the loss takes f32[3] for each example: for class numbers use the loss lg.cross_entropy, or one-hot "
     "rows, lg.data.one_hot(y, 3); for one number each end the model with lg.dense(1) and give y[:, None]"),
    (lambda: fit(learner(), X, Y[:, None]), TypeMismatch,
     "'y' has labels of shape (1,), and the loss takes i32[] for each example: take away the last axis with y[..., 0]"),
    (lambda: fit(learner(lg.mse), X, X), TypeMismatch,
     "'y' has labels of shape (4,), and the loss takes f32[3] for each example: change the labels, or the last layer of the model, so that "
     "there is one output for each number of a label"),
    (lambda: fit(learner(), (X, Y), validation_data=(X, ROWS)), TypeMismatch, "'y' has labels of shape (3,), and the loss takes "),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "told"), CALLS, ids=[told[:60] for _, _, told in CALLS])
def test_a_wrong_call_is_answered_by_what_to_write(call, kind, told):
    with pytest.raises(kind) as error:
        call()
    assert str(error.value).startswith(told) and (len(told) < 70 or str(error.value) == told)


def test_a_name_that_is_none_is_answered_by_the_nearest():
    with pytest.raises(BadValue) as error:
        learner(optimizer="adamm")
    assert str(error.value).endswith("got 'adamm': did you mean 'adam'?")
    with pytest.raises(BadValue) as error:
        learner("crossentropie")
    assert str(error.value).endswith("got 'crossentropie': did you mean 'crossentropy'?")


def test_the_advice_on_labels_does_not_circle():
    """What each sentence proposes trains."""
    assert fit(learner(), X, np.argmax(ROWS, -1)).history
    assert fit(learner(lg.cross_entropy("y", labels="probabilities")), X, ROWS).history
    assert fit(learner(lg.mse), X, lg.data.one_hot(Y, 3)).history
    assert fit(learner(lg.mse, last=1), X, Y[:, None]).history
    names, numbers = np.unique(np.array(["a", "b", "c"])[Y], return_inverse=True)
    same(fit(learner(), X, numbers), fit(learner(), X, Y))
    assert list(names) == ["a", "b", "c"]


def test_a_model_is_still_no_function():
    with pytest.raises(WireError):
        learner().model(X)


# -- what goes, but not well -------------------------------------------------------------------------------------------

LEAVE = "takes scores and applies {0} itself, and the model ends in {0}: leave it out, or training is slow"


def notes(capsys, made, x, y):
    made.fit(x, y, batch_size=30)
    return capsys.readouterr().out.splitlines()[:-1]


@pytest.mark.parametrize("how", ["activation", "layer"])
def test_a_softmax_before_cross_entropy_is_told_once(capsys, how):
    layers = (lg.dense(3, activation="softmax"),) if how == "activation" else (lg.dense(3), lg.softmax)
    made = lg.supervised(lg.sequential(lg.input(4), *layers), lg.cross_entropy, "adam")
    assert notes(capsys, made, X, Y) == ["the loss of 'y' " + LEAVE.format("softmax")]
    fit(made, X, Y)
    assert capsys.readouterr().out == ""


def test_a_sigmoid_before_binary_cross_entropy_is_told(capsys):
    labels = (Y > 0).astype("float32")[:, None]
    assert notes(capsys, learner(lg.binary_cross_entropy, last=1, activation="sigmoid"), X, labels) == [
        "the loss of 'y' " + LEAVE.format("sigmoid")
    ]
    assert notes(capsys, learner(lg.mse, last=1, activation="sigmoid"), X, labels) == []


def test_outputs_that_are_scores_are_not_told_anything(capsys):
    assert notes(capsys, learner(), X, Y) == []
    assert notes(capsys, learner(activation="log_softmax"), X, Y) == [], "log softmax of log softmax is the same"


def test_pixels_are_told(capsys):
    made = lg.supervised(lg.sequential(lg.input(3, 3), lg.flatten(), lg.dense(3)), lg.cross_entropy, "adam")
    images = np.random.default_rng(0).integers(0, 256, (30, 3, 3))
    images[0, 0, 0] = 255
    told = "'x' holds whole numbers up to 255, as pixels are: networks learn better from x / 255"
    labels = np.arange(30) % 3
    for given in (images.astype("uint8"), images.astype("float32")):
        assert notes(capsys, made, given, labels) == [told]
    for given in (images / 255, images / 16, images * 2.0, images - 3.0):
        assert notes(capsys, made, given.astype("float32"), labels) == []


# -- data in odd forms -------------------------------------------------------------------------------------------------


class Tensor:
    """As a tensor of another library: an array only after it is detached, and on the CPU."""

    def __init__(self, value, ready=False):
        self.value, self.ready, self.shape, self.ndim, self.dtype = value, ready, value.shape, value.ndim, value.dtype

    def detach(self):
        return Tensor(self.value)

    def cpu(self):
        return Tensor(self.value, ready=True)

    def __len__(self):
        return len(self.value)

    def __array__(self, dtype=None, copy=None):
        if not self.ready:
            raise RuntimeError("call detach")
        return np.asarray(self.value, dtype)


def test_tensors_leave_their_gradient_behind():
    plain = fit(learner(), X, Y)
    same(fit(learner(), Tensor(X), Tensor(Y)), plain)
    same(fit(learner(), {"x": Tensor(X), "y": Tensor(Y)}), plain)
    same(fit(learner(), lambda: iter([(Tensor(X), Tensor(Y))])), fit(learner(), [(X, Y)]))
    np.testing.assert_array_equal(plain.predict(Tensor(X)), plain.predict(X))


def test_masked_entries_are_no_data():
    masked = np.ma.masked_array(X, np.zeros(X.shape, bool))
    same(fit(learner(), masked, Y), fit(learner(), X, Y))
    masked[7, 1] = np.ma.masked
    for call in (lambda: fit(learner(), masked, Y), lambda: fit(learner(), X, Y).predict(masked), lambda: fit(learner(), [(masked, Y)])):
        with pytest.raises(BadValue) as error:
            call()
        fix = "leave those rows out with x[~x.mask.any(1)], fill them in with x.filled(…), or weigh them 0 with sample_weight"
        assert str(error.value) == f"'x' has masked entries, in row 7 first, and what is under the mask is no data: {fix}"


def test_ragged_rows_are_told():
    ragged = [[1.0, 2.0], [1.0]]
    for call in (lambda: fit(learner(), ragged, [0, 1]), lambda: fit(learner(), X, Y).predict(ragged)):
        with pytest.raises(BadValue) as error:
            call()
        assert str(error.value).startswith("'x' makes no array, since its rows differ in length or kind")


@pytest.mark.parametrize("k", [1, 2, 3])
def test_a_list_of_batches_is_a_list_of_batches_however_many_they_are(k):
    parts = [(X[i::k], Y[i::k]) for i in range(k)]
    same(fit(learner(), parts, batch_size=200), fit(learner(), [{"x": a, "y": b} for a, b in parts], batch_size=200))
    same(fit(learner(), tuple(parts)), fit(learner(), parts))
    same(fit(learner(), [[a, b] for a, b in parts]), fit(learner(), parts))


def test_a_tuple_of_two_pairs_that_may_be_rows_is_refused():
    with pytest.raises(BadValue) as error:
        fit(learner(lg.mse), ((ROWS, ROWS), (ROWS, ROWS)))
    told = "a tuple of tuples of arrays may be 2 batches (x, y), or the rows of x and of y"
    assert str(error.value) == f"{told}: give a list of batches, or each of x, y as one array"


def test_lists_of_numbers_are_still_a_pair():
    same(
        fit(learner(), ([[1.0, 2.0, 3.0, 4.0], [2.0, 1.0, 0.0, 1.0]], [0, 1])),
        fit(learner(), np.array([[1.0, 2, 3, 4], [2, 1, 0, 1]]), [0, 1]),
    )


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: lg.data.IteratorSource(3.0), "batches come from an iterator, or a function that returns one, got 3.0"),
        (lambda: lg.data.IteratorSource([], steps=0), "steps must be a whole number ≥ 1, got 0"),
        (lambda: lg.data.IteratorSource([], prefetch=-1), "prefetch must be a whole number ≥ 0, got -1"),
        (lambda: fit(learner(), lambda: 3), "a function of batches returns an iterator of them, and this one returned 3"),
        (lambda: fit(learner(), 3.0),
         "data is a pair (x, y), a dict of arrays by name, a data set with .x and .y, or an iterator of batches; "
         "got float: write fit(x, y)"),
    ],
)  # fmt: skip
def test_what_is_no_source_is_refused(call, told):
    with pytest.raises(BadValue) as error:
        call()
    assert str(error.value) == told


def test_values_given_at_the_start_win_over_those_of_an_earlier_run():
    made = learner()
    run = fit(made, X, Y)
    bias = np.full(8, 5.0, "float32")
    more = run.fit((X, Y), epochs=0, start={"bias.0": bias}, progress=False)
    assert (more.values["bias.0"] == bias).all() and (more.values["weight.0"] == run.values["weight.0"]).all()


# -- odd arguments -----------------------------------------------------------------------------------------------------

RUN = fit(learner(), X, Y)
ODD = [
    (lambda: fit(learner(), X, Y, start=3), TypeMismatch, "start must be a dict of first values by name, got 3"),
    (lambda: fit(learner(), X, Y, start=X), TypeMismatch, "start must be a dict of first values by name, got array("),
    (lambda: fit(learner(), lg.adam(0.1)), BadValue, "data is a pair (x, y), a dict of arrays by name, "),
    (lambda: fit(learner(), int), BadValue, "<class 'int'> is no function of batches: give one that returns an iterator of them"),
    (lambda: fit(learner(), lambda n: []), BadValue,
     "a function of batches is called with those of epoch, start, seed, batch_size that it takes, and <function "),
    (lambda: lg.data.ArraySource(3), TypeMismatch, "what an ArraySource holds must be a dict of arrays by name, got 3"),
    (lambda: fit(learner(), X, Y, class_weight={0: 2.0}, sample_weight="w"), LookupError, "sample_weight names 'w', and the data has x, y"),
    (lambda: fit(learner(), X, Y, class_weight=[[1], [2, 3], 4]), BadValue, "a class weight must be a number ≥ 0, got [1]"),
    (lambda: RUN.predict({None: X}), BadValue, "this model expects x, got None"),
    (lambda: lg.supervised(learner().model, lg.mse, lg.sgd(0.1), reduction=["mean"]), BadValue, "'['mean']' is no reduction"),
    (lambda: lg.supervised(learner().model, lg.mse, lg.sgd(0.1), input=np.array("x")), BadValue, "input must be text, got array('x'"),
    (lambda: lg.gan(lg.dense(2, 4), lg.dense(4, 1), "adam", loss=X), BadValue, "'"),
    (lambda: lg.gan(lg.dense(2, 4), lg.dense(4, 1), "adam", gradient_penalty=X), BadValue, "gradient_penalty must be a number ≥ 0, got "),
    (lambda: lg.gan(lg.dense(2, 4), lg.dense(4, 1), lg.adam), TypeMismatch, "lg.adam makes an optimizer and is none itself"),
    (lambda: lg.dream(3, X[0], 1), TypeMismatch, "what dreams must be a trained learner, what fit gives, got 3"),
    (lambda: lg.dream(RUN, [[1], [1, 2]], 1), BadValue, "'x' makes no array, since its rows differ in length or kind"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "told"), ODD, ids=[told[:50] for _, _, told in ODD])
def test_odd_arguments_are_told_in_a_sentence(call, kind, told):
    with pytest.raises(LensgradError) as error:
        call()
    assert isinstance(error.value, kind) and str(error.value).startswith(told)
