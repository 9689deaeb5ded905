"""Whole training steps in JAX: equal to NumPy's and to hand-written JAX, and equal to the bit however a run is cut."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import lensgrad as lg
from benchmarks.race import data as race_data
from benchmarks.race.peers import ours, ours_models
from benchmarks.race.workloads import WORKLOADS
from lensgrad.backends.loop import CONVOLVED, compiled_as_loop, convolved, steps_at_once, work
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import Array
from lensgrad.theories.smooth.conv import Convolve, Window
from lensgrad.train.iterate import stretch

jax = pytest.importorskip("jax")

STEPS = 20
LIMITS = {"float32": 1e-5, "float64": 1e-12}


def convolutional(dtype):
    layers = lg.conv2d(4, 3, activation="relu"), lg.max_pool2d(2), lg.batch_norm(), lg.flatten(), lg.dropout(0.25), lg.dense(5)
    model = lg.sequential(lg.input(8, 8, 2, dtype=dtype), *layers)
    return lg.supervised(model, lg.cross_entropy, lg.adam(1e-2), metrics=["accuracy"])


def recurrent(dtype):
    model = lg.sequential(lg.input(6, 3, dtype=dtype), lg.lstm(4), lg.flatten(), lg.dense(5))
    return lg.supervised(model, lg.cross_entropy, lg.sgd(0.1, momentum=0.9, nesterov=True))


def hidden(dtype):
    model = lg.sequential(lg.input(4, dtype=dtype), lg.dense(20, activation="sigmoid"), lg.dense(5))
    return lg.supervised(model, lg.cross_entropy, lg.momentum(0.5), rate=0.1)


@cache
def learner_of(name, dtype):
    """One learner for all tests, since it keeps what it compiled."""
    return LEARNERS[name](dtype)


LEARNERS = {"hidden": hidden, "convolutional": convolutional, "recurrent": recurrent}


def batches(learner, n, steps=STEPS, classes=5):
    rng = np.random.default_rng(3)
    atom = learner.model.dom[0]
    size = (steps,) if n is None else (steps, n)
    return {"x": rng.standard_normal((*size, *atom.shape)).astype(atom.dtype), "y": rng.integers(0, classes, size).astype(np.int32)}


@cache
def both(name, dtype, n=8):
    """A run in NumPy, and the same in JAX."""
    learner = learner_of(name, dtype)
    rows, start = batches(learner, n), learner.initial(1)
    return [stretch(learner.step(n, backend), start, rows, STEPS) for backend in ("numpy", "jax")]


def distance(a, b):
    return max(float(np.max(np.abs(np.asarray(a[n], np.float64) - np.asarray(b[n], np.float64)))) for n in a)


@pytest.mark.parametrize("dtype", LIMITS)
@pytest.mark.parametrize("name", LEARNERS)
def test_twenty_steps_agree_with_numpy(name, dtype):
    plain, ours = both(name, dtype)
    assert distance(plain.values, ours.values) <= LIMITS[dtype] and distance(plain.seen, ours.seen) <= LIMITS[dtype]
    assert [np.asarray(v).dtype for v in ours.values.values()] == [np.asarray(v).dtype for v in plain.values.values()]
    assert distance(plain.values, learner_of(name, dtype).initial(1)) > 1e-3


def test_keys_go_on_bit_by_bit():
    plain, ours = both("convolutional", "float32")
    keys = [n for n, v in plain.values.items() if np.asarray(v).dtype == np.uint32]
    assert keys
    for name in keys:
        assert np.array_equal(plain.values[name], ours.values[name])


def test_circuits_learn_the_same_bits():
    x = np.array([[a, b] for a in (0, 1) for b in (0, 1)], np.uint8)
    learner = lg.supervised(lg.lookup(2), lg.xor, lg.ascent, rate=lg.echo)
    y = (x[:, :1] ^ x[:, 1:]).astype(np.uint8)
    runs = [learner.fit((x, y), epochs=2, batch_size=None, progress=False, backend=b) for b in ("numpy", "jax")]
    for name, v in runs[0].values.items():
        assert np.array_equal(v, runs[1].values[name])


@pytest.mark.parametrize("name", LEARNERS)
def test_one_program_or_a_call_for_each_step_is_the_same_to_the_bit(name):
    learner = learner_of(name, "float32")
    rows, start, step = batches(learner, 8), learner.initial(1), learner.step(8, "jax")
    _, one = both(name, "float32")
    each = replace(step, iterations={})
    each.iteration(("x", "y")).one_program = False
    found = stretch(each, start, rows, STEPS)
    assert step.iteration(("x", "y")).one_program and distance(one.values, found.values) == 0 and distance(one.seen, found.seen) == 0


@pytest.mark.parametrize("cut", [1, 7, 19])
def test_a_run_cut_in_other_places_is_the_same_to_the_bit(cut):
    learner = learner_of("hidden", "float32")
    rows, start, step = batches(learner, 8), learner.initial(1), learner.step(8, "jax")
    whole = stretch(step, start, rows, STEPS)
    first = stretch(step, start, {n: v[:cut] for n, v in rows.items()}, cut)
    second = stretch(step, first.values, {n: v[cut:] for n, v in rows.items()}, STEPS - cut)
    assert distance(whole.values, second.values) == 0
    assert np.array_equal(whole.seen["loss"], np.concatenate([first.seen["loss"], second.seen["loss"]]))


@pytest.mark.parametrize("one", [True, False])
def test_what_is_given_is_not_changed(one):
    learner = learner_of("hidden", "float32")
    rows, start = batches(learner, 8), learner.initial(1)
    step = replace(learner.step(8, "jax"), iterations={})
    step.iteration(("x", "y")).one_program = one
    first = stretch(step, start, rows, STEPS)
    again = {n: np.array(v) for n, v in first.values.items()}
    stretch(step, first.values, rows, STEPS)
    assert distance(again, first.values) == 0 and distance(start, learner.initial(1)) == 0


def test_sixty_four_bits_are_on_only_while_a_program_runs_that_has_them():
    both("hidden", "float64")
    assert jax.numpy.ones(1).dtype == np.float32 and not jax.config.jax_enable_x64


@pytest.mark.parametrize("backend", ["numpy", "jax"])
def test_the_first_step_that_went_wrong_is_told(backend):
    learner = learner_of("hidden", "float32")
    rows = batches(learner, 8)
    rows["x"][7, 2] = np.nan
    rows["x"][9] = np.inf
    assert stretch(learner.step(8, backend), learner.initial(1), rows, STEPS).bad == 7
    assert stretch(learner.step(8, backend), learner.initial(1), batches(learner, 8), STEPS).bad is None


@pytest.mark.parametrize("rate, size, step", [(1.0, 1e4, 3), (1e30, 1e10, 1)])
def test_a_fit_stops_at_the_same_step_with_the_same_sentence(rate, size, step):
    learner = lg.supervised(lg.dense(3, 2), lg.mse, lg.sgd(rate))
    rng = np.random.default_rng(0)
    data = (rng.standard_normal((64, 3)) * size).astype(np.float32), np.zeros((64, 2), np.float32)
    told = []
    for backend in ("numpy", "jax"):
        with pytest.raises(lg.LensgradError) as error:
            learner.fit(data, epochs=3, batch_size=4, progress=False, backend=backend)
        told.append(str(error.value))
    assert told[0] == told[1] and f"is not finite after step {step} of epoch 1" in told[0]


def test_a_fit_reports_the_same_history():
    learner = learner_of("hidden", "float64")
    data = {n: v.reshape(-1, *v.shape[2:]) for n, v in batches(learner, 7).items()}
    runs = [learner.fit(data, epochs=3, batch_size=32, progress=False, backend=b) for b in ("numpy", "jax")]
    for plain, jitted in zip(*(r.history for r in runs), strict=True):
        assert plain == pytest.approx(jitted, rel=1e-12)
    assert all(isinstance(v, np.ndarray) for v in runs[1].values.values())


# -- which steps are worth one program ---------------------------------------------------------------------------------


def step_of(image, channels, filters, n, **options):
    model = lg.sequential(lg.input(image, image, channels), lg.conv2d(filters, 3, **options), lg.flatten(), lg.dense(5))
    return lg.supervised(model, lg.cross_entropy, lg.sgd(0.1)).step(n)


def decided(step):
    loop = step.loop(("x", "y"))
    return compiled_as_loop(step.diagram, loop), steps_at_once(step.diagram, loop)


def test_small_steps_are_one_program_and_large_ones_a_call_each():
    assert decided(hidden("float32").step(8)) == (True, 1024)
    model = lg.sequential(lg.input(784), lg.dense(2048), lg.dense(2048), lg.dense(10))
    assert decided(lg.supervised(model, lg.cross_entropy, lg.sgd(0.1)).step(256)) == (False, 1)


def test_a_convolution_of_few_channels_counts_as_a_product():
    step = step_of(16, 3, 5, 4)
    assert convolved(step.diagram) == 0 and decided(step)[0]


def test_a_step_with_many_multiply_adds_in_convolutions_is_a_call_each():
    small, large = step_of(8, 32, 16, 1), step_of(16, 32, 32, 1)
    # Forward and for the kernel: 2 · out² · 3² · C · O.
    assert convolved(small.diagram) == 2 * 6 * 6 * 9 * 32 * 16 <= CONVOLVED and decided(small)[0]
    assert convolved(large.diagram) == 2 * 14 * 14 * 9 * 32 * 32 > CONVOLVED and not decided(large)[0]


def test_work_is_counted_in_multiply_adds_and_through_loops():
    from lensgrad.core.trace import trace
    from lensgrad.core.ty import Ty

    product = trace(lambda w, x: w @ x, lg.Real(3, 4), lg.Real(4))
    assert work(product) == 12
    one = work(lg.dense(4, 4).arrow.nodes[0].op.body)
    assert work(trace(lambda x: ops.exp(x) + x, Ty((Array((5,), "float32"),)))) == 10 and one == 20


# -- convolutions as products ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stride, dilation, padding", [((1, 1), (1, 1), ((0, 0), (0, 0))), ((2, 1), (1, 2), ((1, 0), (2, 1)))])
def test_products_and_convolutions_agree(stride, dilation, padding):
    from lensgrad.backends.jax import kernels

    rng = np.random.default_rng(5)
    window, image, size = Window(stride, dilation, padding), (7, 9), (3, 2)
    x, k = rng.standard_normal((2, *image, 3)), rng.standard_normal((*size, 3, 4))
    y = rng.standard_normal((2, *window.out(image, size), 4))
    op = Convolve("y", window, image, size)
    assert op.image == image
    with jax.enable_x64(True):
        x, k, y = map(jax.numpy.asarray, (x, k, y))
        pairs = [
            (kernels.product(window, x, k), kernels.convolve(window, x, k)),
            (kernels.product_image(window, image, y, k), kernels.convolve_image(window, image, y, k)),
            (kernels.product_kernel(window, size, x, y), kernels.convolve_kernel(window, size, x, y)),
        ]
        for ours, theirs in pairs:
            np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=1e-12, atol=1e-12)


# -- beside JAX written by hand ----------------------------------------------------------------------------------------


def difference_to_the_twin(name, steps=100, rows=None):
    """How far 100 steps of ours end from those of the same by hand, in float64 and from the same first values."""
    from benchmarks.race.peers import plain_jax

    workload = replace(WORKLOADS[name], steps=steps)
    start = {k: v.astype("float64") for k, v in race_data.start(workload).items()}
    data = rows or {k: v[:steps].astype("float64") for k, v in race_data.data(workload).items()}
    learner, first = ours_models.learner(workload, "float64"), ours_models.start(workload, start)
    found = stretch(learner.step(None, "jax"), learner.initial(0, first), ours.rows_of(workload, data), steps)
    with jax.enable_x64(True):
        twin = plain_jax.make(workload, "scan", data, start)
        loss = twin.run(steps)
        theirs = ours_models.start(workload, {k: np.asarray(v) for k, v in twin.state[0].items()})
    moved = distance(first, {n: found.values[n] for n in first})
    return distance({n: found.values[n] for n in first}, theirs), abs(found.seen["loss"][-1] - loss), moved


@pytest.mark.parametrize("name", ["W1", "W2"])
def test_a_hundred_steps_of_the_papers_networks_are_those_of_the_twins(name):
    weights, loss, moved = difference_to_the_twin(name)
    assert weights <= 1e-8 and loss <= 1e-8 and moved > 1e-3


def test_the_first_hundred_steps_on_mnist_are_those_of_the_twin(data_folder):
    train, _ = lg.data.mnist("float64")
    rows = {"x": np.asarray(train.x[:100])[:, None], "y": np.eye(10)[train.y[:100]][:, None]}
    weights, loss, moved = difference_to_the_twin("W2", rows=rows)
    assert weights <= 1e-8 and loss <= 1e-8 and moved > 1e-3
