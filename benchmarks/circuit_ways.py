"""Three ways to run a network of gates on words, by one thread: a table of instructions in C, C generated for the network, and numba.

    python -m benchmarks.circuit_ways [--quick] [--rounds N] [--numba-python PATH]

The library has the first. The second prints the same instructions as C, two thousand to a function, and compiles them (-O1, since
time grows with more). The third loops over layers, gates and words, with blocks of words that stay in the cache; it runs in a
Python that has numba, and reads what it is to do from a file. All three give the same words. Rates count all gates; the first two
leave out the eighth of them that nothing reads.
"""

from __future__ import annotations

import argparse
import ctypes
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.circuits import layered, machine, medians, timed, wiring
from lensgrad.backends.native import compiler as native
from lensgrad.backends.native import lanes
from lensgrad.backends.native.lanes.fuse import KINDS
from lensgrad.backends.native.lanes.machine import VECTOR, Machine, aligned
from lensgrad.theories.smooth.batch import batch

Numbers = np.ndarray[Any, Any]
CHUNK = 2000  # instructions in a function
LINES = {
    "MAC_SSS": "s[{0}] = (s[{1}] & s[{2}]) ^ s[{3}];", "MAC_PSS": "s[{0}] = (q({1}) & s[{2}]) ^ s[{3}];",
    "MAC_SSP": "s[{0}] = (s[{1}] & s[{2}]) ^ q({3});", "MAC_PSP": "s[{0}] = (q({1}) & s[{2}]) ^ q({3});",
    "MUL_SS": "s[{0}] = s[{1}] & s[{2}];", "MUL_PS": "s[{0}] = q({1}) & s[{2}];", "ADD_SS": "s[{0}] = s[{1}] ^ s[{3}];",
    "ADD_SP": "s[{0}] = s[{1}] ^ q({3});", "PUT_P": "s[{0}] = q({1});",
    "IN": "s[{0}] = *(Loose *)(x + {2} * words);", "OUT": "*(Loose *)(y + {2} * words) = s[{1}];",
}  # fmt: skip
NUMBA = """
import sys, time
import numba, numpy as np

@numba.njit
def run(x, tables, left, right, block):
    width, words = left.shape[1], x.shape[1]
    out = np.empty((width, words), np.uint64)
    here = np.empty((max(width, len(x)), block), np.uint64)
    after = np.empty((max(width, len(x)), block), np.uint64)
    for start in range(0, words, block):
        n = min(block, words - start)
        here[:len(x), :n] = x[:, start:start + n]
        for k in range(len(left)):
            for g in range(width):
                t0, t1, t2, t3 = tables[k, 0, g], tables[k, 1, g], tables[k, 2, g], tables[k, 3, g]
                d, e, f = t1 ^ t0, t2 ^ t0, t3 ^ t2 ^ t1 ^ t0
                a, b, y = here[left[k, g]], here[right[k, g]], after[g]
                for w in range(n):
                    y[w] = t0 ^ (a[w] & d) ^ (b[w] & (e ^ (a[w] & f)))
            here, after = after, here
        out[:, start:start + n] = here[:width, :n]
    return out

data = np.load(sys.argv[1])
args = data["x"], data["tables"], data["left"], data["right"]
began = time.perf_counter(); answer = run(*args, 8); compiling = time.perf_counter() - began
best = 1e9, 1e9, 0
for block in (8, 16, 32, 64):
    for _ in range(int(sys.argv[2])):
        busy, clock = time.process_time(), time.perf_counter()
        answer = run(*args, block)
        best = min(best, (time.process_time() - busy, time.perf_counter() - clock, block))
np.savez(sys.argv[3], answer=answer, compiling=compiling, busy=best[0], clock=best[1], block=best[2])
"""


def generated(made: Any, folder: Path) -> Any:
    """The program of a machine as C: a function for each part, and one that calls them for each block of 512 rows."""
    program, code = made.program, made.code
    lines = [LINES[KINDS[kind]].format(*row) for kind, row in zip(program.kinds.tolist(), code.tolist(), strict=True)]
    parts = [lines[k : k + CHUNK] for k in range(0, len(lines), CHUNK)]
    arguments = "V *s, const uint64_t *p, const uint64_t *x, uint64_t *y, long words"
    head = "#include <stdint.h>\ntypedef uint64_t V __attribute__((vector_size(64)));\n"
    head += "typedef uint64_t Loose __attribute__((vector_size(64), aligned(8)));\n#define q(n) ((V){0} + p[n])\n"
    body = "".join(f"static void f{k}({arguments}) {{\n" + "\n".join(part) + "\n}\n" for k, part in enumerate(parts))
    calls = "".join(f"f{k}(s, p, x + w, y + w, words);" for k in range(len(parts)))
    text = f"{head}{body}void run({arguments}) {{ for (long w = 0; w < words; w += 8) {{ {calls} }} }}"
    source, library = folder / "gates.c", folder / "gates.so"
    source.write_text(text, encoding="utf-8")
    command = [*(native.compiler() or ("cc",)), "-O1", "-march=native", "-shared", "-fPIC", "-o", str(library), str(source)]
    subprocess.run(command, check=True)
    return ctypes.CDLL(str(library)).run


