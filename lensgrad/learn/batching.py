"""Batching a parametric arrow: data gets a leading axis, weights and keys stay one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from lensgrad.cat.body import Body
from lensgrad.cat.names import Param, Role, select
from lensgrad.cat.para import P, Para
from lensgrad.core import checks
from lensgrad.core.checks import is_whole, shown
from lensgrad.core.diagram import Diagram
from lensgrad.core.errors import BadValue, TypeMismatch
from lensgrad.core.ty import Ty, product, split
from lensgrad.theories.poly.circuit import Vector
from lensgrad.theories.smooth import batch as smooth
from lensgrad.theories.smooth.array import Array, Key


def batch(f: P, n: int, over: Iterable[str] | None = None) -> P:
    """f on n examples at once: (P, Aⁿ → Bⁿ), with one P (arXiv 2404.00408, batching).

    Parameters of role data are batched (or those named in `over`), and the input A. Results that no example reaches are
    repeated; observables that no example reaches stay one. Apply it to the whole task, then `>> mean`, then `lens`.
    """
    if not is_whole(n) or n < 1:
        raise BadValue(f"a batch must have a whole number of examples ≥ 1, got {shown(n)}")
    if not checks.is_a(f, Para) or not isinstance(f.arrow, Diagram):
        raise TypeMismatch(f"batch expects a model or a task, before lens(…), got {shown(f)}")
    n = int(n)
    body = f.body
    chosen = batched_params(body.params, over)
    flags = [i in chosen for i, p in enumerate(body.params) for _ in p.ob] + [True] * len(f.dom)
    check_arrays(body.arrow, flags)
    arrow, outs = smooth.batch(body.arrow, n, flags)
    wanted = [True] * len(f.cod) + list(outs[len(f.cod) :])
    arrow = arrow.then(smooth.spread_all(arrow.cod, [b or not w for b, w in zip(outs, wanted, strict=True)], n))
    params = tuple(replace(p, ob=many(p.ob, n)) if i in chosen else p for i, p in enumerate(body.params))
    seen = split(arrow.cod.atoms[len(f.cod) :], [ob for _, ob in body.observables])
    named = tuple((label, Ty(atoms)) for (label, _), atoms in zip(body.observables, seen, strict=True))
    return type(f)(many(f.dom, n), many(f.cod, n), Body(params, arrow, named), piece=f.piece, ends=f.ends)


def batched_params(params: tuple[Param, ...], over: Iterable[str] | None) -> set[int]:
    """The positions of the parameters to batch."""
    if over is None:
        return {i for i, p in enumerate(params) if p.role is Role.DATA}
    return {i for name in checks.names("over", over) for group in select(params, name) for i in group}


def many(ob: Ty, n: int) -> Ty:
    """Aⁿ, atom by atom."""
    return Ty(tuple(smooth.stacked(a, n) for a in ob))


def check_arrays(arrow: Diagram, flags: list[bool]) -> None:
    strange = [a for a, b in zip(arrow.dom, flags, strict=True) if b and not isinstance(a, Array | Key | Vector)]
    if strange:
        told = product(Ty((a,)) for a in strange)
        raise TypeMismatch(f"batching is for arrays, keys and circuits, and this arrow expects {told}: use batch_size=None")
