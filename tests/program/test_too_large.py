"""Arrays that no memory holds are told in a sentence, wherever they are made."""

import numpy as np
import pytest
from refusals import told

import lensgrad as lg
from lensgrad.backends.engine import backend
from lensgrad.core.errors import LensgradError, OutOfMemory
from lensgrad.core.trace import trace

LARGE = 10**15  # entries: more than machines have memory, and fewer than NumPy refuses by itself
X = np.ones(4, np.float32)
COMPUTED = "what is computed must fit into memory, and its largest array, {}, takes {} bytes: "
FIX = "make the sizes smaller, or take fewer examples at once"
MADE = {
    "tile": (lambda x: lg.ops.tile(x, LARGE), "f32[4000000000000000]", "16,000,000,000,000,000"),
    "repeat": (lambda x: lg.ops.repeat(x, LARGE, 0), "f32[4000000000000000]", "16,000,000,000,000,000"),
    "spread": (lambda x: lg.ops.spread(x, (LARGE, 4)) + 1.0, "f32[1000000000000000,4]", "16,000,000,000,000,000"),
    "constants": (lambda x: lg.Real(LARGE)[0].zero(), "f32[1000000000000000]", "4,000,000,000,000,000"),
    "one-hot": (lambda x: lg.ops.one_hot(lg.ops.cast(x, "int32"), LARGE, "bool"), "bool[4,1000000000000000]", "4,000,000,000,000,000"),
    "float64": (lambda x: lg.ops.tile(lg.ops.cast(x, "float64"), LARGE), "f64[4000000000000000]", "32,000,000,000,000,000"),
}


@pytest.mark.parametrize(("made", "largest", "size"), MADE.values(), ids=MADE)
def test_what_no_memory_holds_is_told_with_its_type_and_its_size(made, largest, size):
    assert told(OutOfMemory, lambda: lg.evaluate(made, X)) == COMPUTED.format(largest, size) + FIX
    assert issubclass(OutOfMemory, LensgradError) and issubclass(OutOfMemory, MemoryError)


@pytest.mark.parametrize("name", ["auto", "numpy", "jax"])
def test_every_backend_tells_it(name):
    if name == "jax":
        pytest.importorskip("jax")
    call = backend(name).function(trace(MADE["spread"][0], lg.Real(4)))
    assert told(OutOfMemory, lambda: call(X)) == COMPUTED.format(*MADE["spread"][1:]) + FIX


@pytest.mark.parametrize("name", ["auto", "jax"])
def test_so_does_training(name):
    if name == "jax":
        pytest.importorskip("jax")
    model = lg.sequential(lg.input(4), lg.dense(1), lambda x: lg.ops.mean(lg.ops.cumsum(lg.ops.tile(x, 10**12))))
    learner = lg.supervised(model, lg.mse, lg.sgd(0.1))
    data = np.ones((4, 4), np.float32), np.ones(4, np.float32)
    found = told(OutOfMemory, lambda: learner.fit(data, batch_size=2, backend=name, progress=False))
    assert found == COMPUTED.format("f32[2,1000000000000]", "8,000,000,000,000") + FIX


def test_a_first_value_that_no_memory_holds_is_told_with_its_name():
    model = lg.sequential(lg.input(4), lg.dense(LARGE, name="wide"), lg.dense(2))
    found = told(OutOfMemory, lambda: lg.supervised(model, lg.mse, lg.sgd(0.1)).initial())
    size = "f32[1000000000000000,4], takes 16,000,000,000,000,000 bytes: make the sizes of its layer smaller"
    assert found == f"the first value of 'wide/weight' must fit into memory, and its largest array, {size}"
