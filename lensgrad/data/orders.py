"""The order in which an epoch sees the rows: that of NumPy's PCG64 for [seed, epoch], seeded for many epochs at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

Draw = Callable[[np.ndarray[Any, Any], int], "np.ndarray[Any, Any] | None"]  # orders of so many rows, one for each row of words
EPOCHS = 4096  # whose seeds are found together
WORD = np.uint32(0xFFFFFFFF)
POOL = 4  # words that a seed is mixed into


def order(examples: int, epoch: int, seed: int | None) -> np.ndarray[Any, Any]:
    """The rows of an epoch in the order in which it sees them."""
    if seed is None:
        return np.arange(examples)
    np.random.bit_generator.ISeedSequence.register(Known)  # only now, as NumPy imports random numbers when they are asked for
    known: Any = Known(seed, epoch)  # NumPy's own types leave out that any sequence of seeds will do
    return np.random.Generator(np.random.PCG64(known)).permutation(examples)


def orders(examples: int, epoch: int, epochs: int, seed: int, drawn: Draw | None = None) -> np.ndarray[Any, Any]:
    """The orders of some epochs in a row, one after the other. `drawn` draws them where it does so as NumPy does, which is looked at."""
    if drawn is not None and epoch + epochs <= int(WORD):
        blocks = range(epoch // EPOCHS, (epoch + epochs - 1) // EPOCHS + 1)
        start = epoch % EPOCHS
        found = drawn(np.concatenate([words(seed, b) for b in blocks])[start : start + epochs], examples)
        if found is not None and np.array_equal(found[:examples], order(examples, epoch, seed)):
            return found
    return np.concatenate([order(examples, e, seed) for e in range(epoch, epoch + epochs)])


class Known:
    """`SeedSequence([seed, epoch])`, of which a PCG64 asks four words. NumPy takes longer to find them than a small model for an epoch."""

    def __init__(self, seed: int, epoch: int) -> None:
        self.seed, self.epoch = int(seed), int(epoch)

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> np.ndarray[Any, Any]:
        if n_words == POOL and dtype is np.uint64 and self.epoch <= int(WORD):
            return words(self.seed, self.epoch // EPOCHS)[self.epoch % EPOCHS]
        return np.random.SeedSequence([self.seed, self.epoch]).generate_state(n_words, dtype)


@lru_cache(maxsize=16)
def words(seed: int, block: int) -> np.ndarray[Any, Any]:
    """The four words of each epoch of a block: what NumPy documents of `SeedSequence`, for all of them together (O'Neill 2015)."""
    epochs = np.arange(block * EPOCHS, (block + 1) * EPOCHS, dtype=np.uint64).astype(np.uint32)
    given = [*(np.full(EPOCHS, w, np.uint32) for w in digits(seed)), epochs]
    given += [np.zeros(EPOCHS, np.uint32)] * (POOL - len(given))
    constants = powers(0x43B0D7E5, 0x931E8875)
    pool = [hashed(x, constants) for x in given[:POOL]]
    for k in range(POOL):
        for to in (to for to in range(POOL) if to != k):
            pool[to] = mixed(pool[to], hashed(pool[k], constants))
    for x in given[POOL:]:
        pool = [mixed(p, hashed(x, constants)) for p in pool]
    constants = powers(0x8B51F9DD, 0x58F38DED)
    found = np.stack([hashed(pool[k % POOL], constants) for k in range(2 * POOL)], axis=1).astype("<u4")
    found = np.ascontiguousarray(found).view("<u8").astype(np.uint64)
    found.flags.writeable = False
    return found


def digits(n: int) -> Sequence[int]:
    """A whole number in words of 32 bits, the lowest first."""
    return [n >> k & int(WORD) for k in range(0, max(1, n.bit_length()), 32)]


def powers(first: int, factor: int) -> Iterator[tuple[np.uint32, np.uint32]]:
    """The constants of one hash after the other: what is added, and what is multiplied by."""
    while True:
        after = first * factor & int(WORD)
        yield np.uint32(first), np.uint32(after)
        first = after


def hashed(x: Any, constants: Iterator[tuple[np.uint32, np.uint32]]) -> Any:
    plus, times = next(constants)
    x = (x ^ plus) * times
    return x ^ (x >> np.uint32(16))


def mixed(a: Any, b: Any) -> Any:
    x = a * np.uint32(0xCA01F9DD) - b * np.uint32(0x4973F715)
    return x ^ (x >> np.uint32(16))
