"""Fixed wiring of gates: which wires each gate reads, drawn once from a seed or given."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from random import Random
from typing import Any

from lensgrad.core.checks import listing, shown, whole
from lensgrad.core.errors import BadValue

MOST = 8  # inputs a gate
LARGEST = 1_000_000  # inputs or gates of a layer
Wiring = tuple[tuple[int, ...], ...]  # for each of the k inputs of a gate: the wire that each gate reads there


def random_wiring(inputs: int, gates: int, k: int, seed: int) -> Wiring:
    """k different wires for each gate, where there are as many, and each wire read about equally often."""
    rng, pool = Random(seed), list[int]()
    while len(pool) < gates * k:
        deck = list(range(inputs))
        rng.shuffle(deck)
        pool += deck
    for g in range(0, gates * k, k):
        if inputs >= k and len({*pool[g : g + k]}) < k:  # where one deck ends and the next begins
            pool[g : g + k] = rng.sample(range(inputs), k)
    return tuple(tuple(pool[j : gates * k : k]) for j in range(k))


def layer_sizes(inputs: Any, gates: Any, k: Any) -> tuple[int, int, int]:
    """How many inputs and gates a layer has, and how many inputs each gate, checked."""
    inputs, gates = (whole(f"{what} of a layer of gates", n, 1, LARGEST) for what, n in (("inputs", inputs), ("gates", gates)))
    k = whole("the number of inputs of a gate", k, 1)
    if k > MOST:
        raise BadValue(
            f"a gate can have at most {MOST} inputs, since its truth table has 2^{MOST} rows, got {k}: use more layers of smaller gates"
        )
    return inputs, gates, k


def wired(inputs: int, gates: int, k: int, seed: int, wiring: Any = None) -> Wiring:
    """The wiring of a layer: random, or the given one of k wires for each gate."""
    seed = whole("seed", seed)
    return random_wiring(inputs, gates, k, seed) if wiring is None else given(inputs, gates, k, wiring)


def given(inputs: int, gates: int, k: int, wiring: Sequence[Sequence[int]]) -> Wiring:
    """Rows of k wires, one for each gate, as columns."""
    rows = [read(row, k) for row in listing("wiring", wiring, f"a list with a row of {k} input numbers for each gate")]
    wrong = [row for row in rows if len(row) != k or min(row) < 0 or max(row) >= inputs]
    if len(rows) != gates or wrong:
        told = f"a gate reads {list(wrong[0])}" if wrong else f"{len(rows)} gates are wired"
        raise BadValue(f"the wiring of {gates} gates gives each {k} of the wires 0..{inputs - 1}, and {told}")
    return tuple(zip(*rows, strict=True))


def read(row: Any, k: int) -> tuple[int, ...]:
    """The wires of one gate; a number with a fraction is none."""
    try:
        return tuple(map(index, row))
    except TypeError:
        raise BadValue(f"a gate of a wiring must read {k} whole numbers of inputs, got {shown(row)}") from None
