"""Sharding: the same losses on one device, on a mesh of eight, and over two processes, with unchanged user code."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lensgrad as lg
from lensgrad.core.errors import BadValue

pytest.importorskip("jax")

TRAINING = """
import json, sys
import numpy as np
import lensgrad as lg

def train(backend, dtype, **how):
    layers = lg.conv2d(4, 3, activation="relu"), lg.max_pool2d(2), lg.flatten(), lg.dropout(0.25), lg.dense(10)
    model = lg.sequential(lg.input(8, 8, 1, dtype=dtype), *layers)
    learner = lg.supervised(model, lg.cross_entropy, lg.adam(1e-2), metrics=["accuracy"])
    rng = np.random.default_rng(0)
    data = rng.random((76, 8, 8, 1)).astype(dtype), rng.integers(0, 10, 76)  # 32 + 32 + 12, and 8 does not divide 12
    run = learner.fit(data, batch_size=32, backend=backend, **{"epochs": 2, "progress": False, **how})
    values = {n: v.astype(float).tolist() for n, v in run.values.items()}
    return {"history": run.history, "values": values, "predicted": run.predict(data[0][:24]).astype(float).tolist()}
"""
EIGHT = (
    TRAINING
    + """
import jax
mesh = lg.mesh()
found = {"devices": len(jax.devices())}
for dtype in ("float32", "float64"):
    found[dtype] = {"one": train("jax", dtype), "mesh": train(mesh, dtype)}
step = lg.supervised(lg.dense(4, 3), lg.mse, lg.sgd(0.1)).step(16, mesh)
placed = step.engine.layout.place(np.zeros((16, 4), np.float32), step.engine.layout.divided((16, 4), 0))
found["shards"] = [list(s.data.shape) for s in placed.addressable_shards]
text = step.function.text(*(np.zeros(a.shape, a.dtype) for a in step.diagram.dom))
found["reduced over devices"] = "all-reduce" in text
print(json.dumps(found))
"""
)
OURS = """
import os, sys
sys.stdout = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # gloo tells each connection on the first descriptor, from several threads into the midst of other lines
"""
PROCESS = (
    OURS
    + TRAINING
    + """
import jax
jax.config.update("jax_cpu_collectives_implementation", "gloo")
jax.distributed.initialize(sys.argv[1], num_processes=2, process_id=int(sys.argv[2]))
found, folder = {"devices": [len(jax.devices()), len(jax.local_devices())]}, sys.argv[3]
own = f"{folder}/{sys.argv[2]}"
found["mesh"] = train(lg.mesh(), "float64", checkpoint=own + ".safetensors", log=own + ".csv", progress=True)
longer = train(lg.mesh(), "float64", checkpoint=folder + "/0.safetensors", resume=True, epochs=3)
found["longer"] = {name: longer[name] for name in ("history", "predicted")}  # a pipe holds 64 kB
try:
    train(lg.mesh(), "float64", checkpoint=own + ".safetensors", resume=True, epochs=4)
except lg.LensgradError as error:
    found["apart"] = str(error)
print(json.dumps(found))
"""
)
LIMITS = {"float32": 1e-6, "float64": 1e-12}


def start(text, devices, *args):
    """A process of its own, with so many virtual devices."""
    flags = f"--xla_force_host_platform_device_count={devices}"
    env = {**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(Path(lg.__file__).parent.parent)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", text, *map(str, args)], env=env, **pipes)


def results(*processes):
    """What processes print last, once all of them have ended, and what they print before."""
    ended = [p.communicate(timeout=300) for p in processes]
    for p, (_, told) in zip(processes, ended, strict=True):
        assert p.returncode == 0, told[-3000:]
    printed = [out.splitlines() for out, _ in ended]
    return [{**json.loads(lines[-1]), "printed": lines[:-1]} for lines in printed]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def assert_same(a, b, limit):
    for ours, theirs in zip(a["history"], b["history"], strict=True):
        assert ours == pytest.approx(theirs, rel=limit, abs=limit)
    for name, value in a["values"].items():
        np.testing.assert_allclose(value, b["values"][name], rtol=0, atol=limit * 10)
    np.testing.assert_allclose(a["predicted"], b["predicted"], rtol=0, atol=limit * 100)


@pytest.fixture(scope="module")
def eight():
    return results(start(EIGHT, 8))[0]


@pytest.mark.parametrize("dtype", LIMITS)
def test_eight_devices_train_as_one_does(eight, dtype):
    assert eight["devices"] == 8
    assert_same(eight[dtype]["mesh"], eight[dtype]["one"], LIMITS[dtype])


def test_a_batch_is_divided_over_the_devices_and_sums_are_reduced_over_them(eight):
    assert eight["shards"] == [[2, 4]] * 8
    assert eight["reduced over devices"]


def test_two_processes_train_as_one_does_and_the_first_prints_and_writes(eight, tmp_path):
    address = f"127.0.0.1:{free_port()}"
    first, second = results(*(start(PROCESS, 2, address, k, tmp_path) for k in range(2)))
    for each in (first, second):
        assert each["devices"] == [4, 2]
        assert_same(each["mesh"], eight["float64"]["one"], LIMITS["float64"])
        assert each["longer"]["history"][:2] == each["mesh"]["history"] and len(each["longer"]["history"]) == 3
        told = "give all of them the same arguments, and a checkpoint that all can read"
        assert each["apart"] == f"the processes of this run do not start at the same step: {told}"
    assert first["longer"] == second["longer"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["0.csv", "0.safetensors"]
    ours, theirs = ([line.split("  ")[0] for line in each["printed"]] for each in (first, second))
    assert ours == ["epoch 1/2", "epoch 2/2"] and theirs == []


def test_a_mesh_of_more_devices_than_there_are_says_what_to_do():
    import jax

    n = len(jax.devices())
    with pytest.raises(BadValue) as error:
        lg.mesh(n + 1)
    told = f"a mesh of {n + 1} devices is asked for, and JAX has {n} of kind {jax.devices()[0].platform}: ask for 1 to {n}; "
    hint = "for virtual ones on a processor set XLA_FLAGS=--xla_force_host_platform_device_count=8 before JAX is imported"
    assert str(error.value) == told + hint


def test_equal_meshes_are_equal_backends():
    assert lg.mesh(1) == lg.mesh(1) and hash(lg.mesh(1)) == hash(lg.mesh(1)) and lg.mesh(1) != "jax"
