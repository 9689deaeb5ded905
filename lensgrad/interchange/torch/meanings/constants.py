# pyright: standard
# Not strict: the arguments of a meaning have the types that the schema of its operator gives them, and lambdas name none.
"""Operators that make arrays from numbers."""

from __future__ import annotations

from typing import Any

from lensgrad.core.graph import Wire
from lensgrad.interchange.torch.meanings.call import Meaning, Out, Table, kind
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.array import full
from lensgrad.theories.smooth.index import Iota


def everywhere(value: Any) -> Meaning:
    """The same number everywhere."""
    return lambda out, *_, **__: full(value, out.atoms[0])


def progression(out: Out, start: Any, end: Any = None, step: Any = 1, **options: Any) -> Wire:
    """start, start + step, … up to, but not including, the end."""
    first = 0 if end is None else start
    whole = ops.cast(Iota(out.shape[0])(), "float64" if kind(out.dtype) == 2 else "int32")
    return ops.cast(whole * step + first, out.dtype)


TABLE: Table = {
    **dict.fromkeys(("zeros", "zeros_like", "new_zeros"), everywhere(0)),
    **dict.fromkeys(("ones", "ones_like", "new_ones"), everywhere(1)),
    **dict.fromkeys(("empty", "empty_like", "new_empty", "empty_permuted"), everywhere(0)),
    "full": lambda out, size, value, **_: full(value, out.atoms[0]),
    "full_like": lambda out, x, value, **_: full(value, out.atoms[0]),
    "new_full": lambda out, x, size, value, **_: full(value, out.atoms[0]),
    "fill": lambda out, x, value: full(value, out.atoms[0]),
    "scalar_tensor": lambda out, value, **_: full(value, out.atoms[0]),
    "arange": progression,
}
