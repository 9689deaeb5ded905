"""Tokens and labels out of range are refused at the door, not clipped inside."""

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.core.errors import BadValue

X = np.array([[0, 1, 2], [3, 9, 1]], np.int32)
Y = np.array([0, 1], np.int32)


def learner(vocabulary=10):
    model = lg.sequential(lg.input(3, dtype="int32"), lg.embedding(vocabulary, 4), lg.flatten(), lg.dense(2))
    return lg.supervised(model, lg.cross_entropy, lg.sgd(0.1))


def test_the_ranges_are_read_off_the_model():
    assert learner().ranges() == {"x": 10, "y": 2}
    assert lg.supervised(lg.dense(4, 3), lg.mse, lg.descent).ranges() == {}
    twice = lg.input(3, dtype="int32") >> lg.embedding(5, 4) >> lg.flatten() >> lg.dense(2)
    assert lg.supervised(twice, lg.cross_entropy, lg.descent).ranges() == {"x": 5, "y": 2}


TOLD = "'x' holds 9 in row 1, entry 1, and the model reads numbers from 0 to 7: give the embedding a vocabulary of 10, or renumber the data"


def batches():
    yield {"x": X, "y": Y}


DOORS = {
    "fit": lambda made, run: made.fit((X, Y), progress=False),
    "fit on batches": lambda made, run: made.fit(batches, progress=False),
    "fit with validation": lambda made, run: made.fit((X % 8, Y), validation_data=(X, Y), progress=False),
    "evaluate": lambda made, run: run.evaluate((X, Y)),
    "evaluate on batches": lambda made, run: run.evaluate(batches),
    "predict": lambda made, run: run.predict(X),
}


@pytest.mark.parametrize("door", DOORS)
def test_a_token_out_of_range_is_refused(door):
    made = learner(8)
    run = made.fit((X % 8, Y), epochs=0, progress=False)
    with pytest.raises(BadValue) as error:
        DOORS[door](made, run)
    assert str(error.value) == TOLD


def test_a_negative_token_is_refused():
    with pytest.raises(BadValue) as error:
        learner().fit((X - 1, Y), progress=False)
    assert str(error.value) == "'x' holds -1 in row 0, entry 0, and the model reads numbers from 0 to 9: renumber the data"


def test_a_label_out_of_range_is_refused():
    run = learner().fit((X, Y), epochs=0, progress=False)
    for call in (lambda: learner().fit((X, Y + 1), progress=False), lambda: run.evaluate((X, Y + 1))):
        with pytest.raises(BadValue) as error:
            call()
        assert str(error.value) == (
            "'y' holds class numbers from 1 to 2, and the model has 2 classes, numbered 0 to 1: use y - 1, or give the last layer 3 outputs"
        )
