"""`fit` in C reads data where it lies, or gives it once where it is the same at every step: what is learned is the same to the bit."""

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.backends.native.compiler import compiler
from lensgrad.backends.native.running import Steps
from lensgrad.train import guard, reading

pytestmark = pytest.mark.skipif(compiler() is None, reason="no C compiler")
RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((40, 4)).astype("f4"), RNG.standard_normal((40, 3)).astype("f4")


def learner(size=4, inner=8):
    model = lg.sequential(lg.input(size), lg.dense(inner, activation="tanh"), lg.dense(3))
    return lg.supervised(model, lg.mse, lg.adam(0.01))


def fit(data=(X, Y), made=None, **how):
    return (made or learner()).fit(data, **{"epochs": 5, "batch_size": 8, "backend": "native", "progress": False, **how})


def equal(a, b):
    return a.history == b.history and all(a.values[n].tobytes() == b.values[n].tobytes() for n in a.values)


def mapped(x, folder):
    np.save(folder / "x.npy", x)
    return np.load(folder / "x.npy", mmap_mode="r")


FORMS = {
    "of 64 bits": lambda x, _: x.astype("f8"),
    "by columns": lambda x, _: np.asfortranarray(x),
    "other bytes first": lambda x, _: x.astype(">f4"),
    "in a file": mapped,
    "apart": lambda x, _: np.repeat(x, 2, axis=0)[::2],
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("batch_size", [None, 1, 8, 16, 40, 64])
def test_however_data_lies_the_same_is_learned(tmp_path, batch_size, shuffle, form):
    """Also with a last short batch, one batch, and less than one."""
    how = {"batch_size": batch_size, "shuffle": shuffle}
    assert equal(fit(**how), fit((form(X, tmp_path), Y), **how))


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("batch_size", [None, 8, 16])
def test_what_is_learned_is_what_numpy_learns(batch_size, shuffle):
    how = {"batch_size": batch_size, "shuffle": shuffle}
    c, plain = fit(**how), fit(backend="numpy", **how)
    for name, value in c.values.items():
        np.testing.assert_allclose(value, plain.values[name], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shuffle", [True, False])
def test_epochs_taken_alone_are_those_taken_together(shuffle):
    """Somebody who watches has every epoch go alone."""
    seen = []
    watched = fit(shuffle=shuffle, callbacks=[lambda epoch, report: seen.append(epoch)])
    assert equal(watched, fit(shuffle=shuffle)) and seen == [1, 2, 3, 4, 5]


def test_data_is_not_copied_where_it_is_what_the_program_reads(monkeypatch):
    given, run = [], Steps.run
    monkeypatch.setattr(Steps, "run", lambda self, states, fixed, rows, n: (given.extend(rows), run(self, states, fixed, rows, n))[1])
    for shuffle in (True, False):
        fit(shuffle=shuffle)
    assert len(given) >= 4 and all(np.shares_memory(r.array, x) for r, x in zip(given, (X, Y) * len(given), strict=False))


def test_a_number_that_is_not_finite_is_told_with_its_step_and_its_batch():
    wild = lg.supervised(lg.dense(4, 3, dtype="float64"), lg.mse, lg.sgd(1e200))
    x, y = X.astype("f8"), Y.astype("f8")
    told = []
    for backend in ("native", "numpy"):
        with pytest.raises(guard.NotFinite) as error:
            wild.fit((x, y), epochs=4, batch_size=8, backend=backend, progress=False)
        told.append((str(error.value), error.value.batch))
    assert told[0][0] == told[1][0]
    assert all(np.array_equal(told[0][1][n], told[1][1][n]) for n in ("x", "y"))


# -- data that is the same at every step -----------------------------------------------------------------------------------


GRAPH = (RNG.random((300, 900)) < 0.01).astype("f4")


def graph_learner():
    model = lg.sequential(lg.input(300, 900), lg.each(lg.dense(16, activation="relu", name="first")), lg.each(lg.dense(2, name="second")))
    return lg.supervised(model, lg.mse, lg.adam(0.01))


def graph(data, backend="native", made=None, **how):
    return (made or graph_learner()).fit(data, epochs=6, batch_size=None, backend=backend, progress=False, **how)


def test_one_example_is_given_once_and_only_what_is_not_zero_is_multiplied(monkeypatch):
    data, given, run = (GRAPH[None], RNG.standard_normal((1, 300, 2)).astype("f4")), [], Steps.run
    monkeypatch.setattr(Steps, "run", lambda self, *args: (given.append((self.made.once, [*args[2]])), run(self, *args))[1])
    c, plain = graph(data), graph(data, "numpy")
    assert given and all(once and not rows for once, rows in given)
    for name, value in c.values.items():
        np.testing.assert_allclose(value, plain.values[name], rtol=1e-4, atol=1e-5)
    for a, b in zip(c.history, plain.history, strict=True):
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-5)


def test_data_that_is_changed_between_runs_is_read_again():
    x, y, made = GRAPH[None].copy(), RNG.standard_normal((1, 300, 2)).astype("f4"), graph_learner()
    first = graph((x, y), made=made)
    x[0, 5, 7] += 3.0
    second, anew = graph((x, y), made=made), graph((x.copy(), y))
    assert equal(second, anew) and not equal(first, second)
    y += 1.0
    assert not equal(graph((x, y), made=made), second)


def test_a_run_of_one_example_goes_on_to_the_bit():
    data = (GRAPH[None], RNG.standard_normal((1, 300, 2)).astype("f4"))
    parts = graph_learner().fit(data, epochs=2, batch_size=None, backend="native", progress=False).fit(data, epochs=4, progress=False)
    assert equal(parts, graph(data))


@pytest.mark.parametrize(("examples", "how", "own"), [
    (1, {"batch_size": None}, ()), (1, {"batch_size": 8}, ()), (6, {"batch_size": 6, "shuffle": False}, ()),
    (6, {"batch_size": 9, "shuffle": False}, ()), (6, {"batch_size": 6}, ("x", "y")), (6, {"batch_size": 3, "shuffle": False}, ("x", "y")),
])  # fmt: skip
def test_which_data_differs_from_step_to_step(examples, how, own):
    plan, source = reading.Plan(2, **how), reading.ArraySource({"x": X[:examples], "y": Y[:examples]})
    assert reading.names(lg.backends.engine.backend("native"), source, plan) == own
    assert reading.names(lg.backends.engine.backend("jax"), source, plan) == ("x", "y")
