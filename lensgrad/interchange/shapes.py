"""Shapes as the formats of others read them: right-aligned, with axes of size 1 spread silently."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lensgrad.core.errors import TypeMismatch
from lensgrad.core.graph import Wire
from lensgrad.theories.smooth import ops


def spread_to(x: Wire, shape: Sequence[int]) -> Wire:
    """A wire at a shape that its own is spread to, as NumPy does."""
    own, wide = tuple(x.atom.shape), tuple(shape)
    if own == wide:
        return x
    first = len(wide) - len(own)
    if first < 0 or any(n not in (1, wide[first + a]) for a, n in enumerate(own)):
        raise TypeMismatch(f"{x.atom} cannot be spread to the shape {list(wide)}")
    kept = [a for a, n in enumerate(own) if n != 1 or wide[first + a] == 1]
    thin = x if len(kept) == len(own) else ops.reshape(x, *(own[a] for a in kept))
    return ops.spread(thin, wide, tuple(first + a for a in kept))


def alike(*xs: Wire) -> list[Wire]:
    """Wires at the one shape that all of theirs are spread to."""
    try:
        shape = np.broadcast_shapes(*(x.atom.shape for x in xs))
    except ValueError:
        raise TypeMismatch(f"{' and '.join(str(x.atom) for x in xs)} cannot be spread to one shape") from None
    return [spread_to(x, shape) for x in xs]
