"""An epoch by the program in a C file and by the same function called from Python: the same weights, bit for bit."""

import ctypes
import os
import re
import subprocess

import numpy as np
import pytest
from portable_check import compiled, needs_compiler

from lensgrad.data import official
from lensgrad.recipes.vision import paper_learner

pytestmark = needs_compiler
FAST = ("-O3", "-march=native", "-ffp-contract=off")
BATCH = 100


def random_images():
    rng = np.random.default_rng(0)
    return rng.uniform(0, 1, (300, 28, 28, 1)).astype(np.float32), rng.integers(0, 10, 300)


def digits():
    if not os.environ.get("LENSGRAD_DATA"):
        pytest.skip("LENSGRAD_DATA names no folder with MNIST in it")
    return official.mnist()[0]


def places(source):
    """What stays in memory, in the order of the files: where, and how many bytes; and the size of the memory."""
    text = source.read_text(encoding="utf-8")
    at = {m[1]: int(m[2]) for m in re.finditer(r"^  (\w+) = (\d+)", text, re.MULTILINE)}
    kept = [(at[m[1]], int(m[2])) for m in re.finditer(r"^  (AT_\w+)  .*, (\d+) bytes$", text, re.MULTILINE)]
    return kept, at["MEMORY"]


def by_python(source, folder, rows):
    """What stays after all steps, by calls of the function in the file."""
    run, (kept, size) = ctypes.CDLL(str(compiled(source, folder / "step.so", "-shared", "-fPIC", *FAST))).step, places(source)
    memory, start, observed = np.zeros(size // 8 + 1), source.with_suffix(".bin").read_bytes(), np.empty((2, BATCH), np.float32)
    raw = memory.view(np.uint8)
    for at, n in kept:
        raw[at : at + n], start = np.frombuffer(start[:n], np.uint8), start[n:]
    for x, y in rows:
        run(*(ctypes.c_void_p(a.ctypes.data) for a in (memory, x, y, *observed)))
    return b"".join(raw[at : at + n].tobytes() for at, n in kept)


@pytest.mark.parametrize("images", [random_images, digits])
def test_an_epoch_without_python_reaches_the_same_weights_bit_for_bit(images, tmp_path):
    x, y = images()
    truth = np.eye(10, dtype=np.float32)[y]
    rows = [(x[k : k + BATCH].copy(), truth[k : k + BATCH].copy()) for k in range(0, len(x), BATCH)]
    source, data, end = tmp_path / "step.c", tmp_path / "data.bin", tmp_path / "end.bin"
    paper_learner().export_c(source, BATCH)
    data.write_bytes(b"".join(a.tobytes() + b.tobytes() for a, b in rows))
    program = compiled(source, tmp_path / "step", "-DLENSGRAD_MAIN", *FAST)
    subprocess.run([str(program), source.with_suffix(".bin"), data, end], check=True, capture_output=True)
    assert end.read_bytes() == by_python(source, tmp_path, rows) != source.with_suffix(".bin").read_bytes()
