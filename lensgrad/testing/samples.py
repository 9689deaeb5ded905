"""Samplers of inputs: each takes a random generator and an atom and gives the array that carries it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lensgrad.backends.numpy import host
from lensgrad.core.errors import BadValue
from lensgrad.theories.poly.circuit import Vector
from lensgrad.theories.smooth.array import Array, Key

Rng = np.random.Generator
Sampler = Callable[[Rng, Any], Any]


def carried(atom: Any, values: Any) -> Any:
    """Values as the array that carries `atom`."""
    shape, dtype = host(atom)
    with np.errstate(over="ignore"):  # what is too large for half precision is infinite there
        return np.asarray(values).astype(dtype).reshape(shape)


def normal(rng: Rng, atom: Any) -> Any:
    """Standard normal numbers."""
    return carried(atom, rng.standard_normal(host(atom)[0]))


def between(low: float, high: float) -> Sampler:
    """Numbers of an interval."""
    return lambda rng, atom: carried(atom, rng.uniform(low, high, host(atom)[0]))


positive = between(0.3, 2.5)


def nonzero(rng: Rng, atom: Any) -> Any:
    """Numbers of either sign, away from zero."""
    shape = host(atom)[0]
    return carried(atom, rng.choice([-1.0, 1.0], shape) * rng.uniform(0.3, 2.0, shape))


def fractional(rng: Rng, atom: Any) -> Any:
    """Numbers away from whole ones."""
    shape = host(atom)[0]
    return carried(atom, rng.integers(-3, 3, shape) + rng.uniform(0.2, 0.8, shape))


def spaced(offset: float = 0.0) -> Sampler:
    """Distinct numbers a step of one apart, in random order; other offsets give numbers distinct from these."""

    def draw(rng: Rng, atom: Any) -> Any:
        size = int(np.prod(host(atom)[0]))
        return carried(atom, rng.permutation(size) - size // 2 + offset)

    return draw


def constant(values: Any) -> Sampler:
    """These numbers and no others."""
    return lambda _, atom: carried(atom, np.broadcast_to(values, host(atom)[0]))


def whole(low: int, high: int) -> Sampler:
    """Whole numbers low … high − 1, repeated: indices, labels, ties."""
    return lambda rng, atom: carried(atom, rng.integers(low, high, host(atom)[0]))


def words(rng: Rng, atom: Any) -> Any:
    """Uniform 32-bit words: keys and bits."""
    return rng.integers(0, 2**32, host(atom)[0], dtype=np.uint32)


def natural(rng: Rng, atom: Any) -> Any:
    """What an atom is sampled by when a case does not say: normal numbers, small whole numbers, bits, words."""
    if isinstance(atom, Key):
        return words(rng, atom)
    if isinstance(atom, Vector):
        return carried(atom, rng.integers(*((0, atom.semiring.size) if atom.semiring.finite else (-9, 10)), atom.total))
    if not isinstance(atom, Array):
        raise BadValue(f"there is no sampler for {atom}: give the case `values`, one sampler for each input")
    return normal(rng, atom) if atom.floating else whole(0, 2 if atom.dtype == "bool" else 4)(rng, atom)
