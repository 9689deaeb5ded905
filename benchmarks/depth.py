"""How long JAX compiles a training step of transformer blocks: one after the other, and as a loop of `lg.repeat`.

python -m benchmarks.depth [depth …]
"""

from __future__ import annotations

import sys
import time

import numpy as np

import lensgrad as lg


def learner(depth: int, looped: bool) -> lg.Learner:
    """A character model on 32 steps of 64 features."""
    block = lg.transformer_block(4, causal=True)
    blocks = [lg.repeat(block, depth, name="blocks")] if looped else [block] * depth
    ends = lg.embedding(65, 64, name="embed"), lg.unembed(65, name="out")
    return lg.supervised(lg.sequential(lg.input(32, dtype="int32"), ends[0], *blocks, ends[1]), lg.cross_entropy, lg.adam(1e-3))


def seconds(made: lg.Learner) -> tuple[float, float]:
    """Building the step, and its first call, which compiles."""
    tokens = np.random.default_rng(0).integers(0, 65, (8, 32)).astype(np.int32)
    values = {**made.initial(), "x": tokens, "y": tokens}
    start = time.perf_counter()
    step = made.step(8, "jax")
    built = time.perf_counter()
    step(values)
    return built - start, time.perf_counter() - built


def main() -> None:
    print("blocks  form        build   compile and run once")
    for depth in [int(a) for a in sys.argv[1:]] or [4, 12]:
        for looped in (False, True):
            build, first = seconds(learner(depth, looped))
            print(f"{depth:6d}  {'repeat' if looped else 'sequential':10}  {build:5.2f} s  {first:5.2f} s", flush=True)


if __name__ == "__main__":
    main()