def compare(layers: int, width: int, rows: int, rounds: int, python: str) -> None:
    arrow = batch(layered(layers, width, 784), rows, [*[False] * layers, True])[0]
    rng = np.random.default_rng(1)
    tables = [rng.integers(0, 2, 4 * width, np.uint8) for _ in range(layers)]
    x = lanes.Words.of(rng.integers(0, 2, (rows, 784), np.uint8))
    print(f"{layers * width:,} gates × {rows:,} examples", flush=True)
    began = time.perf_counter()
    call, made, shared = looked_into(arrow, [*tables, x])
    seconds, (wanted,) = time.perf_counter() - began, call(*tables, x)
    out, work = made.room(width), layers * width * rows
    taken = measured(lambda: made.run(shared, [x.words], [out], np.zeros(0, np.int64), (0, rows)), rounds)
    told("table of instructions", work, taken, seconds)
    with tempfile.TemporaryDirectory() as name:
        began = time.perf_counter()
        run = generated(made, Path(name))
        seconds = time.perf_counter() - began
        slots, other = aligned(made.slots * VECTOR), made.room(width)
        pointers = [ctypes.c_void_p(v.ctypes.data) for v in (slots, shared, x.words, other)]
        told("generated C", work, measured(lambda: run(*pointers, ctypes.c_long(x.words.shape[1])), rounds), seconds)
        same(out, wanted.words, other)
        if python:
            found = by_numba(Path(name), python, rounds, tables, x.words, (layers, width))
            same(found["answer"], out)
            taken = float(found["busy"]), float(found["clock"])
            told(f"numba, blocks of {found['block']} words", work, taken, float(found["compiling"]))


def looked_into(arrow: Any, args: Sequence[Any]) -> tuple[Any, Any, Numbers]:
    """The function of an arrow, its machine, and the numbers that all rows share at these arguments."""
    seen: list[Any] = []
    original = Machine.run

    def watched(self: Any, shared: Numbers, *rest: Any) -> float:
        seen.extend((self, shared))
        return original(self, shared, *rest)

    call = lanes.function(arrow)
    Machine.run = watched
    try:
        call(*args)
    finally:
        Machine.run = original
    return call, seen[0], seen[1]


def by_numba(folder: Path, python: str, rounds: int, tables: list[Numbers], x: Numbers, size: tuple[int, int]) -> Any:
    layers, width = size
    pairs = wiring(layers, width, 784)
    full = np.negative(np.stack(tables).reshape(layers, 4, width).astype(np.uint64))
    np.savez(folder / "in.npz", x=x, tables=full, left=np.stack([p[0] for p in pairs]), right=np.stack([p[1] for p in pairs]))
    (folder / "by_numba.py").write_text(NUMBA, encoding="utf-8")
    command = [python, str(folder / "by_numba.py"), str(folder / "in.npz"), str(rounds), str(folder / "out.npz")]
    subprocess.run(command, check=True)
    return np.load(folder / "out.npz")


def same(*answers: Numbers) -> None:
    if not all(np.array_equal(answers[0], other) for other in answers[1:]):
        raise SystemExit("the answers differ")


def measured(job: Any, rounds: int) -> tuple[float, float]:
    job()
    return medians([timed(job)[1] for _ in range(rounds)])


def told(name: str, work: int, taken: tuple[float, float], seconds: float) -> None:
    print(
        f"  {name:28} {work / taken[0] / 1e9:8.1f} G/s, {taken[0]:.4f} s, by the clock {taken[1]:.4f} s; made in {seconds:.1f} s",
        flush=True,
    )


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that everything runs")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--numba-python", default="", help="a Python that has numba")
    given = parser.parse_args(argv)
    if native.library("XOR") is None:
        print("there is no C compiler here, and these are figures of compiled circuits", file=sys.stderr)
        return 1
    print(machine())
    for size in ((2, 60, 1500),) if given.quick else ((3, 2000, 4096), (6, 8000, 65536)):
        compare(*size, given.rounds, given.numba_python)
    return 0


if __name__ == "__main__":
    sys.exit(main())
