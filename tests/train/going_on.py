"""A run to be killed and gone on with, as the tests of this share it."""

import signal
from functools import cache

from numerics import reals

import lensgrad as lg
from tools import kills

X, Y = reals(0, (24, 4), (24, 2))


@cache
def learner(outputs=2):
    model = lg.sequential(lg.input(4, dtype="float64"), lg.dense(5, activation="tanh"), lg.dropout(0.3), lg.dense(outputs))
    return lg.supervised(model, lg.half_squared_error, lg.adam(0.01))


def fit(data=(X, Y), made=None, **how):
    return (made or learner()).fit(data, progress=False, **{"batch_size": 8, "epochs": 4, **how})


def same(a, b):
    assert kills.same(a, b), (a.history, b.history)


def after(batches, act, data=(X, Y)):
    """Data that does something when so many batches were read."""
    left = [batches]

    def change(batch, _):
        left[0] -= 1
        if not left[0]:
            act()
        return batch

    return lg.data.transform(data, change)


def press():
    signal.raise_signal(signal.SIGINT)


class Stop(Exception):
    pass


def fail():
    raise Stop
