"""How a rewritten arrow is compared with the arrow that it was."""

import numpy as np

from lensgrad.backends.exact import exact
from lensgrad.backends.numpy import function
from lensgrad.theories.smooth.array import Key, Real


def real(*shape):
    return Real(*shape, dtype="float64")


def inputs(f, seed=0):
    """Numbers for each input: floats of both signs, whole numbers on both sides of the rows that there are, keys."""
    random = np.random.default_rng(seed)
    return [drawn(atom, random) for atom in f.dom]


def drawn(atom, random):
    if isinstance(atom, Key):
        return random.integers(0, 2**32, (*atom.shape, 2), dtype=np.uint32)
    if atom.dtype == "bool":
        return random.random(atom.shape) < 0.5
    if not atom.floating:
        return random.integers(-2, 9, atom.shape).astype(atom.dtype)
    return np.asarray(random.standard_normal(atom.shape)).astype(atom.dtype)


def agree(f, g, tolerance=1e-11):
    """f = g, as functions on float64: compared on random numbers."""
    assert (f.dom, f.cod) == (g.dom, g.cod)
    xs = inputs(f)
    for a, b in zip(function(f)(*xs), function(g)(*xs), strict=True):
        assert np.asarray(a).shape == np.asarray(b).shape
        assert np.asarray(a).dtype == np.asarray(b).dtype
        np.testing.assert_allclose(b, a, rtol=tolerance, atol=tolerance)
    return True


def same_polynomials(f, g):
    """f = g in the exact functor, which knows sums, products, loops and what moves entries."""
    return exact(f) == exact(g)


def kinds(f):
    """The generators of an arrow, in order."""
    return [node.op.name for node in f.nodes]
