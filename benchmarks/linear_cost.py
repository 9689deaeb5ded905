"""What composing costs: chains of dense + tanh in three bracketings, then one `lens` and one `put`.

Seconds and nodes must grow as the number of layers: the slope on log-log paper is at most 1.15 for both. Seconds are
those of the processor, so a busy machine does not bend the line.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

import lensgrad as lg
from lensgrad.lens import Para, lens

SIZES = (50, 100, 200, 400, 800, 1600)
WIDTH, LIMIT = 4, 1.15


def left(parts: Sequence[Para]) -> Para:
    return reduce(lambda f, g: f >> g, parts)


def right(parts: Sequence[Para]) -> Para:
    return reduce(lambda g, f: f >> g, reversed(parts))


def balanced(parts: Sequence[Para]) -> Para:
    half = len(parts) // 2
    return balanced(parts[:half]) >> balanced(parts[half:]) if half else parts[0]


BRACKETINGS: dict[str, Callable[[Sequence[Para]], Para]] = {"left": left, "right": right, "balanced": balanced}


@dataclass(frozen=True)
class Row:
    """One chain: how many layers, seconds from layers to finished `put`, nodes of it, and how often each forward stands in it."""

    bracketing: str
    layers: int
    seconds: float
    nodes: int
    forwards: Counter[str]

    @property
    def forward_once(self) -> bool:
        return set(self.forwards.values()) == {self.layers}


def put_of(bracketing: str, layers: int) -> Row:
    """Make the layers, compose them, take the lens, and compute its put."""
    gc.collect()
    start = time.process_time()
    parts = [lg.dense(WIDTH, WIDTH, activation="tanh", dtype="float64") for _ in range(layers)]
    put = lens(BRACKETINGS[bracketing](parts)).arrow.put
    nodes = len(put.nodes)
    return Row(bracketing, layers, time.process_time() - start, nodes, forwards(put.nodes))


def forwards(nodes: Sequence[object]) -> Counter[str]:
    """How many products W x, sums + β and tanh stand in a put. The backward part multiplies by rows and columns, not by W x."""
    kinds = (str(node.op) for node in nodes)  # pyright: ignore[reportAttributeAccessIssue]
    return Counter(k for k in kinds if k in ("Einsum(spec=ij,j->i)", "Tanh", "Add"))


def measure(sizes: Sequence[int] = SIZES, repeats: int = 3) -> list[Row]:
    """The fastest of some repeats, for each bracketing and size; the rounds are apart in time, so that noise hits all sizes alike."""
    rounds = [[put_of(b, n) for b in BRACKETINGS for n in sizes] for _ in range(repeats)]
    return [min(same, key=lambda r: r.seconds) for same in zip(*rounds, strict=True)]


def slope(rows: Sequence[Row], of: Callable[[Row], float]) -> float:
    """The exponent of growth: least squares on log-log paper."""
    return float(np.polyfit(np.log([r.layers for r in rows]), np.log([of(r) for r in rows]), 1)[0])


def slopes(rows: Sequence[Row]) -> dict[str, tuple[float, float]]:
    """For each bracketing the exponents of seconds and of nodes."""
    groups = {b: [r for r in rows if r.bracketing == b] for b in BRACKETINGS}
    return {b: (slope(g, lambda r: r.seconds), slope(g, lambda r: r.nodes)) for b, g in groups.items()}


def thousand() -> float:
    """Seconds for 1000 layers in all: made, composed to the left, differentiated, and the put computed."""
    return put_of("left", 1000).seconds


def main(args: Sequence[str] | None = None) -> int:
    """Print the table; 1 where a limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small chains, for a first look")
    quick = parser.parse_args(args).quick
    rows = measure(SIZES[:3], 1) if quick else measure()
    print(f"{'bracketing':<12}{'layers':>7}{'seconds':>10}{'nodes':>8}{'each forward once':>20}")
    for r in rows:
        print(f"{r.bracketing:<12}{r.layers:>7}{r.seconds:>10.4f}{r.nodes:>8}{'yes' if r.forward_once else f'no: {dict(r.forwards)}':>20}")
    found = slopes(rows)
    for b, (seconds, nodes) in found.items():
        print(f"{b:<12}slope of seconds {seconds:.3f}, of nodes {nodes:.3f}")
    total = thousand()
    print(f"1000 layers: {total:.2f} s in all")
    good = all(r.forward_once for r in rows) and all(n <= LIMIT for _, n in found.values())
    return 0 if good and (quick or (total < 5 and all(s <= LIMIT for s, _ in found.values()))) else 1


if __name__ == "__main__":
    sys.exit(main())
