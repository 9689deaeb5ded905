"""Circuits on many examples at once: gate evaluations a second, beside NumPy and beside what the machine can do.

    python -m benchmarks.circuits [--quick] [--rounds N]

Three circuits over Z2 on one thread: layers of two-input gates whose four table bits are weights, 3 × 2,000 gates on 4,096
examples and 6 × 8,000 gates on 65,536, the last layer added into ten outputs, forward, and in reverse with a count for every table
bit; and a random circuit of 10⁵ XOR and AND gates on 10⁶ examples, in which every gate has an effect. Then a training step of the
image of 6 × 8,000 gates in Smooth, in float32 on 100 examples, compiled and as plain NumPy.

Rates count gates, not instructions, whatever a gate takes; the eighth of a network that nothing reads is not counted. Inputs and
outputs are words, 64 examples in each; packing bytes into words and back has a line of its own. NumPy has the same words: whole
layers at a time, and for the random circuit one gate at a time on blocks of words, which is its fastest way there. Every output is
compared with NumPy's, bit for bit. The limits are of loops in C that do nothing else: three-operand logic in registers, and from and
to the first cache. Rounds are interleaved, and rates are those of the median by the time that this process had on its processor; wall
time is beside it, for a quiet machine.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import lensgrad as lg
from lensgrad.backends.engine import Native, NumPy
from lensgrad.backends.native import compiler as native
from lensgrad.backends.native import lanes
from lensgrad.backends.native.lanes.machine import aligned
from lensgrad.cat.names import Param
from lensgrad.cat.para import Para, parametric
from lensgrad.core.diagram import Diagram
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.learn.counts import counted
from lensgrad.theories.bridges import smooth
from lensgrad.theories.poly.circuit import Bits, gather, scatter
from lensgrad.theories.poly.semiring import Z2, Semiring, Z
from lensgrad.theories.smooth.batch import batch

LONG = 0.05  # seconds of what is timed by a single call
Numbers = np.ndarray[Any, Any]
Job = Callable[[], Any]


# -- circuits ----------------------------------------------------------------------------------------------------------


def wiring(layers: int, width: int, inputs: int, seed: int = 0) -> list[Numbers]:
    """The two sources of each gate, layer after layer."""
    rng = np.random.default_rng(seed)
    return [rng.integers(0, n, (2, width)) for n in (inputs, *[width] * (layers - 1))]


def read(layers: int, width: int, inputs: int) -> int:
    """How many gates have an effect, where all of the last layer have."""
    needed, count = np.arange(width), 0
    for pair in reversed(wiring(layers, width, inputs)):
        count += len(needed)
        needed = np.unique(pair[:, needed])
    return count


def layered(layers: int, width: int, inputs: int, semiring: Semiring = Z2, seed: int = 0) -> Diagram:
    """(tables, x) ↦ the last layer: each gate looks up two bits of the layer before in a table of its own."""
    pairs = wiring(layers, width, inputs, seed)

    def body(*wires: Any) -> Any:
        *tables, x = wires
        for table, (left, right) in zip(tables, pairs, strict=True):
            t0, t1, t2, t3 = (table[k * width : (k + 1) * width] for k in range(4))
            a, b = gather(x, left.tolist()), gather(x, right.tolist())
            x = (t0 + a * (t1 - t0)) + b * ((t2 - t0) + a * ((t3 - t2) - (t1 - t0)))
        return x

    return trace(body, *[Bits(4 * width, semiring)] * layers, Bits(inputs, semiring))


def model(f: Diagram) -> Para:
    """All inputs but the last as weights."""
    weights = [Param(f"table{k}", Ty((a,))) for k, a in enumerate(f.dom.atoms[:-1])]
    return parametric(weights, Ty((f.dom[-1],)), lambda *wires: f(*wires))


@dataclass(frozen=True)
class Dag:
    """Random gates, each on two of the inputs and gates before it; what no gate reads is joined by XOR into the outputs."""

    inputs: int
    outputs: int
    left: Numbers
    right: Numbers
    product: Numbers  # whether a gate is AND

    @staticmethod
    def random(gates: int, inputs: int = 256, outputs: int = 16, seed: int = 0) -> Dag:
        """Three quarters of the gates are random, about as many as leave the last quarter for joining."""
        rng = np.random.default_rng(seed)
        drawn = gates * 3 // 4
        before = np.arange(drawn) + inputs
        left, right = ((rng.random(drawn) * before).astype(np.int64) for _ in range(2))
        product = rng.integers(0, 2, drawn).astype(bool)
        row = list(np.setdiff1d(np.arange(inputs + drawn), np.concatenate([left, right])))
        pairs: list[tuple[int, int]] = []
        while len(row) > outputs:
            pairs.append((row.pop(0), row.pop(0)))
            row.append(inputs + drawn + len(pairs) - 1)
        joined = np.array(pairs, np.int64).reshape(-1, 2)
        product = np.concatenate([product, np.zeros(len(joined), bool)])
        return Dag(inputs, outputs, np.concatenate([left, joined[:, 0]]), np.concatenate([right, joined[:, 1]]), product)

    @property
    def gates(self) -> int:
        return len(self.left)

    def diagram(self) -> Diagram:
        """Level by level, as one vector of all values so far."""
        size, depth = self.inputs + self.gates, [0] * self.inputs
        for a, b in zip(self.left.tolist(), self.right.tolist(), strict=True):
            depth.append(1 + max(depth[a], depth[b]))
        level = np.array(depth[self.inputs :])

        def body(x: Any) -> Any:
            state = scatter(x, range(self.inputs), size)
            for k in range(1, level.max() + 1):
                for product in (False, True):
                    here = np.flatnonzero((level == k) & (self.product == product))
                    if len(here):
                        a, b = (gather(state, side[here].tolist()) for side in (self.left, self.right))
                        state = state + scatter(a * b if product else a + b, (here + self.inputs).tolist(), size)
            return gather(state, range(size - self.outputs, size))

        return trace(body, Bits(self.inputs))

    def numpy(self, words: Numbers, block: int) -> Numbers:
        """One gate at a time on so many words, in place."""
        out = np.empty((self.outputs, words.shape[1]), np.uint64)
        room = np.empty((self.inputs + self.gates, block), np.uint64)
        functions = np.bitwise_xor, np.bitwise_and
        steps = list(zip(self.left.tolist(), self.right.tolist(), self.product.tolist(), strict=True))
        for start in range(0, words.shape[1], block):
            part = words[:, start : start + block]
            now = room[:, : part.shape[1]]
            rows, now[: self.inputs] = list(now), part
            for k, (a, b, product) in enumerate(steps, self.inputs):
                functions[product](rows[a], rows[b], out=rows[k])
            out[:, start : start + block] = now[-self.outputs :]
        return out


# -- the machine -------------------------------------------------------------------------------------------------------

LIMIT = """
#include <stdint.h>
typedef uint64_t V __attribute__((vector_size(64)));
void registers(long n, V *out) {
    V x[12];
    for (int i = 0; i < 12; i++) x[i] = out[i];
    for (long k = 0; k < n; k++) {
        for (int i = 0; i < 12; i++) x[i] = (x[i] & x[(i + 1) % 12]) ^ x[(i + 5) % 12];
    }
    for (int i = 0; i < 12; i++) out[i] = x[i];
}
void cache(long n, V *a) {
    for (long k = 0; k < n; k++) {
        for (int i = 0; i < 96; i++) a[96 + i] = (a[i] & a[i + 1]) ^ a[96 + i];
        __asm__ volatile("" ::: "memory");
    }
}
"""


def limits(rounds: int) -> dict[str, float]:
    """Three-operand logic of 64 bytes at a time, in G bits a second: in registers, and with three loads and a store."""
    found = native.compiler()
    assert found is not None
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder) / "limit.c", Path(folder) / "limit.so"
        source.write_text(LIMIT, encoding="utf-8")
        subprocess.run([*found, *native.FLAGS, "-o", str(made), str(source)], check=True)
        library = ctypes.CDLL(str(made))
        room = aligned(64 * 200)
        room[:] = 1

        def rate(name: str, each: int, n: int = 200_000) -> float:
            call = getattr(library, name)
            return each * 512 * n / cost(lambda: call(ctypes.c_long(n), ctypes.c_void_p(room.ctypes.data)), rounds)[0] / 1e9

        return {"in registers": rate("registers", 12), "from and to the first cache": rate("cache", 96)}


def cost(job: Job, rounds: int) -> tuple[float, float]:
    """Median seconds on the processor, and by the clock."""
    job()
    return medians([timed(job)[1] for _ in range(rounds)])


def timed(job: Job) -> tuple[Any, tuple[float, float]]:
    busy, clock = time.process_time(), time.perf_counter()
    answer = job()
    return answer, (time.process_time() - busy, time.perf_counter() - clock)


def average(job: Job) -> tuple[float, float]:
    """Seconds of a call: of one that takes long, of many in a row that do not."""
    busy, clock = timed(job)[1]
    if clock >= LONG:
        return busy, clock
    calls = int(LONG / max(clock, 1e-6))
    busy, clock = timed(lambda: [job() for _ in range(calls)])[1]
    return busy / calls, clock / calls


def medians(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs)


# -- races -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Race:
    """Several ways to do the same work, whose answers are equal: so many gates on so many examples."""

    title: str
    gates: int
    rows: int
    ways: dict[str, Job]
    notes: tuple[str, ...] = ()

    def run(self, rounds: int) -> str:
        answers = {name: flat(job()) for name, job in self.ways.items()}
        first, *others = answers.values()
        equal = all(np.array_equal(a, b) for other in others for a, b in zip(first, other, strict=True))
        if not equal:
            raise SystemExit(f"{self.title}: the answers differ")
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in self.ways}
        for _ in range(rounds):
            for name, job in self.ways.items():
                taken[name].append(average(job))
        return "\n".join(
            [f"{self.title}: {self.gates:,} gates × {self.rows:,} examples, equal bit for bit", *self.table(taken), *self.notes]
        )

    def table(self, taken: dict[str, list[tuple[float, float]]]) -> list[str]:
        text = "  {:18} {:9.2f} G/s   {:6.1f} × NumPy   {:8.4f} s, by the clock {:8.4f} s"
        work, slowest = self.gates * self.rows / 1e9, medians(taken["NumPy"])[0]
        found = {name: medians(pairs) for name, pairs in taken.items()}
        return [text.format(name, work / b, slowest / b, b, c) for name, (b, c) in found.items()]


def flat(answer: Any) -> list[Numbers]:
    """An answer as arrays; of words, the bits of rows."""
    return [w.bytes() if isinstance(w, lanes.Words) else np.asarray(w) for w in (answer if isinstance(answer, tuple) else (answer,))]


def network(layers: int, width: int, rows: int, reverse: bool) -> Race:
    """Layers of gates, forward or in reverse with counts; the last layer is added into ten outputs, as votes are."""
    last = layered(layers, width, 784)
    f = trace(lambda *wires: scatter(last(*wires), [k % 10 for k in range(width)], 10), *(Ty((a,)) for a in last.dom))
    arrow = counted(model(f), rows) if reverse else batch(f, rows, [*[False] * layers, True])[0]
    rng = np.random.default_rng(1)
    arrays = [rng.integers(0, 2, a.shape, np.uint8) for a in arrow.dom]
    words = [lanes.Words.of(x) if x.ndim == 2 else x for x in arrays]
    began = time.perf_counter()
    compiled = lanes.function(arrow)
    seconds, slow = time.perf_counter() - began, lanes.function(arrow, compiled=False)
    ways = {"compiled": lambda: compiled(*words), "from and to bytes": lambda: compiled(*arrays), "NumPy": lambda: slow(*words)}
    return Race("reverse with counts" if reverse else "forward", read(layers, width, 784), rows, ways, (f"  lowered in {seconds:.2f} s",))


def random_dag(gates: int, rows: int) -> Race:
    dag = Dag.random(gates)
    arrow = batch(dag.diagram(), rows, [True])[0]
    began = time.perf_counter()
    compiled = lanes.function(arrow)
    seconds = time.perf_counter() - began
    size = 8 * -(-rows // 512)
    words = np.random.default_rng(1).integers(0, 2**64, (dag.inputs, size), np.uint64)
    ways = {
        "compiled": lambda: compiled(lanes.Words(words, rows)),
        "NumPy": lambda: lanes.Words(dag.numpy(words, min(size, 2048)), rows),
    }
    return Race("random circuit", dag.gates, rows, ways, (f"  lowered in {seconds:.2f} s",))


def soft_step(layers: int, width: int, rows: int, rounds: int) -> str:
    """A step of gradient descent on the image of a network in Smooth, kept whole and unfolded."""
    f = layered(layers, width, 784, Z)
    votes = trace(lambda *wires: scatter(f(*wires), [k % 10 for k in range(width)], 10), *(Ty((a,)) for a in f.dom))
    image = smooth(votes, whole=True)
    scaled = trace(lambda *wires: image(*wires) * (10 / width), *(Ty((a,)) for a in image.dom))
    learner = lg.supervised(model(scaled), lg.cross_entropy, lg.sgd(0.01))
    rng = np.random.default_rng(0)
    steps = {name: learner.step(rows, way) for name, way in (("compiled", Native()), ("NumPy", NumPy()))}
    values = {p.name: rng.random(p.ob[0].shape, np.float32) for p in steps["NumPy"].inputs}
    values["y"] = rng.integers(0, 10, rows, np.int32)
    found = [step(values) for step in steps.values()]
    far = max(float(np.abs(found[0][n] - found[1][n]).max() / np.abs(found[1][n]).max()) for n in found[0])
    told = [f"training step in float32: {layers * width:,} gates × {rows} examples, apart by {far:.0e} of the largest entry"]
    for name, step in steps.items():
        busy, clock = cost(lambda step=step: step(values), rounds)
        told.append(f"  {name:18} {busy * 1e3:9.1f} ms, by the clock {clock * 1e3:.1f} ms")
    return "\n".join(told)


# -- the page ----------------------------------------------------------------------------------------------------------


def machine() -> str:
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors" if hasattr(os, "getloadavg") else f"{os.cpu_count()} processors"
    compiler = native.compiler() or ()
    return f"{platform.machine()}, {load}, NumPy {np.__version__}, {native.version(compiler).splitlines()[0]}"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that everything runs")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args(argv)
    if native.library("XOR") is None:
        print("there is no C compiler here, and these are figures of compiled circuits", file=sys.stderr)
        return 1
    print(machine())
    for name, rate in limits(given.rounds).items():
        print(f"limit, three-operand logic {name}: {rate:,.0f} G bits/s")
    small, large = ((2, 50, 600), (3, 80, 1100)) if given.quick else ((3, 2000, 4096), (6, 8000, 65536))
    for size in (small, large):
        for reverse in (False, True):
            print(network(*size, reverse).run(given.rounds), flush=True)
    print(random_dag(*((400, 1500) if given.quick else (100_000, 1_000_000))).run(given.rounds), flush=True)
    print(soft_step(*((2, 100, 20) if given.quick else (6, 8000, 100)), given.rounds), flush=True)
    print(machine())
    return 0


if __name__ == "__main__":
    sys.exit(main())
