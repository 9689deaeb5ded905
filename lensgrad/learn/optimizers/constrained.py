"""Weights on a sphere or a Stiefel manifold: the gradient is made tangent before the step, and the step ends on the manifold.

Both are lenses, one before and one behind any optimizer, so `sphere(adam(1e-2))` is a chain of three. First values are brought
onto the manifold too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lensgrad.cat.lens import forward
from lensgrad.cat.names import Param
from lensgrad.cat.para import Para
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import TypeMismatch
from lensgrad.core.trace import trace
from lensgrad.core.ty import Ty
from lensgrad.learn.optimizers.chain import chain, mover
from lensgrad.learn.optimizers.parts import Optimizer, Transform, behind, movable, through, unit, whole
from lensgrad.theories.smooth import ops
from lensgrad.theories.smooth.index import Iota, OneHot
from lensgrad.theories.smooth.scan import scan


def sphere(optimizer: Optimizer) -> Optimizer:
    """An optimizer of a weight with ‖p‖ = 1: p′ ↦ p′ − ⟨p, p′⟩ p before it, and p ↦ p / ‖p‖ behind it.

    A weight that is 0, as biases are at first, stays there until a step moves it onto the sphere.
    """
    tangent = through("tangent", lambda p, dp: dp - p * whole(p, ops.sum_over(p * dp)))
    return manifold("sphere", optimizer, tangent, unit, 0)


def stiefel(optimizer: Optimizer) -> Optimizer:
    """An optimizer of a matrix X whose shorter side is orthonormal, XᵀX = 1 (or X Xᵀ = 1).

    G ↦ G − X (XᵀG + GᵀX) / 2 before it, and the orthonormal factor of X = QR, with R positive on its diagonal, behind it.
    """

    def projected(p: Any, dp: Any) -> Any:
        x, g = upright(p), upright(dp)
        inner = ops.einsum("ij,ik->jk", x, g)
        return upright(g - ops.einsum("ij,jk->ik", x, (inner + ops.transpose(inner)) * 0.5), p)

    return manifold("stiefel", optimizer, through("tangent", projected), lambda p: upright(orthonormal(upright(p)), p), 2)


def manifold(kind: str, optimizer: Optimizer, tangent: Transform, onto: Callable[[Any], Any], rank: int) -> Optimizer:
    """The chain of making tangent, an optimizer, and going back onto the manifold."""
    name = f"{kind}({mover(kind, optimizer)})"
    moved = chain(tangent, optimizer, behind(kind, lambda p, later: onto(later)))

    def point(*params: Param) -> Para:
        for p in params:
            strange = [a for a in movable(name, p) if rank and a.rank != rank]
            if strange:
                raise TypeMismatch(f"{name} moves matrices, and '{p.label}' is {strange[0]}")
        return moved(*(replace(p, init=started(p, onto)) for p in params))

    return Optimizer(name, point, optimizer.joint, optimizer.owns_rate)


def started(param: Param, onto: Callable[[Any], Any]) -> Diagram | None:
    """The first value of a parameter, brought onto the manifold."""
    if param.init is None:
        return None
    each = [trace(onto, Ty((a,))) for a in forward(param.ob)]
    return param.init.then(each[0].tensor(*each[1:]))


def upright(x: Any, like: Any = None) -> Any:
    """A matrix with its longer side down; with `like`, back to the way that one lies."""
    rows, columns = (x if like is None else like).atom.shape
    return ops.transpose(x) if rows < columns else x


def orthonormal(x: Any) -> Any:
    """Q of X = QR : ℝ^(n, k) → ℝ^(n, k), column by column (Gram and Schmidt), each made orthogonal twice to lose no digits."""
    k, dtype = x.atom.shape[1], x.atom.dtype

    def column(q: Any, row: Any, _: Any) -> Any:
        y, place = row
        for _again in range(2):
            y = y - ops.matmul(q, ops.einsum("ij,i->j", q, y))
        return q + ops.einsum("i,j->ij", unit(y), place), y

    units = OneHot(k, dtype)(Iota(k)())
    return scan(column, x * 0.0, (ops.transpose(x), units))[0]
