"""Programs in pickles and copies: what runs them is of one process, so another one makes it anew and gives the same to the bit."""

import copy
import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.backends.engine import Jax, Native
from lensgrad.backends.native.compiler import compiler
from lensgrad.core.errors import BadValue
from lensgrad.theories.smooth.pointwise import Exp

needs_compiler = pytest.mark.skipif(compiler() is None, reason="no C compiler")
KINDS = ["auto", "numpy", pytest.param("native", marks=needs_compiler), "jax"]
X = np.arange(12, dtype=np.float32).reshape(3, 4)
MODEL = lg.sequential(lg.input(4), lg.dense(2, activation="tanh"))
MADE = lg.supervised(MODEL, lg.mse, lg.adam(0.1))


def through(value):
    return pickle.loads(pickle.dumps(value))


def values(program):
    first = MADE.initial(0)
    return {p.name: X if p.name == "x" else np.ones((3, 2), np.float32) if p.name == "y" else first[p.name] for p in program.inputs}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", ["step", "predictor"])
def test_a_program_that_ran_is_pickled_and_copied_with_what_runs_it(kind, what):
    if kind == "jax":
        pytest.importorskip("jax")
    program = getattr(MADE, what)(3, kind)
    given = values(program)
    found, inputs = program(given), [given[p.name] for p in program.inputs]
    iteration = program.iteration(("x",))
    for other in (through(program), copy.deepcopy(program), copy.copy(program)):
        again = other(given)
        assert other == program and all(np.array_equal(found[n], again[n]) for n in found)
    for make in (through, copy.deepcopy):
        assert all(map(np.array_equal, make(program.function)(*inputs), program.function(*inputs)))
        assert make(iteration).loop == iteration.loop
    assert copy.deepcopy(program) is program


def test_a_program_on_lanes_is_pickled():
    bits = np.random.default_rng(0).integers(0, 2, (1 << 15, 2), np.uint8)
    made = lg.supervised(lg.lookup(2), lg.xor, lg.ascent, rate=lg.echo)
    program, given = made.predictor(len(bits), "native"), {"table": np.array([0, 1, 1, 0], np.uint8), "x": bits}
    found = program(given)["output"]
    again = replace(through(program), backend="numpy")(given)["output"]
    calls = [make(program.function)(*(given[p.name] for p in program.inputs))[0] for make in (through, copy.deepcopy)]
    assert np.array_equal(found[:, 0], bits[:, 0] ^ bits[:, 1]) and all(np.array_equal(found, other) for other in (again, *calls))


def test_backends_are_pickled_as_values():
    own = Native().extended({Exp: "np.exp({0})  * 1.0"}).in_c({Exp: "exp_{t}({0})"})
    for runs in (own, Native(), Jax(), Native().reference()):
        assert through(runs) == runs and copy.deepcopy(runs) == runs
    assert through(Native()).table is Native().table and len(pickle.dumps(own)) < 1000  # lines of the library are found by name
    run = MADE.fit((X, np.ones((3, 2), np.float32)), progress=False)
    assert through(replace(run, backend=own)).backend == own


def test_a_meaning_that_another_process_does_not_find_is_refused():
    own = Native().extended({Exp: lambda line: "0"})
    with pytest.raises(BadValue) as error:
        pickle.dumps(MADE.predictor(3, own))
    told = "another process finds code by its name, and what Exp means there is not at the top of a module: define it there"
    assert str(error.value) == f"this backend cannot be pickled: {told}"


@needs_compiler
def test_another_process_predicts_with_what_it_is_sent(tmp_path):
    function = MADE.predictor(3, "native").function
    inputs = [values(MADE.predictor(3))[p.name] for p in MADE.predictor(3).inputs]
    (tmp_path / "sent").write_bytes(pickle.dumps((function, inputs)))
    code = "import pickle, sys; call, xs = pickle.load(open(sys.argv[1], 'rb')); sys.stdout.buffer.write(call(*xs)[0].tobytes())"
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "sent")], capture_output=True, check=True)
    assert done.stdout == function(*inputs)[0].tobytes()
