"""What the laws of `lensgrad/program/rewrites` save: nodes, multiply-adds and CPU time of four steps, before and after.

python -m benchmarks.rewrites [--quick] [backend …]

Before is the step with the formal rules of the theory only (x · 1 = x and the like). Both steps of a workload run in turns in this
process, on the same numbers; printed is the ratio of their shortest CPU times, and how far apart what they give back is.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

import lensgrad as lg
from lensgrad.backends.loop import applications, multiply_adds, work
from lensgrad.core.diagram import Diagram
from lensgrad.core.functor import unfold
from lensgrad.core.rewrite import rewrite
from lensgrad.program import compile as compiling
from lensgrad.program.compile import Program
from lensgrad.theories.smooth.rules import RULES


def perceptron(k: int) -> tuple[lg.Learner, int]:
    """784-512-512-10, cross-entropy, Adam, batches of 128."""
    layers = (lg.dense(512 // k, activation="relu"), lg.dense(512 // k, activation="relu"), lg.dense(10))
    return lg.supervised(lg.sequential(lg.input(784), *layers), lg.cross_entropy, lg.adam(1e-3)), 128


def characters(k: int) -> tuple[lg.Learner, int]:
    """An LSTM of 256 over 64 characters out of 65, embedded, batches of 32."""
    layers = (lg.embedding(65, 256 // k), lg.lstm(256 // k), lg.each(lg.dense(65)))
    return lg.supervised(lg.sequential(lg.input(64 // k, dtype="int32"), *layers), lg.cross_entropy, lg.adam(1e-3)), 32


def transformer(k: int) -> tuple[lg.Learner, int]:
    """Four blocks of width 128, four heads, 128 characters, batches of 16."""
    blocks = [lg.transformer_block(4, 512 // k, activation="gelu_tanh", causal=True) for _ in range(4)]
    ends = (lg.layer_norm(), lg.each(lg.dense(65, use_bias=False)))
    model = lg.sequential(lg.input(128 // k, dtype="int32"), lg.embedding(65, 128 // k), lg.learned_positions(), *blocks, *ends)
    return lg.supervised(model, lg.cross_entropy, lg.adamw(1e-3, weight_decay=0.1)), 16


def gated(k: int) -> tuple[lg.Learner, int]:
    """A GRU of 128 over 64 numbers, with dropout, batches of 32."""
    layers = (lg.gru(128 // k), lg.dropout(0.1), lg.each(lg.dense(8)))
    return lg.supervised(lg.sequential(lg.input(64 // k, 8), *layers), lg.half_squared_error, lg.adam(1e-3)), 32


WORKLOADS: dict[str, Callable[[int], tuple[lg.Learner, int]]] = {
    "perceptron": perceptron, "lstm": characters, "gru": gated, "transformer": transformer,
}  # fmt: skip


def plain(learner: lg.Learner, batch: int) -> Program:
    """The step as it was before these laws."""
    laws = compiling.finished
    try:
        compiling.finished = lambda f: rewrite(unfold(f), RULES)
        return replace(learner).step(batch, "numpy")
    finally:
        compiling.finished = laws


def inputs(step: Program) -> list[np.ndarray]:
    """Small numbers of either sign for floats; characters, or what counts steps, for whole numbers."""
    random = np.random.default_rng(0)
    return [one(atom, random) for port in step.inputs for atom in port.ob]


def one(atom: object, random: np.random.Generator) -> np.ndarray:
    shape, kind = getattr(atom, "shape", ()), getattr(atom, "dtype", "")
    if not kind:
        return random.integers(0, 2**32, (*shape, 2), dtype=np.uint32)
    if not kind.startswith("float"):
        return random.integers(1, 8, shape).astype(kind)
    return np.asarray(0.1 * np.abs(random.standard_normal(shape))).astype(kind)


def products(f: Diagram) -> int:
    """The multiply-adds of an arrow."""
    return sum(times * multiply_adds(node, dom) for node, dom, times in applications(f))


def shortest(calls: Sequence[Callable[[], object]], turns: int) -> list[float]:
    """The shortest CPU time of each, taken in turns."""
    best = [float("inf")] * len(calls)
    for _ in range(turns):
        for i, call in enumerate(calls):
            begin = time.process_time()
            call()
            best[i] = min(best[i], time.process_time() - begin)
    return best


def row(name: str, backend: str, quick: bool) -> str:
    learner, batch = WORKLOADS[name](4 if quick else 1)
    steps = [plain(learner, batch).on(backend), learner.step(batch, backend)]
    f, g = (step.diagram for step in steps)
    xs = [step.engine.place(x) for step in steps[:1] for x in inputs(step)]
    calls = [lambda step=step: [np.asarray(out) for out in step.function(*xs)] for step in steps]
    a, b = (call() for call in calls)
    apart = max(float(np.max(np.abs(x - y), initial=0) / (np.max(np.abs(x), initial=0) + 1e-6)) for x, y in zip(a, b, strict=True))
    before, after = shortest(calls, 2 if quick else 9)
    counts = f"{len(f.nodes):>6} {len(g.nodes):>6}{products(f) / 1e6:>10.1f}{products(g) / 1e6:>10.1f}{work(g) / work(f):>8.2f}"
    return f"{name:<12}{backend:<7}{counts}{1e3 * before:>10.1f}{1e3 * after:>10.1f}{after / before:>8.2f}{apart:>10.1e}"


def main(args: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small steps, for a first look")
    parser.add_argument("backends", nargs="*", default=["numpy"])
    given = parser.parse_args(args)
    print(f"{'workload':<12}{'on':<7}{'nodes':>13}{'mega multiply-adds':>20}{'work':>8}{'CPU ms':>20}{'ratio':>8}{'apart':>10}")
    for backend in given.backends:
        for name in WORKLOADS:
            print(row(name, backend, given.quick), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
