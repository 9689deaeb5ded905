"""Derivatives that need batching beside R."""

from __future__ import annotations

from typing import Any

from lensgrad.cat.reverse import R
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import TypeMismatch
from lensgrad.core.trace import trace
from lensgrad.theories.smooth.array import Array
from lensgrad.theories.smooth.batch import batch_all
from lensgrad.theories.smooth.index import Iota, OneHot
from lensgrad.theories.smooth.linear import Reshape


def jacobian(f: Diagram) -> Diagram:
    """A → ℝ^(B×A) for f : A → B with one array in and one out: R[f] on all unit cotangents at once."""
    if len(f.dom) != 1 or len(f.cod) != 1 or not isinstance(f.dom[0], Array) or not isinstance(f.cod[0], Array):
        raise TypeMismatch(f"the Jacobian is of an arrow with one array in and one array out, got {f.dom} → {f.cod}")
    a, b = f.dom[0], f.cod[0]
    rows = batch_all(R(f), b.size, [False, True])

    def body(x: Any) -> Any:
        units = Reshape((b.size, *b.shape))(OneHot(b.size, b.dtype)(Iota(b.size)()))
        return Reshape((*b.shape, *a.shape))(rows(x, units))

    return trace(body, f.dom)
