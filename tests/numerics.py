"""Numbers for tests: evaluate an arrow in NumPy, and differentiate by differences."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lensgrad.backends import numpy as backend
from lensgrad.cat.para import Para
from lensgrad.core.diagram import Diagram
from lensgrad.core.functor import unfold


def evaluate(f: Diagram, *xs: Any) -> Any:
    """f(x₁, …): one array, or a tuple when the codomain is not one atom."""
    arrays = [np.asarray(x, backend.host(a)[1]) for x, a in zip(xs, f.dom, strict=True)]
    outs = backend.function(f)(*arrays)
    return outs[0] if len(outs) == 1 else outs


def reals(seed: int, *shapes: Sequence[int]) -> list[np.ndarray]:
    """Normal numbers in float64, one array for each shape."""
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(s) for s in shapes]


def differences(f: Callable[..., Any], xs: Sequence[Any], which: int, eps: float = 1e-6) -> np.ndarray:
    """∂f/∂x for the input `which`: an array of shape (*output, *input), by central differences."""
    x = np.asarray(xs[which], np.float64)
    columns = []
    for place in np.ndindex(*x.shape):
        moved = []
        for sign in (1, -1):
            at = x.copy()
            at[place] += sign * eps
            moved.append(np.asarray(f(*[at if i == which else v for i, v in enumerate(xs)])))
        columns.append((moved[0] - moved[1]) / (2 * eps))
    return np.stack(columns, -1).reshape((*columns[0].shape, *x.shape))


def values_of(f: Para, seed: int = 0) -> dict[str, np.ndarray]:
    """A number array for every parameter of f, by name."""
    rng, carriers = np.random.default_rng(seed), [backend.host(p.ob[0]) for p in f.params]
    return {n: rng.standard_normal(shape).astype(dtype) for n, (shape, dtype) in zip(f.names, carriers, strict=True)}


def generators(f: Diagram) -> list[str]:
    """The names of the generators of an arrow, in order, definitions unfolded."""
    return [n.op.name for n in unfold(f).nodes]
